"""Parameters of notebooks, one kernel for all, failures kept, nothing written twice."""

import json
import random
import re
import time

import nbformat
import pandas as pd
import pytest
import soak
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from zcqlib import manifest, tables
from zcqlib import run as monthly
from zcqlib.run import ParameterError, with_parameters
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace

MONTH = pd.Period("2018-09", freq="M")


def notebook(*code: str, parameters: str = 'PERIOD = "2018-09"'):
    cells = [
        new_markdown_cell("# 问题"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *map(new_code_cell, code),
    ]
    for i, cell in enumerate(cells):
        cell.id = f"c{i}"
    return new_notebook(cells=cells)


def test_a_notebook_without_or_with_two_parameter_cells_is_refused():
    bare = new_notebook(cells=[new_code_cell("1")])
    with pytest.raises(ParameterError, match="找到 0 个"):
        monthly.declared_parameters(bare, "x")
    twice = notebook()
    twice.cells.append(new_code_cell("A = 1", metadata={"tags": ["parameters"]}))
    with pytest.raises(ParameterError, match="找到 2 个"):
        monthly.declared_parameters(twice, "x")


def test_a_parameter_cell_that_computes_is_refused():
    with pytest.raises(ParameterError, match="名称 = 常量"):
        monthly.declared_parameters(notebook(parameters="PERIOD = str(2018)"), "x")


def test_an_unknown_parameter_stops_the_run():
    with pytest.raises(ParameterError, match="没有参数 PARK,可用的是 PERIOD"):
        with_parameters(notebook("PERIOD"), "x", {"PARK": "gaoxin"})


def test_a_parameter_of_another_type_stops_the_run():
    with pytest.raises(ParameterError, match="PERIOD 应为 str,给的是 201809"):
        with_parameters(notebook("PERIOD"), "x", {"PERIOD": 201809})


def test_a_parameter_that_no_cell_reads_stops_the_run():
    with pytest.raises(ParameterError, match="PARK 没有被任何单元格使用"):
        with_parameters(
            notebook("%matplotlib inline\nPERIOD", parameters='PERIOD = "2018-09"\nPARK = "zone"'),
            "x",
            {},
        )


def test_values_take_the_place_of_defaults_and_the_source_notebook_stays_as_it_was():
    source = notebook("print(PERIOD)")
    ready = with_parameters(source, "x", {"PERIOD": "2018-10"})
    assert monthly.parameter_cell(ready, "x").source == "PERIOD = '2018-10'"
    assert monthly.parameter_cell(source, "x").source == 'PERIOD = "2018-09"'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two small notebooks and a line that commits one table."""
    (tmp_path / "data" / "raw" / "reference").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    workspace = Workspace(tmp_path, demo=True)

    def build(ws, month, as_of=None):
        received = (ws.raw / "received.txt").read_text("utf-8") if ws.raw.exists() else ""
        rows = {"MISSING": [{"indicator": "a"}], "CELLS": [{"file": received, "outcome": "label"}]}
        contents = {n: tables.shape(r, tables.VINTAGE[n]) for n, r in rows.items()}
        return ws.commit(
            month, contents, {"inputs": {}, "month": str(month), "received": received}, as_of
        )

    monkeypatch.setattr(monthly, "KERNELS", 1)
    monkeypatch.setattr(monthly.pipeline, "build", build)
    monkeypatch.setattr(monthly.pipeline, "code_hash", lambda: "c0de" * 16)
    save = """import os, pathlib
folder = pathlib.Path(os.environ["ZCQ_ROOT"]) / "figures" / "demo" / PERIOD
folder.mkdir(parents=True, exist_ok=True)
from PIL import Image
Image.new("RGB", (16, 9)).save(folder / "00_a.png")
from zcqlib.workspace import note
note("saved 00_a.png")
note(f"read {PERIOD}/MISSING")"""
    nbformat.write(notebook(save, "leak = 1"), tmp_path / "notebooks" / "00_a.ipynb")
    other = 'from zcqlib.workspace import note\nnote(f"read {PERIOD}/CELLS")\nprint(PERIOD, "leak" in globals())'
    nbformat.write(notebook(other), tmp_path / "notebooks" / "01_b.ipynb")
    return workspace


def receive(project, text):
    project.raw.mkdir(parents=True, exist_ok=True)
    (project.raw / "received.txt").write_text(text, "utf-8")


def test_notebooks_run_in_one_kernel_with_nothing_left_from_one_to_the_next(project):
    steps = []
    report = monthly.run_month(
        project, MONTH, tell=lambda what, done, of: steps.append((what, done, of))
    )
    assert [o.state for o in report.outcomes] == ["done", "done"] and not report.failed
    assert steps == [("读取并整理报表", 0, 3), ("01_b", 1, 3), ("00_a", 2, 3), ("网页版", 2, 3)]
    second = nbformat.read(report.folder / "notebooks" / "01_b.ipynb", 4)
    assert second.cells[2].outputs[0].text == "2018-09 False\n"
    assert [c.execution_count for c in second.cells if c.cell_type == "code"] == [1, 2]
    assert report.manifest["notebooks"]["00_a"]["files"].keys() == {
        "notebooks/00_a.ipynb",
        "00_a.png",
    }


def test_an_identical_second_run_writes_nothing_and_a_forced_one_gives_the_same_bytes(project):
    folder = monthly.run_month(project, MONTH).folder
    files = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}
    again = monthly.run_month(project, MONTH)
    assert [o.state for o in again.outcomes] == ["kept", "kept"]
    assert {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()
    } == files
    forced = monthly.run_month(project, MONTH, force=True)
    assert [o.state for o in forced.outcomes] == ["done", "done"]
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == {
        p: b for p, (_, b) in files.items()
    }


def test_a_styled_table_is_the_same_in_each_run(project):
    styled = "import pandas as pd; pd.DataFrame({PERIOD: [1, 2]}).style.hide(axis='index')"
    nbformat.write(notebook(styled, styled), project.root / "notebooks" / "00_a.ipynb")
    page = monthly.run_month(project, MONTH).folder / "notebooks" / "00_a.ipynb"
    first = page.read_bytes()
    monthly.run_month(project, MONTH, force=True)
    assert page.read_bytes() == first and b"T_2_row1_col0" in first and b"T_3_row1_col0" in first


def test_controls_are_left_out_of_the_executed_notebook(project):
    nbformat.write(
        notebook("PERIOD", "import ipywidgets; ipywidgets.IntSlider()"),
        project.root / "notebooks" / "00_a.ipynb",
    )
    folder = monthly.run_month(project, MONTH).folder
    assert "widget" not in (folder / "notebooks" / "00_a.ipynb").read_text("utf-8").replace(
        "ipywidgets", ""
    )


def test_a_styled_table_has_the_same_bytes_in_every_run(project):
    styled = notebook("import pandas as pd\npd.DataFrame({'a': [PERIOD]}).style.highlight_max()")
    nbformat.write(styled, project.root / "notebooks" / "00_a.ipynb")
    path = monthly.run_month(project, MONTH).folder / "notebooks" / "00_a.ipynb"
    first = path.read_bytes()
    monthly.run_month(project, MONTH, force=True)
    assert b"_row0_col0" in first and path.read_bytes() == first


def test_a_failed_notebook_is_kept_explained_and_the_others_still_run(project):
    nbformat.write(notebook("PERIOD", "1 / 0"), project.root / "notebooks" / "00_a.ipynb")
    report = monthly.run_month(project, MONTH)
    assert [o.state for o in report.outcomes] == ["failed", "done"]
    assert report.failed[0].message == "第 4 个单元格出错:ZeroDivisionError:division by zero"
    kept = nbformat.read(report.folder / "notebooks" / "00_a.ipynb", 4)
    assert kept.cells[3].outputs[0].output_type == "error"
    again = monthly.run_month(project, MONTH)
    assert again.outcomes[0].state == "failed", "a failure is tried again, never kept as done"


def test_a_figure_that_a_notebook_no_longer_makes_is_taken_away(project):
    folder = monthly.run_month(project, MONTH).folder
    assert (folder / "00_a.png").exists()
    nbformat.write(notebook("PERIOD"), project.root / "notebooks" / "00_a.ipynb")
    monthly.run_month(project, MONTH)
    assert not (folder / "00_a.png").exists()


def test_a_parameter_that_no_notebook_knows_and_a_name_without_notebooks_stop_the_run(project):
    with pytest.raises(ParameterError, match="没有笔记本使用参数 PACE"):
        monthly.run_month(project, MONTH, extra={"PACE": 1.2})
    with pytest.raises(ZcqError, match="以「77」开头"):
        monthly.run_month(project, MONTH, only="77")


def test_only_the_notebooks_that_read_a_changed_table_run_again_and_the_others_stay_untouched(
    project,
):
    folder = monthly.run_month(project, MONTH).folder
    kept = [folder / "00_a.png", folder / "notebooks" / "00_a.ipynb"]
    stamps = [p.stat().st_mtime_ns for p in kept]
    receive(project, "a correction")
    report = monthly.run_month(project, MONTH)
    assert [(o.name, o.state) for o in report.outcomes] == [("00_a", "kept"), ("01_b", "done")]
    assert [p.stat().st_mtime_ns for p in kept] == stamps
    assert manifest.verify(project, MONTH) == []
    assert report.manifest["notebooks"]["01_b"]["grounds"].keys() == {"2018-09/CELLS"}


def test_a_changed_reference_table_or_a_lost_figure_runs_a_notebook_again(project):
    folder = monthly.run_month(project, MONTH).folder
    (folder / "00_a.png").unlink()
    assert [o.state for o in monthly.run_month(project, MONTH).outcomes] == ["done", "kept"]
    (project.reference / "units.csv").write_text("a", "utf-8")
    assert [o.state for o in monthly.run_month(project, MONTH).outcomes] == ["done", "done"]


def test_a_page_changed_by_hand_is_named_and_made_again(project):
    folder = monthly.run_month(project, MONTH).folder
    page = folder / "html" / "01_b.html"
    right = page.read_bytes()
    page.write_bytes(right + b"!")
    assert manifest.verify(project, MONTH) == [
        "网页版 的产出 html/01_b.html 与运行时不同或不见了。"
    ]
    assert [o.state for o in monthly.run_month(project, MONTH).outcomes] == ["kept", "kept"]
    assert page.read_bytes() == right and manifest.verify(project, MONTH) == []


def test_a_second_run_at_the_same_time_is_refused_and_told_by_whom(project):
    ready, done = soak.FORK.Event(), soak.FORK.Event()

    def first() -> None:
        with project.lock():
            ready.set()
            done.wait(30)

    holder = soak.FORK.Process(target=first)
    holder.start()
    assert ready.wait(30)
    with pytest.raises(ZcqError, match=f"另一次运行.*进程号 {holder.pid}"):
        monthly.run_month(project, MONTH)
    done.set()
    holder.join(30)
    assert [o.state for o in monthly.run_month(project, MONTH).outcomes] == ["done", "done"]


def test_a_whole_run_killed_at_a_random_moment_leaves_the_tables_whole_and_the_next_succeeds(
    project,
):
    start = time.monotonic()
    before = monthly.run_month(project, MONTH).vintage
    length, rng = time.monotonic() - start, random.Random(3)
    for k in range(2):
        receive(project, f"correction {k}")
        soak.killed(lambda: monthly.run_month(project, MONTH), rng.uniform(0.1, 1.0) * length)
        soak.whole(project)
        report = monthly.run_month(project, MONTH)
        assert (
            not report.failed and report.vintage != before and manifest.verify(project, MONTH) == []
        )
        before = report.vintage


def test_the_log_says_when_and_at_which_stage_and_only_the_log_holds_clock_times(project):
    report = monthly.run_month(project, MONTH)
    lines = (project.processed / ".logs" / "2018-09.log").read_text("utf-8").splitlines()
    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \w+:", line) for line in lines)
    stages = [line.split()[2].split(":")[0] for line in lines]
    assert stages == ["整理", "整理", "笔记本", "笔记本", "网页", "完成"]
    assert lines[0][:10] not in (report.folder / "manifest.json").read_text("utf-8")


def test_counts_add_up_and_a_lost_row_is_named():
    made = {
        "CELLS": pd.DataFrame({"outcome": ["observation", "observation", "label", "context"]}),
        "OBSERVATIONS": pd.DataFrame(
            {
                "region": ["zone", ""],
                "indicator": ["x", "x"],
                "end": ["a", "a"],
                "measure": ["value", "value"],
                "value": [1.0, 2.0],
            }
        ),
        "SUBMISSIONS": pd.DataFrame({"cells": [4], "figures": [2]}),
        "SERIES": pd.DataFrame({"region": ["zone"], "indicator": ["x"], "end": ["a"]}),
        "TARGETS": pd.DataFrame({"id": ["t"]}),
        "PROJECTIONS": pd.DataFrame({"id": ["t"]}),
    }
    n = manifest.counts(made)
    assert (n["cells"], n["observations"], n["observations_used"], n["observations_unknown"]) == (
        4,
        2,
        1,
        1,
    )
    assert manifest.imbalances(n) == [] == manifest.imbalances(manifest.counts({}))
    made["CELLS"] = made["CELLS"].iloc[1:]
    assert [m.split(",")[0] for m in manifest.imbalances(manifest.counts(made))] == [
        "数目对不上:单元格(各文件之和)",
        "数目对不上:数据(来自的单元格)",
    ]


def test_verify_computes_the_tables_anew_and_names_one_that_comes_out_differently(
    project, monkeypatch
):
    monthly.run_month(project, MONTH)
    build = monthly.pipeline.build

    def drifting(ws, month, as_of=None):
        vintage = build(ws, month, as_of)
        record = json.loads((vintage / "vintage.json").read_text("utf-8"))
        record["tables"]["CELLS"] = "another"
        (vintage / "vintage.json").write_text(json.dumps(record), "utf-8")
        return vintage

    monkeypatch.setattr(monthly.pipeline, "build", drifting)
    assert manifest.verify(project, MONTH) == ["数据表 CELLS 重新计算的结果与所存的不同。"]


def test_verify_names_one_changed_byte_in_a_table_and_in_a_figure(project):
    with pytest.raises(ZcqError, match="没有运行清单"):
        manifest.verify(project, MONTH)
    report = monthly.run_month(project, MONTH)
    assert manifest.verify(project, MONTH) == []
    figure = report.folder / "00_a.png"
    figure.write_bytes(figure.read_bytes()[:-1] + b"!")
    table = report.vintage / "MISSING.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"!")
    assert manifest.verify(project, MONTH) == [
        "数据表 MISSING 与运行时不同或不见了。",
        "00_a 的产出 00_a.png 与运行时不同或不见了。",
    ]


def test_a_damaged_manifest_says_what_to_do(project):
    folder = monthly.run_month(project, MONTH).folder
    (folder / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(ZcqError, match="请删除该文件后重新运行"):
        monthly.run_month(project, MONTH)
    assert json.loads((folder / "notebooks" / "01_b.ipynb").read_text("utf-8"))["nbformat"] == 4
