"""What a person sees in a cell: number formats applied, struck and raised text told from the rest.

Every reader lays its cells out here, so that there is one rule for all formats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import NamedTuple

from xlrd import xldate_as_datetime

from zcqlib.reports.grid import (
    MAX_CELL,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    At,
    Budget,
    Sheet,
    remember,
    too_large,
    written,
)

# number formats -----------------------------------------------------------------------------------------------------

_LITERAL = re.compile(r'"([^"]*)"?|[\\!](.)|(_.)|\*.|\[\$([^\]-]*)[^\]]*\]', re.S)
_AWAY = 0xF0000  # literal text of a format is kept out of its signs' way, so much further up
_GENERAL = "General(?: Number)?|G/通用格式|Standard"
_PART = re.compile(
    rf"(?P<before>.*?)(?P<whole>{_GENERAL}|[0#?](?:[-0#?, \U000f0000-\U0010ffff]*[0#?])?|(?=\.[0#?])|$)"
    r"(?P<scale>,*)(?P<point>\.?)(?P<places>[0#?]*)(?P<more>,*)(?P<after>.*)",
    re.I | re.S,
)
_FORMS = (  # what a part of a format is, by the first of these that is found in it
    ("general", _GENERAL),
    ("other", r"[0#?].*(?:E[+-]|/)|/.*[0#?]"),  # powers, fractions
    ("number", "[0#?]"),
    ("date", "[ymdhsegb]|上午"),
    ("text", "@"),
    ("none", ""),
)
_NAMED = {  # how XML spreadsheets of 2003 call some formats
    "percent": "0.00%",
    "fixed": "0.00",
    "standard": "#,##0.00",
    "currency": "#,##0.00",
    "scientific": "0.00E+00",
}
_ORDER = dict(zip("< <= > >= = <>".split(), (lt, le, gt, ge, eq, ne), strict=True))
_FIGURE = re.compile(
    r"(\D*?)(\d[\d,]*(?:[ \u00a0\u2009\u202f]\d{3})*(?:\.\d+)?|(?<!\w)\.\d+)(.*)", re.S
)
_POWER = re.compile(r"E[+-]?\d|\s*/\d|\s\d+/\d", re.I)  # and fractions, behind a figure
_SECOND = re.compile(r"[^(（\[]*\d")  # another figure behind it, which is no mark of a note
_SIGNS = re.compile(r"RMB|CNY|人民币|[-+−－()（）\s￥¥$€£*↑↓▲△▼▽]")
_DASHES = re.compile(r"\s*[-−－—–]+\s*")
_WORDS = {"百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8}
_USUAL = re.compile(r"(#,##)?0(?:\.(0+))?")  # only rounds and groups


class Seen(NamedTuple):
    """A formatted number: what is to be read of it, its displayed text, whether that is another number or has a unit of
    its own, why the two do not agree ("" where they do), and whether it is shown as a percentage."""

    row: object
    text: str
    other: bool = False
    held: str = ""
    percent: bool = False


class Section(NamedTuple):
    """One part of a number format: its kind, what it is written with, its condition, and whether it is red."""

    kind: str
    parts: re.Match
    when: re.Match | None
    red: bool


def _hidden(m: re.Match) -> str:
    text = " " if m[3] else m[1] or m[2] or m[4] or ""
    return "".join(chr(_AWAY + ord(c) % 2**16) for c in text)


def _told(text: str) -> str:
    return "".join(chr(ord(c) % _AWAY) for c in text)


@remember
def sections(code: str) -> tuple[Section, ...]:
    """A number format, part by part."""
    code = _NAMED.get(code.strip().lower(), code)[:1000]
    return tuple(map(_section, _LITERAL.sub(_hidden, code).split(";")[:4]))


def _section(text: str) -> Section:
    red = re.search(r"\[(?:red|红色)\]", text, re.I) is not None
    when = re.search(r"\[([<>]=?|=|<>)(-?[\d.]+)\]", text)
    text = re.sub(r"\[(?![hms]+\])[^\]]*\]", "", text, flags=re.I)
    kind = next(name for name, form in _FORMS if re.search(form, text, re.I))
    return Section(kind, _PART.fullmatch(text), when, red)


def _chosen(parts: tuple[Section, ...], value: float) -> tuple[Section, bool]:
    """The part that a value is written by, and whether a minus is written by itself."""
    if any(p.when for p in parts):
        fits = (p for p in parts[:3] if not p.when or _ORDER[p.when[1]](value, float(p.when[2])))
        return next(fits, parts[-1]), value < 0
    if value < 0 and len(parts) > 1:
        return parts[1], False
    return parts[2 if value == 0 and len(parts) > 2 else 0], value < 0


def _digits(m: re.Match, scaled: Decimal) -> str:
    """The digits of a number in the places of a format."""
    places = m["places"]
    rounded = scaled.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:{',' if ',' in m['whole'] else ''}f}".partition(".")
    signs = re.sub("[^0#?]", "", m["whole"])
    whole = ("" if whole == "0" else whole).zfill(len(signs.lstrip("#?")))
    for i, text in enumerate(m["whole"]):
        if text not in "0#?,":
            right = len(re.sub("[^0#?]", "", m["whole"][i:]))
            whole = f"{whole[:-right]}{_told(text)}{whole[-right:]}"
    needed = len(places.rstrip("#?"))
    return whole + m["point"] + decimals[:needed] + decimals[needed:].rstrip("0")


def seen(value: float, code: str) -> Seen:
    """A number as its format shows it."""
    m = _USUAL.fullmatch(code)
    if m and round(value, places := len(m[2] or "")) == value:
        return Seen(value, f"{value:{',' if m[1] else ''}.{places}f}")
    (kind, m, _, red), signed = _chosen(sections(code), value)
    before, after = _told(m["before"]), _told(m["after"])
    general = kind == "general"
    if kind in ("date", "text", "other") or general and not before + after:
        return Seen(value, written(value))
    percent = "%" in m["before"] + m["after"]
    scaled = Decimal(repr(abs(value))) * 100**percent / 1000 ** len(m["scale"] + m["more"])
    body = f"{scaled.normalize():f}" if general else _digits(m, scaled) * (kind == "number")
    return told(value, f"{'-' * signed}{before}{body}{after}", percent, red)


def told(value: float, text: str, percent: bool, red: bool = False) -> Seen:
    """What is to be read of a stored number beside the text that is displayed for it, perhaps in red.

    Where the text only rounds, groups, colours or marks the sign, the stored number is read. Scale commas, and words
    behind the digits, make what is shown another figure, and that one is read. Anything else does not agree.
    """
    text, exact, m = text.strip(), Decimal(repr(abs(value))), _FIGURE.fullmatch(text.strip())
    if value == 0 and _DASHES.fullmatch(text) or m and _POWER.match(m[3]):
        return Seen(value, text, percent=percent)
    differs = Seen(value, text, held=f"显示为「{text or '空白'}」,实际存的是 {written(value)}")
    if m is None or _SECOND.match(m[3]) or not _same_sign(value, m[1], red):
        return differs
    before, body, after = m.groups()
    percent = percent or "%" in after and _near(exact * 100, body)
    scaled = exact * 100**percent
    power = next((n for n in range(13) if _near(scaled / 10**n, body)), None)
    if power is None:
        return differs
    bare = re.sub(r"[,\s]", "", body)  # a blank between thousands is only a separator
    left, right = (_SIGNS.sub("", t.replace("%", "") if percent else t) for t in (before, after))
    sign = "-" if value < 0 else ""
    if not any(c.isalpha() or c in "%％‰℃°" for c in left + right):
        row = float(sign + bare) if power else value
        return Seen(row, text, power > 0, percent=percent)
    if power and power == _WORDS.get(right) and not left:
        return Seen(value, text)  # 1234.6万 is but another writing of 12345678
    exact = bare if power else f"{scaled.normalize():f}"
    return Seen(f"{sign}{left}{exact}{'%' * percent}{right}", text, True, percent=percent)


def _same_sign(value: float, before: str, red: bool) -> bool:
    """Whether what stands before the digits says that the number is negative exactly where it is."""
    if before.endswith(".") or value > 0 and re.search(r"[-−－]\s*$", before):
        return False
    return value >= 0 or red or bool(before.strip())


def _near(exact: Decimal, shown: str) -> bool:
    """Whether a shown number is this one, rounded to its places."""
    number = Decimal(re.sub(r"[,\s]", "", shown))
    return abs(exact - number) * 2 <= Decimal(1).scaleb(number.as_tuple().exponent)


# cells --------------------------------------------------------------------------------------------------------------

_AS_STORED = {"", "General", "@", None}  # formats that show the plain value
_RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
TAGS = dict.fromkeys(("s", "del", "strike"), {"struck": True})
TAGS |= dict.fromkeys(("sup", "sub"), {"raised": True})
# how text looks, the properties that say so in the words of all formats, and what they say then
_LOOKS = """
struck  d?strike(?:through)?                         on|1|true
struck  text-line-through-(?:style|type)             single|solid|d(?:ouble|ash|ot)|long|wave
struck  text-decoration(?:-line)?                    .*line-through
raised  vert(?:ical-?)?align                         su[pb]
raised  (?:text-)?position                           su[pb]|(?!0|100%)-?\\d
hidden  vanish                                       on|1|true
hidden  display|visibility|mso-hide|font-size        none|false|hidden|collapse|all|0(?:p[xt])?\\s*$
"""
_LOOKS = [line.split() for line in _LOOKS.strip().splitlines()]


def stated(properties: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """What properties say of the look of text: struck, raised, hidden, each where they say anything."""
    out = {}
    for name, value in properties:
        for look, names, values in _LOOKS:
            if re.fullmatch(names, name, re.I):
                out[look] = out.get(look, False) or bool(re.match(values, value, re.I))
    return out


class Run(NamedTuple):
    """A piece of a cell's text."""

    text: str
    struck: bool | None = None  # None: as its cell
    raised: bool = False


@dataclass(frozen=True)
class Cells(Sheet):
    """A sheet while a reader lays it out."""

    budget: Budget = field(kw_only=True)
    mode: bool = field(default=False, kw_only=True)  # whether its days are counted from 1904

    def __post_init__(self) -> None:
        self.budget.spend(tables=1)

    def place(self, r: int, c: int) -> None:
        """Make room up to a cell.

        Raises
        ------
        Refused : it stands too far away.
        """
        rows = self.rows
        if r >= MAX_ROWS or c >= MAX_COLUMNS or r * c > 5 * MAX_CELLS:
            far = f"有内容的单元格超出 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限(或位置过远)"
            raise too_large(far)
        rows += [[] for _ in range(r + 1 - len(rows))]
        if (more := c + 1 - len(rows[r])) > 0:
            self.budget.spend(cells=more)
            rows[r] += [""] * more

    def add(self, row: list) -> None:
        """One more row as it is."""
        self.place(len(self.rows), len(row) - 1)
        self.rows[-1] = row

    def put(self, r: int, c: int, value: object, code: str = "", struck: bool = False) -> None:
        """A cell's value, or the pieces of its text; its number format, and whether a line is through it: nobody knows
        by it what counts instead."""
        self.place(r, c)
        if isinstance(value, list):
            value, struck = self.runs((r, c), value, struck)
        if type(value) is str:
            self.budget.spend(letters=len(value))
        elif type(value) is float and (code not in _AS_STORED or not math.isfinite(value)):
            if 1 <= value < 2_958_466 and sections(code)[0].kind == "date":
                value = xldate_as_datetime(value, self.mode)
            else:
                shows = seen(value, code) if math.isfinite(value) else Seen("#NUM!", "")
                value = self.keep((r, c), value, shows)
        self.rows[r][c] = value
        if struck and value not in ("", None):
            self.struck.add((r, c))
            self.held[r, c] = "整格被划去"

    def keep(self, at: At, value: float, found: Seen) -> object:
        """What is to be read of a number; the rest is noted."""
        plain = written(value)
        if found.percent and not isinstance(found.row, str):
            self.percent.add(at)
        if found.text != plain:
            self.shown[at] = found.text
            m = re.search(r"\d(?:\.(\d+))?(?![\d,.])", found.text)
            if m and not value.is_integer():
                self.decimals[at] = len(m[1] or "")
        if found.other:
            self.stored[at] = plain
        if found.held:
            self.held[at] = found.held
        return found.row

    def runs(self, at: At, runs: list[Run], whole: bool) -> tuple[str, bool]:
        """The text of a cell without what is struck out, and without the marks of notes; and whether all is struck out
        (`whole`: so is a piece that does not say)."""
        kept, out, notes = "", "", ""
        for text, struck, raised in runs:
            if whole if struck is None else struck:
                out += text
            elif raised and text.strip() and not re.search("[a-zA-Z]$", kept):
                notes += text.strip()
            else:
                kept += text.translate(_RAISED) if raised else text
        kept, out = kept.strip(), out.strip()
        if not kept and not out:
            kept, notes = notes, ""
        if notes:
            self.comments[at] = f"{self.comments.get(at, '')} {notes}".strip()
        if out and kept:
            self.struck.add(at)
            self.stored[at] = "".join(x.text for x in runs).strip()[:MAX_CELL]
        return kept or out, not kept

    def sheet(self, name: str, title: str = "", hidden: bool = False) -> Sheet:
        """The finished sheet, its texts within their limit."""
        for r, row in enumerate(self.rows):
            for c, v in enumerate(row):
                if type(v) is str and len(v) > MAX_CELL:
                    row[c] = v[:MAX_CELL]
                    self.long.append((r, c))
        last, wide = len(self.rows) - 1, max(map(len, self.rows), default=0) - 1
        merged = []
        for a, b, c, d in self.merged:
            c, d = min(c, last), min(d, wide)
            if a <= c and b <= d and (a, b) != (c, d):
                self.budget.spend(cells=(c - a + 1) * (d - b + 1))
                merged.append((a, b, c, d))
        own = {f.name: getattr(self, f.name) for f in fields(Sheet)}
        return Sheet(**own | dict(name=name, title=title, hidden=hidden, merged=merged))
