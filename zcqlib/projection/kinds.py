"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, Target, in_force
from zcqlib.projection import joint, promises, recalibration, sparse
from zcqlib.projection.engine import project_year_end, refused_series
from zcqlib.projection.history import SUMMARY, WINDOW, Known, Node, Promise, Rows, rest_of
from zcqlib.projection.scoring import LEVELS, at_levels, chance_of
from zcqlib.tables import PROJECTIONS, QUANTILES

NUMBER = 3  # digits in front of a node's name
SMALL = 30.0  # yearly total of a small count
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
    months = [
        _Month(Known(f"{n:03}", series, *more), targets)
        for n, (series, targets, *more) in enumerate(asked)
    ]
    solved = _solve(months)
    return [m.said(solved) for m in months]


class _Month:
    """The targets in force at a month: by rules of their own, of parks together, or by figures to project."""

    def __init__(self, known: Known, targets: pd.DataFrame):
        self.known, self.found, self.together, self.asked = known, [], [], []
        for row in in_force(targets, known.as_of).itertuples(index=False):
            t = Promise(row, known)
            if t.scope == "each_park" and t.region == "zone" and t.kind == "flow":
                self.together.append(t)
            elif t.kind in _RULES:
                self.found.append((_RULES[t.kind](t), None))
            elif one := t.kind in _BATCHES and _BATCHES[t.kind](t):
                self.found.append(one)
            else:
                self.asked.append((t, _asked(t)))

    def said(self, solved: dict) -> Projected:
        """What is said of each target once the figures are projected."""
        found = self.found + [_numeric(t, n, solved) for t, n in self.asked]
        found += [_all_parks(t, found) for t in self.together]
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


# what is projected --------------------------------------------------------------------------------------------------


def _asked(t: Promise) -> dict[str, Node]:
    """The figures that a numeric target needs: `own`, and of a ratio `top` and `bottom` where both are known."""
    own, name = t.own, f"{t.known.number}|{t.region}|{t.id}"
    if t.kind == "growth":
        if level := t.known.node(t.region, t.indicator.growth_of):
            return {"own": level}
        made = None if own is None else sparse.from_rates(own.end, own.value, t.year)
        if made is None:
            return {}
        no, demo = np.zeros((2, len(made[0])), bool)
        return {"own": Node(name, Rows(*made, no, demo | own.demo.any(), no), "flow")}
    if own is None or own.last.year != t.year:
        return {}
    if t.kind != "ratio":
        return {"own": t.known.node(t.region, t.id)}
    if (level := own.months == 0).any():
        return {"own": Node(name, _odds(own.only(level)), "stock")}
    return {"own": Node(name, _quasi(own), "flow")} | _pair(t)


def _pair(t: Promise) -> dict[str, Node]:
    """Numerator and denominator of a ratio to date where both are known as far as it, and what is in neither."""
    i = t.indicator
    top, bottom = (t.known.node(t.region, part) for part in (i.numerator, i.denominator))
    if not top or not bottom or not top.source.last == bottom.source.last == t.own.last:
        return {}
    inside = t.known.catalog.indicators[i.numerator].part_of == i.denominator
    rest = rest_of(bottom, [top]) if inside else None
    return {"top": top, "bottom": bottom} | ({"rest": rest} if rest else {})


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


Solved = dict[str, tuple[np.ndarray | str, bool]]


def _solve(months: list[_Month]) -> Solved:
    """Quantiles at LEVELS of every node by name, or why it has none, and whether the own record moved them.

    Season and record are those of all series that are known at a month, whatever is asked: a chance does not hang on
    the others that are asked with it.
    """
    own, lenders = _nodes(months)
    alone = {}
    for kind in ("flow", "stock"):
        if those := [n for n in own.values() if n.kind == kind]:
            alone |= _alone(_history(those, lenders), kind)

    @cache
    def value(name: str):
        below = [value(p.name) for p in own[name].parts]
        if not below or any(isinstance(q, str) for q, _ in below):
            return alone[name]
        sums = joint.draws(np.stack([q for q, _ in below]), _shared(own[name].parts)).sum(1)
        return joint.read(sums), any(moved for _, moved in below)

    return {name: value(name) for name in own}


def _nodes(months: list[_Month]):
    """All figures by name, those that are asked with what they are the sum of; the names of those that are known."""
    own = {}
    for known in (m.known for m in months if m.asked):
        of = known.catalog.indicators
        every = [known.whole(r, i) for r, i in known.by if i in of and of[i].kind in _BATCHES]
        own |= {n.name: n for n in every if n}
    lenders, nodes = set(own), [n for m in months for _, some in m.asked for n in some.values()]
    while nodes:
        own |= {n.name: n for n in nodes}
        nodes = [p for n in nodes for p in n.parts]
    return own, lenders


def _alone(history: pd.DataFrame, kind: str) -> Solved:
    """Each series by itself, its levels moved by what the record of its kind had taught by its month."""
    moves, of = {}, recalibration.kinds(history, kind)
    for _, h in history.groupby(history["series_id"].str[:NUMBER]):
        short = {
            c: h[c].str[NUMBER:] for c in ("series_id", "family")
        }  # a record of several months
        learnt = recalibration.learnt(
            h.assign(**short)[h["lends"]], kind, h["period"].dt.year.max()
        )
        moves |= {n: learnt.get(of[n]) for n in h["series_id"].unique()}
    sets = list(dict.fromkeys(moves.values()))
    levels = [recalibration.moved(LEVELS, *(m or (0.0, 1.0))) for m in sets]
    out = project_year_end(history, kind, levels=np.concatenate(levels)).set_index("series_id")
    q = out.to_numpy().reshape(len(out), len(sets), len(LEVELS))
    found = {
        n: (own[sets.index(moves[n])], moves[n] is not None)
        for n, own in zip(out.index, q, strict=True)
    }
    refused = refused_series(history[~history["series_id"].isin(out.index)], kind)
    return found | {n: (why, False) for n, why in refused.itertuples(index=False)}


def _history(nodes: list[Node], lenders: set[str]) -> pd.DataFrame:
    s = Rows(*map(np.concatenate, zip(*(n.source for n in nodes), strict=True)))
    names, lends = [n.name for n in nodes], [n.name in lenders for n in nodes]
    family = [
        f"{n.name[:NUMBER]}|{n.name.split('|')[2]}" if own else n.name
        for n, own in zip(nodes, lends, strict=True)
    ]
    about = pd.DataFrame({"series_id": names, "family": family, "lends": lends})
    about = about.loc[np.repeat(about.index, [len(n.source.end) for n in nodes])]
    return about.assign(
        period=pd.PeriodIndex.from_ordinals(s.end, freq="M"),
        value=np.where(s.revision, s.value, np.maximum(s.value, 0)),
        months=1 if nodes[0].kind == "stock" else s.months,
        revision=s.revision,
    ).reset_index(drop=True)


def _shared(parts: tuple[Node, ...]) -> float:
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


def _numeric(t: Promise, nodes: dict[str, Node], solved: Solved) -> tuple:
    """The row of a flow, stock, ratio or growth target, and its quantiles or None."""
    if not nodes:
        return _from_years(t)
    source = nodes["own"].source
    about = dict(
        demo=bool(source.demo.any() or t.demo),
        inputs=";".join(dict.fromkeys(i for n in nodes.values() for i in n.inputs)),
        actual_to=source.last,
        evidence=evidence(source, t.year),
        calibrated=any(solved[n.name][1] for n in nodes.values()),
    )
    q = {role: solved[n.name][0] for role, n in nodes.items()}
    said = q["own"]
    if not isinstance(said, str):
        said = {"growth": _growth, "ratio": _ratio}.get(t.kind, _plain)(t, nodes, q)
    if isinstance(said, str):
        return t.row(said, **about), None
    now = source.covered[source.year == t.year].sum()
    if now and (lost := source.last.month - now) > 0:  # months that nobody reported
        said["method"] += f";本年缺{lost}个月"
    return _judged(t, said, about)


def _judged(t: Promise, said: dict, about: dict) -> tuple[dict, np.ndarray]:
    """The chance of a distribution, or why none is given."""
    q, actual, method = said.pop("q"), said["actual"], said.pop("method")
    over = about["actual_to"].month == 12
    final = t.kind == "flow" and not t.indicator.can_fall  # what is met stays met
    ends = bool(t.met(actual))
    done = final and ends
    if final:
        q = np.fmax(q, actual)
    count = t.indicator.count and t.kind in _BATCHES
    p = float(ends) if over or done else chance(q, t.comparator, t.target_low, count)
    rests, why = about["evidence"], said.pop("withheld", "")
    if rests == "none" or rests == "last_year_only" and SURE < p < 1 - SURE:
        why = why or ASK[rests]
    row = t.chance(method, p, done, at_levels(q[None], LEVELS, SUMMARY)[0], **said, **about)
    if why and not over and not done:
        thin = t.known.catalog.lights.state("thin").words
        row |= dict(probability=np.nan, verdict=thin, method=f"{method};{thin}:{why}")
    return row, q


def _plain(t: Promise, nodes: dict[str, Node], solved: dict) -> dict:
    """A flow counts its year to date, a stock its last level."""
    own = nodes["own"]
    actual = float(own.source.value[-1] if t.kind == "stock" else round(own.sum(t.year), 6))
    aim = t.target_low + (t.comparator == "gt" and t.indicator.count)
    method = "合并模型"
    if own.parts:
        method = "园区联合加总" if t.region == "zone" else "分项联合加总"
    needed = promises.per_month(aim - actual, own.source.last)
    return dict(q=solved["own"], actual=actual, method=method, needed_per_month=needed)


def _growth(t: Promise, nodes: dict[str, Node], solved: dict) -> dict | str:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    own, last = nodes["own"], nodes["own"].source.last
    before = own.source.only(own.source.year == t.year - 1)
    done, whole = float(own.sum(t.year)), before.value.sum()
    same = before.value[before.month <= last.month].sum()
    if before.covered.sum() != 12 or not same > 0:
        return "上年数据不全,不能换算增速"
    reported = t.known.growth.get((t.region, t.indicator.growth_of, last), np.nan)
    base = done / (1 + reported / 100) if reported > -100 else same
    if abs(base / same - 1) > 0.005:
        whole, same = whole * base / same, base
    needed = np.nan
    if last.month < 12:  # last year's total and its same months on this year's base, done so far
        needed = 100 * (((1 + t.target_low / 100) * whole - done) / (whole - same) - 1)
    return dict(
        q=100 * (solved["own"] / whole - 1),
        actual=100 * (done / same - 1),
        method="水平换算增速;所需为余下月份增速",
        needed_per_month=needed,
    )


def _ratio(t: Promise, nodes: dict[str, Node], solved: dict) -> dict:
    """Numerator and denominator jointly, in the middle with the ratio's own course; which of the two decides is said.

    A share is handled as part over rest, so that it stays one. On a date, or where only the ratio is known, its own
    course stands alone. Where an official yearly figure exists, it is what is judged.
    """
    own, q, actual = nodes["own"], solved["own"], float(t.own.value[-1])
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
            top, bottom = (n.sum(t.year) for n in pair)
            q = joint.mean_of_logs(joined * actual * bottom / max(top, 1e-300), q)
        first = joint.spread(solved["top"]) >= joint.spread(solved["bottom"])
        method = f"分子分母联合,主要取决于{'分子' if first else '分母'}"
    return _bridged(t, dict(q=q, actual=actual, method=method))


def _bridged(t: Promise, said: dict) -> dict:
    """A ratio of the monthly reports brought to the official yearly figure, with the bridge's own past error."""
    official = t.known.by.get((t.region, t.id + OFFICIAL))
    if official is None:
        return said
    a, b = (_yearly(s, False, t.year) for s in (official, t.own))
    apart = np.log(a / b).dropna().to_numpy()
    if len(apart) < 2:
        return said | dict(withheld=f"公布数与月报可对照的年份只有{len(apart)}年")
    off = np.add.outer(np.log(np.maximum(said["q"], 1e-12)), sparse.apart(apart, t.id))
    method = f"{said['method']};按公布数口径折算({len(apart)}年对照)"
    return said | dict(q=np.exp(np.quantile(off, LEVELS)), method=method)


def _all_parks(t: Promise, found: list) -> tuple[dict, np.ndarray | None]:
    """What each park owes is met when all have done it: how many have, and the chance of all together."""
    members = t.known.members
    own = {r["region"]: (r, q) for r, q in found if r["indicator"] == t.shown}
    told = [own[p] for p in members if p in own and own[p][0].get("actual", np.nan) >= -np.inf]
    t.target_low, t.unit = float(len(members)), "个园区"
    if not told:
        return t.row("无数据"), None
    rows, quantiles = zip(*told, strict=True)
    met = [Target.of(r).met(r["actual"]) for r in rows]
    about = _of_all(rows) | dict(actual=float(sum(met)))
    method, single = (
        "各园区都完成才算完成,按联合把握计",
        [r.get("probability", np.nan) for r in rows],
    )
    if len(rows) < len(members) or np.isnan(single).any():
        row = t.row(method, "thin", **about)
        return row | dict(method=f"{method};{row['verdict']}:有园区不能判断"), None
    rho = _shared(tuple(t.known.node(r["region"], t.id) for r in rows))
    count = t.known.catalog.indicators[t.shown].count
    aims = np.array([r["target_low"] for r in rows]) - 0.5 * count
    least = joint.at_least(np.stack(quantiles), aims, rho)
    least = np.maximum(least, np.arange(len(least)) <= sum(met))
    q = np.array([np.flatnonzero(least >= 1 - level)[-1] for level in LEVELS], float)
    p, ends = min(float(least[-1]), *single), q[np.searchsorted(LEVELS, SUMMARY)]
    return t.chance(method, p, all(met), ends, **about), q


def _of_all(rows) -> dict:
    """What the rows of several parks rest on."""
    return dict(
        actual_to=min(r["actual_to"] for r in rows),
        inputs=";".join(r["inputs"] for r in rows),
        demo=any(r["demo"] for r in rows),
        evidence=min((r["evidence"] for r in rows), key=WEAKEST.index),
        calibrated=any(r.get("calibrated", False) for r in rows),
    )


def _from_years(t: Promise) -> tuple[dict, np.ndarray | None]:
    """No month of this year is known: from yearly figures where there are five or more, else no chance."""
    growth = t.kind == "growth"
    key = t.indicator.growth_of if growth else t.id
    own = t.known.by.get((t.region, key))
    if own is None:
        return t.row("无数据"), None
    demo = bool(own.demo.any() or t.demo)
    about = dict(demo=demo, inputs=f"SERIES/{t.region}.{key}", evidence="sums", actual_to=pd.NaT)
    values = _yearly(own, growth or t.kind == "flow", t.year)
    values = values[values.index > t.year - 1 - len(values)]  # none missing up to the last one
    q = sparse.yearly(values.to_numpy(), key, t.kind == "ratio" and t.indicator.unit == "%")
    if q is None or values.index[-1] != t.year - 1:
        return t.row(f"本年无数据,年度数据不足{sparse.FEWEST}年", **about), None
    if growth:
        q = 100 * (q / values.iloc[-1] - 1)
    said = dict(q=q, actual=np.nan, method=f"只有年度数据({len(values)}年)")
    return _judged(t, said, about)


def _yearly(source: Rows, sums: bool, year: int) -> pd.Series:
    """Past year ends by year: totals of full years, or the last levels of December."""
    if sums:
        full, total, _ = source.only((source.year < year) & (source.months > 0)).full_years()
        return pd.Series(total, full)
    past = source.only((source.year < year) & (source.month == 12))
    return pd.Series(dict(zip(past.year.tolist(), past.value, strict=True)), dtype=float)
