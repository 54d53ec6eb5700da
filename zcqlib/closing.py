"""A year that is over: what was promised, what came, and whether it was kept, once the late official figures are in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.catalog import Catalog
from zcqlib.month import Month

KEPT, BROKEN, OPEN = "完成", "未完成", "待定"
# the median, with target and actual, sets the scale that a target's quantities are printed on
COLUMNS = (
    "region indicator kind unit comparator target_low target_high actual median published status demo"
).split()


def closing(
    projections: pd.DataFrame, series: pd.DataFrame, milestones: pd.DataFrame, catalog: Catalog
) -> pd.DataFrame:
    """One row a target of a year that is over.

    Parameters
    ----------
    projections : PROJECTIONS for December. series, milestones : SERIES and MILESTONES as known now.
    Returns
    -------
    COLUMNS. `status` by kind: figures are 完成 or 未完成 when the year's last one is known, or 完成 where nothing can
    be taken back; milestones and what is counted by parks when the year is over, 待定 where nothing was ever
    reported. `published` is the report month of the deciding figure, NaT for milestones.
    Raises
    ------
    ValueError : projections of another month than December.
    Source
    ------
    年末及以后各月报表、节点表。
    """
    if (projections["as_of"].dt.month != 12).any():
        raise ValueError("closing takes the projections for December")
    last = series[series["end"].isin(projections["as_of"])].drop_duplicates(
        ["region", "indicator"], keep="last"
    )
    came = last.set_index(["region", "indicator"])["published"]
    staged = set(milestones[["id", "region"]].itertuples(index=False, name=None))
    rows = []
    for r in projections.to_dict("records"):
        region, own = r["region"], r["indicator"]
        of = catalog.indicators[own].growth_of if r["kind"] == "growth" else own
        when = came.get((region, of), came.get((region, own), pd.NaT))
        rows.append(r | {"published": when, "status": _status(r, pd.notna(when), staged)})
    out = pd.DataFrame(rows, columns=COLUMNS)
    return out.astype({"published": "period[M]"}).sort_values(
        ["region", "indicator"], ignore_index=True
    )


def _status(r: dict, known: bool, staged: set[tuple[str, str]]) -> str:
    if r["verdict"] == "已完成":
        return KEPT
    if r["kind"] == "milestone":
        return BROKEN if (r["indicator"], r["region"]) in staged else OPEN
    if r["kind"] in ("coverage", "recurring"):
        return OPEN if np.isnan(r["actual"]) else BROKEN
    if known and r["probability"] in (0.0, 1.0):
        return KEPT if r["probability"] else BROKEN
    return OPEN


def closed(month: Month) -> pd.DataFrame:
    """The closing table of a December in Chinese, as it is printed and handed to the annual meeting."""
    held = map(month.table, ("PROJECTIONS", "SERIES", "MILESTONES"))
    t, name = closing(*held, month.catalog), month.catalog.name
    rows, when = t.to_dict("records"), t["published"]
    target = [
        quantity.of_target(r, r["target_low"])
        if r["kind"] in ("milestone", "coverage")
        else quantity.target(r)
        for r in rows
    ]
    out = dict(地区=t["region"].map(name), 指标=t["indicator"].map(name), 目标=target)
    out |= dict(实际=[quantity.of_target(r, r["actual"]) for r in rows], 结果=t["status"])
    out |= dict(定案报表=(when.astype(str) + "报表").where(when.notna(), quantity.NONE))
    return pd.DataFrame(out | dict(数据=t["demo"].map({True: quantity.DEMO, False: ""})))
