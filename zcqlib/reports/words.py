"""What a label says besides its name: period, unit, kind of figure; and what a cell's text is worth.

Everything works on text in half-width form without spaces (`squeeze`). Months are counted from year 0, so that spans
can be compared without building period objects. Words with a meaning stand in data/raw/reference/words.csv.
"""

from __future__ import annotations

import calendar
import datetime
import math
import re
import unicodedata
from functools import cache
from typing import NamedTuple

from zcqlib import catalog
from zcqlib.reports.grid import NO_RESULT, remember

# --- word lists -----------------------------------------------------------------------------------------------------


@cache
def known(group: str) -> dict[str, str]:
    """The words of one group of roles, each with what it stands for: {"园区": "region", ...} of head."""
    words = catalog.load().words
    of = words["role"].str.partition(":")
    own = words["word"][of[0] == group]
    return {word: of.at[i, 2] or group for i, word in own.items()}


# --- plain text -----------------------------------------------------------------------------------------------------

_DIGITS = str.maketrans("〇零一二两三四五六七八九", "001223456789")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_GLOSS = re.compile(
    r"(?:(?<=\s)[A-Za-z&./-]+\s+)*(?:[A-Z][A-Za-z]*[a-z]{2}|(?<=\s)[a-z]{3})|\n\s*#?\s*(?=[A-Z])"
)


@remember
def without_gloss(text: str) -> str:
    """A Chinese label without the English that follows it, as yearbooks print it: 「郑 州 市 Zhengzhou」 is 郑 州 市."""
    chinese = re.match(".*[\u4e00-\u9fff]", text, re.S)
    if not chinese or not (m := _GLOSS.search(text, chinese.end())):
        return text
    kept = text[: m.start()].rstrip(" \u3000\t\n#,/-")
    if len(re.findall("[(（]", kept)) > len(re.findall("[)）]", kept)):
        opening = max(kept.rfind("("), kept.rfind("（"))
        return kept[:opening].rstrip() if opening >= chinese.end() else text
    return kept


def is_gloss(text: str) -> bool:
    """Whether a label is English only, such as the Item column beside 指标."""
    return (
        not _CHINESE.search(text)
        and bool(re.search(r"[a-z]{2}", text) and re.search(r"[A-Za-z]{3}", text))
        and not is_unit(re.sub(r"\s+", "", text).strip("()"))
    )


_SIMPLE = str.maketrans(
    "範專請業產數額總與國區縣萬億個員發開關機構術進資貿稅財營實際現價農車電學師職醫藥衛團體辦處報計統單號類級項約較減長當經濟貨運輸設備廠場戶點時間東見種書證註冊鄉鎮創導網絡軟積極標準質檢驗認環節勞動險費給補貼購銷儲優園權轉讓論課題獎勵評選畢歸陽紅鄭鶴許錄僅內兩從眾傑將對應擔據擴熱療監稱穩築納組織結紀紹綜線聯聲興舉華視覺觀規記訂訓討託訊訪話該詳誌語調談諾謝護讀變豐貢負責貧販貫賃賓賞賣贈趕趙跡軍軌輕輛辭這連遊達違遠適遺還鄰釋鋼錢鐵鏈鑑閒隊階隨隱雙雜離難雲靈靜順須預領頭顧風飛館齊龍龐",
    "范专请业产数额总与国区县万亿个员发开关机构术进资贸税财营实际现价农车电学师职医药卫团体办处报计统单号类级项约较减长当经济货运输设备厂场户点时间东见种书证注册乡镇创导网络软积极标准质检验认环节劳动险费给补贴购销储优园权转让论课题奖励评选毕归阳红郑鹤许录仅内两从众杰将对应担据扩热疗监称稳筑纳组织结纪绍综线联声兴举华视觉观规记订训讨托讯访话该详志语调谈诺谢护读变丰贡负责贫贩贯赁宾赏卖赠赶赵迹军轨轻辆辞这连游达违远适遗还邻释钢钱铁链鉴闲队阶随隐双杂离难云灵静顺须预领头顾风飞馆齐龙庞",
)


def simple(text: str) -> str:
    """A label in the characters that the catalog is written in: 專利申請量 is 专利申请量."""
    return text.translate(_SIMPLE)


_BARE = re.compile("[0-9\u4e00-\u9fff]+")
_MARKS = re.compile(
    r"^[\u2460-\u2473]+|[\u2460-\u2473]+$|(?<=[\u4e00-\u9fff])[\u00b9\u00b2\u00b3\u2070-\u2079]+$"
)
_UNSEEN = re.compile(r"[\s\u200b-\u200d\ufeff\u00ad\u2060]+")


@remember
def squeeze(text: str) -> str:
    """Half-width, without spaces, invisible characters and English gloss; years and months in Chinese figures become
    digits."""
    if _BARE.fullmatch(text) and "年" not in text and "月" not in text:
        return text
    text = _MARKS.sub("", without_gloss(text.strip()))  # before they become digits
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    text = re.sub("[〇零一二三四五六七八九]{4}(?=年)", lambda m: m[0].translate(_DIGITS), text)
    months = "(?:(?<=年)|^)(十[一二]?|[一二三四五六七八九])(?=月)"
    return re.sub(months, lambda m: str(numeral(m[1])), text)


_NUMERAL = re.compile(
    r"(?:[一二两三四五六七八九]千)?零?(?:[一二两三四五六七八九]百)?零?(?:[一二三四五六七八九]?十)?[一二两三四五六七八九]?"
)


def numeral(word: str) -> int:
    """A number below ten thousand in Chinese figures or in digits, 0 where it is none: 三十 is 30."""
    if word.isdecimal():
        return int(word)
    if not _NUMERAL.fullmatch(word):
        return 0
    parts = re.findall("(.?)([千百十])|(.)", word.translate(_DIGITS).replace("0", ""))
    steps = {"": 1, "十": 10, "百": 100, "千": 1000}
    return sum(int(ones or digit or 1) * steps[step] for digit, step, ones in parts)


# --- periods --------------------------------------------------------------------------------------------------------


class Span(NamedTuple):
    """Months from `start` to `end` (year * 12 + month - 1); `year` False: the year is still to be found."""

    start: int
    end: int
    basis: str
    flags: tuple[str, ...] = ()
    year: bool = True


def month_no(year: int, month: int) -> int:
    return year * 12 + month - 1


def year_span(year: int) -> Span:
    return Span(month_no(year, 1), month_no(year, 12), "year")


def month_span(no: int, *flags: str) -> Span:
    return Span(no, no, "month", flags)


_YEAR = r"(?P<y>(?:19|20)?\d{2})年"
_PLAIN_YEAR = r"(?P<y>(?:19|20)\d{2})"
_ANY_YEAR = r"(?:(?P<y>(?:19|20)\d{2}(?!年)|(?:19|20)?\d{2}(?=年))年?)?"
_DASH = r"(?:[-—–―~∼至到─]|--)"
_LEAD = r"(?:截至|截止|至|到|截至到)?"
# kinds of periods, each as it is written, the first that fits; the last two mean something else inside a longer text
_PATTERNS = rf"""
range       (?:自|从)?{_YEAR}(?P<a>\d{{1,2}})月(?P<a1>\d{{1,2}})[日号]{_DASH}(?:(?P=y)年)?(?P<b>\d{{1,2}})月(?P<d>\d{{1,2}})[日号]
range       {_LEAD}(?:{_YEAR})?(?P<a>\d{{1,2}})月?{_DASH}(?P<b>\d{{1,2}})月(?:份)?(?P<cum>累计)?
range       (?:{_YEAR})?前(?P<b>\d{{1,2}}|[一二两三四五六七八九十]{{1,2}})个月(?:份)?
day         {_LEAD}(?:{_YEAR})?(?P<m>\d{{1,2}})月(?P<d>\d{{1,2}})[日号]
eop         {_LEAD}(?:{_YEAR})?(?P<m>\d{{1,2}})月份?(?:末|底)
day         {_PLAIN_YEAR}[-./年](?P<m>\d{{1,2}})[-./月](?P<d>\d{{1,2}})日?
month       (?:截至|截止|至|到)?{_YEAR}(?P<m>\d{{1,2}})月(?:份)?
month       {_PLAIN_YEAR}[-/.](?P<m>\d{{1,2}})
month       (?<!\d){_PLAIN_YEAR}(?P<m>0[1-9]|1[0-2])(?!\d)
quarters    {_ANY_YEAR}(?:前|[1一](?:季度?)?{_DASH})(?P<q>[二两三四2-4])个?季度
quarter     {_ANY_YEAR}第?(?P<q>[一二三四1-4])季度
quarter     {_PLAIN_YEAR}年?Q(?P<q>[1-4])
part        (?:{_YEAR})?(?P<w>上半年|全年)
part        {_YEAR}(?P<w>半年)
second_half (?:{_YEAR})?下半年
year_end    {_YEAR}(?:末|底)
year        {_YEAR}(?:度|全年)?
year        (?<=[(【]){_PLAIN_YEAR}(?=[)】~至年-])
month       {_LEAD}(?P<m>\d{{1,2}})月(?:份)?
year        {_PLAIN_YEAR}
part        (?P<w>半年)
"""
_PATTERNS = [(re.compile(p), kind) for kind, p in map(str.split, _PATTERNS.strip().splitlines())]
_UNSUPPORTED = re.compile(
    r"[\"“]?十[一二三四五]五[\"”]?(?:时期|期间)?(?:末|累计)?|(?:19|20)\d{2}(?:[-/—–~至](?:19|20)?\d{2})?(?:学年|财年)度?(?:第[一二]学期)?"
    r"|(?:19|20)\d{2}年?[-/—–~至](?:19|20)?\d{2}(?:年度?)?"
)


def _span(m: re.Match, kind: str) -> Span | None:
    g = m.groupdict(default="")
    written = g.get("y", "")
    year, flags = int(f"20{written}"[-4:]) if written else 0, ("short_year",) * (len(written) == 2)
    a, b, q, month, day = (numeral(g.get(k) or "0") for k in "abqmd")
    first, last, basis = {
        "range": (a or 1, b if b > (a or 1) else 0, "range" if a > 1 else "ytd"),
        "quarters": (1, 3 * q, "ytd"),
        "quarter": (3 * q - 2, 3 * q, "quarter"),
        "part": (1, 12 if g.get("w") == "全年" else 6, "ytd"),
        "second_half": (7, 12, "range"),
        "year": (1, 12, "year"),
        "year_end": (12, 12, "eop"),
    }.get(kind, (month, month, "eop" if kind == "day" else kind))
    if not 1 <= first <= last <= 12 or kind == "day" and not 1 <= day <= 31:
        return None
    if kind == "day" and re.match(r"\d{4}[-./]", m[0]):
        basis = "month"  # a date of a series stands for its month
    elif kind == "day" and day < calendar.monthrange(year or 2018, month)[1]:
        flags += ("not_month_end",)
    return Span(month_no(year, first), month_no(year, last), basis, flags, bool(year))


_DATED = re.compile(r"[年月季]|(?:19|20)\d\d")  # every pattern of a period has one of these
REMARK = re.compile(
    r"[(](?:修订|调整|快报|初步|核实|核定|可比|同口径|口径|预计|最终)[^()]*[)]|[(][^()]*(?:修订|口径|调整)(?:后|数)?[)]"
)


def cumulated(span: Span) -> Span:
    """From January to the end of a span."""
    return span._replace(start=span.end - span.end % 12, basis="ytd")


@remember
def whole_period(text: str) -> Span | None:
    """The span that a label names when it is nothing but a period (with 累计 or a bracket around it)."""
    if not _DATED.search(text):
        return None
    bare = re.sub(r"^[(【\[]|[)】\]]$", "", REMARK.sub("", text))
    bare = re.sub(r"(?:累计|合计|小计|总计|当月|当季|数据|实际|完成)(?:值|数)?$", "", bare) or bare
    for pattern, kind in _PATTERNS:
        if (m := pattern.fullmatch(bare)) and (span := _span(m, kind)):
            whole = "累计" in text and span.basis in ("month", "quarter")
            return cumulated(span) if whole else span
    return None


@remember
def period_in(text: str) -> tuple[Span, int, int] | None:
    """The first period inside a longer text, with its place; a bare number is none."""
    found = [
        (span, m.start(), m.end())
        for pattern, kind in (_PATTERNS[:-2] if _DATED.search(text) else ())
        for m in pattern.finditer(text)
        if (span := _span(m, kind))
    ]
    return min(found, key=lambda f: (f[1], -f[2]), default=None)


def stated_period(text: str) -> Span | None:
    """The period that a text is, else the first in it."""
    return whole_period(text) or (period_in(text) or (None,))[0]


def without_period(text: str) -> str:
    """A text without its period and the bracket that held it, so that a unit in brackets stands at its end."""
    _, i, j = period_in(text) or (None, 0, 0)
    return re.sub(r"[((]\s*[))]", "", text[:i] + text[j:])


def unsupported_period(text: str) -> bool:
    return bool(_UNSUPPORTED.fullmatch(text)) and whole_period(text) is None


@cache
def _placed(group: str) -> dict[str, tuple[str, int]]:
    """Words of a group with what they say against the report month, as same-12: the basis, how many months back."""
    roles = ((word, role.partition("-")) for word, role in known(group).items())
    return {word: (basis, int(back or 0)) for word, (basis, _, back) in roles}


def relative(text: str) -> tuple[str, int] | None:
    """What a whole label such as 本月 or 上年同期(修订) says relative to the report month."""
    return _placed("relative").get(REMARK.sub("", text))


def relative_in(name: str) -> tuple[str, int] | None:
    """What a word inside a name says relative to the report month; 累计 goes before all others."""
    inside = _placed("inside")
    found = re.search("累计" if "累计" in name else "|".join(inside), name)
    return inside[found[0]] if found else None


# --- kinds of figures -----------------------------------------------------------------------------------------------

# kinds of figures, and what a label of such says
_MEASURES = r"""
completion_pct  (?:完成率|完成比例|完成百分比|完成(?:年度)?(?:目标|任务|计划)的?(?:%|比例|百分比)|(?:目标|任务|计划)完成率|完成进度)
target          ^(?:年度|全年|本年|年)?(?:目标|任务|计划)(?:值|数|任务)?$
rank            ^(?:全市|全省|本月|累计|增速|总量)?(?:位次|排名|名次|排位)$
mom_pct         环比(?!.*同比)|[比较]上[月季]度?(?:增|升|降|变|涨|±)
index           指数(?:_|$)
yoy_pct         同比|比(?:上年|去年)(?:同期|同月)?(?:增长|增减|增加|±)?|增长(?:率|速度|%)?(?:\(.*\))?$|增速|增幅|±%|(?:同期|累计)增长
share_pct       ^(?:占比|比重|所占比重|占总量比重|份额|占全市比重|占合计比重)$
"""
_MEASURES = [line.split() for line in _MEASURES.strip().splitlines()]
_CHANGE = re.compile(
    r"^(?:本月|当月|累计|本年累计|本年|较|与)?(?:同比|环比)?(?:(?:比|较)?(?:上年|去年|上月|上季度?)(?:同期|同月)?)?(?:实际|名义)?"
    r"(?:增长|增速|增幅|增减|增长率|增减率|增长速度|±|增加|涨跌|涨幅|跌幅|变动)?(?:率|幅度?)?(?:%|\(%\)|±%|\(±%\)|百分点)?$"
)
_KIND = re.compile(
    r"(?:本月|累计|本年|年度|全年|年)?(?:完成|目标|任务|计划|全市|全省|增速|总量|所)?(?:目标|任务|计划|年度)?的?"
    r"(?:完成)?(?:率|比例|百分比|进度|目标|任务|计划|值|数|位次|排名|名次|排位|占比|比重|份额|占合计比重|占总量比重|占全市比重)*"
)


@remember
def measure_of(text: str) -> str:
    """The kind of figure that a label names, "" where it names none."""
    if re.search(r"(?:同期|同月|上月|上年)=100", text):
        return "index"
    bare = re.sub(r"[(].*?[)]", "", text)
    return next((measure for measure, pattern in _MEASURES if re.search(pattern, bare)), "")


def only_measure(text: str) -> bool:
    """Whether a label is nothing but a kind of figure, such as 同比增长 or 完成率."""
    bare = re.sub(r"[(]%[)]$|%$", "", text)
    kind = measure_of(bare)
    if kind in ("completion_pct", "target", "rank", "share_pct"):
        return bool(_KIND.fullmatch(bare))
    return bool(kind and _CHANGE.match(bare))


# --- units ----------------------------------------------------------------------------------------------------------

MULTIPLIERS = "万", "亿", "千万", "百万"
PERCENTS = ("%", "‰", "pp", "百分点", "个百分点")
_INDEX_BASE = re.compile(
    r"(?:以?(?:上年|上月|去年|基期|上期|上季|(?:19|20)\d\d年|去年同[期月]).{0,6}(?:=|为)100)"
)
_PAIRS = re.compile(r"[、,,;;]|和|及|(?<=.)[/ ]?(?=%$)")
_PRICES = re.compile(
    r"[((【,、;](?:当年|现行|现价|不变|可比|当期|含税|不含税|按|人民币|RMB|折)[^()]*[)）】]?$|^(?:RMB|人民币|¥)|(?:RMB|人民币)$"
)


@cache
def _unit() -> re.Pattern:
    base = "|".join(map(re.escape, sorted(known("unit"), key=lambda w: (-len(w), w))))
    scaled = r"(?:1?0{0,4})[十百千万亿]{0,3}"
    return re.compile(
        rf"{scaled}(?:{base})(?:[/·]{scaled}(?:(?:{base})|月|企业|平方公里|百户|百人|万人)){{0,2}}"
    )


@remember
def unit_of(text: str, loose: bool = True) -> str:
    """The unit that a text is, without remarks (亿元 of 亿元(当年价), RMB亿元), "" where it is none; 亿 only if `loose`."""
    t = _PRICES.sub("", text)
    if loose and t in MULTIPLIERS:
        return t
    if t in ("年", "日", "分"):
        return ""
    return t if _unit().fullmatch(t) or is_index_base(t) else ""


def is_unit(text: str) -> bool:
    """Whether a bare text is a unit, such as 万元 or 人/平方公里."""
    return unit_of(text, False) != ""


def is_index_base(text: str) -> bool:
    """Whether a unit says against what an index stands, such as 上年同月=100."""
    return bool(_INDEX_BASE.fullmatch(text))


@remember
def units_of(text: str) -> str:
    """One unit, or several as they stand in 单位:亿元、%, joined with 、; "" where any of them is none."""
    several = re.sub(r"[(]([^()]+)[)]$", r"、\1", text)  # 人(个)
    parts = [unit_of(p) for p in _PAIRS.split(several) if p]
    return unit_of(text) or ("、".join(parts) if all(parts) else "")


@remember
def split_unit(text: str) -> tuple[str, str]:
    """A label without its unit, and the unit: in brackets (a stray mark behind them goes), or after a slash or comma."""
    for m in reversed(list(re.finditer(r"[(\[【]([^()\[\]【】]*(?:[(][^()]*[)])?)[)\]】]", text))):
        if unit := units_of(re.sub(r"^(?:计量)?单位[::]?", "", m[1])):
            rest = text[m.end() :]
            stray = re.fullmatch(r"[a-zA-Z*#※†①-⑳0-9]{1,2}", rest)
            return text[: m.start()] + ("" if stray else rest), unit
    if m := re.fullmatch(
        r"(.*[\u4e00-\u9fff])±?(%|‰)|(.+量|.+额|.+数)\(([^\W\d男女新老旧净原其上中下一二三四五六七八九十])\)",
        text,
    ):
        return m[1] or m[3], m[2] or m[
            4
        ]  # (斗): so short a word behind an amount can only be its unit
    if (m := re.search(r"[::/,]([^::/,]+(?:/[^::/,]+)?)$", text)) and is_unit(m[1]):
        return text[: m.start()], m[1]
    return text, ""


_STATED = re.compile(
    r"(?:^|[^\u4e00-\u9fff填报送责任牵头])(?:(?:计量|金额)?单位[::为]?|[(](?:计量|金额)?单位[::]?)(.+?)(?:$|[)】\]](?:$|[^)])|数据|时间|填报|日期|制表)"
)
_OFFICE = re.compile(
    r"[局委办区院厅会部处所校站科市县省园](?:[(].*)?$|公司|中心|政府|集团|盖章|名称|银行|大学"
)


@remember
def stated_unit(text: str) -> tuple[str, str]:
    """What a line above a table says after 单位: its units (several joined with 、), or the words that are none."""
    if not (m := _STATED.search(text)):
        return "", ""
    said = m[1].strip(";;。::")
    if said.count("(") > said.count(")"):
        said += ")"
    if unit := units_of(said):
        return unit, ""
    return "", "" if len(said) > 10 or _OFFICE.search(said) or whole_period(said) else said


def fitting_unit(units: str, percent: bool) -> str:
    """Of several stated units (亿元、%) the percent, "" where there is none, or the first that is not."""
    parts = units.split("、")
    fitting = [p for p in parts if (p in PERCENTS) == percent]
    return [*fitting, "" if percent else parts[0]][0]


# --- values ---------------------------------------------------------------------------------------------------------


class Value(NamedTuple):
    """What one cell is worth. `kind`: number, missing, context (text), problem; `plain` is the figure as a number."""

    kind: str
    value: float = math.nan
    reason: str = ""
    flags: tuple[str, ...] = ()
    unit: str = ""
    code: str = ""
    plain: str = ""
    note: str = ""
    scale: str = ""

    @property
    def decimals(self) -> int:
        return decimals_of(self.plain)


_DIGIT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_FOOTNOTE = re.compile(
    r"(?<=[\d%)])\s?(?:[\u00b9\u00b2\u00b3\u2070-\u2079①-⑳*#※†]+|[\[【〔]\d{1,2}[\]】〕])$"
)
_MOVED = re.compile(
    rf"(?:增长|上升|提高|增加|上涨|升高|(下降|减少|降低|下滑|回落|负增长))(?:了)?(-?)({_DIGIT})(%|个百分点|百分点|倍|‰)?"
)
_SAYS = re.compile(
    rf"(约|近|大约|超过|超|逾|突破|不足|低于)?([-+]?)((?:{_DIGIT})(?:[eE][-+]?\d+)?|[一二两三四五六七八九十百千零]+)(余|多)?([百千万亿]*)(余|多)?"
    r"([^\d()（）+]*?)(以上|以下|以内|左右|上下|余|\+)?(?:[((](.*)[))])?"
)


def _number(digits: str, *flags: str, minus: bool = False, **more: object) -> Value:
    plain = "-" * minus + digits.replace(",", "")
    if not math.isfinite(float(plain)):
        return Value("problem", code="not_a_number")
    return Value("number", float(plain), flags=flags, plain=plain, **more)


def _mark(t: str) -> Value | None:
    """A mark for nothing; a row of dashes is one."""
    reason = known("missing").get(t[:1] if set(t) <= set("-—–―") else t)
    return Value("missing", reason=reason) if reason else None


_ERROR = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|(?:Err|错误):\d+", re.I)
_NO_NUMBER = re.compile(r"[≥≤<>＞＜〉〈]=?[\d.].*|[\dOolI,.]*\d[\dOolI,.]*")


@remember
def value_of(text: str, money: bool = False, count: bool = True, figures: bool = False) -> Value:
    """What a text cell is worth; brackets mean minus only in money columns.

    `figures`: the cell stands where a figure must be, so that words are tried too: 三十, 100以上, 50个左右.
    """
    bare = text.strip()
    t = _FOOTNOTE.sub("", bare)
    note = "" if t == bare else f"标注{bare[len(t) :]}"
    t = re.sub(r"(?<=[\d%])\s*[\n\t]\s*(?=[-+\d.])", "/", t)  # two lines are two figures
    t = re.sub(r"[−–—－﹣](?=[\d.])", "-", re.sub(r"\s+", "", t))
    t = unicodedata.normalize("NFKC", t)
    if mark := _mark(bare) or _mark(t):
        return mark
    if t in known("equal") or t in ("无", "零") and count:
        return _number("0", "zero_from_word")
    if t in ("无", "零"):
        return Value("missing", reason="not_reported", code="word_in_number")
    if m := re.fullmatch(rf"\(({_DIGIT})\)|[▲△▼▽].*", t):
        if m[1] and money:
            return _number(m[1], "text_number", minus=True)
        return Value("problem", code="sign_unclear")
    if m := _MOVED.fullmatch(t):
        unit = {"倍": "%", "百分点": "pp", "个百分点": "pp"}.get(m[4], m[4] or "")
        moved = _number(m[3], "text_number", minus=bool(m[1]) != bool(m[2]), unit=unit)
        return moved._replace(value=moved.value * 100) if m[4] == "倍" else moved
    if (m := _SAYS.fullmatch(t)) and (said := _said(m, figures, note)):
        return said
    if _NO_NUMBER.fullmatch(t):
        return Value("problem", code="not_a_number")
    if t == NO_RESULT:
        return Value("problem", code="formula_without_value")
    if _ERROR.fullmatch(t):
        return Value("missing", reason="cell_error", code="cell_error")
    return Value("context")


def _said(m: re.Match, figures: bool, note: str) -> Value | None:
    """A figure among words: 约35, 1.2亿, 35家(含2家注销), and where figures must be also 三十 and 100以上."""
    lead, sign, digits, more, scale, much, unit, bound, remark = m.groups(default="")
    if worded := not digits[-1:].isdecimal():
        digits = str(numeral(digits))
    if unit and is_unit(scale + unit):  # 亿元 is one word, 亿 with nothing behind it is a scale
        scale, unit = "", scale + unit
    limit = known("bound").get(lead) or known("bound").get(bound.replace("+", "以上"))
    flag = limit or ("approx" if lead or more or much or bound else "")
    none = worded and (len(m[3]) < 2 or digits == "0")  # 一 may be a dash
    if none or unit and not is_unit(unit) or (worded or bound or limit) and not figures:
        return None
    more = dict(unit=unit, note=remark or note, scale=scale)
    return _number(digits, "text_number", *[flag] * bool(flag), minus=sign == "-", **more)


@remember
def decimals_of(text: str) -> int:
    """Decimals of a written number; what is longer than 9 is noise of a machine."""
    decimals = len(re.split("[eE]", text)[0].partition(".")[2])
    return decimals if decimals <= 9 else decimals_of(f"{float(text):.9f}".rstrip("0"))


def is_date(value: object) -> bool:
    return isinstance(value, datetime.date | datetime.datetime)
