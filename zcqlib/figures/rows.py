"""Lying bars and estimates with intervals, one row each."""

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


def bars(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    unit: str = "",
    show: Show = plain,
    reference: float = float("nan"),
    reference_words: str = "",
    heads: tuple[str, str] = ("", ""),
    size: str = "",
) -> Figure:
    """Lying bars, in the order given; the numbers stand in columns of their own, clear of bars and reference.

    Parameters
    ----------
    rows : `label`, `value`, optional `region` (parks keep their colours), `note` (a second number, as text).
    heads : headings of the two columns of numbers.
    """
    canvas = Canvas(caption, size)
    n = max(len(rows), 1)
    parks = "region" in rows
    left = canvas.left + (28 if parks else 0)
    names, ink = _names(canvas, rows["label"])
    told = [f"{show(v)}{unit}" if np.isfinite(v) else "未报" for v in rows["value"]]
    notes = rows["note"].astype("str").tolist() if "note" in rows else []
    wide = [
        max([measured(w, 13) for w in (*part, head)], default=0.0)
        for part, head in zip((told, notes), heads, strict=True)
    ]
    note_at = canvas.right
    value_at = note_at - (wide[1] + 40 if notes else 0)
    top = canvas.top + (26 if reference_words or any(heads) else 6)
    step = min((canvas.bottom - top) / n, 92)
    ax = canvas.axes(left + names + 16, top, value_at - wide[0] - 24, top + step * n)
    values = rows["value"].to_numpy(float)
    colours = (
        [look.parks()[r].colour if r in look.parks() else look.TO_DATE for r in rows["region"]]
        if parks
        else look.TO_DATE
    )
    ax.barh(range(len(rows)), np.nan_to_num(values), height=min(0.6, 40 / step), color=colours)
    low, high = min(0.0, np.nanmin(values, initial=0)), max(np.nanmax(values, initial=0), 1e-9)
    if np.isfinite(reference):
        high = max(high, reference * 1.02)
        ax.axvline(reference, color=look.INK, linewidth=canvas.pt(1.8), gid=REFERENCE)
    ax.set_xlim(low * 1.05, high)
    ax.set_ylim(n - 0.5, -0.5)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.axvline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    if np.isfinite(reference) and reference_words:
        x, room = canvas.px(ax, reference, 0)[0], measured(reference_words, 12) / 2
        x = min(max(x, left + names + 16 + room), value_at - wide[0] - 30 - room)
        canvas.text(x, top - 14, reference_words, 12, look.INK, ha="center", bold=0.6)
    for x, head in zip((value_at, note_at), heads, strict=True):
        if head:
            canvas.text(x, top - 14, head, 12, look.SECOND, ha="right")
    for i, r in enumerate(rows.itertuples()):
        y = top + step * (i + 0.5)
        style = look.parks().get(r.region) if parks else None
        if style:
            canvas.dot(canvas.left + 8, y, style.marker, style.size, style.colour, style.colour)
        canvas.text(
            left,
            y,
            r.label,
            ink,
            look.INK,
            fit=names,
            rows=2 if step > 50 else 1,
            bold=0.6 if style and r.region == "zone" else 0,
        )
        canvas.text(value_at, y, told[i], 13, look.INK, ha="right")
        if notes:
            canvas.text(note_at, y, notes[i], 13, look.SECOND, ha="right")
    return canvas.figure


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
