"""The year-end distribution of many monthly series in one call; NumPy throughout, no loop over series.

A pooled model, fitted once on public monthly series (`fit`), weighs sixteen opinions about the growth to come by what
each series shows of itself, and gives a skewed distribution around them. Its coefficients are `coefficients.npz`.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from zcqlib.projection.counts import count_chance, count_quantiles, small_counts
from zcqlib.projection.features import EXPERTS, Case, describe

LEVELS = tuple(round(.005 + .01 * i, 3) for i in range(100))
MAX_YEARS = 5
BLOCK = 4096  # rows at a time: a row's bits must not depend on how many others are asked for
COEFFICIENTS = Path(__file__).with_name("coefficients.npz")
# without a past year: rest = to date * (h / k) * exp(e), e around .02 with these sds for k = 1 ... 11
_BARE_SD = np.array([.17, .15, .13, .12, .11, .11, .11, .13, .13, .15, .18])
_ONE_YEAR_SD = np.array([.20, .16, .14, .125, .115, .11, .11, .12, .125, .14, .17])


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients of one kind: `mean`, `scale` standardise the inputs; `layers` the network; `table` (k, Y, level) z."""

    mean: np.ndarray
    scale: np.ndarray
    layers: dict[str, np.ndarray]
    table: np.ndarray


def forward(inputs: np.ndarray, layers: dict[str, np.ndarray]) -> np.ndarray:
    """Twenty outputs of standardised inputs: a linear part and, where it was fitted, two hidden layers."""
    out = inputs @ layers["A"] + layers["c"]
    if "W1" in layers:
        hidden = np.maximum(np.maximum(inputs @ layers["W1"] + layers["b1"], 0) @ layers["W2"] + layers["b2"], 0)
        out = out + hidden @ layers["O"]
    return out


def parameters(outputs: np.ndarray, experts: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, ...]:
    """Centre, log scale, asymmetry and tail weight of the log growth, from the twenty outputs."""
    centre = (outputs[:, :EXPERTS] * experts).sum(1) + 0.5 * noise * outputs[:, 16]
    log_scale = np.clip(outputs[:, 17], -4, 4) + np.log(noise)
    skew = 0.5 * np.tanh(outputs[:, 18])
    tail = np.exp(np.clip(0.5 * outputs[:, 19] - 0.7, -2.5, 0.3))
    return centre, log_scale, skew, tail


@cache
def model(kind: str) -> Model:
    with np.load(COEFFICIENTS) as stored:
        part = {k.removeprefix(f"{kind}_"): stored[k].astype(float) for k in stored.files if k.startswith(f"{kind}_")}
    return Model(part.pop("mean"), part.pop("scale"), {k: v for k, v in part.items() if k != "table"}, part["table"])


def standardise(inputs: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The first 56 inputs are put on one scale and cut at four; the others are on theirs already."""
    out = inputs.copy()
    out[:, :56] = np.clip((inputs[:, :56] - mean) / scale, -4, 4)
    return out


@dataclass(frozen=True, slots=True)
class Distribution:
    """Year-end distribution of a block: log growth = centre + s e^(+-skew) sinh(tail z) / tail, z by the table."""

    case: Case
    centre: np.ndarray
    log_scale: np.ndarray
    skew: np.ndarray
    tail: np.ndarray
    z: np.ndarray  # at LEVELS, shared by the block
    stock: bool

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        z = np.interp(ndtri(levels), ndtri(np.array(LEVELS)), self.z)
        side = np.exp(np.where(z > 0, 1.0, -1.0)[None, :] * self.skew[:, None])
        growth = self.centre[:, None] + np.exp(self.log_scale)[:, None] * side * np.sinh(
            self.tail[:, None] * z[None, :]) / self.tail[:, None]
        rest = self.case.base[:, None] * np.exp(np.clip(growth, -8, 4)) - self.case.offset[:, None]
        return self.case.known[:, None] + np.maximum(rest, 0)

    def chance(self, target: np.ndarray) -> np.ndarray:
        """Probability of reaching at least the target, in closed form."""
        rest = target - self.case.known + self.case.offset
        need = np.clip(np.log(np.maximum(rest, 1e-300) / self.case.base), -8, 4)
        side = np.where(need > self.centre, 1.0, -1.0)
        z = np.arcsinh(self.tail * (need - self.centre) * np.exp(-side * self.skew - self.log_scale)) / self.tail
        below = ndtr(np.interp(z, self.z, ndtri(np.array(LEVELS)), left=-np.inf, right=np.inf))
        slope = (z - self.z[-1], z - self.z[0])
        below = np.where(z > self.z[-1], ndtr(ndtri(LEVELS[-1]) + slope[0]), below)
        below = np.where(z < self.z[0], ndtr(ndtri(LEVELS[0]) + slope[1]), below)
        return np.where(target <= self.case.known if not self.stock else target <= 0, 1.0, 1 - below)


def distribution(values: np.ndarray, years: int, k: int, stock: bool) -> Distribution:
    """The pooled model's distribution for a block of series with 2 to 5 full years and k months."""
    fitted = model("stock" if stock else "flow")
    case = describe(values, years, k, stock)
    outputs = forward(standardise(case.inputs, fitted.mean, fitted.scale), fitted.layers)
    return Distribution(case, *parameters(outputs, case.experts, case.noise), fitted.table[k - 1, years - 2], stock)


def _short(values: np.ndarray, years: int, k: int, stock: bool) -> Distribution:
    """One past year or none: one opinion and the usual spread of such series."""
    n, h = len(values), 12 - k
    now = values[:, 12 * years:]
    ytd = now.sum(1)
    level = np.maximum(ytd / k, 1e-300)
    if stock:
        last = np.maximum(now[:, -1], 1e-300)
        centre = np.zeros(n) if not years else 0.5 * np.log(np.maximum(values[:, 11], 1e-300)
                                                            / np.maximum(values[:, k - 1], 1e-300))
        base, known, spread = last, np.zeros(n), 0.04 * np.sqrt(h)
    else:
        rest_before = values[:, k:12].sum(1) if years else h * level
        ytd_before = values[:, :k].sum(1) if years else ytd
        usable = (rest_before > 0) & (ytd_before > 0) & (ytd > 0)
        base = np.where(usable, rest_before, np.maximum(h * level, 1e-300))
        centre = np.where(usable, 0.85 * np.log(np.maximum(ytd, 1e-300) / np.maximum(ytd_before, 1e-300)), 0.0)
        centre = np.clip(centre, -1.5, 1.5) + (0.02 if not years else 0.0)
        known, spread = ytd, (_ONE_YEAR_SD if years else _BARE_SD)[k - 1]
    case = Case(centre[:, None], np.empty((n, 0)), np.ones(n), known, base, np.zeros(n))
    flat = np.full(n, 0.0)
    return Distribution(case, centre, np.full(n, np.log(spread)), flat, np.full(n, 0.3), ndtri(np.array(LEVELS)), stock)


# --- the front door -------------------------------------------------------------------------------------------------

def project_year_end(history: pd.DataFrame, kind: str = "flow", year: int | None = None, levels=LEVELS,
                     targets: pd.Series | None = None) -> pd.DataFrame:
    """Project the year end of any number of monthly series.

    Parameters
    ----------
    history : columns `series_id`, `period` (YYYY-MM or month), `value` (the month's own value; for a stock the level at
        month end), optional `months` (default 1; 2 = a sum that ends in that month). Any order, any lengths, gaps
        allowed; months after the last known one of the year are to be projected.
    kind : flow (the year's sum) or stock (the level of December).
    year : project this year; by default each series' latest one.
    levels : quantile levels, between 0 and 1.
    targets : by series_id; adds `probability`, the chance of reaching at least the target.
    Returns
    -------
    one row a series: `series_id`, one column a level (its name is the level), `probability` with targets.
    `.attrs["refused"]` holds `series_id`, `reason` of the others.
    Raises
    ------
    ValueError : unknown kind, a missing column, levels outside 0 to 1.
    Source
    ------
    系数由公开月度序列拟合(coefficients.npz),方法见说明文档。
    """
    if kind not in ("flow", "stock"):
        raise ValueError(f"kind is flow or stock, not {kind!r}")
    if missing := {"series_id", "period", "value"} - set(history.columns):
        raise ValueError(f"history lacks columns {sorted(missing)}")
    wanted = np.asarray(levels, float)
    if wanted.size == 0 or not ((wanted > 0) & (wanted < 1)).all():
        raise ValueError("levels lie between 0 and 1")
    panel = _panel(history, year)
    n = len(panel.ids)
    out = np.full((n, wanted.size), np.nan)
    chance = np.full(n, np.nan)
    aims = np.full(n, np.nan) if targets is None else targets.reindex(panel.ids).to_numpy(float)
    stock = kind == "stock"
    shape = panel.years * 16 + panel.k
    for key in np.unique(shape[panel.good]):
        rows = np.flatnonzero(panel.good & (shape == key))
        years, k = divmod(int(key), 16)
        for part in (rows[i:i + BLOCK] for i in range(0, len(rows), BLOCK)):
            values = panel.values[part][:, 12 * (MAX_YEARS - years):12 * MAX_YEARS + k]
            padded = np.ones((BLOCK, values.shape[1]))
            padded[:len(part)] = values
            q, p = _solve(padded, years, k, stock, wanted, np.where(np.isnan(aims[part]), 1.0, aims[part]), len(part))
            out[part], chance[part] = q, np.where(np.isnan(aims[part]), np.nan, p)
    frame = pd.DataFrame(out, columns=[float(x) for x in levels])
    frame.insert(0, "series_id", panel.ids)
    if targets is not None:
        frame["probability"] = chance
    frame = frame[panel.good].reset_index(drop=True)
    frame.attrs["refused"] = pd.DataFrame({"series_id": panel.ids[~panel.good], "reason": panel.reason[~panel.good]})
    return frame


def _solve(values: np.ndarray, years: int, k: int, stock: bool, levels: np.ndarray, aims: np.ndarray, n: int):
    """Quantiles and chances of the first n rows of a padded block."""
    if k == 12:
        end = values[:n, -1] if stock else values[:n, -12:].sum(1)
        return np.repeat(end[:, None], len(levels), 1), (end >= aims).astype(float)
    flat = (values[:n] == values[:n, :1]).all(1)
    found = distribution(values, years, k, stock) if years >= 2 else _short(values, years, k, stock)
    target = np.ones(len(values))
    target[:n] = aims
    q, p = found.quantiles(levels)[:n], found.chance(target)[:n]
    if not stock and years:
        weight = small_counts(values[:n], years)
        few = np.flatnonzero(weight > 0)
        if len(few):
            w = weight[few]
            q[few] = (1 - w[:, None]) * q[few] + w[:, None] * count_quantiles(values[few], years, k, levels)
            p[few] = (1 - w) * p[few] + w * count_chance(values[few], years, k, aims[few])
    nothing = flat & (values[:n, 0] == 0)
    q[nothing] = 0.0
    p = np.where(nothing, (aims <= 0).astype(float), p)
    return q, p


@dataclass(frozen=True, slots=True)
class Panel:
    """Series side by side: five past years and the projected one, oldest month first, gaps filled."""

    ids: np.ndarray
    values: np.ndarray
    years: np.ndarray
    k: np.ndarray
    good: np.ndarray
    reason: np.ndarray


def _month_numbers(period: pd.Series) -> np.ndarray:
    if isinstance(period.dtype, pd.PeriodDtype):
        return period.dt.year.to_numpy() * 12 + period.dt.month.to_numpy() - 1
    codes, names = pd.factorize(period)
    numbers = [int(str(p)[:4]) * 12 + int(str(p)[5:7]) - 1 for p in names]
    return np.array(numbers, dtype="int64")[codes]


def _panel(history: pd.DataFrame, year: int | None) -> Panel:
    code, ids = pd.factorize(history["series_id"], sort=True)
    n = len(ids)
    t = _month_numbers(history["period"])
    v = history["value"].to_numpy(float)
    months = history["months"].to_numpy("int64") if "months" in history else np.ones(len(v), dtype="int64")
    reason = np.full(n, "", dtype=object)

    def refuse(mask_codes: np.ndarray, words: str) -> None:
        reason[np.unique(mask_codes)] = words

    present = np.isfinite(v) | np.isnan(v)
    refuse(code[np.isinf(v)], "有无穷大的数值")
    refuse(code[v < 0], "有负数,流量和存量都不应为负")
    refuse(code[(months < 1) | (months > 12)], "months 应在 1 到 12 之间")
    known = np.isfinite(v) & present
    pairs = code[known].astype("int64") * 100_000 + t[known]
    unique, counts = np.unique(pairs, return_counts=True)
    refuse((unique[counts > 1] // 100_000).astype(int), "同一个月有两个数值")
    latest = np.full(n, -1)
    np.maximum.at(latest, code[known], t[known])
    target = np.where(latest >= 0, latest // 12, 0) if year is None else np.full(n, year)
    refuse(np.flatnonzero(latest < 0), "没有任何数值")
    start = (target - MAX_YEARS) * 12
    values = np.full((n, 12 * (MAX_YEARS + 1)), np.nan)
    spread = np.repeat(np.flatnonzero(known), months[known].clip(1, 12))
    step = np.concatenate([np.arange(m) for m in months[known].clip(1, 12)]) if (months[known] > 1).any() else np.zeros(
        len(spread), dtype="int64")
    place = t[spread] - step - start[code[spread]]
    inside = (place >= 0) & (place < values.shape[1])
    values[code[spread][inside], place[inside]] = (v[spread] / months[spread].clip(1, 12))[inside]
    now = values[:, 12 * MAX_YEARS:]
    seen = np.isfinite(now)
    k = np.where(seen.any(1), 12 - np.argmax(seen[:, ::-1], 1), 0)
    refuse(np.flatnonzero((k == 0) & (latest >= 0)), "该年没有任何数值")
    past = values[:, :12 * MAX_YEARS].reshape(n, MAX_YEARS, 12)
    usable = np.isfinite(past).sum(2) >= 6  # more than half of a year is missing: the year is not used
    years = np.cumprod(usable[:, ::-1], axis=1).sum(1)
    gaps = np.arange(12)[None, :] < k[:, None]
    missing_now = (~seen & gaps).sum(1)
    refuse(np.flatnonzero((missing_now > 2) & (k > 0)), "当年缺两个月以上,不能测算")
    values = _filled(values, years, k)
    good = reason == ""
    return Panel(np.asarray(ids), values, years, k, good, reason)


def _filled(values: np.ndarray, years: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Fill missing months inside the used span: the same month of other years, scaled by the neighbours' level."""
    n, width = values.shape
    column = np.arange(width)[None, :]
    first = 12 * (MAX_YEARS - years)[:, None]
    inside = (column >= first) & (column < 12 * MAX_YEARS + k[:, None])
    hole = inside & ~np.isfinite(values)
    rows = np.flatnonzero(hole.any(1))
    if not len(rows):
        return values
    out = values.copy()
    part = np.where(inside[rows], values[rows], np.nan)
    year_of = part.reshape(len(rows), MAX_YEARS + 1, 12)
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a year or month without any value is expected here
            level = np.nanmean(year_of, 2, keepdims=True)
            shape = np.nanmean(year_of / np.where(level > 0, level, np.nan), 1, keepdims=True)
            guess = np.nan_to_num(level) * np.where(np.isfinite(shape), shape, 1.0)
    guess = guess.reshape(len(rows), width)
    out[rows] = np.where(hole[rows], guess, values[rows])
    return out
