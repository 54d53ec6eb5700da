"""The return sheet (退回单): a sender's own tables with each doubtful cell marked, and one line to reply for each."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
from xlsxwriter.utility import xl_cell_to_rowcol

from zcqlib import quantity
from zcqlib.briefing import fit
from zcqlib.briefing.passport import freeze
from zcqlib.tables import RETURN_SHEET, RETURN_TITLE

RETURN_NAME = "退回单"
COLUMNS = (
    "序号",
    "文件",
    "工作表",
    "单元格",
    "所报",
    "问题",
    "参考范围",
    "目前怎样处理",
    "单位回复",
)
SEVERITY = {"error": "错误", "warning": "请核对"}
# what was done meanwhile about a kind of problem; others by severity
DONE = {
    "source_disagrees": "按优先次序采用部门数,两个数都保留",
    "cum_mismatch": "当月按所报,差额视为前期修订",
    "withdrawn": "仍用原数",
    "conflict": "两个数都没有采用,等裁定",
    "ytd_decrease": "照所报计算,当月为负数",
    "total_mismatch": "合计和分项都按所报保留",
    "unit_suspect": "数字没有改动",
    "outlier": "数字没有改动",
    "yoy_mismatch": "同比按所报保留,增速按数值另算",
    "unknown_sender": "已读取,报送单位待定",
}
OTHERWISE = {"error": "这个数字没有采用", "warning": "已采用,等核实", "info": "已照规则处理"}
BASE = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter"}
FRAMED = {"text_wrap": True, "border": 1}
FORMS = {
    "plain": {},
    "words": {"quote_prefix": True},
    "title": {"bold": True, "font_size": 16},
    "percent": {"num_format": "0.0#%"},
    "date": {"num_format": "yyyy-mm-dd"},
    "text": FRAMED | {"quote_prefix": True, "border_color": "#D5DAE0"},
    "head": {
        "bold": True,
        "bg_color": "#14284B",
        "font_color": "white",
        "border": 1,
        "align": "center",
    },
    "fill": FRAMED | {"locked": False, "bg_color": "#FFFBE6", "num_format": "@"},
}
MARKS = {"": {}, "warning": {"bg_color": "#FAE3C0"}, "error": {"bg_color": "#F3B8A8", "bold": True}}
_WIDTHS = (6, 30, 14, 9, 14, 60, 20, 26, 40)
_MOST = 20_000  # rows of a sheet that go back


def done(code: str, severity: str) -> str:
    """What was done about a problem until the sender replies."""
    return DONE.get(code, OTHERWISE[severity])


def handled(problems: pd.DataFrame, replies: pd.DataFrame) -> pd.DataFrame:
    """PROBLEMS as analysts look at them: errors first, with `severity_zh`, `done` and the sender's `reply`."""
    place = ["sender", "file", "sheet", "cell"]
    out = problems[problems["severity"].isin(list(SEVERITY))].sort_values(
        ["severity", *place], kind="stable"
    )
    said = replies.groupby(place)["reply"].agg(";".join).reset_index()
    out = out.merge(said, "left", place).assign(severity_zh=lambda p: p["severity"].map(SEVERITY))
    told = [done(c, s) for c, s in zip(out["code"], out["severity"], strict=True)]
    return out.assign(done=told, reply=out["reply"].fillna(""))


def return_sheet(
    sender: str,
    books: Mapping[str, Sequence],
    problems: pd.DataFrame,
    expected: pd.DataFrame,
    period: pd.Period,
    demo: bool = False,
) -> bytes:
    """A sender's doubtful cells as an XLSX file; same input, same bytes; no cell is a formula.

    Parameters
    ----------
    sender : name as printed. books : for each file its sheets (`name`, `rows`, `merged`, `percent`), as received.
    problems : PROBLEMS of this sender and month; only errors and warnings are asked about.
    expected : `file`, `sheet`, `cell`, `low`, `high`, `unit`, as `indicators.check_plausibility` gives it.
    Returns
    -------
    The file's bytes: 回复表 with one line a problem (only 单位回复 can be filled in), then the sheets as they were
    sent, each doubtful cell coloured and commented.
    Source
    ------
    报送单位的原表。
    """
    out = io.BytesIO()
    book = fit.workbook(out, f"{period} {sender} {RETURN_TITLE}")
    made: dict[tuple[str, str], object] = {}

    def style(kind: str, mark: str = ""):
        if (kind, mark) not in made:
            made[kind, mark] = book.add_format(BASE | FORMS[kind] | MARKS[mark])
        return made[kind, mark]

    asked = _asked(problems, expected)
    names = _sheet_names(books)
    _reply_table(book, style, sender, asked, names, period, demo)
    for file, sheets in books.items():
        for i, sheet in enumerate(sheets):
            told = asked[
                (asked["file"] == file) & (asked["sheet"] == sheet.name) & asked["cell"].ne("")
            ]
            own = book.add_worksheet(names[file, i])
            _own_table(own, style, sheet, told)
            if sheet.hidden:
                own.hide()
    if demo:
        for own in book.worksheets():
            own.set_header(f"&C{quantity.DEMO}")
    book.close()
    return freeze(out.getvalue())


def _asked(problems: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Errors, then warnings, in reading order, each with its number and the range expected of its cell."""
    p = problems[problems["severity"].isin(list(SEVERITY))]
    p = p.drop_duplicates(["file", "sheet", "cell", "code", "message"])
    place = p["cell"].map(lambda c: xl_cell_to_rowcol(c) if c else (-1, -1))
    p = p.assign(_place=place).sort_values(
        ["severity", "file", "sheet", "_place", "code", "message"], kind="stable"
    )
    p = p.merge(
        expected.drop_duplicates(["file", "sheet", "cell"]), "left", ["file", "sheet", "cell"]
    )
    span = [
        f"{_plain(low)}至{_plain(high)}{unit}" if low == low else "—"
        for low, high, unit in zip(p["low"], p["high"], p["unit"], strict=True)
    ]
    return p.assign(number=range(1, len(p) + 1), span=span)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _sheet_names(books: Mapping[str, Sequence]) -> dict[tuple[str, int], str]:
    """A name that Excel takes for each sheet, as sent where it can be."""
    out, used = {}, {RETURN_SHEET}
    for file, sheets in books.items():
        for i, sheet in enumerate(sheets):
            name = fit.clean(re.sub(r"[\[\]:*?/\\]", "_", sheet.name)).strip("'")[:27] or "报表"
            number = 2
            unique = name
            while (
                unique.casefold() in {u.casefold() for u in used} or unique.casefold() == "history"
            ):
                unique, number = f"{name}({number})", number + 1
            used.add(unique)
            out[file, i] = unique
    return out


def _reply_table(
    book, style, sender: str, asked: pd.DataFrame, names: dict, period: pd.Period, demo: bool
) -> None:
    sheet = book.add_worksheet(RETURN_SHEET)
    mark = f"({quantity.DEMO})" if demo else ""
    title = f"{period.year}年{period.month}月报表{RETURN_TITLE}:{fit.clean(sender)}{mark}"
    sheet.write_string(0, 0, title, style("title"))
    errors = int((asked["severity"] == "error").sum())
    sheet.write_string(
        1,
        0,
        f"共{len(asked)}处请核对,其中{errors}处数字没有采用。请在最后一列逐条回复(原数无误的说明"
        "原因,有误的写明更正为多少),随下月报表一并报送。",
        style("plain"),
    )
    sheet.write_string(
        2,
        0,
        "需要改数的,请同时在下月报表中更正。后面各表是贵单位的原表,有疑问的格已着色并加批注。",
        style("plain"),
    )
    for j, (name, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
        sheet.write_string(3, j, name, style("head"))
        sheet.set_column(j, j, width)
    for i, r in enumerate(asked.itertuples(), 4):
        cells = (
            r.file,
            r.sheet,
            r.cell,
            r.raw,
            f"【{SEVERITY[r.severity]}】{r.message}",
            r.span,
            done(r.code, r.severity),
        )
        sheet.write_number(i, 0, r.number, style("text", r.severity))
        for j, value in enumerate(cells, 1):
            sheet.write_string(i, j, fit.clean(value, 1000), style("text"))
        sheet.write_blank(i, len(COLUMNS) - 1, None, style("fill"))
        sheet.set_row(i, 15 * max(2, -(-2 * len(r.message) // _WIDTHS[5]) + 1))
    sheet.freeze_panes(4, 1)
    sheet.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(3)


def _own_table(sheet, style, own, told: pd.DataFrame) -> None:
    """The sender's sheet in its layout and values, with comments on the doubtful cells."""
    marks: dict[tuple[int, int], list] = {}
    for r in told.itertuples():
        marks.setdefault(xl_cell_to_rowcol(r.cell), []).append(r)
    rows, covered = own.rows[:_MOST], set()
    for r0, c0, r1, c1 in own.merged:
        small = (r1 - r0 + 1) * (c1 - c0 + 1) <= _MOST
        area = {(r, c) for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)} if small else set()
        if len(area) > 1 and not area & covered:
            covered |= area
            sheet.merge_range(r0, c0, r1, c1, "", style("plain"))
    widths: dict[int, int] = {}
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            mark = marks.get((r, c), ())
            worst = min((m.severity for m in mark), default="")
            _write(sheet, r, c, value, style, worst, (r, c) in own.percent)
            if isinstance(value, str) and (r, c) not in covered and len(value) <= 30:
                widths[c] = max(widths.get(c, 0), sum(2 if ord(ch) > 255 else 1 for ch in value))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for c, width in widths.items():
        sheet.set_column(c, c, min(max(width + 2, 9), 40))
    for (r, c), mark in marks.items():
        if r >= len(rows) or c >= len(rows[r]):
            _write(sheet, r, c, None, style, min(m.severity for m in mark), False)
        _comment(sheet, r, c, mark)


def _comment(sheet, r: int, c: int, mark: Sequence) -> None:
    """What is asked about a cell."""
    lines = [f"第{m.number}条【{SEVERITY[m.severity]}】{m.message}" for m in mark]
    spans = ["" if m.span == "—" else f"参考范围:{m.span}。" for m in mark]
    lines = [fit.clean(a + b) for a, b in zip(lines, spans, strict=True)]
    text = "\n".join([*lines, f"请在「{RETURN_SHEET}」回复。"])
    size = dict(author="自创办", x_scale=2.4, y_scale=1 + 0.8 * len(lines))
    sheet.write_comment(r, c, text[:2000], size)


def _write(sheet, r: int, c: int, value: object, style, mark: str, percent: bool) -> None:
    """A value as it was sent; text that a spreadsheet would run stays text."""
    if value is None or value == "":
        if mark:
            sheet.write_blank(r, c, None, style("plain", mark))
    elif isinstance(value, date):
        sheet.write_datetime(r, c, value, style("date", mark))
    elif isinstance(value, int | float) and math.isfinite(value):
        kind = "percent" if percent and not isinstance(value, bool) else "plain"
        sheet.write(r, c, value, style(kind, mark))
    else:
        text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", " ", str(value))
        sheet.write_string(r, c, text[:32_000], style("words", mark))
