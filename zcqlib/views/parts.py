"""What several views share: places, units and the tables of one target."""

from __future__ import annotations

import pandas as pd

from zcqlib.month import Month


def row(month: Month, indicator: str, region: str = "zone") -> dict:
    """The PROJECTIONS row of one target as a mapping, or {} where there is none."""
    p = month.table("PROJECTIONS")
    p = p[(p["indicator"] == indicator) & (p["region"] == region)]
    return p.iloc[0].to_dict() if len(p) else {}


def quantiles(month: Month, indicator: str, region: str = "zone") -> pd.Series:
    """Year-end values by level."""
    q = month.table("QUANTILES")
    return (
        q[(q["indicator"] == indicator) & (q["region"] == region)]
        .set_index("level")["value"]
        .sort_index()
    )


def names(month: Month) -> dict[str, str]:
    return {r: month.catalog.name(r) for r in (*month.catalog.parks, "zone")} | {
        "zone": month.catalog.zone.parts_zh
    }
