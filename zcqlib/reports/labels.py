"""What one cell of a header or stub says: a name, a period, a place, a unit, a kind of figure.

Words alone are known in `words`; here they become labels, and a row of periods is settled by its neighbours.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeVar

from xlsxwriter.utility import xl_rowcol_to_cell

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import At, remember, written
from zcqlib.reports.words import Span, known, month_no, month_span, squeeze

T = TypeVar("T")
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
OF_WHICH = re.compile(r"^(?:#|其中:?|内(?::|$))+")
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


Facets = dict[int, Facet]  # of rows or columns


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
        return self.span[:3]

    @property
    def given(self) -> bool:
        """Whether there is a figure."""
        return self.value == self.value


_PROBLEMS = {
    key: (severity, message)
    for key, severity, message in (
        line.split(" ", 2)
        for line in """
orphan_cell warning 这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。
no_indicator error 文件里没有写明这是什么指标,请补上指标名称和单位。
period_ambiguous error 期间看不出是哪年哪月(如「2018.1」可能是1月或10月),请写成「2018年10月」的样子。
period_unsupported error 学年、财年、五年规划期等期间不支持,请按年、季、月报送。
no_year error 只写了月份,没有年份,请在表题或表头写明年份。
no_period error 没有写明是哪一期的数据,请在表题或表头写明年月。
no_month error 「本月」「累计」等字样没有对应的月份,请在表题写明年月。
summary_row info 这是平均值、增减额或一周的数,不是某一期的数据,没有采用,无需处理。
merged_value error 一个数字合并在几格里,看不出属于哪一个,请拆开分别填写。
row_too_long error 这一行有 {0} 栏,表头只有 {1} 栏,可能是千位分隔符把数字拆开了;整行没有采用,请去掉千位分隔符。
other_region info 「{raw}」不是本区的园区,作为其他地区保留,不计入合计。
park_unknown error 「{0.raw}」不是已知的园区名称,是否应为「{0.suggestion}」?请改正。
park_ambiguous error 「{0.raw}」可能是几个园区,请写出完整名称。
new_indicator warning 「{raw}」不在指标表里{0};数字按原名保留,请核对名称,或把它加进指标别名表。
no_unit warning 「{0}」没有写单位{2};请在表头或表题写明单位。
unit_unknown warning 「{0}」的单位「{1}」不认得,请改用常用单位,或把它加进单位换算表。
unit_conflict warning 「{0}」的单位「{1}」与表上或指标表的单位不同,已按「{1}」,请核对。
unit_conflict.cell warning 格内单位「{0}」与表头单位「{1}」不同,已按格内单位,请核对。
sign_unclear error 看不出是正是负,请用负号写明。{0}
not_a_number error 这一格应是一个确定的数字,请改正。{0}
word_in_number warning 这一格应是数字,「无」不能当作 0,已按未报处理,请补报。{0}
cell_error error 公式出错,请改正后重新报送。{0}
formula_without_value error 公式没有保存计算结果,请打开后重新计算并保存。{0}
bound warning 这里只写了范围,暂按所写的数采用,请改报准确数。
external_link info 这一格引用了别的文件,只采用已保存的数值。
hidden_sheet warning 工作表「{raw}」是隐藏的,有 {0} 个单元格,没有采用;需要采用请取消隐藏。
table_unread error 这张表没有读懂({0}),表中的数没有采用;请另附一份一行一个指标的表,或告知维护人员。
detail_list info 这是一份明细清单(共 {0} 行),{1};需要用于分析的请另报汇总表。
context_conflict warning 工作表名「{raw}」与表题的期间不一致,已按表题,请核对。
two_values error 「{0}」与工作表「{1}」{2}的数不同,请核对以哪个为准;确认之前都不采用。
two_values.rest error 「其他」出现不止一次,看不出各属于哪一项,请写明;确认之前不采用。
shown_differs error 这一格{0},看不出以哪个为准,暂不采用,请改成看到的就是实际的数。
shown_scaled info 显示的「{0}」与存的「{raw}」不同,已按显示的采用。
long_text info 这一格的文字超过 {0} 字,只读了前面的部分。
template_zeros warning {0} 还没有到,整列都是 0,疑为未填的模板,已按未报处理。
future_period warning {0} 晚于报告月份,请核对期间。
fraction_suspect error 「{0}」其他数都是百分数,这一格像是小数,请改正;确认之前不采用。
fraction_suspect.all warning 「{0}」的百分数都在 -1 到 1 之间,可能是按小数填写的,请核对;暂按百分数采用。
rate_is_amount error 「{0}」的增减正好等于 {1} 与 {2} 之差,是数额不是百分比,请改填百分比;确认之前不采用。
ytd_falls error 「{0}」累计数 {1},小于上一期 {2},请核对;确认之前不采用。
ytd_falls.little warning 「{0}」累计数 {1},小于上一期 {2},请核对是否修订。
total_mismatch warning 「{0}」{1} 为 {2};请核对合计和分项。
total_unchecked info {0}没有数字,「{1}」等 {2} 个合计没有核对。
""".strip().splitlines()
    )
}


@dataclass(slots=True, frozen=True)
class Found:
    """Everything that came of one sheet or table; `facts` and `outcome` by cell, a problem is code, severity,
    place (None, a cell, or a rectangle), raw text, message and number of cells."""

    facts: dict[At, Fact] = field(default_factory=dict)
    problems: list[tuple] = field(default_factory=list)
    outcome: dict[At, str] = field(default_factory=dict)
    tables: list[int] = field(default_factory=list)
    told: list[tuple] = field(
        default_factory=list
    )  # problems of one table or check, not yet put together

    def tell(
        self, key: str, at: tuple | None, raw: str, *said: object, severity: str = "", count=1
    ) -> None:
        """A problem of the list above: its code, a variant behind a dot, and what its message says of the case."""
        usual, message = _PROBLEMS[key]
        code, _, _ = key.partition(".")
        severity = severity or usual
        self.told.append((code, severity, at, raw, message.format(*said, raw=raw), count))
        if severity == "error" and at and len(at) == 2:
            self.outcome.setdefault(at, "problem")

    def hold(self, key: str, f: Fact, *said: object, severity: str = "") -> None:
        """Keep a fact out of use until someone has confirmed it, and say why."""
        self.facts[f.at] = f._replace(flags=tuple(dict.fromkeys((*f.flags, "held"))))
        self.tell(key, f.at, f.raw, *said, severity=severity)

    def mark(self, cells: Iterable[At], outcome: str) -> None:
        self.outcome.update(dict.fromkeys(cells, outcome))

    def add(self, table: Found) -> None:
        """Take over what one table gave."""
        self.facts.update(table.facts)
        self.outcome.update(table.outcome)
        table.settle(self.problems)

    def settle(self, problems: list[tuple]) -> None:
        """Add what was told to the problems: one for each code and severity."""
        groups = grouped(dict.fromkeys(self.told), lambda p: p if p[2] is None else p[:2])
        problems.extend(map(_one_row, groups.values()))


def grouped(things: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    """Things by what they share."""
    out = {}
    for thing in things:
        out.setdefault(key(thing), []).append(thing)
    return out


def _one_row(part: list[tuple]) -> tuple:
    """Several problems as one: the rectangle around them, one example, the number of cells, further examples named."""
    code, severity, _, raw, message, _ = part[0]
    if len(part) == 1:
        return part[0]
    count = sum(p[5] for p in part)
    others = [f"「{x}」" for x in dict.fromkeys(p[3] for p in part) if x != raw][:4]
    more = f"(共 {count} 处{',又如' * bool(others)}{'、'.join(others)})"
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
        or "region" * bool(_PLACE_HEAD.fullmatch(text))
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
        return str(v.date())
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
        return Facet(
            () if usual else (t,), span, None, "%", measure, role="measure" if usual else "name"
        )
    return _worded(name or t, unit)


def _worded(name: str, unit: str) -> Facet:
    """A label of words: perhaps a period before or behind them, and a kind of figure alone or in a name."""
    span = words.whole_period(name)
    span, rest = (span, "") if span else _without_period(name)
    measure = "index" if words.is_index_base(unit) else words.measure_of(rest)
    if measure in ("yoy_pct", "mom_pct") and unit not in ("", *words.PERCENTS):
        measure = ""  # 比上年增减(万元) is an amount, no rate
    if rest in known("mean") or unit not in words.PERCENTS and _CHANGE.fullmatch(rest):
        return Facet((name,), unit=unit, fault="summary_row", role="summary")
    percent = in_percent(rest, unit)
    says = Facet((), span, words.relative(rest), unit, percent or measure, role="period")
    if says.relative or not rest:
        return says
    if percent or measure not in ("", "index") and words.only_measure(rest):
        if "累计" in rest and span:
            says = says._replace(span=words.cumulated(span))
        elif not span and re.search("累计|^[本当]月", rest):
            says = says._replace(relative=words.relative_in(rest))
        elif measure == "target" and "年" in rest:
            says = says._replace(relative=("year", 0))
        return says._replace(role="measure")
    if rest in known("value"):
        return says._replace(role="measure")
    return says._replace(
        names=(NUMBERING.sub("", rest),), relative=words.relative_in(rest), role="name"
    )


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
    match, looks = catalog.match_region(words.simple(t)), _PLACE.match(t)
    kind = match.kind if match.kind != "unknown" else known("place").get(t)
    kind = kind or _ALL.fullmatch(t) and "total" or looks and match.suggestion and "near"
    if not kind and looks and not re.search("数|量|额|率|值|积", t):
        kind = "other_region"
    return Place(match.id, raw, kind, match.suggestion) if kind else None


def valueish(v: object) -> bool:
    if isinstance(v, int | float):
        return not isinstance(v, bool)
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
        day = datetime.date.fromordinal(int(v) + 693_594)  # days since 1899-12-30
        return month_span(month_no(day.year, day.month), "serial")
    return None


Spans = list[Span | None]  # of a row or column of cells


def shift(span: Span, year: int) -> Span:
    return span._replace(
        start=span.start % 12 + 12 * year, end=span.end % 12 + 12 * year, year=True
    )


def join_spans(a: Span | None, b: Span | None) -> Span | None:
    """A year over a month, or a month beside a year, make one span."""
    if a and b and a.year != b.year:
        return shift(b, a.end // 12) if a.year else shift(a, b.end // 12)
    return b or a


# --- units ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _units(catalog: Catalog) -> dict[str, tuple[str, Fraction, str, str]]:
    frame = catalog.unit_words
    factors = map(Fraction, frame["numerator"].astype(int), frame["denominator"].astype(int))
    known = zip(frame["normal"], factors, frame["kind"], frame["family"], strict=True)
    return dict(zip(map(squeeze, frame["word"]), known, strict=True))


@remember
def normal_unit(unit: str, catalog: Catalog) -> tuple[str, Fraction, str, str]:
    """Of a stated unit its normal one, the factor, the kind, and what it goes with."""
    units, unit = _units(catalog), squeeze(unit)
    rest = unit.lstrip("十百千万亿")
    if unit not in units and rest in units and units[rest][2] == "count":
        steps = (10 ** "个十百千万    亿".index(c) for c in unit[: -len(rest)])
        return rest, Fraction(math.prod(steps)), *units[rest][2:]
    return units.get(unit, (unit, Fraction(1), "", ""))
