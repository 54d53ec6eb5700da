"""One look for all figures: font, colours, frame, footer.

A figure is laid out on a canvas of 1600 x 900 px (other sizes scale it); positions count from the top left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from zcqlib.tables import ZcqError

NAVY, INK, SECOND, THIRD = "#14284B", "#1F2937", "#52606D", "#6B7785"
AXIS, GRID, OTHER, BENCHMARK, TO_DATE = "#9AA5B1", "#E4E8EC", "#BCC5CE", "#566473", "#8FA7C6"
FAN = ("#E3E9F1", "#C0CEE0", "#8FA7C6")  # 95, 80, 50 %
SEASON_LINE, SEASON_TEXT, SEASON_BAND = "#8A7F6E", "#6E6452", "#EFEBE3"
RISE, FALL, DEMO = "#0B7A5E", "#B3261E", "#8A5A00"
CHANCE = ("#7A1F0B", "#B5401C", "#E8A076", "#F3BE96", "#FAE3D0", "#FDF6F0")  # 0, 20 ... 100 %: dark is little
LIGHTS = {
    "把握较大": ("●", "#0B7A5E", "#0B7A5E"),
    "尚有悬念": ("▲", "#B7791F", "#8A5A12"),
    "难度较大": ("■", "#B3261E", "#B3261E"),
    "已完成": ("✓", NAVY, NAVY),
}


@dataclass(frozen=True, slots=True)
class ParkStyle:
    """Colour of fills and lines, darker shade for text, marker and its size."""

    colour: str
    text: str
    marker: str
    size: float


PARKS = {
    "zone": ParkStyle(NAVY, NAVY, "o", 7.5),
    "gaoxin": ParkStyle("#1F78C1", "#1965A3", "o", 9),
    "jingkai": ParkStyle("#EFAF23", "#8F6400", "s", 8),
    "pingyuan": ParkStyle("#3DAA7A", "#1F7A55", "^", 9.5),
    "hongqi": ParkStyle("#D14A2B", "#B83C20", "D", 7.5),
    "muye": ParkStyle("#94306B", "#94306B", "v", 9.5),
}
PLAIN = ParkStyle(OTHER, THIRD, "o", 6)

SIZES = {"wide": (13.333, 7.5), "a4half": (7.48, 4.9), "phone": (6.0, 8.0)}
FONTS = [
    "Noto Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Noto Sans CJK SC",
    "WenQuanYi Micro Hei",
    "SimHei",
    "DejaVu Sans",
]
TITLE_LENGTH = 34
STACKED = "stacked"  # gid of texts that stand on marks or each other on purpose


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
    alt: str = ""


def font_path() -> Path:
    """The font file that the project brings along.

    Raises
    ------
    FigureError : it is not installed.
    """
    spec = find_spec("zhplot")
    path = Path(spec.origin).parent / "fonts" / "NotoSansSC-Regular.ttf" if spec and spec.origin else None
    if path is None or not path.exists():
        raise FigureError(
            "找不到随项目附带的中文字体(zhplot 包),图上的汉字会变成方框。请重新运行 python setup_env.py setup。"
        )
    return path


def use_theme() -> None:
    """Set matplotlib to this look; called by every chart, so that nothing else has to."""
    if "Noto Sans SC" not in {f.name for f in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(str(font_path()))
    mpl.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": FONTS,
            "axes.unicode_minus": True,
            "pdf.fonttype": 42,
            "svg.fonttype": "path",
            "svg.hashsalt": "zcqlib",
            "figure.dpi": 72,
            "text.color": INK,
            "axes.edgecolor": AXIS,
            "axes.labelcolor": SECOND,
            "xtick.color": SECOND,
            "ytick.color": SECOND,
            "font.size": 13,
            "hatch.linewidth": 0.8,
            "axes.grid": False,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "lines.solid_capstyle": "round",
        }
    )


def stroke(colour: str, width: float = 0.7) -> list:
    """Bold, which the font has not: a line of the same colour round each letter."""
    return [withStroke(linewidth=width, foreground=colour)]


class Canvas:
    """A figure with title, subtitle and footer; charts place axes and texts on it in px of a 1600 x 900 page."""

    def __init__(self, caption: Caption, size: str = "wide"):
        if size not in SIZES:
            raise ValueError(f"size is one of {sorted(SIZES)}, not {size!r}")
        use_theme()
        wide, high = SIZES[size]
        self.caption, self.size = caption, size
        self.scale = 1.0 if size == "wide" else 0.66 if size == "a4half" else 0.62
        self.width, self.height = 1600.0, 1600.0 * high / wide
        self.figure = Figure(figsize=(wide, high))
        FigureCanvasAgg(self.figure)
        self.figure.zcq_caption = caption
        rule = self.height - 60
        title = caption.title
        self.text(64, 40, title, 24, INK, bold=0.9, va="top", fit=self.width - 128)
        self.text(64, 99, caption.subtitle, 14, SECOND, va="top", fit=self.width - 128)
        self.figure.add_artist(
            mpl.lines.Line2D(
                [64 / self.width, 1 - 64 / self.width],
                [1 - rule / self.height] * 2,
                color=GRID,
                linewidth=1,
                transform=self.figure.transFigure,
            )
        )
        left = 64.0
        if caption.demo:
            box = mpl.patches.Rectangle(
                (left / self.width, 1 - (rule + 38) / self.height),
                104 / self.width,
                26 / self.height,
                color=DEMO,
                transform=self.figure.transFigure,
            )
            self.figure.add_artist(box)
            self.text(left + 52, rule + 25, "演示数据", 12 * (1 if size == "wide" else 0.86), "white", ha="center")
            left += 120
        date = f"数据截至{caption.as_of}"
        note = f"来源\uff1a{caption.source}" + (f"\uff1b{caption.note}" if caption.note else "")
        room = self.width - 64 - left - 13 * (len(date) + 3) * (1.0 if size == "wide" else 1.35)
        self.text(left, rule + 25, note, 10.5, THIRD, fit=room)
        self.text(self.width - 64, rule + 25, date, 10.5, THIRD, ha="right")

    @property
    def bottom(self) -> float:
        """Lowest px that a plot may use."""
        return self.height - 100

    def pt(self, size: float) -> float:
        return size * self.scale

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        colour: str = INK,
        bold: float = 0.0,
        fit: float = 0.0,
        **more,
    ) -> Text:
        """Write at a px position; with `fit` the text is made smaller until it is no wider than that."""
        size = self.pt(size)
        if fit:
            wide = _width(words, size) * self.width / (SIZES[self.size][0] * 72)
            size *= min(1.0, fit / max(1.05 * wide, 1.0))  # hinting makes letters a little wider than drawn
        options = {"va": "center", "ha": "left"} | more
        return self.figure.text(
            x / self.width,
            1 - y / self.height,
            words,
            fontsize=size,
            color=colour,
            path_effects=stroke(colour, bold) if bold else None,
            **options,
        )

    def px(self, ax, x: float, y: float) -> tuple[float, float]:
        """Where a point of some axes lies on the page."""
        across, up = self.figure.transFigure.inverted().transform(ax.transData.transform((x, y)))
        return across * self.width, (1 - up) * self.height

    def axes(self, left: float, top: float, right: float, bottom: float, **more):
        """Axes in px, without frame; horizontal grid behind."""
        ax = self.figure.add_axes(
            [left / self.width, 1 - bottom / self.height, (right - left) / self.width, (bottom - top) / self.height],
            **more,
        )
        for side in ax.spines.values():
            side.set_visible(False)
        ax.tick_params(length=0, labelsize=self.pt(12), colors=SECOND)
        ax.set_axisbelow(True)
        ax.patch.set_alpha(0)
        return ax


_WIDTHS: dict[str, float] = {}


def _width(words: str, size: float) -> float:
    """Width of a text in points, by the font's own metrics."""
    from matplotlib.textpath import TextPath

    if not words.strip():
        return 0.0
    if words not in _WIDTHS:
        box = TextPath((0, 0), words, size=100, prop=font_manager.FontProperties(fname=str(font_path())))
        _WIDTHS[words] = float(box.get_extents().width)
    return _WIDTHS[words] * size / 100


def rows_grid(ax, axis: str = "y") -> None:
    ax.grid(axis=axis, color=GRID, linewidth=1)


def spread(places: Iterable[float], gap: float, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """Move labels apart to at least `gap`, as little as can be, inside [low, high]."""
    want = np.asarray(list(places), float)
    order = np.argsort(want, kind="stable")
    out = want[order].copy()
    for _ in range(200):
        moved = False
        for i in range(len(out) - 1):
            lack = gap - (out[i + 1] - out[i])
            if lack > 1e-9:
                out[i] -= lack / 2
                out[i + 1] += lack / 2
                moved = True
        out = np.clip(out, low, high) if np.isfinite([low, high]).all() and gap * (len(out) - 1) <= high - low else out
        if not moved:
            break
    back = np.empty_like(out)
    back[order] = out
    return back
