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
from pathlib import Path
from typing import TypeVar

from zcqlib.catalog import Catalog
from zcqlib.reports.grid import Refused
from zcqlib.tables import ZcqError

T = TypeVar("T")
MEMORY = 850 * 2**20  # bytes that one file may take beyond what the process has
MEMORY_RATIO = 600  # and more for large files: so many times their size
SECONDS, SECONDS_PER_MB = 2.5, 12  # of the processor
VM = {"RLIMIT_DATA": "VmData", "RLIMIT_AS": "VmSize"}  # limits, and what the system says of them
PATIENCE = 30  # times as many seconds by the clock, for a process that only waits
_START = "import sys; sys.path[:0] = {path!r}; from zcqlib.reports import worker; worker.serve()"


def too_costly() -> Refused:
    return Refused(
        "too_large",
        "读取这份文件超出了时间或内存的上限,已停止,整份没有采用;内容可能有异常,请另存为 xlsx 后重新报送。",
    )


class _Worker:
    """A reading process, and the catalogs that it has been given."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        self.owner, self.known = os.getpid(), []
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=[root, *sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        if _receive(self.process.stdout) != "ready":
            raise ZcqError("读取报表的进程不能启动,请运行 python -m zcqlib doctor 检查环境。")

    def ask(self, job: tuple, size: int) -> object:
        """The answer to a job; None where the process ended over it."""
        for part in job:
            catalog = getattr(part, "catalog", None)
            if catalog is not None and not any(catalog is k for k in self.known):
                self.known = [*self.known, catalog][-8:]
                _send(self.process.stdin, ("know", catalog), ())
        patience = PATIENCE * (SECONDS + SECONDS_PER_MB * size / 2**20)
        timer = threading.Timer(patience, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            _send(self.process.stdin, (size, *job), self.known)
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


def run(work: Callable[..., T], path: Path, *more, otherwise: Callable[[Refused], T]) -> T:
    """What `work(path, *more)` gives, done in the reading process; `otherwise` makes it of the refusal of a file over
    which the process ended."""
    size = path.stat().st_size if path.is_file() else 0
    with _LOCK:
        alive = _ALIVE and _ALIVE[0].owner == os.getpid() and _ALIVE[0].process.poll() is None
        if (
            not alive
        ):  # none yet, of the process that this one was split off, or gone while it waited
            _ALIVE.clear()
        if not _ALIVE:
            _ALIVE.append(_Worker())
        answer = _ALIVE[0].ask((work, path.absolute(), *more), size)
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


# what goes over the pipes --------------------------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    def __init__(self, file, known) -> None:
        super().__init__(file, protocol=5)
        self.known = known

    def persistent_id(self, o: object) -> int | None:
        if isinstance(o, Catalog):
            return next((i for i, k in enumerate(self.known) if k is o), None)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, known) -> None:
        super().__init__(file)
        self.known = known

    def persistent_load(self, id: int) -> Catalog:
        return self.known[id]


def _send(pipe, message: object, known: list | tuple = ()) -> None:
    _Pickler(pipe, known).dump(message)
    pipe.flush()


def _receive(pipe, known: list | tuple = ()) -> object:
    """The next message; None where there will be no more."""
    try:
        return _Unpickler(pipe, known).load()
    except (EOFError, pickle.UnpicklingError, OSError):
        return None


# in the reading process ----------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    known: list[Catalog] = []
    jobs: queue.SimpleQueue = queue.SimpleQueue()

    def listen() -> None:
        while (message := _receive(sys.stdin.buffer, known)) is not None:
            if message[0] == "know":
                known[:] = [*known, message[1]][-8:]
            else:
                jobs.put(message)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    _send(answers, "ready")
    base = {limit: _taken(what) for limit, what in VM.items()}
    while True:
        size, work, *arguments = jobs.get()
        _limit(size, base)
        try:
            answer = work(*arguments), None
        except Exception as e:
            answer = None, e
        # what a large file leaves behind would be taken from the next one's memory
        answer = *answer, any(_taken(VM[k]) > had + MEMORY // 4 for k, had in base.items())
        del work, arguments
        _send(answers, answer, known)
        del answer  # or the next file would have less


def _taken(what: str) -> int:
    """Bytes of memory that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as fh:
            return next(int(x.split()[1]) * 1024 for x in fh if x.startswith(what))
    except (OSError, StopIteration):
        return 0


def _limit(size: int, base: dict[str, int]) -> None:
    """Set what the next file may take; where the system has no such limits the budgets of the readers stand alone."""
    try:
        import resource
    except ImportError:
        return
    spent = resource.getrusage(resource.RUSAGE_SELF)
    until = spent.ru_utime + spent.ru_stime + SECONDS + SECONDS_PER_MB * size / 2**20
    more = max(MEMORY, min(MEMORY_RATIO * size, 3 * MEMORY))
    limits = {"RLIMIT_CPU": int(until) + 1, "RLIMIT_CORE": 0}
    limits |= {name: taken + more for name, taken in base.items() if taken}
    for name, limit in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))
