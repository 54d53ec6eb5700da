"""What each missed target still asks of each park in each remaining month, graded by history."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zcqlib.catalog import LINKED
from zcqlib.findings.found import Found, Given, Measure, Scale, finding, lay, words
from zcqlib.findings.targets import NAMED, NAN
from zcqlib.quantity import printed_parts, responsible, row_scale, shortfall

HISTORY = 36
COLUMNS = {
    "indicator": "str",
    "region": "str",
    "responsible": "str",
    "responsible_basis": "str",
    "month": "period[M]",
    "ask": "float64",
    "scale": "object",
    "times": "float64",
    "of": "int64",
    "grade": "str",
    "demo": "bool",
}
ASKS = {
    "ask": Measure("要求"),
    "times": Measure("做到过", Scale("次")),
    "known": Measure("有记录", Scale("个月")),
    "asked": Measure("要求", Scale("条")),
    "never": Measure("从未做到过", Scale("条")),
    "known_from": Measure("有记录至少", Scale("个月")),
    "known_to": Measure("有记录至多", Scale("个月")),
    "what": words("指标"),
    "where": words("园区"),
    "by": words("责任单位"),
    "when": words("月份"),
    "grade": words("历史", "times", "known"),
}


@finding(*ASKS)
def asks(given: Given) -> Found:
    """The gap of each zone target that will probably be missed, split into month-by-month asks of the parks.

    Rows: `<indicator>|<park>|<month>`, least often done first; `<month>` and `all` count the asks and those that were
    never done. `ask` in the unit of the target, as printed; `times` of the last `known` months (36 at most).
    """
    name = given.catalog.name
    parks = {r: name(r) for r in given.catalog.parks}
    p = given.table("PROJECTIONS")
    o = gap_orders(p, given.table("SERIES"), given.table("TARGETS"), parks)
    t = lay(
        pd.DataFrame(
            {
                "label": [
                    f"{name(r.region)}{name(r.indicator)}{r.month.month}月" for r in o.itertuples()
                ],
                "indicator": o["indicator"],
                "region": o["region"],
                "basis": o["month"].astype(str),
                "scale": o["scale"],
                "inputs": [
                    ";".join(f"{t}/{r.region}.{r.indicator}" for t in ("PROJECTIONS", "TARGETS"))
                    for r in o.itertuples()
                ],
                "ask": o["ask"],
                "times": o["times"],
                "known": o["of"].astype(float),
                "asked": NAN,
                "never": NAN,
                "what": o["indicator"].map(name),
                "where": o["region"].map(name),
                "by": [_by(r.responsible, r.responsible_basis) for r in o.itertuples()],
                "when": [f"{m.month}月" for m in o["month"]],
                "grade": o["grade"],
            }
        ),
        ASKS,
    )
    t.index = pd.Index(
        [f"{r.indicator}|{r.region}|{r.month}" for r in o.itertuples()], dtype=object
    )
    things = t.copy()
    for row, own in [("all", things), *things.groupby("basis")] if len(things) else []:
        t.loc[row, ["asked", "never"]] = len(own), own["times"].eq(0).sum()
        known = own.loc[own["known"].gt(0), "known"]
        t.loc[row, ["known_from", "known_to"]] = known.min(), known.max()
        t.loc[row, ["label", "inputs"]] = own["when"].iloc[0], ";".join(own["inputs"])
    told, more = "没有需要分解的缺口", ["没有需要分解的缺口"]
    if len(things):
        never = "，其中{all.never}从未做到过" if t.at["all", "never"] else ""
        span = "{all.known_from}"
        if t.at["all", "known_from"] < t.at["all", "known_to"]:
            span += "至{all.known_to}"
        told = f"缺口分解为{{all.asked}}月度要求{never}"
        more = [f"{told}（有记录的{span}）"] if never else [told]
    return Found(
        "asks",
        t,
        ASKS,
        f"{given.source()}，自创办测算",
        f"{given.catalog.zone.parts_zh}及各园区，{given.period.year}年余下各月",
        given.period,
        given.known,
        bool(o["demo"].any()) or bool(p["demo"].any()),
        told,
        tuple(more),
    )


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
    rows, zone = (
        [],
        projections[
            projections["region"].isin(["zone", "city"]) & ~projections["indicator"].isin(linked)
        ],
    )
    done = {place: rows for place, rows in _steps(series).groupby(["region", "indicator"])}
    for z in zone[zone["kind"].isin(["flow", "stock"]) & (zone["probability"] < 0.5)].to_dict(
        "records"
    ):
        as_of, s = pd.Period(z["as_of"], "M"), row_scale(z)
        left = pd.period_range(as_of + 1, pd.Period(f"{z['year']}-12", "M"), freq="M")
        if (gap := shortfall(z)) is None:
            continue
        own = projections[
            (projections["indicator"] == z["indicator"])
            & ~projections["region"].isin(["zone", "city"])
        ]
        own = (
            (own.set_index("region")["target_low"] - own.set_index("region")["actual"])
            .dropna()
            .clip(lower=0)
        )
        own = own if own.sum() > 0 else pd.Series({z["region"]: 1.0})
        t = targets[targets["id"] == z["indicator"]]
        unit = t.iloc[0] if len(t) else {"responsible": "", "responsible_basis": "none"}
        for region, share in zip(own.index, _split(float(gap), own, s.digits), strict=True):
            past = done.get((region, z["indicator"]), series[:0])
            past = past[(past["end"] <= as_of) & (past["end"] > as_of - HISTORY)]
            season = (
                past.groupby(past["end"].dt.month)["value"]
                .sum()
                .reindex([m.month for m in left])
                .fillna(0)
            )
            season = season if season.min() >= 0 and season.sum() > 0 else season * 0 + 1
            for month, part in zip(left, _split(share, season, s.digits), strict=True):
                if part == 0:
                    continue
                ask = part * s.factor
                times = float((past["value"] >= ask).sum()) if len(past) else float("nan")
                rows.append(
                    {
                        "indicator": z["indicator"],
                        "region": region,
                        "responsible": _units(unit["responsible"], region, parks or {}),
                        "responsible_basis": unit["responsible_basis"],
                        "month": month,
                        "ask": ask,
                        "scale": s,
                        "times": times,
                        "of": len(past),
                        "grade": _grade(times, len(past)),
                        "demo": z["demo"],
                    }
                )
    if not rows:
        return pd.DataFrame({c: pd.Series(dtype=t) for c, t in COLUMNS.items()})
    out = pd.DataFrame(rows).sort_values(
        ["times", "indicator", "region", "month"], kind="stable", na_position="last"
    )
    return out.reset_index(drop=True)


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
