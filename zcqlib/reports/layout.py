"""Find the tables of a sheet: a table is a run of header rows over a run of body rows, with lines above that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from zcqlib.reports import words
from zcqlib.reports.grid import Budget, Sheet
from zcqlib.reports.labels import (
    CONTACT,
    NOTE,
    At,
    Found,
    cell_span,
    doubtful,
    filled,
    head_of,
    is_empty,
    meta,
    said,
    text_of,
    valueish,
)
from zcqlib.reports.words import known, squeeze


class Block(NamedTuple):
    """Rows of one table: lines above it, header rows, body rows, and its columns from `left` to `right`."""

    above: list[At]
    header: list[int]
    body: list[int]
    left: int = 0
    right: int = 1 << 20


# --- what a row is ----------------------------------------------------------------------------------------------------


class _Row:
    """A row as the rules see it: its filled cells, and what of the table has been seen before it."""

    def __init__(self, cells: list, above: list, inner: bool, header: bool, body: bool):
        self.cells, self.above, self.inner = cells, above, inner
        self.header, self.body, self.fresh = header, body, not header and not body
        self.first = cells[0]
        self.worded = isinstance(self.first, str)
        self.lead = squeeze(self.first) if self.worded else ""
        self.rest = cells[1:] if self.worded else cells

    @cached_property
    def values(self) -> list[bool]:
        return [valueish(v) for v in self.cells]

    @cached_property
    def heads(self) -> list[bool]:
        return [isinstance(v, str) and squeeze(v) in known("head") for v in self.cells]

    @cached_property
    def headish(self) -> bool:
        return any(self.heads[:2]) or self.inner and not self.header

    @cached_property
    def dated(self) -> bool:
        """Whether every number beside the row's name is a period; 单位 - of an index is no number here."""
        marks = known("missing") if self.heads[0] else ()
        numbers = [v for v in self.rest if words.is_date(v) or valueish(v) and said(v) not in marks]
        return _counted_months(numbers, [self.lead, *map(said, self.above)]) or all(
            cell_span(v, serial=True) for v in numbers
        )


_COUNTED = re.compile(r"(?:.*[/\\、])?(?:各|所属|统计)?(?:(月)(?:份|份?别)?|(季)[度别]?)")


def counted_in(texts: Iterable[str]) -> str:
    """ "月" or "季度" where a head says that its numbers are months or quarters, else ""."""
    found = (m for t in texts if (m := _COUNTED.fullmatch(t)))
    return next((m[1] or "季度" for m in found), "")


def _counted_months(cells: list, around: list[str]) -> bool:
    """Whether bare 1, 2, 3 … stand for months or quarters by the words around them."""
    most, texts = {"": 0, "月": 12, "季度": 4}[counted_in(around)], list(map(text_of, cells))
    if len(texts) < 2 or not all(map(str.isdecimal, texts)):
        return False
    numbers = list(map(int, texts))
    return max(numbers) <= most and {b - a for a, b in pairwise(numbers)} in ({1}, {-1})


def _aside(row: _Row) -> str:
    """Contacts, notes and lines that say something about the whole table; a unit beside a title; titles of tables beside
    each other."""
    if CONTACT.match(row.lead):
        return "note"
    if not row.worded or any(row.values[1:]):
        return ""
    if NOTE.match(row.lead) and sum(row.heads) < 2:
        return "note"
    if meta(row.lead)[0] and len(row.cells) <= 6:
        return "meta"
    if not row.fresh or row.values[0] or row.heads[0]:
        return ""
    texts = list(map(said, row.cells))
    unit = len(texts) <= 4 and any(words.stated_unit(t)[0] for t in texts)
    return "meta" if unit or len(texts) > 1 and all(map(_starts_table, texts)) else ""


def _numbering(row: _Row) -> str:
    """A row that only numbers the columns: 甲 乙 1 2 3."""
    texts = [text_of(v).strip() for v in row.cells]
    numbers = [t.strip("()() ") for t in texts if t not in "甲乙丙丁戊己庚辛"]
    counted = row.header and not row.body and numbers == [*map(str, range(1, len(numbers) + 1))]
    enough = 2 < len(texts) > len(numbers) or len(numbers) > 3
    return "numbers" if counted and enough and not row.dated else ""


def _alone(row: _Row) -> str:
    if len(row.cells) > 1:
        return ""
    if row.fresh and head_of(row.lead) in ("name", "region", "period", "serial"):
        return "header"
    return "data" if row.values[0] and cell_span(row.first) is None else "single"


def _headed(row: _Row) -> str:
    """A head word in front, and no number that is not a period."""
    headish = row.headish and (row.heads[0] if row.body else row.rest)
    bare = row.fresh and not row.lead and len(row.rest) > 1 and any(row.values)
    return "header" if (headish or bare) and row.dated else ""


def _years(row: _Row) -> str:
    """Whole years: one after the other up or down, perhaps said twice; under names all the same, or beside words."""
    years = [v for v, value in zip(row.cells, row.values, strict=True) if value]
    spans = [cell_span(v) for v in years]
    if row.body or not all(s is not None and s.basis == "year" for s in spans):
        return ""
    distinct = list(dict.fromkeys(s.end for s in spans))
    if 0 < len(years) < len(row.rest) or len(distinct) == 1 < len(years):
        return "header" if row.header and row.inner else ""
    ordered = len({b > a for a, b in pairwise(distinct)}) == 1
    again = row.header and sum(cell_span(v) is not None for v in row.above) * 2 > len(row.rest)
    typed = any(isinstance(v, str) for v in years)  # figures as text, more often
    return "header" if ordered and (row.inner or row.worded) and not (again or typed) else ""


def _worded(row: _Row) -> str:
    """No figure at all: a header, if it is not a row whose figures cannot be read."""
    if any(row.values) or row.header and words.is_date(row.first) and not row.headish:
        return "data"
    odd = [v for v in row.cells[1:] if isinstance(v, str) and squeeze(v)[:1].isdecimal()]
    if row.header and odd and all(cell_span(v) is None for v in odd):
        bare = not row.inner and len(odd) == len(row.cells) - 1 and all(map(doubtful, odd))
        if bare or cell_span(row.first):
            return "data"
    return "header"


_RULES = (_aside, _numbering, _alone, _headed, _years, _worded)


# --- tables -----------------------------------------------------------------------------------------------------------


class Cutter:
    """Goes down a sheet and cuts it into tables; notes and contact lines become context on the way. `named` says whether the catalog knows a text, as a figure or a place."""

    def __init__(self, sheet: Sheet, found: Found, named: Callable[[str], bool]):
        self.rows, self.found, self.named = sheet.rows, found, named
        self.out, self.budget = [], Budget()
        self.above, self.header, self.body = [], [], []

    def kind(self, r: int, columns: list[int], fresh: bool = False) -> str:
        if not columns:
            return "empty"
        cells, header, body = [self.rows[r][c] for c in columns], self.header, self.body
        if isinstance(cells[0], str) and len(columns) > 1 and not fresh and (header or body):
            lead = squeeze(cells[0])
            if lead not in known("head") and not CONTACT.match(lead):
                if body and {type(v) for v in cells[1:]} <= {int, float}:
                    return "data"  # by far most rows
                over = (said(v) for h in header for v in self.rows[h][columns[0] : columns[0] + 1])
                if {"name", "region"} & set(map(head_of, over)) and self.named(cells[0]):
                    return "data"  # whatever stands beside it
        above = self.rows[header[-1]] if header else []
        header, body = header and not fresh, body and not fresh
        row = _Row(cells, above, columns[0] > 0, bool(header), bool(body))
        return next(kind for rule in _RULES if (kind := rule(row)))

    def next_kind(self, r: int) -> str:
        coming = ((k, filled(self.rows[k])) for k in range(r + 1, min(r + 6, len(self.rows))))
        return next((self.kind(k, columns, True) for k, columns in coming if columns), "empty")

    def cut(self) -> list[Block]:
        in_note = False
        for r, row in enumerate(self.rows):
            columns = filled(row)
            kind, cells = self.kind(r, columns), [(r, c) for c in columns]
            if in_note and _goes_on(kind, row, columns):
                where = "context"
            else:
                in_note, where = kind == "note", self._where(kind, r, cells)
            if where in ("label", "context"):
                self.found.mark(cells, where)
            else:
                getattr(self, where).extend(cells if where == "above" else [r])
        self._close()
        return self.out

    def _close(self) -> None:
        if self.body:
            self.budget.spend(tables=1)
            self.out += panels(self.rows, Block(self.above, self.header, self.body))
        else:
            self.above += [(r, c) for r in self.header for c in filled(self.rows[r])]
            for at in self.above:
                self.found.outcome.setdefault(at, "context")
        self.above, self.header, self.body = [], [], []

    def _where(self, kind: str, r: int, cells: list[At]) -> str:
        """What becomes of a row: a line above a table, its header or body, a label or context; or it ends one."""
        if kind in ("empty", "meta"):
            if self.body and (kind == "meta" or self.next_kind(r) in ("single", "header", "meta")):
                self._close()
            return "above"
        if kind == "header":
            return self._header(r, cells)
        if kind == "single":
            return self._single(r, cells)
        return {"numbers": "label", "note": "context", "data": "body"}[kind]

    def _header(self, r: int, cells: list[At]) -> str:
        rows, last = self.rows, cells[-1][1]
        if not self.body:
            # names right below a header that stand over the rows to come (人口 | Population), not over columns
            coming = next((row for row in rows[r + 1 : r + 6] if any(map(valueish, row))), [])
            section = self.header and last < min(_figures([coming]), default=0)
            over = ({*filled(row)} for row in (rows[self.header[-1]] if section else [], coming))
            inside = section and all({c for _, c in cells} <= columns for columns in over)
            return "body" if inside else "header"
        if _same_row(rows, self.header, rows[r]):
            return "label"
        if self.header and last < min(_figures(rows[b] for b in self.body), default=0):
            return "body"  # names left of all figures: a heading in the table, in two languages perhaps
        self._close()
        return "header"

    def _single(self, r: int, cells: list[At]) -> str:
        text, after = said(self.rows[r][cells[0][1]]), self.next_kind(r)
        if self.body and _starts_table(text) and after in ("header", "meta", "single"):
            self._close()
        if self.body or self.header and cells[0][1] == 0 and after in ("data", "single"):
            return "body"
        return "header" if self.header else "above"


def _figures(rows: Iterable[list]) -> set[int]:
    return {c for row in rows for c, v in enumerate(row) if valueish(v)}


def _goes_on(kind: str, row: list, columns: list[int]) -> bool:
    """Whether a row goes on with the note above it."""
    if kind not in ("single", "header", "data") or len(columns) == 1:
        return kind in ("single", "header", "data")
    lead = str(row[columns[0]])
    return kind != "data" and bool(re.match(r"[ \u3000\t]|\s*[(]?\d+[).、.]", lead))


def panels(rows: list[list], block: Block) -> list[Block]:
    """Tables that stand beside each other: the stub's head again, or an empty column and then row names."""
    starts = _panel_starts(rows, block) if block.header else [0]
    if len(starts) == 1:
        return [block]
    sides = list(zip(starts, [*starts[1:], 1 << 20], strict=True))
    stated = {at: bool(words.stated_unit(said(rows[at[0]][at[1]]))[0]) for at in block.above}
    shared = {  # lines of which not every table has its own: of units, and of all others
        unit
        for unit in (True, False)
        for left, right in sides
        if not any(left <= c < right for (_, c), u in stated.items() if u == unit)
    }
    out = []
    for left, right in sides:
        own = [at for at in block.above if left <= at[1] < right or stated[at] in shared]
        if body := [r for r in block.body if filled(rows[r][left:right])]:
            out.append(Block(own, block.header, body, left, right))
    return out


def _panel_starts(rows: list[list], block: Block) -> list[int]:
    width = max(len(rows[r]) for r in (*block.header, *block.body))

    def columns(where: list[int]) -> list[list]:
        return [
            [v for r in where for v in rows[r][c : c + 1] if not is_empty(v)] for c in range(width)
        ]

    heads, bodies = [{*map(said, cells)} for cells in columns(block.header)], columns(block.body)
    first = next((c for c in range(width) if bodies[c]), 0)
    lead = {h for h in heads[first] if known("head").get(h) in ("name", "region", "period")}
    starts = [0]
    for c in range(first + 2, width - 1):
        gap = heads[c] and not heads[c - 1] and not bodies[c - 1]
        begins = lead & heads[c] or gap and any(map(valueish, bodies[c + 1]))
        figures = sum(valueish(v) and cell_span(v) is None for v in bodies[c])
        before = any(valueish(v) for k in range(starts[-1], c) for v in bodies[k])
        if begins and bodies[c] and figures * 2 <= len(bodies[c]) and before:
            starts.append(c)
    return starts


def is_about(rows: list[list], block: Block) -> bool:
    """Whether a table only describes others: names, units, dates of update, sources, no figures."""
    heads = {said(v) for r in block.header for v in rows[r] if not is_empty(v)}
    about = known("about")
    strong = any(about.get(h) == "strong" or h in ("页码", "表号") for h in heads)
    return strong and heads <= set(about)


def _starts_table(t: str) -> bool:
    return bool(
        re.match(r"(?:附?表[\d一二三四五六七八九十]|续表)", t)
        or re.search(r"(?:表|情况|指标|统计|数据)(?:[((].*)?$", t)
        or words.period_in(t)
        and not words.whole_period(t)
    )


def _same_row(rows: list[list], header: list[int], row: list) -> bool:
    plain = [said(v) for v in row]
    return any(plain) and any([said(v) for v in rows[h]][: len(plain)] == plain for h in header)
