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

CELL = "格"  # what a cell is called


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
            (x, y), wide, high = bar.get_xy(), bar.get_width(), bar.get_height()
            at = (wide, y + high / 2) if flat else (x + wide / 2, high)
            yield "柱长", "", _hex(bar.get_edgecolor()), *at
    elif isinstance(artist, Line2D):
        free = artist.get_transform() == ax.transData  # axhline and axvline are not
        if free and artist.get_gid() != REFERENCE and artist.get_visible():
            for at in artist.get_xydata():
                yield "点", "", _hex(artist.get_color()), *at
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
        for colour, ends in zip(colours, _ends(artist, line), strict=False):
            for id, at in zip(ids, ends, strict=False):  # of a tick one end
                yield "线端", id, _hex(colour), *at


def _ends(artist: LineCollection | PolyCollection, line: bool) -> Iterator:
    """Both ends of each line, or the lower and the upper edge of a band at each of its places."""
    if line:
        yield from artist.get_segments()
    for path in () if line else artist.get_paths():
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
        self.named = [self.ids.get(label, "") for label in (ax.get_xlabel(), ax.get_ylabel())]
        self.ticks = [ticks(axis) for axis in (ax.xaxis, ax.yaxis)]
        self.style = {style.colour: region for region, style in parks().items()}
        self.things = set(found.things.index)
        rows = found.rows.to_dict("index")
        # of two rows of one name the later one counts: summaries before things
        self.plain = {i: rows[i] for i in sorted(rows, key=lambda i: i in self.things)}
        known = {str(r.get(c)) for r in rows.values() for c in ("label", "at")}
        title = ax.get_title(loc="left")
        self.title = "" if title in self.ids else title  # the head of a measure names no row
        self.panel = self.of("region", named().get(self.title))
        held = [
            0 if n else len(known & {*t.values()})
            for t, n in zip(self.ticks, self.named, strict=True)
        ]
        self.row_axis, self.placed = int(held[1] > held[0]), any(held)

    @cached_property
    def rows(self) -> list[tuple[float, str]]:
        """Place on the axis of rows and id of each row that stands there."""
        rows = self.panel or self.plain
        of = {str(self.plain[i].get(c)): i for c in ("label", "at") for i in rows}
        return [(p, of[t]) for p, t in self.ticks[self.row_axis].items() if t in of]

    def series(self, label: str, colour: str) -> list[str]:
        """The rows that a label, the colour of a park or the title of the axes stands for, else all."""
        own = self.of("label", label) or self.of("label", self.title or None) or self.panel
        return own or self.of("region", self.style.get(colour)) or list(self.plain)

    def of(self, column: str, value) -> list[str]:
        """The rows that have a value, which is not None."""
        return [i for i, r in self.plain.items() if value is not None and r.get(column) == value]

    def check(self, mark: Mark) -> None:
        """Raises FigureError where a mark is not what its row has."""
        own, xy = self.ids.get(mark.label, ""), (mark.x, mark.y)
        value = mark.value if mark.what == CELL else xy[1 - self.row_axis]
        column = own or self.named[1 - self.row_axis]
        if mark.what == CELL:
            column, rows = self.grid[xy]
            if np.isnan(value) and not rows:
                return
        elif all(self.named) and not own:  # a point of two measures
            rows = [self.plain[i] for i in self.series(mark.label, mark.colour)]
            if not any(all(map(_same, xy, (r[c] for c in self.named))) for r in rows):
                self.refuse(mark.label, "+".join(self.named), mark.what, xy, "其中一行")
            return
        else:
            rows = self.of_mark(mark, column, value) if column else []
        if len(rows) != 1:
            self.refuse(mark.label, column, mark.what, value, f"一行,现有{len(rows)}行")
        if not _same(value, float(self.plain[rows[0]][column])):
            self.refuse(rows[0], column, mark.what, value, self.plain[rows[0]][column])

    def of_mark(self, mark: Mark, column: str, value: float) -> list[str]:
        """The rows that may hold a mark: those of its label or colour at its place."""
        place = (mark.x, mark.y)[self.row_axis]
        at = {self.ticks[self.row_axis].get(round(place), ""), place}
        rows = []
        for i in self.series(mark.label, mark.colour):
            r = self.plain[i]
            here = {r["label"], str(r.get("at")), r.get("at")}
            rows += [i] * (not here.isdisjoint(at) and not pd.isna(r[column]))
        rows = [i for i in rows if i in self.things] or rows
        if mark.label in self.ids and not rows and not self.placed:
            # axes that no row has a place on show all rows
            rows = [i for i, r in self.plain.items() if _same(value, r[column])][:1]
        return rows

    def text(self, text) -> None:
        """Raises FigureError where words do not print their facts, or stand at another row."""
        heat = any(isinstance(c, QuadMesh) for c in self.ax.collections)
        for key in (k for k in (text.get_gid() or "").split("+") if "/" in k):
            row, column = key.split("/")[1:]
            shown, value = self.found.shown(row, column), self.found.rows.at[row, column]
            if key != self.found.key(row, column) or shown not in text.get_text():
                self.refuse(row, column, "数字", text.get_text(), shown)
            here = self.grid.get(tuple(text.xy), ("", []))[1]
            here = here if heat else [dict(self.rows).get(round(text.xy[self.row_axis]))]
            free = text.xycoords == "axes fraction" or row in here
            free = free or self.plain[row].get("at") == text.xy[0]
            if not free and (isinstance(value, str) or not any(_same(v, value) for v in text.xy)):
                self.refuse(row, column, "数字的位置", next(iter(here), text.xy), row)

    @cached_property
    def grid(self) -> dict[tuple[float, float], tuple[str, list[str]]]:
        """The measure and the rows of each cell, by its middle: of one measure the row's label and place stand at the
        edges, else names of rows at the left and heads of measures above."""
        of, named = {}, self.named[0] or self.named[1]
        for i, r in self.plain.items():
            at = str(r.get("at"))
            of |= {frozenset((own, at)): [i] for own in (r["label"], r["label"].removeprefix(at))}
        return {
            (x, y): (named, of.get(frozenset((across, down)), []))
            if named
            else (self.ids.get(across, ""), self.of("label", down))
            for (x, across), (y, down) in product(*(axis.items() for axis in self.ticks))
        }

    def refuse(self, row, column, what, seen, is_):
        raise FigureError(
            f"图与数据不一致:{self.found.name}/{row}/{column} {what}为「{seen}」,应为「{is_}」。"
        )


def series_of(ax, found) -> dict:
    """Each line with the rows that it shows and its colour."""
    m, out = Marks(ax, found), {}
    for line in ax.lines:
        drawn, colour = list(_drawn(line, ax)), _hex(line.get_color())
        rows = found.rows.loc[m.series(str(line.get_label()), colour)]
        if drawn and np.isfinite(line.get_ydata()).any() and rows["label"].nunique() == 1:
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
