"""The widgets of the notebooks: choose, and the figure is drawn again from the month's stored tables."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace

import ipywidgets as widgets
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zcqlib import attached, figures
from zcqlib.briefing import fit
from zcqlib.month import Month
from zcqlib.tables import ZcqError

WIDE = {"description_width": "initial"}


def picture(figure: Figure, wide: int = 960) -> bytes:
    """A figure as PNG for the screen, which pyplot need not keep any more."""
    buffer = io.BytesIO()
    figures.drawn(figure, wide / figure.get_size_inches()[0]).save(buffer, "png", compress_level=1)
    plt.close(figure)
    return buffer.getvalue()


def parks(month: Month) -> dict[str, str]:
    """Names and ids of the zone and its parks."""
    return {month.catalog.zone.parts_zh: "zone"} | {
        month.catalog.name(p): p for p in month.catalog.parks
    }


def indicators(month: Month) -> dict[str, str]:
    """Names and ids of the zone's headline targets that count what flows."""
    ids = month.catalog.headline().query("kind == 'flow' and region == 'zone'")["id"]
    return {month.catalog.name(i): i for i in ids}


def months(month: Month) -> dict[str, Month]:
    """Months whose tables are stored, the latest first, for a control; none is built for it."""
    out = {f"{month.year}年{month.period.month}月": month}
    for period in reversed(month.workspace.report_months()):
        stored = month.workspace.current(period, None) if period < month.period else None
        if stored is not None:
            out[f"{period.year}年{period.month}月"] = replace(
                month, period=period, known=period, vintage=stored
            )
    return out


def explore(draw: Callable[..., Figure | Axes], **choices: Mapping[str, object]) -> widgets.VBox:
    """Drop-downs over a figure; the first choice of each is shown at once, and what was drawn once is kept.

    Parameters
    ----------
    draw : called with the chosen values by name; gives a figure or its axes. choices : for each argument, label → value; the argument's label is
        the mapping's key `""` if it has one.
    """
    image, told = widgets.Image(format="png"), widgets.HTML()
    kept: dict[tuple, bytes] = {}
    boxes = {
        name: widgets.Dropdown(
            options=[(k, v) for k, v in options.items() if k],
            description=str(options.get("", name)),
            style=WIDE,
        )
        for name, options in choices.items()
    }

    def redraw(_=None) -> None:
        chosen = tuple(box.label for box in boxes.values())
        try:
            if chosen not in kept:
                drawn = draw(**{name: box.value for name, box in boxes.items()})
                kept[chosen] = picture(drawn.get_figure(root=True))
            image.value, told.value = kept[chosen], ""
        except (ZcqError, ValueError, KeyError) as e:
            told.value = (
                f"<p style='color:#B3261E'>这一组合没有可画的数据:{fit.clean(str(e), 80)}</p>"
            )

    for box in boxes.values():
        box.observe(redraw, "value")
    if attached.now.controls:
        redraw()
    return widgets.VBox([widgets.HBox(list(boxes.values())), told, image])


def chart(month: Month, found, what: str, draw: Callable, panels=None, note: str = "") -> Figure:
    """A house chart of a finding that is neither saved nor shown, for a control; `draw` gets its axes and the finding."""
    with month.chart(found, "", what, note, panels) as axes:
        many = axes.values() if isinstance(axes, dict) else (axes,)
        draw(*many, found)
    return next(iter(many)).get_figure(root=True)
