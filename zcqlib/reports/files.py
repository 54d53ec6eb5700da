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
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lxml import etree, html

from zcqlib.reports import books
from zcqlib.reports.grid import (
    MAX_AREA,
    MAX_COLUMNS,
    MAX_FILE,
    MAX_MEMBERS,
    MAX_PARTS,
    MAX_RATIO,
    MAX_ROWS,
    MAX_UNPACKED,
    OLE,
    Budget,
    Opened,
    Refused,
    Sheet,
    check_size,
    cut,
    latin_mojibake,
    refuse_entities,
    xml,
)
from zcqlib.reports.shown import Cells, Run

_STRAY = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FIGURE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"


_KINDS = {
    "xlsx": {".xlsx", ".xlsm", ".et", ".xltx", ".xltm"},
    "xls": {".xls", ".et", ".xlt"},
    "ods": {".ods", ".ots"},
    "docx": {".docx", ".docm", ".wps"},
    "html": {".html", ".htm"},
    "xml": {".xml"},
    "mhtml": {".mht", ".mhtml"},
    "text": {".csv", ".txt", ".tsv"},
}
_FOREIGN = (  # what is no table, by its first bytes, and what to ask for
    (b"%PDF", "PDF 文件", "请报送原来的 xlsx 表格"),
    (b"Rar!", "RAR 压缩包", "请解压后逐个报送表格,或改用 zip"),
    (b"7z\xbc\xaf", "7z 压缩包", "请解压后逐个报送表格,或改用 zip"),
    (b"\x1f\x8b", "gz 压缩包", "请解压后逐个报送表格,或改用 zip"),
    *(
        (mark, "图片", "图片里的数字不能读取,请报送 xlsx 表格")
        for mark in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
    ),
    (b"{\\rtf", "RTF 文档", "请另存为 .docx 或 .xlsx 后报送"),
)


def open_file(path: Path, raw: bytes | None = None) -> Opened:
    """Read any supported file.

    Parameters
    ----------
    path : its name, which decides nothing. raw : its content, where it does not stand on disk by itself.
    Raises
    ------
    Refused : not a report, empty, encrypted, damaged, too large, or in no known form.
    """
    if path.name.startswith(("~$", ".~")):
        raise Refused("not_a_report", "这是办公软件的临时文件,已跳过。", "info")
    raw = content(path) if raw is None else raw
    if not raw:
        raise Refused("empty_file", "文件是空的(0 字节),请重新报送。", "warning")
    if len(raw) > MAX_FILE:
        raise Refused(
            "too_large",
            f"文件有 {len(raw) / 2**20:.0f} MiB,超过 {MAX_FILE // 2**20} MiB 的上限,请拆分后报送。",
        )
    opened = _by_content(raw, Budget())
    if path.suffix.lower() not in _KINDS[opened.kind]:
        opened.problems.append(
            (
                "extension_mismatch",
                "info",
                "",
                path.suffix,
                f"文件扩展名是 {path.suffix or '空'},内容其实是 {opened.kind},已按内容读取。",
            )
        )
    return opened


_SUFFIXES = tuple(s for kind, known in _KINDS.items() for s in known if kind not in ("text", "xml"))
_LITTER = re.compile(r"(?:^|/)(?:\.|__MACOSX|Thumbs\.db|desktop\.ini)")


def content(path: Path) -> bytes:
    """The bytes of a file, or of one within a zip (its path goes on behind the zip's)."""
    try:
        if path.is_file():
            with path.open("rb") as fh:
                return fh.read(MAX_FILE + 1)
        for whole in path.parents:
            if whole.is_file():
                inner = path.relative_to(whole).as_posix()
                package = _package(whole.read_bytes())
                return next(package.read(i) for i in package.infolist() if _member(i) == inner)
    except (StopIteration, *_DAMAGED) as e:
        raise Refused("corrupt", "压缩包已损坏,或里面没有这个文件,请重新报送。") from e
    except OSError as e:
        raise Refused(
            "unreadable", "文件打不开(可能没有权限,或正被别的程序占用),请检查后重试。"
        ) from e
    raise FileNotFoundError(path)


def members(path: Path) -> list[Path]:
    """The files in a zip of reports as paths behind its own; just the file itself where it is no such zip."""
    if not path.is_file() or path.name.startswith(("~$", ".~")) or path.stat().st_size > MAX_FILE:
        return [path]
    with path.open("rb") as fh:
        if fh.read(4) != b"PK\x03\x04":
            return [path]
    try:
        names = sorted(_member(i) for i in _package(path.read_bytes()).infolist() if not i.is_dir())
    except (Refused, *_DAMAGED):
        return [path]  # for the reader to say
    office = {"[Content_Types].xml", "content.xml", "OFD.xml"}
    if office & set(names) or any(n.startswith(("xl/", "word/", "ppt/")) for n in names):
        return [path]
    plain = [n for n in names if not _LITTER.search(n) and ".." not in n.split("/")]
    reports = path.suffix.lower() == ".zip" or any(n.lower().endswith(_SUFFIXES) for n in plain)
    return [path / n for n in plain] if reports and 0 < len(plain) <= MAX_MEMBERS else [path]


def _member(info: zipfile.ZipInfo) -> str:
    """The name of a file in a zip; old Windows wrote Chinese ones in GBK without saying so."""
    if info.flag_bits & 0x800:
        return info.filename.replace("\\", "/")
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.filename


def _by_content(raw: bytes, budget: Budget) -> Opened:
    if raw[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(raw, budget)
    if raw.startswith(OLE):
        return books.ole(raw, budget)
    if raw[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00") and raw[3:4] == b"\x00":
        return books.xls(raw, budget)
    for mark, kind, ask in _FOREIGN:
        if raw.startswith(mark) and (len(mark) > 2 or b"\0" in raw[:200]):
            raise Refused("unsupported", f"这是{kind},没有读取。{ask}。")
    text, encoding, problems = decode(raw)
    head = text[:2000].lstrip().lower()
    if head.startswith("mime-version:") or "\nmime-version:" in head[:500]:
        return Opened("mhtml", encoding, _mhtml(raw, budget), problems)
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<html" not in head:
        try:
            return Opened("xml", encoding, _spreadsheet_xml(raw, budget), problems)
        except ValueError as e:  # a place in a table that is no number
            raise Refused("corrupt", "文件已损坏,请重新导出后报送。") from e
    if (
        re.match(r"<(!doctype html|html|table|head|body|meta|style|div)\b", head)
        or "<table" in head
    ):
        return Opened("html", encoding, html_sheets(text, budget), problems)
    rows, more = delimited(text)
    cells = Cells(budget, rows)
    return Opened("text", encoding, [cells.sheet("")], problems + more)


# text ---------------------------------------------------------------------------------------------------------------

_MARKED = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_USUAL = {  # the more frequent characters of two encodings that accept nearly any bytes
    "gb18030": {
        bytes((a, b)).decode("gb18030") for a in range(0xB0, 0xD7) for b in range(0xA1, 0xFF)
    },
    "cp950": {
        bytes((a, b)).decode("cp950")
        for a in range(0xA4, 0xC6)
        for b in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    },
}


def _usual(text: str, encoding: str) -> float:
    """The share of frequent characters among the Chinese ones of a text."""
    chinese = [c for c in text[:20000] if "\u3400" <= c <= "\u9fff" or "\ue000" <= c <= "\uf8ff"]
    return sum(c in _USUAL[encoding] for c in chinese) / len(chinese) if chinese else 1.0


def _encoding(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The bytes without their mark, and the encodings to be tried on them."""
    for mark, name in _MARKED:
        if raw.startswith(mark):
            return raw[len(mark) :], (name,)
    if b"\0" in raw[:4096]:
        name = "utf-16-le" if raw[1:4096:2].count(0) > raw[:4096:2].count(0) else "utf-16-be"
        text = raw[: 4096 & ~1].decode(name, "replace")
        known = sum(c.isalnum() or c.isspace() or c in ",.%()-+/、,。():;" for c in text)
        if len(raw) % 2 or known < 0.8 * len(text):
            raise Refused("corrupt", "文件内容不是能识别的表格格式,可能已损坏,请重新导出后报送。")
        return raw, (name,)
    try:
        traditional = raw.decode("cp950")
        simplified = raw.decode("gb18030", "replace")
        if _usual(simplified, "gb18030") < 0.7 and _usual(traditional, "cp950") > 0.9:
            return raw, ("utf-8", "cp950")
    except UnicodeDecodeError:
        pass
    return raw, ("utf-8", "gb18030")


def decode(raw: bytes) -> tuple[str, str, list]:
    """Text by its mark, else strict UTF-8, else GB18030 or Big5; what cannot be decoded is cut off and reported."""
    problems: list[tuple[str, str, str, str, str]] = []
    raw, names = _encoding(raw)
    error = None
    for name in names:
        try:
            text, encoding = raw.decode(name), name
            break
        except UnicodeDecodeError as e:
            error = e if error is None or e.start > error.start else error
    else:
        encoding, good = error.encoding, raw[: error.start]
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
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = [x for x in lines[:200] if x.strip()][:50]
    if not first:
        raise Refused("empty_file", "文件里没有内容,请重新报送。", "warning")

    def steadiness(separator: str) -> tuple[int, int]:
        widths = Counter(n for n in (x.count(separator) for x in first) if n)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    separator = max("\t;\uff0c,|", key=lambda s: (*steadiness(s), s == ","))
    if steadiness(separator)[0] == 0:
        separator = ","
    rows, problems = _rows(lines, separator, steadiness(separator)[1])
    while rows and not any(map(str.strip, rows[-1])):
        rows.pop()
    check_size(rows)
    shown = {"\t": "制表符"}.get(separator, separator)
    return rows, [("separator", "info", "", separator, f"按分隔符「{shown}」读取。"), *problems]


MAX_TOLD = 10  # rows of one fault that are named one by one


def _rows(lines: list[str], separator: str, usual: int) -> tuple[list[list[str]], list]:
    """Rows of fields; a quote that is never closed spoils its own field only, and is reported."""
    csv.field_size_limit(2**24)
    rows: list[list[str]] = []
    problems: list = []
    at = cells = 0
    while at < len(lines):
        ahead = (f"{lines[i]}\n" for i in range(at, len(lines)))
        reader = csv.reader(ahead, delimiter=separator, strict=True)
        start = at
        try:
            for row in reader:
                last = start + reader.line_num
                inside = lines[at:last]
                if (
                    len(inside) > 1
                    and len(row) <= usual
                    and any(x.count(separator) >= usual for x in inside[1:])
                ):
                    raise csv.Error("a quote took in whole rows")
                rows.append(row)
                at, cells = last, cells + len(row)
                if len(rows) > 2 * MAX_ROWS or cells > MAX_AREA:
                    check_size(rows)
                    raise Refused("too_large", f"内容超过 {MAX_AREA} 格的上限,请只报送汇总表。")
        except csv.Error:
            line = lines[at]
            if line.count('"') % 2 == 0:
                rows.append(next(csv.reader([line], delimiter=separator), []))
            else:
                fields = line.split(separator)
                broken = next(
                    i
                    for i, f in enumerate(fields)
                    if f.lstrip().startswith('"') and f.count('"') % 2
                )
                rows.append(fields[:broken])
                said = f"第 {len(rows)} 行的引号没有成对,从这一格起到行末没有采用,以下各行照常读取,请改正后重新报送。"
                where = f"{books.letters(broken)}{len(rows)}"
                problems.append(
                    ("unclosed_quote", "error", where, separator.join(fields[broken:])[:200], said)
                )
            at += 1
    if len(problems) > MAX_TOLD:
        said = f"引号没有成对的共有 {len(problems)} 行,请整份改正后重新报送。"
        problems[MAX_TOLD:] = [("unclosed_quote", "error", "", "", said)]
    return rows, problems


# HTML and XML -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Box:
    """A cell of a table that is drawn rather than calculated: its text, and how many columns and rows it takes.

    `down`, in Word only: restart where cells below may go on with it, continue where it goes on with the one above.
    """

    runs: list[Run]
    wide: int = 1
    high: int = 1
    down: str = ""


DRAWN = 5  # times as much as in a workbook: nobody draws a million cells


def _lay(table: list[list[_Box]], budget: Budget) -> Cells:
    """Boxes to cells, each where it is seen."""
    cells, until, down = Cells(budget), {}, {}
    for r, boxes in enumerate(table):
        row: list[str] = []
        for box in boxes:
            while until.get(len(row), -1) >= r:
                row.append("")
            c = len(row)
            budget.spend(cells=DRAWN * box.wide)
            if c + box.wide > 5 * MAX_COLUMNS:
                raise Refused("too_large", f"表格超过 {MAX_COLUMNS} 列的上限,请只报送汇总表。")
            if box.down == "continue" and c in down:
                row += [""] * box.wide
                cells.merged[down[c]] = (*cells.merged[down[c]][:2], r, c + box.wide - 1)
                continue
            row += [cells.runs(r, c, box.runs)] + [""] * (box.wide - 1)
            last = min(r + box.high, len(table)) - 1
            if box.down:
                down[c] = len(cells.merged)
            cells.merged.append((r, c, last, c + box.wide - 1))
            until |= dict.fromkeys(range(c, c + box.wide), last)
        cells.rows.append(row)
    check_size(cells.rows)
    return cells


_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_NONE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?:p[xt])?\s*(?:;|$)",
    re.I,
)
_LINE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.I)
_LIFTED = re.compile(r"vertical-align\s*:\s*(?:super|sub)\b", re.I)
_OUT = {"script", "style", "noscript", "template", "head", "title", "datalist", "select"}
_BLOCKS = {
    "p",
    "div",
    "li",
    "center",
    "tr",
    "br",
    "hr",
    "caption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}


class _Web:
    """A web page: each table as a sheet, a table within a table as one of its own; only what is displayed is text."""

    def __init__(self, text: str, budget: Budget) -> None:
        budget.spend(letters=len(text))
        self.budget, self.sheets = budget, []
        root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text) or "<html/>")
        self.rules: dict[str, str] = {}
        for sheet in root.iter("style"):
            for names, what in _RULE.findall(
                re.sub(r"/\*.*?\*/|<!--|-->", "", sheet.text or "", flags=re.S)
            ):
                for name in names.split(","):
                    self.rules[name.strip().lower()] = (
                        f"{self.rules.get(name.strip().lower(), '')};{what}"
                    )
        self.around: list[Run] = []
        self.flow(root, Run(""), self.around)

    def look(self, e, around: Run) -> Run | None:
        """How the text of an element is displayed; None where it is not."""
        tag = e.tag if isinstance(e.tag, str) else ""
        names = [f".{c.lower()}" for c in e.get("class", "").split()] if tag else []
        names += [f"#{e.get('id', '').lower()}"] if tag else []
        own = ";".join(self.rules.get(n, "") for n in (tag, *names, *(tag + n for n in names))) + (
            ";" + e.get("style", "") if tag else ""
        )
        if not tag or tag in _OUT or "hidden" in e.attrib or _NONE.search(own):
            return None
        return Run(
            "",
            around.struck or tag in ("s", "del", "strike") or bool(_LINE.search(own)),
            around.raised
            or tag in ("sup", "sub")
            or bool(_LIFTED.search(own))
            and tag not in ("td", "th"),
        )

    def flow(self, e, look: Run, out: list[Run]) -> None:
        """The text of an element and of what it holds, piece by piece; tables are set apart."""
        out.append(look._replace(text=re.sub(r"[ \t\r\n]+", " ", e.text or "")))
        if e.tag == "input" and e.get("type", "text").lower() in ("text", "number"):
            out.append(look._replace(text=e.get("value", "")))
        for child in e:
            own = self.look(child, look)
            if child.tag in _BLOCKS:
                out.append(Run("\n"))
            if own is not None and child.tag == "table":
                self.table(child, own, out)
            elif own is not None:
                self.flow(child, own, out)
            if child.tag in _BLOCKS - {"br"}:
                out.append(Run("\n"))
            out.append(look._replace(text=re.sub(r"[ \t\r\n]+", " ", child.tail or "")))

    def rows(self, e, look: Run):
        for child in e:
            own = self.look(child, look)
            if own is not None and child.tag == "tr":
                yield child, own
            elif own is not None and child.tag not in ("td", "th", "table"):
                yield from self.rows(child, own)

    def table(self, e, look: Run, out: list[Run]) -> None:
        """A table to a sheet; what stood before it, since the last one, is its title."""
        self.budget.spend(tables=1)
        number = len(self.sheets)
        self.sheets.append(None)
        said = out if out is self.around else self.around + out
        for caption in e.iterchildren("caption"):
            self.flow(caption, look, said)
        title = _title("".join(x.text for x in said if not x.struck).split("\n"))
        self.around.clear()
        table: list[list[_Box]] = []
        for tr, own in self.rows(e, look):
            table.append([])
            for td in tr.iterchildren("td", "th"):
                inner = self.look(td, own)
                if inner is None:
                    continue
                high, wide = (
                    min(max(int(v) if (v := td.get(k, "1").strip()[:9]).isdigit() else 1, 1), 500)
                    for k in ("rowspan", "colspan")
                )
                runs: list[Run] = []
                self.flow(td, inner, runs)
                table[-1].append(_Box(_tidy(runs), wide, high))
                self.around[:] = [*self.around[-50:], *runs[:50], Run("\n")]
        self.sheets[number] = _lay(table, self.budget).sheet(f"表{number + 1}", title=title)
        self.around.clear()


def _tidy(runs: list[Run]) -> list[Run]:
    """A cell's pieces without the blanks and line ends around them."""
    while runs and not runs[0].text.strip():
        runs.pop(0)
    while runs and not runs[-1].text.strip():
        runs.pop()
    return runs


def html_sheets(text: str, budget: Budget) -> list[Sheet]:
    """Each table of a web page as a sheet."""
    sheets = _Web(text, budget).sheets
    if not sheets:
        raise Refused("no_table", "文件里没有表格,请把数据放进表格后报送。")
    return sheets


def _title(lines: list[str]) -> str:
    """The line before a table, and up to two short ones above it that are no sentences (a caption, then its unit)."""
    lines = [cut(" ".join(x.split())) for x in lines if x.strip()][-3:]
    return "\n".join(
        [x for x in lines[:-1] if len(x) <= 40 and not re.search("[。;；]$", x)] + lines[-1:]
    )


_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"


def _spreadsheet_xml(raw: bytes, budget: Budget) -> list[Sheet]:
    refuse_entities(raw)
    try:
        root = xml(raw)
    except etree.XMLSyntaxError as e:
        raise Refused("corrupt", f"文件已损坏({e.msg}),请重新导出后报送。") from e
    styles: dict[str, tuple[str, bool, bool]] = {}
    for style in root.iter(f"{_SS}Style"):
        code, struck, raised = styles.get(
            style.get(f"{_SS}Parent", "Default"), ("General", False, False)
        )
        if (form := style.find(f"{_SS}NumberFormat")) is not None:
            code = form.get(f"{_SS}Format") or "General"
        if (font := style.find(f"{_SS}Font")) is not None:
            struck = font.get(f"{_SS}StrikeThrough") == "1"
            raised = font.get(f"{_SS}VerticalAlign") in ("Superscript", "Subscript")
        styles[style.get(f"{_SS}ID", "")] = code, struck, raised
    sheets = []
    for ws in root.iter(f"{_SS}Worksheet"):
        budget.spend(tables=1)
        name = ws.get(f"{_SS}Name", f"表{len(sheets) + 1}")
        hidden = [v.text for v in ws.iter("{urn:schemas-microsoft-com:office:excel}Visible")]
        cells, rows, columns = _xml_cells(ws, styles, budget)
        check_size(cells.rows)
        sheets.append(
            cells.sheet(name, hidden_rows=rows, hidden_columns=columns, hidden=bool(hidden))
        )
    return sheets


def _xml_cells(ws, styles, budget: Budget) -> tuple[Cells, frozenset[int], frozenset[int]]:
    cells, after = Cells(budget), 0
    rows: set[int] = set()
    columns: set[int] = set()
    at = 0
    for column in ws.iter(f"{_SS}Column"):
        at = int(column.get(f"{_SS}Index", at + 1))
        last = min(at + int(column.get(f"{_SS}Span", 0)), MAX_COLUMNS)
        if column.get(f"{_SS}Hidden") == "1":
            columns |= set(range(at - 1, last))
        at = last
    for e in ws.iter(f"{_SS}Row"):
        r = int(e.get(f"{_SS}Index", after + 1)) - 1
        after = r + 1 + int(e.get(f"{_SS}Span", 0))
        if r >= MAX_ROWS:
            raise Refused("too_large", f"表格超过 {MAX_ROWS} 行的上限,请拆分后报送。")
        if r < len(cells.rows):
            raise Refused("corrupt", "文件已损坏(行号倒退),请重新导出后报送。")
        cells.rows.extend([] for _ in range(r + 1 - len(cells.rows)))
        if e.get(f"{_SS}Hidden") == "1":
            rows.add(r)
        row, ahead = cells.rows[r], 0
        for cell in e.iter(f"{_SS}Cell"):
            c = min(int(cell.get(f"{_SS}Index", ahead + 1)) - 1, MAX_COLUMNS + 1)
            budget.spend(cells=max(c + 1 - len(row), 0))
            row += [""] * (c + 1 - len(row))
            right, down = (int(cell.get(f"{_SS}Merge{k}", 0)) for k in ("Across", "Down"))
            ahead = c + 1 + right
            if right or down:
                cells.merged.append((r, c, r + down, c + right))
            _xml_cell(cells, r, c, cell, styles.get(cell.get(f"{_SS}StyleID", "Default")))
    return cells, frozenset(rows), frozenset(columns)


def _xml_cell(cells: Cells, r: int, c: int, cell, style: tuple[str, bool, bool] | None) -> None:
    code, struck, raised = style or ("General", False, False)
    data, row = cell.find(f"{_SS}Data"), cells.rows[r]
    if (note := cell.find(f"{_SS}Comment")) is not None:
        cells.comments[r, c] = cut("".join(note.itertext()).strip())
    if data is None:
        if cell.get(f"{_SS}Formula"):
            cells.failed[r, c] = "formula_without_value"
        return
    kind, text = data.get(f"{_SS}Type"), "".join(data.itertext())
    row[c] = cut(text)
    if kind == "Number" and _FIGURE.fullmatch(text):
        row[c] = float(text)
    elif kind == "DateTime":
        with suppress(ValueError):
            row[c] = datetime.fromisoformat(text)
    elif kind == "Boolean":
        row[c] = text == "1"
    elif kind == "Error":
        cells.failed[r, c] = text
    else:
        row[c] = cells.runs(r, c, _xml_runs(data, Run("", None, raised and len(data) == 0)))
    cells.look(r, c, code, False)
    if struck:
        cells.strike(r, c)


def _xml_runs(e, look: Run) -> list[Run]:
    out = [look._replace(text=e.text or "")]
    for child in e:
        tag = etree.QName(child).localname.lower() if isinstance(child.tag, str) else ""
        own = look._replace(
            struck=look.struck or tag in ("s", "del", "strike") or None,
            raised=look.raised or tag in ("sup", "sub"),
        )
        out += [*_xml_runs(child, own), look._replace(text=child.tail or "")]
    return out


def _mhtml(raw: bytes, budget: Budget) -> list[Sheet]:
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() == "text/html":
            return html_sheets(decode(part.get_payload(decode=True))[0], budget)
    raise Refused("no_table", "网页文件里没有表格,请另存为 xlsx 后报送。")


# packages -----------------------------------------------------------------------------------------------------------


_DAMAGED = (
    zipfile.BadZipFile,
    etree.XMLSyntaxError,
    zlib.error,
    LookupError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
)


def _package(raw: bytes) -> zipfile.ZipFile:
    """A package within the limits, checked part by part.

    Raises
    ------
    Refused : it is damaged, would unpack to too much, or has two parts of one name.
    """
    try:
        package = zipfile.ZipFile(io.BytesIO(raw))
        infos = package.infolist()
    except (*_DAMAGED, OSError) as e:
        raise Refused("corrupt", "文件已损坏或没有传完,整份没有采用,请重新报送。") from e
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED or len(infos) > MAX_PARTS or total > MAX_RATIO * max(len(raw), 20_000):
        raise Refused(
            "too_large",
            f"文件展开后有 {total / 2**20:.0f} MiB、{len(infos)} 个部件,超过 "
            f"{MAX_UNPACKED // 2**20} MiB、{MAX_PARTS} 个、压缩比 {MAX_RATIO} 的上限,没有打开。",
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
    names = {i.filename for i in package.infolist()}
    try:
        if package.testzip() is not None:  # a part that is not as long as it says, or damaged
            raise Refused("corrupt", "文件已损坏,整份没有采用,请重新导出后报送。")
        for part in package.infolist():
            if part.filename.endswith((".xml", ".rels")):
                refuse_entities(package.open(part).read(10_000))
        if "word/document.xml" in names:
            return Opened("docx", "", _docx(package, budget), [])
        if "content.xml" in names:
            return Opened("ods", "", books.ods(package, budget), [])
        if any(n.lower() == "xl/workbook.xml" for n in names):
            return Opened("xlsx", "", books.xlsx(package, raw, budget), [])
    except (*_DAMAGED, OSError) as e:
        raise Refused("corrupt", "文件已损坏,整份没有采用,请重新导出后报送。") from e
    for part, kind in (
        ("xl/workbook.bin", "二进制工作簿(.xlsb)"),
        ("ppt/presentation.xml", "演示文稿(.pptx)"),
        ("OFD.xml", "OFD 版式文件"),
    ):
        if part in names:
            raise Refused("unsupported", f"这是{kind},没有读取。请另存为 .xlsx 后报送。")
    raise Refused("corrupt", "压缩包里没有能识别的表格,请直接报送表格文件。")


_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = {
    *("del", "moveFrom", "rPr", "pPr", "tblPr", "tblGrid", "trPr", "tcPr", "sdtPr", "sdtEndPr"),
    *("Fallback", "instrText", "delText", "sectPr"),
}


def _tag(e) -> str:
    return e.tag.rpartition("}")[2] if isinstance(e.tag, str) else ""


def _on(look, name: str) -> bool | None:
    """A switch of Word's: None where it is not stated."""
    e = look.find(f"{_W}{name}") if look is not None else None
    return None if e is None else e.get(f"{_W}val", "1") not in ("0", "false", "off")


class _Word:
    """A Word document: each table as a sheet; deleted, moved and hidden text and empty forms are not displayed."""

    def __init__(self, package: zipfile.ZipFile, budget: Budget) -> None:
        self.budget, self.sheets, self.paragraphs = budget, [], []
        self.styles: dict[str, tuple] = {}
        if "word/styles.xml" in package.namelist():
            styles = {
                e.get(f"{_W}styleId"): e
                for e in xml(package.read("word/styles.xml")).iter(f"{_W}style")
            }
            for name, e in styles.items():
                chain, own = [], e
                while own is not None and own not in chain and len(chain) < 20:
                    chain.append(own)
                    base = own.find(f"{_W}basedOn")
                    own = styles.get(base.get(f"{_W}val")) if base is not None else None
                self.styles[name] = tuple(
                    next(
                        (v for s in chain if (v := self.stated(s.find(f"{_W}rPr"))[i]) is not None),
                        None,
                    )
                    for i in range(3)
                )
        data = package.read("word/document.xml")
        refuse_entities(data)
        body = xml(data).find(f"{_W}body")
        self.flow(body if body is not None else (), (), self.paragraphs)

    def stated(self, look) -> tuple[bool | None, bool | None, bool | None]:
        """What run properties say of struck, raised and hidden; None where nothing is said."""
        strikes = [v for name in ("strike", "dstrike") if (v := _on(look, name)) is not None]
        align = look.find(f"{_W}vertAlign") if look is not None else None
        raised = None if align is None else align.get(f"{_W}val") in ("superscript", "subscript")
        return any(strikes) if strikes else None, raised, _on(look, "vanish")

    def flow(self, e, styles: tuple, out: list[Run]) -> None:
        """The text of an element, piece by piece, a line end behind each paragraph; tables are set apart."""
        for child in e:
            tag = _tag(child)
            if tag == "tbl":
                self.table(child, out)
            elif tag == "r":
                out += self.run(child, styles, out)
            elif tag == "p":
                style = child.find(f"{_W}pPr/{_W}pStyle")
                named = self.styles.get(style.get(f"{_W}val")) if style is not None else None
                self.flow(child, (named,) if named else (), out)
                out.append(Run("\n"))
            elif tag not in _UNSEEN and not self.prompting(child):
                self.flow(child, styles, out)

    @staticmethod
    def prompting(e) -> bool:
        """A form that shows what is to be filled in, and holds nothing yet."""
        return _tag(e) == "sdt" and e.find(f"{_W}sdtPr/{_W}showingPlcHdr") is not None

    def run(self, e, styles: tuple, out: list[Run]) -> list[Run]:
        look = e.find(f"{_W}rPr")
        style = look.find(f"{_W}rStyle") if look is not None else None
        named = self.styles.get(style.get(f"{_W}val")) if style is not None else None
        said = (self.stated(look), *((named,) if named else ()), *styles)
        struck, raised, hidden = (
            next((bool(s[i]) for s in said if s[i] is not None), False) for i in range(3)
        )
        pieces: list[Run] = []
        for child in e if not hidden else ():
            tag = _tag(child)
            if tag == "t" or tag in _WRITTEN:
                text = child.text or "" if tag == "t" else _WRITTEN[tag]
                pieces.append(Run(text, struck, raised))
            elif tag == "sym" and (code := child.get(f"{_W}char", "")):
                pieces.append(Run(chr(int(code, 16)), struck, raised))
            elif tag not in _UNSEEN:  # text boxes
                self.flow([child], styles, pieces)
        return pieces

    def own(self, e, tag: str, prompting: bool = False):
        """Rows or cells of one table, through content controls and the like, without those of tables in it."""
        for child in e:
            name = _tag(child)
            if name == tag:
                yield child, prompting
            elif name not in _UNSEEN and name not in ("tbl", "p"):
                yield from self.own(child, tag, prompting or self.prompting(child))

    def table(self, e, out: list[Run]) -> None:
        self.budget.spend(tables=1)
        number = len(self.sheets)
        self.sheets.append(None)
        said = out if out is self.paragraphs else self.paragraphs + out
        title = _title("".join(x.text for x in said if not x.struck).split("\n"))
        self.paragraphs.clear()
        table = []
        for tr, empty in self.own(e, "tr"):
            look = tr.find(f"{_W}trPr")
            if look is not None and (look.find(f"{_W}del") is not None or _on(look, "hidden")):
                continue
            before = look.find(f"{_W}gridBefore") if look is not None else None
            table.append([_Box([], int(before.get(f"{_W}val")))] if before is not None else [])
            for tc, blank in self.own(tr, "tc", empty):
                table[-1] += self.box(tc, blank)
        self.sheets[number] = _lay(table, self.budget).sheet(f"表{number + 1}", title=title)
        self.paragraphs.clear()

    def box(self, tc, blank: bool) -> list[_Box]:
        look = tc.find(f"{_W}tcPr")
        wide = down = across = gone = None
        if look is not None:
            wide, down, across, gone = (
                look.find(f"{_W}{name}") for name in ("gridSpan", "vMerge", "hMerge", "cellDel")
            )
        if gone is not None:
            return []
        runs: list[Run] = []
        if not blank and (across is None or across.get(f"{_W}val") == "restart"):
            self.flow(tc, (), runs)
        self.paragraphs[:] = [*self.paragraphs[-50:], *runs[:50], Run("\n")]
        columns = max(int(wide.get(f"{_W}val")), 1) if wide is not None else 1
        going = "" if down is None else down.get(f"{_W}val", "continue")
        return [_Box(_tidy(runs), columns, down=going)]


def _docx(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    sheets = _Word(package, budget).sheets
    if not sheets:
        raise Refused("no_table", "文档里没有表格,请把数据放进表格后报送。")
    return sheets
