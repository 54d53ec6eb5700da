"""House charts and labels on matplotlib's own axes: rows of bars, dots and ranges; names at the end of lines.

All of them print facts of a finding only, each text with the keys of its facts, so that it can be held against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

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
from zcqlib.figures.theme import (
    AXIS,
    FALL,
    FAN,
    INK,
    NAVY,
    OTHER,
    PLAIN,
    REFERENCE,
    RISE,
    TO_DATE,
    parks,
)

LEADER = dict(arrowstyle="-", color=AXIS, lw=0.8, shrinkA=0, shrinkB=3, relpos=(0, 0.5))
YEARS = 1950, 2100  # an axis that holds nothing else counts years
# how lines, marks and words are drawn, by measure or by what they mean: colours of the theme, sizes in pt, dashes
_PENS = """
so_far color NAVY lw 3.4 ls -
stock color NAVY lw 3.4 ls - drawstyle steps-mid marker None
seasonal color SEASON_LINE lw 1.8 ls -
by_batches color SEASON_LINE lw 1.8 ls - drawstyle steps-mid marker None
straight color BENCHMARK lw 1.6 ls 5,3
by_months color BENCHMARK lw 1.6 ls 5,3 marker None
middle color NAVY lw 2.2 ls 1.2,1.6
target color INK lw 1.8 ls -
tick color INK lw 2.4 ls - capstyle round
zero color AXIS lw 1.2 ls -
batch color AXIS lw 1.2 ls 2,3 zorder 0
other color OTHER lw 1.2 ls -
rule color OTHER lw 1.2 ls - zorder 0
step color SECOND lw 1 ls - zorder 0
sure color AXIS lw 1.6
hatched facecolor white hatch //// linewidth 1.4
span color TO_DATE lw 5
span_on_bar color NAVY lw 2.2
dot mec NAVY ms 10 mfc NAVY
dot_on_bar mec NAVY ms 7 mfc white
mark mec INK ms 8 mew 1.8
mark| mec INK ms 13 mew 2.6
beyond color NAVY ms 7
place ms 10
places ls - lw 2
span_now alpha 0.4 lw 5
spans alpha 0.3 lw 7
missing fc #F7F8F9 ec #B4BDC7 hatch /// lw 0 zorder 0
said_missing ha center size 11 color SECOND
line_end offset 14,0
aim offset 0,10 strong 1 xycoords ROW
inside ha center
above ha center offset 0,9
step_up ha center offset 0,13 strong 1
year_end_said offset 8,0
batches ha center size 12 offset 0,10 xycoords COLUMN
listed offset 14,0 xycoords PAGE
group ha right color SECOND xycoords ROW
cause ha right size 11.5 color SECOND offset -6,-17 xycoords ROW
cases size 11 color SECOND
corner size 12 ha right offset 0,16 xycoords PAGE
below size 12 offset 0,-46 xycoords PAGE
big strong 1 size 32 color NAVY offset 14,0 xycoords PAGE
year_end lw 12
at_year_end color NAVY lw 3
months marker o ms 7
ending ec NAVY lw 1.2 s 64
said color NAVY ms 14
luck lw 9
came_true color NAVY ec white lw 1 zorder 3 s 160
rival marker s fc white ec SEASON_LINE lw 2 zorder 4 s 81
"""
PENS = {name: own for name, *own in map(str.split, _PENS.strip().split("\n"))}


def pen(ax, name: str) -> dict:
    """How something is drawn on a page, whose letters may be smaller than a screen's."""
    own, k = PENS[name], _scale(ax)
    sized = dict.fromkeys(("lw", "linewidth", "ms", "mew"), k) | {"s": k * k}
    out = {}
    for what, word in zip(own[::2], own[1::2], strict=True):
        if "," in word:
            pair = tuple(map(float, word.split(",")))
            out[what] = (0, pair) if what == "ls" else pair
        elif word[0].isdigit():
            out[what] = float(word) * sized.get(what, 1)
        else:
            out[what] = getattr(look, word, word)
    return out


def line(ax, t, column: str, of: str = "", **more) -> None:
    """A measure over `at`, of several alike that `of` this kind."""
    ax.plot(t["at"], t[column + of], label=column + of, **pen(ax, column) | more)


class EndLabel(Annotation):
    """The name at the end of a line, which `finish` moves off its neighbours."""


def palette() -> dict[str, str]:
    """Colour of each park and the zone, by id and by Chinese name: seaborn's `palette`."""
    out = {r: style.colour for r, style in parks().items()}
    return out | {name: out[r] for name, r in look.named().items()}


def _scale(ax) -> float:
    return ax.get_figure(root=True).scale


def note(ax, words, xy, offset=(0, 0), strong=False, kind=Annotation, size=13.0, **more):
    """Words at a place of the data, moved by points; they may stand outside the axes, which keep room for them. A light
    has its own colour."""
    k, lights = _scale(ax), {r.mark: f"#{r.text}" for r in quantity.lights().rows if r.mark}
    given = dict(xytext=[k * v for v in offset], textcoords="offset points", va="center")
    given |= dict(annotation_clip=False, clip_on=False, fontsize=k * size)
    given |= dict(color=lights.get(words[:1], INK)) | more
    text = kind(words, xy, **given)
    ax.add_artist(text)
    if strong:
        text.set_path_effects(look.stroke(text.get_color(), 0.6 * k))


def _printed(found, row: str, columns: str, form: str = "{}") -> tuple[str, str]:
    """Facts of a row, joined with +, in a form of words; and their keys."""
    ids = columns.split("+")
    told = form.format(*(found.shown(row, c) for c in ids))
    return told, "+".join(found.key(row, c) for c in ids)


def fact(ax, found, row: str, columns: str, xy, how: str, form: str = "{}", **more):
    """A fact as printed, or several joined with +, in a form of words at a place, by the pen of that name."""
    words, gid = _printed(found, row, columns, form)
    note(ax, words, xy, gid=gid, **pen(ax, how) | more)


def ends(ax, found, column: str) -> None:
    """Name each line at its end, with its last value as printed; the legend goes."""
    styles = {s.colour: s for s in parks().values()}
    for line, (rows, colour) in series_of(ax, found).items():
        last, style = rows.dropna(subset=column).iloc[-1], styles.get(colour, PLAIN)
        if colour in styles:
            line.set(marker=style.marker, markeredgecolor="white")
        plain, shade = colour == OTHER, look.SHADES.get(colour, style.text)
        line.set_linewidth(line.get_linewidth() * (0.5 if plain else 1))
        xy = line.get_xydata()[np.isfinite(line.get_ydata())][-1]
        given = dict(strong=not plain, kind=EndLabel, color=shade, arrowprops=LEADER)
        fact(ax, found, last.name, column, xy, "line_end", f"{last.label} {{}}", **given)
    ax.grid(False, axis="x")
    if ax.get_legend():
        ax.get_legend().remove()


def aim(ax, found, row: str, column: str, words: str) -> None:
    """A line of ink across the chart at a fact, if there is one, its words and printed value at the line's start."""
    value = found.rows[column].get(row, np.nan)
    if np.isfinite(value):
        ax.axhline(value, **pen(ax, "target"))
        fact(ax, found, row, column, (0, value), "aim", words + "{}")


def _letters(ax) -> float:
    """Size of words in a chart of rows, which stand the closer the more there are."""
    return min(13.0, max(look.LEAST, 300 / abs(np.diff(ax.get_ylim())[0])))


def _beside(ax, found, cells: Iterable[tuple], head="", words=False, form="{}") -> None:
    """A column at the right of a chart of rows, beyond those that stand there; cells are y, row and columns of facts.
    Words begin together, numbers end together."""
    k, size = _scale(ax), _letters(ax)
    told = [(y, *_printed(found, row, columns, form)) for y, row, columns in cells]
    reach = lambda t: t.xyann[0] / k + (t.get_ha() == "left") * _wide(t.get_text(), size)  # noqa: E731
    stand = [reach(t) for t in ax.texts if isinstance(t, Annotation) and t.xy[0] == 1]
    start = max(stand, default=-8) + 16
    wide = max(_wide(t, size) for t in (head, *(c[1] for c in told)))
    ha, at = ("left", start) if words else ("right", start + wide)
    for y, text, gid in told:
        note(ax, text, (1, y), (at, 0), gid=gid, size=size, ha=ha, xycoords=look.ROW)
    if head:
        note(ax, head, (1, 1), (at, 12), ha=ha, size=min(size, 12), xycoords=look.PAGE)


def _wide(words: str, size: float) -> float:
    return look.measured(words, size) * look.POINT


def table(ax, found, *columns: str, headed: bool = True) -> None:
    """Printed values of measures in columns at the right of a chart of rows, under their heads."""
    rows = Marks(ax, found).rows
    for c in columns:
        m = found.measures[c]
        _beside(ax, found, [(y, r, c) for y, r in rows], m.head * headed, m.words)


def _rowed(ax, labels: Sequence[str], grid: str = "x") -> np.ndarray:
    """The names of rows at the left, the first above; their places."""
    y = np.arange(len(labels))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(y, labels, fontsize=_letters(ax) * _scale(ax))
    ax.grid(False)
    ax.grid(bool(grid), axis="x")
    return y


def _hatched(ax, bars: Iterable) -> None:
    """Bars of what is negative are hatched."""
    for bar in bars:
        if min(bar.get_width(), bar.get_height()) < 0:
            bar.set(**pen(ax, "hatched"))


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
    t = found.rows.loc[list(rows)]
    region = t.get("region", t["label"])
    colours = palette() if region.nunique() > 1 else {}
    fills = [colours.get(r, TO_DATE) for r in region]
    zone = t["label"].eq("合计") | region.eq("zone")
    for ax, ids in zip(axes, columns, strict=True):
        id, y = ids.rpartition("+")[2], _rowed(ax, t["label"], "")
        own = found.measures[id]
        if signed:
            fills = t[id].gt(0).map({True: RISE, False: FALL})
        _hatched(ax, ax.barh(y, t[id], 0.5, color=fills, edgecolor=fills, linewidth=0))
        named = isinstance(own.aim, str)
        aims = np.where(t[id].notna(), t[own.aim] if named else own.aim, np.nan)
        ax.vlines(aims, y - 0.34, y + 0.34, gid=str(own.aim) * named, **pen(ax, "tick"))
        ax.axvline(0, **pen(ax, "zero"))
        ax.set(xlabel=id, xticks=[], title=title or own.head)
        ax.spines["bottom"].set_visible(False)
        ax.margins(x=0.02)
        if list(np.flatnonzero(zone)) == [len(t) - 1] != [0]:
            # a line above the whole, not among its rows
            ax.axhline(len(t) - 1.5, **pen(ax, "target"))
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
    most: float = np.inf,
) -> None:
    """Estimates with intervals, a row each; all three numbers beside them where nothing else is drawn.

    Parameters
    ----------
    bar : a measure drawn as bars below. marks : other measures → marker ("|" a tick, others hollow). most : where the
        scale ends; what lies beyond is cut with an arrow.
    """
    t = found.rows.loc[list(rows)]
    y, cut, on = _rowed(ax, t["label"]), np.isfinite(most), "_on_bar" * bool(bar)
    if bar:
        ax.barh(y, t[bar], 0.4, color=TO_DATE, label=bar)
    ax.hlines(y, t[low], t[high], gid=f"{low}+{high}", **pen(ax, "span" + on))
    dot = pen(ax, "mark") | dict(ls="none", mfc="white", clip_on=cut)
    for id, marker in (marks or {}).items():
        own = pen(ax, "mark|") if marker == "|" else {}
        ax.plot(t[id], y, marker, label=id, **dot | own)
    ax.plot(t[middle], y, "o", label=middle, **dot | pen(ax, "dot" + on))
    if cut:
        over = y[(t[high] > most).to_numpy()]
        arrow = dict(clip_on=False, gid=REFERENCE) | pen(ax, "beyond")
        ax.plot(np.full(len(over), most), over, ">", **arrow)
        ax.set_xlim(0, most)
    ax.set_xlabel(middle)
    if not (bar or marks):
        three = f"{middle}+{low}+{high}"
        _beside(ax, found, [(at, row, three) for at, row in enumerate(rows)], form="{}（{}–{}）")


def bullets(ax, found) -> None:
    """Targets as `glance` has them: done as a share of the target, pace, year end with its interval, chance and light."""
    t = found.things
    year_end = "median_pct", "low_pct", "high_pct", "done_pct"
    spans(ax, found, t.index, *year_end, {"on_pace_pct": "|"}, 130)
    ax.axvline(100, **pen(ax, "target"))
    ax.set_xticks([0, 25, 50, 75, 100, 125], [0, 25, 50, 75, "100＝目标", 125])
    size, group = _letters(ax), t["group"]
    wide = max((_wide(label, size) for label in t["label"]), default=0.0)
    # a rule above the first row of each group, and its name at the very left
    for y in np.flatnonzero(group.ne(group.shift())):
        ax.axhline(y - 0.5, **pen(ax, "rule"))
        number = "〇一二三四五六七八九十"[int(group.iloc[y])]
        note(ax, number, (0, y), (-wide - 22, 0), size=size, **pen(ax, "group"))
    table(ax, found, "promise", "done", "chance", "state")
    key(ax, found)


def places(axes: Mapping, found, rows: Sequence[str]) -> None:
    """Places now with their intervals, a row a park, and beside each its places in all periods.

    Parameters
    ----------
    axes : `now`, and one for each of `rows`. found : `ranks`.
    """
    t, periods = found.rows.loc[list(rows)], found.rows.sort_values("basis")["at"].unique()
    now, most = axes["now"], range(1, max(len(t), 2) + 1)
    _rowed(now, t["label"])
    for y, (row, r) in enumerate(t.iterrows()):
        style = parks().get(r["region"], PLAIN)
        ax, ink, span = axes[row], dict(color=style.colour), dict(gid="best+worst")
        now.hlines(y, r["best"], r["worst"], **pen(now, "span_now") | span | ink)
        now.plot(r["place"], y, style.marker, **pen(now, "place") | ink)
        own = found.rows[found.rows["region"].eq(r["region"])].set_index("at").reindex(periods)
        ax.vlines(periods, own["best"], own["worst"], **pen(ax, "spans") | span | ink)
        ax.plot(periods, own["place"], style.marker, **pen(ax, "places") | ink)
        ax.set(ylabel="place", yticks=[1, most[-1]], ylim=(most[-1] + 0.6, 0.4))
        ax.tick_params(labelbottom=row == t.index[-1])
    now.set_xlabel("place")
    now.set_xticks(most, [f"第{i}位" for i in most])
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
            _, rows = marks.grid[x, y]
            if rows:
                ink = _ink(grounds[int(y), int(x)])
                fact(ax, found, rows[0], own, (x, y), "inside", size=size, color=ink)
            elif missing:
                ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **pen(ax, "missing")))
                ground = dict(fc="white", ec="none", pad=1.5 * k)
                note(ax, missing, (x, y), bbox=ground, **pen(ax, "said_missing"))


def key(ax, found) -> None:
    """The key as one row above the chart; a measure is called by its head."""
    known, drawn = found.measures, zip(*ax.get_legend_handles_labels(), strict=True)
    own = {n: handle for handle, n in drawn if n in known or n not in found.rows}
    if ax.get_legend():
        ax.get_legend().remove()
    words = [known[n].head if n in known else n for n in own]
    row = dict(loc="outside upper left", ncols=len(words), columnspacing=2, borderaxespad=0.2)
    ax.figure.legend(own.values(), words, **row)


def finish(figure: Figure, found=None) -> None:
    """Lay the page out for good: names of lines move apart, what only says which measure an axis has goes."""
    own, columns = ({}, ()) if found is None else (found.measures, found.rows)
    for ax in figure.axes:
        both = ax.get_xlabel() in own and ax.get_ylabel() in own
        for axis in (ax.xaxis, ax.yaxis):
            id, scales = axis.get_label_text(), ()
            if id in columns:
                axis.set_label_text(own[id].head if both else "")
            if id in own:
                scales = [own[id].scale] if own[id].scale else columns["scale"]
            known = (s for s in scales if isinstance(s, quantity.Scale))
            _numbers(axis, {s.factor for s in known if s.unit != "%"})  # shares stand as they are
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    for ax in figure.axes:
        _apart(ax, figure.dpi / 72)


def _apart(ax, pt: float) -> None:
    """The names at the ends of lines no longer lie on each other."""
    if labels := ax.findobj(EndLabel):
        at = [ax.transData.transform(t.xy)[1] / pt for t in labels]
        gap, ends_ = 1.45 * labels[0].get_fontsize(), (ax.bbox.y0 / pt, ax.bbox.y1 / pt)
        for label, y, to in zip(labels, at, look.spread(at, gap, *ends_), strict=True):
            label.set_position((label.get_position()[0], to - y))
            if label.arrow_patch:
                label.arrow_patch.set_visible(abs(to - y) > 4)


def _numbers(axis, factors: set[int]) -> None:
    """Ticks in the unit that their measure is printed in, if all its rows have one, with thousands commas."""
    low, high = sorted(axis.get_view_interval())
    log, years = axis.get_scale() == "log", YEARS[0] < low and high < YEARS[1]
    if log:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
    elif type(axis.get_major_formatter()) is not ScalarFormatter:
        return
    elif years:
        axis.set_major_locator(MaxNLocator(integer=True))
    shown = quantity.Scale("", factors.pop() if len(factors) == 1 else 1, 9).trimmed
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}" if years else shown(v)))


def values(ax, found, column: str, inside: bool = False) -> None:
    """The printed value above each bar of a measure that stands upright, or within those that have room."""
    bars_ = next(g for g in ax.containers if g.get_label() == column)
    least = 0.035 * np.ptp(ax.get_ylim()) if inside else -np.inf
    for (_, row), bar in zip(Marks(ax, found).rows, bars_, strict=True):
        high = bar.get_height()
        if np.isfinite(high) and high > least:
            at = bar.get_center() + (0, 0 if inside else high / 2)
            ink = _ink(bar.get_facecolor()) if inside else NAVY
            fact(ax, found, row, column, at, "inside" if inside else "above", color=ink)


def _ink(ground) -> str:
    """White on a dark ground."""
    return "white" if np.dot(ground[:3], (0.3, 0.6, 0.1)) < 0.58 else INK


FLOWS = "recognised moved_in lapsed moved_out"


def stock(upper, lower, found) -> None:
    """A stock as steps over a year against its target, by batches and in equal steps, and below what came and went.

    Parameters
    ----------
    found : `enterprise_stock`: months `1月` to `12月`, `batch|n`, `all`.
    """
    t = found.things
    for id in ("by_batches", "by_months", "stock"):
        line(upper, t, id)
    known = t.dropna(subset="stock")
    for row, r in known[known["stock"].diff().ne(0)].iterrows():
        ground = dict(fc="white", ec="none", pad=1.0)
        fact(upper, found, row, "stock", (r["at"], r["stock"]), "step_up", bbox=ground)
    aim(upper, found, "all", "stock_aim", "目标")
    ids = ["year_end_high", "year_end", "year_end_low"]
    high, middle, low = found.rows.loc["all", ids]
    if np.isfinite(middle):  # as an interval behind December
        upper.vlines(12.8, low, high, color=FAN[2], **pen(upper, "year_end"))
        upper.plot([12.6, 13], [middle] * 2, gid=REFERENCE, **pen(upper, "at_year_end"))
        for id, words in zip(ids, ("上限{}", "年末预计{}", "下限{}"), strict=True):
            at, more = (
                (13.1, found.rows.at["all", id]),
                dict(strong=id == "year_end", kind=EndLabel),
            )
            fact(upper, found, "all", id, at, "year_end_said", words, **more)
    for r in found.rows[found.rows.index.str.startswith("batch|")].itertuples():
        for ax in (upper, lower):
            ax.axvline(r.at, **pen(ax, "batch"))
        note(upper, r.label, (r.at, 1), **pen(upper, "batches"))
    v = t[FLOWS.split()].fillna(0)
    up, down = (part.cumsum(axis=1) for part in (v.clip(lower=0), v.clip(upper=0)))
    base = up.where(v.ge(0), down) - v  # what came stands above zero, what went hangs below it
    for id, colour in zip(v, (TO_DATE, NAVY, look.BENCHMARK, OTHER), strict=True):
        if (own := v[id].ne(0)).any():
            about = dict(color=colour, edgecolor=colour, label=id)
            _hatched(lower, lower.bar(t["at"][own], v[id][own], 0.55, base[id][own], **about))
    lower.axhline(0, **pen(lower, "zero"))
    # opening stock, flows and closing stock, written out as a sum beside the flows
    ids, last = f"opening {FLOWS} unexplained stock", known["at"].max()
    listed(lower, found, "all", ids, heads={"stock": f"{last:.0f}月末"})
    upper.margins(y=0.18)
    lower.set(xlim=(0.4, 13.1), yticks=[])
    lower.set_xticks(t["at"], t["label"])


def listed(ax, found, row: str, columns: str, top=1.0, heads: Mapping[str, str] | None = None):
    """The facts of a row that there are as a list at the right of the axes, from `top` to their foot; the last strong.

    Parameters
    ----------
    heads : column → other words than the head of its measure.
    """
    ids = [c for c in columns.split() if np.isfinite(found.rows.at[row, c])]
    told = [(heads or {}).get(c, found.measures[c].head) for c in ids]
    wide = 38 + max(_wide(t + found.shown(row, c), 13) for c, t in zip(ids, told, strict=True))
    for c, head, y in zip(ids, told, np.linspace(top, 0, len(ids)), strict=True):
        strong = c == ids[-1]
        note(ax, head, (1, y), strong=strong, **pen(ax, "listed"))
        more = dict(offset=(wide, 0), strong=strong, ha="right")
        fact(ax, found, row, c, (1, y), "listed", **more)


def _told(ax, found, row: str, column: str, below: str, columns: str) -> None:
    """A fact large at the right of the axes, words below it, then other facts of its row."""
    if found.shown(row, column) != quantity.NONE:
        fact(ax, found, row, column, (1, 0.95), "big")
        note(ax, below, (1, 0.84), **pen(ax, "listed"))
    listed(ax, found, row, columns, 0.7)


def fan(ax, t, of: str = "", colour: str = "") -> None:
    """Bands of 95, 80 and 50 % to the year end and its middle, from columns of `course` or, `of` it, of `lead`."""
    for level, shade, part in zip((95, 80, 50), FAN, (0.18, 0.38, 0.66), strict=True):
        mixed = [1 - part * (1 - c) for c in to_rgb(colour or shade)]  # a colour on white
        _band(ax, t, f"low{level}{of}", f"high{level}{of}", mixed if colour else shade)
    line(ax, t, "middle", of)


def _band(ax, t, low: str, high: str, colour) -> None:
    known = t.dropna(subset=[low, high])
    about = dict(color=colour, lw=0, gid=f"{low}+{high}")
    ax.fill_between(known["at"].astype(float), known[low], known[high], **about)


def course(year, end, found) -> None:
    """A target's year: months to date against paces and target, the fan, and the year end once more, enlarged.

    Parameters
    ----------
    year, end : axes side by side. found : `course`.
    """
    t = found.things.dropna(subset="at")
    row = t.index[0].rpartition("|")[0]
    _band(year, t, "least", "most", look.SEASON_BAND)
    fan(year, t)
    line(year, t, "seasonal")
    line(year, t, "straight")
    line(year, t, "so_far", **pen(year, "months"))
    aim(year, found, row, "target", "全年目标")
    year.set_xticks(t["at"], t["label"])
    year.set(xlim=(0.6, 12.3), ylim=(min(0, year.get_ylim()[0]), None), ylabel="so_far")
    key(year, found)
    _ends_as_dots(end, found, t.iloc[[-1, -1]].assign(at=[-0.5, 0.5]))
    if row in found.rows.index:
        below = f"{found.shown(row, 'state')}　完成把握"
        _told(end, found, row, "chance", below, "target due on_pace done done_pct low high median")


def _ends_as_dots(ax, found, last) -> None:
    """The bands of December side by side with twenty dots of five per cent each, filled where the target is met."""
    t = found.rows
    ax.set(xticks=[], xlim=(-1, 7), ylabel="ending")
    if last["middle"].isna().all():
        return
    fan(ax, last)
    ends_, met = t["ending"].dropna(), t["target"].max()
    step = max((ends_.max() - ends_.min()) / 15, 1e-9)
    beside = ends_.groupby((ends_ - (0 if np.isnan(met) else met)) // step).cumcount()
    dot = pen(ax, "ending") | dict(c=np.where(ends_ >= met, NAVY, "white"), label="ending")
    ax.scatter(1.8 + 0.95 * beside, ends_, **dot)
    if np.isfinite(met):
        ax.axhline(met, **pen(ax, "target"))


def lead(axes: Mapping, found) -> None:
    """A panel for each region, on one scale: its lead over the seasonal pace, where 0 ends at the target.

    Parameters
    ----------
    axes : region → axes. found : `lead`.
    """
    of, style = "_lead", parks()
    t = found.things.dropna(subset="at")
    for region, ax in axes.items():
        own, colour = t[t["region"].eq(region)], style.get(region, PLAIN)
        row = own.index[0].rpartition("|")[0]
        ax.set_title(own["label"].iloc[0], color=colour.text)
        for label, other in t[t["region"].ne(region)].groupby("label", sort=False):
            ax.plot(other["at"], other["so_far" + of], label=label, **pen(ax, "other"))
        line(ax, own, "straight", of)
        fan(ax, own, of, colour.colour)
        ends = dict(color=colour.colour, marker=colour.marker, markevery=[-1], mec="white")
        line(ax, own, "so_far", of, **ends)
        ax.axhline(0, **pen(ax, "target"))
        ax.set_ylabel("so_far" + of)
        ax.set_xticks([1, 3, 6, 9, 12], [f"{m}月" for m in (1, 3, 6, 9, 12)])
        fact(ax, found, row, "state+chance", (1, 1), "corner", "{}　{}")
        words = "当前值{}　目标{}\n全年预计{}"
        fact(ax, found, row, "done+promise+median", (0, 0), "below", words)


def waterfall(ax, found) -> None:
    """From last month's chance to this month's: levels as dots, parts as bars between them, causes below the names.

    Parameters
    ----------
    found : `why` of one target.
    """
    t, k, y = found.rows, _scale(ax), _rowed(ax, found.rows["label"])
    step = t["said_points"]
    after = (t["said"].iloc[0] + step.fillna(0).cumsum()).to_numpy()
    fill = np.select([step > 0, step < 0], [RISE, FALL], INK)
    about = dict(color=fill, edgecolor=fill, lw=np.where(step == 0, 3 * k, 0), label=step.name)
    _hatched(ax, ax.barh(y, step, 0.46, after - step, **about))
    ax.plot(t["said"], y, "o", label="said", clip_on=False, **pen(ax, "said"))
    ax.vlines(after[:-1], y[:-1], y[1:], **pen(ax, "step"))
    low, high = after.min(), after.max()
    room = max(0.15 * (high - low), (10 - (high - low)) / 2)
    ax.set(xlim=np.clip((low - room, high + room), 0, 100), xlabel="said")
    for at, row in enumerate(t.index):
        fact(ax, found, row, "cause", (0, at), "cause")
    for ids in (("said", "said_points"), ("ahead", "ahead_points")):
        said = np.where(t[ids[1]].notna(), ids[1], ids[0])
        cells = zip(y, t.index, said, strict=True)
        _beside(ax, found, cells, found.measures[ids[0]].head)


def calibration(ax, found, whose: str) -> None:
    """How often what was called p per cent came true, its cases beside it, against luck and a rival that is sure.

    Parameters
    ----------
    found : `record_of` `whose` series.
    """
    t = found.things
    said, sure = (t[t.index.str.startswith(f"{whose}|{kind}")] for kind in ("said", "sure"))
    ax.axline((0, 0), slope=1, **pen(ax, "sure"))
    luck = dict(color=FAN[1], gid="by_luck+by_luck_high", label="抽样误差范围")
    ax.vlines(said["claimed"], said["by_luck"], said["by_luck_high"], **pen(ax, "luck") | luck)
    ax.scatter(said["claimed"], said["came_true"], label="我们", **pen(ax, "came_true"))
    rival = dict(clip_on=False, label="序时进度（只说能或不能）") | pen(ax, "rival")
    ax.scatter(sure["claimed"], sure["came_true"], **rival)
    for row in said.itertuples():
        ha, far = ("right", (-14, 8)) if row.claimed > 90 else ("left", (9, -9))
        at = row.claimed, row.came_true
        fact(ax, found, row.Index, "cases", at, "cases", ha=ha, offset=far)
    ax.set(xlabel="claimed", ylabel="came_true", xlim=(-3, 103), ylim=(-3, 103))
    ax.grid(True, axis="both")
    key(ax, found)
    head = found.measures["share"].head
    _told(ax, found, f"{whose}|all", "share", head, "calls seven seven_came cov80 cov95")
