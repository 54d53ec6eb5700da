"""Pages to slides: native charts with their workbook, the finding as title, Latin and East-Asian faces on every run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from lxml import etree
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from zcqlib.briefing.fit import (
    TemplateError,
    cell_lines,
    column_widths,
    decimals,
    opened,
    shared,
)
from zcqlib.briefing.pages import Chart, Page
from zcqlib.briefing.passport import CODE, freeze
from zcqlib.quantity import DEMO, lights

TEMPLATE = Path(__file__).with_name("template.pptx")
LATIN, EAST = "Arial", "微软雅黑"
_COLOURS = "14284B 1F2937 5B6775 8A5A00 FFFFFF F3F5F7".split()
NAVY, INK, GREY, DEMO_FILL, WHITE, BAND = map(RGBColor.from_string, _COLOURS)
CHANCES = '[<1]"<1%";[>99]">99%";0"%"'  # chances at the ends as `quantity.chance_number` says them
# placeholders of a title and of the sentences
PLACES = {
    "标题": (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE),
    "正文": (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT),
}


def slides(pages: Sequence[Page], template: Path = TEMPLATE) -> bytes:
    """The pages as a PPTX file; same pages, same bytes.

    Parameters
    ----------
    pages : as `pages.pages` gives them. template : a 16:9 file whose first layout has a title and a body placeholder.
    Returns
    -------
    The file's bytes.
    Raises
    ------
    TemplateError : the template cannot be opened or lacks a placeholder; says which.
    Source
    ------
    各页备注写明来源和读法。
    """
    deck = opened(Presentation, template)
    held = {p.placeholder_format.type for p in deck.slide_layouts[0].placeholders}
    for what, wanted in PLACES.items():
        if held.isdisjoint(wanted):
            raise TemplateError(
                f"模板 {template.name} 的第 1 个版式没有{what}占位符。请在母版视图中补上后再用。"
            )
    for page in pages:
        _slide(deck, page)
    out = io.BytesIO()
    deck.save(out)
    return freeze(out.getvalue())


def _slide(deck, page: Page) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    left, top, bottom = Inches(0.67), Inches(1.45), Inches(6.6)
    wide = full = deck.slide_width - 2 * left
    slide.shapes.title.text_frame.text = page.title
    if page.chart is not None:  # beside the sentences, or where there are none beside the table
        wide = int(full * (0.42 if page.lines else 0.58))
        x = left + wide + int(full * 0.03)
        _chart(slide, page.chart, x, top, left + full - x, bottom - top)
    taken = _body(slide, page.lines, left, top, wide, bottom - top)
    if page.table and not (page.chart and page.lines):
        top += taken
        _table(slide, page.table, left, top, wide, bottom - top)
    _foot(slide, page, left, full)
    slide.notes_slide.notes_text_frame.text = f"怎么读:{page.about.reading}\n{page.note}"
    for root in (slide._element, slide.notes_slide._element):
        faces(root)


def _body(slide, lines: Sequence[str], x, y, w, room) -> int:
    """The sentences in the largest type that fits; the height that they take."""
    body = next(p for p in slide.placeholders if p.placeholder_format.type in PLACES["正文"])
    if not lines:
        body._element.getparent().remove(body._element)
        return 0

    def height(size: float) -> int:
        rows = sum(cell_lines(line, w / Pt(size)) for line in lines)
        return rows * Pt(1.3 * size) + Pt(8) * len(lines)

    size = next((s for s in (18, 16, 14, 13, 12) if height(s) <= room), 11)
    body.left, body.top, body.width, body.height = x, y, w, int(height(size) + Pt(8))
    body.text_frame.text = "\n".join(lines)
    for p in body.text_frame.paragraphs:
        p.space_after = Pt(8)
        for run in p.runs:
            run.font.size = Pt(size)
    return body.height


def _foot(slide, page: Page, left, full) -> None:
    """The mark of made-up data, source and date, and the page's code with its link."""
    aside, wide = Inches(1.05) * (DEMO in page.note), Inches(2.2)
    if aside:
        _filled(_small(slide, DEMO, left, Inches(0.9), WHITE, PP_ALIGN.CENTER).fill, DEMO_FILL)
    _small(slide, page.note, left + aside, full - wide - aside, GREY, PP_ALIGN.LEFT)
    code = _small(slide, page.code, left + full - wide, wide, GREY, PP_ALIGN.RIGHT)
    if page.link:
        code.text_frame.paragraphs[0].runs[0].hyperlink.address = page.link


def _small(slide, text: str, x, wide, colour: RGBColor, align):
    box = slide.shapes.add_textbox(x, Inches(6.88), wide, Inches(0.26))
    frame = box.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.word_wrap, frame.text, frame.paragraphs[0].alignment = True, text, align
    run = frame.paragraphs[0].runs[0]
    run.font.size, run.font.color.rgb = Pt(10.5), colour
    return box


def _filled(fill, colour: RGBColor) -> None:
    fill.solid()
    fill.fore_color.rgb = colour


def _chart(slide, chart: Chart, *box: int) -> None:
    known = [v for _, v in chart.bars if v is not None]
    digits, unit = decimals(known, 4), chart.unit.replace('"', "")
    form = "#,##0" + "." * bool(digits) + "0" * digits + f'"{unit}"'
    data = CategoryChartData(number_format=form)
    data.categories = [c for c, _ in chart.bars]
    data.add_series(chart.name, [v for _, v in chart.bars])
    c = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *box, data).chart
    c.has_legend = c.has_title = False
    c.font.size, c.font.color.rgb = Pt(14 if len(chart.bars) <= 8 else 11), INK
    plot, category, value = c.plots[0], c.category_axis, c.value_axis
    plot.gap_width, plot.has_data_labels, plot.vary_by_categories = 70, True, False
    labels = plot.data_labels
    labels.number_format = CHANCES if chart.limit else form
    labels.number_format_is_linked, labels.position = False, XL_LABEL_POSITION.OUTSIDE_END
    category.reverse_order, category.format.line.color.rgb = True, GREY
    value.visible = value.has_major_gridlines = False
    value.minimum_scale, value.maximum_scale = min([0.0, *known]), chart.limit
    (bars,) = plot.series
    _filled(bars.format.fill, NAVY)
    for i, colour in enumerate(chart.colours):
        _filled(bars.points[i].format.fill, RGBColor.from_string(colour))
    faces(c._chartSpace)


def _table(slide, rows: Sequence[Sequence[str]], x, y, w, room) -> None:
    """A native table in the largest type with which its wrapped rows fit into the room."""
    for size in (14, 12, 11, 10, 9, 8):
        letters = column_widths(rows, w / Pt(size))
        lines = sum(max(map(cell_lines, r, letters)) for r in rows)
        if Pt(size * 1.4 * lines + 6 * len(rows)) <= room:
            break
    height = Pt(size * 1.4 + 6)
    table = slide.shapes.add_table(len(rows), len(rows[0]), x, y, w, height * len(rows)).table
    for column, wide in zip(table.columns, shared(w, letters), strict=True):
        column.width = wide
    shades = {r.mark: RGBColor.from_string(r.text) for r in lights().rows if r.mark}
    for i, (own, texts) in enumerate(zip(table.rows, rows, strict=True)):
        own.height = height
        for cell, text in zip(own.cells, texts, strict=True):
            cell.text, cell.margin_top, cell.margin_bottom = text, Pt(2), Pt(2)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            _filled(cell.fill, (BAND, WHITE)[i % 2] if i else NAVY)
            for run in cell.text_frame.paragraphs[0].runs:
                run.font.size, run.font.bold = Pt(size), not i
                run.font.color.rgb = shades.get(text[:1], INK) if i else WHITE


def faces(root) -> None:
    """Set the Latin and the East-Asian face on every run and on every text property of an element."""
    for run in root.iter(qn("a:r")):
        run.get_or_add_rPr()
    for properties in list(root.iter(*map(qn, ("a:rPr", "a:defRPr", "a:endParaRPr")))):
        latin = properties.get_or_add_latin()
        latin.set("typeface", LATIN)
        latin.addnext(etree.Element(qn("a:ea"), typeface=EAST))


def read_slides(content: bytes) -> dict[str, list[str]]:
    """Every text and chart value of each page, by code: from the shapes, the notes and the chart."""
    out: dict[str, list[str]] = {}
    for number, slide in enumerate(Presentation(io.BytesIO(content)).slides, 1):
        texts = [p.text for p in slide.notes_slide.notes_text_frame.paragraphs]
        texts += [t for shape in slide.shapes for t in _texts(shape)]
        codes = [t for t in texts if CODE.fullmatch(t)]
        if len(codes) != 1:
            raise TemplateError(
                f"幻灯片第 {number} 页应有一个编号,找到 {len(codes)} 个,不能核对数字。"
            )
        out[codes[0]] = [t for t in texts if t and t != codes[0]]
    return out


def _texts(shape) -> list[str]:
    """The paragraphs, rows or values of a shape."""
    if shape.has_text_frame:
        return [p.text for p in shape.text_frame.paragraphs]
    if shape.has_table:
        return ["|".join(cell.text for cell in row.cells) for row in shape.table.rows]
    plots = shape.chart.plots if shape.has_chart else ()
    return [
        f"{s.name}|{c}|{v:g}"
        for plot in plots
        for s in plot.series
        for c, v in zip(plot.categories, s.values, strict=True)
        if v is not None
    ]
