"""What a year's plan says against itself, found by general rules and said in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from zcqlib.catalog import Catalog

COLUMNS = ["code", "severity", "ids", "section", "message"]
_CADENCES = (
    (r"fortnight|every two weeks|两周|双周", 26),
    (r"weekly|once a week|每周|周协调", 52),
    (r"monthly|每月|月排名", 12),
    (r"quarter|季", 4),
    (r"half-year|半年", 2),
)


def plan_conflicts(catalog: Catalog) -> pd.DataFrame:
    """Report where a plan contradicts itself, leaves something open, or rests on units that are gone.

    Parameters
    ----------
    catalog : of one plan year.
    Returns
    -------
    code, severity (warning: someone must decide; info: good to know), ids (joined with ;), section, message (one
    Chinese sentence); one row for each finding, warnings first.
    Source
    ------
    targets_<year>.csv、split_<year>.csv、units.csv、membership.csv
    """
    rules = (_parts, _repeats, _responsible, _scopes, _split, _cadences, _members, _gone)
    found = [row for rule in rules for row in rule(catalog)]
    frame = pd.DataFrame(found, columns=COLUMNS)
    return frame.sort_values("severity", ascending=False, kind="stable").reset_index(drop=True)


def _said(row) -> str:
    high = f"至 {row.target_high:g} " if row.target_high == row.target_high else ""
    return f"「{row.name_zh}」{row.target_low:g} {high}{row.unit}({row.seed_section})"


def _linked(catalog: Catalog, relation: str) -> Iterator[tuple]:
    """Each row that others point at, with those others; only what is counted in the same unit."""
    plan = {r.id: r for r in catalog.plan.itertuples()}
    for whole in plan.values():
        parts = [
            r
            for r in plan.values()
            if (r.relation, r.related_id, r.unit) == (relation, whole.id, whole.unit)
        ]
        if parts:
            yield whole, parts


def _parts(catalog: Catalog) -> Iterator[tuple]:
    for relation in ("part_of", "stage_of"):
        for whole, parts in _linked(catalog, relation):
            for part in parts:
                if part.target_low > whole.target_low:
                    yield (
                        "part_above_whole",
                        "warning",
                        f"{part.id};{whole.id}",
                        part.seed_section,
                        f"部分大于整体:{_said(part)}高于{_said(whole)},请核实口径。",
                    )
            total = sum(p.target_low for p in parts)
            # one part alone need not be all of it; several named together are read as the whole broken down
            if relation == "part_of" and len(parts) > 1 and total != whole.target_low:
                word = "低于" if total < whole.target_low else "高于"
                summands = " + ".join(f"{p.target_low:g}" for p in parts)
                yield (
                    "parts_do_not_add_up",
                    "warning",
                    ";".join(r.id for r in (whole, *parts)),
                    whole.seed_section,
                    f"{_said(whole)}与分项对不上:{summands} = {total:g},{word}总目标 {whole.target_low:g}"
                    f"({'、'.join(_said(p) for p in parts)}),请确认以哪个为准。",
                )


def _repeats(catalog: Catalog) -> Iterator[tuple]:
    for first, again in _linked(catalog, "restates"):
        for row in again:
            if (row.target_low, row.comparator) != (first.target_low, first.comparator):
                yield (
                    "repeated_differently",
                    "warning",
                    f"{first.id};{row.id}",
                    row.seed_section,
                    f"同一目标前后不一致:{_said(first)}与{_said(row)}。",
                )


def _responsible(catalog: Catalog) -> Iterator[tuple]:
    for row in catalog.plan.itertuples():
        if row.responsible_basis == "none":
            yield (
                "no_responsible_unit",
                "warning",
                row.id,
                row.seed_section,
                f"{_said(row)}全文没有写明责任单位,请明确。",
            )
    inferred = catalog.plan[catalog.plan["responsible_basis"] == "inferred"]
    for section, part in inferred.groupby("seed_section", sort=False):
        yield (
            "responsible_unit_inferred",
            "info",
            ";".join(part["id"]),
            section,
            f"{section}的 {len(part)} 项目标在原处没有写责任单位,按后文推定:{'、'.join(part['name_zh'])}。",
        )


def _scopes(catalog: Catalog) -> Iterator[tuple]:
    """Items of one sentence (same section and same units after it) that count for the zone here and the city there."""
    wide = catalog.plan[catalog.plan["scope"].isin(["zone", "city"])]
    for (section, _), part in wide.groupby(["seed_section", "responsible"], sort=False):
        if part["scope"].nunique() > 1:
            named = {
                s: "、".join(part.loc[part["scope"] == s, "name_zh"]) for s in ("zone", "city")
            }
            yield (
                "scopes_differ",
                "warning",
                ";".join(part["id"]),
                section,
                f"{section}同一句中统计范围不一:全区口径的有{named['zone']};全市口径的有{named['city']}。请逐项确认范围。",
            )


def _split(catalog: Catalog) -> Iterator[tuple]:
    plan = {r.id: r for r in catalog.plan.itertuples()}
    for id, part in catalog.split.groupby("id", sort=False):
        whole, indicator = plan.get(id), catalog.indicators[id]
        latest = part.sort_values("in_force_from").drop_duplicates("region", keep="last")
        counted = indicator.additive or indicator.unit == "个园区"
        total = round(latest["target_low"].sum(), 6)
        if whole is not None and counted and total != whole.target_low:
            each = "、".join(
                f"{catalog.name(r.region)} {r.target_low:g}" for r in latest.itertuples()
            )
            yield (
                "split_does_not_add_up",
                "warning",
                id,
                whole.seed_section,
                f"园区分解合计 {total:g},与全区目标不等:{_said(whole)};分解为{each}。",
            )


def _cadences(catalog: Catalog) -> Iterator[tuple]:
    for row in catalog.plan[catalog.plan["kind"] == "recurring"].itertuples():
        text, times = f"{row.name_zh} {row.name_en} {row.note}".casefold(), []
        for pattern, number in _CADENCES:
            if re.search(pattern, text):
                times.append(number)
                text = re.sub(pattern, "", text)
        if len(set(times)) > 1:
            yield (
                "two_cadences",
                "warning",
                row.id,
                row.seed_section,
                f"{_said(row)}前后写了两种频次(一年约 {'、'.join(f'{n} 次' for n in times)}),请确认按哪种考核。",
            )


def _members(catalog: Catalog) -> Iterator[tuple]:
    number = len(catalog.members(pd.Period(f"{catalog.year}-12", "M")))
    for row in catalog.plan[catalog.plan["unit"] == "个园区"].itertuples():
        if row.target_low != number:
            yield (
                "members_changed",
                "warning",
                row.id,
                row.seed_section,
                f"{_said(row)}指全部园区,而 {catalog.year} 年底园区为 {number} 个,请同步调整。",
            )


def _gone(catalog: Catalog) -> Iterator[tuple]:
    """Units that end within the plan year, with the one that takes over."""
    year = catalog.units[catalog.units["end"].dt.year <= catalog.year]
    for unit in year.itertuples():
        rows = catalog.plan[
            catalog.plan["responsible"].str.split(";").map(lambda names, id=unit.id: id in names)
        ]
        if len(rows):
            day = f"{unit.end.year} 年 {unit.end.month} 月 {unit.end.day} 日"
            yield (
                "unit_is_gone",
                "info",
                ";".join(rows["id"]),
                "",
                f"责任单位「{unit.id}」{day}后不再存在,{len(rows)} 项目标由「{unit.successor or '未定'}」承接。",
            )
