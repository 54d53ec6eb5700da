"""What if: nothing asked changes nothing, the chance follows pace and target, a park's figures leave the zone's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import controls, quantity, tables, views
from zcqlib.month import Month
from zcqlib.projection import LEVELS
from zcqlib.tables import ZcqError
from zcqlib.views import Asked
from zcqlib.workspace import Workspace

SEPTEMBER = pd.Period("2018-09", freq="M")
PARKS = ("gaoxin", "jingkai", "pingyuan", "hongqi", "muye")
CATALOG = catalogs.load(Workspace(Path(__file__).resolve().parents[1]).reference, 2018)


def projection(region, indicator, kind, unit, actual, target, median):
    return dict(
        region=region,
        indicator=indicator,
        year=2018,
        as_of=SEPTEMBER,
        kind=kind,
        unit=unit,
        actual=actual,
        target_low=target,
        target_high=np.nan,
        comparator="ge",
        median=median,
        low=median - 30.0,
        high=median + 30.0,
        level=0.8,
        probability=0.4,
        needed_per_month=1.0,
        verdict="尚有悬念",
        method="m",
        demo=True,
    )


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """Patents of five parks that add up to the zone's, and the zone's R&D intensity."""
    folder = tmp_path_factory.mktemp("vintage")
    rows = [
        projection(p, "patent_grants", "flow", "件", 200.0 + 10 * i, 300.0, 280.0 + 10 * i)
        for i, p in enumerate(PARKS)
    ]
    rows += [
        projection("zone", "patent_grants", "flow", "件", 1100.0, 1510.0, 1500.0),
        projection("zone", "rd_intensity", "ratio", "%", 2.9, 3.0, 2.95),
    ]
    p = tables.shape(rows, tables.PROJECTIONS)
    spread = np.linspace(-100, 100, len(LEVELS))
    q = pd.concat(
        [
            pd.DataFrame(
                {
                    "region": r.region,
                    "indicator": r.indicator,
                    "year": 2018,
                    "as_of": SEPTEMBER,
                    "level": LEVELS,
                    "value": r.median + spread * r.median / 1500,
                }
            )
            for r in p.itertuples()
        ]
    )
    flow = [("zone", 120.0), ("muye", 20.0)]
    s = pd.DataFrame(
        [
            dict(
                region=r,
                indicator="patent_grants",
                start=m,
                end=m,
                months=1,
                revision=False,
                value=v,
                unit="件",
                published=SEPTEMBER,
                demo=True,
            )
            for r, v in flow
            for m in pd.period_range("2017-10", SEPTEMBER, freq="M")
        ]
    )
    to_date = pd.DataFrame(
        [
            dict(region=r, indicator="patent_grants", end=m, value=v * m.month, demo=True)
            for r, v in flow
            for m in pd.period_range("2018-01", SEPTEMBER, freq="M")
        ]
    )
    stages = tables.empty(tables.MILESTONES)
    seen = pd.DataFrame({"indicator": ["patent_grants"], "sender": ["muye"]})
    for name, t in dict(
        PROJECTIONS=p, QUANTILES=q, SERIES=s, TO_DATE=to_date, MILESTONES=stages, OBSERVATIONS=seen
    ).items():
        t.to_parquet(folder / f"{name}.parquet")
    return Month(Workspace(folder, demo=True), SEPTEMBER, SEPTEMBER, CATALOG, folder)


def test_a_target_that_is_not_there_and_a_park_without_a_park_are_refused(month):
    with pytest.raises(ZcqError, match="园区目标未下达"):
        views.what_if(month, Asked("patent_applications"))
    with pytest.raises(ZcqError, match="只对一区四园合计"):
        views.what_if(month, Asked("patent_grants", "muye", without="gaoxin"))
    with pytest.raises(ZcqError, match="牧野区没有这一项目标"):
        views.what_if(month, Asked("rd_intensity", without="muye"))


def test_asking_nothing_changes_nothing(month):
    out = views.what_if(month, Asked("patent_grants"))
    pd.testing.assert_series_equal(pd.Series(out.row), pd.Series(views.row(month, "patent_grants")))
    told = quantity.typeset(quantity.projection_sentence(out.row | {"demo": False}, 120.0))
    assert told in out.text and out.text.startswith("【演示数据】")
    assert "位次不变" in views.places_told(month, Asked("patent_grants"), views.places_ahead(month))


def test_the_rest_of_the_year_is_multiplied_by_the_pace(month):
    row = views.what_if(month, Asked("patent_grants", pace=1.5)).row
    assert (row["actual"], row["median"], row["low"], row["high"]) == (1100, 1700, 1655, 1745)


def test_the_chance_rises_with_the_pace_and_falls_with_the_target(month):
    paced = [
        views.what_if(month, Asked("patent_grants", pace=p)).row["probability"]
        for p in (0.9, 1.01, 1.1)
    ]
    aimed = [
        views.what_if(month, Asked("patent_grants", aim=a)).row["probability"]
        for a in (1450, 1500, 1550)
    ]
    assert paced == sorted(paced) and len(set(paced)) == 3
    assert aimed == sorted(aimed, reverse=True) and len(set(aimed)) == 3


def test_a_target_already_reached_is_done(month):
    out = views.what_if(month, Asked("patent_grants", aim=1000.0))
    assert (
        out.row["probability"] == 1
        and out.row["verdict"] == "已完成"
        and "1,000件目标已完成" in out.text
    )


def test_a_ratio_has_no_pace(month):
    out = views.what_if(month, Asked("rd_intensity", pace=2.0))
    assert out.row["median"] == 2.95 and "比率和增速不按节奏推演" in out.text


def test_a_park_left_out_takes_its_figures_and_its_share_of_the_interval_along(month):
    out = views.what_if(month, Asked("patent_grants", without="muye"))
    assert (out.row["actual"], out.row["target_low"], out.row["median"]) == (860, 1210, 1180)
    assert out.row["high"] - out.row["low"] == pytest.approx(60 * 1180 / 1500)
    assert "为近12个月均值100件的" in out.text and "不含牧野区" in out.text


def test_a_faster_park_may_pass_others_and_who_cannot_be_told_apart_shares_a_place(month):
    before = views.places_ahead(month)
    after = views.places_ahead(month, Asked("patent_grants", "gaoxin", pace=3.0))
    assert before["gaoxin"] == "第5位" and after["gaoxin"] == "第1位"
    told = views.places_told(month, Asked("patent_grants", "gaoxin", pace=3.0), before)
    assert "高新区由第5位变为第1位" in told
    level = views.places_ahead(
        month, Asked("patent_grants", "gaoxin", pace=1.5)
    )  # 200 + 1.5 · 80 = 320, as 牧野区
    assert level["gaoxin"] == level["muye"] == "并列第1位" and level["hongqi"] == "第3位"
    assert "高新区由第5位变为并列第1位" in views.places_told(
        month, Asked("patent_grants", "gaoxin", pace=1.5), before
    )
    left = views.places_ahead(month, Asked("patent_grants", without="muye"))
    assert "muye" not in left.index and sorted(left) == ["第1位", "第2位", "第3位", "第4位"]


def test_the_widget_says_and_draws_what_is_asked(month):
    box = controls.what_if(month)
    (which, where, out), (pace, aim), told, image = (
        b.children if i < 2 else b for i, b in enumerate(box.children)
    )
    which.value = "patent_grants"
    first, drawn = told.value, image.value
    pace.value = 1.2
    assert "按预测的1.20倍" in told.value and told.value != first and image.value != drawn
    out.value = "muye"
    assert aim.value == 1210 and "不含牧野区" in told.value


def test_an_export_saves_what_it_asks_for_in_its_size_and_tells_what_it_refuses(
    month, tmp_path, monkeypatch
):
    from zcqlib import attached, figures
    from zcqlib.figures.theme import Canvas

    notes = tmp_path / "notes"
    told = attached.Told(notes=str(notes), size="a4", formats=("pdf", "png"), only="03_a")
    monkeypatch.setattr(attached, "now", told)
    words = figures.Caption("标题", "专利申请(件)", "各园区月报", "2018年9月", True)
    bad = Canvas(words)
    bad.text(1250, 300, "伸出画面的一行字", 14)
    for figure, name in (
        (Canvas(words).figure, "03_a"),
        (Canvas(words).figure, "03_b"),
        (bad.figure, "03_a_bad"),
    ):
        assert month.save(figure, name) is figure
    told = notes.read_text("utf-8").splitlines()
    assert told[:2] == ["saved export/03_a_a4.pdf", "saved export/03_a_a4.png"]
    assert len(told) == 3 and told[2].startswith("refused 03_a_bad:") and "文字超出画面" in told[2]
