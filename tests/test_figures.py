"""Theme, checks and charts: what may not be printed is refused, the same figure gives the same bytes."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zcqlib import attached, figures, tables
from zcqlib import catalog as catalogs
from zcqlib.figures import Caption, FigureError, theme
from zcqlib.findings import Found, Measure
from zcqlib.findings.found import lay
from zcqlib.month import Month
from zcqlib.quantity import Scale
from zcqlib.workspace import Workspace

NONE = float("nan")
GOOD = Caption(
    "专利申请落后序时进度220件",
    "专利申请量,累计(件);一区四园合计,2018年",
    "各园区月报",
    "2018年9月",
    True,
)
PARKS = ["gaoxin", "jingkai", "pingyuan", "hongqi", "muye"]
NAMES = dict(zip(PARKS, ["高新区", "经开区", "平原示范区", "红旗区", "牧野区"], strict=True)) | {
    "zone": "一区四园"
}


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
    out.write(1590, 400, "超出画面的一段文字", 14)
    with pytest.raises(FigureError, match="文字超出画面"):
        figures.check(out.figure)
    over = theme.Canvas(GOOD)
    over.write(500, 400, "第一段文字", 14)
    over.write(510, 402, "第二段文字", 14)
    with pytest.raises(FigureError, match="文字重叠"):
        figures.check(over.figure)


def test_text_in_the_margin_is_refused():
    out = theme.Canvas(GOOD)
    out.write(1600 - 20, 400, "十二个园区", 14, ha="right")
    with pytest.raises(FigureError, match="文字超出画面:「十二个园区」"):
        figures.check(out.figure)


def test_text_that_is_cut_or_too_small_is_refused():
    small = theme.Canvas(GOOD)
    small.write(500, 400, "看不清的字", 8)
    with pytest.raises(FigureError, match="文字太小:「看不清的字」"):
        figures.check(small.figure)
    cut = theme.Canvas(GOOD)
    cut.grid().text(0.0, 0.5, "伸出图外的字", fontsize=13, clip_on=True, ha="center")
    with pytest.raises(FigureError, match="文字被截断:「伸出图外的字」"):
        figures.check(cut.figure)


@pytest.mark.parametrize(
    "words, rows, told",
    [
        ("甲乙丙丁", 2, "甲乙\n丙丁"),
        ("甲乙,丙丁戊", 2, "甲乙,\n丙丁戊"),
        ("专利申请2,200件", 2, "专利申请\n2,200件"),
        ("换用权重，计入数据误差", 2, "换用权重，\n计入数据误差"),
        ("强度3.15%比", 2, "强度\n3.15%比"),
        ("八项已完成,六项把握较大", 2, "八项已完成,\n六项把握较大"),
    ],
)
def test_lines_break_after_marks_and_never_inside_a_number(words, rows, told):
    assert (
        theme.wrapped(
            words, 13, 1.01 * max(theme.measured(line, 13) for line in told.split("\n")), rows
        )
        == told
    )


def test_letters_are_as_wide_as_they_are_measured():
    c = theme.Canvas(GOOD)
    t = c.write(100, 300, "专利申请5,000件", 20)
    c.figure.canvas.draw()
    drawn = t.get_window_extent().width / c.figure.bbox.width * c.width
    assert drawn == pytest.approx(theme.measured("专利申请5,000件", 20), rel=0.03)


def test_the_alternative_text_holds_title_labels_source_and_says_what_is_made_up():
    c = theme.Canvas(GOOD)
    c.write(500, 400, "目标5,000件", 14)
    told = figures.alternative(c.figure)
    assert (
        told.startswith("【演示数据】" + GOOD.title)
        and "目标5,000件" in told
        and "各园区月报" in told
    )


def test_a_glyph_that_the_font_lacks_is_an_error():
    c = theme.Canvas(GOOD)
    c.write(500, 400, "\U0001f9ec", 14)
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
    assert b"<dc:title>" in (tmp_path / "a.svg").read_bytes() or GOOD.title in (
        tmp_path / "a.svg"
    ).read_text("utf-8")
    assert b"FontFile2" in (tmp_path / "a.pdf").read_bytes()


def test_a_figure_that_was_drawn_before_is_not_drawn_again_and_one_that_differs_in_anything_is(
    tmp_path,
):
    kept, made = {}, []

    def remember(key, make):
        made.append(key not in kept)
        return kept[key] if key in kept else kept.setdefault(key, make())

    def saved(**changes):
        paths = figures.save(canvas(**changes), tmp_path / "a", remember=remember)
        return [p.read_bytes() for p in paths]

    first = saved()
    assert saved() == first == [p.read_bytes() for p in figures.save(canvas(), tmp_path / "b")]
    others = [
        dict(title="另一个标题"),
        dict(subtitle="另一副标题(件)"),
        dict(source="另一来源"),
        dict(as_of="2018年8月"),
        dict(note="一条说明"),
        dict(demo=False),
    ]
    assert all(saved(**changes) != first for changes in others)
    assert made == [True, False, *[True] * len(others)]


def test_a_figure_that_may_not_be_printed_is_refused_each_time_and_not_remembered(tmp_path):
    kept = {}
    for _ in range(2):
        with pytest.raises(FigureError, match="没有写来源"):
            figures.save(
                canvas(source=" "),
                tmp_path / "a",
                remember=lambda key, make: kept.setdefault(key, make()),
            )
    assert not kept and not list(tmp_path.iterdir())


def test_a_pdf_lets_its_bold_title_be_copied(tmp_path):
    import re
    import zlib

    figure = canvas()
    before = len(figure.texts)
    (path,) = figures.save(figure, tmp_path / "a", ("pdf",))
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.S)
    known = b"".join(
        zlib.decompress(s) for s in streams if s[:1] == b"\x78"
    )  # with the map from letters to Unicode
    assert f"{ord('落'):04x}".encode() in known.lower() and len(figure.texts) == before


def test_labels_move_apart_as_little_as_they_must():
    assert theme.spread([0, 10, 20], 5).tolist() == [0, 10, 20]
    out = theme.spread([10, 10], 4)
    assert out.tolist() == [8, 12]
    many = theme.spread([5, 5, 5, 1], 2)
    assert np.diff(np.sort(many)).min() >= 2 - 1e-6


def test_a_size_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="'a5'"):
        theme.Canvas(GOOD, "a5")


def test_a_contact_sheet_needs_pictures(tmp_path):
    with pytest.raises(FigureError, match="没有图"):
        figures.contact_sheet([], tmp_path / "sheet.png")


def test_an_export_saves_what_it_asks_for_in_its_size_and_tells_what_it_refuses(
    tmp_path, monkeypatch
):
    notes, period = tmp_path / "notes", pd.Period("2018-09", "M")
    home = Workspace(Path(__file__).resolve().parents[1])
    catalog = catalogs.load(home.reference, 2018)
    month = Month(Workspace(tmp_path, demo=True), period, period, catalog, tmp_path)
    told = attached.Told(notes=str(notes), size="a4", formats=("pdf", "png"), only="03_a")
    monkeypatch.setattr(attached, "now", told)
    words = figures.Caption("标题", "专利申请(件)", "各园区月报", "2018年9月", True)
    bad = theme.Canvas(words)
    bad.write(1250, 300, "伸出画面的一行字", 14)
    for figure, name in (
        (theme.Canvas(words).figure, "03_a"),
        (theme.Canvas(words).figure, "03_b"),
        (bad.figure, "03_a_bad"),
    ):
        assert month.save(figure, name) is figure
    told = notes.read_text("utf-8").splitlines()
    assert told[:2] == ["saved export/03_a_a4.pdf", "saved export/03_a_a4.png"]
    assert len(told) == 3 and told[2].startswith("refused 03_a_bad:") and "文字超出画面" in told[2]


class Plain(Month):
    """A month with tables of a test's own."""

    def table(self, name):
        return HELD[name]


def promised(region, low, p):
    row = dict(
        region=region, indicator="patent_applications", year=2018, as_of="2018-09", kind="flow"
    )
    row |= dict(unit="件", comparator="ge", target_low=low, actual=60.0, median=95.0, low=90.0)
    row |= dict(high=101.0, level=0.8, probability=p, verdict="v", method="m", demo=True)
    return row


HELD = {
    "PROJECTIONS": tables.shape(
        [promised("zone", 100.0, 0.123), promised("gaoxin", 40.0, 0.9)], tables.PROJECTIONS
    ),
    "TARGETS": pd.DataFrame(
        dict(
            id=["patent_applications"] * 2 + ["gdp"],
            region=["zone", "gaoxin", "zone"],
            target_low=[100.0, 40.0, 7.0],
        )
    ),
    "SERIES": pd.DataFrame(
        dict(
            indicator=["patent_applications"] * 2 + ["gdp"],
            end=pd.PeriodIndex(["2017-12", "2018-01", "2017-12"], freq="M"),
        )
    ),
    "MILESTONES": pd.DataFrame(),
    "GROWTH": pd.DataFrame(),
}


@pytest.fixture
def plain(tmp_path):
    period = pd.Period("2018-09", "M")
    catalog = catalogs.load(Workspace(Path(__file__).resolve().parents[1]).reference, 2018)
    return Plain(Workspace(tmp_path, demo=True), period, period, catalog, tmp_path)


def test_a_target_s_year_end_is_that_of_the_run_by_chinese_or_english_name(plain):
    for names in (("专利申请总量",), ("patent_applications", "zone"), ("专利申请总量", "一区四园")):
        (row,) = plain.project(*names).to_dict("records")
        assert (row["目标"], row["年末预计"], row["把握（%）"]) == (100.0, 95.0, 12.3)
    assert plain.project("专利申请总量", "高新区").at[0, "把握（%）"] == 90.0


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("专利申请总数",), "没有叫「专利申请总数」的指标。相近的有：专利申请总量"),
        (("专利申请总量", "高新"), "没有叫「高新」的园区。相近的有：高新区"),
        (("专利申请总量", "牧野区"), "牧野区没有「专利申请总量」的目标"),
    ],
)
def test_a_projection_of_what_there_is_not_says_what_there_is(plain, names, told):
    with pytest.raises(tables.ZcqError, match=told):
        plain.project(*names)


def test_another_window_and_another_target_change_that_indicator_only(plain, monkeypatch):
    given = []

    def projected(series, targets, as_of, *_):
        given.append((series, targets, as_of))
        return SimpleNamespace(projections=HELD["PROJECTIONS"])

    monkeypatch.setattr("zcqlib.month.project_targets", projected)
    plain.project("专利申请总量", since="2018-01", target=90)
    ((series, targets, as_of),) = given
    assert series.index.tolist() == [1, 2] and as_of == plain.period
    assert targets["target_low"].tolist() == [90.0, 40.0, 7.0]
    assert HELD["TARGETS"]["target_low"].tolist() == [100.0, 40.0, 7.0]


def test_a_finding_without_any_number_is_missing_data_and_one_of_counts_only_is_not(plain):
    def counted(n):
        rows = pd.DataFrame(
            dict(label=["8月", "9月"], indicator="", inputs="TRAIL/zone.x", n=n), ["a", "b"]
        )
        heads = {"n": Measure("项数", Scale("项"))}
        about = "园区月报", "2018年", plain.period, plain.period, True
        return Found("counts", lay(rows, heads), heads, *about, "各月的项数")

    with (
        pytest.raises(tables.MissingData, match="各月的项数"),
        plain.chart(counted([NONE] * 2), "", "项数（项）"),
    ):
        pass
    with plain.chart(counted([3.0, 5.0]), "", "项数（项）") as ax:
        ax.bar(["8月", "9月"], [3.0, 5.0], label="n")
    with (
        pytest.raises(FigureError, match="counts/b/n"),
        plain.chart(counted([3.0, 5.0]), "", "项数（项）") as ax,
    ):
        ax.bar(["8月", "9月"], [3.0, 4.0], label="n")
