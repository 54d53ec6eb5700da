"""Each kind of promise by its own rule; comparators exactly, whole numbers included; silence where nothing is known."""

import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.projection import project_targets
from zcqlib.projection.counts import batch_distribution, in_time
from zcqlib.projection.history import verdict
from zcqlib.projection.kinds import chance
from zcqlib.projection.promises import waiting
from zcqlib.projection.scoring import chance_of

CATALOG = catalogs.load()
JUNE = pd.Period("2018-06", freq="M")
EVEN = np.linspace(0.5, 99.5, 100)  # quantiles of a uniform figure between 0 and 100


def series(
    indicator: str, values: dict[str, float], months: int = 1, region: str = "zone"
) -> pd.DataFrame:
    rows = [
        dict(
            region=region,
            indicator=indicator,
            start=p if months else p,
            end=p,
            months=months,
            value=v,
            unit=CATALOG.unit(indicator),
            published=p,
            demo=True,
        )
        for p, v in values.items()
    ]
    return tables.shape(rows, tables.SERIES)


def years(monthly, first: int = 2015, until: str = "2018-06") -> dict[str, float]:
    periods = pd.period_range(f"{first}-01", until, freq="M")
    return {str(p): float(monthly(p)) for p in periods}


def projected(frame: pd.DataFrame, id: str, as_of: pd.Period = JUNE, **more) -> dict:
    own = CATALOG.targets[(CATALOG.targets["id"] == id) & (CATALOG.targets["region"] == "zone")]
    return project_targets(frame, own, as_of, CATALOG, **more).projections.iloc[0].to_dict()


def test_a_target_without_any_figure_has_no_chance_and_says_so():
    r = projected(tables.empty(tables.SERIES), "patent_applications")
    assert np.isnan(r["probability"]) and r["verdict"] == "缺数据" and r["method"] == "无数据"


def test_a_sum_of_which_some_parks_have_come_says_who_has_not():
    came = [series("patent_applications", {"2018-06": 9.0}, region=p) for p in CATALOG.parks[:4]]
    r = projected(pd.concat(came), "patent_applications")
    assert r["verdict"] == "依据不足" and r["method"] == "无数据,还缺牧野区"
    assert np.isnan(r["actual"]) and np.isnan(r["probability"])
    alone = series("rd_intensity", {"2018-06": 3.0}, 0, "gaoxin")
    assert projected(alone, "rd_intensity")["verdict"] == "缺数据"  # no sum of its parks
    city = projected(alone.assign(region="city"), "rd_intensity")
    assert city["verdict"] == "依据不足" and city["method"] == "只有全市的数,没有全区的"
    past = series("rd_intensity", {"2017-06": 3.0}, 0, "city")
    assert projected(past, "rd_intensity")["verdict"] == "缺数据"  # nothing of this year


def test_strict_and_inclusive_targets_differ_by_one_whole_number():
    assert chance(EVEN, "ge", 50, True) == pytest.approx(1 - 0.495)
    assert chance(EVEN, "gt", 50, True) == pytest.approx(1 - 0.505)
    assert chance(EVEN, "ge", 49.2, True) == chance(EVEN, "ge", 50, True)
    assert chance(EVEN, "gt", 49.2, True) == chance(EVEN, "ge", 50, True)
    assert chance(EVEN, "ge", 50, False) == chance(EVEN, "gt", 50, False) == pytest.approx(0.5)
    assert chance(EVEN, "between", 40, True) == chance(EVEN, "ge", 40, True)


def test_a_chance_never_says_never_nor_always():
    assert chance_of(EVEN[None].repeat(2, 0), [-1, 1000]).tolist() == [
        0.9975,
        pytest.approx(0.0025),
    ]


def test_the_light_grades_the_chance_as_it_is_printed():
    assert [verdict(p, False, CATALOG.lights) for p in (0.795, 0.794, 0.395, 0.394)] == [
        "把握较大",
        "尚有悬念",
        "尚有悬念",
        "难度较大",
    ]
    assert verdict(0.1, True, CATALOG.lights) == "已完成"
    assert verdict(np.nan, False, CATALOG.lights) == "按节点推进"


def test_a_flow_that_cannot_fall_and_has_met_its_target_is_certain():
    r = projected(series("patent_applications", years(lambda p: 900)), "patent_applications")
    assert (
        r["actual"] == 5400
        and r["probability"] == 1
        and r["verdict"] == "已完成"
        and r["low"] >= 5400
    )


def test_what_is_still_needed_counts_one_more_for_a_strict_target():
    r = projected(series("patent_applications", years(lambda p: 400)), "patent_applications")
    assert r["needed_per_month"] == pytest.approx((5001 - 2400) / 6)


def test_a_revision_is_added_to_the_year_to_date_and_to_the_year_end_and_to_no_month():
    frame = series("patent_applications", years(lambda p: 400))
    row = dict(start="2018-01", end="2018-06", months=6, revision=True, value=120.0)
    row |= dict(region="zone", indicator="patent_applications", unit="件", published="2018-06")
    revised = pd.concat([frame, tables.shape([row], tables.SERIES)], ignore_index=True)
    plain, said = (projected(f, "patent_applications") for f in (frame, revised))
    assert (plain["actual"], said["actual"]) == (2400, 2520)
    for name in ("low", "median", "high"):
        assert said[name] == pytest.approx(plain[name] + 120), name


def test_growth_still_needed_is_the_worked_example():
    """4,000 last year, 1,800 to June; 2,100 now; 20 % asked: 22.7 % in the months left."""
    year = {
        f"2017-{m:02d}": v for m, v in zip(range(1, 13), [300] * 6 + [2200 / 6] * 6, strict=True)
    }
    now = {f"2018-{m:02d}": 350.0 for m in range(1, 7)}
    early = years(lambda p: 300, 2015, "2016-12")
    r = projected(series("tech_contract_value", early | year | now), "tech_contract_growth")
    assert r["actual"] == pytest.approx(100 * (2100 / 1800 - 1)) and r[
        "needed_per_month"
    ] == pytest.approx(22.727, abs=1e-3)


def test_reported_growth_that_differs_from_the_levels_moves_the_base():
    frame = series("hightech_value_added", years(lambda p: 100 * 1.2 ** (p.year - 2015)))
    told = pd.DataFrame(
        [dict(region="zone", indicator="hightech_value_added", end=JUNE, reported=15.0)]
    )
    nominal = projected(frame, "hitech_value_added_growth")
    real = projected(frame, "hitech_value_added_growth", growth=told)
    assert nominal["actual"] == pytest.approx(20) and real["actual"] == pytest.approx(15)
    assert real["median"] < nominal["median"]


def test_parks_that_are_not_covered_yet_are_named():
    frame = pd.concat(
        [
            series("tech_transfer_agencies", {"2018-06": float(p in ("gaoxin", "muye"))}, 0, p)
            for p in CATALOG.parks
        ]
    )
    own = CATALOG.targets[
        (CATALOG.targets["id"] == "tech_transfer_agencies") & (CATALOG.targets["region"] == "zone")
    ]
    out = project_targets(frame, own, JUNE, CATALOG)
    assert out.projections["actual"].tolist() == [2.0] and out.missing["region"].tolist() == [
        "jingkai",
        "pingyuan",
        "hongqi",
    ]
    assert np.isnan(out.projections["probability"].iloc[0])


def test_a_batch_stock_without_a_calendar_gets_no_chance():
    r = projected(series("hightech_enterprises", {"2018-06": 78.0}, 0), "hightech_enterprises")
    assert np.isnan(r["probability"]) and r["verdict"] == "缺批次安排"


def test_a_batch_not_yet_on_file_counts_with_last_years_applicants_until_it_was_on_file_last_year():
    rows = [
        (2017, 1, "pass", 20, "2017-08-20", "2017-03"),
        (2017, 2, "pass", 12, "2017-11-20", "2017-07"),
        (2018, 0, "lapse", 5, None, "2018-01"),
    ]
    batches = pd.DataFrame(
        [
            dict(
                year=y,
                indicator="hightech_recognised",
                batch=b,
                kind=kind,
                region="gaoxin",
                number=n,
                announced=pd.Timestamp(day),
                done=14.0 if day else np.nan,
                rate=0.7,
                known_from=pd.Period(known, "M"),
            )
            for y, b, kind, n, day, known in rows
        ]
    )
    assumed = {}
    for month in ("2018-02", "2018-04", "2018-08"):
        plan = waiting(batches, "zone", pd.Period(month, "M"), pd.Period(month, "M"), CATALOG)
        assumed[month] = plan["assumed"], [n for n, _ in plan["coming"]]
        assert not plan["whole"]
    assert assumed == {"2018-02": (2, [20, 12]), "2018-04": (1, [12]), "2018-08": (0, [])}


def test_the_worked_batch_example():
    """Opening 78; 18 (.98 in time) and 16 (.60) at a pass rate of .70; 14 due at .25."""
    values, pmf = batch_distribution(78, [(18, 0.98), (16, 0.60)], 0.70, 14, 0.25)
    cumulative = pmf.cumsum()
    assert pmf.sum() == pytest.approx(1)
    assert (values * pmf).sum() == pytest.approx(93.6, abs=0.05)
    assert (
        values[np.searchsorted(cumulative, 0.1)] == 85
        and values[np.searchsorted(cumulative, 0.9)] == 103
    )
    assert pmf[values >= 95].sum() == pytest.approx(0.47, abs=0.005)


def test_nothing_to_come_leaves_the_stock_where_it_is():
    values, pmf = batch_distribution(80, [], 0.7)
    assert values.tolist() == [80] and pmf == pytest.approx([1])


def test_few_past_dates_give_a_cautious_chance_of_being_in_time():
    assert in_time(np.array([])) == 0.5
    assert in_time(np.array([300.0])) == 0.75
    assert (
        in_time(np.array([300.0, 310.0, 320.0])) > 0.95 > in_time(np.array([350.0, 360.0, 370.0]))
    )


# --- what a judgement rests on --------------------------------------------------------------------------------------


def sums(id: str, rows, region: str = "zone") -> pd.DataFrame:
    """Rows (last month, months, value)."""
    return pd.concat([series(id, {end: v}, m, region) for end, m, v in rows]).assign(
        start=lambda d: d["end"] - (d["months"] - 1).clip(lower=0)
    )


SAME = [("2017-06", 6, 1900.0), ("2017-12", 6, 2600.0)]


@pytest.mark.parametrize(
    "rows, rests, given",
    [
        ([("2018-06", 6, 2000.0)], "none", False),
        ([("2018-06", 6, 0.0)], "none", False),
        ([("2018-01", 1, 300.0), ("2018-02", 1, 350.0)], "none", False),
        ([("2017-12", 12, 4500.0), ("2018-06", 6, 2000.0)], "last_year_only", False),
        ([("2017-12", 12, 4500.0), ("2018-06", 6, 200.0)], "last_year_only", True),
        ([*SAME, ("2018-06", 6, 2000.0)], "sums", True),
        ([*SAME, ("2018-05", 5, 1700.0), ("2018-06", 1, 300.0)], "sums", True),
    ],
)
def test_what_a_judgement_rests_on_is_said_and_without_evidence_no_chance_is_given(
    rows, rests, given
):
    r = projected(sums("patent_applications", rows), "patent_applications")
    assert r["evidence"] == rests and np.isnan(r["probability"]) is not given
    assert (r["verdict"] == "依据不足") is not given and ("去年同期" in r["method"]) is not given
    assert np.isfinite(r["median"]) and str(r["actual_to"]) == rows[-1][0]


def test_months_of_a_past_and_of_this_year_are_the_best_evidence():
    r = projected(series("patent_applications", years(lambda p: 400)), "patent_applications")
    assert r["evidence"] == "months" and r["inputs"] == "SERIES/zone.patent_applications"


def test_what_is_met_is_met_without_any_evidence():
    r = projected(sums("patent_applications", [("2018-06", 6, 5600.0)]), "patent_applications")
    assert (r["evidence"], r["verdict"], r["probability"]) == ("none", "已完成", 1)


def test_the_month_of_the_actual_is_that_of_the_figures_and_the_months_left_follow_it():
    frame = series("patent_applications", years(lambda p: 400, until="2018-05"))
    r = projected(frame, "patent_applications")
    assert str(r["actual_to"]) == "2018-05" and r["actual"] == 2000
    assert r["needed_per_month"] == pytest.approx((5001 - 2000) / 7)


def test_a_revision_counts_for_the_year_to_date_and_not_for_its_months():
    frame = series("patent_applications", years(lambda p: 400)).assign(revision=False)
    more = sums("patent_applications", [("2018-06", 6, 120.0)]).assign(revision=True)
    plain, revised = (
        projected(f, "patent_applications") for f in (frame, pd.concat([frame, more]))
    )
    assert revised["actual"] == 2520 and revised["median"] == pytest.approx(plain["median"] + 120)
    fallen = pd.concat([frame, more.assign(value=-120.0)])
    assert projected(fallen, "patent_applications")["actual"] == 2280


def test_a_range_is_met_at_its_floor():
    own = CATALOG.targets[CATALOG.targets["comparator"] == "between"].head(1)
    t = own.iloc[0]
    frame = sums(t["id"], [("2018-06", 6, t["target_high"] + 1)], t["region"])
    r = project_targets(frame, own, JUNE, CATALOG).projections.iloc[0]
    assert r["verdict"] == "已完成" and r["probability"] == 1


def test_rows_that_restate_another_and_park_rows_of_a_whole_take_its_figures():
    rows = CATALOG.targets.set_index("id")
    again = rows[(rows["relation"] == "restates") & (rows["kind"] == "flow")].iloc[0]
    park = rows[(rows["relation"] == "part_of") & rows["region"].isin(CATALOG.parks)]
    park = park[park["kind"] == "flow"].iloc[0]
    frame = pd.concat(
        [
            series(again["related_id"], years(lambda p: 2.0), region=again["region"]),
            series(park["related_id"], years(lambda p: float(p.month == 5)), region=park["region"]),
        ]
    )
    own = CATALOG.targets[CATALOG.targets["id"].isin([again.name, park.name])]
    out = project_targets(frame, own, JUNE, CATALOG).projections.set_index("indicator")
    assert out.at[again.name, "actual"] == 12 and out.at[park.name, "actual"] == 1


# --- what every park owes -------------------------------------------------------------------------------------------


def each_park(monthly, **more) -> tuple[pd.DataFrame, pd.Series]:
    """Projections of the parks, and of the zone, of a flow that each park owes."""
    t = CATALOG.targets
    own = t[(t["scope"] == "each_park") & (t["kind"] == "flow")]
    id = own["id"].iloc[0]
    own = own[own["id"] == id].assign(**more)
    frame = pd.concat(
        [
            series(id, years(lambda p, i=i: monthly(i, p)), region=r)
            for i, r in enumerate(CATALOG.parks)
        ]
    )
    out = project_targets(frame, own, JUNE, CATALOG).projections.set_index("region")
    return out.drop("zone"), out.loc["zone"]


def test_what_each_park_owes_is_met_when_all_have_done_it():
    """Three each: four parks have done 3 by June, one none and never any before."""
    parks, zone = each_park(lambda i, p: float(i < 4 and p.month in (2, 4, 6)))
    assert (parks["actual"] >= 3).sum() == 4 and (zone["actual"], zone["target_low"]) == (4, 5)
    assert zone["unit"] == "个园区" and zone["probability"] <= parks["probability"].min()
    assert zone["verdict"] != "已完成"
    _, done = each_park(lambda i, p: float(p.month in (2, 4, 6)))
    assert done["actual"] == 5 and done["verdict"] == "已完成" and done["probability"] == 1


def test_the_chance_of_all_parks_lies_below_that_of_each_and_above_their_product():
    rng = np.random.default_rng(0)
    parks, zone = each_park(lambda i, p: float(rng.poisson(0.35)))
    assert parks["probability"].prod() * 0.8 <= zone["probability"] <= parks["probability"].min()
    assert zone["low"] <= zone["median"] <= zone["high"] <= 5


def test_a_park_that_cannot_be_judged_leaves_all_together_unjudged():
    parks, zone = each_park(
        lambda i, p: float(p.month == 5 and (i < 4 or p.year == 2018)), target_low=3.0
    )
    assert zone["probability"] == zone["probability"] or zone["verdict"] == "依据不足"


def test_the_zones_stages_are_those_of_its_parks():
    t = CATALOG.targets
    own = t[
        (t["kind"] == "milestone") & (t["scope"] == "each_park") & (t["region"] == "zone")
    ].head(1)
    stages = tables.shape(
        [
            dict(
                id=own["id"].iloc[0],
                region=p,
                stage="s",
                stage_no=1,
                stage_zh="完成",
                date=d,
                demo=True,
            )
            for p, d in zip(
                CATALOG.parks, ["2018-03", "2018-05", None, None, "2018-09"], strict=True
            )
        ],
        tables.MILESTONES,
    )
    r = project_targets(tables.empty(tables.SERIES), own, JUNE, CATALOG, milestones=stages)
    r = r.projections.iloc[0]
    assert r["actual"] == 2 and r["verdict"] == "按节点推进" and np.isnan(r["probability"])


# --- the official yearly figure -------------------------------------------------------------------------------------


def intensity(official) -> dict:
    """R&D over GDP: 2.8 % to date in every month since 2015, and the official yearly figures."""
    spans = [p for p in pd.period_range("2015-01", "2018-06", freq="M")]
    reports = sums("rd_intensity", [(str(p), p.month, 2.8) for p in spans])
    yearly = sums("rd_intensity_official", [(f"{y}-12", 12, v) for y, v in official.items()])
    return projected(pd.concat([reports, yearly]), "rd_intensity")


def test_a_ratio_is_judged_on_the_official_figure_with_the_bridges_own_error():
    """The reports say 2.8 %, the office has always found 10 % more: 3.08 %, and not surely."""
    r = intensity({2015: 3.08, 2016: 3.08, 2017: 3.08})
    assert r["actual"] == pytest.approx(2.8) and r["median"] == pytest.approx(3.08, rel=0.01)
    assert "公布数口径" in r["method"] and 0.5 < r["probability"] < 0.95
    uneven = intensity({2015: 2.9, 2016: 3.25, 2017: 3.08})
    assert uneven["high"] - uneven["low"] > r["high"] - r["low"]


def test_one_year_that_can_be_compared_is_too_little_for_the_official_figure():
    r = intensity({2017: 3.08})
    assert r["verdict"] == "依据不足" and np.isnan(r["probability"]) and "只有1年" in r["method"]


# --- the own record -------------------------------------------------------------------------------------------------


def test_a_record_that_was_too_low_moves_the_chances_up_and_a_short_one_does_not():
    from zcqlib.projection import recalibration

    months = pd.period_range("2014-01", "2018-06", freq="M")

    def history(n: int) -> pd.DataFrame:
        """Quiet but for the last quarter of 2017, half as much again."""
        rng = np.random.default_rng(0)
        frames = []
        for i in range(n):
            v = 1000 * np.exp(rng.normal(0, 0.02, len(months)))
            v[(months.year == 2017) & (months.month > 9)] *= 1.5
            frames.append(pd.DataFrame({"series_id": f"s{i}", "period": months, "value": v}))
        return pd.concat(frames, ignore_index=True).assign(months=1, revision=False, family="x")

    moves = recalibration.learnt(history(25), "flow", 2018)
    assert set(recalibration.kinds(history(2), "flow")) == {"amounts"} and moves["amounts"][0] > 0.3
    a, b = moves["amounts"]
    levels = np.array([0.1, 0.5, 0.9])
    assert (recalibration.moved(levels, a, b) > levels)[1:].all()
    np.testing.assert_allclose(recalibration.moved(levels, 0.0, 1.0), levels)
    assert recalibration.learnt(history(5), "flow", 2018) == {}


def test_a_chance_does_not_hang_on_what_else_is_asked():
    rng = np.random.default_rng(4)
    parks = [
        series(
            "patent_applications", years(lambda p, i=i: float(rng.poisson(60 + 40 * i))), region=r
        )
        for i, r in enumerate(CATALOG.parks)
    ]
    own = CATALOG.targets[CATALOG.targets["id"] == "patent_applications"]
    key = ["region", "indicator"]
    all_, one = (
        project_targets(pd.concat(parks), t, JUNE, CATALOG).projections.set_index(key)
        for t in (own, own[own["region"] == "gaoxin"])
    )
    assert len(one) == 1 and len(all_) > 1
    pd.testing.assert_frame_equal(one, all_.loc[one.index], check_exact=True)


def test_a_record_learns_at_most_half_and_less_from_few_series():
    """Twenty series, each z = 2 in all calls: weight .5 · 20/28, shift .714, spread (log of the least, .1) · .357."""
    from zcqlib.projection import recalibration

    a = 0.5 * 20 / 28 * 2
    assert a == pytest.approx(0.714, abs=1e-3)
    assert recalibration.moved([0.5], a, 1.0)[0] == pytest.approx(0.762, abs=1e-3)


def test_every_target_in_force_has_one_row_and_the_ten_groups_their_47():
    own = CATALOG.targets
    out = project_targets(tables.empty(tables.SERIES), own, JUNE, CATALOG).projections
    keys = out[["indicator", "region"]].apply(tuple, axis=1)
    assert sorted(keys) == sorted(own[["id", "region"]].apply(tuple, axis=1))
    headline = CATALOG.headline()
    assert len(headline) == 47
    assert (
        out.merge(headline, left_on=["indicator", "region"], right_on=["id", "region"]).shape[0]
        == 47
    )
    assert out["probability"].isna().all()
