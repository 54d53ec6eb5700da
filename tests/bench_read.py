"""Reading and understanding against reading alone, on the same files in one run: `make bench-read`.

Cells a second of `read_report` (which also understands and accounts for every cell), of pandas.read_excel with openpyxl and
of pandas.read_excel with calamine. The large file is made here: 30,000 rows of 20 figures each.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import python_calamine
import xlsxwriter

from zcqlib.reports import read_report, worker

ROOT = Path(__file__).resolve().parents[1]


def large(path: Path, rows: int = 30_000, columns: int = 20) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("分月")
        sheet.write_row(0, 0, ["各企业专利申请量分月情况"])
        sheet.write_row(1, 0, ["单位:件"])
        sheet.write_row(
            2, 0, ["企业", *(f"{2017 + m // 12}年{m % 12 + 1}月" for m in range(columns))]
        )
        for r in range(rows):
            sheet.write_row(r + 3, 0, [f"企业{r}", *((r * 7 + c) % 97 for c in range(columns))])
    return path


def spent() -> float:
    """Seconds of the processor so far (others may hold the machine), those of the reading process with them."""
    child = next((p.pid for p in worker._ALIVE.values()), 0)
    stat = Path(f"/proc/{child}/stat")
    ticks = stat.read_text().rpartition(")")[2].split()[11:13] if stat.exists() else ()
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def timed(job) -> float:
    best = float("inf")
    for _ in range(2):
        start = spent()
        job()
        best = min(best, spent() - start)
    return best


def bare(path: Path) -> None:
    book = python_calamine.CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        book.get_sheet_by_name(name).to_python()


def demo() -> list[Path]:
    return sorted((ROOT / "data" / "raw" / "demo").glob("20*/*.xlsx"))


def compare(name: str, paths: list[Path]) -> None:
    cells = sum(read_report(p).info["cells"] for p in paths)
    ours = timed(lambda: [read_report(p) for p in paths])
    print(f"{name}: {cells:,} cells; read_report {ours:.2f} s, {cells / ours:,.0f} cells a second")
    least = timed(lambda: [bare(p) for p in paths])
    print(f"  calamine alone: {least:.2f} s; read_report takes {ours / least:.2f} times as long")
    for engine in ("openpyxl", "calamine"):
        other = timed(
            lambda engine=engine: [
                pd.read_excel(p, engine=engine, sheet_name=None, header=None) for p in paths
            ]
        )
        print(f"  pandas with {engine}: {other:.2f} s; it takes {other / ours:.2f} of our time")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        compare("30,000 x 20", [large(Path(folder) / "large.xlsx")])
    compare("demo workbooks", demo())
    return 0


if __name__ == "__main__":
    sys.exit(main())
