"""The parks' ranks: what was due by now, what did not come, ties, intervals, what moved; by hand and by law."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.ranking import (
    Choices,
    RankingError,
    attainment,
    flips,
    leave_one_out,
    park_moves,
    period_months,
    period_of,
    score_parks,
)

NAN = float("nan")
PARKS = ["gaoxin", "jingkai", "pingyuan", "hongqi", "muye"]
ITEMS = {  # indicator → group, measure
    "patent_grants": ("1", "attainment_pct"),  # owed by the parks and by a bureau
    "top_talents": ("1", "attainment_pct"),  # owed by a bureau alone
    "policy_systems_complete": ("2", "share_done"),
}
DECEMBER = pd.Period("2018-12", "M")


def small(items=ITEMS, weights=(0.5, 0.5)) -> catalogs.Catalog:
    """Two groups, a few items and the real parks, senders and batches."""
    c = catalogs.load()
    of = pd.Series([g for g, _ in items.values()], list(items))
    rows = [
        (g, "group", "", f"组{g}", w) for g, w in zip("12", weights, strict=True) if g in set(of)
    ]
    rows += [(i, "indicator", g, i, 1 / of.eq(g).sum()) for i, g in of.items()]
    w = pd.DataFrame(rows, columns=["id", "level", "parent", "name_zh", "weight"])
    ends = {"attainment_pct": (50.0, 110.0), "share_done": (0.0, 100.0)}
    b = pd.DataFrame(
        [(i, m, *ends[m]) for i, (_, m) in items.items()],
        columns=["indicator", "measure", "low", "high"],
    )
    return replace(c, weights=w.assign(demo=False), bounds=b.assign(error_pct=2.0, demo=False))


def projected(actual: dict, month="2018-12", target=100.0, **more) -> pd.DataFrame:
    """PROJECTIONS by indicator and park; None is no target."""
    kinds = catalogs.load().indicators
    rows = [
        dict(
            region=r,
            indicator=i,
            year=2018,
            as_of=month,
            kind=kinds[i].kind,
            unit="件",
            actual=v,
            target_low=target,
            comparator="ge",
            level=0.8,
            verdict="尚有悬念",
            method="x",
            demo=False,
        )
        | more
        for i, values in actual.items()
        for r, v in zip(PARKS, values, strict=True)
        if v is not None
    ]
    return tables.shape(rows, tables.PROJECTIONS)


def months_of(values: dict, start="2017-01", months=1) -> pd.DataFrame:
    """SERIES: (region, indicator) → values month by month."""
    rows = [
        dict(
            region=r,
            indicator=i,
            start=m,
            end=m,
            months=months,
            value=float(v),
            unit="件",
            published=m,
            demo=False,
        )
        for (r, i), line in values.items()
        for m, v in zip(pd.period_range(start, periods=len(line), freq="M"), line, strict=True)
        if v == v
    ]
    return tables.shape(rows, tables.SERIES)


def done(p: pd.DataFrame, c, month="2018-12", **more) -> pd.DataFrame:
    return attainment(p, c, pd.Period(month, "M"), **more).set_index(["indicator", "region"])


def scored(p: pd.DataFrame, c=None, period="2018-12", **options):
    c = c or small()
    a = [attainment(p, c, m) for m in sorted(p["as_of"].unique())]
    return score_parks(pd.concat(a, ignore_index=True), c, period, **options)


def lines(found, measure="score", indicator="composite") -> pd.DataFrame:
    r = found.ranks
    return r[(r["measure"] == measure) & (r["indicator"] == indicator)].set_index("region")


YEAR = {
    "patent_grants": [110, 80, 50, 20, 300],
    "top_talents": [80, 80, 80, 80, 80],
    "policy_systems_complete": [100, 0, 100, 100, None],
}

# what was due by then ---------------------------------------------------------------------------


def test_a_flow_is_measured_by_the_season_of_all_parks_past_full_years():
    past = {(r, "patent_grants"): [2.0] * 9 + [0.0, 0.0, 18.0] for r in PARKS[:2]}
    past["gaoxin", "patent_grants"] = [4.0] * 12  # 36 of 48; with jingkai's 18 of 36: 54 of 84
    past["muye", "patent_grants"] = [100.0] * 11  # no full year
    s = months_of(past)
    p = projected({"patent_grants": [54, 27, 0, NAN, None]}, "2018-09", target=84.0)
    found = done(p, small(), "2018-09", series=s)
    assert found.loc["patent_grants", "value"].tolist() == pytest.approx(
        [100, 50, 0, NAN, NAN], nan_ok=True
    )
    few = months_of({("gaoxin", "patent_grants"): [0.0] * 11 + [11.0]})  # fewer than a year's dozen
    found = done(p, small(), "2018-09", series=few)
    assert found.at[("patent_grants", "gaoxin"), "value"] == pytest.approx(100 * 54 / 63)


def test_figures_that_revise_a_cumulative_are_no_months_of_the_season():
    s = months_of({("gaoxin", "patent_grants"): [10.0] * 12})
    extra = s.iloc[[5]].assign(start=s["start"].iloc[0], months=6, value=500.0)
    s = pd.concat([s.assign(revision=False), extra.assign(revision=True)], ignore_index=True)
    p = projected({"patent_grants": [50] * 5}, "2018-06")
    assert done(p, small(), "2018-06", series=s)["value"].dropna().tolist() == [100.0] * 5


def test_a_batch_of_december_counts_for_nobody_before_it_is_out_and_for_all_after():
    c = small(
        {
            "patent_grants": ("1", "attainment_pct"),
            "new_tech_little_giants": ("1", "attainment_pct"),
        }
    )
    actual = {"patent_grants": [75] * 5, "new_tech_little_giants": [0, 1, 0, 2, None]}
    p = projected(actual, "2018-09")
    found = scored(p, c, "2018-09", runs=0)
    assert lines(found)["value"].nunique() == 1  # all parks alike
    own = found.items.set_index(["indicator", "region"]).loc["new_tech_little_giants"]
    assert own["reason"].tolist() == ["尚未到期"] * 4 + ["园区目标未下达"]
    late = done(projected({"new_tech_little_giants": [0, 1, 0, 2, None]}, target=2.0), c)
    assert late.loc["new_tech_little_giants", "value"].tolist()[:4] == [0, 50, 0, 100]


def test_batches_not_planned_yet_stand_where_they_stood_last_year():
    c = small({"new_tech_little_giants": ("1", "attainment_pct")})
    known = c.batches["known_from"] < pd.Period("2018-01", "M")
    c = replace(c, batches=c.batches[known])
    p = projected({"new_tech_little_giants": [1] * 5}, "2018-11", target=1.0)
    assert done(p, c, "2018-11")["reason"].eq("尚未到期").all()


def test_a_level_is_due_in_equal_steps_from_last_year_s_end_and_never_beyond_the_target():
    c = small({"incubation_floor_area": ("1", "attainment_pct")})
    close = {(r, "incubation_floor_area"): [v] for r, v in zip(PARKS, (60, 100, 140), strict=False)}
    s = months_of(close, "2017-12", months=0)
    now = months_of({(r, "incubation_floor_area"): [1] for r in PARKS}, "2018-06", months=0)
    p = projected({"incubation_floor_area": [80, 80, 80, 80, 80]}, "2018-06")
    found = done(p, c, "2018-06", series=pd.concat([s, now]))
    # due: 60 + half of 40; 100; the target, not 120; the target where last year's end is not known
    assert found["value"].tolist() == pytest.approx([100, 80, 80, 80, 80])


def test_stages_are_measured_by_the_dates_promised_for_all_parks():
    def stage(region, no, date, expected):
        return dict(
            id="policy_systems_complete",
            region=region,
            stage=f"s{no}",
            stage_no=no,
            stage_zh="阶段",
            date=date,
            expected=expected,
        )

    rows = [stage("gaoxin", 1, "2018-03", "2018-03"), stage("gaoxin", 2, "2018-12", "2018-12")]
    rows += [stage("muye", 1, "2018-10", "2018-06"), stage("muye", 2, "", "2018-12")]
    stages = tables.shape(rows, tables.MILESTONES)
    p = projected({"policy_systems_complete": [1, None, None, None, 1]}, "2018-09", target=1.0)
    found = done(p, small(), "2018-09", milestones=stages).loc["policy_systems_complete", "value"]
    assert found[["gaoxin", "muye"]].tolist() == [100.0, 0.0]  # half is due, half and none is done
    early = done(p.assign(as_of=pd.Period("2018-02", "M")), small(), "2018-02", milestones=stages)
    assert early.loc["policy_systems_complete", "reason"]["gaoxin"] == "尚未到期"


def test_a_ratio_is_measured_against_its_target_all_year():
    c = small({"rd_intensity": ("1", "attainment_pct")})
    p = projected({"rd_intensity": [2.0, 3.0, 4.0, NAN, None]}, "2018-03", target=4.0)
    assert done(p, c, "2018-03")["value"].tolist() == pytest.approx(
        [50, 75, 100, NAN, NAN], nan_ok=True
    )


# what did not come ------------------------------------------------------------------------------


def test_a_park_a_month_behind_is_late_and_where_nobody_has_a_month_the_due_is_that_of_the_last_one():
    lengths = dict.fromkeys(PARKS, 8) | {"muye": 7}
    s = months_of({(r, "patent_grants"): [1.0] * n for r, n in lengths.items()}, "2018-01")
    p = projected({"patent_grants": [8, 8, 8, 8, 7]}, "2018-09", target=12.0)
    found = done(p, small(), "2018-09", series=s).loc["patent_grants"]
    assert found["through"].astype(str).eq("2018-08").all()
    assert found["reason"].tolist() == ["", "", "", "", "迟报"]
    assert found["value"].tolist()[:4] == [100.0] * 4  # 8 of the 8 due by August


def test_what_a_bureau_sent_for_nobody_counts_for_nobody_and_what_it_sent_for_some_is_low_for_the_others():
    grants = [100, 90, 80, 70, 60]
    none = scored(projected({"patent_grants": grants, "top_talents": [NAN] * 5}), runs=0)
    alone = scored(projected({"patent_grants": grants}), runs=0)
    assert lines(none)["value"].tolist() == lines(alone)["value"].tolist()
    own = none.items.set_index(["indicator", "region"]).loc["top_talents"]
    assert own["reason"].eq("部门未报").all() and own["owed_by"].eq("市人才办").all()
    some = scored(
        projected({"patent_grants": grants, "top_talents": [80, 80, 80, 80, NAN]}), runs=0
    )
    own = some.items.set_index(["indicator", "region"]).loc["top_talents"]
    assert own["value"].tolist() == [80, 80, 80, 80, 50]
    told = some.notes.set_index(["region", "indicator"])["message"]
    assert "(市人才办缺数)" in told["muye", "composite"] and "暂定" in told["muye", "composite"]


def test_what_the_parks_themselves_owe_is_low_for_each_that_did_not_report():
    found = scored(projected({"patent_grants": [NAN] * 5, "top_talents": [110] * 5}), runs=0)
    assert lines(found)["value"].tolist() == [80.0] * 5  # the mean of 60 and 100
    assert found.items.loc[found.items["reason"] == "缺数", "owed_by"].eq("").all()


def test_only_a_target_that_was_not_given_hands_its_weight_on():
    given_ = scored(
        projected({"patent_grants": [80] * 5, "top_talents": [None, NAN, 80, 80, 80]}), runs=0
    )
    assert lines(given_)["value"].tolist() == [80, 70, 80, 80, 80]


def test_a_target_of_zero_is_no_rate_and_demo_goes_along():
    p = projected({"patent_grants": [90] * 5, "top_talents": [90] * 5})
    own = (p["region"] == "muye") & (p["indicator"] == "patent_grants")
    p.loc[own, ["demo", "target_low"]] = [True, 0.0]
    found = scored(p, runs=10)
    assert found.ranks.groupby("region")["demo"].all().to_dict() == {r: r == "muye" for r in PARKS}
    reasons = found.items.set_index(["region", "indicator"])["reason"]
    assert reasons["muye", "patent_grants"] == "目标为零"


REASONS = ["", "", "", "", "缺数", "迟报", "园区目标未下达"]


@st.composite
def attained(draw, months=("2018-12",)):
    """ATTAINMENT with gaps, and the rows of one park that can be blanked."""
    c, rows = small(), []
    for month in months:
        for i, (group, measure) in ITEMS.items():
            for r in PARKS:
                reason = draw(st.sampled_from(REASONS))
                value = draw(st.floats(0, 110)) if not reason else NAN
                rows.append(
                    dict(
                        region=r,
                        indicator=i,
                        group=group,
                        month=month,
                        through=month,
                        measure=measure,
                        target=1.0,
                        value=min(value, 100.0) if measure == "share_done" else value,
                        reason=reason,
                    )
                )
    a = tables.shape(rows, tables.VINTAGE["ATTAINMENT"])
    park = draw(st.sampled_from(PARKS))
    there = a.index[(a["region"] == park) & (a["reason"] == "")].tolist()
    gone = draw(st.sets(st.sampled_from(there), min_size=1)) if there else set()
    return a, park, sorted(gone), c


def never_better(a, park, gone, c, period):
    before = score_parks(a, c, period, runs=30)
    less = a.copy()
    less.loc[gone, ["value", "reason"]] = [NAN, "缺数"]
    after = score_parks(less, c, period, runs=30)
    for i in ("composite", "1", "2"):
        one, two = (lines(s, indicator=i) for s in (before, after))
        if one.at[park, "rank"] == one.at[park, "rank"]:
            assert two.at[park, "value"] <= one.at[park, "value"] + 1e-9
            assert two.at[park, "rank"] >= one.at[park, "rank"]
            others = [r for r in PARKS if r != park]
            pd.testing.assert_series_equal(one.loc[others, "value"], two.loc[others, "value"])
    return before, after


@settings(max_examples=12, deadline=None)
@given(attained())
def test_removing_any_values_never_raises_their_park_s_score_or_place(made):
    before, after = never_better(*made, "2018-12")
    open_ = lines(after, "provisional")
    own = lines(after).loc[open_.index]
    assert (open_["low"] <= own["rank"]).all() and (own["rank"] <= open_["high"]).all()


@settings(max_examples=5, deadline=None)
@given(attained(("2018-10", "2018-11")))
def test_removing_values_of_any_month_of_a_quarter_never_raises_their_park_either(made):
    never_better(*made, "2018Q4")


@settings(max_examples=5, deadline=None)
@given(st.lists(st.floats(0, 200), min_size=15, max_size=15), st.integers(0, 4), st.integers(0, 1))
def test_a_park_that_does_not_report_is_never_better_off_down_from_the_projections(v, n, k):
    items = ("patent_grants", "invention_patent_grants")  # both reported by the parks themselves
    c = small(
        {i: ("1", "attainment_pct") for i in items} | {"top_talents": ("2", "attainment_pct")}
    )
    actual = {i: v[5 * j : 5 * j + 5] for j, i in enumerate((*items, "top_talents"))}
    one = scored(projected(actual), c, runs=30)
    actual[items[k]] = [NAN if j == n else x for j, x in enumerate(actual[items[k]])]
    two = scored(projected(actual), c, runs=30)
    a, b = lines(one).loc[PARKS[n]], lines(two).loc[PARKS[n]]
    assert b["value"] <= a["value"] + 1e-9 and b["rank"] >= a["rank"]


def test_best_and_worst_case_are_those_of_the_missing_values_by_hand():
    # without the gap: gaoxin 100, jingkai 80, pingyuan 70; jingkai lacks one item: 60 … 100
    actual = {
        "patent_grants": [100, 110, 80, 50, 50],
        "top_talents": [100, NAN, 80, 50, 50],
    }
    found = scored(projected(actual), choices=Choices(("efficacy",), ("arithmetic",), 0.0), runs=20)
    own, open_ = lines(found), lines(found, "provisional")
    assert own["value"].round(6).to_dict() == pytest.approx(
        {"gaoxin": 93.333333, "jingkai": 80, "pingyuan": 80, "hongqi": 60, "muye": 60}
    )
    assert own["rank"].tolist() == [1, 2, 2, 4, 4]
    # at best jingkai has 100 and is first; at worst as it stands; gaoxin may become second, pingyuan third
    assert open_[["value", "low", "high"]].to_dict("index") == {
        "gaoxin": {"value": 0, "low": 1, "high": 2},
        "jingkai": {"value": 1, "low": 1, "high": 2},
        "pingyuan": {"value": 0, "low": 2, "high": 3},
    }
    full = scored(projected({k: np.nan_to_num(v, nan=70) for k, v in actual.items()}), runs=20)
    assert lines(full, "provisional").empty


# scores, places, intervals ----------------------------------------------------------------------


def test_scores_rest_on_attainment_by_hand_and_have_the_shape_of_ranks():
    found = scored(projected(YEAR), runs=200)
    tables.check(found.ranks, tables.RANKS)
    # group 1: mean of (100, 80), (80, 80), (60, 80), (cut at 50: 60, 80), (cut at 110: 100, 80)
    own = lines(found)
    assert own["value"].tolist() == pytest.approx([95, 70, 85, 85, 90])
    assert own["rank"].to_dict() == {
        "gaoxin": 1,
        "muye": 2,
        "pingyuan": 3,
        "hongqi": 3,
        "jingkai": 5,
    }
    assert np.isnan(lines(found, indicator="2").at["muye", "rank"])
    told = found.notes.set_index(["region", "indicator"])["message"]
    assert told["muye", "2"] == "牧野区「组2」:园区目标未下达,不计分、不排位。"
    cells = own.at["muye", "inputs"].split(";")
    assert cells == ["PROJECTIONS/muye.patent_grants", "PROJECTIONS/muye.top_talents"]


def test_the_place_that_is_stored_is_the_one_that_ties_share():
    p = projected({"patent_grants": [100, 99.9, 60, 50, 50], "top_talents": [100] * 5})
    own = lines(scored(p, runs=400))
    assert own["rank"].tolist() == [1, 1, 3, 4, 4]
    assert own.loc[["gaoxin", "jingkai"], "tied_with"].tolist() == ["jingkai", "gaoxin"]
    assert (own["low"] <= own["rank"]).all() and (own["rank"] <= own["high"]).all()


def test_the_year_end_s_interval_follows_the_projection_and_is_told_apart_from_now_s():
    actual = {"patent_grants": [75, 60, 55, 50, 45]}
    c = small({"patent_grants": ("1", "attainment_pct")})
    p = projected(actual, "2018-09")
    still = Choices(("efficacy",), ("arithmetic",), 0.0)
    ends = dict(zip(PARKS, ([55, 105], [95, 100], [70, 75], [60, 65], [50, 52]), strict=True))
    q = tables.shape(
        [
            dict(region=r, indicator="patent_grants", year=2018, as_of="2018-09", level=k, value=v)
            for r, pair in ends.items()
            for k, v in zip((0.05, 0.95), pair, strict=True)
        ],
        tables.QUANTILES,
    )
    found = scored(p, c, "2018-09", ahead=q, choices=still, runs=2000)
    now, end = lines(found), lines(found, "year_end")
    assert now["low"].tolist() == now["high"].tolist() == [1, 2, 3, 4, 5]
    # gaoxin spans 55 to 105: before or behind all but muye; jingkai is first or second
    assert end[["low", "high"]].to_numpy().tolist() == [[1, 4], [1, 2], [2, 3], [3, 4], [5, 5]]
    assert end["rank"].isna().all()  # one place a month: that of now
    later = scored(p, c, "2018-09", ahead=q.assign(as_of=pd.Period("2018-08", "M")), runs=50)
    assert lines(later, "year_end").empty


def test_an_item_that_becomes_due_counts_at_the_year_s_end_for_all_with_a_target():
    items = ("patent_grants", "new_tech_little_giants")
    c = small({i: ("1", "attainment_pct") for i in items})
    p = projected(
        {"patent_grants": [75] * 5, "new_tech_little_giants": [0, 0, 0, 0, None]}, "2018-09"
    )
    q = tables.shape(
        [
            dict(region=r, indicator=items[1], year=2018, as_of="2018-09", level=k, value=v)
            for r, v in (("gaoxin", 110), ("jingkai", 60))
            for k in (0.1, 0.9)
        ],
        tables.QUANTILES,
    )
    still = Choices(("efficacy",), ("arithmetic",), 0.0)
    end = lines(scored(p, c, "2018-09", ahead=q, choices=still, runs=50), "year_end")
    # by hand: 93.3 with 100, 66.7, 60, 60 and without a target: muye second
    assert end["low"].tolist() == [1, 3, 4, 4, 2]


def test_the_first_of_each_choice_is_the_method_in_use():
    c = Choices(("efficacy",), ("geometric", "arithmetic"), 0.1)
    own = scored(projected(YEAR), choices=c, runs=10)
    assert lines(own, indicator="1").at["gaoxin", "value"] == pytest.approx((100 * 80) ** 0.5)


def test_raw_counts_never_decide_but_the_park_s_own_target_does():
    p = projected({i: [1000, 10, 500, 500, 500] for i in ("patent_grants", "top_talents")})
    p["target_low"] = p["region"].map({"gaoxin": 2000, "jingkai": 10}).fillna(1000.0)
    assert lines(scored(p, runs=10))["rank"][["jingkai", "gaoxin"]].tolist() == [1, 2]


def test_quarters_take_the_mean_of_their_months_and_years_the_last():
    low, high = ({"patent_grants": [v] * 5, "top_talents": [v] * 5} for v in (60, 90))
    p = pd.concat([projected(low, "2018-10"), projected(high, "2018-12")], ignore_index=True)
    p["target_low"] *= p["as_of"].dt.month.map({10: 1.2, 12: 1.0})  # 10/12 of 120 is 100
    for period, expected in (("2018Q4", 75), ("2018H2", 75), ("2018", 90), ("2018-10", 60)):
        found = scored(p, period=period, runs=10)
        assert found.items["value"].dropna().round(6).unique().tolist() == [expected]
        assert set(found.ranks["period"]) == {period} and lines(found)["rank"].eq(1).all()
    with pytest.raises(RankingError, match="2018Q1 没有任何月份"):
        scored(p, period="2018Q1")


def test_a_month_that_did_not_come_counts_low_in_the_mean_of_its_quarter():
    p = pd.concat(
        [
            projected({"patent_grants": [80] * 5}, "2018-11", target=1200 / 11),
            projected({"patent_grants": [80, 80, 80, 80, NAN]}, "2018-12"),
        ],
        ignore_index=True,
    )
    found = scored(p, period="2018Q4", runs=10)
    item = found.items.set_index(["region", "indicator"]).xs("patent_grants", level=1)
    assert item["value"].tolist() == pytest.approx([80, 80, 80, 80, 65])
    assert item["reason"].tolist() == ["", "", "", "", "缺数"]


def test_a_month_lies_in_one_quarter_half_and_year():
    at = {
        f: [period_of(pd.Period(m, "M"), f) for m in ("2018-03", "2018-07", "2018-12")]
        for f in ("month", "quarter", "half", "year")
    }
    assert at == {
        "month": ["2018-03", "2018-07", "2018-12"],
        "quarter": ["2018Q1", "2018Q3", "2018Q4"],
        "half": ["2018H1", "2018H2", "2018H2"],
        "year": ["2018"] * 3,
    }
    with pytest.raises(ValueError, match="month、quarter、half、year"):
        period_of(pd.Period("2018-03", "M"), "week")
    for form, periods in at.items():
        told, months = period_months(periods[1])
        assert told == form and pd.Period("2018-07", "M") in months
        assert len(months) == {"month": 1, "quarter": 3, "half": 6, "year": 12}[form]


@pytest.mark.parametrize("word", ["2018Q5", "2018-13", "18", "2018W1", "2018-9", "2018H3"])
def test_a_period_in_another_form_is_refused(word):
    with pytest.raises(ValueError, match="2018Q3"):
        period_months(word)


def test_another_unit_or_order_of_parks_changes_no_score_place_interval_or_tie():
    p = projected({"patent_grants": [95, 80, 70, 20, 110], "top_talents": [80, 82, 81, 80, 90]})
    one = scored(p, runs=300).ranks
    money = p.assign(**{c: p[c] * 10_000 for c in ("actual", "target_low")})
    pd.testing.assert_frame_equal(scored(money, runs=300).ranks, one)
    still = Choices(noise=0.0)
    turned = scored(p.iloc[::-1], parks=tuple(PARKS[::-1]), choices=still, runs=300)
    same = scored(p, choices=still, runs=300)
    key = ["indicator", "measure", "region"]
    a, b = (s.ranks.sort_values(key, ignore_index=True) for s in (turned, same))
    pd.testing.assert_frame_equal(a.drop(columns="tied_with"), b.drop(columns="tied_with"))
    assert [set(x.split(";")) for x in a["tied_with"]] == [
        set(x.split(";")) for x in b["tied_with"]
    ]


def test_one_park_alone_is_first_and_equal_parks_are_all_tied_first():
    p = projected({"patent_grants": [80] * 5, "top_talents": [80] * 5})
    alone = lines(scored(p, parks=("muye",), runs=50))
    assert alone.loc["muye", ["rank", "low", "high", "tied_with"]].tolist() == [1, 1, 1, ""]
    equal = scored(p, runs=200)
    assert lines(equal)["rank"].eq(1).all() and lines(equal)["tied_with"].str.count(";").eq(3).all()
    total = equal.chances.groupby(["indicator", "region"])["probability"].sum()
    np.testing.assert_allclose(total, 1)


def test_without_simulations_scores_stay_and_intervals_ties_and_chances_are_left_out():
    full, bare = (scored(projected(YEAR), runs=n) for n in (100, 0))
    assert lines(full)["value"].equals(lines(bare)["value"])
    assert lines(bare)[["low", "high"]].isna().all(axis=None) and bare.chances.empty
    assert lines(bare)["tied_with"].eq("").all()


def test_more_error_in_the_data_never_narrows_the_interval_of_places():
    p = projected({"patent_grants": [100, 98, 70, 20, 60], "top_talents": [80, 80, 80, 80, 60]})
    widths = []
    for error in (0.0, 2.0, 20.0):
        c = small()
        c = replace(c, bounds=c.bounds.assign(error_pct=error))
        noise = scored(p, c, runs=0).choices.noise
        only = Choices(("efficacy",), ("arithmetic",), 0.0, noise)
        r = lines(scored(p, c, choices=only, runs=500))
        widths.append((r["high"] - r["low"]).sum())
    assert widths[0] == 0 and widths[0] < widths[1] <= widths[2]


def test_reference_weights_that_do_not_sum_to_one_and_items_without_bounds_are_refused():
    with pytest.raises(RankingError, match="合计 1.1,应为 1"):
        scored(projected(YEAR), small(weights=(0.5, 0.6)))
    c = small()
    with pytest.raises(RankingError, match="patent_grants」有权重而没有界值"):
        scored(projected(YEAR), replace(c, bounds=c.bounds.iloc[1:]))


def test_the_parks_moves_are_points_that_sum_to_the_change_of_the_scores():
    early = {k: [v and v * 0.8 for v in values] for k, values in YEAR.items()}
    p = pd.concat([projected(early, "2018-11", target=1200 / 11), projected(YEAR)])
    one, two = (scored(p, period=m, runs=10) for m in ("2018-11", "2018-12"))
    steps = park_moves(one, two)
    assert set(steps["region"]) == set(PARKS) and "rank_change" not in steps
    change = lines(two)["value"] - lines(one)["value"]
    found = steps.groupby("region")["score_change"].sum()
    np.testing.assert_allclose(found, change[found.index], atol=1e-8)


def test_the_model_of_a_scoring_serves_every_question_about_it():
    found = scored(projected(YEAR), runs=10)
    left = leave_one_out(found.model)
    assert left["mean_abs_change"].notna().all() and set(left.index) == set(ITEMS)
    assert set(flips(found.model, found.choices)["unit"]) <= set(PARKS)


def test_the_shipped_weights_and_bounds_fit_each_other():
    c = catalogs.load()
    assert set(c.weights.loc[c.weights["level"] == "indicator", "id"]) == set(c.bounds["indicator"])
    own = c.targets[c.targets["region"].isin(PARKS) & c.targets["id"].isin(c.bounds["indicator"])]
    rows = own.rename(columns={"id": "indicator"}).assign(
        as_of=DECEMBER, actual=0.8 * own["target_low"], level=0.8, verdict="x", method="x"
    )
    found = scored(tables.shape(rows, tables.PROJECTIONS), c, runs=100)
    assert found.notes["indicator"].ne("composite").all() and found.ranks["demo"].all()
    assert found.items["value"].dropna().round(6).eq(80).all()
