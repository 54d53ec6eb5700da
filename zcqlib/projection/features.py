"""What a series says about its own year end: sixteen opinions on the growth to come and what tells how far to trust them.

Input is always a block of series of one shape: Y full years and k months of the year in question, no gaps. Everything
is on the log scale; a constant is added where a series has zeros. `h` = 12 - k months are still to come, R is their
sum and a prime means the same months of last year. A flow asks for log((R + hc) / R'), a stock for log(V12 / V12').
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXPERTS, INPUTS = 16, 98
_ALPHAS = (0.05, 0.15, 0.35, 0.7)


@dataclass(frozen=True, slots=True)
class Case:
    """One block of series, described. All arrays have one row a series.

    `experts` (n, 16) log growths; `inputs` (n, 98) of the model, not yet standardised where `scaled` says so; `noise`
    the series' own unit of noise; `known` what is certain (year to date for a flow, 0 for a stock); `base` R' or V12';
    `offset` what zeros added to the months to come.
    """

    experts: np.ndarray
    inputs: np.ndarray
    noise: np.ndarray
    known: np.ndarray
    base: np.ndarray
    offset: np.ndarray


def _smooth(d: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponential level at the end, its one-step errors and its six-month errors."""
    n = d.shape[1]
    level = d[:, :12].mean(1)
    levels = np.empty_like(d)
    errors = np.empty_like(d)
    for t in range(n):
        errors[:, t] = d[:, t] - level
        level = level + alpha * errors[:, t]
        levels[:, t] = level
    total = np.concatenate([np.zeros((len(d), 1)), np.cumsum(d, 1)], 1)
    ahead = (total[:, 18:] - total[:, 12:-6]) / 6 - levels[:, 11:n - 6]
    return level, errors[:, 12:], ahead


def _line(d: np.ndarray, discount: float) -> tuple[np.ndarray, np.ndarray]:
    """Discounted straight line: its value at the last month and its slope, capped."""
    age = np.arange(d.shape[1])[::-1].astype(float)
    w = discount ** age
    w /= w.sum()
    t = -age
    centre = (w * t).sum()
    spread = (w * (t - centre) ** 2).sum()
    mean = (d * w).sum(1)
    slope = np.clip((d * (w * (t - centre))).sum(1) / spread, -0.08, 0.08)
    return mean - slope * centre, slope


def _rms(e: np.ndarray) -> np.ndarray:
    return np.sqrt((e ** 2).mean(1)) + 1e-9


def _log_sum(rows: np.ndarray) -> np.ndarray:
    top = rows.max(1)
    return top + np.log(np.exp(rows - top[:, None]).sum(1))


def describe(values: np.ndarray, years: int, k: int, stock: bool) -> Case:
    """Describe a block of series.

    Parameters
    ----------
    values : (n, 12 * years + k), finite, >= 0, oldest month first, a January (or the block's first month) first.
    years : 2 to 5. k : 1 to 11.
    stock : whether the level at the end is asked for, rather than the year's sum.
    """
    n, h = len(values), 12 - k
    v = np.asarray(values, float)
    mean = v.mean(1)
    c = np.where((v > 0).all(1), 0.0, 0.05 * mean)
    x = np.log(np.maximum(v + c[:, None], 1e-300))
    full = x[:, :12 * years].reshape(n, years, 12)
    year_mean = full.mean(2)
    slope = (year_mean[:, -1] - year_mean[:, 0]) / (years - 1)
    pattern = full - year_mean[:, :, None] - slope[:, None, None] / 12 * (np.arange(12) - 5.5)
    season, noise2, weight2 = _season(pattern, 0.8)
    fresh, _, _ = _season(pattern, 0.45)
    variance = season.var(1) + 1e-12
    shrink = np.clip(1 - noise2 * weight2 / variance, 0, 1)
    s = shrink[:, None] * season
    months = np.arange(12 * years + k) % 12
    d = x - s[:, months]

    coming = np.arange(k, 12)
    last = x[:, 12 * (years - 1):12 * years]
    if stock:
        base_log = last[:, 11]
        base, known, offset = np.exp(base_log), np.zeros(n), c

        def outlook(path: np.ndarray, seasonal: np.ndarray) -> np.ndarray:
            return path[:, -1] + seasonal[:, 11] - base_log
    else:
        base_log = _log_sum(last[:, coming])
        base, known, offset = np.exp(base_log), v[:, 12 * years:].sum(1), h * c

        def outlook(path: np.ndarray, seasonal: np.ndarray) -> np.ndarray:
            return _log_sum(path + seasonal[:, coming]) - base_log

    flat = np.ones(h)
    levels, one, six = {}, {}, {}
    for alpha in _ALPHAS:
        levels[alpha], e1, e6 = _smooth(d, alpha)
        one[alpha], six[alpha] = _rms(e1), _rms(e6)
    noise = np.maximum(0.01, np.minimum(one[0.05], one[0.35]))
    damp = np.cumsum(0.95 ** np.arange(1, h + 1))
    lines = {w: _line(d, w) for w in (0.92, 0.8)}
    unshrunk, _, _ = _smooth(x - season[:, months], 0.35)
    freshly, _, _ = _smooth(x - fresh[:, months], 0.35)
    now = x[:, 12 * years:]
    yearly = x[:, 12:] - x[:, :-12]
    ytd, ytd_before = np.log(np.exp(now).sum(1)), np.log(np.exp(last[:, :k]).sum(1))
    rest_log = full[:, :, 11] if stock else np.log(np.exp(full[:, :, coming]).sum(2))
    done_log = full[:, :, k - 1] if stock else np.log(np.exp(full[:, :, :k]).sum(2))
    twelve = np.log(np.exp(x[:, -12:]).sum(1)) - np.log(np.exp(x[:, -24:-12]).sum(1))
    age = np.arange(years)[::-1]
    w = 0.8 ** age
    w = w / w.sum()
    m = min(3, k)
    recent_mean = np.log(np.exp(full[:, :, k - m:k]).mean(2))
    recent = now[:, -m:].mean(1) + ((rest_log - recent_mean) * w).sum(1) - base_log
    value_ratio = rest_log - full[:, :, k - 1]
    by_value = now[:, -1] + (value_ratio[:, -1] if stock else value_ratio.mean(1)) - base_log
    change = (np.exp(now[:, -m:]) - np.exp(last[:, k - m:k])).mean(1)
    additive = np.log(np.maximum(0.22, 1 + (1 if stock else h) * change / base))
    share = ((now[:, -1] + (rest_log - done_log).mean(1)) if stock else (ytd + (rest_log - done_log).mean(1))) - base_log
    experts = np.stack([
        *(outlook(levels[a][:, None] * flat, s) for a in _ALPHAS),
        *(outlook(lines[g][0][:, None] + lines[g][1][:, None] * damp, s) for g in (0.92, 0.8)),
        outlook(unshrunk[:, None] * flat, season), outlook(freshly[:, None] * flat, fresh),
        yearly[:, -3:].mean(1), (now[:, -1] - base_log) if stock else ytd - ytd_before, share, twelve,
        year_mean_growth(full), recent, by_value, additive], 1)
    experts = np.clip(np.nan_to_num(experts, nan=0.0), -1.5, 1.5)

    residual = pattern[:, -1] - season
    growth = year_mean_growth(full)
    shares = rest_log - done_log
    four = np.stack([levels[a] for a in _ALPHAS], 1)
    scale = np.stack([
        np.log(yearly.std(1) + 0.01), np.log(experts.std(1) + 0.003), np.log(np.diff(x, axis=1).std(1) + 0.01),
        np.log(shares.std(1) + 0.01), np.log(np.sqrt(noise2) + 0.01), shrink,
        np.log(one[0.05] / one[0.35]), np.log(one[0.7] / one[0.35]), np.log(six[0.05] / six[0.35]),
        np.log(six[0.35] + 0.01), np.log(np.abs(growth) + 0.01), np.log(variance + 1e-4) / 2,
        np.log(np.sqrt((residual[:, coming] ** 2).mean(1)) + 0.01), np.log(np.abs(residual[:, 11]) + 0.01),
        base_log - np.log(np.exp(last).sum(1)), _log_sum(s[:, coming]) - _log_sum(s),
        last[:, 11] - np.log(np.exp(last).mean(1)), 50 * lines[0.92][1], 50 * lines[0.8][1],
        np.log(four.std(1) + 0.003), (c > 0).astype(float), (v == 0).mean(1), np.log(yearly[:, -12:].std(1) + 0.01),
        np.log(one[0.35] + 0.01)], 1)
    level = levels[0.15][:, None]
    raw = np.concatenate([d[:, -12:] - level, yearly[:, -12:] - twelve[:, None],
                          d[:, -18:-12].mean(1, keepdims=True) - level, d[:, -24:-18].mean(1, keepdims=True) - level,
                          residual[:, 11:], residual[:, coming].mean(1, keepdims=True)], 1)
    raw = np.arcsinh(np.clip(raw / noise[:, None], -30, 30))
    one_hot = np.zeros((n, 15))
    one_hot[:, years - 2] = 1
    one_hot[:, 4 + k - 1] = 1
    apart = np.delete(experts - experts[:, 2:3], 2, axis=1)
    inputs = np.concatenate([scale, raw, one_hot[:, :4], 5 * experts, one_hot[:, 4:],
                             np.arcsinh(apart / noise[:, None])], 1)
    return Case(experts, np.nan_to_num(inputs), noise, known, base, offset)


def _season(pattern: np.ndarray, discount: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Weighted mean over years, the noise variance around it, and the sum of squared weights."""
    years = pattern.shape[1]
    w = discount ** np.arange(years)[::-1]
    w = w / w.sum()
    season = (pattern * w[None, :, None]).sum(1)
    season = season - season.mean(1, keepdims=True)
    left = pattern - season[:, None]
    noise2 = (left ** 2).mean((1, 2)) * years / (years - 1)
    return season, noise2, float((w ** 2).sum())


def year_mean_growth(full: np.ndarray) -> np.ndarray:
    """Log growth of the last full year's sum on the one before."""
    sums = np.log(np.exp(full).sum(2))
    return sums[:, -1] - sums[:, -2]
