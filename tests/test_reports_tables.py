"""Traits 20 to 56 of the catalogue of reports: sheets, tables, and labels."""

import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font
from reports_made import (
    JUNE,
    PARKS,
    at,
    codes,
    day,
    made,
    outcome,
    period,
    read,
    severity,
    text,
    workbook,
)

from zcqlib.reports import Context

APPLIED, INVENTION = "patent_applications", "invention_patent_applications"


def values(reading, *columns):
    """{(chosen columns): value} of all observations."""
    o = reading.observations
    return {tuple(str(getattr(r, c)) for c in columns): r.value for r in o.itertuples()}


def test_t20_title_and_blank_rows_give_period_and_unit(tmp_path):
    r = made(
        tmp_path,
        [
            ["表3 各园区专利申请情况（2018年6月）"],
            [],
            ["单位：件"],
            [],
            ["园区", "专利申请量"],
            ["高新区", 95],
        ],
    )
    o = at(r, "B6")
    assert (o["region"], o["indicator"], o["unit"], o["value"]) == ("gaoxin", APPLIED, "件", 95)
    assert (
        period(o) == ("2018-06", "2018-06", "month")
        and outcome(r, "A1") == outcome(r, "A3") == "context"
    )


def test_t21_merged_headers_make_paths(tmp_path):
    r = made(
        tmp_path,
        [
            ["园区", "专利申请", "", "专利授权", ""],
            ["", "合计", "发明", "合计", "发明"],
            ["高新区", 9, 4, 5, 2],
            ["红旗区", 7, 3, 4, 1],
        ],
        merged=("A1:A2", "B1:C1", "D1:E1"),
    )
    assert (
        at(r, "C3")["indicator_raw"] == "专利申请/发明"
        and at(r, "D4")["indicator_raw"] == "专利授权/合计"
    )
    assert at(r, "B3")["indicator"] == APPLIED and at(r, "C3")["indicator"] == INVENTION


@pytest.mark.parametrize("heads", [["房屋", "", "土地", ""], ["房屋", "房屋", "土地", "土地"]])
def test_t22_group_words_without_merging(tmp_path, heads):
    r = made(
        tmp_path,
        [
            ["园区", *heads],
            ["", "施工", "竣工", "购置", "开发"],
            ["高新区", 1, 2, 3, 4],
            ["红旗区", 5, 6, 7, 8],
        ],
    )
    assert [at(r, f"{c}3")["indicator_raw"] for c in "BCDE"] == [
        "房屋/施工",
        "房屋/竣工",
        "土地/购置",
        "土地/开发",
    ]


def test_t23_one_word_over_two_rows_is_joined(tmp_path):
    r = made(
        tmp_path,
        [
            ["园区", "高新技", "规上工"],
            ["", "术企业数", "业企业数"],
            ["高新区", 9, 40],
            ["红旗区", 7, 30],
        ],
    )
    assert (
        at(r, "B3")["indicator_raw"] == "高新技术企业数"
        and at(r, "C4")["indicator_raw"] == "规上工业企业数"
    )


def test_t24_a_header_row_of_units_and_an_empty_one(tmp_path):
    r = made(
        tmp_path,
        [
            ["园区", "高新技术企业数", "技术合同成交额"],
            [],
            ["", "（家）", "（亿元）"],
            ["高新区", 9, 1.2],
        ],
    )
    assert at(r, "B4")["unit"] == "家" and at(r, "C4")["indicator_raw"] == "技术合同成交额"
    assert (at(r, "C4")["value"], at(r, "C4")["unit"], at(r, "C4")["unit_raw"]) == (
        12000,
        "万元",
        "亿元",
    )


def test_t25_indicator_region_frequency_unit_as_header_rows(tmp_path):
    r = made(
        tmp_path,
        [
            ["指标", "R&D经费", "R&D经费"],
            ["地区", "高新区", "红旗区"],
            ["频度", "月", "月"],
            ["单位", "万元", "亿元"],
            ["2018-05", 10, 2],
            ["2018-06", 11, 3],
        ],
    )
    assert (
        at(r, "C6")["value"] == 30000
        and at(r, "C6")["region"] == "hongqi"
        and at(r, "B5")["region"] == "gaoxin"
    )
    assert (
        period(at(r, "B5")) == ("2018-05", "2018-05", "month")
        and at(r, "B5")["indicator_raw"] == "R&D经费"
    )


def test_t26_t27_periods_as_columns_or_rows_in_any_order_give_the_same(tmp_path):
    a = made(
        tmp_path,
        [
            ["2018年专利申请量（件）"],
            ["园区", "6月", "5月", "4月"],
            ["高新区", 3, 2, 1],
            ["红旗区", 6, 5, 4],
        ],
    )
    b = made(
        tmp_path,
        [
            ["2018年专利申请量（件）"],
            ["月份", "高新区", "红旗区"],
            ["4月", 1, 4],
            ["5月", 2, 5],
            ["6月", 3, 6],
        ],
    )
    columns = ("region", "indicator", "start", "end", "basis", "unit")
    assert values(a, *columns) == values(b, *columns) and len(a.observations) == 6


def test_t27_periods_as_rows_indicators_as_columns(tmp_path):
    r = made(
        tmp_path,
        [
            ["高新区"],
            ["时间", "专利申请量(件)", "专利授权量(件)"],
            ["2018年5月", 90, 70],
            ["2018年6月", 95, 80],
        ],
    )
    assert (
        at(r, "C4")["value"] == 80
        and at(r, "C4")["region"] == "gaoxin"
        and at(r, "B3")["indicator"] == APPLIED
    )


def test_t28_t29_indicator_or_region_named_above(tmp_path):
    r = made(tmp_path, [["指标：专利申请量(件)"], ["园区", "2018年6月"], ["高新区", 9]])
    assert (at(r, "B3")["indicator"], at(r, "B3")["unit"]) == (APPLIED, "件")
    r = made(tmp_path, [["地区：高新区"], ["指标", "2018年6月"], ["专利申请量(件)", 9]])
    assert (at(r, "B3")["region"], at(r, "B3")["indicator"]) == ("gaoxin", APPLIED)


def test_t30_a_name_for_a_block_of_rows_is_carried_inside_the_block(tmp_path):
    r = made(
        tmp_path,
        [
            ["指标", "月份", "高新区"],
            ["专利申请量(件)", "2018年4月", 1],
            ["", "2018年5月", 2],
            ["专利授权量(件)", "2018年4月", 3],
            ["", "2018年5月", 4],
        ],
    )
    assert (
        at(r, "C3")["indicator_raw"] == "专利申请量"
        and at(r, "C5")["indicator_raw"] == "专利授权量"
    )


def test_t31_tables_below_each_other(tmp_path):
    r = made(
        tmp_path,
        [
            ["表1 专利申请量（件）"],
            ["园区", "2018年6月"],
            ["高新区", 9],
            [],
            ["表2 技术合同成交额（万元）"],
            ["园区", "2018年6月"],
            ["高新区", 80],
        ],
    )
    assert (at(r, "B3")["indicator"], at(r, "B7")["indicator"]) == (APPLIED, "tech_contract_value")
    assert r.info["tables"] == 2


def test_t31_tables_beside_each_other(tmp_path):
    r = made(
        tmp_path,
        [
            ["园区", "专利申请量(件)", "", "园区", "技术合同成交额(万元)"],
            ["高新区", 9, "", "牧野区", 80],
            ["红旗区", 8, "", "经开区", 70],
        ],
    )
    assert (at(r, "E2")["region"], at(r, "E2")["indicator"]) == ("muye", "tech_contract_value")
    assert (at(r, "B3")["region"], at(r, "B3")["indicator"]) == ("hongqi", APPLIED)


def test_t32_a_continued_table_joins_the_one_above(tmp_path):
    r = made(
        tmp_path,
        [
            ["表1 专利申请量（件）"],
            ["园区", "2018年6月"],
            ["高新区", 9],
            [],
            ["续表"],
            ["园区", "2018年6月"],
            ["红旗区", 8],
        ],
    )
    assert at(r, "B7")["indicator"] == APPLIED and outcome(r, "B6") == "label"


def test_t33_sheet_names_give_month_or_park_and_a_conflict_is_said(tmp_path):
    def more(book, sheet):
        other = book.create_sheet("5月")
        other.append(["园区", "专利申请量(件)"])
        other.append(["高新区", 8])
        park = book.create_sheet("经开区")
        park.append(["指标", "2018年6月"])
        park.append(["专利申请量(件)", 7])
        wrong = book.create_sheet("4月")
        wrong.append(["2018年3月专利情况"])
        wrong.append(["园区", "专利申请量(件)"])
        wrong.append(["高新区", 6])

    r = made(
        tmp_path,
        [["园区", "专利申请量(件)"], ["高新区", 9]],
        sheet="6月",
        name="2018年报表.xlsx",
        change=more,
    )
    got = {o.sheet: (o.region, str(o.end)) for o in r.observations.itertuples()}
    assert got == {
        "6月": ("gaoxin", "2018-06"),
        "5月": ("gaoxin", "2018-05"),
        "经开区": ("jingkai", "2018-06"),
        "4月": ("gaoxin", "2018-03"),
    }
    assert severity(r, "context_conflict") == "warning"


def test_t34_a_contents_sheet_gives_no_observations(tmp_path):
    def more(book, sheet):
        meta = book.create_sheet("指标信息")
        for row in (
            ["指标名称", "单位", "频度", "更新时间", "编号"],
            ["专利申请量", "件", "月", day(2018, 7, 1), 11001],
            ["专利授权量", "件", "月", day(2018, 7, 1), 11002],
        ):
            meta.append(row)

    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 9]], change=more)
    assert len(r.observations) == 1 and not (r.problems["severity"] == "error").any()
    assert set(r.cells.loc[r.cells["sheet"] == "指标信息", "outcome"]) <= {"label", "context"}


def test_t35_hidden_rows_and_columns_are_flagged_and_hidden_sheets_left_out(tmp_path):
    def hide(book, sheet):
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True
        old = book.create_sheet("旧")
        old.append(["园区", "专利申请量(件)"])
        old.append(["高新区", 1])
        old.sheet_state = "hidden"

    r = made(
        tmp_path,
        [["园区", "专利申请量(件)", "专利授权量(件)"], ["高新区", 9, 5], ["红旗区", 8, 4]],
        change=hide,
    )
    assert (
        "hidden" in at(r, "B3")["flags"]
        and "hidden" in at(r, "C2")["flags"]
        and "hidden" not in at(r, "B2")["flags"]
    )
    assert severity(r, "hidden_sheet") == "warning" and set(r.observations["sheet"]) == {"Sheet1"}


def test_t36_one_figure_over_two_parks_is_given_to_neither(tmp_path):
    r = made(
        tmp_path,
        [["园区", "专利申请量(件)"], ["高新区", 9], ["红旗区", 120], ["牧野区", ""]],
        merged=("B3:B4",),
    )
    assert (
        severity(r, "merged_value") == "error"
        and outcome(r, "B3") == "problem"
        and len(r.observations) == 1
    )


def test_t37_scratch_work_is_no_data(tmp_path):
    r = made(
        tmp_path,
        [
            ["专利申请量（件）"],
            ["园区", "2018年5月", "2018年6月", ""],
            ["高新区", 10, 12, 1.2],
            ["红旗区", 3, 4, 1.333],
            ["", 13, 16],
        ],
    )
    assert {outcome(r, c) for c in ("D3", "D4", "B5", "C5")} == {"problem"}
    asked = r.problems[r.problems["code"] == "orphan_cell"]
    assert (list(asked["cell"]), list(asked["count"])) == (["B3:D5"], [4])  # one row for the fault
    assert len(r.observations) == 4


def test_t38_serial_numbers_are_labels(tmp_path):
    r = made(tmp_path, [["序号", "园区", "专利申请量(件)"], [1, "高新区", 9], [2, "红旗区", 8]])
    assert outcome(r, "A2") == outcome(r, "A3") == "label" and len(r.observations) == 2


def test_t39_zeros_of_months_to_come_are_missing(tmp_path):
    r = made(
        tmp_path,
        [
            ["2018年专利申请量（件）"],
            ["园区", "5月", "6月", "7月", "8月"],
            ["高新区", 9, 8, 0, 0],
            ["红旗区", 7, 6, 0, 0],
        ],
    )
    assert severity(r, "template_zeros") == "warning"
    later = r.observations[r.observations["cell"].isin(["D3", "D4", "E3", "E4"])]
    assert later["value"].isna().all() and set(later["missing_reason"]) == {"future"}


def test_t40_struck_figures_and_comments(tmp_path):
    def strike(book, sheet):
        sheet["B2"].font = Font(strike=True)
        sheet["B3"].comment = Comment("应为96", "a")

    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 95], ["红旗区", 8]], change=strike)
    assert "struck" in at(r, "B2")["flags"] and "note:应为96" in at(r, "B3")["flags"]


@pytest.mark.parametrize("name", ["高 新 区", "　高新区", "高新\n区"])
def test_t41_spaces_inside_names(tmp_path, name):
    r = made(tmp_path, [["园区", "专利申请量(件)"], [name, 9]])
    assert at(r, "B2")["region"] == "gaoxin" and at(r, "B2")["region_raw"].strip() == name.strip()


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("新乡高新区", "gaoxin"),
        ("新乡高新技术产业开发区管委会", "gaoxin"),
        ("新乡市红旗区", "hongqi"),
        ("经济技术开发区", "jingkai"),
        ("平原新区", "pingyuan"),
    ],
)
def test_t42_variants_of_park_names(tmp_path, name, id):
    assert at(made(tmp_path, [["园区", "专利申请量(件)"], [name, 9]]), "B2")["region"] == id


@pytest.mark.parametrize("name", ["开发区", "新区", "示范区"])
def test_t43_a_name_that_may_be_two_parks_is_an_error(tmp_path, name):
    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 5], [name, 9]])
    assert (
        severity(r, "park_ambiguous") == "error"
        and outcome(r, "B3") == "problem"
        and len(r.observations) == 1
    )


def test_t44_another_citys_park_is_kept_outside_the_five(tmp_path):
    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 5], ["郑州高新区", 9]])
    assert at(r, "B3")["region_raw"] == "郑州高新区" and at(r, "B3")["region"] not in ("gaoxin", "")
    assert severity(r, "other_region") == "info"


def test_t45_a_near_miss_is_an_error_with_a_suggestion(tmp_path):
    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 5], ["平原示苑区", 9]])
    assert severity(r, "park_unknown") == "error" and outcome(r, "B3") == "problem"
    assert "平原示范区" in r.problems.loc[r.problems["code"] == "park_unknown", "message"].iloc[0]


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("1.高新区", "gaoxin"),
        ("（二）经开区", "jingkai"),
        ("牧野区①", "muye"),
        ("红旗区*", "hongqi"),
        ("3、红旗区", "hongqi"),
    ],
)
def test_t46_numbering_and_marks_are_taken_off(tmp_path, name, id):
    assert at(made(tmp_path, [["园区", "专利申请量(件)"], [name, 9]]), "B2")["region"] == id


@pytest.mark.parametrize("name", ["合计", "总计", "小计", "全市", "自创区", "合 计"])
def test_t47_total_rows_are_marked(tmp_path, name):
    r = made(tmp_path, [["园区", "专利申请量(件)"], ["高新区", 5], ["红旗区", 4], [name, 9]])
    assert at(r, "B4")["is_total"] and not at(r, "B2")["is_total"]


def test_t48_the_remainder_row_is_a_part(tmp_path):
    r = made(
        tmp_path,
        [["园区", "专利申请量(件)"], ["高新区", 5], ["其他", 4], ["市直", 1], ["合计", 10]],
    )
    assert (
        not at(r, "B3")["is_total"]
        and not at(r, "B4")["is_total"]
        and at(r, "B3")["region_raw"] == "其他"
    )


def test_t49_of_which_is_a_child_and_inherits_the_unit(tmp_path):
    r = made(
        tmp_path,
        [
            ["指标", "2018年6月"],
            ["专利申请(件)", 9],
            ["其中：发明", 4],
            ["　　　实用新型", 3],
            ["技术合同成交额(万元)", 80],
        ],
        Context(published=JUNE.published, sender="gaoxin"),
    )
    assert at(r, "B3")["indicator_raw"] == "专利申请/发明" and at(r, "B3")["unit"] == "件"
    assert at(r, "B5")["indicator_raw"] == "技术合同成交额"
    r = made(tmp_path, [["园区", "专利申请", "其中"], ["", "", "发明"], ["高新区", 9, 4]])
    assert at(r, "C3")["indicator_raw"] == "专利申请/发明"


def test_t50_a_hash_opens_an_incomplete_list(tmp_path):
    r = made(tmp_path, [["园区", "专利申请量(件)"], ["全市", 50], ["# 高新区", 5], ["红旗区", 4]])
    assert (
        at(r, "B3")["region"] == "gaoxin"
        and "partial" in at(r, "B3")["flags"]
        and "partial" in at(r, "B4")["flags"]
    )


def test_t51_t52_notes_sources_and_contacts_are_context(tmp_path):
    r = made(
        tmp_path,
        [
            ["园区", "专利申请量(件)"],
            ["高新区", 5],
            ["红旗区", 4],
            ["注：1.2018年1月起含30家企业"],
            ["　　　2.口径为100%"],
            ["数据来源：市知识产权局", ""],
            ["填表人：甲", 15],
            ["联系电话：", 3731234567],
        ],
    )
    assert len(r.observations) == 2
    assert {outcome(r, c) for c in ("A4", "A5", "A6", "A7", "B7", "A8", "B8")} == {"context"}


def test_t53_no_indicator_anywhere_keeps_the_figures_as_problems(tmp_path):
    r = made(tmp_path, [["园区", "2018年5月", "2018年6月"], ["高新区", 5, 6]])
    assert (
        severity(r, "no_indicator") == "error"
        and r.observations.empty
        and outcome(r, "B2") == "problem"
    )


def test_t53_the_file_name_is_a_hint(tmp_path):
    r = made(
        tmp_path, [["园区", "2018年5月", "2018年6月"], ["高新区", 5, 6]], name="专利申请量.xlsx"
    )
    assert at(r, "B2")["indicator"] == APPLIED and "from_filename" in at(r, "B2")["flags"]


@pytest.mark.parametrize("name", ["高企数", "高新技术企业(家)", "国家高新技术企业数"])
def test_t54_changed_names_have_one_meaning(tmp_path, name):
    assert (
        at(made(tmp_path, [["园区", name], ["高新区", 5]]), "B2")["indicator"]
        == "hightech_enterprises"
    )


def test_t54_a_new_name_in_a_park_table_is_asked_for(tmp_path):
    r = made(tmp_path, [["园区", "专利申清量(件)"], ["高新区", 5], ["红旗区", 6]])
    assert severity(r, "new_indicator") == "warning" and at(r, "B2")["indicator"] == ""
    assert "专利申请量" in r.problems["message"].iloc[0]


def test_t55_a_redefined_series_stays_apart(tmp_path):
    r = made(tmp_path, [["园区", "财政支出(万元)", "一般公共预算支出(万元)"], ["高新区", 5, 6]])
    assert at(r, "B2")["indicator_raw"] != at(r, "C2")["indicator_raw"]


def test_t56_target_completion_and_rank_columns(tmp_path):
    r = made(
        tmp_path,
        [
            ["2018年6月专利申请量（件）"],
            ["园区", "年度目标", "本年累计", "完成率(%)", "位次"],
            ["高新区", 100, 50, 50, 1],
            ["红旗区", 80, 40, 50, 1],
        ],
    )
    assert [at(r, f"{c}3")["measure"] for c in "BCDE"] == [
        "target",
        "value",
        "completion_pct",
        "rank",
    ]
    assert {at(r, f"{c}3")["indicator"] for c in "BCDE"} == {APPLIED}
    assert period(at(r, "C3")) == ("2018-01", "2018-06", "ytd") and at(r, "D3")["unit"] == "%"


def test_a_text_table_of_all_parks_in_one_line_each(tmp_path):
    r = read(
        text(
            tmp_path / "2018年6月.csv",
            "园区,专利申请量(件),技术合同成交额(亿元)\n"
            + "".join(f"{p},{i},{i / 10}\n" for i, p in enumerate(PARKS, 1)),
        )
    )
    assert len(r.observations) == 10 and set(r.observations["region"]) == {
        "gaoxin",
        "jingkai",
        "pingyuan",
        "hongqi",
        "muye",
    }
    assert workbook(tmp_path / "x.xlsx", [["园区"]]).exists() and "no_indicator" not in codes(r)
