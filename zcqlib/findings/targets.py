"""Findings on targets: where each stands, against 序时进度, and what each remaining month asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from zcqlib import quantity
from zcqlib.analysis import recent_means
from zcqlib.findings.found import (
    CHANCE,
    COUNT,
    PERCENT,
    TIMES,
    WHOLE,
    Found,
    Given,
    Measure,
    Scale,
    finding,
    lay,
    words,
)
from zcqlib.projection.pace import paces

NAN = float("nan")
HALF = 5  # groups on the first of two pages
NAMED, LISTED = 3, 6  # so many that tie are named, more are counted; names of a list that is cut
ZONES = ("zone", "city")  # everything else that has a target is a park
STANDING = {
    "done": Measure("当前值"),
    "target": Measure("目标值"),
    "target_high": Measure("目标上限"),
    "median": Measure("全年预计"),
    "low": Measure("区间下限"),
    "high": Measure("区间上限"),
    "level": Measure("区间覆盖", WHOLE),
    "chance": Measure("把握", CHANCE),
    "gap": Measure("缺口"),
    "left": Measure("余下月数", Scale("个月")),
    "needed": Measure("余下每月所需"),
    "usual": Measure("近12个月均值", quantity.usual_scale),
    "of_usual": Measure("每月所需÷近12个月均值", TIMES, 1.0),
    "due": Measure("序时应达"),
    "on_pace": Measure("此时应达"),
    "done_pct": Measure("完成率", PERCENT, "due_pct"),
    "on_pace_pct": Measure("此时应达率", PERCENT),
    "median_pct": Measure("预计完成率", PERCENT),
    "low_pct": Measure("区间下限完成率", PERCENT),
    "high_pct": Measure("区间上限完成率", PERCENT),
    "sdg_ratio": Measure("SDG实际÷所需增速", TIMES),
    "count": Measure("项数", COUNT),
    "group": words("组"),
    "promise": words("目标", "target", "target_high"),
    "light": words("判断"),
    "state": words("灯号"),
    "word": words("对照"),
    "reason": words("适用的进度标准"),
    "sdg": words("SDG进展"),
    "told": words(
        "年末预测",
        *("median", "low", "high", "level", "target", "target_high", "chance", "done"),
        *("left", "needed", "usual", "of_usual"),
    ),
    "headline": words("年末预测标题", "median", "target", "target_high", "chance"),
    "units": words("责任单位"),
    "who": words("名称"),
}
OWN = {
    "due_pct": Measure("序时进度", PERCENT),
    "of_best": Measure("每月所需÷历史最好单月", TIMES, 1.0),
    "of": Measure("累计类目标", COUNT),
    "below": Measure("低于序时进度", COUNT),
    "reached": Measure("已达到目标数", COUNT),
    "beyond": Measure("每月须超过历史最好单月", COUNT),
}


def row_id(region: str, indicator: str) -> str:
    """The row of a target: its indicator, of a park's with the park before it."""
    return indicator if region in ZONES else f"{region}|{indicator}"


def borrowed(base: Found) -> dict[str, str]:
    """`home` of the columns of another finding."""
    return base.home | dict.fromkeys(set(base.measures) - set(base.home), base.name)


def ties(values: pd.Series, scale=CHANCE) -> pd.Index:
    """The rows that print like the lowest."""
    told = values.dropna().map(lambda v: scale.text(scale.round(v)))
    return told.index[told == told.get(values.idxmin())] if len(told) else told.index


@finding(*STANDING)
def standing(given: Given) -> Found:
    """Every target of the zone, the city and the parks: where it is, should be and may end.

    Rows: `row_id` with quantities in the target's unit (`gap` and `needed` as printed, `on_pace` by the pace that fits),
    shares of the target in %; of the ten groups' targets counts by light, `<light>` of the zone's and the city's,
    `<park>|<light>` of a park's, with `all`, and `first|`, `second|` before it for the first and last five groups; `group` is empty for other targets than theirs.
    """
    p, s, catalog = given.table("PROJECTIONS"), given.table("SERIES"), given.catalog
    plan = catalog.targets.drop_duplicates("id").set_index("id")
    group = catalog.headline().set_index("id")["group"]
    order = {id: n for n, id in enumerate(plan.index)}
    p = p.sort_values("indicator", key=lambda v: v.map(order), kind="stable")
    place = ["region", "indicator"]
    due = paces(p, s, catalog, catalog.batches).set_index(place)
    due = due.reindex(pd.MultiIndex.from_frame(p[place])).to_dict("records")
    usual, rows = recent_means(s, given.period), []
    for r, paced in zip(p.to_dict("records"), due, strict=True):
        r |= {"demo": False, "commitment": plan["commitment"].get(r["indicator"], "firm")}
        about = plan.loc[r["indicator"]] if r["indicator"] in plan.index else {}
        rows.append(_standing(r, paced, given, usual.get((r["region"], r["indicator"]), NAN)))
        rows[-1] |= dict(
            group=group.get(r["indicator"], ""),
            units=quantity.responsible(
                about.get("responsible", ""), about.get("responsible_basis", "")
            ),
        )
    ids = [row_id(r["region"], r["indicator"]) for r in rows]
    t = lay(pd.DataFrame(rows, ids), STANDING)
    head = t[t["group"].ne("")]
    half = head["group"].astype(int).le(HALF).map({True: "first|", False: "second|"})
    for park, own in head.groupby(head["region"].where(~head["region"].isin(ZONES), "")):
        for part in ("", "first|", "second|"):
            shown = own[half.loc[own.index].eq(part)] if part else own
            if len(shown):
                prefix = (f"{park}|" if park else "") + part
                t = pd.concat([t, lay(_counts(shown, prefix), STANDING)])
    return Found(
        "standing",
        t,
        STANDING,
        f"{given.source()}，自创办测算",
        f"{catalog.zone.parts_zh}合计，{given.period.year}年",
        given.period,
        given.known,
        bool(p["demo"].any()),
        title_lights(t, ""),
        _lights_told(t),
    )


def _standing(r: Mapping, paced: Mapping, given: Given, usual: float) -> dict:
    i, low, short = r["indicator"], r["target_low"], quantity.shortfall(r)
    need = None if r["unit"] in quantity.SHARES else quantity.needed(r)
    scale, name, k = quantity.row_scale(r), given.catalog.name, given.period.month
    per, light = 100 / low if low else NAN, quantity.light(r)
    flow = r["kind"] in ("flow", "recurring")
    tables = ("PROJECTIONS", "TARGETS", "SERIES")
    values = {c: r[c] for c in ("median", "low", "high")}
    return dict(
        label=("" if r["region"] in ZONES else name(r["region"])) + name(i),
        indicator=i,
        region=r["region"],
        scale=scale,
        inputs=";".join(f"{t}/{r['region']}.{i}" for t in tables),
        done=r["actual"],
        target=low,
        target_high=r["target_high"],
        **values,
        level=100 * r["level"],
        chance=NAN if r["kind"] == "milestone" else r["probability"],
        gap=NAN if short is None else float(short * scale.factor),
        needed=NAN if need is None else float(need * scale.factor),
        left=12 - k,
        usual=usual,
        of_usual=quantity.asked(r) / usual if need is not None and usual > 0 else NAN,
        due=low * k / 12 if flow else paced["linear"],
        on_pace=paced["due"],
        done_pct=per * r["actual"],
        on_pace_pct=per * paced["due"],
        **{f"{c}_pct": per * v for c, v in values.items()},
        sdg_ratio=paced["sdg_ratio"],
        promise=quantity.target(r, words=False),
        light=light.words,
        state=light.mark + light.words,
        word=paced["word"],
        reason=paced["reason"],
        sdg=paced["sdg"],
        told=quantity.typeset(quantity.projection_sentence(r, usual)),
        headline=quantity.typeset(title_year_end(r, name(i))),
    )


def title_year_end(row: Mapping, what: str) -> str:
    """The year end of a PROJECTIONS row as a title: 专利申请总量全年预计4879件,完成5000件目标的把握73%."""
    s, median = quantity.row_scale(row), row["median"]
    ahead = f"{what}全年预计{s.text(s.round(median))}" if median == median else what
    if row["probability"] != row["probability"]:
        return quantity.fit_title(f"{ahead},不给概率", f"{what},不给概率")
    tail = f"{quantity.target_words(row, s)}的把握{quantity.chance_prose(row['probability'])}"
    full = f"{ahead},{quantity.verb(row)}{tail}"
    return quantity.fit_title(full, f"{ahead},{tail}", f"{what},{tail}")


def _counts(own: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Summary rows of one place: how many targets show each light and which, all, and the least chance."""
    lights = {k: quantity.lights().state(k).words for k in quantity.STATES}
    parts = [(k, w, own[own["light"].eq(w)]) for k, w in lights.items()]
    least = own.loc[ties(own["chance"])]
    rows = [
        dict(id=k, label=w, count=len(t), who=names(t["label"]), inputs=";".join(t["inputs"]))
        for k, w, t in [*parts, ("all", "合计", own)]
        if len(t)
    ]
    if len(least):
        told = names(least["label"]) if len(least) <= NAMED else f"并列的{len(least)}项"
        at = dict(id="least", label=told, chance=least["chance"].min())
        rows.append(at | dict(inputs=";".join(least["inputs"])))
    return pd.DataFrame(rows).set_index("id").rename(index=lambda k: prefix + k)


def names(labels: Iterable[str], most: int = LISTED) -> str:
    """Names with 、, a long list cut."""
    all_ = list(labels)
    return "、".join(all_[:most]) + ("等" if len(all_) > most else "")


def title_lights(
    t: pd.DataFrame, prefix: str, rows: Iterable[str] = ("met", "good", "hard")
) -> str:
    """The title that counts the lights of one place; what counts nothing is left out."""
    if prefix + "all" not in t.index:
        return "本期没有可判断的目标"
    said = [f"{{{prefix}{k}.label}}{{{prefix}{k}.count}}" for k in rows if prefix + k in t.index]
    return f"{{{prefix}all.count}}目标" + ("：" + "，".join(said) if said else "")


def _lights_told(t: pd.DataFrame) -> tuple[str, ...]:
    if "all" not in t.index:
        return ("没有全区的预测结果，请先核对报表是否收到",)
    told = [f"{{{k}.label}}{{{k}.count}}：{{{k}.who}}" for k in quantity.STATES if k in t.index]
    return (*told, *["把握最低的是{least.label}，{least.chance}"] * ("least" in t.index))


@finding()
def glance(given: Given, half: str = "", region: str = "zone") -> Found:
    """The ten groups' targets of one place, all or those of the `first` or `second` five groups, in their order.

    Rows: those of `standing`, with its counts.
    """
    base = standing(given)
    t, zone = base.things, region == "zone"
    own = t[t["group"].ne("") & (t["region"].isin(ZONES) if zone else t["region"].eq(region))]
    number = own["group"].astype(int)
    own = own[number.between(*{"first": (1, HALF), "second": (HALF + 1, 99)}.get(half, (1, 99)))]
    own = own.sort_values("group", key=lambda g: g.astype(int), kind="stable")
    rows = pd.concat([own, base.rows.drop(t.index)])
    place = base.scope if zone else f"{given.catalog.name(region)}，{given.period.year}年"
    about = base.source, place, base.period, base.known, base.demo
    prefix = "" if zone else f"{region}|"
    title = title_lights(base.rows, prefix + (f"{half}|" if half else ""))
    return Found("glance", rows, STANDING, *about, title, home=borrowed(base))


@finding(*OWN)
def pace(given: Given) -> Found:
    """The zone's flows among the ten groups against 序时进度 (a ruler and no verdict), and what is needed a month.

    Rows: those of `standing`, with `of_best` (exact need by the best month ever) and `due_pct` in %; `all` counts;
    `least` is the lowest `done_pct`, `of` how many print alike.
    """
    base, period, p = standing(given), given.period, given.table("PROJECTIONS")
    p = p[p["region"].eq("zone") & p["indicator"].isin(given.catalog.headline()["id"])]
    p = p[p["kind"].eq("flow") & p["target_low"].gt(0) & p["actual"].notna()]
    p = p.set_index("indicator", drop=False)
    p = p.loc[[i for i in base.rows.index if i in p.index]]
    s = given.table("SERIES")
    s = s[s["region"].eq("zone") & s["months"].eq(1) & ~s["revision"] & s["end"].le(period)]
    best = s.groupby("indicator")["value"].max().reindex(p.index)
    t = base.rows.loc[p.index]
    asks = [
        quantity.asked(r) if n == n else NAN
        for r, n in zip(p.to_dict("records"), t["needed"], strict=True)
    ]
    t = t.assign(due_pct=100 * period.month / 12, of_best=asks / best.where(best > 0))
    t = t.assign(of=NAN, below=NAN, reached=NAN, beyond=NAN)
    if len(t):
        low = t.loc[ties(t["done_pct"], PERCENT)]
        t.loc["all", ["of", "due_pct"]] = len(p), 100 * period.month / 12
        # not by `due`, a twelfth of which may not be exact
        t.loc["all", "below"] = (12 * p["actual"]).lt(period.month * p["target_low"]).sum()
        t.loc["all", ["reached", "beyond"]] = t["done_pct"].ge(100).sum(), t["of_best"].gt(1).sum()
        t.loc["least", "of"] = len(low)
        t.loc[["all", "least"], "label"] = "合计", "、".join(low["label"])
        t.loc[["all", "least"], "inputs"] = [";".join(f["inputs"].dropna()) for f in (t, low)]
    return Found(
        "pace",
        t,
        STANDING | OWN,
        f"{given.source(*p['indicator'])}，自创办测算",
        f"{given.catalog.zone.parts_zh}合计，{period.year}年",
        period,
        given.known,
        bool(p["demo"].any()),
        *_pace_told(t, low.index[0] if len(t) else ""),
        borrowed(base),
    )


def _pace_told(t: pd.DataFrame, lowest: str) -> tuple[str, tuple[str, ...]]:
    """Title and sentences; what counts nothing is left out."""
    if t.empty:
        return "本期没有可比的累计数", ("本期没有可比的累计数",)
    n, tied = t.loc["all"], t.at["least", "of"]
    behind = "中，{all.below}低于" if n["below"] else "均不低于"
    never = "，{all.beyond}此后每月须超过历史最好单月" if n["beyond"] else ""
    reached = "，{all.reached}累计数已达到目标数" if n["reached"] else ""
    least = f"是{{least.label}}，{{{lowest}.done_pct}}"
    if tied > NAMED:
        least = f"有{{least.of}}，同为{{{lowest}.done_pct}}"
    return f"{{all.of}}{behind.replace('，', '')}序时进度{never}", (
        f"{{all.of}}累计类目标{behind}序时进度（{{all.due_pct}}）{reached}",
        f"完成率最低的{least}",
        "序时进度假定各月相同，有季节和批次的指标以年末预测为准",
    )
