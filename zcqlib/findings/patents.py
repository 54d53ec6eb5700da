"""Findings on patents: single months, the share of inventions, quality by park, and what R&D has to do with them."""

import numpy as np
import pandas as pd

from zcqlib import analysis
from zcqlib.findings.found import (
    NAN,
    Given,
    Told,
    finding,
    inputs,
    printed,
    real,
    sum_up,
    top,
    up_to,
)
from zcqlib.tables import MissingData

FILED = "专利申请"  # its role
LAG = 6  # months by which grants are set against applications
YEARBOOK = "《中国科技统计年鉴》"


@finding("""
    month_now 件 : 今年
    month_before 件 : 上年
    year_to_date 件 : 1月至今累计
    months_ahead 个月 : 多于上年的月份
    months_known 个月 : 两年都有数的月份
    revised +件 : 各月之外的前期修订
""")
def patent_months(given: Given) -> Told:
    """The zone's applications in single months of this year and the last; what a revision adds stands apart.

    Rows by month `1月` to `12月`; `all`: in how many of the months known in both years this year brought more, the year
    to date, and `revised`, what of it no month explains.
    """
    year, filed = given.year, given.role(FILED)
    s = given.table("SERIES", region="zone", indicator=filed)
    now, single = s.query("end.dt.year == @year"), s.query("months == 1 and not revision")
    wide = single.pivot_table("value", single.end.dt.month, single.end.dt.year)
    wide = wide.reindex(index=range(1, 13), columns=[year, year - 1])
    t = wide.set_axis(["month_now", "month_before"], axis=1)
    t["at"] = t.index = [f"{m}月" for m in wide.index]
    t["period"] = pd.period_range(f"{year}-01", periods=12, freq="M")
    t = t.assign(label=given.place, indicator=filed, region="zone", inputs=inputs("zone", filed))
    ahead = t.dropna().eval("month_now > month_before")
    counts = dict(months_known=len(ahead), months_ahead=ahead.sum(), year_to_date=now.value.sum())
    counts |= dict(revised=now.query("revision")["value"].sum())
    sum_up(t, "all", "合计", t[:1], **counts)
    how = "[中{all.months_ahead}高于上年同月/均不高于上年同月]"
    how = "逐月高于上年同月" if ahead.all() else how
    title = given.name(filed) + f"[今年前{{all.months_known}}{how}/没有两年可比的月份]"
    note = "[各月之外有前期修订{all.revised}，累计{all.year_to_date}]"
    return Told(t, f"{given.place}合计，{year}年与{year - 1}年", title, [title, note], (filed,))


@finding("""
    invention_before %.1 : 上年同期
    invention_now %.1 : 本年
    invention_aim %.1 : 目标
    invention_change +个百分点.1 : 变动
    invention_below 个 : 低于目标的园区
""")
def invention_share(given: Given) -> Told:
    """Inventions in applications to date, this year and the last, by park and zone, against the share the targets imply."""
    inventions, filed = both = tuple(map(given.role, ("发明申请", FILED)))
    t = given.by_region(inventions, *both, table="TO_DATE TARGETS")
    now = given.period
    of = {c: [given.to_date(i, m) for i in both] for c, m in (("before", now - 12), ("now", now))}
    for c, (part, whole) in (of | {"aim": [given.aims(i, t.index) for i in both]}).items():
        t[f"invention_{c}"] = printed(100 * part / whole, 1)
    t["invention_change"] = (t.invention_now - t.invention_before).round(1)
    parks, change = t.drop("zone"), t.at["zone", "invention_change"]
    aimed = parks.dropna(subset=["invention_now", "invention_aim"])
    sum_up(t, "all", "合计", invention_below=aimed.invention_now.lt(aimed.invention_aim).sum())
    which = "园区目标未下达"
    if len(aimed):
        which = "[{all.invention_below}园区低于目标/各园区均达到目标]"
    scope = f"各园区与合计，{up_to(now.month)}累计，{now.year - 1}年与{now.year}年"
    if np.isnan(change):
        return Told(t, scope, "发明专利占申请的比重没有上年可比", of=both)
    title = "发明占申请由{zone.invention_before}{zone.invention_change:升至/降至/持平于}"
    title += "{zone.invention_now}，" + which
    who, least = top(parks, "invention_change", 1, least=True)
    told = f"{title}；变动最不利的是{who}（{{{least.index[0]}.invention_change}}）"
    return Told(t, scope, title, [told], both)


@finding("""
    filed_share %.1 : 占全区申请（%）
    granted_per_100 件.1 : 每百件申请授权（件）
    in_force_aim 件.1 : 每万人有效发明目标
    in_force 件.1 in_force_aim : 每万人有效发明（件）
""")
def patent_quality(given: Given) -> Told:
    """What share of the applications each park has, how many grants they lead to, and inventions in force per 10,000."""
    of = tuple(map(given.role, (FILED, "专利授权", "万人有效发明")))
    filed, granted, in_force = of
    first, t = pd.Period(f"{given.year}-01", "M"), given.by_region(filed, *of)
    own = given.to_date(filed, given.period).reindex(given.catalog.parks).dropna()
    share = 100 * own / own.sum()
    came = given.totals(t.index, granted, f"{first}/{given.period}")
    before = given.totals(t.index, filed, f"{first - LAG}/{given.period - LAG}")
    last = given.table("SERIES", indicator=in_force).sort_values("end")
    t = t.assign(
        filed_share=share,
        granted_per_100=(100 * came / before).where(before > 0),
        in_force=last.drop_duplicates("region", keep="last").set_index("region")["value"],
        in_force_aim=given.aims(in_force, t.index),
    )
    only = t.drop("zone")
    scope = f"各园区与合计，{given.year}年{up_to(given.period.month)}"
    t.loc["zone", "filed_share"] = 100 if len(share) else NAN
    if only[["filed_share", "granted_per_100"]].isna().all().any():
        return Told(t, scope, "专利申请和授权没有报齐，本期不比较", of=of)
    (who, most), (best, rows) = (top(only, c, 1) for c in ("filed_share", "granted_per_100"))
    same = "授权率也" if best == who else f"{best}授权率"
    title = f"{who}占申请{{{most.index[0]}.filed_share}}，{same}最高"
    title += f"（每百件{{{rows.index[0]}.granted_per_100}}）"
    rate = "[每百件申请（错开六个月）授权{zone.granted_per_100}，每万人有效发明专利{zone.in_force}]"
    return Told(t, scope, title, [title, rate], of)


def _panel(given: Given) -> pd.DataFrame:
    """The provincial panel of the R&D relation, rows `region|year`: `patents` and `rd` (万元); no nation."""
    zone, role = given.catalog.zone, given.role
    spent = given.catalog.indicators[role("研发投入强度")].numerator
    a, b = (given.published(i) for i in (role(FILED), spent))
    few = [zone.province_zh, *zone.compare]
    a = a.query(f"region in {few} and value > 0")
    b = b.query("value > 0")[["value", "inputs"]]
    t = a.rename(columns=dict(value="patents")).join(b.add_suffix("_rd"), how="inner")
    t["inputs"] += ";" + t.pop("inputs_rd")
    if t.region.nunique() < 2:
        raise MissingData("没有省级面板数据")
    return t.rename(columns=dict(value_rd="rd")).sort_values(["region", "at"])


@finding("""
    elasticity %.2 : 研发经费多1%时专利申请多
    elasticity_low .2 : 95%区间下限
    elasticity_high .2 : 95%区间上限
    provinces 省 : 省份数
""")
def patents_and_rd(given: Given) -> Told:
    """By how many per cent patents are more where R&D is one per cent more: provinces, with and without year effects.

    Rows: the same year with region and year effects (`years`), without year effects (`plain`), and both over this year
    and the last (`years_lag`, `plain_lag`), Poisson, errors by province.
    """
    panel, rows, filed = _panel(given), {}, given.role(FILED)
    (span, about), few = real(panel, YEARBOOK), panel.region.nunique()
    data = panel.rename(columns=dict(at="year"))[["region", "year", "patents", "rd"]]
    for lag, words in ((0, ""), (1, "，连上年")):
        f = analysis.patents_on_rd(data.reset_index(drop=True), lag)
        total = f.query("term == 'sum'").iloc[0]
        for id, suffix, name in (("plain", "_without_years", "分省"), ("years", "", "分省、分年")):
            row = dict(label=name + words, basis=name + words, indicator=filed)
            row |= dict(elasticity=total["estimate" + suffix])
            row |= {f"elasticity_{c}": total[c + suffix] for c in ("low", "high")}
            rows[id + "_lag" * lag] = row
    t = pd.DataFrame(rows.values(), rows)
    for row, label in (("all", "面板"), ("one", "1%"), ("level", "95%")):
        t.loc[row, "label"] = label
    t.loc["all", "provinces"] = few
    t["inputs"] = ";".join(panel.inputs)
    end = "研发与专利的关系还不能断定"
    if t.at["years", "elasticity_low"] > 0:
        end = "研发与专利仍显著正相关"
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


@finding("""
    rd 亿元/10000 : 研发经费（亿元）
    patents 件 : 专利申请（件）
    together %.2 : 各省各年合看的弹性
""")
def provinces_patents(given: Given) -> Told:
    """R&D and patents of provinces and years, and the elasticity that all of them together show (no effects)."""
    panel = _panel(given)
    (span, about), few = real(panel, YEARBOOK), panel.region.nunique()
    x, y = np.log(panel.rd), np.log(panel.patents)
    x, t = x - x.mean(), panel.copy()
    sum_up(t, "all", "合看", panel, together=(x * (y - y.mean())).sum() / (x**2).sum())
    sum_up(t, "one", "1%", panel)
    title = "研发经费多{one.label}的省份，专利申请约多{all.together}"
    scope = f"{few}省，每点一省一年，{span}，对数坐标"
    return Told(t, scope, title, of=(given.role(FILED),), about=about)
