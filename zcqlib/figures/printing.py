"""What may be printed: one check, one `save`, the contact sheet and the notebook's display."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable
from copy import copy
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from zcqlib.figures.theme import (
    INK,
    REFERENCE,
    SCALE,
    SIZES,
    STACKED,
    THIRD,
    TITLE_LENGTH,
    FigureError,
    font_path,
)

SMALLEST = 10.5  # pt on the 16:9 page: the footer


def texts(figure: Figure, axes: bool = True) -> list[str]:
    """Every string that the figure prints; without `axes` no marks of a scale, which are no result."""
    ticks = {
        id(t)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for t in axis.get_ticklabels(which="both")
    }
    return [
        t.get_text() for t in _texts(figure) if axes or id(t) not in ticks and t.get_gid() != SCALE
    ]


def stamp(figure: Figure, code: str) -> None:
    """Print the figure's code under the footer, at the right, once."""
    if any(t.get_gid() == "code" for t in figure.texts):
        return
    page = SIZES[figure.zcq_size]
    wide, high = figure.get_size_inches() * 120 / page.scale  # px
    figure.text(
        1 - page.margin / wide,
        12 / high,
        code,
        gid="code",
        fontsize=SMALLEST * page.scale,
        color=THIRD,
        ha="right",
        va="center",
    )


def _texts(figure: Figure) -> list[Text]:
    """Texts that are drawn: tick labels beyond the axis limits exist, but are not."""
    unseen = set()
    for ax in figure.axes:
        for axis, limits, i in ((ax.xaxis, ax.get_xlim(), 0), (ax.yaxis, ax.get_ylim(), 1)):
            slack = 1e-6 * (max(limits) - min(limits))
            for t in axis.get_ticklabels(which="both"):
                if not min(limits) - slack <= t.get_position()[i] <= max(limits) + slack:
                    unseen.add(id(t))
    return [
        t
        for t in figure.findobj(Text)
        if t.get_text().strip() and t.get_visible() and id(t) not in unseen
    ]


def check(figure: Figure):
    """Refuse a figure that would mislead or embarrass; gives the picture that was looked at.

    Raises
    ------
    FigureError : no caption, unit, source or date; a title too long; a glyph the font lacks; text that is too small,
        outside the canvas, cut, over other text, over the edge of a bar or under a target, pace or main line. All
        faults are listed.
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
        picture = drawn(figure)
        renderer = figure.canvas.get_renderer()
        shown = [
            (t, Text.get_window_extent(t, renderer)) for t in _texts(figure)
        ]  # without an annotation's arrow
    faults += [
        f"字体缺字:{m[1]}"
        for w in seen
        if (m := re.search(r"Glyph \d+ \(([^)]*)\)", str(w.message)))
    ]
    page, pt = SIZES[figure.zcq_size], figure.dpi / 72
    least, edge = (
        SMALLEST * page.scale,
        page.margin * page.scale * figure.dpi / 240,
    )  # half the margin
    wide, high = figure.bbox.width, figure.bbox.height
    for t, box in shown:
        cut = t.get_clip_box() if t.get_clip_on() else None
        if box.x0 < edge or box.y0 < -pt or box.x1 > wide - edge or box.y1 > high + pt:
            faults.append(f"文字超出画面:「{t.get_text()[:20]}」")
        elif cut is not None and (
            box.x0 < cut.x0 or box.x1 > cut.x1 or box.y0 < cut.y0 or box.y1 > cut.y1
        ):
            faults.append(f"文字被截断:「{t.get_text()[:20]}」")
        if t.get_fontsize() < least - 0.01:
            faults.append(f"文字太小:「{t.get_text()[:20]}」")
    plain = [(t, b) for t, b in shown if t.get_gid() != STACKED]
    for i, (t, a) in enumerate(plain):
        for u, b in plain[i + 1 :]:
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            down = min(a.y1, b.y1) - max(a.y0, b.y0)
            if across > pt and down > 0.25 * min(a.height, b.height):
                faults.append(f"文字重叠:「{t.get_text()[:16]}」与「{u.get_text()[:16]}」")
    faults += _crossed(figure, plain)
    if faults:
        raise FigureError(f"图「{caption.title[:24]}」不能输出:" + ";".join(dict.fromkeys(faults)))
    return picture


def _crossed(figure: Figure, shown: list[tuple[Text, Bbox]]) -> list[str]:
    """Texts that a reference line runs through, that cover a marker or stand half on a bar; one on an opaque ground
    hides the line."""
    pt, grounds = figure.dpi / 72, {id(ax.patch) for ax in figure.axes} | {id(figure.patch)}
    bars = [
        _uncut(r, r.get_window_extent())
        for r in figure.findobj(Rectangle)
        if id(r) not in grounds and r.get_visible()
    ]
    all_lines = [
        *figure.artists,
        *(line for ax in figure.axes for line in ax.lines),
    ]  # without the ticks
    all_lines = [line for line in all_lines if isinstance(line, Line2D) and line.get_visible()]
    lines = [
        line.get_transform().transform_path(line.get_path())
        for line in all_lines
        if line.get_gid() == REFERENCE
    ]
    marked = [line for line in all_lines if line.get_marker() != "None"]
    points = [(m, m.get_transform().transform(m.get_xydata())) for m in marked]
    seen = [xy[[_uncut(m, Bbox([p, p])) is not None for p in xy]] for m, xy in points]
    marks = np.vstack([np.empty((0, 2)), *seen])
    out = []
    for t, box in shown:
        inner = Bbox.from_extents(
            box.x0 + pt, box.y0 + 0.2 * box.height, box.x1 - pt, box.y1 - 0.2 * box.height
        )
        if t.get_bbox_patch() is None and any(
            path.intersects_bbox(inner, filled=False) for path in lines
        ):
            out.append(f"线穿过文字:「{t.get_text()[:16]}」")
        if ((marks > inner.min) & (marks < inner.max)).all(axis=1).any():
            out.append(f"文字压在标记上:「{t.get_text()[:16]}」")
        for bar in filter(None, bars):
            both, slack = Bbox.intersection(inner, bar), 2 * pt
            apart = both is None or both.width < slack or both.height < slack
            near = bar.padded(slack)
            if not apart and not (near.contains(*inner.min) and near.contains(*inner.max)):
                out.append(f"文字压在柱边上:「{t.get_text()[:16]}」")
    return out


def _uncut(artist, box: Bbox) -> Bbox | None:
    """What is left of a box where the axes end."""
    cut = artist.get_clip_box() if artist.get_clip_on() else None
    return box if cut is None else Bbox.intersection(box, cut)


def drawn(figure: Figure, dpi: float = 0.0):
    """The figure as a picture, in its size's dots per inch if none are given."""
    from PIL import Image

    figure.set_dpi(dpi or SIZES[figure.zcq_size].dpi)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")


def alternative(figure: Figure) -> str:
    """The figure for who cannot see it: title, subtitle, what its labels say, source and date."""
    caption = figure.zcq_caption
    if caption.alt:
        return caption.alt
    skip = {caption.title, caption.subtitle, "演示数据", f"数据截至{caption.as_of}"}
    labels = dict.fromkeys(t.replace("\n", "") for t in texts(figure))
    told = [t for t in labels if t not in skip and not t.startswith("来源")]
    words = f"{caption.title}。{caption.subtitle}。图中文字:{'、'.join(told)[:600]}。"
    return f"{'【演示数据】' if caption.demo else ''}{words}来源:{caption.source};数据截至{caption.as_of}。"


def save(
    figure: Figure,
    stem: Path,
    formats: Iterable[str] = ("png", "svg"),
    remember: Callable[
        [str, Callable[[], dict[str, bytes]]], dict[str, bytes]
    ] = lambda key, make: make(),
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
    others = tuple(kind for kind in formats if kind != "svg")
    if getattr(figure, "zcq_caption", None) is None or "svg" not in formats:
        made = _checked(figure, others)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # which the check tells, with the glyphs
            svg = _printed(figure, "svg")
        key = hashlib.sha256(svg + repr((figure.zcq_size, others)).encode()).hexdigest()
        made = remember(key, lambda: _checked(figure, others)) | {"svg": svg}
    figure.zcq_png = made.get("png", getattr(figure, "zcq_png", None))
    out = [Path(f"{stem}.{kind}") for kind in formats]
    for kind, path in zip(formats, out, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != made[kind]:
            path.write_bytes(made[kind])
    return out


def _checked(figure: Figure, formats: Iterable[str]) -> dict[str, bytes]:
    picture = check(figure)
    return {kind: _printed(figure, kind, picture) for kind in formats}


def _printed(figure: Figure, kind: str, picture=None) -> bytes:
    caption, alt, buffer = figure.zcq_caption, alternative(figure), io.BytesIO()
    if kind == "png":
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("Title", caption.title)
        info.add_itxt("Description", alt)
        few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(buffer, "png", pnginfo=info, dpi=(SIZES[figure.zcq_size].dpi,) * 2)
        return buffer.getvalue()
    outlined = [t for t in figure.findobj(Text) if t.get_path_effects()]  # bold: no text is kept
    lines = [line for t in outlined for line in t.get_text().split("\n") if line.strip()]
    told = (
        dict(Date=None, Creator=None, Title=caption.title, Description=alt, Keywords=lines)
        if kind == "svg"
        else {
            "CreationDate": None,
            "Creator": None,
            "Producer": None,
            "Title": caption.title,
            "Subject": alt,
        }
    )
    strong = [copy(t) for t in figure.texts if t.get_path_effects()] if kind == "pdf" else []
    for (
        t
    ) in strong:  # bold letters are outlines, which nobody can copy: the plain text is set on them
        t.set_path_effects([])
    figure.texts.extend(strong)
    try:
        figure.savefig(buffer, format=kind, metadata=told)
    finally:
        del figure.texts[len(figure.texts) - len(strong) :]
    return buffer.getvalue()


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
    """Display a figure in a notebook: the very picture that was saved, or a fresh one."""
    from IPython.display import Image, display

    if (data := getattr(figure, "zcq_png", None)) is None:
        buffer = io.BytesIO()
        drawn(figure).save(buffer, "png")
        data = buffer.getvalue()
    display(Image(data, width=int(figure.get_size_inches()[0] * 72), alt=alternative(figure)))
