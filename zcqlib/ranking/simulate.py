"""How far places rest on weights, methods and data; what moved the scores and what would flip the places."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy import ndarray
from pandas import DataFrame, Series

from zcqlib.ranking.scores import RankingError, climb, normalised, places, tree_of, weights_of

APART = 0.7  # two units are told apart where the one with the better score is ahead in at least this share of the runs
Method = tuple[str, str]  # normalisation and mean
USED: Method = ("efficacy", "arithmetic")
SAME = 1e-9  # scores closer than this share a place: what a change of unit leaves in the last digits decides nothing
_WORDS = {
    "efficacy": "功效系数",
    "minmax_1_100": "极差法1—100",
    "arithmetic": "算术平均",
    "geometric": "几何平均",
    "harmonic": "调和平均",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What could as well have been chosen; the first of each is what is in use.

    `weight_noise` 0.25: each weight at every level is multiplied by its own 1 ± up to 25 %. `noise`: standard error of
    the values, one number for all or units × indicators in the values' unit; 0 takes them as exact. Methods by which a
    unit's score depends on the others' (rank, z-score) are not among the default: under them a value that one unit
    leaves out could lift it.
    """

    normalise: tuple[str, ...] = ("efficacy", "minmax_1_100")
    aggregate: tuple[str, ...] = ("arithmetic", "geometric", "harmonic")
    weight_noise: float = 0.25
    noise: DataFrame | float = 0.0

    def __post_init__(self):
        if not 0 <= self.weight_noise < 1:
            raise ValueError(f"weight_noise 应在 0 与 1 之间,给的是 {self.weight_noise}。")

    @property
    def methods(self) -> list[Method]:
        """Every normalisation with every mean, those in use first."""
        return list(product(self.normalise, self.aggregate))


class Model:
    """Units' values with weights and hierarchy, to be scored many times; arguments as `composite`."""

    def __init__(
        self,
        values,
        weights=None,
        bounds=None,
        groups=None,
        direction=None,
        clip=False,
        weight_sum="any",
    ):
        self.values, self.x = values, values.to_numpy("float64")
        self.ids, self.units = list(values), list(values.index)
        self.tree = tree_of(groups, self.ids)
        self.weights = weights_of(weights, self.ids, self.tree, weight_sum)
        self.top = list(self.tree)[-1]
        self.how = bounds, self.ids, direction, None, clip

    def on(self, x: ndarray) -> Model:
        """The same with other values."""
        other = copy(self)
        other.x = x
        return other

    def scores(self, x: ndarray, method: Method = USED, other: Mapping = {}) -> dict:
        """Scores of every parent for values (..., units, indicators), with other weights for some."""
        v = normalised(x, method[0], *self.how)
        if method[1] != "arithmetic":
            v = np.maximum(v, 1.0)  # keeps NaN
        nodes = {i: v[..., k] for k, i in enumerate(self.ids)}
        return climb(nodes, self.weights | other, self.tree, method[1])

    def places(self, method: Method = USED, other: Mapping = {}) -> ndarray:
        """The units' places."""
        return places(self.scores(self.x, method, other)[self.top], SAME)


def monte_carlo(
    model: Model,
    choices: Choices | None = None,
    *,
    drawn: ndarray | None = None,
    runs: int = 10_000,
    seed: int = 2018,
) -> dict[str, DataFrame]:
    """Places under `runs` random weights and data errors, each method of the choices as often as any other.

    Parameters
    ----------
    model : units without any value get no place. choices : what is varied. Under geometric and harmonic means a
        normalised value below 1 counts as 1.
    drawn : runs × units × indicators, in place of values with errors.
    runs : number of combinations; 0 gives only places by score. seed : same seed, same draws.
    Returns
    -------
    For every parent of the hierarchy, the whole last, by unit: score, nominal (place by score), place (that of the tie), mean,
    median, low and high (90 % interval of the place, whole places), 1 … (chance of each place), tied_with (the others
    of its tie, joined with ;; a tie runs on until every unit above is told apart from every one below).
    Raises
    ------
    RankingError : as `composite`.
    """
    c, rng = choices or Choices(), np.random.default_rng(seed)
    spread = 1 + c.weight_noise * rng.uniform(-1, 1, (runs, len(model.weights)))
    w = {e: v * spread[:, k] for k, (e, v) in enumerate(model.weights.items())}
    if drawn is None:
        drawn = model.x + rng.standard_normal((runs, *model.x.shape)) * np.asarray(c.noise)
    out = {k: np.empty((runs, len(model.units))) for k in model.tree}
    for n, method in enumerate(c.methods):
        at = slice(n, None, len(c.methods))
        for k, v in model.scores(drawn[at], method, {e: v[at] for e, v in w.items()}).items():
            out[k][at] = places(v, SAME)
    nominal = model.scores(model.x, c.methods[0])
    told = {k: _summary(p, places(nominal[k], SAME), model.units) for k, p in out.items()}
    return {k: t.assign(score=nominal[k]) for k, t in told.items()}


def _summary(p: ndarray, nominal: ndarray, units: list) -> DataFrame:
    """What `monte_carlo` says of one parent: from the places of all runs (runs × units) and those by score in use."""
    out = rank_statistics(DataFrame(p, columns=units), Series(nominal, units))
    out["low"], out["high"] = np.floor(out.low), np.ceil(out.high)
    for k in range(1, len(units) + 1):
        out[k] = np.where(np.isnan(nominal), np.nan, (p == k).sum(0) / max(len(p), 1))
    order = np.argsort(nominal, kind="stable")[: np.isfinite(nominal).sum()]
    first, second = p[:, order, None], p[:, None, order]
    ahead = (first < second).sum(0) + (first == second).sum(0) / 2  # a shared place counts as half
    apart = ahead >= APART * len(p)
    place, told = nominal.copy(), [""] * len(units)
    for tie in np.split(order, [k for k in range(1, len(order)) if apart[:k, k:].all()]):
        place[tie] = nominal[tie].min(initial=np.inf)
        for i in tie:
            told[i] = ";".join(str(units[j]) for j in sorted(tie) if j != i)
    return out.assign(place=place, tied_with=told)


def rank_statistics(runs: DataFrame, nominal: Series) -> DataFrame:
    """Statistics of places over runs.

    Parameters
    ----------
    runs : runs × units. nominal : place by unit.
    Returns
    -------
    By unit: nominal, mean, median, low and high (5 % and 95 % quantile, between neighbours by straight lines).
    """
    out = runs.quantile([0.5, 0.05, 0.95]).T.set_axis(["median", "low", "high"], axis=1)
    return out.assign(nominal=nominal, mean=runs.mean())


def leave_one_out(model: Model, method: Method = USED, elements=None) -> DataFrame:
    """Places without each indicator (or each of `elements`, groups too): its weight goes to its siblings.

    Returns
    -------
    Rows by id left out, columns units, and `mean_abs_change` of the place over the units.
    """
    elements = model.ids if elements is None else list(elements)
    if unknown := set(elements) - set(model.weights):
        raise RankingError(f"没有「{min(unknown)}」这个指标或组。")
    found = [model.places(method, {e: 0.0}) for e in elements]
    out = DataFrame(found, elements, model.units)
    change = (out - model.places(method)).abs()
    out["mean_abs_change"] = change.mean(axis=1)  # units without a place do not count
    return out


def flips(
    model: Model, choices: Choices | None = None, names: Mapping[str, str] | None = None
) -> DataFrame:
    """Which one choice alone would change a place: a method, a weight at the end of its range, an indicator left out.

    Parameters
    ----------
    names : Chinese names of indicators and groups.
    Returns
    -------
    One row for each place that changes: `choice` (in Chinese), `unit`, `before`, `after`.
    """
    c, label = choices or Choices(), names or {}
    used = c.methods[0]
    tries = {f"改用{_WORDS.get(n, n)}": ((n, used[1]),) for n in c.normalise[1:]}
    tries |= {f"改用{_WORDS.get(a, a)}": ((used[0], a),) for a in c.aggregate[1:]}
    by = f"{c.weight_noise:.0%}"
    steps = {f"权重增{by}": 1 + c.weight_noise, f"权重减{by}": 1 - c.weight_noise, "不计": 0.0}
    for (e, w), (what, times) in product(model.weights.items(), steps.items()):
        tries[f"「{label.get(e, e)}」{what}"] = used, {e: w * times}
    base = model.places(used)
    rows = [
        (choice, unit, before, after)
        for choice, how in tries.items()
        for unit, before, after in zip(model.units, base, model.places(*how), strict=True)
    ]
    out = DataFrame(rows, columns=["choice", "unit", "before", "after"])
    return out[out.before.fillna(0) != out.after.fillna(0)].reset_index(drop=True)


def moved(
    before: DataFrame,
    model: Model,
    method: Method = USED,
    *,
    orders: int = 24,
    seed: int = 2018,
) -> DataFrame:
    """What moved each score from an earlier period, by indicator, in points that sum exactly to the change.

    The indicators are switched from before to after one at a time for all units, in `orders` random orders and their
    reverses; what each switch moved is averaged (Shapley's rule by sampling), so that no order decides.

    Parameters
    ----------
    before : units × indicators. model : with the values of now.
    Returns
    -------
    For each unit and indicator that changed: `unit`, `indicator`, `score_change`; units without a score before or after
    are left out.
    """
    old, new = before.reindex(index=model.units, columns=model.ids).to_numpy("float64"), model.x
    changed = np.flatnonzero(~np.isclose(old, new, rtol=0, atol=0, equal_nan=True).all(0))
    rng, effect = np.random.default_rng(seed), np.zeros_like(old)
    for _ in range(orders):
        order = rng.permutation(changed)
        for path in (order, order[::-1]):
            x = np.repeat(old[None], len(path) + 1, axis=0)
            for step, k in enumerate(path, 1):
                x[step:, :, k] = new[:, k]
            score = model.scores(x, method)[model.top]
            effect[:, path] += np.diff(score, axis=0).T / (2 * orders)
    out = DataFrame(effect, model.units, model.ids).iloc[:, changed].dropna()
    out = out.rename_axis(index="unit", columns="indicator").stack().rename("score_change")
    return out.reset_index()
