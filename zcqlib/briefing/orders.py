"""From a gap to orders: what each missed target still asks of each park in each remaining month, graded by history."""
from __future__ import annotations

from decimal import ROUND_CEILING

import pandas as pd

from zcqlib.briefing.words import needed, printed_parts, scale
from zcqlib.catalog import LINKED

HISTORY = 36
COLUMNS = {"indicator": "str", "region": "str", "responsible": "str", "responsible_basis": "str", "month": "period[M]",
           "ask": "float64", "unit": "str", "times": "float64", "of": "int64", "grade": "str", "demo": "bool"}


def gap_orders(projections: pd.DataFrame, series: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Split the gap of each zone target that will probably be missed into month-by-month asks of the parks.

    Parameters
    ----------
    projections : PROJECTIONS of the zone and the parks. series : SERIES. targets : TARGETS.
    Returns
    -------
    One row an ask, least often done first: `indicator`, `region` (zone where no park has a target of its own),
    `responsible`, `responsible_basis`, `month`, `ask` (in `unit`; those of an indicator add up to its gap), `times`
    (months of the last 36 in which the region did at least as much; NaN without history), `of` (months known),
    `grade`, `demo`. Missed: a flow whose chance is below one half; linked rows are left to the row they point to.
    The gap goes to the parks by their own gaps, over the months by the season of past years (evenly without any).
    Raises
    ------
    ValueError : a quantity to be split is missing.
    Source
    ------
    缺口 = 目标 − 已完成;季节按近三年同月份额。
    """
    linked = targets.loc[targets["relation"].isin(LINKED), "id"]
    rows, zone = [], projections[projections["region"].isin(["zone", "city"]) & ~projections["indicator"].isin(linked)]
    flows = series[series["months"] == 1].assign(month=lambda s: s["end"].dt.month)
    for z in zone[zone["kind"].isin(["flow", "recurring"]) & (zone["probability"] < .5)].to_dict("records"):
        as_of = pd.Period(z["as_of"], "M")
        left = pd.period_range(as_of + 1, pd.Period(f"{z['year']}-12", "M"), freq="M")
        step = scale(0, z["unit"]).digits
        if needed(z, scale(0, z["unit"])) is None:
            continue
        gap = z["target_low"] + (10.0 ** -step if z["comparator"] == "gt" else 0) - z["actual"]
        gap = float(scale(0, z["unit"]).round(gap, ROUND_CEILING))
        parks = projections[projections["indicator"] == z["indicator"]]
        parks = parks[~parks["region"].isin(["zone", "city"])]
        own = (parks.set_index("region")["target_low"] - parks.set_index("region")["actual"]).dropna().clip(lower=0)
        own = own if own.sum() > 0 else pd.Series({z["region"]: 1.0})
        t = targets[targets["id"] == z["indicator"]]
        unit = t.iloc[0] if len(t) else {"responsible": "", "responsible_basis": "none"}
        for region, share in zip(own.index, _split(gap, own, step), strict=True):
            past = flows[(flows["region"] == region) & (flows["indicator"] == z["indicator"])
                         & (flows["end"] <= as_of) & (flows["end"] > as_of - HISTORY)]
            season = past.groupby("month")["value"].sum().reindex([m.month for m in left]).fillna(0)
            season = season if season.sum() > 0 else season + 1
            for month, ask in zip(left, _split(share, season, step), strict=True):
                if ask == 0:
                    continue
                times = float((past["value"] >= ask).sum()) if len(past) else float("nan")
                rows.append({"indicator": z["indicator"], "region": region, "responsible": unit["responsible"],
                             "responsible_basis": unit["responsible_basis"], "month": month, "ask": ask,
                             "unit": z["unit"], "times": times, "of": len(past), "grade": _grade(times, len(past)),
                             "demo": z["demo"]})
    if not rows:
        return pd.DataFrame({c: pd.Series(dtype=t) for c, t in COLUMNS.items()})
    out = pd.DataFrame(rows).sort_values(["times", "indicator", "region", "month"], kind="stable", na_position="last")
    return out.reset_index(drop=True)


def _split(total: float, weights: pd.Series, digits: int) -> list[float]:
    return [float(v) for v in printed_parts(list(total * weights / weights.sum()), digits, total)]


def _grade(times: float, of: int) -> str:
    if times != times:
        return "没有历史可比"
    return f"近{of}个月中做到过{int(times)}次" if times else f"近{of}个月从未做到"


def recent_means(series: pd.DataFrame, as_of: pd.Period) -> dict[tuple[str, str], float]:
    """Mean of the last 12 months by (region, indicator), of a level its mean change; only where all 12 are known."""
    last = series[(series["start"] > as_of - 12) & (series["end"] <= as_of) & series["months"].isin([1, 2])]
    sums = last.groupby(["region", "indicator"])[["months", "value"]].sum()
    out = (sums.loc[sums["months"] == 12, "value"] / 12).to_dict()
    levels = series[series["months"] == 0].set_index(["region", "indicator"])
    now, then = (levels.loc[levels["end"] == m, "value"] for m in (as_of, as_of - 12))
    return out | ((now - then).dropna() / 12).to_dict()
