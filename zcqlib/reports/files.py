"""A received file, whatever it calls itself, to sheets of plain cells; limits are checked before anything is unpacked.

The content decides the type, never the name. Nothing is executed, followed or fetched.
"""
from __future__ import annotations

import csv
import email
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree, html

MAX_FILE, MAX_UNPACKED, MAX_RATIO, MAX_PARTS = 100 * 2**20, 200 * 2**20, 100, 2_000
MAX_ROWS, MAX_COLUMNS = 200_000, 2_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRAY = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Refused(Exception):
    """The file as a whole cannot be used; carries the problem's code, severity and Chinese sentence."""

    def __init__(self, code: str, message: str, severity: str = "error", raw: str = ""):
        super().__init__(message)
        self.code, self.message, self.severity, self.raw = code, message, severity, raw


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells of one sheet, row by row, ragged; positions count from 0. Empty cells are "" or None."""

    name: str
    rows: list[list]
    merged: tuple[tuple[int, int, int, int], ...] = ()  # first row, first column, last row, last column
    percent: frozenset[tuple[int, int]] = frozenset()
    decimals: dict[tuple[int, int], int] = field(default_factory=dict)
    struck: frozenset[tuple[int, int]] = frozenset()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    failed: dict[tuple[int, int], str] = field(default_factory=dict)  # formula_without_value or an error word
    linked: frozenset[tuple[int, int]] = frozenset()
    title: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A file's sheets, its true type, its encoding (text only) and problems of the file as (code, severity, cell, raw,
    message)."""

    kind: str
    encoding: str
    sheets: list[Sheet]
    problems: list[tuple[str, str, str, str, str]]


def open_file(path: Path) -> Opened:
    """Read any supported file.

    Raises
    ------
    Refused : not a report, empty, encrypted, damaged, too large, or in no known form.
    """
    if path.name.startswith(("~$", ".~")):
        raise Refused("not_a_report", "这是办公软件的临时文件,已跳过。", "info")
    size = path.stat().st_size
    if size == 0:
        raise Refused("empty_file", "文件是空的(0 字节),请重新报送。", "warning")
    if size > MAX_FILE:
        raise Refused("too_large", f"文件有 {size / 2**20:.0f} MiB,超过 {MAX_FILE // 2**20} MiB 的上限,请拆分后报送。")
    raw = path.read_bytes()
    kind, opened = _by_content(raw)
    expected = {"xlsx": {".xlsx", ".xlsm", ".et"}, "xls": {".xls", ".et"}, "ods": {".ods"}, "docx": {".docx"},
                "html": {".html", ".htm"}, "xml": {".xml"}, "mhtml": {".mht", ".mhtml"},
                "text": {".csv", ".txt", ".tsv"}}[kind]
    if path.suffix.lower() not in expected:
        opened.problems.append(("extension_mismatch", "info", "", path.suffix,
                                f"文件扩展名是 {path.suffix or '空'},内容其实是 {kind},已按内容读取。"))
    return opened


def _by_content(raw: bytes) -> tuple[str, Opened]:
    if raw[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(raw)
    if raw.startswith(OLE):
        return "xls", _ole(raw)
    if raw[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00") and raw[3:4] == b"\x00":
        return "xls", _xls(raw)
    if raw.count(b"\0", 0, 4096) > 8 and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused("corrupt", "文件内容不是能识别的表格格式,可能已损坏,请重新导出后报送。")
    text, encoding, problems = decode(raw)
    head = text[:2000].lstrip().lower()
    if head.startswith("mime-version:") or "\nmime-version:" in head[:500]:
        return "mhtml", Opened("mhtml", encoding, _mhtml(raw), problems)
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<html" not in head:
        return "xml", Opened("xml", encoding, _spreadsheet_xml(raw), problems)
    if re.match(r"<(!doctype html|html|table|head|body|meta|style|div)\b", head) or "<table" in head:
        return "html", Opened("html", encoding, html_sheets(text), problems)
    rows, more = delimited(text)
    return "text", Opened("text", encoding, [Sheet("", rows)], problems + more)


# text ---------------------------------------------------------------------------------------------------------------

def decode(raw: bytes) -> tuple[str, str, list]:
    """Text by its mark, else strict UTF-8, else GB18030; what cannot be decoded is cut off and reported."""
    problems: list[tuple[str, str, str, str, str]] = []
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            raw, names = raw[len(mark):], (name,)
            break
    else:
        names = ("utf-8", "gb18030")
    error = None
    for name in names:
        try:
            text, encoding = raw.decode(name), name
            break
        except UnicodeDecodeError as e:
            error = e if error is None or e.start > error.start else error
    else:
        encoding, good = error.encoding.replace("gb18030", "gb18030"), raw[:error.start]
        text = good.decode(encoding)
        row = text.count("\n") + 1
        text = text[:text.rfind("\n") + 1]  # the cut row is a problem, the rows before it are read
        if not text:
            raise Refused("bad_bytes", f"第 1 行第 {error.start + 1} 个字节不是有效的文字编码,请另存为 UTF-8 后报送。")
        problems.append(("bad_bytes", "error", f"A{row}", raw[error.start:error.start + 8].hex(" "),
                         f"第 {row} 行(第 {error.start + 1} 个字节起)文字编码损坏,该行及以后没有读取,请重新导出。"))
    body = text[:20000]
    if "锟斤拷" in body or "烫烫烫" in body or "\ufffd" in body or _latin_mojibake(body):
        raise Refused("mojibake", "文字是乱码(编码转换出错),整份文件没有采用,请从原系统重新导出。", raw=body[:40])
    if any(ord(c) in _STRAY for c in text[:100000]):
        cleaned = text.translate(_STRAY)
        problems.append(("stray_mark", "info", "", "", "文件中夹有不可见的标记字符,已去掉。"))
        text = cleaned
    return text, encoding, problems


def _latin_mojibake(text: str) -> bool:
    """Letters with accents where Chinese is due: UTF-8 or GBK bytes that were read as Latin."""
    accents = sum("\u00a0" <= c <= "\u024f" and c not in "²³·°±×÷" for c in text)
    return accents >= 4 and accents > sum("\u4e00" <= c <= "\u9fff" for c in text)


def delimited(text: str) -> tuple[list[list[str]], list]:
    """Rows of separated text as they are, ragged; the separator is the one that gives the steadiest width."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [x for x in text.split("\n")[:50] if x.strip()]
    if not lines:
        raise Refused("empty_file", "文件里没有内容,请重新报送。", "warning")

    def steadiness(separator: str) -> tuple[int, int]:
        widths = Counter(n for n in (x.count(separator) for x in lines) if n)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    separator = max("\t;,,|", key=lambda s: (steadiness(s)[0], s == ",", steadiness(s)[1]))
    if steadiness(separator)[0] == 0:
        separator = ","
    if separator == ",":  # full-width, as typed by hand; quotes are not used with it
        rows = [x.split(",") for x in text.split("\n")]
    else:
        csv.field_size_limit(2**24)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    while rows and not any(map(str.strip, rows[-1])):
        rows.pop()
    _check_size(rows)
    return rows, [("separator", "info", "", separator, f"按分隔符「{ {chr(9): '制表符'}.get(separator, separator)}」读取。")]


def _check_size(rows: list[list]) -> None:
    filled = sum(any(c not in ("", None) for c in r) for r in rows)
    width = max(map(len, rows), default=0)
    if filled > MAX_ROWS or width > MAX_COLUMNS and any(
            c not in ("", None) for r in rows for c in r[MAX_COLUMNS:]):
        raise Refused("too_large", f"表格有 {filled} 行、{width} 列,超过 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限。"
                      "请只报送汇总表,或拆成几个文件。")


# HTML and XML -------------------------------------------------------------------------------------------------------

def html_sheets(text: str) -> list[Sheet]:
    """Each outermost table as a sheet; only text is taken, rowspan and colspan become merged cells."""
    root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text) or "<html/>")
    for tag in root.xpath("//script|//style|//noscript"):
        tag.drop_tree()
    sheets = []
    for n, table in enumerate(root.xpath("//table[not(ancestor::table)]"), 1):
        rows, merged, taken = [], [], {}
        for r, tr in enumerate(table.xpath(".//tr")):
            row, c = [], 0
            for td in tr.xpath("./td|./th"):
                while (r, c) in taken:
                    row.append("")
                    c += 1
                value = re.sub(r"[ \t\r\n]+", " ", td.text_content()).strip()
                high, wide = (min(max(int(td.get(k, "1")) if td.get(k, "1").isdigit() else 1, 1), 500)
                              for k in ("rowspan", "colspan"))
                for i in range(high):
                    for j in range(wide):
                        if i or j:
                            taken[r + i, c + j] = True
                if high * wide > 1:
                    merged.append((r, c, r + high - 1, c + wide - 1))
                row.append(value)
                c += 1
            rows.append(row)
        _check_size(rows)
        before = table.xpath("preceding::*[self::p or self::h1 or self::h2 or self::h3 or self::caption][1]")
        title = before[0].text_content().strip() if before else ""
        sheets.append(Sheet(f"表{n}", rows, tuple(merged), title=title))
    if not sheets:
        raise Refused("no_table", "文件里没有表格,请把数据放进表格后报送。")
    return sheets


def _xml(raw: bytes):
    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False,
                                                 dtd_validation=False, load_dtd=False))


def _spreadsheet_xml(raw: bytes) -> list[Sheet]:
    if b"<!ENTITY" in raw[:10000]:
        raise Refused("too_large", "文件里有嵌套实体定义,出于安全没有读取,请另存为 xlsx 后报送。")
    try:
        root = _xml(raw)
    except etree.XMLSyntaxError as e:
        raise Refused("corrupt", f"文件已损坏({e.msg}),请重新导出后报送。") from e
    sheets = []
    for ws in root.iter(f"{_SS}Worksheet"):
        rows: list[list] = []
        for row in ws.iter(f"{_SS}Row"):
            at = int(row.get(f"{_SS}Index", len(rows) + 1))
            if at > MAX_ROWS:
                raise Refused("too_large", f"表格超过 {MAX_ROWS} 行的上限,请拆分后报送。")
            rows += [[] for _ in range(at - 1 - len(rows))]
            cells: list = []
            for cell in row.iter(f"{_SS}Cell"):
                c = min(int(cell.get(f"{_SS}Index", len(cells) + 1)), MAX_COLUMNS + 1)
                cells += [""] * (c - 1 - len(cells))
                data = cell.find(f"{_SS}Data")
                text = "".join(data.itertext()) if data is not None else ""
                cells.append(float(text) if data is not None and data.get(f"{_SS}Type") == "Number" and text else text)
            rows.append(cells)
        sheets.append(Sheet(ws.get(f"{_SS}Name", f"表{len(sheets) + 1}"), rows))
    return sheets


def _mhtml(raw: bytes) -> list[Sheet]:
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() == "text/html":
            return html_sheets(decode(part.get_payload(decode=True))[0])
    raise Refused("no_table", "网页文件里没有表格,请另存为 xlsx 后报送。")


# zip-based ----------------------------------------------------------------------------------------------------------

def _zip(raw: bytes) -> tuple[str, Opened]:
    try:
        package = zipfile.ZipFile(io.BytesIO(raw))
        infos = package.infolist()
        names = {i.filename for i in infos}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as e:
        raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED or len(infos) > MAX_PARTS or total > MAX_RATIO * max(len(raw), 20_000):
        raise Refused("too_large", f"文件展开后有 {total / 2**20:.0f} MiB、{len(infos)} 个部件,超过 "
                      f"{MAX_UNPACKED // 2**20} MiB、{MAX_PARTS} 个、压缩比 {MAX_RATIO} 的上限,没有打开。")
    try:
        if "word/document.xml" in names:
            return "docx", Opened("docx", "", _docx(package), [])
        if "content.xml" in names:
            _guard_ods(package)
            return "ods", Opened("ods", "", *_calamine(raw, {}))
        if "xl/workbook.xml" in names or any(n.startswith("xl/worksheets/") for n in names):
            details = _xlsx_details(package)
            return "xlsx", Opened("xlsx", "", *_calamine(raw, details))
        if "xl/workbook.bin" in names:
            return "xlsx", Opened("xlsx", "", *_calamine(raw, {}))
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, EOFError, ValueError, IndexError, OSError) as e:
        raise Refused("corrupt", "文件已损坏,整份没有采用,请重新导出后报送。") from e
    raise Refused("corrupt", "压缩包里没有能识别的表格,请直接报送表格文件。")


def _guard_ods(package: zipfile.ZipFile) -> None:
    data = package.read("content.xml")
    if b"<!ENTITY" in data[:10000]:
        raise Refused("too_large", "文件里有嵌套实体定义,出于安全没有读取。")
    rows = sum(int(n) for n in re.findall(rb'number-rows-repeated="(\d+)"[^>]*>(?=<table:table-cell[^>]*value)', data))
    columns = max((int(n) for n in re.findall(rb'number-columns-repeated="(\d+)"[^>]*office:value', data)), default=0)
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise Refused("too_large", f"表格超过 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限,请拆分后报送。")


def _column(letters: bytes | str) -> int:
    n = 0
    for ch in letters.upper() if isinstance(letters, str) else letters.decode().upper():
        n = n * 26 + ord(ch) - 64
    return n - 1


def _at(address: str) -> tuple[int, int]:
    m = re.fullmatch(r"\$?([A-Za-z]+)\$?(\d+)", address)
    return int(m[2]) - 1, _column(m[1])


_FAR = re.compile(rb'<c r="([A-Z]+)(\d+)"')


def _xlsx_details(package: zipfile.ZipFile) -> dict[str, dict]:
    """What calamine does not tell, by sheet name: formats, hidden parts, struck text, comments, failed formulas.

    Sheets are scanned as bytes; a cell far outside the limits is refused here, since it would bring the reader down.
    """
    workbook = _xml(package.read("xl/workbook.xml"))
    relations = {r.get("Id"): r.get("Target") for r in _xml(package.read("xl/_rels/workbook.xml.rels"))}
    styles = _styles(package)
    out = {}
    for sheet in workbook.iter(f"{_S}sheet"):
        target = relations.get(sheet.get(_R), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path not in package.namelist() or "chartsheet" in path:
            continue
        out[sheet.get("name")] = _sheet_details(package, path, package.read(path), styles)
    return out


def _styles(package: zipfile.ZipFile) -> dict[str, dict[bytes, int] | set[bytes]]:
    """Style numbers (as bytes) that mean percent, struck, or a number of decimals."""
    found: dict = {"percent": set(), "struck": set(), "decimals": {}}
    if "xl/styles.xml" not in package.namelist():
        return found
    root = _xml(package.read("xl/styles.xml"))
    codes = {"9": "0%", "10": "0.00%", "1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00"}
    codes |= {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter(f"{_S}numFmt")}
    fonts = root.find(f"{_S}fonts")
    struck_fonts = {str(i) for i, f in enumerate(fonts if fonts is not None else ())
                    if f.find(f"{_S}strike") is not None and f.find(f"{_S}strike").get("val", "1") not in ("0", "false")}
    cells = root.find(f"{_S}cellXfs")
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
    if b"<!ENTITY" in data[:5000]:
        raise Refused("too_large", "文件里有嵌套实体定义,出于安全没有读取。")
    last_row, rows_seen = 0, data.count(b"<row ")
    for m in re.finditer(rb'<row [^>]*?r="(\d+)"', data):
        last_row = int(m[1])
    if rows_seen > MAX_ROWS and len(set(re.findall(rb'<c r="[A-Z]+(\d+)"[^>]*>', data))) > MAX_ROWS:
        raise Refused("too_large", f"表格超过 {MAX_ROWS} 行的上限,请只报送汇总表或拆分后报送。")
    wide = max((_column(m[1]) for m in re.finditer(rb'<c r="([A-Z]{3,})\d+"[^>]*>(?:<[vfi])', data)), default=0)
    far = [m for m in (re.search(rb'<c r="([A-Z]+)(\d{6,})"[^>]*>(?:<[vfi])', data),) if m]
    if wide >= MAX_COLUMNS or far and int(far[0][2]) > MAX_ROWS:
        raise Refused("too_large", f"有内容的单元格超出 {MAX_ROWS} 行 {MAX_COLUMNS} 列的上限,请删去远处的内容后报送。")
    if last_row * max(wide, 1) > 400_000_000:
        raise Refused("too_large", "表格范围过大,请删去远处的格式和内容后报送。")
    out: dict = {"percent": set(), "struck": set(), "decimals": {}, "failed": {}, "linked": set(), "comments": {}}
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
    for m in re.finditer(rb'<c r="([A-Z]+)(\d+)"([^>]*)>(?:<is>.*?</is>)?<f[ >/](.*?)</c>', data, re.S):
        at, inside = (int(m[2]) - 1, _column(m[1])), m[4]
        if not re.search(rb"<v>[^<]", inside) and b't="str"' not in m[3]:
            out["failed"][at] = "formula_without_value"
        if re.search(rb"\[\d+\]|\[[^\]<]+\.xls", inside.split(b"<v>")[0]):
            out["linked"].add(at)
    for m in re.finditer(rb'<c r="([A-Z]+)(\d+)"[^>]*t="e"[^>]*>.*?<v>([^<]+)</v>', data, re.S):
        out["failed"][int(m[2]) - 1, _column(m[1])] = m[3].decode()
    out["hidden_rows"] = frozenset(int(m[1]) - 1 for m in re.finditer(rb'<row (?=[^>]*hidden="(?:1|true)")[^>]*?r="(\d+)"',
                                                                      data))
    columns: set[int] = set()
    for m in re.finditer(rb'<col (?=[^>]*hidden="(?:1|true)")[^>]*>', data):
        lo, hi = (int(re.search(rb'\b' + k + rb'="(\d+)"', m[0])[1]) for k in (b"min", b"max"))
        columns |= set(range(lo - 1, min(hi, MAX_COLUMNS)))
    out["hidden_columns"] = frozenset(columns)
    rels = path.replace("worksheets/", "worksheets/_rels/") + ".rels"
    if rels in package.namelist():
        for r in _xml(package.read(rels)):
            if r.get("Type", "").endswith("/comments"):
                target = r.get("Target", "")
                name = target.lstrip("/") if target.startswith("/") else f"xl/{target.removeprefix('../')}"
                if name in package.namelist():
                    for comment in _xml(package.read(name)).iter(f"{_S}comment"):
                        out["comments"][_at(comment.get("ref"))] = "".join(
                            t.text or "" for t in comment.iter(f"{_S}t"))
    return {k: frozenset(v) if isinstance(v, set) else v for k, v in out.items()}


def _calamine(raw: bytes, details: dict[str, dict]) -> tuple[list[Sheet], list]:
    import python_calamine as pc

    try:
        book = pc.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = []
        for meta in book.sheets_metadata:
            if meta.typ != pc.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(meta.name)
            rows = sheet.to_python(skip_empty_area=False)
            _check_size(rows)
            merged = tuple((a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or ())
            sheets.append(Sheet(meta.name, rows, merged, hidden=meta.visible != pc.SheetVisibleEnum.Visible,
                                **details.get(meta.name, {})))
        return sheets, []
    except pc.PasswordError as e:
        raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。") from e
    except (pc.CalamineError, OSError) as e:
        raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e


def _docx(package: zipfile.ZipFile) -> list[Sheet]:
    data = package.read("word/document.xml")
    if b"<!ENTITY" in data[:5000]:
        raise Refused("too_large", "文件里有嵌套实体定义,出于安全没有读取。")
    sheets, paragraphs = [], []
    body = _xml(data).find(f"{_W}body")
    for node in body if body is not None else ():
        if node.tag == f"{_W}p":
            text = "".join(t.text or "" for t in node.iter(f"{_W}t")).strip()
            if text:
                paragraphs.append(text)
        elif node.tag == f"{_W}tbl":
            rows, merged, open_down = [], [], {}
            for r, tr in enumerate(node.iter(f"{_W}tr")):
                row, c = [], 0
                for tc in tr.iterchildren(f"{_W}tc"):
                    wide = next((int(g.get(f"{_W}val")) for g in tc.iter(f"{_W}gridSpan")), 1)
                    down = next(iter(tc.iter(f"{_W}vMerge")), None)
                    text = "".join(t.text or "" for t in tc.iter(f"{_W}t")).strip()
                    if down is not None and down.get(f"{_W}val") != "restart" and c in open_down:
                        text, open_down[c] = "", (*open_down[c][:2], r, c + wide - 1)
                    elif down is not None:
                        open_down[c] = (r, c, r, c + wide - 1)
                    elif wide > 1:
                        merged.append((r, c, r, c + wide - 1))
                    row += [text] + [""] * (wide - 1)
                    c += wide
                rows.append(row)
            merged += [m for m in open_down.values() if m[2] > m[0] or m[3] > m[1]]
            sheets.append(Sheet(f"表{len(sheets) + 1}", rows, tuple(merged), title=paragraphs[-1] if paragraphs else ""))
    if not sheets:
        raise Refused("no_table", "文档里没有表格,请把数据放进表格后报送。")
    return sheets


# old workbooks ------------------------------------------------------------------------------------------------------

def _ole(raw: bytes) -> Opened:
    import msoffcrypto
    from msoffcrypto.exceptions import FileFormatError

    try:
        if msoffcrypto.OfficeFile(io.BytesIO(raw)).is_encrypted():
            raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。")
    except (FileFormatError, OSError, ValueError, KeyError, IndexError, AttributeError):
        pass  # whether it is a workbook at all is for the readers to say
    if b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0" in raw:
        raise Refused("unsupported", "这是旧版 Word 文档(.doc),请另存为 .docx 或 .xlsx 后报送。")
    return _xls(raw)


def _xls(raw: bytes) -> Opened:
    """calamine first; where its strings are garbage (another code page than declared), xlrd."""
    import struct

    import xlrd

    try:
        sheets, problems = _calamine(raw, {})
        garbled = any(isinstance(v, str) and re.search(r"[\x00-\x08\x0e-\x1f]", v) or
                      isinstance(v, str) and _latin_mojibake(v) for s in sheets for r in s.rows for v in r)
        if not garbled and len(raw) > 2 * 2**20:
            return Opened("xls", "", sheets, problems)
    except Refused as e:
        if e.code != "corrupt":
            raise
        sheets, garbled = None, True
    try:
        book = xlrd.open_workbook(file_contents=raw, formatting_info=True, logfile=io.StringIO())
        second = [_xlrd_sheet(book, s) for s in book.sheets()]
    except (xlrd.XLRDError, struct.error, IndexError, KeyError, AssertionError, UnicodeDecodeError, ValueError,
            OSError, TypeError, AttributeError, NotImplementedError) as e:
        if sheets is None or garbled:
            raise Refused("corrupt" if sheets is None else "mojibake",
                          "文件已损坏,整份没有采用,请重新报送。" if sheets is None else
                          "文字是乱码,整份文件没有采用,请从原系统重新导出。") from e
        return Opened("xls", "", sheets, problems)
    if garbled:
        if any(isinstance(v, str) and (re.search(r"[\x00-\x08\x0e-\x1f]", v) or _latin_mojibake(v))
               for s in second for r in s.rows for v in r):
            raise Refused("mojibake", "文字是乱码,整份文件没有采用,请从原系统重新导出。")
        return Opened("xls", "", second, [("second_reader", "info", "", "", "文字用了另一种编码,已换用第二种读法。")])
    merged = {s.name: s for s in second}
    return Opened("xls", "", [
        Sheet(s.name, s.rows, s.merged, **{k: getattr(merged[s.name], k) for k in
                                           ("percent", "decimals", "struck", "hidden_rows", "hidden_columns", "comments")},
              hidden=s.hidden) if s.name in merged else s for s in sheets], problems)


def _xlrd_sheet(book, s) -> Sheet:
    import xlrd

    percent, decimals, struck, rows = set(), {}, set(), []
    for r in range(s.nrows):
        row = []
        for c in range(s.ncols):
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
            row.append(xlrd.xldate_as_datetime(cell.value, book.datemode) if cell.ctype == xlrd.XL_CELL_DATE
                       and 1 <= cell.value < 2_958_466 else
                       xlrd.error_text_from_code.get(cell.value, "#ERR") if cell.ctype == xlrd.XL_CELL_ERROR
                       else cell.value)
        rows.append(row)
    hidden_rows = frozenset(r for r, info in s.rowinfo_map.items() if info.hidden)
    hidden_columns = frozenset(c for c, info in s.colinfo_map.items() if info.hidden)
    notes = {(n.rowx, n.colx): n.text for n in s.cell_note_map.values()}
    return Sheet(s.name, rows, tuple((a, c, b - 1, d - 1) for a, b, c, d in s.merged_cells), frozenset(percent), decimals,
                 frozenset(struck), hidden_rows, hidden_columns, notes, hidden=s.visibility != 0)
