"""Small invented report files for the tests of the reader."""
from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pandas as pd

from zcqlib.reports import Context, Reading, read_report

PARKS = ["高新区", "经开区", "平原示范区", "红旗区", "牧野区"]
JUNE = Context(published=pd.Period("2018-06", "M"))


def month(text: str) -> pd.Period:
    return pd.Period(text, "M")


def workbook(path: Path, rows: list[list], sheet: str = "Sheet1", merged: tuple[str, ...] = (), change=None) -> Path:
    """An .xlsx with these rows on one sheet; `change(book, sheet)` does the rest."""
    book = openpyxl.Workbook()
    ws = book.active
    ws.title = sheet
    for row in rows:
        ws.append([None if v == "" else v for v in row])
    for area in merged:
        ws.merge_cells(area)
    if change:
        change(book, ws)
    book.save(path)
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def add_up(reading: Reading) -> Reading:
    """The same reading, after its outcomes were found to add up, each cell once."""
    i, cells = reading.info, reading.cells
    counts = [i[o] for o in ("observation", "label", "context", "problem")]
    if sum(counts) != i["cells"] or cells.duplicated(["file", "sheet", "cell"]).any():
        raise ValueError(f"cells do not add up: {counts} {i['cells']}")
    seen = set(zip(cells.loc[cells.outcome == "observation", "sheet"], cells.loc[cells.outcome == "observation", "cell"],
                   strict=True))
    stated = reading.observations
    if set(zip(stated["sheet"], stated["cell"], strict=True)) != seen:
        raise ValueError("observation cells and observations differ")
    errors = reading.problems[(reading.problems["severity"] == "error") & reading.problems["cell"].ne("")]
    lost = set(zip(errors["sheet"], errors["cell"], strict=True)) & seen
    held = set(zip(stated.loc[stated["value"].notna(), "sheet"], stated.loc[stated["value"].notna(), "cell"], strict=True))
    if lost & held:
        raise ValueError(f"an error and a figure in one cell: {lost & held}")
    return reading


def read(path: Path, context: Context | None = JUNE) -> Reading:
    return add_up(read_report(path, context))


def made(folder: Path, rows: list[list], context: Context | None = JUNE, name: str = "报表.xlsx", **how) -> Reading:
    return read(workbook(folder / name, rows, **how), context)


def codes(reading: Reading) -> set[str]:
    return set(reading.problems["code"])


def severity(reading: Reading, code: str) -> str:
    return reading.problems.loc[reading.problems["code"] == code, "severity"].iloc[0]


def outcome(reading: Reading, cell: str) -> str:
    return reading.cells.set_index("cell")["outcome"].get(cell, "")


def at(reading: Reading, cell: str) -> pd.Series:
    """The observation of one cell."""
    found = reading.observations[reading.observations["cell"] == cell]
    if len(found) != 1:
        raise LookupError(f"{cell}: {len(found)} observations; {reading.problems[['code', 'cell']].values.tolist()}")
    return found.iloc[0]


def period(row: pd.Series) -> tuple[str, str, str]:
    return str(row["start"]), str(row["end"]), row["basis"]


def day(y: int, m: int, d: int) -> datetime.datetime:
    return datetime.datetime(y, m, d)
