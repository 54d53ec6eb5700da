"""Sums, parts and ratios agree; figures known by years, quarters or rates alone; batches without a calendar."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.projection import joint, project_targets, project_year_end, sparse
from zcqlib.projection.counts import batch_history, quantiles_of
from zcqlib.projection.history import Rows
from zcqlib.projection.scoring import LEVELS, at_levels

CATALOG = catalogs.load()
JUNE = pd.Period("2018-06", freq="M")
NORMAL = stats.norm.ppf(LEVELS)


def lognormals(medians, sds) -> np.ndarray:
    return np.exp(np.log(medians)[:, None] + np.asarray(sds)[:, None] * NORMAL)


FIVE = lognormals(np.array([1900, 1200, 800, 650, 450]), [0.08, 0.10, 0.12, 0.12, 0.15])


def series(
    indicator: str, region: str, monthly, first: int = 2014, until: str = "2018-06", months: int = 1
):
    ends = [
        p for p in pd.period_range(f"{first}-01", until, freq="M") if p.month % max(months, 1) == 0
    ]
    rows = [
        dict(
            region=region,
            indicator=indicator,
            start=p - max(months - 1, 0),
            end=p,
            months=months,
            value=float(monthly(p)),
            unit=CATALOG.unit(indicator),
            published=p,
            demo=True,
        )
        for p in ends
    ]
    return tables.shape(rows, tables.SERIES)


def projected(frame: pd.DataFrame, *ids: str, regions=("zone",)):
    own = CATALOG.targets[CATALOG.targets["id"].isin(ids) & CATALOG.targets["region"].isin(regions)]
    return project_targets(frame, own, JUNE, CATALOG)


# --- the rule for joint sums ----------------------------------------------------------------------------------------


def test_the_worked_example_of_five_parks():
    """Zone 80 % at a common share of .3: 4,586 to 5,474; the bounds alone add to 4,385 and 5,706."""
    low, high = np.quantile(joint.draws(FIVE, 0.3).sum(1), [0.1, 0.9])
    assert low == pytest.approx(4586, rel=0.01) and high == pytest.approx(5474, rel=0.01)
    added = at_levels(FIVE, LEVELS, [0.1, 0.9]).sum(0)
    assert added == pytest.approx([4385, 5706], abs=3)


def test_each_margin_of_the_draws_is_the_given_one_and_the_same_seed_gives_the_same_draws():
    d = joint.draws(FIVE, 0.4)
    for i, q in enumerate(FIVE):
        np.testing.assert_allclose(joint.read(d[:, i]), q, rtol=1e-3)
    np.testing.assert_array_equal(d, joint.draws(FIVE, 0.4))


def test_the_more_is_shared_the_wider_the_sum_up_to_adding_bounds():
    widths = [
        np.ptp(np.quantile(joint.draws(FIVE, r).sum(1), [0.1, 0.9])) for r in (0, 0.3, 0.6, 1)
    ]
    assert (np.diff(widths) > 0).all()
    added = at_levels(FIVE, LEVELS, [0.1, 0.9]).sum(0)
    assert widths[-1] == pytest.approx(np.ptp(added), rel=0.01)


def test_the_common_share_follows_the_past_and_has_its_limits():
    rng = np.random.default_rng(0)
    shock = np.cumsum(rng.normal(0, 0.1, 48))
    together, apart = (
        np.exp(5 + common * shock + np.cumsum(rng.normal(0, 0.1, (5, 48)), 1) * own)
        for common, own in ((1, 0.05), (0, 1))
    )
    assert joint.shared(together) > 0.55 and 0.05 <= joint.shared(apart) < 0.35
    assert joint.shared(together[:, :15]) == 0.30
    assert joint.shared(np.tile([1.0, 0.0, 2.0], (5, 16))) == 0.15  # a dozen a year
    assert joint.shared(np.where(np.arange(48) % 4, 0.0, together)) == 0.30


# --- parks, parts, ratios in the targets -----------------------------------------------------------------------------


def park_patents(invention: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frames, months = [], pd.period_range("2014-01", "2018-06", freq="M")
    whole = {p: 0.0 for p in months}
    for i, park in enumerate(CATALOG.parks):
        all_ = {
            p: round(60 * (i + 1) * np.exp(0.1 * np.sin(p.month) + rng.normal(0, 0.1)))
            for p in months
        }
        frames += [
            series("patent_applications", park, all_.__getitem__),
            series(
                "invention_patent_applications", park, lambda p, a=all_: round(invention * a[p])
            ),
        ]
        whole = {p: whole[p] + all_[p] for p in months}
    parts = pd.concat(frames)
    sums = parts.groupby(["indicator", "end"])["value"].sum()
    frames += [series(i, "zone", lambda p, i=i: sums[i, p]) for i in sums.index.levels[0]]
    return pd.concat(frames, ignore_index=True)


def test_parks_sum_to_the_zone_and_a_part_never_exceeds_its_whole():
    out = projected(
        park_patents(),
        "patent_applications",
        "invention_patent_applications",
        regions=("zone", *CATALOG.parks),
    )
    p = out.projections.set_index(["indicator", "region"])
    whole = p.loc["patent_applications"]
    assert whole.loc["zone", "method"].startswith("园区联合加总")
    assert whole.loc["zone", "median"] == pytest.approx(
        whole.drop("zone")["median"].sum(), rel=0.01
    )
    assert whole.loc["zone", "high"] < whole.drop("zone")["high"].sum()
    part = p.loc["invention_patent_applications"]
    q = out.quantiles.pivot(index=["region", "level"], columns="indicator", values="value")
    assert (q["invention_patent_applications"] <= q["patent_applications"]).all()
    assert part.loc["zone", "median"] == pytest.approx(0.3 * whole.loc["zone", "median"], rel=0.03)


def test_a_park_that_is_missing_leaves_the_zone_to_its_own_course():
    frame = park_patents()
    out = projected(frame[frame["region"] != "muye"], "patent_applications")
    assert out.projections["method"].tolist() == ["合并模型"]


def test_what_belongs_to_no_park_is_a_sixth_part():
    frame = park_patents()
    more = frame.assign(
        value=frame["value"]
        + 500.0 * ((frame["region"] == "zone") & (frame["indicator"] == "patent_applications"))
    )
    a, b = (projected(f, "patent_applications").projections.iloc[0] for f in (frame, more))
    assert b["median"] - a["median"] == pytest.approx(6000, rel=0.02) and b["method"].startswith(
        "园区联合加总"
    )


def test_a_ratio_agrees_with_its_numerator_and_denominator_and_says_which_decides():
    rng = np.random.default_rng(1)
    noise = {p: rng.normal(0, 0.3) for p in pd.period_range("2014-01", "2018-06", freq="M")}
    top = series("leading_industry_value_added", "zone", lambda p: 70 * np.exp(noise[p]))
    bottom = series("industrial_value_added", "zone", lambda p: 100 * np.exp(0.2 * noise[p]) + 60)
    both = top.merge(bottom, on="end", suffixes=("", "_whole"))
    year = both["end"].dt.year
    to_date = (
        100 * both.groupby(year)["value"].cumsum() / both.groupby(year)["value_whole"].cumsum()
    )
    ratio = series(
        "leading_industry_share", "zone", dict(zip(both["end"], to_date, strict=True)).__getitem__
    )
    ratio["months"], ratio["start"] = (
        ratio["end"].dt.month,
        ratio["end"] - (ratio["end"].dt.month - 1),
    )
    r = projected(pd.concat([top, bottom, ratio]), "leading_industry_share").projections.iloc[0]
    assert r["method"] == "分子分母联合,主要取决于分子" and r["actual"] == pytest.approx(
        to_date.iloc[-1]
    )
    assert 30 < r["low"] < r["median"] < r["high"] < 70
    alone = projected(ratio, "leading_industry_share").projections.iloc[0]
    assert alone["method"] == "比率自身走势" and alone["median"] == pytest.approx(
        r["median"], rel=0.05
    )


# --- years, quarters, rates -----------------------------------------------------------------------------------------


def test_fewer_than_five_years_or_values_that_are_none_give_no_distribution():
    assert sparse.yearly(np.array([1.0, 2, 3, 4]), "gdp", False) is None
    assert sparse.yearly(np.array([1.0, 2, 0, 4, 5]), "gdp", False) is None
    assert sparse.yearly(np.array([90.0, 95, 97, 99, 100]), "rd_intensity", True) is None


def test_yearly_figures_worked_by_hand():
    """Steady growth of 10 %: centre = log x + .7·g + .015; spread = √(.6 · 4·.05²/7 · 1.125) · t₅."""
    v = 100 * 1.1 ** np.arange(5)
    q = at_levels(sparse.yearly(v, "rd_expenditure", False)[None], LEVELS, [0.5, 0.9])[0]
    assert q[0] == pytest.approx(v[-1] * np.exp(0.7 * np.log(1.1) + 0.015), rel=1e-3)
    wide = np.sqrt(0.6 * 4 * 0.05**2 / 7 * 1.125)
    assert q[1] / q[0] == pytest.approx(np.exp(wide * stats.t.ppf(0.9, 5)), rel=1e-3)
    share = sparse.yearly(np.full(6, 2.5), "rd_intensity", True)
    assert at_levels(share[None], LEVELS, [0.5])[0, 0] == pytest.approx(2.5, rel=1e-3)


def test_a_target_known_by_years_alone_is_projected_from_them_and_says_so():
    five = series(
        "patent_applications", "zone", lambda p: 4000 + 300 * (p.year - 2012), 2012, "2017-12", 12
    )
    r = projected(five, "patent_applications").projections.iloc[0]
    assert (
        r["method"] == "只有年度数据(6年)"
        and r["low"] < r["median"] < r["high"]
        and 0 < r["probability"] < 1
    )
    short = projected(five[five["end"].dt.year > 2013], "patent_applications").projections.iloc[0]
    assert (
        short["verdict"] == "缺数据"
        and "不足5年" in short["method"]
        and np.isnan(short["probability"])
    )


def test_growth_known_by_rates_alone_keeps_its_rate_and_projects_it():
    rates = series("hitech_value_added_growth", "zone", lambda p: 12.0, 2015)
    rates["months"], rates["start"] = (
        rates["end"].dt.month,
        rates["end"] - (rates["end"].dt.month - 1),
    )
    r = projected(rates, "hitech_value_added_growth").projections.iloc[0]
    assert (
        r["actual"] == pytest.approx(12)
        and r["median"] == pytest.approx(12, abs=1.5)
        and r["low"] < r["high"]
    )
    late = rates[rates["end"] > "2017-06"]
    [own] = Rows.by_place(late).values()
    assert sparse.from_rates(own, 2018) is None


def test_a_year_known_by_quarters_alone_is_projected_alike_and_less_surely():
    rng = np.random.default_rng(2)
    values = 100 * np.exp(rng.normal(0, 0.1, (30, 42)))
    months = list(pd.period_range("2015-01", "2018-06", freq="M").astype("str"))
    monthly = pd.DataFrame(
        {"series_id": np.repeat(range(30), 42), "period": months * 30, "value": values.ravel()}
    )
    quarters = pd.DataFrame(
        {
            "series_id": np.repeat(range(30), 14),
            "period": months[2::3] * 30,
            "value": values.reshape(30, 14, 3).sum(2).ravel(),
            "months": 3,
        }
    )
    a, b = (project_year_end(f, levels=(0.1, 0.5, 0.9)) for f in (monthly, quarters))
    np.testing.assert_allclose(a[0.5], b[0.5], rtol=0.04)
    assert (b[0.9] - b[0.1]).mean() > (a[0.9] - a[0.1]).mean()


# --- batches without a calendar ---------------------------------------------------------------------------------------


def test_batches_without_a_calendar_never_fall_below_what_is_known():
    values, pmf = batch_history(np.array([5.0, 0, 8]), np.array([10.0, 9, 12]), 7)
    assert pmf.sum() == pytest.approx(1) and pmf[values < 7].sum() == 0
    low, middle, high = quantiles_of(values, pmf, (0.1, 0.5, 0.9))
    assert 7 <= low < middle < high and 9 <= middle <= 14


def test_a_flow_in_batches_is_projected_by_its_past_years():
    late = {2014: 10, 2015: 11, 2016: 10, 2017: 12}  # the second list slips
    frame = series(
        "new_tech_little_giants",
        "zone",
        lambda p: 5.0 if p.month == 6 else 7.0 if p.month == late.get(p.year) else 0.0,
    )
    r = projected(frame, "new_tech_little_giants").projections.iloc[0]
    assert (
        r["method"].startswith("批次历史")
        and r["actual"] == 5
        and r["low"] >= 5
        and 9 <= r["median"] <= 14
    )
