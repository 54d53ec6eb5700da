"""From one table's rows and columns to observations: what the stub, the header and the surroundings say together."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from zcqlib.catalog import Catalog, Indicator
from zcqlib.reports import totals, words
from zcqlib.reports.around import Surroundings
from zcqlib.reports.grid import Sheet
from zcqlib.reports.headers import (
    Frame,
    columns_of,
    fill_header,
    long_rows,
    name_totals,
    rows_of,
    settle_places,
    span_totals,
    stub_of,
)
from zcqlib.reports.labels import (
    PERCENT_KINDS,
    At,
    Facet,
    Fact,
    Found,
    Place,
    Scope,
    doubtful,
    filled,
    head_of,
    is_empty,
    join_spans,
    shift,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, Value, known, squeeze


def read_table(
    sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
) -> tuple[list[str], bool]:
    """Turn one block into facts, problems and outcomes.

    Returns the lines that named it, for a continued table, and whether its rows and its columns are all different.
    """
    around = Surroundings(sheet, block, scope, found, inherited)
    found.mark(block.above, "context")
    rows, left = sheet.rows, block.left
    every = (*block.header, *block.body)
    width = min(block.right, max((len(rows[r]) for r in every), default=0))
    grid = {
        r: [""] * left + list(rows[r][left:width]) + [""] * (width - max(len(rows[r]), left))
        for r in every
    }
    t = Frame(grid, block, around, sheet, {}, [])
    t.stub.update(stub_of(t, width))
    t.data.extend(c for c in range(width) if c not in t.stub and _holds_figures(t, c))
    for r in block.header:
        found.mark([(r, c) for c in filled(grid[r])], "label")
    for c in set(range(width)) - {*t.stub, *t.data}:
        found.mark([(r, c) for r in block.body if not is_empty(grid[r][c])], "context")
    fill_header(t)
    if not sheet.name:
        long_rows(t, found)
    columns, lines = columns_of(t), rows_of(t, found)
    for facets in (lines, columns):
        span_totals(facets)
    name_totals(lines, columns, scope.catalog)
    settle_places(lines, columns, around, found)
    _merged_bodies(t, found)
    _Table(t, found, columns, lines).read()
    places = [f.place for f in (*lines.values(), *columns.values())]
    totals.reconcile(found.facts, places, scope.catalog, found)
    return around.lines, _told_apart(lines) and _told_apart(columns)


def _told_apart(facets: dict[int, Facet]) -> bool:
    """Whether no two rows (or columns) say the same."""
    says = {(f.names, f.place, f.span, f.relative, f.measure) for f in facets.values()}
    return len(says) == len(facets)


def _holds_figures(t: Frame, c: int) -> bool:
    if "note" in map(head_of, t.texts(t.block.header, [c])):
        return False
    cells = (t.grid[r][c] for r in t.block.body)
    return any(valueish(v) or isinstance(v, str) and doubtful(v) for v in cells)


def _merged_bodies(t: Frame, found: Found) -> None:
    text = "一个数字合并在几格里,看不出属于哪一个,请拆开分别填写。"
    for r0, c0, r1, c1 in t.sheet.merged:
        v = t.grid[r0][c0] if r0 in t.block.body and c0 in t.data else ""
        if (r1 > r0 or c1 > c0) and not is_empty(v) and valueish(v):
            found.problem("merged_value", "error", (r0, c0), text_of(v), text)


# --- what a row and a column say together ---------------------------------------------------------------------------


class _Named(NamedTuple):
    """What a figure is called: the whole path, the catalog's indicator, and what its unit can be by the name."""

    path: str
    indicator: str = ""
    title: str = ""  # where it took its name from the title
    whence: str = ""
    rate: bool = False
    counted: bool = False
    money: bool = False


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
    money: bool
    count: bool
    flags: tuple[str, ...]
    unit_at: (
        At | str | None
    )  # "row": the row's own cell, since rows that say the same share a meaning
    span_at: At | str | None
    doubt: str = ""  # no_unit, unit_unknown or unit_conflict


_RATE = re.compile(
    r"率$|比重$|占比$|比例$|构成$|系数$|强度$|[_ ](?:pct|rate|ratio|share|percent)$", re.I
)
_COUNTED = re.compile(
    r"(?<![指系倍基参月计期划成对额际算末初生])数量?$|户籍|人口$|^(?:家|户|人|件|个|幢|台|次)$"
)
_MONEY = re.compile(
    r"额$|金$|收入|支出|投资|产值|增加值|经费|利润|税|GDP|生产总值|价值|资产|负债|贷款|存款", re.I
)
_ORPHAN = _Refused(
    "orphan_cell",
    "warning",
    "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。",
)
_NAMELESS = _Refused("no_indicator", "error", "文件里没有写明这是什么指标,请补上指标名称和单位。")
_FAULTS = {
    "period_ambiguous": "期间看不出是哪年哪月(如「2018.1」可能是1月或10月),请写成「2018年10月」的样子。",
    "period_unsupported": "学年、财年、五年规划期等期间不支持,请按年、季、月报送。",
    "no_year": "只写了月份,没有年份,请在表题或表头写明年份。",
    "no_period": "没有写明是哪一期的数据,请在表题或表头写明年月。",
    "no_month": "「本月」「累计」等字样没有对应的月份,请在表题写明年月。",
}
_SUMMARY = _Refused(
    "summary_row", "info", "这是平均值一类的概括数,不是某一期的数据,没有采用,无需处理。"
)


class _Table:
    """The figures of one table."""

    def __init__(self, t: Frame, found: Found, columns, lines):
        sheet = t.sheet
        self.frame, self.sheet, self.around, self.found = t, sheet, t.around, found
        self.scope, self.catalog = t.around.scope, t.catalog
        self.columns: dict[int, Facet] = columns
        self.lines: dict[int, Facet] = lines
        total = set(known("total"))
        self.total = total
        # 合计 | 发明: parts of what the title names
        self.parts = any(f.names and set(f.names) <= total for f in columns.values())
        self.titled: tuple[str, str] | None = None
        self.strange: dict[str, str] = {}
        self.meanings: dict[tuple, dict[int, _Meaning | _Refused]] = {}
        self.noteworthy = bool(
            sheet.percent
            or sheet.struck
            or sheet.failed
            or sheet.hidden_rows
            or sheet.hidden_columns
            or sheet.decimals
            or sheet.linked
            or sheet.comments
        )

    def read(self) -> None:
        around, outcome, facts = self.around, self.found.outcome, self.found.facts
        failed, regions = self.sheet.failed, self.catalog.regions
        none = Place("", "", "unnamed" if self.catalog.parks else "known")
        kinds, across = self._across(none)
        keys: dict[tuple, int] = {}  # what rows say besides their names
        for r in self.frame.block.body:
            row, cells = self.lines[r], self.frame.grid[r]
            says = (row.span, row.relative, row.unit, row.measure, row.frequency, row.flags)
            key = keys.setdefault((says, row.unit_at is None, bool(row.names)), len(keys))
            called: list[tuple | None] = [None] * kinds
            for c, kind, beside, head_at in across:
                v, at = cells[c], (r, c)
                if type(v) is not float and is_empty(v) and at not in failed or at in outcome:
                    continue
                if called[kind] is None:
                    called[kind] = self._about(row, c, key)
                named, known_here = called[kind]
                if (meaning := known_here.get(c)) is None:
                    meaning = known_here[c] = self._meaning(row, self.columns[c], named)
                if type(meaning) is _Refused:
                    self._refuse(meaning, at, v)
                    continue
                place, odd = row.place or beside, meaning.doubt
                if odd or place.kind in _UNCLEAR or not named.indicator and place.id in regions:
                    if not self._asked(place, named, meaning, at, v):
                        continue
                if (type(v) is float or type(v) is int) and not self.noteworthy:  # by far most
                    raw, decimals = _written(v)
                    value = float(v) if meaning.factor == 1 else _scale(v, meaning.factor)
                    got = value, meaning.unit, raw, meaning.unit_raw, decimals, "", meaning.flags
                    unit_at = meaning.unit_at
                elif (cell := self._cell(v, at, named, meaning)) is None:
                    continue
                else:
                    *got, unit_at = cell
                outcome[at] = "observation"
                facts.append(
                    Fact(
                        r,
                        c,
                        place,
                        named.indicator,
                        named.path,
                        meaning.span,
                        meaning.measure,
                        *got,
                        row.name_at or head_at or around.name_at,
                        _own(unit_at, row.unit_at),
                        _own(meaning.span_at, row.span_at),
                    )
                )

    def _across(self, none: Place) -> tuple[int, list[tuple[int, int, Place, At | None]]]:
        """How many names columns give their figures, and each column with the number of its, its place and name cell."""
        kinds: dict[tuple, int] = {}
        out = []
        for c in self.frame.data:
            f = self.columns[c]
            kind = kinds.setdefault((f.names, f.bare, f.fault), len(kinds))
            out.append((c, kind, f.place or self.around.place or none, f.name_at))
        return len(kinds), out

    def _about(self, row: Facet, c: int, key: int) -> tuple[_Named | _Refused, dict]:
        """The name of a row's figure in a column, and the meanings already known for rows and names like it."""
        named = self._named(row, self.columns[c])
        about = named._replace(path="") if type(named) is _Named else named
        return named, self.meanings.setdefault((key, about), {})

    # --- name -----------------------------------------------------------------------------------------------------

    def _title(self) -> tuple[str, str]:
        if self.titled is None:
            stated = self.around.indicator
            self.titled = (stated, "") if stated else self.around.title_indicator()
        return self.titled

    def _named(self, row: Facet, column: Facet) -> _Named | _Refused:
        """The name of a row's figure in a column: its whole path, with the title where the names say no more than 合计."""
        if fault := row.fault or column.fault:
            return _SUMMARY if fault == "summary" else _Refused(fault, "error", _FAULTS[fault])
        if row.bare or column.bare:
            return _ORPHAN
        names = [*row.names, *column.names]
        names = [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]
        title = whence = ""
        if all(n in self.total or n in ("环比", "同比", "定基") for n in names):
            title, whence = self._title()
            if not title:
                return _NAMELESS
            names = [title, *names]
        elif self.parts and not row.names and self._title()[0]:
            names = [self._title()[0], *names]
        path, last = "/".join(names), names[-1]
        rate, counted = bool(_RATE.search(last)), bool(_COUNTED.search(last))
        money = bool(_MONEY.search(path)) and not counted
        return _Named(path, _indicator(path, self.catalog), title, whence, rate, counted, money)

    # --- period, measure, unit --------------------------------------------------------------------------------------

    def _meaning(self, row: Facet, column: Facet, named: _Named | _Refused) -> _Meaning | _Refused:
        """What row, column and surroundings say about a figure of this name."""
        if type(named) is _Refused:
            return named
        around, indicator = self.around, self.catalog.indicators.get(named.indicator)
        measure = _measure(row, column, named, indicator)
        span = _span_of(row, column, around, indicator)
        if isinstance(span, str):
            return _Refused(span, "error", _FAULTS[span])
        raw, at = self._stated_unit(row, column, named, measure, indicator)
        flags = [*row.flags, *column.flags, *around.flags, named.whence, *span.flags]
        normal, factor, doubt = self._normal(raw, measure, indicator, named)
        if not raw and indicator and normal and measure not in PERCENT_KINDS:
            flags.append("unit_from_dictionary")
        if measure == "value" and (column.unit or row.unit):
            others = {s for s in around.unit.split("、") if s and s != raw}
            if any(normal_unit(s, self.scope)[0] == normal for s in others):
                doubt = "unit_conflict"
        if doubt == "unit_unknown" and indicator:
            flags.append("held")
        elif doubt == "unit_conflict":
            flags.append(doubt)
        money = normal == "万元" or raw.endswith("元")
        return _Meaning(
            span,
            measure,
            normal,
            raw,
            factor,
            money,
            not money and normal not in ("%", "pp"),
            tuple(dict.fromkeys(filter(None, flags))),
            "row" if at and at == row.unit_at else at,
            _where_from(row, column, around),
            doubt,
        )

    def _stated_unit(
        self, row: Facet, column: Facet, named: _Named, measure: str, indicator: Indicator | None
    ) -> tuple[str, At | None]:
        """The unit that the file writes for a figure, nearest first, and the cell where it stands."""
        around = self.around
        unit, at = next(
            ((f.unit, f.unit_at) for f in (column, row) if f.unit),
            (around.indicator_unit if named.title else "", around.name_at),
        )
        unit = words.fitting_unit(unit, measure) if "、" in unit else unit
        if measure == "rank":
            return "", None
        if measure == "index" or measure in PERCENT_KINDS:
            fits = words.is_index_base(unit) if measure == "index" else unit in words.PERCENTS
            if fits:
                return unit, at
            stated = words.fitting_unit(around.unit, measure) if measure != "index" else ""
            written = stated in around.unit.split("、")
            return (stated, around.unit_at) if stated and written else ("", None)
        if unit:
            return unit, at
        stated = around.unit.split("、") if around.unit else []
        if named.rate:
            return ("%", around.unit_at) if "%" in stated else ("", None)
        unit = words.fitting_unit(around.unit, measure)
        size = _dimension(unit, self.scope)
        if (
            named.counted
            and size != "count"
            or indicator
            and size != _dimension(indicator.unit, self.scope)
        ):
            if unit not in _MULTIPLIERS and unit != around.strange_unit:
                return "", None  # what the table counts in is not what this figure is in
        return unit, around.unit_at if unit else None

    def _normal(
        self, raw: str, measure: str, indicator: Indicator | None, named: _Named
    ) -> tuple[str, object, str]:
        """Normal unit, factor and what is doubtful about a stated unit."""
        home = indicator.unit if indicator else ""
        if measure in PERCENT_KINDS or measure in ("index", "rank"):
            unit = raw or ("%" if measure in PERCENT_KINDS else "")
            return *normal_unit(unit, self.scope), ""
        if not raw:
            scaled = home and (not named.counted and _dimension(home, self.scope) in _SCALED)
            return home, 1, "no_unit" if scaled or not home else ""
        if raw in _MULTIPLIERS:
            money = home == "万元" or not home and named.money
            if not home and not money:
                return raw, 1, "unit_unknown"
            return *normal_unit(raw + "元" if money else raw + home, self.scope), ""
        if not words.unit_of(raw):
            return raw, 1, "unit_unknown"
        normal, factor = normal_unit(raw, self.scope)
        if home and normal != home:
            if _family(normal) and _family(normal) == _family(home):
                return home, factor, ""
            return normal, factor, "unit_conflict"
        return normal, factor, ""

    # --- one cell ---------------------------------------------------------------------------------------------------

    def _refuse(self, why: _Refused, at: At, v: object) -> None:
        if not valueish(v):
            self.found.outcome[at] = "context"
            return
        self.found.problem(why.code, why.severity, at, text_of(v), why.message)
        self.found.outcome[at] = "context" if why.severity == "info" else "problem"

    def _asked(self, place: Place, named: _Named, meaning: _Meaning, at: At, v: object) -> bool:
        """Ask about an unclear place, a new name, a doubtful unit; False where the figure cannot be used."""
        problem, path, unit = self.found.problem, named.path, meaning.unit_raw
        if place.kind == "near":
            text = f"「{place.raw}」不是已知的园区名称,是否应为「{place.suggestion}」?请改正。"
            problem("park_unknown", "error", at, text_of(v), text)
            return False
        if place.kind == "ambiguous":
            text = f"「{place.raw}」可能是几个园区,请写出完整名称。"
            problem("park_ambiguous", "error", at, text_of(v), text)
            return False
        if not valueish(v):
            return True
        if not named.indicator and place.id in self.catalog.regions:
            if path not in self.strange:
                near = self.catalog.match_indicator(path).suggestions
                like = f",相近的有:{'、'.join(near)}" if near else ""
                self.strange[path] = (
                    f"「{path}」不在指标表里{like};数字按原名保留,请核对名称,或把它加进指标别名表。"
                )
            problem("new_indicator", "warning", at, path, self.strange[path])
        if meaning.doubt == "no_unit":
            text = f"「{path}」没有写单位" + (f",暂按「{meaning.unit}」" if meaning.unit else "")
            problem("no_unit", "warning", at, path, text + ";请在表头或表题写明单位。")
        elif meaning.doubt == "unit_unknown":
            text = f"「{path}」的单位「{unit}」不认得,请改用常用单位,或把它加进单位换算表。"
            problem("unit_unknown", "error" if named.indicator else "warning", at, unit, text)
        elif meaning.doubt:
            text = f"「{path}」的单位「{unit}」与表上或指标表的单位不同,已按「{unit}」,请核对。"
            problem("unit_conflict", "warning", at, unit, text)
        return True

    def _cell(self, v: object, at: At, named: _Named, meaning: _Meaning) -> tuple | None:
        """A cell that is more than a stored number: value, unit, raw, unit_raw, decimals, reason, flags, unit cell."""
        found, sheet = self.found, self.sheet
        if words.is_date(v) or isinstance(v, bool):
            found.problem(
                "not_a_number", "error", at, str(v), "这一格应是数字,找到的是日期或是/否,请改正。"
            )
            return None
        if isinstance(v, str) or v is None:
            value = words.value_of(v or "", meaning.money, meaning.count, figures=True)
            raw = value.plain or v or ""
        else:
            raw, _ = _written(v)
            value = Value("number", float(v), plain=raw)
        if at in sheet.failed:
            if (value := self._failed(at, raw)) is None:
                return None
        if not self._usable(value, str(v), at, named):
            return None
        number, unit_raw, unit_at, unit = (
            value.value,
            meaning.unit_raw,
            meaning.unit_at,
            meaning.unit,
        )
        normal, factor = unit, meaning.factor
        if value.unit or value.scale:
            own = value.unit or value.scale + unit_raw.lstrip("十百千万亿")
            if value.unit and unit_raw and own != unit_raw:
                text = f"格内单位「{own}」与表头单位「{unit_raw}」不同,已按格内单位,请核对。"
                found.problem("unit_conflict", "warning", at, str(v), text)
            unit_raw, unit_at = own, at
            normal, factor = self._own_unit(own, value.scale, unit)
        elif at in sheet.percent:
            number, unit_raw, normal, factor = _scale(number, (100, 1)), "%", "%", 1
            raw, unit_at = f"{number:.10g}", at
        decimals = value.decimals if value.kind == "number" else 0
        if at in sheet.decimals and type(v) is float and not v.is_integer():
            shown = sheet.decimals[at]
            decimals = shown if at in sheet.percent else min(decimals, max(shown, 0))
        scaled = number if factor == 1 or number != number else _scale(number, factor)
        flags = (*meaning.flags, *self._marks(at, value), *value.flags)
        return scaled, normal, raw, unit_raw, decimals, value.reason, flags, unit_at

    def _own_unit(self, own: str, scale: str, unit: str) -> tuple[str, object]:
        """Normal unit and factor of a unit in the cell; 万 and 亿 alone only make a number larger."""
        if own == scale:
            return unit, normal_unit(scale + "元", self.scope)[1] if unit == "万元" else (
                _TIMES[scale],
                1,
            )
        return normal_unit(own, self.scope)

    def _failed(self, at: At, raw: str) -> Value | None:
        word = self.sheet.failed[at]
        lost = word == "formula_without_value"
        self.found.problem(
            word if lost else "cell_error",
            "error",
            at,
            raw or word,
            "公式没有保存计算结果,请打开后重新计算并保存。"
            if lost
            else f"公式出错({word}),请改正后重新报送。",
        )
        return None if lost else Value("missing", reason="cell_error")

    def _usable(self, value: Value, raw: str, at: At, named: _Named) -> bool:
        """Whether a text is a figure or a mark for none; what is neither is asked for, where a figure is due."""
        digits = re.search(r"\d", raw) and len(raw) <= 12
        percent = value.scale and named.rate
        if value.kind == "context" and (named.indicator or digits) or percent:
            value = Value("problem", code="not_a_number")
        if value.kind == "context":
            self.found.outcome[at] = "context"
        elif value.kind == "problem":
            text = _SENTENCES[value.code] + _suggest(raw)
            self.found.problem(value.code, "error", at, raw, text)
        elif value.code:
            severity = "error" if value.code == "cell_error" else "warning"
            self.found.problem(value.code, severity, at, raw, _SENTENCES[value.code])
        if {"at_least", "at_most"} & set(value.flags):
            self.found.problem(
                "bound", "warning", at, raw, "这里只写了范围,暂按所写的数采用,请改报准确数。"
            )
        return value.kind not in ("context", "problem")

    def _marks(self, at: At, value: Value) -> list[str]:
        """Flags of a cell: its comment, struck out, hidden, taken from another file."""
        sheet, flags = self.sheet, []
        if at in sheet.comments:
            flags.append(f"note:{' '.join(sheet.comments[at].split()).replace(';', ',')[:200]}")
        if at in sheet.struck:
            flags.append("struck")
        if at[0] in sheet.hidden_rows or at[1] in sheet.hidden_columns:
            flags.append("hidden")
        if at in sheet.linked:
            text = "这一格引用了别的文件,只采用已保存的数值。"
            self.found.problem("external_link", "info", at, value.plain, text)
        if value.note:
            flags.append(f"note:{value.note}")
        return flags


def _measure(row: Facet, column: Facet, named: _Named, indicator: Indicator | None) -> str:
    """The kind of figure: what column or row say; a rate that is the indicator itself is its value."""
    measure = column.measure or row.measure or words.measure_of(named.title)
    own = column.measure or row.measure and not row.names
    itself = indicator and indicator.kind in ("growth", "ratio") and not own
    return "value" if itself and measure in ("yoy_pct", "share_pct") else measure or "value"


def _own(at: At | str | None, row_at: At | None) -> At | None:
    return row_at if at == "row" else at


_SENTENCES = {
    "sign_unclear": "看不出是正是负,请用负号写明。",
    "not_a_number": "这一格应是一个确定的数字,请改正。",
    "word_in_number": "这一格应是数字,「无」不能当作 0,已按未报处理,请补报。",
    "cell_error": "公式出错,请改正后重新报送。",
}
_TIMES = {
    "十": 10,
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "十万": 10**5,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
}
_UNCLEAR = ("near", "ambiguous")
_MULTIPLIERS = ("万", "亿", "千万", "百万")
_SCALED = ("万元", "平方米")  # written in several sizes: without a unit the size is a guess


def _suggest(raw: str) -> str:
    fixed = raw.translate(str.maketrans("OoIl", "0011"))
    right = fixed != raw and re.fullmatch(r"[\d.,]+", fixed.strip())
    return f"(是否应为 {fixed}?)" if right else ""


@lru_cache(maxsize=65536, typed=True)
def _written(number: float) -> tuple[str, int]:
    """A stored number as text, and its decimals."""
    if isinstance(number, int) or number.is_integer():
        return text_of(number), 0
    return repr(number), words.decimals_of(number)


def _scale(number: float, factor: tuple[int, int]) -> float:
    """Exact decimal scaling: 56.68 亿元 is 566800 万元, not 566799.9999999999."""
    if factor == 1 or number != number:
        return number
    return float(Decimal(repr(float(number))) * factor[0] / factor[1])


def _normal(unit: str, scope: Scope) -> tuple[str, object]:
    unit = squeeze(unit)
    if unit in scope.factors:
        normal, n, d = scope.factors[unit]
        return normal, 1 if n == d else (n, d)
    rest = unit.lstrip("百千万亿")
    scale = unit[: len(unit) - len(rest)]
    if scale in _TIMES and _dimension_of.get(scope.factors.get(rest, ("",))[0]) == "count":
        return rest, (_TIMES[scale], 1)
    return unit, 1


def normal_unit(unit: str, scope: Scope) -> tuple[str, object]:
    """The normal unit of a stated one, and the factor as (numerator, denominator), 1 where nothing changes."""
    if unit not in scope.normals:
        scope.normals[unit] = _normal(unit, scope)
    return scope.normals[unit]


_FAMILIES = ({"家", "个", "户"}, {"件", "项"}, {"人", "名"})
_dimension_of = dict.fromkeys("家 个 户 件 项 名 人 次 份 条 场 幢 台 套 所 人次".split(), "count")


def _family(unit: str) -> int:
    """Counters that are interchangeable: firms, items, people; 0 for all others."""
    return next((i for i, f in enumerate(_FAMILIES, 1) if unit in f), 0)


def _dimension(unit: str, scope: Scope) -> str:
    normal = normal_unit(unit, scope)[0]
    return _dimension_of.get(normal, normal)


_PLACED = re.compile(
    r"[_((]?(?:本年累计|累计|当季|当期|当月|本月|期末|月末|年末)(?:值|数|完成)?[))]?$|^(?:本年累计|本月|当月|累计|期末|年末)"
)


@lru_cache(maxsize=65536)
def _indicator(path: str, catalog: Catalog) -> str:
    """The indicator of a whole path; words that say only when, 合计 and neutral headings aside."""
    aside = known("total").keys() | known("heading").keys()
    kept = [n for n in path.split("/") if n not in aside] or [path]
    tries = dict.fromkeys([path, "/".join(kept), "/".join(_PLACED.sub("", n) or n for n in kept)])
    return next((m for t in tries if (m := catalog.match_indicator(t, False).id)), "")


# --- the period -----------------------------------------------------------------------------------------------------


def _span_of(
    row: Facet, column: Facet, around: Surroundings, indicator: Indicator | None
) -> Span | str:
    """The period of a figure, or the code of what is wrong with it."""
    span = _dated(join_spans(row.span, column.span), around)
    if span == "no_year":
        return span
    if relative := column.relative or row.relative:
        span = _relative(relative, span, around)
    elif span is None:
        span, published = around.span, around.scope.published
        if span is None:
            span = Span(published, published, "month") if published else "no_period"
    if isinstance(span, str) or not span.year:
        return span if isinstance(span, str) else "no_year"
    if (column.frequency or row.frequency) == "季" and span.basis in ("month", "ytd", "quarter"):
        q = span.end - span.end % 3
        span = (
            words.cumulated(span) if span.basis == "ytd" else Span(q, q + 2, "quarter", span.flags)
        )
    stock = indicator is not None and indicator.kind in ("stock", "coverage")
    if stock and span.basis in ("month", "ytd"):
        span = Span(span.end, span.end, "eop", span.flags)
    return span


def _where_from(row: Facet, column: Facet, around: Surroundings) -> At | str | None:
    """The cell of a period: a month goes before a word such as 累计, the column before the row, both before the title."""
    if row.span_at and (row.span or not column.span_at) and not column.span:
        return "row"
    return column.span_at or around.span_at


def _dated(span: Span | None, around: Surroundings) -> Span | None | str:
    """A span with the year of the title, of the file or of the report month."""
    if span is None or span.year:
        return span
    for near in (around.span, around.scope.file_span):
        if near is not None and near.year:
            return shift(span, near.end // 12)
    published = around.scope.published
    late = span.end % 12 > published % 12
    return shift(span, published // 12 - late) if published else "no_year"


def _relative(relative: tuple[str, int], own: Span | None, around: Surroundings) -> Span | str:
    """本月, 累计, 上年同期 … of the row's or column's own period, of the title's or of the report month."""
    (basis, back), published = relative, around.scope.published
    base = own or around.span
    yearly = (
        base is None or own is None and base.basis == "year" and published // 12 == base.end // 12
    )
    if yearly and published:
        base = Span(published, published, "month")
    if base is None:
        return "no_month"
    if not base.year:
        return "no_year"
    end = base.end - back
    one = Span(end, end, "month", base.flags)
    if base.basis == "year" and own and back == 0 or basis == "eop" and base.basis == "year":
        return base
    if basis == "ytd":
        return words.cumulated(one)
    if basis == "month":
        return base if own and base.basis in ("quarter", "year") else one
    if basis == "quarter":
        return Span(end - end % 3, end - end % 3 + 2, "quarter", base.flags)
    if basis == "eop":
        return replace(one, basis="eop")
    if basis == "eop_year":
        last = base.end - base.end % 12 - 1
        return Span(last, last, "eop", base.flags)
    if basis == "current":
        return one if base.basis == "ytd" else base
    return replace(base, start=base.start - back, end=end)  # the same span a year before
