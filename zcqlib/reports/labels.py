"""What one cell of a header or stub says: a name, a period, a place, a unit, a kind of figure.

Words alone are known in `words`; here they become labels, and a row of periods is settled by its neighbours.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.words import Span, squeeze

PERCENT_KINDS = {"yoy_pct", "mom_pct", "share_pct", "completion_pct"}
TOTALS = {"合计", "总计", "小计", "总数", "计"}
PROVINCES = (
    "北京天津河北山西内蒙古辽宁吉林黑龙江上海江苏浙江安徽福建江西山东河南湖北湖南广东广西海南重庆四川贵州云南西藏陕西甘肃青海"
    "宁夏新疆香港澳门台湾"
)
_PROVINCE = re.compile(
    "北京|天津|河北|山西|内蒙古|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|重庆|四川|贵州|云南"
    "|西藏|陕西|甘肃|青海|宁夏|新疆|香港|澳门|台湾"
)
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{1,14}(?:省|市|区|县|旗|州|盟|地区|示范区|开发区|新区|园区|园|街道|镇|乡|管委会)$"
)
WIDE = {
    "全国",
    "全省",
    "全市",
    "全区",
    "全县",
    "全州",
    "全盟",
    "总计",
    "合计",
    "小计",
    "总数",
    "一区四园",
    "自创区",
    "中国",
    "全国平均",
    "全省平均",
    "全国总计",
    "全省总计",
    "全市总计",
    "全区总计",
    "全县总计",
    "全国合计",
    "全省合计",
    "全市合计",
    "全区合计",
    "全县合计",
    "地区合计",
    "全市平均",
}
REST = {"其他", "其它", "市直", "省直", "市本级", "其他地区", "不分地区"}
HEADS = {
    "指标": "name",
    "指标名称": "name",
    "项目": "name",
    "名称": "name",
    "指标项": "name",
    "类别": "name",
    "内容": "name",
    "地区": "region",
    "园区": "region",
    "区域": "region",
    "单位名称": "region",
    "各园区": "region",
    "县区": "region",
    "地区名称": "region",
    "区县": "region",
    "城市": "region",
    "省份": "region",
    "市州": "region",
    "园区名称": "region",
    "序号": "serial",
    "编号": "serial",
    "代码": "serial",
    "行次": "serial",
    "行号": "serial",
    "计量单位": "unit",
    "单位": "unit",
    "频度": "frequency",
    "频率": "frequency",
    "年份": "period",
    "月份": "period",
    "时间": "period",
    "年度": "period",
    "日期": "period",
    "统计期": "period",
    "年月": "period",
    "备注": "note",
    "说明": "note",
    "责任单位": "note",
    "牵头单位": "note",
    "联系人": "note",
    "联系电话": "note",
    "填报人": "note",
    "更新时间": "note",
    "指标ID": "note",
    "指标编码": "note",
    "指标代码": "note",
    "来源": "note",
    "数据来源": "note",
    "时间区间": "note",
    "省市": "region",
    "市县": "region",
    "市别": "region",
    "地市": "region",
    "设区市": "region",
    "县市区": "region",
    "县(市)区": "region",
    "县(市、区)": "region",
    "省(区、市)": "region",
    "行政区划": "region",
    "乡镇": "region",
    "行政区划代码": "serial",
    "区划代码": "serial",
    "地区代码": "serial",
    "地区编码": "serial",
    "编码": "serial",
    "行业": "name",
    "行业名称": "name",
    "产品名称": "name",
    "企业名称": "name",
    "主要指标": "name",
    "指标及单位": "name",
    "手机": "note",
    "手机号": "note",
    "手机号码": "note",
    "电话": "note",
    "电话号码": "note",
    "联系方式": "note",
    "邮箱": "note",
    "电子邮箱": "note",
    "身份证号": "note",
    "身份证号码": "note",
    "姓名": "note",
    "法人": "note",
    "法人代表": "note",
    "法定代表人": "note",
    "负责人": "note",
    "填表人": "note",
    "审核人": "note",
    "经办人": "note",
    "地址": "note",
    "注册地址": "note",
    "邮编": "note",
    "邮政编码": "note",
    "统一社会信用代码": "note",
    "组织机构代码": "note",
    "year": "period",
    "month": "period",
    "date": "period",
    "time": "period",
    "province": "region",
    "city": "region",
    "region": "region",
    "unit": "unit",
    "code": "serial",
}
_PLACE_HEAD = re.compile(
    r"(?:各|所属|所在)?(?:省辖|地级|街道|[地县市区省州盟镇乡园城])[区市县州域]{0,2}(?:别|名称?)?"
)
NEUTRAL = {
    "数值",
    "值",
    "数据",
    "绝对量",
    "绝对数",
    "绝对值",
    "总量",
    "总量指标",
    "实绩",
    "完成数",
    "完成值",
    "完成情况",
    "指标值",
    "实际完成",
    "实际数",
    "value",
}
NOTE = re.compile(
    r"(?:[(【]?(?:注|备注|说明|附注|注释)(?:\d*[::.、]|[)】]|$)|注\d|(?:数据|资料)?来源[::]|填表人|制表人|填报人|制表[::]|审核人?[::]"
    r"|单位负责人|统计负责人|负责人[::]|联系人|联系电话|电话[::]|填报日期|报出日期|制表日期|打印日期|复核|\*[^\d]|※)"
)
CONTACT = re.compile(
    r"(?:单位|统计)?(?:负责人|填表人|填报人|制表人|审核人|经办人|联系人|联系电话|电话|手机|手机号码?|传真|联系方式)$|"
    r"[(【]?(?:注|备注|说明|附注|注释)\d*[::]|(?:数据|资料)?来源[::]|(?:填表|制表|填报|联系|审核|复核)人?[::]|(?:联系)?电话[::]"
    r"|(?:单位|统计)?负责人[::]|(?:填报|报出|制表|打印)(?:日期|时间)[::]"
)
META = re.compile(
    r"(数据库|指标|地区|时间|单位|计量单位|园区|区域|填报单位|报送单位|单位名称|频度|填报时间|报告期|统计期|表号|制[表定]机关|批准机关|批准文号|文号|备案文号"
    r"|有效期至?|统一社会信用代码|组织机构代码)(?:\(盖?章?\))?[::](.*)"
)
NUMBERING = re.compile(
    r"^(?:[(（]?[0-9一二三四五六七八九十]{1,3}[)）、.．]+|[①-⑳]|[#*※•·]+)(?=[^\d])"
)
OF_WHICH = re.compile(r"^(?:#|其中[::]?|内[::]|其中:?#)")
TITLE_NOISE = re.compile(
    r"^(?:附?表[\d一二三四五六七八九十]*[-.]?\d*|续表\d*|\d+[-.]\d+)|\(演示数据\)|[((][^()()]*[))]|各(?:园区|区县|县区|地区|县市区|市州|市县|区|市|县)|分(?:园区|地区|月|县区)"
    r"|(?:主要|基本)?(?:情况|统计|汇总|一览|月报|报|明细|数据|指标|完成)*(?:表|情况)$|按\w+分|按地区|累计|当月|单位[::]\S+"
)
ABOUT = {
    "更新时间",
    "开始时间",
    "结束时间",
    "起始时间",
    "截止时间",
    "来源",
    "数据来源",
    "注释",
    "口径",
    "指标解释",
    "指标说明",
    "计算方法",
    "地区编码",
    "指标编码",
    "指标代码",
    "频度",
    "频率",
    "更新频率",
}
ABOUT_TOO = {
    "指标名称",
    "指标",
    "名称",
    "单位",
    "计量单位",
    "地区名称",
    "地区",
    "序号",
    "编号",
    "编码",
    "代码",
    "备注",
    "说明",
    "表名",
    "表号",
    "页码",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known before a sheet is read: report month (0 unknown), names of file and sheet, the catalog."""

    file: str
    catalog: Catalog | None
    published: int
    file_span: Span | None
    sender_region: str
    region_names: tuple[tuple[str, str], ...] = ()  # name and id of our own places, longest first
    factors: dict[str, tuple[str, int, int]] = field(
        default_factory=dict
    )  # unit word: normal unit, numerator, denominator
    normals: dict[str, tuple[str, object]] = field(default_factory=dict)  # units already looked up


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


@dataclass(slots=True, frozen=True)
class Found:
    """Everything that came of one sheet; `outcome` maps a cell to its outcome."""

    facts: list[Fact] = field(default_factory=list)
    problems: list[tuple[str, str, tuple[int, int] | None, str, str]] = field(default_factory=list)
    outcome: dict[tuple[int, int], str] = field(default_factory=dict)
    tables: list[int] = field(default_factory=list)

    def problem(
        self, code: str, severity: str, at: tuple[int, int] | None, raw: str, message: str
    ) -> None:
        self.problems.append((code, severity, at, raw, message))
        if severity == "error" and at is not None:
            self.outcome[at] = "problem"


# --- labels ---------------------------------------------------------------------------------------------------------


def head_of(text: str) -> str:
    """The role of a column that a squeezed head names: name, region, serial, unit, frequency, period, note, or ""."""
    return (
        HEADS.get(text)
        or HEADS.get(text.casefold(), "")
        or ("region" if _PLACE_HEAD.fullmatch(text) else "")
    )


def is_empty(v: object) -> bool:
    return v is None or isinstance(v, str) and not v.strip()


def filled(row: list) -> list[int]:
    """The columns of a row that hold something."""
    return [c for c, v in enumerate(row) if type(v) is float or not is_empty(v)]


def text_of(v: object) -> str:
    if isinstance(v, float) and v.is_integer() and abs(v) < 1e15:
        return str(int(v))
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d")
    return str(v) if v is not None else ""


@lru_cache(maxsize=65536)
def label(text: str) -> Label:
    """Understand one label, given squeezed."""
    t = re.sub(r"[①-⑳*※]+$", "", text)
    if head := HEADS.get(t, ""):
        return Label("head", head=head, name=t)
    bare = re.sub(r"^[((](.*)[))]$", r"\1", t)
    if (
        words.is_unit(bare)
        or re.fullmatch(r"(?:计量)?单位[::].+", bare)
        and words.stated_unit(bare)
    ):
        return Label("unit", unit=words.stated_unit(bare) or bare)
    if t in ("月", "季", "年", "月度", "季度", "年度数据"):
        return Label("frequency", head=t[0])
    name, unit = words.split_unit(t)
    name = name or t
    if span := words.whole_period(name):
        return Label("period", span=span, unit=unit)
    if m := re.fullmatch(
        r"((?:19|20)\d\d)年?(为|比)((?:19|20)\d\d)年?(?:增长|增减|的)?(?:\(?±?%\)?)?", t
    ):
        year = int(
            m[1]
        )  # 2018年比2017年增长(%); a base other than the year before has no measure of its own
        span = Span(words.month_no(year, 1), words.month_no(year, 12), "year")
        near = int(m[3]) == year - 1
        return Label(
            "measure" if near else "name",
            name="" if near else t,
            span=span,
            unit="%",
            measure=("index" if m[2] == "为" else "yoy_pct") if near else "index",
        )
    if "100" in unit and words.is_index_base(unit):
        kept = "" if name in NEUTRAL else name
        return Label(
            "name",
            name=NUMBERING.sub("", kept),
            unit=unit,
            measure="index",
            relative=("ytd", 0) if name.startswith("累计") else None,
        )
    if unit == "%" and re.fullmatch(r"完成(?:年度|全年|年)?(?:目标|任务|计划)", name):
        return Label("measure", measure="completion_pct", unit=unit)
    if unit == "%" and re.fullmatch(
        r"(?:增减|增长|升降|变动|变化|增幅|涨跌)(?:率|幅度?|情况)?", name
    ):
        return Label("measure", measure="yoy_pct", unit=unit)
    if name in NEUTRAL:
        return Label("measure", measure="", unit=unit)
    if name in words.RELATIVE:
        return Label("relative", relative=words.RELATIVE[name], unit=unit)
    changed = bool(unit) and unit not in (
        "%",
        "‰",
        "pp",
        "百分点",
        "个百分点",
    )  # 比上年增减(万元) is an amount, no rate
    if words.only_measure(name) and not (
        changed and words.measure_of(name) in ("yoy_pct", "mom_pct")
    ):
        relative = (
            ("ytd", 0) if "累计" in name else ("month", 0) if re.match(r"本月|当月", name) else None
        )
        return Label("measure", measure=words.measure_of(name), relative=relative, unit=unit)
    span = None
    if found := words.period_in(name):
        span, i, j = found
        rest = re.sub(r"[((]\s*[))]", "", name[:i] + name[j:]).strip("_-::、,")
        if rest in words.RELATIVE or not rest:
            return Label("period", span=span, relative=words.RELATIVE.get(rest), unit=unit)
        if words.only_measure(rest):
            span = (
                replace(span, start=span.end - span.end % 12, basis="ytd")
                if "累计" in rest
                else span
            )
            return Label("measure", span=span, measure=words.measure_of(rest), unit=unit)
        if i == 0 or j == len(name) or name[i - 1 : i] in "((":
            name = rest
        else:
            span = None
    relative = None
    if m := re.search(r"累计|当季|当期|本季|当月|本月|上年同期|月末|期末|年末", name):
        relative = {
            "累计": ("ytd", 0),
            "当季": ("quarter", 0),
            "本季": ("quarter", 0),
            "当期": ("current", 0),
            "当月": ("month", 0),
            "本月": ("month", 0),
            "上年同期": ("same", 12),
            "月末": ("eop", 0),
            "期末": ("eop", 0),
            "年末": ("eop", 0),
        }[m[0]]
    measure = words.measure_of(name)
    measure = "" if changed and measure in ("yoy_pct", "mom_pct") else measure
    return Label(
        "name",
        name=NUMBERING.sub("", name),
        span=span,
        relative=relative,
        unit=unit,
        measure=measure,
    )


@lru_cache(maxsize=65536)
def place_of(text: str, catalog: Catalog | None) -> Place | None:
    """The region that a label names, None where it does not look like a place."""
    t = squeeze(NUMBERING.sub("", squeeze(text)))
    t = re.sub(r"^(?:#|其中[::]?)|[①-⑳*※]+$", "", t)
    raw = re.sub(r"^(?:[#＃]|其中[::]?)\s*", "", words.without_gloss(text.strip()))
    if not t:
        return None
    if catalog is not None:
        match = catalog.match_region(t)
        if match.kind != "unknown":
            return Place(match.id, raw, match.kind)
        if t not in WIDE | REST and match.suggestion and _PLACE.match(t):
            return Place("", raw, "near", match.suggestion)
    if t in WIDE or re.fullmatch(
        r"(?:全?[国省市区县州盟旗]|地区|全部|各[市县区]|[东中西]部)?(?:总计|合计|总数|小计)", t
    ):
        return Place("", raw, "total")
    if t in REST:
        return Place("", raw, "remainder")
    if (
        _PROVINCE.match(t)
        and len(t) <= 10
        or _PLACE.match(t)
        and not re.search(r"(?:数|量|额|率|值|积)", t)
    ):
        return Place("", raw, "other_region")
    return None


def valueish(v: object) -> bool:
    if isinstance(v, bool):
        return False
    if isinstance(v, int | float):
        return True
    return isinstance(v, str) and words.value_of(v).kind in ("number", "missing", "problem")


def doubtful(raw: str) -> bool:
    """Digits that are neither a figure nor a period, such as 35? or 30-40."""
    return (
        bool(re.fullmatch(r"[^\d\u4e00-\u9fff]{0,2}\d[^\u4e00-\u9fff]{0,14}", raw.strip()))
        and words.value_of(raw).kind == "context"
        and words.whole_period(squeeze(raw)) is None
    )


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


def settle_octobers(
    cells: list[object], spans: list[Span | None]
) -> tuple[list[Span | None], list[int]]:
    """2018.1 among 2018.09 and 2018.11 is October; twice, the first is January. Returns spans and undecided places."""
    loose = [
        i
        for i, c in enumerate(cells)
        if re.fullmatch(r"(?:19|20)\d\d\.1", squeeze(text_of(c)))
        or isinstance(c, float)
        and round(c % 1, 4) == 0.1
        and 1900 < c < 2101
    ]
    out, undecided = list(spans), []
    for i in loose:
        year = out[i].start // 12
        months = {
            s.end % 12 + 1
            for j, s in enumerate(out)
            if s and j not in loose and s.basis == "month" and s.end // 12 == year
        }
        same = [j for j in loose if out[j].start // 12 == year]
        descending = _descending([s for j, s in enumerate(out) if s and j not in loose])
        if len(same) == 2:
            january = (same[1] if descending else same[0]) == i
        elif months & {9, 11} and 2 not in months or 9 in months and 1 in months:
            january = False
        elif 2 in months and 9 not in months:
            january = True
        elif {2, 9} <= months:
            position = [
                j for j, s in enumerate(out) if s and j not in loose and s.end // 12 == year
            ]
            before = [out[j].end % 12 + 1 for j in position if j < i]
            january = (not before) != descending
        else:
            undecided.append(i)
            continue
        no = words.month_no(year, 1 if january else 10)
        out[i] = Span(no, no, "month")
    return out, undecided


def carry_years(spans: list[Span | None], from_years: bool) -> list[Span | None]:
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


def _descending(spans: list[Span]) -> bool:
    return len(spans) > 1 and spans[0].end > spans[-1].end


def shift(span: Span, year: int) -> Span:
    return replace(
        span, start=span.start % 12 + 12 * year, end=span.end % 12 + 12 * year, year=True
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
