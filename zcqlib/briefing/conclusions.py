"""Titles of figures and first paragraphs of notebooks, computed from the tables; every number goes through `words`.

`name` is the catalog's: id → Chinese name. Titles are at most 34 characters.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from zcqlib.quantity import (
    Scale,
    block,
    fit_title,
    number,
    percent,
)

Name = Callable[[str], str]
SMALL_RECORD = 100  # a share of fewer cases has an interval of ten points either way


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


# titles ---------------------------------------------------------------------------------------------------------------


def title_why(rows: pd.DataFrame, what: str) -> str:
    """专利申请总量完成把握由59%升至73%,主要因为9月数据高于预计; `rows` as `views.why.moves` gives them."""
    if len(rows) < 2:
        told = (
            f"{what}完成把握{rows['told'].iloc[0]},没有上月预测可比"
            if len(rows)
            else f"{what}没有把握可比"
        )
        return fit_title(told, told.removeprefix(what))
    a, b = rows.iloc[0], rows.iloc[-1]
    if a["told"] == b["told"]:
        return fit_title(f"{what}完成把握仍为{b['told']}", f"完成把握仍为{b['told']}")
    up = b["value"] >= a["value"]
    steps = rows[~rows["is_level"]]
    main = steps.loc[(steps["value"] * (1 if up else -1)).idxmax()]
    head = f"完成把握由{a['told']}{'升' if up else '降'}至{b['told']}"
    reasons = [f"{head},主要因为{r}" for r in _reasons(main, up)]
    return fit_title(*(what + t for t in reasons), *reasons)


def _reasons(step: pd.Series, up: bool) -> list[str]:
    """What a step of the waterfall means, the fullest wording first."""
    if step["part"] != "new":
        return [
            {"restated": "前期数据修订", "target": "目标调整", "method": "方法更新"}[step["part"]]
        ]
    if step["median"] == 0 or (step["median"] > 0) != up:
        return ["余下月份减少,不确定性变小", "余下月份减少"]
    return [step["label"].removesuffix("新数据") + f"数据{'高于' if up else '低于'}预计"]


def why(rows: pd.DataFrame, what: str, s: Scale | None) -> str:
    """专利申请总量完成把握由59%升至73%:9月新数据+16个百分点,…;年末预计由5037件升至5123件; figures add up as printed.

    Parameters
    ----------
    rows : as `views.why.moves` gives them. s : scale of `median`, None where there are no rows.
    """
    if len(rows) < 2:
        return (
            f"{what}完成把握{rows['told'].iloc[0]},没有上月预测可比"
            if len(rows)
            else f"{what}没有可以比较的把握"
        )
    a, b = rows.iloc[0], rows.iloc[-1]
    move = lambda x, y, words: f"由{x}{'升' if words > 0 else '降'}至{y}" if words else f"仍为{y}"  # noqa: E731
    steps = rows[~rows["is_level"]]
    parts = [f"{r.label}{r.told}个百分点" for r in steps[steps["value"] != 0].itertuples()]
    if parts and len(parts) < len(steps):
        parts.append("其余为0")
    chances = f"{what}完成把握" + move(a["told"], b["told"], b["value"] - a["value"])
    median = "年末预计" + move(s.text(a["median"]), s.text(b["median"]), b["median"] - a["median"])
    medians = [f"{r.label}{r.also}" for r in steps[steps["median"] != 0].itertuples()]
    return (
        f"{chances}"
        + (f"({'、'.join(parts)})" if parts else "")
        + f",{median}"
        + (f"({'、'.join(medians)})" if medians else "")
    )


# conclusions ----------------------------------------------------------------------------------------------------------


def said_and_came(said: float, came: float) -> str:
    return f"平均把握{percent(said, 0)},实际完成{percent(came, 0)}"


def against_linear(share: float) -> str:
    """`share` : our mean error by that of 序时进度, the same measure of both."""
    return f"平均误差是序时进度的{percent(share, 0)}"


def record(said: float, came: float, cases: int, share: float = float("nan")) -> str:
    """Notebook 08: mean chance said, share that came true, over how many past cases, and the error by 序时进度's."""
    small = "回放次数少,只作参考" if cases < SMALL_RECORD else ""
    gain = against_linear(share) if share == share else ""
    return block([f"{cases}次回放中,{said_and_came(said, came)}", gain, small], False)


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
