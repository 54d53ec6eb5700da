"""Find the tables of a sheet: a table is a run of header rows over a run of body rows, with lines above that name it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zcqlib.reports import words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    ABOUT,
    ABOUT_TOO,
    CONTACT,
    HEADS,
    META,
    NOTE,
    Found,
    cell_span,
    doubtful,
    filled,
    head_of,
    is_empty,
    place_of,
    text_of,
    valueish,
)
from zcqlib.reports.words import squeeze


@dataclass(slots=True, frozen=True)
class Block:
    """Rows of one table: lines above it, header rows, body rows, and its columns from `left` to `right`."""

    above: list[tuple[int, int]]
    header: list[int]
    body: list[int]
    left: int = 0
    right: int = 1 << 20


def _row_kind(
    row: list, filled: list[int], r: int, header_seen: bool, body_seen: bool, sheet: Sheet
) -> str:
    if not filled:
        return "empty"
    first = row[filled[0]]
    if isinstance(first, str):
        lead = squeeze(first)
        if CONTACT.match(lead):
            return "note"
        if (
            body_seen
            and len(filled) > 1
            and lead not in HEADS
            and {type(row[c]) for c in filled[1:]} <= {int, float}
        ):
            return "data"  # by far most rows
        if (
            NOTE.match(lead)
            and not any(valueish(row[c]) for c in filled[1:])
            and sum(squeeze(row[c]) in HEADS for c in filled if isinstance(row[c], str)) < 2
        ):
            return "note"
        if (
            not header_seen
            and not body_seen
            and lead not in HEADS
            and len(filled) <= 4
            and any(isinstance(row[c], str) and words.stated_unit(squeeze(row[c])) for c in filled)
            and not any(valueish(row[c]) for c in filled)
        ):
            return "meta"
        if (
            not header_seen
            and not body_seen
            and len(filled) > 1
            and all(isinstance(row[c], str) and _starts_table(row[c]) for c in filled)
        ):
            return "meta"  # titles of tables that stand beside each other
        if META.match(lead) and len(filled) <= 6 and not any(valueish(row[c]) for c in filled[1:]):
            return "meta"
    if header_seen and not body_seen and _column_numbers([row[c] for c in filled]):
        return "numbers"
    if len(filled) == 1:
        if (
            not header_seen
            and not body_seen
            and isinstance(first, str)
            and head_of(squeeze(first)) in ("name", "region", "period", "serial")
        ):
            return "header"
        return "single" if not valueish(first) or words.cell_like_period(first) else "data"
    values = [c for c in filled if valueish(row[c])]
    starts = squeeze(text_of(first)) if isinstance(first, str) else ""
    headish = (
        starts in HEADS
        or filled[0] > 0
        and not header_seen
        or any(squeeze(row[c]) in HEADS for c in filled[:2] if isinstance(row[c], str))
    )
    rest = [row[c] for c in filled if c != filled[0] or not isinstance(first, str)]
    periods = [cell_span(v, serial=True) for v in rest]
    numeric_periods = [
        p
        for v, p in zip(rest, periods, strict=True)
        if words.is_date(v)
        or valueish(v)
        and not (starts in HEADS and isinstance(v, str) and v.strip() in words.MARKS)
    ]  # 单位 - of an index
    if headish and not body_seen and rest and all(p is not None for p in numeric_periods):
        return "header"
    if (
        not body_seen
        and len(rest) > 1
        and _years_in_a_row(rest)
        and (filled[0] > 0 or isinstance(first, str))
        and not (
            header_seen and sum(cell_span(v) is not None for v in sheet.rows[r - 1]) * 2 > len(rest)
        )
    ):
        return "header"
    if (
        header_seen
        and not body_seen
        and filled[0] > 0
        and values
        and all((p := cell_span(row[c])) is not None and p.basis == "year" for c in values)
        and len(values) < len(filled)
    ):
        return "header"  # 2018 | 2017 | 增减
    if headish and body_seen and starts in HEADS and all(p is not None for p in numeric_periods):
        return "header"
    if not values:
        dates = [c for c in filled if words.is_date(row[c])]
        if dates and not headish and header_seen and filled[0] in dates:
            return "data"
        odd = [
            row[c]
            for c in filled[1:]
            if isinstance(row[c], str) and re.match(r"\d", squeeze(row[c]))
        ]
        if (
            header_seen
            and odd
            and all(cell_span(v) is None for v in odd)
            and (
                place_of(text_of(first), None)
                or cell_span(first)
                or filled[0] == 0
                and all(map(doubtful, odd))
                and len(odd) == len(filled) - 1
            )
        ):
            return "data"  # a park and something like 30-40: a figure that is none, not a header
        return "header" if len(filled) > 1 else "single"
    if (
        not body_seen
        and not starts
        and not header_seen
        and all(p is not None for p in numeric_periods)
        and len(rest) > 1
    ):
        return "header"
    return "data"


_LETTERS = "甲乙丙丁戊己庚辛"


def _column_numbers(cells: list) -> bool:
    """A row that only numbers the columns: 甲 乙 1 2 3."""
    numbers = [text_of(v).strip("()() ") for v in cells if text_of(v).strip() not in _LETTERS]
    return (
        len(cells) > 2
        and all(n.isdigit() for n in numbers)
        and [int(n) for n in numbers] == list(range(1, len(numbers) + 1))
        and (len(numbers) < len(cells) or len(numbers) > 3)
    )


def _years_in_a_row(cells: list) -> bool:
    """Whole years, one after the other up or down, perhaps said twice (2017, 2018, 2017, 2018)."""
    if not all(
        isinstance(v, int | float) and float(v).is_integer() and 1900 <= v <= 2100 for v in cells
    ):
        return False
    distinct = list(dict.fromkeys(cells))
    return len(distinct) > 1 and distinct in (sorted(distinct), sorted(distinct, reverse=True))


def blocks(sheet: Sheet, found: Found) -> list[Block]:
    """Split a sheet into tables; notes and contact lines become context on the way."""
    out: list[Block] = []
    above: list[tuple[int, int]] = []
    header: list[int] = []
    body: list[int] = []
    in_note = False
    rows = sheet.rows

    def close() -> None:
        nonlocal above, header, body
        if body:
            out.extend(_panels(rows, Block(above, header, body)))
        else:
            for r in header:
                above = above + [(r, c) for c in filled(rows[r])]
            if out or above:
                for at in above:
                    found.outcome.setdefault(at, "context")
        above, header, body = [], [], []

    for r, row in enumerate(rows):
        columns = filled(row)
        kind = _row_kind(row, columns, r, bool(header), bool(body), sheet)
        if kind == "data" and not in_note:
            body.append(r)
            continue
        cells = [(r, c) for c in columns]
        if kind == "empty":
            in_note = False
            if body and _next_kind(rows, r, sheet) in ("single", "header", "meta"):
                close()
            continue
        if in_note and (kind in ("single", "header") or kind == "data" and len(cells) == 1):
            lead = str(row[cells[0][1]])
            if lead[:1] in " \u3000\t" or re.match(r"\s*[(]?\d+[).、.]", lead) or len(cells) == 1:
                found.outcome.update(dict.fromkeys(cells, "context"))
                continue
        in_note = False
        if kind == "numbers":
            found.outcome.update(dict.fromkeys(cells, "label"))
        elif kind == "note":
            found.outcome.update(dict.fromkeys(cells, "context"))
            in_note = True
        elif kind == "meta":
            if body:
                close()
            above = above + cells
        elif kind == "header":
            if body:
                if _same_row(rows, header, row):
                    found.outcome.update(dict.fromkeys(cells, "label"))
                    continue
                if header and (
                    cells[-1][1] < min(_figures(rows, body), default=0)
                    or _only_remarked(rows, r, body, columns)
                ):
                    body.append(
                        r
                    )  # names only, none over the figures: a heading inside the table, in two languages perhaps
                    continue
                close()
            elif header and _heads_a_section(rows, r, header, cells):
                body.append(r)
                continue
            header.append(r)
        elif kind == "single":
            if (
                body
                and _starts_table(row[cells[0][1]])
                and _next_kind(rows, r, sheet) in ("header", "meta", "single")
            ):
                if re.match(r"续表", squeeze(str(row[cells[0][1]]))) and _repeats(rows, r, header):
                    found.outcome.update(dict.fromkeys(cells, "context"))
                    continue
                close()
            if (
                body
                or header
                and cells[0][1] == 0
                and _next_kind(rows, r, sheet) in ("data", "single")
            ):
                body.append(r)
            elif header:
                header.append(r)
            else:
                above = above + cells
        else:
            body.append(r)
    close()
    return out


def _figures(rows: list[list], body: Iterable[int]) -> set[int]:
    return {c for r in body for c, v in enumerate(rows[r]) if valueish(v)}


def _only_remarked(rows: list[list], r: int, body: list[int], columns: list[int]) -> bool:
    """Whether a row has a name and a remark and its figure is missing: the rows go on below as they were above."""
    own, above, below = (
        set(columns),
        _figures(rows, body),
        _figures(rows, range(r + 1, min(r + 2, len(rows)))),
    )
    return bool(below) and below <= above and not own & above


def _heads_a_section(
    rows: list[list], r: int, header: list[int], cells: list[tuple[int, int]]
) -> bool:
    """Whether names right below a header stand over the rows to come (人口 | Population), not over columns."""
    first = next(
        (k for k in range(r + 1, min(r + 6, len(rows))) if any(valueish(v) for v in rows[k])), None
    )
    if first is None:
        return False
    figures = min(c for c, v in enumerate(rows[first]) if valueish(v))
    above = rows[header[-1]]
    return cells[-1][1] < figures and all(
        c < len(above)
        and not is_empty(above[c])
        and c < len(rows[first])
        and not is_empty(rows[first][c])
        for _, c in cells
    )


def _panels(rows: list[list], block: Block) -> list[Block]:
    """Tables that stand beside each other: the stub's head again, or an empty column and then row names."""
    if not block.header:
        return [block]
    width = max(len(rows[r]) for r in (*block.header, *block.body))

    def column(c: int, where: list[int]) -> list:
        return [rows[r][c] for r in where if c < len(rows[r]) and not is_empty(rows[r][c])]

    def blank(c: int, where: list[int]) -> bool:
        return all(c >= len(rows[r]) or is_empty(rows[r][c]) for r in where)

    first = next((c for c in range(width) if not blank(c, block.body)), 0)
    heads = {squeeze(text_of(v)) for v in column(first, block.header)} & {
        h for h, role in HEADS.items() if role in ("name", "region", "period")
    }
    starts = [0]
    for c in range(first + 2, width - 1):
        head = {squeeze(text_of(v)) for v in column(c, block.header)}
        gap = blank(c - 1, block.body) and blank(c - 1, block.header)
        if (
            head
            and (heads & head or gap and any(valueish(v) for v in column(c + 1, block.body)))
            and (cells := column(c, block.body))
            and sum(valueish(v) and cell_span(v) is None for v in cells) * 2 <= len(cells)
            and any(valueish(v) for k in range(starts[-1], c) for v in column(k, block.body))
        ):
            starts.append(c)
    if len(starts) == 1:
        return [block]
    out = []
    ends = [*starts[1:], 1 << 20]
    units = [at for at in block.above if words.stated_unit(squeeze(str(rows[at[0]][at[1]])))]
    shared = [
        lines
        for lines in (units, [at for at in block.above if at not in units])
        if not all(
            any(left <= at[1] < right for at in lines)
            for left, right in zip(starts, ends, strict=True)
        )
    ]
    for left, right in zip(starts, ends, strict=True):
        own = [
            at
            for at in block.above
            if left <= at[1] < right or any(at in lines for lines in shared)
        ]
        body = [r for r in block.body if any(not is_empty(v) for v in rows[r][left:right])]
        out.append(Block(own, block.header, body, left, right))
    return [b for b in out if b.body]


def is_about(rows: list[list], block: Block) -> bool:
    """Whether a table only describes others: names, units, dates of update, sources, no figures."""
    heads = {squeeze(text_of(v)) for r in block.header for v in rows[r] if not is_empty(v)}
    return (
        bool(heads)
        and heads <= ABOUT | ABOUT_TOO
        and bool(heads & ABOUT | heads & {"页码", "表号"})
    )


def _starts_table(v: object) -> bool:
    t = squeeze(str(v))
    return bool(
        re.match(r"(?:附?表[\d一二三四五六七八九十]|续表)", t)
        or re.search(r"(?:表|情况|指标|统计|数据)(?:[((].*)?$", t)
        or words.period_in(t)
        and not words.whole_period(t)
    )


def _next_kind(rows: list[list], r: int, sheet: Sheet) -> str:
    for k in range(r + 1, min(r + 6, len(rows))):
        kind = _row_kind(rows[k], filled(rows[k]), k, False, False, sheet)
        if kind != "empty":
            return kind
    return "empty"


def _same_row(rows: list[list], header: list[int], row: list) -> bool:
    plain = [squeeze(text_of(v)) for v in row]
    return any([squeeze(text_of(v)) for v in rows[h]][: len(plain)] == plain for h in header)


def _repeats(rows: list[list], r: int, header: list[int]) -> bool:
    return any(_same_row(rows, header, rows[k]) for k in range(r + 1, min(r + 4, len(rows))))
