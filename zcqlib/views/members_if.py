"""The zone with a park less or a place more: places, totals, targets, past years, and the rules of eligibility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from zcqlib import quantity, ranking
from zcqlib.catalog import Catalog, Target
from zcqlib.findings.ranks import placed
from zcqlib.month import Month


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`ranks` after the change; `totals` of the zone: `indicator`, `unit`, `actual`, `actual_after`, `target`,
    `target_after` (sums of the parks' targets), `plan` (the zone's own target); `past`: `indicator`, `end`, `value`,
    `value_after`, NaN where a member did not report; `eligible` by the rules of the reference table: `region`, `rule`,
    `indicator`, `value`, `threshold`, `unit`, `verdict`, `demo`."""

    ranks: pd.DataFrame
    totals: pd.DataFrame
    past: pd.DataFrame
    eligible: pd.DataFrame


def zone_if(
    projections: pd.DataFrame,
    attained: pd.DataFrame,
    catalog: Catalog,
    period: str,
    *,
    drop: tuple[str, ...] = (),
    add: tuple[str, ...] = (),
    series: pd.DataFrame | None = None,
    **options,
) -> WhatIf:
    """Ranks, totals, targets and past series of the zone, were parks dropped or added.

    Parameters
    ----------
    projections : PROJECTIONS; rows of an added region must be among them, with targets of its own.
    attained : as `attainment` gives it. drop, add : region ids. series : SERIES to date and levels, for the past and
        for a park without a target.
    options : of `score_parks`.
    Returns
    -------
    WhatIf; only indicators that add up are summed. `actual` is the zone's own figure where there is one.
    Raises
    ------
    RankingError : the period has no figures. ValueError : a park to drop is no member, or one to add is.
    """
    p = projections[projections["as_of"].isin(ranking.period_months(period)[1])]
    if p.empty:
        raise ranking.RankingError(f"{period} 没有任何月份的预测表,不能推演。请先运行该期的月份。")
    p = p[p["as_of"] == p["as_of"].max()]
    now = catalog.members(p["as_of"].iloc[0])
    if wrong := [*(r for r in drop if r not in now), *(r for r in add if r in now)]:
        raise ValueError(
            f"{catalog.name(wrong[0])} 不能这样增减:目前的园区是 {'、'.join(map(catalog.name, now))}。"
        )
    after = tuple(r for r in now if r not in drop) + tuple(add)
    sums = {i for i, d in catalog.indicators.items() if d.additive}

    def total(members, column):
        part = p[p["region"].isin(members) & p["indicator"].isin(sums)]
        return part.groupby("indicator")[column].agg(lambda v: v.sum(skipna=False))

    place = ["indicator", "region"]
    done = p[p["indicator"].isin(sums)].set_index(place)["actual"]
    if series is not None:  # a park without a target has no row of PROJECTIONS
        known = series[series["end"].eq(p["as_of"].iloc[0]) & series["indicator"].isin(sums)]
        done = done.combine_first(known.groupby(place)["value"].sum())
    done = done.unstack()

    def sums_of(parks):
        return done.reindex(columns=parks).sum(axis=1, skipna=False)

    whole = done.get("zone", sums_of(now)).fillna(sums_of(now))
    totals = pd.DataFrame(
        {
            "actual": whole,
            "actual_after": (whole - sums_of(drop) + sums_of(add)).fillna(sums_of(after)),
            "target": total(now, "target_low"),
            "target_after": total(after, "target_low"),
            "plan": total(("zone",), "target_low"),
        }
    ).dropna(subset=["target", "target_after"], how="all")
    totals.insert(0, "unit", [catalog.unit(i) for i in totals.index])
    past = pd.DataFrame(columns=["indicator", "end", "value", "value_after"])
    if series is not None:
        wide = series[series["indicator"].isin(sums)].pivot_table(
            index=["indicator", "months", "end"], columns="region", values="value"
        )
        sides = {"value": now, "value_after": after}
        past = pd.DataFrame(
            {k: wide.reindex(columns=v).sum(axis=1, skipna=False) for k, v in sides.items()}
        )
        past = past.dropna(how="all").reset_index().drop(columns="months")
    cases = p.merge(catalog.eligibility, on="indicator", suffixes=("", "_"))
    asked = pd.MultiIndex.from_product([(*now, *add), catalog.eligibility["rule"]])
    cases = cases.set_index(["region", "rule"])["actual"].reindex(asked)
    rules = catalog.eligibility.set_index("rule")
    demo = p.set_index(["region", "indicator"])["demo"].to_dict()
    rows = [
        dict(
            region=region,
            rule=rule,
            indicator=(r := rules.loc[rule])["indicator"],
            value=value,
            threshold=r["threshold"],
            unit=r["unit"],
            verdict=_verdict(value, r["comparator"], r["threshold"]),
            demo=bool(r["demo"] or demo.get((region, r["indicator"]))),
        )
        for (region, rule), value in cases.items()
    ]
    placed = ranking.score_parks(attained, catalog, period, parks=after, **options).ranks
    return WhatIf(placed, totals.rename_axis("indicator").reset_index(), past, pd.DataFrame(rows))


def _verdict(value: float, comparator: str, threshold: float) -> str:
    if value != value:
        return "缺数"
    return "达到" if Target(comparator, threshold).met(value) else "截至本期未达到"


class Membership(NamedTuple):
    """Frames under Chinese headings: places, totals and targets, past years, eligibility; and who comes and goes."""

    told: str
    ranks: pd.DataFrame
    totals: pd.DataFrame
    past: pd.DataFrame
    eligible: pd.DataFrame


def members_if(month: Month, drop: str = "", add: str = "", form: str = "month") -> Membership:
    """Places, totals, targets and past years of the zone, were one park dropped or one place added."""
    name, period = month.catalog.name, ranking.period_of(month.period, form)
    w = zone_if(
        month.table("TRAIL"),
        month.table("ATTAINMENT"),
        month.catalog,
        period,
        runs=1_000,
        drop=(drop,) if drop else (),
        add=(add,) if add else (),
        series=pd.concat([month.table("TO_DATE"), month.table("SERIES").query("months == 0")]),
    )
    now = month.find("ranks", form=form).rows.query("basis == @period")
    now = now.set_index("region")["place_told"]
    then = placed(w.ranks[w.ranks["indicator"] == "composite"]).set_index("region")["told"]
    order = [*dict.fromkeys([*now.index, *then.index])]
    places_ = pd.DataFrame(
        {
            "园区": map(name, order),
            "现在": [now.get(r, "—") for r in order],
            "变更后": [then.get(r, "退出") for r in order],
        }
    )
    head = list(month.catalog.headline()["id"])
    t = w.totals[w.totals["indicator"].isin(head)]
    show = lambda v, u: [quantity.number(x, y) for x, y in zip(v, u, strict=True)]  # noqa: E731
    totals = pd.DataFrame(
        {"指标": t["indicator"].map(name), "全区目标": show(t["plan"], t["unit"])}
        | {
            f"{when}{what}": show(t[f"{column}{after}"], t["unit"])
            for what, column in (("当前值", "actual"), ("园区目标合计", "target"))
            for when, after in (("现在", ""), ("变更后", "_after"))
        }
    )
    flows = [i for i in head if month.catalog.indicators[i].kind == "flow"]
    p = w.past[w.past["indicator"].isin(flows) & (w.past["end"].dt.month == month.period.month)]
    p = p.assign(year=p["end"].dt.year)
    p["told"] = [
        f"{quantity.number(r.value, month.catalog.unit(r.indicator))}→"
        f"{quantity.number(r.value_after, month.catalog.unit(r.indicator))}"
        for r in p.itertuples()
    ]
    past = (
        p.pivot(index="indicator", columns="year", values="told")
        .reindex([i for i in head if i in flows])
        .dropna(how="all")
        .fillna("—")
        .rename(index=name, columns="{}年".format)
        .rename_axis("指标", axis=0)
    )
    past = past.rename_axis(columns=None).reset_index()
    e = w.eligible.assign(
        told=[f"{_exact(r.value, r.unit)}({r.verdict})" for r in w.eligible.itertuples()],
        rule=[
            f"{name(r.indicator)}不少于{_exact(r.threshold, r.unit)}"
            for r in w.eligible.itertuples()
        ],
    )
    eligible = e.pivot(index="rule", columns="region", values="told").reindex(
        columns=e["region"].unique()
    )
    eligible = (
        eligible.rename(columns=name)
        .rename_axis(index="遴选门槛(演示)", columns=None)
        .reset_index()
    )
    told = (
        "、".join(
            [*([f"{name(drop)}退出"] if drop else []), *([f"{name(add)}加入"] if add else [])]
        )
        or "园区不变"
    )
    return Membership(told, places_, totals, past, eligible.map(quantity.typeset))


def _exact(value: float, unit: str) -> str:
    """A share with two decimals, so that what just misses a threshold does not look as if it met it."""
    return quantity.number(value, unit, 2) if unit == "%" else quantity.number(value, unit)


def candidates(month: Month) -> dict[str, tuple[str, str]]:
    """What may be asked of the membership: Chinese words → (drop, add)."""
    now = month.catalog.members(month.period)
    others = [r for r in month.table("ATTAINMENT")["region"].unique() if r not in now]
    return (
        {"园区不变": ("", "")}
        | {f"{month.catalog.name(r)}退出": (r, "") for r in now}
        | {f"{month.catalog.name(r)}加入": ("", r) for r in others}
    )
