"""What findings by park share: rows of parks and the zone, who is first, spans in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import Change, Given
from zcqlib.quantity import Scale

TWO, COUNT = Scale("%", digits=2), Scale("个")
FIRMS, PATENTS = Scale("家"), Scale("件")
POINTS, POINTS2 = Change("个百分点", digits=1), Change("个百分点", digits=2)
UP_PERCENT, UP_FIRMS, UP_PATENTS = Change("%", digits=1), Change("家"), Change("件")
NAMED = 3  # so many that tie are named, more are counted


def names(given: Given) -> dict[str, str]:
    """Chinese names of the parks and, last, of the zone."""
    out = {r: given.catalog.name(r) for r in given.catalog.parks}
    return out | {"zone": given.catalog.zone.parts_zh}


def inputs(region: str, *indicators: str, table: str = "SERIES") -> str:
    return ";".join(f"{table}/{region}.{i}" for i in indicators)


def target(given: Given, indicator: str, region: str = "zone") -> Mapping:
    """The TARGETS row in force, {} without one."""
    t = given.table("TARGETS")
    t = t[t["id"].eq(indicator) & t["region"].eq(region)]
    return t.iloc[-1].to_dict() if len(t) else {}


def projected(given: Given, indicator: str, region: str = "zone") -> Mapping:
    """The PROJECTIONS row, with the plan's `commitment`; {} without one."""
    p = given.table("PROJECTIONS")
    p = p[p["indicator"].eq(indicator) & p["region"].eq(region)]
    return p.iloc[0].to_dict() if len(p) else {}


def published(given: Given, indicator: str) -> pd.DataFrame:
    """Published yearly figures as rows `region|year`: `at` the year, `value`; of two sources the first named."""
    o = given.table("PUBLISHED")
    o = o[o["measure"].eq("value") & o["basis"].eq("year") & o["indicator"].eq(indicator)]
    region = o["region"].where(o["region"].ne(""), o["region_raw"])
    t = pd.DataFrame(dict(label=region, region=region, at=o["end"].dt.year, value=o["value"]))
    t = t.assign(indicator=indicator, inputs="PUBLISHED/" + o["obs_id"].astype(str))
    t = t.dropna(subset="value").drop_duplicates(["region", "at"])
    t["period"] = pd.PeriodIndex([f"{y}-12" for y in t["at"]], freq="M")
    return t.set_axis(t["region"] + "|" + t["at"].astype(str))


def real(given: Given, t: pd.DataFrame, source: str) -> tuple[str, dict]:
    """The years of published figures in words, and their source, date and mark."""
    years = t["at"].dropna().astype(int)
    first, last = (years.min(), years.max()) if len(years) else (given.period.year,) * 2
    about = dict(
        source=f"{source}，经公开数据整理", demo=False, period=pd.Period(f"{last}-12", "M")
    )
    return f"{first}—{last}年", about


def top(t: pd.DataFrame, column: str, show, least: bool = False) -> tuple[str, pd.DataFrame]:
    """Who has the highest (or least) value as printed: all labels up to three that tie, else how many, and their rows."""
    told = t[column].dropna().map(show)
    best = told[told.eq(show(t[column].min() if least else t[column].max()))].index
    rows = t.loc[best]
    many = f"并列的{'零一二三四五六七八九十'[n] if (n := len(rows)) <= 10 else '十多'}个园区"
    return "、".join(rows["label"]) if n <= NAMED else many, rows


def by_region(given: Given, indicator: str, *of: str, table: str = "SERIES") -> pd.DataFrame:
    """The rows of the parks and, last, the zone: label, indicator, region, and what they rest on."""
    named = names(given)
    t = pd.DataFrame(dict(label=named, region={r: r for r in named}, indicator=indicator))
    return t.assign(inputs=[inputs(r, *(of or [indicator]), table=table) for r in named])


def with_whole(given: Given, t: pd.DataFrame, indicator: str, *of: str) -> pd.DataFrame:
    """What `analysis` gives of parks and of `all`, as rows that are named."""
    t = t.set_index("region", drop=False).rename_axis(None)
    name = {p: given.catalog.name(p) for p in given.catalog.parks} | {"all": "合计"}
    t = t.assign(label=t.index.map(name), indicator=indicator)
    t["inputs"] = [inputs(r, *of) for r in t.index]
    t.loc["all", ["region", "inputs"]] = "zone", ";".join(t["inputs"].drop("all"))
    return t


def left_out(given: Given, t: pd.DataFrame) -> str:
    """The parks that have no row."""
    return "、".join(given.catalog.name(p) for p in given.catalog.parks if p not in t.index)


def add_up(t: pd.DataFrame, column: str, digits: int, whole: str) -> pd.Series:
    """A column whose parts add up to the row `whole` as printed (largest remainder)."""
    parts = t[column].drop(whole)
    told = quantity.printed_parts(parts, digits, t.at[whole, column])
    out = pd.Series([float(v) for v in told], parts.index)
    out[whole] = float(sum(told))
    return out.reindex(t.index)


def quarter(period: pd.Period) -> tuple[str, str]:
    """The year so far up to the last full quarter, and the same months a year before, as spans: before, after."""
    q, y = period.month - period.month % 3 or 12, period.year - (period.month < 3)
    return f"{y - 1}-01/{y - 1}-{q:02d}", f"{y}-01/{y}-{q:02d}"


def so_far(span: str) -> str:
    """2018-01/2018-09 in words: 2018年1—9月."""
    return f"{span[:4]}年1—{int(span[-2:])}月"
