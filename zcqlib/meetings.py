"""What a month gives to its meetings: slides, brief, ledger and passports on disk, and the check that they agree.

`export` writes, `check` reads everything back (a file changed by hand too) and compares it with the tables, `trace`
says where the numbers of one code come from.
"""

from __future__ import annotations

import difflib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from zcqlib import answers, findings, lineage, quantity
from zcqlib.briefing import brief, ledger, pages, passport, slides
from zcqlib.briefing.pages import agendas
from zcqlib.briefing.passport import Passport, ReconciliationError
from zcqlib.month import Month
from zcqlib.workspace import digest, note, write_atomic

# section → what its cell in the notebooks calls; the first cell that does is linked
CELLS = {
    "state": "standing, reported = month.find",
    "late": "sent = month.find",
    "moved": "outlook = month.find",
    "chances": "parks, name = month.find",
    "open": "standing.table",
    "parks": "parks, name = month.find",
    "ranks": "views.places",
    "groups": "views.scores",
    "orders": "asks.table",
    "stages": "promises = month.find",
    "attain": "half = month.find",
}
PACE = re.compile(r"find\(\"course\", indicator=\"(\w+)\"")  # the cell of one target
# a chance in a figure's text, but for the mean of many
CHANCE = re.compile(r"\d+%(?=\s*完成把握)|(?<!均把握)(?<=把握)\d+%|(?<=把握仍为)\d+%")


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
        kept = {p.name for p in self.kept}
        names = "、".join(
            p.name + ("(有手工改动,未覆盖)" if p.name in kept else "") for p in self.files
        )
        return "\n".join(
            [*lines, "", f"文件(briefing 文件夹):{names};核对{self.compared}个数字,全部一致。"]
        )


def _links(month: Month) -> dict[str, str]:
    """Section → place of its cell in the HTML edition, seen from the folder of the briefing."""
    found = {}
    for path in sorted((month.workspace.root / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        for cell in _code(path):
            source = "".join(cell["source"])
            shown = [section for section, call in CELLS.items() if call in source]
            shown += [f"open/{i}" for i in PACE.findall(source)]
            for section in shown:
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
    folder, links, when = month.folder / "briefing", _links(month), month.period
    rows, before, hashes, kept, drawn = _rows(month), _written(folder), {}, [], {}
    demo = month.find("standing").demo
    as_of = f"{when.year}年{when.month}月" + (f"({quantity.DEMO})" if demo else "")
    contents = {"ledger.xlsx": _ledger(month, rows)}
    made = ledger.passports(
        rows, month.find("asks"), month.table("PROJECTIONS"), when, _region(month)
    )
    sidecars = {"ledger": made}
    for m in [
        m
        for m in agendas()
        if m == meeting or f"{m}.json" in {p.name for p in folder.glob("*.json")}
    ]:
        drawn[m] = pages.pages(month.given, m, links)
        title = f"关于{when.year}年{when.month}月{month.catalog.zone.short_zh}建设目标进展情况的报告({agendas()[m].name_zh})"
        contents |= {
            f"{m}.pptx": slides.slides(drawn[m], _template(month, slides.TEMPLATE)),
            f"{m}.docx": brief.brief(drawn[m], title, as_of, _template(month, brief.TEMPLATE)),
        }
        sidecars[m] = [p.passport for p in drawn[m]]
    for name, content in contents.items():
        path, hashes[name] = folder / name, digest(content)
        if path.exists() and digest(path) not in (before.get(name), hashes[name]):
            kept.append(path)
            hashes[name] = before.get(name, "")
            continue
        write_atomic(path, content)
    for name, passports in sidecars.items():
        used = {i for p in passports for n in p.numbers for i in n.inputs}
        write_atomic(folder / f"{name}.json", passport.write(passports, lineage.cells(month, used)))
    write_atomic(folder / "written.json", json.dumps(hashes, indent=1, sort_keys=True).encode())
    for path in sorted(folder.iterdir()):
        note(f"saved briefing/{path.name}")
    compared = sum(_agree(month, m) for m in drawn) + _ledger_agrees(month, rows)
    files = tuple(
        folder / n
        for n in (
            *(n for n in contents if n.startswith((meeting, "ledger"))),
            f"{meeting}.json",
            "ledger.json",
        )
    )
    return Export(folder, files, tuple(kept), drawn[meeting], compared)


def _template(month: Month, shipped: Path) -> Path:
    """The office's own template, where one of that name stands among the reference tables, else the shipped one."""
    own = month.workspace.reference / shipped.name
    return own if own.exists() else shipped


def _rows(month: Month) -> pd.DataFrame:
    tables = (month.table(t) for t in ("TARGETS", "PROJECTIONS", "MILESTONES"))
    return ledger.ledger_rows(*tables, month.period, month.catalog.name, month.table("ANSWERS"))


def _ledger(month: Month, rows: pd.DataFrame) -> bytes:
    asks, demo = month.find("asks"), month.find("standing").demo
    stages, name = month.table("MILESTONES"), month.catalog.name
    return ledger.ledger(rows, asks, stages, month.period, name, demo)


def _region(month: Month):
    held = month.table("TARGETS").drop_duplicates("id").set_index("id")["region"].to_dict()
    return lambda id: held.get(id, "zone")


def _written(folder: Path) -> dict[str, str]:
    """Hashes of the files as they were last written."""
    path = folder / "written.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def check(month: Month) -> int:
    """Compare every number that the month's outputs print with its tables; how many there were.

    Slides and briefs are read back page by page against pages computed anew; of the ledger each locked cell and each
    ask; of figures the texts that were taken before saving, against the tables where their numbers came from; of the
    notebooks' conclusions the sentences of fixed form (year end, counts of lights, places). Whatever else a table or an
    output changed since the run puts in doubt is run again and compared word for word.

    Raises
    ------
    ReconciliationError : names the output and the table's place.
    """
    from zcqlib import redraw  # notebooks export without it, and it is slow to import

    forms, compared = _forms(month), 0
    for path in sorted((month.folder / "passports").glob("*.json")):
        for p in _verify(month, path):
            of = ("probability", "value")  # of a projection, of a fact
            chances = [n.text for n in p.numbers if n.table and n.column in of]
            own = {"完成把握": (CHANCE, {*chances, "1%", "99%"})}
            compared += sum(bool(n.table) for n in p.numbers)
            compared += sum(_said_right(f"图 {path.stem} ", text, forms | own) for text in p.texts)
    for path in sorted((month.folder / "notebooks").glob("*.ipynb")):
        compared += sum(
            _said_right(f"笔记本 {path.stem} 的结论", text, forms) for text in _said(path)
        )
    compared += sum(_agree(month, m) for m in agendas()) + _ledger_agrees(month, _rows(month))
    return compared + redraw.agree(month)


def _agree(month: Month, meeting: str) -> int:
    """Read slides and brief of a meeting back, where there are any."""
    folder = month.folder / "briefing"
    found = {
        f"{meeting}{kind}": read((folder / f"{meeting}{kind}").read_bytes())
        for kind, read in ((".pptx", slides.read_slides), (".docx", brief.read_brief))
        if (folder / f"{meeting}{kind}").exists()
    }
    if not found:
        return 0
    _verify(month, folder / f"{meeting}.json")
    return passport.reconcile(
        found, {p.code: p.passport for p in pages.pages(month.given, meeting)}
    )


def _verify(month: Month, path: Path) -> list[Passport]:
    """The passports of a sidecar, after its numbers were compared with the tables as they are now."""
    if not path.exists():
        raise ReconciliationError(f"缺少数字溯源文件 {path.name}。请重新运行该月。")
    passports, _ = passport.read(path.read_bytes())
    names = {n.table for p in passports.values() for n in p.numbers if n.table}
    passport.verify(passports.values(), {n: month.table(n) for n in names})
    return list(passports.values())


def _ledger_agrees(month: Month, rows: pd.DataFrame) -> int:
    """Read the ledger back, where there is one: every locked cell, every ask, and the numbers in headings and help."""
    from openpyxl import load_workbook

    path = month.folder / "briefing" / "ledger.xlsx"
    if not path.exists():
        return 0
    _verify(month, path.with_suffix(".json"))
    content = path.read_bytes()
    sheets = [
        (s.title, [list(row) for row in s.iter_rows(values_only=True)])
        for s in load_workbook(io.BytesIO(content))
    ]
    back = answers.read_ledger(
        sheets, answers.Sent("ledger.xlsx", "", "", month.period), month.catalog
    )
    if len(wrong := back.problems[back.problems["severity"] == "error"]):
        first = wrong.iloc[0]
        raise ReconciliationError(
            f"ledger.xlsx「{first['sheet']}」{first['cell']}:{first['message']}"
            f"数据表算得的台账与之不一致。请改回,或删除该文件后重新生成。"
        )
    book, sheet = load_workbook(io.BytesIO(content)), answers.SHEET
    now = {r["编号"]: r for r in rows.to_dict("records")}
    shown = [
        dict(zip(answers.COLUMNS, values, strict=False))
        for values in book[sheet].iter_rows(min_row=answers.HEAD + 1, values_only=True)
        if values[0]
    ]
    for r in shown:
        for c in answers.LOCKED:
            if answers.plain(r[c]) != answers.plain(now.get(r["编号"], {}).get(c)):
                raise ReconciliationError(
                    f"ledger.xlsx「{sheet}」{r['编号']} 的「{c}」印作「{r[c]}」,"
                    f"而数据表算得「{now.get(r['编号'], {}).get(c)}」。两处不一致。"
                )
    asks = [tuple(v) for v in book[ledger.ORDERS].iter_rows(min_row=3, values_only=True)]
    for i, (found, computed) in enumerate(
        zip_longest(asks, ledger.ask_rows(month.find("asks")), fillvalue=()), 3
    ):
        if [answers.plain(v) for v in found] != [answers.plain(v) for v in computed]:
            raise ReconciliationError(
                f"ledger.xlsx「{ledger.ORDERS}」第 {i} 行印作「{found}」,"
                f"而缺口分解表算得「{computed}」。两处不一致。"
            )
    fresh = load_workbook(io.BytesIO(_ledger(month, rows)))
    for name, last in (
        (sheet, answers.HEAD),
        (ledger.ORDERS, 2),
        (ledger.HELP, fresh[ledger.HELP].max_row),
    ):
        for cell in (c for row in fresh[name].iter_rows(max_row=last) for c in row if c.value):
            found = str(book[name][cell.coordinate].value or "")
            if _digits(found) != _digits(cell.value):
                raise ReconciliationError(
                    f"ledger.xlsx「{name}」{cell.coordinate} 印作「{found}」,"
                    f"而数据表算得「{cell.value}」。两处不一致。"
                )
    return sum(r[c] == r[c] for r in now.values() for c in ledger.NUMBERS) + len(asks)


def _digits(text: str) -> tuple[list[str], list[str]]:
    """Codes and numbers of a heading, whose words may be changed by hand."""
    return passport.CODE.findall(text), passport.sequence(text)


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


def _forms(month: Month) -> dict[str, tuple[re.Pattern, set[str]]]:
    """What the findings say: a sentence without its numbers → how it is found in a text, and all that it may read."""
    known: dict[str, set[str]] = {}
    try:
        all_ = findings.every(month.given)
    except findings.FindingError as e:
        raise ReconciliationError(f"按现在的数据表不能再得出结论:{e}") from e
    for f in all_:
        told = f.rows["told"].dropna() if "told" in f.rows else ()
        for text in (*f.sentences, *told):
            if passport.sequence(text):
                known.setdefault(passport.NUMBER.sub("#", text), set()).add(text)
    number = r"[\u2212\d,.]+"
    return {
        shape: (re.compile("(?<!\\d)" + number.join(map(re.escape, shape.split("#")))), texts)
        for shape, texts in known.items()
    }


def _said_right(place: str, text: str, forms: Mapping[str, tuple[re.Pattern, set[str]]]) -> int:
    """Compare what a text says in fixed forms with what the tables give; how many numbers that were."""
    text, compared = quantity.typeset(text), 0
    for name, (pattern, known) in forms.items():
        for found in pattern.findall(text):
            if found not in known:
                near = next(iter(difflib.get_close_matches(found, known, 1, 0)), "没有这一项")
                raise ReconciliationError(
                    f"{place}印有「{found}」({name[:20]}),而数据表最接近的是「{near}」。两处不一致。"
                    "如数据更新过,请重新运行该月。"
                )
            compared += len(passport.sequence(found))
    return compared


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
