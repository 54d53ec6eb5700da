"""Lines over time, small panels by park, months as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib.figures import theme as look
from zcqlib.figures.marks import (
    Show,
    end_labels,
    end_room,
    fan,
    key,
    mixed,
    month_ticks,
    plain,
    quantile,
    reference,
    signed,
    ticks,
)
from zcqlib.figures.tables import light
from zcqlib.figures.theme import PALETTE, PLAIN, SHADES, STACKED, Canvas, Caption, measured

DOTS = (0, (1.2, 1.6))


def lines(
    data: pd.DataFrame,
    caption: Caption,
    *,
    highlight: Sequence[str] = (),
    benchmark: str = "",
    unit: str = "",
    names: Mapping[str, str] | None = None,
    show: Show = plain,
    target: float = float("nan"),
    target_words: str = "",
    gap: Show | None = None,
    size: str = "",
) -> Figure:
    """Lines over time, the highlighted in colour, a benchmark in slate, the others grey; all named at the end.

    Parameters
    ----------
    data : `x` (number or label in order), `series`, `value`. Parks keep their colours and markers.
    gap : words the distance between the first highlighted line and the benchmark, measured at both ends.
    """
    canvas = Canvas(caption, size)
    xs = list(dict.fromkeys(data.sort_values("x")["x"]))
    place, names = {x: i for i, x in enumerate(xs)}, names or {}
    parts = {}
    for s in sorted(
        data["series"].unique(), key=lambda s: (s in highlight or s in look.parks(), s == benchmark)
    ):
        d = data[data["series"] == s].assign(p=lambda f: f["x"].map(place)).sort_values("p")
        d = d[d["value"].notna()]
        if len(d):
            parts[s] = d
    told = {
        s: f"{names.get(s, s)} {show(float(d['value'].iloc[-1]))}{unit}" for s, d in parts.items()
    }
    marks = max([measured(show(float(v)), 12) for v in data["value"].dropna()], default=20.0)
    ax = canvas.axes(
        canvas.left + marks + 14,
        canvas.top,
        canvas.right - end_room(list(told.values())),
        canvas.bottom,
    )
    ends, drawn = [], 0
    for s, d in parts.items():
        last = float(d["value"].iloc[-1])
        if s in look.parks():
            style, wide = look.parks()[s], 4.2 if s in highlight else 3
            ax.plot(
                d["p"],
                d["value"],
                color=style.colour,
                linewidth=canvas.pt(wide),
                marker=style.marker,
                markersize=canvas.pt(style.size * 0.75),
                markeredgecolor="white",
                zorder=4 if wide > 3 else 3,
            )
            ends.append((last, told[s], style.text))
        elif s in highlight:
            colour = PALETTE[drawn % len(PALETTE)]
            drawn += 1
            ax.plot(d["p"], d["value"], color=colour, linewidth=canvas.pt(4.2), zorder=4)
            ends_ = d.iloc[[0, -1]]
            ax.plot(
                ends_["p"], ends_["value"], "o", color=colour, markersize=canvas.pt(8), zorder=4
            )
            ends.append((last, told[s], SHADES[colour]))
        else:
            main = s == benchmark
            ax.plot(
                d["p"],
                d["value"],
                color=look.BENCHMARK if main else look.OTHER,
                linewidth=canvas.pt(3 if main else 1.6),
                zorder=2 if main else 1,
            )
            ends.append((last, told[s], look.BENCHMARK if main else look.THIRD))
    values = data["value"].tolist() + ([target] if np.isfinite(target) else [])
    low, high = np.nanmin(values), np.nanmax(values)
    ax.set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low or abs(high) or 1))
    ax.set_xlim(-0.3, max(len(xs) - 0.85, 0.4))
    room = (canvas.px(ax, 1, 0)[0] - canvas.px(ax, 0, 0)[0]) if len(xs) > 1 else canvas.width
    every = max(1, int(np.ceil((max(measured(str(x), 12) for x in xs) + 14) / room)))
    shown = [i for i in range(len(xs)) if (len(xs) - 1 - i) % every == 0]
    ax.set_xticks(shown, [str(xs[i]) for i in shown])
    ticks(ax, show, n=7)
    if gap and benchmark in parts and highlight and highlight[0] in parts:
        for end, away in ((0, 0.16), (-1, -0.16)):
            a, b = (parts[k].iloc[end] for k in (highlight[0], benchmark))
            x = a["p"] + away
            ax.annotate(
                "",
                (x, a["value"]),
                (x, b["value"]),
                arrowprops=dict(
                    arrowstyle="<->", color=look.INK, linewidth=canvas.pt(1.2), shrinkA=3, shrinkB=3
                ),
            )
            at, y = canvas.px(ax, x, (a["value"] + b["value"]) / 2)
            canvas.text(
                at + 60 * away,
                y,
                f"差{gap(abs(b['value'] - a['value']))}",
                13,
                look.INK,
                bold=0.6,
                ha="left" if away > 0 else "right",
                bbox=dict(facecolor="white", edgecolor="none", pad=1),
            )
    bold = [told[s] for s in highlight if s in told] + (
        [told[benchmark]] if benchmark in told else []
    )
    end_labels(canvas, ax, ends, max(float(d["p"].iloc[-1]) for d in parts.values()), bold=bold)
    if np.isfinite(target):
        reference(canvas, ax, target, target_words, size=13)
    return canvas.figure


def multiples(
    data: pd.DataFrame,
    caption: Caption,
    names: Mapping[str, str],
    *,
    quantiles: pd.DataFrame | None = None,
    ruler: pd.DataFrame | None = None,
    facts: pd.DataFrame | None = None,
    size: str = "",
) -> Figure:
    """One small panel a region, same scale: the lead over the seasonal pace (0 ends at the target), with its fan.

    Parameters
    ----------
    data : `region`, `month`, `value`. quantiles : `region`, `level`, `value` of the lead at the year end.
    ruler : `month`, `value` of 序时进度 against the season. facts : index region; `light`, `chance`, `now`, `ahead`
        (texts).
    """
    regions = [r for r in look.parks() if r in set(data["region"])] + sorted(
        set(data["region"]) - set(look.parks())
    )
    canvas = Canvas(caption, size)
    across = 3
    down = -(-len(regions) // across)
    gap = 36
    wide = (canvas.right - canvas.left + gap) / across - gap
    high = (canvas.bottom + 16 - canvas.top) / max(down, 1)
    values = [data["value"].to_numpy(float)]
    if quantiles is not None and len(quantiles):
        values.append(
            quantiles.loc[quantiles["level"].between(0.02, 0.98), "value"].to_numpy(float)
        )
    if ruler is not None:
        values.append(ruler["value"].to_numpy(float))
    values = np.concatenate(values)
    low, top = min(np.nanmin(values), 0), max(np.nanmax(values), 0)
    room = max(top - low, 1e-9)
    low, top = low - 0.04 * room, top + 0.04 * room
    for i, region in enumerate(regions):
        style = look.parks().get(region, PLAIN)
        x, y = canvas.left + (wide + gap) * (i % across), canvas.top + high * (i // across)
        canvas.dot(x + 9, y + 6, style.marker, style.size, style.colour, style.colour)
        canvas.text(x + 28, y + 6, names.get(region, region), 15, style.text, bold=0.6)
        told = facts.loc[region] if facts is not None and region in facts.index else None
        if told is not None:
            word = f" {told['chance']}"
            light(
                canvas,
                x + wide - 24 - measured(told["light"] + word, 13),
                y + 6,
                told["light"],
                tail=word,
            )
        foot = 62 if told is not None else 0
        ax = canvas.axes(x + 56, y + 32, x + wide, y + high - 44 - foot)
        for other in regions:
            if other != region:
                o = data[data["region"] == other].sort_values("month")
                ax.plot(o["month"], o["value"], color=look.OTHER, linewidth=canvas.pt(1.2))
        if ruler is not None:
            ax.plot(
                ruler["month"],
                ruler["value"],
                color=look.BENCHMARK,
                linewidth=canvas.pt(1.4),
                dashes=(5, 3),
            )
        d = data[data["region"] == region].sort_values("month")
        ax.axhline(0, color=look.INK, linewidth=canvas.pt(1.4))
        last, now = float(d["month"].iloc[-1]), float(d["value"].iloc[-1])
        own = quantiles[quantiles["region"] == region] if quantiles is not None else pd.DataFrame()
        if len(own) and last < 12:
            q = quantile(own.set_index("level")["value"].sort_index())
            m = np.array([last, 12.0])
            fan(
                ax,
                m,
                now,
                np.array([0.0, 1.0]),
                q,
                [mixed(style.colour, p) for p in (0.18, 0.38, 0.66)],
            )
            ax.plot(m, [now, q(0.5)], color=look.INK, linewidth=canvas.pt(2), linestyle=DOTS)
        ax.plot(d["month"], d["value"], color=style.colour, linewidth=canvas.pt(3.2))
        ax.plot(
            [last],
            [now],
            marker=style.marker,
            markersize=canvas.pt(style.size),
            color=style.colour,
            markeredgecolor="white",
            zorder=4,
        )
        ax.set_xlim(0.7, 12.2)
        ax.set_ylim(low, top)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        ticks(ax, signed(plain), n=4)
        if told is not None:
            canvas.text(x, y + high - 57, told["now"], 12, look.INK, fit=wide)
            canvas.text(x, y + high - 33, told["ahead"], 12, look.SECOND, fit=wide)
    return canvas.figure


def columns(
    months: pd.DataFrame,
    caption: Caption,
    *,
    names: tuple[str, str] = ("今年", "上年"),
    size: str = "",
) -> Figure:
    """Months as columns, last year's broad and pale behind them.

    Parameters
    ----------
    months : `month`, `value`, `before` (NaN where unknown).
    """
    canvas = Canvas(caption, size)
    ax = canvas.axes(canvas.left + 64, canvas.top + 20, canvas.right, canvas.bottom)
    ax.bar(months["month"], months["before"], width=0.8, color="#D5DCE4")
    ax.bar(months["month"], months["value"], width=0.46, color=look.NAVY)
    high = float(np.nanmax(months[["value", "before"]].to_numpy(float), initial=0)) or 1.0
    ax.set_xlim(0.4, 12.6)
    ax.set_ylim(0, high * 1.1)
    wide = canvas.px(ax, 1, 0)[0] - canvas.px(ax, 0, 0)[0]
    for r in months.itertuples():
        if np.isfinite(r.value):
            x, y = canvas.px(ax, r.month, np.nanmax([r.value, r.before]))
            canvas.text(
                x, y - 14, plain(r.value), 12, look.NAVY, ha="center", fit=wide + 4, bold=0.4
            )
    month_ticks(ax)
    ticks(ax)
    ax.axhline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    key(canvas, [(f"box:{look.NAVY}", names[0]), ("box:#D5DCE4", names[1])], x=canvas.left + 64)
    return canvas.figure


def stacked(
    counts: pd.DataFrame,
    caption: Caption,
    *,
    kinds: Mapping[str, tuple[str, str, str]],
    unit: str = "",
    size: str = "",
) -> Figure:
    """How many of each kind month by month, as columns that stand on each other; named beside the last column.

    Parameters
    ----------
    counts : `month`, `kind`, `value`. kinds : kind → (fill, letters on it, letters on white), from the bottom up.
    """
    canvas = Canvas(caption, size)
    wide = counts.pivot_table(
        index="month", columns="kind", values="value", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(columns=list(kinds), fill_value=0).sort_index()
    told = {k: f"{k} {plain(wide[k].iloc[-1])}{unit}" for k in kinds}
    ax = canvas.axes(
        canvas.left,
        canvas.top + 10,
        canvas.right - end_room(list(told.values()), 14),
        canvas.bottom,
    )
    places, base = np.arange(len(wide)), np.zeros(len(wide))
    high = float(wide.sum(axis=1).max()) or 1.0
    ax.set_xlim(-0.5, len(wide) - 0.5)
    ax.set_ylim(0, high * 1.02)
    tall = canvas.px(ax, 0, 0)[1] - canvas.px(ax, 0, 1)[1]  # px of one
    names = []
    for kind, (fill, ink, shade) in kinds.items():
        v = wide[kind].to_numpy(float)
        ax.bar(
            places,
            v,
            bottom=base,
            width=0.72,
            color=fill,
            edgecolor="white",
            linewidth=canvas.pt(1.2),
        )
        for x, n, b in zip(places, v, base, strict=True):
            if n * tall > 24:
                canvas.text(
                    *canvas.px(ax, x, b + n / 2), plain(n), 12.5, ink, ha="center", gid=STACKED
                )
        if v[-1]:
            names.append((float(base[-1] + v[-1] / 2), told[kind], shade))
        base = base + v
    ax.set_xticks(places, [f"{m}月" for m in wide.index])
    ax.set_yticks([])
    ax.axhline(0, color=look.AXIS, linewidth=canvas.pt(1.2))
    end_labels(canvas, ax, names, len(wide) - 0.62, size=14)
    return canvas.figure
