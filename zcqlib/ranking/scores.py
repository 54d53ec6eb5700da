"""Composite scores of units by indicators: fill, normalise, climb a hierarchy of weighted means, rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from zcqlib.tables import ZcqError

TOP = "score"
NORMALISE = {
    "efficacy": "efficacy",
    "功效系数": "efficacy",
    "minmax_100": "minmax_100",
    "minmax": "minmax_100",
    "min-max": "minmax_100",
    "minmax_0_100": "minmax_100",
    "minmax_1_100": "minmax_1_100",
    "zscore": "zscore",
    "z-score": "zscore",
    "z_score": "zscore",
    "rank": "rank",
    "percentile_rank": "percentile_rank",
    "prank": "percentile_rank",
    "goalposts": "goalposts",
    "none": "none",
}
AGGREGATE = {
    "arithmetic": "arithmetic",
    "amean": "arithmetic",
    "geometric": "geometric",
    "gmean": "geometric",
    "harmonic": "harmonic",
    "hmean": "harmonic",
}
MISSING = ("drop", "refuse", "mean", "median", "group_mean", "group_median")
_ENDS = {"low": ("low", "lower", "min"), "high": ("high", "upper", "max")}
_RANGE = {
    "efficacy": (60.0, 100.0),
    "minmax_100": (0.0, 100.0),
    "minmax_1_100": (1.0, 100.0),
    "goalposts": (0.0, 100.0),
    "zscore": (0.0, 1.0),
}


class RankingError(ZcqError, ValueError):
    """Scores that cannot be had from these values, weights or bounds."""


def composite(
    values: pd.DataFrame,
    weights=None,
    bounds=None,
    normalise: str = "efficacy",
    aggregate: str = "arithmetic",
    groups=None,
    *,
    direction=None,
    missing: str = "drop",
    unit_groups=None,
    available: float = 0.0,
    scale: tuple[float, float] | None = None,
    clip: bool | None = None,
    weight_sum: str = "any",
    levels: bool = False,
) -> pd.Series | pd.DataFrame:
    """Weighted scores of units (rows) from indicators (columns), level by level.

    Parameters
    ----------
    values : units × indicators, NaN where missing.
    weights : id → weight for indicators and groups (Series, mapping, or a list of them, one a level; a list or array
        of numbers is taken in column order); ids outside the hierarchy are not looked at. None, or a level of which no
        element is named: siblings count the same. Only the ratio to siblings matters, since they are divided by their
        sum; `weight_sum="one"` refuses siblings that do not sum to 1. A negative weight counts against; weight 0 takes
        an element out.
    bounds : indicator → (low, high), a frame with columns low and high (or lower, upper; optional scale), or a pair
        for all; in the indicator's own unit and sense. Needed for efficacy and goalposts; min-max takes the smallest
        and largest value available where None. Efficacy reads low > high as a negative indicator.
    normalise : efficacy `60 + 40·(x − low)/(high − low)`, not cut; minmax_100; minmax_1_100; zscore (sample deviation);
        rank (1 is the worst, ties take the lowest); percentile_rank; goalposts (cut to the posts, [0, 100]); none.
        An indicator that is the same everywhere has no min-max by data and no z-score: it counts as missing.
    aggregate : arithmetic, geometric, harmonic; one for all levels, or a list from the lowest level upwards.
    groups : child → parent for indicators and groups; or parent → children, nested; or a frame with one row for each
        indicator and one column for each level upwards. None: all indicators side by side.
    direction : indicator → 1 or -1; values are multiplied by it before normalising.
    missing : drop (weights go to the siblings), refuse, mean, median, group_mean, group_median (of `unit_groups`, a
        Series by unit); filled before normalising. A parent with all children missing is missing.
    available : a parent is missing where the share of its children available is below this.
    scale : range of min-max and goalposts, mean and deviation of the z-score, in place of the usual.
    clip : cut at the bounds; default only for goalposts. levels : give every group too.
    Returns
    -------
    Series by unit, named score; with `levels` a frame with the groups and `score` as columns.
    Raises
    ------
    RankingError : weights, bounds or groups that do not fit, a value that a geometric mean (≤ 0) or a harmonic one (0)
        cannot take, a missing value under refuse.
    Source
    ------
    功效系数法;OECD/JRC 综合指标手册;定义与 COINr 1.1.14 一致。
    """
    x, given, tree = prepare(
        values,
        weights,
        bounds,
        normalise,
        groups,
        direction=direction,
        missing=missing,
        unit_groups=unit_groups,
        scale=scale,
        clip=clip,
        weight_sum=weight_sum,
    )
    nodes = climb(
        dict(zip(values.columns, x.T, strict=True)),
        given,
        tree,
        aggregate,
        available,
        list(values.index),
    )
    out = pd.DataFrame({k: v for k, v in nodes.items() if k in tree}, index=values.index)
    last = list(tree)[-1]
    return out.rename(columns={last: TOP}) if levels else out[last].rename(TOP)


def prepare(
    values,
    weights,
    bounds,
    normalise,
    groups,
    *,
    direction=None,
    missing="drop",
    unit_groups=None,
    scale=None,
    clip=None,
    weight_sum="any",
) -> tuple[np.ndarray, dict[str, float], dict[str, list[str]]]:
    """Normalised units × indicators, weight by id, and parent → children, the score last; arguments as `composite`."""
    values = _numbers(values)
    ids = list(values.columns)
    tree = _tree(groups, ids)
    given = _weights(weights, ids, tree, weight_sum)
    x = normalised(
        _filled(values, missing, unit_groups).to_numpy(),
        normalise,
        bounds,
        ids,
        direction,
        scale,
        clip,
    )
    return x, given, tree


def ranks(
    scores: pd.Series | pd.DataFrame, tolerance: float | None = None
) -> pd.Series | pd.DataFrame:
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
    if tolerance is not None and tolerance < 0:
        raise ValueError(f"tolerance 应不小于 0,给的是 {tolerance}。")
    if isinstance(scores, pd.DataFrame):
        return scores.apply(ranks, tolerance=tolerance)
    s = pd.Series(scores, dtype="float64")
    tolerance = 1e-12 * s.abs().max() if tolerance is None else tolerance
    return pd.Series(places(s.to_numpy(), tolerance), index=s.index, name="rank")


def places(scores: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
    """Places along the last axis: one more than the number of clearly higher scores."""
    with np.errstate(invalid="ignore"):
        ahead = sum((scores[..., [j]] - scores > tolerance) for j in range(scores.shape[-1]))
    return np.where(np.isnan(scores), np.nan, ahead + 1.0)


def climb(
    nodes: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
    tree: Mapping[str, list[str]],
    aggregate,
    available: float = 0.0,
    units: list | None = None,
) -> dict[str, np.ndarray]:
    """Every parent's score from its children's, lowest parents first; arrays end in the axis of units.

    `units` names them in the message where a mean refuses a value; without it values below 1 count as 1 under geometric
    and harmonic means, so that each simulated run is defined.
    """
    nodes, height = dict(nodes), {}
    for parent, children in tree.items():
        height[parent] = 1 + max(height.get(c, 0) for c in children)
        if isinstance(aggregate, str):
            how = aggregate
        elif height[parent] <= len(aggregate):
            how = aggregate[height[parent] - 1]
        else:
            raise RankingError(
                f"aggregate 只给了 {len(aggregate)} 层,「{parent}」在第 {height[parent]} 层。"
            )
        how = _name(how, AGGREGATE, "aggregate")
        stack = np.stack(np.broadcast_arrays(*(nodes[c] for c in children)), axis=-1)
        if units is None and how != "arithmetic":
            stack = np.maximum(stack, 1.0)  # keeps NaN
        elif how != "arithmetic":
            _refuse(stack, how, parent, children, units)
        w = np.stack(
            np.broadcast_arrays(*(np.asarray(weights[c], float) for c in children)), axis=-1
        )
        nodes[parent] = _mean(stack, w[..., None, :], how, available)
    return nodes


def _mean(v: np.ndarray, w: np.ndarray, how: str, available: float) -> np.ndarray:
    there = ~np.isnan(v)
    w = np.where(there, w, 0.0)
    total = w.sum(-1)
    x = np.where(there, v, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "arithmetic":
            out = (x * w).sum(-1) / total
        elif how == "geometric":
            out = np.exp((np.log(x) * w).sum(-1) / total)
        else:
            out = total / (w / x).sum(-1)
    return np.where((total == 0) | (there.mean(-1) < available), np.nan, out)


def _refuse(v: np.ndarray, how: str, parent: str, children: list[str], units: list) -> None:
    wrong = v <= 0 if how == "geometric" else v == 0
    if wrong.any():
        u, c = np.argwhere(wrong)[0]
        what = "几何平均只能用正数" if how == "geometric" else "调和平均不能用 0"
        raise RankingError(
            f"「{parent}」{what}:{units[u]} 的 {children[c]} 为 {v[u, c]:g}。请改用算术平均,"
            "或换一种标准化(如 minmax_1_100)。"
        )


def _numbers(values: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(values, pd.DataFrame) or values.empty:
        raise RankingError("values 应为至少一个单位、一个指标的表。")
    for axis, what in ((values.index, "单位"), (values.columns, "指标")):
        if axis.has_duplicates:
            raise RankingError(f"{what}「{axis[axis.duplicated()][0]}」出现不止一次。")
    for column in values:
        if not pd.api.types.is_numeric_dtype(values[column]) and values[column].notna().any():
            raise RankingError(f"指标「{column}」不是数字。")
    out = values.astype("float64")
    if np.isinf(out.to_numpy()).any():
        raise RankingError(f"指标「{out.columns[np.isinf(out).any()][0]}」有无穷大的值。")
    return out


def _name(word: str, known: Mapping[str, str], what: str) -> str:
    if not isinstance(word, str) or word.lower() not in known:
        raise ValueError(
            f"{what} 不认识「{word}」,可用的是 {'、'.join(dict.fromkeys(known.values()))}。"
        )
    return known[word.lower()]


def _tree(groups, ids: list[str]) -> dict[str, list[str]]:
    """Parent → children, lowest parents first, the last one the score."""
    if groups is None:
        return {TOP: ids}
    up = _parents(groups)
    if lost := [i for i in ids if i not in up]:
        raise RankingError(f"groups 中没有指标「{lost[0]}」。")
    known, frontier = set(ids), list(ids)
    down: dict[str, list[str]] = {}
    while frontier:
        child = frontier.pop(0)
        if (parent := up.get(child)) is None:
            continue
        if parent not in known:
            known.add(parent)
            frontier.append(parent)
        down.setdefault(parent, []).append(child)
    roots = [k for k in known if up.get(k) is None]
    if len(roots) != 1:
        roots.sort(key=lambda r: list(down).index(r) if r in down else -1)
        down[TOP] = roots
    if any(p in ids for p in down):
        raise RankingError("groups 中一个指标不能同时是别的指标的上级。")
    order: dict[str, list[str]] = {}
    while len(order) < len(down):
        ready = [p for p in down if p not in order and all(c in ids or c in order for c in down[p])]
        if not ready:
            raise RankingError("groups 中有互为上级的组。")
        order |= {p: down[p] for p in ready}
    return order


def _parents(groups) -> dict[str, str | None]:
    if isinstance(groups, pd.DataFrame):
        up = {}
        for row in groups.itertuples():
            chain = [row[0], *(p for p in row[1:] if isinstance(p, str) and p)]
            for child, parent in zip(chain, [*chain[1:], None], strict=True):
                if up.setdefault(child, parent) != parent:
                    raise RankingError(f"groups 中「{child}」有两个上级:{up[child]}、{parent}。")
        return up
    pairs = list(groups.items())
    if any(
        isinstance(v, Mapping) or not isinstance(v, str) and isinstance(v, Iterable)
        for _, v in pairs
    ):
        up = {}

        def walk(parent, children):
            for child in children:
                if up.setdefault(child, parent) != parent:
                    raise RankingError(f"groups 中「{child}」有两个上级:{up[child]}、{parent}。")
                if isinstance(children, Mapping):
                    walk(child, children[child])

        for parent, children in pairs:
            walk(parent, children)
        return up
    return {k: v if isinstance(v, str) and v else None for k, v in pairs}


def _weights(
    weights, ids: list[str], tree: dict[str, list[str]], weight_sum: str
) -> dict[str, float]:
    if weight_sum not in ("any", "one"):
        raise ValueError(f"weight_sum 应为 any 或 one,给的是 {weight_sum}。")
    if isinstance(weights, (list, tuple)) and all(
        isinstance(w, (Mapping, pd.Series)) for w in weights
    ):
        weights = {k: v for level in weights for k, v in level.items()}
    if weights is None:
        given = {}
    elif isinstance(weights, pd.DataFrame):
        given = weights["weight"].to_dict()
    elif isinstance(weights, (Mapping, pd.Series)):
        given = dict(weights.items())
    else:
        if len(weights) != len(ids):
            raise RankingError(f"有 {len(ids)} 个指标,却给了 {len(weights)} 个权重。")
        given = dict(zip(ids, weights, strict=True))
    out = {}
    for children in (
        ids,
        *tree.values(),
    ):  # all indicators first: none named means that all count the same
        named = [c for c in children if c in given]
        if named and (lost := [c for c in children if c not in given and c not in out]):
            raise RankingError(f"「{lost[0]}」没有权重,而同级的「{named[0]}」有。请补上。")
        out |= {c: float(given.get(c, out.get(c, 1.0 / len(children)))) for c in children}
    if bad := [k for k, w in out.items() if not np.isfinite(w)]:
        raise RankingError(f"「{bad[0]}」的权重不是数字。")
    for parent, children in tree.items():
        total = sum(out[c] for c in children)
        if abs(total) < 1e-12:
            raise RankingError(f"「{parent}」下的权重合计为 0,不能加权。")
        if weight_sum == "one" and any(c in given for c in children) and abs(total - 1) > 1e-5:
            raise RankingError(f"「{parent}」下的权重合计 {total:.6g},应为 1。请核对权重表。")
    return out


def _direction(direction, ids: list[str]) -> np.ndarray:
    if direction is None:
        return np.ones(len(ids))
    given = (
        dict(direction.items())
        if isinstance(direction, (Mapping, pd.Series))
        else dict(zip(ids, direction, strict=True))
    )
    signs = np.array([float(given.get(i, 1)) for i in ids])
    if not np.isin(signs, (1.0, -1.0)).all():
        raise RankingError(
            f"指标「{ids[int(np.argmin(np.isin(signs, (1.0, -1.0))))]}」的方向应为 1 或 -1。"
        )
    return signs


def _bounds(bounds, ids: list[str]) -> np.ndarray | None:
    """Rows low, high, scale for each indicator; scale NaN where not named."""
    if bounds is None:
        return None
    if isinstance(bounds, (tuple, list)):
        bounds = dict.fromkeys(ids, bounds)
    if isinstance(bounds, (Mapping, pd.Series)) and not {"low", "lower"} & set(bounds):
        bounds = pd.DataFrame(
            {k: [*v, np.nan][:3] for k, v in bounds.items()}, index=["low", "high", "scale"]
        ).T
    frame = pd.DataFrame(bounds)
    if set(ids) <= set(frame.columns):
        frame = frame.T  # low and high as rows
    columns = []
    for end, names in _ENDS.items():
        column = next((n for n in names if n in frame), None)
        if column is None:
            raise RankingError(f"界值缺少 {end} 列,找到的是 {'、'.join(map(str, frame.columns))}。")
        columns.append(frame[column])
    columns.append(frame["scale"] if "scale" in frame else pd.Series(np.nan, index=frame.index))
    out = pd.concat(columns, axis=1).reindex(ids).to_numpy("float64").T
    if (wrong := ~np.isfinite(out[:2]).all(0) | (out[0] == out[1])).any():
        i = int(np.argmax(wrong))
        raise RankingError(
            f"指标「{ids[i]}」的界值为 {out[0, i]:g} 至 {out[1, i]:g},应为两个不相等的数字。"
        )
    return out


def _filled(values: pd.DataFrame, missing: str, unit_groups) -> pd.DataFrame:
    if missing not in MISSING:
        raise ValueError(f"missing 不认识「{missing}」,可用的是 {'、'.join(MISSING)}。")
    gaps = values.isna()
    if missing == "drop" or not gaps.to_numpy().any():
        return values
    if missing == "refuse":
        u, i = np.argwhere(gaps.to_numpy())[0]
        raise RankingError(
            f"{values.index[u]} 的 {values.columns[i]} 缺数。请补报,或指定缺数的处理办法。"
        )
    how = missing.removeprefix("group_")
    if how == missing:
        return values.fillna(values.agg(how))
    if unit_groups is None:
        raise ValueError(f'missing="{missing}" 需要 unit_groups(单位属于哪一组)。')
    return values.fillna(
        values.groupby(pd.Series(unit_groups).reindex(values.index)).transform(how)
    )


def normalised(
    x: np.ndarray, how: str, bounds, ids: list[str], direction=None, scale=None, clip=None
) -> np.ndarray:
    """Values (..., units, indicators) on the common scale."""
    how, bounds, signs = (
        _name(how, NORMALISE, "normalise"),
        _bounds(bounds, ids),
        _direction(direction, ids),
    )
    x = x * signs
    if how == "none":
        return x
    if how in ("rank", "percentile_rank"):
        with np.errstate(invalid="ignore"):
            place = 1.0 + sum((x[..., [j], :] < x) for j in range(x.shape[-2]))
            there = (~np.isnan(x)).sum(-2, keepdims=True) - 1.0
            return np.where(np.isnan(x), np.nan, place if how == "rank" else (place - 1) / there)
    start, end = _RANGE[how] if scale is None else scale
    if how == "zscore":
        there = ~np.isnan(x)
        n = there.sum(-2, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = np.where(there, x, 0).sum(-2, keepdims=True) / n
            spread = np.sqrt(np.where(there, (x - middle) ** 2, 0).sum(-2, keepdims=True) / (n - 1))
            spread = np.where(spread <= 1e-14 * np.abs(middle), np.nan, spread)
            return (x - middle) / spread * end + start
    if bounds is None:
        if how in ("efficacy", "goalposts"):
            raise RankingError(
                f"{how} 需要界值 bounds(每个指标的 low、high),界值取自参考表,不取当月的最小、最大值。"
            )
        top = np.where(np.isnan(x), -np.inf, x).max(-2, keepdims=True)
        low = np.where(np.isnan(x), np.inf, x).min(-2, keepdims=True)
        with np.errstate(invalid="ignore"):
            width = np.where(top > low, top - low, np.nan)
    else:
        turned = bounds[0] > bounds[1]
        if (wrong := turned & ((signs < 0) | (how != "efficacy"))).any():
            raise RankingError(
                f"指标「{ids[int(np.argmax(wrong))]}」的界值 low 大于 high;逆向指标请用 direction=-1。"
            )
        low = np.where(signs < 0, -bounds[1], bounds[0])
        width = np.where(signs < 0, -bounds[0], bounds[1]) - low
        if how == "goalposts" and scale is None:
            end = np.where(np.isnan(bounds[2]), end, bounds[2])
    share = (x - low) / width
    if how == "goalposts" if clip is None else clip:
        share = np.clip(share, 0.0, 1.0)
    return start + (end - start) * share
