"""Totals of a table against their parts (report-formats, section 8; traits 36, 47 to 50)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports_made import PARKS, codes, made, severity

HEAD = [["各园区专利情况（2018年6月）"], ["园区", "专利申请量(件)"]]


def table(tmp_path, values, total="合计", total_value=None, names=PARKS, head=HEAD):
    body = [[n, v] for n, v in zip(names, values, strict=True)]
    whole = total_value if total_value is not None else sum(v for v in values if v)
    return made(tmp_path, [*head, *body, [total, whole]])


def said(reading, code="total_mismatch"):
    return reading.problems.loc[reading.problems["code"] == code, "message"].tolist()


@pytest.mark.parametrize("total", ["合计", "总计", "自创区", "一区四园"])
def test_a_total_that_its_parts_do_not_make_is_a_warning_with_sum_difference_and_cells_trait_47(
    tmp_path, total
):
    reading = table(tmp_path, [227, 113, 52, 106, 72], total, 571)
    (message,) = said(reading)
    assert severity(reading, "total_mismatch") == "warning"
    assert (
        "B8 为 571件" in message
        and "(B3+B4+B5+B6+B7)之和为 570件" in message
        and "相差 -1" in message
    )
    assert len(reading.observations) == 6  # the total and the parts all stay


def test_a_right_total_says_nothing_above_or_below_its_parts(tmp_path):
    assert "total_mismatch" not in codes(table(tmp_path, [227, 113, 52, 106, 72]))
    first = made(
        tmp_path,
        [*HEAD, ["合计", 15], *[[p, v] for p, v in zip(PARKS, [5, 4, 3, 2, 1], strict=True)]],
    )
    assert not codes(first) & {"total_mismatch", "total_unchecked"}
    first = made(
        tmp_path,
        [*HEAD, ["合计", 16], *[[p, v] for p, v in zip(PARKS, [5, 4, 3, 2, 1], strict=True)]],
    )
    assert "之和为 15件" in said(first)[0]


def test_parks_as_columns_are_added_up_along_the_row(tmp_path):
    rows = [
        ["2018年6月各园区情况"],
        ["指标", *PARKS, "合计"],
        ["专利申请量(件)", 5, 4, 3, 2, 1, 14],
    ]
    (message,) = said(made(tmp_path, rows))
    assert "G3 为 14件" in message and "B3+C3+D3+E3+F3" in message


def test_the_remainder_counts_in_the_sum_trait_48(tmp_path):
    names, values = [*PARKS, "其他"], [227, 113, 52, 106, 72, 357]
    assert "total_mismatch" not in codes(table(tmp_path, values, "全市", 927, names))
    (message,) = said(table(tmp_path, values, "全市", 570, names))
    assert "之和为 927件" in message


def test_the_whole_city_is_not_the_total_of_the_five_parks(tmp_path):
    assert not codes(table(tmp_path, [227, 113, 52, 106, 72], "全市", 927)) & {
        "total_mismatch",
        "total_unchecked",
    }
    assert not codes(table(tmp_path, [227, 113, 52, 106, 72], "全省", 9270)) & {
        "total_mismatch",
        "total_unchecked",
    }


def test_a_zone_total_within_the_citys_list_stands_for_the_five_only(tmp_path):
    rows = [[p, v] for p, v in zip(PARKS, [5, 4, 3, 2, 1], strict=True)]
    right = [*HEAD, *rows, ["自创区", 15], ["其他", 10], ["全市", 25]]
    assert "total_mismatch" not in codes(made(tmp_path, right))
    (message,) = said(made(tmp_path, [*HEAD, *rows, ["自创区", 15], ["其他", 10], ["全市", 24]]))
    assert "「全市」" in message and "之和为 25件" in message


def test_of_which_may_be_less_but_not_more_than_its_parent_trait_49(tmp_path):
    head = [["高新区2018年6月月报"], ["指标", "单位", "本月"], ["专利申请量", "件", 95]]
    assert "total_mismatch" not in codes(made(tmp_path, [*head, ["其中：发明专利", "件", 40]]))
    (message,) = said(made(tmp_path, [*head, ["其中：发明专利", "件", 96]]))
    assert "C3 为 95件" in message and "(C4)之和为 96件" in message


def test_types_beside_their_total_make_it(tmp_path):
    rows = [
        ["2018年6月各园区专利情况(件)"],
        ["园区", "专利申请", "", "", ""],
        ["", "合计", "发明", "实用新型", "外观设计"],
        ["高新区", 100, 40, 50, 9],
        ["经开区", 10, 4, 5, 1],
    ]
    (message,) = said(made(tmp_path, rows, merged=("B2:E2",)))
    assert "专利申请/合计" in message and "C4+D4+E4" in message and "相差 -1" in message
    only = [
        ["2018年6月各园区专利情况(件)"],
        ["园区", "专利申请", ""],
        ["", "合计", "发明"],
        ["高新区", 100, 40],
        ["经开区", 10, 4],
    ]
    assert "total_mismatch" not in codes(
        made(tmp_path, only, merged=("B2:C2",))
    )  # trait 21: one type of several


def test_a_partial_list_may_fall_short_and_never_exceed_trait_50(tmp_path):
    marked = ["# 高新区", *PARKS[1:4]]
    head = [["新乡市专利情况（2018年6月）"], ["地区", "专利申请量(件)"]]
    assert "total_mismatch" not in codes(table(tmp_path, [10, 20, 5, 5], "合计", 90, marked, head))
    (message,) = said(table(tmp_path, [10, 20, 5, 5], "合计", 39, marked, head))
    assert "相差 +1" in message


@pytest.mark.parametrize("blank", ["", "暂无", "—", "…"])
def test_a_part_without_a_figure_leaves_the_total_unchecked_and_names_it(tmp_path, blank):
    reading = table(tmp_path, [5, 4, 3, 2, blank], total_value=20)
    assert codes(reading) & {"total_mismatch", "total_unchecked"} == {"total_unchecked"}
    assert (
        severity(reading, "total_unchecked") == "info"
        and "牧野区没有数字" in said(reading, "total_unchecked")[0]
    )


def test_a_park_that_is_not_listed_leaves_the_zones_total_unchecked(tmp_path):
    reading = table(tmp_path, [5, 4, 3, 2], "自创区", 20, PARKS[:4])
    assert "牧野区没有数字" in said(reading, "total_unchecked")[0]


def test_known_parts_above_the_total_are_wrong_whatever_is_missing(tmp_path):
    assert "之和为 14件" in said(table(tmp_path, [5, 4, 3, 2, ""], total_value=13))[0]


MONEY = [["各园区技术合同（2018年6月）"], ["园区", "技术合同成交额(亿元)"]]


@pytest.mark.parametrize(
    ("total", "wrong"), [(1.5, False), (1.53, False), (1.47, False), (1.54, True), (1.46, True)]
)
def test_the_tolerance_is_half_a_unit_of_the_last_decimal_for_each_part_and_the_total(
    tmp_path, total, wrong
):
    reading = table(tmp_path, [0.31, 0.29, 0.32, 0.28, 0.3], total_value=total, head=MONEY)
    assert ("total_mismatch" in codes(reading)) is wrong  # 0.5 * 0.01 * 6 = 0.03 亿元


def test_whole_counts_in_their_own_unit_have_no_tolerance_but_ten_thousands_have(tmp_path):
    people = [["各园区从业人员（2018年6月）"], ["园区", "从业人员(万人)"]]
    assert "total_mismatch" not in codes(
        table(tmp_path, [1, 2, 3, 4, 5], total_value=16, head=people)
    )
    assert "total_mismatch" in codes(table(tmp_path, [1, 2, 3, 4, 5], total_value=19, head=people))
    assert "total_mismatch" in codes(table(tmp_path, [1, 2, 3, 4, 5], total_value=16))


@pytest.mark.parametrize(
    "name",
    [
        "研发投入强度(%)",
        "完成率(%)",
        "万人有效发明专利拥有量(件/万人)",
        "人均产值(万元)",
        "发展指数",
        "同比增长(%)",
    ],
)
def test_what_does_not_add_up_is_not_added_up(tmp_path, name):
    head = [["各园区情况（2018年6月）"], ["园区", name]]
    assert "total_mismatch" not in codes(table(tmp_path, [3, 2, 2, 1, 1], total_value=2, head=head))


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(0, 10**6), min_size=5, max_size=5),
    off=st.integers(-3, 3),
    order=st.permutations(PARKS),
)
def test_a_total_is_reported_exactly_when_it_differs_in_any_order_of_rows(
    tmp_path_factory, values, off, order
):
    reading = table(
        tmp_path_factory.mktemp("t"), values, total_value=sum(values) + off, names=order
    )
    assert ("total_mismatch" in codes(reading)) is (off != 0)
