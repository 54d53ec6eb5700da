"""Figures that are held back until somebody confirms them: not used anywhere, never changed, always asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from zcqlib.catalog import Catalog
from zcqlib.indicators.months import ordinal

OWN, PEERS = 3.0, 4.0  # powers of ten against the sender's own history, and against the other parks
HISTORY, LEAST = 12, 3  # earlier figures looked at, and needed at least; parks, too
_LINE = "sender region indicator coverage demo _level".split()


def past(lines: pd.api.typing.SeriesGroupBy) -> np.ndarray:
    """The last figures before each figure of a line, one a column, NaN where there are fewer."""
    return np.column_stack([lines.shift(k) for k in range(1, HISTORY + 1)])


def median(past: np.ndarray, least: int) -> np.ndarray:
    """Median of each row that has at least so many figures."""
    out, enough = np.full(len(past), np.nan), np.isfinite(past).sum(axis=1) >= least
    out[enough] = np.nanmedian(past[enough], axis=1)
    return out


def implausible(observations: DataFrame, catalog: Catalog) -> Series:
    """Why a figure cannot be used unless it is confirmed, "" where it can.

    It is not finite, beyond the limits table, 10³ times (or a 10³rd of) what its sender said before, or, where the
    sender has said too little, 10⁴ times what the parks say of the same months.
    """
    o, value = observations, observations.value
    level = o.basis.eq("eop")
    months = (ordinal(o.end) - ordinal(o.start) + 1).mask(level, 1)
    c = o.assign(_level=level, _size=value.abs() / months, _end=ordinal(o.end))
    c = c.query("0 < _size < inf and measure == 'value' and region != '' and indicator != ''")
    c = c.assign(_log=np.log10(c._size))
    c = c.sort_values([*_LINE, "_end", "basis", "obs_id"])
    own = c._log - median(past(c.groupby(_LINE)["_log"]), LEAST)
    same = c[c.region.isin(catalog.parks)].groupby("indicator start end basis demo".split())
    peers = same._log.transform("median").where(same.region.transform("nunique").ge(LEAST))
    away, why = own.fillna(c._log - peers), Series("", index=o.index, dtype="str")
    for i, powers in away[away.abs() >= OWN].items():
        alone = np.isnan(own[i])
        if abs(powers) >= (PEERS if alone else OWN):
            times = f"{10**powers:,.0f} 倍" if powers > 0 else f"1/{10**-powers:,.0f}"
            why[i] = f"约为{'各园区同期' if alone else '该单位以往'}水平的 {times}"
    limits = catalog.limits.set_index("unit")
    beyond = value > o.unit.map(limits.high).astype("float64")
    why = why.mask(beyond, "超过可能的上限(" + o.unit.map(limits.reason).astype("str") + ")")
    return why.mask(np.isinf(value), "不是有限的数")


def held(flags: Series) -> Series:
    """Whether a figure is held back, by its flags."""
    return flags.str.split(";").map(lambda words: "held" in words).astype(bool)


def hold(observations: DataFrame, rows: Series) -> DataFrame:
    """The observations with the flag `held` on some of them."""
    flags = (observations["flags"] + ";held").str.removeprefix(";")
    new = rows & ~held(observations["flags"])
    return observations.assign(flags=observations["flags"].mask(new, flags))
