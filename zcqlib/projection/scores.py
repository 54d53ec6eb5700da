"""How past distributions and chances came true; every score is one value a case, lower is better.

`quantiles` is (cases, levels), levels ascending; `truth` has one value a case.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = tuple(round(0.005 + 0.01 * i, 3) for i in range(100))
CLIP = 0.005  # a chance of 0 or 1 is scored as this far from it, so that one miss is not infinitely bad


def crps(truth: np.ndarray, quantiles: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Continuous ranked probability score: twice the mean pinball loss over the levels."""
    a, d = np.asarray(levels), np.asarray(truth, float)[:, None] - quantiles
    return 2 * np.maximum(a * d, (a - 1) * d).mean(1)


def wis(
    truth: np.ndarray, quantiles: np.ndarray, levels=LEVELS, shares=(0.5, 0.8, 0.95)
) -> np.ndarray:
    """Weighted interval score of the median and the central intervals that hold these shares."""
    y = np.asarray(truth, float)
    total = np.abs(y - at_levels(quantiles, levels, [0.5])[:, 0]) / 2
    for share in shares:
        a = 1 - share
        low, high = at_levels(quantiles, levels, [a / 2, 1 - a / 2]).T
        total += a / 2 * (high - low) + np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return total / (len(shares) + 0.5)


def brier(chance: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Squared difference between the chance given and what came, 0 or 1."""
    return (np.asarray(chance, float) - np.asarray(met, float)) ** 2


def log_loss(chance: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Minus the log of the chance given to what came."""
    p = np.clip(np.asarray(chance, float), CLIP, 1 - CLIP)
    return -np.log(np.where(met, p, 1 - p))


def covered(
    truth: np.ndarray, quantiles: np.ndarray, share: float = 0.8, levels=LEVELS
) -> np.ndarray:
    """Whether the truth lies in the central interval that should hold this share."""
    low, high = at_levels(quantiles, levels, [(1 - share) / 2, (1 + share) / 2]).T
    return (truth >= low) & (truth <= high)


def reliability(chance: np.ndarray, met: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """`p` mean chance given, `met` share that came, `n` cases, for each class of chances that occurs."""
    cases = pd.DataFrame({"p": chance, "met": np.asarray(met, float), "n": 1})
    groups = cases.groupby((cases["p"] * bins).astype(int).clip(0, bins - 1))
    return groups.agg({"p": "mean", "met": "mean", "n": "size"}).reset_index(drop=True)


def at_levels(quantiles: np.ndarray, levels, wanted) -> np.ndarray:
    """Quantiles (cases, wanted) at other levels, by straight lines between those given."""
    levels = np.asarray(levels)
    right = np.searchsorted(levels, wanted).clip(min(1, len(levels) - 1), len(levels) - 1)
    left = np.maximum(right - 1, 0)
    span = np.where(right > left, levels[right] - levels[left], 1.0)
    part = np.clip((wanted - levels[left]) / span, 0, 1)
    return quantiles[:, left] * (1 - part) + quantiles[:, right] * part


def chance_of(quantiles: np.ndarray, target: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Chance of at least `target`, by straight lines between the quantiles; half a step at the ends."""
    levels, target = np.asarray(levels), np.asarray(target, float)
    at = (quantiles < target[:, None]).sum(1)
    row, last = np.arange(len(target)), len(levels) - 1
    left, right = np.clip((at - 1, at), 0, last)
    low, high = quantiles[row, left], quantiles[row, right]
    part = (target - low) / np.maximum(high - low, 1e-300)
    inner = levels[left] + (levels[right] - levels[left]) * part
    ends = [at == 0, at > last], [levels[0] / 2, (1 + levels[-1]) / 2]
    return 1 - np.select(*ends, inner)
