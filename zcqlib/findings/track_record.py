"""Findings on the record: what was said in past months and what came, of our own series and of the real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib.findings.found import COUNT, PERCENT, Found, Given, Measure, Scale, finding, lay
from zcqlib.findings.targets import borrowed

RATES, TIMES, FINE = Scale("%"), Scale("次"), Scale("", digits=3)
RECORD = {
    "claimed": Measure("当时说的把握", RATES),
    "came_true": Measure("实际完成的比例", RATES),
    "by_luck": Measure("抽样误差下限", RATES),
    "by_luck_high": Measure("抽样误差上限", RATES),
    "cases": Measure("说过的次数", Scale("")),
    "calls": Measure("回放次数", TIMES),
    "share": Measure("平均误差与序时进度之比", RATES),
    "cov80": Measure("80%区间实际覆盖", RATES),
    "cov95": Measure("95%区间实际覆盖", RATES),
    "seven": Measure("说“约七成把握”", TIMES),
    "seven_came": Measure("其中做到", TIMES),
    "error": Measure("平均误差", PERCENT),
    "linear_error": Measure("序时进度误差", PERCENT),
    "crps": Measure("CRPS（占上年）", Scale("%", digits=2)),
    "brier": Measure("布赖尔得分", FINE),
    "linear_brier": Measure("序时进度布赖尔", FINE),
    "right": Measure("从该月起一直正确", RATES),
    "linear_right": Measure("序时进度一直正确", RATES),
    "calibrated": Measure("已按本办记录校正的把握", COUNT),
}
SHARES = "claimed came_true by_luck by_luck_high share cov80 cov95 crps right linear_right".split()
WHOSE = {"own": "本办", "real": "公开月度序列"}
LABELS = {"all": "全部", "parts": "各州", "joint": "联合加总"}
REAL = "美国人口普查局企业成立统计、美国专利商标局授权专利（PatentsView整理）"
NOTHING = "还没有可回放的年份"
ENOUGH, SMALL = (
    10,
    100,
)  # calls of about .7 for a sentence; a share of fewer cases errs by ten points


@finding(*RECORD)
def record(given: Given) -> Found:
    """What replays of closed years said and what came, our own first, the real monthly series second.

    Rows: `<whose>|all`, own or real; `said<n>` a class of chances, with the range where its share would lie by luck
    alone, and `sure<n>` what 序时进度 said, which is sure of itself; `month<k>` by month of call; `parts0`, `joint0` the
    parts of one whole and their sum. `calibrated` counts the chances that the own record has moved.
    """
    t = given.table("RECORD")
    number = t["no"].astype("str")
    t = t.set_index(t["whose"] + "|" + t["what"] + number.mask(t["what"].eq("all"), ""))
    what, classes = t["what"], t["what"].isin(["said", "sure"])
    t = t.assign(cases=t["calls"].where(classes), calls=t["calls"].mask(classes))
    half = 1.645 * np.sqrt((t["said"] * (1 - t["said"])).clip(lower=0.01) / t["cases"])
    half = half.where(what.eq("said"))
    t = t.assign(by_luck=(t["said"] - half).clip(0, 1), by_luck_high=(t["said"] + half).clip(0, 1))
    t = t.rename(columns={"said": "claimed", "came": "came_true"})
    t["share"] = t["error"] / t["linear_error"].where(what.eq("all"))
    t[SHARES] *= 100
    t["label"] = what.map(LABELS).fillna(number.set_axis(t.index) + "月")
    t["indicator"] = t["whose"].mask(what.eq("all"), "")
    t["inputs"] = t["whose"].map({"own": "SERIES/", "real": "PUBLISHED/"})
    rows = lay(t.assign(basis=t.index), RECORD).assign(at=t["claimed"])
    told = [_told(rows, w) + _few(rows, w) for w in WHOSE if f"{w}|all" in rows.index]
    told[:1] = [f"按往年逐月回放，{t}" for t in told[:1]]
    if rows["calibrated"].any():
        told.insert(1, "本期{own|all.calibrated}把握已按本办记录校正")
    source = f"{given.source()}、{REAL}" if t["whose"].eq("own").any() else REAL
    about = f"{source}，自创办测算", "往年逐月回放", given.period, given.known, t["demo"].any()
    return Found("record", rows, RECORD, *about, (told or [NOTHING])[0], tuple(told))


def _told(rows: pd.DataFrame, whose: str) -> str:
    """What was said of about .7 and how much of it came, or of all, where that was said too rarely."""
    row = f"{whose}|all"
    if rows.at[row, "seven"] >= ENOUGH:
        return f"{WHOSE[whose]}说“约七成把握”的{{{row}.seven}}里做到了{{{row}.seven_came}}"
    return f"{WHOSE[whose]}平均把握{{{row}.claimed}}，实际完成{{{row}.came_true}}"


def _few(rows: pd.DataFrame, whose: str) -> str:
    return "（回放次数少，只作参考）" if rows.at[f"{whose}|all", "calls"] < SMALL else ""


@finding()
def record_of(given: Given, whose: str = "own") -> Found:
    """One part of `record`, the `own` or the `real` series, with a title of its own."""
    base, t = record(given), given.table("RECORD")
    t = t[t["whose"].eq(whose)]
    rows = base.rows[base.rows.index.str.startswith(whose)]
    source = f"{given.source()}，自创办测算" if whose == "own" else REAL
    if t.empty:
        about = source, WHOSE[whose], given.period, given.known, False
        return Found("record_of", rows, RECORD, *about, NOTHING, home=borrowed(base))
    own, row = t[t["what"].eq("all")].iloc[0], f"{whose}|all"
    scope = f"{WHOSE[whose]}{own['series']:.0f}条，{own['first']:.0f}—{own['last']:.0f}年回放"
    when = pd.Period(f"{own['last']:.0f}-12", "M"), given.known, own["demo"]
    title, share = _told(rows, whose), f"平均误差是序时进度的{{{row}.share}}"
    said = (
        f"{{{row}.calls}}回放中，平均把握{{{row}.claimed}}，实际完成{{{row}.came_true}}{_few(rows, whose)}",
        share,
    )
    short = title.removeprefix(WHOSE[whose])  # which the scope says
    titles = f"{title}；{share}", f"{short}，误差为序时进度的{{{row}.share}}", title
    told = titles, said, borrowed(base)
    return Found("record_of", rows, RECORD, source, scope, *when, *told)
