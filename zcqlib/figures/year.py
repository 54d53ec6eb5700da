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


LOOKS = (
    dict(facecolor=look.TO_DATE),
    dict(facecolor="white", edgecolor=look.NAVY, hatch="////"),
    dict(facecolor=look.BENCHMARK),
    dict(facecolor="white", edgecolor=look.BENCHMARK),
)
OPEN = dict(facecolor="white", edgecolor="none", pad=1.5)  # behind a label on a date's line


def stock(
    levels: pd.DataFrame,
    changes: pd.DataFrame,
    caption: Caption,
    *,
    opening: float = float("nan"),
    target: float = float("nan"),
    target_words: str = "",
    quantiles: pd.Series | None = None,
    interval: tuple[float, float, float] | None = None,
    chance_words: str = "",
    unit: str = "",
    events: pd.DataFrame | None = None,
    due: pd.DataFrame | None = None,
    size: str = "",
) -> Figure:
    """A stock as steps over a year, and under it what came and went.

    Parameters
    ----------
    levels : `month`, `value`. changes : `month`, `kind` (text), `value` (signed). events : `month`, `label`,
        `expected`; the stock is expected to step at the expected ones, evenly.
    opening : the level at the end of last year; what the changes do not explain since then is 未说明.
    interval : low, median, high of the year end as they are to be printed, with `quantiles` for the bands.
    due : `month`, `batch`, `linear`: what the stock should be at each month's end, by the batches and in equal steps.
    """
    canvas = Canvas(caption, size)
    d = levels.sort_values("month")
    side = canvas.right - 290
    first = canvas.top + (64 if events is not None else 20)
    middle = first + 0.63 * (canvas.bottom - first)
    upper = canvas.axes(canvas.left + 48, first, side, middle)
    lower = canvas.axes(canvas.left + 48, middle + 30, side, canvas.bottom)
    last, now = int(d["month"].iloc[-1]), float(d["value"].iloc[-1])
    q = quantile(quantiles) if quantiles is not None and len(quantiles) else None
    ends = [d["value"].max(), d["value"].min()] + ([target] if np.isfinite(target) else [])
    ends += [q(0.025), q(0.975)] if q else []
    ends += due[["batch", "linear"]].stack().tolist() if due is not None else []
    room = max(max(ends) - min(ends), 1)
    upper.set_ylim(min(ends) - 0.25 * room, max(ends) + 0.14 * room)
    upper.set_xlim(0.5, 12.5)
    upper.set_xticks([])
    ticks(upper, n=5)
    edges = np.r_[d["month"] - 0.5, d["month"].iloc[-1] + 0.5]
    upper.step(
        edges,
        np.r_[d["value"], now],
        where="post",
        color=look.NAVY,
        linewidth=canvas.pt(3.4),
        gid=REFERENCE,
    )
    if events is not None:
        for r in events.itertuples():
            for ax in (upper, lower):
                ax.axvline(
                    r.month,
                    color=look.AXIS,
                    linewidth=canvas.pt(1.2),
                    linestyle=(0, (2, 3)),
                    zorder=0,
                )
            x = canvas.px(upper, r.month, 0)[0]
            canvas.text(
                x,
                first - 34,
                r.label,
                12,
                look.SECOND if r.expected else look.INK,
                ha="center",
                fit=(side - canvas.left) / 8,
                rows=2,
            )
    if q and last < 12:
        ahead = (
            []
            if events is None
            else sorted(e.month for e in events.itertuples() if e.expected and e.month > last)
        )
        jumps = [m for m in ahead if m < 12] + [12]
        x = np.r_[last + 0.5, [m - 0.5 for m in jumps], 12.5]
        y = now + (q(0.5) - now) * np.r_[0, np.arange(1, len(jumps) + 1) / len(jumps)]
        upper.step(
            x,
            np.r_[y, y[-1]],
            where="post",
            color=look.NAVY,
            linewidth=canvas.pt(2),
            linestyle=DOTS,
        )
        for level, colour in LEVELS:
            upper.fill_between(
                [11.5, 12.5], q((1 - level) / 2), q((1 + level) / 2), color=colour, linewidth=0
            )
    if due is not None and len(due):
        x = np.r_[due["month"] - 0.5, 12.5]
        upper.step(
            x,
            np.r_[due["batch"], target],
            where="post",
            color=look.SEASON_LINE,
            linewidth=canvas.pt(1.8),
            gid=REFERENCE,
            zorder=1.5,
        )
        even = due["linear"].to_numpy()
        upper.plot(
            np.r_[0.5, due["month"] + 0.5],
            np.r_[2 * even[0] - even[1], even],
            color=look.BENCHMARK,
            linewidth=canvas.pt(1.6),
            dashes=DASHES,
            gid=REFERENCE,
            zorder=1.5,
        )
    if np.isfinite(target):
        reference(canvas, upper, target, target_words)
    previous = None
    for r in d.itertuples():
        if r.value != previous or r.month == last:
            bold = 0.7 if r.month == last or previous is None else 0.0
            label(
                canvas,
                upper,
                plain(r.value),
                (r.month, r.value),
                (0, -0.4),
                14,
                look.NAVY,
                bold=bold,
            )
        previous = r.value
    if due is not None and len(due):
        at = due.set_index("month")
        words = {
            c: f"{n}\n{last}月应达{plain(round(at.at[last, c]))}{unit}"
            for c, n in (("batch", "批次进度"), ("linear", "序时进度"))
        }
        x = max(last - 2, 1)
        label(
            canvas,
            upper,
            words["linear"],
            (x + 0.5, at.at[x, "linear"]),
            (-0.6, -0.8),
            12.5,
            look.SECOND,
        )
        label(
            canvas,
            upper,
            words["batch"],
            (x, at.at[x, "batch"]),
            (-0.3, 0.9),
            12.5,
            look.SEASON_TEXT,
            leader=look.SEASON_LINE,
        )
    kinds = list(dict.fromkeys(changes["kind"]))
    looks = dict(zip(kinds, LOOKS, strict=False))
    heights: dict[tuple[int, bool], float] = {}
    for r in changes[changes["value"].ne(0)].itertuples():
        at = (r.month, r.value > 0)
        lower.bar(
            r.month,
            r.value,
            width=0.55,
            bottom=heights.get(at, 0.0),
            linewidth=canvas.pt(1.2),
            **looks[r.kind],
        )
        heights[at] = heights.get(at, 0.0) + r.value
    tall, deep = max([*heights.values(), 1]), min([*heights.values(), 0])
    lower.set_ylim(deep - 0.22 * (tall - deep) * (deep < 0), tall + 0.3 * (tall - deep))
    for (month, up), value in heights.items():
        lower.annotate(
            f"{'+' if up else ''}{plain(value)}",
            (month, value),
            xytext=(0, canvas.pt(4 if up else -4)),
            textcoords="offset points",
            ha="center",
            va="bottom" if up else "top",
            bbox=OPEN,
            fontsize=canvas.pt(13),
            color=look.NAVY,
        )
    lower.axhline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    lower.set_xlim(0.5, 12.5)
    lower.set_yticks([])
    month_ticks(lower)
    x, y, wide = canvas.right - 268, first + 14, 268
    if q:
        low, median, high = interval or (q(0.1), q(0.5), q(0.9))
        number, _, rest = chance_words.partition(" ")
        for words, pt, bold, step in (
            (number, 34, 0.5, 48),
            (rest, 13, 0, 42),
            (f"年末中位数{plain(median)}{unit}", 14, 0.6, 32),
            (f"80%区间{plain(low)}–{plain(high)}{unit}", 13, 0, 32),
            ("色带\uff1a50%、80%、95%区间", 11, 0, 0),
        ):
            if words:
                canvas.text(
                    x, y, words, pt, look.SECOND if pt == 11 else look.NAVY, bold=bold, fit=wide
                )
            y += step
    table = [("期初", opening, None)]
    table += [(k, float(changes.loc[changes["kind"] == k, "value"].sum()), looks[k]) for k in kinds]
    unexplained = now - sum(value for _, value, _ in table)
    table += [("未说明", unexplained, None)] if abs(unexplained) > 1e-9 else []
    table += [(f"={last}月末", now, None)]
    y = middle + 44
    for i, (name, value, how) in enumerate(table):
        end = i == len(table) - 1
        if how:
            canvas.box(x, y, 18, 16, **({"edgecolor": look.NAVY, "linewidth": 1} | how))
        if end:
            canvas.line([x, canvas.right], [y - 16] * 2, look.INK, 1.2)
        canvas.text(x + 30, y, name, 13, look.INK, bold=0.6 if end else 0, fit=150)
        canvas.text(canvas.right, y, plain(value), 13, look.INK, ha="right", bold=0.6 if end else 0)
        y += 32
    return canvas.figure
