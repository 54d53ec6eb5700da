"""Ranks over months, and what moved a level."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zcqlib.figures.marks import plain
from zcqlib.figures.theme import (
    AXIS,
    FALL,
    GRID,
    INK,
    NAVY,
    RISE,
    SCALE,
    SECOND,
    TO_DATE,
    Canvas,
    Caption,
)


def waterfall(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    heads: tuple[str, str] = ("", ""),
    unit: str = "",
    size: str = "",
) -> Figure:
    """Lying waterfall from one level to another: reasons as text at the left, two quantities as text at the right.

    Parameters
    ----------
    rows : in order `label`, `note` below it, `is_level`, `value` (of a level where it stands, else what the step adds,
        NaN draws nothing), `told` and `also`, the texts of both columns. The first row and the last one are levels.
    heads : headings of both columns. unit : of `value`, printed at both ends of the scale.
    """
    canvas = Canvas(caption, size)
    words, first, second = 390, 190, 236  # widths of the columns of text
    one, two, top = canvas.right - second, canvas.right, canvas.top + 40
    left, right = canvas.left + words + 16, one - first
    at: list[float] = []
    for r in rows.itertuples():
        at.append(r.value if r.is_level else at[-1] + (0 if np.isnan(r.value) else r.value))
    step = (canvas.bottom - top) / max(len(rows), 1)
    middle = [top + step * (i + 0.5) for i in range(len(rows))]
    marks = _scale(np.array(at), unit)
    px = lambda v: left + (right - left) * (v - marks[0]) / (marks[-1] - marks[0])  # noqa: E731
    canvas.text(canvas.left, top - 20, "因素", 12.5, SECOND)
    for x, head in ((one, heads[0]), (two, heads[1])):
        canvas.text(x, top - 20, head, 12.5, SECOND, ha="right")
    for v in marks:
        canvas.line([px(v)] * 2, [top, canvas.bottom], GRID, 1, zorder=0)
        edge = unit if v in (marks[0], marks[-1]) else ""
        canvas.text(px(v), top - 20, f"{plain(v)}{edge}", 12, SECOND, ha="center", gid=SCALE)
    canvas.line([canvas.left, canvas.right], [top] * 2, AXIS, 1)
    last = len(rows) - 1
    for i, (y, r, to) in enumerate(zip(middle, rows.itertuples(), at, strict=True)):
        strong = NAVY if r.is_level else INK
        canvas.text(canvas.left, y - 0.17 * step, r.label, 14.5, strong, bold=0.7, fit=words)
        canvas.text(canvas.left, y + 0.2 * step, r.note, 12, SECOND, fit=words, rows=2)
        if i < last and np.isfinite([to, at[i + 1]]).all():
            canvas.line([px(to)] * 2, [y, middle[i + 1]], SECOND, 1)
        fill = RISE if r.value > 0 else FALL
        if r.is_level:
            edge, width, shade = (
                (y - step / 2, 1.6, NAVY) if i == last else (y + step / 2, 1, TO_DATE)
            )
            canvas.line([canvas.left, canvas.right], [edge] * 2, SECOND, width)
            if np.isfinite(to):
                canvas.dot(px(to), y, "o", 15, shade, shade)
        elif abs(r.value) > 0:
            a, b = sorted((px(to - r.value), px(to)))
            look = (
                {}
                if r.value > 0
                else {"facecolor": "white", "edgecolor": FALL, "hatch": "////", "linewidth": 1.6}
            )
            canvas.box(a, y, b - a, 0.46 * step, RISE, **look)
        elif np.isfinite(to):
            canvas.line([px(to)] * 2, [y - 0.23 * step, y + 0.23 * step], INK, 3)
        colour = NAVY if r.is_level else fill if abs(r.value) > 0 else SECOND
        canvas.text(
            one, y, r.told, 19 if r.is_level else 17, colour, bold=0.7, ha="right", fit=first - 16
        )
        canvas.text(
            two,
            y,
            r.also,
            16.5,
            strong,
            bold=0.7 if r.is_level else 0.0,
            ha="right",
            fit=second - 16,
        )
    return canvas.figure


def _scale(levels: np.ndarray, unit: str) -> np.ndarray:
    """Marks of a scale that holds all levels with some room, at least ten wide; a chance stays within 0 and 100 %."""
    known = levels[np.isfinite(levels)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 100.0)
    room = max(0.15 * (high - low), (10 - (high - low)) / 2)
    marks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low - room, high + room)
    return marks[(marks >= 0) & (marks <= 100)] if unit == "%" else marks
