"""What may be printed: one check, one `save`, the contact sheet and the notebook's display."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from zcqlib.figures.theme import (
    INK,
    SIZES,
    THIRD,
    TITLE_LENGTH,
    Canvas,
    FigureError,
    font_path,
)

SMALLEST = 10.5  # pt on the 16:9 page: the footer


def texts(figure: Figure, axes: bool = True) -> list[str]:
    """Every string that the figure prints; without `axes` no marks of a scale, which are no result."""
    return [t.get_text() for t in _texts(figure, axes)]


def stamp(figure: Canvas, code: str) -> None:
    """Print the figure's code under the footer, at the right, once."""
    if not any(t.get_gid() == "code" for t in figure.texts):
        foot = figure.height - 12
        figure.write(figure.right, foot, code, SMALLEST, THIRD, ha="right", gid="code")


def _texts(figure: Figure, axes: bool = True) -> list[Text]:
    """Texts that are drawn: tick labels beyond the axis limits exist, but are not."""
    ticks: dict[int, bool] = {}
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        slack, i = 1e-6 * (high - low), axis.axis_name == "y"
        for t in axis.get_ticklabels(which="both"):
            ticks[id(t)] = axes and low - slack <= t.get_position()[i] <= high + slack
    drawn_ = (t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible())
    return [t for t in drawn_ if ticks.get(id(t), True)]


def check(figure: Figure):
    """Refuse a figure that would mislead or embarrass; gives the picture that was looked at.

    Raises
    ------
    FigureError : no caption, unit, source or date; a title too long; a glyph the font lacks; text that is too small,
        outside the canvas, cut or over other text. All faults are listed.
    """
    if not isinstance(figure, Canvas):
        raise FigureError("图没有标题和来源说明,请用 figures 的作图函数。")
    caption, n = figure.caption, len(figure.caption.title)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        picture = drawn(figure)
        renderer = figure.canvas.get_renderer()
        # without an annotation's arrow
        shown = [(t, Text.get_window_extent(t, renderer)) for t in _texts(figure)]
    said = {
        "副标题没有写单位": re.search("[(\uff08].+?[)\uff09]|%|‰|位次|排名", caption.subtitle),
        "没有写来源": caption.source.strip(),
        "没有写数据截至日期": re.search(r"\d{4}", caption.as_of),
        f"标题为空或超过 {TITLE_LENGTH} 个字(现有 {n} 个)": 0 < n <= TITLE_LENGTH,
    }
    faults = [fault for fault, right in said.items() if not right]
    glyphs = (re.search(r"Glyph \d+ \(([^)]*)\)", str(w.message)) for w in seen)
    faults += [f"字体缺字:{m[1]}" for m in glyphs if m]
    for what, *ts in _placed(figure, shown):
        faults.append(f"{what}:{'与'.join(f'「{t.get_text()[:20]}」' for t in ts)}")
    if faults:
        raise FigureError(f"图「{caption.title[:24]}」不能输出:" + ";".join(dict.fromkeys(faults)))
    return picture


def _placed(figure: Figure, shown: list[tuple[Text, Bbox]]) -> Iterator[tuple]:
    """What is wrong, and the texts that are beyond the page's half margin or what cuts them, too small, or overlap."""
    page, pt = SIZES[figure.size], figure.dpi / 72
    room = figure.bbox.padded(-page.margin * page.scale * figure.dpi / 240, pt)
    for t, box in shown:
        end = t.get_clip_box() if t.get_clip_on() else None
        if not _within(box, room):
            yield "文字超出画面", t
        elif end is not None and not _within(box, end):
            yield "文字被截断", t
        if t.get_fontsize() < SMALLEST * page.scale - 0.01:
            yield "文字太小", t
    for (t, a), (u, b) in combinations(shown, 2):
        x = Bbox.intersection(a, b)
        if x and x.width > pt and x.height > 0.25 * min(a.height, b.height):
            yield "文字重叠", t, u


def _within(a: Bbox, b: Bbox) -> bool:
    return (a.min >= b.min).all() and (a.max <= b.max).all()


def drawn(figure: Figure, dpi: float = 0.0):
    """The figure as a picture, in its size's dots per inch if none are given."""
    from PIL import Image

    figure.set_dpi(dpi or SIZES[figure.size].dpi)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")


def alternative(figure: Figure) -> str:
    """The figure for who cannot see it: title, subtitle, what its labels say, source and date."""
    caption = figure.caption
    skip = {caption.title, caption.subtitle, "演示数据", f"数据截至{caption.as_of}"}
    labels = dict.fromkeys(t.replace("\n", "") for t in texts(figure))
    told = [t for t in labels if t not in skip and not t.startswith("来源")]
    words = f"{caption.title}。{caption.subtitle}。图中文字:{'、'.join(told)[:600]}。"
    return f"{'【演示数据】' if caption.demo else ''}{words}来源:{caption.source};数据截至{caption.as_of}。"


def save(
    figure: Figure,
    stem: Path,
    formats: Iterable[str] = ("png", "svg"),
    remember: Callable = lambda key, make: make(),
) -> list[Path]:
    """Check a figure and write it; the same figure gives the same bytes.

    Parameters
    ----------
    stem : path without ending. formats : of png, svg, pdf (its font is embedded and its text can be copied).
    remember : gives what was once made for a key, or has it made. The key is the SVG, which holds all that is drawn: a
        figure with the same one was checked before, and its other forms are the same.
    Returns
    -------
    the files written; a file that would not change is left untouched.
    Raises
    ------
    FigureError : see `check`.
    """
    formats = tuple(formats)
    others = [kind for kind in formats if kind != "svg"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # which the check tells, with the glyphs
        svg = _printed(figure, "svg")
    key = hashlib.sha256(svg + repr((figure.size, others)).encode()).hexdigest()

    def checked():
        picture = check(figure)
        return {kind: _printed(figure, kind, picture) for kind in others}

    made = remember(key, checked) | {"svg": svg}
    figure.png = made.get("png", figure.png)
    out = [Path(f"{stem}.{kind}") for kind in formats]
    for kind, path in zip(formats, out, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != made[kind]:
            path.write_bytes(made[kind])
    return out


def _printed(figure: Figure, kind: str, picture=None) -> bytes:
    caption, alt, buffer = figure.caption, alternative(figure), io.BytesIO()
    if kind == "png":
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("Title", caption.title)
        info.add_itxt("Description", alt)
        few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(buffer, "png", pnginfo=info, dpi=(SIZES[figure.size].dpi,) * 2)
        return buffer.getvalue()
    outlined = [t for t in figure.findobj(Text) if t.get_path_effects()]  # bold: no text is kept
    lines = [line for t in outlined for line in t.get_text().split("\n") if line.strip()]
    svg = dict(Date=None, Description=alt, Keywords=lines)
    told = svg if kind == "svg" else dict(CreationDate=None, Producer=None, Subject=alt)
    told |= dict(Creator=None, Title=caption.title)
    own = figure.texts[:]
    for t in own if kind == "pdf" else ():
        if t.get_path_effects():  # outlines that nobody can copy: the plain text lies on them
            figure.texts.append(copy(t))
            figure.texts[-1].set_path_effects([])
    figure.savefig(buffer, format=kind, metadata=told)
    del figure.texts[len(own) :]
    return buffer.getvalue()


def contact_sheet(paths: Iterable[Path], out: Path) -> Path:
    """Tile pictures with their names, four a row, for a look at all of them at once."""
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    paths = sorted(paths)
    if not paths:
        raise FigureError("没有图可以拼成总览。")
    sheet = Image.new("RGB", (4 * 480, -(-len(paths) // 4) * 296), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(font_path()), 14)
    for i, path in enumerate(paths):
        x, y = i % 4 * 480, i // 4 * 296
        sheet.paste(ImageOps.contain(Image.open(path).convert("RGB"), (472, 270)), (x + 4, y))
        draw.text((x + 8, y + 272), path.stem, INK, font)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return out


def show(figure: Figure) -> None:
    """Display a figure in a notebook: the very picture that was saved, if it was."""
    from IPython.display import Image, display

    if figure.png:
        wide = int(figure.get_size_inches()[0] * 72)
        display(Image(figure.png, width=wide, alt=alternative(figure)))
