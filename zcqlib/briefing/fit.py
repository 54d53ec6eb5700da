"""Text that fits: what a cell can hold, how wide it is, how wide the columns of a table are; templates and workbooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, pairwise, zip_longest
from pathlib import Path

import numpy as np
import xlsxwriter

from zcqlib import quantity
from zcqlib.tables import ZcqError

AS_TEXT = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers")
CELL = 1.5  # letters that the margins of a cell take
# settings of the cells of a workbook; those of * are in each
_STYLES = """
* : font_name 微软雅黑; font_size 10; valign vcenter
text : text_wrap; border 1; border_color #D5DAE0; quote_prefix
centre : text_wrap; border 1; border_color #D5DAE0; align center
digits0 : num_format #,##0; border 1; border_color #D5DAE0
digits1 : num_format #,##0.0; border 1; border_color #D5DAE0
digits2 : num_format #,##0.00; border 1; border_color #D5DAE0
key : font_color #5B6775; font_size 8; shrink; border 1; border_color #D5DAE0
head : text_wrap; align center; bold; bg_color #14284B; font_color white; border 1
fill : text_wrap; border 1; border_color #D5DAE0; locked 0; bg_color #FFFBE6; num_format @
title : bold; font_size 16
line : valign vcenter
guide : text_wrap
right : font_color #5B6775; font_size 9; align right
plain : valign vcenter
words : quote_prefix
percent : num_format 0.0#%
date : num_format yyyy-mm-dd
warning : bg_color #FAE3C0
error : bg_color #F3B8A8; bold
"""


def settings(text: str) -> dict[str, dict]:
    """Settings by name, from lines such as `head : bold; font_size 16`."""
    out = {}
    for name, _, told in (line.partition(" : ") for line in text.strip().split("\n")):
        pairs = (setting.partition(" ") for setting in told.split("; "))
        out[name] = {k: int(v) if v.isdigit() else v or True for k, _, v in pairs}
    return out


STYLES = settings(_STYLES)


class TemplateError(ZcqError):
    """A template that lacks what a page needs."""


def opened(make: Callable, template: Path):
    """A template as a library opens it.

    Raises
    ------
    TemplateError : it cannot be opened.
    """
    try:
        return make(str(template))
    except Exception as e:  # each library has its own errors for a broken file
        kind = template.suffix.lstrip(".")
        raise TemplateError(f"模板 {template.name} 打不开({e})。请换用完好的 {kind} 文件。") from e


def clean(text: str, width: int = 0) -> str:
    """Text that any XML and any cell can hold: control characters and lone surrogates go; cut to `width` with …."""
    text = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+", " ", str(text)).strip()
    return text[: width - 1] + "…" if width and len(text) > width else text


def cell_text(text: str) -> str:
    """Text of a chart's embedded cell: neither formula nor address, by a full-width sign in place of the first one."""
    text = re.sub(r"^(\w+):", lambda m: m.group(1) + "\uff1a", text)
    return chr(ord(text[0]) + 0xFEE0) + text[1:] if text and text[0] in "=+-@{" else text


def letters(text: str) -> float:
    """Width of a text in Chinese letters; beside a Latin one stands a quarter of a space."""
    mixed = sum(a.isascii() != b.isascii() for a, b in pairwise(text))
    return sum((1 if c in "%<>" else 0.57) if c.isascii() else 1 for c in text) + 0.25 * mixed


def cell_lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell of so many letters, margins included."""
    return max(1, -int(-letters(text) // (width - CELL)))


def column_widths(rows: Sequence[Sequence[str]], room: float) -> list[float]:
    """Letters for each column of a table: whole for the short ones, the long ones share what is left."""
    longest = [max(map(letters, column)) for column in zip(*rows, strict=True)]
    caps = np.arange(max(longest), 2, -0.5)
    widths = (np.minimum(longest, cap) + CELL for cap in caps)
    return next((list(w) for w in widths if w.sum() <= room), [3 + CELL] * len(longest))


def shared(room: int, weights: Sequence[float]) -> list[int]:
    """Whole parts of a room by weight."""
    return [int(room * w / sum(weights)) for w in weights]


def decimals(values: Iterable[float], most: int) -> int:
    """How many decimals the values need, at most so many."""
    return max((len(f"{v:.{most}f}".rstrip("0").partition(".")[2]) for v in values), default=0)


def workbook(out, title: str) -> tuple[xlsxwriter.Workbook, Callable]:
    """A workbook in which all text stays text, and the same content gives the same bytes; and what gives the format of
    some STYLES together."""
    book = xlsxwriter.Workbook(out, {"in_memory": True} | dict.fromkeys(AS_TEXT, False))
    book.set_properties({"created": datetime(2000, 1, 1), "title": title})

    @cache
    def form(*names: str):
        told = (STYLES[name].items() for name in ("*", *names))
        return book.add_format(dict(chain(*told)))

    return book, form


def sheet(
    book,
    form: Callable,
    name: str,
    said: Sequence[str],
    columns: Mapping[str, float],
    rows: Iterable[Sequence],
    kinds: Mapping[str, str],
    code: str = "",
    marks: Sequence[str] = (),
    paper: int = 9,
):
    """A locked sheet for print: what is said first, the heads, and rows as high as their words need; filters stay free.

    Parameters
    ----------
    said : the title and other lines above the heads. columns : head → width. rows : texts and numbers, NaN where there
    is none. kinds : head → style, of words. code : at the right of the title. marks : of each row another style.
    """
    out, head = book.add_worksheet(name), len(said)
    for j, width in enumerate(columns.values()):
        out.set_column(j, j, width)
    out.protect("", dict.fromkeys(("autofilter", "format_columns", "format_rows"), True))
    out.freeze_panes(head + 1, 1)
    out.set_landscape()
    out.set_paper(paper)
    out.fit_to_pages(1, 0)
    out.repeat_rows(head)
    title, *more = map(quantity.typeset, said)
    out.write(0, 0, title, form("title"))
    out.write(0, len(columns) - 1, code, form("right"))
    out.write_column(1, 0, more, form("line"))
    out.set_row(0, 28)
    out.write_row(head, 0, columns, form("head"))
    out.set_row(head, 32)
    last = head
    for last, (row, *mark) in enumerate(zip_longest(rows, *[marks] * bool(marks)), head + 1):
        digits = decimals((v for v in row if not isinstance(v, str) and v == v), 2)
        lines = 1.0
        for j, (column, value) in enumerate(zip(columns, row, strict=True)):
            kind, value = f"digits{digits}", quantity.NONE if value != value else value
            if isinstance(value, str):
                kind, value = kinds[column], clean(value)
                if "text_wrap" in STYLES[kind]:
                    lines = max(lines, 2 * letters(value) / columns[column])
            out.write(last, j, value, form(*mark, kind))
        out.set_row(last, 15 * -int(-lines // 1) + 3)
    out.autofilter(head, 0, max(last, head + 1), len(columns) - 1)
    return out
