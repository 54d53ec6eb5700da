"""Traits 57 to 82 of the catalogue of reports: periods, numbers and units."""

import math

import pandas as pd
import pytest
from reports_made import at, codes, day, made, outcome, period, read, severity, text

from zcqlib.reports import Context

COUNT, MONEY = "专利申请量(件)", "技术合同成交额(万元)"
MAY_FILE = Context(published=pd.Period("2018-06", "M"))


def one(folder, value, head=COUNT, unit_row=None, **how):
    """One figure of 高新区 for June 2018 in column B."""
    return made(folder, [["2018年6月"], ["园区", head], ["高新区", value], ["红旗区", 7]], **how)


@pytest.mark.parametrize(
    "spelling",
    [
        "2018年6月",
        "2018-06",
        "2018.06",
        "2018/6",
        "201806",
        201806,
        "２０１８年６月",
        "二〇一八年六月",
        "2018年06月份",
        "2018年6月",
    ],
)
def test_t57_spellings_of_a_month(tmp_path, spelling):
    r = made(tmp_path, [[COUNT], ["园区", "2018年5月", spelling], ["高新区", 9, 8]], Context())
    assert period(at(r, "C3")) == ("2018-06", "2018-06", "month")


@pytest.mark.parametrize("where", ["header", "title", "sheet", "file"])
def test_t58_the_year_comes_from_the_nearest_that_has_one(tmp_path, where):
    rows = [
        ["2018年专利申请量(件)" if where == "title" else COUNT],
        ["园区", "2018年" if where == "header" else "", ""],
        ["", "5月", "6月"],
        ["高新区", 9, 8],
    ]
    if where != "header":
        del rows[1]
        rows[1][0] = "园区"
    r = made(
        tmp_path,
        rows,
        Context(),
        sheet="2018年" if where == "sheet" else "表",
        merged=("B2:C2",) if where == "header" else (),
        name="2018年报表.xlsx" if where == "file" else "报表.xlsx",
    )
    row = r.observations[r.observations["value"] == 8].iloc[0]
    assert period(row) == ("2018-06", "2018-06", "month")


def test_t58_no_year_anywhere_is_an_error(tmp_path):
    r = made(tmp_path, [[COUNT], ["园区", "6月"], ["高新区", 9]], Context())
    assert severity(r, "no_year") == "error" and outcome(r, "B3") == "problem"


def test_t59_a_two_digit_year_is_flagged(tmp_path):
    o = at(made(tmp_path, [[COUNT], ["园区", "18年6月"], ["高新区", 9]], Context()), "B3")
    assert period(o) == ("2018-06", "2018-06", "month") and "short_year" in o["flags"]


def test_t60_a_day_stands_for_its_month(tmp_path):
    r = made(
        tmp_path,
        [
            ["地区：高新区"],
            ["日期", COUNT],
            [day(2018, 4, 1), 1],
            [day(2018, 5, 15), 2],
            [day(2018, 6, 30), 3],
        ],
    )
    assert [period(at(r, f"B{i}"))[0] for i in (3, 4, 5)] == ["2018-04", "2018-05", "2018-06"]
    assert set(r.observations["basis"]) == {"month"}


def test_t61_a_bare_serial_number_among_periods_is_one(tmp_path):
    r = made(
        tmp_path,
        [
            ["地区：高新区"],
            ["日期", COUNT],
            [day(2018, 4, 1), 1],
            [43221, 2],
            [day(2018, 6, 1), 43252],
        ],
    )
    assert (
        period(at(r, "B4")) == ("2018-05", "2018-05", "month") and "serial" in at(r, "B4")["flags"]
    )
    assert at(r, "B5")["value"] == 43252


def test_t61_the_1904_date_system_is_honoured(tmp_path):
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    r = made(
        tmp_path,
        [["地区：高新区"], ["日期", COUNT], [day(2018, 5, 1), 1], [day(2018, 6, 1), 2]],
        change=lambda b, s: setattr(b, "epoch", CALENDAR_MAC_1904),
    )
    assert [period(at(r, f"B{i}"))[0] for i in (3, 4)] == ["2018-05", "2018-06"]


def test_t62_october_written_with_one_digit(tmp_path):
    r = made(
        tmp_path,
        [["地区：高新区"], ["月份", COUNT], [2018.09, 1], [2018.1, 2], [2018.11, 3]],
        Context(),
    )
    assert [period(at(r, f"B{i}"))[0] for i in (3, 4, 5)] == ["2018-09", "2018-10", "2018-11"]
    twice = (
        [["2018.1", 1]]
        + [[f"2018.{m:02d}", m] for m in range(2, 10)]
        + [["2018.1", 10], ["2018.11", 11], ["2018.12", 12]]
    )
    r = made(tmp_path, [["地区：高新区"], ["月份", COUNT], *twice], Context())
    assert period(at(r, "B3"))[0] == "2018-01" and period(at(r, "B12"))[0] == "2018-10"
    r = made(tmp_path, [[COUNT], ["园区", "2018.1"], ["高新区", 5]], Context())
    assert severity(r, "period_ambiguous") == "error" and r.observations.empty


def test_t63_text_that_became_a_date_is_decided_by_its_neighbours(tmp_path):
    r = made(
        tmp_path,
        [
            ["地区：高新区"],
            ["月份", COUNT],
            ["2018年5月", 1],
            [day(2026, 6, 18), 2],
            ["2018年7月", 3],
        ],
        Context(),
    )
    assert period(at(r, "B4"))[0] == "2018-06" and "date_repaired" in at(r, "B4")["flags"]
    r = made(
        tmp_path,
        [["地区：高新区"], ["月份", COUNT], [day(2026, 6, 18), 2], [day(2026, 7, 18), 2]],
        Context(),
    )
    assert severity(r, "period_ambiguous") == "error" and r.observations.empty


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("1-6月", 6),
        ("1—6月", 6),
        ("1～6月", 6),
        ("1至6月", 6),
        ("上半年", 6),
        ("前三季度", 9),
        ("全年", 12),
        ("1-2月", 2),
        ("1-6月累计", 6),
    ],
)
def test_t64_t65_ranges_from_january_are_cumulative(tmp_path, words, end):
    r = made(tmp_path, [["2018年专利申请量(件)"], ["园区", words], ["高新区", 9]], Context())
    assert period(at(r, "B3")) == ("2018-01", f"2018-{end:02d}", "ytd")


@pytest.mark.parametrize("words", ["2018年第二季度", "2018年二季度", "2018Q2", "2018年2季度"])
def test_t66_quarters(tmp_path, words):
    r = made(tmp_path, [[COUNT], ["园区", words], ["高新区", 9]], Context())
    assert period(at(r, "B3")) == ("2018-04", "2018-06", "quarter")


def test_t67_a_quarterly_series_in_a_monthly_sheet(tmp_path):
    r = made(
        tmp_path,
        [
            ["指标", "GDP_累计", "第二产业增加值_当期", "工业用电量_当期"],
            ["地区", "全国", "全国", "全国"],
            ["频度", "季", "季", "月"],
            ["单位", "亿元", "亿元", "万千瓦时"],
            ["2018-05", "", "", 5],
            ["2018-06", 20, 9, 6],
        ],
        Context(),
    )
    assert period(at(r, "B6")) == ("2018-01", "2018-06", "ytd") and period(at(r, "C6")) == (
        "2018-04",
        "2018-06",
        "quarter",
    )
    assert period(at(r, "D5")) == ("2018-05", "2018-05", "month") and len(r.observations) == 4


@pytest.mark.parametrize("words", ["6月末", "截至6月底", "截至2018年6月30日"])
def test_t68_end_of_month(tmp_path, words):
    r = made(tmp_path, [["2018年高新技术企业数(家)"], ["园区", words], ["高新区", 9]], Context())
    assert (
        period(at(r, "B3")) == ("2018-06", "2018-06", "eop")
        and "not_month_end" not in at(r, "B3")["flags"]
    )


def test_t69_a_day_inside_the_month_is_flagged(tmp_path):
    r = made(
        tmp_path, [["2018年高新技术企业数(家)"], ["园区", "截至6月20日"], ["高新区", 9]], Context()
    )
    assert (
        period(at(r, "B3")) == ("2018-06", "2018-06", "eop")
        and "not_month_end" in at(r, "B3")["flags"]
    )


def test_t70_relative_words_hang_on_the_report_month(tmp_path):
    r = made(
        tmp_path,
        [
            ["2018年6月专利申请量（件）"],
            ["园区", "本月", "本月止累计", "上年同期累计", "上月"],
            ["高新区", 9, 50, 40, 8],
        ],
        Context(),
    )
    assert [period(at(r, f"{c}3")) for c in "BCDE"] == [
        ("2018-06", "2018-06", "month"),
        ("2018-01", "2018-06", "ytd"),
        ("2017-01", "2017-06", "ytd"),
        ("2018-05", "2018-05", "month"),
    ]
    assert "restated_base" in at(r, "D3")["flags"] and "restated_base" not in at(r, "E3")["flags"]
    r = made(
        tmp_path,
        [["2018年6月专利申请量（件）"], ["园区", "本月", "上年同期"], ["高新区", 9, 8]],
        Context(),
    )
    assert (
        period(at(r, "C3")) == ("2017-06", "2017-06", "month")
        and "restated_base" in at(r, "C3")["flags"]
    )


def test_t71_a_year_is_a_period_only_in_a_header(tmp_path):
    r = made(
        tmp_path,
        [[COUNT], ["园区", 2017.0, 2018.0], ["高新区", 2018, 2019], ["红旗区", 5, 6]],
        Context(),
    )
    assert at(r, "B3")["value"] == 2018 and period(at(r, "C3")) == ("2018-01", "2018-12", "year")


def test_t72_a_month_after_the_report_is_asked_for(tmp_path):
    r = made(tmp_path, [[COUNT], ["园区", "2018年6月", "2018年9月"], ["高新区", 9, 8]])
    assert severity(r, "future_period") == "warning" and at(r, "C3")["value"] == 8


@pytest.mark.parametrize("words", ["2017/2018学年", "十三五", "2017-2018年度"])
def test_t73_school_years_and_plan_periods_are_refused(tmp_path, words):
    r = made(tmp_path, [[COUNT], ["园区", "2018年6月", words], ["高新区", 9, 8]])
    assert severity(r, "period_unsupported") == "error" and outcome(r, "C3") == "problem"
    assert at(r, "B3")["value"] == 9


def test_t76_an_index_stays_an_index(tmp_path):
    r = made(
        tmp_path,
        [["指标", "2018年6月"], ["居民消费价格指数(上年同月=100)", 105.2], ["工业增加值(亿元)", 8]],
        Context(),
    )
    assert at(r, "B2")["measure"] == "index" and at(r, "B2")["value"] == 105.2


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("—", "not_applicable"),
        ("-", "not_applicable"),
        ("/", "not_applicable"),
        ("…", "below_unit"),
        ("...", "below_unit"),
        ("暂无", "not_reported"),
        ("未统计", "not_reported"),
        ("N/A", "not_reported"),
        ("－", "not_applicable"),
        ("——", "not_applicable"),
    ],
)
def test_t77_marks_for_nothing_are_missing_with_a_reason(tmp_path, mark, reason):
    o = at(one(tmp_path, mark), "B3")
    assert math.isnan(o["value"]) and o["missing_reason"] == reason and o["value_raw"] == mark


def test_t77_none_is_zero_in_a_count_and_missing_elsewhere(tmp_path):
    o = at(one(tmp_path, "无"), "B3")
    assert o["value"] == 0 and "zero_from_word" in o["flags"]
    r = one(tmp_path, "无", "营业收入同比增长(%)")
    assert math.isnan(at(r, "B3")["value"]) and "warning" in set(r.problems["severity"])
    blank = one(tmp_path, "")
    assert len(blank.observations) == 1 and outcome(blank, "B3") == ""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1,234", 1234),
        ("１２３４", 1234),
        ("1 234", 1234),
        ("1，234.5", 1234.5),
        ("'35", 35),
        ("+35", 35),
    ],
)
def test_t78_numbers_written_as_text(tmp_path, written, value):
    o = at(one(tmp_path, written.lstrip("'"), MONEY), "B3")
    assert o["value"] == value and "text_number" in o["flags"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-5.2", -5.2),
        ("−5.2", -5.2),
        ("－5.2", -5.2),
        ("—5.2", -5.2),
        ("(5.2)", -5.2),
        ("（5.2）", -5.2),
    ],
)
def test_t79_negatives(tmp_path, written, value):
    assert at(one(tmp_path, written, MONEY), "B3")["value"] == value


@pytest.mark.parametrize("written", ["▲5.2", "△5.2", "(5.2)"])
def test_t79_a_sign_that_is_unclear_is_an_error(tmp_path, written):
    r = one(tmp_path, written)
    assert severity(r, "sign_unclear") == "error" and outcome(r, "B3") == "problem"


def test_t79_words_of_change(tmp_path):
    r = one(tmp_path, "下降5.2%", "营业收入同比增长(%)")
    assert (
        at(r, "B3")["value"] == -5.2
        and at(r, "B3")["measure"] == "yoy_pct"
        and "unit_conflict" not in codes(r)
    )


def test_t80_words_inside_a_figure(tmp_path):
    assert at(one(tmp_path, "35件"), "B3")["value"] == 35
    assert "approx" in at(one(tmp_path, "约35"), "B3")["flags"]
    o = at(one(tmp_path, "35（含2件驳回）"), "B3")
    assert o["value"] == 35 and "含2件驳回" in o["flags"]


@pytest.mark.parametrize(
    ("written", "hint"), [("≥35", ""), ("3O", "30"), ("l2", "12"), ("35?", ""), ("30-40", "")]
)
def test_t80_what_is_no_certain_number_is_an_error(tmp_path, written, hint):
    r = one(tmp_path, written)
    assert severity(r, "not_a_number") == "error" and outcome(r, "B3") == "problem"
    assert hint in r.problems["message"].iloc[0]


def test_t81_float_noise_is_kept_and_not_shown(tmp_path):
    o = at(
        read(text(tmp_path / "a.csv", f"2018年6月,\n园区,{MONEY}\n高新区,62.730000000000004\n")),
        "B3",
    )
    assert o["value"] == 62.730000000000004 and o["decimals"] == 2


def test_t82_formula_cells(tmp_path):
    r = one(tmp_path, "=SUM(1,2)")
    assert severity(r, "formula_without_value") == "error" and outcome(r, "B3") == "problem"
    from test_reports_files import replaced

    path = tmp_path / "报表.xlsx"
    replaced(
        path,
        "xl/worksheets/sheet1.xml",
        lambda x: (
            x.replace(b"<f>SUM(1,2)</f><v></v>", b"<f>SUM(1,2)</f><v>95</v>")
            .replace(b"<f>SUM(1,2)</f><v/>", b"<f>SUM(1,2)</f><v>95</v>")
            .replace(b"<f>SUM(1,2)</f><v />", b"<f>SUM(1,2)</f><v>95</v>")
        ),
    )
    assert at(read(path), "B3")["value"] == 95
    r = one(tmp_path, "#DIV/0!")
    assert severity(r, "cell_error") == "error"


# --- units --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("元", "0.0001"), ("千元", "0.1"), ("万元", "1"), ("百万元", "100"), ("亿元", "10000")],
)
def test_money_has_exact_factors(tmp_path, unit, factor):
    from decimal import Decimal

    o = at(one(tmp_path, 56.68, f"技术合同成交额({unit})"), "B3")
    assert (
        o["unit"] == "万元"
        and o["unit_raw"] == unit
        and o["value"] == float(Decimal("56.68") * Decimal(factor))
    )


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("㎡", 3.0),
        ("m²", 3.0),
        ("万平方米", 30000.0),
        ("公顷", 30000.0),
        ("亩", 2000.0),
        ("平方公里", 3e6),
    ],
)
def test_area_has_exact_factors(tmp_path, unit, value):
    o = at(one(tmp_path, 3, f"房屋建筑面积({unit})"), "B3")
    assert (o["value"], o["unit"], o["value_raw"]) == (value, "平方米", "3")


def test_counts_keep_their_word_and_families_are_one(tmp_path):
    o = at(one(tmp_path, 3, "从业人员(万人)"), "B3")
    assert (o["value"], o["unit"]) == (30000, "人")
    assert at(one(tmp_path, 3, "专利申请量(项)"), "B3")["unit"] == "件"


def test_percent_by_format_text_and_header_are_the_same(tmp_path):
    def percent(book, sheet):
        sheet["B3"].number_format = "0.0%"

    a = at(one(tmp_path, 0.132, "营业收入同比增长", change=percent), "B3")
    b = at(one(tmp_path, "13.2%", "营业收入同比增长"), "B3")
    c = at(one(tmp_path, 13.2, "营业收入同比增长(%)"), "B3")
    assert (
        a["value"] == b["value"] == c["value"] == 13.2
        and a["unit"] == b["unit"] == c["unit"] == "%"
    )


def test_percentage_points_are_no_percent(tmp_path):
    o = at(one(tmp_path, "提高2.3个百分点", "研发投入强度比上年增减"), "B3")
    assert o["value"] == 2.3 and o["unit"] == "pp"
    assert at(one(tmp_path, "增长1.2倍", "营业收入同比增长(%)"), "B3")["value"] == 120
    assert "zero_from_word" in at(one(tmp_path, "持平", "营业收入同比增长(%)"), "B3")["flags"]


def test_a_nearer_unit_wins_and_the_conflict_is_said(tmp_path):
    r = made(tmp_path, [["单位：亿元"], ["园区", "技术合同成交额(万元)"], ["高新区", 5]])
    assert at(r, "B3")["value"] == 5 and severity(r, "unit_conflict") == "warning"
    r = one(tmp_path, "5亿元", MONEY)
    assert at(r, "B3")["value"] == 50000 and severity(r, "unit_conflict") == "warning"


def test_a_counter_that_is_not_interchangeable_is_a_conflict(tmp_path):
    r = one(tmp_path, 5, "专利申请量(家)")
    assert severity(r, "unit_conflict") == "warning" and at(r, "B3")["unit"] == "家"


def test_two_units_of_a_table_are_shared_out(tmp_path):
    r = made(
        tmp_path, [["单位：亿元、%"], ["园区", "技术合同成交额", "同比增长"], ["高新区", 5, 3.2]]
    )
    assert (
        at(r, "B3")["unit_raw"] == "亿元"
        and at(r, "C3")["unit"] == "%"
        and at(r, "C3")["measure"] == "yoy_pct"
    )


def test_a_unit_from_the_dictionary_is_flagged(tmp_path):
    assert "unit_from_dictionary" in at(one(tmp_path, 5, "专利申请量"), "B3")["flags"]


def test_fractions_under_a_percent_head_are_asked_for(tmp_path):
    r = made(
        tmp_path,
        [
            ["2018年6月"],
            ["园区", "营业收入同比增长(%)"],
            ["高新区", 0.13],
            ["红旗区", 0.08],
            ["牧野区", -0.02],
        ],
    )
    assert severity(r, "fraction_suspect") == "warning" and at(r, "B3")["value"] == 0.13


def test_text_files_give_the_same_figures(tmp_path):
    r = read(
        text(tmp_path / "a.csv", "2018年6月,\n园区,营业收入同比增长\n高新区,13.2%\n红旗区,—\n")
    )
    assert at(r, "B3")["value"] == 13.2 and math.isnan(at(r, "B4")["value"])
