"""The notebooks: conventions, the whole demo month, each one alone in a fresh kernel, and another month."""
import ast
import json
import re
import shutil
import statistics
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from zcqlib import run as monthly
from zcqlib.line import NoReportsError
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = ["00_index", "01_clean_reports", "02_rd_intensity", "03_patents", "04_enterprise_growth", "05_ten_indicators",
         "06_year_end_projection", "07_park_ranking", "08_track_record", "09_briefing"]
SEPTEMBER = pd.Period("2018-09", freq="M")


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_the_ten_notebooks_are_there():
    assert [p.stem for p in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_keeps_the_conventions(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    sources = [c.source for c in code(notebook)]
    for source in sources:
        tree = ast.parse(source)
        assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef | ast.For | ast.While) for n in ast.walk(tree))
        assert len(source.splitlines()) <= 12 and not re.search(r"[\"']/\w+/", source)
    assert statistics.median(len(s.splitlines()) for s in sources) <= 5
    headings = re.findall(r"(?m)^(#+ .+)$", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"))
    assert headings[0].startswith("# ") and "## 结论" in headings and "## 局限" in headings
    assert set(monthly.declared_parameters(notebook, path.stem)) >= {"PERIOD", "DEMO", "AS_OF"}
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    assert any("controls." in s for s in sources)


def copy(folder: Path) -> Workspace:
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "data" / "raw", folder / "data" / "raw")
    return Workspace(folder, demo=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def september(project):
    return monthly.run_month(project, SEPTEMBER)


def test_a_month_without_reports_says_which_months_there_are(project):
    with pytest.raises(NoReportsError, match="2018-12 里没有报表.*2018-09"):
        monthly.run_month(project, pd.Period("2018-12", freq="M"))


def test_an_empty_report_folder_is_no_month(tmp_path):
    (tmp_path / "data" / "raw" / "2018-10").mkdir(parents=True)
    shutil.copytree(ROOT / "data" / "raw" / "reference", tmp_path / "data" / "raw" / "reference")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    with pytest.raises(NoReportsError, match="试用演示数据请加 --demo"):
        monthly.run_month(Workspace(tmp_path), pd.Period("2018-10", freq="M"))


def test_the_demo_month_runs_whole_and_leaves_figures_and_a_manifest(september):
    assert [(o.name, o.state, o.message) for o in september.outcomes] == [(n, "done", "") for n in NAMES]
    figures = sorted(p.stem for p in september.folder.glob("[0-9]*.png"))
    assert len(figures) >= 18 and figures == sorted(p.stem for p in september.folder.glob("*.svg"))
    assert {name[:2] for name in figures} == {name[:2] for name in NAMES}
    manifest = json.loads((september.folder / "manifest.json").read_text("utf-8"))
    assert manifest["demo"] is True and manifest["vintage"] == september.vintage.name
    assert any(name.startswith("data/raw/demo/2018-09/") for name in manifest["inputs"])
    assert monthly.verify(Workspace(september.folder.parents[2], demo=True), SEPTEMBER) == []


def test_figures_stay_small_and_say_that_they_are_made_up(september):
    for path in september.folder.glob("[0-9]*.png"):
        assert path.stat().st_size < 200_000, path.name
        from PIL import Image

        words = Image.open(path).text
        assert words["Title"] and words["Description"]
    for name in NAMES:
        text = (september.folder / "notebooks" / f"{name}.ipynb").read_text("utf-8")
        assert ("【演示数据】" in text or "演示数据" in text) is (name != "08_track_record"), name


def test_an_identical_second_run_keeps_everything(september, project):
    before = {p: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    again = monthly.run_month(project, SEPTEMBER)
    assert {o.state for o in again.outcomes} == {"kept"}
    assert {p: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()} == before


def test_a_forced_run_gives_the_same_bytes(september, project):
    before = {p.name: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    report = monthly.run_month(project, SEPTEMBER, force=True, only="03")
    after = {p.name: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    assert [o.state for o in report.outcomes] == ["done"]
    assert {n for n in before if before[n] != after.get(n)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_notebook_runs_alone_in_a_fresh_kernel(september, project, name):
    notebook = nbformat.read(project.root / "notebooks" / f"{name}.ipynb", 4)
    with monthly.Kernel(project.root) as kernel:
        problem, notes = kernel.execute(notebook, project.root / "notebooks")
    assert problem == "" and len(notes["saved"]) >= 4


def test_another_month_with_a_park_missing_seen_a_month_later_runs_too(project):
    july = pd.Period("2018-07", freq="M")
    report = monthly.run_month(project, july, as_of=july + 1)
    assert [(o.name, o.message) for o in report.failed] == []
    assert report.folder.name == "2018-07@2018-08"


@pytest.fixture(scope="module")
def published_only(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    for name in ("reference", "published"):
        shutil.copytree(ROOT / "data" / "raw" / name, root / "data" / "raw" / name)
    return monthly.run_month(Workspace(root), SEPTEMBER)


def test_with_published_data_only_each_notebook_runs_shows_them_and_says_what_is_missing(published_only):
    assert [(o.name, o.state, o.message) for o in published_only.outcomes] == [(n, "done", "") for n in NAMES]
    figures = {p.stem for p in published_only.folder.glob("*.png")}
    assert {"02_provinces", "03_scatter", "08_record"} <= figures and not any(f.startswith("05") for f in figures)
    texts = {n: (published_only.folder / "notebooks" / f"{n}.ipynb").read_text("utf-8") for n in NAMES}
    assert all("没有园区报表,这一项暂缺" in texts[n] for n in NAMES if n != "08_track_record")
    assert not any("【演示数据】" in texts[n] for n in ("02_rd_intensity", "03_patents", "08_track_record"))


def test_with_published_data_only_another_error_is_still_an_error(published_only):
    root = published_only.folder.parents[1]
    cells = ['from zcqlib.month import open_month\nmonth = open_month("2018-09")', 'lost = month.table("SERIES")',
             "lost", 'len(month.table("PUBLISHED"))', "never_there"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    with monthly.Kernel(root) as kernel:
        problem, _ = kernel.execute(notebook, root)
        assert problem.startswith("第 5 个单元格出错:NameError")
        assert not notebook.cells[1].outputs and "暂缺" in str(notebook.cells[2].outputs)
        assert int(notebook.cells[3].outputs[0].data["text/plain"]) > 1000
        problem, _ = kernel.execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), root)
        assert problem == "", "the next notebook in this kernel is free of the guard"
