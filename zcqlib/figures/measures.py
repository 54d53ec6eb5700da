"""Several measures of the same rows side by side, each column of bars on a scale of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.theme import REFERENCE, Canvas, Caption, measured


def measures(
    rows: pd.DataFrame,
    caption: Caption | Canvas,
    *,
    columns: Sequence[tuple[str, str]],
    size: str = "",
) -> Figure:
    """A table with bars whose columns do not share a unit; zero is at the left of each column, or right of its falls.

    Parameters
    ----------
    rows : `label`, and for each of `columns` (id, name) a value and its printed form `<id>_text`; optional `region`
        (parks keep their colours; the zone stands below a rule), `<id>_mark` (a target to be drawn as a tick) and `<id>_key`
        (the facts in the printed form).
    """
    canvas = caption if isinstance(caption, Canvas) else Canvas(caption, size)
    names = max((measured(str(w), 14) for w in rows["label"]), default=0.0) + 50
    left = canvas.left + min(names, 0.3 * (canvas.right - canvas.left))
    top, across = canvas.top + 46, canvas.right - left
    step = min((canvas.bottom - top) / max(len(rows), 1), 110)
    bottom, thick = top + step * max(len(rows), 1), min(step * 0.5, 36)
    regions = rows["region"] if "region" in rows else pd.Series("", rows.index)
    texts = [
        max((measured(str(t), 1.0) for t in rows[f"{id}_text"]), default=0.0) for id, _ in columns
    ]
    ink = max(look.LEAST, min(13.0, 0.55 * across / max(sum(texts), 1e-9)))
    free = (
        across / max(len(columns), 1) - 34 - ink * float(np.mean(texts))
    )  # px of the longest bar of each column
    ends = left + np.cumsum([free + 34 + ink * t for t in texts])
    for start, end, (id, name) in zip([left, *ends], ends, columns, strict=False):
        marks, keys = (
            rows.get(f"{id}_{c}", pd.Series(np.nan, rows.index)) for c in ("mark", "key")
        )
        told = rows[f"{id}_text"].astype("str")
        low, high = (float(f([*rows[id], *marks, 0.0])) for f in (np.nanmin, np.nanmax))
        per = free / (max(high, 1e-12) - low)
        zero = start - low * per
        canvas.text(start, top - 30, name, 13.5, look.INK, bold=0.6, fit=end - start - 14, rows=2)
        canvas.line([zero, zero], [top, bottom], look.AXIS, 1.2)
        ax, count = canvas.axes(start, top, start + free, bottom), max(len(rows), 1)
        ax.set(xlim=(low, max(high, low + 1e-12)), ylim=(count, 0), xticks=[], yticks=[])
        cells = zip(rows[id].astype(float), told, marks, keys, regions, strict=True)
        for i, (value, words, mark, key, region) in enumerate(cells):
            colour = look.parks()[region].colour if region in look.parks() else look.TO_DATE
            style = dict(facecolor=colour)
            if value < 0:
                style = dict(facecolor="white", edgecolor=colour, hatch="////")
            ax.barh(i + 0.5, value, thick / step, linewidth=canvas.pt(1.4) * (value < 0), **style)
            if np.isfinite(mark):
                y = [i + 0.5 - 0.7 * thick / step, i + 0.5 + 0.7 * thick / step]
                tick = dict(gid=REFERENCE, clip_on=False, solid_capstyle="butt")
                ax.plot([mark] * 2, y, color=look.INK, linewidth=canvas.pt(2.4), **tick)
            y, reach = top + step * (i + 0.5), per * max(np.nan_to_num([value, mark, 0.0]))
            canvas.text(
                zero + reach + 9,
                y,
                words,
                ink,
                look.INK if np.isfinite(value) else look.SECOND,
                fit=end - 12 - zero - reach,
                gid=key if key == key else None,
            )
    for i, (label, region) in enumerate(zip(rows["label"], regions, strict=True)):
        y, whole = top + step * (i + 0.5), region == "zone"
        if region in look.parks():
            style = look.parks()[region]
            canvas.dot(canvas.left + 8, y, style.marker, style.size, style.colour, style.colour)
        canvas.text(
            canvas.left + (26 if region in look.parks() else 0),
            y,
            label,
            14,
            look.NAVY if whole else look.INK,
            bold=0.6 if whole else 0,
            fit=left - canvas.left - 40,
            rows=2,
        )
        if whole and i:
            canvas.line([canvas.left, canvas.right], [top + step * i] * 2, look.INK, 1.2)
    return canvas.figure
