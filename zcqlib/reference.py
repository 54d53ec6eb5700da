"""Reference tables as files: their shapes, how a spreadsheet may have spoilt them, and what is wrong where.

In these files a month is written 201809 and a day 20180915, since a spreadsheet turns 2018-09 into a date unasked.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pandas as pd

from zcqlib.tables import BASES, COMPARATORS, COVERAGES, KINDS, MEASURES, ZcqError

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "raw" / "reference"
LINKED = ("restates", "part_of", "stage_of", "overlaps")
MATCHES = ("known", "total", "remainder", "ambiguous", "other_region", "unknown")


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


def _choice(words: Iterable[str]) -> str:
    return "|".join(w or "-" for w in words)


# One file a line, continued where indented: name: key: columns. A kind ending in ! must be filled, @x is an id of that
# file, @x; several of them; the files with a year hold one plan.
_FILES = f"""
regions: id: id code!, name_zh text!, short_zh text!, level park|zone|city|district|other!, parent @regions,
    coverage {_choice(COVERAGES)}, note text
region_aliases: alias start: alias text!, id text, kind {_choice(MATCHES[:5])}!, start month, end month, note text
places: name: name text!
membership: region start: region @regions!, start month!, end month, note text
indicators: id: id code!, name_zh text!, name_en text!, group code, kind {_choice(KINDS)}!, unit text!, additive flag,
    can_fall flag, count flag, constant_price flag, batch flag, numerator @indicators, denominator @indicators,
    growth_of @indicators, part_of @indicators, note text
aliases: alias: alias text!, indicator @indicators!, note text
units: id: id text!, name_zh text!, aliases text, start day, end day, successor @units, note text
senders: id: id code!, name_zh text!, aliases text, kind park|department!, region @regions!, unit @units!,
    due_day whole!, indicators @indicators;!, quarterly @indicators;, start month, end month, note text
unit_words: word: word text!, kind money|area|count|percent|point|multiplier|other!, normal text!, numerator number!,
    denominator number!, family text
limits: unit: unit text!, high number!, reason text!
precedence: indicator: indicator text!, winner department|park!, reason text!
corrections: file sheet cell: file text!, sheet text, cell text!, found text!, value number, unit text, reason text!,
    who text!, day day!
resolutions: region indicator start end basis measure: region @regions!, indicator @indicators!, start month!,
    end month!, basis {_choice(BASES)}!,
    measure {_choice(MEASURES)}!, file text!, value number, reason text!, who text!, day day!
checkpoints: region indicator period basis: region text!, indicator @indicators!, period text!, basis {_choice(BASES)}!,
    value number!, unit text!, tolerance number!, source text!
batches: year indicator batch kind region: year whole!, indicator @indicators!, batch whole!, kind pass|lapse!,
    region @regions!, expected day!, announced day, number number!, reviewed number, publicised number, done number,
    rate number, known_from month!, demo flag, note text
eligibility: rule: rule code!, indicator @indicators!, comparator {_choice(COMPARATORS)}!, threshold number!,
    unit text!, demo flag, note text
colours: colour: colour done|none|red|yellow|green!, colour_zh text!, at_least number, note text
notes: month region indicator: month month!, region @regions!, indicator text, text text!, who text!, demo flag
targets_<year>: id: id @indicators!, name_zh text!, name_en text, group code!, kind {_choice(KINDS)}!, unit text!,
    comparator {_choice(COMPARATORS)}!, target_low number!, target_high number, commitment firm|aspiration!,
    wording text, scope text!, responsible text, responsible_basis printed|inferred|none!,
    relation {_choice(("", *LINKED))}, related_id @indicators, seed_section text, note text
split_<year>: id region in_force_from: id @indicators!, region @regions!, target_low number!, target_high number,
    in_force_from month!, demo flag, note text
weights_<year>: id: id text!, level group|indicator!, parent text, name_zh text!, weight number!, demo flag, note text
bounds_<year>: indicator: indicator @indicators!, measure attainment_pct|share_done!, low number!, high number!,
    error_pct number, demo flag, note text
stages_<year>: id region item stage: id @indicators!, region @regions!, item text, stage code!, stage_no whole!,
    stage_zh text!, date month, evidence text, expected month, demo flag, note text
"""
_OPTIONAL = {
    "corrections",
    "resolutions",
    "checkpoints",
    "batches",
    "eligibility",
    "notes",
    "limits",
}
_EXPECTED = {
    "code": "小写英文编号(字母开头,可含数字和下划线)",
    "number": "数字",
    "whole": "整数",
    "flag": " 0 或 1",
    "month": "六位年月,如 201809",
    "day": "八位日期,如 20180915",
    "text": "文字",
}
_DTYPES = {
    "number": "float64",
    "whole": "int64",
    "flag": "bool",
    "month": "period[M]",
    "day": "datetime64[ns]",
}
_DATE_LIKE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}(\1\d{1,4})?( \d+:\d+(:\d+)?)?|\d{1,2}-[A-Z][a-z]{2}(-\d+)?"
    r"|[A-Z][a-z]{2}-\d{2,4}|\d+月\d+日"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The shape of one reference file: its key and, for each column, the kind and whether it must be filled."""

    key: tuple[str, ...]
    columns: dict[str, tuple[str, bool]]

    def frame(self, rows: list[dict]) -> pd.DataFrame:
        """Rows as a typed frame, with the file's `line`."""
        kinds = {"line": "whole", **{c: kind for c, (kind, _) in self.columns.items()}}
        return pd.DataFrame(
            {
                c: pd.Series([r[c] for r in rows], dtype=_DTYPES.get(k, "str"))
                for c, k in kinds.items()
            }
        )


def _sheets() -> dict[str, Sheet]:
    out = {}
    for line in re.sub(r"\n +", " ", _FILES).strip().splitlines():
        name, key, columns = line.split(": ", 2)
        out[name] = Sheet(
            tuple(key.split()),
            {
                c: (kind.rstrip("!"), kind.endswith("!"))
                for c, kind in (part.split() for part in columns.split(", "))
            },
        )
    return out


SHEETS = _sheets()


def shape_of(stem: str) -> Sheet | None:
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


def _rows(path: Path, faults: list[Fault]) -> list[tuple[int, list[str]]]:
    """Non-empty records with the line that each begins on; UTF-8 or GBK."""
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
        if any(c.strip() for c in row):
            out.append((line, [c.strip() for c in row]))
        line = reader.line_num + 1
    return out


def _cell(text: str, kind: str, needed: bool) -> tuple[object, str]:
    """A cell's value, and what was expected where it does not fit."""
    allowed = kind.replace("-|", "|").split("|") if "|" in kind else []
    plain = "text" if allowed or kind.startswith("@") else kind
    try:
        value = _value(text, plain)
        if (needed and not text) or (text and allowed and text not in allowed):
            raise ValueError(text)
        return value, ""
    except (ValueError, KeyError):
        expected = _EXPECTED["code" if kind[0] == "@" else plain]
        if allowed:
            expected = "、".join(filter(None, allowed)) + "之一"
        elif _DATE_LIKE.fullmatch(text) and plain in ("text", "code"):
            expected += ",不是日期(疑为电子表格自动改写)"
        return _value("", plain), expected


def _load_file(path: Path, sheet: Sheet, faults: list[Fault]) -> pd.DataFrame:
    """One file in typed columns plus `line`; every cell that does not fit becomes a fault."""
    rows = _rows(path, faults)
    header = rows[0][1] if rows else []
    if missing := [c for c in sheet.columns if c not in header]:
        if not any(f.file == path.name and f.severity == "error" for f in faults):
            faults.append(
                Fault(
                    path.name, 1, "", ",".join(header)[:60], f"表头,还缺这些列:{','.join(missing)}"
                )
            )
        rows = []
    faults += [
        Fault(path.name, 1, c, c, f"规定的列名之一({','.join(sheet.columns)})")
        for c in header
        if rows and c and c not in sheet.columns
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
        for column, (kind, needed) in sheet.columns.items():
            record[column], expected = _cell(cells[column], kind, needed)
            if expected:
                faults.append(Fault(path.name, line, column, cells[column] or "空白", expected))
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
    return sheet.frame(out)


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
    for name, sheet in SHEETS.items():
        if "<" not in name and name not in frames:
            frames[name] = sheet.frame([])
            if name not in _OPTIONAL:
                faults.append(Fault(f"{name}.csv", 0, "", "没有这个文件", "参考表文件"))
    _check_ids(frames, faults)
    _check_meaning(frames, faults)
    return frames, faults


def _check_ids(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> None:
    """Every id that one table takes from another is there; an alias means one thing only."""
    for stem, frame in frames.items():
        for column, (kind, _) in shape_of(stem).columns.items():
            if not kind.startswith("@"):
                continue
            home = kind.strip("@;")
            known = set(frames[home]["id"])
            for line, text in zip(frame["line"], frame[column], strict=True):
                for word in filter(None, text.split(";") if kind.endswith(";") else [text]):
                    if word not in known:
                        hint = "".join(f"(最接近的是 {n})" for n in nearest(word, known))
                        faults.append(
                            Fault(
                                f"{stem}.csv", line, column, word, f" {home}.csv 中已有的编号{hint}"
                            )
                        )
    units, seen = frozenset(frames["unit_words"]["word"]), {}
    for row in frames["aliases"].itertuples():
        line, owner = seen.setdefault(label_key(row.alias, units), (row.line, row.indicator))
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
    """Weights sum to 1, bounds and ranges are in order, scopes and units are known."""
    words = set(frames["unit_words"]["word"])
    scopes = {"zone", "city", "each_park", *("park:" + r for r in frames["regions"]["id"])}

    def report(stem: str, row, column: str, expected: str) -> None:
        found = getattr(row, column)
        found = f"{found:g}" if isinstance(found, float) else str(found)
        faults.append(Fault(f"{stem}.csv", row.line, column, found or "空白", expected))

    for row in frames["unit_words"].itertuples():
        if not (row.numerator > 0 and row.denominator > 0):
            report("unit_words", row, "numerator", "正数,分母 denominator 也为正数")
    for row in frames["indicators"].itertuples():
        if bool(row.numerator) != bool(row.denominator):
            report("indicators", row, "denominator", "与 numerator 成对的指标编号")
    stages = ("number", "reviewed", "publicised", "done")
    for row in frames["batches"].itertuples() if "batches" in frames else ():
        reached = [(c, v) for c in stages if not pd.isna(v := getattr(row, c))]
        for (before, more), (column, value) in zip(reached, reached[1:], strict=False):
            if value > more:
                report("batches", row, column, f"不多于 {before}({more:g})的家数")
    for stem, frame in frames.items():
        kind = stem.rpartition("_")[0]
        for row in frame.itertuples() if kind in ("targets", "bounds") else ():
            if kind == "bounds":
                if not row.high > row.low:
                    report(stem, row, "high", f"大于 low({row.low:g})的数字")
                continue
            if row.comparator == "between" and not row.target_high > row.target_low:
                report(stem, row, "target_high", f"大于 target_low({row.target_low:g})的数字")
            if bool(row.relation) != bool(row.related_id):
                report(
                    stem, row, "related_id", f"与 relation(「{row.relation}」)同时填写或同时空白"
                )
            if row.scope not in scopes:
                report(stem, row, "scope", " zone、city、each_park 或 park:园区编号")
            if row.unit not in words and row.unit.split("/")[0] not in words:
                report(stem, row, "unit", " unit_words.csv 中的单位")
        for (level, parent), part in (
            frame.groupby(["level", "parent"]) if kind == "weights" else ()
        ):
            if not abs(part["weight"].sum() - 1) < 1e-5:
                who = "各组权重" if level == "group" else f"第 {parent} 组内权重"
                faults.append(
                    Fault(
                        f"{stem}.csv",
                        int(part["line"].iloc[0]),
                        "weight",
                        f"{who}合计 {part['weight'].sum():.6g}",
                        "合计 1",
                    )
                )


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
    return read_all(Path(folder) if folder else REFERENCE)[1]
