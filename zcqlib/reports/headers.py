"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from zcqlib.catalog import Catalog
from zcqlib.reports import words
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
from zcqlib.reports.layout import Block, Surroundings, counted_in, counted_span, with_year
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
        self.width = width
        self.stub = _stub(self)
        self.data = [c for c in range(width) if c not in self.stub and self._holds_figures(c)]
        found.mark(block.above, "context")
        for r in every:
            for c in filled(self.grid[r]):
                if r in self.header or c in self.stub:
                    found.outcome[r, c] = "label"
                elif c not in self.data:
                    found.outcome[r, c] = "context"
        self.bare = {r for r in self.rows if not self.cells([r], self.data)}  # without figures
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
    end = max((c for r in t.header for c in filled(t.grid[r])), default=t.width)
    cells = {r: filled(t.grid[r]) for r in t.rows}
    long = [r for r in t.rows if cells[r] and cells[r][-1] > end]
    ends = {r: t.texts([r], range(2, t.width)) for r in long}
    apart = [r for r in long if any(re.fullmatch(r"\d{3}(?:\.\d+)?", x) for x in ends[r])]
    for r in apart if len(long) * 2 <= len(t.rows) or apart == long else ():
        raw = ",".join(t.texts([r], range(t.width)))
        found.tell("row_too_long", (r, cells[r][0]), raw, cells[r][-1] + 1, end + 1)
        found.mark([(r, c) for c in cells[r]], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def _stub(t: Frame) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    often = [r for r in t.header if "frequency" not in map(head_of, t.texts([r], [0, 1]))]
    stub, open_ = {}, True
    for c in range(t.width):
        cells, heads = t.body(c), t.texts(often, [c])
        head = next(filter(None, map(head_of, heads)), "")
        if head == "note" or not cells and not head:
            open_ &= bool(cells or not stub)
            continue
        if head == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
            head = "region"  # 单位 over names of places or offices
        edge = head in ("unit", "region", "period")  # long tables may hold these on the right
        role = _stub_role(cells, heads, head, stub) if open_ or edge else ""
        if role and (open_ or role == head and _content(cells, True)):
            stub[c] = role
        open_ &= bool(role)
    return stub


def _stub_role(cells: list, heads: list[str], head: str, stub: dict[int, str]) -> str:
    """The role of a column that names rows by its head, or by what its cells say; "" where the figures begin."""
    named = bool({*_TEXTS} & {*stub.values()})
    says = _content(cells, named)
    if says == "gloss" or says == "serial" and not stub and head != "period":
        return says
    if says in ("", "serial") or head in ("serial", "unit", "period", "frequency"):
        return head
    if named and not head and _due(heads) or says == "period" and stub and heads and not head:
        return ""
    return head or says if says == "name" else says


def _content(cells: list, named: bool) -> str:
    """What the cells of a column are: serial, period, unit, name, behind names gloss; "" for figures."""
    if named and cells and all(words.is_gloss(text_of(v)) for v in cells):
        return "gloss"
    numbers = [float(v) for v in cells if str(v).strip().isdecimal() or type(v) is float]
    spans, steps = sum(map(bool, map(cell_span, cells))), {b - a for a, b in pairwise(numbers)}
    if steps == {1.0} and len(numbers) >= 0.8 * len(cells) and not spans:
        return "serial"
    texts = [v for v in cells if isinstance(v, str) and not cell_span(v)]
    worded = (words.value_of(v).kind == "context" and not (named and doubtful(v)) for v in texts)
    plain = sum(worded)
    if (plain + spans) * 2 <= len(cells):
        return ""
    units = texts == cells and all(map(_unit_cell, cells))
    return "period" if plain < spans else "unit" if units else "name"


def _due(heads: list[str]) -> bool:
    """Whether a column must hold figures: its head has a unit or a period."""
    return any(label(x).unit or label(x).span for x in heads)


def _unit_cell(v: object) -> bool:
    text = squeeze(v).strip("()") if isinstance(v, str) else ""
    return bool(words.unit_of(text)) or text in ("-", "—")


# --- the header ---------------------------------------------------------------------------------------------------------


def _fill_header(t: Frame) -> None:
    """Make the header say over each column what holds for it.

    Group words are spread over their columns: merged ranges first, then blanks that have a word below them. A word that is
    broken over two rows, in some columns or in all, is joined in the lower one; English beside Chinese goes.
    """
    grid, header = t.grid, t.header
    for r0, c0, _, c1 in t.sheet.merged:
        if r0 in header and c0 not in t.stub:
            grid[r0][c0 : c1 + 1] = grid[r0][c0 : c0 + 1] * len(grid[r0][c0 : c1 + 1])
    for i, r in enumerate(header[:-1], 1):
        for c in t.data:
            below = (label(x).role != "unit" for x in t.texts(header[i:], [c]))
            if c and c - 1 not in t.stub and is_empty(grid[r][c]) and any(below):
                grid[r][c] = grid[r][c - 1]
    for upper, lower in pairwise(header):
        pairs = {c: (said(grid[upper][c]), said(grid[lower][c])) for c in t.data}
        for c in pairs if _are_broken(list(pairs.values())) else ():
            if pairs[c][1]:
                grid[upper][c], grid[lower][c] = "", "".join(pairs[c])
    for c in t.data:
        cells = t.cells(header, [c])
        gloss = [r for r, v in cells if words.is_gloss(text_of(v))]
        if any(isinstance(v, str) and r not in gloss for r, v in cells):
            for r in gloss:
                grid[r][c] = ""


def _are_broken(pairs: list[tuple[str, str]]) -> bool:
    """Whether two rows of a header are halves of words: short, no two alike above, all of them or some with a half below."""
    joined, tops = [(a, b) for a, b in pairs if b], {a for a, _ in pairs if a}
    heads = ("name",) if joined == pairs else ("name", "measure")
    short = all(
        len(a) <= 4 and len(b) <= 5 and b not in known("total") and label(a).role in heads
        for a, b in joined
    )
    return short and len(tops) == len(pairs) > 1 and {label(b).role for _, b in joined} == {"name"}


def _spoken(role: str, t: str, at: At, catalog: Catalog) -> Facet:
    """What a cell says in a row or column of this role; a place may open its name, as in 中国:GDP:当季同比."""
    says = label(t).at(at)
    if role == "frequency":
        return Facet(frequency=t[:1])
    if role == "unit":
        return Facet(unit=says.unit or t.strip("()-—")).at(at)
    head, colon, _ = "".join(says.names).partition(":")
    return says._replace(place=place_of(head, catalog)) if colon else says


class _Header:
    """The header rows once read: what each row is about, and its periods."""

    def __init__(self, t: Frame):
        self.t, self.periods = t, {}
        # region, unit, frequency, note, or ""
        self.roles = {r: _row_role(t, r) for r in t.header}
        for n, r in enumerate(t.header, 1):
            near = t.texts(t.header[:n], range(t.width))
            self.periods |= _periods(t, [(r, c) for c in t.data], near)
        self.rows = [r for r in t.header if self.roles[r] != "note"]
        self.named = {r for r in t.header for x in t.texts([r], t.data) if label(x).role == "name"}

    def column(self, c: int, whole: Facet) -> tuple[Facet, bool]:
        """One column's header cells, from the outside in, and whether it is 其中 of the column before it."""
        facet, hangs, rate = _NOTHING, False, ""
        for r, v in self.t.cells(self.rows, [c]):
            t = said(v)
            if OF_WHICH.match(t) and (r, c) not in self.periods:
                hangs, t = True, OF_WHICH.sub("", t)
                facet = facet._replace(names=whole.names, unit=whole.unit, unit_at=whole.unit_at)
            says = self._cell(v, t, (r, c))
            if says.role == "measure" and says.measure in ("yoy_pct", "mom_pct"):
                rate = t
            facet = facet.over(says)
        if rate and known("amount").keys() & self.t.texts(self.rows, [c]):
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
        if role == "region" and (place := place_of(text_of(v), self.t.catalog)):
            return Facet(place=place)
        says = _spoken(role, t, at, self.t.catalog)
        # 幢 | 面积: in a row of names a count stands for a name
        counts = says.role == "unit" and at[0] in self.named
        named = counts and words.is_unit(t) and t not in words.PERCENTS
        return says._replace(names=(t,), name_at=at) if named else says


def _row_role(t: Frame, r: int) -> str:
    """What a header row is about: by the word in its stub, or because most of its cells are places or units."""
    lead = t.texts([r], [c for c, role in t.stub.items() if role != "serial"])
    role, texts = [*map(head_of, lead), ""][0], t.texts([r], t.data)
    if role in ("unit", "frequency"):
        fits = sum(label(x).role in ("unit", "frequency") or not x.strip("-—") for x in texts)
        return role if fits * 2 > len(texts) else ""
    if _of_places(texts, t.catalog):
        return "region"
    return "note" * (role == "note")


def columns_of(t: Frame) -> Facets:
    """What each data column's header says."""
    header, out = _Header(t), {}
    whole = group = _NOTHING  # what 其中 hangs on; the first column of a group, which is its total
    for c in t.data:
        facet, hangs = header.column(c, whole)
        if t.header and not t.cells(header.rows, [c]):
            facet = facet._replace(fault="orphan_cell")
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
    alike = a and b and f.names == last.names and not last.measure and a.end < b.end
    return bool(alike and a[:3] == shift(b, a.end // 12)[:3])


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
    if not f.names and (f.measure or f.relative):
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
    start, end = spans[0].start, spans[-1].end
    basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
    says = {"names": (), "span": Span(start, end, basis, (), spans[0].year)}
    if any(b.start != a.end + 1 for a, b in pairwise(spans)):
        says = {"fault": "period_ambiguous"}
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
    return len(found) * 2 > len(texts) > bare and not any(label(x).unit for x in texts)


class _Column:
    """One column of the stub, read down: what its cells say, under the headings above them."""

    def __init__(self, t: Frame, c: int):
        names = list(map(said, t.body(c)[:300])) if t.stub[c] == "name" else []
        self.role = "region" if _of_places(names, t.catalog) else t.stub[c]
        self.catalog, self.bare, self.carried = t.catalog, t.bare, None
        self.headings: list[_Heading] = []
        self.partial = False
        dated = [(r, c) for r in t.rows] if self.role == "period" else []
        blank = frozenset(i for i, r in enumerate(t.rows) if r in t.bare)
        self.periods = _periods(t, dated, t.texts(t.header, [c]), blank)

    def read(self, at: At, v: object) -> Facet:
        """What a cell says by its column's role; nothing for numbers and words in another language."""
        says = getattr(self, self.role, None)
        return says(at, v, said(v)) if says else _NOTHING

    def unit(self, at: At, v: object, t: str) -> Facet:
        return _spoken(self.role, t, at, self.catalog)

    frequency = unit

    def period(self, at: At, v: object, t: str) -> Facet:
        """What a cell of a column of periods says, or the name that it is where it is no period."""
        place = None if t in known("total") else place_of(t, self.catalog)
        name = Facet((t,), fault=label(t).fault).at(at)
        return self.periods.get(at) or (Facet(place=place) if place else name)

    def heading(self, v: object, t: str, says: Facet, empty: bool) -> _Heading:
        """A row as others see it from below."""
        number, place = _LEVELS.match(t), place_of(t, self.catalog) if empty else None
        if place:
            says = Facet(place=place)
        elif empty and says.role != "name" or known("heading").keys() & says.names:
            says = says._replace(names=(), name_at=None)
        return _Heading(says, _indent(v), number.lastindex if number else 0, empty)

    def name(self, at: At, v: object, t: str) -> Facet:
        """A cell of a column of names: its path from the outermost heading in; in a column of places what has figures is one.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        headings, bare = self.headings, at[0] in self.bare
        if self.role == "region":
            place, text = place_of(text_of(v), self.catalog), text_of(v).strip()
            self.partial |= t.startswith("#")
            if place or not bare:
                place = place or Place("", words.without_gloss(text), "other_region")
                above = [_Heading(), *headings][-1].says
                return above.over(Facet(place=place, flags=("partial",) * self.partial))
        plain = NUMBERING.sub("", t) or t
        of_which = OF_WHICH.match(plain) or OF_WHICH.match(t)
        inner = OF_WHICH.sub("", plain) if of_which else t
        part = _spoken("", inner, at, self.catalog)
        if part.role in ("unit", "frequency", "summary"):
            return Facet(fault=part.fault)
        if part.role == "measure" and not of_which:  # 增长(%) below its indicator
            above = [h.says for h in headings if h.indent <= _indent(v) and not h.empty]
            last = [_NOTHING, *above][-1]
            return Facet(last.names, name_at=last.name_at).over(part)
        here = self.heading(v, t, part, bare and not part.unit)
        while headings and (
            headings[-1].indent > here.indent > 0 if of_which else not headings[-1].over(here)
        ):
            headings.pop()
        parent = [_Heading(), *headings][-1]
        says = parent.says
        deeper = of_which or parent.indent < here.indent or not parent.empty
        if not deeper and _OWN_UNIT.search("".join(part.names)):
            says = says._replace(unit="", unit_at=None)
        says = says.over(here.says)
        if not of_which and not known("total").keys() & part.names:
            headings.append(here._replace(says=says))
        return says

    region = name


def rows_of(t: Frame) -> Facets:
    """What each body row's stub says: names are carried down, and rows stand under their headings.

    A row where a column further left begins anew takes nothing from above, nor does the last column of names.
    """
    if not t.stub:
        lost = bool(t.header) and len(t.rows) > 1
        return dict.fromkeys(t.rows, Facet(fault="orphan_cell" * lost))
    merged = {
        (r, c0) for r0, c0, r1, _ in t.sheet.merged if r0 in t.grid for r in range(r0 + 1, r1 + 1)
    }
    columns = {c: _Column(t, c) for c in t.stub}
    last = [c for c, role in t.stub.items() if role in _TEXTS][-1:]
    out, timeless = {}, "period" not in t.stub.values()
    for r in t.rows:
        facet, anew, own, dated = _NOTHING, False, False, timeless
        for c, column in columns.items():
            v, joined, texts = t.grid[r][c], (r, c) in merged, column.role in _TEXTS
            if anew and texts:
                column.headings.clear()
                column.carried = column.carried if joined else None
            if not is_empty(v):
                column.carried = column.read((r, c), v)
                anew |= column.role != "serial"
            elif column.carried is None or c in last and not joined:
                continue
            facet = facet.over(column.carried)
            own |= texts and (joined or not is_empty(v))
            dated |= column.role == "period"
        named = known("total").keys() & facet.names or facet.place and facet.place.total
        lost = not own or not dated and not named
        out[r] = facet._replace(fault=facet.fault or "orphan_cell" * lost)
    return out


def settle_places(facets: Facets, catalog: Catalog, found: Found) -> None:
    """The places of all rows, or of all columns, seen together.

    A bare total over parks of the zone alone is the zone's. Beside our own parks a strange name is asked for; in other
    people's tables every place is just a place, and 全市 is not ours.
    """
    places = {f.place: f.place for f in facets.values() if f.place}
    parts = {p.id for p in places if not p.total}
    zone = len(parts) > 1 and parts <= set(catalog.parks)
    strange = dict.fromkeys(p.raw for p in places if p.kind == "other_region")
    ours = any(p.id in catalog.regions and p.kind == "known" for p in places)
    for raw in strange if ours else ():
        found.tell("other_region", None, raw)
    others = len(strange) > 1 and not ours
    for p in places:
        if p.total and (p.id in catalog.regions if others else zone and not p.id):
            places[p] = p._replace(id="zone" * zone)
        elif p.kind == "near" and not ours or p.kind == "ambiguous" and others:
            places[p] = p._replace(kind="other_region")
    for k, f in facets.items():
        facets[k] = f._replace(place=places.get(f.place))


# --- periods of one row or column -------------------------------------------------------------------------------------


def _periods(
    t: Frame, places: list[At], near: list[str], headings: frozenset[int] | None = None
) -> dict[At, Facet]:
    """What the cells of a header row, or of a stub column with these `headings`, say as periods: a span, or that it is not
    decided which.

    Bare 1, 2, 3 under 月 are months; in a header other numbers are periods only among periods.
    """
    cells, unit = [t.grid[r][c] for r, c in places], counted_in(near)
    counted = [counted_span(v, unit) for v in cells]
    spans, unsure = list(map(cell_span, cells)), ()
    half = sum(not is_empty(v) for v in cells) / 2
    if sum(map(bool, counted)) > half:
        spans = [a or b for a, b in zip(counted, spans, strict=True)]
    else:
        among = headings is not None or sum(map(bool, spans)) >= half
        spans = [
            cell_span(v, serial=True) if among or not isinstance(v, int | float) else None
            for v in cells
        ]
        spans, unsure = _settled(cells, _with_years(spans, headings), t.around)
    told = {at: Facet(span=s).at(at) for at, s in zip(places, spans, strict=True) if s}
    told |= {places[i]: Facet(fault="period_ambiguous") for i in unsure}
    odd = (at for at, v in zip(places, cells, strict=True) if words.unsupported_period(said(v)))
    return told | dict.fromkeys(odd, Facet(fault="period_unsupported"))


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
        if s and s.year:
            whole = s.basis == "year"
            year = s.end // 12 if from_years or not whole else None
            before = 12 if whole else s.end % 12
        elif s and year is not None:
            month = s.end % 12
            year += before == 11 and month < 3 and s.basis != "ytd"
            year -= before == 0 and month == 11
            s, before = shift(s, year), month
        out.append(s)
    return out


def _settled(cells: list, spans: Spans, around: Surroundings) -> tuple[Spans, list[int]]:
    """Periods after a second look at their neighbours, and the places left undecided.

    What can be several months is the one that its neighbours are clearly nearer to. A day is the months that were typed
    (1-9 is January to September) where another period ends then, or where all days are of one month.
    """
    published, out, undecided = around.scope.published, list(spans), []
    context = [s for s in (around.span, around.scope.file_span) if s and s.year]
    context = context or [month_span(published)] * (published > 0)
    whole = [with_year(s, [*context, *spans], published) for s in spans]
    doubts = {i: doubt for i, doubt in enumerate(map(_doubt, cells, whole)) if doubt[1]}
    months = [options[0].end % 12 for day, options in doubts.values() if day]
    run = len(set(months)) == 1 < len(months)
    sure = [None if i in doubts or s and not s.year else s for i, s in enumerate(whole)]
    for i, (day, options) in doubts.items():
        before, after = (list(filter(None, x)) for x in (sure[:i], sure[i + 1 :]))
        every = [*before, *after, *context]
        like = [s for s in every if s.end % 12 + 1 == day and s.basis != "year"] or every * run
        near = before[-1:] + after[:1] or context * (day > 0)
        if span := _decided(day, options, near, like):
            out[i] = span
        elif not day or not isinstance(cells[i], str):
            undecided.append(i)
    return out, undecided


def _decided(day: int, options: Spans, near: list[Span], like: list[Span]) -> Span | None:
    month = options[0].end % 12 + 1
    if like and month < day <= 12:
        year, basis = like[0].end // 12, "ytd" if month == 1 else "range"
        return Span(month_no(year, month), month_no(year, day), basis, ("date_repaired",))
    far = sorted((sum(abs(s.end - o.end) for s in near), o) for o in options)
    clear = len(far) == 1 or far[1][0] - far[0][0] > 6
    return far[0][1] if near and clear and far[0][0] <= 12 * len(near) else None


_DAY = re.compile(r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]|\d{1,2}月)(\d{1,2})日?")
_SERIES_DAYS = (1, 15, 16, 28, 29, 30, 31)  # a day of these stands for its month


def _doubt(v: object, span: Span | None) -> tuple[int, Spans]:
    """The day that a cell is, 0 for none or one that stands for its month, and the periods that it may mean where it may be
    several: 2018.1 is January, or October that lost its nought; 6月18日 may be 06/18 that a spreadsheet took for a date."""
    text = said(round(v, 4) if type(v) is float else v)
    if found := re.fullmatch(r"((?:19|20)\d\d)\.1", text):
        return 0, [month_span(month_no(int(found[1]), m)) for m in (1, 10)]
    found = _DAY.fullmatch(text) if span and span.year else None
    day = int(found[1]) if found else 1
    if day in _SERIES_DAYS:
        return 0, []
    other = shift(span, 2000 + day)._replace(flags=("date_repaired",))
    return day, [span, other][: 1 + (other.end != span.end)]
