"""Composite scores and ranks of parks that can be defended: bounds from reference data, ties said to be ties.

Definitions follow the common ones for composite indicators: direction first, then normalisation, then weighted means
level by level; children that are missing hand their weight to their siblings.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.tables import RANKS, ZcqError

NORMALISATIONS = ("efficacy", "minmax_100", "minmax_1_100", "zscore", "rank", "goalposts")
AGGREGATIONS = ("arithmetic", "geometric", "harmonic")
MOST_MISSING = 0.2  # a park with more of its weight missing is not ranked


class RankingError(ZcqError, ValueError):
    """Scores that cannot be made; says of what and why."""


def normalised(values: pd.DataFrame, bounds: pd.DataFrame | None, method: str,
               direction: pd.Series | None = None) -> pd.DataFrame:
    """Indicators brought to one scale; missing stays missing.

    Parameters
    ----------
    values : units x indicators. bounds : by indicator, `low` and `high` in the indicator's own sense (efficacy,
        goalposts). direction : by indicator, -1 where less is better.
    """
    if method not in NORMALISATIONS:
        raise RankingError(f"没有「{method}」这种标准化方法,可用:{'、'.join(NORMALISATIONS)}。")
    sign = (direction.reindex(values.columns).fillna(1.0) if direction is not None else
            pd.Series(1.0, index=values.columns))
    x = values.astype(float) * sign
    if method in ("efficacy", "goalposts"):
        if bounds is None or (missing := set(values.columns) - set(bounds.index)):
            raise RankingError(f"{method} 需要每项指标的上下限,缺:{'、'.join(sorted(missing)) if bounds is not None else '全部'}。")
        low, high = (bounds[c].astype(float).reindex(values.columns) * sign for c in ("low", "high"))
        low, high = low.where(sign > 0, bounds["high"].reindex(values.columns) * sign), high.where(
            sign > 0, bounds["low"].reindex(values.columns) * sign)
        if not (high > low).all():
            raise RankingError(f"上限应大于下限:{'、'.join(high.index[~(high > low)])}。")
        share = (x - low) / (high - low)
        return 60 + 40 * share if method == "efficacy" else share.clip(0, 1) * 100
    if method == "zscore":
        spread = x.std(ddof=1)
        return (x - x.mean()) / spread.where(spread > 0)
    if method == "rank":
        return x.rank(method="min")
    low, high = x.min(), x.max()
    share = (x - low) / (high - low).where(high > low)
    return share * 100 if method == "minmax_100" else 1 + share * 99


def _mean(x: np.ndarray, w: np.ndarray, how: str) -> np.ndarray:
    """Weighted mean along the last axis over what is available; NaN where nothing is."""
    have = np.isfinite(x)
    weight = np.where(have, w, 0.0)
    total = weight.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = weight / np.where(total > 0, total, np.nan)[..., None]
        if how == "arithmetic":
            return np.where(have, x * weight, 0.0).sum(-1) + 0 * total / total
        if how == "geometric":
            if (have & (x <= 0)).any():
                raise RankingError("几何平均不能用于零或负数,请换一种标准化或合成方法。")
            return np.exp(np.where(have, np.log(np.where(have, x, 1.0)) * weight, 0.0).sum(-1)) + 0 * total / total
        if (have & (x == 0)).any():
            raise RankingError("调和平均不能用于零,请换一种标准化或合成方法。")
        return 1 / (np.where(have, weight / np.where(have, x, 1.0), 0.0).sum(-1)) + 0 * total / total


def _levels(columns: Sequence[str], groups) -> list[dict[str, str]]:
    """Parents level by level: a mapping child -> parent, or a list of them from the bottom up."""
    if groups is None:
        return [dict.fromkeys(columns, "composite")]
    if isinstance(groups, Mapping | pd.Series):
        groups = [dict(groups)]
    levels = [dict(g) for g in groups]
    for level in levels:
        if lost := [c for c in columns if c not in level]:
            raise RankingError(f"这些指标没有所属的组:{'、'.join(map(str, lost))}。")
        columns = list(dict.fromkeys(level[c] for c in columns))
    if len(columns) > 1:
        levels.append(dict.fromkeys(columns, "composite"))
    return levels


def composite(values: pd.DataFrame, weights, bounds: pd.DataFrame | None, normalise: str = "efficacy",
              aggregate: str = "arithmetic", groups=None, *, direction: pd.Series | None = None, availability: float = 0.0,
              detail: bool = False):
    """Score units by their indicators, level by level.

    Parameters
    ----------
    values : units x indicators. weights : by element (indicator, group); None or what is absent counts 1; only their
        proportion among siblings matters. bounds : see `normalised`; None where the method needs none.
    normalise : efficacy (60 + 40 (x - low) / (high - low)), minmax_100, minmax_1_100, zscore, rank, goalposts.
    aggregate : arithmetic, geometric, harmonic.
    groups : child -> parent, or a list of such mappings from the bottom up; None for one level.
    availability : a parent is missing where less than this share of its children is there.
    detail : give every level's scores, not the top one alone.
    Returns
    -------
    Series of scores by unit, NaN where a unit has nothing; with `detail` a frame with all parents.
    Raises
    ------
    RankingError : unknown method, bounds missing or upside down, negative weights, a child without parent, zero or
        negative values under a geometric mean.
    Source
    ------
    方法见 OECD/JRC 综合指标手册;权重与上下限见参考表。
    """
    if aggregate not in AGGREGATIONS:
        raise RankingError(f"没有「{aggregate}」这种合成方法,可用:{'、'.join(AGGREGATIONS)}。")
    weight = pd.Series(dtype=float) if weights is None else pd.Series(weights, dtype=float)
    if (weight < 0).any() or not np.isfinite(weight).all():
        raise RankingError(f"权重应为不小于 0 的数字:{'、'.join(map(str, weight.index[~(weight >= 0)]))}。")
    current = normalised(values, bounds, normalise, direction)
    every = {}
    for level in _levels(list(values.columns), groups):
        parents: dict[str, list[str]] = {}
        for child in current.columns:
            parents.setdefault(level[child], []).append(child)
        out = {}
        for parent, children in parents.items():
            x = current[children].to_numpy(float)
            score = _mean(x, weight.reindex(children).fillna(1.0).to_numpy(), aggregate)
            out[parent] = np.where(np.isfinite(x).mean(1) < availability, np.nan, score)
        current = pd.DataFrame(out, index=values.index)
        every |= out
    return pd.DataFrame(every, index=values.index) if detail else current.iloc[:, 0].rename("score")


def ranks(scores: pd.Series) -> pd.Series:
    """Places: 1 is the highest score, ties share the smallest place and the next is skipped; missing stays missing."""
    return scores.rank(ascending=False, method="min")


# --- parks ----------------------------------------------------------------------------------------------------------

def attainment(projections: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Each park's attainment of its own targets, in per cent: parks x indicators.

    Flows are measured against the target's share of the year so far; stocks, ratios and growth against the whole target;
    coverage and milestones by share done. NaN where a park has no target (`.attrs["untargeted"]`) or no data.
    """
    own = projections[projections["region"].isin(catalog.parks)
                      & projections["indicator"].isin(catalog.headline()["id"])]
    month = own["as_of"].dt.month if len(own) else pd.Series(dtype="int64")
    part = np.where(own["kind"].isin(["flow", "recurring"]), month / 12, 1.0)
    value = own.assign(value=100 * own["actual"] / (own["target_low"] * part).where(own["target_low"] > 0))
    table = value.pivot(index="region", columns="indicator", values="value").reindex(list(catalog.parks))
    table.attrs["untargeted"] = value.pivot(index="region", columns="indicator", values="target_low").reindex(
        list(catalog.parks)).isna()
    return table


def score_parks(projections: pd.DataFrame, catalog: Catalog, runs: int = 1000, seed: int = 0) -> tuple[
        pd.DataFrame, pd.DataFrame]:
    """Scores and places of the five parks for one month.

    Returns
    -------
    (RANKS, reasons): one row a park and ranked element, `composite` being the whole; `low`, `high` is the 90 % interval
    of the place over runs with other weights, normalisation and aggregation. A park with over 20 % of its targeted
    weight missing is not ranked; `reasons` (`region`, `reason`) says why.
    """
    table = attainment(projections, catalog)
    if table.empty or projections.empty:
        return tables.empty(RANKS), pd.DataFrame(columns=["region", "reason"])
    weight, groups = _weights(catalog)
    columns = [c for c in table.columns if c in groups and table[c].notna().any()]
    bounds = catalog.bounds.set_index("indicator")[["low", "high"]].reindex(columns).astype(float)
    if not columns or bounds.isna().any().any():
        raise RankingError(f"缺少评分上下限:{'、'.join(bounds.index[bounds.isna().any(axis=1)]) or '全部'}。")
    x = table[columns]
    targeted = ~table.attrs["untargeted"][columns]
    missing = (x.isna() & targeted).sum(1) / targeted.sum(1).where(targeted.sum(1) > 0)
    enough = (missing <= MOST_MISSING) & missing.notna()
    level = {c: groups[c] for c in columns}
    scores = composite(x, weight, bounds, groups=level, detail=True)
    low, high, alike = _places(x[enough], weight, bounds, level, runs, seed)
    month = projections["as_of"].iloc[0]
    rows = []
    for element in scores.columns:
        place = ranks(scores[element].where(enough))
        for region in scores.index:
            top = element == "composite" and region in low.index
            rows.append(dict(region=region, indicator=element, period=str(month), measure="score", unit="分",
                             value=scores.at[region, element], rank=place[region] if enough[region] else float("nan"),
                             low=low[region] if top else float("nan"), high=high[region] if top else float("nan"),
                             tied_with=";".join(alike.get(region, ())) if top else "", demo=True))
    reasons = [dict(region=r, reason=f"有目标的指标缺数 {100 * missing[r]:.0f}%,超过 20%,不排位"
                    if np.isfinite(missing[r]) else "没有下达园区目标,不排位") for r in scores.index if not enough[r]]
    return tables.shape(rows, RANKS), pd.DataFrame(reasons, columns=["region", "reason"])


def _weights(catalog: Catalog) -> tuple[pd.Series, dict[str, str]]:
    """Weights of indicators and groups, and the group of each indicator."""
    w = catalog.weights
    for (level, parent), part in w.groupby(["level", "parent"]):
        if abs(part["weight"].sum() - 1) > 1e-5:
            raise RankingError(f"{level} {parent} 的权重合计为 {part['weight'].sum():g},应为 1。")
    own = w[w["level"] == "indicator"]
    return w.set_index("id")["weight"].astype(float), dict(zip(own["id"], own["parent"], strict=True))


def _places(x: pd.DataFrame, weight: pd.Series, bounds: pd.DataFrame, level: dict[str, str], runs: int, seed: int) -> tuple[
        pd.Series, pd.Series, dict[str, tuple[str, ...]]]:
    """Interval of each place over other defensible choices, and parks that no place can tell apart.

    Each run draws every weight within a quarter of its value, one of efficacy or min-max, and one of the arithmetic or
    geometric mean. Two parks are tied where neither is ahead in at least 90 % of the runs.
    """
    if x.empty:
        empty = pd.Series(dtype=float)
        return empty, empty, {}
    rng = np.random.default_rng(seed)
    groups = list(dict.fromkeys(level.values()))
    inside = np.array([[level[c] == g for c in x.columns] for g in groups])
    plain = [np.clip(normalised(x, bounds, "efficacy").to_numpy(float), 1, None),
             np.clip(normalised(x, None, "minmax_1_100").fillna(50.0).where(x.notna()).to_numpy(float), 1, None)]
    base = weight.reindex(x.columns).fillna(1.0).to_numpy()
    over = weight.reindex(groups).fillna(1.0).to_numpy()
    w = base * rng.uniform(0.75, 1.25, (runs, len(base)))
    g = over * rng.uniform(0.75, 1.25, (runs, len(over)))
    scale, mean = rng.integers(0, 2, runs), rng.integers(0, 2, runs)
    total = np.zeros((runs, len(x)))
    for s in (0, 1):
        for m, how in enumerate(("arithmetic", "geometric")):
            pick = (scale == s) & (mean == m)
            parts = np.stack([_mean(np.where(members, plain[s], np.nan)[None], w[pick][:, None, :], how)
                              for members in inside], -1)
            total[pick] = _mean(parts, g[pick][:, None, :], how)
    place = (total[:, :, None] < total[:, None, :]).sum(2) + 1
    ahead = (total[:, :, None] > total[:, None, :]).mean(0)
    alike = {a: tuple(b for j, b in enumerate(x.index) if i != j and max(ahead[i, j], ahead[j, i]) < 0.9)
             for i, a in enumerate(x.index)}
    low = pd.Series(np.quantile(place, 0.05, axis=0, method="lower"), index=x.index, dtype=float)
    high = pd.Series(np.quantile(place, 0.95, axis=0, method="higher"), index=x.index, dtype=float)
    return low, high, {k: v for k, v in alike.items() if v}
