"""Small invented report files for the tests of the reader."""

from __future__ import annotations

import datetime
import html
import struct
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd

from zcqlib.reports import Context, Reading, read_report

PARKS = ["高新区", "经开区", "平原示范区", "红旗区", "牧野区"]
JUNE = Context(published=pd.Period("2018-06", "M"))


def month(text: str) -> pd.Period:
    return pd.Period(text, "M")


def workbook(
    path: Path, rows: list[list], sheet: str = "Sheet1", merged: tuple[str, ...] = (), change=None
) -> Path:
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


def old_workbook(path: Path, rows: list[list], extra: bytes = b"") -> Path:
    """An .xls (BIFF8 in its OLE package) with these rows; `extra` records follow the first one of the workbook."""

    def record(kind: int, data: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def cell(r: int, c: int, v: object) -> bytes:
        at = struct.pack("<HHH", r, c, 0)
        if isinstance(v, str):
            return record(0x0204, at + struct.pack("<HB", len(v), 1) + v.encode("utf-16-le"))
        return record(0x0203, at + struct.pack("<d", v))

    body = b"".join(
        cell(r, c, v)
        for r, row in enumerate(rows)
        for c, v in enumerate(row)
        if v not in ("", None)
    )
    size = record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    start, stop = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)), record(0x000A)
    fonts = (
        record(0x0042, struct.pack("<H", 1200))
        + record(0x0031, struct.pack("<HHHHHBBBBBB", 200, 0, 8, 400, 0, 0, 0, 0, 0, 1, 0) + b"A")
        + record(0x00E0, bytes(20))
    )
    name = "Sheet1".encode("utf-16-le")
    bound = record(
        0x0085,
        struct.pack("<IHBB", len(start + extra + fonts) + 4 + 8 + len(name) + len(stop), 0, 6, 1)
        + name,
    )
    book = start + extra + fonts + bound + stop
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0)) + size + body + stop
    path.write_bytes(_compound(book + sheet))
    return path


def _compound(stream: bytes) -> bytes:
    """One stream called Workbook in an OLE package with one allocation sector (up to 60 KB)."""
    stream += bytes(max(4096 - len(stream), 0))
    stream += bytes(-len(stream) % 512)
    n = len(stream) // 512
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, n + 2), 0xFFFFFFFE]
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        0xFFFFFFFE,
        0,
        0xFFFFFFFE,
        0,
    ) + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        return struct.pack(
            "<64sHBBIII16xI8x8xIQ",
            text,
            len(text) + 2,
            kind,
            1,
            0xFFFFFFFF,
            0xFFFFFFFF,
            child,
            0,
            start,
            size,
        )

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(
        "Workbook", 2, 0xFFFFFFFF, 2, len(stream)
    )
    return (
        head
        + struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
        + folder.ljust(512, b"\0")
        + stream
    )


def page(rows: list[list]) -> str:
    """The rows as an HTML table."""
    return (
        "<html><body><table>"
        + "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(v))}</td>" for v in row) + "</tr>"
            for row in rows
        )
        + "</table></body></html>"
    )


def spreadsheet_xml(rows: list[list]) -> str:
    """The rows as an XML spreadsheet of 2003."""
    body = "".join(
        "<Row>"
        + "".join(
            f'<Cell><Data ss:Type="{"String" if isinstance(v, str) else "Number"}">{html.escape(str(v))}</Data></Cell>'
            for v in row
        )
        + "</Row>"
        for row in rows
    )
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
        'spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Sheet1"><Table>'
        f"{body}</Table></Worksheet></Workbook>"
    )


def mail(rows: list[list]) -> str:
    """The rows as a web page saved in one file (MHTML)."""
    return (
        'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n--x\nContent-Type: text/html; '
        f'charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{page(rows)}\n--x--\n'
    )


def packed(path: Path, parts: dict[str, bytes | str]) -> Path:
    """A zip with these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            z.writestr(name, data)
    return path


def open_document(path: Path, rows: list[list]) -> Path:
    """An .ods with these rows."""

    def cell(v: object) -> str:
        if v in ("", None):
            return "<table:table-cell/>"
        kind = (
            'office:value-type="string"'
            if isinstance(v, str)
            else f'office:value-type="float" office:value="{v}"'
        )
        return f"<table:table-cell {kind}><text:p>{html.escape(str(v))}</text:p></table:table-cell>"

    space = "urn:oasis:names:tc:opendocument:xmlns:"
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    return packed(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<a/>",
            "content.xml": f'<?xml version="1.0"?><office:document-content xmlns:office="{space}office:1.0" '
            f'xmlns:table="{space}table:1.0" xmlns:text="{space}text:1.0"><office:body><office:spreadsheet>'
            f'<table:table table:name="Sheet1">{body}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        },
    )


def asked(problems: pd.DataFrame) -> set[tuple[str, str]]:
    """Sheet and address of every cell that problems name, those inside a rectangle one by one."""
    out = set()
    for sheet, area in zip(problems["sheet"], problems["cell"], strict=True):
        if area:
            left, top, right, bottom = openpyxl.utils.range_boundaries(area)
            out |= {
                (sheet, f"{openpyxl.utils.get_column_letter(c)}{r}")
                for c in range(left, right + 1)
                for r in range(top, bottom + 1)
            }
    return out


def add_up(reading: Reading) -> Reading:
    """The same reading, after its outcomes were found to add up, each cell once."""
    i, cells = reading.info, reading.cells
    counts = [i[o] for o in ("observation", "label", "context", "problem")]
    if sum(counts) != i["cells"] or cells.duplicated(["file", "sheet", "cell"]).any():
        raise ValueError(f"cells do not add up: {counts} {i['cells']}")
    seen = set(
        zip(
            cells.loc[cells.outcome == "observation", "sheet"],
            cells.loc[cells.outcome == "observation", "cell"],
            strict=True,
        )
    )
    stated = reading.observations
    if set(zip(stated["sheet"], stated["cell"], strict=True)) != seen:
        raise ValueError("observation cells and observations differ")
    single = reading.problems[
        (reading.problems["severity"] == "error") & reading.problems["count"].eq(1)
    ]  # a rectangle may hold other cells
    used = stated[stated["value"].notna() & ~stated["flags"].str.contains("held")]
    if lost := asked(single) & set(zip(used["sheet"], used["cell"], strict=True)):
        raise ValueError(f"an error and a figure in one cell: {lost}")
    return reading


def read(path: Path, context: Context | None = JUNE) -> Reading:
    return add_up(read_report(path, context))


def made(
    folder: Path, rows: list[list], context: Context | None = JUNE, name: str = "报表.xlsx", **how
) -> Reading:
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
        raise LookupError(
            f"{cell}: {len(found)} observations; {reading.problems[['code', 'cell']].values.tolist()}"
        )
    return found.iloc[0]


def period(row: pd.Series) -> tuple[str, str, str]:
    return str(row["start"]), str(row["end"]), row["basis"]


def day(y: int, m: int, d: int) -> datetime.datetime:
    return datetime.datetime(y, m, d)
