"""Break report files at random and see that the reader stays whole: `make fuzz`.

Two parts. Known tables after random changes (as in test_reports_changes.py, more of them), and bytes: real and made-up files
with bits turned, pieces cut, doubled and swapped, outside and inside their packages, read by one lasting worker process. A
traceback, a worker that dies, takes over 10 s or over 1.5 GB, or a cell without an outcome is reported with its seed, and
its file is kept.

    python tests/fuzz.py [--files 20000] [--tables 2000] [--seed 0] [--minutes 60] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from report_changes import FORMS, table, try_one, write

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT.parent / "shared" / "samples" / "workbooks"
PATIENCE, MEMORY = 10, 1500  # seconds for a file, MiB for the worker
SLOW = f"more than {PATIENCE} s"
WORKER = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
from reports_made import add_up
from zcqlib.reports import Context, read_report
for line in sys.stdin:
    try:
        r = read_report(line.rstrip("\\n"), Context())
        add_up(r)
        fault = "; ".join(r.problems.loc[r.problems["code"] == "reader_failed", "message"])
    except Exception as e:
        fault = f"{type(e).__name__}: {e}"
    print(json.dumps([fault, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]), flush=True)
"""


class Worker:
    """The reading process; started anew where it died, hung or grew."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def read(self, path: Path) -> str:
        """What went wrong with one file, "" where nothing did; one that took too long is tried once more, since others
        may have held the machine."""
        fault = self._once(path)
        return self._once(path) if fault == SLOW else fault

    def _once(self, path: Path) -> str:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WORKER, str(ROOT / "tests")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
            )
            self._wait(path, 120)  # the first file also pays for the imports
        fault = self._wait(path, PATIENCE)
        if fault is None:
            return ""
        self.process.kill()
        self.process.wait()
        self.process = None
        return fault

    def _wait(self, path: Path, patience: float) -> str | None:
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], patience)[0]:
            return SLOW
        line = self.process.stdout.readline()
        if not line:
            return f"the worker died ({self.process.wait()})"
        fault, memory = json.loads(line)
        return fault or (f"{memory} MiB" if memory > MEMORY else None)


def corpus(folder: Path) -> list[Path]:
    """Real files where they are there, demo workbooks, and made-up ones in every form."""
    made = []
    for n, form in enumerate(FORMS * 2):
        place = folder / str(n)
        place.mkdir()
        made.append(write(table(random.Random(n)), place, form))
    return (
        made
        + sorted(SAMPLES.glob("s*.*"))
        + sorted((ROOT / "data" / "raw" / "demo").glob("2018-0[1-3]/*.xlsx"))[:8]
    )


def broken(raw: bytes, draw: random.Random, other: bytes) -> bytes:
    """Some bytes turned, cut, doubled, swapped or taken from another file."""
    data = bytearray(raw)
    for _ in range(draw.choice([1, 1, 2, 5, 20])):
        if not data:
            break
        at, size = draw.randrange(len(data)), draw.choice([1, 2, 4, 16, 200])
        kind = draw.randrange(7)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at : at + size] = draw.randbytes(size)
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size]
        elif kind == 4:
            data[at : at + size] = other[at % max(len(other), 1) :][:size]
        elif kind == 5:
            data[at : at + 4] = draw.choice(
                [b"\xff\xff\xff\xff", bytes(4), b"9999", b"\xff\xff\x00\x00"]
            )
        else:
            del data[at : at + 1 if draw.random() < 0.8 else None]
    return bytes(data)


def inside(raw: bytes, draw: random.Random, other: bytes) -> bytes:
    """A package with one of its parts broken; its checksums are right again."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as z:
            parts = {i.filename: z.read(i) for i in z.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        return broken(raw, draw, other)
    name = draw.choice(sorted(parts))
    parts[name] = broken(parts[name], draw, other)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for key, data in parts.items():
            z.writestr(key, data)
    return out.getvalue()


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, value in (("files", 20_000), ("tables", 2_000), ("seed", 0), ("minutes", 60)):
        ask.add_argument(f"--{name}", type=int, default=value)
    ask.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "zcq-fuzz")
    given = ask.parse_args()
    until, found = time.monotonic() + 60 * given.minutes, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = 0
        while tables < given.tables and time.monotonic() < until:
            for fault in try_one(given.seed + tables, folder)[:1]:
                found += 1
                print(fault)
            tables += 1
        print(f"{tables} changed tables", flush=True)
        files, worker, count = corpus(folder), Worker(), 0
        raws = [p.read_bytes() for p in files]
        for seed in range(given.seed, given.seed + given.files):
            if time.monotonic() > until:
                break
            draw = random.Random(seed)
            n = draw.randrange(len(files))
            change = inside if draw.random() < 0.6 else broken
            path = folder / f"x{files[n].suffix}"
            path.write_bytes(change(raws[n], draw, draw.choice(raws)))
            count += 1
            if fault := worker.read(path):
                found += 1
                given.keep.mkdir(parents=True, exist_ok=True)
                kept = given.keep / f"{seed}{path.suffix}"
                kept.write_bytes(path.read_bytes())
                print(f"seed {seed} {files[n].name}: {fault}; kept as {kept}", flush=True)
        if worker.process is not None:
            worker.process.kill()
    print(f"{count} broken files, {found} faults")
    return found > 0


if __name__ == "__main__":
    sys.exit(main())
