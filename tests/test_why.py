"""Why a projection moved: parts that add up, each change where it belongs."""

import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from conftest import table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from zcqlib import catalog as catalogs
from zcqlib import pipeline, quantity, tables
from zcqlib.findings import Found
from zcqlib.findings.found import lay
from zcqlib.findings.why import PARTS, _told, why
from zcqlib.month import Month
from zcqlib.projection import changes
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
FEBRUARY, MARCH = pd.Period("2018-02", "M"), pd.Period("2018-03", "M")


def revised():
    """What the office's March report adds to the patents of January and February, by the demonstration's truth."""
    truth = pd.read_csv(ROOT / "data" / "raw" / "demo" / "truth_cells.csv.gz")
    t = truth[truth["sheet"].eq("分月") & truth["end"].isin(["2018-01", "2018-02"])]
    said = [
        t[t["file"].eq(f"市知识产权局2018年{m}月报表.xlsx")].groupby("region")["value"].sum()
        for m in (2, 3)
    ]
    more = said[1] - said[0]
    more["zone"] = more.sum()
    return {
        (i, region): v
        for region, v in more[more != 0].items()
        for i in ("invention_patent_applications", "patent_applications")
    }


VALUES = ["actual", "target_low", "median", "probability"]


def projections(*rows, as_of=MARCH):
    """PROJECTIONS with (region, actual, target, median, chance) each."""
    return tables.shape(
        [
            dict(
                zip(VALUES, values, strict=True),
                region=region,
                indicator="x",
                year=2018,
                as_of=as_of,
                kind="flow",
                unit="件",
                comparator="ge",
                verdict="尚有悬念",
                method="合并模型",
            )
            for region, *values in rows
        ],
        tables.PROJECTIONS,
    )


def test_fewer_than_five_states_are_refused():
    with pytest.raises(ValueError, match="5 projections, not 2"):
        changes([projections(), projections()])


def test_each_part_is_what_its_replacement_changed():
    states = [
        projections(("zone", *v))
        for v in (
            (100, 500, 480, 0.40),
            (100, 500, 482, 0.42),
            (98, 500, 470, 0.35),
            (140, 500, 520, 0.70),
            (140, 510, 520, 0.60),
        )
    ]
    w = changes(states).set_index("part")
    assert w.index.tolist() == ["method", "restated", "new", "target"]
    assert w["median"].tolist() == [2, -12, 50, 0] and w["actual"].tolist() == [0, -2, 42, 0]
    assert w["target_low"].tolist() == [0, 0, 0, 10]
    assert np.allclose(w["probability"], [0.02, -0.07, 0.35, -0.10])


def test_a_target_of_one_month_only_has_no_change_and_one_without_a_chance_keeps_its_median():
    none = ("none", 1, 2, np.nan, np.nan)
    old = projections(
        ("zone", 1, 2, 3, 0.5), ("gone", 1, 2, 3, 0.5), ("muye", 1, 2, 3, np.nan), none
    )
    new = projections(("zone", 2, 2, 4, 0.6), ("new", 1, 2, 3, 0.5), ("muye", 2, 2, 5, 0.5), none)
    w = changes([old, old, old, new, new])
    assert set(w["region"]) == {"zone", "muye"}
    muye = w[w["region"] == "muye"]
    assert muye["median"].sum() == 2 and muye["probability"].isna().all()


def test_a_state_without_a_value_leaves_its_effect_to_the_next_part():
    old, gone, new = (
        projections(("zone", 1, 2, m, p)) for m, p in ((3, 0.5), (np.nan, np.nan), (9, 0.8))
    )
    assert changes([old, old, gone, new, new])["median"].tolist() == [0, 0, 6, 0]


number = st.floats(0, 1e12) | st.just(float("nan"))
chance = st.floats(0, 1) | st.just(float("nan"))
state = st.lists(
    st.tuples(st.sampled_from(["zone", "muye", "gaoxin"]), number, number, number, chance),
    max_size=3,
    unique_by=lambda r: r[0],
)


@settings(max_examples=25, deadline=None)
@given(st.lists(state, min_size=5, max_size=5))
def test_parts_add_up_to_the_change_on_any_vintages(states):
    frames = [projections(*s) for s in states]
    w = changes(frames)
    first, last = (f.set_index("region")[VALUES] for f in (frames[0], frames[-1]))
    sums = w.groupby("region")[VALUES].sum(min_count=4)
    assert w.empty or w.groupby("region").size().eq(4).all()
    both = (last - first).reindex(sums.index)
    size = max(np.nan_to_num(f[VALUES]).max(initial=1) for f in frames)
    assert np.allclose(
        sums.to_numpy(float), both.to_numpy(float), atol=1e-11 * size, rtol=1e-12, equal_nan=True
    )


# the line: one sender, two years and three months of the demonstration ----------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small project with February as it was said then."""
    root = tmp_path_factory.mktemp("project")
    for name in ("reference", "published"):
        shutil.copytree(ROOT / "data" / "raw" / name, root / "data" / "raw" / name)
    for month in ("2016-12", "2017-12", "2018-01", "2018-02", "2018-03"):
        for path in (ROOT / "data" / "raw" / "demo" / month).glob(f"市知识产权局{month[:4]}*"):
            to = root / "data" / "raw" / "demo" / month / path.name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    workspace = Workspace(root, demo=True)
    pipeline.build(workspace, FEBRUARY)
    return workspace


@pytest.fixture(scope="module")
def plain(made, tmp_path_factory):
    """March after February, nothing else changed."""
    workspace = copy(made, tmp_path_factory)
    pipeline.build(workspace, MARCH)
    return workspace


@pytest.fixture(scope="module")
def changed(made, tmp_path_factory):
    """March after another method had said something else in February, with a target cut and a late February file."""
    workspace = copy(made, tmp_path_factory)
    said = workspace.read_all(workspace.current(FEBRUARY))
    said["PROJECTIONS"] = said["PROJECTIONS"].assign(median=said["PROJECTIONS"]["median"] + 10)
    workspace.commit(
        FEBRUARY, said, workspace.recipe(workspace.current(FEBRUARY)) | {"code": "another"}
    )
    split = workspace.reference / "split_2018.csv"
    split.write_text(
        split.read_text("utf-8") + "patent_applications,gaoxin,1500,,201803,1,下调\n", "utf-8"
    )
    for month, name in (("2018-02", "2018年2月报表(修订)"), ("2018-03", "2018年3月报表")):
        book = openpyxl.load_workbook(
            workspace.raw / month / f"市知识产权局{name.removesuffix('(修订)')}.xlsx"
        )
        sheet = book["分园区"]
        assert "经" in sheet["A6"].value and sheet["C4"].value == "本年累计"
        sheet["C6"] = sheet["C6"].value + 100
        if month == "2018-02":
            sheet["B6"] = sheet["B6"].value + 100
            book["市直与全市"]["B5"] = sheet["B6"].value
        book.save(workspace.raw / month / f"市知识产权局{name}.xlsx")
    pipeline.build(workspace, MARCH)
    return workspace


def copy(workspace, factory):
    root = factory.mktemp("copy") / "p"
    shutil.copytree(workspace.root, root)
    return Workspace(root, demo=True)


def part(workspace, name):
    w = table_of(workspace, "WHY", MARCH)
    return w[w["part"] == name].set_index(["indicator", "region"])[VALUES]


def sums_hold(workspace):
    keys = ["region", "indicator"]
    now = table_of(workspace, "PROJECTIONS", MARCH).set_index(keys)[VALUES]
    before = table_of(workspace, "PROJECTIONS", FEBRUARY).set_index(keys)[VALUES].reindex(now.index)
    sums = table_of(workspace, "WHY", MARCH).groupby(keys)[VALUES].sum(min_count=4)
    return len(sums) > 20 and np.allclose(
        sums, (now - before).reindex(sums.index), atol=1e-9, equal_nan=True
    )


def test_a_month_that_only_came_on_top_changes_by_itself_and_by_what_it_restates(plain):
    assert sums_hold(plain)
    for name in ("method", "target"):
        assert part(plain, name).fillna(0).eq(0).all(axis=None), name
    restated = part(plain, "restated")
    assert restated[restated["actual"] != 0]["actual"].to_dict() == revised() != {}
    series = table_of(plain, "SERIES", MARCH)
    own = series[series["end"].eq(MARCH) & series["months"].eq(1)].set_index(
        ["indicator", "region"]
    )["value"]
    assert (
        part(plain, "new").loc[("patent_applications", "zone"), "actual"]
        == own["patent_applications", "zone"]
        > 0
    )


def test_last_months_data_are_what_had_come_then_and_its_vintage_is_not_touched(made, plain):
    old, new = made.current(FEBRUARY), plain.current(FEBRUARY)
    assert old.name == new.name
    assert {p.name: p.read_bytes() for p in old.iterdir()} == {
        p.name: p.read_bytes() for p in new.iterdir()
    }


def test_every_change_falls_to_its_own_part(changed):
    assert sums_hold(changed)
    method, restated, target = (
        part(changed, "method"),
        part(changed, "restated"),
        part(changed, "target"),
    )
    assert np.allclose(method["median"].dropna(), -10) and method["probability"].abs().max() < 1e-12
    assert restated.loc[("patent_applications", "jingkai"), "actual"] == 100
    assert restated.loc[("patent_applications", "jingkai"), "median"] > 100
    assert restated.loc[("patent_applications", "hongqi"), "median"] == 0
    cut = target[target["target_low"] != 0]
    assert (
        cut.index.tolist() == [("patent_applications", "gaoxin")]
        and cut["target_low"].item() == -250
    )
    assert cut["probability"].item() > 0 and target["median"].eq(0).all()
    assert target.drop(cut.index)["probability"].fillna(0).eq(0).all()


@pytest.mark.parametrize("which", ["plain", "changed"])
def test_printed_figures_of_every_target_add_up_and_the_sentence_uses_them(which, request):
    workspace = request.getfixturevalue(which)
    month = Month(
        workspace, MARCH, MARCH, catalogs.load(workspace.reference, 2018), workspace.current(MARCH)
    )
    p, told = month.table("PROJECTIONS").query("probability == probability"), 0
    for region, indicator in p[["region", "indicator"]].itertuples(index=False):
        f = month.find("why", indicator=indicator, region=region)
        told += len(f.rows) == 6
        for level, step in (("said", "said_points"), ("ahead", "ahead_points")):
            printed = [
                quantity.plain_number(f.shown(r, step).lstrip("+")) for r in f.rows.index[1:-1]
            ]
            ends = [
                quantity.plain_number(f.shown(r, level).strip("<>")) for r in f.rows.index[[0, -1]]
            ]
            if not {"<1%", ">99%"} & {f.shown(r, level) for r in f.rows.index[[0, -1]]}:
                assert ends[0] + sum(printed) * (len(f.rows) > 1) == ends[1], (region, indicator)
            values = f.rows[level].iloc[0] + f.rows[step].sum()
            assert values == pytest.approx(f.rows[level].iloc[-1]), (region, indicator)
    assert told > 20
    f = month.find("why", indicator="patent_applications", region="jingkai")
    first, last = (f.shown(i, "said") for i in f.rows.index[[0, -1]])
    assert first in f.paragraph and last in f.paragraph and "演示数据" in f.paragraph
    restated = f.rows.at["jingkai|patent_applications|restated", "cause"]
    assert restated == ("1—2月核增100件" if which == "changed" else "前期数据未变")


def told(values, medians=(5037, 97, -18, 0, 7, 5123), what="专利申请"):
    """Title and sentence of a move from the first chance to the last one."""
    parts = ["before", *PARTS, "now"]
    labels = ["8月报", "9月新数据", "历史数据修订", "目标调整", "方法更新", "9月报"]
    rows = pd.DataFrame(dict(label=labels, indicator="x", inputs="WHY/zone.x"), parts)
    rows["scale"] = [quantity.Scale("件")] * 6
    for level, step, given_ in (
        ("said", "said_points", values),
        ("ahead", "ahead_points", medians),
    ):
        rows[level] = [given_[0], *[float("nan")] * 4, given_[-1]]
        rows[step] = [float("nan"), *given_[1:-1], float("nan")]
    own = [i for i in rows.index if i in parts[6 - len(values) :]]
    t = lay(rows.loc[own].set_axis([f"x|{i}" for i in own]), why.measures)
    return Found("why", t, why.measures, "s", "2018年", MARCH, MARCH, True, *_told(t, what))


def test_the_title_names_the_largest_cause_in_the_direction_of_the_change():
    f = told((59, 16, -3, 0, 1, 73))
    assert f.title == "专利申请完成把握由59%升至73%，主要因为9月新数据高于预计"
    assert f.sentences[0] == (
        "专利申请完成把握由59%升至73%（9月新数据+16个百分点、历史数据修订−3个百分点、方法更新+1个百分点、其余为零），"
        "年末预计由5,037件升至5,123件（9月新数据+97、历史数据修订−18、方法更新+7、其余为零）"
    )
    fell = told((59, -16, 3, 0, -1, 45), what="x")
    assert fell.title.endswith("降至45%，主要因为余下月份减少，不确定性变小")
    assert told((59, 0, 3, -17, 0, 45)).title.endswith("降至45%，主要因为目标调整")


def test_a_chance_at_an_end_that_stays_and_a_month_without_one_before_are_said_so():
    assert told((0, 0, 0, 0, 0, 0)).title == "专利申请完成把握仍为不足1%"
    one, other = told((0, 0, 0, 0, 0, 0)).sentences[0], told((100, 0, 0, 0, 0, 100)).sentences[0]
    assert one.startswith("专利申请完成把握仍为不足1%，") and "仍为99%以上" in other
    rows = told((59, 16, -3, 0, 1, 73)).rows.tail(1)
    first = _told(rows, "x")
    assert first[1] == ("x完成把握{x|now.said}，没有上月预测可比",)
    assert _told(rows[:0], "x")[0] == "x没有把握可比"
