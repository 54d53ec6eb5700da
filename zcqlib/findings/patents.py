"""Findings on patents: single months, the share of inventions, quality by park, and what R&D has to do with them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import analysis
from zcqlib.findings import regional
from zcqlib.findings.found import Found, Given, Measure, finding
from zcqlib.findings.regional import NAN, PATENTS, PERCENT, POINTS, inputs, tell
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

LAG = 6  # months by which grants are set against applications
PLAIN = Scale("", digits=2)
MONTHS = {
    "month_now": Measure("今年", PATENTS),
    "month_before": Measure("上年", PATENTS),
    "months_ahead": Measure("多于上年的月份", Scale("个月")),
    "months_known": Measure("两年都有数的月份", Scale("个月")),
    "year_to_date": Measure("1月至今累计", PATENTS),
    "revised": Measure("各月之外的前期修订", regional.UP_PATENTS),
}
SHARE = {
    "invention_before": Measure("上年同期", PERCENT),
    "invention_now": Measure("本年", PERCENT),
    "invention_aim": Measure("目标", PERCENT),
    "invention_change": Measure("变动", POINTS),
    "invention_below": Measure("低于目标的园区", regional.COUNT),
}
QUALITY = {
    "filed_share": Measure("占全区申请（%）", PERCENT),
    "granted_per_100": Measure("每百件申请授权（件）", Scale("件", digits=1)),
    "in_force": Measure("每万人有效发明（件）", Scale("件", digits=1), "in_force_aim"),
    "in_force_aim": Measure("每万人有效发明目标", Scale("件", digits=1)),
    "hhi": Measure("集中度", PLAIN),
    "hhi_even": Measure("均分时的集中度", PLAIN),
}
RELATION = {
    "elasticity": Measure("研发经费多1%时专利申请多", Scale("%", digits=2)),
    "elasticity_low": Measure("95%区间下限", PLAIN),
    "elasticity_high": Measure("95%区间上限", PLAIN),
    "provinces": Measure("省份数", Scale("省")),
}
PANEL = {
    "rd": Measure("研发经费（亿元）", Scale("亿元", 10_000)),
    "patents": Measure("专利申请（件）", PATENTS),
    "together": Measure("各省各年合看的弹性", Scale("%", digits=2)),
}


@finding(*MONTHS)
def patent_months(given: Given) -> Found:
    """The zone's applications in single months of this year and the last; what a revision adds stands apart.

    Rows by month `1月` to `12月`; `all`: in how many of the months known in both years this year brought more, the year
    to date, and `revised`, what of it no month explains.
    """
    s, year, filed = given.table("SERIES"), given.period.year, given.catalog.role("专利申请")
    s = s[s["region"].eq("zone") & s["indicator"].eq(filed) & s["end"].le(given.period)]
    now, single = s[s["end"].dt.year.eq(year)], s[s["months"].eq(1) & ~s["revision"]]
    wide = single.pivot_table("value", single["end"].dt.month, single["end"].dt.year)
    wide = wide.reindex(index=range(1, 13), columns=[year - 1, year])
    t = pd.DataFrame(dict(month_now=wide[year], month_before=wide[year - 1]))
    t = t.assign(at=[f"{m}月" for m in wide.index], indicator=filed, region="zone")
    t = t.assign(label=given.catalog.zone.parts_zh, inputs=inputs("zone", filed))
    t["period"] = [pd.Period(f"{year}-{m:02d}", "M") for m in wide.index]
    t.index = t["at"]
    t = t.rename_axis(None)
    both, known = t.dropna(), "{all.months_known}"
    ahead = int(both["month_now"].gt(both["month_before"]).sum())
    revised = now.loc[now["revision"], "value"].sum()
    t.loc["all", ["label", "inputs"]] = "合计", inputs("zone", filed)
    t.loc["all", ["months_known", "year_to_date"]] = len(both), now["value"].sum() or NAN
    t.loc["all", "months_ahead"] = ahead or NAN
    t.loc["all", "revised"] = revised or NAN
    what = given.catalog.name(filed)
    how = (
        "逐月高于上年同月"
        if ahead == len(both)
        else "中{all.months_ahead}高于上年同月"
        if ahead
        else "均不高于上年同月"
    )
    title = f"{what}今年前{known}{how}" if len(both) else f"{what}没有两年可比的月份"
    note = "各月之外有前期修订{all.revised}，累计{all.year_to_date}" if revised else ""
    scope = f"{given.catalog.zone.parts_zh}合计，{year}年与{year - 1}年"
    return tell(given, "patent_months", t, MONTHS, scope, title, [title, note], filed)


@finding(*SHARE)
def invention_share(given: Given) -> Found:
    """Inventions in applications to date, this year and the last, by park and zone, against the share the targets imply."""
    t, k, rows = given.table("TO_DATE"), given.period.month, {}
    inventions, filed = both = [given.catalog.role(r) for r in ("发明申请", "专利申请")]
    t = t[t["indicator"].isin(both)].set_index(["region", "indicator", "end"])["value"]
    percent = lambda v: float(PERCENT.round(v)) if v == v else NAN  # noqa: E731
    for r, label in regional.names(given).items():
        now, before = (
            percent(100 * t.get((r, inventions, m), NAN) / t.get((r, filed, m), NAN))
            for m in (given.period, given.period - 12)
        )
        part, whole = (regional.target(given, i, r).get("target_low", NAN) for i in both)
        row = dict(label=label, indicator=inventions, region=r, invention_before=before)
        row |= dict(invention_now=now, invention_aim=percent(100 * part / whole))
        row["invention_change"] = round(now - before, 1)
        of = (inputs(r, *both, table=table) for table in ("TO_DATE", "TARGETS"))
        rows[r] = row | dict(inputs=";".join(of))
    t = pd.DataFrame(rows.values(), rows)
    parks, z = t.drop("zone"), t.loc["zone"]
    aimed = parks.dropna(subset=["invention_now", "invention_aim"])
    below = int(aimed["invention_now"].lt(aimed["invention_aim"]).sum())
    t.loc["all", ["label", "inputs"]] = "合计", ";".join(t["inputs"])
    t.loc["all", "invention_below"] = below or NAN
    which = (
        "各园区均低于目标"
        if below == len(parks)
        else "{all.invention_below}园区低于目标"
        if below
        else "各园区均达到目标"
    )
    which = which if len(aimed) else "园区目标未下达"
    scope = f"各园区与合计，1—{k}月累计，{given.period.year - 1}年与{given.period.year}年"
    if np.isnan(z["invention_change"]):
        words = "发明专利占申请的比重没有上年可比"
        return tell(given, "invention_share", t, SHARE, scope, words, [words], *both)
    way = "持平于" if not z["invention_change"] else "升至" if z["invention_change"] > 0 else "降至"
    title = f"发明占申请由{{zone.invention_before}}{way}{{zone.invention_now}}，{which}"
    who, least = regional.top(parks, "invention_change", "{:.1f}".format, least=True)
    told = f"{title}；变动最不利的是{who}（{{{least.index[0]}.invention_change}}）"
    return tell(given, "invention_share", t, SHARE, scope, title, [told], *both)


@finding(*QUALITY)
def patent_quality(given: Given) -> Found:
    """What share of the applications each park has, how many grants they lead to, and inventions in force per 10,000."""
    s, t, parks = given.table("SERIES"), given.table("TO_DATE"), list(given.catalog.parks)
    filed, granted, in_force = ids = [
        given.catalog.role(r) for r in ("专利申请", "专利授权", "万人有效发明")
    ]
    t = t[t["end"].eq(given.period) & t["indicator"].eq(filed)].set_index("region")["value"]
    own = t.reindex(parks)
    share = 100 * (own / own.sum() if own.sum() > 0 else own[:0]).dropna()
    first, rows = pd.Period(f"{given.period.year}-01", "M"), {}
    until, earlier = f"{first}/{given.period}", f"{first - LAG}/{given.period - LAG}"
    last = s[s["indicator"].eq(in_force) & s["end"].le(given.period)].sort_values("end")
    last = last.drop_duplicates("region", keep="last").set_index("region")["value"]
    for r, label in regional.names(given).items():
        where = parks if r == "zone" else r
        came, of = (analysis.total(s, where, i, p) for i, p in ((granted, until), (filed, earlier)))
        row = dict(label=label, indicator=filed, region=r)
        row |= dict(granted_per_100=100 * came / of if of > 0 else NAN)
        row |= dict(filed_share=100.0 if r == "zone" and len(share) else share.get(r, NAN))
        row |= dict(in_force=last.get(r, NAN), inputs=inputs(r, *ids))
        rows[r] = row | dict(
            in_force_aim=regional.target(given, in_force, r).get("target_low", NAN)
        )
    t = pd.DataFrame(rows.values(), rows)
    t.loc["all", ["label", "inputs"]] = "各园区", ";".join(t["inputs"])
    if len(share):
        t.loc["all", ["hhi", "hhi_even"]] = (share**2).sum() / 1e4, 1 / len(share)
    show, only = (lambda v: str(PERCENT.round(v))), t.loc[parks]
    if only[["filed_share", "granted_per_100"]].isna().all().any():
        title, told = "专利申请和授权没有报齐，本期不比较", []
    else:
        (who, most), (best, rows) = (
            regional.top(only, c, show) for c in ("filed_share", "granted_per_100")
        )
        same = "授权率也最高" if best == who else f"{best}授权率最高"
        title = f"{who}占申请{{{most.index[0]}.filed_share}}，{same}（每百件{{{rows.index[0]}.granted_per_100}}）"
        told = [
            f"{title}；申请的集中度{{all.hhi}}，各园区均分为{{all.hhi_even}}",
            "每百件申请（错开六个月）授权{zone.granted_per_100}，每万人有效发明专利{zone.in_force}"
            if t.loc["zone", ["granted_per_100", "in_force"]].notna().all()
            else "",
        ]
    scope = f"各园区与合计，{given.period.year}年1—{given.period.month}月"
    title = title, title.partition("（")[0]
    return tell(given, "patent_quality", t, QUALITY, scope, title, told, *ids)


def _real(panel: pd.DataFrame) -> dict:
    year = panel["year"].max()
    source = "《中国科技统计年鉴》，经公开数据整理"
    return dict(source=source, demo=False, period=pd.Period(f"{year}-12", "M"))


def _panel(given: Given) -> pd.DataFrame:
    """The provincial panel of the R&D relation: `region`, `year`, `patents`, `rd` (万元) and `inputs`; no nation."""
    zone, filed = given.catalog.zone, given.catalog.role("专利申请")
    spent = given.catalog.indicators[given.catalog.role("研发投入强度")].numerator
    s = regional.published(given, filed, spent)
    s = s[s["region"].isin([zone.province_zh, *zone.compare]) & s["value"].gt(0)]
    a, b = (s[s["indicator"].eq(i)].drop(columns="indicator") for i in (filed, spent))
    both = a.merge(b, on=["region", "year"], suffixes=("", "_rd")).sort_values(["region", "year"])
    both["inputs"] = both["inputs"] + ";" + both["inputs_rd"]
    both = both.rename(columns=dict(value="patents", value_rd="rd")).drop(columns="inputs_rd")
    if both["region"].nunique() < 2:
        raise MissingData("没有省级面板数据")
    return both.reset_index(drop=True)


def _span(panel: pd.DataFrame) -> str:
    return f"{panel['year'].min()}—{panel['year'].max()}年"


@finding(*RELATION)
def patents_and_rd(given: Given) -> Found:
    """By how many per cent patents are more where R&D is one per cent more: provinces, with and without year effects.

    Rows: the same year with region and year effects (`years`), without year effects (`plain`), and both over this year
    and the last (`years_lag`, `plain_lag`), Poisson, errors by province.
    """
    panel, rows = _panel(given), {}
    filed = given.catalog.role("专利申请")
    for lag, words in ((0, ""), (1, "，连上年")):
        f = analysis.patents_on_rd(panel.drop(columns="inputs"), lag)
        total = f[f["term"].eq("sum")].iloc[0]
        for id, suffix, name in (("plain", "_without_years", "分省"), ("years", "", "分省、分年")):
            v = {c: total[c + suffix] for c in ("estimate", "low", "high")}
            v = dict(
                zip(("elasticity", "elasticity_low", "elasticity_high"), v.values(), strict=True)
            )
            rows[id + "_lag" * lag] = v | dict(
                label=name + words, indicator=filed, basis=name + words
            )
    t = pd.DataFrame(rows.values(), rows).assign(inputs=";".join(panel["inputs"]), region="")
    for id, words in (("all", "面板"), ("one", "1%"), ("level", "95%")):
        t.loc[id, ["label", "inputs"]] = words, ";".join(panel["inputs"])
    t.loc["all", "provinces"] = panel["region"].nunique()
    sure = t.at["years", "elasticity_low"] > 0
    end = "研发与专利仍显著正相关" if sure else "研发与专利的关系还不能断定"
    span = "{{{0}.elasticity}}（{{level.label}}区间{{{0}.elasticity_low}}至{{{0}.elasticity_high}}）".format
    told = (
        f"省级面板（真实数据）中，研发经费多{{one.label}}的省份和年份，专利申请多{span('plain')}；"
        f"扣除各年共同变化后为{span('years')}，{end}"
    )
    few = "只有{all.provinces}，按省聚类的区间偏窄；是相关，不是因果"
    scope = f"{panel['region'].nunique()}省，{_span(panel)}"
    title = f"扣除各年共同变化后，{end}"
    return tell(
        given, "patents_and_rd", t, RELATION, scope, title, [told, few], filed, **_real(panel)
    )


@finding(*PANEL)
def provinces_patents(given: Given) -> Found:
    """R&D and patents of provinces and years, and the elasticity that all of them together show (no effects)."""
    panel = _panel(given)
    filed = given.catalog.role("专利申请")
    t = panel.assign(label=panel["region"], at=panel["year"], indicator=filed)
    t["period"] = [pd.Period(f"{y}-12", "M") for y in panel["year"]]
    t.index = t["region"] + "|" + t["year"].astype(str)
    x, y = np.log(panel["rd"]), np.log(panel["patents"])
    everything = ";".join(t["inputs"])
    for id, words in (("all", "合看"), ("one", "1%")):
        t.loc[id, ["label", "inputs"]] = words, everything
    t.loc["all", "together"] = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    title = (
        "研发经费多{one.label}的省份，专利申请约多{all.together}",
        "研发经费多的省份专利申请也多（弹性{all.together}）",
    )
    scope = f"{panel['region'].nunique()}省，每点一省一年，{_span(panel)}，对数坐标"
    t = t.drop(columns="year")
    return tell(
        given, "provinces_patents", t, PANEL, scope, title, title[:1], filed, **_real(panel)
    )
