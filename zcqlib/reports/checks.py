"""A sheet read table by table, each accepted by constraints; and what one file's figures say against each other.

Within a table one thing has one value, no name is a bare number, and most figures have a name and a period: where a
reading breaks that, another one is tried, and if none keeps it the whole table is one problem. A figure that is
unlikely by itself (a cumulative that falls, a fraction among percents) is a problem of that cell; the table stands.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.reports import facts, layout, words
from zcqlib.reports.grid import MAX_CELL, Sheet
from zcqlib.reports.labels import (
    At,
    Fact,
    Found,
    Place,
    Scope,
    box_of,
    filled,
    grouped,
    is_empty,
    normal_unit,
    place_of,
    said,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import known

_LIST = 20  # rows from which a table with the head of a list is one


def read_sheet(sheet: Sheet, scope: Scope, aside: bool = False) -> Found:
    """Everything that one sheet gives: facts, problems (one for each table and fault), and what became of each cell.

    A sheet that is hidden or put `aside` is kept as text and gives no figures.
    """
    found, lines = Found(), []
    cells = [(r, c) for r, row in enumerate(sheet.rows) for c in filled(row)]
    if aside or sheet.hidden and cells:
        if not aside:
            found.tell("hidden_sheet", None, sheet.name, len(cells))
        found.mark(cells, "context")
        return found

    def named(text):
        place = place_of(text, scope.catalog)
        known = place and place.kind in ("known", "total")
        return known or scope.catalog.match_indicator(text, False).id

    for block in layout.Cutter(sheet, found, named).cut():
        if layout.is_about(sheet.rows, block):
            found.mark(_cells_of(sheet, block), "context")
            continue
        found.tables.append(block.body[0])
        table, lines = _accepted(sheet, block, scope, lines)
        found.add(table)
    _left_over(sheet, [at for at in cells if at not in found.outcome], found)
    _taken_back(sheet, found)
    _as_shown(sheet, found)
    return found


def _cells_of(sheet: Sheet, block: Block) -> list[At]:
    inside = range(block.left, block.right)
    rows = (*block.header, *block.body)
    return [(r, c) for r in rows for c in filled(sheet.rows[r]) if c in inside] + block.above


def _left_over(sheet: Sheet, cells: list[At], found: Found) -> None:
    """Figures, and formulas without one, that no table took."""
    for r, c in cells:
        v = sheet.rows[r][c]
        figure, code = valueish(v), words.value_of(text_of(v)).code
        found.outcome[r, c] = "problem" if figure else "context"
        if code in ("cell_error", "formula_without_value"):
            found.tell(code, (r, c), text_of(v), "")
        elif figure:
            found.tell("orphan_cell", (r, c), text_of(v))


# --- one table ----------------------------------------------------------------------------------------------------------


def _accepted(
    sheet: Sheet, block: Block, scope: Scope, inherited: list[str]
) -> tuple[Found, list[str]]:
    """The first reading of a table that keeps the constraints; else the table as a list, or as one problem.

    The rows are taken as they seem, else the last header row as figures, else the first row of figures as header.
    """
    tried, header, body = [], block.header, block.body
    cells = _cells_of(sheet, block)
    readings = [block]
    if len(header) > 1:
        readings.append(block._replace(header=header[:-1], body=[header[-1], *body]))
    if header and len(body) > 1:
        readings.append(block._replace(header=[*header, body[0]], body=body[1:]))
    for reading in readings if len(body) <= 2000 else [block]:
        table = Found()
        lines, apart, places = facts.read_table(sheet, reading, scope, table, inherited)
        twice = [] if apart else list(conflicts(table.facts.values()))
        fault = _fault(table, reading, twice)
        tried.append((fault, table, lines))
        if not fault:
            break
    heads = {said(v) for r in header for v in sheet.rows[r] if not is_empty(v)}
    if len(body) >= _LIST and heads & known("detail").keys():
        fault, table, lines = tried[0]
        return _listed(block, Found() if fault else table, cells), lines
    if not fault:
        for f in dict.fromkeys(f for pair in twice for f in pair):
            table.hold("two_values.rest", f)
        _reconcile(table, places, scope.catalog)
        return table, lines
    (fault, _, lines), unread = tried[0], Found()
    unread.mark(cells, "context")
    figures = [at for at in cells if valueish(sheet.rows[at[0]][at[1]]) and at[0] in body]
    box = box_of(figures or cells)
    raw = text_of(sheet.rows[box[0]][box[1]])
    unread.tell("table_unread", box, raw, fault, count=len(figures))
    unread.mark(figures, "problem")
    return unread, lines


def _fault(table: Found, block: Block, twice: list[tuple[Fact, Fact]]) -> str:
    """Which constraint a reading breaks, in words, "" where it keeps them all."""
    for a, b in twice:
        if not _unnamed(a):
            return f"「{a.path}」在 {a.cell} 和 {b.cell} 有两个数"
    for path in dict.fromkeys(f.path for f in table.facts.values()):
        if re.search(r"(?:^|/)\d[\d.,%]*(?:/|$)", path):
            return f"「{path}」像是数字,不像名称"
    lost = sum(p[0] == "orphan_cell" for p in table.told)
    return "多数数字没有名称" if block.header and lost > 2 * len(table.facts) + 5 else ""


def _unnamed(f: Fact) -> bool:
    """其他 may stand twice in a flat list: what it is the rest of cannot be told."""
    return f.path.rpartition("/")[2] in known("place")


def conflicts(part: Iterable[Fact]) -> Iterator[tuple[Fact, Fact]]:
    """Pairs of facts that give one thing two values."""
    seen = {}
    for f in part:
        if f.given:
            key = (f.place.id or f.place.raw, f.path, f.when, f.measure)
            first = seen.setdefault(key, f)
            if first.value != f.value or first.unit != f.unit:
                yield first, f


def _listed(block: Block, table: Found, cells: list[At]) -> Found:
    """A list (one row for each firm, patent or project) is said so in one line; figures stay where rows differ."""
    table.mark([at for at in cells if at not in table.facts], "context")
    table.told.clear()
    used = "按明细保留,不计入指标" if table.facts else "没有作为指标数据采用"
    rows = len(block.body)
    table.tell("detail_list", (block.body[0], block.left), "", rows, used, count=rows)
    return table


_BACK = re.compile(
    r"[“\"「'‘]?[—－-]+[”\"」'’]?(?:表示|代替|标明)|(?:以|用|改为|记为)[“\"「'‘]?[—－-]+"
)
_GONE = re.compile("撤销|撤回|取消|作废|核减|删除|剔除|不再")


def _taken_back(sheet: Sheet, found: Found) -> None:
    """A note under the table that figures were withdrawn and stand as 「—」 goes with the cells so marked."""
    aside = sorted(at for at, outcome in found.outcome.items() if outcome == "context")
    texts = (text_of(sheet.rows[r][c]).strip() for r, c in aside)
    told = next((t for t in texts if _BACK.search(t) and _GONE.search(t)), "")
    for at, f in found.facts.items() if told else ():
        if f.reason == "not_applicable":
            note = f"note:{told.replace(';', ',')[:200]}"
            found.facts[at] = f._replace(flags=(*f.flags, note))


def _as_shown(sheet: Sheet, found: Found) -> None:
    """Hold back figures whose cells show something else than they store; tell of those that were taken as shown."""
    for at, f in found.facts.items() if sheet.stored or sheet.held else ():
        if why := sheet.held.get(at):
            found.hold("shown_differs", f, why, severity="warning" * (at in sheet.struck))
        elif stored := sheet.stored.get(at):
            shown = sheet.shown.get(at) or text_of(sheet.rows[f.row][f.column])
            found.tell("shown_scaled", at, stored, shown)
    for at in sheet.long:
        found.tell("long_text", at, "", MAX_CELL)


# --- one file -----------------------------------------------------------------------------------------------------------


def check_file(read: list[tuple[str, Found]], published: int, catalog: Catalog) -> None:
    """What the figures of a file say against each other: months to come, fractions among percents, cumulatives that fall,
    two tables that disagree. Problems go to the sheet of the figure."""
    for _, found in read:
        _fractions(found)
        _differences(found)
        _falls(found, catalog)
        _months_to_come(found, published)
    if sum(len(found.tables) for _, found in read) > 1:
        _disagreements(read)
    for _, found in read:
        found.settle(found.problems)


def _months_to_come(found: Found, published: int) -> None:
    """Months after the report month: all zero is an unfilled template, anything else is looked at."""
    later = (
        f for f in found.facts.values() if f.span.end > published > 0 and f.measure != "target"
    )
    for end, part in sorted(grouped(later, lambda f: f.span.end).items()):
        zeros = {0} == {f.value for f in part if f.given}
        for f in part if zeros else ():
            if f.given:
                found.facts[f.at] = f._replace(value=float("nan"), reason="future")
        if any(f.given for f in part):
            key = "template_zeros" if zeros else "future_period"
            found.tell(key, part[0].at, part[0].raw, f"{end // 12}-{end % 12 + 1:02d}")


def _fractions(found: Found) -> None:
    """Percents written as fractions: a whole series that never leaves -1 to 1 is asked for, single ones are held."""
    percents = (
        f
        for f in found.facts.values()
        if f.unit == "%" and f.given and f.unit_cell != f.at and f.unit_raw != "‰"
    )
    for (path, measure), part in grouped(percents, lambda f: (f.path, f.measure)).items():
        large = [abs(f.value) for f in part if abs(f.value) > 1]
        small = [f for f in part if 0 < abs(f.value) <= 1]
        if small and not large and len(part) > 1:
            found.tell("fraction_suspect.all", part[0].at, part[0].raw, path)
        elif large and measure not in ("yoy_pct", "mom_pct") and median(large) > 20:
            for f in small:
                if min(large) / 2 <= 100 * abs(f.value) <= 1.5 * max(large):
                    found.hold("fraction_suspect", f, path)


def _differences(found: Found) -> None:
    """A rate of growth that is this year's figure less last year's, and not their ratio, is an amount: it is held."""
    known = {(f.place, f.path, f.measure, *f.when): f for f in found.facts.values() if f.given}
    for (*what, measure, start, end, basis), f in known.items():
        now = known.get((*what, "value", start, end, basis))
        before = known.get((*what, "value", start - 12, end - 12, basis))
        if measure == "yoy_pct" and now and before and before.value:
            less = round(float(now.raw) - float(before.raw), 9)
            alike = less == f.value and now.decimals == before.decimals == f.decimals
            if alike and abs(100 * (now.value / before.value - 1) - f.value) > 1:
                found.hold("rate_is_amount", f, f.path, now.cell, before.cell)


def _falls(found: Found, catalog: Catalog) -> None:
    """A year-to-date that falls: a revision perhaps; less than half of the month before is held."""

    def climbs(f: Fact) -> bool:
        flow = f.span.basis == "ytd" and f.measure == "value" and f.value > 0 and f.unit != "%"
        indicator = flow and catalog.indicators.get(f.indicator)
        return flow and not (indicator and indicator.can_fall or words.is_index_base(f.unit_raw))

    years = grouped(
        filter(climbs, found.facts.values()), lambda f: (f.place, f.path, f.span.end // 12)
    )
    for part in years.values():
        for a, b in pairwise(sorted(part, key=lambda f: f.span.end)):
            now = f"{b.cell} 为 {b.value:.12g}{b.unit}"
            said = b.path, now, f"{a.cell} 的 {a.value:.12g}{a.unit}"
            if b.value < a.value / 2:
                found.hold("ytd_falls", b, *said)
            elif b.value < a.value:
                found.tell("ytd_falls.little", b.at, b.raw, *said)


def _disagreements(read: list[tuple[str, Found]]) -> None:
    """One thing with two values in two tables of a file, neither to be used until someone has said which."""
    home = {id(f): (name, part) for name, part in read for f in part.facts.values()}
    against = {}
    for a, b in conflicts(f for _, part in read for f in part.facts.values()):
        against.setdefault(id(a), (a, b))
        against.setdefault(id(b), (b, a))
    for f, other in against.values():
        if "held" not in f.flags:
            sheet, _ = home[id(other)]
            home[id(f)][1].hold("two_values", f, f.path, sheet, other.cell)


# --- totals -------------------------------------------------------------------------------------------------------------

_NOT_ADDED = re.compile(
    r"率|比重|占比|比例|密度|平均|人均|万人|均价|指数|位次|排名|强度|增速|增幅|价格|系数"
    r"|pct|percent|rate|ratio|share|index|average|mean|intensity|per_|growth",
    re.I,
)
# a total, its parts, the names of parts without a figure, and whether the parts may fall short
_Sum = tuple[Fact, list[Fact], list[str], bool]


def _reconcile(found: Found, places: list[Place], catalog: Catalog) -> None:
    """Report totals of a table that differ from the sum of their parts, and parts above their whole.

    The parts are rows or columns of places, the names beside 合计, 其中 under its parent. Only what adds up is looked at:
    no rates, shares, densities, averages, indices, ranks. Whole counts must agree exactly; n parts with d decimals may
    differ by 0.5 * 10^-d * (n + 1). A list marked # may fall short. Where a part has no figure, the total is
    `total_unchecked`. `places` are of all rows and columns, also of those without any figure.
    """
    facts = found.facts.values()
    if not any(p.total for p in places) and not any("/" in f.path for f in facts):
        return
    unchecked = {}
    added = [f for f in facts if f.measure == "value" and _adds_up(f, catalog)]
    for total, parts, absent, at_most in (*_by_place(added, places, catalog), *_by_name(added)):
        there = [f for f in parts if f.given]
        if not total.given or not there or len(parts) < 2 and not at_most:
            continue
        summed = round(sum(f.value for f in there), 9)
        above = round(summed - total.value, 9)
        tolerance = _tolerance([total, *there], catalog) + 1e-9 * abs(summed)
        if absent and not (above > tolerance and all(f.value >= 0 for f in there)):
            unchecked.setdefault("、".join(absent), []).append(total)
        elif above > tolerance or not at_most and -above > tolerance:
            _mismatch(total, there, summed, found)
    for absent, totals in unchecked.items():
        first = totals[0]
        name = first.place.raw or first.path
        found.tell("total_unchecked", first.at, first.raw, absent, name, len(totals))


def _mismatch(total: Fact, parts: list[Fact], summed: float, found: Found) -> None:
    cells = "+".join(f.cell for f in parts[:12]) + "…" * (len(parts) > 12)
    name = total.place.raw if total.place.total and len(parts) > 1 else total.path
    sums = f"之和为 {summed:.12g}{total.unit},相差 {round(summed - total.value, 9):+.12g}"
    said = f"{total.value:.12g}{total.unit},分项({cells}){sums}"
    found.tell("total_mismatch", total.at, total.raw, name, total.cell, said)


def _by_place(facts: list[Fact], listed: list[Place], catalog: Catalog) -> Iterator[_Sum]:
    """Rows or columns of places against their total."""
    for group in grouped(facts, lambda f: (f.path, f.when, f.unit)).values():
        for total in group:
            if total.place.total:
                parts, absent = _parts(total, group, listed, catalog)
                yield total, parts, absent, any("partial" in f.flags for f in parts)


def _by_name(facts: list[Fact]) -> Iterator[_Sum]:
    """合计 among names against the names beside it, and 其中 against its parent."""
    beside = {
        key: dict.fromkeys(f.path for f in part)
        for key, part in grouped(facts, lambda f: (f.path.rpartition("/")[0], f.unit)).items()
    }
    for part in grouped(facts, lambda f: (f.place, f.when, f.unit)).values():
        group = {}
        for f in part:
            group.setdefault(f.path, f)
        for path, f in group.items():
            head, _, last = path.rpartition("/")
            if last not in known("total"):
                if head in group:
                    yield group[head], [f], [], True
            elif head:
                names = [n for n in beside[head, f.unit] if n != path]  # also those blank here
                parts = [group[n] for n in names if n in group]
                absent = [n for n in names if n not in group or not group[n].given]
                yield f, parts, absent, len(names) < 2


def _adds_up(f: Fact, catalog: Catalog) -> bool:
    if indicator := catalog.indicators.get(f.indicator):
        return indicator.additive
    return f.unit not in ("%", "pp") and "/" not in f.unit and not _NOT_ADDED.search(f.path)


def _parts(
    total: Fact, group: list[Fact], listed: list[Place], catalog: Catalog
) -> tuple[list[Fact], list[str]]:
    """The parts that a total stands for and the names of those without a figure; none where it stands for others.

    Of several totals in one list (小计) each stands for the parts next to it, where they agree with it.
    """
    pieces = [p for p in listed if not p.total]
    ours = [p for p in pieces if p.id in catalog.parks]
    if total.place.id == "zone":
        pieces = ours
    elif total.place.id and ours == pieces:
        return [], []  # 全市 or 全省 over the five parks alone is not their total
    parts = [f for f in group if f.place in pieces]
    given = {f.place: f.given for f in parts}
    if len(given) < len(parts):
        return [], []  # rows that differ by more than their place
    absent = [p.raw.strip() for p in pieces if not given.get(p)]
    month = pd.Period(ordinal=total.span.end - 1970 * 12, freq="M")
    districts = [r.id for r in catalog.regions.values() if r.level == "district"]
    there = {p.id for p in pieces}
    whole = {"zone": catalog.members(month), "city": districts if there & {*districts} else ()}
    absent += [catalog.name(i) for i in whole.get(total.place.id, ()) if i not in there]
    near = [] if absent else _beside(total, parts, group)
    return near or parts, absent


def _beside(total: Fact, parts: list[Fact], group: list[Fact]) -> list[Fact]:
    """The parts right before or right behind a total, up to the next one, where they agree with it."""
    totals = sorted(f.at for f in group if f.place.total)
    here = totals.index(total.at)
    for section in (here, here + 1):
        near = [f for f in parts if bisect(totals, f.at) == section]
        agree = math.isclose(sum(f.value for f in near), total.value, rel_tol=1e-9)
        if len(near) > 1 and agree:
            return near
    return []


def _tolerance(facts: list[Fact], catalog: Catalog) -> float:
    """Half a unit of the last decimal for each part and the total; none for whole counts in their own unit."""
    digits = max(f.decimals for f in facts)
    counts = (normal_unit(f.unit_raw, catalog)[2] == "count" for f in facts)
    if digits == 0 and all(counts) and all(f.unit_raw == f.unit for f in facts):
        return 0.0
    scales = [abs(f.value / float(f.raw)) for f in facts if f.value]
    return 0.5 * 10.0**-digits * max(scales, default=1.0) * len(facts)
