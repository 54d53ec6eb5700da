"""A zone whose parks changed: its totals as published beside those of the same parks."""

from __future__ import annotations

import pandas as pd

from zcqlib import quantity
from zcqlib.indicators import like_for_like
from zcqlib.month import Month


def membership(month: Month, most: int = 3) -> str:
    """Which parks came or went since January of the year before, and what that does to the largest differences.

    "" where nothing changed, so that a notebook says nothing then.
    """
    changed = member_changes(month)
    if not changed:
        return ""
    t = like_for_like(month.table("SERIES"), month.catalog, month.period)
    t = t[t["indicator"].isin(month.catalog.headline()["id"])]
    t = t.assign(
        gap=[abs(_growth(r, "published") - _growth(r, "same")) for r in t.to_dict("records")]
    )
    t = t[t["gap"] > 0].nlargest(most, "gap")
    parks = len(month.catalog.members(month.period))
    told = [f"成员有变动:{'、'.join(changed)}"]
    for r in t.to_dict("records"):
        one, other = (
            f"{quantity.number(r[k], r['unit'])},同比{quantity.change(_growth(r, k), '%').replace('个百分点', '%')}"
            for k in ("published", "same")
        )
        told.append(
            f"{month.catalog.name(r['indicator'])}累计:公布口径{one};同口径(现有{parks}个园区){other}"
        )
    return quantity.typeset(quantity.block(told, bool(t["demo"].any()) or month.workspace.demo))


def _growth(r: dict, kind: str) -> float:
    before = r[kind + "_before"]
    return 100 * (r[kind] / before - 1) if before > 0 else float("nan")


def member_changes(month: Month) -> list[str]:
    """牧野区2018年4月加入; one phrase for each park and month."""
    out, name = [], month.catalog.name
    for m in pd.period_range(f"{month.year - 1}-02", month.period, freq="M"):
        now, before = set(month.catalog.members(m)), set(month.catalog.members(m - 1))
        out += [
            f"{name(p)}{m.year}年{m.month}月加入" for p in month.catalog.parks if p in now - before
        ]
        out += [
            f"{name(p)}{m.year}年{m.month}月退出" for p in month.catalog.parks if p in before - now
        ]
    return out
