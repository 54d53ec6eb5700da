"""Workbooks, new and old, to sheets: values, what is shown of them, and what stands around them."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from itertools import pairwise
from string import ascii_letters, digits

import xlrd
from lxml import etree
from xlsxwriter.utility import xl_cell_to_rowcol

from zcqlib.reports.grid import (
    MAX_COLUMNS,
    NO_RESULT,
    SAFE,
    Budget,
    Opened,
    Refused,
    Sheet,
    cut,
    latin_mojibake,
    refuse_entities,
    written,
    xml,
)
from zcqlib.reports.shown import TAGS, Cells, Run, stated, told

CORRUPT = "文件已损坏或没有传完,整份没有采用,请重新导出后报送。"
GARBLED = "文字是乱码(编码转换出错),整份文件没有采用,请从原系统重新导出。"


@contextmanager
def whole() -> Iterator[None]:
    """All or nothing of a file: whatever its bytes make a reader stumble over, it is damaged.

    Raises
    ------
    Refused : of whatever fails within, but for a lack of memory.
    """
    try:
        yield
    except (Refused, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as e:  # a failed assumption in Rust code is no Exception
        raise Refused("corrupt", CORRUPT) from e


def local(e) -> str:
    """The name of an element without its space."""
    return e.tag.rpartition("}")[2]


def own(e, name: str) -> str:
    """An attribute of whatever space, "" where there is none."""
    return next((v for k, v in e.attrib.items() if k.rpartition("}")[2] == name), "")


def pieces(e, look: dict, how: Callable, out: list[Run]) -> None:
    """The text of an element piece by piece; `how` does so with each element in it, which may look otherwise."""
    out.append(Run(e.text or "", **look))
    for child in e:
        how(child, look, out)
        out.append(Run(child.tail or "", **look))


def stream(raw, *names: str) -> Iterator:
    """The elements of these names in a part of any size, each when it is complete."""
    tags = [f"{{*}}{n}" for n in names]
    for _, e in etree.iterparse(raw, tag=tags, huge_tree=True, **SAFE):
        yield e


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")


def typed(kind: str, text: str) -> object:
    """A value of the type that its file states (n, d, b or a word that begins so); text where it is none such."""
    match kind[:1].lower():
        case "n" if _NUMBER.fullmatch(text):
            return float(text)
        case "d":
            with suppress(ValueError):
                return datetime.fromisoformat(text)
        case "b":
            return text in ("1", "true")
    return cut(text)


def _yes(e, name: str, otherwise: str = "0") -> bool:
    """Whether an attribute says yes."""
    return e.get(name, otherwise) in ("1", "true")


# workbooks in packages ------------------------------------------------------------------------------------------------

# codes of numbered formats; those of Chinese dates are in no list
_BUILT_IN = dict.fromkeys(map(str, (*range(27, 37), *range(50, 59))), "yyyy/m/d")
_BUILT_IN |= {str(k): code for k, code in xlrd.formatting.std_format_strings.items()}


def xlsx(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """Sheets of an .xlsx or .xlsm."""
    book = xml(part(package, "xl/workbook.xml"))
    targets = {r.get("Id"): path for r, path in _related(package, "xl/workbook.xml")}
    looks, strings = _looks(package), _strings(package, budget)
    mode = any(_yes(e, "date1904") for e in book.iter("{*}workbookPr"))
    out = []
    for sheet in book.iter("{*}sheet"):
        path, cells = targets.get(own(sheet, "id"), ""), Cells(budget=budget, mode=mode)
        if re.search("(?:chart|dialog|macro)sheet", path):
            continue
        with package.open(_named(package)[path]) as raw:
            _Page(cells, looks, strings).read(raw)
        for r, target in _related(package, path):
            if r.get("Type", "").endswith("/comments"):
                for note in xml(part(package, target)).iter("{*}comment"):
                    said = "".join(t.text or "" for t in note.iter("{*}t"))
                    cells.comments[xl_cell_to_rowcol(note.get("ref"))] = cut(said)
        out.append(
            cells.sheet(sheet.get("name"), hidden=sheet.get("state", "visible") != "visible")
        )
    return out


def _named(package: zipfile.ZipFile) -> dict[str, str]:
    """The names of the parts of a package by themselves in small letters."""
    return {n.lower(): n for n in package.namelist()}


def part(package: zipfile.ZipFile, path: str) -> bytes:
    """A part of a package, however its name is written; an empty one where there is none."""
    name = _named(package).get(path.lower())
    return package.read(name) if name else b"<none/>"


def _related(package: zipfile.ZipFile, path: str) -> Iterator[tuple]:
    """What a part refers to: relation, and the other part's name in small letters."""
    folder, name = posixpath.split(path)
    for r in xml(part(package, f"{folder}/_rels/{name}.rels")):
        target = posixpath.join("/", folder, r.get("Target", "").lower())
        yield r, posixpath.normpath(target).lstrip("/")


def _font(e) -> dict[str, bool]:
    """How text of a font looks."""
    return stated((local(p), p.get("val", "on")) for p in e)


PLAIN = "", False  # number format, and whether struck out


def _looks(package: zipfile.ZipFile) -> list[tuple[str, bool]]:
    """Number format and whether it is struck out, of each style."""
    root = xml(part(package, "xl/styles.xml"))
    codes = _BUILT_IN | {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter("{*}numFmt")}
    struck = {i: _font(e).get("struck") for i, e in enumerate(root.iterfind("{*}fonts/{*}font"))}
    return [
        (codes.get(xf.get("numFmtId"), ""), bool(struck.get(int(xf.get("fontId") or 0))))
        for xf in root.iterfind("{*}cellXfs/{*}xf")
    ]


SHARED = 50  # letters that a string of its own costs beside those of the cells that show it


def _strings(package: zipfile.ZipFile, budget: Budget) -> list[str | list[Run]]:
    """The strings that the sheets share."""
    out = []
    for si in stream(io.BytesIO(part(package, "xl/sharedStrings.xml")), "si"):
        budget.spend(letters=SHARED)
        out.append(_text(si))
        si.clear()
    return out


def _text(item) -> str | list[Run]:
    """A string, in its pieces where some are struck out or raised; one without a look of its own has its cell's."""
    if len(item) == 1 and item[0].tag[-1] == "t":  # as most are
        return cut(item[0].text or "")
    runs = []
    for e in item.iterchildren("{*}t", "{*}r"):
        look = {} if (font := e.find("{*}rPr")) is None else {"struck": False} | _font(font)
        runs.append(Run("".join(t.text or "" for t in e.iter("{*}t")), **look))
    return runs if any(x.struck or x.raised for x in runs) else cut("".join(x.text for x in runs))


@cache
def _column(letters: str) -> int:
    return xl_cell_to_rowcol(f"{letters}1")[1]


class _Page:
    """A sheet of an .xlsx while its rows go by."""

    def __init__(self, cells: Cells, looks: list, strings: list) -> None:
        self.cells, self.looks, self.strings = cells, looks, strings
        self.zeros = True  # whether they are shown

    def read(self, raw) -> None:
        r, cells = -1, self.cells
        for e in stream(raw, "row", "col", "sheetView", "mergeCell"):
            match local(e):
                case "row":
                    said = e.get("r") or next((c.get("r") for c in e if c.get("r")), f"{r + 2}")
                    before, r = r, int(said.lstrip(ascii_letters)) - 1
                    if r <= before:
                        raise Refused("corrupt", CORRUPT)
                    cells.hidden_rows.update([r] * _yes(e, "hidden"))
                    self.row(e, r)
                    e.clear()
                case "col" if _yes(e, "hidden"):
                    last = min(int(e.get("max")), MAX_COLUMNS)
                    cells.hidden_columns.update(range(int(e.get("min")) - 1, last))
                case "sheetView":
                    self.zeros = _yes(e, "showZeros", "1")
                case "mergeCell":
                    ends = [xl_cell_to_rowcol(at) for at in e.get("ref", "").split(":")]
                    cells.merged.append(ends[0] + ends[-1])

    def row(self, row, r: int) -> None:
        c, filled = -1, []
        for e in row:
            address = e.get("r")
            c = _column(address.rstrip(digits)) if address else c + 1
            filled += [(c, e)] * (len(e) > 0)
        if filled:
            self.cells.place(r, filled[-1][0])  # once for all
        for c, e in filled:
            style = int(e.get("s", 0))
            look = self.looks[style] if style < len(self.looks) else PLAIN
            self.cells.put(r, c, self.value(r, c, e), *look)

    def value(self, r: int, c: int, e) -> object:
        kind, found = e.get("t", "n"), {child.tag[-1]: child for child in e}
        text = found["v"].text if "v" in found else ""
        if "f" in found and re.search(r"\[\d+\]|\[[^\]]+\.xls", found["f"].text or ""):
            self.cells.linked.add((r, c))
        if text:
            value = self.strings[int(text)] if kind == "s" else typed(kind, text)
        elif "f" in found and kind != "str":
            value = NO_RESULT
        else:
            value = _text(found["s"]) if "s" in found else ""  # of the cell's own: is
        if type(value) is float and value == 0 and not self.zeros:
            self.cells.held[r, c] = "显示为「空白」,实际存的是 0"
        return value


# open documents -------------------------------------------------------------------------------------------------------

_BETWEEN = {"s": " ", "tab": "\t", "line-break": "\n"}


def _attributes(elements: Iterable) -> Iterator[tuple[str, str]]:
    return ((k.rpartition("}")[2], v) for e in elements for k, v in e.attrib.items())


def _times(e, what: str) -> int:
    return max(int(own(e, f"number-{what}") or 1), 1)


def ods(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """Sheets of an open document, which states each cell's value beside its displayed text."""
    out, looks, cells, r, c = [], {"": {}}, Cells(budget=budget), 0, 0
    for name in ("styles.xml", "content.xml"):
        raw = io.BytesIO(part(package, name))
        for e in stream(raw, "style", "table-column", "table-row", "table"):
            away = own(e, "visibility") in ("collapse", "filter")
            match local(e):
                case "style":
                    look = looks.get(own(e, "parent-style-name"), {})
                    looks[own(e, "name")] = look | stated(_attributes(e))
                case "table-column":
                    last = min(c + _times(e, "columns-repeated"), MAX_COLUMNS)
                    cells.hidden_columns.update(range(c, last) if away else ())
                    c = last
                case "table-row":
                    last = r + _times(e, "rows-repeated")
                    if _ods_row(cells, r, last, e, looks) and away:
                        cells.hidden_rows.update(range(r, last))
                    r = last
                    e.clear()
                case "table":
                    hidden = looks.get(own(e, "style-name"), {}).get("hidden", False)
                    out.append(cells.sheet(own(e, "name"), hidden=hidden))
                    cells, r, c = Cells(budget=budget), 0, 0
    return out


# times what a cell costs that is written down: few are repeated, and any number can be
REPEATED = 50


def _ods_row(cells: Cells, r: int, last: int, e, looks: Mapping) -> bool:
    """Lay out a row as often as it stands; whether there is anything in it."""
    c, filled = 0, []
    for cell in e.iterchildren("{*}table-cell", "{*}covered-table-cell"):
        n = _times(cell, "columns-repeated")
        said = len(cell) or own(cell, "value-type") or own(cell, "formula")
        if said and local(cell) == "table-cell":
            cells.budget.spend(cells=REPEATED * ((last - r) * n - 1))
            filled += [(cell, c + i) for i in range(n)]
        c += n
    for i in range(r, last if filled else r):
        for cell, c in filled:
            _ods_cell(cells, i, c, cell, looks)
    return bool(filled)


def _ods_cell(cells: Cells, r: int, c: int, e, looks: Mapping) -> None:
    def how(child, around, out):
        name, look = local(child), around | looks.get(own(child, "style-name"), {})
        if name in _BETWEEN:
            out.append(Run(_BETWEEN[name]))
        elif name in ("span", "a", "p"):
            pieces(child, look, how, out)

    runs, look, kind = [], looks.get(own(e, "style-name"), {}), own(e, "value-type")
    for p in e.iterchildren("{*}p"):
        runs += [Run("\n")] * bool(runs)
        how(p, look, runs)
    for note in e.iterchildren("{*}annotation"):
        cells.comments[r, c] = cut("".join(t for p in note.iter("{*}p") for t in p.itertext()))
    down, right = (_times(e, f"{k}-spanned") for k in ("rows", "columns"))
    cells.merged.append((r, c, r + down - 1, c + right - 1))
    cells.put(r, c, runs or [Run(own(e, "string-value"))])
    plain = not any(x.struck or x.raised for x in runs)
    if plain and kind in ("float", "currency", "percentage"):
        stored = typed("n", own(e, "value"))
        text = cells.rows[r][c] if runs else written(stored)
        shows = told(stored, text, kind == "percentage")
        cells.rows[r][c] = cells.keep((r, c), stored, shows)
    elif own(e, "formula") and not kind:
        cells.rows[r][c] = NO_RESULT
    elif kind in ("date", "boolean") and (r, c) not in cells.struck:
        cells.rows[r][c] = typed(kind, own(e, f"{kind}-value") or cells.rows[r][c])


# XML spreadsheets of 2003 ---------------------------------------------------------------------------------------------


def spreadsheet_xml(raw: bytes, budget: Budget) -> list[Sheet]:
    refuse_entities(raw)
    with whole():
        root, styles = xml(raw), {}
        for style in root.iter("{*}Style"):
            code, struck = styles.get(own(style, "Parent"), PLAIN)
            for form in style.iterfind("{*}NumberFormat"):
                code = own(form, "Format")
            font = stated(_attributes(style.iterfind("{*}Font")))
            styles[own(style, "ID")] = code, font.get("struck", struck)
        return [_xml_sheet(e, styles, budget) for e in root.iter("{*}Worksheet")]


def _ranged(e, after: int, span: str = "Span") -> tuple[int, int]:
    """Where a row, column or cell begins, given where the last one ended, and where it ends."""
    start = int(own(e, "Index") or after + 1) - 1
    return start, start + 1 + int(own(e, span) or 0)


def _xml_sheet(sheet, styles: Mapping, budget: Budget) -> Sheet:
    cells, at, below = Cells(budget=budget), 0, 0
    for e in sheet.iter("{*}Column"):
        start, at = _ranged(e, at)
        if own(e, "Hidden") == "1":
            cells.hidden_columns.update(range(start, min(at, MAX_COLUMNS)))
    for e in sheet.iter("{*}Row"):
        r, end = _ranged(e, below)
        if r < below:
            raise Refused("corrupt", CORRUPT)
        below, right = end, 0
        cells.hidden_rows.update([r] * (own(e, "Hidden") == "1"))
        for cell in e.iter("{*}Cell"):
            c, right = _ranged(cell, right, "MergeAcross")
            down = int(own(cell, "MergeDown") or 0)
            cells.merged.append((r, c, r + down, right - 1))
            style = styles.get(own(cell, "StyleID") or "Default", PLAIN)
            _xml_cell(cells, r, c, cell, *style)
    hidden = sheet.find(".//{*}Visible") is not None
    return cells.sheet(own(sheet, "Name"), hidden=hidden)


def _xml_cell(cells: Cells, r: int, c: int, cell, code: str, struck: bool) -> None:
    for note in cell.iterfind("{*}Comment"):
        cells.comments[r, c] = cut("".join(note.itertext()).strip())
    if (data := cell.find("{*}Data")) is None:
        return cells.put(r, c, NO_RESULT if own(cell, "Formula") else "")
    value = typed(own(data, "Type"), "".join(data.itertext()))
    if isinstance(value, str):
        value = []
        pieces(data, {}, _tagged, value)
    return cells.put(r, c, value, code, struck)


def _tagged(e, around: dict, out: list[Run]) -> None:
    pieces(e, around | TAGS.get(local(e).lower(), {}), _tagged, out)


# old workbooks --------------------------------------------------------------------------------------------------------

_OLD_KINDS = {"WordDocument": "Word 文档(.doc)", "PowerPoint Document": "演示文稿(.ppt)"}


def ole(raw: bytes, budget: Budget) -> Opened:
    import msoffcrypto

    encrypted = False
    with suppress(Exception):  # whether it is a workbook at all is for the readers to say
        encrypted = msoffcrypto.OfficeFile(io.BytesIO(raw)).is_encrypted()
    if encrypted:
        raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。")
    for name, kind in _OLD_KINDS.items():
        if name.encode("utf-16-le") in raw:
            raise Refused("unsupported", f"这是旧版{kind},请另存为 .docx 或 .xlsx 后报送。")
    return xls(raw, budget)


_SECOND = "第一种读法读不出,已换用第二种;数字格式没有核对,请另存为 xlsx 后报送。"


def xls(raw: bytes, budget: Budget) -> Opened:
    """An old workbook: xlrd first; where it fails or its strings are garbage (another code page than declared), calamine."""
    second = [("second_reader", "warning", "", "", _SECOND)]
    for read, problems in ((_xlrd, []), (_calamine, second)):
        fault = Refused("mojibake", GARBLED)
        try:
            with whole():
                sheets = read(raw, budget)
        except Refused as e:
            fault = e
            continue
        texts = (v for s in sheets for row in s.rows for v in row if isinstance(v, str))
        if not any(re.search(r"[\x00-\x08\x0e-\x1f]", v) or latin_mojibake(v) for v in texts):
            return Opened("xls", "", sheets, problems)
    raise fault


def _calamine(raw: bytes, budget: Budget) -> list[Sheet]:
    import python_calamine as pc

    book, out = pc.CalamineWorkbook.from_filelike(io.BytesIO(raw)), []
    for meta in book.sheets_metadata:
        if meta.typ == pc.SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(meta.name)
            merged = [(*a, *b) for a, b in sheet.merged_cell_ranges or ()]
            rows = sheet.to_python(skip_empty_area=False)
            budget.spend(cells=sum(map(len, rows)))
            hidden = meta.visible != pc.SheetVisibleEnum.Visible
            cells = Cells(rows=rows, merged=merged, budget=budget)
            out.append(cells.sheet(meta.name, hidden=hidden))
    return out


def _xlrd(raw: bytes, budget: Budget) -> list[Sheet]:
    how = dict(formatting_info=True, ragged_rows=True, logfile=io.StringIO())
    book = xlrd.open_workbook(file_contents=raw, **how)
    return [_old_sheet(book, s, budget) for s in book.sheets()]


def _old_sheet(book: xlrd.Book, s: xlrd.sheet.Sheet, budget: Budget) -> Sheet:
    merged = [(a, c, b - 1, d - 1) for a, b, c, d in s.merged_cells]
    cells = Cells(merged=merged, budget=budget, mode=bool(book.datemode))
    for r in range(s.nrows):
        for c, cell in enumerate(s.row(r)):
            value, kind = cell.value, cell.ctype
            if value == "":
                continue
            if kind == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#ERR")
            elif kind == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            xf = book.xf_list[cell.xf_index]
            if marks := s.rich_text_runlist_map.get((r, c)):
                fonts = [(0, xf.font_index), *marks, (len(value), 0)]
                value = [_old_run(book, value[at:end], i) for (at, i), (end, _) in pairwise(fonts)]
            code = book.format_map[xf.format_key].format_str
            if kind == xlrd.XL_CELL_DATE:
                code = code or "yyyy/m/d"  # of a numbered format
            struck = bool(book.font_list[xf.font_index].struck_out)
            cells.put(r, c, value, code, struck)
    cells.comments.update({(n.rowx, n.colx): cut(n.text) for n in s.cell_note_map.values()})
    cells.hidden_rows.update(i for i, info in s.rowinfo_map.items() if info.hidden)
    cells.hidden_columns.update(i for i, info in s.colinfo_map.items() if info.hidden)
    return cells.sheet(s.name, hidden=s.visibility != 0)


def _old_run(book: xlrd.Book, text: str, font: int) -> Run:
    font = book.font_list[font]
    return Run(text, bool(font.struck_out), bool(font.escapement))
