"""Composite scores of units by indicators: fill, normalise, climb a hierarchy of weighted means, rank."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy import ndarray
from pandas import DataFrame, Series
from scipy import stats

from zcqlib.tables import ZcqError

TOP = "score"
NORMALISE = {  # normalisation → its range, or mean and deviation
    "efficacy": (60.0, 100.0),
    "minmax_100": (0.0, 100.0),
    "minmax_1_100": (1.0, 100.0),
    "zscore": (0.0, 1.0),
    "rank": None,
    "percentile_rank": None,
    "none": None,
}
MEANS = {  # a mean → what is averaged, and back
    "arithmetic": (np.positive, np.positive),
    "geometric": (np.log, np.exp),
    "harmonic": (np.reciprocal, np.reciprocal),
}
MISSING = ("drop", "mean", "group_mean")


class RankingError(ZcqError, ValueError):
    """Scores that cannot be had from these values, weights or bounds."""


def composite(
    values: DataFrame,
    weights=None,
    bounds=None,
    normalise: str = "efficacy",
    aggregate: str = "arithmetic",
    groups=None,
    *,
    direction=None,
    missing: str = "drop",
    unit_groups=None,
    scale: tuple[float, float] | None = None,
    clip: bool = False,
    weight_sum: str = "any",
    levels: bool = False,
) -> Series | DataFrame:
    """Weighted scores of units (rows) from indicators (columns), level by level.

    Parameters
    ----------
    values : units × indicators, NaN where missing.
    weights : id → weight for indicators and groups (Series or mapping; a list of numbers is taken in column order); ids
        outside the hierarchy are not looked at. None, or a level of which no element is named: siblings count the same.
        Only the ratio to siblings matters, since they are divided by their sum; `weight_sum="one"` refuses siblings
        that do not sum to 1. A negative weight counts against; weight 0 takes an element out.
    bounds : indicator → (low, high), a frame with columns low and high (or lower and upper), or a pair
        for all; in the indicator's own unit and sense. Needed for efficacy; min-max takes the smallest
        and largest value available where None. Efficacy reads low > high as a negative indicator.
    normalise : efficacy `60 + 40·(x − low)/(high − low)`, not cut; minmax_100; minmax_1_100; zscore (sample deviation);
        rank (1 is the worst, ties take the lowest); percentile_rank; none.
        An indicator that is the same everywhere has no min-max by data and no z-score: it counts as missing.
    aggregate : arithmetic, geometric, harmonic.
    groups : child → parent for indicators and groups (Series or mapping). None: all indicators side by side.
    direction : indicator → 1 or -1; values are multiplied by it before normalising.
    missing : drop (weights go to the siblings), mean, group_mean (of `unit_groups`, a Series by unit); filled before
        normalising. A parent with all children missing is missing.
    scale : range of min-max, mean and deviation of the z-score, in place of the usual.
    clip : cut at the bounds. levels : give every group too.
    Returns
    -------
    Series by unit, named score; with `levels` a frame with the groups and `score` as columns.
    Raises
    ------
    RankingError : weights, bounds or groups that do not fit, a value that a geometric mean (≤ 0) or a harmonic one (0)
        cannot take.
    Source
    ------
    功效系数法;OECD/JRC 综合指标手册;定义与 COINr 1.1.14 一致。
    """
    values = _numbers(values)
    tree = tree_of(groups, list(values))
    given = weights_of(weights, list(values), tree, weight_sum)
    x = _filled(values, missing, unit_groups).to_numpy()
    x = normalised(x, normalise, bounds, list(values), direction, scale, clip)
    wrong = {"geometric": x <= 0, "harmonic": x == 0}.get(aggregate, np.zeros(0))
    if wrong.any():
        u, i = np.argwhere(wrong)[0]
        raise RankingError(
            f"几何平均只能用正数,调和平均不能用 0:{values.index[u]} 的 {values.columns[i]} 为 {x[u, i]:g}。"
            "请改用算术平均,或换一种标准化(如 minmax_1_100)。"
        )
    nodes = climb(dict(zip(values.columns, x.T, strict=True)), given, tree, aggregate)
    out = DataFrame(nodes, index=values.index)
    last = list(tree)[-1]
    return out.rename(columns={last: TOP}) if levels else out[last].rename(TOP)


def ranks(scores: Series | DataFrame, tolerance: float | None = None) -> Series | DataFrame:
    """Places: 1 is the highest score, equal scores share the better place and the next is skipped, missing stays NaN.

    Parameters
    ----------
    scores : by unit, or a frame of such columns.
    tolerance : scores not further apart than this share a place; default 1e-12 of the largest, so that the last digits
        of floating-point numbers, which a change of unit moves, decide nothing. Scores are not rounded otherwise.
    Returns
    -------
    float places of the same shape.
    """
    if isinstance(scores, DataFrame):
        return scores.apply(ranks, tolerance=tolerance)
    s = Series(scores, dtype="float64")
    tolerance = 1e-12 * s.abs().max() if tolerance is None else tolerance
    return Series(places(s.to_numpy(), tolerance), index=s.index, name="rank")


def places(scores: ndarray, tolerance: float = 0.0) -> ndarray:
    """Places along the last axis: one more than the number of clearly higher scores."""
    ahead = sum((scores[..., [j]] - scores > tolerance) for j in range(scores.shape[-1]))
    return np.where(np.isnan(scores), np.nan, ahead + 1.0)


def climb(
    nodes: Mapping[str, ndarray],
    weights: Mapping[str, ndarray],
    tree: Mapping[str, list[str]],
    aggregate: str,
) -> dict[str, ndarray]:
    """Every parent's score from its children's, lowest parents first; arrays end in the axis of units."""
    _known(aggregate, MEANS, "aggregate")
    (of, back), nodes = MEANS[aggregate], dict(nodes)
    for parent, children in tree.items():
        w = np.stack([np.asarray(weights[c], float) for c in children], axis=-1)[..., None, :]
        v = np.stack([nodes[c] for c in children], axis=-1)
        w = np.where(there := ~np.isnan(v), w, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = back((of(np.where(there, v, 1.0)) * w).sum(-1) / w.sum(-1))
        nodes[parent] = np.where(w.sum(-1) == 0, np.nan, mean)
    return {k: nodes[k] for k in tree}


def _numbers(values: DataFrame) -> DataFrame:
    if not isinstance(values, DataFrame) or values.empty:
        raise RankingError("values 应为至少一个单位、一个指标的表。")
    for axis in values.axes:
        if axis.has_duplicates:
            raise RankingError(f"「{axis[axis.duplicated()][0]}」出现不止一次。")
    try:
        out = values.astype("float64")
    except ValueError as e:
        raise RankingError(f"values 中有的不是数字:{e}") from e
    if np.isinf(out.to_numpy()).any():
        raise RankingError(f"指标「{out.columns[np.isinf(out).any()][0]}」有无穷大的值。")
    return out


def _known(word: str, offered, what: str) -> None:
    if word not in offered:
        raise ValueError(f"{what} 不认识「{word}」,可用的是 {'、'.join(offered)}。")


def tree_of(groups, ids: list[str]) -> dict[str, list[str]]:
    """Parent → children, lowest parents first, the last one the score."""
    up = dict.fromkeys(ids, TOP) if groups is None else dict(groups.items())
    if lost := set(ids) - set(up):
        raise RankingError(f"groups 中没有指标「{min(lost)}」。")
    down: dict[str, list[str]] = {}
    roots, queue = [], list(ids)
    for child in queue:  # grows by each parent once
        parent = up.get(child)
        if not isinstance(parent, str) or not parent:
            roots.append(child)
            continue
        if parent not in down:
            queue.append(parent)
        down.setdefault(parent, []).append(child)
    if len(roots) != 1 or not down:
        down[TOP] = roots
    try:
        order = [p for p in TopologicalSorter(down).static_order() if p in down]
    except CycleError as e:
        raise RankingError(f"groups 中有互为上级的组:{e.args[1]}。") from e
    if both := set(down) & set(ids):
        raise RankingError(f"groups 中「{min(both)}」既是指标又是别的指标的上级。")
    return {p: down[p] for p in order}


def weights_of(
    weights, ids: list[str], tree: dict[str, list[str]], weight_sum: str = "any"
) -> dict[str, float]:
    """Weight by id for everything in the tree; arguments as `composite`."""
    _known(weight_sum, ("any", "one"), "weight_sum")
    given, out = _given(weights, ids), {}
    for children in (ids, *tree.values()):  # none named among all indicators: all count the same
        lost = [c for c in children if c not in given and c not in out]
        if lost and (named := set(children) & set(given)):
            raise RankingError(f"「{lost[0]}」没有权重,而同级的「{min(named)}」有。请补上。")
        out |= {c: given.get(c, out.get(c, 1 / len(children))) for c in children}
    for parent, children in tree.items():
        total = sum(out[c] for c in children)
        if not 1e-12 < abs(total) < np.inf:
            raise RankingError(f"「{parent}」下的权重合计为 {total:g},不能加权。")
        if weight_sum == "one" and abs(total - 1) > 1e-5:
            raise RankingError(f"「{parent}」下的权重合计 {total:.6g},应为 1。请核对权重表。")
    return out


def _given(weights, ids: list[str]) -> dict[str, float]:
    if weights is None:
        return {}
    if hasattr(weights, "items"):
        return dict(weights.items())
    if len(weights) != len(ids):
        raise RankingError(f"有 {len(ids)} 个指标,却给了 {len(weights)} 个权重。")
    return dict(zip(ids, weights, strict=True))


def _filled(values: DataFrame, missing: str, unit_groups) -> DataFrame:
    _known(missing, MISSING, "missing")
    of = Series(unit_groups if missing == "group_mean" else 0, values.index)
    return values if missing == "drop" else values.fillna(values.groupby(of).transform("mean"))


def normalised(
    x: ndarray, how: str, bounds, ids: list[str], direction=None, scale=None, clip=False
) -> ndarray:
    """Values (..., units, indicators) on the common scale; arguments as `composite`."""
    _known(how, NORMALISE, "normalise")
    signs = np.array([1.0 if direction is None else direction.get(i, 1) for i in ids])
    if (wrong := np.abs(signs) != 1).any():
        raise RankingError(f"指标「{ids[int(np.argmax(wrong))]}」的方向应为 1 或 -1。")
    x = x * signs
    if how == "none":
        return x
    if how in ("rank", "percentile_rank"):
        place = stats.rankdata(x, "min", axis=-2, nan_policy="omit")
        others = (~np.isnan(x)).sum(-2, keepdims=True) - 1
        return place if how == "rank" else (place - 1) / np.where(others, others, np.nan)
    start, end = scale or NORMALISE[how]
    if how == "efficacy" or bounds is not None and how != "zscore":
        low, high = _posts(how, bounds, ids, signs)
    else:
        low, high = _spread(x, how)
        end += start * (how == "zscore")
    share = (x - low) / (high - low)
    return start + (end - start) * (np.clip(share, 0.0, 1.0) if clip else share)


def _spread(x, how: str) -> tuple:
    """Smallest and largest value of each indicator, or mean and mean + sample deviation; NaN where all are the same."""
    known = np.ma.masked_invalid(x)
    low, high = (f(-2, keepdims=True) for f in (known.min, known.max))
    same = low == high
    if how == "zscore":
        low = known.mean(-2, keepdims=True)
        high = low + known.std(-2, ddof=1, keepdims=True)
    return tuple(np.where(np.ma.filled(same, True), np.nan, end) for end in (low, high))


def _posts(how: str, bounds, ids: list[str], signs) -> tuple:
    """Lower and upper end of each indicator, after its direction."""
    if bounds is None:
        raise RankingError(
            f"{how} 需要界值 bounds(每个指标的 low、high),界值取自参考表,不取当月的最小、最大值。"
        )
    if isinstance(bounds, tuple | list):
        bounds = dict.fromkeys(ids, bounds)
    if not isinstance(bounds, DataFrame):
        bounds = DataFrame.from_dict(dict(bounds), "index", columns=["low", "high"])
    frame = bounds.rename(columns={"lower": "low", "upper": "high"})
    low, high = frame.reindex(index=ids, columns=["low", "high"]).to_numpy(float).T
    turned = (low > high) & ((signs < 0) | (how != "efficacy"))
    if (wrong := ~np.isfinite(high - low) | (low == high) | turned).any():
        i = int(np.argmax(wrong))
        raise RankingError(
            f"指标「{ids[i]}」的界值 low、high 为 {low[i]:g} 至 {high[i]:g},应为两个不相等的数字;"
            "low 大于 high 时请改用 direction=-1。"
        )
    return np.where(signs < 0, -high, low), np.where(signs < 0, -low, high)
