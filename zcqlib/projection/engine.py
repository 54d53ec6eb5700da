"""The year-end distribution of many monthly series in one call; NumPy throughout, no loop over series.

A pooled model, fitted once on public monthly series (`fit`), weighs opinions about the growth to come by what each
series shows of itself, and gives a skewed distribution around them. Its coefficients are `coefficients.npz`: one family
for two years of history and more, one for a single year, one for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from zcqlib.projection.counts import count_chance, count_quantiles, small_counts
from zcqlib.projection.features import Case, describe
from zcqlib.projection.panel import MAX_YEARS, fixed_product, pivot
from zcqlib.projection.scores import LEVELS, chance_of

BLOCK = 1024  # series at a time, padded: a series' bits must not depend on how many others are asked for
COEFFICIENTS = Path(__file__).with_name("coefficients.npz")
FAMILIES = {"none": (0,), "one": (1,), "more": (2, 3, 4, 5)}  # years of history each family serves
QUARTER_STRETCH = {3: 1.55, 6: 1.55, 9: 1.85}  # of log R, where a year is known by quarters only
_NORMAL = ndtri(np.array(LEVELS))


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients of one kind and family; `table` (k, years, LEVELS) holds the standardised out-of-fold errors."""

    mean: np.ndarray
    scale: np.ndarray
    layers: dict[str, np.ndarray]
    table: np.ndarray


@cache
def _stored(path: Path, kind: str, family: str) -> Model:
    prefix = f"{kind}_{family}_"
    with np.load(path) as stored:
        part = {
            k.removeprefix(prefix): stored[k].astype("float32")
            for k in stored.files
            if k.startswith(prefix)
        }
    return Model(
        part.pop("mean"),
        part.pop("scale"),
        {k: v for k, v in part.items() if k != "table"},
        part["table"],
    )


def family_of(years: int) -> str:
    return ("none", "one")[years] if years < 2 else "more"


def standardise(inputs: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The first inputs are put on one scale and cut at four; the others are on theirs already."""
    out = inputs.copy()
    first = len(mean)
    out[:first] = np.clip((inputs[:first] - mean[:, None]) / scale[:, None], -4, 4)
    return out


def forward(inputs: np.ndarray, layers: dict[str, np.ndarray]) -> np.ndarray:
    """Raw outputs of standardised inputs: a linear part and, where it was fitted, two hidden layers."""
    out = fixed_product(layers["A"].T, inputs) + layers["c"][:, None]
    if "W1" in layers:
        hidden = np.maximum(fixed_product(layers["W1"].T, inputs) + layers["b1"][:, None], 0)
        hidden = np.maximum(fixed_product(layers["W2"].T, hidden) + layers["b2"][:, None], 0)
        out += fixed_product(layers["O"].T, hidden)
    return out


def parameters(
    outputs: np.ndarray, experts: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Centre, log scale, asymmetry and tail weight of the log growth: a weight on each expert and four outputs more."""
    e = len(experts)
    centre = (outputs[:e] * experts).sum(0) + 0.5 * noise * outputs[e]
    log_scale = np.clip(outputs[e + 1], -4, 4) + np.log(noise)
    skew = 0.5 * np.tanh(outputs[e + 2])
    tail = np.exp(np.clip(0.5 * outputs[e + 3] - 0.7, -2.5, 0.3))
    return centre, log_scale, skew, tail


@dataclass(frozen=True, slots=True)
class Distribution:
    """Year-end distributions of a block: log growth = centre + s e^(+-skew) sinh(tail z) / tail, z by the table."""

    case: Case
    centre: np.ndarray
    log_scale: np.ndarray
    skew: np.ndarray
    tail: np.ndarray
    z: np.ndarray  # at LEVELS, shared by the block

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Year-end values, (levels, series). Beyond LEVELS the table goes on with the normal's slope."""
        normal = ndtri(levels)
        z = (
            np.interp(normal, _NORMAL, self.z)
            + np.minimum(normal - _NORMAL[0], 0)
            + np.maximum(normal - _NORMAL[-1], 0)
        )
        wide = np.exp(self.log_scale - np.log(2 * self.tail))
        sides = np.exp(self.skew) * wide, np.exp(-self.skew) * wide
        swing = np.exp(z[:, None].astype("float32") * self.tail)
        swing -= 1 / swing
        up = z > 0
        swing[up] *= sides[0]
        swing[~up] *= sides[1]
        swing += self.centre
        rest = self.case.base * np.exp(
            np.clip(swing, -8, 4, out=swing), out=swing
        )  # values again, double precision
        rest -= self.case.offset
        return self.case.known + np.maximum(rest, 0, out=rest)

    def chance(self, target: np.ndarray) -> np.ndarray:
        """Probability of reaching at least the target, in closed form; the inverse of `quantiles`."""
        rest = target - self.case.known + self.case.offset
        need = np.log(np.maximum(rest, 1e-300) / self.case.base)
        gap = np.clip(need, -8, 4) - self.centre
        z = (
            np.arcsinh(self.tail * gap * np.exp(-np.sign(gap) * self.skew - self.log_scale))
            / self.tail
        )
        normal = (
            np.interp(z, self.z, _NORMAL)
            + np.minimum(z - self.z[0], 0)
            + np.maximum(z - self.z[-1], 0)
        )
        return np.where(target <= self.case.known, 1.0, np.where(need > 4, 0.0, ndtr(-normal)))


def distribution(values: np.ndarray, years: int, k: int, stock: bool) -> Distribution:
    """The pooled model's distributions for a block of series, (12 * years + k, n), oldest month first."""
    fitted = _stored(COEFFICIENTS, "stock" if stock else "flow", family_of(years))
    case = describe(values, years, k, stock)
    outputs = forward(standardise(case.inputs, fitted.mean, fitted.scale), fitted.layers)
    return Distribution(
        case, *parameters(outputs, case.experts, case.noise), fitted.table[k - 1, max(0, years - 2)]
    )


def project_year_end(
    history: pd.DataFrame,
    kind: str = "flow",
    year: int | None = None,
    levels=LEVELS,
    targets: pd.Series | None = None,
) -> pd.DataFrame:
    """Project the year end of any number of monthly series.

    Parameters
    ----------
    history : columns `series_id`, `period` (YYYY-MM or month), `value` (the month's own value; for a stock the level at
        month end), optional `months` (default 1; 2 = a sum that ends in that month). Any order, any lengths, gaps
        allowed; months after the last known one of the year are to be projected.
    kind : flow (the year's sum) or stock (the level of December).
    year : project this year, as known then; by default each series' latest one.
    levels : quantile levels, between 0 and 1.
    targets : by series_id, in the unit of the values; adds `probability`.
    Returns
    -------
    one row a series, ordered by `series_id`, one column a level (its name is the level), and with targets
    `probability`, the chance of reaching at least the target (NaN only where a series has no target).
    `.attrs["refused"]` holds `series_id`, `reason` of the series that could not be projected.
    Raises
    ------
    ValueError : unknown kind, a missing column, levels outside 0 to 1, two targets for one series.
    Source
    ------
    系数由公开月度序列拟合(coefficients.npz),方法见说明文档。
    """
    if kind not in ("flow", "stock"):
        raise ValueError(f"kind is flow or stock, not {kind!r}")
    if missing := {"series_id", "period", "value"} - set(history.columns):
        raise ValueError(f"history lacks columns {sorted(missing)}")
    wanted = np.asarray(levels, float)
    if wanted.ndim != 1 or not len(wanted) or not ((wanted > 0) & (wanted < 1)).all():
        raise ValueError("levels lie between 0 and 1")
    if targets is not None and targets.index.has_duplicates:
        raise ValueError(f"two targets for {targets.index[targets.index.duplicated()][0]!r}")
    stock = kind == "stock"
    panel = pivot(history, year, stock)
    n = len(panel.ids)
    aims = np.full(n, np.nan) if targets is None else targets.reindex(panel.ids).to_numpy(float)
    out, chance = np.full((len(wanted), n), np.nan), np.full(n, np.nan)
    shape = np.where(panel.reason == "", panel.years * 16 + panel.k, -1)
    for key in np.unique(shape[shape >= 0]):
        rows = np.flatnonzero(shape == key)
        years, k = divmod(int(key), 16)
        for part in (rows[i : i + BLOCK] for i in range(0, len(rows), BLOCK)):
            values = np.ones((12 * years + k, BLOCK))
            values[:, : len(part)] = panel.values[
                part, 12 * (MAX_YEARS - years) : 12 * MAX_YEARS + k
            ].T
            q, p = _solve(
                values,
                years,
                k,
                stock,
                wanted,
                aims[part],
                panel.whole[part],
                panel.guessed[part],
                panel.quarterly[part],
            )
            out[:, part], chance[part] = q, p
    reason = np.where(
        (panel.reason == "") & ~np.isfinite(out).all(0), "数值过大或过小,无法测算", panel.reason
    )
    good = reason == ""
    kept = out if good.all() else out[:, good]
    frame = pd.DataFrame(kept.T, columns=[float(x) for x in levels], copy=False)
    names = pd.Series(panel.ids, dtype=history["series_id"].dtype)
    frame.insert(0, "series_id", names[good].array)
    if targets is not None:
        frame["probability"] = chance[good]
    frame.attrs["refused"] = pd.DataFrame(
        {"series_id": names[~good].array, "reason": pd.Series(reason[~good], dtype="str")}
    )
    return frame


def _solve(
    values: np.ndarray,
    years: int,
    k: int,
    stock: bool,
    levels: np.ndarray,
    aims: np.ndarray,
    whole: np.ndarray,
    guessed: np.ndarray,
    quarterly: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles (levels, n) and chances of the n series that fill the front of a padded block."""
    n = len(aims)
    if k == 12:
        end = (values[-1] if stock else values[-12:].sum(0))[:n]
        return np.repeat(end[None], len(levels), 0), np.where(np.isnan(aims), np.nan, end >= aims)
    found = distribution(values, years, k, stock)

    def padded(part: np.ndarray, fill: float) -> np.ndarray:
        return np.concatenate([part, np.full(BLOCK - n, fill)])

    target, guess = padded(np.where(np.isnan(aims), 1.0, aims), 0.0), padded(guessed, 0.0)
    counted, by_quarter = padded(whole, 0.0) > 0, padded(quarterly, 0.0) > 0
    q, at = found.quantiles(levels), target
    if guess.any() and not stock:  # months that had to be guessed widen the spread
        low, middle, high = found.quantiles(np.array([0.16, 0.5, 0.84]))
        stretch = np.sqrt(1 + (3 * found.case.noise * guess / np.maximum(high - low, 1e-300)) ** 2)
        q = np.where(guess > 0, np.maximum(middle + (q - middle) * stretch, 0), q)
        at = np.where(guess > 0, middle + (target - middle) / stretch, target)
    if (
        by_quarter.any() and not stock and k in QUARTER_STRETCH
    ):  # three months at once say less than three months
        known, power = found.case.known, np.where(by_quarter, QUARTER_STRETCH[k], 1.0)
        middle = np.maximum(found.quantiles(np.array([0.5]))[0] - known, 1e-300)
        q = np.where(by_quarter, known + middle * (np.maximum(q - known, 0) / middle) ** power, q)
        at = np.where(
            by_quarter, known + middle * (np.maximum(at - known, 0) / middle) ** (1 / power), at
        )
    p = found.chance(at)
    weight = np.zeros(BLOCK) if stock else small_counts(values, years, counted)
    if weight.any():
        few = np.where(
            weight > 0, values, 1.0
        )  # the whole block again, as sums over one column round otherwise
        q = np.where(
            weight > 0, (1 - weight) * q + weight * count_quantiles(few, years, k, levels), q
        )
        p = np.where(weight == 1, count_chance(few, years, k, target), p)
        if ((weight > 0) & (weight < 1)).any():  # read off the mean of both models' quantiles
            grid = np.array(LEVELS)
            mean = (1 - weight) * found.quantiles(grid) + weight * count_quantiles(
                few, years, k, grid
            )
            read = np.where(target <= values[12 * years :].sum(0), 1.0, chance_of(mean.T, target))
            p = np.where((weight > 0) & (weight < 1), read, p)
    nothing = (values == 0).all(0) & (weight == 0)
    q = np.where(nothing, 0.0, q)
    p = np.where(nothing, target <= 0, p)
    return q[:, :n], np.where(np.isnan(aims), np.nan, p[:n])
