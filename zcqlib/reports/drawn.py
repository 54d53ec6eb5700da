"""Tables that are drawn among text, in web pages and Word documents, to sheets: only what is displayed is text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import html

from zcqlib.reports.books import Parts, attributes, local, part, pieces
from zcqlib.reports.grid import (
    MAX_CELL,
    Budget,
    Refused,
    Sheet,
    remember,
)
from zcqlib.reports.shown import TAGS, Cells, Run, stated

DRAWN = 5  # times what a cell costs in a workbook: nobody draws a million
_LINE = Run("\n")


class _Drawn:
    """The tables of a page, its first line, the text since the last table, and the looks of tags, classes and names."""

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

    def look(self, e, around: dict) -> dict | None:
        """How an element looks, None where it is not displayed."""
        tag = e.tag
        if tag in _OUT or "hidden" in e.attrib:
            return None
        names = [*(f".{c}" for c in e.get("class", "").split()), f"#{e.get('id')}"]
        said = dict(TAGS.get(tag, {}))
        for name in (tag, *names, *(tag + n for n in names)):
            said |= self.styles.get(name.lower(), {})
        said |= _css(e.get("style", ""))
        if tag in ("td", "th"):
            said.pop("raised", None)  # where in its cell a text stands
        told = {look for look, yes in said.items() if yes}
        return None if "hidden" in told else around | dict.fromkeys(told, True)

    def flow(self, e, around: dict, out: list[Run]) -> None:
        """The text of an element and of what it holds, piece by piece; tables are set apart."""
        if (look := self.look(e, around)) is not None:
            out += [_LINE] * (e.tag in _BEGUN)
            if e.tag == "table":
                self.table(e, look, out)
            else:
                pieces(e, look, self.flow, out)
            out += [_LINE] * (e.tag in _ENDED)

    def inside(self, e, look: dict, *names: str) -> Iterator[tuple]:
        """Rows or cells of one table, whatever holds them, with their looks; without those of tables in it."""
        for child in e:
            if (seen := self.look(child, look)) is None:
                continue
            if child.tag in names:
                yield child, seen
            elif child.tag not in _APART:
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
            c = _span(row, "before", 0)
            for cell, seen_too in self.inside(row, seen, "td", "th"):
                while until.get(c, -1) >= r:
                    c += 1
                wide, last = _span(cell, "colspan"), r + _span(cell, "rowspan") - 1
                self.budget.spend(cells=(DRAWN - 1) * wide)
                runs = []
                pieces(cell, seen_too, self.flow, runs)
                # a table in the next cell may be named by this one
                self.around[:] = [*self.around[-50:], *runs[:50], _LINE]
                if "on" in cell.attrib and c in tops:  # goes on with the one above
                    cells.merged[tops[c]] = (*cells.merged[tops[c]][:2], r, c + wide - 1)
                else:
                    cells.put(r, c, runs)
                    tops[c] = len(cells.merged)
                    cells.merged.append((r, c, last, c + wide - 1))
                    until |= dict.fromkeys(range(c, c + wide), last)
                c += wide
        lines = "".join(x.text for x in said if not x.struck).split("\n")
        lines = [" ".join(x.split())[:MAX_CELL] for x in lines if x.strip()]
        if number == 0:
            self.first = lines[:1]
        over = (x for x in self.first + lines[-3:-1] if len(x) <= 40 and x[-1] not in "。;；")
        title = "\n".join(dict.fromkeys([*over, *lines[-1:]]))
        self.sheets[number] = cells.sheet(f"表{number + 1}", title=title)
        self.around.clear()


def _span(e, name: str, otherwise: int = 1) -> int:
    """How many columns or rows an element says."""
    said = e.get(name, "").strip()[:9]
    return min(max(int(said), 1), 500) if said.isdecimal() else otherwise


@remember
def _css(rules: str) -> dict[str, bool]:
    return stated(re.findall(r"([\w-]+)\s*:\s*([^;]*)", rules.lower()))


_OUT = set("script style noscript template head title datalist select".split())
_OUT |= set("moveFrom rPr pPr tblPr tblGrid trPr tcPr sdtPr sdtEndPr Fallback".split())
_BEGUN = set("p div li center tr br hr caption h1 h2 h3 h4 h5 h6".split())  # with a line end before
_ENDED = _BEGUN - {"br"} | {"par"}
_APART = set("td th table caption par".split())  # what is in no row or cell


def html_sheets(text: str, budget: Budget) -> list[Sheet]:
    """The tables of a web page."""
    budget.spend(letters=len(text))
    page = _Drawn(budget)
    # a <wbr> has no end, which the parser does not know
    text = re.sub(r"^\s*<\?xml[^>]*\?>|<wbr\b[^>]*>", "", text)
    parser = html.HTMLParser(remove_comments=True, remove_pis=True)
    root = html.document_fromstring(re.sub(r"[ \t\r\n]+", " ", text).strip() or "<html/>", parser)
    for sheet in root.iter("style"):
        rules = re.sub(r"/\*.*?\*/|<!--|-->", "", sheet.text or "")
        for names, what in re.findall(r"([^{}]+)\{([^{}]*)\}", rules):
            for name in map(str.strip, names.lower().split(",")):
                page.styles[name] = page.styles.get(name, {}) | _css(what)
    return page.read(root)


# Word documents as pages ----------------------------------------------------------------------------------------------

_TAGS = {"tbl": "table", "tr": "tr", "tc": "td", "p": "par", "r": "span", "style": "style"}
_WRITTEN = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-"}
# what properties say of an element, and in which words of a page
_SAID = """
rPr/rStyle     class
pPr/pStyle     class
trPr/gridBefore before
trPr/del       hidden
trPr/hidden    hidden
tcPr/cellDel   hidden
tcPr/gridSpan  colspan
"""
_SAID = [line.split() for line in _SAID.strip().splitlines()]


def docx(parts: Parts, budget: Budget) -> list[Sheet]:
    """The tables of a document; deleted, moved and hidden text and empty forms are not displayed."""
    page, root = _Drawn(budget), _plain(parts, "word/document.xml")
    for e in 3 * [
        *_plain(parts, "word/styles.xml").iter("style")
    ]:  # one may be based on a later one
        based = page.styles.get(f".{_said(e, 'basedOn')}".lower(), {})
        page.styles[f".{attributes(e)['styleid']}".lower()] = based | _css(e.get("style", ""))
    for form in root.iterfind(".//sdtPr/showingPlcHdr/../.."):
        for e in form.iter("t"):  # what is to be filled in, and nothing yet
            e.text = ""
    return page.read(root)


def _said(e, path: str) -> str:
    """What a property says, "on" where it only stands there, "" where it does not."""
    found = e.find(path)
    return "" if found is None else attributes(found).get("val", "on")


def _plain(parts: Parts, path: str):
    """A part of a document in the words of a page, its text only where it is displayed."""
    root = part(parts, path)
    for e in root.iter():
        e.tag, e.tail = local(e), None
        e.text = e.text if e.tag == "t" else _WRITTEN.get(e.tag)
    for e in root.iter(*_TAGS):
        for path, name in _SAID:
            if (said := _said(e, path)) not in ("", "0", "false"):
                e.set(name, said)
        if _said(e, "tcPr/vMerge") in ("on", "continue"):
            e.set("on", "")
        formats = (f"{p.tag}:{attributes(p).get('val', 'on')}" for p in e.iterfind("rPr/*"))
        e.set("style", ";".join(formats))
        e.tag = _TAGS[e.tag]
    return root
