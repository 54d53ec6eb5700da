"""Long histories to what the model takes: the sums that were reported, apart from each other, over five past years and
the projected one; faults refused by series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

MAX_YEARS = 5
WIDTH = 12 * (MAX_YEARS + 1)
MONTH = r"^(\d{4})-?(0[1-9]|1[0-2])(?!\d)"
_LARGEST = 1e280


@dataclass(frozen=True, slots=True)
class Panel:
    """One row a series. `cover` (n, 72) the sum that each month belongs to, -1 for none, the projected year last;
    `amount` (n, sums) their values; `extra` what this year's cumulative figure holds beyond its months; `whole` all
    values are whole numbers; `reason` why a series is refused, or "".
    """

    ids: np.ndarray
    cover: np.ndarray
    amount: np.ndarray
    extra: np.ndarray
    whole: np.ndarray
    reason: np.ndarray


def pivot(history: pd.DataFrame, year: int | None, stock: bool) -> Panel:
    """Series side by side.

    A sum that holds others (a cumulative figure, a year with its half) stands for the months that they leave; what
    cannot be used is refused by series.
    """
    code, ids = pd.factorize(history["series_id"], sort=True, use_na_sentinel=False)
    n = len(ids)
    reason = np.full(n, "", dtype=object)

    def refuse(series: np.ndarray, words: str) -> None:
        series = np.unique(series)
        reason[series[reason[series] == ""]] = words

    def column(name: str, usual) -> pd.Series:
        """What may be told of a flow."""
        told = name in history and not stock
        return history[name].fillna(usual) if told else pd.Series(usual, history.index)

    t = month_numbers(history["period"])
    v = pd.to_numeric(history["value"], errors="coerce").to_numpy(float)
    beyond = column("revision", False).to_numpy(bool)
    months = pd.to_numeric(column("months", 1), errors="coerce").fillna(1).to_numpy(float)
    wrong, size = ~beyond & ~np.isin(months, np.arange(1, 13)), np.abs(v)
    faults = {
        "months(合计月数)应为 1 到 12 的整数": wrong,
        "没有 series_id": history["series_id"].isna().to_numpy(),
        "有不能识别的月份,应写成 2018-09": t < 0,
        "有不是数字的值": history["value"].notna().to_numpy() & np.isnan(v),
        "有无穷大的值": np.isinf(v),
        "有负值": (v < 0) & ~beyond,
        "数值过大或过小,无法测算": (size > _LARGEST) | (size < 1 / _LARGEST) & (size > 0),
    }
    for words, rows in faults.items():
        refuse(code[rows], words)
    months, used = np.where(wrong, 1, months).astype("int64"), np.isfinite(v) & (t >= 0)
    code, t, v, months, beyond = (a[used] for a in (code, t, v, months, beyond))
    whole = np.full(n, True)
    whole[code[v != np.round(v)]] = False
    latest = np.full(n, -1)
    np.maximum.at(latest, code[~beyond], t[~beyond])
    refuse(np.flatnonzero(latest < 0), "没有任何数值")
    this = np.maximum(latest, 0) // 12 if year is None else np.full(n, int(year))
    end = t - 12 * (this[code] - MAX_YEARS)
    now = beyond & (end >= WIDTH - 12) & (end < WIDTH)
    extra = np.bincount(code[now], v[now], minlength=n)
    inside = ~beyond & (end - months >= -1) & (end < WIDTH)
    cover, amount = _apart(n, code[inside], end[inside], months[inside], v[inside], refuse)
    there = cover[:, -12:] >= 0
    k = np.where(there.any(1), 12 - np.argmax(there[:, ::-1], 1), 0)
    refuse(np.flatnonzero(k == 0), "当年没有任何数值")
    refuse(np.flatnonzero(2 * there.sum(1) < k), "当年缺的月份过半,不能测算")
    return Panel(ids, cover, amount, extra, whole, reason)


def _apart(n, code, end, months, v, refuse):
    """`cover` and `amount` of Panel from sums by series, last month and length."""
    order = np.lexsort((months, end, code))
    code, end, months, v = code[order], end[order], months[order], v[order]
    first = np.searchsorted(code, np.arange(n))
    number = np.arange(len(code)) - first[code]
    cover = np.full((n, WIDTH), -1, "int8")
    amount = np.full((n, min(WIDTH, number.max(initial=0) + 1)), np.nan)
    before = np.r_[-1, (end - months)[1:]]
    before[1:] = np.where(code[1:] == code[:-1], before[1:] - end[:-1], 0)
    nested = np.zeros(n, bool)
    nested[code[1:][before[1:] < 0]] = True
    plain = ~nested[code]
    for back in range(int(months.max(initial=1))):
        long = plain & (months > back)
        cover[code[long], end[long] - back] = number[long]
    amount[code[plain], number[plain]] = v[plain]
    for series in np.flatnonzero(nested):
        own = slice(first[series], np.searchsorted(code, series, "right"))
        row, sums, fault = _unnested(end[own], months[own], v[own])
        refuse(np.array([series]), fault) if fault else None
        cover[series], amount[series, : len(sums)] = row, sums
    return cover, amount


def _unnested(end, months, v):
    """The sums of one series apart, the shortest first, or why they cannot be told apart."""
    row, sums = np.full(WIDTH, -1, "int8"), []
    for i in np.lexsort((end, months)):
        span = row[end[i] - months[i] + 1 : end[i] + 1]
        inner = np.unique(span[span >= 0])
        if any((row == j).sum() != (span == j).sum() for j in inner):
            return row, np.array([]), "合计所含月份互相交叉"
        if months[i] == 1 and len(inner):
            return row, np.array([]), "同一个月有两个数值"
        left, many = v[i] - sum(sums[j] for j in inner), int((span < 0).sum())
        small = 1e-9 * v[i]
        if not many and abs(left) > small:
            return row, np.array([]), "合计与其中各月之和不一致"
        if left < -small:
            return row, np.array([]), "合计小于其中各月之和(累计数下降)"
        if many:
            span[span < 0] = len(sums)
            sums.append(max(left, 0.0))
    return row, np.array(sums), ""


def month_numbers(period: pd.Series) -> np.ndarray:
    """Months since year 0; -1 where a month cannot be read."""
    if isinstance(period.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(period):
        year, month = period.dt.year, period.dt.month
        return (year * 12 + month - 1).where(period.notna(), -1).to_numpy("int64")
    codes, names = pd.factorize(period, use_na_sentinel=False)
    told = pd.Series(names, dtype="object").astype("str").str.extract(MONTH).astype(float)
    return (told[0] * 12 + told[1] - 1).fillna(-1).to_numpy("int64")[codes]
