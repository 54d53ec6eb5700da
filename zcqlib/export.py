"""Any figure of a month in another size or format: its notebook is executed again, and only what is saved differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from zcqlib import pipeline
from zcqlib.figures.theme import SIZES
from zcqlib.run import Kernel, prepared
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace

FORMATS = ("png", "svg", "pdf")


class ExportError(ZcqError):
    """No such figure, size or format."""


class Exported(NamedTuple):
    """Files written, and in sentences what was refused or went wrong."""

    files: tuple[Path, ...]
    refused: tuple[str, ...]


def export(
    workspace: Workspace,
    month: pd.Period,
    as_of: pd.Period | None = None,
    *,
    size: str = "a4",
    formats: Sequence[str] = ("pdf",),
    only: str = "",
) -> Exported:
    """Write a month's figures in a size and some formats to `export/` beside them.

    Each notebook is executed as in the monthly run, by the same calls; the figures lay themselves out for the page.

    Parameters
    ----------
    size : a4 (half a page) or wide. formats : of png, svg, pdf. only : figures whose names begin with it.
    Raises
    ------
    ExportError : an unknown size or format, or no notebook has such figures.
    """
    for what, wanted, known in (("版面", [size], SIZES), ("格式", formats, FORMATS)):
        if wrong := "、".join(sorted(set(wanted).difference(known))):
            raise ExportError(f"不认识的{what} {wrong},可用的是 {'、'.join(known)}。")
    given = {"PERIOD": str(month), "DEMO": workspace.demo, "AS_OF": str(as_of or month)}
    folder = workspace.figures(month, as_of)
    ready, vintage = prepared(workspace, only[:2], given), pipeline.build(workspace, month, as_of)
    files, refused = [], []
    told = dict(vintage=str(vintage), size=size, formats=tuple(formats), only=only)
    with Kernel(workspace.root, **told) as kernel:
        for name, notebook in ready.items():
            problem, notes = kernel.execute(notebook, workspace.root / "notebooks")
            files += [folder / name for name in notes["saved"] if name.startswith("export/")]
            refused += [f"{name}:{problem}"] * bool(problem) + notes["refused"]
    if not files and not refused:
        raise ExportError(f"没有名称以「{only}」开头的图。图名见 {folder}。")
    return Exported(tuple(files), tuple(refused))
