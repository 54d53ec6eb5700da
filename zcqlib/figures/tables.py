"""Tables that are figures: bullets, heat map, states, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import quantity
from zcqlib.figures import theme as look
from zcqlib.figures.theme import Canvas, Caption, measured

SHAPES = {"●": "o", "▲": "^", "■": "s", "✓": "o", "◇": "D"}


def light(
    canvas: Canvas,
    x: float,
    y: float,
    word: str,
    size: float = 13,
    fit: float = 0.0,
    tail: str = "",
    instead: str = "",
) -> None:
    """A verdict as shape, colour and word, or another word `instead`."""
    known = {r.words: (r.mark or "◇", f"#{r.colour}", f"#{r.text}") for r in quantity.lights().rows}
    mark, fill, shade = known.get(word, ("◇", look.THIRD, look.SECOND))
    canvas.dot(x, y, SHAPES[mark], 8, "white" if mark == "◇" else fill, fill)
    if mark == "✓":
        canvas.line([x - 4, x - 1, x + 4.5], [y, y + 3.5, y - 4], "white", 1.6)
    canvas.text(x + 20, y, (instead or word) + tail, size, shade, fit=fit)


def _grid(
    canvas: Canvas,
    index: Sequence[str],
    columns: Sequence[str],
    gap_before: int = -1,
    least: float = 74,
    bold: str = "",
) -> tuple[list[float], float, float, float, float]:
    """Names of rows and columns of a table; left edges of the columns, their width, top, height of a row, letters."""
    n, m = max(len(index), 1), max(len(columns), 1)
    gap = 24 if gap_before >= 0 else 0
    longest = max((measured(name, 13) for name in index), default=0.0) + 24
    room = min(longest, canvas.right - canvas.left - m * least - gap)
    left = canvas.left + room
    wide = (canvas.right - left - gap) / m
    rows = max([1, *(-(-int(measured(c, 12.5)) // max(int(wide - 8), 1)) for c in columns)])
    top = canvas.top + 6 + 20 * min(rows, 2)
    step = min((canvas.bottom + 12 - top) / n, 84)
    ink = min(13.0, step / 1.75)
    edges = [left + wide * j + (gap if 0 <= gap_before <= j else 0) for j in range(m)]
    for j, name in enumerate(columns):
        canvas.text(
            edges[j] + wide / 2,
            top - 6 - 10 * min(rows, 2),
            name,
            12.5,
            look.INK,
            ha="center",
            fit=wide - 6,
            rows=2,
            bold=0.6 if name == bold else 0,
        )
    for i, name in enumerate(index):
        canvas.text(
            canvas.left,
            top + step * (i + 0.5),
            str(name),
            ink,
            look.INK,
            fit=room - 14,
            rows=2 if step > 46 else 1,
        )
    return edges, wide, top, step, ink


UNTARGETED = "园区目标未下达"


def heatmap(
    cells: pd.DataFrame, caption: Caption, *, columns: Sequence[tuple[str, str]], size: str = ""
) -> Figure:
    """Chances by row and column in per cent; dark is little chance.

    Parameters
    ----------
    cells : index row names in order; one column an id with a chance 0 to 1, or a word (NaN reads 「园区目标未下达」).
    columns : (id, name) in order; the zone stands apart.
    """
    canvas = Canvas(caption, size)
    ramp = mpl.colors.LinearSegmentedColormap.from_list(
        "chance", list(zip(np.linspace(0, 1, 6), look.CHANCE, strict=True))
    )
    x = canvas.left
    canvas.text(x, canvas.top - 8, "把握小", 12, look.SECOND)
    for i in range(40):
        canvas.box(x + 66 + 5 * i, canvas.top - 8, 5.4, 14, ramp(i / 39))
    canvas.text(x + 276, canvas.top - 8, "把握大", 12, look.SECOND)
    canvas.box(
        x + 372, canvas.top - 8, 32, 14, facecolor="#F7F8F9", edgecolor="#B4BDC7", hatch="///"
    )
    told = f"{UNTARGETED}\uff1a不算把握、不计分、不排名"
    canvas.text(x + 414, canvas.top - 8, told, 12, look.SECOND)
    canvas.top += 14
    ids = [id for id, _ in columns]
    edges, wide, top, step, ink = _grid(
        canvas,
        list(map(str, cells.index)),
        [n for _, n in columns],
        max(ids.index("zone"), 1) if "zone" in ids else -1,
        bold=dict(columns).get("zone", ""),
    )
    parks = [j for j, id in enumerate(ids) if id != "zone"]
    for i, (_, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        untold = {
            j
            for j, id in enumerate(ids)
            if not isinstance(row[id], str) and not np.isfinite(row[id])
        }
        whole = len(parks) > 1 and set(parks) <= untold
        if whole:
            from_, to = edges[parks[0]], edges[parks[-1]] + wide
            _untargeted(canvas, from_, y, to - from_, step, ink)
        for j, id in enumerate(ids):
            x, value = edges[j], row[id]
            if j in untold:
                if not (whole and j in parks):
                    _untargeted(canvas, x, y, wide, step, ink)
            elif isinstance(value, str):
                done = value == "已完成"
                canvas.box(
                    x + 2,
                    y,
                    wide - 4,
                    step - 5,
                    facecolor="white",
                    **(dict(edgecolor=look.NAVY, linewidth=canvas.pt(1.2)) if done else {}),
                )
                canvas.text(
                    x + wide / 2,
                    y,
                    value,
                    min(ink, 12),
                    look.NAVY if done else look.SECOND,
                    ha="center",
                )
            else:
                canvas.box(x + 1, y, wide - 2, step - 2, ramp(float(value)))
                words = (
                    "<1"
                    if value < 0.01
                    else ">99"
                    if value > 0.99
                    else f"{np.floor(100 * value + 0.5):.0f}"
                )
                canvas.text(
                    x + wide / 2, y, words, ink, "white" if value < 0.33 else look.INK, ha="center"
                )
    return canvas.figure


def _untargeted(canvas: Canvas, x: float, y: float, wide: float, step: float, ink: float) -> None:
    canvas.box(x + 1, y, wide - 2, step - 2, facecolor="#F7F8F9", edgecolor="#B4BDC7", hatch="///")
    words = UNTARGETED if wide > measured(UNTARGETED, min(ink, 12)) + 24 else "未下达"
    canvas.text(
        x + wide / 2,
        y,
        words,
        min(ink, 12),
        look.SECOND,
        ha="center",
        fit=wide - 12,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5 * canvas.scale},
    )


def states(
    cells: pd.DataFrame, caption: Caption, *, looks: Mapping[str, tuple[str, str]], size: str = ""
) -> Figure:
    """A grid of words, each with its fill and text colour: completeness, stages.

    Parameters
    ----------
    cells : index row names, columns column names, values words (keys of `looks`: fill, text colour) or "" for nothing.
    """
    canvas = Canvas(caption, size)
    edges, wide, top, step, ink = _grid(
        canvas, list(map(str, cells.index)), list(map(str, cells.columns)), least=50
    )
    for i, (_, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        for x, word in zip(edges, row, strict=True):
            if word:
                fill, colour = looks.get(word, ("#F7F8F9", look.SECOND))
                canvas.box(x + 2, y, wide - 4, step - 4, fill)
                canvas.text(
                    x + wide / 2,
                    y,
                    word,
                    min(ink, 12.5),
                    colour,
                    ha="center",
                    fit=wide - 8,
                    rows=2 if step > 46 else 1,
                )
    return canvas.figure


STATES = {
    "done": "已完成",
    "green": "把握较大",
    "yellow": "尚有悬念",
    "red": "难度较大",
    "none": "",
}


def promises(rows: pd.DataFrame, caption: Caption, *, size: str = "") -> Figure:
    """A row a promise: stages as dots, the last one reached, the next one, the state in a word, who is missing.

    Parameters
    ----------
    rows : `label`, `stages`, `reached`, `last`, `next`, `state` (done, green, yellow, red, none), `word`, `missing`; a
        row with nothing but a label is a heading, the labels under it begin with a space.
    """
    n = max(len(rows), 1)
    canvas = Canvas(caption, size)
    across, top = canvas.right - canvas.left, canvas.top + 22
    step = (canvas.bottom + 10 - top) / n
    dots = 22.0 * max(int(n) for n in rows["stages"] if n != "")
    one = [
        max((measured(str(w).strip(), 1.0) for w in rows[c]), default=0.0)
        for c in ("label", "last", "next", "word", "missing")
    ]
    # nothing is cut: smaller letters for all
    ink = max(10.5, min(12.5, step / 2, (across - dots - 28 - 5 * 12) / sum(one)))
    wide = [one[0] * ink + 8, dots, one[1] * ink, one[2] * ink, one[3] * ink + 20, one[4] * ink]
    at = list(canvas.left + np.cumsum([w + (across - sum(wide)) / 5 for w in wide[:-1]]))
    names, _, last, goes, word, lack = (w + 1 for w in wide)
    for x, name in zip(at, ("阶段", "最近到达", "下一步", "状态", "还缺"), strict=True):
        canvas.text(x, top - 18, name, 12, look.SECOND)
    for i, r in enumerate(rows.itertuples()):
        y = top + step * (i + 0.5)
        canvas.line([canvas.left, canvas.right], [y + step / 2] * 2, look.GRID, 1)
        inside = 20 if r.label.startswith(" ") else 0
        canvas.text(
            canvas.left + inside,
            y,
            r.label.strip(),
            ink,
            look.INK,
            bold=0 if r.state else 0.6,
            fit=names - inside,
        )
        if not r.state:
            continue
        for k in range(int(r.stages)):
            due = look.FALL if r.state == "red" and k == r.reached else look.OTHER
            canvas.dot(
                at[0] + 8 + 22 * k,
                y,
                "o",
                7,
                look.NAVY if k < r.reached else "white",
                look.NAVY if k < r.reached else due,
            )
        canvas.text(at[1], y, r.last, ink, look.INK, fit=last)
        canvas.text(at[2], y, r.next, ink, look.INK, fit=goes)
        light(canvas, at[3] + 8, y, STATES[r.state], ink, word - 20, instead=r.word)
        canvas.text(at[4], y, r.missing, ink, look.INK, fit=lack)
    return canvas.figure
