"""The year-end engine: bad input first, then values by hand, then the laws every projection must obey."""

import os
import subprocess
import sys
from dataclasses import replace

import fit_settings as fit
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zcqlib.projection import LEVELS, counts, model, project_year_end, refused_series


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
    "a month within a smaller sum": (series("bad", [5, 4], "2018-02", months=[1, 2]), "累计数下降"),
    "a cumulative figure that falls": (
        series("bad", [9, 7], "2018-04", months=[3, 4]),
        "累计数下降",
    ),
    "a year below its own half": (
        pd.concat(
            [series("bad", [5], "2018-03", [3]), series("bad", [4], "2017-12", [12])]
            + [series("bad", [6], "2017-06", [6])]
        ),
        "累计数下降",
    ),
    "sums that cross": (series("bad", [5, 6], "2018-04", months=[3, 3]), "互相交叉"),
    "a sum that its months do not explain": (
        series("bad", [5, 6, 12], "2018-03", months=[1, 1, 1]).assign(
            period=["2018-01", "2018-02", "2018-02"], months=[1, 1, 2]
        ),
        "各月之和不一致",
    ),
    "a value too large to reckon with": (series("bad", [1e290], "2018-01"), "过大"),
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
    refused = refused_series(mixed)
    assert list(refused["series_id"]) == ["bad"] and words in refused["reason"].iloc[0]


def test_a_series_without_a_value_in_the_asked_year_is_refused():
    both = pd.concat([GOOD, series("old", np.ones(24), "2017-12")])
    assert list(project_year_end(both, year=2018)["series_id"]) == ["good"]
    assert "当年没有" in refused_series(both, year=2018)["reason"].iloc[0]


def test_a_row_without_a_name_is_refused_not_lost():
    more = pd.concat([GOOD, pd.DataFrame({"series_id": [None], "period": "2018-01", "value": 1.0})])
    assert list(project_year_end(more)["series_id"]) == ["good"]
    assert list(refused_series(more)["reason"]) == ["没有 series_id"]


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
    assert out.empty and list(out.columns) == ["series_id", *LEVELS]
    assert not out.attrs and refused_series(GOOD.iloc[:0]).empty


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


TELLINGS = {  # the same figures: January to April 6, 6, 20, 30, and 200 in the year before
    "each sum by itself": [("2017-12", 200, 12), ("2018-02", 12, 2), ("2018-04", 50, 2)],
    "cumulative figures": [("2017-12", 200, 12), ("2018-02", 12, 2), ("2018-04", 62, 4)],
    "in another order": [("2018-04", 62, 4), ("2018-04", 50, 2), ("2017-12", 200, 12)],
}


def test_sums_that_hold_others_stand_for_the_months_that_they_leave():
    tables = [
        project_year_end(
            pd.DataFrame(rows, columns=["period", "value", "months"]).assign(series_id="a")
        )
        for rows in TELLINGS.values()
    ]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, check_exact=True)


def test_a_revision_belongs_to_the_year_to_date_and_to_no_month():
    frame = long(simulated(1, 3)[:, :30] + 0.5, 30).assign(revision=False)
    more = frame.iloc[[-1]].assign(value=7.25, revision=True, months=6)
    a, b = (quantiles(project_year_end(f)) for f in (frame, pd.concat([frame, more])))
    np.testing.assert_allclose(b, a + 7.25)


def test_periods_may_be_months_dates_or_text():
    expected = quantiles(project_year_end(GOOD))
    months = pd.PeriodIndex(GOOD["period"], freq="M")
    for form in (months, months.to_timestamp(), GOOD["period"].astype(object)):
        np.testing.assert_array_equal(
            quantiles(project_year_end(GOOD.assign(period=form))), expected
        )


def test_a_lost_month_is_projected_with_the_others_and_widens_the_spread():
    frame = long(simulated(1)[:, :42] * 1.01, 42)  # not whole numbers: amounts, not counts
    lost = frame[frame["period"] != "2013-03"]
    wide, full = (quantiles(project_year_end(f, levels=(0.1, 0.9)))[0] for f in (lost, frame))
    assert np.diff(wide) > np.diff(full)
    truth = frame.loc[frame["period"] == "2013-03", "value"].iloc[0]
    assert wide.mean() == pytest.approx(full.mean(), rel=0.08) and truth > 0


def dense(member, logs, future):
    """Log evidence, mean and covariance of the months asked for, setting by setting, by the textbook."""
    t, w = np.arange(72) - 59.5, member / member.sum(1, keepdims=True)
    alike, level, season, rise = model.kernels()
    assert season.trace() == pytest.approx(72) and season.sum() == pytest.approx(0, abs=1e-9)
    for sl in model.LEVEL:
        for ss in model.SEASON:
            for sb in model.RISE:
                for se in model.NOISE:
                    k = alike + sl**2 * level + ss**2 * season + sb**2 * rise + se**2 * np.eye(72)
                    c, cross = w @ k @ w.T, k[future] @ w.T
                    r = logs - w @ (0.03 * t / 12) - 0.5 * se**2 * (1 - 1 / member.sum(1))
                    solved = np.linalg.solve(c, r)
                    yield (
                        -0.5 * r @ solved - 0.5 * np.linalg.slogdet(c)[1],
                        0.03 * t[future] / 12 + cross @ solved,
                        k[np.ix_(future, future)] - cross @ np.linalg.solve(c, cross.T),
                    )


@pytest.mark.parametrize("told", ["months", "sums", "gaps"])
def test_the_model_is_that_of_the_textbook(told):
    """Evidence, means and covariances of every setting against dense linear algebra, up to what all settings share."""
    cover = np.full(72, -1, "int8")
    if told == "months":
        cover[48:65] = np.arange(17)
    elif told == "sums":
        cover[36:48], cover[48:53], cover[53:60], cover[60:64], cover[64] = 0, 1, 2, 3, 4
    else:
        cover[50:62:2], cover[62:64], cover[66] = np.arange(6), 6, 7
    mask = model.mask_of(cover.tobytes(), False)
    f, future = model.factors(mask), np.flatnonzero(mask.ahead)
    logs = np.random.default_rng(3).normal(0, 0.3, len(mask.member))
    mean = mask.member / mask.member.sum(1, keepdims=True)
    rest = np.stack([logs - mean @ (model.GROWTH * model.TAU)] * 2, 1)
    ours = model.evidence(f, rest)[..., 0].ravel()
    books = list(dense(mask.member, logs, future))
    theirs = np.array([b[0] for b in books])
    np.testing.assert_allclose(ours - ours.max(), theirs - theirs.max(), rtol=1e-6, atol=1e-6)
    for i in range(0, len(books), 37):
        at = model.GROWTH * model.TAU[future] + f.gain[i] @ (rest[:, 0] - f.drop[i % 7])
        np.testing.assert_allclose(at, books[i][1], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(f.variance[i], books[i][2], rtol=1e-6, atol=1e-10)


def test_years_long_past_count_for_half():
    """With three years of months the chance is the mean of that with them and that without the first."""
    cover = np.full(72, -1, "int8")
    cover[24:66] = np.arange(42)
    mask = model.mask_of(cover.tobytes(), False)
    assert mask.recent.member.shape == (30, 72) and mask.kept.tolist() == list(range(12, 42))
    assert mask.recent.recent is None
    year = np.array([6.0, 4, 5, 7, 3, 5])  # every half alike, so that the mean month is the same
    amount = np.concatenate([np.tile(year[::-1], 2), np.tile(year, 5)])[:, None] * 10
    amount[:12] = 90 * (amount[:12] / 50) ** 3 / 1.528  # the first year is another one
    amount[:12] *= 600 / amount[:12].sum()
    none, known = np.zeros((12, 1)), amount[-6:].sum(0)
    long_, short = replace(mask, recent=None), mask.recent
    for aim in (560.0, 600.0, 660.0):
        said = [
            model.year_end(m, amount[kept], known, none).chance(np.array([aim]))[0]
            for m, kept in ((mask, slice(None)), (long_, slice(None)), (short, mask.kept))
        ]
        assert said[0] == pytest.approx((said[1] + said[2]) / 2, abs=0.01)
        assert abs(said[1] - said[2]) > 0.03 or aim == 600


def test_two_settings_mix_as_two_log_normals():
    """Half log-normal(0, .1), half log-normal(1, .2): at exp(.5) lie half, half that and half Φ(−2.5)."""
    m = model.Mixture(np.full((2, 1), 0.5), np.array([[0.0], [1.0]]), np.array([[0.1], [0.2]]))
    assert 1 - m.above(np.array([[0.5]]))[0, 0] == pytest.approx(
        0.5 * (1 + stats.norm.cdf(-2.5)), abs=1e-6
    )
    logs = m.logs(np.array([0.25, 0.75]))[:, 0]
    assert logs == pytest.approx([0, 1], abs=0.03)


def test_rates_of_small_counts_are_negative_binomials_as_scipy_has_them():
    rates = np.array([[0.4, 30.0], [2.5, 90.0]])
    c = counts.Counted(np.array([3.0, 0.0]), counts.at_most(rates))
    below = lambda n, i: stats.nbinom.cdf(n, rates[:, i] / 0.3, 1 / 1.3).mean()  # noqa: E731
    levels = np.array([0.9, 0.1, 0.5])
    for i in range(2):
        for level, q in zip(levels, c.quantiles(levels)[:, i] - c.known[i], strict=True):
            assert below(q, i) >= level > below(q - 1, i)
    assert c.chance(np.array([5.0, 60.0])) == pytest.approx([1 - below(1, 0), 1 - below(59, 1)])
    assert c.chance(np.array([3.0, np.inf])) == pytest.approx([1, 0], abs=1e-9)


def test_elimination_solves_what_numpy_solves():
    a = np.random.default_rng(0).normal(size=(4, 6, 6))
    a = np.einsum("nij,nkj->nik", a, a)
    b = np.random.default_rng(1).normal(size=(4, 6, 2))
    x, log_det = counts._eliminated(
        a.copy().transpose(1, 2, 0)[..., None], b.copy().transpose(1, 2, 0)[..., None]
    )
    whole = a + np.eye(6)
    np.testing.assert_allclose(x[..., 0].transpose(2, 0, 1), np.linalg.solve(whole, b))
    np.testing.assert_allclose(log_det[:, 0], np.linalg.slogdet(whole)[1])


def test_the_season_of_the_family_moves_a_series_that_knows_its_year_to_date_alone():
    """Two sisters bring three quarters of their year after June; a third knows 25 to June and nothing else."""
    year = np.r_[np.full(6, 0.25), np.full(6, 0.75)] * 101.5
    sisters = [series(n, np.r_[np.tile(year, 3), year[:6]], "2018-06") for n in ("a", "b")]
    frame = pd.concat([*sisters, series("c", [25.3], "2018-06", [6])]).assign(family="x")
    frame["months"] = frame["months"].fillna(1)
    alone, with_them = (
        project_year_end(f, levels=(0.1, 0.5, 0.9)).set_index("series_id").loc["c"]
        for f in (frame.drop(columns="family"), frame)
    )
    assert with_them[0.5] == pytest.approx(101.2, rel=0.1) and alone[0.5] < 60
    assert with_them[0.9] - with_them[0.1] < with_them[0.5]


def test_parks_lend_each_other_the_season_of_a_small_count():
    """Sisters have everything in December; a park with one year, 4 in its December, stands at 0 in June."""
    december = np.r_[np.zeros(11), 9.0]
    sisters = [series(n, np.r_[np.tile(december, 3), np.zeros(6)], "2018-06") for n in "abcd"]
    own = series("own", np.r_[np.zeros(11), 4, np.zeros(6)], "2018-06")
    frame = pd.concat([*sisters, own])
    alone, with_them = (
        project_year_end(f, levels=(0.5,)).set_index("series_id").at["own", 0.5]
        for f in (frame, frame.assign(family="x"))
    )
    assert alone <= with_them and 2 <= with_them <= 7


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
        np.testing.assert_allclose(
            out["probability"], 1 - LEVELS[i], atol=1e-3
        )  # 61 points between


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


def test_the_same_bits_under_another_kernel_of_the_linear_algebra():
    code = (
        "import numpy as np, pandas as pd, hashlib\n"
        "from zcqlib.projection import project_year_end\n"
        "r = np.random.default_rng(0)\n"
        "m = pd.period_range('2015-01', '2018-06', freq='M').astype('str')\n"
        "v = np.exp(r.normal(3, .3, (24, 42)))\n"
        "v[::2] = np.round(v[::2] / 4)\n"
        "h = pd.DataFrame({'series_id': np.repeat(range(24), 42), 'period': list(m) * 24, 'value': v.ravel()})\n"
        "h['months'] = 1\n"
        "s = pd.DataFrame({'series_id': 'x', 'period': ['2017-12', '2018-06'], 'value': [5.5, 3.1], 'months': [12, 6]})\n"
        "out = project_year_end(pd.concat([h.astype({'series_id': 'str'}), s]))\n"
        "print(hashlib.sha256(out.drop(columns='series_id').to_numpy().tobytes()).hexdigest())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_CORETYPE": core},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for core in ("Haswell", "Zen", "SkylakeX")
    }
    assert len(said) == 1


# --- the fit --------------------------------------------------------------------------------------------------------


def test_the_weights_are_those_under_which_the_panel_is_likeliest():
    """Three windows, two settings: two of one source favour the first by e, one of another the second by e².
    Expectation and maximisation must raise the likelihood at each step and end where no step moves it."""
    found, source = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array(["a", "a", "b"])
    w = fit.weigh(found, source)
    part = np.array([0.25, 0.25, 0.5])
    likely = np.exp(found)
    step = (part[:, None] * likely * w / (likely @ w)[:, None]).sum(0)
    np.testing.assert_allclose(w, 0.98 * step + 0.01, atol=1e-4)
    assert part @ np.log(likely @ w) > part @ np.log(likely @ np.array([0.5, 0.5]))


def test_a_panel_of_quiet_series_gets_quiet_settings():
    rng = np.random.default_rng(0)
    quiet, loud = ([np.exp(rng.normal(0, s, 48)) for _ in range(8)] for s in (0.02, 0.6))

    def noise(panel):
        found, owner = fit.evidence(panel)
        table = fit.settings(fit.weigh(found, np.array(["a"])[owner * 0]))
        assert table["weight"].sum() == pytest.approx(1) and len(table) == 525
        return (table["weight"] * table["se"]).sum()

    assert noise(quiet) < 0.1 < 0.4 < noise(loud)


def test_the_shipped_settings_are_those_of_the_grid():
    table = pd.read_csv(model.SETTINGS)
    grid = fit.settings(np.zeros(525))
    pd.testing.assert_frame_equal(table.drop(columns="weight"), grid.drop(columns="weight"))
    assert table["weight"].sum() == pytest.approx(1) and (table["weight"] > 0).all()
    assert np.exp(model.log_weights(False)).sum() == pytest.approx(1)
