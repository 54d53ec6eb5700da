"""A workspace for a new office and a plan for a new year."""

import csv
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from zcqlib import begin
from zcqlib import catalog as catalogs
from zcqlib import run as monthly
from zcqlib.month import Month
from zcqlib.reference import REFERENCE, CatalogError, check_reference, read_all
from zcqlib.workspace import Workspace


@pytest.fixture
def reference(tmp_path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


def test_a_fresh_workspace_holds_templates_in_which_nothing_of_the_shipped_zone_counts(tmp_path):
    told = begin.init(tmp_path / "new", 2026)
    folder = tmp_path / "new" / "data" / "raw" / "reference"
    frames, _ = read_all(folder)
    assert {n for n, t in frames.items() if len(t)} == begin.LANGUAGE
    assert {s.partition(".csv")[0] for s in told} == {p.stem for p in folder.glob("*.csv")} - (
        begin.LANGUAGE
    )
    assert "targets_2026" in frames and not list(folder.glob("*_2018.csv"))
    assert len(list((tmp_path / "new" / "notebooks").glob("*.ipynb"))) == 10
    with pytest.raises(CatalogError, match=r"zone\.csv 有 0 行"):
        catalogs.load(folder)
    with pytest.raises(CatalogError, match="已有参考表"):
        begin.init(tmp_path / "new", 2026)


def kept(path: Path, column: int, *ids: str) -> None:
    """Take the mark off the example rows of these ids."""
    lines = path.read_text("utf-8-sig").splitlines(keepends=True)
    own = [next(csv.reader([line.removeprefix("#")]))[column] in ids for line in lines]
    lines = [x.removeprefix("#") if keep else x for x, keep in zip(lines, own, strict=True)]
    path.write_text("".join(lines), "utf-8")


def added(path: Path, text: str) -> None:
    """Rows as `column=value, column=value` lines, below what stands there."""
    head, out = next(csv.reader([path.read_text("utf-8-sig").splitlines()[0]])), []
    for line in text.strip().splitlines():
        cells = dict(c.split("=") for c in line.strip().split(", "))
        assert set(cells) <= set(head)
        out.append(",".join(cells.get(c, "") for c in head) + "\n")
    path.write_text(path.read_text("utf-8-sig") + "".join(out), "utf-8")


PARK = "level=park, parent=zone, coverage=zone_part"
TARGET = (
    "comparator=ge, commitment=firm, scope=zone, responsible=市科技局, responsible_basis=printed"
)
OWED = "kind=park, due_day=5, indicators=patent_applications;hightech_enterprises"
OWN = {
    "zone": "name_zh=滨江示范区, short_zh=滨创区, office_zh=滨创办, city_zh=滨江市, province_zh=江苏, "
    "compare=浙江;安徽, parts_zh=一区两园, parks_zh=两园区",
    "regions": f"""id=east, name_zh=滨江东园, short_zh=东园, {PARK}
        id=west, name_zh=滨江西园, short_zh=西园, {PARK}
        id=zone, name_zh=滨江示范区, short_zh=滨创区, level=zone, parent=city, coverage=zone_part
        id=city, name_zh=滨江市, short_zh=全市, level=city, coverage=city""",
    "region_aliases": """alias=东园, id=east, kind=known
        alias=西园, id=west, kind=known
        alias=合计, id=zone, kind=total""",
    "membership": """region=east, start=202501
        region=west, start=202501""",
    "targets_2026": f"""id=patent_applications, name_zh=专利申请总量, group=1, kind=flow, unit=件, target_low=1200, {TARGET}
        id=hightech_enterprises, name_zh=高新技术企业数量, group=1, kind=stock, unit=家, target_low=60, {TARGET}""",
    "units": """id=市科技局, name_zh=市科技局
        id=东园, name_zh=东园
        id=西园, name_zh=西园""",
    "senders": f"""id=east, name_zh=东园, region=east, unit=东园, {OWED}
        id=west, name_zh=西园, region=west, unit=西园, {OWED}""",
}
KEPT = "gdp", "rd_expenditure", "rd_intensity", "patent_applications", "hightech_enterprises"
OCTOBER = pd.Period("2026-10", "M")


def test_an_office_set_up_from_the_templates_runs_its_first_october(tmp_path):
    """No history, no split, no weights, no batches: ten pages, and nobody is called silent before the first month."""
    begin.init(tmp_path, 2026)
    for long in (tmp_path / "data" / "raw" / "published").glob("us_*.csv"):
        long.unlink()  # replayed elsewhere
    folder = tmp_path / "data" / "raw" / "reference"
    kept(folder / "indicators.csv", 0, *KEPT)
    kept(folder / "aliases.csv", 1, *KEPT)
    for name, rows in OWN.items():
        added(folder / f"{name}.csv", rows)
    assert [str(f) for f in check_reference(folder) if f.severity == "error"] == []
    workspace = Workspace(tmp_path)
    (workspace.raw / "2026-10").mkdir()
    for park, month, until, firms in (("东园", 61, 520, 33), ("西园", 40, 377, 21)):
        rows = [[f"{park}2026年10月主要指标月报"], ["指标", "单位", "本月", "本年累计"]]
        rows += [["专利申请总量", "件", month, until], ["高新技术企业数量", "家", None, firms]]
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(workspace.raw / "2026-10" / f"{park}10月月报.xlsx")
    report = monthly.run_month(workspace, OCTOBER)
    assert [(o.name, o.message) for o in report.failed] == []
    assert len(list((report.folder / "html").glob("*.html"))) == 10
    month = Month(workspace, OCTOBER, OCTOBER, catalogs.load(folder, 2026), report.vintage)
    standing = month.find("standing")
    assert standing.shown("patent_applications", "done") == "897件"
    assert standing.shown("hightech_enterprises", "done") == "54家"
    # came, but nothing to judge it by: never 未报
    assert set(standing.things["light"]) == {"依据不足"}
    assert set(month.find("completeness").things["at"]) == {"10月"}
    assert not month.workspace.demo and "演示数据" not in standing.paragraph


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
