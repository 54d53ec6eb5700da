"""The one door to tables on disk: where months lie, vintages that are never rewritten, atomic writes.

    data/processed/[demo/]<month>/<vintage>/TABLE.parquet     all tables of one vintage, with vintage.json
    data/processed/[demo/]<month>/CURRENT                     the vintage that the last run of that month made
    data/processed/[demo/].steps/                             results of single steps: only new input is worked on
    data/processed/[demo/].pictures/                          figures that were drawn and checked once
    data/processed/[demo/].logs/<month>.log                   what the runs of that month did, with clock times
    figures/[demo/]<month>/                                   what that month's run shows

A month that is looked at with later knowledge (`as_of`) stands beside it as `<month>@<as_of>`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from zcqlib import attached, tables
from zcqlib.reference import FOLDER, root
from zcqlib.tables import ZcqError

PATIENCE = 3  # seconds for another program to let go of a file
MONTH_FOLDER = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")
LOOSE = {".xlsx", ".xls", ".xlsm", ".et", ".ods", ".docx", ".doc", ".csv", ".html", ".zip", ".pdf"}


class WorkspaceError(ZcqError):
    """Something is not where it must be, or cannot be written."""


def parse_month(text: str | pd.Period, what: str = "月份") -> pd.Period:
    """`YYYY-MM` to a month; anything else is refused with an example."""
    if isinstance(text, pd.Period):
        return text.asfreq("M")
    try:
        if len(text) != 7 or text[4] != "-":
            raise ValueError(text)
        return pd.Period(text, freq="M")
    except ValueError as e:
        raise WorkspaceError(f"{what}「{text}」不能识别,应写成 2018-09 这样的年-月。") from e


@dataclass(frozen=True, slots=True)
class Workspace:
    """One project folder, seen either with real reports or with the made-up ones (`demo`)."""

    root: Path
    demo: bool = False
    made: Path | None = None  # tables go here instead, for a second computation beside the first

    @classmethod
    def find(cls, demo: bool = False, start: Path | None = None) -> Workspace:
        """The project that the environment variable ZCQ_ROOT names, or else the one around `start` (default: here).

        Raises
        ------
        WorkspaceError : no folder with data/raw/reference on the way up.
        """
        if folder := root(start):
            return cls(folder, demo)
        here = Path(start or Path.cwd()).resolve()
        raise WorkspaceError(
            f"从 {here} 往上找不到含 data/raw/reference 的项目文件夹;请在项目文件夹内运行。"
        )

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw" / ("demo" if self.demo else "")

    @property
    def reference(self) -> Path:
        return self.root / FOLDER

    @property
    def published(self) -> Path:
        return self.root / "data" / "raw" / "published"

    @property
    def processed(self) -> Path:
        return self.made or self.root / "data" / "processed" / ("demo" if self.demo else "")

    def figures(self, month: pd.Period, as_of: pd.Period | None = None) -> Path:
        return self.root / "figures" / ("demo" if self.demo else "") / self._folder(month, as_of)

    @staticmethod
    def _folder(month: pd.Period, as_of: pd.Period | None) -> str:
        return str(month) if as_of in (None, month) else f"{month}@{as_of}"

    def releases(self, month: pd.Period) -> list[Path]:
        """Folders of what was handed over of a month, oldest first."""
        found = self.figures(month).glob("release-*")
        return sorted(
            (p for p in found if (p / "release.json").exists()),
            key=lambda p: int(p.name.split("-")[1]),
        )

    def report_months(self) -> list[pd.Period]:
        """Months of which a report folder exists, oldest first."""
        folders = self.raw.iterdir() if self.raw.is_dir() else []
        return sorted(
            pd.Period(p.name, freq="M")
            for p in folders
            if MONTH_FOLDER.fullmatch(p.name) and p.is_dir()
        )

    def misplaced(self) -> list[tuple[str, str]]:
        """What looks like reports and stands outside a month's folder: its name, and a sentence that says what to do."""
        out, own = [], {"demo", "reference", "published"}
        for p in sorted(self.raw.iterdir()) if self.raw.is_dir() else ():
            if p.name.startswith((".", "_", "~$")) or MONTH_FOLDER.fullmatch(p.name):
                continue
            if p.is_dir() and p.name not in own:
                n = sum(q.is_file() for q in p.rglob("*"))
                said = f"文件夹「{p.name}」不是 2018-09 这样的月份,其中 {n} 个文件没有读取,请改成「年-月」。"
                out.append((p.name, said))
            elif p.is_file() and p.suffix.lower() in LOOSE and not self.demo:
                said = f"文件「{p.name}」没有放在月份文件夹里,没有读取,请移到 data/raw/年-月 下。"
                out.append((p.name, said))
        return out

    def received(self, month: pd.Period) -> list[Path]:
        """Report files of one month in the order of their names, whatever their type; system litter is left out."""
        folder = self.raw / str(month)
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))

    # tables ---------------------------------------------------------------------------------------------------------

    def current(self, month: pd.Period, as_of: pd.Period | None = None) -> Path | None:
        """Folder of the month's current vintage, None where the month was never run."""
        note(f"asked {self._folder(month, as_of)}")
        home = self.processed / self._folder(month, as_of)
        try:
            vintage = home / (home / "CURRENT").read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        return vintage if (vintage / "vintage.json").exists() else None

    @staticmethod
    def recipe(vintage: Path, part: str = "recipe") -> dict:
        """What a vintage was made of, as `commit` was told; or another part of its record: `rows`, `tables`."""
        return json.loads((vintage / "vintage.json").read_text("utf-8"))[part]

    def stored(self, vintage: Path) -> dict[str, str]:
        """The files of a vintage's tables and their hashes."""
        return {f"{t}.parquet": sha for t, sha in self.recipe(vintage, "tables").items()}

    def read_all(self, vintage: Path) -> dict[str, pd.DataFrame]:
        return {p.stem: pd.read_parquet(p) for p in sorted(vintage.glob("*.parquet"))}

    def existing(
        self, month: pd.Period, recipe: Mapping[str, object], as_of: pd.Period | None = None
    ) -> Path | None:
        """The vintage that this recipe once made, which becomes the current one again; None where there is none."""
        home = self.processed / self._folder(month, as_of)
        vintage = home / _vintage_name(recipe)
        if not (vintage / "vintage.json").exists():
            return None
        write_atomic(home / "CURRENT", vintage.name.encode())
        return vintage

    def commit(
        self,
        month: pd.Period,
        contents: Mapping[str, pd.DataFrame],
        recipe: Mapping[str, object],
        as_of: pd.Period | None = None,
    ) -> Path:
        """Write one vintage; the recipe (inputs, parameters, versions) names it, so the same recipe writes nothing.

        Tables of `zcqlib.tables` are checked first. Everything is written to a hidden folder, flushed, and then
        renamed in one step; the pointer CURRENT follows in another. A run killed between leaves the old vintage.

        Raises
        ------
        TableError, WorkspaceError : a table is not in shape; the disk is full or not writable.
        """
        if vintage := self.existing(month, recipe, as_of):
            return vintage
        for name, frame in contents.items():
            if name not in tables.VINTAGE:
                raise tables.TableError(f"{name} 表没有规定(zcqlib/tables.py),不能写入。")
            tables.check(frame, tables.VINTAGE[name], where=f"{month} {name}")
        home = self.processed / self._folder(month, as_of)
        vintage = home / _vintage_name(recipe)
        with self.lock(wait=60), written(home):
            if self.existing(month, recipe, as_of):  # another process has made it meanwhile
                return vintage
            try:
                with placed(vintage) as new:
                    for name, frame in contents.items():
                        frame.to_parquet(new / f"{name}.parquet")
                    record = {
                        "recipe": recipe,
                        "rows": {name: len(frame) for name, frame in contents.items()},
                        "tables": {name: digest(new / f"{name}.parquet") for name in contents},
                    }
                    text = json.dumps(record, sort_keys=True, ensure_ascii=False, indent=1)
                    (new / "vintage.json").write_text(text, "utf-8")
                    for path in new.iterdir():
                        _flush(path)
            except OSError:  # two kernels of one run share its lock: the other may have made it
                if not (vintage / "vintage.json").exists():
                    raise
            write_atomic(home / "CURRENT", vintage.name.encode())
        return vintage

    def remembers(self, key: str) -> bool:
        return (self.processed / ".steps" / key).exists()

    def remember(
        self, key: str, make: Callable[[], Mapping[str, object]], shelf: str = ".steps"
    ) -> dict[str, object]:
        """What `make` gives for a key that names all that it depends on, kept on disk; a damaged copy is made again.

        Key: `<method>/<step>`; the method's part holds the versions of code and packages. Steps of another method are
        cleared, since nothing will ask for them again.
        The parts are data frames, bytes, or what JSON can say: nothing that is read back can run.
        """
        path = self.processed / shelf / key
        try:
            data = path.read_bytes()
            if digest(data[64:]).encode() == data[:64]:
                return unpacked(data[64:])
        except (OSError, zipfile.BadZipFile):
            pass
        data = packed(make())
        with written(path):
            if not path.parent.exists():
                for old in path.parents[1].glob("*"):
                    shutil.rmtree(old, ignore_errors=True)
            write_atomic(path, digest(data).encode() + data, flush=False)
        return unpacked(data)  # the same whether it was kept or not

    @contextmanager
    def lock(self, wait: float = 0) -> Iterator[None]:
        """Only one process writes at a time; a second one waits some seconds, then is refused and told who holds it.

        The operating system drops the lock when its process ends, so a killed run leaves nothing to clean up. Inside
        a run, the lock of the run counts, also in its kernels.
        """
        if attached.now.locked == str(self.processed):
            yield
            return
        holder, lock = self.processed / ".lock-holder", self.processed / ".lock"
        with written(self.processed):
            self.processed.mkdir(parents=True, exist_ok=True)
            try:
                held = FileLock(lock).acquire(wait, 0.1)
            except Timeout as e:
                who = holder.read_text("utf-8") if holder.exists() else "未知进程"
                raise WorkspaceError(
                    f"另一次运行正在使用 {self.processed}({who})。请等它结束后重试。"
                ) from e
        with held:
            with written(holder):
                _sweep(self.processed)
                write_atomic(holder, f"进程号 {os.getpid()}".encode())
            # before: of another workspace, when tables are made again apart
            before = attached.attach(locked=str(self.processed))
            try:
                yield
            finally:
                attached.attach(locked=before.locked)
                holder.unlink(missing_ok=True)


def packed(parts: Mapping[str, object]) -> bytes:
    """Parts of a result as one file: data frames as Parquet, bytes as they are, the rest as JSON (moments as text)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, part in parts.items():
            if isinstance(part, pd.DataFrame):
                package.writestr(f"{name}.parquet", part.to_parquet())
            elif isinstance(part, bytes):
                package.writestr(f"{name}.bytes", part)
            else:
                text = json.dumps(part, ensure_ascii=False, default=str)
                package.writestr(f"{name}.json", text)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, object]:
    """The parts that `packed` was given; lists for tuples, texts for moments."""
    out: dict[str, object] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for entry in package.namelist():
            (name, _, kind), part = entry.rpartition("."), package.read(entry)
            if kind == "parquet":
                out[name] = pd.read_parquet(io.BytesIO(part))
            else:
                out[name] = part if kind == "bytes" else json.loads(part)
    return out


@contextmanager
def written(where: Path) -> Iterator[None]:
    """Turn what the system says about a full disk, a lack of rights or a file in use into a sentence."""
    try:
        yield
    except OSError as e:
        raise WorkspaceError(
            f"无法写入 {e.filename or where}:{e.strerror or e}。"
            "请检查磁盘空间、写入权限,以及文件是否被其他程序(如 Excel)占用。"
        ) from e


def note(what: str) -> None:
    """Tell the run what a notebook asked for or saved, one line each; outside a run nobody listens."""
    if attached.now.notes:
        with open(attached.now.notes, "a", encoding="utf-8") as fh:
            fh.write(what + "\n")


def _vintage_name(recipe: Mapping[str, object]) -> str:
    return digest(json.dumps(recipe, sort_keys=True, ensure_ascii=False).encode())[:16]


def digest(data: bytes | Path) -> str:
    """SHA-256 of bytes or of a file's content."""
    if isinstance(data, Path):
        with open(data, "rb") as fh:
            return hashlib.file_digest(fh, "sha256").hexdigest()
    return hashlib.sha256(data).hexdigest()


def write_atomic(path: Path, data: bytes, flush: bool = True) -> None:
    """Replace a file in one step; the same content leaves it untouched. `flush` waits until the disk has it."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as fh:
            fh.write(data)
            fh.flush()
            if flush:
                os.fsync(fh.fileno())
        os.chmod(name, 0o644)
        moved(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """A hidden folder to be filled, which then takes its place in one step, or is cleared away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        yield new
        new.chmod(0o755)
        moved(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def moved(source: str | Path, target: Path) -> None:
    """Put a file or folder in its place in one step; on Windows again for three seconds while another program has it."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError as e:
            if getattr(e, "winerror", None) not in (5, 32) or time.monotonic() > until:
                raise
            time.sleep(0.1)


def own_digest(path: Path) -> str:
    """SHA-256 of an input; of our own tables whatever the line ends, so that a checkout on Windows is the same."""
    own = path.suffix == ".csv" and path.parent.name in ("reference", "published")
    return digest(path.read_bytes().replace(b"\r\n", b"\n")) if own else digest(path)


def _sweep(processed: Path) -> None:
    """Clear what a killed run left; living ones are kept out by the lock."""
    for left in [*processed.glob(".new-*"), *processed.glob("*/.new-*")]:
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with open(path, "rb+") as fh:
        os.fsync(fh.fileno())
