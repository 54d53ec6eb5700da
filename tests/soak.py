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
    return pd.DataFrame({"value": [float(value)] * 200})


def commit_many(workspace: Workspace, start: int) -> None:
    for i in range(start, start + 10_000):
        with workspace.lock():
            workspace.commit(MONTH, {"ONE": table(i), "TWO": table(i)}, {"v": i})


def killed_commits(workspace: Workspace, rounds: int, seed: int = 1) -> int:
    """Kill a process that does nothing but commit, at random moments of its first commits; how often a new one stood.

    The time left to it follows what was found, so that a busy machine too is caught both before and after a commit.
    """
    workspace.commit(MONTH, {"ONE": table(-2), "TWO": table(-2)}, {"v": -2})
    start = time.monotonic()
    workspace.commit(MONTH, {"ONE": table(-1), "TWO": table(-1)}, {"v": -1})
    rng, last, changed, length = random.Random(seed), -1, 0, 3 * (time.monotonic() - start)
    for k in range(rounds):
        killed(lambda start=1 + k * 10_000: commit_many(workspace, start), rng.uniform(0, length))
        vintage = whole(workspace)
        now = workspace.recipe(vintage)["v"]
        tables = workspace.read_all(vintage)
        assert tables["ONE"].value.eq(now).all() and tables["TWO"].equals(tables["ONE"])
        assert now >= last, "a vintage went back"
        length *= 0.8 if now != last else 1.4
        changed, last = changed + (now != last), now
    workspace.commit(MONTH, {"ONE": table(7), "TWO": table(7)}, {"v": "after"})
    assert workspace.read("ONE", MONTH).value.eq(7).all()
    assert not list((workspace.processed / str(MONTH)).glob(".new-*")), "left by a killed run"
    return changed


def killed_runs(root: Path, times: int, seed: int = 1) -> list[str]:
    """Kill whole monthly runs on a copy of the project, each with another changed workbook; one line a kill."""
    import openpyxl

    for name in ("notebooks", "data/raw"):
        shutil.copytree(ROOT / name, root / name)
    workspace, rng, lines = Workspace(root, demo=True), random.Random(seed), []
    command = [sys.executable, "-m", "zcqlib", "run", str(MONTH), "--demo"]
    env = os.environ | {"ZCQ_ROOT": str(root), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}

    def run(seconds: float | None) -> int:
        job = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return job.wait(seconds)
        except subprocess.TimeoutExpired:
            job.kill()
            return job.wait()

    assert run(None) == 0
    book = next((root / "data" / "raw" / "demo" / str(MONTH)).glob("高新区*.xlsx"))
    start = time.monotonic()
    for k in range(times + 1):
        sheet = openpyxl.load_workbook(book)
        cell = next(c for row in sheet.worksheets[0].iter_rows() for c in row
                    if isinstance(c.value, int | float) and c.value > 100)
        cell.value += 1
        sheet.save(book)
        before, start = whole(workspace).name, time.monotonic()
        if k == 0:
            assert run(None) == 0  # how long an incremental run takes
            length = time.monotonic() - start
            continue
        moment = rng.uniform(0.05, 1.0) * length
        code = run(moment)
        after = whole(workspace).name
        lines.append(f"killed after {moment:5.1f} of {length:.1f} s (code {code}): "
                     + ("as before" if after == before else "as after"))
        assert run(None) == 0, "the next run must succeed by itself"
        assert whole(workspace).name != before
    return lines


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        changed = killed_commits(Workspace(Path(name), demo=True), 250)
        print(f"250 commits killed: always whole, {changed} times a new vintage had been reached")
    with tempfile.TemporaryDirectory() as name:
        for line in killed_runs(Path(name), 5):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
