"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.around import Surroundings
from zcqlib.reports.grid import Sheet
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
    join_spans,
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
_HANGING = ("其中", "内")


@dataclass(frozen=True, slots=True)
class Frame:
    """The cells of one table, every row as long as the widest; `stub` columns name rows, `data` columns hold figures."""

    grid: dict[int, list]
    block: Block
    around: Surroundings
    sheet: Sheet
    stub: dict[int, str]
    data: list[int]

    @property
    def catalog(self) -> Catalog:
        return self.around.scope.catalog

    def texts(self, rows: Iterable[int], columns: Iterable[int]) -> list[str]:
        """What stands in some columns of some rows, squeezed."""
        return [said(v) for r in rows for c in columns if not is_empty(v := self.grid[r][c])]

    def body(self, c: int) -> list:
        """What stands in a column below its head."""
        return [v for r in self.block.body if not is_empty(v := self.grid[r][c])]


def long_rows(t: Frame, found: Found) -> None:
    """In separated text a row longer than the header holds figures that fell apart at their commas; none is shifted."""
    body, header = t.block.body, t.block.header
    ends = {r: max(filled(row), default=-1) for r, row in t.grid.items()}
    end = max((ends[r] for r in header), default=-1)
    long = [r for r in body if ends[r] > end >= 0]
    thousands = re.compile(r"\d{3}(?:\.\d+)?")
    apart = [r for r in long if any(thousands.fullmatch(str(v).strip()) for v in t.grid[r][2:])]
    for r in apart if len(long) * 2 <= len(body) or len(apart) == len(long) else ():
        cells = filled(t.grid[r])
        raw = ",".join(str(t.grid[r][c]) for c in cells)
        text = f"这一行有 {ends[r] + 1} 栏,表头只有 {end + 1} 栏,可能是千位分隔符把数字拆开了;整行没有采用,请去掉千位分隔符。"
        found.problem("row_too_long", "error", (r, cells[0]), raw, text)
        found.mark([(r, c) for c in cells], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def stub_of(t: Frame, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    header = t.block.header
    often = {r for r in header if "frequency" in map(head_of, t.texts([r], [0, 1]))}
    heads = [t.texts([r for r in header if r not in often], [c]) for c in range(width)]
    stub: dict[int, str] = {}
    for c in range(width):
        cells = t.body(c)
        role = _head_role(cells, heads[c])
        if role == "note" or not cells and not role:
            if stub and not cells:
                break
            continue
        after = t.body(c + 1) if c + 1 < width and not stub else []
        role = _stub_role(cells, heads[c], role, stub, after)
        if not role:
            break
        stub[c] = role
    fits = {"unit": _unit_cell, "region": lambda v: isinstance(v, str), "period": cell_span}
    for c in range(len(stub) + 1, width):  # long tables may hold unit, place or period on the right
        role = next(filter(None, map(head_of, heads[c])), "")
        if c not in stub and role in fits and (cells := t.body(c)) and all(map(fits[role], cells)):
            stub[c] = role
    return stub


def _head_role(cells: list, heads: list[str]) -> str:
    """The role that a column's head gives it, unless its cells speak against it."""
    role = next(filter(None, map(head_of, heads)), "")
    if role == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
        return "region"  # 单位 over names of places or offices
    numbers = sum(isinstance(v, int | float) for v in cells)
    return "" if role == "region" and numbers * 2 > len(cells) else role


def _serial(cells: list, role: str, after: list) -> bool:
    """A column of running numbers before the names, whatever stands over it."""
    digits = [v for v in cells if isinstance(v, int | float) or str(v).strip().isdecimal()]
    steps = {float(b) - float(a) for a, b in pairwise(digits)}
    return (
        steps == {1.0}
        and role != "period"
        and len(digits) >= 0.8 * len(cells)
        and not any(map(cell_span, cells))
        and any(isinstance(v, str) and not valueish(v) for v in after)
    )


def _stub_role(cells: list, heads: list[str], role: str, stub: dict[int, str], after: list) -> str:
    """The role of a column that names rows, "" where the figures begin."""
    named = set(stub.values()) & {"name", "region", "period"}
    if named and cells and all(isinstance(v, str) and words.is_gloss(v) for v in cells):
        return "gloss"
    if role == "serial" or not stub and _serial(cells, role, after):
        return "serial"
    if role in ("unit", "period", "frequency"):
        return role
    return _by_content(cells, heads, role, bool(stub))


def _by_content(cells: list, heads: list[str], role: str, stub: bool) -> str:
    """The role of a column by what its cells say: names, periods, units; "" where they are figures."""
    dated = [v for v in cells if cell_span(v)]
    worded = [v for v in cells if _worded(v) and not (stub and doubtful(v))]
    plain, spans = sum(not cell_span(v) for v in worded), len(dated)
    if plain + spans > 0.5 * len(cells) and (worded or not heads or role or not stub):
        if plain >= spans:
            units = all(isinstance(v, str) and words.is_unit(squeeze(v)) for v in cells)
            return "unit" if units else role or "name"
        return "period" if role or not heads or not stub else ""
    return role if role in ("region", "name") else ""


def _worded(v: object) -> bool:
    return isinstance(v, str) and words.value_of(v).kind == "context"


def _unit_cell(v: object) -> bool:
    return isinstance(v, str) and bool(
        words.unit_of(squeeze(v).strip("()")) or v.strip() in ("-", "—")
    )


# --- the header ---------------------------------------------------------------------------------------------------------


def fill_header(t: Frame) -> None:
    """Spread group words over their columns: merged ranges first, then blanks that have a word below them."""
    grid, header = t.grid, t.block.header
    for r0, c0, _, c1 in t.sheet.merged:
        if r0 in header and c1 > c0 and c0 not in t.stub:
            for c in range(c0, min(c1, len(grid[r0]) - 1) + 1):
                grid[r0][c] = grid[r0][c0]
    for i, r in enumerate(header[:-1]):
        for c in t.data:
            left = grid[r][c - 1] if c and c - 1 not in t.stub else ""
            if is_empty(grid[r][c]) and not is_empty(left):
                named = t.texts(header[i + 1 :], [c])
                if any(label(x).role != "unit" for x in named):
                    grid[r][c] = left


@dataclass(frozen=True, slots=True)
class _Header:
    """The header rows once read: what each row is about, its periods, and the cells that speak for each column."""

    roles: dict[
        int, str
    ]  # region (region? where only some cells are places), unit, frequency, note, or ""
    counted: set[int]  # rows of names, in which a bare unit is a name as well
    spans: dict[At, Span]
    parts: dict[int, list[tuple[int, object]]]
    faults: dict[int, str]


def _read_header(t: Frame) -> _Header:
    spans: dict[At, Span] = {}
    faults: dict[int, str] = {}
    header = t.block.header
    roles = {r: _row_role(t, r) for r in header}
    for n, r in enumerate(header, 1):
        settled, undecided = _header_spans(t, header[:n])
        faults |= {t.data[i]: "period_ambiguous" for i in undecided}
        cells = enumerate(zip(t.data, settled, strict=True))
        spans |= {(r, c): s for i, (c, s) in cells if s and i not in undecided}
    rows = [r for r in header if roles[r] != "note"]
    parts = {c: [(r, t.grid[r][c]) for r in rows if not is_empty(t.grid[r][c])] for c in t.data}
    parts |= _broken_words(t)
    for c, cells in parts.items():
        plain = [(r, v) for r, v in cells if not (isinstance(v, str) and words.is_gloss(v))]
        if any(isinstance(v, str) for _, v in plain):
            parts[c] = plain
    counted = {r for r in header if any(label(x).role == "name" for x in t.texts([r], t.data))}
    return _Header(roles, counted, spans, parts, faults)


def _row_role(t: Frame, r: int) -> str:
    """What a header row is about: by the word in its stub, or because most of its cells are places or units."""
    lead = t.texts([r], [c for c, role in t.stub.items() if role != "serial"])
    role, texts = head_of(lead[0]) if lead else "", t.texts([r], t.data)
    if role in ("unit", "frequency"):
        fits = sum(label(x).role in ("unit", "frequency") or not x.strip("-—") for x in texts)
        return role if fits * 2 > len(texts) else ""
    raw = [text_of(v) for c in t.data if not is_empty(v := t.grid[r][c])]
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
    spans = list(map(cell_span, cells))
    if sum(s is not None for s in spans) * 2 >= len(present):
        return _settled(cells, [cell_span(v, serial=True) for v in cells], t.around)
    worded = [None if isinstance(v, int | float) else cell_span(v) for v in cells]
    return _settled(cells, worded, t.around)


def _bare(v: object, unit: str) -> Span | None:
    """The month or quarter that a bare number stands for; its year is still to be found."""
    text = text_of(v).strip()
    if not text.isdecimal() or not 1 <= int(text) <= (12 if unit == "月" else 4):
        return None
    n = int(text)
    return words.whole_period(f"{n}月" if unit == "月" else f"{n}季度")


def columns_of(t: Frame) -> dict[int, Facet]:
    """What each data column's header says."""
    header = _read_header(t)
    out: dict[int, Facet] = {}
    whole = group = Facet()  # what 其中 hangs on; the first column of a group, which is its total
    for c in t.data:
        facet, hangs = _column(header, c, whole, t.catalog)
        if not header.parts[c] and t.block.header:
            facet = replace(facet, labelled=False)
        if 0 < len(group.names) < len(facet.names) and _within(facet, group):
            if not facet.unit and group.unit and not _OWN_UNIT.search(facet.names[-1]):
                facet = replace(facet, unit=group.unit, unit_at=group.unit_at)
        elif not hangs and facet.names:
            group = facet
        if not hangs and facet.names:
            whole = replace(facet, names=_without_total(facet.names))
        out[c] = facet
    return _neighbours(out, t)


def _within(facet: Facet, group: Facet) -> bool:
    return facet.names[: len(group.names)] == group.names


def _without_total(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[:-1] if names and names[-1] in known("total") else names


def _column(header: _Header, c: int, whole: Facet, catalog: Catalog) -> tuple[Facet, bool]:
    """One column's header cells, from the outside in, and whether it is 其中 of the column before it."""
    facet, hangs, spoken = Facet(fault=header.faults.get(c, "")), False, ""
    texts = [said(v) for _, v in header.parts[c]]
    for (r, v), t in zip(header.parts[c], texts, strict=True):
        at = (r, c)
        if at in header.spans and (not isinstance(v, str) or cell_span(v)):
            span = join_spans(facet.span, header.spans[at])
            facet = replace(facet, span=span, span_at=at)
        elif isinstance(v, str) and words.unsupported_period(t):
            facet = replace(facet, fault="period_unsupported")
        elif place := _header_place(v, header.roles[r], catalog):
            facet = replace(facet, place=place)
        else:
            of_which = OF_WHICH.match(t)
            if of_which or t in _HANGING:
                hangs = True
                facet = replace(facet, names=whole.names, unit=whole.unit, unit_at=whole.unit_at)
            plain = OF_WHICH.sub("", t) if of_which and len(t) > 2 else t
            if plain not in _HANGING:
                part = label(plain)
                rate = part.role == "measure" and part.measure in ("yoy_pct", "mom_pct")
                spoken = t if rate else spoken
                facet = _spoken(facet, part, plain, at, header, catalog)
    if spoken and set(texts) & set(known("amount")):
        facet = replace(facet, names=(*facet.names, spoken, "绝对数"), measure="")
    elif spoken and words.is_index_base(facet.unit) and facet.measure != "index":
        facet = replace(facet, names=(*facet.names, spoken), measure="index")
    elif words.is_index_base(facet.unit):
        facet = replace(facet, measure="index")
    return facet, hangs


def _header_place(v: object, role: str, catalog: Catalog) -> Place | None:
    """The place that a header cell names, where its row is one of places."""
    place = place_of(v, catalog) if isinstance(v, str) and role.startswith("region") else None
    return None if place and place.total and role == "region?" else place


def _spoken(facet: Facet, part: Label, t: str, at: At, header: _Header, catalog: Catalog) -> Facet:
    """A facet with what one more cell says."""
    role = header.roles[at[0]]
    if role == "frequency" or part.role == "frequency":
        return replace(facet, frequency=t[:1])
    if part.role == "unit" or role == "unit":
        # 幢 | 面积: a count that stands for a name
        counts = words.is_unit(t) and t not in words.PERCENTS
        named = counts and role != "unit" and at[0] in header.counted
        names = (*facet.names, t) if named else facet.names
        unit = part.unit or ("" if not t.strip("-—") else t.strip("()"))
        at_name = at if named else facet.name_at
        return replace(facet, names=names, unit=unit, unit_at=at, name_at=at_name)
    if part.role == "summary":
        return replace(facet, fault="summary")
    facet = _add(facet, part, at)
    if part.role in ("name", "head") and part.name and facet.names[-1:] != (part.name,):
        place = facet.place or place_before_colon(part.name, catalog)
        facet = replace(facet, names=(*facet.names, part.name), name_at=at, place=place)
    return facet


def place_before_colon(name: str, catalog: Catalog) -> Place | None:
    """The place that opens a name such as 中国:GDP:当季同比."""
    head, colon, _ = name.partition(":")
    return place_of(head, catalog) if colon and 2 <= len(head) <= 8 else None


def _add(facet: Facet, part: Label, at: At) -> Facet:
    """What a label says besides its name; the nearer unit and period win."""
    if part.span is None and not (part.relative or part.unit or part.measure):
        return facet  # a bare name, as most are
    placed = part.span or part.relative
    return replace(
        facet,
        span=join_spans(facet.span, part.span),
        relative=part.relative or facet.relative,
        unit=part.unit or facet.unit,
        measure=part.measure or facet.measure,
        unit_at=at if part.unit else facet.unit_at,
        span_at=at if placed else facet.span_at,
    )


def _broken_words(t: Frame) -> dict[int, list[tuple[int, object]]]:
    """Columns whose two header cells are one word broken over two rows, joined; in some columns or in all."""
    out: dict[int, list] = {}
    for upper, lower in pairwise(t.block.header):
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
        rest = [r for r in t.block.header if r not in (upper, lower)]
        for c, (a, b) in pairs.items() if short or sure * 2 > len(pairs) else ():
            out[c] = [(lower, a + b)] + [(r, v) for r in rest if not is_empty(v := t.grid[r][c])]
    return out


def _neighbours(columns: dict[int, Facet], t: Frame) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd"
        for f in (*columns.values(), Facet(span=t.around.span))
    )
    out: dict[int, Facet] = {}
    before: Facet | None = None
    for c in t.data:
        f = _last_years(columns[c], before, cumulative)
        out[c] = f = _after(f, before) if before else f
        named_rate = columns[c].names and f.measure in PERCENT_KINDS
        if named_rate or not f.measure and not (f.relative and f.relative[1]):
            before = f
    return out


def _last_years(f: Facet, before: Facet | None, cumulative: bool) -> Facet:
    """上年同期 has the span of the column before it of the same name, else that of the table."""
    if not f.relative or f.relative[1] != 12 or f.relative[0] == "eop_year":
        return f
    basis = f.relative[0]
    if basis == "same":
        alike = before is not None and before.relative and before.names == f.names
        basis = before.relative[0] if alike else "ytd" if cumulative else "same"
    flags = tuple(dict.fromkeys((*f.flags, "restated_base")))
    return replace(f, relative=(basis, 12), flags=flags)


def _after(f: Facet, before: Facet) -> Facet:
    """What a column takes from the one before it: a rate its period, a column without name its name."""
    dependent = f.measure in PERCENT_KINDS | {"rank"}
    if dependent and f.names and _within(before, f):
        f = replace(f, names=before.names)  # of a group the part right before it
    near = not f.names or f.names[:1] == before.names[:1]
    if dependent and near and not f.relative and f.span is None:
        f = replace(f, relative=before.relative, span=before.span, span_at=before.span_at)
    if not f.names and before.names and (f.measure or f.relative) and f.labelled:
        unit = f.unit or ("" if dependent or f.measure == "index" else before.unit)
        at = f.unit_at if f.unit else before.unit_at
        f = replace(f, names=before.names, name_at=before.name_at, unit=unit, unit_at=at)
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
    whole = all(b[0] == a[1] + 1 for a, b in pairwise(spans))
    start, end, year = spans[0][0], spans[-1][1], spans[0][2]
    basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
    for k, f in facets.items():
        if f.names and set(f.names) <= set(known("total")) and not f.span and not f.relative:
            facets[k] = (
                replace(f, names=(), span=Span(start, end, basis, (), year))
                if whole
                else replace(f, fault="period_ambiguous")
            )


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
    """A row that others may stand under: its path, what it says, and how far out it stands."""

    path: str = ""
    says: Facet = Facet()
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
        len(found) > 0.5 * len(cells)
        and not any(label(squeeze(v)).unit for v in cells)
        and (len(found) > bare or bare == len(cells))
    )


class _Stub:
    """Goes down the rows of a table: names are carried down, and rows stand under their headings."""

    def __init__(self, t: Frame):
        self.grid, self.catalog = t.grid, t.catalog
        self.roles = {
            c: "region" if role == "name" and _places(t, c) else role for c, role in t.stub.items()
        }
        body = t.block.body
        self.bare = {r for r in body if all(is_empty(t.grid[r][c]) for c in t.data)}
        self.settled: dict[int, dict[int, Span | None]] = {}
        self.faulty: set[int] = set()
        for c in (c for c, role in self.roles.items() if role == "period"):
            spans, undecided = _stub_spans(t, c, self.bare)
            self.settled[c] = dict(zip(body, spans, strict=True))
            self.faulty |= {body[i] for i in undecided}
        self.merged = {
            (r, c0): r0
            for r0, c0, r1, _ in t.sheet.merged
            if r1 > r0 and c0 in t.stub and r0 in t.grid
            for r in range(r0, r1 + 1)
        }
        self.texts = [c for c, role in self.roles.items() if role in ("name", "region", "period")]
        self.carried: dict[int, tuple[object, At]] = {}
        self.outline: dict[int, list[_Heading]] = {c: [] for c in self.texts}
        self.partial = False

    def cell(self, r: int, c: int) -> tuple[object, At, bool]:
        """What a stub cell says, where it stands, and whether it is written in this row."""
        v, at = self.grid[r][c], (r, c)
        if not is_empty(v):
            if self.roles[c] != "serial":
                self.carried[c] = v, at
                for later in self.texts:
                    if later > c:
                        self.outline[later].clear()
                        if is_empty(self.grid[r][later]):
                            self.carried.pop(later, None)
            return v, at, True
        if at in self.merged:
            at = (self.merged[at], c)
            return self.grid[at[0]][c], at, False
        if self.texts and c != self.texts[-1]:
            return *self.carried.get(c, ("", at)), False
        return "", at, False

    def row(self, r: int, found: Found) -> Facet:
        facet = Facet(fault="period_ambiguous" if r in self.faulty else "")
        written, dated = False, not self.settled
        for c, role in self.roles.items():
            v, at, fresh = self.cell(r, c)
            if fresh:
                found.outcome.setdefault(at, "label")
            if is_empty(v):
                continue
            written |= c in self.texts and (fresh or (r, c) in self.merged)
            dated |= role == "period"
            facet = self.said(facet, r, c, v, at, fresh)
        named = set(facet.names) & set(known("total")) or facet.place and facet.place.total
        return facet if written and (dated or named) else replace(facet, labelled=False)

    def said(self, facet: Facet, r: int, c: int, v: object, at: At, fresh: bool) -> Facet:
        """A row's facet with what one stub cell adds to it."""
        role, t = self.roles[c], said(v)
        if role == "unit":
            unit = words.units_of(t.strip("()")) or t.strip("()-—")
            return replace(facet, unit=unit, unit_at=at)
        if role == "frequency":
            return replace(facet, frequency=t[:1])
        if role == "period":
            return self.period(facet, t, self.settled[c].get(r), at)
        if role == "region":
            return self.region(facet, r, c, v, at, fresh)
        if role == "name":
            return self.named(facet, r, c, v, at, fresh)
        return facet

    def period(self, facet: Facet, t: str, span: Span | None, at: At) -> Facet:
        """What a cell of a column of periods says, or the name that it is where it is no period."""
        span = span or words.whole_period(t)
        if span is not None:
            return replace(facet, span=join_spans(facet.span, span), span_at=at)
        if words.unsupported_period(t):
            return replace(facet, fault="period_unsupported")
        if label(t).role == "summary":
            return replace(facet, fault="summary")
        if t not in known("total") and (place := place_of(t, self.catalog)):
            return replace(facet, place=place)
        return _name(facet, t, at)

    def region(self, facet: Facet, r: int, c: int, v: object, at: At, fresh: bool) -> Facet:
        t, text = said(v), text_of(v)
        self.partial |= t.startswith("#")
        place = place_of(text, self.catalog)
        if place is None and r in self.bare and fresh:
            self.outline[c][:] = [self.heading(t, v, True)]
            return facet
        place = place or Place("", words.without_gloss(text.strip()), "other_region")
        facet = replace(facet, place=place, flags=("partial",) if self.partial else ())
        if self.outline[c]:
            over = self.outline[c][-1]
            return _name(_under(facet, over), over.path, over.says.name_at)
        return facet

    def heading(self, t: str, v: object, empty: bool, at: At | None = None) -> _Heading:
        """A row as others see it from below."""
        number = next((n for n, p in enumerate(_LEVELS, 1) if p.match(t)), 0)
        part = label(t)
        place = place_of(t, self.catalog) if empty else None
        path, says = part.name or t, _add(Facet(name_at=at), part, at)
        if empty and part.role in ("period", "relative", "measure"):
            path = ""
        elif place and place.kind in ("known", "total", "other_region"):
            path, says = "", Facet(place=place)
        elif empty and path in known("heading"):
            path = ""  # says nothing about what is measured
        return _Heading(path, says, _indent(v), number, empty)

    def named(self, facet: Facet, r: int, c: int, v: object, at: At, fresh: bool) -> Facet:
        """A cell of a column of names: its path from the outermost heading in.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        t, headings = said(v), self.outline[c]
        of_which, part = _part_of(t)
        if part.role in ("unit", "frequency", "summary"):
            return replace(facet, fault=part.role) if part.role == "summary" else facet
        own = _add(facet, part, at)
        if part.role == "measure" and fresh and not of_which:  # 增长(%) below its indicator
            above = [h for h in headings if h.indent <= _indent(v) and not h.empty]
            last = [_Heading(), *above][-1]
            return _name(own, last.path, last.says.name_at)
        here = self.heading(t, v, r in self.bare and not part.unit and not facet.unit, at)
        heads = fresh and not of_which
        while heads and headings and not headings[-1].over(here):
            headings.pop()
        parent = [_Heading(), *headings][-1] if of_which or fresh else _Heading()
        inner = of_which or parent.indent < here.indent or not parent.empty
        own = _under(own, parent, unit=inner or not _OWN_UNIT.search(part.name))
        name = "/".join(filter(None, (parent.path, part.name)))
        own = _placed(own, part.name, self.catalog)
        if heads and part.name not in known("total"):
            says = _under(here.says, parent)
            if says.unit != own.unit:
                says = replace(says, unit=own.unit, unit_at=own.unit_at)
            path = name if here.path else parent.path
            headings.append(_Heading(path, says, here.indent, here.number, here.empty))
        return _name(own, name, at)


def _part_of(t: str) -> tuple[bool, Label]:
    """Whether a name is 其中 of another, and what it says without that word."""
    plain = NUMBERING.sub("", t) or t
    if OF_WHICH.match(plain) or OF_WHICH.match(t):
        return True, label(re.sub(r"^其中[::]?", "", OF_WHICH.sub("", plain)))
    return False, label(t)


def _placed(facet: Facet, name: str, catalog: Catalog) -> Facet:
    """A facet with the place that opens its name, where it has none."""
    place = None if facet.place else place_before_colon(name, catalog)
    return replace(facet, place=place) if place else facet


def _name(facet: Facet, path: str, at: At | None) -> Facet:
    """A facet with one more name; a name that is said twice counts once."""
    if not path or facet.names[-1:] == (path,):
        return facet
    return replace(facet, names=(*facet.names, path), name_at=at)


_NOTHING = Facet()


def _under(facet: Facet, heading: _Heading, unit: bool = False) -> Facet:
    """A row's facet with what its heading says and it does not say itself."""
    h = heading.says
    if h == _NOTHING:
        return facet
    taken = unit and not facet.unit
    return replace(
        facet,
        span=join_spans(h.span, facet.span),
        span_at=facet.span_at or h.span_at,
        relative=facet.relative or h.relative,
        measure=facet.measure or h.measure,
        place=facet.place or h.place,
        unit=h.unit if taken else facet.unit,
        unit_at=h.unit_at if taken else facet.unit_at,
    )


def rows_of(t: Frame, found: Found) -> dict[int, Facet]:
    """What each body row's stub says."""
    if not t.stub:
        alone = not t.block.header or len(t.block.body) == 1
        return {r: Facet(labelled=alone) for r in t.block.body}
    walk = _Stub(t)
    return {r: walk.row(r, found) for r in t.block.body}


def _stub_spans(t: Frame, c: int, bare: set[int]) -> tuple[list[Span | None], list[int]]:
    """The periods of a stub column; bare numbers under 月 and 季度 are months and quarters."""
    cells = [t.grid[r][c] for r in t.block.body]
    unit = counted_in(t.texts(t.block.header, [c]))
    months = [_bare(v, unit) for v in cells] if unit else []
    if sum(s is not None for s in months) * 2 > len(t.body(c)):
        return [a or cell_span(v) for a, v in zip(months, cells, strict=True)], []
    headings = frozenset(i for i, r in enumerate(t.block.body) if r in bare)
    return _settled(cells, [cell_span(v, serial=True) for v in cells], t.around, headings)


def name_totals(lines: dict[int, Facet], columns: dict[int, Facet], catalog: Catalog) -> None:
    """A bare total over rows (or columns) that are all parks of the zone is the zone's."""
    for facets in (lines, columns):
        stated = [f.place for f in facets.values() if f.place]
        parts = {p.id or p.raw for p in stated if p.kind not in ("total", "remainder")}
        rest = any(p.kind == "remainder" for p in stated)
        if len(parts) < 2 or rest or not parts <= set(catalog.parks):
            continue
        for k, f in facets.items():
            if f.place and f.place.total and not f.place.id:
                facets[k] = replace(f, place=replace(f.place, id="zone"))


def settle_places(
    lines: dict[int, Facet], columns: dict[int, Facet], around: Surroundings, found: Found
) -> None:
    """Beside our own parks a strange name is asked for; in other people's tables every place is just a place."""
    regions = around.scope.catalog.regions
    for facets in (lines, columns):
        named = [f.place for f in facets.values() if f.place is not None]
        ours = any(p.id in regions and p.kind == "known" for p in named)
        others = len({p.raw for p in named if p.kind == "other_region"}) > 1
        strange = {p.raw: None for p in named if p.kind == "other_region"} if ours else {}
        for raw in strange:
            found.problem(
                "other_region",
                "info",
                None,
                raw,
                f"「{raw}」不是本区的园区,作为其他地区保留,不计入合计。",
            )
        for k, f in facets.items() if not ours else ():
            place = f.place
            if place is None:
                continue
            if place.total and others and place.id in regions:  # 全市 of another city is not ours
                facets[k] = replace(f, place=replace(place, id=""))
            elif place.kind == "near" or place.kind == "ambiguous" and others:
                facets[k] = replace(f, place=replace(place, kind="other_region"))


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
    gives = len(followed) > 1 or bool(headings) and followed <= headings
    out = carry_years(out, from_years=gives)
    odd = [i for i, v in enumerate(cells) if words.is_date(v) and _odd(v)]
    near = [s for j, s in enumerate(out) if s and j not in odd and j not in undecided and s.year]
    context = [s for s in (around.span, around.scope.file_span) if s is not None and s.year]
    days = [cells[i] for i in odd]
    for i in odd:
        fits = _meant(cells[i], days, near or context, context, max(len(cells), 12))
        if len(fits) == 1:
            out[i] = fits[0]
        else:
            undecided.append(i)
    return out, undecided


def _odd(v) -> bool:
    """A day that does not stand for its month: not the first, the middle or the end."""
    return v.day not in (1, 15, 16) and v.day < 28


def _meant(v, days: list, near: list[Span], context: list[Span], reach: int) -> list[Span]:
    """What was typed where a spreadsheet shows a day: 1-9 (January to September), 06/18, or that very month."""
    every = [*near, *context]
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
