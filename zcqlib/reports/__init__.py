"""A received file to OBSERVATIONS, PROBLEMS and CELLS; every non-empty cell accounted for, no code for any one file."""

from __future__ import annotations

import gc
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_cell_to_rowcol, xl_range

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.reports import checks, labels, senders, words, worker
from zcqlib.reports.files import EMPTY, content, members, open_file
from zcqlib.reports.grid import Refused, Sheet
from zcqlib.reports.replies import came_back

__all__ = [
    "Context",
    "Reading",
    "Refused",
    "content",
    "members",
    "opened",
    "read_report",
    "summary",
    "write_reading",
]


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
        name = context.file
        own = [f"{name}/{p.relative_to(path).as_posix()}" for p in inside]
        return _together(
            path,
            context,
            [read_report(p, replace(context, file=n)) for p, n in zip(inside, own, strict=True)],
        )
    return worker.run(_read_here, path, context, otherwise=partial(refused, path, context))


def opened(path: Path) -> list[Sheet]:
    """The sheets of a file as they are read, opened in the same process apart.

    Raises
    ------
    Refused : the file cannot be used.
    """

    def stop(refusal):
        raise refusal

    return worker.run(_sheets, path, otherwise=stop)


def _known(path: Path, context: Context) -> Context:
    """The context with the name and the catalog that hold where none are given."""
    catalog = context.catalog if context.catalog is not None else catalogs.load()
    return replace(context, file=context.file or path.as_posix(), catalog=catalog)


def _sheets(path: Path) -> list[Sheet]:
    return open_file(path).sheets


def _together(path: Path, context: Context, parts: list[Reading]) -> Reading:
    """What the files of a zip held, as one reading."""
    frames = (
        pd.concat([getattr(r, name) for r in parts], ignore_index=True)
        for name in ("observations", "problems", "cells")
    )
    counted = ("sheets", "tables", "cells", *tables.OUTCOMES)
    sums = {n: sum(r.info[n] for r in parts) for n in counted}
    return Reading(*frames, _info(path, context, kind="zip", **sums))


def _read_here(path: Path, context: Context) -> Reading:
    """Read a file in this process."""
    context = _known(path, context)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and looking for them takes as long as the reading of a large file
    try:
        raw = content(path)
        return _read(path, raw, context, context.catalog)
    except Refused as e:
        return refused(path, context, e)
    except MemoryError:
        return refused(path, context, worker.too_costly())
    except FileNotFoundError:
        raise
    except Exception as e:  # one file that we fail on must not stop the others of the month
        return refused(
            path,
            context,
            Refused(
                "reader_failed",
                f"读取这份文件时程序出错({type(e).__name__}),整份没有采用;"
                "请另存为 xlsx 后重新报送,并把原文件交给维护人员。",
                raw=str(e)[:200],
            ),
        )
    finally:
        if collecting:
            gc.enable()


def _read(path: Path, raw: bytes, context: Context, catalog: Catalog) -> Reading:
    opened = open_file(path, raw)
    span, published = _when(path, context)
    month = pd.Period(ordinal=published - 1970 * 12, freq="M") if published else pd.NaT
    sent = came_back(opened.sheets)
    region = _sender_region(context, catalog)
    scope = labels.Scope(path.name, catalog, published, span, region)
    problems = [  # sheet, code, severity, place, raw, message, perhaps count
        ("", code, severity, xl_cell_to_rowcol(cell) if cell else None, raw, message)
        for code, severity, cell, raw, message in opened.problems
    ]
    unread = [p[3] for p in problems if p[3]]  # what could not be read as text
    read = []
    for sheet in opened.sheets:
        found = checks.read_sheet(sheet, scope) if sent is None else _aside(sheet)
        read.append((sheet.name, found))
    checks.check_file(read, published, catalog)
    for name, found in read:
        problems += [(name, *p) for p in found.problems]
    for at in unread if read else ():
        read[0][1].outcome.setdefault(at, "problem")
    problems += sent.problems if sent is not None else []
    digest = hashlib.sha256(raw).hexdigest()
    cells = _cells(read, context.file)
    if not len(cells):
        raise Refused(*EMPTY)
    counts = Counter(o for _, found in read for o in found.outcome.values())
    info = _info(
        path,
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
        **{o: counts[o] for o in tables.OUTCOMES},
    )
    observations = _observations(read, opened.sheets, digest[:16], context, catalog, month)
    return Reading(observations, _problems(problems, context, month), cells, info)


def _when(path: Path, context: Context) -> tuple[words.Span | None, int]:
    """The period that the file's name states, and the month that the file is of (0: not known)."""
    name = words.squeeze(path.stem)
    span = words.stated_period(name)
    if context.published is not None:
        return span, context.published.year * 12 + context.published.month - 1
    return span, span.end if span is not None and span.year and span.basis != "year" else 0


def _info(path: Path, context: Context, /, **known) -> dict:
    """What `info` of a reading holds."""
    texts = dict.fromkeys("kind encoding separator digest stated_sender".split(), "")
    counts = dict.fromkeys(("sheets", "tables", "cells", *tables.OUTCOMES), 0)
    none = {"published": pd.NaT, "replies": None, "ledger": None}
    return {"file": context.file or path.as_posix(), **texts, **counts, **none, **known}


def _aside(sheet: Sheet) -> labels.Found:
    """A sheet that is kept as text and gives no figures."""
    found = labels.Found()
    found.outcome.update(
        {(r, c): "context" for r, row in enumerate(sheet.rows) for c in labels.filled(row)}
    )
    return found


def _sender_region(context: Context, catalog: Catalog) -> str:
    of = dict(zip(catalog.senders["id"], catalog.senders["region"], strict=True))
    return of.get(context.sender, "")


# --- shaping --------------------------------------------------------------------------------------------------------


def _address(at: tuple[int, ...] | None) -> str:
    """A cell or a rectangle (first row and column, last row and column) as it is written, "" for none."""
    return xl_range(*at, *at[: 4 - len(at)]) if at else ""


def _addresses(places: Iterable[tuple[int, int] | None]) -> list[str]:
    """Addresses of places, of which some stand many times."""
    known = {at: _address(at) for at in set(places)}
    return [known[at] for at in places]


def _months(numbers: list[int]) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_ordinals(np.array(numbers, dtype="int64") - 1970 * 12, freq="M")


def _observations(
    read: list[tuple[str, labels.Found]],
    opened: list[Sheet],
    digest: str,
    context: Context,
    catalog: Catalog,
    month: pd.Period,
) -> pd.DataFrame:
    every = [
        (f, s) for s, (_, found) in zip(opened, read, strict=True) for f in found.facts.values()
    ]
    if not every:
        return tables.empty(tables.OBSERVATIONS)
    facts, sheets = [f for f, _ in every], [s.name for _, s in every]
    fact = {name: list(map(itemgetter(i), facts)) for i, name in enumerate(labels.Fact._fields)}
    cells, places, spans = _addresses([f[:2] for f in facts]), fact["place"], fact["span"]
    parts = {id: region.coverage for id, region in catalog.regions.items()}
    return tables.of_columns(
        fact
        | {
            "obs_id": [
                f"{digest}:{sheet}:{cell}" for sheet, cell in zip(sheets, cells, strict=True)
            ],
            "region": [p.id for p in places],
            "region_raw": [p.raw for p in places],
            "coverage": [parts.get(p.id, "") for p in places],
            "indicator_raw": fact["path"],
            "start": _months([s.start for s in spans]),
            "end": _months([s.end for s in spans]),
            "basis": [s.basis for s in spans],
            "value_raw": fact["raw"],
            "shown": [s.shown.get(f[:2]) or f.raw for f, s in every],
            **{n: _addresses(v) for n, v in fact.items() if n.endswith("_cell")},
            "missing_reason": fact["reason"],
            "is_total": [p.total for p in places],
            "flags": list(map(";".join, fact["flags"])),
            "sheet": sheets,
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
    order = [(sheet, found.outcome, at) for sheet, found in read for at in sorted(found.outcome)]
    what = {
        "sheet": [sheet for sheet, _, _ in order],
        "cell": _addresses([at for _, _, at in order]),
        "outcome": [outcome[at] for _, outcome, at in order],
    }
    return tables.of_columns(what, tables.CELLS, file=file)


def _problems(problems: list[tuple], context: Context, month) -> pd.DataFrame:
    if not problems:
        return tables.empty(tables.PROBLEMS)
    rows = [
        (code, severity, context.file, sheet, _address(at), *(count or [1]), raw[:200], message)
        for sheet, code, severity, at, raw, message, *count in problems
    ]
    columns = zip(*dict.fromkeys(rows), strict=True)
    what = dict(zip(tables.PROBLEMS.names, map(list, columns), strict=False))
    return tables.of_columns(what, tables.PROBLEMS, sender=context.sender, published=month)


def refused(path: Path, context: Context, refusal: Refused) -> Reading:
    """The reading of a file that cannot be used: no cells, one problem."""
    info = _info(path, context)
    problem = "", refusal.code, refusal.severity, None, refusal.raw, refusal.message
    month = context.published if context.published is not None else pd.NaT
    told = _problems([problem], replace(context, file=info["file"]), month)
    return Reading(tables.empty(tables.OBSERVATIONS), told, tables.empty(tables.CELLS), info)


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
    lines = [
        f"{i['file']}:{i['kind'] or '未读'}{' ' + i['encoding'] if i['encoding'] else ''},{i['sheets']} 张表页、"
        f"{i['tables']} 个表格;{i['cells']} 个单元格 = 数据 {i['observation']} + 名称 {i['label']} + 说明 {i['context']}"
        f" + 问题 {i['problem']}({'相符' if total == i['cells'] else '不相符'});错误 {counts.get('error', 0)}、"
        f"警告 {counts.get('warning', 0)}、提示 {counts.get('info', 0)}"
    ]
    for q in sorted(p.itertuples(), key=lambda q: tables.SEVERITIES.index(q.severity)):
        lines.append(f"  {q.file} / {q.sheet or '-'} / {q.cell or '-'}:{q.message}")
    return "\n".join(lines)
