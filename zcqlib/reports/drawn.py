"""Tables that are drawn among text, in web pages and Word documents, to sheets: only what is displayed is text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

from lxml import html

from zcqlib.reports.books import local, own, part, pieces
from zcqlib.reports.grid import (
    MAX_COLUMNS,
    Budget,
    Refused,
    Sheet,
    cut,
    refuse_entities,
    remember,
    xml,
)
from zcqlib.reports.shown import TAGS, Cells, Run, stated

DRAWN = 5  # times what a cell costs in a workbook: nobody draws a million
_LINE = Run("\n")


class _Drawn:
    """The tables of a document, its first line, the text since the last table, and the looks of styles by name.

    A kind of document says how its elements look (None: not displayed), and what its cells take up.
    """

    before = after = apart = (
        frozenset()
    )  # with a line end before, behind; what is in no row or cell

    def __init__(self, budget: Budget) -> None:
        self.budget, self.sheets, self.first, self.around, self.styles = budget, [], [], [], {}

    def read(self, root) -> list[Sheet]:
        """Each table as a sheet, a table within a table as one of its own.

        Raises
        ------
        Refused : there is none.
        """
        self.flow(root, {}, self.around)
        if not self.sheets:
            raise Refused("no_table", "文件里没有表格,请把数据放进表格后报送。")
        return self.sheets

    def flow(self, e, around: dict, out: list[Run]) -> None:
        """The text of an element and of what it holds, piece by piece; tables are set apart."""
        if (look := self.look(e, around)) is not None:
            out += [_LINE] * (e.tag in self.before)
            if e.tag in ("table", "tbl"):
                self.table(e, look, out)
            else:
                pieces(e, look, self.flow, out)
            out += [_LINE] * (e.tag in self.after)

    def inside(self, e, look: dict, *names: str) -> Iterator[tuple]:
        """Rows or cells of one table, whatever holds them, with their looks; without those of tables in it."""
        for child in e:
            if (seen := self.look(child, look)) is None:
                continue
            if child.tag in names:
                yield child, seen
            elif child.tag not in self.apart:
                yield from self.inside(child, seen, *names)

    def table(self, e, look: dict, out: list[Run]) -> None:
        """Lay out a table; its title is the line before it, and above that up to two short ones and the document's
        first, which are no sentences (a caption, then its unit)."""
        cells, number, until, tops = Cells(budget=self.budget), len(self.sheets), {}, {}
        self.sheets.append(None)
        said = [*(() if out is self.around else self.around), *out]
        self.around.clear()
        for caption in e.iterchildren("caption"):
            self.flow(caption, look, said)
        for r, (row, seen) in enumerate(self.inside(e, look, "tr")):
            c = int(_said(row, "trPr/gridBefore") or 0)
            for cell, seen_too in self.inside(row, seen, "td", "th", "tc"):
                while until.get(c, -1) >= r:
                    c += 1
                wide, high = self.spans(cell)
                self.budget.spend(cells=(DRAWN - 1) * wide)
                runs = []
                pieces(cell, seen_too, self.flow, runs)
                # a table in the next cell may be named by this one
                self.around[:] = [*self.around[-50:], *runs[:50], _LINE]
                if not high and c in tops:
                    cells.merged[tops[c]] = (*cells.merged[tops[c]][:2], r, c + wide - 1)
                else:
                    cells.put(r, c, runs)
                    tops[c], last = len(cells.merged), r + max(high, 1) - 1
                    cells.merged.append((r, c, last, c + wide - 1))
                    until |= dict.fromkeys(range(c, c + wide), last)
                c += wide
            if c:
                cells.place(r, min(c, MAX_COLUMNS) - 1)
        lines = "".join(x.text for x in said if not (x.struck or x.hidden)).split("\n")
        lines = [cut(" ".join(x.split())) for x in lines if x.strip()]
        self.first.extend(lines[:1] if number == 0 else ())
        over = dict.fromkeys([*self.first, *lines[-3:-1]])
        short = [x for x in over if len(x) <= 40 and not re.search("[。;；]$", x)]
        title = "\n".join(dict.fromkeys(short + lines[-1:]))
        self.sheets[number] = cells.sheet(f"表{number + 1}", title=title)
        self.around.clear()


# web pages ------------------------------------------------------------------------------------------------------------

_OUT = set("script style noscript template head title datalist select".split())


def html_sheets(text: str, budget: Budget) -> list[Sheet]:
    """The tables of a web page."""
    budget.spend(letters=len(text))
    page = _Web(budget)
    # a <wbr> has no end, which the parser does not know
    text = re.sub(r"^\s*<\?xml[^>]*\?>|<wbr\b[^>]*>", "", text)
    parser = html.HTMLParser(remove_comments=True, remove_pis=True)
    root = html.document_fromstring(re.sub(r"[ \t\r\n]+", " ", text).strip() or "<html/>", parser)
    for sheet in root.iter("style"):
        rules = re.sub(r"/\*.*?\*/|<!--|-->", "", sheet.text or "")
        for names, what in re.findall(r"([^{}]+)\{([^{}]*)\}", rules):
            for name in names.lower().split(","):
                page.styles[name.strip()] = page.styles.get(name.strip(), {}) | _css(what)
    return page.read(root)


@remember
def _css(rules: str) -> dict[str, bool]:
    return stated(re.findall(r"([\w-]+)\s*:\s*([^;]*)", rules.lower()))


class _Web(_Drawn):
    before = set("p div li center tr br hr caption h1 h2 h3 h4 h5 h6".split())
    after = before - {"br"}
    apart = {"td", "th", "table", "caption"}

    def look(self, e, around: dict) -> dict | None:
        tag = e.tag
        if tag in _OUT or "hidden" in e.attrib:
            return None
        if tag == "input" and e.get("type", "text").lower() in ("text", "number"):
            e.text = e.get("value")
        names = [*(f".{c}" for c in e.get("class", "").split()), f"#{e.get('id')}"]
        said = TAGS.get(tag, {})
        for name in (tag, *names, *(tag + n for n in names)):
            said = said | self.styles.get(name.lower(), {})
        said = said | _css(e.get("style", ""))
        if said.get("hidden"):
            return None
        kept = {k for k, yes in said.items() if yes} - (
            {"raised"} if tag in ("td", "th") else set()
        )
        return around | dict.fromkeys(kept, True)

    def spans(self, cell) -> tuple[int, int]:
        spans = (cell.get(k, "").strip()[:9] for k in ("colspan", "rowspan"))
        return tuple(min(max(int(v), 1), 500) if v.isdigit() else 1 for v in spans)


# Word -----------------------------------------------------------------------------------------------------------------

_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = set("del moveFrom rPr pPr tblPr tblGrid trPr tcPr sdtPr sdtEndPr Fallback sectPr".split())
_GONE = {"tr": ("trPr/del", "trPr/hidden"), "tc": ("tcPr/cellDel",)}


def docx(package: zipfile.ZipFile, budget: Budget) -> list[Sheet]:
    """The tables of a document; deleted, moved and hidden text and empty forms are not displayed."""
    page = _Word(budget)
    page.inherit(_plain(part(package, "word/styles.xml")))
    data = part(package, "word/document.xml")
    refuse_entities(data)
    root = _plain(data)
    for form in root.iterfind(".//sdtPr/showingPlcHdr/../.."):
        for e in form.iter("t"):  # what is to be filled in, and nothing yet
            e.text = ""
    return page.read(root)


def _plain(raw: bytes):
    """A part of a document without spaces of names, its text only where it is displayed."""
    root = xml(raw)
    for e in root.iter():
        e.tag, e.tail = local(e), None
        e.text = e.text if e.tag == "t" else _WRITTEN.get(e.tag)
        if e.tag == "sym":
            e.text = chr(int(own(e, "char") or "20", 16))
    return root


def _said(e, path: str) -> str | None:
    """What a property says, "on" where it only stands there, None where it does not."""
    found = e.find(path)
    return None if found is None else own(found, "val") or "on"


class _Word(_Drawn):
    after, apart = {"p"}, {"tbl", "p", "tc"}

    def inherit(self, root) -> None:
        """The looks of named styles, each with what it takes from the one that it is based on."""
        styles = {own(e, "styleId"): e for e in root.iter("style")}

        def look(name, depth=0):
            if name not in styles or depth == 20:
                return {}
            e = styles[name]
            return look(_said(e, "basedOn"), depth + 1) | _formatted(e)

        self.styles = {name: look(name) for name in styles}

    def look(self, e, around: dict) -> dict | None:
        match e.tag:
            case "p":
                return self.styles.get(_said(e, "pPr/pStyle"), {})
            case "r":
                return around | self.styles.get(_said(e, "rPr/rStyle"), {}) | _formatted(e)
        gone = any(_said(e, p) not in (None, "0", "false") for p in _GONE.get(e.tag, ()))
        return None if gone or e.tag in _UNSEEN else around

    def spans(self, cell) -> tuple[int, int]:
        """Columns of a cell, and rows: none where it goes on with the one above."""
        if _said(cell, "tcPr/hMerge") not in (None, "restart"):
            cell.clear()
        wide = max(int(_said(cell, "tcPr/gridSpan") or 1), 1)
        return wide, _said(cell, "tcPr/vMerge") not in ("on", "continue")


def _formatted(e) -> dict[str, bool]:
    return stated((p.tag, own(p, "val") or "on") for p in e.iterfind("rPr/*"))
