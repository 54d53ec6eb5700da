"""Text that fits: what a cell can hold, how wide it is, how wide the columns of a table are; workbooks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import xlsxwriter

AS_TEXT = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers")
CELL = 1.5  # letters that the margins of a cell take


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
    """Letters for each column of a table: short ones first, then more wherever that saves most lines."""
    longest = [max(map(letters, column)) for column in zip(*rows, strict=True)]
    widths = [min(n, 5) + CELL for n in longest]
    widths = widths if sum(widths) <= room else [min(n, 3) + CELL for n in longest]

    def cost(j: int, more: int) -> float:
        """Lines of all rows if a column were wider; a broken cell counts a little even beside a longer one."""
        tall = [
            [
                cell_lines(t, w + more * (k == j))
                for k, (t, w) in enumerate(zip(r, widths, strict=True))
            ]
            for r in rows
        ]
        return sum(max(r) + 0.3 * sum(r) for r in tall)

    while True:
        steps = [
            ((cost(j, 0) - cost(j, k)) / k, -k, j)
            for j in range(len(widths))
            for k in range(1, 8)
            if sum(widths) + k <= room
        ]
        saved, k, j = max(steps, default=(0.0, 0, 0))
        if saved <= 0:
            return widths
        widths[j] -= k


def workbook(out, title: str) -> xlsxwriter.Workbook:
    """A workbook in which all text stays text, and the same content gives the same bytes."""
    book = xlsxwriter.Workbook(out, {"in_memory": True} | dict.fromkeys(AS_TEXT, False))
    book.set_properties({"created": datetime(2000, 1, 1), "title": title})
    return book
