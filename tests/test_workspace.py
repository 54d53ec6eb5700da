"""Vintages: never rewritten, never half there; months and folders; one writer at a time."""

import os
import pickle
import resource
import signal
import tempfile
import time
from datetime import datetime

import pandas as pd
import pytest
import soak
from conftest import table_of

from zcqlib import tables
from zcqlib.workspace import (
    Workspace,
    WorkspaceError,
    digest,
    own_digest,
    parse_month,
    write_atomic,
)

MONTH = pd.Period("2018-09", freq="M")


def series(value: float = 3.0, rows: int = 1) -> pd.DataFrame:
    return tables.shape(
        [
            dict(
                region="zone",
                indicator=f"x{i}",
                start="2018-09",
                end="2018-09",
                months=1,
                value=value,
                unit="件",
                published="2018-09",
            )
            for i in range(rows)
        ],
        tables.SERIES,
    )


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "data" / "raw" / "reference").mkdir(parents=True)
    return Workspace(tmp_path, demo=True)


@pytest.mark.parametrize(
    "text", ["2018-9", "2018年9月", "201809", "2018-13", "", "2018-09-01", "abcd-ef"]
)
def test_a_month_that_is_not_written_as_year_and_month_is_refused_with_an_example(text):
    with pytest.raises(WorkspaceError, match="2018-09 这样的年-月"):
        parse_month(text)


def test_a_folder_outside_any_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("ZCQ_ROOT", raising=False)
    with pytest.raises(WorkspaceError, match="data/raw/reference"):
        Workspace.find(start=tmp_path)


def test_a_table_out_of_shape_is_not_written(workspace):
    with pytest.raises(tables.TableError, match="unit"):
        workspace.commit(MONTH, {"SERIES": series().assign(unit="")}, {"a": 1})
    assert workspace.current(MONTH) is None


def test_the_same_recipe_writes_nothing_new_and_another_leaves_the_old_vintage_as_it_was(workspace):
    first = workspace.commit(MONTH, {"SERIES": series(3)}, {"inputs": {"a": "1"}})
    stamp = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in first.iterdir()}
    assert workspace.commit(MONTH, {"SERIES": series(99)}, {"inputs": {"a": "1"}}) == first
    second = workspace.commit(MONTH, {"SERIES": series(4)}, {"inputs": {"a": "2"}})
    assert second != first and table_of(workspace, "SERIES", MONTH).value.tolist() == [4]
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in first.iterdir()} == stamp
    assert workspace.commit(MONTH, {"SERIES": series(0)}, {"inputs": {"a": "1"}}) == first
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [3]


def test_a_month_seen_with_later_knowledge_stands_beside_the_month_itself(workspace):
    later = pd.Period("2018-10", freq="M")
    workspace.commit(MONTH, {"SERIES": series(3)}, {"v": 1})
    workspace.commit(MONTH, {"SERIES": series(5)}, {"v": 2}, as_of=later)
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [3]
    assert table_of(workspace, "SERIES", MONTH, later).value.tolist() == [5]
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


def in_a_process(job) -> str:
    """What a job says (or raises) in a process of its own, which may give up rights or room."""
    asked, answer = soak.FORK.Pipe()

    def work() -> None:
        try:
            answer.send(str(job()))
        except WorkspaceError as e:
            answer.send(f"refused: {e}")

    process = soak.FORK.Process(target=work)
    process.start()
    said = asked.recv() if asked.poll(30) else "nothing"
    process.join(30)
    return said


def test_a_full_disk_gives_a_message_and_leaves_nothing_half_written(workspace):
    workspace.commit(MONTH, {"SERIES": series(3)}, {"v": 1})

    def on_a_full_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        workspace.commit(MONTH, {"SERIES": series(4, rows=500)}, {"v": 2})

    assert "请检查磁盘空间" in in_a_process(on_a_full_disk)
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [3]
    assert not list((workspace.processed / "2018-09").glob(".new-*"))
    workspace.commit(MONTH, {"SERIES": series(4, rows=500)}, {"v": 2})
    assert table_of(workspace, "SERIES", MONTH).value.eq(4).all()


def test_a_folder_without_the_right_to_write_gives_a_message(workspace):
    workspace.commit(MONTH, {"SERIES": series(3)}, {"v": 1})
    for folder in (
        workspace.root,
        *workspace.root.parents,
    ):  # so that another user reaches the folder at all
        if (
            folder.is_relative_to(tempfile.gettempdir())
            and folder.owner() == workspace.root.owner()
        ):
            folder.chmod(0o755)

    def without_rights():
        if os.geteuid() == 0:
            os.setuid(65534)
        workspace.commit(MONTH, {"SERIES": series(4)}, {"v": 2})

    folders = [workspace.processed, workspace.processed / "2018-09"]
    try:
        for folder in folders:
            folder.chmod(0o555)
        said = in_a_process(without_rights)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert said.startswith("refused: 无法写入") and "写入权限" in said
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [3]


def test_a_pointer_that_another_program_holds_gives_a_message_and_the_old_vintage_stays(
    workspace, monkeypatch
):
    workspace.commit(MONTH, {"SERIES": series(3)}, {"v": 1})
    replace = os.replace

    def held(source, target):  # as Windows does for a file open in Excel
        if str(target).endswith("CURRENT"):
            raise PermissionError(13, "Permission denied", str(target))
        replace(source, target)

    monkeypatch.setattr("zcqlib.workspace.os.replace", held)
    with pytest.raises(WorkspaceError, match="CURRENT:Permission denied.*Excel"):
        workspace.commit(MONTH, {"SERIES": series(4)}, {"v": 2})
    monkeypatch.undo()
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [3]
    workspace.commit(MONTH, {"SERIES": series(4)}, {"v": 2})
    assert table_of(workspace, "SERIES", MONTH).value.tolist() == [4]


def test_a_step_is_done_once_again_when_its_copy_is_damaged_and_cleared_with_its_method(workspace):
    done = []

    def step():
        done.append(1)
        return {"SERIES": series(len(done))}

    first, again = (workspace.remember("m1/a", step)["SERIES"] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert len(done) == 1
    kept = workspace.processed / ".steps" / "m1" / "a"
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    assert workspace.remember("m1/a", step)["SERIES"].value.tolist() == [2]
    assert workspace.remembers("m1/a") and not workspace.remembers("m1/b")
    workspace.remember("m2/a", step)
    assert not workspace.remembers("m1/a") and workspace.remembers("m2/a")


class Planted:
    """What runs when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("shelf", [".steps", ".pictures"])
def test_a_planted_result_is_made_again_and_never_runs(workspace, tmp_path, shelf):
    mark, kept = tmp_path / "ran", workspace.processed / shelf / "m1" / "a"
    kept.parent.mkdir(parents=True)
    data = pickle.dumps(Planted(mark))
    kept.write_bytes(digest(data).encode() + data)
    assert workspace.remember("m1/a", lambda: {"png": b"x"}, shelf) == {"png": b"x"}
    assert not mark.exists()
    assert workspace.remember("m1/a", lambda: {}, shelf) == {"png": b"x"}  # from disk


def test_what_is_remembered_comes_back_alike_whether_it_was_kept_or_not_moments_as_text(workspace):
    when = datetime(2018, 9, 30)
    info = {"month": MONTH, "none": pd.NaT, "rows": [["甲", 1.5, None, when, when.date(), True]]}
    told = {"month": "2018-09", "none": "NaT"}
    told["rows"] = [["甲", 1.5, None, "2018-09-30 00:00:00", "2018-09-30", True]]
    parts = {"SERIES": series(3), "info": info, "nothing": None, "png": bytes(range(256))}
    for _ in range(2):
        back = workspace.remember("m1/a", lambda: parts)
        pd.testing.assert_frame_equal(back.pop("SERIES"), parts["SERIES"])
        assert back["info"] == told
        assert back["nothing"] is None and back["png"] == parts["png"]


def _hold(root, ready, done):
    with Workspace(root, demo=True).lock():
        ready.set()
        done.wait(20)


def test_a_second_run_is_refused_and_told_who_holds_the_lock(workspace):
    ready, done = soak.FORK.Event(), soak.FORK.Event()
    holder = soak.FORK.Process(target=_hold, args=(workspace.root, ready, done))
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


def test_a_writer_killed_at_a_random_moment_leaves_a_whole_vintage_and_the_next_one_succeeds(
    workspace,
):
    assert soak.killed_commits(workspace, 30) > 0


def test_two_that_write_the_same_vintage_at_once_both_get_it_and_a_writer_waits_for_its_turn(
    workspace,
):
    def commit() -> None:
        workspace.commit(MONTH, {"SERIES": soak.table(1)}, {"v": 1})

    ready, done = soak.FORK.Event(), soak.FORK.Event()
    holder = soak.FORK.Process(target=_hold, args=(workspace.root, ready, done))
    writers = [soak.FORK.Process(target=commit) for _ in range(4)]
    holder.start()
    assert ready.wait(20)
    for writer in writers:
        writer.start()
    done.set()
    for process in (holder, *writers):
        process.join(60)
    assert [w.exitcode for w in writers] == [0] * 4
    with workspace.lock():  # as the kernels of a run, which share its lock
        inside = [
            soak.FORK.Process(
                target=lambda: workspace.commit(MONTH, {"SERIES": soak.table(2)}, {"v": 2})
            )
            for _ in range(4)
        ]
        for process in inside:
            process.start()
        for process in inside:
            process.join(60)
    assert [p.exitcode for p in inside] == [0] * 4 and table_of(
        workspace, "SERIES", MONTH
    ).value.eq(2).all()
    assert len(list(soak.whole(workspace).parent.glob("[0-9a-f]*"))) == 2


def _read_until(workspace, done, told):
    wrong, reads = 0, 0
    while not done.is_set():
        tables = workspace.read_all(workspace.current(MONTH))
        values = set(tables["SERIES"].value) | set(tables["TO_DATE"].value)
        wrong, reads = wrong + (len(values) != 1), reads + 1
        time.sleep(0.01)  # twenty that never pause leave the writer no processor
    told.put((reads, wrong))


def test_readers_during_many_writes_each_see_one_vintage(workspace):
    workspace.commit(MONTH, {"SERIES": soak.table(0), "TO_DATE": soak.table(0)}, {"v": 0})
    done, told = soak.FORK.Event(), soak.FORK.Queue()
    readers = [
        soak.FORK.Process(target=_read_until, args=(workspace, done, told)) for _ in range(6)
    ]
    for reader in readers:
        reader.start()
    for i in range(1, 20):
        workspace.commit(MONTH, {"SERIES": soak.table(i), "TO_DATE": soak.table(i)}, {"v": i})
    done.set()
    seen = [told.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(30)
    assert sum(reads for reads, _ in seen) >= 6 and sum(wrong for _, wrong in seen) == 0


# as on Windows ------------------------------------------------------------------------------------------------------


def test_a_file_that_another_program_holds_for_a_moment_is_written_and_one_held_for_good_is_refused(
    tmp_path, monkeypatch
):
    refused, replace = [], os.replace

    def held(old, new):
        if len(refused) < 2:
            refused.append(new)
            error = PermissionError(13, "held")
            error.winerror = 32
            raise error
        replace(old, new)

    monkeypatch.setattr("zcqlib.workspace.os.replace", held)
    write_atomic(tmp_path / "a.txt", b"1")
    assert (tmp_path / "a.txt").read_bytes() == b"1" and len(refused) == 2
    refused.clear()
    monkeypatch.setattr("zcqlib.workspace.PATIENCE", -1)
    with pytest.raises(PermissionError):
        write_atomic(tmp_path / "b.txt", b"1")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_our_own_tables_are_the_same_whatever_the_line_ends_and_what_was_sent_is_not(tmp_path):
    for folder, same in (("reference", True), ("2018-09", False)):
        unix, windows = (tmp_path / folder / n for n in ("a.csv", "b.csv"))
        unix.parent.mkdir()
        unix.write_bytes(b"id\na\n")
        windows.write_bytes(b"id\r\na\r\n")
        assert (own_digest(unix) == own_digest(windows)) is same
