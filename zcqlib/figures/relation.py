"""Two measures against each other: calibration and scatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import label, plain
from zcqlib.figures.theme import (
    AXIS,
    FAN,
    GRID,
    NAVY,
    SEASON_LINE,
    SEASON_TEXT,
    SECOND,
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
    more: Sequence[str] = (),
    size: str = "",
) -> Figure:
    """How often what was called p per cent came true; a dot's area and its number say how many calls.

    Parameters
    ----------
    points, rival : `p`, `met` (shares 0 to 1), `n` (cases); points optionally `low`, `high`: where the share would lie
        by chance alone if the calls were right. more : lines below the big number.
    """
    canvas = Canvas(caption, size)
    top, left = canvas.top + 34, canvas.left + 66
    side = min(canvas.bottom - 44 - top, 900, 0.56 * (canvas.right - left))
    ax = canvas.axes(left, top, left + side, top + side)
    ax.grid(color=GRID, linewidth=1)
    ax.plot([0, 1], [0, 1], color=AXIS, linewidth=canvas.pt(1.6))
    if {"low", "high"} <= set(points.columns):
        ax.vlines(points["p"], points["low"], points["high"], color=FAN[1], linewidth=canvas.pt(9))
    area = canvas.pt(1) ** 2 * np.clip(900 * points["n"] / points["n"].sum(), 70, 420)
    ax.scatter(
        points["p"],
        points["met"],
        s=area,
        color=NAVY,
        edgecolor="white",
        linewidth=canvas.pt(1),
        zorder=3,
    )
    if rival is not None and len(rival):
        ax.scatter(
            rival["p"],
            rival["met"],
            s=canvas.pt(9) ** 2,
            marker="s",
            facecolor="white",
            edgecolor=SEASON_LINE,
            linewidth=canvas.pt(2),
            zorder=4,
            clip_on=False,
        )
    ticks = np.linspace(0, 1, 6)
    ax.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    for r in points.itertuples():
        label(canvas, ax, plain(r.n), (r.p, r.met), (0.7, -0.7), 11, SECOND, inside=False)
    canvas.text(canvas.left, top - 22, "实际完成的比例", 12.5, SECOND)
    canvas.text(left + side, top + side + 44, "当时说的把握", 12.5, SECOND, ha="right")
    x, y = left + side + 70, top + 20
    free = canvas.right - x
    keys = [
        ("● 我们\uff08数字为次数\uff0c灰条为90%抽样误差范围\uff09", NAVY),
        ("斜线\uff1a说多少\u3001成多少", SECOND),
    ]
    if rival is not None and len(rival):
        keys.insert(1, ("□ 序时进度\uff08只说能或不能\uff09", SEASON_TEXT))
    for i, (words, colour) in enumerate(keys):
        canvas.text(x, y + 40 * i, words, 13, colour, fit=free)
    y += 40 * len(keys) + 60
    if big:
        canvas.text(x, y, big, 36, NAVY, bold=0.9)
        canvas.text(x, y + 58, big_words, 14, NAVY, fit=free)
    for i, words in enumerate(more):
        canvas.text(x, y + 110 + 34 * i, words, 13, SECOND, fit=free)
    return canvas.figure
