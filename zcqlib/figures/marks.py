"""What several charts draw: numbers on axes, names at line ends, labels in free places, keys, fans."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.collections import PathCollection, PolyCollection

from zcqlib.figures import theme as look
from zcqlib.figures.theme import Canvas, measured, spread

Show = Callable[[float], str]
SIDES = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])


def plain(value: float) -> str:
    """A number with thousands commas and only the decimals it needs."""
    if not np.isfinite(value):
        return "—"
    text = (
        f"{value:,.0f}"
        if abs(value) >= 100 or float(value).is_integer()
        else f"{value:,.2f}".rstrip("0").rstrip(".")
    )
    return text.replace("-", "−")


def end_room(ends: Sequence[str], size: float = 13) -> float:
    """Px that names at the right end of lines need."""
    return 34 + max((measured(words, size) for words in ends), default=0.0)


def end_labels(
    canvas: Canvas,
    ax,
    ends: Sequence[tuple[float, str, str]],
    x: float,
    size: float = 13,
    bold: Sequence[str] = (),
) -> None:
    """Names at the right end of lines, moved apart, with thin leaders where they had to move."""
    if not ends:
        return
    pixel = [canvas.px(ax, x, v)[1] for v, _, _ in ends]
    places = spread(pixel, 27, canvas.top - 12, canvas.bottom - 4)
    start = canvas.px(ax, x, ends[0][0])[0]
    for (_, words, colour), at, true in zip(ends, places, pixel, strict=True):
        canvas.text(
            start + 26,
            at,
            words,
            size,
            colour,
            bold=0.7 if words in bold else 0.0,
            fit=canvas.right - start - 24,
        )
        if abs(at - true) > 3:
            canvas.line([start + 8, start + 22], [true, at], look.AXIS, 0.8)


def mixed(colour: str, part: float) -> tuple[float, ...]:
    """A colour on white."""
    from matplotlib.colors import to_rgb

    return tuple(1 - part * (1 - c) for c in to_rgb(colour))


def _drawn(canvas: Canvas, ax) -> np.ndarray:
    """Points every few px along what the axes show, to keep labels off it."""
    paths = [
        line.get_transform().transform(line.get_path().vertices) for line in ax.lines
    ]  # steps as they are drawn
    bands = [c for c in ax.collections if isinstance(c, PolyCollection)]
    paths += [ax.transData.transform(p.vertices) for c in bands for p in c.get_paths()]
    points = list(paths)
    for path in paths:
        for a, b in zip(path[:-1], path[1:], strict=True):
            points.append(
                a + np.linspace(0, 1, max(2, int(np.hypot(*(b - a)) / 4)))[:, None] * (b - a)
            )
    for c in (
        c for c in ax.collections if isinstance(c, PathCollection)
    ):  # dots: their middle and their edge
        at, far = (
            ax.transData.transform(c.get_offsets()),
            np.sqrt(np.resize(c.get_sizes(), len(c.get_offsets()))) / 2,
        )
        points += [at + side * far[:, None] * canvas.figure.dpi / 72 for side in SIDES]
    if not points:
        return np.empty((0, 2))
    xy = canvas.figure.transFigure.inverted().transform(np.vstack(points)) * [
        canvas.width,
        canvas.height,
    ]
    return np.column_stack([xy[:, 0], canvas.height - xy[:, 1]])


def label(
    canvas: Canvas,
    ax,
    words: str,
    anchor: tuple[float, float],
    towards: tuple[float, float],
    size: float = 13,
    colour: str = look.INK,
    bold: float = 0.0,
    leader: str = look.AXIS,
    inside: bool = True,
) -> None:
    """A text near a point of the axes, at the nearest place in the wished direction where it covers nothing drawn and
    no other text; a thin line leads to it."""
    x0, y0 = canvas.px(ax, *anchor)
    wide, high = measured(words, size), (words.count("\n") + 1) * size * 1.3 / look.POINT
    drawn = _drawn(canvas, ax)
    frame = ax.get_position()
    left, right = frame.x0 * canvas.width, frame.x1 * canvas.width if inside else canvas.right
    top, low = (1 - frame.y1) * canvas.height, (1 - frame.y0) * canvas.height
    taken = getattr(canvas, "taken", [])
    best, cost = None, np.inf
    for radius in range(14, 520, 14):
        for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
            dx, dy = np.cos(angle), np.sin(angle)
            x = x0 + radius * dx - (wide / 2 - np.sign(round(dx, 3)) * wide / 2)
            y = y0 + radius * dy + np.sign(round(dy, 3)) * high / 2 * (abs(dy) > 0.3)
            if x < left + 2 or x + wide > right or y - high / 2 < top or y + high / 2 > low - 4:
                continue
            price = radius - 60 * (dx * towards[0] + dy * towards[1])
            if price >= cost:
                continue
            pad = 7
            hit = (
                (drawn[:, 0] > x - pad)
                & (drawn[:, 0] < x + wide + pad)
                & (drawn[:, 1] > y - high / 2 - pad)
                & (drawn[:, 1] < y + high / 2 + pad)
            ).any()
            hit |= any(
                x < r and l < x + wide and y - high / 2 < b and t < y + high / 2
                for l, t, r, b in taken
            )
            if hit:
                continue
            near = min(max(x0, x), x + wide), min(max(y0, y - high / 2), y + high / 2)
            for part in np.linspace(0.25, 0.9, 6) if radius > 30 else ():
                at = x0 + part * (near[0] - x0), y0 + part * (near[1] - y0)
                price += 12 * bool((np.abs(drawn - at) < 4).all(axis=1).any())
                price += 200 * any(l < at[0] < r and t < at[1] < b for l, t, r, b in taken)
            if price < cost:
                best, cost = (x, y), price
        if best and radius > cost + 120:
            break
    x, y = best or (min(max(x0, left), right - wide), y0)
    canvas.taken = [*taken, (x - 4, y - high / 2, x + wide + 4, y + high / 2)]
    canvas.text(x, y, words, size, colour, bold=bold)
    near = min(max(x0, x), x + wide), min(max(y0, y - high / 2), y + high / 2)
    if np.hypot(near[0] - x0, near[1] - y0) > 24:
        way = np.array([x0 - near[0], y0 - near[1]])
        way = way / np.hypot(*way)
        canvas.line(
            [near[0] + 5 * way[0], x0 - 6 * way[0]],
            [near[1] + 5 * way[1], y0 - 6 * way[1]],
            leader,
            0.9,
        )
