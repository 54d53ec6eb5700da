"""Where the numbers of a figure come from: joined from table to table down to the cells of received files."""

from types import SimpleNamespace

import pandas as pd

from zcqlib import figures, lineage
from zcqlib.briefing.passport import Passport
from zcqlib.figures import Canvas, Caption

PERIOD = pd.Period("2018-09", "M")
FILE = "2018-09/高新区.xlsx"


def month(**held):
    about = dict(period=PERIOD, year=2018, vintage="v")
    return SimpleNamespace(**about, workspace=SimpleNamespace(read_all=lambda vintage: held))


def observed():
    """Two cells behind the zone's sum of two parks, one behind a park's figure, and one of what is published."""
    cells = {"h:月报:C1": "C1", "h:月报:C2": "C2", "h:月报:D9": "D9"}
    seen = [dict(obs_id=i, file=FILE, sheet="月报", cell=c) for i, c in cells.items()]
    sums = [("zone", "h:月报:C1;h:月报:C2"), ("hongqi", "h:月报:D9")]
    series = [dict(region=r, indicator="a", inputs=of) for r, of in sums]
    files = [dict(file=FILE, file_hash="ab" * 32)]
    printed = [dict(obs_id="nj:1", file="年鉴.csv", sheet="", cell="B7")]
    return dict(
        OBSERVATIONS=pd.DataFrame(seen),
        SERIES=pd.DataFrame(series),
        SUBMISSIONS=pd.DataFrame(files),
        PUBLISHED=pd.DataFrame(printed),
    )


def traced(*inputs, **held):
    p = Passport("ZCQ-201809-F03-a", "标题", {"pace/a/done": ["77件", 77.0, ";".join(inputs)]}, [])
    return lineage.trace(month(**held), p).split("\n")


def figure(title):
    caption = Caption(
        title=title, subtitle="累计(件)", source="园区月报", as_of="2018年9月", demo=True
    )
    canvas = Canvas(caption)
    canvas.grid(None).plot([1, 2])
    return canvas.figure


def test_an_analysts_own_figure_has_its_texts_and_no_fact():
    made = lineage.of_figure(figure("我的图:2018年9月共77件"), month(), "03_own", "我的图")
    assert made == Passport("ZCQ-201809-F03-own", "我的图", {}, made.texts)
    assert any("共77件" in t for t in made.texts) and not any("来源" in t for t in made.texts)


def test_a_fact_is_traced_by_its_inputs_to_the_cells_of_files_and_the_rows_of_the_plan():
    rows = "PROJECTIONS/zone.a", "SERIES/zone.a", "TARGETS/zone.a", "TARGETS/muye.a"
    head, fact, *cells = traced(*rows, "PUBLISHED/nj:1", **observed())
    assert head == "ZCQ-201809-F03-a 标题"
    assert fact.startswith("  77件 = 77.0 | pace/a/done | 依据:PROJECTIONS/zone.a;SERIES/zone.a")
    assert cells == [
        "nj:1:data/raw/published/年鉴.csv  B7 sha256:",
        f"zone.a:data/raw/{FILE} 月报 C1 C2 sha256:{'ab' * 6}",
        "zone.a:data/raw/reference/targets_2018.csv a",
        "muye.a:data/raw/reference/targets_2018.csv a",
        "muye.a:data/raw/reference/split_2018.csv a",
    ]
    assert "D9" in traced("SERIES/hongqi.a", **observed())[-1]


def test_what_rests_on_no_report_is_traced_as_far_as_there_is_something():
    published = observed()["PUBLISHED"]
    assert len(traced("SERIES/zone.a", "PUBLISHED/nj:1", PUBLISHED=published)) == 3
    assert len(traced("SERIES/zone.a")) == 2


def test_the_code_is_printed_once_and_passes_the_check():
    drawn = figure("专利申请全年预计4971件")
    for _ in range(2):
        figures.stamp(drawn, "ZCQ-201809-F03-applications")
    assert figures.texts(drawn).count("ZCQ-201809-F03-applications") == 1
    figures.check(drawn)
