"""Scores by hand and against another package; replays that know only what was known; the record of stored calls."""

import numpy as np
import pandas as pd
import pytest
import scoringrules as sr
from record_peers import compute

from zcqlib.projection import peers, project_year_end, scoring
from zcqlib.projection import replay as record
from zcqlib.projection.scoring import LEVELS

RNG = np.random.default_rng(4)
TRUTH = RNG.normal(100, 20, 40)
Q = np.sort(RNG.normal(100, 15, (40, 100)), 1)
P, MET = RNG.uniform(0.01, 0.99, 40), RNG.random(40) < 0.5


def monthly(name: str = "a", first: int = 2013, years: int = 5) -> pd.DataFrame:
    months = pd.period_range(f"{first}-01", periods=12 * years, freq="M")
    values = 100 * np.exp(0.05 * np.sin(np.arange(12 * years)) + 0.01 * np.arange(12 * years))
    return pd.DataFrame({"series_id": name, "period": months.astype("str"), "value": values})


# --- scores ---------------------------------------------------------------------------------------------------------


def test_crps_worked_by_hand():
    """Levels .25 and .75 at 8 and 12, truth 10: pinball .5 and .5, twice their mean is 1."""
    assert scoring.crps(np.array([10.0]), np.array([[8.0, 12.0]]), (0.25, 0.75))[
        0
    ] == pytest.approx(1.0)


def test_brier_worked_by_hand():
    assert scoring.brier([0.7, 0.7], [1, 0]).tolist() == pytest.approx([0.09, 0.49])


def test_coverage_and_reliability_worked_by_hand():
    inside = scoring.covered(
        np.array([7.9, 8.0, 12.0, 12.1]), np.tile([8.0, 10.0, 12.0], (4, 1)), 0.8, (0.1, 0.5, 0.9)
    )
    assert inside.tolist() == [False, True, True, False]
    table = scoring.reliability([0.12, 0.18, 0.95, 1.0], [0, 1, 1, 1])
    assert table["p"].tolist() == pytest.approx([0.15, 0.975]) and table["met"].tolist() == [
        0.5,
        1.0,
    ]
    assert table["n"].tolist() == [2, 2]


def test_levels_between_and_chances_worked_by_hand():
    q = np.array([[0.0, 10.0, 30.0]])
    assert scoring.at_levels(q, (0.1, 0.5, 0.9), [0.05, 0.3, 0.7])[0].tolist() == pytest.approx(
        [0, 5, 20]
    )
    chance = scoring.chance_of(np.repeat(q, 4, 0), np.array([-1, 5, 20, 31]), (0.1, 0.5, 0.9))
    assert chance.tolist() == pytest.approx([0.95, 0.7, 0.3, 0.05])


def test_scores_equal_those_of_scoringrules():
    np.testing.assert_allclose(scoring.crps(TRUTH, Q), sr.crps_quantile(TRUTH, Q, np.array(LEVELS)))
    np.testing.assert_allclose(scoring.brier(P, MET), sr.brier_score(MET.astype(float), P))


# --- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origins", [[0], [12], [3, 13]])
def test_an_origin_that_is_no_month_within_the_year_is_refused(origins):
    with pytest.raises(ValueError, match="origins"):
        record.replay(monthly(), [2016], origins)


def test_a_replay_without_values_names_the_column():
    with pytest.raises(ValueError, match="value"):
        record.replay(monthly().drop(columns="value"), [2016])


def test_a_year_without_all_its_months_gives_no_call():
    calls = record.replay(monthly()[:-1], [2012, 2016, 2017], [6])
    assert calls["year"].tolist() == [2016]
    assert record.replay(monthly(), [1999], [6]).empty


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_a_call_is_what_the_engine_said_then_and_later_figures_never_change_it(kind):
    frame = monthly()
    calls = record.replay(frame, [2016, 2017], [3, 9], kind)
    then = frame[frame["period"] <= "2016-09"]
    own = calls[(calls["year"] == 2016) & (calls["k"] == 9)][list(LEVELS)].to_numpy()
    np.testing.assert_array_equal(own, project_year_end(then, kind)[list(LEVELS)].to_numpy())
    changed = frame.assign(
        value=frame["value"].where(frame["period"] <= "2016-09", frame["value"] * 3)
    )
    again = record.replay(changed, [2016, 2017], [3, 9], kind)
    early = calls["year"] == 2016
    np.testing.assert_array_equal(again.loc[early, list(LEVELS)], calls.loc[early, list(LEVELS)])
    assert (again.loc[early, "truth"] > calls.loc[early, "truth"]).all()


def test_the_linear_pace_the_truth_and_last_year_of_a_call():
    flat = monthly().assign(value=[10.0] * 48 + [20.0] * 12)
    call = record.replay(flat, [2017], [3]).iloc[0]
    assert (call["truth"], call["before"], call["scale"], call["linear"]) == (240, 120, 120, 240)
    call = record.replay(flat, [2017], [3], "stock").iloc[0]
    assert (call["truth"], call["before"], call["scale"], call["linear"]) == (20, 10, 10, 20)


def test_scores_of_a_call_worked_by_hand():
    """Every quantile at 100, truth 112, last year 100: four of five targets are met, the call says yes to two."""
    call = pd.DataFrame(
        {
            "series_id": "a",
            "year": 2017,
            "k": 6,
            "truth": 112.0,
            "before": 100.0,
            "scale": 100.0,
            "linear": 140.0,
            **dict.fromkeys(LEVELS, 100.0),
        },
        index=[0],
    )
    s = record.score(call).iloc[0]
    assert (
        s["crps"] == pytest.approx(0.12)
        and s["error"] == pytest.approx(1200 / 112)
        and s["linear_error"] == 25
    )
    assert s["brier"] == pytest.approx((0.0025**2 * 3 + 2 * 0.9975**2) / 5, abs=2e-3)
    assert s["linear_brier"] == pytest.approx(0.2) and not s["cov80"]
    said = record.chances(call)
    assert said["met"].tolist() == [True, True, True, True, False] and said["linear"].all()


def test_from_which_month_on_calls_were_right_and_stayed_right():
    """One promise, a tenth more than last year, which comes; said likely in January, not in March, and then on."""
    middle = {1: 120.0, 3: 90.0, 6: 115.0, 9: 130.0}
    about = {"series_id": "a", "year": 2017, "truth": 130.0, "before": 100.0, "scale": 100.0}
    calls = [about | {"k": k, "linear": q, **dict.fromkeys(LEVELS, q)} for k, q in middle.items()]
    months = record.summary(pd.DataFrame(calls)).query("what == 'month'").set_index("no")
    # of the five multiples .95 to 1.2 three or four lie at or below 115, one above 120
    assert months["right"].to_dict() == {1: 0.0, 3: 0.0, 6: 0.8, 9: 1.0}
    assert months["linear_right"].to_dict() == months["right"].to_dict()


# --- the stored peers -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    from zcqlib import catalog
    from zcqlib import published as source
    from zcqlib.workspace import Workspace

    rows = source.published_observations(Workspace.find().published, catalog.load())
    return peers.record_series(rows)


def test_the_stored_peers_belong_to_the_published_series_and_changed_figures_are_refused(
    published,
):
    series = published.copy()
    table = peers.stored(series)
    assert set(table["method"]) == {"ETS", "Theta"} and sorted(table["k"].unique()) == list(
        peers.ORIGINS
    )
    series.loc[5, "value"] += 1
    with pytest.raises(peers.RecordError, match="make record"):
        peers.stored(series)


def test_a_peer_computed_anew_gives_the_stored_kind_of_scores(published):
    one = published[published["region"] == "US-VT"]
    found = compute(one[one["end"] < "2012-01"], n_jobs=1)
    assert found["calls"] == 2 * 11
    table = pd.DataFrame(found["scores"])
    assert (table.groupby("method")["crps"].apply(lambda s: s.iloc[-1] < s.iloc[0])).all()


def test_on_the_real_series_ours_beats_every_peer_and_the_linear_pace_and_keeps_its_intervals(
    published,
):
    calls = record.replay(published, peers.YEARS, peers.ORIGINS)
    ours = record.score(calls)
    for method, table in peers.stored(published).groupby("method"):
        assert ours["crps"].mean() < table["crps"].mean(), method
    assert ours["error"].mean() < 0.6 * ours["linear_error"].mean()
    assert 0.74 < ours["cov80"].mean() < 0.90


# --- what was really said -------------------------------------------------------------------------------------------


def test_a_stored_call_is_scored_once_its_year_is_closed_and_not_before():
    """Said in June: 59 to date, target 120, chance .7; the year brought 126."""
    as_of = pd.Period("2017-06", "M")
    said = pd.DataFrame(
        [
            dict(
                region="zone",
                indicator="x",
                year=2017,
                as_of=as_of,
                kind="flow",
                actual=59.0,
                target_low=120.0,
                target_high=np.nan,
                comparator="ge",
                probability=0.7,
                demo=True,
            )
        ]
    )
    ends = pd.period_range("2017-01", "2017-12", freq="M")
    series = pd.DataFrame(
        {
            "region": "zone",
            "indicator": "x",
            "end": ends,
            "months": 1,
            "value": 10.5,
            "revision": False,
            "unit": "件",
            "demo": True,
        }
    )
    found = record.score_stored(said, series).iloc[0]
    assert (found["k"], found["truth"], found["met"], found["linear"]) == (6, 126.0, True, False)
    assert found["brier"] == pytest.approx(0.09) and found["linear_brier"] == 1
    assert record.score_stored(said, series[:-1]).empty
