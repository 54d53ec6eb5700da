"""What findings by park share: rows of parks and the zone, spans in words, and the making of a Found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import Change, Found, Given, Measure
from zcqlib.quantity import Scale

PERCENT, TWO, COUNT = Scale("%", digits=1), Scale("%", digits=2), Scale("个")
FIRMS, PATENTS = Scale("家"), Scale("件")
POINTS, POINTS2 = Change("个百分点", digits=1), Change("个百分点", digits=2)
UP_PERCENT, UP_FIRMS, UP_PATENTS = Change("%", digits=1), Change("家"), Change("件")
NAN = float("nan")
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


def published(given: Given, *indicators: str) -> pd.DataFrame:
    """Published yearly figures: `region`, `indicator`, `year`, `value`, `inputs`; of two sources the first named."""
    o = given.table("PUBLISHED")
    o = o[o["measure"].eq("value") & o["basis"].eq("year") & o["indicator"].isin(indicators)]
    o = o.assign(region=o["region"].where(o["region"].ne(""), o["region_raw"]))
    o = o.assign(year=o["end"].dt.year, inputs="PUBLISHED/" + o["obs_id"].astype(str))
    o = o.dropna(subset="value").drop_duplicates(["region", "indicator", "year"])
    return o[["region", "indicator", "year", "value", "inputs"]]


def top(t: pd.DataFrame, column: str, show, least: bool = False) -> tuple[str, pd.DataFrame]:
    """Who has the highest (or least) value as printed: all labels up to three that tie, else how many, and their rows."""
    told = t[column].dropna().map(show)
    best = told[told.eq(show(t[column].min() if least else t[column].max()))].index
    rows = t.loc[best]
    many = f"并列的{'零一二三四五六七八九十'[n] if (n := len(rows)) <= 10 else '十多'}个园区"
    return "、".join(rows["label"]) if n <= NAMED else many, rows


def tell(
    given: Given,
    name: str,
    rows: pd.DataFrame,
    measures: Mapping[str, Measure],
    scope: str,
    title: str | tuple[str, ...],
    sentences: Sequence[str],
    *of: str,
    **other,
) -> Found:
    """A Found of reports: source and demo mark from the indicators `of` that it rests on, unless `other` names them."""
    told = dict(period=given.period, known=given.known)
    if "source" not in other:
        o = given.table("OBSERVATIONS")
        told["source"] = f"{given.source(*of)}，自创办测算"
        told["demo"] = bool(o.loc[o["indicator"].isin(of), "demo"].any())
    columns = ["label", "indicator", "region", "inputs", *measures]
    rows = rows.reindex(columns=[*dict.fromkeys([*columns, *rows.columns])])
    rows[list(measures)] = rows[list(measures)].astype("float64")
    kept = tuple(s for s in sentences if s)
    return Found(name, rows, measures, scope=scope, title=title, sentences=kept, **told | other)


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
