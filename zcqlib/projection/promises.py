"""Promises that the engine does not project: coverage, recurring meetings, milestones, recognitions in batches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog, Target
from zcqlib.projection.counts import batch_distribution, batch_history, in_time, quantiles_of
from zcqlib.projection.scores import LEVELS

LEVEL = 0.8
ENDS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
MET, LIKELY, OPEN, HARD, STAGES = "已完成", "把握较大", "尚有悬念", "难度较大", "按节点推进"
NO_DATA, NO_BATCH, THIN = "缺数据", "缺批次安排", "依据不足"
_EMPTY = ("actual", "median", "low", "high", "probability", "needed_per_month")


def result(t, as_of: pd.Period, **more) -> dict:
    """A PROJECTIONS row of a target; what is not given is missing."""
    return (
        dict(
            region=t.region,
            indicator=t.id,
            year=as_of.year,
            as_of=as_of,
            kind=t.kind,
            unit=t.unit,
            level=LEVEL,
            target_low=t.target_low,
            target_high=t.target_high,
            comparator=t.comparator,
            demo=bool(t.demo),
            actual_to=pd.NaT,
            evidence="",
            calibrated=False,
            inputs="",
        )
        | dict.fromkeys(_EMPTY, float("nan"))
        | more
    )


def reached(t, value: float) -> bool:
    """Whether a final value meets the target of a row."""
    return bool(Target(t.comparator, t.target_low).met(value))


def verdict(probability: float, done: bool) -> str:
    """The light in a word; it grades the chance rounded as printed."""
    if done:
        return MET
    if np.isnan(probability):
        return STAGES
    p = np.floor(100 * probability + 0.5)  # halves go up, as they are printed
    return LIKELY if p >= 80 else OPEN if p >= 40 else HARD


def coverage(t, by: dict, as_of: pd.Period, catalog: Catalog) -> tuple[dict, None, list[dict]]:
    """Share or number done; a chance is not given, but who is missing is. The zone's number is that of its parks."""
    parks = {p: by[p, t.id] for p in catalog.members(as_of) if (p, t.id) in by}
    rolled = t.unit == "个园区" and t.region in ("zone", "city") and bool(parks)
    own = by.get((t.region, t.id))
    used = parks if rolled else {} if own is None else {t.region: own}
    if not used:
        return result(t, as_of, verdict=NO_DATA, method="无数据"), None, []
    last = {p: float(f.sort_values("end")["value"].iloc[-1]) for p, f in used.items()}
    actual, who = next(iter(last.values())), []
    if rolled:
        actual = float(sum(v >= 1 for v in last.values()))
        open_ = [p for p in catalog.members(as_of) if not last.get(p, 0) >= 1]
        who = [dict(region=p, item=catalog.name(p)) for p in open_]
    done = actual >= t.target_low
    row = result(
        t,
        as_of,
        actual=actual,
        actual_to=min(f["end"].max() for f in used.values()),
        verdict=MET if done else STAGES,
        method="覆盖情况,不算概率",
        demo=bool(t.demo) or any(bool(f["demo"].any()) for f in used.values()),
        inputs=";".join(f"SERIES/{p}.{t.id}" for p in used),
    )
    return row, None, [] if done else who


def recurring(t, part: pd.DataFrame | None, as_of: pd.Period) -> dict:
    """How often so far, and how often it should have been by the month that is known."""
    if part is None:
        return result(t, as_of, verdict=NO_DATA, method="无数据")
    now, last = part[part["end"].dt.year == as_of.year], part["end"].max()
    actual, to = float(now["value"].sum()), last if len(now) else as_of
    return result(
        t,
        as_of,
        actual=actual,
        actual_to=to,
        verdict=MET if actual >= t.target_low else STAGES,
        demo=bool(part["demo"].any()),
        needed_per_month=per_month(t.target_low - actual, 12 - to.month),
        method=f"按次数推进,此时应有 {t.target_low * to.month / 12:.0f} 次",
        inputs=f"SERIES/{t.region}.{t.id}",
    )


def milestone(t, as_of: pd.Period, milestones: pd.DataFrame | None, catalog: Catalog) -> dict:
    """Stages reached; never an invented chance. The zone's are its own or else those of its parks."""
    if milestones is None:
        return result(t, as_of, verdict=STAGES, method="未报节点")
    own = milestones[milestones["id"] == t.id]
    here = own["region"] == t.region
    if not here.any() and t.region == "zone":
        here = own["region"].isin(catalog.members(as_of))
    own = own[here]
    if own.empty:
        return result(t, as_of, verdict=STAGES, method="未报节点")
    reached = own["date"].notna() & (own["date"] <= as_of)
    final = own["stage_no"] == own.groupby(["region", "item"])["stage_no"].transform("max")
    done, of = int((reached & final).sum()), int(final.sum())
    return result(
        t,
        as_of,
        actual=float(done),
        actual_to=as_of,
        verdict=MET if done == of else STAGES,
        demo=bool(own["demo"].any()),
        method=f"节点 {int(reached.sum())}/{len(own)}",
    )


def per_month(gap: float, left: int) -> float:
    """What is still missing, spread over the months left."""
    return max(0.0, gap) / left if left else float("nan")


def waiting(
    batches: pd.DataFrame | None, region: str, last: pd.Period, as_of: pd.Period, catalog: Catalog
) -> dict:
    """The batch calendar of one place as known then, {} where the year has none.

    `coming` (applicants, chance of being announced this year) of each batch not yet announced, `assumed` how many of
    them are last year's, as this year's applicants were not known by this month then either; `rate` that passes,
    `ending` certificates that end, `lapse` the share of them that lapses, `calendar`, this year's rows, and whether they
    are its `whole`: every batch that last year had. Batches of what is promised by itself move no stock.
    """
    if batches is None:
        return {}
    plan = batches[
        (batches["known_from"] <= as_of)
        & ~batches["indicator"].isin(catalog.targets["id"])
        & (
            batches["region"].isin(catalog.parks)
            if region == "zone"
            else batches["region"].eq(region)
        )
    ]
    this = plan["year"] == as_of.year
    if not this.any():
        return {}
    passes, out = plan["kind"].eq("pass"), plan["announced"].dt.to_period("M") <= last
    absent = (
        passes
        & (plan["year"] == as_of.year - 1)
        & ~plan["batch"].isin(plan.loc[this & passes, "batch"])
    )
    early = absent & (plan["known_from"] + 12 > as_of)
    coming, ending = (
        plan[this & passes & ~out | early],
        plan[this & plan["kind"].eq("lapse") & ~out],
    )
    past = plan[~this & passes & plan["announced"].notna()].drop_duplicates(["year", "batch"])
    days = (past["announced"] - pd.to_datetime(past["year"].astype("str") + "-01-01")).dt.days
    decided = plan[passes & out & plan["done"].notna()]
    usual = float(coming["rate"].mean()) if len(coming) else 0.7
    return dict(
        coming=[
            (int(group["number"].sum()), in_time(days[past["batch"] == number].to_numpy(float)))
            for number, group in coming.groupby("batch")
        ],
        assumed=plan.loc[early, "batch"].nunique(),
        rate=(decided["done"].sum() + 20 * usual) / (decided["number"].sum() + 20),
        ending=int(ending["number"].sum()),
        lapse=float(ending["rate"].mean()) if len(ending) else 0.0,
        calendar=plan[this].assign(out=out[this]),
        whole=not absent.any(),
    )


def batch_stock(
    t,
    part: pd.DataFrame | None,
    as_of: pd.Period,
    batches: pd.DataFrame | None,
    catalog: Catalog,
) -> tuple[dict, np.ndarray | None]:
    """A stock that moves on announcement days: opening now, batches still to come, certificates that end."""
    if part is None or part[part["end"].dt.year == as_of.year].empty:
        return result(t, as_of, verdict=NO_DATA, method="无数据"), None
    part = part.sort_values("end")
    opening, last = int(part["value"].iloc[-1]), part["end"].iloc[-1]
    plan = waiting(batches, t.region, last, as_of, catalog)
    if not plan:
        about = dict(actual=opening, actual_to=last, inputs=f"SERIES/{t.region}.{t.id}")
        demo = bool(part["demo"].any()) or bool(t.demo)
        why = "缺批次安排,不算概率"
        return result(t, as_of, verdict=NO_BATCH, method=why, demo=demo, **about), None
    values, pmf = batch_distribution(
        opening, plan["coming"], plan["rate"], plan["ending"], plan["lapse"]
    )
    method = f"批次模型:未公布 {len(plan['coming'])} 批"
    if plan["assumed"]:
        method += f",其中 {plan['assumed']} 批暂按上年申报数"
    return _counted(t, as_of, values, pmf, float(opening), part, method)


def batch_flow(t, part: pd.DataFrame, as_of: pd.Period) -> tuple[dict, np.ndarray] | None:
    """A flow announced on few dates without a calendar, from past years by month.

    None where two are not known, or where it came in the same month each year: a season like any other.
    """
    part = part[part["months"].between(1, 11)]
    year = part["end"].dt.year
    now, past = part[year == as_of.year], part[year < as_of.year]
    full = past.groupby(year)["months"].transform("sum").eq(12)
    past = past[full]
    by_year = past.groupby(past["end"].dt.year)["value"]
    largest = past.loc[by_year.idxmax(), "end"].dt.month if len(past) else pd.Series(dtype=int)
    if now.empty or len(by_year) < 2 or largest.nunique() < 2:
        return None
    last, totals = now["end"].max(), by_year.sum()
    later = past[past["end"].dt.month > last.month]
    rest = later.groupby(later["end"].dt.year)["value"].sum().reindex(totals.index, fill_value=0.0)
    actual = float(now["value"].sum())
    values, pmf = batch_history(rest.to_numpy(), totals.to_numpy(), round(actual))
    return _counted(t, as_of, values, pmf, actual, part, "批次历史:无批次安排,按往年各月")


def _counted(
    t,
    as_of: pd.Period,
    values: np.ndarray,
    pmf: np.ndarray,
    actual: float,
    part: pd.DataFrame,
    method: str,
) -> tuple[dict, np.ndarray]:
    """The row and the quantiles of a distribution over whole numbers."""
    last = part["end"].max()
    left = 12 - last.month
    if not left:
        values, pmf = np.array([round(actual)]), np.ones(1)
    p = min(1.0, float(pmf[Target(t.comparator, t.target_low).met(values)].sum()))
    middle, low, high = quantiles_of(values, pmf, (0.5, *ENDS))
    done = t.kind == "flow" and reached(t, actual)
    row = result(
        t,
        as_of,
        actual=actual,
        actual_to=last,
        median=middle,
        low=low,
        high=high,
        probability=1.0 if done else p,
        demo=bool(part["demo"].any()) or bool(t.demo),
        needed_per_month=per_month(t.target_low - actual, left),
        verdict=verdict(p, done),
        method=method,
        evidence="months",
        inputs=f"SERIES/{t.region}.{t.id}",
    )
    return row, quantiles_of(values, pmf, LEVELS)
