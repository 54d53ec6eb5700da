"""Year ends that are whole numbers: small counts by the one model with Poisson noise, stocks in announced batches."""

from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from scipy import stats
from scipy.special import gammaln

from zcqlib.projection.model import GROWTH, MONTHS, TAU, YEARS, Mask, Mixture, heaviest, kernels

CLUMPED = 1.3  # variance of a count over its mean
STEPS, NODES, FAR = 3, 40, 20_000  # of Newton; rates that stand for their mixture; steps up
SETTINGS = (  # sizes of level, season, growth and noise with their weights
    ((0.008, 0.03, 0.08), (0.4, 0.4, 0.2)),
    ((0.1, 0.4, 1.2, 2.5), (0.38, 0.37, 0.2, 0.05)),
    ((0.05, 0.2), (0.6, 0.4)),
    ((0.05, 0.35, 0.8), (0.55, 0.3, 0.15)),
)
LAST_DAY = 365.0  # of a year
KAPPA = 20.0  # how firmly a usual rate of passing or lapsing holds
PSEUDO = 1  # events added to each calendar month before their season is read


@cache
def _settings():
    """Variances (level, season, growth, noise; settings) and log weights."""
    size = np.array(list(product(*(s for s, _ in SETTINGS))))
    weight = np.array(list(product(*(w for _, w in SETTINGS))))
    return size.T**2, np.log(weight).sum(1)


class Counted(NamedTuple):
    """What is known, and the chance of at most 0, 1, 2 ... more, (n, series)."""

    known: ndarray
    below: ndarray

    def quantiles(self, levels: ndarray) -> ndarray:
        """(levels, series): the smallest total whose distribution function reaches the level."""
        return self.known + np.stack([np.searchsorted(b, levels) for b in self.below.T], 1)

    def chance(self, target: ndarray) -> ndarray:
        """Probability that the total is at least the target."""
        below = np.vstack([0 * self.known, self.below])
        need = np.nan_to_num(np.ceil(target - self.known)).clip(0, len(below) - 1).astype(int)
        return np.maximum(1 - below[need, np.arange(len(need))], 0)


def at_most(rates: ndarray) -> ndarray:
    """Chance of at most 0, 1, 2 ... of negative binomials of these rates, each as likely, (n, series)."""
    most = rates.max()
    j = np.arange(int(min(FAR, most + 12 * np.sqrt(CLUMPED * most) + 40)))[:, None]
    usual = j * np.log(1 - 1 / CLUMPED) - gammaln(j + 1)
    log_pmf = (
        usual + gammaln(j + size) - gammaln(size) - size * np.log(CLUMPED)
        for size in rates.T / (CLUMPED - 1)
    )
    return np.cumsum(np.stack([np.exp(p).mean(1) for p in log_pmf], 1), 0)


@lru_cache(maxsize=64)
def _groups(mask: Mask):
    """Sums taken together (groups, sums), and the months of each group and, last, of what is asked for.

    A past year counts as two sums, its months asked for this year and the others, wherever they were told apart.
    """
    late, member = np.tile(mask.ahead[-12:], YEARS), mask.member
    parts = [member.reshape(-1, YEARS, 12).any(2), member & late, member & ~late]
    keys = np.column_stack([parts[0], *(p.any(1) for p in parts[1:])])
    group = np.unique(keys, axis=0, return_inverse=True)[1]
    join = group == np.arange(group.max() + 1)[:, None]
    return join * 1.0, np.stack([*(member[j].any(0) for j in join), mask.ahead])


def counted(mask: Mask, amount: ndarray, known: ndarray, events: ndarray) -> Counted:
    """Distributions of a block of small counts of one mask; `events` (12, series) by calendar month, own and sisters'."""
    join, months = _groups(mask)
    n = np.einsum("gs,sb->gb", join, amount)
    # (groups + 1, months, series)
    weigh = months[:, :, None] * np.tile(events + PSEUDO, (YEARS, 1))
    exposure = weigh.sum(1)
    weigh = weigh / exposure[:, None]
    rate = (n.sum(0) + 0.5) / exposure[:-1].sum(0)
    variance, score = _settings()
    k = np.ones((len(weigh), len(weigh), len(score), len(rate)))
    for v, kernel in zip(variance, (*kernels()[1:], np.eye(MONTHS)), strict=True):
        seen = np.einsum("gmb,mk->gkb", weigh, kernel)
        k += v[:, None] * np.einsum("gkb,hkb->ghb", seen, weigh)[:, :, None]
    mean = GROWTH * np.einsum("gmb,m->gb", weigh, TAU)[:, None]
    log_evidence, centre, spread2 = _laplace(n[:, None], exposure[:-1, None] * rate, mean, k)
    best, weight = heaviest(score[:, None] + log_evidence)
    centre, spread2 = (np.take_along_axis(a, best, 0) for a in (centre, spread2))
    rates = Mixture(weight, centre + np.log(exposure[-1] * rate), np.sqrt(spread2))
    return Counted(known, at_most(np.exp(rates.logs((np.arange(NODES) + 0.5) / NODES))))


def _laplace(n, base, mean, k):
    """Log evidence of each setting, and centre and variance of the log rate asked for, (settings, series).

    `n` counts and `base` their usual rates (groups, 1, series); `mean` and `k` the prior of the logs, the one asked for last.
    """
    prior, ask = k[:-1, :-1], k[:-1, -1]
    f = np.clip(np.log((n + 0.5) / base), -3, 3) + np.zeros(prior.shape[1:])
    for _ in range(STEPS + 1):
        rate = base * np.exp(np.clip(f, -30, 30))
        s = np.sqrt(rate / CLUMPED)
        b = s * s * (f - mean[:-1]) + (n - rate) / CLUMPED
        right = s[:, None] * np.stack([np.einsum("ghtb,htb->gtb", prior, b), ask], 1)
        solved, log_det = _eliminated(s[:, None] * prior * s, right.copy())
        a = b - s * solved[:, 0]
        f = mean[:-1] + np.einsum("ghtb,htb->gtb", prior, a)
    rate = base * np.exp(np.clip(f, -30, 30))
    fit = ((n * np.log(rate) - rate) / CLUMPED - 0.5 * a * (f - mean[:-1])).sum(0)
    centre = mean[-1] + (ask * a).sum(0)
    return fit - 0.5 * log_det, centre, k[-1, -1] - (right[:, 1] * solved[:, 1]).sum(0)


def _eliminated(a, b):
    """(1 + a)⁻¹ b and log |1 + a| for a stack of symmetric matrices along the last axes, in a fixed order; both are lost."""
    n = len(a)
    np.einsum("iitb->itb", a)[:] += 1
    for j in range(n - 1):
        f = a[j + 1 :, j] / a[j, j]
        b[j + 1 :] -= f[:, None] * b[j]
        a[j + 1 :, j + 1 :] -= f[:, None] * a[j + 1 :, j]
    for j in range(n - 1, -1, -1):
        b[j] = (b[j] - np.einsum("itb,irtb->rtb", a[j + 1 :, j], b[j + 1 :])) / a[j, j]
    return b, np.log(np.einsum("iitb->itb", a)).sum(0)


def in_time(past_days: ndarray) -> float:
    """Chance that a batch is announced by the year's last day, from past announcement days of the year."""
    j = len(past_days)
    if j < 3:
        return float(((past_days <= LAST_DAY).sum() + 0.5) / (j + 1))
    spread = max(15.0, float(np.std(past_days, ddof=1)))
    return float(stats.t.cdf((LAST_DAY - past_days.mean()) / (spread * np.sqrt(1 + 1 / j)), j - 1))


def batch_distribution(
    opening: int,
    batches: list[tuple[int, float]],
    pass_rate: float,
    due: int = 0,
    lapse_rate: float = 0.0,
) -> tuple[ndarray, ndarray]:
    """Year-end stock of something recognised in batches: values and their probabilities.

    Parameters
    ----------
    opening : the stock now. batches : (applicants, chance of being announced in time) of each batch still to come.
    pass_rate : usual share that passes; one rate ~ Beta(KAPPA p, KAPPA (1 - p)) holds for all batches of a year.
    due : certificates that end this year; each lapses with a rate ~ Beta around `lapse_rate`.
    """
    total = sum(n for n, _ in batches)
    pmf = np.zeros(total + 1)
    rates = [pass_rate]
    if 0 < pass_rate < 1:
        middles = (np.arange(41) + 0.5) / 41
        rates = stats.beta.ppf(middles, KAPPA * pass_rate, KAPPA * (1 - pass_rate))
    for rate in rates:
        part = np.ones(1)
        for n, on_time in batches:
            one = on_time * stats.binom.pmf(np.arange(n + 1), n, rate)
            one[0] += 1 - on_time
            part = np.convolve(part, one)
        pmf += part / len(rates)
    lost = np.ones(1)
    if due and lapse_rate:
        a, b = KAPPA * lapse_rate, KAPPA * (1 - lapse_rate)
        lost = stats.betabinom.pmf(np.arange(due + 1), due, a, b)
    both = np.convolve(pmf, lost[::-1])
    return opening - (len(lost) - 1) + np.arange(len(both)), both


def quantiles_of(values: ndarray, pmf: ndarray, levels) -> ndarray:
    """The smallest value whose distribution function reaches each level."""
    return values[np.searchsorted(np.cumsum(pmf), levels).clip(max=len(values) - 1)].astype(float)


def batch_history(rest: ndarray, totals: ndarray, known: float) -> tuple[ndarray, ndarray]:
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
