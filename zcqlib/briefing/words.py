"""The one place that rounds a number and puts it into words: numbers, chances, sentences, titles, conclusions.

Numbers are rounded half up, once, from the table's value. What is still missing, and needed a month, is derived from
the numbers as printed, so that doing as printed suffices; a multiple never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import pairwise

import pandas as pd

MINUS, NONE, DEMO = "\u2212", "—", "演示数据"
TITLE = 34  # characters of a figure's title on one line
CELL = 1.5  # letters that the margins of a cell take
SMALL = 30  # counts below this move by single cases
SHARES = ("%", "个百分点", "件/万人", "分", "倍")
CHANCES = (
    (0.95, "几乎确定"),
    (0.80, "很可能"),
    (0.60, "较可能"),
    (0.40, "五五开"),
    (0.20, "较不可能"),
    (0.05, "很不可能"),
    (0, "几乎不可能"),
)
LIGHTS = {
    "met": "✓已完成",
    "good": "●把握较大",
    "open": "▲尚有悬念",
    "hard": "■难度较大",
    "stage": "◇按节点推进",
    "none": "园区目标未下达",
    "unknown": "未报",
}
FORBIDDEN = ("一定", "必然", "无法完成")
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Scale:
    """How a quantity is printed: divided by `factor`, with `digits` decimals, then `unit`."""

    unit: str
    factor: int = 1
    digits: int = 0

    @property
    def step(self) -> Decimal:
        """The smallest difference that can be printed."""
        return Decimal(1).scaleb(-self.digits)

    def round(self, value: float, mode: str = ROUND_HALF_UP) -> Decimal:
        """The value as it will stand on paper."""
        return (Decimal(repr(float(value))) / self.factor).quantize(self.step, rounding=mode)

    def text(self, printed: Decimal, comma: bool = False) -> str:
        """A rounded value with minus sign and unit."""
        body = f"{abs(printed):{',' if comma else ''}f}"
        return (MINUS if printed < 0 else "") + body + self.unit


def scale(size: float, unit: str, digits: int | None = None) -> Scale:
    """The scale on which a value of this size, in the catalog's unit, is printed.

    万元 from 1亿元 on become 亿元 with one decimal, areas 万㎡ as in the plan (below 10万㎡ with two), other quantities
    from 100,000 on 万 with one decimal; shares, rates and points have one decimal, counts none. `digits` overrides (R&D
    intensity has two).
    """
    size = abs(size) if size == size else 0.0
    if unit in SHARES:
        return Scale(unit, 1, 1 if digits is None else digits)
    if unit == "万元" and size >= 1e4:
        return Scale("亿元", 10_000, 1 if digits is None else digits)
    if unit == "平方米":
        return Scale("万㎡", 10_000, 2 if size < 1e5 else 1)
    if unit not in ("万元", "亿元") and size >= 1e5:
        return Scale("万" + unit, 10_000, 1 if digits is None else digits)
    return Scale(unit, 1, digits if digits is not None else 1 if unit == "亿元" else 0)


def row_scale(row: Mapping) -> Scale:
    """The one scale on which all quantities of a target are printed together."""
    size = max(
        (abs(v) for v in (row["target_low"], row["actual"], row["median"]) if v == v), default=0.0
    )
    return scale(size, row["unit"], _target_digits(row))


def quantity(row: Mapping, value: float) -> str:
    """A quantity of a target on the target's scale, 「—」 where there is none: the same in figure, table and slide."""
    s = row_scale(row)
    return s.text(s.round(value), True) if value == value else NONE


def number(value: float, unit: str = "", digits: int | None = None, comma: bool = True) -> str:
    """A number with its unit, 「—」 where there is none: 2,200件, 12.3万件, 201.4亿元, 2.61%."""
    if value is None or value != value:
        return NONE
    s = scale(value, unit, digits)
    return s.text(s.round(value), comma)


def change(value: float, unit: str = "", digits: int | None = None) -> str:
    """A change with its sign on every value but 0; a change of a share is in 个百分点."""
    if value is None or value != value:
        return NONE
    s = scale(value, "个百分点" if unit == "%" else unit, digits)
    printed = s.round(value)
    return "0" + s.unit if printed == 0 else ("+" if printed > 0 else "") + s.text(printed, True)


def percent(value: float, digits: int = 1) -> str:
    """A share given as 0 to 1: 63.2%."""
    return number(None if value is None else 100 * value, "%", digits)


def interval(
    low: float,
    high: float,
    unit: str,
    digits: int | None = None,
    dash: str = "–",
    comma: bool = True,
) -> str:
    """Both ends on one scale: 4,879–5,412件."""
    if low != low or high != high:
        return NONE
    s = scale(max(abs(low), abs(high)), unit, digits)
    bare = Scale("", s.factor, s.digits)
    return bare.text(s.round(low), comma) + dash + s.text(s.round(high), comma)


def multiple(value: float, base: float) -> str:
    """How many times the base: 1.05倍; 「—」 where the base is not positive."""
    if not base > 0 or value != value:
        return NONE
    return f"{(Decimal(repr(float(value))) / Decimal(repr(float(base)))).quantize(Decimal('.01'), ROUND_HALF_UP)}倍"


def printed_parts(
    values: Sequence[float], digits: int = 0, whole: float | None = None
) -> list[Decimal]:
    """Round parts by largest remainder, so that they add up to the rounded whole as printed.

    Raises
    ------
    ValueError : a part is missing.
    """
    if any(v is None or v != v for v in values):
        raise ValueError("各部分中有缺失值,不能凑整。")
    step = Decimal(1).scaleb(-digits)
    exact = [Decimal(repr(float(v))) for v in values]
    floors = [v.quantize(step, ROUND_FLOOR) for v in exact]
    want = (sum(exact, Decimal(0)) if whole is None else Decimal(repr(float(whole)))).quantize(
        step, ROUND_HALF_UP
    )
    spare = int((want - sum(floors, Decimal(0))) / step)
    if not 0 <= spare <= len(exact):
        raise ValueError(f"各部分合计 {sum(exact)} 与总数 {want} 相差太大,不是凑整能解决的。")
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    return [f + step if i in order[:spare] else f for i, f in enumerate(floors)]


def whole_chance(p: float) -> int:
    """The chance in whole per cent, as printed and graded."""
    if not 0 <= p <= 1:
        raise ValueError(f"把握 {p} 不在 0 到 1 之间。")
    return int((Decimal(repr(float(p))) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def chance_number(p: float) -> str:
    """73%, with <1% and >99% at the ends and 「—」 for none."""
    if p != p:
        return NONE
    return "<1%" if p < 0.01 else ">99%" if p > 0.99 else f"{whole_chance(p)}%"


def chance_word(p: float) -> str:
    """The fixed word for a chance; it grades the per cent as printed."""
    if p != p:
        return NONE
    rounded = whole_chance(p) / 100
    return next(word for limit, word in CHANCES if rounded >= limit)


def about(p: float) -> str:
    """约七成, and 九成五以上 and 不到半成 at the ends."""
    whole = whole_chance(p)
    if whole >= 95 or whole < 5:
        return "九成五以上" if whole >= 95 else "不到半成"
    return "约" + ("九成" if whole > 90 else f"{_DIGITS[max(1, (whole + 5) // 10)]}成")


def light(row: Mapping) -> str:
    """Key of LIGHTS for a PROJECTIONS row: it grades the printed chance, never the distance from 序时进度.

    Where no chance is given, the verdict says whether a stage row is done or under way.
    """
    if row["target_low"] != row["target_low"]:
        return "none"
    p = row["probability"]
    if row["kind"] == "milestone" or p != p:
        stage = row["kind"] == "milestone" or row["verdict"] == LIGHTS["stage"][1:]
        return "met" if row["verdict"] == LIGHTS["met"][1:] else "stage" if stage else "unknown"
    if already_met(row):
        return "met"
    return "good" if whole_chance(p) >= 80 else "open" if whole_chance(p) >= 40 else "hard"


def already_met(row: Mapping) -> bool:
    """What is done suffices and cannot be taken back: a sure chance on a target that is reached."""
    actual, low = row["actual"], row["target_low"]
    reached = actual > low if row["comparator"] == "gt" else actual >= low
    return bool(
        reached and row["probability"] == 1 and row["kind"] in ("flow", "recurring", "coverage")
    )


def verb(row: Mapping) -> str:
    """A quantity is 完成, a level or rate 达到."""
    return "完成" if row["kind"] in ("flow", "recurring", "coverage") else "达到"


def target_words(row: Mapping, s: Scale | None = None, commitment: str = "") -> str:
    """The target with its comparator: 2200件目标, 超过50项的目标, 100—120家的目标, 力争目标; `commitment` is the row's."""
    s = s or scale(row["target_low"], row["unit"], _target_digits(row))
    hoped = (commitment or row.get("commitment", "firm")) == "aspiration"
    low, noun = s.text(s.round(row["target_low"])), "力争目标" if hoped else "目标"
    if row["comparator"] == "gt":
        return f"超过{low}的{noun}"
    if row["comparator"] == "between":
        return f"{low.removesuffix(s.unit)}—{s.text(s.round(row['target_high']))}的{noun}"
    return low + noun


def _target_digits(row: Mapping) -> int | None:
    return 2 if row["indicator"] == "rd_intensity" else None


def projection_sentence(row: Mapping, recent: float = float("nan"), commitment: str = "") -> str:
    """The year end of one target in words, consistent as printed.

    「全年预计2240件(80%区间2140—2340件),完成2200件目标约七成把握(较可能);已完成1640件,余下3个月月均需187件,为近12个月均值178件的1.05倍」

    Parameters
    ----------
    row : one PROJECTIONS row. recent : mean of the last 12 months (of a stock: mean monthly change), NaN if unknown.
    commitment : firm, or aspiration for 力争; without it what the row says, else firm.
    Returns
    -------
    The sentence without a full stop. All quantities share the target's scale. Needed a month = (target − done as
    printed) / months left, rounded up at the printed digits, for a strict target to the next step beyond it, so that
    doing as printed suffices; the multiple is that of the exact need and the exact mean.
    Raises
    ------
    ValueError : the probability is not between 0 and 1.
    Source
    ------
    PROJECTIONS 表;把握用语为固定七档。
    """
    if row["kind"] == "milestone":
        return "按节点推进,不给概率" + _demo(row)
    s, parts = row_scale(row), []
    if row["median"] == row["median"]:
        bare = Scale("", s.factor, s.digits)
        span = f"{bare.text(s.round(row['low']))}—{s.text(s.round(row['high']))}"
        parts.append(
            f"全年预计{s.text(s.round(row['median']))}({whole_chance(row['level'])}%区间{span})"
        )
    if row["target_low"] != row["target_low"]:
        parts.append(LIGHTS["none"])
    elif row["probability"] != row["probability"]:
        why = "按节点推进" if light(row) == "stage" else "缺少依据"
        parts.append(f"{target_words(row, s, commitment)}{why},不给概率")
    elif already_met(row):
        parts.append(f"{target_words(row, s, commitment)}已完成")
    else:
        parts.append(
            f"{verb(row)}{target_words(row, s, commitment)}{about(row['probability'])}把握"
            f"({chance_word(row['probability'])})"
        )
    done = _progress(row, s, recent)
    small = row["target_low"] < SMALL and s.digits == 0 and row["target_low"] == row["target_low"]
    return ";".join(
        filter(None, [",".join(parts), done, "数量小,单个项目即可改变结果" if small else ""])
    ) + _demo(row)


def _progress(row: Mapping, s: Scale, recent: float) -> str:
    if row["actual"] != row["actual"]:
        return "本期未报"
    month, stock = pd.Period(row["as_of"], "M").month, row["kind"] == "stock"
    if row["unit"] in SHARES:
        return f"{month}月累计为{s.text(s.round(row['actual']))}"
    parts = [("现有" if stock else "已完成") + s.text(s.round(row["actual"]))]
    need = needed(row)
    if need is not None:
        verb = "月均需净增" if stock else "月均需"
        parts.append(f"余下{12 - month}个月{verb}{s.text(need)}")
        if recent > 0:
            parts.append("为近12个月均值{}的{}".format(*_usual(row, recent)))
    return ",".join(parts)


def _usual(row: Mapping, recent: float) -> tuple[str, str]:
    """The usual month, a small count with a decimal, and how many times it the months left ask, from exact values."""
    s = row_scale(row)
    s = Scale(s.unit, s.factor, s.digits or int(recent < SMALL))
    return s.text(s.round(recent)), multiple(asked(row), recent)


def shortfall(row: Mapping) -> Decimal | None:
    """What is still missing on the printed scale: target − done as printed, of a strict target to the next step beyond;
    None where nothing is missing or known."""
    if row["target_low"] != row["target_low"] or row["actual"] != row["actual"]:
        return None
    s = row_scale(row)
    gap = (
        s.round(row["target_low"])
        + (s.step if row["comparator"] == "gt" else 0)
        - s.round(row["actual"])
    )
    return gap if gap > 0 else None


def bare_target(row: Mapping) -> str:
    """The target in a table: 2,200件, >50项, 100—120家."""
    if row["kind"] == "milestone":
        return "按节点完成"
    if row["target_low"] != row["target_low"]:
        return NONE
    s = row_scale(row)
    low = s.text(s.round(row["target_low"]), True)
    if row["comparator"] == "between":
        return f"{low.removesuffix(s.unit)}—{s.text(s.round(row['target_high']), True)}"
    return (">" if row["comparator"] == "gt" else "") + low


def needed(row: Mapping) -> Decimal | None:
    """Still needed in each remaining month as printed; None where nothing is left to do or no month is left."""
    left, gap = 12 - pd.Period(row["as_of"], "M").month, shortfall(row)
    return (
        (gap / left).quantize(row_scale(row).step, ROUND_CEILING)
        if left and gap is not None
        else None
    )


def asked(row: Mapping) -> float:
    """The same unrounded, for multiples and bars."""
    strict = float(row_scale(row).step) * row_scale(row).factor * (row["comparator"] == "gt")
    left = 12 - pd.Period(row["as_of"], "M").month
    return (row["target_low"] + strict - row["actual"]) / left


def plain_number(text: str) -> Decimal:
    """The number at the beginning of a printed quantity."""
    return Decimal(re.match(r"[\u2212\d,.]+", text).group().replace(",", "").replace(MINUS, "-"))


def _demo(row: Mapping) -> str:
    return f"({DEMO})" if row.get("demo", False) else ""


def typeset(text: str) -> str:
    """Chinese punctuation for print: , ; : ( ) beside Chinese characters become full-width; numbers stay."""
    han = "[\u4e00-\u9fff\u300a-\u300d%、。]"
    pairs = {
        ",": "\uff0c",
        ";": "\uff1b",
        ":": "\uff1a",
        "(": "\uff08",
        ")": "\uff09",
        "?": "\uff1f",
    }
    text = re.sub(r"\(([^()]*[\u4e00-\u9fff][^()]*)\)", "\uff08\\1\uff09", text)
    return re.sub(
        rf"(?<={han})[,;:?]|[,;:?](?={han})|(?<=\uff09)[,;:?]", lambda m: pairs[m.group()], text
    )


def responsible(units: str, basis: str) -> str:
    """Responsible units as printed; inferred ones are marked, none is said."""
    if not units:
        return "计划未写明"
    return units.replace(";", "、") + ("(推定)" if basis == "inferred" else "")


def block(sentences: Iterable[str], demo: bool) -> str:
    """A paragraph of sentences; made-up data say so first.

    Raises
    ------
    ValueError : a word that a projection must never use.
    """
    text = "".join(s.rstrip("。") + "。" for s in sentences if s)
    if found := [w for w in FORBIDDEN if w in text]:
        raise ValueError(f"结论中出现不用的词「{found[0]}」。")
    return (f"【{DEMO}】" if demo else "") + (text or "本期没有可写的内容。")


def fit_title(*versions: str) -> str:
    """The first version that fits on one line of 34 characters; the last is cut in front of its last clause."""
    for text in versions:
        if len(text) <= TITLE:
            return text
    last = versions[-1]
    head, comma, tail = last.rpartition(",")
    if comma and len(tail) < TITLE - 4:
        return head[: TITLE - len(tail) - 2] + "…" + comma + tail
    return last[: TITLE - 1] + "…"


def projection_numbers(
    row: Mapping, recent: float = float("nan")
) -> list[tuple[str, float, str, str]]:
    """The numbers that `projection_sentence` may print: text, value, column of PROJECTIONS ("" = derived), formula."""
    s, month = row_scale(row), pd.Period(row["as_of"], "M").month
    out = [
        (s.text(s.round(row[c])), row[c], c, "四舍五入到所示位数")
        for c in ("median", "low", "high", "target_low", "target_high", "actual")
        if row[c] == row[c]
    ]
    out.append((f"{whole_chance(row['level'])}%", row["level"], "level", "区间的覆盖率"))
    if row["probability"] == row["probability"]:
        out.append(
            (
                chance_number(row["probability"]),
                row["probability"],
                "probability",
                "年末分布超过目标的比例",
            )
        )
    out += [
        (str(12 - month), 12 - month, "", "12 − 数据截至月份"),
        (str(month), month, "", "数据截至月份"),
        ("12", 12, "", "近12个月"),
    ]
    need = needed(row)
    if need is not None:
        out.append((s.text(need), float(need), "", "(目标 − 已完成)÷ 余下月数,按所示位数进位"))
        if recent > 0:
            mean, times = _usual(row, recent)
            out += [
                (mean, recent, "", "近12个月的平均"),
                (
                    times,
                    float(times.removesuffix("倍")),
                    "",
                    "月均需 ÷ 近12个月均值,均按未取整的数",
                ),
            ]
    return out


def clean(text: str, width: int = 0) -> str:
    """Text that any XML and any cell can hold: control characters and lone surrogates go; cut to `width` with …."""
    text = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+", " ", str(text)).strip()
    return text[: width - 1] + "…" if width and len(text) > width else text


def cell_text(text: str) -> str:
    """Text of a chart's embedded cell: neither formula nor address, by a full-width sign in place of the first one."""
    text = re.sub(r"^(\w+):", lambda m: m.group(1) + "\uff1a", text)
    return chr(ord(text[0]) + 0xFEE0) + text[1:] if text and text[0] in "=+-@{" else text


def letters(text: str) -> float:
    """Width of a text in Chinese letters; beside a Latin one stands a quarter of a space."""
    mixed = sum(a.isascii() != b.isascii() for a, b in pairwise(text))
    return sum((1 if c in "%<>" else 0.57) if c.isascii() else 1 for c in text) + 0.25 * mixed


def cell_lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell of so many letters, margins included."""
    return max(1, -int(-letters(text) // (width - CELL)))


def column_widths(rows: Sequence[Sequence[str]], room: float) -> list[float]:
    """Letters for each column of a table: short ones first, then more wherever that saves most lines."""
    longest = [max(map(letters, column)) for column in zip(*rows, strict=True)]
    widths = [min(n, 5) + CELL for n in longest]
    widths = widths if sum(widths) <= room else [min(n, 3) + CELL for n in longest]

    def cost(j: int, more: int) -> float:
        """Lines of all rows if a column were wider; a broken cell counts a little even beside a longer one."""
        tall = [
            [
                cell_lines(t, w + more * (k == j))
                for k, (t, w) in enumerate(zip(r, widths, strict=True))
            ]
            for r in rows
        ]
        return sum(max(r) + 0.3 * sum(r) for r in tall)

    while True:
        steps = [
            ((cost(j, 0) - cost(j, k)) / k, -k, j)
            for j in range(len(widths))
            for k in range(1, 8)
            if sum(widths) + k <= room
        ]
        saved, k, j = max(steps, default=(0.0, 0, 0))
        if saved <= 0:
            return widths
        widths[j] -= k
