"""A workspace for a new office and a plan for a new year."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from zcqlib import begin
from zcqlib import catalog as catalogs
from zcqlib.reference import REFERENCE, CatalogError


@pytest.fixture
def reference(tmp_path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


def test_a_fresh_workspace_says_which_rows_must_be_replaced_and_is_never_laid_over_another(
    tmp_path,
):
    told = begin.init(tmp_path / "new")
    about = {s.partition(".csv：")[0]: s for s in told}
    assert "逐行换成本区的" in about["regions"] and "行是演示" in about["split_2018"]
    assert not begin.LANGUAGE & set(about)
    assert catalogs.load(tmp_path / "new" / "data" / "raw" / "reference").zone.name_zh
    assert len(list((tmp_path / "new" / "notebooks").glob("*.ipynb"))) == 10
    with pytest.raises(CatalogError, match="已有参考表"):
        begin.init(tmp_path / "new")


@pytest.mark.parametrize(
    ("year", "words"), [(2018, "没有 targets_2017"), (2021, "没有 targets_2020")]
)
def test_a_year_without_a_plan_before_it_cannot_be_begun(reference, year, words):
    with pytest.raises(CatalogError, match=words):
        begin.new_year(reference, year)


def test_a_new_year_takes_the_last_split_and_moves_dates_and_nothing_is_reached(reference):
    path = reference / "split_2018.csv"
    path.write_text(
        path.read_text("utf-8-sig") + "patent_applications,gaoxin,1800,,201807,0,年中调整\n",
        "utf-8",
    )
    assert [f for f in begin.new_year(reference, 2019) if f.severity == "error"] == []
    plan = catalogs.load(reference, 2019)
    own = plan.split.query("id == 'patent_applications' and region == 'gaoxin'")
    assert own[["target_low", "in_force_from"]].astype(str).values.tolist() == [
        ["1800.0", "2019-01"]
    ]
    before = catalogs.load(reference, 2018).stages
    assert plan.stages["date"].isna().all() and (plan.stages["evidence"] == "").all()
    moved = plan.stages["expected"].dropna().reset_index(drop=True)
    pd.testing.assert_series_equal(moved, before["expected"].dropna().reset_index(drop=True) + 12)
    with pytest.raises(CatalogError, match="已经存在"):
        begin.new_year(reference, 2019)
