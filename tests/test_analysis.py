"""Analysis: bad input is refused, splits add up, regressions agree with statsmodels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from zcqlib import analysis, tables
from zcqlib.analysis import AnalysisError, patents_on_rd
from zcqlib.catalog import load
from zcqlib.published import published_observations


def flows(
    values, region="zone", indicator="patent_applications", first="2017-01", months=1, demo=False
):
    starts = pd.period_range(first, periods=len(values), freq="M")
    return pd.DataFrame(
        {
            "region": region,
            "indicator": indicator,
            "start": starts,
            "end": starts,
            "months": months,
            "value": [float(v) for v in values],
            "unit": "件",
            "published": starts,
            "demo": demo,
        }
    )


def series(*frames):
    return tables.check(tables.shape(pd.concat(frames), tables.SERIES), tables.SERIES)


def year(region, indicator, value, when):
    end = pd.Period(f"{when}-12", "M")
    return pd.DataFrame(
        [
            {
                "region": region,
                "indicator": indicator,
                "start": end - 11,
                "end": end,
                "months": 12,
                "value": float(value),
                "unit": "万元",
                "published": end,
                "demo": False,
            }
        ]
    )


def panel(seed=0, regions=8, years=10, elasticity=0.6, spread=True):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(regions):
        level, rd = rng.normal(2, 0.5), rng.uniform(20, 200)
        for y in range(2010, 2010 + years):
            rd *= np.exp(rng.normal(0.08, 0.15))
            mean = np.exp(level + elasticity * np.log(rd) + (rng.normal(0, 0.2) if spread else 0))
            rows.append({"region": f"r{i}", "year": y, "patents": int(rng.poisson(mean)), "rd": rd})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rd": 0}, "rd 不大于 0"),
        ({"rd": -1}, "rd 不大于 0"),
        ({"patents": -1}, "负数"),
        ({"patents": 1.5}, "不是整数"),
        ({"patents": np.inf}, "无穷"),
        ({"patents": "许多"}, "不是数字"),
        ({"year": 2011}, "不止一行"),
    ],
)
def test_a_bad_panel_row_is_refused_with_its_place(change, words):
    bad = panel().astype(object)
    for column, value in change.items():
        bad.loc[0, column] = value
    with pytest.raises(AnalysisError, match=words):
        patents_on_rd(bad)


@pytest.mark.parametrize("lags", [-1, 1.0, True, "1", None])
def test_lags_must_be_a_whole_number(lags):
    with pytest.raises(ValueError, match="滞后"):
        patents_on_rd(panel(), lags=lags)


def test_unknown_model_missing_column_and_single_region_are_refused():
    with pytest.raises(ValueError, match="ols"):
        patents_on_rd(panel(), model="ols")
    with pytest.raises(AnalysisError, match="rd"):
        patents_on_rd(panel().drop(columns="rd"))
    with pytest.raises(AnalysisError, match="1 个地区"):
        patents_on_rd(panel(regions=1))
    with pytest.raises(AnalysisError, match="没有足够的变动"):
        patents_on_rd(panel().assign(rd=5.0))
    with pytest.raises(AnalysisError):
        patents_on_rd(panel(years=2), lags=2)
    together = panel(spread=False)  # R&D that grows alike everywhere says nothing beside the years
    together["rd"] = 50.0 * 1.1 ** (together["year"] - 2010)
    with pytest.raises(AnalysisError, match="没有足够的变动"):
        patents_on_rd(together)


def with_lag(data):
    lag = data.assign(year=data.year + 1, lag=np.log(data.rd))[["region", "year", "lag"]]
    return (
        data.assign(now=np.log(data.rd))
        .merge(lag, on=["region", "year"])
        .sort_values(["region", "year"])
    )


def test_fixed_effects_poisson_equals_dummies_and_their_sandwich():
    data = panel(1)
    d = with_lag(data)
    x = np.column_stack([d[["now", "lag"]], pd.get_dummies(d.region).astype(float)])
    fit = sm.GLM(d.patents, x, sm.families.Poisson()).fit(
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(d.region)[0], "use_correction": False},
        tol=1e-12,
    )
    g, n, k = d.region.nunique(), len(d), 2
    cov = np.asarray(fit.cov_params())[:2, :2] * g / (g - 1) * (n - 1) / (n - k)
    out = patents_on_rd(data, lags=1).set_index("term")
    found = out.filter(like="_without_years").to_numpy()
    assert found[:2, 0] == pytest.approx(fit.params[:2].to_numpy(), abs=1e-7)
    assert found[:, 1] == pytest.approx([*np.sqrt(np.diag(cov)), np.sqrt(cov.sum())], rel=1e-5)
    assert out.loc["sum", "estimate"] == pytest.approx(out.estimate.iloc[:2].sum())


def test_pooled_models_equal_statsmodels_with_clusters():
    data = panel(2)
    d = with_lag(data)
    x, groups = sm.add_constant(d[["now", "lag"]].to_numpy()), pd.factorize(d.region)[0]
    known = {
        "poisson": sm.Poisson(d.patents.to_numpy(), x),
        "nb2": sm.NegativeBinomial(d.patents.to_numpy(), x),
    }
    for model, reference in known.items():
        fit = reference.fit(disp=0, maxiter=2000, cov_type="cluster", cov_kwds={"groups": groups})
        cov, out = np.asarray(fit.cov_params())[1:3, 1:3], patents_on_rd(data, 1, model)
        found = out.filter(like="_without_years").to_numpy()
        assert found[:2, 0] == pytest.approx(fit.params[1:3], abs=2e-4)
        assert found[:, 1] == pytest.approx([*np.sqrt(np.diag(cov)), np.sqrt(cov.sum())], rel=2e-3)
        assert (out.low < out.estimate).all() and (out.estimate < out.high).all()


def test_the_nation_and_lone_rows_leave_the_panel():
    data = panel()
    nation = data.groupby("year", as_index=False)[["patents", "rd"]].sum().assign(region="全国")
    foreign = nation.assign(region="全国(国内外合计)")
    lone = pd.DataFrame([{"region": "孤", "year": 2010, "patents": 3, "rd": 5.0}])
    out = patents_on_rd(pd.concat([data, nation, foreign, lone]))
    pd.testing.assert_frame_equal(out, patents_on_rd(data))


def test_a_lag_is_the_year_before_and_units_of_rd_do_not_matter():
    data = panel()
    gap, after = data[data.year != 2014], data.year.eq(2015)
    assert patents_on_rd(gap, 1).equals(
        patents_on_rd(gap.assign(patents=gap.patents + 9 * after), 1)
    )
    pd.testing.assert_frame_equal(
        patents_on_rd(data, 1), patents_on_rd(data.assign(rd=data.rd * 1e4), 1), atol=1e-7
    )
    shuffled = data.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(patents_on_rd(data, 1), patents_on_rd(shuffled, 1), atol=1e-9)


def test_the_true_elasticity_is_found():
    out = patents_on_rd(panel(5, regions=40, spread=False)).iloc[0]
    assert abs(out.estimate - 0.6) < 4 * out.std_error and out.std_error < 0.05


def test_what_moves_all_regions_together_is_not_taken_for_an_effect_of_rd():
    data = panel(5, regions=40, spread=False)
    wave = 1.15 ** (data["year"] - 2010)  # everybody files more each year, whatever is spent
    data["patents"] = (data["patents"] * wave).round()
    out = patents_on_rd(data).iloc[0]
    assert abs(out.estimate - 0.6) < 4 * out.std_error
    assert out.estimate_without_years - out.estimate > 0.3


def likelihood_slope(data):
    """The two-way Poisson slope without any regression code: effects by proportional fitting, the slope by bisection."""
    region, year = (pd.factorize(data[c])[0] for c in ("region", "year"))
    y, x = data["patents"].to_numpy(float), np.log(data["rd"].to_numpy(float))
    x = x - x.mean()

    def score(beta):
        mean = np.exp(beta * x)
        for _ in range(4000):
            for by in (region, year):
                mean = mean * (np.bincount(by, y) / np.bincount(by, mean))[by]
        return float(((y - mean) * x).sum())

    low, high = -2.0, 4.0  # the score falls in the slope
    for _ in range(36):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle) > 0 else (low, middle)
    return (low + high) / 2


def test_the_published_provinces_give_the_slope_that_the_likelihood_gives():
    catalog = load()
    folder = Path(__file__).parents[1] / "data" / "raw" / "published"
    s = published_observations(folder, catalog).query("measure == 'value' and basis == 'year'")
    provinces = [catalog.zone.province_zh, *catalog.zone.compare]
    s = s[s["region"].isin(provinces)].dropna(subset="value")
    wide = s.assign(year=s["end"].dt.year).pivot_table(
        "value", ["region", "year"], "indicator", "first"
    )
    data = wide[["patent_applications", "rd_expenditure"]].dropna().reset_index()
    data.columns = ["region", "year", "patents", "rd"]
    assert len(data) > 50
    out = patents_on_rd(data).iloc[0]
    assert out.estimate == pytest.approx(likelihood_slope(data), abs=1e-5)
    assert out.low < out.estimate < out.high and out.estimate != out.estimate_without_years


def test_a_month_that_is_missing_makes_a_sum_unknown_never_smaller():
    s = series(flows([1, 2, 3, 4]))
    assert analysis.total(s, "zone", "patent_applications", "2017-01/2017-04") == 10
    assert np.isnan(analysis.total(s, "zone", "patent_applications", "2017-01/2017-05"))
    assert np.isnan(analysis.total(s, ["zone", "muye"], "patent_applications", "2017-01"))
    with pytest.raises(ValueError, match="不能识别"):
        analysis.total(s, "zone", "patent_applications", "去年")


def test_january_with_february_counts_once():
    two = flows([7], first="2017-02", months=2).assign(start=pd.Period("2017-01", "M"))
    s = series(two, flows([4], first="2017-03"))
    assert analysis.total(s, "zone", "patent_applications", "2017-01/2017-03") == 11


def test_a_revision_counts_in_the_year_to_date_and_in_no_span_that_leaves_out_a_part_of_it():
    revision = flows([5], first="2017-03", months=3).assign(
        start=pd.Period("2017-01", "M"), revision=True
    )
    s = series(flows([1, 2, 3, 4]).assign(revision=False), revision)
    got = [
        analysis.total(s, "zone", "patent_applications", f"2017-{a:02d}/2017-{b:02d}")
        for a, b in ((1, 2), (1, 3), (1, 4), (3, 3), (2, 4))
    ]
    assert got == [3, 11, 15, 3, 9]


def parks():
    return series(
        *(
            year(p, i, v, w)
            for p, rows in {"a": (20, 1000, 30, 1000), "b": (5, 500, 6, 700)}.items()
            for i, v, w in zip(
                ["rd", "gdp", "rd", "gdp"], rows, [2016, 2016, 2017, 2017], strict=True
            )
        )
    )


def test_within_and_between_parts_add_up_to_the_joint_change():
    out = analysis.within_between(parks(), ["a", "b", "c"], "rd", "gdp", "2016", "2017")
    joint = 100 * 36 / 1700 - 100 * 25 / 1500
    assert out.loc["all", "total"] == pytest.approx(joint, abs=1e-14)
    assert out.within[:-1].sum() + out.between[:-1].sum() == pytest.approx(joint, abs=1e-14)
    assert out.loc["a", "within"] == pytest.approx((3 - 2) * (1000 / 1500 + 1000 / 1700) / 2)
    assert out.index.tolist() == ["a", "b", "all"]


def test_the_bridge_carries_the_last_official_figure_on_and_knows_its_past_error():
    official = pd.Series({2014: 2.0, 2015: 2.2, 2016: 2.2})
    proxy = pd.Series({2014: 1.0, 2015: 1.0, 2016: 1.1, 2017: 1.21})
    out = analysis.proxy_bridge(official, proxy).set_index("year")
    assert out.loc[2017, "estimate"] == pytest.approx(2.42) and np.isnan(out.loc[2017, "official"])
    assert out.loc[2015, "error"] == pytest.approx(-0.2) and out.loc[
        2016, "error"
    ] == pytest.approx(0.22)
    with pytest.raises(AnalysisError, match="共同年份"):
        analysis.proxy_bridge(official[:1], proxy)


def test_the_stock_identity_shows_what_does_not_add_up():
    s = series(
        flows([72], indicator="hightech_enterprises", first="2017-12", months=0),
        flows([82], indicator="hightech_enterprises", first="2018-01", months=0),
        flows([14], indicator="hightech_recognised", first="2018-01"),
        flows([3], indicator="hightech_lapsed", first="2018-01"),
    )
    signs = {"hightech_recognised": 1, "hightech_lapsed": -1}
    f = analysis.stock_identity(s, "zone", "2018-01", "hightech_enterprises", signs)
    assert (f.opening, f.hightech_lapsed, f.net, f.closing, f.difference) == (72, -3, 11, 82, -1)


def test_shares_of_few_firms_have_their_interval_and_none_of_no_case():
    out = analysis.rates(pd.Series([12.0, 0.0]), pd.Series([18, 0]))
    assert out.rate[0] == pytest.approx(100 * 12 / 18) and out.low[0] < out.rate[0] < out.high[0]
    assert out.loc[1].isna().all()


def test_arguments_stay_as_they_are():
    data = panel()
    before = data.copy()
    patents_on_rd(data, 1)
    pd.testing.assert_frame_equal(data, before)
