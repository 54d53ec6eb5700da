"""What several charts draw: numbers on axes, names at line ends, labels in free places, keys, fans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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


def mixed(colour: str, part: float) -> tuple[float, ...]:
    """A colour on white."""
    from matplotlib.colors import to_rgb

    return tuple(1 - part * (1 - c) for c in to_rgb(colour))
