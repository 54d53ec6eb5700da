"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.around import Surroundings
from zcqlib.reports.labels import (
    NUMBERING,
    OF_WHICH,
    PERCENT_KINDS,
    At,
    Facet,
    Found,
    Label,
    Place,
    carry_years,
    cell_span,
    doubtful,
    filled,
    head_of,
    is_empty,
    label,
    place_of,
    said,
    settle_octobers,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block, counted_in, counted_months
from zcqlib.reports.words import Span, known, month_no, month_span, squeeze

_OWN_UNIT = re.compile(
    r"(?:个|家|人|户|件|项|台|单位)数量?$|[率度]$|比重$|占比$|指数$|^人均|^每|平均"
)
_NOTHING = Facet()


class Frame:
    """The cells of one table, every row as long as the widest; `stub` columns name rows, `data` columns hold figures."""

    def __init__(self, block: Block, around: Surroundings):
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
        self.aside = []  # columns without any figure
        self.data = []
        for c in range(width):
            if c not in self.stub:
                (self.data if self._holds_figures(c) else self.aside).append(c)

    def _holds_figures(self, c: int) -> bool:
        if "note" in map(head_of, self.texts(self.header, [c])):
            return False
        return any(valueish(v) or isinstance(v, str) and doubtful(v) for v in self.body(c))

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
        text = f"这一行有 {ends[r] + 1} 栏,表头只有 {end + 1} 栏,可能是千位分隔符把数字拆开了;整行没有采用,请去掉千位分隔符。"
        found.problem("row_too_long", "error", (r, cells[0]), raw, text)
        found.mark([(r, c) for c in cells], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def stub_of(t: Frame, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    often = {r for r in t.header if "frequency" in map(head_of, t.texts([r], [0, 1]))}
    stub = {}
    open_ = True
    for c in range(width):
        cells, heads = t.body(c), t.texts([r for r in t.header if r not in often], [c])
        role = next(filter(None, map(head_of, heads)), "")
        if not open_:  # long tables may hold unit, place or period on the right
            if role in _FITS and cells and all(map(_FITS[role], cells)):
                stub[c] = role
            continue
        if role == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
            role = "region"  # 单位 over names of places or offices
        if role == "region" and sum(isinstance(v, int | float) for v in cells) * 2 > len(cells):
            role = ""
        if role != "note" and (cells or role):
            after = t.body(c + 1) if c + 1 < width and not stub else []
            if role := _stub_role(cells, heads, role, stub, after):
                stub[c] = role
            else:
                open_ = False
        elif stub and not cells:
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


class _Header:
    """The header rows once read: what each row is about, its periods, and the cells that speak for each column."""

    def __init__(self, t: Frame):
        self.catalog, header = t.catalog, t.header
        # region (region? where only some cells are places), unit, frequency, note, or ""
        self.roles = {r: _row_role(t, r) for r in header}
        self.spans, self.faults = {}, {}
        for n, r in enumerate(header, 1):
            settled, undecided = _header_spans(t, header[:n])
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
            if at in self.spans and (not isinstance(v, str) or cell_span(v)):
                says = Facet(span=self.spans[at], span_at=at)
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
                part = label(t)
                if part.role == "measure" and part.measure in ("yoy_pct", "mom_pct"):
                    rate = t
                says = self._spoken(part, t, at) if t else _NOTHING
            facet = facet.over(says)
        amount = rate and {said(v) for _, v in self.parts[c]} & set(known("amount"))
        if amount or words.is_index_base(facet.unit):
            more = (
                (rate, "绝对数") if amount else (rate,) * (facet.measure != "index" and rate != "")
            )
            names, measure = facet.names + more, "" if amount else "index"
            facet = facet._replace(names=names, measure=measure)
        return facet, hangs

    def _place(self, v: object, r: int) -> Place | None:
        """The place that a header cell names, where its row is one of places."""
        role = self.roles[r]
        place = place_of(v, self.catalog) if isinstance(v, str) and role[:6] == "region" else None
        return None if place and place.total and role == "region?" else place

    def _spoken(self, part: Label, t: str, at: At) -> Facet:
        """What one more cell of a column says."""
        role = self.roles[at[0]]
        if "frequency" in (role, part.role):
            return Facet(frequency=t[:1])
        if "unit" in (role, part.role):
            unit = Facet(unit=part.unit or t.strip("-—()"), unit_at=at)
            # 幢 | 面积: a count that stands for a name
            counts = role != "unit" and at[0] in self.counted
            named = counts and words.is_unit(t) and t not in words.PERCENTS
            return unit._replace(names=(t,), name_at=at) if named else unit
        if part.role == "summary":
            return Facet(fault="summary_row")
        return part.facet(at, self.catalog)


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


def _header_spans(t: Frame, header: list[int]) -> tuple[list[Span | None], list[int]]:
    """The periods of the last of some header rows: bare 1, 2, 3 under 月 are months, a number is one among periods."""
    cells = [t.grid[header[-1]][c] for c in t.data]
    present = [v for v in cells if not is_empty(v)]
    near = t.texts(header[-1:], t.stub) + t.texts(header[:-1], [*t.stub, *t.data])
    if bare := counted_months(present, near):
        return [_bare(v, bare) for v in cells], []
    many = sum(cell_span(v) is not None for v in cells) * 2 >= len(present)
    spans = [cell_span(v, many) if many or not isinstance(v, int | float) else None for v in cells]
    return _settled(cells, spans, t.around)


def _bare(v: object, unit: str) -> Span | None:
    """The month or quarter that a bare number stands for; its year is still to be found."""
    text = text_of(v).strip()
    return words.whole_period(text + {"月": "月", "季": "季度"}[unit]) if text.isdecimal() else None


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
        sure = sum(bool(t.catalog.match_indicator(a + b, False).id) for a, b in pairs.values())
        short = len(top) > 1 and all(len(a) <= 4 and len(b) <= 5 for a, b in pairs.values())
        rest = [r for r in t.header if r not in (upper, lower)]
        for c, (a, b) in pairs.items() if short or sure * 2 > len(pairs) else ():
            out[c] = [(lower, a + b), *t.cells(rest, [c])]
    return out


def _neighbours(columns: dict[int, Facet], t: Frame) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd"
        for f in (*columns.values(), Facet(span=t.around.span))
    )
    before = _NOTHING
    for c, f in columns.items():
        rate = f.names and f.measure in PERCENT_KINDS
        columns[c] = f = _after(_last_years(f, before, cumulative), before)
        if rate or not f.measure and not (f.relative and f.relative[1]):
            before = f
    return columns


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
    if len(spans) < 2 or len({y for *_, y in spans}) > 1:
        return
    start, end, year = spans[0][0], spans[-1][1], spans[0][2]
    basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
    says = {"fault": "period_ambiguous"}
    if all(b[0] == a[1] + 1 for a, b in pairwise(spans)):
        says = {"names": (), "span": Span(start, end, basis, (), year)}
    for k, f in facets.items():
        if f.names and set(f.names) <= set(known("total")) and not f.span and not f.relative:
            facets[k] = f._replace(**says)


# --- the stub -------------------------------------------------------------------------------------------------------

_LEVELS = [
    re.compile(p)
    for p in (
        r"[一二三四五六七八九十]{1,3}[、.]",
        r"\([一二三四五六七八九十]{1,3}\)",
        r"\d{1,2}[、.](?=\D)",
        r"\(\d{1,2}\)",
    )
]


@dataclass(frozen=True, slots=True)
class _Heading:
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
        self.bare = {r for r in body if not t.cells([r], t.data)}
        self.settled = {}
        self.faulty = set()
        for c in (c for c, role in self.roles.items() if role == "period"):
            spans, undecided = _stub_spans(t, c, self.bare)
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
                self.carried[c] = _READ.get(role, _Stub.nothing)(self, at, v, said(v))
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
        named = set(facet.names) & set(known("total")) or facet.place and facet.place.total
        return facet if written and (dated or named) else facet._replace(bare=True)

    def nothing(self, at: At, v: object, t: str) -> Facet:
        return _NOTHING

    def unit(self, at: At, v: object, t: str) -> Facet:
        return Facet(unit=words.units_of(t.strip("()")) or t.strip("()-—"), unit_at=at)

    def frequency(self, at: At, v: object, t: str) -> Facet:
        return Facet(frequency=t[:1])

    def period(self, at: At, v: object, t: str) -> Facet:
        """What a cell of a column of periods says, or the name that it is where it is no period."""
        if span := self.settled[at] or words.whole_period(t):
            return Facet(span=span, span_at=at)
        if words.unsupported_period(t):
            return Facet(fault="period_unsupported")
        if label(t).role == "summary":
            return Facet(fault="summary_row")
        if t not in known("total") and (place := place_of(t, self.catalog)):
            return Facet(place=place)
        return Facet(names=(t,), name_at=at)

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
        number = next((n for n, p in enumerate(_LEVELS, 1) if p.match(t)), 0)
        of_which, part = _part_of(t)
        place = place_of(t, self.catalog) if empty else None
        says = part.facet(at, self.catalog)
        if place and place.kind in ("known", "total", "other_region"):
            says = Facet(place=place)
        elif empty and part.role != "name" or part.name in known("heading"):
            says = says._replace(names=(), name_at=None)
        return _Heading(says, _indent(v), number, empty)

    def name(self, at: At, v: object, t: str) -> Facet:
        """A cell of a column of names: its path from the outermost heading in.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        headings = self.outline[at[1]]
        of_which, part = _part_of(t)
        if part.role in ("unit", "frequency", "summary"):
            return Facet(fault="summary_row" if part.role == "summary" else "")
        if part.role == "measure" and not of_which:  # 增长(%) below its indicator
            above = [h.says for h in headings if h.indent <= _indent(v) and not h.empty]
            last = [_NOTHING, *above][-1]
            return Facet(names=last.names, name_at=last.name_at).over(part.facet(at, self.catalog))
        here = self.heading(at, v, t, at[0] in self.bare and not part.unit)
        while not of_which and headings and not headings[-1].over(here):
            headings.pop()
        parent = [_Heading(), *headings][-1]
        says = parent.says
        inner = of_which or parent.indent < here.indent or not parent.empty
        if not inner and _OWN_UNIT.search(part.name):
            says = says._replace(unit="", unit_at=None)
        says = says.over(here.says)
        if not of_which and part.name not in known("total"):
            headings.append(replace(here, says=says))
        return says


_READ = {role: vars(_Stub)[role] for role in ("unit", "frequency", "period", "region", "name")}


def _part_of(t: str) -> tuple[bool, Label]:
    """Whether a name is 其中 of another, and what it says without that word."""
    plain = NUMBERING.sub("", t) or t
    if OF_WHICH.match(plain) or OF_WHICH.match(t):
        return True, label(OF_WHICH.sub("", OF_WHICH.sub("", plain)))
    return False, label(t)


def rows_of(t: Frame, found: Found) -> dict[int, Facet]:
    """What each body row's stub says."""
    if not t.stub:
        alone = not t.header or len(t.rows) == 1
        return {r: Facet(bare=not alone) for r in t.rows}
    walk = _Stub(t)
    return {r: walk.row(r, found) for r in t.rows}


def _stub_spans(t: Frame, c: int, bare: set[int]) -> tuple[list[Span | None], list[int]]:
    """The periods of a stub column; bare numbers under 月 and 季度 are months and quarters."""
    cells = [t.grid[r][c] for r in t.rows]
    unit = counted_in(t.texts(t.header, [c]))
    months = [_bare(v, unit) for v in cells] if unit else []
    if sum(s is not None for s in months) * 2 > len(t.body(c)):
        return [a or cell_span(v) for a, v in zip(months, cells, strict=True)], []
    headings = frozenset(i for i, r in enumerate(t.rows) if r in bare)
    return _settled(cells, [cell_span(v, serial=True) for v in cells], t.around, headings)


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
            text = f"「{raw}」不是本区的园区,作为其他地区保留,不计入合计。"
            found.problem("other_region", "info", None, raw, text)
    others = len(strange) > 1 and not ours
    for k, f in facets.items():
        place = f.place or Place("", "")
        if place.total and (place.id in catalog.regions if others else zone and not place.id):
            facets[k] = f._replace(place=replace(place, id="zone" if zone else ""))
        elif place.kind == "near" and not ours or place.kind == "ambiguous" and others:
            facets[k] = f._replace(place=replace(place, kind="other_region"))


# --- periods of one row or column -------------------------------------------------------------------------------------


def _settled(
    cells: list,
    spans: list[Span | None],
    around: Surroundings,
    headings: frozenset[int] = frozenset(),
) -> tuple[list[Span | None], list[int]]:
    """Periods of one header row or stub column after a second look at its neighbours; and the places left undecided.

    2018.1 may be October. A month without year takes the one before it; a whole year gives its year on where it is one of
    the `headings`, or stands more than once before months. A date of no first, middle or last day may be a text that a
    spreadsheet took for a day.
    """
    out, undecided = settle_octobers(cells, spans)
    followed = {
        i
        for i, (a, b) in enumerate(pairwise(out))
        if a and a.year and a.basis == "year" and b and not b.year
    }
    out = carry_years(out, len(followed) > 1 or bool(headings) and followed <= headings)
    odd = [i for i, v in enumerate(cells) if words.is_date(v) and v.day not in _SERIES_DAYS]
    near = [s for j, s in enumerate(out) if s and s.year and j not in (*odd, *undecided)]
    context = [s for s in (around.span, around.scope.file_span) if s is not None and s.year]
    for i in odd:
        days = [cells[j] for j in odd]
        fits = _meant(cells[i], days, near or context, [*near, *context], max(len(cells), 12))
        if len(fits) == 1:
            out[i] = fits[0]
        else:
            undecided.append(i)
    return out, undecided


_SERIES_DAYS = (1, 15, 16, 28, 29, 30, 31)  # a day of these stands for its month


def _meant(v, days: list, near: list[Span], every: list[Span], reach: int) -> list[Span]:
    """What was typed where a spreadsheet shows a day: 1-9 (January to September), 06/18, or that very month."""
    if v.month < v.day <= 12:
        typed = [s for s in every if s.end % 12 + 1 == v.day and s.basis != "year"]
        run = len(days) > 1 and all(d.month == v.month for d in days)
        if typed or run and every and len({d.day for d in days}) == len(days):
            year = (typed or every)[0].end // 12
            basis = "ytd" if v.month == 1 else "range"
            span = Span(month_no(year, v.month), month_no(year, v.day), basis, ("date_repaired",))
            return [span]
    month, other = month_no(v.year, v.month), month_no(2000 + v.day, v.month)
    fits = [n for n in dict.fromkeys((month, other)) if any(abs(s.end - n) <= reach for s in near)]
    return [month_span(n, *(("date_repaired",) if n != month else ())) for n in fits]
