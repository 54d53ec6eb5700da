"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, Target, in_force
from zcqlib.projection import joint, promises, record, sparse
from zcqlib.projection.engine import project_year_end, refused_series
from zcqlib.projection.promises import SUMMARY, Known, summary, verdict
from zcqlib.projection.scores import LEVELS, at_levels, chance_of
from zcqlib.tables import PROJECTIONS, QUANTILES

SMALL = 30.0  # yearly total of a small count
WINDOW = 36  # months in which parts must be known like their whole
UNEVEN = 0.02  # share of a month by which parts may exceed their whole where the year adds up (a revision spread)
SURE = 0.05  # a chance nearer to 0 or 1 is given although nothing tells the own season
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
    def inputs(self) -> list[str]:
        """The series of SERIES that it rests on."""
        own = [] if "|rest|" in self.name else [f"SERIES/{self.name.replace('|', '.')}"]
        return own + [i for p in self.parts for i in p.inputs]

    @property
    def last(self) -> pd.Period:
        """The last month that it is known for."""
        return self.source["end"].max()

    def sum(self, year: int) -> float:
        """What a year's rows add up to."""
        return self.source["value"][_when(self.source)[0] == year].sum()


def chance(quantiles: np.ndarray, comparator: str, low: float, count: bool) -> float:
    """Chance that a target is met: whole numbers are met or not at the half between them, others at the point.

    A range (1–2家) is met at its floor; more than its end is more than met.
    """
    if count:
        low = (np.floor(low) if comparator == "gt" else np.ceil(low) - 1) + 0.5
    return float(chance_of(quantiles[None], [low])[0])


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
    stated = series[series["end"] <= as_of].sort_values("end", kind="stable")
    by = dict(iter(stated.groupby(["region", "indicator"])))
    node = cache(lambda region, id: _node(region, id, known))  # a park's stands in its zone's too
    known = Known(by, as_of, catalog, milestones, batches, growth, node)
    live = [_sourced(t, known) for t in in_force(targets, as_of).itertuples(index=False)]
    found, together, asked = [], [], []
    for t in live:
        if t.scope == "each_park" and t.region == "zone" and t.kind == "flow":
            together.append(t)
        elif t.kind in _RULES:
            found.append((_RULES[t.kind](t, known), None))
        elif one := t.kind in _BATCHES and _BATCHES[t.kind](t, known):
            found.append(one)
        else:
            asked.append((t, _asked(t, known)))
    solved = _solve([n for _, nodes in asked for n in nodes.values()], known)
    found += [_numeric(t, nodes, solved, known) for t, nodes in asked]
    found += [_all_parks(t, found, known) for t in together]
    quantiles = [
        {k: r[k] for k in ("region", "indicator", "year", "as_of")} | dict(level=level, value=v)
        for r, q in found
        if q is not None
        for level, v in zip(LEVELS, q, strict=True)
    ]
    return Projected(
        tables.shape([r for r, _ in found], PROJECTIONS).sort_values(
            ["indicator", "region"], ignore_index=True
        ),
        tables.shape(quantiles, QUANTILES),
        tables.shape(
            [m for r, _ in found for m in r.get("missing", ())], tables.VINTAGE["MISSING"]
        ),
    )


_RULES = {
    "milestone": promises.milestone,
    "coverage": promises.coverage,
    "recurring": promises.recurring,
}
_BATCHES = {"stock": promises.batch_stock, "flow": promises.batch_flow}


def _sourced(t, known: Known) -> SimpleNamespace:
    """A target as `shown`, with the id whose figures it takes: of what it restates, or as a park's of what it is part of."""
    out, stages = SimpleNamespace(**t._asdict(), shown=t.id), known.milestones
    own = known.of(t) is not None or stages is not None and (stages["id"] == t.id).any()
    part = t.relation == "part_of" and t.region in known.catalog.parks and not own
    kin = known.catalog.indicators.get(t.related_id)
    if (t.relation == "restates" or part) and kin and kin.kind == t.kind:
        out.id = t.related_id
    return out


# what is projected --------------------------------------------------------------------------------------------------


def _asked(t, known: Known) -> dict[str, _Node]:
    """The figures that a numeric target needs: `own`, and of a ratio `top` and `bottom` where both are known."""
    own, name = known.of(t), f"{t.region}|{t.id}"
    if t.kind == "growth":
        if level := known.node(t.region, known.catalog.indicators[t.id].growth_of):
            return {"own": level}
        made = None if own is None else sparse.from_rates(own, known.as_of.year)
        if made is None:
            return {}
        made = made.assign(demo=own["demo"].any(), revision=False)
        return {"own": _Node(name, made, "flow")}
    if own is None or not _this_year(own, known.as_of):
        return {}
    if t.kind != "ratio":
        return {"own": known.node(t.region, t.id)}
    if (level := own["months"] == 0).any():
        return {"own": _Node(name, _odds(own[level]), "stock")}
    return {"own": _Node(name, _quasi(own), "flow")} | _pair(t, own["end"].max(), known)


def _pair(t, last: pd.Period, known: Known) -> dict[str, _Node]:
    """Numerator and denominator of a ratio to date where both are known as far as it, and what is in neither."""
    of = known.catalog.indicators
    i = of[t.id]
    top, bottom = (known.node(t.region, part) for part in (i.numerator, i.denominator))
    if not top or not bottom or not top.last == bottom.last == last:
        return {}
    inside = of[i.numerator].part_of == i.denominator
    rest = _rest(bottom, [top]) if inside else None
    return {"top": top, "bottom": bottom} | ({"rest": rest} if rest else {})


def _whole(region: str, id: str, known: Known) -> _Node | None:
    """A flow or stock that is known this year, by itself."""
    own, indicator = known.by.get((region, id)), known.catalog.indicators.get(id)
    if own is None or indicator is None or not _this_year(own, known.as_of):
        return None
    level, kind = own["months"] == 0, "stock" if indicator.kind == "stock" else "flow"
    own = own[level == (kind == "stock")] if kind == "flow" or level.any() else own
    return _Node(f"{region}|{id}", own, kind) if len(own) else None


def _node(region: str, id: str, known: Known) -> _Node | None:
    """A flow or stock as the sum of its parks, or of a part and the rest, where their months add up to it."""
    whole, indicator = _whole(region, id, known), known.catalog.indicators.get(id)
    if whole is None or not indicator.additive or whole.kind == "stock" and indicator.batch:
        return whole
    parts = _parts(region, id, known)
    if not parts or None in parts or (rest := _rest(whole, parts)) is None:
        return whole
    if rest.source["value"].abs().sum() > 0.005 * whole.source["value"].abs().sum():
        parts.append(rest)
    return replace(whole, parts=tuple(parts)) if len(parts) > 1 else whole


def _parts(region: str, id: str, known: Known) -> list[_Node | None]:
    """The parks of the zone; elsewhere the largest part of a whole, as others may overlap with it."""
    if region == "zone":
        return [known.node(p, id) for p in known.catalog.members(known.as_of)]
    of = known.catalog.indicators
    inside = [i for i, x in of.items() if x.part_of == id and x.kind == of[id].kind]
    parts = [n for i in inside if (n := known.node(region, i))]
    return sorted(parts, key=lambda n: -n.source["value"].sum())[:1]


def _rest(whole: _Node, parts: list[_Node]) -> _Node | None:
    """What belongs to none of the parts; None where months are missing or the parts exceed the whole."""
    source, own = whole.source, _by_span(whole.source)
    beyond, end = source["revision"].to_numpy(), source["end"].array.asi8
    apart = np.stack([_by_span(p.source).reindex(own.index).to_numpy() for p in parts])
    there = np.isfinite(apart).all(0) | beyond
    if not there[end > end.max() - WINDOW].all():
        return None
    rest, size = (own - np.nan_to_num(apart).sum(0)).to_numpy(), np.abs(own.to_numpy())
    year, told = _when(source)[0], there & ~beyond
    left, all_ = (np.bincount(year[told], v[told]) for v in (rest, size))
    if (rest < -UNEVEN * size)[told].any() or (left < -1e-6 * all_).any():
        return None
    rest = np.where(beyond, rest, np.maximum(rest, 0))
    name = f"{whole.name}|rest|{'+'.join(p.name for p in parts)}"
    return _Node(name, source.assign(value=rest)[there], whole.kind)


def _by_span(source: pd.DataFrame) -> pd.Series:
    """Values by a number for the last month and the length of what they cover, revisions apart."""
    span = source["end"].array.asi8 * 100 + 2 * source["months"] + source["revision"]
    return pd.Series(source["value"].to_numpy(float), span.to_numpy())


def _this_year(source: pd.DataFrame, as_of: pd.Period) -> bool:
    return (_when(source)[0] == as_of.year).any()


def _quasi(own: pd.DataFrame) -> pd.DataFrame:
    """A cumulative ratio as a flow: ratio to date × months/12, differenced; the year adds up to the ratio."""
    s = own[own["months"] > 0]
    to, year = s["end"].dt.month, s["end"].dt.year
    gains = pd.DataFrame({"value": s["value"] * to / 12, "months": to})
    gains -= gains.groupby(year).shift().fillna(0)
    return s.assign(value=gains["value"].clip(lower=0), months=gains["months"].astype("int64"))


def _odds(own: pd.DataFrame) -> pd.DataFrame:
    """A share on a date as odds; a ratio that is no share stays."""
    share = own["unit"].eq("%").all() and own["value"].between(0, 100, inclusive="left").all()
    return own.assign(value=own["value"] / (100 - own["value"])) if share else own


def _solve(nodes: list[_Node], known: Known) -> dict[str, tuple[np.ndarray | str, bool]]:
    """Quantiles at LEVELS of every node by name, or why it has none, and whether the own record moved them.

    Season and record are those of all series that are known, whatever is asked: a chance does not hang on the others
    that are asked with it.
    """
    of = known.catalog.indicators
    every = [_whole(r, i, known) for r, i in known.by if i in of and of[i].kind in _BATCHES]
    flat = {n.name: n for n in every if n}
    lenders = set(flat)
    while nodes:
        flat |= {n.name: n for n in nodes}
        nodes = [p for n in nodes for p in n.parts]
    alone = {}
    for kind in ("flow", "stock"):
        if those := [_history(n, lenders) for n in flat.values() if n.kind == kind]:
            alone |= _alone(pd.concat(those), kind, known.as_of.year)

    @cache
    def value(name: str) -> tuple[np.ndarray | str, bool]:
        below = [value(p.name) for p in flat[name].parts]
        if not below or any(isinstance(q, str) for q, _ in below):
            return alone[name]
        sums = joint.draws(np.stack([q for q, _ in below]), _shared(flat[name].parts)).sum(1)
        return joint.read(sums), any(moved for _, moved in below)

    return {name: value(name) for name in flat}


def _alone(history: pd.DataFrame, kind: str, year: int) -> dict[str, tuple[np.ndarray | str, bool]]:
    """Each series by itself, its levels moved by what the record of its kind has taught."""
    kinds, moves = record.kinds(history, kind), record.learnt(history[history["lends"]], kind, year)
    groups = list(kinds.unique())
    levels = [record.moved(LEVELS, *moves.get(g, (0.0, 1.0))) for g in groups]
    out = project_year_end(history, kind, levels=np.concatenate(levels)).set_index("series_id")
    q = out.to_numpy().reshape(len(out), len(groups), len(LEVELS))
    found = {
        name: (own[groups.index(kinds[name])], kinds[name] in moves)
        for name, own in zip(out.index, q, strict=True)
    }
    refused = refused_series(history, kind).itertuples(index=False)
    return found | {name: (why, False) for name, why in refused}


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
    own = [p.source[~p.source["revision"]].drop_duplicates("end", keep="last") for p in parts]
    months = pd.concat([s.set_index("end")["value"] for s in own], axis=1).sort_index()
    yearly = 12 * months.mean() / max(1.0, own[0]["months"].median())
    whole = (months.fillna(0) % 1 == 0).all(None)
    return joint.shared(months.to_numpy().T[:, -WINDOW:], bool(whole and yearly.median() < SMALL))


# what is said -------------------------------------------------------------------------------------------------------


def evidence(source: pd.DataFrame, year: int) -> str:
    """What a judgement rests on: `months` of this and a past year; `sums` with a past year's same cumulative;
    `last_year_only`, totals that do not tell the season; `none`, no past year.
    """
    source = source[~source["revision"]]
    months, (when, month) = source["months"].to_numpy(), _when(source)
    now, past = when == year, when < year
    if not past.any():
        return "none"
    if not months.any():
        return "months"
    last = month[now].max()
    if last not in np.bincount(when[past], months[past] * (month[past] <= last)):
        return "last_year_only"
    return "months" if max(months[now].max(), np.median(months[past])) <= 3 else "sums"


def _when(source: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Year and month (1-12) of the last months covered."""
    end = source["end"].array.asi8
    return 1970 + end // 12, end % 12 + 1


def _numeric(t, nodes: dict[str, _Node], solved: dict, known: Known) -> tuple:
    """The row of a flow, stock, ratio or growth target, and its quantiles or None."""
    if not nodes:
        return _from_years(t, known)
    source, year = nodes["own"].source, known.as_of.year
    about = dict(
        demo=bool(source["demo"].any() or t.demo),
        inputs=";".join(dict.fromkeys(i for n in nodes.values() for i in n.inputs)),
        actual_to=source["end"].max(),
        evidence=evidence(source, year),
        calibrated=any(solved[n.name][1] for n in nodes.values()),
    )
    q = {role: solved[n.name][0] for role, n in nodes.items()}
    said = q["own"]
    if not isinstance(said, str):
        said = {"growth": _growth, "ratio": _ratio}.get(t.kind, _plain)(t, nodes, q, known)
    if isinstance(said, str):
        return known.row(t, said) | about, None
    (when, month), months = _when(source), source["months"].where(~source["revision"], 0)
    now = months[when == year].sum()
    if now and (lost := month[when == year].max() - now) > 0:  # months that nobody reported
        said["method"] += f";本年缺{lost}个月"
    return _judged(t, said, about, known)


def _judged(t, said: dict, about: dict, known: Known) -> tuple[dict, np.ndarray]:
    """The chance of a distribution, or why none is given."""
    indicator, q, actual = known.catalog.indicators[t.id], said.pop("q"), said["actual"]
    over = about["actual_to"].month == 12
    final = t.kind == "flow" and not indicator.can_fall  # what is met stays met
    ends = bool(Target.of(t.__dict__).met(actual))
    done = final and ends
    if final:
        q = np.fmax(q, actual)
    count = indicator.count and t.kind in _BATCHES
    p = float(ends) if over or done else chance(q, t.comparator, t.target_low, count)
    rests, why = about["evidence"], said.pop("withheld", "")
    if rests == "none" or rests == "last_year_only" and SURE < p < 1 - SURE:
        why = why or ASK[rests]
    light, method = verdict(p, done, known.catalog.lights), said.pop("method")
    if why and not over and not done:
        p, light = np.nan, known.light("thin")
        method += f";{light}:{why}"
    ends = summary(at_levels(q[None], LEVELS, SUMMARY)[0])
    return known.row(t, method, light, probability=p, **ends, **said) | about, q


def _plain(t, nodes: dict[str, _Node], solved: dict, known: Known) -> dict:
    """A flow counts its year to date, a stock its last level."""
    own = nodes["own"]
    stock = t.kind == "stock"
    actual = float(own.source["value"].iloc[-1] if stock else round(own.sum(known.as_of.year), 6))
    aim = t.target_low + (t.comparator == "gt" and known.catalog.indicators[t.id].count)
    method = "合并模型"
    if own.parts:
        method = "园区联合加总" if t.region == "zone" else "分项联合加总"
    needed = promises.per_month(aim - actual, own.last)
    return dict(q=solved["own"], actual=actual, method=method, needed_per_month=needed)


def _growth(t, nodes: dict[str, _Node], solved: dict, known: Known) -> dict | str:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    own, last, year = nodes["own"], nodes["own"].last, known.as_of.year
    before = own.source[_when(own.source)[0] == year - 1]
    done, whole = float(own.sum(year)), before["value"].sum()
    same = before["value"][before["end"] <= last - 12].sum()
    if before["months"][~before["revision"]].sum() != 12 or not same > 0:
        return "上年数据不全,不能换算增速"
    reported = _reported(known, t.region, known.catalog.indicators[t.id].growth_of, last)
    base = done / (1 + reported / 100) if reported > -100 else same
    if abs(base / same - 1) > 0.005:
        whole, same = whole * base / same, base
    needed = growth_needed(t.target_low, whole, same, done) if last.month < 12 else np.nan
    return dict(
        q=100 * (solved["own"] / whole - 1),
        actual=100 * (done / same - 1),
        method="水平换算增速;所需为余下月份增速",
        needed_per_month=needed,
    )


def growth_needed(target: float, whole: float, same: float, done: float) -> float:
    """Growth (%) that the months left need: last year's total and its same months on this year's base, done so far."""
    return 100 * (((1 + target / 100) * whole - done) / (whole - same) - 1)


def _reported(known: Known, region: str, indicator: str, last: pd.Period) -> float:
    """Growth to date as reported, %, NaN where none is."""
    g = known.growth
    if g is None:
        return np.nan
    own = g[(g["region"] == region) & (g["indicator"] == indicator) & (g["end"] == last)]
    return float(own["reported"].iloc[0]) if len(own) else np.nan


def _ratio(t, nodes: dict[str, _Node], solved: dict, known: Known) -> dict:
    """Numerator and denominator jointly, in the middle with the ratio's own course; which of the two decides is said.

    A share is handled as part over rest, so that it stays one. On a date, or where only the ratio is known, its own
    course stands alone. Where an official yearly figure exists, it is what is judged.
    """
    own, q, year = nodes["own"], solved["own"], known.as_of.year
    actual = float(known.of(t)["value"].iloc[-1])
    if own.kind == "stock":
        odds = not np.isclose(own.source["value"].iloc[-1], actual)
        q = 100 * q / (1 + q) if odds else q
        return dict(q=q, actual=actual, method="时点比率" + ("(按胜率)" if odds else ""))
    method, below = "比率自身走势", "rest" if "rest" in nodes else "bottom"
    if "top" in nodes and not any(isinstance(solved[n], str) for n in ("top", below)):
        pair = nodes["top"], nodes[below]
        joined = joint.ratio(solved["top"], solved[below], _shared(pair))
        if below == "rest":
            share = np.clip(q / 100, 1e-9, 1 - 1e-9)
            odds = joint.mean_of_logs(joined, share / (1 - share))
            q = 100 * odds / (1 + odds)
        else:
            top, bottom = (n.sum(year) for n in pair)
            q = joint.mean_of_logs(joined * actual * bottom / max(top, 1e-300), q)
        first = joint.spread(solved["top"]) >= joint.spread(solved["bottom"])
        method = f"分子分母联合,主要取决于{'分子' if first else '分母'}"
    return _bridged(t, dict(q=q, actual=actual, method=method), known)


def _bridged(t, said: dict, known: Known) -> dict:
    """A ratio of the monthly reports brought to the official yearly figure, with the bridge's own past error."""
    official = known.by.get((t.region, t.id + OFFICIAL))
    if official is None:
        return said
    a, b = (_yearly(s, False, known.as_of.year) for s in (official, known.of(t)))
    apart = np.log(a / b).dropna().to_numpy()
    if len(apart) < 2:
        return said | dict(withheld=f"公布数与月报可对照的年份只有{len(apart)}年")
    off = np.add.outer(np.log(np.maximum(said["q"], 1e-12)), sparse.apart(apart, t.id))
    method = f"{said['method']};按公布数口径折算({len(apart)}年对照)"
    return said | dict(q=np.exp(np.quantile(off, LEVELS)), method=method)


def _all_parks(t, found: list, known: Known) -> tuple[dict, np.ndarray | None]:
    """What each park owes is met when all have done it: how many have, and the chance of all together."""
    members, count = known.catalog.members(known.as_of), known.catalog.indicators[t.shown].count
    own = {r["region"]: (r, q) for r, q in found if r["indicator"] == t.shown}
    told = {p: own[p] for p in members if p in own and own[p][0].get("actual", np.nan) >= -np.inf}
    t.target_low, t.unit = float(len(members)), "个园区"
    if not told:
        return known.row(t, "无数据"), None
    rows = tables.shape([r for r, _ in told.values()], PROJECTIONS)
    met = [Target.of(r).met(r["actual"]) for r in rows.to_dict("records")]
    about = dict(
        actual=float(sum(met)),
        actual_to=rows["actual_to"].min(),
        inputs=";".join(rows["inputs"]),
        demo=bool(rows["demo"].any()),
        evidence=min(rows["evidence"], key=WEAKEST.index),
        calibrated=bool(rows["calibrated"].any()),
    )
    method = "各园区都完成才算完成,按联合把握计"
    if len(rows) < len(members) or rows["probability"].isna().any():
        thin = known.light("thin")
        return known.row(t, f"{method};{thin}:有园区不能判断", thin) | about, None
    rho = _shared(tuple(known.node(p, t.id) for p in told))
    aims = rows["target_low"].to_numpy() - 0.5 * count
    least = joint.at_least(np.stack([q for _, q in told.values()]), aims, rho)
    least = np.maximum(least, np.arange(len(least)) <= sum(met))
    q = np.array([np.flatnonzero(least >= 1 - level)[-1] for level in LEVELS], float)
    p = min(float(least[-1]), rows["probability"].min())
    light = verdict(p, all(met), known.catalog.lights)
    ends = summary(q[np.searchsorted(LEVELS, SUMMARY)])
    return known.row(t, method, light, probability=p, **ends) | about, q


def _from_years(t, known: Known) -> tuple[dict, np.ndarray | None]:
    """No month of this year is known: from yearly figures where there are five or more, else no chance."""
    indicator, year = known.catalog.indicators[t.id], known.as_of.year
    key = indicator.growth_of if t.kind == "growth" else t.id
    own = known.by.get((t.region, key))
    if own is None:
        return known.row(t, "无数据"), None
    demo = bool(own["demo"].any() or t.demo)
    about = dict(demo=demo, inputs=f"SERIES/{t.region}.{key}", evidence="sums", actual_to=pd.NaT)
    values = _yearly(own, t.kind in ("flow", "growth"), year)
    values = values[values.index > year - 1 - len(values)]  # none missing up to the last one
    q = sparse.yearly(values.to_numpy(), key, t.kind == "ratio" and indicator.unit == "%")
    if q is None or values.index[-1] != year - 1:
        return known.row(t, f"本年无数据,年度数据不足{sparse.FEWEST}年") | about, None
    if t.kind == "growth":
        q = 100 * (q / values.iloc[-1] - 1)
    said = dict(q=q, actual=np.nan, method=f"只有年度数据({len(values)}年)")
    return _judged(t, said, about, known)


def _yearly(source: pd.DataFrame, sums: bool, year: int) -> pd.Series:
    """Past year ends by year: totals of full years, or the last levels of December."""
    past = source[source["end"].dt.year < year]
    if sums:
        flows = tables.covering(past[past["months"] > 0])
        years = flows.groupby(flows["end"].dt.year)[["months", "value"]].sum()
        return years["value"][years["months"] == 12]
    past = past[past["end"].dt.month == 12]
    return past.groupby(past["end"].dt.year)["value"].last()
