"""Composite scores and places under uncertainty: wrong input, values by hand, laws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zcqlib.ranking import (
    Choices,
    Model,
    RankingError,
    composite,
    flips,
    leave_one_out,
    monte_carlo,
    moved,
    ranks,
)

NAN = float("nan")


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(
        columns, index=list("ABCDE")[: len(next(iter(columns.values())))], dtype="float64"
    )


TWO = frame(a=[50, 80, 110], b=[110, 80, 56])
BOUNDS = {"a": (50, 110), "b": (50, 110)}


# wrong input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": {"a": 1}}, "「b」没有权重"),
        ({"weights": [1, NAN]}, "合计为 nan"),
        ({"weights": [1, -1]}, "合计为 0"),
        ({"weights": [1, 1, 1]}, "2 个指标,却给了 3 个权重"),
        ({"weights": [0.5, 0.6], "weight_sum": "one"}, "合计 1.1,应为 1"),
        ({"bounds": None}, "需要界值"),
        ({"bounds": {"a": (50, 110)}}, "「b」的界值"),
        ({"bounds": (70, 70)}, "不相等"),
        (
            {"bounds": {"a": (50, 110), "b": (110, 50)}, "direction": {"b": -1}},
            "「b」.*low 大于 high",
        ),
        ({"bounds": pd.DataFrame({"low": [1, 1]}, index=["a", "b"])}, "1 至 nan"),
        ({"direction": {"a": 2}}, "方向应为 1 或 -1"),
        ({"groups": {"a": "G"}}, "没有指标「b」"),
        ({"groups": {"a": "b", "b": "a"}}, "groups"),
        ({"groups": {"a": "b", "b": "T"}}, "「b」既是指标又是"),
        ({"groups": {"a": "G", "b": "T", "G": "H", "H": "G"}}, "互为上级"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_element_s_name(change, words):
    with pytest.raises(RankingError, match=words):
        composite(TWO, **({"weights": None, "bounds": BOUNDS} | change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"normalise": "log"}, "log"),
        ({"aggregate": "max"}, "max"),
        ({"missing": "zero"}, "zero"),
        ({"weight_sum": "two"}, "two"),
        ({"missing": "median"}, "median"),
    ],
)
def test_a_word_that_is_not_offered_is_a_wrong_call(change, words):
    with pytest.raises(ValueError, match=words):
        composite(TWO.where(TWO > 50), None, BOUNDS, **change)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.DataFrame(), "至少一个"),
        (pd.DataFrame({"a": ["x", "y"]}), "不是数字"),
        (pd.DataFrame({"a": [1.0, np.inf]}), "无穷大"),
        (pd.DataFrame({"a": [1.0, 2]}, index=["A", "A"]), "不止一次"),
    ],
)
def test_a_table_that_is_no_table_of_numbers_is_refused(values, words):
    with pytest.raises(RankingError, match=words):
        composite(values, None, None, "minmax_100")


def test_values_that_a_mean_cannot_take_name_the_unit_and_the_indicator():
    values = frame(a=[1, -2], b=[3, 0])
    with pytest.raises(RankingError, match="几何平均只能用正数.*B 的 a 为 -2"):
        composite(values, [1, 0], None, "none", "geometric")
    with pytest.raises(RankingError, match="调和平均不能用 0:B 的 b 为 0"):
        composite(values, None, None, "none", "harmonic")
    assert composite(frame(a=[-2], b=[4]), None, None, "none", "harmonic")["A"] == pytest.approx(-8)


# values by hand -------------------------------------------------------------------------------------------------------


def test_efficacy_is_sixty_at_the_lower_and_a_hundred_at_the_upper_bound_and_not_cut():
    found = composite(frame(a=[50, 110, 80, 20, 140]), None, (50, 110))
    assert found.tolist() == [60, 100, 80, 40, 120] and found.name == "score"
    assert composite(frame(a=[50, 140]), None, (50, 110), clip=True).tolist() == [60, 100]
    falling = composite(frame(a=[2, 8]), None, {"a": (8, 2)})
    turned = composite(frame(a=[2, 8]), None, {"a": (2, 8)}, direction={"a": -1})
    assert falling.tolist() == turned.tolist() == [100, 60]


def test_the_three_means_of_one_unit():
    values = frame(a=[2], b=[8])
    means = {"arithmetic": 6.5, "geometric": 2**0.25 * 8**0.75, "harmonic": 4 / (1 / 2 + 3 / 8)}
    for how, expected in means.items():
        assert composite(values, [1, 3], None, "none", how)["A"] == pytest.approx(
            expected, rel=1e-12
        )


def test_all_forms_of_a_hierarchy_say_the_same():
    values = frame(a=[1, 2], b=[5, 3], c=[2, 9])
    flat = {"a": "G", "b": "G", "c": "H", "G": "T", "H": "T"}
    forms = [flat, pd.Series(flat), {"a": "G", "b": "G", "c": "H"}]
    for form in forms:
        assert composite(values, {"G": 3, "H": 1}, None, "none", groups=form).tolist() == [
            2.75,
            4.125,
        ]


def test_a_gap_hands_its_weight_to_its_siblings_or_is_filled_by_the_named_rule():
    values = frame(a=[10, NAN, 30], b=[0, 6, 9])
    assert composite(values, [3, 1], None, "none").tolist() == [7.5, 6, 24.75]
    assert composite(values, [3, 1], None, "none", missing="mean")["B"] == pytest.approx(16.5)
    grouped = composite(
        values,
        [3, 1],
        None,
        "none",
        missing="group_mean",
        unit_groups={"A": "x", "B": "x", "C": "y"},
    )
    assert grouped["B"] == pytest.approx(9)
    assert np.isnan(composite(frame(a=[NAN, 1]), None, None, "none")["A"])


def test_places_skip_after_a_tie_and_leave_gaps_out():
    assert ranks(pd.Series([3.0, 5, 3, NAN, 1])).tolist()[:3] == [2, 1, 2]
    assert (
        np.isnan(ranks(pd.Series([1.0, NAN]))[1]) and ranks(pd.Series([3.0, 5, 3, NAN, 1]))[4] == 4
    )
    assert ranks(pd.Series([1.0, 1 + 1e-12]), 1e-9).tolist() == [1, 1]


def test_every_form_of_weights_and_bounds_says_the_same():
    values, tree = frame(a=[50, 90], b=[110, 70]), {"a": "G", "b": "H", "G": "T", "H": "T"}
    for weights in ({"G": 3, "H": 1}, pd.Series({"G": 3, "H": 1})):
        for bounds in (
            (50, 110),
            [50, 110],
            {"a": (50, 110), "b": [50, 110]},
            pd.Series({"a": (50, 110), "b": (50, 110)}),
            pd.DataFrame({"low": 50, "high": 110}, index=["a", "b"]),
            pd.DataFrame({"lower": 50, "upper": 110}, index=["a", "b"]),
        ):
            found = composite(values, weights, bounds, groups=tree)
            assert found.tolist() == pytest.approx([70, (3 * 260 / 3 + 220 / 3) / 4])


def test_last_digits_of_floating_point_numbers_decide_no_place():
    assert ranks(pd.Series([0.1 + 0.2, 0.3])).tolist() == [1, 1]
    assert ranks(pd.Series([60.0, 60.0000001])).tolist() == [2, 1]


def test_equal_units_share_the_first_place_and_one_unit_alone_is_first():
    assert ranks(composite(frame(a=[80, 80], b=[70, 70]), None, (50, 110))).tolist() == [1, 1]
    assert ranks(composite(frame(a=[80]), None, (50, 110))).tolist() == [1]
    assert (
        composite(frame(a=[80, 80]), None, None, "minmax_100").isna().all()
    )  # no spread of its own: no score


# laws -----------------------------------------------------------------------------------------------------------------


def random(seed: int, units: int = 5, indicators: int = 6, gaps: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.uniform(40, 120, (units, indicators))
    x[rng.random(x.shape) < gaps] = np.nan
    x[:, 0] = rng.uniform(40, 120, units)
    return pd.DataFrame(
        x, index=list("ABCDEFGH")[:units], columns=[f"i{k}" for k in range(indicators)]
    )


def halves(values: pd.DataFrame) -> dict:
    return {c: "G" if k % 2 else "H" for k, c in enumerate(values)}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["minmax_100", "minmax_1_100", "zscore", "rank", "efficacy"]),
    st.floats(0.001, 1000),
    st.floats(-50, 50),
)
def test_a_change_of_unit_changes_no_place_and_no_score(seed, how, factor, shift):
    values = random(seed)
    low, high = (50, 110), (50 * factor + shift, 110 * factor + shift)
    one = composite(values, None, low if how == "efficacy" else None, how, groups=halves(values))
    other = composite(
        values * factor + shift,
        None,
        high if how == "efficacy" else None,
        how,
        groups=halves(values),
    )
    np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-7)
    assert ranks(one, 1e-6).equals(ranks(other, 1e-6))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.permutations(range(5)),
    st.sampled_from(["arithmetic", "geometric", "harmonic"]),
)
def test_permuting_units_permutes_scores_and_places(seed, order, how):
    values = random(seed)
    one = composite(values, None, (0, 120), "minmax_1_100", how, halves(values))
    other = composite(values.iloc[list(order)], None, (0, 120), "minmax_1_100", how, halves(values))
    pd.testing.assert_series_equal(one.iloc[list(order)], other)
    pd.testing.assert_series_equal(ranks(one).iloc[list(order)], ranks(other))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_only_the_ratio_of_weights_counts_and_the_arguments_stay_as_they_are(seed, factor):
    values, w = random(seed), pd.Series(range(1, 7), index=[f"i{k}" for k in range(6)], dtype=float)
    copy = values.copy()
    np.testing.assert_allclose(
        composite(values, w, (50, 110)), composite(values, w * factor, (50, 110)), rtol=1e-12
    )
    pd.testing.assert_frame_equal(values, copy)


def test_harmonic_is_never_above_geometric_nor_geometric_above_arithmetic():
    for seed in range(20):
        a, g, h = (
            composite(random(seed), None, (0, 120), "minmax_1_100", how)
            for how in ("arithmetic", "geometric", "harmonic")
        )
        assert (h <= g + 1e-9).all() and (g <= a + 1e-9).all()


def test_a_better_value_never_lowers_the_score():
    for seed in range(20):
        values = random(seed, gaps=0)
        better = values.copy()
        better.iloc[2, 3] += 5
        assert composite(better, None, (50, 110))["C"] > composite(values, None, (50, 110))["C"]


# uncertainty ----------------------------------------------------------------------------------------------------------

STILL = Choices(("efficacy",), ("arithmetic",), 0.0)


def model(values: pd.DataFrame, groups=True, clip=None) -> Model:
    return Model(values, None, (50, 110), halves(values) if groups else None, clip=clip)


def whole(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return found[list(found)[-1]]


def test_simulation_refuses_weights_that_could_turn_round():
    with pytest.raises(ValueError, match="weight_noise"):
        Choices(weight_noise=1.5)


def test_without_anything_to_vary_every_run_is_the_score_in_use():
    values = random(3)
    found = whole(monte_carlo(model(values), STILL, runs=50))
    expected = ranks(composite(values, None, (50, 110), groups=halves(values)))
    for column in ("nominal", "place", "mean", "low", "high"):
        assert found[column].tolist() == expected.tolist()
    assert (found["tied_with"] == "").all()


def test_same_seed_same_draws_and_chances_of_places_add_up():
    values = random(5, gaps=0.2)
    one, two = (whole(monte_carlo(model(values), runs=400, seed=7)) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    np.testing.assert_allclose(one[[1, 2, 3, 4, 5]].sum(axis=1), 1)
    assert (one["low"] <= one["median"]).all() and (one["median"] <= one["high"]).all()
    assert (one["place"] <= one["nominal"]).all()


def test_a_run_has_weights_of_its_own_and_each_method_its_share_of_the_runs():
    # A leads on a by 20 points, B on b by 19: at equal weights A is first, and the weights decide how often
    values = frame(a=[110, 80], b=[80, 108.5])
    found = whole(monte_carlo(model(values, False), replace(STILL, weight_noise=0.25), runs=4000))
    # u, v uniform on ±.25: A first where 20(1+u) > 19(1+v)
    u, v = np.meshgrid(*[np.linspace(-0.25, 0.25, 201)] * 2)
    assert found.at["A", 1] == pytest.approx(np.mean(20 * (1 + u) > 19 * (1 + v)), abs=0.03)
    # minmax_1_100 under the geometric mean hates the low value of A: half of the runs each
    values = frame(a=[110, 75], b=[50.5, 75])
    both = Choices(("minmax_1_100",), ("arithmetic", "geometric"), 0.0)
    assert whole(monte_carlo(model(values, False), both, runs=100)).at["A", 1] == 0.5


def test_units_that_cannot_be_told_apart_share_the_better_place_and_others_do_not():
    values = frame(a=[100, 99, 55], b=[99.5, 100, 55])
    found = whole(monte_carlo(model(values, False), Choices(noise=2.0), runs=2000))
    assert found["tied_with"].tolist() == ["B", "A", ""]
    assert found["place"].tolist() == [1, 1, 3]
    assert found.loc["C", ["low", "high"]].tolist() == [3, 3]


def test_a_tie_runs_on_until_every_unit_above_is_told_apart_from_every_one_below():
    from zcqlib.ranking.simulate import _summary

    def tied(runs, nominal, units) -> tuple[list, list]:
        found = _summary(np.array(runs, float), np.array(nominal, float), list(units))
        return found["tied_with"].tolist(), found["place"].tolist()

    runs = [[1, 2, 3, 4]] * 4 + [[2, 1, 3, 4]] * 2 + [[1, 3, 2, 4]] * 4
    told, place = tied(runs, [1, 2, 3, 4], "ABCD")
    assert told == ["", "C", "B", ""] and place == [
        1,
        2,
        2,
        4,
    ]  # A before B in 8 of 10, B before C in 6
    chain = [[1, 2, 3]] * 2 + [[2, 1, 3]] * 4 + [[1, 3, 2]] * 4  # A before C always, B in between
    told, place = tied(chain, [1, 2, 3], "ABC")
    assert told == ["B;C", "A;C", "A;B"] and place == [1, 1, 1]
    against = [[2, 1, 3]] * 9 + [[1, 2, 3]]  # the simulation puts B first, the score A
    assert tied(against, [1, 2, 3], "ABC") == (["B", "A", ""], [1, 1, 3])
    assert tied(against, [1, NAN, 2], "ABC")[0] == ["", "", ""]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.sets(st.integers(0, 5), min_size=1))
def test_a_value_at_the_lower_bound_never_gives_a_better_place_than_any_other_value(seed, u, items):
    before = random(seed, gaps=0.0)
    after = before.copy()
    after.iloc[u, list(items)] = 50.0
    noise = before.abs() * 0.05
    less = noise.copy()
    less.iloc[u, list(items)] = 0.0
    one, two = (
        monte_carlo(model(v, clip=True), Choices(noise=n), runs=120)
        for v, n in ((before, noise), (after, less))
    )
    for k in one:
        assert two[k]["nominal"].iloc[u] >= one[k]["nominal"].iloc[u]
        assert two[k]["place"].iloc[u] >= one[k]["place"].iloc[u]


def test_leaving_out_and_flipping_by_hand():
    # a: A ahead by 12, b: B ahead by 9; equal weights put A first
    values = frame(a=[92, 80], b=[80, 89])
    left = leave_one_out(model(values, False))
    assert left.loc["a"].tolist() == [2, 1, 1] and left.loc["b"].tolist() == [1, 2, 0]
    with pytest.raises(RankingError, match="没有「z」"):
        leave_one_out(model(values, False), elements=["z"])
    found = flips(model(values, False), replace(STILL, weight_noise=0.3), {"a": "甲"})
    assert set(found["choice"]) == {
        "「甲」不计",
        "「甲」权重减30%",
    }  # 0.7 · 12 < 9, but 1.3 · 9 < 12
    assert found[found["choice"] == "「甲」不计"][["before", "after"]].to_numpy().tolist() == [
        [1, 2],
        [2, 1],
    ]
    mean = flips(
        Model(frame(a=[110, 75], b=[51, 75]), None, (50, 110)),
        Choices(("minmax_1_100",), ("arithmetic", "geometric"), 0.0),
    )
    assert mean.loc[mean["choice"] == "改用几何平均", "unit"].tolist() == ["A", "B"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["arithmetic", "geometric"]))
def test_what_moved_sums_exactly_to_the_change_of_the_score(seed, how):
    before, after = random(seed, gaps=0.15), random(seed + 1, gaps=0.15)
    after["i1"] = before["i1"]
    args, method = (None, (0, 120)), ("minmax_1_100", how)
    steps = moved(before, Model(after, *args, halves(after)), method, orders=4)
    one, two = (composite(v, *args, *method, halves(v)) for v in (before, after))
    sums = steps.groupby("unit")["score_change"].sum()
    np.testing.assert_allclose(sums, (two - one)[sums.index], atol=1e-9)
    assert "i1" not in set(steps["indicator"]) and set(sums.index) == set(before.index)


def test_one_changed_indicator_takes_all_of_the_change_and_no_change_gives_no_rows():
    before = frame(a=[60, 80], b=[80, 70])
    after = before.assign(a=[90.0, 80.0])
    steps = moved(before, model(after, False)).set_index("unit")["score_change"]
    assert steps.to_dict() == pytest.approx({"A": 10, "B": 0})
    assert moved(before, model(before, False)).empty
    left = moved(before.drop(index="A"), model(after, False))
    assert set(left["unit"]) == {"B"} and left["score_change"].eq(0).all()  # A had no score before
