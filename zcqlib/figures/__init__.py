"""Figures: one theme, one `save`, the chart functions. Tables in, figure out; nothing is computed here.

Each chart takes its tables, a `Caption` and a `size`; frames are documented by their columns. Labels are printed as
given; where a number has to be printed, `show` words it.
"""

from functools import wraps

import pandas as pd

from zcqlib.figures.house import (
    aim,
    bars,
    bullets,
    calibration,
    cells,
    column,
    course,
    ends,
    finish,
    grid,
    key,
    lead,
    note,
    palette,
    shades,
    spans,
    stacked,
    stock,
    table,
    values,
    waterfall,
)
from zcqlib.figures.marks import plain
from zcqlib.figures.moves import bump
from zcqlib.figures.printing import (
    alternative,
    check,
    contact_sheet,
    drawn,
    save,
    show,
    stamp,
    texts,
)
from zcqlib.figures.readback import compare, seen
from zcqlib.figures.tables import effects, states
from zcqlib.figures.theme import (
    BENCHMARK,
    NAVY,
    OTHER,
    REFERENCE,
    TO_DATE,
    Canvas,
    Caption,
    FigureError,
    drawing,
    font_path,
    use_theme,
)


def _with_data(chart):
    """A chart whose figure keeps the tables that it was drawn from, so that its numbers can be traced."""

    @wraps(chart)
    def keeping(*given, **more):
        figure = chart(*given, **more)
        figure.zcq_data = [
            t for t in (*given, *more.values()) if isinstance(t, pd.DataFrame | pd.Series)
        ]
        return figure

    return keeping


(
    bump,
    effects,
    states,
) = map(
    _with_data,
    (
        bump,
        effects,
        states,
    ),
)
