"""A workspace for a new office, and a plan for a new year: templates to fill in, or last year's tables to be changed."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

import pandas as pd

from zcqlib.reference import (
    COMMENT,
    REFERENCE,
    CatalogError,
    Fault,
    check_reference,
    rows_of,
)
from zcqlib.workspace import write_atomic

LANGUAGE = {"words", "unit_words", "lights", "meetings", "colours", "places", "precedence"}
YEARLY = ("targets", "split", "weights", "bounds", "stages")


def init(folder: Path, year: int) -> list[str]:
    """Lay out a workspace with the published figures, the notebooks and reference tables for a plan year: the tables of
    words as they are, the others as templates, whose rows are those of the shipped zone with `#` before them.

    Returns
    -------
    one sentence for each template.
    Raises
    ------
    CatalogError : the folder has reference tables already.
    """
    shipped, new = REFERENCE.parents[2], folder / "data" / "raw"
    if (new / "reference").exists():
        raise CatalogError(f"{new / 'reference'} 已有参考表，没有改动。请换一个空文件夹。")
    for part in ("data/raw/reference", "data/raw/published", "notebooks"):
        shutil.copytree(shipped / part, folder / part)
    told = []
    for path in sorted((new / "reference").glob("*.csv")):
        name = re.sub(r"_20\d\d$", f"_{year}", path.stem)
        if name in LANGUAGE:
            continue
        (_, head), *rows = rows_of(path, [])
        path.unlink()
        text = io.StringIO()
        rows = [[COMMENT + first, *rest] for _, (first, *rest) in rows]
        csv.writer(text, lineterminator="\n").writerows([head, *rows])
        write_atomic(path.with_stem(name), text.getvalue().encode("utf-8-sig"))
        told.append(f"{name}.csv：{len(rows)}行示例，行首的 {COMMENT} 去掉才算数")
    return told


def new_year(reference: Path, year: int) -> list[Fault]:
    """Copy last year's plan, split, weights, bounds and stages with their dates a year on; what was reached is blank.

    Returns
    -------
    the faults of all reference tables after that.
    Raises
    ------
    CatalogError : there is no plan to copy, or the year has one already.
    """
    if not (reference / f"targets_{year - 1}.csv").exists():
        raise CatalogError(f"没有 targets_{year - 1}.csv，无从沿用。")
    if found := sorted(p.name for p in reference.glob(f"*_{year}.csv")):
        raise CatalogError(f"{'、'.join(found)} 已经存在，没有改动。")
    for name in YEARLY:
        if not (old := reference / f"{name}_{year - 1}.csv").exists():
            continue
        (_, head), *rows = rows_of(old, [])
        rows = [dict(zip(head, r, strict=False)) for _, r in rows]
        t = pd.DataFrame(rows, columns=head).fillna("")
        if name == "split":  # of a part that changed in the year, the last
            t = t.drop_duplicates(["id", "region"], keep="last").assign(in_force_from=f"{year}01")
        elif name == "stages":
            later = t["expected"].map(lambda m: str(int(m) + 100) if m else "")
            t = t.assign(date="", evidence="", expected=later)
        content = t.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
        write_atomic(reference / f"{name}_{year}.csv", content)
    return check_reference(reference)
