"""From one table's rows and columns to observations: what the stub, the header and the surroundings say together."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from zcqlib.catalog import Catalog
from zcqlib.reports import totals, words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.layout import (
    _HEAD,
    _META,
    _NUMBERING,
    _OF_WHICH,
    _TITLE_NOISE,
    Block,
    Facet,
    Fact,
    Found,
    Label,
    Place,
    Scope,
    _valueish,
    cell_span,
    is_empty,
    label,
    place_of,
    settle_octobers,
    text_of,
)
from zcqlib.reports.words import Span, Value, squeeze

PERCENT_KINDS = {"yoy_pct", "mom_pct", "share_pct", "completion_pct"}
_NATION = re.compile(r"^数据库[::](?:月度|季度|年度|进度)数据$")


class Surroundings:
    """What the lines above a table, the sheet name, the file name and the report month say, nearest first."""

    def __init__(self, sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]):
        lines = [str(sheet.rows[r][c]) for r, c in block.above]
        lines = [x for x in lines if not re.fullmatch(r"[(]?续表?[\d一二三四五六七八九十]*[)]?", squeeze(x))]
        self.lines = lines or inherited or ([sheet.title] if sheet.title else [])
        self.unit, self.indicator, self.indicator_unit, self.flags = "", "", "", ()
        self.span, self.place = None, None
        national = False
        for line in self.lines:
            t = squeeze(line)
            national |= bool(_NATION.match(t))
            if unit := words.stated_unit(t):
                self.unit = unit
            meta = _META.match(t)
            if meta and meta[1] == "指标":
                self.indicator, self.indicator_unit = words.split_unit(meta[2])
            elif meta and meta[1] in ("地区", "园区", "区域", "填报单位", "报送单位") and meta[2]:
                self.place = place_of(meta[2], scope.catalog) or self.place
            elif not meta or meta[1] in ("报告期", "统计期", "填报时间"):
                if p := words.period_in(t):
                    self.span = self.span or p[0]
        sheet_text = squeeze(sheet.name)
        named = words.whole_period(sheet_text) or ((words.period_in(sheet_text) or (None,))[0])
        if named and self.span and named.year and self.span.year and named.end // 12 != self.span.end // 12 \
                or named and self.span and named.basis == self.span.basis == "month" and named.end % 12 != self.span.end % 12:
            found.problem("context_conflict", "warning", None, sheet.name,
                          f"工作表名「{sheet.name}」与表题的期间不一致,已按表题,请核对。")
        self.span = _with_year(self.span or named, [named, scope.file_span], scope.published)
        if self.span is None or self.span.basis == "year" and scope.file_span and scope.file_span.basis != "year" \
                and scope.file_span.end // 12 == self.span.end // 12 and not lines:
            self.span = scope.file_span or self.span
        sheet_place = place_of(sheet.name, scope.catalog)
        if self.place is None:
            inside = regions_in("".join(self.lines[:3]), scope)
            self.place = Place(inside[0], scope.catalog.name(inside[0])) if len(inside) == 1 else None
        if self.place is None and sheet_place is not None and sheet_place.kind in ("known", "total"):
            self.place = sheet_place
        in_name = regions_in(scope.file, scope)
        if self.place is None and len(in_name) == 1:
            self.place = Place(in_name[0], scope.catalog.name(in_name[0]))
        if self.place is None and national:
            self.place, self.flags = Place("", "全国", "total"), ("region_assumed",)
        if self.place is None and scope.sender_region:
            self.place = Place(scope.sender_region, scope.catalog.name(scope.sender_region), "total")
            self.flags = ("region_assumed",)
        self.scope, self.sheet = scope, sheet

    def title_indicator(self) -> tuple[str, str]:
        """The indicator that a title names when neither rows nor columns name one, and the flag that says whence."""
        for source in (*self.lines, self.sheet.name, re.sub(r"\.\w+$", "", self.scope.file)):
            t = squeeze(source)
            if _META.match(t):
                continue
            name = strip_title(t)
            if self.scope.catalog is not None:
                whole = self.scope.catalog.match_indicator(name, False).id if name else ""
                if whole:
                    return name, "indicator_from_title" if source in self.lines else (
                        "indicator_from_sheet" if source == self.sheet.name else "from_filename")
            if source in self.lines and len(name) >= 2 and re.search(r"[\u4e00-\u9fffA-Za-z]{2}", name) \
                    and not re.search(r"数据|报表|主要指标|表$|情况", name):
                return name, "indicator_from_title"
        return "", ""


def strip_title(t: str) -> str:
    """A title without table number, period, region and the words that every title has."""
    if p := words.period_in(t):
        t = t[:p[1]] + t[p[2]:]
    t = re.sub(r"^截至|^截止", "", t)
    for _ in range(3):
        t = _TITLE_NOISE.sub("", t)
    t = re.sub(r"^(?:新乡市?|自创区|全市|全省|全国|[\u4e00-\u9fff]{1,6}区)(?=[\u4e00-\u9fff]{3})", "", t)
    return t.strip("()()::、,的—-")


@lru_cache(maxsize=4096)
def _regions_in(text: str, names: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name, id in names:
        if name in text:
            found[id] = None
            text = text.replace(name, "□")
    return tuple(found)


def regions_in(text: str, scope: Scope) -> tuple[str, ...]:
    """Ids of our own places whose names stand in a longer text."""
    return _regions_in(squeeze(text), scope.region_names)


def _with_year(span: Span | None, others: list[Span | None], published: int) -> Span | None:
    """Give a span without year the year of the nearest that has one, at last the report month's."""
    if span is None or span.year:
        return span
    for other in others:
        if other is not None and other.year:
            return _shift(span, other.end // 12)
    if published:
        return _shift(span, published // 12 - (1 if span.end % 12 > published % 12 + 1 and published % 12 == 0 else 0))
    return span


def _shift(span: Span, year: int) -> Span:
    return replace(span, start=span.start % 12 + 12 * year, end=span.end % 12 + 12 * year, year=True)


# --- header and stub ------------------------------------------------------------------------------------------------

def read_table(sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]) -> list[str]:
    """Turn one block into facts, problems and outcomes; returns the lines that named it, for a continued table."""
    around = Surroundings(sheet, block, scope, found, inherited)
    found.outcome.update(dict.fromkeys(block.above, "context"))
    rows = sheet.rows
    left, width = block.left, min(block.right, max((len(rows[r]) for r in (*block.header, *block.body)), default=0))
    grid = {r: [""] * left + list(rows[r][left:width]) + [""] * (width - max(len(rows[r]), left))
            for r in (*block.header, *block.body)}
    stub = _stub(grid, block, width)
    data = [c for c in range(width) if c not in stub and any(
        _valueish(grid[r][c]) or isinstance(grid[r][c], str) and _doubtful(grid[r][c]) for r in block.body)]
    notes = [c for c in range(width) if c not in stub and c not in data]
    for r in block.header:
        found.outcome.update({(r, c): "label" for c, v in enumerate(grid[r]) if not is_empty(v)})
    _fill_header(grid, block, sheet, stub, data)
    if not sheet.name:
        _long_rows(grid, block, found)
    for r in block.body:
        for c in notes:
            if not is_empty(grid[r][c]):
                found.outcome[r, c] = "context"
    columns = _columns(grid, block, stub, data, around, found)
    lines = _rows(grid, block, stub, around, found, sheet)
    _name_totals(lines, columns, scope.catalog)
    _settle_places(lines, columns, around, found)
    _merged_bodies(sheet, block, data, found)
    first = len(found.facts)
    _cells(grid, block, data, columns, lines, around, found, sheet)
    totals.reconcile(found.facts[first:], [f.place for f in (*lines.values(), *columns.values())], scope.catalog, found)
    return around.lines


def _long_rows(grid: dict[int, list], block: Block, found: Found) -> None:
    """In separated text a row longer than the header holds figures that fell apart at their commas; none is shifted."""
    ends = {r: max((c for c, v in enumerate(grid[r]) if not is_empty(v)), default=-1) for r in grid}
    end = max((ends[r] for r in block.header), default=-1)
    long = [r for r in block.body if ends[r] > end >= 0]
    apart = [r for r in long if any(re.fullmatch(r"\d{3}(?:\.\d+)?", str(v).strip()) for v in grid[r][2:])]
    for r in apart if len(long) * 2 <= len(block.body) or len(apart) == len(long) else ():
        cells = [c for c in range(len(grid[r])) if not is_empty(grid[r][c])]
        found.problem("row_too_long", "error", (r, cells[0]), ",".join(str(grid[r][c]) for c in cells),
                      f"这一行有 {ends[r] + 1} 栏,表头只有 {end + 1} 栏,可能是千位分隔符把数字拆开了;整行没有采用,请去掉千位分隔符。")
        found.outcome.update({(r, c): "problem" for c in cells})


def _stub(grid: dict[int, list], block: Block, width: int) -> dict[int, str]:
    """The left columns that name rows, with the role that their header or content gives them."""
    stub: dict[int, str] = {}
    for c in range(width):
        cells = [grid[r][c] for r in block.body if not is_empty(grid[r][c])]
        heads = [squeeze(text_of(grid[r][c])) for r in block.header if not is_empty(grid[r][c])]
        role = next((_HEAD[h] for h in heads if h in _HEAD), "")
        if role == "note" or not cells and not role:
            if stub and not cells:
                break
            continue
        spans = sum(cell_span(v) is not None for v in cells)
        plain = sum(isinstance(v, str) and words.value_of(v).kind == "context" for v in cells)
        numbered = [v for v in cells if isinstance(v, int | float) or isinstance(v, str) and v.strip().isdigit()]
        if role == "serial" or numbered and len(numbered) >= 0.8 * len(cells) and not stub and not spans and _counts_up(
                numbered) and c + 1 < width and any(isinstance(grid[r][c + 1], str) and not _valueish(grid[r][c + 1])
                                                    for r in block.body):
            stub[c] = "serial"
        elif role in ("unit", "period", "frequency"):
            stub[c] = role
        elif plain + spans > 0.5 * len(cells) and (plain or not heads or role or not stub):
            if spans > plain and (role or not heads or not stub):
                stub[c] = "period"
            elif plain >= spans:
                units = sum(isinstance(v, str) and words.is_unit(squeeze(v)) for v in cells)
                stub[c] = "unit" if units == len(cells) else role or "name"
            else:
                break
        elif role in ("region", "name"):
            stub[c] = role
        else:
            break
    return stub


def _counts_up(cells: list) -> bool:
    numbers = [float(v) for v in cells]
    return len(numbers) > 1 and all(b - a == 1 for a, b in zip(numbers, numbers[1:], strict=False))


def _fill_header(grid: dict[int, list], block: Block, sheet: Sheet, stub: dict[int, str], data: list[int]) -> None:
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
        below = header[i + 1:]
        for c in range(1, len(grid[r])):
            if not is_empty(grid[r][c]) or c in stub or c not in data:
                continue
            named = [grid[b][c] for b in below if not is_empty(grid[b][c])]
            if named and not all(label(squeeze(text_of(v))).role == "unit" for v in named):
                left = grid[r][c - 1]
                if not is_empty(left) and c - 1 not in stub:
                    grid[r][c] = left


def _columns(grid: dict[int, list], block: Block, stub: dict[int, str], data: list[int], around: Surroundings,
             found: Found) -> dict[int, Facet]:
    """What each data column's header says."""
    header = block.header
    spans: dict[tuple[int, int], Span | None] = {}
    faults: dict[int, str] = {}
    for r in header:
        cells = [grid[r][c] for c in data]
        raw = [cell_span(v) for v in cells]
        if sum(s is not None for s in raw) * 2 < len([v for v in cells if not is_empty(v)]):
            raw = [s if not isinstance(v, int | float) else None for v, s in zip(cells, raw, strict=True)]
        else:
            raw = [cell_span(v, serial=True) for v in cells]
        settled, undecided = _settled(cells, raw, around)
        for i, c in enumerate(data):
            spans[r, c] = settled[i]
            if i in undecided:
                spans[r, c] = None
                faults[c] = "period_ambiguous"
    heads = {r: next((_HEAD.get(squeeze(text_of(grid[r][c])), "") for c in stub if not is_empty(grid[r][c])), "")
             for r in header}
    joined = _broken_words(grid, block, data, around.scope.catalog)
    out, lead, previous = {}, (), Facet()
    for c in data:
        parts = [(r, grid[r][c]) for r in header if not is_empty(grid[r][c])]
        if c in joined:
            parts = joined[c]
        facet = Facet(labelled=bool(parts) or not header, fault=faults.get(c, ""))
        names: list[str] = []
        for r, v in parts:
            t = squeeze(text_of(v))
            if spans.get((r, c)) is not None and not isinstance(v, str) or spans.get((r, c)) is not None and cell_span(v):
                facet = replace(facet, span=_join_spans(facet.span, spans[r, c]))
                continue
            if isinstance(v, str) and words.unsupported_period(t):
                facet = replace(facet, fault="period_unsupported")
                continue
            region = place_of(text_of(v), around.scope.catalog) if isinstance(v, str) else None
            if region is not None and (heads[r] == "region" or _is_region_row(grid, r, data, around.scope.catalog)):
                facet = replace(facet, place=region)
                continue
            of_which = _OF_WHICH.match(t)
            known = label(_OF_WHICH.sub("", t) if of_which and len(t) > 2 else t)
            if heads[r] == "frequency" or known.role == "frequency":
                facet = replace(facet, frequency=t[:1])
                continue
            if heads[r] == "unit" or known.role == "unit":
                facet = replace(facet, unit=facet.unit or known.unit or ("" if t in ("-", "—") else t))
                continue
            if of_which or t in ("其中", "内"):
                names = list(lead)
                facet = replace(facet, unit=facet.unit or previous.unit)
                if t in ("其中", "内"):
                    continue
            facet = _add(facet, known)
            if known.role in ("name", "head") and (not names or names[-1] != known.name):
                names.append(known.name)
        names = [n for n in names if n]
        first = squeeze(text_of(parts[0][1])) if parts else ""
        facet = replace(facet, names=tuple(names))
        if not (_OF_WHICH.match(first) or first in ("其中", "内")) and names:
            lead, previous = tuple(n for n in names[:1] if n not in totals.TOTAL_WORDS), facet
        out[c] = facet
    return _neighbours(out, data, around)


def _is_region_row(grid: dict[int, list], r: int, data: list[int], catalog: Catalog | None) -> bool:
    cells = [text_of(grid[r][c]) for c in data if not is_empty(grid[r][c])]
    return sum(place_of(v, catalog) is not None for v in cells) >= 0.6 * len(cells)


def _add(facet: Facet, known: Label) -> Facet:
    return replace(facet, span=_join_spans(facet.span, known.span), relative=known.relative or facet.relative,
                   unit=facet.unit or known.unit, measure=known.measure or facet.measure)


def _join_spans(a: Span | None, b: Span | None) -> Span | None:
    """A year over a month, or a month beside a year, make one span."""
    if a is None or b is None:
        return b or a
    if not b.year and a.year:
        return _shift(b, a.end // 12)
    if not a.year and b.year:
        return _shift(a, b.end // 12)
    return b


def _broken_words(grid: dict[int, list], block: Block, data: list[int], catalog: Catalog | None) -> dict[int, list]:
    """Columns whose two header cells are one word broken over two rows, joined."""
    header = block.header
    out: dict[int, list] = {}
    for upper, lower in zip(header, header[1:], strict=False):
        top = [squeeze(text_of(grid[upper][c])) for c in data]
        low = [squeeze(text_of(grid[lower][c])) for c in data]
        if not all(top) or not all(low) or len(set(top)) < len(top):
            continue
        if any(label(x).role != "name" or x in totals.TOTAL_WORDS for x in low) or any(label(x).role != "name" for x in top):
            continue
        known = catalog is not None and sum(bool(catalog.match_indicator(a + b, False).id) for a, b in
                                            zip(top, low, strict=True)) * 2 > len(data)
        if known or all(len(a) <= 4 and len(b) <= 5 for a, b in zip(top, low, strict=True)) and len(data) > 1:
            for c, a, b in zip(data, top, low, strict=True):
                out[c] = [(upper, a + b)] + [(r, grid[r][c]) for r in header if r not in (upper, lower)
                                             and not is_empty(grid[r][c])]
    return out


def _neighbours(columns: dict[int, Facet], data: list[int], around: Surroundings) -> dict[int, Facet]:
    """A bare 同比 belongs to the column before it; a bare 上年同期 is cumulative where the table is."""
    cumulative = any(f.relative == ("ytd", 0) or f.span and f.span.basis == "ytd" for f in columns.values())
    out: dict[int, Facet] = {}
    before: Facet | None = None
    for c in data:
        f = columns[c]
        if f.relative and f.relative[0] == "same":
            basis = before.relative[0] if before and before.relative and before.names == f.names else (
                "ytd" if cumulative or around.span and around.span.basis == "ytd" else "same")
            f = replace(f, relative=(basis, f.relative[1]), flags=(*f.flags, "restated_base"))
        if f.relative and f.relative[1] == 12 and "restated_base" not in f.flags and f.relative[0] != "eop_year":
            f = replace(f, flags=(*f.flags, "restated_base"))
        if f.measure in PERCENT_KINDS | {"rank"} and not f.relative and f.span is None and before is not None \
                and (before.names == f.names or not f.names or f.names[:1] == before.names[:1]):
            f = replace(f, relative=before.relative, span=before.span)
        if not f.names and before is not None and before.names and (f.measure or f.relative) and f.labelled:
            f = replace(f, names=before.names, unit=f.unit or ("" if f.measure in PERCENT_KINDS | {"rank", "index"}
                                                               else before.unit))
        out[c] = f
        if not f.measure and not (f.relative and f.relative[1]):
            before = f
    return out


def _rows(grid: dict[int, list], block: Block, stub: dict[int, str], around: Surroundings, found: Found,
          sheet: Sheet) -> dict[int, Facet]:
    """What each body row's stub says; names are carried down, 其中 goes under the row before it."""
    catalog, out = around.scope.catalog, {}
    roles = {}
    for c, role in stub.items():
        if role in ("name", "region"):
            cells = [text_of(grid[r][c]) for r in block.body if not is_empty(grid[r][c])]
            places = sum((p := place_of(v, catalog)) is not None and p.kind != "near" for v in cells)
            named = sum(label(squeeze(v)).unit != "" for v in cells)
            loose = [v for v in cells if squeeze(v) not in ("合计", "总计", "小计", "其他")]
            role = "region" if role == "region" or places > 0.5 * len(cells) and not named and (
                places > len(cells) - len(loose) or not loose) else "name"
        roles[c] = role
    by_period = {c: [grid[r][c] for r in block.body] for c, role in roles.items() if role == "period"}
    settled, faulty = {}, set()
    for c, cells in by_period.items():
        spans, undecided = _settled(cells, [cell_span(v, serial=True) for v in cells], around)
        settled[c] = dict(zip(block.body, spans, strict=True))
        faulty |= {block.body[i] for i in undecided}
    merged_rows = {(r, c): (r0, c0) for r0, c0, r1, c1 in sheet.merged if r1 > r0 and c0 in stub
                   for r in range(r0, r1 + 1) for c in (c0,)}
    carried: dict[int, object] = {}
    parents: dict[int, tuple[str, str]] = {}
    partial = False
    texts = [c for c, role in roles.items() if role in ("name", "region", "period")]
    for r in block.body:
        facet, names, empty_stub = Facet(fault="period_ambiguous" if r in faulty else ""), [], True
        for c, role in roles.items():
            v = grid[r][c]
            at = (r, c)
            if not is_empty(v):
                empty_stub = False
                found.outcome.setdefault(at, "label")
                if role != "serial":
                    carried[c] = v
                    for later in texts:
                        if later > c and is_empty(grid[r][later]):
                            carried.pop(later, None)
            elif at in merged_rows and merged_rows[at] in [(x, c) for x in block.body]:
                v = grid[merged_rows[at][0]][c]
                empty_stub = False
            elif c in carried and c != texts[-1:][0] if texts else False:
                v = carried[c]
            if is_empty(v) or role in ("serial", "note"):
                continue
            t = squeeze(text_of(v))
            if role == "unit":
                facet = replace(facet, unit="" if t in ("-", "—") else t.strip("()()"))
            elif role == "frequency":
                facet = replace(facet, frequency=t[:1])
            elif role == "period":
                span = settled[c].get(r) or words.whole_period(t)
                if span is None:
                    span = next((settled[c][k] for k in settled[c] if grid[k][c] == v), None)
                if span is not None:
                    facet = replace(facet, span=_join_spans(facet.span, span))
                elif words.unsupported_period(t):
                    facet = replace(facet, fault="period_unsupported")
                elif place_of(t, catalog):
                    facet = replace(facet, place=place_of(t, catalog))
                else:
                    names.append(t)
            elif role == "region":
                if t.startswith("#"):
                    partial = True
                place = place_of(text_of(v), catalog)
                if place is None:
                    place = Place("", text_of(v).strip(), "other_region")
                facet = replace(facet, place=place, flags=("partial",) if partial else ())
            else:
                of_which = _OF_WHICH.match(_NUMBERING.sub("", t)) or _OF_WHICH.match(t)
                known = label(re.sub(r"^其中[::]?", "", _OF_WHICH.sub("", _NUMBERING.sub("", t) or t)) if of_which else t)
                if known.role == "name" or known.role in ("head", "relative", "measure", "period"):
                    facet = _add(facet, known) if known.role != "head" else facet
                    name = known.name or (t if known.role == "head" else "")
                    if of_which and c in parents and name:
                        parent, unit = parents[c]
                        names.append(f"{parent}/{name}")
                        facet = replace(facet, unit=facet.unit or unit)
                    elif name:
                        names.append(name)
                    if name and not of_which:
                        parents[c] = (name, facet.unit or known.unit)
        facet = replace(facet, names=tuple(names), labelled=facet.labelled and not (empty_stub and bool(stub)))
        if not stub:
            facet = replace(facet, labelled=not block.header or len(block.body) == 1)
        out[r] = facet
    return out


def _name_totals(lines: dict[int, Facet], columns: dict[int, Facet], catalog: Catalog | None) -> None:
    """A bare total over rows (or columns) that are all parks of the zone is the zone's."""
    for facets in (lines, columns):
        places = {f.place.id or f.place.raw for f in facets.values() if f.place and f.place.kind not in ("total", "remainder")}
        if catalog is not None and len(places) > 1 and places <= set(catalog.parks) and not any(
                f.place and f.place.kind == "remainder" for f in facets.values()):
            for k, f in facets.items():
                if f.place and f.place.kind == "total" and not f.place.id:
                    facets[k] = replace(f, place=replace(f.place, id="zone"))


def _settle_places(lines: dict[int, Facet], columns: dict[int, Facet], around: Surroundings, found: Found) -> None:
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
                facets[k] = replace(f, place=replace(f.place, id=""))  # 全市 of another city is not our city
            elif f.place.kind == "near" and not ours or f.place.kind == "ambiguous" and others and not ours:
                facets[k] = replace(f, place=replace(f.place, kind="other_region"))
            elif f.place.kind == "other_region" and ours:
                said.add(f.place.raw)
                found.problem("other_region", "info", None, f.place.raw,
                              f"「{f.place.raw}」不是本区的园区,作为其他地区保留,不计入合计。")


def _settled(cells: list, spans: list[Span | None], around: Surroundings) -> tuple[list[Span | None], list[int]]:
    """Periods of one header row or stub column after a second look at its neighbours; and the places left undecided.

    2018.1 may be October. A date of no first, middle or last day may be 06/18 that a spreadsheet took for 18 June.
    """
    out, undecided = settle_octobers(cells, spans)
    odd = [i for i, v in enumerate(cells) if words.is_date(v) and (v.day not in (1, 15, 16) and v.day < 28)]
    near = [s for j, s in enumerate(out) if s and j not in odd and j not in undecided and s.year]
    near += [s for s in (around.span, around.scope.file_span) if s is not None and s.year and not near]
    for i in odd:
        v, reach = cells[i], max(len(cells), 12)
        month = words.month_no(v.year, v.month)
        repaired = words.month_no(2000 + v.day, v.month)
        fits = [no for no in dict.fromkeys((month, repaired)) if any(abs(s.end - no) <= reach for s in near)]
        if len(fits) == 1:
            out[i] = Span(fits[0], fits[0], "month", ("date_repaired",) if fits[0] != month else ())
        else:
            undecided.append(i)
    return out, undecided


# --- cells ----------------------------------------------------------------------------------------------------------

def _merged_bodies(sheet: Sheet, block: Block, data: list[int], found: Found) -> None:
    body, inside = set(block.body), set(data)
    for r0, c0, r1, c1 in sheet.merged:
        if r0 in body and c0 in inside and (r1 > r0 or c1 > c0) and not is_empty(sheet.rows[r0][c0]) \
                and _valueish(sheet.rows[r0][c0]):
            found.problem("merged_value", "error", (r0, c0), text_of(sheet.rows[r0][c0]),
                          "一个数字合并在几格里,看不出属于哪一个,请拆开分别填写。")


def _cells(grid: dict[int, list], block: Block, data: list[int], columns: dict[int, Facet], lines: dict[int, Facet],
           around: Surroundings, found: Found, sheet: Sheet) -> None:
    title: list[tuple[str, str]] = []

    def fallback() -> tuple[str, str]:
        if not title:
            title.append((around.indicator, "") if around.indicator else around.title_indicator())
        return title[0]

    cache: dict[tuple, object] = {}
    new: set[str] = set()
    outcome, facts = found.outcome, found.facts
    percent, struck, failed = sheet.percent, sheet.struck, sheet.failed
    hidden = sheet.hidden_rows or sheet.hidden_columns
    noteworthy = bool(percent or struck or failed or hidden or sheet.decimals or sheet.linked or sheet.comments)
    for r in block.body:
        row, cells = lines[r], grid[r]
        key = (row.names, row.span, row.relative, row.unit, row.measure, row.frequency, row.flags, row.labelled,
               row.place is None, row.fault)
        for c in data:
            v = cells[c]
            at = (r, c)
            if is_empty(v) and at not in failed or at in outcome:
                continue
            k = (key, c)
            got = cache.get(k)
            if got is None:
                got = cache[k] = _meaning(row, columns[c], around, fallback)
                if len(got) > 3 and "unit_conflict" in got[-1]:
                    found.problem("unit_conflict", "warning", at, got[5],
                                  f"「{got[1]}」的单位「{got[5]}」与表上或指标表的单位不同,已按「{got[5]}」,请核对。")
            if len(got) == 3:
                code, severity, message = got
                if not _valueish(v):
                    outcome[at] = "context"
                    continue
                found.problem(code, severity, at, text_of(v), message)
                outcome[at] = "problem"
                continue
            indicator, path, span, measure, unit, unit_raw, money, count, flags = got
            place = row.place or columns[c].place or around.place
            if place is not None and place.kind in ("near", "ambiguous"):
                found.problem("park_unknown" if place.kind == "near" else "park_ambiguous", "error", at, text_of(v),
                              f"「{place.raw}」" + (f"不是已知的园区名称,是否应为「{place.suggestion}」?请改正。"
                                                 if place.kind == "near" else "可能是几个园区,请写出完整名称。"))
                continue
            if not indicator and place is not None and path not in new and around.scope.catalog is not None \
                    and place.id in around.scope.catalog.regions:
                new.add(path)
                near = around.scope.catalog.match_indicator(path).suggestions
                found.problem("new_indicator", "warning", at, path,
                              f"「{path}」不在指标表里" + (f",相近的有:{'、'.join(near)}" if near else "")
                              + ";数字按原名保留,请核对名称,或把它加进指标别名表。")
            if place is None:
                if around.scope.catalog is None or not around.scope.catalog.parks:
                    place = Place("", "")
                else:
                    place = Place("", "", "unnamed")
            if type(v) is float or type(v) is int:
                value = Value("number", float(v), decimals=words.decimals_of(v))
                raw = text_of(v) if type(v) is int or v.is_integer() else repr(v)
            elif words.is_date(v) or isinstance(v, bool):
                found.problem("not_a_number", "error", at, str(v), "这一格应是数字,找到的是日期或是/否,请改正。")
                continue
            else:
                raw = str(v) if v is not None else ""
                value = words.value_of(raw, money, count)
            if noteworthy and at in failed:
                word = failed[at]
                found.problem(word if word == "formula_without_value" else "cell_error", "error", at, raw or word,
                              "公式没有保存计算结果,请打开后重新计算并保存。" if word == "formula_without_value" else
                              f"公式出错({word}),请改正后重新报送。")
                if word == "formula_without_value":
                    continue
                value = Value("missing", reason="cell_error")
            cell_unit, cell_raw, cell_flags = unit, unit_raw, flags
            if value.kind == "context" and _doubtful(raw):
                value = Value("problem", code="not_a_number")
            if value.kind == "context":
                outcome[at] = "context"
                continue
            if value.kind == "problem":
                found.problem(value.code, "error", at, raw, _SENTENCES[value.code] + _suggest(raw))
                continue
            if value.code:
                found.problem(value.code, "error" if value.code == "cell_error" else "warning", at, raw,
                              _SENTENCES[value.code])
            number = value.value
            if value.unit:
                if unit_raw and value.unit != unit_raw and not (unit_raw == "%" and value.unit == "%"):
                    found.problem("unit_conflict", "warning", at, raw,
                                  f"格内单位「{value.unit}」与表头单位「{unit_raw}」不同,已按格内单位,请核对。")
                cell_raw, cell_unit = value.unit, ""
            elif noteworthy and at in percent:
                number, cell_raw, cell_unit = _scale(number, (100, 1)), "%", "%"
                raw = f"{number:.10g}%"
            if noteworthy:
                if at in sheet.comments:
                    cell_flags = (*cell_flags, f"note:{' '.join(sheet.comments[at].split()).replace(';', ',')[:200]}")
                if at in struck:
                    cell_flags = (*cell_flags, "struck")
                if hidden and (r in sheet.hidden_rows or c in sheet.hidden_columns):
                    cell_flags = (*cell_flags, "hidden")
                if at in sheet.linked:
                    found.problem("external_link", "info", at, raw, "这一格引用了别的文件,只采用已保存的数值。")
            if value.note:
                cell_flags = (*cell_flags, f"note:{value.note}")
            normal, factor = normal_unit(cell_raw, around.scope)
            normal = cell_unit or normal
            decimals = value.decimals if value.decimals >= 0 else 0
            if noteworthy and at in sheet.decimals and type(v) is float and not v.is_integer():
                decimals = min(decimals, max(sheet.decimals[at], 0)) if at not in percent else sheet.decimals[at]
            outcome[at] = "observation"
            scaled = number if factor == 1 or number != number else _scale(number, factor)
            facts.append(Fact(r, c, place, indicator, path, span, measure, scaled, normal, raw, cell_raw,
                              decimals, value.reason, (*cell_flags, *value.flags)))


def _doubtful(raw: str) -> bool:
    """Digits that are neither a figure nor a period, such as 35? or 30-40."""
    return bool(re.fullmatch(r"[^\d\u4e00-\u9fff]{0,2}\d[^\u4e00-\u9fff]{0,14}", raw.strip())) \
        and words.value_of(raw).kind == "context" and words.whole_period(squeeze(raw)) is None


_SENTENCES = {
    "sign_unclear": "看不出是正是负,请用负号写明。",
    "not_a_number": "这一格应是一个确定的数字,请改正。",
    "word_in_number": "这一格应是数字,「无」不能当作 0,已按未报处理,请补报。",
    "cell_error": "公式出错,请改正后重新报送。",
}


def _suggest(raw: str) -> str:
    fixed = raw.translate(str.maketrans("OoIl", "0011"))
    return f"(是否应为 {fixed}?)" if fixed != raw and re.fullmatch(r"[\d.,]+", fixed.strip()) else ""


def _scale(number: float, factor: tuple[int, int] | float) -> float:
    """Exact decimal scaling: 56.68 亿元 is 566800 万元, not 566799.9999999999."""
    from decimal import Decimal

    n, d = factor
    return float(Decimal(repr(number)) * n / d)


@lru_cache(maxsize=4096)
def _normal(unit: str, table: tuple[tuple[str, str, int, int], ...]) -> tuple[str, object]:
    known = {squeeze(word): (normal, (n, d)) for word, normal, n, d in table}
    unit = squeeze(unit)
    if unit in known:
        normal, (n, d) = known[unit]
        return normal, 1 if n == d else (n, d)
    for prefix, n in (("万", 10_000), ("亿", 100_000_000), ("千", 1_000), ("百", 100)):
        rest = unit.removeprefix(prefix)
        if unit.startswith(prefix) and rest in {"家", "个", "户", "件", "项", "人", "名", "次", "人次", "份", "条"}:
            return rest, (n, 1)
    return unit, 1


def normal_unit(unit: str, scope: Scope) -> tuple[str, object]:
    """The normal unit of a stated one, and the factor as (numerator, denominator), 1 where nothing changes."""
    return _normal(unit, scope.factors)


def _meaning(row: Facet, column: Facet, around: Surroundings, fallback: Callable[[], tuple[str, str]]):
    """What row and column say together: the fact's labels, or (code, severity, message) where it cannot be used."""
    catalog = around.scope.catalog
    if fault := row.fault or column.fault:
        return (fault, "error", _PERIOD_SENTENCES[fault])
    if not row.labelled or not column.labelled:
        return ("orphan_cell", "warning", "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。")
    names = [n for n in (*row.names, *column.names) if n]
    names = [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]
    flags: list[str] = [*row.flags, *column.flags, *around.flags]
    measure = column.measure or row.measure
    unit = column.unit or row.unit
    if not names or all(n in totals.TOTAL_WORDS for n in names):
        title, whence = fallback()
        if not title:
            return ("no_indicator", "error", "文件里没有写明这是什么指标,请补上指标名称和单位。")
        flags += [whence] if whence else []
        names = [title, *names]
        unit = unit or around.indicator_unit
        measure = measure or words.measure_of(title)
    path = "/".join(names)
    indicator = _indicator(path, around.scope)
    known = catalog.indicators.get(indicator) if catalog is not None and indicator else None
    if known is not None and known.kind in ("growth", "ratio") and measure in ("yoy_pct", "share_pct") \
            and not column.measure and not (row.measure and len(row.names) == 0):
        measure = ""
    measure = measure or "value"
    span = _span_of(row, column, around, path, known)
    if isinstance(span, str):
        return (span, "error", _PERIOD_SENTENCES[span])
    flags += [f for f in span.flags]
    stated = around.unit
    if not unit and measure == "index":
        unit = ""
    elif measure in PERCENT_KINDS:
        if unit not in ("%", "‰", "pp", "百分点", "个百分点"):
            unit = words.fitting_unit(stated, measure) if stated else "%"
    elif measure == "rank":
        unit = ""
    elif not unit and stated:
        unit = words.fitting_unit(stated, measure)
        if known is not None and _dimension(unit, around.scope) != _dimension(known.unit, around.scope):
            unit = ""
    if not unit and known is not None and measure not in ("index", "rank"):
        unit = known.unit
        flags.append("unit_from_dictionary")
    normal, _ = normal_unit(unit, around.scope)
    if known is not None and measure == "value" and normal != known.unit and _family(normal) \
            and _family(normal) == _family(known.unit):
        normal = known.unit
    if measure == "value" and (column.unit or row.unit) and any(
            s != unit and normal_unit(s, around.scope)[0] == normal for s in stated.split("、") if s) \
            or known is not None and measure == "value" and normal and normal != known.unit:
        flags.append("unit_conflict")
    money = normal == "万元" or unit.endswith("元")
    count = not money and unit not in ("%", "‰")
    return (indicator, path, span, measure, normal, unit, money, count, tuple(dict.fromkeys(flags)))


_FAMILIES = ({"家", "个", "户"}, {"件", "项"}, {"人", "名"})


def _family(unit: str) -> int:
    """Counters that are interchangeable: firms, items, people; 0 for all others."""
    return next((i for i, f in enumerate(_FAMILIES, 1) if unit in f), 0)


def _dimension(unit: str, scope: Scope) -> str:
    normal = normal_unit(unit, scope)[0]
    return "count" if normal in ("家", "个", "户", "件", "项", "名", "人", "次") else normal


@lru_cache(maxsize=4096)
def _bare(name: str) -> str:
    return re.sub(r"[_((]?(?:本年累计|累计|当季|当期|当月|本月|期末|月末|年末)(?:值|数|完成)?[))]?$|^(?:本年累计|本月|当月|累计|期末|年末)", "", name) or name


def _indicator(path: str, scope: Scope) -> str:
    if scope.catalog is None:
        return ""
    if path not in scope.matched:
        tries = dict.fromkeys([path, "/".join(map(_bare, path.split("/")))])
        scope.matched[path] = next((m for t in tries if (m := scope.catalog.match_indicator(t, False).id)), "")
    return scope.matched[path]


_PERIOD_SENTENCES = {
    "period_ambiguous": "期间看不出是哪年哪月(如「2018.1」可能是1月或10月),请写成「2018年10月」的样子。",
    "period_unsupported": "学年、财年、五年规划期等期间不支持,请按年、季、月报送。",
    "no_year": "只写了月份,没有年份,请在表题或表头写明年份。",
    "no_period": "没有写明是哪一期的数据,请在表题或表头写明年月。",
    "no_month": "「本月」「累计」等字样没有对应的月份,请在表题写明年月。",
}


def _span_of(row: Facet, column: Facet, around: Surroundings, path: str, known) -> Span | str:
    span = _join_spans(row.span, column.span)
    relative = column.relative or row.relative
    published, context = around.scope.published, around.span
    if span is not None and not span.year:
        year = context.end // 12 if context is not None and context.year else (
            around.scope.file_span.end // 12 if around.scope.file_span and around.scope.file_span.year else 0)
        if not year and published:
            year = published // 12 - (1 if span.end % 12 > published % 12 else 0)
        if not year:
            return "no_year"
        span = _shift(span, year)
    if span is None and relative is None:
        span = context
        if span is None and published:
            span = Span(published, published, "month")
        if span is None:
            return "no_period"
        if not span.year:
            return "no_year"
    if relative is not None:
        basis, back = relative
        own = span is not None
        base = span or context
        if base is None or base.basis == "year" and not own and published and published // 12 == base.end // 12:
            base = Span(published, published, "month") if published else base
        if base is None:
            return "no_month"
        if not base.year:
            return "no_year"
        end = base.end - back
        year0 = end - end % 12
        if base.basis == "year" and own and back == 0:
            span = base
        elif basis == "ytd":
            span = Span(year0, end, "ytd", base.flags)
        elif basis == "month":
            span = Span(end, end, "month", base.flags) if base.basis in ("month", "ytd", "eop", "range") or not own else base
        elif basis == "quarter":
            q = end - end % 3
            span = Span(q, q + 2, "quarter", base.flags)
        elif basis == "eop":
            span = base if base.basis == "year" else Span(end, end, "eop", base.flags)
        elif basis == "eop_year":
            last = base.end - base.end % 12 - 1
            span = Span(last, last, "eop", base.flags)
        elif basis == "current":
            span = base if base.basis != "ytd" else Span(end, end, "month", base.flags)
        else:  # the same span a year before
            span = replace(base, start=base.start - back, end=base.end - back)
    frequency = column.frequency or row.frequency
    if frequency == "季" and span.basis in ("month", "ytd", "quarter"):
        q = span.end - span.end % 3
        span = (Span(span.end - span.end % 12, span.end, "ytd", span.flags) if span.basis == "ytd" else
                Span(q, q + 2, "quarter", span.flags))
    stock = known is not None and known.kind in ("stock", "coverage") and known.batch is not None
    if stock and span.basis in ("month", "ytd"):
        span = Span(span.end, span.end, "eop", span.flags)
    return span
