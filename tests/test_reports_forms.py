"""Forms in which bureaus and parks write their months: what each column is, and what is left alone."""

import openpyxl
import pandas as pd
import pytest

from zcqlib.reports import Context, read_report

SEPTEMBER = pd.Period("2018-09", "M")
MONTH, TO_DATE = ("2018-09", "2018-09", "month"), ("2018-01", "2018-09", "ytd")
NOW, LAST = ("2018-09", "2018-09", "eop"), ("2017-12", "2017-12", "eop")


def read(tmp_path, name, rows, *merged):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place in merged:
        book.active.merge_cells(place)
    book.save(tmp_path / f"{name}.xlsx")
    return read_report(tmp_path / f"{name}.xlsx", Context(published=SEPTEMBER))


def cells(reading):
    """Cell → (indicator, start, end, basis, measure, value), of the figures whose indicator is known."""
    o = reading.observations[reading.observations["indicator"].ne("")]
    said = o[["indicator", "start", "end", "basis", "measure", "value"]].astype(
        {"start": str, "end": str}
    )
    return dict(zip(o["cell"], said.itertuples(index=False, name=None), strict=True))


def test_a_bureau_s_absolute_figure_beside_its_growth_is_the_indicator_itself(tmp_path):
    rows = [
        ["2018年1-9月主要经济指标完成情况"],
        ["", "", "", "", "单位:亿元、%"],
        ["指标名称", "9月", "", "1-9月", ""],
        ["", "绝对额", "增长", "绝对额", "增长"],
        ["规模以上工业增加值", 23.4, 7.9, 208.6, 8.3],
        ["其中:高新技术产业增加值", 6.2, 11.2, 55.1, 12.4],
        ["财政一般公共预算支出", 30.1, -2.1, 255.0, 5.6],
    ]
    found = cells(read(tmp_path, "市统计局快报", rows, "A1:E1", "B3:C3", "D3:E3"))
    assert found["B5"] == ("industrial_value_added", *MONTH, "value", 234_000)
    assert found["E5"] == ("industrial_value_added", *TO_DATE, "yoy_pct", 8.3)
    assert found["D6"] == ("hightech_value_added", *TO_DATE, "value", 551_000)
    assert found["C7"] == ("fiscal_expenditure", *MONTH, "yoy_pct", -2.1)


def test_done_by_the_end_of_a_month_is_cumulative_and_by_how_much_it_rose_is_no_rate(tmp_path):
    rows = [
        ["2018年招商引资目标完成情况(截至9月底)"],
        ["项目", "全年目标", "截至9月底完成", "完成比例", "较上月增加"],
        ["引进市外资金(亿元)", 250, 176.4, "70.6%", 19.8],
        ["招商推介活动(次)", 36, 29, "80.6%", 4],
    ]
    found = cells(read(tmp_path, "商务局2018年9月", rows))
    assert found["C3"] == ("external_funds_attracted", *TO_DATE, "value", 1_764_000)
    assert found["C4"] == ("investment_promotion_events", *TO_DATE, "value", 29)
    assert found["B4"][4:] == ("target", 36) and not {"E3", "E4"} & set(found)


def test_the_end_of_a_year_is_a_level_of_december_and_a_net_rise_is_none(tmp_path):
    rows = [
        ["高新技术企业情况表(截至2018年9月30日)"],
        ["园区", "2017年底", "2018年9月底", "净增"],
        ["高新区", 26, 30, 4],
        ["经开区", 19, 21, 2],
    ]
    found = cells(read(tmp_path, "科技局2018年9月企业", rows, "A1:D1"))
    assert found["B3"] == ("hightech_enterprises", *LAST, "value", 26)
    assert found["C4"] == ("hightech_enterprises", *NOW, "value", 21) and "D3" not in found


def test_the_sum_of_a_quarter_among_months_is_that_quarter(tmp_path):
    rows = [
        ["高新区2018年科技指标月度情况表"],
        ["月份", "专利申请量/件", "技术合同成交额/万元"],
        *[[f"{m}月", 80 + m, 1200 + m] for m in (1, 2, 3)],
        ["一季度小计", 246, 3606],
        ["4月", 105, 1600],
        ["1-4月累计", 351, 5206],
    ]
    found = cells(read(tmp_path, "高新区2018年月度", rows))
    assert found["B6"] == ("patent_applications", "2018-01", "2018-03", "quarter", "value", 246)
    assert found["C8"] == ("tech_contract_value", "2018-01", "2018-04", "ytd", "value", 5206)


def test_a_part_named_in_full_below_its_whole_is_that_part(tmp_path):
    rows = [
        ["新乡片区2018年9月份主要指标汇总表"],
        ["序号", "指标", "单位", "高新区", "经开区"],
        [1, "专利申请总量(1-9月累计)", "件", 1010, 512],
        [2, "其中:发明专利申请量", "件", 251, 90],
    ]
    found = cells(read(tmp_path, "自创区9月汇总", rows, "A1:E1"))
    assert found["D4"] == ("invention_patent_applications", *TO_DATE, "value", 251)


def test_quantity_growth_and_place_under_one_name_are_three_kinds_of_figure(tmp_path):
    rows = [
        ["2018年1-9月各园区主要指标及排名"],
        ["园区", "引进市外资金", "", ""],
        ["", "数额(亿元)", "增长(%)", "位次"],
        ["高新区", 66.3, 9.1, 1],
        ["经开区", 40.2, 7.0, 3],
    ]
    found = cells(read(tmp_path, "各园区排名9月", rows, "B2:D2", "A2:A3"))
    assert found["B4"] == ("external_funds_attracted", *TO_DATE, "value", 663_000)
    assert [found[c][4:] for c in ("C5", "D5")] == [("yoy_pct", 7.0), ("rank", 3)]


@pytest.mark.parametrize(
    "head", ["累计比上年同期增减额", "比年初增加", "净增额", "较上年末增加", "本周"]
)
def test_a_column_of_amounts_of_change_or_of_a_week_is_read_as_nothing_else(tmp_path, head):
    rows = [
        ["2018年9月财政收支情况表(单位:万元)"],
        ["科目", "当月数", "累计数", head],
        ["一般公共预算支出", 301_000, 2_550_000, 135_000],
    ]
    reading = read(tmp_path, "市财政局9月", rows)
    assert set(reading.observations["cell"]) == {"B3", "C3"}
    assert "summary_row" in set(reading.problems["code"])


def test_a_rate_behind_an_amount_of_change_belongs_to_the_figure_and_not_to_the_change(tmp_path):
    rows = [
        ["2018年9月财政收支情况表(单位:万元)"],
        ["科目", "当月数", "累计数", "累计比上年同期增减额", "累计增减%"],
        ["一般公共预算支出", 301_000, 2_550_000, 135_000, 5.6],
        ["其中:科学技术支出", 6500, 52_000, 4800, 10.2],
    ]
    found = cells(read(tmp_path, "市财政局9月", rows))
    assert found["E3"] == ("fiscal_expenditure", *TO_DATE, "yoy_pct", 5.6)
    assert found["E4"] == ("fiscal_st_expenditure", *TO_DATE, "yoy_pct", 10.2)


def test_a_target_without_a_period_is_that_of_the_year_and_done_by_a_day_is_cumulative(tmp_path):
    rows = [
        ["2018年人才引进情况表"],
        ["截止日期:2018-09-30", "", "单位:人(个)"],
        ["类别", "目标数", "已完成"],
        ["急需紧缺人才", 100, "83人"],
        ["高层次人才团队", "5个", "4个"],
    ]
    reading = read(tmp_path, "市人才办9月", rows)
    found, year = cells(reading), ("2018-01", "2018-12", "year")
    assert found["B4"] == ("urgently_needed_talents", *year, "target", 100)
    assert found["C4"] == ("urgently_needed_talents", *TO_DATE, "value", 83)
    assert found["C5"] == ("high_level_talent_teams", *TO_DATE, "value", 4)
    assert set(reading.observations.set_index("cell").loc[["B4", "C4"], "unit"]) == {"名"}


def test_a_unit_in_the_cell_is_a_unit(tmp_path):
    rows = [["经开区9月简报"], ["指标", "9月", "累计"], ["技术合同成交额", "820万元", "0.8亿元"]]
    reading = read(tmp_path, "经开区2018年9月简报", rows)
    assert reading.observations["value"].tolist() == [820, 8000]
    assert "no_unit" not in set(reading.problems["code"])


def test_the_whole_city_over_some_of_its_districts_is_no_wrong_total(tmp_path):
    rows = [
        ["2018年1-9月规模以上工业增加值(亿元)"],
        ["地区", "规模以上工业增加值"],
        ["全市", 208.6],
        ["红旗区", 31.2],
        ["卫滨区", 12.3],
    ]
    codes = set(read(tmp_path, "市统计局9月分区", rows).problems["code"])
    assert "total_mismatch" not in codes and "total_unchecked" in codes
    rows[2][1] = 40.1  # less than its parts
    assert "total_mismatch" in set(read(tmp_path, "再报", rows).problems["code"])


def test_a_growth_that_is_the_difference_of_the_two_figures_is_held(tmp_path):
    rows = [
        ["主要科技指标对比表"],
        ["指标", "单位", "2018年9月", "2017年9月", "同比增减"],
        ["技术合同成交额", "万元", 2100, 1800, "16.7%"],
        ["高新技术企业", "家", 91, 78, "13"],
    ]
    reading = read(tmp_path, "市科技局2018年9月", rows)
    held = reading.observations.set_index("cell")["flags"].str.contains("held")
    assert held[held].index.tolist() == ["E4"]
    assert "C4 与 D4 之差" in reading.problems.set_index("code").at["rate_is_amount", "message"]


def test_a_name_that_ends_that_of_the_title_is_the_title_s_indicator(tmp_path):
    rows = [
        ["2018年1-9月各区规模以上工业增加值"],
        ["地区", "增加值", "增速"],
        ["", "(亿元)", "(%)"],
        ["红旗区", 31.2, 8.0],
        ["高新区", 40.1, 9.9],
    ]
    found = cells(read(tmp_path, "市统计局9月", rows))
    assert found["B5"] == ("industrial_value_added", *TO_DATE, "value", 401_000)
    assert found["C4"] == ("industrial_value_added", *TO_DATE, "yoy_pct", 8.0)
