"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
    Facets,
    Found,
    Place,
    Spans,
    cell_span,
    doubtful,
    filled,
    head_of,
    in_percent,
    is_empty,
    label,
    place_of,
    said,
    shift,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block, counted_in
from zcqlib.reports.words import Span, known, month_no, month_span, squeeze

_OWN_UNIT = re.compile(
    r"(?:个|家|人|户|件|项|台|单位)数量?$|[率度]$|比重$|占比$|指数$|^人均|^每|平均"
)
_NOTHING = Facet()
_TEXTS = "name", "region", "period"


class Frame:
    """The cells of one table, every row as long as the widest; `stub` columns name rows, `data` columns hold figures."""

    def __init__(self, block: Block, around: Surroundings, found: Found):
        self.header, self.rows, self.around = block.header, block.body, around
        self.sheet, self.catalog = around.sheet, around.scope.catalog
        rows, every = self.sheet.rows, (*block.header, *block.body)
        width = min(block.right, max(len(rows[r]) for r in every))
        blank = [""] * width
        self.grid = {r: blank[: block.left] + (rows[r] + blank)[block.left : width] for r in every}
        self.stub = _stub(self, width)
        free = [c for c in range(width) if c not in self.stub]
        self.data = [c for c in free if self._holds_figures(c)]
        found.mark(block.above, "context")
        found.mark([(r, c) for r in self.header for c in filled(self.grid[r])], "label")
        for r in self.rows:
            for c in filled(self.grid[r]):
                if c not in self.data:
                    found.outcome[r, c] = "label" if c in self.stub else "context"
        _fill_header(self)
        if not self.sheet.name:
            _long_rows(self, found)

    def _holds_figures(self, c: int) -> bool:
        heads, cells = self.texts(self.header, [c]), self.body(c)
        figures = (valueish(v) or isinstance(v, str) and doubtful(v) for v in cells)
        return "note" not in map(head_of, heads) and bool(cells) and (_due(heads) or any(figures))

    def cells(self, rows: Iterable[int], columns: Iterable[int]) -> list[tuple[int, object]]:
        """What stands in some columns of some rows, each with its row."""
        return [(r, v) for r in rows for c in columns if not is_empty(v := self.grid[r][c])]

    def texts(self, rows: Iterable[int], columns: Iterable[int]) -> list[str]:
        """The same, squeezed."""
        return [said(v) for _, v in self.cells(rows, columns)]

    def body(self, c: int) -> list:
        """What stands in a column below its head."""
        return [v for _, v in self.cells(self.rows, [c])]


def _long_rows(t: Frame, found: Found) -> None:
    """In separated text a row longer than the header holds figures that fell apart at their commas; none is shifted."""
    cells = {r: filled(row) for r, row in t.grid.items()}
    ends = {r: max(columns, default=-1) for r, columns in cells.items()}
    end = max((ends[r] for r in t.header), default=len(t.data) * 99)
    long = [r for r in t.rows if ends[r] > end]
    apart = [
        r for r in long if any(re.fullmatch(r"\d{3}(?:\.\d+)?", said(v)) for v in t.grid[r][2:])
    ]
    for r in apart if len(long) * 2 <= len(t.rows) or apart == long else ():
        raw = ",".join(str(t.grid[r][c]) for c in cells[r])
        found.tell("row_too_long", (r, cells[r][0]), raw, ends[r] + 1, end + 1)
        found.mark([(r, c) for c in cells[r]], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def _stub(t: Frame, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    often = [r for r in t.header if "frequency" not in map(head_of, t.texts([r], [0, 1]))]
    stub, open_ = {}, True
    for c in range(width):
        cells, heads = t.body(c), t.texts(often, [c])
        role = next(filter(None, map(head_of, heads)), "")
        if not open_:  # long tables may hold unit, place or period on the right
            if role in _FITS and cells and all(map(_FITS[role], cells)):
                stub[c] = role
        elif role == "note" or not cells and not role:
            open_ = bool(cells or not stub)
        elif role := _stub_role(t, c, cells, heads, role, stub):
            stub[c] = role
        else:
            open_ = False
    return stub


def _stub_role(
    t: Frame, c: int, cells: list, heads: list[str], role: str, stub: dict[int, str]
) -> str:
    """The role of a column that names rows by its head, or by what its cells say; "" where the figures begin."""
    named = set(_TEXTS) & set(stub.values())
    if role == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
        role = "region"  # 单位 over names of places or offices
    if named and cells and all(words.is_gloss(text_of(v)) for v in cells):
        return "gloss"
    if role == "serial" or not stub and role != "period" and _serial(cells, t, c):
        return "serial"
    if role in ("unit", "period", "frequency"):
        return role
    if named and not role and _due(heads):
        return ""
    return _by_content(cells, role, bool(role or not heads or not stub), bool(stub))


def _serial(cells: list, t: Frame, c: int) -> bool:
    """A column of running numbers before the names, whatever stands over it."""
    digits = [v for v in cells if isinstance(v, int | float) or str(v).strip().isdecimal()]
    after = t.body(c + 1) if c + 1 < len(t.grid[t.rows[0]]) else []
    return (
        {float(b) - float(a) for a, b in pairwise(digits)} == {1.0}
        and len(digits) >= 0.8 * len(cells)
        and not any(map(cell_span, cells))
        and any(isinstance(v, str) and not valueish(v) for v in after)
    )


def _by_content(cells: list, role: str, fresh: bool, stub: bool) -> str:
    """The role of a column by what its cells say: names, periods, units; "" where they are figures."""
    texts = [v for v in cells if isinstance(v, str)]
    worded = [
        v for v in texts if words.value_of(v).kind == "context" and not (stub and doubtful(v))
    ]
    plain, spans = sum(not cell_span(v) for v in worded), sum(map(bool, map(cell_span, cells)))
    if (plain + spans) * 2 > len(cells) and (worded or fresh):
        if plain < spans:
            return "period" if fresh else ""
        units = texts == cells and all(words.is_unit(squeeze(v)) for v in cells)
        return "unit" if units else role or "name"
    return role if role in ("region", "name") else ""


def _due(heads: list[str]) -> bool:
    """Whether a column must hold figures: its head has a unit or a period."""
    return any(label(x).unit or label(x).span for x in heads)


def _unit_cell(v: object) -> bool:
    text = squeeze(v).strip("()") if isinstance(v, str) else ""
    return bool(words.unit_of(text)) or text in ("-", "—")


_FITS = {"unit": _unit_cell, "region": lambda v: isinstance(v, str), "period": cell_span}


# --- the header ---------------------------------------------------------------------------------------------------------


def _fill_header(t: Frame) -> None:
    """Spread group words over their columns: merged ranges first, then blanks that have a word below them."""
    grid, header = t.grid, t.header
    for r0, c0, _, c1 in t.sheet.merged:
        if r0 in header and c0 not in t.stub:
            for c in range(c0, min(c1, len(grid[r0]) - 1) + 1):
                grid[r0][c] = grid[r0][c0]
    for i, r in enumerate(header[:-1], 1):
        for c in t.data:
            if c and c - 1 not in t.stub and is_empty(grid[r][c]):
                if any(label(x).role != "unit" for x in t.texts(header[i:], [c])):
                    grid[r][c] = grid[r][c - 1]


def _spoken(role: str, t: str, at: At, catalog: Catalog) -> Facet:
    """What a cell says in a row or column of this role; a place may open its name, as in 中国:GDP:当季同比."""
    says = label(t).at(at)
    if role == "frequency":
        return Facet(frequency=t[:1])
    if role == "unit":
        return Facet(unit=says.unit or t.strip("()-—")).at(at)
    head, colon, _ = "".join(says.names).partition(":")
    return says._replace(place=place_of(head, catalog)) if colon and 2 <= len(head) <= 8 else says


class _Header:
    """The header rows once read: what each row is about, its periods, and the cells that speak for each column."""

    def __init__(self, t: Frame):
        self.catalog, header, self.periods = t.catalog, t.header, {}
        # region (region? where only some cells are places), unit, frequency, note, or ""
        self.roles = {r: _row_role(t, r) for r in header}
        for n, r in enumerate(header):
            near = t.texts([r], t.stub) + t.texts(header[:n], [*t.stub, *t.data])
            self.periods |= _periods(t, [(r, c) for c in t.data], near)
        rows = [r for r in header if self.roles[r] != "note"]
        self.parts = {c: t.cells(rows, [c]) for c in t.data} | _broken_words(t)
        for c, cells in self.parts.items():
            plain = [(r, v) for r, v in cells if not words.is_gloss(text_of(v))]
            if any(isinstance(v, str) for _, v in plain):
                self.parts[c] = plain
        roles = ((r, label(x).role) for r in header for x in t.texts([r], t.data))
        self.named = {r for r, role in roles if role == "name"}

    def column(self, c: int, whole: Facet) -> tuple[Facet, bool]:
        """One column's header cells, from the outside in, and whether it is 其中 of the column before it."""
        facet, hangs, rate = _NOTHING, False, ""
        for r, v in self.parts[c]:
            t = said(v)
            if OF_WHICH.match(t) and (r, c) not in self.periods:
                hangs, t = True, OF_WHICH.sub("", t)
                facet = facet._replace(names=whole.names, unit=whole.unit, unit_at=whole.unit_at)
            says = self._cell(v, t, (r, c)) if t else _NOTHING
            if says.role == "measure" and says.measure in ("yoy_pct", "mom_pct"):
                rate = t
            facet = facet.over(says)
        if rate and {said(v) for _, v in self.parts[c]} & set(known("amount")):
            facet = facet._replace(names=(*facet.names, rate, "绝对数"), measure="")
        elif words.is_index_base(facet.unit):
            more = (rate,) * (facet.measure != "index" and rate != "")
            facet = facet._replace(names=facet.names + more, measure="index")
        elif facet.names and (kind := in_percent(facet.names[-1], facet.unit)):
            facet = facet._replace(names=facet.names[:-1], measure=kind)  # 增减 over (%)
        return facet, hangs

    def _cell(self, v: object, t: str, at: At) -> Facet:
        """What one more cell of a column says: a period, the place of a row of places, or by its words."""
        role = self.roles[at[0]]
        if at in self.periods:
            return self.periods[at]
        if words.unsupported_period(t):
            return Facet(fault="period_unsupported")
        place = place_of(v, self.catalog) if isinstance(v, str) and role[:6] == "region" else None
        if place and not (place.total and role == "region?"):
            return Facet(place=place)
        says = _spoken(role, t, at, self.catalog)
        # 幢 | 面积: in a row of names a count stands for a name
        counts = says.role == "unit" and at[0] in self.named
        named = counts and words.is_unit(t) and t not in words.PERCENTS
        return says._replace(names=(t,), name_at=at) if named else says


def _row_role(t: Frame, r: int) -> str:
    """What a header row is about: by the word in its stub, or because most of its cells are places or units."""
    lead = t.texts([r], [c for c, role in t.stub.items() if role != "serial"])
    role, texts = head_of(lead[0]) if lead else "", t.texts([r], t.data)
    if role in ("unit", "frequency"):
        fits = sum(label(x).role in ("unit", "frequency") or not x.strip("-—") for x in texts)
        return role if fits * 2 > len(texts) else ""
    if _of_places(texts, t.catalog):
        return "region"
    return {"region": "region?", "note": "note"}.get(role, "")


def columns_of(t: Frame) -> Facets:
    """What each data column's header says."""
    header, out = _Header(t), {}
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
        tops = [said(t.grid[upper][c]) for c in t.data]
        lows = [said(t.grid[lower][c]) for c in t.data]
        heads = ("name",) if all(lows) else ("name", "measure")
        pairs = [(c, a, b) for c, a, b in zip(t.data, tops, lows, strict=True) if b]
        broken = all(tops) and len({*tops}) == len(tops) > 1
        short = all(
            len(a) <= 4 and len(b) <= 5 and label(a).role in heads and label(b).role == "name"
            for _, a, b in pairs
        )
        broken = broken and short and not known("total").keys() & {*lows}
        for c, a, b in pairs if broken else ():
            rest = [r for r in t.header if r not in (upper, lower)]
            out[c] = [(lower, a + b), *t.cells(rest, [c])]
    return out


def _neighbours(columns: Facets, t: Frame) -> Facets:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd"
        for f in (*columns.values(), Facet(span=t.around.span))
    )
    before = last = _NOTHING
    for c, f in columns.items():
        rate = f.names and f.measure in PERCENT_KINDS
        if f.fault:
            continue  # no figure that others could go with
        columns[c] = f = _after(_last_years(f, before, cumulative), before)
        if rate or not f.measure and not (f.relative and f.relative[1] or _year_before(f, last)):
            before = f
        last = f
    return columns


def _year_before(f: Facet, last: Facet) -> bool:
    """Whether a column is of the same months as the one right before it, in an earlier year: what that is compared with."""
    a, b = f.span, last.span
    alike = a and b and (f.names, "", a.basis) == (last.names, last.measure, b.basis)
    return bool(alike and b.end > a.end and (b.end - a.end) % 12 == 0)


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
        unit = {} if own else {"unit": before.unit, "unit_at": before.unit_at}
        f = Facet(names=before.names, name_at=before.name_at, **unit).over(f)
    return f


def span_totals(facets: Facets) -> None:
    """A total beside months (1月, 2月, 合计) covers exactly those months, whatever the title says."""
    dated = (f.span for f in facets.values() if f.span and not f.relative)
    spans = sorted({s._replace(flags=()) for s in dated if s.basis in ("month", "quarter", "year")})
    if len(spans) < 2:
        return
    start, end, says = spans[0].start, spans[-1].end, {"fault": "period_ambiguous"}
    if all(b.start == a.end + 1 for a, b in pairwise(spans)):
        basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
        says = {"names": (), "span": Span(start, end, basis, (), spans[0].year)}
    for k, f in facets.items():
        if f.names and known("total").keys() >= {*f.names} and not (f.span or f.relative):
            facets[k] = f._replace(**says)


# --- the stub -------------------------------------------------------------------------------------------------------

_LEVELS = re.compile(
    r"([一二三四五六七八九十]{1,3}[、.])|(\([一二三四五六七八九十]{1,3}\))|(\d{1,2}[、.](?=\D))|(\(\d{1,2}\))"
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


def _of_places(texts: list[str], catalog: Catalog) -> bool:
    """Whether most names of a row or column are places and not only totals."""
    found = [p for x in texts if (p := place_of(x, catalog)) and p.kind != "near"]
    bare = sum(x in ("合计", "总计", "小计", "其他") for x in texts)
    named = len(found) > bare or bare == len(texts)
    return len(found) * 2 > len(texts) and named and not any(label(x).unit for x in texts)


class _Column:
    """One column of the stub, read down: what its cells say, under the headings above them."""

    def __init__(self, t: Frame, c: int, role: str, bare: set[int]):
        self.catalog, self.role, self.bare = t.catalog, role, bare
        self.cells = [((r, c), t.grid[r][c]) for r in t.rows]
        self.texts = role in _TEXTS
        self.headings: list[_Heading] = []
        self.partial: tuple[str, ...] = ()
        dated = [at for at, _ in self.cells] if role == "period" else []
        blank = frozenset(i for i, r in enumerate(t.rows) if r in bare)
        self.periods = _periods(t, dated, t.texts(t.header, [c]), blank)

    def down(
        self, anew: set[int], merged: set[At], last: bool
    ) -> Iterator[tuple[int, Facet, bool]]:
        """What each row says here, carried down to the next one, and whether it has a name of its own.

        Rows where a column further left begins `anew` take nothing from above, nor do those of the `last` column of names.
        """
        carried = None
        read = getattr(self, self.role, None)  # none for numbers and words in another language
        for at, v in self.cells:
            r, here, joined = at[0], not is_empty(v), at in merged
            if r in anew and self.texts:
                self.headings.clear()
                carried = carried if joined else None
            if here:
                carried = read(at, v, said(v)) if read else _NOTHING
                anew |= {r} if self.role != "serial" else set()
            elif carried is None or last and not joined:
                continue
            yield r, carried, self.texts and (here or joined)

    def unit(self, at: At, v: object, t: str) -> Facet:
        return _spoken(self.role, t, at, self.catalog)

    frequency = unit

    def period(self, at: At, v: object, t: str) -> Facet:
        """What a cell of a column of periods says, or the name that it is where it is no period."""
        if at in self.periods:
            return self.periods[at]
        if words.unsupported_period(t):
            return Facet(fault="period_unsupported")
        if t not in known("total") and (place := place_of(t, self.catalog)):
            return Facet(place=place)
        return Facet((t,), fault=label(t).fault).at(at)

    def region(self, at: At, v: object, t: str) -> Facet:
        if t.startswith("#"):
            self.partial = ("partial",)
        text = text_of(v)
        place = place_of(text, self.catalog)
        if place is None and at[0] in self.bare:
            part = _spoken("", _part_of(t)[1], at, self.catalog)
            self.headings[:] = [self.heading(v, t, part, True)]
            return _NOTHING
        place = place or Place("", words.without_gloss(text.strip()), "other_region")
        above = [_Heading(), *self.headings][-1].says
        return above.over(Facet(place=place, flags=self.partial))

    def heading(self, v: object, t: str, says: Facet, empty: bool) -> _Heading:
        """A row as others see it from below."""
        number, place = _LEVELS.match(t), place_of(t, self.catalog) if empty else None
        if place and place.kind in ("known", "total", "other_region"):
            says = Facet(place=place)
        elif empty and says.role != "name" or known("heading").keys() & says.names:
            says = says._replace(names=(), name_at=None)
        return _Heading(says, _indent(v), number.lastindex if number else 0, empty)

    def name(self, at: At, v: object, t: str) -> Facet:
        """A cell of a column of names: its path from the outermost heading in.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        headings, (of_which, inner) = self.headings, _part_of(t)
        part = _spoken("", inner, at, self.catalog)
        if part.role in ("unit", "frequency", "summary"):
            return Facet(fault=part.fault)
        if part.role == "measure" and not of_which:  # 增长(%) below its indicator
            above = [h.says for h in headings if h.indent <= _indent(v) and not h.empty]
            last = [_NOTHING, *above][-1]
            return Facet(last.names, name_at=last.name_at).over(part)
        here = self.heading(v, t, part, at[0] in self.bare and not part.unit)
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


def rows_of(t: Frame) -> Facets:
    """What each body row's stub says: names are carried down, and rows stand under their headings."""
    if not t.stub:
        alone = not t.header or len(t.rows) == 1
        return {r: Facet(bare=not alone) for r in t.rows}
    bare = {r for r in t.rows if all(is_empty(t.grid[r][c]) for c in t.data)}
    merged = {
        (r, c0) for r0, c0, r1, _ in t.sheet.merged if r0 in t.grid for r in range(r0 + 1, r1 + 1)
    }
    out = dict.fromkeys(t.rows, _NOTHING)
    anew, written, dated = set(), set(), set()  # rows
    last = [c for c, role in t.stub.items() if role in _TEXTS][-1:]
    for c, role in t.stub.items():
        names = list(map(said, t.body(c)[:300])) if role == "name" else []
        column = _Column(t, c, "region" if _of_places(names, t.catalog) else role, bare)
        for r, says, own in column.down(anew, merged, c in last):
            out[r] = out[r].over(says)
            written |= {r} if own else set()
            dated |= {r} if role == "period" else set()
    if "period" not in t.stub.values():
        dated = out.keys()
    for r, facet in out.items():
        named = known("total").keys() & facet.names or facet.place and facet.place.total
        if r not in written or r not in dated and not named:
            out[r] = facet._replace(bare=True)
    return out


def settle_places(facets: Facets, catalog: Catalog, found: Found) -> None:
    """The places of all rows, or of all columns, seen together.

    A bare total over parks of the zone alone is the zone's. Beside our own parks a strange name is asked for; in other
    people's tables every place is just a place, and 全市 is not ours.
    """
    named = [f.place for f in facets.values() if f.place]
    parts = {p.id for p in named if not p.total}
    zone = len(parts) > 1 and parts <= set(catalog.parks)
    strange = dict.fromkeys(p.raw for p in named if p.kind == "other_region")
    ours = any(p.id in catalog.regions and p.kind == "known" for p in named)
    for raw in strange if ours else ():
        found.tell("other_region", None, raw)
    others = len(strange) > 1 and not ours
    for k, f in facets.items():
        place = f.place or Place("", "")
        if place.total and (place.id in catalog.regions if others else zone and not place.id):
            place = place._replace(id="zone" * zone)
        elif place.kind == "near" and not ours or place.kind == "ambiguous" and others:
            place = place._replace(kind="other_region")
        facets[k] = f._replace(place=f.place and place)


# --- periods of one row or column -------------------------------------------------------------------------------------


def _periods(
    t: Frame, places: list[At], near: list[str], headings: frozenset[int] | None = None
) -> dict[At, Facet]:
    """What the cells of a header row, or of a stub column with these `headings`, say as periods: a span, or that it is not
    decided which.

    Bare 1, 2, 3 under 月 are months; in a header other numbers are periods only among periods.
    """
    cells = [t.grid[r][c] for r, c in places]
    present, unit = sum(not is_empty(v) for v in cells), counted_in(near)
    texts = [text_of(v).strip() if unit else "" for v in cells]
    counted = [words.whole_period(x + unit) if x.isdecimal() else None for x in texts]
    spans, unsure = list(map(cell_span, cells)), ()
    if sum(map(bool, counted)) * 2 > present:
        spans = [a or b for a, b in zip(counted, spans, strict=True)]
    else:
        if headings is not None or sum(map(bool, spans)) * 2 >= present:
            spans = [cell_span(v, serial=True) for v in cells]
        else:
            spans = [None if isinstance(v, int | float) else cell_span(v) for v in cells]
        spans, unsure = _settled(cells, _with_years(spans, headings), t.around)
    told = {at: Facet(span=s).at(at) for at, s in zip(places, spans, strict=True) if s}
    return told | {places[i]: Facet(fault="period_ambiguous") for i in unsure}


def _with_years(spans: Spans, headings: frozenset[int] | None) -> Spans:
    """In 2017年11月, 12月, 1月 the later months have the year before them, or the next one after December.

    A whole year (2018年, then 1月, 2月) gives its year on where it is one of the `headings`, or stands more than once
    before months.
    """
    pairs = enumerate(pairwise(spans))
    followed = {i for i, (a, b) in pairs if a and b and a.year and not b.year and a.basis == "year"}
    from_years = len(followed) > 1 or headings and followed <= headings
    out, year, before = [], None, 0
    for s in spans:
        if s is not None and s.year:
            whole = s.basis == "year"
            year = s.end // 12 if from_years or not whole else None
            before = 12 if whole else s.end % 12
        elif s is not None and year is not None:
            month = s.end % 12
            year += before == 11 and month < 3 and s.basis != "ytd"
            year -= before == 0 and month == 11
            s, before = shift(s, year), month
        out.append(s)
    return out


def _settled(cells: list, spans: Spans, around: Surroundings) -> tuple[Spans, list[int]]:
    """Periods after a second look at their neighbours, and the places left undecided: what can be several months is the one
    that its neighbours are clearly nearer to."""
    published, out, undecided = around.scope.published, list(spans), []
    context = [s for s in (around.span, around.scope.file_span) if s and s.year]
    context = context or [month_span(published)] * (published > 0)
    whole = [with_year(s, [*context, *spans], published) for s in spans]
    unsure = {i: months for i, v in enumerate(cells) if (months := _possible(v))}
    days = {i: day for i, day in enumerate(map(_day, cells, whole)) if day}
    sure = [None if i in unsure or s and not s.year else s for i, s in enumerate(whole)]
    for i in {**unsure, **days}:
        before, after = (list(filter(None, x)) for x in (sure[:i], sure[i + 1 :]))
        typed = i in days and _typed(days[i], days.values(), before + after + context)
        near = before[-1:] + after[:1] or context * words.is_date(cells[i])
        if span := typed or _nearest(unsure.get(i, ()), near, cells, i):
            out[i] = span
        elif i in unsure:
            undecided.append(i)
    return out, undecided


def _nearest(months: Spans, near: list[Span], cells: list, i: int) -> Span | None:
    """The month that the neighbours of a cell are clearly nearer to than to any other that it can be."""
    far = sorted((sum(abs(s.end - m.end) for s in near), m) for m in months)
    if not near or not far or far[0][0] > max(len(cells), 12) * len(near):
        return None
    if len(far) > 1 and far[1][0] - far[0][0] < 7:
        return None
    return far[0][1]


_DAY = re.compile(r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]|\d{1,2}月)(\d{1,2})日?")
_SERIES_DAYS = (1, 15, 16, 28, 29, 30, 31)  # a day of these stands for its month


def _day(v: object, span: Span | None) -> date | None:
    """The day that a cell is, as a date or in text (2018/1/9, or 1月9日 of a known year); None where it is none, or
    stands for its month."""
    m = _DAY.fullmatch(said(v)) if isinstance(v, str) and span and span.year else None
    with suppress(ValueError):
        v = date(span.end // 12, span.end % 12 + 1, int(m[1])) if m else v
    return v if words.is_date(v) and v.day not in _SERIES_DAYS else None


def _possible(v: object) -> Spans:
    """The months that a cell may stand for, where it may be several: 2018.1 is January, or October that lost its nought;
    a day that is no first, middle or last one may be 06/18 that a spreadsheet took for a date."""
    if words.is_date(v):
        years = {} if v.day in _SERIES_DAYS else {2000 + v.day: ["date_repaired"], v.year: []}
        return [month_span(month_no(y, v.month), *flags) for y, flags in years.items()]
    text = said(round(v, 4) if type(v) is float else v)
    found = re.fullmatch(r"((?:19|20)\d\d)\.1", text)
    return [month_span(month_no(int(found[1]), m)) for m in (1, 10)] if found else []


def _typed(v, days: Iterable, every: list[Span]) -> Span | None:
    """The months that were typed where a spreadsheet shows a day: 1-9 is January to September."""
    typed = [s for s in every if s.end % 12 + 1 == v.day and s.basis != "year"]
    run = len({d.month for d in days}) == 1 < len({d.day for d in days}) == len(days)
    if not v.month < v.day <= 12 or not typed and not (run and every):
        return None
    year, basis = (typed or every)[0].end // 12, "ytd" if v.month == 1 else "range"
    return Span(month_no(year, v.month), month_no(year, v.day), basis, ("date_repaired",))
