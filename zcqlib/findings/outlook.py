"""Findings on the year end: how the judgement moved, where the parks' chances are least, what is still open."""

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import NAN, Given, Measure, Told, finding, scale_of, sum_up
from zcqlib.findings.targets import ZONES, headline, lowest, of_light, standing
from zcqlib.tables import MissingData

BACK = range(1, 12)  # months back that a judgement may be compared with
OPEN, HARDEST = 4, 12  # targets on a page each, and in the list of the hardest


def _trail(given: Given) -> pd.DataFrame:
    t = given.table("TRAIL", region=ZONES, indicator=given.catalog.headline()["id"])
    return t.query("as_of <= @given.period and as_of.dt.year == @given.year")


@finding(
    """
    lowest chance : 今年最低
    highest chance : 今年最高
    up 项 : 上升
    down 项 : 下降
    same 项 : 不变
    """
    + "".join(f"before_{k} chance : {k}个月前的把握\nmoved_{k} +个百分点 : 变动\n" for k in BACK)
)
def outlook(given: Given) -> Told:
    """The chances of the zone's targets now and as judged in the months before.

    Rows: those of `standing` with a chance; `before_<k>` k months ago, `moved_<k>` in points as printed, `lowest` and
    `highest` of the year; `back_<k>` counts what rose, fell and stayed as printed.
    """
    base, t = standing(given), _trail(given)
    then = t.pivot_table(index="indicator", columns="as_of", values="probability")
    whole = lambda v: v.map(quantity.whole_chance, na_action="ignore").astype(float)  # noqa: E731
    t = headline(base).dropna(subset="chance")
    then, now = then.reindex(t.index), whole(t.chance)
    t = t.assign(lowest=then.min(axis=1), highest=then.max(axis=1))
    for k in BACK:
        t[f"before_{k}"] = before = then.get(given.period - k, now * NAN)
        t[f"moved_{k}"] = moved = now - whole(before)
        moved = np.sign(moved.dropna())
        if len(moved):
            counts = {c: moved.eq(way).sum() for c, way in (("up", 1), ("down", -1), ("same", 0))}
            label = f"{(given.period - k).month}月"
            sum_up(t, f"back_{k}", label, t.loc[moved.index], **counts)
    return Told(t, base.scope, title_moved(t, 1), base=base)


def title_moved(t: pd.DataFrame, back: int) -> str:
    """How many rose and fell since some months ago; what counts nothing is left out."""
    row = f"back_{back}"
    if row not in t.index:
        return "没有可比的往月判断"
    told = f"[，{{{row}.up}}上升][，{{{row}.down}}下降][，{{{row}.same}}不变]"
    return f"与{{{row}.label}}相比{told}"


@finding("\n".join((*quantity.STATES, "fine 项 : 已完成或把握较大", "more 项 : 比上月多")))
def trend(given: Given) -> Told:
    """How many of the zone's targets showed each light, month by month as judged then, graded as printed.

    Rows: a month each, columns by light; `fine` is 已完成 with 把握较大, `more` than the month before.
    """
    t, base, now = _trail(given), standing(given), str(given.period)
    lights = [quantity.light(r).light for r in t.to_dict("records")]
    counts = pd.crosstab(t.as_of, pd.Series(lights, t.index)).astype(float)
    counts = counts.reindex(columns=list(quantity.STATES), fill_value=0.0)
    if counts.drop(columns=["thin", "none", "unknown"]).sum(axis=None) == 0:
        raise MissingData("还没有目标可以判断")
    counts["fine"] = counts["met"] + counts["good"]
    counts["more"] = counts["fine"].diff()
    of = ("TRAIL/" + t.region + "." + t.indicator).groupby(t.as_of).agg(";".join)
    rows = counts.assign(label=[f"{m.month}月" for m in counts.index], inputs=of)
    rows.index = rows.index.map(str)
    title = "没有各月的判断"
    if now in rows.index:
        title = f"{{{now}.fine}}已完成或把握较大[，比上月{{{now}.more:多/少}}{{{now}.more:size}}]"
        title += f"[；{{{now}.hard}}难度较大]"
    lit = {k: Measure(quantity.lights().state(k).words, scale_of("项")) for k in quantity.STATES}
    about = dict(demo=base.demo, measures=trend.measures | lit)
    return Told(rows, base.scope, title, about=about)


@finding("""
    judged 项 : 有把握的园区目标
    unlikely 项 : 难度较大的园区目标
    tied 项 : 同为最低
    chance_told text chance : 把握
""")
def parks(given: Given) -> Told:
    """The chances of the parks' own targets of the ten groups, the lowest mean of the parks first; the zone's beside.

    Rows: those of `standing` that may have a chance, `at` their place; `parks` counts what has one.
    """
    base, met = standing(given), quantity.lights().state("met").words
    t = base.things
    t = t.query("group != '' and chance == chance")
    told = t.chance.map(quantity.chance_number)
    told = told.where(t.light.ne(met), met)
    t = t.assign(at=t.region.replace("city", "zone").map(given.names), chance_told=told)
    own = t.query(f"region not in {ZONES}")
    if own.empty:
        return Told(t, base.scope, "各园区目标未下达或未报，暂无把握可比", base=base)
    low, hard = lowest(own.chance), of_light(own, "hard").sum()
    counts = dict(judged=len(own), unlikely=hard, tied=len(low))
    sum_up(t, "parks", "各园区", own, chance_told="", **counts)
    which = "{parks.tied}最低，同为" if len(low) > 1 else f"{{{low[0]}.label}}最低，为"
    title = "[{parks.judged}园区目标中{parks.unlikely}难度较大，]"
    return Told(t, base.scope, f"{title}{which}{{{low[0]}.chance}}", base=base)


@finding("""
    listed 项 : 列出
    under 项 : 难度较大
""")
def hardest(given: Given) -> Told:
    """The zone's targets with the least chances, the least first; `all` counts them and the 难度较大 among them."""
    base = standing(given)
    t = headline(base).dropna(subset="chance").sort_values("chance", kind="stable").head(HARDEST)
    if t.empty:
        return Told(t, base.scope, "本期没有可判断的目标", base=base)
    told = [f"{{{i}.label}}：{{{i}.told}}" for i in t.index[:3]]
    sum_up(t, "all", "合计", listed=len(t), under=of_light(t, "hard").sum())
    title = "把握最低的{all.listed}目标中[{all.under}难度较大/没有难度较大的]"
    return Told(t, base.scope, title, told, base=base)


@finding()
def undecided(given: Given) -> Told:
    """The zone's targets that are still open, the most open one first: the year end of each in a sentence."""
    base = standing(given)
    t = headline(base)
    t = t[of_light(t, "hard", "open")].dropna(subset="chance")
    t = t.loc[(t.chance - 0.5).abs().sort_values(kind="stable").index].head(OPEN)
    return Told(t, base.scope, "需要研究的目标", [f"{{{i}.told}}" for i in t.index], base=base)
