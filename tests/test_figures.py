"""Theme, checks and charts: what may not be printed is refused, the same figure gives the same bytes."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zcqlib import figures
from zcqlib.figures import Caption, FigureError, theme

GOOD = Caption("专利申请落后序时进度220件", "专利申请量,累计(件);一区四园合计,2018年", "各园区月报", "2018年9月", True)
PARKS = ["gaoxin", "jingkai", "pingyuan", "hongqi", "muye"]
NAMES = dict(zip(PARKS, ["高新区", "经开区", "平原示范区", "红旗区", "牧野区"], strict=True)) | {"zone": "一区四园"}


def caption(**changes) -> Caption:
    from dataclasses import replace

    return replace(GOOD, **changes)


def canvas(**changes):
    return theme.Canvas(caption(**changes)).figure


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(subtitle="专利申请量"), "没有写单位"),
        (dict(source=" "), "没有写来源"),
        (dict(as_of="九月"), "没有写数据截至日期"),
        (dict(title="长" * 35), "超过 34 个字"),
        (dict(title=""), "标题为空"),
    ],
)
def test_a_figure_without_unit_source_date_or_title_is_refused(changes, words):
    with pytest.raises(FigureError, match=words):
        figures.check(canvas(**changes))


def test_a_figure_from_elsewhere_is_refused():
    from matplotlib.figure import Figure

    with pytest.raises(FigureError, match="figures 的作图函数"):
        figures.check(Figure())


def test_text_outside_the_canvas_and_text_over_text_are_refused():
    out = theme.Canvas(GOOD)
    out.text(1590, 400, "超出画面的一段文字", 14)
    with pytest.raises(FigureError, match="文字超出画面"):
        figures.check(out.figure)
    over = theme.Canvas(GOOD)
    over.text(500, 400, "第一段文字", 14)
    over.text(510, 402, "第二段文字", 14)
    with pytest.raises(FigureError, match="文字重叠"):
        figures.check(over.figure)


def test_a_glyph_that_the_font_lacks_is_an_error():
    c = theme.Canvas(GOOD)
    c.text(500, 400, "\U0001f9ec", 14)
    with pytest.raises(FigureError, match="字体缺字"):
        figures.check(c.figure)


def test_the_demo_mark_stands_exactly_where_data_are_made_up():
    assert "演示数据" in figures.texts(canvas())
    assert "演示数据" not in figures.texts(canvas(demo=False))


def test_saving_twice_gives_the_same_bytes_and_leaves_the_file_alone(tmp_path):
    for kind in ("png", "svg", "pdf"):
        (a,) = figures.save(canvas(), tmp_path / "a", (kind,))
        first, stamp = a.read_bytes(), a.stat().st_mtime_ns
        (b,) = figures.save(canvas(), tmp_path / "b", (kind,))
        assert b.read_bytes() == first
        figures.save(canvas(), tmp_path / "a", (kind,))
        assert a.stat().st_mtime_ns == stamp
    assert Image.open(tmp_path / "a.png").text["Title"] == GOOD.title
    assert Image.open(tmp_path / "a.png").size == (1600, 900)
    assert b"<dc:title>" in (tmp_path / "a.svg").read_bytes() or GOOD.title in (tmp_path / "a.svg").read_text("utf-8")
    assert b"FontFile2" in (tmp_path / "a.pdf").read_bytes()


def test_labels_move_apart_as_little_as_they_must():
    assert theme.spread([0, 10, 20], 5).tolist() == [0, 10, 20]
    out = theme.spread([10, 10], 4)
    assert out.tolist() == [8, 12]
    many = theme.spread([5, 5, 5, 1], 2)
    assert np.diff(np.sort(many)).min() >= 2 - 1e-6


QUANTILES = pd.Series(np.linspace(4700, 5500, 100), index=[round(0.005 + 0.01 * i, 3) for i in range(100)])
MONTHS = pd.DataFrame({"month": range(1, 10), "value": np.linspace(380, 3530, 9)})
RANKS = pd.DataFrame(
    [
        dict(
            region=p,
            period=f"2018-{m:02d}",
            rank=float(1 + (i + m) % 5),
            low=1.0 + i % 3,
            high=5.0,
            tied_with="muye" if i == 1 else "",
        )
        for i, p in enumerate(PARKS)
        for m in (7, 8, 9)
    ]
)
ROWS = pd.DataFrame(
    {
        "label": ["高新区", "名称特别长的一个指标或者园区或者单位的名字", "合计"],
        "a": [0.25, -0.1, 0.15],
        "b": [0.0, np.nan, 0.0],
        "value": [3.0, 0.0, np.nan],
        "before": [1.0, 2.0, 2.0],
        "after": [2.0, 2.0, 5.0],
        "estimate": [0.8, 1.0, 1.1],
        "low": [0.5, 0.9, 1.0],
        "high": [1.1, 1.1, 1.2],
    }
)
BULLETS = pd.DataFrame(
    [
        dict(
            group=g,
            name="指标" * 6,
            target="超过5,000件",
            actual="3,455件",
            share=s,
            pace=70.0,
            median=m,
            low=m - 5,
            high=m + 60,
            chance="42%",
            light=v,
        )
        for g, s, m, v in (
            ("一", 69.0, 99.0, "尚有悬念"),
            ("一", 0.0, np.nan, "按节点推进"),
            ("九", 200.0, 120.0, "已完成"),
        )
    ]
)
HEAT = pd.DataFrame(
    {"zone": [0.4, np.nan], "gaoxin": [0.004, "缺数据"], "muye": [0.999, 0.5]}, index=["专利申请总量", "孵化面积"]
)
MOVES = pd.DataFrame(
    [
        ("8月报", "上次预测", True, 59.0, "59%", "5,037件"),
        ("9月新数据", "9月475件，比往年节奏多68件", False, 16.0, "+16", "+97"),
        ("历史数据修订", "1—8月累计核减12件", False, -2.0, "−2", "−18"),
        ("目标调整", "仍为超过5,000件，未变", False, 0.0, "0", "0"),
        ("9月报", "本次预测", True, 73.0, "73%", "5,116件"),
    ],
    columns=["label", "note", "is_level", "value", "told", "also"],
)
CHARTS = {
    "pace": lambda s: figures.pace(MONTHS, QUANTILES, 5000.0, GOOD, unit="件", chance_words="73% 完成把握", size=s),
    "pace without target": lambda s: figures.pace(MONTHS.head(1), QUANTILES.head(0), float("nan"), GOOD, size=s),
    "bullets": lambda s: figures.bullets(BULLETS, GOOD, size=s),
    "heatmap": lambda s: figures.heatmap(
        HEAT, GOOD, columns=[("zone", "一区四园"), ("gaoxin", "高新区"), ("muye", "牧野区")], size=s
    ),
    "bump": lambda s: figures.bump(RANKS, GOOD, NAMES, size=s),
    "one park alone": lambda s: figures.bump(RANKS[RANKS["region"] == "muye"], GOOD, NAMES, size=s),
    "waterfall": lambda s: figures.waterfall(MOVES, GOOD, heads=("把握", "年末中位数"), unit="%", size=s),
    "waterfall of one level": lambda s: figures.waterfall(MOVES.tail(1), GOOD, unit="%", size=s),
    "lines": lambda s: figures.lines(
        pd.DataFrame({"x": [1, 2] * 6, "series": np.repeat([*PARKS, "zone"], 2), "value": np.arange(12.0)}),
        GOOD,
        highlight=["zone"],
        names=NAMES,
        size=s,
    ),
    "effects": lambda s: figures.effects(ROWS, GOOD, columns=[("a", "内部"), ("b", "结构")], size=s),
    "stock": lambda s: figures.stock(
        MONTHS.assign(value=72.0),
        pd.DataFrame({"month": [3, 8], "kind": ["到期失效", "新认定"], "value": [-1.0, 11.0]}),
        GOOD,
        target=95.0,
        target_words="力争95家",
        unit="家",
        size=s,
    ),
    "calibration": lambda s: figures.calibration(
        pd.DataFrame({"p": [0.1, 0.5, 0.9], "met": [0.2, 0.4, 1.0], "n": [9, 8, 70]}),
        GOOD,
        big="88%",
        big_words="落在区间内",
        size=s,
    ),
    "bars": lambda s: figures.bars(ROWS, GOOD, unit="件", reference=1.0, reference_words="1=最好", size=s),
    "columns": lambda s: figures.columns(MONTHS.assign(before=np.nan), GOOD, size=s),
    "states": lambda s: figures.states(
        pd.DataFrame({"1月": ["已报", ""], "2月": ["未报", "已报"]}, index=["高新区", "市科技局"]),
        GOOD,
        looks={"已报": ("#fff", "#000")},
        size=s,
    ),
    "forest": lambda s: figures.forest(ROWS, GOOD, size=s),
    "slope": lambda s: figures.slope(ROWS, GOOD, before="2017年", after="2018年", size=s),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_may_be_printed_wide(name):
    figures.check(CHARTS[name]("wide"))


@pytest.mark.parametrize("size", ["a4", "phone"])
@pytest.mark.parametrize("name", sorted(set(CHARTS) - {"bump", "one park alone", "calibration"}))
def test_charts_fit_other_sizes_too(name, size):
    figures.check(CHARTS[name](size))


def test_charts_leave_their_frames_as_they_were():
    before = RANKS.copy()
    figures.bump(RANKS, GOOD, NAMES)
    pd.testing.assert_frame_equal(RANKS, before)


def test_a_contact_sheet_needs_pictures(tmp_path):
    with pytest.raises(FigureError, match="没有图"):
        figures.contact_sheet([], tmp_path / "sheet.png")


def test_measures_have_a_scale_of_their_own_and_what_is_missing_says_so():
    rows = pd.DataFrame({"region": ["gaoxin", "zone"], "label": ["高新区", "一区四园"], "a": [2.0, np.nan],
                         "a_text": ["2件", "未报齐"], "b": [10.0, 1000.0], "b_text": ["10%", "1,000%"]})
    figure = figures.measures(rows, GOOD, columns=[("a", "件数"), ("b", "占比")])
    figures.check(figure)
    assert {"未报齐", "2件", "1,000%", "件数"} <= set(figures.texts(figure))
    bars = [p.get_width() for p in figure.artists if hasattr(p, "get_width") and p.get_width() > 0]
    two, ten, thousand = bars[-3:]
    assert two == pytest.approx(thousand) and ten == pytest.approx(thousand / 100)
