"""Figures that cannot be believed are held back, said, and used once somebody has confirmed them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from observations_made import MONEY, PARKS, codes, fact, month, observations, ytd

from zcqlib.catalog import load
from zcqlib.indicators import CorrectionError, consolidate, hold, series


@pytest.fixture(scope="module")
def catalog():
    return load()


def line(last, usual=(900.0, 1000.0, 1100.0, 1000.0), **more):
    """Four usual months of one park and then the month in question."""
    rows = [fact(v, f"2018-0{m}", cell=f"B{m}", **more) for m, v in enumerate(usual, 1)]
    return [*rows, fact(last, f"2018-0{len(usual) + 1}", cell="B9", **more)]


def confirmed(catalog, value, end="2018-05", indicator=MONEY, **more):
    row = dict(region="gaoxin", indicator=indicator, start=month(end), end=month(end))
    row |= dict(basis="month", measure="value", file=f"gaoxin{end}-1.xlsx", value=value)
    row |= dict(reason="电话核实", who="张", day=pd.Timestamp("2018-06-10"))
    return replace(catalog, resolutions=pd.DataFrame([row | more]))


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (1e6, "约为该单位以往水平的 1,000 倍"),
        (1.07e7, "约为该单位以往水平的 10,700 倍"),
        (0.5, "约为该单位以往水平的 1/2,000"),
        (float("inf"), "不是有限的数"),
    ],
)
def test_a_jump_against_the_senders_own_history_is_held_and_never_in_the_series(
    catalog, last, said
):
    frame = observations(*line(last, indicator=MONEY, decimals=1))
    known = consolidate(frame, catalog)
    assert codes(known.problems) == [("held", "error")]
    problem = known.problems.iloc[0]
    assert problem["cell"] == "B9" and said in problem["message"]
    assert "暂不采用" in problem["message"] and "resolutions" in problem["message"]
    row = known.history.set_index("cell").loc["B9"]
    assert row["state"] == "held" and "held" in row["flags"].split(";") and row["value"] == last
    months, _ = series(known, catalog)
    assert sorted(months["value"]) == [900, 1000, 1000, 1100] and np.isfinite(months["value"]).all()


@pytest.mark.parametrize("last", [999e3, 1.1, 0.0, -1000.0])
def test_less_than_a_thousandfold_and_nothing_are_not_held(catalog, last):
    frame = observations(*line(last, usual=(1000.0,) * 4, indicator=MONEY, decimals=1))
    assert "held" not in set(consolidate(frame, catalog).history["state"])


def test_another_sender_is_no_own_history_and_two_figures_are_none(catalog):
    rows = line(1e6, indicator=MONEY)
    other = [*rows[:-1], rows[-1] | {"sender": "kjj"}]
    assert "held" not in set(consolidate(observations(*other), catalog).history["state"])
    short = line(1e6, usual=(900.0, 1000.0), indicator=MONEY)
    assert "held" not in set(consolidate(observations(*short), catalog).history["state"])


def test_a_held_figure_is_used_once_the_resolution_table_names_it(catalog):
    frame = observations(*line(1e6, indicator=MONEY))
    known = consolidate(frame, confirmed(catalog, 1e6))
    assert known.problems.empty and "held" not in set(known.history["state"])
    assert series(known, catalog)[0]["value"].max() == 1e6
    with pytest.raises(CorrectionError, match="该文件现在是"):
        consolidate(frame, confirmed(catalog, 5e5))


def test_what_was_said_before_stands_where_a_revision_is_held(catalog):
    rows = [
        *line(1000.0, indicator=MONEY),
        fact(1e6, "2018-05", indicator=MONEY, published="2018-06"),
    ]
    known = consolidate(observations(*rows), catalog)
    may = known.current[known.current["end"] == month("2018-05")]
    assert may["value"].tolist() == [1000] and "held" in set(known.problems["code"])


def test_a_cumulative_figure_is_compared_as_a_rate_a_month(catalog):
    rows = [ytd(100.0 * m, f"2018-{m:02d}", indicator=MONEY, cell=f"B{m}") for m in range(1, 13)]
    assert "held" not in set(consolidate(observations(*rows), catalog).history["state"])
    wrong = [*rows[:-1], ytd(1.2e6, "2018-12", indicator=MONEY, cell="B12")]
    assert consolidate(observations(*wrong), catalog).history["state"].eq("held").sum() == 1


def test_without_a_history_the_other_parks_tell(catalog):
    def parks(first):
        return observations(
            *(fact(v, region=p) for p, v in zip(PARKS, (first, 5, 4, 3, 2), strict=True))
        )

    known = consolidate(parks(4e4), catalog)
    assert known.history.loc[known.history["state"].eq("held"), "value"].tolist() == [4e4]
    assert "约为各园区同期水平的 10,000 倍" in known.problems["message"].item()
    zone = series(known, catalog)[0]
    assert zone[zone["region"].eq("zone")].empty  # a park is missing, so there is no total
    assert "held" not in set(consolidate(parks(3e4), catalog).history["state"])


def test_beyond_what_the_city_has_is_held_with_the_reason_of_the_limit(catalog):
    area = fact(
        9e9, basis="eop", indicator="incubation_floor_area", unit="平方米", unit_raw="平方米"
    )
    known = consolidate(observations(area), catalog)
    assert known.current.empty and codes(known.problems) == [("held", "error")]
    assert "新乡市总面积" in known.problems["message"].item()


def test_what_the_reader_held_stays_out_until_confirmed(catalog):
    rows = line(1000.0, indicator=MONEY)
    frame = observations(*rows[:-1], rows[-1] | {"flags": "note:见附注;held"})
    known = consolidate(frame, catalog)
    assert len(known.current) == 4 and known.problems.empty  # the reader has said why
    used = consolidate(frame, confirmed(catalog, 1000.0))
    assert len(used.current) == 5


def test_a_restated_base_that_cannot_be_believed_is_held_too(catalog):
    rows = [
        fact(v, f"2017-0{m}", indicator=MONEY, cell=f"B{m}") for m, v in enumerate((1e3,) * 4, 1)
    ]
    base = fact(
        1e6, "2017-05", indicator=MONEY, flags="restated_base", published="2018-05", cell="C5"
    )
    known = consolidate(observations(*rows, base), catalog)
    assert known.base.empty and codes(known.problems) == [("held", "error")]


def test_the_flag_is_put_on_once_and_only_where_it_belongs():
    frame = observations(
        fact(1, cell="B1"), fact(2, cell="B2", flags="held"), fact(3, cell="B3", flags="note:a")
    )
    out = hold(frame, pd.Series([False, True, True]))
    assert out["flags"].tolist() == ["", "held", "note:a;held"]
    assert frame["flags"].tolist() == ["", "held", "note:a"]
