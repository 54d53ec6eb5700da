"""Long histories to what the model takes: the sums that were reported, apart from each other, over five past years and
the projected one; faults refused by series.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

MAX_YEARS = 5
WIDTH = 12 * (MAX_YEARS + 1)
MONTH = r"^(\d{4})-?(0[1-9]|1[0-2])(?!\d)"
_LARGEST = 1e280


class Panel(NamedTuple):
    """One row a series, one column a month, the projected year last. `cover` (n, 72) the sum that each month belongs to,
    called by its last month, -1 for none; `amount` (n, 72) what the sum of that last month comes to; `extra` what this
    year's cumulative figure holds beyond its months; `whole` all values are whole numbers; `reason` why a series is
    refused, or "".
    """

    ids: ndarray
    cover: ndarray
    amount: ndarray
    extra: ndarray
    whole: ndarray
    reason: ndarray


def pivot(history: pd.DataFrame, year: int | None, stock: bool) -> Panel:
    """Series side by side.

    A sum that holds others (a cumulative figure, a year with its half) stands for the months that they leave; what
    cannot be used is refused by series.
    """
    usual = {"months": 1, "revision": False}  # all that may be told of a stock
    told = history.assign(**{c: u for c, u in usual.items() if stock or c not in history})
    code, ids = pd.factorize(told.series_id, sort=True, use_na_sentinel=False)
    n = len(ids)
    reason = np.full(n, "", dtype=object)

    def refuse(series: ndarray, faults: dict[str, ndarray]) -> None:
        for words, rows in faults.items():
            new = series[rows]
            reason[new[reason[new] == ""]] = words

    t, v = month_numbers(told.period), pd.to_numeric(told.value, errors="coerce")
    months = pd.to_numeric(told.months, errors="coerce").fillna(1).to_numpy(float)
    beyond, v = told.revision.fillna(False).to_numpy(bool), v.to_numpy(float)
    wrong, size = ~beyond & ~np.isin(months, np.arange(1, 13)), np.abs(v)
    faults = {
        "months(合计月数)应为 1 到 12 的整数": wrong,
        "没有 series_id": told.series_id.isna().to_numpy(),
        "有不能识别的月份,应写成 2018-09": t < 0,
        "有不是数字的值": told.value.notna().to_numpy() & np.isnan(v),
        "有无穷大的值": np.isinf(v),
        "有负值": (v < 0) & ~beyond,
        "数值过大或过小,无法测算": (size > _LARGEST) | (size < 1 / _LARGEST) & (size > 0),
    }
    refuse(code, faults)
    months, used = np.where(wrong, 1, months).astype("int64"), np.isfinite(v) & (t >= 0)
    code, t, v, months, beyond = (a[used] for a in (code, t, v, months, beyond))
    whole, latest = np.bincount(code[v % 1 != 0], minlength=n) == 0, np.full(n, -1)
    np.maximum.at(latest, code[~beyond], t[~beyond])
    every = np.arange(n)
    refuse(every, {"没有任何数值": latest < 0})
    this = np.maximum(latest, 0) // 12 if year is None else np.full(n, int(year))
    end = t - 12 * (this[code] - MAX_YEARS)
    now = beyond & (end >= WIDTH - 12) & (end < WIDTH)
    extra = np.bincount(code[now], v[now], minlength=n)
    inside = ~beyond & (end - months >= -1) & (end < WIDTH)
    cover, amount = _apart(n, code[inside], end[inside], months[inside], v[inside], refuse)
    there = cover[:, -12:] >= 0
    k = (there * np.arange(1, 13)).max(1)
    late = {"当年没有任何数值": k == 0, "当年缺的月份过半,不能测算": 2 * there.sum(1) < k}
    refuse(every, late)
    return Panel(ids, cover, amount, extra, whole, reason)


def _apart(n, code, end, months, v, refuse):
    """`cover` and `amount` of Panel from sums by series, last month and length: the shortest first, a sum of others is
    what it holds beyond them. Those that cannot be told apart are refused.
    """
    cover, amount = np.full((n, WIDTH), -1, "int8"), np.zeros((n, WIDTH))
    told = pd.DataFrame({"months": months, "end": end, "code": code})
    told["again"] = told.groupby(["months", "end", "code"]).cumcount()
    for (size, last, _), rows in sorted(told.groupby(["months", "end", "again"]).indices.items()):
        series, value = code[rows], v[rows]
        span = slice(last - size + 1, last + 1)
        inner, outer = cover[series, span], cover[series]
        held, outer[:, span] = inner >= 0, -1
        crossed = ((inner[:, :, None] == outer[:, None]) & held[:, :, None]).any((1, 2))
        left, full = value - amount[series, span].sum(1), held.all(1)
        faults = {
            "合计所含月份互相交叉": crossed,
            "同一个月有两个数值": full & (size == 1),
            "合计与其中各月之和不一致": full & (np.abs(left) > 1e-9 * value),
            "合计小于其中各月之和(累计数下降)": left < -1e-9 * value,
        }
        refuse(series, faults)
        called = last - np.argmin(held[:, ::-1], 1)
        cover[series, span] = np.where(held, inner, called[:, None])
        amount[series[~full], called[~full]] = np.maximum(left, 0)[~full]
    return cover, amount


def month_numbers(period: pd.Series) -> ndarray:
    """Months since year 0; -1 where a month cannot be read."""
    if isinstance(period.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(period):
        year, month = period.dt.year, period.dt.month
        return (year * 12 + month - 1).where(period.notna(), -1).to_numpy("int64")
    codes, names = pd.factorize(period, use_na_sentinel=False)
    told = pd.Series(names, dtype="object").astype("str").str.extract(MONTH).astype(float)
    return (told[0] * 12 + told[1] - 1).fillna(-1).to_numpy("int64")[codes]
