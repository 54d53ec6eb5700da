"""The year-end distribution of many series in one call: masks are told apart, each is solved in blocks of series."""

import numpy as np
from pandas import DataFrame, Series

from zcqlib.projection import counts, model
from zcqlib.projection.panel import Panel, pivot
from zcqlib.projection.scoring import LEVELS

__all__ = ["LEVELS", "project_year_end", "refused_series"]
BLOCK = 64  # series at a time
SMALL = 400.0  # yearly total below which whole numbers are counts


def refused_series(history: DataFrame, kind: str = "flow", year: int | None = None) -> DataFrame:
    """`series_id` and `reason` of the series that `project_year_end` leaves out, in the order of their ids."""
    panel = pivot(history, year, kind == "stock")
    names = Series(panel.ids, dtype=history["series_id"].dtype)
    out = DataFrame({"series_id": names, "reason": panel.reason.astype("str")})
    return out[out.reason != ""].reset_index(drop=True)


def needs(history: DataFrame) -> None:
    """Refuse a history that lacks a column, as a ValueError."""
    if missing := {"series_id", "period", "value"} - set(history.columns):
        raise ValueError(f"history lacks columns {sorted(missing)}")


def project_year_end(
    history: DataFrame,
    kind: str = "flow",
    year: int | None = None,
    levels=LEVELS,
    targets: Series | None = None,
) -> DataFrame:
    """Project the year end of any number of series from whatever is known of them.

    Parameters
    ----------
    history : columns `series_id`, `period` (YYYY-MM or month), `value` (the month's own value; for a stock the level at
        month end); optional `months` (default 1): over how many months, up to `period`, the value sums (6 in June: the
        year to date; 12 in December: a year's total); optional `revision`: what this year's cumulative figure holds
        beyond its months; optional `family`: series of one name lend each other their season. Any order, any lengths.
    kind : flow (the year's sum) or stock (the level of December).
    year : project this year, as known then; by default each series' latest one.
    levels : quantile levels, between 0 and 1.
    targets : by series_id, in the unit of the values; adds `probability`.
    Returns
    -------
    one row a series, ordered by `series_id`, one column a level (its name is the level), and with targets
    `probability`, the chance of reaching at least the target (NaN only where a series has no target). Series that
    cannot be projected are left out: `refused_series` names them.
    Raises
    ------
    ValueError : unknown kind, a missing column, levels outside 0 to 1, two targets for one series.
    Source
    ------
    各方差组合的权重由公开月度序列拟合(settings.csv),方法见说明文档。
    """
    if kind not in ("flow", "stock"):
        raise ValueError(f"kind is flow or stock, not {kind!r}")
    needs(history)
    wanted = np.asarray(levels, float)
    if wanted.ndim != 1 or not len(wanted) or not ((wanted > 0) & (wanted < 1)).all():
        raise ValueError("levels lie between 0 and 1")
    if targets is not None and targets.index.has_duplicates:
        raise ValueError(f"two targets for {targets.index[targets.index.duplicated()][0]!r}")
    stock = kind == "stock"
    panel = pivot(history, year, stock)
    panel = Panel(*(column[panel.reason == ""] for column in panel))
    n = len(panel.ids)
    aims = np.full(n, np.nan) if targets is None else targets.reindex(panel.ids).to_numpy(float)
    out, chance = np.empty((len(wanted), n)), np.empty(n)
    events, shares = _lent(history, panel)
    patterns = Series([cover.tobytes() for cover in panel.cover], dtype="object")
    for cover, rows in patterns.groupby(patterns).indices.items():
        mask = model.mask_of(cover, stock)
        amount = panel.amount[rows][:, mask.called].T
        for part, small in _blocks(mask, amount, panel.whole[rows] & (not stock)):
            own, values = rows[part], amount[:, part]
            known = np.maximum(panel.extra[own] + values[mask.now].sum(0), 0)
            if not mask.ahead.any():
                out[:, own], chance[own] = known, aims[own] <= known
                continue
            if small:
                found = counts.counted(mask, values, known, events[:, own])
            else:
                found = model.year_end(mask, values, known, shares[:, own])
            out[:, own], chance[own] = found.quantiles(wanted), found.chance(aims[own])
    frame = DataFrame(out.T, columns=wanted.tolist(), copy=False)
    frame.insert(0, "series_id", Series(panel.ids, dtype=history["series_id"].dtype))
    if targets is not None:
        frame["probability"] = np.where(np.isnan(aims), np.nan, chance)
    return frame


def _blocks(mask: model.Mask, amount, whole):
    """Blocks of series of one mask, by size, and whether they are small counts: whole numbers with few events a year.

    A block is filled up to eights with its own series: a sum over one column is rounded in another order.
    """
    last = mask.member[:, -24:-12]
    inside = last.sum(1) == mask.member.sum(1)
    full = last[inside].any(0).all()
    yearly = amount[inside].sum(0) if full else 12 * amount.sum(0) / mask.member.sum()
    small, order = whole & (yearly < SMALL) & mask.ahead.any(), np.argsort(yearly, kind="stable")
    for counted in (False, True):
        some = order[small[order] == counted]
        for part in (some[i : i + BLOCK] for i in range(0, len(some), BLOCK)):
            yield np.resize(part, -(-len(part) // 8) * 8), counted


def _lent(history: DataFrame, panel: Panel):
    """What its family, or it alone, tells of each series' season, (12, series): events by calendar month, log shares;
    from past years that are told by single months.
    """
    family, month = panel.ids, np.arange(model.MONTHS)
    if "family" in history:
        first = history.drop_duplicates("series_id").set_index("series_id")["family"]
        family = first.reindex(family).to_numpy()
    years, cover = (-1, model.YEARS, 12), panel.cover
    single = (cover == month) & (np.roll(cover, 1, 1) != month)
    full = single.reshape(years)[:, :-1].all(2, keepdims=True)
    own = np.where(full, panel.amount.reshape(years)[:, :-1], 0.0)
    total = np.cumsum(own, 2)[..., -1:]  # in one order, however many series
    told = own, own / np.where(total > 0, total, np.inf), total > 0
    events, shares, count = (
        DataFrame(a.sum(1)).groupby(family, dropna=False).transform("sum").to_numpy() for a in told
    )
    logs = np.log(np.maximum(12 * shares / np.maximum(count, 1), 0.02))
    logs = np.where(count > 0, logs - logs.mean(1, keepdims=True), 0.0)
    return events.T, logs.T
