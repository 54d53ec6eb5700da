"""A sheet read table by table, each accepted by constraints; and what one file's figures say against each other.

Within a table one thing has one value, no name is a bare number, and most figures have a name and a period: where a
reading breaks that, another one is tried, and if none keeps it the whole table is one problem. A figure that is
unlikely by itself (a cumulative that falls, a fraction among percents) is a problem of that cell; the table stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
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
    is_empty,
    place_of,
    said,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import known

_LIST = 20  # rows from which a table with the head of a list is one


def read_sheet(sheet: Sheet, scope: Scope) -> Found:
    """Everything that one sheet gives: facts, problems (one for each table and fault), and what became of each cell."""
    found = Found()
    cells = [(r, c) for r, row in enumerate(sheet.rows) for c in filled(row)]
    if sheet.hidden and cells:
        text = (
            f"工作表「{sheet.name}」是隐藏的,有 {len(cells)} 个单元格,没有采用;需要采用请取消隐藏。"
        )
        found.problem("hidden_sheet", "warning", None, sheet.name, text)
        found.mark(cells, "context")
        return found

    def named(text):
        place = place_of(text, scope.catalog)
        known = place and place.kind in ("known", "total")
        return bool(known or scope.catalog.match_indicator(text, False).id)

    lines = []
    for block in layout.blocks(sheet, found, named):
        if layout.is_about(sheet.rows, block):
            found.mark(_cells_of(sheet, block), "context")
            continue
        found.tables.append(block.body[0])
        table, lines = _accepted(sheet, block, scope, lines)
        found.add(table)
    found.add(_left_over(sheet, found, cells))
    _taken_back(sheet, found)
    _as_shown(sheet, found)
    return found


def _cells_of(sheet: Sheet, block: Block) -> list[At]:
    inside = range(block.left, block.right)
    rows = (*block.header, *block.body)
    return [(r, c) for r in rows for c in filled(sheet.rows[r]) if c in inside] + block.above


def _left_over(sheet: Sheet, found: Found, cells: list[At]) -> Found:
    """Figures, and formulas without one, that no table took."""
    extra = Found()
    for at in cells:
        v = sheet.rows[at[0]][at[1]]
        if at in found.outcome:
            continue
        extra.outcome[at] = "problem" if valueish(v) else "context"
        if isinstance(v, str) and words.value_of(v).code in ("cell_error", "formula_without_value"):
            text = "这一格的公式没有可用的结果,请改正后重新报送。"
            extra.problem("cell_error", "error", at, v, text)
        elif valueish(v):
            text = "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。"
            extra.problem("orphan_cell", "warning", at, text_of(v), text)
    return extra


# --- one table ----------------------------------------------------------------------------------------------------------


def _accepted(
    sheet: Sheet, block: Block, scope: Scope, inherited: list[str]
) -> tuple[Found, list[str]]:
    """The first reading of a table that keeps the constraints; else the table as a list, or as one problem."""
    tried = []
    for reading in (block, *_second_best(block)):
        table = Found()
        lines, apart = facts.read_table(sheet, reading, scope, table, inherited)
        fault = _fault(table, reading, apart)
        if not fault and not apart:
            _hold_unnamed(table)
        tried.append((fault, table, lines))
        if not fault or len(block.body) > 2000:
            break
    fault, table, lines = tried[0]
    cells = _cells_of(sheet, block)
    heads = {said(v) for r in block.header for v in sheet.rows[r] if not is_empty(v)}
    if len(block.body) >= _LIST and heads & known("detail").keys():
        return _listed(block, Found() if fault else table, cells), lines
    if not tried[-1][0]:
        return tried[-1][1:]
    unread = Found()
    unread.mark(cells, "context")
    figures = [at for at in cells if valueish(sheet.rows[at[0]][at[1]]) and at[0] in block.body]
    text = f"这张表没有读懂({fault}),表中的数没有采用;请另附一份一行一个指标的表,或告知维护人员。"
    box = box_of(figures or cells)
    raw = text_of(sheet.rows[box[0]][box[1]])
    unread.problems.append(("table_unread", "error", box, raw, text, len(figures)))
    unread.mark(figures, "problem")
    return unread, lines


def _second_best(block: Block) -> Iterator[Block]:
    """Other ways to take the same rows: the last header row is a figure, or the first row of figures a header."""
    if len(block.header) > 1:
        yield block._replace(header=block.header[:-1], body=[block.header[-1], *block.body])
    if block.header and len(block.body) > 1:
        yield block._replace(header=[*block.header, block.body[0]], body=block.body[1:])


def _fault(table: Found, block: Block, apart: bool) -> str:
    """Which constraint a reading breaks, in words, "" where it keeps them all."""
    for a, b in () if apart else conflicts(table.facts):
        if not _unnamed(a):
            return f"「{a.path}」在 {a.cell} 和 {b.cell} 有两个数"
    for path in dict.fromkeys(f.path for f in table.facts):
        if re.search(r"(?:^|/)\d[\d.,%]*(?:/|$)", path):
            return f"「{path}」像是数字,不像名称"
    lost = sum(p[0] == "orphan_cell" for p in table.problems)
    return "多数数字没有名称" if block.header and lost > 2 * len(table.facts) + 5 else ""


def _unnamed(f: Fact) -> bool:
    """其他 may stand twice in a flat list: what it is the rest of cannot be told."""
    return f.path.rpartition("/")[2] in known("place")


def _hold_unnamed(table: Found) -> None:
    twice = {f.at for pair in conflicts(filter(_unnamed, table.facts)) for f in pair}
    text = "「其他」出现不止一次,看不出各属于哪一项,请写明;确认之前不采用。"
    table.hold("two_values", [i for i, f in enumerate(table.facts) if f.at in twice], text)


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
    text = f"这是一份明细清单(共 {len(block.body)} 行),{used};需要用于分析的请另报汇总表。"
    at = (block.body[0], block.left)
    table.problem("detail_list", "info", at, "", text, len(block.body))
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
    for i, f in enumerate(found.facts) if told else ():
        if f.reason == "not_applicable" and not any(x.startswith("note:") for x in f.flags):
            found.facts[i] = f._replace(flags=(*f.flags, note))


def _as_shown(sheet: Sheet, found: Found) -> None:
    """Hold back figures whose cells show something else than they store; tell of those that were taken as shown."""
    told = Found(found.facts)
    for i, f in enumerate(found.facts) if sheet.stored or sheet.held else ():
        if why := sheet.held.get(f.at):
            severity = "warning" if f.at in sheet.struck else "error"
            text = f"这一格{why},看不出以哪个为准,暂不采用,请改成看到的就是实际的数。"
            told.hold("shown_differs", [i], text, severity)
        elif stored := sheet.stored.get(f.at):
            shown = sheet.shown.get(f.at) or text_of(sheet.rows[f.row][f.column])
            text = f"显示的「{shown}」与存的「{stored}」不同,已按显示的采用。"
            told.problem("shown_scaled", "info", f.at, stored, text)
    for at in sheet.long:
        text = f"这一格的文字超过 {MAX_CELL} 字,只读了前面的部分。"
        told.problem("long_text", "info", at, "", text)
    found.add(Found(problems=told.problems))


# --- one file -----------------------------------------------------------------------------------------------------------


def check_file(read: list[tuple[str, Found]], published: int, catalog: Catalog) -> None:
    """What the figures of a file say against each other: months to come, fractions among percents, cumulatives that fall,
    two tables that disagree. Problems go to the sheet of the figure."""
    told = [Found(found.facts) for _, found in read]
    for part in told:
        _fractions(part)
        _falls(part, catalog)
        if published:
            _months_to_come(part, published)
    if sum(len(found.tables) for _, found in read) > 1:
        _disagreements([name for name, _ in read], told)
    for (_, found), part in zip(read, told, strict=True):
        found.add(Found(problems=part.problems))


def _grouped(told: Found, key: Callable[[Fact], Hashable]) -> dict[Hashable, list[int]]:
    """Numbers of facts by what they share; those without a key left out."""
    groups = {}
    for i, f in enumerate(told.facts):
        if (k := key(f)) is not None:
            groups.setdefault(k, []).append(i)
    return groups


def _months_to_come(told: Found, published: int) -> None:
    """Months after the report month: all zero is an unfilled template, anything else is looked at."""
    later = _grouped(
        told, lambda f: f.span.end if f.span.end > published and f.measure != "target" else None
    )
    for end, part in sorted(later.items()):
        first, values = told.facts[part[0]], [told.facts[i].value for i in part]
        month = f"{end // 12}-{end % 12 + 1:02d}"
        if 0 in values and not any(v and v == v for v in values):
            for i in part:
                if told.facts[i].given:
                    told.facts[i] = told.facts[i]._replace(value=float("nan"), reason="future")
            text = f"{month} 还没有到,整列都是 0,疑为未填的模板,已按未报处理。"
            told.problem("template_zeros", "warning", first.at, first.raw, text)
        elif any(v == v for v in values):
            text = f"{month} 晚于报告月份,请核对期间。"
            told.problem("future_period", "warning", first.at, first.raw, text)


def _fractions(told: Found) -> None:
    """Percents written as fractions: a whole series that never leaves -1 to 1 is asked for, single ones are held."""

    def percent(f):
        plain = f.unit == "%" and f.given and f.unit_cell != f.at and f.unit_raw != "‰"
        return (f.path, f.measure) if plain else None

    for (path, measure), part in _grouped(told, percent).items():
        values = {i: abs(told.facts[i].value) for i in part}
        large = [v for v in values.values() if v > 1]
        small = [i for i, v in values.items() if 0 < v <= 1]
        if small and not large and len(values) > 1:
            f = told.facts[part[0]]
            text = f"「{path}」的百分数都在 -1 到 1 之间,可能是按小数填写的,请核对;暂按百分数采用。"
            told.problem("fraction_suspect", "warning", f.at, f.raw, text)
        elif large and measure not in ("yoy_pct", "mom_pct") and median(large) > 20:
            low, high = min(large) / 2, max(max(large) * 1.5, 100)
            likely = [i for i in small if low <= 100 * values[i] <= high]
            text = f"「{path}」其他数都是百分数,这一格像是小数,请改正;确认之前不采用。"
            told.hold("fraction_suspect", likely, text)


def _falls(told: Found, catalog: Catalog) -> None:
    """A year-to-date that falls: a revision perhaps; less than half of the month before is held."""

    def cumulative(f):
        flow = f.span.basis == "ytd" and f.measure == "value" and f.value > 0 and f.unit != "%"
        indicator = flow and catalog.indicators.get(f.indicator)
        can = indicator and indicator.can_fall or flow and words.is_index_base(f.unit_raw)
        return (f.place, f.path, f.span.end // 12) if flow and not can else None

    for part in _grouped(told, cumulative).values():
        part.sort(key=lambda i: told.facts[i].span.end)
        for i, j in pairwise(part):
            a, b = told.facts[i], told.facts[j]
            text = f"「{b.path}」累计数 {b.cell} 为 {b.value:.12g}{b.unit},小于上一期 {a.cell} 的 {a.value:.12g}{a.unit}"
            if b.value < a.value / 2:
                told.hold("ytd_falls", [j], text + ",请核对;确认之前不采用。")
            elif b.value < a.value:
                told.problem("ytd_falls", "warning", b.at, b.raw, text + ",请核对是否修订。")


def _disagreements(names: list[str], told: list[Found]) -> None:
    """One thing with two values in two tables of a file, neither to be used until someone has said which."""
    home = {
        id(f): (part, name, i)
        for name, part in zip(names, told, strict=True)
        for i, f in enumerate(part.facts)
    }
    other = {}
    for a, b in conflicts(f for part in told for f in part.facts):
        other.setdefault(id(a), (a, b))
        other.setdefault(id(b), (b, a))
    for f, against in other.values():
        part, _, i = home[id(f)]
        place = f"工作表「{home[id(against)][1]}」{against.cell}"
        text = f"「{f.path}」与{place}的数不同,请核对以哪个为准;确认之前都不采用。"
        if "held" not in f.flags:
            part.hold("two_values", [i], text)
