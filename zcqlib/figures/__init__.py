"""Figures: one theme, one `save`, the chart functions. Tables in, figure out; nothing is computed here."""
from zcqlib.figures.charts import (
    bars,
    bullets,
    bump,
    calibration,
    columns,
    effects,
    forest,
    heatmap,
    lines,
    multiples,
    pace,
    plain,
    scatter,
    shares,
    slope,
    states,
    stock,
    waterfall,
)
from zcqlib.figures.theme import Caption, FigureError, check, contact_sheet, font_path, save, show, texts

__all__ = ["Caption", "FigureError", "bars", "bullets", "bump", "calibration", "check", "columns", "contact_sheet", "effects",
           "font_path", "forest", "heatmap", "lines", "multiples", "pace", "plain", "save", "scatter", "shares", "show", "slope",
           "states", "stock", "texts", "waterfall"]
