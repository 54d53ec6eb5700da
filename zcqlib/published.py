"""Real published figures as OBSERVATIONS, so that they run down the same line as the reports.

A published region keeps its name as its id (its area is not one of ours), an indicator takes the catalog's.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.tables import OBSERVATIONS, ZcqError

COLUMNS = (
    "region",
    "indicator",
    "period",
    "value",
    "unit",
    "cumulative",
    "source_title",
    "source_publisher",
    "source_date",
    "source_url",
    "note",
)
_COVERAGE = (
    ("自创区|片区|核心区|示范区|集聚区", "zone_part"),
    ("[县区]$", "district"),
    ("市$", "city"),
)


class PublishedError(ZcqError):
    """A published figure that cannot be placed; names file and line."""


def read_published(folder: Path) -> pd.DataFrame:
    """Every published row with its eleven columns as text, and the `file` and `line` where it stands; none of no folder.

    Raises
    ------
    PublishedError : a row names a source that sources.csv does not have.
    """

    def read(path: Path) -> pd.DataFrame:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")

    if not (folder / "sources.csv").exists():
        return pd.DataFrame(columns=[*COLUMNS, "file", "line"])
    sources, frames = read(folder / "sources.csv"), []
    for path in sorted(p for p in folder.glob("*.csv") if p.name != "sources.csv"):
        frame = read(path).assign(file=path.name)
        frame["line"] = range(2, len(frame) + 2)
        frames.append(frame)
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.merge(sources.assign(file=sources["file"] + ".csv"), "left", ["file", "source"])
    for row in rows[rows["source_title"].isna()].head(1).itertuples():
        raise PublishedError(
            f"{row.file} 第 {row.line} 行:来源编号「{row.source}」不在 sources.csv 中,请补上。"
        )
    return rows[[*COLUMNS, "file", "line"]]


def published_observations(folder: Path, catalog: Catalog) -> pd.DataFrame:
    """Turn the published figures of the catalog's indicators into observations, one for each row.

    Parameters
    ----------
    folder : data/raw/published.
    catalog : for the indicators' ids, kinds and normal units.
    Returns
    -------
    OBSERVATIONS, `demo` False; yearly figures have basis year, those of a stock eop; `published` is the month of the
    source, or the period's last month where the source has no date.
    Raises
    ------
    PublishedError : a unit, period or value cannot be understood; names file and line.
    Source
    ------
    data/raw/published/SOURCES.md
    """
    rows = read_published(folder)
    named = {raw: _indicator(raw, catalog) for raw in rows["indicator"].unique()}
    units = {
        w.word: (w.normal, w.numerator / w.denominator) for w in catalog.unit_words.itertuples()
    }
    places = {
        r: next((c for pattern, c in _COVERAGE if re.search(pattern, r)), "")
        for r in rows["region"].unique()
    }
    out = [
        _observation(row, *named[row["indicator"]], units, catalog)
        | {"coverage": places[row["region"]]}
        for row in rows.to_dict("records")
        if named[row["indicator"]][0]
    ]
    return tables.check(tables.shape(out, OBSERVATIONS), OBSERVATIONS, where="公开数据")


def _indicator(raw: str, catalog: Catalog) -> tuple[str, str]:
    """Id and measure behind a published indicator's English name."""
    for pattern, measure in (
        ("^target_", "target"),
        ("(_yoy|_growth)$", "yoy_pct"),
        ("$", "value"),
    ):
        name = re.sub(pattern, "", raw)
        id = name if name in catalog.indicators else catalog.match_indicator(name).id
        if id and re.search(pattern, raw):
            return id, measure
    return "", "value"


def _observation(row: dict, id: str, measure: str, units: dict, catalog: Catalog) -> dict:
    where = f"{row['file']} 第 {row['line']} 行"
    if not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", row["period"]) or not re.fullmatch(
        r"-?\d+(\.\d+)?", row["value"]
    ):
        raise PublishedError(
            f"{where}:找到「{row['period']}」「{row['value']}」,应为年(月)和数字。"
        )
    indicator, yearly = catalog.indicators[id], len(row["period"]) == 4
    end = pd.Period(row["period"] + ("-12" if yearly else ""), "M")
    stock = (
        indicator.kind == "stock"
        or catalog.indicators.get(indicator.numerator, indicator).kind == "stock"
    )
    basis = "eop" if stock else "year" if yearly else "ytd" if row["cumulative"] == "1" else "month"
    start = end if basis in ("eop", "month") else end.asfreq("Y").asfreq("M", "start")
    normal, factor = (
        ("%", 1.0) if measure == "yoy_pct" else units.get(row["unit"], (row["unit"], 1.0))
    )
    if "/" in indicator.unit and normal == indicator.unit.split("/")[0]:
        normal = indicator.unit  # 万人有效发明专利 is printed in 件
    date = re.match(r"\d{4}-\d{2}", row["source_date"])
    place = f"D{row['line']}"
    return {
        "obs_id": hashlib.sha256(f"{row['file']}|{place}|{row['value']}".encode()).hexdigest()[:16],
        "region": row["region"],
        "region_raw": row["region"],
        "indicator": id,
        "indicator_raw": row["indicator"],
        "start": start,
        "end": end,
        "basis": basis,
        "measure": measure,
        "unit": normal,
        "value": round(float(row["value"]) * factor, 6),
        "value_raw": row["value"],
        "unit_raw": row["unit"],
        "decimals": len(row["value"].partition(".")[2]),
        "file": row["file"],
        "cell": place,
        "flags": "unit_conflict" if measure == "value" and normal != indicator.unit else "",
        "published": pd.Period(date.group(), "M") if date else end,
        "submission": 1,
        "demo": False,
    }


def missed_checkpoints(observations: pd.DataFrame, catalog: Catalog) -> list[str]:
    """Published numbers that must come out and do not, one Chinese sentence each (checkpoints.csv)."""
    values = observations[observations["measure"] == "value"]
    out = []
    for c in catalog.checkpoints.itertuples():
        end = pd.Period(f"{c.period[:4]}-{c.period[4:] or '12'}", "M")
        found = values[
            (values["region"] == c.region)
            & (values["indicator"] == c.indicator)
            & (values["end"] == end)
            & (values["basis"] == c.basis)
        ]
        if not ((found["value"] - c.value).abs() <= c.tolerance).any():
            seen = "、".join(f"{v:g}" for v in found["value"]) or "没有数字"
            out.append(
                f"{c.region} {c.period} {catalog.name(c.indicator)}:得到 {seen},"
                f"公布数为 {c.value:g} {c.unit}({c.source})"
            )
    return out
