"""Every kind of promise to a projection: which rule fits, what it says, and when it must say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.projection.counts import batch_distribution, in_time
from zcqlib.projection.engine import LEVELS, project_year_end
from zcqlib.tables import PROJECTIONS, QUANTILES

LEVEL = 0.8
_QUARTER_STRETCH = {3: 1.55, 6: 1.55, 9: 1.85}
MET, LIKELY, OPEN, HARD, STAGES, NO_DATA, NO_BATCH = (
    "已完成",
    "把握较大",
    "尚有悬念",
    "难度较大",
    "按节点推进",
    "缺数据",
    "缺批次安排",
)


@dataclass(frozen=True, slots=True)
class Projected:
    """PROJECTIONS, QUANTILES and `missing`: who has not yet done a coverage item (`indicator`, `region`, `item`)."""

    projections: pd.DataFrame
    quantiles: pd.DataFrame
    missing: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One target with what is known of it."""

    row: object
    actual: float
    final: bool  # nothing can be taken back: what is met stays met


def chance_at(quantiles: np.ndarray, value: float) -> float:
    """Probability of at most `value`, by straight lines between the quantiles at LEVELS."""
    levels = np.array(LEVELS)
    if value < quantiles[0]:
        return 0.0025
    if value > quantiles[-1]:
        return 0.9975
    return float(np.interp(value, quantiles, levels))


def chance(quantiles: np.ndarray, comparator: str, low: float, high: float, count: bool) -> float:
    """Chance that a target is met: whole numbers are met or not at the half between them, others at the point."""
    half = 0.5 if count else 0.0
    below = lambda v: chance_at(quantiles, v)  # noqa: E731
    if comparator == "gt":
        return 1 - below(np.floor(low) + half if count else low)
    if comparator == "between":
        return below(high + half) - below(low - half)
    return 1 - below(np.ceil(low) - half if count else low)


def met(value: float, comparator: str, low: float, high: float) -> bool:
    """Whether a final value meets the target."""
    if comparator == "gt":
        return value > low
    if comparator == "between":
        return low <= value <= high
    if comparator == "eq":
        return abs(value - low) < 1e-9 or value > low
    return value >= low


def verdict(probability: float, done: bool) -> str:
    """The light in a word; it grades the chance rounded as printed."""
    if done:
        return MET
    if np.isnan(probability):
        return STAGES
    p = round(100 * probability)
    return LIKELY if p >= 80 else OPEN if p >= 40 else HARD


def in_force(targets: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """The targets that hold in a month: of each place and indicator the latest one."""
    live = targets[(targets["year"] == month.year) & (targets["in_force_from"] <= month)]
    return live.sort_values("in_force_from").drop_duplicates(["id", "region"], keep="last")


def project_targets(
    series: pd.DataFrame,
    targets: pd.DataFrame,
    as_of: pd.Period,
    catalog: Catalog,
    milestones: pd.DataFrame | None = None,
    batches: pd.DataFrame | None = None,
    to_date: pd.DataFrame | None = None,
    growth: pd.DataFrame | None = None,
) -> Projected:
    """Project every target in force at a month.

    Parameters
    ----------
    series : SERIES known then, in normal units. targets : TARGETS in normal units; park rows only where a park has a
        target of its own. as_of : last month known.
    milestones, batches : tables of the catalog's form; later dates are hidden here.
    to_date : SERIES from January to each month as reports state them; where they differ from the sum of the stated
        months (a revision that nobody restated by month), the months of that year are scaled to them.
    growth : `region`, `indicator`, `end`, `reported`: growth as reported (%). Where it differs from that of the levels by
        over .5 %, last year's base is the implied one (comparable prices, a changed base).
    Returns
    -------
    Projected. `probability` is NaN where no chance can be given, and `verdict` says why.
    Source
    ------
    目标、批次与节点参考表;各月报表。
    """
    year = as_of.year
    live = in_force(targets, as_of)
    known = _scaled(series[series["end"] <= as_of], to_date)
    by = {key: part for key, part in known.groupby(["region", "indicator"])}
    rows, quantiles, absent = [], [], []
    jobs: dict[str, list] = {"flow": [], "stock": []}
    pending: dict[str, tuple] = {}
    for t in live.itertuples():
        indicator = catalog.indicators[t.id]
        part = by.get((t.region, t.id))
        name = f"{t.region}|{t.id}"
        if t.kind == "milestone":
            rows.append(_milestone(t, as_of, milestones))
        elif t.kind == "coverage":
            row, who = _coverage(t, by, as_of, catalog)
            rows.append(row)
            absent += who
        elif t.kind == "stock" and indicator.batch:
            found = _batch(t, part, as_of, batches, catalog)
            rows.append(found[0])
            quantiles += found[1]
        elif t.kind == "recurring":
            rows.append(_recurring(t, part, as_of))
        else:
            source = by.get((t.region, indicator.growth_of)) if t.kind == "growth" else part
            if source is None or source[source["end"].dt.year == year].empty:
                rows.append(_row(t, as_of, method="无数据", verdict=NO_DATA, demo=bool(t.demo)))
                continue
            kind = "stock" if t.kind == "stock" or t.kind == "ratio" and (source["months"] == 0).all() else "flow"
            jobs[kind].append(_history(name, source, t.kind, kind))
            pending[name] = (t, source, kind)
    for kind, histories in jobs.items():
        if not histories:
            continue
        out = project_year_end(pd.concat(histories, ignore_index=True), kind=kind)
        refused = out.attrs["refused"].set_index("series_id")["reason"]
        done = out.set_index("series_id")
        for name, (t, source, k) in pending.items():
            if k != kind:
                continue
            if name in refused.index:
                rows.append(_row(t, as_of, method=refused[name], verdict=NO_DATA, demo=bool(source["demo"].any())))
                continue
            row, q = _numeric(t, source, as_of, done.loc[name, list(LEVELS)].to_numpy(float), catalog, growth)
            rows.append(row)
            quantiles += _quantile_rows(t, as_of, q)
    frame = tables.shape(rows, PROJECTIONS).sort_values(["indicator", "region"], ignore_index=True)
    return Projected(
        frame, tables.shape(quantiles, QUANTILES), pd.DataFrame(absent, columns=["indicator", "region", "item"])
    )


def _scaled(known: pd.DataFrame, to_date: pd.DataFrame | None) -> pd.DataFrame:
    """Months of a year brought to the last cumulative figure stated for them."""
    if to_date is None or to_date.empty:
        return known
    key = ["region", "indicator", "year"]
    flows = known[known["months"] > 0].assign(year=lambda d: d["end"].dt.year)
    reached = flows.groupby(key).agg(end=("end", "max"), value=("value", "sum"), months=("months", "sum")).reset_index()
    reached = reached[reached["months"] == reached["end"].dt.month]
    both = reached.merge(
        to_date[["region", "indicator", "end", "value"]], on=["region", "indicator", "end"], suffixes=("", "_stated")
    )
    both = both[both["value"] > 0].assign(factor=lambda d: d["value_stated"] / d["value"])
    both = both[(both["factor"] - 1).abs() > 1e-9]
    factor = flows.merge(both[[*key, "factor"]], on=key, how="left")["factor"].fillna(1.0).to_numpy()
    out = known.copy()
    out.loc[flows.index, "value"] = flows["value"].to_numpy() * factor
    return out


def _row(t, as_of: pd.Period, **more) -> dict:
    base = dict(
        region=t.region,
        indicator=t.id,
        year=as_of.year,
        as_of=as_of,
        kind=t.kind,
        unit=t.unit,
        target_low=t.target_low,
        target_high=t.target_high,
        comparator=t.comparator,
        level=LEVEL,
        actual=float("nan"),
        median=float("nan"),
        low=float("nan"),
        high=float("nan"),
        probability=float("nan"),
        needed_per_month=float("nan"),
    )
    return base | more


def _quantile_rows(t, as_of: pd.Period, q: np.ndarray) -> list[dict]:
    return [
        dict(region=t.region, indicator=t.id, year=as_of.year, as_of=as_of, level=level, value=value)
        for level, value in zip(LEVELS, q, strict=True)
    ]


def _history(name: str, source: pd.DataFrame, target_kind: str, kind: str) -> pd.DataFrame:
    """One series in the engine's form; a ratio of sums becomes its quasi-numerator: ratio to date times months."""
    if kind == "stock":
        s = source[source["months"] == 0] if (source["months"] == 0).any() else source
        return pd.DataFrame({"series_id": name, "period": s["end"].astype("str"), "value": s["value"], "months": 1})
    s = source[source["months"] > 0].sort_values("end")
    if target_kind == "ratio":
        s = s.assign(year=s["end"].dt.year, to=s["end"].dt.month)
        cumulative = s["value"] * s["to"] / 12
        gain = cumulative - cumulative.groupby(s["year"]).shift().fillna(0)
        length = s["to"] - s["to"].groupby(s["year"]).shift().fillna(0)
        return pd.DataFrame(
            {
                "series_id": name,
                "period": s["end"].astype("str"),
                "value": gain.clip(lower=0),
                "months": length.astype("int64"),
            }
        )
    return pd.DataFrame(
        {"series_id": name, "period": s["end"].astype("str"), "value": s["value"].clip(lower=0), "months": s["months"]}
    )


def _reported(growth: pd.DataFrame | None, region: str, indicator: str, end: pd.Period) -> float:
    """Growth to date as reported, %, NaN where none is."""
    if growth is None:
        return float("nan")
    own = growth[(growth["region"] == region) & (growth["indicator"] == indicator) & (growth["end"] == end)]
    return float(own["reported"].iloc[0]) if len(own) else float("nan")


def _numeric(
    t, source: pd.DataFrame, as_of: pd.Period, q: np.ndarray, catalog: Catalog, growth: pd.DataFrame | None = None
) -> tuple[dict, np.ndarray]:
    indicator, year = catalog.indicators[t.id], as_of.year
    now = source[source["end"].dt.year == year].sort_values("end")
    last, left = now["end"].iloc[-1], 12 - now["end"].iloc[-1].month
    years = source["end"].dt.year.nunique() - 1
    needed, final = float("nan"), not indicator.can_fall
    method = "合并模型" if years >= 2 else "历史不足两年,按通常波动"
    if t.kind == "flow":
        actual = float(round(now["value"].sum(), 6))
        aim = t.target_low + (1 if t.comparator == "gt" and indicator.count else 0)
        needed = max(0.0, aim - actual) / left if left else float("nan")
    elif t.kind == "growth":
        before = source[source["end"].dt.year == year - 1]
        whole, same = before["value"].sum(), before[before["end"] <= last - 12]["value"].sum()
        if before["months"].sum() != 12 or whole <= 0:
            return _row(
                t, as_of, method="上年数据不全,不能换算增速", verdict=NO_DATA, demo=bool(source["demo"].any())
            ), q
        reported = _reported(growth, t.region, indicator.growth_of, last)
        implied = float(now["value"].sum()) / (1 + reported / 100) if reported > -100 else same
        if abs(implied / same - 1) > 0.005:
            whole, same = whole * implied / same, implied
        actual = 100 * (float(now["value"].sum()) / same - 1)
        q = 100 * (q / whole - 1)
        needed, final, method = (
            100 * (((1 + t.target_low / 100) * whole - now["value"].sum()) / (whole - same) - 1)
            if left
            else float("nan"),
            False,
            "水平换算增速;所需为余下月份增速",
        )
    else:
        actual = float(now["value"].iloc[-1])
        final = False
        if t.kind == "stock":
            needed = max(0.0, t.target_low - actual) / left if left else float("nan")
        if t.kind == "ratio" and (now["months"] > 0).all():
            method = "累计比率折算"
            steps = sorted(set(now["end"].dt.month))
            if set(steps) <= {3, 6, 9, 12} and steps[-1] in _QUARTER_STRETCH:
                middle = np.interp(0.5, LEVELS, q)
                q = middle * np.exp(_QUARTER_STRETCH[steps[-1]] * np.log(np.maximum(q, 1e-12) / middle))
                method = "累计比率折算(按季)"
    count = indicator.count and t.kind in ("flow", "stock")
    p = chance(q, t.comparator, t.target_low, t.target_high, count)
    finished = final and t.comparator in ("ge", "gt", "eq") and met(actual, t.comparator, t.target_low, t.target_high)
    if final:
        q = np.maximum(q, actual)
    p = 1.0 if finished else float(np.clip(p, 0.0, 1.0))
    if left == 0:
        p = float(met(actual, t.comparator, t.target_low, t.target_high))
    demo = bool(source["demo"].any()) or bool(t.demo)
    return _row(
        t,
        as_of,
        actual=actual,
        median=float(np.interp(0.5, LEVELS, q)),
        low=float(np.interp(0.1, LEVELS, q)),
        high=float(np.interp(0.9, LEVELS, q)),
        probability=p,
        needed_per_month=needed,
        verdict=verdict(p, finished),
        method=method,
        demo=demo,
    ), q


def _coverage(t, by: dict, as_of: pd.Period, catalog: Catalog) -> tuple[dict, list[dict]]:
    """Share or number done; a chance is not given, but who is missing is."""
    own = by.get((t.region, t.id))
    parks = {p: by[p, t.id].sort_values("end") for p in catalog.members(as_of) if (p, t.id) in by}
    who, demo = [], bool(t.demo)
    if t.unit == "个园区" and t.region in ("zone", "city"):
        state = {p: float(f["value"].iloc[-1]) for p, f in parks.items()}
        actual = float(sum(v >= 1 for v in state.values())) if state else float("nan")
        who = [
            dict(indicator=t.id, region=p, item=catalog.name(p)) for p in catalog.members(as_of) if state.get(p, 0) < 1
        ]
        demo |= any(bool(f["demo"].any()) for f in parks.values())
        if own is not None and not state:
            actual = float(own.sort_values("end")["value"].iloc[-1])
    elif own is not None:
        actual = float(own.sort_values("end")["value"].iloc[-1])
        demo |= bool(own["demo"].any())
    else:
        actual = float("nan")
    if np.isnan(actual):
        return _row(t, as_of, verdict=NO_DATA, method="无数据", demo=demo), []
    done = actual >= t.target_low
    return _row(
        t,
        as_of,
        actual=actual,
        verdict=MET if done else STAGES,
        method="覆盖情况,不算概率",
        demo=demo,
        probability=float("nan"),
    ), [] if done else who


def _recurring(t, part: pd.DataFrame | None, as_of: pd.Period) -> dict:
    if part is None:
        return _row(t, as_of, verdict=NO_DATA, method="无数据", demo=bool(t.demo))
    actual = float(part[(part["end"].dt.year == as_of.year)]["value"].sum())
    left = 12 - as_of.month
    due = t.target_low * as_of.month / 12
    word = MET if actual >= t.target_low else STAGES
    return _row(
        t,
        as_of,
        actual=actual,
        verdict=word,
        demo=bool(part["demo"].any()),
        needed_per_month=max(0.0, t.target_low - actual) / left if left else float("nan"),
        method=f"按次数推进,此时应有 {due:.0f} 次",
    )


def _milestone(t, as_of: pd.Period, milestones: pd.DataFrame | None) -> dict:
    own = None if milestones is None else milestones[(milestones["id"] == t.id) & (milestones["region"] == t.region)]
    if own is None or own.empty:
        return _row(t, as_of, verdict=STAGES, method="未报节点", demo=bool(t.demo))
    reached = own["date"].notna() & (own["date"] <= as_of)
    final = own["stage_no"] == own.groupby("item")["stage_no"].transform("max")
    done, of = int((reached & final).sum()), int(final.sum())
    return _row(
        t,
        as_of,
        actual=float(done),
        verdict=MET if done == of else STAGES,
        demo=bool(own["demo"].any()),
        method=f"节点 {int(reached.sum())}/{len(own)}",
    )


def _batch(t, part: pd.DataFrame | None, as_of: pd.Period, batches: pd.DataFrame | None, catalog: Catalog):
    """A stock that moves on announcement days: opening now, batches still to come, certificates that end."""
    if part is None or part[part["end"].dt.year == as_of.year].empty:
        return _row(t, as_of, verdict=NO_DATA, method="无数据", demo=bool(t.demo)), []
    opening = int(part.sort_values("end")["value"].iloc[-1])
    demo = bool(part["demo"].any()) or bool(t.demo)
    last = part["end"].max()
    plan = (
        None
        if batches is None
        else batches[
            (batches["known_from"] <= as_of)
            & (batches["region"].isin(catalog.parks) if t.region == "zone" else batches["region"].eq(t.region))
        ]
    )
    if plan is None or plan[plan["year"] == as_of.year].empty:
        return _row(t, as_of, actual=opening, verdict=NO_BATCH, method="缺批次安排,不算概率", demo=demo), []
    out = plan["announced"].dt.to_period("M") <= last
    this = plan["year"] == as_of.year
    coming = plan[this & plan["kind"].eq("pass") & ~out]
    past = plan[~this & plan["kind"].eq("pass") & plan["announced"].notna()].drop_duplicates(["year", "batch"])
    waiting = []
    for number, group in coming.groupby("batch"):
        days = past[past["batch"] == number]
        day = (days["announced"] - pd.to_datetime(days["year"].astype("str") + "-01-01")).dt.days.to_numpy(float)
        waiting.append((int(group["number"].sum()), in_time(day)))
    decided = plan[plan["kind"].eq("pass") & out & plan["done"].notna()]
    usual = float(coming["rate"].mean()) if len(coming) else 0.7
    rate = (decided["done"].sum() + 20 * usual) / (decided["number"].sum() + 20)
    ending = plan[this & plan["kind"].eq("lapse") & ~out]
    values, pmf = batch_distribution(
        opening, waiting, rate, int(ending["number"].sum()), float(ending["rate"].mean()) if len(ending) else 0.0
    )
    cumulative = np.cumsum(pmf)
    q = values[np.minimum(np.searchsorted(cumulative, np.array(LEVELS)), len(values) - 1)].astype(float)
    low, high = (float(values[np.searchsorted(cumulative, x)]) for x in (0.1, 0.9))
    good = np.array([met(v, t.comparator, t.target_low, t.target_high) for v in values])
    p, left = float(pmf[good].sum()), 12 - last.month
    if not left:
        p = float(met(opening, t.comparator, t.target_low, t.target_high))
    row = _row(
        t,
        as_of,
        actual=float(opening),
        median=float(values[np.searchsorted(cumulative, 0.5)]),
        low=low,
        high=high,
        probability=p,
        needed_per_month=max(0.0, t.target_low - opening) / left if left else float("nan"),
        verdict=verdict(p, False),
        method=f"批次模型:未公布 {len(waiting)} 批",
        demo=demo,
    )
    return row, _quantile_rows(t, as_of, q)
