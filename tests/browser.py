"""Drive JupyterLab in a real browser: open each notebook, run all, move a control, see the figure change.

Run by `make test-browser`. Exit code 0 all well, 77 no browser to be had (the reason is printed), 1 a failure.
Screenshots stay in build/browser/.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "build" / "browser"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
SKIPPED = 77


def find_browser() -> str | None:
    """A Chromium or Chrome on this machine; on a Debian machine with root rights it is installed."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge"):
        if path := shutil.which(name):
            return path
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing chromium", flush=True)
        for command in (
            ["apt-get", "-qq", "update"],
            [
                "apt-get",
                "-qq",
                "install",
                "-y",
                "--no-install-recommends",
                "chromium",
                "fontconfig",
            ],
        ):
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                timeout=900,
            )
            if done.returncode:
                print(
                    f"SKIPPED: {' '.join(command)} failed: {' '.join(done.stderr.split())[-300:]}"
                )
                return None
        return shutil.which("chromium")
    print(
        "SKIPPED: no Chromium on this machine and none can be installed (needs apt-get and root rights)"
    )
    return None


def install_font(home: Path) -> None:
    """Page text needs a system font: put the bundled one where fontconfig looks, inside a throw-away home."""
    from zcqlib.figures import theme

    fonts = home / ".local" / "share" / "fonts"
    fonts.mkdir(parents=True)
    shutil.copy(theme.font_path(), fonts)
    if shutil.which("fc-cache"):
        subprocess.run(
            ["fc-cache", "-f", str(fonts)], env=os.environ | {"HOME": str(home)}, check=False
        )


def start_lab(home: Path) -> tuple[subprocess.Popen, str]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = os.environ | {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "ZCQ_ROOT": str(ROOT)}
    for name in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{name}_DIR"] = str(home / name.lower())
    shutil.copytree(ROOT / "notebooks", home / "notebooks")  # JupyterLab saves what it opens
    log = open(home / "lab.log", "w", encoding="utf-8")
    lab = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ip",
            "127.0.0.1",
            "--port",
            str(port),
            "--IdentityProvider.token=",
            "--notebook-dir",
            str(home),
            "--LabApp.expose_app_in_browser=True",
        ],
        env=env,
        stdout=log,
        stderr=log,
        cwd=ROOT,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{url}/api", timeout=2)
            return lab, url
        except OSError:
            if lab.poll() is not None:
                break
            time.sleep(0.25)
    raise SystemExit(f"JupyterLab did not start: {(home / 'lab.log').read_text('utf-8')[-1500:]}")


def run_all(page, url: str, name: str) -> dict:
    """Open one notebook, run every cell and wait until the kernel is idle again; returns what the page shows."""
    page.goto(f"{url}/lab/tree/notebooks/{name}?reset")
    page.wait_for_selector(
        ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell", timeout=90_000
    )
    page.wait_for_function(
        "() => document.querySelector('.jp-NotebookPanel') && window.jupyterapp", timeout=60_000
    )
    page.wait_for_function(
        """() => { const p = window.jupyterapp.shell.currentWidget;
        return p && p.context && p.context.isReady && p.sessionContext.session &&
               p.sessionContext.session.kernel && p.sessionContext.session.kernel.status === 'idle'; }""",
        timeout=90_000,
    )
    page.evaluate("""async () => { const p = window.jupyterapp.shell.currentWidget;
        await window.jupyterapp.commands.execute('notebook:run-all-cells'); }""")
    page.wait_for_function(
        """() => { const p = window.jupyterapp.shell.currentWidget;
        const cells = p.content.widgets.filter(w => w.model.type === 'code' && w.model.sharedModel.source.trim());
        return cells.every(w => w.model.executionCount) && p.sessionContext.session.kernel.status === 'idle'; }""",
        timeout=240_000,
    )
    page.wait_for_timeout(700)
    return page.evaluate("""() => { const p = window.jupyterapp.shell.currentWidget; let errors = [], images = 0;
        for (const w of p.content.widgets) if (w.model.type === 'code')
            for (let i = 0; i < w.model.outputs.length; i++) { const o = w.model.outputs.get(i);
                if (o.type === 'error') errors.push(JSON.stringify(o.toJSON().evalue));
                if (o.data && o.data['image/png']) images++; }
        return {errors, images}; }""")


def move_control(page) -> str:
    """Change the first drop-down that has a choice and wait for another picture; returns what was seen."""
    pictures = "[...document.querySelectorAll('.jp-OutputArea img')].map(i => i.src).join()"
    for control in page.locator(".widget-dropdown select").all():
        choices = control.locator("option").all_text_contents()
        if len(choices) < 2:
            continue
        control.scroll_into_view_if_needed()
        before, now = page.evaluate(f"() => {pictures}"), control.evaluate("s => s.selectedIndex")
        started = time.perf_counter()
        control.select_option(index=(now + 1) % len(choices))
        page.wait_for_function(f"b => {pictures} !== b", arg=before, timeout=90_000)
        return f"{choices[now]} -> {choices[(now + 1) % len(choices)]} in {time.perf_counter() - started:.2f} s"
    return "no drop-down"


def main() -> int:
    browser_path = find_browser()
    if browser_path is None:
        return SKIPPED
    from playwright.sync_api import TimeoutError, sync_playwright

    from zcqlib.run import notebooks

    SHOTS.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        install_font(Path(home))
        lab, url = start_lab(Path(home))
        try:
            with sync_playwright() as p:
                browser = p.chromium.launch(
                    executable_path=browser_path,
                    args=CHROMIUM_FLAGS,
                    env=os.environ | {"HOME": home},
                )
                page = browser.new_page(viewport={"width": 1500, "height": 1000})
                for path in notebooks(ROOT):
                    seen, moved = {"errors": [], "images": 0}, "waited in vain"
                    try:
                        seen = run_all(page, url, path.name)
                        moved = move_control(page)
                    except TimeoutError as e:
                        print(f"{path.name}: {e.message.splitlines()[0]}", flush=True)
                        failures.append(path.name)
                    page.screenshot(path=SHOTS / f"{path.stem}.png")
                    print(
                        f"{path.name}: {seen['images']} figures, control: {moved}, errors: {seen['errors']}",
                        flush=True,
                    )
                    if seen["errors"] or moved == "no drop-down":
                        failures.append(path.name)
                    page.evaluate(
                        "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
                    )
                menu = page.locator(".lm-MenuBar-itemLabel").first.inner_text()
                print(f"first menu: {menu}")
                if menu != "文件":
                    failures.append("menus are not in Chinese")
                browser.close()
        finally:
            lab.terminate()
            lab.wait(20)
    if failures:
        print(f"failed: {failures}")
        return 1
    print(
        f"{len(notebooks(ROOT))} notebooks run in a browser, screenshots in {SHOTS.relative_to(ROOT)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
