"""The real sample workbooks: each checked fact recovered, every cell accounted for. Skipped where the samples are absent."""

import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from reports_made import add_up
from reports_made import asked as cells_asked

from zcqlib.reports import Context, Reading, read_report

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples" / "workbooks"
pytestmark = pytest.mark.skipif(
    not (SAMPLES / "facts.csv").exists(), reason="the folder of sample workbooks is not here"
)
FACTS = (
    pd.read_csv(SAMPLES / "facts.csv", dtype=str, keep_default_na=False)
    if (SAMPLES / "facts.csv").exists()
    else pd.DataFrame()
)


@cache
def reading(file: str) -> Reading:
    return add_up(read_report(SAMPLES / file, Context()))


def bare(text: str) -> str:
    return re.sub(r"[/\s#]|其中", "", text)


def months(period: str, basis: str) -> tuple[str, str]:
    """First and last month of 2018, 2018-06 or 2018Q2 under a basis."""
    if m := re.fullmatch(r"(\d{4})Q(\d)", period):
        end = f"{m[1]}-{3 * int(m[2]):02d}"
        start = f"{m[1]}-01" if basis == "ytd" else f"{m[1]}-{3 * int(m[2]) - 2:02d}"
        return start, end
    if len(period) == 4:
        return f"{period}-01", f"{period}-12"
    return (f"{period[:4]}-01" if basis == "ytd" else period), period


@pytest.mark.parametrize(
    "fact",
    [] if FACTS.empty else [f for f in FACTS.itertuples() if "?" not in f.indicator],
    ids=lambda f: f.fact_id,
)
def test_each_fact_comes_out_with_its_labels(fact):
    o = reading(fact.file).observations
    found = o[(o["cell"] == fact.cell) & o["sheet"].eq(fact.sheet)]
    if fact.kind == "missing":
        assert found["value"].isna().all()
        return
    assert len(found) == 1
    q = found.iloc[0]
    assert bare(q["region_raw"]) == fact.region
    assert bare(q["indicator_raw"]).endswith(bare(fact.indicator))
    assert (str(q["start"]), str(q["end"]), q["basis"]) == (
        *months(fact.period, fact.basis),
        fact.basis,
    )
    assert (
        q["measure"] == fact.kind
        and float(q["value_raw"]) == float(fact.value)
        and q["unit_raw"] == fact.unit
    )


def test_a_file_that_names_no_indicator_is_asked_and_nothing_guessed():
    r = reading("s15_分省年度数据.csv")
    asked = r.problems[r.problems["code"] == "no_indicator"]
    assert list(asked["count"]) == [124]  # one row for the table
    assert r.observations.empty and set(asked["severity"]) == {"error"}
    assert set(
        FACTS.loc[FACTS["file"].str.startswith("s15") & FACTS["kind"].eq("value"), "cell"]
    ) <= {cell for _, cell in cells_asked(asked)}


def test_every_sheet_of_every_sample_adds_up_and_holds_no_error():
    for path in sorted(SAMPLES.glob("s*.*")):
        r = reading(path.name)
        assert (
            r.info["cells"] > 50
            and not (
                r.problems["severity"].eq("error") & r.problems["code"].ne("no_indicator")
            ).any()
        )


def test_notes_and_sources_of_the_samples_give_no_figures():
    for path in sorted(SAMPLES.glob("s*.*")):
        r = reading(path.name)
        words = " ".join([*r.observations["indicator_raw"], *r.observations["region_raw"]])
        assert not re.search("来源|注[:：]|数据库|更新时间", words)


def test_a_total_that_differs_from_its_parts_in_a_sample_is_said():
    assert "total_mismatch" in set(reading("s02_C0205.xls").problems["code"])
