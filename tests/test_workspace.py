"""Vintages: never rewritten, never half there; months and folders; one writer at a time."""
import json
import multiprocessing
import os
import random
import signal
import time

import pandas as pd
import pytest

from zcqlib import tables
from zcqlib.workspace import Workspace, WorkspaceError, parse_month, write_atomic

MONTH = pd.Period("2018-09", freq="M")


def series(value: float = 3.0, rows: int = 1) -> pd.DataFrame:
    return tables.shape([dict(region="zone", indicator=f"x{i}", start="2018-09", end="2018-09", months=1, value=value,
                              unit="件", published="2018-09") for i in range(rows)], tables.SERIES)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "data" / "raw" / "reference").mkdir(parents=True)
    return Workspace(tmp_path, demo=True)


@pytest.mark.parametrize("text", ["2018-9", "2018年9月", "201809", "2018-13", "", "2018-09-01", "abcd-ef"])
def test_a_month_that_is_not_written_as_year_and_month_is_refused_with_an_example(text):
    with pytest.raises(WorkspaceError, match="2018-09 这样的年-月"):
        parse_month(text)


def test_a_folder_outside_any_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("ZCQ_ROOT", raising=False)
    with pytest.raises(WorkspaceError, match="data/raw/reference"):
        Workspace.find(start=tmp_path)


def test_a_month_that_was_never_run_names_the_command_that_makes_it(workspace):
    with pytest.raises(WorkspaceError, match="zcqlib run 2018-09 --demo"):
        workspace.read("SERIES", MONTH)


def test_a_table_out_of_shape_is_not_written(workspace):
    with pytest.raises(tables.TableError, match="unit"):
        workspace.commit(MONTH, {"SERIES": series().assign(unit="")}, {"a": 1})
    assert workspace.current(MONTH) is None


def test_the_same_recipe_writes_nothing_new_and_another_leaves_the_old_vintage_as_it_was(workspace):
    first = workspace.commit(MONTH, {"SERIES": series(3)}, {"inputs": {"a": "1"}})
    stamp = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in first.iterdir()}
    assert workspace.commit(MONTH, {"SERIES": series(99)}, {"inputs": {"a": "1"}}) == first
    second = workspace.commit(MONTH, {"SERIES": series(4)}, {"inputs": {"a": "2"}})
    assert second != first and workspace.read("SERIES", MONTH).value.tolist() == [4]
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in first.iterdir()} == stamp
    assert workspace.commit(MONTH, {"SERIES": series(0)}, {"inputs": {"a": "1"}}) == first
    assert workspace.read("SERIES", MONTH).value.tolist() == [3]


def test_a_month_seen_with_later_knowledge_stands_beside_the_month_itself(workspace):
    later = pd.Period("2018-10", freq="M")
    workspace.commit(MONTH, {"SERIES": series(3)}, {"v": 1})
    workspace.commit(MONTH, {"SERIES": series(5)}, {"v": 2}, as_of=later)
    assert workspace.read("SERIES", MONTH).value.tolist() == [3]
    assert workspace.read("SERIES", MONTH, later).value.tolist() == [5]
    assert workspace.figures(MONTH, later).name == "2018-09@2018-10"


def test_demo_and_real_tables_never_share_a_folder(workspace):
    real = Workspace(workspace.root)
    assert real.processed != workspace.processed and real.figures(MONTH) != workspace.figures(MONTH)
    assert workspace.raw.name == "demo" and real.raw.name == "raw"


def test_the_same_content_leaves_a_file_untouched(tmp_path):
    write_atomic(tmp_path / "a", b"1")
    before = (tmp_path / "a").stat().st_mtime_ns
    write_atomic(tmp_path / "a", b"1")
    assert (tmp_path / "a").stat().st_mtime_ns == before
    write_atomic(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"2" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_written_gives_a_message_and_leaves_nothing_half_written(workspace, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zcqlib.workspace.os.replace", full)
    with pytest.raises(WorkspaceError, match="请检查磁盘空间"):
        workspace.commit(MONTH, {"SERIES": series()}, {"v": 1})
    monkeypatch.undo()
    assert workspace.current(MONTH) is None
    workspace.commit(MONTH, {"SERIES": series()}, {"v": 1})
    assert sorted(p.name for p in (workspace.processed / "2018-09").iterdir() if p.name.startswith(".")) == []


def _hold(root, ready, done):
    with Workspace(root, demo=True).lock():
        ready.set()
        done.wait(20)


def test_a_second_run_is_refused_and_told_who_holds_the_lock(workspace):
    fork = multiprocessing.get_context("fork")
    ready, done = fork.Event(), fork.Event()
    holder = fork.Process(target=_hold, args=(workspace.root, ready, done))
    holder.start()
    try:
        assert ready.wait(20)
        with pytest.raises(WorkspaceError, match=f"进程号 {holder.pid}"), workspace.lock():
            pass
    finally:
        done.set()
        holder.join(20)
    with workspace.lock():
        assert (workspace.processed / ".lock-holder").read_text("utf-8") == f"进程号 {os.getpid()}"


def _write_many(root, start):
    workspace = Workspace(root, demo=True)
    for i in range(start, start + 50):
        with workspace.lock():
            workspace.commit(MONTH, {"SERIES": series(i, rows=20), "MORE": series(i, rows=20)}, {"v": i})


def test_a_writer_killed_at_a_random_moment_leaves_a_whole_vintage_and_the_next_one_succeeds(workspace):
    workspace.commit(MONTH, {"SERIES": series(-1, rows=20), "MORE": series(-1, rows=20)}, {"v": -1})
    fork, rng = multiprocessing.get_context("fork"), random.Random(1)
    for round_ in range(40):
        writer = fork.Process(target=_write_many, args=(workspace.root, 1000 * round_))
        writer.start()
        time.sleep(rng.uniform(0.005, 0.12))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        vintage = workspace.current(MONTH)
        record = json.loads((vintage / "vintage.json").read_text("utf-8"))
        both = workspace.read_all(vintage)
        assert set(both) == set(record["tables"]) == {"SERIES", "MORE"}
        assert both["SERIES"].value.eq(record["recipe"]["v"]).all() and both["MORE"].equals(both["SERIES"])
    with workspace.lock():
        workspace.commit(MONTH, {"SERIES": series(7)}, {"v": "after"})
    assert workspace.read("SERIES", MONTH).value.tolist() == [7]
    assert not list((workspace.processed / "2018-09").glob(".new-*"))
