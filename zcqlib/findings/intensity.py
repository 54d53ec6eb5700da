"""Findings on R&D intensity: who reaches the target, what moved it, what is missing, the provinces.

The ratio of the months' reports (月报口径) and the survey's yearly figure (年度公布口径) are two measures, never joined.
"""

import pandas as pd

from zcqlib import analysis, quantity
from zcqlib.catalog import Target
from zcqlib.findings.found import (
    NAMED,
    NAN,
    Given,
    Told,
    add_up,
    finding,
    inputs,
    printed,
    quarter,
    real,
    so_far,
    sum_up,
    top,
)
from zcqlib.tables import MissingData


def _ratio(given: Given) -> tuple[str, tuple[str, str]]:
    """The ratio of the months' reports, its numerator and its denominator."""
    i = given.catalog.indicators[given.role("研发投入强度")]
    return i.id, (i.numerator, i.denominator)


@finding("""
    ratio %.2 : 研发投入强度（月报口径）
    ratio_aim % : 目标
    over 个 : 达到目标的园区
""")
def intensity_parks(given: Given) -> Told:
    """The monthly reports' ratio to date at each quarter's end, by park and zone, against the plan's target.

    Rows: region|month `ratio` (%); `now` is the zone's last, `over` how many parks reach the zone's target then;
    `aim` the target.
    """
    (ratio, parts), name = _ratio(given), given.names
    t = given.table("SERIES", indicator=ratio, region=name).query("end.dt.month % 3 == 0")
    t = t.sort_values("end").rename(columns=dict(end="period", value="ratio"))
    if t.empty:
        raise MissingData(f"本期没有可比的{given.name(ratio)}")
    t["at"] = [f"{e.year % 100}.{e.month:02d}" for e in t.period]
    t = t.assign(label=t.region.map(name), inputs=[inputs(r, ratio) for r in t.region])
    t.index = t.region + "|" + t.period.astype(str)
    last, first = t.query("period == period.max()"), t.period.min().year
    zone, others = (last.query(f"region {is_} 'zone'") for is_ in ("==", "!="))
    sum_up(t, "now", "、".join(zone["label"]), last, ratio=zone["ratio"].max(), over=NAN)
    title = "[研发投入强度（月报口径）{now.ratio}/各园区研发投入强度]"
    if aim := given.row_of("TARGETS", ratio):
        of = inputs("zone", ratio, table="TARGETS")
        sum_up(t, "aim", "目标", of, ratio_aim=aim["target_low"])
        t.loc["now", "over"] = sum(map(Target.of(aim).met, others["ratio"]))
        title += "，[{now.over}园区达到/各园区均未达到]{aim.ratio_aim}"
    scope = f"各园区与合计，{first}—{given.year}年"
    return Told(t, scope, (title, title.replace("（月报口径）", "")), of=parts)


@finding("""
    spent_growth +%.1 : 研发经费增长（%）
    gdp_growth +%.1 : GDP增长（%）
    ratio_change +个百分点.2 : 强度变动（个百分点）
    ratio_before %.2 : 上年同期强度（月报口径）
    ratio_after %.2 : 本期强度（月报口径）
""")
def intensity_moved(given: Given) -> Told:
    """Growth of R&D and GDP and what both did to the ratio, by park and for all: the year so far to the last quarter."""
    spans, (ratio, parts) = quarter(given.period), _ratio(given)
    t = given.by_region(ratio, *parts)
    (n0, d0), (n1, d1) = ([given.totals(t.index, i, p) for i in parts] for p in spans)
    growth = {"spent_growth": "研发经费", "gdp_growth": "GDP"}
    for c, before, after in zip(growth, (n0, d0), (n1, d1), strict=True):
        t[c] = (100 * (after - before) / before).where(before > 0)
    t["ratio_before"], t["ratio_after"] = 100 * n0 / d0.where(d0 > 0), 100 * n1 / d1.where(d1 > 0)
    before, after = (printed(t[f"ratio_{c}"], 2) for c in ("before", "after"))
    t["ratio_change"] = after - before
    scope, z = f"各园区与合计，{so_far(spans[1])}比上年同期", t.loc["zone"]
    if z[[*growth, "ratio_change"]].isna().any():
        words = "研发经费或GDP有月份未报"
        return Told(t, scope, words, [f"{words}，本期不能判断强度的变动"], parts)
    spent, gdp = (f"{{zone.{c}{':size' if z[c] >= 0 else ''}}}" for c in growth)
    faster = "快于" if z.spent_growth > z.gdp_growth else "慢于"
    title = f"研发经费增长{spent}，{faster}GDP的{gdp}"
    most = max(growth, key=lambda c: abs(z[c]))
    told = (
        "月报口径的研发投入强度由{zone.ratio_before}{zone.ratio_change:提高到/降到/变为}{zone.ratio_after}，"
        f"主要是{growth[most]}{'增长较快' if z[most] > 0 else '下降'}"
        "（研发经费{zone.spent_growth}，GDP{zone.gdp_growth}）"
    )
    change = "{zone.ratio_change:提高/下降/持平}[{zone.ratio_change:size}]"
    return Told(t, scope, (f"{title}，强度{change}", title), [told], parts)


@finding("""
    within +个百分点.2 : 园区自身强度变动
    between +个百分点.2 : 园区间份额变动
    total +个百分点.2 : 合计
    share_before %.1 : 上年占GDP（%）
    share_after %.1 : 本年占GDP（%）
""")
def intensity_split(given: Given) -> Told:
    """How much of the change of the joint ratio the parks' own ratios made and how much the shift of weight among them.

    Rows by park and `all`; parts add up in two decimals, in rows and columns.
    """
    (before, after), (ratio, parts) = quarter(given.period), _ratio(given)
    try:
        s = given.table("SERIES")
        t = analysis.within_between(s, given.catalog.parks, *parts, before, after)
    except analysis.AnalysisError as e:
        raise MissingData("没有园区两年都报研发经费和GDP") from e
    t = given.with_whole(t, ratio, *parts)
    for c in ("within", "total"):
        t[c] = add_up(t, c, 2)
    t["between"] = (t.total - t.within).round(2)
    z, out = t.loc["all"], given.left_out(t)
    scope = f"{so_far(after)}比上年同期，月报口径" + f"，{out}未报不计" * bool(out)
    told = "各园区合计强度[{all.total:提高/下降}{all.total:size}/与上年同期持平]，"
    told += "其中园区自身变动{all.within}，份额变化{all.between}"
    if not z.total:
        return Told(t, scope, "研发投入强度与上年同期持平", [told], parts)
    who, rows = top(t.drop("all").assign(size=t.total.abs()), "size", 2)
    told += f"；变动最大的是{who}，"
    told += "、".join(f"{{{r}.total}}" for r in rows.index[:NAMED])
    own = (z.within - z["between"]) * z.total >= 0
    cause = "园区自身强度变动" if own else "园区间份额变动"
    title = f"研发投入强度{{all.total:提高/下降}}{{all.total:size}}，主要来自{cause}"
    return Told(t, scope, title, [told], parts)


@finding("""
    short : 还需研发经费
    estimate %.2 : 年度公布口径推算
    rms_error 个百分点.2 : 往年推算误差
    years_checked 年 : 检验过的年数
""")
def intensity_year(given: Given) -> Told:
    """What the reports' ratio lacks of its target in 万元 of R&D, and the survey's figure as bridged from it.

    Row `zone`: `short` (0 where met), `estimate` of the last year without an official figure, `rms_error` of such
    estimates in past years, `years_checked` how many.
    """
    (_, after), (ratio, parts) = quarter(given.period), _ratio(given)
    spent, gdp = (given.totals(["zone"], i, after)["zone"] for i in parts)
    aim, told = given.row_of("TARGETS", ratio), []
    row = dict(label=f"{after[:4]}年", indicator=ratio, region="zone", short=NAN)
    row |= dict(inputs=inputs("zone", *parts))
    if aim and spent > 0 and gdp > 0:
        row["short"] = max(0.0, aim["target_low"] / 100 * gdp - spent)
        row["inputs"] += ";" + inputs("zone", ratio, table="TARGETS")
        told = ["[按现有GDP，月报口径达到目标强度还需研发经费{zone.short}/月报口径已达到目标强度]"]
    official = next((i.id for i in given.catalog.indicators.values() if i.role == "公布强度"), "")
    yearly = given.table("SERIES", region="zone", indicator=official, months=(0, 12))
    proxy = given.table("SERIES", region="zone", indicator=ratio, months=(0, int(after[-2:])))
    proxy = proxy[proxy["end"].dt.month.eq(int(after[-2:]))]
    by_year = [p.set_index(p.end.dt.year)["value"] for p in (yearly, proxy)]
    if len(by_year[0].index.intersection(by_year[1].index)) > 1:
        b = analysis.proxy_bridge(*by_year)
        errors, last = b.error.dropna(), b.iloc[-1]
        row |= dict(rms_error=(errors**2).mean() ** 0.5, years_checked=len(errors))
        row |= dict(estimate=last.estimate, label=f"{last.year:.0f}年")
        row["inputs"] += ";" + inputs("zone", official)
        told.append(
            "年度公布口径的{zone.label}数尚未公布，按月报强度的变动推算为{zone.estimate}，往年这样推算误差"
            "{zone.rms_error}（只检验过{zone.years_checked}）；两种口径不能相比，推算不代替公布数"
            if pd.isna(last.official)
            else "年度公布口径的{zone.label}数已公布"
        )
    t = pd.DataFrame([row], ["zone"])
    t["scale"] = [quantity.scale(row["short"], given.catalog.unit(parts[0]))]
    scope = f"{given.place}合计，{after[:4]}年"
    return Told(t, scope, "研发投入强度距目标", told, parts)


@finding("""
    intensity %.2 : 研发投入强度（公布数）
    to_nation +个百分点.2 : 与全国相差
""")
def intensity_provinces(given: Given) -> Told:
    """The zone's province among others and the nation; published figures as first published.

    Rows: province|year `intensity` (%), the province's own rows also `to_nation` (of the printed figures).
    """
    home, ratio = given.catalog.zone.province_zh, _ratio(given)[0]
    t = given.published(ratio).rename(columns=dict(value="intensity"))
    shown = ["全国", home, *given.catalog.zone.compare]
    t = t.query(f"region in {shown}").sort_values(["region", "at"])
    if t.empty:
        raise MissingData("没有各省研发投入强度的公布数")
    both = t.assign(intensity=printed(t.intensity, 2))
    both = both.pivot(index="at", columns="region", values="intensity")
    both = both.reindex(columns=[home, "全国"])
    gap = (both[home] - both.全国).dropna()
    for year, v in gap.items():
        t.loc[f"{home}|{year}", "to_nation"] = v
        t.loc[f"{home}|{year}", "inputs"] += ";" + t.at[f"全国|{year}", "inputs"]
    title = f"{home}没有与全国可比的研发投入强度"
    if len(gap):
        then, now = gap.iloc[[0, -1]]
        first, last = (f"{home}|{y}" for y in gap.index[[0, -1]])
        sum_up(t, "last", f"{gap.index[-1]}年", t.loc[[last]])
        far = f"[{{{last}.to_nation:高于/低于}}全国{{{last}.to_nation:size}}/与全国持平]"
        title = f"{home}研发投入强度{{last.label}}为{{{last}.intensity}}，{far}"
        if now * then > 0 and now != then:
            to = f"{'缩小' if abs(now) < abs(then) else '扩大'}到{{{last}.to_nation:size}}"
            title = f"{home}与全国的差距由{{{first}.to_nation:size}}{to}", title
    scope, about = real(t, "《全国科技经费投入统计公报》等")
    return Told(t, f"全国与部分省，{scope}", title, of=(ratio,), about=about)
