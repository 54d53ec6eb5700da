"""Findings on the record: what was said in past months and what came, of our own series and of the real ones."""

import numpy as np
import pandas as pd

from zcqlib.findings.found import Given, Told, finding

SHARES = "claimed came_true by_luck by_luck_high share cov80 cov95 crps right linear_right".split()
WHOSE = {"own": "本办", "real": "公开月度序列"}
REAL = "美国人口普查局企业成立统计、美国专利商标局授权专利（PatentsView整理）"
NOTHING = "还没有可回放的年份"
ENOUGH = 10  # calls of about .7 for a sentence
SMALL = 100  # a share of fewer cases errs by ten points


@finding("""
    claimed % : 当时说的把握
    came_true % : 实际完成的比例
    by_luck % : 抽样误差下限
    by_luck_high % : 抽样误差上限
    cases . : 说过的次数
    calls 次 : 回放次数
    share % : 平均误差与序时进度之比
    cov80 % : 80%区间实际覆盖
    cov95 % : 95%区间实际覆盖
    seven 次 : 说“约七成把握”
    seven_came 次 : 其中做到
    error %.1 : 平均误差
    linear_error %.1 : 序时进度误差
    crps %.2 : CRPS（占上年）
    brier .3 : 布赖尔得分
    linear_brier .3 : 序时进度布赖尔
    right % : 从该月起一直正确
    linear_right % : 序时进度一直正确
    calibrated 项 : 已按本办记录校正的把握
""")
def record(given: Given) -> Told:
    """What replays of closed years said and what came, our own first, the real monthly series second.

    Rows: `<whose>|all`, own or real; `said<n>` a class of chances, with the range where its share would lie by luck
    alone, and `sure<n>` what 序时进度 said, which is sure of itself; `month<k>` by month of call. `calibrated` counts the chances that the own record has moved.
    """
    t = given.table("RECORD")
    what, number = t.what, t.no.astype("str")
    id = t.whose + "|" + what + number.mask(what.eq("all"), "")
    classes = what.isin(["said", "sure"])
    half = 1.645 * np.sqrt((t.said * (1 - t.said)).clip(lower=0.01) / t.calls)
    half = half.where(what.eq("said"))
    t = t.assign(
        by_luck=(t.said - half).clip(0, 1),
        by_luck_high=(t.said + half).clip(0, 1),
        share=t.error / t.linear_error.where(what.eq("all")),
        cases=t.calls.where(classes),
        calls=t.calls.mask(classes),
        label=(number + "月").mask(what.eq("all"), "全部"),
        indicator=t.whose.mask(what.eq("all"), ""),
        inputs=t.whose.map({"own": "SERIES/", "real": "PUBLISHED/"}),
        basis=id,
    )
    t = t.rename(columns={"said": "claimed", "came": "came_true"}).set_axis(id)
    t[SHARES] *= 100
    t["at"] = t.claimed
    told = [_told(t, w) + _few(t, w) for w in WHOSE if f"{w}|all" in t.index]
    told[:1] = [f"按往年逐月回放，{first}" for first in told[:1]]
    if t.calibrated.any():
        told.insert(1, "本期{own|all.calibrated}把握已按本办记录校正")
    own = [given.source()] if "own|all" in t.index else []
    about = dict(source=given.reckoned(source="、".join([*own, REAL])), demo=bool(t.demo.any()))
    return Told(t, "往年逐月回放", (told or [NOTHING])[0], told or None, about=about)


def _told(rows: pd.DataFrame, whose: str) -> str:
    """What was said of about .7 and how much of it came, or of all, where that was said too rarely."""
    row = f"{whose}|all"
    if rows.at[row, "seven"] >= ENOUGH:
        said = f"{WHOSE[whose]}说“约七成把握”的{{{row}.seven}}里做到了{{{row}.seven_came}}"
        came = rows.at[row, "seven_came"] / rows.at[row, "seven"]
        return said + "（偏保守）" * bool(came > 0.8) + "（偏乐观）" * bool(came < 0.6)
    return f"{WHOSE[whose]}平均把握{{{row}.claimed}}，实际完成{{{row}.came_true}}"


def _few(rows: pd.DataFrame, whose: str) -> str:
    return "（回放次数少，只作参考）" * bool(rows.at[f"{whose}|all", "calls"] < SMALL)


@finding()
def record_of(given: Given, whose: str = "own") -> Told:
    """One part of `record`, the `own` or the `real` series, with a title of its own."""
    base, row = record(given), f"{whose}|all"
    rows, t = base.rows[base.rows.index.str.startswith(whose)], given.table("RECORD")
    about = dict(source=given.reckoned() if whose == "own" else REAL, demo=False)
    if rows.empty:
        return Told(rows, WHOSE[whose], NOTHING, base=base, about=about)
    own = t.query("whose == @whose and what == 'all'").iloc[0]
    scope = f"{WHOSE[whose]}{own.series:.0f}条，{own.first:.0f}—{own.last:.0f}年回放"
    about |= dict(period=pd.Period(f"{own.last:.0f}-12", "M"), demo=bool(own.demo))
    title, share = _told(rows, whose), f"误差是序时进度的{{{row}.share}}"
    said = f"{{{row}.calls}}回放中，平均把握{{{row}.claimed}}，实际完成{{{row}.came_true}}"
    said = [said + _few(rows, whose), "平均" + share]
    title = f"{title.removeprefix(WHOSE[whose])}；{share}"  # whose the scope says
    return Told(rows, scope, title, said, base=base, about=about)
