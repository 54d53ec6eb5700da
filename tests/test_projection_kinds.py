"""Each kind of promise by its own rule; comparators exactly, whole numbers included; silence where nothing is known."""

import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.projection import project_targets
from zcqlib.projection.counts import batch_distribution, in_time
from zcqlib.projection.kinds import chance, met, verdict
from zcqlib.projection.promises import waiting
from zcqlib.projection.scores import chance_of

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


def test_strict_and_inclusive_targets_differ_by_one_whole_number():
    assert chance(EVEN, "ge", 50, np.nan, True) == pytest.approx(1 - 0.495)
    assert chance(EVEN, "gt", 50, np.nan, True) == pytest.approx(1 - 0.505)
    assert chance(EVEN, "ge", 49.2, np.nan, True) == chance(EVEN, "ge", 50, np.nan, True)
    assert chance(EVEN, "gt", 49.2, np.nan, True) == chance(EVEN, "ge", 50, np.nan, True)
    assert (
        chance(EVEN, "ge", 50, np.nan, False)
        == chance(EVEN, "gt", 50, np.nan, False)
        == pytest.approx(0.5)
    )
    assert chance(EVEN, "between", 40, 60, True) == pytest.approx(0.21)


def test_a_chance_never_says_never_nor_always():
    assert chance_of(EVEN[None].repeat(2, 0), [-1, 1000]).tolist() == [
        0.9975,
        pytest.approx(0.0025),
    ]


@pytest.mark.parametrize(
    "value, comparator, low, high, expected",
    [
        (50, "gt", 50, np.nan, False),
        (50, "ge", 50, np.nan, True),
        (51, "gt", 50, np.nan, True),
        (2, "between", 1, 2, True),
        (3, "between", 1, 2, False),
        (5, "eq", 5, np.nan, True),
        (4, "eq", 5, np.nan, False),
    ],
)
def test_whether_a_final_value_meets_its_target(value, comparator, low, high, expected):
    assert met(value, comparator, low, high) is expected


def test_the_light_grades_the_chance_as_it_is_printed():
    assert [verdict(p, False) for p in (0.795, 0.794, 0.395, 0.394)] == [
        "把握较大",
        "尚有悬念",
        "尚有悬念",
        "难度较大",
    ]
    assert verdict(0.1, True) == "已完成" and verdict(np.nan, False) == "按节点推进"


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
