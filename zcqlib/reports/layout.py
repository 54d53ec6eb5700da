"""From the cells of a sheet to facts: find the tables, read their headers, and give every non-empty cell an outcome.

A table is a run of header rows over a run of body rows. Its left columns (the stub) and its header name the facts; what
neither says comes from the lines above, the sheet's name, the file's name and the report month, nearest first.
"""
from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.words import Span, squeeze

PROVINCES = ("北京天津河北山西内蒙古辽宁吉林黑龙江上海江苏浙江安徽福建江西山东河南湖北湖南广东广西海南重庆四川贵州云南西藏陕西甘肃青海"
             "宁夏新疆香港澳门台湾")
_PROVINCE = re.compile("北京|天津|河北|山西|内蒙古|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|重庆|四川|贵州|云南"
                       "|西藏|陕西|甘肃|青海|宁夏|新疆|香港|澳门|台湾")
_PLACE = re.compile(r"[\u4e00-\u9fff]{1,14}(?:省|市|区|县|旗|州|盟|地区|示范区|开发区|新区|园区|园|街道|镇|乡|管委会)$")
_WIDE = {"全国", "全省", "全市", "全区", "全县", "总计", "合计", "小计", "总数", "一区四园", "自创区"}
_REST = {"其他", "其它", "市直", "省直", "市本级", "其他地区", "不分地区"}
_HEAD = {"指标": "name", "指标名称": "name", "项目": "name", "名称": "name", "指标项": "name", "类别": "name", "内容": "name",
         "地区": "region", "园区": "region", "区域": "region", "单位名称": "region", "各园区": "region", "县区": "region",
         "地区名称": "region", "区县": "region", "城市": "region", "省份": "region", "市州": "region", "园区名称": "region",
         "序号": "serial", "编号": "serial", "代码": "serial", "行次": "serial", "行号": "serial", "计量单位": "unit",
         "单位": "unit", "频度": "frequency", "频率": "frequency", "年份": "period", "月份": "period", "时间": "period",
         "年度": "period", "日期": "period", "统计期": "period", "年月": "period", "备注": "note", "说明": "note",
         "责任单位": "note", "牵头单位": "note", "联系人": "note", "联系电话": "note", "填报人": "note", "更新时间": "note"}
_NOTE = re.compile(r"(?:[(【]?(?:注|备注|说明|附注|注释)(?:\d*[::.、]|[)】]|$)|注\d|(?:数据|资料)?来源[::]|填表人|制表人|填报人|制表[::]|审核人?[::]"
                   r"|单位负责人|统计负责人|负责人[::]|联系人|联系电话|电话[::]|填报日期|报出日期|制表日期|打印日期|复核|\*[^\d]|※)")
_CONTACT = re.compile(r"[(【]?(?:注|备注|说明|附注|注释)\d*[::]|(?:数据|资料)?来源[::]|(?:填表|制表|填报|联系|审核|复核)人?[::]|(?:联系)?电话[::]"
                      r"|(?:单位|统计)?负责人[::]|(?:填报|报出|制表|打印)(?:日期|时间)[::]")
_META = re.compile(r"(数据库|指标|地区|时间|单位|计量单位|园区|区域|填报单位|报送单位|频度|填报时间|报告期|统计期)[::](.*)")
_NUMBERING = re.compile(r"^(?:[(（]?[0-9一二三四五六七八九十]{1,3}[)）、.．]+|[①-⑳]|[#*※•·]+)(?=[^\d])")
_OF_WHICH = re.compile(r"^(?:#|其中[::]?|内[::]|其中:?#)")
_TITLE_NOISE = re.compile(r"^(?:附?表\d*[-.]?\d*|续表\d*|\d+[-.]\d+)|\(演示数据\)|[((][^()()]*[))]|各(?:园区|区县|县区|地区|县市区|市州|市县|区|市|县)|分(?:园区|地区|月|县区)"
                          r"|(?:主要|基本)?(?:情况|统计|汇总|一览|月报|报|明细|数据|指标|完成)*(?:表|情况)$|按\w+分|按地区|累计|当月|单位[::]\S+")
_ABOUT = {"更新时间", "开始时间", "结束时间", "起始时间", "截止时间", "来源", "数据来源", "注释", "口径", "指标解释", "指标说明", "计算方法", "地区编码",
          "指标编码", "指标代码", "频度", "频率", "更新频率"}
_ABOUT_TOO = {"指标名称", "指标", "名称", "单位", "计量单位", "地区名称", "地区", "序号", "编号", "编码", "代码", "备注", "说明", "表名", "表号", "页码"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known before a sheet is read: report month (0 unknown), names of file and sheet, the catalog."""

    file: str
    catalog: Catalog | None
    published: int
    file_span: Span | None
    sender_region: str
    region_names: tuple[tuple[str, str], ...] = ()  # name and id of our own places, longest first
    factors: tuple[tuple[str, str, int, int], ...] = ()  # unit word, normal unit, numerator, denominator
    matched: dict[str, str] = field(default_factory=dict)  # indicator paths already looked up


@dataclass(frozen=True, slots=True)
class Label:
    """One header or stub cell, understood. `role` is head, unit, period, relative, measure, frequency or name."""

    role: str
    name: str = ""
    span: Span | None = None
    relative: tuple[str, int] | None = None
    unit: str = ""
    measure: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A region label, resolved: catalog id or "", the label, and whether it is a total or remainder row."""

    id: str
    raw: str
    kind: str = "known"
    suggestion: str = ""

    @property
    def total(self) -> bool:
        return self.kind == "total"


@dataclass(frozen=True, slots=True)
class Facet:
    """What a whole row or column says: names from the outside in, and everything else that its labels carry."""

    names: tuple[str, ...] = ()
    span: Span | None = None
    relative: tuple[str, int] | None = None
    unit: str = ""
    measure: str = ""
    place: Place | None = None
    frequency: str = ""
    flags: tuple[str, ...] = ()
    labelled: bool = True
    fault: str = ""  # code of the error that makes its figures unusable


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation before it is shaped; spans are counted months."""

    row: int
    column: int
    place: Place
    indicator: str
    path: str
    span: Span
    measure: str
    value: float
    unit: str
    raw: str
    unit_raw: str
    decimals: int
    reason: str
    flags: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Found:
    """Everything that came of one sheet; `outcome` maps a cell to its outcome."""

    facts: list[Fact] = field(default_factory=list)
    problems: list[tuple[str, str, tuple[int, int] | None, str, str]] = field(default_factory=list)
    outcome: dict[tuple[int, int], str] = field(default_factory=dict)
    tables: list[int] = field(default_factory=list)

    def problem(self, code: str, severity: str, at: tuple[int, int] | None, raw: str, message: str) -> None:
        self.problems.append((code, severity, at, raw, message))
        if severity == "error" and at is not None:
            self.outcome[at] = "problem"


# --- labels ---------------------------------------------------------------------------------------------------------

def is_empty(v: object) -> bool:
    return v is None or isinstance(v, str) and not v.strip()


def text_of(v: object) -> str:
    if isinstance(v, float) and v.is_integer() and abs(v) < 1e15:
        return str(int(v))
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d")
    return str(v) if v is not None else ""


@lru_cache(maxsize=16384)
def label(text: str) -> Label:
    """Understand one label, given squeezed."""
    t = re.sub(r"[①-⑳*※]+$", "", text)
    if t in _HEAD:
        return Label("head", head=_HEAD[t], name=t)
    bare = re.sub(r"^[((](.*)[))]$", r"\1", t)
    if words.is_unit(bare) or re.fullmatch(r"(?:计量)?单位[::].+", bare) and words.stated_unit(bare):
        return Label("unit", unit=words.stated_unit(bare) or bare)
    if t in ("月", "季", "年", "月度", "季度", "年度数据"):
        return Label("frequency", head=t[0])
    name, unit = words.split_unit(t)
    name = name or t
    if span := words.whole_period(name):
        return Label("period", span=span, unit=unit)
    if name in words.RELATIVE:
        return Label("relative", relative=words.RELATIVE[name], unit=unit)
    if words.only_measure(name):
        relative = ("ytd", 0) if "累计" in name else ("month", 0) if re.match(r"本月|当月", name) else None
        return Label("measure", measure=words.measure_of(name), relative=relative, unit=unit)
    span = None
    if found := words.period_in(name):
        span, i, j = found
        rest = re.sub(r"[((]\s*[))]", "", name[:i] + name[j:]).strip("_-::、,")
        if rest in words.RELATIVE or not rest:
            return Label("period", span=span, relative=words.RELATIVE.get(rest), unit=unit)
        if words.only_measure(rest):
            span = replace(span, start=span.end - span.end % 12, basis="ytd") if "累计" in rest else span
            return Label("measure", span=span, measure=words.measure_of(rest), unit=unit)
        if i == 0 or j == len(name) or name[i - 1:i] in "((":
            name = rest
        else:
            span = None
    relative = None
    if m := re.search(r"累计|当季|当期|本季|当月|本月|上年同期|月末|期末|年末", name):
        relative = {"累计": ("ytd", 0), "当季": ("quarter", 0), "本季": ("quarter", 0), "当期": ("current", 0),
                    "当月": ("month", 0), "本月": ("month", 0), "上年同期": ("same", 12), "月末": ("eop", 0),
                    "期末": ("eop", 0), "年末": ("eop", 0)}[m[0]]
    measure = words.measure_of(name)
    return Label("name", name=_NUMBERING.sub("", name), span=span, relative=relative, unit=unit, measure=measure)


def place_of(text: str, catalog: Catalog | None) -> Place | None:
    """The region that a label names, None where it does not look like a place."""
    t = squeeze(_NUMBERING.sub("", squeeze(text)))
    t = re.sub(r"^(?:#|其中[::]?)|[①-⑳*※]+$", "", t)
    raw = text.strip()
    if not t:
        return None
    if catalog is not None:
        match = catalog.match_region(t)
        if match.kind != "unknown":
            return Place(match.id, raw, match.kind)
        if t not in _WIDE | _REST and match.suggestion and _PLACE.match(t):
            return Place("", raw, "near", match.suggestion)
    if t in _WIDE:
        return Place("", raw, "total")
    if t in _REST:
        return Place("", raw, "remainder")
    if _PROVINCE.match(t) and len(t) <= 10 or _PLACE.match(t) and not re.search(r"(?:数|量|额|率|值|积)", t):
        return Place("", raw, "other_region")
    return None


# --- periods as cells -----------------------------------------------------------------------------------------------

def cell_span(v: object, serial: bool = False) -> Span | None:
    """The period that a header or stub cell names: text, a date, a year, 201806, and, among periods, a serial day."""
    if isinstance(v, datetime.datetime | datetime.date):
        no = words.month_no(v.year, v.month)
        return Span(no, no, "month")
    if isinstance(v, bool) or is_empty(v):
        return None
    if isinstance(v, int | float):
        if float(v).is_integer():
            n = int(v)
            if 1900 <= n <= 2100:
                return Span(words.month_no(n, 1), words.month_no(n, 12), "year")
            if 190001 <= n <= 210012 and 1 <= n % 100 <= 12:
                no = words.month_no(n // 100, n % 100)
                return Span(no, no, "month")
            if serial and 29_000 <= n <= 55_000:
                day = datetime.date(1899, 12, 30) + datetime.timedelta(days=n)
                no = words.month_no(day.year, day.month)
                return Span(no, no, "month", ("serial",))
            return None
        text = repr(round(float(v), 4))
        return words.whole_period(text) if re.fullmatch(r"(?:19|20)\d\d\.\d{1,2}", text) else None
    return words.whole_period(squeeze(str(v)))


def settle_octobers(cells: list[object], spans: list[Span | None]) -> tuple[list[Span | None], list[int]]:
    """2018.1 among 2018.09 and 2018.11 is October; twice, the first is January. Returns spans and undecided places."""
    loose = [i for i, c in enumerate(cells) if re.fullmatch(r"(?:19|20)\d\d\.1", squeeze(text_of(c)))
             or isinstance(c, float) and round(c % 1, 4) == 0.1 and 1900 < c < 2101]
    out, undecided = list(spans), []
    for i in loose:
        year = out[i].start // 12
        months = {s.end % 12 + 1 for j, s in enumerate(out) if s and j not in loose and s.basis == "month"
                  and s.end // 12 == year}
        same = [j for j in loose if out[j].start // 12 == year]
        descending = _descending([s for j, s in enumerate(out) if s and j not in loose])
        if len(same) == 2:
            january = (same[1] if descending else same[0]) == i
        elif months & {9, 11} and 2 not in months or 9 in months and 1 in months:
            january = False
        elif 2 in months and 9 not in months:
            january = True
        elif {2, 9} <= months:
            position = [j for j, s in enumerate(out) if s and j not in loose and s.end // 12 == year]
            before = [out[j].end % 12 + 1 for j in position if j < i]
            january = (not before) != descending
        else:
            undecided.append(i)
            continue
        no = words.month_no(year, 1 if january else 10)
        out[i] = Span(no, no, "month")
    return out, undecided


def _descending(spans: list[Span]) -> bool:
    return len(spans) > 1 and spans[0].end > spans[-1].end


# --- finding tables -------------------------------------------------------------------------------------------------

@dataclass(slots=True, frozen=True)
class Block:
    """Rows of one table: lines above it, header rows, body rows, and its columns from `left` to `right`."""

    above: list[tuple[int, int]]
    header: list[int]
    body: list[int]
    left: int = 0
    right: int = 1 << 20


def _valueish(v: object) -> bool:
    if isinstance(v, bool):
        return False
    if isinstance(v, int | float):
        return True
    return isinstance(v, str) and words.value_of(v).kind in ("number", "missing", "problem")


def _row_kind(row: list, r: int, header_seen: bool, body_seen: bool, sheet: Sheet) -> str:
    filled = [c for c, v in enumerate(row) if not is_empty(v)]
    if not filled:
        return "empty"
    first = row[filled[0]]
    if isinstance(first, str):
        lead = squeeze(first)
        if _CONTACT.match(lead) or _NOTE.match(lead) and not any(_valueish(row[c]) for c in filled[1:]) and sum(
                squeeze(row[c]) in _HEAD for c in filled if isinstance(row[c], str)) < 2:
            return "note"
        if _META.match(lead) and len(filled) <= 3 and not any(_valueish(row[c]) for c in filled[1:]):
            return "meta"
    if len(filled) == 1:
        return "single" if not _valueish(first) or words.cell_like_period(first) else "data"
    values = [c for c in filled if _valueish(row[c])]
    starts = squeeze(text_of(first)) if isinstance(first, str) else ""
    headish = starts in _HEAD or filled[0] > 0 and not header_seen or any(
        squeeze(row[c]) in _HEAD for c in filled[:2] if isinstance(row[c], str))
    rest = [row[c] for c in filled if c != filled[0] or not isinstance(first, str)]
    periods = [cell_span(v, serial=True) for v in rest]
    numeric_periods = [p for v, p in zip(rest, periods, strict=True) if words.is_date(v) or _valueish(v) and not (
        starts in _HEAD and isinstance(v, str) and v.strip() in words.MARKS)]  # 单位 - of an index
    if headish and not body_seen and rest and all(p is not None for p in numeric_periods):
        return "header"
    if headish and body_seen and starts in _HEAD and all(p is not None for p in numeric_periods):
        return "header"
    if not values:
        dates = [c for c in filled if words.is_date(row[c])]
        if dates and not headish and header_seen and filled[0] in dates:
            return "data"
        odd = [row[c] for c in filled[1:] if isinstance(row[c], str) and re.match(r"\d", squeeze(row[c]))]
        if header_seen and odd and place_of(text_of(first), None) and all(cell_span(v) is None for v in odd):
            return "data"  # a park and something like 30-40: a figure that is none, not a header
        return "header" if len(filled) > 1 else "single"
    if not body_seen and not starts and not header_seen and all(p is not None for p in numeric_periods) and len(rest) > 1:
        return "header"
    return "data"


def blocks(sheet: Sheet, found: Found) -> list[Block]:
    """Split a sheet into tables; notes and contact lines become context on the way."""
    out: list[Block] = []
    above: list[tuple[int, int]] = []
    header: list[int] = []
    body: list[int] = []
    in_note = False
    rows = sheet.rows

    def close() -> None:
        nonlocal above, header, body
        if body:
            out.extend(_panels(rows, Block(above, header, body)))
        else:
            for r in header:
                above = above + [(r, c) for c, v in enumerate(sheet.rows[r]) if not is_empty(v)]
            if out or above:
                for at in above:
                    found.outcome.setdefault(at, "context")
        above, header, body = [], [], []

    for r, row in enumerate(rows):
        kind = _row_kind(row, r, bool(header), bool(body), sheet)
        cells = [(r, c) for c, v in enumerate(row) if not is_empty(v)]
        if kind == "empty":
            in_note = False
            if body and _next_kind(rows, r, sheet) in ("single", "header", "meta"):
                close()
            continue
        if in_note and (kind in ("single", "header") or kind == "data" and len(cells) == 1):
            lead = str(row[cells[0][1]])
            if lead[:1] in " \u3000\t" or re.match(r"\s*[(]?\d+[).、.]", lead) or len(cells) == 1:
                found.outcome.update(dict.fromkeys(cells, "context"))
                continue
        in_note = False
        if kind == "note":
            found.outcome.update(dict.fromkeys(cells, "context"))
            in_note = True
        elif kind == "meta":
            if body:
                close()
            above = above + cells
        elif kind == "header":
            if body:
                if _same_row(rows, header, row):
                    found.outcome.update(dict.fromkeys(cells, "label"))
                    continue
                close()
            header.append(r)
        elif kind == "single":
            if body and _starts_table(row[cells[0][1]]) and _next_kind(rows, r, sheet) in ("header", "meta", "single"):
                if re.match(r"续表", squeeze(str(row[cells[0][1]]))) and _repeats(rows, r, header):
                    found.outcome.update(dict.fromkeys(cells, "context"))
                    continue
                close()
            if body or header and cells[0][1] == 0 and _next_kind(rows, r, sheet) in ("data", "single"):
                body.append(r)
            elif header:
                header.append(r)
            else:
                above = above + cells
        else:
            body.append(r)
    close()
    return out


def _panels(rows: list[list], block: Block) -> list[Block]:
    """Tables that stand beside each other: the stub's head again, or an empty column and then row names."""
    if not block.header:
        return [block]
    width = max(len(rows[r]) for r in (*block.header, *block.body))

    def column(c: int, where: list[int]) -> list:
        return [rows[r][c] for r in where if c < len(rows[r]) and not is_empty(rows[r][c])]

    first = next((c for c in range(width) if column(c, block.body)), 0)
    heads = {squeeze(text_of(v)) for v in column(first, block.header)} & {h for h, role in _HEAD.items() if role in (
        "name", "region", "period")}
    starts = [0]
    for c in range(first + 2, width - 1):
        cells, head = column(c, block.body), {squeeze(text_of(v)) for v in column(c, block.header)}
        if not cells or not head or sum(_valueish(v) and cell_span(v) is None for v in cells) * 2 > len(cells) \
                or not any(_valueish(v) for k in range(starts[-1], c) for v in column(k, block.body)):
            continue
        gap = not column(c - 1, block.body) and not column(c - 1, block.header)
        if heads & head or gap and any(_valueish(v) for v in column(c + 1, block.body)):
            starts.append(c)
    if len(starts) == 1:
        return [block]
    out = []
    for left, right in zip(starts, [*starts[1:], 1 << 20], strict=True):
        own = [at for at in block.above if left <= at[1] < right]
        body = [r for r in block.body if any(not is_empty(v) for v in rows[r][left:right])]
        out.append(Block(own or block.above, block.header, body, left, right))
    return [b for b in out if b.body]


def is_about(rows: list[list], block: Block) -> bool:
    """Whether a table only describes others: names, units, dates of update, sources, no figures."""
    heads = {squeeze(text_of(v)) for r in block.header for v in rows[r] if not is_empty(v)}
    return bool(heads) and heads <= _ABOUT | _ABOUT_TOO and bool(heads & _ABOUT | heads & {"页码", "表号"})


def _starts_table(v: object) -> bool:
    t = squeeze(str(v))
    return bool(re.match(r"(?:附?表\d|续表)", t) or re.search(r"(?:表|情况|指标|统计|数据)(?:[((].*)?$", t)
                or words.period_in(t) and not words.whole_period(t))


def _next_kind(rows: list[list], r: int, sheet: Sheet) -> str:
    for k in range(r + 1, min(r + 6, len(rows))):
        kind = _row_kind(rows[k], k, False, False, sheet)
        if kind != "empty":
            return kind
    return "empty"


def _same_row(rows: list[list], header: list[int], row: list) -> bool:
    plain = [squeeze(text_of(v)) for v in row]
    return any([squeeze(text_of(v)) for v in rows[h]][:len(plain)] == plain for h in header)


def _repeats(rows: list[list], r: int, header: list[int]) -> bool:
    return any(_same_row(rows, header, rows[k]) for k in range(r + 1, min(r + 4, len(rows))))
