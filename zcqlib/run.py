"""The monthly run: tables first, then the notebooks in reused kernels, then one manifest of what was made.

A kernel is reused with a reset between notebooks, which saves its start and the imports; each notebook is also tested
alone in a fresh kernel, so nothing can leak from one to the next unnoticed. A notebook is run again only where its
text, the library, the reference tables or one of the tables that it read the last time have changed.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import nbformat
import pandas as pd

from zcqlib import attached, html_edition, pipeline
from zcqlib.figures import contact_sheet
from zcqlib.manifest import altered, counts, read_manifest
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, digest, own_digest, parse_month, write_atomic, written

log = logging.getLogger("zcqlib")

VERSIONED = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "matplotlib",
    "seaborn",
    "nbclient",
    "pyarrow",
)
# what notebooks import, once; it is then left out of the collections of garbage, two with each reset
WARM = "import gc, zcqlib.controls, zcqlib.meetings\ngc.freeze()"
RESET = """%reset -f
import matplotlib as _m, matplotlib.pyplot as _p
_p.close('all'); _m.rcdefaults(); del _m, _p
get_ipython().run_line_magic('matplotlib', 'inline')"""
TIMEOUT = 600  # seconds a notebook; a month takes a few
KERNELS = min(
    2, os.cpu_count() or 1
)  # a third one would only wait: the notebooks' own work is short


class ParameterError(ZcqError):
    """A notebook's parameters do not fit what the run was given."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one notebook: `state` is done, kept (nothing changed since the last run) or failed."""

    name: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a monthly run."""

    vintage: Path
    folder: Path
    outcomes: tuple[Outcome, ...]
    manifest: dict = field(repr=False)

    @property
    def failed(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.state == "failed"]


def parameter_cell(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ParameterError(
            f"{name}:应当正好有一个带 parameters 标签的单元格,找到 {len(cells)} 个。"
        )
    return cells[0]


def declared_parameters(notebook: nbformat.NotebookNode, name: str) -> dict[str, object]:
    """Names and defaults of the tagged cell, which holds plain assignments of literals only."""
    out = {}
    for node in ast.parse(parameter_cell(notebook, name).source).body:
        try:
            if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
                raise ValueError(ast.unparse(node))
            out[node.targets[0].id] = ast.literal_eval(node.value)
        except ValueError as e:
            raise ParameterError(
                f"{name}:参数单元格只能写「名称 = 常量」,找到:{ast.unparse(node)}"
            ) from e
    return out


def with_parameters(
    notebook: nbformat.NotebookNode, name: str, values: Mapping[str, object]
) -> nbformat.NotebookNode:
    """The notebook with values in its tagged cell.

    Raises
    ------
    ParameterError : a value's name is not declared there, its type differs from the default's, or a declared
        parameter is read by no other cell (it would look as if it did something).
    """
    notebook = nbformat.reads(nbformat.writes(notebook), 4)
    declared, cell = declared_parameters(notebook, name), parameter_cell(notebook, name)
    for key, value in values.items():
        if key not in declared:
            raise ParameterError(f"{name}:没有参数 {key},可用的是 {'、'.join(declared)}。")
        if type(value) is not type(declared[key]):
            raise ParameterError(
                f"{name}:参数 {key} 应为 {type(declared[key]).__name__},给的是 {value!r}。"
            )
    code = "\n".join(
        line
        for c in notebook.cells
        if c.cell_type == "code" and c is not cell
        for line in c.source.splitlines()
        if not line.lstrip().startswith(("%", "!"))
    )
    read = {
        n.id
        for n in ast.walk(ast.parse(code))
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    if unread := set(declared) - read:
        raise ParameterError(f"{name}:参数 {'、'.join(sorted(unread))} 没有被任何单元格使用。")
    cell.source = "\n".join(
        f"{key} = {values.get(key, default)!r}" for key, default in declared.items()
    )
    return notebook


class Kernel:
    """One kernel for many notebooks, with a reset between them; what they are `told` is as in `attached`."""

    def __init__(self, root: Path, **told: object):
        from jupyter_client.manager import KernelManager

        handle, name = tempfile.mkstemp(prefix="zcq-notes-")
        os.close(handle)
        self.notes = Path(name)
        env = os.environ | {
            "ZCQ_ROOT": str(root),
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }
        told |= dict(notes=name, locked=attached.now.locked)
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(
            extra_arguments=["--HistoryManager.enabled=False"], env=env, stderr=subprocess.DEVNULL
        )  # it warns of its loopback connection
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        for code in (WARM, f"from zcqlib import attached; attached.attach(**{told!r})"):
            self.client.execute_interactive(code, silent=True, store_history=False)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.notes.unlink(missing_ok=True)

    def execute(
        self, notebook: nbformat.NotebookNode, folder: Path
    ) -> tuple[str, dict[str, list[str]]]:
        """Run a notebook in place; returns "" or what went wrong, and what its cells noted: the files `saved`, the
        tables `read`, the months `asked` for, the figures `refused` and the sections that are `missing` data."""
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        self.notes.write_text("", "utf-8")
        self.client.execute_interactive(RESET, silent=True, store_history=False)
        runner = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            km=self.manager,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
        )
        runner.owns_km, runner.kc = False, self.client
        try:
            runner.execute(reset_kc=False, cleanup_kc=False)
            problem = ""
        except CellExecutionError as e:
            number = next(
                (
                    i
                    for i, c in enumerate(notebook.cells, 1)
                    if any(o.output_type == "error" for o in c.get("outputs", []))
                ),
                0,
            )
            problem = f"第 {number} 个单元格出错:{e.ename}:{e.evalue}"
        except CellTimeoutError:
            problem = f"运行超过 {TIMEOUT} 秒,已停止。"
        except DeadKernelError:
            problem = "计算内核中途退出,多半是内存不足。"
        _tidy(notebook)
        missing = _without_data(notebook)
        notes = [n.split(" ", 1) for n in dict.fromkeys(self.notes.read_text("utf-8").splitlines())]
        return problem, {"missing": missing} | {
            kind: sorted(what for k, what in notes if k == kind)
            for kind in ("saved", "read", "asked", "refused")
        }


STYLED, ADDRESS = re.compile(r"\bT_[0-9a-f]{5}(?=_|\b)"), re.compile(r" at 0x[0-9a-f]+(?=>)")
WIDGET = "application/vnd.jupyter.widget-view+json"


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Take out what would differ from run to run: counts across notebooks, ids of styled tables, addresses, and
    controls, whose ids are random and which no reader of the file could use without a kernel."""
    number = 0
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.execution_count is not None:
            number += 1
            cell.execution_count = number
            cell.outputs = [o for o in cell.outputs if WIDGET not in o.get("data", {})]
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = number
                for kind in {"text/html", "text/plain"} & set(output.get("data", {})):
                    output.data[kind] = ADDRESS.sub(
                        "", STYLED.sub(f"T_{number}", output.data[kind])
                    )


def _without_data(notebook: nbformat.NotebookNode) -> list[str]:
    """Headings of the sections that lack data; each sentence on that is left once a section."""
    section, told = "", {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            section = cell.source.splitlines()[0].lstrip("# ")
        missing = [o for o in cell.get("outputs", []) if o.get("metadata", {}).get("missing")]
        for output in missing:
            if (said := output.data["text/markdown"]) in told.setdefault(section, []):
                cell.outputs.remove(output)
            told[section].append(said)
    return list(told)


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def run_month(
    workspace: Workspace,
    month: pd.Period,
    as_of: pd.Period | None = None,
    *,
    force: bool = False,
    only: str = "",
    extra: Mapping[str, object] | None = None,
    tell: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Report:
    """Clean what was received, run the notebooks for a month and write figures and a manifest.

    `tell(what, done, of)` is called before each step, for a progress bar. `only` keeps the notebooks whose names
    begin with it. `extra` holds further parameters; one that no notebook declares stops the run.

    Raises
    ------
    ZcqError : the month has no reports, a table is not in shape, a parameter is unknown, unread or of another type.
    """
    given = {"PERIOD": str(month), "DEMO": workspace.demo, "AS_OF": str(as_of or month)}
    ready = prepared(workspace, only, given, extra or {})
    steps = len(ready) + 1

    with workspace.lock(), _logged(workspace, month, as_of):
        log.info("整理:读取 %s 及以前各月的报表", month)
        tell("读取并整理报表", 0, steps)
        vintage = pipeline.build(workspace, month, as_of)
        log.info(
            "整理:数据版本 %s%s",
            vintage.name,
            ",没有园区报表,只有公开数据" * pipeline.published_only(vintage),
        )
        folder = workspace.figures(month, as_of)
        before = read_manifest(folder)
        earlier = before.get("notebooks", {})
        with written(folder):
            made = _run_notebooks(
                workspace,
                vintage,
                folder,
                ready,
                {} if force else earlier,
                tell,
            )
            kept = earlier | made
            for name, old in earlier.items():
                _discard(folder, old["files"].keys() - kept[name]["files"].keys())
            outcomes = tuple(
                Outcome(n, e.pop("outcome"), e["message"]) for n, e in sorted(made.items())
            )
            pages = before.get("pages", {"files": {}})
            if any(o.state != "kept" for o in outcomes) or altered(folder, pages["files"]):
                tell("网页版", len(ready), steps)
                pages = _pages(folder)
            manifest = {
                "month": str(month),
                "as_of": str(as_of or month),
                "demo": workspace.demo,
                "vintage": vintage.name,
                "inputs": workspace.recipe(vintage)["inputs"],
                "rows": workspace.recipe(vintage, "rows"),
                "counts": counts(workspace.read_all(vintage)),
                "versions": versions(),
                "returns": _write_returns(workspace, month, vintage, folder, before),
                "pages": pages,
                "notebooks": (entries := dict(sorted((kept if only else made).items()))),
                "sections_without_data": sum(len(e.get("missing", ())) for e in entries.values()),
            }
            compared = before.pop("compared", 0)  # holds for what is the same as then
            same = before == json.loads(json.dumps(manifest))
            same = same and not altered(vintage, workspace.stored(vintage))
            manifest["compared"] = compared if same else 0
            _write_manifest(folder, manifest)
            complete = not only and all(o.state != "failed" for o in outcomes)
            if complete and not (manifest["compared"] or pipeline.published_only(vintage)):
                tell("核对各产出的数字", len(ready), steps)
                try:
                    manifest["compared"] = _compared(workspace, month, as_of or month, vintage)
                    _write_manifest(folder, manifest)
                except ZcqError as e:
                    log.error("核对:不一致")
                    outcomes += (Outcome("核对", "failed", str(e)),)
        log.info(
            "完成:%s",
            "、".join(f"{o.name} {o.state}" for o in outcomes if o.state != "kept") or "没有变化",
        )
    return Report(vintage, folder, outcomes, manifest)


def prepared(
    workspace: Workspace, only: str, given: Mapping[str, object], extra: Mapping[str, object] = {}
) -> dict[str, nbformat.NotebookNode]:
    """The notebooks whose names begin with `only`, by name, with what is given in their tagged cells, as far as they
    declare it; what is `extra` one of them must."""
    sources = {
        p.stem: nbformat.read(p, 4) for p in notebooks(workspace.root) if p.name.startswith(only)
    }
    if not sources:
        raise ZcqError(f"notebooks 文件夹里没有以「{only}」开头的笔记本。")
    declared = {name: declared_parameters(nb, name) for name, nb in sources.items()}
    if unknown := set(extra) - set().union(*declared.values()):
        raise ParameterError(f"没有笔记本使用参数 {'、'.join(sorted(unknown))}。")
    given = {**given, **extra}
    return {
        name: with_parameters(nb, name, {k: given[k] for k in given.keys() & declared[name]})
        for name, nb in sources.items()
    }


def _run_notebooks(
    workspace: Workspace,
    vintage: Path,
    folder: Path,
    ready: Mapping[str, nbformat.NotebookNode],
    before: Mapping[str, Mapping],
    tell: Callable[[str, int, int], None],
) -> dict[str, dict]:
    """One manifest entry a notebook; those whose grounds are the same as `before` are kept as they are."""
    basis = digest(
        f"{pipeline.code_hash()}{reference_digest(workspace)}{vintage.parent.name}".encode()
    )
    keys = {name: digest(f"{basis}{nbformat.writes(nb)}".encode()) for name, nb in ready.items()}
    made = {}
    for name, old in before.items():
        if (
            name in ready
            and old.get("key") == keys[name]
            and old["state"] == "done"
            and not altered(folder, old["files"])
            and old["grounds"] == grounds(workspace, vintage, old["grounds"])
        ):
            made[name] = old | {"outcome": "kept"}
    todo = iter(
        [name for name in reversed(ready) if name not in made]
    )  # those that take longest come first
    turn, of = threading.Lock(), len(ready) + 1

    def work() -> None:
        kernel = None
        try:
            while True:
                with turn:
                    name = next(todo, None)
                    if name is None:
                        return
                    tell(name, len(made) + 1, of)
                kernel = kernel or Kernel(workspace.root, vintage=str(vintage), controls=False)
                problem, notes = kernel.execute(ready[name], workspace.root / "notebooks")
                write_atomic(
                    folder / "notebooks" / f"{name}.ipynb", nbformat.writes(ready[name]).encode()
                )
                files = [f"notebooks/{name}.ipynb", *notes["saved"]]
                state = "failed" if problem else "done"
                log.info(
                    "笔记本:%s %s,图 %d 幅",
                    name,
                    "失败" if problem else "完成",
                    sum("png" in f for f in files),
                )
                log.debug("笔记本:%s 读了 %s", name, "、".join(notes["read"]))
                with turn:
                    made[name] = {
                        "key": keys[name],
                        "state": state,
                        "message": problem,
                        "outcome": state,
                        "missing": notes["missing"],
                        "grounds": grounds(workspace, vintage, [*notes["read"], *notes["asked"]]),
                        "files": {file: digest(folder / file) for file in files},
                    }
        finally:
            if kernel is not None:
                kernel.__exit__()

    hands = min(KERNELS, len(ready) - len(made))
    with ThreadPoolExecutor(hands or 1) as pool:
        for done in [pool.submit(work) for _ in range(hands)]:
            done.result()
    return made


def grounds(workspace: Workspace, vintage: Path, what: Iterable[str]) -> dict[str, str]:
    """What a notebook's result rests on, as it is now: the content of each table `MONTH/NAME` that it read, and the
    current vintage of each MONTH that it asked for."""
    own = workspace.recipe(vintage, "tables")
    out = {}
    for item in sorted(what):
        folder, _, table = item.partition("/")
        if table and folder == vintage.parent.name:
            out[item] = own.get(table, "")
        else:
            asked = workspace.current(*map(parse_month, folder.split("@")))
            out[item] = asked.name if asked else ""
    return out


def reference_digest(workspace: Workspace) -> str:
    """One hash over the reference tables, which every notebook sees through the catalog."""
    return digest(
        "".join(
            f"{p.name}{own_digest(p)}" for p in sorted(workspace.reference.glob("*.csv"))
        ).encode()
    )


@contextmanager
def _logged(workspace: Workspace, month: pd.Period, as_of: pd.Period | None) -> Iterator[None]:
    """Write the run's lines, with clock times, to the month's log; no content of any cell is ever among them."""
    path = workspace.processed / ".logs" / f"{workspace.figures(month, as_of).name}.log"
    with written(path):
        path.parent.mkdir(exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(log.level or logging.INFO)
    try:
        yield
    except ZcqError as e:
        log.error("停止:%s", type(e).__name__)
        raise
    finally:
        log.removeHandler(handler)
        handler.close()


def _write_returns(
    workspace: Workspace, month: pd.Period, vintage: Path, folder: Path, before: Mapping
) -> dict:
    """Write the return sheets of the month, those that would be the same left alone; gives their manifest entry."""
    key, old = digest((vintage.name + pipeline.code_hash()).encode()), before.get("returns", {})
    if old.get("key") == key and not altered(folder, old["files"]):
        return old
    made = {
        f"returns/{name}": content
        for name, content in pipeline.return_sheets(workspace, month, vintage).items()
    }
    for name, content in made.items():
        write_atomic(folder / name, content)
    _discard(folder, old.get("files", {}).keys() - made.keys())
    return {"key": key, "files": {name: digest(content) for name, content in sorted(made.items())}}


def _discard(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _pages(folder: Path) -> dict:
    """Write the HTML edition and the contact sheet; gives their manifest entry."""
    pages = html_edition.export((folder / "notebooks").glob("*.ipynb"), folder / "html")
    log.info("网页:%d 页", len(pages))
    if pictures := sorted(folder.glob("[0-9][0-9]_*.png")):
        pages.append(contact_sheet(pictures, folder / "contact.png"))
    return {"files": {p.relative_to(folder).as_posix(): digest(p) for p in pages}}


def _write_manifest(folder: Path, manifest: Mapping) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    write_atomic(folder / "manifest.json", text.encode())


def _compared(workspace: Workspace, month: pd.Period, known: pd.Period, vintage: Path) -> int:
    """How many numbers of the outputs were compared with the tables.

    Raises
    ------
    ZcqError : some output prints one otherwise.
    """
    from zcqlib import catalog, meetings  # slides and Word are slow to import
    from zcqlib.month import Month

    known_of = catalog.load(workspace.reference, month.year)
    n = meetings.check(Month(workspace, month, known, known_of, vintage))
    log.info("核对:%d 个数字与数据表一致", n)
    return n


def versions() -> dict[str, str]:
    return {"zcqlib": pipeline.code_hash()[:12]} | {name: version(name) for name in VERSIONED}
