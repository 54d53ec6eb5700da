"""Findings on intensity, patents and enterprises on small made tables: sums as printed, ties, bases named apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.findings import Given, find, state, track_record
from zcqlib.findings.found import quarter, so_far, up_to
from zcqlib.indicators import problems
from zcqlib.reports import labels
from zcqlib.workspace import Workspace

PERIOD = pd.Period("2018-09", "M")
CATALOG = catalogs.load(Workspace(Path(__file__).resolve().parents[1]).reference, 2018)
PARKS = list(CATALOG.parks)


def series(*rows):
    """SERIES of (region, indicator, start, end, months, value)."""
    columns = ["region", "indicator", "start", "end", "months", "value"]
    t = pd.DataFrame(rows, columns=columns)
    t["start"], t["end"] = (pd.PeriodIndex(t[c], freq="M") for c in ("start", "end"))
    return tables.shape(t.assign(unit="u", published=t["end"], demo=True), tables.SERIES)


def made(name, period=PERIOD, **given):
    held = {n: tables.empty(t) for n, t in tables.VINTAGE.items()}
    held |= dict(PUBLISHED=tables.empty(tables.OBSERVATIONS), TO_DATE=tables.empty(tables.SERIES))
    return find(name, Given((held | given).__getitem__, CATALOG, period, period))


def years(spent, gdp):
    """R&D and GDP from January to September of 2017 and 2018 by park, and the zone's sums."""
    rows = []
    for i, values in (("rd_expenditure", spent), ("gdp", gdp)):
        for y in (0, 1):
            span = (f"{2017 + y}-01", f"{2017 + y}-09", 9)
            rows += [(p, i, *span, v[y]) for p, v in zip(PARKS, values, strict=True)]
    return series(*rows)


def target(indicator, low, region="zone"):
    given = dict(id=indicator, name_zh="x", kind="ratio", unit="%", comparator="ge", region=region)
    given |= dict(target_low=low, year=2018, in_force_from=pd.Period("2018-01", "M"))
    return tables.shape([given | dict(commitment="firm", basis="official")], tables.TARGETS)


@pytest.mark.parametrize(
    ("month", "before", "after"),
    [
        ("2018-09", "2017-01/2017-09", "2018-01/2018-09"),
        ("2018-08", "2017-01/2017-06", "2018-01/2018-06"),
        ("2018-03", "2017-01/2017-03", "2018-01/2018-03"),
        ("2018-02", "2016-01/2016-12", "2017-01/2017-12"),
    ],
)
def test_the_last_full_quarter_of_a_year_s_start_is_last_year_s(month, before, after):
    assert quarter(pd.Period(month, "M")) == (before, after)


def test_targets_alone_are_no_picture_and_a_figure_beside_them_is_one():
    aims = target("invention_patents_per_10k", 13.0)
    assert made("patent_quality", TARGETS=aims).bare
    held = series(("zone", "invention_patents_per_10k", "2018-09", "2018-09", 0, 11.7))
    assert not made("patent_quality", TARGETS=aims, SERIES=held).bare
    assert made("course").missing


def test_months_up_to_january_are_january():
    assert (up_to(1), up_to(9), so_far("2018-01/2018-01")) == ("1月", "1—9月", "2018年1月")


SPENT = [(20, 21), (20, 21.04), (20, 21.04), (0.001, 0.001), (0.001, 0.001)]
GDP = [(1000, 1000)] * 3 + [(0.1, 0.1)] * 2


def test_the_split_adds_up_as_printed_in_rows_and_columns():
    t = made("intensity_split", SERIES=years(SPENT, GDP)).rows
    assert t.at["all", "total"] == pytest.approx(0.10)  # 100 · 3.08 / 3000
    for c in ("within", "between", "total"):
        assert t[c].drop("all").sum() == pytest.approx(t.at["all", c], abs=1e-9)
    assert (t["within"] + t["between"] - t["total"]).abs().max() < 1e-9


def test_growth_and_ratio_by_hand_and_a_missing_month_is_said():
    s = years([(20, 22)] * 5, [(1000, 1000)] * 5)
    f = made("intensity_moved", SERIES=s)
    z = f.rows.loc["zone", ["spent_growth", "gdp_growth", "ratio_change"]]
    assert z.tolist() == pytest.approx([10.0, 0.0, 0.2])
    assert f.sentences[0].startswith(
        "月报口径的研发投入强度由2.00%提高到2.20%，主要是研发经费增长较快"
    )
    assert f.title.startswith("研发经费增长10.0%，快于GDP的0%")
    for gdp, word in ((1200, "慢于GDP的20.0%"), (1100.1, "等于GDP的10.0%")):  # as printed
        title = made("intensity_moved", SERIES=years([(20, 22)] * 5, [(1000, gdp)] * 5)).title
        assert title.startswith(f"研发经费增长10.0%，{word}")
    gone = made("intensity_moved", SERIES=s[~(s["region"].eq("muye") & s["end"].dt.year.eq(2017))])
    assert gone.sentences == ("研发经费或GDP有月份未报，本期不能判断强度的变动",)


@pytest.mark.parametrize(("aim", "over"), [(2.0, 3.0), (2.5, 0.0)])
def test_who_reaches_the_target_is_counted_against_the_target_s_own_number(aim, over):
    ratios = [2.0, 2.1, 2.2, 1.0, 1.0]
    rows = [
        (p, "rd_intensity", "2018-01", "2018-09", 9, v) for p, v in zip(PARKS, ratios, strict=True)
    ]
    s = series(*rows, ("zone", "rd_intensity", "2018-01", "2018-09", 9, 1.9))
    f = made("intensity_parks", SERIES=s, TARGETS=target("rd_intensity", aim))
    assert f.rows.at["now", "over"] == over
    told = "3个园区达到2%" if over else "各园区均未达到2%"
    assert f.title == f"研发投入强度（月报口径）1.90%，{told}".replace(
        "2%", f"{aim:g}%"[:2] if aim == 2 else "3%"
    )


def test_the_official_figure_is_bridged_and_named_apart_from_the_reports_ratio():
    rows = [
        ("zone", "rd_intensity", f"{y}-01", f"{y}-09", 9, v)
        for y, v in ((2016, 2.0), (2017, 2.2), (2018, 2.4))
    ]
    rows += [
        ("zone", "rd_intensity_official", f"{y}-01", f"{y}-12", 12, v)
        for y, v in ((2016, 2.5), (2017, 2.75))
    ]
    f = made("intensity_year", SERIES=series(*rows))
    assert f.rows.at["zone", "estimate"] == pytest.approx(3.0)
    assert "年度公布口径的2018年数尚未公布，按月报强度的变动推算为3.00%" in f.sentences[0]
    assert "两种口径不能相比" in f.sentences[0]


def test_this_year_s_months_and_what_no_month_explains():
    rows = [
        ("zone", "patent_applications", f"2017-{m:02d}", f"2017-{m:02d}", 1, 10)
        for m in range(1, 10)
    ]
    rows += [
        ("zone", "patent_applications", f"2018-{m:02d}", f"2018-{m:02d}", 1, 11 - (m == 9))
        for m in range(1, 10)
    ]
    s = series(*rows)
    f = made("patent_months", SERIES=s)
    assert f.rows.loc["all", ["months_ahead", "months_known", "year_to_date"]].tolist() == [
        8,
        9,
        98,
    ]
    assert f.title == "专利申请总量今年前9个月中8个月高于上年同月" and len(f.sentences) == 1
    revised = series(("zone", "patent_applications", "2018-01", "2018-09", 9, 5)).assign(
        revision=True
    )
    both = made("patent_months", SERIES=pd.concat([s, revised], ignore_index=True))
    assert both.sentences[1] == "各月之外有前期修订+5件，累计103件"


def test_the_invention_share_is_set_against_the_share_that_the_targets_imply():
    rows = []
    for r, before, now in (("zone", 30, 40), *((p, 30, 20) for p in PARKS)):
        for y, v in ((2017, before), (2018, now)):
            rows += [(r, "invention_patent_applications", f"{y}-01", f"{y}-09", 9, v)]
            rows += [(r, "patent_applications", f"{y}-01", f"{y}-09", 9, 100)]
    aims = [
        target(i, v, PARKS[0])
        for i, v in (("invention_patent_applications", 25), ("patent_applications", 100))
    ]
    f = made("invention_share", TO_DATE=series(*rows), TARGETS=pd.concat(aims, ignore_index=True))
    assert f.title == "发明占申请由30.0%升至40.0%，1个园区低于目标"
    assert (
        f.rows.at[PARKS[0], "invention_aim"] == 25 and f.rows.at["zone", "invention_change"] == 10
    )
    assert "并列的五个园区（−10.0个百分点）" in f.sentences[0]


@pytest.mark.parametrize("after", [[35, 20, 8, 17, 11], [29, 17, 7, 15, 10], [28, 16, 6, 14, 9]])
def test_contributions_of_parks_add_up_as_printed_from_last_december(after):
    before = [28, 16, 6, 14, 9]
    rows = [
        (p, "hightech_enterprises", m, m, 0, v)
        for values, m in ((before, "2017-12"), (after, "2018-09"))
        for p, v in zip(PARKS, values, strict=True)
    ]
    f = made("enterprises_by_park", SERIES=series(*rows))
    t = f.rows["firms_points"]
    assert (
        t.drop("all").sum() == pytest.approx(t["all"])
        and f.rows.at["all", "firms_net"] == sum(after) - 73
    )
    assert t["all"] == pytest.approx(round(100 * (sum(after) - 73) / 73, 1))
    assert ("没有园区净增" in f.sentences[0]) == (sum(after) == 73)


def test_a_stock_is_told_since_december_and_what_the_flows_do_not_explain():
    rows = [
        ("zone", "hightech_enterprises", m, m, 0, v) for m, v in (("2017-12", 78), ("2018-09", 91))
    ]
    rows += [
        ("zone", "hightech_recognised", f"2018-{m:02d}", f"2018-{m:02d}", 1, 11 * (m == 9))
        for m in range(1, 10)
    ]
    f = made("enterprise_stock", SERIES=series(*rows))
    whole = f.rows.loc["all"]
    assert whole[["opening", "stock", "stock_net", "recognised", "unexplained"]].tolist() == [
        78,
        91,
        13,
        11,
        2,
    ]
    assert f.sentences[0].startswith("高新技术企业91家，较年初净增13家")
    assert "期末与流入流出相差+2家，待报送单位说明" in f.sentences


def test_every_kind_of_fault_that_is_counted_has_a_chinese_name():
    read = {k: severity for k, (severity, _) in labels._PROBLEMS.items()}
    lines = (line.split()[:2] for line in problems.SENTENCES.strip().splitlines())
    counted = {k.partition(".")[0] for k, s in (read | dict(lines)).items() if s != "info"}
    assert counted <= set(state.FAULT_NAMES) and len(counted) > 30


def test_the_relation_of_patents_to_rd_has_its_interval_the_right_way_round():
    draw = np.random.default_rng(7).normal(0, 0.1, (2, 8, 10)).tolist()
    places = [CATALOG.zone.province_zh, *CATALOG.zone.compare[:7]]
    rows = []
    for k, region in enumerate(places):
        for n, year in enumerate(range(2009, 2019)):
            rd = (1 + k) * 1.1**n * np.exp(3 * draw[0][k][n])
            told = {
                "rd_expenditure": 1e6 * rd,
                "patent_applications": 1e4 * rd * np.exp(draw[1][k][n]),
            }
            for indicator, value in told.items():
                row = dict(region=region, indicator=indicator, measure="value", basis="year")
                row |= dict(end=pd.Period(f"{year}-12", "M"), value=round(value))
                rows.append(row | dict(obs_id=f"{region}{year}{indicator}"))
    found = made("patents_and_rd", PUBLISHED=tables.shape(rows, tables.OBSERVATIONS))
    t = found.things
    assert list(t.index) == ["plain", "years", "plain_lag", "years_lag"]
    assert (t.elasticity_low < t.elasticity).all() and (t.elasticity < t.elasticity_high).all()
    assert t.at["plain", "elasticity"] == pytest.approx(1, abs=0.15)
    assert found.rows.at["all", "provinces"] == 8


def test_seven_in_ten_is_told_only_where_it_was_said_often_enough():
    held = dict(seven=[10.0], seven_came=[13.0], claimed=[0.61], came_true=[0.6])
    rows = pd.DataFrame(held, ["own|all"])
    assert "约七成把握" in track_record._told(rows, "own")
    few = rows.assign(seven=9.0)
    assert track_record._told(few, "own").endswith("实际完成{own|all.came_true}")
