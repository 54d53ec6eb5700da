"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, Target, in_force
from zcqlib.projection import joint, promises, record, sparse
from zcqlib.projection.engine import project_year_end, refused_series
from zcqlib.projection.promises import NO_DATA, THIN, reached, result, verdict
from zcqlib.projection.scores import LEVELS, at_levels, chance_of
from zcqlib.tables import PROJECTIONS, QUANTILES

SMALL, WINDOW = (
    30.0,
    36,
)  # yearly total of a small count; months in which parts must be known like their whole
UNEVEN = 0.02  # share of a month by which parts may exceed their whole where the year adds up (a revision spread)
SURE = (
    0.05  # chances beyond this and its counterpart are given although nothing tells the own season
)
ASK = {"none": "需要去年同期数", "last_year_only": "需要去年同期累计数"}
WEAKEST = ("none", "last_year_only", "sums", "months")
OFFICIAL = "_official"  # ending of the yearly figure that a ratio is judged on once it is out


@dataclass(frozen=True, slots=True)
class Projected:
    """PROJECTIONS, QUANTILES and `missing`: who has not yet done a coverage item (`indicator`, `region`, `item`)."""

    projections: pd.DataFrame
    quantiles: pd.DataFrame
    missing: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Node:
    """A figure to project: its rows of SERIES, flow or stock, and the parts it is the sum of, if it is one."""

    name: str
    source: pd.DataFrame
    kind: str
    parts: tuple[_Node, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The series of SERIES that it rests on."""
        own = () if "|rest|" in self.name else (f"SERIES/{self.name.replace('|', '.')}",)
        return own + tuple(i for p in self.parts for i in p.inputs)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known at a month: rows of SERIES by region and indicator, and how figures are made up of others."""

    by: dict[tuple[str, str], pd.DataFrame]
    as_of: pd.Period
    catalog: Catalog
    growth: pd.DataFrame | None
    node: Callable[[str, str], _Node | None]


def chance(quantiles: np.ndarray, comparator: str, low: float, high: float, count: bool) -> float:
    """Chance that a target is met: whole numbers are met or not at the half between them, others at the point.

    A range (1–2家) is met at its floor; more than its end is more than met.
    """
    at = low
    if count:
        at = (np.floor(low) if comparator == "gt" else np.ceil(low) - 1) + 0.5
    return float(chance_of(quantiles[None], [at])[0])


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
    series : SERIES known then, in normal units; its revisions count for the year to date and for no month.
    targets : TARGETS in normal units; park rows only where a park has a target of its own. as_of : last month known.
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
    stated = series[series["end"] <= as_of].reset_index(drop=True)
    by = {key: part.sort_values("end") for key, part in stated.groupby(["region", "indicator"])}
    node = cache(lambda region, id: _node(region, id, known))  # a park's stands in its zone's too
    known = _Known(by, as_of, catalog, growth, node)
    found, absent, asked, together = [], [], [], []

    def tell(shown, row: dict, q: np.ndarray | None) -> None:
        found.append((row | {"indicator": shown.id}, q))

    for t in live.itertuples(index=False):
        shown, t = t, _source(t, known, milestones)
        part = by.get((t.region, t.id))
        if shown.scope == "each_park" and t.region == "zone" and t.kind == "flow":
            together.append((shown, t.id))
        elif t.kind in _RULES:
            row, q, who = _RULES[t.kind](t, part, known, milestones)
            tell(shown, row, q)
            absent += [w | {"indicator": shown.id} for w in who]
        elif one := _batches(t, part, known, batches):
            tell(shown, *one)
        else:
            asked.append((shown, t))
    wanted = {(t.region, t.id): _asked(t, known) for _, t in asked}
    solved = _solve([n for nodes in wanted.values() for n in nodes.values()], known)
    for shown, t in asked:
        tell(shown, *_numeric(t, wanted[t.region, t.id], solved, known))
    found += [_all_parks(t, source, found, known) for t, source in together]
    about = dict(year=as_of.year, as_of=as_of)
    quantiles = [
        dict(region=r["region"], indicator=r["indicator"], level=level, value=v, **about)
        for r, q in found
        if q is not None
        for level, v in zip(LEVELS, q, strict=True)
    ]
    frame = tables.shape([r for r, _ in found], PROJECTIONS)
    return Projected(
        frame.sort_values(["indicator", "region"], ignore_index=True),
        tables.shape(quantiles, QUANTILES),
        tables.shape(absent, tables.VINTAGE["MISSING"]),
    )


_RULES = {
    "milestone": lambda t, part, k, stages: (
        promises.milestone(t, k.as_of, stages, k.catalog),
        None,
        [],
    ),
    "coverage": lambda t, part, k, stages: promises.coverage(t, k.by, k.as_of, k.catalog),
    "recurring": lambda t, part, k, stages: (promises.recurring(t, part, k.as_of), None, []),
}


def _source(t, known: _Known, milestones: pd.DataFrame | None):
    """The row with the id whose figures it takes: of what it restates, or as a park's row of what it is part of."""
    parks = known.catalog.parks
    own = (t.region, t.id) in known.by or (
        milestones is not None and (milestones["id"] == t.id).any()
    )
    if t.relation == "restates" or (t.relation == "part_of" and t.region in parks and not own):
        if (kin := known.catalog.indicators.get(t.related_id)) and kin.kind == t.kind:
            return SimpleNamespace(**t._asdict() | {"id": t.related_id})
    return t


def _batches(t, part, known: _Known, batches):
    """What is recognised in batches: a stock by its calendar, a flow by past years where its date slips."""
    if not known.catalog.indicators[t.id].batch:
        return None
    if t.kind == "stock":
        return promises.batch_stock(t, part, known.as_of, batches, known.catalog)
    if t.kind == "flow" and part is not None:
        return promises.batch_flow(t, part[~part["revision"]], known.as_of)
    return None


# what is projected --------------------------------------------------------------------------------------------------


def _asked(t, known: _Known) -> dict[str, _Node]:
    """The figures that a numeric target needs: `own`, and of a ratio `top` and `bottom` where both are known."""
    if t.kind == "growth":
        return _asked_growth(t, known)
    own = known.by.get((t.region, t.id))
    if own is None or not _this_year(own, known.as_of):
        return {}
    if t.kind != "ratio":
        return {"own": known.node(t.region, t.id)}
    if (own["months"] == 0).any():
        return {"own": _Node(f"{t.region}|{t.id}", _odds(own[own["months"] == 0]), "stock")}
    return {"own": _Node(f"{t.region}|{t.id}", _quasi(own), "flow")} | _pair(t, own, known)


def _asked_growth(t, known: _Known) -> dict[str, _Node]:
    if own := known.node(t.region, known.catalog.indicators[t.id].growth_of):
        return {"own": own}
    rates = known.by.get((t.region, t.id))
    made = None if rates is None else sparse.from_rates(rates, known.as_of.year)
    if made is None:
        return {}
    made = made.assign(demo=rates["demo"].any(), revision=False)
    return {"own": _Node(f"{t.region}|{t.id}", made, "flow")}


def _pair(t, own: pd.DataFrame, known: _Known) -> dict[str, _Node]:
    """Numerator and denominator of a ratio to date where both are known as far as it, and what is in neither."""
    indicator, last = known.catalog.indicators[t.id], own["end"].max()
    top, bottom = (known.node(t.region, i) for i in (indicator.numerator, indicator.denominator))
    if not top or not bottom or not top.source["end"].max() == bottom.source["end"].max() == last:
        return {}
    nodes = {"top": top, "bottom": bottom}
    inside = known.catalog.indicators[indicator.numerator].part_of == indicator.denominator
    if inside and (rest := _rest(bottom, (top,))) is not None:
        nodes["rest"] = rest
    return nodes


def _whole(region: str, id: str, known: _Known) -> _Node | None:
    """A flow or stock that is known this year, by itself."""
    own, indicator = known.by.get((region, id)), known.catalog.indicators.get(id)
    if own is None or indicator is None or not _this_year(own, known.as_of):
        return None
    stock = indicator.kind == "stock"
    level = own["months"] == 0
    own = own[~level] if not stock else own[level] if level.any() else own
    return _Node(f"{region}|{id}", own, "stock" if stock else "flow") if len(own) else None


def _node(region: str, id: str, known: _Known) -> _Node | None:
    """A flow or stock as the sum of its parks, or of a part and the rest, where their months add up to it."""
    whole, indicator = _whole(region, id, known), known.catalog.indicators.get(id)
    if whole is None or not indicator.additive or whole.kind == "stock" and indicator.batch:
        return whole
    parts = _parts(region, id, known)
    if not parts or None in parts or (rest := _rest(whole, tuple(parts))) is None:
        return whole
    if rest.source["value"].abs().sum() > 0.005 * whole.source["value"].abs().sum():
        parts.append(rest)
    return replace(whole, parts=tuple(parts)) if len(parts) > 1 else whole


def _parts(region: str, id: str, known: _Known) -> list[_Node | None]:
    """The parks of the zone; elsewhere the largest part of a whole, as others may overlap with it."""
    if region == "zone":
        return [known.node(p, id) for p in known.catalog.members(known.as_of)]
    of = known.catalog.indicators
    inside = [i for i, x in of.items() if x.part_of == id and x.kind == of[id].kind]
    parts = [n for i in inside if (n := known.node(region, i))]
    return [max(parts, key=lambda n: n.source["value"].sum())] if parts else []


def _rest(whole: _Node, parts: tuple[_Node, ...]) -> _Node | None:
    """What belongs to none of the parts; None where months are missing or the parts exceed the whole."""
    source, own = whole.source, _by_span(whole.source)
    beyond, end = source["revision"].to_numpy(), source["end"].array.asi8
    apart = np.stack([_by_span(p.source).reindex(own.index).to_numpy() for p in parts])
    there = np.isfinite(apart).all(0) | beyond
    if not there[end > end.max() - WINDOW].all():
        return None
    rest, size = (own - np.nan_to_num(apart).sum(0)).to_numpy(), np.abs(own.to_numpy())
    year, told = _when(source)[0], there & ~beyond
    sums = [np.bincount(year[told], v[told]) for v in (rest, size)]
    if (rest < -UNEVEN * size)[told].any() or (sums[0] < -1e-6 * sums[1]).any():
        return None
    rest = np.where(beyond, rest, np.maximum(rest, 0))
    name = f"{whole.name}|rest|{'+'.join(p.name for p in parts)}"
    return _Node(name, source.assign(value=rest)[there], whole.kind)


def _by_span(source: pd.DataFrame) -> pd.Series:
    """Values by a number for the last month and the length of what they cover, revisions apart."""
    span = source["end"].array.asi8 * 100 + 2 * source["months"] + source["revision"]
    return pd.Series(source["value"].to_numpy(float), span.to_numpy())


def _this_year(source: pd.DataFrame, as_of: pd.Period) -> bool:
    return bool((_when(source)[0] == as_of.year).any())


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


def _solve(nodes: list[_Node], known: _Known) -> dict[str, tuple[np.ndarray | str, bool]]:
    """Quantiles at LEVELS of every node by name, or why it has none, and whether the own record moved them.

    Season and record are those of all series that are known, whatever is asked: a chance does not hang on the others
    that are asked with it.
    """
    every = [n for r, i in known.by if (n := _whole(r, i, known)) and _plain_kind(i, known)]
    flat = {n.name: n for n in every}
    lenders = set(flat)
    while nodes:
        flat |= {n.name: n for n in nodes}
        nodes = [p for n in nodes for p in n.parts]
    alone: dict[str, tuple[np.ndarray | str, bool]] = {}
    for kind in ("flow", "stock"):
        if those := [n for n in flat.values() if n.kind == kind]:
            alone |= _alone(
                pd.concat([_history(n, lenders) for n in those]), kind, known.as_of.year
            )

    @cache
    def value(name: str) -> tuple[np.ndarray | str, bool]:
        below = [value(p.name) for p in flat[name].parts]
        if not below or any(isinstance(q, str) for q, _ in below):
            return alone[name]
        sums = joint.draws(np.stack([q for q, _ in below]), _shared(flat[name].parts)).sum(1)
        return joint.read(sums), any(moved for _, moved in below)

    return {name: value(name) for name in flat}


def _plain_kind(id: str, known: _Known) -> bool:
    return known.catalog.indicators[id].kind in ("flow", "stock")


def _alone(history: pd.DataFrame, kind: str, year: int) -> dict[str, tuple[np.ndarray | str, bool]]:
    """Each series by itself, its levels moved by what the record of its kind has taught."""
    kinds, moves = record.kinds(history, kind), record.learnt(history[history["lends"]], kind, year)
    groups = list(kinds.unique())
    levels = [record.moved(LEVELS, *moves.get(g, (0.0, 1.0))) for g in groups]
    out = project_year_end(history, kind, levels=np.concatenate(levels))
    own = [groups.index(g) for g in kinds[out["series_id"]]]
    q = (
        out.iloc[:, 1:]
        .to_numpy()
        .reshape(len(out), len(groups), len(LEVELS))[np.arange(len(out)), own]
    )
    found = zip(
        out["series_id"], zip(q, kinds[out["series_id"]].isin(moves), strict=True), strict=True
    )
    refused = refused_series(history, kind).itertuples(index=False)
    return dict(found) | {name: (why, False) for name, why in refused}


def _history(n: _Node, lenders: set[str]) -> pd.DataFrame:
    s, lends = n.source, n.name in lenders
    return pd.DataFrame(
        {
            "series_id": n.name,
            "period": s["end"],
            "value": s["value"].where(s["revision"], s["value"].clip(lower=0)),
            "months": 1 if n.kind == "stock" else s["months"],
            "revision": s["revision"],
            "family": n.name.split("|")[1] if lends else n.name,
            "lends": lends,
        }
    )


def _shared(parts: tuple[_Node, ...]) -> float:
    """The common share of the parts' shocks, from their months."""
    own = [p.source[~p.source["revision"]] for p in parts]
    axis = np.unique(np.concatenate([s["end"].array.asi8 for s in own]))
    months = np.full((len(parts), len(axis)), np.nan)
    for row, s in zip(months, own, strict=True):
        row[np.searchsorted(axis, s["end"].array.asi8)] = s["value"]
    yearly = 12 * np.nanmean(months, 1) / max(1.0, float(own[0]["months"].median()))
    whole = bool((np.nan_to_num(months) % 1 == 0).all())
    return joint.shared(months[:, -WINDOW:], small=whole and np.median(yearly) < SMALL)


# what is said -------------------------------------------------------------------------------------------------------


def evidence(source: pd.DataFrame, year: int) -> str:
    """What a judgement rests on: `months` of this and a past year; `sums` with a past year's same cumulative;
    `last_year_only`, totals that do not tell the season; `none`, no past year.
    """
    plain, months = ~source["revision"].to_numpy(), source["months"].to_numpy()
    when, month = _when(source)
    now, past = plain & (when == year), plain & (when < year)
    if not past.any():
        return "none"
    if (months[plain] == 0).all():
        return "months"
    last = month[now].max()
    same = np.bincount(when[past], months[past] * (month[past] <= last)) == last
    if not same.any():
        return "last_year_only"
    return "months" if max(months[now].max(), np.median(months[past])) <= 3 else "sums"


def _when(source: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Year and month (1-12) of the last months covered."""
    end = source["end"].array.asi8
    return 1970 + end // 12, end % 12 + 1


def _numeric(
    t, nodes: dict[str, _Node], solved: dict, known: _Known
) -> tuple[dict, np.ndarray | None]:
    """The row of a flow, stock, ratio or growth target, and its quantiles."""
    if not nodes:
        return _from_years(t, known)
    own, as_of = nodes["own"], known.as_of
    about = dict(
        demo=bool(own.source["demo"].any()) or bool(t.demo),
        inputs=";".join(dict.fromkeys(i for n in nodes.values() for i in n.inputs)),
        actual_to=own.source["end"].max(),
        evidence=evidence(own.source, as_of.year),
        calibrated=any(solved[n.name][1] for n in nodes.values()),
    )
    q = {role: solved[n.name][0] for role, n in nodes.items()}
    said = q["own"]
    if not isinstance(said, str):
        said = {"growth": _growth, "ratio": _ratio}.get(t.kind, _plain)(t, nodes, q, known)
    if isinstance(said, str):
        return result(t, as_of, method=said, verdict=NO_DATA, **about), None
    said["method"] += _gaps(own.source, as_of)
    return _judged(t, said, about, known)


def _judged(t, said: dict, about: dict, known: _Known) -> tuple[dict, np.ndarray]:
    """The chance of a distribution, or why none is given."""
    indicator, q, actual = known.catalog.indicators[t.id], said.pop("q"), said["actual"]
    left = 12 - about["actual_to"].month
    final = t.kind == "flow" and not indicator.can_fall  # what is met stays met
    if final:
        q = np.fmax(q, actual)
    ends = reached(t, actual)
    done = final and ends
    count = indicator.count and t.kind in ("flow", "stock")
    p = (
        float(ends)
        if not left or done
        else chance(q, t.comparator, t.target_low, t.target_high, count)
    )
    why = said.pop("withheld", "") or _withheld(about["evidence"], p)
    judged = dict(probability=p, verdict=verdict(p, done))
    if why and left and not done:
        judged, said["method"] = dict(verdict=THIN), f"{said['method']};{THIN}:{why}"
    middle, low, high = at_levels(q[None], LEVELS, [0.5, *promises.ENDS])[0]
    return result(t, known.as_of, median=middle, low=low, high=high, **judged, **about, **said), q


def _withheld(rests: str, p: float) -> str:
    """What has to be asked for before a chance can be given; "" where it can be."""
    if rests == "none" or rests == "last_year_only" and SURE < p < 1 - SURE:
        return ASK[rests]
    return ""


def _plain(t, nodes: dict[str, _Node], solved: dict, known: _Known) -> dict:
    """A flow counts its year to date, a stock its last level."""
    own = nodes["own"]
    now = own.source["value"].to_numpy(float)[_when(own.source)[0] == known.as_of.year]
    actual = float(now[-1] if t.kind == "stock" else round(now.sum(), 6))
    aim = t.target_low + (t.comparator == "gt" and known.catalog.indicators[t.id].count)
    method = "合并模型"
    if own.parts:
        method = "园区联合加总" if t.region == "zone" else "分项联合加总"
    needed = promises.per_month(aim - actual, 12 - own.source["end"].max().month)
    return dict(q=solved["own"], actual=actual, method=method, needed_per_month=needed)


def _growth(t, nodes: dict[str, _Node], solved: dict, known: _Known) -> dict | str:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    source = nodes["own"].source
    now, before = (source[_when(source)[0] == known.as_of.year - i] for i in (0, 1))
    last, done = now["end"].max(), float(now["value"].sum())
    whole, same = before["value"].sum(), before[before["end"] <= last - 12]["value"].sum()
    if before.loc[~before["revision"], "months"].sum() != 12 or not same > 0:
        return "上年数据不全,不能换算增速"
    reported = _reported(known, t.region, known.catalog.indicators[t.id].growth_of, last)
    if reported > -100 and abs(done / (1 + reported / 100) / same - 1) > 0.005:
        base = done / (1 + reported / 100)
        whole, same = whole * base / same, base
    needed = growth_needed(t.target_low, whole, same, done) if last.month < 12 else float("nan")
    return dict(
        q=100 * (solved["own"] / whole - 1),
        actual=100 * (done / same - 1),
        method="水平换算增速;所需为余下月份增速",
        needed_per_month=needed,
    )


def growth_needed(target: float, whole: float, same: float, done: float) -> float:
    """Growth (%) that the months left need: last year's total and its same months on this year's base, done so far."""
    return 100 * (((1 + target / 100) * whole - done) / (whole - same) - 1)


def _reported(known: _Known, region: str, indicator: str, last: pd.Period) -> float:
    """Growth to date as reported, %, NaN where none is."""
    if known.growth is None:
        return float("nan")
    g = known.growth
    own = g[(g["region"] == region) & (g["indicator"] == indicator) & (g["end"] == last)]
    return float(own["reported"].iloc[0]) if len(own) else float("nan")


def _ratio(t, nodes: dict[str, _Node], solved: dict, known: _Known) -> dict:
    """Numerator and denominator jointly, in the middle with the ratio's own course; which of the two decides is said.

    A share is handled as part over rest, so that it stays one. On a date, or where only the ratio is known, its own
    course stands alone. Where an official yearly figure exists, it is what is judged.
    """
    own, q = nodes["own"], solved["own"]
    actual = float(known.by[t.region, t.id].sort_values("end")["value"].iloc[-1])
    if own.kind == "stock":
        odds = not np.isclose(own.source["value"].iloc[-1], actual)
        q = 100 * q / (1 + q) if odds else q
        return dict(q=q, actual=actual, method="时点比率" + ("(按胜率)" if odds else ""))
    method, names = "比率自身走势", ("top", "rest" if "rest" in nodes else "bottom")
    if "top" in nodes and not any(isinstance(solved[n], str) for n in names):
        pair = tuple(nodes[n] for n in names)
        joined = joint.ratio(solved["top"], solved[names[1]], _shared(pair))
        if "rest" in nodes:
            share = np.clip(q / 100, 1e-9, 1 - 1e-9)
            odds = joint.mean_of_logs(joined, share / (1 - share))
            q = 100 * odds / (1 + odds)
        else:
            now = [n.source["value"][_when(n.source)[0] == known.as_of.year].sum() for n in pair]
            q = joint.mean_of_logs(joined * actual * now[1] / max(now[0], 1e-300), q)
        top = joint.spread(solved["top"]) >= joint.spread(solved["bottom"])
        method = f"分子分母联合,主要取决于{'分子' if top else '分母'}"
    return _bridged(t, dict(q=q, actual=actual, method=method), known)


def _bridged(t, said: dict, known: _Known) -> dict:
    """A ratio of the monthly reports brought to the official yearly figure, with the bridge's own past error."""
    official = known.by.get((t.region, t.id + OFFICIAL))
    if official is None:
        return said
    a, b = (
        _yearly(s[s["end"].dt.year < known.as_of.year], False)
        for s in (official, known.by[t.region, t.id])
    )
    apart = np.log(a / b).dropna().to_numpy()
    if len(apart) < 2:
        return said | dict(withheld=f"公布数与月报可对照的年份只有{len(apart)}年")
    off = np.sort(
        np.add.outer(np.log(np.maximum(said["q"], 1e-12)), sparse.apart(apart, t.id)).ravel()
    )
    return said | dict(
        q=np.exp(np.quantile(off, LEVELS)),
        method=f"{said['method']};按公布数口径折算({len(apart)}年对照)",
    )


def _all_parks(t, source: str, found: list, known: _Known) -> tuple[dict, np.ndarray | None]:
    """What each park owes is met when all have done it: how many have, and the chance of all together."""
    as_of, members = known.as_of, known.catalog.members(known.as_of)
    own = {r["region"]: (r, q) for r, q in found if r["indicator"] == t.id}
    rows = [own[p][0] for p in members if p in own and own[p][0]["actual"] == own[p][0]["actual"]]
    t = SimpleNamespace(**t._asdict() | {"target_low": float(len(members)), "unit": "个园区"})
    if not rows:
        return result(t, as_of, method="无数据", verdict=NO_DATA), None
    met = [bool(Target.of(r).met(r["actual"])) for r in rows]
    about = dict(
        actual=float(sum(met)),
        actual_to=min(r["actual_to"] for r in rows),
        inputs=";".join(r["inputs"] for r in rows),
        demo=any(r["demo"] for r in rows),
        evidence=min((r["evidence"] for r in rows), key=WEAKEST.index),
        calibrated=any(r["calibrated"] for r in rows),
        method="各园区都完成才算完成,按联合把握计",
    )
    p = [r["probability"] for r in rows]
    if len(rows) < len(members) or np.isnan(p).any():
        about["method"] += f";{THIN}:有园区不能判断"
        return result(t, as_of, verdict=THIN, **about), None
    half = 0.5 * known.catalog.indicators[t.id].count
    nodes = tuple(known.node(r["region"], source) for r in rows)
    least = joint.at_least(
        np.stack([own[m][1] for m in members]),
        np.array([r["target_low"] - half for r in rows]),
        _shared(nodes),
    )
    least = np.maximum(least, np.arange(len(least)) <= sum(met))
    q = np.array([np.flatnonzero(least >= 1 - level)[-1] for level in LEVELS], float)
    p = min(float(least[-1]), *p)
    middle, low, high = q[np.searchsorted(LEVELS, (0.5, *promises.ENDS))]
    judged = dict(median=middle, low=low, high=high, probability=p, verdict=verdict(p, all(met)))
    return result(t, as_of, **judged, **about), q


def _from_years(t, known: _Known) -> tuple[dict, np.ndarray | None]:
    """No month of this year is known: from yearly figures where there are five or more, else no chance."""
    indicator, as_of = known.catalog.indicators[t.id], known.as_of
    key = indicator.growth_of if t.kind == "growth" else t.id
    own = known.by.get((t.region, key))
    if own is None:
        return result(t, as_of, method="无数据", verdict=NO_DATA), None
    about = dict(
        demo=bool(own["demo"].any()) or bool(t.demo),
        inputs=f"SERIES/{t.region}.{key}",
        evidence="sums",
    )
    values = _yearly(own[own["end"].dt.year < as_of.year], t.kind in ("flow", "growth"))
    values = values[values.index > as_of.year - 1 - len(values)]  # none missing up to the last one
    q = sparse.yearly(values.to_numpy(), key, t.kind == "ratio" and indicator.unit == "%")
    if q is None or values.index[-1] != as_of.year - 1:
        why = f"本年无数据,年度数据不足{sparse.FEWEST}年"
        return result(t, as_of, method=why, verdict=NO_DATA, **about), None
    if t.kind == "growth":
        q = 100 * (q / values.iloc[-1] - 1)
    said = dict(q=q, actual=float("nan"), method=f"只有年度数据({len(values)}年)")
    return _judged(t, said, about | {"actual_to": pd.NaT}, known)


def _yearly(past: pd.DataFrame, sums: bool) -> pd.Series:
    """Year ends by year: totals of full years, or the last levels of December."""
    year = past["end"].dt.year
    if not sums:
        return past[past["end"].dt.month == 12].groupby(year)["value"].last()
    flows = past[past["months"] > 0]
    full = flows[~flows["revision"]].groupby(year)["months"].sum() == 12
    return flows.groupby(year)["value"].sum()[
        full.reindex(flows.groupby(year).size().index, fill_value=False)
    ]


def _gaps(source: pd.DataFrame, as_of: pd.Period) -> str:
    """What is said of months of this year that nobody reported."""
    year, month = _when(source)
    now = source["months"].to_numpy()[(year == as_of.year) & ~source["revision"].to_numpy()]
    lost = month[year == as_of.year].max() - now.sum()
    return f";本年缺{lost}个月" if now.any() and lost > 0 else ""
