"""Tables that are figures: bullets, heat map, states, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.marks import Show, plain
from zcqlib.figures.theme import Canvas, Caption, measured


def _grid(
    canvas: Canvas,
    index: Sequence[str],
    columns: Sequence[str],
    gap_before: int = -1,
    least: float = 74,
    bold: str = "",
) -> tuple[list[float], float, float, float, float]:
    """Names of rows and columns of a table; left edges of the columns, their width, top, height of a row, letters."""
    n, m = max(len(index), 1), max(len(columns), 1)
    gap = 24 if gap_before >= 0 else 0
    longest = max((measured(name, 13) for name in index), default=0.0) + 24
    room = min(longest, canvas.right - canvas.left - m * least - gap)
    left = canvas.left + room
    wide = (canvas.right - left - gap) / m
    rows = max([1, *(-(-int(measured(c, 12.5)) // max(int(wide - 8), 1)) for c in columns)])
    top = canvas.top + 6 + 20 * min(rows, 2)
    step = min((canvas.bottom + 12 - top) / n, 84)
    ink = min(13.0, step / 1.75)
    edges = [left + wide * j + (gap if 0 <= gap_before <= j else 0) for j in range(m)]
    for j, name in enumerate(columns):
        canvas.text(
            edges[j] + wide / 2,
            top - 6 - 10 * min(rows, 2),
            name,
            12.5,
            look.INK,
            ha="center",
            fit=wide - 6,
            rows=2,
            bold=0.6 if name == bold else 0,
        )
    for i, name in enumerate(index):
        canvas.text(
            canvas.left,
            top + step * (i + 0.5),
            str(name),
            ink,
            look.INK,
            fit=room - 14,
            rows=2 if step > 46 else 1,
        )
    return edges, wide, top, step, ink


def states(
    cells: pd.DataFrame, caption: Caption, *, looks: Mapping[str, tuple[str, str]], size: str = ""
) -> Figure:
    """A grid of words, each with its fill and text colour: completeness, stages.

    Parameters
    ----------
    cells : index row names, columns column names, values words (keys of `looks`: fill, text colour) or "" for nothing.
    """
    canvas = Canvas(caption, size)
    edges, wide, top, step, ink = _grid(
        canvas, list(map(str, cells.index)), list(map(str, cells.columns)), least=50
    )
    for i, (_, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        for x, word in zip(edges, row, strict=True):
            if word:
                fill, colour = looks.get(word, ("#F7F8F9", look.SECOND))
                canvas.box(x + 2, y, wide - 4, step - 4, fill)
                canvas.text(
                    x + wide / 2,
                    y,
                    word,
                    min(ink, 12.5),
                    colour,
                    ha="center",
                    fit=wide - 8,
                    rows=2 if step > 46 else 1,
                )
    return canvas.figure


def effects(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    columns: Sequence[tuple[str, str]],
    shows: Sequence[Show] = (),
    show: Show = plain,
    size: str = "",
) -> Figure:
    """A table with bars: one row a region, one column of bars an effect; the last row is the total.

    Parameters
    ----------
    rows : `label`, optional `region` (parks get their marker) and one numeric column for each of `columns` (id, name),
        drawn from the figures as printed.
    shows : where the columns do not share a unit, how each prints its numbers; each then has a scale of its own.
    """
    n, m = len(rows), max(len(columns), 1)
    canvas = Canvas(caption, size)
    top, bottom = canvas.top + 46, canvas.bottom
    marked = "region" in rows
    left = canvas.left + (28 if marked else 0)
    names = max((measured(r, 14) for r in rows["label"]), default=0.0) + left + 30
    names = min(names, canvas.left + 0.3 * (canvas.right - canvas.left))
    step, wide = (bottom - top) / max(n, 1), (canvas.right - names) / m
    told = {
        id: [
            ("+" if v > 0 else "") + how(v) if np.isfinite(v) else "—"
            for v in rows[id].astype(float)
        ]
        for (id, _), how in zip(columns, shows or [show] * m, strict=True)
    }
    room = {id: _room(rows[id], told[id]) for id, _ in columns}
    pers = {
        id: max(wide - 28 - text, 1.0) / (down + up or 1.0)
        for id, (text, _, down, up) in room.items()
    }
    for j, (id, name) in enumerate(columns):
        per = pers[id] if shows else min(pers.values())
        zero = names + wide * j + 14 + room[id][1] + room[id][2] * per
        canvas.text(
            names + wide * j + 14, top - 30, name, 13.5, look.INK, bold=0.6, fit=wide - 14, rows=2
        )
        canvas.line([zero] * 2, [top, bottom], look.AXIS, 1.2)
        for i, (v, words) in enumerate(zip(rows[id].astype(float), told[id], strict=True)):
            y, reach, thick = top + step * (i + 0.5), v * per, min(step * 0.5, 34)
            if not np.isfinite(v):
                canvas.text(zero + 8, y, words, 13, look.SECOND)
                continue
            if abs(reach) < 1:
                canvas.line([zero] * 2, [y - 9, y + 9], look.SECOND, 2.4)
            elif v > 0:
                canvas.box(zero, y, reach, thick, look.RISE)
            else:
                canvas.box(
                    zero + reach,
                    y,
                    -reach,
                    thick,
                    facecolor="white",
                    edgecolor=look.FALL,
                    hatch="////",
                    linewidth=canvas.pt(1.4),
                )
            canvas.text(
                zero + reach + (8 if v >= 0 else -8),
                y,
                words,
                13,
                look.RISE if v > 0 else look.FALL if v < 0 else look.SECOND,
                ha="left" if v >= 0 else "right",
                bold=0.5 if i == n - 1 else 0,
            )
    for i, r in enumerate(rows.itertuples()):
        y, last = top + step * (i + 0.5), i == n - 1
        if marked and r.region in look.parks() and not last:
            style = look.parks()[r.region]
            canvas.dot(canvas.left + 8, y, style.marker, style.size, style.colour, style.colour)
        canvas.text(
            left, y, r.label, 14, look.INK, bold=0.6 if last else 0, fit=names - left - 14, rows=2
        )
        if last:
            canvas.line([canvas.left, canvas.right], [y - step / 2] * 2, look.INK, 1.2)
    return canvas.figure


def _room(values: pd.Series, told: Sequence[str]) -> tuple[float, float, float, float]:
    """Px that the numbers of a column need at both ends of its bars and at the left one, and how far the bars reach
    to the left and right of zero."""
    v = values.astype(float).fillna(0.0).to_numpy()
    text = np.array([measured(words, 13) + 8 for words in told])
    before, after = (float(text[side].max(initial=0.0)) for side in (v < 0, v >= 0))
    return before + after, before, -min(v.min(initial=0.0), 0.0), max(v.max(initial=0.0), 0.0)
