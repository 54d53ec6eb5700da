"""Reference tables as files: their shapes, how a spreadsheet may have spoilt them, and what is wrong where.

In these files a month is written 201809 and a day 20180915, since a spreadsheet turns 2018-09 into a date unasked.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pandas as pd

from zcqlib import tables
from zcqlib.tables import Column, Table, ZcqError

FOLDER = Path("data", "raw", "reference")  # in a workspace
REFERENCE = Path(__file__).resolve().parent.parent / FOLDER  # as shipped
ROOT = "ZCQ_ROOT"  # the one environment variable that the library reads: the workspace, where it is not above here
COMMENT = "#"  # a row that begins with it does not count
LINKED = ("restates", "part_of", "stage_of", "overlaps")
SHEETS = tables.REFERENCE
SECTIONS = ("state", "late", "moved", "chances", "open", "parks") + (
    "ranks",
    "groups",
    "orders",
    "stages",
    "attain",
)  # what an agenda may hold
GRADED = ("good", "open", "hard")  # lights that grade a chance; the others are states


class CatalogError(ZcqError):
    """A reference table that cannot be used; the message lists its faults."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one cell of a reference table; `severity` info needs no action."""

    file: str
    line: int
    column: str
    found: str
    expected: str
    severity: str = "error"

    def __str__(self) -> str:
        line = f" 第 {self.line} 行" if self.line else ""
        column = f"「{self.column}」列" if self.column else ""
        return f"{self.file}{line}{column}:找到「{self.found}」,应为{self.expected}"


_OPTIONAL = set(
    "corrections resolutions checkpoints batches eligibility notes limits roster".split()
)
_EXPECTED = {
    "code": "小写英文编号(字母开头,可含数字和下划线)",
    "number": "数字",
    "whole": "整数",
    "flag": " 0 或 1",
    "month": "六位年月,如 201809",
    "day": "八位日期,如 20180915",
    "text": "文字",
}
_DATE_LIKE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}(\1\d{1,4})?( \d+:\d+(:\d+)?)?|\d{1,2}-[A-Z][a-z]{2}(-\d+)?"
    r"|[A-Z][a-z]{2}-\d{2,4}|\d+月\d+日"
)


def root(start: Path | None = None) -> Path | None:
    """The workspace's folder: what ZCQ_ROOT names, else the nearest above `start` (default: here) that holds
    data/raw/reference, else None."""
    here = Path(os.environ.get(ROOT) or start or Path.cwd()).resolve()
    return next((f for f in (here, *here.parents) if (f / FOLDER).is_dir()), None)


def reference_folder() -> Path:
    """Where the reference tables lie: in the workspace, or as shipped where there is none."""
    return workspace / FOLDER if (workspace := root()) else REFERENCE


def shape_of(stem: str) -> Table | None:
    """The shape that a file of this name must have, None where no reference file is called so."""
    return SHEETS.get(stem) or SHEETS.get(re.sub(r"_20\d\d$", "_<year>", stem))


# --- labels -------------------------------------------------------------------------------------------------------

_NUMBERING = re.compile(
    r"^(?:[(（]?[0-9０-９一二三四五六七八九十]{1,3}[)）、.．,，]+|[①-⑳]|[#*※])+"
)


def squeeze(text: str) -> str:
    """A label without spaces, invisible characters, numbering and footnote marks, in half-width forms."""
    text = _NUMBERING.sub("", re.sub(r"[\s\u3000\u200b-\u200d\ufeff\u00ad]+", "", text))
    return unicodedata.normalize("NFKC", text.rstrip("*※★☆△▲#①②③④⑤⑥⑦⑧⑨⑩"))


def label_key(label: str, units: frozenset[str]) -> str:
    """An indicator label in the form in which aliases are compared: no 其中, no unit in brackets, no capitals."""
    text = re.sub(r"^其中[:、,]?", "", squeeze(label)).rstrip(":").casefold()
    bracket = re.search(r"\((?:单位:?)?([^()]*)\)$", text)
    return (
        text[: bracket.start()]
        if bracket and bracket.start() and bracket.group(1) in units
        else text
    )


def nearest(word: str, known: Iterable[str], number: int = 1) -> tuple[str, ...]:
    """The most similar known words, best first; none where nothing is close."""
    letters, scored = set(word), []
    for other in known:
        if len(letters & set(other)) >= 0.5 * min(len(letters), len(set(other))):
            score = SequenceMatcher(None, word, other, autojunk=False).ratio()
            if score >= 0.6:
                scored.append((-score, other))
    return tuple(w for _, w in sorted(scored)[:number])


# --- reading and checking -----------------------------------------------------------------------------------------


def _value(text: str, kind: str):
    """One cell in the type of its column; ValueError or KeyError where it does not fit."""
    if kind == "number":
        if text and not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise ValueError(text)
        return float(text or "nan")
    if kind == "whole":
        return int(text or 0)
    if kind == "flag":
        return {"": False, "0": False, "1": True}[text]
    if kind in ("month", "day"):
        form = r"20\d\d(0[1-9]|1[0-2])" + (r"\d\d" if kind == "day" else "")
        if text and not re.fullmatch(form, text):
            raise ValueError(text)
        moment = pd.to_datetime((text + "01")[:8], format="%Y%m%d") if text else pd.NaT
        return moment.to_period("M") if kind == "month" and text else moment
    if kind == "code" and text and not re.fullmatch(r"[a-z][a-z0-9_]*|\d{1,2}", text):
        raise ValueError(text)
    if kind == "text" and (
        _DATE_LIKE.fullmatch(text) or text[:1] in tuple("=+@") or set(text) & {"锟", "\ufffd"}
    ):
        raise ValueError(text)
    return text


def rows_of(path: Path, faults: list[Fault]) -> list[tuple[int, list[str]]]:
    """Non-empty records without commented ones, with the line that each begins on; UTF-8 or GBK."""
    raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as utf8:
        try:
            text = raw.decode("gb18030")
            faults.append(
                Fault(path.name, 0, "", "GBK 编码", " UTF-8(已按 GBK 读取,可不处理)", "info")
            )
        except UnicodeDecodeError as gbk:
            at = max(
                utf8.start, gbk.start
            )  # the encoding that got further is the one that was meant
            faults.append(
                Fault(
                    path.name,
                    raw[:at].count(b"\n") + 1,
                    "",
                    raw[at : at + 2].hex(" "),
                    " UTF-8 或 GBK 编码的文字;请在电子表格中另存为「CSV UTF-8」",
                )
            )
            return []
    reader, out, line = csv.reader(io.StringIO(text, newline="")), [], 1
    for row in reader:
        if any(c.strip() for c in row) and not row[0].startswith(COMMENT):
            out.append((line, [c.strip() for c in row]))
        line = reader.line_num + 1
    return out


def _cell(text: str, c: Column) -> tuple[object, str]:
    """A cell's value, and what was expected where it does not fit."""
    try:
        value = _value(text, c.kind)
        if (c.needed and not text) or (text and c.allowed and text not in c.allowed):
            raise ValueError(text)
        return value, ""
    except (ValueError, KeyError):
        expected = _EXPECTED["code" if c.home else c.kind]
        if c.allowed:
            expected = "、".join(filter(None, c.allowed)) + "之一"
        elif _DATE_LIKE.fullmatch(text) and c.kind in ("text", "code"):
            expected += ",不是日期(疑为电子表格自动改写)"
        return _value("", c.kind), expected


def _load_file(path: Path, sheet: Table, faults: list[Fault]) -> pd.DataFrame:
    """One file in typed columns plus `line`; every cell that does not fit becomes a fault."""
    rows = rows_of(path, faults)
    header = rows[0][1] if rows else []
    if missing := [c.name for c in sheet.columns if c.name not in header and not c.optional]:
        if not any(f.file == path.name and f.severity == "error" for f in faults):
            faults.append(
                Fault(
                    path.name, 1, "", ",".join(header)[:60], f"表头,还缺这些列:{','.join(missing)}"
                )
            )
        rows = []
    faults += [
        Fault(path.name, 1, c, c, f"规定的列名之一({','.join(sheet.names)})")
        for c in header
        if rows and c and c not in sheet.names
    ]
    out, seen = [], {}
    for line, row in rows[1:]:
        if len(row) > len(header):
            faults.append(
                Fault(
                    path.name, line, "", f"{len(row)} 格", f" {len(header)} 格;含逗号的文字要加引号"
                )
            )
        cells = dict(zip(header, row + [""] * len(header), strict=False))
        record = {"line": line}
        for c in sheet.columns:
            text = cells.get(c.name, "")
            record[c.name], expected = _cell(text, c)
            if expected:
                faults.append(Fault(path.name, line, c.name, text or "空白", expected))
        key = tuple(cells[c] for c in sheet.key)
        if seen.setdefault(key, line) != line:
            faults.append(
                Fault(
                    path.name,
                    line,
                    "、".join(sheet.key),
                    " ".join(key),
                    f"不重复的行(第 {seen[key]} 行已有)",
                )
            )
        out.append(record)
    return _frame(out, sheet)


def _frame(rows: list[dict], sheet: Table) -> pd.DataFrame:
    """Rows as a typed frame, with the file's `line`."""
    return tables.shape(rows, sheet).assign(line=[r["line"] for r in rows])


def read_all(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """Every reference file of a folder by its stem, and all faults in them, alone and against each other."""
    faults: list[Fault] = []
    frames: dict[str, pd.DataFrame] = {}
    for path in sorted(folder.glob("*.csv")):
        if sheet := shape_of(path.stem):
            frames[path.stem] = _load_file(path, sheet, faults)
        else:
            hint = "".join(f"(最接近的是 {n})" for n in nearest(path.stem, SHEETS))
            faults.append(Fault(path.name, 0, "", path.name, f"参考表的文件名{hint}"))
    for path in sorted(folder.glob("*.[xXeE][lLtT]*")):  # .xlsx, .xls, .et
        if shape_of(path.stem) and path.stem not in frames:
            expected = f" {path.stem}.csv;请在电子表格中另存为「CSV UTF-8」"
            faults.append(Fault(path.name, 0, "", "电子表格文件", expected))
    for name, sheet in SHEETS.items():
        if "<" not in name and name not in frames:
            frames[name] = _frame([], sheet)
            if name not in _OPTIONAL:
                faults.append(Fault(f"{name}.csv", 0, "", "没有这个文件", "参考表文件"))
    _check_ids(frames, faults)
    _check_meaning(frames, faults)
    return frames, faults


def _check_ids(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> None:
    """Every id that one table takes from another is there; an alias means one thing only."""
    for stem, frame in frames.items():
        for c in filter(lambda c: c.home, shape_of(stem).columns):
            known = set(frames[c.home]["id"])
            for line, text in zip(frame["line"], frame[c.name], strict=True):
                for word in filter(None, text.split(";") if c.many else [text]):
                    if word not in known:
                        hint = "".join(f"(最接近的是 {n})" for n in nearest(word, known))
                        expected = f" {c.home}.csv 中已有的编号{hint}"
                        faults.append(Fault(f"{stem}.csv", line, c.name, word, expected))
    units, seen = frozenset(frames["unit_words"]["word"]), {}
    own = frames["indicators"].query(
        "group != 'work'"
    )  # work items restate others under their names
    named = {label_key(row.name_zh, units): row.id for row in own.itertuples()}
    for row in frames["aliases"].itertuples():
        key = label_key(row.alias, units)
        if named.get(key, row.indicator) != row.indicator:
            expected = f"不与另一个指标({named[key]})同名的写法;现按 {row.indicator} 读取"
            faults.append(Fault("aliases.csv", row.line, "alias", row.alias, expected, "info"))
        line, owner = seen.setdefault(key, (row.line, row.indicator))
        if owner != row.indicator:
            faults.append(
                Fault(
                    "aliases.csv",
                    row.line,
                    "alias",
                    row.alias,
                    f"只指一个指标的名称(第 {line} 行已指 {owner})",
                )
            )


def _check_meaning(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> None:
    """Weights sum to 1, bounds and ranges are in order, scopes and units are known: each rule by its table."""
    for stem, frame in frames.items():
        rule = _RULES.get(re.sub(r"_20\d\d$", "", stem))
        for row, column, expected in rule(frame, frames) if rule else ():
            found = getattr(row, column)
            found = f"{found:g}" if isinstance(found, float) and found == found else str(found)
            found = "空白" if found in ("", "nan", "NaT") else found
            faults.append(Fault(f"{stem}.csv", row.line, column, found, expected))


Faults = Iterator[tuple[object, str, str]]  # row, column, what was expected
Frames = Mapping[str, pd.DataFrame]


def _unit_words(frame: pd.DataFrame, frames: Frames) -> Faults:
    for row in frame.itertuples():
        if not (row.numerator > 0 and row.denominator > 0):
            yield row, "numerator", "正数,分母 denominator 也为正数"


def _indicators(frame: pd.DataFrame, frames: Frames) -> Faults:
    for row in frame.itertuples():
        if bool(row.numerator) != bool(row.denominator):
            yield row, "denominator", "与 numerator 成对的指标编号"
    for row in frame[frame["role"].ne("") & frame.duplicated("role")].itertuples():
        yield row, "role", "只给一项指标的词(上面已有)"


def _lights(frame: pd.DataFrame, frames: Frames) -> Faults:
    """Every chance has one row: those of chances have limits from 0 on, each its own; states have none."""
    graded = frame[frame["light"].isin(GRADED)]
    for row in frame.itertuples():
        if (row.light in GRADED) == pd.isna(row.at_least):
            graded_row = row.light in GRADED
            yield row, "at_least", "0 到 100 的数字" if graded_row else "空白(只有把握的档次有下限)"
    for row in graded[graded.duplicated("at_least") & graded["at_least"].notna()].itertuples():
        yield row, "at_least", "不重复的下限(上面已有同一下限的一档)"
    if len(graded) and not graded["at_least"].eq(0).any():
        yield graded.iloc[-1], "at_least", "0(最低一档从 0 起,否则有的把握没有档次)"
    for light in SHEETS["lights"]["light"].allowed if len(frame) else ():
        if light not in set(frame["light"]):
            yield frame.iloc[-1], "light", f"各档齐全,还缺「{light}」一行"


def _batches(frame: pd.DataFrame, frames: Frames) -> Faults:
    stages = ("number", "reviewed", "publicised", "done")
    for row in frame.itertuples():
        reached = [(c, v) for c in stages if not pd.isna(v := getattr(row, c))]
        for (before, more), (column, value) in zip(reached, reached[1:], strict=False):
            if value > more:
                yield row, column, f"不多于 {before}({more:g})的家数"


def _bounds(frame: pd.DataFrame, frames: Frames) -> Faults:
    for row in frame.itertuples():
        if not row.high > row.low:
            yield row, "high", f"大于 low({row.low:g})的数字"


def _plan(frame: pd.DataFrame, frames: Frames) -> Faults:
    into = set(frames["unit_words"][["word", "normal"]].itertuples(index=False, name=None))
    normal = frames["indicators"].set_index("id")["unit"]
    scopes = {"zone", "city", "each_park", *("park:" + r for r in frames["regions"]["id"])}
    for row in frame.itertuples():
        if row.comparator == "between" and not row.target_high > row.target_low:
            yield row, "target_high", f"大于 target_low({row.target_low:g})的数字"
        if bool(row.relation) != bool(row.related_id):
            yield row, "related_id", f"与 relation(「{row.relation}」)同时填写或同时空白"
        if row.scope not in scopes:
            yield row, "scope", " zone、city、each_park 或 park:园区编号"
        printed, own = row.unit.removesuffix("/园区"), normal.get(row.id, "")
        if own and printed != own and (printed, own) not in into:
            yield row, "unit", f"指标单位「{own}」,或 unit_words.csv 中能换算成它的单位"


def _weights(frame: pd.DataFrame, frames: Frames) -> Faults:
    for (level, parent), part in frame.groupby(["level", "parent"]):
        total = part["weight"].sum()
        if not abs(total - 1) < 1e-5:
            who = "各组权重" if level == "group" else f"第 {parent} 组内权重"
            told = part.iloc[0].astype(object)
            told["weight"] = f"{who}合计 {total:.6g}"
            yield told, "weight", "合计 1"


def _meetings(frame: pd.DataFrame, frames: Frames) -> Faults:
    for row in frame.itertuples():
        if unknown := [w for w in row.sections.split(";") if w not in SECTIONS]:
            yield row, "sections", f"议程各节({'、'.join(SECTIONS)}),不认识「{unknown[0]}」"
    for row in frame[frame.duplicated("letter")].itertuples():
        yield row, "letter", "不重复的字母(上面已有同一字母的会议)"


_RULES = {
    "meetings": _meetings,
    "unit_words": _unit_words,
    "indicators": _indicators,
    "lights": _lights,
    "batches": _batches,
    "bounds": _bounds,
    "targets": _plan,
    "weights": _weights,
}


def check_reference(folder: Path | None = None) -> list[Fault]:
    """Check every reference table; nothing with severity error means that all can be used.

    Parameters
    ----------
    folder : where the tables lie, default data/raw/reference.
    Returns
    -------
    Fault by file; `str(fault)` is one Chinese sentence with file, line, column, what was found and what was expected.
    Source
    ------
    data/raw/reference 各表。
    """
    return read_all(Path(folder) if folder else reference_folder())[1]
