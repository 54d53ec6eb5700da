"""The ledger of promises: what is reached, overdue and missing at a month, by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.milestones import MilestoneError, ledger

SEPTEMBER = pd.Period("2018-09", "M")


@pytest.fixture(scope="module")
def catalog():
    return catalogs.load()


def target(id="m", region="zone", kind="milestone", **more) -> dict:
    return (
        dict(
            id=id,
            name_zh="事项",
            group="9",
            kind=kind,
            unit="项",
            comparator="done",
            target_low=1.0,
            commitment="firm",
            scope="zone",
            responsible="市科技局",
            responsible_basis="printed",
            year=2018,
            region=region,
            in_force_from="2018-01",
            demo=False,
        )
        | more
    )


def stage(no: int, date="", expected="2018-06", **more) -> dict:
    return (
        dict(
            id="m",
            region="zone",
            item="",
            stage=f"s{no}",
            stage_no=no,
            stage_zh=f"第{no}步",
            date=date,
            evidence="文件" if date else "",
            expected=expected,
            demo=True,
        )
        | more
    )


def made(stages: list[dict], *targets: dict, at=SEPTEMBER, catalog=None, **more):
    plan = tables.shape(list(targets) or [target()], tables.TARGETS)
    return ledger(
        tables.shape(stages, tables.MILESTONES), plan, at, catalog or catalogs.load(), **more
    )


def test_a_milestone_without_target_is_refused():
    with pytest.raises(MilestoneError, match="「x」不在目标表中"):
        made([stage(1, id="x")])


def test_a_promise_for_june_is_92_days_overdue_at_the_end_of_september():
    row = made([stage(1, "2018-04"), stage(2), stage(3, expected="2018-12")]).iloc[0]
    assert (
        row["overdue_days"] == 92
        and row["colour"] == "red"
        and (row["stages"], row["reached"]) == (3, 1)
    )
    assert (row["stage_zh"], str(row["date"]), row["evidence"]) == ("第1步", "2018-04", "文件")
    assert (row["next_zh"], str(row["expected"]), row["demo"]) == ("第2步", "2018-06", True)


@pytest.mark.parametrize(
    ("expected", "days", "colour"),
    [
        ("2018-12", -92, "green"),
        ("2018-11", -61, "green"),
        ("2018-10", -31, "yellow"),
        ("2018-09", 0, "yellow"),
        ("2018-08", 30, "red"),
        ("2018-07", 61, "red"),
        ("", None, "none"),
    ],
)
def test_the_colour_rule_counts_from_the_end_of_the_month_promised(expected, days, colour):
    row = made([stage(1, expected=expected)]).iloc[0]
    assert row["colour"] == colour and (
        row["overdue_days"] == days or days is None and pd.isna(row["overdue_days"])
    )


def test_another_colour_rule_is_data(catalog):
    rules = catalog.colours.assign(at_least=catalog.colours["at_least"].replace(1.0, 31.0))
    assert made([stage(1, expected="2018-08")], catalog=replace(catalog, colours=rules))[
        "colour"
    ].tolist() == ["yellow"]


def test_done_needs_every_stage_and_what_was_reached_later_is_not_known_yet():
    stages = [stage(1, "2018-04"), stage(2, "2018-10")]
    assert made(stages)["colour"].tolist() == ["red"]
    later = made(stages, at=pd.Period("2018-10", "M")).iloc[0]
    assert later["colour"] == "done" and pd.isna(later["overdue_days"]) and later["next_zh"] == ""


def test_a_stage_without_evidence_says_so_and_a_target_without_stages_too():
    assert made([stage(1, "2018-04", evidence="")])["evidence"].tolist() == ["缺佐证"]
    row = made([]).iloc[0]
    assert (row["colour"], row["colour_zh"], row["stages"]) == (
        "none",
        "未报节点或时限",
        0,
    ) and pd.isna(row["date"])


def test_each_named_item_has_a_row_of_its_own():
    found = made([stage(1, "2018-04", item="甲"), stage(1, item="乙")])
    assert found.set_index("item")["colour"].to_dict() == {"甲": "done", "乙": "red"}


def test_a_coverage_row_of_the_zone_names_the_parks_that_are_missing():
    dates = {
        "gaoxin": ("2018-02", "2018-05"),
        "muye": ("2018-03", ""),
        "hongqi": ("2018-03", "2018-12"),
    }
    stages = [
        stage(k, d, region=r) for r, reached in dates.items() for k, d in enumerate(reached, 1)
    ]
    found = made(
        stages,
        target(kind="coverage", unit="个园区"),
        target(region="muye", kind="coverage", unit="个园区"),
    )
    zone = found[found["region"] == "zone"].iloc[0]
    assert zone["missing"] == "经开区、平原示范区、红旗区、牧野区"
    assert (zone["stages"], zone["reached"], zone["colour"]) == (5, 1, "red")
    assert found[found["region"] == "muye"]["missing"].tolist() == [""]


def test_parks_without_stages_on_file_keep_a_coverage_row_from_being_done():
    zone = made(
        [stage(1, "2018-02", region="gaoxin")], target(kind="coverage", unit="个园区")
    ).iloc[0]
    assert (
        zone["colour"] == "none" and "牧野区" in zone["missing"] and "高新区" not in zone["missing"]
    )
    named = made([stage(1, "2018-02", region="gaoxin")], target(unit="个")).iloc[
        0
    ]  # asked of one park only
    assert named["colour"] == "done" and named["missing"] == ""


def test_rows_without_stages_take_who_is_missing_from_the_projection():
    missing = pd.DataFrame([dict(indicator="m", region="muye", item="牧野区")])
    said = [dict(indicator="m", region="zone", unit="个园区", actual=4.0, target_low=5.0)]
    row = made(
        [], target(kind="coverage", unit="个园区"), projections=pd.DataFrame(said), missing=missing
    )
    assert row["missing"].tolist() == ["牧野区"]


def test_targets_of_another_year_or_not_yet_in_force_or_of_another_kind_are_left_out():
    found = made(
        [],
        target(),
        target("n", in_force_from="2018-11"),
        target("o", year=2019),
        target("p", kind="flow"),
    )
    assert found["id"].tolist() == ["m"]


def test_the_shipped_stages_give_a_row_for_each_promise(catalog):
    found = ledger(catalog.stages, catalog.targets, SEPTEMBER, catalog)
    kinds = catalog.targets[catalog.targets["kind"].isin(["coverage", "milestone"])]
    assert list(found.columns) == tables.VINTAGE["PROMISES"].names and set(found["id"]) == set(
        kinds["id"]
    )
    assert not found.duplicated(["id", "region", "item"]).any()
    assert set(found["colour"]) <= set(catalog.colours["colour"])
    assert (found["demo"] | (found["stages"] == 0)).all()
