"""What a series says about its own year end: opinions on the growth to come and what tells how far to trust them.

Input is always a block of series of one shape: Y full years and k months of the year in question, no gaps, time down
and series across (so that every step works on whole rows of memory). Everything is on the log scale; a constant c is
added where a series has zeros. `h` = 12 - k months are still to come, R is their sum and a prime means the same months
of last year. A flow asks for log((R + hc) / R'), a stock for log(V12 / V12'); without a past year the months known so
far stand in for R' and V12'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zcqlib.projection.panel import fixed_product

_ALPHAS = (0.05, 0.15, 0.35, 0.7)
_FOLLOWED = np.array([0.05, 0.35, 0.7])  # levels whose past errors are looked at
_SHORT_NOISE = 0.1  # usual sd of monthly log changes, worth two months where history is short


@dataclass(frozen=True, slots=True)
class Case:
    """One block of series, described; one column a series.

    `experts` (16, 6 or 3 rows) log growths; `inputs` of the model, not yet standardised; `noise` the series' own unit
    of noise; `known` what is certain (year to date for a flow, 0 for a stock); `base` R' or V12'; `offset` what zeros
    added to the months to come.
    """

    experts: np.ndarray
    inputs: np.ndarray
    noise: np.ndarray
    known: np.ndarray
    base: np.ndarray
    offset: np.ndarray


def describe(values: np.ndarray, years: int, k: int, stock: bool) -> Case:
    """Describe a block of series.

    Parameters
    ----------
    values : (12 * years + k, n), finite, >= 0, oldest month first, a January (or the block's first month) first.
    years : full years of history, 0 to 5. k : months known, 1 to 11.
    stock : whether the level at the end is asked for, rather than the year's sum.
    Returns
    -------
    Case; inputs are scale features, (raw shapes, years), five times the experts, k, (experts apart from the third).
    """
    unit = np.maximum(values.mean(0), 1e-300)
    c = np.where((values > 0).all(0), 0.0, np.float32(0.05))
    u = np.maximum((values / unit).astype("float32") + c.astype("float32"), 1e-30)
    zeros = (values == 0).mean(0, dtype="float32")
    experts, inputs, noise, base = (_long if years >= 2 else _short)(u, zeros, years, k, stock)
    known = np.zeros(values.shape[1]) if stock else values[12 * years :].sum(0)
    return Case(
        experts,
        np.nan_to_num(inputs),
        noise,
        known,
        unit * base,
        unit * c * (1 if stock else 12 - k),
    )


def _long(
    u: np.ndarray, zeros: np.ndarray, years: int, k: int, stock: bool
) -> tuple[np.ndarray, ...]:
    """Experts, inputs, noise and base with two years of history or more."""
    size, n = u.shape
    h = 12 - k
    x = np.log(u)
    full, sums = x[: 12 * years].reshape(years, 12, n), u[: 12 * years].reshape(years, 12, n)
    last, last_u, now_u = full[-1], sums[-1], u[12 * years :]
    year_mean = full.mean(1)
    slope = (year_mean[-1] - year_mean[0]) / (years - 1)
    pattern = full - year_mean[:, None] - (slope / 12) * _column(np.arange(12) - 5.5)
    season, spread2 = _season(pattern, 0.8)
    fresh, _ = _season(pattern, 0.45)
    left = pattern - season
    noise2 = (left.reshape(-1, n) ** 2).mean(0) * years / (years - 1)
    variance = season.var(0) + 1e-12
    shrink = np.clip(1 - noise2 * spread2 / variance, 0, 1)
    s = shrink * season
    d = np.empty_like(x)
    np.subtract(full, s, out=d[: 12 * years].reshape(years, 12, n))
    np.subtract(x[12 * years :], s[:k], out=d[12 * years :])

    base = last_u[11] if stock else last_u[k:].sum(0)
    base_log = np.log(base)
    ahead = [(m[11] if stock else _log_sum(m[k:])) - base_log for m in (s, season, fresh)]
    weights = np.stack([_level_weights(size, a) for a in _ALPHAS])
    levels = fixed_product(weights, d)
    by_month = np.stack(
        [weights[2][j::12].sum() for j in range(12)]
    )  # deseasonalising by others shifts the level
    apart = ((s - season) * by_month[:, None]).sum(0), ((s - fresh) * by_month[:, None]).sum(0)
    one, six = _errors(d)
    noise = np.maximum(0.01, np.minimum(one[0], one[1]))
    damp = _column(np.cumsum(0.95 ** np.arange(1, h + 1)))
    lines, slopes = [], []
    for discount in (0.92, 0.8):
        end, rise = _line(d, discount)
        slopes.append(rise)
        lines.append(
            (end + rise * damp[-1] + s[11] if stock else _log_sum(end + rise * damp + s[k:]))
            - base_log
        )
    yearly = x[12:] - x[:-12]
    m = min(3, k)
    totals = np.log(sums.sum(1))
    growth = totals[-1] - totals[-2]
    rest = full[:, 11] if stock else np.log(sums[:, k:].sum(1))
    done = full[:, k - 1] if stock else np.log(sums[:, :k].sum(1))
    share = (rest - done).mean(0)
    ytd = np.log(now_u.sum(0))
    twelve = np.log(u[-12:].sum(0)) - np.log(u[-24:-12].sum(0))
    w = _column(0.8 ** np.arange(years)[::-1])
    ratio = rest - np.log(sums[:, k - m : k].mean(1))
    recent = x[-m:].mean(0) + (ratio * (w / w.sum())).sum(0) - base_log
    by_value = rest - full[:, k - 1]
    change = (now_u[-m:] - last_u[k - m : k]).mean(0)
    experts, base = _cut(
        base,
        [
            *(levels + ahead[0]),
            *lines,
            levels[2] + apart[0] + ahead[1],
            levels[2] + apart[1] + ahead[2],
            yearly[-3:].mean(0),
            (x[-1] - base_log) if stock else ytd - np.log(last_u[:k].sum(0)),
            (x[-1] if stock else ytd) + share - base_log,
            twelve,
            growth,
            recent,
            x[-1] + (by_value[-1] if stock else by_value.mean(0)) - base_log,
            np.log(np.maximum(0.22, 1 + (1 if stock else h) * change / base)),
        ],
    )
    residual = left[-1]
    inputs = np.zeros((98, n), "float32")
    inputs[:24] = np.stack(
        [
            np.log(yearly.std(0) + 0.01),
            np.log(experts.std(0) + 0.003),
            np.log(np.diff(x, axis=0).std(0) + 0.01),
            np.log((rest - done).std(0) + 0.01),
            np.log(np.sqrt(noise2) + 0.01),
            shrink,
            np.log(one[0] / one[1]),
            np.log(one[2] / one[1]),
            np.log(six[0] / six[1]),
            np.log(six[1] + 0.01),
            np.log(np.abs(growth) + 0.01),
            np.log(variance + 1e-4) / 2,
            np.log(np.sqrt((residual[k:] ** 2).mean(0)) + 0.01),
            np.log(np.abs(residual[11]) + 0.01),
            base_log - totals[-1],
            _log_sum(s[k:]) - _log_sum(s),
            last[11] - totals[-1] + float(np.log(12)),
            50 * slopes[0],
            50 * slopes[1],
            np.log(levels.std(0) + 0.003),
            zeros > 0,
            zeros,
            np.log(yearly[-12:].std(0) + 0.01),
            np.log(one[1] + 0.01),
        ]
    )
    raw = inputs[24:52]
    np.subtract(d[-12:], levels[1], out=raw[:12])
    np.subtract(yearly[-12:], twelve, out=raw[12:24])
    raw[24:] = np.stack(
        [
            d[-18:-12].mean(0) - levels[1],
            d[-24:-18].mean(0) - levels[1],
            residual[11],
            residual[k:].mean(0),
        ]
    )
    raw[:] = np.arcsinh(np.clip(raw / noise, -30, 30))
    inputs[52 + years - 2] = 1
    inputs[56:72] = 5 * experts
    inputs[72 + k - 1] = 1
    inputs[83:] = np.arcsinh((experts[[0, 1, *range(3, 16)]] - experts[2]) / noise)
    return experts, inputs, noise, base


def _short(
    u: np.ndarray, zeros: np.ndarray, years: int, k: int, stock: bool
) -> tuple[np.ndarray, ...]:
    """The same with one past year or none: six or three experts, six or three scale features."""
    x, now, m, many = np.log(u), u[12 * years :], min(3, k), 1 if stock else 12 - k
    steps = np.diff(x, axis=0)
    noise = np.sqrt(((steps**2).sum(0) + 2 * _SHORT_NOISE**2) / (len(steps) + 2))
    quarter = np.log(many * now[-m:].mean(0))
    if years:
        last = u[:12]
        base = last[11] if stock else last[k:].sum(0)
        base_log, change = np.log(base), x[12:] - x[:k]
        experts, base = _cut(
            base,
            [
                np.log(now.sum(0) / last[:k].sum(0)),
                np.log(now[-m:].sum(0) / last[k - m : k].sum(0)),
                change[-1],
                np.log(many * (now[-1] if stock else now.mean(0)) / base),
                quarter - base_log,
                np.log(many * u[-12:].mean(0) / base),
            ],
        )
        more = [
            np.log(change.std(0) + 0.01),
            base_log - np.log(last.sum(0)),
            np.log(x[:12].std(0) + 0.01),
        ]
    else:
        base = now[-1] if stock else many * now.mean(0)
        t = _column(np.arange(k) - (k - 1) / 2)
        slope = np.clip((x * t).sum(0) / max(float((t**2).sum()), 1.0), -0.1, 0.1)
        experts, base = _cut(
            base,
            [
                quarter - np.log(base),
                np.log(many * now[-1] / base),
                slope * (12 - k if stock else 6),
            ],
        )
        more = []
    k_hot = np.zeros((11, u.shape[1]), "float32")
    k_hot[k - 1] = 1
    inputs = np.concatenate(
        [
            np.stack([np.log(noise), np.log(experts.std(0) + 0.003), zeros, *more]),
            5 * experts,
            k_hot,
        ]
    )
    return experts, inputs, noise, base


def _column(weights: np.ndarray) -> np.ndarray:
    """Weights on months or years, against a block of series; single precision is enough and twice as fast."""
    return weights.astype("float32")[:, None]


def _cut(base: np.ndarray, opinions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Opinions cut at 1.5, and the base. Where most of them lie beyond, as the series has left last year's level, the
    base moves there first."""
    experts = np.nan_to_num(np.stack(opinions), nan=0.0)
    middle = np.median(experts, 0)
    beyond = middle - np.clip(middle, -1.5, 1.5)
    return np.clip(experts - beyond, -1.5, 1.5), base * np.exp(beyond.astype(float))


def _season(pattern: np.ndarray, discount: float) -> tuple[np.ndarray, float]:
    """Weighted mean over years, centred, and the sum of squared weights."""
    w = _column(discount ** np.arange(len(pattern))[::-1])
    w = w / w.sum()
    season = (pattern * w[..., None]).sum(0)
    return season - season.mean(0), float((w**2).sum())


def _level_weights(size: int, alpha: float) -> np.ndarray:
    """The exponential level at the end, begun at the mean of the first twelve months, as weights on the months."""
    w = alpha * (1 - alpha) ** np.arange(size)[::-1]
    w[:12] += (1 - alpha) ** size / 12
    return w.astype("float32")


def _errors(d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square one-step and six-month errors of the followed levels, from the second year on."""
    size, n = d.shape
    level = np.repeat(d[:12].mean(0)[None], len(_FOLLOWED), 0)
    alpha = _column(_FOLLOWED)
    squares = np.zeros_like(level)
    after = np.empty((size, 2, n), "float32")
    for t in range(size):
        e = d[t] - level
        level = level + alpha * e
        if t >= 12:
            squares += e * e
        after[t] = level[:2]
    total = np.cumsum(d, 0)
    ahead = (total[17:] - total[11:-6])[:, None] / 6 - after[11 : size - 6]
    return np.sqrt(squares / (size - 12)) + 1e-9, np.sqrt((ahead**2).mean(0)) + 1e-9


def _line(d: np.ndarray, discount: float) -> tuple[np.ndarray, np.ndarray]:
    """Discounted straight line: its value at the last month and its slope, capped."""
    t = np.arange(len(d)) - (len(d) - 1.0)
    w = discount**-t
    w /= w.sum()
    centre = (w * t).sum()
    lean = w * (t - centre)
    mean, slope = fixed_product(np.stack([w, lean / (lean * t).sum()]).astype("float32"), d)
    slope = np.clip(slope, -0.08, 0.08)
    return mean - slope * float(centre), slope


def _log_sum(rows: np.ndarray) -> np.ndarray:
    top = rows.max(0)
    return top + np.log(np.exp(rows - top).sum(0))
