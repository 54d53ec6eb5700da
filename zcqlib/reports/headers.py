"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

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

Grid = dict[int, list]
_OWN_UNIT = re.compile(
    r"(?:个|家|人|户|件|项|台|单位)数量?$|[率度]$|比重$|占比$|指数$|^人均|^每|平均"
)
_HANGING = ("其中", "内")


def _texts(grid: Grid, rows: Iterable[int], columns: Iterable[int]) -> list[str]:
    return [said(grid[r][c]) for r in rows for c in columns if not is_empty(grid[r][c])]


def long_rows(grid: Grid, block: Block, found: Found) -> None:
    """In separated text a row longer than the header holds figures that fell apart at their commas; none is shifted."""
    ends = {r: max((c for c, v in enumerate(grid[r]) if not is_empty(v)), default=-1) for r in grid}
    end = max((ends[r] for r in block.header), default=-1)
    long = [r for r in block.body if ends[r] > end >= 0]
    apart = [
        r
        for r in long
        if any(re.fullmatch(r"\d{3}(?:\.\d+)?", str(v).strip()) for v in grid[r][2:])
    ]
    for r in apart if len(long) * 2 <= len(block.body) or len(apart) == len(long) else ():
        cells = [c for c in range(len(grid[r])) if not is_empty(grid[r][c])]
        found.problem(
            "row_too_long",
            "error",
            (r, cells[0]),
            ",".join(str(grid[r][c]) for c in cells),
            f"这一行有 {ends[r] + 1} 栏,表头只有 {end + 1} 栏,可能是千位分隔符把数字拆开了;整行没有采用,请去掉千位分隔符。",
        )
        found.mark([(r, c) for c in cells], "problem")


# --- which columns name the rows --------------------------------------------------------------------------------------


def stub_of(grid: Grid, block: Block, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    stub: dict[int, str] = {}
    columns = [[grid[r][c] for r in block.body if not is_empty(grid[r][c])] for c in range(width)]
    often = {r for r in block.header if "frequency" in map(head_of, _texts(grid, [r], [0, 1]))}
    heads = [_texts(grid, [r for r in block.header if r not in often], [c]) for c in range(width)]
    for c, cells in enumerate(columns):
        role = _head_role(cells, heads[c])
        english = cells and all(isinstance(v, str) and words.is_gloss(v) for v in cells)
        if english and set(stub.values()) & {"name", "region", "period"}:
            stub[c] = "gloss"
        elif role == "note" or not cells and not role:
            if stub and not cells:
                break
        elif _serial(cells, role, stub, columns[c + 1 : c + 2]):
            stub[c] = "serial"
        elif role := _stub_role(cells, heads[c], role, stub):
            stub[c] = role
        else:
            break
    first = next((c for c in range(width) if c not in stub), width)
    for c in range(first + 1, width):  # long tables may hold unit, place or period on the right
        role = next(filter(None, map(head_of, heads[c])), "")
        fits = {"unit": _unit_cell, "region": lambda v: isinstance(v, str), "period": cell_span}
        if role in fits and columns[c] and all(fits[role](v) for v in columns[c]):
            stub[c] = role
    return stub


def _head_role(cells: list, heads: list[str]) -> str:
    """The role that a column's head gives it, unless its cells speak against it."""
    role = next(filter(None, map(head_of, heads)), "")
    if role == "unit" and "计量单位" not in heads and cells and not any(map(_unit_cell, cells)):
        return "region"  # 单位 over names of places or offices
    numbers = sum(isinstance(v, int | float) for v in cells)
    return "" if role == "region" and numbers * 2 > len(cells) else role


def _serial(cells: list, role: str, stub: dict[int, str], after: list[list]) -> bool:
    """A column of running numbers before the names, whatever stands over it."""
    if role == "serial":
        return True
    numbers = [float(v) for v in cells if isinstance(v, int | float) or v_digits(v)]
    counts = len(numbers) > 1 and all(
        b - a == 1 for a, b in zip(numbers, numbers[1:], strict=False)
    )
    return (
        counts
        and role != "period"
        and not stub
        and len(numbers) >= 0.8 * len(cells)
        and not any(cell_span(v) for v in cells)
        and any(isinstance(v, str) and not valueish(v) for v in (after[0] if after else ()))
    )


def v_digits(v: object) -> bool:
    return isinstance(v, str) and v.strip().isdecimal()


def _stub_role(cells: list, heads: list[str], role: str, stub: dict[int, str]) -> str:
    """The role of a column that names rows, "" where the figures begin."""
    if role in ("unit", "period", "frequency"):
        return role
    dated = [cell_span(v) is not None for v in cells]
    worded = [
        d
        for v, d in zip(cells, dated, strict=True)
        if isinstance(v, str) and words.value_of(v).kind == "context" and not (stub and doubtful(v))
    ]
    spans, plain = sum(dated), worded.count(False)
    if plain + spans > 0.5 * len(cells) and (worded or not heads or role or not stub):
        if plain >= spans:
            units = all(isinstance(v, str) and words.is_unit(squeeze(v)) for v in cells)
            return "unit" if units else role or "name"
        return "period" if role or not heads or not stub else ""
    return role if role in ("region", "name") else ""


def _unit_cell(v: object) -> bool:
    return isinstance(v, str) and bool(
        words.unit_of(squeeze(v).strip("()")) or v.strip() in ("-", "—")
    )


# --- the header ---------------------------------------------------------------------------------------------------------


def fill_header(
    grid: Grid, block: Block, sheet: Sheet, stub: dict[int, str], data: list[int]
) -> None:
    """Spread group words over their columns: merged ranges first, then blanks that have a word below them."""
    header = block.header
    for r0, c0, _, c1 in sheet.merged:
        if r0 in header and c1 > c0 and c0 not in stub:
            for c in range(c0, min(c1, len(grid[r0]) - 1) + 1):
                grid[r0][c] = grid[r0][c0]
    for i, r in enumerate(header[:-1]):
        for c in data:
            left = grid[r][c - 1] if c and c - 1 not in stub else ""
            if not is_empty(grid[r][c]) or is_empty(left):
                continue
            named = _texts(grid, header[i + 1 :], [c])
            if named and not all(label(t).role == "unit" for t in named):
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


def _read_header(
    grid: Grid, block: Block, stub: dict[int, str], data: list[int], around
) -> _Header:
    spans: dict[At, Span] = {}
    faults: dict[int, str] = {}
    roles = {r: _row_role(grid, r, stub, data, around.scope.catalog) for r in block.header}
    for i, r in enumerate(block.header):
        settled, undecided = _header_spans(grid, block.header[: i + 1], stub, data, around)
        spans |= {(r, c): s for c, s in zip(data, settled, strict=True) if s is not None}
        for i in undecided:
            spans.pop((r, data[i]), None)
            faults[data[i]] = "period_ambiguous"
    rows = [r for r in block.header if roles[r] != "note"]
    parts = {c: [(r, grid[r][c]) for r in rows if not is_empty(grid[r][c])] for c in data}
    parts |= _broken_words(grid, block, data, around.scope.catalog)
    for c, cells in parts.items():
        plain = [(r, v) for r, v in cells if not (isinstance(v, str) and words.is_gloss(v))]
        if any(isinstance(v, str) for _, v in plain):
            parts[c] = plain
    counted = {
        r for r in block.header if any(label(t).role == "name" for t in _texts(grid, [r], data))
    }
    return _Header(roles, counted, spans, parts, faults)


def _row_role(grid: Grid, r: int, stub: dict[int, str], data: list[int], catalog: Catalog) -> str:
    """What a header row is about: by the word in its stub, or because most of its cells are places or units."""
    lead = [c for c, role in stub.items() if role != "serial"]
    role = next((head_of(t) for t in _texts(grid, [r], lead)), "")
    labels = [label(t) for t in _texts(grid, [r], data)]
    if role in ("unit", "frequency"):
        marks = sum(not t.strip("-—") for t in _texts(grid, [r], data))
        if (sum(k.role in ("unit", "frequency") for k in labels) + marks) * 2 > len(labels):
            return role
        role = ""
    raw = [text_of(grid[r][c]) for c in data if not is_empty(grid[r][c])]
    if sum(place_of(v, catalog) is not None for v in raw) >= 0.6 * len(raw):
        return "region"
    return {"region": "region?", "note": "note"}.get(role, "")


def _header_spans(
    grid: Grid, header: list[int], stub: dict[int, str], data: list[int], around: Surroundings
) -> tuple[list[Span | None], list[int]]:
    """The periods of the last of some header rows: bare 1, 2, 3 under 月 are months, a number is one among periods."""
    cells = [grid[header[-1]][c] for c in data]
    present = [v for v in cells if not is_empty(v)]
    near = _texts(grid, header[-1:], stub) + _texts(grid, header[:-1], [*stub, *data])
    if bare := counted_months(present, near):
        return [_bare(v, bare) for v in cells], []
    raw = [cell_span(v) for v in cells]
    if sum(s is not None for s in raw) * 2 < len(present):
        raw = [None if isinstance(v, int | float) else s for v, s in zip(cells, raw, strict=True)]
    else:
        raw = [cell_span(v, serial=True) for v in cells]
    return _settled(cells, raw, around)


def _bare(v: object, unit: str) -> Span | None:
    """The month or quarter that a bare number stands for; its year is still to be found."""
    text = text_of(v).strip()
    if not text.isdecimal() or not 1 <= int(text) <= (12 if unit == "月" else 4):
        return None
    n = int(text)
    return words.whole_period(f"{n}月" if unit == "月" else f"{n}季度")


def columns_of(
    grid: Grid,
    block: Block,
    stub: dict[int, str],
    data: list[int],
    around: Surroundings,
) -> dict[int, Facet]:
    """What each data column's header says."""
    header = _read_header(grid, block, stub, data, around)
    out: dict[int, Facet] = {}
    whole = group = Facet()  # what 其中 hangs on; the first column of a group, which is its total
    for c in data:
        facet, hangs = _column(header, c, whole, around.scope.catalog)
        if not header.parts[c] and block.header:
            facet = replace(facet, labelled=False)
        inside = len(facet.names) > len(group.names) > 0
        if inside and facet.names[: len(group.names)] == group.names:
            if not facet.unit and group.unit and not _OWN_UNIT.search(facet.names[-1]):
                facet = replace(facet, unit=group.unit, unit_at=group.unit_at)
        elif not hangs and facet.names:
            group = facet
        if not hangs and facet.names:
            whole = replace(facet, names=_without_total(facet.names))
        out[c] = facet
    return _neighbours(out, data, around)


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


def _broken_words(
    grid: Grid, block: Block, data: list[int], catalog: Catalog
) -> dict[int, list[tuple[int, object]]]:
    """Columns whose two header cells are one word broken over two rows, joined; in some columns or in all."""
    out: dict[int, list] = {}
    for upper, lower in zip(block.header, block.header[1:], strict=False):
        top = {c: said(grid[upper][c]) for c in data}
        low = {c: said(grid[lower][c]) for c in data if not is_empty(grid[lower][c])}
        if not low or not all(top.values()) or len(set(top.values())) < len(data):
            continue
        whole = len(low) == len(data)
        ends = any(label(t).role != "name" or t in known("total") for t in low.values())
        heads = (top[c] for c in low)
        if ends or any(label(t).role not in ("name", "measure") for t in heads):
            continue
        if whole and any(label(t).role != "name" for t in top.values()):
            continue
        joined = {c: top[c] + low[c] for c in low}
        sure = sum(bool(catalog.match_indicator(t, False).id) for t in joined.values())
        short = all(len(top[c]) <= 4 and len(low[c]) <= 5 for c in low)
        if sure * 2 > len(low) or short and len(data) > 1:
            for c, word in joined.items():
                rest = [r for r in block.header if r not in (upper, lower)]
                out[c] = [(lower, word)] + [
                    (r, grid[r][c]) for r in rest if not is_empty(grid[r][c])
                ]
    return out


def _neighbours(
    columns: dict[int, Facet], data: list[int], around: Surroundings
) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd"
        for f in (*columns.values(), Facet(span=around.span))
    )
    out: dict[int, Facet] = {}
    before: Facet | None = None
    for c in data:
        f = _last_years(columns[c], before, cumulative)
        if before is not None:
            f = _after(f, before)
        out[c] = f
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
    if dependent and f.names and f.names == before.names[: len(f.names)]:
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
    whole = all(b[0] == a[1] + 1 for a, b in zip(spans, spans[1:], strict=False))
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

    path: str
    says: Facet
    indent: int
    number: int  # 1 for 一、 to 4 for (1), 0 without number
    empty: bool  # no figures: it can only be a heading

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


def _places(grid: Grid, block: Block, c: int, catalog: Catalog) -> bool:
    """Whether most names of a column are places and not only totals."""
    cells = [text_of(grid[r][c]) for r in block.body if not is_empty(grid[r][c])][:300]
    found = [p for v in cells if (p := place_of(v, catalog)) and p.kind != "near"]
    bare = sum(squeeze(v) in ("合计", "总计", "小计", "其他") for v in cells)
    return (
        len(found) > 0.5 * len(cells)
        and not any(label(squeeze(v)).unit for v in cells)
        and (len(found) > bare or bare == len(cells))
    )


class _Stub:
    """Goes down the rows of a table: names are carried down, and rows stand under their headings."""

    def __init__(self, grid, block, stub, data, around: Surroundings, sheet: Sheet):
        self.grid, self.catalog = grid, around.scope.catalog
        self.roles = {
            c: "region" if role == "name" and _places(grid, block, c, self.catalog) else role
            for c, role in stub.items()
        }
        self.bare = {r for r in block.body if all(is_empty(grid[r][c]) for c in data)}
        self.settled: dict[int, dict[int, Span | None]] = {}
        self.faulty: set[int] = set()
        for c in (c for c, role in self.roles.items() if role == "period"):
            spans, undecided = _stub_spans(grid, block, c, self.bare, around)
            self.settled[c] = dict(zip(block.body, spans, strict=True))
            self.faulty |= {block.body[i] for i in undecided}
        self.merged = {
            (r, c0): r0
            for r0, c0, r1, _ in sheet.merged
            if r1 > r0 and c0 in stub and r0 in grid
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
            return self.named(facet, t, v, at, self.outline[c], r in self.bare, fresh)
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

    def named(
        self,
        facet: Facet,
        t: str,
        v: object,
        at: At,
        headings: list[_Heading],
        empty: bool,
        fresh: bool,
    ) -> Facet:
        """A cell of a column of names: its path from the outermost heading in.

        其中 goes under the row before it that is not itself 其中; other rows under their headings.
        """
        plain = NUMBERING.sub("", t) or t
        of_which = OF_WHICH.match(plain) or OF_WHICH.match(t)
        part = label(re.sub(r"^其中[::]?", "", OF_WHICH.sub("", plain)) if of_which else t)
        if part.role in ("unit", "frequency"):
            return facet
        if part.role == "summary":
            return replace(facet, fault="summary")
        own = _add(facet, part, at) if part.role != "head" else facet
        if part.role == "measure" and fresh and not of_which:  # 增长(%) below its indicator
            above = [h for h in headings if h.indent <= _indent(v) and not h.empty]
            return _name(own, above[-1].path, above[-1].says.name_at) if above else own
        here = self.heading(t, v, empty and not part.unit and not facet.unit, at)
        if not of_which and fresh:
            while headings and not headings[-1].over(here):
                headings.pop()
        parent = headings[-1] if headings and (of_which or fresh) else None
        name = part.name
        if parent is not None:
            inner = of_which or parent.indent < here.indent or not parent.empty
            own = _under(own, parent, unit=bool(inner or not _OWN_UNIT.search(name)))
            name = "/".join(filter(None, (parent.path, name)))
        if own.place is None and (place := place_before_colon(part.name, self.catalog)):
            own = replace(own, place=place)
        if fresh and not of_which and part.name not in known("total"):
            says = here.says if parent is None else _under(here.says, parent)
            path = name if here.path else parent.path if parent else ""
            if says.unit != own.unit:
                says = replace(says, unit=own.unit, unit_at=own.unit_at)
            headings.append(_Heading(path, says, here.indent, here.number, here.empty))
        return _name(own, name, at)


def _name(facet: Facet, path: str, at: At | None) -> Facet:
    """A facet with one more name; a name that is said twice counts once."""
    if not path or facet.names[-1:] == (path,):
        return facet
    return replace(facet, names=(*facet.names, path), name_at=at)


def _under(facet: Facet, heading: _Heading, unit: bool = False) -> Facet:
    """A row's facet with what its heading says and it does not say itself."""
    h = heading.says
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


def rows_of(
    grid: Grid,
    block: Block,
    stub: dict[int, str],
    data: list[int],
    around: Surroundings,
    found: Found,
    sheet: Sheet,
) -> dict[int, Facet]:
    """What each body row's stub says."""
    if not stub:
        alone = not block.header or len(block.body) == 1
        return {r: Facet(labelled=alone) for r in block.body}
    walk = _Stub(grid, block, stub, data, around, sheet)
    return {r: walk.row(r, found) for r in block.body}


def _stub_spans(
    grid: Grid, block: Block, c: int, bare: set[int], around: Surroundings
) -> tuple[list[Span | None], list[int]]:
    """The periods of a stub column; bare numbers under 月 and 季度 are months and quarters."""
    cells = [grid[r][c] for r in block.body]
    unit = counted_in(_texts(grid, block.header, [c]))
    months = [_bare(v, unit) for v in cells] if unit else []
    if sum(s is not None for s in months) * 2 > sum(not is_empty(v) for v in cells):
        rest = [cell_span(v) for v in cells]
        return [a or b for a, b in zip(months, rest, strict=True)], []
    headings = frozenset(i for i, r in enumerate(block.body) if r in bare)
    return _settled(cells, [cell_span(v, serial=True) for v in cells], around, headings)


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
    annual = [i for i, s in enumerate(out) if s is not None and s.year and s.basis == "year"]
    followed = {i for i in annual if i + 1 < len(out) and out[i + 1] and not out[i + 1].year}
    out = carry_years(out, from_years=len(followed) > 1 or bool(headings) and followed <= headings)
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
