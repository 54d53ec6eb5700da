"""Tables that are figures: bullets, heat map, states, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import Show, box, dot, line, plain
from zcqlib.figures.theme import (
    AXIS,
    CHANCE,
    FALL,
    GRID,
    INK,
    LIGHTS,
    NAVY,
    OTHER,
    RISE,
    SECOND,
    THIRD,
    TO_DATE,
    Canvas,
    Caption,
)


def bullets(rows: pd.DataFrame, caption: Caption, *, size: str = "wide") -> Figure:
    """Rows of targets: actual as share of the target, pace mark, year-end range, chance and light.

    Parameters
    ----------
    rows : `group`, `name`, `target`, `actual` (texts), `share`, `pace`, `median`, `low`, `high` (per cent of the
        target, NaN where there is none), `chance` (text), `light` (已完成, 把握较大, 尚有悬念, 难度较大, other).
    """
    canvas = Canvas(caption, size)
    n = max(len(rows), 1)
    head, first = 186, 206
    step = (canvas.bottom + 12 - first) / n
    ink = min(13.0, step / canvas.scale / 1.75) if size == "wide" else min(13.0, step / 2.1)
    left, right, span = 690.0, 1240.0, 130.0
    at = lambda v: left + (right - left) * min(max(v, 0), span) / span  # noqa: E731
    for x, words, align in (
        (112, "指标", "left"),
        (528, "目标", "right"),
        (650, "当前值", "right"),
        (1310, "把握", "right"),
        (1344, "判断", "left"),
    ):
        canvas.text(x, head, words, 12, SECOND, ha=align)
    for v in (0, 25, 50, 75, 125):
        canvas.text(at(v), head, str(v), 11, SECOND, ha="center")
    canvas.text(at(100), head, "100=目标", 11.5, INK, bold=0.6, ha="center")
    key = 148
    box(canvas, 112, key, 36, 10, TO_DATE)
    canvas.text(158, key, "实际", 12, SECOND)
    line(canvas, [232, 232], [key - 10, key + 10], INK, 3)
    canvas.text(246, key, "此时应达", 12, SECOND)
    line(canvas, [372, 424], [key, key], NAVY, 2.4)
    canvas.text(438, key, "年末中位数与80%区间", 12, SECOND)
    for v in (0, 25, 50, 75, 125):
        line(canvas, [at(v)] * 2, [first - 4, first + step * n], GRID, 1)
    before = None
    for i, r in enumerate(rows.itertuples()):
        y = first + step * (i + 0.5)
        if r.group != before:
            line(canvas, [64, 1536], [y - step / 2] * 2, OTHER, 0.9)
            canvas.text(66, y, str(r.group), ink, SECOND)
            before = r.group
        canvas.text(112, y, r.name, ink, INK, fit=300)
        canvas.text(528, y, r.target, ink, SECOND, ha="right", fit=120)
        canvas.text(650, y, r.actual, ink, INK, ha="right", fit=118)
        if np.isfinite(r.share):
            box(canvas, left, y, at(r.share) - left, step * 0.36, TO_DATE)
        if np.isfinite(r.pace):
            line(canvas, [at(r.pace)] * 2, [y - step * 0.34, y + step * 0.34], INK, 2.6)
        if np.isfinite(r.median):
            line(canvas, [at(r.low), at(r.high)], [y, y], NAVY, 2.2)
            dot(canvas, at(r.median), y, "o", 7, "white", NAVY)
        canvas.text(1310, y, r.chance, ink, INK, ha="right", fit=70)
        mark, fill, shade = LIGHTS.get(r.light, ("◇", THIRD, SECOND))
        shape = {"●": "o", "▲": "^", "■": "s", "✓": "o", "◇": "D"}[mark]
        dot(canvas, 1352, y, shape, 8, "white" if mark == "◇" else fill, fill)
        canvas.text(1374, y, r.light, ink, shade, fit=160)
    line(canvas, [at(100)] * 2, [first - 4, first + step * n], INK, 1.8)
    line(canvas, [64, 1536], [first + step * n] * 2, OTHER, 0.9)
    return canvas.figure



def heatmap(cells: pd.DataFrame, caption: Caption, *, columns: Sequence[tuple[str, str]], size: str = "wide") -> Figure:
    """Chances by row and column; dark is little chance.

    Parameters
    ----------
    cells : index row names in order; one column an id with a chance 0 to 1, or a word (NaN reads 「园区目标未下达」).
    columns : (id, name) in order; a column after the first `zone` one stands apart.
    """
    canvas = Canvas(caption, size)
    n = max(len(cells), 1)
    top, bottom, left = 172, canvas.bottom + 8, 430
    step = (bottom - top) / n
    wide = (1536 - left - 24) / max(len(columns), 1)
    ramp = mpl.colors.LinearSegmentedColormap.from_list("chance", list(zip(np.linspace(0, 1, 6), CHANCE, strict=True)))
    ink = min(13.0, step / (1.9 if size == "wide" else 2.3))
    for j, (_, name) in enumerate(columns):
        x = left + wide * j + (24 if j else 0)
        canvas.text(x + wide / 2, top - 16, name, 13, INK, ha="center", fit=wide - 6)
    for i, (name, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, str(name), ink, INK, fit=left - 84)
        for j, (id, _) in enumerate(columns):
            x, value = left + wide * j + (24 if j else 0), row[id]
            if isinstance(value, int | float) and np.isfinite(value):
                box(canvas, x + 1, y, wide - 2, step - 2, ramp(float(value)))
                p = round(100 * value)
                words = "<1%" if p < 1 else ">99%" if p > 99 else f"{p}%"
                canvas.text(x + wide / 2, y, words, ink, "white" if value < 0.33 else INK, ha="center")
            else:
                words = value if isinstance(value, str) else "园区目标未下达"
                fill = words != "已完成"
                box(
                    canvas,
                    x + 1,
                    y,
                    wide - 2,
                    step - 2,
                    "#F7F8F9" if fill else "#E3E9F1",
                    **(
                        {"facecolor": "#F7F8F9", "edgecolor": "#B4BDC7", "hatch": "///"}
                        if words == "园区目标未下达"
                        else {}
                    ),
                )
                canvas.text(
                    x + wide / 2,
                    y,
                    words,
                    min(ink, 11),
                    SECOND if fill else NAVY,
                    ha="center",
                    fit=wide - 14,
                    **(
                        {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
                        if words == "园区目标未下达"
                        else {}
                    ),
                )
    return canvas.figure



def states(
    cells: pd.DataFrame, caption: Caption, *, looks: Mapping[str, tuple[str, str]], size: str = "wide"
) -> Figure:
    """A grid of words, each with its fill and text colour: completeness, stages.

    Parameters
    ----------
    cells : index row names, columns column names, values words (keys of `looks`: fill, text colour) or "" for nothing.
    """
    canvas = Canvas(caption, size)
    n, m = max(len(cells), 1), max(len(cells.columns), 1)
    top, bottom, left = 176, canvas.bottom + 10, 330
    step, wide = (bottom - top) / n, (1536 - left) / m
    ink = min(12.5, step / (1.9 if size == "wide" else 2.4))
    for j, name in enumerate(cells.columns):
        canvas.text(left + wide * (j + 0.5), top - 18, str(name), 12.5, SECOND, ha="center", fit=wide - 4)
    for i, (name, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, str(name), min(13.5, ink * 1.1), INK, fit=left - 84)
        for j, word in enumerate(row):
            if not word:
                continue
            fill, colour = looks.get(word, ("#F7F8F9", SECOND))
            box(canvas, left + wide * j + 2, y, wide - 4, step - 4, fill)
            canvas.text(left + wide * (j + 0.5), y, word, ink, colour, ha="center", fit=wide - 10)
    return canvas.figure



def effects(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    columns: Sequence[tuple[str, str]],
    unit: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """A table with bars: one row a region, one column of bars an effect; the last row is the total.

    Parameters
    ----------
    rows : `label` and one numeric column for each of `columns` (id, name), drawn from the figures as printed.
    """
    canvas = Canvas(caption, size)
    n, m = len(rows), len(columns)
    top, bottom = 190, canvas.bottom
    step, wide = (bottom - top) / max(n, 1), (1536 - 300) / max(m, 1)
    biggest = max((abs(float(v)) for id, _ in columns for v in rows[id] if np.isfinite(v)), default=1.0) or 1.0
    for j, (id, name) in enumerate(columns):
        middle = 300 + wide * (j + 0.5)
        canvas.text(middle, top - 24, name, 14, INK, ha="center", bold=0.6, fit=wide - 10)
        line(canvas, [middle] * 2, [top, bottom], AXIS, 1.2)
        for i, v in enumerate(rows[id].astype(float)):
            y, reach = top + step * (i + 0.5), 0.0
            if not np.isfinite(v):
                canvas.text(middle, y, "—", 13, SECOND, ha="center")
                continue
            reach = v / biggest * (wide * 0.5 - 96)
            if abs(reach) < 1:
                line(canvas, [middle] * 2, [y - 9, y + 9], SECOND, 2.4)
            elif v > 0:
                box(canvas, middle, y, reach, min(step * 0.5, 34), RISE)
            else:
                box(
                    canvas,
                    middle + reach,
                    y,
                    -reach,
                    min(step * 0.5, 34),
                    FALL,
                    facecolor="white",
                    edgecolor=FALL,
                    hatch="////",
                    linewidth=canvas.pt(1.4),
                )
            words = ("+" if v > 0 else "") + show(v)
            canvas.text(
                middle + reach + (8 if v >= 0 else -8),
                y,
                words,
                13,
                RISE if v > 0 else FALL if v < 0 else SECOND,
                ha="left" if v >= 0 else "right",
                bold=0.5 if i == n - 1 else 0,
            )
    for i, r in enumerate(rows.itertuples()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, r.label, 14, INK, bold=0.6 if i == n - 1 else 0, fit=220)
        if i == n - 1:
            line(canvas, [64, 1536], [y - step / 2] * 2, INK, 1.2)
    return canvas.figure
