"""The number passport: where each printed number comes from, and the check that every output prints the same.

Each figure, table and page carries a code. Its passport lists every number on it with value, formula and input cells;
`reconcile` compares what stands in the finished files with the passports, which come from the tables alone.
"""
from __future__ import annotations

import difflib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from zcqlib.tables import ZcqError

_NUMBER = re.compile(r"(?<![A-Za-z0-9])[\u2212]?\d[\d,]*(?:\.\d+)?")
_CODE = re.compile(r"ZCQ-\d{6}-[A-Z]+\d{2}")
_CORE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


class ReconciliationError(ZcqError):
    """Two places print different numbers for one thing."""


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number. `table`, `key` and `column` say where its value stands; derived ones have a formula only."""

    text: str
    value: float
    formula: str
    table: str = ""
    key: tuple[tuple[str, str], ...] = ()
    column: str = ""
    inputs: tuple[tuple[str, str, str, str], ...] = ()  # file, sheet, cell, hash


@dataclass(frozen=True, slots=True)
class Passport:
    """A code with its numbers; `fixed` holds names and dates whose digits are no results.

    `texts` are all texts of the page as computed; empty for a figure, whose axes carry numbers of their own.
    """

    code: str
    title: str
    numbers: tuple[Number, ...]
    fixed: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def code(period: pd.Period, kind: str, number: int) -> str:
    """The visible code: ZCQ-201809-P03; kind P page, F figure, T table."""
    return f"ZCQ-{period.year:04d}{period.month:02d}-{kind}{number:02d}"


def tokens(texts: Iterable[str]) -> set[str]:
    """The numbers in texts, without thousands commas and codes; the same number in any dress is one token."""
    found = (m for text in texts for m in _NUMBER.findall(_CODE.sub(" ", text)))
    return {_plain(m) for m in found}


def _plain(text: str) -> str:
    text = text.replace(",", "")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sources(observations: pd.DataFrame, region: str, indicators: Sequence[str], year: int,
            hashes: Mapping[str, str]) -> tuple[tuple[str, str, str, str], ...]:
    """The input cells of a region's indicators in a year: file, sheet, cell, hash of the file.

    Raises
    ------
    ReconciliationError : a file has no hash.
    """
    o = observations[(observations["region"] == region) & observations["indicator"].isin(list(indicators))
                     & (observations["end"].dt.year == year) & (observations["measure"] == "value")]
    if gone := sorted(set(o["file"]) - set(hashes)):
        raise ReconciliationError(f"输入文件 {gone[0]} 没有哈希,不能追溯。")
    return tuple(sorted({(r.file, r.sheet, r.cell, hashes[r.file]) for r in o.itertuples()}))


def write(passports: Iterable[Passport]) -> bytes:
    """The sidecar, JSON with sorted codes."""
    rows = {p.code: asdict(p) for p in sorted(passports, key=lambda p: p.code)}
    return json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True).encode()


def read(content: bytes) -> dict[str, Passport]:
    """Passports by code from a sidecar.

    Raises
    ------
    ReconciliationError : it is not a sidecar.
    """
    try:
        rows = json.loads(content)
        return {c: Passport(c, p["title"], tuple(Number(**n | {"key": tuple(map(tuple, n["key"])),
                                                               "inputs": tuple(map(tuple, n["inputs"]))})
                                                 for n in p["numbers"]), tuple(p["fixed"]), tuple(p["texts"]))
                for c, p in rows.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise ReconciliationError(f"数字溯源文件已损坏:{e}。请重新运行该月。") from e


def trace(wanted: str, passports: Mapping[str, Passport]) -> str:
    """What `trace CODE` prints: each number with value, formula and input cells.

    Raises
    ------
    ReconciliationError : no such code; names the nearest.
    """
    if wanted not in passports:
        raise ReconciliationError(f"没有编号 {wanted};本月的编号有 {'、'.join(sorted(passports)) or '(无)'}。")
    p = passports[wanted]
    lines = [f"{p.code} {p.title}"]
    for n in p.numbers:
        place = f"{n.table}[{','.join(v for _, v in n.key)}].{n.column}" if n.table else "推算"
        lines.append(f"  {n.text} = {n.value!r} | {place} | {n.formula}")
        lines += [f"      {file} {sheet} {cell} sha256:{sha[:12]}" for file, sheet, cell, sha in n.inputs]
    return "\n".join(lines)


def verify(passports: Iterable[Passport], tables: Mapping[str, pd.DataFrame]) -> None:
    """Compare every number that names its place with the tables as they are now, and one thing's texts with each other.

    Raises
    ------
    ReconciliationError : a row is gone or a value differs; names the page and the place in the table, or both pages.
    """
    seen: dict[tuple, tuple[str, str]] = {}
    for p in passports:
        for n in p.numbers:
            if not n.table:
                continue
            frame, where = tables[n.table], f"{n.table}({','.join(v for _, v in n.key)})的 {n.column}"
            for column, value in n.key:
                frame = frame[frame[column].astype(str) == value]
            if len(frame) != 1:
                raise ReconciliationError(f"{p.code} 印有「{n.text}」,但 {where} 有 {len(frame)} 行。")
            now = float(frame[n.column].iloc[0])
            if now != n.value:
                raise ReconciliationError(f"{p.code} 印有「{n.text}」(值 {n.value!r}),"
                                          f"而 {where} 现为 {now!r},两处不一致。")
            unit = re.sub(r"[\d,.\u2212<>]", "", n.text)
            first = seen.setdefault((n.table, n.key, n.column, unit), (p.code, n.text))
            if _plain(first[1].replace(unit, "")) != _plain(n.text.replace(unit, "")):
                raise ReconciliationError(f"{where} 在 {first[0]} 印作「{first[1]}」,"
                                          f"在 {p.code} 印作「{n.text}」,两处不一致。")


def reconcile(printed: Mapping[str, Mapping[str, Sequence[str]]], passports: Mapping[str, Passport]) -> int:
    """Compare every number in the finished outputs with the passports.

    Parameters
    ----------
    printed : place (a file name) → code → texts found there. passports : by code.
    Returns
    -------
    How many numbers were compared.
    Raises
    ------
    ReconciliationError : an unknown code, or a number that no passport holds; names the output and the table's place.
    Source
    ------
    输出文件读回的文字与数据表逐一比对。
    """
    compared = 0
    for place, pages in printed.items():
        for key, texts in pages.items():
            if key not in passports:
                raise ReconciliationError(f"{place} 中的编号 {key} 没有溯源记录。")
            p = passports[key]
            known = tokens([n.text for n in p.numbers]) | tokens(p.fixed)
            for text in texts:
                strange = sorted(tokens([text]) - known)
                if strange or (p.texts and tokens([text]) and text not in p.texts):
                    raise ReconciliationError(_difference(place, p, text, strange))
                compared += len(tokens([text]))
    return compared


def _difference(place: str, p: Passport, text: str, strange: Sequence[str]) -> str:
    near = difflib.get_close_matches(text, p.texts, 1, 0)
    lost = sorted(tokens(near) - tokens([text]))
    row = next((n for n in p.numbers if n.table and lost and lost[0] in tokens([n.text])), None)
    where = f"{row.table}({','.join(v for _, v in row.key)}).{row.column} 印作「{row.text}」" if row else (
        f"数据表算得「{near[0]}」" if near else "数据表中没有这个数")
    what = f"{place} 的 {p.code} 印有「{text}」" + (f"(其中 {strange[0]})" if strange else "")
    return f"{what},而{where}。两处不一致。"


def complete(p: Passport) -> Passport:
    """The passport, if every number in its texts is explained by one of its numbers.

    Raises
    ------
    ReconciliationError : a number on the page has no origin.
    """
    known = tokens([n.text for n in p.numbers]) | tokens(p.fixed)
    for text in p.texts:
        if strange := tokens([text]) - known:
            raise ReconciliationError(f"{p.code} 的「{text}」中的 {sorted(strange)[0]} 没有来源,不能印出。")
    return p


def freeze(content: bytes) -> bytes:
    """The same package with fixed times, also in packages inside it: same input, same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            data = old.read(name)
            if name.endswith((".xlsx", ".docx", ".pptx")):
                data = freeze(data)
            elif Path(name).name == "core.xml":
                data = _CORE.sub(rb"\g<1>2000-01-01T00:00:00Z", data)
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(info, data)
    return out.getvalue()
