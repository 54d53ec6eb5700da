"""Findings on patents: single months, the share of inventions, quality by park, and what R&D has to do with them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import analysis
from zcqlib.findings import regional
from zcqlib.findings.found import NAN, PERCENT, Given, Told, finding, heads
from zcqlib.findings.regional import PATENTS, POINTS, inputs
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

FILED = "专利申请"  # its role
LAG = 6  # months by which grants are set against applications
PLAIN, PIECES, ELASTICITY = Scale("", digits=2), Scale("件", digits=1), Scale("%", digits=2)
MONTHS = heads(PATENTS, month_now="今年", month_before="上年", year_to_date="1月至今累计")
MONTHS |= heads(Scale("个月"), months_ahead="多于上年的月份", months_known="两年都有数的月份")
MONTHS |= heads(regional.UP_PATENTS, revised="各月之外的前期修订")
SHARE = heads(PERCENT, invention_before="上年同期", invention_now="本年", invention_aim="目标")
SHARE |= heads(POINTS, invention_change="变动")
SHARE |= heads(regional.COUNT, invention_below="低于目标的园区")
QUALITY = heads(PERCENT, filed_share="占全区申请（%）")
QUALITY |= heads(PIECES, granted_per_100="每百件申请授权（件）", in_force_aim="每万人有效发明目标")
QUALITY |= heads(PIECES, "in_force_aim", in_force="每万人有效发明（件）")
QUALITY |= heads(PLAIN, hhi="集中度", hhi_even="均分时的集中度")
RELATION = heads(ELASTICITY, elasticity="研发经费多1%时专利申请多")
RELATION |= heads(PLAIN, elasticity_low="95%区间下限", elasticity_high="95%区间上限")
RELATION |= heads(Scale("省"), provinces="省份数")
PANEL = heads(Scale("亿元", 10_000), rd="研发经费（亿元）") | heads(
    PATENTS, patents="专利申请（件）"
)
PANEL |= heads(ELASTICITY, together="各省各年合看的弹性")


@finding(**MONTHS)
def patent_months(given: Given) -> Told:
    """The zone's applications in single months of this year and the last; what a revision adds stands apart.

    Rows by month `1月` to `12月`; `all`: in how many of the months known in both years this year brought more, the year
    to date, and `revised`, what of it no month explains.
    """
    s, year, place = given.table("SERIES"), given.period.year, given.catalog.zone.parts_zh
    filed = given.catalog.role(FILED)
    s = s[s["region"].eq("zone") & s["indicator"].eq(filed) & s["end"].le(given.period)]
    now, single = s[s["end"].dt.year.eq(year)], s[s["months"].eq(1) & ~s["revision"]]
    wide = single.pivot_table("value", single["end"].dt.month, single["end"].dt.year)
    wide = wide.reindex(index=range(1, 13), columns=[year, year - 1])
    t = wide.set_axis(["month_now", "month_before"], axis=1)
    t["at"] = t.index = [f"{m}月" for m in wide.index]
    t["period"] = pd.period_range(f"{year}-01", periods=12, freq="M")
    t = t.assign(label=place, indicator=filed, region="zone", inputs=inputs("zone", filed))
    both = t.dropna()
    ahead = int(both["month_now"].gt(both["month_before"]).sum())
    revised = now.loc[now["revision"], "value"].sum()
    t.loc["all", ["label", "inputs"]] = "合计", inputs("zone", filed)
    t.loc["all", ["months_known", "year_to_date"]] = len(both), now["value"].sum() or NAN
    t.loc["all", ["months_ahead", "revised"]] = ahead or NAN, revised or NAN
    how = "中{all.months_ahead}高于上年同月" if ahead else "均不高于上年同月"
    how = "逐月高于上年同月" if ahead == len(both) else how
    title = f"今年前{{all.months_known}}{how}" if len(both) else "没有两年可比的月份"
    title = given.catalog.name(filed) + title
    note = "各月之外有前期修订{all.revised}，累计{all.year_to_date}" * bool(revised)
    return Told(t, f"{place}合计，{year}年与{year - 1}年", title, [title, note], (filed,))


def _aims(given: Given, indicator: str, regions) -> pd.Series:
    """The targets of some regions."""
    aims = {r: regional.target(given, indicator, r).get("target_low", NAN) for r in regions}
    return pd.Series(aims, dtype=float)


@finding(**SHARE)
def invention_share(given: Given) -> Told:
    """Inventions in applications to date, this year and the last, by park and zone, against the share the targets imply."""
    inventions, filed = both = tuple(map(given.catalog.role, ("发明申请", FILED)))
    k = given.period.month
    t, held = regional.by_region(given, inventions, *both, table="TO_DATE"), given.table("TO_DATE")
    aims = pd.DataFrame({i: _aims(given, i, t.index) for i in both})
    held = held.pivot_table("value", "region", ["end", "indicator"]).reindex(t.index)
    percent = lambda v: v.map(lambda x: float(PERCENT.round(x)), "ignore")  # noqa: E731
    for c, of in (("before", given.period - 12), ("now", given.period)):
        of = held[of].reindex(columns=both) if of in held else aims * NAN
        t[f"invention_{c}"] = percent(100 * of[inventions] / of[filed])
    t["invention_aim"] = percent(100 * aims[inventions] / aims[filed])
    t["invention_change"] = (t["invention_now"] - t["invention_before"]).round(1)
    t["inputs"] += [";" + inputs(r, *both, table="TARGETS") for r in t.index]
    parks, change = t.drop("zone"), t.at["zone", "invention_change"]
    aimed = parks.dropna(subset=["invention_now", "invention_aim"])
    below = int(aimed["invention_now"].lt(aimed["invention_aim"]).sum())
    t.loc["all", ["label", "inputs"]] = "合计", ";".join(t["inputs"])
    t.loc["all", "invention_below"] = below or NAN
    which = "{all.invention_below}园区低于目标" if below else "各园区均达到目标"
    which = "各园区均低于目标" if below == len(parks) else which if len(aimed) else "园区目标未下达"
    scope = f"各园区与合计，1—{k}月累计，{given.period.year - 1}年与{given.period.year}年"
    if np.isnan(change):
        words = "发明专利占申请的比重没有上年可比"
        return Told(t, scope, words, [words], both)
    way = "升至" if change > 0 else "降至" if change else "持平于"
    title = f"发明占申请由{{zone.invention_before}}{way}{{zone.invention_now}}，{which}"
    who, least = regional.top(parks, "invention_change", "{:.1f}".format, least=True)
    told = f"{title}；变动最不利的是{who}（{{{least.index[0]}.invention_change}}）"
    return Told(t, scope, title, [told], both)


@finding(**QUALITY)
def patent_quality(given: Given) -> Told:
    """What share of the applications each park has, how many grants they lead to, and inventions in force per 10,000."""
    s, done, parks = given.table("SERIES"), given.table("TO_DATE"), list(given.catalog.parks)
    filed, granted, in_force = of = tuple(
        map(given.catalog.role, (FILED, "专利授权", "万人有效发明"))
    )
    first, t = pd.Period(f"{given.period.year}-01", "M"), regional.by_region(given, filed, *of)
    own = done[done["end"].eq(given.period) & done["indicator"].eq(filed)].set_index("region")
    own = own["value"].reindex(parks)
    share = 100 * (own / own.sum()).dropna() if own.sum() > 0 else own[:0]
    t["filed_share"] = share
    spans = (granted, f"{first}/{given.period}"), (filed, f"{first - LAG}/{given.period - LAG}")
    came, before = (
        pd.Series([analysis.total(s, parks if r == "zone" else r, i, p) for r in t.index], t.index)
        for i, p in spans
    )
    t["granted_per_100"] = (100 * came / before).where(before > 0)
    last = s[s["indicator"].eq(in_force) & s["end"].le(given.period)].sort_values("end")
    t["in_force"] = last.drop_duplicates("region", keep="last").set_index("region")["value"]
    t["in_force_aim"] = _aims(given, in_force, t.index)
    only = t.drop("zone")
    t.loc["all", ["label", "inputs"]] = "各园区", ";".join(t["inputs"])
    scope = f"各园区与合计，{given.period.year}年1—{given.period.month}月"
    if len(share):
        t.loc["zone", "filed_share"] = 100
        t.loc["all", ["hhi", "hhi_even"]] = (share**2).sum() / 1e4, 1 / len(share)
    if only[["filed_share", "granted_per_100"]].isna().all().any():
        return Told(t, scope, "专利申请和授权没有报齐，本期不比较", of=of)
    show = lambda v: str(PERCENT.round(v))  # noqa: E731
    firsts = (regional.top(only, c, show) for c in ("filed_share", "granted_per_100"))
    (who, most), (best, rows) = firsts
    same = "授权率也最高" if best == who else f"{best}授权率最高"
    short = f"{who}占申请{{{most.index[0]}.filed_share}}，{same}"
    title = f"{short}（每百件{{{rows.index[0]}.granted_per_100}}）"
    told = [f"{title}；申请的集中度{{all.hhi}}，各园区均分为{{all.hhi_even}}"]
    if t.loc["zone", ["granted_per_100", "in_force"]].notna().all():
        rate = "每百件申请（错开六个月）授权{zone.granted_per_100}"
        told.append(rate + "，每万人有效发明专利{zone.in_force}")
    return Told(t, scope, (title, short), told, of)


YEARBOOK = "《中国科技统计年鉴》"


def _panel(given: Given) -> pd.DataFrame:
    """The provincial panel of the R&D relation, rows `region|year`: `patents` and `rd` (万元); no nation."""
    zone, role = given.catalog.zone, given.catalog.role
    spent = given.catalog.indicators[role("研发投入强度")].numerator
    a, b = (regional.published(given, i) for i in (role(FILED), spent))
    a = a[a["region"].isin([zone.province_zh, *zone.compare]) & a["value"].gt(0)]
    b = b.loc[b["value"].gt(0), ["value", "inputs"]]
    t = a.rename(columns=dict(value="patents")).join(b.add_suffix("_rd"), how="inner")
    t["inputs"] += ";" + t.pop("inputs_rd")
    if t["region"].nunique() < 2:
        raise MissingData("没有省级面板数据")
    return t.rename(columns=dict(value_rd="rd")).sort_values(["region", "at"])


@finding(**RELATION)
def patents_and_rd(given: Given) -> Told:
    """By how many per cent patents are more where R&D is one per cent more: provinces, with and without year effects.

    Rows: the same year with region and year effects (`years`), without year effects (`plain`), and both over this year
    and the last (`years_lag`, `plain_lag`), Poisson, errors by province.
    """
    panel, rows = _panel(given), {}
    span, about = regional.real(given, panel, YEARBOOK)
    few, everything = panel["region"].nunique(), ";".join(panel["inputs"])
    filed = given.catalog.role(FILED)
    data = panel.rename(columns=dict(at="year"))[["region", "year", "patents", "rd"]]
    for lag, words in ((0, ""), (1, "，连上年")):
        f = analysis.patents_on_rd(data.reset_index(drop=True), lag)
        total = f[f["term"].eq("sum")].iloc[0]
        for id, suffix, name in (("plain", "_without_years", "分省"), ("years", "", "分省、分年")):
            row = dict(
                label=name + words, basis=name + words, elasticity=total["estimate" + suffix]
            )
            row |= {f"elasticity_{c}": total[c + suffix] for c in ("low", "high")}
            rows[id + "_lag" * lag] = row | dict(indicator=filed)
    rows |= {
        "all": dict(label="面板", provinces=few),
        "one": dict(label="1%"),
        "level": dict(label="95%"),
    }
    t = pd.DataFrame(rows.values(), rows).assign(inputs=everything)
    sure = t.at["years", "elasticity_low"] > 0
    end = "研发与专利仍显著正相关" if sure else "研发与专利的关系还不能断定"
    plain, years = (
        f"{{{i}.elasticity}}（{{level.label}}区间{{{i}.elasticity_low}}至{{{i}.elasticity_high}}）"
        for i in ("plain", "years")
    )
    told = (
        f"省级面板（真实数据）中，研发经费多{{one.label}}的省份和年份，专利申请多{plain}；"
        f"扣除各年共同变化后为{years}，{end}"
    )
    caution = "只有{all.provinces}，按省聚类的区间偏窄；是相关，不是因果"
    title = f"扣除各年共同变化后，{end}"
    return Told(t, f"{few}省，{span}", title, [told, caution], (filed,), about=about)


@finding(**PANEL)
def provinces_patents(given: Given) -> Told:
    """R&D and patents of provinces and years, and the elasticity that all of them together show (no effects)."""
    t = _panel(given)
    (span, about), few = regional.real(given, t, YEARBOOK), t["region"].nunique()
    x, y = np.log(t["rd"]), np.log(t["patents"])
    x = x - x.mean()
    everything = ";".join(t["inputs"])
    t.loc["all", ["label", "inputs"]], t.loc["one", ["label", "inputs"]] = (
        (words, everything) for words in ("合看", "1%")
    )
    t.loc["all", "together"] = (x * (y - y.mean())).sum() / (x**2).sum()
    title = "研发经费多{one.label}的省份，专利申请约多{all.together}"
    short = "研发经费多的省份专利申请也多（弹性{all.together}）"
    scope = f"{few}省，每点一省一年，{span}，对数坐标"
    return Told(t, scope, (title, short), [title], (given.catalog.role(FILED),), about=about)
