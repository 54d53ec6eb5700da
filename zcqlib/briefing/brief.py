"""Pages to a Word brief in the manner of an official document: its headings, faces by name with fall-backs."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.table import Table
from docx.text.paragraph import Paragraph

from zcqlib.briefing.fit import TemplateError, clean, column_widths, opened, shared
from zcqlib.briefing.pages import SECTIONS, Page
from zcqlib.briefing.passport import CODE, freeze
from zcqlib.quantity import typeset

TEMPLATE = Path(__file__).with_name("template.docx")
TO = "领导小组："
# what a template marks; DATE may be left out
TITLE, BODY, DATE = "{{标题}}", "{{正文}}", "{{数据截至}}"
# whose faces are the template's
STYLES = "公文标题 公文一级 公文二级 公文正文 公文落款 公文表格 公文编号".split()
SMALL = 11  # pt of a table
_COUNT = [ten + one for ten in ("", "十", "二十", "三十") for one in ("", *"一二三四五六七八九")][
    1:
]


def brief(
    pages: Sequence[Page], title: str, as_of: str = "", template: Path = TEMPLATE, office: str = ""
) -> bytes:
    """The pages as a DOCX file; same pages, same bytes.

    Parameters
    ----------
    pages : as `pages.pages` gives them. title : of the brief, without results. as_of : 数据截至, for the last line.
    template : a file with the STYLES and paragraphs {{标题}} and {{正文}}; all else in it stays. office : that signs.
    Returns
    -------
    The file's bytes.
    Raises
    ------
    TemplateError : the template cannot be opened or lacks a style or a placeholder; says which.
    Source
    ------
    每节末注明来源、数据截至和编号。
    """
    doc = opened(Document, template)
    if gone := sorted({*STYLES} - {style.name for style in doc.styles}, key=STYLES.index):
        raise TemplateError(
            f"模板 {template.name} 缺少样式「{'、'.join(gone)}」。请在模板中补上同名样式。"
        )
    for mark, text in ((DATE, as_of), (TITLE, clean(title)), (BODY, "")):
        held = [p for p in doc.paragraphs if mark in p.text]
        if len(held) != 1 and mark != DATE:
            raise TemplateError(
                f"模板 {template.name} 中「{mark}」出现 {len(held)} 次,应为 1 次。"
                "请在模板中单独成段写上该占位符。"
            )
        for at in held:
            at.text = at.text.replace(mark, typeset(text))
    _parts(doc, at, pages)
    at.insert_paragraph_before(office, "公文落款")
    at._p.getparent().remove(at._p)
    out = io.BytesIO()
    doc.save(out)
    return freeze(out.getvalue())


def _parts(doc, at: Paragraph, pages: Sequence[Page]) -> None:
    """Whom it is for, and the pages by part."""
    at.insert_paragraph_before(TO, "公文正文")
    order, of = list(SECTIONS), lambda page: page.about.part
    parts = groupby(sorted(pages, key=lambda page: order.index(page.section)), of)
    for i, (part, own) in enumerate(parts):
        at.insert_paragraph_before(f"{_COUNT[i]}、{part}", "公文一级")
        for j, page in enumerate(own):
            at.insert_paragraph_before(f"\uff08{_COUNT[j]}\uff09{page.title}", "公文二级")
            _page(doc, at, page)
    last = Paragraph(at._p.getprevious(), doc)  # which never stands alone on a page
    last.paragraph_format.keep_with_next = True


def _page(doc, at: Paragraph, page: Page) -> None:
    """A page's sentences, table and note before a paragraph."""
    for j, line in enumerate(page.lines, 1):
        said = f"{j}\uff0e{line}" if len(page.lines) > 1 else line
        at.insert_paragraph_before(said, "公文正文")
    if page.table:
        at._p.addprevious(_table(doc, page.table)._tbl)
    paragraph = at.insert_paragraph_before(page.note + "\t", "公文编号")
    run = paragraph.add_run(page.code)  # at the right, a link to the page's place in the notebooks
    if page.link:
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), paragraph.part.relate_to(page.link, RT.HYPERLINK, is_external=True))
        run._r.addprevious(link)
        link.append(run._r)


def _table(doc, rows: Sequence[Sequence[str]]) -> Table:
    table = doc.add_table(len(rows), len(rows[0]), "Table Grid")
    section = doc.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    table.autofit, widths = False, shared(room, column_widths(rows, int(room / Pt(SMALL))))
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for i, (own, texts) in enumerate(zip(table.rows, rows, strict=True)):
        about = own._tr.get_or_add_trPr()
        about.append(OxmlElement("w:cantSplit"))
        if i == 0:
            about.append(OxmlElement("w:tblHeader"))
        for cell, width, text in zip(own.cells, widths, texts, strict=True):
            (paragraph,), cell.width = cell.paragraphs, width
            paragraph.style = "公文表格"
            paragraph.add_run(text).bold = True if i == 0 else None
    return table


def read_brief(content: bytes) -> dict[str, list[str]]:
    """Every text of each page, by code, without the numbering that the layout adds; rows of tables joined with `|`.

    Raises
    ------
    TemplateError : a sentence or table that belongs to no page.
    """
    out: dict[str, list[str]] = {}
    waiting: list[str] = []
    for block in Document(io.BytesIO(content)).iter_inner_content():
        if isinstance(block, Table):
            waiting += ["|".join(cell.text for cell in row.cells) for row in block.rows]
        elif block.style.name == "公文编号" and CODE.fullmatch(
            mark := block.text.rpartition("\t")[2]
        ):
            out[mark], waiting = [t for t in (*waiting, block.text.rpartition("\t")[0]) if t], []
        elif block.style.name in ("公文二级", "公文正文", "公文编号"):
            waiting.append(
                re.sub(r"^(?:\uff08[一二三四五六七八九十]\uff09|\d{1,2}\uff0e)", "", block.text)
            )
    if waiting and out:
        raise TemplateError(f"公文末尾的「{waiting[0]}」不属于任何编号,不能核对数字。")
    return out
