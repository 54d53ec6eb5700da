"""Findings on R&D intensity: who reaches the target, what moved it, what is missing, the provinces.

The ratio of the months' reports (月报口径) and the survey's yearly figure (年度公布口径) are two measures, never joined.
"""

from __future__ import annotations

import pandas as pd

from zcqlib import analysis, quantity
from zcqlib.catalog import Target
from zcqlib.findings import regional
from zcqlib.findings.found import NAN, PERCENT, Given, Told, finding, heads
from zcqlib.findings.regional import COUNT, POINTS2, TWO, inputs
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

PARKS = heads(TWO, ratio="研发投入强度（月报口径）") | heads(Scale("%"), ratio_aim="目标")
PARKS |= heads(COUNT, over="达到目标的园区")
MOVED = heads(regional.UP_PERCENT, spent_growth="研发经费增长（%）", gdp_growth="GDP增长（%）")
MOVED |= heads(POINTS2, ratio_change="强度变动（个百分点）")
MOVED |= heads(TWO, ratio_before="上年同期强度（月报口径）", ratio_after="本期强度（月报口径）")
SPLIT = heads(POINTS2, within="园区自身强度变动", between="园区间份额变动", total="合计")
SPLIT |= heads(PERCENT, share_before="上年占GDP（%）", share_after="本年占GDP（%）")
YEAR = heads(None, short="还需研发经费") | heads(TWO, estimate="年度公布口径推算")
YEAR |= heads(Scale("个百分点", digits=2), rms_error="往年推算误差")
YEAR |= heads(Scale("年"), years_checked="检验过的年数")
PROVINCES = heads(TWO, intensity="研发投入强度（公布数）") | heads(POINTS2, to_nation="与全国相差")


def _ratio(given: Given) -> tuple[str, tuple[str, str]]:
    """The ratio of the months' reports, its numerator and its denominator."""
    i = given.catalog.indicators[given.catalog.role("研发投入强度")]
    return i.id, (i.numerator, i.denominator)


@finding(**PARKS)
def intensity_parks(given: Given) -> Told:
    """The monthly reports' ratio to date at each quarter's end, by park and zone, against the plan's target.

    Rows: region|month `ratio` (%); `now` is the zone's last, `over` how many parks reach the zone's target then;
    `aim` the target.
    """
    (ratio, parts), name, s = _ratio(given), regional.names(given), given.table("SERIES")
    aim = regional.target(given, ratio)
    s = s[s["indicator"].eq(ratio) & s["end"].dt.month.mod(3).eq(0) & s["region"].isin(name)]
    s = s[s["end"].le(given.period)].sort_values("end")
    if s.empty:
        raise MissingData(f"本期没有可比的{given.catalog.name(ratio)}")
    t = s[["indicator", "region"]].assign(label=s["region"].map(name), ratio=s["value"])
    t = t.assign(inputs=[inputs(r, ratio) for r in s["region"]], period=s["end"])
    t["at"] = [f"{e.year % 100}.{e.month:02d}" for e in s["end"]]
    t.index = s["region"] + "|" + s["end"].astype(str)
    last = t[t["period"].eq(t["period"].max())]
    zone, others = last[last["region"].eq("zone")], last[last["region"].ne("zone")]
    t.loc["now", ["label", "inputs"]] = "、".join(zone["label"]), ";".join(last["inputs"])
    t.loc["now", "ratio"] = zone["ratio"].max()
    title = "研发投入强度（月报口径）{now.ratio}" if len(zone) else "各园区研发投入强度"
    titles = [title, title.replace("（月报口径）", "")]
    if aim:
        t.loc["aim", ["label", "inputs"]] = "目标", inputs("zone", ratio, table="TARGETS")
        t.loc["aim", "ratio_aim"] = aim["target_low"]
        t.loc["now", "over"] = over = sum(map(Target.of(aim).met, others["ratio"]))
        reach = "{now.over}园区达到" if over else "各园区均未达到"
        titles = [f"{w}，{reach}{{aim.ratio_aim}}" for w in titles]
    scope = f"各园区与合计，{s['end'].min().year}—{given.period.year}年"
    return Told(t, scope, tuple(titles), of=parts)


@finding(**MOVED)
def intensity_moved(given: Given) -> Told:
    """Growth of R&D and GDP and what both did to the ratio, by park and for all: the year so far to the last quarter."""
    spans, (ratio, parts), s = regional.quarter(given.period), _ratio(given), given.table("SERIES")
    t, parks = regional.by_region(given, ratio, *parts), list(given.catalog.parks)
    sums = [
        [[analysis.total(s, parks if r == "zone" else r, i, p) for r in t.index] for p in spans]
        for i in parts
    ]
    (n0, n1), (d0, d1) = ([pd.Series(v, t.index) for v in both] for both in sums)
    t["spent_growth"], t["gdp_growth"] = (
        (100 * (b - a) / a).where(a > 0) for a, b in ((n0, n1), (d0, d1))
    )
    t["ratio_before"], t["ratio_after"] = (
        (100 * n / d).where(d > 0) for n, d in ((n0, d0), (n1, d1))
    )
    printed = t[["ratio_before", "ratio_after"]].map(lambda v: float(TWO.round(v)), "ignore")
    t["ratio_change"] = printed["ratio_after"] - printed["ratio_before"]
    scope, z = f"各园区与合计，{regional.so_far(spans[1])}比上年同期", t.loc["zone"]
    if z[["spent_growth", "gdp_growth", "ratio_change"]].isna().any():
        words = "研发经费或GDP有月份未报"
        return Told(t, scope, words, [f"{words}，本期不能判断强度的变动"], parts)
    return Told(t, scope, *_moved_told(z), parts)


def _moved_told(z: pd.Series) -> tuple[tuple[str, str], list[str]]:
    """Title versions and the sentence."""
    growth = {"spent_growth": "研发经费", "gdp_growth": "GDP"}
    spent, gdp = (f"{{zone.{c}{':size' if z[c] >= 0 else ''}}}" for c in growth)
    word = "提高" if z["ratio_change"] > 0 else "下降" if z["ratio_change"] < 0 else "持平"
    faster = "快于" if z["spent_growth"] > z["gdp_growth"] else "慢于"
    title = f"研发经费增长{spent}，{faster}GDP的{gdp}"
    change = word + "{zone.ratio_change:size}" * bool(z["ratio_change"])
    most = max(growth, key=lambda c: abs(z[c]))
    to = {"提高": "提高到", "下降": "降到", "持平": "变为"}[word]
    sentence = (
        f"月报口径的研发投入强度由{{zone.ratio_before}}{to}{{zone.ratio_after}}，主要是{growth[most]}"
        f"{'增长较快' if z[most] > 0 else '下降'}（研发经费{{zone.spent_growth}}，GDP{{zone.gdp_growth}}）"
    )
    return (f"{title}，强度{change}", title), [sentence]


@finding(**SPLIT)
def intensity_split(given: Given) -> Told:
    """How much of the change of the joint ratio the parks' own ratios made and how much the shift of weight among them.

    Rows by park and `all`; parts add up in two decimals, in rows and columns.
    """
    (before, after), (ratio, parts) = regional.quarter(given.period), _ratio(given)
    try:
        s = given.table("SERIES")
        t = analysis.within_between(s, given.catalog.parks, *parts, before, after)
    except analysis.AnalysisError as e:
        raise MissingData("没有园区两年都报研发经费和GDP") from e
    t = regional.with_whole(given, t, ratio, *parts)
    for c in ("within", "total"):
        t[c] = regional.add_up(t, c, 2, "all")
    t["between"] = (t["total"] - t["within"]).round(2)
    z, scope = t.loc["all"], f"{regional.so_far(after)}比上年同期，月报口径"
    out = regional.left_out(given, t)
    scope += f"，{out}未报不计" if out else ""
    who, rows = regional.top(t.drop("all").assign(size=t["total"].abs()), "size", "{:.2f}".format)
    parts_told = "其中园区自身变动{all.within}，份额变化{all.between}"
    if not z["total"]:
        told = f"各园区合计强度与上年同期持平，{parts_told}"
        return Told(t, scope, "研发投入强度与上年同期持平", [told], parts)
    own = (z["within"] - z["between"]) * z["total"] >= 0
    change = f"{'提高' if z['total'] > 0 else '下降'}{{all.total:size}}"
    each = "、".join(f"{{{r}.total}}" for r in rows.index[: regional.NAMED])
    told = f"各园区合计强度{change}，{parts_told}；变动最大的是{who}，{each}"
    cause = "园区自身强度变动" if own else "园区间份额变动"
    return Told(t, scope, f"研发投入强度{change}，主要来自{cause}", [told], parts)


@finding(**YEAR)
def intensity_year(given: Given) -> Told:
    """What the reports' ratio lacks of its target in 万元 of R&D, and the survey's figure as bridged from it.

    Row `zone`: `short` (0 where met), `estimate` of the last year without an official figure, `rms_error` of such
    estimates in past years, `years_checked` how many.
    """
    (_, after), (ratio, parts) = regional.quarter(given.period), _ratio(given)
    s = given.table("SERIES")
    spent, gdp = (analysis.total(s, list(given.catalog.parks), i, after) for i in parts)
    aim, told = regional.target(given, ratio), []
    row = dict(label=f"{after[:4]}年", indicator=ratio, region="zone", short=NAN)
    row |= dict(inputs=inputs("zone", *parts))
    if aim and spent > 0 and gdp > 0:
        row["short"] = max(0.0, aim["target_low"] / 100 * gdp - spent)
        row["inputs"] += ";" + inputs("zone", ratio, table="TARGETS")
        lacks = "按现有GDP，月报口径达到目标强度还需研发经费{zone.short}"
        told.append(lacks if row["short"] else "月报口径已达到目标强度")
    s, until = s[s["region"].eq("zone")], int(after[-2:])
    official = next((i.id for i in given.catalog.indicators.values() if i.role == "公布强度"), "")
    proxy = s[s["indicator"].eq(ratio) & s["end"].dt.month.eq(until) & s["start"].dt.month.eq(1)]
    yearly = s[s["indicator"].eq(official) & s["months"].isin([0, 12])]
    by_year = [p.set_index(p["end"].dt.year)["value"] for p in (yearly, proxy)]
    if len(by_year[0].index.intersection(by_year[1].index)) > 1:
        b = analysis.proxy_bridge(*by_year)
        errors, last = b["error"].dropna(), b.iloc[-1]
        row |= dict(rms_error=(errors**2).mean() ** 0.5, years_checked=len(errors))
        row |= dict(estimate=last["estimate"], label=f"{last['year']:.0f}年")
        row["inputs"] += ";" + inputs("zone", official)
        told.append(
            "年度公布口径的{zone.label}数尚未公布，按月报强度的变动推算为{zone.estimate}，往年这样推算误差"
            "{zone.rms_error}（只检验过{zone.years_checked}）；两种口径不能相比，推算不代替公布数"
            if pd.isna(last["official"])
            else "年度公布口径的{zone.label}数已公布"
        )
    t = pd.DataFrame([row], ["zone"])
    t["scale"] = [quantity.scale(row["short"], given.catalog.unit(parts[0]))]
    scope = f"{given.catalog.zone.parts_zh}合计，{after[:4]}年"
    return Told(t, scope, "研发投入强度距目标", told, parts)


@finding(**PROVINCES)
def intensity_provinces(given: Given) -> Told:
    """The zone's province among others and the nation; published figures as first published.

    Rows: province|year `intensity` (%), the province's own rows also `to_nation` (of the printed figures).
    """
    home, compare = given.catalog.zone.province_zh, given.catalog.zone.compare
    ratio, _ = _ratio(given)
    t = regional.published(given, ratio).rename(columns=dict(value="intensity"))
    if t.empty:
        raise MissingData("没有各省研发投入强度的公布数")
    t = t[t["region"].isin(["全国", home, *compare])].sort_values(["region", "at"])
    both = t.assign(intensity=t["intensity"].map(lambda v: float(TWO.round(v))))
    both = both.pivot(index="at", columns="region", values="intensity").reindex(
        columns=[home, "全国"]
    )
    gap = (both[home] - both["全国"]).dropna()
    for year, v in gap.items():
        t.loc[f"{home}|{year}", "to_nation"] = v
        t.loc[f"{home}|{year}", "inputs"] += ";" + t.at[f"全国|{year}", "inputs"]
    title = f"{home}没有与全国可比的研发投入强度"
    if len(gap):
        (first, last), then, now = (
            (f"{home}|{y}" for y in gap.index[[0, -1]]),
            gap.iloc[0],
            gap.iloc[-1],
        )
        t.loc["last", ["label", "inputs"]] = f"{gap.index[-1]}年", t.at[last, "inputs"]
        side = (
            f"{'高于' if now > 0 else '低于'}全国{{{last}.to_nation:size}}" if now else "与全国持平"
        )
        title = f"{home}研发投入强度{{last.label}}为{{{last}.intensity}}，{side}"
        if now * then > 0 and now != then:
            to = f"{'缩小' if abs(now) < abs(then) else '扩大'}到{{{last}.to_nation:size}}"
            title = f"{home}与全国的差距由{{{first}.to_nation:size}}{to}", title
    scope, about = regional.real(given, t, "《全国科技经费投入统计公报》等")
    return Told(t, f"全国与部分省，{scope}", title, of=(ratio,), about=about)
