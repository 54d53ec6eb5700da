"""Layouts of yearbooks, bulletins and releases, invented: what each figure must mean, read without any word about the file."""

import datetime

import pytest
from reports_made import codes, made, page, read, text, workbook

from zcqlib.reports import Context

NOTHING = Context()


def told(reading, *cells, sheet="Sheet1"):
    """Place, path, months, basis, measure, stated figure and stated unit of some cells."""
    o = reading.observations[reading.observations["sheet"] == sheet].set_index("cell")
    return [
        (
            q.region_raw.replace(" ", ""),
            q.indicator_raw,
            str(q.start),
            str(q.end),
            q.basis,
            q.measure,
            q.value_raw,
            q.unit_raw,
        )
        for q in (o.loc[c] for c in cells)
    ]


def year(place, path, y, value, unit, measure="value"):
    return place, path, f"{y}-01", f"{y}-12", "year", measure, value, unit


def layout(folder, rows, *merged, name="表.xlsx", context=NOTHING):
    return made(folder, rows, context, name=name, merged=merged)


def test_a_yearbook_in_two_languages(tmp_path):
    r = layout(
        tmp_path,
        [
            ["3-5 各市生产总值(2018年)"],
            ["GROSS REGIONAL PRODUCT BY CITY (2018)"],
            ["单位：亿元", "", "", "", "", "(100 million yuan)"],
            [
                "地  区\nRegion",
                "生产总值\nGross Regional Product",
                "第一产业\nPrimary Industry",
                "第二产业\nSecondary Industry",
                "#工业\nIndustry",
                "人均生产总值(元)\nPer Capita GRP(yuan)",
            ],
            ["全  省  Total", 48055.86, 4289.38, 22034.83, 18452.06, 50152],
            ["甲 山 市  Jiashan", 10143.32, 147.0, 4450.7, 3746.1, 101349],
            ["注：本表按当年价格计算，2018年为初步核算数。"],
            ["Note: Data in this table are calculated at current prices."],
        ],
    )
    assert told(r, "B5", "E6", "F6") == [
        year("全省", "生产总值", 2018, "48055.86", "亿元"),
        year("甲山市", "第二产业/工业", 2018, "3746.1", "亿元"),
        year("甲山市", "人均生产总值", 2018, "101349", "元"),
    ]
    assert len(r.observations) == 10 and r.observations.set_index("cell")["is_total"]["B5"]


def test_names_and_english_in_columns_of_their_own(tmp_path):
    r = layout(
        tmp_path,
        [
            ["10-3 分地区居民人均可支配收入"],
            ["10-3 Per Capita Income by Region"],
            ["", "", "", "单位：元", "(yuan)"],
            ["地 区", "Region", "2016", "2017", "2018"],
            ["全 国", "National", "23821.0", "25973.8", "28228.0"],
            ["内蒙古", "Inner Mongolia", "24126.6", "26212.2", "28375.7"],
        ],
    )
    assert told(r, "E6") == [year("内蒙古", "居民人均可支配收入", 2018, "28375.7", "元")]


def test_rows_stand_under_their_headings_and_take_the_unit(tmp_path):
    r = layout(
        tmp_path,
        [
            ["", "", "总量指标", "", "指数(上年=100)"],
            ["指    标", "Item", "2017", "2018", "2018"],
            ["人口", "Population"],
            ["年末总人口 (万人)", "Total Population (10 000 persons)", 139008, 139538, 100.4],
            ["  城镇人口", "Urban", 81347, 83137, 102.2],
            ["国民经济核算", "National Accounts"],
            ["国内生产总值 (亿元)", "GDP (100 million yuan)", 820754.3, 900309.5, 106.6],
            ["  第一产业", "Primary", 62099.5, 64734.0, 103.5],
        ],
        "C1:D1",
    )
    assert told(r, "D5", "D8", "E8") == [
        year("", "人口/年末总人口/城镇人口", 2018, "83137", "万人"),
        year("", "国民经济核算/国内生产总值/第一产业", 2018, "64734", "亿元"),
        year("", "国民经济核算/国内生产总值/第一产业/指数", 2018, "103.5", "上年=100", "index"),
    ]


def test_numbered_rows_of_a_monthly_bulletin(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年6月全市财政收支情况表"],
            ["", "", "", "单位：万元，%"],
            ["项目", "本月完成", "比上年同月增减%", "1-6月累计", "比上年同期增减%", "占年初预算%"],
            ["一、一般公共预算收入", 151234, 12.1, 1012345, 9.1, 55.1],
            ["（一）税收收入", 101234, 14.1, 712345, 12.1, ""],
            ["1、增值税", 41234, 10.1, 312345, "－1.1", ""],
            ["（二）非税收入", 50000, 2.1, 300000, 3.0, ""],
        ],
    )
    assert told(r, "C6", "D6", "E6", "F4", "B7") == [
        (
            "",
            "一般公共预算收入/税收收入/增值税",
            "2018-06",
            "2018-06",
            "month",
            "yoy_pct",
            "10.1",
            "%",
        ),
        (
            "",
            "一般公共预算收入/税收收入/增值税",
            "2018-01",
            "2018-06",
            "ytd",
            "value",
            "312345",
            "万元",
        ),
        (
            "",
            "一般公共预算收入/税收收入/增值税",
            "2018-01",
            "2018-06",
            "ytd",
            "yoy_pct",
            "-1.1",
            "%",
        ),
        ("", "一般公共预算收入/占年初预算", "2018-06", "2018-06", "month", "value", "55.1", "%"),
        ("", "一般公共预算收入/非税收入", "2018-06", "2018-06", "month", "value", "50000", "万元"),
    ]


def test_counties_with_groups_of_amount_growth_and_rank(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年1-6月各县（市）区主要经济指标"],
            ["单位", "规模以上工业增加值", "", "", "固定资产投资", "", ""],
            ["", "本月增速(%)", "累计增速(%)", "位次", "总量（亿元）", "增速(%)", "位次"],
            ["全市", 8.1, 7.9, "—", 210.4, 10.2, "—"],
            ["辉县市", 9.1, 8.8, 1, 52.2, 12.1, 2],
        ],
        "A2:A3",
        "B2:D2",
        "E2:G2",
    )
    assert told(r, "B5", "D5", "E5", "G5") == [
        ("辉县市", "规模以上工业增加值", "2018-06", "2018-06", "month", "yoy_pct", "9.1", "%"),
        ("辉县市", "规模以上工业增加值", "2018-01", "2018-06", "ytd", "rank", "1", ""),
        ("辉县市", "固定资产投资", "2018-01", "2018-06", "ytd", "value", "52.2", "亿元"),
        ("辉县市", "固定资产投资", "2018-01", "2018-06", "ytd", "rank", "2", ""),
    ]


def test_a_release_with_amounts_and_growth_under_each_period(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年6月份规模以上工业生产主要数据"],
            ["指标", "6月", "", "1-6月", ""],
            ["", "绝对量", "同比增长\n（%）", "绝对量", "同比增长\n（%）"],
            ["规模以上工业增加值", "…", 6.0, "…", 6.7],
            ["分三大门类"],
            ["采矿业", "…", 2.7, "…", 1.6],
            ["主要产品产量"],
            ["布（亿米）", 43, -2.9, 239, 0.1],
            ["注：增加值增长速度均为实际增长。"],
        ],
        "A2:A3",
        "B2:C2",
        "D2:E2",
    )
    assert told(r, "C4", "E6", "B8", "E8") == [
        ("", "规模以上工业增加值", "2018-06", "2018-06", "month", "yoy_pct", "6", "%"),
        ("", "分三大门类/采矿业", "2018-01", "2018-06", "ytd", "yoy_pct", "1.6", "%"),
        ("", "主要产品产量/布", "2018-06", "2018-06", "month", "value", "43", "亿米"),
        ("", "主要产品产量/布", "2018-01", "2018-06", "ytd", "yoy_pct", "0.1", "%"),
    ]


def test_indices_against_three_bases_in_two_panels(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年6月新建商品住宅销售价格指数"],
            ["城市", "环比", "同比", "定基", "城市", "环比", "同比", "定基"],
            [
                "",
                "上月=100",
                "上年同月=100",
                "2015年=100",
                "",
                "上月=100",
                "上年同月=100",
                "2015年=100",
            ],
            ["北京", 100.0, 99.8, 133.7, "唐山", 101.1, 104.2, 112.5],
            ["天  津", 100.4, 100.7, 129.6, "秦 皇 岛", 101.3, 110.3, 119.9],
        ],
    )
    assert {q[5] for q in told(r, *(f"{c}{n}" for c in "BCDFGH" for n in (4, 5)))} == {"index"}
    assert told(r, "B5", "H4") == [
        (
            "天津",
            "新建商品住宅销售价格指数/环比",
            "2018-06",
            "2018-06",
            "month",
            "index",
            "100.4",
            "上月=100",
        ),
        (
            "唐山",
            "新建商品住宅销售价格指数/定基",
            "2018-06",
            "2018-06",
            "month",
            "index",
            "112.5",
            "2015年=100",
        ),
    ]


def test_years_that_go_on_in_a_second_panel_share_the_unit(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2-3 历年人口数"],
            ["", "", "", "", "", "单位：万人"],
            ["年 份", "年末总人口", "男", "年 份", "年末总人口", "男"],
            [1978, 96259, 49567, 1990, 114333, 58904],
            [1979, 97542, 50192, 1991, 115823, 59466],
        ],
    )
    assert told(r, "B5", "E4") == [
        year("", "年末总人口", 1979, "97542", "万人"),
        year("", "年末总人口", 1990, "114333", "万人"),
    ]


def test_a_data_terminal_names_place_source_and_update_in_its_head(tmp_path):
    day = datetime.datetime
    r = layout(
        tmp_path,
        [
            ["指标名称", "中国:GDP:不变价:当季同比", "中国:M2"],
            ["频率", "季", "月"],
            ["单位", "%", "亿元"],
            ["指标ID", "M0039354", "M0001384"],
            ["来源", "国家统计局", "中国人民银行"],
            ["更新时间", day(2018, 7, 16), day(2018, 7, 13)],
            [day(2018, 6, 30), 6.7, 1770200],
            [day(2018, 5, 31), "", 1743100],
        ],
    )
    assert told(r, "B7", "C8") == [
        (
            "中国",
            "中国:GDP:不变价:当季同比",
            "2018-04",
            "2018-06",
            "quarter",
            "yoy_pct",
            "6.7",
            "%",
        ),
        ("中国", "中国:M2", "2018-05", "2018-05", "month", "value", "1743100", "亿元"),
    ]


def test_a_long_table_with_its_unit_on_the_right(tmp_path):
    r = layout(
        tmp_path,
        [
            ["地区", "指标", "年份", "数值", "单位"],
            ["北京市", "地区生产总值", 2017, 28014.94, "亿元"],
            ["北京市", "常住人口", 2017, 2171, "万人"],
        ],
    )
    assert told(r, "D2", "D3") == [
        year("北京市", "地区生产总值", 2017, "28014.94", "亿元"),
        year("北京市", "常住人口", 2017, "2171", "万人"),
    ]


def test_months_without_a_year_take_the_one_before_them(tmp_path):
    r = layout(
        tmp_path,
        [["月份", "用电量(万千瓦时)"], ["2017年11月", 1], ["12月", 2], ["1月", 3], ["2月", 4]],
    )
    assert [q[2] for q in told(r, "B2", "B3", "B4", "B5")] == [
        "2017-11",
        "2017-12",
        "2018-01",
        "2018-02",
    ]
    r = layout(
        tmp_path,
        [
            ["全市工业增加值增速"],
            ["", "单位：%"],
            ["时间", "当月", "累计"],
            ["2017年"],
            ["3月", 8.2, 7.5],
            ["2018年"],
            ["1-2月", "", 8.1],
            ["3月", 7.9, 8.0],
        ],
    )
    assert [q[2:5] for q in told(r, "B5", "C7", "C8")] == [
        ("2017-03", "2017-03", "month"),
        ("2018-01", "2018-02", "ytd"),
        ("2018-01", "2018-03", "ytd"),
    ]


def test_a_total_beside_months_covers_those_months_only(tmp_path):
    r = layout(
        tmp_path,
        [
            ["园区专利申请（件）2018年"],
            ["园区", "1月", "2月", "3月", "合计"],
            ["高新区", 1, 2, 3, 6],
            ["红旗区", 4, 5, 6, 15],
        ],
    )
    assert told(r, "E3")[0][2:5] == ("2018-01", "2018-03", "ytd")
    r = layout(
        tmp_path,
        [
            ["高新区2018年专利申请（件）"],
            ["月份", "合计", "发明"],
            ["1月", 10, 4],
            ["2月", 12, 5],
            ["合计", 22, 9],
        ],
    )
    assert told(r, "C5") == [
        ("高新区", "专利申请/发明", "2018-01", "2018-02", "ytd", "value", "9", "件")
    ]


def test_the_unit_in_a_titles_bracket_counts(tmp_path):
    r = layout(
        tmp_path,
        [
            ["4-6 各市地区生产总值（亿元）"],
            ["市别", "2016年", "2017年"],
            ["甲山市", 8025.31, 9193.77],
        ],
    )
    assert told(r, "C3") == [year("甲山市", "地区生产总值", 2017, "9193.77", "亿元")]
    assert r.observations["value"].max() == 91937700


def test_title_and_unit_in_one_line_and_growth_below_its_indicator(tmp_path):
    r = layout(
        tmp_path,
        [
            ["地区生产总值（季度）", "", "", "", "单位：亿元"],
            ["指标", "2017年", "", "2018年", ""],
            ["", "一季度", "全年", "一季度", "上半年"],
            ["地区生产总值", 450.1, 2357.8, 489.1, 1123.0],
            ["  第一产业", 20.1, 235.0, 21.0, 68.1],
            ["增长（%）", 8.1, 8.1, 7.9, 7.8],
        ],
        "B2:C2",
        "D2:E2",
    )
    assert told(r, "B5", "E6") == [
        ("", "地区生产总值/第一产业", "2017-01", "2017-03", "quarter", "value", "20.1", "亿元"),
        ("", "地区生产总值", "2018-01", "2018-06", "ytd", "yoy_pct", "7.8", "%"),
    ]


def test_the_form_of_a_statistical_office(tmp_path):
    r = layout(
        tmp_path,
        [
            ["高新技术产业开发区主要经济指标月报表"],
            ["表    号：", "豫高新01表", "", "2018年6月", ""],
            ["填报单位（盖章）：新乡高新区管委会", "", "", "单位：万元", ""],
            ["指标名称", "代码", "计量单位", "本月", "1-本月累计", "上年同期累计"],
            ["甲", "乙", "丙", 1, 2, 3],
            ["工业总产值", "01", "万元", 523412, 3012341, 2712345],
            ["从业人员期末数", "02", "人", "—", 45123, 44012],
            [
                "单位负责人：张三",
                "",
                "填表人：李四",
                "",
                "联系电话：0373-3686000",
                "报出日期：2018年7月5日",
            ],
        ],
    )
    assert told(r, "E6", "F7") == [
        ("新乡高新区管委会", "工业总产值", "2018-01", "2018-06", "ytd", "value", "3012341", "万元"),
        ("新乡高新区管委会", "从业人员期末数", "2017-01", "2017-06", "ytd", "value", "44012", "人"),
    ]
    assert len(r.observations) == 6 and set(r.observations["region"]) == {"gaoxin"}


def test_the_parts_of_a_group_have_its_unit_and_shares_do_not(tmp_path):
    r = layout(
        tmp_path,
        [
            ["年份", "地区生产总值", "", "", "构成（%）", ""],
            ["", "（亿元）", "第一产业", "第二产业", "第一产业", "第二产业"],
            ["2016", 2166.97, 241.4, 1068.3, 11.1, 49.3],
            ["2017", 2357.76, 235.9, 1155.5, 10.0, 49.0],
        ],
    )
    assert told(r, "C3", "E4") == [
        year("", "地区生产总值/第一产业", 2016, "241.4", "亿元"),
        year("", "构成/第一产业", 2017, "10", "%"),
    ]
    r = layout(
        tmp_path,
        [["单位：亿元"], ["地区", "2018年地区生产总值", "2018年投资率"], ["北京市", 5.0, 0.42]],
    )
    assert told(r, "C3")[0][-1] == ""  # a rate is never given the table's 亿元


def test_a_group_of_people_is_not_the_whole(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2-9 按年龄分人口数（2018年）"],
            ["年龄", "人口数（人）", "", "占总人口比重（%）"],
            ["", "合计", "男", ""],
            ["总计", 1144648, 585207, 100.0],
            ["0-4岁", 67393, 35975, 5.89],
        ],
        "B2:C2",
    )
    assert told(r, "B5", "D5") == [
        year("", "0-4岁/人口数/合计", 2018, "67393", "人"),
        year("", "0-4岁/占总人口比重", 2018, "5.89", "%"),
    ]
    o = r.observations.set_index("cell")["indicator"]
    assert o["B4"] == "population" and o["B5"] == ""


def test_an_amount_of_change_is_no_rate(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年产量"],
            ["品名", "产量(万吨)", "比上年增减(万吨)", "比上年增减(%)"],
            ["粮食", 6648.9, 124.7, 1.9],
        ],
    )
    assert [q[5] for q in told(r, "B3", "C3", "D3")] == ["value", "value", "yoy_pct"]
    r = layout(
        tmp_path,
        [
            ["产量"],
            ["品 名", "产量(万吨)", "", "2018年比上年增减", ""],
            ["", "2018", "2017", "绝对数", "%"],
            ["粮食", 6648.9, 6524.2, 124.7, 1.9],
        ],
        "B2:C2",
        "D2:E2",
    )
    assert [q[5] for q in told(r, "B4", "C4", "D4", "E4")] == ["value", "value", "value", "yoy_pct"]


def test_one_row_for_each_indicator_inside_a_block_for_each_park(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年6月各园区情况"],
            ["指标", "单位", "本月", "累计"],
            ["高新区"],
            ["专利申请量", "件", 12, 80],
            ["红旗区"],
            ["专利申请量", "件", 3, 20],
        ],
    )
    assert [(q[0], q[6]) for q in told(r, "C4", "D6")] == [("高新区", "12"), ("红旗区", "20")]


def test_two_titles_beside_each_other_name_two_tables(tmp_path):
    r = layout(
        tmp_path,
        [
            ["表一 2018年专利申请情况", "", "", "", "表二 2018年专利授权情况"],
            ["园区", "5月", "6月", "", "园区", "5月", "6月"],
            ["高新区", 12, 13, "", "高新区", 5, 6],
        ],
    )
    assert [q[1:3] for q in told(r, "C3", "F3")] == [
        ("专利申请", "2018-06"),
        ("专利授权", "2018-05"),
    ]


def test_a_period_of_days_and_a_year_in_the_title(tmp_path):
    r = layout(
        tmp_path,
        [
            ["2018年全市专利授权情况统计表"],
            ["", "", "统计时间：2018年1月1日-6月30日"],
            ["县（市、区）", "合计", "去年同期", "同比增长"],
            ["红旗区", 162, 140, "15.71%"],
            ["牧野区", 76, 80, "-5.00%"],
        ],
    )
    assert told(r, "B4", "C4", "D5") == [
        ("红旗区", "专利授权/合计", "2018-01", "2018-06", "ytd", "value", "162", ""),
        ("红旗区", "专利授权/合计", "2017-01", "2017-06", "ytd", "value", "140", ""),
        ("牧野区", "专利授权/合计", "2018-01", "2018-06", "ytd", "yoy_pct", "-5.00", "%"),
    ]


def test_a_web_page_with_its_caption_and_unit_above_the_table(tmp_path):
    body = page([["园区", "高新技术企业数"], ["高新区", 120], ["红旗区", 30]]).replace(
        "<table>", "<p>全文如下。</p><h3>2018年6月各园区高新技术企业数</h3><p>单位：家</p><table>"
    )
    r = read(text(tmp_path / "a.html", body), NOTHING)
    assert told(r, "B2", sheet="表1")[0][1:4] == ("高新技术企业数", "2018-06", "2018-06")


@pytest.mark.parametrize("head", ["联系电话", "手机号码", "联系人", "身份证号"])
def test_columns_about_people_give_no_figures_and_reach_no_table(tmp_path, head):
    r = layout(
        tmp_path,
        [
            ["2018年6月企业名单"],
            ["序号", "企业名称", "所属园区", "专利申请量（件）", head],
            [1, "甲科技", "高新区", 12, 13712345678],
            [2, "乙科技", "红旗区", 3, 13812345678],
        ],
    )
    assert r.observations["value"].tolist() == [12, 3] and "orphan_cell" not in codes(r)
    written = " ".join(
        map(str, [*r.observations.to_numpy().ravel(), *r.problems.to_numpy().ravel()])
    )
    assert "13712345678" not in written


def test_a_contact_row_without_a_colon_is_no_figure(tmp_path):
    r = layout(
        tmp_path,
        [["2018年6月"], ["园区", "专利申请量(件)"], ["高新区", 12], ["联系电话", 13712345678]],
    )
    assert r.observations["value"].tolist() == [12]


def test_a_list_of_firms_is_not_taken_for_the_park(tmp_path):
    path = workbook(
        tmp_path / "高新区.xlsx",
        [["2018年6月"], ["企业名称", "专利申请量(件)"], ["甲科技公司", 5], ["乙科技公司", 7]],
    )
    assert set(read(path, NOTHING).observations["indicator"]) == {""}


def test_a_park_with_a_remark_and_no_figure_is_no_new_heading(tmp_path):
    rows = [
        ["2018年6月情况"],
        ["园区", "专利申请量(件)", "备注"],
        ["红旗区", 20, ""],
        ["经开区", "", "同比下降5%"],
        ["高新区", 30, "含30家"],
        ["牧野区", 40, ""],
    ]
    o = made(tmp_path, rows, Context()).observations
    assert dict(zip(o["region"], o["value"], strict=True)) == {
        "hongqi": 20,
        "gaoxin": 30,
        "muye": 40,
    }
