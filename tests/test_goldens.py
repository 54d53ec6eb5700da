"""The demonstration says what it said: a move of code changes no number and no word that it does not name."""

import goldens
import pandas as pd
import pytest
from conftest import copy

from zcqlib import tables

MEANT = "where the change is meant: make goldens, and say why in the commit"


def test_a_number_a_name_and_the_order_of_rows_count_and_the_tenth_digit_does_not():
    frame = pd.DataFrame({"value": [1.0, 2.0], "name": ["a", "b"]})
    same = frame.assign(value=frame["value"] * (1 + 1e-11))
    assert goldens.table(same) == goldens.table(frame)
    others = (frame.assign(value=frame["value"] * (1 + 1e-7)), frame.iloc[::-1])
    others += (frame.assign(name=["a", "c"]), frame.rename(columns={"name": "label"}))
    assert goldens.table(frame) not in map(goldens.table, others)


@pytest.fixture(scope="module")
def found(demonstration, tmp_path_factory):
    made = copy(
        tmp_path_factory.mktemp("g") / "p", demonstration.root, "notebooks", "data", "figures"
    )
    return goldens.measured(made)


def test_every_table_and_text_is_as_it_was(found):
    assert goldens.differences(found) == [], MEANT


def test_the_goldens_hold_every_table_and_stay_small():
    kept = pd.read_csv(goldens.KEPT)
    september = kept[kept["month"].eq("2018-09")]["what"]
    held = set(september[~september.str.contains(".", regex=False)])
    assert held == set(tables.VINTAGE)
    assert goldens.KEPT.stat().st_size < 200_000
