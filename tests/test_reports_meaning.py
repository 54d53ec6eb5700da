"""What cells mean: each field from its own cell, nothing that vanishes, tables kept or refused by constraints."""

import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_changes import KEEPING, table, write
from reports_made import JUNE, PARKS, asked, at, codes, made, period

from zcqlib import catalog
from zcqlib.reports import Context, checks, labels, read_report, words

NOTHING = Context()


def rows_of_parks(*columns):
    """One row for each park; each column counts up from its first figure."""
    return [[p, *(c + i for c in columns)] for i, p in enumerate(PARKS)]


def one(folder, *rows, context=NOTHING, **how):
    return made(folder, list(rows), context, **how)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head", ["新乡市科学技术局", "新乡市统计局文件", "中共新乡高新区工委办公室"]
)
def test_a_letterhead_is_no_title(tmp_path, head):
    r = one(
        tmp_path,
        [head],
        ["2018年6月各园区专利授权量"],
        ["单位：件"],
        ["园区", "合计", "其中：发明"],
        *rows_of_parks(10, 3),
    )
    o = at(r, "C5")
    assert (o["indicator_raw"], o["name_cell"]) == ("专利授权量/发明", "C4")
    assert at(r, "B5")["indicator_raw"] == "专利授权量/合计"


def test_the_sheets_name_is_the_title_where_there_is_none(tmp_path):
    r = one(tmp_path, ["园区", "2018年6月"], ["高新区", 5], sheet="科普场馆")
    assert at(r, "B2")["indicator_raw"] == "科普场馆"


def test_a_word_broken_over_two_rows_in_one_column_is_one_word(tmp_path):
    r = one(
        tmp_path,
        ["2018年各园区文化活动情况"],
        ["园区", "场次", "计  划", "完成"],
        ["", "", "执行率", ""],
        ["", "（场）", "（%）", "（场）"],
        *rows_of_parks(20, 88.5, 18),
    )
    assert [at(r, f"{c}5")["indicator_raw"] for c in "BCD"] == ["场次", "计划执行率", "完成"]
    assert [at(r, f"{c}5")["unit_raw"] for c in "BCD"] == ["场", "%", "场"]
    assert at(r, "C5")["measure"] == "value" and at(r, "B5")["unit_cell"] == "B4"


def test_of_which_hangs_on_the_whole_path_before_it(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月各园区厂房建设情况"],
        ["园区", "厂 房", "厂 房", "其  中"],
        ["", "开工面积", "交付面积", ""],
        ["", "（万平方米）", "（万平方米）", "# 标准厂房"],
        *rows_of_parks(30.5, 12.25, 5.5),
    )
    o = at(r, "D5")
    assert (o["indicator_raw"], o["unit_raw"]) == ("厂房/交付面积/标准厂房", "万平方米")


def test_a_name_said_twice_is_one_name_in_any_order_of_rows(tmp_path):
    head = ["", "", "", "", 2015, 2016]
    rows = [
        [1, "科普经费（万元）", "", "北京", 14.5, 15.5],
        [2, "", "科普经费（万元）", "天津", 24.5, 25.5],
        [3, "", "科普经费（万元）", "河北", 34.5, 35.5],
    ]
    assert set(one(tmp_path, head, *rows).observations["indicator_raw"]) == {"科普经费"}


def test_a_part_is_not_the_whole_by_whatever_way_it_stands_under_another(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月高新区企业情况"],
        ["指标", "单位", "本月"],
        ["规上工业企业", "家", 50],
        ["  其中：高新技术企业", "家", 12],
        ["高新技术企业", "家", 88],
    )
    assert [at(r, c)["indicator"] for c in ("C4", "C5")] == ["", "hightech_enterprises"]
    r = one(
        tmp_path,
        ["2018年6月各园区情况"],
        ["园区", "规上工业企业", ""],
        ["", "专利授权量（件）", "营业收入（亿元）"],
        *rows_of_parks(10, 3),
    )
    assert set(r.observations["indicator"]) == {""}


def test_a_neutral_heading_and_a_total_leave_the_meaning(tmp_path):
    r = one(
        tmp_path,
        ["高新区2018年6月"],
        ["指标", "单位", "本月"],
        ["一、科技创新"],
        ["专利申请量", "件", 9],
    )
    assert at(r, "C4")["indicator"] == "patent_applications"


# --- periods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "end", "basis"),
    [
        ("前9个月", 9, "ytd"),
        ("前三个月", 3, "ytd"),
        ("1-3季度", 9, "ytd"),
        ("一至三季度", 9, "ytd"),
        ("前两季度", 6, "ytd"),
        ("半年", 6, "ytd"),
        ("上半年", 6, "ytd"),
        ("三季度", 9, "quarter"),
        ("1—9月份累计", 9, "ytd"),
    ],
)
def test_spellings_of_parts_of_a_year(text, end, basis):
    span = words.whole_period(words.squeeze(f"2018年{text}"))
    assert (span.end, span.basis, span.year) == (words.month_no(2018, end), basis, True)
    assert words.whole_period(words.squeeze(text)).year is False


@pytest.mark.parametrize("text", ["前三三个月", "前十十个月", "13-15月", "五季度", "6-2月"])
def test_what_is_no_part_of_a_year_is_no_period(text):
    assert words.whole_period(words.squeeze(f"2018年{text}")) is None


@pytest.mark.parametrize(
    ("month", "year"), [("2018-06", 2018), ("2018-07", 2018), ("2018-02", 2017)]
)
def test_a_month_without_year_is_the_one_nearest_to_the_report(tmp_path, month, year):
    r = one(
        tmp_path,
        ["园区", "12月专利申请量（件）"],
        *rows_of_parks(10),
        context=Context(published=pd.Period(month, "M")),
    )
    assert str(at(r, "B2")["end"]) == f"{year}-12"


@pytest.mark.parametrize("remark", ["", "（修订）", "(修订数)", "（调整后）"])
def test_a_remark_behind_a_word_of_time_changes_nothing(tmp_path, remark):
    r = one(
        tmp_path,
        ["2018年6月专利申请量（件）"],
        ["园区", "本月累计", f"上年同期{remark}"],
        ["高新区", 90, 80],
    )
    assert period(at(r, "C3")) == ("2017-01", "2017-06", "ytd")


def test_bare_numbers_under_month_are_months(tmp_path):
    body = [[m, 100 + m] for m in range(1, 7)]
    r = one(tmp_path, ["2018年高新区登记"], ["月份", "登记额（万元）"], *body)
    assert [period(at(r, f"B{i}"))[0] for i in (3, 8)] == ["2018-01", "2018-06"]
    body = [[2018, m, "高新区", 100 + m] for m in range(1, 7)]
    r = one(tmp_path, ["年", "月", "园区", "技术合同成交额（万元）"], *body)
    assert [(at(r, f"D{i}")["value"], period(at(r, f"D{i}"))[0]) for i in (2, 7)] == [
        (101, "2018-01"),
        (106, "2018-06"),
    ]
    r = one(
        tmp_path,
        ["2018年专利申请量（件）"],
        ["月份", 1, 2, 3],
        *([p, 5, 6, 7] for p in PARKS),
    )
    assert period(at(r, "D3")) == ("2018-03", "2018-03", "month")
    r = one(
        tmp_path,
        ["年份", "季度", "技术合同成交额（万元）"],
        [2018, 1, 5],
        [2018, 2, 6],
        [2018, 3, 7],
    )
    assert period(at(r, "C4")) == ("2018-07", "2018-09", "quarter")


def test_bare_numbers_elsewhere_are_no_months(tmp_path):
    r = one(tmp_path, ["2018年6月"], ["园区", "专利申请量（件）"], ["高新区", 1], ["红旗区", 2])
    assert r.observations["value"].tolist() == [1, 2]
    r = one(
        tmp_path,
        ["2018年6月"],
        ["指标名称", "代码", "计量单位", "本月", "1-本月累计"],
        ["甲", "乙", "丙", 1, 2],
        ["工业总产值", "01", "万元", 52, 301],
    )
    assert len(r.observations) == 2


def test_a_row_of_equal_years_is_a_header(tmp_path):
    r = one(
        tmp_path,
        ["", "仪器台数", "课题数", "论文数"],
        ["", 2017, 2017, 2017],
        *rows_of_parks(210, 33, 78),
    )
    o = at(r, "D5")
    assert (o["indicator_raw"], o["value"], str(o["start"]), o["period_cell"]) == (
        "论文数",
        80,
        "2017-01",
        "D2",
    )


def test_a_mean_is_no_period(tmp_path):
    r = one(
        tmp_path,
        ["月份", "用电量（万千瓦时）"],
        ["2018年1月", 6],
        ["2018年2月", 8],
        ["2018年平均", 7],
        ["平均值", 7],
    )
    assert sorted(r.observations["value"]) == [6, 8] and "summary_row" in codes(r)


def test_a_day_typed_as_a_range_is_the_range_or_asked_for(tmp_path):
    import datetime

    day = datetime.datetime(2018, 1, 9)
    head = ["园区", "2018年9月", day]
    r = one(tmp_path, ["专利申请量（件）"], head, ["高新区", 120, 900])
    assert period(at(r, "C3")) == ("2018-01", "2018-09", "ytd")
    assert "date_repaired" in at(r, "C3")["flags"]
    r = one(tmp_path, ["专利申请量（件）"], ["园区", day], ["高新区", 900])
    assert r.observations.empty and "period_ambiguous" in codes(r)


def test_cumulative_inside_the_name_of_an_index(tmp_path):
    r = one(
        tmp_path,
        ["月份", "出厂价格指数_当月(上年同月=100)", "出厂价格指数_累计(上年同期=100)"],
        ["2018-05", 101.5, 102.5],
        ["2018-06", 101.6, 102.6],
    )
    assert (
        period(at(r, "C3")) == ("2018-01", "2018-06", "ytd") and at(r, "C3")["measure"] == "index"
    )
    assert period(at(r, "B3")) == ("2018-06", "2018-06", "month")


# --- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "单位：亿元（当年价）",
        "单位　亿元",
        "单位：亿元人民币",
        "单位：RMB亿元",
        "（单位：亿元）",
        "计量单位:亿元",
        "单位：亿",
    ],
)
def test_a_written_unit_is_read_and_never_replaced(tmp_path, written):
    r = one(
        tmp_path,
        ["2018年6月各园区引进市外资金情况"],
        [written],
        ["园区", "引进市外资金"],
        *rows_of_parks(1.5),
    )
    o = at(r, "B4")
    assert (o["value"], o["unit"], o["unit_cell"]) == (15000, "万元", "A2")
    assert o["unit_raw"] in ("亿元", "亿")


def test_a_unit_that_nobody_knows_is_asked_for_and_the_figure_held(tmp_path):
    r = one(tmp_path, ["2018年6月"], ["单位：斗"], ["园区", "引进市外资金"], *rows_of_parks(1.5))
    o = at(r, "B4")
    assert "unit_unknown" in codes(r) and "held" in o["flags"] and o["unit_raw"] == "斗"
    r = one(tmp_path, ["2018年6月高新区"], ["指标", "计量单位", "本月"], ["引进市外资金", "两", 5])
    assert "unit_unknown" in codes(r) and "held" in at(r, "C3")["flags"]


def test_a_word_in_brackets_behind_an_amount_that_is_no_unit_is_asked_for(tmp_path):
    r = one(tmp_path, ["2018年6月"], ["园区", "技术合同成交额(斗)"], *rows_of_parks(1.5))
    o = at(r, "B3")
    assert (o["indicator"], o["unit_raw"]) == ("tech_contract_value", "斗")
    assert "unit_unknown" in codes(r) and "held" in o["flags"]
    r = one(tmp_path, ["2018年6月"], ["园区", "从业人员数(女)"], *rows_of_parks(1.5))
    assert at(r, "B3")["indicator_raw"] == "从业人员数(女)" and "unit_unknown" not in codes(r)


def test_a_label_in_old_characters_is_the_same_indicator_and_park(tmp_path):
    r = one(tmp_path, ["2018年6月"], ["園區", "專利申請量(件)"], ["平原示範區", 7], ["高新區", 9])
    o = at(r, "B3")
    assert (o["region"], o["indicator"]) == ("pingyuan", "patent_applications")
    assert (o["region_raw"], o["indicator_raw"]) == ("平原示範區", "專利申請量")


def test_no_unit_is_asked_for_once_and_is_not_the_dictionarys(tmp_path):
    r = one(tmp_path, ["园区", "2018年6月培训场数", "2018年6月走访次数"], *rows_of_parks(12, 31))
    row = r.problems[r.problems["code"] == "no_unit"].iloc[0]
    assert (row["cell"], row["count"]) == ("B2:C6", 10)
    assert "培训场数" in row["message"] and "走访次数" in row["message"]
    r = one(tmp_path, ["2018年6月"], ["园区", "引进市外资金"], *rows_of_parks(1.5))
    assert at(r, "B3")["unit_raw"] == "" and "no_unit" in codes(r)  # 万元 or 亿元 is a guess
    r = one(tmp_path, ["2018年6月"], ["园区", "专利申请量"], *rows_of_parks(1))
    assert at(r, "B3")["unit"] == "件" and "no_unit" not in codes(r)


@pytest.mark.parametrize("mark", ["a", "*", "①", "1"])
def test_a_mark_behind_a_units_bracket_goes(tmp_path, mark):
    r = one(tmp_path, ["指标", "2016年", "2017年"], [f"科普经费（万元）{mark}", 15.5, 16.5])
    assert (at(r, "B2")["indicator_raw"], at(r, "B2")["unit_raw"]) == ("科普经费", "万元")


def test_a_count_beside_an_area_keeps_its_own_unit(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月各园区孵化楼宇情况"],
        ["单位：万平方米"],
        ["园区", "标准厂房", "", "孵化楼宇", ""],
        ["", "幢", "面积", "幢", "面积"],
        *rows_of_parks(14, 6.5, 9, 3.25),
    )
    assert [(at(r, f"{c}5")["indicator_raw"], at(r, f"{c}5")["unit_raw"]) for c in "BCE"] == [
        ("标准厂房/幢", "幢"),
        ("标准厂房/面积", "万平方米"),
        ("孵化楼宇/面积", "万平方米"),
    ]


@pytest.mark.parametrize(
    "name", ["户数", "企业数", "从业人数", "机构个数", "项目数量", "从业人员", "小微企业"]
)
def test_a_count_is_never_money(tmp_path, name):
    r = one(
        tmp_path,
        ["2018年6月各园区规上工业情况"],
        ["单位：万元"],
        ["园区", "规上工业企业", ""],
        ["", name, "工业总产值"],
        *rows_of_parks(10, 5000),
    )
    assert at(r, "B5")["unit_raw"] == "" and at(r, "B5")["unit"] != "万元"
    assert at(r, "C5")["unit_raw"] == "万元"


def test_growth_in_a_group_belongs_to_the_part_before_it(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月各园区情况"],
        ["单位：万元"],
        ["园区", "规上工业", "", ""],
        ["", "家", "工业总产值", "同比(%)"],
        *rows_of_parks(10, 5000, 3.1),
        merged=("B3:D3",),
    )
    assert [at(r, f"{c}5")["indicator_raw"] for c in "CD"] == ["规上工业/工业总产值"] * 2
    assert at(r, "C5")["unit_raw"] == "万元" and at(r, "D5")["measure"] == "yoy_pct"


# --- nothing vanishes ---------------------------------------------------------------------------------------------------

SAID = [
    ("1.2亿", 12000, ""),
    ("9000万", 9000, ""),
    ("9000万元", 9000, ""),
    ("三十", 30, ""),
    ("二百五十", 250, ""),
    ("10+", 10, "at_least"),
    ("100以上", 100, "at_least"),
    ("不足50", 50, "at_most"),
    ("约50", 50, "approx"),
    ("30*", 30, "note"),
    ("50[1]", 50, "note"),
    ("50①", 50, "note"),
    ("400²", 400, "note"),
]


@pytest.mark.parametrize(("written", "value", "flag"), SAID)
@pytest.mark.parametrize("first", [True, False])
def test_words_under_a_figure_column_are_figures(tmp_path, written, value, flag, first):
    rows = [["引进市外资金", "万元", written], ["R&D经费支出", "万元", 120]]
    r = one(
        tmp_path,
        ["2018年9月红旗区主要指标"],
        ["指标", "计量单位", "本月"],
        *(rows if first else rows[::-1]),
    )
    o = at(r, "C3" if first else "C4")
    assert (o["value"], o["indicator"]) == (value, "external_funds_attracted") and flag in o[
        "flags"
    ]
    assert len(r.observations) == 2


@pytest.mark.parametrize("written", ["正在核实", "同上", "见附件", "3O", "≥35", "1" * 400])
def test_what_is_no_figure_in_a_known_row_is_asked_for(tmp_path, written):
    r = one(
        tmp_path,
        ["2018年9月红旗区主要指标"],
        ["指标", "计量单位", "本月", "本年累计"],
        ["引进市外资金", "万元", written, 900],
        ["R&D经费支出", "万元", 120, 500],
    )
    assert ("Sheet1", "C3") in asked(r.problems[r.problems["code"] == "not_a_number"])
    assert sorted(r.observations["value"]) == [120, 500, 900]


# --- constraints --------------------------------------------------------------------------------------------------------


def test_one_thing_with_two_values_makes_the_whole_table_one_error(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月"],
        ["园区", "专利申请量（件）", "专利申请量（件）"],
        *rows_of_parks(10, 20),
    )
    assert r.observations.empty and list(r.problems["code"]) == ["table_unread"]
    row = r.problems.iloc[0]
    assert (row["severity"], row["cell"], row["count"]) == ("error", "B3:C7", 10)
    assert "没有读懂" in row["message"]


def test_the_second_best_reading_is_tried(tmp_path):
    r = one(
        tmp_path,
        ["2018年6月各园区情况（件）"],
        ["园区", "专利", "专利"],
        ["", 1, 2],
        *rows_of_parks(10, 20),
    )
    assert not any(n.replace("/", "").isdigit() for n in r.observations["indicator_raw"])


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.tuples(st.sampled_from("甲乙"), st.integers(2016, 2018), st.integers(0, 5)),
        min_size=2,
        max_size=8,
    )
)
def test_conflicts_are_exactly_the_keys_with_two_values(values):
    place = labels.Place("", "高新区")
    part = [
        labels.Fact(
            i, 1, place, "", name, words.year_span(y), "value", v, "件", "", "件", 0, "", ()
        )
        for i, (name, y, v) in enumerate(values)
    ]
    stated = {}
    for name, y, v in values:
        stated.setdefault((name, y), set()).add(v)
    twice = {k for k, v in stated.items() if len(v) > 1}
    found = {(b.path, b.span.end // 12) for _, b in checks.conflicts(part)}
    assert found == twice


def fell(tmp_path, *values, name="技工贸收入_累计"):
    head = [["指标", name], ["地区", "高新区"], ["频度", "月"], ["单位", "万元"]]
    return one(tmp_path, *head, *([f"2018-{m:02d}", v] for m, v in enumerate(values, 5)))


def test_a_year_to_date_that_falls_is_a_problem_and_the_table_stands(tmp_path):
    r = fell(tmp_path, 3648.2, 4100.5, 4400.5, 818.06)
    row = r.problems[r.problems["code"] == "ytd_falls"].iloc[0]
    assert row["cell"] == "B8" and "held" in at(r, "B8")["flags"] and len(r.observations) == 4
    r = fell(tmp_path, 3648.2, 4100.5, 4090.5)
    assert "ytd_falls" in codes(r) and "held" not in at(r, "B7")["flags"]


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.integers(0, 500), min_size=2, max_size=7))
def test_a_year_to_date_that_never_falls_is_never_a_problem(tmp_path_factory, steps):
    values = [1000 + sum(steps[: i + 1]) for i in range(len(steps))]
    assert "ytd_falls" not in codes(fell(tmp_path_factory.mktemp("t"), *values))


def test_a_fraction_among_percents_is_held_and_a_series_of_fractions_asked_for(tmp_path):
    r = one(tmp_path, ["", *PARKS], ["2017年办结率(%)", 0.885, 91.2, 87.4, 0.902, 90.1])
    held = r.observations[r.observations["flags"].str.contains("held")]
    assert list(held["cell"]) == ["B2", "E2"]
    r = one(tmp_path, ["", *PARKS], ["2017年增速(%)", 0.885, 91.2, 87.4, 0.902, 90.1])
    assert not r.observations["flags"].str.contains("held").any()  # a growth may be small


def test_english_rates_are_not_added_up(tmp_path):
    r = one(
        tmp_path,
        ["region", "year", "rd_intensity_pct", "rd_expenditure"],
        ["全国", 2017, 2.5, 600],
        *([p, 2017, v, 200] for p, v in (("甲省", 2.0), ("乙省", 2.1), ("丙省", 2.2))),
    )
    assert "total_mismatch" not in codes(r) and len(r.observations) == 8


def test_a_list_of_firms_is_said_so_in_one_line(tmp_path):
    body = [
        [str(900000 + i), "2018-06-30", ("累计授权", "本期受理")[i % 2], i + 3] for i in range(60)
    ]
    r = one(tmp_path, ["企业代码", "统计截止日期", "类型", "专利"], *body)
    assert list(r.problems["code"]) == ["detail_list"] and r.problems["count"].iloc[0] == 60


def test_many_faults_of_one_kind_are_one_row(tmp_path):
    names = [f"新指标{i}号" for i in range(40)]
    r = one(tmp_path, ["2018年6月高新区"], ["指标", "本月"], *([n, i] for i, n in enumerate(names)))
    assert len(r.problems) <= 5 and set(r.problems["count"]) == {40}
    assert set(r.problems["cell"]) == {"B3:B42"}


# --- changes that mean nothing --------------------------------------------------------------------------------------------

PLAIN = [
    f for f in KEEPING if f.__name__ not in ("scratch_column", "scratch_row", "columns_turned")
]


@pytest.mark.parametrize("change", PLAIN, ids=lambda f: f.__name__)
def test_a_change_without_meaning_leaves_the_same_figures(tmp_path, change):
    def meant(t):
        o = read_report(write(t, tmp_path, "xlsx"), JUNE).observations
        return sorted(
            zip(
                o["region"],
                o["indicator_raw"],
                o["end"].astype(str),
                o["value"],
                o["unit"],
                strict=True,
            )
        )

    for seed in range(6):
        draw = random.Random(seed)
        t = table(draw)
        before = meant(t)
        change(t, draw)
        assert meant(t) == before, (t.done, t.rows)


# --- word lists -----------------------------------------------------------------------------------------------------------


def test_word_lists_hold_words_and_no_patterns():
    frame = catalog.load().words
    assert not frame["word"].str.contains(r"[\\^$?\[\]{}|]|\.\*").any()
    assert not frame.duplicated(["word", "role"]).any() and len(frame) > 400


def test_the_rest_that_stands_twice_is_held_and_the_table_stands(tmp_path):
    rows = [["收入", 100], ["税收", 60], ["其他", 40], ["支出", 80], ["教育", 50], ["其他", 30]]
    r = one(
        tmp_path,
        ["高新区2018年6月"],
        ["指标", "单位", "本月"],
        *([n, "万元", v] for n, v in rows),
    )
    held = r.observations[r.observations["flags"].str.contains("held")]
    assert list(held["cell"]) == ["C5", "C8"] and len(r.observations) == 6


def test_half_a_year_in_a_title_is_not_the_whole(tmp_path):
    r = one(tmp_path, ["高新区2018年半年报"], ["指标", "单位", "数值"], ["专利申请量", "件", 900])
    assert period(at(r, "C3")) == ("2018-01", "2018-06", "ytd")


def test_an_alias_that_is_another_indicators_name_is_said(tmp_path):
    import shutil

    from zcqlib import reference

    folder = tmp_path / "reference"
    shutil.copytree(reference.REFERENCE, folder)
    path = folder / "aliases.csv"
    path.write_text(
        path.read_text("utf-8-sig") + "外观设计专利授权量,patent_applications,\n", "utf-8-sig"
    )
    assert [f for f in reference.check_reference(folder) if "同名" in f.expected]


def test_a_blank_between_thousands_is_only_a_separator(tmp_path):
    def spaced(book, sheet):
        sheet["B3"].number_format = "# ##0.00"

    r = one(
        tmp_path, ["2018年6月"], ["园区", "专利申请量（件）"], ["高新区", 6340.5], change=spaced
    )
    assert at(r, "B3")["value"] == 6340.5 and "shown_differs" not in codes(r)
