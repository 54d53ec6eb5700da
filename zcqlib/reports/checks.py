"""A sheet read table by table, each accepted by constraints; and what one file's figures say against each other.

Within a table one thing has one value, no name is a bare number, and most figures have a name and a period: where a
reading breaks that, another one is tried, and if none keeps it the whole table is one problem. A figure that is
unlikely by itself (a cumulative that falls, a fraction among percents) is a problem of that cell; the table stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from statistics import median

from zcqlib.catalog import Catalog
from zcqlib.reports import facts, layout, words
from zcqlib.reports.books import letters
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    At,
    Fact,
    Found,
    Scope,
    filled,
    grouped_by_fault,
    is_empty,
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

    def named(text: str) -> bool:
        return bool(scope.catalog.match_indicator(text, False).id)

    lines: list[str] = []
    for block in layout.blocks(sheet, found, named):
        if layout.is_about(sheet.rows, block):
            found.mark(_cells_of(sheet, block), "context")
            continue
        found.tables.append(block.body[0])
        table, lines = _accepted(sheet, block, scope, lines)
        found.add(table)
    found.problems.extend(grouped_by_fault(_left_over(sheet, found, cells)))
    _taken_back(sheet, found)
    return found


def _cells_of(sheet: Sheet, block: Block) -> list[At]:
    inside = range(block.left, block.right)
    rows = (*block.header, *block.body)
    return [(r, c) for r in rows for c in filled(sheet.rows[r]) if c in inside] + block.above


def _left_over(sheet: Sheet, found: Found, cells: list[At]) -> list[tuple]:
    """Formulas without a result and figures that no table took."""
    extra = Found(outcome=found.outcome)
    for at, word in sheet.failed.items():
        if at not in found.outcome:
            text = "这一格的公式没有可用的结果,请改正后重新报送。"
            extra.problem("cell_error", "error", at, word, text)
    for at in cells:
        if at not in found.outcome:
            v = sheet.rows[at[0]][at[1]]
            found.outcome[at] = "problem" if valueish(v) else "context"
            if valueish(v):
                text = "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。"
                extra.problem("orphan_cell", "warning", at, text_of(v), text)
    return extra.problems


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
        tried.append((table, lines, fault))
        if not fault or len(block.body) > 2000:
            break
    first, lines, fault = tried[0]
    best = next((t for t in tried if not t[2]), None)
    rows = len(block.body)
    if rows >= _LIST and _is_list(sheet, block):
        return _listed(sheet, block, first, fault), lines
    if best is not None:
        return best[0], best[1]
    unread = Found()
    cells = _cells_of(sheet, block)
    unread.mark(cells, "context")
    figures = [at for at in cells if valueish(sheet.rows[at[0]][at[1]]) and at[0] in block.body]
    unread.mark(figures, "problem")
    text = f"这张表没有读懂({fault}),表中的数没有采用;请另附一份一行一个指标的表,或告知维护人员。"
    box = _box(figures or cells)
    raw = text_of(sheet.rows[box[0]][box[1]])
    unread.problems.append(("table_unread", "error", box, raw, text, len(figures)))
    return unread, lines


def _box(cells: list[At]) -> tuple[int, int, int, int]:
    rows, columns = zip(*cells, strict=True)
    return min(rows), min(columns), max(rows), max(columns)


def _second_best(block: Block) -> Iterator[Block]:
    """Other ways to take the same rows: the last header row is a figure, or the first row of figures a header."""
    if len(block.header) > 1:
        yield replace(block, header=block.header[:-1], body=[block.header[-1], *block.body])
    if block.header and len(block.body) > 1:
        yield replace(block, header=[*block.header, block.body[0]], body=block.body[1:])


def _fault(table: Found, block: Block, apart: bool) -> str:
    """Which constraint a reading breaks, in words, "" where it keeps them all."""
    pairs = () if apart else conflicts(table.facts)
    if twice := next((p for p in pairs if not _unnamed(p[0])), None):
        a, b = twice
        return f"「{a.path}」在 {_address(a)} 和 {_address(b)} 有两个数"
    paths = {f.path for f in table.facts}
    if bare := next((p for p in paths if any(map(_number_only, p.split("/")))), ""):
        return f"「{bare}」像是数字,不像名称"
    lost = [p for p in table.problems if p[0] == "orphan_cell"]
    if block.header and sum(p[5] if len(p) > 5 else 1 for p in lost) > 2 * len(table.facts) + 5:
        return "多数数字没有名称"
    return ""


def _unnamed(f: Fact) -> bool:
    """其他 may stand twice in a flat list: what it is the rest of cannot be told."""
    return f.path.rpartition("/")[2] in known("place")


def _hold_unnamed(table: Found) -> None:
    rest = [(i, f) for i, f in enumerate(table.facts) if _unnamed(f)]
    twice = {f[:2] for pair in conflicts(f for _, f in rest) for f in pair}
    text = "「其他」出现不止一次,看不出各属于哪一项,请写明;确认之前不采用。"
    table.hold("two_values", [i for i, f in rest if f[:2] in twice], text)


def _number_only(name: str) -> bool:
    return bool(re.fullmatch(r"\d[\d.,%]*", name))


def conflicts(part: Iterable[Fact]) -> Iterator[tuple[Fact, Fact]]:
    """Pairs of facts that give one thing two values."""
    seen: dict[tuple, Fact] = {}
    for f in part:
        if f.value == f.value:
            span = f.span
            key = (f.place.id or f.place.raw, f.path, span.start, span.end, span.basis, f.measure)
            first = seen.setdefault(key, f)
            if first.value != f.value or first.unit != f.unit:
                yield first, f


def _is_list(sheet: Sheet, block: Block) -> bool:
    """Whether a table has one row for each firm, patent or project."""
    heads = {said(v) for r in block.header for v in sheet.rows[r] if not is_empty(v)}
    return bool(heads & known("detail").keys())


def _listed(sheet: Sheet, block: Block, table: Found, fault: str) -> Found:
    """A list is said so in one line; its figures stay where its rows tell them apart."""
    if fault:
        table = Found()
        table.mark(_cells_of(sheet, block), "context")
    errors = {at for at, outcome in table.outcome.items() if outcome == "problem"}
    table.mark(errors, "context")
    table.problems.clear()
    used = "按明细保留,不计入指标" if table.facts else "没有作为指标数据采用"
    text = f"这是一份明细清单(共 {len(block.body)} 行),{used};需要用于分析的请另报汇总表。"
    at = (block.body[0], block.left)
    table.problems.append(("detail_list", "info", at, "", text, len(block.body)))
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


# --- one file -----------------------------------------------------------------------------------------------------------


def check_file(read: list[tuple[str, Found]], published: int, catalog: Catalog) -> None:
    """What the figures of a file say against each other: months to come, fractions among percents, cumulatives that fall,
    two tables that disagree. Problems go to the sheet of the figure."""
    for _, found in read:
        _fractions(found)
        _falls(found, catalog)
        if published:
            _months_to_come(found, published)
    if sum(len(found.tables) for _, found in read) > 1:
        _disagreements(read)


def _address(f: Fact) -> str:
    return f"{letters(f.column)}{f.row + 1}"


def _months_to_come(found: Found, published: int) -> None:
    """Months after the report month: all zero is an unfilled template, anything else is looked at."""
    later: dict[int, list[int]] = {}
    for i, f in enumerate(found.facts):
        if f.span.end > published and f.measure != "target":
            later.setdefault(f.span.end, []).append(i)
    told = Found()
    for end, part in sorted(later.items()):
        first = found.facts[part[0]]
        values = [v for i in part if (v := found.facts[i].value) == v]
        month = f"{end // 12}-{end % 12 + 1:02d}"
        if values and not any(values):
            for i in part:
                if found.facts[i].value == 0:
                    found.facts[i] = found.facts[i]._replace(value=float("nan"), reason="future")
            text = f"{month} 还没有到,整列都是 0,疑为未填的模板,已按未报处理。"
            told.problem("template_zeros", "warning", first[:2], first.raw, text)
        elif values:
            text = f"{month} 晚于报告月份,请核对期间。"
            told.problem("future_period", "warning", first[:2], first.raw, text)
    found.problems.extend(grouped_by_fault(told.problems))


def _fractions(found: Found) -> None:
    """Percents written as fractions: a whole series that never leaves -1 to 1 is asked for, single ones are held."""
    series: dict[tuple[str, str], list[int]] = {}
    for i, f in enumerate(found.facts):
        if f.unit == "%" and f.value == f.value and f.unit_cell != f[:2] and f.unit_raw != "‰":
            series.setdefault((f.path, f.measure), []).append(i)
    told = Found(facts=found.facts)
    for (path, measure), part in series.items():
        values = [abs(found.facts[i].value) for i in part]
        large = [v for v in values if v > 1]
        small = [i for i in part if 0 < abs(found.facts[i].value) <= 1]
        if not large and len(values) > 1 and small:
            f = found.facts[part[0]]
            text = f"「{path}」的百分数都在 -1 到 1 之间,可能是按小数填写的,请核对;暂按百分数采用。"
            told.problem("fraction_suspect", "warning", f[:2], f.raw, text)
        elif large and small and measure not in ("yoy_pct", "mom_pct"):
            low, high = min(large) / 2, max(max(large) * 1.5, 100)
            likely = [i for i in small if low <= 100 * abs(found.facts[i].value) <= high]
            text = f"「{path}」其他数都是百分数,这一格像是小数,请改正;确认之前不采用。"
            told.hold("fraction_suspect", likely if median(large) > 20 else (), text)
    found.problems.extend(grouped_by_fault(told.problems))


def _falls(found: Found, catalog: Catalog) -> None:
    """A year-to-date that falls: a revision perhaps; less than half of the month before is held."""
    series: dict[tuple, list[int]] = {}
    for i, f in enumerate(found.facts):
        if f.span.basis == "ytd" and f.measure == "value" and f.value > 0 and f.unit != "%":
            key = (f.place, f.path, f.span.end // 12)
            series.setdefault(key, []).append(i)
    told = Found(facts=found.facts)
    for part in series.values():
        part.sort(key=lambda i: found.facts[i].span.end)
        indicator = catalog.indicators.get(found.facts[part[0]].indicator)
        if indicator and indicator.can_fall:
            continue
        for i, j in zip(part, part[1:], strict=False):
            a, b = found.facts[i], found.facts[j]
            text = f"「{b.path}」累计数 {_address(b)} 为 {b.value:.12g}{b.unit},小于上一期 {_address(a)} 的 {a.value:.12g}{a.unit}"
            if b.value < a.value / 2:
                told.hold("ytd_falls", [j], text + ",请核对;确认之前不采用。")
            elif b.value < a.value and not words.is_index_base(b.unit_raw):
                told.problem("ytd_falls", "warning", b[:2], b.raw, text + ",请核对是否修订。")
    found.problems.extend(grouped_by_fault(told.problems))


def _disagreements(read: list[tuple[str, Found]]) -> None:
    """One thing with two values in two tables of a file: neither is used until someone has said which."""
    home: dict[int, tuple[Found, str, int]] = {}
    for sheet, found in read:
        for i, f in enumerate(found.facts):
            home[id(f)] = found, sheet, i
    told: dict[int, Found] = {}
    every = [f for _, found in read for f in found.facts]
    for a, b in conflicts(every):
        for f, other in ((a, b), (b, a)):
            found, _, i = home[id(f)]
            part = told.setdefault(id(found), Found(facts=found.facts))
            place = f"工作表「{home[id(other)][1]}」{_address(other)}"
            text = f"「{f.path}」与{place}的数不同,请核对以哪个为准;确认之前都不采用。"
            if "held" not in found.facts[i].flags:
                part.hold("two_values", [i], text)
    for _, found in read:
        if id(found) in told:
            found.problems.extend(grouped_by_fault(told[id(found)].problems))
