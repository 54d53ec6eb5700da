"""Published figures come down the line as they were printed, every row of them."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from zcqlib import tables
from zcqlib.catalog import REFERENCE, load
from zcqlib.published import (
    COLUMNS,
    PublishedError,
    missed_checkpoints,
    published_observations,
    read_published,
)

FOLDER = REFERENCE.parent / "published"
GIVEN = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def catalog():
    return load()


@pytest.fixture(scope="module")
def observations(catalog):
    return published_observations(FOLDER, catalog)


@pytest.fixture
def folder(tmp_path):
    for name in ("sources.csv", "xinxiang_targets.csv"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def pick(observations, end="", **wanted):
    keep = (
        observations["end"].astype(str) == end if end else pd.Series(True, index=observations.index)
    )
    for column, value in wanted.items():
        keep &= observations[column] == value
    return observations[keep]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",2018,3,", ",2018年,3,", "第 2 行:找到「2018年」「3」"),
        (",2018,3,", ",2018,三,", "找到「2018」「三」"),
        (",2018,3,", ",2018-13,3,", "第 2 行:找到「2018-13」"),
        (",xt1\n", ",xt999\n", "第 2 行:来源编号「xt999」不在 sources.csv"),
    ],
)
def test_a_row_that_cannot_be_placed_stops_with_file_and_line(folder, catalog, old, new, said):
    path = folder / "xinxiang_targets.csv"
    path.write_text(path.read_text("utf-8-sig").replace(old, new, 1), "utf-8")
    with pytest.raises(PublishedError, match=said):
        published_observations(folder, catalog)


def test_figures_of_no_indicator_of_the_catalog_are_left_out(folder, catalog):
    all_, path = len(published_observations(folder, catalog)), folder / "xinxiang_targets.csv"
    text = path.read_text("utf-8-sig")
    path.write_text(text.replace("target_rd_intensity", "target_moonbeams", 1), "utf-8")
    assert len(published_observations(folder, catalog)) == all_ - 1


def test_every_row_becomes_one_observation_of_the_agreed_shape(observations):
    tables.check(observations, tables.OBSERVATIONS)
    assert len(observations) == len(read_published(FOLDER))
    assert (observations["indicator"] != "").all() and not observations["demo"].any()
    assert not observations.duplicated(["file", "cell"]).any()


def test_the_given_files_come_back_with_all_eleven_columns():
    if not GIVEN.exists():
        pytest.skip("the given data files (shared/data) are not beside this checkout")
    given = pd.concat(pd.read_csv(p, dtype=str, keep_default_na=False) for p in GIVEN.glob("*.csv"))
    given["cumulative"] = given["cumulative"].map({"True": "1", "False": "0"})
    order = list(COLUMNS)
    ours = read_published(FOLDER)[order].sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(ours, given.sort_values(order, ignore_index=True))


def test_money_is_in_ten_thousand_yuan_and_what_was_printed_stays(observations):
    row = pick(observations, "2023-12", region="新乡市", indicator="gdp", measure="value").iloc[0]
    assert (row["value"], row["unit"], row["value_raw"], row["unit_raw"]) == (
        33_476_000,
        "万元",
        "3347.6",
        "亿元",
    )
    assert (row["basis"], str(row["start"]), row["decimals"], row["coverage"]) == (
        "year",
        "2023-01",
        1,
        "city",
    )


@pytest.mark.parametrize(
    ("wanted", "basis", "measure", "start"),
    [
        (
            {"indicator": "patent_grants", "region": "南通市", "measure": "value"},
            "ytd",
            "value",
            "2023-01",
        ),
        (
            {"indicator": "patent_grants", "region": "南通市", "measure": "yoy_pct"},
            "ytd",
            "yoy_pct",
            "2023-01",
        ),
        ({"indicator": "hightech_enterprises", "end": "2022-10"}, "eop", "value", "2022-10"),
        (
            {"indicator": "invention_patents_per_10k", "region": "河南", "end": "2019-12"},
            "eop",
            "value",
            "2019-12",
        ),
        (
            {"indicator": "rd_intensity", "region": "全国", "end": "2017-12"},
            "year",
            "value",
            "2017-01",
        ),
        ({"indicator": "utility_patents_granted", "end": "1976-01"}, "month", "value", "1976-01"),
        ({"indicator": "patent_applications", "measure": "target"}, "year", "target", "2018-01"),
        (
            {"indicator": "hightech_enterprises", "measure": "target", "end": "2018-12"},
            "eop",
            "target",
            "2018-12",
        ),
        (
            {"indicator": "gdp", "measure": "yoy_pct", "region": "新乡片区核心区"},
            "year",
            "yoy_pct",
            "2021-01",
        ),
    ],
)
def test_span_and_kind_of_a_figure_follow_from_period_and_indicator(
    observations, wanted, basis, measure, start
):
    row = pick(observations, **wanted).iloc[0]
    assert (row["basis"], row["measure"], str(row["start"])) == (basis, measure, start)


def test_published_is_the_month_of_the_source_or_the_last_of_the_period(observations):
    dated = pick(observations, "2022-12", region="河南", indicator="rd_expenditure")
    assert set(dated["published"].astype(str)) == {"2022-12", "2023-09"}


def test_the_three_areas_with_like_names_keep_their_own(observations):
    assert {"郑洛新三市", "郑洛新自创区", "郑洛新自创区核心区"} <= set(observations["region"])
    assert not set(observations["region"]) & {"zone", "city", "gaoxin"}


def test_a_counter_that_is_not_the_indicators_own_is_flagged_and_kept(observations):
    flagged = observations[observations["flags"] == "unit_conflict"]
    assert flagged[["indicator", "unit"]].to_numpy().tolist() == [["tech_contract_count", "份"]]


def test_the_two_long_monthly_series_have_no_gap(observations):
    for region, indicator, months in (
        ("United States (USPTO)", "utility_patents_granted", 564),
        ("US", "business_applications", 222),
    ):
        ends = pick(observations, region=region, indicator=indicator)["end"]
        assert len(ends) == months and (ends.max() - ends.min()).n == months - 1


def test_types_of_patents_add_up_to_all_patents_in_every_province_and_year(observations):
    wide = observations[(observations["file"] == "province_innovation_annual.csv")].pivot_table(
        index=["region", "end"], columns="indicator", values="value"
    )
    for end in ("applications", "grants"):
        parts = wide[[f"invention_patent_{end}", f"utility_model_{end}", f"design_{end}"]].dropna()
        assert (parts.sum(axis=1) == wide.loc[parts.index, f"patent_{end}"]).all() and len(
            parts
        ) > 160


def test_june_to_date_less_june_is_may_to_date_in_every_county_of_jilin(observations):
    county = observations[
        (observations["file"] == "jilin_patents.csv")
        & (observations["indicator"] == "patent_grants")
        & (observations["measure"] == "value")
    ]
    wide = county.assign(key=county["basis"] + county["end"].astype(str)).pivot_table(
        index="region", columns="key", values="value"
    )
    whole = wide[["ytd2013-06", "month2013-06", "ytd2013-05"]].dropna()
    assert (
        len(whole) == 44
        and (whole["ytd2013-06"] - whole["month2013-06"] == whole["ytd2013-05"]).all()
    )


def test_checkpoints_of_every_source_come_out_of_the_observations(observations, catalog):
    assert len(catalog.checkpoints) >= 15 and missed_checkpoints(observations, catalog) == []
    for c in catalog.checkpoints.itertuples():
        assert catalog.unit(c.indicator) == c.unit, c.indicator
    key = ["region", "indicator", "basis"]
    covered = observations.merge(
        catalog.checkpoints[[*key, "period", "value"]], on=[*key, "value"]
    )["file"]
    assert set(covered) == {p.name for p in FOLDER.glob("*.csv")} - {
        "sources.csv",
        "xinxiang_targets.csv",
    }


def test_a_checkpoint_that_does_not_come_out_is_said_with_both_numbers(observations, catalog):
    wrong = observations.assign(
        value=observations["value"].where(observations["value_raw"] != "74373", 74372.0)
    )
    (said,) = missed_checkpoints(wrong, catalog)
    assert "得到 74372" in said and "公布数为 74373 件" in said


def test_the_folder_stays_small():
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) < 2_500_000
