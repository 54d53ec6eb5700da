"""Find the tables of a sheet: a table is a run of header rows over a run of body rows, with lines above that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import Budget, Sheet
from zcqlib.reports.labels import (
    CONTACT,
    NOTE,
    TITLE_NOISE,
    At,
    Found,
    Place,
    Scope,
    cell_span,
    doubtful,
    filled,
    head_of,
    is_empty,
    meta,
    place_of,
    said,
    shift,
    text_of,
    valueish,
)
from zcqlib.reports.words import Span, known, squeeze


class Block(NamedTuple):
    """Rows of one table: lines above it, header rows, body rows, and its columns from `left` to `right`."""

    above: list[At]
    header: list[int]
    body: list[int]
    left: int = 0
    right: int = 1 << 20


# --- what a row is ----------------------------------------------------------------------------------------------------


class _Row:
    """A row as the rules see it: its filled cells from column `left` on, the header rows above it, whether figures came.

    `named` says whether the catalog knows a text, as a figure or a place.
    """

    def __init__(
        self, cells: list, left: int, header: list[list], body: bool, named: Callable[[str], bool]
    ):
        self.cells, self.left, self.header, self.body, self.named = cells, left, header, body, named
        self.fresh, self.first = not header and not body, cells[0]
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
    def dated(self) -> bool:
        """Whether every number beside the row's name is a period; 单位 - of an index is no number here."""
        above = [said(v) for row in self.header[-1:] for v in row]
        unit, none = counted_in([self.lead, *above]), known("missing")
        numbers = (v for v in self.rest if words.is_date(v) or valueish(v) and said(v) not in none)
        return all(cell_span(v, serial=True) or counted_span(v, unit) for v in numbers)


_COUNTED = re.compile(r"(?:.*[/\\、])?(?:各|所属|统计)?(?:(月)(?:份|份?别)?|(季)[度别]?)")


def counted_in(texts: Iterable[str]) -> str:
    """ "月" or "季度" where a head says that its numbers are months or quarters, else ""."""
    found = (m for t in texts if (m := _COUNTED.fullmatch(t)))
    return next((m[1] or "季度" for m in found), "")


def counted_span(v: object, unit: str) -> Span | None:
    """The month or quarter that a bare number is under such a head."""
    text = text_of(v).strip() if unit else ""
    return words.whole_period(text + unit) if text.isdecimal() else None


def _named(row: _Row) -> str:
    """Figures behind a name, and whatever stands beside a name that the catalog knows."""
    if row.fresh or len(row.cells) < 2 or row.heads[0] or CONTACT.match(row.lead):
        return ""
    if row.body and row.worded and {*map(type, row.rest)} <= {int, float}:
        return "data"  # by far most rows
    over = (head_of(said(v)) for above in row.header for v in above[row.left : row.left + 1])
    named = row.worded and {"name", "region"} & {*over} and row.named(row.first)
    return "data" if named else ""


def _aside(row: _Row) -> str:
    """Contacts, notes and lines that say something about the whole table; a unit beside a title; titles of tables beside
    each other."""
    if CONTACT.match(row.lead):
        return "note"
    if not row.worded or any(row.values[1:]):
        return ""
    if NOTE.match(row.lead):
        return "note"
    if meta(row.lead)[0]:
        return "meta"
    texts = list(map(said, row.cells))
    unit = len(texts) <= 4 and any(words.stated_unit(t)[0] for t in texts)
    line = unit or len(texts) > 1 and all(map(_starts_table, texts))
    return "meta" if row.fresh and line and not (row.values[0] or row.heads[0]) else ""


def _numbering(row: _Row) -> str:
    """A row that only numbers the columns: 甲 乙 1 2 3."""
    texts = [text_of(v).strip() for v in row.cells]
    numbers = [t.strip("()() ") for t in texts if t not in "甲乙丙丁戊己庚辛"]
    counted = row.header and not row.body and numbers == [*map(str, range(1, len(numbers) + 1))]
    return "numbers" if counted and len(texts) > 2 and not row.dated else ""


def _alone(row: _Row) -> str:
    if len(row.cells) > 1:
        return ""
    if row.fresh and head_of(row.lead) in ("name", "region", "period", "serial"):
        return "header"
    return "data" if row.values[0] and cell_span(row.first) is None else "single"


def _headed(row: _Row) -> str:
    """A head word in front, and no number that is not a period."""
    inner = row.left > 0 and not row.header
    head = row.heads[0] if row.body else row.rest and (inner or any(row.heads[:2]))
    bare = row.fresh and not row.lead and len(row.rest) > 1 and any(row.values)
    return "header" if (head or bare) and row.dated else ""


def _years(row: _Row) -> str:
    """Whole years: one after the other up or down, perhaps said twice; under names all the same, or beside words."""
    years = [v for v, value in zip(row.cells, row.values, strict=True) if value]
    spans = [cell_span(v) for v in years]
    if row.body or not all(s is not None and s.basis == "year" for s in spans):
        return ""
    distinct = list(dict.fromkeys(s.end for s in spans))
    if 0 < len(years) < len(row.rest) or len(distinct) == 1 < len(years):
        return "header" if row.header and row.left else ""
    ordered = len({b > a for a, b in pairwise(distinct)}) == 1
    typed = any(isinstance(v, str) for v in years)  # figures as text, more often
    return "header" if ordered and (row.left or row.worded) and not typed else ""


def _worded(row: _Row) -> str:
    """No figure at all: a header, if it is not a row whose figures cannot be read."""
    if any(row.values) or row.header and words.is_date(row.first) and not row.left:
        return "data"
    odd = [v for v in row.cells[1:] if isinstance(v, str) and squeeze(v)[:1].isdecimal()]
    if row.header and odd and not any(map(cell_span, odd)):
        bare = not row.left and len(odd) == len(row.cells) - 1 and all(map(doubtful, odd))
        if bare or cell_span(row.first):
            return "data"
    return "header"


_RULES = (_named, _aside, _numbering, _alone, _headed, _years, _worded)


# --- tables -----------------------------------------------------------------------------------------------------------


class Cutter:
    """Goes down a sheet and cuts it into tables; notes and contact lines become context on the way."""

    def __init__(self, sheet: Sheet, found: Found, named: Callable[[str], bool]):
        self.rows, self.found, self.named = sheet.rows, found, named
        self.out, self.budget = [], Budget()
        self.above, self.header, self.body = [], [], []

    def kind(self, r: int, fresh: bool = False) -> str:
        columns = filled(self.rows[r])
        if not columns:
            return "empty"
        header = [] if fresh else [self.rows[h] for h in self.header]
        cells, body = [self.rows[r][c] for c in columns], bool(self.body) and not fresh
        row = _Row(cells, columns[0], header, body, self.named)
        return next(kind for rule in _RULES if (kind := rule(row)))

    def next_kind(self, r: int) -> str:
        coming = (self.kind(k, True) for k in range(r + 1, min(r + 6, len(self.rows))))
        return next((kind for kind in coming if kind != "empty"), "empty")

    def cut(self) -> list[Block]:
        in_note = False
        for r, row in enumerate(self.rows):
            kind, cells = self.kind(r), [(r, c) for c in filled(row)]
            if in_note and _goes_on(kind, [row[c] for _, c in cells]):
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
        rows, columns = self.rows, {c for _, c in cells}
        above = [rows[h] for h in self.header]
        if any(list(map(said, row))[: len(rows[r])] == list(map(said, rows[r])) for row in above):
            return "label"
        coming = (row for row in rows[r + 1 : r + 6] if any(map(valueish, row)))
        figures = _figures(rows[b] for b in self.body) if self.body else _figures([*coming][:1])
        under = self.body or above and columns <= {*filled(above[-1])}
        if above and under and max(columns) < min(figures, default=0):
            return "body"  # names left of all figures: a heading in the table, in two languages perhaps
        if self.body:
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


def _goes_on(kind: str, cells: list) -> bool:
    """Whether a row goes on with the note above it."""
    numbered = cells and re.match(r"[ \u3000\t]|\s*[(]?\d+[).、.]", str(cells[0]))
    alone = len(cells) == 1 and kind in ("single", "header", "data")
    return alone or kind == "header" and bool(numbered)


def panels(rows: list[list], block: Block) -> list[Block]:
    """Tables that stand beside each other: the stub's head again, or an empty column and then row names.

    Each has the lines above it; lines of units, and all others, are of every table that has none of its own.
    """
    starts = _panel_starts(rows, block) if block.header else [0]
    if len(starts) == 1:
        return [block]
    units = {at: bool(words.stated_unit(said(rows[at[0]][at[1]]))[0]) for at in block.above}
    out = []
    for left, right in pairwise([*starts, 1 << 20]):
        kinds = {units[at] for at in block.above if left <= at[1] < right}
        own = [at for at in block.above if left <= at[1] < right or units[at] not in kinds]
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
    lead = {h for h in heads[first] if head_of(h) in ("name", "region", "period")}
    starts = [0]
    for c in range(first + 2, width - 1):
        gap = heads[c] and not heads[c - 1] and not bodies[c - 1]
        begins = lead & heads[c] or gap and any(map(valueish, bodies[c + 1]))
        figures = sum(valueish(v) and cell_span(v) is None for v in bodies[c])
        if begins and bodies[c] and figures * 2 <= len(bodies[c]):
            starts.append(c)
    return starts


def is_about(rows: list[list], block: Block) -> bool:
    """Whether a table only describes others: names, units, dates of update, sources, no figures."""
    heads = {said(v) for r in block.header for v in rows[r] if not is_empty(v)}
    said_of = {known("about").get(h) for h in heads}
    return "strong" in said_of and None not in said_of


def _starts_table(t: str) -> bool:
    return bool(
        re.match(r"(?:附?表[\d一二三四五六七八九十]|续表)", t)
        or re.search(r"(?:表|情况|指标|统计|数据)(?:[((].*)?$", t)
        or words.period_in(t)
        and not words.whole_period(t)
    )


# --- what stands around a table ---------------------------------------------------------------------------------------

_NATION = re.compile(r"^数据库[::](?:月度|季度|年度|进度)数据$")
_CONTINUED = re.compile(r"[(]?续表?[\d一二三四五六七八九十]*[)]?")
_TITLE = re.compile(r"(?=.*[\u4e00-\u9fff]).*[\u4e00-\u9fffA-Za-z]{2}")
_NO_TITLE = re.compile(  # words that stand for any table, and letterheads
    r".*(?:数据|报表|主要|表$|情况|汇总)|(?:sheet|table|工作)"
    r"|.*(?:局|委员会|办公室|政府|厅|处|中心|公司|集团|研究院|协会|学会|党委|工委|支队|总队)(?:文件|编制|编印|印发|印制|制)?$",
    re.I,
)


class Surroundings:
    """What the lines above a table, the sheet name, the file name and the report month say, nearest first."""

    def __init__(
        self, sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
    ):
        own = ((str(sheet.rows[r][c]), (r, c)) for r, c in block.above)
        own = {x: at for x, at in own if not _CONTINUED.fullmatch(squeeze(x))}
        self.lines = list(own) or inherited or sheet.title.split("\n")
        self.scope, self.sheet, self.name_at = scope, sheet, None
        self.near = [(squeeze(x), own.get(x)) for x in reversed(self.lines)]
        self.meta = dict(meta(t) for t, _ in reversed(self.near))
        self.unit, self.unit_at, self.strange_unit = self._unit()
        self.indicator, self.indicator_unit = words.split_unit(self.meta.get("indicator", ""))
        self.span, self.span_at = self._span(found)
        self.place, self.flags = self._place()

    def _unit(self) -> tuple[str, At | None, str]:
        """The unit of the nearest line that has one, its cell, and words after 单位 that are no unit."""
        for t, at in self.near:
            unit, strange = words.stated_unit(t)
            if unit := unit or strange or words.split_unit(words.without_period(t))[1]:
                return unit, at, strange
        return "", None, ""

    def _span(self, found: Found) -> tuple[Span | None, At | None]:
        """The period of the nearest line that has one; a month of the same year is nearer than the year alone.

        The title goes before the sheet, and a conflict is said; the file's name comes last, but for a mere year in no cell.
        """
        name, file = self.sheet.name, self.scope.file_span
        # 截止日期:2018-09-30 is an end and no month
        lines = [
            (f[0]._replace(basis="eop") if t.startswith("截") else f[0], at)
            for t, at in self.near
            if meta(t)[0] in ("", "period") and (f := words.period_in(t))
        ]
        agree = [line for line in lines if _agree(lines[0][0], line[0])]
        span, at = min(agree, key=lambda line: line[0].basis == "year", default=(None, None))
        sheet = words.stated_period(squeeze(name))
        if sheet and span and not _agree(span, sheet):
            found.tell("context_conflict", None, name)
        nearest = [*(x for x, _ in lines), sheet, file]
        span = with_year(span or sheet, nearest, self.scope.published)
        coarse = span and not at and span.basis == "year" and file and _agree(span, file)
        return file if coarse else span or file, at

    def _place(self) -> tuple[Place | None, tuple[str, ...]]:
        """The place that a line, the sheet or the file names; at last the nation or the sender's own, flagged."""
        scope, catalog = self.scope, self.scope.catalog
        sheet, lines = place_of(self.sheet.name, catalog), "".join(self.lines[:3])
        place = place_of(self.meta.get("region", ""), catalog) or _only_place(lines, catalog)
        known = sheet if sheet and sheet.kind in ("known", "total") else None
        if place := place or known or _only_place(scope.file, catalog):
            return place, ()
        name, id = "", scope.sender_region
        if any(_NATION.match(t) for t, _ in self.near):
            name, id = "全国", ""
        name = name or id and catalog.name(id)
        return (Place(id, name, "total"), ("region_assumed",)) if name else (None, ())

    @cached_property
    def title(self) -> tuple[str, str]:
        """The indicator that a line or the title names when neither rows nor columns do, and the flag that says whence.

        A name that the catalog knows goes before one that it does not, a nearer line before one above it; letterheads
        are no titles.
        """
        if self.indicator:
            return self.indicator, ""
        catalog, sheet = self.scope.catalog, squeeze(self.sheet.name)
        file = squeeze(re.sub(r"\.\w+$", "", self.scope.file))
        sources = [(t, "indicator_from_title", at) for t, at in self.near if not meta(t)[0]]
        sources += [(sheet, "indicator_from_sheet", None), (file, "from_filename", None)]
        named = [(strip_title(t, catalog), *more) for t, *more in sources]
        sure = [n for n in named if n[0] and catalog.match_indicator(n[0], False).id]
        likely = [
            n
            for n in named[:-1]
            if _TITLE.match(n[0]) and not (_NO_TITLE.match(n[0]) or place_of(n[0], catalog))
        ]
        name, flag, self.name_at = [*sure, *likely, ("", "", None)][0]
        return name, flag


def _agree(a: Span, b: Span) -> bool:
    """Whether two periods can be of one table: no two years, no two months."""
    years = a.year and b.year and a.end // 12 != b.end // 12
    return not (years or a.basis == b.basis == "month" and a.end % 12 != b.end % 12)


def strip_title(t: str, catalog: Catalog) -> str:
    """A title without table number, period, region and the words that every title has."""
    t = re.sub(r"^截[至止]", "", words.without_period(t))
    for _ in range(3):
        t = TITLE_NOISE.sub("", t)
    zone = catalog.zone
    ours = "|".join(map(re.escape, (zone.short_zh, zone.city_zh, zone.city_zh.removesuffix("市"))))
    place = (
        rf"^(?:{ours}|全[市省国]|(?!地区)[\u4e00-\u9fff]{{1,6}}(?<!地)区)(?=[\u4e00-\u9fff]{{3}})"
    )
    return re.sub(place, "", t).strip("()():、,的—-")


def _only_place(text: str, catalog: Catalog) -> Place | None:
    """The only one of our own places whose name stands in a longer text."""
    t, ours = squeeze(text), catalog.regions.values()
    names = {n: p.id for p in ours for n in (p.name_zh, p.short_zh) if len(n) > 2 and n in t}
    ids = {i for n, i in names.items() if not any(n != more and n in more for more in names)}
    return next((Place(i, catalog.name(i)) for i in ids if len(ids) == 1), None)


def with_year(span: Span | None, others: Iterable[Span | None], published: int) -> Span | None:
    """Give a span without year the year of the nearest that has one, at last the report month's or the one before."""
    if span is None or span.year:
        return span
    if years := [o.end // 12 for o in others if o is not None and o.year]:
        return shift(span, years[0])
    late = span.end % 12 - published % 12 > 6
    return shift(span, published // 12 - late) if published else span
