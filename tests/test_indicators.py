"""One figure for each fact, months out of cumulative figures, totals and ratios: examples by hand, then laws."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observations_made import COUNT, MONEY, PARKS, codes, fact, month, observations, spans, ytd

from zcqlib import indicators, pipeline, tables
from zcqlib.catalog import REFERENCE, check_reference, load
from zcqlib.indicators import CorrectionError, consolidate, monthly_from_cumulative, series, to_date
from zcqlib.tables import OBSERVATIONS, SERIES

loaded = cache(load)


@pytest.fixture
def catalog():
    return loaded()


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_two_figures_without_an_order_are_a_conflict_and_neither_is_used_trait_86(catalog):
    known = consolidate(observations(fact(95, file="a.xls"), fact(96, file="b.xls")), catalog)
    assert known.current.empty
    assert codes(known.problems) == [("conflict", "error")] * 2
    assert set(known.history["state"]) == {"conflict"}
    assert all("95(a.xls" in m and "96(b.xls" in m for m in known.problems["message"])


def test_a_figure_contested_in_the_latest_report_does_not_fall_back_to_an_older_one(catalog):
    known = consolidate(
        observations(
            fact(60, published="2018-05"),
            fact(58, published="2018-06", cell="B3"),
            fact(59, published="2018-06", cell="C3"),
        ),
        catalog,
    )
    assert known.current.empty and ("conflict", "error") in codes(known.problems)


def test_two_departments_that_disagree_in_one_month_are_a_conflict_and_not_decided_by_name(catalog):
    known = consolidate(observations(fact(95, sender="kjj"), fact(93, sender="tjj")), catalog)
    assert known.current.empty and codes(known.problems) == [("conflict", "error")] * 2


def correction(**more):
    row = dict(
        file="gaoxin2018-05-1.xlsx",
        sheet="月报",
        cell="B2",
        found="950",
        value=95.0,
        unit="",
        reason="多写一个零",
        who="高新区",
        day=pd.Timestamp("2018-06-10"),
    )
    return pd.DataFrame([row | more])


def test_a_correction_stops_the_run_once_its_source_has_changed(catalog):
    fixed = replace(catalog, corrections=correction())
    assert consolidate(observations(fact(950)), fixed).current["value"].tolist() == [95]
    with pytest.raises(CorrectionError, match="950.*现在源文件是「95」"):
        consolidate(observations(fact(95)), fixed)
    with pytest.raises(CorrectionError, match="没有数据"):
        consolidate(observations(fact(950, cell="B3")), fixed)
    with pytest.raises(CorrectionError, match="单位"):
        consolidate(observations(fact(950)), replace(catalog, corrections=correction(unit="万件")))


def test_a_correction_is_visible_and_waits_for_its_file(catalog):
    fixed = replace(catalog, corrections=correction())
    assert consolidate(observations(fact(950)), fixed).current["flags"].tolist() == [
        "corrected:多写一个零(高新区)"
    ]
    assert consolidate(observations(fact(7, file="other.xlsx")), fixed).current[
        "value"
    ].tolist() == [7]


def resolution(**more):
    row = dict(
        region="gaoxin",
        indicator=COUNT,
        start=month("2018-05"),
        end=month("2018-05"),
        basis="month",
        measure="value",
        file="b.xls",
        value=96.0,
        reason="电话核实",
        who="张",
        day=pd.Timestamp("2018-06-10"),
    )
    return pd.DataFrame([row | more])


def test_a_resolution_settles_a_conflict_and_expires_loudly(catalog):
    both = observations(fact(95, file="a.xls"), fact(96, file="b.xls"))
    settled = consolidate(both, replace(catalog, resolutions=resolution()))
    assert settled.current["value"].tolist() == [96] and codes(settled.problems) == []
    assert sorted(settled.history["state"]) == ["current", "superseded"]
    with pytest.raises(CorrectionError, match="b.xls 的 97"):
        consolidate(both, replace(catalog, resolutions=resolution(value=97.0)))


def test_a_resolution_whose_conflict_is_gone_asks_to_be_taken_out(catalog):
    agreed = observations(fact(96, file="a.xls"), fact(96, file="b.xls"))
    with pytest.raises(CorrectionError, match="矛盾已经消除:请删去这一条"):
        consolidate(agreed, replace(catalog, resolutions=resolution()))
    later = observations(
        fact(95, file="a.xls"), fact(96, file="b.xls"), fact(97, published="2018-06")
    )
    settled = consolidate(
        later, replace(catalog, resolutions=resolution())
    )  # a revision later takes nothing back
    assert settled.current["value"].tolist() == [97]
    then = consolidate(later, replace(catalog, resolutions=resolution()), month("2018-05"))
    assert then.current["value"].tolist() == [96]


def test_a_correction_without_a_value_takes_the_figure_out_and_keeps_it_in_sight(catalog):
    known = consolidate(
        observations(fact(950)), replace(catalog, corrections=correction(value=float("nan")))
    )
    assert known.current.empty and known.history["flags"].str.startswith("corrected:").all()
    assert known.history["missing_reason"].tolist() == ["not_reported"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "corrections.csv|a.xlsx,月报,B2,950,九十五,件,多写零,高新区,20180610",
            "corrections.csv 第 2 行「value」列:找到「九十五」",
        ),
        (
            "corrections.csv|a.xlsx,月报,B2,950,95,件,,高新区,20180610",
            "第 2 行「reason」列:找到「空白」",
        ),
        (
            "corrections.csv|a.xlsx,月报,B2,950,95,件,多写一个零,,20180610",
            "第 2 行「who」列:找到「空白」",
        ),
        (
            "corrections.csv|a.xlsx,月报,B2,950,95,件,多写零,高新区,2018-06-10",
            "第 2 行「day」列:找到「2018-06-10」",
        ),
        (
            "resolutions.csv|gaoxin,patent_aplications,201805,201805,month,value,b.xls,96,电话核实,张,20180610",
            "resolutions.csv 第 2 行「indicator」列:找到「patent_aplications」",
        ),
        (
            "resolutions.csv|gaoxin,patent_applications,201805,201805,moth,value,b.xls,96,电话核实,张,20180610",
            "第 2 行「basis」列:找到「moth」",
        ),
        (
            "resolutions.csv|gaoxin,patent_applications,5月,201805,month,value,b.xls,96,电话核实,张,20180610",
            "第 2 行「start」列:找到「5月」",
        ),
    ],
)
def test_a_bad_row_of_corrections_or_resolutions_is_named_by_file_line_and_column(
    tmp_path, row, said
):
    folder = shutil.copytree(REFERENCE, tmp_path / "reference")
    name, line = row.split("|")
    with open(folder / name, "a", encoding="utf-8") as fh:
        fh.write(line + "\n")
    assert [f for f in map(str, check_reference(folder)) if said in f]


def test_rows_of_corrections_and_resolutions_work_from_their_files(tmp_path):
    folder = shutil.copytree(REFERENCE, tmp_path / "reference")
    with open(folder / "corrections.csv", "a", encoding="utf-8") as fh:
        fh.write("gaoxin2018-05-1.xlsx,月报,B2,950,95,件,多写一个零,高新区,20180610\n")
    with open(folder / "resolutions.csv", "a", encoding="utf-8") as fh:
        fh.write(
            "jingkai,patent_applications,201805,201805,month,value,b.xls,96,电话核实,张,20180610\n"
        )
    both = [fact(95, file="a.xls", region="jingkai"), fact(96, file="b.xls", region="jingkai")]
    known = consolidate(observations(fact(950), *both), load(folder))
    assert sorted(known.current["value"]) == [95, 96] and codes(known.problems) == []


def test_a_resolution_picks_by_value_where_one_file_holds_both(catalog):
    both = observations(fact(95, file="b.xls", cell="B2"), fact(96, file="b.xls", cell="B9"))
    assert consolidate(both, replace(catalog, resolutions=resolution())).current[
        "value"
    ].tolist() == [96]


# --- one figure a fact (traits 83 to 89) ----------------------------------------------------------------------------


def test_the_same_fact_twice_with_one_value_is_one_observation_and_both_places_are_kept_trait_83(
    catalog,
):
    known = consolidate(observations(fact(95, cell="B2"), fact(95, cell="F9")), catalog)
    assert known.current["value"].tolist() == [95] and known.problems.empty
    assert sorted(known.history["state"]) == ["current", "duplicate"]


def test_a_figure_shown_with_fewer_decimals_is_the_same_figure_and_the_finer_one_stands(catalog):
    twice = observations(
        fact(62.73, indicator=MONEY, decimals=2), fact(63, indicator=MONEY, cell="C9")
    )
    known = consolidate(twice, catalog)
    assert known.current["value"].tolist() == [62.73] and known.problems.empty


def test_a_byte_identical_file_is_not_counted_twice_trait_83(catalog):
    copy = tables.shape(
        [
            fact(95, file="a.xls"),
            fact(95, file="b.xls") | {"obs_id": fact(95, file="a.xls")["obs_id"]},
        ],
        OBSERVATIONS,
    )
    known = consolidate(copy, catalog)
    assert (
        len(known.history) == 1 and known.problems.empty
    )  # the copy is named where files are read


def test_the_later_report_wins_and_the_earlier_value_stays_in_the_history_trait_84(catalog):
    known = consolidate(observations(fact(60), fact(58, published="2018-06")), catalog)
    assert known.current["value"].tolist() == [58]
    assert codes(known.problems) == [("revised", "info")]
    message = known.problems["message"].iloc[0]
    assert "60" in message and "58" in message and "gaoxin2018-06-1.xlsx" in message
    assert set(zip(known.history["value"], known.history["state"], strict=True)) == {
        (60, "superseded"),
        (58, "current"),
    }


def test_within_a_month_the_later_submission_wins_trait_85(catalog):
    known = consolidate(observations(fact(60, submission=1), fact(58, submission=2)), catalog)
    assert known.current["value"].tolist() == [58] and codes(known.problems) == [
        ("revised", "info")
    ]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["6月报表.xls", "6月报表-修订.xls"], [1, 2]),
        (["6月报表（更正）.xls", "6月报表.xls", "6月报表(初步).xls"], [3, 2, 1]),
        (["6月快报.xls", "6月最终.xls", "6月正式.xls"], [1, 2, 2]),
        (["6月报表v2.xls", "6月报表v10.xls", "6月报表.xls"], [2, 3, 1]),
        (["6月报表第二版.xls", "6月报表第三版.xls"], [1, 2]),
        (["6月报表.xls", "6月报表(1).xls", "6月报表 (2).xls", "6月报表（3）.xls"], [1, 1, 1, 1]),
        (["6月报表(1)-修订.xls", "6月报表(1).xls"], [2, 1]),
    ],
)
def test_the_words_of_a_file_name_order_submissions_and_a_download_counter_does_not_trait_85(
    catalog, names, order
):
    frame = pipeline.submissions([Path(f"高新区{n}") for n in names], month("2018-06"), catalog)
    assert frame["submission"].tolist() == order


def test_a_department_outweighs_a_park_even_where_the_park_reports_later_trait_87(catalog):
    both = observations(fact(95, sender="gaoxin", published="2018-06"), fact(93, sender="zscqj"))
    known = consolidate(both, catalog)
    assert known.current["value"].tolist() == [93]
    assert codes(known.problems) == [("source_disagrees", "warning")]
    assert "95" in known.problems["message"].iloc[0] and "93" in known.problems["message"].iloc[0]


def test_precedence_is_set_per_indicator_trait_87(catalog):
    event = "tech_exchange_events"
    assert catalog.indicators[event].source_precedence == "park"
    both = observations(
        fact(3, indicator=event, sender="gaoxin"), fact(2, indicator=event, sender="kjj")
    )
    known = consolidate(both, catalog)
    assert known.current["value"].tolist() == [3]


def test_a_figure_left_blank_later_stays_and_is_asked_about_trait_88(catalog):
    gone = fact(float("nan"), published="2018-06", missing_reason="not_reported")
    known = consolidate(observations(fact(60), gone), catalog)
    assert known.current["value"].tolist() == [60] and codes(known.problems) == [
        ("withdrawn", "warning")
    ]


def test_a_dash_with_a_note_takes_the_figure_out_of_the_current_view_but_not_out_of_the_history_trait_88(
    catalog,
):
    gone = fact(
        float("nan"), published="2018-06", missing_reason="not_applicable", flags="note:项目取消"
    )
    known = consolidate(observations(fact(60), gone), catalog)
    assert known.current.empty
    assert known.history.set_index("value")["state"][60] == "withdrawn"
    assert consolidate(observations(fact(60), gone), catalog, month("2018-05")).current[
        "value"
    ].tolist() == [60]


def test_a_series_revised_at_once_is_summed_up_in_one_line_trait_89(catalog):
    old = [fact(100, f"2017-{m:02d}", published="2017-12", cell=f"B{m}") for m in range(1, 11)]
    new = [fact(100 + m, f"2017-{m:02d}", published="2018-06", cell=f"B{m}") for m in range(1, 11)]
    found = consolidate(observations(*old, *new), catalog).problems
    assert found["code"].value_counts().to_dict() == {"revised": 10, "revised_many": 1}
    assert "10 个数" in found.set_index("code")["message"]["revised_many"]
    assert "10.0%" in found.set_index("code")["message"]["revised_many"]


def test_what_each_report_adds_is_counted_as_new_equal_revised_or_in_conflict(catalog):
    rows = [
        fact(60, "2018-04", cell="B4"),
        fact(70, "2018-05", published="2018-05", cell="B5"),
        fact(60, "2018-04", published="2018-05", cell="B4"),
        fact(71, "2018-05", published="2018-06", cell="B5"),
        fact(80, "2018-06", cell="B6"),
        fact(81, "2018-06", cell="C6"),
        fact(
            float("nan"), "2018-04", published="2018-06", cell="B4", missing_reason="not_reported"
        ),
    ]
    frame = observations(*rows).sample(frac=1, random_state=1)
    table = indicators.tally(consolidate(frame, catalog).history).set_index("published")
    numbers = table[["new", "equal", "revised", "conflict"]].to_numpy().tolist()
    assert numbers == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 2]]


def test_labels_that_the_catalog_does_not_know_keep_their_own_facts_apart(catalog):
    a = fact(1, region="", cell="B2", sender="gaoxin") | {"region_raw": "甲镇"}
    b = fact(2, region="", cell="B3", sender="gaoxin") | {"region_raw": "乙镇"}
    assert consolidate(observations(a, b), catalog).current["value"].tolist() == [1, 2]


# --- from cumulative to monthly (section 6) -------------------------------------------------------------------------


def test_january_and_february_together_are_one_span(catalog):
    rows = [ytd(v, f"2018-0{m}") for m, v in ((2, 30), (3, 52), (4, 70))]
    months, problems = monthly_from_cumulative(observations(*rows), catalog)
    assert spans(months) == [
        ("2018-01", "2018-02", 30),
        ("2018-03", "2018-03", 22),
        ("2018-04", "2018-04", 18),
    ]
    assert months["months"].tolist() == [2, 1, 1] and problems.empty


def test_a_fall_keeps_its_negative_month_and_names_both_cells(catalog):
    rows = [
        ytd(v, f"2018-0{m}", indicator=MONEY, cell=f"B{m}") for m, v in ((1, 10), (2, 25), (3, 24))
    ]
    months, problems = monthly_from_cumulative(observations(*rows), catalog)
    assert spans(months)[-1] == ("2018-03", "2018-03", -1)
    assert codes(problems) == [("ytd_decrease", "warning")]
    assert "B3" in problems["message"].iloc[0] and "B2" in problems["message"].iloc[0]


def test_a_fall_within_rounding_or_of_what_can_fall_is_only_noted(catalog):
    small = [ytd(v, f"2018-0{m}", indicator=MONEY, decimals=0) for m, v in ((1, 25.4), (2, 25.0))]
    months, problems = monthly_from_cumulative(observations(*small), catalog)
    assert spans(months)[-1][2] == pytest.approx(-0.4) and codes(problems) == [
        ("ytd_decrease", "info")
    ]
    tax = [ytd(v, f"2018-0{m}", indicator="public_budget_revenue") for m, v in ((1, 25), (2, 20))]
    assert codes(monthly_from_cumulative(observations(*tax), catalog)[1]) == [
        ("negative_month", "info")
    ]


def test_a_gap_gives_a_span_and_nothing_is_carried_over_the_year(catalog):
    rows = [ytd(v, e) for e, v in (("2017-12", 99), ("2018-04", 40), ("2018-06", 70))]
    months, _ = monthly_from_cumulative(observations(*rows), catalog)
    assert spans(months) == [
        ("2017-01", "2017-12", 99),
        ("2018-01", "2018-04", 40),
        ("2018-05", "2018-06", 30),
    ]


def test_a_stated_month_wins_for_the_month_and_what_does_not_fit_is_told(catalog):
    rows = [ytd(10, "2018-01"), ytd(25, "2018-02"), fact(16, "2018-02")]
    known, problems = monthly_from_cumulative(observations(*rows), catalog)
    months, revision = known[~known["revision"]], known[known["revision"]]
    assert spans(months) == [("2018-01", "2018-01", 10), ("2018-02", "2018-02", 16)]
    assert spans(revision) == [("2018-01", "2018-02", -1)]
    assert (
        codes(problems) == [("cum_mismatch", "warning")]
        and "相差 -1" in problems["message"].iloc[0]
    )


def test_rounded_figures_that_differ_by_rounding_fit(catalog):
    rows = [
        ytd(10, "2018-01", indicator=MONEY),
        ytd(25, "2018-02", indicator=MONEY),
        fact(16, "2018-02", indicator=MONEY),
    ]
    assert monthly_from_cumulative(observations(*rows), catalog)[1].empty


def test_a_stated_month_inside_a_gap_leaves_the_rest_to_the_other_months(catalog):
    rows = [ytd(40, "2018-04"), ytd(70, "2018-06"), fact(12, "2018-06")]
    assert spans(monthly_from_cumulative(observations(*rows), catalog)[0]) == [
        ("2018-01", "2018-04", 40),
        ("2018-05", "2018-05", 18),
        ("2018-06", "2018-06", 12),
    ]


def test_a_stated_month_in_the_middle_of_an_unknown_span_does_not_tear_it(catalog):
    months, problems = monthly_from_cumulative(
        observations(ytd(100, "2018-06"), fact(10, "2018-03")), catalog
    )
    assert spans(months) == [("2018-01", "2018-06", 100)] and codes(problems) == [
        ("span_unused", "info")
    ]


def test_a_quarter_that_crosses_two_cumulative_figures_is_left_out_and_said(catalog):
    crossing = fact(30, "2018-03", start="2018-02", basis="range")
    months, problems = monthly_from_cumulative(
        observations(crossing, ytd(5, "2018-02"), ytd(9, "2018-04")), catalog
    )
    assert spans(months) == [("2018-01", "2018-02", 5), ("2018-03", "2018-04", 4)]
    assert codes(problems) == [("span_unused", "info")]


def test_quarters_stand_as_spans_and_join_cumulative_figures(catalog):
    def quarter(value, start, end):
        return fact(value, end, start=start, basis="quarter")

    whole = [
        quarter(10, "2018-01", "2018-03"),
        quarter(20, "2018-04", "2018-06"),
        quarter(5, "2018-07", "2018-09"),
    ]
    assert spans(monthly_from_cumulative(observations(*whole), catalog)[0]) == [
        ("2018-01", "2018-03", 10),
        ("2018-04", "2018-06", 20),
        ("2018-07", "2018-09", 5),
    ]
    split = [ytd(50, "2018-06"), quarter(20, "2018-04", "2018-06")]
    assert spans(monthly_from_cumulative(observations(*split), catalog)[0]) == [
        ("2018-01", "2018-03", 30),
        ("2018-04", "2018-06", 20),
    ]
    alone = [quarter(20, "2018-04", "2018-06")]
    assert spans(monthly_from_cumulative(observations(*alone), catalog)[0]) == [
        ("2018-04", "2018-06", 20)
    ]


def test_a_missing_month_is_absent_and_never_zero(catalog):
    rows = [
        fact(10, "2018-01"),
        fact(float("nan"), "2018-02", missing_reason="not_reported"),
        fact(7, "2018-03"),
    ]
    months = monthly_from_cumulative(observations(*rows), catalog)[0]
    assert spans(months) == [("2018-01", "2018-01", 10), ("2018-03", "2018-03", 7)]
    assert to_date(months)["end"].astype(str).tolist() == ["2018-01"]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=12, max_size=12),
    st.sets(st.integers(1, 12)),
    st.randoms(use_true_random=False),
)
def test_months_add_up_to_every_cumulative_figure_and_order_changes_nothing(gains, stated, random):
    catalog = loaded()
    rows, total = [], 0
    for m, gain in enumerate(gains, 1):
        total += gain or 0
        if gain is not None:
            rows.append(ytd(total, f"2018-{m:02d}", cell=f"C{m}"))
            if m in stated and (m == 1 or gains[m - 2] is not None):
                rows.append(fact(gain, f"2018-{m:02d}", cell=f"B{m}"))
    if not rows:
        return
    frame = observations(*rows)
    months, problems = monthly_from_cumulative(frame, catalog)
    sums = months.sort_values(["end", "revision"]).groupby("end")["value"].sum().cumsum()
    for r in frame[frame["basis"] == "ytd"].itertuples():
        assert sums[r.end] == r.value
    assert not set(problems["code"]) & {"cum_mismatch", "ytd_decrease"}
    shuffled = frame.sample(frac=1, random_state=random.randrange(1000))
    assert monthly_from_cumulative(shuffled, catalog)[0].equals(months)


# --- series ---------------------------------------------------------------------------------------------------------


def parks(values, **more):
    return [fact(v, region=p, **more) for p, v in zip(PARKS, values, strict=True)]


def value(frame, region, indicator, end, months=1):
    hit = frame[
        (frame["region"] == region)
        & (frame["indicator"] == indicator)
        & (frame["end"] == month(end))
        & (frame["months"] == months)
    ]
    return hit["value"].item() if len(hit) else None


def test_the_zone_is_the_sum_of_five_parks_only_where_all_five_are_there(catalog):
    whole, _ = series(observations(*parks([5, 4, 3, 2, 1])), catalog)
    assert value(whole, "zone", COUNT, "2018-05") == 15
    short, _ = series(observations(*parks([5, 4, 3, 2, 1])[:4]), catalog)
    assert value(short, "zone", COUNT, "2018-05") is None


def test_the_zones_own_figure_is_not_replaced_by_a_sum(catalog):
    own = fact(16, region="zone", sender="zscqj", cell="B9")
    frame, _ = series(observations(*parks([5, 4, 3, 2, 1]), own), catalog)
    assert value(frame, "zone", COUNT, "2018-05") == 16


def test_a_park_that_puts_two_months_together_costs_the_zone_only_those_months(catalog):
    rows = [f for m in (1, 2, 3) for f in parks([5, 4, 3, 2, 1], end=f"2018-0{m}", cell=f"B{m}")]
    rows = [r for r in rows if r["region"] != "muye"]
    rows += [ytd(2, "2018-02", region="muye"), ytd(3, "2018-03", region="muye")]
    frame, _ = series(observations(*rows), catalog)
    zone = frame[(frame["region"] == "zone") & (frame["indicator"] == COUNT)]
    assert spans(zone) == [("2018-01", "2018-02", 30), ("2018-03", "2018-03", 15)]


def test_a_zone_figure_for_two_months_together_is_not_counted_again_by_the_parks_months(catalog):
    rows = [f for m in (1, 2) for f in parks([5, 4, 3, 2, 1], end=f"2018-0{m}", cell=f"B{m}")]
    frame, _ = series(
        observations(*rows, ytd(33, "2018-02", region="zone", sender="zscqj")), catalog
    )
    zone = frame[(frame["region"] == "zone") & (frame["indicator"] == COUNT)]
    assert spans(zone) == [("2018-01", "2018-02", 33)]


def test_totals_follow_the_dates_of_membership(catalog):
    late = catalog.membership.copy()
    late.loc[late["region"] == "muye", "start"] = month("2018-05")
    moved = replace(catalog, membership=late)
    rows = [
        f for m in ("2018-04", "2018-05") for f in parks([5, 4, 3, 2, 1], end=m, cell="B" + m[-1])
    ]
    frame, _ = series(observations(*rows), moved)
    assert [value(frame, "zone", COUNT, m) for m in ("2018-04", "2018-05")] == [14, 15]


def test_stocks_stand_at_the_end_of_a_month_and_are_never_differenced(catalog):
    rows = [
        fact(v, e, basis="eop", indicator="valid_invention_patents", unit="件")
        for e, v in (("2018-04", 100), ("2018-05", 90))
    ]
    frame, problems = series(observations(*rows), catalog)
    assert (
        frame["value"].tolist() == [100, 90]
        and frame["months"].tolist() == [0, 0]
        and problems.empty
    )


def test_a_ratio_comes_from_sums_and_never_from_an_average_of_ratios(catalog):
    rows = [
        ytd(v, "2018-06", region=p, indicator=i)
        for p, rd, gdp in zip(PARKS, (30, 10, 5, 3, 2), (1000, 1000, 500, 300, 200), strict=True)
        for i, v in ((MONEY, rd), ("gdp", gdp))
    ]
    frame, _ = series(observations(*rows), catalog)
    assert value(frame, "gaoxin", "rd_intensity", "2018-06", 6) == pytest.approx(3)
    assert value(frame, "zone", "rd_intensity", "2018-06", 6) == pytest.approx(100 * 50 / 3000)


def test_patents_per_ten_thousand_people_use_the_last_known_population(catalog):
    rows = [
        fact(500, "2018-06", basis="eop", indicator="valid_invention_patents", unit="件"),
        fact(200_000, "2017-12", basis="eop", indicator="population", unit="人"),
    ]
    frame, _ = series(observations(*rows), catalog)
    assert value(frame, "gaoxin", "invention_patents_per_10k", "2018-06", 0) == pytest.approx(25)


def test_what_rests_on_made_up_figures_says_so_and_a_ratio_is_as_late_as_its_later_part(catalog):
    rows = [
        ytd(30, "2018-06", indicator=MONEY, demo=True),
        ytd(1000, "2018-06", indicator="gdp", published="2018-07"),
    ]
    ratio = series(observations(*rows), catalog)[0].set_index("indicator").loc["rd_intensity"]
    assert ratio["demo"] and ratio["published"] == month("2018-07")


def test_two_bases_are_never_joined_into_one_series(catalog):
    rows = [
        fact(5, "2018-04", region="hongqi"),
        fact(9, "2018-05", region="hongqi", coverage="zone_part"),
    ]
    frame, problems = series(observations(*rows), catalog)
    assert spans(frame) == [("2018-04", "2018-04", 5)] and codes(problems) == [
        ("basis_apart", "info")
    ]
    rows = [fact(5, "2016-12", demo=False), fact(9, "2018-05", demo=True)]
    frame, problems = series(observations(*rows), catalog)
    assert spans(frame) == [("2018-05", "2018-05", 9)] and codes(problems) == [
        ("basis_apart", "info")
    ]


def test_reported_growth_is_kept_as_reported_and_nominal_growth_is_computed_where_absent(catalog):
    said = ytd(8.5, "2018-05", indicator="hightech_value_added", measure="yoy_pct", decimals=1)
    sold = [
        ytd(v, e, indicator="tech_contract_value") for e, v in (("2017-05", 100), ("2018-05", 112))
    ]
    frame, _ = series(observations(said, *sold), catalog)
    assert value(frame, "gaoxin", "hitech_value_added_growth", "2018-05", 5) == 8.5
    assert value(frame, "gaoxin", "tech_contract_growth", "2018-05", 5) == pytest.approx(12)


def test_the_figure_to_date_is_the_stated_one_unless_a_month_was_revised_after_it(catalog):
    rows = [ytd(10, "2018-01"), ytd(26, "2018-02"), fact(15, "2018-02")]
    frame, _ = series(observations(*rows), catalog)
    assert to_date(frame)["value"].tolist() == [10, 26]
    revision = frame[frame["revision"]].iloc[0]
    assert (revision["value"], revision["months"], str(revision["start"])) == (1, 2, "2018-01")
    later = observations(*rows, fact(14, "2018-02", published="2018-03"))
    known = series(later, catalog)[0]
    assert not known["revision"].any() and to_date(known)["value"].tolist() == [10, 24]
    caught_up = observations(
        *rows, fact(14, "2018-02", published="2018-03"), ytd(40, "2018-03"), fact(9, "2018-03")
    )
    known = series(caught_up, catalog)[0]  # 40 - (10 + 14 + 9): February's own revision once
    assert known.loc[known["revision"], ["value", "months"]].to_numpy().tolist() == [[7, 3]]
    assert to_date(known)["value"].tolist() == [10, 24, 40]


def test_the_zone_takes_the_revisions_of_its_parks_once(catalog):
    rows = [f for m in (1, 2, 3) for f in parks([5, 4, 3, 2, 1], end=f"2018-0{m}", cell=f"B{m}")]
    rows += [ytd(12, "2018-02", cell="C2"), ytd(18, "2018-03", cell="C3")]  # 2 more, then 1 more
    known, _ = series(observations(*rows), catalog)
    zone = known[known["region"] == "zone"]
    assert zone[zone["revision"]][["value", "months"]].to_numpy().tolist() == [[2, 2], [1, 3]]
    assert zone[~zone["revision"]]["value"].tolist() == [15, 15, 15]
    sums = to_date(known)
    assert sums.loc[sums["region"] == "zone", "value"].tolist() == [15, 32, 48]


def ids(frame, region, indicator, end, revision=False):
    hit = frame[frame["region"].eq(region) & frame["indicator"].eq(indicator)]
    hit = hit[hit["end"].eq(month(end)) & hit["revision"].eq(revision)]
    return {i.split(":")[2] for i in hit["inputs"].item().split(";")}  # the cell


def test_a_value_names_the_observations_that_it_was_made_from(catalog):
    rows = [
        fact(10, "2018-01", cell="B1"),
        ytd(25, "2018-02", cell="C2"),
        ytd(45, "2018-03", cell="C3"),
    ]
    rows += [
        ytd(70, "2018-04", cell="C4"),
        fact(24, "2018-04", cell="B4"),
    ]
    known, _ = series(observations(*rows), catalog)
    assert ids(known, "gaoxin", COUNT, "2018-01") == {"B1"}
    assert ids(known, "gaoxin", COUNT, "2018-02") == {"C2", "B1"}
    assert ids(known, "gaoxin", COUNT, "2018-03") == {"C3", "C2"}
    assert ids(known, "gaoxin", COUNT, "2018-04", revision=True) == {"C4", "C3", "B4"}
    sums = to_date(known).set_index("end")["inputs"]
    cells = [{i.split(":")[2] for i in v.split(";")} for v in sums]
    assert cells[2:] == [{"C3"}, {"C4"}]  # what is added and taken away again is no part of a sum


def test_a_ratio_and_a_zone_total_name_the_observations_of_all_their_parts(catalog):
    rows = [
        ytd(v, "2018-06", region=p, indicator=i, cell=f"{c}{n}")
        for n, p in enumerate(PARKS)
        for i, v, c in ((MONEY, 30, "R"), ("gdp", 1000, "G"))
    ]
    known, _ = series(observations(*rows), catalog)
    assert ids(known, "zone", MONEY, "2018-06") == {f"R{n}" for n in range(5)}
    assert ids(known, "muye", "rd_intensity", "2018-06") == {"R4", "G4"}
    assert ids(known, "zone", "rd_intensity", "2018-06") == {
        f"{c}{n}" for c in "RG" for n in range(5)
    }


@st.composite
def cumulated(draw):
    """A year of one park told in single months, cumulative figures and quarters that need not agree, some restated."""
    rows = []
    for m in range(1, 13):
        end = f"2018-{m:02d}"
        later = st.sampled_from([end, f"2018-{min(12, m + draw(st.integers(1, 3))):02d}"])
        if draw(st.booleans()):
            rows.append(fact(draw(st.integers(0, 50)), end, cell=f"B{m}", published=draw(later)))
        if draw(st.booleans()):
            rows.append(ytd(draw(st.integers(0, 600)), end, cell=f"C{m}", published=draw(later)))
        if m % 3 == 0 and draw(st.integers(0, 3)) == 0:
            start = f"2018-{m - 2:02d}"
            value = draw(st.integers(0, 150))
            rows.append(fact(value, end, start=start, basis="quarter", cell=f"D{m}"))
    return rows


@settings(max_examples=12, deadline=None)
@given(cumulated())
def test_months_and_revisions_add_up_to_every_cumulative_figure_that_is_no_older_than_its_months(
    rows,
):
    if not rows:
        return
    catalog = loaded()
    frame = observations(*rows)
    known, _ = series(frame, catalog)
    tables.check(known, SERIES)
    own = known[known["indicator"] == COUNT]
    assert (own.loc[own["revision"], "start"].dt.month == 1).all()
    stated = frame[frame["basis"] == "ytd"]
    months = frame[frame["basis"] == "month"]
    sums = to_date(known).set_index("end")["value"]
    for r in stated.itertuples():
        inside = months[months["end"] <= r.end]
        if not (inside["published"] > r.published).any():
            assert own.loc[own["end"] <= r.end, "value"].sum() == pytest.approx(r.value)
            assert sums[r.end] == pytest.approx(r.value)
    for end, value in sums.items():
        assert own.loc[own["end"] <= end, "value"].sum() == pytest.approx(value)
    # a month that was stated stands as stated, wherever a single month stands
    singles = own[own["months"].eq(1) & ~own["revision"]].set_index("end")["value"]
    for r in months.itertuples():
        assert r.end not in singles or singles[r.end] == r.value


# --- growth (traits 74 and 75) --------------------------------------------------------------------------------------


def growth(catalog, indicator, rate, base=100.0, restated=None):
    rows = [
        ytd(112, "2018-06", indicator=indicator),
        ytd(base, "2017-06", indicator=indicator),
        ytd(rate, "2018-06", indicator=indicator, measure="yoy_pct", cell="D2", decimals=1),
    ]
    if restated is not None:
        rows.append(
            ytd(
                restated,
                "2017-06",
                indicator=indicator,
                flags="restated_base",
                published="2018-06",
                cell="C2",
            )
        )
    frame = observations(*rows)
    return indicators.growth(frame, series(frame, catalog)[0], catalog)


def test_stated_growth_that_the_levels_do_not_give_is_a_warning_only_in_current_prices_trait_74(
    catalog,
):
    table, problems = growth(catalog, "tech_contract_value", 15)
    assert table["from_levels"].item() == pytest.approx(12) and table["reported"].item() == 15
    assert codes(problems) == [("yoy_mismatch", "warning")]
    assert codes(growth(catalog, "hightech_value_added", 15)[1]) == [("yoy_mismatch", "info")]
    assert growth(catalog, "tech_contract_value", 12.3)[1].empty


def test_growth_uses_the_base_as_it_is_known_this_year_trait_75(catalog):
    table, problems = growth(catalog, "tech_contract_value", 12, base=98, restated=100)
    assert table["on_restated_base"].item() == pytest.approx(12) and table["base"].item() == 98
    assert codes(problems) == [("restated_base", "info")] and "98" in problems["message"].item()


# --- laws on random histories ---------------------------------------------------------------------------------------


@st.composite
def histories(draw):
    """Reports of two parks and a department over five months that restate earlier months at random."""
    rows = []
    for published in range(1, 6):
        for sender in ("gaoxin", "jingkai", "zscqj"):
            for end in range(1, published + 1):
                for region in ("gaoxin", "jingkai") if sender == "zscqj" else (sender,):
                    if end == published or draw(st.integers(0, 4)) == 0:
                        v = draw(st.integers(0, 3))
                        rows.append(
                            fact(
                                float("nan") if v == 3 else 10.0 * end + v,
                                f"2018-0{end}",
                                region=region,
                                sender=sender,
                                published=f"2018-0{published}",
                                cell=f"{'BC'[region == 'jingkai']}{end}",
                                missing_reason="not_reported" if v == 3 else "",
                            )
                        )
    return observations(*rows)


@settings(max_examples=6, deadline=None)
@given(histories(), st.integers(0, 99), st.integers(1, 5))
def test_order_repetition_and_later_reports_never_change_what_was_known(frame, seed, last):
    catalog, as_of, before = loaded(), month(f"2018-0{last}"), frame.copy()
    known, problems = series(frame, catalog, as_of)
    twice = pd.concat([frame, frame]).sample(frac=1, random_state=seed)
    again, told = series(twice, catalog, as_of)
    assert again.equals(known) and told.equals(problems)
    then, _ = series(frame[frame["published"] <= as_of], catalog)
    assert then.equals(known)
    assert frame.equals(before)
    tables.check(known, SERIES)
    said = frame.loc[frame["value"].notna() & (frame["published"] <= as_of), "value"]
    assert (
        known["value"].isin(said).all()
    )  # a figure never becomes another one, nor zero by being missing


@settings(max_examples=12, deadline=None)
@given(histories())
def test_every_observation_is_in_the_history_once_and_every_fact_has_at_most_one_current_figure(
    frame,
):
    known = consolidate(frame, loaded())
    assert sorted(known.history["obs_id"]) == sorted(frame["obs_id"])
    key = ["region", "indicator", "start", "end", "basis", "measure"]
    assert not known.current.duplicated(key).any()
    assert np.isfinite(known.current["value"]).all()
