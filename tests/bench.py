"""The warm month against the same notebooks run by others, in one run: `make bench`.

Prints seconds and ratios for: our run (one reused kernel), papermill one notebook after another (a fresh kernel
each), and nbclient in two worker threads (fresh kernels). Tables exist beforehand for all three.
"""
from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pandas as pd

from zcqlib import run as monthly
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
MONTH = pd.Period("2018-09", freq="M")


def copy_project(folder: Path) -> Workspace:
    for name in ("notebooks", "data/raw"):
        shutil.copytree(ROOT / name, folder / name)
    return Workspace(folder, demo=True)


def ready(workspace: Workspace) -> dict[str, nbformat.NotebookNode]:
    given = {"PERIOD": str(MONTH), "DEMO": True, "AS_OF": str(MONTH)}
    out = {}
    for path in monthly.notebooks(workspace.root):
        nb = nbformat.read(path, 4)
        known = monthly.declared_parameters(nb, path.stem)
        out[path.stem] = monthly.with_parameters(nb, path.stem, {k: v for k, v in given.items() if k in known})
    return out


def seconds(job) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def with_papermill(workspace: Workspace, folder: Path) -> None:
    import papermill

    for name, nb in ready(workspace).items():
        path = folder / f"{name}.ipynb"
        nbformat.write(nb, path)
        papermill.execute_notebook(str(path), str(folder / f"{name}.out.ipynb"), cwd=str(workspace.root / "notebooks"),
                                   progress_bar=False, log_output=False)


def with_two_workers(workspace: Workspace) -> None:
    from nbclient import NotebookClient

    def one(nb):
        NotebookClient(nb, timeout=600, kernel_name="python3", resources={
            "metadata": {"path": str(workspace.root / "notebooks")}}).execute()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ready(workspace).values()))


def main() -> int:
    import os

    with tempfile.TemporaryDirectory() as name:
        workspace = copy_project(Path(name))
        os.environ["ZCQ_ROOT"] = name
        first = seconds(lambda: monthly.run_month(workspace, MONTH))
        ours = seconds(lambda: monthly.run_month(workspace, MONTH, force=True))
        kept = seconds(lambda: monthly.run_month(workspace, MONTH))
        print(f"first run of the month {first:6.1f} s (tables and notebooks)")
        print(f"warm month, forced     {ours:6.1f} s")
        print(f"nothing changed        {kept:6.1f} s  ({kept / ours:.2f} of the warm month)")
        try:
            import papermill  # noqa: F401

            other = seconds(lambda: with_papermill(workspace, Path(name)))
            print(f"papermill, in turn     {other:6.1f} s  ({other / ours:.1f} times ours)")
        except ImportError:
            print("papermill is a bench extra and not installed here: not compared")
        other = seconds(lambda: with_two_workers(workspace))
        print(f"nbclient, two workers  {other:6.1f} s  ({other / ours:.1f} times ours)")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of a kernel {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
