"""Titles of figures and first paragraphs of notebooks, computed from the tables; every number goes through `words`.

`name` is the catalog's: id → Chinese name. Titles are at most 34 characters.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from zcqlib.quantity import (
    block,
    number,
    percent,
)

Name = Callable[[str], str]


def extreme(
    values: pd.Series, text: Callable[[float], str], unit: str = "项", least: bool = False
) -> str:
    """Who has the highest (or least) value as printed: the label, up to three that tie, or how many there are.

    Parameters
    ----------
    values : by label. text : how a value is printed; what prints alike ties.
    """
    told = values.dropna().map(text)
    ties = told.index[told == text(values.min() if least else values.max())]
    return "、".join(ties) if len(ties) <= 3 else f"并列的{len(ties)}{unit}"


def demo_of(*frames: pd.DataFrame) -> bool:
    return any(bool(f["demo"].any()) for f in frames if "demo" in f and len(f))


# conclusions ----------------------------------------------------------------------------------------------------------


def own_record(said: pd.DataFrame, scored: pd.DataFrame) -> str:
    """Notebook 08: what we said this year (TRAIL), and how the stored calls of closed years came true."""
    given = said[said["probability"].notna()]
    kept = "本年还没有判断"
    if len(given):
        kept = f"{int(given['year'].max())}年已留存{len(given)}次判断({given['as_of'].nunique()}个月),年度结束后打分"
    if scored.empty:
        return block([kept, "此前没有已结束年度的留存判断"], demo_of(said))
    return block(
        [
            f"已结束年度的{len(scored)}次判断,平均把握{percent(scored['p'].mean(), 0)},"
            f"实际完成{percent(scored['met'].mean(), 0)};布赖尔得分{number(scored['brier'].mean(), '', 3)},"
            f"按序时进度为{number(scored['linear_brier'].mean(), '', 3)}",
            kept,
        ],
        demo_of(said, scored),
    )
