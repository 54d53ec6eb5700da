"""House charts: each may be printed on both pages, and two things swapped on any of them are caught."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.text import Annotation

from zcqlib import figures, quantity
from zcqlib.figures import Canvas, Caption, FigureError
from zcqlib.findings import Found, targets
from zcqlib.findings.found import lay
from zcqlib.quantity import Scale

PERIOD, NAN = pd.Period("2018-09", "M"), float("nan")
NAMES = ["专利申请总量", "名称特别长的一个指标", "引进市外资金", "孵化面积"]


def found(name, rows, measures, **more):
    """A finding of rows that give what a test needs."""
    rows = lay(rows.assign(inputs="SERIES/zone.x"), measures).join(rows[list({"at"} & set(rows))])
    about = "园区月报", "2018年", PERIOD, PERIOD, True
    return Found(name, rows, measures, *about, "一句标题", **more)


def page(made, draw, panels=None, size="wide", **grid):
    """What `draw` draws of a finding, laid out for good."""
    about = dict(source=made.source, as_of="2018年9月", demo=True)
    sheet = Canvas(Caption(made.title, "完成率（%）；2018年", **about), size)
    with rc_context(figures.drawing(sheet.scale)):
        draw(sheet.grid(panels, **grid), made)
        figures.finish(sheet.figure, made)
    return sheet.figure


def glance():
    rows = pd.DataFrame(
        {
            "label": NAMES,
            "indicator": list("abcd"),
            "region": "zone",
            "scale": [Scale("件")] * 4,
            "group": ["1", "1", "6", "9"],
            "promise": ["≥5000件", "≥80件", "按节点完成", "≥4件"],
            "state": ["●把握较大", "■难度较大", "◇按节点推进", "▲尚有悬念"],
            "done": [3000.0, 12.0, 1.0, 2.0],
            "chance": [0.9, 0.004, NAN, 0.42],
            "done_pct": [60.0, 15.0, 20.0, 250.0],
            "on_pace_pct": [70.0, 30.0, NAN, 75.0],
            "low_pct": [90.0, 30.0, NAN, 50.0],
            "median_pct": [101.0, 40.0, NAN, 97.0],
            "high_pct": [110.0, 180.0, NAN, 150.0],
        },
        list("abcd"),
    )
    return found("glance", rows, targets.STANDING)


def outlook():
    made = glance()
    return found("glance", made.rows.dropna(subset="chance"), targets.STANDING)


def intervals(ax, made):
    year_end = "median_pct", "low_pct", "high_pct"
    figures.spans(ax, made, made.things.index, *year_end, marks={"on_pace_pct": "D"})
    figures.table(ax, made, "state", "chance")


# chart → finding, what draws it, panels, settings of the grid
CHARTS = {
    "bullets": (glance, figures.bullets, None, {}),
    "intervals": (outlook, intervals, None, {}),
}


@pytest.mark.parametrize("size", ["wide", "a4"])
@pytest.mark.parametrize("name", CHARTS)
def test_every_house_chart_is_its_finding_and_may_be_printed(name, size):
    make, draw, panels, grid = CHARTS[name]
    made = make()
    figure = page(made, draw, panels, size, **grid)
    assert figures.compare(figure, made) > 3
    figures.check(figure)


def swaps(figure):
    """Each pair of things of one kind on a page, as a function that exchanges them; done twice it changes nothing."""
    for ax in figure.axes:
        for group in ax.containers:
            flat = group.orientation == "horizontal"
            yield from _pairs(group, "width" if flat else "height")
        for line in ax.lines:
            if line.get_transform() == ax.transData and line.get_gid() != figures.REFERENCE:
                for part in ("xdata", "ydata"):
                    yield from _inside(line, part)
        for c in ax.collections:
            if isinstance(c, LineCollection) and c.get_gid():
                yield from _segments(c)
            elif isinstance(c, PolyCollection) and c.get_gid():
                yield c.get_gid(), lambda c=c: _mirrored(c)
            elif isinstance(c, QuadMesh):
                yield from _inside(c, "array")
        texts = [t for t in ax.findobj(Annotation) if t.get_gid()]
        columns = pd.Series(texts).groupby([t.get_gid().split("/")[-1] for t in texts])
        for _, same in columns:
            yield from _pairs(list(same), "text")


def _pairs(things, what):
    have = [getattr(t, f"get_{what}")() for t in things]
    for i, j in zip(range(len(have)), range(1, len(have)), strict=False):
        if have[i] != have[j] and have[i] == have[i] and have[j] == have[j]:

            def swap(a=things[i], b=things[j]):
                one, other = (getattr(t, f"get_{what}")() for t in (a, b))
                getattr(a, f"set_{what}")(other), getattr(b, f"set_{what}")(one)

            yield f"{what} {have[i]} {have[j]}", swap


def _inside(thing, what):
    """The first two values of an array that differ."""
    values = np.ma.filled(np.ma.asarray(getattr(thing, f"get_{what}")(), float), np.nan)
    known = np.flatnonzero(np.isfinite(values).ravel())
    differ = [k for k in known if values.ravel()[k] != values.ravel()[known[0]]]
    if differ:

        def swap(i=known[0], j=differ[0]):
            now = np.array(
                np.ma.filled(np.ma.asarray(getattr(thing, f"get_{what}")(), float), np.nan)
            )
            now.ravel()[[i, j]] = now.ravel()[[j, i]]
            getattr(thing, f"set_{what}")(np.ma.masked_invalid(now) if what == "array" else now)

        yield f"{what} of {thing.get_label()}", swap


def _segments(c):
    segments = c.get_segments()
    if len(segments) > 1 and not np.array_equal(segments[0], segments[1]):
        yield (
            c.get_gid(),
            lambda: c.set_segments([_ends(c, 1, 0), _ends(c, 0, 1), *c.get_segments()[2:]]),
        )
    yield c.get_gid(), lambda: c.set_gid("+".join(reversed(c.get_gid().split("+"))))


def _ends(c, of, at):
    """The segment `of` at the place of another one."""
    one, other = c.get_segments()[of], c.get_segments()[at]
    free = 0 if one[0, 0] != one[1, 0] or one[0, 1] == one[1, 1] else 1
    out = np.array(other)
    out[:, free] = one[:, free]
    return out


def _mirrored(c):
    for path in c.get_paths():
        xs = path.vertices[:, 0]
        path.vertices[:, 0] = xs.min() + xs.max() - xs


@pytest.mark.parametrize("name", CHARTS)
def test_two_things_swapped_on_a_house_chart_are_caught(name):
    make, draw, panels, grid = CHARTS[name]
    made = make()
    figure = page(made, draw, panels, **grid)
    tried = 0
    for what, swap in swaps(figure):
        swap()
        with pytest.raises(FigureError):
            figures.compare(figure, made)
            pytest.fail(f"nobody saw {what}")
        swap()
        tried += 1
    assert tried > 4
    figures.compare(figure, made)


def test_lights_are_printed_in_their_own_colour():
    figure = page(glance(), figures.bullets)
    shown = {t.get_text(): t.get_color() for ax in figure.axes for t in ax.texts}
    assert shown["■难度较大"] == f"#{quantity.lights().state('hard').text}"
