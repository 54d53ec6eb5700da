"""Figures: one page, one look, one `save`, and the charts that seaborn has not; nothing is computed here.

A chart draws a finding on the axes of a `Canvas`; what is drawn is read back and held against the finding.
"""

from zcqlib.figures.house import (
    aim,
    bars,
    bullets,
    calibration,
    cells,
    course,
    ends,
    finish,
    key,
    lead,
    note,
    palette,
    places,
    spans,
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
    CHANCES,
    NAVY,
    OTHER,
    REFERENCE,
    TO_DATE,
    Canvas,
    Caption,
    FigureError,
    use_theme,
)
