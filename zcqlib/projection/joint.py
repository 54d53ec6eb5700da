"""Projections that belong together: parks and their zone, a part and its whole, a numerator and its denominator.

Every margin keeps the engine's quantiles untouched; one number, the share of shocks common to all, joins them.
"""

import numpy as np
from numpy import ndarray
from scipy.special import ndtri

from zcqlib.projection.scoring import LEVELS

DRAWS, SEED = 4000, 0
SMALL = 30.0  # yearly total of a small count
_Z = ndtri(np.array(LEVELS))


def shared(months: ndarray) -> float:
    """How strongly the parts' errors go together (ρ), from their past.

    Parameters
    ----------
    months : (parts, n) values of the same months, the latest last; NaN where unknown.
    """
    yearly = 12 * np.median(np.nanmean(months, 1))
    if yearly < SMALL and (np.nan_to_num(months) % 1 == 0).all():
        return 0.15  # the own noise of small counts hides what they share
    logs = np.log(np.where(months > 0, months, np.nan))
    change = (logs[:, 12:] - logs[:, :-12])[:, -24:]
    change = change[:, np.isfinite(change).all(0)]
    if change.shape[1] < 8 or len(change) < 2:
        return 0.30
    apart = change - change.mean(1, keepdims=True)
    apart /= np.maximum(np.sqrt((apart**2).sum(1, keepdims=True)), 1e-12)
    pairs = np.einsum("ij,kj->ik", apart, apart)[np.triu_indices(len(apart), 1)]
    return float(np.clip(0.15 + 0.5 * pairs.mean(), 0.05, 0.9))


def draws(quantiles: ndarray, rho: float) -> ndarray:
    """Joint draws (DRAWS, parts); each column has the margin given by its quantiles at LEVELS, in whole numbers
    where those are whole."""
    e = np.random.default_rng(SEED).standard_normal((DRAWS, len(quantiles) + 1))
    z = np.sqrt(rho) * e[:, :1] + np.sqrt(1 - rho) * e[:, 1:]
    place = ndtri((np.argsort(np.argsort(z, 0), 0) + 0.5) / DRAWS)
    out = np.stack([np.interp(place[:, i], _Z, q) for i, q in enumerate(quantiles)], 1)
    whole = (quantiles == np.round(quantiles)).all(1)
    return np.where(whole, np.rint(out), out)


def read(values: ndarray) -> ndarray:
    """Quantiles at LEVELS of draws."""
    return np.quantile(values, LEVELS, method="hazen")


def middle(a: ndarray, b: ndarray) -> ndarray:
    """The middle, on the log scale, of two sets of quantiles of a positive quantity."""
    return np.sqrt(np.maximum(a, 1e-12) * np.maximum(b, 1e-12))
