"""Long histories to what the model takes: the sums that were reported, apart from each other, over five past years and
the projected one; faults refused by series.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MAX_YEARS = 5
WIDTH = 12 * (MAX_YEARS + 1)
MONTH = r"^(\d{4})-?(0[1-9]|1[0-2])(?!\d)"
_LARGEST = 1e280


@dataclass(frozen=True, slots=True)
class Panel:
    """One row a series, one column a month, the projected year last. `cover` (n, 72) the sum that each month belongs to,
    called by its last month, -1 for none; `amount` (n, 72) what the sum of that last month comes to; `extra` what this
    year's cumulative figure holds beyond its months; `whole` all values are whole numbers; `reason` why a series is
    refused, or "".
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
    history = history.reset_index(drop=True)
    code, ids = pd.factorize(history["series_id"], sort=True, use_na_sentinel=False)
    n = len(ids)
    reason = np.full(n, "", dtype=object)

    def refuse(series: np.ndarray, words: str) -> None:
        reason[series[reason[series] == ""]] = words

    def column(name: str, usual) -> pd.Series:
        """What may be told of a flow."""
        told = usual if stock else history.get(name, usual)
        return pd.Series(told, history.index).fillna(usual)

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
    whole, latest = np.full(n, True), np.full(n, -1)
    whole[code[v != np.round(v)]] = False
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
        for words, which in faults.items():
            refuse(series[which], words)
        called = last - np.argmin(held[:, ::-1], 1)
        cover[series, span] = np.where(held, inner, called[:, None])
        amount[series[~full], called[~full]] = np.maximum(left, 0)[~full]
    return cover, amount


def month_numbers(period: pd.Series) -> np.ndarray:
    """Months since year 0; -1 where a month cannot be read."""
    if isinstance(period.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(period):
        year, month = period.dt.year, period.dt.month
        return (year * 12 + month - 1).where(period.notna(), -1).to_numpy("int64")
    codes, names = pd.factorize(period, use_na_sentinel=False)
    told = pd.Series(names, dtype="object").astype("str").str.extract(MONTH).astype(float)
    return (told[0] * 12 + told[1] - 1).fillna(-1).to_numpy("int64")[codes]
