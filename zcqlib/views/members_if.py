"""The zone with a park less or a place more: places, totals, targets, past years, and the rules of eligibility."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from zcqlib import ranking
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.ranks import ranks


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
    w = ranking.what_if(
        month.table("TRAIL"),
        month.table("ATTAINMENT"),
        month.catalog,
        period,
        runs=1_000,
        drop=(drop,) if drop else (),
        add=(add,) if add else (),
        series=pd.concat([month.table("TO_DATE"), month.table("SERIES").query("months == 0")]),
    )
    now = ranks(month, form).set_index("region")["told"]
    then = say.placed(w.ranks[w.ranks["indicator"] == "composite"]).set_index("region")["told"]
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
    show = lambda v, u: [words.number(x, y) for x, y in zip(v, u, strict=True)]  # noqa: E731
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
        f"{words.number(r.value, month.catalog.unit(r.indicator))}→"
        f"{words.number(r.value_after, month.catalog.unit(r.indicator))}"
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
    return Membership(told, places_, totals, past, eligible.map(words.typeset))


def _exact(value: float, unit: str) -> str:
    """A share with two decimals, so that what just misses a threshold does not look as if it met it."""
    return words.number(value, unit, 2) if unit == "%" else words.number(value, unit)


def candidates(month: Month) -> dict[str, tuple[str, str]]:
    """What may be asked of the membership: Chinese words → (drop, add)."""
    now = month.catalog.members(month.period)
    others = [r for r in month.table("ATTAINMENT")["region"].unique() if r not in now]
    return {f"{month.catalog.name(r)}退出": (r, "") for r in now} | {
        f"{month.catalog.name(r)}加入": ("", r) for r in others
    }
