"""Estimates with intervals, one row each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zcqlib.figures import theme as look
from zcqlib.figures.marks import Show, plain
from zcqlib.figures.theme import REFERENCE, Canvas, Caption, measured


def _names(canvas: Canvas, labels: pd.Series) -> tuple[float, float]:
    """Px for the names of rows: what they need, at most a third of the page; and the letters that all of them have."""
    longest = max((measured(str(w), 13.5) for w in labels), default=0.0)
    room = min(longest, 0.24 * (canvas.right - canvas.left))
    return room, 13.5 if longest <= room else 12.0


def forest(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    zero: float = 0.0,
    zero_words: str = "",
    show: Show = plain,
    size: str = "",
) -> Figure:
    """Estimates with intervals.

    Parameters
    ----------
    rows : `label`, `estimate`, `low`, `high`, optional `actual` (what came, a hollow diamond) and `note` (text at the
        right in place of the estimate).
    """
    canvas = Canvas(caption, size)
    names, ink = _names(canvas, rows["label"])
    told = (
        rows["note"].tolist()
        if "note" in rows
        else [
            f"{show(r.estimate)}\uff08{show(r.low)}–{show(r.high)}\uff09" for r in rows.itertuples()
        ]
    )
    wide = max((measured(t, 13) for t in told), default=0.0)
    top = canvas.top + 34
    ax = canvas.axes(canvas.left + names + 30, top, canvas.right - wide - 24, canvas.bottom)
    actual = rows["actual"] if "actual" in rows else pd.Series(np.nan, rows.index)
    low, high = (
        float(f([*rows["low"], *rows["high"], *actual, zero])) for f in (np.nanmin, np.nanmax)
    )
    room = max(high - low, 1e-9)
    ax.set_xlim(low - 0.04 * room, high + 0.04 * room)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.axvline(zero, color=look.INK, linewidth=canvas.pt(1.4), gid=REFERENCE)
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: show(round(v, 9))))
    ax.grid(axis="x", color=look.GRID, linewidth=1)
    if zero_words:
        canvas.text(
            canvas.px(ax, zero, 0)[0], top - 16, zero_words, 12, look.INK, ha="center", bold=0.6
        )
    for i, r in enumerate(rows.itertuples()):
        ax.plot([r.low, r.high], [i, i], color=look.NAVY, linewidth=canvas.pt(2.6))
        ax.plot([r.estimate], [i], "o", color=look.NAVY, markersize=canvas.pt(9))
        ax.plot(
            [actual.iloc[i]],
            [i],
            "D",
            color="white",
            markeredgecolor=look.INK,
            markersize=canvas.pt(9),
            zorder=3,
        )
        y = canvas.px(ax, 0, i)[1]
        canvas.text(canvas.left, y, r.label, ink, look.INK, fit=names, rows=2)
        canvas.text(canvas.right, y, told[i], 13, look.NAVY, ha="right")
    return canvas.figure
