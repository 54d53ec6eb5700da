"""A finished month is the same on every processor: linear algebra libraries pick their kernels by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import copy

ROOT = Path(__file__).resolve().parents[1]
CPU = Path("/proc/cpuinfo")
WIDE = CPU.exists() and "avx512f" in CPU.read_text("utf-8", errors="replace")


OTHER = "Zen" if os.environ.get("OPENBLAS_CORETYPE") == "Haswell" else "Haswell"


def kernels() -> list[str]:
    """Those that ZCQ_TEST_KERNELS names and this processor has the instructions for, by default one other."""
    wanted = os.environ.get("ZCQ_TEST_KERNELS", OTHER).split()
    return [k for k in wanted if WIDE or k != "SkylakeX"]


@pytest.mark.parametrize("kernel", kernels())
def test_all_tables_of_the_month_come_out_equal_to_the_last_bit_on_another_kernel_and_place(
    demonstration, kernel, tmp_path
):
    moved = copy(tmp_path / "另一处 folder", demonstration.root, "notebooks", "data", "figures")
    done = subprocess.run(
        [sys.executable, "-m", "zcqlib", "verify", "2018-09", "--demo"],
        cwd=moved.root,
        capture_output=True,
        encoding="utf-8",
        env=os.environ
        | {"OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
