"""What is measured and promised, read from the reference tables that analysts edit in a spreadsheet.

A year's plan stands in files of its own (targets_2019.csv, split_2019.csv, weights_2019.csv ...). In these files a
month is written 201809 and a day 20180915, since a spreadsheet turns 2018-09 into a date without asking.
"""
from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import pandas as pd

from zcqlib import tables
from zcqlib.tables import COMPARATORS, COVERAGES, KINDS, TARGETS, ZcqError

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
        place = self.file + (f" 第 {self.line} 行" if self.line else "") + (f"「{self.column}」列" if self.column else "")
        return f"{place}:找到「{self.found}」,应为{self.expected}"


@dataclass(frozen=True, slots=True)
class Region:
    """A place that figures are reported for; `level` is park, zone, city, district or other."""

    id: str
    name_zh: str
    short_zh: str
    level: str
    parent: str
    coverage: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something measured. `unit` is the normal unit, in which every table holds it."""

    id: str
    name_zh: str
    name_en: str
    group: str
    kind: str
    unit: str
    additive: bool
    can_fall: bool
    count: bool
    constant_price: bool
    batch: bool
    numerator: str
    denominator: str
    part_of: str
    source_precedence: str


@dataclass(frozen=True, slots=True)
class RegionMatch:
    """What a region label means; `kind` is one of MATCHES, `suggestion` the nearest known name."""

    id: str
    kind: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class IndicatorMatch:
    """The indicator that a label names, or "" with the nearest known names."""

    id: str
    suggestions: tuple[str, ...] = ()


# --- the shapes of the files --------------------------------------------------------------------------------------

def _choice(words: Iterable[str]) -> str:
    return "|".join(w or "-" for w in words)


_PLAN = f"""id @indicators!, name_zh text!, name_en text, group code!, kind {_choice(KINDS)}!, unit text!,
    comparator {_choice(COMPARATORS)}!, target_low number!, target_high number, commitment firm|aspiration!, wording text,
    scope text!, responsible text, responsible_basis printed|inferred|none!, relation {_choice(("", *LINKED))},
    related_id @indicators, seed_section text, note text"""
# file: key: columns. A kind ending in ! must be filled; @x is an id of that file; `{year}` files belong to one plan.
_FILES = f"""
regions: id: id code!, name_zh text!, short_zh text!, level park|zone|city|district|other!, parent @regions, coverage {_choice(COVERAGES)}, note text
region_aliases: alias start: alias text!, id text, kind {_choice(MATCHES[:5])}!, start month, end month, note text
places: name: name text!
membership: region start: region @regions!, start month!, end month, note text
indicators: id: id code!, name_zh text!, name_en text!, group code, kind {_choice(KINDS)}!, unit text!, additive flag, can_fall flag, count flag, constant_price flag, batch flag, numerator @indicators, denominator @indicators, part_of @indicators, note text
aliases: alias: alias text!, indicator @indicators!, note text
units: id: id text!, name_zh text!, aliases text, start day, end day, successor @units, note text
senders: id: id code!, name_zh text!, aliases text, kind park|department!, region @regions!, unit @units!, due_day whole!, indicators @indicators;!, start month, end month, note text
unit_words: word: word text!, kind money|area|count|percent|point|multiplier|other!, normal text!, numerator number!, denominator number!, family text
precedence: indicator: indicator text!, winner department|park!, reason text!
corrections: file sheet cell: file text!, sheet text, cell text!, found text!, value number, unit text, reason text!, who text!, day day!
resolutions: region indicator start end basis measure: region @regions!, indicator @indicators!, start month!, end month!, basis text!, measure text!, file text!, value number, reason text!, who text!, day day!
checkpoints: region indicator period: region text!, indicator @indicators!, period text!, basis text!, value number!, unit text!, tolerance number!, source text!
batches: year indicator batch kind region: year whole!, indicator @indicators!, batch whole!, kind pass|lapse!, region @regions!, expected day!, announced day, number number!, done number, rate number, known_from month!, demo flag, note text
eligibility: rule: rule code!, indicator @indicators!, comparator {_choice(COMPARATORS)}!, threshold number!, unit text!, demo flag, note text
notes: month region indicator: month month!, region @regions!, indicator text, text text!, who text!, demo flag
targets_{{year}}: id: {_PLAN}
split_{{year}}: id region in_force_from: id @indicators!, region @regions!, target_low number!, target_high number, in_force_from month!, demo flag, note text
weights_{{year}}: id: id text!, level group|indicator!, parent text, name_zh text!, weight number!, demo flag, note text
bounds_{{year}}: indicator: indicator text!, measure attainment_pct|share_done!, low number!, high number!, demo flag, note text
stages_{{year}}: id region item stage: id @indicators!, region @regions!, item text, stage code!, stage_no whole!, stage_zh text!, date month, evidence text, expected month, demo flag, note text
"""
_OPTIONAL = {"corrections", "resolutions", "checkpoints", "batches", "eligibility", "notes", "split", "weights", "bounds",
             "stages"}
_EXPECTED = {"code": "小写英文编号(字母开头,可含数字和下划线)", "number": "数字", "whole": "整数", "flag": "0 或 1",
             "month": "六位年月,如 201809", "day": "八位日期,如 20180915", "text": "文字"}


@dataclass(frozen=True, slots=True)
class _Sheet:
    key: tuple[str, ...]
    columns: dict[str, tuple[str, bool]]


def _sheets() -> dict[str, _Sheet]:
    out = {}
    for line in _FILES.replace("\n    ", " ").strip().splitlines():
        name, key, columns = line.split(": ", 2)
        parsed = [c.split() for c in columns.split(", ")]
        out[name.removesuffix("_{year}")] = _Sheet(
            tuple(key.split()), {c: (kind.rstrip("!"), kind.endswith("!")) for c, kind in parsed})
    return out


_SHEETS = _sheets()
_YEARLY = set(re.findall(r"^(\w+)_\{year\}", _FILES, re.M))
_DATE_LIKE = re.compile(r"\d{1,4}([-/.])\d{1,2}(\1\d{1,4})?( \d+:\d+(:\d+)?)?|\d{1,2}-[A-Z][a-z]{2}(-\d+)?|\d+月\d+日"
                        r"|[A-Z][a-z]{2}-\d{2,4}")


def _value(text: str, kind: str):
    """One cell in the type of its column; ValueError where it does not fit."""
    if kind == "number":
        return float(text) if text else float("nan")
    if kind == "whole":
        return int(text or 0)
    if kind == "flag":
        return {"": False, "0": False, "1": True}[text]
    if kind == "month":
        if text and not re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", text):
            raise ValueError(text)
        return pd.Period(f"{text[:4]}-{text[4:]}", "M") if text else pd.NaT
    if kind == "day":
        if text and not re.fullmatch(r"20\d{6}", text):
            raise ValueError(text)
        return pd.to_datetime(text, format="%Y%m%d") if text else pd.NaT
    if kind == "code" and text and not re.fullmatch(r"[a-z][a-z0-9_]*|\d{1,2}", text):
        raise ValueError(text)
    if kind == "text" and (_DATE_LIKE.fullmatch(text) or text[:1] in ("=", "+", "@", "\t") or "锟" in text or "�" in text):
        raise ValueError(text)
    return text


def _rows(path: Path, faults: list[Fault]) -> list[tuple[int, list[str]]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
            faults.append(Fault(path.name, 0, "", "GBK 编码", " UTF-8(已按 GBK 读取,可不处理)", "info"))
        except UnicodeDecodeError as e:
            line = raw[:e.start].count(b"\n") + 1
            faults.append(Fault(path.name, line, "", raw[e.start:e.start + 4].hex(" "),
                                " UTF-8 或 GBK 编码的文字;请在电子表格中另存为「CSV UTF-8」"))
            return []
    reader = csv.reader(io.StringIO(text, newline=""))
    out, line = [], 1
    for row in reader:
        if any(c.strip() for c in row):
            out.append((line, [c.strip() for c in row]))
        line = reader.line_num + 1
    return out


def _load_file(path: Path, sheet: _Sheet, faults: list[Fault]) -> pd.DataFrame:
    """Read one file into typed columns plus `line`; every cell that does not fit becomes a fault."""
    rows = _rows(path, faults)
    header = rows[0][1] if rows else []
    if missing := [c for c in sheet.columns if c not in header]:
        faults.append(Fault(path.name, 1, "", ",".join(header)[:60], f"含有这些列的表头:{','.join(missing)}"))
        rows = []
    if extra := [c for c in header if c and c not in sheet.columns]:
        faults.append(Fault(path.name, 1, extra[0], extra[0], f"规定的列之一({','.join(sheet.columns)})"))
    out, seen = [], {}
    for line, row in rows[1:]:
        if len(row) > len(header):
            faults.append(Fault(path.name, line, "", f"{len(row)} 格", f" {len(header)} 格;含逗号的文字要加引号"))
        cells = dict(zip(header, row + [""] * (len(header) - len(row)), strict=False))
        record = {"line": line}
        for column, (kind, needed) in sheet.columns.items():
            text = cells[column]
            plain = "text" if kind.startswith("@") or "|" in kind else kind
            allowed = [w.replace("-", "") if w == "-" else w for w in kind.split("|")] if "|" in kind else []
            try:
                record[column] = _value(text, plain)
                if (needed and not text) or (text and allowed and text not in allowed):
                    raise ValueError(text)
            except (ValueError, KeyError):
                expected = "、".join(filter(None, allowed)) + "之一" if allowed else _EXPECTED[plain]
                if plain == "text" and _DATE_LIKE.fullmatch(text):
                    expected += ",不是日期(疑为电子表格自动改写)"
                faults.append(Fault(path.name, line, column, text or "空白", expected))
                record[column] = _value("", plain)
        key = tuple(cells[c] for c in sheet.key)
        if key in seen:
            faults.append(Fault(path.name, line, "、".join(sheet.key), " ".join(key),
                                f"不重复的行;第 {seen[key]} 行已有"))
        seen.setdefault(key, line)
        out.append(record)
    dtypes = {"number": "float64", "whole": "int64", "flag": "bool", "month": "period[M]", "day": "datetime64[ns]"}
    return pd.DataFrame({c: pd.Series([r[c] for r in out], dtype=dtypes.get(k, "str"))
                         for c, (k, _) in {"line": ("whole", True), **sheet.columns}.items()})


def _load_all(folder: Path, faults: list[Fault]) -> dict[str, pd.DataFrame]:
    """Every reference file by its stem, checked alone and against the others."""
    frames: dict[str, pd.DataFrame] = {}
    for path in sorted(folder.glob("*.csv")):
        base, _, year = path.stem.rpartition("_")
        name = base if base in _YEARLY and re.fullmatch(r"20\d\d", year) else path.stem
        if name not in _SHEETS or name in _YEARLY and name == path.stem:
            faults.append(Fault(path.name, 0, "", path.name, f"下列文件之一:{'、'.join(_SHEETS)}(计划类加年份,如 targets_2019)"))
        else:
            frames[path.stem] = _load_file(path, _SHEETS[name], faults)
    for name, sheet in _SHEETS.items():
        if name not in _YEARLY | _OPTIONAL and name not in frames:
            faults.append(Fault(f"{name}.csv", 0, "", "没有这个文件", "参考表文件"))
            frames[name] = pd.DataFrame({c: pd.Series(dtype="str") for c in ("line", *sheet.columns)})
    ids = {n: set(frames[n]["id"]) for n in ("regions", "indicators", "units")}
    for stem, frame in frames.items():
        sheet = _SHEETS[stem if stem in _SHEETS else stem.rpartition("_")[0]]
        for column, (kind, _) in sheet.columns.items():
            if kind.startswith("@"):
                for line, text in zip(frame["line"], frame[column], strict=True):
                    for word in text.split(";") if kind.endswith(";") else [text]:
                        if word and word not in ids[kind.strip("@;")]:
                            faults.append(Fault(f"{stem}.csv", line, column, word,
                                                f" {kind.strip('@;')}.csv 中已有的编号" + _hint(word, ids[kind.strip("@;")])))
    _check_across(frames, faults)
    return frames


def _hint(word: str, known: Iterable[str]) -> str:
    near = _nearest(word, known, 1)
    return f"(最接近的是 {near[0]})" if near else ""


def _check_across(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> None:
    words = set(frames["unit_words"]["word"])
    for row in frames["indicators"].itertuples():
        if row.numerator and not row.denominator:
            faults.append(Fault("indicators.csv", row.line, "denominator", "空白", "分母指标的编号"))
    for row in frames["unit_words"].itertuples():
        if not (row.numerator > 0 and row.denominator > 0):
            faults.append(Fault("unit_words.csv", row.line, "numerator", f"{row.numerator}/{row.denominator}", "正数"))
    for stem, frame in frames.items():
        base = stem.rpartition("_")[0]
        for row in frame.itertuples() if base == "targets" else ():
            if row.comparator == "between" and not row.target_high > row.target_low:
                faults.append(Fault(f"{stem}.csv", row.line, "target_high", f"{row.target_high:g}",
                                    f"大于 target_low({row.target_low:g})的数字"))
            if row.relation and not row.related_id or row.related_id and not row.relation:
                faults.append(Fault(f"{stem}.csv", row.line, "relation", row.relation or "空白", "与 related_id 同时填写"))
            if row.scope not in ("zone", "city", "each_park") and row.scope not in {
                    f"park:{r}" for r in frames["regions"]["id"]}:
                faults.append(Fault(f"{stem}.csv", row.line, "scope", row.scope, " zone、city、each_park 或 park:园区编号"))
            if row.unit not in words and row.unit.split("/")[0] not in words:
                faults.append(Fault(f"{stem}.csv", row.line, "unit", row.unit, " unit_words.csv 中的单位"))
        if base == "weights":
            for (level, parent), part in frame.groupby(["level", "parent"]):
                if abs(part["weight"].sum() - 1) > 1e-5:
                    faults.append(Fault(f"{stem}.csv", int(part["line"].iloc[0]), "weight", f"{part['weight'].sum():.6g}",
                                        f"合计为 1 的权重({'各组' if level == 'group' else f'第 {parent} 组内'})"))
        if base == "bounds":
            for row in frame[~(frame["high"] > frame["low"])].itertuples():
                faults.append(Fault(f"{stem}.csv", row.line, "high", f"{row.high:g}", f"大于 low({row.low:g})的数字"))


def check_reference(folder: Path | None = None) -> list[Fault]:
    """Check every reference table; an empty list means that all can be used.

    Parameters
    ----------
    folder : where the tables lie, default data/raw/reference.
    Returns
    -------
    faults in the order of files; `str(fault)` is one Chinese sentence with file, line, column, found and expected.
    Source
    ------
    data/raw/reference 各表。
    """
    faults: list[Fault] = []
    _load_all(folder or REFERENCE, faults)
    return faults


# --- the catalog --------------------------------------------------------------------------------------------------

_MARKS = "*※★☆△▲#①②③④⑤⑥⑦⑧⑨⑩"
_NUMBERING = re.compile(r"^(?:[(（]?[0-9０-９一二三四五六七八九十]{1,3}[)）、.．,，]+|[①-⑳]|[#*※])+")
_COUNT_ENDINGS = re.compile(r"(?:总数量|总数|总量|数量|总计|合计|小计|家数|个数|数|量)$")
_TOTAL_WORDS = {"合计", "总计", "小计", "总量", "总数", "数量", "计", "全部", ""}


def _squeeze(text: str) -> str:
    """A label without spaces, invisible characters, numbering and footnote marks, in half-width forms."""
    text = re.sub(r"[\s\u200b\u200c\u200d\ufeff\u00ad]+", "", text.replace("\u3000", " "))
    text = _NUMBERING.sub("", text).rstrip(_MARKS)
    return unicodedata.normalize("NFKC", text)


def _nearest(word: str, known: Iterable[str], number: int, cutoff: float = 0.6) -> tuple[str, ...]:
    letters = set(word)
    scored = []
    for k in known:
        if len(letters & set(k)) >= 0.5 * min(len(letters), len(set(k))):
            score = SequenceMatcher(None, word, k, autojunk=False).ratio()
            if score >= cutoff:
                scored.append((-score, k))
    return tuple(k for _, k in sorted(scored)[:number])


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that is known before a report is read. `targets` is in normal units, `plan` as the plan prints it."""

    year: int
    regions: dict[str, Region]
    parks: tuple[str, ...]
    indicators: dict[str, Indicator]
    plan: pd.DataFrame
    targets: pd.DataFrame
    stages: pd.DataFrame
    split: pd.DataFrame
    weights: pd.DataFrame
    bounds: pd.DataFrame
    senders: pd.DataFrame
    units: pd.DataFrame
    membership: pd.DataFrame
    unit_words: pd.DataFrame
    precedence: pd.DataFrame
    corrections: pd.DataFrame
    resolutions: pd.DataFrame
    checkpoints: pd.DataFrame
    batches: pd.DataFrame
    eligibility: pd.DataFrame
    notes: pd.DataFrame
    _region_aliases: dict[str, tuple[str, str]] = field(repr=False)
    _places: tuple[str, ...] = field(repr=False)
    _aliases: dict[str, str] = field(repr=False)

    def name(self, id: str) -> str:
        """Chinese name of a region (short) or an indicator; a published region is its own name."""
        if id in self.regions:
            return self.regions[id].short_zh
        return self.indicators[id].name_zh if id in self.indicators else id

    def unit(self, indicator: str) -> str:
        """Normal unit of an indicator, "" where it is not in the catalog."""
        return self.indicators[indicator].unit if indicator in self.indicators else ""

    def factor(self, unit: str, normal: str) -> float:
        """How many `normal` units one `unit` is.

        Raises
        ------
        CatalogError : no table says how to convert.
        """
        if unit == normal:
            return 1.0
        row = self.unit_words[(self.unit_words["word"] == unit) & (self.unit_words["normal"] == normal)]
        if row.empty:
            raise CatalogError(f"不能把单位「{unit}」换算成「{normal}」:请在 unit_words.csv 中补充。")
        return float(row["numerator"].iloc[0] / row["denominator"].iloc[0])

    def members(self, month: pd.Period) -> tuple[str, ...]:
        """The parks that belong to the zone in a month, in plan order."""
        m = self.membership
        inside = set(m.loc[(m["start"] <= month) & (m["end"].isna() | (m["end"] >= month)), "region"])
        return tuple(p for p in self.parks if p in inside)

    def headline(self) -> pd.DataFrame:
        """TARGETS rows of the ten groups for zone or city: 47 in the 2018 plan, each once."""
        t = self.targets
        return t[(t["group"] != "work") & t["region"].isin(["zone", "city"])].reset_index(drop=True)

    def counted(self) -> pd.DataFrame:
        """TARGETS rows that promise something of their own: what restates, is part or stage of another, or overlaps one
        is left to that other row, so nothing is counted twice."""
        t = self.targets
        own = ~t["relation"].isin(LINKED) & ~t.duplicated(["id"])
        return t[own].reset_index(drop=True)

    def park_target(self, indicator: str, region: str, month: pd.Period) -> pd.Series | None:
        """The TARGETS row in force for a region in a month; None says 「园区目标未下达」."""
        t = self.targets
        rows = t[(t["id"] == indicator) & (t["region"] == region) & (t["in_force_from"] <= month)]
        return None if rows.empty else rows.sort_values("in_force_from").iloc[-1]

    def match_region(self, raw: str) -> RegionMatch:
        """Say which place a label means: only exact names count, a near miss is a suggestion.

        Prefixes and endings that offices put around a name are taken away one at a time, looking up after each.
        """
        text = _squeeze(raw)
        tried, queue = set(), [text]
        while queue:
            word = queue.pop(0)
            if not word or word in tried:
                continue
            tried.add(word)
            if word in self._region_aliases:
                return RegionMatch(*self._region_aliases[word])
            queue += [word[len(p):] for p in ("新乡市", "新乡", "河南", "国家级", "国家", "省级") if word.startswith(p)]
            queue += [word[:-len(e)] for e in ("管理委员会", "管委会", "园区") if word.endswith(e)]
        if place := next((p for p in self._places if text.startswith(p)), ""):
            rest = text[len(place):]
            if re.fullmatch(r"(?:省|市|县|区|自治区|特别行政区|州)?", rest):
                return RegionMatch(place if rest in ("", "省", "自治区") else text, "other_region")
            if any(rest.endswith(a) for a in self._region_aliases) or re.search(r"[区市县园城州盟谷]$", rest):
                return RegionMatch(text, "other_region")
        ours = [a for a, (id, kind) in self._region_aliases.items() if kind == "known"]
        near = _nearest(text, ours, 1)
        return RegionMatch("", "unknown", near[0] if near else "")

    def match_indicator(self, raw_path: str) -> IndicatorMatch:
        """Find the indicator that a header path (a/b/c) names: the whole path first, then its tail.

        A tail that only says total (合计) or which part is never enough by itself.
        """
        parts = [_label_key(p) for p in raw_path.split("/")]
        while len(parts) > 1 and parts[-1] in _TOTAL_WORDS:
            parts.pop()
        whole = _label_key(raw_path)
        for key in (whole, *("/".join(parts[i:]) for i in range(len(parts)))):
            for candidate in (key, _COUNT_ENDINGS.sub("", key)):
                if candidate in self._aliases:
                    return IndicatorMatch(self._aliases[candidate])
        names = {i.name_zh for i in self.indicators.values()} | set(self._aliases)
        return IndicatorMatch("", _nearest(parts[-1], names, 3))


def _label_key(label: str) -> str:
    """An indicator label in the form that aliases are compared in."""
    text = _squeeze(label)
    text = re.sub(r"^(?:其中|#)[:、,]?", "", text)
    text = re.sub(r"[((][^()()]{0,6}[))]$", lambda m: "" if _is_unit(m.group()[1:-1]) else m.group(), text)
    return text.rstrip(":").casefold()


def _is_unit(text: str) -> bool:
    return bool(re.fullmatch(r"(?:单位:?)?(?:[万亿千百]?(?:元|人|名|㎡|m2|平方米|家|个|件|项|户|次|份|条)|%|件/万人|个园区|公顷|亩)", text))


def load(reference: Path | None = None, year: int = 2018) -> Catalog:
    """The catalog of one plan year; read again only where a file has changed.

    Parameters
    ----------
    reference : folder of the reference tables, default data/raw/reference.
    year : plan year; its files end in that year.
    Returns
    -------
    Catalog; TARGETS in it holds plan rows, figures for each park and the park split (`demo` where made up).
    Raises
    ------
    CatalogError : a table has faults (lists the first five), or the year has no plan.
    Source
    ------
    data/raw/reference 各表;目标取自公开的年度建设推进计划。
    """
    folder = Path(reference) if reference else REFERENCE
    stamp = tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.glob("*.csv")))
    return _load(folder, year, stamp)


@lru_cache(maxsize=8)
def _load(folder: Path, year: int, stamp: tuple) -> Catalog:
    faults: list[Fault] = []
    frames = _load_all(folder, faults)
    errors = [f for f in faults if f.severity == "error"]
    if errors:
        raise CatalogError(f"参考表有 {len(errors)} 处错误,请改正后重试:" + ";".join(map(str, errors[:5])))
    if f"targets_{year}" not in frames:
        have = sorted(s[-4:] for s in frames if s.startswith("targets_"))
        raise CatalogError(f"{folder.name} 中没有 targets_{year}.csv:{year} 年的目标未录入(已有:{'、'.join(have) or '无'})。")

    def frame(name: str) -> pd.DataFrame:
        stem = f"{name}_{year}" if name in _YEARLY else name
        if stem in frames:
            return frames[stem].drop(columns="line")
        columns = _SHEETS[name].columns
        dtypes = {"number": "float64", "whole": "int64", "flag": "bool", "month": "period[M]", "day": "datetime64[ns]"}
        return pd.DataFrame({c: pd.Series(dtype=dtypes.get(k, "str")) for c, (k, _) in columns.items()})

    regions = {r.id: Region(r.id, r.name_zh, r.short_zh, r.level, r.parent, r.coverage)
               for r in frame("regions").itertuples()}
    winner = dict(frame("precedence")[["indicator", "winner"]].itertuples(index=False))
    indicators = {r.id: Indicator(r.id, r.name_zh, r.name_en, r.group, r.kind, r.unit, r.additive, r.can_fall, r.count,
                                  r.constant_price, r.batch, r.numerator, r.denominator, r.part_of,
                                  winner.get(r.id, winner.get("default", "department")))
                  for r in frame("indicators").itertuples()}
    region_aliases = {_squeeze(r.alias): (r.id, r.kind) for r in frame("region_aliases").itertuples()}
    aliases = {_label_key(i.name_zh): i.id for i in reversed(indicators.values())}
    for row in frame("aliases").itertuples():
        aliases[_label_key(row.alias)] = row.indicator
    for key in list(aliases):
        aliases.setdefault(_COUNT_ENDINGS.sub("", key), aliases[key])
    aliases.pop("", None)
    parks = tuple(i for i, r in regions.items() if r.level == "park")
    catalog = Catalog(
        year, regions, parks, indicators, frame("targets"), tables.empty(TARGETS),
        tables.shape(frame("stages"), tables.MILESTONES),
        *(frame(n) for n in ("split", "weights", "bounds", "senders", "units", "membership", "unit_words", "precedence",
                             "corrections", "resolutions", "checkpoints", "batches", "eligibility", "notes")),
        region_aliases, tuple(sorted(frame("places")["name"], key=len, reverse=True)), aliases)
    object.__setattr__(catalog, "targets", _targets(catalog))
    return catalog


def _targets(catalog: Catalog) -> pd.DataFrame:
    """TARGETS of one year: the plan's rows, figures per park spread over the members, and the park split."""
    start = pd.Period(f"{catalog.year}-01", "M")
    rows = []
    for row in catalog.plan.to_dict("records"):
        unit = catalog.unit(row["id"])
        printed = row["unit"].removesuffix("/园区")
        factor = catalog.factor(printed, unit)
        base = {**row, "unit": unit, "year": catalog.year, "in_force_from": start, "demo": False,
                "target_low": row["target_low"] * factor, "target_high": row["target_high"] * factor}
        if row["scope"] == "each_park":
            members = catalog.members(start)
            whole = base["target_low"] * (1 if row["comparator"] == "done" else len(members))
            rows += [{**base, "region": p} for p in members]
            rows.append({**base, "region": "zone", "target_low": whole,
                         "note": f"{row['note']}; zone figure derived: each of {len(members)} parks"})
        else:
            rows.append({**base, "region": row["scope"].removeprefix("park:")})
    plan = {r["id"]: r for r in rows if r["region"] in ("zone", "city")}
    for part in catalog.split.to_dict("records"):
        if part["id"] not in plan:
            raise CatalogError(f"split_{catalog.year}.csv:「{part['id']}」在 targets_{catalog.year}.csv 中没有全区目标。")
        whole = plan[part["id"]]
        factor = catalog.factor(catalog.plan.set_index("id").loc[part["id"], "unit"].removesuffix("/园区"), whole["unit"])
        rows.append({**whole, **part, "target_low": part["target_low"] * factor,
                     "target_high": part["target_high"] * factor})
    return tables.check(tables.shape(rows, TARGETS), TARGETS, where="年度目标")
