"""Two measures against each other: calibration and scatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from zcqlib.figures.marks import label, plain
from zcqlib.figures.theme import (
    AXIS,
    BENCHMARK,
    FAN,
    GRID,
    NAVY,
    OTHER,
    PALETTE,
    PARKS,
    SEASON_LINE,
    SEASON_TEXT,
    SECOND,
    SHADES,
    Canvas,
    Caption,
)


def calibration(
    points: pd.DataFrame,
    caption: Caption,
    *,
    rival: pd.DataFrame | None = None,
    big: str = "",
    big_words: str = "",
    size: str = "",
) -> Figure:
    """How often what was called p per cent came true.

    Parameters
    ----------
    points, rival : `p`, `met` (shares 0 to 1), `n` (cases); points optionally `low`, `high` of the share.
    """
    canvas = Canvas(caption, size)
    side = min(canvas.bottom - 160, 900)
    ax = canvas.axes(128, 160, 128 + side, 160 + side)
    ax.plot([0, 1], [0, 1], color=AXIS, linewidth=canvas.pt(1.6))
    if rival is not None and len(rival):
        ax.plot(
            rival["p"], rival["met"], color=SEASON_LINE, linewidth=canvas.pt(1.8), marker="s", markersize=canvas.pt(6)
        )
    if {"low", "high"} <= set(points.columns):
        ax.vlines(points["p"], points["low"], points["high"], color=FAN[1], linewidth=canvas.pt(6))
    ax.plot(points["p"], points["met"], color=NAVY, linewidth=canvas.pt(2.6), marker="o", markersize=canvas.pt(9))
    for r in points.itertuples():
        ax.annotate(
            plain(r.n),
            (r.p, r.met),
            xytext=(canvas.pt(9), -canvas.pt(13)),
            textcoords="offset points",
            fontsize=canvas.pt(11),
            color=SECOND,
        )
    ticks = np.linspace(0, 1, 6)
    ax.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_xlim(-0.02, 1.04)
    ax.set_ylim(-0.02, 1.04)
    ax.grid(color=GRID, linewidth=1)
    x = 128 + side + 70
    canvas.text(x, 200, "横轴\uff1a我们说的把握\uff1b纵轴\uff1a后来完成的比例", 13, SECOND, fit=1536 - x)
    canvas.text(x, 330, "斜线\uff1a说多少、成多少", 13, SECOND, fit=1536 - x)
    canvas.text(x, 250, "● 我们\uff08点旁为次数\uff09", 14, NAVY, fit=1536 - x)
    if rival is not None and len(rival):
        canvas.text(x, 290, "■ 按序时进度外推", 14, SEASON_TEXT, fit=1536 - x)
    if big:
        canvas.text(x, 420, big, 36, NAVY, bold=0.9)
        canvas.text(x, 480, big_words, 14, NAVY, fit=1536 - x)
    return canvas.figure



def scatter(
    points: pd.DataFrame,
    caption: Caption,
    *,
    x_label: str,
    y_label: str,
    fit: pd.DataFrame | None = None,
    highlight: Sequence[str] = (),
    size: str = "",
) -> Figure:
    """Points on two log axes with a fitted line.

    Parameters
    ----------
    points : `x`, `y` (> 0), `label`, `series`. fit : `x`, `y`, optional `low`, `high`.
    """
    import seaborn as sns

    canvas = Canvas(caption, size)
    ax = canvas.axes(canvas.left + 98, canvas.top + 16, canvas.right - 40, canvas.bottom - 34)
    groups = points.assign(who=["其他" if s not in highlight else s for s in points["series"]])
    palette = {s: PALETTE[i % len(PALETTE)] for i, s in enumerate(highlight)} | {"其他": OTHER}
    shapes = {s: list(PARKS.values())[1:][i % 5].marker if i else "o" for i, s in enumerate(highlight)} | {"其他": "o"}
    sns.scatterplot(groups.sort_values("who", key=lambda s: s != "其他"), x="x", y="y", hue="who", style="who",
                    palette=palette, markers=shapes, ax=ax, s=canvas.pt(70), legend=False, linewidth=0.4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    if fit is not None:
        if "low" in fit:
            ax.fill_between(fit["x"], fit["low"], fit["high"], color=FAN[0], zorder=0, linewidth=0)
        ax.plot(fit["x"], fit["y"], color=BENCHMARK, linewidth=canvas.pt(2))
    ax.grid(color=GRID, linewidth=1)
    for axis, low, high in ((ax.xaxis, *ax.get_xlim()), (ax.yaxis, *ax.get_ylim())):
        subs = (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_major_formatter(FuncFormatter(lambda v, _: plain(v)))
        axis.set_minor_formatter(FuncFormatter(lambda v, _: ""))
    ax.tick_params(which="minor", length=0)
    ax.set_xlabel("")
    ax.set_ylabel("")
    canvas.text(canvas.right, canvas.bottom + 18, x_label, 12.5, SECOND, ha="right")
    canvas.text(canvas.left, canvas.top - 8, y_label, 12.5, SECOND)
    for s in highlight:
        d = points[points["series"] == s].sort_values("x")
        if len(d):
            last = d.iloc[-1]
            label(canvas, ax, f"{s} {last['label']}", (float(last["x"]), float(last["y"])), (0.7, 0.3), 13,
                  SHADES[palette[s]], bold=0.6, inside=False)
    return canvas.figure
