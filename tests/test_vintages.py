"""A past month comes out again as it was known; parks that join; a year that turns; a year that is closed."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from conftest import table_of

from zcqlib import catalog as catalogs
from zcqlib import closing, indicators, pipeline, tables
from zcqlib.catalog import CatalogError
from zcqlib.findings import Given, find
from zcqlib.projection import project_targets
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
CATALOG = catalogs.load(ROOT / "data" / "raw" / "reference", 2018)
DECEMBER, JANUARY, FEBRUARY = (pd.Period(m, "M") for m in ("2018-12", "2019-01", "2018-02"))
NONE = float("nan")


# membership ---------------------------------------------------------------------------------------------------------


def flows(values):
    """SERIES of monthly patent applications: {region: {month: value}}."""
    return tables.shape(
        [
            dict(
                region=r,
                indicator="patent_applications",
                start=m,
                end=m,
                months=1,
                value=v,
                unit="件",
                published=m,
                demo=True,
            )
            for r, months in values.items()
            for m, v in months.items()
        ],
        tables.SERIES,
    )


def joined(park, month):
    """The catalog with a park that belongs only from a month on."""
    m = CATALOG.membership
    return replace(
        CATALOG,
        membership=m.assign(start=m["start"].mask(m["region"].eq(park), pd.Period(month, "M"))),
    )


@pytest.fixture
def grown():
    """Four parks of 10 a month, the fifth of 60 from 2018; 牧野区 joins in 2018-02."""
    months = ["2017-01", "2017-02", "2018-01", "2018-02"]
    values = {p: dict.fromkeys(months, 10.0) for p in CATALOG.parks}
    values |= {"muye": dict(zip(months, (30, 30, 60, 60), strict=True))}
    catalog = joined("muye", "2018-02")
    parks = flows(values)
    known = pd.concat([parks, indicators.zone_totals(parks, catalog)], ignore_index=True)
    return known, catalog


def told(known, catalog):
    seen = dict(indicator="patent_applications", sender="gaoxin", demo=True)
    held = {"TO_DATE": indicators.to_date(known)}
    held["OBSERVATIONS"] = tables.shape([seen], tables.OBSERVATIONS)
    return find("membership", Given(held.__getitem__, catalog, FEBRUARY, FEBRUARY))


def test_a_change_of_members_is_said_with_both_growths_as_published_and_for_the_same_parks(grown):
    known, catalog = grown
    zone = known[known["region"] == "zone"].set_index("end")["value"]
    assert zone.loc["2018-01"] == 40 and zone.loc["2017-02"] == 40
    found = told(known, catalog)
    row = found.rows.loc["patent_applications"]
    assert (row["as_published"], row["as_now"]) == (40 + 100, 4 * 20 + 120)
    assert row["as_published_growth"] == 100 * (140 / 80 - 1)
    assert row["as_now_growth"] == pytest.approx(100 * (200 / 140 - 1))
    assert found.sentences == (
        "成员有变动：牧野区2018年2月加入",
        "专利申请总量累计：公布口径140件，同比+75.0%；同口径（现有5个园区）200件，同比+42.9%",
    )
    assert found.demo and found.paragraph.startswith("【演示数据】")


def test_without_a_change_of_members_nothing_is_set_side_by_side(grown):
    found = told(grown[0], CATALOG)
    assert found.facts().empty and found.sentences == ("自上年年初以来园区没有进出，各期口径一致",)


def test_a_park_without_a_figure_leaves_the_same_parks_unknown(grown):
    known, catalog = grown
    gap = known["region"].eq("gaoxin") & known["end"].eq("2017-02")
    found = told(known[~gap], catalog)
    assert len(found.sentences) == 1 and "patent_applications" not in found.rows.index


# closing ------------------------------------------------------------------------------------------------------------


def said(*rows, as_of=DECEMBER):
    """PROJECTIONS for December: (indicator, kind, actual, chance, verdict)."""
    return tables.shape(
        [
            dict(
                region="zone",
                indicator=i,
                year=2018,
                as_of=as_of,
                kind=kind,
                unit="件",
                comparator="ge",
                target_low=100.0,
                actual=actual,
                probability=p,
                verdict=verdict,
                method="x",
            )
            for i, kind, actual, p, verdict in rows
        ],
        tables.PROJECTIONS,
    )


def test_closing_a_month_that_is_not_december_is_refused():
    january = said(("patent_grants", "flow", 1, 0.5, "尚有悬念"), as_of=JANUARY)
    with pytest.raises(ValueError, match="December"):
        closing.closing(january, flows({}), CATALOG.stages, CATALOG)


def test_a_target_is_kept_broken_or_open_by_its_kind():
    p = said(
        ("patent_applications", "flow", 120, 1.0, "把握较大"),
        ("patent_grants", "flow", 90, 0.0, "难度较大"),
        ("invention_patent_grants", "flow", 95, 0.6, "尚有悬念"),
        ("technology_contracts", "flow", 101, 1.0, "已完成"),
        ("counted", "coverage", 4, NONE, "按节点推进"),
        ("named_new_rd_institutes", "milestone", 1, NONE, "按节点推进"),
        ("other_stage", "milestone", NONE, NONE, "按节点推进"),
        ("unknown", "coverage", NONE, NONE, "缺数据"),
    )
    december = flows({"zone": {"2018-12": 10.0}})
    series = pd.concat(
        [december, december.assign(indicator="patent_grants", published=JANUARY)], ignore_index=True
    )
    t = closing.closing(p, series, CATALOG.stages, CATALOG).set_index("indicator")
    assert t["status"].to_dict() == {
        "patent_applications": "完成",
        "patent_grants": "未完成",
        "invention_patent_grants": "待定",
        "technology_contracts": "完成",
        "named_new_rd_institutes": "未完成",
        "counted": "未完成",
        "other_stage": "待定",
        "unknown": "待定",
    }
    assert t.at["patent_grants", "published"] == JANUARY and pd.isna(
        t.at["invention_patent_grants", "published"]
    )


def test_the_closing_table_for_the_meeting_says_what_was_promised_what_came_and_by_which_report():
    named = "named_new_rd_institutes"
    p = said(
        ("patent_grants", "flow", 90, 0.0, "难度较大"), (named, "milestone", 1, NONE, "按节点推进")
    )
    series = flows({"zone": {"2018-12": 10.0}}).assign(indicator="patent_grants", published=JANUARY)
    stored = {"PROJECTIONS": p.assign(demo=True), "SERIES": series, "MILESTONES": CATALOG.stages}
    t = closing.closed(SimpleNamespace(table=stored.get, catalog=CATALOG)).set_index("指标")
    assert t.loc["专利授权量"].tolist() == [
        "全区",
        "100件",
        "90件",
        "未完成",
        "2019-01报表",
        "演示数据",
    ]
    assert t.loc[CATALOG.name(named), ["实际", "结果", "定案报表"]].tolist() == [
        "1件",
        "未完成",
        "—",
    ]


# the line over a turn of the year -----------------------------------------------------------------------------------


def later(path, old, new, to):
    """A demonstration workbook of another year: every mention of the year is changed."""
    book = openpyxl.load_workbook(path)
    for sheet in book:
        sheet.title = sheet.title.replace(old, new)
        for cell in (c for row in sheet.iter_rows() for c in row if isinstance(c.value, str)):
            cell.value = cell.value.replace(old, new)
    to.mkdir(parents=True, exist_ok=True)
    book.save(to / path.name.replace(old, new))


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A project with two plans: figures of 2016 and 2017, made-up ones of 2018, and two months of 2019."""
    root = tmp_path_factory.mktemp("project")
    for name in ("reference", "published"):
        shutil.copytree(ROOT / "data" / "raw" / name, root / "data" / "raw" / name)
    for path in list((root / "data" / "raw" / "reference").glob("*_2018.csv")):
        text = path.read_text("utf-8").replace(",2018", ",2019")
        path.with_name(path.name.replace("2018", "2019")).write_text(text, "utf-8")
    demo, out = ROOT / "data" / "raw" / "demo", root / "data" / "raw" / "demo"
    for year in ("2016", "2017"):
        (out / f"{year}-12").mkdir(parents=True)
        shutil.copy(demo / f"{year}-12" / f"市知识产权局{year}年报表.xlsx", out / f"{year}-12")
    later(demo / "2017-12" / "市知识产权局2017年报表.xlsx", "2017", "2018", out / "2018-12")
    for m in (1, 2):
        later(
            demo / f"2018-0{m}" / f"市知识产权局2018年{m}月报表.xlsx",
            "2018",
            "2019",
            out / f"2019-0{m}",
        )
    return Workspace(root, demo=True)


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_year_without_a_plan_names_the_file_that_is_missing(turned):
    with pytest.raises(CatalogError, match="没有 targets_2020.csv"):
        catalogs.load(turned.reference, 2020)


def test_a_past_month_comes_out_byte_for_byte_with_later_reports_there_or_not(turned):
    first = pipeline.build(turned, JANUARY)
    stored = content(first)
    shutil.rmtree(turned.processed)
    away = turned.raw / "2019-02"
    away.rename(turned.root / "away")
    again = pipeline.build(turned, JANUARY)
    (turned.root / "away").rename(away)
    assert again.name == first.name and content(again) == stored
    assert pipeline.build(turned, JANUARY, JANUARY) == again
    seen = pipeline.build(turned, JANUARY, JANUARY + 1)
    assert seen.parent.name == "2019-01@2019-02" and content(again) == stored
    assert (table_of(turned, "OBSERVATIONS", JANUARY)["published"] <= JANUARY).all()


def test_january_of_the_next_year_has_its_own_plan_and_no_month_before_it(turned):
    pipeline.build(turned, JANUARY)
    p, t = table_of(turned, "PROJECTIONS", JANUARY), table_of(turned, "TARGETS", JANUARY)
    assert set(p["year"]) == set(t["year"]) == {2019} and table_of(turned, "WHY", JANUARY).empty
    own = p[(p["indicator"] == "patent_applications") & (p["region"] == "zone")].iloc[0]
    assert own["as_of"] == JANUARY and own["actual"] > 0 and 0 < own["probability"] < 1
    silent = p[(p["indicator"] == "external_funds_attracted") & (p["region"] == "zone")].iloc[0]
    assert np.isnan(silent["probability"]) and silent["verdict"] == "缺数据"


def test_the_year_that_is_over_is_closed_from_what_had_come(turned):
    pipeline.build(turned, JANUARY)
    catalog = catalogs.load(turned.reference, 2018)
    series, _ = indicators.series(table_of(turned, "OBSERVATIONS", JANUARY), catalog, JANUARY)
    p = project_targets(
        series, catalog.targets, DECEMBER, catalog, catalog.stages, catalog.batches
    ).projections
    zone = (
        closing.closing(p, series, catalog.stages, catalog)
        .query("region == 'zone'")
        .set_index("indicator")
    )
    row = zone.loc["patent_applications"]
    assert row["published"] == DECEMBER and row["status"] == (
        "完成" if row["actual"] > row["target_low"] else "未完成"
    )
    assert zone.loc["external_funds_attracted", "status"] == "待定"
