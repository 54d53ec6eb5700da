"""The process apart in which files are read: limits of time and memory, and a new one where a file brought it down.

One process serves all files. Where the one that started it is gone, it ends with the file at hand.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from zcqlib.reports.grid import Refused
from zcqlib.tables import ZcqError

MEMORY = 850 * 2**20  # bytes that one file may take beyond what the process has
MEMORY_RATIO = 1000  # and more for large files: so many times their size
SECONDS, SECONDS_PER_MB = 2.5, 30  # of the processor; figures pressed well take about 18
PATIENCE = 30  # times as many seconds by the clock, for a process that only waits
_START = "import sys; sys.path[:0] = {path!r}; from zcqlib.reports import worker; worker.serve()"
_LOCK = threading.Lock()
_ALIVE: dict[int, subprocess.Popen] = {}  # by the id of the process that started it


def too_costly() -> Refused:
    return Refused(
        "too_large",
        "读取这份文件超出了时间或内存的上限,已停止,整份没有采用;内容可能有异常,请另存为 xlsx 后重新报送。",
    )


# a catalog is packed once, and is one and the same to all files that are read with it
_packed, _unpacked = lru_cache(maxsize=1)(pickle.dumps), lru_cache(maxsize=1)(pickle.loads)


def run(work: Callable, path: Path, context=None, *, otherwise: Callable[[Refused], object]):
    """What `work(path, context)` gives, done in the reading process; `otherwise` makes it of the refusal of a file over
    which the process ended."""
    size = path.stat().st_size if path.is_file() else 0
    if context is not None:
        context = replace(context, catalog=_packed(context.catalog))
    with _LOCK:
        process = _ALIVE.get(os.getpid())
        if process is None or process.poll() is not None:  # none yet, or gone meanwhile
            process = _ALIVE[os.getpid()] = _started()
        timer = threading.Timer(PATIENCE * _seconds(size), process.kill)
        timer.daemon = True
        timer.start()
        with suppress(OSError):  # it is gone, and gives no answer
            _send(process.stdin, (size, work, path.absolute(), context))
        result, fault, full = _receive(process.stdout) or (None, None, None)
        timer.cancel()
        if full is not False:
            stop()
    if full is None:
        return otherwise(too_costly())
    if fault is not None:
        raise fault
    return result


def _started() -> subprocess.Popen:
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", _START.format(path=[root, *sys.path])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    if _receive(process.stdout) != "ready":
        raise ZcqError("读取报表的进程不能启动,请运行 python -m zcqlib doctor 检查环境。")
    return process


@atexit.register
def stop() -> None:
    """End the reading process; the next file starts another."""
    if process := _ALIVE.pop(os.getpid(), None):
        with process:
            process.kill()


def _seconds(size: int) -> float:
    return SECONDS + SECONDS_PER_MB * size / 2**20


def _send(pipe, message: object) -> None:
    pickle.dump(message, pipe, protocol=5)
    pipe.flush()


def _receive(pipe) -> object:
    """The next message; None where there will be no more."""
    with suppress(EOFError, pickle.UnpicklingError, OSError):
        return pickle.load(pipe)


# in the reading process ----------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _send(answers, "ready")
    base = _taken()
    while (message := _receive(sys.stdin.buffer)) is not None:
        size, work, path, context = message
        _limit(size, base)
        try:
            if context is not None:
                context = replace(context, catalog=_unpacked(context.catalog))
            result, fault = work(path) if context is None else work(path, context), None
        except Exception as e:
            result, fault = None, e
        # what a large file leaves behind would be taken from the next one's memory
        _send(answers, (result, fault, _taken() > base + MEMORY // 4))
        del message, work, context, result, fault  # or the next file would have less


def _taken() -> int:
    """Bytes of memory that this process has; 0 where the system does not say."""
    with suppress(OSError):
        pages = Path("/proc/self/statm").read_text("ascii").split()[5]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _limit(size: int, base: int) -> None:
    """Set what the next file may take; where the system has no such limits the budgets of the readers stand alone."""
    try:
        import resource
    except ImportError:
        return
    spent = resource.getrusage(resource.RUSAGE_SELF)
    until = int(spent.ru_utime + spent.ru_stime + _seconds(size)) + 1
    limits = {resource.RLIMIT_CPU: until, resource.RLIMIT_CORE: 0}
    if base:
        more = max(MEMORY, min(MEMORY_RATIO * size, 3 * MEMORY))
        limits[resource.RLIMIT_DATA] = base + more
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))
