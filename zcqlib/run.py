"""The monthly run: tables first, then every notebook in one kernel, then one manifest of what was made.

The kernel is reused with a reset between notebooks, which saves its start and the imports nine times; each notebook
is also tested alone in a fresh kernel, so nothing can leak from one to the next unnoticed.
"""
from __future__ import annotations

import ast
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import nbformat
import pandas as pd

from zcqlib import edition, line
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, digest, write_atomic

VERSIONED = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "seaborn", "nbclient", "pyarrow")
RESET = """%reset -f
import matplotlib as _m, matplotlib.pyplot as _p
_p.close('all'); _m.rcdefaults(); del _m, _p
get_ipython().run_line_magic('matplotlib', 'inline')"""
TIMEOUT = 600  # seconds a notebook; a month takes a few


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
        raise ParameterError(f"{name}:应当正好有一个带 parameters 标签的单元格,找到 {len(cells)} 个。")
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
            raise ParameterError(f"{name}:参数单元格只能写「名称 = 常量」,找到:{ast.unparse(node)}") from e
    return out


def with_parameters(notebook: nbformat.NotebookNode, name: str, values: Mapping[str, object]) -> nbformat.NotebookNode:
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
            raise ParameterError(f"{name}:参数 {key} 应为 {type(declared[key]).__name__},给的是 {value!r}。")
    code = "\n".join(line for c in notebook.cells if c.cell_type == "code" and c is not cell
                     for line in c.source.splitlines() if not line.lstrip().startswith(("%", "!")))
    read = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    if unread := set(declared) - read:
        raise ParameterError(f"{name}:参数 {'、'.join(sorted(unread))} 没有被任何单元格使用。")
    cell.source = "\n".join(f"{key} = {values.get(key, default)!r}" for key, default in declared.items())
    return notebook


class Kernel:
    """One kernel for all notebooks of a run, with a reset between them."""

    def __init__(self, root: Path):
        from jupyter_client.manager import KernelManager

        handle, name = tempfile.mkstemp(prefix="zcq-saved-")
        os.close(handle)
        self.saved = Path(name)
        env = os.environ | {"ZCQ_ROOT": str(root), "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                            "ZCQ_SAVED": name}
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(extra_arguments=["--HistoryManager.enabled=False"], env=env,
                                  stderr=subprocess.DEVNULL)  # it warns of its loopback connection
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.saved.unlink(missing_ok=True)

    def execute(self, notebook: nbformat.NotebookNode, folder: Path) -> tuple[str, list[str]]:
        """Run a notebook in place; returns "" or what went wrong, and the files that its cells saved."""
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        self.saved.write_text("", "utf-8")
        self.client.execute_interactive(RESET, silent=True, store_history=False)
        runner = NotebookClient(notebook, timeout=TIMEOUT, km=self.manager, record_timing=False,
                                resources={"metadata": {"path": str(folder)}})
        runner.owns_km, runner.kc = False, self.client
        try:
            runner.execute(reset_kc=False, cleanup_kc=False)
            problem = ""
        except CellExecutionError as e:
            number = next((i for i, c in enumerate(notebook.cells, 1) if any(
                o.output_type == "error" for o in c.get("outputs", []))), 0)
            problem = f"第 {number} 个单元格出错:{e.ename}:{e.evalue}"
        except CellTimeoutError:
            problem = f"运行超过 {TIMEOUT} 秒,已停止。"
        except DeadKernelError:
            problem = "计算内核中途退出,多半是内存不足。"
        _tidy(notebook)
        return problem, self.saved.read_text("utf-8").split()


WIDGET = "application/vnd.jupyter.widget-view+json"


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Take out what would differ from run to run: counts across notebooks, and controls, whose ids are random and which
    no reader of the file could use without a kernel."""
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


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def run_month(workspace: Workspace, month: pd.Period, as_of: pd.Period | None = None, *, force: bool = False,
              only: str = "", extra: Mapping[str, object] | None = None,
              tell: Callable[[str, int, int], None] = lambda what, done, of: None) -> Report:
    """Clean what was received, run the notebooks for a month and write figures and a manifest.

    `tell(what, done, of)` is called before each step, for a progress bar. `only` keeps the notebooks whose names
    begin with it. `extra` holds further parameters; one that no notebook declares stops the run.

    Raises
    ------
    ZcqError : the month has no reports, a table is not in shape, a parameter is unknown, unread or of another type.
    """
    given = {"PERIOD": str(month), "DEMO": workspace.demo, "AS_OF": str(as_of or month)} | dict(extra or {})
    paths = [p for p in notebooks(workspace.root) if p.name.startswith(only)]
    if not paths:
        raise ZcqError(f"notebooks 文件夹里没有以「{only}」开头的笔记本。")
    sources = {p.stem: nbformat.read(p, 4) for p in paths}
    declared = {name: declared_parameters(nb, name) for name, nb in sources.items()}
    if unknown := set(extra or {}) - set().union(*declared.values()):
        raise ParameterError(f"没有笔记本使用参数 {'、'.join(sorted(unknown))}。")
    ready = {name: with_parameters(nb, name, {k: v for k, v in given.items() if k in declared[name]})
             for name, nb in sources.items()}

    with workspace.lock():
        tell("读取并整理报表", 0, len(paths) + 1)
        vintage = line.build(workspace, month, as_of)
        folder = workspace.figures(month, as_of)
        before = read_manifest(folder)
        outcomes, made, kernel = [], {}, None
        try:
            for i, (name, nb) in enumerate(ready.items(), 1):
                tell(name, i, len(paths) + 1)
                key = digest((vintage.name + nbformat.writes(nb) + line.code_hash()).encode())
                old = before.get("notebooks", {}).get(name, {})
                if not force and old.get("key") == key and old.get("state") != "failed" and unchanged(folder, old):
                    made[name] = old
                    outcomes.append(Outcome(name, "kept"))
                    continue
                kernel = kernel or Kernel(workspace.root)
                problem, saved = kernel.execute(nb, workspace.root / "notebooks")
                write_atomic(folder / "notebooks" / f"{name}.ipynb", nbformat.writes(nb).encode())
                files = [f"notebooks/{name}.ipynb", *sorted(saved)]
                made[name] = {"key": key, "state": "failed" if problem else "done", "message": problem,
                              "files": {file: digest(folder / file) for file in files}}
                for gone in set(old.get("files", {})) - set(files):
                    (folder / gone).unlink(missing_ok=True)
                outcomes.append(Outcome(name, made[name]["state"], problem))
        finally:
            if kernel is not None:
                kernel.__exit__()
        if any(o.state != "kept" for o in outcomes):
            tell("网页版", len(paths), len(paths) + 1)
            edition.export((folder / "notebooks").glob("*.ipynb"), folder / "html")
        record = json.loads((vintage / "vintage.json").read_text("utf-8"))
        manifest = {"month": str(month), "as_of": str(as_of or month), "demo": workspace.demo, "vintage": vintage.name,
                    "inputs": record["recipe"]["inputs"], "rows": record["rows"], "versions": versions(),
                    "notebooks": dict(sorted((before.get("notebooks", {}) | made if only else made).items()))}
        write_atomic(folder / "manifest.json",
                     json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode())
    return Report(vintage, folder, tuple(outcomes), manifest)


def read_manifest(folder: Path) -> dict:
    """The month's manifest, {} where there is none yet."""
    try:
        return json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise ZcqError(f"{folder / 'manifest.json'} 已损坏,不能识别。请删除该文件后重新运行。") from e


def unchanged(folder: Path, entry: Mapping) -> bool:
    return all((folder / name).exists() and digest(folder / name) == sha for name, sha in entry["files"].items())


def versions() -> dict[str, str]:
    return {"zcqlib": line.code_hash()[:12]} | {name: version(name) for name in VERSIONED}


def verify(workspace: Workspace, month: pd.Period, as_of: pd.Period | None = None) -> list[str]:
    """Compare a month's inputs, tables and figures with its manifest; one sentence for each difference.

    Raises
    ------
    ZcqError : the month was never run.
    """
    folder = workspace.figures(month, as_of)
    manifest = read_manifest(folder)
    if not manifest:
        raise ZcqError(f"{month} 没有运行清单({folder / 'manifest.json'}),无从核对。请先运行该月。")
    wrong = []
    for name, sha in manifest["inputs"].items():
        path = workspace.root / name
        if not path.exists():
            wrong.append(f"输入 {name} 不见了。")
        elif digest(path) != sha:
            wrong.append(f"输入 {name} 与运行时不同。")
    vintage = workspace.current(month, as_of)
    if vintage is None or vintage.name != manifest["vintage"]:
        wrong.append(f"当前数据版本与清单所记 {manifest['vintage']} 不同。")
    else:
        for name, sha in json.loads((vintage / "vintage.json").read_text("utf-8"))["tables"].items():
            path = vintage / f"{name}.parquet"
            if not path.exists() or digest(path) != sha:
                wrong.append(f"数据表 {name} 与运行时不同或不见了。")
    for name, entry in manifest["notebooks"].items():
        for file, sha in entry["files"].items():
            if not (folder / file).exists():
                wrong.append(f"{name} 的产出 {file} 不见了。")
            elif digest(folder / file) != sha:
                wrong.append(f"{name} 的产出 {file} 与运行时不同。")
    return wrong
