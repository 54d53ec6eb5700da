"""Several measures of the same rows side by side, each column of bars on a scale of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import box, line
from zcqlib.figures.theme import AXIS, INK, NAVY, PARKS, SECOND, TO_DATE, Canvas, Caption


def measures(rows: pd.DataFrame, caption: Caption, *, columns: Sequence[tuple[str, str]], left: float = 260,
             size: str = "wide") -> Figure:
    """A table with bars whose columns do not share a unit; zero is at the left of each column.

    Parameters
    ----------
    rows : `label`, and for each of `columns` (id, name) a value and its printed form `<id>_text`; optional `region`
        (parks keep their colours; the zone stands below a rule) and `<id>_mark` (a target to be drawn as a tick).
    """
    canvas = Canvas(caption, size)
    top, bottom = 196, canvas.bottom
    step, wide = (bottom - top) / max(len(rows), 1), (1536 - left) / max(len(columns), 1)
    for j, (id, name) in enumerate(columns):
        x = left + wide * j
        marks = rows[f"{id}_mark"] if f"{id}_mark" in rows else pd.Series(np.nan, rows.index)
        biggest = float(np.nanmax([*rows[id].abs(), *marks.abs(), 1e-12]))
        canvas.text(x, top - 26, name, 13.5, INK, bold=0.6, fit=wide - 16)
        line(canvas, [x, x], [top, bottom], AXIS, 1.2)
        for i, (value, words, mark) in enumerate(zip(rows[id].astype(float), rows[f"{id}_text"], marks, strict=True)):
            y, reach = top + step * (i + 0.5), 0.0
            if np.isfinite(value):
                reach = max(0.0, value) / biggest * (wide - 130)
                region = rows["region"].iloc[i] if "region" in rows else ""
                box(canvas, x, y, reach, min(step * 0.5, 36), PARKS[region].colour if region in PARKS else TO_DATE)
            if np.isfinite(mark):
                at = x + mark / biggest * (wide - 130)
                line(canvas, [at, at], [y - min(step * 0.36, 26), y + min(step * 0.36, 26)], INK, 2.4)
                reach = max(reach, at - x)
            canvas.text(x + reach + 10, y, words, 13, INK if np.isfinite(value) else SECOND, fit=wide - reach - 14)
    for i, r in enumerate(rows.itertuples()):
        whole = getattr(r, "region", "") == "zone"
        canvas.text(64, top + step * (i + 0.5), r.label, 14, NAVY if whole else INK, bold=0.6 if whole else 0,
                    fit=left - 80)
        if whole and i:
            line(canvas, [64, 1536], [top + step * i] * 2, INK, 1.2)
    return canvas.figure
