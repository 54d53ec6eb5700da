"""The record of what a month's run made: read, counted and verified.

`verify` compares inputs, tables and figures with the manifest and makes the tables again from the inputs.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from zcqlib import pipeline
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, digest, own_digest


def read_manifest(folder: Path) -> dict:
    """The month's manifest, {} where there is none yet."""
    try:
        return json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise ZcqError(
            f"{folder / 'manifest.json'} 已损坏,不能识别。请删除该文件后重新运行。"
        ) from e


def altered(
    folder: Path, files: Mapping[str, str], of: Callable[[Path], str] = digest
) -> list[str]:
    """The files that are gone, or of another hash than was recorded."""
    return [n for n, sha in files.items() if not (folder / n).exists() or of(folder / n) != sha]


def counts(made: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """How much went into each stage and what became of it; {} where there are published data only.

    Returns
    -------
    `cells` = `cells_of_files` = the sum of `cells_*` outcomes; `observations` = `observations_of_files` =
    `cells_observation` = the sum of `observations_*` fates (into a series; growth, shares and the like; without a
    known place or indicator; empty; set aside by the rules of consolidation); `targets` = `projections`.
    """
    if "OBSERVATIONS" not in made:
        return {}
    seen, files, key = made["OBSERVATIONS"], made["SUBMISSIONS"], ["region", "indicator", "end"]
    unknown = seen["region"].eq("") | seen["indicator"].eq("")
    other, empty = ~unknown & seen["measure"].ne("value"), seen["value"].isna()
    value = ~unknown & ~other & ~empty
    used = value & pd.MultiIndex.from_frame(seen[key]).isin(
        pd.MultiIndex.from_frame(made["SERIES"][key])
    )
    fates = {
        "used": used,
        "set_aside": value & ~used,
        "other_measure": other,
        "unknown": unknown,
        "empty": ~unknown & ~other & empty,
    }
    out = {"files": len(files), "cells": len(made["CELLS"]), "cells_of_files": files["cells"].sum()}
    out |= {f"cells_{k}": n for k, n in made["CELLS"]["outcome"].value_counts().items()}
    out |= {"observations": len(seen), "observations_of_files": files["figures"].sum()}
    out |= {f"observations_{k}": rows.sum() for k, rows in fates.items()}
    out |= {
        "series": len(made["SERIES"]),
        "targets": len(made["TARGETS"]),
        "projections": len(made["PROJECTIONS"]),
    }
    return {k: int(n) for k, n in out.items()}


def imbalances(n: Mapping[str, int]) -> list[str]:
    """One sentence for each stage whose counts do not add up."""
    if not n:
        return []
    fates = ("used", "set_aside", "other_measure", "unknown", "empty")
    outcomes = sum(n.get(f"cells_{k}", 0) for k in ("observation", "label", "context", "problem"))
    pairs = (
        ("单元格(各文件之和)", n["cells"], n["cells_of_files"]),
        ("单元格(各去向之和)", n["cells"], outcomes),
        ("数据(各文件之和)", n["observations"], n["observations_of_files"]),
        ("数据(来自的单元格)", n["observations"], n.get("cells_observation", 0)),
        ("数据(各去向之和)", n["observations"], sum(n[f"observations_{k}"] for k in fates)),
        ("目标(都有预测或说明)", n["targets"], n["projections"]),
    )
    return [f"数目对不上:{what},一处是 {a},另一处是 {b}。" for what, a, b in pairs if a != b]


def verify(workspace: Workspace, month: pd.Period, as_of: pd.Period | None = None) -> list[str]:
    """Compare a month's inputs, tables and figures with its manifest and compute the tables anew from the inputs.

    Returns
    -------
    one sentence for each difference; [] where everything is as the manifest says and comes out again.
    Raises
    ------
    ZcqError : the month was never run.
    """
    folder = workspace.figures(month, as_of)
    manifest = read_manifest(folder)
    if not manifest:
        raise ZcqError(f"{month} 没有运行清单({folder / 'manifest.json'}),无从核对。请先运行该月。")
    told = [f"输入 {n}" for n in altered(workspace.root, manifest["inputs"], own_digest)]
    wrong = imbalances(manifest.get("counts", {}))
    vintage = workspace.current(month, as_of)
    if vintage is None or vintage.name != manifest["vintage"]:
        wrong.append(f"当前数据版本与清单所记 {manifest['vintage']} 不同。")
    else:
        told += [f"数据表 {Path(n).stem}" for n in altered(vintage, workspace.stored(vintage))]
        wrong += [] if told or wrong else _recomputed(workspace, month, as_of, vintage)
    others = {"退回单": manifest.get("returns"), "网页版": manifest.get("pages")}
    for name, entry in (manifest["notebooks"] | {k: v for k, v in others.items() if v}).items():
        told += [f"{name} 的产出 {file}" for file in altered(folder, entry["files"])]
    return [f"{what} 与运行时不同或不见了。" for what in told] + wrong


def _recomputed(
    workspace: Workspace, month: pd.Period, as_of: pd.Period | None, vintage: Path
) -> list[str]:
    """Differences between the stored tables and the same ones made again from the inputs in a folder apart.

    Nothing kept from earlier steps is used; the other months' current vintages are at hand, as they were for the run.
    """
    with tempfile.TemporaryDirectory() as name:
        apart = replace(workspace, made=Path(name) / "tables")
        for pointer in workspace.processed.glob("*/CURRENT"):
            home, current = apart.processed / pointer.parent.name, pointer.read_text("utf-8")
            if home.name != vintage.parent.name:
                shutil.copytree(pointer.parent / current, home / current)
                shutil.copy(pointer, home)
        again = pipeline.build(apart, month, as_of)
        if again.name != vintage.name:
            return [f"重新计算得到另一版本 {again.name}:程序或软件包与运行时({vintage.name})不同。"]
        now, before = map(workspace.stored, (again, vintage))
    others = [Path(n).stem for n, sha in before.items() if now.get(n) != sha]
    return [f"数据表 {name} 重新计算的结果与所存的不同。" for name in others]
