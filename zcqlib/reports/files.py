"""A received file, whatever it calls itself, to sheets of plain cells; limits are checked before anything is unpacked.

The content decides the type, never the name. Nothing is executed, followed or fetched.
"""

from __future__ import annotations

import csv
import email
import io
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path

from lxml import etree, html

from zcqlib.reports import books
from zcqlib.reports.grid import (
    MAX_COLUMNS,
    MAX_FILE,
    MAX_PARTS,
    MAX_RATIO,
    MAX_ROWS,
    MAX_UNPACKED,
    OLE,
    Opened,
    Refused,
    Sheet,
    check_size,
    latin_mojibake,
    refuse_entities,
    xml,
)

_STRAY = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FIGURE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"


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
        raise Refused(
            "too_large",
            f"文件有 {size / 2**20:.0f} MiB,超过 {MAX_FILE // 2**20} MiB 的上限,请拆分后报送。",
        )
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise Refused(
            "unreadable", "文件打不开(可能没有权限,或正被别的程序占用),请检查后重试。"
        ) from e
    kind, opened = _by_content(raw)
    expected = {
        "xlsx": {".xlsx", ".xlsm", ".et"},
        "xls": {".xls", ".et"},
        "ods": {".ods"},
        "docx": {".docx"},
        "html": {".html", ".htm"},
        "xml": {".xml"},
        "mhtml": {".mht", ".mhtml"},
        "text": {".csv", ".txt", ".tsv"},
    }[kind]
    if path.suffix.lower() not in expected:
        opened.problems.append(
            (
                "extension_mismatch",
                "info",
                "",
                path.suffix,
                f"文件扩展名是 {path.suffix or '空'},内容其实是 {kind},已按内容读取。",
            )
        )
    return opened


def _by_content(raw: bytes) -> tuple[str, Opened]:
    if raw[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(raw)
    if raw.startswith(OLE):
        return "xls", books.ole(raw)
    if raw[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00") and raw[3:4] == b"\x00":
        return "xls", books.xls(raw)
    if raw.count(b"\0", 0, 4096) > 8 and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused("corrupt", "文件内容不是能识别的表格格式,可能已损坏,请重新导出后报送。")
    text, encoding, problems = decode(raw)
    head = text[:2000].lstrip().lower()
    if head.startswith("mime-version:") or "\nmime-version:" in head[:500]:
        return "mhtml", Opened("mhtml", encoding, _mhtml(raw), problems)
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<html" not in head:
        try:
            return "xml", Opened("xml", encoding, _spreadsheet_xml(raw), problems)
        except ValueError as e:  # a place in a table that is no number
            raise Refused("corrupt", "文件已损坏,请重新导出后报送。") from e
    if (
        re.match(r"<(!doctype html|html|table|head|body|meta|style|div)\b", head)
        or "<table" in head
    ):
        return "html", Opened("html", encoding, html_sheets(text), problems)
    rows, more = delimited(text)
    return "text", Opened("text", encoding, [Sheet("", rows)], problems + more)


# text ---------------------------------------------------------------------------------------------------------------


def decode(raw: bytes) -> tuple[str, str, list]:
    """Text by its mark, else strict UTF-8, else GB18030; what cannot be decoded is cut off and reported."""
    problems: list[tuple[str, str, str, str, str]] = []
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if raw.startswith(mark):
            raw, names = raw[len(mark) :], (name,)
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
        encoding, good = error.encoding.replace("gb18030", "gb18030"), raw[: error.start]
        text = good.decode(encoding)
        row = text.count("\n") + 1
        text = text[: text.rfind("\n") + 1]  # the cut row is a problem, the rows before it are read
        if not text:
            raise Refused(
                "bad_bytes",
                f"第 1 行第 {error.start + 1} 个字节不是有效的文字编码,请另存为 UTF-8 后报送。",
            )
        problems.append(
            (
                "bad_bytes",
                "error",
                f"A{row}",
                raw[error.start : error.start + 8].hex(" "),
                f"第 {row} 行(第 {error.start + 1} 个字节起)文字编码损坏,该行及以后没有读取,请重新导出。",
            )
        )
    body = text[:20000]
    if "锟斤拷" in body or "烫烫烫" in body or "\ufffd" in body or latin_mojibake(body):
        raise Refused(
            "mojibake",
            "文字是乱码(编码转换出错),整份文件没有采用,请从原系统重新导出。",
            raw=body[:40],
        )
    if any(ord(c) in _STRAY for c in text[:100000]):
        cleaned = text.translate(_STRAY)
        problems.append(("stray_mark", "info", "", "", "文件中夹有不可见的标记字符,已去掉。"))
        text = cleaned
    return text, encoding, problems


def delimited(text: str) -> tuple[list[list[str]], list]:
    """Rows of separated text as they are, ragged; the separator is the one that gives the steadiest width."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [x for x in text.split("\n")[:50] if x.strip()]
    if not lines:
        raise Refused("empty_file", "文件里没有内容,请重新报送。", "warning")

    def steadiness(separator: str) -> tuple[int, int]:
        widths = Counter(n for n in (x.count(separator) for x in lines) if n)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    separator = max("\t;\uff0c,|", key=lambda s: (*steadiness(s), s == ","))
    if steadiness(separator)[0] == 0:
        separator = ","
    csv.field_size_limit(2**24)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    while rows and not any(map(str.strip, rows[-1])):
        rows.pop()
    check_size(rows)
    return rows, [
        (
            "separator",
            "info",
            "",
            separator,
            f"按分隔符「{ {chr(9): '制表符'}.get(separator, separator) }」读取。",
        )
    ]


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
                high, wide = (
                    min(max(int(td.get(k, "1")) if td.get(k, "1").isdigit() else 1, 1), 500)
                    for k in ("rowspan", "colspan")
                )
                for i in range(high):
                    for j in range(wide):
                        if i or j:
                            taken[r + i, c + j] = True
                if high * wide > 1:
                    merged.append((r, c, r + high - 1, c + wide - 1))
                row.append(value)
                c += 1
            rows.append(row)
        check_size(rows)
        before = table.xpath(
            "preceding::*[self::p or self::h1 or self::h2 or self::h3 or self::h4 or self::caption or "
            "self::table][not(ancestor::table)]"
        )[-3:]
        last = max((i for i, e in enumerate(before) if e.tag == "table"), default=-1)
        lines = [e.text_content() for e in [*before[last + 1 :], *table.xpath("./caption")]]
        sheets.append(Sheet(f"表{n}", rows, tuple(merged), title=_title(lines)))
    if not sheets:
        raise Refused("no_table", "文件里没有表格,请把数据放进表格后报送。")
    return sheets


def _title(lines: list[str]) -> str:
    """The line before a table, and up to two short ones above it that are no sentences (a caption, then its unit)."""
    lines = [" ".join(x.split()) for x in lines if x.strip()][-3:]
    return "\n".join(
        [x for x in lines[:-1] if len(x) <= 40 and not re.search("[。;；]$", x)] + lines[-1:]
    )


def _spreadsheet_xml(raw: bytes) -> list[Sheet]:
    refuse_entities(raw)
    try:
        root = xml(raw)
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
                number = data is not None and data.get(f"{_SS}Type") == "Number"
                cells.append(float(text) if number and _FIGURE.fullmatch(text) else text)
            rows.append(cells)
        sheets.append(Sheet(ws.get(f"{_SS}Name", f"表{len(sheets) + 1}"), rows))
    return sheets


def _mhtml(raw: bytes) -> list[Sheet]:
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() == "text/html":
            return html_sheets(decode(part.get_payload(decode=True))[0])
    raise Refused("no_table", "网页文件里没有表格,请另存为 xlsx 后报送。")


# packages -----------------------------------------------------------------------------------------------------------


def _zip(raw: bytes) -> tuple[str, Opened]:
    try:
        package = zipfile.ZipFile(io.BytesIO(raw))
        infos = package.infolist()
        names = {i.filename for i in infos}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as e:
        raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED or len(infos) > MAX_PARTS or total > MAX_RATIO * max(len(raw), 20_000):
        raise Refused(
            "too_large",
            f"文件展开后有 {total / 2**20:.0f} MiB、{len(infos)} 个部件,超过 "
            f"{MAX_UNPACKED // 2**20} MiB、{MAX_PARTS} 个、压缩比 {MAX_RATIO} 的上限,没有打开。",
        )
    try:
        if package.testzip() is not None:  # a part that is not as long as it says, or damaged
            raise Refused("corrupt", "文件已损坏,整份没有采用,请重新导出后报送。")
        for part in infos:
            if part.filename.endswith((".xml", ".rels")):
                refuse_entities(package.open(part).read(10_000))
        if "word/document.xml" in names:
            return "docx", Opened("docx", "", _docx(package), [])
        if "content.xml" in names:
            return "ods", Opened("ods", "", books.ods(package, raw), [])
        if any(n.lower() == "xl/workbook.xml" for n in names):
            return "xlsx", Opened("xlsx", "", books.xlsx(package, raw), [])
    except (
        zipfile.BadZipFile,
        etree.XMLSyntaxError,
        zlib.error,
        KeyError,
        EOFError,
        ValueError,
        IndexError,
        TypeError,
        AttributeError,
        OSError,
        RuntimeError,
    ) as e:
        raise Refused("corrupt", "文件已损坏,整份没有采用,请重新导出后报送。") from e
    if "xl/workbook.bin" in names:
        raise Refused("unsupported", "这是二进制工作簿(.xlsb),请另存为 .xlsx 后报送。")
    raise Refused("corrupt", "压缩包里没有能识别的表格,请直接报送表格文件。")


def _docx(package: zipfile.ZipFile) -> list[Sheet]:
    data = package.read("word/document.xml")
    refuse_entities(data)
    sheets, paragraphs = [], []
    body = xml(data).find(f"{_W}body")
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
            sheets.append(
                Sheet(f"表{len(sheets) + 1}", rows, tuple(merged), title=_title(paragraphs))
            )
            paragraphs = []
    if not sheets:
        raise Refused("no_table", "文档里没有表格,请把数据放进表格后报送。")
    return sheets
