"""How far places rest on weights, methods, imputation and data; what moved them and what would flip them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from zcqlib.ranking.scores import RankingError, climb, normalised, places, prepare

FACTORS = ("weights", "normalise", "aggregate", "missing", "data")
APART = 0.7  # two units are told apart where the one with the better score is ahead in at least this share of the runs
_SAME = 1e-9  # scores closer than this share a place: what a change of unit leaves in the last digits decides nothing
_WORDS = {
    "efficacy": "功效系数",
    "minmax_100": "极差法0—100",
    "minmax_1_100": "极差法1—100",
    "zscore": "标准分",
    "rank": "名次法",
    "percentile_rank": "百分名次法",
    "goalposts": "目标区间法",
    "arithmetic": "算术平均",
    "geometric": "几何平均",
    "harmonic": "调和平均",
    "drop": "缺数不计、权重分摊",
    "mean": "缺数取平均",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What could as well have been chosen; the first of each is what is in use.

    `weight_noise` 0.25: each weight at every level is multiplied by its own 1 ± up to 25 %. `noise`: standard error of
    the values, one number for all or units × indicators in the values' unit; 0 takes them as exact. `fill`: units ×
    indicators, the gaps that may be filled (default all): what was never asked of a unit must not be.
    """

    normalise: tuple[str, ...] = ("efficacy", "minmax_1_100", "rank")
    aggregate: tuple[str, ...] = ("arithmetic", "geometric", "harmonic")
    missing: tuple[str, ...] = ("drop", "mean")
    weight_noise: float = 0.25
    noise: pd.DataFrame | float = 0.0
    fill: pd.DataFrame | None = None

    def __post_init__(self):
        if unknown := set(self.missing) - {"drop", "mean"}:
            raise ValueError(
                f"模拟中 missing 只能是 drop、mean,给的是 {'、'.join(sorted(unknown))}。"
            )
        if not 0 <= self.weight_noise < 1:
            raise ValueError(f"weight_noise 应在 0 与 1 之间,给的是 {self.weight_noise}。")


@dataclass(frozen=True, slots=True)
class Simulation:
    """`summary` by unit: nominal, mean, median, low, high (90 % interval of the place), p_1 … (chance of each place),
    tied_with (the others of its tie, joined with ;; a tie runs on until every unit above is told apart from every one
    below). `ahead`: chance that the row's unit is ahead of the column's, a shared place as half. `places`: runs ×
    units. `groups`: the same summary for every group."""

    summary: pd.DataFrame
    ahead: pd.DataFrame
    places: pd.DataFrame = field(repr=False)
    groups: dict[str, pd.DataFrame] = field(repr=False)


def monte_carlo(
    values: pd.DataFrame,
    weights=None,
    bounds=None,
    groups=None,
    *,
    choices: Choices | None = None,
    direction=None,
    runs: int = 10_000,
    seed: int = 2018,
) -> Simulation:
    """Places under `runs` random combinations of weights, methods, imputation and data errors.

    Parameters
    ----------
    values, weights, bounds, groups, direction : as `composite`. Units without any value get no place.
    choices : what is varied. Under geometric and harmonic means a normalised value below 1 counts as 1.
    runs : number of combinations. seed : same seed, same draws.
    Returns
    -------
    Simulation. `low` and `high` are whole places.
    Raises
    ------
    RankingError : as `composite`. ValueError : fewer than 1 run.
    """
    if runs < 1:
        raise ValueError(f"runs 应不小于 1,给的是 {runs}。")
    u = np.random.default_rng(seed).random((runs, len(FACTORS)))
    u[:, 0] = u[:, 4] = (
        np.arange(runs) + 0.5
    ) / runs  # each run has weights and data errors of its own
    model = _Model.of(values, weights, bounds, groups, choices or Choices(), direction)
    nodes, nominal = model.run(u, runs, seed), model.nominal()
    units = list(values.index)
    ranked = {k: places(v, _SAME) for k, v in nodes.items()}
    last = list(model.tree)[-1]
    ahead = _ahead(ranked[last])
    groups = {k: _summary(ranked[k], places(nominal[k], _SAME), units) for k in model.tree}
    frame = pd.DataFrame(ranked[last], columns=units)
    return Simulation(groups[last], pd.DataFrame(ahead, units, units), frame, groups)


@dataclass(frozen=True, slots=True)
class _Model:
    x: np.ndarray
    ids: list[str]
    weights: dict[str, float]
    tree: dict[str, list[str]]
    bounds: object
    direction: object
    choices: Choices

    @classmethod
    def of(cls, values, weights, bounds, groups, choices, direction) -> _Model:
        _, given, tree = prepare(
            values, weights, bounds, choices.normalise[0], groups, direction=direction
        )
        return cls(
            values.to_numpy("float64"),
            list(values.columns),
            given,
            tree,
            bounds,
            direction,
            choices,
        )

    def scores(
        self, x: np.ndarray, weights: Mapping, normalise: str, aggregate: str, missing: str
    ) -> dict:
        if missing == "mean":
            gaps = np.isnan(x)
            with np.errstate(invalid="ignore"):
                middle = np.where(gaps, 0, x).sum(-2, keepdims=True) / (~gaps).sum(
                    -2, keepdims=True
                )
            may = True if self.choices.fill is None else self.choices.fill.to_numpy(bool)
            x = np.where(gaps & ~gaps.all(-1, keepdims=True) & may, middle, x)
        v = normalised(x, normalise, self.bounds, self.ids, self.direction)
        return climb({i: v[..., k] for k, i in enumerate(self.ids)}, weights, self.tree, aggregate)

    def nominal(self) -> dict:
        c = self.choices
        return self.scores(self.x, self.weights, c.normalise[0], c.aggregate[0], c.missing[0])

    def run(self, u: np.ndarray, draws: int, seed: int) -> dict[str, np.ndarray]:
        """Scores of every parent, runs × units, for runs given by one number in [0, 1) for each factor."""
        c, rng = self.choices, np.random.default_rng([seed, 1])
        elements = [e for children in self.tree.values() for e in children]
        spread = 1 + c.weight_noise * rng.uniform(-1, 1, (draws, len(elements)))
        noise = (
            c.noise.to_numpy("float64")
            if isinstance(c.noise, pd.DataFrame)
            else np.full(self.x.shape, c.noise)
        )
        errors = (
            rng.standard_normal((draws, *self.x.shape)) * noise
            if noise.any()
            else np.zeros((1, *self.x.shape))
        )
        pick = [
            np.minimum((u[:, k] * n).astype(int), n - 1)
            for k, n in enumerate(
                (draws, len(c.normalise), len(c.aggregate), len(c.missing), len(errors))
            )
        ]
        out = {k: np.full((len(u), len(self.x)), np.nan) for k in self.tree}
        for n, a, m in product(*map(range, (len(c.normalise), len(c.aggregate), len(c.missing)))):
            at = np.flatnonzero((pick[1] == n) & (pick[2] == a) & (pick[3] == m))
            if not len(at):
                continue
            w = {e: self.weights[e] * spread[pick[0][at], k] for k, e in enumerate(elements)}
            x = self.x + (errors[pick[4][at]] if len(errors) > 1 else errors)
            nodes = self.scores(x, w, c.normalise[n], c.aggregate[a], c.missing[m])
            for k in self.tree:
                out[k][at] = nodes[k]
        return out


def _ahead(p: np.ndarray) -> np.ndarray:
    return np.array(
        [
            [
                np.mean((p[:, i] < p[:, j]) + 0.5 * (p[:, i] == p[:, j])) if i != j else np.nan
                for j in range(p.shape[1])
            ]
            for i in range(p.shape[1])
        ]
    ).reshape(p.shape[1], p.shape[1])


def _summary(p: np.ndarray, nominal: np.ndarray, units: list) -> pd.DataFrame:
    out = rank_statistics(pd.DataFrame(p, columns=units), pd.Series(nominal, units))
    out["low"], out["high"] = np.floor(out["low"]), np.ceil(out["high"])
    for k in range(1, len(units) + 1):
        out[f"p_{k}"] = np.where(np.isnan(nominal), np.nan, (p == k).mean(0))
    ahead, order = (
        _ahead(p),
        [k for k in np.argsort(nominal, kind="stable") if nominal[k] == nominal[k]],
    )
    cuts = [k for k in range(1, len(order)) if (ahead[np.ix_(order[:k], order[k:])] >= APART).all()]
    ties = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    out["tied_with"] = [
        ";".join(str(units[j]) for tie in ties if i in tie for j in sorted(tie) if j != i)
        for i in range(len(units))
    ]
    return out


def rank_statistics(runs: pd.DataFrame, nominal: pd.Series) -> pd.DataFrame:
    """Statistics of places over runs.

    Parameters
    ----------
    runs : runs × units. nominal : place by unit.
    Returns
    -------
    By unit: nominal, mean, median, low and high (5 % and 95 % quantile, between neighbours by straight lines).
    """
    known = runs.loc[:, runs.notna().all()]
    q = np.quantile(known.to_numpy(), [0.5, 0.05, 0.95], axis=0)
    q = pd.DataFrame(q, ["median", "low", "high"], known.columns).T
    return (
        pd.DataFrame({"nominal": nominal.reindex(runs.columns), "mean": known.mean()})
        .join(q)
        .reindex(runs.columns)
    )


def leave_one_out(
    values: pd.DataFrame,
    weights=None,
    bounds=None,
    normalise: str = "efficacy",
    aggregate: str = "arithmetic",
    groups=None,
    *,
    elements=None,
    **options,
) -> pd.DataFrame:
    """Places without each indicator (or each of `elements`, groups too): its weight goes to its siblings.

    Parameters
    ----------
    Those of `composite`; `elements` : ids to leave out in turn.
    Returns
    -------
    Rows by id left out, columns units, and `mean_abs_change` of the place over the units.
    """
    x, given, tree = prepare(values, weights, bounds, normalise, groups, **options)
    elements = list(values.columns) if elements is None else list(elements)
    if unknown := [e for e in elements if e not in given]:
        raise RankingError(f"没有「{unknown[0]}」这个指标或组。")
    w = {
        e: np.where(np.array([o == e for o in [None, *elements]]), 0.0, v) for e, v in given.items()
    }
    nodes = climb(dict(zip(values.columns, x.T[:, None, :], strict=True)), w, tree, aggregate)
    found = places(nodes[list(tree)[-1]], _SAME)
    out = pd.DataFrame(found[1:], elements, list(values.index))
    out["mean_abs_change"] = (
        out.sub(found[0]).abs().mean(axis=1)
    )  # units without a place do not count
    return out


def flips(
    values: pd.DataFrame,
    weights=None,
    bounds=None,
    groups=None,
    *,
    choices: Choices | None = None,
    direction=None,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Which one choice alone would change a place: a method, a weight at the end of its range, an indicator left out.

    Parameters
    ----------
    As `monte_carlo`; names : Chinese names of indicators and groups.
    Returns
    -------
    One row for each place that changes: `choice` (in Chinese), `unit`, `before`, `after`.
    """
    c, label = choices or Choices(), names or {}
    model = _Model.of(values, weights, bounds, groups, c, direction)
    use = dict(normalise=c.normalise[0], aggregate=c.aggregate[0], missing=c.missing[0])
    tries = [
        (f"改用{_WORDS.get(word, word)}", use | {what: word}, model.weights)
        for what in use
        for word in getattr(c, what)[1:]
    ]
    for e, w in model.weights.items():
        tries += [
            (
                f"「{label.get(e, e)}」权重{'增' if s > 0 else '减'}{100 * c.weight_noise:.0f}%",
                use,
                model.weights | {e: w * (1 + s * c.weight_noise)},
            )
            for s in (1, -1)
            if c.weight_noise
        ]
        tries.append((f"不计「{label.get(e, e)}」", use, model.weights | {e: 0.0}))
    last, rows = list(model.tree)[-1], []
    base = places(model.nominal()[last], _SAME)
    for choice, how, w in tries:
        found = places(model.scores(model.x, w, **how)[last], _SAME)
        rows += [
            dict(choice=choice, unit=unit, before=b, after=a)
            for unit, b, a in zip(values.index, base, found, strict=True)
            if a != b and not (a != a and b != b)
        ]
    return pd.DataFrame(rows, columns=["choice", "unit", "before", "after"])


def moved(
    before: pd.DataFrame,
    after: pd.DataFrame,
    weights=None,
    bounds=None,
    normalise: str = "efficacy",
    aggregate: str = "arithmetic",
    groups=None,
    *,
    orders: int = 24,
    seed: int = 2018,
    **options,
) -> pd.DataFrame:
    """What moved each score and place between two months, by indicator, summing exactly to the change.

    The indicators are switched from before to after one at a time for all units, in `orders` random orders and their
    reverses; what each switch moved is averaged (Shapley's rule by sampling), so that no order decides.

    Parameters
    ----------
    before, after : units × indicators, the same on both sides. Others as `composite`.
    Returns
    -------
    For each unit and indicator that changed: `unit`, `indicator`, `score_change`, `rank_change` (negative is up).
    Raises
    ------
    RankingError : units or indicators differ, or a unit has no score before or after.
    """
    if list(before.index) != list(after.index) or list(before.columns) != list(after.columns):
        raise RankingError("两个月的单位和指标应相同、次序应相同;退出或新增的单位请先去掉。")
    differs = ~((before == after) | (before.isna() & after.isna())).all()
    ids, changed = list(before.columns), np.flatnonzero(differs.to_numpy())
    old, new = before.to_numpy("float64"), after.to_numpy("float64")
    rng, paths = np.random.default_rng(seed), []
    for _ in range(orders if len(changed) > 1 else 1):
        order = rng.permutation(changed)
        paths += [order, order[::-1]]
    x = np.empty((len(paths), len(changed) + 1, *old.shape))
    for p, order in enumerate(paths):
        x[p, 0] = old
        for step, k in enumerate(order):
            x[p, step + 1] = x[p, step]
            x[p, step + 1, :, k] = new[:, k]
    _, given, tree = prepare(before, weights, bounds, normalise, groups, **options)
    how = {k: options.get(k) for k in ("direction", "scale", "clip")}
    v = normalised(x, normalise, bounds, ids, **how)
    scores = climb({i: v[..., k] for k, i in enumerate(ids)}, given, tree, aggregate)[
        list(tree)[-1]
    ]
    if np.isnan(scores).any():
        unit = before.index[int(np.argmax(np.isnan(scores).any((0, 1))))]
        raise RankingError(f"{unit} 在前后某一步没有得分,不能分解;请只比较两个月都有得分的单位。")
    rows = []
    steps = {"score_change": scores, "rank_change": places(scores, _SAME)}
    for change, table in ((name, np.diff(level, axis=1)) for name, level in steps.items()):
        sums = {
            k: sum(table[p, list(order).index(k)] for p, order in enumerate(paths)) / len(paths)
            for k in changed
        }
        rows.append(
            pd.DataFrame(
                {
                    (unit, ids[k]): {change: s[u]}
                    for k, s in sums.items()
                    for u, unit in enumerate(before.index)
                }
            ).T
        )
    if not len(changed):
        return pd.DataFrame(columns=["unit", "indicator", "score_change", "rank_change"])
    out = pd.concat(rows, axis=1)
    out.index.names = ["unit", "indicator"]
    return out.reset_index()


def sensitivity(
    values: pd.DataFrame,
    weights=None,
    bounds=None,
    groups=None,
    *,
    choices: Choices | None = None,
    direction=None,
    samples: int = 512,
    seed: int = 2018,
) -> pd.DataFrame:
    """Share of the movement of places that each kind of choice explains, by itself and with the others (SALib, Sobol').

    Parameters
    ----------
    As `monte_carlo`; samples : a power of 2, runs are 7 times as many.
    Returns
    -------
    By factor (weights, normalise, aggregate, missing, data): `first`, `total` and their half 95 % intervals
    `first_conf`, `total_conf`, of the mean absolute difference of places to those in use; NaN where no place moves.
    """
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    if samples < 2 or samples & (samples - 1):
        raise ValueError(f"samples 应为 2 的整数次幂,给的是 {samples}。")
    problem = {
        "num_vars": len(FACTORS),
        "names": list(FACTORS),
        "bounds": [[0.0, 1.0]] * len(FACTORS),
    }
    u = sample.sample(problem, samples, calc_second_order=False, seed=seed)
    model = _Model.of(values, weights, bounds, groups, choices or Choices(), direction)
    last = list(model.tree)[-1]
    base = places(model.nominal()[last], _SAME)
    change = np.abs(places(model.run(u, samples, seed)[last], _SAME) - base)
    y = change[:, ~np.isnan(base)].mean(1)
    if not y.size or np.ptp(y) == 0:
        return pd.DataFrame(np.nan, list(FACTORS), ["first", "total", "first_conf", "total_conf"])
    found = analyze.analyze(problem, y, calc_second_order=False, seed=seed)
    return pd.DataFrame(
        {
            "first": found["S1"],
            "total": found["ST"],
            "first_conf": found["S1_conf"],
            "total_conf": found["ST_conf"],
        },
        index=list(FACTORS),
    )


def sobol_indices(target: np.ndarray, factors: list[str]) -> pd.DataFrame:
    """First-order and total indices from a stored run in blocks A, B, then one block for each factor.

    Parameters
    ----------
    target : one number a run, n·(factors + 2) runs; not centred, as COINr has it.
    Returns
    -------
    By factor `first`, `total`.
    Raises
    ------
    ValueError : the runs do not divide into the blocks.
    """
    y = np.asarray(target, float)
    if len(y) % (len(factors) + 2):
        raise ValueError(f"{len(y)} 次运行不能分成 {len(factors) + 2} 块。")
    a, b, *rest = y.reshape(len(factors) + 2, -1)
    variance = np.concatenate([a, b]).var(ddof=1)
    return pd.DataFrame(
        {
            "first": [(b * (ab - a)).mean() / variance for ab in rest],
            "total": [((a - ab) ** 2).sum() / (2 * len(a) * variance) for ab in rest],
        },
        index=factors,
    )
