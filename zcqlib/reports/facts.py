"""From one table's rows and columns to observations: what the stub, the header and the surroundings say together."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from zcqlib.catalog import Catalog, Indicator
from zcqlib.reports import headers, totals, words
from zcqlib.reports.around import Surroundings, with_year
from zcqlib.reports.grid import Sheet, remember
from zcqlib.reports.headers import Frame
from zcqlib.reports.labels import (
    PERCENT_KINDS,
    At,
    Facet,
    Fact,
    Found,
    Place,
    Scope,
    filled,
    is_empty,
    join_spans,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, Value, known, month_span, squeeze


def read_table(
    sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
) -> tuple[list[str], bool]:
    """Turn one block into facts, problems and outcomes.

    Returns the lines that named it, for a continued table, and whether its rows and its columns are all different.
    """
    around = Surroundings(sheet, block, scope, found, inherited)
    t = Frame(block, around)
    found.mark(block.above, "context")
    found.mark([(r, c) for r in t.header for c in filled(t.grid[r])], "label")
    found.mark([(r, c) for c in t.aside for r, _ in t.cells(t.rows, [c])], "context")
    headers.fill_header(t)
    if not sheet.name:
        headers.long_rows(t, found)
    columns, lines = headers.columns_of(t), headers.rows_of(t, found)
    for facets in (lines, columns):
        headers.span_totals(facets)
        headers.settle_places(facets, scope.catalog, found)
    _merged_bodies(t, found)
    _Table(t, found, columns, lines).read()
    places = [f.place for f in (*lines.values(), *columns.values())]
    totals.reconcile(found.facts, places, scope.catalog, found)
    return around.lines, _told_apart(lines) and _told_apart(columns)


def _told_apart(facets: dict[int, Facet]) -> bool:
    """Whether no two rows (or columns) say the same."""
    says = {(f.names, f.place, f.span, f.relative, f.measure) for f in facets.values()}
    return len(says) == len(facets)


def _merged_bodies(t: Frame, found: Found) -> None:
    text = "一个数字合并在几格里,看不出属于哪一个,请拆开分别填写。"
    for r0, c0, *_ in t.sheet.merged:
        if r0 in t.rows and c0 in t.data and valueish(v := t.grid[r0][c0]):
            found.problem("merged_value", "error", (r0, c0), text_of(v), text)


# --- what a row and a column say together ---------------------------------------------------------------------------


class _Named(NamedTuple):
    """What a name means: the catalog's indicator, the title and whence it was taken, and what its unit can be."""

    indicator: str
    title: str
    whence: str
    rate: bool
    counted: bool
    money: bool


class _Refused(NamedTuple):
    """Why figures cannot be used."""

    code: str
    severity: str
    message: str


class _Meaning(NamedTuple):
    """Everything about a figure but its name and place; `factor` is 1 or (numerator, denominator)."""

    span: Span
    measure: str
    unit: str
    unit_raw: str
    factor: object
    flags: tuple[str, ...]
    # "row": the row's own cell, since rows that say the same share a meaning
    unit_at: At | str | None
    span_at: At | str | None
    doubt: str  # no_unit, unit_unknown or unit_conflict


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
_REFUSED = {
    code: _Refused(code, severity, message)
    for code, severity, message in (
        (
            "orphan_cell",
            "warning",
            "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。",
        ),
        ("no_indicator", "error", "文件里没有写明这是什么指标,请补上指标名称和单位。"),
        (
            "period_ambiguous",
            "error",
            "期间看不出是哪年哪月(如「2018.1」可能是1月或10月),请写成「2018年10月」的样子。",
        ),
        ("period_unsupported", "error", "学年、财年、五年规划期等期间不支持,请按年、季、月报送。"),
        ("no_year", "error", "只写了月份,没有年份,请在表题或表头写明年份。"),
        ("no_period", "error", "没有写明是哪一期的数据,请在表题或表头写明年月。"),
        ("no_month", "error", "「本月」「累计」等字样没有对应的月份,请在表题写明年月。"),
        ("summary_row", "info", "这是平均值、增减额或一周的数,不是某一期的数据,没有采用,无需处理。"),
    )
}
_SENTENCES = {
    "sign_unclear": "看不出是正是负,请用负号写明。",
    "not_a_number": "这一格应是一个确定的数字,请改正。",
    "word_in_number": "这一格应是数字,「无」不能当作 0,已按未报处理,请补报。",
    "cell_error": "公式出错,请改正后重新报送。",
    "formula_without_value": "公式没有保存计算结果,请打开后重新计算并保存。",
}


class _Table:
    """The figures of one table."""

    def __init__(self, t: Frame, found: Found, columns: dict[int, Facet], lines: dict[int, Facet]):
        sheet = t.sheet
        self.frame, self.sheet, self.around, self.found = t, sheet, t.around, found
        self.catalog, self.columns, self.lines = t.catalog, columns, lines
        self.total = {*known("total"), "环比", "同比", "定基"}
        # 合计 | 发明: parts of what the title names
        self.parts = any(f.names and self.total.issuperset(f.names) for f in columns.values())
        self.meanings = {}
        marked = (sheet.percent, sheet.struck, sheet.decimals, sheet.linked)
        self.plain = not any((*marked, sheet.hidden_rows, sheet.hidden_columns, sheet.comments))

    def read(self) -> None:
        none = Place("", "", "unnamed" if self.catalog.parks else "known")
        # columns that give their figures the same name are of one kind; rows that say the same share their meanings
        kinds, keys, across = {}, {}, []
        for c in self.frame.data:
            f = self.columns[c]
            kind = kinds.setdefault((f.names, f.bare, f.fault), len(kinds))
            across.append((c, kind, f.place or self.around.place or none, f.name_at))
        for r in self.frame.rows:
            row = self.lines[r]
            says = row._replace(names=bool(row.names), unit_at=row.unit_at is None)
            says = says._replace(place=None, name_at=None, span_at=None)
            self._row(r, row, across, keys.setdefault(says, len(keys)))

    def _row(self, r: int, row: Facet, across: list[tuple], key: int) -> None:
        outcome, cells = self.found.outcome, self.frame.grid[r]
        called = {}
        for c, kind, beside, head_at in across:
            v, at = cells[c], (r, c)
            if type(v) is not float and is_empty(v) or at in outcome:
                continue
            if kind not in called:
                path, named = self._named(row, self.columns[c])
                called[kind] = path, named, self.meanings.setdefault((key, named), {})
            path, named, alike = called[kind]
            if (meaning := alike.get(c)) is None:
                meaning = alike[c] = self._meaning(row, self.columns[c], named)
            if type(meaning) is _Refused:
                self._refuse(meaning, at, v)
                continue
            place = row.place or beside
            if meaning.doubt or place.kind in _UNCLEAR or place.id and not named.indicator:
                if not self._asked(place, path, named, meaning, at, v):
                    continue
            if type(v) is float and self.plain:  # by far most
                raw, decimals = _written(v)
                value = v if meaning.factor == 1 else _scale(v, meaning.factor)
                got = value, meaning.unit, raw, meaning.unit_raw, decimals, "", meaning.flags
                unit_at = meaning.unit_at
            elif (cell := self._cell(v, at, named, meaning)) is None:
                continue
            else:
                *got, unit_at = cell
            outcome[at] = "observation"
            self.found.facts.append(
                Fact(
                    r,
                    c,
                    place,
                    named.indicator,
                    path,
                    meaning.span,
                    meaning.measure,
                    *got,
                    row.name_at or head_at or self.around.name_at,
                    row.unit_at if unit_at == "row" else unit_at,
                    row.span_at if meaning.span_at == "row" else meaning.span_at,
                )
            )

    def _named(self, row: Facet, column: Facet) -> tuple[str, _Named | _Refused]:
        """The name of a row's figure in a column, its whole path, with the title where it says no more than 合计."""
        if fault := row.fault or column.fault or (row.bare or column.bare) and "orphan_cell":
            return "", _REFUSED[fault]
        names = row.names + column.names[row.names[-1:] == column.names[:1] :]
        said, (title, whence) = self.total.issuperset(names), ("", "")
        if said or self.parts and not row.names:
            title, whence = self.around.title
            names = (title, *names) if title else names
        if said and not title:
            return "", _REFUSED["no_indicator"]
        path, last = "/".join(names), names[-1]
        counted, money = bool(_COUNTED.search(last)), bool(_MONEY.search(path))
        return path, _Named(
            _indicator(path, self.catalog),
            title if said else "",
            whence if said else "",
            bool(_RATE.search(last)),
            counted or not money and bool(_COUNTABLE.search(last)),
            money and not counted,
        )

    # --- period, measure, unit --------------------------------------------------------------------------------------

    def _meaning(self, row: Facet, column: Facet, named: _Named | _Refused) -> _Meaning | _Refused:
        """What row, column and surroundings say about a figure of this name."""
        if type(named) is _Refused:
            return named
        around, indicator = self.around, self.catalog.indicators.get(named.indicator)
        span = _span_of(row, column, around, indicator)
        if isinstance(span, str):
            return _REFUSED[span]
        measure = _measure(row, column, named, indicator)
        raw, at = self._stated_unit(row, column, named, measure, indicator)
        normal, factor, doubt = self._normal(raw, measure, indicator, named)
        others = set(around.unit.split("、")) - {"", raw} if measure == "value" else ()
        if (column.unit or row.unit) and normal in {
            normal_unit(s, self.catalog)[0] for s in others
        }:
            doubt = "unit_conflict"
        marks = {
            named.whence: True,
            "unit_from_dictionary": measure not in PERCENT_KINDS
            and indicator
            and normal > raw == "",
            "held": doubt == "unit_unknown" and indicator,
            doubt: doubt == "unit_conflict",
        }
        flags = *row.flags, *column.flags, *around.flags, *span.flags
        near = row.span_at and (row.span or not column.span_at) and not column.span
        return _Meaning(
            span,
            measure,
            normal,
            raw,
            factor,
            tuple(dict.fromkeys([*flags, *(m for m, true in marks.items() if m and true)])),
            "row" if at and at == row.unit_at else at,
            # a month goes before a word such as 累计, the column before the row, both before the title
            "row" if near else column.span_at or around.span_at,
            doubt,
        )

    def _stated_unit(
        self, row: Facet, column: Facet, named: _Named, measure: str, indicator: Indicator | None
    ) -> tuple[str, At | None]:
        """The unit that the file writes for a figure, nearest first, and the cell where it stands."""
        around, percent = self.around, measure in PERCENT_KINDS
        titled = (around.indicator_unit * bool(named.title), around.name_at)
        stated = ((column.unit, column.unit_at), (row.unit, row.unit_at), titled)
        unit, at = next((s for s in stated if s[0]), ("", None))
        unit = words.fitting_unit(unit, percent) if "、" in unit else unit
        if measure in ("rank", "index"):
            return (unit, at) if measure == "index" and words.is_index_base(unit) else ("", None)
        if unit and percent <= (unit in words.PERCENTS):
            return unit, at
        unit = words.fitting_unit(around.unit, percent or named.rate)
        own = (*words.MULTIPLIERS, *words.PERCENTS, around.strange_unit)
        if not percent and not named.title and unit not in own:
            kind = normal_unit(unit, self.catalog)[2]
            home = normal_unit(indicator.unit, self.catalog)[2] if indicator else ""
            home = "count" if named.counted else home
            # what other figures of the table are in; money of another currency is for people to say
            other = kind in ("money", "area", "count") or home == "count"
            unit = "" if other and home not in ("", kind) else unit
        return unit, around.unit_at if unit else None

    def _normal(
        self, raw: str, measure: str, indicator: Indicator | None, named: _Named
    ) -> tuple[str, object, str]:
        """Normal unit, factor and what is doubtful about a stated unit."""
        home = indicator.unit if indicator and measure in ("value", "target") else ""
        if measure not in ("value", "target"):
            raw = raw or "%" * (measure in PERCENT_KINDS)
        elif not raw:
            scaled = not named.counted and normal_unit(home, self.catalog)[2] in ("money", "area")
            return home, 1, "no_unit" if scaled or not home else ""
        elif raw in words.MULTIPLIERS:
            raw += "元" if home == "万元" or named.money > bool(home) else home
        if raw and not words.is_unit(raw):
            return raw, 1, "unit_unknown"
        normal, factor, _, family = normal_unit(raw, self.catalog)
        if home and normal != home:
            alike = family and family == normal_unit(home, self.catalog)[3]
            return (home, factor, "") if alike else (normal, factor, "unit_conflict")
        return normal, factor, ""

    # --- one cell ---------------------------------------------------------------------------------------------------

    def _refuse(self, why: _Refused, at: At, v: object) -> None:
        self.found.outcome[at] = "context"
        if valueish(v):
            self.found.problem(why.code, why.severity, at, text_of(v), why.message)
            if why.severity != "info":
                self.found.outcome[at] = "problem"

    def _asked(
        self, place: Place, path: str, named: _Named, meaning: _Meaning, at: At, v: object
    ) -> bool:
        """Ask about an unclear place, a new name, a doubtful unit; False where the figure cannot be used."""
        problem, unit, doubt = self.found.problem, meaning.unit_raw, meaning.doubt
        if place.kind in _UNCLEAR:
            code, text = _UNCLEAR[place.kind]
            problem(code, "error", at, text_of(v), text.format(place))
            return False
        if not valueish(v):
            return True
        if not named.indicator and place.id in self.catalog.regions:
            problem("new_indicator", "warning", at, path, _strange(path, self.catalog))
        if doubt:
            severity = "error" if doubt == "unit_unknown" and named.indicator else "warning"
            now = f",暂按「{meaning.unit}」" if meaning.unit else ""
            text = f"「{path}」" + _DOUBTS[doubt].format(unit=unit, now=now)
            problem(doubt, severity, at, unit or path, text)
        return True

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
        """A cell that is more than a stored number: value, unit, raw, unit_raw, decimals, reason, flags, unit cell."""
        sheet, problem, value = self.sheet, self.found.problem, self._value(v, named, meaning)
        said = text_of(v)
        raw = value.plain or said
        if value.code:
            wrong = value.kind == "problem" or value.code == "cell_error"
            text = _SENTENCES[value.code] + _suggest(said)
            problem(value.code, "error" if wrong else "warning", at, said, text)
        if {"at_least", "at_most"} & set(value.flags):
            text = "这里只写了范围,暂按所写的数采用,请改报准确数。"
            problem("bound", "warning", at, said, text)
        if value.kind in ("context", "problem"):
            self.found.outcome[at] = value.kind
            return None
        number, decimals = value.value, value.decimals if value.kind == "number" else 0
        _, _, unit, unit_raw, factor, _, unit_at, *_ = meaning
        if value.unit or value.scale:
            own = value.unit or value.scale + unit_raw.lstrip("十百千万亿")
            if value.unit and unit_raw and own != unit_raw:
                text = f"格内单位「{own}」与表头单位「{unit_raw}」不同,已按格内单位,请核对。"
                problem("unit_conflict", "warning", at, said, text)
            unit_raw, unit_at = own, at
            if own != value.scale:
                unit, factor, *_ = normal_unit(own, self.catalog)
            else:  # 万 and 亿 alone only make a number larger
                scale = value.scale + "元" * (unit == "万元")
                factor = normal_unit(scale, self.catalog)[1]
        elif at in sheet.percent:
            number, unit_raw, unit, factor = _scale(number, (100, 1)), "%", "%", 1
            raw, unit_at = f"{number:.10g}", at
        if at in sheet.decimals and type(v) is float:
            shown = sheet.decimals[at]
            decimals = shown if at in sheet.percent else min(decimals, shown)
        flags = (*meaning.flags, *self._marks(at, value), *value.flags)
        scaled = _scale(number, factor)
        return scaled, unit, raw, unit_raw, decimals, value.reason, flags, unit_at

    def _marks(self, at: At, value: Value) -> list[str]:
        """Flags of a cell: its comment, struck out, hidden, taken from another file."""
        sheet, note = self.sheet, " ".join(self.sheet.comments.get(at, "").split())
        if at in sheet.linked:
            text = "这一格引用了别的文件,只采用已保存的数值。"
            self.found.problem("external_link", "info", at, value.plain, text)
        marks = {
            f"note:{note.replace(';', ',')[:200]}": note,
            "struck": at in sheet.struck,
            "hidden": at[0] in sheet.hidden_rows or at[1] in sheet.hidden_columns,
            f"note:{value.note}": value.note,
        }
        return [flag for flag, true in marks.items() if true]


def _measure(row: Facet, column: Facet, named: _Named, indicator: Indicator | None) -> str:
    """The kind of figure: what column or row say; a rate that is the indicator itself is its value."""
    measure = column.measure or row.measure or words.measure_of(named.title) or "value"
    own = column.measure or row.measure and not row.names
    itself = indicator and indicator.kind in ("growth", "ratio") and not own
    return "value" if itself and measure in ("yoy_pct", "share_pct") else measure


_UNCLEAR = {
    "near": (
        "park_unknown",
        "「{0.raw}」不是已知的园区名称,是否应为「{0.suggestion}」?请改正。",
    ),
    "ambiguous": ("park_ambiguous", "「{0.raw}」可能是几个园区,请写出完整名称。"),
}
_DOUBTS = {
    "no_unit": "没有写单位{now};请在表头或表题写明单位。",
    "unit_unknown": "的单位「{unit}」不认得,请改用常用单位,或把它加进单位换算表。",
    "unit_conflict": "的单位「{unit}」与表上或指标表的单位不同,已按「{unit}」,请核对。",
}


@remember
def _strange(path: str, catalog: Catalog) -> str:
    near = "、".join(catalog.match_indicator(path).suggestions)
    like = f",相近的有:{near}" if near else ""
    return f"「{path}」不在指标表里{like};数字按原名保留,请核对名称,或把它加进指标别名表。"


def _suggest(raw: str) -> str:
    fixed = raw.translate(str.maketrans("OoIl", "0011"))
    right = fixed != raw and re.fullmatch(r"[\d.,]+", fixed.strip())
    return f"(是否应为 {fixed}?)" if right else ""


@remember
def _written(number: float) -> tuple[str, int]:
    """A stored number as text, and its decimals."""
    text = text_of(number)
    return text, words.decimals_of(text)


def _scale(number: float, factor: object) -> float:
    """Exact decimal scaling: 56.68 亿元 is 566800 万元, not 566799.9999999999."""
    if factor == 1 or number != number:
        return number
    return float(Decimal(repr(float(number))) * factor[0] / factor[1])


@lru_cache(maxsize=8)
def _units(catalog: Catalog) -> dict[str, tuple[str, object, str, str]]:
    frame = catalog.unit_words
    factors = (
        (n, d) if n != d else 1
        for n, d in frame[["numerator", "denominator"]].to_numpy(int).tolist()
    )
    known = zip(frame["normal"], factors, frame["kind"], frame["family"], strict=True)
    return dict(zip(map(squeeze, frame["word"]), known, strict=True))


@remember
def normal_unit(unit: str, catalog: Catalog) -> tuple[str, object, str, str]:
    """Of a stated unit its normal one, the factor (1 or numerator and denominator), the kind, and what it goes with."""
    units, unit = _units(catalog), squeeze(unit)
    rest = unit.lstrip("十百千万亿")
    if unit not in units and rest in units and units[rest][2] == "count":
        steps = (10 ** "个十百千万    亿".index(c) for c in unit[: -len(rest)])
        return rest, (math.prod(steps), 1), *units[rest][2:]
    return units.get(unit, (unit, 1, "", ""))


def _size(unit: str, catalog: Catalog) -> str:
    """What two units of one size share: that they count, or the normal unit."""
    normal, _, kind, _ = normal_unit(unit, catalog)
    return "count" if kind == "count" else normal


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


def _span_of(
    row: Facet, column: Facet, around: Surroundings, indicator: Indicator | None
) -> Span | str:
    """The period of a figure, or the code of what is wrong with it."""
    published, others = around.scope.published, (around.span, around.scope.file_span)
    span = with_year(join_spans(row.span, column.span), others, published)
    if relative := column.relative or row.relative:
        span = _relative(*relative, span, around)
    elif span is None:
        span = around.span or (month_span(published) if published else "no_period")
    if isinstance(span, str) or not span.year:
        return span if isinstance(span, str) else "no_year"
    if "季" in (column.frequency, row.frequency) and span.basis in ("month", "quarter"):
        q = span.end - span.end % 3
        span = Span(q, q + 2, "quarter", span.flags)
    kind = indicator.kind if indicator is not None else ""
    if kind in ("stock", "coverage") and span.basis in ("month", "ytd"):
        return Span(span.end, span.end, "eop", span.flags)
    return words.cumulated(span) if kind == "flow" and span.basis == "eop" else span


def _relative(basis: str, back: int, own: Span | None, around: Surroundings) -> Span | str:
    """本月, 累计, 上年同期 … of the row's or column's own period, of the title's or of the report month."""
    base, published = own or around.span, around.scope.published
    yearly = base and not own and base.basis == "year" and published // 12 == base.end // 12
    if published and (yearly or base is None):
        base = month_span(published)
    if base is None or not base.year:
        return "no_year" if base else "no_month"
    if base.basis == "year" and (own and back == 0 or basis == "eop"):
        return base
    if basis == "current":
        basis = "month" if base.basis == "ytd" else "same"
    elif basis == "month" and own and base.basis in ("quarter", "year"):
        basis = "same"
    end = base.end - back
    start, end, basis = {
        "ytd": (end - end % 12, end, "ytd"),
        "month": (end, end, "month"),
        "quarter": (end - end % 3, end - end % 3 + 2, "quarter"),
        "year": (end - end % 12, end - end % 12 + 11, "year"),
        "eop": (end, end, "eop"),
        "eop_year": (end + 11 - end % 12, end + 11 - end % 12, "eop"),
        "same": (base.start - back, end, base.basis),
    }[basis]
    return Span(start, end, basis, base.flags)
