"""The one printer: it rounds every number that a person reads, once, and words it; chances, comparators and sentences.

Numbers are rounded half up from the table's value, in the plan's unit, with as many decimals as the distance to the
target needs: 2.94 of 3 % is never 2.9, 2.38 of 4 万㎡ never 2. What is still missing, and needed a month, is derived
from the numbers as printed, so that doing as printed suffices; a multiple never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache

import pandas as pd

from zcqlib import catalog
from zcqlib.catalog import Light, Lights, Target
from zcqlib.tables import REFERENCE

MINUS, NONE, DEMO = "\u2212", "—", "演示数据"
TITLE = 34  # characters of a figure's title on one line
SMALL = 30  # counts below this move by single cases
FINEST = 6  # decimals at most
SHARES = ("%", "个百分点", "件/万人", "分", "倍")
# unit of the tables → unit in print, what to divide by, from which size on, decimals
PRINTED = {"万元": ("亿元", 10_000, 1e4, 1), "平方米": ("万㎡", 10_000, 0.0, 2)}
LARGE = 1e5  # other quantities from here on in 万
STATES = REFERENCE["lights"]["light"].allowed
DONE_KINDS = ("flow", "recurring", "coverage")  # what is done is not lost again
PROSE = {"<1%": "不足1%", ">99%": "99%以上"}  # chances at the ends, in a sentence
FORBIDDEN = ("一定", "必然", "无法完成")


def exact(value: float) -> Decimal:
    """A value as its shortest decimal form says it."""
    return Decimal(repr(float(value)))


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
        return (exact(value) / self.factor).quantize(self.step, rounding=mode)

    def text(self, printed: Decimal, unit: bool = True) -> str:
        """A rounded value with minus sign, commas and unit."""
        return (MINUS if printed < 0 else "") + f"{abs(printed):,f}" + (self.unit if unit else "")

    def trimmed(self, value: float, unit: bool = True) -> str:
        """A number that was set, without idle zeros: 250亿元."""
        body = self.text(self.round(value), False)
        return (body.rstrip("0").rstrip(".") if "." in body else body) + (self.unit if unit else "")

    def finer(self, aim: float, values: Iterable[float], most: int = FINEST) -> Scale:
        """With so many decimals, `most` at most, that no value moves by more than a quarter of its distance to the aim."""
        if aim != aim or not (self.digits or self.factor > 1):
            return self
        digits = self.digits
        for value in (v for v in values if v == v and v != aim):
            distance, v = abs(exact(aim) - exact(value)) / self.factor, exact(value) / self.factor
            while digits < most and 4 * abs(v.quantize(Decimal(1).scaleb(-digits)) - v) > distance:
                digits += 1
        return Scale(self.unit, self.factor, digits)


def scale(size: float, unit: str, digits: int | None = None) -> Scale:
    """The scale on which a value of this size, in the catalog's unit, is printed.

    Money from 1亿元 on in 亿元 and other quantities from 100,000 on in 万 have one decimal, areas in 万㎡ two; shares,
    rates and points have one, counts none. `digits` overrides.
    """
    size = abs(size) if size == size else 0.0
    printed, factor, least, usual = PRINTED.get(unit, ("万" + unit, 10_000, LARGE, 1))
    if unit in SHARES or unit == "亿元":
        printed, factor, usual = unit, 1, 1
    elif size < least:
        printed, factor, usual = unit, 1, 0
    return Scale(printed, factor, usual if digits is None else digits)


def row_scale(row: Mapping) -> Scale:
    """The one scale on which all quantities of a target are printed together."""
    values = [row["target_low"], row["actual"], row["median"]]
    size = max((abs(v) for v in values if v == v), default=0.0)
    own = scale(size, row["unit"]).finer(row["target_low"], values[1:2])
    return own.finer(row["target_low"], values[2:], 2)  # a forecast is never so exact


def of_target(row: Mapping, value: float) -> str:
    """A quantity of a target on the target's scale, 「—」 where there is none: the same in figure, table and slide."""
    s = row_scale(row)
    return s.text(s.round(value)) if value == value else NONE


def number(value: float, unit: str = "", digits: int | None = None) -> str:
    """A number with its unit, 「—」 where there is none: 2,200件, 12.3万件, 201.4亿元, 2.6%."""
    if value is None or value != value:
        return NONE
    s = scale(value, unit, digits)
    return s.text(s.round(value))


def multiple(value: float, base: float) -> str:
    """How many times the base: 1.05倍; 「—」 where the base is not positive."""
    if not base > 0 or value != value:
        return NONE
    return f"{(exact(value) / exact(base)).quantize(Decimal('.01'), ROUND_HALF_UP)}倍"


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
    step, parts = Decimal(1).scaleb(-digits), [exact(v) for v in values]
    floors = [v.quantize(step, ROUND_FLOOR) for v in parts]
    total = sum(parts, Decimal(0)) if whole is None else exact(whole)
    want = total.quantize(step, ROUND_HALF_UP)
    spare = int((want - sum(floors, Decimal(0))) / step)
    if not 0 <= spare <= len(parts):
        raise ValueError(f"各部分合计 {sum(parts)} 与总数 {want} 相差太大,不是凑整能解决的。")
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    return [f + step if i in order[:spare] else f for i, f in enumerate(floors)]


# --- chances ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _lights(path, stamp: float) -> Lights:
    return catalog.load(path.parent).lights


def lights() -> Lights:
    """The workspace's scale of words for a chance, read again where its file has changed."""
    path = catalog.reference_folder() / "lights.csv"
    return _lights(path, path.stat().st_mtime)


def whole_chance(p: float) -> int:
    """The chance in whole per cent, as printed and graded."""
    if not 0 <= p <= 1:
        raise ValueError(f"把握 {p} 不在 0 到 1 之间。")
    return int((exact(p) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def chance_number(p: float) -> str:
    """73%, with <1% and >99% at the ends and 「—」 for none."""
    if p != p:
        return NONE
    return "<1%" if p < 0.01 else ">99%" if p > 0.99 else f"{whole_chance(p)}%"


def chance_prose(p: float) -> str:
    """The same in a sentence: 73%, 不足1%, 99%以上."""
    printed = chance_number(p)
    return PROSE.get(printed, printed)


def chance_word(p: float) -> str:
    """The fixed word for a chance; it grades the per cent as printed."""
    return NONE if p != p else lights().of(whole_chance(p)).words


def light(row: Mapping) -> Light:
    """The light of a PROJECTIONS row: it grades the printed chance, never the distance from 序时进度.

    Where no chance is given, the verdict says whether a stage row is done or under way.
    """
    known, p = lights(), row["probability"]
    if row["target_low"] != row["target_low"]:
        return known.state("none")
    if p == p and row["kind"] != "milestone":
        return known.state("met") if already_met(row) else known.of(whole_chance(p))
    said = [s for s in map(known.state, ("met", "stage", "thin")) if s.words == row["verdict"]]
    none = "unknown" if row["actual"] != row["actual"] else "thin"
    return said[0] if said else known.state("stage" if row["kind"] == "milestone" else none)


def already_met(row: Mapping) -> bool:
    """What is done suffices and cannot be taken back: a sure chance on a target that is reached."""
    sure = row["probability"] == 1 and row["kind"] in DONE_KINDS
    return bool(sure and Target.of(row).met(row["actual"]))


# --- targets in words ---------------------------------------------------------------------------------------------


def verb(row: Mapping) -> str:
    """A quantity is 完成, a level or rate 达到."""
    return "完成" if row["kind"] in DONE_KINDS else "达到"


def target(row: Mapping, s: Scale | None = None, words: bool = True) -> str:
    """The target as a title or tick prints it: 超过5,000件, 100—120家, 力争80家, 按节点完成; without `words` as a table
    does: >5,000件, ≥80家."""
    if row["kind"] == "milestone":
        return "按节点完成"
    if row["target_low"] != row["target_low"]:
        return NONE
    promise = Target.of(row)
    s = s or row_scale(row)
    low = s.trimmed(promise.low)
    if promise.comparator == "between":
        low = f"{s.trimmed(promise.low, False)}—{s.trimmed(promise.high)}"
    if not words:
        return promise.sign + low
    return ("力争" if promise.commitment == "aspiration" else "") + promise.word + low


def target_words(row: Mapping, s: Scale | None = None) -> str:
    """The target in a sentence: 2,200件目标, 超过50项的目标, 100—120家的目标, 2,200件力争目标."""
    promise, printed = Target.of(row), target(row, s).removeprefix("力争")
    of = "的" if promise.comparator in ("gt", "between") else ""
    return f"{printed}{of}{'力争' if promise.commitment == 'aspiration' else ''}目标"


def chance_sentence(row: Mapping, s: Scale | None = None) -> str:
    """完成2,200件目标的把握73%(尚有悬念), 完成超过50项的把握42%(尚有悬念)."""
    p, words = row["probability"], target_words(row, s).removesuffix("的目标")
    return f"{verb(row)}{words}的把握{chance_prose(p)}({chance_word(p)})"


def projection_sentence(row: Mapping, recent: float = float("nan")) -> str:
    """The year end of one target in words, consistent as printed.

    「全年预计2,240件(80%区间2,140–2,340件),完成2,200件目标的把握73%(尚有悬念);已完成1,640件,余下3个月月均需187件,为近12个月均值178件的1.05倍」

    Parameters
    ----------
    row : one PROJECTIONS row, with `commitment` where it is known. recent : mean of the last 12 months (of a stock:
        mean monthly change), NaN if unknown.
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
    PROJECTIONS 表;把握用语见 lights 参考表。
    """
    if row["kind"] == "milestone":
        return "按节点推进,不给概率" + _demo(row)
    s, parts, has_target = row_scale(row), [], row["target_low"] == row["target_low"]
    if row["median"] == row["median"]:
        span = f"{s.text(s.round(row['low']), False)}–{s.text(s.round(row['high']))}"
        level = whole_chance(row["level"])
        parts.append(f"全年预计{s.text(s.round(row['median']))}({level}%区间{span})")
    if not has_target:
        parts.append(lights().state("none").words)
    elif row["probability"] != row["probability"]:
        why = "按节点推进" if light(row).light == "stage" else "缺少依据"
        parts.append(f"{target_words(row, s)}{why},不给概率")
    else:
        done = already_met(row)
        parts.append(f"{target_words(row, s)}已完成" if done else chance_sentence(row, s))
    small = has_target and row["target_low"] < SMALL and s.digits == 0
    more = [",".join(parts), _progress(row, s, recent)]
    more += ["数量小,单个项目即可改变结果"] * small
    return ";".join(filter(None, more)) + _demo(row)


def _progress(row: Mapping, s: Scale, recent: float) -> str:
    if row["actual"] != row["actual"]:
        some = row["verdict"] == lights().state("thin").words  # of the parks have sent theirs
        return "本期没有报齐" if some else "本期未报"
    to, stock = reached_in(row), row["kind"] == "stock"
    if row["unit"] in SHARES:
        return f"{to.month}月累计为{s.text(s.round(row['actual']))}"
    late = f"截至{to.month}月" * (to != pd.Period(row["as_of"], "M"))
    parts = [late + ("现有" if stock else "已完成") + s.text(s.round(row["actual"]))]
    need = needed(row)
    if need is not None:
        each = "月均需净增" if stock else "月均需"
        parts.append(f"余下{months_left(row)}个月{each}{s.text(need)}")
        if recent > 0:
            parts.append("为近12个月均值{}的{}".format(*_usual(row, recent)))
    return ",".join(parts)


def _usual(row: Mapping, recent: float) -> tuple[str, str]:
    """The usual month, a small count with a decimal, and how many times it the months left ask, from exact values."""
    s = usual_scale(row_scale(row), recent)
    return s.text(s.round(recent)), multiple(asked(row), recent)


def usual_scale(s: Scale, recent: float) -> Scale:
    """How the usual month is printed beside quantities of this scale."""
    return Scale(s.unit, s.factor, s.digits or int(recent < SMALL))


def reached_in(row: Mapping) -> pd.Period:
    """The month that a target's figure now belongs to: that of the report where nothing else is known."""
    to = row.get("actual_to")
    return to if isinstance(to, pd.Period) else pd.Period(row["as_of"], "M")


def months_left(row: Mapping) -> int:
    """Months of the year behind the figure now."""
    return pd.Period(row["as_of"], "Y").asfreq("M", "end").ordinal - reached_in(row).ordinal


def shortfall(row: Mapping) -> Decimal | None:
    """What is still missing on the printed scale, of a strict target to the next step beyond; None where nothing is
    missing or known."""
    if row["target_low"] != row["target_low"] or row["actual"] != row["actual"]:
        return None
    s = row_scale(row)
    printed = Target(row["comparator"], s.round(row["target_low"]))
    gap = printed.gap(s.round(row["actual"]), s.step)
    return gap if gap > 0 else None


def needed(row: Mapping) -> Decimal | None:
    """Still needed in each remaining month as printed; None where nothing is left to do or no month is left."""
    left, gap = months_left(row), shortfall(row)
    if not left or gap is None:
        return None
    return (gap / left).quantize(row_scale(row).step, ROUND_CEILING)


def asked(row: Mapping) -> float:
    """The same unrounded, for multiples and bars."""
    s = row_scale(row)
    step = float(s.step) * s.factor
    return Target.of(row).gap(row["actual"], step) / months_left(row)


def plain_number(text: str) -> Decimal:
    """The number at the beginning of a printed quantity."""
    return Decimal(re.match(r"[\u2212\d,.]+", text).group().replace(",", "").replace(MINUS, "-"))


def _demo(row: Mapping) -> str:
    return f"({DEMO})" if row.get("demo", False) else ""


# --- text ---------------------------------------------------------------------------------------------------------


def typeset(text: str) -> str:
    """Chinese punctuation for print: , ; : ( ) beside Chinese characters become full-width; numbers stay."""
    han = "[\u4e00-\u9fff\u300a-\u300d%、。]"
    wide = {c: chr(ord(c) + 0xFEE0) for c in ",;:()?"}
    text = re.sub(r"\(([^()]*[\u4e00-\u9fff][^()]*)\)", "\uff08\\1\uff09", text)
    return re.sub(
        rf"(?<={han})[,;:?]|[,;:?](?={han})|(?<=\uff09)[,;:?]", lambda m: wide[m.group()], text
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
    clauses = re.split(r",(?!\d{3}(?!\d))", last)  # the comma of a number parts no clauses
    tail = clauses[-1]
    if len(clauses) > 1 and len(tail) < TITLE - 4:
        return last[: TITLE - len(tail) - 2] + "…," + tail
    return last[: TITLE - 1] + "…"
