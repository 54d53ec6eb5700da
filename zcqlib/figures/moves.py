"""Ranks over months, and what moved a level."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.marks import mixed
from zcqlib.figures.theme import (
    INK,
    PLAIN,
    SECOND,
    Canvas,
    Caption,
    measured,
    rows_grid,
    spread,
)


def bump(
    ranks: pd.DataFrame, caption: Caption, names: Mapping[str, str], *, size: str = ""
) -> Figure:
    """Ranks over periods with intervals; parks that cannot be told apart share a place and a frame.

    Parameters
    ----------
    ranks : RANKS of one indicator: `region`, `period`, `rank`, `low`, `high`, `tied_with`, and `place` where ties share
        one; a line breaks where a park is not ranked.
    """
    canvas = Canvas(caption, size)
    periods = sorted(ranks["period"].unique())
    regions = [r for r in look.parks() if r in set(ranks["region"])] + sorted(
        set(ranks["region"]) - set(look.parks())
    )
    d = ranks[ranks["period"].isin(periods)]
    d = d.assign(at=d["place"] if "place" in d else d["rank"])
    last = d[d["period"] == periods[-1]].set_index("region")
    told = {
        r: _told(last.loc[r]) for r in regions if r in last.index and np.isfinite(last.at[r, "at"])
    }
    down = _rank_key(canvas)
    room = 24 + max(
        [measured(names.get(r, r), 15.5) for r in told]
        + [measured(t, 12) for t in told.values()]
        + [80.0]
    )
    ax = canvas.axes(canvas.left + 58, down, canvas.right - room, canvas.bottom)
    most, narrow = max(len(regions), 2), min(1, len(periods) / 6)
    off = {r: (i - (len(regions) - 1) / 2) * 0.14 * narrow for i, r in enumerate(regions)}
    d["x"] = [periods.index(p) + off[r] for p, r in zip(d["period"], d["region"], strict=True)]
    d = d.sort_values(["period", "at", "x"], ignore_index=True)
    ax.set_ylim(most + 0.6, 0.4)
    ax.set_xlim(-0.5, len(periods) - 0.5)
    tie = d.groupby(["period", "at"])["x"]
    beside = (
        0.14 * narrow * (canvas.px(ax, 1, 1)[0] - canvas.px(ax, 0, 1)[0]) > 13
    )  # markers that do not overlap
    d["y"] = d["at"] + (0.06 if beside else 0.15) * (
        tie.cumcount() - (tie.transform("size") - 1) / 2
    )
    for r in d[d["low"].notna()].itertuples():
        ax.plot(
            [r.x] * 2,
            [r.low - 0.1, r.high + 0.1],
            color=mixed(look.parks().get(r.region, PLAIN).colour, 0.22),
            linewidth=canvas.pt(4.5),
            solid_capstyle="round",
            zorder=1,
        )
    for _, part in d[d["at"].notna()].groupby(["period", "at"]):
        if len(part) > 1:
            left, top = canvas.px(ax, part["x"].min(), part["y"].min())
            right, low = canvas.px(ax, part["x"].max(), part["y"].max())
            _frame(canvas, left - 18, top - 17, right + 18, low + 17)
    for region in regions:
        style, own = (
            look.parks().get(region, PLAIN),
            d[d["region"] == region].set_index("period").reindex(periods),
        )
        ax.plot(own["x"], own["y"], color=style.colour, linewidth=canvas.pt(3), zorder=3)
        ax.plot(
            own["x"],
            own["y"],
            style.marker,
            color=style.colour,
            markersize=canvas.pt(style.size),
            markeredgecolor="white",
            zorder=4,
        )
    ax.set_yticks(range(1, most + 1), [f"第{i}" for i in range(1, most + 1)])
    ax.set_xticks(range(len(periods)), [short_period(p) for p in periods])
    rows_grid(ax)
    ends = d[(d["period"] == periods[-1]) & d["region"].isin(told)]
    pixel = [canvas.px(ax, 0, y)[1] for y in ends["y"]]
    at = canvas.right - room + 24
    for region, y in zip(ends["region"], spread(pixel, 60, canvas.top, canvas.bottom), strict=True):
        canvas.text(
            at,
            y - 12,
            names.get(region, region),
            15,
            look.parks().get(region, PLAIN).text,
            bold=0.7,
        )
        canvas.text(at, y + 12, told[region], 12, SECOND)
    if out := [names.get(r, r) for r in regions if r not in told]:
        canvas.text(
            canvas.right,
            canvas.bottom + 18,
            f"本期不排位\uff1a{'、'.join(out)}",
            12,
            SECOND,
            ha="right",
        )
    return canvas.figure


def _told(r: pd.Series) -> str:
    """并列第2(区间1–4)."""
    span = (
        ""
        if np.isnan(r["low"])
        else f"\uff08区间{r['low']:.0f}"
        + (f"–{r['high']:.0f}\uff09" if r["high"] > r["low"] else "\uff09")
    )
    return f"{'并列' if r['tied_with'] else ''}第{r['at']:.0f}{span}"


def _rank_key(canvas: Canvas) -> float:
    """What the bars and frames mean; gives the px where the plot may begin."""
    x, y, bar = canvas.left, canvas.top - 8, "90%名次区间"
    canvas.box(x + 2, y, 9, 24, look.OTHER)
    canvas.text(x + 22, y, bar, 12, SECOND)
    x += 60 + measured(bar, 12)
    _frame(canvas, x, y - 10, x + 34, y + 10)
    canvas.text(x + 46, y, "并列\uff1a先后分不清\uff0c名次互换的可能在三成以上", 12, SECOND)
    return y + 28


def _frame(canvas: Canvas, left: float, top: float, right: float, low: float) -> None:
    """A rounded frame in px."""
    canvas.figure.add_artist(
        mpl.patches.FancyBboxPatch(
            (left / canvas.width, 1 - low / canvas.height),
            (right - left) / canvas.width,
            (low - top) / canvas.height,
            boxstyle=f"round,pad=0,rounding_size={10 / canvas.width}",
            mutation_aspect=canvas.width / canvas.height,
            facecolor="none",
            edgecolor=INK,
            linewidth=canvas.pt(1.6),
            transform=canvas.figure.transFigure,
        )
    )


def short_period(p: str) -> str:
    """A period on an axis: 9月, 第3季度, 上半年, 2018年."""
    if len(p) == 7:
        return f"{int(p[5:])}月"
    return f"第{p[-1]}季度" if "Q" in p else {"H1": "上半年", "H2": "下半年"}.get(p[4:], f"{p}年")
