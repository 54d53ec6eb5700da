"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from pandas import DataFrame, Period, Series

from zcqlib.catalog import Catalog, Target, in_force
from zcqlib.projection import joint, promises, recalibration, sparse
from zcqlib.projection.engine import project_year_end, refused_series
from zcqlib.projection.history import SUMMARY, WINDOW, Known, Node, Promise, Rows, rest_of, verdict
from zcqlib.projection.scoring import LEVELS, at_levels, chance_of
from zcqlib.tables import PROJECTIONS, QUANTILES, VINTAGE, shape

SURE = 0.05  # a chance nearer to 0 or 1 is given although nothing tells the own season
ASK = {"none": "需要去年同期数", "last_year_only": "需要去年同期累计数"}
WEAKEST = ("none", "last_year_only", "sums", "months")
OFFICIAL = "_official"  # ending of the yearly figure that a ratio is judged on once it is out


@dataclass(frozen=True, slots=True)
class Projected:
    """PROJECTIONS, QUANTILES and `missing`: who has not yet done a coverage item (`indicator`, `region`, `item`)."""

    projections: DataFrame
    quantiles: DataFrame
    missing: DataFrame = field(repr=False)


def chance(quantiles: np.ndarray, comparator: str, low: float, count: bool) -> float:
    """Chance that a target is met: whole numbers are met or not at the half between them, others at the point.

    A range (1–2家) is met at its floor; more than its end is more than met.
    """
    if count:
        low = (np.floor(low) if comparator == "gt" else np.ceil(low) - 1) + 0.5
    return float(chance_of(quantiles[None], [low])[0])


def project_targets(
    series: DataFrame,
    targets: DataFrame,
    as_of: Period,
    catalog: Catalog,
    milestones: DataFrame | None = None,
    batches: DataFrame | None = None,
    growth: DataFrame | None = None,
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
    known = Known(series, as_of, catalog, milestones, batches, growth)
    every = [Promise(row, known) for row in in_force(targets, as_of).itertuples(index=False)]
    asked = [(t, _asked(t)) for t in every if not t.of_parks]
    solved = _solve(known, [n for _, nodes in asked for n in nodes.values()])
    rows = [_told(t, nodes, solved) for t, nodes in asked]
    rows += [_all_parks(t, rows) for t in every if t.of_parks]
    told, missing = shape(rows, PROJECTIONS), [m for r in rows for m in r.get("missing", ())]
    q = told.assign(level=[LEVELS] * len(rows), value=[r.get("q") for r in rows])
    return Projected(
        told.sort_values(["indicator", "region"], ignore_index=True),
        shape(q.dropna(subset="value").explode(["level", "value"]), QUANTILES),
        shape(missing, VINTAGE["MISSING"]),
    )


# what is projected --------------------------------------------------------------------------------------------------


Nodes = dict[str, Node]


def _asked(t: Promise) -> Nodes:
    """The figures that a numeric target needs: `own`, and of a ratio `top` and `bottom` where both are known."""
    own, name = t.own, f"{t.region}|{t.id}"
    if t.kind == "growth":
        return {"own": level} if (level := _level(t)) else {}
    if t.kind in promises.RULES or own is None or own.last.year != t.year:
        return {}
    if t.kind != "ratio":
        return {"own": node} if (node := t.known.node(t.region, t.id)) else {}
    if (level := own.months == 0).any():
        own = own.only(level)
        return {"own": Node(name, _odds(own) if t.indicator.unit == "%" else own, "stock")}
    return {"own": Node(name, _quasi(own), "flow")} | _pair(t)


def _level(t: Promise) -> Node | None:
    """The level that a growth target is about, or one made of its rates alone."""
    level = t.known.node(t.region, t.indicator.growth_of)
    if level or t.own is None:
        return level
    made = sparse.from_rates(t.own, t.year)
    return Node(f"{t.region}|{t.id}", made, "flow") if made else None


def _pair(t: Promise) -> Nodes:
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
    """Shares on dates as odds; what are no shares stay."""
    shares = ((own.value >= 0) & (own.value < 100)).all()
    return own._replace(value=own.value / (100 - own.value)) if shares else own


Solved = dict[str, tuple[np.ndarray | str, bool]]


def _solve(known: Known, asked: list[Node]) -> Solved:
    """Quantiles at LEVELS of every node by name, or why it has none, and whether the own record moved them.

    Season and record are those of all series that are known, whatever is asked: a chance does not hang on the others
    that are asked with it.
    """
    own = {n.name: n for place in known.by if (n := known.whole(*place))}
    lenders, alone = set(own), {}
    while asked:
        own |= {n.name: n for n in asked}
        asked = [p for n in asked for p in n.parts]
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


def _alone(history: DataFrame, kind: str) -> Solved:
    """Each series by itself, its levels moved by what the record of its kind has taught."""
    learnt = recalibration.learnt(history[history.lends], kind, history.period.dt.year.max())
    moves = {"": (0.0, 1.0)} | learnt
    levels = np.concatenate([recalibration.moved(LEVELS, *m) for m in moves.values()])
    out = project_year_end(history, kind, levels=levels).set_index("series_id")
    q = dict(zip(moves, np.split(out.to_numpy(), len(moves), 1), strict=True))
    of = recalibration.kinds(history, kind).reindex(out.index)
    of = of.where(of.isin(list(learnt)), "")
    found = {n: (q[k][i], k != "") for i, (n, k) in enumerate(of.items())}
    refused = refused_series(history, kind).itertuples(index=False)
    return found | {n: (why, False) for n, why in refused}


def _history(nodes: list[Node], lenders: set[str]) -> DataFrame:
    """The nodes as `project_year_end` takes them; those of one indicator lend each other their season."""
    s = Rows(*map(np.concatenate, zip(*(n.source for n in nodes), strict=True)))
    told = Series([n.name for n in nodes])
    told = told.repeat([len(n.source.end) for n in nodes]).reset_index(drop=True)
    lends = told.isin(lenders)
    return DataFrame(
        {
            "series_id": told,
            "lends": lends,
            "family": told.str.split("|").str[1].where(lends, told),
            "period": pd.PeriodIndex.from_ordinals(s.end, freq="M"),
            "value": np.where(s.revision, s.value, np.maximum(s.value, 0)),
            "months": 1 if nodes[0].kind == "stock" else s.months,
            "revision": s.revision,
        }
    )


def _shared(parts: Iterable[Node]) -> float:
    """The common share of the parts' shocks, from their months."""
    own = [p.source.only(~p.source.revision) for p in parts]
    months = DataFrame([dict(zip(s.end, s.value, strict=True)) for s in own]).sort_index(axis=1)
    return joint.shared(months.to_numpy()[:, -WINDOW:])


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


def _told(t: Promise, nodes: Nodes, solved: Solved) -> dict:
    """The row of a promise; with a distribution its quantiles too, `q`."""
    if t.kind in promises.RULES:
        return promises.RULES[t.kind](t)
    if not nodes:
        return _from_years(t)
    source = nodes["own"].source
    said = dict(
        demo=bool(source.demo.any() or t.demo),
        inputs=";".join(dict.fromkeys(i for n in nodes.values() for i in n.inputs)),
        actual_to=source.last,
        evidence=evidence(source, t.year),
        calibrated=any(solved[n.name][1] for n in nodes.values()),
    )
    q = {role: solved[n.name][0] for role, n in nodes.items()}
    if t.indicator.batch and (batch := promises.batch(t, source)):
        said |= batch
    elif isinstance(q["own"], str):
        said |= dict(method=q["own"], actual=source.value[-1] if t.kind == "stock" else np.nan)
    else:
        said |= {"growth": _growth, "ratio": _ratio}.get(t.kind, _plain)(t, nodes, q)
    if "q" not in said:
        return t.row(**said)
    now = source.covered[source.year == t.year].sum()
    if now and (lost := source.last.month - now) > 0:  # months that nobody reported
        said["method"] += f";本年缺{lost}个月"
    return _judged(t, **said)


def _judged(
    t: Promise, q, actual: float, method: str, p=None, ends=None, withheld="", **said
) -> dict:
    """The row of a distribution with its chance `p`, by default that of `q`, or why none is given, `withheld`; `ends`
    are its quantiles at SUMMARY, where they are known better.
    """
    over, met = said["actual_to"].month == 12, bool(t.met(actual))
    final = t.kind == "flow" and not t.indicator.can_fall  # what is met stays met
    done, lights, rests = final and met, t.known.catalog.lights, said["evidence"]
    if final:
        q = np.fmax(q, actual)
    if p is None:
        p = chance(q, t.comparator, t.target_low, t.indicator.count and t.kind in ("flow", "stock"))
    if over or done:
        p = float(met)
    elif rests == "none" or rests == "last_year_only" and SURE < p < 1 - SURE:
        withheld = withheld or ASK[rests]
    word = verdict(p, done, lights)
    if withheld and not (over or done):
        p, word = np.nan, lights.state("thin").words
        method += f";{word}:{withheld}"
    median, low, high = at_levels(q[None], LEVELS, SUMMARY)[0] if ends is None else ends
    said |= dict(probability=p, verdict=word, actual=actual, median=median, low=low, high=high, q=q)
    return t.row(method, **said)


def _plain(t: Promise, nodes: Nodes, solved: dict) -> dict:
    """A flow counts its year to date, a stock its last level."""
    own = nodes["own"]
    actual = float(own.source.value[-1] if t.kind == "stock" else round(own.sum(t.year), 6))
    method = "合并模型"
    if own.parts:
        method = "园区联合加总" if t.region == "zone" else "分项联合加总"
    needed = promises.per_month(t, actual, own.source.last)
    return dict(q=solved["own"], actual=actual, method=method, needed_per_month=needed)


def _growth(t: Promise, nodes: Nodes, solved: dict) -> dict:
    """The level against last year's on this year's base; `needed_per_month` is the growth of the months left."""
    own, last = nodes["own"], nodes["own"].source.last
    before = own.source.only(own.source.year == t.year - 1)
    done, whole = float(own.sum(t.year)), before.value.sum()
    same = before.value[before.month <= last.month].sum()
    if before.covered.sum() != 12 or not same > 0:
        return dict(method="上年数据不全,不能换算增速")
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


def _ratio(t: Promise, nodes: Nodes, solved: dict) -> dict:
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
        method, pair = "分子分母联合", (nodes["top"], nodes[below])
        both = joint.draws(np.stack([solved["top"], solved[below]]), _shared(pair))
        joined = joint.read(both[:, 0] / np.maximum(both[:, 1], 1e-300))
        if below == "rest":
            share = np.clip(q / 100, 1e-9, 1 - 1e-9)
            odds = joint.middle(joined, share / (1 - share))
            q = 100 * odds / (1 + odds)
        else:
            top, bottom = (n.sum(t.year) for n in pair)
            q = joint.middle(joined * actual * bottom / max(top, 1e-300), q)
        wide = [np.log(solved[n][84] / max(solved[n][15], 1e-12)) for n in ("top", "bottom")]
        method += (
            f",主要取决于{'分子' if wide[0] >= wide[1] else '分母'}"  # by the middle seven in ten
        )
    return _bridged(t, dict(q=q, actual=actual, method=method))


def _bridged(t: Promise, said: dict) -> dict:
    """A ratio of the monthly reports brought to the official yearly figure, with the bridge's own past error."""
    official = t.known.by.get((t.region, t.id + OFFICIAL))
    if official is None:
        return said
    apart = np.log(official.ends(False) / t.own.ends(False)).loc[: t.year - 1].dropna().to_numpy()
    if len(apart) < 2:
        return said | dict(withheld=f"公布数与月报可对照的年份只有{len(apart)}年")
    off = np.add.outer(np.log(np.maximum(said["q"], 1e-12)), sparse.apart(apart, t.id))
    method = f"{said['method']};按公布数口径折算({len(apart)}年对照)"
    return said | dict(q=np.exp(np.quantile(off, LEVELS)), method=method)


def _all_parks(t: Promise, found: list[dict]) -> dict:
    """What each park owes is met when all have done it: how many have, and the chance of all together."""
    members, known = t.known.members, t.known
    told = [r for r in found if r["indicator"] == t.shown and r["region"] in members]
    told = [r for r in told if r.get("actual", np.nan) >= -np.inf]
    t.target_low, t.unit = float(len(members)), "个园区"
    if not told:
        return t.row("无数据")
    rows = shape(told, PROJECTIONS)
    met = sum(bool(Target.of(r).met(r["actual"])) for r in rows.to_dict("records"))
    about = dict(
        method="各园区都完成才算完成,按联合把握计",
        actual=float(met),
        actual_to=rows.actual_to.min(),
        inputs=";".join(rows.inputs),
        demo=rows.demo.any(),
        evidence=min(rows.evidence, key=WEAKEST.index),
        calibrated=rows.calibrated.any(),
    )
    if len(rows) < len(members) or rows.probability.isna().any():
        about["method"] += f";{known.catalog.lights.state('thin').words}:有园区不能判断"
        return t.row(light="thin", **about)
    aims = rows.target_low.to_numpy() - 0.5 * known.catalog.indicators[t.shown].count
    rho = _shared(known.node(park, t.id) for park in rows.region)
    reached = (joint.draws(np.stack([r["q"] for r in told]), rho) >= aims).sum(1)
    q = np.quantile(np.maximum(reached, met), LEVELS, method="inverted_cdf")
    p = min((reached == len(rows)).mean(), rows.probability.min())
    return _judged(t, q, p=p, **about)


def _from_years(t: Promise) -> dict:
    """No month of this year is known: from yearly figures where there are five or more, else no chance."""
    growth = t.kind == "growth"
    key = t.indicator.growth_of if growth else t.id
    own = t.known.by.get((t.region, key))
    if own is None:
        if t.own:  # a rate of growth alone
            return t.row("只有增速,没有数额", "thin", {t.region: t.own}, actual=t.own.value[-1])
        return _unknown(t, "无数据")
    about = dict(demo=bool(own.demo.any() or t.demo), inputs=f"SERIES/{t.region}.{key}")
    about |= dict(evidence="sums", actual_to=pd.NaT)
    values = own.ends(growth or t.kind == "flow").loc[: t.year - 1]
    values = values[values.index > t.year - 1 - len(values)]  # none missing up to the last one
    q = sparse.yearly(values.to_numpy(), key, t.kind == "ratio" and t.indicator.unit == "%")
    if q is None or values.index[-1] != t.year - 1:
        return _unknown(t, f"本年无数据,年度数据不足{sparse.FEWEST}年", **about)
    q = 100 * (q / values.iloc[-1] - 1) if growth else q
    return _judged(t, q, np.nan, f"只有年度数据({len(values)}年)", **about)


def _unknown(t: Promise, method: str, **about) -> dict:
    """No figure of this year; where the city's has come, or some of the parks that it is the sum of have sent theirs,
    what is lacking."""
    known, city, of_parks = t.known, t.known.by.get(("city", t.id)), t.indicator.additive
    late = [p for p in known.members if not (of_parks and known.whole(p, t.id))]
    if t.region == "zone" and 0 < len(late) < len(known.members):
        method += f",还缺{'、'.join(map(known.catalog.name, late))}"
    elif t.region == "zone" and city and city.last.year == t.year:
        method = "只有全市的数,没有全区的"
    else:
        return t.row(method, **about)
    return t.row(method, "thin", **about)
