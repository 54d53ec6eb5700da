"""Words: one rounding, fixed words, sentences that a pencil can check."""

import re

import numpy as np
import pandas as pd
import pytest

from zcqlib import findings, quantity
from zcqlib.briefing import fit
from zcqlib.catalog import Target, load
from zcqlib.findings.ranks import placed
from zcqlib.findings.targets import title_year_end
from zcqlib.quantity import projection_sentence
from zcqlib.tables import PROJECTIONS, RANKS, VINTAGE, empty, shape

NAN, PERIOD = float("nan"), pd.Period("2018-09", "M")
CATALOG = load()


def row(**changes):
    return {
        "region": "zone",
        "indicator": "patent_applications",
        "year": 2018,
        "as_of": pd.Period("2018-09", "M"),
        "kind": "flow",
        "unit": "件",
        "actual": 1640.0,
        "target_low": 2200.0,
        "target_high": NAN,
        "comparator": "ge",
        "median": 2240.0,
        "low": 2140.0,
        "high": 2340.0,
        "level": 0.8,
        "probability": 0.7,
        "needed_per_month": 560 / 3,
        "verdict": "",
        "method": "",
        "demo": False,
    } | changes


def name(id):
    return {"patent_applications": "专利申请总量", "gaoxin": "高新区", "muye": "牧野区"}.get(id, id)


@pytest.mark.parametrize("chance", [-0.1, 1.01, 73])
def test_a_chance_outside_0_to_1_is_refused(chance):
    with pytest.raises(ValueError, match="0 到 1"):
        quantity.chance_number(chance) and quantity.whole_chance(chance)


def test_parts_with_a_gap_or_a_wrong_whole_are_refused():
    with pytest.raises(ValueError, match="缺失"):
        quantity.printed_parts([1, NAN])
    with pytest.raises(ValueError, match="相差太大"):
        quantity.printed_parts([1, 2], whole=9)


def test_a_forbidden_word_stops_the_paragraph():
    with pytest.raises(ValueError, match="必然"):
        quantity.block(["目标必然完成"], False)


def test_the_sentence_has_the_fixed_form():
    assert projection_sentence(row(), 178) == (
        "全年预计2,240件(80%区间2,140–2,340件),完成2,200件目标的把握70%(尚有悬念);"
        "已完成1,640件,余下3个月月均需187件,为近12个月均值178件的1.05倍"
    )


@pytest.mark.parametrize("actual", range(0, 2200, 97))
@pytest.mark.parametrize("comparator", ["ge", "gt"])
def test_doing_the_printed_need_reaches_the_target_and_one_less_does_not(actual, comparator):
    text = projection_sentence(
        row(actual=float(actual), comparator=comparator, probability=0.5), 178.4
    )
    need = int(re.search(r"月均需([\d,]+)件", text).group(1).replace(",", ""))
    target = 2200 + (comparator == "gt")
    assert actual + 3 * need >= target > actual + 3 * (need - 1)
    times = float(re.search(r"均值178件的([\d.]+)倍", text).group(1))
    assert abs((target - actual) / 3 / 178.4 - times) <= 0.005 + 1e-9


def test_money_shares_one_scale_and_its_need_adds_up_as_printed():
    text = projection_sentence(
        row(
            indicator="external_funds_attracted",
            unit="万元",
            actual=1_283_400.0,
            target_low=2_000_000.0,
            median=1_950_000.0,
            low=1.8e6,
            high=2.1e6,
            probability=0.31,
        )
    )
    assert text == (
        "全年预计195.0亿元(80%区间180.0–210.0亿元),完成200亿元目标的把握31%(难度较大);"
        "已完成128.3亿元,余下3个月月均需23.9亿元"
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"comparator": "gt", "target_low": 50.0, "actual": 40.0}, "完成超过50件的把握"),
        ({"comparator": "gt", "target_low": 50.0, "actual": 50.0}, "余下3个月月均需1件"),
        (
            {"comparator": "between", "target_low": 100.0, "target_high": 120.0},
            "完成100—120件的把握",
        ),
        ({"kind": "stock", "actual": 1640.0}, "现有1,640件,余下3个月月均需净增187件"),
        ({"actual": 2300.0, "probability": 1.0}, "2,200件目标已完成;已完成2,300件"),
        ({"target_low": NAN, "probability": NAN}, "园区目标未下达"),
        ({"probability": NAN}, "缺少依据,不给概率"),
        ({"actual": NAN}, "本期未报"),
        ({"actual": NAN, "probability": NAN, "verdict": "依据不足"}, "本期没有报齐"),
        ({"kind": "milestone"}, "按节点推进"),
        ({"demo": True}, "(演示数据)"),
        ({"target_low": 12.0, "actual": 9.0}, "数量小"),
        (
            {
                "unit": "%",
                "indicator": "rd_intensity",
                "kind": "ratio",
                "target_low": 3.0,
                "actual": 2.614,
                "median": 2.7,
                "low": 2.6,
                "high": 2.8,
                "probability": 0.03,
            },
            "达到3%目标的把握3%(难度较大);9月累计为2.6%",
        ),
        ({"as_of": pd.Period("2018-12", "M")}, ";已完成1,640件"),
    ],
)
def test_each_case_has_its_words(changes, part):
    assert part in projection_sentence(row(**changes))


def test_nothing_is_asked_in_december_or_when_done():
    for changes in ({"as_of": pd.Period("2018-12", "M")}, {"actual": 2300.0, "probability": 1.0}):
        assert "余下" not in projection_sentence(row(**changes))


def test_a_figure_that_came_late_says_its_month_and_leaves_one_month_more():
    late = row(actual_to=pd.Period("2018-08", "M"))  # 560 missing in four months
    told = projection_sentence(late, 178)
    assert "截至8月已完成1,640件,余下4个月月均需140件,为近12个月均值178件的0.79倍" in told
    assert quantity.months_left(late) == 4 and quantity.months_left(row()) == 3
    december = row(actual_to=pd.Period("2018-11", "M"), as_of=pd.Period("2018-12", "M"))
    assert "截至11月已完成1,640件,余下1个月月均需560件" in projection_sentence(december)
    rate = row(kind="ratio", unit="%", actual=2.94, target_low=3.0, actual_to=late["actual_to"])
    assert "8月累计为2.94%" in projection_sentence(rate)


def test_aspirations_say_so():
    assert "2,200件力争目标的把握70%" in projection_sentence(row(commitment="aspiration"))


@pytest.mark.parametrize(
    ("p", "word", "printed", "prose"),
    [
        (1, "把握较大", ">99%", "99%以上"),
        (0.8, "把握较大", "80%", "80%"),
        (0.796, "把握较大", "80%", "80%"),
        (0.79, "尚有悬念", "79%", "79%"),
        (0.395, "尚有悬念", "40%", "40%"),
        (0.394, "难度较大", "39%", "39%"),
        (0.04, "难度较大", "4%", "4%"),
        (0.001, "难度较大", "<1%", "不足1%"),
        (NAN, "—", "—", "—"),
    ],
)
def test_a_chance_has_one_word_that_grades_the_printed_number(p, word, printed, prose):
    said = quantity.chance_word(p), quantity.chance_number(p), quantity.chance_prose(p)
    assert said == (word, printed, prose)


@pytest.mark.parametrize(
    ("value", "target", "unit", "printed", "aim"),
    [
        (23_800.0, 40_000.0, "平方米", "2.38万㎡", "4万㎡"),  # never 2
        (39_900.0, 40_000.0, "平方米", "3.99万㎡", "4万㎡"),  # never 4.0
        (2.94, 3.0, "%", "2.94%", "3%"),  # never 2.9
        (2.996, 3.0, "%", "2.996%", "3%"),  # never 3.00
        (2.1, 3.0, "%", "2.1%", "3%"),
        (2_499_990.0, 2_500_000.0, "万元", "249.999亿元", "250亿元"),
        (1_283_400.0, 2_000_000.0, "万元", "128.3亿元", "200亿元"),
        (94.0, 95.0, "家", "94家", "95家"),
        (4_952.0, 5_000.0, "件", "4,952件", "5,000件"),
    ],
)
def test_digits_follow_the_distance_to_the_target(value, target, unit, printed, aim):
    r = row(actual=value, median=NAN, target_low=target, unit=unit)
    s = quantity.row_scale(r)
    assert (s.text(s.round(value)), quantity.target(r)) == (printed, aim)


def test_six_decimals_are_the_finest_and_counts_below_thirty_have_one_usual():
    assert quantity.Scale("亿元", 1, 1).finer(1.0, [1.00000001]).digits == 6
    assert [quantity.usual_scale(quantity.Scale("件"), v).digits for v in (29.9, 30)] == [1, 0]


def test_a_printed_value_never_stands_on_the_other_side_of_its_target():
    rng = np.random.default_rng(1)
    for target, unit in ((3.0, "%"), (40_000.0, "平方米"), (2_500_000.0, "万元")):
        for value in target * (1 + rng.normal(0, 0.004, 200)):
            r = row(actual=value, median=NAN, target_low=target, unit=unit)
            s = quantity.row_scale(r)
            assert (s.round(value) < s.round(target)) == (value < target)
            assert (s.round(value) == s.round(target)) == (value == target)


@pytest.mark.parametrize(
    ("comparator", "low", "high", "value", "met", "gap"),
    [
        ("ge", 95, NAN, 94, False, 1),
        ("ge", 95, NAN, 95, True, 0),
        ("gt", 50, NAN, 50, False, 1),
        ("gt", 50, NAN, 51, True, 0),
        ("between", 1, 2, 0, False, 1),
        ("between", 1, 2, 1, True, 0),  # the floor
        ("between", 1, 2, 3, True, 0),  # more than met
        ("eq", 7, NAN, 7, True, 0),
        ("done", 1, NAN, 0, False, 1),
        ("ge", 95, NAN, NAN, False, NAN),
    ],
)
def test_a_comparator_means_one_thing(comparator, low, high, value, met, gap):
    promise = Target(comparator, low, high)
    assert promise.met(value) == met
    assert promise.gap(value, 1) == pytest.approx(gap, nan_ok=True)
    assert promise.met(np.array([value])).tolist() == [met]


def test_numbers_are_rounded_half_up_once():
    assert (
        quantity.number(2200.5, "件") == "2,201件" and quantity.number(123_456, "件") == "12.3万件"
    )
    assert quantity.number(2_014_000, "万元") == "201.4亿元" and quantity.number(NAN, "件") == "—"
    assert quantity.number(2.675, "%", 2) == "2.68%" and quantity.number(-3, "家") == "\u22123家"
    assert quantity.multiple(1, 0) == "—"


def test_parts_add_up_as_printed():
    assert [str(v) for v in quantity.printed_parts([1 / 3, 1 / 3, 1 / 3], 2, 1)] == [
        "0.34",
        "0.33",
        "0.33",
    ]
    assert sum(quantity.printed_parts([12.4, -3.4, 1.4])) == 10


def test_print_gets_chinese_punctuation_and_numbers_keep_theirs():
    assert quantity.typeset("已完成1,640件,余下(演示)") == "已完成1,640件\uff0c余下\uff08演示\uff09"


def test_units_that_were_inferred_are_marked():
    assert quantity.responsible("市科技局;财政局", "inferred") == "市科技局、财政局(推定)"
    assert quantity.responsible("", "none") == "计划未写明"


def frame(*rows):
    return pd.DataFrame(rows)


def found(name, **held):
    """A finding of a month that has these tables alone."""
    all_ = {n: empty(t) for n, t in VINTAGE.items()} | {"TARGETS": CATALOG.targets} | held
    return findings.find(name, findings.Given(all_.__getitem__, CATALOG, PERIOD, PERIOD))


def ranked(ranks):
    own = ranks.assign(indicator="composite", period="2018-09", demo=False)
    return found("ranks", RANKS=shape(own, RANKS))


def test_titles_fit_on_one_line_and_long_names_lose_letters_before_numbers():
    long = row(indicator="很长的指标名称" * 10)
    for title in (
        title_year_end(row(), name("patent_applications")),
        title_year_end(long, long["indicator"]),
    ):
        assert 4 < len(title) <= quantity.TITLE, title
    assert title_year_end(long, long["indicator"]).endswith("2,200件目标的把握70%")
    assert quantity.fit_title("长" * 40) == "长" * 33 + "…"
    assert quantity.fit_title("长" * 34, "短") == "长" * 34  # what just fits stays whole
    assert quantity.fit_title("长" * 30 + "," + "尾" * 29) == "长" * 3 + "…," + "尾" * 29
    assert quantity.fit_title("长" * 30 + "," + "尾" * 30) == ("长" * 30 + ",尾尾") + "…"


def test_a_target_that_is_only_aspired_to_is_called_so_in_sentences_and_titles():
    hoped = row(commitment="aspiration")
    assert "完成2,200件力争目标的把握70%" in projection_sentence(hoped)
    assert (
        title_year_end(hoped, "专利申请总量")
        == "专利申请总量全年预计2,240件,2,200件力争目标的把握70%"
    )
    assert "力争" not in projection_sentence(row(commitment="firm")) + projection_sentence(row())


def test_columns_keep_short_words_whole_and_share_the_room_among_long_ones():
    rows = [("指标", "把握", "历史"), ("新增接纳高端研发团队场地面积", "<1%", "近36个月从未做到")]
    a, b, c = fit.column_widths(rows, 22)
    assert a + b + c <= 22 and a >= c > b
    assert fit.cell_lines("<1%", b) == 1 and fit.cell_lines("近36个月从未做到", c) <= 2
    assert fit.column_widths(rows, 60)[0] >= 14


def test_titles_state_what_the_tables_hold():
    assert (
        title_year_end(row(), "专利申请总量")
        == "专利申请总量全年预计2,240件,完成2,200件目标的把握70%"
    )
    ranks = frame(
        {"region": "gaoxin", "rank": 1.0, "low": 1.0, "high": 2.0, "value": 80.0, "tied_with": ""},
        {"region": "muye", "rank": 2.0, "low": 2.0, "high": 2.0, "value": 79.0, "tied_with": ""},
    ).assign(measure="score")
    assert ranked(ranks).title == "高新居第1位（目前第1—2位），牧野稳居第2位"
    open_ = ranks[1:].assign(measure="provisional", low=1.0, high=3.0)
    waiting = ranked(pd.concat([ranks, open_], ignore_index=True))
    assert waiting.title == "高新居第1位（目前第1—2位），牧野暂居第2位"
    # the interval of a place that may change holds what the values to come may bring
    assert waiting.rows.loc["2018-09|muye", ["placed", "span"]].tolist() == ["暂定第2位", "第1—3位"]
    assert waiting.rows.loc["2018-09|muye", ["end_best", "end_worst"]].isna().all()
    tied = ranks.assign(tied_with=["muye", "gaoxin"], rank=1.0)
    assert ranked(tied).title == "高新、牧野并列第1位"
    assert placed(tied.assign(period="2018-09"))["place_told"].tolist() == [
        "并列第1位（90%区间目前第1—2位）",
        "并列第1位（90%区间目前第2位）",
    ]


def test_lights_grade_the_printed_chance_and_add_up():
    table = frame(
        row(probability=0.796),
        row(probability=0.394),
        row(probability=0.395),
        row(kind="milestone"),
        row(target_low=NAN, probability=NAN),
        row(probability=NAN, actual=NAN),
        row(actual=2200.0, probability=1.0),
    )
    more = (
        row(kind="coverage", probability=NAN, verdict="按节点推进"),
        row(kind="milestone", verdict="已完成"),
    )
    head = CATALOG.headline()["id"]
    rows = [*table.to_dict("records"), *more]
    p = [r | dict(indicator=i, as_of=PERIOD, year=2018) for r, i in zip(rows, head, strict=False)]
    f = found("standing", PROJECTIONS=shape(p, PROJECTIONS))
    n = f.rows["count"].dropna().drop(f.rows.filter(like="|", axis=0).index, errors="ignore")
    assert n.to_dict() == dict(met=2, good=1, open=1, hard=1, stage=2, none=1, unknown=1, all=9)
    assert f.title == "9项目标：已完成2项，把握较大1项，难度较大1项"
    assert "依据不足" not in f.paragraph  # what counts nothing is left out


def test_ranks_without_interval_or_place_are_worded():
    ranks = frame(
        {
            "region": "gaoxin",
            "rank": 1.0,
            "low": NAN,
            "high": NAN,
            "value": 80.0,
            "demo": False,
            "tied_with": "",
        },
        {
            "region": "muye",
            "rank": NAN,
            "low": NAN,
            "high": NAN,
            "value": NAN,
            "demo": False,
            "tied_with": "",
        },
    )
    text = ranked(ranks.assign(measure="score")).paragraph
    assert text.startswith("高新区80.0分，第1位。") and "权重和界值为演示" in text
    assert "牧野区目标未下达，不排位" in text
