"""Why a projection moved since last month: the rows of the waterfall as printed, the figure, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.views.parts import place, row, season

PARTS = ("new", "restated", "target", "method")
NOTE = "按“方法→修订→新数据→目标”的固定顺序逐项替换,各项之和等于总变化"


def moves(month: Month, indicator: str, region: str = "zone") -> pd.DataFrame:
    """Last month's projection, what changed it, and this month's, rounded so that the printed figures add up.

    Returns
    -------
    `part` (before, the four of WHY, now), `label`, `note`, `is_level`, `value` (chance in whole per cent, or its change
    in points), `median` (as printed, a Decimal), `told`, `also`. One row only where there is no last month; none where
    the target has no chance.
    """
    r = row(month, indicator, region)
    if not r or np.isnan(r["probability"]):
        return pd.DataFrame(
            columns=["part", "label", "note", "is_level", "value", "median", "told", "also"]
        )
    w = month.table("WHY")
    w = w[w["indicator"].eq(indicator) & w["region"].eq(region)].set_index("part")
    s = quantity.row_scale(r)
    now = _level(
        "now", f"{month.period.month}月报", "本次预测", r["probability"], s.round(r["median"])
    )
    if w.empty or w["probability"].isna().any():
        return pd.DataFrame([now | {"note": "没有上月预测可比"}])
    w = w.loc[list(PARTS)]
    chance = float(np.clip(r["probability"] - w["probability"].sum(), 0, 1))
    median = s.round(r["median"] - w["median"].sum())
    start = _level("before", f"{month.period.month - 1}月报", "上次预测", chance, median)
    whole = quantity.whole_chance(r["probability"]) - quantity.whole_chance(chance)
    points = quantity.printed_parts(100 * w["probability"], 0, whole)
    points[int(w["probability"].abs().argmax())] += (
        Decimal(now["value"] - start["value"]) - whole
    )  # <1% counts as 0
    medians = quantity.printed_parts(
        w["median"] / s.factor, s.digits, float(now["median"] - start["median"])
    )
    labels = (f"{month.period.month}月新数据", "历史数据修订", "目标调整", "方法更新")
    printed = zip(PARTS, labels, _notes(month, r, w), points, medians, strict=True)
    steps = [_step(*p) for p in printed]
    return pd.DataFrame([start, *steps, now])


def _level(part: str, label: str, note: str, chance: float, median: Decimal) -> dict:
    told = quantity.chance_number(chance)
    value = {"<1%": 0.0, ">99%": 100.0}.get(told, float(quantity.whole_chance(chance)))
    also = f"{median:,f}".replace("-", quantity.MINUS)
    return dict(
        part=part,
        label=label,
        note=note,
        is_level=True,
        value=value,
        median=median,
        told=told,
        also=also,
    )


def _step(part: str, label: str, note: str, points: Decimal, median: Decimal) -> dict:
    return dict(
        part=part,
        label=label,
        note=note,
        is_level=False,
        value=float(points),
        median=median,
        told=_signed(points),
        also=_signed(median),
    )


def _signed(printed: Decimal) -> str:
    sign = "+" if printed > 0 else quantity.MINUS
    return f"{sign}{abs(printed):,f}" if printed else "0"


def _notes(month: Month, r: Mapping, w: pd.DataFrame) -> tuple[str, str, str, str]:
    """What stands behind each part, in the order of PARTS."""
    s, m, actual = quantity.row_scale(r), month.period.month, w["actual"]
    text = lambda v: s.text(s.round(v))  # noqa: E731
    moved = w[["median", "probability"]].abs().max(axis=1) > 1e-9
    unit = "个百分点" if s.unit == "%" else s.unit
    added = _signed(s.round(actual["new"])) + unit
    own = month.table("SERIES")
    own = own[
        own["indicator"].eq(month.catalog.indicators[r["indicator"]].growth_of or r["indicator"])
    ]
    own = own[own["region"].eq(r["region"]) & own["end"].eq(month.period)]
    if own.empty:
        new = f"{m}月未报"
    elif r["kind"] == "flow":
        usual, came = _usual(month, r, w), s.round(actual["new"])
        more = came - s.round(usual) if usual == usual else Decimal(0)
        pace = (
            f",比往年节奏{'多' if more > 0 else '少'}{s.text(abs(more))}"
            if more
            else ",与往年节奏相当"
        )
        new = f"{m}月{s.text(came)}" + (pace if usual == usual else "")
    else:
        new = (
            f"{m}月{'末' if own['months'].eq(0).all() else '累计'}{text(r['actual'])},比上月{added}"
        )
    back = s.round(actual["restated"])
    if back:
        restated = (
            f"{f'1—{m - 1}' if m > 2 else '1'}月核{'增' if back > 0 else '减'}{abs(back):,f}{unit}"
        )
    else:
        restated = "往年数据有修订" if moved["restated"] else "前期数据未变"
    was = r["target_low"] - w.loc["target", "target_low"]
    aim = (
        f"由{text(was)}调整为{text(r['target_low'])}"
        if was != r["target_low"]
        else f"仍为{quantity.target(r)}," + ("口径有变" if moved["target"] else "未变")
    )
    return (
        new,
        restated,
        aim,
        f"按现行方法和参考表重算{m - 1}月报" if moved["method"] else "方法和参考表未变",
    )


def _usual(month: Month, r: Mapping, w: pd.DataFrame) -> float:
    """What the new month would have brought at the pace of past years, had the projection been right before it."""
    share = season(month, r["indicator"], r["region"], 1.0).set_index("month")["value"]
    m = month.period.month
    if not {m, m - 1} <= set(share.index) or share[m - 1] >= 1:
        return float("nan")
    later = w.loc[["new", "target"], ["actual", "median"]].sum()
    rest = (r["median"] - later["median"]) - (r["actual"] - later["actual"])
    return rest * (share[m] - share[m - 1]) / (1 - share[m - 1])


def waterfall(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """What moved the chance and the year end of one target since last month."""
    rows, r = moves(month, indicator, region), row(month, indicator, region)
    where = f"{place(month, region)},{month.year}年"
    if len(rows) > 1:
        where += f"{month.period.month - 1}月报至{month.period.month}月报"
    what = month.catalog.name(indicator)
    unit = quantity.row_scale(r).unit if len(rows) else month.catalog.unit(indicator)
    verb = "" if r.get("comparator") in ("gt", "between") else "达到"
    aim = f"{what}{verb}{quantity.target(r)}" if len(rows) else what
    return figures.waterfall(
        rows.assign(note=rows["note"].map(quantity.typeset)),
        month.caption(
            say.title_why(rows, what),
            f"{aim}的把握(%,影响为百分点)和年末中位数({unit});{where}",
            indicator,
            note=NOTE,
            alt=why_sentence(month, indicator, region),
        ),
        heads=("把握", "年末中位数"),
        unit="%",
    )


def why_sentence(month: Month, indicator: str = "patent_applications", region: str = "zone") -> str:
    """What moved one target since last month, in a sentence whose figures add up as printed."""
    rows, r = moves(month, indicator, region), row(month, indicator, region)
    s = quantity.row_scale(r) if len(rows) else None
    told = say.why(rows, month.catalog.name(indicator), s)
    return quantity.typeset(quantity.block([told], bool(r.get("demo", False))))
