"""Is this machine fit for the monthly run? Each check says what was found and, where it is not well, what to do."""

from __future__ import annotations

import locale
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace

MEMORY, DISK = 2.0, 1.0  # GB that a run may need
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `name`, whether it is `well`, what was `found` and, if not well, what to `do`."""

    name: str
    well: bool
    found: str
    do: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """All checks in the order of a run; a check that itself breaks is a finding too."""
    checks: dict[str, Callable[[Workspace], Finding]] = {
        "Python": python,
        "软件包": packages,
        "中文字体": font,
        "计算内核": kernel,
        "内存": memory,
        "磁盘": disk,
        "编码": encoding,
        "写入权限": permission,
        "时钟": clock,
    }
    out = []
    for name, check in checks.items():
        try:
            out.append(check(workspace))
        except (OSError, ValueError, RuntimeError, ZcqError) as e:
            out.append(
                Finding(
                    name, False, f"检查本身出错({type(e).__name__}:{e})", "请把这一行发给维护人员。"
                )
            )
    return out


def python(_: Workspace) -> Finding:
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        sys.version.split()[0],
        "请安装 Python 3.11 或更高版本。",
    )


def packages(workspace: Workspace) -> Finding:
    """Installed versions against the lock; a package that the lock gives in several versions may be any of them."""
    lock = workspace.root / "requirements.lock"
    if not lock.exists():
        return Finding("软件包", False, "没有 requirements.lock", "请从完整的项目文件夹运行。")
    pins: dict[str, set[str]] = {}
    always = set()
    for name, pinned, marker in re.findall(
        r"(?m)^([\w.-]+)==(\S+)\s*(;[^\\\n]*)?", lock.read_text("utf-8")
    ):
        pins.setdefault(name, set()).add(pinned)
        if not marker:
            always.add(name)
    wrong = []
    for name, allowed in sorted(pins.items()):
        try:
            have = version(name)
        except PackageNotFoundError:
            wrong += [f"{name} 未安装"] if name in always else []
            continue
        if have not in allowed:
            wrong.append(f"{name} 为 {have},应为 {'或'.join(sorted(allowed))}")
    more = f" 等 {len(wrong)} 个" if len(wrong) > 5 else ""
    return Finding(
        "软件包",
        not wrong,
        "、".join(wrong[:5]) + more if wrong else f"{len(pins)} 个与锁定版本一致",
        "请删除 .venv 文件夹后运行:python setup_env.py setup",
    )


def font(_: Workspace) -> Finding:
    from matplotlib.ft2font import FT2Font

    from zcqlib.figures.theme import font_path

    path = font_path()
    lacks = [c for c in "创新区专利亿元㎡−①" if not FT2Font(str(path)).get_char_index(ord(c))]
    return Finding(
        "中文字体",
        not lacks,
        f"{path.name} 缺字 {''.join(lacks)}" if lacks else path.name,
        "请删除 .venv 文件夹后运行:python setup_env.py setup",
    )


def kernel(workspace: Workspace) -> Finding:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from zcqlib.run import Kernel

    start = time.perf_counter()
    with Kernel(workspace.root) as running:
        problem, _ = running.execute(new_notebook(cells=[new_code_cell("1 + 1")]), workspace.root)
    return Finding(
        "计算内核",
        not problem,
        problem
        or f"{time.perf_counter() - start:.1f} 秒启动并计算正常(nbformat {nbformat.__version__})",
        "请删除 .venv 文件夹后运行:python setup_env.py setup",
    )


def memory(_: Workspace) -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    return Finding(
        "内存", free >= MEMORY, f"可用 {free:.1f} GB", f"至少需要 {MEMORY:g} GB,请关闭其他程序。"
    )


def disk(workspace: Workspace) -> Finding:
    free = shutil.disk_usage(workspace.root).free / 2**30
    return Finding(
        "磁盘", free >= DISK, f"剩余 {free:.1f} GB", f"至少需要 {DISK:g} GB,请清理磁盘。"
    )


def encoding(_: Workspace) -> Finding:
    text, files = locale.getencoding(), sys.getfilesystemencoding()
    well = files.lower() == "utf-8" and (
        sys.flags.utf8_mode == 1 or text.lower() in ("utf-8", "utf8")
    )
    return Finding(
        "编码",
        well,
        f"文本 {'utf-8' if sys.flags.utf8_mode else text},文件名 {files}",
        "请设置环境变量 PYTHONUTF8=1(make 和 run.bat 会自动设置)。",
    )


def permission(workspace: Workspace) -> Finding:
    refused = []
    for folder in (workspace.root / "data" / "processed", workspace.root / "figures"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as e:
            refused.append(f"{folder}({e.strerror})")
    return Finding(
        "写入权限",
        not refused,
        "不能写入 " + "、".join(refused) if refused else "可以写入",
        "请把项目放到自己有写入权限的文件夹,或请管理员授权。",
    )


def clock(workspace: Workspace) -> Finding:
    """A clock that is behind the files themselves cannot be right."""
    newest = max((p.stat().st_mtime for p in Path(workspace.reference).glob("*.csv")), default=0.0)
    now = time.time()
    told = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    return Finding(
        "时钟",
        now > newest - DAY and 2024 <= time.localtime(now).tm_year < 2100,
        told if now > newest - DAY else f"{told},早于参考表的修改时间",
        "请校准系统日期和时间。",
    )
