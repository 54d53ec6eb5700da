"""Observations as the reader hands them on, made by hand for the tests of the indicators."""

from __future__ import annotations

import pandas as pd

from zcqlib import tables
from zcqlib.tables import OBSERVATIONS

PARKS = ("gaoxin", "jingkai", "pingyuan", "hongqi", "muye")
DISTRICTS = {"hongqi", "muye"}
COUNT, MONEY = "patent_applications", "rd_expenditure"


def month(text):
    return pd.Period(text, "M")


def fact(
    value,
    end="2018-05",
    start=None,
    basis=None,
    region="gaoxin",
    indicator=COUNT,
    sender=None,
    published=None,
    submission=1,
    file=None,
    cell="B2",
    **more,
):
    """One observation; a single month unless told otherwise."""
    start = start or end
    sender = region if sender is None else sender
    published = published or end
    file = file or f"{sender}{published}-{submission}.xlsx"
    unit = "%" if "measure" in more else "件" if indicator == COUNT else "万元"
    row = dict(
        obs_id=f"{file}:月报:{cell}:{indicator}:{region}:{start}:{end}:{basis}",
        region=region,
        region_raw=region,
        coverage="district" if region in DISTRICTS else "zone_part",
        indicator=indicator,
        indicator_raw=indicator,
        start=start,
        end=end,
        basis=basis or "month",
        measure="value",
        value=value,
        unit=unit,
        value_raw="" if value != value else f"{value:g}",
        decimals=0,
        file=file,
        sheet="月报",
        cell=cell,
        sender=sender,
        published=published,
        submission=submission,
    )
    return row | more


def ytd(value, end, **more):
    return fact(value, end, start=end[:4] + "-01", basis="ytd", **more)


def observations(*rows):
    return tables.check(tables.shape(list(rows), OBSERVATIONS), OBSERVATIONS)


def codes(problems):
    return sorted(zip(problems["code"], problems["severity"], strict=True))


def spans(frame):
    return [(str(r.start), str(r.end), r.value) for r in frame.sort_values("start").itertuples()]
