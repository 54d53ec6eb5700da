"""One look for all figures: font, colours, frame, footer; one `save`, and one check of what may not be printed.

A figure is laid out on a canvas of 1600 x 900 px (other sizes scale it); positions count from the top left.
"""

from __future__ import annotations

import io
import re
import warnings
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


# --- what may be printed --------------------------------------------------------------------------------------------


def texts(figure: Figure) -> list[str]:
    """Every string that the figure prints."""
    return [t.get_text() for t in _texts(figure)]


def _texts(figure: Figure) -> list[Text]:
    """Texts that are drawn: tick labels beyond the axis limits exist, but are not."""
    unseen = set()
    for ax in figure.axes:
        for axis, limits, i in ((ax.xaxis, ax.get_xlim(), 0), (ax.yaxis, ax.get_ylim(), 1)):
            slack = 1e-6 * (max(limits) - min(limits))
            for t in axis.get_ticklabels(which="both"):
                if not min(limits) - slack <= t.get_position()[i] <= max(limits) + slack:
                    unseen.add(id(t))
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and id(t) not in unseen]


def check(figure: Figure) -> None:
    """Refuse a figure that would mislead or embarrass.

    Raises
    ------
    FigureError : no caption, unit, source or date; a title too long; a glyph the font lacks; text outside the canvas or
        over other text. All faults are listed.
    """
    caption = getattr(figure, "zcq_caption", None)
    if caption is None:
        raise FigureError("图没有标题和来源说明,请用 figures 的作图函数。")
    faults = []
    if not re.search("[(\uff08].+?[)\uff09]|%|‰|位次|排名", caption.subtitle):
        faults.append("副标题没有写单位")
    if not caption.source.strip():
        faults.append("没有写来源")
    if not re.search(r"\d{4}", caption.as_of):
        faults.append("没有写数据截至日期")
    if not caption.title.strip() or len(caption.title) > TITLE_LENGTH:
        faults.append(f"标题为空或超过 {TITLE_LENGTH} 个字(现有 {len(caption.title)} 个)")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        figure.set_dpi(72)
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        shown = [(t, Text.get_window_extent(t, renderer)) for t in _texts(figure)]  # without an annotation's arrow
    faults += [f"字体缺字:{m[1]}" for w in seen if (m := re.search(r"Glyph \d+ \(([^)]*)\)", str(w.message)))]
    wide, high = figure.bbox.width, figure.bbox.height
    for t, box in shown:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > wide + 1 or box.y1 > high + 1:
            faults.append(f"文字超出画面:「{t.get_text()[:20]}」")
    plain = [(t, b) for t, b in shown if t.get_gid() != STACKED]
    for i, (t, a) in enumerate(plain):
        for u, b in plain[i + 1 :]:
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            down = min(a.y1, b.y1) - max(a.y0, b.y0)
            if across > 1.0 and down > 0.25 * min(a.height, b.height):
                faults.append(f"文字重叠:「{t.get_text()[:16]}」与「{u.get_text()[:16]}」")
    if faults:
        raise FigureError(f"图「{caption.title[:24]}」不能输出:" + ";".join(dict.fromkeys(faults)))


def save(figure: Figure, stem: Path, formats: Iterable[str] = ("png", "svg")) -> list[Path]:
    """Check a figure and write it; the same figure gives the same bytes.

    Parameters
    ----------
    stem : path without ending. formats : of png, svg, pdf.
    Returns
    -------
    the files written; a file that would not change is left untouched.
    Raises
    ------
    FigureError : see `check`.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    check(figure)
    caption, out = figure.zcq_caption, []
    alt = caption.alt or f"{caption.title}。{caption.subtitle}。来源:{caption.source}。"
    for kind in formats:
        buffer = io.BytesIO()
        if kind == "png":
            figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
            info = PngInfo()
            info.add_itxt("Title", caption.title)
            info.add_itxt("Description", alt)
            picture = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
            buffer = io.BytesIO()
            picture.save(buffer, "png", optimize=True, pnginfo=info)
            data = buffer.getvalue()
        elif kind == "svg":
            figure.savefig(
                buffer,
                format="svg",
                metadata={"Date": None, "Creator": None, "Title": caption.title, "Description": alt},
            )
            data = buffer.getvalue()
        else:
            figure.savefig(
                buffer,
                format=kind,
                metadata={"CreationDate": None, "Creator": None, "Producer": None, "Title": caption.title},
            )
            data = buffer.getvalue()
        path = Path(f"{stem}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
        out.append(path)
    return out


def contact_sheet(paths: Iterable[Path], out: Path, columns: int = 4, width: int = 480) -> Path:
    """Tile pictures with their names, for a look at all of them at once."""
    from PIL import Image, ImageDraw, ImageFont

    pictures = [(p.stem, Image.open(p).convert("RGB")) for p in sorted(paths)]
    if not pictures:
        raise FigureError("没有图可以拼成总览。")
    high = int(width * 0.5625) + 26
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * high), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(font_path()), 14)
    for i, (name, picture) in enumerate(pictures):
        x, y = i % columns * width, i // columns * high
        picture.thumbnail((width - 8, high - 26))
        sheet.paste(picture, (x + 4, y))
        draw.text((x + 8, y + high - 24), name, fill=INK, font=font)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return out


def show(figure: Figure) -> None:
    """Display a figure in a notebook."""
    from IPython.display import Image, display

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=72, metadata={"Software": None})
    display(Image(buffer.getvalue(), alt=getattr(figure, "zcq_caption", Caption("", "", "", "", False)).title))
