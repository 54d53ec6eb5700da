"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, in_force
from zcqlib.projection import joint, promises, sparse
from zcqlib.projection.engine import project_year_end
from zcqlib.projection.promises import NO_DATA, met, result, verdict
from zcqlib.projection.scores import LEVELS, at_levels, chance_of
from zcqlib.tables import PROJECTIONS, QUANTILES

SMALL, WINDOW = (
    30.0,
    36,
)  # yearly total of a small count; months in which parts must be known like their whole
UNEVEN = 0.02  # share of a month by which parts may exceed their whole where the year adds up (a revision spread)


@dataclass(frozen=True, slots=True)
class Projected:
    """PROJECTIONS, QUANTILES and `missing`: who has not yet done a coverage item (`indicator`, `region`, `item`)."""

    projections: pd.DataFrame
    quantiles: pd.DataFrame
    missing: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Node:
    """A figure to project: its rows of SERIES, flow or stock, the parts it is the sum of, if it is one, and its
    revisions."""

    name: str
    source: pd.DataFrame
    kind: str
    parts: tuple[_Node, ...] = ()
    revisions: pd.DataFrame | None = None

    def revised(self, until: pd.Period) -> float:
        """What the cumulative figures of a year have said by a month beside its months."""
        if self.revisions is None:
            return 0.0
        end = self.revisions["end"]
        return float(
            self.revisions.loc[(end.dt.year == until.year) & (end <= until), "value"].sum()
        )

    def to_date(self, until: pd.Period) -> float:
        """The year to date of a flow."""
        end = self.source["end"]
        months = self.source.loc[(end.dt.year == until.year) & (end <= until), "value"]
        return float(months.sum()) + self.revised(until)


def chance(quantiles: np.ndarray, comparator: str, low: float, high: float, count: bool) -> float:
    """Chance that a target is met: whole numbers are met or not at the half between them, others at the point."""
    half, at_least = 0.5 if count else 0.0, lambda v: float(chance_of(quantiles[None], [v])[0])  # noqa: E731
    if comparator == "gt":
        return at_least(np.floor(low) + half if count else low)
    if comparator == "between":
        return max(0.0, at_least(low - half) - at_least(high + half))
    return at_least(np.ceil(low) - half if count else low)


def project_targets(
    series: pd.DataFrame,
    targets: pd.DataFrame,
    as_of: pd.Period,
    catalog: Catalog,
    milestones: pd.DataFrame | None = None,
    batches: pd.DataFrame | None = None,
    growth: pd.DataFrame | None = None,
) -> Projected:
    """Project every target in force at a month.

    Parameters
    ----------
    series : SERIES known then, in normal units; its revisions count in the year to date and in no month. targets : TARGETS in normal units; park rows only where a park has a
        target of its own. as_of : last month known.
    milestones, batches : tables of the catalog's form; later dates are hidden here.
    growth : `region`, `indicator`, `end`, `reported`: growth as reported (%). Where it differs from that of the levels
        by over .5 %, last year's base is the implied one (comparable prices, a changed base).
    Returns
    -------
    Projected. The zone is the joint sum of its parks and a whole that of its parts wherever their months add up, so
    that they agree; `probability` is NaN where no chance can be given, and `verdict` says why.
    Source
    ------
    目标、批次与节点参考表;各月报表。
    """
    live = in_force(targets, as_of)
    known = tables.covering(series[series["end"] <= as_of])
    by = {key: part.sort_values("end") for key, part in known.groupby(["region", "indicator"])}
    node = cache(
        lambda region, id: _node(region, id, by, as_of, catalog, node)
    )  # a park's stands in its zone's too
    found, absent, asked = [], [], []
    for t in live.itertuples():
        indicator, part = catalog.indicators[t.id], by.get((t.region, t.id))
        if t.kind == "milestone":
            found.append((promises.milestone(t, as_of, milestones), None))
        elif t.kind == "coverage":
            row, who = promises.coverage(t, by, as_of, catalog)
            found.append((row, None))
            absent += who
        elif t.kind == "stock" and indicator.batch:
            found.append(promises.batch_stock(t, part, as_of, batches, catalog))
        elif t.kind == "recurring":
            found.append((promises.recurring(t, part, as_of), None))
        elif (
            t.kind == "flow"
            and indicator.batch
            and part is not None
            and (one := promises.batch_flow(t, part, as_of)) is not None
        ):
            found.append(one)
        else:
            asked.append(t)
    wanted = {(t.region, t.id): _asked(t, by, as_of, catalog, node) for t in asked}
    solved = _solve([n for nodes in wanted.values() for n in nodes.values()])
    for t in asked:
        found.append(_numeric(t, wanted[t.region, t.id], solved, by, as_of, catalog, growth))
    quantiles = [
        dict(
            region=r["region"],
            indicator=r["indicator"],
            year=as_of.year,
            as_of=as_of,
            level=level,
            value=v,
        )
        for r, q in found
        if q is not None
        for level, v in zip(LEVELS, q, strict=True)
    ]
    frame = tables.shape([r for r, _ in found], PROJECTIONS).sort_values(
        ["indicator", "region"], ignore_index=True
    )
    return Projected(
        frame,
        tables.shape(quantiles, QUANTILES),
        pd.DataFrame(absent, columns=["indicator", "region", "item"]),
    )


# what is projected --------------------------------------------------------------------------------------------------


def _asked(t, by: dict, as_of: pd.Period, catalog: Catalog, node: Callable) -> dict[str, _Node]:
    """The figures that a numeric target needs: `own`, and of a ratio `top` and `bottom` where both are known."""
    indicator = catalog.indicators[t.id]
    if t.kind == "growth":
        if own := node(t.region, indicator.growth_of):
            return {"own": own}
        rates = by.get((t.region, t.id))
        made = None if rates is None else sparse.from_rates(rates, as_of.year)
        if made is None:
            return {}
        return {"own": _Node(f"{t.region}|{t.id}", made.assign(demo=rates["demo"].any()), "flow")}
    own = by.get((t.region, t.id))
    if own is None or not _this_year(own, as_of):
        return {}
    if t.kind != "ratio":
        return {"own": node(t.region, t.id)}
    own = own[own["months"] == 0] if (own["months"] == 0).any() else own
    on_a_date = bool((own["months"] == 0).all())
    nodes = {
        "own": _Node(
            f"{t.region}|{t.id}",
            _odds(own) if on_a_date else _quasi(own),
            "stock" if on_a_date else "flow",
        )
    }
    if not on_a_date:
        top, bottom = (node(t.region, i) for i in (indicator.numerator, indicator.denominator))
        if (
            top
            and bottom
            and top.source["end"].max() == bottom.source["end"].max() == own["end"].max()
        ):
            nodes |= {"top": top, "bottom": bottom}
            if (
                catalog.indicators[indicator.numerator].part_of == indicator.denominator
                and (rest := _rest(bottom, (top,))) is not None
            ):
                nodes["rest"] = rest
    return nodes


def _node(
    region: str, id: str, by: dict, as_of: pd.Period, catalog: Catalog, node: Callable
) -> _Node | None:
    """A flow or stock as the sum of its parks, or of a part and the rest, where their months add up to it."""
    own, indicator = by.get((region, id)), catalog.indicators.get(id)
    if own is None or indicator is None or not _this_year(own, as_of):
        return None
    stock, revisions = indicator.kind == "stock", own[own["revision"]]
    own = (
        own[own["months"] == 0]
        if stock and (own["months"] == 0).any()
        else own
        if stock
        else own[own["months"] > 0]
    )
    whole = _Node(f"{region}|{id}", own, "stock" if stock else "flow", revisions=revisions)
    if own.empty or not indicator.additive or stock and indicator.batch:
        return whole
    if region == "zone":
        parts = [node(p, id) for p in catalog.members(as_of)]
    else:
        inside = [
            i for i, x in catalog.indicators.items() if x.part_of == id and x.kind == indicator.kind
        ]
        parts = [n for i in inside if (n := node(region, i))]
        parts = (
            [max(parts, key=lambda n: n.source["value"].sum())] if parts else []
        )  # others may overlap with it
    if not parts or None in parts or (rest := _rest(whole, tuple(parts))) is None:
        return whole
    if rest.source["value"].abs().sum() > 0.005 * own["value"].abs().sum():
        parts.append(rest)
    return replace(whole, parts=tuple(parts)) if len(parts) > 1 else whole


def _rest(whole: _Node, parts: tuple[_Node, ...]) -> _Node | None:
    """What belongs to none of the parts; None where months are missing or the parts exceed the whole."""
    own = _by_span(whole.source)
    apart = np.stack([_by_span(p.source).reindex(own.index).to_numpy() for p in parts])
    known, end = np.isfinite(apart).all(0), whole.source["end"]
    if not known[(end > end.max() - WINDOW).to_numpy()].all():
        return None
    source, rest = whole.source[known], (own.to_numpy() - apart.sum(0))[known]
    yearly = (
        pd.DataFrame({"rest": rest, "own": source["value"].abs().to_numpy()})
        .groupby(source["end"].dt.year.to_numpy())
        .sum()
    )
    if (rest < -UNEVEN * source["value"].abs()).any() or (
        yearly["rest"] < -1e-6 * yearly["own"]
    ).any():
        return None
    return _Node(
        f"{whole.name}|rest|{'+'.join(p.name for p in parts)}",
        source.assign(value=np.maximum(rest, 0)),
        whole.kind,
    )


def _by_span(source: pd.DataFrame) -> pd.Series:
    """Values by a number for the last month and the length of what they cover."""
    return pd.Series(
        source["value"].to_numpy(float),
        source["end"].array.asi8 * 100 + source["months"].to_numpy(),
    )


def _this_year(source: pd.DataFrame, as_of: pd.Period) -> bool:
    return bool((source["end"].dt.year == as_of.year).any())


def _quasi(own: pd.DataFrame) -> pd.DataFrame:
    """A cumulative ratio as a flow: ratio to date × months/12, differenced; the year adds up to the ratio."""
    s = own[own["months"] > 0]
    to, year = s["end"].dt.month, s["end"].dt.year
    cumulative = s["value"] * to / 12
    return s.assign(
        value=(cumulative - cumulative.groupby(year).shift().fillna(0)).clip(lower=0),
        months=(to - to.groupby(year).shift().fillna(0)).astype("int64"),
    )


def _odds(own: pd.DataFrame) -> pd.DataFrame:
    """A share on a date as odds; a ratio that is no share stays."""
    share = own["unit"].eq("%").all() and own["value"].between(0, 100, inclusive="left").all()
    return own.assign(value=own["value"] / (100 - own["value"])) if share else own


def _solve(nodes: list[_Node]) -> dict[str, np.ndarray | str]:
    """Quantiles at LEVELS of every node by name, or why it has none; one call of the engine for each kind."""
    flat: dict[str, _Node] = {}

    def collect(n: _Node) -> None:
        flat[n.name] = n
        for p in n.parts:
            collect(p)

    for n in nodes:
        collect(n)
    alone: dict[str, np.ndarray | str] = {}
    for kind in ("flow", "stock"):
        if those := [n for n in flat.values() if n.kind == kind]:
            rows = pd.concat(
                [n.source[["end", "months", "value"]] for n in those], ignore_index=True
            )
            history = pd.DataFrame(
                {
                    "series_id": np.repeat([n.name for n in those], [len(n.source) for n in those]),
                    "period": rows["end"].astype("str"),
                    "value": rows["value"].clip(lower=0),
                    "months": 1 if kind == "stock" else rows["months"],
                }
            )
            out = project_year_end(history, kind)
            alone |= dict(zip(out["series_id"], out[list(LEVELS)].to_numpy(float), strict=True))
            alone |= dict(out.attrs["refused"].itertuples(index=False))

    def value(n: _Node) -> np.ndarray | str:
        below = [value(p) for p in n.parts]
        if not below or any(isinstance(q, str) for q in below):
            return alone[n.name]
        return joint.read(joint.draws(np.stack(below), _shared(n.parts)).sum(1))

    def whole(n: _Node) -> np.ndarray | str:
        q = value(n)
        return q if isinstance(q, str) else q + n.revised(n.source["end"].max())

    return {name: whole(n) for name, n in flat.items()}


def _shared(parts: tuple[_Node, ...]) -> float:
    """The common share of the parts' shocks, from their months."""
    ends = [p.source["end"].array.asi8 for p in parts]
    axis = np.unique(np.concatenate(ends))
    months = np.full((len(parts), len(axis)), np.nan)
    for row, end, p in zip(months, ends, parts, strict=True):
        row[np.searchsorted(axis, end)] = p.source["value"]
    yearly = 12 * np.nanmean(months, 1) / max(1.0, float(parts[0].source["months"].median()))
    whole = bool((np.nan_to_num(months) % 1 == 0).all())
    return joint.shared(months[:, -WINDOW:], small=whole and np.median(yearly) < SMALL)


# what is said -------------------------------------------------------------------------------------------------------


def _numeric(
    t,
    nodes: dict[str, _Node],
    solved: dict,
    by: dict,
    as_of: pd.Period,
    catalog: Catalog,
    growth: pd.DataFrame | None,
) -> tuple[dict, np.ndarray | None]:
    """The row of a flow, stock, ratio or growth target, and its quantiles."""
    if not nodes:
        return _from_years(t, by, as_of, catalog)
    indicator, source = catalog.indicators[t.id], nodes["own"].source
    demo = bool(source["demo"].any()) or bool(t.demo)
    if isinstance(reason := solved[nodes["own"].name], str):
        return result(t, as_of, method=reason, verdict=NO_DATA, demo=demo), None
    if t.kind == "growth":
        said = _growth(
            t, nodes["own"], solved, as_of, _reported(growth, t.region, indicator.growth_of, source)
        )
    elif t.kind == "ratio":
        said = _ratio(nodes, solved, by[t.region, t.id], as_of)
    else:
        said = _plain(t, nodes["own"], solved, as_of, indicator.count)
    if isinstance(said, str):
        return result(t, as_of, method=said, verdict=NO_DATA, demo=demo), None
    q, actual, left = said.pop("q"), said["actual"], 12 - source["end"].max().month
    final = (
        t.kind == "flow" and not indicator.can_fall
    )  # nothing can be taken back: what is met stays met
    if final:
        q = np.maximum(q, actual)
    done = (
        final
        and t.comparator != "between"
        and met(actual, t.comparator, t.target_low, t.target_high)
    )
    whole = indicator.count and t.kind in ("flow", "stock")
    p = (
        float(met(actual, t.comparator, t.target_low, t.target_high))
        if not left
        else (1.0 if done else chance(q, t.comparator, t.target_low, t.target_high, whole))
    )
    middle, low, high = at_levels(
        q[None], LEVELS, [0.5, (1 - promises.LEVEL) / 2, (1 + promises.LEVEL) / 2]
    )[0]
    said["method"] += _gaps(source, as_of)
    return result(
        t,
        as_of,
        median=middle,
        low=low,
        high=high,
        probability=p,
        verdict=verdict(p, done),
        demo=demo,
        **said,
    ), q


def _plain(t, own: _Node, solved: dict, as_of: pd.Period, whole: bool) -> dict:
    """A flow counts its year to date, a stock its last level."""
    now = own.source[own.source["end"].dt.year == as_of.year]
    actual = float(now["value"].iloc[-1]) if t.kind == "stock" else round(own.to_date(as_of), 6)
    aim = t.target_low + (1 if t.comparator == "gt" and whole else 0)
    few = own.source["end"].dt.year.nunique() < 3
    method = (
        "合并模型" if not own.parts else "园区联合加总" if t.region == "zone" else "分项联合加总"
    )
    return dict(
        q=solved[own.name],
        actual=actual,
        method=method + (",历史不足两年,按通常波动" if few else ""),
        needed_per_month=promises.per_month(aim - actual, 12 - now["end"].max().month),
    )


def _growth(t, own: _Node, solved: dict, as_of: pd.Period, reported: float) -> dict | str:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    year = own.source["end"].dt.year
    now, before = own.source[year == as_of.year], own.source[year == as_of.year - 1]
    last = now["end"].max()
    done, same, whole = (own.to_date(m) for m in (last, last - 12, as_of - as_of.month))
    if before["months"].sum() != 12 or not same > 0:
        return "上年数据不全,不能换算增速"
    if reported > -100 and abs(done / (1 + reported / 100) / same - 1) > 0.005:
        base = done / (1 + reported / 100)
        whole, same = whole * base / same, base
    return dict(
        q=100 * (solved[own.name] / whole - 1),
        actual=100 * (done / same - 1),
        method="水平换算增速;所需为余下月份增速",
        needed_per_month=growth_needed(t.target_low, whole, same, done)
        if last.month < 12
        else float("nan"),
    )


def growth_needed(target: float, whole: float, same: float, done: float) -> float:
    """Growth (%) that the months left need: last year's total and its same months on this year's base, done so far."""
    return 100 * (((1 + target / 100) * whole - done) / (whole - same) - 1)


def _reported(
    growth: pd.DataFrame | None, region: str, indicator: str, source: pd.DataFrame
) -> float:
    """Growth to date as reported, %, NaN where none is."""
    if growth is None:
        return float("nan")
    own = growth[
        (growth["region"] == region)
        & (growth["indicator"] == indicator)
        & (growth["end"] == source["end"].max())
    ]
    return float(own["reported"].iloc[0]) if len(own) else float("nan")


def _ratio(nodes: dict[str, _Node], solved: dict, reported: pd.DataFrame, as_of: pd.Period) -> dict:
    """Numerator and denominator jointly, in the middle with the ratio's own course; which of the two decides is said.

    A share is handled as part over rest, so that it stays one. On a date, or where only the ratio is known, its own
    course stands alone.
    """
    own, q = nodes["own"], solved[nodes["own"].name]
    actual = float(reported.sort_values("end")["value"].iloc[-1])
    if own.kind == "stock":
        odds = not np.isclose(own.source["value"].iloc[-1], actual)
        return dict(
            q=100 * q / (1 + q) if odds else q,
            actual=actual,
            method="时点比率" + ("(按胜率)" if odds else ""),
        )
    pair = [nodes.get(n) for n in ("top", "rest" if "rest" in nodes else "bottom")]
    if None in pair or any(isinstance(solved[n.name], str) for n in pair):
        return dict(q=q, actual=actual, method="比率自身走势")
    top, bottom = (solved[n.name] for n in pair)
    joined = joint.ratio(top, bottom, _shared(tuple(pair)))
    if "rest" in nodes:
        share = np.clip(q / 100, 1e-9, 1 - 1e-9)
        odds = joint.mean_of_logs(joined, share / (1 - share))
        q = 100 * odds / (1 + odds)
    else:
        sums = [n.to_date(as_of) for n in pair]
        q = joint.mean_of_logs(joined * actual * sums[1] / max(sums[0], 1e-300), q)
    decides = "分子" if joint.spread(top) >= joint.spread(solved[nodes["bottom"].name]) else "分母"
    return dict(q=q, actual=actual, method=f"分子分母联合,主要取决于{decides}")


def _from_years(t, by: dict, as_of: pd.Period, catalog: Catalog) -> tuple[dict, np.ndarray | None]:
    """No month of this year is known: from yearly figures where there are five or more, else no chance."""
    indicator, key = (
        catalog.indicators[t.id],
        catalog.indicators[t.id].growth_of if t.kind == "growth" else t.id,
    )
    own = by.get((t.region, key))
    if own is None:
        return result(t, as_of, method="无数据", verdict=NO_DATA), None
    past = own[own["end"].dt.year < as_of.year].assign(year=lambda d: d["end"].dt.year)
    ends = past[past["end"].dt.month == 12]
    if t.kind in ("flow", "growth"):
        full = (
            past[past["months"].gt(0) | past["revision"]]
            .groupby("year")
            .agg(value=("value", "sum"), months=("months", "sum"))
        )
        values = full.loc[full["months"] == 12, "value"]
    else:
        values = ends.groupby("year")["value"].last()
    values = values[
        values.index > as_of.year - 1 - len(values)
    ]  # no year missing up to the last one
    share = t.kind == "ratio" and indicator.unit == "%"
    q = sparse.yearly(values.to_numpy(), key, share)
    demo = bool(own["demo"].any()) or bool(t.demo)
    if q is None or values.index[-1] != as_of.year - 1:
        return result(
            t, as_of, method=f"本年无数据,年度数据不足{sparse.FEWEST}年", verdict=NO_DATA, demo=demo
        ), None
    if t.kind == "growth":
        q = 100 * (q / values.iloc[-1] - 1)
    p = chance(q, t.comparator, t.target_low, t.target_high, indicator.count and t.kind != "growth")
    middle, low, high = at_levels(q[None], LEVELS, [0.5, 0.1, 0.9])[0]
    return result(
        t,
        as_of,
        median=middle,
        low=low,
        high=high,
        probability=p,
        verdict=verdict(p, False),
        demo=demo,
        method=f"只有年度数据({len(values)}年)",
    ), q


def _gaps(source: pd.DataFrame, as_of: pd.Period) -> str:
    """What is said of months that nobody reported: two lost this year, more than six in the years looked at."""
    if not (source["months"] > 0).any():
        return ""
    year, months = source["end"].dt.year.to_numpy(), source["months"].to_numpy()
    past = (year < as_of.year) & (year >= as_of.year - 5)
    lost = source["end"].max().month - int(months[year == as_of.year].sum())
    filled = 12 * len(np.unique(year[past])) - int(months[past].sum())
    told = [("本年", lost)] * (lost >= 2) + [("往年", filled)] * (filled > 6)
    return "".join(f";{when}缺{n}个月,按季节补" for when, n in told)
