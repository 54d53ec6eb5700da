"""A received file to OBSERVATIONS, PROBLEMS and CELLS; every non-empty cell accounted for, no code for any one file."""

from __future__ import annotations

import gc
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_cell_to_rowcol, xl_range

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.reports import checks, labels, senders, words, worker
from zcqlib.reports.files import EMPTY, content, members, open_file
from zcqlib.reports.grid import Refused, Sheet, remember
from zcqlib.reports.replies import came_back

_EPOCH = 1970 * 12  # months that a Period does not count
_COUNTS = "sheets", "tables", "cells", *tables.OUTCOMES


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a file from outside: report month, sender, which submission, made up or not, the catalog, and its
    name in the tables (by default the path as given)."""

    published: pd.Period | None = None
    sender: str = ""
    submission: int = 1
    demo: bool = False
    catalog: Catalog | None = None
    file: str = ""


@dataclass(frozen=True)
class Reading:
    """What one file held. `info` counts cells by outcome and names type, encoding, sheets and tables."""

    observations: pd.DataFrame = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    info: dict


def read_report(path: str | Path, context: Context | None = None) -> Reading:
    """Read any report file and say what became of each of its cells.

    The work is done in a process apart, within limits of time and memory: a file that breaks it is one problem.

    Parameters
    ----------
    path : the file; its content decides its type. A zip of reports is read file by file; one of them alone has the path
        of the zip with its own behind it.
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
    context = _known(path, context or Context())
    inside = members(path)
    if inside != [path]:
        own = {p: f"{context.file}/{p.relative_to(path).as_posix()}" for p in inside}
        parts = [read_report(p, replace(context, file=name)) for p, name in own.items()]
        sums = {n: sum(r.info[n] for r in parts) for n in _COUNTS}
        return Reading(**_joined(parts), info=_info(context, kind="zip", **sums))
    return worker.run(_read_here, path, context, otherwise=partial(refused, path, context))


def opened(path: Path) -> list[Sheet]:
    """The sheets of a file as they are read, opened in the same process apart.

    Raises
    ------
    Refused : the file cannot be used.
    """

    def stop(refusal):
        raise refusal

    return worker.run(open_file, path, otherwise=stop).sheets


def _known(path: Path, context: Context) -> Context:
    """The context with the name and the catalog that hold where none are given."""
    catalog = context.catalog if context.catalog is not None else catalogs.load()
    return replace(context, file=context.file or path.as_posix(), catalog=catalog)


def _joined(readings: list[Reading]) -> dict[str, pd.DataFrame]:
    """The tables of several readings, one below the other."""
    return {
        name: pd.concat([getattr(r, name) for r in readings], ignore_index=True)
        for name in ("observations", "problems", "cells")
    }


def _read_here(path: Path, context: Context) -> Reading:
    """Read a file in this process."""
    context = _known(path, context)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and looking for them takes as long as the reading of a large file
    try:
        return _read(path, content(path), context, context.catalog)
    except Refused as e:
        why = e
    except MemoryError:
        why = worker.too_costly()
    except FileNotFoundError:
        raise
    except Exception as e:  # one file that we fail on must not stop the others of the month
        why = Refused(
            "reader_failed",
            f"读取这份文件时程序出错({type(e).__name__}),整份没有采用;"
            "请另存为 xlsx 后重新报送,并把原文件交给维护人员。",
            raw=str(e)[:200],
        )
    finally:
        if collecting:
            gc.enable()
    return refused(path, context, why)


def _read(path: Path, raw: bytes, context: Context, catalog: Catalog) -> Reading:
    opened = open_file(path, raw)
    span, month = words.stated_period(words.squeeze(path.stem)), context.published
    if month is None:  # the month of the file's name
        dated = span is not None and span.year and span.basis != "year"
        month = _months([span.end])[0] if dated else pd.NaT
    published = 0 if month is pd.NaT else month.ordinal + _EPOCH
    sent = came_back(opened.sheets)
    region = catalog.senders.set_index("id")["region"].get(context.sender, "")
    scope = labels.Scope(path.name, catalog, published, span, region)
    read = [(s.name, checks.read_sheet(s, scope, sent is not None)) for s in opened.sheets]
    checks.check_file(read, published, catalog)
    problems = []
    for code, severity, cell, told, message in opened.problems:  # of the whole file
        at = xl_cell_to_rowcol(cell) if cell else None
        problems.append(("", code, severity, at, told, message))
        if at and read:  # what could not be read as text
            read[0][1].outcome.setdefault(at, "problem")
    problems += [(name, *p) for name, found in read for p in found.problems]
    problems += sent.problems if sent is not None else []
    digest = hashlib.sha256(raw).hexdigest()
    cells = _cells(read, context.file)
    if not len(cells):
        raise Refused(*EMPTY)
    info = _info(
        context,
        kind=opened.kind,
        encoding=opened.encoding,
        separator=opened.separator,
        sheets=len(opened.sheets),
        tables=sum(len(found.tables) for _, found in read),
        cells=len(cells),
        digest=digest,
        published=month,
        stated_sender=senders.stated(opened.sheets),
        replies=getattr(sent, "replies", None),
        ledger=getattr(sent, "ledger", None),
        **Counter(cells["outcome"]),
    )
    observations = _observations(read, opened.sheets, digest[:16], context, catalog, month)
    return Reading(observations, _problems(problems, context, month), cells, info)


def _info(context: Context, /, **known) -> dict:
    """What `info` of a reading holds."""
    texts = dict.fromkeys("kind encoding separator digest stated_sender".split(), "")
    none = {"published": pd.NaT, "replies": None, "ledger": None}
    return {"file": context.file, **texts, **dict.fromkeys(_COUNTS, 0), **none, **known}


# --- shaping --------------------------------------------------------------------------------------------------------


@remember
def _address(at: tuple[int, ...] | None) -> str:
    """A cell or a rectangle (first row and column, last row and column) as it is written, "" for none."""
    return xl_range(*at, *at[: 4 - len(at)]) if at else ""


def _months(numbers: list[int]) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_ordinals(np.array(numbers, dtype="int64") - _EPOCH, freq="M")


def _observations(
    read: list[tuple[str, labels.Found]],
    opened: list[Sheet],
    digest: str,
    context: Context,
    catalog: Catalog,
    month: pd.Period,
) -> pd.DataFrame:
    facts = [f for _, found in read for f in found.facts.values()]
    sheets = [s for s, (_, found) in zip(opened, read, strict=True) for _ in found.facts]
    fact = {name: [f[i] for f in facts] for i, name in enumerate(labels.Fact._fields)}
    cells, places, spans = [_address(f.at) for f in facts], fact["place"], fact["span"]
    parts = {id: region.coverage for id, region in catalog.regions.items()}
    return tables.of_columns(
        fact
        | {
            "obs_id": [f"{digest}:{s.name}:{x}" for s, x in zip(sheets, cells, strict=True)],
            "region": [p.id for p in places],
            "region_raw": [p.raw for p in places],
            "coverage": [parts.get(p.id, "") for p in places],
            "indicator_raw": fact["path"],
            "start": _months([s.start for s in spans]),
            "end": _months([s.end for s in spans]),
            "basis": [s.basis for s in spans],
            "value_raw": fact["raw"],
            "shown": [s.shown.get(f.at) or f.raw for s, f in zip(sheets, facts, strict=True)],
            **{n: list(map(_address, v)) for n, v in fact.items() if n.endswith("_cell")},
            "missing_reason": fact["reason"],
            "is_total": [p.total for p in places],
            "flags": list(map(";".join, fact["flags"])),
            "sheet": [s.name for s in sheets],
            "cell": cells,
        },
        tables.OBSERVATIONS,
        file=context.file,
        sender=context.sender,
        published=month,
        submission=context.submission,
        demo=context.demo,
    )


def _cells(read: list[tuple[str, labels.Found]], file: str) -> pd.DataFrame:
    order = (
        (sheet, _address(at), found.outcome[at])
        for sheet, found in read
        for at in sorted(found.outcome)
    )
    what = dict(zip(("sheet", "cell", "outcome"), zip(*order, strict=True), strict=False))
    return tables.of_columns(what, tables.CELLS, file=file)


def _problems(problems: list[tuple], context: Context, month) -> pd.DataFrame:
    rows = [
        (code, severity, context.file, sheet, _address(at), *(count or [1]), raw[:200], message)
        for sheet, code, severity, at, raw, message, *count in problems
    ]
    columns = zip(*dict.fromkeys(rows), strict=True)
    what = dict(zip(tables.PROBLEMS.names, columns, strict=False))
    return tables.of_columns(what, tables.PROBLEMS, sender=context.sender, published=month)


def refused(path: Path, context: Context, refusal: Refused) -> Reading:
    """The reading of a file that cannot be used: no cells, one problem."""
    context = replace(context, file=context.file or path.as_posix())
    month = context.published if context.published is not None else pd.NaT
    problem = "", refusal.code, refusal.severity, None, refusal.raw, refusal.message
    told = _problems([problem], context, month)
    nothing = tables.empty(tables.OBSERVATIONS), told, tables.empty(tables.CELLS)
    return Reading(*nothing, _info(context))


# --- what goes out --------------------------------------------------------------------------------------------------

_DANGEROUS = tuple("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\u2212")


def harmless(text: str) -> str:
    """Text that a spreadsheet would run, with an apostrophe before it; true numbers are left alone."""
    if not text.startswith(_DANGEROUS) or re.fullmatch(
        r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text, re.I
    ):
        return text
    return "'" + text


def write_reading(readings: Iterable[Reading], folder: str | Path) -> None:
    """Write observations.csv, problems.csv and cells.csv of some readings (UTF-8 with mark, safe in a spreadsheet)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in _joined(list(readings)).items():
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
    lines = [
        f"{i['file']}:{i['kind'] or '未读'}{' ' + i['encoding'] if i['encoding'] else ''},{i['sheets']} 张表页、"
        f"{i['tables']} 个表格;{i['cells']} 个单元格 = 数据 {i['observation']} + 名称 {i['label']} + 说明 {i['context']}"
        f" + 问题 {i['problem']}({'相符' if total == i['cells'] else '不相符'});错误 {counts.get('error', 0)}、"
        f"警告 {counts.get('warning', 0)}、提示 {counts.get('info', 0)}"
    ]
    worst = sorted(p.itertuples(), key=lambda q: tables.SEVERITIES.index(q.severity))
    lines += [f"  {q.file} / {q.sheet or '-'} / {q.cell or '-'}:{q.message}" for q in worst]
    return "\n".join(lines)
