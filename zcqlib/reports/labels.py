"""What one cell of a header or stub says: a name, a period, a place, a unit, a kind of figure.

Words alone are known in `words`; here they become labels, and a row of periods is settled by its neighbours.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from xlsxwriter.utility import xl_rowcol_to_cell

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import At, remember, written
from zcqlib.reports.words import Span, known, month_no, month_span, squeeze

PERCENT_KINDS = {"yoy_pct", "mom_pct", "share_pct", "completion_pct"}
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{1,14}(?:省|市|区|區|县|縣|旗|州|盟|地区|示范区|开发区|新区|园区|园|街道|镇|乡|管委会)$"
)
_PLACE_HEAD = re.compile(
    r"(?:各|所属|所在)?(?:省辖|地级|街道|[地县市区省州盟镇乡园城])[区市县州域]{0,2}(?:别|名称?)?"
)
_ALL = re.compile(
    r"(?:全?[国省市区县州盟旗]|地区|全部|各[市县区]|[东中西]部)?(?:总计|合计|总数|小计)"
)
NOTE = re.compile(
    r"(?:[(【]?(?:注|备注|说明|附注|注释)(?:\d*[::.、]|[)】]|$)|注\d|(?:数据|资料)?来源[::]|填表人|制表人|填报人|制表[::]|审核人?[::]"
    r"|单位负责人|统计负责人|负责人[::]|联系人|联系电话|电话[::]|填报日期|报出日期|制表日期|打印日期|复核|\*[^\d]|※)"
)
CONTACT = re.compile(
    r"(?:单位|统计)?(?:负责人|填表人|填报人|制表人|审核人|经办人|联系人|联系电话|电话|手机|手机号码?|传真|联系方式)$|"
    r"[(【]?(?:注|备注|说明|附注|注释)\d*[::]|(?:数据|资料)?来源[::]|(?:填表|制表|填报|联系|审核|复核)人?[::]|(?:联系)?电话[::]"
    r"|(?:单位|统计)?负责人[::]|(?:填报|报出|制表|打印)(?:日期|时间)[::]"
)
NUMBERING = re.compile(
    r"^(?:[(（]?[0-9一二三四五六七八九十]{1,3}[)）、.．]+|[①-⑳]|[#*※•·]+)(?=[^\d])"
)
OF_WHICH = re.compile(r"^(?:#|其中[::]?#?|内(?:[::]|$))")
TITLE_NOISE = re.compile(
    r"^(?:附?表[\d一二三四五六七八九十]*[-.]?\d*|续表\d*|\d+[-.]\d+)|\(演示数据\)|[((][^()()]*[))]|各(?:园区|区县|县区|地区|县市区|市州|市县|区|市|县)|分(?:园区|地区|月|县区)"
    r"|(?:主要|基本)?(?:情况|统计|汇总|一览|月报|报|明细|数据|指标|完成)*(?:表|情况)$|按\w+分|按地区|累计|当月|单位[::]?\S+$"
)


class Scope(NamedTuple):
    """What is known before a sheet is read: report month (0 unknown), names of file and sheet, the catalog."""

    file: str
    catalog: Catalog
    published: int
    file_span: Span | None
    sender_region: str


class Place(NamedTuple):
    """A region label, resolved: catalog id or "", the label, and whether it is a total or remainder row."""

    id: str
    raw: str
    kind: str = "known"
    suggestion: str = ""

    @property
    def total(self) -> bool:
        return self.kind == "total"


class Facet(NamedTuple):
    """What a label, a row or a column says: names from the outside in, everything else, and where it stands.

    `role` of a single cell is head, unit, period, measure, frequency, summary or name.
    """

    names: tuple[str, ...] = ()
    span: Span | None = None
    relative: tuple[str, int] | None = None
    unit: str = ""
    measure: str = ""
    place: Place | None = None
    frequency: str = ""
    flags: tuple[str, ...] = ()
    bare: bool = False  # nothing names its figures
    fault: str = ""  # code of the problem that makes its figures unusable
    name_at: At | None = None
    unit_at: At | None = None
    span_at: At | None = None
    role: str = ""

    def at(self, cell: At) -> Facet:
        """The same, said by a cell."""
        return self._replace(
            name_at=cell if self.names else None,
            unit_at=cell if self.unit else None,
            span_at=cell if self.span or self.relative else None,
        )

    def over(self, near: Facet) -> Facet:
        """What stands further out and what stands nearer, together: names follow each other, else the nearer wins."""
        both = Facet(*(b or a for a, b in zip(self, near, strict=True)))
        more = near.names[self.names[-1:] == near.names[:1] :]
        span, at = join_spans(self.span, near.span), (near if more else self).name_at
        return both._replace(names=self.names + more, span=span, name_at=at)


class Fact(NamedTuple):
    """One observation before it is shaped; spans are counted months. A tuple, since there may be millions."""

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
    name_cell: At | None = None
    unit_cell: At | None = None
    period_cell: At | None = None

    @property
    def at(self) -> At:
        return self[:2]

    @property
    def cell(self) -> str:
        return xl_rowcol_to_cell(*self.at)

    @property
    def when(self) -> tuple[int, int, str]:
        return self.span.start, self.span.end, self.span.basis

    @property
    def given(self) -> bool:
        """Whether there is a figure."""
        return self.value == self.value


@dataclass(slots=True, frozen=True)
class Found:
    """Everything that came of one sheet or table; `outcome` maps a cell to its outcome, a problem is code, severity,
    place (None, a cell, or a rectangle), raw text, message and number of cells."""

    facts: list[Fact] = field(default_factory=list)
    problems: list[tuple] = field(default_factory=list)
    outcome: dict[At, str] = field(default_factory=dict)
    tables: list[int] = field(default_factory=list)

    def problem(
        self, code: str, severity: str, at: tuple | None, raw: str, message: str, count: int = 1
    ) -> None:
        self.problems.append((code, severity, at, raw, message, count))
        if severity == "error" and at is not None:
            self.outcome[at] = "problem"

    def hold(self, code: str, which: Iterable[int], message: str, severity: str = "error") -> None:
        """Keep some facts (by number) out of use until someone has confirmed them, and say why."""
        for i in which:
            f = self.facts[i]
            self.facts[i] = f._replace(flags=tuple(dict.fromkeys((*f.flags, "held"))))
            self.problems.append((code, severity, f.at, f.raw, message, 1))

    def mark(self, cells: Iterable[At], outcome: str) -> None:
        self.outcome.update(dict.fromkeys(cells, outcome))

    def add(self, other: Found) -> None:
        """Take over what one table gave, with one row for each code and severity."""
        self.facts.extend(other.facts)
        self.outcome.update(other.outcome)
        groups = {}
        for p in dict.fromkeys(other.problems):
            groups.setdefault(p[:2] if p[2] is not None else p, []).append(p)
        self.problems.extend(map(_one_row, groups.values()))


def _one_row(part: list[tuple]) -> tuple:
    """Several problems as one: the rectangle around them, one example, the number of cells, further examples named."""
    code, severity, at, raw, message, count = part[0]
    if len(part) == 1:
        return part[0]
    count = sum(p[5] for p in part)
    others = [f"「{x}」" for x in dict.fromkeys(p[3] for p in part) if x != raw][:4]
    more = f"(共 {count} 处" + (f",又如{'、'.join(others)}" if others else "") + ")"
    box = box_of([at for p in part for at in (p[2][:2], p[2][-2:])])
    return code, severity, box, raw, message + more, count


def box_of(cells: list[At]) -> tuple[int, int, int, int]:
    """The rectangle around some cells."""
    rows, columns = zip(*cells, strict=True)
    return min(rows), min(columns), max(rows), max(columns)


_META = re.compile(r"([^:]{2,10}?)(?:\(盖?章?\))?:(.*)")


def meta(text: str) -> tuple[str, str]:
    """What a line such as 地区:高新区 is about (period, region, indicator, other), and what stands behind its colon."""
    m = _META.match(text)
    return (known("meta").get(m[1], ""), m[2]) if m else ("", "")


# --- labels ---------------------------------------------------------------------------------------------------------


def head_of(text: str) -> str:
    """The role of a column that a squeezed head names: name, region, serial, unit, frequency, period, note, or ""."""
    heads = known("head")
    return (
        heads.get(text)
        or heads.get(text.casefold())
        or ("region" if _PLACE_HEAD.fullmatch(text) else "")
    )


def is_empty(v: object) -> bool:
    return v is None or isinstance(v, str) and not v.strip()


def filled(row: list) -> list[int]:
    """The columns of a row that hold something."""
    return [c for c, v in enumerate(row) if type(v) is float or not is_empty(v)]


def text_of(v: object) -> str:
    if isinstance(v, float):
        return written(v)
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d")
    return str(v) if v is not None else ""


def said(v: object) -> str:
    """A cell's text as all comparisons use it."""
    return squeeze(v if isinstance(v, str) else text_of(v))


_COMPARED = re.compile(
    r"((?:19|20)\d\d)年?(为|比)((?:19|20)\d\d)年?(?:增长|增减|的)?(?:\(?±?%\)?)?"
)
_IN_PERCENT = (  # kinds of figures that words name only where the unit is %
    ("(?:完成|占|为)(?:年度|全年|本?年)?(?:目标|任务|计划)(?:数|的比重)?", "completion_pct"),
    (
        "(?:本年)?(?:累计|[本当]月)?(?:增减|增长|升降|变动|变化|增幅|涨跌|±)(?:率|幅度?|情况)?",
        "yoy_pct",
    ),
)


_CHANGE = re.compile(  # by how much a figure has changed, which is neither a figure nor a rate
    "(?:本年|累计|[本当]月)*(?:同比|环比|[比较与](?:上年|去年|上月|上季度?|上期|年初)[末底]?(?:同期|同月)?)?"
    "(?:净?增加?|增减|变动)(?:额|量|数)|(?:[比较](?:上月末?|上期|年初|上年[末底]|去年[末底]))?净增加?"
    "|[比较](?:上月末?|上期|年初|上年[末底]|去年[末底])(?:增加?|增减)"
)


def in_percent(name: str, unit: str) -> str:
    """The kind of figure that a name is only where its unit is %, "" where it is none."""
    return next((m for p, m in _IN_PERCENT if unit == "%" and re.fullmatch(p, name)), "")


@remember
def label(text: str) -> Facet:
    """Understand one label, given squeezed."""
    t = re.sub(r"[①-⑳*※]+$", "", text)
    if t in known("frequency"):
        return Facet(frequency=t[:1], role="frequency")
    if t in known("head"):
        return Facet((t,), role="head")
    bare = re.sub(r"^[((](.*)[))]$", r"\1", t)
    if unit := words.unit_of(bare, bare != t) or words.stated_unit(bare)[0]:
        return Facet(unit=unit, role="unit")
    name, unit = words.split_unit(t)
    if m := _COMPARED.fullmatch(name or t):
        # 2018年比2017年增长(%); a base other than the year before has no measure of its own
        span, usual = words.year_span(int(m[1])), int(m[3]) == int(m[1]) - 1
        measure = "yoy_pct" if usual and m[2] == "比" else "index"
        role, names = ("measure", ()) if usual else ("name", (t,))
        return Facet(names, span, None, "%", measure, role=role)
    return _worded(name or t, unit)


def _worded(name: str, unit: str) -> Facet:
    """A label of words: perhaps a period before or behind them, and a kind of figure alone or in a name."""
    span, rest = words.whole_period(name), ""
    if not span:
        span, rest = _without_period(name)
    measure = "index" if words.is_index_base(unit) else words.measure_of(rest)
    if measure in ("yoy_pct", "mom_pct") and unit not in ("", *words.PERCENTS):
        measure = ""  # 比上年增减(万元) is an amount, no rate
    percent = in_percent(rest, unit)
    if rest in known("mean") or unit not in words.PERCENTS and _CHANGE.fullmatch(rest):
        return Facet((name,), unit=unit, fault="summary_row", role="summary")
    relative = words.relative(rest)
    if relative or not rest:
        return Facet((), span, relative, unit, measure, role="period")
    if rest in known("value"):
        return Facet((), span, None, unit, measure, role="measure")
    if percent or measure not in ("", "index") and words.only_measure(rest):
        span = words.cumulated(span) if span and "累计" in rest else span
        placed = words.relative_in(rest) if not span and re.search("累计|^[本当]月", rest) else None
        placed = ("year", 0) if measure == "target" and "年" in rest else placed
        return Facet((), span, placed, unit, percent or measure, role="measure")
    named = (NUMBERING.sub("", rest),)
    return Facet(named, span, words.relative_in(rest), unit, measure, role="name")


def _without_period(name: str) -> tuple[Span | None, str]:
    """The period before or behind a name, or in brackets, and the name without it."""
    span, i, j = words.period_in(name) or (None, 0, 0)
    rest = words.without_period(name).strip("_-::、,的")
    outside = i == 0 or j == len(name) or name[i - 1] in "(("
    alone = not rest or rest in known("mean") or words.relative(rest) or words.only_measure(rest)
    return (span, rest) if span and (outside or alone) else (None, name)


@remember
def place_of(text: str, catalog: Catalog) -> Place | None:
    """The region that a label names, None where it does not look like a place."""
    t = squeeze(NUMBERING.sub("", squeeze(text)))
    t = re.sub(r"^(?:#|其中[::]?)|[①-⑳*※]+$", "", t)
    raw = re.sub(r"^(?:[#＃]|其中[::]?)\s*", "", words.without_gloss(text.strip()))
    if not t:
        return None
    match = catalog.match_region(words.simple(t))
    if match.kind != "unknown":
        return Place(match.id, raw, match.kind)
    kind = known("place").get(t) or ("total" if _ALL.fullmatch(t) else "")
    if kind:
        return Place("", raw, kind)
    if match.suggestion and _PLACE.match(t):
        return Place("", raw, "near", match.suggestion)
    if _PLACE.match(t) and not re.search(r"(?:数|量|额|率|值|积)", t):
        return Place("", raw, "other_region")
    return None


def valueish(v: object) -> bool:
    if isinstance(v, bool):
        return False
    if isinstance(v, int | float):
        return True
    return isinstance(v, str) and words.value_of(v).kind in ("number", "missing", "problem")


@remember
def doubtful(raw: str) -> bool:
    """What is a figure only where one must be (三十, 50个左右), or digits that are none and no period (35?, 30-40)."""
    if words.value_of(raw).kind != "context" or words.whole_period(squeeze(raw)):
        return False
    digits = re.fullmatch(r"[^\d\u4e00-\u9fff]{0,2}\d[^\u4e00-\u9fff]{0,14}", raw.strip())
    return bool(digits) or words.value_of(raw, figures=True).kind == "number"


# --- periods as cells -----------------------------------------------------------------------------------------------


def cell_span(v: object, serial: bool = False) -> Span | None:
    """The period that a header or stub cell names: text, a date, a year, 201806, and, among periods, a serial day."""
    if words.is_date(v):
        return month_span(month_no(v.year, v.month))
    if isinstance(v, bool) or is_empty(v):
        return None
    if span := words.whole_period(said(round(v, 4) if type(v) is float else v)):
        return span
    if serial and isinstance(v, int | float) and 29_000 <= v <= 55_000 and v == int(v):
        day = datetime.date(1899, 12, 30) + datetime.timedelta(days=int(v))
        return month_span(month_no(day.year, day.month), "serial")
    return None


Spans = list[Span | None]  # of a row or column of cells


def carry_years(spans: Spans, from_years: bool) -> Spans:
    """In 2017年11月, 12月, 1月 the later months have the year before them, or the next one after December.

    A whole year (2018年, then 1月, 2月) gives its year on only with `from_years`.
    """
    out, year, before = [], None, 0
    for s in spans:
        if s is not None and s.year:
            year = s.end // 12 if s.basis != "year" or from_years else None
            before = s.end % 12 if s.basis != "year" else 12
        elif s is not None and year is not None:
            month = s.end % 12
            year += (before == 11 and month < 3 and s.basis != "ytd") - (
                before == 0 and month == 11
            )
            s, before = shift(s, year), month
        out.append(s)
    return out


def shift(span: Span, year: int) -> Span:
    return span._replace(
        start=span.start % 12 + 12 * year, end=span.end % 12 + 12 * year, year=True
    )


def join_spans(a: Span | None, b: Span | None) -> Span | None:
    """A year over a month, or a month beside a year, make one span."""
    if a is None or b is None:
        return b or a
    if not b.year and a.year:
        return shift(b, a.end // 12)
    if not a.year and b.year:
        return shift(a, b.end // 12)
    return b
