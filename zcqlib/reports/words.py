"""What a label says besides its name: period, unit, kind of figure, place; and what a cell's text is worth.

Everything works on text in half-width form without spaces (`squeeze`). Months are counted from year 0, so that spans
can be compared without building period objects.
"""

from __future__ import annotations

import calendar
import datetime
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

# --- plain text -----------------------------------------------------------------------------------------------------

_DIGITS = dict(zip("〇零一二三四五六七八九", "00123456789", strict=True))
_CHINESE = re.compile("[\u4e00-\u9fff]")
_GLOSS = re.compile(
    r"(?:(?<=\s)[A-Za-z&./-]+\s+)*(?:[A-Z][A-Za-z]*[a-z]{2}|(?<=\s)[a-z]{3})|\n\s*#?\s*(?=[A-Z])"
)


@lru_cache(maxsize=8192)
def without_gloss(text: str) -> str:
    """A Chinese label without the English that follows it, as yearbooks print it: 「郑 州 市 Zhengzhou」 is 郑 州 市."""
    last = next((i for i in range(len(text) - 1, -1, -1) if "\u4e00" <= text[i] <= "\u9fff"), -1)
    if last < 0 or not (m := _GLOSS.search(text, last + 1)):
        return text
    kept = text[: m.start()].rstrip(" \u3000\t\n#,/-")
    if unclosed := max(kept.rfind("(") - kept.rfind(")"), kept.rfind("（") - kept.rfind("）"), 0):
        opening = max(kept.rfind("("), kept.rfind("（"))
        return kept[:opening].rstrip() if unclosed and opening > last else text
    return kept


def is_gloss(text: str) -> bool:
    """Whether a label is English only, such as the Item column beside 指标."""
    return (
        not _CHINESE.search(text)
        and bool(re.search(r"[A-Za-z]*[a-z]{2}[a-z]*", text))
        and bool(re.search(r"[A-Za-z]{3}", text))
        and not is_unit(re.sub(r"\s+", "", text).strip("()"))
    )


_BARE = re.compile("[0-9\u4e00-\u9fff]+")


@lru_cache(maxsize=65536)
def squeeze(text: str) -> str:
    """Half-width, without spaces, invisible characters and English gloss; years and months in Chinese figures become
    digits."""
    if _BARE.fullmatch(text) and "年" not in text and "月" not in text:
        return text
    text = re.sub(
        r"^[\u2460-\u2473]+|[\u2460-\u2473]+$|(?<=[\u4e00-\u9fff])[\u00b9\u00b2\u00b3\u2070-\u2079]+$",
        "",
        without_gloss(text.strip()),
    )  # marks of footnotes, before they become digits
    text = re.sub(r"[\s\u200b-\u200d\ufeff\u00ad\u2060]+", "", unicodedata.normalize("NFKC", text))
    text = re.sub(
        r"[〇零一二三四五六七八九]{4}(?=年)", lambda m: "".join(_DIGITS[c] for c in m[0]), text
    )
    return re.sub(
        r"(?:(?<=年)|^)(十[一二]?|[一二三四五六七八九])(?=月)", lambda m: str(_small(m[1])), text
    )


def _small(word: str) -> int:
    return 10 + int(_DIGITS.get(word[1:], 0)) if word[0] == "十" else int(_DIGITS[word])


# --- periods --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """Months from `start` to `end` (year * 12 + month - 1); `year` False: the year is still to be found."""

    start: int
    end: int
    basis: str
    flags: tuple[str, ...] = ()
    year: bool = True


def month_no(year: int, month: int) -> int:
    return year * 12 + month - 1


_YEAR = r"(?:(?P<y>(?:19|20)\d{2})|(?P<yy>\d{2}))年"
_DASH = r"(?:[-—–―~∼~至到─]|--)"
_QUARTER = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_LEAD = r"(?:截至|截止|至|到|截至到)?"
_PATTERNS = [
    (re.compile(p), k)
    for p, k in [
        (
            rf"(?:自|从)?{_YEAR}(?P<a>\d{{1,2}})月(?P<a1>\d{{1,2}})[日号]{_DASH}(?:(?P=y)年)?(?P<b>\d{{1,2}})月(?P<d>\d{{1,2}})[日号]",
            "range",
        ),
        (
            rf"{_LEAD}(?:{_YEAR})?(?P<a>\d{{1,2}})月?{_DASH}(?P<b>\d{{1,2}})月(?:份)?(?P<cum>累计)?",
            "range",
        ),
        (rf"{_LEAD}(?:{_YEAR})?(?P<m>\d{{1,2}})月(?P<d>\d{{1,2}})[日号]", "day"),
        (rf"{_LEAD}(?:{_YEAR})?(?P<m>\d{{1,2}})月份?(?P<eop>末|底)", "eop"),
        (r"(?P<y>(?:19|20)\d{2})[-./年](?P<m>\d{1,2})[-./月](?P<d>\d{1,2})日?", "day"),
        (rf"(?P<till>截至|截止|至|到)?{_YEAR}(?P<m>\d{{1,2}})月(?:份)?", "month"),
        (r"(?P<y>(?:19|20)\d{2})[-/.](?P<m>\d{1,2})", "month"),
        (r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])", "month"),
        (
            rf"(?:(?P<y>(?:19|20)\d{{2}})年?|{_YEAR.replace('<y>', '<y2>')})?第?(?P<q>[一二三四1-4])季度",
            "quarter",
        ),
        (r"(?P<y>(?:19|20)\d{2})年?Q(?P<q>[1-4])", "quarter"),
        (rf"(?:{_YEAR})?(?P<w>上半年|前三季度|前3季度|前两季度|前二季度|全年)", "part"),
        (rf"(?:{_YEAR})?下半年", "second_half"),
        (rf"{_YEAR}(?:末|底|度|全年)?", "year"),
        (r"(?P<y>(?:19|20)\d{2})", "year"),
        (rf"{_LEAD}(?P<m>\d{{1,2}})月(?:份)?", "month"),
    ]
]
_UNSUPPORTED = re.compile(
    r"[\"“]?十[一二三四五]五[\"”]?(?:时期|期间)?(?:末|累计)?|(?:19|20)\d{2}(?:[-/—–~至](?:19|20)?\d{2})?(?:学年|财年)度?(?:第[一二]学期)?"
    r"|(?:19|20)\d{2}年?[-/—–~至](?:19|20)?\d{2}(?:年度?)?"
)
PARTS = {"上半年": 6, "前三季度": 9, "前3季度": 9, "前两季度": 6, "前二季度": 6, "全年": 12}


def _span(m: re.Match, kind: str) -> Span | None:
    g = m.groupdict()
    flags = ("short_year",) if g.get("yy") else ()
    y = g.get("y") or g.get("y2") or (f"20{g['yy']}" if g.get("yy") else None)
    year, known = (int(y), True) if y else (0, False)
    if kind == "range":
        a, b = int(g["a"]), int(g["b"])
        if not 1 <= a < b <= 12:
            return None
        return Span(
            month_no(year, a), month_no(year, b), "ytd" if a == 1 else "range", flags, known
        )
    if kind in ("day", "eop", "month"):
        month = int(g["m"])
        if not 1 <= month <= 12:
            return None
        no = month_no(year, month)
        if kind == "day":
            if not 1 <= int(g["d"]) <= 31:
                return None
            last = calendar.monthrange(year or 2018, month)[1]
            if re.match(r"\d{4}[-./]", m[0]):
                return Span(
                    no, no, "month", flags, known
                )  # a date of a series stands for its month
            return Span(
                no, no, "eop", flags + (() if int(g["d"]) >= last else ("not_month_end",)), known
            )
        return Span(no, no, "eop" if kind == "eop" else "month", flags, known)
    if kind == "quarter":
        q = _QUARTER[g["q"]]
        return Span(month_no(year, 3 * q - 2), month_no(year, 3 * q), "quarter", flags, known)
    if kind == "part":
        return Span(month_no(year, 1), month_no(year, PARTS[g["w"]]), "ytd", flags, known)
    if kind == "second_half":
        return Span(month_no(year, 7), month_no(year, 12), "range", flags, known)
    return Span(month_no(year, 1), month_no(year, 12), "year", flags, known)


_DATED = re.compile(r"[年月季]|(?:19|20)\d\d")  # every pattern of a period has one of these


@lru_cache(maxsize=65536)
def whole_period(text: str) -> Span | None:
    """The span that a label names when it is nothing but a period (with 累计 or a bracket around it)."""
    if not _DATED.search(text):
        return None
    bare = re.sub(r"^[(【\[]|[)】\]]$", "", text)
    bare = re.sub(r"(?:累计|合计|当月|当季|数据|实际|完成)(?:值|数)?$", "", bare) or bare
    for pattern, kind in _PATTERNS:
        if m := pattern.fullmatch(bare):
            span = _span(m, kind)
            if span is not None:
                if "累计" in text and span.basis in ("month", "quarter"):
                    span = replace(span, start=span.end - span.end % 12, basis="ytd")
                return span
    return None


@lru_cache(maxsize=65536)
def period_in(text: str) -> tuple[Span, int, int] | None:
    """The first period inside a longer text, with its place; a bare number is none."""
    best = None
    for pattern, kind in _PATTERNS if _DATED.search(text) else ():
        for m in pattern.finditer(text):
            if m[0].isdigit() and (
                text[m.start() - 1 : m.start()].isdigit()
                or text[m.end() : m.end() + 1].isdigit()
                or not _bounded(text, m)
            ):
                continue
            span = _span(m, kind)
            if span is None:
                continue
            key = (m.start(), -(m.end() - m.start()))
            if best is None or key < best[0]:
                best = (key, span, m.start(), m.end())
            break
    return best[1:] if best else None


def _bounded(text: str, m: re.Match) -> bool:
    return (
        bool(re.search(r"[(【]$", text[: m.start()]) and re.match(r"[)】~至年-]", text[m.end() :]))
        or len(m[0]) == 6
    )


def unsupported_period(text: str) -> bool:
    return bool(_UNSUPPORTED.fullmatch(text)) and whole_period(text) is None


# words that place a figure relative to the report month: basis, months back, flags
RELATIVE = {
    "本月": ("month", 0),
    "当月": ("month", 0),
    "本期": ("month", 0),
    "本月数": ("month", 0),
    "当月数": ("month", 0),
    "本月完成": ("month", 0),
    "当期": ("month", 0),
    "当月完成": ("month", 0),
    "本月实绩": ("month", 0),
    "当月值": ("month", 0),
    "本月止累计": ("ytd", 0),
    "本年累计": ("ytd", 0),
    "累计": ("ytd", 0),
    "自年初累计": ("ytd", 0),
    "累计数": ("ytd", 0),
    "年初累计": ("ytd", 0),
    "本年累计数": ("ytd", 0),
    "累计完成": ("ytd", 0),
    "本月累计": ("ytd", 0),
    "本年": ("ytd", 0),
    "本年止累计": ("ytd", 0),
    "当年累计": ("ytd", 0),
    "今年累计": ("ytd", 0),
    "年累计": ("ytd", 0),
    "累计值": ("ytd", 0),
    "本年累计完成": ("ytd", 0),
    "1月至本月累计": ("ytd", 0),
    "1-本月累计": ("ytd", 0),
    "1-本月": ("ytd", 0),
    "1至本月": ("ytd", 0),
    "1至本月累计": ("ytd", 0),
    "1-本月止累计": ("ytd", 0),
    "本月止": ("ytd", 0),
    "年初至本月": ("ytd", 0),
    "年初至本月累计": ("ytd", 0),
    "本季": ("quarter", 0),
    "上年同期": ("same", 12),
    "去年同期": ("same", 12),
    "上年同期数": ("same", 12),
    "同期": ("same", 12),
    "上年同期累计": ("ytd", 12),
    "去年同期累计": ("ytd", 12),
    "上年累计": ("ytd", 12),
    "同期累计": ("ytd", 12),
    "上年同月": ("month", 12),
    "去年同月": ("month", 12),
    "上月": ("month", 1),
    "上月数": ("month", 1),
    "期末": ("eop", 0),
    "月末": ("eop", 0),
    "本月末": ("eop", 0),
    "期末数": ("eop", 0),
    "月末数": ("eop", 0),
    "上月末": ("eop", 1),
    "上年同期末": ("eop", 12),
    "上年末": ("eop_year", 12),
    "上年期末": ("eop_year", 12),
}

# --- kinds of figures -----------------------------------------------------------------------------------------------

_MEASURES = [
    (
        re.compile(
            r"(?:完成率|完成比例|完成百分比|完成(?:年度)?(?:目标|任务|计划)的?(?:%|比例|百分比)|(?:目标|任务|计划)完成率|完成进度)"
        ),
        "completion_pct",
    ),
    (re.compile(r"^(?:年度|全年|本年|年)?(?:目标|任务|计划)(?:值|数|任务)?$"), "target"),
    (re.compile(r"^(?:全市|全省|本月|累计|增速|总量)?(?:位次|排名|名次|排位)$"), "rank"),
    (re.compile(r"环比(?!.*同比)"), "mom_pct"),
    (re.compile(r"指数"), "index"),
    (
        re.compile(
            r"同比|比(?:上年|去年)(?:同期|同月)?(?:增长|增减|增加|±)?|增长(?:率|速度|%)?(?:\(.*\))?$|增速|增幅|±%|(?:同期|累计)增长"
        ),
        "yoy_pct",
    ),
    (re.compile(r"^(?:占比|比重|所占比重|占总量比重|份额|占全市比重|占合计比重)$"), "share_pct"),
]
_ONLY_MEASURE = re.compile(
    r"^(?:本月|当月|累计|本年累计|本年|较|与)?(?:同比|环比)?(?:(?:比|较)?(?:上年|去年)(?:同期|同月)?)?(?:实际|名义)?"
    r"(?:增长|增速|增幅|增减|增长率|增减率|增长速度|±|增加|涨跌|涨幅|跌幅|变动)?(?:率|幅度?)?(?:%|\(%\)|±%|\(±%\)|百分点)?$"
)


@lru_cache(maxsize=65536)
def measure_of(text: str) -> str:
    """The kind of figure that a label names, "" where it names none."""
    bare = re.sub(r"[(].*?[)]", "", text)
    for pattern, measure in _MEASURES:
        if pattern.search(bare) or (
            measure == "index" and re.search(r"(?:同期|同月|上月|上年)=100", text)
        ):
            if measure == "index" and not re.search(r"=100", text) and not bare.endswith("指数"):
                continue
            return measure
    return ""


def only_measure(text: str) -> bool:
    """Whether a label is nothing but a kind of figure, such as 同比增长 or 完成率."""
    bare = re.sub(r"[(]%[)]$|%$", "", text)
    if measure_of(bare) in ("completion_pct", "target", "rank", "share_pct"):
        return bool(
            re.fullmatch(
                r"(?:本月|累计|本年|年度|全年|年)?(?:完成|目标|任务|计划|全市|全省|增速|总量|所)?(?:目标|任务|计划|年度)?的?"
                r"(?:完成)?(?:率|比例|百分比|进度|目标|任务|计划|值|数|位次|排名|名次|排位|占比|比重|份额|占合计比重"
                r"|占总量比重|占全市比重)*",
                bare,
            )
        )
    return bool(bare) and bool(_ONLY_MEASURE.match(bare)) and measure_of(bare) != ""


# --- units ----------------------------------------------------------------------------------------------------------

_WORDS = """元 美元 欧元 港元 日元 英镑 家 个 户 件 项 人次 人年 人月 人·年 人 名 次 份 条 起 家次 所 座 台套 台 套 辆 辆次 批次 批 张 册 本 篇 部 只 头 匹 羽
    株 位 支 枚 处 例 宗 对 双 幅 瓶 盒 门 线 路 班次 车次 场 场次 课时 学时 箱 标箱 标准箱 TEU 艘 架 架次 幢 栋 间 套间 床 张床 床位 个百分点 百分点 个园区
    平方米 平方公里 平米 ㎡ m2 m² km2 km² 公顷 亩 公里 千米 米 厘米 毫米 mm 立方米 m3 m³ 标准立方米 吨标准煤 吨标煤 tce 吨公里 人公里 吨 千克 公斤 克 升 千升
    重量箱 千瓦时 千瓦小时 kWh kwh 千瓦 千伏安 兆瓦 MW 度 焦 千焦 卡 千卡 天 日 小时 分钟 秒 岁 年 倍 % ‰ pp 点 分 ℃ 摄氏度 kg km 微克/立方米 毫克/立方米 毫克/升
    分贝 百帕 比特 字节 TB GB 户籍人 标台 平方英尺 桶 盎司 克拉 码 锭 纱锭 枚次 亿标准立方米 美元/桶"""
_BASE = "(?:" + "|".join(map(re.escape, sorted(_WORDS.split(), key=lambda w: (-len(w), w)))) + ")"
_UNIT = re.compile(
    rf"(?:1?0{{0,4}})[十百千万亿]{{0,3}}{_BASE}(?:[/·](?:1?0{{0,4}})[十百千万亿]{{0,3}}"
    rf"(?:{_BASE}|月|企业|平方公里|百户|百人|万人)){{0,2}}"
)
_INDEX_BASE = re.compile(
    r"(?:以?(?:上年|上月|去年|基期|上期|上季|(?:19|20)\d\d年|去年同[期月]).{0,6}(?:=|为)100)"
)
_PAIRS = re.compile(r"[、,,;;]|和|及")


@lru_cache(maxsize=65536)
def is_unit(text: str) -> bool:
    """Whether a bare text is a unit, such as 万元 or 人/平方公里."""
    return bool(_UNIT.fullmatch(text) or _INDEX_BASE.fullmatch(text)) and text not in (
        "年",
        "日",
        "分",
    )


def is_index_base(text: str) -> bool:
    """Whether a unit says against what an index stands, such as 上年同月=100."""
    return bool(_INDEX_BASE.fullmatch(text))


@lru_cache(maxsize=8192)
def split_unit(text: str) -> tuple[str, str]:
    """A label without its unit, and the unit: in brackets at the end, or after a slash or comma."""
    for m in reversed(list(re.finditer(r"[(\[【]([^()\[\]【】]*)[)\]】]", text))):
        inner = re.sub(r"^(?:计量)?单位[::]?", "", m[1])
        if is_unit(inner):
            return text[: m.start()] + text[m.end() :], inner
        if _PAIRS.search(inner) and all(is_unit(p) for p in _PAIRS.split(inner)):
            return text[: m.start()] + text[m.end() :], inner
    if m := re.fullmatch(r"(.*[\u4e00-\u9fff])±?(%|‰)", text):
        return m[1], m[2]
    if m := re.search(r"[::/,](" + _UNIT.pattern + r")$", text):
        return text[: m.start()], m[1]
    return text, ""


_STATED = re.compile(r"(?:计量)?单位[::](.+?)(?:[)】\]]|$|数据|时间|填报|日期|制表)")


def stated_unit(text: str) -> str:
    """The unit after 单位: in a line above a table, as written; several stay joined with 、."""
    m = _STATED.search(text)
    if not m:
        return ""
    parts = [p for p in _PAIRS.split(m[1].strip(";;。")) if p]
    return "、".join(parts) if parts and all(is_unit(p) for p in parts) else ""


def fitting_unit(units: str, measure: str) -> str:
    """Of several stated units (亿元、%), the one that fits a kind of figure."""
    parts = units.split("、") if units else [""]
    percent = [p for p in parts if p in ("%", "‰", "百分点", "个百分点")]
    if measure in ("yoy_pct", "mom_pct", "share_pct", "completion_pct"):
        return percent[0] if percent else "%"
    if measure in ("rank", "index"):
        return ""
    plain = [p for p in parts if p not in percent]
    return plain[0] if plain else parts[0]


# --- values ---------------------------------------------------------------------------------------------------------


class Value(NamedTuple):
    """What one cell is worth. `kind`: number, missing, context (text), problem; `raw` is the text as written."""

    kind: str
    value: float = float("nan")
    reason: str = ""
    flags: tuple[str, ...] = ()
    unit: str = ""
    code: str = ""
    decimals: int = -1
    note: str = ""


MARKS = {
    "—": "not_applicable",
    "-": "not_applicable",
    "–": "not_applicable",
    "——": "not_applicable",
    "--": "not_applicable",
    "―": "not_applicable",
    "/": "not_applicable",
    "…": "below_unit",
    "...": "below_unit",
    "……": "below_unit",
    "......": "below_unit",
    "暂无": "not_reported",
    "未统计": "not_reported",
    "N/A": "not_reported",
    "n/a": "not_reported",
    "NA": "not_reported",
    "暂缺": "not_reported",
    "未报": "not_reported",
    "待定": "not_reported",
    "不适用": "not_applicable",
    "空": "not_reported",
    "未公布": "not_reported",
    "缺": "not_reported",
    "*": "not_reported",
    "null": "not_reported",
}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_PLAIN = re.compile(rf"([-+]?)({_NUMBER})((?:e[+-]?\d+)?)", re.I)
_WITH_UNIT = re.compile(
    rf"(约|近|大约)?([-+]?)({_NUMBER})(余|多)?({_UNIT.pattern})?(?:[((](.*)[))])?"
)
_MOVED = re.compile(
    rf"(增长|上升|提高|增加|上涨|升高|下降|减少|降低|下滑|回落|负增长)(?:了)?(-?)({_NUMBER})(%|个百分点|百分点|倍|‰)?"
)
_DOWN = {"下降", "减少", "降低", "下滑", "回落", "负增长"}


@lru_cache(maxsize=65536)
def value_of(text: str, money: bool = False, count: bool = True) -> Value:
    """What a text cell is worth; brackets mean minus only in money columns."""
    if text.strip() in MARKS:
        return Value("missing", reason=MARKS[text.strip()])
    t = re.sub(r"[−–—－﹣](?=[\d.])", "-", re.sub(r"\s+", "", text.strip()))
    t = unicodedata.normalize("NFKC", t).replace(",", ",")
    if t in MARKS:
        return Value("missing", reason=MARKS[t])
    if t in ("无", "零"):
        return (
            Value("number", 0.0, flags=("zero_from_word",), decimals=0)
            if count
            else Value("missing", reason="not_reported", code="word_in_number")
        )
    if t in ("持平", "与上年持平", "同上年持平", "与上年同期持平"):
        return Value("number", 0.0, flags=("zero_from_word",), decimals=0)
    if m := _PLAIN.fullmatch(t):
        return Value(
            "number",
            float(m[1].replace("+", "") + m[2].replace(",", "") + m[3]),
            flags=("text_number",),
            decimals=_written_decimals(m[2]),
        )
    if re.match(r"[▲△▼▽]", t):
        return Value("problem", code="sign_unclear")
    if m := re.fullmatch(rf"\(({_NUMBER})\)", t):
        if money:
            return Value(
                "number",
                -float(m[1].replace(",", "")),
                flags=("text_number",),
                decimals=len(m[1].partition(".")[2]),
            )
        return Value("problem", code="sign_unclear")
    if m := _MOVED.fullmatch(t):
        number = float(m[3].replace(",", "")) * (-1 if m[1] in _DOWN else 1) * (-1 if m[2] else 1)
        unit = {"倍": "%", "百分点": "pp", "个百分点": "pp", "‰": "‰"}.get(
            m[4], "%" if m[4] else ""
        )
        return Value(
            "number",
            number * 100 if m[4] == "倍" else number,
            flags=("text_number",),
            unit=unit,
            decimals=len(m[3].partition(".")[2]),
        )
    if m := _WITH_UNIT.fullmatch(t):
        flags = ("text_number",) + (("approx",) if m[1] or m[4] else ())
        return Value(
            "number",
            float(m[2].replace("+", "") + m[3].replace(",", "")),
            flags=flags,
            unit=m[5] or "",
            decimals=len(m[3].partition(".")[2]),
            note=m[6] or "",
        )
    if re.match(r"[≥≤<>＞＜〉〈]=?[\d.]", t) or re.fullmatch(r"[\dOolI,.]*\d[\dOolI,.]*", t):
        return Value("problem", code="not_a_number")
    if re.fullmatch(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)", t):
        return Value("missing", reason="not_reported", code="cell_error")
    return Value("context")


def _written_decimals(text: str) -> int:
    """Decimals of a written number; what is longer than 9 is noise of a machine."""
    decimals = len(text.partition(".")[2])
    return decimals if decimals <= 9 else decimals_of(float(text.replace(",", "")))


def decimals_of(number: float) -> int:
    """Decimals of a stored number, float noise left out."""
    text = repr(round(number, 9))
    return 0 if text.endswith(".0") or "e" in text else len(text.partition(".")[2])


def is_date(value: object) -> bool:
    return isinstance(value, datetime.date | datetime.datetime)


def cell_like_period(value: object) -> bool:
    """Whether a lone cell names a period rather than carrying a figure."""
    return isinstance(value, str) and whole_period(squeeze(value)) is not None
