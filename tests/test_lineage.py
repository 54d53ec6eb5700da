"""Where the numbers of a figure come from: found in the tables, never guessed, and missed when a table changes."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from zcqlib import figures, lineage, tables
from zcqlib.briefing import passport
from zcqlib.figures import Canvas, Caption
from zcqlib.missing import NoReportsError

PERIOD = pd.Period("2018-09", "M")
NAN = float("nan")
NAMES = {
    "zone": "一区四园",
    "gaoxin": "高新区",
    "jingkai": "经开区",
    "city": "全市",
    "a": "专利申请总量",
    "b": "市外资金",
}


def projection(indicator, region="zone", **changes):
    return {
        "region": region,
        "indicator": indicator,
        "year": 2018,
        "as_of": PERIOD,
        "kind": "flow",
        "unit": "件",
        "actual": 3455.0,
        "target_low": 5000.0,
        "target_high": NAN,
        "comparator": "ge",
        "median": 4970.6,
        "low": 4774.0,
        "high": 5155.0,
        "level": 0.8,
        "probability": 0.404,
        "needed_per_month": 515.0,
        "verdict": "尚有悬念",
        "method": "演示",
        "demo": True,
    } | changes


@pytest.fixture
def vintage(tmp_path):
    (tmp_path / "data" / "raw" / "reference").mkdir(parents=True)
    plan = tmp_path / "data" / "raw" / "reference" / "targets_2018.csv"
    plan.write_text("id,name_zh\na,专利申请总量\n", "utf-8")
    folder = tmp_path / "data" / "processed" / "v"
    folder.mkdir(parents=True)
    rows = [projection("a"), projection("b", unit="万元", actual=1_689_400.0, median=2_374_679.0)]
    seen = [
        {
            "obs_id": str(k),
            "region": r,
            "indicator": "a",
            "start": PERIOD,
            "end": PERIOD,
            "basis": "month",
            "measure": "value",
            "value": 1.0,
            "unit": "件",
            "coverage": c,
            "file": "2018-09/高新区.xlsx",
            "sheet": "月报",
            "cell": f"C{k}",
            "published": PERIOD,
            "submission": 1,
            "demo": True,
        }
        for k, (r, c) in enumerate(
            [("gaoxin", "zone_part"), ("gaoxin", ""), ("city", "city"), ("hongqi", "district")]
        )
    ]
    for table, frame in ((tables.PROJECTIONS, rows), (tables.OBSERVATIONS, seen)):
        tables.shape(frame, table).to_parquet(folder / f"{table.name}.parquet")
    inputs = {
        "data/raw/2018-09/高新区.xlsx": "ab" * 32,
        "data/raw/reference/targets_2018.csv": "cd" * 32,
    }
    (folder / "vintage.json").write_text(json.dumps({"recipe": {"inputs": inputs}}), "utf-8")
    return folder


def month(vintage):
    def table(name):
        if not (vintage / f"{name}.parquet").exists():
            raise NoReportsError(name)
        return pd.read_parquet(vintage / f"{name}.parquet")

    return SimpleNamespace(
        vintage=vintage,
        period=PERIOD,
        table=table,
        catalog=SimpleNamespace(
            indicators=dict.fromkeys("ab"), parks=("gaoxin", "jingkai"), name=NAMES.get
        ),
        workspace=SimpleNamespace(root=vintage.parents[2]),
    )


def figure(title, *about, values=(3455.0, 1.6), labels=("甲", "乙")):
    rows = pd.DataFrame({"label": labels, "value": values})
    caption = Caption(
        title=title,
        subtitle="累计(件);一区四园,2018年1—9月",
        source="园区月报",
        as_of="2018年9月",
        demo=True,
        about=about,
    )
    note = [f"{v:,.2f}".rstrip("0").rstrip(".") + "件" for v in values]
    page = Canvas(caption)
    for i, (label, words) in enumerate(zip(labels, note, strict=True)):
        page.text(400, 300 + 60 * i, label, 14)
        page.text(800, 300 + 60 * i, words, 14)
    page.figure.zcq_data = [rows.assign(note=note)]
    return page.figure


def numbers(vintage, *args, **more):
    made = lineage.figure_passport(figure(*args, **more), month(vintage), "03_applications")
    return made, {n.text: n for n in made.numbers}


def test_a_number_that_no_table_holds_is_called_derived(vintage):
    _, found = numbers(vintage, "专利申请比上年多77.7件", "a")
    assert (
        found["77.7件"].table == ""
        and found["77.7件"].value == 77.7
        and found["77.7件"].inputs == ("zone/a",)
    )


def test_a_figures_numbers_lead_to_their_rows(vintage):
    made, found = numbers(vintage, "专利申请全年预计4971件,已完成3,455件", "a")
    assert made.code == "ZCQ-201809-F03-applications"
    assert found["4971件"].table == "PROJECTIONS" and found["4971件"].column == "median"
    assert found["4971件"].value == 4970.6 and found["4971件"].inputs == ("zone/a",)
    assert found["3,455件"].column == "actual"


def test_a_number_is_never_taken_from_another_park_or_another_indicator(vintage):
    path = vintage / "PROJECTIONS.parquet"
    own = [projection("a", "gaoxin", actual=88.0), projection("b", "jingkai", actual=88.0)]
    pd.concat([pd.read_parquet(path), tables.shape(own, tables.PROJECTIONS)]).to_parquet(path)
    given = dict(values=(88.0, 1.6), labels=("经开区", "乙"))
    assert numbers(vintage, "专利申请", "a", **given)[1]["88件"].table == ""
    found = numbers(vintage, "专利申请", "a", values=(88.0, 1.6), labels=("高新区", "乙"))[1][
        "88件"
    ]
    assert dict(found.key)["region"] == "gaoxin" and found.table == "PROJECTIONS"


def test_a_number_of_no_table_names_the_cell_of_the_figures_own_data(vintage):
    _, found = numbers(vintage, "专利申请", "a", values=(77.738, 0.5), labels=("甲", "乙"))
    assert found["77.74件"].table == "" and found["77.74件"].value == 77.738
    assert "甲 77.74件」的 value" in found["77.74件"].formula


def test_a_total_and_a_count_of_rows_are_found_in_the_figures_own_data(vintage):
    _, found = numbers(vintage, "2项共12件", values=(5.0, 7.0))
    assert (
        "合计" in found["12件"].formula
        and found["12件"].value == 12
        and "行数" in found["2项共"].formula
    )


def test_money_is_found_on_its_printed_scale_and_a_unit_must_fit(vintage):
    _, found = numbers(vintage, "市外资金全年预计237.5亿元,比上年多237.5件", "b")
    assert found["237.5亿元"].column == "median" and found["237.5件"].table == ""


def test_a_count_in_a_sentence_is_never_taken_for_a_value(vintage):
    pd.read_parquet(vintage / "PROJECTIONS.parquet").assign(actual=3.0).to_parquet(
        vintage / "PROJECTIONS.parquet"
    )
    _, found = numbers(vintage, "目标中3件难度较大", values=(5.0, 6.0))
    assert found["3件难度较"].table == "" and "推算" in found["3件难度较"].formula


def test_dates_and_axes_are_no_results(vintage):
    made, found = numbers(vintage, "2018年9月专利申请3,455件", "a")
    assert not any(text.startswith(("2018", "9")) for text in found)


def test_a_changed_table_is_found_through_the_figures_passport(vintage):
    made, _ = numbers(vintage, "专利申请全年预计4971件", "a")
    now = pd.read_parquet(vintage / "PROJECTIONS.parquet")
    passport.verify([made], {"PROJECTIONS": now})
    with pytest.raises(
        passport.ReconciliationError, match="ZCQ-201809-F03-applications.*PROJECTIONS.*median"
    ):
        passport.verify([made], {"PROJECTIONS": now.assign(median=now["median"] + 1)})


def test_cells_of_a_zone_figure_are_those_of_the_parks_parts_and_the_plans_line(vintage):
    found = lineage.cells(month(vintage), ["zone/a", "hongqi/a", "target/a"])
    assert found["zone/a"] == (("data/raw/2018-09/高新区.xlsx", "月报", "C0 C1", "ab" * 32),)
    assert found["hongqi/a"][0][2] == "C3"
    assert found["target/a"] == (("data/raw/reference/targets_2018.csv", "", "第2行", "cd" * 32),)


def test_the_code_is_printed_once_and_passes_the_check(vintage):
    drawn = figure("专利申请全年预计4971件", "a")
    for _ in range(2):
        figures.stamp(drawn, "ZCQ-201809-F03-applications")
    assert figures.texts(drawn).count("ZCQ-201809-F03-applications") == 1
    figures.check(drawn)
