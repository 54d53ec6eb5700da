"""Known tables after random changes, in all forms: never a traceback, a lost cell, or a wrong figure without a word."""

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_changes import FORMS, KEEPING, SPOILING, changed, faults, table, write
from reports_made import JUNE

from zcqlib.reports import read_report


def read_changed(t, form):
    with tempfile.TemporaryDirectory() as folder:
        return read_report(write(t, Path(folder), form), JUNE)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32), form=st.sampled_from(FORMS))
def test_a_changed_table_is_read_right_or_asked_about(seed, form):
    t = changed(random.Random(seed))
    form = "xlsx" if t.merged else form
    assert faults(t, form, read_changed(t, form)) == [], f"{form}: {t.done}: {t.rows}"


@pytest.mark.parametrize("change", [*KEEPING, *SPOILING], ids=lambda c: c.__name__)
def test_each_change_alone_is_read_right_or_asked_about(change):
    for seed in range(3):
        draw = random.Random(seed)
        t = table(draw)
        change(t, draw)
        for form in ("xlsx", "csv"):
            assert faults(t, form, read_changed(t, form)) == [] or t.merged and form == "csv", (
                f"{form}: {t.rows}"
            )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_carries_the_same_table(form):
    t = table(random.Random(7))
    reading = read_changed(t, form)
    assert faults(t, form, reading) == [] and len(reading.observations) == len(t.facts)
