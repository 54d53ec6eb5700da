"""Workbooks, new and old, to sheets: values, what is shown of them, and what stands around them."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from itertools import pairwise
from string import digits

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
    latin_mojibake,
    written,
    xml,
)
from zcqlib.reports.shown import TAGS, Cells, Run, stated, told

CORRUPT = "文件已损坏或没有传完,整份没有采用,请重新导出后报送。"
GARBLED = "文字是乱码(编码转换出错),整份文件没有采用,请从原系统重新导出。"
Parts = Mapping[str, bytes]  # of a package, by their names in small letters


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


def attributes(*elements) -> dict[str, str]:
    """What elements say, by names in small letters without their space."""
    return {k.rpartition("}")[2].lower(): v for e in elements for k, v in e.attrib.items()}


def pieces(e, look: dict, how: Callable, out: list[Run]) -> None:
    """The text of an element piece by piece; `how` does so with each element in it, which may look otherwise."""
    out.append(Run(e.text or "", **look))
    for child in e:
        how(child, look, out)
        out.append(Run(child.tail or "", **look))


def stream(raw: bytes, *names: str) -> Iterator:
    """The elements of these names in a part of any size, each when it is complete."""
    tags = [f"{{*}}{n}" for n in names]
    for _, e in etree.iterparse(io.BytesIO(raw), tag=tags, huge_tree=True, **SAFE):
        yield e


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")


def typed(kind: str, text: str) -> object:
    """A value of the type that its file states, by the letter that it begins with; text where it is none such."""
    match kind[:1].lower():
        case "n" | "f" | "c" | "p" if _NUMBER.fullmatch(
            text
        ):  # number, float, currency, percentage
            return float(text)
        case "d":
            with suppress(ValueError):
                return datetime.fromisoformat(text)
        case "b":
            return text in ("1", "true")
    return text


def _yes(e, name: str, otherwise: str = "0") -> bool:
    """Whether an attribute says yes."""
    return e.get(name, otherwise) in ("1", "true")


# workbooks in packages ------------------------------------------------------------------------------------------------

# codes of numbered formats; those of Chinese dates are in no list
_BUILT_IN = dict.fromkeys(map(str, (*range(27, 37), *range(50, 59))), "yyyy/m/d")
_BUILT_IN |= {str(k): code for k, code in xlrd.formatting.std_format_strings.items()}


def xlsx(parts: Parts, budget: Budget) -> list[Sheet]:
    """Sheets of an .xlsx or .xlsm."""
    book, out = part(parts, "xl/workbook.xml"), []
    targets = {r.get("Id"): (kind, path) for r, kind, path in _related(parts, "xl/workbook.xml")}
    looks, strings = _looks(parts), _strings(parts, budget)
    mode = any(_yes(e, "date1904") for e in book.iter("{*}workbookPr"))
    for sheet in book.iter("{*}sheet"):
        kind, path = targets[attributes(sheet)["id"]]
        if kind != "worksheet":
            continue
        cells = Cells(budget=budget, mode=mode)
        _page(cells, parts[path], looks, strings)
        for _, kind, target in _related(parts, path):
            for note in part(parts, target).iter("{*}comment") if kind == "comments" else ():
                said = "".join(t.text or "" for t in note.iter("{*}t"))
                cells.comments[xl_cell_to_rowcol(note.get("ref"))] = said
        out.append(
            cells.sheet(sheet.get("name"), hidden=sheet.get("state", "visible") != "visible")
        )
    return out


def part(parts: Parts, path: str):
    """A small part of a package; an empty one where there is none."""
    return xml(parts.get(path, b"<none/>"))


def _related(parts: Parts, path: str) -> Iterator[tuple]:
    """What a part refers to: relation, its kind, and the other part's name."""
    folder, name = posixpath.split(path)
    for r in part(parts, f"{folder}/_rels/{name}.rels"):
        target = posixpath.normpath(posixpath.join("/", folder, r.get("Target").lower()))
        yield r, posixpath.basename(r.get("Type")), target[1:]


def _font(e) -> dict[str, bool]:
    """How text of a font looks."""
    return stated((local(p), p.get("val", "on")) for p in e)


PLAIN = "", False  # number format, and whether struck out


def _looks(parts: Parts) -> dict[str, tuple[str, bool]]:
    """Number format and whether it is struck out, of each style."""
    root = part(parts, "xl/styles.xml")
    codes = _BUILT_IN | {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter("{*}numFmt")}
    fonts = enumerate(root.iterfind("{*}fonts/{*}font"))
    struck = {str(i): _font(e).get("struck", False) for i, e in fonts}
    return {
        str(i): (codes.get(xf.get("numFmtId"), ""), struck.get(xf.get("fontId"), False))
        for i, xf in enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    }


SHARED = 50  # letters that a string of its own costs beside those of the cells that show it


def _strings(parts: Parts, budget: Budget) -> list[str | list[Run]]:
    """The strings that the sheets share."""
    out = []
    for si in stream(parts.get("xl/sharedstrings.xml", b"<none/>"), "si"):
        budget.spend(letters=SHARED)
        out.append(_text(si))
        si.clear()
    return out


def _text(item) -> str | list[Run]:
    """A string, in its pieces where some are struck out or raised; one without a look of its own has its cell's."""
    runs = []
    for e in item.iterchildren("{*}t", "{*}r"):
        look = {} if (font := e.find("{*}rPr")) is None else {"struck": False} | _font(font)
        runs.append(Run("".join(t.text or "" for t in e.iter("{*}t")), **look))
    return runs if any(x.struck or x.raised for x in runs) else "".join(x.text for x in runs)


@cache
def _column(letters: str) -> int:
    return xl_cell_to_rowcol(f"{letters}1")[1]


def _page(cells: Cells, raw: bytes, looks: Mapping, strings: list) -> None:
    """Lay out a sheet of an .xlsx, row by row."""
    r, zeros = -1, True  # whether they are shown
    for e in stream(raw, "row", "col", "sheetView", "mergeCell"):
        match local(e):
            case "row":
                before, r = r, int(e.get("r", r + 2)) - 1
                if r <= before:
                    raise Refused("corrupt", CORRUPT)
                cells.hidden_rows.update([r] * _yes(e, "hidden"))
                c = -1
                for cell in e:
                    address = cell.get("r")
                    c = _column(address.rstrip(digits)) if address else c + 1
                    if len(cell):
                        _put(cells, r, c, cell, looks, strings)
                        if cells.rows[r][c] == 0 and not zeros:
                            cells.held[r, c] = "显示为「空白」,实际存的是 0"
                e.clear()
            case "col" if _yes(e, "hidden"):
                last = min(int(e.get("max")), MAX_COLUMNS)
                cells.hidden_columns.update(range(int(e.get("min")) - 1, last))
            case "sheetView":
                zeros = _yes(e, "showZeros", "1")
            case "mergeCell":
                ends = [xl_cell_to_rowcol(at) for at in e.get("ref", "").split(":")]
                cells.merged.append(ends[0] + ends[-1])


def _put(cells: Cells, r: int, c: int, e, looks: Mapping, strings: list) -> None:
    kind, found = e.get("t", "n"), {child.tag[-1]: child for child in e}
    text = found["v"].text if "v" in found else ""
    if "f" in found and re.search(r"\[\d+\]|\[[^\]]+\.xls", found["f"].text or ""):
        cells.linked.add((r, c))
    if text:
        value = strings[int(text)] if kind == "s" else typed(kind, text)
    elif "f" in found and kind != "str":
        value = NO_RESULT
    else:
        value = _text(found["s"]) if "s" in found else ""  # of the cell's own: is
    cells.put(r, c, value, *looks.get(e.get("s", "0"), PLAIN))


# open documents, and XML spreadsheets of 2003 -------------------------------------------------------------------------

_BETWEEN = {"s": " ", "tab": "\t", "line-break": "\n"}
_SPOKEN = set("p Data span a B I U S Sup Sub Font Span".split())
# times what a cell costs that is written down: few are repeated, and any number can be
REPEATED = 50


def ods(parts: Parts, budget: Budget) -> list[Sheet]:
    """Sheets of an open document, which states each cell's value beside its displayed text."""
    return described((parts.get("styles.xml", b"<none/>"), parts["content.xml"]), budget)


def _count(said: Mapping, *names: str) -> int:
    """The number that the first of some attributes says, 0 where there is none of them."""
    return int(next((said[n] for n in names if n in said), 0))


def _extent(said: Mapping, after: int) -> tuple[range, int]:
    """The places that a row, column or cell is at, given where the last one ended, and where it ends."""
    start = (_count(said, "index") or after + 1) - 1
    end = start + max(_count(said, "number-rows-repeated", "number-columns-repeated"), 1)
    return range(start, end), end + _count(said, "span", "mergeacross")


def described(raws: tuple[bytes, ...], budget: Budget) -> list[Sheet]:
    """Sheets whose rows, cells and styles are elements: styles come first, then columns, then rows."""
    out, looks, cells, r, c = [], {}, Cells(budget=budget), 0, 0
    names = "style Style table-column Column table-row Row table Worksheet".split()
    for raw in raws:
        for e in stream(raw, *names):
            said = attributes(e)
            hidden = said.get("hidden") == "1" or said.get("visibility") in ("collapse", "filter")
            match local(e).removeprefix("table-").lower():
                case "style":
                    based = said.get("parent-style-name") or said.get("parent")
                    every = attributes(*e.iter())
                    code = {"code": every["format"]} if "format" in every else {}
                    look = looks.get(based, {}) | stated(every.items()) | code
                    looks[said.get("id") or said.get("name")] = look
                case "column":
                    at, c = _extent(said, c)
                    cells.hidden_columns.update(range(at[0], min(c, MAX_COLUMNS)) if hidden else ())
                case "row":
                    at, after = _extent(said, r)
                    if at[0] < r:
                        raise Refused("corrupt", CORRUPT)
                    if _row(cells, at, e, looks) and hidden:
                        cells.hidden_rows.update(at)
                    r = after
                    e.clear()
                case _:
                    look = looks.get(said.get("style-name"), {})
                    away = e.find(".//{*}Visible") is not None or look.get("hidden", False)
                    out.append(cells.sheet(said.get("name", ""), hidden=away))
                    cells, r, c = Cells(budget=budget), 0, 0
    return out


def _row(cells: Cells, rows: range, e, looks: Mapping) -> bool:
    """Lay out a row as often as it stands; whether there is anything in it."""
    c, filled = 0, []
    for cell in e.iterchildren("{*}table-cell", "{*}covered-table-cell", "{*}Cell"):
        said = attributes(cell, *cell.iterchildren("{*}Data"))
        at, c = _extent(said, c)
        if (len(cell) or {"value-type", "formula"} & said.keys()) and "covered" not in cell.tag:
            cells.budget.spend(cells=REPEATED * (len(rows) * len(at) - 1))
            filled += [(i, cell, said) for i in at]
    for r in rows if filled else ():
        for place in filled:
            _cell(cells, r, *place, looks)
    return bool(filled)


def _cell(cells: Cells, r: int, c: int, e, said: Mapping, looks: Mapping) -> None:
    def how(child, around, out):
        name = local(child)
        if name in _BETWEEN:
            out.append(Run(_BETWEEN[name]))
        elif name in _SPOKEN:
            look = (
                around
                | looks.get(attributes(child).get("style-name"), {})
                | TAGS.get(name.lower(), {})
            )
            if not look.pop("hidden", False):
                pieces(child, look, how, out)

    look = dict(looks.get(said.get("style-name") or said.get("styleid", "Default"), {}))
    code, runs = look.pop("code", ""), []
    for p in e.iterchildren("{*}p", "{*}Data"):
        runs += [Run("\n")] * bool(runs)
        how(p, look, runs)
    for note in e.iterchildren("{*}annotation", "{*}Comment"):
        texts = (t for p in note.iter("{*}p", "{*}Data") for t in p.itertext())
        cells.comments[r, c] = "".join(texts).strip()
    down = max(_count(said, "mergedown"), _count(said, "number-rows-spanned") - 1)
    right = max(_count(said, "mergeacross"), _count(said, "number-columns-spanned") - 1)
    cells.merged.append((r, c, r + down, c + right))
    text = "".join(x.text for x in runs) or said.get("string-value", "")
    kind = said.get("value-type") or said.get("type", "")
    stored = map(said.get, ("value", "date-value", "boolean-value"))
    value = typed(kind, next(filter(None, stored), text))
    if "formula" in said and not kind:
        value = NO_RESULT
    elif isinstance(value, str) or any(x.struck or x.raised for x in runs):
        value = runs or text
    elif isinstance(value, float) and "value-type" in said:
        shows = told(value, text or written(value), kind == "percentage")
        value = cells.keep((r, c), value, shows)
    cells.put(r, c, value, code)


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
        try:
            with whole():
                sheets = read(raw, budget)
                texts = (v for s in sheets for row in s.rows for v in row if isinstance(v, str))
                if any(re.search(r"[\x00-\x08\x0e-\x1f]", v) or latin_mojibake(v) for v in texts):
                    raise Refused("mojibake", GARBLED)
                return Opened("xls", "", sheets, problems)
        except Refused as e:
            fault = e
    raise fault


def _calamine(raw: bytes, budget: Budget) -> list[Sheet]:
    import python_calamine as pc

    book, out = pc.CalamineWorkbook.from_filelike(io.BytesIO(raw)), []
    for meta in book.sheets_metadata:
        cells = Cells(budget=budget)
        for row in book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False):
            cells.add(row)
        hidden = meta.visible != pc.SheetVisibleEnum.Visible
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
                value = xlrd.error_text_from_code[value]
            elif kind == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            xf = book.xf_list[cell.xf_index]
            if marks := s.rich_text_runlist_map.get((r, c)):
                fonts = [(0, xf.font_index), *marks, (len(value), 0)]
                value = [_old_run(book, value[at:end], i) for (at, i), (end, _) in pairwise(fonts)]
            code = book.format_map[xf.format_key].format_str
            if kind == xlrd.XL_CELL_DATE:
                code = code or "yyyy/m/d"  # of a numbered format
            cells.put(r, c, value, code, bool(book.font_list[xf.font_index].struck_out))
    cells.comments.update({(n.rowx, n.colx): n.text for n in s.cell_note_map.values()})
    cells.hidden_rows.update(i for i, info in s.rowinfo_map.items() if info.hidden)
    cells.hidden_columns.update(i for i, info in s.colinfo_map.items() if info.hidden)
    return cells.sheet(s.name, hidden=s.visibility != 0)


def _old_run(book: xlrd.Book, text: str, font: int) -> Run:
    font = book.font_list[font]
    return Run(text, bool(font.struck_out), bool(font.escapement))
