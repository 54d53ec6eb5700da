"""What a person sees in a cell: number formats applied, struck and raised text told from the rest.

Every reader lays its cells out here, so that there is one rule for all formats.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from zcqlib.reports.grid import MAX_CELL, Budget, Sheet, cut

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|[\\!](?P<escaped>.)|_(?P<gap>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General(?: Number)?|G/通用格式|Standard)|(?P<exponent>E[+-])|(?P<digit>[0#?])"
    r"|(?P<mark>[.,%/@;])|(?P<date>AM/PM|A/P|上午/下午|[ymdhsegb]+|aaaa?)|(?P<other>.)",
    re.I | re.S,
)
_NAMED = {  # how XML spreadsheets of 2003 call some formats
    "percent": "0.00%",
    "fixed": "0.00",
    "standard": "#,##0.00",
    "currency": "#,##0.00",
    "scientific": "0.00E+00",
}
_CONDITION = re.compile(r"([<>]=?|=|<>)(-?[\d.]+)")
_SIGNS = re.compile(r"RMB|CNY|人民币|[-+−－()（）\s￥¥$€£*↑↓▲△▼▽]")
_DASHES = re.compile(r"\s*[-−－—–]+\s*")
_WORDS = {"百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8}
_SEVERAL = re.compile(r"\s*[-+]?[\d.,]+%?(?:\s*[\n\t]\s*[-+]?[\d.,]+%?)+\s*")
_DAY_0 = datetime(1899, 12, 30)
_RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")


class Seen(NamedTuple):
    """A formatted number: what is to be read of it, its displayed text, whether that is another number or has a unit of
    its own, and why the two do not agree ("" where they do)."""

    row: object
    text: str
    other: bool = False
    held: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a number format, taken apart around its digits."""

    before: str
    digits: tuple[tuple[str, str], ...]  # whole part: placeholders, and literals between them
    after: str
    places: str  # placeholders behind the point
    point: bool
    thousands: int  # scale commas
    percent: int
    grouped: bool
    kind: str  # number, general, other (powers, fractions), date, text, none
    red: bool
    condition: tuple[str, float] | None

    @property
    def plain(self) -> bool:
        return (
            self.kind == "number"
            and not (self.before or self.after or self.thousands or self.percent)
            and all(kind == "digit" for kind, _ in self.digits)
            and "".join(text for _, text in self.digits).lstrip("#") == "0"
            and "#" not in self.places
            and "?" not in self.places
        )


def _section(tokens: list[tuple[str, str]]) -> Section:
    red = any(k == "bracket" and t.lower() in ("red", "红色") for k, t in tokens)
    condition = None
    clean: list[tuple[str, str]] = []
    for kind, text in tokens:
        if kind == "bracket":
            if m := _CONDITION.fullmatch(text):
                condition = (m[1], float(m[2]))
            elif text.startswith("$"):
                clean.append(("literal", text[1:].partition("-")[0]))
            elif text.lower().strip("hms") == "":
                clean.append(("date", text))
        elif kind in ("quoted", "escaped", "other"):
            clean.append(("literal", text))
        elif kind == "gap":
            clean.append(("literal", " "))
        elif kind != "fill":
            clean.append((text if kind == "mark" else kind, text))
    kinds = [k for k, _ in clean]
    at = [i for i, k in enumerate(kinds) if k in ("digit", "general")]
    kind = (
        "date"
        if "date" in kinds and not at
        else "general"
        if "general" in kinds
        else "other"
        if at and ("exponent" in kinds or "/" in kinds)
        else "number"
        if at
        else "text"
        if "@" in kinds
        else "none"
    )
    first, last = (at[0], at[-1]) if at else (len(clean), len(clean) - 1)
    body, rest = clean[first : last + 1], clean[last + 1 :]
    point = next((i for i, (k, _) in enumerate(body) if k == "."), len(body))
    whole = body[:point]
    inner = max((i for i, (k, _) in enumerate(whole) if k == "digit"), default=-1)
    trailing = 0
    while trailing < len(rest) and rest[trailing][0] == ",":
        trailing += 1
    return Section(
        "".join(t for k, t in clean[:first] if k in ("literal", "%")),
        tuple((k, t) for k, t in whole if k in ("digit", "literal")),
        "".join(t for k, t in rest if k in ("literal", "%") or k == "." and not trailing),
        "".join(t for k, t in body[point + 1 :] if k == "digit"),
        point < len(body),
        trailing + sum(k == "," for k, _ in whole[inner + 1 :]),
        kinds.count("%"),
        any(k == "," for k, _ in whole[: inner + 1]),
        kind,
        red,
        condition,
    )


@lru_cache(maxsize=4096)
def sections(code: str) -> tuple[Section, ...]:
    """A number format, part by part."""
    code = _NAMED.get(code.strip().lower(), code)
    parts: list[list[tuple[str, str]]] = [[]]
    for m in _TOKEN.finditer(code[:1000]):
        kind, text = m.lastgroup, m[m.lastgroup] if m.lastgroup else ""
        if kind == "mark" and text == ";":
            parts.append([])
        elif kind:
            parts[-1].append((kind, text))
    return tuple(map(_section, parts[:4]))


def is_date(code: str) -> bool:
    return sections(code)[0].kind == "date"


def dated(day: datetime, code: str) -> str:
    """A date as its format shows it."""
    out = ""
    for m in _TOKEN.finditer(code.split(";")[0]):
        kind, text = m.lastgroup, m[m.lastgroup] if m.lastgroup else ""
        if kind == "date":
            n = {"y": day.year, "m": day.month, "d": day.day, "h": day.hour, "s": day.second}
            number = n.get(text[0].lower())
            wide = 4 if text[0] in "yY" and len(text) > 2 else 2
            out += "" if number is None else str(number).zfill(min(len(text), wide))[-wide:]
        elif kind in ("quoted", "escaped", "other", "mark"):
            out += text.removesuffix("@")
    return out.strip()


def _holds(condition: tuple[str, float], value: float) -> bool:
    sign, limit = condition
    return {
        "<": value < limit,
        "<=": value <= limit,
        ">": value > limit,
        ">=": value >= limit,
        "=": value == limit,
        "<>": value != limit,
    }[sign]


def _chosen(parts: tuple[Section, ...], value: float) -> tuple[Section, bool]:
    """The part that a value is written by, and whether a minus is written by itself."""
    if any(p.condition for p in parts):
        for p in parts[:3]:
            if p.condition is None or _holds(p.condition, value):
                return p, True
        return parts[-1], True
    numbers = parts[:3]
    if value < 0 and len(numbers) > 1:
        return numbers[1], False
    if value == 0 and len(numbers) > 2:
        return numbers[2], False
    return numbers[0], True


def _digits(part: Section, scaled: Decimal) -> str:
    """The digits of a number in the places of a format."""
    rounded = scaled.quantize(Decimal(1).scaleb(-len(part.places)), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    whole = whole.lstrip("0")
    out, count = [], 0
    first = next(i for i, (kind, _) in enumerate(part.digits) if kind == "digit")
    for i in range(len(part.digits) - 1, -1, -1):
        kind, text = part.digits[i]
        if kind == "literal":
            out.append(text)
            continue
        take = len(whole) if i == first else 1
        for d in reversed(whole[max(len(whole) - take, 0) :] or {"0": "0", "?": " "}.get(text, "")):
            out += [","] if part.grouped and count and count % 3 == 0 and d != " " else []
            out.append(d)
            count += 1
        whole = whole[: max(len(whole) - take, 0)]
    needed = len(part.places.rstrip("#?"))
    while len(decimals) > needed and decimals.endswith("0"):
        decimals = decimals[:-1]
    return "".join(reversed(out)) + ("." + decimals if part.point else "")


def written(value: float) -> str:
    """A number as plain text."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def seen(value: float, code: str) -> Seen:
    """A number as its format shows it.

    Where the format only rounds, groups, colours or marks the sign, the stored number is read. Scale commas, and words
    behind the digits, make what is shown another figure, and that one is read. Anything else does not agree.
    """
    part, signed = _chosen(sections(code), value)
    if part.plain:
        places = len(part.places)
        if round(value, places) == value and (signed or value >= 0):
            return Seen(value, f"{value:{',' if part.grouped else ''}.{places}f}")
    if part.kind in ("date", "text"):
        return Seen(value, written(value))
    stored = Decimal(repr(abs(value)))
    scaled = stored * 100**part.percent / 1000**part.thousands
    body = (
        ""
        if part.kind == "none"
        else _digits(part, scaled)
        if part.kind == "number"
        else written(abs(value))
    )
    minus = "-" if value < 0 and signed and scaled else ""
    places = len(part.places) if part.kind == "number" else 15
    shape = _Shape(minus + part.before, body, part.after, part.percent, places, part.red)
    return _agree(value, scaled, shape, part.thousands > 0)


class _Shape(NamedTuple):
    """A number's displayed text around its digits."""

    before: str
    body: str
    after: str
    percent: int
    places: int
    red: bool = False


_FIGURE = re.compile(r"(\D*?)(\d[\d,]*(?:\.\d+)?)(.*)", re.S)


def told(value: float, text: str, percent: bool) -> Seen:
    """A stored number beside the text that is displayed for it, where a file has both and no format."""
    m = _FIGURE.fullmatch(text.strip())
    if m is None:
        return _agree(value, Decimal(repr(abs(value))), _Shape(text, "", "", 0, 0), False)
    if re.match(r"E[+-]?\d|\s*/\d|\s\d+/\d", m[3], re.I):  # powers, fractions
        return Seen(value, text.strip())
    stored, places = Decimal(repr(abs(value))), len(m[2].partition(".")[2])
    number = Decimal(m[2].replace(",", ""))
    percent = percent or "%" in m[3] and _near(stored * 100, number, places)
    return _agree(
        value, stored * 100**percent, _Shape(m[1], m[2], m[3], int(percent), places), False
    )


def _agree(value: float, scaled: Decimal, shape: _Shape, thousands: bool) -> Seen:
    """What is to be read of a number, given what it stands for in its format and how it is shown."""
    before, body, after, percent, places, red = shape
    text = f"{before}{body}{after}".strip()
    differs = Seen(value, text, False, f"显示为「{text or '空白'}」,实际存的是 {written(value)}")
    if value == 0 and _DASHES.fullmatch(text):
        return Seen(value, text)
    bare = re.sub(r"[,\s]", "", body)  # a blank between thousands is only a separator
    try:
        number = Decimal(bare)
    except ArithmeticError:
        return differs
    moved = not _near(scaled, number, places)
    if (
        moved
        and not any(_near(scaled / 10**n, number, places) for n in range(1, 13))
        or re.search(r"[\d.]$", before)
        or re.match(r"\d", after)
        or value < 0 < scaled
        and not (red or before.strip())
        or value > 0
        and re.search(r"[-−－]\s*$", before)
    ):
        return differs
    left, right = (_SIGNS.sub("", t.replace("%", "") if percent else t) for t in (before, after))
    other = moved or thousands
    sign = "-" if value < 0 else ""
    if any(c.isalpha() or c in "%％‰℃°" for c in left + right):
        power = 0 if left else _WORDS.get(right, 0)
        if power and other and _near(Decimal(repr(abs(value))) / 10**power, number, places):
            return Seen(value, text)  # 1234.6万 is but another writing of 12345678
        exact = bare if other else f"{scaled.normalize():f}"
        return Seen(f"{sign}{left}{exact}{'%' * percent}{right}", text, True)
    return Seen(float(sign + bare) if other else value, text, other)


def _near(exact: Decimal, shown: Decimal, places: int) -> bool:
    """Whether a shown number is this one, rounded to its places."""
    places = max(places, -shown.as_tuple().exponent)
    return abs(exact - shown) * 2 <= Decimal(1).scaleb(-places)


class Run(NamedTuple):
    """A piece of a cell's text; hidden ones are left out before."""

    text: str
    struck: bool | None = False  # None: as its cell
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one sheet while a reader lays them out."""

    budget: Budget
    rows: list[list] = field(default_factory=list)
    percent: set = field(default_factory=set)
    decimals: dict = field(default_factory=dict)
    struck: set = field(default_factory=set)
    comments: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)
    linked: set = field(default_factory=set)
    shown: dict = field(default_factory=dict)
    stored: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)
    merged: list = field(default_factory=list)

    def number(self, r: int, c: int, value: float, code: str) -> object:
        """What is to be read of a number with a format; the rest is noted."""
        at = (r, c)
        if not math.isfinite(value):
            self.failed[at] = "#NUM!"
            return "#NUM!"
        found = seen(value, code)
        part = _chosen(sections(code), value)[0]
        if part.percent and not isinstance(found.row, str):
            self.percent.add(at)
        return self._keep(at, value, found)

    def beside(self, r: int, c: int, value: float, text: str | None, percent: bool) -> object:
        """What is to be read of a number that stands beside its displayed text (None: there is none)."""
        at = (r, c)
        if not math.isfinite(value):
            self.failed[at] = "#NUM!"
            return "#NUM!"
        found = told(value, text, percent) if text is not None else Seen(value, written(value))
        if not isinstance(found.row, str) and (percent or "%" in found.text):
            self.percent.add(at)
        return self._keep(at, value, found)

    def _keep(self, at: tuple[int, int], value: float, found: Seen) -> object:
        if not value.is_integer() and (m := re.search(r"\d(?:\.(\d+))?(?![\d,.])", found.text)):
            if at in self.percent or found.text != written(value):
                self.decimals[at] = len(m[1] or "")
        if found.text != written(value):
            self.shown[at] = found.text
        if found.other:
            self.stored[at] = written(value)
        if found.held:
            self.held[at] = found.held
        return found.row

    def look(self, r: int, c: int, code: str, struck: bool) -> None:
        """A cell that is in `rows` already gets its number format, and its line through."""
        row = self.rows[r] if r < len(self.rows) else ()
        value = row[c] if c < len(row) else None
        if value in (None, "") or isinstance(value, bool):
            return
        if isinstance(value, datetime):
            if is_date(code):
                self.shown[r, c] = dated(value, code)
            elif sections(code)[0].kind != "text":  # taken for a date by mistake
                value = (value - _DAY_0) / timedelta(days=1)
        if isinstance(value, int | float):
            row[c] = self.number(r, c, float(value), code)
        if struck:
            self.strike(r, c)

    def strike(self, r: int, c: int) -> None:
        """A line through the whole cell: nobody knows by it what counts instead."""
        self.struck.add((r, c))
        self.held[r, c] = "整格被划去"

    def pieces(self, r: int, c: int, runs: list[Run]) -> None:
        """A cell that is in `rows` already turns out to be of several pieces."""
        struck = (r, c) in self.struck
        self.struck.discard((r, c))
        self.held.pop((r, c), None)
        if r < len(self.rows) and c < len(self.rows[r]):
            self.rows[r][c] = self.runs(
                r, c, [x if x.struck is not None else x._replace(struck=struck) for x in runs]
            )

    def runs(self, r: int, c: int, runs: list[Run]) -> str:
        """The text of a cell without what is struck out, and without the marks of notes."""
        kept, out, notes = "", "", ""
        for run in runs:
            if run.struck:
                out += run.text
            elif run.raised and run.text.strip() and not re.search("[a-zA-Z]$", kept):
                notes += run.text.strip()
            else:
                kept += run.text.translate(_RAISED) if run.raised else run.text
        at = (r, c)
        if notes and not kept.strip() and not out.strip():
            kept, notes = notes, ""
        if out.strip():
            self.struck.add(at)
            if kept.strip():
                self.stored[at] = cut("".join(run.text for run in runs).strip())
            else:
                kept = out
                self.strike(r, c)
        if notes:
            self.comments[at] = cut(f"{self.comments.get(at, '')} {notes}".strip())
        return self.text(r, c, kept.strip())

    def marks(self) -> int:
        """How much is noted of the cells so far."""
        noted = (self.percent, self.decimals, self.struck, self.comments, self.failed)
        return sum(map(len, (*noted, self.shown, self.stored, self.held, self.merged)))

    def text(self, r: int, c: int, value: str) -> str:
        self.budget.spend(letters=len(value))
        return cut(value)

    def sheet(self, name: str, **more) -> Sheet:
        """The finished sheet, its texts within their limit; figures on several lines stay several."""
        long = set()
        for r, row in enumerate(self.rows):
            for c, v in enumerate(row):
                if type(v) is not str:
                    continue
                if len(v) >= MAX_CELL:
                    row[c] = v = cut(v)
                    long.add((r, c))
                if ("\n" in v or "\t" in v) and _SEVERAL.fullmatch(v):
                    row[c] = " / ".join(v.split())
        wide = max(map(len, self.rows), default=0)
        inside = [
            (a, b, min(c, len(self.rows) - 1), min(d, wide - 1)) for a, b, c, d in self.merged
        ]
        return Sheet(
            name,
            self.rows,
            tuple(m for m in inside if m[:2] != m[2:] and m[0] <= m[2] and m[1] <= m[3]),
            frozenset(self.percent),
            self.decimals,
            frozenset(self.struck),
            comments=self.comments,
            failed=self.failed,
            linked=frozenset(self.linked),
            shown=self.shown,
            stored=self.stored,
            held=self.held,
            long=frozenset(long),
            **more,
        )
