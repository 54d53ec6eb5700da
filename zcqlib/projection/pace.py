"""Pace lines beside the distribution: 序时进度, the own season, the batch calendar; which of them fits, and why.

Beside ours stands the progress measure of the SDG indicator reports: actual over required growth rate, cut at .95, .60
and 0.
"""

import numpy as np
import pandas as pd
from pandas import DataFrame, Period, Series

from zcqlib.catalog import Catalog
from zcqlib.projection.history import Rows
from zcqlib.projection.promises import waiting

SDG = ((0.95, "进展显著"), (0.60, "进展一般"), (0.0, "进展不足"))
AWAY, UNDEFINED = "偏离目标", "不适用"
COLUMNS = "region indicator linear due word reason sdg_ratio sdg".split()


def sdg_status(
    base: float, now: float, target: float, passed: float, total: float
) -> tuple[float, str]:
    """Actual over required growth rate a year, and its band.

    Parameters
    ----------
    base : value at the start. now : value after `passed` of the `total` years. target : value due at their end.
    Returns
    -------
    (NaN, 不适用) where a rate is not defined: a value that is not positive, no time passed, nothing required.
    """
    if not np.min([base, now, target, passed, total]) > 0 or target == base:
        return float("nan"), UNDEFINED
    actual, required = (
        (v / base) ** (1 / years) - 1 for v, years in ((now, passed), (target, total))
    )
    ratio = actual / required
    return ratio, next((word for cut, word in SDG if ratio >= cut), AWAY)


def batch_pace(
    target: float,
    base: float,
    batches: DataFrame,
    region: str,
    last: Period,
    catalog: Catalog,
) -> DataFrame:
    """What a stock that moves in batches should be at each month's end to reach its target, as known in `last`.

    Parameters
    ----------
    target : value due at the year's end. base : value at the end of last year. batches : the catalog's batch calendar.
    Returns
    -------
    `month` (1-12), `batch` (target less what the batches after that month usually bring; no rows while batches
    of the year are not planned yet) and `linear`, the way from `base` in equal steps.
    Source
    ------
    批次参考表;未公布的批次按往年通过率和按时公布的可能计。
    """
    due = _by_batches(target, batches, region, last, last, catalog)
    if due is None:
        return DataFrame(columns=["month", "batch", "linear"])
    linear = base + (target - base) * due.index / 12
    return DataFrame({"month": due.index, "batch": due.array, "linear": linear})


def _by_batches(
    target: float, batches, region: str, last: Period, as_of: Period, catalog: Catalog
) -> Series | None:
    """The target less what the batches after each month, 1 to 12, usually bring, named by how many are to come; None
    while batches of the year are not planned yet. A batch that is not out by `last` is still to come then, whatever its
    date was.
    """
    plan = waiting(batches, region, last, as_of, catalog)
    if not plan or not plan["whole"]:
        return None
    c = plan["calendar"]
    when = c.announced.where(c.out, c.expected.clip((last + 1).start_time)).dt
    when = 12 * (when.year - last.year) + when.month
    brings = c.number * plan["rate"] * c.sure
    brings = brings.where(c.kind.eq("pass"), -c.number * plan["lapse"] * ~c.out)
    due = {m: target - float(brings[when > m].sum()) for m in range(1, 13)}
    return Series(due, name=len(plan["coming"]))


def season_shares(series: DataFrame, year: int) -> DataFrame:
    """The share of a year that its last five full years before had done by each month.

    Parameters
    ----------
    series : SERIES; revisions belong to no month and do not count. year : the year that is looked ahead from.
    Returns
    -------
    By region, indicator and month `value` (mean), `low`, `high` and `years`, how many full years these are of.
    """
    shares = {
        (*place, k): (own.mean(), own.min(), own.max(), len(own))
        for place, source in Rows.by_place(series).items()
        for k, own in _shares(source, year).items()
        if len(own)
    }
    index = pd.MultiIndex.from_tuples(shares, names=["region", "indicator", "month"])
    return DataFrame([*shares.values()], index, ["value", "low", "high", "years"])


def _shares(source: Rows, year: int) -> DataFrame:
    """The share of a year that each of its last five full years before had done by each month."""
    brought = source.only(source.year < year).told.brought
    return brought[brought[12] > 0].tail(5).pipe(lambda d: d.div(d[12], axis=0))


def paces(
    projections: DataFrame,
    series: DataFrame,
    catalog: Catalog,
    batches: DataFrame | None = None,
) -> DataFrame:
    """Where every flow and stock target stands against the paces that it could be held to.

    Parameters
    ----------
    projections : PROJECTIONS of one month. series : SERIES known then. batches : the catalog's batch calendar.
    Returns
    -------
    One row a target with a figure: what is due by now in equal steps, `linear`, and by the pace that fits, `due`; by
    this `word` 领先, 持平 or 落后; `reason`, which pace it is and why; `sdg_ratio` and `sdg`.
    Source
    ------
    各月报表;批次参考表。
    """
    # parks done have no pace
    own = "actual.notna() and kind in ['flow', 'stock'] and unit != '个园区'"
    by, p = Rows.by_place(series), projections.query(own)
    rows = [
        _pace(r, source.only(source.end <= r.as_of.ordinal), catalog, batches)
        for r in p.itertuples()
        if (source := by.get((r.region, r.indicator))) is not None
    ]
    return DataFrame(rows, columns=COLUMNS)


def _pace(r, source: Rows, catalog: Catalog, batches: DataFrame | None) -> dict:
    last, goal, k = source.last, r.target_low, source.last.month
    base = source.ends(r.kind == "flow").get(r.year - 1, np.nan)
    if r.kind == "stock":
        now, linear = r.actual, base + (goal - base) * k / 12
        due, reason = linear, "序时进度:存量由上年末匀速推到目标"
        own = catalog.indicators[r.indicator].batch
        plan = _by_batches(goal, batches, r.region, last, r.as_of, catalog) if own else None
        if plan is not None:  # with batches still to be planned, what is to come is not known
            due, coming = plan[k], f"按往年通过率预计净增{goal - plan[k]:.0f}"
            reason = f"批次进度:还有{plan.name}批未公布,{coming}"
    else:
        before = source.only(source.year == r.year - 1)
        now = base + r.actual - before.value[before.month <= k].sum()
        linear = due = goal * k / 12
        reason = "序时进度:往年数据不足两年,只能按月均匀"
        if len(past := _shares(source, r.year)[k]) >= 2:
            share, even = past.mean(), 100 * k / 12
            due, done = goal * share, f"平均完成全年的{100 * share:.0f}%"
            reason = f"季节进度:近{len(past)}年到{k}月{done},匀速为{even:.0f}%"
    lead, small = r.actual - due, 0.01 * abs(goal)
    word = "领先" if lead > small else "落后" if lead < -small else "持平"
    word = word if lead == lead else ""
    told = (r.region, r.indicator, linear, due, word, reason)
    return dict(zip(COLUMNS, told + sdg_status(base, now, goal, k / 12, 1.0), strict=True))
