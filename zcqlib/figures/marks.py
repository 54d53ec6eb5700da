"""What several charts draw: numbers on axes, names at line ends, lines, dots and boxes in px."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zcqlib.figures.theme import AXIS, NAVY, Canvas, rows_grid, spread

Show = Callable[[float], str]
PALETTE = (NAVY, "#1F78C1", "#EFAF23", "#3DAA7A", "#D14A2B", "#94306B")


def plain(value: float) -> str:
    """A number with thousands commas and only the decimals it needs."""
    if not np.isfinite(value):
        return "—"
    text = (
        f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")
    )
    return text.replace("-", "−")



def ticks(ax, show: Show = plain, n: int = 6) -> None:
    ax.yaxis.set_major_locator(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: show(round(v, 9))))
    rows_grid(ax)



def month_ticks(ax, upto: int = 12) -> None:
    ax.set_xticks(range(1, upto + 1), [f"{m}月" for m in range(1, upto + 1)])



def end_labels(
    canvas: Canvas, ax, ends: Sequence[tuple[float, str, str]], x: float, right: float = 1536, size: float = 13
) -> None:
    """Names at the right end of lines, moved apart, with thin leaders where they had to move."""
    if not ends:
        return
    gap = 27 * (1 if canvas.size == "wide" else 1.35)
    pixel = [
        canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((x, v)))[1])
        for v, _, _ in ends
    ]
    places = spread(pixel, gap, 140, canvas.bottom + 10)
    start = canvas.figure.transFigure.inverted().transform(ax.transData.transform((x, ends[0][0])))[0] * canvas.width
    for (_, words, colour), at, true in zip(ends, places, pixel, strict=True):
        canvas.text(start + 26, at, words, size, colour, fit=right - start - 26)
        if abs(at - true) > 3:
            canvas.figure.add_artist(
                mpl.lines.Line2D(
                    [(start + 8) / canvas.width, (start + 22) / canvas.width],
                    [1 - true / canvas.height, 1 - at / canvas.height],
                    color=AXIS,
                    linewidth=0.8,
                    transform=canvas.figure.transFigure,
                )
            )



def line(canvas: Canvas, x: Sequence[float], y: Sequence[float], colour: str, width: float, **more) -> None:
    canvas.figure.add_artist(
        mpl.lines.Line2D(
            [v / canvas.width for v in x],
            [1 - v / canvas.height for v in y],
            color=colour,
            linewidth=canvas.pt(width),
            transform=canvas.figure.transFigure,
            solid_capstyle="butt",
            **more,
        )
    )



def dot(canvas: Canvas, x: float, y: float, marker: str, size: float, fill: str, edge: str) -> None:
    canvas.figure.add_artist(
        mpl.lines.Line2D(
            [x / canvas.width],
            [1 - y / canvas.height],
            marker=marker,
            linestyle="none",
            markersize=canvas.pt(size),
            markerfacecolor=fill,
            markeredgecolor=edge,
            markeredgewidth=canvas.pt(1.8),
            transform=canvas.figure.transFigure,
        )
    )



def box(canvas: Canvas, x: float, y: float, wide: float, high: float, colour: str, **more) -> None:
    canvas.figure.add_artist(
        mpl.patches.Rectangle(
            (x / canvas.width, 1 - (y + high / 2) / canvas.height),
            wide / canvas.width,
            high / canvas.height,
            transform=canvas.figure.transFigure,
            **({"facecolor": colour, "edgecolor": "none", "linewidth": 0} | more),
        )
    )
