"""Ranks over months, what moved a level, two moments side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zcqlib.figures.marks import Show, end_labels, end_room, plain
from zcqlib.figures.theme import (
    AXIS,
    FALL,
    GRID,
    INK,
    NAVY,
    PALETTE,
    PARKS,
    PLAIN,
    RISE,
    SECOND,
    SHADES,
    TO_DATE,
    Canvas,
    Caption,
    rows_grid,
    spread,
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
    canvas = Canvas(caption, size, need=110 * len(rows))
    words, first, second = (205, 88, 124) if canvas.narrow else (390, 190, 236)  # widths of the columns of text
    one, two, top = canvas.right - second, canvas.right, canvas.top + 40
    left, right = canvas.left + words + 16, one - first
    at: list[float] = []
    for r in rows.itertuples():
        at.append(r.value if r.is_level else at[-1] + (0 if np.isnan(r.value) else r.value))
    step = (canvas.bottom - top) / max(len(rows), 1)
    middle = [top + step * (i + 0.5) for i in range(len(rows))]
    marks = _scale(np.array(at), unit, 3 if canvas.narrow else 6)
    px = lambda v: left + (right - left) * (v - marks[0]) / (marks[-1] - marks[0])  # noqa: E731
    canvas.text(canvas.left, top - 20, "因素", 12.5, SECOND)
    for x, head in ((one, heads[0]), (two, heads[1])):
        canvas.text(x, top - 20, head, 12.5, SECOND, ha="right")
    for v in marks:
        canvas.line([px(v)] * 2, [top, canvas.bottom], GRID, 1, zorder=0)
        edge = unit if v in (marks[0], marks[-1]) else ""
        canvas.text(px(v), top - 20, f"{plain(v)}{edge}", 12, SECOND, ha="center")
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
            edge, width, shade = (y - step / 2, 1.6, NAVY) if i == last else (y + step / 2, 1, TO_DATE)
            canvas.line([canvas.left, canvas.right], [edge] * 2, SECOND, width)
            if np.isfinite(to):
                canvas.dot(px(to), y, "o", 15, shade, shade)
        elif abs(r.value) > 0:
            a, b = sorted((px(to - r.value), px(to)))
            look = {} if r.value > 0 else {"facecolor": "white", "edgecolor": FALL, "hatch": "////", "linewidth": 1.6}
            canvas.box(a, y, b - a, 0.46 * step, RISE, **look)
        elif np.isfinite(to):
            canvas.line([px(to)] * 2, [y - 0.23 * step, y + 0.23 * step], INK, 3)
        colour = NAVY if r.is_level else fill if abs(r.value) > 0 else SECOND
        canvas.text(one, y, r.told, 19 if r.is_level else 17, colour, bold=0.7, ha="right", fit=first - 16)
        canvas.text(two, y, r.also, 16.5, strong, bold=0.7 if r.is_level else 0.0, ha="right", fit=second - 16)
    return canvas.figure


def _scale(levels: np.ndarray, unit: str, most: int) -> np.ndarray:
    """Marks of a scale that holds all levels with some room, at least ten wide; a chance stays within 0 and 100 %."""
    known = levels[np.isfinite(levels)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 100.0)
    room = max(0.15 * (high - low), (10 - (high - low)) / 2)
    marks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low - room, high + room)
    return marks[(marks >= 0) & (marks <= 100)] if unit == "%" else marks


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
