"""Pages to a Word brief in the manner of an official document: its headings, faces by name with fall-backs."""
from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from zcqlib.briefing.pages import Page
from zcqlib.briefing.passport import freeze
from zcqlib.briefing.slides import TemplateError
from zcqlib.briefing.words import clean, typeset

TEMPLATE = Path(__file__).with_name("template.docx")
LATIN = "Times New Roman"
SECTIONS = {"state": "总体情况", "chances": "目标把握", "open": "需要关注的目标", "parks": "园区情况",
            "ranks": "园区排位", "orders": "任务分解", "stages": "节点推进"}
# style → face, size, fall-backs (a reader without the face takes these), line spacing
STYLES = {"公文标题": ("方正小标宋简体", 22, 34), "公文一级": ("黑体", 16, 28),
          "公文二级": ("楷体_GB2312", 16, 28), "公文正文": ("仿宋_GB2312", 16, 28),
          "公文表格": ("仿宋_GB2312", 11, 15), "公文编号": ("仿宋_GB2312", 10.5, 16)}
FALLBACKS = {"方正小标宋简体": "宋体", "黑体": "SimHei", "楷体_GB2312": "楷体", "仿宋_GB2312": "仿宋"}
_CODE = re.compile(r"ZCQ-\d{6}-P\d{2}")
_COUNT = "一二三四五六七八九十"


def brief(pages: Sequence[Page], title: str, template: Path = TEMPLATE) -> bytes:
    """The pages as a DOCX file; same pages, same bytes.

    Parameters
    ----------
    pages : as `pages.pages` gives them. title : of the brief, without results. template : a file with the STYLES.
    Returns
    -------
    The file's bytes.
    Raises
    ------
    TemplateError : the template cannot be opened or lacks a style; says which.
    Source
    ------
    每节末注明来源、数据截至和编号。
    """
    try:
        doc = Document(str(template))
    except (PackageNotFoundError, KeyError, ValueError, OSError) as e:
        raise TemplateError(f"模板 {template.name} 打不开({e})。请换用完好的 docx 文件。") from e
    if gone := [s for s in STYLES if s not in {x.name for x in doc.styles}]:
        raise TemplateError(f"模板 {template.name} 缺少样式「{'、'.join(gone)}」。请在模板中补上同名样式。")
    doc.add_paragraph(typeset(clean(title)), "公文标题")
    headings = list(dict.fromkeys(p.section for p in pages))
    for number, section in enumerate(headings):
        doc.add_paragraph(f"{_COUNT[number]}、{SECTIONS[section]}", "公文一级")
        for i, page in enumerate(p for p in pages if p.section == section):
            doc.add_paragraph(f"\uff08{_COUNT[i]}\uff09{page.title}", "公文二级")
            for j, line in enumerate(page.lines, 1):
                doc.add_paragraph(f"{j}\uff0e{line}" if len(page.lines) > 1 else line, "公文正文")
            if page.table:
                _table(doc, page.table)
            doc.add_paragraph(page.note, "公文编号")
            doc.add_paragraph(page.code, "公文编号").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for run in doc.element.body.iter(qn("w:r")):
        style = Paragraph(run.getparent(), doc).style.name
        run.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), STYLES[style][0])
    out = io.BytesIO()
    doc.save(out)
    return freeze(out.getvalue())


def _table(doc, rows: Sequence[Sequence[str]]) -> None:
    table = doc.add_table(len(rows), len(rows[0]), "Table Grid")
    section = doc.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    weights = [max(5, min(16, max(len(r[j]) for r in rows))) for j in range(len(rows[0]))]
    table.autofit = False
    for j, weight in enumerate(weights):
        table.columns[j].width = int(room * weight / sum(weights))
    for i, row in enumerate(rows):
        table.rows[i]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for j, text in enumerate(row):
            cell = table.cell(i, j)
            cell.width = int(room * weights[j] / sum(weights))
            cell.paragraphs[0].style, cell.paragraphs[0].text = doc.styles["公文表格"], text
            if i == 0:
                cell.paragraphs[0].runs[0].bold = True
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def make_template() -> bytes:
    """Our own template: A4 with the margins of an official document, styles by name. The shipped file is this one."""
    doc = Document()
    s = doc.sections[0]
    s.page_width, s.page_height = Mm(210), Mm(297)
    s.top_margin, s.bottom_margin, s.left_margin, s.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    for name, (face, size, line) in STYLES.items():
        style = doc.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = doc.styles["Normal"], Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        _face(style, face)
        p = style.paragraph_format
        p.space_before = p.space_after = Pt(0)
        p.line_spacing_rule, p.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)
        if name == "公文标题":
            p.alignment, p.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(28)
        elif name in ("公文一级", "公文二级", "公文正文"):
            p.first_line_indent = Pt(2 * size)
        if name in ("公文一级", "公文二级"):
            p.keep_with_next = True
    _face(doc.styles["Normal"], "仿宋_GB2312")
    _page_number(s.footer.paragraphs[0])
    fonts = doc.part.part_related_by(RT.FONT_TABLE)
    root = etree.fromstring(fonts.blob)
    for face, other in FALLBACKS.items():
        font = etree.SubElement(root, qn("w:font"))
        font.set(qn("w:name"), face)
        etree.SubElement(font, qn("w:altName")).set(qn("w:val"), other)
        etree.SubElement(font, qn("w:charset")).set(qn("w:val"), "86")
    fonts._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    out = io.BytesIO()
    doc.save(out)
    return freeze(out.getvalue())


def _face(style, face: str) -> None:
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for slot, value in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", face)):
        fonts.set(qn(f"w:{slot}"), value)


def _page_number(paragraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run("— ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)
    paragraph.add_run(" —")


def read_brief(content: bytes) -> dict[str, list[str]]:
    """Every text of each page, by code, without the numbering that the layout adds.

    Raises
    ------
    TemplateError : text after the last code, which belongs to no page.
    """
    out: dict[str, list[str]] = {}
    waiting: list[str] = []
    doc = Document(io.BytesIO(content))
    for block in doc.iter_inner_content():
        if isinstance(block, Table):
            waiting += [cell.text for row in block.rows for cell in row.cells]
        elif isinstance(block, Paragraph) and _CODE.fullmatch(block.text):
            out[block.text], waiting = [t for t in waiting if t], []
        elif block.style.name in ("公文二级", "公文正文", "公文编号"):
            waiting.append(re.sub(r"^(?:\uff08[一二三四五六七八九十]\uff09|\d{1,2}\uff0e)", "", block.text))
        elif block.style.name not in ("公文标题", "公文一级"):
            waiting.append(block.text)
    if waiting and out:
        raise TemplateError(f"公文末尾的「{waiting[0]}」不属于任何编号,不能核对数字。")
    return out
