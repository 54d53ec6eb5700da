"""Lines over time, small panels by park, months as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import PALETTE, Show, box, end_labels, month_ticks, plain, ticks
from zcqlib.figures.theme import (
    AXIS,
    BENCHMARK,
    GRID,
    INK,
    NAVY,
    OTHER,
    PARKS,
    PLAIN,
    SECOND,
    THIRD,
    Canvas,
    Caption,
    stroke,
)


def lines(
    data: pd.DataFrame,
    caption: Caption,
    *,
    highlight: Sequence[str] = (),
    benchmark: str = "",
    unit: str = "",
    names: Mapping[str, str] | None = None,
    show: Show = plain,
    zero: bool = False,
    target: float = float("nan"),
    target_words: str = "",
    points: pd.DataFrame | None = None,
    size: str = "wide",
) -> Figure:
    """Lines over time, the highlighted in colour, a benchmark in slate, the others grey; all named at the end.

    Parameters
    ----------
    data : `x` (number or label in order), `series`, `value`. Parks keep their colours and markers.
    points : optional `x`, `value`, `label` of figures on another basis, marked but never joined.
    """
    canvas = Canvas(caption, size)
    xs = list(dict.fromkeys(data.sort_values("x")["x"]))
    if points is not None:
        xs = sorted({*xs, *points["x"]})
    place = {x: i for i, x in enumerate(xs)}
    ax = canvas.axes(128, 160, 1330, canvas.bottom)
    ends, names = [], names or {}
    order = sorted(data["series"].unique(), key=lambda s: (s in highlight or s in PARKS, s == benchmark))
    drawn = 0
    for s in order:
        d = data[data["series"] == s].assign(p=lambda f: f["x"].map(place)).sort_values("p")
        d = d[d["value"].notna()]
        if d.empty:
            continue
        if s in PARKS and s not in highlight or s in PARKS and s != "zone":
            style = PARKS[s]
            ax.plot(
                d["p"],
                d["value"],
                color=style.colour,
                linewidth=canvas.pt(3),
                marker=style.marker,
                markersize=canvas.pt(style.size * 0.75),
                markeredgecolor="white",
                zorder=3,
            )
            ends.append(
                (float(d["value"].iloc[-1]), f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}", style.text)
            )
        elif s in highlight:
            colour = PALETTE[drawn % len(PALETTE)]
            drawn += 1
            ax.plot(d["p"], d["value"], color=colour, linewidth=canvas.pt(4.2), zorder=4)
            ax.plot(d["p"].iloc[-1:], d["value"].iloc[-1:], "o", color=colour, markersize=canvas.pt(8), zorder=4)
            ends.append(
                (
                    float(d["value"].iloc[-1]),
                    f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}",
                    PARKS[s].text if s in PARKS else colour,
                )
            )
        else:
            grey = BENCHMARK if s == benchmark else OTHER
            ax.plot(
                d["p"],
                d["value"],
                color=grey,
                linewidth=canvas.pt(3 if s == benchmark else 1.6),
                zorder=2 if s == benchmark else 1,
            )
            ends.append(
                (
                    float(d["value"].iloc[-1]),
                    f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}",
                    BENCHMARK if s == benchmark else THIRD,
                )
            )
    if points is not None:
        for r in points.itertuples():
            ax.plot(
                [place[r.x]],
                [r.value],
                "D",
                markerfacecolor="white",
                markeredgecolor=INK,
                markersize=canvas.pt(9),
                zorder=5,
            )
            ax.annotate(
                r.label,
                (place[r.x], r.value),
                xytext=(0, canvas.pt(12)),
                textcoords="offset points",
                ha="center",
                fontsize=canvas.pt(12),
                color=INK,
            )
    if np.isfinite(target):
        ax.axhline(target, color=INK, linewidth=canvas.pt(1.8))
        ax.text(-0.35, target, target_words, fontsize=canvas.pt(13), color=INK, va="bottom", path_effects=stroke(INK))
    if zero:
        ax.set_ylim(bottom=0)
        ax.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    ax.margins(y=0.12)
    ax.set_xlim(-0.4, max(len(xs) - 0.6, 0.5))
    every = max(1, -(-len(xs) // (14 if size == "wide" else 7)))
    shown = [i for i in range(len(xs)) if (len(xs) - 1 - i) % every == 0]
    ax.set_xticks(shown, [str(xs[i]) for i in shown])
    ticks(ax, show)
    end_labels(canvas, ax, ends, len(xs) - 1, size=12)
    return canvas.figure



def multiples(
    data: pd.DataFrame,
    caption: Caption,
    names: Mapping[str, str],
    *,
    unit: str = "",
    show: Show = plain,
    notes: Mapping[str, str] | None = None,
    size: str = "wide",
) -> Figure:
    """One small panel a region, same scale: the lead over the seasonal pace (0 ends at the target), with its fan.

    Parameters
    ----------
    data : `region`, `month`, `value`, and for month 12 `low`, `high` (80 %), NaN elsewhere. notes : one line a region.
    """
    canvas = Canvas(caption, size)
    regions = [r for r in PARKS if r in set(data["region"])] + sorted(set(data["region"]) - set(PARKS))
    across = 3 if size != "phone" else 2
    down = -(-len(regions) // across)
    wide, high = (1472 + 40) / across, (canvas.bottom - 150) / max(down, 1)
    values = data[["value", "low", "high"]].to_numpy(float)
    low, high_value = min(np.nanmin(values), 0), max(np.nanmax(values), 0)
    room = max(high_value - low, 1e-9)
    for i, region in enumerate(regions):
        style = PARKS.get(region, PLAIN)
        x, y = 64 + wide * (i % across), 150 + high * (i // across)
        canvas.text(x, y + 10, names.get(region, region), 15, style.text, bold=0.6)
        if notes and region in notes:
            canvas.text(x + wide - 50, y + 10, notes[region], 12.5, style.text, ha="right", fit=wide - 190)
        ax = canvas.axes(x + 66, y + 34, x + wide - 50, y + high - 34)
        for other in regions:
            if other != region:
                o = data[(data["region"] == other) & data["low"].isna()].sort_values("month")
                ax.plot(o["month"], o["value"], color=OTHER, linewidth=canvas.pt(1.2))
        d = data[data["region"] == region].sort_values("month")
        seen, ahead = d[d["low"].isna()], d[d["low"].notna()]
        ax.plot(
            seen["month"],
            seen["value"],
            color=style.colour,
            linewidth=canvas.pt(3),
            marker=style.marker,
            markersize=canvas.pt(style.size * 0.6),
            markeredgecolor="white",
        )
        if len(ahead) and len(seen):
            a, s = ahead.iloc[-1], seen.iloc[-1]
            ax.fill(
                [s["month"], a["month"], a["month"]],
                [s["value"], a["low"], a["high"]],
                color=style.colour,
                alpha=0.22,
                linewidth=0,
            )
            ax.plot(
                [s["month"], a["month"]],
                [s["value"], a["value"]],
                color=style.colour,
                linewidth=canvas.pt(2),
                linestyle=(0, (1.2, 1.6)),
            )
        ax.axhline(0, color=INK, linewidth=canvas.pt(1.2))
        ax.set_xlim(0.7, 12.3)
        ax.set_ylim(low - 0.08 * room, high_value + 0.08 * room)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        ticks(ax, lambda v: ("+" if v > 0 else "") + show(v), n=4)
    return canvas.figure



def columns(
    months: pd.DataFrame,
    caption: Caption,
    *,
    names: tuple[str, str] = ("今年", "上年"),
    unit: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """Months as columns, last year's as marks behind them.

    Parameters
    ----------
    months : `month`, `value`, `before` (NaN where unknown).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(128, 176, 1536, canvas.bottom)
    ax.bar(months["month"], months["before"], width=0.72, color=GRID)
    ax.bar(months["month"], months["value"], width=0.46, color=NAVY)
    top = float(np.nanmax(months[["value", "before"]].to_numpy(float), initial=0)) or 1.0
    for r in months.itertuples():
        if np.isfinite(r.value):
            ax.text(
                r.month,
                r.value + 0.012 * top,
                show(r.value),
                ha="center",
                va="bottom",
                fontsize=canvas.pt(12),
                color=NAVY,
            )
    ax.set_xlim(0.4, 12.6)
    ax.set_ylim(0, top * 1.1)
    month_ticks(ax)
    ticks(ax, show)
    ax.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    box(canvas, 128, 148, 22, 14, NAVY)
    canvas.text(160, 148, names[0], 12, SECOND)
    box(canvas, 260, 148, 22, 14, GRID)
    canvas.text(292, 148, names[1], 12, SECOND)
    return canvas.figure
