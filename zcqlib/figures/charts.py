"""Chart functions: tables in, figure out. They draw and place; every number and sentence comes from elsewhere.

Each takes a `Caption` last but one and `size`; frames are documented by their columns. Labels are printed as given;
where a number has to be printed, `show` words it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zcqlib.figures.theme import (
    AXIS,
    BENCHMARK,
    CHANCE,
    FALL,
    FAN,
    GRID,
    INK,
    LIGHTS,
    NAVY,
    OTHER,
    PARKS,
    PLAIN,
    RISE,
    SEASON_BAND,
    SEASON_LINE,
    SEASON_TEXT,
    SECOND,
    STACKED,
    THIRD,
    TO_DATE,
    Canvas,
    Caption,
    rows_grid,
    spread,
    stroke,
)

Show = Callable[[float], str]
PALETTE = (NAVY, "#1F78C1", "#EFAF23", "#3DAA7A", "#D14A2B", "#94306B")


def plain(value: float) -> str:
    """A number with thousands commas and only the decimals it needs."""
    if not np.isfinite(value):
        return "—"
    text = (
        f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")
    )
    return text.replace("-", "−")


def _ticks(ax, show: Show = plain, n: int = 6) -> None:
    ax.yaxis.set_major_locator(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: show(round(v, 9))))
    rows_grid(ax)


def _months(ax, upto: int = 12) -> None:
    ax.set_xticks(range(1, upto + 1), [f"{m}月" for m in range(1, upto + 1)])


def _end_labels(
    canvas: Canvas, ax, ends: Sequence[tuple[float, str, str]], x: float, right: float = 1536, size: float = 13
) -> None:
    """Names at the right end of lines, moved apart, with thin leaders where they had to move."""
    if not ends:
        return
    gap = 27 * (1 if canvas.size == "wide" else 1.35)
    pixel = [
        canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((x, v)))[1])
        for v, _, _ in ends
    ]
    places = spread(pixel, gap, 140, canvas.bottom + 10)
    start = canvas.figure.transFigure.inverted().transform(ax.transData.transform((x, ends[0][0])))[0] * canvas.width
    for (_, words, colour), at, true in zip(ends, places, pixel, strict=True):
        canvas.text(start + 26, at, words, size, colour, fit=right - start - 26)
        if abs(at - true) > 3:
            canvas.figure.add_artist(
                mpl.lines.Line2D(
                    [(start + 8) / canvas.width, (start + 22) / canvas.width],
                    [1 - true / canvas.height, 1 - at / canvas.height],
                    color=AXIS,
                    linewidth=0.8,
                    transform=canvas.figure.transFigure,
                )
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
    _months(ax)
    _ticks(ax, show)
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
    _ticks(ax, show)
    if chance_words:
        number, _, rest = chance_words.partition(" ")
        canvas.text(1348, 290, number, 34, NAVY, bold=0.5, fit=188)
        canvas.text(1348, 345, rest, 13, NAVY, fit=188)
    canvas.text(1348, 430, "80%区间", 13, NAVY)
    canvas.text(1348, 458, f"{show(q(0.1))}–{show(q(0.9))}{unit}", 13, NAVY, fit=188)
    canvas.text(1348, 512, f"中位数{show(q(0.5))}{unit}", 14, NAVY, bold=0.7, fit=188)


def bullets(rows: pd.DataFrame, caption: Caption, *, size: str = "wide") -> Figure:
    """Rows of targets: actual as share of the target, pace mark, year-end range, chance and light.

    Parameters
    ----------
    rows : `group`, `name`, `target`, `actual` (texts), `share`, `pace`, `median`, `low`, `high` (per cent of the
        target, NaN where there is none), `chance` (text), `light` (已完成, 把握较大, 尚有悬念, 难度较大 or another word).
    """
    canvas = Canvas(caption, size)
    n = max(len(rows), 1)
    head, first = 186, 206
    step = (canvas.bottom + 12 - first) / n
    ink = min(13.0, step / canvas.scale / 1.75) if size == "wide" else min(13.0, step / 2.1)
    left, right, span = 690.0, 1240.0, 130.0
    at = lambda v: left + (right - left) * min(max(v, 0), span) / span  # noqa: E731
    for x, words, align in (
        (112, "指标", "left"),
        (528, "目标", "right"),
        (650, "当前值", "right"),
        (1310, "把握", "right"),
        (1344, "判断", "left"),
    ):
        canvas.text(x, head, words, 12, SECOND, ha=align)
    for v in (0, 25, 50, 75, 125):
        canvas.text(at(v), head, str(v), 11, SECOND, ha="center")
    canvas.text(at(100), head, "100=目标", 11.5, INK, bold=0.6, ha="center")
    key = 148
    _box(canvas, 112, key, 36, 10, TO_DATE)
    canvas.text(158, key, "实际", 12, SECOND)
    _line(canvas, [232, 232], [key - 10, key + 10], INK, 3)
    canvas.text(246, key, "此时应达", 12, SECOND)
    _line(canvas, [372, 424], [key, key], NAVY, 2.4)
    canvas.text(438, key, "年末中位数与80%区间", 12, SECOND)
    for v in (0, 25, 50, 75, 125):
        _line(canvas, [at(v)] * 2, [first - 4, first + step * n], GRID, 1)
    before = None
    for i, r in enumerate(rows.itertuples()):
        y = first + step * (i + 0.5)
        if r.group != before:
            _line(canvas, [64, 1536], [y - step / 2] * 2, OTHER, 0.9)
            canvas.text(66, y, str(r.group), ink, SECOND)
            before = r.group
        canvas.text(112, y, r.name, ink, INK, fit=300)
        canvas.text(528, y, r.target, ink, SECOND, ha="right", fit=120)
        canvas.text(650, y, r.actual, ink, INK, ha="right", fit=118)
        if np.isfinite(r.share):
            _box(canvas, left, y, at(r.share) - left, step * 0.36, TO_DATE)
        if np.isfinite(r.pace):
            _line(canvas, [at(r.pace)] * 2, [y - step * 0.34, y + step * 0.34], INK, 2.6)
        if np.isfinite(r.median):
            _line(canvas, [at(r.low), at(r.high)], [y, y], NAVY, 2.2)
            _dot(canvas, at(r.median), y, "o", 7, "white", NAVY)
        canvas.text(1310, y, r.chance, ink, INK, ha="right", fit=70)
        mark, fill, shade = LIGHTS.get(r.light, ("◇", THIRD, SECOND))
        shape = {"●": "o", "▲": "^", "■": "s", "✓": "o", "◇": "D"}[mark]
        _dot(canvas, 1352, y, shape, 8, "white" if mark == "◇" else fill, fill)
        canvas.text(1374, y, r.light, ink, shade, fit=160)
    _line(canvas, [at(100)] * 2, [first - 4, first + step * n], INK, 1.8)
    _line(canvas, [64, 1536], [first + step * n] * 2, OTHER, 0.9)
    return canvas.figure


def _line(canvas: Canvas, x: Sequence[float], y: Sequence[float], colour: str, width: float, **more) -> None:
    canvas.figure.add_artist(
        mpl.lines.Line2D(
            [v / canvas.width for v in x],
            [1 - v / canvas.height for v in y],
            color=colour,
            linewidth=canvas.pt(width),
            transform=canvas.figure.transFigure,
            solid_capstyle="butt",
            **more,
        )
    )


def _dot(canvas: Canvas, x: float, y: float, marker: str, size: float, fill: str, edge: str) -> None:
    canvas.figure.add_artist(
        mpl.lines.Line2D(
            [x / canvas.width],
            [1 - y / canvas.height],
            marker=marker,
            linestyle="none",
            markersize=canvas.pt(size),
            markerfacecolor=fill,
            markeredgecolor=edge,
            markeredgewidth=canvas.pt(1.8),
            transform=canvas.figure.transFigure,
        )
    )


def _box(canvas: Canvas, x: float, y: float, wide: float, high: float, colour: str, **more) -> None:
    canvas.figure.add_artist(
        mpl.patches.Rectangle(
            (x / canvas.width, 1 - (y + high / 2) / canvas.height),
            wide / canvas.width,
            high / canvas.height,
            transform=canvas.figure.transFigure,
            **({"facecolor": colour, "edgecolor": "none", "linewidth": 0} | more),
        )
    )


def heatmap(cells: pd.DataFrame, caption: Caption, *, columns: Sequence[tuple[str, str]], size: str = "wide") -> Figure:
    """Chances by row and column; dark is little chance.

    Parameters
    ----------
    cells : index row names in order; one column an id with a chance 0 to 1, or a word (NaN reads 「园区目标未下达」).
    columns : (id, name) in order; a column after the first `zone` one stands apart.
    """
    canvas = Canvas(caption, size)
    n = max(len(cells), 1)
    top, bottom, left = 172, canvas.bottom + 8, 430
    step = (bottom - top) / n
    wide = (1536 - left - 24) / max(len(columns), 1)
    ramp = mpl.colors.LinearSegmentedColormap.from_list("chance", list(zip(np.linspace(0, 1, 6), CHANCE, strict=True)))
    ink = min(13.0, step / (1.9 if size == "wide" else 2.3))
    for j, (_, name) in enumerate(columns):
        x = left + wide * j + (24 if j else 0)
        canvas.text(x + wide / 2, top - 16, name, 13, INK, ha="center", fit=wide - 6)
    for i, (name, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, str(name), ink, INK, fit=left - 84)
        for j, (id, _) in enumerate(columns):
            x, value = left + wide * j + (24 if j else 0), row[id]
            if isinstance(value, int | float) and np.isfinite(value):
                _box(canvas, x + 1, y, wide - 2, step - 2, ramp(float(value)))
                p = round(100 * value)
                words = "<1%" if p < 1 else ">99%" if p > 99 else f"{p}%"
                canvas.text(x + wide / 2, y, words, ink, "white" if value < 0.33 else INK, ha="center")
            else:
                words = value if isinstance(value, str) else "园区目标未下达"
                fill = words != "已完成"
                _box(
                    canvas,
                    x + 1,
                    y,
                    wide - 2,
                    step - 2,
                    "#F7F8F9" if fill else "#E3E9F1",
                    **(
                        {"facecolor": "#F7F8F9", "edgecolor": "#B4BDC7", "hatch": "///"}
                        if words == "园区目标未下达"
                        else {}
                    ),
                )
                canvas.text(
                    x + wide / 2,
                    y,
                    words,
                    min(ink, 11),
                    SECOND if fill else NAVY,
                    ha="center",
                    fit=wide - 14,
                    **(
                        {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
                        if words == "园区目标未下达"
                        else {}
                    ),
                )
    return canvas.figure


def bump(ranks: pd.DataFrame, caption: Caption, names: Mapping[str, str], *, size: str = "wide") -> Figure:
    """Ranks over periods with intervals; parks that cannot be told apart share a frame.

    Parameters
    ----------
    ranks : RANKS of one indicator: `region`, `period`, `rank`, `low`, `high`, `tied_with`; NaN ranks are left out.
    """
    canvas = Canvas(caption, size)
    periods = sorted(ranks["period"].unique())
    regions = [r for r in PARKS if r in set(ranks["region"])] + sorted(set(ranks["region"]) - set(PARKS))
    ax = canvas.axes(128, 160, 1250, canvas.bottom)
    most = max(len(regions), 2)
    ends = []
    for i, region in enumerate(regions):
        style = PARKS.get(region, PLAIN)
        d = (
            ranks[(ranks["region"] == region) & ranks["rank"].notna()]
            .assign(x=lambda f: [periods.index(p) for p in f["period"]])
            .sort_values("x")
        )
        if d.empty:
            continue
        off = (i - (len(regions) - 1) / 2) * 0.14 * min(1, len(periods) / 6)
        ax.vlines(d["x"] + off, d["low"], d["high"], color=style.colour, alpha=0.35, linewidth=canvas.pt(5))
        ax.plot(
            d["x"] + off,
            d["rank"],
            color=style.colour,
            linewidth=canvas.pt(3),
            marker=style.marker,
            markersize=canvas.pt(style.size),
            markeredgecolor="white",
            zorder=3,
        )
        last = d.iloc[-1]
        tied = "\uff08并列\uff09" if last["tied_with"] else ""
        ends.append(
            (
                float(last["rank"]),
                f"{names.get(region, region)} 第{int(last['rank'])}{tied},{int(last['low'])}–{int(last['high'])}",
                style.text,
            )
        )
    ax.set_ylim(most + 0.6, 0.4)
    ax.set_xlim(-0.5, len(periods) - 0.5)
    ax.set_yticks(range(1, most + 1), [f"第{i}" for i in range(1, most + 1)])
    ax.set_xticks(range(len(periods)), [_short_period(p) for p in periods])
    rows_grid(ax)
    _end_labels(canvas, ax, ends, len(periods) - 0.6)
    return canvas.figure


def _short_period(p: str) -> str:
    return f"{int(p[5:7])}月" if len(p) == 7 and p[4] == "-" else str(p)


def waterfall(
    steps: pd.DataFrame,
    caption: Caption,
    *,
    before: tuple[str, float],
    after: tuple[str, float],
    show: Show = plain,
    unit: str = "",
    size: str = "wide",
) -> Figure:
    """Lying waterfall from one level to another.

    Parameters
    ----------
    steps : `label`, `value` in order; before and after are (label, level), and before + steps = after.
    """
    canvas = Canvas(caption, size)
    rows = [
        (before[0], before[1], None),
        *((r.label, r.value, r) for r in steps.itertuples()),
        (after[0], after[1], None),
    ]
    levels = np.cumsum([before[1], *steps["value"]])
    low, high = min(levels.min(), after[1]), max(levels.max(), after[1])
    room = max(high - low, abs(high) * 0.02, 1e-9)
    ax = canvas.axes(470, 160, 1400, canvas.bottom)
    ax.set_xlim(low - 0.18 * room, high + 0.22 * room)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    running = before[1]
    for i, (_, value, step) in enumerate(rows):
        if step is None:
            running = value
            ax.plot([value], [i], "o", color=NAVY, markersize=canvas.pt(12), zorder=3)
            ax.text(
                value + 0.03 * room,
                i,
                f"{show(value)}{unit}",
                fontsize=canvas.pt(15),
                color=NAVY,
                va="center",
                path_effects=stroke(NAVY),
            )
        else:
            up = value >= 0
            if abs(value) < 1e-9:
                ax.plot([running] * 2, [i - 0.28, i + 0.28], color=SECOND, linewidth=canvas.pt(2.4))
            else:
                ax.barh(
                    i,
                    value,
                    left=running,
                    height=0.5,
                    color=RISE if up else "white",
                    edgecolor=RISE if up else FALL,
                    hatch=None if up else "////",
                    linewidth=canvas.pt(1.6),
                    zorder=2,
                )
            sign = "+" if value > 0 else ""
            edge = max(running, running + value)
            ax.text(
                edge + 0.03 * room,
                i,
                f"{sign}{show(value)}{unit}" if abs(value) > 1e-9 else "0",
                fontsize=canvas.pt(14),
                color=(RISE if up else FALL) if abs(value) > 1e-9 else SECOND,
                va="center",
            )
            ax.plot([running + value] * 2, [i, i + 1], color=AXIS, linewidth=canvas.pt(1), zorder=1)
            running += value
    ax.plot([before[1]] * 2, [0, 1], color=AXIS, linewidth=canvas.pt(1), zorder=1)
    ax.set_yticks([])
    ax.set_xticks([])
    for i, (name, _, _) in enumerate(rows):
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((low, i)))[1])
        canvas.text(64, y, name, 14, INK, fit=390)
    return canvas.figure


def lines(
    data: pd.DataFrame,
    caption: Caption,
    *,
    highlight: Sequence[str] = (),
    benchmark: str = "",
    unit: str = "",
    names: Mapping[str, str] | None = None,
    show: Show = plain,
    zero: bool = False,
    target: float = float("nan"),
    target_words: str = "",
    points: pd.DataFrame | None = None,
    size: str = "wide",
) -> Figure:
    """Lines over time, the highlighted in colour, a benchmark in slate, the others grey; all named at the end.

    Parameters
    ----------
    data : `x` (number or label in order), `series`, `value`. Parks keep their colours and markers.
    points : optional `x`, `value`, `label` of figures on another basis, marked but never joined.
    """
    canvas = Canvas(caption, size)
    xs = list(dict.fromkeys(data.sort_values("x")["x"]))
    if points is not None:
        xs = sorted({*xs, *points["x"]})
    place = {x: i for i, x in enumerate(xs)}
    ax = canvas.axes(128, 160, 1330, canvas.bottom)
    ends, names = [], names or {}
    order = sorted(data["series"].unique(), key=lambda s: (s in highlight or s in PARKS, s == benchmark))
    drawn = 0
    for s in order:
        d = data[data["series"] == s].assign(p=lambda f: f["x"].map(place)).sort_values("p")
        d = d[d["value"].notna()]
        if d.empty:
            continue
        if s in PARKS and s not in highlight or s in PARKS and s != "zone":
            style = PARKS[s]
            ax.plot(
                d["p"],
                d["value"],
                color=style.colour,
                linewidth=canvas.pt(3),
                marker=style.marker,
                markersize=canvas.pt(style.size * 0.75),
                markeredgecolor="white",
                zorder=3,
            )
            ends.append(
                (float(d["value"].iloc[-1]), f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}", style.text)
            )
        elif s in highlight:
            colour = PALETTE[drawn % len(PALETTE)]
            drawn += 1
            ax.plot(d["p"], d["value"], color=colour, linewidth=canvas.pt(4.2), zorder=4)
            ax.plot(d["p"].iloc[-1:], d["value"].iloc[-1:], "o", color=colour, markersize=canvas.pt(8), zorder=4)
            ends.append(
                (
                    float(d["value"].iloc[-1]),
                    f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}",
                    PARKS[s].text if s in PARKS else colour,
                )
            )
        else:
            grey = BENCHMARK if s == benchmark else OTHER
            ax.plot(
                d["p"],
                d["value"],
                color=grey,
                linewidth=canvas.pt(3 if s == benchmark else 1.6),
                zorder=2 if s == benchmark else 1,
            )
            ends.append(
                (
                    float(d["value"].iloc[-1]),
                    f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}",
                    BENCHMARK if s == benchmark else THIRD,
                )
            )
    if points is not None:
        for r in points.itertuples():
            ax.plot(
                [place[r.x]],
                [r.value],
                "D",
                markerfacecolor="white",
                markeredgecolor=INK,
                markersize=canvas.pt(9),
                zorder=5,
            )
            ax.annotate(
                r.label,
                (place[r.x], r.value),
                xytext=(0, canvas.pt(12)),
                textcoords="offset points",
                ha="center",
                fontsize=canvas.pt(12),
                color=INK,
            )
    if np.isfinite(target):
        ax.axhline(target, color=INK, linewidth=canvas.pt(1.8))
        ax.text(-0.35, target, target_words, fontsize=canvas.pt(13), color=INK, va="bottom", path_effects=stroke(INK))
    if zero:
        ax.set_ylim(bottom=0)
        ax.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    ax.margins(y=0.12)
    ax.set_xlim(-0.4, max(len(xs) - 0.6, 0.5))
    every = max(1, -(-len(xs) // (14 if size == "wide" else 7)))
    shown = [i for i in range(len(xs)) if (len(xs) - 1 - i) % every == 0]
    ax.set_xticks(shown, [str(xs[i]) for i in shown])
    _ticks(ax, show)
    _end_labels(canvas, ax, ends, len(xs) - 1, size=12)
    return canvas.figure


def effects(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    columns: Sequence[tuple[str, str]],
    unit: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """A table with bars: one row a region, one column of bars an effect; the last row is the total.

    Parameters
    ----------
    rows : `label` and one numeric column for each of `columns` (id, name), drawn from the figures as printed.
    """
    canvas = Canvas(caption, size)
    n, m = len(rows), len(columns)
    top, bottom = 190, canvas.bottom
    step, wide = (bottom - top) / max(n, 1), (1536 - 300) / max(m, 1)
    biggest = max((abs(float(v)) for id, _ in columns for v in rows[id] if np.isfinite(v)), default=1.0) or 1.0
    for j, (id, name) in enumerate(columns):
        middle = 300 + wide * (j + 0.5)
        canvas.text(middle, top - 24, name, 14, INK, ha="center", bold=0.6, fit=wide - 10)
        _line(canvas, [middle] * 2, [top, bottom], AXIS, 1.2)
        for i, v in enumerate(rows[id].astype(float)):
            y, reach = top + step * (i + 0.5), 0.0
            if not np.isfinite(v):
                canvas.text(middle, y, "—", 13, SECOND, ha="center")
                continue
            reach = v / biggest * (wide * 0.5 - 96)
            if abs(reach) < 1:
                _line(canvas, [middle] * 2, [y - 9, y + 9], SECOND, 2.4)
            elif v > 0:
                _box(canvas, middle, y, reach, min(step * 0.5, 34), RISE)
            else:
                _box(
                    canvas,
                    middle + reach,
                    y,
                    -reach,
                    min(step * 0.5, 34),
                    FALL,
                    facecolor="white",
                    edgecolor=FALL,
                    hatch="////",
                    linewidth=canvas.pt(1.4),
                )
            words = ("+" if v > 0 else "") + show(v)
            canvas.text(
                middle + reach + (8 if v >= 0 else -8),
                y,
                words,
                13,
                RISE if v > 0 else FALL if v < 0 else SECOND,
                ha="left" if v >= 0 else "right",
                bold=0.5 if i == n - 1 else 0,
            )
    for i, r in enumerate(rows.itertuples()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, r.label, 14, INK, bold=0.6 if i == n - 1 else 0, fit=220)
        if i == n - 1:
            _line(canvas, [64, 1536], [y - step / 2] * 2, INK, 1.2)
    return canvas.figure


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
    levels : `month`, `value`. changes : `month`, `kind` (text), `value` (signed). events : `month`, `label`, `expected`.
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
    _ticks(upper, n=4)
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
    _months(lower)
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
            _box(canvas, 1262, y, 18, 16, None, **({"edgecolor": NAVY, "linewidth": 1} | look))
        canvas.text(1292, y, name, 13, INK, bold=0.6 if i == len(table) - 1 else 0, fit=150)
        canvas.text(1536, y, plain(value), 13, INK, ha="right", bold=0.6 if i == len(table) - 1 else 0)
    return canvas.figure


def calibration(
    points: pd.DataFrame,
    caption: Caption,
    *,
    rival: pd.DataFrame | None = None,
    big: str = "",
    big_words: str = "",
    size: str = "wide",
) -> Figure:
    """How often what was called p per cent came true.

    Parameters
    ----------
    points, rival : `p`, `met` (shares 0 to 1), `n` (cases); points optionally `low`, `high` of the share.
    """
    canvas = Canvas(caption, size)
    side = min(canvas.bottom - 160, 900)
    ax = canvas.axes(128, 160, 128 + side, 160 + side)
    ax.plot([0, 1], [0, 1], color=AXIS, linewidth=canvas.pt(1.6))
    if rival is not None and len(rival):
        ax.plot(
            rival["p"], rival["met"], color=SEASON_LINE, linewidth=canvas.pt(1.8), marker="s", markersize=canvas.pt(6)
        )
    if {"low", "high"} <= set(points.columns):
        ax.vlines(points["p"], points["low"], points["high"], color=FAN[1], linewidth=canvas.pt(6))
    ax.plot(points["p"], points["met"], color=NAVY, linewidth=canvas.pt(2.6), marker="o", markersize=canvas.pt(9))
    for r in points.itertuples():
        ax.annotate(
            plain(r.n),
            (r.p, r.met),
            xytext=(canvas.pt(9), -canvas.pt(13)),
            textcoords="offset points",
            fontsize=canvas.pt(11),
            color=SECOND,
        )
    ticks = np.linspace(0, 1, 6)
    ax.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set_xlim(-0.02, 1.04)
    ax.set_ylim(-0.02, 1.04)
    ax.grid(color=GRID, linewidth=1)
    x = 128 + side + 70
    canvas.text(x, 200, "横轴\uff1a我们说的把握\uff1b纵轴\uff1a后来完成的比例", 13, SECOND, fit=1536 - x)
    canvas.text(x, 330, "斜线\uff1a说多少、成多少", 13, SECOND, fit=1536 - x)
    canvas.text(x, 250, "● 我们\uff08点旁为次数\uff09", 14, NAVY, fit=1536 - x)
    if rival is not None and len(rival):
        canvas.text(x, 290, "■ 按序时进度外推", 14, SEASON_TEXT, fit=1536 - x)
    if big:
        canvas.text(x, 420, big, 36, NAVY, bold=0.9)
        canvas.text(x, 480, big_words, 14, NAVY, fit=1536 - x)
    return canvas.figure


def multiples(
    data: pd.DataFrame,
    caption: Caption,
    names: Mapping[str, str],
    *,
    unit: str = "",
    show: Show = plain,
    notes: Mapping[str, str] | None = None,
    size: str = "wide",
) -> Figure:
    """One small panel a region, same scale: the lead over the seasonal pace (0 ends at the target), with its fan.

    Parameters
    ----------
    data : `region`, `month`, `value`, and for month 12 `low`, `high` (80 %), NaN elsewhere. notes : one line a region.
    """
    canvas = Canvas(caption, size)
    regions = [r for r in PARKS if r in set(data["region"])] + sorted(set(data["region"]) - set(PARKS))
    across = 3 if size != "phone" else 2
    down = -(-len(regions) // across)
    wide, high = (1472 + 40) / across, (canvas.bottom - 150) / max(down, 1)
    values = data[["value", "low", "high"]].to_numpy(float)
    low, high_value = min(np.nanmin(values), 0), max(np.nanmax(values), 0)
    room = max(high_value - low, 1e-9)
    for i, region in enumerate(regions):
        style = PARKS.get(region, PLAIN)
        x, y = 64 + wide * (i % across), 150 + high * (i // across)
        canvas.text(x, y + 10, names.get(region, region), 15, style.text, bold=0.6)
        if notes and region in notes:
            canvas.text(x + wide - 50, y + 10, notes[region], 12.5, style.text, ha="right", fit=wide - 190)
        ax = canvas.axes(x + 66, y + 34, x + wide - 50, y + high - 34)
        for other in regions:
            if other != region:
                o = data[(data["region"] == other) & data["low"].isna()].sort_values("month")
                ax.plot(o["month"], o["value"], color=OTHER, linewidth=canvas.pt(1.2))
        d = data[data["region"] == region].sort_values("month")
        seen, ahead = d[d["low"].isna()], d[d["low"].notna()]
        ax.plot(
            seen["month"],
            seen["value"],
            color=style.colour,
            linewidth=canvas.pt(3),
            marker=style.marker,
            markersize=canvas.pt(style.size * 0.6),
            markeredgecolor="white",
        )
        if len(ahead) and len(seen):
            a, s = ahead.iloc[-1], seen.iloc[-1]
            ax.fill(
                [s["month"], a["month"], a["month"]],
                [s["value"], a["low"], a["high"]],
                color=style.colour,
                alpha=0.22,
                linewidth=0,
            )
            ax.plot(
                [s["month"], a["month"]],
                [s["value"], a["value"]],
                color=style.colour,
                linewidth=canvas.pt(2),
                linestyle=(0, (1.2, 1.6)),
            )
        ax.axhline(0, color=INK, linewidth=canvas.pt(1.2))
        ax.set_xlim(0.7, 12.3)
        ax.set_ylim(low - 0.08 * room, high_value + 0.08 * room)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        _ticks(ax, lambda v: ("+" if v > 0 else "") + show(v), n=4)
    return canvas.figure


def bars(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    unit: str = "",
    show: Show = plain,
    reference: float = float("nan"),
    reference_words: str = "",
    size: str = "wide",
) -> Figure:
    """Lying bars, in the order given.

    Parameters
    ----------
    rows : `label`, `value`, optional `region` (parks keep their colours), `note` (text after the number).
    """
    canvas = Canvas(caption, size)
    n = max(len(rows), 1)
    ax = canvas.axes(360, 160, 1380, canvas.bottom)
    values = rows["value"].to_numpy(float)
    colours = [PARKS[r].colour if r in PARKS else TO_DATE for r in rows.get("region", pd.Series([""] * len(rows)))]
    ax.barh(range(len(rows)), np.nan_to_num(values), height=0.58, color=colours)
    low, high = min(0.0, np.nanmin(values, initial=0)), max(np.nanmax(values, initial=0), 1e-9)
    if np.isfinite(reference):
        high = max(high, reference)
        ax.axvline(reference, color=INK, linewidth=canvas.pt(1.8))
        ax.text(reference, -0.62, reference_words, ha="center", va="bottom", fontsize=canvas.pt(12), color=INK)
    ax.set_xlim(low * 1.15, high * 1.02)
    ax.set_ylim(n - 0.4, -0.9)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.axvline(0, color=AXIS, linewidth=canvas.pt(1.2))
    for i, r in enumerate(rows.itertuples()):
        x, y = canvas.figure.transFigure.inverted().transform(
            ax.transData.transform((max(np.nan_to_num(r.value), 0), i))
        )
        words = f"{show(r.value)}{unit}" if np.isfinite(r.value) else "未报"
        note = getattr(r, "note", "")
        canvas.text(
            x * canvas.width + 10,
            canvas.height * (1 - y),
            words + (f"  {note}" if note else ""),
            13,
            INK,
            fit=1536 - x * canvas.width - 10,
        )
        canvas.text(344, canvas.height * (1 - y), r.label, 13.5, INK, ha="right", fit=280)
    return canvas.figure


def columns(
    months: pd.DataFrame,
    caption: Caption,
    *,
    names: tuple[str, str] = ("今年", "上年"),
    unit: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """Months as columns, last year's as marks behind them.

    Parameters
    ----------
    months : `month`, `value`, `before` (NaN where unknown).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(128, 176, 1536, canvas.bottom)
    ax.bar(months["month"], months["before"], width=0.72, color=GRID)
    ax.bar(months["month"], months["value"], width=0.46, color=NAVY)
    top = float(np.nanmax(months[["value", "before"]].to_numpy(float), initial=0)) or 1.0
    for r in months.itertuples():
        if np.isfinite(r.value):
            ax.text(
                r.month,
                r.value + 0.012 * top,
                show(r.value),
                ha="center",
                va="bottom",
                fontsize=canvas.pt(12),
                color=NAVY,
            )
    ax.set_xlim(0.4, 12.6)
    ax.set_ylim(0, top * 1.1)
    _months(ax)
    _ticks(ax, show)
    ax.axhline(0, color=AXIS, linewidth=canvas.pt(1.2))
    _box(canvas, 128, 148, 22, 14, NAVY)
    canvas.text(160, 148, names[0], 12, SECOND)
    _box(canvas, 260, 148, 22, 14, GRID)
    canvas.text(292, 148, names[1], 12, SECOND)
    return canvas.figure


def states(
    cells: pd.DataFrame, caption: Caption, *, looks: Mapping[str, tuple[str, str]], size: str = "wide"
) -> Figure:
    """A grid of words, each with its fill and text colour: completeness, stages.

    Parameters
    ----------
    cells : index row names, columns column names, values words (keys of `looks`: fill, text colour) or "" for nothing.
    """
    canvas = Canvas(caption, size)
    n, m = max(len(cells), 1), max(len(cells.columns), 1)
    top, bottom, left = 176, canvas.bottom + 10, 330
    step, wide = (bottom - top) / n, (1536 - left) / m
    ink = min(12.5, step / (1.9 if size == "wide" else 2.4))
    for j, name in enumerate(cells.columns):
        canvas.text(left + wide * (j + 0.5), top - 18, str(name), 12.5, SECOND, ha="center", fit=wide - 4)
    for i, (name, row) in enumerate(cells.iterrows()):
        y = top + step * (i + 0.5)
        canvas.text(64, y, str(name), min(13.5, ink * 1.1), INK, fit=left - 84)
        for j, word in enumerate(row):
            if not word:
                continue
            fill, colour = looks.get(word, ("#F7F8F9", SECOND))
            _box(canvas, left + wide * j + 2, y, wide - 4, step - 4, fill)
            canvas.text(left + wide * (j + 0.5), y, word, ink, colour, ha="center", fit=wide - 10)
    return canvas.figure


def scatter(
    points: pd.DataFrame,
    caption: Caption,
    *,
    x_label: str,
    y_label: str,
    fit: pd.DataFrame | None = None,
    highlight: Sequence[str] = (),
    size: str = "wide",
) -> Figure:
    """Points on two log axes with a fitted line.

    Parameters
    ----------
    points : `x`, `y` (> 0), `label`, `series`. fit : `x`, `y`, optional `low`, `high`.
    """
    import seaborn as sns

    canvas = Canvas(caption, size)
    ax = canvas.axes(150, 160, 1400, canvas.bottom - 34)
    groups = points.assign(who=["其他" if s not in highlight else s for s in points["series"]])
    palette = {s: PALETTE[i % len(PALETTE)] for i, s in enumerate(highlight)} | {"其他": OTHER}
    sns.scatterplot(
        groups.sort_values("who", key=lambda s: s != "其他"),
        x="x",
        y="y",
        hue="who",
        palette=palette,
        ax=ax,
        s=canvas.pt(60),
        legend=False,
        linewidth=0.4,
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    if fit is not None:
        if "low" in fit:
            ax.fill_between(fit["x"], fit["low"], fit["high"], color=FAN[0], zorder=0, linewidth=0)
        ax.plot(fit["x"], fit["y"], color=BENCHMARK, linewidth=canvas.pt(2))
    ax.grid(color=GRID, linewidth=1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda v, _: plain(v)))
        axis.set_minor_formatter(FuncFormatter(lambda v, _: ""))
    ax.tick_params(which="minor", length=0)
    ax.set_xlabel("")
    ax.set_ylabel("")
    canvas.text(1400, canvas.bottom + 14, x_label, 12.5, SECOND, ha="right")
    canvas.text(150, 144, y_label, 12.5, SECOND)
    ends = []
    for s in highlight:
        d = points[points["series"] == s].sort_values("x")
        if len(d):
            last = d.iloc[-1]
            ends.append((float(last["x"]), float(last["y"]), s, palette[s]))
    places = spread([np.log(e[1]) for e in ends], 0.14)
    for (x, _, s, colour), y in zip(ends, places, strict=True):
        ax.annotate(
            s,
            (x, float(np.exp(y))),
            xytext=(canvas.pt(9), 0),
            textcoords="offset points",
            fontsize=canvas.pt(13),
            color=colour,
            va="center",
            annotation_clip=False,
        )
    return canvas.figure


def forest(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    zero: float = 0.0,
    zero_words: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """Estimates with intervals.

    Parameters
    ----------
    rows : `label`, `estimate`, `low`, `high`, optional `group` (text beside the label).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(560, 170, 1300, canvas.bottom)
    low, high = min(rows["low"].min(), zero), max(rows["high"].max(), zero)
    room = max(high - low, 1e-9)
    ax.set_xlim(low - 0.06 * room, high + 0.06 * room)
    ax.set_ylim(len(rows) - 0.4, -0.8)
    ax.axvline(zero, color=INK, linewidth=canvas.pt(1.4))
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: show(round(v, 9))))
    ax.grid(axis="x", color=GRID, linewidth=1)
    if zero_words:
        ax.text(zero, -0.72, zero_words, ha="center", va="top", fontsize=canvas.pt(12), color=SECOND)
    for i, r in enumerate(rows.itertuples()):
        ax.plot([r.low, r.high], [i, i], color=NAVY, linewidth=canvas.pt(2.6))
        ax.plot([r.estimate], [i], "o", color=NAVY, markersize=canvas.pt(9))
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((0, i)))[1])
        canvas.text(64, y, r.label, 13.5, INK, fit=470)
        canvas.text(1536, y, f"{show(r.estimate)}({show(r.low)}~{show(r.high)})", 13, NAVY, ha="right", fit=220)
    return canvas.figure


def slope(
    rows: pd.DataFrame,
    caption: Caption,
    *,
    before: str,
    after: str,
    unit: str = "",
    show: Show = plain,
    size: str = "wide",
) -> Figure:
    """Two moments side by side.

    Parameters
    ----------
    rows : `label`, `before`, `after`, optional `region` (parks keep their colours).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(480, 180, 1120, canvas.bottom)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 1], [before, after])
    ax.tick_params(axis="x", labelsize=canvas.pt(14))
    ax.set_yticks([])
    values = rows[["before", "after"]].to_numpy(float)
    room = max(np.nanmax(values) - np.nanmin(values), 1e-9)
    ax.set_ylim(np.nanmin(values) - 0.1 * room, np.nanmax(values) + 0.1 * room)
    left, right = [], []
    for i, r in enumerate(rows.itertuples()):
        style = PARKS.get(getattr(r, "region", ""), None)
        colour = style.colour if style else PALETTE[i % len(PALETTE)]
        ax.plot(
            [0, 1],
            [r.before, r.after],
            color=colour,
            linewidth=canvas.pt(3),
            marker=style.marker if style else "o",
            markersize=canvas.pt(9),
            clip_on=False,
        )
        shade = style.text if style else colour
        left.append((r.before, f"{r.label} {show(r.before)}{unit}", shade))
        right.append((r.after, f"{show(r.after)}{unit} {r.label}", shade))
    to_px = lambda v: (
        canvas.height
        * (
            1
            - canvas.figure.transFigure.inverted().transform(  # noqa: E731
                ax.transData.transform((0, v))
            )[1]
        )
    )
    for side, x, align in ((left, 450, "right"), (right, 1150, "left")):
        places = spread([to_px(v) for v, _, _ in side], 28, 150, canvas.bottom)
        for (_, words, colour), y in zip(side, places, strict=True):
            canvas.text(x, y, words, 13.5, colour, ha=align, fit=380)
    return canvas.figure


def shares(rows: pd.DataFrame, caption: Caption, names: Mapping[str, str], *, size: str = "wide") -> Figure:
    """Lying stacked bars of shares that add up to 100.

    Parameters
    ----------
    rows : index labels, one column a part (ids of parks keep their colours), values in per cent.
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(250, 210, 1536, canvas.bottom)
    start = np.zeros(len(rows))
    x = 250.0
    for i, part in enumerate(rows.columns):
        style = PARKS.get(part)
        colour = style.colour if style else PALETTE[i % len(PALETTE)]
        ax.barh(range(len(rows)), rows[part], left=start, color=colour, height=0.62, edgecolor="white")
        for j, v in enumerate(rows[part]):
            if v >= 5:
                dark = mpl.colors.rgb_to_hsv(mpl.colors.to_rgb(colour))[2] < 0.85 or part not in ("jingkai",)
                ax.text(
                    start[j] + v / 2,
                    j,
                    f"{v:.0f}%",
                    ha="center",
                    va="center",
                    fontsize=canvas.pt(12),
                    color="white" if dark else INK,
                    gid=STACKED,
                )
        start = start + rows[part].to_numpy(float)
        _box(canvas, x, 166, 22, 14, colour)
        t = canvas.text(x + 30, 166, names.get(part, part), 12.5, SECOND)
        x += 60 + 19 * len(t.get_text()) * (1 if size == "wide" else 1.3)
    ax.set_yticks([])
    for j, label in enumerate(rows.index):
        y = canvas.height * (1 - canvas.figure.transFigure.inverted().transform(ax.transData.transform((0, j)))[1])
        canvas.text(236, y, str(label), 13.5, INK, ha="right", fit=170)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    ax.set_xticks([])
    return canvas.figure
