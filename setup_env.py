"""Set up the project and run one of its jobs, with nothing but Python 3.11 or newer.

    python setup_env.py run [MONTH ...]   the monthly run (without MONTH: the demo month 2018-09)
    python setup_env.py test              all tests
    python setup_env.py lab               JupyterLab in Chinese, opened on the start page
    python setup_env.py setup             the environment only
    python setup_env.py wheels FOLDER     fetch every package into FOLDER, to carry into a closed network
    python setup_env.py extra bench       add the packages of an extra of pyproject.toml that are not there yet
    python setup_env.py python ...        any Python command inside the environment

With `--wheels FOLDER` (or a folder `wheels` beside this file) nothing is fetched from a network.
The Makefile and run.bat only call this file. The standard library is all that it uses.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "zcqlib-installed"

JOBS = {
    "run": ["-m", "zcqlib", "run"],
    "test": [
        "-m",
        "pytest",
        "-n",
        "auto",
        "--maxprocesses",
        "4",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
    ],
    "lab": [
        "-m",
        "jupyterlab",
        "--notebook-dir",
        str(ROOT),
        "--LabApp.default_url=/lab/tree/notebooks/00_index.ipynb",
    ],
    "python": [],
}
LAB_SETTINGS = {
    "@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def child_env() -> dict[str, str]:
    """One BLAS thread (small problems run several times slower with more) and UTF-8 everywhere, also on Windows."""
    return os.environ | {
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
        "PYTHONUTF8": "1",
    }


def call(*command: object, check: bool = True, env: dict[str, str] | None = None) -> int:
    """Run a step and say every ten seconds that it is still at work; its exit code."""
    job, start = (
        subprocess.Popen([str(c) for c in command], cwd=ROOT, env=env or child_env()),
        time.monotonic(),
    )
    while True:
        try:
            code = job.wait(10)
            break
        except subprocess.TimeoutExpired:
            print(f"  ……仍在进行,已用 {time.monotonic() - start:.0f} 秒", flush=True)
    if check and code:
        sys.exit(
            f"安装步骤失败(退出码 {code}):{' '.join(map(str, command))}\n"
            "请把上面的输出发给维护人员;网络不通时可用 --wheels 指定离线安装包文件夹。"
        )
    return code


def locked(name: str) -> str:
    """The lock's own lines, hashes included, for one package."""
    found = re.search(rf"^{name}==.*?(?=^\S|\Z)", LOCK.read_text("utf-8"), re.M | re.S)
    return found.group(0) if found else ""


def install(wheels: Path | None) -> None:
    """Build .venv from the lock, every file checked against its hash; a finished build is kept."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    count = len(re.findall(r"(?m)^[\w.-]+==", LOCK.read_text("utf-8")))
    print("首次运行要建立运行环境(.venv),约需一分钟。\n第 1 步(共 3 步):建立虚拟环境", flush=True)
    if not PYTHON.exists() and subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
        sys.exit(
            "无法建立虚拟环境。Debian/Ubuntu 请先安装 python3-venv;其他系统请重装 Python 3.11 以上版本。"
        )
    source = f"离线,来自 {wheels}" if wheels else "下载并核对校验值"
    print(f"第 2 步:安装约 {count} 个软件包({source})", flush=True)
    if wheels:
        call(
            PYTHON,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--find-links",
            wheels,
            "--require-hashes",
            "-r",
            LOCK,
        )
    else:
        fetch_and_install()
    print("第 3 步:安装本项目,设置中文界面", flush=True)
    call(
        PYTHON,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-e",
        ROOT,
    )
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(LAB_SETTINGS), "utf-8")
    STAMP.write_text(wanted)


def uv_install(*what: object) -> int:
    """Install with uv into the environment, from the index that pip is set to; its exit code."""
    env = child_env()
    if (
        "UV_DEFAULT_INDEX" not in env
    ):  # uv does not read pip's settings, where analysts keep their mirror
        asked = subprocess.run(
            [str(PYTHON), "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True,
            text=True,
            env=env,
        )
        if asked.returncode == 0 and asked.stdout.strip():
            env["UV_DEFAULT_INDEX"] = asked.stdout.strip()
    return call(
        PYTHON, "-m", "uv", "pip", "install", "-q", "--python", PYTHON, *what, check=False, env=env
    )


def fetch_and_install() -> None:
    """Install from the configured package index: with uv where it can be had (twice as fast), else with pip."""
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(locked("uv"), "utf-8")
        have_uv = (
            call(
                PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", only_uv, check=False
            )
            == 0
        )
    if have_uv:
        if uv_install("--require-hashes", "--compile-bytecode", "-r", LOCK) == 0:
            return
    call(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK)


def add_extra(name: str) -> int:
    """Install an extra's packages, which are for comparisons and not in the lock; what the lock holds stays as it is,
    even where a peer asks for an older version (statsforecast does of pandas, and runs with the locked one)."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    if name not in extras:
        sys.exit(f"pyproject.toml 中没有附加组「{name}」,可用:{'、'.join(extras)}。")
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_bytes(
            subprocess.check_output([str(PYTHON), "-m", "pip", "freeze", "--exclude-editable"])
        )
        return uv_install("--override", pins, *extras[name])


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must still say so on an older one
        sys.exit(f"需要 Python 3.11 或更高版本,当前是 {sys.version.split()[0]}。请安装后重试。")
    wheels = ROOT / "wheels" if (ROOT / "wheels").is_dir() else None
    if arguments[:1] == ["--wheels"]:
        if len(arguments) < 2 or not Path(arguments[1]).is_dir():
            sys.exit("--wheels 后面要写离线安装包所在的文件夹。")
        wheels, arguments = Path(arguments[1]).resolve(), arguments[2:]
    job, rest = (arguments[0], arguments[1:]) if arguments else ("run", [])
    if job == "wheels":
        if len(rest) != 1:
            sys.exit("用法:python setup_env.py wheels 文件夹")
        return call(
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--require-hashes",
            "-r",
            LOCK,
            "-d",
            rest[0],
        )
    if job not in ("setup", "extra") and job not in JOBS:
        sys.exit(f"不认识的命令「{job}」,可用:{'、'.join(['setup', 'extra', 'wheels', *JOBS])}。")
    install(wheels)
    if job == "setup":
        return 0
    if job == "extra":
        return add_extra(rest[0] if rest else "")
    if job == "run" and not rest:
        rest = ["2018-09", "--demo"]
    if job == "lab" and hasattr(os, "geteuid") and os.geteuid() == 0:
        rest = ["--allow-root", *rest]
    return subprocess.run([str(PYTHON), *JOBS[job], *rest], cwd=ROOT, env=child_env()).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
