"""Findings on R&D intensity: who reaches the target, what moved it, what is missing, the provinces.

The ratio of the months' reports (月报口径) and the survey's yearly figure (年度公布口径) are two measures, never joined.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from zcqlib import analysis
from zcqlib.catalog import Target
from zcqlib.findings.found import (
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

    Rows: region|month `ratio` (%); `now` is the zone's last, `over` how many parks reach their own target then, or the zone's where they have none;
    `aim` the target.
    """
    (ratio, parts), name = _ratio(given), given.names
    t = given.table("SERIES", indicator=ratio, region=name).query("end.dt.month % 3 == 0")
    t = t.sort_values("end").rename(columns=dict(end="period", value="ratio"))
    if t.empty:
        raise MissingData(f"本期没有可比的{given.name(ratio)}")
    at = [f"{e.year % 100}.{e.month:02d}" for e in t.period]
    of = [inputs(r, ratio) for r in t.region]
    t = t.assign(at=at, label=t.region.map(name), inputs=of)
    t = t.set_axis(t.region + "|" + t.period.astype(str))
    last, first = t[t.period.eq(t.period.max())], t.period.min().year
    zone = last.region.eq("zone")
    sum_up(t, "now", "".join(last.label[zone]), last, ratio=last.ratio[zone].max())
    title = "[研发投入强度（月报口径）{now.ratio}/各园区研发投入强度]"
    for aim in given.table("TARGETS", region="zone", id=ratio)[-1:].to_dict("records"):
        of = inputs("zone", ratio, table="TARGETS")
        sum_up(t, "aim", "目标", of, ratio_aim=aim["target_low"])
        own = given.aims(ratio, last.region[~zone]).to_numpy()
        whole, now = Target.of(aim), last.ratio[~zone]
        each = [replace(whole, low=low if low == low else whole.low) for low in own]
        t.loc["now", "over"] = sum(a.met(v) for a, v in zip(each, now, strict=True))
        which = "各自目标" if np.isfinite(own).any() else "{aim.ratio_aim}"
        title += f"，[{{now.over}}园区达到/各园区均未达到]{which}"
    scope = f"各园区与合计，{first}—{given.year}年"
    return Told(t, scope, title, of=parts)


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
    t, heads = given.by_region(ratio, *parts), ("研发经费", "GDP")
    (n0, d0), (n1, d1) = ([given.totals(t.index, i, p) for i in parts] for p in spans)
    t["spent_growth"], t["gdp_growth"] = (
        100 * (n1 - n0) / n0.where(n0 > 0),
        100 * (d1 - d0) / d0.where(d0 > 0),
    )
    t["ratio_before"], t["ratio_after"] = 100 * n0 / d0.where(d0 > 0), 100 * n1 / d1.where(d1 > 0)
    t["ratio_change"] = printed(t.ratio_after, 2) - printed(t.ratio_before, 2)
    scope, z = f"各园区与合计，{so_far(spans[1])}比上年同期", t.loc["zone"]
    if z[["spent_growth", "gdp_growth", "ratio_change"]].isna().any():
        words = "研发经费或GDP有月份未报"
        return Told(t, scope, words, [f"{words}，本期不能判断强度的变动"], parts)
    both = z[["spent_growth", "gdp_growth"]].set_axis(heads)
    spent, gdp = (
        f"{{zone.{c}{':size' * bool(z[c] >= 0)}}}" for c in ("spent_growth", "gdp_growth")
    )
    ahead = printed(both, 1).diff().iloc[1]
    than = "慢于" if ahead > 0 else "快于" if ahead < 0 else "等于"
    title = f"研发经费增长{spent}，{than}GDP的{gdp}"
    most = both.abs().idxmax()
    told = (
        "月报口径的研发投入强度由{zone.ratio_before}{zone.ratio_change:提高到/降到/变为}{zone.ratio_after}，"
        f"主要是{most}{'增长较快' if both[most] > 0 else '下降'}"
        "（研发经费{zone.spent_growth}，GDP{zone.gdp_growth}）"
    )
    change = "{zone.ratio_change:提高/下降/持平}[{zone.ratio_change:size}]"
    return Told(t, scope, f"{title}，强度{change}", [told], parts)


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
    z = t.loc["all"]
    scope = f"{so_far(after)}比上年同期，月报口径" + given.left_out(t, "，{}未报不计")
    told = "各园区合计强度[{all.total:提高/下降}{all.total:size}/与上年同期持平]，"
    told += "其中园区自身变动{all.within}，份额变化{all.between}"
    cause = "园区自身强度" if (z.within - z["between"]) * z.total >= 0 else "园区间份额"
    title = f"研发投入强度[{{all.total:提高/下降}}{{all.total:size}}，主要来自{cause}变动/与上年同期持平]"
    return Told(t, scope, title, [told], parts)


@finding("""
    estimate %.2 : 年度公布口径推算
    rms_error 个百分点.2 : 往年推算误差
    years_checked 年 : 检验过的年数
""")
def intensity_year(given: Given) -> Told:
    """The survey's yearly figure as bridged from the reports' ratio.

    Row `zone`: `estimate` of the last year without an official figure, `rms_error` of such estimates in past years,
    `years_checked` how many.
    """
    (ratio, parts), span = _ratio(given), quarter(given.period)[1]
    month = int(span[-2:])
    official = next((i.id for i in given.catalog.indicators.values() if i.role == "公布强度"), "")
    yearly, proxy = (
        given.table("SERIES", region="zone", indicator=i, months=(0, n)).set_index("end")["value"]
        for i, n in ((official, 12), (ratio, month))
    )
    proxy = proxy[proxy.index.month == month]
    by_year = [p.set_axis(p.index.year) for p in (yearly, proxy)]
    b = analysis.proxy_bridge(*by_year)
    errors, last = b.error.dropna(), b.iloc[-1]
    row = dict(label=f"{last.year:.0f}年", indicator=ratio, region="zone", estimate=last.estimate)
    row |= dict(rms_error=(errors**2).mean() ** 0.5, years_checked=len(errors))
    row |= dict(inputs=inputs("zone", *parts, official))
    told = "年度公布口径的{zone.label}数已公布"
    if pd.isna(last.official):
        told = (
            "年度公布口径的{zone.label}数尚未公布，按月报强度的变动推算为{zone.estimate}，往年这样推算误差"
            "{zone.rms_error}（只检验过{zone.years_checked}）；两种口径不能相比，推算不代替公布数"
        )
    t, scope = pd.DataFrame([row], ["zone"]), f"{given.place}合计，{span[:4]}年"
    return Told(t, scope, "研发投入强度的年度推算", [told], parts)


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
    told = printed(t.intensity, 2).groupby([t["at"], t.region]).first().unstack()
    told = told.reindex(columns=[home, "全国"])
    gap = (told[home] - told.全国).dropna()
    own, nation = (f"{r}|" + gap.index.astype(str) for r in (home, "全国"))
    t.loc[own, "to_nation"] = gap.array
    t.loc[own, "inputs"] += (";" + t.inputs[nation]).array
    title = f"{home}没有与全国可比的研发投入强度"
    if len(gap):
        (then, now), first, last = gap.iloc[[0, -1]], own[0], own[-1]
        sum_up(t, "last", f"{gap.index[-1]}年", t.loc[[last]])
        far = f"[{{{last}.to_nation:高于/低于}}全国{{{last}.to_nation:size}}/与全国持平]"
        title = f"{home}研发投入强度{{last.label}}为{{{last}.intensity}}，{far}"
        if now * then > 0 and now != then:
            to = f"{'缩小' if abs(now) < abs(then) else '扩大'}到{{{last}.to_nation:size}}"
            title = f"{home}与全国的差距由{{{first}.to_nation:size}}{to}"
    scope, about = real(t, "《全国科技经费投入统计公报》等")
    return Told(t, f"全国与部分省，{scope}", title, of=(ratio,), about=about)
