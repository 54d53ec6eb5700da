"""Findings on the course of a year: a target month by month against its paces, and where the year may end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import Change, Found, Given, Measure, Scale, finding, lay
from zcqlib.findings.targets import NAN, STANDING, ZONES, borrowed, row_id, standing
from zcqlib.projection.pace import season_shares

LEVELS, DOTS = (95, 80, 50), 20
EDGES = [f"{side}{level}" for level in LEVELS for side in ("low", "high")]
BANDS = {e: f"{'下限' if e.startswith('low') else '上限'}（{e[-2:]}%区间）" for e in EDGES}
YEAR = {"so_far": "累计", "straight": "序时进度", "seasonal": "季节进度", "middle": "年末中位数"}
YEAR |= {"least": "历年最低", "most": "历年最高"} | BANDS
COURSE = {c: Measure(head) for c, head in YEAR.items()} | {"ending": Measure("年末可能")}
LEAD = {f"{c}_lead": Measure(head, Change("个百分点", digits=1)) for c, head in YEAR.items()}
LEAD |= {
    "targeted": Measure("有目标的园区", Scale("个")),
    "likely": Measure("把握过半", Scale("个")),
}


def _of(given: Given, table: str, indicator: str, region: str) -> pd.DataFrame:
    t = given.table(table)
    return t[t["indicator"].eq(indicator) & t["region"].eq(region)]


def shares(given: Given, indicator: str, region: str) -> pd.DataFrame:
    """What past years had done of a year by each month, see `season_shares`; no rows where that is not known."""
    make = lambda: season_shares(given.table("SERIES"), given.period.year)  # noqa: E731
    t = given.once(("shares",), make)
    return (
        t.loc[(region, indicator)] if (region, indicator) in t.index.droplevel("month") else t[:0]
    )


def _year_ends(given: Given, indicator: str, region: str) -> pd.Series:
    q = _of(given, "QUANTILES", indicator, region).set_index("level")["value"]
    return q.astype(float).sort_index()


def _months(given: Given, indicator: str, region: str, aim: float) -> pd.DataFrame:
    """The months 1 to 12 of a target: YEAR's columns in its unit, the fan in the shape that past years had."""
    t, past = _of(given, "TO_DATE", indicator, region), shares(given, indicator, region)
    t = t[t["end"].dt.year.eq(given.period.year) & t["end"].le(given.period)].sort_values("end")
    done = t.set_index(t["end"].dt.month)["value"]
    out = pd.DataFrame(NAN, range(1, 13), list(YEAR))
    shape = out.index.to_series() / 12
    out["so_far"], out["straight"] = done, aim * shape
    if len(past):
        past = past.reindex(out.index)
        out[["seasonal", "least", "most"]] = past[["value", "low", "high"]] * aim
        shape = past["value"]
    q = _year_ends(given, indicator, region)
    if q.empty or done.empty:
        return out
    rest, now = shape.loc[done.index[-1] :], done.iloc[-1]
    rest = rest if rest.iloc[-1] > rest.iloc[0] else rest.index.to_series()
    part = (rest - rest.iloc[0]) / max(rest.iloc[-1] - rest.iloc[0], 1e-9)
    for c in ("middle", *EDGES):
        out[c] = now + (_at(q, _level(c)) - now) * part
    return out


def _level(edge: str) -> float:
    half = int(edge[-2:]) / 200 if edge in EDGES else 0.0
    return 0.5 - half if edge.startswith("low") else 0.5 + half


def _at(q: pd.Series, level):
    return np.interp(level, q.index, q)


def _found(name: str, given: Given, base: Found, rows: pd.DataFrame, own: dict, place: str, title):
    source = f"{given.source(*rows['indicator'].unique()[:1])}，自创办测算"
    scope = f"{place}，{given.period.year}年"
    about = source, scope, given.period, given.known, base.demo
    return Found(name, rows, STANDING | own, *about, title, home=borrowed(base))


def _dated(t: pd.DataFrame, given: Given, indicator: str, region: str) -> pd.DataFrame:
    """Months as rows of a finding."""
    inputs = ";".join(f"{name}/{region}.{indicator}" for name in ("TO_DATE", "SERIES", "QUANTILES"))
    basis = [f"{given.period.year}-{m:02d}" for m in t.index]
    about = dict(indicator=indicator, region=region, inputs=inputs, basis=basis, at=t.index)
    return t.assign(**about).set_axis([f"{row_id(region, indicator)}|{m}" for m in t.index])


@finding(*COURSE)
def course(given: Given, indicator: str = "", region: str = "zone") -> Found:
    """One target's year: its months, the fan to the year end, and twenty year ends of five per cent each.

    `indicator` : of patents filed, if none. Rows: its row of `standing`; `<row>|<month>` with `at`, the month; `<row>|end<n>`, the least first.
    """
    indicator = indicator or given.catalog.role("专利申请")
    base, row, name = standing(given), row_id(region, indicator), given.catalog.name
    own = base.rows.loc[base.rows.index.intersection([row])]
    t = _months(given, indicator, region, own["target"].iloc[0] if len(own) else NAN)
    usual = quantity.scale(t["so_far"].max(), given.catalog.unit(indicator))
    scale = own["scale"].iloc[0] if len(own) else usual
    t = _dated(t.assign(label=[f"{m}月" for m in t.index]), given, indicator, region)
    q, ids = _year_ends(given, indicator, region), [f"{row}|end{n + 1}" for n in range(DOTS)]
    ends = pd.DataFrame({"ending": _at(q, (np.arange(DOTS) + 0.5) / DOTS)} if len(q) else {}, ids)
    ends = ends.assign(indicator=indicator, region=region, basis=ids, label="年末可能")
    both = pd.concat([t, ends.assign(inputs=t["inputs"].iloc[0])])
    both["scale"] = [scale] * len(both)
    rows = pd.concat([own, lay(both, STANDING | COURSE).assign(at=both["at"])])
    title = f"{{{row}.headline}}" if len(own) else f"{name(indicator)}：园区目标未下达"
    place = name(region) if region not in ZONES else f"{given.catalog.zone.parts_zh}合计"
    return _found("course", given, base, rows, COURSE, place, title)


@finding(*LEAD)
def lead(given: Given, indicator: str = "") -> Found:
    """How far the zone and its parks are ahead of their own seasonal pace, in points of their target.

    Rows: those of `standing`; `<row>|<month>` with `at`, the month, and 100 × (each column of the course − the
    seasonal pace) ÷ target, at the year end against the target; `all` counts the parks with a target.
    """
    base, zone = standing(given), given.catalog.zone
    indicator = indicator or given.catalog.role("专利申请")
    own = base.rows[base.rows["indicator"].eq(indicator) & base.rows["target"].gt(0)]
    order = {r: n for n, r in enumerate(("zone", *given.catalog.parks))}
    own = own[own["region"].isin(order)].sort_values("region", key=lambda r: r.map(order))
    parts = []
    for r in own.itertuples():
        t = _months(given, indicator, r.region, r.target)
        if t[["seasonal", "so_far"]].notna().any().all():
            t = 100 * t.sub(t["seasonal"], axis=0).add_suffix("_lead") / r.target
            where = zone.parts_zh if r.region == "zone" else given.catalog.name(r.region)
            parts.append(_dated(t.assign(label=where), given, indicator, r.region))
    both = pd.concat([pd.DataFrame(columns=["at", "inputs"]), *parts])
    rows = pd.concat([own, lay(both, STANDING | LEAD).assign(at=both["at"])])
    judged = own.loc[own["region"].ne("zone"), "chance"].dropna()
    title = "园区目标未下达，不作判断"
    if len(judged):
        counts = len(judged), (judged >= 0.5).sum()
        rows.loc["all", ["targeted", "likely"]] = counts
        rows.loc["all", ["label", "indicator", "inputs"]] = "合计", "", ";".join(own["inputs"])
        what = f"{{{own.index[0]}.label}}：" * (own["region"].iloc[0] == "zone")
        title = what + "{all.targeted}有目标的园区中{all.likely}把握过半"
    return _found("lead", given, base, rows, LEAD, f"{zone.parts_zh}及各园区", title)
