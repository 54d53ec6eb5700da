"""From one table's rows and columns to observations: what the stub, the header and the surroundings say together."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from zcqlib.catalog import Catalog
from zcqlib.reports import headers, words
from zcqlib.reports.grid import Sheet, remember
from zcqlib.reports.headers import Frame
from zcqlib.reports.labels import (
    PERCENT_KINDS,
    At,
    Facet,
    Facets,
    Fact,
    Found,
    Place,
    Scope,
    is_empty,
    join_spans,
    normal_unit,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block, Surroundings, with_year
from zcqlib.reports.words import Span, Value, known, month_span


def read_table(
    sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
) -> tuple[list[str], bool, list[Place]]:
    """Turn one block into facts, problems and outcomes.

    Returns the lines that named it, for a continued table, whether its rows and its columns are all different, and the
    places of its rows and columns.
    """
    around = Surroundings(sheet, block, scope, found, inherited)
    t = Frame(block, around, found)
    columns, lines = headers.columns_of(t), headers.rows_of(t)
    apart = True
    for facets in (lines, columns):
        headers.span_totals(facets)
        headers.settle_places(facets, scope.catalog, found)
        says = {(f.names, f.place, f.span, f.relative, f.measure) for f in facets.values()}
        apart &= len(says) == len(facets)
    for r0, c0, *_ in sheet.merged:
        if r0 in t.rows and c0 in t.data and valueish(v := t.grid[r0][c0]):
            found.tell("merged_value", (r0, c0), text_of(v))
    _Table(t, found, columns, lines).read()
    places = dict.fromkeys(f.place for f in (*lines.values(), *columns.values()) if f.place)
    return around.lines, apart, list(places)


# --- what a row and a column say together ---------------------------------------------------------------------------


class _Named(NamedTuple):
    """What a name means: the catalog's indicator, its kind and unit, the title and whence it was taken, what its unit can
    be."""

    indicator: str
    kind: str
    home: str
    title: str
    whence: str
    rate: bool
    counted: bool
    money: bool


class _Meaning(NamedTuple):
    """Everything about a figure but its name and place; `factor` makes the normal unit of the stated one."""

    span: Span
    measure: str
    unit: str
    unit_raw: str
    factor: Fraction
    doubt: str  # no_unit, unit_unknown or unit_conflict
    flags: tuple[str, ...]


_RATE = re.compile(
    r"率$|比重$|占比$|比例$|构成$|系数$|强度$|[_ ](?:pct|rate|ratio|share|percent)$", re.I
)
_COUNTED = re.compile(
    r"(?<![指系倍基参月计期划成对额际算末初生])数量?$|户籍|人口$|^(?:家|户|人|件|个|幢|台|次)$"
)
_COUNTABLE = re.compile(r"(?:人员|人才|职工|企业|机构|平台|载体|项目|专利|商标)$")
_MONEY = re.compile(
    r"额$|金$|收入|支出|投资|产值|增加值|经费|利润|税|GDP|生产总值|价值|资产|负债|贷款|存款", re.I
)
_UNCLEAR = {"near": "park_unknown", "ambiguous": "park_ambiguous"}
_AMOUNTS = "value", "target"


class _Table:
    """The figures of one table."""

    def __init__(self, t: Frame, found: Found, columns: Facets, lines: Facets):
        sheet = t.sheet
        self.grid, self.sheet, self.around, self.found = t.grid, sheet, t.around, found
        self.catalog, self.columns, self.lines = t.catalog, columns, lines
        self.total = {*known("total"), "环比", "同比", "定基"}
        # 合计 | 发明: parts of what the title names
        self.parts = any(f.names and self.total.issuperset(f.names) for f in columns.values())
        marked = (sheet.percent, sheet.struck, sheet.decimals, sheet.linked)
        self.plain = not any((*marked, sheet.hidden_rows, sheet.hidden_columns, sheet.comments))

    def read(self) -> None:
        """Columns that give their figures the same name are of one kind; rows that say the same share their meanings."""
        outcome, around, shared = self.found.outcome, self.around, {}
        none = Place("", "", "unnamed" if self.catalog.parks else "known")
        across = [(c, f, (f.names, f.fault)) for c, f in self.columns.items()]
        for r, row in self.lines.items():
            says = row._replace(names=bool(row.names), place=None)
            says = says._replace(name_at=None, unit_at=None, span_at=None)
            meanings, called = shared.setdefault(says, {}), {}
            for c, column, kind in across:
                v, at = self.grid[r][c], (r, c)
                if type(v) is not float and is_empty(v) or at in outcome:
                    continue
                if kind not in called:
                    called[kind] = self._named(row, column)
                path, named = called[kind]
                if (meaning := meanings.get((c, named))) is None:
                    meaning = meanings[c, named] = self._meaning(row, column, named)
                place = row.place or column.place or around.place or none
                if got := self._figure(v, at, place, path, named, meaning):
                    *got, unit_at = got
                    outcome[at] = "observation"
                    unit = meaning.unit_raw
                    titled = around.indicator_unit * bool(named.title) == unit  # 指标:产量(吨)
                    sources = (column, row, around)[: 3 - titled]
                    stated = (s for s in sources if unit in s.unit.split("、"))
                    # a month goes before a word such as 累计, the column before the row, both before the title
                    near = row.span_at and (row.span or not column.span_at) and not column.span
                    self.found.facts[at] = Fact(
                        *(r, c, place, named.indicator, path, meaning.span, meaning.measure, *got),
                        row.name_at or column.name_at or around.name_at,
                        unit_at or next((s.unit_at for s in stated), None),
                        row.span_at if near else column.span_at or around.span_at,
                    )

    def _named(self, row: Facet, column: Facet) -> tuple[str, _Named | str]:
        """The whole path of a row's figure in a column, with the title where it says no more than 合计, and what it means;
        or the code of what is wrong."""
        if fault := row.fault or column.fault:
            return "", fault
        names = row.names + column.names[row.names[-1:] == column.names[:1] :]
        vague, title = self.total.issuperset(names), ("", "")
        short = len(names) == 1 and not _indicator(names[0], self.catalog)
        if short and self.around.title[0].endswith(names[0]):
            names, vague = (), True  # 增加值 under a title on 规模以上工业增加值
        if vague or self.parts and not row.names:
            title = self.around.title
            names = (*filter(None, title[:1]), *names)
        if not names or vague and not title[0]:
            return "", "no_indicator"
        path, last = "/".join(names), names[-1]
        counted, money = bool(_COUNTED.search(last)), bool(_MONEY.search(path))
        id = _indicator(path, self.catalog)
        indicator = self.catalog.indicators.get(id)
        return path, _Named(
            *((id, indicator.kind, indicator.unit) if indicator else ("", "", "")),
            *(title if vague else ("", "")),
            bool(_RATE.search(last)),
            counted or not money and bool(_COUNTABLE.search(last)),
            money and not counted,
        )

    # --- period, measure, unit --------------------------------------------------------------------------------------

    def _meaning(self, row: Facet, column: Facet, named: _Named | str) -> _Meaning | str:
        """What row, column and surroundings say about a figure of this name, or the code of what is wrong."""
        if isinstance(named, str):
            return named
        around, measure = self.around, _measure(row, column, named)
        dated = row.span or column.span or row.relative or column.relative
        if measure == "target" and not dated:
            column = column._replace(relative=("year", 0))
        span = _span_of(row, column, around, named.kind)
        if isinstance(span, str):
            return span
        raw = self._stated_unit(row, column, named, measure)
        normal, factor, doubt = self._normal(raw, measure, named)
        others = set(around.unit.split("、")) - {"", raw} if measure == "value" else ()
        if column.unit + row.unit and normal in (normal_unit(s, self.catalog)[0] for s in others):
            doubt = "unit_conflict"
        marks = (
            named.whence,
            named.indicator
            and measure not in PERCENT_KINDS
            and normal > raw == ""
            and "unit_from_dictionary",
            named.indicator and doubt == "unit_unknown" and "held",
            doubt == "unit_conflict" and doubt,
        )
        flags = *row.flags, *column.flags, *around.flags, *span.flags, *filter(None, marks)
        return _Meaning(span, measure, normal, raw, factor, doubt, tuple(dict.fromkeys(flags)))

    def _stated_unit(self, row: Facet, column: Facet, named: _Named, measure: str) -> str:
        """The unit that the file writes for a figure, nearest first."""
        around, percent = self.around, measure in PERCENT_KINDS
        unit = column.unit or row.unit or named.title and around.indicator_unit
        unit = words.fitting_unit(unit, percent) if "、" in unit else unit
        if measure in ("rank", "index"):
            return unit if measure == "index" and words.is_index_base(unit) else ""
        if unit and percent <= (unit in words.PERCENTS):
            return unit
        unit = words.fitting_unit(around.unit, percent or named.rate)
        own = (*words.MULTIPLIERS, *words.PERCENTS, around.strange_unit)
        if percent or named.title or unit in own:
            return unit
        kind = normal_unit(unit, self.catalog)[2]
        home = "count" if named.counted else normal_unit(named.home, self.catalog)[2]
        # what other figures of the table are in; money of another currency is for people to say
        other = kind in ("money", "area", "count") or home == "count"
        return "" if other and home not in ("", kind) else unit

    def _normal(self, raw: str, measure: str, named: _Named) -> tuple[str, Fraction, str]:
        """Normal unit, factor and what is doubtful about a stated unit."""
        home = named.home * (measure in _AMOUNTS)
        if measure not in _AMOUNTS:
            raw = raw or "%" * (measure in PERCENT_KINDS)
        elif not raw:
            scaled = not named.counted and normal_unit(home, self.catalog)[2] in ("money", "area")
            return home, 1, "no_unit" if scaled or not home else ""
        elif raw in words.MULTIPLIERS:
            raw += "元" if home == "万元" or named.money > bool(home) else home
        if raw and not words.is_unit(raw):
            return raw, 1, "unit_unknown"
        normal, factor, _, family = normal_unit(raw, self.catalog)
        if not home or normal == home:
            return normal, factor, ""
        if family and family == normal_unit(home, self.catalog)[3]:
            return home, factor, ""
        return normal, factor, "unit_conflict"

    # --- one cell ---------------------------------------------------------------------------------------------------

    def _figure(
        self, v: object, at: At, place: Place, path: str, named: _Named, meaning: _Meaning | str
    ) -> tuple | None:
        """A figure: value, unit, raw, unit_raw, decimals, reason, flags, unit cell. None where it cannot be used, which is
        said, as is an unclear place, a new name, a doubtful unit."""
        tell, figure = self.found.tell, valueish(v)
        if isinstance(meaning, str):
            if figure:
                tell(meaning, at, text_of(v))
            lost = figure and meaning != "summary_row"
            self.found.outcome[at] = "problem" if lost else "context"
            return None
        if code := _UNCLEAR.get(place.kind):
            tell(code, at, text_of(v), place)
            return None
        if figure and not named.indicator and place.id in self.catalog.regions:
            tell("new_indicator", at, path, _alike(path, self.catalog))
        own = isinstance(v, str) and words.value_of(v).unit
        if figure and not own and (doubt := meaning.doubt):
            severity = "error" * (doubt == "unit_unknown" and named.indicator != "")
            now = f",暂按「{meaning.unit}」" * bool(meaning.unit)
            tell(
                doubt, at, meaning.unit_raw or path, path, meaning.unit_raw, now, severity=severity
            )
        if type(v) is not float or not self.plain:
            return self._cell(v, at, named, meaning)
        raw, decimals = _written(v)  # by far most
        _, _, unit, unit_raw, factor, _, flags = meaning
        return _scale(v, factor), unit, raw, unit_raw, decimals, "", flags, None

    def _value(self, v: object, named: _Named, meaning: _Meaning) -> Value:
        """What a cell is worth where a figure is due; a text that is none is context only where nobody misses it."""
        if words.is_date(v) or isinstance(v, bool):
            return Value("problem", code="not_a_number")
        if not isinstance(v, str):
            return Value("number", float(v), plain=_written(v)[0])
        money = meaning.unit == "万元" or meaning.unit_raw.endswith("元")
        value = words.value_of(v, money, not money and meaning.unit not in ("%", "pp"), True)
        due = named.indicator or re.search(r"\d", v) and len(v) <= 12
        if value.kind == "context" and due or value.scale and named.rate:
            return Value("problem", code="not_a_number")
        return value

    def _cell(self, v: object, at: At, named: _Named, meaning: _Meaning) -> tuple | None:
        """A cell that is more than a stored number."""
        sheet, tell, value = self.sheet, self.found.tell, self._value(v, named, meaning)
        said = text_of(v)
        raw = value.plain or said
        if value.code:
            tell(value.code, at, said, _suggest(said))
        if {"at_least", "at_most"} & set(value.flags):
            tell("bound", at, said)
        if value.kind in ("context", "problem"):
            self.found.outcome[at] = value.kind
            return None
        number, decimals = value.value, value.decimals if value.kind == "number" else 0
        _, _, unit, unit_raw, factor, _, flags = meaning
        unit_at = None
        if own := value.unit or value.scale and value.scale + unit_raw.lstrip("十百千万亿"):
            if value.unit and unit_raw and own != unit_raw:
                tell("unit_conflict.cell", at, said, own, unit_raw)
            unit_raw, unit_at = own, at
            if own != value.scale:
                unit, factor, _ = self._normal(own, meaning.measure, named)
            else:  # 万 and 亿 alone only make a number larger
                factor = normal_unit(own + "元" * (unit == "万元"), self.catalog)[1]
        elif at in sheet.percent:
            number, unit_raw, unit, factor = _scale(number, 100), "%", "%", 1
            raw, unit_at = f"{number:.10g}", at
        if at in sheet.decimals and type(v) is float:
            shown = sheet.decimals[at]
            decimals = shown if at in sheet.percent else min(decimals, shown)
        if at in sheet.linked:
            tell("external_link", at, value.plain)
        comment = " ".join(sheet.comments.get(at, "").split()).replace(";", ",")[:200]
        marks = (
            comment and f"note:{comment}",
            at in sheet.struck and "struck",
            (at[0] in sheet.hidden_rows or at[1] in sheet.hidden_columns) and "hidden",
            value.note and f"note:{value.note}",
        )
        flags = (*flags, *filter(None, marks), *value.flags)
        return _scale(number, factor), unit, raw, unit_raw, decimals, value.reason, flags, unit_at


def _measure(row: Facet, column: Facet, named: _Named) -> str:
    """The kind of figure: what column or row say; a rate that is the indicator itself is its value."""
    measure = column.measure or row.measure or words.measure_of(named.title) or "value"
    own = column.measure or row.measure and not row.names
    itself = named.kind in ("growth", "ratio") and not own
    return "value" if itself and measure in ("yoy_pct", "share_pct") else measure


@remember
def _alike(path: str, catalog: Catalog) -> str:
    near = "、".join(catalog.match_indicator(path).suggestions)
    return f",相近的有:{near}" * bool(near)


def _suggest(raw: str) -> str:
    fixed = raw.translate(str.maketrans("OoIl", "0011"))
    right = fixed != raw and re.fullmatch(r"[\d.,]+", fixed.strip())
    return f"(是否应为 {fixed}?)" * bool(right)


@remember
def _written(number: float) -> tuple[str, int]:
    """A stored number as text, and its decimals."""
    text = text_of(number)
    return text, words.decimals_of(text)


def _scale(number: float, factor: Fraction) -> float:
    """Exact decimal scaling: 56.68 亿元 is 566800 万元, not 566799.9999999999."""
    if factor == 1 or number != number:
        return number
    return float(Decimal(repr(float(number))) * factor.numerator / factor.denominator)


_PLACED = re.compile(
    r"[_((]?(?:本年累计|累计|当季|当期|当月|本月|期末|月末|年末)(?:值|数|完成)?[))]?$|^(?:本年累计|本月|当月|累计|期末|年末)"
)


@remember
def _indicator(path: str, catalog: Catalog) -> str:
    """The indicator of a whole path; words that say only when, 合计 and neutral headings aside."""
    aside = known("total").keys() | known("heading").keys()
    path = words.simple(path)
    kept = [n for n in path.split("/") if n not in aside] or [path]
    tries = (path, "/".join(kept), "/".join(_PLACED.sub("", n) or n for n in kept))
    return next((m for t in tries if (m := catalog.match_indicator(t, False).id)), "")


# --- the period -----------------------------------------------------------------------------------------------------


def _span_of(row: Facet, column: Facet, around: Surroundings, kind: str) -> Span | str:
    """The period of a figure, or the code of what is wrong with it: that of the row or column, of the title, or the report
    month; 本月, 累计, 上年同期 are told from it."""
    published, others = around.scope.published, (around.span, around.scope.file_span)
    own = with_year(join_spans(row.span, column.span), others, published)
    basis, back = column.relative or row.relative or ("", 0)
    title = around.span
    if basis and title == words.year_span(published // 12):
        title = None  # the report month says more
    span = own or title or (month_span(published) if published else None)
    if span is None or not span.year:
        return "no_year" if span else "no_month" if basis else "no_period"
    if basis and not (span.basis == "year" and (own and back == 0 or basis == "eop")):
        span = _moved(span, basis, back, own is not None)
    if "季" in (column.frequency, row.frequency) and span.basis in ("month", "quarter"):
        q = span.end - span.end % 3
        span = Span(q, q + 2, "quarter", span.flags)
    if kind in ("stock", "coverage") and span.basis in ("month", "ytd"):
        return Span(span.end, span.end, "eop", span.flags)
    return words.cumulated(span) if kind == "flow" and span.basis == "eop" else span


def _moved(base: Span, basis: str, back: int, own: bool) -> Span:
    """What a word such as 累计 means of a period, so many months back."""
    if basis == "current":
        basis = "month" if base.basis == "ytd" else "same"
    elif basis == "month" and own and base.basis in ("quarter", "year"):
        basis = "same"
    if basis == "same":
        return base._replace(start=base.start - back, end=base.end - back)
    length = {"quarter": 3, "year": 12, "eop_year": 12}.get(basis, 1)
    end = base.end - back
    end += length - 1 - end % length
    start = {"ytd": end - end % 12, "eop_year": end}.get(basis, end + 1 - length)
    return Span(start, end, basis.partition("_")[0], base.flags)
