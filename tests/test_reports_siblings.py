"""Kinds of faults seen in reports, each in other words, units, places and formats than where it was first met."""

import datetime
import html
import zipfile

import pandas as pd
import pytest
from reports_made import (
    JUNE,
    at,
    codes,
    made,
    old_workbook,
    open_document,
    packed,
    page,
    period,
    read,
    spreadsheet_xml,
    text,
    workbook,
)

from zcqlib import reports
from zcqlib.reports import Context, books
from zcqlib.reports.grid import MAX_LETTERS

NOTHING = Context()
SEPTEMBER = Context(published=pd.Period("2018-09", "M"))
FORMS = ("csv", "html", "xls", "ods", "xml", "docx", "xlsx")
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def word(path, *parts):
    """A document of paragraphs (text) and tables (rows)."""

    def paragraph(words):
        return f"<w:p><w:r><w:t>{html.escape(str(words))}</w:t></w:r></w:p>"

    def table(rows):
        cells = (("<w:tr>", *(f"<w:tc>{paragraph(v)}</w:tc>" for v in r), "</w:tr>") for r in rows)
        return f"<w:tbl>{''.join(map(''.join, cells))}</w:tbl>"

    body = "".join(paragraph(p) if isinstance(p, str) else table(p) for p in parts)
    head = f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body>'
    document = f"{head}{body}</w:body></w:document>"
    return packed(path, {"[Content_Types].xml": "<T/>", "word/document.xml": document})


def written(folder, form, rows, context=NOTHING):
    path = folder / f"报表.{form}"
    write = {
        "csv": lambda: text(path, "\n".join(",".join(map(str, r)) for r in rows)),
        "html": lambda: text(path, page(rows)),
        "xls": lambda: old_workbook(path, rows),
        "ods": lambda: open_document(path, rows),
        "xml": lambda: text(path, spreadsheet_xml(rows)),
        "docx": lambda: word(path, rows),
        "xlsx": lambda: workbook(path, rows),
    }
    return read(write[form](), context)


# --- periods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_months_as_bare_numbers_in_a_row_as_text_too(tmp_path, form):
    rows = [["指标：专利授权量（件）"], ["2018年"], ["月", "1", "2", "3"], ["高新区", 4, 5, 6]]
    r = written(tmp_path, form, rows)
    assert period(at(r, "C4")) == ("2018-02", "2018-02", "month")
    assert at(r, "D4")["value"] == 6


def test_quarters_as_bare_numbers_beside_a_year(tmp_path):
    rows = [
        ["年", "季", "专利授权量（件）"],
        [2017, 1, 5],
        [2017, 2, 6],
        ["", 3, 7],
        ["", 4, 8],
        [2018, 1, 9],
    ]
    r = made(tmp_path, rows, NOTHING)
    assert period(at(r, "C4")) == ("2017-07", "2017-09", "quarter")
    assert period(at(r, "C6")) == ("2018-01", "2018-03", "quarter")


@pytest.mark.parametrize("day", [datetime.datetime(2018, 1, 9), "2018/1/9", "2018-01-09", "1月9日"])
def test_months_that_a_spreadsheet_made_a_day_of_are_months_in_text_too(tmp_path, day):
    rows = [["指标", "2018年9月", day], ["引进市外资金（万元）", 100, 900]]
    r = made(tmp_path, rows, SEPTEMBER)
    assert period(at(r, "C2")) == ("2018-01", "2018-09", "ytd")
    assert period(at(r, "B2")) == ("2018-09", "2018-09", "month")


def test_days_of_one_month_down_a_column_are_the_months_typed(tmp_path):
    days = [[datetime.datetime(2018, 1, d), 100 * d] for d in (7, 8, 9)]
    r = made(tmp_path, [["时间", "引进市外资金（万元）"], *days], SEPTEMBER)
    assert period(at(r, "B2")) == ("2018-01", "2018-07", "ytd")


def test_a_rate_behind_two_years_is_of_the_later_one(tmp_path):
    rows = [
        ["指标", "2018年", "2017年", "增减"],
        ["", "1—6月", "1—6月", "（%）"],
        ["引进市外资金（亿元）", 60, 55, 9.1],
    ]
    o = at(made(tmp_path, rows, NOTHING), "D3")
    assert (*period(o), o["measure"]) == ("2018-01", "2018-06", "ytd", "yoy_pct")
    rows = [
        ["指标", "2018年", "增速（%）", "2017年", "增速（%）"],
        ["引进市外资金（亿元）", 60, 5, 55, 9],
    ]
    r = made(tmp_path, rows, NOTHING)
    assert [at(r, c)["end"].year for c in ("C2", "E2")] == [2018, 2017]


def test_a_change_against_the_month_before_is_not_one_against_the_year_before(tmp_path):
    rows = [["2018年9月"], ["指标", "本月", "比上月增长（%）", "较上年同月增长（%）"]]
    r = made(tmp_path, [*rows, ["专利申请总量（件）", 120, 10, 12.5]], NOTHING)
    assert [at(r, c)["measure"] for c in ("C3", "D3")] == ["mom_pct", "yoy_pct"]


def test_actual_figures_and_last_years_cumulative_in_other_words(tmp_path):
    rows = [["2018年9月"], ["指标", "本月实际", "累计实际", "去年累计", "累计增减%"]]
    r = made(tmp_path, [*rows, ["专利申请总量（件）", 10, 90, 80, 12.5]], NOTHING)
    assert [str(at(r, f"{c}3")["start"]) for c in "BCDE"] == [
        "2018-09",
        "2018-01",
        "2017-01",
        "2018-01",
    ]
    assert set(r.observations["indicator_raw"]) == {"专利申请总量"}


@pytest.mark.parametrize("head", ["占全年计划%", "为年计划（%）", "完成年度目标（%）"])
def test_a_share_of_the_plan_is_its_completion_and_no_name(tmp_path, head):
    rows = [
        ["2018年1-9月"],
        ["项目", "累计完成", head, "比去年同期±%"],
        ["引进市外资金（亿元）", 60, 75, 12.5],
    ]
    r = made(tmp_path, rows, NOTHING)
    assert [at(r, c)["measure"] for c in ("C3", "D3")] == ["completion_pct", "yoy_pct"]
    assert set(r.observations["indicator_raw"]) == {"引进市外资金"}


def test_the_day_of_sending_is_no_period_of_the_figures(tmp_path):
    rows = [["报送时间：2018年7月5日", "单位：家"], ["园区", "高新技术企业"], ["高新区", 50]]
    assert str(at(made(tmp_path, rows, JUNE), "B3")["end"]) == "2018-06"


def test_a_target_of_the_year_is_of_the_year(tmp_path):
    rows = [["2018年1-9月"], ["指标", "累计", "年度目标"], ["专利申请总量（件）", 900, 1500]]
    r = made(tmp_path, rows, NOTHING)
    assert (*period(at(r, "C3")), at(r, "C3")["measure"]) == (
        "2018-01",
        "2018-12",
        "year",
        "target",
    )
    assert period(at(r, "B3")) == ("2018-01", "2018-09", "ytd")


# --- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "unit"), zip(FORMS, ("万美元", "万元/月", "亿港元") * 3, strict=False)
)
def test_a_unit_that_is_written_is_never_replaced(tmp_path, form, unit):
    rows = [["2018年6月引进市外资金"], [f"单位：{unit}"], ["园区", "本月"], ["高新区", 1.5]]
    o = at(written(tmp_path, form, rows), "B4")
    assert o["unit_raw"] in (unit, "") and o["unit"] != "万元" or "held" in o["flags"]


def test_a_table_in_money_whose_title_is_known_as_a_count_is_asked_for(tmp_path):
    rows = [
        ["2018年各园区技术合同登记情况"],
        ["单位：万元"],
        ["月份", "高新区"],
        [1, 101],
        [2, 102],
    ]
    r = made(tmp_path, rows, NOTHING)
    assert set(r.observations["unit"]) == {"万元"} and "unit_conflict" in codes(r)


@pytest.mark.parametrize("unit", ["万美元", "亿千瓦时", "亩"])
def test_a_count_is_not_in_the_unit_of_its_table(tmp_path, unit):
    rows = [["2018年6月"], [f"单位：{unit}"], ["指标", "高新区"], ["某项", 1.5], ["企业数", 3]]
    r = made(tmp_path, rows, NOTHING)
    assert [at(r, c)["unit_raw"] for c in ("B4", "B5")] == [unit, ""]


# --- names ------------------------------------------------------------------------------------------------------------


def test_of_which_goes_past_rows_further_in(tmp_path):
    rows = [
        ["指标", "2018年6月"],
        ["规上工业企业数（家）", 100],
        ["　其中：高新技术企业", 40],
        ["　　　　国有企业", 10],
        ["　其中：亏损企业", 5],
    ]
    assert at(made(tmp_path, rows, NOTHING), "B5")["indicator_raw"] == "规上工业企业数/亏损企业"


def test_the_first_line_of_a_document_says_whose_tables_follow(tmp_path):
    table = [["类别", "单位", "本期末", "上年末"], ["高新技术企业", "家", 60, 50]]
    parts = ["红旗区科技工作情况", "一、专利", "略。", "略。", "略。", "二、企业培育情况", table]
    r = read(word(tmp_path / "a.docx", *parts), SEPTEMBER)
    assert [at(r, c)["region"] for c in ("C2", "D2")] == ["hongqi", "hongqi"]
    assert [str(at(r, c)["end"]) for c in ("C2", "D2")] == ["2018-09", "2017-12"]
    assert set(r.observations["indicator"]) == {"hightech_enterprises"}


# --- nothing vanishes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_figures_in_words_are_read_where_every_figure_of_a_column_is_one(tmp_path, form):
    rows = [["园区", "专利授权量（件）"], ["高新区", "三十"], ["红旗区", "50件左右"]]
    r = written(tmp_path, form, rows, JUNE)
    assert [at(r, c)["value"] for c in ("B2", "B3")] == [30, 50]


@pytest.mark.parametrize("form", FORMS)
def test_text_where_figures_are_due_is_a_problem_and_never_a_name(tmp_path, form):
    rows = [["园区", "专利授权量（件）"], ["高新区", "已上报"], ["经开区", "同上"], ["红旗区", 5]]
    r = written(tmp_path, form, rows, JUNE)
    assert at(r, "B4")["indicator_raw"] == "专利授权量"
    assert r.problems.set_index("code").loc["not_a_number", "count"] == 2


def test_a_mark_of_a_note_may_stand_apart_from_its_figure(tmp_path):
    r = made(tmp_path, [["园区", "专利授权量（件）"], ["高新区", "50 [2]"], ["红旗区", "40 ①"]])
    assert list(r.observations["value"]) == [50, 40]


def test_text_raised_by_its_position_is_a_mark_of_a_note(tmp_path):
    path = word(tmp_path / "a.docx", [["园区", "2018年6月专利授权量（件）"], ["高新区", "50"]])
    raised = '50</w:t></w:r><w:r><w:rPr><w:position w:val="8"/></w:rPr><w:t>2</w:t></w:r>'
    parts = {n: b.replace("50</w:t></w:r>", raised) for n, b in parts_of(path).items()}
    o = at(read(packed(tmp_path / "b.docx", parts), NOTHING), "B2")
    assert (o["value"], o["flags"].split(";")[0]) == (50, "note:2")


def parts_of(path):
    with zipfile.ZipFile(path) as z:
        return {n: z.read(n).decode() for n in z.namelist()}


def test_a_line_that_may_break_takes_in_no_rows(tmp_path):
    rows = page([["园区", "专利授权量（件）"], ["高新区", "1<wbr>234"], ["红旗区", 7]])
    r = read(text(tmp_path / "a.html", html.unescape(rows)), JUNE)
    assert list(r.observations["value"]) == [1234, 7]


# --- files ------------------------------------------------------------------------------------------------------------


def changed(folder, name, *swaps):
    """A good workbook of which one part was changed."""
    good = workbook(folder / "good.xlsx", [["园区", "专利授权量（件）"], ["高新区", 5]])
    parts = parts_of(good)
    for old, new in swaps:
        if old not in parts[name]:
            raise LookupError(old)
        parts[name] = parts[name].replace(old, new)
    return read(packed(folder / "a.xlsx", parts), JUNE)


def test_rows_that_go_backwards_and_sheets_that_are_not_there_are_damage(tmp_path):
    sheet, book = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"
    again = '<row r="1"><c r="B1"><v>7</v></c></row></sheetData>'
    assert codes(changed(tmp_path, sheet, ("</sheetData>", again))) == {"corrupt"}
    gone = ("/xl/worksheets/sheet1.xml", "/xl/worksheets/other.xml")
    assert codes(changed(tmp_path, book, gone)) == {"corrupt"}


def test_merged_ranges_over_each_other_cost_what_they_cover(tmp_path):
    ranges = "".join(f'<mergeCell ref="A{i}:B9999"/>' for i in range(1, 2000))
    far = '<row r="9999"><c r="B9999"><v>7</v></c></row></sheetData>'
    more = f"{far}<mergeCells>{ranges}</mergeCells>"
    r = changed(tmp_path, "xl/worksheets/sheet1.xml", ("</sheetData>", more))
    assert codes(r) == {"too_large"}


def test_more_strings_than_a_file_may_have_are_refused_before_they_are_kept(tmp_path, monkeypatch):
    parts = parts_of(
        workbook(tmp_path / "good.xlsx", [["园区", "专利授权量（件）"], ["高新区", 5]])
    )
    parts["xl/sharedStrings.xml"] = "<sst><si><t>1</t></si><si><t>2</t></si><si><t>3</t></si></sst>"
    book = packed(tmp_path / "a.xlsx", parts)
    monkeypatch.setattr(books, "SHARED", MAX_LETTERS // 4)
    assert not codes(reports._read_here(book, JUNE))
    monkeypatch.setattr(books, "SHARED", MAX_LETTERS // 2)
    assert codes(reports._read_here(book, JUNE)) == {"too_large"}


def test_a_file_without_a_filled_cell_says_so(tmp_path):
    assert codes(read(workbook(tmp_path / "a.xlsx", [[""]]), JUNE)) == {"empty_file"}


def test_empty_fields_by_the_hundred_thousand_and_tables_by_the_thousand_cost_little(tmp_path):
    r = read(
        text(tmp_path / "a.csv", "园区,专利授权量（件）" + "," * 300_000 + "\n高新区,5\n"), JUNE
    )
    assert at(r, "B2")["value"] == 5
    many = "园区,专利（件）\n高新区,5\n表1 情况\n" * 1200
    assert codes(read(text(tmp_path / "b.csv", many), JUNE)) == {"too_large"}
