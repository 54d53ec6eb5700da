"""What a year's plan says against itself, found by general rules and said in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pandas as pd
from pandas import DataFrame

from zcqlib.catalog import Catalog

COLUMNS = "code severity ids section message".split()
_INFO = (
    "responsible_unit_inferred",
    "unit_is_gone",
)  # good to know; of the others someone must decide
Found = Iterator[tuple[str, Iterable, str, str]]  # code, rows of the plan, section, sentence
_CADENCES = (
    (r"fortnight|every two weeks|两周|双周", 26),
    (r"weekly|once a week|每周|周协调", 52),
    (r"monthly|每月|月排名", 12),
    (r"quarter|季", 4),
    (r"half-year|半年", 2),
)


def plan_conflicts(catalog: Catalog) -> DataFrame:
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
    rules = (_parts, _repeats, _responsible, _scopes, _split, _cadences, _members, _gone, _undated)
    found = [
        (code, "info" if code in _INFO else "warning", ";".join(r.id for r in rows), section, said)
        for rule in rules
        for code, rows, section, said in rule(catalog)
    ]
    frame = DataFrame(found, columns=COLUMNS)
    return frame.sort_values("severity", ascending=False, kind="stable", ignore_index=True)


def _said(row) -> str:
    high = f"至 {row.target_high:g} " if row.target_high == row.target_high else ""
    return f"「{row.name_zh}」{row.target_low:g} {high}{row.unit}({row.seed_section})"


def _each(rows: DataFrame, code: str, sentence: str, **more: object) -> Found:
    """The same of each row of the plan."""
    for row in rows.itertuples():
        yield code, [row], row.seed_section, sentence.format(_said(row), **more)


def _linked(catalog: Catalog, relation: str) -> Iterator[tuple]:
    """Each row that others point at, with those others; only what is counted in the same unit."""
    linked = catalog.plan.query("relation == @relation").groupby(["related_id", "unit"])
    linked = dict(iter(linked))
    for whole in catalog.plan.itertuples():
        if (whole.id, whole.unit) in linked:
            yield whole, list(linked[whole.id, whole.unit].itertuples())


def _parts(catalog: Catalog) -> Found:
    for relation in ("part_of", "stage_of"):
        for whole, parts in _linked(catalog, relation):
            goal = whole.target_low
            for part in parts:
                if part.target_low > goal:
                    said = f"部分大于整体:{_said(part)}高于{_said(whole)},请核实口径。"
                    yield "part_above_whole", [part, whole], part.seed_section, said
            total = sum(p.target_low for p in parts)
            # one part alone need not be all of it; several named together are read as the whole broken down
            if relation == "part_of" and len(parts) > 1 and total != goal:
                summands = " + ".join(f"{p.target_low:g}" for p in parts)
                said = (
                    f"{_said(whole)}与分项对不上:{summands} = {total:g},"
                    f"{'低于' if total < goal else '高于'}总目标 {goal:g}"
                    f"({'、'.join(map(_said, parts))}),请确认以哪个为准。"
                )
                yield "parts_do_not_add_up", [whole, *parts], whole.seed_section, said


def _repeats(catalog: Catalog) -> Found:
    for first, again in _linked(catalog, "restates"):
        for row in again:
            if (row.target_low, row.comparator) != (first.target_low, first.comparator):
                said = f"同一目标前后不一致:{_said(first)}与{_said(row)}。"
                yield "repeated_differently", [first, row], row.seed_section, said


def _responsible(catalog: Catalog) -> Found:
    nobody = catalog.plan.query("responsible_basis == 'none'")
    yield from _each(nobody, "no_responsible_unit", "{}全文没有写明责任单位,请明确。")
    inferred = catalog.plan.query("responsible_basis == 'inferred'")
    for section, rows in inferred.groupby("seed_section", sort=False):
        said = (
            f"{section}的 {len(rows)} 项目标在原处没有写责任单位,按后文推定:"
            f"{'、'.join(rows.name_zh)}。"
        )
        yield "responsible_unit_inferred", rows.itertuples(), section, said


def _undated(catalog: Catalog) -> Found:
    stages = catalog.stages
    ids = stages.loc[stages["expected"].isna() & stages["date"].isna(), "id"]
    said = "{}有节点没有写承诺月份(stages 表 expected 列),不会算作逾期,请补上。"
    return _each(catalog.plan[catalog.plan["id"].isin(ids)], "stage_undated", said)


def _scopes(catalog: Catalog) -> Found:
    """Items of one sentence (same section and same units after it) that count for the zone here and the city there."""
    wide = catalog.plan.query("scope in ['zone', 'city']")
    for (section, _), part in wide.groupby(["seed_section", "responsible"], sort=False):
        named = part.groupby("scope")["name_zh"].agg("、".join)
        if len(named) > 1:
            said = (
                f"{section}同一句中统计范围不一:全区口径的有{named['zone']};"
                f"全市口径的有{named['city']}。请逐项确认范围。"
            )
            yield "scopes_differ", part.itertuples(), section, said


def _split(catalog: Catalog) -> Found:
    split = catalog.split
    for whole in catalog.plan.itertuples():
        indicator, part = catalog.indicators[whole.id], split[split.id == whole.id]
        latest = part.sort_values("in_force_from").drop_duplicates("region", keep="last")
        total = round(latest.target_low.sum(), 6)
        counted = indicator.additive or indicator.unit == "个园区"
        if len(latest) and counted and total != whole.target_low:
            each = map("{} {:g}".format, latest.region.map(catalog.name), latest.target_low)
            said = f"园区分解合计 {total:g},与全区目标不等:{_said(whole)};分解为{'、'.join(each)}。"
            yield "split_does_not_add_up", [whole], whole.seed_section, said


def _cadences(catalog: Catalog) -> Found:
    for row in catalog.plan.query("kind == 'recurring'").itertuples():
        text, times = f"{row.name_zh} {row.name_en} {row.note}".casefold(), []
        for pattern, number in _CADENCES:
            text, found = re.subn(pattern, "", text)
            times += [f"{number} 次"] * (found > 0)
        if len(times) > 1:
            said = f"{_said(row)}前后写了两种频次(一年约 {'、'.join(times)}),请确认按哪种考核。"
            yield "two_cadences", [row], row.seed_section, said


def _members(catalog: Catalog) -> Found:
    number = len(catalog.members(pd.Period(f"{catalog.year}-12", "M")))
    wrong = catalog.plan.query("unit == '个园区' and target_low != @number")
    said = "{}指全部园区,而 {year} 年底园区为 {number} 个,请同步调整。"
    return _each(wrong, "members_changed", said, year=catalog.year, number=number)


def _gone(catalog: Catalog) -> Found:
    """Units that end within the plan year, with the one that takes over."""
    responsible = catalog.plan["responsible"].str.split(";").explode()
    for unit in catalog.units[catalog.units["end"].dt.year <= catalog.year].itertuples():
        rows = catalog.plan.loc[responsible.index[responsible == unit.id]]
        if len(rows):
            day = f"{unit.end.year} 年 {unit.end.month} 月 {unit.end.day} 日"
            said = (
                f"责任单位「{unit.id}」{day}后不再存在,"
                f"{len(rows)} 项目标由「{unit.successor or '未定'}」承接。"
            )
            yield "unit_is_gone", rows.itertuples(), "", said
