"""From one table's rows and columns to observations: what the stub, the header and the surroundings say together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from zcqlib.catalog import Catalog
from zcqlib.reports import totals, words
from zcqlib.reports.around import Surroundings
from zcqlib.reports.grid import Sheet
from zcqlib.reports.headers import (
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
    TOTALS,
    Facet,
    Fact,
    Found,
    Place,
    Scope,
    doubtful,
    head_of,
    is_empty,
    join_spans,
    shift,
    text_of,
    valueish,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, Value, squeeze


def read_table(
    sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
) -> list[str]:
    """Turn one block into facts, problems and outcomes; returns the lines that named it, for a continued table."""
    around = Surroundings(sheet, block, scope, found, inherited)
    found.outcome.update(dict.fromkeys(block.above, "context"))
    rows = sheet.rows
    left, width = (
        block.left,
        min(block.right, max((len(rows[r]) for r in (*block.header, *block.body)), default=0)),
    )
    grid = {
        r: [""] * left + list(rows[r][left:width]) + [""] * (width - max(len(rows[r]), left))
        for r in (*block.header, *block.body)
    }
    stub = stub_of(grid, block, width)
    about = {
        c
        for c in range(width)
        if any(head_of(squeeze(text_of(grid[r][c]))) == "note" for r in block.header)
    }
    data = [
        c
        for c in range(width)
        if c not in stub
        and c not in about
        and any(
            valueish(grid[r][c]) or isinstance(grid[r][c], str) and doubtful(grid[r][c])
            for r in block.body
        )
    ]
    notes = [c for c in range(width) if c not in stub and c not in data]
    for r in block.header:
        found.outcome.update({(r, c): "label" for c, v in enumerate(grid[r]) if not is_empty(v)})
    fill_header(grid, block, sheet, stub, data)
    if not sheet.name:
        long_rows(grid, block, found)
    for r in block.body:
        for c in notes:
            if not is_empty(grid[r][c]):
                found.outcome[r, c] = "context"
    columns = columns_of(grid, block, stub, data, around, found)
    lines = rows_of(grid, block, stub, data, around, found, sheet)
    for facets in (lines, columns):
        span_totals(facets)
    name_totals(lines, columns, scope.catalog)
    settle_places(lines, columns, around, found)
    _merged_bodies(sheet, block, data, found)
    first = len(found.facts)
    _cells(grid, block, data, columns, lines, around, found, sheet)
    totals.reconcile(
        found.facts[first:],
        [f.place for f in (*lines.values(), *columns.values())],
        scope.catalog,
        found,
    )
    return around.lines


# --- cells ----------------------------------------------------------------------------------------------------------


def _merged_bodies(sheet: Sheet, block: Block, data: list[int], found: Found) -> None:
    body, inside = set(block.body), set(data)
    for r0, c0, r1, c1 in sheet.merged:
        if (
            r0 in body
            and c0 in inside
            and (r1 > r0 or c1 > c0)
            and not is_empty(sheet.rows[r0][c0])
            and valueish(sheet.rows[r0][c0])
        ):
            found.problem(
                "merged_value",
                "error",
                (r0, c0),
                text_of(sheet.rows[r0][c0]),
                "一个数字合并在几格里,看不出属于哪一个,请拆开分别填写。",
            )


def _cells(
    grid: dict[int, list],
    block: Block,
    data: list[int],
    columns: dict[int, Facet],
    lines: dict[int, Facet],
    around: Surroundings,
    found: Found,
    sheet: Sheet,
) -> None:
    title: list[tuple[str, str]] = []
    parts = any(
        f.names and set(f.names) <= TOTALS for f in columns.values()
    )  # 合计 | 发明: parts of what the title names

    def fallback() -> tuple[str, str]:
        if not title:
            title.append((around.indicator, "") if around.indicator else around.title_indicator())
        return title[0]

    cache: dict[tuple, dict[int, tuple]] = {}  # meanings by what the row says, then by column
    unnamed: dict[
        tuple, dict[int, tuple]
    ] = {}  # the same without the row's name, for names that no catalog knows
    new: set[str] = set()
    catalog = around.scope.catalog
    nowhere = Place("", "", "unnamed" if catalog is not None and catalog.parks else "known")
    outcome, facts = found.outcome, found.facts
    percent, struck, failed = sheet.percent, sheet.struck, sheet.failed
    hidden = sheet.hidden_rows or sheet.hidden_columns
    across = [(c, columns[c].names, columns[c].place or around.place) for c in data]
    noteworthy = bool(
        percent or struck or failed or hidden or sheet.decimals or sheet.linked or sheet.comments
    )
    for r in block.body:
        row, cells = lines[r], grid[r]
        rest = (
            row.span,
            row.relative,
            row.unit,
            row.measure,
            row.frequency,
            row.flags,
            row.labelled,
            row.place is None,
            row.fault,
        )
        known = cache.setdefault((row.names, rest), {})
        alike = (
            unnamed.setdefault(rest, {})
            if row.names and not set(row.names) & TOTALS and not _RATE.search(row.names[-1])
            else {}
        )
        row_path = "/".join(row.names)
        strange: dict[
            tuple[str, ...], str
        ] = {}  # this row's path by the column's names, "" where the catalog knows it
        for c, names, beside in across:
            v = cells[c]
            at = (r, c)
            if type(v) is not float and is_empty(v) and at not in failed or at in outcome:
                continue
            got = known.get(c)
            if got is None and c in alike:
                if names not in strange:
                    path = "/".join((row_path, *names))
                    strange[names] = "" if _indicator(path, catalog) else path
                if strange[names]:
                    got = ("", strange[names], *alike[c])
            if got is None:
                got = known[c] = _meaning(row, columns[c], around, fallback, parts)
                if len(got) > 3 and not got[0] and got[1] == "/".join((row_path, *names)):
                    alike[c] = got[2:]
                if len(got) > 3 and "unit_conflict" in got[-1]:
                    found.problem(
                        "unit_conflict",
                        "warning",
                        at,
                        got[5],
                        f"「{got[1]}」的单位「{got[5]}」与表上或指标表的单位不同,已按「{got[5]}」,请核对。",
                    )
            if len(got) == 3:
                code, severity, message = got
                if not valueish(v):
                    outcome[at] = "context"
                    continue
                found.problem(code, severity, at, text_of(v), message)
                outcome[at] = "problem"
                continue
            indicator, path, span, measure, unit, unit_raw, factor, money, count, flags = got
            place = row.place or beside
            if place is not None and place.kind in ("near", "ambiguous"):
                found.problem(
                    "park_unknown" if place.kind == "near" else "park_ambiguous",
                    "error",
                    at,
                    text_of(v),
                    f"「{place.raw}」"
                    + (
                        f"不是已知的园区名称,是否应为「{place.suggestion}」?请改正。"
                        if place.kind == "near"
                        else "可能是几个园区,请写出完整名称。"
                    ),
                )
                continue
            if (
                not indicator
                and place is not None
                and path not in new
                and catalog is not None
                and place.id in catalog.regions
            ):
                new.add(path)
                near = catalog.match_indicator(path).suggestions
                found.problem(
                    "new_indicator",
                    "warning",
                    at,
                    path,
                    f"「{path}」不在指标表里"
                    + (f",相近的有:{'、'.join(near)}" if near else "")
                    + ";数字按原名保留,请核对名称,或把它加进指标别名表。",
                )
            place = place or nowhere
            if type(v) is float or type(v) is int:
                raw, decimals = _written(v)
                if not noteworthy:  # by far most cells
                    outcome[at] = "observation"
                    facts.append(
                        Fact(
                            r,
                            c,
                            place,
                            indicator,
                            path,
                            span,
                            measure,
                            float(v) if factor == 1 or v != v else _scale(float(v), factor),
                            unit,
                            raw,
                            unit_raw,
                            decimals,
                            "",
                            flags,
                        )
                    )
                    continue
                value = Value("number", float(v), decimals=decimals)
            elif words.is_date(v) or isinstance(v, bool):
                found.problem(
                    "not_a_number",
                    "error",
                    at,
                    str(v),
                    "这一格应是数字,找到的是日期或是/否,请改正。",
                )
                continue
            else:
                raw = str(v) if v is not None else ""
                value = words.value_of(raw, money, count)
            if noteworthy and at in failed:
                word = failed[at]
                found.problem(
                    word if word == "formula_without_value" else "cell_error",
                    "error",
                    at,
                    raw or word,
                    "公式没有保存计算结果,请打开后重新计算并保存。"
                    if word == "formula_without_value"
                    else f"公式出错({word}),请改正后重新报送。",
                )
                if word == "formula_without_value":
                    continue
                value = Value("missing", reason="cell_error")
            cell_unit, cell_raw, cell_flags = unit, unit_raw, flags
            if value.kind == "context" and doubtful(raw):
                value = Value("problem", code="not_a_number")
            if value.kind == "context":
                outcome[at] = "context"
                continue
            if value.kind == "problem":
                found.problem(value.code, "error", at, raw, _SENTENCES[value.code] + _suggest(raw))
                continue
            if value.code:
                found.problem(
                    value.code,
                    "error" if value.code == "cell_error" else "warning",
                    at,
                    raw,
                    _SENTENCES[value.code],
                )
            number = value.value
            if value.unit:
                if (
                    unit_raw
                    and value.unit != unit_raw
                    and not (unit_raw == "%" and value.unit == "%")
                ):
                    found.problem(
                        "unit_conflict",
                        "warning",
                        at,
                        raw,
                        f"格内单位「{value.unit}」与表头单位「{unit_raw}」不同,已按格内单位,请核对。",
                    )
                cell_raw, cell_unit = value.unit, ""
            elif noteworthy and at in percent:
                number, cell_raw, cell_unit = _scale(number, (100, 1)), "%", "%"
                raw = f"{number:.10g}%"
            if noteworthy:
                if at in sheet.comments:
                    cell_flags = (
                        *cell_flags,
                        f"note:{' '.join(sheet.comments[at].split()).replace(';', ',')[:200]}",
                    )
                if at in struck:
                    cell_flags = (*cell_flags, "struck")
                if hidden and (r in sheet.hidden_rows or c in sheet.hidden_columns):
                    cell_flags = (*cell_flags, "hidden")
                if at in sheet.linked:
                    found.problem(
                        "external_link",
                        "info",
                        at,
                        raw,
                        "这一格引用了别的文件,只采用已保存的数值。",
                    )
            if value.note:
                cell_flags = (*cell_flags, f"note:{value.note}")
            normal, factor = normal_unit(cell_raw, around.scope)
            normal = cell_unit or normal
            decimals = value.decimals if value.decimals >= 0 else 0
            if noteworthy and at in sheet.decimals and type(v) is float and not v.is_integer():
                decimals = (
                    min(decimals, max(sheet.decimals[at], 0))
                    if at not in percent
                    else sheet.decimals[at]
                )
            outcome[at] = "observation"
            scaled = number if factor == 1 or number != number else _scale(number, factor)
            facts.append(
                Fact(
                    r,
                    c,
                    place,
                    indicator,
                    path,
                    span,
                    measure,
                    scaled,
                    normal,
                    raw,
                    cell_raw,
                    decimals,
                    value.reason,
                    (*cell_flags, *value.flags),
                )
            )


_SENTENCES = {
    "sign_unclear": "看不出是正是负,请用负号写明。",
    "not_a_number": "这一格应是一个确定的数字,请改正。",
    "word_in_number": "这一格应是数字,「无」不能当作 0,已按未报处理,请补报。",
    "cell_error": "公式出错,请改正后重新报送。",
}


def _suggest(raw: str) -> str:
    fixed = raw.translate(str.maketrans("OoIl", "0011"))
    return (
        f"(是否应为 {fixed}?)" if fixed != raw and re.fullmatch(r"[\d.,]+", fixed.strip()) else ""
    )


@lru_cache(maxsize=65536, typed=True)
def _written(number: float) -> tuple[str, int]:
    """A stored number as text, and its decimals."""
    if isinstance(number, int) or number.is_integer():
        return text_of(number), 0
    return repr(number), words.decimals_of(number)


def _scale(number: float, factor: tuple[int, int] | float) -> float:
    """Exact decimal scaling: 56.68 亿元 is 566800 万元, not 566799.9999999999."""
    from decimal import Decimal

    n, d = factor
    return float(Decimal(repr(number)) * n / d)


def _normal(unit: str, scope: Scope) -> tuple[str, object]:
    unit = squeeze(unit)
    if unit in scope.factors:
        normal, n, d = scope.factors[unit]
        return normal, 1 if n == d else (n, d)
    for prefix, n in (("万", 10_000), ("亿", 100_000_000), ("千", 1_000), ("百", 100)):
        rest = unit.removeprefix(prefix)
        if unit.startswith(prefix) and rest in {
            "家",
            "个",
            "户",
            "件",
            "项",
            "人",
            "名",
            "次",
            "人次",
            "份",
            "条",
        }:
            return rest, (n, 1)
    return unit, 1


def normal_unit(unit: str, scope: Scope) -> tuple[str, object]:
    """The normal unit of a stated one, and the factor as (numerator, denominator), 1 where nothing changes."""
    if unit not in scope.normals:
        scope.normals[unit] = _normal(unit, scope)
    return scope.normals[unit]


_RATE = re.compile(r"率$|比重$|占比$|比例$|构成$|系数$")


def _meaning(
    row: Facet,
    column: Facet,
    around: Surroundings,
    fallback: Callable[[], tuple[str, str]],
    parts: bool,
):
    """What row and column say together: the fact's labels, or (code, severity, message) where it cannot be used."""
    catalog = around.scope.catalog
    if fault := row.fault or column.fault:
        return (fault, "error", _PERIOD_SENTENCES[fault])
    if not row.labelled or not column.labelled:
        return (
            "orphan_cell",
            "warning",
            "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。",
        )
    names = [n for n in (*row.names, *column.names) if n]
    names = [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]
    flags: list[str] = [*row.flags, *column.flags, *around.flags]
    measure = column.measure or row.measure
    unit = column.unit or row.unit
    if all(n in TOTALS or n in ("环比", "同比", "定基") for n in names):
        title, whence = fallback()
        if not title:
            return ("no_indicator", "error", "文件里没有写明这是什么指标,请补上指标名称和单位。")
        flags += [whence] if whence else []
        names = [title, *names]
        unit = unit or around.indicator_unit
        measure = measure or words.measure_of(title)
    elif parts and not row.names and fallback()[0]:
        names = [fallback()[0], *names]
    path = "/".join(names)
    indicator = _indicator(path, catalog)
    if (
        row.names
        and column.names
        and indicator == _indicator("/".join(column.names), catalog)
        and not all(n in TOTALS for n in row.names)
        and not _indicator(row.names[-1], catalog)
    ):
        indicator = (
            ""  # an unknown group of rows (0-4岁, a firm) is not the whole that the column names
        )
    known = catalog.indicators.get(indicator) if catalog is not None and indicator else None
    if (
        known is not None
        and known.kind in ("growth", "ratio")
        and measure in ("yoy_pct", "share_pct")
        and not column.measure
        and not (row.measure and len(row.names) == 0)
    ):
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
        unit = (
            ("%" if "%" in stated.split("、") else "")
            if _RATE.search(names[-1])
            else words.fitting_unit(stated, measure)
        )
        if known is not None and _dimension(unit, around.scope) != _dimension(
            known.unit, around.scope
        ):
            unit = ""
    if not unit and known is not None and measure not in ("index", "rank"):
        unit = known.unit
        flags.append("unit_from_dictionary")
    normal, factor = normal_unit(unit, around.scope)
    if (
        known is not None
        and measure == "value"
        and normal != known.unit
        and _family(normal)
        and _family(normal) == _family(known.unit)
    ):
        normal = known.unit
    if (
        measure == "value"
        and (column.unit or row.unit)
        and any(
            s != unit and normal_unit(s, around.scope)[0] == normal for s in stated.split("、") if s
        )
        or known is not None
        and measure == "value"
        and normal
        and normal != known.unit
    ):
        flags.append("unit_conflict")
    money = normal == "万元" or unit.endswith("元")
    count = not money and unit not in ("%", "‰")
    return (
        indicator,
        path,
        span,
        measure,
        normal,
        unit,
        factor,
        money,
        count,
        tuple(dict.fromkeys(flags)),
    )


_FAMILIES = ({"家", "个", "户"}, {"件", "项"}, {"人", "名"})


def _family(unit: str) -> int:
    """Counters that are interchangeable: firms, items, people; 0 for all others."""
    return next((i for i, f in enumerate(_FAMILIES, 1) if unit in f), 0)


def _dimension(unit: str, scope: Scope) -> str:
    normal = normal_unit(unit, scope)[0]
    return "count" if normal in ("家", "个", "户", "件", "项", "名", "人", "次") else normal


@lru_cache(maxsize=4096)
def _bare(name: str) -> str:
    return (
        re.sub(
            r"[_((]?(?:本年累计|累计|当季|当期|当月|本月|期末|月末|年末)(?:值|数|完成)?[))]?$|^(?:本年累计|本月|当月|累计|期末|年末)",
            "",
            name,
        )
        or name
    )


@lru_cache(maxsize=65536)
def _indicator(path: str, catalog: Catalog | None) -> str:
    if catalog is None:
        return ""
    tries = dict.fromkeys([path, "/".join(map(_bare, path.split("/")))])
    return next((m for t in tries if (m := catalog.match_indicator(t, False).id)), "")


_PERIOD_SENTENCES = {
    "period_ambiguous": "期间看不出是哪年哪月(如「2018.1」可能是1月或10月),请写成「2018年10月」的样子。",
    "period_unsupported": "学年、财年、五年规划期等期间不支持,请按年、季、月报送。",
    "no_year": "只写了月份,没有年份,请在表题或表头写明年份。",
    "no_period": "没有写明是哪一期的数据,请在表题或表头写明年月。",
    "no_month": "「本月」「累计」等字样没有对应的月份,请在表题写明年月。",
}


def _span_of(row: Facet, column: Facet, around: Surroundings, path: str, known) -> Span | str:
    span = join_spans(row.span, column.span)
    relative = column.relative or row.relative
    published, context = around.scope.published, around.span
    if span is not None and not span.year:
        year = (
            context.end // 12
            if context is not None and context.year
            else (
                around.scope.file_span.end // 12
                if around.scope.file_span and around.scope.file_span.year
                else 0
            )
        )
        if not year and published:
            year = published // 12 - (1 if span.end % 12 > published % 12 else 0)
        if not year:
            return "no_year"
        span = shift(span, year)
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
        if (
            base is None
            or base.basis == "year"
            and not own
            and published
            and published // 12 == base.end // 12
        ):
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
            span = (
                Span(end, end, "month", base.flags)
                if base.basis in ("month", "ytd", "eop", "range") or not own
                else base
            )
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
        span = (
            Span(span.end - span.end % 12, span.end, "ytd", span.flags)
            if span.basis == "ytd"
            else Span(q, q + 2, "quarter", span.flags)
        )
    stock = known is not None and known.kind in ("stock", "coverage") and known.batch is not None
    if stock and span.basis in ("month", "ytd"):
        span = Span(span.end, span.end, "eop", span.flags)
    return span
