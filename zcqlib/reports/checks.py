"""A sheet read table by table, each accepted by constraints; and what one file's figures say against each other.

Within a table one thing has one value, no name is a bare number, and most figures have a name and a period: where a
reading breaks that, another one is tried, and if none keeps it the whole table is one problem. A figure that is
unlikely by itself (a cumulative that falls, a fraction among percents) is a problem of that cell; the table stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median

from zcqlib.catalog import Catalog
from zcqlib.reports import facts, layout, words
from zcqlib.reports.grid import MAX_CELL, Sheet
from zcqlib.reports.labels import (
    At,
    Fact,
    Found,
    Scope,
    box_of,
    filled,
    grouped,
    is_empty,
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
    found.add(_left_over(sheet, [at for at in cells if at not in found.outcome]))
    _taken_back(sheet, found)
    _as_shown(sheet, found)
    return found


def _cells_of(sheet: Sheet, block: Block) -> list[At]:
    inside = range(block.left, block.right)
    rows = (*block.header, *block.body)
    return [(r, c) for r in rows for c in filled(sheet.rows[r]) if c in inside] + block.above


def _left_over(sheet: Sheet, cells: list[At]) -> Found:
    """Figures, and formulas without one, that no table took."""
    extra = Found()
    for at in cells:
        v = sheet.rows[at[0]][at[1]]
        extra.outcome[at] = "problem" if valueish(v) else "context"
        code = isinstance(v, str) and words.value_of(v).code
        if code in ("cell_error", "formula_without_value"):
            extra.tell(code, at, v, "")
        elif valueish(v):
            extra.tell("orphan_cell", at, text_of(v))
    return extra


# --- one table ----------------------------------------------------------------------------------------------------------


def _accepted(
    sheet: Sheet, block: Block, scope: Scope, inherited: list[str]
) -> tuple[Found, list[str]]:
    """The first reading of a table that keeps the constraints; else the table as a list, or as one problem."""
    tried = []
    for reading in _readings(block):
        table = Found()
        lines, apart = facts.read_table(sheet, reading, scope, table, inherited)
        fault = _fault(table, reading, apart)
        if not fault and not apart:
            rest = filter(_unnamed, table.facts.values())
            for f in {f.at: f for pair in conflicts(rest) for f in pair}.values():
                table.hold("two_values.rest", f)
        tried.append((fault, table, lines))
        if not fault or len(block.body) > 2000:
            break
    cells = _cells_of(sheet, block)
    heads = {said(v) for r in block.header for v in sheet.rows[r] if not is_empty(v)}
    if len(block.body) >= _LIST and heads & known("detail").keys():
        return _listed(block, Found() if tried[0][0] else tried[0][1], cells), tried[0][2]
    if not fault:
        return table, lines
    fault, unread = tried[0][0], Found()
    unread.mark(cells, "context")
    figures = [at for at in cells if valueish(sheet.rows[at[0]][at[1]]) and at[0] in block.body]
    box = box_of(figures or cells)
    raw = text_of(sheet.rows[box[0]][box[1]])
    unread.tell("table_unread", box, raw, fault, count=len(figures))
    unread.outcome.pop(box)  # a rectangle is no cell
    unread.mark(figures, "problem")
    return unread, tried[0][2]


def _readings(block: Block) -> Iterator[Block]:
    """Ways to take the same rows: as they seem, the last header row as figures, the first row of figures as header."""
    header, body = block.header, block.body
    yield block
    if len(header) > 1:
        yield block._replace(header=header[:-1], body=[header[-1], *body])
    if header and len(body) > 1:
        yield block._replace(header=[*header, body[0]], body=body[1:])


def _fault(table: Found, block: Block, apart: bool) -> str:
    """Which constraint a reading breaks, in words, "" where it keeps them all."""
    for a, b in () if apart else conflicts(table.facts.values()):
        if not _unnamed(a):
            return f"「{a.path}」在 {a.cell} 和 {b.cell} 有两个数"
    for path in dict.fromkeys(f.path for f in table.facts.values()):
        if re.search(r"(?:^|/)\d[\d.,%]*(?:/|$)", path):
            return f"「{path}」像是数字,不像名称"
    lost = sum(p[0] == "orphan_cell" for p in table.problems)
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
    table.mark([at for at in cells if table.outcome.get(at, "problem") == "problem"], "context")
    table.problems.clear()
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
    note = f"note:{told.replace(';', ',')[:200]}"
    for at, f in found.facts.items() if told else ():
        if f.reason == "not_applicable" and not any(x.startswith("note:") for x in f.flags):
            found.facts[at] = f._replace(flags=(*f.flags, note))


def _as_shown(sheet: Sheet, found: Found) -> None:
    """Hold back figures whose cells show something else than they store; tell of those that were taken as shown."""
    told = Found(found.facts)
    for at, f in found.facts.items() if sheet.stored or sheet.held else ():
        if why := sheet.held.get(at):
            told.hold("shown_differs", f, why, severity="warning" * (at in sheet.struck))
        elif stored := sheet.stored.get(at):
            shown = sheet.shown.get(at) or text_of(sheet.rows[f.row][f.column])
            told.tell("shown_scaled", at, stored, shown)
    for at in sheet.long:
        told.tell("long_text", at, "", MAX_CELL)
    found.add(Found(problems=told.problems))


# --- one file -----------------------------------------------------------------------------------------------------------


def check_file(read: list[tuple[str, Found]], published: int, catalog: Catalog) -> None:
    """What the figures of a file say against each other: months to come, fractions among percents, cumulatives that fall,
    two tables that disagree. Problems go to the sheet of the figure."""
    told = [(name, Found(found.facts)) for name, found in read]
    for _, part in told:
        _fractions(part)
        _differences(part)
        _falls(part, catalog)
        _months_to_come(part, published)
    if sum(len(found.tables) for _, found in read) > 1:
        _disagreements(told)
    for (_, found), (_, part) in zip(read, told, strict=True):
        found.add(Found(problems=part.problems))


def _months_to_come(told: Found, published: int) -> None:
    """Months after the report month: all zero is an unfilled template, anything else is looked at."""
    later = (f for f in told.facts.values() if f.span.end > published > 0 and f.measure != "target")
    for end, part in sorted(grouped(later, lambda f: f.span.end).items()):
        zeros = {0} == {f.value for f in part if f.given}
        for f in part if zeros else ():
            if f.given:
                told.facts[f.at] = f._replace(value=float("nan"), reason="future")
        if any(f.given for f in part):
            key = "template_zeros" if zeros else "future_period"
            told.tell(key, part[0].at, part[0].raw, f"{end // 12}-{end % 12 + 1:02d}")


def _fractions(told: Found) -> None:
    """Percents written as fractions: a whole series that never leaves -1 to 1 is asked for, single ones are held."""
    percents = (
        f
        for f in told.facts.values()
        if f.unit == "%" and f.given and f.unit_cell != f.at and f.unit_raw != "‰"
    )
    for (path, measure), part in grouped(percents, lambda f: (f.path, f.measure)).items():
        large = [abs(f.value) for f in part if abs(f.value) > 1]
        small = [f for f in part if 0 < abs(f.value) <= 1]
        if small and not large and len(part) > 1:
            told.tell("fraction_suspect.all", part[0].at, part[0].raw, path)
        elif large and measure not in ("yoy_pct", "mom_pct") and median(large) > 20:
            for f in small:
                if min(large) / 2 <= 100 * abs(f.value) <= max(max(large) * 1.5, 100):
                    told.hold("fraction_suspect", f, path)


def _differences(told: Found) -> None:
    """A rate of growth that is this year's figure less last year's, and not their ratio, is an amount: it is held."""
    figures = [f for f in told.facts.values() if f.given]
    known = {(f.place, f.path, *f.when): f for f in figures if f.measure == "value" and f.value}
    for f in figures:
        start, end, basis = f.when
        now = known.get((f.place, f.path, *f.when))
        before = known.get((f.place, f.path, start - 12, end - 12, basis))
        if f.measure == "yoy_pct" and now and before:
            less = round(float(now.raw) - float(before.raw), 9)
            alike = less == f.value and now.decimals == before.decimals == f.decimals
            if alike and abs(100 * (now.value / before.value - 1) - f.value) > 1:
                told.hold("rate_is_amount", f, f.path, now.cell, before.cell)


def _falls(told: Found, catalog: Catalog) -> None:
    """A year-to-date that falls: a revision perhaps; less than half of the month before is held."""

    def climbs(f: Fact) -> bool:
        flow = f.span.basis == "ytd" and f.measure == "value" and f.value > 0 and f.unit != "%"
        indicator = flow and catalog.indicators.get(f.indicator)
        return flow and not (indicator and indicator.can_fall or words.is_index_base(f.unit_raw))

    years = grouped(
        filter(climbs, told.facts.values()), lambda f: (f.place, f.path, f.span.end // 12)
    )
    for part in years.values():
        for a, b in pairwise(sorted(part, key=lambda f: f.span.end)):
            now = f"{b.cell} 为 {b.value:.12g}{b.unit}"
            said = b.path, now, f"{a.cell} 的 {a.value:.12g}{a.unit}"
            if b.value < a.value / 2:
                told.hold("ytd_falls", b, *said)
            elif b.value < a.value:
                told.tell("ytd_falls.little", b.at, b.raw, *said)


def _disagreements(told: list[tuple[str, Found]]) -> None:
    """One thing with two values in two tables of a file, neither to be used until someone has said which."""
    home = {id(f): (name, part) for name, part in told for f in part.facts.values()}
    against = {}
    for a, b in conflicts(f for _, part in told for f in part.facts.values()):
        against.setdefault(id(a), (a, b))
        against.setdefault(id(b), (b, a))
    for f, other in against.values():
        if "held" not in f.flags:
            sheet, _ = home[id(other)]
            home[id(f)][1].hold("two_values", f, f.path, sheet, other.cell)
