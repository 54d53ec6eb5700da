"""Is this machine fit for the monthly run? Each check says what was found and, where it is not well, what to do."""

from __future__ import annotations

import locale
import re
import shutil
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace

MEMORY, DISK = 2.0, 1.0  # GB that a run may need
DAY = 86_400
Checked = tuple[bool, str]  # whether it is well, and what was found


class Finding(NamedTuple):
    """One check: `name`, whether it is `well`, what was `found` and, if not well, what to `do`."""

    name: str
    well: bool
    found: str
    do: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """All checks in the order of a run; a check that itself breaks is a finding too."""
    out = []
    for name, (check, do) in CHECKS.items():
        try:
            well, found = check(workspace)
        except (OSError, ValueError, RuntimeError, ZcqError) as e:
            well, found = False, f"检查本身出错({type(e).__name__}:{e})"
            do = "请把这一行发给维护人员。"
        out.append(Finding(name, well, found, do))
    return out


def packages(workspace: Workspace) -> Checked:
    """Installed versions against the lock; a package that the lock gives in several versions may be any of them."""
    lock = workspace.root / "requirements.lock"
    if not lock.exists():
        return False, "没有 requirements.lock,请从完整的项目文件夹运行"
    pins: dict[str, set[str]] = {}
    lines = re.findall(r"(?m)^([\w.-]+)==(\S+)\s*(;[^\\\n]*)?", lock.read_text("utf-8"))
    for name, pinned, _ in lines:
        pins.setdefault(name, set()).add(pinned)
    always = {name for name, _, marker in lines if not marker}
    wrong = []
    for name, allowed in sorted(pins.items()):
        try:
            have = version(name)
        except PackageNotFoundError:
            wrong += [f"{name} 未安装"] * (name in always)
            continue
        if have not in allowed:
            wrong.append(f"{name} 为 {have},应为 {'或'.join(sorted(allowed))}")
    more = f" 等 {len(wrong)} 个" if len(wrong) > 5 else ""
    return not wrong, "、".join(wrong[:5]) + more or f"{len(pins)} 个与锁定版本一致"


def font(_: Workspace) -> Checked:
    from matplotlib.ft2font import FT2Font

    from zcqlib.figures.theme import font_path

    path = font_path()
    face = FT2Font(str(path))
    lacks = "".join(c for c in "创新区专利亿元㎡−①" if not face.get_char_index(ord(c)))
    return not lacks, f"{path.name} 缺字 {lacks}" if lacks else path.name


def kernel(workspace: Workspace) -> Checked:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from zcqlib.run import Kernel

    start = time.perf_counter()
    with Kernel(workspace.root) as running:
        problem, _ = running.execute(new_notebook(cells=[new_code_cell("1 + 1")]), workspace.root)
    took = time.perf_counter() - start
    return not problem, problem or f"{took:.1f} 秒启动并计算正常(nbformat {nbformat.__version__})"


def memory(_: Workspace) -> Checked:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    return free >= MEMORY, f"可用 {free:.1f} GB"


def disk(workspace: Workspace) -> Checked:
    free = shutil.disk_usage(workspace.root).free / 2**30
    return free >= DISK, f"剩余 {free:.1f} GB"


def encoding(_: Workspace) -> Checked:
    text = "utf-8" if sys.flags.utf8_mode else locale.getencoding()
    files = sys.getfilesystemencoding()
    well = files.lower() == "utf-8" and text.lower() in ("utf-8", "utf8")
    return well, f"文本 {text},文件名 {files}"


def permission(workspace: Workspace) -> Checked:
    refused = []
    for folder in (workspace.root / "data" / "processed", workspace.root / "figures"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as e:
            refused.append(f"{folder}({e.strerror})")
    return not refused, "不能写入 " + "、".join(refused) if refused else "可以写入"


def clock(workspace: Workspace) -> Checked:
    """A clock that is behind the files themselves cannot be right."""
    newest = max((p.stat().st_mtime for p in Path(workspace.reference).glob("*.csv")), default=0.0)
    behind, now = time.time() < newest - DAY, time.localtime()
    told = time.strftime("%Y-%m-%d %H:%M", now) + ",早于参考表的修改时间" * behind
    return not behind and 2024 <= now.tm_year < 2100, told


_AGAIN = "请删除 .venv 文件夹后运行:python setup_env.py setup"
CHECKS = {  # name, check, and what to do where it is not well
    "软件包": (packages, _AGAIN),
    "中文字体": (font, _AGAIN),
    "计算内核": (kernel, _AGAIN),
    "内存": (memory, f"至少需要 {MEMORY:g} GB,请关闭其他程序。"),
    "磁盘": (disk, f"至少需要 {DISK:g} GB,请清理磁盘。"),
    "编码": (encoding, "请设置环境变量 PYTHONUTF8=1(make 和 run.bat 会自动设置)。"),
    "写入权限": (permission, "请把项目放到自己有写入权限的文件夹,或请管理员授权。"),
    "时钟": (clock, "请校准系统日期和时间。"),
}
