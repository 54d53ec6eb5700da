"""From a folder of received files to readings: a file is its path, its sender is what all say, and nothing stops a month."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import pipeline, tables
from zcqlib.reports import Context, Refused, members, read_report, senders, worker
from zcqlib.reports.files import decode
from zcqlib.reports.grid import Sheet
from zcqlib.workspace import Workspace

ROOT = Path(__file__).parents[1]
MAY, JUNE = (pd.Period(m, "M") for m in ("2018-05", "2018-06"))
REPORT = "专利申请量（件）,\n园区,2018年{}月\n{},{}\n"


@pytest.fixture
def workspace(tmp_path):
    shutil.copytree(ROOT / "data/raw/reference", tmp_path / "data/raw/reference")
    (tmp_path / "data/raw/published").mkdir()
    return Workspace(tmp_path)


def put(workspace, name: str, text: str | bytes) -> Path:
    path = workspace.raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_all(workspace, until=JUNE):
    catalog = catalogs.load(workspace.reference)
    files = pipeline.received(workspace, until, catalog)
    made_of = pipeline.recipe(workspace, until, until, files["path"])
    return pipeline.read_all(workspace, files, catalog, made_of)


def test_one_name_in_two_months_and_two_folders_is_three_files(workspace):
    put(workspace, "2018-05/红旗区报表.csv", REPORT.format(5, "红旗区", 3))
    put(workspace, "2018-06/红旗区报表.csv", REPORT.format(6, "红旗区", 4))
    put(workspace, "2018-06/补报/红旗区报表.csv", REPORT.format(6, "红旗区", 5))
    files, readings = read_all(workspace)
    names = ["2018-05/红旗区报表.csv", "2018-06/红旗区报表.csv", "2018-06/补报/红旗区报表.csv"]
    assert files["file"].tolist() == names and files["file_hash"].str.len().eq(64).all()
    assert [r.observations[["file", "value"]].values.tolist() for r in readings] == [
        [[n, v]] for n, v in zip(names, (3.0, 4.0, 5.0), strict=True)
    ]


def test_the_path_is_as_given_where_a_file_is_read_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a").mkdir()
    Path("a/红旗区.csv").write_text(REPORT.format(6, "红旗区", 3), "utf-8")
    r = read_report(Path("a/红旗区.csv"), Context())
    assert {f for t in (r.observations, r.cells) for f in t["file"]} == {"a/红旗区.csv"}


def test_a_zip_of_reports_is_opened_and_each_has_its_own_sender(workspace):
    zipped = put(workspace, "2018-06/六月.zip", b"")
    with zipfile.ZipFile(zipped, "w") as z:
        z.writestr("高新区6月.csv", REPORT.format(6, "高新区", 7))
        z.writestr("报表/红旗区6月.csv", REPORT.format(6, "红旗区", 4))
        z.writestr("__MACOSX/._高新区6月.csv", b"x")
    files, readings = read_all(workspace)
    assert files[["file", "sender"]].values.tolist() == [
        ["2018-06/六月.zip/报表/红旗区6月.csv", "hongqi"],
        ["2018-06/六月.zip/高新区6月.csv", "gaoxin"],
    ]
    assert [r.observations["value"].tolist() for r in readings] == [[4.0], [7.0]]
    whole = read_report(zipped)
    assert len(whole.observations) == 2 and whole.info["kind"] == "zip"


def test_names_that_old_windows_wrote_in_a_zip_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        z.writestr("ZZZZZZ.csv", "x")
    raw = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(raw.replace(b"ZZZZZZ", "红旗区".encode("gbk")))
    assert [p.name for p in members(tmp_path / "a.zip")] == ["红旗区.csv"]


def test_two_parts_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as z:
        for text in ("<a/>", "<b/>"):
            z.writestr("xl/workbook.xml", text)
    r = read_report(tmp_path / "a.xlsx")
    assert r.problems["code"].tolist() == ["corrupt"] and "同名" in r.problems["message"][0]


@pytest.mark.parametrize(
    ("name", "start", "word"),
    [
        ("a.pdf", b"%PDF-1.4", "PDF"),
        ("a.rar", b"Rar!\x1a\x07", "RAR"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "7z"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "图片"),
        ("报表.xlsx", b"\x89PNG\r\n\x1a\n", "图片"),
        ("a.bmp", b"BM\x00\x00\x00\x00", "图片"),
        ("a.rtf", rb"{\rtf1 2018}", "RTF"),
    ],
)
def test_what_is_no_table_is_named_with_what_to_ask_for(tmp_path, name, start, word):
    (tmp_path / name).write_bytes(start + b"\x00\x01" * 40)
    p = read_report(tmp_path / name).problems
    assert p["code"].tolist() == ["unsupported"]
    assert word in p["message"][0] and "请" in p["message"][0]


def test_a_quote_that_is_never_closed_costs_its_own_field_only(tmp_path):
    rows = '专利申请量(件)\n园区,2018年5月,2018年6月\n高新区,10,12\n红旗区,3,"4\n牧野区,7,8\n平原示范区,1,2\n'
    (tmp_path / "a.csv").write_text(rows, "utf-8")
    r = read_report(tmp_path / "a.csv")
    assert r.observations["value"].tolist() == [10, 12, 3, 7, 8, 1, 2]
    told = r.problems[r.problems["code"] == "unclosed_quote"]
    assert told[["severity", "cell", "raw"]].values.tolist() == [["error", "C4", '"4']]
    assert "第 4 行" in told["message"].iloc[0]


@pytest.mark.parametrize(
    "rows",
    [
        '"专利\n申请量(件)",\n园区,2018年6月\n"高新\n区",12\n',
        '专利申请量(件),\n园区,"2018年\n6月"\n高新区,"12"\n',
    ],
)
def test_quoted_line_ends_are_no_fault(tmp_path, rows):
    (tmp_path / "a.csv").write_text(rows, "utf-8")
    r = read_report(tmp_path / "a.csv")
    assert r.observations["value"].tolist() == [12.0] and "unclosed_quote" not in set(
        r.problems["code"]
    )


def test_a_quote_closed_rows_later_took_in_whole_rows(tmp_path):
    (tmp_path / "a.csv").write_text(
        '专利申请量(件)\n园区,2018年5月,2018年6月\n高新区,"10,12\n红旗区,3,4\n牧野区,7,8"\n平原示范区,1,2\n',
        "utf-8",
    )
    r = read_report(tmp_path / "a.csv")
    assert {3.0, 4.0, 1.0, 2.0} <= set(r.observations["value"])
    assert r.problems["code"].eq("unclosed_quote").sum() == 1


@pytest.mark.parametrize("encoding", ["big5", "utf-16-le", "utf-16-be"])
def test_other_encodings_without_a_mark_are_read(encoding):
    text = "專利申請統計表,2018年6月\n園區,專利授權數量\n高新區,31\n紅旗區,12\n"
    assert decode(text.encode(encoding))[:2] == (text, {"big5": "cp950"}.get(encoding, encoding))


# senders -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said", "inside", "sender"),
    [
        ("高新区科技局2018年9月报表.xlsx", "", (), "gaoxin"),
        ("红旗区统计局2018年9月报表.xlsx", "", (), "hongqi"),
        ("牧野区政府财政局9月.xlsx", "", (), "muye"),
        ("市科技局2018年9月报表.xlsx", "", (), "kjj"),
        ("新乡市科技局9月.xlsx", "", (), "kjj"),
        ("新乡高新技术产业开发区9月.xlsx", "", (), "gaoxin"),
        ("郑州高新区9月.xlsx", "", (), ""),
        ("郑州市科技局9月.xlsx", "", (), ""),
        ("卫滨区科技局9月.xlsx", "", (), ""),
        ("省统计局9月.xlsx", "", (), ""),
        ("高新区、经开区9月.xlsx", "", (), ""),
        ("高新区、经开区9月.xlsx", "经开区管委会", (), "jingkai"),
        ("报表.xlsx", "红旗区科技局", (), "hongqi"),
        ("报表.xlsx", "经济发展科", (), ""),
        ("高新区9月.xlsx", "经济发展科", ("gaoxin",), "gaoxin"),
        ("高新区9月.xlsx", "红旗区政府", (), ""),
        ("高新区9月.xlsx", "郑州高新区", (), ""),
        ("高新区9月.xlsx", "", ("hongqi",), ""),
        ("高新区9月.xlsx", "", ("hongqi", "gaoxin"), "gaoxin"),
        ("市知识产权局9月.xlsx", "", ("hongqi", "gaoxin"), "zscqj"),
    ],
)
def test_a_sender_is_what_name_line_and_places_agree_on(name, said, inside, sender):
    found, why = senders.decide(name, said, inside, catalogs.load())
    assert found == sender and bool(why) == (sender == "")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["2018年月报"], ["填报单位：高新区管委会", "", "2018年"]], "高新区管委会"),
        ([["填报单位（盖章）", "红旗区科技局"]], "红旗区科技局"),
        ([["园区", "填报"], ["高新区", 5]], ""),
    ],
)
def test_the_line_of_the_sender_is_found(rows, said):
    assert senders.stated([Sheet("", rows)]) == said


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("非最终稿", "最终稿"),
        ("未定稿", "定稿"),
        ("第三版", "第十二版"),
        ("第九次修订", "第二十次修订"),
        ("v2", "v10"),
        ("v1.2", "v1.10"),
        ("初步", "报表"),
        ("报表", "终稿"),
    ],
)
def test_submissions_are_in_the_order_that_their_names_say(earlier, later):
    assert senders.order(f"高新区{earlier}.xlsx") < senders.order(f"高新区{later}(1).xlsx")


def test_the_figures_of_an_unknown_sender_wait_and_are_counted(workspace):
    put(workspace, "2018-06/郑州高新区.csv", REPORT.format(6, "高新区", 7))
    put(workspace, "2018-06/~$红旗区.xlsx", b"x" * 165)
    files, (second, first) = read_all(workspace)
    assert files["sender"].tolist() == ["", ""]
    assert first.observations["flags"].str.split(";").map(lambda f: "held" in f).all()
    told = first.problems.set_index("code").loc["unknown_sender"]
    assert told["severity"] == "error" and "1 个数" in told["message"] and told["count"] == 1
    assert second.problems["code"].tolist() == ["not_a_report"]


def test_folders_that_are_no_months_are_said_and_never_a_traceback(workspace):
    for name in (
        "2018-13/a.csv",
        "2018-10月/a.csv",
        "201810/a.csv",
        "2018-06/红旗区.csv",
        "散落.xlsx",
    ):
        put(workspace, name, REPORT.format(6, "红旗区", 3))
    assert workspace.report_months() == [JUNE]
    assert [n for n, _ in workspace.misplaced()] == ["2018-10月", "2018-13", "201810", "散落.xlsx"]
    said = tables.check(pipeline._misplaced(workspace, JUNE), tables.PROBLEMS)
    assert set(said["code"]) == {"misplaced"} and said["message"].str.contains("没有读取").all()


# the process apart -------------------------------------------------------------------------------------------------------


def abort(path: Path) -> None:
    os.abort()


def never_ends(path: Path) -> None:
    while True:
        pass


def greedy(path: Path) -> int:
    return len(bytearray(3 * 2**30))


@pytest.mark.parametrize("work", [abort, never_ends])
def test_a_file_that_ends_the_process_is_one_problem_and_the_next_is_read(tmp_path, work):
    (tmp_path / "红旗区.csv").write_text(REPORT.format(6, "红旗区", 3), "utf-8")
    refused = worker.run(work, tmp_path / "x", otherwise=lambda refusal: refusal)
    assert isinstance(refused, Refused) and refused.code == "too_large"
    assert len(read_report(tmp_path / "红旗区.csv").observations) == 1


LEFT: list[bytearray] = []


def hoards(path: Path) -> int:
    LEFT.append(bytearray(400 * 2**20))
    return os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is the system's")
def test_memory_is_limited_for_each_file_anew(tmp_path):
    for _ in range(2):  # the second time in another process, or in one that was read in before
        try:
            found = worker.run(greedy, tmp_path / "x", otherwise=lambda refusal: refusal)
        except MemoryError:
            continue
        assert isinstance(found, Refused)  # or the process ended over it


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is the system's")
def test_what_one_file_leaves_in_memory_is_not_taken_from_the_next(tmp_path):
    (tmp_path / "红旗区.csv").write_text(REPORT.format(6, "红旗区", 3), "utf-8")
    used = [worker.run(hoards, tmp_path / "x", otherwise=lambda refusal: 0) for _ in range(2)]
    assert 0 not in used and len(set(used)) == 2
    assert len(read_report(tmp_path / "红旗区.csv").observations) == 1


def test_a_process_that_went_while_it_waited_is_no_fault_of_the_next_file(tmp_path):
    (tmp_path / "红旗区.csv").write_text(REPORT.format(6, "红旗区", 3), "utf-8")
    read_report(tmp_path / "红旗区.csv")
    gone = worker._ALIVE[os.getpid()]
    gone.kill()
    gone.wait()
    assert len(read_report(tmp_path / "红旗区.csv").observations) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_killed_run_leaves_no_process(tmp_path):
    (tmp_path / "a.csv").write_text(REPORT.format(6, "红旗区", 3), "utf-8")
    code = (
        "import os, sys, time; from zcqlib.reports import read_report, worker; read_report(sys.argv[1]); "
        "print(worker._ALIVE[os.getpid()].pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.csv")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 60
    while time.monotonic() < until and _runs(child):
        time.sleep(0.1)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
