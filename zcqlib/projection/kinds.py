"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, Target, in_force
from zcqlib.projection import joint, promises, record, sparse
from zcqlib.projection.engine import project_year_end, refused_series
from zcqlib.projection.promises import SUMMARY, Known, Rows, summary, verdict
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


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """A figure to project: its series, flow or stock, and the parts it is the sum of, if it is one."""

    name: str
    source: Rows
    kind: str
    parts: tuple[_Node, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """The series of SERIES that it rests on."""
        own = [] if "|rest|" in self.name else [f"SERIES/{self.name.replace('|', '.')}"]
        return own + [i for p in self.parts for i in p.inputs]

    def sum(self, year: int) -> float:
        """What a year's rows add up to."""
        return self.source.value[self.source.year == year].sum()


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
    return project_months([(series, targets, as_of, catalog, milestones, batches, growth)])[0]


def project_months(asked: Iterable[tuple]) -> list[Projected]:
    """As `project_targets` with each of these arguments; what all of them need is projected in one batch."""
    months = [_Month(_known(series, *more), targets) for series, targets, *more in asked]
    return [m.said(solved) for m, solved in zip(months, _solve(months), strict=True)]


def _known(
    series: pd.DataFrame,
    as_of: pd.Period,
    catalog: Catalog,
    milestones: pd.DataFrame | None = None,
    batches: pd.DataFrame | None = None,
    growth: pd.DataFrame | None = None,
) -> Known:
    by = Rows.by_place(series[series["end"] <= as_of])
    node = cache(lambda region, id: _node(region, id, known))  # a park's stands in its zone's too
    stages = {} if milestones is None else dict(iter(milestones.groupby("id")))
    place, reported = ["region", "indicator", "end"], {}
    if growth is not None:  # the first of a place, to date
        now = growth[growth["end"].dt.year == as_of.year]
        reported = now.drop_duplicates(place).set_index(place)["reported"].to_dict()
    members = catalog.members(as_of)
    known = Known(by, as_of, catalog, members, stages, batches, reported, node)
    return known


class _Month:
    """The targets in force at a month: by rules of their own, of parks together, or by figures to project."""

    def __init__(self, known: Known, targets: pd.DataFrame):
        self.known, self.found, self.together, self.asked = known, [], [], []
        for row in in_force(targets, known.as_of).itertuples(index=False):
            t = _sourced(row, known)
            if t.scope == "each_park" and t.region == "zone" and t.kind == "flow":
                self.together.append(t)
            elif t.kind in _RULES:
                self.found.append((_RULES[t.kind](t, known), None))
            elif one := t.kind in _BATCHES and _BATCHES[t.kind](t, known):
                self.found.append(one)
            else:
                self.asked.append((t, _asked(t, known)))

    def said(self, solved: dict) -> Projected:
        """What is said of each target once the figures are projected."""
        found = self.found + [_numeric(t, n, solved, self.known) for t, n in self.asked]
        found += [_all_parks(t, found, self.known) for t in self.together]
        told = tables.shape([r for r, _ in found], PROJECTIONS)
        q = [q for _, q in found if q is not None]
        own = told.loc[[q is not None for _, q in found], ["region", "indicator", "year", "as_of"]]
        levels = own.loc[own.index.repeat(len(LEVELS))]
        levels = levels.assign(level=np.tile(LEVELS, len(q)), value=np.ravel(q))
        missing = [m for r, _ in found for m in r.get("missing", ())]
        return Projected(
            told.sort_values(["indicator", "region"], ignore_index=True),
            tables.shape(levels.reset_index(drop=True), QUANTILES),
            tables.shape(missing, tables.VINTAGE["MISSING"]),
        )


_RULES = {
    "milestone": promises.milestone,
    "coverage": promises.coverage,
    "recurring": promises.recurring,
}
_BATCHES = {"stock": promises.batch_stock, "flow": promises.batch_flow}


def _sourced(t, known: Known) -> SimpleNamespace:
    """A target as `shown`, with the id whose figures it takes: of what it restates, or as a park's of what it is part of."""
    out = SimpleNamespace(**t._asdict(), shown=t.id)
    own = known.of(t) is not None or t.id in known.milestones
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
        made = None if own is None else sparse.from_rates(own.end, own.value, known.as_of.year)
        if made is None:
            return {}
        no, demo = np.zeros((2, len(made[0])), bool)
        return {"own": _Node(name, Rows(*made, no, demo | own.demo.any(), no), "flow")}
    if own is None or own.last.year != known.as_of.year:
        return {}
    if t.kind != "ratio":
        return {"own": known.node(t.region, t.id)}
    if (level := own.months == 0).any():
        return {"own": _Node(name, _odds(own.only(level)), "stock")}
    return {"own": _Node(name, _quasi(own), "flow")} | _pair(t, own.last, known)


def _pair(t, last: pd.Period, known: Known) -> dict[str, _Node]:
    """Numerator and denominator of a ratio to date where both are known as far as it, and what is in neither."""
    of = known.catalog.indicators
    i = of[t.id]
    top, bottom = (known.node(t.region, part) for part in (i.numerator, i.denominator))
    if not top or not bottom or not top.source.last == bottom.source.last == last:
        return {}
    inside = of[i.numerator].part_of == i.denominator
    rest = _rest(bottom, [top]) if inside else None
    return {"top": top, "bottom": bottom} | ({"rest": rest} if rest else {})


def _whole(region: str, id: str, known: Known) -> _Node | None:
    """A flow or stock that is known this year, by itself."""
    own, indicator = known.by.get((region, id)), known.catalog.indicators.get(id)
    if own is None or indicator is None or own.last.year != known.as_of.year:
        return None
    level, kind = own.months == 0, "stock" if indicator.kind == "stock" else "flow"
    own = own.only(level == (kind == "stock")) if kind == "flow" or level.any() else own
    return _Node(f"{region}|{id}", own, kind) if len(own.end) else None


def _node(region: str, id: str, known: Known) -> _Node | None:
    """A flow or stock as the sum of its parks, or of a part and the rest, where their months add up to it."""
    whole, indicator = _whole(region, id, known), known.catalog.indicators.get(id)
    if whole is None or not indicator.additive or whole.kind == "stock" and indicator.batch:
        return whole
    parts = _parts(region, id, known)
    if not parts or None in parts or (rest := _rest(whole, parts)) is None:
        return whole
    if np.abs(rest.source.value).sum() > 0.005 * np.abs(whole.source.value).sum():
        parts.append(rest)
    return replace(whole, parts=tuple(parts)) if len(parts) > 1 else whole


def _parts(region: str, id: str, known: Known) -> list[_Node | None]:
    """The parks of the zone; elsewhere the largest part of a whole, as others may overlap with it."""
    if region == "zone":
        return [known.node(p, id) for p in known.members]
    of = known.catalog.indicators
    inside = [i for i, x in of.items() if x.part_of == id and x.kind == of[id].kind]
    parts = [n for i in inside if (n := known.node(region, i))]
    return sorted(parts, key=lambda n: -n.source.value.sum())[:1]


def _rest(whole: _Node, parts: list[_Node]) -> _Node | None:
    """What belongs to none of the parts; None where months are missing or the parts exceed the whole."""
    source, size = whole.source, np.abs(whole.source.value)
    beyond, end, year = source.revision, source.end, source.year
    spans = [dict(zip(_spans(p.source), p.source.value, strict=True)) for p in parts]
    apart = np.array([[own.get(s, np.nan) for s in _spans(source)] for own in spans])
    there = np.isfinite(apart).all(0) | beyond
    if not there[end > end.max() - WINDOW].all():
        return None
    rest, told = source.value - np.nan_to_num(apart).sum(0), there & ~beyond
    left, all_ = (np.bincount(year[told], v[told]) for v in (rest, size))
    if (rest < -UNEVEN * size)[told].any() or (left < -1e-6 * all_).any():
        return None
    rest = np.where(beyond, rest, np.maximum(rest, 0))
    name = f"{whole.name}|rest|{'+'.join(p.name for p in parts)}"
    return _Node(name, source._replace(value=rest).only(there), whole.kind)


def _spans(source: Rows) -> list[int]:
    """A number for the last month and the length of what each row covers, revisions apart."""
    return (source.end * 100 + 2 * source.months + source.revision).tolist()


def _quasi(own: Rows) -> Rows:
    """A cumulative ratio as a flow: ratio to date × months/12, differenced; the year adds up to the ratio."""
    s = own.only(own.months > 0)
    gains = np.stack([s.value * s.month / 12, s.month])
    gains[:, 1:] -= np.where(s.year[1:] == s.year[:-1], gains[:, :-1], 0)
    return s._replace(value=np.maximum(gains[0], 0), months=gains[1].astype("int64"))


def _odds(own: Rows) -> Rows:
    """A share on a date as odds; a ratio that is no share stays."""
    share = own.percent.all() and ((own.value >= 0) & (own.value < 100)).all()
    return own._replace(value=own.value / (100 - own.value)) if share else own


def _solve(months: list[_Month]) -> list[dict[str, tuple[np.ndarray | str, bool]]]:
    """By month, quantiles at LEVELS of every node by name, or why it has none, and whether the own record moved them.

    Season and record are those of all series that are known, whatever is asked: a chance does not hang on the others
    that are asked with it.
    """
    flat, lenders = [], []
    for m in months:
        of = m.known.catalog.indicators
        every = [_whole(r, i, m.known) for r, i in m.known.by if i in of and of[i].kind in _BATCHES]
        own = {n.name: n for n in every if n}
        lenders.append(set(own))
        nodes = [n for _, nodes in m.asked for n in nodes.values()]
        while nodes:
            own |= {n.name: n for n in nodes}
            nodes = [p for n in nodes for p in n.parts]
        flat.append(own)
    alone = [{} for _ in months]
    for kind in ("flow", "stock"):
        asked = [[n for n in own.values() if n.kind == kind] for own in flat]
        those = {
            at: _history(nodes, lends)
            for at, (nodes, lends) in enumerate(zip(asked, lenders, strict=True))
            if nodes
        }
        for (at, name), value in _alone(those, kind).items() if those else ():
            alone[at][name] = value
    return [_with_sums(*both) for both in zip(flat, alone, strict=True)]


def _with_sums(nodes: dict[str, _Node], alone: dict) -> dict[str, tuple[np.ndarray | str, bool]]:
    """Each node by itself, or as the joint sum of its parts."""

    @cache
    def value(name: str) -> tuple[np.ndarray | str, bool]:
        below = [value(p.name) for p in nodes[name].parts]
        if not below or any(isinstance(q, str) for q, _ in below):
            return alone[name]
        sums = joint.draws(np.stack([q for q, _ in below]), _shared(nodes[name].parts)).sum(1)
        return joint.read(sums), any(moved for _, moved in below)

    return {name: value(name) for name in nodes}


def _alone(
    histories: dict[int, pd.DataFrame], kind: str
) -> dict[tuple[int, str], tuple[np.ndarray | str, bool]]:
    """Each series of each month by itself, its levels moved by what the record of its kind had taught by then."""
    moves, parts = {}, []
    for at, h in histories.items():
        learnt = record.learnt(h[h["lends"]], kind, h["period"].dt.year.max())
        moves |= {(at, n): learnt.get(k) for n, k in record.kinds(h, kind).items()}
        own = {c: f"{at}/" + h[c] for c in ("series_id", "family")}
        parts.append(h.assign(**own))
    sets = list(dict.fromkeys(moves.values()))
    levels = [record.moved(LEVELS, *(m or (0.0, 1.0))) for m in sets]
    both = pd.concat(parts, ignore_index=True)
    out = project_year_end(both, kind, levels=np.concatenate(levels)).set_index("series_id")
    q = out.to_numpy().reshape(len(out), len(sets), len(LEVELS))
    refused = refused_series(both[~both["series_id"].isin(out.index)], kind)
    found = dict(refused.itertuples(index=False)) | dict(zip(out.index, q, strict=True))
    told = {}
    for name, value in found.items():
        at, own = name.split("/", 1)
        move = moves[key := (int(at), own)]
        why = isinstance(value, str)
        told[key] = (value, False) if why else (value[sets.index(move)], move is not None)
    return told


def _history(nodes: list[_Node], lenders: set[str]) -> pd.DataFrame:
    s = Rows(*map(np.concatenate, zip(*(n.source for n in nodes), strict=True)))
    names, lends = [n.name for n in nodes], [n.name in lenders for n in nodes]
    families = [n.split("|")[1] if own else n for n, own in zip(names, lends, strict=True)]
    about = pd.DataFrame({"series_id": names, "family": families, "lends": lends})
    about = about.loc[np.repeat(about.index, [len(n.source.end) for n in nodes])]
    return about.assign(
        period=pd.PeriodIndex.from_ordinals(s.end, freq="M"),
        value=np.where(s.revision, s.value, np.maximum(s.value, 0)),
        months=1 if nodes[0].kind == "stock" else s.months,
        revision=s.revision,
    ).reset_index(drop=True)


def _shared(parts: tuple[_Node, ...]) -> float:
    """The common share of the parts' shocks, from their months."""
    own = [p.source.only(~p.source.revision) for p in parts]
    ends = np.unique(np.concatenate([s.end for s in own]))
    months = np.full((len(own), len(ends)), np.nan)
    for row, s in zip(months, own, strict=True):
        row[np.searchsorted(ends, s.end)] = s.value  # the last of a month stands
    yearly = 12 * np.nanmean(months, 1) / max(1.0, np.median(own[0].months))
    whole = (np.nan_to_num(months) % 1 == 0).all()
    return joint.shared(months[:, -WINDOW:], bool(whole and np.median(yearly) < SMALL))


# what is said -------------------------------------------------------------------------------------------------------


def evidence(source: Rows, year: int) -> str:
    """What a judgement rests on: `months` of this and a past year; `sums` with a past year's same cumulative;
    `last_year_only`, totals that do not tell the season; `none`, no past year.
    """
    s = source.only(~source.revision)
    now, past = s.year == year, s.year < year
    if not past.any():
        return "none"
    if not s.months.any():
        return "months"
    last = s.month[now].max()
    if last not in np.bincount(s.year[past], s.months[past] * (s.month[past] <= last)):
        return "last_year_only"
    return "months" if max(s.months[now].max(), np.median(s.months[past])) <= 3 else "sums"


def _numeric(t, nodes: dict[str, _Node], solved: dict, known: Known) -> tuple:
    """The row of a flow, stock, ratio or growth target, and its quantiles or None."""
    if not nodes:
        return _from_years(t, known)
    source, year = nodes["own"].source, known.as_of.year
    about = dict(
        demo=bool(source.demo.any() or t.demo),
        inputs=";".join(dict.fromkeys(i for n in nodes.values() for i in n.inputs)),
        actual_to=source.last,
        evidence=evidence(source, year),
        calibrated=any(solved[n.name][1] for n in nodes.values()),
    )
    q = {role: solved[n.name][0] for role, n in nodes.items()}
    said = q["own"]
    if not isinstance(said, str):
        said = {"growth": _growth, "ratio": _ratio}.get(t.kind, _plain)(t, nodes, q, known)
    if isinstance(said, str):
        return known.row(t, said) | about, None
    now = source.covered[source.year == year].sum()
    if now and (lost := source.last.month - now) > 0:  # months that nobody reported
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
    actual = float(own.source.value[-1] if stock else round(own.sum(known.as_of.year), 6))
    aim = t.target_low + (t.comparator == "gt" and known.catalog.indicators[t.id].count)
    method = "合并模型"
    if own.parts:
        method = "园区联合加总" if t.region == "zone" else "分项联合加总"
    needed = promises.per_month(aim - actual, own.source.last)
    return dict(q=solved["own"], actual=actual, method=method, needed_per_month=needed)


def _growth(t, nodes: dict[str, _Node], solved: dict, known: Known) -> dict | str:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    own, last, year = nodes["own"], nodes["own"].source.last, known.as_of.year
    before = own.source.only(own.source.year == year - 1)
    done, whole = float(own.sum(year)), before.value.sum()
    same = before.value[before.month <= last.month].sum()
    if before.covered.sum() != 12 or not same > 0:
        return "上年数据不全,不能换算增速"
    level = known.catalog.indicators[t.id].growth_of
    reported = known.growth.get((t.region, level, last), np.nan)
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


def _ratio(t, nodes: dict[str, _Node], solved: dict, known: Known) -> dict:
    """Numerator and denominator jointly, in the middle with the ratio's own course; which of the two decides is said.

    A share is handled as part over rest, so that it stays one. On a date, or where only the ratio is known, its own
    course stands alone. Where an official yearly figure exists, it is what is judged.
    """
    own, q, year = nodes["own"], solved["own"], known.as_of.year
    actual = float(known.of(t).value[-1])
    if own.kind == "stock":
        odds = not np.isclose(own.source.value[-1], actual)
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
    members, count = known.members, known.catalog.indicators[t.shown].count
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
    demo = bool(own.demo.any() or t.demo)
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


def _yearly(source: Rows, sums: bool, year: int) -> pd.Series:
    """Past year ends by year: totals of full years, or the last levels of December."""
    if sums:
        full, total, _ = source.only((source.year < year) & (source.months > 0)).full_years()
        return pd.Series(total, full)
    past = source.only((source.year < year) & (source.month == 12))
    return pd.Series(dict(zip(past.year.tolist(), past.value, strict=True)), dtype=float)
