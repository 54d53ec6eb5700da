"""Text that fits: what a cell can hold, how wide it is, how wide the columns of a table are; templates and workbooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import xlsxwriter

from zcqlib.tables import ZcqError

AS_TEXT = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers")
CELL = 1.5  # letters that the margins of a cell take


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


def decimals(values: Iterable[float], most: int) -> int:
    """How many decimals the values need, at most so many."""
    return max((len(f"{v:.{most}f}".rstrip("0").partition(".")[2]) for v in values), default=0)


def workbook(out, title: str) -> xlsxwriter.Workbook:
    """A workbook in which all text stays text, and the same content gives the same bytes."""
    book = xlsxwriter.Workbook(out, {"in_memory": True} | dict.fromkeys(AS_TEXT, False))
    book.set_properties({"created": datetime(2000, 1, 1), "title": title})
    return book


def styles(text: str) -> dict[str, dict]:
    """Settings of cells by name, from lines such as `head : bold, font_size 16`; those of `*` before it are in each."""
    out: dict[str, dict] = {}
    for line in text.strip().split("\n"):
        name, _, settings = line.partition(" : ")
        pairs = (setting.strip().partition(" ") for setting in settings.split(";"))
        own = {k: int(v) if v.isdigit() else v or True for k, _, v in pairs}
        out[name.strip()] = out.get("*", {}) | own
    return out


def sheet(book, name: str, widths: Iterable[float], head: int, paper: int = 9):
    """A locked sheet for print with columns of some widths and heads in row `head` (from 0); filters stay free."""
    out = book.add_worksheet(name)
    for j, width in enumerate(widths):
        out.set_column(j, j, width)
    out.protect("", dict.fromkeys(("autofilter", "format_columns", "format_rows"), True))
    out.freeze_panes(head + 1, 1)
    out.set_landscape()
    out.set_paper(paper)
    out.fit_to_pages(1, 0)
    out.repeat_rows(head)
    return out
