"""What each park has done of what was due by now: the year's calendar of each item, the same for all parks."""

import numpy as np
import pandas as pd
from pandas import DataFrame, Period, Series

from zcqlib import tables
from zcqlib.catalog import Catalog, Indicator
from zcqlib.ranking.scores import RankingError
from zcqlib.tables import MILESTONES, SERIES, VINTAGE

NO_DATA, LATE = "缺数", "迟报"
NO_TARGET, ZERO, NOT_DUE, NOT_SENT = "园区目标未下达", "目标为零", "尚未到期", "部门未报"
NOBODY = "没有报送单位"  # senders names none for it
GAPS = (NO_DATA, LATE)  # due and not come: scored at the lower bound; the others count for nobody
WHOLES = ("zone", "city", "other")
STEPS = ("stock", "coverage")  # levels that go from last year's end to the target
ENOUGH = 12  # events of past years before their season is trusted
KEY = ["region", "indicator"]


def attainment(
    projections: DataFrame,
    catalog: Catalog,
    month: Period,
    *,
    milestones: DataFrame | None = None,
    series: DataFrame | None = None,
) -> DataFrame:
    """What each park has done of each of its own targets, in % of what was due by then; never a raw count.

    Due is the target times the share of the year's work that the item's own calendar (`calendar`) has by the last
    month for which any park has a figure. An item of which nothing is due yet, or that a bureau owes and sent for no
    park, counts for nobody.

    Parameters
    ----------
    projections : PROJECTIONS; the rows of that month (`as_of`), `actual` and targets, are used.
    catalog : its weights name the items, its bounds how each is measured, its senders who owes, its batches the dates.
    milestones : MILESTONES; later dates are hidden here.
    series : SERIES as known then, for last months, the season and last year's end; without it all is due in equal steps.
    Returns
    -------
    `region`, `indicator`, `group`, `month`, `through` (last month any park has a figure for), `measure`
    (attainment_pct, share_done), `target` of the year, `value` in % of what was due (from 0 to the upper bound), `reason` (empty where there
    is a value; 缺数 and 迟报 were due and did not come), `owed_by` (the bureaus that owe a value that did not come, where
    no park does), `demo`: a row for each member of the month and each other place with targets, and each item.
    Raises
    ------
    RankingError : an item has a weight but no bounds.
    Source
    ------
    计划目标与园区分解;往年各月报表;batches、senders、bounds、weights 参考表。
    """
    w = catalog.weights[catalog.weights.level == "indicator"].set_index("id")
    if w.empty:  # nothing is ranked
        return tables.empty(VINTAGE["ATTAINMENT"])
    plan = w[["parent"]].join(catalog.bounds.set_index("indicator")[["measure", "high"]])
    if (lost := plan.measure.isna()).any():
        raise RankingError(f"指标「{lost.idxmax()}」有权重而没有界值,请在 bounds 表中补上。")
    p = projections.query("as_of == @month and region not in @WHOLES")
    members = list(catalog.members(month))
    parks = members + sorted(set(p.region) - set(members))
    stages = tables.shape([] if milestones is None else milestones, MILESTONES)
    dated = plan.index[plan.measure == "share_done"]
    stages = stages[stages.region.isin(parks) & stages.id.isin(dated)]
    done = (stages.date <= month).groupby([stages.region, stages.id]).mean()
    s = tables.empty(SERIES) if series is None else series[series.end <= month]
    s = s.query("region in @parks and value.notna() and not revision")
    close = s[(s.months == 0) & (s.end == month - month.month)].set_index(KEY)["value"]
    last = s.groupby(KEY)["end"].max().astype("period[M]")
    newest = last[last.index.isin(members, 0)].groupby("indicator").max()
    of = [catalog.indicators[i] for i in plan.index]
    plan["source"] = [d.growth_of or d.id for d in of]
    plan["latest"] = newest.reindex(plan["source"]).array
    plan["owed_by"] = [owed_by(d, catalog) for d in of]
    plan["through"] = plan.latest.where(plan.latest.dt.year == month.year, month)
    plan = plan.join(calendar(plan.through, catalog, s, stages))
    o = pd.MultiIndex.from_product([parks, plan.index], names=KEY).to_frame(index=False)
    o = o.merge(p[[*KEY, "actual", "target_low", "demo"]], "left").join(plan, on="indicator")
    o = o.join(close.rename("base"), on=KEY).join(done.rename_axis(KEY).rename("done"), on=KEY)
    o = o.join(last.rename("last"), on=["region", "source"])
    target, share = o.target_low, o.share
    due = target * share.where(o.kind == "flow", 1.0)
    rising = o.kind.isin(STEPS) & (o.base < target)  # one below last year's is due in whole
    due = due.where(~rising, o.base + (target - o.base) * share)
    value = 100 * (o.done / share).fillna(o.actual / due)
    reasons = {
        NO_TARGET: target.isna(),
        ZERO: ~(target > 0),
        NOT_DUE: share <= 0,
        LATE: (o["last"] < o.latest) & o.done.isna(),
        NO_DATA: value.isna(),
    }
    o["reason"] = np.select(list(reasons.values()), list(reasons), "")
    o["value"] = value.where(o.reason == "").clip(0.0, o.high)
    o["owed_by"] = o.owed_by.where(o.reason.isin(GAPS), "")
    none = o.groupby("indicator")["value"].transform("count") == 0
    o.loc[none & (o.owed_by != ""), "reason"] = NOT_SENT
    o = o.rename(columns={"parent": "group", "target_low": "target"}).fillna({"demo": False})
    return tables.shape(o.assign(month=month), VINTAGE["ATTAINMENT"])


def calendar(through: Series, catalog: Catalog, series: DataFrame, stages: DataFrame) -> DataFrame:
    """The share of a year's work on each indicator that is due by the end of a month, for all parks alike.

    By promised dates for stages; by applicants in the batches announced or expected by then, batches not planned yet
    as last year; by the season of all parks' full ones of the last five years together for a flow, where these hold
    enough events; in equal steps otherwise; 1 for a ratio or a growth rate.

    Parameters
    ----------
    through : month by indicator. series : SERIES of the parks. stages : MILESTONES of the parks.
    Returns
    -------
    By indicator: `kind`, `share` from 0 to 1.
    """
    of = DataFrame([catalog.indicators[i] for i in through.index], through.index)
    flow = of.kind == "flow"
    share = (through.dt.month / 12).where(flow | of.kind.isin(STEPS), 1.0)
    s = series[series.months.between(1, 11) & series.indicator.isin(of.index[flow])]
    at = s.indicator.map(through)
    year, last = s.end.dt.year, at.dt.year
    s = s.assign(year=year, by=s.value.where(s.end.dt.month <= at.dt.month))
    s = s[year.between(last - 5, last - 1)]
    years = s.groupby(["indicator", "region", "year"])[["months", "value", "by"]].sum()
    past = years[years.months == 12].groupby("indicator")[["value", "by"]].sum()
    enough = np.where(of["count"] & ~of.batch, ENOUGH, 1e-9)
    season = (past.by / past.value.where(past.value > 0)).clip(0, 1).reindex(of.index)
    share = season.where(past.value.reindex(of.index) >= enough).fillna(share)
    for i in of.index[of.batch]:
        share[i] = _announced(catalog.indicators[i], through[i], catalog, share[i])
    due = stages.expected <= stages.id.map(through)
    share.update(due.groupby(stages.id).mean())
    return of[["kind"]].assign(share=share)


def _announced(d: Indicator, through: Period, catalog: Catalog, other: float) -> float:
    """The share of the year's applicants whose batch is out by a month; `other` where no batch is known."""
    b = catalog.batches
    own = b.indicator == d.id
    if d.kind == "stock":  # moved by the batches that are no promise by themselves
        own |= ~b.indicator.isin(catalog.targets.id)
    b = b[own & b.kind.eq("pass") & (b.known_from <= through)]
    announced = b.announced.dt.to_period("M")
    when = announced.where(announced <= through, b.expected.dt.to_period("M"))
    this, last = b.year == through.year, b.year == through.year - 1
    last &= ~b.batch.isin(b.loc[this, "batch"])
    out = (this & (when <= through)) | (last & (when + 12 <= through))
    of = b.loc[this | last, "number"].sum()
    return float(b.loc[out, "number"].sum() / of) if of else other


def owed_by(d: Indicator, catalog: Catalog) -> str:
    """The bureaus that owe an indicator or what it is computed from; "" where the parks report it themselves."""
    s, needed = catalog.senders, {d.id, d.numerator, d.denominator, d.growth_of} - {""}
    owed = (s.indicators + ";" + s.quarterly).str.split(";")
    owes = s[[not needed.isdisjoint(ids) for ids in owed]]
    return "" if owes.kind.eq("park").any() else "、".join(owes.name_zh) or NOBODY
