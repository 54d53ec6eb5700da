"""The line from received files to one vintage of tables: read, consolidate, project, rank, look back.

Nothing is decided here; each step is one call into the stage that owns it.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import published, reports, tables
from zcqlib.catalog import Catalog
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, digest

PACKAGES = ("numpy", "pandas", "scipy", "pyarrow", "python-calamine")
# words in a file name that order the submissions of one month (report-formats, trait 85)
EARLIER, LATER = re.compile("快报|初步|预报|草稿"), re.compile("修订|更正|补报|最终|正式|定稿")
NUMBERED = re.compile(r"(?:[vV]|第)(\d+)(?:版|稿|$|[^\d])")


class NoReportsError(ZcqError):
    """The month that was asked for has no report files."""


@cache
def code_hash() -> str:
    """Hash of the library's own sources: another method is another vintage."""
    folder = Path(__file__).parent
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return digest("".join(f"{p.relative_to(folder).as_posix()}{digest(p)}" for p in files).encode())


def submission_order(name: str) -> tuple[int, int]:
    """Order key of a file among the submissions of one sender and month; equal keys cannot be told apart."""
    stem = re.sub(r"\(\d+\)$", "", Path(name).stem)  # a download counter, not a version
    number = NUMBERED.search(stem)
    return (1 if LATER.search(stem) else -1 if EARLIER.search(stem) else 0, int(number.group(1)) if number else 0)


def submissions(paths: Iterable[Path], month: pd.Period, catalog: Catalog) -> pd.DataFrame:
    """Who sent what: `path`, `file`, `sender`, `published`, `submission` (1 is the earliest), one row a file."""
    rows = [{"path": p, "file": p.name, "sender": sender_of(p.name, catalog), "published": month,
             "order": submission_order(p.name)} for p in paths]
    frame = pd.DataFrame(rows, columns=["path", "file", "sender", "published", "order"])
    frame["submission"] = frame.groupby("sender")["order"].rank("dense").astype("int64") if len(frame) else 0
    return frame.drop(columns="order")


def sender_of(name: str, catalog: Catalog) -> str:
    """The sender whose name or alias the file name holds, the longest one first; "" where none does."""
    known = ((alias, r.id) for r in catalog.senders.itertuples() for alias in (r.name_zh, *r.aliases.split(";")))
    found = sorted((-len(alias), id) for alias, id in known if alias and alias in name)
    return found[0][1] if found else ""


def received(workspace: Workspace, until: pd.Period, catalog: Catalog) -> pd.DataFrame:
    """All submissions of the months up to `until`."""
    frames = [submissions(workspace.received(m), m, catalog) for m in workspace.report_months() if m <= until]
    return pd.concat(frames, ignore_index=True) if frames else submissions([], until, catalog)


def recipe(workspace: Workspace, month: pd.Period, known: pd.Period, files: Iterable[Path]) -> dict:
    """What a vintage rests on: it is named by the hash of this."""
    folders = (workspace.reference, workspace.published)
    inputs = [*files, *(p for folder in folders for p in sorted(folder.rglob("*.csv*")))]
    return {"month": str(month), "as_of": str(known), "demo": workspace.demo, "code": code_hash(),
            "versions": {p: version(p) for p in PACKAGES},
            "inputs": {p.relative_to(workspace.root).as_posix(): digest(p) for p in inputs}}
