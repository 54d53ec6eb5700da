"""Figures: one theme, one `save`, the chart functions. Tables in, figure out; nothing is computed here.

Each chart takes its tables, a `Caption` and a `size`; frames are documented by their columns. Labels are printed as
given; where a number has to be printed, `show` words it.
"""

from zcqlib.figures.marks import plain
from zcqlib.figures.measures import measures
from zcqlib.figures.moves import bump, slope, waterfall
from zcqlib.figures.printing import alternative, check, contact_sheet, drawn, save, show, stamp, texts
from zcqlib.figures.relation import calibration, scatter
from zcqlib.figures.rows import bars, forest
from zcqlib.figures.series import columns, lines, multiples, stacked
from zcqlib.figures.tables import bullets, effects, heatmap, promises, states
from zcqlib.figures.theme import Caption, FigureError, font_path
from zcqlib.figures.year import pace, stock
