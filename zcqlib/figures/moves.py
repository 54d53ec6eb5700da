"""Ranks over months, what moved a level, two moments side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import Show, end_labels, end_room, plain
from zcqlib.figures.theme import (
    AXIS,
    FALL,
    INK,
    NAVY,
    PALETTE,
    PARKS,
    PLAIN,
    RISE,
    SECOND,
    SHADES,
    Canvas,
    Caption,
    rows_grid,
    spread,
    stroke,
)


def bump(ranks: pd.DataFrame, caption: Caption, names: Mapping[str, str], *, size: str = "") -> Figure:
    """Ranks over periods with intervals; parks that cannot be told apart share a frame.

    Parameters
    ----------
    ranks : RANKS of one indicator: `region`, `period`, `rank`, `low`, `high`, `tied_with`; NaN ranks are left out.
    """
    canvas = Canvas(caption, size)
    periods = sorted(ranks["period"].unique())
    regions = [r for r in PARKS if r in set(ranks["region"])] + sorted(set(ranks["region"]) - set(PARKS))
    ax = canvas.axes(128, 160, 1250, canvas.bottom)
    most = max(len(regions), 2)
    ends = []
    for i, region in enumerate(regions):
        style = PARKS.get(region, PLAIN)
        d = (
            ranks[(ranks["region"] == region) & ranks["rank"].notna()]
            .assign(x=lambda f: [periods.index(p) for p in f["period"]])
            .sort_values("x")
        )
        if d.empty:
            continue
        off = (i - (len(regions) - 1) / 2) * 0.14 * min(1, len(periods) / 6)
        ax.vlines(d["x"] + off, d["low"], d["high"], color=style.colour, alpha=0.35, linewidth=canvas.pt(5))
        ax.plot(
            d["x"] + off,
            d["rank"],
            color=style.colour,
            linewidth=canvas.pt(3),
            marker=style.marker,
            markersize=canvas.pt(style.size),
            markeredgecolor="white",
            zorder=3,
        )
        last = d.iloc[-1]
        tied = "\uff08并列\uff09" if last["tied_with"] else ""
        ends.append(
            (
                float(last["rank"]),
                f"{names.get(region, region)} 第{int(last['rank'])}{tied},{int(last['low'])}–{int(last['high'])}",
                style.text,
            )
        )
    ax.set_ylim(most + 0.6, 0.4)
    ax.set_xlim(-0.5, len(periods) - 0.5)
    ax.set_yticks(range(1, most + 1), [f"第{i}" for i in range(1, most + 1)])
    ax.set_xticks(range(len(periods)), [short_period(p) for p in periods])
    rows_grid(ax)
    end_labels(canvas, ax, ends, len(periods) - 0.6)
    return canvas.figure



def short_period(p: str) -> str:
    return f"{int(p[5:7])}月" if len(p) == 7 and p[4] == "-" else str(p)



def waterfall(
    steps: pd.DataFrame,
    caption: Caption,
    *,
    before: tuple[str, float],
    after: tuple[str, float],
    show: Show = plain,
    unit: str = "",
    size: str = "",
) -> Figure:
    """Lying waterfall from one level to another.

    Parameters
    ----------
    steps : `label`, `value` in order; before and after are (label, level), and before + steps = after.
    """
    canvas = Canvas(caption, size)
    rows = [
        (before[0], before[1], None),
        *((r.label, r.value, r) for r in steps.itertuples()),
        (after[0], after[1], None),
    ]
    levels = np.cumsum([before[1], *steps["value"]])
    low, high = min(levels.min(), after[1]), max(levels.max(), after[1])
    room = max(high - low, abs(high) * 0.02, 1e-9)
    ax = canvas.axes(470, 160, 1400, canvas.bottom)
    ax.set_xlim(low - 0.18 * room, high + 0.22 * room)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    running = before[1]
    for i, (_, value, step) in enumerate(rows):
        if step is None:
            running = value
            ax.plot([value], [i], "o", color=NAVY, markersize=canvas.pt(12), zorder=3)
            ax.text(
                value + 0.03 * room,
                i,
                f"{show(value)}{unit}",
                fontsize=canvas.pt(15),
                color=NAVY,
                va="center",
                path_effects=stroke(NAVY),
            )
        else:
            up = value >= 0
            if abs(value) < 1e-9:
                ax.plot([running] * 2, [i - 0.28, i + 0.28], color=SECOND, linewidth=canvas.pt(2.4))
            else:
                ax.barh(
                    i,
                    value,
                    left=running,
                    height=0.5,
                    color=RISE if up else "white",
                    edgecolor=RISE if up else FALL,
                    hatch=None if up else "////",
                    linewidth=canvas.pt(1.6),
                    zorder=2,
                )
            sign = "+" if value > 0 else ""
            edge = max(running, running + value)
            ax.text(
                edge + 0.03 * room,
                i,
                f"{sign}{show(value)}{unit}" if abs(value) > 1e-9 else "0",
                fontsize=canvas.pt(14),
                color=(RISE if up else FALL) if abs(value) > 1e-9 else SECOND,
                va="center",
            )
            ax.plot([running + value] * 2, [i, i + 1], color=AXIS, linewidth=canvas.pt(1), zorder=1)
            running += value
    ax.plot([before[1]] * 2, [0, 1], color=AXIS, linewidth=canvas.pt(1), zorder=1)
    ax.set_yticks([])
    ax.set_xticks([])
    for i, (name, _, _) in enumerate(rows):
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((low, i)))[1])
        canvas.text(64, y, name, 14, INK, fit=390)
    return canvas.figure



def slope(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    before: str,
    after: str,
    unit: str = "",
    show: Show = plain,
    size: str = "",
) -> Figure:
    """Two moments side by side.

    Parameters
    ----------
    rows : `label`, `before`, `after`, optional `region` (parks keep their colours).
    """
    canvas = Canvas(caption, size)
    left = [f"{r.label} {show(r.before)}{unit}" for r in rows.itertuples()]
    right = [f"{show(r.after)}{unit} {r.label}" for r in rows.itertuples()]
    if canvas.narrow:
        left = [f"{show(r.before)}{unit}" for r in rows.itertuples()]
    edge = [canvas.left + end_room(left, 13.5), canvas.right - end_room(right, 13.5)]
    wide = min(edge[1] - edge[0], 760)
    spare = 0.0 if canvas.narrow else (edge[1] - edge[0] - wide) / 2
    ax = canvas.axes(edge[0] + spare, canvas.top + 10, edge[0] + spare + wide, canvas.bottom)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 1], [before, after])
    ax.tick_params(axis="x", labelsize=canvas.pt(14))
    ax.set_yticks([])
    values = rows[["before", "after"]].to_numpy(float)
    room = max(np.nanmax(values) - np.nanmin(values), 1e-9)
    ax.set_ylim(np.nanmin(values) - 0.1 * room, np.nanmax(values) + 0.1 * room)
    shades = []
    for i, r in enumerate(rows.itertuples()):
        style = PARKS.get(getattr(r, "region", ""), None)
        colour = style.colour if style else PALETTE[i % len(PALETTE)]
        shades.append(style.text if style else SHADES[colour])
        ax.plot([0, 1], [r.before, r.after], color=colour, linewidth=canvas.pt(3),
                marker=style.marker if style else "o", markersize=canvas.pt(9), clip_on=False)
    for words, column, x, at, align in ((left, "before", 0, -26, "right"), (right, "after", 1, 26, "left")):
        places = spread([canvas.px(ax, x, v)[1] for v in rows[column]], 29, canvas.top, canvas.bottom)
        for word, colour, y in zip(words, shades, places, strict=True):
            canvas.text(canvas.px(ax, x, 0)[0] + at, y, word, 13.5, colour, ha=align)
    return canvas.figure
