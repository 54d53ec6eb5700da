"""Long monthly histories to series side by side: five past years and the projected one, gaps filled, faults refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

MAX_YEARS = 5
_WIDTH = 12 * (MAX_YEARS + 1)
_MONTH = re.compile(r"(\d{4})-?(0[1-9]|1[0-2])(?!\d)")


@dataclass(frozen=True, slots=True)
class Panel:
    """One row a series. `values` (n, 72) months, the projected year last; `years` full ones before it; `k` months known
    in it; `reason` why a series is refused, or ""; `whole` all given values are whole numbers; `guessed` sum of the
    months of this year that had to be guessed; `quarterly` this year is known by quarters only.
    """

    ids: np.ndarray
    values: np.ndarray
    years: np.ndarray
    k: np.ndarray
    reason: np.ndarray
    whole: np.ndarray
    guessed: np.ndarray
    quarterly: np.ndarray


def pivot(history: pd.DataFrame, year: int | None, stock: bool) -> Panel:
    """Series side by side. A month that lies between known ones is filled; what cannot be used is refused by series."""
    code, ids = numbered(history["series_id"])
    n = len(ids)
    reason = np.full(n, "", dtype=object)

    def refuse(series: np.ndarray, words: str) -> None:
        series = np.unique(series)
        reason[series[reason[series] == ""]] = words

    t = _month_numbers(history["period"])
    v = pd.to_numeric(history["value"], errors="coerce").to_numpy(float)
    months = None
    if "months" in history and not stock:
        given = pd.to_numeric(history["months"], errors="coerce").fillna(1).to_numpy(float)
        wrong = (given < 1) | (given > 12) | (given != np.round(given))
        refuse(code[wrong], "months(合计月数)应为 1 到 12 的整数")
        months = np.where(wrong, 1, given).astype("int64")
    refuse(np.flatnonzero(pd.isna(ids)), "没有 series_id")
    if not ((v >= 0) & (v < np.inf) & (t >= 0)).all():
        refuse(code[t < 0], "有不能识别的月份,应写成 2018-09")
        refuse(code[history["value"].notna().to_numpy() & np.isnan(v)], "有不是数字的值")
        refuse(code[np.isinf(v)], "有无穷大的值")
        refuse(code[v < 0], "有负值")
        used = np.isfinite(v) & (t >= 0)
        code, t, v, months = code[used], t[used], v[used], None if months is None else months[used]
    whole = np.full(n, True)
    whole[code[v != np.round(v)]] = False
    latest = np.full(n, -1)
    np.maximum.at(latest, code, t)
    refuse(np.flatnonzero(latest < 0), "没有任何数值")
    start = (
        np.where(latest >= 0, latest // 12, 0) if year is None else np.full(n, int(year))
    ) * 12 - 12 * MAX_YEARS
    long, total, spread = months, v, months is not None and (months > 1).any()
    if spread:  # a sum over several months is spread evenly at first
        step = np.arange(months.sum()) - np.repeat(np.cumsum(months) - months, months)
        code, t, v = (
            np.repeat(code, months),
            np.repeat(t, months) - step,
            np.repeat(v / months, months),
        )
    pairs = code * 1_000_000 + t
    if not (np.diff(pairs) > 0).all():
        pairs = np.sort(pairs)
        refuse(pairs[1:][np.diff(pairs) == 0] // 1_000_000, "同一个月有两个数值")
    place = t - start[code]
    inside = (place >= 0) & (place < _WIDTH)
    values = np.full((n, _WIDTH), np.nan)
    values.ravel()[(code * _WIDTH + place)[inside]] = v[inside]
    quarterly = _spread(values, code, place, long, total) if spread else np.full(n, False)

    seen = np.isfinite(values)
    now = seen[:, -12:]
    k = np.where(now.any(1), 12 - np.argmax(now[:, ::-1], 1), 0)
    refuse(np.flatnonzero(k == 0), "当年没有任何数值")
    refuse(np.flatnonzero(2 * now.sum(1) < k), "当年缺的月份过半,不能测算")
    usable = (
        seen[:, :-12].reshape(n, MAX_YEARS, 12).sum(2) >= 6
    )  # a year with more than half missing ends the history
    years = np.cumprod(usable[:, ::-1], axis=1).sum(1)
    column = np.arange(_WIDTH)
    hole = (
        ~seen
        & (column >= 12 * (MAX_YEARS - years)[:, None])
        & (column < (12 * MAX_YEARS + k)[:, None])
    )
    rows = np.flatnonzero(hole.any(1) & (k > 0))
    guessed = np.zeros(n)
    if len(rows):
        values[rows] = _filled(values[rows], hole[rows], stock)
        guessed[rows] = np.where(hole[rows], values[rows], 0)[:, -12:].sum(1)
    return Panel(ids, values, years, k, reason, whole, guessed, quarterly)


def _spread(
    values: np.ndarray, code: np.ndarray, place: np.ndarray, long: np.ndarray, total: np.ndarray
) -> np.ndarray:
    """Sums over several months, put right in place; tells which series know this year by quarters only.

    January with February is halved, in all years of the series; quarters stay in thirds; any other sum is the
    difference across a month that was not reported, and is split as last year's same months went. Rows of `code` and
    `place` are the months of each sum, the last one first; `long` and `total` are months and value of the sums.
    """
    n, first = len(values), np.cumsum(long) - long
    owner, end = code[first], place[first]
    joined = (long == 2) & (end % 12 == 1)
    rows = np.unique(owner[joined])
    start = values.reshape(n, -1, 12)[rows, :, :2]
    half = start.mean(2, keepdims=True)
    values.reshape(n, -1, 12)[rows, :, :2] = np.where(np.isfinite(half), half, start)
    now = (end >= _WIDTH - 12) & (end < _WIDTH)
    quarters = np.bincount(owner[now & (long == 3) & (end % 3 == 2)], minlength=n)
    quarterly = (quarters > 0) & (quarters == np.bincount(owner[now], minlength=n))
    entry = np.repeat(np.arange(len(long)), long)
    split = ((long > 1) & ~joined & ~quarterly[owner])[entry] & (place >= 12) & (place < _WIDTH)
    code, place, entry = code[split], place[split], entry[split]
    before = values[code, place - 12]
    known = np.bincount(entry, before, minlength=len(long))  # NaN where one month is not known
    good = known[entry] > 0
    values[code[good], place[good]] = (total[entry] * before / known[entry])[good]
    return quarterly


def fixed_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Matrix product summed in one order on every processor: BLAS picks its kernel, and with it the last bits."""
    return np.einsum("ij,jk->ik", a, b)


def numbered(names: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Each row's number of its name, and the sorted names. Runs of one name are looked up once."""
    if names.empty:
        return np.empty(0, dtype="int64"), np.empty(0, dtype=object)
    new = np.array(names.ne(names.shift(fill_value=names.iloc[0])), dtype=bool)
    new[0] = True
    code, ids = pd.factorize(names[new], sort=True, use_na_sentinel=False)
    return code[np.cumsum(new) - 1], np.asarray(ids)


def _month_numbers(period: pd.Series) -> np.ndarray:
    """Months since year 0; -1 where a month cannot be read."""
    if period.dtype == "period[M]":
        return np.where(period.isna(), -1, period.array.asi8 + 12 * 1970)
    if isinstance(period.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(period):
        numbers = period.dt.year * 12 + period.dt.month - 1
        return numbers.fillna(-1).to_numpy("int64")
    codes, names = pd.factorize(period, use_na_sentinel=False)
    return np.array([_month_number(str(p)) for p in names], dtype="int64")[codes]


def _month_number(text: str) -> int:
    found = _MONTH.match(text)
    return int(found[1]) * 12 + int(found[2]) - 1 if found else -1


def _filled(values: np.ndarray, hole: np.ndarray, stock: bool) -> np.ndarray:
    """A flow's missing month is its year's level times the month's usual share; a stock goes straight across.

    Before the first known month and in a year of zeros, the nearest known level stands.
    """
    known = np.isfinite(values)
    column = np.arange(_WIDTH)
    before = np.maximum.accumulate(np.where(known, column, -1), 1)
    after = np.minimum.accumulate(np.where(known, column, _WIDTH)[:, ::-1], 1)[:, ::-1]
    before, after = np.where(before < 0, after, before), np.where(after >= _WIDTH, before, after)
    row = np.arange(len(values))[:, None]
    if stock:
        low, high = values[row, before], values[row, after]
        guess = low + (high - low) * (column - before) / np.maximum(after - before, 1)
    else:
        there = known.reshape(len(values), -1, 12)
        by_year = np.where(there, values.reshape(there.shape), 0.0)
        mean = by_year.sum(2, keepdims=True) / np.maximum(there.sum(2, keepdims=True), 1)
        full = there.all(2, keepdims=True) & (mean > 0)  # shares of a year with gaps would be off
        part = there & (mean > 0) & (full | ~full.any(1, keepdims=True))
        share = (by_year / np.where(mean > 0, mean, 1) * part).sum(1, keepdims=True)
        share = share / np.maximum(part.sum(1, keepdims=True), 1)
        share = np.where(part.any(1, keepdims=True), share, 1.0)
        expected = (share * there).sum(2, keepdims=True)
        guess = by_year.sum(2, keepdims=True) / np.where(expected > 0, expected, 1) * share
        guess = guess.reshape(values.shape)
    return np.where(hole, guess, values)
