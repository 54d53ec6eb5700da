"""Findings on the year end: how the judgement moved, where the parks' chances are least, what is still open."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import (
    CHANCE,
    COUNT,
    Change,
    Found,
    Given,
    Measure,
    Scale,
    finding,
    words,
)
from zcqlib.findings.targets import NAN, STANDING, ZONES, borrowed, standing, ties

POINTS = Change("个百分点")
BACK = range(1, 12)  # months back that a judgement may be compared with
OPEN, HARDEST = 4, 12  # targets on a page each, and in the list of the hardest
OUTLOOK = {
    "lowest": Measure("今年最低", CHANCE),
    "highest": Measure("今年最高", CHANCE),
    **{f"before_{k}": Measure(f"{k}个月前的把握", CHANCE) for k in BACK},
    **{f"moved_{k}": Measure("变动", POINTS) for k in BACK},
    "up": Measure("上升", COUNT),
    "down": Measure("下降", COUNT),
    "same": Measure("不变", COUNT),
}
TREND = {k: Measure(k, COUNT) for k in quantity.STATES} | {
    "fine": Measure("已完成或把握较大", COUNT),
    "more": Measure("比上月多", COUNT),
}
PARKS = {
    "judged": Measure("有把握的园区目标", COUNT),
    "unlikely": Measure("难度较大的园区目标", COUNT),
    "tied": Measure("同为最低", Scale("个")),
    "chance_told": words("把握", "chance"),
}
HARD = {"listed": Measure("列出", COUNT), "under": Measure("难度较大", COUNT)}


def _found(name: str, base: Found, rows: pd.DataFrame, own: dict, *told) -> Found:
    """A finding on rows of `standing` with columns of its own."""
    about = base.source, base.scope, base.period, base.known, base.demo
    return Found(name, rows, STANDING | own, *about, *told, home=borrowed(base))


def _headline(base: Found) -> pd.DataFrame:
    """The zone's and the city's targets of the ten groups."""
    t = base.things
    return t[t["group"].ne("") & t["region"].isin(ZONES)]


def _trail(given: Given) -> pd.DataFrame:
    t = given.table("TRAIL")
    t = t[t["region"].isin(ZONES) & t["indicator"].isin(given.catalog.headline()["id"])]
    return t[(t["as_of"] <= given.period) & t["as_of"].dt.year.eq(given.period.year)]


@finding(*OUTLOOK)
def outlook(given: Given) -> Found:
    """The chances of the zone's targets now and as judged in the months before.

    Rows: those of `standing` with a chance; `before_<k>` k months ago, `moved_<k>` in points as printed, `lowest` and
    `highest` of the year; `back_<k>` counts what rose, fell and stayed as printed.
    """
    base, trail = standing(given), _trail(given)
    t = _headline(base)
    t = t[t["chance"].notna()]
    then = trail.pivot_table(index="indicator", columns="as_of", values="probability")
    then = then.reindex(t.index)
    t = t.assign(lowest=then.min(axis=1), highest=then.max(axis=1), up=NAN, down=NAN, same=NAN)
    whole = lambda v: v.map(quantity.whole_chance, na_action="ignore").astype(float)  # noqa: E731
    for k in BACK:
        before = then.get(given.period - k, pd.Series(NAN, t.index))
        t = t.assign(**{f"before_{k}": before, f"moved_{k}": whole(t["chance"]) - whole(before)})
    things = t.copy()
    for k in BACK:
        moved = things[f"moved_{k}"].dropna()
        if len(moved):
            at = f"{(given.period - k).month}月", ";".join(things.loc[moved.index, "inputs"])
            counts = [(np.sign(moved) == way).sum() for way in (1, -1, 0)]
            t.loc[f"back_{k}", ["label", "inputs", "up", "down", "same"]] = (*at, *counts)
    return _found("outlook", base, t, OUTLOOK, title_moved(t, 1))


def title_moved(t: pd.DataFrame, back: int) -> str:
    """How many rose and fell since some months ago; what counts nothing is left out."""
    row = f"back_{back}"
    if row not in t.index:
        return "没有可比的往月判断"
    words = dict(up="上升", down="下降", same="不变")
    told = [f"{{{row}.{c}}}{w}" for c, w in words.items() if t.at[row, c]]
    return f"与{{{row}.label}}相比，把握" + "、".join(told)


@finding(*TREND)
def trend(given: Given) -> Found:
    """How many of the zone's targets showed each light, month by month as judged then, graded as printed.

    Rows: a month each, columns by light; `fine` is 已完成 with 把握较大, `more` than the month before.
    """
    t, base = _trail(given), standing(given)
    lights = [quantity.light(r).light for r in t.to_dict("records")]
    counts = pd.crosstab(t["as_of"], pd.Series(lights, t.index)).astype(float)
    counts = counts.reindex(columns=list(quantity.STATES), fill_value=0.0)
    counts["fine"] = counts["met"] + counts["good"]
    counts["more"] = counts["fine"].diff()
    of = ("TRAIL/" + t["region"] + "." + t["indicator"]).groupby(t["as_of"]).agg(";".join)
    labels = [f"{m.month}月" for m in counts.index]
    rows = counts.assign(label=labels, indicator="", inputs=of)
    rows.index = rows.index.map(str)
    title = "没有各月的判断"
    if (now := str(given.period)) in rows.index:
        more = rows.at[now, "more"]
        rows["more"] = rows["more"].abs()
        since = f"，比上月{'多' if more > 0 else '少'}{{{now}.more}}" if abs(more) > 0 else ""
        hard = f"；{{{now}.hard}}难度较大" if rows.at[now, "hard"] else ""
        fine = f"{{{now}.fine}}已完成或把握较大{since}"
        title = fine + hard, fine
    about = base.source, base.scope, base.period, base.known, base.demo
    heads = {k: Measure(quantity.lights().state(k).words, COUNT) for k in quantity.STATES}
    return Found("trend", rows, TREND | heads, *about, title)


@finding(*PARKS)
def parks(given: Given) -> Found:
    """The chances of the parks' own targets of the ten groups, the lowest mean of the parks first; the zone's beside.

    Rows: those of `standing` that may have a chance, `at` their place; `parks` counts what has one.
    """
    base, met = standing(given), quantity.lights().state("met").words
    t = base.things
    t = t[t["group"].ne("") & t["chance"].notna()]
    names = dict.fromkeys(ZONES, given.catalog.zone.parts_zh)
    t = t.assign(at=[names.get(r) or given.catalog.name(r) for r in t["region"]])
    told = t["chance"].map(quantity.chance_number)
    t["chance_told"] = told.where(t["light"].ne(met), met)
    own = t[~t["region"].isin(ZONES)]
    hard = own["light"].eq(quantity.lights().state("hard").words)
    low = ties(own["chance"])
    t = t.assign(judged=NAN, unlikely=NAN, tied=NAN)
    if own.empty:
        return _found("parks", base, t, PARKS, "各园区目标未下达或未报，暂无把握可比")
    t.loc["parks", ["judged", "unlikely", "tied"]] = len(own), hard.sum(), len(low)
    inputs = ";".join(own["inputs"])
    t.loc["parks", ["label", "inputs", "chance_told"]] = "各园区", inputs, ""
    tail = f"{{{low[0]}.label}}最低，为{{{low[0]}.chance}}"
    if len(low) > 1:
        tail = f"{{parks.tied}}最低，同为{{{low[0]}.chance}}"
    few = f"{{parks.unlikely}}园区目标难度较大，{tail}"
    title = f"{{parks.judged}}园区目标中{{parks.unlikely}}难度较大，{tail}" if hard.any() else tail
    return _found("parks", base, t, PARKS, (title, few, tail))


@finding(*HARD)
def hardest(given: Given) -> Found:
    """The zone's targets with the least chances, the least first; `all` counts them and the 难度较大 among them."""
    base = standing(given)
    t = _headline(base).dropna(subset="chance").sort_values("chance", kind="stable").head(HARDEST)
    hard = t["light"].eq(quantity.lights().state("hard").words)
    t = t.assign(listed=NAN, under=NAN)
    if t.empty:
        return _found("hardest", base, t, HARD, "本期没有可判断的目标")
    told = tuple(f"{{{i}.label}}：{{{i}.told}}" for i in t.index[:3])
    inputs = ";".join(t["inputs"])
    t.loc["all", ["listed", "under"]] = len(t), hard.sum()
    t.loc["all", ["label", "inputs"]] = "合计", inputs
    words = "{all.under}难度较大" if hard.any() else "没有难度较大的"
    return _found("hardest", base, t, HARD, f"把握最低的{{all.listed}}目标中{words}", told)


@finding()
def undecided(given: Given) -> Found:
    """The zone's targets that are still open, the most open one first: the year end of each in a sentence."""
    base = standing(given)
    t = _headline(base)
    open_ = [quantity.lights().state(k).words for k in ("hard", "open")]
    t = t[t["chance"].notna() & t["light"].isin(open_)]
    t = t.loc[(t["chance"] - 0.5).abs().sort_values(kind="stable").index].head(OPEN)
    told = tuple(f"{{{i}.told}}" for i in t.index)
    return _found("undecided", base, t, {}, "需要研究的目标", told)
