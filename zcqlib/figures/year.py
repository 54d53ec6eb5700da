"""A target's year: cumulative pace with its fan, and a stock in steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures.marks import Show, box, month_ticks, plain, ticks
from zcqlib.figures.theme import (
    AXIS,
    BENCHMARK,
    FAN,
    INK,
    NAVY,
    SEASON_BAND,
    SEASON_LINE,
    SEASON_TEXT,
    SECOND,
    TO_DATE,
    Canvas,
    Caption,
    stroke,
)


def pace(
    to_date: pd.DataFrame,
    quantiles: pd.Series,
    target: float,
    caption: Caption,
    *,
    unit: str = "",
    target_words: str = "",
    chance_words: str = "",
    show: Show = plain,
    season: pd.DataFrame | None = None,
    size: str = "wide",
) -> Figure:
    """Cumulative figure against target and paces, with a fan to the year end.

    Parameters
    ----------
    to_date : `month` (1-12), `value`. quantiles : year-end values by level (empty where there is no projection).
    season : optional `month`, `value`, `low`, `high`: the pace that past years kept, scaled to the target.
    """
    canvas = Canvas(caption, size)
    d = to_date.sort_values("month")
    ax = canvas.axes(128, 156, 1010, canvas.bottom)
    has_fan = len(quantiles) > 0
    q = (lambda p: float(np.interp(p, quantiles.index.to_numpy(float), quantiles.to_numpy(float)))) if has_fan else None
    top = max(target if np.isfinite(target) else 0, d["value"].max(), q(0.975) if has_fan else 0) * 1.08 or 1.0
    k, now = int(d["month"].iloc[-1]), float(d["value"].iloc[-1])
    if season is not None and len(season):
        s = season.sort_values("month")
        ax.fill_between(np.r_[0, s["month"]], np.r_[0, s["low"]], np.r_[0, s["high"]], color=SEASON_BAND, linewidth=0)
        ax.plot(np.r_[0, s["month"]], np.r_[0, s["value"]], color=SEASON_LINE, linewidth=canvas.pt(1.8))
        at = s[s["month"] == k]
        if len(at):
            canvas_point = ax.transData
            ax.annotate(
                f"季节进度\uff08色带为历年范围\uff09\n{k}月应达{show(float(at['value'].iloc[0]))}{unit}",
                (k, float(at["value"].iloc[0])),
                xytext=(min(k - 0.2, 8.2), top * 0.12),
                textcoords=canvas_point,
                fontsize=canvas.pt(13),
                color=SEASON_TEXT,
                va="center",
                ha="left" if k < 8 else "center",
                arrowprops=dict(arrowstyle="-", color=SEASON_LINE, linewidth=0.8),
            )
    if np.isfinite(target):
        ax.plot([0, 12], [0, target], color=BENCHMARK, linewidth=canvas.pt(1.6), dashes=(5, 3))
        ax.annotate(
            f"序时进度\n{k}月应达{show(target * k / 12)}{unit}",
            (max(k - 2.5, 1), target * max(k - 2.5, 1) / 12),
            xytext=(max(k - 5.6, 0.4), target * max(k - 2.5, 1) / 12 + top * 0.13),
            fontsize=canvas.pt(13),
            color=SECOND,
            va="center",
            arrowprops=dict(arrowstyle="-", color=AXIS, linewidth=0.8),
        )
        ax.axhline(target, color=INK, linewidth=canvas.pt(1.8))
        ax.text(
            0.12,
            target + top * 0.02,
            f"全年目标\uff1a{target_words or show(target) + unit}",
            fontsize=canvas.pt(14),
            color=INK,
            path_effects=stroke(INK),
            va="bottom",
        )
    if has_fan and k < 12:
        x = np.arange(k, 13)
        share = (x - k) / (12 - k)
        if season is not None and len(season):  # the months to come have their season: December is no average month
            shape = np.interp(x, season.sort_values("month")["month"], season.sort_values("month")["value"])
            share = (shape - shape[0]) / (shape[-1] - shape[0]) if shape[-1] > shape[0] else share
        for level, colour in zip((0.95, 0.8, 0.5), FAN, strict=True):
            low, high = q((1 - level) / 2), q((1 + level) / 2)
            ax.fill_between(x, now + (low - now) * share, now + (high - now) * share, color=colour, linewidth=0)
        ax.plot(x, now + (q(0.5) - now) * share, color=NAVY, linewidth=canvas.pt(2.2), linestyle=(0, (1.2, 1.6)))
        ax.plot(
            [12],
            [q(0.5)],
            "o",
            markersize=canvas.pt(11),
            markerfacecolor="white",
            markeredgecolor=NAVY,
            markeredgewidth=canvas.pt(3),
            clip_on=False,
        )
    ax.plot(np.r_[0, d["month"]], np.r_[0, d["value"]], color=NAVY, linewidth=canvas.pt(3.4), zorder=4)
    ax.plot(d["month"], d["value"], "o", color=NAVY, markersize=canvas.pt(7.5), zorder=4)
    done = f"\n完成目标的{100 * now / target:.1f}%" if np.isfinite(target) and target else ""
    ax.annotate(
        f"{k}月累计{show(now)}{unit}{done}",
        (k, now),
        xytext=(k + 0.25 if k < 9 else 9.15, now - top * 0.07),
        fontsize=canvas.pt(14),
        color=NAVY,
        va="top",
        path_effects=stroke(NAVY),
    )
    ax.set_xlim(0, 12.15)
    ax.set_ylim(0, top)
    month_ticks(ax)
    ticks(ax, show)
    ax.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    if has_fan:
        _where(canvas, q, target, unit, chance_words, show)
    return canvas.figure



def _where(
    canvas: Canvas, q: Callable[[float], float], target: float, unit: str, chance_words: str, show: Show
) -> None:
    """The year end once more, enlarged: bands, and twenty dots of five per cent each."""
    dots = np.array([q((i + 0.5) / 20) for i in range(20)])
    over = int((dots >= target).sum()) if np.isfinite(target) else 0
    canvas.text(1100, 150, "年末会落在哪里\uff08放大\uff09", 15, INK, bold=0.7)
    canvas.text(
        1100,
        182,
        f"20个点各代表5%的可能\uff0c{over}个达到目标" if np.isfinite(target) else "20个点各代表5%的可能",
        12,
        SECOND,
    )
    ax = canvas.axes(1166, 205, 1330, canvas.bottom)
    ends = [q(0.01), q(0.99)] + ([target] if np.isfinite(target) else [])
    room = max(max(ends) - min(ends), abs(q(0.5)) * 1e-3, 1e-9)
    ax.set_ylim(min(ends) - 0.08 * room, max(ends) + 0.08 * room)
    for level, colour in zip((0.95, 0.8, 0.5), FAN, strict=True):
        low, high = q((1 - level) / 2), q((1 + level) / 2)
        ax.fill_between([0, 0.3], low, high, color=colour, linewidth=0)
    ax.plot([-0.03, 0.33], [q(0.5)] * 2, color=NAVY, linewidth=canvas.pt(3))
    step = (ax.get_ylim()[1] - ax.get_ylim()[0]) / 26
    slots: dict[int, int] = {}
    for v in dots:
        slot = round((v - ax.get_ylim()[0]) / step)
        column = slots.get(slot, 0)
        slots[slot] = column + 1
        filled = np.isfinite(target) and v >= target
        ax.plot(
            [0.44 + 0.13 * column],
            [ax.get_ylim()[0] + slot * step],
            "o",
            markersize=canvas.pt(8.5),
            clip_on=False,
            markerfacecolor=NAVY if filled else "white",
            markeredgecolor=NAVY,
            markeredgewidth=canvas.pt(1.2),
        )
    if np.isfinite(target):
        ax.axhline(target, color=INK, linewidth=canvas.pt(1.8), xmin=-0.05, xmax=1.0, clip_on=False)
    ax.set_xlim(0, 1)
    ax.set_xticks([])
    ticks(ax, show)
    if chance_words:
        number, _, rest = chance_words.partition(" ")
        canvas.text(1348, 290, number, 34, NAVY, bold=0.5, fit=188)
        canvas.text(1348, 345, rest, 13, NAVY, fit=188)
    canvas.text(1348, 430, "80%区间", 13, NAVY)
    canvas.text(1348, 458, f"{show(q(0.1))}–{show(q(0.9))}{unit}", 13, NAVY, fit=188)
    canvas.text(1348, 512, f"中位数{show(q(0.5))}{unit}", 14, NAVY, bold=0.7, fit=188)



def stock(
    levels: pd.DataFrame,
    changes: pd.DataFrame,
    caption: Caption,
    *,
    target: float = float("nan"),
    target_words: str = "",
    quantiles: pd.Series | None = None,
    interval: tuple[float, float, float] | None = None,
    chance_words: str = "",
    unit: str = "",
    events: pd.DataFrame | None = None,
    size: str = "wide",
) -> Figure:
    """A stock as steps over a year, and under it what came and went.

    Parameters
    ----------
    levels : `month`, `value`. changes : `month`, `kind` (text), `value` (signed). events : `month`, `label`,
        `expected`.
    interval : low, median, high of the year end as they are to be printed, with `quantiles` for the bands.
    """
    canvas = Canvas(caption, size)
    d = levels.sort_values("month")
    upper = canvas.axes(112, 190, 1230, 0.62 * canvas.height)
    lower = canvas.axes(112, 0.66 * canvas.height, 1230, canvas.bottom)
    edges = np.r_[d["month"] - 0.5, d["month"].iloc[-1] + 0.5]
    upper.step(edges, np.r_[d["value"], d["value"].iloc[-1]], where="post", color=NAVY, linewidth=canvas.pt(3.4))
    last, now = int(d["month"].iloc[-1]), float(d["value"].iloc[-1])
    previous = None
    for r in d.itertuples():
        if r.value != previous or r.month == last:
            upper.annotate(
                plain(r.value),
                (r.month, r.value),
                xytext=(0, canvas.pt(5)),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=canvas.pt(14),
                color=NAVY,
                path_effects=stroke(NAVY) if r.month == last else None,
            )
        previous = r.value
    top, floor = float(d["value"].max()), float(d["value"].min())
    if quantiles is not None and len(quantiles):
        q = lambda p: float(np.interp(p, quantiles.index.to_numpy(float), quantiles.to_numpy(float)))  # noqa: E731
        for level, colour in zip((0.95, 0.8, 0.5), FAN, strict=True):
            upper.fill_between([11.5, 12.5], q((1 - level) / 2), q((1 + level) / 2), color=colour, linewidth=0)
        upper.plot([11.5, 12.5], [q(0.5)] * 2, color=NAVY, linewidth=canvas.pt(2.2), linestyle=(0, (1.2, 1.6)))
        upper.plot([last + 0.5, 11.5], [now, q(0.5)], color=NAVY, linewidth=canvas.pt(1.6), linestyle=(0, (1.2, 1.6)))
        top, floor = max(top, q(0.975)), min(floor, q(0.025))
        if chance_words:
            number, _, rest = chance_words.partition(" ")
            canvas.text(1262, 230, number, 34, NAVY, bold=0.5, fit=270)
            canvas.text(1262, 285, rest, 13, NAVY, fit=270)
        low, middle, high = interval or (q(0.1), q(0.5), q(0.9))
        canvas.text(1262, 330, f"年末中位数{plain(middle)}{unit}", 14, NAVY, bold=0.6, fit=270)
        canvas.text(1262, 362, f"80%区间{plain(low)}–{plain(high)}{unit}", 13, NAVY, fit=270)
        canvas.text(1262, 394, "色带由深到浅\uff1a50%、80%、95%", 12, SECOND, fit=270)
    if np.isfinite(target):
        upper.axhline(target, color=INK, linewidth=canvas.pt(1.8))
        upper.text(0.6, target, target_words, fontsize=canvas.pt(13), color=INK, va="bottom", path_effects=stroke(INK))
        top, floor = max(top, target), min(floor, target)
    room = max(top - floor, 1)
    upper.set_ylim(floor - 0.15 * room, top + 0.2 * room)
    upper.set_xlim(0.5, 12.5)
    upper.set_xticks([])
    ticks(upper, n=4)
    if events is not None:
        for r in events.itertuples():
            for ax in (upper, lower):
                ax.axvline(r.month, color=AXIS, linewidth=canvas.pt(1.2), linestyle=(0, (2, 3)), zorder=0)
            x = (
                canvas.figure.transFigure.inverted().transform(upper.transData.transform((r.month, top)))[0]
                * canvas.width
            )
            canvas.text(x, 160, r.label, 12, SECOND if r.expected else INK, ha="center")
    kinds = list(dict.fromkeys(changes["kind"]))
    looks = [
        dict(facecolor=TO_DATE),
        dict(facecolor="white", edgecolor=NAVY, hatch="////"),
        dict(facecolor=BENCHMARK),
        dict(facecolor="white", edgecolor=BENCHMARK),
    ]
    bottoms: dict[tuple[int, bool], float] = {}
    for kind, look in zip(kinds, looks, strict=False):
        for r in changes[(changes["kind"] == kind) & changes["value"].ne(0)].itertuples():
            key = (r.month, r.value > 0)
            lower.bar(r.month, r.value, width=0.55, bottom=bottoms.get(key, 0.0), linewidth=canvas.pt(1.2), **look)
            bottoms[key] = bottoms.get(key, 0.0) + r.value
    for (month, up), value in bottoms.items():
        lower.text(
            month,
            value,
            f"{'+' if value > 0 else ''}{plain(value)}",
            ha="center",
            va="bottom" if up else "top",
            fontsize=canvas.pt(13),
            color=NAVY,
        )
    lower.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    lower.set_xlim(0.5, 12.5)
    lower.margins(y=0.35)
    lower.set_yticks([])
    month_ticks(lower)
    opening = now - float(changes["value"].sum())
    table = [
        ("期初", opening, None),
        *(
            (k, float(changes.loc[changes["kind"] == k, "value"].sum()), look)
            for k, look in zip(kinds, looks, strict=False)
        ),
        (f"={last}月末", now, None),
    ]
    y0 = 0.66 * canvas.height
    for i, (name, value, look) in enumerate(table):
        y = y0 + 30 * i
        if look is not None:
            box(canvas, 1262, y, 18, 16, None, **({"edgecolor": NAVY, "linewidth": 1} | look))
        canvas.text(1292, y, name, 13, INK, bold=0.6 if i == len(table) - 1 else 0, fit=150)
        canvas.text(1536, y, plain(value), 13, INK, ha="right", bold=0.6 if i == len(table) - 1 else 0)
    return canvas.figure
