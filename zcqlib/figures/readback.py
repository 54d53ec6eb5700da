"""What a reader sees, read from the axes of a finished figure, and held against the finding that it shows.

Seaborn and pandas name what they draw: an axis is called by its column, a line or bar by its label or its colour. So a
mark belongs to the row of its label or park and of its place on the axis of rows, and its length or height to the
measure that its label or its axis names. A panel under the name of a park shows that park's rows; a heat map whose axis
is called by a measure shows it by label and place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import cycle, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from zcqlib.figures.theme import REFERENCE, FigureError, named, parks

TICK, CELL = "tick", "格"  # gid of lines that are the aim of a row; what a cell is called


class Mark(NamedTuple):
    """One point, bar, tick or cell: label of what it is part of, colour, where it stands, and of a cell its value; the
    place of a bar holds its length."""

    what: str
    label: str
    colour: str
    x: float
    y: float
    value: float = np.nan


def marks(ax) -> Iterator[Mark]:
    """All that is drawn in the data of some axes but lines of reference."""
    legend = ax.get_legend()
    keys = zip(legend.legend_handles, legend.texts, strict=True) if legend else ()
    names = {_hex(getattr(h, "get_facecolor", h.get_color)()): t.get_text() for h, t in keys}
    bars = (g for g in ax.containers if isinstance(g, BarContainer))
    for artist in (*ax.lines, *bars, *ax.collections):
        own = str(artist.get_label())
        for what, label, colour, *at in _drawn(artist, ax):
            label = label or (names.get(colour, "") if own.startswith("_") else own)
            if np.isfinite(at[:2]).all():  # of a value that is missing nothing is drawn
                yield Mark(what, label, colour, *at)


def _drawn(artist, ax) -> Iterator[tuple]:
    """What, label where it has one of its own, colour and place of each mark of an artist."""
    if isinstance(artist, BarContainer):
        flat = artist.orientation == "horizontal"
        for bar in artist:
            x, y, wide, high = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
            at = (wide, y + high / 2) if flat else (x + wide / 2, high)
            yield "柱长", "", _hex(bar.get_edgecolor()), *at
    elif isinstance(artist, Line2D):
        free = artist.get_transform() == ax.transData  # axhline and axvline are not
        if free and artist.get_gid() != REFERENCE and artist.get_visible():
            tick, points = artist.get_gid() == TICK, artist.get_xydata()
            for x, y in points[:1] + [0, 0.34] if tick else points:  # of a tick its middle
                yield TICK if tick else "点", "", _hex(artist.get_color()), x, y
    elif isinstance(artist, PathCollection):
        for colour, at in zip(cycle(artist.get_facecolors()), artist.get_offsets(), strict=False):
            yield "点", "", _hex(colour), *np.ma.filled(at, np.nan)
    elif isinstance(artist, QuadMesh):
        places = list(product(*(ticks(axis) for axis in (ax.yaxis, ax.xaxis))))
        values = np.ma.filled(artist.get_array().astype(float), np.nan).ravel()
        # a colour bar has no cells
        for (y, x), v in zip(places, values, strict=True) if len(places) == len(values) else ():
            yield CELL, "", "", x, y, v
    elif artist.get_gid():  # lines and bands without a name only join points
        line, ids = isinstance(artist, LineCollection), artist.get_gid().split("+")
        colours = cycle(artist.get_colors() if line else artist.get_facecolors())
        ends = artist.get_segments() if line else edges(artist)
        for colour, both in zip(colours, ends, strict=False):
            for id, at in zip(ids[: len(both)], both, strict=True):
                yield "线端", id, _hex(colour), *at


def edges(band: PolyCollection) -> Iterator[tuple]:
    """The lower and the upper edge of a band at each of its places."""
    for path in band.get_paths():
        at = pd.DataFrame(path.vertices).groupby(0)[1].agg(["min", "max"])
        yield from (((x, low), (x, high)) for x, low, high in at.itertuples())


def _hex(colour) -> str:
    return to_hex(colour).upper()


def ticks(axis) -> dict[float, str]:
    """Place and words of each tick, also of those that a shared axis hides."""
    at = axis.get_ticklocs()
    return dict(zip(at, axis.get_major_formatter().format_ticks(at), strict=True))


class Marks:
    """How some axes name the rows and measures of a finding."""

    def __init__(self, ax, found):
        self.ax, self.found = ax, found
        self.ids = {m.head: c for c, m in found.measures.items()} | {c: c for c in found.measures}
        self.named = [self.ids.get(ax.get_xlabel(), ""), self.ids.get(ax.get_ylabel(), "")]
        self.ticks = [ticks(axis) for axis in (ax.xaxis, ax.yaxis)]
        self.plain, self.things = found.rows.to_dict("index"), set(found.things.index)
        self.style = {style.colour: region for region, style in parks().items()}
        known = {str(r.get(c)) for r in self.plain.values() for c in ("label", "at")}
        title = ax.get_title(loc="left")
        self.title = "" if title in self.ids else title  # the head of a measure names no row
        self.panel = self.of(named().get(self.title, ""))
        holds = [
            len(known & set(t.values())) * (not n)
            for t, n in zip(self.ticks, self.named, strict=True)
        ]
        self.row_axis, self.placed = int(holds[1] > holds[0]), any(holds)

    @cached_property
    def rows(self) -> list[tuple[float, str]]:
        """Place on the axis of rows and id of each row that stands there."""
        # things before summaries
        rows = sorted(self.panel or self.plain, key=lambda i: i in self.things)
        label = {str(self.plain[i].get(c)): i for c in ("label", "at") for i in rows}
        return [(p, label[t]) for p, t in self.ticks[self.row_axis].items() if t in label]

    def series(self, label: str, colour: str) -> list[str]:
        """The rows that a label, the colour of a park or the title of the axes stands for, else all."""
        own = [i for i, r in self.plain.items() if r["label"] == label]
        own = own or [i for i, r in self.plain.items() if r["label"] == self.title] or self.panel
        return own or self.of(self.style.get(colour, "")) or list(self.plain)

    def of(self, region: str) -> list[str]:
        """The rows of a region."""
        return [i for i, r in self.plain.items() if region and r.get("region") == region]

    def at(self, rows: list[str], place: float) -> list[str]:
        """Those of some rows that stand at a place of the axis of rows."""
        text = self.ticks[self.row_axis].get(round(place), "")
        told = lambda r: {r["label"], str(r.get("at")), r.get("at")}  # noqa: E731
        return [i for i in rows if not told(self.plain[i]).isdisjoint((text, place))]

    def check(self, mark: Mark) -> None:
        """Raises FigureError where a mark is not what its row has."""
        own, xy = self.ids.get(mark.label, ""), (mark.x, mark.y)
        value = mark.value if mark.what == CELL else xy[1 - self.row_axis]
        if mark.what == CELL:
            column, rows = self.cell(xy)
            if np.isnan(value) and not rows:
                return
        elif all(self.named) and not own:  # a point of two measures
            rows = [self.plain[i] for i in self.series(mark.label, mark.colour)]
            if not any(all(map(_same, xy, (r[c] for c in self.named))) for r in rows):
                self.refuse(mark.label, "+".join(self.named), mark.what, xy, "其中一行")
            return
        else:
            column = own or self.named[1 - self.row_axis]
            rows = self.of_mark(mark, column, value)
        if len(rows) != 1:
            self.refuse(mark.label, column, mark.what, value, f"一行,现有{len(rows)}行")
        is_ = self.plain[rows[0]][column]
        if mark.what == TICK:
            is_ = self.found.measures[column].aim
            is_ = self.plain[rows[0]][is_] if isinstance(is_, str) else is_
        if not _same(value, float(is_)):
            self.refuse(rows[0], column, mark.what, value, is_)

    def of_mark(self, mark: Mark, column: str, value: float) -> list[str]:
        """The rows that may hold a mark: those of its label or colour at its place."""
        rows = self.series(mark.label, mark.colour) if column else []
        here = (mark.x, mark.y)[self.row_axis]
        rows = [i for i in self.at(rows, here) if not pd.isna(self.plain[i][column])]
        rows = [i for i in rows if i in self.things] or rows  # a summary may have a thing's name
        if mark.label in self.ids and not rows and not self.placed:
            # axes that no row has a place on show all rows
            rows = [i for i, r in self.plain.items() if _same(value, r[column])][:1]
        return rows

    def cell(self, xy: tuple[float, float]) -> tuple[str, list[str]]:
        """The measure and the rows of a cell: of one measure, as an axis says, or names of rows at the left and heads
        of measures above."""
        column = self.named[0] or self.named[1]
        if column:
            return column, [self.grid[xy]] if xy in self.grid else []
        head, label = self.ticks[0][xy[0]], self.ticks[1][xy[1]]
        column = self.ids.get(head, "")
        return column, [i for i, r in self.plain.items() if r["label"] == label and column]

    def text(self, text) -> None:
        """Raises FigureError where words do not print their facts, or stand at another row."""
        keys = (text.get_gid() or "").split("+")
        for key in (k for k in keys if "/" in k):
            row, column = key.split("/")[1:]
            if (
                key != self.found.key(row, column)
                or self.found.shown(row, column) not in text.get_text()
            ):
                self.refuse(row, column, "数字", text.get_text(), self.found.shown(row, column))
            here = dict(self.rows).get(round(text.xy[self.row_axis]))
            if any(isinstance(c, QuadMesh) for c in self.ax.collections):
                here = self.grid.get(tuple(text.xy))
            value = self.found.rows.at[row, column]
            free = text.xycoords == "axes fraction" or row == here
            free = free or self.plain[row].get("at") == text.xy[0]
            if not free and (isinstance(value, str) or not any(_same(v, value) for v in text.xy)):
                self.refuse(row, column, "数字的位置", here or text.xy, row)

    @cached_property
    def grid(self) -> dict[tuple[float, float], str]:
        """The row in each cell of a grid of one measure, by its middle: its label and place stand at the edges."""
        of: dict[frozenset, str] = {}
        for i in sorted(self.plain, key=lambda i: i not in self.things):  # things first
            label, at = self.plain[i]["label"], str(self.plain[i].get("at"))
            for own in (label, label.removeprefix(at)):
                of.setdefault(frozenset((own, at)), i)
        across, down = (axis.items() for axis in self.ticks)
        cells = {(x, y): of.get(frozenset((a, b)), "") for y, b in down for x, a in across}
        return {xy: row for xy, row in cells.items() if row}

    def refuse(self, row, column, what, seen, is_):
        raise FigureError(
            f"图与数据不一致:{self.found.name}/{row}/{column} {what}为「{seen}」,应为「{is_}」。"
        )


def series_of(ax, found) -> dict:
    """Each line with the rows that it shows and its colour."""
    m, out = Marks(ax, found), {}
    for line in ax.lines:
        colour = _hex(line.get_color())
        shown = line.get_gid() not in (REFERENCE, TICK) and np.isfinite(line.get_ydata()).any()
        rows = found.rows.loc[m.series(str(line.get_label()), colour)]
        if shown and rows["label"].nunique() == 1:
            out[line] = rows, colour
    return out


def compare(figure: Figure, found) -> int:
    """Hold every bar, point, tick, cell and number against the finding's rows; how many there were.

    Parameters
    ----------
    found : `name`, `rows`, `things`, `measures`, `shown`, `key`, as a finding has them.
    Raises
    ------
    FigureError : names finding, row, column and both values.
    """
    count = 0
    for ax in figure.axes:
        m = Marks(ax, found)
        for mark in marks(ax):
            m.check(mark)
            count += 1
        for text in ax.findobj(Annotation):
            m.text(text)
    if found.things[found.numbers].notna().any(axis=None) and not count:
        raise FigureError(f"图中读不回 {found.name} 的任何一个数。")
    return count


def seen(figure: Figure) -> pd.DataFrame:
    """What an analyst's own figure shows: panel, series, place and value as drawn."""
    rows = []
    for i, ax in enumerate(figure.axes, 1):
        at, down = ticks(ax.xaxis), ticks(ax.yaxis)
        day = "Date" in type(ax.xaxis.get_major_formatter()).__name__
        for m in marks(ax):
            x = num2date(m.x).strftime("%Y-%m-%d") if day else at.get(m.x, m.x)
            rows.append((i, down[m.y], x, m.value) if m.what == CELL else (i, m.label, x, m.y))
    return pd.DataFrame(rows, columns=["图", "系列", "横轴", "纵轴"])


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * abs(b) or a != a and b != b
