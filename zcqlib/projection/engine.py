"""The year-end distribution of many series in one call: masks are told apart, each is solved in blocks of series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib.projection import counts, model
from zcqlib.projection.panel import Panel, pivot
from zcqlib.projection.scoring import LEVELS

__all__ = ["LEVELS", "project_year_end", "refused_series"]
BLOCK = 64  # series at a time
SMALL = 400.0  # yearly total below which whole numbers are counts


def refused_series(
    history: pd.DataFrame, kind: str = "flow", year: int | None = None
) -> pd.DataFrame:
    """`series_id` and `reason` of the series that `project_year_end` leaves out, in the order of their ids."""
    panel = pivot(history, year, kind == "stock")
    names = pd.Series(panel.ids, dtype=history["series_id"].dtype)
    out = pd.DataFrame({"series_id": names, "reason": pd.Series(panel.reason, dtype="str")})
    return out[panel.reason != ""].reset_index(drop=True)


def project_year_end(
    history: pd.DataFrame,
    kind: str = "flow",
    year: int | None = None,
    levels=LEVELS,
    targets: pd.Series | None = None,
) -> pd.DataFrame:
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
    if missing := {"series_id", "period", "value"} - set(history.columns):
        raise ValueError(f"history lacks columns {sorted(missing)}")
    wanted = np.asarray(levels, float)
    if wanted.ndim != 1 or not len(wanted) or not ((wanted > 0) & (wanted < 1)).all():
        raise ValueError("levels lie between 0 and 1")
    if targets is not None and targets.index.has_duplicates:
        raise ValueError(f"two targets for {targets.index[targets.index.duplicated()][0]!r}")
    stock = kind == "stock"
    panel = pivot(history, year, stock)
    n, good = len(panel.ids), panel.reason == ""
    aims = np.full(n, np.nan) if targets is None else targets.reindex(panel.ids).to_numpy(float)
    out, chance = np.full((len(wanted), n), np.nan), np.full(n, np.nan)
    groups = list(_groups(panel, stock))
    events, shares = _lent(history, panel, groups)
    for mask, rows in groups:
        amount = panel.amount[rows, : len(mask.now)].T
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
            out[:, own] = found.quantiles(wanted)
            if targets is not None:
                chance[own] = found.chance(aims[own])
    names = pd.Series(panel.ids, dtype=history["series_id"].dtype)
    frame = pd.DataFrame(out.T[good], columns=wanted.tolist(), copy=False)
    frame.insert(0, "series_id", names[good].array)
    if targets is not None:
        frame["probability"] = np.where(np.isnan(aims), np.nan, chance)[good]
    return frame


def _groups(panel: Panel, stock: bool):
    """The masks that occur, each with the numbers of its series."""
    good = np.flatnonzero(panel.reason == "")
    patterns, which = np.unique(panel.cover[good], axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    cuts = np.searchsorted(which.ravel()[order], np.arange(1, len(patterns)))
    for cover, rows in zip(patterns, np.split(good[order], cuts)[: len(patterns)], strict=True):
        yield model.mask_of(cover.tobytes(), stock), rows


def _blocks(mask: model.Mask, amount, whole):
    """Blocks of series of one mask, and whether they are small counts: whole numbers with few events a year.

    A block is filled up to eights with its own series: a sum over one column is rounded in another order.
    """
    last = mask.member[:, -24:-12]
    inside = last.sum(1) == mask.member.sum(1)
    full = last[inside].any(0).all()
    yearly = amount[inside].sum(0) if full else 12 * amount.sum(0) / mask.member.sum()
    small = whole & (yearly < SMALL) & mask.ahead.any()
    for counted in (False, True):
        some = np.flatnonzero(small == counted)
        some = some[np.argsort(yearly[some], kind="stable")] if counted else some
        for part in (some[i : i + BLOCK] for i in range(0, len(some), BLOCK)):
            yield np.resize(part, -(-len(part) // 8) * 8), counted


def _full_years(mask: model.Mask):
    """For each past year told by single months, their sums' numbers."""
    single = mask.member[mask.member.sum(1) == 1].any(0)
    for first in range(0, model.MONTHS - 12, 12):
        if single[first : first + 12].all():
            yield mask.member[:, first : first + 12].argmax(0)


def _lent(history: pd.DataFrame, panel: Panel, groups: list):
    """What its family, or it alone, tells of each series' season, (12, series): events by calendar month, log shares."""
    family = np.arange(len(panel.ids))
    if "family" in history:
        first = history.drop_duplicates("series_id").set_index("series_id")["family"]
        family = pd.factorize(first.reindex(panel.ids), use_na_sentinel=False)[0]
    (events, shares), years = np.zeros((2, len(family), 12)), np.zeros((len(family), 1))
    for mask, rows in groups:
        amount = panel.amount[rows].T
        for months in _full_years(mask):
            own = amount[months].T
            total = np.cumsum(own, 1)[:, -1:]  # in one order, however many series
            np.add.at(events, family[rows], own)
            np.add.at(shares, family[rows], own / np.where(total > 0, total, np.inf))
            np.add.at(years, family[rows], total > 0)
    logs = np.log(np.maximum(12 * shares / np.maximum(years, 1), 0.02))
    logs = np.where(years > 0, logs - logs.mean(1, keepdims=True), 0.0)
    return events[family].T, logs[family].T
