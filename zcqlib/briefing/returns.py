"""The return sheet (退回单): a sender's own tables with each doubtful cell marked, and one line to reply for each."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from itertools import count

import pandas as pd
from xlsxwriter.exceptions import OverlappingRange
from xlsxwriter.utility import xl_cell_to_rowcol

from zcqlib import quantity
from zcqlib.briefing import fit
from zcqlib.tables import RETURN_SHEET, RETURN_TITLE

RETURN_NAME = "退回单"
_WIDTHS = "序号 6 文件 30 工作表 14 单元格 9 所报 14 问题 60 参考范围 20 目前怎样处理 26 单位回复 40".split()
WIDTHS = dict(zip(_WIDTHS[::2], map(int, _WIDTHS[1::2]), strict=True))
COLUMNS = tuple(WIDTHS)
_LINE, FILLED = "number file sheet cell raw told span done reply".split(), {"单位回复": "fill"}
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
_PLACE = ["file", "sheet", "cell"]
_MOST = 20_000  # rows of a sheet that go back
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def handled(problems: pd.DataFrame, replies: pd.DataFrame) -> pd.DataFrame:
    """PROBLEMS as analysts look at them: errors first, with `severity_zh`, `done` and the sender's `reply`."""
    place = ["sender", *_PLACE]
    out = _doubts(problems).sort_values(["severity", *place], kind="stable")
    said = replies.groupby(place)["reply"].agg(";".join).reset_index()
    return out.merge(said, "left", place).fillna({"reply": ""})


def _doubts(problems: pd.DataFrame) -> pd.DataFrame:
    """Errors and warnings, in words, and what was done about each until the sender replies."""
    p = problems[problems["severity"].isin(list(SEVERITY))]
    then = p["code"].map(DONE).fillna(p["severity"].map(DONE))
    return p.assign(severity_zh=p["severity"].map(SEVERITY), done=then)


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
    book, form = fit.workbook(out, f"{period} {sender} {RETURN_TITLE}")
    asked = _asked(problems, expected)
    title = f"{period.year}年{period.month}月报表{RETURN_TITLE}:{fit.clean(sender)}"
    errors = asked["severity"].eq("error").sum()
    said = (
        title + f"({quantity.DEMO})" * demo,
        f"共{len(asked)}处请核对,其中{errors}处数字没有采用。请在最后一列逐条回复(原数无误的说明"
        "原因,有误的写明更正为多少),随下月报表一并报送。",
        "需要改数的,请同时在下月报表中更正。后面各表是贵单位的原表,有疑问的格已着色并加批注。",
    )
    lines = asked.assign(reply="")[[*_LINE]].itertuples(index=False)
    kinds, marks = dict.fromkeys(WIDTHS, "text"), list(asked["severity"])
    fit.sheet(book, form, RETURN_SHEET, said, WIDTHS, lines, kinds | FILLED, marks=marks)
    for file, sheets in books.items():
        for sheet in sheets:
            told = asked[asked["file"].eq(file) & asked["sheet"].eq(sheet.name)]
            own = book.add_worksheet(_free(book, sheet.name))
            _own_table(own, form, sheet, told[told["cell"].ne("")])
            if sheet.hidden:
                own.hide()
    for own in book.worksheets() if demo else ():
        own.set_header(f"&C{quantity.DEMO}")
    book.close()
    return out.getvalue()


def _asked(problems: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Errors, then warnings, in reading order, each with its number and the range expected of its cell."""
    p = _doubts(problems).drop_duplicates([*_PLACE, "code", "message"])
    p = p.assign(at=[xl_cell_to_rowcol(c) if c else (-1, -1) for c in p["cell"]])
    p = p.sort_values(["severity", "file", "sheet", "at", "code", "message"], kind="stable")
    p = p.merge(expected.drop_duplicates(_PLACE), "left", _PLACE)
    span = [
        f"{_plain(low)}至{_plain(high)}{unit}" if low == low else quantity.NONE
        for low, high, unit in zip(p["low"], p["high"], p["unit"], strict=True)
    ]
    told = "【" + p["severity_zh"] + "】" + p["message"].str[:1000]
    return p.assign(number=range(1, len(p) + 1), span=span, told=told)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _free(book, name: str) -> str:
    """A sheet's name as sent where Excel takes it and no sheet has it yet."""
    name = fit.clean(re.sub(r"[\[\]:*?/\\]", "_", name)).strip("'")[:27] or "报表"
    used = {"history", *map(str.casefold, book.sheetnames)}
    unique = (name + f"({n})" * (n > 1) for n in count(1))
    return next(u for u in unique if u.casefold() not in used)


def _own_table(sheet, form: Callable, own, told: pd.DataFrame) -> None:
    """The sender's sheet in its layout and values, with comments on the doubtful cells."""
    worst = told.groupby("at")["severity"].min().to_dict()
    for r0, c0, r1, c1 in own.merged:
        if 1 < (r1 - r0 + 1) * (c1 - c0 + 1) <= _MOST:
            with suppress(OverlappingRange):
                sheet.merge_range(r0, c0, r1, c1, "", form("plain"))
    values = {(r, c): v for r, row in enumerate(own.rows[:_MOST]) for c, v in enumerate(row)}
    widths: dict[int, float] = {}
    for at, value in (dict.fromkeys(worst) | values).items():
        kind, mark = "words", [worst[at]] if at in worst else []
        if isinstance(value, date):
            kind = "date"
        elif isinstance(value, int | float) and math.isfinite(value):
            kind = "percent" if at in own.percent and not isinstance(value, bool) else "plain"
        elif value:  # text that a spreadsheet would run stays text
            value = _NO_TEXT.sub(" ", str(value))[:32_000]
            if len(value) <= 30:
                widths[at[1]] = max(widths.get(at[1], 9), 2 * fit.letters(value) + 2)
        if mark or value not in (None, ""):
            sheet.write(*at, value, form(kind, *mark))
    for c, width in widths.items():
        sheet.set_column(c, c, min(width, 40))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for at, asked in told.groupby("at"):
        spans = asked["span"].map("参考范围:{}。".format).where(asked["span"].ne(quantity.NONE), "")
        lines = "第" + asked["number"].astype("str") + "条" + asked["told"] + spans
        text = "\n".join([*map(fit.clean, lines), f"请在「{RETURN_SHEET}」回复。"])
        size = dict(author="退回", x_scale=2.4, y_scale=1 + 0.8 * len(lines))
        sheet.write_comment(*at, text[:2000], size)
