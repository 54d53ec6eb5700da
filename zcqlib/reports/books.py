"""Workbooks, new and old, to sheets: values, what is shown of them, and what stands around them."""

from __future__ import annotations

import io
import math
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from string import ascii_letters

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
    xml,
)
from zcqlib.reports.shown import Cells, Run, sections

CORRUPT = "文件已损坏或没有传完,整份没有采用,请重新导出后报送。"
BACKWARDS = "文件已损坏(行号倒退),请重新导出后报送。"
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
    except (Refused, MemoryError):
        raise
    except Exception as e:
        raise Refused("corrupt", CORRUPT) from e
    except BaseException as e:  # how a failed assumption in Rust code comes out
        if type(e).__name__ != "PanicException":
            raise
        raise Refused("corrupt", CORRUPT) from e


def local(e) -> str:
    """The name of an element without its space, "" of a comment."""
    return e.tag.rpartition("}")[2] if isinstance(e.tag, str) else ""


def stream(raw, *names: str) -> Iterator:
    """The elements of these names in a part of any size, each when it is complete."""
    tags = [f"{{*}}{n}" for n in names]
    for _, e in etree.iterparse(raw, tag=tags, huge_tree=True, remove_comments=True, **SAFE):
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
    parts = {n.lower(): n for n in package.namelist()}
    book = xml(package.read(parts["xl/workbook.xml"]))
    targets = {r.get("Id"): p for r, p in _related(package, parts, "xl/workbook.xml")}
    looks, strings = _looks(package, parts), _strings(package, parts, budget)
    mode = any(_yes(e, "date1904") for e in book.iter("{*}workbookPr"))
    out = []
    for sheet in book.iter("{*}sheet"):
        path = targets.get(_own(sheet, "id"), "")
        if re.search("(?:chart|dialog|macro)sheet", path):
            continue
        path = parts[path]
        budget.spend(tables=1)
        cells = Cells(budget)
        with package.open(path) as raw:
            _Page(cells, looks, strings, mode).read(raw)
        for r, target in _related(package, parts, path):
            if r.get("Type", "").endswith("/comments") and target in parts:
                for note in xml(package.read(parts[target])).iter("{*}comment"):
                    said = "".join(t.text or "" for t in note.iter("{*}t"))
                    cells.comments[xl_cell_to_rowcol(note.get("ref"))] = cut(said)
        out.append(
            cells.sheet(sheet.get("name"), hidden=sheet.get("state", "visible") != "visible")
        )
    return out


def _related(package: zipfile.ZipFile, parts: Mapping[str, str], path: str) -> Iterator[tuple]:
    """What a part refers to: relation, and the other part's name in small letters."""
    folder, name = posixpath.split(path.lower())
    own = parts.get(f"{folder}/_rels/{name}.rels")
    for r in xml(package.read(own)) if own else ():
        target = posixpath.join("/", folder, r.get("Target", "").lower())
        yield r, posixpath.normpath(target).lstrip("/")


def _looks(package: zipfile.ZipFile, parts: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Number format ("" where it shows the plain value) and whether it is struck out, of each style."""
    if "xl/styles.xml" not in parts:
        return [PLAIN]
    root = xml(package.read(parts["xl/styles.xml"]))
    codes = _BUILT_IN | {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter("{*}numFmt")}
    struck = [_struck(font) for font in root.iterfind("{*}fonts/{*}font")]
    out = []
    for xf in root.iterfind("{*}cellXfs/{*}xf"):
        code, font = codes.get(xf.get("numFmtId"), ""), int(xf.get("fontId") or 0)
        out.append(("" if code in ("General", "@") else code, struck[font : font + 1] == [True]))
    return out


def _struck(look) -> bool:
    return any(_yes(e, "val", "1") for e in look.iterfind("{*}strike"))


def _strings(
    package: zipfile.ZipFile, parts: Mapping[str, str], budget: Budget
) -> list[str | list[Run]]:
    """The strings that the sheets share."""
    out = []
    if path := parts.get("xl/sharedstrings.xml"):
        with package.open(path) as raw:
            for si in stream(raw, "si"):
                budget.spend(letters=SHARED)
                out.append(_text(si))
                si.clear()
    return out


SHARED = 50  # letters that a string of its own costs beside those of the cells that show it


def _text(item) -> str | list[Run]:
    """A string, in its pieces where some are struck out or raised; one without a look of its own has its cell's."""
    if len(item) == 1 and item[0].tag[-1] == "t":  # as most are
        return cut(item[0].text or "")
    runs = []
    for e in item.iterchildren("{*}t", "{*}r"):
        look = e.find("{*}rPr")
        text = "".join(t.text or "" for t in e.iter("{*}t"))
        struck = None if look is None else _struck(look)
        raised = any("script" in a.get("val") for a in e.iterfind("{*}rPr/{*}vertAlign"))
        runs.append(Run(text, struck, raised))
    return runs if any(x.struck or x.raised for x in runs) else cut("".join(x.text for x in runs))


PLAIN = "", False  # number format, and whether struck out


class _Page:
    """A sheet of an .xlsx while its rows go by."""

    def __init__(self, cells: Cells, looks: list, strings: list, mode: int) -> None:
        self.cells, self.looks, self.strings, self.mode = cells, looks, strings, mode
        self.zeros = True  # whether they are shown
        # styles of plain figures; a cell without has the first
        self.bare = {str(i) for i, look in enumerate(looks) if look == PLAIN}
        self.bare |= {None} if PLAIN in looks[:1] else set()

    def read(self, raw) -> None:
        r, cells = -1, self.cells
        for e in stream(raw, "row", "col", "sheetView", "mergeCell"):
            match local(e):
                case "row":
                    said = e.get("r") or next((c.get("r") for c in e if c.get("r")), f"{r + 2}")
                    before, r = r, int(said.lstrip(ascii_letters)) - 1
                    if r <= before:
                        raise Refused("corrupt", BACKWARDS)
                    cells.hidden_rows.update([r] * _yes(e, "hidden"))
                    self.row(e, r)
                    e.clear()
                case "col" if _yes(e, "hidden"):
                    last = min(int(e.get("max")), MAX_COLUMNS)
                    cells.hidden_columns.update(range(int(e.get("min")) - 1, last))
                case "sheetView":
                    self.zeros = _yes(e, "showZeros", "1")
                case "mergeCell":
                    first, _, last = e.get("ref", "").partition(":")
                    ends = xl_cell_to_rowcol(first), xl_cell_to_rowcol(last or first)
                    cells.merged.append((*ends[0], *ends[1]))

    def row(self, row, r: int) -> None:
        if not (filled := [(c, e) for c, e in enumerate(row) if len(e)]):
            return
        if self.column(row, row[-1]) != len(row) - 1:  # empty cells are left out
            filled = [(self.column(row, e), e) for _, e in filled]
        self.cells.place(r, max(c for c, _ in filled))
        line, bare = self.cells.rows[r], self.bare if self.zeros else ()
        for c, e in filled:
            if e.get("s") in bare and e.get("t") is None:
                text = e[0].text if e[0].tag[-1] == "v" else None
                if text and len(text) < 20 and math.isfinite(number := float(text)):
                    line[c] = number  # as most are: nothing more to be said
                    continue
            self.cell(r, c, e)

    def column(self, row, e) -> int:
        address = e.get("r")
        return xl_cell_to_rowcol(address)[1] if address else row.index(e)

    def cell(self, r: int, c: int, e) -> None:
        cells, kind, text = self.cells, e.get("t", "n"), e.findtext("{*}v")
        formula, value = e.findtext("{*}f"), ""
        if re.search(r"\[\d+\]|\[[^\]]+\.xls", formula or ""):
            cells.linked.add((r, c))
        code, struck = [*self.looks[int(e.get("s", 0)) :], PLAIN][0]
        if not text:
            for item in e.iterfind("{*}is"):
                value = _text(item)
            if formula is not None and kind != "str":
                value = NO_RESULT
        elif kind == "s":
            value = self.strings[int(text)]
        else:
            value = typed(kind, text)
        if type(value) is float:
            if code and sections(code)[0].kind == "date" and 1 <= value < 2_958_466:
                value = xlrd.xldate_as_datetime(value, self.mode)
            elif value == 0 and not self.zeros:
                cells.held[r, c] = "显示为「空白」,实际存的是 0"
        cells.put(r, c, value, code, struck)


# open documents -------------------------------------------------------------------------------------------------------

_VALUES = {"float", "currency", "percentage"}
_BARE = Run(""), False  # how text looks that nothing is said of, and whether it is hidden
_BETWEEN = {"s": " ", "tab": "\t", "line-break": "\n"}


def _own(e, name: str) -> str:
    """An attribute of whatever space."""
    return next((v for k, v in e.attrib.items() if k.rpartition("}")[2] == name), "")


def _times(e, what: str) -> int:
    return max(int(_own(e, f"number-{what}-repeated") or 1), 1)


def ods(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """Sheets of an open document, which states each cell's value beside its displayed text."""
    looks = {}
    for part in {"styles.xml"} & set(package.namelist()):
        for e in xml(package.read(part)).iter("{*}style"):
            looks[_own(e, "name")] = _styled(e, looks)
    out, cells, r, c = [], Cells(budget), 0, 0
    with package.open("content.xml") as raw:
        for e in stream(raw, "style", "table-column", "table-row", "table"):
            away = _own(e, "visibility") in ("collapse", "filter")
            match local(e):
                case "style":
                    looks[_own(e, "name")] = _styled(e, looks)
                case "table-column":
                    last = min(c + _times(e, "columns"), MAX_COLUMNS)
                    cells.hidden_columns.update(range(c, last) if away else ())
                    c = last
                case "table-row":
                    last = r + _times(e, "rows")
                    if _ods_row(cells, r, last, e, looks) and away:
                        cells.hidden_rows.update(range(r, last))
                    r = last
                    e.clear()
                case "table":
                    budget.spend(tables=1)
                    _, hidden = looks.get(_own(e, "style-name"), _BARE)
                    out.append(cells.sheet(_own(e, "name"), hidden=hidden))
                    cells, r, c = Cells(budget), 0, 0
    return out


def _styled(style, known: Mapping[str, tuple[Run, bool]]) -> tuple[Run, bool]:
    """How text of a style looks, and whether it is not displayed."""
    look, hidden = known.get(_own(style, "parent-style-name"), _BARE)
    for e in style:
        if said := _own(e, "text-line-through-style") or _own(e, "text-line-through-type"):
            look = look._replace(struck=said != "none")
        if said := _own(e, "text-position"):
            look = look._replace(raised=not re.match("0%|normal|100%", said))
        if said := _own(e, "display"):
            hidden = said in ("none", "false")
    return look, hidden


REPEATED = (
    50  # times what a cell costs that is written down: few are repeated, and any number can be
)


def _ods_row(cells: Cells, r: int, last: int, e, looks: Mapping) -> bool:
    """Lay out a row as often as it stands; whether there is anything in it."""
    c, filled = 0, []
    for cell in e.iterchildren("{*}table-cell", "{*}covered-table-cell"):
        n = _times(cell, "columns")
        said = len(cell) or _own(cell, "value-type") or _own(cell, "formula")
        if said and local(cell) == "table-cell":
            cells.budget.spend(cells=REPEATED * ((last - r) * n - 1))
            filled += [(cell, c + i) for i in range(n)]
        c += n
    for i in range(r, last if filled else r):
        for cell, c in filled:
            _ods_cell(cells, i, c, cell, looks)
    return bool(filled)


def _ods_cell(cells: Cells, r: int, c: int, e, looks: Mapping) -> None:
    cells.place(r, c)
    kind, (look, _) = _own(e, "value-type"), looks.get(_own(e, "style-name"), _BARE)

    def how(child, around):
        name = local(child)
        own, hidden = looks.get(_own(child, "style-name"), _BARE)
        if hidden or name not in ("span", "a", "p", *_BETWEEN):
            return None
        look = Run("", own.struck or around.struck, own.raised or around.raised)
        return Run(_BETWEEN[name]) if name in _BETWEEN else look

    runs, texts = [], list(e.iterchildren("{*}p"))
    for p in texts:
        runs += [Run("\n")] * bool(runs)
        pieces(p, look, how, runs)
    for note in e.iterchildren("{*}annotation"):
        cells.comments[r, c] = cut("".join(t for p in note.iter("{*}p") for t in p.itertext()))
    down, right = (int(_own(e, f"number-{k}-spanned") or 1) for k in ("rows", "columns"))
    cells.merged.append((r, c, r + down - 1, c + right - 1))
    if kind in _VALUES and not any(x.struck or x.raised for x in runs):
        text = "".join(x.text for x in runs).strip() if texts else None
        stored = typed("n", _own(e, "value"))
        cells.beside(r, c, stored, text, kind == "percentage")
        return
    value = cells.runs(r, c, runs or [Run(_own(e, "string-value"))])
    if _own(e, "formula") and not kind:
        value = NO_RESULT
    elif kind in ("date", "boolean") and (r, c) not in cells.struck:
        value = typed(kind, _own(e, f"{kind}-value") or value)
    cells.rows[r][c] = value


def pieces(e, look: Run, how, out: list[Run]) -> None:
    """The text of an element piece by piece; `how` says how one within looks, None where it is not displayed."""
    out.append(look._replace(text=look.text + (e.text or "")))
    for child in e:
        if (own := how(child, look)) is not None:
            pieces(child, own, how, out)
        out.append(look._replace(text=child.tail or ""))


# XML spreadsheets of 2003 ---------------------------------------------------------------------------------------------

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_VISIBLE = "{urn:schemas-microsoft-com:office:excel}Visible"
_UNSTYLED = "", False, False


def spreadsheet_xml(raw: bytes, budget: Budget) -> list[Sheet]:
    refuse_entities(raw)
    with whole():
        root = xml(raw)
        styles = {}
        for style in root.iter(f"{_SS}Style"):
            code, struck, raised = styles.get(style.get(f"{_SS}Parent"), _UNSTYLED)
            for form in style.iterfind(f"{_SS}NumberFormat"):
                code = form.get(f"{_SS}Format", "")
            for font in style.iterfind(f"{_SS}Font"):
                struck = _yes(font, f"{_SS}StrikeThrough")
                raised = "script" in font.get(f"{_SS}VerticalAlign", "")
            styles[style.get(f"{_SS}ID")] = code, struck, raised
        return [_xml_sheet(e, styles, budget) for e in root.iter(f"{_SS}Worksheet")]


def _ranged(e, after: int, span: str = "Span") -> tuple[int, int]:
    """Where a row, column or cell begins, given where the last one ended, and where it ends."""
    start = int(e.get(f"{_SS}Index", after + 1)) - 1
    return start, start + 1 + int(e.get(f"{_SS}{span}", 0))


def _xml_sheet(sheet, styles: Mapping, budget: Budget) -> Sheet:
    budget.spend(tables=1)
    cells, at, below = Cells(budget), 0, 0
    for e in sheet.iter(f"{_SS}Column"):
        start, at = _ranged(e, at)
        if _yes(e, f"{_SS}Hidden"):
            cells.hidden_columns.update(range(start, min(at, MAX_COLUMNS)))
    for e in sheet.iter(f"{_SS}Row"):
        r, end = _ranged(e, below)
        if r < below:
            raise Refused("corrupt", BACKWARDS)
        below, right = end, 0
        cells.hidden_rows.update([r] * _yes(e, f"{_SS}Hidden"))
        for cell in e.iter(f"{_SS}Cell"):
            c, right = _ranged(cell, right, "MergeAcross")
            cells.place(r, c)
            cells.merged.append((r, c, r + int(cell.get(f"{_SS}MergeDown", 0)), right - 1))
            style = styles.get(cell.get(f"{_SS}StyleID", "Default"), _UNSTYLED)
            _xml_cell(cells, r, c, cell, *style)
    hidden = sheet.find(f".//{_VISIBLE}") is not None
    return cells.sheet(sheet.get(f"{_SS}Name", ""), hidden=hidden)


def _xml_cell(cells: Cells, r: int, c: int, cell, code: str, struck: bool, raised: bool) -> None:
    for note in cell.iterfind(f"{_SS}Comment"):
        cells.comments[r, c] = cut("".join(note.itertext()).strip())
    if (data := cell.find(f"{_SS}Data")) is None:
        return cells.put(r, c, NO_RESULT if cell.get(f"{_SS}Formula") else "")
    value = typed(data.get(f"{_SS}Type", ""), "".join(data.itertext()))
    if isinstance(value, str):
        value = []
        pieces(data, Run("", None, raised and len(data) == 0), _xml_look, value)
    return cells.put(r, c, value, code, struck)


def _xml_look(e, around: Run) -> Run:
    tag = local(e).lower()
    struck = around.struck or tag in ("s", "del", "strike") or None
    return Run("", struck, around.raised or tag in ("sup", "sub"))


# old workbooks --------------------------------------------------------------------------------------------------------


def ole(raw: bytes, budget: Budget) -> Opened:
    import msoffcrypto

    encrypted = False
    with suppress(Exception):  # whether it is a workbook at all is for the readers to say
        encrypted = msoffcrypto.OfficeFile(io.BytesIO(raw)).is_encrypted()
    if encrypted:
        raise Refused("encrypted", "文件有打开密码,请去掉密码后重新报送。")
    for name, kind in (
        ("WordDocument", "Word 文档(.doc)"),
        ("PowerPoint Document", "演示文稿(.ppt)"),
    ):
        if name.encode("utf-16-le") in raw:
            raise Refused("unsupported", f"这是旧版{kind},请另存为 .docx 或 .xlsx 后报送。")
    return xls(raw, budget)


def xls(raw: bytes, budget: Budget) -> Opened:
    """An old workbook: xlrd first; where it fails or its strings are garbage (another code page than declared), calamine."""
    first = Refused("mojibake", GARBLED)
    try:
        with whole():
            sheets = _xlrd(raw, budget)
        if not _garbled(sheets):
            return Opened("xls", "", sheets, [])
    except Refused as e:
        first = e
    with whole():
        sheets = [c.sheet(name, hidden=hidden) for c, name, hidden in _calamine(raw, budget)]
    if _garbled(sheets):
        raise first
    said = "第一种读法读不出,已换用第二种;数字格式没有核对,请另存为 xlsx 后报送。"
    return Opened("xls", "", sheets, [("second_reader", "warning", "", "", said)])


def _calamine(raw: bytes, budget: Budget) -> Iterator[tuple[Cells, str, bool]]:
    """The cells of each sheet, its name, and whether it is hidden."""
    import python_calamine as pc

    book = pc.CalamineWorkbook.from_filelike(io.BytesIO(raw))
    for meta in book.sheets_metadata:
        if meta.typ == pc.SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(meta.name)
            cells = Cells(budget, sheet.to_python(skip_empty_area=False))
            cells.merged.extend((*a, *b) for a, b in sheet.merged_cell_ranges or ())
            budget.spend(cells=sum(map(len, cells.rows)), tables=1)
            yield cells, meta.name, meta.visible != pc.SheetVisibleEnum.Visible


def _garbled(sheets: list[Sheet]) -> bool:
    texts = [v for s in sheets for r in s.rows for v in r if isinstance(v, str) and v]
    return any(re.search(r"[\x00-\x08\x0e-\x1f]", v) or latin_mojibake(v) for v in texts)


def _xlrd(raw: bytes, budget: Budget) -> list[Sheet]:
    how = dict(formatting_info=True, ragged_rows=True, logfile=io.StringIO())
    book = xlrd.open_workbook(file_contents=raw, **how)
    return [_old_sheet(book, s, budget) for s in book.sheets()]


def _old_sheet(book: xlrd.Book, s: xlrd.sheet.Sheet, budget: Budget) -> Sheet:
    budget.spend(tables=1)
    cells = Cells(budget, merged=[(a, c, b - 1, d - 1) for a, b, c, d in s.merged_cells])
    for r in range(s.nrows):
        for c, cell in enumerate(s.row(r)):
            value = cell.value
            if value == "":
                continue
            if cell.ctype == xlrd.XL_CELL_DATE and 1 <= value < 2_958_466:
                value = xlrd.xldate_as_datetime(value, book.datemode)
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#ERR")
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            xf = book.xf_list[cell.xf_index]
            font = book.font_list[xf.font_index]
            if marks := s.rich_text_runlist_map.get((r, c)):
                value = _old_pieces(book, value, marks, font)
            code = book.format_map[xf.format_key].format_str
            cells.put(r, c, value, "" if code == "General" else code, bool(font.struck_out))
    cells.comments.update({(n.rowx, n.colx): cut(n.text) for n in s.cell_note_map.values()})
    cells.hidden_rows.update(i for i, info in s.rowinfo_map.items() if info.hidden)
    cells.hidden_columns.update(i for i, info in s.colinfo_map.items() if info.hidden)
    return cells.sheet(s.name, hidden=s.visibility != 0)


def _old_pieces(book: xlrd.Book, text: str, marks: list[tuple[int, int]], font) -> list[Run]:
    starts = [(0, font), *((at, book.font_list[i]) for at, i in marks)]
    ends = [at for at, _ in starts[1:]] + [len(text)]
    return [
        Run(text[at:end], bool(f.struck_out), bool(f.escapement))
        for (at, f), end in zip(starts, ends, strict=True)
    ]
