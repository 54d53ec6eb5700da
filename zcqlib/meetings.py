"""What a month gives to its meetings: slides, brief, ledger and passports on disk, and the check that they agree.

`export` writes, `check` reads everything back (a file changed by hand too) and compares it with the tables, `trace`
says where the numbers of one code come from.
"""

from __future__ import annotations

import difflib
import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from zcqlib import findings, lineage, quantity
from zcqlib.briefing import brief, ledger, pages, passport, slides
from zcqlib.briefing.pages import SECTIONS, agendas
from zcqlib.briefing.passport import Passport, ReconciliationError
from zcqlib.ledger_reader import COLUMNS, FILLED, HEAD, SHEET, plain
from zcqlib.manifest import read_manifest, unchanged
from zcqlib.month import Month
from zcqlib.tables import MissingData
from zcqlib.workspace import digest, note, write_atomic

ROLE = re.compile(r"""role\(["'](\w+)["']\)""")  # in the cell of one target
# a line of text in a drawing, which is stored as outlines
DRAWN = re.compile("<!-- (.*?) -->|<rdf:li>(.*?)</rdf:li>|<title>(.*?)</title>", re.S)


@dataclass(frozen=True, slots=True)
class Export:
    """What was written for a meeting: `files`; `kept`, those changed by hand, which stay; how many numbers agreed."""

    folder: Path
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
    """Write slides, brief, ledger and passports of a meeting into the month's folder and read them back.

    What other meetings got earlier is brought up to date with it. A file that somebody changed by hand since it was
    written is left as it is, and checked like the others.

    Raises
    ------
    ValueError : unknown meeting. TemplateError : a template lacks what a page needs. ReconciliationError : a number in
    one of them is not the tables'.
    """
    standing = month.find("standing")
    if standing.missing:
        raise MissingData(standing.title)
    folder, links = month.folder / "briefing", _links(month)
    when = f"{month.year}年{month.period.month}月"
    contents = {"ledger.xlsx": ledger.ledger(month.given)}
    sidecars, drawn, kept = {"ledger": ledger.passports(month.given)}, {}, []
    for m, agenda in agendas().items():
        if m == meeting or (folder / f"{m}.json").exists():
            drawn[m] = made = pages.pages(month.given, m, links)
            what = f"{month.catalog.zone.short_zh}建设目标进展情况的报告({agenda.name_zh})"
            deck, doc = (_template(month, t) for t in (slides.TEMPLATE, brief.TEMPLATE))
            about = f"关于{when}{what}", when + f"({quantity.DEMO})" * standing.demo, doc
            contents[f"{m}.pptx"] = slides.slides(made, deck)
            contents[f"{m}.docx"] = brief.brief(made, *about)
            sidecars[m] = [p.passport for p in made]
    log = folder / "written.json"  # hashes of the files as they were last written
    written = json.loads(log.read_text("utf-8")) if log.exists() else {}
    for name, content in contents.items():
        path, new = folder / name, digest(content)
        if path.exists() and digest(path) not in (written.get(name), new):
            kept.append(path)
        else:
            write_atomic(path, content)
            written[name] = new
    for name, passports in sidecars.items():
        used = {i for p in passports for n in p.numbers for i in n.inputs}
        write_atomic(folder / f"{name}.json", passport.write(passports, lineage.cells(month, used)))
    write_atomic(log, json.dumps(written, indent=1, sort_keys=True).encode())
    for path in sorted(folder.iterdir()):
        note(f"saved briefing/{path.name}")
    facts, own = _facts(month), (meeting, "ledger")
    compared = sum(_agree(month, m, facts) for m in drawn) + _ledger_agrees(month, facts)
    names = [*(n for n in contents if n.startswith(own)), *(f"{n}.json" for n in own)]
    files = tuple(folder / name for name in names)
    return Export(folder, files, tuple(kept), drawn[meeting], compared)


def _template(month: Month, shipped: Path) -> Path:
    """The office's own template, where one of that name stands among the reference tables, else the shipped one."""
    own = month.workspace.reference / shipped.name
    return own if own.exists() else shipped


def check(month: Month) -> int:
    """Compare every number that the month's outputs print with its tables; how many there were.

    All findings are made anew from the tables as they are. Each fact of a figure, page or sheet must be printed as
    then; slides, brief and ledger are read back page by page, of figures the texts in the file; of the notebooks the
    sentences that findings say. Tables and files must be as the run left them, but for what people may change.

    Raises
    ------
    ReconciliationError : names the output and the fact, or the table or file that was changed since the run.
    """
    facts, forms, compared = _facts(month), _forms(month), 0
    for path in sorted((month.folder / "passports").glob("*.json")):
        (made,) = _verify(path, facts)
        compared += len(made.numbers) + _as_drawn(month.folder / f"{path.stem}.svg", made)
    for path in sorted((month.folder / "notebooks").glob("*.ipynb")):
        compared += sum(
            _said_right(f"笔记本 {path.stem} 的结论", text, forms) for text in _said(path)
        )
    compared += sum(_agree(month, m, facts) for m in agendas()) + _ledger_agrees(month, facts)
    _untouched(month)
    return compared


def _facts(month: Month) -> pd.DataFrame:
    """FACTS as the tables give them now."""
    try:
        return findings.collect(findings.every(month.given))
    except findings.FindingError as e:
        raise ReconciliationError(f"按现在的数据表不能再得出结论:{e}") from e


def _verify(path: Path, facts: pd.DataFrame) -> list[Passport]:
    """The passports of a sidecar, after its facts were compared with those of now."""
    if not path.exists():
        raise ReconciliationError(f"缺少数字溯源文件 {path.name}。请重新运行该月。")
    passports, _ = passport.read(path.read_bytes())
    passport.verify(passports.values(), facts)
    return list(passports.values())


def _as_drawn(path: Path, made: Passport) -> int:
    """Read the texts of a figure's file back; how many numbers."""
    drawn = {html.unescape("".join(t)) for t in DRAWN.findall(path.read_text("utf-8"))}
    if lost := [line for t in made.texts for line in t.split("\n") if line not in drawn]:
        near = next(iter(difflib.get_close_matches(lost[0], drawn, 1, 0)), "没有这段文字")
        raise ReconciliationError(
            f"图 {path.stem} 的溯源记录写着「{lost[0]}」,而图上是「{near}」。两处不一致。请重新运行该月。"
        )
    return sum(len(passport.sequence(t)) for t in made.texts)


def _untouched(month: Month) -> None:
    """Tables as they were made, and what the run left as it left it, but for the files that people may change."""
    stored = json.loads((month.vintage / "vintage.json").read_text("utf-8"))["tables"]
    changed = [t for t, sha in stored.items() if digest(month.vintage / f"{t}.parquet") != sha]
    if changed:
        raise ReconciliationError(
            f"数据表 {'、'.join(sorted(changed))} 在运行之后被改动过(印出的结论没有变)。请重新运行该月。"
        )
    for name, entry in read_manifest(month.folder).get("notebooks", {}).items():
        files = {f: sha for f, sha in entry["files"].items() if not f.startswith("briefing/")}
        if not unchanged(month.folder, {"files": files}):
            raise ReconciliationError(f"笔记本 {name} 的产出在运行之后被改动过。请重新运行该月。")


def _agree(month: Month, meeting: str, facts: pd.DataFrame) -> int:
    """Read slides and brief of a meeting back, where there are any."""
    folder, readers = month.folder / "briefing", (slides.read_slides, brief.read_brief)
    files = dict(zip((f"{meeting}.pptx", f"{meeting}.docx"), readers, strict=True))
    found = {
        n: read((folder / n).read_bytes()) for n, read in files.items() if (folder / n).exists()
    }
    if not found:
        return 0
    _verify(folder / f"{meeting}.json", facts)
    made = pages.pages(month.given, meeting)
    return passport.reconcile(found, {p.code: p.passport for p in made})


def _ledger_agrees(month: Month, facts: pd.DataFrame) -> int:
    """Read the ledger back, where there is one, cell by cell against a new one; of headings and help only the numbers,
    their words may be changed by hand."""
    from openpyxl import load_workbook

    path = month.folder / "briefing" / "ledger.xlsx"
    if not path.exists():
        return 0
    _verify(path.with_suffix(".json"), facts)
    book, compared = load_workbook(path), 0
    new = load_workbook(io.BytesIO(ledger.ledger(month.given)))
    for sheet, head in ((SHEET, HEAD), (ledger.ORDERS, 2), (ledger.HELP, new[ledger.HELP].max_row)):
        found, own = book[sheet], sheet == SHEET
        at = {c.value: c.row for c in found["A"][head:]} if own else {}  # it may be sorted
        for now in (c for row in new[sheet].iter_rows() for c in row):
            body = now.row > head
            if own and body and COLUMNS[now.column - 1] in FILLED:
                continue
            row = at.get(new[sheet].cell(now.row, 1).value) if own and body else now.row
            said = found.cell(row, now.column) if row else now
            alike = plain if body else _digits
            if not row or alike(said.value) != alike(now.value):
                what = f"印作「{said.value}」" if row else "没有这一行"
                raise ReconciliationError(
                    f"ledger.xlsx「{sheet}」{said.coordinate} {what},"
                    f"而数据表算得「{now.value}」。两处不一致。请改回,或删除该文件后重新生成。"
                )
            compared += isinstance(now.value, int | float)
    return compared


def _digits(text: object) -> tuple[list[str], list[str]]:
    """Codes and numbers of a heading, whose words may be changed by hand."""
    return passport.CODE.findall(str(text or "")), passport.sequence(str(text or ""))


def _said(path: Path) -> list[str]:
    """The sentences that an executed notebook shows as text."""
    outputs = [o for c in _code(path) for o in c["outputs"]]
    return [
        s
        for o in outputs
        for s in "".join(o.get("data", {}).get("text/markdown", "")).split("。")
        if s
    ]


def _code(path: Path) -> list[dict]:
    """The code cells of a notebook as stored, texts in lines; nbformat would take a second to import."""
    return [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]


def _forms(month: Month) -> dict[str, set[str]]:
    """What the findings say: a sentence without its numbers → all that it may read."""
    known: dict[str, set[str]] = {}
    for f in findings.every(month.given):
        for text in (*f.sentences, *f.rows.get("told", pd.Series()).dropna()):
            if passport.sequence(text):
                known.setdefault(passport.NUMBER.sub("#", text), set()).add(text)
    return known


def _said_right(place: str, text: str, forms: Mapping[str, set[str]]) -> int:
    """Compare a sentence that ends in a fixed form, the longest one, with what the tables give; how many numbers."""
    text = quantity.typeset(text).strip()
    shape = passport.NUMBER.sub("#", text)
    known = forms.get(max((f for f in forms if shape.endswith(f)), key=len, default=""))
    if known and not text.endswith(tuple(known)):
        near = next(iter(difflib.get_close_matches(text, known, 1, 0)))
        raise ReconciliationError(
            f"{place}印有「{text}」,而数据表最接近的是「{near}」。两处不一致。如数据更新过,请重新运行该月。"
        )
    return len(passport.sequence(text)) if known else 0


def trace(month: Month, wanted: str) -> str:
    """Where the numbers of one code come from.

    Raises
    ------
    ReconciliationError : no such code in the month; names the nearest.
    """
    passports, cells = {}, {}
    for path in sorted(
        [*(month.folder / "briefing").glob("*.json"), *(month.folder / "passports").glob("*.json")]
    ):
        if path.name != "written.json":
            some, more = passport.read(path.read_bytes())
            passports, cells = passports | some, cells | more
    return passport.trace(wanted, passports, cells)
