"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.around import Surroundings, with_year
from zcqlib.reports.labels import (
    NUMBERING,
    OF_WHICH,
    PERCENT_KINDS,
    At,
    Facet,
    Found,
    Place,
    Spans,
    carry_years,
    cell_span,
    doubtful,
    filled,
    head_of,
    in_percent,
    is_empty,
    label,
    place_of,
    said,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block, counted_in
from zcqlib.reports.words import Span, known, month_no, month_span, squeeze

_OWN_UNIT = re.compile(
    r"(?:个|家|人|户|件|项|台|单位)数量?$|[率度]$|比重$|占比$|指数$|^人均|^每|平均"
)
_NOTHING = Facet()


class Frame:
    """The cells of one table, every row as long as the widest; `stub` columns name rows, `data` columns hold figures."""

    def __init__(self, block: Block, around: Surroundings, found: Found):
        self.header, self.rows, self.around, self.sheet = (
            block.header,
            block.body,
            around,
            around.sheet,
        )
        self.catalog, rows = around.scope.catalog, around.sheet.rows
        every = (*block.header, *block.body)
        width = min(block.right, max((len(rows[r]) for r in every), default=0))
        blank = [""] * width
        self.grid = {r: blank[: block.left] + (rows[r] + blank)[block.left : width] for r in every}
        self.stub = stub_of(self, width)
        free = [c for c in range(width) if c not in self.stub]
        self.data = [c for c in free if self._holds_figures(c)]
        aside = [c for c in free if c not in self.data]
        found.mark(block.above, "context")
        found.mark([(r, c) for r in self.header for c in filled(self.grid[r])], "label")
        found.mark(
            [(r, c) for r in self.rows for c in filled(self.grid[r]) if c in aside], "context"
        )
        fill_header(self)
        if not self.sheet.name:
            long_rows(self, found)

    def _holds_figures(self, c: int) -> bool:
        heads, cells = self.texts(self.header, [c]), self.body(c)
        if not cells or "note" in map(head_of, heads):
            return False
        return _due(heads) or any(valueish(v) or isinstance(v, str) and doubtful(v) for v in cells)

    def cells(self, rows: Iterable[int], columns: Iterable[int]) -> list[tuple[int, object]]:
        """What stands in some columns of some rows, each with its row."""
        return [(r, v) for r in rows for c in columns if not is_empty(v := self.grid[r][c])]

    def texts(self, rows: Iterable[int], columns: Iterable[int]) -> list[str]:
        """The same, squeezed."""
        return [said(v) for _, v in self.cells(rows, columns)]

    def body(self, c: int) -> list:
        """What stands in a column below its head."""
        return [v for _, v in self.cells(self.rows, [c])]


def long_rows(t: Frame, found: Found) -> None:
    """In separated text a row longer than the header holds figures that fell apart at their commas; none is shifted."""
    ends = {r: max(filled(row), default=-1) for r, row in t.grid.items()}
    end = max((ends[r] for r in t.header), default=len(t.data) * 99)
    long = [r for r in t.rows if ends[r] > end]
    thousands = re.compile(r"\d{3}(?:\.\d+)?")
    apart = [r for r in long if any(thousands.fullmatch(said(v)) for v in t.grid[r][2:])]
    for r in apart if len(long) * 2 <= len(t.rows) or apart == long else ():
        cells = filled(t.grid[r])
        raw = ",".join(str(t.grid[r][c]) for c in cells)
        found.tell("row_too_long", (r, cells[0]), raw, ends[r] + 1, end + 1)
        found.mark([(r, c) for c in cells], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def stub_of(t: Frame, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    often = {r for r in t.header if "frequency" in map(head_of, t.texts([r], [0, 1]))}
    stub, open_ = {}, True
    for c in range(width):
        cells, heads = t.body(c), t.texts([r for r in t.header if r not in often], [c])
        role = next(filter(None, map(head_of, heads)), "")
        if not open_:  # long tables may hold unit, place or period on the right
            if role in _FITS and cells and all(map(_FITS[role], cells)):
                stub[c] = role
            continue
        if role == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
            role = "region"  # 单位 over names of places or offices
        if role == "note" or not cells and not role:
            open_ = bool(cells or not stub)
            continue
        after = t.body(c + 1) if c + 1 < width and not stub else []
        if role := _stub_role(cells, heads, role, stub, after):
            stub[c] = role
        else:
            open_ = False
    return stub


def _serial(cells: list, role: str, after: list) -> bool:
    """A column of running numbers before the names, whatever stands over it."""
    digits = [v for v in cells if isinstance(v, int | float) or str(v).strip().isdecimal()]
    return (
        {float(b) - float(a) for a, b in pairwise(digits)} == {1.0}
        and role != "period"
        and len(digits) >= 0.8 * len(cells)
        and not any(map(cell_span, cells))
        and any(isinstance(v, str) and not valueish(v) for v in after)
    )


def _stub_role(cells: list, heads: list[str], role: str, stub: dict[int, str], after: list) -> str:
    """The role of a column that names rows by its head, or by what its cells say; "" where the figures begin."""
    named = {"name", "region", "period"} & set(stub.values())
    if named and cells and all(isinstance(v, str) and words.is_gloss(v) for v in cells):
        return "gloss"
    if role == "serial" or not stub and _serial(cells, role, after):
        return "serial"
    if role in ("unit", "period", "frequency"):
        return role
    if named and not role and _due(heads):
        return ""
    return _by_content(cells, role, bool(role or not heads or not stub), bool(stub))


def _by_content(cells: list, role: str, fresh: bool, stub: bool) -> str:
    """The role of a column by what its cells say: names, periods, units; "" where they are figures."""
    worded = [v for v in cells if _worded(v) and not (stub and doubtful(v))]
    plain, spans = sum(not cell_span(v) for v in worded), sum(map(bool, map(cell_span, cells)))
    if (plain + spans) * 2 > len(cells) and (worded or fresh):
        if plain < spans:
            return "period" if fresh else ""
        units = all(isinstance(v, str) and words.is_unit(squeeze(v)) for v in cells)
        return "unit" if units else role or "name"
    return role if role in ("region", "name") else ""


def _worded(v: object) -> bool:
    return isinstance(v, str) and words.value_of(v).kind == "context"


def _due(heads: list[str]) -> bool:
    """Whether a column must hold figures: its head has a unit or a period."""
    return any(label(x).unit or label(x).span for x in heads)


def _unit_cell(v: object) -> bool:
    text = squeeze(v).strip("()") if isinstance(v, str) else ""
    return bool(words.unit_of(text)) or text in ("-", "—")


_FITS = {"unit": _unit_cell, "region": lambda v: isinstance(v, str), "period": cell_span}


# --- the header ---------------------------------------------------------------------------------------------------------


def fill_header(t: Frame) -> None:
    """Spread group words over their columns: merged ranges first, then blanks that have a word below them."""
    grid, header = t.grid, t.header
    for r0, c0, _, c1 in t.sheet.merged:
        if r0 in header and c0 not in t.stub:
            for c in range(c0, min(c1, len(grid[r0]) - 1) + 1):
                grid[r0][c] = grid[r0][c0]
    for i, r in enumerate(header[:-1], 1):
        for c in t.data:
            left = grid[r][c - 1] if c and c - 1 not in t.stub else ""
            below = t.texts(header[i:], [c]) if is_empty(grid[r][c]) else ()
            if any(label(x).role != "unit" for x in below):
                grid[r][c] = left


def _said(t: str, at: At, catalog: Catalog) -> Facet:
    """What a cell says; a place may open its name, as in 中国:GDP:当季同比."""
    says = label(t).at(at)
    head, colon, _ = "".join(says.names).partition(":")
    if colon and 2 <= len(head) <= 8:
        return says._replace(place=place_of(head, catalog))
    return says


class _Header:
    """The header rows once read: what each row is about, its periods, and the cells that speak for each column."""

    def __init__(self, t: Frame):
        self.catalog, header = t.catalog, t.header
        # region (region? where only some cells are places), unit, frequency, note, or ""
        self.roles = {r: _row_role(t, r) for r in header}
        self.spans, self.faults = {}, {}
        for n, r in enumerate(header, 1):
            near = t.texts([r], t.stub) + t.texts(header[: n - 1], [*t.stub, *t.data])
            settled, undecided = _periods(t, [t.grid[r][c] for c in t.data], near)
            self.faults |= {t.data[i]: "period_ambiguous" for i in undecided}
            cells = enumerate(zip(t.data, settled, strict=True))
            self.spans |= {(r, c): s for i, (c, s) in cells if s and i not in undecided}
        rows = [r for r in header if self.roles[r] != "note"]
        self.parts = {c: t.cells(rows, [c]) for c in t.data} | _broken_words(t)
        for c, cells in self.parts.items():
            plain = [(r, v) for r, v in cells if not (isinstance(v, str) and words.is_gloss(v))]
            if any(isinstance(v, str) for _, v in plain):
                self.parts[c] = plain
        # rows of names, in which a bare unit is a name as well
        named = (r for r in header if any(label(x).role == "name" for x in t.texts([r], t.data)))
        self.counted = set(named)

    def column(self, c: int, whole: Facet) -> tuple[Facet, bool]:
        """One column's header cells, from the outside in, and whether it is 其中 of the column before it."""
        facet, hangs, rate = Facet(fault=self.faults.get(c, "")), False, ""
        for r, v in self.parts[c]:
            t, at = said(v), (r, c)
            if at in self.spans:
                says = Facet(span=self.spans[at]).at(at)
            elif words.unsupported_period(t):
                says = Facet(fault="period_unsupported")
            elif place := self._place(v, r):
                says = Facet(place=place)
            else:
                if OF_WHICH.match(t):
                    hangs, t = True, OF_WHICH.sub("", t)
                    facet = facet._replace(
                        names=whole.names, unit=whole.unit, unit_at=whole.unit_at
                    )
                says = self._spoken(t, at) if t else _NOTHING
                if says.role == "measure" and says.measure in ("yoy_pct", "mom_pct"):
                    rate = t
            facet = facet.over(says)
        amount = rate and {said(v) for _, v in self.parts[c]} & set(known("amount"))
        if amount or words.is_index_base(facet.unit):
            more = (
                (rate, "绝对数") if amount else (rate,) * (facet.measure != "index" and rate != "")
            )
            names, measure = facet.names + more, "" if amount else "index"
            facet = facet._replace(names=names, measure=measure)
        elif facet.names and (kind := in_percent(facet.names[-1], facet.unit)):
            facet = facet._replace(names=facet.names[:-1], measure=kind)  # 增减 over (%)
        return facet, hangs

    def _place(self, v: object, r: int) -> Place | None:
        """The place that a header cell names, where its row is one of places."""
        role = self.roles[r]
        place = place_of(v, self.catalog) if isinstance(v, str) and role[:6] == "region" else None
        return None if place and place.total and role == "region?" else place

    def _spoken(self, t: str, at: At) -> Facet:
        """What one more cell of a column says."""
        role, says = self.roles[at[0]], _said(t, at, self.catalog)
        if role == "frequency":
            return Facet(frequency=t[:1])
        if role == "unit":
            return Facet(unit=says.unit or t.strip("-—()")).at(at)
        # 幢 | 面积: a count that stands for a name
        counts = says.role == "unit" and at[0] in self.counted
        named = counts and words.is_unit(t) and t not in words.PERCENTS
        return says._replace(names=(t,), name_at=at) if named else says


def _row_role(t: Frame, r: int) -> str:
    """What a header row is about: by the word in its stub, or because most of its cells are places or units."""
    lead = t.texts([r], [c for c, role in t.stub.items() if role != "serial"])
    role, texts = head_of(lead[0]) if lead else "", t.texts([r], t.data)
    if role in ("unit", "frequency"):
        fits = sum(label(x).role in ("unit", "frequency") or not x.strip("-—") for x in texts)
        return role if fits * 2 > len(texts) else ""
    raw = [text_of(v) for _, v in t.cells([r], t.data)]
    if sum(place_of(v, t.catalog) is not None for v in raw) >= 0.6 * len(raw):
        return "region"
    return {"region": "region?", "note": "note"}.get(role, "")


def _periods(
    t: Frame, cells: list, near: list[str], headings: frozenset[int] | None = None
) -> tuple[Spans, list[int]]:
    """The periods of a header row, or of a stub column with these `headings`, and the places left undecided.

    Bare 1, 2, 3 under 月 are months; in a header other numbers are periods only among periods.
    """
    present = [v for v in cells if not is_empty(v)]
    counted = [_bare(v, counted_in(near)) for v in cells]
    if sum(map(bool, counted)) * 2 > len(present):
        return [a or cell_span(v) for a, v in zip(counted, cells, strict=True)], []
    spans = list(map(cell_span, cells))
    if headings is not None or sum(map(bool, spans)) * 2 >= len(present):
        spans = [cell_span(v, serial=True) for v in cells]
    else:
        spans = [None if isinstance(v, int | float) else cell_span(v) for v in cells]
    spans = _with_years(spans, headings)
    return _settled(cells, spans, t.around)


def _bare(v: object, unit: str) -> Span | None:
    """The month or quarter that a bare number stands for; its year is still to be found."""
    text = text_of(v).strip()
    return words.whole_period(text + unit) if unit and text.isdecimal() else None


def columns_of(t: Frame) -> dict[int, Facet]:
    """What each data column's header says."""
    header = _Header(t)
    out = {}
    whole = group = _NOTHING  # what 其中 hangs on; the first column of a group, which is its total
    for c in t.data:
        facet, hangs = header.column(c, whole)
        if not header.parts[c] and t.header:
            facet = facet._replace(bare=True)
        if 0 < len(group.names) < len(facet.names) and _within(facet, group):
            if not facet.unit and not _OWN_UNIT.search(facet.names[-1]):
                facet = facet._replace(unit=group.unit, unit_at=group.unit_at)
        elif not hangs and facet.names:
            group = facet
        if not hangs and facet.names:
            total = facet.names[-1] in known("total")
            whole = facet._replace(names=facet.names[:-1] if total else facet.names)
        out[c] = facet
    return _neighbours(out, t)


def _within(facet: Facet, group: Facet) -> bool:
    return facet.names[: len(group.names)] == group.names


def _broken_words(t: Frame) -> dict[int, list[tuple[int, object]]]:
    """Columns whose two header cells are one word broken over two rows, joined; in some columns or in all."""
    out = {}
    for upper, lower in pairwise(t.header):
        top, low = ({c: said(t.grid[r][c]) for c in t.data} for r in (upper, lower))
        pairs = {c: (top[c], word) for c, word in low.items() if word}
        if not pairs or not all(top.values()) or len(set(top.values())) < len(top):
            continue
        heads = ("name",) if len(pairs) == len(top) else ("name", "measure")
        if not all(
            label(a).role in heads and label(b).role == "name" and b not in known("total")
            for a, b in pairs.values()
        ):
            continue
        short = len(top) > 1 and all(len(a) <= 4 and len(b) <= 5 for a, b in pairs.values())
        rest = [r for r in t.header if r not in (upper, lower)]
        for c, (a, b) in pairs.items() if short else ():
            out[c] = [(lower, a + b), *t.cells(rest, [c])]
    return out


def _neighbours(columns: dict[int, Facet], t: Frame) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd"
        for f in (*columns.values(), Facet(span=t.around.span))
    )
    before = last = _NOTHING
    for c, f in columns.items():
        rate = f.names and f.measure in PERCENT_KINDS
        columns[c] = f = _after(_last_years(f, before, cumulative), before)
        if rate or not f.measure and not (f.relative and f.relative[1] or _year_before(f, last)):
            before = f
        last = f
    return columns


def _year_before(f: Facet, last: Facet) -> bool:
    """Whether a column is of the same months as the one right before it, in an earlier year: what that is compared with."""
    years = f.span and last.span and (last.span.end - f.span.end) / 12
    alike = years and (f.names, "", f.span.basis) == (last.names, last.measure, last.span.basis)
    return bool(alike and years > 0 and years.is_integer())


def _last_years(f: Facet, before: Facet, cumulative: bool) -> Facet:
    """上年同期 has the span of the column before it of the same name, else that of the table."""
    basis, back = f.relative or ("", 0)
    if back != 12 or basis == "eop_year":
        return f
    if basis == "same" and before.relative and before.names == f.names:
        basis = before.relative[0]
    elif basis == "same" and cumulative:
        basis = "ytd"
    return f._replace(relative=(basis, 12), flags=("restated_base",))


def _after(f: Facet, before: Facet) -> Facet:
    """What a column takes from the one before it: a rate its period, a column without name its name."""
    rate = f.measure in PERCENT_KINDS | {"rank"}
    if rate and f.names and _within(before, f):
        f = f._replace(names=before.names)  # of a group the part right before it
    near = not f.names or f.names[:1] == before.names[:1]
    if rate and near and not f.relative and f.span is None:
        f = f._replace(relative=before.relative, span=before.span, span_at=before.span_at)
    if not f.names and (f.measure or f.relative) and not f.bare:
        own = rate or f.measure == "index"
        named = Facet(names=before.names, name_at=before.name_at)
        f = (named if own else named._replace(unit=before.unit, unit_at=before.unit_at)).over(f)
    return f


def span_totals(facets: dict[int, Facet]) -> None:
    """A total beside months (1月, 2月, 合计) covers exactly those months, whatever the title says."""
    spans = sorted(
        {
            (f.span.start, f.span.end, f.span.year)
            for f in facets.values()
            if f.span and f.span.basis in ("month", "quarter", "year") and not f.relative
        }
    )
    if len(spans) < 2:
        return
    (start, _, year), end = spans[0], spans[-1][1]
    basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
    says = {"fault": "period_ambiguous"}
    if all(b[0] == a[1] + 1 for a, b in pairwise(spans)):
        says = {"names": (), "span": Span(start, end, basis, (), year)}
    for k, f in facets.items():
        if f.names and known("total").keys() >= set(f.names) and not (f.span or f.relative):
            facets[k] = f._replace(**says)


# --- the stub -------------------------------------------------------------------------------------------------------

_LEVELS = (
    "[一二三四五六七八九十]{1,3}[、.]",
    r"\([一二三四五六七八九十]{1,3}\)",
    r"\d{1,2}[、.](?=\D)",
    r"\(\d{1,2}\)",
)


class _Heading(NamedTuple):
    """A row that others may stand under: what it says, and how far out it stands."""

    says: Facet = _NOTHING
    indent: int = 0
    number: int = 0  # 1 for 一、 to 4 for (1), 0 without number
    empty: bool = True  # no figures: it can only be a heading

    def over(self, other: _Heading) -> bool:
        """Whether a row belongs under this one: by its number, by its indent, or because this one has no figures."""
        if self.number and other.number:
            return self.number < other.number
        if self.indent < other.indent:
            return True
        inner = self.indent == other.indent and not other.empty
        return inner and (self.number <= 2 if self.number else self.empty)


def _indent(v: object) -> int:
    text = v.lstrip("\n") if isinstance(v, str) else ""
    lead = text[: len(text) - len(text.lstrip())]
    return len(lead) + lead.count("\u3000")


def _places(t: Frame, c: int) -> bool:
    """Whether most names of a column are places and not only totals."""
    cells = list(map(text_of, t.body(c)[:300]))
    found = [p for v in cells if (p := place_of(v, t.catalog)) and p.kind != "near"]
    bare = sum(squeeze(v) in ("合计", "总计", "小计", "其他") for v in cells)
    return (
        len(found) * 2 > len(cells)
        and not any(label(squeeze(v)).unit for v in cells)
        and (len(found) > bare or bare == len(cells))
    )


class _Stub:
    """Goes down the rows of a table: names are carried down, and rows stand under their headings."""

    def __init__(self, t: Frame):
        self.grid, self.catalog, body = t.grid, t.catalog, t.rows
        self.roles = {
            c: "region" if role == "name" and _places(t, c) else role for c, role in t.stub.items()
        }
        self.bare = {r for r in body if all(is_empty(t.grid[r][c]) for c in t.data)}
        self.settled = {}
        self.faulty = set()
        headings = frozenset(i for i, r in enumerate(body) if r in self.bare)
        for c in (c for c, role in self.roles.items() if role == "period"):
            cells, heads = [t.grid[r][c] for r in body], t.texts(t.header, [c])
            spans, undecided = _periods(t, cells, heads, headings)
            self.settled |= {(r, c): s for r, s in zip(body, spans, strict=True)}
            self.faulty |= {body[i] for i in undecided}
        self.merged = {
            (r, c0)
            for r0, c0, r1, _ in t.sheet.merged
            if c0 in t.stub and r0 in t.grid
            for r in range(r0 + 1, r1 + 1)
        }
        self.texts = [c for c, role in self.roles.items() if role in ("name", "region", "period")]
        self.carried = {}
        self.outline = {c: [] for c in self.texts}
        self.partial: tuple[str, ...] = ()

    def row(self, r: int, found: Found) -> Facet:
        facet = Facet(fault="period_ambiguous" if r in self.faulty else "")
        written, dated = False, not self.settled
        for c, role in self.roles.items():
            at, v = (r, c), self.grid[r][c]
            here = not is_empty(v)
            if here:
                found.outcome.setdefault(at, "label")
                self.carried[c] = getattr(self, role, self.nothing)(at, v, said(v))
                for later in self.texts:
                    if later > c and role != "serial":
                        self.outline[later].clear()
                        if (r, later) not in self.merged:
                            self.carried.pop(later, None)
            elif at not in self.merged and c in self.texts[-1:] or c not in self.carried:
                continue
            written |= c in self.texts and (here or at in self.merged)
            dated |= role == "period"
            facet = facet.over(self.carried[c])
        named = known("total").keys() & facet.names or facet.place and facet.place.total
        return facet if written and (dated or named) else facet._replace(bare=True)

    def nothing(self, at: At, v: object, t: str) -> Facet:
        return _NOTHING

    def unit(self, at: At, v: object, t: str) -> Facet:
        return Facet(unit=words.units_of(t.strip("()")) or t.strip("()-—")).at(at)

    def frequency(self, at: At, v: object, t: str) -> Facet:
        return Facet(frequency=t[:1])

    def period(self, at: At, v: object, t: str) -> Facet:
        """What a cell of a column of periods says, or the name that it is where it is no period."""
        if span := self.settled[at] or words.whole_period(t):
            return Facet(span=span).at(at)
        if words.unsupported_period(t):
            return Facet(fault="period_unsupported")
        if t not in known("total") and (place := place_of(t, self.catalog)):
            return Facet(place=place)
        return Facet((t,), fault=label(t).fault).at(at)

    def region(self, at: At, v: object, t: str) -> Facet:
        if t.startswith("#"):
            self.partial = ("partial",)
        text = text_of(v)
        place, outline = place_of(text, self.catalog), self.outline[at[1]]
        if place is None and at[0] in self.bare:
            outline[:] = [self.heading(at, v, t, True)]
            return _NOTHING
        place = place or Place("", words.without_gloss(text.strip()), "other_region")
        return [_Heading(), *outline][-1].says.over(Facet(place=place, flags=self.partial))

    def heading(self, at: At, v: object, t: str, empty: bool) -> _Heading:
        """A row as others see it from below."""
        number = next((n for n, p in enumerate(_LEVELS, 1) if re.match(p, t)), 0)
        says = _said(_part_of(t)[1], at, self.catalog)
        place = place_of(t, self.catalog) if empty else None
        if place and place.kind in ("known", "total", "other_region"):
            says = Facet(place=place)
        elif empty and says.role != "name" or known("heading").keys() & says.names:
            says = says._replace(names=(), name_at=None)
        return _Heading(says, _indent(v), number, empty)

    def name(self, at: At, v: object, t: str) -> Facet:
        """A cell of a column of names: its path from the outermost heading in.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        headings = self.outline[at[1]]
        of_which, inner = _part_of(t)
        part = _said(inner, at, self.catalog)
        if part.role in ("unit", "frequency", "summary"):
            return Facet(fault=part.fault)
        if part.role == "measure" and not of_which:  # 增长(%) below its indicator
            above = [h.says for h in headings if h.indent <= _indent(v) and not h.empty]
            last = [_NOTHING, *above][-1]
            return Facet(last.names, name_at=last.name_at).over(part)
        here = self.heading(at, v, t, at[0] in self.bare and not part.unit)
        while headings and (
            headings[-1].indent > here.indent > 0 if of_which else not headings[-1].over(here)
        ):
            headings.pop()
        parent = [_Heading(), *headings][-1]
        says = parent.says
        inner = of_which or parent.indent < here.indent or not parent.empty
        if not inner and _OWN_UNIT.search("".join(part.names)):
            says = says._replace(unit="", unit_at=None)
        says = says.over(here.says)
        if not of_which and not known("total").keys() & part.names:
            headings.append(here._replace(says=says))
        return says


def _part_of(t: str) -> tuple[bool, str]:
    """Whether a name is 其中 of another, and the name without that word."""
    plain = NUMBERING.sub("", t) or t
    if OF_WHICH.match(plain) or OF_WHICH.match(t):
        return True, OF_WHICH.sub("", OF_WHICH.sub("", plain))
    return False, t


def rows_of(t: Frame, found: Found) -> dict[int, Facet]:
    """What each body row's stub says."""
    if not t.stub:
        alone = not t.header or len(t.rows) == 1
        return {r: Facet(bare=not alone) for r in t.rows}
    walk = _Stub(t)
    return {r: walk.row(r, found) for r in t.rows}


def settle_places(facets: dict[int, Facet], catalog: Catalog, found: Found) -> None:
    """The places of all rows, or of all columns, seen together.

    A bare total over parks of the zone alone is the zone's. Beside our own parks a strange name is asked for; in other
    people's tables every place is just a place, and 全市 is not ours.
    """
    named = [f.place for f in facets.values() if f.place]
    parts = {p.id for p in named if not p.total}
    zone = len(parts) > 1 and parts <= set(catalog.parks)
    strange = dict.fromkeys(p.raw for p in named if p.kind == "other_region")
    if ours := any(p.id in catalog.regions and p.kind == "known" for p in named):
        for raw in strange:
            found.tell("other_region", None, raw)
    others = len(strange) > 1 and not ours
    for k, f in facets.items():
        place = f.place or Place("", "")
        if place.total and (place.id in catalog.regions if others else zone and not place.id):
            facets[k] = f._replace(place=place._replace(id="zone" if zone else ""))
        elif place.kind == "near" and not ours or place.kind == "ambiguous" and others:
            facets[k] = f._replace(place=place._replace(kind="other_region"))


# --- periods of one row or column -------------------------------------------------------------------------------------


def _with_years(spans: Spans, headings: frozenset[int] | None) -> Spans:
    """A month without year takes the one before it; a whole year gives its year on where it is one of the `headings`, or
    stands more than once before months."""
    followed = {
        i
        for i, (a, b) in enumerate(pairwise(spans))
        if a and a.year and a.basis == "year" and b and not b.year
    }
    return carry_years(spans, len(followed) > 1 or bool(headings) and followed <= headings)


def _settled(cells: list, spans: Spans, around: Surroundings) -> tuple[Spans, list[int]]:
    """Periods after a second look at their neighbours, and the places left undecided: what can be several months is the one
    that its neighbours are clearly nearer to."""
    published = around.scope.published
    unsure = {i: months for i, v in enumerate(cells) if (months := _possible(v))}
    context = [s for s in (around.span, around.scope.file_span) if s and s.year]
    context += [month_span(published)] if published and not context else []
    whole = [with_year(s, [*context, *spans], published) for s in spans]
    sure = [None if i in unsure or s and not s.year else s for i, s in enumerate(whole)]
    written = enumerate(map(_day, cells, whole))
    days = {i: day for i, day in written if day and day.day not in _SERIES_DAYS}
    out, undecided = list(spans), []
    for i in {**unsure, **days}:
        before, after = (list(filter(None, x)) for x in (sure[:i], sure[i + 1 :]))
        typed = i in days and _typed(days[i], days.values(), before + after + context)
        near = before[-1:] + after[:1] or context * words.is_date(cells[i])
        if span := typed or _nearest(unsure.get(i, ()), near, cells, i):
            out[i] = span
        elif i in unsure:
            undecided.append(i)
    return out, undecided


def _nearest(months: list[int], near: list[Span], cells: list, i: int) -> Span | None:
    """The month that the neighbours of a cell are clearly nearer to than to any other that it can be."""
    far = sorted((sum(abs(s.end - m) for s in near), m) for m in months)
    if not near or not far or far[0][0] > max(len(cells), 12) * len(near):
        return None
    if len(far) > 1 and far[1][0] - far[0][0] < 7:
        return None
    repaired = words.is_date(cells[i]) and far[0][1] != months[0]
    return month_span(far[0][1], *["date_repaired"] * repaired)


_DAY = re.compile(r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]|\d{1,2}月)(\d{1,2})日?")


def _day(v: object, span: Span | None) -> date | None:
    """The day that a cell is, as a date or in text (2018/1/9, or 1月9日 of a known year), None where it is none."""
    if words.is_date(v):
        return v
    m = _DAY.fullmatch(said(v)) if isinstance(v, str) and span and span.year else None
    with suppress(ValueError):
        return date(span.end // 12, span.end % 12 + 1, int(m[1])) if m else None
    return None


def _possible(v: object) -> list[int]:
    """The months that a cell may stand for, where it may be several: 2018.1 is January, or October that lost its nought;
    a day that is no first, middle or last one may be 06/18 that a spreadsheet took for a date."""
    if words.is_date(v):
        months = month_no(v.year, v.month), month_no(2000 + v.day, v.month)
        return list(dict.fromkeys(months)) if v.day not in _SERIES_DAYS else []
    text = said(round(v, 4) if type(v) is float else v)
    if not re.fullmatch(r"(?:19|20)\d\d\.1", text):
        return []
    return [month_no(int(text[:4]), m) for m in (1, 10)]


_SERIES_DAYS = (1, 15, 16, 28, 29, 30, 31)  # a day of these stands for its month


def _typed(v, days: Iterable, every: list[Span]) -> Span | None:
    """The months that were typed where a spreadsheet shows a day: 1-9 is January to September."""
    typed = [s for s in every if s.end % 12 + 1 == v.day and s.basis != "year"]
    run = len({d.month for d in days}) == 1 < len({d.day for d in days}) == len(days)
    if not v.month < v.day <= 12 or not typed and not (run and every):
        return None
    year, basis = (typed or every)[0].end // 12, "ytd" if v.month == 1 else "range"
    return Span(month_no(year, v.month), month_no(year, v.day), basis, ("date_repaired",))
