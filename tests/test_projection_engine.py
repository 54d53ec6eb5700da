"""The year-end engine: bad input first, then values by hand, then the laws every projection must obey."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zcqlib.projection import LEVELS, counts, engine, fit, project_year_end
from zcqlib.projection.features import describe
from zcqlib.projection.panel import pivot


def series(name: str, values, end: str, months=None) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "series_id": name,
            "value": np.asarray(values, dtype=float),
            "period": pd.period_range(end=end, periods=len(values), freq="M").astype(str),
        }
    )
    return frame.assign(months=months) if months is not None else frame


def simulated(n: int = 240, years: int = 4, seed: int = 1) -> np.ndarray:
    """Seasonal series with trend, noise and a drifting level, one a row; a fifth are small counts."""
    rng = np.random.default_rng(seed)
    size = 12 * years
    level = rng.normal(5, 1.5, (n, 1)) + np.cumsum(rng.normal(0.003, 0.02, (n, size)), 1)
    season = rng.normal(0, 0.25, (n, 12))[:, np.arange(size) % 12]
    values = np.exp(level + season + rng.normal(0, 0.08, (n, size)))
    values[::5] = rng.poisson(3, (len(values[::5]), size))
    return values


def long(values: np.ndarray, known: int, first: int = 2010) -> pd.DataFrame:
    """The first `known` months of simulated rows in long form."""
    months = pd.period_range(f"{first}-01", periods=known, freq="M").astype(str)
    names = [f"s{i:04d}" for i in range(len(values))]
    return pd.DataFrame(
        {
            "series_id": np.repeat(names, known),
            "period": np.tile(months, len(names)),
            "value": values[:, :known].ravel(),
        }
    )


def quantiles(out: pd.DataFrame) -> np.ndarray:
    return out[[c for c in out.columns if isinstance(c, float)]].to_numpy()


GOOD = series("good", 100 + 10 * np.sin(np.arange(30)), "2018-06")


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        dict(kind="ratio"),
        dict(levels=(0.5, 1.0)),
        dict(levels=()),
        dict(targets=pd.Series([1.0, 2.0], ["good", "good"])),
    ],
)
def test_a_wrong_call_is_a_value_error(wrong):
    with pytest.raises(ValueError):
        project_year_end(GOOD, **wrong)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="period"):
        project_year_end(GOOD.drop(columns="period"))


REFUSED = {
    "negative": (series("bad", [5, -1, 3], "2018-03"), "负值"),
    "infinite": (series("bad", [5, np.inf, 3], "2018-03"), "无穷大"),
    "words": (
        pd.DataFrame({"series_id": "bad", "period": ["2018-01"], "value": ["约五"]}),
        "不是数字",
    ),
    "no number at all": (series("bad", [np.nan, np.nan], "2018-02"), "没有任何数值"),
    "a month twice": (
        pd.concat([series("bad", [5, 6], "2018-02"), series("bad", [7], "2018-02")]),
        "同一个月",
    ),
    "a month within a two-month sum": (series("bad", [5, 9], "2018-02", months=[1, 2]), "同一个月"),
    "a month that is none": (
        pd.DataFrame({"series_id": "bad", "period": ["2018-13"], "value": [1.0]}),
        "月份",
    ),
    "a sum of no months": (series("bad", [5], "2018-02", months=[0]), "months"),
    "most of this year missing": (series("bad", [5], "2018-06"), "缺的月份过半"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_bad_series_is_refused_with_a_reason_and_the_others_stand(case):
    bad, words = REFUSED[case]
    mixed = pd.concat([bad, GOOD.assign(value=GOOD["value"].astype(object))], ignore_index=True)
    out = project_year_end(mixed)
    assert list(out["series_id"]) == ["good"]
    np.testing.assert_array_equal(quantiles(out), quantiles(project_year_end(GOOD)))
    refused = out.attrs["refused"]
    assert list(refused["series_id"]) == ["bad"] and words in refused["reason"].iloc[0]


def test_a_series_without_a_value_in_the_asked_year_is_refused():
    out = project_year_end(pd.concat([GOOD, series("old", np.ones(24), "2017-12")]), year=2018)
    assert (
        list(out["series_id"]) == ["good"] and "当年没有" in out.attrs["refused"]["reason"].iloc[0]
    )


def test_a_row_without_a_name_is_refused_not_lost():
    out = project_year_end(
        pd.concat([GOOD, pd.DataFrame({"series_id": [None], "period": "2018-01", "value": 1.0})])
    )
    assert list(out["series_id"]) == ["good"] and list(out.attrs["refused"]["reason"]) == [
        "没有 series_id"
    ]


ODD = {
    "all zeros": np.zeros(30),
    "a constant": np.full(30, 7.5),
    "one value": np.array([12.5]),
    "huge": GOOD["value"] * 1e13,
    "tiny": GOOD["value"] * 1e-11,
    "a year of zeros": np.r_[np.zeros(24), np.arange(1.0, 7)],
    "zeros this year": np.r_[np.full(24, 9.3), np.zeros(6)],
    "one spike": np.r_[np.zeros(12), 1e6, np.zeros(17)],
}


@pytest.mark.parametrize("kind", ["flow", "stock"])
@pytest.mark.parametrize("case", ODD)
def test_odd_series_get_a_finite_ordered_distribution(case, kind):
    values = ODD[case]
    frame = series("odd", values, "2018-06" if len(values) > 1 else "2018-01")
    out = project_year_end(frame, kind, targets=pd.Series({"odd": 0.0}))
    q = quantiles(out)
    assert len(out) == 1 and np.isfinite(q).all() and (np.diff(q) >= 0).all() and (q >= 0).all()
    assert out["probability"].iloc[0] == 1.0  # no value is below a target of 0


def test_an_infinite_target_has_no_chance_and_a_series_without_target_none_to_tell():
    out = project_year_end(
        pd.concat([GOOD, GOOD.assign(series_id="more")]), targets=pd.Series({"good": np.inf})
    )
    assert out["probability"].iloc[0] == 0 and np.isnan(out["probability"].iloc[1])


def test_an_empty_history_gives_an_empty_table():
    out = project_year_end(GOOD.iloc[:0])
    assert out.empty and list(out.columns) == ["series_id", *LEVELS] and out.attrs["refused"].empty


# --- worked by hand -------------------------------------------------------------------------------------------------


def test_the_levels_are_one_hundred_in_steps_of_one_hundredth():
    assert len(LEVELS) == 100 and LEVELS[:2] == (0.005, 0.015) and LEVELS[-1] == 0.995


def test_a_full_year_is_known_not_projected():
    frame = series("full", [*np.ones(12), *range(1, 13)], "2018-12")
    flow = project_year_end(frame, targets=pd.Series({"full": 78.0}))
    assert (quantiles(flow) == 78).all() and flow["probability"].iloc[0] == 1
    assert (quantiles(project_year_end(frame, "stock")) == 12).all()


def test_a_constant_series_is_projected_to_its_own_year():
    q = quantiles(
        project_year_end(series("flat", np.full(42, 100.5), "2018-06"), levels=(0.1, 0.5, 0.9))
    )[0]
    assert q[1] == pytest.approx(1206, rel=0.01) and q[2] - q[0] < 0.03 * 1206


def test_a_series_that_has_left_last_years_level_by_far_is_projected_from_its_new_one():
    values = np.r_[
        np.tile([90.0, 110.0], 18), np.tile([1260.0, 1540.0], 3)
    ]  # fourteen times as much since January
    low, middle, high = quantiles(
        project_year_end(series("a", values, "2018-06"), levels=(0.1, 0.5, 0.9))
    )[0]
    assert low < 16_800 < high and 0.8 < middle / 16_800 < 1.25


def test_a_year_asked_for_is_projected_as_it_was_known_then():
    frame = series("a", np.exp(np.sin(np.arange(54)) / 5), "2018-06")
    early = frame[frame["period"] <= "2017-06"]
    both = frame[(frame["period"] <= "2017-06") | (frame["period"] > "2017-12")]
    np.testing.assert_array_equal(
        quantiles(project_year_end(both, year=2017)), quantiles(project_year_end(early))
    )


def test_a_two_month_sum_counts_for_both_months():
    apart, joined = (
        series("a", [6.0, 6, 20, 30], "2018-04"),
        series("a", [12.0, 20, 30], "2018-04", months=[2, 1, 1]),
    )
    np.testing.assert_array_equal(
        quantiles(project_year_end(apart)), quantiles(project_year_end(joined))
    )


def test_periods_may_be_months_dates_or_text():
    expected = quantiles(project_year_end(GOOD))
    months = pd.PeriodIndex(GOOD["period"], freq="M")
    for form in (months, months.to_timestamp(), GOOD["period"].astype(object)):
        np.testing.assert_array_equal(
            quantiles(project_year_end(GOOD.assign(period=form))), expected
        )


def test_a_lost_month_is_its_years_level_times_its_usual_share():
    frame = series("a", [*[1.0, 3] * 6, *[2.0, 6] * 6, *[4.0, 12] * 3], "2018-06")
    panel = pivot(frame[frame["period"] != "2018-04"], None, stock=False)
    assert panel.values[0, -9] == pytest.approx(12) and panel.guessed[0] == pytest.approx(12)


def test_a_lost_level_lies_between_its_neighbours():
    frame = series("a", [*range(1, 19)], "2018-06")
    panel = pivot(frame[frame["period"] != "2018-04"], None, stock=True)
    assert panel.values[0, -9] == 16


def test_a_guessed_month_widens_the_spread():
    frame = long(
        simulated(1)[:, :42] * 1.01, 42
    )  # not whole numbers: the engine, not the count model
    lost = frame[frame["period"] != "2013-03"]
    wide, full = (quantiles(project_year_end(f, levels=(0.1, 0.9)))[0] for f in (lost, frame))
    assert np.diff(wide) > np.diff(full)


def test_small_counts_are_negative_binomial_as_scipy_has_it():
    values = np.random.default_rng(0).poisson(1.5, (30, 5)).astype(float)
    size, p, known = counts.count_model(values, 2, 6)
    expected = known + stats.nbinom.ppf(np.array(LEVELS)[:, None], size, p)
    np.testing.assert_array_equal(counts.count_quantiles(values, 2, 6, np.array(LEVELS)), expected)
    at_least = sum(stats.nbinom.pmf(n, size[0], p[0]) for n in range(5, 400))
    assert counts.count_chance(values, 2, 6, known + 5)[0] == pytest.approx(at_least)


def test_small_counts_without_a_past_year_never_fall_below_what_is_done():
    out = project_year_end(series("new", [1, 0, 2], "2018-03"), targets=pd.Series({"new": 3.0}))
    q = quantiles(out)[0]
    assert (
        out["probability"].iloc[0] == 1
        and (q >= 3).all()
        and (q == np.round(q)).all()
        and q[-1] > q[0]
    )


# --- laws -----------------------------------------------------------------------------------------------------------

SHAPES = ((0, 1), (0, 5), (1, 2), (2, 6), (3, 1), (3, 11))
CASES = [(kind, years, k) for kind in ("flow", "stock") for years, k in SHAPES]


def known(years: int, k: int) -> pd.DataFrame:
    return long(simulated()[:, : 12 * years + k], 12 * years + k)


@pytest.mark.parametrize("kind,years,k", CASES)
def test_the_chance_falls_as_the_target_rises_and_quantiles_are_ordered(kind, years, k):
    frame = known(years, k)
    q = quantiles(project_year_end(frame, kind))
    assert np.isfinite(q).all() and (np.diff(q, axis=1) >= 0).all()
    names = frame["series_id"].unique()
    chances = np.stack(
        [
            project_year_end(frame, kind, targets=pd.Series(q[:, 49] * m, names))["probability"]
            for m in (0, 0.5, 0.9, 1, 1.02, 1.1, 1.5, 4)
        ]
    )
    assert (
        (np.diff(chances, axis=0) <= 0).all()
        and (chances[0] == 1).all()
        and ((chances >= 0) & (chances <= 1)).all()
    )


@pytest.mark.parametrize("kind,years,k", CASES)
def test_the_chance_of_reaching_a_quantile_is_what_its_level_says(kind, years, k):
    frame = known(years, k)
    frame = frame[frame["series_id"].str[1:].astype(int) % 5 > 0]  # whole numbers come in steps
    q = quantiles(project_year_end(frame, kind))
    for i in (3, 50, 90):
        out = project_year_end(frame, kind, targets=pd.Series(q[:, i], frame["series_id"].unique()))
        np.testing.assert_allclose(out["probability"], 1 - LEVELS[i], atol=1e-5)  # single precision


def test_levels_asked_for_one_by_one_and_beyond_the_table_fit_together():
    frame = known(3, 6)
    outer = quantiles(project_year_end(frame, levels=(0.0005, 0.005, 0.5, 0.995, 0.9995)))
    np.testing.assert_array_equal(
        outer[:, 1:4],
        quantiles(project_year_end(frame))[:, [0]] * [1, 0, 0]
        + quantiles(project_year_end(frame, levels=(0.5,))) * [0, 1, 0]
        + quantiles(project_year_end(frame))[:, [99]] * [0, 0, 1],
    )
    smooth = np.arange(len(outer)) % 5 > 0
    assert (np.diff(outer[smooth], axis=1) > 0).all()


@pytest.mark.parametrize("kind,years,k", CASES)
def test_scaling_a_series_scales_its_quantiles(kind, years, k):
    frame = known(years, k)
    frame["value"] += 0.37  # not whole numbers: a count is not a measure and does not scale
    q = quantiles(project_year_end(frame, kind))
    for factor in (1e-6, 10_000.0):
        np.testing.assert_allclose(
            quantiles(project_year_end(frame.assign(value=frame["value"] * factor), kind)),
            q * factor,
            rtol=1e-7,
        )


@pytest.mark.parametrize("kind,ks", [("flow", range(1, 13)), ("stock", (1, 3, 6, 9, 11, 12))])
def test_more_known_months_narrow_the_expected_width(
    kind, ks
):  # of a level far ahead one month says next to nothing
    values = simulated(500)[np.arange(500) % 5 > 0]
    widths = [
        np.mean(
            np.ptp(
                quantiles(project_year_end(long(values, 36 + k), kind, levels=(0.1, 0.9))), axis=1
            )
            / values[:, 24:36].mean(1)
        )
        for k in ks
    ]
    assert (np.diff(widths) < 0).all() and widths[-1] == 0


@pytest.mark.parametrize("years", [0, 1, 3])
def test_a_year_to_date_above_the_target_is_certain_and_no_quantile_lies_below_it(years):
    frame = known(years, 7)
    done = frame[frame["period"] > f"{2009 + years}-12"].groupby("series_id")["value"].sum()
    out = project_year_end(frame, targets=done * 0.999)
    assert (out["probability"] == 1).all()
    assert (quantiles(out) >= done.to_numpy()[:, None] * (1 - 1e-12)).all()


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_a_batch_gives_bit_for_bit_what_its_members_give_one_by_one(kind):
    frame = pd.concat(
        [
            known(y, k).assign(series_id=lambda d, y=y: d["series_id"] + f"-{y}")
            for y, k in ((0, 2), (1, 6), (2, 11), (3, 6))
        ]
    )
    aims = frame.groupby("series_id")["value"].mean() * (12 if kind == "flow" else 1)
    whole = project_year_end(frame, kind, targets=aims).set_index("series_id")
    names = np.random.default_rng(0).choice(whole.index, 40, replace=False)
    by = dict(list(frame.groupby("series_id")))
    for name in names:
        alone = project_year_end(by[name], kind, targets=aims).set_index("series_id")
        pd.testing.assert_frame_equal(alone, whole.loc[[name]], check_exact=True)
    some = project_year_end(frame[frame["series_id"].isin(names)], kind, targets=aims).set_index(
        "series_id"
    )
    pd.testing.assert_frame_equal(some, whole.loc[sorted(names)], check_exact=True)


def test_the_order_of_rows_and_a_second_run_change_no_bit_and_the_history_is_left_alone():
    frame = known(3, 5)
    before = frame.copy()
    first = project_year_end(frame)
    pd.testing.assert_frame_equal(first, project_year_end(frame), check_exact=True)
    pd.testing.assert_frame_equal(
        first, project_year_end(frame.sample(frac=1, random_state=3)), check_exact=True
    )
    pd.testing.assert_frame_equal(frame, before)


def test_eight_in_ten_simulated_years_end_within_their_interval():
    values = simulated(600, 5, seed=9)
    smooth = np.arange(600) % 5 > 0
    truth = values[:, 48:60].sum(1)
    q = quantiles(project_year_end(long(values, 54), levels=(0.1, 0.9)))
    inside = ((truth >= q[:, 0]) & (truth <= q[:, 1]))[smooth]
    assert 0.72 < inside.mean() < 0.92


# --- the fit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_the_gradient_of_the_loss_is_that_of_finite_differences(kind):
    rng = np.random.default_rng(2)
    d = fit.cases([v for v in simulated(12, 4)[1::5] for _ in (0,)], kind, "more", 1)
    rows = rng.integers(0, len(d["k"]), 30)
    d = {name: array[rows] for name, array in d.items()}
    outputs = rng.normal(0, 0.2, (20, 30))
    _, gradient = fit.loss_and_gradient(outputs, d, kind)
    for i in range(20):
        step = np.zeros_like(outputs)
        step[i] = 1e-6
        high, low = (fit.loss_and_gradient(outputs + s, d, kind)[0] for s in (step, -step))
        assert gradient[i].sum() == pytest.approx((high - low) / 2e-6, rel=2e-3, abs=2e-5)


def test_training_lowers_the_loss_and_the_same_seed_gives_the_same_coefficients():
    d = fit.cases(list(simulated(40, 4)[1:5]) * 3, "flow", "more", 1)
    learn = {k: v for k, v in d.items() if k not in ("row", "shift", "age", "years")}
    moments = learn["inputs"][:, :56].mean(0), learn["inputs"][:, :56].std(0) + 1e-6
    learn["inputs"] = engine.standardise(learn["inputs"].T, *moments).T
    first, again = (fit.train(learn, "flow", "more", 0, 100_000, (8, 4)) for _ in range(2))
    assert all((first[k] == again[k]).all() for k in first)
    before = fit.train(learn, "flow", "more", 0, 1, (8, 4))
    loss = [
        fit.loss_and_gradient(engine.forward(learn["inputs"].T.astype(float), p), learn, "flow")[0]
        for p in (before, first)
    ]
    assert loss[1] < loss[0]


def test_cases_know_nothing_after_month_k():
    values = simulated(2, 3)[1]
    later = values.copy()
    later[30:] *= 3
    a, b = (describe(v[:30, None], 2, 6, False) for v in (values, later))
    np.testing.assert_array_equal(a.inputs, b.inputs)
    pair = fit.cases([values], "flow", "more", 1), fit.cases([later], "flow", "more", 1)
    same = pair[0]["k"] <= 6
    np.testing.assert_array_equal(pair[0]["inputs"][same], pair[1]["inputs"][same])
    assert (pair[0]["truth"] != pair[1]["truth"]).all()


def test_the_coefficients_tell_their_panel_and_their_scores():
    about = json.loads(engine.COEFFICIENTS.with_suffix(".json").read_text("utf-8"))
    assert len(about["panel_sha256"]) == len(hashlib.sha256().hexdigest())
    for kind in ("flow", "stock"):
        for family in engine.FAMILIES:
            assert 0.78 < about["out_of_fold"][f"{kind} {family}"]["cov80_last_year"] < 0.82
