"""A received file, whatever it calls itself, to sheets of plain cells; limits are checked before anything is unpacked.

The content decides the type, never the name. Nothing is executed, followed or fetched.
"""

from __future__ import annotations

import csv
import email
import io
import re
import zipfile
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from contextlib import suppress
from pathlib import Path

from xlsxwriter.utility import xl_rowcol_to_cell

from zcqlib.reports import books, drawn
from zcqlib.reports.grid import (
    Budget,
    Opened,
    Refused,
    Sheet,
    latin_mojibake,
    refuse_entities,
    too_large,
)
from zcqlib.reports.shown import Cells

MAX_FILE, MAX_UNPACKED, MAX_RATIO, MAX_PARTS = 100 * 2**20, 200 * 2**20, 100, 2_000
MAX_MEMBERS = 200  # files in a zip of reports
_STRAY = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))

_KINDS = {
    "xlsx": ".xlsx .xlsm .et .xltx .xltm",
    "xls": ".xls .et .xlt",
    "ods": ".ods .ots",
    "docx": ".docx .docm .wps",
    "html": ".html .htm",
    "xml": ".xml",
    "mhtml": ".mht .mhtml",
    "text": ".csv .txt .tsv",
}
_FOREIGN = (  # what is no table, by its first bytes, and what to ask for
    (b"%PDF", "PDF 文件", "请报送原来的 xlsx 表格"),
    (b"Rar!", "RAR 压缩包", "请解压后逐个报送表格,或改用 zip"),
    (b"7z\xbc\xaf|\x1f\x8b", "7z 或 gz 压缩包", "请解压后逐个报送表格,或改用 zip"),
    (
        rb"\x89PNG|\xff\xd8\xff|GIF8|BM(?=.{0,200}\0)|II\*\0|MM\0\*|RIFF",
        "图片",
        "图片里的数字不能读取,请报送 xlsx 表格",
    ),
    (rb"\{\\rtf", "RTF 文档", "请另存为 .docx 或 .xlsx 后报送"),
)


_TEMPORARY = "~$", ".~"
EMPTY = "empty_file", "文件里没有内容,请重新报送。", "warning"


def open_file(path: Path, raw: bytes | None = None) -> Opened:
    """Read any supported file.

    Parameters
    ----------
    path : its name, which decides nothing. raw : its content, where it does not stand on disk by itself.
    Raises
    ------
    Refused : not a report, empty, encrypted, damaged, too large, or in no known form.
    """
    if path.name.startswith(_TEMPORARY):
        raise Refused("not_a_report", "这是办公软件的临时文件,已跳过。", "info")
    raw = content(path) if raw is None else raw
    if len(raw) > MAX_FILE:
        size, most = len(raw) / 2**20, MAX_FILE // 2**20
        raise too_large(f"文件有 {size:.0f} MiB,超过 {most} MiB 的上限")
    opened = _by_content(raw, Budget())
    if path.suffix.lower() not in _KINDS[opened.kind].split():
        said = f"文件扩展名是 {path.suffix or '空'},内容其实是 {opened.kind},已按内容读取。"
        opened.problems.append(("extension_mismatch", "info", "", path.suffix, said))
    return opened


_LITTER = re.compile(r"(?:^|/)(?:\.|__MACOSX|Thumbs\.db|desktop\.ini)")
_OFFICE = re.compile(r"\[Content_Types\]\.xml$|content\.xml$|OFD\.xml$|(?:xl|word|ppt)/")


def content(path: Path) -> bytes:
    """The bytes of a file, or of one within a zip (its path goes on behind the zip's)."""
    try:
        if path.is_file():
            with path.open("rb") as fh:
                return fh.read(MAX_FILE + 1)
        for zipped in filter(Path.is_file, path.parents):
            inner = path.relative_to(zipped).as_posix()
            with books.whole():
                package = _package(zipped.read_bytes())
                return next(package.read(i) for i in package.infolist() if _member(i) == inner)
    except OSError as e:
        raise Refused(
            "unreadable", "文件打不开(可能没有权限,或正被别的程序占用),请检查后重试。"
        ) from e
    raise FileNotFoundError(path)


def members(path: Path) -> list[Path]:
    """The files in a zip of reports as paths behind its own; just the file itself where it is no such zip."""
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return [path]
    try:
        names = sorted(_member(i) for i in _package(content(path)).infolist() if not i.is_dir())
    except Refused:
        return [path]  # for the reader to say
    plain = [n for n in names if not _LITTER.search(n)]
    reports = 0 < len(plain) <= MAX_MEMBERS and not any(map(_OFFICE.match, names))
    return [path / n for n in plain] if reports else [path]


def _member(info: zipfile.ZipInfo) -> str:
    """The name of a file in a zip; old Windows wrote Chinese ones in GBK without saying so."""
    said = info.flag_bits & 0x800
    name = info.filename if said else decode(info.filename.encode("cp437"))[0]
    return name.replace("\\", "/")


def _by_content(raw: bytes, budget: Budget) -> Opened:
    if raw[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(raw, budget)
    if raw.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return books.ole(raw, budget)
    if re.match(rb"\x09[\x08\x04\x02\x00].\x00", raw, re.S):
        return books.xls(raw, budget)
    for mark, kind, ask in _FOREIGN:
        if re.match(mark, raw, re.S):
            raise Refused("unsupported", f"这是{kind},没有读取。{ask}。")
    text, encoding, problems = decode(raw)
    head, separator = text[:2000].lstrip().lower(), ""
    if "mime-version:" in head[:500]:
        kind, sheets = "mhtml", _mhtml(raw, budget)
    elif "urn:schemas-microsoft-com:office:spreadsheet" in head:
        kind = "xml"
        refuse_entities(raw)
        with books.whole():
            sheets = books.described((raw,), budget)
    elif re.search(r"^<(?:!doctype html|html|head|body|meta|style|div)\b|<table", head):
        kind, sheets = "html", drawn.html_sheets(text, budget)
    else:
        cells = Cells(budget=budget)
        more, separator = delimited(text, cells)
        kind, sheets = "text", [cells.sheet("")]
        problems += more
    return Opened(kind, encoding, sheets, problems, separator)


def _mhtml(raw: bytes, budget: Budget) -> list[Sheet]:
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() == "text/html":
            text = decode(part.get_payload(decode=True))[0]
            return drawn.html_sheets(text, budget)
    raise Refused("no_table", "网页文件里没有表格,请另存为 xlsx 后报送。")


# text ---------------------------------------------------------------------------------------------------------------

_MARKED = {BOM_UTF8: "utf-8", BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}


_SIMPLE = re.compile(rb"[\xb0-\xd6][\xa1-\xfe]", re.S)
_OLD = re.compile(rb"[\xa4-\xc5][\x40-\x7e\xa1-\xfe]", re.S)


def _usual(raw: bytes, encoding: str, frequent: re.Pattern[bytes]) -> float:
    """The share of frequent characters, which stand together in an encoding, among the Chinese ones of a text."""
    text = raw[:40000].decode(encoding, "replace")
    chinese = re.findall("[\u3400-\u9fff\ue000-\uf8ff]", text)
    usual = sum(frequent.fullmatch(c.encode(encoding)) is not None for c in chinese)
    return usual / len(chinese) if chinese else 1.0


def _encoding(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The bytes without their mark, and the encodings to be tried on them."""
    for mark, name in _MARKED.items():
        if raw.startswith(mark):
            return raw[len(mark) :], (name,)
    if b"\0" in raw[:4096]:
        name = "utf-16-le" if raw[1:4096:2].count(0) > raw[:4096:2].count(0) else "utf-16-be"
        text = raw[:4096].decode(name, "replace")
        if len(re.findall(r"[\w\s,.%()+/、,。():;-]", text)) < 0.8 * len(text):
            raise Refused("corrupt", "文件内容不是能识别的表格格式,可能已损坏,请重新导出后报送。")
        return raw, (name,)
    with suppress(UnicodeDecodeError):
        raw.decode("cp950")
        if _usual(raw, "gb18030", _SIMPLE) < 0.7 and _usual(raw, "cp950", _OLD) > 0.9:
            return raw, ("utf-8", "cp950")
    return raw, ("utf-8", "gb18030")


def decode(raw: bytes) -> tuple[str, str, list]:
    """Text by its mark, else strict UTF-8, else GB18030 or Big5; what cannot be decoded is cut off and reported."""
    (raw, names), problems = _encoding(raw), []

    def readable(encoding):
        try:
            raw.decode(encoding)
            return len(raw)
        except UnicodeDecodeError as e:
            return e.start

    encoding = max(names, key=readable)
    end = readable(encoding)
    text = raw[:end].decode(encoding)
    if end < len(raw):
        row = text.count("\n") + 1
        where = f"第 {row} 行(第 {end + 1} 个字节起)文字编码损坏"
        text = text[: text.rfind("\n") + 1]  # the cut row is a problem, the rows before it are read
        if not text:
            raise Refused("bad_bytes", f"{where},请另存为 UTF-8 后报送。")
        said = f"{where},该行及以后没有读取,请重新导出。"
        problems.append(("bad_bytes", "error", f"A{row}", raw[end : end + 8].hex(" "), said))
    body = text[:20000]
    if re.search("锟斤拷|烫烫烫|\ufffd", body) or latin_mojibake(body):
        raise Refused("mojibake", books.GARBLED, raw=body[:40])
    if (bare := text.translate(_STRAY)) != text:
        text = bare
        problems.append(("stray_mark", "info", "", "", "文件中夹有不可见的标记字符,已去掉。"))
    return text, encoding, problems


def delimited(text: str, cells: Cells) -> tuple[list, str]:
    """Lay out separated text as it is, ragged, and tell its problems and separator: the one that gives the steadiest
    width."""
    lines = list(io.StringIO(text.rstrip(), None))  # whatever ends a line
    first = [x for x in lines[:200] if x.strip()][:50]
    if not first:
        raise Refused(*EMPTY)

    def steadiness(separator):
        widths = Counter(filter(None, (x.count(separator) for x in first)))
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    separator = max(",\t;\uff0c|", key=steadiness)
    return _rows(cells, lines, separator, steadiness(separator)[1]), separator


MAX_TOLD = 10  # rows of one fault that are named one by one


def _rows(cells: Cells, lines: list[str], separator: str, usual: int) -> list:
    """Lay out rows of fields; a quote that is never closed spoils its own field only, and is reported."""
    csv.field_size_limit(2**27)
    problems, at = [], 0
    while at < len(lines):
        ahead = map(lines.__getitem__, range(at, len(lines)))
        reader, lost = csv.reader(ahead, delimiter=separator, strict=True), ""
        try:
            row = next(reader)
            taken = lines[at + 1 : at + reader.line_num]
            if len(row) <= usual and any(x.count(separator) >= usual for x in taken):
                raise csv.Error("a quote took in whole rows")
            at += reader.line_num
        except csv.Error:
            row, lost = _broken(lines[at].rstrip("\n"), separator)
            at += 1
        while row and not row[-1].strip():
            row.pop()
        cells.add(row)
        if lost:
            r = len(cells.rows)
            said = f"第 {r} 行的引号没有成对,从这一格起到行末没有采用,以下各行照常读取,请改正后重新报送。"
            where = xl_rowcol_to_cell(r - 1, len(row))
            problems.append(("unclosed_quote", "error", where, lost[:200], said))
    if len(problems) > MAX_TOLD:
        said = f"引号没有成对的共有 {len(problems)} 行,请整份改正后重新报送。"
        problems[MAX_TOLD:] = [("unclosed_quote", "error", "", "", said)]
    return problems


def _broken(line: str, separator: str) -> tuple[list[str], str]:
    """The fields of a row before the one with a quote that is never closed, and the rest."""
    fields = line.split(separator)
    opens = (f.lstrip().startswith('"') and f.count('"') % 2 == 1 for f in fields)
    first = [*opens, True].index(True)
    if first == len(fields) or line.count('"') % 2 == 0:
        return next(csv.reader([line], delimiter=separator), []), ""
    return fields[:first], separator.join(fields[first:])


# packages -----------------------------------------------------------------------------------------------------------


def _package(raw: bytes) -> zipfile.ZipFile:
    """A package within the limits, checked part by part.

    Raises
    ------
    Refused : it is damaged, would unpack to too much, or has two parts of one name.
    """
    with books.whole():
        package = zipfile.ZipFile(io.BytesIO(raw))
        infos = package.infolist()
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED or len(infos) > MAX_PARTS or total > MAX_RATIO * max(len(raw), 20_000):
        raise too_large(
            f"文件展开后有 {total / 2**20:.0f} MiB、{len(infos)} 个部件,超过 "
            f"{MAX_UNPACKED // 2**20} MiB、{MAX_PARTS} 个、压缩比 {MAX_RATIO} 的上限"
        )
    names = Counter(i.filename.replace("\\", "/").lower() for i in infos)
    if twice := [n for n, count in names.items() if count > 1]:
        raise Refused(
            "corrupt",
            "文件里有两个同名的部件,看不出以哪个为准,没有采用,请重新导出后报送。",
            raw=twice[0],
        )
    return package


def _zip(raw: bytes, budget: Budget) -> Opened:
    package = _package(raw)
    with books.whole():  # a part that is not as long as it says, or damaged
        parts = {i.filename.lower(): package.read(i) for i in package.infolist()}
        for name, content in parts.items():
            if name.endswith((".xml", ".rels")):
                refuse_entities(content)
        for name, (kind, reader) in _PARTS.items():
            if name not in parts:
                continue
            if reader is None:
                raise Refused("unsupported", f"这是{kind},没有读取。请另存为 .xlsx 后报送。")
            return Opened(kind, "", reader(parts, budget), [])
    raise Refused("corrupt", "压缩包里没有能识别的表格,请直接报送表格文件。")


_PARTS = {  # what a package with this part is, and its reader
    "word/document.xml": ("docx", drawn.docx),
    "content.xml": ("ods", books.ods),
    "xl/workbook.xml": ("xlsx", books.xlsx),
    "xl/workbook.bin": ("二进制工作簿(.xlsb)", None),
    "ppt/presentation.xml": ("演示文稿(.pptx)", None),
    "ofd.xml": ("OFD 版式文件", None),
}
