"""The notebooks: conventions, the whole demo month, each one alone in a fresh kernel, and another month."""

import ast
import io
import json
import re
import shutil
import statistics
import zipfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
import seaborn as sns
import statsmodels.formula.api as smf
from conftest import SEPTEMBER, copy
from PIL import Image

from zcqlib import catalog as catalogs
from zcqlib import figures, findings, manifest, meetings, pipeline, quantity, tables
from zcqlib import run as monthly
from zcqlib.briefing import ledger, pages
from zcqlib.briefing.passport import ReconciliationError
from zcqlib.month import Month
from zcqlib.pipeline import NoReportsError
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [
    "00_index",
    "01_clean_reports",
    "02_rd_intensity",
    "03_patents",
    "04_enterprise_growth",
    "05_ten_indicators",
    "06_year_end_projection",
    "07_park_ranking",
    "08_track_record",
    "09_briefing",
]


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
        assert not any(
            isinstance(n, ast.FunctionDef | ast.ClassDef | ast.While) for n in ast.walk(tree)
        )
        assert len(source.splitlines()) <= 12 and not re.search(r"[\"']/\w+/", source)
    assert statistics.median(len(s.splitlines()) for s in sources) <= 7
    headings = re.findall(
        r"(?m)^(#+ .+)$", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    )
    assert headings[0].startswith("# ") and "## 结论" in headings and "## 局限" in headings
    assert set(monthly.declared_parameters(notebook, path.stem)) >= {"PERIOD", "DEMO", "AS_OF"}
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    assert any("controls." in s for s in sources)


@pytest.fixture(scope="module")
def project(demonstration, tmp_path_factory):
    return copy(
        tmp_path_factory.mktemp("p") / "q", demonstration.root, "notebooks", "data", "figures"
    )


@pytest.fixture(scope="module")
def september(project):
    """The month that was run, as a second run in another folder finds it."""
    return monthly.run_month(project, SEPTEMBER)


def test_a_month_without_reports_says_which_months_there_are(project):
    with pytest.raises(NoReportsError, match="2018-12 里没有报表.*2018-09"):
        monthly.run_month(project, pd.Period("2018-12", freq="M"))


def test_where_only_an_empty_folder_is_the_month_shows_what_is_published(tmp_path):
    (tmp_path / "data" / "raw" / "2018-10").mkdir(parents=True)
    shutil.copytree(ROOT / "data" / "raw" / "reference", tmp_path / "data" / "raw" / "reference")
    october = pd.Period("2018-10", "M")
    assert pipeline.published_only(pipeline.build(Workspace(tmp_path), october))
    (tmp_path / "data" / "raw" / "2018年10月").mkdir()
    with pytest.raises(NoReportsError, match="文件夹「2018年10月」不是.*试用演示数据请加 --demo"):
        pipeline.build(Workspace(tmp_path), october)


def test_the_demo_month_runs_whole_and_leaves_figures_and_a_manifest(september):
    assert [(o.name, o.state) for o in september.outcomes] == [(n, "kept") for n in NAMES]
    made = september.manifest["notebooks"]
    assert {(e["state"], e["message"]) for e in made.values()} == {("done", "")}
    figures = sorted(p.stem for p in september.folder.glob("[0-9]*.png"))
    assert len(figures) >= 18 and figures == sorted(p.stem for p in september.folder.glob("*.svg"))
    assert {name[:2] for name in figures} == {name[:2] for name in NAMES}
    manifest = json.loads((september.folder / "manifest.json").read_text("utf-8"))
    assert manifest["demo"] is True and manifest["vintage"] == september.vintage.name
    assert any(name.startswith("data/raw/demo/2018-09/") for name in manifest["inputs"])


def test_figures_stay_small_and_say_that_they_are_made_up(september):
    for path in september.folder.glob("[0-9]*.png"):
        assert path.stat().st_size < 200_000, path.name
        words = Image.open(path).text
        assert words["Title"] and words["Description"]
    for name in NAMES:
        text = (september.folder / "notebooks" / f"{name}.ipynb").read_text("utf-8")
        assert "演示数据" in text, name


# what an analyst does, in at most five lines each; `month` is open, the usual modules are imported
TASKS = {
    "filter": """
t = month.tidy("专利申请总量", region="高新区", since="2018-01")
assert t["园区"].eq("高新区").all() and t["月份"].min() == pd.Timestamp("2018-01-01")
""",
    "heat map": """
t = month.tidy("专利授权量", since="2018-01").query("月数 == 1").pivot_table("值", "园区", "月份")
with month.chart("各园区单月授权", "99_heat", "专利授权量（件）") as ax:
    sns.heatmap(t.rename(columns=lambda d: f"{d:%m}月"), annot=True, fmt=".0f", ax=ax)
saved = month.folder / "99_heat.csv"
""",
    "lines": """
t = month.tidy("专利授权量", region="一区四园", since="2017-01").query("月数 == 1")
with month.chart("全区单月授权", "99_lines", "专利授权量（件）") as ax:
    ax.plot(t["月份"], t["值"])
saved = month.folder / "99_lines.csv"
""",
    "regression": """
t = month.tidy("专利申请总量", "专利授权量").query("月数 == 1 and 园区 != '一区四园'")
t = t.pivot_table("值", ["园区", "月份"], "指标").dropna().reset_index()
fit = smf.ols("np.log1p(专利授权量) ~ np.log1p(专利申请总量) + C(园区)", t).fit()
assert len(fit.params) == 6
""",
    "projection": """
said = month.project("专利申请总量").at[0, "把握（%）"]
printed = month.find("standing").shown("patent_applications", "chance")
assert quantity.chance_number(said / 100) == printed
""",
    "window": """
t = month.project("专利申请总量", since="2016-01")
assert t.at[0, "当前值"] == month.project("专利申请总量").at[0, "当前值"]
""",
    "excel": """
t = month.find("standing").table("promise", "done", "chance")
t.to_excel(month.folder / "99.xlsx", index=False)
assert pd.read_excel(month.folder / "99.xlsx").columns.tolist() == ["指标", "目标", "当前值", "把握"]
""",
    "what if": """
more, less = (month.project("专利申请总量", target=v).at[0, "把握（%）"] for v in (5500, 4000))
assert more < month.project("专利申请总量").at[0, "把握（%）"] < less
""",
}
WRONG = {
    'month.tidy("专利申请总数")': "没有叫「专利申请总数」的指标。相近的有：专利申请总量",
    'month.tidy("专利申请总量", region="高新")': "没有叫「高新」的园区。相近的有：高新区",
    'month.project("专利申清总量")': "没有叫「专利申清总量」的指标。相近的有：专利申请总量",
    'month.find("standng")': "没有叫「standng」的结论。相近的有:standing",
    'month.tidy("专利申请总量", since="2018年1月")': "「2018年1月」不能识别,应写成 2018-09",
}


@pytest.fixture
def analyst(september, project):
    """What stands in an analyst's notebook after its first cells."""
    catalog = catalogs.load(project.reference, 2018)
    month = Month(project, SEPTEMBER, SEPTEMBER, catalog, september.vintage)
    figures.use_theme()
    return dict(month=month, pd=pd, np=np, sns=sns, smf=smf, quantity=quantity)


@pytest.mark.parametrize("task", TASKS)
def test_what_an_analyst_does_takes_five_lines(analyst, task):
    lines = TASKS[task].strip().splitlines()
    assert len([line for line in lines if not line.startswith("assert")]) <= 5
    try:
        exec("\n".join(lines), analyst)
        if saved := analyst.get("saved"):
            words = Image.open(saved.with_suffix(".png")).text["Description"]
            assert "演示数据" in words and "数据截至2018年9月" in words and "来源" in words
            assert len(pd.read_csv(saved)["纵轴"].dropna()) >= 20
    finally:
        for own in analyst["month"].folder.rglob("99*"):
            own.unlink()


@pytest.mark.parametrize("line", WRONG)
def test_a_name_typed_wrongly_is_answered_with_the_nearest(analyst, line):
    with pytest.raises(tables.ZcqError, match=WRONG[line]):
        exec(line, analyst)


def test_each_section_of_a_meeting_has_its_cell_in_the_notebooks():
    sources = "\n".join(c.source for path in NOTEBOOKS for c in code(nbformat.read(path, 4)))
    assert {s.cell for s in pages.SECTIONS.values() if f"{s.cell}(" not in sources} == set()


def test_any_figure_can_be_had_for_half_a_page_with_its_font_embedded(september, project):
    from zcqlib.export import export

    for wrong, words in (
        (dict(size="a5"), "不认识的版面 a5"),
        (dict(formats=["bmp"]), "不认识的格式 bmp"),
        (dict(only="77_none"), "没有以「77」开头的笔记本"),
    ):
        with pytest.raises(tables.ZcqError, match=words):
            export(project, SEPTEMBER, **wrong)
    done = export(project, SEPTEMBER, size="a4", formats=["png", "pdf"], only="05_effort")
    assert done.refused == ()
    assert [p.relative_to(september.folder).as_posix() for p in done.files] == [
        "export/05_effort_a4.pdf",
        "export/05_effort_a4.png",
    ]
    assert Image.open(done.files[1]).width == 1795 and b"FontFile2" in done.files[0].read_bytes()


def test_an_identical_second_run_keeps_everything_and_compares_again_only_after_a_change(
    september, project, monkeypatch
):
    before = {p: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    numbers, asked = manifest.read_manifest(september.folder)["compared"], []
    assert numbers > 1000
    monkeypatch.setattr(monthly, "_compared", lambda *a: asked.append(a) or numbers)
    again = monthly.run_month(project, SEPTEMBER)
    assert {o.state for o in again.outcomes} == {"kept"} and asked == []
    assert {p: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()} == before
    other = lambda b: pd.read_parquet(io.BytesIO(b)).to_parquet(compression="gzip")  # noqa: E731
    with changed(september.vintage / "WATCH.parquet", other):
        monthly.run_month(project, SEPTEMBER)
    assert len(asked) == 1


def test_a_forced_run_gives_the_same_bytes(september, project):
    before = {p.name: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    report = monthly.run_month(project, SEPTEMBER, force=True, only="03")
    after = {p.name: p.read_bytes() for p in september.folder.rglob("*") if p.is_file()}
    assert [o.state for o in report.outcomes] == ["done"]
    assert {n for n in before if before[n] != after.get(n)} == set()


@pytest.mark.parametrize("name", ["03_patents"])
def test_a_notebook_runs_alone_in_a_fresh_kernel(september, project, name):
    notebook = nbformat.read(project.root / "notebooks" / f"{name}.ipynb", 4)
    with monthly.Kernel(project.root) as kernel:
        problem, notes = kernel.execute(notebook, project.root / "notebooks")
    assert problem == "" and len(notes["saved"]) >= 4


@pytest.fixture(scope="module")
def published_only(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    for name in ("reference", "published"):
        shutil.copytree(ROOT / "data" / "raw" / name, root / "data" / "raw" / name)
    return monthly.run_month(Workspace(root), SEPTEMBER)


def test_with_published_data_only_each_notebook_runs_shows_them_and_says_what_is_missing(
    published_only,
):
    assert [(o.name, o.state, o.message) for o in published_only.outcomes] == [
        (n, "done", "") for n in NAMES
    ]
    figures = {p.stem for p in published_only.folder.glob("*.png")}
    assert {"02_provinces", "03_scatter", "08_record"} <= figures and not any(
        f.startswith("05") for f in figures
    )
    texts = {
        n: (published_only.folder / "notebooks" / f"{n}.ipynb").read_text("utf-8") for n in NAMES
    }
    assert all("没有园区报表，这一项暂缺" in texts[n] for n in NAMES if n != "08_track_record")
    assert not any(
        "【演示数据】" in texts[n] for n in ("02_rd_intensity", "03_patents", "08_track_record")
    )


def test_with_published_data_only_another_error_is_still_an_error(published_only):
    root = published_only.folder.parents[1]
    cells = [
        'from zcqlib.month import open_month\nmonth = open_month("2018-09")',
        'lost = month.table("SERIES")',
        "lost",
        'len(month.table("PUBLISHED"))',
        "never_there",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    with monthly.Kernel(root) as kernel:
        problem, _ = kernel.execute(notebook, root)
        assert problem.startswith("第 5 个单元格出错:NameError")
        assert "暂缺" in str(notebook.cells[1].outputs)
        assert not notebook.cells[2].outputs  # is missing as well, and told once a section
        assert int(notebook.cells[3].outputs[0].data["text/plain"]) > 1000
        problem, _ = kernel.execute(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), root
        )
        assert problem == ""


# what the meetings get ------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(september, project):
    return Month(
        project, SEPTEMBER, SEPTEMBER, catalogs.load(project.reference, 2018), september.vintage
    )


@contextmanager
def changed(path, change):
    before = path.read_bytes()
    path.write_bytes(change(before))
    try:
        yield
    finally:
        path.write_bytes(before)


def in_package(part, old, new):
    def change(content):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as a, zipfile.ZipFile(out, "w") as b:
            hits = 0
            for name in a.namelist():
                data = a.read(name)
                if part in name and old.encode() in data:
                    data, hits = data.replace(old.encode(), new.encode(), 1), hits + 1
                b.writestr(name, data)
        assert hits
        return out.getvalue()

    return change


def test_the_run_leaves_slides_brief_ledger_and_passports_that_agree(september, opened):
    names = {p.name for p in (september.folder / "briefing").iterdir()}
    assert {
        "fortnight.pptx",
        "fortnight.docx",
        "ledger.xlsx",
    } <= names
    assert meetings.check(opened) > 1000
    listed = {name for entry in september.manifest["notebooks"].values() for name in entry["files"]}
    assert {"briefing/fortnight.pptx", "briefing/ledger.xlsx", "passports/02_moved.json"} <= listed


def test_each_figure_page_and_table_can_be_traced_to_cells_with_hashes(opened):
    for code in (
        f"ZCQ-201809-{c}" for c in ("F03-applications", "F00-bullets_1", "PF03", "T01", "T02")
    ):
        text = meetings.trace(opened, code)
        assert text.startswith(code) and re.search(
            r"data/raw/demo/2018-09/\S+ \S+ [A-Z]+\d+.* sha256:\w{12}", text
        )
        assert "targets_2018.csv" in text
    places = meetings.trace(opened, "ZCQ-201809-F07-places")  # over what places rest on
    assert re.search(r"gaoxin\.gdp:data/raw/demo/\S+ \S+ [A-Z]+\d+", places)
    with pytest.raises(ReconciliationError, match="没有编号 ZCQ-201809-PF77"):
        meetings.trace(opened, "ZCQ-201809-PF77")


@pytest.mark.parametrize(
    ("name", "part", "old", "new", "words"),
    [
        (
            "fortnight.docx",
            "document.xml",
            "亿元，完成250亿元",
            "亿元，完成260亿元",
            "fortnight.docx 的 ZCQ-.*260",
        ),
        (
            "fortnight.pptx",
            "charts/chart",
            "<c:v>250.0",
            "<c:v>251.0",
            "fortnight.pptx 的 ZCQ-201809-PF.*251",
        ),
        (
            "ledger.xlsx",
            "sharedStrings",
            "共125项",
            "共126项",
            "ledger.xlsx 的 ZCQ-201809-T01 印有「共126项",
        ),
        (
            "ledger.xlsx",
            "sheets/sheet1",
            "<v>{done}</v>",
            "<v>{more}</v>",
            "ledger.xlsx 的 ZCQ-201809-T01 印有.*{more}.*standing/",
        ),
    ],
)
def test_one_number_changed_by_hand_is_found(opened, name, part, old, new, words):
    projected = opened.table("PROJECTIONS").set_index(["region", "indicator"])["actual"]
    done = int(projected["zone", "invention_patent_applications"])
    old, new, words = (t.format(done=done, more=done + 1) for t in (old, new, words))
    with (
        changed(opened.folder / "briefing" / name, in_package(part, old, new)),
        pytest.raises(ReconciliationError, match=words),
    ):
        meetings.check(opened)


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "words"),
    [
        (
            "PROJECTIONS",
            "region == 'zone' and indicator == 'patent_applications'",
            "actual",
            3100.0,
            "印有.*standing/patent_applications/.*而按现在的数据表应为.*两处不一致",
        ),
        (
            "RANKS",
            "region == 'gaoxin' and indicator == 'composite' and period == '2018-09'",
            "value",
            70.0,
            "MOVES.*RANKS.*两处不一致",
        ),
        (
            "PLACES",
            "region == 'gaoxin' and indicator == 'composite' and period == '2018-09' and place == 3",
            "probability",
            0.77,
            "印有.*place_chances.*应为「77%」",
        ),
        (
            "PROBLEMS",
            "severity == 'warning' and published.astype('str') == '2018-09'",
            "severity",
            "info",
            "印有.*(problems/|reported/|提醒).*两处不一致",
        ),
    ],
)
def test_one_value_changed_in_a_table_fails_the_check_and_names_both_places(
    opened, table, row, column, value, words
):
    def change(content):
        frame = pd.read_parquet(io.BytesIO(content))
        frame.loc[frame.query(row).index[0], column] = value
        out = io.BytesIO()
        frame.to_parquet(out)
        return out.getvalue()

    with (
        changed(opened.vintage / f"{table}.parquet", change),
        pytest.raises(ReconciliationError, match=words),
    ):
        meetings.check(opened)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "passports/05_effort.json",
            "(\\d+)项低于序时",
            "77项低于序时",
            "05_effort.*77项低于序时.*图上是",
        ),
        ("05_effort.svg", "(\\d+)项低于序时", "77项低于序时", "05_effort.*图上是.*77项低于序时"),
    ],
)
def test_a_figure_or_its_facts_changed_by_hand_is_found(opened, file, old, new, words):
    with (
        changed(opened.folder / file, lambda b: re.sub(old.encode(), new.encode(), b)),
        pytest.raises(ReconciliationError, match=words),
    ):
        meetings.check(opened)


def test_a_run_with_a_number_changed_by_hand_keeps_the_file_and_fails(september, project, opened):
    path = september.folder / "briefing" / "fortnight.docx"
    with changed(path, in_package("document.xml", "亿元，完成250亿元", "亿元，完成260亿元")):
        by_hand = path.read_bytes()
        report = monthly.run_month(project, SEPTEMBER)
        assert report.failed and "fortnight.docx" in "".join(o.message for o in report.failed)
        assert path.read_bytes() == by_hand
    assert meetings.check(opened) > 1000


def test_words_changed_by_hand_stay_and_pass(opened):
    path = opened.folder / "briefing" / "fortnight.docx"
    with changed(path, in_package("document.xml", "每个结果都有可能", "各种结果都有可能")):
        made = meetings.export(opened)
        assert (
            path in made.kept
            and "各种结果都有可能" in path_text(path)
            and meetings.check(opened) > 1000
        )


def path_text(path):
    with zipfile.ZipFile(path) as package:
        return package.read("word/document.xml").decode()


def test_every_meeting_has_its_own_pages_and_an_export_gives_the_same_bytes_twice(opened):
    made = {m: pages.pages(opened.given, m) for m in meetings.agendas()}
    assert len({tuple(p.section for p in made[m]) for m in meetings.agendas()}) == 6
    run = manifest.read_manifest(opened.folder)["notebooks"]["09_briefing"]["files"]
    before = {name: (opened.folder / name).read_bytes() for name in run}
    made = meetings.export(opened, "weekly")
    first = {p.name: p.read_bytes() for p in made.files}
    assert set(first) == {"weekly.pptx", "weekly.docx", "ledger.xlsx"}
    # another meeting's files change none of the run's
    assert before == {name: (opened.folder / name).read_bytes() for name in run}
    assert meetings.export(opened, "weekly").kept == () and first == {
        p.name: p.read_bytes() for p in made.files
    }
    for path in (opened.folder / "briefing").glob("weekly.*"):
        path.unlink()
    meetings.export(opened)


def test_a_ledger_that_comes_back_reaches_replies_and_milestones_and_never_the_observations(
    demonstration, tmp_path
):
    project, month = copy(tmp_path, demonstration.root, "data"), pd.Period("2018-02", "M")
    catalog = catalogs.load(project.reference, 2018)
    held = {n: tables.empty(t) for n, t in tables.VINTAGE.items()} | {"MILESTONES": catalog.stages}
    given = findings.Given(held.__getitem__, catalog, month - 1, month - 1)
    book = openpyxl.load_workbook(io.BytesIO(ledger.ledger(given)))
    assert book["台账"].max_row == 3 + 125
    sheet = book["台账"]
    at = {sheet.cell(r, 1).value: r for r in range(4, sheet.max_row + 1)}
    for id, column, value in (
        ("named_incubators", "X", "已完成"),
        ("named_incubators", "Y", "2018-02-20"),
        ("named_incubators", "Z", "批复"),
        ("patent_grants", "AA", "=1+1"),
        ("rd_intensity", "E", "2.00%目标"),
    ):
        sheet[f"{column}{at[id]}"] = value
        sheet[f"{column}{at[id]}"].data_type = "s"  # typed as text, also where it begins with =
    returned = project.received(month)[0].with_name("填好.xlsx")
    book.save(returned)
    returned = returned.relative_to(project.root / "data/raw").as_posix()
    vintage = pipeline.build(project, month)
    read = {
        name: pd.read_parquet(vintage / f"{name}.parquet")
        for name in ("ANSWERS", "MILESTONES", "OBSERVATIONS", "PROBLEMS", "CELLS")
    }
    assert read["ANSWERS"][["id", "stage", "date", "evidence", "reply"]].values.tolist() == [
        ["patent_grants", "", "", "", "=1+1"],
        ["named_incubators", "已完成", "2018-02-20", "批复", ""],
    ]
    done = read["MILESTONES"].query("id == 'named_incubators'")
    assert done[["stage_zh", "date", "evidence"]].astype(str).values.tolist() == [
        ["完成", "2018-02", "批复"]
    ]
    assert returned not in set(read["OBSERVATIONS"]["file"])
    assert returned in set(read["CELLS"]["file"])
    told = read["PROBLEMS"][read["PROBLEMS"]["file"] == returned]
    assert told["code"].tolist() == ["ledger", "ledger_locked"]  # the first only says what it is
    assert told["cell"].tolist()[1:] == [f"E{at['rd_intensity']}"]
