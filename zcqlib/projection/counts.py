"""Year ends that are whole numbers: small counts by a negative binomial, stocks that move in announced batches."""

from __future__ import annotations

import numpy as np
from scipy import stats

SMALL, MIDDLE = (
    30.0,
    120.0,
)  # mean yearly totals: below the count model alone, between the two both, above the engine


def count_model(
    values: np.ndarray, years: int, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is still to come this year as a negative binomial: its size, its p and the year to date.

    Parameters
    ----------
    values : (12 * years + k, n) counts, oldest first.
    """
    months = np.arange(len(values)) % 12
    events = np.stack([values[months == j].sum(0) for j in range(12)])
    season = (events + 24) / (events + 24).mean(0)
    s = season[months]
    weight = (0.95 ** np.arange(len(values))[::-1])[:, None]
    plain = (values.sum(0) + 0.5) / (len(values) + 1)
    rate = ((values * weight).sum(0) + 6 * plain) / ((weight * s).sum(0) + 6)
    mean = rate * season[k:].sum(0)
    e = np.maximum(plain * s, 1e-12)
    phi = np.clip((np.minimum((values - e) ** 2 / e, 25).sum(0) + 18) / (len(values) + 11), 1.02, 4)
    variance = phi * mean + (0.25 * mean) ** 2
    p = mean / variance
    return mean * p / (1 - p), p, np.round(values[12 * years :].sum(0))


def small_counts(values: np.ndarray, years: int, whole: np.ndarray) -> np.ndarray:
    """How much the count model weighs for each series: 1, one half, or 0 for the engine alone."""
    mean = values[: 12 * years].sum(0) / years if years else values.mean(0) * 12
    dormant = values[12 * (years - 1) : 12 * years].sum(0) == 0 if years else values.sum(0) == 0
    weight = np.where((mean < SMALL) | dormant, 1.0, np.where(mean < MIDDLE, 0.5, 0.0))
    return np.where(whole, weight, 0.0)


def count_quantiles(values: np.ndarray, years: int, k: int, levels: np.ndarray) -> np.ndarray:
    """Quantiles (levels, n) of the year's total: the smallest N whose distribution function reaches the level."""
    size, p, known = count_model(values, years, k)
    order = np.argsort(levels)
    ordered = levels[order]
    reached = np.zeros(
        (len(levels) + 1, len(size)), dtype="int64"
    )  # how many N first lie above each level
    column = np.arange(len(size))
    mass = p**size
    below = mass.copy()
    for j in range(100_000):
        at = np.searchsorted(ordered, below, side="right")
        reached[at, column] += 1
        if (at == len(levels)).all():
            break
        mass = mass * (j + size) / (j + 1) * (1 - p)
        below += mass
    out = np.empty((len(levels), len(size)))
    out[order] = known + np.cumsum(reached[:-1], 0)
    return out


def count_chance(values: np.ndarray, years: int, k: int, target: np.ndarray) -> np.ndarray:
    """Probability that the year's total is at least the target."""
    size, p, known = count_model(values, years, k)
    return stats.nbinom.sf(np.ceil(target - known) - 1, size, p)


def in_time(past_days: np.ndarray, last_day: float = 365.0) -> float:
    """Chance that a batch is announced by the year's last day, from past announcement days of the year."""
    j = len(past_days)
    if j < 3:
        return float(((past_days <= last_day).sum() + 0.5) / (j + 1))
    spread = max(15.0, float(np.std(past_days, ddof=1)))
    return float(stats.t.cdf((last_day - past_days.mean()) / (spread * np.sqrt(1 + 1 / j)), j - 1))


def batch_distribution(
    opening: int,
    batches: list[tuple[int, float]],
    pass_rate: float,
    due: int = 0,
    lapse_rate: float = 0.0,
    kappa: float = 20.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Year-end stock of something recognised in batches: values and their probabilities.

    Parameters
    ----------
    opening : the stock now. batches : (applicants, chance of being announced in time) of each batch still to come.
    pass_rate : usual share that passes; one rate ~ Beta(kappa p, kappa (1 - p)) holds for all batches of a year.
    due : certificates that end this year; each lapses with a rate ~ Beta around `lapse_rate`.
    """
    total = sum(n for n, _ in batches)
    pmf = np.zeros(total + 1)
    rates = (
        stats.beta.ppf((np.arange(41) + 0.5) / 41, kappa * pass_rate, kappa * (1 - pass_rate))
        if 0 < pass_rate < 1
        else np.full(41, pass_rate)
    )
    for rate in rates:
        part = np.ones(1)
        for n, on_time in batches:
            one = on_time * stats.binom.pmf(np.arange(n + 1), n, rate)
            one[0] += 1 - on_time
            part = np.convolve(part, one)
        pmf += part / len(rates)
    lost = np.ones(1)
    if due and lapse_rate:
        lost = stats.betabinom.pmf(
            np.arange(due + 1), due, kappa * lapse_rate, kappa * (1 - lapse_rate)
        )
    both = np.convolve(pmf, lost[::-1])
    return opening - (len(lost) - 1) + np.arange(len(both)), both


def quantiles_of(values: np.ndarray, pmf: np.ndarray, levels) -> np.ndarray:
    """The smallest value whose distribution function reaches each level."""
    return values[
        np.minimum(np.searchsorted(np.cumsum(pmf), np.asarray(levels)), len(values) - 1)
    ].astype(float)


def batch_history(
    rest: np.ndarray, totals: np.ndarray, known: float
) -> tuple[np.ndarray, np.ndarray]:
    """A year's total of something announced on few dates, without a calendar: values and their probabilities.

    Half of it says: what is known and as much more as past years brought after this month; half: a past year's total,
    given that it is at least what is known. `rest` and `totals` of past years, oldest first, two at least.
    """
    weight = 0.7 ** np.arange(len(totals))[::-1]
    weight /= weight.sum()
    upto = int(known + 20 + 6 * max(totals.max(), rest.max()))
    values, pmf = np.arange(upto + 1), np.zeros(upto + 1)
    for past, start in ((rest, known), (totals, 0.0)):
        for w, own in zip(weight, past, strict=True):
            mean = 0.75 * own + 0.25 * (weight * past).sum() + 0.25
            p = mean / (1.3 * mean + (0.3 * mean) ** 2)
            part = stats.nbinom.pmf(values - start, mean * p / (1 - p), p)
            part[values < known] = 0
            pmf += 0.5 * w * part / part.sum() if part.sum() > 0 else 0
    return values, pmf / pmf.sum()
