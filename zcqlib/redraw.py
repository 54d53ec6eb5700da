"""What a month's notebooks would show if their cells ran once more on the tables as they are now; nothing is written.

A number that stands in no table (a sum, a share, a count in a sentence, a row of a shown table) is compared in this way:
its formula is the cell that made it.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace

import nbformat
from matplotlib.figure import Figure

from zcqlib import controls, figures, lineage
from zcqlib.briefing import passport
from zcqlib.briefing.passport import ReconciliationError
from zcqlib.manifest import read_manifest, unchanged
from zcqlib.month import Month
from zcqlib.workspace import digest

SHOWN = {"text/markdown": "_repr_markdown_", "text/html": "_repr_html_"}


@dataclass(frozen=True, slots=True)
class _Watched(Month):
    """A month that keeps its figures in hand instead of saving them."""

    drawn: dict[str, Figure] = field(default_factory=dict)

    def save(self, figure: Figure, name: str, found: object = None) -> Figure:
        self.drawn[name] = figure
        return figure


def touched(month: Month) -> set[str]:
    """Tables of the vintage that are not as they were made."""
    stored = json.loads((month.vintage / "vintage.json").read_text("utf-8"))["tables"]
    return {t for t, sha in stored.items() if digest(month.vintage / f"{t}.parquet") != sha}


def doubtful(month: Month, changed: set[str]) -> dict[str, list[str]]:
    """Notebooks of the last run to be compared anew → the changed tables that they read, none where only what the
    notebook left has been touched."""
    out = {}
    for name, entry in read_manifest(month.folder).get("notebooks", {}).items():
        tables = sorted(
            t for t in changed if f"{month.vintage.parent.name}/{t}" in entry["grounds"]
        )
        if tables or not unchanged(month.folder, entry):
            out[name] = tables
    return out


def agree(month: Month) -> int:
    """Compare all that the doubtful notebooks show, word for word, with what they would show now; how many numbers.

    Raises
    ------
    ReconciliationError : names the figure or the notebook with what it prints, the changed tables, and what they give.
    """
    compared, changed = 0, touched(month)
    for name, tables in doubtful(month, changed).items():
        path, grounds = month.folder / "notebooks" / f"{name}.ipynb", "、".join(tables) or "数据表"
        try:
            pairs = _pairs(month, path)
        except Exception as e:  # whatever a cell may raise on a table that somebody changed
            raise ReconciliationError(
                f"笔记本 {name} 按现在的{grounds}不能再运行:{e}。请重新运行该月。"
            ) from e
        for place, printed, now in pairs:
            if _parts(printed) != _parts(now):
                was, is_ = next(
                    (a, b)
                    for a, b in zip_longest(_parts(printed), _parts(now), fillvalue="(无)")
                    if a != b
                )
                raise ReconciliationError(
                    f"{place}印有「{was}」,而按现在的{grounds}应为「{is_}」。两处不一致。"
                    "如数据更新过,请重新运行该月。"
                )
            compared += len(passport.sequence(re.sub("<[^>]*>", " ", printed)))
    if changed:
        raise ReconciliationError(
            f"数据表 {'、'.join(sorted(changed))} 在运行之后被改动过(印出的数没有变)。请重新运行该月。"
        )
    return compared


def _pairs(month: Month, path: Path) -> list[tuple[str, str, str]]:
    """Place, printed, and now: each paragraph and shown table of an executed notebook, and each text of its figures."""
    watched = _Watched(month.workspace, month.period, month.known, month.catalog, month.vintage)
    shown, out, space = [], [], {}
    quiet = dict.fromkeys(("explore", "what_if", "membership"), lambda *_, **__: None)
    stand_in = {
        "open_month": lambda *_: watched,
        "display": lambda *what: shown.extend(what),
        "controls": SimpleNamespace(**vars(controls) | quiet),
        "figures": SimpleNamespace(**vars(figures) | {"show": lambda _: None}),
    }
    for cell in nbformat.read(path, 4).cells:
        if (
            cell.cell_type != "code" or "meetings.export" in cell.source
        ):  # it writes; `meetings` reads its files back
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), space)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), path.name, "eval"), space))
        space |= {name: thing for name, thing in stand_in.items() if name in space}
        before = [o.data[m] for o in cell.outputs if "data" in o for m in SHOWN if m in o.data]
        now = [getattr(x, how)() for x in shown for how in SHOWN.values() if hasattr(x, how)]
        out += [
            (f"笔记本 {path.stem} 的单元格 {cell.id} ", *pair)
            for pair in zip_longest(before, now, fillvalue="")
        ]
        shown.clear()
    for name, figure in watched.drawn.items():
        made, sidecar = lineage.printed(figure), month.folder / "passports" / f"{name}.json"
        kept = next(iter(passport.read(sidecar.read_bytes())[0].values()))
        out += [
            (f"图 {name}({kept.code})", *pair)
            for pair in zip_longest(kept.texts, made, fillvalue="")
        ]
    return out


def _parts(text: str) -> list[str]:
    """Sentences of a paragraph, cells of a table."""
    return [part.strip() for part in re.split(r"<[^>]*>|[\u3002\uff1b;]", text) if part.strip()]
