"""The HTML edition stands alone: no outside address, no script but our own, code hidden, text from data escaped."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from zcqlib.html_edition import LIVE, SORT, export
from zcqlib.month import table_html
from zcqlib.tables import ZcqError


def write(folder, name, *cells):
    for i, cell in enumerate(cells):
        cell.id = f"c{i}"
    nbformat.write(new_notebook(cells=list(cells)), folder / name)
    return folder / name


def test_no_notebooks_or_a_broken_one_are_refused_in_chinese(tmp_path):
    with pytest.raises(ZcqError, match="请先运行"):
        export([], tmp_path)
    (tmp_path / "00_x.ipynb").write_text("{", "utf-8")
    with pytest.raises(ZcqError, match="不能识别"):
        export([tmp_path / "00_x.ipynb"], tmp_path)


@pytest.fixture
def pages(tmp_path):
    first = write(
        tmp_path,
        "00_a.ipynb",
        new_markdown_cell("# 全月如何\n\n## 结论\n文字"),
        new_code_cell(
            "secret_code = 1", outputs=[new_output("stream", text="<script>alert(1)</script> A&B")]
        ),
        new_code_cell(
            "x",
            outputs=[
                new_output(
                    "display_data",
                    data={"text/html": "<b>表</b><script src='https://example.org/x.js'></script>"},
                )
            ],
        ),
    )
    second = write(tmp_path, "01_b.ipynb", new_markdown_cell("# 谁没报"))
    return [p.read_text("utf-8") for p in export([first, second], tmp_path / "html")]


def test_pages_name_no_outside_address_and_run_no_script_but_the_one_that_sorts(pages):
    for page in pages:
        assert page.count(f"<script>{SORT}</script>") == 1
        page = page.replace(f"<script>{SORT}</script>", "")
        assert not re.search(r"https?://|<script|<link|src=.//", page)


def test_text_from_data_is_escaped(pages):
    assert "&lt;script&gt;alert(1)&lt;/script&gt; A&amp;B" in pages[0]
    assert "<b>表</b>" in pages[0]


def test_code_is_there_but_hidden_until_the_box_is_ticked(pages):
    style, body = pages[0].split("</style>")
    assert ".code_cell>.input{display:none}" in style
    assert "body:has(#code:checked) .code_cell>.input{display:block}" in style
    assert "<input type=checkbox id=code>" in body
    cell = r'<div class="[^"]*\bcode_cell\b[^"]*"[^>]*>\s*<div class="input">(.*?)<div class="output_wrapper">'
    hidden = re.findall(cell, body, re.S)
    assert len(hidden) == 2 and "secret_code" in hidden[0] and body.count("secret_code") == 1


def test_pages_link_to_each_other_and_to_their_own_sections(pages):
    assert '<a href="01_b.html">谁没报</a>' in pages[0] and "class=here>全月如何</a>" in pages[0]
    assert re.search(r'<li><a href="#[^"]+">结论', pages[0])


def test_what_needs_a_kernel_is_no_dead_section_of_a_page(tmp_path):
    one = write(
        tmp_path,
        "00_a.ipynb",
        new_markdown_cell("# 题\n\n## 结论"),
        new_markdown_cell("## 换一个园区\n请选择", metadata={"tags": ["live"]}),
        new_code_cell("choose()", metadata={"tags": ["live"]}),
        new_code_cell("stays()", metadata={"tags": ["other"]}),
    )
    page = export([one], tmp_path / "h")[0].read_text("utf-8")
    assert not any(words in page for words in ("换一个园区", "请选择", "choose"))
    assert "结论" in page and "stays" in page


def test_every_control_of_the_notebooks_is_tagged_and_nothing_that_a_page_can_show():
    for path in sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            control = re.search(r"controls\.(explore|what_if|membership)\(", cell.source)
            live = LIVE in cell.metadata.get("tags", [])
            assert bool(control) == live or cell.cell_type == "markdown", (path.name, cell.id)


def test_the_same_notebooks_give_the_same_bytes(tmp_path):
    one = write(tmp_path, "00_a.ipynb", new_markdown_cell("# 题"))
    first = export([one], tmp_path / "h")[0].read_bytes()
    assert export([one], tmp_path / "h2")[0].read_bytes() == first


def test_a_table_is_shown_whole_under_one_row_of_heads_without_running_numbers():
    months = pd.to_datetime(["2018-01-01", None])
    t = pd.DataFrame({"月份": months, "说明": ["长" * 80, "<b>"], "值": [1.5, float("nan")]})
    by_month = t.pivot_table("值", "月份", "说明").rename_axis(columns="园区")
    named = pd.DataFrame({"a": [1]}, pd.MultiIndex.from_tuples([("x", "y")]))
    two = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", "y"), ("x", "z")]))
    cells = lambda html: re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", html)  # noqa: E731
    rows = ["2018年1月", "长" * 80, "1.5", "—", "&lt;b&gt;", "—"]
    assert cells(table_html(t)) == ["月份", "说明", "值", *rows]
    assert cells(table_html(by_month)) == ["月份", "长" * 80, "2018年1月", "1.5"]
    assert cells(table_html(named)) == ["", "", "a", "x", "y", "1"]
    assert cells(table_html(two)) == ["x", "y", "z", "1", "2"]
    assert cells(table_html(pd.DataFrame({1: pd.PeriodIndex(["2018-09"], "M")})))[1] == "2018年9月"
    long = table_html(pd.DataFrame({"值": range(501)}))
    assert long.count("<tr") == 501 and "共501行，此处为前500行。" in long
