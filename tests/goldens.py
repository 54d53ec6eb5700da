"""What the demonstration says, as digests: its tables month by month and all texts of its September.

python tests/goldens.py [MONTH]     write tests/goldens.csv anew from a month of 2018 on, default September; names what
                                    changed, which must have been meant

Numbers count to nine digits, texts as they are read in figures, slides, briefs, ledgers and return sheets.
"""

import hashlib
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from conftest import ROOT, SEPTEMBER, copy

from zcqlib import pipeline
from zcqlib import run as monthly
from zcqlib.workspace import Workspace

KEPT = ROOT / "tests" / "goldens.csv"
BETWEEN, SAID = re.compile(r">([^<>]+)<"), re.compile(r"<!-- (.*?) -->", re.S)


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def table(frame: pd.DataFrame) -> str:
    """A table's rows with numbers to nine digits, in the order that they have."""
    numbers = frame.select_dtypes("float").map("{:.9g}".format)
    return frame.assign(**numbers).to_csv(index=False, lineterminator="\n")


def text(path: Path) -> str:
    """What a person reads in a file that the run wrote."""
    if path.suffix == ".svg":
        return "\n".join(SAID.findall(path.read_text("utf-8")))
    with zipfile.ZipFile(path) as package:
        parts = [n for n in sorted(package.namelist()) if n.endswith(".xml")]
        return "\n".join(t for n in parts for t in BETWEEN.findall(package.read(n).decode("utf-8")))


def digests(workspace: Workspace, first: pd.Period) -> Iterator[tuple[str, str, str]]:
    """(month, table or file, digest) from a month on, of a workspace in which September was run."""
    for month in pd.period_range(first, SEPTEMBER):
        vintage = pipeline.build(workspace, month)
        for path in sorted(vintage.glob("*.parquet")):
            yield str(month), path.stem, sha(table(pd.read_parquet(path)))
    folder = workspace.figures(SEPTEMBER)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".svg", ".pptx", ".docx", ".xlsx"):
            yield str(SEPTEMBER), path.relative_to(folder).as_posix(), sha(text(path))


def differences(found: pd.DataFrame) -> list[str]:
    """Which tables and texts are no longer as kept."""
    kept = pd.read_csv(KEPT, dtype=str) if KEPT.exists() else found.iloc[:0]
    kept = kept[kept["month"].isin(found["month"])]
    both = kept.merge(found, how="outer", on=["month", "what"], suffixes=("", "_found"))
    other = both[both["digest"].ne(both["digest_found"])]
    return [f"{r.month} {r.what}" for r in other.itertuples()]


def measured(workspace: Workspace, first: pd.Period = SEPTEMBER) -> pd.DataFrame:
    return pd.DataFrame(digests(workspace, first), columns=["month", "what", "digest"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = copy(Path(folder))
        monthly.run_month(made, SEPTEMBER)
        now = measured(made, pd.Period(sys.argv[1], "M") if sys.argv[1:] else SEPTEMBER)
    print("\n".join(differences(now)) or "nothing changed")
    now.to_csv(KEPT, index=False, lineterminator="\n")
