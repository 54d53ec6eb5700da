"""The tables of a month are the same on every processor: linear algebra libraries pick their kernels by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SEPTEMBER

from zcqlib.workspace import digest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["SERIES", "PROJECTIONS", "QUANTILES", "TRAIL", "WHY", "ATTAINMENT", "RANKS"]
AVX512 = Path("/proc/cpuinfo")


def kernels() -> list[str]:
    """Kernels that this processor can run; the last one only where it has the instructions."""
    wide = AVX512.exists() and "avx512f" in AVX512.read_text("utf-8", errors="replace")
    return ["Haswell", "Zen", *(["SkylakeX"] if wide else [])]


@pytest.mark.parametrize("kernel", kernels())
def test_the_month_s_tables_are_equal_to_the_last_bit_on_another_kernel(demonstration, kernel):
    vintage = demonstration.current(SEPTEMBER)
    done = subprocess.run(
        [
            sys.executable,
            "tests/other_processor.py",
            str(ROOT),
            str(demonstration.processed),
            *NAMES,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    assert found == {n: digest(vintage / f"{n}.parquet") for n in NAMES}
