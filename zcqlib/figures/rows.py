"""Lying bars, shares and estimates with intervals, one row each."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zcqlib.figures.marks import PALETTE, Show, box, plain
from zcqlib.figures.theme import AXIS, GRID, INK, NAVY, PARKS, SECOND, STACKED, TO_DATE, Canvas, Caption


def bars(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    unit: str = "",
    show: Show = plain,
    reference: float = float("nan"),
    reference_words: str = "",
    size: str = "wide",
) -> Figure:
    """Lying bars, in the order given.

    Parameters
    ----------
    rows : `label`, `value`, optional `region` (parks keep their colours), `note` (text after the number).
    """
    canvas = Canvas(caption, size)
    n = max(len(rows), 1)
    ax = canvas.axes(360, 160, 1380, canvas.bottom)
    values = rows["value"].to_numpy(float)
    colours = [PARKS[r].colour if r in PARKS else TO_DATE for r in rows.get("region", pd.Series([""] * len(rows)))]
    ax.barh(range(len(rows)), np.nan_to_num(values), height=0.58, color=colours)
    low, high = min(0.0, np.nanmin(values, initial=0)), max(np.nanmax(values, initial=0), 1e-9)
    if np.isfinite(reference):
        high = max(high, reference)
        ax.axvline(reference, color=INK, linewidth=canvas.pt(1.8))
        ax.text(reference, -0.62, reference_words, ha="center", va="bottom", fontsize=canvas.pt(12), color=INK)
    ax.set_xlim(low * 1.15, high * 1.02)
    ax.set_ylim(n - 0.4, -0.9)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.axvline(0, color=AXIS, linewidth=canvas.pt(1.2))
    for i, r in enumerate(rows.itertuples()):
        x, y = canvas.figure.transFigure.inverted().transform(
            ax.transData.transform((max(np.nan_to_num(r.value), 0), i))
        )
        words = f"{show(r.value)}{unit}" if np.isfinite(r.value) else "未报"
        note = getattr(r, "note", "")
        canvas.text(
            x * canvas.width + 10,
            canvas.height * (1 - y),
            words + (f"  {note}" if note else ""),
            13,
            INK,
            fit=1536 - x * canvas.width - 10,
        )
        canvas.text(344, canvas.height * (1 - y), r.label, 13.5, INK, ha="right", fit=280)
    return canvas.figure



def shares(rows: pd.DataFrame, caption: Caption, names: Mapping[str, str], *, size: str = "wide") -> Figure:
    """Lying stacked bars of shares that add up to 100.

    Parameters
    ----------
    rows : index labels, one column a part (ids of parks keep their colours), values in per cent.
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(250, 210, 1536, canvas.bottom)
    start = np.zeros(len(rows))
    x = 250.0
    for i, part in enumerate(rows.columns):
        style = PARKS.get(part)
        colour = style.colour if style else PALETTE[i % len(PALETTE)]
        ax.barh(range(len(rows)), rows[part], left=start, color=colour, height=0.62, edgecolor="white")
        for j, v in enumerate(rows[part]):
            if v >= 5:
                dark = mpl.colors.rgb_to_hsv(mpl.colors.to_rgb(colour))[2] < 0.85 or part not in ("jingkai",)
                ax.text(
                    start[j] + v / 2,
                    j,
                    f"{v:.0f}%",
                    ha="center",
                    va="center",
                    fontsize=canvas.pt(12),
                    color="white" if dark else INK,
                    gid=STACKED,
                )
        start = start + rows[part].to_numpy(float)
        box(canvas, x, 166, 22, 14, colour)
        t = canvas.text(x + 30, 166, names.get(part, part), 12.5, SECOND)
        x += 60 + 19 * len(t.get_text()) * (1 if size == "wide" else 1.3)
    ax.set_yticks([])
    for j, label in enumerate(rows.index):
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((0, j)))[1])
        canvas.text(236, y, str(label), 13.5, INK, ha="right", fit=170)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    ax.set_xticks([])
    return canvas.figure



def forest(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    zero: float = 0.0,
    zero_words: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """Estimates with intervals.

    Parameters
    ----------
    rows : `label`, `estimate`, `low`, `high`, optional `actual` (what came, a hollow diamond).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(560, 170, 1300, canvas.bottom)
    actual = rows["actual"] if "actual" in rows else pd.Series(np.nan, rows.index)
    low, high = (float(f([*rows["low"], *rows["high"], *actual, zero])) for f in (np.nanmin, np.nanmax))
    room = max(high - low, 1e-9)
    ax.set_xlim(low - 0.06 * room, high + 0.06 * room)
    ax.set_ylim(len(rows) - 0.4, -0.8)
    ax.axvline(zero, color=INK, linewidth=canvas.pt(1.4))
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: show(round(v, 9))))
    ax.grid(axis="x", color=GRID, linewidth=1)
    if zero_words:
        ax.text(zero, -0.72, zero_words, ha="center", va="top", fontsize=canvas.pt(12), color=SECOND)
    for i, r in enumerate(rows.itertuples()):
        ax.plot([r.low, r.high], [i, i], color=NAVY, linewidth=canvas.pt(2.6))
        ax.plot([r.estimate], [i], "o", color=NAVY, markersize=canvas.pt(9))
        ax.plot([actual.iloc[i]], [i], "D", color="white", markeredgecolor=INK, markersize=canvas.pt(9), zorder=3)
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((0, i)))[1])
        canvas.text(64, y, r.label, 13.5, INK, fit=470)
        canvas.text(1536, y, f"{show(r.estimate)}({show(r.low)}~{show(r.high)})", 13, NAVY, ha="right", fit=220)
    return canvas.figure
