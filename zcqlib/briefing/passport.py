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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from zcqlib.tables import ZcqError

NUMBER = re.compile(r"(?<![A-Za-z0-9])[\u2212]?\d[\d,]*(?:\.\d+)?")
CODE = re.compile(r"ZCQ-\d{6}-[A-Z]+\d{2}(?:-[A-Za-z0-9_]+)?")
_CORE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
Source = tuple[str, str, str, str]  # file, sheet, cells, hash of the file


class ReconciliationError(ZcqError):
    """Two places print different numbers for one thing."""


@dataclass(frozen=True, slots=True)
class Number:
    """A fact on a page: its name (finding/row/column), how it is printed, its value, and what it rests on.

    `inputs` names (`region/indicator`) lists of cells of received files.
    """

    fact: str
    text: str
    value: float
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passport:
    """A code with its numbers.

    `texts` are all texts of the page as computed; of a figure those outside its axes. `stored` where the facts are
    those of the vintage, not of a choice that somebody made.
    """

    code: str
    title: str
    numbers: tuple[Number, ...] = ()
    texts: tuple[str, ...] = ()
    stored: bool = True


def of_facts(facts: pd.DataFrame, keys: Collection[str]) -> tuple[Number, ...]:
    """The FACTS of these keys (finding/row/column) as printed numbers, each with what it rests on."""
    own = facts.set_axis(names(facts))
    return tuple(
        Number(
            f.Index, f.printed, f.value, tuple(dict.fromkeys(map(_cells_of, f.inputs.split(";"))))
        )
        for f in own[own.index.isin(keys)].itertuples()
    )


def names(facts: pd.DataFrame) -> pd.Series:
    """finding/row/column of each row of FACTS."""
    return facts["finding"] + "/" + facts["row"] + "/" + facts["column"]


def _cells_of(row: str) -> str:
    """The name of the cells behind a row of a table, TABLE/region.indicator or PUBLISHED/obs_id."""
    table, _, place = row.partition("/")
    if table == "PUBLISHED":
        return f"published/{place}"
    region, _, indicator = place.partition(".")
    return f"{'target' if table == 'TARGETS' else region}/{indicator}"


def code(period: pd.Period, kind: str, number: int, name: str = "") -> str:
    """The visible code: ZCQ-201809-PF03; P and the meeting's letter a page, F a figure (with its name), T a table."""
    return f"ZCQ-{period.year:04d}{period.month:02d}-{kind}{number:02d}" + (
        f"-{name}" if name else ""
    )


def month_of(wanted: str) -> str:
    """The month of a code, YYYY-MM.

    Raises
    ------
    ReconciliationError : it is not written as a code.
    """
    if not CODE.fullmatch(wanted):
        raise ReconciliationError(
            f"「{wanted}」不是编号,应写成 ZCQ-201809-PF03 这样,印在每张图、表、页的角上。"
        )
    return f"{wanted[4:8]}-{wanted[8:10]}"


def tokens(texts: Iterable[str]) -> set[str]:
    """The numbers in texts, without thousands commas and codes; the same number in any dress is one token."""
    return {t for text in texts for t in sequence(text)}


def sequence(text: str) -> list[str]:
    """The numbers of one text in their order."""
    return [_plain(m) for m in NUMBER.findall(CODE.sub(" ", text))]


def _plain(text: str) -> str:
    text = text.replace(",", "")
    return text.rstrip("0").rstrip(".") if "." in text else text


def gather(cells: Iterable[Source]) -> tuple[Source, ...]:
    """Single cells gathered by file and sheet: (file, sheet, "B4 C4", hash)."""
    held: dict[tuple[str, str, str], dict[str, None]] = {}
    for file, sheet, cell, sha in cells:
        held.setdefault((file, sheet, sha), {})[cell] = None
    return tuple(
        (file, sheet, " ".join(names), sha) for (file, sheet, sha), names in sorted(held.items())
    )


def write(passports: Iterable[Passport]) -> bytes:
    """The sidecar: passports by code; same content, same bytes."""
    rows = {p.code: asdict(p) for p in passports}
    return json.dumps(rows, ensure_ascii=False, indent=0, sort_keys=True).encode()


def read(content: bytes) -> dict[str, Passport]:
    """Passports by code from a sidecar.

    Raises
    ------
    ReconciliationError : it is not a sidecar.
    """
    try:
        rows = {}
        for c, p in json.loads(content).items():
            numbers = (Number(**n | {"inputs": tuple(n["inputs"])}) for n in p["numbers"])
            rows[c] = Passport(**p | {"numbers": tuple(numbers), "texts": tuple(p["texts"])})
        return rows
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise ReconciliationError(f"数字溯源文件已损坏:{e}。请重新运行该月。") from e


def trace(
    wanted: str,
    passports: Mapping[str, Passport],
    cells: Callable[[Iterable[str]], Mapping[str, Iterable[Source]]],
) -> str:
    """What `trace CODE` prints: each number with value, formula and input cells; `cells` gives those of names.

    Raises
    ------
    ReconciliationError : no such code; names the nearest.
    """
    if wanted not in passports:
        near = difflib.get_close_matches(wanted, passports, 5, 0.5) or sorted(passports)[:20]
        raise ReconciliationError(f"没有编号 {wanted};相近的编号有 {'、'.join(near) or '(无)'}。")
    p = passports[wanted]
    lines = [f"{p.code} {p.title}"]
    for n in p.numbers:
        lines.append(f"  {n.text} = {n.value!r} | {n.fact} | 输入:{'、'.join(n.inputs)}")
    for name, of in cells(dict.fromkeys(i for n in p.numbers for i in n.inputs)).items():
        held = [f"  {file} {sheet} {cell} sha256:{sha[:12]}" for file, sheet, cell, sha in of]
        lines += [f"输入 {name}:", *held]
    return "\n".join(lines)


def verify(passports: Iterable[Passport], facts: pd.DataFrame) -> int:
    """Compare every fact on the pages with FACTS as the tables give them now; how many there were.

    Raises
    ------
    ReconciliationError : names the page, the fact and both printed forms.
    """
    numbers = [(p, n) for p in passports if p.stored for n in p.numbers]
    held = zip(facts["value"], facts["printed"], strict=True)
    now = dict(zip(names(facts), held, strict=True))
    for p, n in numbers:
        value, printed = now.get(n.fact, (None, "(没有)"))
        if (value, printed) != (n.value, n.text):
            raise ReconciliationError(
                f"{p.code} 印有「{n.text}」({n.fact},值 {n.value!r}),而按现在的数据表应为"
                f"「{printed}」(值 {value!r}),两处不一致。如数据更新过,请重新运行该月。"
            )
    return len(numbers)


def reconcile(
    printed: Mapping[str, Mapping[str, Sequence[str]]], passports: Mapping[str, Passport]
) -> int:
    """Compare every number in the finished outputs with the passports.

    A sentence may have been reworded by hand, even shortened: its numbers must be those of the sentence it came from,
    in their order. Rows of tables and values of charts (they hold `|`) must be as computed.

    Parameters
    ----------
    printed : place (a file name) → code → texts found there. passports : by code, computed from the tables.
    Returns
    -------
    How many numbers were compared.
    Raises
    ------
    ReconciliationError : an unknown code, or a number that differs; names the output and the table's place.
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
            for text in texts:
                found = sequence(text)
                if found and text not in p.texts:
                    near = next(iter(difflib.get_close_matches(text, p.texts, 1, 0)), "")
                    if "|" in text or not _in_order(found, sequence(near)):
                        raise ReconciliationError(_difference(place, p, text, near))
                compared += len(found)
    return compared


def _in_order(part: Sequence[str], whole: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(t in rest for t in part)


def _difference(place: str, p: Passport, text: str, near: str) -> str:
    lost, strange = sorted(tokens([near]) - tokens([text])), sorted(tokens([text]) - tokens([near]))
    fact = next((n for n in p.numbers if lost and lost[0] in tokens([n.text])), None)
    where = f"数据表算得「{near}」" if near else "数据表中没有这个数"
    where = f"{fact.fact} 印作「{fact.text}」" if fact else where
    what = f"{place} 的 {p.code} 印有「{text}」" + (f"(其中 {strange[0]})" if strange else "")
    return f"{what},而{where}。两处不一致。请改回,或删除该文件后重新生成。"


def complete(p: Passport, fixed: Iterable[str], *founds) -> Passport:
    """The passport, if every number in its texts is explained by one of its numbers, by `fixed` words or by the names
    and heads of the findings, whose digits are no results.

    Raises
    ------
    ReconciliationError : a number on the page has no origin.
    """
    known = tokens([*fixed, *(n.text.lstrip(sign) for n in p.numbers for sign in ("", "+\u2212"))])
    for f in founds:  # 下降0.6 is −0.6
        plain = [c for c, m in f.measures.items() if m.words and not m.of]
        names = f.rows[[*{"label", "at"}.intersection(f.rows), *plain]]
        known |= tokens(
            [*map(str, names.to_numpy().ravel()), *(m.head for m in f.measures.values())]
        )
    for text in p.texts:
        if strange := tokens([text]) - known:
            raise ReconciliationError(
                f"{p.code} 的「{text}」中的 {sorted(strange)[0]} 没有来源,不能印出。"
            )
    return p


def freeze(content: bytes) -> bytes:
    """The same package with fixed times, also in packages inside it: same input, same bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
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
