"""Findings on targets: where each stands, against 序时进度, and what each remaining month asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from zcqlib import quantity
from zcqlib.analysis import recent_means
from zcqlib.findings.found import (
    CHANCE,
    COUNT,
    NAN,
    PERCENT,
    TIMES,
    WHOLE,
    Found,
    Given,
    Scale,
    Told,
    finding,
    heads,
    lay,
    words,
)
from zcqlib.projection.pace import paces

HALF = 5  # groups on the first of two pages
NAMED, LISTED = 3, 6  # so many that tie are named, more are counted; names of a list that is cut
ZONES = ("zone", "city")  # everything else that has a target is a park
FUTURE = ("median", "low", "high")
STANDING = heads(None, done="当前值", target="目标值", target_high="目标上限", median="全年预计")
STANDING |= heads(None, low="区间下限", high="区间上限", gap="缺口", needed="余下每月所需")
STANDING |= heads(None, due="序时应达", on_pace="此时应达")
STANDING |= heads(WHOLE, level="区间覆盖") | heads(CHANCE, chance="把握")
STANDING |= heads(Scale("个月"), left="余下月数") | heads(
    quantity.usual_scale, usual="近12个月均值"
)
STANDING |= heads(PERCENT, "due_pct", done_pct="完成率") | heads(PERCENT, on_pace_pct="此时应达率")
STANDING |= heads(
    PERCENT, median_pct="预计完成率", low_pct="区间下限完成率", high_pct="区间上限完成率"
)
STANDING |= heads(TIMES, 1.0, of_usual="每月所需÷近12个月均值")
STANDING |= heads(TIMES, sdg_ratio="SDG实际÷所需增速") | heads(COUNT, count="项数")
TEXTS = dict(group="组", light="判断", state="灯号", word="对照", reason="适用的进度标准")
TEXTS |= dict(sdg="SDG进展", units="责任单位", who="名称")
STANDING |= {c: words(head) for c, head in TEXTS.items()}
AIMED = ("target", "target_high", "chance")
STANDING |= {
    "promise": words("目标", *AIMED[:2]),
    "told": words(
        "年末预测", *FUTURE, "level", *AIMED, "done", "left", "needed", "usual", "of_usual"
    ),
    "headline": words("年末预测标题", "median", *AIMED),
}
OWN = heads(PERCENT, due_pct="序时进度") | heads(TIMES, 1.0, of_best="每月所需÷历史最好单月")
OWN |= heads(COUNT, of="累计类目标", below="低于序时进度", reached="已达到目标数")
OWN |= heads(COUNT, beyond="每月须超过历史最好单月")


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


@finding(**STANDING)
def standing(given: Given) -> Told:
    """Every target of the zone, the city and the parks: where it is, should be and may end.

    Rows: `row_id` with quantities in the target's unit (`gap` and `needed` as printed, `on_pace` by the pace that fits),
    shares of the target in %; of the ten groups' targets counts by light, `<light>` of the zone's and the city's,
    `<park>|<light>` of a park's, with `all`, and `first|`, `second|` before it for the first and last five groups; `group` is empty for other targets than theirs.
    """
    p, s, catalog = given.table("PROJECTIONS"), given.table("SERIES"), given.catalog
    plan = catalog.targets.drop_duplicates("id").set_index("id")
    group, order = (
        catalog.headline().set_index("id")["group"],
        {i: n for n, i in enumerate(plan.index)},
    )
    p = p.sort_values("indicator", key=lambda v: v.map(order), kind="stable")
    key = pd.MultiIndex.from_frame(p[["region", "indicator"]])
    due = paces(p, s, catalog, catalog.batches).set_index(key.names).reindex(key).to_dict("records")
    usual, rows, none = (
        recent_means(s, given.period),
        [],
        dict(responsible="", responsible_basis=""),
    )
    for r, paced in zip(p.to_dict("records"), due, strict=True):
        i = r["indicator"]
        about = plan.loc[i] if i in plan.index else none
        r |= {"demo": False, "commitment": about.get("commitment", "firm")}
        rows.append(_standing(r, paced, given, usual.get((r["region"], i), NAN)))
        units = about["responsible"], about["responsible_basis"]
        rows[-1] |= dict(group=group.get(i, ""), units=quantity.responsible(*units))
    ids = [row_id(r["region"], r["indicator"]) for r in rows]
    t = lay(pd.DataFrame(rows, ids), STANDING)
    head, parts = t[t["group"].ne("")], [t]
    half = head["group"].astype(int).le(HALF).map({True: "first|", False: "second|"})
    for park, own in head.groupby(head["region"].where(~head["region"].isin(ZONES), "")):
        for part in ("", "first|", "second|"):
            shown = own[half.loc[own.index].eq(part)] if part else own
            if len(shown):
                parts.append(_counts(shown, (f"{park}|" if park else "") + part))
    t, scope = pd.concat(parts), f"{catalog.zone.parts_zh}合计，{given.period.year}年"
    about = dict(demo=bool(p["demo"].any()))
    return Told(t, scope, title_lights(t, ""), _lights_told(t), about=about)


def _standing(r: Mapping, paced: Mapping, given: Given, usual: float) -> dict:
    i, low, short, name = r["indicator"], r["target_low"], quantity.shortfall(r), given.catalog.name
    need = None if r["unit"] in quantity.SHARES else quantity.needed(r)
    scale, light, k = quantity.row_scale(r), quantity.light(r), given.period.month
    tables = ("PROJECTIONS", "TARGETS", "SERIES")
    row = {c: r[c] for c in ("indicator", "region", "target_high", *FUTURE)}
    row |= dict(done=r["actual"], target=low, level=100 * r["level"], on_pace=paced["due"])
    shares = {f"{c}_pct": 100 / low * row[c] if low else NAN for c in ("done", "on_pace", *FUTURE)}
    return (
        row
        | shares
        | dict(
            label=("" if r["region"] in ZONES else name(r["region"])) + name(i),
            scale=scale,
            inputs=";".join(f"{t}/{r['region']}.{i}" for t in tables),
            chance=NAN if r["kind"] == "milestone" else r["probability"],
            gap=NAN if short is None else float(short * scale.factor),
            needed=NAN if need is None else float(need * scale.factor),
            left=12 - k,
            usual=usual,
            of_usual=quantity.asked(r) / usual if need is not None and usual > 0 else NAN,
            due=low * k / 12 if r["kind"] in ("flow", "recurring") else paced["linear"],
            promise=quantity.target(r, words=False),
            light=light.words,
            state=light.mark + light.words,
            told=quantity.typeset(quantity.projection_sentence(r, usual)),
            headline=quantity.typeset(title_year_end(r, name(i))),
            reason=quantity.typeset(paced["reason"]) if isinstance(paced["reason"], str) else "",
            **{c: paced[c] for c in ("sdg_ratio", "word", "sdg")},
        )
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


def _counts(own: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Summary rows of one place: how many targets show each light and which, all, and the least chance."""
    lights = [(k, quantity.lights().state(k).words) for k in quantity.STATES]
    parts = [(k, w, own[own["light"].eq(w)]) for k, w in lights]
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


def title_lights(t: pd.DataFrame, prefix: str, half: str = "") -> str:
    """The title that counts the lights of one place; what counts nothing is left out."""
    prefix += f"{half}|" * bool(half)
    if prefix + "all" not in t.index:
        return "本期没有可判断的目标"
    rows = [k for k in ("met", "good", "hard") if prefix + k in t.index]
    said = [f"{{{prefix}{k}.label}}{{{prefix}{k}.count}}" for k in rows]
    return f"{{{prefix}all.count}}目标" + ("：" + "，".join(said) if said else "")


def _lights_told(t: pd.DataFrame) -> tuple[str, ...]:
    if "all" not in t.index:
        return ("没有全区的预测结果，请先核对报表是否收到",)
    told = [f"{{{k}.label}}{{{k}.count}}：{{{k}.who}}" for k in quantity.STATES if k in t.index]
    return (*told, *["把握最低的是{least.label}，{least.chance}"] * ("least" in t.index))


@finding()
def glance(given: Given, half: str = "", region: str = "zone") -> Told:
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
    title = title_lights(base.rows, "" if zone else f"{region}|", half)
    return Told(rows, place, title, base=base, about=dict(demo=base.demo))


@finding(**OWN)
def pace(given: Given) -> Told:
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
    t, due = base.rows.loc[p.index], 100 * period.month / 12
    asked = pd.Series(
        [quantity.asked(r) for r in p.to_dict("records")] if period.month < 12 else NAN, p.index
    )
    t = t.assign(due_pct=due, of_best=asked.where(t["needed"].notna()) / best.where(best > 0))
    if len(t):
        low = t.loc[ties(t["done_pct"], PERCENT)]
        for row, of, label in (("all", t, "合计"), ("least", low, "、".join(low["label"]))):
            t.loc[row, ["label", "inputs", "of"]] = label, ";".join(of["inputs"].dropna()), len(of)
        # not by `due`, a twelfth of which may not be exact
        below = (12 * p["actual"]).lt(period.month * p["target_low"]).sum()
        t.loc["all", ["below", "due_pct"]] = below, due
        t.loc["all", ["reached", "beyond"]] = t["done_pct"].ge(100).sum(), t["of_best"].gt(1).sum()
    told = _pace_told(t, low.index[0]) if len(t) else ("本期没有可比的累计数",) * 2
    about = dict(demo=bool(p["demo"].any()), source=f"{given.source(*p['indicator'])}，自创办测算")
    return Told(t, base.scope, told[0], told[-1:] if t.empty else told[1], base=base, about=about)


def _pace_told(t: pd.DataFrame, lowest: str) -> tuple[str, tuple[str, ...]]:
    """Title and sentences; what counts nothing is left out."""
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
