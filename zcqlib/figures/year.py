"""A target's year: cumulative pace with its fan, and a stock in steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.marks import (
    LEVELS,
    Show,
    fan,
    label,
    month_ticks,
    plain,
    quantile,
    reference,
    ticks,
)
from zcqlib.figures.theme import REFERENCE, Canvas, Caption

DOTS = (0, (1.2, 1.6))  # median of the projection
DASHES = (5, 3)  # 序时进度


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
    season_words: str = "季节进度",
    interval: tuple[float, float, float] | None = None,
    size: str = "",
) -> Figure:
    """Cumulative figure against target and paces, with a fan to the year end.

    Parameters
    ----------
    to_date : `month` (1-12), `value`. quantiles : year-end values by level (empty where there is no projection).
    season : optional `month`, `value`, `low`, `high`: the pace that past years kept, scaled to the target, which is
        called `season_words`. interval : low, median, high of the year end as printed, else from the quantiles.
    """
    tall = len(quantiles) > 0
    canvas = Canvas(caption, size)
    d = to_date.sort_values("month")
    edge = canvas.right - _side(canvas) - 84 if tall else canvas.right
    ax = canvas.axes(canvas.left + 64, canvas.top, edge, canvas.bottom)
    q = quantile(quantiles) if tall else None
    aim = target if np.isfinite(target) else 0.0
    top = max(aim, d["value"].max(), q(0.975) if tall else 0) * 1.1 or 1.0
    k, now = int(d["month"].iloc[-1]), float(d["value"].iloc[-1])
    ax.set_xlim(0, 12.15)
    ax.set_ylim(0, top)
    past = season is not None and len(season) > 0
    if past:
        s = season.sort_values("month")
        m = np.r_[0, s["month"]]
        ax.fill_between(
            m, np.r_[0, s["low"]], np.r_[0, s["high"]], color=look.SEASON_BAND, linewidth=0
        )
        ax.plot(
            m, np.r_[0, s["value"]], color=look.SEASON_LINE, linewidth=canvas.pt(1.8), gid=REFERENCE
        )
    if tall and k < 12:
        x = np.arange(k, 13)
        share = (x - k) / (12 - k)
        if past:  # the months to come have their season: December is no average month
            shape = np.interp(x, s["month"], s["value"])
            share = (shape - shape[0]) / (shape[-1] - shape[0]) if shape[-1] > shape[0] else share
        fan(ax, x, now, share, q)
        ax.plot(
            x,
            now + (q(0.5) - now) * share,
            color=look.NAVY,
            linewidth=canvas.pt(2.2),
            linestyle=DOTS,
        )
        ax.plot(
            [12],
            [q(0.5)],
            "o",
            markersize=canvas.pt(11),
            markerfacecolor="white",
            markeredgecolor=look.NAVY,
            markeredgewidth=canvas.pt(3),
            clip_on=False,
        )
    if np.isfinite(target):
        ax.plot(
            [0, 12],
            [0, target],
            color=look.BENCHMARK,
            linewidth=canvas.pt(1.6),
            dashes=DASHES,
            gid=REFERENCE,
        )
    ax.plot(
        np.r_[0, d["month"]],
        np.r_[0, d["value"]],
        color=look.NAVY,
        linewidth=canvas.pt(3.4),
        zorder=4,
        gid=REFERENCE,
    )
    ax.plot(d["month"], d["value"], "o", color=look.NAVY, markersize=canvas.pt(7.5), zorder=4)
    month_ticks(ax)
    ticks(ax)
    ax.axhline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    done = f"\n完成目标的{100 * now / target:.1f}%" if aim else ""
    label(
        canvas,
        ax,
        f"{k}月累计{show(now)}{unit}{done}",
        (k, now),
        (0.7, 0.7),
        14,
        look.NAVY,
        bold=0.7,
    )
    if np.isfinite(target):
        reference(canvas, ax, target, f"全年目标\uff1a{target_words or show(target) + unit}")
        at = min(max(k - 2.5, 5), 9)
        label(
            canvas,
            ax,
            f"序时进度\n{k}月应达{show(target * k / 12)}{unit}",
            (at, target * at / 12),
            (-0.8, -0.6),
            13,
            look.SECOND,
        )
    due = s[s["month"] == k] if past else pd.DataFrame()
    if len(due):
        at = min(max(k, 7), 8)
        label(
            canvas,
            ax,
            f"{season_words}\uff08色带为历年范围\uff09\n{k}月应达{show(float(due['value'].iloc[0]))}{unit}",
            (at, float(np.interp(at, m, np.r_[0, s["value"]]))),
            (0.5, 0.9),
            13,
            look.SEASON_TEXT,
            leader=look.SEASON_LINE,
        )
    if tall:
        _where(canvas, q, target, unit, chance_words, show, interval or (q(0.1), q(0.5), q(0.9)))
    return canvas.figure


def _side(canvas: Canvas) -> float:
    """Px of the enlarged year end beside the year."""
    return max(0.297 * (canvas.right - canvas.left), 470)


def _where(
    canvas: Canvas,
    q: Callable[[float], float],
    target: float,
    unit: str,
    chance_words: str,
    show: Show,
    interval: tuple[float, float, float],
) -> None:
    """The year end once more, enlarged: bands, and twenty dots of five per cent each."""
    aimed = np.isfinite(target)
    dots = np.array([q((i + 0.5) / 20) for i in range(20)])
    over = int((dots >= target).sum()) if aimed else 0
    left, top = canvas.right - _side(canvas), canvas.top + 6
    told = "20个点各代表5%的可能" + (f"\uff0c{over}个达到目标" if aimed else "")
    canvas.text(
        left, top, "年末会落在哪里\uff08放大\uff09", 15, look.INK, bold=0.7, fit=canvas.right - left
    )
    canvas.text(left, top + 30, told, 12, look.SECOND, fit=canvas.right - left)
    ax = canvas.axes(left + 66, top + 56, left + 236, canvas.bottom)
    ends = [q(0.01), q(0.99)] + ([target] if aimed else [])
    room = max(max(ends) - min(ends), abs(q(0.5)) * 1e-3, 1e-9)
    low, high = min(ends) - 0.08 * room, max(ends) + 0.08 * room
    ax.set_ylim(low, high)
    ax.set_xlim(0, 1)
    ax.set_xticks([])
    ticks(ax)
    for level, colour in LEVELS:
        ax.fill_between(
            [0, 0.28], q((1 - level) / 2), q((1 + level) / 2), color=colour, linewidth=0
        )
    ax.plot([-0.03, 0.31], [q(0.5)] * 2, color=look.NAVY, linewidth=canvas.pt(3), clip_on=False)
    tall = canvas.px(ax, 0, low)[1] - canvas.px(ax, 0, high)[1]
    step = (high - low) * 19.5 / tall  # a dot's height in data
    slots: dict[int, int] = {}
    for v in dots:
        base = target if aimed else low
        slot = int(np.floor((v - base) / step))
        slots[slot] = slots.get(slot, 0) + 1
        filled = aimed and v >= target
        ax.plot(
            [0.42 + 0.115 * (slots[slot] - 1)],
            [base + (slot + 0.5) * step],
            "o",
            markersize=canvas.pt(9),
            clip_on=False,
            markerfacecolor=look.NAVY if filled else "white",
            markeredgecolor=look.NAVY,
            markeredgewidth=canvas.pt(1.2),
        )
    x, line = left + 254, canvas.px(ax, 0, target)[1] if aimed else np.inf
    free = canvas.right - x
    if aimed:
        canvas.line([left + 66, canvas.right], [line] * 2, look.INK, 1.8, gid=REFERENCE)
    number, _, rest = chance_words.partition(" ")
    block = [(number, 34, 0.5, 58), (rest, 13, 0, 44)] if number else []
    low_end, median, high_end = map(show, interval)
    block += [
        ("80%区间", 13, 0, 27),
        (f"{low_end}–{high_end}{unit}", 13, 0, 42),
        (f"中位数{median}{unit}", 14, 0.7, 40),
    ]
    down = sum(step for *_, step in block)
    start = top + 80
    if start < line + 60 and start + down > line - 20:  # the block would cross the target
        start = (
            line + 62 if line + 62 + down < canvas.bottom + 20 else max(top + 80, line - 30 - down)
        )
    if aimed:
        y = line + (20 if start < line else -20)
        canvas.text(x, y, f"目标{show(target)}{unit}", 13, look.INK, bold=0.7, fit=free)
    for words, pt, bold, step in block:
        canvas.text(x, start, words, pt, look.NAVY, bold=bold, fit=free)
        start += step
