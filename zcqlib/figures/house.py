"""House charts and labels on matplotlib's own axes: rows of bars, dots and ranges; names at the end of lines.

All of them print facts of a finding only, each text with the keys of its facts, so that it can be held against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from zcqlib import quantity
from zcqlib.figures import theme as look
from zcqlib.figures.readback import Marks, series_of

LEADER = dict(arrowstyle="-", color=look.AXIS, lw=0.8, shrinkA=0, shrinkB=3, relpos=(0, 0.5))
YEARS = 1950, 2100  # an axis that holds nothing else counts years
HATCHED = dict(facecolor="white", hatch="////")


def mixed(colour: str, part: float) -> tuple[float, ...]:
    """A colour on white."""
    return tuple(1 - part * (1 - c) for c in to_rgb(colour))


class EndLabel(Annotation):
    """The name at the end of a line, which `finish` moves off its neighbours."""


def palette() -> dict[str, str]:
    """Colour of each park and the zone, by id and by Chinese name: seaborn's `palette`."""
    out = {r: style.colour for r, style in look.parks().items()}
    return out | {name: out[r] for name, r in look.named().items()}


def _scale(ax) -> float:
    return ax.get_figure(root=True).scale


def note(ax, words, xy, offset=(0, 0), strong=False, kind=Annotation, size=13.0, **more):
    """Words at a place of the data, moved by points; they may stand outside the axes, which keep room for them. A light
    has its own colour."""
    k, lights = _scale(ax), {r.mark: f"#{r.text}" for r in quantity.lights().rows if r.mark}
    given = dict(xytext=[k * v for v in offset], textcoords="offset points", va="center")
    given |= dict(annotation_clip=False, clip_on=False, fontsize=k * size)
    given |= dict(color=lights.get(words[:1], look.INK)) | more
    text = kind(words, xy, **given)
    ax.add_artist(text)
    if strong:
        text.set_path_effects(look.stroke(text.get_color(), 0.6 * k))
    return text


def ends(
    ax, found, column: str, names: Mapping[str, str] | None = None, only: Sequence = ()
) -> None:
    """Name each line at its end, with its last value as printed; the legend goes.

    Parameters
    ----------
    names : label of a row → shorter name. only : labels whose number is printed, else all.
    """
    named, styles = series_of(ax, found), {s.colour: s for s in look.parks().values()}
    for line, (rows, colour) in named.items():
        last = rows.dropna(subset=column).iloc[-1]
        style = styles.get(colour, look.PLAIN)
        if colour in styles:
            line.set(marker=style.marker, markeredgecolor="white")
        words, told = (names or {}).get(last.label, last.label), not only or last.label in only
        given = dict(gid=found.key(last.name, column)) if told else {}
        shade = look.SHADES.get(colour, look.ZONE.text if style is look.ZONE else style.text)
        shade = look.BENCHMARK if colour == look.BENCHMARK else shade
        words += f" {found.shown(last.name, column)}" if told else ""
        plain = colour == look.OTHER
        line.set_linewidth(line.get_linewidth() * (0.5 if plain else 1))
        xy = line.get_xydata()[np.isfinite(line.get_ydata())][-1]
        note(ax, words, xy, (14, 0), not plain, EndLabel, color=shade, arrowprops=LEADER, **given)
    ax.grid(False, axis="x")
    if ax.get_legend():
        ax.get_legend().remove()


def aim(ax, found, fact: tuple[str, str], words: str, axis: str = "y") -> None:
    """A line of ink across the chart at a fact, if there is one, its words and printed value at the line's start."""
    if fact[0] not in found.rows.index or np.isnan(found.rows.at[fact]):
        return
    value, printed = found.rows.at[fact], found.shown(*fact)
    line = ax.axhline if axis == "y" else ax.axvline
    line(value, color=look.INK, lw=1.8 * _scale(ax), gid=look.REFERENCE)
    across = {"y": ("axes fraction", "data"), "x": ("data", "axes fraction")}[axis]
    xy, far = ((0, value), (0, 10)) if axis == "y" else ((value, 1), (0, 8))
    given = dict(xycoords=across, gid=found.key(*fact), ha="left" if axis == "y" else "center")
    note(ax, words + printed, xy, far, True, **given)


def _letters(ax) -> float:
    """Size of words in a chart of rows, which stand the closer the more there are."""
    return min(13.0, max(look.LEAST, 300 / abs(np.diff(ax.get_ylim())[0])))


def _beside(ax, cells: Sequence[tuple[float, str, str]], head: str = "", words=False) -> None:
    """A column at the right of a chart of rows, beyond those that stand there; cells are y, text, facts. Words begin
    together, numbers end together."""
    k, size = _scale(ax), _letters(ax)
    reach = lambda t: t.xyann[0] / k + (t.get_ha() == "left") * _wide(t.get_text(), size)  # noqa: E731
    stand = [reach(t) for t in ax.texts if isinstance(t, Annotation) and t.xy[0] == 1]
    start = max(stand, default=-8) + 16
    wide = max(_wide(t, size) for t in (head, *(c[1] for c in cells)))
    ha, at = ("left", start) if words else ("right", start + wide)
    for y, text, gid in cells:
        given = dict(xycoords=("axes fraction", "data"), ha=ha)
        note(ax, text, (1, y), (at, 0), gid=gid, size=size, **given)
    if head:
        note(ax, head, (1, 1), (at, 12), xycoords="axes fraction", ha=ha, size=min(size, 12))


def _wide(words: str, size: float) -> float:
    return look.measured(words, size) * look.POINT


def table(ax, found, *columns: str, headed: bool = True) -> None:
    """Printed values of measures in columns at the right of a chart of rows, under their heads."""
    rows = Marks(ax, found).rows
    for c in columns:
        m, cells = found.measures[c], [(y, found.shown(r, c), found.key(r, c)) for y, r in rows]
        _beside(ax, cells, m.head * headed, m.words)


def bars(
    axes: Iterable,
    found,
    rows: Sequence[str],
    columns: Sequence[str],
    signed: bool = False,
    title: str = "",
) -> None:
    """Rows of bars, one panel a measure, each on a scale of its own; aims as ticks, numbers in a column.

    Parameters
    ----------
    axes : as many as columns, with a shared y axis. signed : green and hatched red by sign instead of park colours.
    title : in place of the measure's head, such as the park whose rows these are.
    """
    t, colours = found.rows.loc[list(rows)], palette()
    region = t.get("region", t["label"])
    colours = colours if region.nunique() > 1 else {}
    fills = region.map(lambda r: colours.get(r, look.TO_DATE))
    # a line above the whole, not among its rows
    zone = t["label"].eq("合计") | region.eq("zone")
    ruled = zone.iloc[-1:].any() and zone.sum() == 1 < len(t)
    for ax, ids in zip(axes, columns, strict=True):
        k, id = _scale(ax), ids.rpartition("+")[2]
        own = found.measures[id]
        if signed:
            fills = t[id].gt(0).map({True: look.RISE, False: look.FALL})
        drawn = ax.barh(t["label"], t[id], 0.5, color=fills, edgecolor=fills, linewidth=0)
        for bar in (bar for bar in drawn if bar.get_width() < 0):
            bar.set(**HATCHED, linewidth=1.4 * k)
        aims = t[own.aim] if isinstance(own.aim, str) else np.full(len(t), own.aim)
        for y, at in enumerate(np.where(t[id].notna(), aims, np.nan)):
            ax.plot([at] * 2, [y - 0.34, y + 0.34], color=look.INK, lw=2.4 * k, gid="tick")
        ax.axvline(0, color=look.AXIS, lw=1.2 * k)
        ax.set(xlabel=id, xticks=[], ylim=(len(t) - 0.4, -0.6), title=title or own.head)
        ax.grid(False)
        ax.spines["bottom"].set_visible(False)
        ax.margins(x=0.02)
        if ruled:
            ax.axhline(len(t) - 1.5, color=look.INK, lw=1.2 * k)
        table(ax, found, *ids.split("+"), headed=False)


def spans(
    ax,
    found,
    rows: Sequence[str],
    middle: str,
    low: str,
    high: str,
    bar: str = "",
    marks: Mapping[str, str] | None = None,
    groups: Sequence[str] = (),
    most: float = np.inf,
) -> None:
    """Estimates with intervals, a row each; all three numbers beside them where nothing else is drawn.

    Parameters
    ----------
    bar : a measure drawn as bars below. marks : other measures → marker ("|" a tick, others hollow). groups : of each
        row; one begins with a rule and its name. most : where the scale ends; what lies beyond is cut with an arrow.
    """
    t, k, y = found.rows.loc[list(rows)], _scale(ax), np.arange(len(rows))
    if bar:
        ax.barh(y, t[bar], 0.4, color=look.TO_DATE, label=bar)
    drawn = t[low].notna().to_numpy()
    looks = (look.NAVY, 2.2, 7) if bar else (look.TO_DATE, 5, 10)
    span = dict(gid=f"{low}+{high}", colors=looks[0], lw=looks[1] * k)
    ax.hlines(y[drawn], t[low][drawn], t[high][drawn], **span)
    dot = dict(ls="none", mew=1.8 * k, mfc="white", clip_on=np.isfinite(most))
    for id, marker in (marks or {}).items():
        ink = dict(ms=13 * k, mew=2.6 * k) if marker == "|" else dict(ms=8 * k)
        ax.plot(t[id], y, marker, mec=look.INK, label=id, **dot | ink)
    fill = "white" if bar else look.NAVY
    ax.plot(t[middle], y, "o", mec=look.NAVY, ms=looks[2] * k, label=middle, **dot | dict(mfc=fill))
    if np.isfinite(most):
        over = y[(t[high] > most).to_numpy()]
        cut = dict(color=look.NAVY, ms=7 * k, clip_on=False, gid=look.REFERENCE)
        ax.plot(np.full(len(over), most), over, ">", **cut)
        ax.set_xlim(0, most)
    ax.set(xlabel=middle, ylim=(len(t) - 0.4, -0.6))
    ax.set_yticks(y, t["label"], fontsize=_letters(ax) * k)
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    _grouped(ax, groups)
    if not (bar or marks):
        told = [
            f"{found.shown(r, middle)}（{found.shown(r, low)}–{found.shown(r, high)}）"
            for r in rows
        ]
        facts = ["+".join(found.key(r, c) for c in (middle, low, high)) for r in rows]
        _beside(ax, list(zip(y, told, facts, strict=True)))


TENS = "〇一二三四五六七八九十"


def bullets(ax, found) -> None:
    """Targets as `glance` has them: done as a share of the target, pace, year end with its interval, chance and light."""
    t = found.things
    groups = [TENS[int(g)] for g in t["group"]]
    year_end = "median_pct", "low_pct", "high_pct", "done_pct"
    spans(ax, found, t.index, *year_end, {"on_pace_pct": "|"}, groups, 130)
    ax.axvline(100, color=look.INK, lw=1.8 * _scale(ax), gid=look.REFERENCE)
    at = (0, 25, 50, 75, 100, 125)
    ax.set_xticks(at, [f"{v}＝目标" if v == 100 else v for v in at])
    table(ax, found, "promise", "done", "chance", "state")
    key(ax, found)


def _grouped(ax, groups: Sequence[str]) -> None:
    """A rule above the first row of each group, and its name at the very left."""
    wide = max((_wide(t.get_text(), _letters(ax)) for t in ax.get_yticklabels()), default=0.0)
    for y, (before, group) in enumerate(pairwise(("", *groups))):
        if group != before:
            ax.axhline(y - 0.5, color=look.OTHER, lw=0.9 * _scale(ax), zorder=0)
            given = dict(xycoords=("axes fraction", "data"), ha="right", color=look.SECOND)
            note(ax, group, (0, y), (-wide - 22, 0), size=_letters(ax), **given)


def places(axes: Mapping, found, rows: Sequence[str]) -> None:
    """Places now with their intervals, a row a park, and beside each its places in all periods.

    Parameters
    ----------
    axes : `now`, and one for each of `rows`. found : `ranks`.
    """
    t, periods = found.rows.loc[list(rows)], found.rows.sort_values("basis")["at"].unique()
    now, most = axes["now"], range(1, max(len(t), 2) + 1)
    for row, r in t.iterrows():
        style = look.parks().get(r["region"], look.PLAIN)
        ax, k, span = axes[row], _scale(now), dict(colors=style.colour, gid="best+worst")
        now.hlines(r["label"], r["best"], r["worst"], alpha=0.4, lw=5 * k, **span)
        now.plot(r["place"], r["label"], style.marker, color=style.colour, ms=10 * k)
        own = found.rows[found.rows["region"].eq(r["region"])].set_index("at").reindex(periods)
        ax.vlines(periods, own["best"], own["worst"], alpha=0.3, lw=7 * k, **span)
        ax.plot(periods, own["place"], style.marker, color=style.colour, ls="-", lw=2 * k)
        ax.set(ylabel="place", yticks=[1, most[-1]], ylim=(most[-1] + 0.6, 0.4))
        ax.tick_params(labelbottom=row == t.index[-1])
    now.set(xlabel="place", ylim=(len(t) - 0.4, -0.6))
    now.set_xticks(most, [f"第{i}位" for i in most])
    now.grid(axis="x")
    now.grid(False, axis="y")
    table(now, found, "placed", "span", "end_span")


def cells(ax, found, column: str, told: str = "", missing: str = "") -> None:
    """Print each cell of a heat map of one measure: rows by label at the left, columns by `at` above, or turned.

    Parameters
    ----------
    told : the measure that is printed, else that of the colours. missing : what cells say that have no row.
    """
    k, size, own = _scale(ax), _letters(ax), told or column
    ax.set(xlabel=column, ylabel="")
    ax.tick_params(labeltop=True, labelbottom=False, rotation=0)
    ax.tick_params(axis="y", labelsize=k * size)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    marks = Marks(ax, found)
    for mesh in (c for c in ax.collections if isinstance(c, QuadMesh)):
        grounds = mesh.to_rgba(mesh.get_array())
        for x, y in product(*marks.ticks):
            if row := marks.grid.get((x, y)):
                ink = _ink(grounds[int(y), int(x)])
                given = dict(ha="center", size=size, color=ink, gid=found.key(row, own))
                note(ax, found.shown(row, own), (x, y), **given)
            elif missing:
                lines = dict(fc="#F7F8F9", ec="#B4BDC7", hatch="///", lw=0, zorder=0)
                ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **lines))
                ground = dict(fc="white", ec="none", pad=1.5 * k)
                note(ax, missing, (x, y), ha="center", size=11, color=look.SECOND, bbox=ground)


def key(ax, found) -> None:
    """The key as one row above the chart; a measure is called by its head."""
    handles, labels = ax.get_legend_handles_labels()
    own = [i for i, n in enumerate(labels) if n in found.measures or n not in found.rows]
    handles, labels = [handles[i] for i in own], [labels[i] for i in own]
    if ax.get_legend():
        ax.get_legend().remove()
    words = [found.measures[n].head if n in found.measures else n for n in labels]
    row = dict(loc="outside upper left", ncols=len(words), columnspacing=2, borderaxespad=0.2)
    ax.figure.legend(handles, words, **row)


def finish(figure: Figure, found=None) -> None:
    """Lay the page out for good: names of lines move apart, what only says which measure an axis has goes."""
    own = found.measures if found is not None else {}
    for ax in figure.axes:
        both = ax.get_xlabel() in own and ax.get_ylabel() in own
        for axis in (ax.xaxis, ax.yaxis):
            id = axis.get_label_text()
            m = own.get(id)
            if m or found is not None and id in found.rows:
                axis.set_label_text(m.head if both else "")
            _numbers(axis, _factor(found, m) if m else 1)
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    for ax in figure.axes:
        _apart(ax, figure.dpi / 72)


def _apart(ax, pt: float) -> None:
    """The names at the ends of lines no longer lie on each other."""
    labels = ax.findobj(EndLabel)
    at = [ax.transData.transform(t.xy)[1] / pt for t in labels]
    gap = 1.45 * labels[0].get_fontsize() if labels else 0.0
    ends_ = ax.bbox.y0 / pt, ax.bbox.y1 / pt
    for label, y, to in zip(labels, at, look.spread(at, gap, *ends_), strict=True):
        label.set_position((label.get_position()[0], to - y))
        if label.arrow_patch:
            label.arrow_patch.set_visible(abs(to - y) > 4)


def _factor(found, measure) -> int:
    """What the ticks of a measure are divided by, that of its rows where it has no scale of its own."""
    own = [measure.scale] if measure.scale else found.rows["scale"]
    factors = {s.factor for s in own if isinstance(s, quantity.Scale)}
    return factors.pop() if len(factors) == 1 else 1


def _numbers(axis, factor: int) -> None:
    """Ticks in the unit that their measure is printed in, with thousands commas."""
    log = axis.get_scale() == "log"
    if log:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
    if log or type(axis.get_major_formatter()) is ScalarFormatter:
        low, high = sorted(axis.get_view_interval())
        form = "{:.10g}" if YEARS[0] < low and high < YEARS[1] else "{:,.10g}"
        show = lambda v, _: form.format(v / factor).replace("-", "\u2212")  # noqa: E731
        axis.set_major_formatter(FuncFormatter(show))
        if form == "{:.10g}":
            axis.set_major_locator(MaxNLocator(integer=True))


def values(ax, found, column: str, inside: bool = False) -> None:
    """The printed value above each bar of a measure that stands upright, or within those that have room."""
    bars_ = next(g for g in ax.containers if g.get_label() == column)
    least = 0.035 * np.ptp(ax.get_ylim()) if inside else -np.inf
    for (_, row), bar in zip(Marks(ax, found).rows, bars_, strict=True):
        high = bar.get_height()
        if np.isfinite(high) and high > least:
            at = bar.get_x() + bar.get_width() / 2, bar.get_y() + high * (0.5 if inside else 1)
            ink = _ink(bar.get_facecolor()) if inside else look.NAVY
            given = dict(ha="center", color=ink, gid=found.key(row, column))
            note(ax, found.shown(row, column), at, (0, 0 if inside else 9), **given)


def _ink(ground) -> str:
    """White on a dark ground."""
    return "white" if np.dot(ground[:3], (0.3, 0.6, 0.1)) < 0.58 else look.INK


FLOWS = ("recognised", "moved_in", "lapsed", "moved_out")


def stock(upper, lower, found) -> None:
    """A stock as steps over a year against its target, by batches and in equal steps, and below what came and went.

    Parameters
    ----------
    found : `enterprise_stock`: months `1月` to `12月`, `batch|n`, `all`.
    """
    t, k = found.things, _scale(upper)
    for id, colour, style, wide in (
        ("by_batches", look.SEASON_LINE, "-", 1.8),
        ("by_months", look.BENCHMARK, (0, (5, 3)), 1.6),
        ("stock", look.NAVY, "-", 3.4),
    ):
        where = "default" if id == "by_months" else "steps-mid"
        line = dict(color=colour, ls=style, lw=wide * k, marker="None", label=id)
        upper.plot(t["at"], t[id], drawstyle=where, **line)
    known = t.dropna(subset="stock")
    for row in known.index[known["stock"].diff().ne(0)]:
        ground = dict(fc="white", ec="none", pad=1.0)
        given = dict(ha="center", bbox=ground, gid=found.key(row, "stock"))
        at = t.at[row, "at"], t.at[row, "stock"]
        note(upper, found.shown(row, "stock"), at, (0, 13), True, **given)
    aim(upper, found, ("all", "stock_aim"), "目标")
    _year_end(upper, found)
    for r in found.rows[found.rows.index.str.startswith("batch|")].itertuples():
        for ax in (upper, lower):
            ax.axvline(r.at, color=look.AXIS, lw=1.2 * k, ls=(0, (2, 3)), zorder=0)
        across = dict(xycoords=("data", "axes fraction"), ha="center")
        note(upper, r.label, (r.at, 1), (0, 10), size=12, **across)
    _flows(lower, t)
    _sum(lower, found, f"{known['at'].max():.0f}月末")
    upper.margins(y=0.18)
    lower.set(xlim=(0.4, 13.1), yticks=[])
    lower.set_xticks(t["at"], t["label"])


def _year_end(ax, found) -> None:
    """The projected end of the year as an interval behind December."""
    low, middle, high = (found.rows.at["all", f"year_end{c}"] for c in ("_low", "", "_high"))
    if np.isfinite(middle):
        k = _scale(ax)
        ax.vlines(12.8, low, high, color=look.FAN[2], lw=12 * k)
        ax.plot([12.6, 13], [middle] * 2, color=look.NAVY, lw=3 * k, gid=look.REFERENCE)
        for id, words, y in (
            ("year_end_high", "上限", high),
            ("year_end", "年末预计", middle),
            ("year_end_low", "下限", low),
        ):
            gid = found.key("all", id)
            told = words + found.shown("all", id)
            note(ax, told, (13.1, y), (8, 0), id == "year_end", EndLabel, gid=gid)


def _flows(ax, t) -> None:
    """What came stands above zero, what went hangs below it, hatched."""
    looks = dict(zip(FLOWS, (look.TO_DATE, look.NAVY, look.BENCHMARK, look.OTHER), strict=True))
    up, down = 0.0, 0.0
    for id, colour in looks.items():
        v = t[id].fillna(0)
        base = np.where(v < 0, down, up)
        up, down = up + v.clip(lower=0), down + v.clip(upper=0)
        own = v.ne(0)
        if own.any():
            about = dict(color=colour, edgecolor=colour, label=id)
            drawn = ax.bar(t["at"][own], v[own], 0.55, base[own], **about)
            for bar in (b for b in drawn if b.get_height() < 0):
                bar.set(**HATCHED, linewidth=1.2 * _scale(ax))
    ax.axhline(0, color=look.AXIS, lw=1.2 * _scale(ax))


def _sum(ax, found, last: str) -> None:
    """Opening stock, flows and closing stock, written out as a sum beside the flows."""
    whole = found.rows.loc["all"]
    ids = [c for c in ("opening", *FLOWS, "unexplained", "stock") if np.isfinite(whole[c])]
    listed(ax, found, "all", ids, heads={"stock": last})


def listed(ax, found, row: str, columns: Sequence[str], heads: Mapping[str, str], top=1.0) -> None:
    """Some facts of a row as a list at the right of the axes, from `top` down to their foot; the last one strong.

    Parameters
    ----------
    heads : column → other words than the head of its measure.
    """
    told = [heads.get(c, found.measures[c].head) for c in columns]
    wide = max(map(lambda t: _wide(t, 13), told)) + 24
    wide += max(_wide(found.shown(row, c), 13) for c in columns)
    for i, (c, head) in enumerate(zip(columns, told, strict=True)):
        at, strong = (1, top * (1 - i / max(len(columns) - 1, 1))), c == columns[-1]
        note(ax, head, at, (14, 0), strong, xycoords="axes fraction")
        given = dict(xycoords="axes fraction", ha="right", gid=found.key(row, c))
        note(ax, found.shown(row, c), at, (14 + wide, 0), strong, **given)


DOTTED, DASHED = (0, (1.2, 1.6)), (0, (5, 3))


def fan(ax, t, of: str = "", colour: str = "") -> None:
    """Bands of 95, 80 and 50 % to the year end and its middle, from columns of `course` or, `of` it, of `lead`."""
    for level, shade, part in zip((95, 80, 50), look.FAN, (0.18, 0.38, 0.66), strict=True):
        ids = [f"{side}{level}{of}" for side in ("low", "high")]
        fill = dict(color=mixed(colour, part) if colour else shade, lw=0, gid="+".join(ids))
        known = t.dropna(subset=ids)
        ax.fill_between(known["at"].astype(float), *(known[c] for c in ids), **fill)
    line = dict(color=look.NAVY, ls=DOTTED, lw=2.2 * _scale(ax), label=f"middle{of}")
    ax.plot(t["at"], t[f"middle{of}"], **line)


def course(year, end, found) -> None:
    """A target's year: months to date against paces and target, the fan, and the year end once more, enlarged.

    Parameters
    ----------
    year, end : axes side by side. found : `course`.
    """
    t, k = found.things.dropna(subset="at"), _scale(year)
    row = t.index[0].rpartition("|")[0]
    band = t.dropna(subset=["least", "most"])
    fill = dict(color=look.SEASON_BAND, lw=0, gid="least+most")
    year.fill_between(band["at"].astype(float), band["least"], band["most"], **fill)
    fan(year, t)
    for id, colour, style, wide in (
        ("seasonal", look.SEASON_LINE, "-", 1.8),
        ("straight", look.BENCHMARK, DASHED, 1.6),
        ("so_far", look.NAVY, "-", 3.4),
    ):
        line = dict(color=colour, ls=style, lw=wide * k, ms=7 * k, label=id)
        year.plot(t["at"], t[id], marker="o" if id == "so_far" else None, **line)
    aim(year, found, (row, "target"), "全年目标")
    year.set_xticks(t["at"], t["label"])
    year.set(xlim=(0.6, 12.3), ylim=(min(0, year.get_ylim()[0]), None), ylabel="so_far")
    key(year, found)
    _ends_as_dots(end, found, t.iloc[-1])
    _told(end, found, row)


def _ends_as_dots(ax, found, last) -> None:
    """The bands of December side by side with twenty dots of five per cent each, filled where the target is met."""
    k, t = _scale(ax), found.rows
    ax.set(xticks=[], xlim=(-1, 7), ylabel="ending")
    if np.isnan(last["middle"]):
        return
    for level, shade in zip((95, 80, 50), look.FAN, strict=True):
        ids = f"low{level}", f"high{level}"
        ax.vlines(0, *(last[c] for c in ids), colors=shade, lw=30 * k, gid="+".join(ids))
    ax.plot([0], [last["middle"]], "_", color=look.NAVY, ms=28 * k, mew=3 * k, label="middle")
    ends_, met = t["ending"].dropna(), t["target"].max()
    step = max((ends_.max() - ends_.min()) / 15, 1e-9)
    beside = ends_.groupby((ends_ - (0 if np.isnan(met) else met)) // step).cumcount()
    for fill, own in ((look.NAVY, ends_ >= met), ("white", ~(ends_ >= met))):
        dot = dict(mfc=fill, mec=look.NAVY, mew=1.2 * k, ms=8 * k, label="ending")
        ax.plot(1.8 + 0.95 * beside[own], ends_[own], "o", **dot)
    if np.isfinite(met):
        ax.axhline(met, color=look.INK, lw=1.8 * k, gid=look.REFERENCE)


def _told(ax, found, row: str) -> None:
    """The chance large, and below it what the target's row says."""
    if row not in found.rows.index:
        return
    at, light = dict(xycoords="axes fraction"), found.shown(row, "state")
    if found.shown(row, "chance") != quantity.NONE:
        given = dict(size=30, gid=found.key(row, "chance"), color=look.NAVY)
        note(ax, found.shown(row, "chance"), (1, 0.96), (14, 0), True, **at, **given)
        note(ax, light, (1, 0.86), (14, 0), **at)
        note(ax, "完成把握", (1, 0.86), (24 + _wide(light, 13), 0), **at)
    ids = ["target", "due", "on_pace", "done", "done_pct", "low", "high", "median"]
    listed(ax, found, row, [c for c in ids if np.isfinite(found.rows.at[row, c])], {}, 0.74)


def lead(axes: Mapping, found) -> None:
    """A panel for each region, on one scale: its lead over the seasonal pace, where 0 ends at the target.

    Parameters
    ----------
    axes : region → axes. found : `lead`.
    """
    of, style = "_lead", look.parks()
    t = found.things.dropna(subset="at")
    for region, ax in axes.items():
        k, own = _scale(ax), t[t["region"].eq(region)]
        row = own.index[0].rpartition("|")[0]
        colour = style.get(region, look.PLAIN)
        ax.set_title(own["label"].iloc[0], color=colour.text)
        for _, other in t[t["region"].ne(region)].groupby("region", sort=False):
            line = dict(color=look.OTHER, lw=1.2 * k, label=other["label"].iloc[0])
            ax.plot(other["at"], other["so_far" + of], **line)
        ax.plot(
            own["at"],
            own["straight" + of],
            color=look.BENCHMARK,
            ls=DASHED,
            lw=1.4 * k,
            label="straight" + of,
        )
        fan(ax, own, of, colour.colour)
        line = dict(color=colour.colour, lw=3.2 * k, label="so_far" + of, marker=colour.marker)
        ax.plot(own["at"], own["so_far" + of], markevery=[-1], mec="white", **line)
        ax.axhline(0, color=look.INK, lw=1.4 * k)
        ax.set(ylabel="so_far" + of)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        parts = ("state", "chance"), ("done", "promise", "median")
        for ids, at, ha in zip(parts, ((1, 1), (0, 0)), ("right", "left"), strict=True):
            words = [found.shown(row, c) for c in ids]
            if ids[0] == "done":
                words = [f"{found.measures[c].head}{w}" for c, w in zip(ids, words, strict=True)]
            gid = "+".join(found.key(row, c) for c in ids)
            far = (0, 16) if ha == "right" else (0, -46)
            given = dict(xycoords="axes fraction", ha=ha, size=12, gid=gid)
            told = "　".join(words[:2]) + "".join(f"\n{w}" for w in words[2:])
            note(ax, told, at, far, **given)


def waterfall(ax, found) -> None:
    """From last month's chance to this month's: levels as dots, parts as bars between them, causes below the names.

    Parameters
    ----------
    found : `why` of one target.
    """
    t, k, y = found.rows, _scale(ax), np.arange(len(found.rows))
    after = (t["said"].iloc[0] + t["said_points"].fillna(0).cumsum()).to_numpy()
    drawn = ax.barh(y, t["said_points"], 0.46, after - t["said_points"], label="said_points")
    for bar, step in zip(drawn, t["said_points"], strict=True):
        fill = look.RISE if step > 0 else look.FALL if step else look.INK
        bar.set(facecolor=fill, edgecolor=fill, lw=0 if step else 3 * k)
        if step < 0:
            bar.set(**HATCHED, lw=1.6 * k)
    ax.plot(t["said"], y, "o", color=look.NAVY, ms=14 * k, label="said")
    for row, at in zip(y, after[:-1], strict=False):
        ax.plot([at, at], [row, row + 1], color=look.SECOND, lw=k, gid=look.REFERENCE, zorder=0)
    low, high = min(after, default=0), max(after, default=100)
    room = max(0.15 * (high - low), (10 - (high - low)) / 2)
    limits = max(low - room, -2), min(high + room, 102)
    ax.set(ylim=(len(t) - 0.4, -0.6), xlim=limits, xlabel="said")
    ax.set_xticks([v for v in ax.get_xticks() if max(0, limits[0]) <= v <= min(100, limits[1])])
    ax.set_yticks(y, t["label"])
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    for at, row in zip(y, t.index, strict=True):
        given = dict(xycoords=("axes fraction", "data"), ha="right", size=11.5, color=look.SECOND)
        note(
            ax, found.shown(row, "cause"), (0, at), (-6, -17), gid=found.key(row, "cause"), **given
        )
    for ids in (("said", "said_points"), ("ahead", "ahead_points")):
        shown = [(r, next((c for c in ids if t.at[r, c] == t.at[r, c]), ids[0])) for r in t.index]
        told = [(at, found.shown(*f), found.key(*f)) for at, f in zip(y, shown, strict=True)]
        _beside(ax, told, found.measures[ids[0]].head)


def calibration(ax, found, whose: str) -> None:
    """How often what was called p per cent came true, its cases beside it, against luck and a rival that is sure.

    Parameters
    ----------
    found : `record_of` `whose` series.
    """
    k, t, all_ = _scale(ax), found.things, f"{whose}|all"
    said, sure = (t[t.index.str.startswith(f"{whose}|{kind}")] for kind in ("said", "sure"))
    ax.axline((0, 0), slope=1, color=look.AXIS, lw=1.6 * k)
    luck = dict(colors=look.FAN[1], lw=9 * k, gid="by_luck+by_luck_high", label="抽样误差范围")
    ax.vlines(said["claimed"], said["by_luck"], said["by_luck_high"], **luck)
    area = k * k * np.clip(900 * said["cases"] / max(said["cases"].sum(), 1), 70, 420)
    dots = dict(color=look.NAVY, ec="white", lw=k, zorder=3, label="我们")
    ax.scatter(said["claimed"], said["came_true"], s=area, **dots)
    rival = dict(marker="s", fc="white", ec=look.SEASON_LINE, lw=2 * k, zorder=4, clip_on=False)
    ax.scatter(
        sure["claimed"], sure["came_true"], s=81 * k * k, label="序时进度（只说能或不能）", **rival
    )
    for row in said.itertuples():
        ha, far = ("right", (-14, 8)) if row.claimed > 90 else ("left", (9, -9))
        given = dict(size=11, color=look.SECOND, gid=found.key(row.Index, "cases"), ha=ha)
        note(ax, found.shown(row.Index, "cases"), (row.claimed, row.came_true), far, **given)
    marks = dict(xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    ax.set(xlabel="claimed", ylabel="came_true", xlim=(-3, 103), ylim=(-3, 103), **marks)
    ax.grid(True, axis="both")
    key(ax, found)
    at = dict(xycoords="axes fraction")
    big = dict(size=34, color=look.NAVY, gid=found.key(all_, "share"))
    note(ax, found.shown(all_, "share"), (1, 0.9), (14, 0), True, **at, **big)
    note(ax, found.measures["share"].head, (1, 0.79), (14, 0), **at)
    listed(ax, found, all_, ["calls", "seven", "seven_came", "cov80", "cov95"], {}, 0.62)
