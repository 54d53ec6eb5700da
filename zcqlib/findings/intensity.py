"""Findings on R&D intensity: who reaches the target, what moved it, what is missing, the provinces.

The ratio of the months' reports (月报口径) and the survey's yearly figure (年度公布口径) are two measures, never joined.
"""

from __future__ import annotations

import pandas as pd

from zcqlib import analysis, quantity
from zcqlib.catalog import Target
from zcqlib.findings import regional
from zcqlib.findings.found import Found, Given, Measure, finding
from zcqlib.findings.regional import COUNT, PERCENT, POINTS2, TWO, inputs, tell
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

RATIO = "研发投入强度"  # its role
PARKS = {
    "ratio": Measure("研发投入强度（月报口径）", TWO),
    "ratio_aim": Measure("目标", Scale("%")),
    "over": Measure("达到目标的园区", COUNT),
}
MOVED = {
    "spent_growth": Measure("研发经费增长（%）", regional.UP_PERCENT),
    "gdp_growth": Measure("GDP增长（%）", regional.UP_PERCENT),
    "ratio_change": Measure("强度变动（个百分点）", POINTS2),
    "ratio_before": Measure("上年同期强度（月报口径）", TWO),
    "ratio_after": Measure("本期强度（月报口径）", TWO),
}
SPLIT = {
    "within": Measure("园区自身强度变动", POINTS2),
    "between": Measure("园区间份额变动", POINTS2),
    "total": Measure("合计", POINTS2),
    "share_before": Measure("上年占GDP（%）", PERCENT),
    "share_after": Measure("本年占GDP（%）", PERCENT),
}
YEAR = {
    "short": Measure("还需研发经费"),
    "estimate": Measure("年度公布口径推算", TWO),
    "rms_error": Measure("往年推算误差", Scale("个百分点", digits=2)),
    "years_checked": Measure("检验过的年数", Scale("年")),
}
PROVINCES = {
    "intensity": Measure("研发投入强度（公布数）", TWO),
    "to_nation": Measure("与全国相差", POINTS2),
}


def _ratio(given: Given) -> tuple[str, tuple[str, str]]:
    """The ratio, and its numerator and denominator."""
    i = given.catalog.indicators[given.catalog.role(RATIO)]
    return i.id, (i.numerator, i.denominator)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else regional.NAN


@finding(*PARKS)
def intensity_parks(given: Given) -> Found:
    """The monthly reports' ratio to date at each quarter's end, by park and zone, against the plan's target.

    Rows: region|month `ratio` (%); `now` is the zone's last, `over` how many parks reach the zone's target then;
    `aim` the target.
    """
    ratio, parts = _ratio(given)
    s, name, aim = given.table("SERIES"), regional.names(given), regional.target(given, ratio)
    s = s[s["indicator"].eq(ratio) & s["end"].dt.month.mod(3).eq(0) & s["region"].isin(name)]
    s = s[s["end"].le(given.period)].sort_values("end")
    if s.empty:
        raise MissingData("研发投入强度还没有一个季度报齐")
    rows = dict(label=s["region"].map(name), indicator=ratio, region=s["region"], period=s["end"])
    rows |= dict(at=[f"{e.year % 100}.{e.month:02d}" for e in s["end"]], ratio=s["value"])
    t = pd.DataFrame(rows).set_axis(s["region"] + "|" + s["end"].astype(str))
    t["inputs"] = [inputs(r, ratio) for r in s["region"]]
    last = t[t["period"].eq(t["period"].max())]
    zone, parks = last[last["region"].eq("zone")], last[last["region"].ne("zone")]
    t.loc["now", ["label", "inputs"]] = "、".join(zone["label"]), ";".join(last["inputs"])
    t.loc["now", "ratio"] = zone["ratio"].iloc[0] if len(zone) else regional.NAN
    title = ("研发投入强度（月报口径）{now.ratio}",) if len(zone) else ("各园区研发投入强度",)
    if aim:
        t.loc["aim", ["label", "inputs"]] = "目标", inputs("zone", ratio, table="TARGETS")
        t.loc["aim", "ratio_aim"] = aim["target_low"]
        t.loc["now", "over"] = sum(map(Target.of(aim).met, parks["ratio"]))
        reach = (
            "{now.over}园区达到{aim.ratio_aim}"
            if t.at["now", "over"]
            else "各园区均未达到{aim.ratio_aim}"
        )
        title = tuple(f"{w}，{reach}" for w in (*title, title[0].replace("（月报口径）", "")))
    scope = f"各园区与合计，{s['end'].min().year}—{given.period.year}年"
    return tell(given, "intensity_parks", t, PARKS, scope, title, [], *parts)


@finding(*MOVED)
def intensity_moved(given: Given) -> Found:
    """Growth of R&D and GDP and what both did to the ratio, by park and for all: the year so far to the last quarter."""
    (before, after), (ratio, parts) = regional.quarter(given.period), _ratio(given)
    s, rows, parks = given.table("SERIES"), {}, list(given.catalog.parks)
    for r, label in regional.names(given).items():
        ids = parks if r == "zone" else r
        (n0, n1), (d0, d1) = (
            [analysis.total(s, ids, i, p) for p in (before, after)] for i in parts
        )
        rows[r] = dict(label=label, indicator=ratio, region=r, inputs=inputs(r, *parts))
        rows[r] |= dict(spent_growth=_percent(n1 - n0, n0), gdp_growth=_percent(d1 - d0, d0))
        rows[r] |= dict(ratio_before=_percent(n0, d0), ratio_after=_percent(n1, d1))
    t = pd.DataFrame(rows.values(), rows)
    printed = t[["ratio_before", "ratio_after"]].map(lambda v: float(TWO.round(v)), "ignore")
    t["ratio_change"] = printed["ratio_after"] - printed["ratio_before"]
    scope = f"各园区与合计，{regional.so_far(after)}比上年同期"
    z = t.loc["zone"]
    if z[["spent_growth", "gdp_growth", "ratio_change"]].isna().any():
        words = "研发经费或GDP有月份未报，本期不能判断强度的变动"
        return tell(
            given, "intensity_moved", t, MOVED, scope, words.partition("，")[0], [words], *parts
        )
    word = "提高" if z["ratio_change"] > 0 else "下降" if z["ratio_change"] < 0 else "持平"
    change = f"{word}{'{zone.ratio_change:size}' if z['ratio_change'] else ''}"
    faster = "快于" if z["spent_growth"] > z["gdp_growth"] else "慢于"
    spent = "{zone.spent_growth}" if z["spent_growth"] < 0 else "{zone.spent_growth:size}"
    gdp = "{zone.gdp_growth}" if z["gdp_growth"] < 0 else "{zone.gdp_growth:size}"
    title = (
        f"研发经费增长{spent}，{faster}GDP的{gdp}，强度{change}",
        f"研发经费增长{spent}，{faster}GDP的{gdp}",
    )
    grown = "研发经费" if abs(z["spent_growth"]) >= abs(z["gdp_growth"]) else "GDP"
    how = (
        "增长较快"
        if t.at["zone", "spent_growth" if grown == "研发经费" else "gdp_growth"] > 0
        else "下降"
    )
    sentence = (
        f"月报口径的研发投入强度由{{zone.ratio_before}}{'提高到' if word == '提高' else '降到' if word == '下降' else '变为'}"
        f"{{zone.ratio_after}}，主要是{grown}{how}（研发经费{{zone.spent_growth}}，GDP{{zone.gdp_growth}}）"
    )
    return tell(given, "intensity_moved", t, MOVED, scope, title, [sentence], *parts)


@finding(*SPLIT)
def intensity_split(given: Given) -> Found:
    """How much of the change of the joint ratio the parks' own ratios made and how much the shift of weight among them.

    Rows by park and `all`; parts add up in two decimals, in rows and columns.
    """
    (before, after), (ratio, parts) = regional.quarter(given.period), _ratio(given)
    try:
        s = given.table("SERIES")
        t = analysis.within_between(s, given.catalog.parks, *parts, before, after)
    except analysis.AnalysisError as e:
        raise MissingData("没有园区两年都报研发经费和GDP") from e
    t = t.set_index("region", drop=False).rename_axis(None)
    out = [given.catalog.name(r) for r in given.catalog.parks if r not in t.index]
    for c in ("within", "total"):
        t[c] = regional.add_up(t, c, 2, "all")
    t["between"] = (t["total"] - t["within"]).round(2)
    t["label"] = [given.catalog.name(r) if r != "all" else "合计" for r in t.index]
    t["inputs"] = [inputs(r, *parts) for r in t.index]
    t["indicator"] = ratio
    t.loc["all", "inputs"] = ";".join(t["inputs"].drop("all"))
    t.loc["all", "region"] = "zone"
    z, scope = t.loc["all"], f"{regional.so_far(after)}比上年同期，月报口径"
    scope += f"，{'、'.join(out)}未报不计" if out else ""
    own = (z["within"] - z["between"]) * z["total"] >= 0
    cause = "园区自身强度变动" if own else "园区间份额变动"
    word = "提高" if z["total"] > 0 else "下降"
    parks = t.drop("all").assign(size=lambda f: f["total"].abs())
    who, rows = regional.top(parks, "size", "{:.2f}".format)
    most = f"变动最大的是{who}，{'、'.join(f'{{{r}.total}}' for r in rows.index[:3])}"
    told = (
        f"各园区合计强度{word}{{all.total:size}}，其中园区自身变动{{all.within}}，份额变化{{all.between}}；{most}"
        if z["total"]
        else "各园区合计强度与上年同期持平，其中园区自身变动{all.within}，份额变化{all.between}"
    )
    title = (
        f"研发投入强度{word}{{all.total:size}}，主要来自{cause}"
        if z["total"]
        else "研发投入强度与上年同期持平"
    )
    t = t.drop(columns=["ratio_before", "ratio_after"])
    return tell(given, "intensity_split", t, SPLIT, scope, title, [told], *parts)


@finding(*YEAR)
def intensity_year(given: Given) -> Found:
    """What the reports' ratio lacks of its target in 万元 of R&D, and the survey's figure as bridged from it.

    Row `zone`: `short` (0 where met), `estimate` of the last year without an official figure, `rms_error` of such
    estimates in past years, `years_checked` how many.
    """
    (_, after), (ratio, parts) = regional.quarter(given.period), _ratio(given)
    s = given.table("SERIES")
    spent, gdp = (analysis.total(s, list(given.catalog.parks), i, after) for i in parts)
    aim, sentences = regional.target(given, ratio), []
    row = dict(
        label=f"{after[:4]}年", indicator=ratio, region="zone", inputs=inputs("zone", *parts)
    )
    if aim and spent > 0 and gdp > 0:
        row["short"] = max(0.0, aim["target_low"] / 100 * gdp - spent)
        row["inputs"] += ";" + inputs("zone", ratio, table="TARGETS")
        lacks = "按现有GDP，月报口径达到目标强度还需研发经费{zone.short}"
        sentences.append(lacks if row["short"] else "月报口径已达到目标强度")
    s, until = s[s["region"].eq("zone")], int(after[-2:])
    official = next((i.id for i in given.catalog.indicators.values() if i.role == "公布强度"), "")
    proxy = s[s["indicator"].eq(ratio) & s["end"].dt.month.eq(until) & s["start"].dt.month.eq(1)]
    yearly = s[s["indicator"].eq(official) & s["months"].isin([0, 12])]
    by_year = [p.set_index(p["end"].dt.year)["value"] for p in (yearly, proxy)]
    if len(by_year[0].index.intersection(by_year[1].index)) > 1:
        b = analysis.proxy_bridge(*by_year)
        errors = b["error"].dropna()
        row |= dict(rms_error=(errors**2).mean() ** 0.5, years_checked=len(errors))
        row |= dict(estimate=b["estimate"].iloc[-1], label=f"{b['year'].iloc[-1]}年")
        row["inputs"] += ";" + inputs("zone", official)
        sentences.append(
            "年度公布口径的{zone.label}数尚未公布，按月报强度的变动推算为{zone.estimate}，往年这样推算误差"
            "{zone.rms_error}（只检验过{zone.years_checked}）；两种口径不能相比，推算不代替公布数"
            if pd.isna(b["official"].iloc[-1])
            else "年度公布口径的{zone.label}数已公布"
        )
    t = pd.DataFrame([row], ["zone"])
    t["scale"] = [quantity.scale(row.get("short", 0.0), given.catalog.unit(parts[0]))]
    scope = f"{given.catalog.zone.parts_zh}合计，{after[:4]}年"
    return tell(given, "intensity_year", t, YEAR, scope, "研发投入强度距目标", sentences, *parts)


@finding(*PROVINCES)
def intensity_provinces(given: Given) -> Found:
    """The zone's province among others and the nation; published figures as first published.

    Rows: province|year `intensity` (%), the province's own rows also `to_nation` (of the printed figures).
    """
    home, zone = given.catalog.zone.province_zh, given.catalog.zone
    ratio, _ = _ratio(given)
    s = regional.published(given, ratio)
    if s.empty:
        raise MissingData("没有各省研发投入强度的公布数")
    s = s[s["region"].isin(["全国", home, *zone.compare])].sort_values(["region", "year"])
    t = s.rename(columns=dict(year="at", value="intensity")).assign(label=s["region"])
    t["period"] = [pd.Period(f"{y}-12", "M") for y in s["year"]]
    t = t.set_axis(s["region"] + "|" + s["year"].astype(str))
    years = (t["at"].min(), t["at"].max()) if len(t) else (given.period.year,) * 2
    for year in set(t.loc[t["region"].eq(home), "at"]) & set(t.loc[t["region"].eq("全国"), "at"]):
        own, nation = (t.at[f"{r}|{year}", "intensity"] for r in (home, "全国"))
        t.loc[f"{home}|{year}", "to_nation"] = float(TWO.round(own) - TWO.round(nation))
        t.loc[f"{home}|{year}", "inputs"] += ";" + t.at[f"全国|{year}", "inputs"]
    told = t[t.get("to_nation", t["intensity"]).notna() & t["region"].eq(home)]
    title = f"{home}没有与全国可比的研发投入强度"
    if len(told):
        (first, last), gap = told.index[[0, -1]], told["to_nation"].iloc[[0, -1]]
        t.loc["last", ["label", "inputs"]] = f"{told['at'].iloc[-1]}年", t.at[last, "inputs"]
        side = lambda v: "高于" if v > 0 else "低于"  # noqa: E731
        title = f"{home}研发投入强度{{last.label}}为{{{last}.intensity}}"
        now = f"{side(gap.iloc[1])}全国{{{last}.to_nation:size}}" if gap.iloc[1] else "与全国持平"
        way = "缩小" if abs(gap.iloc[1]) < abs(gap.iloc[0]) else "扩大"
        both = f"{home}与全国的差距由{{{first}.to_nation:size}}{way}到{{{last}.to_nation:size}}"
        same = gap.prod() > 0 and gap.iloc[0] != gap.iloc[1]
        title = (both, f"{title}，{now}") if same else f"{title}，{now}"
    source = "《全国科技经费投入统计公报》等，经公开数据整理"
    given_ = dict(source=source, demo=False, period=pd.Period(f"{years[1]}-12", "M"))
    scope = f"全国与部分省，{years[0]}—{years[1]}年"
    return tell(given, "intensity_provinces", t, PROVINCES, scope, title, [], ratio, **given_)
