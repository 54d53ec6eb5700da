"""Where the numbers of a figure come from: found in the tables, never guessed, and missed when a table changes."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from zcqlib import figures, lineage, tables
from zcqlib.briefing import passport
from zcqlib.figures import Canvas, Caption
from zcqlib.tables import MissingData

PERIOD = pd.Period("2018-09", "M")
NAMES = {
    "zone": "一区四园",
    "gaoxin": "高新区",
    "jingkai": "经开区",
    "city": "全市",
    "a": "专利申请总量",
    "b": "市外资金",
}


@pytest.fixture
def vintage(tmp_path):
    (tmp_path / "data" / "raw" / "reference").mkdir(parents=True)
    plan = tmp_path / "data" / "raw" / "reference" / "targets_2018.csv"
    plan.write_text("id,name_zh\na,专利申请总量\n", "utf-8")
    folder = tmp_path / "data" / "processed" / "v"
    folder.mkdir(parents=True)
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
    tables.shape(seen, tables.OBSERVATIONS).to_parquet(folder / "OBSERVATIONS.parquet")
    inputs = {
        "data/raw/2018-09/高新区.xlsx": "ab" * 32,
        "data/raw/reference/targets_2018.csv": "cd" * 32,
    }
    (folder / "vintage.json").write_text(json.dumps({"recipe": {"inputs": inputs}}), "utf-8")
    return folder


def month(vintage):
    def table(name):
        if not (vintage / f"{name}.parquet").exists():
            raise MissingData(name)
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


def figure(title):
    caption = Caption(
        title=title, subtitle="累计(件)", source="园区月报", as_of="2018年9月", demo=True
    )
    canvas = Canvas(caption)
    canvas.grid(None).plot([1, 2])
    return canvas.figure


def test_an_analysts_own_figure_has_its_texts_and_no_fact(vintage):
    made = lineage.of_figure(figure("我的图:2018年9月共77件"), month(vintage), "03_own", "我的图")
    assert made == passport.Passport("ZCQ-201809-F03-own", "我的图", texts=made.texts)
    assert any("共77件" in t for t in made.texts) and not any("来源" in t for t in made.texts)


def test_cells_of_a_zone_figure_are_those_of_the_parks_parts_and_the_plans_line(vintage):
    found = lineage.cells(month(vintage), ["zone/a", "hongqi/a", "target/a"])
    assert found["zone/a"] == (("data/raw/2018-09/高新区.xlsx", "月报", "C0 C1", "ab" * 32),)
    assert found["hongqi/a"][0][2] == "C3"
    assert found["target/a"] == (("data/raw/reference/targets_2018.csv", "", "第2行", "cd" * 32),)


def test_the_code_is_printed_once_and_passes_the_check(vintage):
    drawn = figure("专利申请全年预计4971件")
    for _ in range(2):
        figures.stamp(drawn, "ZCQ-201809-F03-applications")
    assert figures.texts(drawn).count("ZCQ-201809-F03-applications") == 1
    figures.check(drawn)
