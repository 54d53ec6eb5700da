"""Real published figures as OBSERVATIONS, so that they run down the same line as the reports.

A published region keeps its name as its id (its area is not one of ours), an indicator takes the catalog's.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd
from pandas import DataFrame

from zcqlib.catalog import Catalog
from zcqlib.tables import OBSERVATIONS, ZcqError, check, shape

COLUMNS = (
    "region indicator period value unit cumulative "
    "source_title source_publisher source_date source_url note"
).split()
_COVERAGE = (
    ("自创区|片区|核心区|示范区|集聚区", "zone_part"),
    ("[县区]$", "district"),
    ("市$", "city"),
    ("", ""),
)


class PublishedError(ZcqError):
    """A published figure that cannot be placed; names file and line."""


def read_published(folder: Path) -> DataFrame:
    """Every published row with its eleven columns as text, and the `file` and `line` where it stands; none of no folder.

    Raises
    ------
    PublishedError : a row names a source that sources.csv does not have.
    """

    how = dict(dtype=str, keep_default_na=False, encoding="utf-8-sig")
    frames = {p.name: pd.read_csv(p, **how) for p in sorted(folder.glob("*.csv"))}
    if "sources.csv" not in frames:
        return DataFrame(columns=[*COLUMNS, "file", "line"])
    sources = frames.pop("sources.csv")
    rows = pd.concat(frames, names=["file", "line"]).reset_index()
    rows["line"] += 2
    rows = rows.merge(sources.assign(file=sources["file"] + ".csv"), "left", ["file", "source"])
    for row in rows[rows["source_title"].isna()].head(1).itertuples():
        raise PublishedError(
            f"{row.file} 第 {row.line} 行:来源编号「{row.source}」不在 sources.csv 中,请补上。"
        )
    return rows[[*COLUMNS, "file", "line"]]


def published_observations(folder: Path, catalog: Catalog) -> DataFrame:
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
    out = [
        _observation(r, *named[r.indicator], units, catalog)
        for r in rows.itertuples()
        if named[r.indicator][0]
    ]
    return check(shape(out, OBSERVATIONS), OBSERVATIONS, where="公开数据")


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


def _observation(r, id: str, measure: str, units: dict, catalog: Catalog) -> dict:
    if not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))? -?\d+(\.\d+)?", f"{r.period} {r.value}"):
        raise PublishedError(
            f"{r.file} 第 {r.line} 行:找到「{r.period}」「{r.value}」,应为年(月)和数字。"
        )
    indicator, yearly = catalog.indicators[id], len(r.period) == 4
    end = pd.Period(r.period + "-12" * yearly, "M")
    basis = "year" if yearly else "ytd" if r.cumulative == "1" else "month"
    if "stock" in (indicator.kind, catalog.indicators.get(indicator.numerator, indicator).kind):
        basis = "eop"
    unit, factor = units.get(r.unit, (r.unit, 1.0)) if measure != "yoy_pct" else ("%", 1.0)
    if "/" in indicator.unit and unit == indicator.unit.split("/")[0]:
        unit = indicator.unit  # 万人有效发明专利 is printed in 件
    key, date = f"{r.file}|D{r.line}|{r.value}", re.match(r"\d{4}-\d{2}", r.source_date)
    return dict(
        obs_id=hashlib.sha256(key.encode()).hexdigest()[:16],
        region=r.region,
        region_raw=r.region,
        coverage=next(c for pattern, c in _COVERAGE if re.search(pattern, r.region)),
        indicator=id,
        indicator_raw=r.indicator,
        start=end if basis in ("eop", "month") else end - end.month + 1,
        end=end,
        basis=basis,
        measure=measure,
        unit=unit,
        value=round(float(r.value) * factor, 6),
        value_raw=r.value,
        unit_raw=r.unit,
        decimals=len(r.value.partition(".")[2]),
        file=r.file,
        cell=f"D{r.line}",
        flags="unit_conflict" if measure == "value" and unit != indicator.unit else "",
        published=date.group() if date else end,
        submission=1,
    )


def missed_checkpoints(observations: DataFrame, catalog: Catalog) -> list[str]:
    """Published numbers that must come out and do not, one Chinese sentence each (checkpoints.csv)."""
    key, out = "region indicator end basis".split(), []
    values = observations.query("measure == 'value'").groupby(key).value.agg(list)
    for c in catalog.checkpoints.itertuples():
        end = pd.Period(f"{c.period[:4]}-{c.period[4:] or '12'}", "M")
        found = values.get((c.region, c.indicator, end, c.basis), [])
        if not any(abs(v - c.value) <= c.tolerance for v in found):
            seen = "、".join(f"{v:g}" for v in found) or "没有数字"
            out.append(
                f"{c.region} {c.period} {catalog.name(c.indicator)}:得到 {seen},"
                f"公布数为 {c.value:g} {c.unit}({c.source})"
            )
    return out
