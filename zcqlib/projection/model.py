"""The one model: log months are a Gaussian vector, and whatever was reported is a set of disjoint sums of them.

Level, growth, season and noise have fixed variances; a grid of settings of the four is weighed by how well each explains
what was reported (weights fitted on public monthly series, settings.csv). Which months a report covers only changes which
sums are observed, so single months, last year's total, a cumulative figure, January with February or a gap are one path.
Every product is summed in one fixed order, so that no processor changes a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray
from scipy.special import ndtr, ndtri

YEARS, MONTHS = 6, 72  # five past years and the projected one
RECENT = MONTHS - 36  # where the last two past years begin
GROWTH = 0.03  # usual growth a year, in logs
ZERO = 0.05  # added to each mean month (over the series' mean) where a large flow has a sum of zero
HEAVIEST = 24  # settings kept for each series
# where a distribution is read off, in its sd
GRID = 6 * np.sinh(np.linspace(-3, 3, 61)) / np.sinh(3)
TAU = (np.arange(MONTHS) - (MONTHS - 12) + 0.5) / 12  # years from the start of the projected year
SETTINGS = Path(__file__).with_name("settings.csv")
LEVEL, NOISE = (0.003, 0.01, 0.025, 0.06, 0.12), (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
SEASON, RISE = (0.02, 0.06, 0.15, 0.3, 0.7), (0.02, 0.08, 0.25)
# where nothing tells the season: part of the weights, by SEASON
UNKNOWN_SEASON = 0.3, np.array([0, 0, 0.25, 0.45, 0.3])


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Which months each known sum covers (sums, 72) and by what number it is called (sums), which are asked for (72),
    which sums make up what is known of it, and whether a past year tells the asked months from the others. Where the
    last two past years are told by single months and more is known before, `recent` is the mask without what was before,
    and `kept` its sums.
    """

    member: ndarray
    called: ndarray
    ahead: ndarray
    now: ndarray
    season_known: bool
    recent: Mask | None
    kept: ndarray


@lru_cache(maxsize=256)
def mask_of(cover: bytes, stock: bool) -> Mask:
    """The mask of a series from the number of the sum (int8) that each of 72 months belongs to, -1 for none."""
    piece, month = np.frombuffer(cover, "int8"), np.arange(MONTHS)
    called = np.unique(piece[piece >= 0])
    member = piece == called[:, None]
    asked = month >= MONTHS - (1 if stock else 12)
    now = member[:, asked].any(1) & ~member[:, ~asked].any(1)
    ahead = asked & ~member[now].any(0)
    late = np.tile(ahead[-12:], YEARS)
    past = member[~member[:, -12:].any(1)]
    apart = (past & late).any(1) != (past & ~late).any(1)
    since = np.where(month < RECENT, -1, piece).astype("int8")
    kept, single = np.flatnonzero(np.isin(called, since)), member[member.sum(1) == 1].any(0)
    more = len(kept) < len(called) and single[RECENT:-12].all()
    recent = mask_of(since.tobytes(), stock) if more else None
    return Mask(member, called, ahead, now, bool(apart.any()), recent, kept)


@cache
def kernels() -> tuple[ndarray, ...]:
    """Covariances of the log months by what they stand for: all alike, level, season, growth; times squared sizes."""
    t = TAU * 12
    apart = np.abs(np.arange(12)[:, None] - np.arange(12))
    own = 0.30 * np.exp(-0.5 * (np.minimum(apart, 12 - apart) / 1.3) ** 2) + 0.45 * np.eye(12)
    own[11, 11] += 0.75  # December is apart
    own = own - own.mean(0) - own.mean(1)[:, None] + own.mean()
    return (
        np.ones((MONTHS, MONTHS)),
        ((t[:, None] > 0) == (t > 0)) * np.minimum(np.abs(t)[:, None], np.abs(t)),
        np.tile(own * 12 / np.trace(own), (YEARS, YEARS)),
        np.multiply.outer(TAU, TAU),
    )


@cache
def log_weights(season_known: bool) -> ndarray:
    """Log weights of the settings, (level · season · rise, noise)."""
    fitted = pd.read_csv(SETTINGS)["weight"].to_numpy()
    shape = len(LEVEL), len(NOISE), len(SEASON), len(RISE)
    return leant(fitted.reshape(shape).transpose(0, 2, 3, 1), season_known)


def leant(w: ndarray, season_known: bool) -> ndarray:
    """Log of weights, of which a part goes to the stronger seasons where nothing tells the season."""
    w = w.reshape(len(LEVEL), len(SEASON), len(RISE), len(NOISE))
    if not season_known:
        part, usual = UNKNOWN_SEASON
        w = (1 - part) * w + part * w.sum(1, keepdims=True) * usual[:, None, None]
    return np.log(w).reshape(-1, len(NOISE))


class Factors(NamedTuple):
    """What one mask needs of every setting. The whitened covariance of the known sums is q (T + noise²) q', T
    tridiagonal, for each setting of level, season and growth: one turn of the data serves every noise.
    """

    turn: ndarray  # (settings · sums, sums)
    lower: ndarray  # (sums, settings, noises, 1) of T + noise²
    pivot: ndarray
    shift: ndarray  # (sums, settings, noises, 1) what noise takes from the log of a mean, turned
    drop: ndarray  # (noises, sums) the same, not turned
    gain: ndarray  # (settings · noises, months ahead, sums)
    variance: ndarray  # (settings · noises, months ahead, months ahead)


@lru_cache(maxsize=32)  # some megabytes each
def factors(mask: Mask) -> Factors:
    n, future = len(mask.member), np.flatnonzero(mask.ahead)
    size = mask.member.sum(1)
    root, noise2 = np.sqrt(size), np.array(NOISE) ** 2
    mean, asked = mask.member / root[:, None], np.eye(MONTHS)[future]
    scale = np.array(list(product(LEVEL, SEASON, RISE))) ** 2

    def covariance(left: ndarray, right: ndarray) -> ndarray:
        same, *others = (
            np.einsum("im,jm->ij", np.einsum("im,mk->ik", left, k), right) for k in kernels()
        )
        return same + sum(s[:, None, None] * o for s, o in zip(scale.T, others, strict=True))

    q, diagonal, beside = _tridiagonal(covariance(mean, mean))
    lower, pivot = _factored(diagonal, beside, noise2)
    drop = 0.5 * (1 - 1 / size)
    cross = covariance(mean, asked)[:, None] + noise2[:, None, None] * mean[:, future]
    solved = _solved(q, lower, pivot, cross)
    before = covariance(asked, asked)[:, None] + noise2[:, None, None] * np.eye(len(future))
    variance = before - np.einsum("beni,benj->beij", cross, solved)
    gain = (solved * root[:, None]).swapaxes(2, 3)
    shift = np.einsum("bij,i->jb", q, root * drop)[:, :, None, None] * noise2[:, None]
    return Factors(
        (q.swapaxes(1, 2) * root).reshape(-1, n),
        lower[..., None],
        pivot[..., None],
        shift,
        noise2[:, None] * drop,
        np.concatenate(gain),
        np.concatenate(variance),
    )


def _tridiagonal(m):
    """Householder: orthogonal q, diagonal and side diagonal with m = q T q', for each of a stack of matrices."""
    a, n = m.copy(), m.shape[-1]
    q = np.broadcast_to(np.eye(n), a.shape).copy()
    beside = np.zeros((len(a), max(n - 1, 0)))
    for j in range(n - 1):
        x = a[:, j + 1 :, j].copy()
        length = np.sqrt((x * x).sum(1))
        beside[:, j] = np.where(x[:, 0] > 0, -length, length)
        x[:, 0] -= beside[:, j]
        x /= np.maximum(np.sqrt((x * x).sum(1)), 1e-300)[:, None]
        rest = a[:, j + 1 :, j + 1 :]
        y = 2 * np.einsum("bij,bj->bi", rest, x)
        y -= x * (x * y).sum(1)[:, None]
        rest -= x[:, :, None] * y[:, None] + y[:, :, None] * x[:, None]
        right = q[:, :, j + 1 :]
        right -= 2 * np.einsum("bij,bj->bi", right, x)[:, :, None] * x[:, None]
    return q, np.einsum("bii->bi", a).copy(), beside


def _factored(diagonal, beside, noise2):
    """L and D of T + noise² for every noise, (sums, settings, noises)."""
    b, n = diagonal.shape
    lower, pivot = np.zeros((n, b, len(noise2))), np.empty((n, b, len(noise2)))
    pivot[0] = diagonal[:, 0, None] + noise2
    for i in range(1, n):
        lower[i] = beside[:, i - 1, None] / pivot[i - 1]
        pivot[i] = diagonal[:, i, None] + noise2 - lower[i] * beside[:, i - 1, None]
    return lower, pivot


def _solved(q, lower, pivot, cross):
    """C⁻¹ cross for every setting and noise, (settings, noises, sums, months ahead)."""
    z = np.einsum("bji,bejh->iebh", q, cross).swapaxes(1, 2)
    for i in range(1, len(z)):
        z[i] -= lower[i][..., None] * z[i - 1]
    z /= pivot[..., None]
    for i in range(len(z) - 2, -1, -1):
        z[i] -= lower[i + 1][..., None] * z[i + 1]
    return np.einsum("bij,jbeh->beih", q, z)


class Mixture(NamedTuple):
    """Log-normal mixtures, one column a series: weights, centres and spreads of the log."""

    weight: ndarray
    centre: ndarray
    spread: ndarray

    def above(self, logs: ndarray) -> ndarray:
        """Chance of more than exp(logs), for (n, series) of them."""
        return (self.weight * ndtr((self.centre - logs[:, None]) / self.spread)).sum(1)

    def logs(self, levels: ndarray) -> ndarray:
        """Logs at the levels, (levels, series): read off the distribution at 61 points, straight on normal paper."""
        mean = (self.weight * self.centre).sum(0)
        sd = np.sqrt((self.weight * (self.spread**2 + (self.centre - mean) ** 2)).sum(0))
        at = mean + GRID[:, None] * sd
        z, wanted = -ndtri(np.clip(self.above(at), 1e-15, 1 - 1e-15)), ndtri(levels)
        return np.stack([np.interp(wanted, z[:, i], at[:, i]) for i in range(len(mean))], 1)


def heaviest(score: ndarray, most: int = HEAVIEST) -> tuple[ndarray, ndarray]:
    """The settings of the highest log score for each series, and their weights."""
    best = np.sort(np.argpartition(-score, most, 0)[:most], 0)
    p = np.take_along_axis(score, best, 0)
    p = np.exp(p - p.max(0))
    return best, p / p.sum(0)


def evidence(f: Factors, rest: ndarray) -> ndarray:
    """Log evidence of every setting, (settings, noises, series), for log mean months less their prior means."""
    n, series = rest.shape
    z = np.einsum("ij,jk->ik", f.turn, rest).reshape(-1, n, 1, series)
    w = quad = np.zeros(())
    for i in range(n):
        w = z[:, i] - f.shift[i] - f.lower[i] * w
        quad = quad + w * w / f.pivot[i]
    return -0.5 * (quad + np.log(f.pivot).sum(0))


def mixture(
    f: Factors, rest: ndarray, prior: ndarray, weights: ndarray, most: int = HEAVIEST
) -> Mixture:
    """Distributions of the sum of the months asked for, in units of the series' mean month.

    Parameters
    ----------
    rest : (sums, series) log mean months less their prior means. prior : (months ahead, series) prior means.
    weights : log weights of the settings, (…, noises, series or 1). most : settings kept for each series.
    """
    best, weight = heaviest((weights + evidence(f, rest)).reshape(-1, rest.shape[1]), most)
    apart = rest.T - f.drop[best % len(NOISE)]
    v = f.variance[best]
    mean = np.einsum("sbhn,sbn->sbh", f.gain[best], apart) + prior.T
    e = np.exp(mean + 0.5 * np.einsum("sbhh->sbh", v))
    total = e.sum(2)
    both = (e[..., None] * np.expm1(v)).sum(2)
    s2 = np.log1p((both * e).sum(2) / total**2)
    return Mixture(weight, np.log(total) - 0.5 * s2, np.sqrt(s2))


class YearEnd(NamedTuple):
    """What is known, and a mixture of what is to come in units of `unit`, less what zeros added."""

    known: ndarray
    unit: ndarray
    offset: ndarray
    rest: Mixture

    def quantiles(self, levels: ndarray) -> ndarray:
        """Year-end values, (levels, series)."""
        rest = np.exp(self.rest.logs(levels)) - self.offset
        return self.known + np.maximum(rest, 0) * self.unit

    def chance(self, target: ndarray) -> ndarray:
        """Probability of reaching at least the target, in closed form."""
        rest = np.maximum((target - self.known) / self.unit + self.offset, 1e-300)
        above = np.minimum(self.rest.above(np.log(rest)[None])[0], 1)
        return np.where(target <= self.known, 1.0, above)


def year_end(mask: Mask, amount: ndarray, known: ndarray, season: ndarray) -> YearEnd:
    """Distributions of a block of series of one mask.

    Parameters
    ----------
    amount : (sums, series). known : what is certain. season : (12, series) log shares of the months that sister series
        show, all 0 where they show none; used where the own past does not tell.
    """
    size = mask.member.sum(1)
    mean, usual = mask.member / size[:, None], GROWTH * TAU
    unit = np.maximum(amount.sum(0) / size.sum(), 1e-300)
    offset = np.where((amount > 0).all(0), 0.0, ZERO)
    months = np.tile(season * (not mask.season_known), (YEARS, 1))
    prior = (usual[:, None] + months)[mask.ahead]
    logs = np.log(amount / size[:, None] / unit + offset) - (mean * usual).sum(1)[:, None]
    logs -= np.log((mean[..., None] * np.exp(months)).sum(1))
    known_season = mask.season_known | months.any(0)
    weights = np.where(known_season, *(log_weights(k)[..., None] for k in (True, False)))
    # years long past mislead as often as they tell: as likely without them
    told = [(mask, slice(None))] + [(mask.recent, mask.kept)] * (mask.recent is not None)
    most = HEAVIEST // len(told)
    found = [mixture(factors(m), logs[sums], prior, weights, most) for m, sums in told]
    weight, centre, spread = (np.concatenate(parts) for parts in zip(*found, strict=True))
    rest = Mixture(weight / len(told), centre, spread)
    return YearEnd(known, unit, offset * mask.ahead.sum(), rest)
