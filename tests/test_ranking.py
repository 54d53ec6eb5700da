"""Composite scores, places under uncertainty and the parks' ranks: wrong input, values by hand, laws."""

from types import SimpleNamespace

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
    composite,
    flips,
    leave_one_out,
    monte_carlo,
    moved,
    park_moves,
    period_months,
    period_of,
    ranks,
    score_parks,
    sensitivity,
    sobol_indices,
    what_if,
)

NAN = float("nan")
PARKS = ["gaoxin", "jingkai", "pingyuan", "hongqi", "muye"]


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
        ({"weights": [1, NAN]}, "「b」的权重不是数字"),
        ({"weights": [1, -1]}, "合计为 0"),
        ({"weights": [1, 1, 1]}, "2 个指标,却给了 3 个权重"),
        ({"weights": [0.5, 0.6], "weight_sum": "one"}, "合计 1.1,应为 1"),
        ({"bounds": None}, "需要界值"),
        ({"bounds": {"a": (50, 110)}}, "「b」的界值"),
        ({"bounds": (70, 70)}, "不相等"),
        ({"bounds": {"a": (50, 110), "b": (110, 50)}, "direction": {"b": -1}}, "low 大于 high"),
        ({"bounds": pd.DataFrame({"low": [1, 1]}, index=["a", "b"])}, "缺少 high 列"),
        ({"direction": {"a": 2}}, "方向应为 1 或 -1"),
        ({"groups": {"a": "G"}}, "没有指标「b」"),
        ({"groups": {"a": "b", "b": "a"}}, "groups"),
        ({"groups": {"G": ["a", "b"], "H": ["b"]}}, "两个上级"),
        ({"aggregate": ["arithmetic"], "groups": {"a": "G", "b": "G", "G": "T"}}, "只给了 1 层"),
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
        ({"missing": "group_mean"}, "unit_groups"),
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
    with pytest.raises(RankingError, match="几何平均只能用正数:B 的 a 为 -2"):
        composite(values, [1, 0], None, "none", "geometric")
    with pytest.raises(RankingError, match="调和平均不能用 0:B 的 b 为 0"):
        composite(values, None, None, "none", "harmonic")
    assert composite(frame(a=[-2], b=[4]), None, None, "none", "harmonic")["A"] == pytest.approx(-8)


def test_a_gap_is_refused_where_the_rule_says_so():
    with pytest.raises(RankingError, match="B 的 a 缺数"):
        composite(frame(a=[1, NAN]), None, None, "minmax_100", missing="refuse")


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


def test_each_level_may_have_a_mean_of_its_own():
    values = frame(a=[2], b=[8], c=[6])
    tree = {"a": "G", "b": "G", "c": "H", "G": "T", "H": "T"}
    assert composite(values, None, None, "none", ["geometric", "arithmetic"], tree)[
        "A"
    ] == pytest.approx(5)


def test_all_forms_of_a_hierarchy_say_the_same():
    values = frame(a=[1, 2], b=[5, 3], c=[2, 9])
    flat = {"a": "G", "b": "G", "c": "H", "G": "T", "H": "T"}
    forms = [
        flat,
        pd.Series(flat),
        {"G": ["a", "b"], "H": ["c"]},
        {"T": {"G": ["a", "b"], "H": ["c"]}},
        pd.DataFrame({"one": ["G", "G", "H"], "two": "T"}, index=list("abc")),
        {"a": "G", "b": "G", "c": "H"},
    ]
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
    assert np.isnan(composite(values, [3, 1], None, "none", available=0.6)["B"])
    assert np.isnan(composite(frame(a=[NAN, 1]), None, None, "none")["A"])


def test_places_skip_after_a_tie_and_leave_gaps_out():
    assert ranks(pd.Series([3.0, 5, 3, NAN, 1])).tolist()[:3] == [2, 1, 2]
    assert (
        np.isnan(ranks(pd.Series([1.0, NAN]))[1]) and ranks(pd.Series([3.0, 5, 3, NAN, 1]))[4] == 4
    )
    assert ranks(pd.Series([1.0, 1 + 1e-12]), 1e-9).tolist() == [1, 1]
    with pytest.raises(ValueError, match="tolerance"):
        ranks(pd.Series([1.0]), -1)


def test_every_form_of_weights_and_bounds_says_the_same():
    values, tree = frame(a=[50, 90], b=[110, 70]), {"a": "G", "b": "H", "G": "T", "H": "T"}
    for weights in (
        {"G": 3, "H": 1},
        pd.Series({"G": 3, "H": 1}),
        [{"a": 1, "b": 1}, {"G": 3, "H": 1}],
        pd.DataFrame({"weight": [3, 1]}, index=["G", "H"]),
    ):
        for bounds in (
            (50, 110),
            [50, 110],
            {"a": (50, 110), "b": [50, 110]},
            pd.Series({"a": (50, 110), "b": (50, 110)}),
            pd.DataFrame({"low": 50, "high": 110}, index=["a", "b"]),
            pd.DataFrame({"a": [50, 110], "b": [50, 110]}, index=["low", "high"]),
            {"low": {"a": 50, "b": 50}, "high": {"a": 110, "b": 110}},
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
    st.sampled_from(["minmax_100", "minmax_1_100", "zscore", "rank", "efficacy", "goalposts"]),
    st.floats(0.001, 1000),
    st.floats(-50, 50),
)
def test_a_change_of_unit_changes_no_place_and_no_score(seed, how, factor, shift):
    values = random(seed)
    low, high = (50, 110), (50 * factor + shift, 110 * factor + shift)
    one = composite(
        values, None, low if how in ("efficacy", "goalposts") else None, how, groups=halves(values)
    )
    other = composite(
        values * factor + shift,
        None,
        high if how in ("efficacy", "goalposts") else None,
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


def test_simulation_refuses_what_it_cannot_vary():
    with pytest.raises(ValueError, match="runs"):
        monte_carlo(TWO, None, BOUNDS, runs=0)
    with pytest.raises(ValueError, match="missing"):
        Choices(missing=("median",))
    with pytest.raises(ValueError, match="weight_noise"):
        Choices(weight_noise=1.5)
    with pytest.raises(ValueError, match="2 的整数次幂"):
        sensitivity(TWO, None, BOUNDS, samples=100)
    with pytest.raises(ValueError, match="不能分成"):
        sobol_indices(np.zeros(7), ["a"])


def test_without_anything_to_vary_every_run_is_the_score_in_use():
    still = Choices(("efficacy",), ("arithmetic",), ("drop",), 0.0)
    values = random(3)
    found = monte_carlo(values, None, (50, 110), halves(values), choices=still, runs=50)
    expected = ranks(composite(values, None, (50, 110), groups=halves(values)))
    assert (found.places == expected.to_numpy()).all().all()
    assert (
        found.summary["low"].equals(found.summary["high"])
        and (found.summary["tied_with"] == "").all()
    )


def test_same_seed_same_draws_and_chances_of_places_add_up():
    values = random(5, gaps=0.2)
    one, two = (
        monte_carlo(values, None, (50, 110), halves(values), runs=400, seed=7) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.places, two.places)
    s = one.summary
    np.testing.assert_allclose(s[[f"p_{k}" for k in range(1, 6)]].sum(axis=1), 1)
    assert (s["low"] <= s["median"]).all() and (s["median"] <= s["high"]).all()
    both = one.ahead.to_numpy() + one.ahead.to_numpy().T
    np.testing.assert_allclose(both[~np.eye(5, dtype=bool)], 1)


def test_a_run_is_the_composite_with_its_own_weights():
    from zcqlib.ranking.simulate import FACTORS, _Model

    values, c = random(11), Choices(("zscore",), ("arithmetic",), ("drop",), 0.5)
    model = _Model.of(values, None, (50, 110), halves(values), c, None)
    got = model.run(np.full((1, len(FACTORS)), 0.5), 1, 4)["score"][0]
    elements = [e for children in model.tree.values() for e in children]
    spread = 1 + 0.5 * np.random.default_rng([4, 1]).uniform(-1, 1, (1, len(elements)))[0]
    w = {e: model.weights[e] * k for e, k in zip(elements, spread, strict=True)}
    np.testing.assert_allclose(
        got, composite(values, w, (50, 110), "zscore", groups=halves(values)), rtol=1e-12
    )


def test_units_that_cannot_be_told_apart_are_said_to_be_tied_and_others_are_not():
    values = frame(a=[100, 100, 55], b=[99.5, 100, 55])
    found = monte_carlo(values, None, (50, 110), choices=Choices(noise=2.0), runs=2000).summary
    assert found["tied_with"].tolist() == ["B", "A", ""] and found.loc[
        "C", ["low", "high"]
    ].tolist() == [3, 3]


def test_a_tie_runs_on_until_every_unit_above_is_told_apart_from_every_one_below():
    from zcqlib.ranking.simulate import _summary

    runs = np.array([[1, 2, 3, 4]] * 4 + [[2, 1, 3, 4]] * 2 + [[1, 3, 2, 4]] * 4, float)
    tied = _summary(runs, np.array([1.0, 2, 3, 4]), list("ABCD"))["tied_with"]
    assert tied.tolist() == ["", "C", "B", ""]  # A is ahead of B in 8 of 10 runs, B of C in 6
    chain = np.array(
        [[1, 2, 3]] * 2 + [[2, 1, 3]] * 4 + [[1, 3, 2]] * 4, float
    )  # A before C always, B in between
    assert _summary(chain, np.array([1.0, 2, 3]), list("ABC"))["tied_with"].tolist() == [
        "B;C",
        "A;C",
        "A;B",
    ]
    against = np.array(
        [[2, 1, 3]] * 9 + [[1, 2, 3]], float
    )  # the simulation puts B first, the score A
    assert _summary(against, np.array([1.0, 2, 3]), list("ABC"))["tied_with"].tolist() == [
        "B",
        "A",
        "",
    ]
    assert _summary(against, np.array([1.0, NAN, 2]), list("ABC"))["tied_with"].tolist() == [
        "",
        "",
        "",
    ]


def test_a_gap_that_was_never_asked_for_is_not_filled():
    values = frame(a=[60, 60, 60], b=[NAN, 110, 100])
    c = Choices(("efficacy",), ("arithmetic",), ("mean",), 0.0)
    free = monte_carlo(values, None, (50, 110), choices=c, runs=1).summary["nominal"]
    kept = monte_carlo(
        values,
        None,
        (50, 110),
        choices=Choices(
            ("efficacy",),
            ("arithmetic",),
            ("mean",),
            0.0,
            fill=pd.DataFrame(False, values.index, values.columns),
        ),
        runs=1,
    ).summary["nominal"]
    assert free.tolist() == [2, 1, 3] and kept.tolist() == [3, 1, 2]


def test_leaving_out_and_flipping_by_hand():
    # a: A ahead by 12, b: B ahead by 9; equal weights put A first
    values = frame(a=[92, 80], b=[80, 89])
    left = leave_one_out(values, None, (50, 110))
    assert left.loc["a"].tolist() == [2, 1, 1] and left.loc["b"].tolist() == [1, 2, 0]
    with pytest.raises(RankingError, match="没有「z」"):
        leave_one_out(values, None, (50, 110), elements=["z"])
    found = flips(
        values,
        None,
        (50, 110),
        choices=Choices(("efficacy",), ("arithmetic",), ("drop",), 0.3),
        names={"a": "甲"},
    )
    assert set(found["choice"]) == {
        "不计「甲」",
        "「甲」权重减30%",
    }  # 0.7 · 12 < 9, but 1.3 · 9 < 12
    assert found[found["choice"] == "不计「甲」"][["before", "after"]].to_numpy().tolist() == [
        [1, 2],
        [2, 1],
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["arithmetic", "geometric"]))
def test_what_moved_sums_exactly_to_the_change_of_score_and_place(seed, how):
    before, after = random(seed, gaps=0.15), random(seed + 1, gaps=0.15)
    after["i1"] = before["i1"]
    args = (None, (0, 120), "minmax_1_100", how, halves(before))
    steps = moved(before, after, *args, orders=4)
    one, two = composite(before, *args), composite(after, *args)
    sums = steps.groupby("unit")[["score_change", "rank_change"]].sum()
    np.testing.assert_allclose(sums["score_change"], two - one, atol=1e-9)
    np.testing.assert_allclose(sums["rank_change"], ranks(two) - ranks(one), atol=1e-9)
    assert "i1" not in set(steps["indicator"])


def test_one_changed_indicator_takes_all_of_the_change_and_no_change_gives_no_rows():
    before = frame(a=[60, 80], b=[80, 70])
    after = before.assign(a=[90.0, 80.0])
    steps = moved(before, after, None, (50, 110)).set_index("unit")
    assert steps.loc["A", ["score_change", "rank_change"]].tolist() == pytest.approx([10, -1])
    assert steps.at["B", "rank_change"] == 1
    assert moved(before, before, None, (50, 110)).empty
    with pytest.raises(RankingError, match="相同"):
        moved(before, after.iloc[:1], None, (50, 110))
    with pytest.raises(RankingError, match="A 在前后某一步没有得分"):
        moved(before, after.drop(index="A").reindex(after.index), None, (50, 110))


def test_sensitivity_gives_all_to_the_only_thing_that_varies_and_nothing_where_nothing_moves():
    values = frame(a=[100, 60, 80], b=[60, 99, 80])
    only = Choices(("efficacy",), ("arithmetic",), ("drop",), 0.6)
    found = sensitivity(values, None, (50, 110), choices=only, samples=256)
    assert found.at["weights", "total"] == pytest.approx(1, abs=0.15)
    assert found["total"].drop("weights").abs().max() < 1e-12
    still = frame(a=[100, 60], b=[100, 60])
    assert sensitivity(still, None, (50, 110), choices=only, samples=8).isna().all().all()


# the parks ------------------------------------------------------------------------------------------------------------


def small(weights=(0.5, 0.5)) -> SimpleNamespace:
    """Two groups, three items and the real parks."""
    c = catalogs.load()
    w = pd.DataFrame(
        [
            ("1", "group", "", "组一", weights[0]),
            ("2", "group", "", "组二", weights[1]),
            ("patent_grants", "indicator", "1", "", 0.5),
            ("patent_applications", "indicator", "1", "", 0.5),
            ("policy_systems_complete", "indicator", "2", "", 1.0),
        ],
        columns=["id", "level", "parent", "name_zh", "weight"],
    ).assign(demo=False)
    b = pd.DataFrame(
        [
            ("patent_grants", "attainment_pct", 50.0, 110.0),
            ("patent_applications", "attainment_pct", 50.0, 110.0),
            ("policy_systems_complete", "share_done", 0.0, 100.0),
        ],
        columns=["indicator", "measure", "low", "high"],
    ).assign(error_pct=2.0, demo=False)
    return SimpleNamespace(
        weights=w,
        bounds=b,
        members=c.members,
        name=c.name,
        unit=c.unit,
        indicators=c.indicators,
        eligibility=c.eligibility,
    )


def projected(actual: dict, month: str = "2018-09", target: float = 100.0, **more) -> pd.DataFrame:
    rows = [
        dict(
            region=r,
            indicator=i,
            year=2018,
            as_of=month,
            kind="flow",
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


def attained(p: pd.DataFrame, c, **more) -> pd.DataFrame:
    return pd.concat(
        [attainment(p, c, m, **more) for m in sorted(p["as_of"].unique())], ignore_index=True
    )


def scored(p: pd.DataFrame, c, period: str, *, milestones=None, series=None, **options):
    return score_parks(attained(p, c, milestones=milestones, series=series), c, period, **options)


SEPTEMBER = {
    "patent_grants": [110, 80, 50, 20, 300],
    "patent_applications": [80, 80, NAN, 80, 80],
    "policy_systems_complete": [1, 0, 1, 1, None],
}


def test_scores_rest_on_attainment_by_hand_and_have_the_shape_of_ranks():
    p = projected(SEPTEMBER)
    p.loc[p["indicator"] == "policy_systems_complete", "target_low"] = 1.0
    found = scored(p, small(), "2018-09", runs=200)
    tables.check(found.ranks, tables.RANKS)
    own = found.ranks[found.ranks["indicator"] == "composite"].set_index("region")
    # group 1: mean of (100, 80), (80, 80), –, (40, 80), (110 cut: 100, 80); group 2: 100, 60, 100, 100, no target
    assert own["value"].round(9).to_dict() == pytest.approx(
        {"gaoxin": 95, "jingkai": 70, "hongqi": 80, "muye": 90, "pingyuan": NAN}, nan_ok=True
    )
    assert own["rank"].to_dict() == pytest.approx(
        {"gaoxin": 1, "muye": 2, "hongqi": 3, "jingkai": 4, "pingyuan": NAN}, nan_ok=True
    )
    item = found.items.set_index(["region", "indicator"])
    assert item.loc[("muye", "policy_systems_complete"), "reason"] == "园区目标未下达"
    assert item.loc[("muye", "patent_grants"), "value"] == 110  # cut at the upper bound


def test_a_park_with_too_little_data_is_told_why_and_a_group_without_targets_too():
    found = scored(projected(SEPTEMBER), small(), "2018-09", runs=50).notes
    told = found.set_index(["region", "indicator"])["message"]
    assert "3 项中 1 项缺数(超过 20%),不排位" in told["pingyuan", "composite"]
    assert "专利申请" in told["pingyuan", "composite"] and "园区目标未下达" in told["muye", "2"]


def test_stages_reached_by_then_are_the_share_done():
    dates = ["2018-03", "2018-12", "", "2018-09"]
    stages = tables.shape(
        [
            dict(
                id="policy_systems_complete",
                region="gaoxin",
                stage=f"s{k}",
                stage_no=k,
                stage_zh="阶段",
                date=d,
            )
            for k, d in enumerate(dates, 1)
        ],
        tables.MILESTONES,
    )
    found = scored(projected(SEPTEMBER), small(), "2018-09", milestones=stages, runs=10).items
    own = found[(found["region"] == "gaoxin") & (found["measure"] == "share_done")]
    assert own["value"].tolist() == [50.0]


def test_a_park_that_is_a_month_behind_the_others_is_not_compared_on_its_older_month():
    s = tables.shape(
        [
            dict(
                region=r,
                indicator="patent_grants",
                start=m,
                end=m,
                months=1,
                value=1.0,
                unit="件",
                published=m,
                demo=False,
            )
            for r in PARKS
            for m in ("2018-08", "2018-09")
            if (r, m) != ("muye", "2018-09")
        ],
        tables.SERIES,
    )
    p = projected(SEPTEMBER)
    found = scored(p, small(), "2018-09", series=s, runs=10)
    item = found.items.set_index(["region", "indicator"])["reason"]
    assert item["muye", "patent_grants"] == "迟报" and item["gaoxin", "patent_grants"] == ""
    assert (
        "不排位" in found.notes.set_index(["region", "indicator"])["message"]["muye", "composite"]
    )
    earlier = scored(
        p.assign(as_of=pd.Period("2018-08", "M")), small(), "2018-08", series=s, runs=10
    )
    assert "迟报" not in set(earlier.items["reason"])


def test_the_first_of_each_choice_is_the_method_in_use():
    p, c = projected(SEPTEMBER), Choices(("efficacy",), ("geometric", "arithmetic"), ("drop",), 0.1)
    own = scored(p, small(), "2018-09", choices=c, runs=10).ranks.set_index(
        ["region", "indicator"]
    )["value"]
    assert own["gaoxin", "1"] == pytest.approx((100 * 80) ** 0.5)


def test_raw_counts_never_decide_but_the_park_s_own_target_does():
    p = projected(
        {
            "patent_grants": [1000, 10, 500, 500, 500],
            "patent_applications": [1000, 10, 500, 500, 500],
        }
    )
    p["target_low"] = p["region"].map({"gaoxin": 2000, "jingkai": 10}).fillna(1000.0)
    own = scored(p, small(), "2018-09", runs=10).ranks
    assert own[own["indicator"] == "composite"].set_index("region")["rank"][
        ["jingkai", "gaoxin"]
    ].tolist() == [1, 2]


def test_quarters_take_the_mean_of_their_months_and_years_the_last():
    low, high = ({"patent_grants": [v] * 5, "patent_applications": [v] * 5} for v in (60, 90))
    p = pd.concat([projected(low, "2018-07"), projected(high, "2018-09")], ignore_index=True)
    for period, expected in (
        ("2018Q3", 75),
        ("2018H2", 75),
        ("2018", 90),
        ("2018-09", 90),
        ("2018-07", 60),
    ):
        found = scored(p, small(), period, runs=10)
        assert found.items["value"].dropna().unique().tolist() == [expected]
        assert set(found.ranks["period"]) == {period}
        assert (found.ranks.loc[found.ranks["indicator"] == "composite", "rank"] == 1).all()
    with pytest.raises(RankingError, match="2018Q1 没有任何月份"):
        scored(p, small(), "2018Q1")


def test_a_park_without_one_of_the_months_is_not_ranked_on_a_mean_of_fewer():
    p = pd.concat(
        [
            projected({"patent_grants": [60] * 5, "patent_applications": [60] * 5}, "2018-07"),
            projected(
                {"patent_grants": [90] * 5, "patent_applications": [90, 90, 90, 90, NAN]}, "2018-08"
            ),
        ],
        ignore_index=True,
    )
    found = scored(p, small(), "2018Q3", runs=10)
    item = found.items.set_index(["region", "indicator"])
    assert item.loc[("muye", "patent_applications"), "reason"] == "缺数"
    assert item.loc[("gaoxin", "patent_applications"), "value"] == 75
    assert (
        "不排位" in found.notes.set_index(["region", "indicator"])["message"]["muye", "composite"]
    )
    late = scored(
        p[(p["region"] != "muye") | (p["as_of"] == pd.Period("2018-08", "M"))],
        small(),
        "2018Q3",
        runs=10,
    )
    assert (
        late.items.set_index(["region", "indicator"]).loc[("muye", "patent_grants"), "value"] == 90
    )
    silent = projected({"patent_grants": [NAN] * 5, "patent_applications": [NAN] * 5}, "2018-07")
    both = scored(
        pd.concat([silent, p[p["as_of"] == pd.Period("2018-08", "M")]]), small(), "2018Q3", runs=10
    )
    assert (
        both.items.set_index(["region", "indicator"]).loc[("gaoxin", "patent_grants"), "value"]
        == 90
    )


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


def test_another_unit_or_order_of_parks_changes_no_score_place_interval_or_tie():
    p = projected(
        {"patent_grants": [95, 80, 70, 20, 110], "patent_applications": [80, 82, 81, 80, 90]}
    )
    one = scored(p, small(), "2018-09", runs=300).ranks
    money = p.assign(**{c: p[c] * 10_000 for c in ("actual", "target_low")})
    pd.testing.assert_frame_equal(scored(money, small(), "2018-09", runs=300).ranks, one)
    turned = scored(
        p.iloc[::-1],
        small(),
        "2018-09",
        parks=tuple(PARKS[::-1]),
        choices=Choices(noise=0.0),
        runs=300,
    )
    same = scored(p, small(), "2018-09", choices=Choices(noise=0.0), runs=300)
    key = ["indicator", "region"]
    a, b = (s.ranks.sort_values(key, ignore_index=True) for s in (turned, same))
    pd.testing.assert_frame_equal(a.drop(columns="tied_with"), b.drop(columns="tied_with"))
    assert [set(x.split(";")) for x in a["tied_with"]] == [
        set(x.split(";")) for x in b["tied_with"]
    ]


def test_one_park_alone_is_first_and_equal_parks_are_all_tied_first():
    p = projected({"patent_grants": [80] * 5, "patent_applications": [80] * 5})
    alone = scored(p, small(), "2018-09", parks=("muye",), runs=50).ranks.set_index("indicator")
    assert alone.loc["composite", ["rank", "low", "high", "tied_with"]].tolist() == [1, 1, 1, ""]
    equal = scored(p, small(), "2018-09", runs=200)
    own = equal.ranks[equal.ranks["indicator"] == "composite"]
    assert own["rank"].eq(1).all() and own["tied_with"].str.count(";").eq(3).all()
    total = equal.chances.groupby(["indicator", "region"])["probability"].sum()
    np.testing.assert_allclose(total, 1)


def test_without_simulations_scores_and_places_stay_and_intervals_are_left_out():
    p = projected(SEPTEMBER)
    full, bare = (scored(p, small(), "2018-09", runs=n) for n in (100, 0))
    keep = ["region", "indicator", "value", "rank"]
    pd.testing.assert_frame_equal(full.ranks[keep], bare.ranks[keep])
    assert bare.ranks[["low", "high"]].isna().all().all() and bare.chances.empty


def test_more_error_in_the_data_never_narrows_the_interval_of_places():
    p = projected(
        {"patent_grants": [100, 98, 70, 20, 60], "patent_applications": [80, 80, 80, 80, 60]}
    )
    widths = []
    for error in (0.0, 2.0, 20.0):
        c = small()
        c.bounds = c.bounds.assign(error_pct=error)
        still = scored(p, c, "2018-09", runs=0)
        only = Choices(("efficacy",), ("arithmetic",), ("drop",), 0.0, noise=still.choices.noise)
        r = scored(p, c, "2018-09", choices=only, runs=500).ranks.query("indicator == 'composite'")
        widths.append((r["high"] - r["low"]).sum())
    assert widths[0] == 0 and widths[0] < widths[1] <= widths[2]


@pytest.mark.parametrize("word", ["2018Q5", "2018-13", "18", "2018W1", "2018-9"])
def test_a_period_in_another_form_is_refused(word):
    with pytest.raises(ValueError, match="2018Q3"):
        period_months(word)


def test_reference_weights_that_do_not_sum_to_one_and_items_without_bounds_are_refused():
    with pytest.raises(RankingError, match="合计 1.1,应为 1"):
        scored(projected(SEPTEMBER), small((0.5, 0.6)), "2018-09")
    c = small()
    c.bounds = c.bounds.iloc[1:]
    with pytest.raises(RankingError, match="patent_grants」有权重而没有界值"):
        scored(projected(SEPTEMBER), c, "2018-09")


def test_demo_goes_along_and_a_target_of_zero_is_no_rate():
    p = projected({"patent_grants": [90] * 5, "patent_applications": [90] * 5})
    p.loc[(p["region"] == "muye") & (p["indicator"] == "patent_grants"), ["demo", "target_low"]] = [
        True,
        0.0,
    ]
    found = scored(p, small(), "2018-09", runs=10)
    assert found.ranks.groupby("region")["demo"].all().to_dict() == {r: r == "muye" for r in PARKS}
    reasons = found.items.set_index(["region", "indicator"])["reason"]
    assert reasons["muye", "patent_grants"] == "目标为零"


def test_the_parks_moves_sum_to_the_change_between_two_months_of_those_ranked_in_both():
    earlier = {
        k: [v and v * 0.8 for v in values]
        for k, values in SEPTEMBER.items()
        if k != "policy_systems_complete"
    }
    one, two = (
        scored(projected(d, m), small(), m, runs=10)
        for d, m in (
            (earlier, "2018-08"),
            ({k: v for k, v in SEPTEMBER.items() if k in earlier}, "2018-09"),
        )
    )
    steps = park_moves(one, two)
    assert set(steps["region"]) == set(PARKS) - {"pingyuan"}
    own = [s.ranks[s.ranks["indicator"] == "composite"].set_index("region") for s in (one, two)]
    found = steps.groupby("region")[["score_change", "rank_change"]].sum()
    np.testing.assert_allclose(
        found["score_change"], (own[1]["value"] - own[0]["value"])[found.index], atol=1e-9
    )
    np.testing.assert_allclose(
        found["rank_change"], (own[1]["rank"] - own[0]["rank"])[found.index], atol=1e-9
    )


def test_the_inputs_of_a_scoring_serve_every_question_about_it():
    found = scored(projected(SEPTEMBER), small(), "2018-09", runs=10)
    left = leave_one_out(**found.inputs)
    assert left["mean_abs_change"].notna().all() and left["pingyuan"].isna().all()
    assert set(flips(**found.inputs, choices=found.choices)["unit"]) <= set(PARKS) - {"pingyuan"}
    assert len(sensitivity(**found.inputs, choices=found.choices, samples=8)) == 5
    assert (
        monte_carlo(**found.inputs, choices=found.choices, runs=20).summary["nominal"].isna().sum()
        == 1
    )


def test_what_if_a_park_left_totals_targets_ranks_and_past_change_and_rules_say_who_passes():
    p = projected(
        {"patent_grants": [50, 60, 70, 80, 90], "patent_applications": [500, 200, 300, 400, NAN]}
    )
    p.loc[p["indicator"] == "patent_applications", "target_low"] = 600.0
    zone = p.iloc[[0]].assign(region="zone", actual=350.0, target_low=450.0)
    p = pd.concat([p, zone], ignore_index=True)
    s = tables.shape(
        [
            dict(
                region=r,
                indicator="patent_grants",
                start=m,
                end=m,
                months=1,
                value=10.0 + k,
                unit="件",
                published=m,
                demo=False,
            )
            for k, r in enumerate(PARKS)
            for m in ("2018-01", "2018-02")
            if (r, m) != ("muye", "2018-02")
        ],
        tables.SERIES,
    )
    found = what_if(p, attained(p, small()), small(), "2018-09", drop=("muye",), series=s, runs=10)
    total = found.totals.set_index("indicator")
    grants, applications = total.loc["patent_grants"], total.loc["patent_applications"]
    assert grants.drop("unit").tolist() == [350, 260, 500, 400, 450]
    assert np.isnan(applications["actual"]) and applications["actual_after"] == 1400
    assert found.past["value_after"].tolist() == [46, 46] and np.isnan(
        found.past["value"].tolist()[1]
    )
    assert set(found.ranks["region"]) == set(PARKS) - {"muye"}
    rule = found.eligible[found.eligible["indicator"] == "patent_applications"].set_index("region")[
        "verdict"
    ]
    assert rule.to_dict() == {
        "gaoxin": "达到",
        "jingkai": "截至本期未达到",
        "pingyuan": "达到",
        "hongqi": "达到",
        "muye": "缺数",
    }
    new = p[p["region"] == "gaoxin"].assign(region="fengquan", actual=100.0, target_low=100.0)
    more = pd.concat([p, new], ignore_index=True)
    joined = what_if(
        more,
        attained(more, small()),
        small(),
        "2018-09",
        drop=("muye",),
        add=("fengquan",),
        runs=10,
    )
    assert joined.totals.set_index("indicator").loc[
        "patent_grants", ["actual_after", "target_after"]
    ].tolist() == [360, 500]
    own = joined.ranks[joined.ranks["indicator"] == "composite"].set_index("region")["rank"]
    assert (
        own["fengquan"] == 1
        and "muye" not in own.index
        and "fengquan" in set(joined.eligible["region"])
    )
    with pytest.raises(ValueError, match="不能这样增减"):
        what_if(p, attained(p, small()), small(), "2018-09", drop=("zone",))


def test_the_shipped_weights_and_bounds_fit_each_other():
    c = catalogs.load()
    assert set(c.weights.loc[c.weights["level"] == "indicator", "id"]) == set(c.bounds["indicator"])
    own = c.targets[c.targets["region"].isin(PARKS) & c.targets["id"].isin(c.bounds["indicator"])]
    p = tables.shape(
        [
            dict(
                region=t.region,
                indicator=t.id,
                year=2018,
                as_of="2018-09",
                kind=t.kind,
                unit=t.unit,
                actual=0.8 * t.target_low,
                target_low=t.target_low,
                target_high=t.target_high,
                comparator=t.comparator,
                level=0.8,
                verdict="x",
                method="x",
                demo=t.demo,
            )
            for t in own.itertuples()
        ],
        tables.PROJECTIONS,
    )
    found = scored(p, c, "2018-09", runs=100)
    assert found.notes["indicator"].ne("composite").all() and found.ranks["demo"].all()
    same = found.items.dropna(subset=["value"])
    assert same["value"].round(6).eq(80).all()
