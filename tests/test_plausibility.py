"""What only shows beside other reports: parks against the department, figures unlike their past, cells left blank."""

from dataclasses import replace

import pandas as pd
import pytest
from observations_made import MONEY, PARKS, codes, fact, month, observations, ytd

from zcqlib import indicators
from zcqlib.catalog import load
from zcqlib.indicators import consolidate


@pytest.fixture(scope="module")
def catalog():
    return load()


def doubts(frame, catalog, as_of=None):
    """Problems only."""
    return indicators.check_plausibility(consolidate(frame, catalog, as_of), catalog)[1]


def five(values, **more):
    return [
        fact(v, region=p, cell=f"B{i}", **more)
        for i, (p, v) in enumerate(zip(PARKS, values, strict=True), 5)
    ]


def of_department(value, **more):
    return fact(value, region="zone", sender="zscqj", cell="B10", is_total=True, **more)


# --- the parks' own reports against the department's table ----------------------------------------------------------


def test_the_five_parks_own_reports_must_make_the_departments_total(catalog):
    found = doubts(observations(*five([5, 4, 3, 2, 1]), of_department(14)), catalog)
    assert codes(found) == [("total_mismatch", "warning")]
    row = found.iloc[0]
    assert (row["sender"], row["cell"]) == ("zscqj", "B10")
    assert "合计为 14件" in row["message"] and "相差 +1" in row["message"]
    assert "之和为 15(高新区 5、经开区 4、平原示范区 3、红旗区 2、牧野区 1" in row["message"]
    assert doubts(observations(*five([5, 4, 3, 2, 1]), of_department(15)), catalog).empty


def test_the_latest_figure_of_each_park_counts(catalog):
    rows = [
        *five([5, 4, 3, 2, 1]),
        fact(6, region="gaoxin", published="2018-06"),
        of_department(16),
    ]
    assert doubts(observations(*rows), catalog).empty


@pytest.mark.parametrize(
    ("total", "wrong"), [(150.3, False), (150.31, True), (149.7, False), (149.69, True)]
)
def test_across_files_each_figure_may_be_rounded_by_half_a_unit_of_its_last_decimal(
    catalog, total, wrong
):
    rows = five([50, 40, 30, 20, 10], indicator=MONEY, decimals=1)
    found = doubts(observations(*rows, of_department(total, indicator=MONEY, decimals=1)), catalog)
    assert (len(found) == 1) is wrong  # 6 figures of one decimal: 0.3


def test_a_park_that_did_not_report_leaves_the_departments_total_unchecked(catalog):
    found = doubts(observations(*five([5, 4, 3, 2, 1])[:4], of_department(20)), catalog)
    assert (
        codes(found) == [("total_unchecked", "info")]
        and "牧野区没有自报数" in found["message"].item()
    )


def test_a_park_that_no_longer_belongs_is_not_waited_for(catalog):
    left = catalog.membership.copy()
    left.loc[left["region"] == "muye", "end"] = month("2018-04")
    found = doubts(
        observations(*five([5, 4, 3, 2, 1])[:4], of_department(14)),
        replace(catalog, membership=left),
    )
    assert found.empty


def test_rates_are_not_added_up_across_files(catalog):
    more = dict(indicator="rd_intensity", unit="%", decimals=1)
    assert doubts(
        observations(*five([3, 2, 2, 1, 1], **more), of_department(2.2, **more)), catalog
    ).empty


# --- figures unlike their own past ----------------------------------------------------------------------------------


def line(values, last, indicator=MONEY, **more):
    """Fourteen usual months and then the month in question."""
    ends = pd.period_range("2017-04", "2018-05", freq="M").astype(str)
    rows = [
        fact(v, e, indicator=indicator, published="2018-05", cell=f"B{i}", **more)
        for i, (e, v) in enumerate(zip(ends, values, strict=True))
    ]
    return [*rows, fact(last, "2018-06", indicator=indicator, cell="B20", **more)]


USUAL = [1000.0 + 37 * (i % 5) for i in range(14)]


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (100.0, "100 倍"),
        (10.0, "10 倍"),
        (1e-2, "1/100"),
        (1e-1, "1/10"),
    ],
)
def test_a_power_of_ten_from_its_own_history_is_asked_for_and_not_corrected(catalog, factor, said):
    frame = observations(*line(USUAL, 1070 * factor, decimals=4))
    found = doubts(frame, catalog)
    assert codes(found) == [("unit_suspect", "warning")] and said in found["message"].item()
    assert consolidate(frame, catalog).current["value"].max() == frame["value"].max()


def test_another_jump_is_an_outlier_with_the_range_expected_and_the_note_beside_it(catalog):
    frame = observations(*line(USUAL, 4000.0))
    found = doubts(frame, catalog)
    assert codes(found) == [("outlier", "warning")] and found["cell"].item() == "B20"
    assert "应在" in found["message"].item() and "4000万元" in found["message"].item()
    noted = observations(
        *line(USUAL, 4000.0)[:-1], line(USUAL, 4000.0)[-1] | {"flags": "note:含上年结转"}
    )
    assert "含上年结转" in doubts(noted, catalog)["message"].item()


@pytest.mark.parametrize("last", [620.0, 1100.0, 1900.0, 0.0])
def test_what_months_usually_do_is_no_outlier(catalog, last):
    assert doubts(observations(*line(USUAL, last)), catalog).empty


def test_small_counts_jump_by_chance(catalog):
    few = [1, 0, 2, 1, 1, 0, 3, 1, 0, 1, 2, 1, 0, 1]
    assert doubts(observations(*line(few, 8, indicator="new_incubators", unit="家")), catalog).empty
    assert (
        len(doubts(observations(*line(few, 80, indicator="new_incubators", unit="家")), catalog))
        == 1
    )


def test_too_short_a_history_says_nothing(catalog):
    assert doubts(observations(*line(USUAL, 1e7)[-5:]), catalog).empty


def test_a_cumulative_figure_is_looked_at_as_a_rate_a_month(catalog):
    rows = [
        ytd(1000.0 * m, f"2017-{m:02d}", indicator=MONEY, published="2018-01", cell=f"B{m}")
        for m in range(1, 13)
    ]
    assert doubts(
        observations(*rows, ytd(1000.0, "2018-01", indicator=MONEY, cell="B20")), catalog
    ).empty
    slip = doubts(observations(*rows, ytd(1e5, "2018-01", indicator=MONEY, cell="B20")), catalog)
    assert codes(slip) == [("unit_suspect", "warning")]


# --- cells left blank (trait 88) ------------------------------------------------------------------------------------


def months_table(published, blank=()):
    """A sheet of two indicators by three months; `blank` cells are empty in it."""
    rows = []
    for row, indicator in ((5, "patent_applications"), (6, "patent_grants")):
        for column, end, value in (
            ("B", "2018-01", 10),
            ("C", "2018-02", 20),
            ("D", "2018-03", 30),
        ):
            if f"{column}{row}" not in blank:
                rows.append(
                    fact(
                        value + row,
                        end,
                        indicator=indicator,
                        published=published,
                        cell=f"{column}{row}",
                        unit="件",
                    )
                )
    return rows


@pytest.mark.parametrize("cell", ["B5", "C5", "D6"])
def test_a_cell_left_empty_in_a_later_report_keeps_the_old_figure_and_is_asked_about_trait_88(
    catalog, cell
):
    frame = observations(*months_table("2018-03"), *months_table("2018-04", [cell]))
    found = doubts(frame, catalog)
    assert codes(found) == [("withdrawn", "warning")] and found["cell"].item() == cell
    assert found["published"].item() == month("2018-04")
    assert len(consolidate(frame, catalog).current) == 6


def test_a_later_report_that_never_had_the_month_withdraws_nothing(catalog):
    later = [r for r in months_table("2018-04") if r["end"] == "2018-03"]
    assert doubts(observations(*months_table("2018-03"), *later), catalog).empty


def test_a_cell_that_was_never_filled_is_no_withdrawal(catalog):
    frame = observations(*months_table("2018-03", ["C5"]), *months_table("2018-04", ["C5"]))
    assert doubts(frame, catalog).empty


def test_doubts_depend_on_what_was_known_and_not_on_the_order_of_files(catalog):
    rows = [
        *line(USUAL, 4000.0),
        *five([5, 4, 3, 2, 1]),
        of_department(14),
        *months_table("2018-03"),
        *months_table("2018-04", ["C5"]),
    ]
    frame = observations(*rows)
    found = doubts(frame, catalog)
    assert len(found) == 3
    pd.testing.assert_frame_equal(doubts(frame.sample(frac=1, random_state=3), catalog), found)
    assert len(doubts(frame, catalog, month("2018-05"))) == 2
    assert doubts(frame.iloc[:0], catalog).empty


# --- the range expected of a cell -----------------------------------------------------------------------------------


def test_the_range_expected_of_a_cell_is_in_the_senders_own_unit_also_where_the_figure_is_missing(
    catalog,
):
    rows = line(USUAL, float("nan"))
    rows[-1] |= dict(unit_raw="亿元", missing_reason="not_reported")
    table, problems = indicators.check_plausibility(observations(*rows), catalog)
    assert problems.empty and table[["cell", "unit"]].to_numpy().tolist() == [["B20", "亿元"]]
    low, high = table[["low", "high"]].to_numpy()[0]
    assert (
        0.04 < low < 0.1 < high < 0.25
    )  # 1,000 to 1,148 万元 a month, by six deviations of a tenth at least
    assert low * high == pytest.approx((1074 / 1e4) ** 2, rel=0.05)
