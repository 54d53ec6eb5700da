"""The number passport: which facts an output prints, and the check that its file still prints the tables' numbers.

Each figure, page and sheet carries a code. Its passport holds every fact on it; `reconcile` compares what stands in the
finished files with the passports, which come from the tables alone.
"""

from __future__ import annotations

import difflib
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from zcqlib.findings import MAKERS, Found
from zcqlib.tables import ZcqError

NUMBER = re.compile(r"(?<![A-Za-z0-9])[\u2212]?\d[\d,]*(?:\.\d+)?")
CODE = re.compile(r"ZCQ-\d{6}-[A-Z]+\d{2}(?:-[A-Za-z0-9_]+)?")
_CORE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


class ReconciliationError(ZcqError):
    """Two places print different numbers for one thing."""


@dataclass(frozen=True, slots=True)
class Passport:
    """A code with its facts: finding/row/column → as printed, value, and the rows of tables that it rests on.

    `texts` are all texts of the page as computed; of a figure those outside its axes. `stored` where the facts are
    those of the vintage, not of a choice that somebody made.
    """

    code: str
    title: str
    facts: dict[str, list]
    texts: list[str]
    stored: bool = True


def made(
    code: str,
    title: str,
    texts: Iterable[str],
    keys: Collection[str],
    fixed: Iterable[str],
    *founds: Found,
) -> Passport:
    """The passport of what prints these facts of some findings.

    Raises
    ------
    ReconciliationError : a number in its texts that is neither one of these facts nor in `fixed` words, nor in the
    names and heads of the findings, whose digits are no results.
    """
    facts = {k: v for f in founds for k, v in facts_of(f.facts(all_=True), keys).items()}
    stored = all(f.name in MAKERS and not f.chosen for f in founds)
    out = Passport(code, title, facts, list(texts), stored)
    known = [
        *fixed,
        *(text.lstrip(sign) for text, *_ in facts.values() for sign in ("", "+\u2212")),
    ]
    for f in founds:  # 下降0.6 is −0.6
        plain = [c for c, m in f.measures.items() if m.words and not m.of]
        names = f.rows[[*{"label", "at"}.intersection(f.rows), *plain]]
        known += [*map(str, names.to_numpy().ravel()), *(m.head for m in f.measures.values())]
    known = {n for text in known for n in numbers(text)}
    for text in out.texts:
        if strange := set(numbers(text)) - known:
            raise ReconciliationError(f"{code} 的「{text}」中的 {min(strange)} 没有来源,不能印出。")
    return out


def facts_of(facts: pd.DataFrame, keys: Collection[str] | None = None) -> dict[str, list]:
    """FACTS, or those of these keys (finding/row/column), as passports hold them."""
    t = facts.set_axis(facts["finding"] + "/" + facts["row"] + "/" + facts["column"])
    t = t if keys is None else t[t.index.isin(keys)]
    return {key: about for key, *about in t[["printed", "value", "inputs"]].itertuples()}


def code(period: pd.Period, kind: str, number: int, name: str = "") -> str:
    """The visible code: ZCQ-201809-PF03; P and the meeting's letter a page, F a figure (with its name), T a table."""
    return f"ZCQ-{period.strftime('%Y%m')}-{kind}{number:02d}" + f"-{name}" * bool(name)


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


def numbers(text: str) -> list[str]:
    """The numbers of a text in their order, without thousands commas and codes; one number in any dress is the same."""
    found = (m.replace(",", "") for m in NUMBER.findall(CODE.sub(" ", text)))
    return [n.rstrip("0").rstrip(".") if "." in n else n for n in found]


def write(passport: Passport) -> bytes:
    """The file beside a figure; same content, same bytes."""
    return json.dumps(asdict(passport), ensure_ascii=False, indent=0).encode()


def read(content: bytes) -> Passport:
    """A passport from its file.

    Raises
    ------
    ReconciliationError : it is none.
    """
    try:
        return Passport(**json.loads(content))
    except (ValueError, TypeError) as e:
        raise ReconciliationError(f"数字溯源文件已损坏:{e}。请重新运行该月。") from e


def verify(p: Passport, facts: Mapping[str, list]) -> int:
    """Compare every fact of a figure with those that the tables give now; how many there were.

    Raises
    ------
    ReconciliationError : names the figure, the fact and both printed forms.
    """
    for fact, (text, value, _) in p.facts.items() if p.stored else ():
        printed, now, _ = facts.get(fact, ("(没有)", None, ""))
        if (printed, now) != (text, value):
            raise ReconciliationError(
                f"{p.code} 印有「{text}」({fact},值 {value!r}),而按现在的数据表应为"
                f"「{printed}」(值 {now!r}),两处不一致。如数据更新过,请重新运行该月。"
            )
    return len(p.facts)


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
    for place, key, text in (
        (place, key, text)
        for place, pages in printed.items()
        for key, texts in pages.items()
        for text in texts
    ):
        if key not in passports:
            raise ReconciliationError(f"{place} 中的编号 {key} 没有溯源记录。")
        p, found = passports[key], numbers(text)
        compared += len(found)
        if not found or text in p.texts:
            continue
        near = next(iter(difflib.get_close_matches(text, p.texts, 1, 0)), "数据表中没有这个数")
        rest = iter(numbers(near))
        if "|" in text or not all(n in rest for n in found):
            lost = set(numbers(near)).difference(found)
            facts = (k for k, (said, *_) in p.facts.items() if lost.intersection(numbers(said)))
            whose = "".join(f"({k} 印作「{p.facts[k][0]}」)" for k in [*facts][:1])
            raise ReconciliationError(
                f"{place} 的 {key} 印有「{text}」,而数据表算得「{near}」{whose}。两处不一致。"
                "请改回,或删除该文件后重新生成。"
            )
    return compared


def freeze(content: bytes) -> bytes:
    """The same package with fixed times, also in packages inside it: same input, same bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist()):  # [Content_Types].xml first
            data = old.read(name)
            if name.endswith((".xlsx", ".docx", ".pptx")):
                data = freeze(data)
            elif Path(name).name == "core.xml":
                data = _CORE.sub(rb"\g<1>2000-01-01T00:00:00Z", data)
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            new.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
