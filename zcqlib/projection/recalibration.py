"""The own record acts: where the truth of closed years fell in what would have been said of them, and what follows."""

import numpy as np
import pandas as pd
from pandas import DataFrame, Series
from scipy.special import ndtr, ndtri

from zcqlib.projection.replay import replay
from zcqlib.projection.scoring import LEVELS

CALLS = 60  # own calls from which a kind learns
MOST, HALF = 0.5, 8  # the most it may learn; series at which it learns half of that
ORIGINS = 3, 6, 9  # the months whose calls of last year are replayed


def moved(levels, a: float, b: float) -> np.ndarray:
    """The levels at which a distribution is read so that its record comes true: Φ(a + b Φ⁻¹(level))."""
    return ndtr(a + b * ndtri(np.asarray(levels)))


def kinds(history: DataFrame, kind: str) -> Series:
    """The kind of each series whose record is one: stock, else counts (whole numbers) or amounts."""
    whole = (history.value % 1 == 0).groupby(history.series_id).all()
    words = ("counts", "amounts") if kind == "flow" else (kind, kind)
    return whole.map(dict(zip((True, False), words, strict=True)))


def learnt(history: DataFrame, kind: str, year: int) -> dict[str, tuple[float, float]]:
    """For each kind with enough own calls what `moved` takes.

    Parameters
    ----------
    history : as for `project_year_end`; last year is replayed with what was known in three of its months.
    year : the projected year.
    """
    closed = history[history.period.dt.year < year].reset_index(drop=True)
    key = pd.util.hash_pandas_object(closed, index=False).to_numpy().tobytes(), kind, year
    if key not in _placed:  # the same for all months of a year
        calls = replay(closed, [year - 1], ORIGINS, kind)
        calls = calls[calls.before > 0] if kind == "flow" else calls
        _placed[key] = calls[["series_id"]].assign(z=_places(calls))
    calls, out = _placed[key], {}
    for group, z in calls.groupby(calls.series_id.map(kinds(history, kind))):
        if len(z) >= CALLS:
            n = z.series_id.nunique()
            weight, middle = MOST * n / (n + HALF), z.z.median()
            spread = np.sqrt((np.clip(z.z - middle, -3, 3) ** 2).mean())
            moves = weight * middle, np.exp(weight * np.log(max(spread, 0.1)))
            out[str(group)] = tuple(float(round(m, 9)) for m in moves)
    return out


_placed: dict[tuple, DataFrame] = {}


def _places(calls: DataFrame) -> np.ndarray:
    """Where the truth of each call fell, on normal paper, cut at four."""
    q, truth = calls[list(LEVELS)].to_numpy(float), calls.truth.to_numpy(float)[:, None]
    place = ((q < truth).mean(1) + (q <= truth).mean(1)) / 2
    return np.clip(ndtri(np.clip(place, 1e-5, 1 - 1e-5)), -4, 4)
