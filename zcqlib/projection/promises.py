"""Promises that the engine does not project: coverage, recurring meetings, milestones, recognitions in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog, Lights, Target
from zcqlib.projection.counts import batch_distribution, batch_history, in_time, quantiles_of
from zcqlib.projection.scores import LEVELS

LEVEL = 0.8
SUMMARY = 0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2  # levels of median, low and high
NO_DATA, NO_BATCH = "缺数据", "缺批次安排"


class Rows(NamedTuple):
    """A series of SERIES in the order of its last months (counted from 1970), column by column; `percent`: its unit."""

    end: np.ndarray
    months: np.ndarray
    value: np.ndarray
    revision: np.ndarray
    demo: np.ndarray
    percent: np.ndarray

    @classmethod
    def by_place(cls, series: pd.DataFrame) -> dict[tuple[str, str], Rows]:
        """The series of SERIES by region and indicator."""
        s = series.sort_values("end", kind="stable")
        whole = cls(
            s["end"].array.asi8,
            s["months"].to_numpy("int64"),
            s["value"].to_numpy(float),
            s["revision"].to_numpy(bool),
            s["demo"].to_numpy(bool),
            s["unit"].eq("%").to_numpy(bool),
        )
        groups = s.groupby(["region", "indicator"]).indices
        return {place: whole.only(rows) for place, rows in groups.items()}

    def only(self, which: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(*(column[which] for column in self))

    @property
    def year(self) -> np.ndarray:
        """Years of the last months."""
        return 1970 + self.end // 12

    @property
    def month(self) -> np.ndarray:
        """Months (1-12) of the last months."""
        return self.end % 12 + 1

    @property
    def last(self) -> pd.Period:
        """The last month that it is known for."""
        return pd.Period(ordinal=int(self.end.max()), freq="M")

    @property
    def covered(self) -> np.ndarray:
        """How many months each row tells of: none, if it is a revision."""
        return np.where(self.revision, 0, self.months)

    def full_years(self, k: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Years all of whose months are known, what they add up to and how much of it was done by month k."""
        told = self.covered, self.value, self.value * (self.month <= k)
        months, total, done = (np.bincount(self.year, v) for v in told)
        full = np.flatnonzero(months == 12)
        return full, total[full], done[full]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known at a month: series by region and indicator, milestones by id, the batches, growth as reported, and
    `node`, which finds the figure of a region and an indicator with what it is the sum of.
    """

    by: dict[tuple[str, str], Rows]
    as_of: pd.Period
    catalog: Catalog
    members: tuple[str, ...]
    milestones: dict[str, pd.DataFrame]
    batches: pd.DataFrame | None
    growth: dict[tuple[str, str, pd.Period], float]
    node: Callable

    def of(self, t) -> Rows | None:
        """The rows of a target's own series."""
        return self.by.get((t.region, t.id))

    def light(self, name: str) -> str:
        """The word of a state that has no chance."""
        return self.catalog.lights.state(name).words

    def row(self, t, method: str, said: str = NO_DATA, rests: dict | None = None, **more) -> dict:
        """A PROJECTIONS row with its verdict; `rests` are the series by region that it rests on. What is not given is
        missing.
        """
        rests = rests or {}
        told = dict(region=t.region, indicator=t.shown, kind=t.kind, unit=t.unit, level=LEVEL)
        told |= {c: getattr(t, c) for c in ("target_low", "target_high", "comparator")}
        return told | dict(
            year=self.as_of.year,
            as_of=self.as_of,
            verdict=said,
            method=method,
            demo=bool(t.demo or any(f.demo.any() for f in rests.values())),
            actual_to=min((f.last for f in rests.values()), default=pd.NaT),
            inputs=";".join(f"SERIES/{region}.{t.id}" for region in rests),
            **more,
        )


def summary(quantiles: np.ndarray) -> dict:
    """Median and interval of quantiles at SUMMARY."""
    return dict(zip(("median", "low", "high"), quantiles, strict=True))


def verdict(probability: float, done: bool, lights: Lights) -> str:
    """The light in a word; it grades the chance rounded as printed, halves up."""
    if done or np.isnan(probability):
        return lights.state("met" if done else "stage").words
    return lights.of(np.floor(100 * probability + 0.5)).words


def coverage(t, known: Known) -> dict:
    """Share or number done; a chance is not given, but who is missing is. The zone's number is that of its parks."""
    members = known.members
    parks = {p: known.by[p, t.id] for p in members if (p, t.id) in known.by}
    rolled = t.unit == "个园区" and t.region in ("zone", "city") and parks
    own = known.of(t)
    used = parks if rolled else {} if own is None else {t.region: own}
    if not used:
        return known.row(t, "无数据")
    last = {p: float(f.value[-1]) for p, f in used.items()}
    actual = float(sum(v >= 1 for v in last.values())) if rolled else last[t.region]
    done = actual >= t.target_low
    left = [] if done or not rolled else [p for p in members if not last.get(p, 0) >= 1]
    who = [dict(indicator=t.shown, region=p, item=known.catalog.name(p)) for p in left]
    said = known.light("met" if done else "stage")
    return known.row(t, "覆盖情况,不算概率", said, used, actual=actual, missing=who)


def recurring(t, known: Known) -> dict:
    """How often so far, and how often it should have been by the month that is known."""
    part = known.of(t)
    if part is None:
        return known.row(t, "无数据")
    now = part.only(part.year == known.as_of.year)
    actual, to = float(now.value.sum()), now.last if len(now.end) else known.as_of
    said = known.light("met" if actual >= t.target_low else "stage")
    method = f"按次数推进,此时应有 {t.target_low * to.month / 12:.0f} 次"
    needed = per_month(t.target_low - actual, to)
    row = known.row(t, method, said, {t.region: part}, actual=actual, needed_per_month=needed)
    return row | {"actual_to": to}


def milestone(t, known: Known) -> dict:
    """Stages reached; never an invented chance. The zone's are its own or else those of its parks."""
    own = known.milestones.get(t.id)
    if own is not None:
        here = own["region"] == t.region
        if not here.any() and t.region == "zone":
            here = own["region"].isin(known.members)
        own = own[here]
    if own is None or own.empty:
        return known.row(t, "未报节点", known.light("stage"))
    reached = own["date"] <= known.as_of
    final = own["stage_no"] == own.groupby(["region", "item"])["stage_no"].transform("max")
    done = (reached & final).sum()
    said = known.light("met" if done == final.sum() else "stage")
    row = known.row(t, f"节点 {reached.sum()}/{len(own)}", said, actual=float(done))
    return row | {"actual_to": known.as_of, "demo": bool(own["demo"].any())}


def per_month(gap: float, last: pd.Period) -> float:
    """What is still missing, spread over the months left."""
    return max(0.0, gap) / (12 - last.month) if last.month < 12 else float("nan")


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
    here = catalog.parks if region == "zone" else [region]
    plan = batches[batches["region"].isin(here) & (batches["known_from"] <= as_of)]
    plan = plan[~plan["indicator"].isin(catalog.targets["id"])]
    this, passes = plan["year"] == as_of.year, plan["kind"] == "pass"
    if not this.any():
        return {}
    out = plan["announced"].dt.to_period("M") <= last
    absent = passes & (plan["year"] == as_of.year - 1)
    absent &= ~plan["batch"].isin(plan.loc[this & passes, "batch"])
    early = absent & (plan["known_from"] + 12 > as_of)
    coming, ending = plan[this & passes & ~out | early], plan[this & ~passes & ~out]
    past = plan[~this & passes & plan["announced"].notna()].drop_duplicates(["year", "batch"])
    days, decided = past["announced"].dt.day_of_year - 1, plan[passes & out & plan["done"].notna()]
    usual = coming["rate"].mean() if len(coming) else 0.7
    return dict(
        coming=[
            (int(group["number"].sum()), in_time(days[past["batch"] == number].to_numpy(float)))
            for number, group in coming.groupby("batch")
        ],
        assumed=plan.loc[early, "batch"].nunique(),
        rate=(decided["done"].sum() + 20 * usual) / (decided["number"].sum() + 20),
        ending=int(ending["number"].sum()),
        lapse=ending["rate"].mean() if len(ending) else 0.0,
        calendar=plan[this].assign(out=out[this]),
        whole=not absent.any(),
    )


def batch_stock(t, known: Known) -> tuple[dict, np.ndarray | None] | None:
    """A stock that moves on announcement days: opening now, batches still to come, certificates that end; None of
    another.
    """
    part = known.of(t)
    if not known.catalog.indicators[t.id].batch:
        return None
    if part is None or part.last.year != known.as_of.year:
        return known.row(t, "无数据"), None
    opening, last = int(part.value[-1]), part.last
    plan = waiting(known.batches, t.region, last, known.as_of, known.catalog)
    if not plan:
        why = "缺批次安排,不算概率"
        return known.row(t, why, NO_BATCH, {t.region: part}, actual=float(opening)), None
    method = f"批次模型:未公布 {len(plan['coming'])} 批"
    if plan["assumed"]:
        method += f",其中 {plan['assumed']} 批暂按上年申报数"
    how = (plan[k] for k in ("coming", "rate", "ending", "lapse"))
    return _counted(t, known, part, batch_distribution(opening, *how), float(opening), method)


def batch_flow(t, known: Known) -> tuple[dict, np.ndarray] | None:
    """A flow announced on few dates without a calendar, from past years by month.

    None where two are not known, or where it came in the same month each year: a season like any other.
    """
    part = known.of(t)
    if part is None or not known.catalog.indicators[t.id].batch:
        return None
    told = part.only((part.months > 0) & (part.months < 12) & ~part.revision)
    year = known.as_of.year
    now, past = told.only(told.year == year), told.only(told.year < year)
    if not len(now.end):
        return None
    full, total, done = past.full_years(now.last.month)
    own = [past.only(past.year == y) for y in full]
    if len({s.month[s.value.argmax()] for s in own}) < 2:
        return None
    actual = float(now.value.sum())
    found = batch_history(total - done, total, round(actual))
    return _counted(t, known, told, found, actual, "批次历史:无批次安排,按往年各月")


def _counted(t, known: Known, part, found, actual: float, method: str) -> tuple[dict, np.ndarray]:
    """The row and the quantiles of a distribution over whole numbers: values and their probabilities."""
    target, last, (values, pmf) = Target.of(t.__dict__), part.last, found
    if last.month == 12:
        values, pmf = np.array([round(actual)]), np.ones(1)
    done = t.kind == "flow" and bool(target.met(actual))
    p = 1.0 if done else min(1.0, float(pmf[target.met(values)].sum()))
    row = known.row(
        t,
        method,
        verdict(p, done, known.catalog.lights),
        {t.region: part},
        actual=actual,
        **summary(quantiles_of(values, pmf, SUMMARY)),
        probability=p,
        needed_per_month=per_month(t.target_low - actual, last),
        evidence="months",
    )
    return row, quantiles_of(values, pmf, LEVELS)
