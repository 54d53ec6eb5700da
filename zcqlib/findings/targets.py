"""Findings on targets: where each stands, against 序时进度, and what each remaining month asks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.analysis import recent_means
from zcqlib.findings.found import (
    NAMED,
    NAN,
    Found,
    Given,
    Told,
    finding,
    inputs,
    lay,
    names,
    sum_up,
    ties,
)
from zcqlib.projection.pace import paces
from zcqlib.quantity import months_left
from zcqlib.tables import MissingData

HALF = 5  # groups on the first of two pages
ZONES = ("zone", "city")  # everything else that has a target is a park
FUTURE = ("median", "low", "high")


def row_id(region: str, indicator: str) -> str:
    """The row of a target: its indicator, of a park's with the park before it."""
    return indicator if region in ZONES else f"{region}|{indicator}"


def lowest(chances: pd.Series) -> pd.Index:
    """The rows whose chance prints like the lowest."""
    return ties(chances.mask(chances.lt(0.01), 0.0), 2, least=True)


def headline(base: Found) -> pd.DataFrame:
    """The zone's and the city's targets of the ten groups."""
    return base.things.query(f"group != '' and region in {ZONES}")


def of_light(t: pd.DataFrame, *states: str) -> pd.Series:
    """Which rows show one of these lights."""
    return t.light.isin([quantity.lights().state(k).words for k in states])


@finding("""
    done : 当前值
    target : 目标值
    target_high : 目标上限
    median : 全年预计
    low : 区间下限
    high : 区间上限
    gap points : 缺口
    needed : 余下每月所需
    due : 序时应达
    on_pace : 此时应达
    level % : 区间覆盖
    chance chance : 把握
    left 个月 : 余下月数
    usual usual : 近12个月均值
    done_pct %.1 due_pct : 完成率
    on_pace_pct %.1 : 此时应达率
    median_pct %.1 : 预计完成率
    low_pct %.1 : 区间下限完成率
    high_pct %.1 : 区间上限完成率
    of_usual 倍.2 1.0 : 每月所需÷近12个月均值
    sdg_ratio 倍.2 : SDG实际÷所需增速
    count 项 : 项数
    group text : 组
    light text : 判断
    state text : 灯号
    word text : 对照
    reason text : 适用的进度标准
    sdg text : SDG进展
    units text : 责任单位
    who text : 名称
    promise text target target_high : 目标
    told text median low high level target target_high chance done left needed usual of_usual : 年末预测
    headline text median target target_high chance : 年末预测标题
""")
def standing(given: Given) -> Told:
    """Every target of the zone, the city and the parks: where it is, should be and may end.

    Rows: `row_id` with quantities in the target's unit (`gap` and `needed` as printed, `on_pace` by the pace that fits),
    shares of the target in %; of the ten groups' targets counts by light, `<light>` of the zone's and the city's,
    `<park>|<light>` of a park's, with `all`, and `first|`, `second|` before it for the first and last five groups; `group` is empty for other targets than theirs.
    """
    p, s, catalog = given.table("PROJECTIONS"), given.table("SERIES"), given.catalog
    plan = catalog.targets.drop_duplicates("id").set_index("id")
    key, about = ["region", "indicator"], dict(responsible="", responsible_basis="")
    due = paces(p, s, catalog, catalog.batches).set_index(key)
    p = p.drop(columns=["demo", "commitment"], errors="ignore")
    order = {i: n for n, i in enumerate(plan.index)}
    p = p.sort_values("indicator", key=lambda v: v.map(order), kind="stable")
    p = p.join(plan[[*about, "commitment"]], on="indicator").fillna(about | dict(commitment="firm"))
    usual, group = recent_means(s, given.period), catalog.headline().set_index("id")["group"]
    p["usual"] = [usual.get(at, NAN) for at in zip(p.region, p.indicator, strict=True)]
    p = p.join(due, on=key)
    each = p.to_dict("records")
    told, left = (
        pd.DataFrame([_told(r, given) for r in each], p.index),
        [months_left(r) for r in each],
    )
    p = p.assign(left=np.array(left, int))
    t = p.rename(columns=dict(actual="done", due="on_pace", target_low="target"))
    even = (t.target * (12 - t.left) / 12).where(t.kind.isin(["flow", "recurring"]), t.linear)
    chance, target = t.probability.mask(t.kind.eq("milestone")), t.target.where(t.target.ne(0))
    shares = {f"{c}_pct": 100 / target * t[c] for c in ("done", "on_pace", *FUTURE)}
    t = t.assign(due=even, chance=chance, level=100 * t.level, **shares, **told)
    t = lay(t.set_axis(map(row_id, t.region, t.indicator)), standing.measures)
    t["group"] = t.indicator.map(group).fillna("")
    head = t.query("group != ''")
    half = head.group.astype(int).le(HALF).map({True: "first|", False: "second|"})
    for park, own in head.groupby(head.region.where(~head.region.isin(ZONES), "")):
        for part, shown in [("", own), *own.groupby(half)]:
            _count(t, shown, f"{park}|" * bool(park) + part)
    said = [f"{{{k}.label}}{{{k}.count}}：{{{k}.who}}" for k in quantity.STATES if k in t.index]
    said += ["[把握最低的是{least.label}，{least.chance}]"]
    if "all" not in t.index:
        said = ["没有全区的预测结果，请先核对报表是否收到"]
    scope = f"{given.place}合计，{given.year}年"
    return Told(t, scope, title_lights(t), said, demo="PROJECTIONS")


def _told(r: Mapping, given: Given) -> dict:
    """What stands of one PROJECTIONS row in print: its scale, names and sentences, and what is derived from them."""
    i, region, usual, typeset = r["indicator"], r["region"], r["usual"], quantity.typeset
    scale, light, short = quantity.row_scale(r), quantity.light(r), quantity.shortfall(r)
    need = None if r["unit"] in quantity.SHARES else quantity.needed(r)
    return dict(
        label=given.name(region) * (region not in ZONES) + given.name(i),
        scale=scale,
        inputs=inputs(region, i, table="PROJECTIONS TARGETS SERIES"),
        gap=NAN if short is None else float(short * scale.factor),
        needed=NAN if need is None else float(need * scale.factor),
        of_usual=quantity.asked(r) / usual if need is not None and usual > 0 else NAN,
        units=quantity.responsible(r["responsible"], r["responsible_basis"]),
        promise=quantity.target(r, words=False),
        light=light.words,
        state=light.mark + light.words,
        told=typeset(quantity.projection_sentence(r, usual)),
        headline=typeset(title_year_end(r, given.name(i))),
        reason=typeset(r["reason"]) if r["reason"] == r["reason"] else "",
    )


def title_year_end(row: Mapping, what: str) -> str:
    """The year end of a PROJECTIONS row as a title: 专利申请总量全年预计4879件,完成5000件目标的把握73%."""
    s, median = quantity.row_scale(row), row["median"]
    ahead = f"{what}全年预计{s.text(s.round(median))}" if median == median else what
    if row["probability"] != row["probability"]:
        return quantity.fit_title(f"{ahead},不给概率", f"{what},不给概率")
    words = quantity.target_words(row, s).removesuffix("的目标")  # 超过5,000件的把握
    tail = f"{words}的把握{quantity.chance_prose(row['probability'])}"
    full = f"{ahead},{quantity.verb(row)}{tail}"
    return quantity.fit_title(full, f"{ahead},{tail}", f"{what},{tail}")


def _count(t: pd.DataFrame, own: pd.DataFrame, prefix: str) -> None:
    """Summary rows of one place: how many targets show each light and which, all, and the least chance."""
    for k in (*quantity.STATES, "all"):
        some = own if k == "all" else own[of_light(own, k)]
        if len(some):
            label = "合计" if k == "all" else quantity.lights().state(k).words
            sum_up(t, prefix + k, label, some, count=len(some), who=names(some["label"]))
    least = own.loc[lowest(own.chance)]
    if len(least):
        told = names(least.label) if len(least) <= NAMED else f"并列的{len(least)}项"
        sum_up(t, f"{prefix}least", told, least, chance=least.chance.min())


def title_lights(t: pd.DataFrame, prefix: str = "") -> str:
    """The title that counts the lights of one place; what counts nothing is left out."""
    there = [k for k in quantity.STATES if prefix + k in t.index]
    told = [k for k in there if k in ("met", "good", "hard")] or there
    said = "，".join(f"{{{prefix}{k}.label}}{{{prefix}{k}.count}}" for k in told)
    return f"[{{{prefix}all.count}}目标/本期没有可判断的目标]" + "：" * bool(said) + said


@finding()
def glance(given: Given, half: str = "", region: str = "zone") -> Told:
    """The ten groups' targets of one place, all or those of the `first` or `second` five groups, in their order.

    Rows: those of `standing`, with its counts.
    """
    base, zone = standing(given), region == "zone"
    own = headline(base) if zone else base.things.query("group != '' and region == @region")
    number = own.group.astype(int).sort_values(kind="stable")
    own = own.loc[number.index]
    if half:
        own = own[number.le(HALF).eq(half == "first")]
    if own.empty:
        raise MissingData("这几组没有目标")
    if own[["done", "median"]].isna().all(axis=None):
        raise MissingData("这几组目标的数还没有报齐，暂不作图")
    rows = pd.concat([own, base.rows.drop(base.things.index)])
    place = f"{given.whole(region)}，{given.year}年"
    title = title_lights(base.rows, f"{region}|" * (not zone) + f"{half}|" * bool(half))
    return Told(rows, place, title, base=base)


@finding("""
    due_pct %.1 : 序时进度
    of_best 倍.2 1.0 : 每月所需÷历史最好单月
    of 项 : 累计类目标
    below 项 : 低于序时进度
    reached 项 : 已达到目标数
    beyond 项 : 每月须超过历史最好单月
""")
def pace(given: Given) -> Told:
    """The zone's flows among the ten groups against 序时进度 (a ruler and no verdict), and what is needed a month.

    Rows: those of `standing`, with `of_best` (exact need by the best month ever) and `due_pct` in %; `all` counts;
    `least` is the lowest `done_pct`, `of` how many print alike.
    """
    base, ids = standing(given), given.catalog.headline()["id"]
    p = given.table("PROJECTIONS", region="zone", kind="flow", indicator=ids)
    p = p.query("target_low > 0 and actual == actual").set_index("indicator", drop=False)
    p = p.loc[[i for i in base.rows.index if i in p.index]]
    if p.empty:
        return Told(base.rows[:0], base.scope, "本期没有可比的累计数", base=base)
    s = given.table("SERIES", region="zone", months=1, revision=False)
    best = s.groupby("indicator")["value"].max().reindex(p.index)
    t = base.rows.loc[p.index]
    k, rows = 12 - t.left, p.to_dict("records")
    due, asked = 100 * k / 12, [quantity.asked(r) if months_left(r) else NAN for r in rows]
    asked = pd.Series(asked, p.index).where(t.needed.notna())
    t = t.assign(due_pct=due, of_best=asked / best.where(best > 0))
    low, own = t.loc[ties(t.done_pct, 1, least=True)], t.copy()
    # not by `due`, a twelfth of which may not be exact
    counts = dict(below=(12 * p.actual).lt(k * p.target_low).sum())
    counts |= dict(due_pct=due.max() if due.nunique() == 1 else NAN)  # some are of earlier months
    counts |= dict(reached=own.done_pct.ge(100).sum(), beyond=own.of_best.gt(1).sum())
    sum_up(t, "all", "合计", own, of=len(own), **counts)
    sum_up(t, "least", "、".join(low.label), low, of=len(low))
    least = "是{least.label}，" if len(low) <= NAMED else "有{least.of}，同为"
    title = "{all.of}[中{all.below}低于/均不低于]序时进度[，{all.beyond}此后每月须超过历史最好单月]"
    told = (
        "{all.of}累计类目标[中，{all.below}低于/均不低于]序时进度[（{all.due_pct}）][，{all.reached}累计数已达到目标数]",
        f"完成率最低的{least}{{{low.index[0]}.done_pct}}",
        "序时进度假定各月相同，有季节和批次的指标以年末预测为准",
    )
    about = dict(demo=bool(p.demo.any()))
    return Told(t, base.scope, title, told, tuple(p.indicator), base, about=about)
