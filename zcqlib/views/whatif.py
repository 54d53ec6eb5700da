"""What if: another pace for the rest of the year, another target, a park in or out: chance, need and place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, findings, quantity, ranking
from zcqlib.analysis import recent_means
from zcqlib.findings.ranks import placed
from zcqlib.month import Month
from zcqlib.projection.kinds import chance, verdict
from zcqlib.tables import ZcqError
from zcqlib.views.parts import quantiles, row

PACED = ("flow", "stock")  # kinds whose rest of the year can go faster


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the rest of the year at `pace` times the projected one, `aim` in place of the target (NaN for the
    target as it is), the zone `without` one park ("" for none)."""

    indicator: str
    region: str = "zone"
    pace: float = 1.0
    aim: float = float("nan")
    without: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`row` as in PROJECTIONS and `quantiles` by level under the question, and the year end in one sentence."""

    row: dict
    quantiles: pd.Series
    text: str


RUNS = 2_000  # simulations of a question's places; the month's own ranking has 10,000


def places_ahead(month: Month, asked: Asked | None = None) -> pd.Series:
    """Places of the parks if the year ends at the medians, under a question or as it stands, as they are told: 第1位;
    parks that cannot be told apart share a place by the rule of the ranking (并列第2位), one without is 不排位."""
    p = month.table("PROJECTIONS")
    p = p.assign(actual=p["median"].where(p["median"].notna(), p["actual"]))
    parks = month.catalog.members(month.period)
    if asked is not None:
        own = p["indicator"].eq(asked.indicator) & (
            p["region"].eq(asked.region) | (asked.region == "zone")
        )
        done = month.table("PROJECTIONS")["actual"]
        rest = done + asked.pace * (p["actual"] - done)
        p["actual"] = p["actual"].where(~(own & p["kind"].isin(PACED)), rest)
        if np.isfinite(asked.aim):
            was = row(month, asked.indicator, asked.region)["target_low"]
            if asked.without:
                was -= row(month, asked.indicator, asked.without).get("target_low", 0.0)
            p["target_low"] = p["target_low"].where(
                ~own, p["target_low"] * asked.aim / was if was else asked.aim
            )
        parks = tuple(k for k in parks if k != asked.without)
    end = pd.Period(f"{month.year}-12", "M")  # by then all of the year's targets are due
    done = ranking.attainment(
        p.assign(as_of=end), month.catalog, end, milestones=month.table("MILESTONES")
    )
    ranks = ranking.score_parks(done, month.catalog, str(end), parks=parks, runs=RUNS).ranks
    told = placed(ranks[ranks["indicator"] == ranking.COMPOSITE]).set_index("region")["place"]
    return told.str.removeprefix("暂定")


def what_if(month: Month, asked: Asked) -> Outcome:
    """The year end of one target under another pace, target or membership; nothing is fitted again.

    The projected rest of the year is multiplied by the pace. Without a park its figures leave actual, target and
    median, and the interval shrinks in proportion to the median.

    Raises
    ------
    ZcqError : there is no projection of this target; the park left out is the one asked about.
    """
    r, q = (
        row(month, asked.indicator, asked.region),
        quantiles(month, asked.indicator, asked.region),
    )
    if not r or np.isnan(r["probability"]) or q.empty:
        raise ZcqError("园区目标未下达,或没有预测。")
    if asked.without and asked.region != "zone":
        raise ZcqError(f"增减园区只对{month.catalog.zone.parts_zh}合计作推演。")
    stays = asked.pace == 1 and not asked.without
    if asked.without:
        out = row(month, asked.indicator, asked.without)
        if not out:
            raise ZcqError(f"{month.catalog.name(asked.without)}没有这一项目标。")
        middle = r["median"] - out["median"]

        def scaled(v):
            return middle + (v - r["median"]) * (middle / r["median"] if r["median"] else 0.0)

        q = scaled(q)
        r = (
            r
            | {k: r[k] - out[k] for k in ("actual", "target_low", "target_high")}
            | {"median": middle, "low": scaled(r["low"]), "high": scaled(r["high"])}
        )
    if asked.pace != 1 and r["kind"] in PACED:
        faster = lambda v: r["actual"] + asked.pace * (v - r["actual"])  # noqa: E731
        q, r = faster(q), r | {k: faster(r[k]) for k in ("median", "low", "high")}
    if np.isfinite(asked.aim) and asked.aim != r["target_low"]:
        r, stays = r | {"target_low": asked.aim}, False
    if not stays:
        count = month.catalog.indicators[asked.indicator].count
        done = r["kind"] == "flow" and r["actual"] >= r["target_low"] and r["comparator"] != "gt"
        given = chance(q.to_numpy(float), r["comparator"], r["target_low"], count)
        p = 1.0 if done else given
        r = r | {"probability": p, "verdict": verdict(p, done, month.catalog.lights)}
    return Outcome(r, q, _told(month, asked, r))


def _told(month: Month, asked: Asked, r: dict) -> str:
    usual = recent_means(month.table("SERIES"), month.period)
    recent = usual.get((asked.region, asked.indicator), np.nan)
    if asked.without:
        recent -= usual.get((asked.without, asked.indicator), np.nan)
    head = (
        [f"余下月份按预测的{asked.pace:.2f}倍"]
        if r["kind"] in PACED
        else ["比率和增速不按节奏推演"]
    )
    head += [f"不含{month.catalog.name(asked.without)}"] if asked.without else []
    text = "、".join(head) + ":" + quantity.projection_sentence(r | {"demo": False}, recent) + "。"
    return ("【演示数据】" if r["demo"] else "") + quantity.typeset(text)


def places_told(month: Month, asked: Asked, before: pd.Series) -> str:
    """What becomes of the parks' places at the year end; `before` as `places_ahead(month)` gives them."""
    after, name = places_ahead(month, asked), month.catalog.name
    whose = [p for p in month.catalog.parks if p in after.index and asked.region in ("zone", p)]
    if not whose or (after[whose] == before[whose]).all() and (after[whose] == "不排位").all():
        return "该园区不参加排位。"
    moved = [f"{name(p)}由{before[p]}变为{after[p]}" for p in whose if after[p] != before[p]]
    return quantity.typeset(f"按年末预计排综合位次:{'、'.join(moved) if moved else '位次不变'}。")


def what_if_figure(month: Month, asked: Asked, outcome: Outcome) -> Figure:
    """The year's course under a question."""
    place = dict(indicator=asked.indicator, region=asked.region)

    def table(name: str) -> pd.DataFrame:
        if name == "PROJECTIONS":
            return pd.DataFrame([outcome.row])
        if name == "QUANTILES":
            return outcome.quantiles.rename_axis("level").reset_index(name="value").assign(**place)
        t = month.table(name)
        if name == "TO_DATE" and asked.without:
            own = t[t["indicator"].eq(asked.indicator)]
            left = own[own["region"].eq(asked.without)].set_index("end")["value"]
            own = own[own["region"].eq(asked.region)]
            t = own.assign(value=own["value"] - own["end"].map(left))
        return t

    found = findings.find("course", replace(month.given, table=table, made={}), **place)
    without = f"，不含{month.catalog.name(asked.without)}" if asked.without else ""
    what = f"{month.catalog.name(asked.indicator)}，1月至当月累计（{month.catalog.unit(asked.indicator)}）"
    with month.chart(found, "", what + without, panels="yyyye") as axes:
        figures.course(*axes.values(), found)
    return axes["y"].get_figure(root=True)
