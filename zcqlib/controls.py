"""The widgets of the notebooks: choose, and the figure is drawn again from the month's stored tables."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.projection.kinds import chance
from zcqlib.tables import ZcqError

WIDE = {"description_width": "initial"}


def picture(figure: Figure, wide: int = 960) -> bytes:
    """A figure as PNG for the screen."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=wide / figure.get_size_inches()[0])
    return buffer.getvalue()


def parks(month: Month) -> dict[str, str]:
    """Names and ids of the zone and its parks."""
    return {"一区四园": "zone"} | {month.catalog.name(p): p for p in month.catalog.parks}


def indicators(month: Month, kinds: tuple[str, ...] = ("flow",)) -> dict[str, str]:
    """Names and ids of the headline targets of some kinds that have a projection."""
    p = month.table("PROJECTIONS")
    have = set(p.loc[p["kind"].isin(kinds) & p["median"].notna() & p["region"].eq("zone"), "indicator"])
    return {month.catalog.name(i): i for i in month.catalog.headline()["id"] if i in have}


def explore(draw: Callable[..., Figure], **choices: Mapping[str, object]) -> widgets.VBox:
    """Drop-downs over a figure; the first choice of each is shown at once.

    Parameters
    ----------
    draw : called with the chosen values by name. choices : for each argument, label → value; the argument's label is
        the mapping's key `""` if it has one.
    """
    image, told = widgets.Image(format="png"), widgets.HTML()
    boxes = {}
    for name, options in choices.items():
        label = options.get("", name)
        boxes[name] = widgets.Dropdown(
            options=[(k, v) for k, v in options.items() if k], description=str(label), style=WIDE
        )

    def redraw(_=None) -> None:
        try:
            image.value = picture(draw(**{name: box.value for name, box in boxes.items()}))
            told.value = ""
        except (ZcqError, ValueError, KeyError) as e:
            told.value = f"<p style='color:#B3261E'>这一组合没有可画的数据:{words.clean(str(e), 80)}</p>"

    for box in boxes.values():
        box.observe(redraw, "value")
    redraw()
    return widgets.VBox([widgets.HBox(list(boxes.values())), told, image])


def what_if(month: Month) -> widgets.VBox:
    """Another pace for the remaining months, or another target: what becomes of the chance.

    The projected rest of the year is multiplied by the pace; nothing is fitted again.
    """
    p = month.table("PROJECTIONS")
    q = month.table("QUANTILES")
    which = widgets.Dropdown(options=list(indicators(month).items()), description="指标", style=WIDE)
    where = widgets.Dropdown(options=list(parks(month).items()), description="园区", style=WIDE)
    pace = widgets.FloatSlider(
        value=1.0,
        min=0.5,
        max=2.0,
        step=0.05,
        description="余下月份的节奏(1=按预测)",
        style=WIDE,
        layout=widgets.Layout(width="420px"),
    )
    aim = widgets.FloatText(description="目标改为", style=WIDE)
    told = widgets.HTML()

    def current() -> dict | None:
        own = p[(p["indicator"] == which.value) & (p["region"] == where.value) & p["probability"].notna()]
        return own.iloc[0].to_dict() if len(own) else None

    def retarget(_=None) -> None:
        r = current()
        aim.value = r["target_low"] if r else 0.0
        tell()

    def tell(_=None) -> None:
        r = current()
        if r is None:
            told.value = "园区目标未下达,或没有预测。"
            return
        own = (
            q[(q["indicator"] == which.value) & (q["region"] == where.value)]
            .sort_values("level")["value"]
            .to_numpy(float)
        )
        told.value = outcome(r, own, pace.value, aim.value, month)

    for box in (which, where):
        box.observe(retarget, "value")
    for box in (pace, aim):
        box.observe(tell, "value")
    retarget()
    return widgets.VBox([widgets.HBox([which, where]), widgets.HBox([pace, aim]), told])


def outcome(row: Mapping, quantiles: np.ndarray, pace: float, aim: float, month: Month) -> str:
    """One sentence: chance, needed pace and projected year end under another pace or target."""
    count = month.catalog.indicators[row["indicator"]].count
    moved = row["actual"] + pace * (quantiles - row["actual"]) if row["kind"] == "flow" else quantiles
    p = chance(moved, row["comparator"], aim, row["target_high"], count)
    left = 12 - pd.Period(row["as_of"], "M").month
    rest = float(np.median(moved)) - row["actual"]
    need = max(aim - row["actual"], 0.0)
    text = (
        f"按{pace:.2f}倍节奏,年末预计{words.number(float(np.median(moved)), row['unit'])},"
        f"达到{words.number(aim, row['unit'])}的把握{words.chance_number(p)}({words.chance_word(p)});"
    )
    text += (
        f"余下{left}个月月均需{words.number(need / left, row['unit'])},预计月均{words.number(rest / left, row['unit'])}。"
        if left and row["kind"] == "flow"
        else ""
    )
    return ("【演示数据】" if row["demo"] else "") + words.typeset(text)


def table(frame: pd.DataFrame, columns: Mapping[str, str], most: int = 20) -> pd.DataFrame:
    """A frame under Chinese headings, cut to its first rows."""
    return frame[list(columns)].rename(columns=columns).head(most)
