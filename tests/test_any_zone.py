"""Another zone by data only, and the first months of any: ten pages, no traceback, and what is missing is said."""

import re
import zipfile

import nbformat
import pandas as pd
import pytest
from second_zone import BUREAUS, PARKS, second_zone

from zcqlib import catalog as catalogs
from zcqlib import findings, pipeline
from zcqlib import run as monthly
from zcqlib.briefing import pages
from zcqlib.month import Month

FIRST_ZONE = re.compile(
    "新乡|郑洛新|河南|高新区|经开区|平原示范区|牧野|红旗区|一区四园|五个?园区|自创[区办]"
)
OCTOBER, MARCH, JANUARY = (pd.Period(f"2026-{m:02d}", "M") for m in (10, 3, 1))


@pytest.fixture(scope="module", autouse=True)
def few_simulations():
    """Places need no more than a few here, and no processes of their own."""
    with pytest.MonkeyPatch.context() as m:
        m.setattr(pipeline, "RUNS", 200)
        m.setattr(pipeline, "cpu_count", lambda: 1)
        yield


def words(path):
    """All that a file says, of an office document its parts."""
    if path.suffix not in (".pptx", ".docx", ".xlsx"):
        return path.read_text("utf-8", errors="ignore")
    with zipfile.ZipFile(path) as package:
        return "".join(package.read(n).decode("utf-8", "ignore") for n in package.namelist())


def sections(report):
    return {name: e["missing"] for name, e in report.manifest["notebooks"].items()}


def outputs(report):
    for path in sorted((report.folder / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            yield from cell.get("outputs", [])


def test_a_second_zone_seen_a_month_later_runs_whole_and_never_names_the_first(tmp_path):
    report = monthly.run_month(second_zone(tmp_path, years=(2025,)), OCTOBER - 1, as_of=OCTOBER)
    assert report.folder.name == "2026-09@2026-10"
    assert [(o.name, o.message) for o in report.failed] == []
    assert len(list((report.folder / "html").glob("*.html"))) == 10
    said = [p for p in report.folder.rglob("*") if p.suffix in (".csv", ".svg", ".html", ".json")]
    said += [
        p for p in report.folder.rglob("*") if p.suffix in (".pptx", ".docx", ".xlsx", ".ipynb")
    ]
    assert {
        p.name: set(FIRST_ZONE.findall(words(p))) for p in said if FIRST_ZONE.search(words(p))
    } == {}
    drawn = {p.stem for p in report.folder.glob("[0-9]*.png")}
    assert {
        "02_split",
        "03_applications",
        "04_stock",
        "06_lead",
        "07_places",
        "09_waterfall",
    } <= drawn
    assert all(name in words(report.folder / "07_places.svg") for name in PARKS.values())
    lacking = sections(report)  # it has no such indicators, nor published figures
    assert "增速目标：余下月份要增长多少" in lacking["04_enterprise_growth"]
    assert "研发投入与专利（真实省级数据）" in lacking["03_patents"]
    assert lacking["07_park_ranking"] == []
    assert report.manifest["sections_without_data"] == sum(map(len, lacking.values()))


def test_a_first_january_of_cumulative_figures_from_five_parks_makes_ten_pages(tmp_path):
    without = ("云谷园", *BUREAUS.values())
    w = second_zone(tmp_path, range(1, 2), (), without, single=False)
    report = monthly.run_month(w, JANUARY)
    assert [(o.name, o.message) for o in report.failed] == []
    assert len(list((report.folder / "html").glob("*.html"))) == 10
    assert not [o for o in outputs(report) if o.output_type == "error"]
    assert "Traceback" not in "".join(words(p) for p in (report.folder / "html").glob("*.html"))
    late = words(report.folder / "notebooks" / "00_index.ipynb")
    assert all(name in late for name in without)
    lacking = sections(report)["04_enterprise_growth"]
    assert "存量由什么构成，年末在哪里" in lacking and "谁在拉动" in lacking
    assert report.manifest["sections_without_data"] > 8


def test_after_two_silent_months_what_is_known_is_said_and_that_nobody_reported(tmp_path):
    w = second_zone(tmp_path, range(1, 2), (2025,))
    (w.raw / str(MARCH)).mkdir()
    vintage = pipeline.build(w, MARCH)
    month = Month(w, MARCH, MARCH, catalogs.load(w.reference, 2026), vintage)
    standing, late = (findings.find(n, month.given) for n in ("standing", "reported"))
    assert "8家未报" in late.title and len(late.things) == 8
    assert standing.rows.loc["apps", "done"] > 0 and not standing.missing
    lost = findings.find("intensity_split", month.given)
    assert lost.missing and lost.title == "没有园区两年都报研发经费和GDP"
    assert not findings.find("why", month.given).missing
    assert any("未报" in p.title for p in pages.pages(month.given, "weekly"))
