"""What a reader sees of a page of bars, read from the finished figure alone, and held against the finding it shows."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from zcqlib.figures.theme import FigureError

NEAR = 1e-6  # of the page
BESIDE = "\u3000"  # between two facts in one print


def bars(figure: Figure) -> Iterator[tuple[str, str, float, float, str, str]]:
    """Label of the row, head of the column, length of the bar, place of its tick (NaN without), number beside it and
    the facts that it says it prints."""
    words = sorted(
        (*t.get_position(), t.get_text().replace("\n", ""), t.get_gid() or "") for t in figure.texts
    )
    axes = sorted(figure.axes, key=lambda ax: ax.get_position().x0)
    ends = [*(ax.get_position().x0 for ax in axes), 1.0]
    for ax, end in zip(axes, ends[1:], strict=True):
        box, up = ax.get_position(), ax.transData + figure.transFigure.inverted()
        above = [(y, w) for x, y, w, _ in words if abs(x - box.x0) < NEAR and y > box.y1]
        for bar in ax.patches:
            middle = bar.get_y() + bar.get_height() / 2
            _, at = up.transform((0, middle))
            row = [(x, *told) for x, y, *told in words if abs(y - at) < NEAR]
            ticks = (line.get_xydata() for line in ax.lines)
            marks = [x for (x, a), (_, b) in ticks if min(a, b) < middle < max(a, b)]
            (told,) = [told for x, *told in row[1:] if box.x0 <= x < end]
            yield row[0][1], min(above)[1], bar.get_width(), *(marks or [float("nan")]), *told


def compare(figure: Figure, found) -> int:
    """Hold every bar, tick and number against the finding's rows; how many bars there were.

    Parameters
    ----------
    found : `name`, `rows`, `things`, `measures`, `shown`, `key`, as a finding has them.
    Raises
    ------
    FigureError : names finding, row, column and both values.
    """
    ids = {label: row for row, label in found.things["label"].items()}
    heads, drawn = {m.head: c for c, m in found.measures.items()}, list(bars(figure))
    for label, head, value, mark, text, keys in drawn:
        row, column = ids.get(label, label), heads.get(head, head)
        place = f"图与数据不一致:{found.name}/{row}/{column} "
        if label not in ids or head not in heads:
            raise FigureError(f"{place}图中有而结论中没有。")
        own, aim = found.rows.at[row, column], found.measures[column].aim
        aim = found.rows.at[row, aim] if isinstance(aim, str) else aim
        told = [k.rpartition("/")[2] for k in keys.split("+")]
        named = "+".join(found.key(row, c) for c in (*told[:-1], column))
        printed = BESIDE.join(found.shown(row, c) for c in (*told[:-1], column))
        for what, seen, is_ in (
            ("柱长", value, own),
            ("竖线", mark, aim),
            ("编号", keys, named),
            ("数字", text, printed),
        ):
            if not (seen == is_ or isinstance(seen, float) and _same(seen, is_)):
                raise FigureError(f"{place}{what}为「{seen}」,应为「{is_}」。")
    if len(found.things) and not drawn:
        raise FigureError(f"图中读不回 {found.name} 的任何一个数。")
    return len(drawn)


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * abs(b) or a != a and b != b
