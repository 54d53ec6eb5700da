"""The return sheet (退回单): a sender's own tables with each doubtful cell marked, and one line to reply for each."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain, count, product

import pandas as pd
from xlsxwriter.utility import xl_cell_to_rowcol

from zcqlib import quantity
from zcqlib.briefing import fit
from zcqlib.tables import RETURN_SHEET, RETURN_TITLE

RETURN_NAME = "退回单"
_WIDTHS = "序号 6 文件 30 工作表 14 单元格 9 所报 14 问题 60 参考范围 20 目前怎样处理 26 单位回复 40".split()
WIDTHS = dict(zip(_WIDTHS[::2], map(int, _WIDTHS[1::2]), strict=True))
COLUMNS = tuple(WIDTHS)
SEVERITY = {"error": "错误", "warning": "请核对"}
# what was done meanwhile about a kind of problem; others by severity
_DONE = """
source_disagrees : 按优先次序采用部门数,两个数都保留
cum_mismatch : 当月按所报,差额视为前期修订
withdrawn : 仍用原数
conflict : 两个数都没有采用,等裁定
ytd_decrease : 照所报计算,当月为负数
total_mismatch : 合计和分项都按所报保留
unit_suspect : 数字没有改动
outlier : 数字没有改动
yoy_mismatch : 同比按所报保留,增速按数值另算
unknown_sender : 已读取,报送单位待定
error : 这个数字没有采用
warning : 已采用,等核实
info : 已照规则处理
"""
DONE = dict(line.split(" : ") for line in _DONE.strip().split("\n"))
STYLES = """
* : font_name 微软雅黑; font_size 10; valign vcenter
plain : valign vcenter
words : quote_prefix
title : bold; font_size 16
percent : num_format 0.0#%
date : num_format yyyy-mm-dd
text : text_wrap; border 1; quote_prefix; border_color #D5DAE0
head : bold; bg_color #14284B; font_color white; border 1; align center
fill : text_wrap; border 1; locked 0; bg_color #FFFBE6; num_format @
"""
MARKS = {"": {}, "warning": {"bg_color": "#FAE3C0"}, "error": {"bg_color": "#F3B8A8", "bold": True}}
_PLACE = ["file", "sheet", "cell"]
_MOST = 20_000  # rows of a sheet that go back


def done(code: str, severity: str) -> str:
    """What was done about a problem until the sender replies."""
    return DONE.get(code, DONE[severity])


def handled(problems: pd.DataFrame, replies: pd.DataFrame) -> pd.DataFrame:
    """PROBLEMS as analysts look at them: errors first, with `severity_zh`, `done` and the sender's `reply`."""
    place = ["sender", *_PLACE]
    out = problems[problems["severity"].isin(list(SEVERITY))]
    out = out.sort_values(["severity", *place], kind="stable")
    said = replies.groupby(place)["reply"].agg(";".join).reset_index()
    out = out.merge(said, "left", place).fillna({"reply": ""})
    told = map(done, out["code"], out["severity"])
    return out.assign(severity_zh=out["severity"].map(SEVERITY), done=list(told))


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
    form = {
        (kind, mark): book.add_format(own | more)
        for kind, own in fit.styles(STYLES).items()
        for mark, more in MARKS.items()
    }
    asked, names = _asked(problems, expected), _sheet_names(books)
    title = f"{period.year}年{period.month}月报表{RETURN_TITLE}:{fit.clean(sender)}"
    _reply_table(book, form, asked, title + f"({quantity.DEMO})" * demo)
    for file, sheets in books.items():
        for i, sheet in enumerate(sheets):
            told = asked[asked["file"].eq(file) & asked["sheet"].eq(sheet.name)]
            own = book.add_worksheet(names[file, i])
            _own_table(own, form, sheet, told[told["cell"].ne("")])
            if sheet.hidden:
                own.hide()
    for own in book.worksheets() if demo else ():
        own.set_header(f"&C{quantity.DEMO}")
    book.close()
    return out.getvalue()


def _asked(problems: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Errors, then warnings, in reading order, each with its number and the range expected of its cell."""
    p = problems[problems["severity"].isin(list(SEVERITY))]
    p = p.drop_duplicates([*_PLACE, "code", "message"])
    p = p.assign(at=[xl_cell_to_rowcol(c) if c else (-1, -1) for c in p["cell"]])
    p = p.sort_values(["severity", "file", "sheet", "at", "code", "message"], kind="stable")
    p = p.merge(expected.drop_duplicates(_PLACE), "left", _PLACE)
    span = [
        f"{_plain(low)}至{_plain(high)}{unit}" if low == low else quantity.NONE
        for low, high, unit in zip(p["low"], p["high"], p["unit"], strict=True)
    ]
    told = "【" + p["severity"].map(SEVERITY) + "】" + p["message"]
    return p.assign(number=range(1, len(p) + 1), span=span, told=told)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _sheet_names(books: Mapping[str, Sequence]) -> dict[tuple[str, int], str]:
    """A name that Excel takes for each sheet, as sent where it can be."""
    out, used = {}, {RETURN_SHEET.casefold(), "history"}
    for file, sheets in books.items():
        for i, sheet in enumerate(sheets):
            name = fit.clean(re.sub(r"[\[\]:*?/\\]", "_", sheet.name)).strip("'")[:27] or "报表"
            unique = chain([name], (f"{name}({n})" for n in count(2)))
            out[file, i] = next(u for u in unique if u.casefold() not in used)
            used.add(out[file, i].casefold())
    return out


def _reply_table(book, form: dict, asked: pd.DataFrame, title: str) -> None:
    sheet = fit.sheet(book, RETURN_SHEET, WIDTHS.values(), 3)
    errors = asked["severity"].eq("error").sum()
    said = (
        f"共{len(asked)}处请核对,其中{errors}处数字没有采用。请在最后一列逐条回复(原数无误的说明"
        "原因,有误的写明更正为多少),随下月报表一并报送。"
    )
    more = "需要改数的,请同时在下月报表中更正。后面各表是贵单位的原表,有疑问的格已着色并加批注。"
    for i, (text, kind) in enumerate(((title, "title"), (said, "plain"), (more, "plain"))):
        sheet.write_string(i, 0, text, form[kind, ""])
    sheet.write_row(3, 0, COLUMNS, form["head", ""])
    for i, r in enumerate(asked.itertuples(), 4):
        cells = (*(r.file, r.sheet, r.cell, r.raw, r.told, r.span), done(r.code, r.severity))
        sheet.write_number(i, 0, r.number, form["text", r.severity])
        for j, value in enumerate(cells, 1):
            sheet.write_string(i, j, fit.clean(value, 1000), form["text", ""])
        sheet.write_blank(i, len(COLUMNS) - 1, None, form["fill", ""])
        sheet.set_row(i, 15 * max(2, -(-2 * len(r.message) // WIDTHS["问题"]) + 1))


def _own_table(sheet, form: dict, own, told: pd.DataFrame) -> None:
    """The sender's sheet in its layout and values, with comments on the doubtful cells."""
    marks = {at: list(asked.itertuples()) for at, asked in told.groupby("at")}
    worst = {at: min(m.severity for m in mark) for at, mark in marks.items()}
    covered: set[tuple[int, int]] = set()
    for r0, c0, r1, c1 in own.merged:
        small = 1 < (r1 - r0 + 1) * (c1 - c0 + 1) <= _MOST
        area = set(product(range(r0, r1 + 1), range(c0, c1 + 1))) if small else set()
        if area and not area & covered:
            covered |= area
            sheet.merge_range(r0, c0, r1, c1, "", form["plain", ""])
    values = {(r, c): v for r, row in enumerate(own.rows[:_MOST]) for c, v in enumerate(row)}
    widths: dict[int, float] = {}
    for at, value in (dict.fromkeys(marks) | values).items():
        _write(sheet, at, value, form, worst.get(at, ""), at in own.percent)
        if isinstance(value, str) and at not in covered and len(value) <= 30:
            widths[at[1]] = max(widths.get(at[1], 0), 2 * fit.letters(value))
    for c, width in widths.items():
        sheet.set_column(c, c, min(max(width + 2, 9), 40))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for at, mark in marks.items():
        spans = [f"参考范围:{m.span}。" * (m.span != quantity.NONE) for m in mark]
        lines = [f"第{m.number}条{m.told}{span}" for m, span in zip(mark, spans, strict=True)]
        text = "\n".join([*map(fit.clean, lines), f"请在「{RETURN_SHEET}」回复。"])
        size = dict(author="退回", x_scale=2.4, y_scale=1 + 0.8 * len(lines))
        sheet.write_comment(*at, text[:2000], size)


def _write(sheet, at: tuple[int, int], value: object, form: dict, mark: str, percent: bool) -> None:
    """A value as it was sent; text that a spreadsheet would run stays text."""
    if value is None or value == "":
        if mark:
            sheet.write_blank(*at, None, form["plain", mark])
    elif isinstance(value, date):
        sheet.write_datetime(*at, value, form["date", mark])
    elif isinstance(value, int | float) and math.isfinite(value):
        kind = "percent" if percent and not isinstance(value, bool) else "plain"
        sheet.write(*at, value, form[kind, mark])
    else:
        text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", " ", str(value))
        sheet.write_string(*at, text[:32_000], form["words", mark])
