"""Workbooks, new and old, to sheets: calamine reads the figures, a look at the bytes guards it and adds the rest.

calamine lays out the whole rectangle of a sheet and cannot be stopped once a far cell makes it ask for more memory than
there is, so every sheet is measured first.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from dataclasses import replace
from functools import lru_cache

from lxml import etree

from zcqlib.reports.grid import (
    MAX_AREA,
    MAX_COLUMNS,
    MAX_ROWS,
    OLE,
    Opened,
    Refused,
    Sheet,
    check_size,
    latin_mojibake,
    refuse_entities,
    xml,
)


def _column(letters: bytes | str) -> int:
    n = 0
    for ch in letters.upper() if isinstance(letters, str) else letters.decode().upper():
        n = n * 26 + ord(ch) - 64
    return n - 1


def _at(address: str) -> tuple[int, int]:
    m = re.fullmatch(r"\$?([A-Za-z]+)\$?(\d+)", address)
    return int(m[2]) - 1, _column(m[1])


def xlsx(package: zipfile.ZipFile, raw: bytes) -> list[Sheet]:
    """Sheets of an .xlsx or .xlsm; what calamine does not tell comes from one look at the bytes of each sheet."""
    parts = {n.lower(): n for n in package.namelist()}
    workbook = xml(package.read(parts["xl/workbook.xml"]))
    relations = {
        r.get("Id"): r.get("Target") for r in xml(package.read(parts["xl/_rels/workbook.xml.rels"]))
    }
    styles = _styles(package)
    out, seen = {}, set()
    for sheet in workbook.iter("{*}sheet"):
        target = next(
            (relations.get(v, "") for k, v in sheet.attrib.items() if k.endswith("}id")), ""
        )
        path = parts.get((target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower())
        if path is not None and "chartsheet" not in path:
            out[sheet.get("name")] = _sheet_details(
                package, path, _canonical(package.read(path)), styles
            )
            seen.add(path)
    for low, path in parts.items():
        if low.startswith("xl/worksheets/") and low.endswith(".xml") and path not in seen:
            _guard(_canonical(package.read(path)))
    return _calamine(raw, out)


_ODD = re.compile(
    rb'<(?:c(?! r="[A-Z]{1,3}\d{1,7}")|row(?! r=")|[\w.-]+:(?:c|row))[\s>/]|<!'
)  # not as most write it


def _canonical(data: bytes) -> bytes:
    """Sheet bytes in the plain form that patterns can rely on; another writer's form is written anew."""
    refuse_entities(data)
    if b"<sheetData" in data and b"='" not in data and not _ODD.search(data):
        return data
    out, row, column, inside = [b"<sheetData/>"], 0, -1, []
    for event, e in etree.iterparse(
        io.BytesIO(data),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    ):
        name = etree.QName(e).localname if isinstance(e.tag, str) else ""
        if event == "start" and name == "row":
            row, column = int(e.get("r", row + 1)), -1
            out.append(b'<row r="%d" hidden="%s">' % (row, e.get("hidden", "0").encode()))
        elif event == "start" and name == "c":
            address = e.get("r")
            column = _at(address)[1] if address else column + 1
            inside = []
            start = (address.upper() if address else f"{letters(column)}{row}").encode()
            out.append(
                b'<c r="%s" s="%s" t="%s">'
                % (start, e.get("s", "0").encode(), e.get("t", "n").encode())
            )
        elif event == "end" and name in ("f", "v", "is"):
            tag, content = (
                name.encode(),
                "".join(e.itertext()).replace("<", " ").replace("&", " ").encode(),
            )
            inside.append(b"<%s>%s</%s>" % (tag, content, tag) if content or name == "f" else b"")
        elif event == "end" and name == "c":
            out += [*inside, b"</c>"]
            e.clear()
        elif event == "end" and name == "row":
            out.append(b"</row>")
            e.clear()
        elif event == "end" and name == "col":
            out.append(
                b'<col min="%s" max="%s" hidden="%s"/>'
                % tuple(e.get(k, "0").encode() for k in ("min", "max", "hidden"))
            )
    return b"".join(out)


@lru_cache(maxsize=4096)
def letters(column: int) -> str:
    """Column number from 0 to its letters."""
    out, n = "", column + 1
    while n:
        n, rest = divmod(n - 1, 26)
        out = chr(65 + rest) + out
    return out


_FILLED = (
    rb"[^>]*(?<!/)>(?:<[fi]|<v>[^<])"  # what follows the address of a cell that holds something
)


def _guard(data: bytes) -> None:
    """Refuse cells outside the limits before a reader lays the whole rectangle out.

    Raises
    ------
    Refused : a figure stands too far away, or there are too many rows with content.
    """
    low = set(map(int, set(re.findall(rb'<c r="[A-Z]+(\d{4,})"' + _FILLED, data))))
    wide = (
        max(map(_column, set(re.findall(rb'<c r="([A-Z]{2,})\d+"' + _FILLED, data))), default=25)
        + 1
    )
    if wide > MAX_COLUMNS or len(low) > MAX_ROWS or max(low, default=1000) * wide > MAX_AREA:
        raise Refused(
            "too_large",
            f"有内容的单元格超出 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限(或位置过远),"
            "请只报送汇总表,并删去远处的内容后报送。",
        )


def _styles(package: zipfile.ZipFile) -> dict[str, dict[bytes, int] | set[bytes]]:
    """Style numbers (as bytes) that mean percent, struck, or a number of decimals."""
    found: dict = {"percent": set(), "struck": set(), "decimals": {}}
    if "xl/styles.xml" not in package.namelist():
        return found
    root = xml(package.read("xl/styles.xml"))
    codes = {"9": "0%", "10": "0.00%", "1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00"}
    codes |= {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter("{*}numFmt")}
    fonts = root.find("{*}fonts")
    struck_fonts = {
        str(i)
        for i, f in enumerate(fonts if fonts is not None else ())
        if f.find("{*}strike") is not None
        and f.find("{*}strike").get("val", "1") not in ("0", "false")
    }
    cells = root.find("{*}cellXfs")
    for i, xf in enumerate(cells if cells is not None else ()):
        code, key = codes.get(xf.get("numFmtId"), ""), str(i).encode()
        if "%" in code:
            found["percent"].add(key)
        if m := re.search(r"0(?:\.(0+))?", code.split(";")[0]):
            found["decimals"][key] = len(m[1] or "")
        if xf.get("fontId") in struck_fonts:
            found["struck"].add(key)
    return found


def _sheet_details(package: zipfile.ZipFile, path: str, data: bytes, styles: dict) -> dict:
    _guard(data)
    out: dict = {
        "percent": set(),
        "struck": set(),
        "decimals": {},
        "failed": {},
        "linked": set(),
        "comments": {},
    }
    wanted = styles["percent"] | styles["struck"] | set(styles["decimals"])
    if wanted:
        keys = b"|".join(sorted(wanted))
        for m in re.finditer(rb'<c r="([A-Z]+)(\d+)"(?=[^>]* s="(' + keys + rb')")[^/>]*>', data):
            at = (int(m[2]) - 1, _column(m[1]))
            if m[3] in styles["percent"]:
                out["percent"].add(at)
            if m[3] in styles["struck"]:
                out["struck"].add(at)
            if m[3] in styles["decimals"]:
                out["decimals"][at] = styles["decimals"][m[3]]
    for m in (
        re.finditer(rb'<c r="([A-Z]+)(\d+)"([^>]*)>(?:<is>.*?</is>)?<f[ >/](.*?)</c>', data, re.S)
        if b"<f" in data
        else ()
    ):
        at, inside = (int(m[2]) - 1, _column(m[1])), m[4]
        if not re.search(rb"<v>[^<]", inside) and b't="str"' not in m[3]:
            out["failed"][at] = "formula_without_value"
        if re.search(rb"\[\d+\]|\[[^\]<]+\.xls", inside.split(b"<v>")[0]):
            out["linked"].add(at)
    for m in (
        re.finditer(rb'<c r="([A-Z]+)(\d+)"[^>]*t="e"[^>]*>.*?<v>([^<]+)</v>', data, re.S)
        if b't="e"' in data
        else ()
    ):
        out["failed"][int(m[2]) - 1, _column(m[1])] = m[3].decode()
    out["hidden_rows"] = frozenset(
        int(n) - 1 for n in re.findall(rb'<row r="(\d+)"[^>]* hidden="(?:1|true)"', data)
    )
    columns: set[int] = set()
    for m in re.finditer(rb'<col (?=[^>]*hidden="(?:1|true)")[^>]*>', data):
        lo, hi = (int(re.search(rb"\b" + k + rb'="(\d+)"', m[0])[1]) for k in (b"min", b"max"))
        columns |= set(range(lo - 1, min(hi, MAX_COLUMNS)))
    out["hidden_columns"] = frozenset(columns)
    rels = path.replace("worksheets/", "worksheets/_rels/") + ".rels"
    if rels in package.namelist():
        for r in xml(package.read(rels)):
            if r.get("Type", "").endswith("/comments"):
                target = r.get("Target", "")
                name = (
                    target.lstrip("/")
                    if target.startswith("/")
                    else f"xl/{target.removeprefix('../')}"
                )
                if name in package.namelist():
                    for comment in xml(package.read(name)).iter("{*}comment"):
                        out["comments"][_at(comment.get("ref"))] = "".join(
                            t.text or "" for t in comment.iter("{*}t")
                        )
    return {k: frozenset(v) if isinstance(v, set) else v for k, v in out.items()}


def ods(package: zipfile.ZipFile, raw: bytes) -> list[Sheet]:
    """Sheets of an open document, after its repeated rows and columns were counted."""
    data = package.read("content.xml")
    refuse_entities(data)
    row, column, filled, wide = 0, 0, 0, 0
    for event, e in etree.iterparse(
        io.BytesIO(data),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    ):
        name = etree.QName(e).localname if isinstance(e.tag, str) else ""
        if event == "start" and name == "table":
            row, filled, wide = 0, 0, 0
        elif event == "start" and name == "table-row":
            column, last = 0, 0
        elif event == "end" and name in ("table-cell", "covered-table-cell"):
            column += int(
                next((v for k, v in e.attrib.items() if k.endswith("}number-columns-repeated")), 1)
            )
            if len(e) or any(k.endswith("}value-type") for k in e.attrib):
                last = column
            e.clear()
        elif event == "end" and name == "table-row":
            times = int(
                next((v for k, v in e.attrib.items() if k.endswith("}number-rows-repeated")), 1)
            )
            row += times
            wide = max(wide, last)
            filled += times if last else 0
            if filled > MAX_ROWS or wide > MAX_COLUMNS or last and row * wide > MAX_AREA:
                raise Refused(
                    "too_large",
                    f"有内容的单元格超出 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限,请拆分后报送。",
                )
            e.clear()
    return _calamine(raw, {})


def _calamine(raw: bytes, details: dict[str, dict]) -> list[Sheet]:
    import python_calamine as pc

    try:
        book = pc.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = []
        for meta in book.sheets_metadata:
            if meta.typ != pc.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(meta.name)
            rows = sheet.to_python(skip_empty_area=False)
            blank = [""] * max(map(len, rows), default=0)
            rows = [
                row if row != blank else [] for row in rows
            ]  # a far cell leaves tens of thousands of empty ones
            check_size(rows)
            merged = tuple((a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or ())
            sheets.append(
                Sheet(
                    meta.name,
                    rows,
                    merged,
                    hidden=meta.visible != pc.SheetVisibleEnum.Visible,
                    **details.get(meta.name, {}),
                )
            )
        return sheets
    except pc.PasswordError as e:
        raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。") from e
    except (pc.CalamineError, OSError) as e:
        raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e
    except BaseException as e:
        if (
            type(e).__name__ != "PanicException"
        ):  # how a failed assumption in its Rust code comes out; no Exception
            raise
        raise Refused("corrupt", "文件已损坏,整份没有采用,请重新报送。") from e


# old workbooks ------------------------------------------------------------------------------------------------------


def ole(raw: bytes) -> Opened:
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, EncryptionError, FileFormatError, ParseError

    try:
        if msoffcrypto.OfficeFile(io.BytesIO(raw)).is_encrypted():
            raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。")
    except (FileFormatError, ParseError, DecryptionError, EncryptionError, *_BROKEN):
        pass  # whether it is a workbook at all is for the readers to say
    if b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0" in raw:
        raise Refused("unsupported", "这是旧版 Word 文档(.doc),请另存为 .docx 或 .xlsx 后报送。")
    return xls(raw)


_CELLS = {
    0x0203,
    0x0204,
    0x0205,
    0x0006,
    0x00FD,
    0x00D6,
    0x027E,
    0x00BD,
    0x0003,
    0x0004,
    0x0002,
    0x0005,
}


def _guard_old(raw: bytes) -> bool:
    """Old sheets have 256 columns; a damaged one that claims more would bring the reader down.

    Returns
    -------
    whether the sizes that it states are possible: calamine sets aside memory for them, and ends the process where it
    cannot; xlrd only reads.
    Raises
    ------
    Refused : damaged, a cell outside the form's own limits, or cells so far apart that all between are too many.
    """
    import xlrd.compdoc

    stream: bytes | None = raw
    if raw.startswith(OLE):
        try:
            package = xlrd.compdoc.CompDoc(raw, logfile=io.StringIO())
            stream = package.get_named_stream("Workbook") or package.get_named_stream("Book")
        except (xlrd.compdoc.CompDocError, *_BROKEN) as e:
            raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e
    if not stream:
        raise Refused("corrupt", "文件里没有工作簿,可能不是表格,请另存为 .xlsx 后报送。")
    at, end, low, wide, sound = 0, len(stream) - 4, 0, 0, True
    while at <= end:
        kind, size = struct.unpack_from("<HH", stream, at)
        if (
            kind == 0x0200 and size in (10, 14) and at + 4 + size <= len(stream)
        ):  # first row, end, first column, end
            top, bottom, left, right = struct.unpack_from(
                "<HHHH" if size == 10 else "<IIHH", stream, at + 4
            )
            sound &= not bottom or not right or top < bottom <= 65_536 and left < right <= 256
        elif kind == 0x00FC and at + 12 <= len(stream):  # so many strings, of three bytes at least
            sound &= 3 * struct.unpack_from("<I", stream, at + 8)[0] <= len(stream)
        if kind in _CELLS and size >= 4 and at + 8 <= len(stream):
            row, column = struct.unpack_from("<HH", stream, at + 4)
            if kind == 0x00BD and at + 4 + size <= len(
                stream
            ):  # a run of numbers ends with its last column
                column = max(column, struct.unpack_from("<H", stream, at + 2 + size)[0])
            if column > 255:
                raise Refused(
                    "corrupt", "文件已损坏(有单元格在表格范围以外),整份没有采用,请重新报送。"
                )
            low, wide = max(low, row + 1), max(wide, column + 1)
        elif kind == 0x0809:  # another sheet begins
            low, wide = 0, 0
        if low * wide > MAX_AREA:
            raise Refused(
                "too_large", "有内容的单元格位置过远,请只报送汇总表,并删去远处的内容后报送。"
            )
        at += 4 + size
    return sound


def xls(raw: bytes) -> Opened:
    """An old workbook: calamine first; where its strings are garbage (another code page than declared), xlrd."""
    import xlrd.compdoc

    sound = _guard_old(raw)
    try:
        if not sound:
            raise Refused("corrupt", "文件已损坏,整份没有采用,请重新报送。")
        sheets = _calamine(raw, {})
        garbled = _garbled(sheets)
        if not garbled and len(raw) > 2 * 2**20:
            return Opened("xls", "", sheets, [])
    except Refused as e:
        if e.code != "corrupt":
            raise
        sheets, garbled = None, True
    try:
        book = xlrd.open_workbook(
            file_contents=raw, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        )
        second = [_xlrd_sheet(book, s) for s in book.sheets()]
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *_BROKEN) as e:
        if sheets is None:
            raise Refused("corrupt", "文件已损坏,整份没有采用,请重新报送。") from e
        if garbled:
            raise Refused("mojibake", "文字是乱码,整份文件没有采用,请从原系统重新导出。") from e
        return Opened("xls", "", sheets, [])
    if garbled:
        if _garbled(second):
            raise Refused("mojibake", "文字是乱码,整份文件没有采用,请从原系统重新导出。")
        return Opened(
            "xls",
            "",
            second,
            [("second_reader", "info", "", "", "文字用了另一种编码,已换用第二种读法。")],
        )
    details = {s.name: s for s in second}
    return Opened(
        "xls",
        "",
        [
            replace(s, **{k: getattr(details[s.name], k) for k in _DETAILS})
            if s.name in details
            else s
            for s in sheets
        ],
        [],
    )


_DETAILS = ("percent", "decimals", "struck", "hidden_rows", "hidden_columns", "comments")
_BROKEN = (
    struct.error,
    IndexError,
    KeyError,
    AssertionError,
    UnicodeDecodeError,
    ValueError,
    OSError,
    TypeError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)


def _garbled(sheets: list[Sheet]) -> bool:
    texts = [v for s in sheets for r in s.rows for v in r if isinstance(v, str) and v]
    return any(re.search(r"[\x00-\x08\x0e-\x1f]", v) or latin_mojibake(v) for v in texts)


def _xlrd_sheet(book, s) -> Sheet:
    import xlrd

    percent, decimals, struck, rows = set(), {}, set(), []
    for r in range(s.nrows):
        row = []
        for c in range(s.row_len(r)):
            cell = s.cell(r, c)
            xf = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
            code = book.format_map[xf.format_key].format_str if xf else ""
            if cell.ctype == xlrd.XL_CELL_NUMBER:
                if "%" in code:
                    percent.add((r, c))
                if m := re.search(r"0(?:\.(0+))?", code.split(";")[0]):
                    decimals[r, c] = len(m[1] or "")
                if book.font_list[xf.font_index].struck_out:
                    struck.add((r, c))
            row.append(
                xlrd.xldate_as_datetime(cell.value, book.datemode)
                if cell.ctype == xlrd.XL_CELL_DATE and 1 <= cell.value < 2_958_466
                else xlrd.error_text_from_code.get(cell.value, "#ERR")
                if cell.ctype == xlrd.XL_CELL_ERROR
                else cell.value
            )
        rows.append(row)
    hidden_rows = frozenset(r for r, info in s.rowinfo_map.items() if info.hidden)
    hidden_columns = frozenset(c for c, info in s.colinfo_map.items() if info.hidden)
    notes = {(n.rowx, n.colx): n.text for n in s.cell_note_map.values()}
    return Sheet(
        s.name,
        rows,
        tuple((a, c, b - 1, d - 1) for a, b, c, d in s.merged_cells),
        frozenset(percent),
        decimals,
        frozenset(struck),
        hidden_rows,
        hidden_columns,
        notes,
        hidden=s.visibility != 0,
    )
