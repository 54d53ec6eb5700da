"""The process apart in which files are read: limits of time and memory, and a new one where a file brought it down.

One process serves all files. It ends with the one that started it, whatever ends that.
"""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from zcqlib.catalog import Catalog
from zcqlib.reports.grid import Refused
from zcqlib.tables import ZcqError

T = TypeVar("T")
MEMORY = 850 * 2**20  # bytes that one file may take beyond what the process has
MEMORY_RATIO = 600  # and more for large files: so many times their size
SECONDS, SECONDS_PER_MB = 2.5, 12  # of the processor
PATIENCE = 30  # times as many seconds by the clock, for a process that only waits
_START = "import sys; sys.path[:0] = {path!r}; from zcqlib.reports import worker; worker.serve()"


def too_costly() -> Refused:
    return Refused(
        "too_large",
        "读取这份文件超出了时间或内存的上限,已停止,整份没有采用;内容可能有异常,请另存为 xlsx 后重新报送。",
    )


class _Worker:
    """A reading process, and the last catalog that it was given."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        self.owner, self.known = os.getpid(), None
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=[root, *sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        if _receive(self.process.stdout) != "ready":
            raise ZcqError("读取报表的进程不能启动,请运行 python -m zcqlib doctor 检查环境。")

    def ask(self, size: int, work: Callable, path: Path, context: object) -> object:
        """The answer to a job; None where the process ended over it. A catalog is sent once, not with each file."""
        catalog = getattr(context, "catalog", None)
        news = None
        if catalog is not None:
            news, self.known = None if catalog is self.known else catalog, catalog
            context = replace(context, catalog=None)
        patience = PATIENCE * (SECONDS + SECONDS_PER_MB * size / 2**20)
        timer = threading.Timer(patience, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            _send(self.process.stdin, (size, news, work, path, context))
            return _receive(self.process.stdout)
        except BrokenPipeError:
            return None
        finally:
            timer.cancel()

    def stop(self) -> None:
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()


_LOCK = threading.Lock()
_ALIVE: list[_Worker] = []


def run(
    work: Callable[..., T], path: Path, context=None, *, otherwise: Callable[[Refused], T]
) -> T:
    """What `work(path, context)` gives, done in the reading process; `otherwise` makes it of the refusal of a file over
    which the process ended."""
    size = path.stat().st_size if path.is_file() else 0
    with _LOCK:
        alive = _ALIVE and _ALIVE[0].owner == os.getpid() and _ALIVE[0].process.poll() is None
        if not alive:  # none yet, of the process that this one was split off, or gone meanwhile
            _ALIVE[:] = [_Worker()]
        answer = _ALIVE[0].ask(size, work, path.absolute(), context)
        if answer is None or answer[2]:
            _ALIVE.pop().stop()
    if answer is None:
        return otherwise(too_costly())
    result, fault, _ = answer
    if fault is not None:
        raise fault
    return result


@atexit.register
def stop() -> None:
    """End the reading process; the next file starts another."""
    while _ALIVE:
        _ALIVE.pop().stop()


def _send(pipe, message: object) -> None:
    pickle.dump(message, pipe, protocol=5)
    pipe.flush()


def _receive(pipe) -> object:
    """The next message; None where there will be no more."""
    try:
        return pickle.load(pipe)
    except (EOFError, pickle.UnpicklingError, OSError):
        return None


# in the reading process ----------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    known: Catalog | None = None
    jobs: queue.SimpleQueue = queue.SimpleQueue()

    def listen():
        while (message := _receive(sys.stdin.buffer)) is not None:
            jobs.put(message)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    _send(answers, "ready")
    base = _taken()
    while True:
        size, news, work, path, context = jobs.get()
        known = news if news is not None else known
        if context is not None:
            context = replace(context, catalog=known)
        _limit(size, base)
        try:
            answer = work(path, context) if context is not None else work(path), None
        except Exception as e:
            answer = None, e
        # what a large file leaves behind would be taken from the next one's memory
        answer = *answer, _taken() > base + MEMORY // 4
        del work, context
        _send(answers, answer)
        del answer  # or the next file would have less


def _taken() -> int:
    """Bytes of memory that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as fh:
            return next(int(x.split()[1]) * 1024 for x in fh if x.startswith("VmData"))
    except (OSError, StopIteration):
        return 0


def _limit(size: int, base: int) -> None:
    """Set what the next file may take; where the system has no such limits the budgets of the readers stand alone."""
    try:
        import resource
    except ImportError:
        return
    spent = resource.getrusage(resource.RUSAGE_SELF)
    until = spent.ru_utime + spent.ru_stime + SECONDS + SECONDS_PER_MB * size / 2**20
    more = max(MEMORY, min(MEMORY_RATIO * size, 3 * MEMORY))
    limits = {resource.RLIMIT_CPU: int(until) + 1, resource.RLIMIT_CORE: 0}
    if base:
        limits[resource.RLIMIT_DATA] = base + more
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))
