"""A received file to OBSERVATIONS, PROBLEMS and CELLS; every non-empty cell accounted for, no code for any one file."""
from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.reports import facts, labels, layout, words
from zcqlib.reports.books import letters
from zcqlib.reports.files import open_file
from zcqlib.reports.grid import Opened, Refused, Sheet
from zcqlib.reports.replies import replies

__all__ = ["Context", "Reading", "Refused", "open_file", "read_report", "replies", "summary", "write_reading"]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a file from outside: report month, sender, which submission, made up or not, the catalog."""

    published: pd.Period | None = None
    sender: str = ""
    submission: int = 1
    demo: bool = False
    catalog: Catalog | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file held. `info` counts cells by outcome and names type, encoding, sheets and tables."""

    observations: pd.DataFrame = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    info: dict


def read_report(path: str | Path, context: Context | None = None) -> Reading:
    """Read any report file and say what became of each of its cells.

    Parameters
    ----------
    path : the file; its content decides its type.
    context : report month, sender, submission, demo flag and catalog; by default only what the file itself says, with
        the shipped catalog.
    Returns
    -------
    Reading; `observations` OBSERVATIONS, `problems` PROBLEMS, `cells` CELLS: one row for each non-empty cell. A file
    that cannot be used has no cells and one problem that says why.
    Raises
    ------
    FileNotFoundError : there is no such file.
    Source
    ------
    园区和部门报送的文件。
    """
    path = Path(path)
    context = context or Context()
    catalog = context.catalog if context.catalog is not None else catalogs.load()
    if not path.exists():
        raise FileNotFoundError(path)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and looking for them takes as long as the reading of a large file
    try:
        return _read(path, context, catalog)
    except Exception as e:  # one file that we fail on must not stop the others of the month
        return refused(path, context, Refused("reader_failed", f"读取这份文件时程序出错({type(e).__name__}),整份没有采用;"
                                              "请另存为 xlsx 后重新报送,并把原文件交给维护人员。", raw=str(e)[:200]))
    finally:
        if collecting:
            gc.enable()


def _read(path: Path, context: Context, catalog: Catalog) -> Reading:
    try:
        opened = open_file(path)
    except Refused as e:
        return refused(path, context, e)
    name = words.squeeze(path.stem)
    span = words.whole_period(name) or (words.period_in(name) or (None,))[0]
    published = context.published.year * 12 + context.published.month - 1 if context.published is not None else (
        span.end if span is not None and span.year and span.basis != "year" else 0)
    rows, problems, outcomes, counted = [], [], [], 0
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    answers = replies(opened.sheets)
    for sheet in opened.sheets:
        scope = labels.Scope(path.name, catalog, published, span, _sender_region(context, catalog),
                             *_names(catalog))
        found = _read_sheet(sheet, scope) if answers is None else _aside(sheet)
        counted += len(found.tables)
        outcomes += [(sheet.name, *at, found.outcome[at]) for at in sorted(found.outcome)]
        problems += [(sheet.name, *p) for p in found.problems]
        rows += [(sheet.name, f) for f in found.facts]
    if answers is not None:
        problems.append(("", "return_sheet", "info", None, "", f"这是退回单,有 {len(answers)} 条回复,已记录;"
                         "其中的表不再作为数据读取,需要改的数请在下一期报表中更正。"))
    observations = _observations(rows, path.name, digest, context, published)
    observations = _template_zeros(observations, problems, published)
    _fractions(observations, problems)
    cells = _cells(outcomes, path.name)
    month = pd.Period(ordinal=published - 1970 * 12, freq="M") if published else pd.NaT
    found_problems = _problems(path.name, opened, problems, context, month)
    separator = next((p[3] for p in opened.problems if p[0] == "separator"), "")
    info = {"file": path.name, "kind": opened.kind, "encoding": opened.encoding, "separator": separator,
            "sheets": len(opened.sheets),
            "tables": counted, "cells": len(cells), "digest": digest, "published": month,
            "replies": answers, **{o: int((cells.outcome == o).sum()) for o in tables.OUTCOMES}}
    return Reading(observations, found_problems, cells, info)




def _aside(sheet: Sheet) -> labels.Found:
    """A sheet that is kept as text and gives no figures."""
    found = labels.Found()
    found.outcome.update({(r, c): "context" for r, row in enumerate(sheet.rows) for c, v in enumerate(row)
                          if not labels.is_empty(v)})
    return found


def _names(catalog: Catalog) -> tuple:
    """Names of our own places and unit factors, in the form that the layout looks them up."""
    names = {(alias, region.id) for region in catalog.regions.values() for alias in (region.name_zh, region.short_zh)
             if len(alias) >= 3}
    units = catalog.unit_words
    factors = {words.squeeze(w): (normal, int(n), int(d)) for w, normal, n, d in zip(
        units["word"], units["normal"], units["numerator"], units["denominator"], strict=True)}
    return tuple(sorted(names, key=lambda n: (-len(n[0]), n))), factors


def _sender_region(context: Context, catalog: Catalog) -> str:
    row = catalog.senders[catalog.senders["id"] == context.sender] if context.sender else ()
    return row["region"].iloc[0] if len(row) else ""


def _read_sheet(sheet: Sheet, scope: labels.Scope) -> labels.Found:
    found = labels.Found()
    filled = [(r, c) for r, row in enumerate(sheet.rows) for c, v in enumerate(row) if not labels.is_empty(v)]
    if sheet.hidden and filled:
        found.problem("hidden_sheet", "warning", None, sheet.name,
                      f"工作表「{sheet.name}」是隐藏的,有 {len(filled)} 个单元格,没有采用;需要采用请取消隐藏。")
        found.outcome.update(dict.fromkeys(filled, "context"))
        return found
    lines: list[str] = []
    for block in layout.blocks(sheet, found):
        if layout.is_about(sheet.rows, block):
            found.outcome.update({(r, c): "context" for r in (*block.header, *block.body)
                                  for c, v in enumerate(sheet.rows[r]) if not labels.is_empty(v)})
            found.outcome.update(dict.fromkeys(block.above, "context"))
            continue
        found.tables.append(block.body[0])
        lines = facts.read_table(sheet, block, scope, found, lines)
    for at in sheet.failed:
        if at not in found.outcome:
            filled.append(at)
            found.problem("cell_error", "error", at, sheet.failed[at], "这一格的公式没有可用的结果,请改正后重新报送。")
    for at in filled:
        if at not in found.outcome:
            v = sheet.rows[at[0]][at[1]]
            if labels.valueish(v):
                found.problem("orphan_cell", "warning", at, labels.text_of(v),
                              "这个数字没有行名或列名,没有采用;如果是正式数据,请补上名称。")
                found.outcome[at] = "problem"
            else:
                found.outcome[at] = "context"
    _taken_back(sheet, found)
    return found


_BACK = re.compile(r"[“\"「'‘]?[—－-]+[”\"」'’]?(?:表示|代替|标明)|(?:以|用|改为|记为)[“\"「'‘]?[—－-]+")
_GONE = re.compile("撤销|撤回|取消|作废|核减|删除|剔除|不再")


def _taken_back(sheet: Sheet, found: labels.Found) -> None:
    """A note under the table that figures were withdrawn and stand as 「—」 goes with the cells so marked."""
    said = [labels.text_of(sheet.rows[r][c]).strip() for (r, c), o in sorted(found.outcome.items()) if o == "context"]
    said = [text.replace(";", ",")[:200] for text in said if _BACK.search(text) and _GONE.search(text)]
    if said:
        found.facts[:] = [f._replace(flags=(*f.flags, f"note:{said[0]}"))
                          if f.reason == "not_applicable" and not any(x.startswith("note:") for x in f.flags) else f
                          for f in found.facts]


# --- shaping --------------------------------------------------------------------------------------------------------

def _address(row: int, column: int) -> str:
    return f"{letters(column)}{row + 1}"


def _months(numbers: list[int]) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_ordinals(np.array(numbers, dtype="int64") - 1970 * 12, freq="M")


def _observations(rows: list[tuple[str, labels.Fact]], file: str, digest: str, context: Context,
                  published: int) -> pd.DataFrame:
    if not rows:
        return tables.empty(tables.OBSERVATIONS)
    places = {f.place.id: "" for _, f in rows}
    cells = [_address(f.row, f.column) for _, f in rows]
    frame = pd.DataFrame({
        "obs_id": [f"{digest}:{sheet}:{cell}" for (sheet, _), cell in zip(rows, cells, strict=True)],
        "region": [f.place.id for _, f in rows], "region_raw": [f.place.raw for _, f in rows],
        "indicator": [f.indicator for _, f in rows], "indicator_raw": [f.path for _, f in rows],
        "start": _months([f.span.start for _, f in rows]), "end": _months([f.span.end for _, f in rows]),
        "basis": [f.span.basis for _, f in rows], "measure": [f.measure for _, f in rows],
        "value": [f.value for _, f in rows], "unit": [f.unit for _, f in rows],
        "value_raw": [f.raw for _, f in rows], "unit_raw": [f.unit_raw for _, f in rows],
        "decimals": [f.decimals for _, f in rows], "missing_reason": [f.reason for _, f in rows],
        "is_total": [f.place.total for _, f in rows], "flags": [";".join(f.flags) for _, f in rows],
        "sheet": [sheet for sheet, _ in rows], "cell": cells})
    catalog = context.catalog if context.catalog is not None else catalogs.load()
    parts = {id: catalog.regions[id].coverage if id in catalog.regions else "" for id in places}
    month = pd.Period(ordinal=published - 1970 * 12, freq="M") if published else pd.NaT
    frame = frame.assign(coverage=frame["region"].map(parts).fillna(""), file=file, sender=context.sender,
                         published=pd.Series([month] * len(frame), dtype="period[M]"), submission=context.submission,
                         demo=context.demo)
    return tables.shape(frame, tables.OBSERVATIONS)


def _template_zeros(frame: pd.DataFrame, problems: list, published: int) -> pd.DataFrame:
    """Months after the report month: all zero is an unfilled template, anything else is looked at."""
    if frame.empty or not published:
        return frame
    later = frame["end"] > pd.Period(ordinal=published - 1970 * 12, freq="M")
    later &= frame["measure"].ne("target")
    if not later.any():
        return frame
    frame = frame.copy()
    for (sheet, end), part in frame[later].groupby(["sheet", "end"]):
        first = part.iloc[0]
        r, c = _position(first["cell"])
        if part["value"].dropna().eq(0).all() and part["value"].notna().any():
            frame.loc[part.index[part["value"].eq(0)], ["value", "missing_reason"]] = [float("nan"), "future"]
            problems.append((sheet, "template_zeros", "warning", (r, c), first["value_raw"],
                             f"{end} 还没有到,整列都是 0,疑为未填的模板,已按未报处理。"))
        elif part["value"].notna().any():
            problems.append((sheet, "future_period", "warning", (r, c), first["value_raw"],
                             f"{end} 晚于报告月份,请核对期间。"))
    return frame


def _fractions(frame: pd.DataFrame, problems: list) -> None:
    """A % series that never leaves -1 to 1 may be written in fractions; it is asked for, not changed."""
    stated = frame[frame["unit_raw"].eq("%") & frame["value"].notna() & ~frame["value_raw"].str.endswith(("%", "\uff05"))]
    if stated.empty or not stated["value"].abs().le(1).any():
        return
    for (sheet, path, _), part in stated.groupby(["sheet", "indicator_raw", "measure"]):
        if len(part) > 1 and part["value"].abs().le(1).all() and part["value"].ne(0).any():
            problems.append((sheet, "fraction_suspect", "warning", _position(part["cell"].iloc[0]), part["value_raw"].iloc[0],
                             f"「{path}」的百分数都在 -1 到 1 之间,可能是按小数填写的,请核对;暂按百分数采用。"))


def _position(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    n = 0
    for ch in letters:
        n = n * 26 + ord(ch) - 64
    return int(cell[len(letters):]) - 1, n - 1


def _cells(outcomes: list[tuple], file: str) -> pd.DataFrame:
    if not outcomes:
        return tables.empty(tables.CELLS)
    return pd.DataFrame({"file": pd.Series([file] * len(outcomes), dtype="str"),
                         "sheet": pd.Series([o[0] for o in outcomes], dtype="str"),
                         "cell": pd.Series([_address(o[1], o[2]) for o in outcomes], dtype="str"),
                         "outcome": pd.Series([o[3] for o in outcomes], dtype="str")})


def _problems(file: str, opened: Opened, problems: list, context: Context, month) -> pd.DataFrame:
    rows = [dict(code=code, severity=severity, cell=cell, raw=raw, message=message, sheet="")
            for code, severity, cell, raw, message in opened.problems if code != "separator"]
    rows += [dict(code=code, severity=severity, cell=_address(*at) if at is not None else "", raw=raw[:200],
                  message=message, sheet=sheet) for sheet, code, severity, at, raw, message in problems]
    frame = tables.shape([r | dict(file=file, sender=context.sender, published=month) for r in rows], tables.PROBLEMS)
    return frame.drop_duplicates(ignore_index=True)


def refused(path: Path, context: Context, refusal: Refused) -> Reading:
    """The reading of a file that cannot be used: no cells, one problem."""
    problem = dict(code=refusal.code, severity=refusal.severity, file=path.name, raw=refusal.raw,
                   message=refusal.message, sender=context.sender, published=context.published)
    counts = dict.fromkeys(tables.OUTCOMES, 0)
    return Reading(tables.empty(tables.OBSERVATIONS), tables.shape([problem], tables.PROBLEMS),
                   tables.empty(tables.CELLS), {"file": path.name, "kind": "", "encoding": "", "separator": "", "sheets": 0, "tables": 0,
                                                "cells": 0, "digest": "", "published": pd.NaT, **counts})


# --- what goes out --------------------------------------------------------------------------------------------------

_DANGEROUS = ("'", "=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212")


def harmless(text: str) -> str:
    """Text that a spreadsheet would run, with an apostrophe before it; true numbers are left alone."""
    if not text.startswith(_DANGEROUS) or re.fullmatch(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text, re.I):
        return text
    return "'" + text


def original(text: str) -> str:
    """The text that `harmless` was given."""
    return text.removeprefix("'")


def write_reading(readings: Iterable[Reading], folder: str | Path) -> None:
    """Write observations.csv, problems.csv and cells.csv of some readings (UTF-8 with mark, safe in a spreadsheet)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    readings = list(readings)
    for name in ("observations", "problems", "cells"):
        frame = pd.concat([getattr(r, name) for r in readings], ignore_index=True)
        for column in frame:
            if isinstance(frame[column].dtype, pd.PeriodDtype):
                frame[column] = frame[column].astype("str").where(frame[column].notna(), "")
            elif isinstance(frame[column].dtype, pd.StringDtype):
                frame[column] = frame[column].map(harmless)
        frame.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\n")


def summary(reading: Reading) -> str:
    """Lines for people: type, tables, cells by outcome and whether they add up, then the problems, errors first."""
    i, p = reading.info, reading.problems
    counts = p["severity"].value_counts()
    total = sum(i[o] for o in tables.OUTCOMES)
    lines = [f"{i['file']}:{i['kind'] or '未读'}{' ' + i['encoding'] if i['encoding'] else ''},{i['sheets']} 张表页、"
             f"{i['tables']} 个表格;{i['cells']} 个单元格 = 数据 {i['observation']} + 名称 {i['label']} + 说明 {i['context']}"
             f" + 问题 {i['problem']}({'相符' if total == i['cells'] else '不相符'});错误 {counts.get('error', 0)}、"
             f"警告 {counts.get('warning', 0)}、提示 {counts.get('info', 0)}"]
    order = {s: n for n, s in enumerate(tables.SEVERITIES)}
    for q in sorted(p.itertuples(), key=lambda q: order[q.severity]):
        lines.append(f"  {q.file} / {q.sheet or '-'} / {q.cell or '-'}:{q.message}")
    return "\n".join(lines)
