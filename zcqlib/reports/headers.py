"""The header and the stub of a table: what each column and each row says about its figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.around import Surroundings
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    NUMBERING,
    OF_WHICH,
    PERCENT_KINDS,
    TOTALS,
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
    settle_octobers,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, squeeze

# --- header and stub ------------------------------------------------------------------------------------------------


def long_rows(grid: dict[int, list], block: Block, found: Found) -> None:
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
        found.outcome.update({(r, c): "problem" for c in cells})


def stub_of(grid: dict[int, list], block: Block, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    stub: dict[int, str] = {}
    for c in range(width):
        cells = [grid[r][c] for r in block.body if not is_empty(grid[r][c])]
        heads = [squeeze(text_of(grid[r][c])) for r in block.header if not is_empty(grid[r][c])]
        role = next(filter(None, map(head_of, heads)), "")
        if role == "unit" and cells and not any(_unit_cell(v) for v in cells):
            role = "region"  # 单位 over names of places or offices
        if (
            role == "region"
            and cells
            and sum(isinstance(v, int | float) for v in cells) * 2 > len(cells)
        ):
            role = ""
        if (
            stub
            and cells
            and all(isinstance(v, str) and words.is_gloss(v) for v in cells)
            and set(stub.values()) & {"name", "region", "period"}
        ):
            stub[c] = "gloss"
            continue
        if role == "note" or not cells and not role:
            if stub and not cells:
                break
            continue
        dated = [cell_span(v) is not None for v in cells]
        worded = [
            d
            for v, d in zip(cells, dated, strict=True)
            if isinstance(v, str)
            and words.value_of(v).kind == "context"
            and not (stub and doubtful(v))
        ]
        spans, plain = sum(dated), worded.count(False)
        numbered = [
            v
            for v in cells
            if isinstance(v, int | float) or isinstance(v, str) and v.strip().isdigit()
        ]
        if (
            role == "serial"
            or numbered
            and len(numbered) >= 0.8 * len(cells)
            and not stub
            and not spans
            and _counts_up(numbered)
            and c + 1 < width
            and any(
                isinstance(grid[r][c + 1], str) and not valueish(grid[r][c + 1]) for r in block.body
            )
        ):
            stub[c] = "serial"
        elif role in ("unit", "period", "frequency"):
            stub[c] = role
        elif plain + spans > 0.5 * len(cells) and (worded or not heads or role or not stub):
            if spans > plain and (role or not heads or not stub):
                stub[c] = "period"
            elif plain >= spans:
                units = all(isinstance(v, str) and words.is_unit(squeeze(v)) for v in cells)
                stub[c] = "unit" if units else role or "name"
            else:
                break
        elif role in ("region", "name"):
            stub[c] = role
        else:
            break
    first = next((c for c in range(width) if c not in stub), width)
    for c in range(
        first + 1, width
    ):  # long tables may hold unit, place or period to the right of the figures
        role = next(filter(None, (head_of(squeeze(text_of(grid[r][c]))) for r in block.header)), "")
        if role not in ("unit", "region", "period"):
            continue
        cells = [grid[r][c] for r in block.body if not is_empty(grid[r][c])]
        if cells and (
            role == "unit"
            and all(map(_unit_cell, cells))
            or role == "region"
            and all(isinstance(v, str) for v in cells)
            or role == "period"
            and all(cell_span(v) is not None for v in cells)
        ):
            stub[c] = role
    return stub


def _unit_cell(v: object) -> bool:
    return isinstance(v, str) and (words.is_unit(squeeze(v).strip("()")) or v.strip() in ("-", "—"))


def _counts_up(cells: list) -> bool:
    numbers = [float(v) for v in cells]
    return len(numbers) > 1 and all(b - a == 1 for a, b in zip(numbers, numbers[1:], strict=False))


def fill_header(
    grid: dict[int, list], block: Block, sheet: Sheet, stub: dict[int, str], data: list[int]
) -> None:
    """Spread group words over their columns: merged ranges first, then blanks that have a word below them."""
    header = block.header
    for r0, c0, r1, c1 in sheet.merged:
        if r0 in header and c1 > c0 and c0 not in stub:
            for r in range(r0, r1 + 1):
                if r in grid:
                    for c in range(c0, min(c1, len(grid[r]) - 1) + 1):
                        if r == r0:
                            grid[r][c] = grid[r0][c0]
    for i, r in enumerate(header[:-1]):
        below = header[i + 1 :]
        for c in range(1, len(grid[r])):
            if not is_empty(grid[r][c]) or c in stub or c not in data:
                continue
            named = [grid[b][c] for b in below if not is_empty(grid[b][c])]
            if named and not all(label(squeeze(text_of(v))).role == "unit" for v in named):
                left = grid[r][c - 1]
                if not is_empty(left) and c - 1 not in stub:
                    grid[r][c] = left


def columns_of(
    grid: dict[int, list],
    block: Block,
    stub: dict[int, str],
    data: list[int],
    around: Surroundings,
    found: Found,
) -> dict[int, Facet]:
    """What each data column's header says."""
    header = block.header
    spans: dict[tuple[int, int], Span | None] = {}
    faults: dict[int, str] = {}
    for r in header:
        cells = [grid[r][c] for c in data]
        raw = [cell_span(v) for v in cells]
        if sum(s is not None for s in raw) * 2 < len([v for v in cells if not is_empty(v)]):
            raw = [
                s if not isinstance(v, int | float) else None
                for v, s in zip(cells, raw, strict=True)
            ]
        else:
            raw = [cell_span(v, serial=True) for v in cells]
        settled, undecided = _settled(cells, raw, around)
        for i, c in enumerate(data):
            spans[r, c] = settled[i]
            if i in undecided:
                spans[r, c] = None
                faults[c] = "period_ambiguous"
    heads = {
        r: next(
            (
                head_of(squeeze(text_of(grid[r][c])))
                for c, role in stub.items()
                if role != "serial" and not is_empty(grid[r][c])
            ),
            "",
        )
        for r in header
    }
    for r, role in heads.items():
        filled = [grid[r][c] for c in data if not is_empty(grid[r][c])]
        if role in ("unit", "frequency") and sum(
            label(squeeze(text_of(v))).role in ("unit", "frequency")
            or text_of(v).strip() in ("-", "—")
            for v in filled
        ) * 2 <= len(filled):
            heads[r] = ""
    joined = _broken_words(grid, block, data, around.scope.catalog)
    out, lead, previous = {}, (), Facet()
    for c in data:
        parts = [(r, grid[r][c]) for r in header if not is_empty(grid[r][c]) and heads[r] != "note"]
        if c in joined:
            parts = joined[c]
        if any(isinstance(v, str) and not words.is_gloss(v) for _, v in parts):
            parts = [(r, v) for r, v in parts if not (isinstance(v, str) and words.is_gloss(v))]
        facet = Facet(labelled=bool(parts) or not header, fault=faults.get(c, ""))
        names: list[str] = []
        spoken = ""
        for r, v in parts:
            t = squeeze(text_of(v))
            if (
                spans.get((r, c)) is not None
                and not isinstance(v, str)
                or spans.get((r, c)) is not None
                and cell_span(v)
            ):
                facet = replace(facet, span=join_spans(facet.span, spans[r, c]))
                continue
            if isinstance(v, str) and words.unsupported_period(t):
                facet = replace(facet, fault="period_unsupported")
                continue
            region = place_of(text_of(v), around.scope.catalog) if isinstance(v, str) else None
            if region is not None and (
                heads[r] == "region"
                and region.kind != "total"
                or _is_region_row(grid, r, data, around.scope.catalog)
            ):
                facet = replace(facet, place=region)
                continue
            of_which = OF_WHICH.match(t)
            known = label(OF_WHICH.sub("", t) if of_which and len(t) > 2 else t)
            if heads[r] == "frequency" or known.role == "frequency":
                facet = replace(facet, frequency=t[:1])
                continue
            if heads[r] == "unit" or known.role == "unit":
                facet = replace(
                    facet, unit=facet.unit or known.unit or ("" if t in ("-", "—") else t)
                )
                continue
            if of_which or t in ("其中", "内"):
                names = list(lead)
                facet = replace(facet, unit=facet.unit or previous.unit)
                if t in ("其中", "内"):
                    continue
            facet = _add(facet, known)
            if known.role == "measure" and known.measure in ("yoy_pct", "mom_pct"):
                spoken = t
            if known.role in ("name", "head") and (not names or names[-1] != known.name):
                names.append(known.name)
                if (
                    place := place_before_colon(known.name, around.scope.catalog)
                ) and facet.place is None:
                    facet = replace(facet, place=place)
        if spoken and any(
            squeeze(text_of(v)) in ("绝对数", "绝对量", "绝对额", "绝对值", "增减量", "增减额")
            for _, v in parts
        ):
            names, facet = [*names, spoken, "绝对数"], replace(facet, measure="")
        if words.is_index_base(facet.unit) and facet.measure != "index":
            names, facet = [*names, spoken], replace(facet, measure="index")
        names = [n for n in names if n]
        first = squeeze(text_of(parts[0][1])) if parts else ""
        facet = replace(facet, names=tuple(names))
        if (
            not facet.unit
            and previous.unit
            and len(names) > len(previous.names)
            and facet.names[: len(previous.names)] == previous.names
            and not _OWN_UNIT.search(names[-1])
        ):
            facet = replace(
                facet, unit=previous.unit
            )  # the first column of a group is its total, in the group's unit
        if not (OF_WHICH.match(first) or first in ("其中", "内")) and names:
            lead = tuple(n for n in names[:1] if n not in TOTALS)
            if not (previous.names and facet.names[: len(previous.names)] == previous.names):
                previous = facet
        out[c] = facet
    return _neighbours(out, data, around)


def place_before_colon(name: str, catalog: Catalog | None) -> Place | None:
    """The place that opens a name such as 中国:GDP:当季同比."""
    head, colon, _ = name.partition(":")
    return place_of(head, catalog) if colon and 2 <= len(head) <= 8 else None


def _is_region_row(grid: dict[int, list], r: int, data: list[int], catalog: Catalog | None) -> bool:
    cells = [text_of(grid[r][c]) for c in data if not is_empty(grid[r][c])]
    return sum(place_of(v, catalog) is not None for v in cells) >= 0.6 * len(cells)


def _add(facet: Facet, known: Label) -> Facet:
    if known.span is None and not (known.relative or known.unit or known.measure):
        return facet  # a bare name, as most are
    return replace(
        facet,
        span=join_spans(facet.span, known.span),
        relative=known.relative or facet.relative,
        unit=facet.unit or known.unit,
        measure=known.measure or facet.measure,
    )


def _broken_words(
    grid: dict[int, list], block: Block, data: list[int], catalog: Catalog | None
) -> dict[int, list]:
    """Columns whose two header cells are one word broken over two rows, joined."""
    header = block.header
    out: dict[int, list] = {}
    for upper, lower in zip(header, header[1:], strict=False):
        top = [squeeze(text_of(grid[upper][c])) for c in data]
        low = [squeeze(text_of(grid[lower][c])) for c in data]
        if not all(top) or not all(low) or len(set(top)) < len(top):
            continue
        if any(label(x).role != "name" or x in TOTALS for x in low) or any(
            label(x).role != "name" for x in top
        ):
            continue
        known = catalog is not None and sum(
            bool(catalog.match_indicator(a + b, False).id) for a, b in zip(top, low, strict=True)
        ) * 2 > len(data)
        if (
            known
            or all(len(a) <= 4 and len(b) <= 5 for a, b in zip(top, low, strict=True))
            and len(data) > 1
        ):
            for c, a, b in zip(data, top, low, strict=True):
                out[c] = [(upper, a + b)] + [
                    (r, grid[r][c])
                    for r in header
                    if r not in (upper, lower) and not is_empty(grid[r][c])
                ]
    return out


def _neighbours(
    columns: dict[int, Facet], data: list[int], around: Surroundings
) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(
        f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd" for f in columns.values()
    )
    out: dict[int, Facet] = {}
    before: Facet | None = None
    for c in data:
        f = columns[c]
        if f.relative and f.relative[0] == "same":
            basis = (
                before.relative[0]
                if before and before.relative and before.names == f.names
                else ("ytd" if cumulative or around.span and around.span.basis == "ytd" else "same")
            )
            f = replace(f, relative=(basis, f.relative[1]), flags=(*f.flags, "restated_base"))
        if (
            f.relative
            and f.relative[1] == 12
            and "restated_base" not in f.flags
            and f.relative[0] != "eop_year"
        ):
            f = replace(f, flags=(*f.flags, "restated_base"))
        if (
            f.measure in PERCENT_KINDS | {"rank"}
            and not f.relative
            and f.span is None
            and before is not None
            and (before.names == f.names or not f.names or f.names[:1] == before.names[:1])
        ):
            f = replace(f, relative=before.relative, span=before.span)
        if (
            not f.names
            and before is not None
            and before.names
            and (f.measure or f.relative)
            and f.labelled
        ):
            f = replace(
                f,
                names=before.names,
                unit=f.unit
                or ("" if f.measure in PERCENT_KINDS | {"rank", "index"} else before.unit),
            )
        out[c] = f
        if (
            columns[c].names
            and f.measure in PERCENT_KINDS
            or not f.measure
            and not (f.relative and f.relative[1])
        ):
            before = f
    return out


def span_totals(facets: dict[int, Facet]) -> None:
    """A total beside months (1月, 2月, 合计) covers exactly those months, whatever the title says."""
    spans = sorted(
        {
            (f.span.start, f.span.end, f.span.year)
            for f in facets.values()
            if f.span is not None
            and f.span.basis in ("month", "quarter", "year")
            and not f.relative
        }
    )
    totals = [
        k
        for k, f in facets.items()
        if f.names and set(f.names) <= TOTALS and f.span is None and not f.relative
    ]
    if len(spans) < 2 or len({y for *_, y in spans}) > 1:
        return
    whole = all(b[0] == a[1] + 1 for a, b in zip(spans, spans[1:], strict=False))
    start, end, year = spans[0][0], spans[-1][1], spans[0][2]
    basis = "ytd" if start % 12 == 0 and start // 12 == end // 12 else "range"
    for k in totals:
        facets[k] = (
            replace(facets[k], names=(), span=Span(start, end, basis, (), year))
            if whole
            else replace(facets[k], fault="period_ambiguous")
        )


# --- the stub -------------------------------------------------------------------------------------------------------

_LEVELS = [
    (re.compile(p), n)
    for n, p in enumerate(
        (
            r"[一二三四五六七八九十]{1,3}[、.]",
            r"\([一二三四五六七八九十]{1,3}\)",
            r"\d{1,2}[、.](?=\D)",
            r"\(\d{1,2}\)",
        ),
        1,
    )
]
_OWN_UNIT = re.compile(
    r"(?:个|家|人|户|件|项|台|单位)数量?$|[率度]$|比重$|占比$|指数$|^人均|^每|平均"
)


@dataclass(frozen=True, slots=True)
class _Heading:
    """A row that others may stand under: its path, what it says, and how far out it stands."""

    path: str
    says: Facet
    indent: int
    number: int  # 1 for 一、 to 4 for (1), 0 without number
    empty: bool  # no figures: it can only be a heading

    def over(self, indent: int, number: int, empty: bool) -> bool:
        """Whether a row belongs under this one: by its number, by its indent, or because this one has no figures."""
        if self.number and number:
            return self.number < number
        if self.indent < indent:
            return True
        if self.number:
            return self.number <= 2 and self.indent == indent and not empty
        return self.empty and self.indent == indent and not empty


def _indent(v: object) -> int:
    text = v.lstrip("\n") if isinstance(v, str) else ""
    lead = text[: len(text) - len(text.lstrip())]
    return len(lead) + lead.count("\u3000")


def _roles(
    grid: dict[int, list], block: Block, stub: dict[int, str], catalog: Catalog | None
) -> dict[int, str]:
    """The role of each stub column, after a look whether its names are places."""
    roles = {}
    for c, role in stub.items():
        if role in ("name", "region"):
            cells = [text_of(grid[r][c]) for r in block.body if not is_empty(grid[r][c])][:300]
            places = sum(
                (p := place_of(v, catalog)) is not None and p.kind != "near" for v in cells
            )
            named = sum(label(squeeze(v)).unit != "" for v in cells)
            loose = [v for v in cells if squeeze(v) not in ("合计", "总计", "小计", "其他")]
            role = (
                "region"
                if role == "region"
                or places > 0.5 * len(cells)
                and not named
                and (places > len(cells) - len(loose) or not loose)
                else "name"
            )
        roles[c] = role
    return roles


def rows_of(
    grid: dict[int, list],
    block: Block,
    stub: dict[int, str],
    data: list[int],
    around: Surroundings,
    found: Found,
    sheet: Sheet,
) -> dict[int, Facet]:
    """What each body row's stub says; names are carried down, and rows stand under their headings."""
    catalog, out = around.scope.catalog, {}
    roles = _roles(grid, block, stub, catalog)
    bare = {r for r in block.body if all(is_empty(grid[r][c]) for c in data)}
    settled, faulty = {}, set()
    for c in (c for c, role in roles.items() if role == "period"):
        cells = [grid[r][c] for r in block.body]
        spans, undecided = _settled(
            cells,
            [cell_span(v, serial=True) for v in cells],
            around,
            frozenset(i for i, r in enumerate(block.body) if r in bare),
        )
        settled[c] = dict(zip(block.body, spans, strict=True))
        faulty |= {block.body[i] for i in undecided}
    merged_rows = {
        (r, c0): r0
        for r0, c0, r1, c1 in sheet.merged
        if r1 > r0 and c0 in stub and r0 in grid
        for r in range(r0, r1 + 1)
    }
    carried: dict[int, object] = {}
    outline: dict[int, list[_Heading]] = {
        c: [] for c, role in roles.items() if role in ("name", "region")
    }
    partial = False
    texts = [c for c, role in roles.items() if role in ("name", "region", "period")]
    for r in block.body:
        facet, names, empty_stub, dated = (
            Facet(fault="period_ambiguous" if r in faulty else ""),
            [],
            True,
            not settled,
        )
        for c, role in roles.items():
            v = grid[r][c]
            at = (r, c)
            fresh = not is_empty(v)
            if fresh:
                empty_stub &= c not in texts
                found.outcome.setdefault(at, "label")
                if role != "serial":
                    carried[c] = v
                    for later in texts:
                        if later > c and is_empty(grid[r][later]):
                            carried.pop(later, None)
                        if later > c and later in outline:
                            outline[later].clear()
            elif at in merged_rows:
                v = grid[merged_rows[at]][c]
                empty_stub = False
            elif c in carried and c != texts[-1:][0] if texts else False:
                v = carried[c]
            if is_empty(v) or role in ("serial", "note", "gloss"):
                continue
            t = squeeze(text_of(v))
            if role == "unit":
                facet = replace(facet, unit="" if t in ("-", "—") else t.strip("()()"))
            elif role == "frequency":
                facet = replace(facet, frequency=t[:1])
            elif role == "period":
                dated = True
                facet, name = _period_row(facet, t, settled[c].get(r), catalog)
                names += [name] if name else []
            elif role == "region":
                partial |= t.startswith("#")
                place = place_of(text_of(v), catalog)
                if place is None and r in bare and fresh:
                    outline[c][:] = [_heading(t, v, True, catalog)]
                    continue
                if place is None:
                    place = Place("", words.without_gloss(text_of(v).strip()), "other_region")
                facet = replace(facet, place=place, flags=("partial",) if partial else ())
                if outline[c]:
                    facet, names = _under(facet, outline[c][-1]), [outline[c][-1].path]
            else:
                facet, name = _named_row(facet, t, v, outline[c], r in bare, fresh, catalog)
                names += [name] if name else []
        facet = replace(
            facet,
            names=tuple(n for n in names if n),
            labelled=not (empty_stub and bool(stub))
            and (
                dated or bool(set(names) & TOTALS or facet.place is not None and facet.place.total)
            ),
        )
        if not stub:
            facet = replace(facet, labelled=not block.header or len(block.body) == 1)
        out[r] = facet
    return out


def _period_row(
    facet: Facet, t: str, span: Span | None, catalog: Catalog | None
) -> tuple[Facet, str]:
    """What a cell of a column of periods says, and the name that it is where it is no period."""
    span = span or words.whole_period(t)
    if span is not None:
        return replace(facet, span=join_spans(facet.span, span)), ""
    if words.unsupported_period(t):
        return replace(facet, fault="period_unsupported"), ""
    if t not in TOTALS and (place := place_of(t, catalog)):
        return replace(facet, place=place), ""
    return facet, t


def _heading(t: str, v: object, empty: bool, catalog: Catalog | None) -> _Heading:
    """A row as others see it from below."""
    number = next((n for p, n in _LEVELS if p.match(t)), 0)
    known = label(t)
    if empty and known.role in ("period", "relative", "measure"):
        return _Heading("", _add(Facet(), known), _indent(v), number, empty)
    if (
        empty
        and (place := place_of(t, catalog))
        and place.kind in ("known", "total", "other_region")
    ):
        return _Heading("", Facet(place=place), _indent(v), number, empty)
    return _Heading(known.name or t, _add(Facet(), known), _indent(v), number, empty)


def _under(facet: Facet, heading: _Heading, unit: bool = False) -> Facet:
    """A row's facet with what its heading says and it does not say itself."""
    h = heading.says
    return replace(
        facet,
        span=join_spans(h.span, facet.span),
        relative=facet.relative or h.relative,
        measure=facet.measure or h.measure,
        place=facet.place or h.place,
        unit=facet.unit or (h.unit if unit else ""),
    )


def _named_row(
    facet: Facet,
    t: str,
    v: object,
    headings: list[_Heading],
    empty: bool,
    fresh: bool,
    catalog: Catalog | None,
) -> tuple[Facet, str]:
    """What a cell of a column of names says, and its path from the outermost heading in.

    其中 goes under the row before it that is not itself 其中; other rows under their headings.
    """
    plain = NUMBERING.sub("", t) or t
    of_which = OF_WHICH.match(plain) or OF_WHICH.match(t)
    known = label(re.sub(r"^其中[::]?", "", OF_WHICH.sub("", plain)) if of_which else t)
    if known.role in ("unit", "frequency"):
        return facet, ""
    own = _add(facet, known) if known.role != "head" else facet
    name = known.name or (t if known.role == "head" else "")
    if (
        known.role == "measure" and not known.name and fresh and not of_which
    ):  # 增长(%) below its indicator
        above = [h for h in headings if h.indent <= _indent(v) and not h.empty]
        return own, above[-1].path if above else ""
    here = _heading(t, v, empty and not known.unit and not facet.unit, catalog)
    if not of_which and fresh:
        while headings and not headings[-1].over(here.indent, here.number, here.empty):
            headings.pop()
    parent = headings[-1] if headings and (of_which or fresh) else None
    if parent is not None:
        inherits = (
            of_which
            or parent.indent < here.indent
            or not parent.empty
            and not _OWN_UNIT.search(name)
        )
        own = _under(own, parent, unit=inherits)
        name = f"{parent.path}/{name}" if parent.path and name else name or parent.path
    if (own.place is None) and known.name and (place := place_before_colon(known.name, catalog)):
        own = replace(own, place=place)
    if fresh and not of_which and known.name not in TOTALS:
        says = here.says if parent is None else _under(here.says, parent)
        headings.append(
            _Heading(
                name if here.path else (parent.path if parent else ""),
                says if says.unit == own.unit else replace(says, unit=own.unit),
                here.indent,
                here.number,
                here.empty,
            )
        )
    return own, name


def name_totals(
    lines: dict[int, Facet], columns: dict[int, Facet], catalog: Catalog | None
) -> None:
    """A bare total over rows (or columns) that are all parks of the zone is the zone's."""
    for facets in (lines, columns):
        places = {
            f.place.id or f.place.raw
            for f in facets.values()
            if f.place and f.place.kind not in ("total", "remainder")
        }
        if (
            catalog is not None
            and len(places) > 1
            and places <= set(catalog.parks)
            and not any(f.place and f.place.kind == "remainder" for f in facets.values())
        ):
            for k, f in facets.items():
                if f.place and f.place.kind == "total" and not f.place.id:
                    facets[k] = replace(f, place=replace(f.place, id="zone"))


def settle_places(
    lines: dict[int, Facet], columns: dict[int, Facet], around: Surroundings, found: Found
) -> None:
    """Beside our own parks a strange name is asked for; in other people's tables every place is just a place."""
    catalog = around.scope.catalog
    for facets in (lines, columns) if catalog is not None else ():
        named = [f.place for f in facets.values() if f.place is not None]
        ours = any(p.id in catalog.regions and p.kind == "known" for p in named)
        others = len({p.raw for p in named if p.kind == "other_region"}) > 1
        said = set()
        for k, f in facets.items():
            if f.place is None or ours and f.place.raw in said:
                continue
            if f.place.kind == "total" and others and not ours and f.place.id in catalog.regions:
                facets[k] = replace(
                    f, place=replace(f.place, id="")
                )  # 全市 of another city is not our city
            elif (
                f.place.kind == "near"
                and not ours
                or f.place.kind == "ambiguous"
                and others
                and not ours
            ):
                facets[k] = replace(f, place=replace(f.place, kind="other_region"))
            elif f.place.kind == "other_region" and ours:
                said.add(f.place.raw)
                found.problem(
                    "other_region",
                    "info",
                    None,
                    f.place.raw,
                    f"「{f.place.raw}」不是本区的园区,作为其他地区保留,不计入合计。",
                )


def _settled(
    cells: list,
    spans: list[Span | None],
    around: Surroundings,
    headings: frozenset[int] = frozenset(),
) -> tuple[list[Span | None], list[int]]:
    """Periods of one header row or stub column after a second look at its neighbours; and the places left undecided.

    2018.1 may be October. A month without year takes the one before it; a whole year gives its year on where it is one of
    the `headings`, or stands more than once before months. A date of no first, middle or last day may be 06/18 that a spreadsheet took for 18 June.
    """
    out, undecided = settle_octobers(cells, spans)
    annual = [i for i, s in enumerate(out) if s is not None and s.year and s.basis == "year"]
    followed = [
        i for i in annual if i + 1 < len(out) and out[i + 1] is not None and not out[i + 1].year
    ]
    out = carry_years(
        out, from_years=len(followed) > 1 or bool(headings) and set(followed) <= headings
    )
    odd = [
        i
        for i, v in enumerate(cells)
        if words.is_date(v) and (v.day not in (1, 15, 16) and v.day < 28)
    ]
    near = [s for j, s in enumerate(out) if s and j not in odd and j not in undecided and s.year]
    near += [
        s for s in (around.span, around.scope.file_span) if s is not None and s.year and not near
    ]
    for i in odd:
        v, reach = cells[i], max(len(cells), 12)
        month = words.month_no(v.year, v.month)
        repaired = words.month_no(2000 + v.day, v.month)
        fits = [
            no
            for no in dict.fromkeys((month, repaired))
            if any(abs(s.end - no) <= reach for s in near)
        ]
        if len(fits) == 1:
            out[i] = Span(fits[0], fits[0], "month", ("date_repaired",) if fits[0] != month else ())
        else:
            undecided.append(i)
    return out, undecided
