"""What several views share: places, units and the tables of one target."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from zcqlib.month import Month
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
    shares = _shares(month, region)
    if not np.isfinite(target) or indicator not in shares.index:
        return pd.DataFrame(columns=["month", "value", "low", "high"])
    own = shares.loc[[indicator]].reset_index(drop=True)
    own[["value", "low", "high"]] *= target
    return own


def _shares(month: Month, region: str) -> pd.DataFrame:
    """By indicator `month` and the share of the year that past years had reached: `value` (mean), `low`, `high`."""
    note(f"read {month.vintage.parent.name}/TO_DATE")
    return _read_shares(month.vintage, month.year, region)


@lru_cache(maxsize=32)
def _read_shares(vintage: Path, year: int, region: str) -> pd.DataFrame:
    columns = ["indicator", "end", "value"]
    t = pd.read_parquet(
        vintage / "TO_DATE.parquet", columns=columns, filters=[("region", "==", region)]
    )
    t = t[t["end"].dt.year < year].assign(
        year=lambda f: f["end"].dt.year, month=lambda f: f["end"].dt.month
    )
    whole = (
        t[t["month"].eq(12) & t["value"].gt(0)]
        .set_index(["indicator", "year"])["value"]
        .rename("whole")
    )
    t = t.join(whole, on=["indicator", "year"], how="inner")
    share = (
        (t["value"] / t["whole"]).groupby([t["indicator"], t["month"]]).agg(["mean", "min", "max"])
    )
    return share.dropna().set_axis(["value", "low", "high"], axis=1).reset_index("month")


def names(month: Month) -> dict[str, str]:
    return {r: month.catalog.name(r) for r in (*month.catalog.parks, "zone")} | {
        "zone": month.catalog.zone.parts_zh
    }


def published(month: Month) -> pd.DataFrame:
    """Published figures as SERIES."""
    return published_series(month.table("PUBLISHED"))
