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
    plain,
)
from zcqlib.figures.theme import STACKED, Canvas, Caption


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
