"""Figures: one theme, one `save`, the chart functions. Tables in, figure out; nothing is computed here.

Each chart takes its tables, a `Caption` and a `size`; frames are documented by their columns. Labels are printed as
given; where a number has to be printed, `show` words it.
"""

from zcqlib.figures.house import (
    aim,
    bars,
    bullets,
    calibration,
    cells,
    column,
    course,
    ends,
    faults,
    finish,
    grid,
    key,
    lead,
    note,
    palette,
    places,
    shades,
    spans,
    stacked,
    stock,
    table,
    values,
    waterfall,
)
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
