"""Workbooks, new and old, to sheets: calamine reads the figures, a look at the bytes guards it and adds the rest.

calamine lays out the whole rectangle of a sheet and cannot be stopped once a far cell makes it ask for more memory than
there is, so every sheet is measured first.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import xlrd
import xlrd.compdoc
from lxml import etree

from zcqlib.reports.grid import (
    MAX_AREA,
    MAX_COLUMNS,
    MAX_ROWS,
    OLE,
    Budget,
    Opened,
    Refused,
    Sheet,
    check_size,
    cut,
    latin_mojibake,
    parser,
    refuse_entities,
    xml,
)
from zcqlib.reports.shown import Cells, Run


def _column(letters: bytes | str) -> int:
    n = 0
    for ch in letters.upper() if isinstance(letters, str) else letters.decode().upper():
        n = n * 26 + ord(ch) - 64
    return n - 1


def place(address: str) -> tuple[int, int]:
    m = re.fullmatch(r"\$?([A-Za-z]+)\$?(\d+)", address)
    return int(m[2]) - 1, _column(m[1])


def xlsx(package: zipfile.ZipFile, raw: bytes, budget: Budget) -> list[Sheet]:
    """Sheets of an .xlsx or .xlsm; what calamine does not tell comes from one look at the bytes of each sheet."""
    parts = {n.lower(): n for n in package.namelist()}
    workbook = xml(package.read(parts["xl/workbook.xml"]))
    relations = {
        r.get("Id"): r.get("Target") for r in xml(package.read(parts["xl/_rels/workbook.xml.rels"]))
    }
    styles, strings = _styles(package), _strings(package, parts)
    found, seen = {}, set()
    for sheet in workbook.iter("{*}sheet"):
        target = next(
            (relations.get(v, "") for k, v in sheet.attrib.items() if k.endswith("}id")), ""
        )
        path = parts.get((target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower())
        if path is not None and "chartsheet" not in path:
            found[sheet.get("name")] = path, _guarded(package.read(path), strings, budget)
            seen.add(path)
    for low, path in parts.items():
        if low.startswith("xl/worksheets/") and low.endswith(".xml") and path not in seen:
            _guarded(package.read(path), strings, budget)
    out = []
    for cells, name, hidden in _calamine(raw, budget):
        path, data = found.get(name, ("", b""))
        _dress(cells, data, styles, strings.marked)
        _formulas(cells, data)
        _comments(cells, package, path)
        out.append(cells.sheet(name, hidden=hidden, **_hidden(data)))
    return out


@dataclass(frozen=True, slots=True)
class _Strings:
    """The strings that a workbook's sheets share: their lengths, and the pieces of those with struck or raised text."""

    lengths: list[int]
    marked: dict[int, list[Run]]


def _strings(package: zipfile.ZipFile, parts: Mapping[str, str]) -> _Strings:
    path = parts.get("xl/sharedstrings.xml")
    data = package.read(path) if path else b""
    items = re.split(rb"</(?:\w+:)?si>", data)[:-1]
    marked = {}
    if _MARKS.search(data):
        refuse_entities(data)
        for i, si in enumerate(etree.fromstring(data, parser(huge_tree=True)).iter("{*}si")):
            if next(si.iter("{*}strike", "{*}vertAlign"), None) is not None:
                marked[i] = _pieces(si)
    return _Strings(list(map(len, items)), marked)


_MARKS = re.compile(rb"strike|vertAlign")


def _pieces(item) -> list[Run]:
    """The runs of a rich string; one without a look of its own has that of its cell (struck None)."""
    out = []
    for e in item.iterchildren("{*}t", "{*}r"):
        look = e.find("{*}rPr")
        strike = look.find("{*}strike") if look is not None else None
        align = look.find("{*}vertAlign") if look is not None else None
        out.append(
            Run(
                "".join(t.text or "" for t in ([e] if e.tag.endswith("}t") else e.iter("{*}t"))),
                None
                if look is None
                else strike is not None and strike.get("val", "1") not in ("0", "false"),
                align is not None and align.get("val") in ("superscript", "subscript"),
            )
        )
    return out


def _guarded(data: bytes, strings: _Strings, budget: Budget) -> bytes:
    """A sheet's bytes in their plain form, after its size was measured."""
    data = _canonical(data)
    _guard(data)
    longest = max(strings.lengths, default=0)
    if longest * data.count(b't="s"') > 2**20:
        used = Counter(re.findall(rb't="s"[^>]*><v>(\d+)', data))
        budget.spend(
            letters=sum(
                n * strings.lengths[int(i)]
                for i, n in used.items()
                if int(i) < len(strings.lengths)
            )
        )
    return data


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
            column = place(address)[1] if address else column + 1
            inside = []
            start = (address.upper() if address else f"{letters(column)}{row}").encode()
            out.append(
                b'<c r="%s" s="%s" t="%s">'
                % (start, e.get("s", "0").encode(), e.get("t", "n").encode())
            )
        elif event == "end" and name == "is":
            etree.cleanup_namespaces(e)
            inside.append(b"<is>" + b"".join(map(etree.tostring, e)) + b"</is>")
        elif event == "end" and name in ("f", "v"):
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


_BUILT_IN = dict(
    zip(
        map(str, (1, 2, 3, 4, 9, 10, 37, 38, 39, 40, 27, 31, 57, 58, 14, 16, 17)),
        (
            *("0", "0.00", "#,##0", "#,##0.00", "0%", "0.00%"),
            *("#,##0;-#,##0", "#,##0;[Red]-#,##0", "#,##0.00;-#,##0.00", "#,##0.00;[Red]-#,##0.00"),
            *('yyyy"年"m"月"', 'yyyy"年"m"月"d"日"', 'yyyy"年"m"月"', 'm"月"d"日"'),
            *("yyyy/m/d", 'm"月"d"日"', 'yyyy"年"m"月"'),
        ),
        strict=True,
    )
)


def _styles(package: zipfile.ZipFile) -> dict[bytes, tuple[str, bool]]:
    """Number format, and whether it is struck out, of each style number (as bytes) that shows more than the value."""
    if "xl/styles.xml" not in package.namelist():
        return {}
    root = xml(package.read("xl/styles.xml"))
    codes = _BUILT_IN | {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter("{*}numFmt")}
    fonts, cells = root.find("{*}fonts"), root.find("{*}cellXfs")
    struck = {
        str(i)
        for i, f in enumerate(fonts if fonts is not None else ())
        if f.find("{*}strike") is not None
        and f.find("{*}strike").get("val", "1") not in ("0", "false")
    }
    looks = {
        str(i).encode(): (codes.get(xf.get("numFmtId"), "General"), xf.get("fontId") in struck)
        for i, xf in enumerate(cells if cells is not None else ())
    }
    return {
        k: v for k, v in looks.items() if v not in (("General", False), ("", False), ("@", False))
    }


def _dress(cells: Cells, data: bytes, styles: Mapping, marked: Mapping) -> None:
    """What is shown of the cells that calamine gave: formats applied, struck and raised pieces told apart."""
    if styles:
        own = rb'(?=[^>]* s="(' + b"|".join(styles) + rb')")'
        every = rb'(?:(?=[^>]* s="(\d+)"))?' if b"0" in styles else own
        for m in re.finditer(rb'<c r="([A-Z]+)(\d+)"' + every + rb"[^/>]*>", data):
            if look := styles.get(m[3] or b"0"):
                cells.look(int(m[2]) - 1, _column(m[1]), *look)
    for m in re.finditer(rb'<c r="([A-Z]+)(\d+)"[^>]*t="s"[^>]*><v>(\d+)', data) if marked else ():
        if runs := marked.get(int(m[3])):
            cells.pieces(int(m[2]) - 1, _column(m[1]), runs)
    for m in (
        re.finditer(rb'<c r="([A-Z]+)(\d+)"[^>]*>(<is>.*?</is>)', data, re.S)
        if b"<is>" in data and _MARKS.search(data)
        else ()
    ):
        if _MARKS.search(m[3]):
            cells.pieces(
                int(m[2]) - 1, _column(m[1]), _pieces(etree.fromstring(m[3], parser(recover=True)))
            )
    blank = re.search(rb'<sheetView [^>]*showZeros="(?:0|false)"', data)
    endless = re.search(rb"<v>-?(?:[\d.]{300}|[\d.]+[eE]\+?\d{3})", data)
    for r, row in enumerate(cells.rows if blank or endless else ()):
        for c, v in enumerate(row):
            if isinstance(v, float) and not math.isfinite(v):
                row[c] = cells.number(r, c, v, "General")
            elif blank and v == 0 and not isinstance(v, bool):
                cells.held[r, c] = "显示为「空白」,实际存的是 0"


_HEAD = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*)>')


def _holding(data: bytes, mark: bytes) -> Iterator[tuple[tuple[int, int], bytes, bytes]]:
    """Place, attributes and content of each cell in which a mark stands."""
    at = data.find(mark)
    while at >= 0:
        start, end = data.rfind(b"<c ", 0, at + 1), data.find(b"</c>", at)
        head = _HEAD.match(data, start) if 0 <= start and end >= 0 else None
        if head and data.find(b"</c>", start, at) < 0:
            yield (int(head[2]) - 1, _column(head[1])), head[3], data[head.end() : end]
            at = end
        at = data.find(mark, at + 1)


def _formulas(cells: Cells, data: bytes) -> None:
    """Formulas without a stored result, those that look into other files, and cells in error."""
    for mark in (b"<f>", b"<f ", b"<f/"):
        for at, how, inside in _holding(data, mark):
            if not re.search(rb"<v>[^<]", inside) and b't="str"' not in how:
                cells.failed[at] = "formula_without_value"
            if re.search(rb"\[\d+\]|\[[^\]<]+\.xls", inside.split(b"<v>")[0]):
                cells.linked.add(at)
    for at, how, inside in _holding(data, b"<v>#"):
        if b't="e"' in how:
            cells.failed[at] = inside.split(b"<v>")[1].split(b"<")[0].decode()


def _hidden(data: bytes) -> dict[str, frozenset[int]]:
    rows = re.findall(rb'<row r="(\d+)"[^>]* hidden="(?:1|true)"', data)
    columns: set[int] = set()
    for m in re.finditer(rb'<col (?=[^>]*hidden="(?:1|true)")[^>]*>', data):
        lo, hi = (int(re.search(rb"\b" + k + rb'="(\d+)"', m[0])[1]) for k in (b"min", b"max"))
        columns |= set(range(lo - 1, min(hi, MAX_COLUMNS)))
    return {
        "hidden_rows": frozenset(int(n) - 1 for n in rows),
        "hidden_columns": frozenset(columns),
    }


def _comments(cells: Cells, package: zipfile.ZipFile, path: str) -> None:
    rels = path.replace("worksheets/", "worksheets/_rels/") + ".rels"
    for r in xml(package.read(rels)) if rels in package.namelist() else ():
        target = r.get("Target", "")
        name = target.lstrip("/") if target.startswith("/") else f"xl/{target.removeprefix('../')}"
        if r.get("Type", "").endswith("/comments") and name in package.namelist():
            for comment in xml(package.read(name)).iter("{*}comment"):
                cells.comments[place(comment.get("ref"))] = cut(
                    "".join(t.text or "" for t in comment.iter("{*}t"))
                )


_VALUES = {"float", "currency", "percentage"}


def ods(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """Sheets of an open document, which states each cell's value beside its displayed text."""
    looks: dict[str, _Look] = {}
    if "styles.xml" in package.namelist():
        for e in xml(package.read("styles.xml")).iter("{*}style"):
            looks[_own(e, "name")] = _look(e, looks)
    out: list[Sheet] = []
    page = _Page(budget)
    for event, e in etree.iterparse(
        io.BytesIO(package.read("content.xml")),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    ):
        name = etree.QName(e).localname if isinstance(e.tag, str) else ""
        if event == "start" and name == "table":
            page = _Page(budget)
        elif event == "end" and name == "style":
            looks[_own(e, "name")] = _look(e, looks)
        elif event == "end" and name == "table-column":
            page.column(e)
        elif event == "end" and name in ("table-cell", "covered-table-cell"):
            page.cell(e, name == "covered-table-cell")
        elif event == "end" and name == "table-row":
            page.row(e, looks)
            e.clear()
        elif event == "end" and name == "table":
            check_size(page.cells.rows)
            look = looks.get(_own(e, "style-name"), _Look())
            out.append(
                page.cells.sheet(
                    _own(e, "name") or f"表{len(out) + 1}",
                    hidden=look.hidden,
                    hidden_rows=frozenset(page.hidden_rows),
                    hidden_columns=frozenset(page.hidden_columns),
                )
            )
            e.clear()
    return out


@dataclass(frozen=True, slots=True)
class _Look:
    struck: bool = False
    raised: bool = False
    hidden: bool = False


def _own(e, name: str) -> str:
    """An attribute by its name, whatever its prefix."""
    return next((v for k, v in e.attrib.items() if k.rpartition("}")[2] == name), "")


def _look(style, known: Mapping[str, _Look]) -> _Look:
    base = known.get(_own(style, "parent-style-name"), _Look())
    struck, raised, hidden = base.struck, base.raised, base.hidden
    for e in style:
        for kind in ("text-line-through-style", "text-line-through-type"):
            if said := _own(e, kind):
                struck = said != "none"
        if said := _own(e, "text-position"):
            raised = not said.startswith(("0%", "normal")) and said.split()[0] != "100%"
        if said := _own(e, "display"):
            hidden = said in ("none", "false")
    return _Look(struck, raised, hidden)


def _ods_runs(e, look: _Look, looks: Mapping[str, _Look]) -> list[Run]:
    """The text of a paragraph or of what it holds, piece by piece."""
    out = [Run(e.text or "", look.struck, look.raised)]
    for child in e:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        own = looks.get(_own(child, "style-name"), look)
        own = _Look(own.struck or look.struck, own.raised or look.raised, own.hidden)
        if name in ("s", "tab", "line-break"):
            out.append(Run("\n" if name == "line-break" else "\t" if name == "tab" else " "))
        elif name in ("span", "a", "p") and not own.hidden:
            out += _ods_runs(child, own, looks)
        out.append(Run(child.tail or "", look.struck, look.raised))
    return out


class _Page:
    """One table of an open document while it is laid out."""

    def __init__(self, budget: Budget) -> None:
        self.cells, self.budget = Cells(budget), budget
        self.pending: list[
            tuple
        ] = []  # cells of the row that is being read: element's content, times
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.columns = self.empty = 0  # columns and empty rows so far
        budget.spend(tables=1)

    def column(self, e) -> None:
        times = min(_times(e, "columns"), MAX_COLUMNS - self.columns)
        if _own(e, "visibility") in ("collapse", "filter"):
            self.hidden_columns |= set(range(self.columns, self.columns + times))
        self.columns += max(times, 0)

    def cell(self, e, covered: bool) -> None:
        filled = not covered and (len(e) or _own(e, "value-type") or _own(e, "formula"))
        self.pending.append((e if filled else None, _times(e, "columns")))

    def row(self, e, looks: Mapping[str, _Look]) -> None:
        pending, self.pending, times = self.pending, [], _times(e, "rows")
        while pending and pending[-1][0] is None:
            pending.pop()
        rows = self.cells.rows
        if _own(e, "visibility") in ("collapse", "filter") and pending:
            first = len(rows) + self.empty
            self.hidden_rows |= set(range(first, first + min(times, MAX_ROWS)))
        if not pending:
            self.empty += times
            return
        self.budget.spend(cells=self.empty + times * sum(n for _, n in pending))
        rows += [[] for _ in range(self.empty)]
        self.empty = 0
        again = (
            False  # whether the row has notes, and has to be laid out anew each time it is repeated
        )
        for i in range(times):
            if i and not again:
                rows.append(list(rows[-1]))
                continue
            before = self.cells.marks()
            self.budget.spend(letters=_NOTED * len(pending) if i else 0)
            rows.append([])
            for cell, n in pending:
                self.place(cell, n, looks)
            again = self.cells.marks() > before
            if not again:
                self.budget.spend(letters=(times - 1) * sum(map(_long, rows[-1])))

    def place(self, cell, times: int, looks: Mapping[str, _Look]) -> None:
        """A cell, so many times beside each other; one of which nothing is noted need not be looked at again."""
        row, before = self.cells.rows[-1], self.cells.marks()
        if cell is None:
            row.extend([""] * times)
            return
        for i in range(times):
            if i and self.cells.marks() == before:
                self.budget.spend(letters=(times - i) * _long(row[-1]))
                row.extend([row[-1]] * (times - i))
                return
            self.budget.spend(letters=_NOTED if i else 0)
            row.append(self.value(cell, looks))

    def value(self, e, looks: Mapping[str, _Look]) -> object:
        """What is to be read of a cell."""
        cells, r = self.cells, len(self.cells.rows) - 1
        c, kind = len(cells.rows[r]), _own(e, "value-type")
        look = looks.get(_own(e, "style-name"), _Look())
        runs: list[Run] = []
        texts = [p for p in e if etree.QName(p).localname == "p"]
        for p in texts:
            runs += [Run("\n")] * bool(runs) + _ods_runs(p, look, looks)
        for note in e.iterchildren("{*}annotation"):
            cells.comments[r, c] = cut("".join(t for p in note.iter("{*}p") for t in p.itertext()))
        down, right = (int(_own(e, f"number-{k}-spanned") or 1) for k in ("rows", "columns"))
        if down > 1 or right > 1:
            cells.merged.append((r, c, r + down - 1, c + right - 1))
        if kind in _VALUES and not any(x.struck or x.raised for x in runs):
            text = "".join(x.text for x in runs).strip() if texts else None
            return cells.beside(r, c, float(_own(e, "value")), text, kind == "percentage")
        shown = cells.runs(r, c, runs or [Run(_own(e, "string-value"))])
        if re.fullmatch(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|(?:Err|错误):\d+", shown):
            cells.failed[r, c] = shown
        elif _own(e, "formula") and not kind:
            cells.failed[r, c] = "formula_without_value"
        elif kind == "date" and (r, c) not in cells.struck:
            cells.shown[r, c] = shown
            with suppress(ValueError):
                return datetime.fromisoformat(_own(e, "date-value"))
        elif kind == "boolean":
            return _own(e, "boolean-value") == "true"
        return shown


_NOTED = 400  # letters that a repeated cell with notes counts as


def _long(value: object) -> int:
    return len(value) if isinstance(value, str) else 0


def _times(e, what: str) -> int:
    return max(int(_own(e, f"number-{what}-repeated") or 1), 1)


def _calamine(raw: bytes, budget: Budget) -> list[tuple[Cells, str, bool]]:
    """The cells of each sheet, its name, and whether it is hidden."""
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
            budget.spend(cells=len(rows) * len(blank), tables=1)
            merged = [(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or ()]
            cells = Cells(budget, rows, merged=merged)
            sheets.append((cells, meta.name, meta.visible != pc.SheetVisibleEnum.Visible))
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


def ole(raw: bytes, budget: Budget) -> Opened:
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, EncryptionError, FileFormatError, ParseError

    try:
        if msoffcrypto.OfficeFile(io.BytesIO(raw)).is_encrypted():
            raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。")
    except (FileFormatError, ParseError, DecryptionError, EncryptionError, *_BROKEN):
        pass  # whether it is a workbook at all is for the readers to say
    for name, kind in (
        ("WordDocument", "Word 文档(.doc)"),
        ("PowerPoint Document", "演示文稿(.ppt)"),
    ):
        if name.encode("utf-16-le") in raw:
            raise Refused("unsupported", f"这是旧版{kind},请另存为 .docx 或 .xlsx 后报送。")
    return xls(raw, budget)


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


def xls(raw: bytes, budget: Budget) -> Opened:
    """An old workbook: xlrd first; where it fails or its strings are garbage (another code page than declared), calamine."""
    sound = _guard_old(raw)
    try:
        sheets = _xlrd(raw, budget)
        if not _garbled(sheets):
            return Opened("xls", "", sheets, [])
        code, message = "mojibake", "文字是乱码,整份文件没有采用,请从原系统重新导出。"
    except _BROKEN:
        code, message = "corrupt", "文件已损坏,整份没有采用,请重新报送。"
    if not sound:
        raise Refused(code, message)
    second = [cells.sheet(name, hidden=hidden) for cells, name, hidden in _calamine(raw, budget)]
    if _garbled(second):
        raise Refused("mojibake", "文字是乱码,整份文件没有采用,请从原系统重新导出。")
    said = "第一种读法读不出,已换用第二种;数字格式没有核对,请另存为 xlsx 后报送。"
    return Opened("xls", "", second, [("second_reader", "warning", "", "", said)])


_BROKEN = (
    struct.error,
    LookupError,
    AssertionError,
    ValueError,
    OSError,
    TypeError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    xlrd.XLRDError,
    xlrd.compdoc.CompDocError,
)


def _garbled(sheets: list[Sheet]) -> bool:
    texts = [v for s in sheets for r in s.rows for v in r if isinstance(v, str) and v]
    return any(re.search(r"[\x00-\x08\x0e-\x1f]", v) or latin_mojibake(v) for v in texts)


def _xlrd(raw: bytes, budget: Budget) -> list[Sheet]:
    book = xlrd.open_workbook(
        file_contents=raw, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
    )
    return [_old_sheet(book, s, budget) for s in book.sheets()]


def _old_sheet(book: xlrd.Book, s: xlrd.sheet.Sheet, budget: Budget) -> Sheet:
    cells = Cells(budget, merged=[(a, c, b - 1, d - 1) for a, b, c, d in s.merged_cells])
    budget.spend(cells=sum(map(s.row_len, range(s.nrows))), tables=1)
    for r in range(s.nrows):
        row: list = []
        cells.rows.append(row)
        for c, cell in enumerate(s.row(r)):
            value = cell.value
            if cell.ctype == xlrd.XL_CELL_DATE and 1 <= value < 2_958_466:
                value = xlrd.xldate_as_datetime(value, book.datemode)
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#ERR")
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            row.append(value)
            if value == "":
                continue
            xf = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
            font = book.font_list[xf.font_index] if xf else None
            code = book.format_map[xf.format_key].format_str if xf else "General"
            cells.look(r, c, code, bool(font and font.struck_out))
            if marks := s.rich_text_runlist_map.get((r, c)):
                cells.pieces(r, c, _old_pieces(book, value, marks, font))
    cells.comments.update({(n.rowx, n.colx): cut(n.text) for n in s.cell_note_map.values()})
    hidden = [
        frozenset(i for i, info in known.items() if info.hidden)
        for known in (s.rowinfo_map, s.colinfo_map)
    ]
    check_size(cells.rows)
    return cells.sheet(
        s.name, hidden_rows=hidden[0], hidden_columns=hidden[1], hidden=s.visibility != 0
    )


def _old_pieces(book: xlrd.Book, text: str, marks: list[tuple[int, int]], font) -> list[Run]:
    starts = [(0, font), *((at, book.font_list[i]) for at, i in marks)]
    ends = [at for at, _ in starts[1:]] + [len(text)]
    return [
        Run(text[at:end], bool(f and f.struck_out), bool(f and f.escapement))
        for (at, f), end in zip(starts, ends, strict=True)
    ]
