"""Findings: what is refused first, then pace by hand, what is drawn, printed, stored and traced."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import seaborn as sns

from zcqlib import catalog as catalogs
from zcqlib import figures, lineage, tables
from zcqlib.briefing import pages, passport
from zcqlib.figures import Canvas, Caption, FigureError
from zcqlib.findings import (
    FindingError,
    Found,
    Given,
    Measure,
    TwoHomes,
    collect,
    every,
    find,
    finding,
)
from zcqlib.findings import found as home
from zcqlib.quantity import Scale
from zcqlib.workspace import Workspace

NAN, PERIOD = float("nan"), pd.Period("2018-09", "M")
CATALOG = catalogs.load(Workspace(Path(__file__).resolve().parents[1]).reference, 2018)
PATENTS, FUNDS, TALENTS = "patent_applications", "external_funds_attracted", "top_talents"
MEASURES = {
    "m": Measure("数量", None, "aim"),
    "aim": Measure("目标"),
    "n": Measure("项数", Scale("项")),
}
TOLD = {"title": "{all.n}中{a.label}为{a.m}", "sentences": ("{b.label}为{b.m}",)}


def made(**changes):
    rows = pd.DataFrame(
        {
            "label": ["甲", "乙", "合计"],
            "indicator": ["x", "y", ""],
            "region": "",
            "inputs": ["SERIES/zone.x", "SERIES/zone.y", "SERIES/zone.x;SERIES/zone.y"],
            "scale": [Scale("件"), Scale("亿元", 10_000, 1), None],
            "m": [1234.0, 271_000.0, NAN],
            "aim": [2000.0, 300_000.0, NAN],
            "n": [NAN, NAN, 2.0],
        },
        ["a", "b", "all"],
    )
    same = dict(name="example", rows=rows, measures=MEASURES, source="园区月报", scope="2018年")
    return Found(**same | dict(period=PERIOD, known=PERIOD, demo=True) | TOLD | changes)


def rows_of(found, **cells):
    rows = found.rows.copy()
    for place, value in cells.items():
        rows.loc[tuple(place.split("__"))] = value
    return rows


# refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{all.n}中20项", "手写了数字「2」"),
        ("{all.n}中２项", "手写了数字「２」"),
        ("过½", "手写了数字「½」"),
        ("{c.m}", "example/c/m"),
        ("{a.share}", "example/a/share"),
        ("{a.inputs}", "example/a/inputs"),
        ("{all.m}", "example/all/m 没有值"),
        ("{a}", "example//a"),
    ],
)
def test_a_sentence_with_a_typed_digit_or_without_its_fact_is_refused(text, key):
    for where in (dict(title=text), dict(sentences=("{a.m}", text))):
        with pytest.raises(FindingError, match=f"example.*{key}|{key}"):
            made(**where)


def test_a_finding_without_source_is_refused():
    with pytest.raises(FindingError, match="example 没有来源"):
        made(source=" ")


@pytest.mark.parametrize("nothing", ["", NAN])
def test_a_fact_without_inputs_is_refused_and_named(nothing):
    with pytest.raises(FindingError, match="example/b/m .*inputs"):
        made(rows=rows_of(made(), b__inputs=nothing))


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(home, "OWNER", dict(home.OWNER))
    monkeypatch.setattr(home, "MAKERS", dict(home.MAKERS))


def test_a_measure_has_one_owner(registered):
    def other(given): ...

    with pytest.raises(TwoHomes, match="below 已由 zcqlib.findings.targets.pace 给出,.*other"):
        finding("fresh\nbelow")(other)
    assert "fresh" not in home.OWNER and "other" not in home.MAKERS


def test_a_clause_whose_fact_is_missing_or_none_is_left_out_and_a_word_follows_the_sign():
    f = made(rows=rows_of(made(), b__aim=0.0))
    assert f.say("[{a.m}，]{a.label}[，{all.m}/没有]") == "1,234件，甲没有"
    assert f.say("甲[，{b.aim}][，{c.m}]{a.m:高/低}于") == "甲高于" and f.said["甲高于"] == ()
    assert f.say("[乙[，{b.aim}]/无][，{b.m:增/减}{b.m:size}/，[{b.aim}/持平]]") == "无，增27.1亿元"


def test_an_unknown_finding_is_told_the_nearest():
    with pytest.raises(FindingError, match="「pase」.*pace"):
        find("pase", None)


@pytest.mark.parametrize(
    "other", [dict(a__m=1235.0), dict(a__scale=Scale("件", 1, 1))], ids=["value", "form"]
)
def test_two_forms_of_one_key_are_refused_with_both_places(other):
    first = made()
    second = made(name="second", rows=rows_of(first, **other))
    with pytest.raises(
        FindingError, match="example/a/m 印作「1,234件」.*second/a/m 印作「1,23[45]"
    ):
        collect([first, second])
    assert len(collect([first, made(name="second")])) == 10
    later = replace_period(second)
    assert len(collect([first, later])) == 10  # another month is another fact


def replace_period(found):
    return made(name=found.name, rows=found.rows, period=PERIOD + 1)


# printed --------------------------------------------------------------------------------------------------------------


def test_sentences_print_facts_and_know_which():
    f = made()
    assert f.title == "2项中甲为1,234件" and f.sentences == ("乙为27.1亿元",)
    assert f.said[f.title] == ("example/all/n", "example/a/label", "example/a/m")
    assert f.paragraph == "【演示数据】乙为27.1亿元。"
    assert f.table("m").values.tolist() == [["甲", "1,234件"], ["乙", "27.1亿元"]]


def test_facts_are_the_cells_that_have_a_value():
    t = tables.check(made().facts(), tables.VINTAGE["FACTS"]).set_index(["row", "column"])
    assert len(t) == 5 and t.loc[("b", "m"), "printed"] == "27.1亿元"
    assert t.loc[("b", "m"), "value"] == 271_000.0 and t.loc[("all", "n"), "indicator"] == ""
    assert t.loc[("all", "n"), "inputs"] == "SERIES/zone.x;SERIES/zone.y" and t["demo"].all()


def test_a_table_has_no_two_columns_of_one_name_and_may_leave_the_labels_out():
    f = made()
    assert f.table("m", "aim", head="").columns.tolist() == ["数量", "目标"]
    for clash in (dict(head="数量"), dict(rows=["a"], head="目标")):
        with pytest.raises(FindingError, match="example 的表有两列同名"):
            f.table("m", "aim", **clash)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0分"), (0.04, "0分"), (-0.04, "0分"), (0.05, "+0.1分"), (-1, "−1.0分")],
)
def test_a_change_has_a_sign_unless_it_is_printed_as_none(value, text):
    scale = home.Change("分", digits=1)
    assert scale.text(scale.round(value)) == text


# drawn ----------------------------------------------------------------------------------------------------------------


def page_of(found, columns, rows, draw=figures.bars):
    words = dict(title=found.title, subtitle="数量(件)", source=found.source, as_of="2018年9月")
    page = Canvas(Caption(**words, demo=True))
    axes = page.grid([list(columns)], sharey=True)
    draw(axes.values(), found, rows, list(columns))
    return page.figure


def drawn(found):
    return page_of(found, ["aim+m", "aim"], ["a", "b"])


def test_what_is_drawn_is_the_finding_and_may_be_printed():
    f = made()
    figure = drawn(f)
    assert figures.compare(figure, f) == 6  # four bars and the two ticks of m
    figures.finish(figure, f)
    figures.check(figure)


def swap(one, two, what):
    a, b = getattr(one, f"get_{what}")(), getattr(two, f"get_{what}")()
    getattr(one, f"set_{what}")(b), getattr(two, f"set_{what}")(a)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("bars", "a/m 柱长为「271000.0」,应为「1234.0」"),
        ("ticks", "a/aim 线端为「300000.0」,应为「2000.0」"),
        ("words", "a/m 数字为「27.1亿元」,应为「1,234件」"),
        ("places", "a/m 数字的位置为「b」,应为「a」"),
        ("labels", "b/m 柱长为「1234.0」"),
        ("columns", "a/aim 柱长为「1234.0」"),
    ],
)
def test_two_things_swapped_on_the_page_are_caught(what, told):
    f = made()
    figure = drawn(f)
    ax = figure.axes[0]
    words = [t for t in ax.texts if t.get_gid().endswith("/m")]
    if what == "bars":
        swap(*ax.containers[0], "width")
    elif what == "ticks":
        (aims,) = (c for c in ax.collections if c.get_gid())
        one, two = aims.get_segments()
        aims.set_segments([one * [0, 1] + two * [1, 0], two * [0, 1] + one * [1, 0]])
    elif what == "words":
        swap(*words, "text")
    elif what == "places":
        words[0].xy, words[1].xy = words[1].xy, words[0].xy
    elif what == "labels":
        ax.set_yticks([0, 1], ["乙", "甲"])
    else:
        swap(*figure.axes, "xlabel")
    with pytest.raises(FigureError, match=f"example/{told}"):
        figures.compare(figure, f)


def test_an_empty_page_and_a_row_of_another_finding_are_caught():
    f = made()
    empty = page_of(f, ["m"], [], lambda *_: None)
    with pytest.raises(FigureError, match="读不回 example"):
        figures.compare(empty, f)
    other = made(rows=rows_of(f, a__label="丙"))
    with pytest.raises(FigureError, match="example/.*现有0行"):
        figures.compare(drawn(other), f)


def years():
    """Two parks over three years."""
    rows = pd.DataFrame(
        dict(
            label=np.repeat(["高新区", "牧野区"], 3),
            region=np.repeat(["gaoxin", "muye"], 3),
            indicator="x",
            inputs="SERIES/zone.x",
            at=[2016, 2017, 2018] * 2,
            n=[1.0, 2.0, 4.0, 3.0, 5.0, 6.0],
        ),
        [f"{r}|{y}" for r in ("gaoxin", "muye") for y in (2016, 2017, 2018)],
    )
    told = dict(title="两园区", sentences=(), measures={"n": Measure("项数", Scale("项"))})
    return made(rows=rows, **told)


def lines_of(found, t):
    def draw(axes, *_):
        (ax,) = axes
        sns.lineplot(t, x="at", y="n", hue="region", palette=figures.palette(), ax=ax)
        figures.ends(ax, found, "n")

    return page_of(found, ["n"], [], draw)


def test_lines_of_seaborn_are_read_back_by_park_and_year():
    f = years()
    figure = lines_of(f, f.rows)
    assert figures.compare(figure, f) == 6
    assert {"高新区 4项", "牧野区 6项"} <= set(figures.texts(figure))


@pytest.mark.parametrize("column", ["region", "n", "at"])
def test_lines_with_two_parks_points_or_years_swapped_are_caught(column):
    f = years()
    t = f.rows.copy()
    order = [3, 4, 5, 0, 1, 2] if column == "region" else [0, 2, 1, 3, 4, 5]
    t[column] = t[column].to_numpy()[order]
    with pytest.raises(FigureError, match="example/.*应为"):
        figures.compare(lines_of(f, t), f)


def heat_of(t):
    def draw(axes, *_):
        (ax,) = axes
        sns.heatmap(t, cbar=False, ax=ax)

    return page_of(made(), ["n"], [], draw)


def test_cells_of_a_heat_map_are_read_back_and_two_swapped_parks_or_columns_are_caught():
    f = made()
    t = f.things.set_index("label")[["m", "aim"]].rename(columns=lambda c: MEASURES[c].head)
    assert figures.compare(heat_of(t), f) == 4
    for wrong in (t.set_axis(t.index[::-1]), t.set_axis(t.columns[::-1], axis=1)):
        with pytest.raises(FigureError, match="example/[ab]/(m|aim) 格为"):
            figures.compare(heat_of(wrong), f)


@pytest.mark.parametrize("swapped", [False, True])
def test_points_of_two_measures_are_read_back_and_swapped_columns_are_caught(swapped):
    f = made()

    def draw(axes, *_):
        (ax,) = axes
        sns.scatterplot(f.things, x="aim" if swapped else "m", y="m" if swapped else "aim", ax=ax)
        ax.set(xlabel="m", ylabel="aim")

    figure = page_of(f, ["m"], [], draw)
    if not swapped:
        assert figures.compare(figure, f) == 2
        return
    with pytest.raises(FigureError, match=r"example/.*m\+aim"):
        figures.compare(figure, f)


# pace -----------------------------------------------------------------------------------------------------------------


def projection(indicator, actual, low, **changes):
    same = dict(region="zone", year=2018, as_of=PERIOD, kind="flow", comparator="ge", demo=True)
    same |= dict(target_high=NAN, median=NAN, low=NAN, high=NAN, level=0.8, probability=NAN)
    same |= dict(unit=CATALOG.unit(indicator), verdict="v", method="m")
    return same | dict(indicator=indicator, actual=actual, target_low=low) | changes


def monthly(indicator, values):
    ends = pd.period_range(end=PERIOD, periods=len(values), freq="M")
    t = pd.DataFrame({"start": ends, "end": ends, "months": 1, "value": values})
    t = t.assign(region="zone", indicator=indicator, unit="u", published=ends, demo=True)
    return tables.shape(t, tables.SERIES)


def given_of(*rows, period=PERIOD, known=None, **held):
    """What findings are made from: rows of PROJECTIONS and other tables; those not given are empty."""
    all_ = {n: tables.empty(t) for n, t in tables.VINTAGE.items()} | held
    all_["PROJECTIONS"] = tables.shape(list(rows), tables.PROJECTIONS)
    all_["TARGETS"] = CATALOG.targets
    return Given(all_.__getitem__, CATALOG, period, known or period)


def pace(*rows, series=None, seen=()):
    held = {} if series is None else {"SERIES": series}
    seen = pd.DataFrame(seen, columns=["indicator", "sender"], dtype=str)
    seen = tables.shape(seen, tables.OBSERVATIONS)
    return find("pace", given_of(*rows, OBSERVATIONS=seen, **held))


def test_pace_by_hand():
    f = pace(
        projection(PATENTS, 3000.0, 5000.0, comparator="gt"),  # 60 %, 2001 of them in 3 months
        projection(FUNDS, 1_875_000.0, 2_500_000.0),  # just at three quarters
        projection(TALENTS, 30.0, 25.0),
        series=pd.concat([monthly(PATENTS, [333.5] * 11 + [667.0]), monthly(FUNDS, [NAN] * 11)]),
    )
    r = f.rows
    assert r.loc[PATENTS, ["done", "due", "done_pct", "due_pct"]].tolist() == [3000, 3750, 60, 75]
    assert r.at[PATENTS, "needed"] == 667 and r.at[PATENTS, "of_best"] == 1.0
    assert r.at[PATENTS, "of_usual"] == pytest.approx(667 / (333.5 * 13 / 12))
    assert f.shown(FUNDS, "needed") == "20.9亿元"  # 62.5 in three months, rounded up
    assert r.loc[TALENTS, ["needed", "of_usual", "of_best"]].isna().all()
    assert np.isnan(r.at[FUNDS, "of_usual"]) and np.isnan(r.at[FUNDS, "of_best"])
    assert r.loc["all", ["of", "below", "reached", "beyond"]].tolist() == [3, 1, 1, 0]
    assert f.title == "3项中1项低于序时进度"
    assert f.sentences[:2] == (
        "3项累计类目标中，1项低于序时进度（75.0%），1项累计数已达到目标数",
        "完成率最低的是专利申请总量，60.0%",
    )
    inputs = r.at["all", "inputs"].split(";")
    assert len(inputs) == 9 and f"TARGETS/zone.{FUNDS}" in inputs


def test_pace_counts_the_months_that_the_best_one_does_not_reach():
    f = pace(projection(PATENTS, 3000.0, 5000.0), series=monthly(PATENTS, [600.0, 666.0, -5.0]))
    assert f.rows.at[PATENTS, "of_best"] == pytest.approx(2000 / 3 / 666)
    assert f.title == "1项中1项低于序时进度，1项此后每月须超过历史最好单月"
    none = pace(projection(PATENTS, 3000.0, 5000.0), series=monthly(PATENTS, [0.0] * 12))
    assert none.shown(PATENTS, "of_best") == none.shown(PATENTS, "of_usual") == "—"


def test_pace_leaves_out_zero_counts_and_counts_many_that_tie():
    f = pace(projection(PATENTS, 3750.0, 5000.0))
    assert f.title == "1项均不低于序时进度" and "0项" not in "".join(f.sentences)
    four = [PATENTS, TALENTS, "patent_grants", "urgently_needed_talents"]
    done = [20.049, 20.01, 19.96, 20.06]  # three print 20.0 %
    f = pace(*(projection(i, v, 100.0) for i, v in zip(four, done, strict=True)))
    plan = list(CATALOG.targets["id"])
    names = "、".join(map(CATALOG.name, sorted(four[:3], key=plan.index)))
    assert f.sentences[1] == f"完成率最低的是{names}，20.0%"
    f = pace(*(projection(i, 20.01 + n / 1000, 100.0) for n, i in enumerate(four)))
    assert f.sentences[1] == "完成率最低的有4项，同为20.0%"


@pytest.mark.parametrize(
    "changes",
    [
        dict(kind="stock"),
        dict(region="gaoxin"),
        dict(actual=NAN),
        dict(target_low=NAN),
        dict(target_low=0.0),
        dict(indicator="no_headline"),
    ],
)
def test_pace_is_of_the_zone_s_flows_with_a_figure_and_a_target(changes):
    f = pace(projection(PATENTS, 1.0, 2.0) | changes)
    assert f.rows.empty and f.title == "本期没有可比的累计数" and f.facts().empty
    assert figures.compare(drawn_of(f), f) == 0


def drawn_of(found):
    return page_of(found, ["done_pct", "of_best"], found.things.index)


def test_in_december_nothing_is_needed_and_all_is_due():
    f = find(
        "pace", given_of(projection(PATENTS, 4999.0, 5000.0, as_of=PERIOD + 3), period=PERIOD + 3)
    )
    assert f.rows.loc[PATENTS, ["due", "due_pct"]].tolist() == [5000, 100]
    assert f.shown(PATENTS, "needed") == "—" and f.rows.at["all", "below"] == 1
    assert figures.compare(drawn_of(f), f) == 2


def test_all_findings_together_are_the_table_of_facts():
    given = given_of(projection(PATENTS, 1.0, 2.0), known=PERIOD + 1)
    facts = tables.check(collect(every(given)), tables.VINTAGE["FACTS"])
    assert {"standing", "pace"} <= set(facts["finding"]) <= set(home.MAKERS)
    assert set(facts["known"]) == {PERIOD + 1}


def test_who_reported_is_read_from_the_observations():
    seen = [(PATENTS, "gaoxin"), (FUNDS, "muye")]
    assert pace(projection(PATENTS, 1.0, 2.0), seen=seen).source == "高新区月报，自创办测算"
    both = pace(projection(PATENTS, 1.0, 2.0), projection(FUNDS, 1.0, 2.0), seen=seen)
    assert both.source == "2个园区月报，自创办测算"
    assert pace(projection(PATENTS, 1.0, 2.0)).source == "公开统计资料，自创办测算"
    (growth, of), *_ = ((i.id, i.growth_of) for i in CATALOG.indicators.values() if i.growth_of)
    seen = tables.shape([dict(indicator=of, sender="muye")], tables.OBSERVATIONS)
    assert given_of(OBSERVATIONS=seen).source(growth) == "牧野区月报"  # what it is made of


# stored, traced, told -------------------------------------------------------------------------------------------------


def test_a_figure_s_passport_holds_the_facts_it_prints_and_no_other():
    f = made()
    month = SimpleNamespace(period=PERIOD)
    p = lineage.of_figure(drawn(f), month, "05_example", f)
    assert sorted(p.facts) == sorted(
        [f"example/{k}" for k in ("a/aim", "a/m", "b/aim", "b/m", "all/n")]
    )
    assert p.facts["example/b/m"] == ["27.1亿元", 271_000.0, "SERIES/zone.y"]
    assert not p.stored, "no run makes this finding"
    p = replace(p, stored=True)
    assert passport.verify(p, passport.facts_of(collect([f]))) == 5
    moved = collect([made(rows=rows_of(f, b__m=272_000.0))])
    with pytest.raises(
        passport.ReconciliationError, match="27.1亿元.*example/b/m.*27.2亿元.*272000"
    ):
        passport.verify(p, passport.facts_of(moved))


def test_a_number_on_the_page_that_is_no_fact_is_refused():
    f = made()
    figure = drawn(f)
    figure.text(0.5, 0.5, "另有77项")
    with pytest.raises(passport.ReconciliationError, match="77"):
        lineage.of_figure(figure, SimpleNamespace(period=PERIOD), "05_example", f)


def test_the_year_s_page_says_the_sentence_with_its_facts():
    given = given_of(projection(PATENTS, 3000.0, 5000.0))
    page = next(x for x in pages.pages(given, "annual") if x.section == "attain")
    assert page.lines == ["1项累计类目标中，1项低于序时进度（75.0%）。"]
    traced = set(page.passport.facts)
    assert {"pace/all/of", "pace/all/below", "pace/all/due_pct"} <= traced
    assert f"standing/{PATENTS}/done" in traced


def test_data_end_where_the_figures_do_and_not_with_the_month_of_the_run():
    late, soon = monthly("patent_grants", [1, 2]), monthly("patent_applications", [1, 2, 3])
    late = late.assign(start=late["start"] - 1, end=late["end"] - 1)
    given = given_of(SERIES=pd.concat([late, soon], ignore_index=True))
    rows = pd.DataFrame(dict(label="a", inputs="x", indicator=["patent_grants", ""]), ["a", "all"])
    about = "源", "", PERIOD, PERIOD, False
    own = Found("example", home.lay(rows, {}), {}, *about, "无")
    assert given.until() == f"{PERIOD.year}年{PERIOD.month}月"
    assert given.until(own) == f"{PERIOD.year}年{PERIOD.month - 1}月"
    assert given_of().until(own) == f"{PERIOD.year}年{PERIOD.month}月"
