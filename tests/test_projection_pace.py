"""Pace lines, the one that fits, and the progress bands of the SDG family."""

import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import tables
from zcqlib.projection import project_targets
from zcqlib.projection.pace import batch_pace, paces, sdg_status

CATALOG = catalogs.load()
JUNE = pd.Period("2018-06", freq="M")


def flow(monthly, first: int = 2015, indicator: str = "patent_applications") -> pd.DataFrame:
    ends = pd.period_range(f"{first}-01", JUNE, freq="M")
    return tables.shape(
        [
            dict(
                region="zone",
                indicator=indicator,
                start=p,
                end=p,
                months=1,
                value=float(monthly(p)),
                unit="件",
                published=p,
                demo=True,
            )
            for p in ends
        ],
        tables.SERIES,
    )


def pace(frame: pd.DataFrame, id: str = "patent_applications", **more) -> pd.Series:
    own = CATALOG.targets[(CATALOG.targets["id"] == id) & (CATALOG.targets["region"] == "zone")]
    said = project_targets(frame, own, JUNE, CATALOG, batches=more.get("batches")).projections
    return paces(said, frame, CATALOG, **more).iloc[0]


@pytest.mark.parametrize(
    "base, now, target, passed",
    [
        (0, 5, 10, 0.5),
        (-1, 5, 10, 0.5),
        (10, 12, 10, 0.5),
        (10, 12, 20, 0),
        (10, 0, 20, 0.5),
        (np.nan, 5, 10, 0.5),
    ],
)
def test_progress_is_not_defined_on_a_zero_base_without_time_or_without_a_rise(
    base, now, target, passed
):
    ratio, word = sdg_status(base, now, target, passed, 1)
    assert np.isnan(ratio) and word == "不适用"


@pytest.mark.parametrize(
    "now, word",
    [
        (119.0, "进展显著"),
        (118.99, "进展一般"),
        (112.0, "进展一般"),
        (111.9, "进展不足"),
        (100.0, "进展不足"),
        (99.9, "偏离目标"),
    ],
)
def test_the_bands_have_their_cuts_at_95_60_and_0_per_cent_of_the_required_rate(now, word):
    assert sdg_status(100, now, 120, 1, 1)[1] == word


def test_progress_over_several_years_uses_compound_rates():
    """From 100, 121 after two of four years is 10 % a year; 200 after four needs 18.9 %."""
    ratio, word = sdg_status(100, 121, 200, 2, 4)
    assert ratio == pytest.approx(0.1 / (2**0.25 - 1)) and word == "进展不足"


def test_a_back_loaded_year_is_held_to_its_season_and_not_to_the_calendar():
    """A third is done by June in every past year: 2,000 of 5,000 leads the season and lags the calendar."""
    r = pace(flow(lambda p: (200 if p.month <= 6 else 400) if p.year < 2018 else 2000 / 6))
    assert r["linear"] == pytest.approx(5000 / 2) and r["due"] == pytest.approx(5000 / 3)
    assert r["reason"].startswith("季节进度:") and r["word"] == "领先"
    assert "平均完成全年的33%" in r["reason"] and "匀速为50%" in r["reason"]


def test_one_past_year_is_too_little_for_a_season():
    r = pace(flow(lambda p: 300, 2017))
    assert r["due"] == r["linear"] and "不足两年" in r["reason"] and r["word"] == "落后"


def test_trailing_months_against_last_year_give_the_progress():
    """300 a month last year, 400 now: 4,200 in the last twelve months on 3,600, in half of the year."""
    r = pace(flow(lambda p: 300 if p.year < 2018 else 400))
    assert (
        r["sdg_ratio"] == pytest.approx(((4200 / 3600) ** 2 - 1) / (5000 / 3600 - 1))
        and r["sdg"] == "进展一般"
    )


def stock() -> pd.DataFrame:
    rows = [
        dict(
            region="zone",
            indicator="hightech_enterprises",
            start=p,
            end=p,
            months=0,
            value=v,
            unit="家",
            published=p,
            demo=True,
        )
        for p, v in (("2017-12", 72.0), ("2018-06", 78.0))
    ]
    return tables.shape(rows, tables.SERIES)


BATCHES = CATALOG.batches.assign(
    known_from=CATALOG.batches["known_from"].clip(upper=pd.Period("2018-06", freq="M"))
)


def test_while_batches_of_the_year_are_not_planned_no_batch_pace_is_given():
    r = pace(
        stock(), "hightech_enterprises", batches=CATALOG.batches
    )  # in June one of two is planned
    assert r["due"] == r["linear"] and r["reason"].startswith("序时进度:")
    assert batch_pace(95.0, 72.0, CATALOG.batches, "zone", JUNE, CATALOG).empty


def test_a_stock_in_batches_is_held_to_its_calendar():
    r = pace(stock(), "hightech_enterprises", batches=BATCHES)
    assert r["reason"].startswith("批次进度:还有2批未公布")
    assert r["linear"] == pytest.approx(72 + (95 - 72) / 2)
    line = batch_pace(95.0, 72.0, BATCHES, "zone", JUNE, CATALOG).set_index("month")
    assert line.at[6, "batch"] == pytest.approx(r["due"]) and line.at[6, "linear"] == r["linear"]
    assert line.at[12, "batch"] == line.at[12, "linear"] == 95.0
    assert (
        line["batch"].diff().dropna().ne(0)
    ).sum() == 2  # it moves on the two planned dates and else stands still


def test_a_batch_that_is_overdue_is_still_to_come_in_the_line_as_in_the_pace():
    """Both batches were to be out in March and none is: June is due the same as were they still planned."""
    march = BATCHES["expected"].where(BATCHES["year"] != 2018, pd.Timestamp("2018-03-20"))
    late = BATCHES.assign(expected=march)
    r = pace(stock(), "hightech_enterprises", batches=late)
    line = batch_pace(95.0, 72.0, late, "zone", JUNE, CATALOG).set_index("month")["batch"]
    planned = batch_pace(95.0, 72.0, BATCHES, "zone", JUNE, CATALOG).set_index("month")["batch"]
    assert line[6] == r["due"] == pytest.approx(planned[6]) and line[6] < 95
    assert line[7] == 95.0  # they may come from the next month on


def test_a_batch_of_another_promise_moves_no_stock():
    """新增科技小巨人 is a target of its own: its applicants are no high-tech enterprises to come."""
    others = BATCHES["indicator"].eq("new_tech_little_giants")
    assert others.any()
    with_, without = (
        pace(stock(), "hightech_enterprises", batches=b) for b in (BATCHES, BATCHES[~others])
    )
    assert with_["due"] == without["due"]
