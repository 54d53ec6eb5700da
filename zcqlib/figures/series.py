"""Lines over time, small panels by park, months as columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.marks import (
    end_labels,
    end_room,
    fan,
    mixed,
    plain,
    quantile,
    signed,
    ticks,
)
from zcqlib.figures.tables import light
from zcqlib.figures.theme import PLAIN, STACKED, Canvas, Caption, measured

DOTS = (0, (1.2, 1.6))


def multiples(
    data: pd.DataFrame,
    caption: Caption,
    names: Mapping[str, str],
    *,
    quantiles: pd.DataFrame | None = None,
    ruler: pd.DataFrame | None = None,
    facts: pd.DataFrame | None = None,
    size: str = "",
) -> Figure:
    """One small panel a region, same scale: the lead over the seasonal pace (0 ends at the target), with its fan.

    Parameters
    ----------
    data : `region`, `month`, `value`. quantiles : `region`, `level`, `value` of the lead at the year end.
    ruler : `month`, `value` of 序时进度 against the season. facts : index region; `light`, `chance`, `now`, `ahead`
        (texts).
    """
    regions = [r for r in look.parks() if r in set(data["region"])] + sorted(
        set(data["region"]) - set(look.parks())
    )
    canvas = Canvas(caption, size)
    across = 3
    down = -(-len(regions) // across)
    gap = 36
    wide = (canvas.right - canvas.left + gap) / across - gap
    high = (canvas.bottom + 16 - canvas.top) / max(down, 1)
    values = [data["value"].to_numpy(float)]
    if quantiles is not None and len(quantiles):
        values.append(
            quantiles.loc[quantiles["level"].between(0.02, 0.98), "value"].to_numpy(float)
        )
    if ruler is not None:
        values.append(ruler["value"].to_numpy(float))
    values = np.concatenate(values)
    low, top = min(np.nanmin(values), 0), max(np.nanmax(values), 0)
    room = max(top - low, 1e-9)
    low, top = low - 0.04 * room, top + 0.04 * room
    for i, region in enumerate(regions):
        style = look.parks().get(region, PLAIN)
        x, y = canvas.left + (wide + gap) * (i % across), canvas.top + high * (i // across)
        canvas.dot(x + 9, y + 6, style.marker, style.size, style.colour, style.colour)
        canvas.text(x + 28, y + 6, names.get(region, region), 15, style.text, bold=0.6)
        told = facts.loc[region] if facts is not None and region in facts.index else None
        if told is not None:
            word = f" {told['chance']}"
            light(
                canvas,
                x + wide - 24 - measured(told["light"] + word, 13),
                y + 6,
                told["light"],
                tail=word,
            )
        foot = 62 if told is not None else 0
        ax = canvas.axes(x + 56, y + 32, x + wide, y + high - 44 - foot)
        for other in regions:
            if other != region:
                o = data[data["region"] == other].sort_values("month")
                ax.plot(o["month"], o["value"], color=look.OTHER, linewidth=canvas.pt(1.2))
        if ruler is not None:
            ax.plot(
                ruler["month"],
                ruler["value"],
                color=look.BENCHMARK,
                linewidth=canvas.pt(1.4),
                dashes=(5, 3),
            )
        d = data[data["region"] == region].sort_values("month")
        ax.axhline(0, color=look.INK, linewidth=canvas.pt(1.4))
        last, now = float(d["month"].iloc[-1]), float(d["value"].iloc[-1])
        own = quantiles[quantiles["region"] == region] if quantiles is not None else pd.DataFrame()
        if len(own) and last < 12:
            q = quantile(own.set_index("level")["value"].sort_index())
            m = np.array([last, 12.0])
            fan(
                ax,
                m,
                now,
                np.array([0.0, 1.0]),
                q,
                [mixed(style.colour, p) for p in (0.18, 0.38, 0.66)],
            )
            ax.plot(m, [now, q(0.5)], color=look.INK, linewidth=canvas.pt(2), linestyle=DOTS)
        ax.plot(d["month"], d["value"], color=style.colour, linewidth=canvas.pt(3.2))
        ax.plot(
            [last],
            [now],
            marker=style.marker,
            markersize=canvas.pt(style.size),
            color=style.colour,
            markeredgecolor="white",
            zorder=4,
        )
        ax.set_xlim(0.7, 12.2)
        ax.set_ylim(low, top)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        ticks(ax, signed(plain), n=4)
        if told is not None:
            canvas.text(x, y + high - 57, told["now"], 12, look.INK, fit=wide)
            canvas.text(x, y + high - 33, told["ahead"], 12, look.SECOND, fit=wide)
    return canvas.figure


def stacked(
    counts: pd.DataFrame,
    caption: Caption,
    *,
    kinds: Mapping[str, tuple[str, str, str]],
    unit: str = "",
    size: str = "",
) -> Figure:
    """How many of each kind month by month, as columns that stand on each other; named beside the last column.

    Parameters
    ----------
    counts : `month`, `kind`, `value`. kinds : kind → (fill, letters on it, letters on white), from the bottom up.
    """
    canvas = Canvas(caption, size)
    wide = counts.pivot_table(
        index="month", columns="kind", values="value", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(columns=list(kinds), fill_value=0).sort_index()
    told = {k: f"{k} {plain(wide[k].iloc[-1])}{unit}" for k in kinds}
    ax = canvas.axes(
        canvas.left,
        canvas.top + 10,
        canvas.right - end_room(list(told.values()), 14),
        canvas.bottom,
    )
    places, base = np.arange(len(wide)), np.zeros(len(wide))
    high = float(wide.sum(axis=1).max()) or 1.0
    ax.set_xlim(-0.5, len(wide) - 0.5)
    ax.set_ylim(0, high * 1.02)
    tall = canvas.px(ax, 0, 0)[1] - canvas.px(ax, 0, 1)[1]  # px of one
    names = []
    for kind, (fill, ink, shade) in kinds.items():
        v = wide[kind].to_numpy(float)
        ax.bar(
            places,
            v,
            bottom=base,
            width=0.72,
            color=fill,
            edgecolor="white",
            linewidth=canvas.pt(1.2),
        )
        for x, n, b in zip(places, v, base, strict=True):
            if n * tall > 24:
                canvas.text(
                    *canvas.px(ax, x, b + n / 2), plain(n), 12.5, ink, ha="center", gid=STACKED
                )
        if v[-1]:
            names.append((float(base[-1] + v[-1] / 2), told[kind], shade))
        base = base + v
    ax.set_xticks(places, [f"{m}月" for m in wide.index])
    ax.set_yticks([])
    ax.axhline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    end_labels(canvas, ax, names, len(wide) - 0.62, size=14)
    return canvas.figure
