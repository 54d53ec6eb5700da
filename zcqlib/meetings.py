"""What a month gives to its meetings: slides, brief and ledger on disk, and the check that they print the tables' numbers.

`export` writes, `check` reads everything back (a file changed by hand too) and compares it with the tables, `trace`
says where the numbers of one code come from.
"""

from __future__ import annotations

import difflib
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zcqlib import findings, lineage, quantity
from zcqlib.briefing import brief, ledger, pages, passport, slides
from zcqlib.briefing.pages import SECTIONS, agendas
from zcqlib.briefing.passport import Passport, ReconciliationError
from zcqlib.month import Month
from zcqlib.tables import MissingData
from zcqlib.workspace import digest, note, write_atomic

ROLE = re.compile(r"""role\(["'](\w+)["']\)""")  # in the cell of one target
# a line of text in a drawing, which is stored as outlines
DRAWN = re.compile("<!-- (.*?) -->|<rdf:li>(.*?)</rdf:li>|<title>(.*?)</title>", re.S)


READERS = {
    ".pptx": slides.read_slides,
    ".docx": brief.read_brief,
    ".xlsx": ledger.read_ledger,
}


class Export(NamedTuple):
    """What was written for a meeting: `files`; `kept`, those changed by hand, which stay; how many numbers agreed."""

    files: tuple[Path, ...]
    kept: tuple[Path, ...]
    pages: tuple[pages.Page, ...]
    compared: int

    def summary(self) -> str:
        """The pages with links to their cells in the HTML edition, and the files, in Markdown."""
        lines = [
            f"- [{p.code}]({p.link}) {p.title}" if p.link else f"- {p.code} {p.title}"
            for p in self.pages
        ]
        names = "、".join(p.name + "(有手工改动,未覆盖)" * (p in self.kept) for p in self.files)
        told = f"文件(briefing 文件夹):{names};核对{self.compared}个数字,全部一致。"
        return "\n".join([*lines, "", told])


def _links(month: Month) -> dict[str, str]:
    """Section → place of its cell in the HTML edition, seen from the folder of the briefing."""
    found, indicators = {}, month.catalog.indicators.values()
    for path in sorted((month.workspace.root / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        for cell in _code(path):
            source = "".join(cell["source"])
            course = "figures.course(" in source and "controls." not in source
            roles = ROLE.findall(source) if course else ()
            shown = [s.id for s in SECTIONS.values() if s.cell in source]
            for section in (*shown, *(f"open/{i.id}" for i in indicators if i.role in roles)):
                found.setdefault(section, f"../html/{path.stem}.html#cell-id={cell['id']}")
    return found


def export(month: Month, meeting: str = "fortnight") -> Export:
    """Write slides, brief and ledger of a meeting into the month's folder and read them back.

    What other meetings got earlier is brought up to date with it. A file that somebody changed by hand since it was
    written is left as it is, and checked like the others.

    Raises
    ------
    ZcqError : unknown meeting. TemplateError : a template lacks what a page needs. ReconciliationError : a number in
    one of them is not the tables'.
    """
    standing = month.find("standing")
    if standing.missing:
        raise MissingData(standing.title)
    folder, links = month.folder / "briefing", _links(month)
    when = f"{month.year}年{month.period.month}月"
    as_of = when + f"({quantity.DEMO})" * standing.demo
    wanted = [m for m in agendas() if m != meeting and (folder / f"{m}.pptx").exists()]
    made = {m: pages.pages(month.given, m, links) for m in (meeting, *wanted)}
    contents = {"ledger.xlsx": ledger.ledger(month.given)}
    for m, own in made.items():
        what = f"{month.catalog.zone.short_zh}建设目标进展情况的报告({agendas()[m].name_zh})"
        deck, doc = (  # the office's own of that name, where there is one
            office if (office := month.workspace.reference / shipped.name).exists() else shipped
            for shipped in (slides.TEMPLATE, brief.TEMPLATE)
        )
        about = f"关于{when}{what}", as_of, doc, month.catalog.zone.office_zh
        contents |= {f"{m}.pptx": slides.slides(own, deck), f"{m}.docx": brief.brief(own, *about)}
    log, kept = folder / "written.json", []  # hashes of the files as they were last written
    written = json.loads(log.read_text("utf-8")) if log.exists() else {}
    for name, content in contents.items():
        path, new = folder / name, digest(content)
        if path.exists() and digest(path) not in (written.get(name), new):
            kept.append(path)
        else:
            write_atomic(path, content)
            written[name] = new
    write_atomic(log, json.dumps(written, indent=1, sort_keys=True).encode())
    for path in sorted(folder.glob("*.*")):
        if path != log:  # which changes with each export
            note(f"saved briefing/{path.name}")
    compared = _agree(month, *made, "ledger")
    files = tuple(folder / name for name in contents if name.startswith((meeting, "ledger")))
    return Export(files, tuple(kept), made[meeting], compared)


def unit_ledgers(month: Month) -> list[Path]:
    """Write each responsible unit a ledger of its own rows, for it to fill in and send back; the files."""
    out, plan = [], month.catalog.plan["responsible"].str.split(";").explode()
    for s in month.catalog.senders.itertuples():
        names = {s.name_zh, s.unit, *s.aliases.split(";")} - {""}
        if plan.isin(names).any():
            out.append(
                month.folder / "briefing" / "units" / f"台账_{s.name_zh}_{month.period}.xlsx"
            )
            write_atomic(out[-1], ledger.ledger(month.given, names))
    return out


def check(month: Month) -> int:
    """Compare every number that the month's outputs print with its tables; how many there were.

    All findings are made anew from the tables as they are. Each fact of a figure must be printed as then, and the texts
    in its file; slides, brief and ledger are read back page by page.

    Raises
    ------
    ReconciliationError : names the output and the fact.
    """
    try:
        facts = passport.facts_of(findings.collect(findings.every(month.given)))
    except findings.FindingError as e:
        raise ReconciliationError(f"按现在的数据表不能再得出结论:{e}") from e
    compared = 0
    for path in sorted((month.folder / "passports").glob("*.json")):
        made = passport.read(path.read_bytes())
        compared += passport.verify(made, facts)
        compared += _as_drawn(month.folder / f"{path.stem}.svg", made)
    return compared + _agree(month)


def _as_drawn(path: Path, made: Passport) -> int:
    """Read the texts of a figure's file back; how many numbers."""
    drawn = {html.unescape("".join(t)) for t in DRAWN.findall(path.read_text("utf-8"))}
    if lost := [line for t in made.texts for line in t.split("\n") if line not in drawn]:
        near = next(iter(difflib.get_close_matches(lost[0], drawn, 1, 0)), "没有这段文字")
        raise ReconciliationError(
            f"图 {path.stem} 的溯源记录写着「{lost[0]}」,而图上是「{near}」。两处不一致。请重新运行该月。"
        )
    return sum(len(passport.numbers(t)) for t in made.texts)


def _written(month: Month, *names: str) -> Iterator[tuple[list[Path], dict[str, Passport]]]:
    """Of meetings and of the ledger, all if none is named, the files that there are, and what the tables give for their
    pages or sheets, by code."""
    for name in names or (*agendas(), "ledger"):
        files = (month.folder / "briefing").glob(f"{name}.*")
        if files := sorted(path for path in files if path.suffix in READERS):
            own = (
                ledger.passports(month.given)
                if name == "ledger"
                else [page.passport for page in pages.pages(month.given, name)]
            )
            yield files, {p.code: p for p in own}


def _agree(month: Month, *names: str) -> int:
    """Read what was written for them back; how many numbers agree."""
    count = 0
    for files, own in _written(month, *names):
        texts = {path.name: READERS[path.suffix](path.read_bytes()) for path in files}
        count += passport.reconcile(texts, own)
    return count


def _code(path: Path) -> list[dict]:
    """The code cells of a notebook as stored, texts in lines; nbformat would take a second to import."""
    return [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]


def trace(month: Month, wanted: str) -> str:
    """Where the numbers of one code come from.

    Raises
    ------
    ReconciliationError : no such code in the month; names the nearest.
    """
    figures = (month.folder / "passports").glob("*.json")
    known = {p.code: p for p in (passport.read(path.read_bytes()) for path in figures)}
    for _, own in _written(month):
        known |= own
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, 5, 0.5) or sorted(known)[:20]
        raise ReconciliationError(f"没有编号 {wanted};相近的编号有 {'、'.join(near) or '(无)'}。")
    return lineage.trace(month, known[wanted])
