"""Figures that are held back until somebody confirms them: not used anywhere, never changed, always asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog

OWN, PEERS = 3.0, 4.0  # powers of ten against the sender's own history, and against the other parks
HISTORY, LEAST = 12, 3  # earlier figures looked at, and needed at least; parks, too
_LINE = ["sender", "region", "indicator", "coverage", "demo", "_level"]


def past(lines: pd.api.typing.SeriesGroupBy) -> np.ndarray:
    """The last figures before each figure of a line, one a column, NaN where there are fewer."""
    return np.column_stack([lines.shift(k) for k in range(1, HISTORY + 1)])


def median(past: np.ndarray, least: int) -> np.ndarray:
    """Median of each row that has at least so many figures."""
    out, enough = np.full(len(past), np.nan), np.isfinite(past).sum(axis=1) >= least
    out[enough] = np.nanmedian(past[enough], axis=1)
    return out


def implausible(observations: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """Why a figure cannot be used unless it is confirmed, "" where it can.

    It is not finite, beyond the limits table, 10³ times (or a 10³rd of) what its sender said before, or, where the
    sender has said too little, 10⁴ times what the parks say of the same months.
    """
    o = observations
    value, why = o["value"], pd.Series("", index=o.index, dtype="str")
    level = o["basis"].eq("eop")
    months = (o["end"].array.asi8 - o["start"].array.asi8 + 1).astype(float)
    months[level.to_numpy()] = 1.0
    usable = np.isfinite(value) & value.ne(0) & o["measure"].eq("value")
    usable &= o["region"].ne("") & o["indicator"].ne("")
    c = o.assign(_level=level, _size=value.abs().where(usable) / months).dropna(subset="_size")
    c = c.assign(_log=np.log10(c["_size"]), _end=c["end"].array.asi8)
    c = c.sort_values([*_LINE, "_end", "basis", "obs_id"])
    own = c["_log"] - median(past(c.groupby(_LINE)["_log"]), LEAST)
    parks = c[c["region"].isin(catalog.parks)]
    same = parks.groupby(["indicator", "start", "end", "basis", "demo"])
    peers = (parks["_log"] - same["_log"].transform("median")).where(
        same["region"].transform("nunique").ge(LEAST) & own.reindex(parks.index).isna()
    )
    for off, power, whose in ((own, OWN, "该单位以往水平"), (peers, PEERS, "各园区同期水平")):
        for i, away in off[off.abs() >= power].items():
            times = f"{10**away:,.0f} 倍" if away > 0 else f"1/{10**-away:,.0f}"
            why[i] = f"约为{whose}的 {times}"
    limits = catalog.limits.set_index("unit")
    beyond = value > o["unit"].map(limits["high"]).astype("float64")
    why = why.mask(beyond, "超过可能的上限(" + o["unit"].map(limits["reason"]).astype("str") + ")")
    return why.mask(np.isinf(value), "不是有限的数")


def held(flags: pd.Series) -> pd.Series:
    """Whether a figure is held back, by its flags."""
    return flags.str.split(";").map(lambda words: "held" in words).astype(bool)


def hold(observations: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """The observations with the flag `held` on some of them."""
    flags = (observations["flags"] + ";held").str.removeprefix(";")
    new = rows & ~held(observations["flags"])
    return observations.assign(flags=observations["flags"].mask(new, flags))
