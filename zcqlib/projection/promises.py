"""Promises that the engine does not project: coverage, recurring meetings, milestones, recognitions in batches."""

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.projection.counts import batch_distribution, batch_history, in_time, quantiles_of
from zcqlib.projection.history import SUMMARY, Promise, Rows
from zcqlib.projection.scoring import LEVELS

NO_BATCH = "缺批次安排"


def coverage(t: Promise) -> dict:
    """Share or number done; a chance is not given, but who is missing is. The zone's number is that of its parks; where
    a roster names the firms, it decides.
    """
    known, whole = t.known, t.region in ("zone", "city")
    firms = known.catalog.roster.query("indicator == @t.id")
    if whole and len(firms):
        return _by_roster(t, firms)
    parks = {p: own for p in known.members if (own := known.by.get((p, t.id)))}
    rolled = parks if whole and t.unit == "个园区" else {}
    used = rolled or (t.own and {t.region: t.own})
    if not used:
        return t.row("无数据")
    last = {p: float(s.value[-1]) for p, s in used.items()}
    actual = float(sum(v >= 1 for v in last.values())) if rolled else last[t.region]
    done = actual >= t.target_low
    left = [p for p in known.members if rolled and not done and not last.get(p, 0) >= 1]
    who = [dict(indicator=t.shown, region=p, item=known.catalog.name(p)) for p in left]
    return t.row("覆盖情况,不算概率", _state(done), used, actual=actual, missing=who)


def _by_roster(t: Promise, firms) -> dict:
    there = firms.done.le(t.known.as_of)
    actual = float(there.sum() * (100 / len(there) if t.unit == "%" else 1))
    who = [dict(indicator=t.shown, region="", item=n) for n in firms.loc[~there, "name_zh"]]
    method = f"按名册{len(firms)}家中{there.sum()}家,不算概率"
    more = dict(actual_to=t.known.as_of, demo=bool(firms.demo.any()))
    return t.row(method, _state(actual >= t.target_low), actual=actual, missing=who, **more)


def _state(done: bool) -> str:
    """The light of what has no chance."""
    return "met" if done else "stage"


def recurring(t: Promise) -> dict:
    """How often so far, and how often it should have been by the month that is known."""
    if t.own is None:
        return t.row("无数据")
    now = t.own.only(t.own.year == t.year)
    actual, to = float(now.value.sum()), now.last if len(now.end) else t.known.as_of
    method = f"按次数推进,此时应有 {t.target_low * to.month / 12:.0f} 次"
    more = dict(actual=actual, needed_per_month=per_month(t, actual, to), actual_to=to)
    return t.row(method, _state(actual >= t.target_low), {t.region: t.own}, **more)


def milestone(t: Promise) -> dict:
    """Stages reached; never an invented chance. The zone's are its own or else those of its parks."""
    own = t.known.milestones.query("id == @t.id")
    here = own.region == t.region
    if t.region == "zone" and not here.any():
        here = own.region.isin(t.known.members)
    own = own[here]
    if own.empty:
        return t.row("未报节点", "stage")
    reached = own.date <= t.known.as_of
    final = own.stage_no == own.groupby(["region", "item"])["stage_no"].transform("max")
    done = (reached & final).sum()
    more = dict(actual=float(done), actual_to=t.known.as_of, demo=bool(own.demo.any()))
    return t.row(f"节点 {reached.sum()}/{len(own)}", _state(done == final.sum()), **more)


RULES = {"milestone": milestone, "coverage": coverage, "recurring": recurring}


def per_month(t: Promise, actual: float, last: pd.Period) -> float:
    """What is still missing, spread over the months left; one more where a whole number must be passed."""
    gap = t.target_low + (t.comparator == "gt" and t.indicator.count) - actual
    return max(0.0, gap) / (12 - last.month) if last.month < 12 else np.nan


def waiting(
    batches: pd.DataFrame | None, region: str, last: pd.Period, as_of: pd.Period, catalog: Catalog
) -> dict:
    """The batch calendar of one place as known then, {} where the year has none.

    `coming` (applicants, chance of being announced this year) of each batch not yet announced, `assumed` how many of
    them are last year's, as this year's applicants were not known by this month then either; `rate` that passes,
    `ending` certificates that end, `lapse` the share of them that lapses, `calendar`, this year's rows (`out`; `sure` the chance of being announced), and whether they
    are its `whole`: every batch that last year had. Batches of what is promised by itself move no stock.
    """
    if batches is None:
        return {}
    here = catalog.parks if region == "zone" else [region]
    plan = batches[batches.region.isin(here) & (batches.known_from <= as_of)]
    plan = plan[~plan.indicator.isin(catalog.targets.id)]
    this, passes = plan.year == as_of.year, plan.kind == "pass"
    if not this.any():
        return {}
    out = plan.announced.dt.to_period("M") <= last
    absent = passes & (plan.year == as_of.year - 1)
    absent &= ~plan.batch.isin(plan.loc[this & passes, "batch"])
    early = absent & (plan.known_from + 12 > as_of)
    coming, ending = plan[this & passes & ~out | early], plan[this & ~passes & ~out]
    past = plan[~this & passes & plan.announced.notna()].drop_duplicates(["year", "batch"])
    days, decided = past.announced.dt.day_of_year - 1, plan[passes & out & plan.done.notna()]
    usual = coming.rate.mean() if len(coming) else 0.7
    sure = {b: in_time(days[past.batch == b].to_numpy(float)) for b in coming.batch.unique()}
    return dict(
        coming=[(int(own.number.sum()), sure[b]) for b, own in coming.groupby("batch")],
        assumed=plan.loc[early, "batch"].nunique(),
        rate=(decided.done.sum() + 20 * usual) / (decided.number.sum() + 20),
        ending=int(ending.number.sum()),
        lapse=ending.rate.mean() if len(ending) else 0.0,
        calendar=plan[this].assign(out=out[this], sure=plan.batch.map(sure).where(~out, 1.0)),
        whole=not absent.any(),
    )


def batch(t: Promise, source: Rows) -> dict | None:
    """What is said of something that moves on announcement days, a distribution over whole numbers; None where it is
    projected like anything else.
    """
    last, about = source.last, dict(evidence="months", calibrated=False)
    if t.kind == "stock":
        actual, known = float(source.value[-1]), t.known
        plan = waiting(known.batches, t.region, last, known.as_of, known.catalog)
        if not plan:
            about |= dict(verdict=NO_BATCH, evidence="", method="缺批次安排,不算概率")
            return about | dict(actual=actual)
        method = f"批次模型:未公布 {len(plan['coming'])} 批"
        if plan["assumed"]:
            method += f",其中 {plan['assumed']} 批暂按上年申报数"
        how = (plan[k] for k in ("coming", "rate", "ending", "lapse"))
        found = batch_distribution(int(actual), *how)
    else:
        # without a calendar, from past years by month; what came in the same month each year is a season like any other
        brought = source.only(source.year < t.year).told.brought.to_numpy()
        if len(set(np.diff(brought, prepend=0).argmax(1))) < 2:
            return None
        total, rest = brought[:, -1], brought[:, -1] - brought[:, last.month - 1]
        method = "批次历史:无批次安排,按往年各月"
        actual = float(source.value[source.year == t.year].sum())
        found = batch_history(rest, total, round(actual))
    values, pmf = found if last.month < 12 else (np.array([round(actual)]), np.ones(1))
    ends, q = (quantiles_of(values, pmf, levels) for levels in (SUMMARY, LEVELS))
    p, needed = min(1.0, float(pmf[t.met(values)].sum())), per_month(t, actual, last)
    return about | dict(q=q, ends=ends, p=p, actual=actual, method=method, needed_per_month=needed)
