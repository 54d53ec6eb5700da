"""Places, groups and moves of the parks: by hand on small tables, and as notebook 07 draws them, with things swapped."""

import json
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import seaborn as sns

from zcqlib import catalog as catalogs
from zcqlib import figures, ranking, tables
from zcqlib.figures import Canvas, Caption, FigureError, readback
from zcqlib.findings import FindingError, Given, find
from zcqlib.findings.ranks import TOP
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PERIOD, NAN = pd.Period("2018-09", "M"), float("nan")
CATALOG = catalogs.load(Workspace(ROOT).reference, 2018)
PARKS = list(CATALOG.parks)
NOTEBOOK = json.loads((ROOT / "notebooks" / "07_park_ranking.ipynb").read_text("utf-8"))
ITEMS = list(CATALOG.weights.query("level == 'indicator'")["id"])


def place(park, period, value, rank, low, high, indicator="composite", **more):
    same = dict(region=park, period=period, indicator=indicator, measure="score", unit="分")
    return same | dict(value=value, rank=rank, low=low, high=high, demo=True) | more


def ranked(*rows):
    return tables.shape(list(rows), tables.RANKS)


THREE = ranked(
    *(place(p, "2018-08", 80.0 + i, 3 - i, 1, 3) for i, p in enumerate(PARKS[:3])),
    place(PARKS[0], "2018-09", 90.04, 1, 1, 2),
    place(PARKS[1], "2018-09", 80.0, 2, 1, 3),
    place(PARKS[2], "2018-09", 79.0, 3, 2, 3),
    place(PARKS[0], "2018-09", 91.04, 1, 1, 1, "1"),
    place(PARKS[1], "2018-09", 60.5, 2, 2, 2, "1"),
    place(PARKS[0], "2018-09", 70.0, 1, 1, 1, "2"),
)
PLACES = tables.shape(
    [
        dict(region=p, indicator="composite", period="2018-09", place=k, probability=v, demo=True)
        for p, row in zip(PARKS, [(0.91, 0.08, 0.01), (0.09, 0.6, 0.31)], strict=False)
        for k, v in enumerate(row, 1)
    ],
    tables.VINTAGE["PLACES"],
)


def steps(*parks):
    """MOVES since August: by park the score changes of the first items."""
    rows = [
        dict(region=p, indicator=i, period="2018-09", before="2018-08", score_change=v, demo=True)
        for p, values in zip(PARKS, parks, strict=False)
        for i, v in zip(ITEMS, values, strict=False)
    ]
    return tables.shape(rows, tables.VINTAGE["MOVES"])


MOVES = steps([*[1.0] * 9, 1.0, 0.04], [1.0, -0.5, *[0.0] * 7, -1.5, 0.0])


def given(**held):
    all_ = {n: tables.empty(t) for n, t in tables.VINTAGE.items()}
    all_ |= dict(RANKS=THREE, PLACES=PLACES, MOVES=MOVES) | held
    return Given(all_.__getitem__, CATALOG, PERIOD, PERIOD)


def test_gains_add_up_as_printed_to_the_change_and_what_is_not_listed_is_one_row():
    t = find("moves", given()).rows
    assert t.at[PARKS[0], "gain"] == 10.0 and t.at[PARKS[1], "gain"] == -1.0  # 90.0−80.0, 80.0−81.0
    for park in PARKS[:2]:
        own = t[t["region"].eq(park)]["gain"]
        items = own.drop([park, f"rest|{park}"])
        assert items.sum() == pytest.approx(own[park])
        assert own[f"rest|{park}"] == pytest.approx(items.iloc[TOP:].sum())
    assert t.index[0].startswith(f"{ITEMS[0]}|") or t.index[0].startswith(f"{ITEMS[9]}|")


def test_the_title_of_moves_names_all_causes_that_tie():
    r = ranked(*(place(PARKS[0], p, v, 1, 1, 1) for p, v in (("2018-08", 80.0), ("2018-09", 83.0))))
    title = lambda *v: find("moves", given(RANKS=r, MOVES=steps(v))).title  # noqa: E731
    one, two, three = map(CATALOG.name, ITEMS[5:8])
    assert title(*[0] * 5, 1.2, 1.2, 0.6).endswith(f"主要因为{one}、{two}")
    assert title(*[0] * 5, 0.4, 0.6, 2.0).endswith(f"主要因为{three}")


def test_moves_that_are_not_those_of_the_scores_are_refused_and_none_are_said_to_be_none():
    with pytest.raises(FindingError, match="两处不一致"):
        find("moves", given(MOVES=steps([1.0])))
    none = find("moves", given(MOVES=steps()))
    assert none.title == "没有上一期可比" and none.rows.empty and none.facts().empty


@pytest.mark.parametrize(
    ("period", "form", "told"),
    [
        ("2018-09", "month", "2018年（截至9月）"),
        ("2018Q3", "quarter", "2018年第3季度（截至9月）"),
        ("2018H2", "half", "2018年下半年（截至9月）"),
    ],
)
def test_the_scope_says_the_period_and_how_far_it_goes(period, form, told):
    r = ranked(place(PARKS[0], period, 90.0, 1, 1, 1), place(PARKS[0], period, 91.0, 1, 1, 1, "1"))
    assert find("groups", given(RANKS=r), form=form).scope == told


def test_the_axis_of_periods_has_their_short_names():
    rows = [place(PARKS[0], p, 90.0, 1, 1, 1) for p in ("2018Q1", "2018Q2", "2018-08", "2018H1")]
    at = {f: find("ranks", given(RANKS=ranked(*rows)), form=f).rows["at"].tolist() for f in FORMS}
    assert at["quarter"] == ["第1季度", "第2季度"] and at["half"] == ["上半年"]
    assert at["month"] == ["8月"]


FORMS = ("month", "quarter", "half")


# drawn ----------------------------------------------------------------------------------------------------------------


@cache
def source(id):
    return "".join(next(c for c in NOTEBOOK["cells"] if c["id"] == id)["source"])


def drawn(id, told=None):
    """The finding and the figure of one of the notebook's cells, on the tables above."""
    made, made_of = [], told or given()

    @contextmanager
    def chart(found, name, what, note="", panels=None, **grid):
        words = dict(title=found.title, subtitle=what, source=found.source, as_of="2018年9月")
        page = Canvas(Caption(**words, demo=True, note=note))
        yield page.grid(panels, **grid)
        made.append((found, page.figure))

    month = SimpleNamespace(find=lambda n, **_: find(n, made_of), chart=chart, catalog=CATALOG)
    ranks = month.find("ranks")
    last = ranks.rows.index[ranks.rows["basis"].eq("2018-09")]
    space = dict(month=month, ranks=ranks, last=last, weights="", FORM="month", TOP=TOP, sns=sns)
    exec(source(id), space | dict(figures=figures, name=CATALOG.name, ranking=ranking))
    return made[0]


PAGES = {"places": "07-42", "chances": "07-11", "groups": "07-14", "moves": "07-17"}


@pytest.mark.parametrize(
    ("page", "marks"),
    [
        ("places", 3 + 6 + 6 + 12),  # dots and ends of spans now, dots and ends of all periods
        ("chances", 6),
        ("groups", 2 * len(PARKS)),  # cells without a score, too
        ("moves", 2 * (TOP + 2)),
    ],
)
def test_what_the_notebook_draws_is_the_finding_and_may_be_printed(page, marks):
    found, figure = drawn(PAGES[page])
    assert figures.compare(figure, found) == marks
    figures.finish(figure, found)
    figures.check(figure)


def swap(one, two, what):
    a, b = getattr(one, f"get_{what}")(), getattr(two, f"get_{what}")()
    getattr(one, f"set_{what}")(b), getattr(two, f"set_{what}")(a)


def ticks(ax, axis):
    at, words = zip(*readback.ticks(getattr(ax, f"{axis}axis")).items(), strict=True)
    getattr(ax, f"set_{axis}ticks")(at, [words[1], words[0], *words[2:]])


def numbers(ax, column):
    return [t for t in ax.texts if (t.get_gid() or "").endswith(f"/{column}")][:2]


SWAPS = {
    "two lines": ("places", lambda a: swap(a[1].lines[0], a[2].lines[0], "ydata"), "place 点"),
    "two colours": ("places", lambda a: swap(a[1].lines[0], a[2].lines[0], "color"), "place 点"),
    "two months": ("places", lambda a: ticks(a[1], "x"), "(place|best) "),
    "two dots now": ("places", lambda a: swap(*a[0].lines[:2], "xdata"), "place 点"),
    "two parks now": ("places", lambda a: ticks(a[0], "y"), "place 点|数字的位置"),
    "two spans": ("places", lambda a: swap(*a[0].collections[:2], "segments"), "best 线端"),
    "two places told": ("places", lambda a: swap(*numbers(a[0], "placed"), "text"), "placed 数字"),
    "two rows of a heat map": ("chances", lambda a: ticks(a[0], "y"), "place_chance 格"),
    "two columns": ("chances", lambda a: ticks(a[0], "x"), "place_chance 格"),
    "two numbers": (
        "chances",
        lambda a: swap(*numbers(a[0], "place_chance"), "text"),
        "place_chance 数字",
    ),
    "two parks of a heat map": ("groups", lambda a: ticks(a[0], "x"), "points 格"),
    "two groups": ("groups", lambda a: ticks(a[0], "y"), "格"),
    "two cells": (
        "groups",
        lambda a: a[0].collections[0].set_array(a[0].collections[0].get_array()[:, ::-1]),
        "格",
    ),
    "two bars": ("moves", lambda a: swap(*a[1].containers[0][1:3], "width"), "gain 柱长"),
    "two panels": ("moves", lambda a: swap_titles(*a[:2]), "gain (柱长|数字)"),
    "two items": ("moves", lambda a: ticks(a[1], "y"), "gain (柱长|数字)"),
    "two gains told": ("moves", lambda a: swap(*numbers(a[1], "gain"), "text"), "gain 数字"),
}


def swap_titles(one, two):
    a, b = one.get_title("left"), two.get_title("left")
    one.set_title(b, loc="left"), two.set_title(a, loc="left")


@pytest.mark.parametrize("what", SWAPS)
def test_two_things_swapped_on_the_page_are_caught(what):
    page, change, told = SWAPS[what]
    found, figure = drawn(PAGES[page])
    change(figure.axes)
    with pytest.raises(FigureError, match=f"{found.name}/.*({told})"):
        figures.compare(figure, found)


def test_who_is_not_ranked_has_a_row_without_a_mark():
    out = [place(PARKS[3], p, NAN, NAN, NAN, NAN) for p in ("2018-08", "2018-09")]
    found, figure = drawn("07-42", given(RANKS=pd.concat([THREE, ranked(*out)])))
    assert figures.compare(figure, found) == 27 and "不排位" in figures.texts(figure)


def test_one_park_alone_and_no_chance_at_all_may_be_printed():
    alone = ranked(place(PARKS[4], "2018-09", 90.0, 1, 1, 1))
    found, figure = drawn("07-42", given(RANKS=alone))
    figures.finish(figure, found)
    figures.check(figure)
    for page in ("chances", "groups", "moves"):
        held = dict(RANKS=alone, PLACES=PLACES.head(0), MOVES=MOVES.head(0))
        found, figure = drawn(PAGES[page], given(**held))
        assert figures.compare(figure, found) == 0
