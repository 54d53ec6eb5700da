"""What a SIGKILL at a random moment leaves: `make soak`; the tests call the same functions with fewer rounds.

Whatever is killed, the current vintage is whole and either the one before or the one after, and the next run succeeds
with nothing cleaned up by hand.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from conftest import table_of

from zcqlib.tables import SERIES, shape
from zcqlib.workspace import Workspace, digest

ROOT = Path(__file__).resolve().parents[1]
MONTH = pd.Period("2018-09", freq="M")
FORK = multiprocessing.get_context("fork")


def killed(job: Callable[[], None], seconds: float) -> None:
    """Start a job in a process of its own and kill it after a while."""
    process = FORK.Process(target=job)
    process.start()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def whole(workspace: Workspace) -> Path:
    """The month's current vintage, each of its tables as its record says."""
    vintage = workspace.current(MONTH)
    record = json.loads((vintage / "vintage.json").read_text("utf-8"))
    assert {p.stem: digest(p) for p in vintage.glob("*.parquet")} == record["tables"], vintage
    return vintage


def table(value: float) -> pd.DataFrame:
    rows = [{"region": f"r{i}", "indicator": "i", "unit": "件", "value": value} for i in range(200)]
    return shape(
        pd.DataFrame(rows).assign(start=MONTH, end=MONTH, months=1, published=MONTH), SERIES
    )


def commit_many(workspace: Workspace, start: int) -> None:
    for i in range(start, start + 10_000):
        with workspace.lock():
            workspace.commit(MONTH, {"SERIES": table(i), "TO_DATE": table(i)}, {"v": i})


def killed_commits(workspace: Workspace, rounds: int, seed: int = 1) -> int:
    """Kill a process that does nothing but commit, at random moments of its first commits; how often a new one stood.

    The time left to it follows what was found, so that a busy machine too is caught both before and after a commit.
    """
    workspace.commit(MONTH, {"SERIES": table(-2), "TO_DATE": table(-2)}, {"v": -2})
    start = time.monotonic()
    workspace.commit(MONTH, {"SERIES": table(-1), "TO_DATE": table(-1)}, {"v": -1})
    rng, last, changed, length = random.Random(seed), -1, 0, 3 * (time.monotonic() - start)
    for k in range(rounds):
        killed(lambda start=1 + k * 10_000: commit_many(workspace, start), rng.uniform(0, length))
        vintage = whole(workspace)
        now = workspace.recipe(vintage)["v"]
        tables = workspace.read_all(vintage)
        assert tables["SERIES"].value.eq(now).all() and tables["TO_DATE"].equals(tables["SERIES"])
        assert now >= last, "a vintage went back"
        length *= 0.8 if now != last else 1.4
        changed, last = changed + (now != last), now
    workspace.commit(MONTH, {"SERIES": table(7), "TO_DATE": table(7)}, {"v": "after"})
    assert table_of(workspace, "SERIES", MONTH).value.eq(7).all()
    assert not list((workspace.processed / str(MONTH)).glob(".new-*")), "left by a killed run"
    return changed


def copied(root: Path) -> Workspace:
    for name in ("notebooks", "data/raw"):
        shutil.copytree(ROOT / name, root / name)
    return Workspace(root, demo=True)


def run(root: Path, seconds: float | None = None, *more: str) -> int:
    """A whole monthly run as a process of its own, killed after some seconds; its return code."""
    command = [sys.executable, "-m", "zcqlib", "run", str(MONTH), "--demo", *more]
    env = os.environ | {"ZCQ_ROOT": str(root), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    job = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return job.wait(seconds)
    except subprocess.TimeoutExpired:
        job.kill()
        return job.wait()


def correct(root: Path, sender: str = "高新区", by: float = 1) -> None:
    """One number of a sender's workbook changes."""
    import openpyxl

    book = next((root / "data" / "raw" / "demo" / str(MONTH)).glob(f"{sender}*.xlsx"))
    sheet = openpyxl.load_workbook(book)
    cell = next(
        c
        for row in sheet.worksheets[0].iter_rows()
        for c in row
        if isinstance(c.value, int | float) and c.value > 100
    )
    cell.value += by
    sheet.save(book)


def killed_runs(root: Path, times: int, seed: int = 1) -> list[str]:
    """Kill whole monthly runs on a copy of the project, each with another changed workbook; one line a kill."""
    workspace, rng, lines = copied(root), random.Random(seed), []
    assert run(root) == 0
    correct(root)
    start = time.monotonic()
    assert run(root) == 0
    length = time.monotonic() - start  # of an incremental run
    while len(lines) < times:
        correct(root)
        before, moment = whole(workspace).name, rng.uniform(0.05, 1.0) * length
        code = run(root, moment)
        after = whole(workspace).name
        if code == -signal.SIGKILL:
            lines.append(
                f"killed after {moment:5.1f} of {length:.1f} s: as {'before' if after == before else 'after'}"
            )
        else:  # it had ended by then
            length = min(length, moment)
        assert run(root) == 0, "the next run must succeed by itself"
        assert whole(workspace).name != before
    return lines


def outputs(root: Path) -> dict[str, str]:
    """Hash of each file that a month's run shows, by its name."""
    folder = Workspace(root, demo=True).figures(MONTH)
    return {p.relative_to(folder).as_posix(): digest(p) for p in folder.rglob("*") if p.is_file()}


def incremental_runs(root: Path) -> list[str]:
    """After each kind of change, what an incremental run shows is what a run from nothing shows, byte for byte."""
    workspace, lines = copied(root), []
    received = root / "data" / "raw" / "demo" / str(MONTH)
    reference = root / "data" / "raw" / "reference" / "indicators.csv"
    changes = {
        "a number in a park's workbook": lambda: correct(root),
        "a large change in a bureau's": lambda: correct(root, "市统计局", 1e4),
        "a park's workbook is missing": lambda: next(received.glob("牧野区*")).unlink(),
        "a reference table": lambda: reference.write_bytes(
            reference.read_bytes().replace("专利申请总量".encode(), "专利申请量合计".encode())
        ),
    }
    run(root)
    for what, change in changes.items():
        before = outputs(root)
        change()
        code, shown = run(root), outputs(root)
        shutil.rmtree(workspace.processed)
        shutil.rmtree(workspace.figures(MONTH))
        assert run(root) == code, what
        wrong = sorted(k for k, _ in shown.items() ^ outputs(root).items())
        assert not wrong, f"{what}: {wrong}"
        same = sum(before.get(k) == sha for k, sha in shown.items())
        lines.append(
            f"{what}: {len(shown)} files as from nothing, {same} of them as before the change"
        )
    return lines


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        changed = killed_commits(Workspace(Path(name), demo=True), 250)
        print(f"250 commits killed: always whole, {changed} times a new vintage had been reached")
    for job in (lambda root: killed_runs(root, 5), incremental_runs):
        with tempfile.TemporaryDirectory() as name:
            for line in job(Path(name)):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
