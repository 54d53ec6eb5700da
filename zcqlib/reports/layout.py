"""Find the tables of a sheet: a table is a run of header rows over a run of body rows, with lines above that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from zcqlib.reports import words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    CONTACT,
    META,
    NOTE,
    At,
    Found,
    cell_span,
    doubtful,
    filled,
    head_of,
    is_empty,
    said,
    text_of,
    valueish,
)
from zcqlib.reports.words import known, squeeze


@dataclass(slots=True, frozen=True)
class Block:
    """Rows of one table: lines above it, header rows, body rows, and its columns from `left` to `right`."""

    above: list[At]
    header: list[int]
    body: list[int]
    left: int = 0
    right: int = 1 << 20


# --- what a row is ----------------------------------------------------------------------------------------------------


class _Row:
    """A row as the rules see it: its filled cells, and what of the table has been seen before it."""

    def __init__(self, cells: list, columns: list[int], above: list, header: bool, body: bool):
        self.columns, self.cells, self.above = columns, [cells[c] for c in columns], above
        self.header, self.body, self.fresh = header, body, not header and not body
        self.first = self.cells[0]
        self.worded = isinstance(self.first, str)
        self.lead = squeeze(self.first) if self.worded else ""

    @cached_property
    def values(self) -> list[bool]:
        return [valueish(v) for v in self.cells]

    @cached_property
    def heads(self) -> list[bool]:
        return [isinstance(v, str) and squeeze(v) in known("head") for v in self.cells]

    @cached_property
    def headish(self) -> bool:
        return any(self.heads[:2]) or self.columns[0] > 0 and not self.header

    @cached_property
    def rest(self) -> list:
        return self.cells[1:] if self.worded else self.cells

    @cached_property
    def dated(self) -> bool:
        """Whether every number beside the row's name is a period; 单位 - of an index is no number here."""
        numbers = [
            v
            for v in self.rest
            if words.is_date(v)
            or valueish(v)
            and not (self.heads[0] and isinstance(v, str) and v.strip() in known("missing"))
        ]
        months = numbers and counted_months(numbers, [self.lead, *map(said, self.above)])
        return bool(months) or all(cell_span(v, serial=True) is not None for v in numbers)


_COUNTED = re.compile(r"(?:.*[/\\、])?(?:各|所属|统计)?(月|季)(?:份|度|别|份别)?")


def counted_in(texts: Iterable[str]) -> str:
    """ "月" or "季" where a head says that its numbers are months or quarters, else ""."""
    return next((m[1] for t in texts if (m := _COUNTED.fullmatch(t))), "")


def counted_months(cells: list, around: list[str]) -> str:
    """ "月" or "季" where bare 1, 2, 3 … stand for months or quarters by the words around them, else ""."""
    if len(cells) < 2 or not all(
        isinstance(v, int | float) or text_of(v).isdecimal() for v in cells
    ):
        return ""
    numbers = [float(v) for v in cells]
    steps = {b - a for a, b in zip(numbers, numbers[1:], strict=False)}
    unit = counted_in(around)
    inside = all(1 <= n <= (12 if unit == "月" else 4) for n in numbers)
    return unit if inside and steps in ({1.0}, {-1.0}) else ""


def _aside(row: _Row) -> str:
    """Contacts, notes and lines that say something about the whole table."""
    if not row.worded:
        return ""
    if CONTACT.match(row.lead):
        return "note"
    later = any(row.values[1:])
    if NOTE.match(row.lead) and not later and sum(row.heads) < 2:
        return "note"
    return "meta" if META.match(row.lead) and len(row.cells) <= 6 and not later else ""


def _caption(row: _Row) -> str:
    """A unit beside a title, or the titles of tables that stand beside each other."""
    if not row.fresh or not row.worded or any(row.values) or row.heads[0]:
        return ""
    texts = [squeeze(v) for v in row.cells if isinstance(v, str)]
    if len(row.cells) <= 4 and any(words.stated_unit(t)[0] for t in texts):
        return "meta"
    beside = len(texts) == len(row.cells) > 1 and all(map(_starts_table, texts))
    return "meta" if beside else ""


def _numbering(row: _Row) -> str:
    """A row that only numbers the columns: 甲 乙 1 2 3."""
    texts = [text_of(v).strip() for v in row.cells]
    numbers = [t.strip("()() ") for t in texts if t not in "甲乙丙丁戊己庚辛"]
    counted = (
        row.header
        and not row.body
        and len(texts) > 2
        and numbers == [str(n) for n in range(1, len(numbers) + 1)]
        and (len(numbers) < len(texts) or len(numbers) > 3)
    )
    return "numbers" if counted and not row.dated else ""


def _alone(row: _Row) -> str:
    if len(row.cells) > 1:
        return ""
    if row.fresh and head_of(row.lead) in ("name", "region", "period", "serial"):
        return "header"
    return "data" if valueish(row.first) and cell_span(row.first) is None else "single"


def _headed(row: _Row) -> str:
    """A head word in front, and no number that is not a period."""
    if row.headish and row.dated and (not row.body and row.rest or row.body and row.heads[0]):
        return "header"
    bare = row.fresh and not row.lead and len(row.rest) > 1
    return "header" if bare and any(row.values) and row.dated else ""


def _years(row: _Row) -> str:
    """Whole years: one after the other up or down, perhaps said twice, or all the same under the names of columns."""
    if row.body or len(row.rest) < 2 or not all(isinstance(v, int | float) for v in row.rest):
        return ""
    spans = [cell_span(v) for v in row.rest]
    if not all(s is not None and s.basis == "year" for s in spans):
        return ""
    distinct = list(dict.fromkeys(row.rest))
    if len(distinct) == 1:
        return "header" if row.header and row.columns[0] > 0 else ""
    ordered = distinct in (sorted(distinct), sorted(distinct, reverse=True))
    again = row.header and sum(cell_span(v) is not None for v in row.above) * 2 > len(row.rest)
    return "header" if ordered and (row.columns[0] > 0 or row.worded) and not again else ""


def _some_years(row: _Row) -> str:
    """2018 | 2017 | 增减 under a group word."""
    spans = [cell_span(v) for v, value in zip(row.cells, row.values, strict=True) if value]
    under = row.header and not row.body and row.columns[0] > 0
    mixed = 0 < len(spans) < len(row.cells)
    years = under and mixed and all(s is not None and s.basis == "year" for s in spans)
    return "header" if years else ""


def _worded(row: _Row) -> str:
    """No figure at all: a header, if it is not a row whose figures cannot be read."""
    if any(row.values):
        return "data"
    if words.is_date(row.first) and not row.headish and row.header:
        return "data"
    odd = [v for v in row.cells[1:] if isinstance(v, str) and re.match(r"\d", squeeze(v))]
    if row.header and odd and all(cell_span(v) is None for v in odd):
        bare = row.columns[0] == 0 and len(odd) == len(row.cells) - 1 and all(map(doubtful, odd))
        if bare or cell_span(row.first):
            return "data"
    return "header"


_RULES = (_aside, _caption, _numbering, _alone, _headed, _years, _some_years, _worded)


# --- tables -----------------------------------------------------------------------------------------------------------


class _Cutter:
    """Goes down a sheet and cuts it into tables; `named` says whether a text is a name that the catalog knows."""

    def __init__(self, sheet: Sheet, found: Found, named: Callable[[str], bool]):
        self.rows, self.found, self.named = sheet.rows, found, named
        self.out: list[Block] = []
        self.above: list[At] = []
        self.header: list[int] = []
        self.body: list[int] = []
        self.in_note = False

    def kind(self, r: int, columns: list[int], fresh: bool = False) -> str:
        if not columns:
            return "empty"
        cells, header, body = self.rows[r], bool(self.header), bool(self.body)
        first = cells[columns[0]]
        if isinstance(first, str) and len(columns) > 1 and not fresh and (header or body):
            lead = squeeze(first)
            plain = {type(cells[c]) for c in columns[1:]} <= {int, float}
            if lead not in known("head") and not CONTACT.match(lead):
                if body and plain:
                    return "data"  # by far most rows
                if self._under_names(columns[0]) and self.named(first):
                    return "data"  # whatever stands beside it
        above = self.rows[self.header[-1]] if header else []
        row = _Row(cells, columns, above, header and not fresh, body and not fresh)
        return next(kind for rule in _RULES if (kind := rule(row)))

    def _under_names(self, c: int) -> bool:
        above = (self.rows[h][c] for h in self.header if c < len(self.rows[h]))
        return any(head_of(said(v)) == "name" for v in above)

    def next_kind(self, r: int) -> str:
        for k in range(r + 1, min(r + 6, len(self.rows))):
            if columns := filled(self.rows[k]):
                return self.kind(k, columns, fresh=True)
        return "empty"

    def cut(self) -> list[Block]:
        for r, row in enumerate(self.rows):
            columns = filled(row)
            kind = self.kind(r, columns)
            if kind == "data" and not self.in_note:
                self.body.append(r)
                continue
            if not self._note_goes_on(kind, row, columns):
                getattr(self, f"_{kind}")(r, [(r, c) for c in columns])
                self.in_note = kind == "note"
            else:
                self.found.mark([(r, c) for c in columns], "context")
        self._close()
        return self.out

    def _note_goes_on(self, kind: str, row: list, columns: list[int]) -> bool:
        if not self.in_note or not (kind in ("single", "header") or kind == "data"):
            return False
        lead = str(row[columns[0]])
        further = lead[:1] in " \u3000\t" or re.match(r"\s*[(]?\d+[).、.]", lead)
        return len(columns) == 1 or bool(further) and kind != "data"

    def _close(self) -> None:
        if self.body:
            self.out += panels(self.rows, Block(self.above, self.header, self.body))
        else:
            self.above += [(r, c) for r in self.header for c in filled(self.rows[r])]
            for at in self.above:
                self.found.outcome.setdefault(at, "context")
        self.above, self.header, self.body = [], [], []

    def _empty(self, r: int, cells: list[At]) -> None:
        if self.body and self.next_kind(r) in ("single", "header", "meta"):
            self._close()

    def _numbers(self, r: int, cells: list[At]) -> None:
        self.found.mark(cells, "label")

    def _note(self, r: int, cells: list[At]) -> None:
        self.found.mark(cells, "context")

    def _meta(self, r: int, cells: list[At]) -> None:
        if self.body:
            self._close()
        self.above += cells

    def _data(self, r: int, cells: list[At]) -> None:
        self.body.append(r)

    def _header(self, r: int, cells: list[At]) -> None:
        if self.body:
            if _same_row(self.rows, self.header, self.rows[r]):
                self.found.mark(cells, "label")
                return
            if self.header and self._inside(r, cells):
                self.body.append(r)  # names only: a heading in the table, in two languages perhaps
                return
            self._close()
        elif self.header and self._heads_a_section(r, cells):
            self.body.append(r)
            return
        self.header.append(r)

    def _single(self, r: int, cells: list[At]) -> None:
        text = said(self.rows[r][cells[0][1]])
        after = self.next_kind(r)
        if self.body and _starts_table(text) and after in ("header", "meta", "single"):
            again = any(_same_row(self.rows, self.header, row) for row in self.rows[r + 1 : r + 4])
            if text.startswith("续表") and again:
                self.found.mark(cells, "context")
                return
            self._close()
        if self.body or self.header and cells[0][1] == 0 and after in ("data", "single"):
            self.body.append(r)
        elif self.header:
            self.header.append(r)
        else:
            self.above += cells

    def _inside(self, r: int, cells: list[At]) -> bool:
        """Whether a row without figures belongs into the table: it stands left of all figures, or only remarks."""
        above = _figures(self.rows, self.body)
        below = _figures(self.rows, range(r + 1, min(r + 2, len(self.rows))))
        remarked = below and below <= above and not {c for _, c in cells} & above
        return cells[-1][1] < min(above, default=0) or bool(remarked)

    def _heads_a_section(self, r: int, cells: list[At]) -> bool:
        """Whether names right below a header stand over the rows to come (人口 | Population), not over columns."""
        coming = (row for row in self.rows[r + 1 : r + 6] if any(map(valueish, row)))
        if (first := next(coming, None)) is None:
            return False
        above = self.rows[self.header[-1]]
        figures = next(c for c, v in enumerate(first) if valueish(v))
        return cells[-1][1] < figures and all(
            _holds(above, c) and _holds(first, c) for _, c in cells
        )


def blocks(sheet: Sheet, found: Found, named: Callable[[str], bool]) -> list[Block]:
    """Split a sheet into tables; notes and contact lines become context on the way."""
    return _Cutter(sheet, found, named).cut()


def _holds(row: list, c: int) -> bool:
    return c < len(row) and not is_empty(row[c])


def _figures(rows: list[list], body: Iterable[int]) -> set[int]:
    return {c for r in body for c, v in enumerate(rows[r]) if valueish(v)}


def panels(rows: list[list], block: Block) -> list[Block]:
    """Tables that stand beside each other: the stub's head again, or an empty column and then row names."""
    starts = _panel_starts(rows, block) if block.header else [0]
    if len(starts) == 1:
        return [block]
    ends = [*starts[1:], 1 << 20]
    sides = list(zip(starts, ends, strict=True))
    units = [at for at in block.above if words.stated_unit(said(rows[at[0]][at[1]]))[0]]
    other = [at for at in block.above if at not in units]
    shared = [  # lines of which not every table has its own
        at
        for lines in (units, other)
        if not all(any(left <= at[1] < right for at in lines) for left, right in sides)
        for at in lines
    ]
    out = []
    for left, right in sides:
        own = [at for at in block.above if left <= at[1] < right or at in shared]
        body = [r for r in block.body if any(not is_empty(v) for v in rows[r][left:right])]
        out.append(Block(own, block.header, body, left, right))
    return [b for b in out if b.body]


def _panel_starts(rows: list[list], block: Block) -> list[int]:
    width = max(len(rows[r]) for r in (*block.header, *block.body))

    def column(c: int, where: list[int]) -> list:
        return [rows[r][c] for r in where if _holds(rows[r], c)]

    def head(c: int) -> set[str]:
        return {said(v) for v in column(c, block.header)}

    first = next((c for c in range(width) if column(c, block.body)), 0)
    heads = {h for h in head(first) if known("head").get(h) in ("name", "region", "period")}
    starts = [0]
    for c in range(first + 2, width - 1):
        if not (own := head(c)):
            continue
        if not heads & own:
            gap = not head(c - 1) and not any(_holds(rows[r], c - 1) for r in block.body)
            if not gap or not any(map(valueish, column(c + 1, block.body))):
                continue
        cells = column(c, block.body)
        names = sum(valueish(v) and cell_span(v) is None for v in cells) * 2 <= len(cells)
        before = (v for k in range(starts[-1], c) for v in column(k, block.body))
        if cells and names and any(map(valueish, before)):
            starts.append(c)
    return starts


def is_about(rows: list[list], block: Block) -> bool:
    """Whether a table only describes others: names, units, dates of update, sources, no figures."""
    heads = {said(v) for r in block.header for v in rows[r] if not is_empty(v)}
    about = known("about")
    strong = {h for h in heads if about.get(h) == "strong"} | heads & {"页码", "表号"}
    return bool(strong) and heads <= set(about)


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
