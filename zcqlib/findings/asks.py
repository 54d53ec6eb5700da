"""What each missed target still asks of each park in each remaining month, graded by history."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zcqlib.catalog import LINKED
from zcqlib.findings.found import NAN, Given, Scale, Told, finding, heads, words
from zcqlib.findings.targets import NAMED, ZONES
from zcqlib.quantity import printed_parts, responsible, row_scale, shortfall

HISTORY = 36
MONTHS, LINES = Scale("个月"), Scale("条")
ASKS = heads(None, ask="要求") | heads(Scale("次"), times="做到过")
ASKS |= heads(MONTHS, known="有记录", known_from="有记录至少", known_to="有记录至多")
ASKS |= heads(LINES, asked="要求", never="从未做到过")
ASKS |= dict(what=words("指标"), where=words("园区"), by=words("责任单位"), when=words("月份"))
ASKS |= dict(grade=words("历史", "times", "known"))
ORDERS = (
    "indicator region responsible responsible_basis month ask scale times of grade demo".split()
)


@finding(**ASKS)
def asks(given: Given) -> Told:
    """The gap of each zone target that will probably be missed, split into month-by-month asks of the parks.

    Rows: `<indicator>|<park>|<month>`, least often done first; `<month>` and `all` count the asks and those that were
    never done. `ask` in the unit of the target, as printed; `times` of the last `known` months (36 at most).
    """
    name, p = given.catalog.name, given.table("PROJECTIONS")
    parks = {r: name(r) for r in given.catalog.parks}
    o = gap_orders(p, given.table("SERIES"), given.table("TARGETS"), parks)
    t = o[["indicator", "region", "scale", "ask", "times", "grade"]].assign(
        what=o["indicator"].map(name), where=o["region"].map(name), basis=o["month"].astype(str)
    )
    t["when"] = [f"{m.month}月" for m in o["month"]]
    t["by"] = [_by(*units) for units in zip(o["responsible"], o["responsible_basis"], strict=True)]
    place = t["region"] + "." + t["indicator"]
    t = t.assign(known=o["of"], inputs="PROJECTIONS/" + place + ";TARGETS/" + place)
    t["label"] = t["where"] + t["what"] + t["when"]
    t.index = t["indicator"] + "|" + t["region"] + "|" + t["basis"]
    for row, own in [("all", t.copy()), *t.groupby("basis")] if len(t) else []:
        known = own.loc[own["known"].gt(0), "known"]
        counts = len(own), own["times"].eq(0).sum(), known.min(), known.max()
        t.loc[row, ["asked", "never", "known_from", "known_to"]] = counts
        t.loc[row, ["label", "inputs"]] = own["when"].iloc[0], ";".join(own["inputs"])
    title, told = "没有需要分解的缺口", ""
    if len(t):
        never, first, last = t.loc["all", ["never", "known_from", "known_to"]]
        title = "缺口分解为{all.asked}月度要求" + "，其中{all.never}从未做到过" * bool(never)
        span = "{all.known_from}" + "至{all.known_to}" * bool(first < last)
        told = f"{title}（有记录的{span}）" if never else ""
    scope = f"{given.catalog.zone.parts_zh}及各园区，{given.period.year}年余下各月"
    demo = bool(o["demo"].any()) or bool(p["demo"].any())
    return Told(t, scope, title, [told or title], about=dict(demo=demo))


def _by(units: str, basis: str) -> str:
    """The responsible units, a long list cut."""
    named = units.split(";")
    return responsible(";".join(named[:NAMED]) + ("等" if len(named) > NAMED else ""), basis)


def gap_orders(
    projections: pd.DataFrame,
    series: pd.DataFrame,
    targets: pd.DataFrame,
    parks: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Split the gap of each zone target that will probably be missed into month-by-month asks of the parks.

    Parameters
    ----------
    projections : PROJECTIONS of the zone and the parks. series : SERIES. targets : TARGETS. parks : id → the name that
        stands among responsible units; a park's ask names that park first and no other.
    Returns
    -------
    One row an ask, least often done first: `indicator`, `region` (zone where no park has a target of its own),
    `responsible`, `responsible_basis`, `month`, `ask` and its `scale` (those of an indicator add up, as printed, to
    its printed gap), `times` (months of the last 36 in which the region did at least as much;
    NaN without history), `of` (months known), `grade`, `demo`. Missed: a flow or stock whose chance is below one half;
    of a stock the ask is a net increase. Linked rows are left to the row they point to. The gap goes to the parks by
    their own gaps, over the months by the season of past years (evenly without any).
    Raises
    ------
    ValueError : a quantity to be split is missing.
    Source
    ------
    缺口 = 目标 − 已完成;季节按近三年同月份额。
    """
    linked = targets.loc[targets["relation"].isin(LINKED), "id"]
    of_zone = projections["region"].isin(ZONES)
    missed = projections["kind"].isin(["flow", "stock"]) & (projections["probability"] < 0.5)
    zone = projections[of_zone & missed & ~projections["indicator"].isin(linked)]
    gaps = projections[~of_zone].set_index(["indicator", "region"])
    gaps = (gaps["target_low"] - gaps["actual"]).dropna().clip(lower=0)
    done = dict(iter(_steps(series).groupby(["region", "indicator"])))
    about, rows = targets.drop_duplicates("id").set_index("id"), []
    for z in zone.to_dict("records"):
        i, s, gap = z["indicator"], row_scale(z), shortfall(z)
        if gap is None:
            continue
        own = gaps[i] if i in gaps.index else gaps[:0]
        own = own if own.sum() > 0 else pd.Series({z["region"]: 1.0})
        units, basis = ("", "none")
        if i in about.index:
            units, basis = about.loc[i, ["responsible", "responsible_basis"]]
        for region, share in zip(own.index, _split(float(gap), own, s.digits), strict=True):
            who = _units(units, region, parks or {})
            same = dict(indicator=i, region=region, responsible=who, responsible_basis=basis)
            past = done.get((region, i), series[:0])
            rows += [same | ask for ask in _asks(z, share, s, past)]
    order = ["times", "indicator", "region", "month"]
    out = pd.DataFrame(rows, columns=ORDERS)
    return out.sort_values(order, kind="stable", na_position="last", ignore_index=True)


def _asks(z: Mapping, share: float, s: Scale, past: pd.DataFrame) -> list[dict]:
    """The share of one region over the months that are left, each against what its past months brought."""
    as_of = pd.Period(z["as_of"], "M")
    left = pd.period_range(as_of + 1, f"{z['year']}-12", freq="M")
    past = past[past["end"].le(as_of) & past["end"].gt(as_of - HISTORY)]
    season = past.groupby(past["end"].dt.month)["value"].sum().reindex(left.month).fillna(0)
    season = season if season.min() >= 0 and season.sum() > 0 else season * 0 + 1
    out = []
    for month, part in zip(left, _split(share, season, s.digits), strict=True):
        ask, of = part * s.factor, len(past)
        times = float((past["value"] >= ask).sum()) if of else NAN
        row = dict(month=month, ask=ask, scale=s, times=times, of=of, demo=z["demo"])
        out += [row | dict(grade=_grade(times, of))] * bool(part)
    return out


def _steps(series: pd.DataFrame) -> pd.DataFrame:
    """What was done in single months: flows as they are, of levels the change since the month before."""
    levels = series[series["months"] == 0].sort_values(["region", "indicator", "end"])
    by = levels.groupby(["region", "indicator"], sort=False)
    steps = levels.assign(value=by["value"].diff())[(levels["end"] - 1).eq(by["end"].shift())]
    return pd.concat(
        [series[series["months"].eq(1) & ~series["revision"]], steps.dropna(subset=["value"])],
        ignore_index=True,
    )


def _units(responsible: str, region: str, parks: Mapping[str, str]) -> str:
    if region not in parks:
        return responsible
    return ";".join(
        [parks[region], *(u for u in responsible.split(";") if u and u not in parks.values())]
    )


def _split(total: float, weights: pd.Series, digits: int) -> list[float]:
    return [float(v) for v in printed_parts(list(total * weights / weights.sum()), digits, total)]


def _grade(times: float, of: int) -> str:
    if times != times:
        return "没有历史可比"
    return f"近{of}个月中做到过{int(times)}次" if times else f"近{of}个月从未做到"
