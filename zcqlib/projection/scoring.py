"""How past distributions and chances came true; every score is one value a case, lower is better.

`quantiles` is (cases, levels), levels ascending; `truth` has one value a case.
"""

import numpy as np
import pandas as pd
from numpy import ndarray

LEVELS = tuple(round(0.005 + 0.01 * i, 3) for i in range(100))


def crps(truth: ndarray, quantiles: ndarray, levels=LEVELS) -> ndarray:
    """Continuous ranked probability score: twice the mean pinball loss over the levels."""
    a, d = np.asarray(levels), np.asarray(truth, float)[:, None] - quantiles
    return 2 * np.maximum(a * d, (a - 1) * d).mean(1)


def brier(chance: ndarray, met: ndarray) -> ndarray:
    """Squared difference between the chance given and what came, 0 or 1."""
    return (np.asarray(chance, float) - np.asarray(met, float)) ** 2


def covered(truth: ndarray, quantiles: ndarray, share: float = 0.8, levels=LEVELS) -> ndarray:
    """Whether the truth lies in the central interval that should hold this share."""
    low, high = at_levels(quantiles, levels, [(1 - share) / 2, (1 + share) / 2]).T
    return (truth >= low) & (truth <= high)


def reliability(chance: ndarray, met: ndarray, bins: int = 10) -> pd.DataFrame:
    """`p` mean chance given, `met` share that came, `n` cases, for each class of chances that occurs."""
    cases = pd.DataFrame({"p": chance, "met": np.asarray(met, float), "n": 1})
    groups = cases.groupby((cases.p * bins).astype(int).clip(0, bins - 1))
    return groups.agg({"p": "mean", "met": "mean", "n": "size"}).reset_index(drop=True)


def at_levels(quantiles: ndarray, levels, wanted) -> ndarray:
    """Quantiles (cases, wanted) at other levels, by straight lines between those given."""
    read = [np.interp(wanted, levels, q) for q in quantiles]
    return np.array(read, float).reshape(len(quantiles), len(wanted))


def chance_of(quantiles: ndarray, target: ndarray, levels=LEVELS) -> ndarray:
    """Chance of at least `target`, by straight lines between the quantiles; half a step at the ends."""
    levels, target = np.asarray(levels), np.asarray(target, float)
    places = np.r_[levels[0] / 2, levels, (1 + levels[-1]) / 2]
    at = (quantiles < target[:, None]).sum(1)
    edges = np.pad(quantiles, ((0, 0), (1, 1)), "edge")
    low, high = np.take_along_axis(edges, at[:, None] + [0, 1], 1).T
    part = np.clip((target - low) / np.maximum(high - low, 1e-250), 0, 1)
    return 1 - (places[at] + (places[at + 1] - places[at]) * part)
