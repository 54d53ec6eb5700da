"""What several views share: places, units and the tables of one target."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from zcqlib.month import Month
from zcqlib.projection.pace import season_shares
from zcqlib.published import published_series
from zcqlib.workspace import note


def place(month: Month, region: str) -> str:
    """The place of a subtitle."""
    return names(month)["zone"] + "合计" if region == "zone" else month.catalog.name(region)


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


def season(month: Month, indicator: str, region: str, target: float) -> pd.DataFrame:
    """The share of a year that past years had reached by each month, scaled to the target: mean, lowest, highest."""
    note(f"read {month.vintage.parent.name}/SERIES")
    shares, place = _read_shares(month.vintage, month.year), (region, indicator)
    if not np.isfinite(target) or place not in shares.index.droplevel("month"):
        return pd.DataFrame(columns=["month", "value", "low", "high"])
    return (shares.loc[place, ["value", "low", "high"]] * target).reset_index()


@lru_cache(maxsize=4)
def _read_shares(vintage: Path, year: int) -> pd.DataFrame:
    return season_shares(pd.read_parquet(vintage / "SERIES.parquet"), year)


def names(month: Month) -> dict[str, str]:
    return {r: month.catalog.name(r) for r in (*month.catalog.parks, "zone")} | {
        "zone": month.catalog.zone.parts_zh
    }


def published(month: Month) -> pd.DataFrame:
    """Published figures as SERIES."""
    return published_series(month.table("PUBLISHED"))
