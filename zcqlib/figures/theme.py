"""One look for all figures: font, colours, frame, footer.

A figure is laid out in px from the top left; the 16:9 page has 1600 x 900 of them, other pages have fewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from scipy.optimize import isotonic_regression

from zcqlib import attached
from zcqlib import catalog as catalogs
from zcqlib.tables import ZcqError

NAVY, INK, SECOND, THIRD = "#14284B", "#1F2937", "#52606D", "#6B7785"
AXIS, GRID, OTHER, BENCHMARK, TO_DATE = "#9AA5B1", "#E4E8EC", "#BCC5CE", "#566473", "#8FA7C6"
FAN = ("#E3E9F1", "#C0CEE0", "#8FA7C6")  # 95, 80, 50 %
SEASON_LINE, SEASON_BAND = "#8A7F6E", "#EFEBE3"
RISE, FALL, DEMO = "#0B7A5E", "#B3261E", "#8A5A00"
CHANCE = (
    "#7A1F0B #B5401C #E8A076 #F3BE96 #FAE3D0 #FDF6F0".split()
)  # 0, 20 ... 100 %: dark is little
CHANCES = mpl.colors.LinearSegmentedColormap.from_list("chances", CHANCE)


class ParkStyle(NamedTuple):
    """Colour of fills and lines, darker shade for text, marker."""

    colour: str
    text: str
    marker: str


PLAIN = ParkStyle(OTHER, THIRD, "o")
ZONE = ParkStyle(NAVY, NAVY, "o")
# colour, shade and marker of parks that regions.csv gives none, in this order
_FREE = """
#1F78C1 #1965A3 o
#EFAF23 #8F6400 s
#3DAA7A #1F7A55 ^
#D14A2B #B83C20 D
#94306B #94306B v
#5B5BB5 #4A4AA0 P
#7A8B2E #5E6C1F X
#2A9DA8 #1C7780 <
#C2708F #9A4C6A >
#8A6E4B #6B5335 h
"""
FREE = tuple(map(str.split, _FREE.strip().split("\n")))
# text never takes a fill colour
SHADES = {NAVY: NAVY, BENCHMARK: BENCHMARK} | {colour: shade for colour, shade, _ in FREE}


def parks() -> dict[str, ParkStyle]:
    """The zone and its parks in plan order; a park without a colour of its own takes the next free one."""
    regions = [r for r in catalogs.load().regions.values() if r.level == "park"]
    taken = {f"#{r.colour}" for r in regions}
    free, out = cycle([f for f in FREE if f[0] not in taken] or FREE), {"zone": ZONE}
    for r in regions:
        own = f"#{r.colour}", f"#{r.shade or r.colour}", r.marker or "o"
        out[r.id] = ParkStyle(*(own if r.colour else next(free)))
    return out


def named() -> dict[str, str]:
    """The ids of the zone and its parks by Chinese name."""
    c = catalogs.load()
    return {c.zone.parts_zh if r == "zone" else c.name(r): r for r in parks()}


class Size(NamedTuple):
    """Inches, how much smaller than on a screen its letters are, margin in px, and dots per inch of the PNG."""

    wide: float
    high: float
    scale: float
    margin: float
    dpi: int


# 16:9 for slides and screens, half an A4 page
SIZES = {
    "wide": Size(40 / 3 + 1e-4, 7.5, 1.0, 64, 120),
    "a4": Size(7.48, 4.9, 0.68, 48, 240),
}
TITLE_LENGTH = 34
# what stays on one line: a number, a Latin word or a letter, with the marks about it
_PIECE = re.compile(r"[(\uff08]?(?:[\d,.A-Za-z]+|.)[%,。、;:)\uff0c\uff1b\uff1a\uff09]*", re.S)
LEAST = (
    11  # pt on the 16:9 page; no label is made smaller than this to fit, it goes onto a second line
)
POINT = 72 / 120  # pt of a px
REFERENCE = (
    "reference"  # gid of lines that no text may be crossed by: targets, paces, the figure itself
)

# where words stand: on the axes, in a row beside them, in a column above them
PAGE, ROW, COLUMN = "axes fraction", ("axes fraction", "data"), ("data", "axes fraction")


class FigureError(ZcqError):
    """A figure that must not be printed; says what is wrong."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A figure's words: `title` the finding, `subtitle` measure (unit); place, period; footer from the data."""

    title: str
    subtitle: str
    source: str
    as_of: str
    demo: bool
    note: str = ""


def font_path() -> Path:
    """The font file that the project brings along.

    Raises
    ------
    FigureError : it is not installed.
    """
    spec = find_spec("zhplot")
    path = Path((spec and spec.origin) or "").parent / "fonts" / "NotoSansSC-Regular.ttf"
    if not path.exists():
        raise FigureError(
            "找不到随项目附带的中文字体(zhplot 包),图上的汉字会变成方框。请重新运行 python setup_env.py setup。"
        )
    return path


def use_theme(scale: float = 1.0) -> None:
    """Set matplotlib, with pandas and seaborn, to this look on a page whose letters are `scale` of a screen's; called by
    every chart, so that nothing else has to."""
    if "Noto Sans SC" not in {f.name for f in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(str(font_path()))
    mpl.rcParams.update(_style(scale))


@cache
def _style(scale: float) -> dict:
    """The settings of the style sheet beside this module, sizes scaled."""
    own = mpl.rc_params_from_file(Path(__file__).with_name("house.mplstyle"), False, False)
    fixed = ("figure.dpi", "hatch.linewidth")
    sizes = {k: v * scale for k, v in own.items() if isinstance(v, float) and k not in fixed}
    return dict(own) | sizes


def stroke(colour: str, width: float) -> list:
    """Bold, which the font has not: a line of the same colour round each letter."""
    return [withStroke(linewidth=width, foreground=colour)]


@cache
def _letters():
    from PIL import ImageFont

    return ImageFont.truetype(str(font_path()), 200)


@cache
def measured(words: str, size: float) -> float:
    """Width in px of a line of text, by the font's own metrics."""
    return _letters().getlength(words) * size / (200 * POINT)


def wrapped(words: str, size: float, room: float, rows: int) -> str:
    """Words in lines, at most `rows`, that are no wider than `room`: none breaks inside a number or a Latin word, none
    begins with a mark, and rather after a mark than inside a word. What does not fit stays in the last line all the
    same."""
    lines, whole = [""], measured(words, size)
    even = min(room, 1.1 * whole / max(np.ceil(whole / room), 1))  # wide
    for piece in _PIECE.findall(words):
        line = lines[-1]
        if measured(line + piece, size) <= even or len(lines) == rows:
            lines[-1] += piece
            continue
        tail = re.split(r"[，；、。]", line)[-1]
        left = measured("".join(lines).removesuffix(tail), size)
        if measured(tail, size) > even / 2 or whole - left > room * (rows - len(lines)):
            tail = ""
        lines[-1:] = [line.removesuffix(tail), tail + piece]
    return "\n".join(lines)


class Canvas(Figure):
    """A figure with title, subtitle and footer; charts place axes on it, the page its words in px from the top left.

    Letters have the same size in px on every page, so that a smaller page has fewer px: `width` is 1600 on the 16:9
    page. `left`, `right`, `top`, `bottom` bound what a chart may use; `png` is the picture that was saved.
    """

    def __init__(self, caption: Caption, size: str = ""):
        size = size or attached.now.size
        if size not in SIZES:
            raise ValueError(f"size is one of {sorted(SIZES)}, not {size!r}")
        page = SIZES[size]
        use_theme(page.scale)
        super().__init__(figsize=(page.wide, page.high))
        FigureCanvasAgg(self)
        self.caption, self.size, self.scale, self.png = caption, size, page.scale, b""
        self.width, self.height = 120 * page.wide / page.scale, 120 * page.high / page.scale
        self.left, self.right = page.margin, self.width - page.margin
        room = self.right - self.left
        title = max(20, 24 * min(1, room / max(measured(caption.title, 24.3), 1)))
        below = wrapped(caption.subtitle, 14, room, 2)
        note = f"来源\uff1a{caption.source}" + (f"\uff1b{caption.note}" if caption.note else "")
        date = f"数据截至{caption.as_of}"
        self.top = 156 + 28 * below.count("\n")
        start = self.left + (120 if caption.demo else 0)
        notes = wrapped(note, 10.5, self.right - start - measured(date, 10.5) - 24, 3)
        rule = self.height - 60 - 20 * notes.count("\n")
        self.bottom = rule - 40
        strong = dict(va="top", path_effects=stroke(INK, 0.9 * page.scale))
        self.write(self.left, 40, caption.title, title, INK, **strong)
        self.write(self.left, 99, below, 14, SECOND, va="top")
        self.box(self.left, rule, room, 2, GRID)
        if caption.demo:
            self.box(self.left, rule + 25, 104, 26, DEMO)
            self.write(self.left + 52, rule + 25, "演示数据", 12, "white", ha="center")
        self.write(start, rule + 25 + 10 * notes.count("\n"), notes, 10.5, THIRD)
        self.write(self.right, rule + 25, date, 10.5, THIRD, ha="right")

    def write(self, x: float, y: float, words: str, size: float, colour=INK, **more) -> Text:
        """Write at a px position."""
        given = dict(va="center", ha="left", linespacing=1.25, color=colour) | more
        at = x / self.width, 1 - y / self.height
        return self.text(*at, words, fontsize=size * self.scale, **given)

    def box(self, x: float, y: float, wide: float, high: float, colour: str) -> None:
        """A rectangle in px; y is its middle."""
        at = x / self.width, 1 - (y + high / 2) / self.height
        box = mpl.patches.Rectangle(at, wide / self.width, high / self.height, fc=colour, lw=0)
        self.add_artist(box)

    def grid(self, panels: list | str | None = None, **more):
        """Axes on matplotlib's own layout between head and foot: one, or a dict of them by a mosaic such as "AAB"."""
        low, wide = self.bottom + 30, self.right - self.left
        rect = self.left / self.width, 1 - low / self.height, wide / self.width
        rect = *rect, (low - self.top + 16) / self.height
        self.set_layout_engine("constrained", rect=rect, w_pad=0, h_pad=0, wspace=0.06)
        part = self.subfigures()
        part.patch.set_alpha(0)
        return part.subplot_mosaic(panels, **more) if panels else part.subplots(**more)


def spread(
    places: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf
) -> np.ndarray:
    """Move labels apart to at least `gap`, as little as can be, inside [low, high] where they have room there."""
    order, steps = np.argsort(places, kind="stable"), gap * np.arange(len(places))
    out = isotonic_regression(np.asarray(places, float)[order] - steps).x
    if high - low >= steps[-1]:
        out = np.clip(out, low, high - steps[-1])
    return (out + steps)[np.argsort(order)]
