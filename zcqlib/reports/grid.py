"""What a received file is to the reader: sheets of plain cells, limits, and the refusal of a whole file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

MAX_ROWS, MAX_COLUMNS = 200_000, 2_000
MAX_CELLS = 1_000_000  # of a file, laid out: what can be accounted for cell by cell in 1.5 GB
MAX_LETTERS, MAX_TABLES, MAX_CELL = 20_000_000, 1_000, 2_000  # of a file; letters of one cell


NO_RESULT = "公式无结果"  # text of a formula that was stored without its result


class Refused(Exception):
    """The file as a whole cannot be used; carries the problem's code, severity and Chinese sentence."""

    def __init__(self, code: str, message: str, severity: str = "error", raw: str = ""):
        super().__init__(code, message, severity, raw)
        self.code, self.message, self.severity, self.raw = code, message, severity, raw


def too_large(what: str) -> Refused:
    return Refused("too_large", f"{what},没有采用。请只报送汇总表,或拆成几个文件后报送。")


class Budget:
    """What one file may still cost, whichever reader spends it: cells laid out (empty ones too), letters, tables."""

    def __init__(self) -> None:
        self.left = {"cells": MAX_CELLS, "letters": MAX_LETTERS, "tables": MAX_TABLES}

    def spend(self, **costs: int) -> None:
        """Count what is about to be laid out.

        Raises
        ------
        Refused : it is more than a file may cost.
        """
        for what, cost in costs.items():
            self.left[what] -= cost
            if self.left[what] < 0:
                far = (
                    f"展开后超过 {MAX_CELLS} 个单元格、{MAX_LETTERS} 个字或 {MAX_TABLES} 张表的上限"
                )
                raise too_large(far)


remember = lru_cache(
    maxsize=65536
)  # of what is asked again and again, such as the meaning of a text
At = tuple[int, int]  # row and column of a cell, from 0


@dataclass(frozen=True)
class Sheet:
    """Cells of one sheet, row by row, ragged; positions count from 0. Empty cells are "" or None.

    `rows` holds what is to be read: the figure or text that a person sees. `merged` ranges are first row, first column,
    last row, last column.
    """

    name: str = ""
    rows: list[list] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    percent: set[At] = field(default_factory=set)
    decimals: dict[At, int] = field(default_factory=dict)
    struck: set[At] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    comments: dict[At, str] = field(default_factory=dict)
    linked: set[At] = field(default_factory=set)
    title: str = ""
    hidden: bool = False
    shown: dict[At, str] = field(default_factory=dict)  # where the text is another
    stored: dict[At, str] = field(default_factory=dict)  # where rows has another figure
    # why what is shown is not what is stored; rows has what is stored
    held: dict[At, str] = field(default_factory=dict)
    long: list[At] = field(default_factory=list)  # texts that were cut


class Opened(NamedTuple):
    """A file's sheets, its true type, its encoding (text only) and problems of the file as (code, severity, cell, raw,
    message)."""

    kind: str
    encoding: str
    sheets: list[Sheet]
    problems: list[tuple[str, str, str, str, str]]
    separator: str = ""


def written(value: float) -> str:
    """A number as plain text."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def latin_mojibake(text: str) -> bool:
    """Letters with accents where Chinese is due: UTF-8 or GBK bytes that were read as Latin."""
    accents = sum("\u00a0" <= c <= "\u024f" and c not in "²³·°±×÷" for c in text)
    return accents >= 4 and accents > sum("\u4e00" <= c <= "\u9fff" for c in text)


SAFE = dict(  # how XML is parsed
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)


def xml(raw: bytes):
    """A small part, parsed."""
    return etree.fromstring(raw, etree.XMLParser(**SAFE))


def refuse_entities(raw: bytes) -> None:
    """Nested or external entities are a way to blow up a small file.

    Raises
    ------
    Refused : there is a document type or an entity at the head of the part.
    """
    head = raw[:10_000].replace(b"\0", b"")
    if b"<!ENTITY" in head or b"<!DOCTYPE" in head:
        raise Refused("too_large", "文件里有嵌套实体定义,出于安全没有读取,请另存为 xlsx 后报送。")
