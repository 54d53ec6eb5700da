"""The demonstration's September, run once for all test processes; files that take longest begin first."""

import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from zcqlib import run as monthly
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
SEPTEMBER = pd.Period("2018-09", freq="M")
FIRST = ("test_processors", "test_notebooks", "test_vintages", "test_goldens")
PATIENCE = 900  # seconds for another process to run the month


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in FIRST)


def copy(folder: Path, of: Path = ROOT, *parts: str) -> Workspace:
    """A project of its own: notebooks and reports, or other parts; with "data" of `demonstration` also its tables."""
    for part in parts or ("notebooks", "data/raw"):
        shutil.copytree(of / part, folder / part)
    return Workspace(folder, demo=True)


def table_of(workspace: Workspace, name: str, *when: pd.Period) -> pd.DataFrame:
    """A table of a month's current vintage."""
    return pd.read_parquet(workspace.current(*when) / f"{name}.parquet")


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory) -> Workspace:
    """A project in which the demonstration's September was run; never changed, see `copy`."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / "demonstration", base / "demonstration.done"
    try:
        folder.mkdir()
    except FileExistsError:
        until = time.monotonic() + PATIENCE
        while not done.exists():
            assert time.monotonic() < until, "the demonstration was not run in time"
            time.sleep(0.2)
    else:
        try:
            monthly.run_month(copy(folder), SEPTEMBER)
        finally:
            done.touch()
    return Workspace(folder, demo=True)
