"""No process outlives the one that asked for it."""

import subprocess
import sys
import time

import psutil

ASKS = """
import time
from joblib import delayed
from zcqlib.pool import processes
processes(2)(delayed(time.sleep)(60) for _ in range(2))
"""


def test_workers_end_where_their_parent_is_killed():
    parent = psutil.Popen([sys.executable, "-c", ASKS], stderr=subprocess.DEVNULL)
    until, workers = time.monotonic() + 60, []
    while len(workers) < 2 and time.monotonic() < until:
        time.sleep(0.2)
        workers = [p for p in parent.children(True) if "LokyProcess" in str(p.cmdline())]
    time.sleep(1)  # until they sleep
    left = parent.children(recursive=True)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(left, timeout=5)
    assert len(workers) == 2 and alive == []
