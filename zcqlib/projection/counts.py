"""Year ends that are whole numbers: small counts by the one model with Poisson noise, stocks in announced batches."""

from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import stats

from zcqlib.projection.model import GROWTH, TAU, YEARS, Mask, Mixture, heaviest, kernels

CLUMPED = 1.3  # variance of a count over its mean
STEPS, NODES, FAR = 3, 40, 20_000  # of Newton; rates that stand for their mixture; steps up
STRIDE = 32  # steps between two looks at the logs
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

    known: np.ndarray
    below: np.ndarray

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """(levels, series): the smallest total whose distribution function reaches the level."""
        return self.known + np.stack([np.searchsorted(b, levels) for b in self.below.T], 1)

    def chance(self, target: np.ndarray) -> np.ndarray:
        """Probability that the total is at least the target."""
        below = np.vstack([0 * self.known, self.below])
        need = np.nan_to_num(np.ceil(target - self.known)).clip(0, len(below) - 1).astype(int)
        return np.maximum(1 - below[need, np.arange(len(need))], 0)


def at_most(rates: np.ndarray) -> np.ndarray:
    """Chance of at most 0, 1, 2 ... of negative binomials of these rates, each as likely, (n, series)."""
    size, most, passing = rates / (CLUMPED - 1), rates.max(), 1 - 1 / CLUMPED
    upto = int(min(FAR, most + 12 * np.sqrt(CLUMPED * most) + 40))
    first, run, out = -size * np.log(CLUMPED), np.ones_like(size), []
    for j in range(upto):
        if j % STRIDE == 0:  # in logs now and then: the first are next to nothing
            first, run = first + np.log(run), np.ones_like(size)
            start = np.exp(first)
        out.append((start * run).sum(0))
        run *= (j + size) * (passing / (j + 1))
    return np.cumsum(out, 0) / len(size)


@lru_cache(maxsize=64)
def _groups(mask: Mask):
    """Sums taken together (groups, sums), and the months of each group and, last, of what is asked for.

    A past year counts as two sums, its months asked for this year and the others, wherever they were told apart.
    """
    late = np.tile(mask.ahead[-12:], YEARS)
    year = np.repeat(np.arange(YEARS), 12)
    keys = [
        (tuple(np.unique(year[m])), bool((m & late).any()), bool((m & ~late).any()))
        for m in mask.member
    ]
    names = sorted(set(keys))
    join = np.array([[k == name for k in keys] for name in names], float)
    months = np.stack([*(mask.member[j > 0].any(0) for j in join), mask.ahead])
    return join, months


def counted(mask: Mask, amount: np.ndarray, known: np.ndarray, events: np.ndarray) -> Counted:
    """Distributions of a block of small counts of one mask; `events` (12, series) by calendar month, own and sisters'."""
    join, months = _groups(mask)
    n = np.einsum("gs,sb->gb", join, amount)
    weigh = months[:, :, None] * np.tile(
        events + PSEUDO, (YEARS, 1)
    )  # (groups + 1, months, series)
    exposure = weigh.sum(1)
    weigh = weigh / exposure[:, None]
    rate = (n.sum(0) + 0.5) / exposure[:-1].sum(0)
    level, season = kernels()[1:3]
    year = weigh.reshape(len(weigh), YEARS, 12, -1).sum(1)
    when = np.einsum("gmb,m->gb", weigh, TAU)
    variance, score = _settings()
    same = (
        _between(weigh, level),
        _between(year, season[:12, :12]),
        when[:, None] * when,
        np.einsum("gmb,hmb->ghb", weigh, weigh),
    )
    k = np.ones((len(when), len(when), len(score), len(rate)))
    for v, part in zip(variance, same, strict=True):
        k += v[:, None] * part[:, :, None]
    mean = GROWTH * when[:, None]
    log_evidence, centre, spread2 = _laplace(n[:, None], exposure[:-1, None] * rate, mean, k)
    best, weight = heaviest(score[:, None] + log_evidence)
    centre, spread2 = (np.take_along_axis(a, best, 0) for a in (centre, spread2))
    rates = Mixture(weight, centre + np.log(exposure[-1] * rate), np.sqrt(spread2))
    return Counted(known, at_most(np.exp(rates.logs((np.arange(NODES) + 0.5) / NODES))))


def _between(weigh, kernel):
    """Covariances (groups, groups, series) of weighted means of what has this kernel."""
    return np.einsum("gkb,hkb->ghb", np.einsum("gmb,mk->gkb", weigh, kernel), weigh)


def _laplace(n, base, mean, k):
    """Log evidence of each setting, and centre and variance of the log rate asked for, (settings, series).

    `n` counts and `base` their usual rates (groups, 1, series); `mean` and `k` the prior of the logs, the one asked for last.
    """
    prior, ask = k[:-1, :-1], k[:-1, -1]
    f = np.clip(np.log((n + 0.5) / base), -3, 3) + np.zeros(prior.shape[1:])
    for step in range(STEPS + 1):
        rate = base * np.exp(np.clip(f, -30, 30))
        s = np.sqrt(rate / CLUMPED)
        b = s * s * (f - mean[:-1]) + (n - rate) / CLUMPED
        right = [s * np.einsum("ghtb,htb->gtb", prior, b)]
        right += [s * ask] * (step == STEPS)
        solved, log_det = _eliminated(s[:, None] * prior * s, np.stack(right, 1))
        a = b - s * solved[:, 0]
        f = mean[:-1] + np.einsum("ghtb,htb->gtb", prior, a)
    rate = base * np.exp(np.clip(f, -30, 30))
    fit = ((n * np.log(rate) - rate) / CLUMPED - 0.5 * a * (f - mean[:-1])).sum(0)
    centre = mean[-1] + (ask * a).sum(0)
    return fit - 0.5 * log_det, centre, k[-1, -1] - (right[1] * solved[:, 1]).sum(0)


def _eliminated(a, b):
    """(1 + a)⁻¹ b and log |1 + a| for a stack of symmetric matrices along the last axes, in a fixed order; both are lost."""
    n = len(a)
    np.einsum("iitb->itb", a)[:] += 1
    for j in range(n - 1):
        f = a[j + 1 :, j] / a[j, j]
        b[j + 1 :] -= f[:, None] * b[j]
        for i in range(j + 1, n):  # the lower half alone
            a[i, j + 1 : i + 1] -= f[i - j - 1] * a[j + 1 : i + 1, j]
    for j in range(n - 1, -1, -1):
        b[j] = (b[j] - np.einsum("itb,irtb->rtb", a[j + 1 :, j], b[j + 1 :])) / a[j, j]
    return b, np.log(np.einsum("iitb->itb", a)).sum(0)


def in_time(past_days: np.ndarray) -> float:
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
) -> tuple[np.ndarray, np.ndarray]:
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


def quantiles_of(values: np.ndarray, pmf: np.ndarray, levels) -> np.ndarray:
    """The smallest value whose distribution function reaches each level."""
    return values[np.searchsorted(np.cumsum(pmf), levels).clip(max=len(values) - 1)].astype(float)


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
