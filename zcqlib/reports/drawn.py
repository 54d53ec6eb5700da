"""Tables that are drawn among text, in web pages and Word documents, to sheets: only what is displayed is text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from lxml import html

from zcqlib.reports.books import local
from zcqlib.reports.grid import MAX_COLUMNS, Budget, Refused, Sheet, cut, refuse_entities, xml
from zcqlib.reports.shown import Cells, Run

DRAWN = 5  # times what a cell costs in a workbook: nobody draws a million
_LINE = Run("\n")


class _Box(NamedTuple):
    """A cell: its text, and how many columns and rows it takes; `down`, in Word only: restart where cells below may go on
    with it, continue where it goes on with the one above."""

    runs: list[Run]
    wide: int = 1
    high: int = 1
    down: str = ""


class _Drawn:
    """The tables of a document, its first line, the text since the last table, and what is said of styles by name."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.sheets, self.first, self.around, self.styles = budget, [], [], [], {}

    def start(self, out: list[Run]) -> tuple[int, list[Run]]:
        """A new table's number, and the text before it."""
        self.budget.spend(tables=1)
        self.sheets.append(None)
        said = [*([] if out is self.around else self.around), *out]
        self.around.clear()
        return len(self.sheets) - 1, said

    def boxed(self, runs: list[Run]) -> list[Run]:
        """A cell's pieces without the blanks and line ends around them; a table in the next cell may be named by them."""
        self.around[:] = [*self.around[-50:], *runs[:50], _LINE]
        filled = [i for i, x in enumerate(runs) if x.text.strip()]
        return runs[filled[0] : filled[-1] + 1] if filled else []

    def finish(self, number: int, said: list[Run], table: list[list[_Box]]) -> None:
        """Lay out a table; its title is the line before it, and above that up to two short ones and the document's
        first, which are no sentences (a caption, then its unit)."""
        cells, until, down = Cells(self.budget), {}, {}
        for r, boxes in enumerate(table):
            c = 0
            for box in boxes:
                while until.get(c, -1) >= r:
                    c += 1
                self.budget.spend(cells=(DRAWN - 1) * box.wide)
                last = min(r + box.high, len(table)) - 1
                if box.down == "continue" and c in down:
                    cells.merged[down[c]] = (*cells.merged[down[c]][:2], r, c + box.wide - 1)
                else:
                    if box.runs:
                        cells.put(r, c, box.runs)
                    down |= {c: len(cells.merged)} if box.down else {}
                    cells.merged.append((r, c, last, c + box.wide - 1))
                    until |= dict.fromkeys(range(c, c + box.wide), last)
                c += box.wide
            if c:
                cells.place(r, min(c, MAX_COLUMNS) - 1)
        lines = "".join(x.text for x in said if not x.struck).split("\n")
        lines = [cut(" ".join(x.split())) for x in lines if x.strip()]
        self.first.extend(lines[:1] if number == 0 else ())
        over = dict.fromkeys([*self.first, *lines[-3:-1]])
        short = [x for x in over if len(x) <= 40 and not re.search("[。;；]$", x)]
        title = "\n".join(dict.fromkeys(short + lines[-1:]))
        self.sheets[number] = cells.sheet(f"表{number + 1}", title=title)
        self.around.clear()


# web pages ------------------------------------------------------------------------------------------------------------

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?:p[xt])?\s*(?:;|$)",
    re.I,
)
_STRUCK = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.I)
_RAISED = re.compile(r"vertical-align\s*:\s*(?:super|sub)\b", re.I)
_OUT = set("script style noscript template head title datalist select".split())
_BLOCKS = set("p div li center tr br hr caption h1 h2 h3 h4 h5 h6".split())


def html_sheets(text: str, budget: Budget) -> list[Sheet]:
    """Each table of a web page as a sheet, a table within a table as one of its own."""
    budget.spend(letters=len(text))
    page = _Web(budget)
    # a <wbr> has no end, which the parser does not know
    root = html.document_fromstring(
        re.sub(r"^\s*<\?xml[^>]*\?>|<wbr\b[^>]*>", "", text) or "<html/>"
    )
    for sheet in root.iter("style"):
        rules = re.sub(r"/\*.*?\*/|<!--|-->", "", sheet.text or "", flags=re.S)
        for names, what in _RULE.findall(rules):
            for name in (n.strip().lower() for n in names.split(",")):
                page.styles[name] = f"{page.styles.get(name, '')};{what}"
    page.flow(root, Run(""), page.around)
    if not page.sheets:
        raise Refused("no_table", "文件里没有表格,请把数据放进表格后报送。")
    return page.sheets


def _line(text: str | None) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text or "")


class _Web(_Drawn):
    def look(self, e, around: Run) -> Run | None:
        """How the text of an element is displayed; None where it is not."""
        tag = e.tag
        if not isinstance(tag, str) or tag in _OUT or "hidden" in e.attrib:
            return None
        names = [
            *(f".{c}" for c in e.get("class", "").lower().split()),
            f"#{e.get('id', '')}".lower(),
        ]
        said = [self.styles.get(n, "") for n in (tag, *names, *(tag + n for n in names))]
        own = ";".join((*said, e.get("style", "")))
        if _HIDDEN.search(own):
            return None
        lifted = tag in ("sup", "sub") or tag not in ("td", "th") and bool(_RAISED.search(own))
        struck = tag in ("s", "del", "strike") or bool(_STRUCK.search(own))
        return Run("", around.struck or struck, around.raised or lifted)

    def flow(self, e, look: Run, out: list[Run]) -> None:
        """The text of an element and of what it holds, piece by piece; tables are set apart."""
        out.append(look._replace(text=_line(e.text)))
        if e.tag == "input" and e.get("type", "text").lower() in ("text", "number"):
            out.append(look._replace(text=e.get("value", "")))
        for child in e:
            own, block = self.look(child, look), child.tag in _BLOCKS
            out += [_LINE] * block
            if own is not None:
                (self.table if child.tag == "table" else self.flow)(child, own, out)
            out += [_LINE] * (block and child.tag != "br")
            out.append(look._replace(text=_line(child.tail)))

    def rows(self, e, look: Run) -> Iterator[tuple]:
        for child in e:
            own = self.look(child, look)
            if own is not None and child.tag == "tr":
                yield child, own
            elif own is not None and child.tag not in ("td", "th", "table"):
                yield from self.rows(child, own)

    def table(self, e, look: Run, out: list[Run]) -> None:
        number, said = self.start(out)
        for caption in e.iterchildren("caption"):
            self.flow(caption, look, said)
        table = []
        for tr, own in self.rows(e, look):
            table.append([])
            for td in tr.iterchildren("td", "th"):
                if (inner := self.look(td, own)) is not None:
                    spans = (td.get(k, "").strip()[:9] for k in ("colspan", "rowspan"))
                    wide, high = (min(max(int(v), 1), 500) if v.isdigit() else 1 for v in spans)
                    runs = []
                    self.flow(td, inner, runs)
                    table[-1].append(_Box(self.boxed(runs), wide, high))
        self.finish(number, said, table)


# Word -----------------------------------------------------------------------------------------------------------------

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = set(
    "del moveFrom rPr pPr tblPr tblGrid trPr tcPr sdtPr sdtEndPr Fallback instrText delText sectPr".split()
)
Look = tuple[bool | None, bool | None, bool | None]  # struck, raised, hidden; None: not said


def docx(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """Each table of a document as a sheet; deleted, moved and hidden text and empty forms are not displayed."""
    page = _Word(budget)
    if "word/styles.xml" in package.namelist():
        page.inherit(xml(package.read("word/styles.xml")))
    data = package.read("word/document.xml")
    refuse_entities(data)
    body = xml(data).find(f"{_W}body")
    page.flow(() if body is None else body, [], page.around)
    if not page.sheets:
        raise Refused("no_table", "文档里没有表格,请把数据放进表格后报送。")
    return page.sheets


def _val(e, path: str) -> str | None:
    """What a property says, "on" where it only stands there, None where it does not."""
    found = e.find("/".join(_W + p for p in path.split("/"))) if e is not None else None
    return None if found is None else found.get(f"{_W}val", "on")


def _switch(e, *names: str) -> bool | None:
    said = [v not in ("0", "false", "off") for n in names if (v := _val(e, n)) is not None]
    return any(said) if said else None


def _stated(e) -> Look:
    align = _val(e, "vertAlign")
    raised = None if align is None else align in ("superscript", "subscript")
    if (moved := _val(e, "position")) is not None:
        raised = moved != "0"
    return _switch(e, "strike", "dstrike"), raised, _switch(e, "vanish")


def _nearest(looks: list[Look]) -> Look:
    """What is said of each, by the first that says something."""
    return tuple(
        next((v for v in said if v is not None), None) for said in zip(*looks, strict=True)
    )


def _prompting(e) -> bool:
    """A form that shows what is to be filled in, and holds nothing yet."""
    return local(e) == "sdt" and _val(e, "sdtPr/showingPlcHdr") is not None


class _Word(_Drawn):
    def inherit(self, root) -> None:
        """The looks of named styles, each with what it takes from the one that it is based on."""
        own = {e.get(f"{_W}styleId"): e for e in root.iter(f"{_W}style")}
        for name in own:
            chain, at = [], name
            while at in own and at not in chain and len(chain) < 20:
                chain.append(at)
                at = _val(own[at], "basedOn")
            self.styles[name] = _nearest([_stated(own[n].find(f"{_W}rPr")) for n in chain])

    def named(self, e, path: str) -> list[Look]:
        name = _val(e, path)
        return [self.styles[name]] if name in self.styles else []

    def flow(self, e, looks: list[Look], out: list[Run]) -> None:
        """The text of an element, piece by piece, a line end behind each paragraph; tables are set apart."""
        for child in e:
            tag = local(child)
            if tag == "tbl":
                self.table(child, out)
            elif tag == "r":
                self.run(child, looks, out)
            elif tag == "p":
                self.flow(child, self.named(child, "pPr/pStyle"), out)
                out.append(_LINE)
            elif tag not in _UNSEEN and not _prompting(child):
                self.flow(child, looks, out)

    def run(self, e, looks: list[Look], out: list[Run]) -> None:
        own = [_stated(e.find(f"{_W}rPr")), *self.named(e, "rPr/rStyle"), *looks]
        struck, raised, hidden = map(bool, _nearest(own))
        for child in e if not hidden else ():
            tag = local(child)
            if tag == "t" or tag in _WRITTEN:
                out.append(Run(_WRITTEN.get(tag) or child.text or "", struck, raised))
            elif tag == "sym" and (code := child.get(f"{_W}char", "")):
                out.append(Run(chr(int(code, 16)), struck, raised))
            elif tag not in _UNSEEN:  # text boxes
                self.flow([child], looks, out)

    def own(self, e, tag: str, prompting: bool = False) -> Iterator[tuple]:
        """Rows or cells of one table, through content controls and the like, without those of tables in it."""
        for child in e:
            name = local(child)
            if name == tag:
                yield child, prompting
            elif name not in _UNSEEN and name not in ("tbl", "p"):
                yield from self.own(child, tag, prompting or _prompting(child))

    def table(self, e, out: list[Run]) -> None:
        number, said = self.start(out)
        table = []
        for tr, empty in self.own(e, "tr"):
            look = tr.find(f"{_W}trPr")
            if _val(look, "del") is not None or _switch(look, "hidden"):
                continue
            before = _val(look, "gridBefore")
            table.append([_Box([], int(before))] if before else [])
            for tc, blank in self.own(tr, "tc", empty):
                table[-1] += self.box(tc, blank)
        self.finish(number, said, table)

    def box(self, tc, blank: bool) -> list[_Box]:
        look = tc.find(f"{_W}tcPr")
        if _val(look, "cellDel") is not None:
            return []
        down, runs = _val(look, "vMerge"), []
        if not blank and _val(look, "hMerge") in (None, "restart"):
            self.flow(tc, [], runs)
        wide = max(int(_val(look, "gridSpan") or 1), 1)
        return [_Box(self.boxed(runs), wide, down="continue" if down == "on" else down or "")]
