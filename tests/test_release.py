"""What was handed over stays as it was; what changes afterwards is told number by number."""

import shutil
from pathlib import Path

import nbformat
import openpyxl
import pandas as pd
import pytest
from test_run import notebook

from zcqlib import catalog as catalogs
from zcqlib import manifest, pipeline
from zcqlib import run as monthly
from zcqlib.release import (
    ReleaseError,
    _changed_files,
    damaged,
    note_text,
    pending,
    release,
    tables_of,
)
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
JANUARY = pd.Period("2018-01", "M")
REPORT = "市知识产权局2018年1月报表.xlsx"


@pytest.fixture(scope="module", autouse=True)
def _verified_elsewhere():
    """That verify makes the tables again is tested with the run; here it would cost half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "_recomputed", lambda *_: [])
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small project: one sender, two years and January, one notebook that saves a file."""
    root = tmp_path_factory.mktemp("project")
    for name in ("reference", "published"):
        shutil.copytree(ROOT / "data" / "raw" / name, root / "data" / "raw" / name)
    for month in ("2016-12", "2017-12", "2018-01"):
        (root / "data" / "raw" / "demo" / month).mkdir(parents=True)
        for path in (ROOT / "data" / "raw" / "demo" / month).glob("市知识产权局*"):
            shutil.copy(path, root / "data" / "raw" / "demo" / month)
    (root / "notebooks").mkdir()
    nbformat.write(notebook("PERIOD"), root / "notebooks" / "00_a.ipynb")
    return Workspace(root, demo=True)


@pytest.fixture(scope="module")
def handed(made):
    """January run and handed over."""
    monthly.run_month(made, JANUARY)
    return release(made, JANUARY, "初步")


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_another_status_and_a_month_that_was_never_run_are_refused(made):
    with pytest.raises(ReleaseError, match="「最终」不能识别,应为 初步、定稿"):
        release(made, JANUARY, "最终")
    with pytest.raises(ZcqError, match="没有运行清单"):
        release(made, JANUARY + 1)


def test_a_release_holds_all_that_the_month_shows_and_its_tables_read_only(made, handed):
    assert handed.number == 1 and handed.folder.name == "release-1" and handed.corrections.empty
    shown = {p for p in content(made.figures(JANUARY)) if not p.parts[0].startswith("release-")}
    held = content(handed.folder)
    assert shown <= set(held) and Path("notebooks/00_a.ipynb") in shown
    stored = made.current(JANUARY)
    assert {p.name for p in held if p.parts[0] == "tables"} == {p.name for p in stored.iterdir()}
    assert not any(p.stat().st_mode & 0o222 for p in handed.folder.rglob("*") if p.is_file())
    assert damaged(handed.folder) == []


def test_a_run_as_known_in_its_own_month_is_the_plain_run(made, handed):
    before = content(made.figures(JANUARY))
    again = monthly.run_month(made, JANUARY, JANUARY)
    assert {o.state for o in again.outcomes} == {"kept"} and content(
        made.figures(JANUARY)
    ) == before


def test_what_was_handed_over_counts_as_said_last_month(made, handed):
    files = pipeline.received(made, JANUARY, catalogs.load(made.reference, 2018))
    today = pipeline.recipe(made, JANUARY + 1, JANUARY + 1, files["path"])
    assert pipeline.said_before(made, JANUARY + 1, today) is None
    said = pipeline.said_before(made, JANUARY + 1, today | {"code": "another"})
    assert said == tables_of(made.releases(JANUARY)[-1]) and said.name == made.current(JANUARY).name


def test_of_the_same_reports_none_has_changed(made, handed):
    assert _changed_files(made, tables_of(handed.folder), made.current(JANUARY)).empty


def test_the_same_again_makes_no_second_release_and_another_status_makes_one_without_corrections(
    made, handed
):
    again = release(made, JANUARY, "初步")
    assert not again.is_new and again.folder == handed.folder
    final = release(made, JANUARY, "定稿")
    assert final.number == 2 and final.corrections.empty
    assert "没有数字变化" in (final.folder / "更正说明.md").read_text("utf-8")
    assert not release(made, JANUARY, "定稿").is_new


def test_a_difference_or_a_changed_release_stops_the_handing_over(made, handed, tmp_path):
    shutil.copytree(made.root, tmp_path / "p")
    copy = Workspace(tmp_path / "p", demo=True)
    page = copy.figures(JANUARY) / "notebooks" / "00_a.ipynb"
    before = page.read_bytes()
    page.write_bytes(before + b" ")
    count = len(copy.releases(JANUARY))
    with pytest.raises(ReleaseError, match="1 处不符,没有发布.*00_a.ipynb 与运行时不同"):
        release(copy, JANUARY, "定稿")
    page.write_bytes(before)
    first = copy.releases(JANUARY)[0] / "notebooks" / "00_a.ipynb"
    first.chmod(0o644)
    first.write_bytes(b"{}")
    with pytest.raises(ReleaseError, match="release-1 的 notebooks/00_a.ipynb 已被改动"):
        release(copy, JANUARY, "定稿")
    assert len(copy.releases(JANUARY)) == count and not list(copy.figures(JANUARY).glob(".new-*"))


def test_a_notebook_that_failed_stops_the_handing_over(made, handed, tmp_path):
    shutil.copytree(made.root, tmp_path / "p")
    copy = Workspace(tmp_path / "p", demo=True)
    nbformat.write(notebook("PERIOD", "1 / 0"), copy.root / "notebooks" / "01_b.ipynb")
    with pytest.raises(ReleaseError, match="笔记本 01_b 没有跑完"):
        release(copy, JANUARY, "定稿")


def test_a_changed_report_and_a_changed_target_are_told_number_by_number_with_reasons(
    made, handed, tmp_path
):
    shutil.copytree(made.root, tmp_path / "p")
    copy = Workspace(tmp_path / "p", demo=True)
    said = content(copy.releases(JANUARY)[-1])
    path = copy.raw / "2018-01" / REPORT
    book = openpyxl.load_workbook(path)
    sheet = book["分园区"]
    was = sheet["B6"].value
    assert "经" in sheet["A6"].value and was == sheet["C6"].value > 0
    sheet["B6"], sheet["C6"], book["市直与全市"]["B5"] = [was + 100] * 3
    book.save(path)
    split = copy.reference / "split_2018.csv"
    split.write_text(
        split.read_text("utf-8").replace(
            "patent_applications,muye,650", "patent_applications,muye,500"
        )
    )
    with pytest.raises(ReleaseError, match="与运行时不同"):
        release(copy, JANUARY)
    monthly.run_month(copy, JANUARY)
    draft = pending(copy, JANUARY)
    assert f"| 经开区 | 专利申请总量 | 已完成 | {was}件 | {was + 100}件 |" in draft.read_text(
        "utf-8"
    )
    made_again = release(copy, JANUARY)
    assert not draft.exists() and draft.name not in {p.name for p in made_again.folder.iterdir()}
    assert pending(copy, JANUARY) is None
    note = made_again.corrections.set_index(["地区", "指标", "项目"])
    jingkai, muye = ("经开区", "专利申请总量"), ("牧野区", "专利申请总量")
    assert note.loc[(*jingkai, "已完成"), ["原说", "现为", "原因"]].tolist() == [
        f"{was}件",
        f"{was + 100}件",
        f"报表改动:{REPORT}",
    ]
    assert note.loc[(*muye, "目标"), ["原说", "现为", "原因"]].tolist() == [
        "650件",
        "500件",
        "目标调整",
    ]
    assert note.loc[(*muye, "把握"), "原因"] == "目标调整" and (*muye, "年末预计") not in note.index
    assert (
        f"报表改动:{REPORT}" in note.loc[(*jingkai, "把握"), "原因"]
        and not note["原因"].str.contains("方法").any()
    )
    text = (made_again.folder / "更正说明.md").read_text("utf-8")
    assert (
        "演示数据" in text
        and f"| 经开区 | 专利申请总量 | 已完成 | {was}件 | {was + 100}件 |" in text
    )
    assert len(pd.read_csv(made_again.folder / "更正说明.csv")) == len(note)
    assert content(copy.releases(JANUARY)[-2]) == said


def test_the_note_keeps_its_table_whole_whatever_the_words():
    note = pd.DataFrame(
        [("高新区", "甲|乙", "目标", "1件", "2件", "目标调整")],
        columns=["地区", "指标", "项目", "原说", "现为", "原因"],
    )
    text = note_text(note, {"month": "2018-01", "status": "定稿", "demo": False}, 2)
    assert "| 高新区 | 甲/乙 | 目标 | 1件 | 2件 | 目标调整 |" in text and "演示数据" not in text
