"""What the notebooks show: one function a figure, from a month's tables to a chart with its computed title.

Each takes a `Month` and a few choices, shapes the frame that the chart wants, lets `briefing` word it and hands it to
`figures`. Nothing is computed that `analysis`, `projection` or `ranking` could compute.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.published import published_series

GROUPS = "〇一二三四五六七八九十"
LOOKS = {
    "已报": ("#E3E9F1", "#14284B"),
    "有误": ("#FAE3D0", "#7A1F0B"),
    "迟报": ("#F3BE96", "#7A1F0B"),
    "未报": ("#B5401C", "#FFFFFF"),
}
ALL = "一区四园合计"


def place(month: Month, region: str) -> str:
    """The place of a subtitle."""
    return ALL if region == "zone" else month.catalog.name(region)


def target(r: dict) -> str:
    """A target as a figure prints it: 超过5,000件, 250亿元."""
    return {"gt": "超过", "between": "不低于"}.get(r["comparator"], "") + shown(r["target_low"], r["unit"])


def shown(value: float, unit: str) -> str:
    """A value as the plan prints it: areas in 万㎡."""
    return words.number(value / 10_000, "万㎡") if unit == "平方米" else words.number(value, unit)


def row(month: Month, indicator: str, region: str = "zone") -> dict:
    """The PROJECTIONS row of one target as a mapping, or {} where there is none."""
    p = month.table("PROJECTIONS")
    p = p[(p["indicator"] == indicator) & (p["region"] == region)]
    return p.iloc[0].to_dict() if len(p) else {}


def _unit(unit: str, size: float = 0.0) -> tuple[str, float]:
    """Unit as printed and what to divide by: 万元 as 亿元, 平方米 as 万㎡ where the figures are large."""
    if unit == "万元" and abs(size) >= 10_000:
        return "亿元", 10_000.0
    return ("万㎡", 10_000.0) if unit == "平方米" else (unit, 1.0)


def quantiles(month: Month, indicator: str, region: str = "zone") -> pd.Series:
    """Year-end values by level."""
    q = month.table("QUANTILES")
    return q[(q["indicator"] == indicator) & (q["region"] == region)].set_index("level")["value"].sort_index()


def season(month: Month, indicator: str, region: str, target: float) -> pd.DataFrame:
    """The share of a year that past years had reached by each month, scaled to the target: mean, lowest, highest."""
    t = month.table("TO_DATE")
    t = t[(t["indicator"] == indicator) & (t["region"] == region) & (t["end"].dt.year < month.year)]
    wide = t.assign(year=t["end"].dt.year, month=t["end"].dt.month).pivot(index="month", columns="year", values="value")
    if wide.empty or 12 not in wide.index or not np.isfinite(target):
        return pd.DataFrame(columns=["month", "value", "low", "high"])
    share = wide.loc[:, wide.loc[12] > 0]
    share = target * share / share.loc[12]
    return (
        pd.DataFrame(
            {"month": share.index, "value": share.mean(axis=1), "low": share.min(axis=1), "high": share.max(axis=1)}
        )
        .dropna()
        .reset_index(drop=True)
    )


# --- state of the month ---------------------------------------------------------------------------------------------


def bullet_rows(month: Month, region: str = "zone") -> pd.DataFrame:
    """Rows of the bullet chart: the targets of the ten groups that have a figure."""
    head = month.catalog.headline()
    p = month.table("PROJECTIONS")
    p = p[p["region"].isin([region]) & p["indicator"].isin(head["id"]) & p["actual"].notna()]
    order = {id: i for i, id in enumerate(head["id"])}
    group = dict(zip(head["id"], head["group"], strict=True))
    rows = []
    for r in sorted(p.to_dict("records"), key=lambda r: order[r["indicator"]]):
        aim = r["target_low"]
        past = season(month, r["indicator"], region, 100.0) if r["kind"] == "flow" else pd.DataFrame(columns=["month"])
        now = past[past["month"] == month.period.month]
        per = 100 / aim if aim else float("nan")
        rows.append(
            dict(
                group=GROUPS[int(group[r["indicator"]])],
                name=month.catalog.name(r["indicator"]),
                target=target(r),
                actual=shown(r["actual"], r["unit"]),
                share=r["actual"] * per,
                pace=float(now["value"].iloc[0]) if len(now) else float("nan"),
                median=r["median"] * per,
                low=r["low"] * per,
                high=r["high"] * per,
                chance="—"
                if np.isnan(r["probability"]) or r["verdict"] == "已完成"
                else words.chance_number(r["probability"]),
                light=r["verdict"],
            )
        )
    return pd.DataFrame(rows)


def bullets(month: Month, groups: str = "一二三四五六七八九十", region: str = "zone") -> Figure:
    """All targets of some groups at a glance."""
    rows = bullet_rows(month, region)
    rows = rows[rows["group"].isin(list(groups))].sort_values("group", key=lambda s: s.map(GROUPS.index), kind="stable")
    n = rows["light"].value_counts()
    title = words.fit_title(
        "、".join(
            [
                f"{len(rows)}项目标:已完成{n.get('已完成', 0)}项",
                f"把握较大{n.get('把握较大', 0)}项",
                f"难度较大{n.get('难度较大', 0)}项",
            ]
        )
    )
    note = "●把握≥80% ▲40%—79% ■<40%"
    return figures.bullets(
        rows, month.caption(title, f"完成率=当前值/全年目标(%);{place(month, region)},{month.year}年", note=note)
    )


def submissions(month: Month) -> Figure:
    """Who sent what in each month of the year."""
    s = month.table("SUBMISSIONS")
    s = s[(s["published"].dt.year == month.year) & (s["published"] <= month.period)]
    senders = month.catalog.senders
    months = pd.period_range(f"{month.year}-01", month.period, freq="M")
    cells = pd.DataFrame("未报", index=senders["name_zh"], columns=[f"{m.month}月" for m in months])
    names = dict(zip(senders["id"], senders["name_zh"], strict=True))
    for r in s.itertuples():
        if r.sender in names:
            cells.loc[names[r.sender], f"{r.published.month}月"] = "有误" if r.errors else "已报"
    missing = int((cells == "未报").sum().sum())
    late = list(cells.index[cells.iloc[:, -1] == "未报"])
    title = words.fit_title(
        f"{month.period.month}月{len(late)}家未报:{'、'.join(late)}"
        if late
        else f"{month.period.month}月{len(cells)}家全部报齐",
        f"全年累计缺报{missing}次",
    )
    return figures.states(
        cells,
        month.caption(
            title, f"各单位月报收到情况(次);{month.year}年1—{month.period.month}月", note="有误:有数字未能采用"
        ),
        looks=LOOKS,
    )


def problems(month: Month) -> Figure:
    """What was found in the month's reports, by kind."""
    p = month.table("PROBLEMS")
    p = p[(p["published"] == month.period) & p["severity"].isin(["error", "warning"])]
    count = p.groupby("code").size().sort_values(ascending=False).head(10)
    rows = pd.DataFrame({"label": [PROBLEM_NAMES.get(c, c) for c in count.index], "value": count.to_numpy(float)})
    if rows.empty:
        rows = pd.DataFrame({"label": ["没有发现问题"], "value": [0.0]})
    title = words.fit_title(
        f"{month.period.month}月报表需核对{int(count.sum())}处,最多的是{rows['label'].iloc[0]}",
        f"{month.period.month}月报表需核对{int(count.sum())}处",
    )
    return figures.bars(
        rows,
        month.caption(title, f"错误和警告(处);{month.period.year}年{month.period.month}月全部报表", note="提示类不计"),
        unit="处",
    )


PROBLEM_NAMES = {
    "source_disagrees": "园区与部门数字不一致",
    "cum_mismatch": "当月与累计对不上",
    "cell_error": "公式出错",
    "withdrawn": "原报数字被留空",
    "yoy_mismatch": "同比与数值不符",
    "total_mismatch": "合计与分项不符",
    "conflict": "同期两个数",
    "ytd_decrease": "累计数下降",
    "outlier": "异常值",
    "unit_suspect": "单位可疑",
    "hidden_sheet": "隐藏工作表",
    "orphan_cell": "没有名称的数字",
    "unknown_sender": "不明报送单位",
    "total_unchecked": "合计无法核对",
}


def waterfall(month: Month, indicator: str = "patent_applications") -> Figure:
    """How the chance moved over the months of the year."""
    t = month.table("TRAIL")
    t = (
        t[(t["indicator"] == indicator) & (t["region"] == "zone") & t["probability"].notna()]
        .sort_values("as_of")
        .tail(5)
    )
    p = 100 * t["probability"].to_numpy(float)
    label = [f"{a.month}月数据" for a in t["as_of"]]
    steps = pd.DataFrame({"label": label[1:], "value": np.round(p[1:]) - np.round(p[:-1])})
    first, last = t.iloc[0].to_dict(), t.iloc[-1].to_dict()
    return figures.waterfall(
        steps,
        month.caption(
            say.title_waterfall(first, last, month.catalog.name),
            f"完成全年目标的把握(%);{ALL},{month.year}年",
            indicator,
        ),
        before=(f"{t['as_of'].iloc[0].month}月的判断", float(np.round(p[0]))),
        after=(f"{t['as_of'].iloc[-1].month}月的判断", float(np.round(p[-1]))),
        unit="%",
    )


# --- intensity ------------------------------------------------------------------------------------------------------


def intensity_parks(month: Month) -> Figure:
    """R&D intensity to date, by park, against the target."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == "rd_intensity") & (s["end"].dt.month.isin([3, 6, 9, 12]))]
    data = pd.DataFrame(
        {
            "x": s["end"].dt.year.astype("str") + "年" + s["end"].dt.month.astype("str") + "月",
            "k": s["end"],
            "series": s["region"],
            "value": s["value"],
        }
    ).sort_values("k")
    data["x"] = data["k"].map({k: f"{k.year % 100}.{k.month:02d}" for k in data["k"]})
    latest = data[data["k"] == data["k"].max()].set_index("series")["value"]
    over = [p for p in month.catalog.parks if latest.get(p, 0) >= 3]
    title = words.fit_title(f"研发强度{words.number(latest['zone'], '%', 2)},{len(over)}个园区达到3%")
    return figures.lines(
        data,
        month.caption(title, "研发经费占地区生产总值,1月至当季累计(%);各园区与合计", "rd_expenditure", "gdp"),
        highlight=["zone"],
        names=names(month),
        show=lambda v: words.number(v, "", 2),
        target=3.0,
        target_words="目标3%",
        unit="%",
    )


def names(month: Month) -> dict[str, str]:
    return {r: month.catalog.name(r) for r in (*month.catalog.parks, "zone")} | {"zone": "一区四园"}


def quarter(month: Month) -> tuple[str, str]:
    """The year so far up to the last full quarter, and the same months a year before."""
    q = month.period.month - month.period.month % 3 or 12
    y = month.year if month.period.month >= 3 else month.year - 1
    return f"{y - 1}-01/{y - 1}-{q:02d}", f"{y}-01/{y}-{q:02d}"


def intensity_split(month: Month) -> Figure:
    """Within- and between-park parts of the change."""
    before, after = quarter(month)
    t = analysis.within_between(month.table("SERIES"), month.catalog.parks, "rd_expenditure", "gdp", before, after)
    label = {r: month.catalog.name(r) for r in month.catalog.parks} | {"all": "合计"}
    rows = t.assign(label=t["region"].map(label))
    for c in ("within", "between", "total"):
        rows[c] = [float(v) for v in words.printed_parts(rows[c].iloc[:-1], 2)] + [float(round(rows[c].iloc[-1], 2))]
        rows.loc[rows.index[-1], c] = rows[c].iloc[:-1].sum().round(2)
    rows["total"] = (rows["within"] + rows["between"]).round(2)
    return figures.effects(
        rows,
        month.caption(
            say.title_decomposition(t),
            f"研发强度变动(个百分点);{after[:7]}至{after[-7:]}比上年同期",
            "rd_expenditure",
            "gdp",
            note="内部+结构=合计",
        ),
        columns=[("within", "园区自身强度变动"), ("between", "园区间份额变动"), ("total", "合计")],
        show=lambda v: words.number(v, "", 2),
    )


def intensity_moved(month: Month) -> Figure:
    """Numerator and denominator apart, by park."""
    before, after = quarter(month)
    rows = []
    for r in (*month.catalog.parks, "zone"):
        ids = list(month.catalog.parks) if r == "zone" else r
        v = analysis.ratio_change(month.table("SERIES"), ids, "rd_intensity", "rd_expenditure", "gdp", before, after)
        v = v.set_index("measure")["value"]
        rows.append(
            dict(
                label=names(month)[r],
                numerator=round(v["numerator_growth"], 1),
                denominator=round(v["denominator_growth"], 1),
                change=round(v["change"], 2),
            )
        )
    rows = pd.DataFrame(rows)
    z = rows.iloc[-1]
    word = "快于" if z["numerator"] > z["denominator"] else "慢于"
    title = words.fit_title(
        f"研发经费增长{words.number(z['numerator'], '%', 1)},{word}GDP的{words.number(z['denominator'], '%', 1)}"
    )
    return figures.effects(
        rows,
        month.caption(
            title, f"增长(%)与强度变动(个百分点);{after[:7]}至{after[-7:]}比上年同期", "rd_expenditure", "gdp"
        ),
        columns=[("numerator", "研发经费增长%"), ("denominator", "GDP增长%"), ("change", "强度变动(个百分点)")],
        show=lambda v: words.number(v, "", 1 if abs(v) >= 1 else 2),
    )


def published(month: Month) -> pd.DataFrame:
    """Published figures as SERIES."""
    return published_series(month.table("PUBLISHED"))


def intensity_provinces(month: Month) -> Figure:
    """Henan against the other provinces and the nation; real figures."""
    s = published(month)
    s = s[(s["indicator"] == "rd_intensity") & (s["months"] == 12) & ~s["region"].isin(["zone", "city"])]
    wide = s[s["region"].isin(PROVINCES)]
    data = pd.DataFrame({"x": wide["end"].dt.year, "series": wide["region"], "value": wide["value"]})
    data = data[data["series"] != "北京"]
    compared = analysis.against_others(wide, "河南", "rd_intensity")
    beijing = wide[(wide["region"] == "北京")].sort_values("end")["value"]
    note = f"北京{words.number(beijing.iloc[-1], '%', 2)}在图外" if len(beijing) else ""
    years = f"{data['x'].min()}—{data['x'].max()}年"
    return figures.lines(
        data,
        month.caption(
            say.title_intensity(compared),
            f"研发经费占地区生产总值(%);全国与部分省,{years}",
            source="《全国科技经费投入统计公报》等,经公开数据整理",
            note=note,
            demo=False,
            as_of=f"{data['x'].max()}年",
        ),
        highlight=["河南"],
        benchmark="全国",
        show=lambda v: words.number(v, "", 2),
        unit="%",
    )


PROVINCES = ("全国", "河南", "湖北", "湖南", "安徽", "江西", "山西", "陕西", "吉林", "北京", "江苏", "广东")


# --- patents --------------------------------------------------------------------------------------------------------


def pace(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """Cumulative figure against target, paces and the fan of the year end."""
    r = row(month, indicator, region)
    t = month.table("TO_DATE")
    t = t[
        (t["indicator"] == indicator)
        & (t["region"] == region)
        & (t["end"].dt.year == month.year)
        & (t["end"] <= month.period)
    ]
    unit, per = _unit(month.catalog.unit(indicator), t["value"].max())
    aim = r.get("target_low", float("nan"))
    chance = (
        ""
        if not r or np.isnan(r["probability"])
        else (f"{words.chance_number(r['probability'])} 完成把握({words.chance_word(r['probability'])})")
    )
    title = (
        say.title_pace(r, month.catalog.name)
        if r
        else words.fit_title(f"{month.catalog.name(indicator)}:园区目标未下达")
    )
    s = season(month, indicator, region, aim)
    s[["value", "low", "high"]] = s[["value", "low", "high"]] / per
    return figures.pace(
        pd.DataFrame({"month": t["end"].dt.month, "value": t["value"] / per}),
        quantiles(month, indicator, region) / per,
        aim / per,
        month.caption(
            title,
            f"{month.catalog.name(indicator)},1月至当月累计({unit});{place(month, region)},{month.year}年",
            indicator,
        ),
        unit=unit,
        chance_words=chance,
        season=s,
        target_words=target(r) if r else "",
    )


def months(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """Single months against last year's."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == indicator) & (s["region"] == region) & (s["months"] == 1)]
    wide = s.assign(month=s["end"].dt.month, year=s["end"].dt.year).pivot(index="month", columns="year", values="value")
    wide = wide.reindex(range(1, 13))
    unit, per = _unit(month.catalog.unit(indicator), float(np.nanmax(wide.to_numpy())))
    data = pd.DataFrame(
        {
            "month": wide.index,
            "value": wide.get(month.year, np.nan) / per,
            "before": wide.get(month.year - 1, np.nan) / per,
        }
    )
    both = data.dropna()
    ahead = int((both["value"] > both["before"]).sum())
    title = words.fit_title(f"{month.catalog.name(indicator)}今年{len(both)}个月中{ahead}个月多于上年")
    return figures.columns(
        data,
        month.caption(
            title,
            f"{month.catalog.name(indicator)},单月({unit});{place(month, region)},{month.year}年与上年",
            indicator,
        ),
        names=(f"{month.year}年", f"{month.year - 1}年"),
    )


def invention_share(month: Month) -> Figure:
    """Invention share of applications to date, by park and year."""
    t = month.table("TO_DATE")
    k = month.period.month
    t = t[t["end"].dt.month == k]
    a, b = (
        t[t["indicator"] == i].set_index(["region", "end"])["value"]
        for i in ("invention_patent_applications", "patent_applications")
    )
    share = (100 * a / b).dropna().reset_index()
    share = share[share["region"].isin([*month.catalog.parks, "zone"])]
    data = pd.DataFrame({"x": share["end"].dt.year, "series": share["region"], "value": share["value"]})
    z = data[data["series"] == "zone"].sort_values("x")["value"]
    word = "上升" if z.iloc[-1] > z.iloc[-2] else "下降"
    title = words.fit_title(
        f"发明占申请{words.number(z.iloc[-1], '%', 1)},比上年同期{word}"
        f"{words.number(abs(round(z.iloc[-1], 1) - round(z.iloc[-2], 1)), '个百分点', 1)}"
    )
    return figures.lines(
        data,
        month.caption(
            title,
            f"发明专利占专利申请,1—{k}月累计(%);各园区与合计",
            "patent_applications",
            "invention_patent_applications",
        ),
        highlight=["zone"],
        names=names(month),
        show=lambda v: words.number(v, "", 1),
        unit="%",
    )


def in_force(month: Month) -> Figure:
    """Invention patents in force per 10,000 people, by park, against the target."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == "invention_patents_per_10k") & (s["end"] <= month.period)]
    last = s.sort_values("end").drop_duplicates("region", keep="last").set_index("region")["value"]
    order = [r for r in last.sort_values(ascending=False).index if r in month.catalog.parks] + ["zone"]
    rows = pd.DataFrame({"label": [names(month)[r] for r in order], "value": [last[r] for r in order], "region": order})
    over = int((rows["value"].iloc[:-1] >= 13).sum())
    title = words.fit_title(f"万人有效发明{words.number(last['zone'], '件', 1)},{over}个园区达到13件")
    return figures.bars(
        rows,
        month.caption(
            title,
            f"每万人口有效发明专利(件/万人);{month.period.month}月末",
            "valid_invention_patents",
            "population",
            note="人口用上年末常住人口",
        ),
        unit="件",
        show=lambda v: words.number(v, "", 1),
        reference=13.0,
        reference_words="目标13件",
    )


def rd_panel(month: Month) -> pd.DataFrame:
    """The provincial panel of the R&D relation: `region`, `year`, `patents`, `rd`; without the nation."""
    s = published(month)
    s = s[(s["months"] == 12) & s["region"].isin(PROVINCES) & (s["region"] != "全国")]
    a, b = (
        s[s["indicator"] == i].assign(year=s["end"].dt.year).set_index(["region", "year"])["value"]
        for i in ("patent_applications", "rd_expenditure")
    )
    return pd.DataFrame({"patents": a, "rd": b}).dropna().query("rd > 0").reset_index()


def relation(month: Month) -> pd.DataFrame:
    """Two specifications and two lags side by side: `label`, `estimate`, `low`, `high`."""
    panel = rd_panel(month)
    rows = []
    for model, name in (("fe_poisson", "固定效应泊松"), ("poisson", "泊松(不分省)"), ("nb2", "负二项(不分省)")):
        for lags in (0, 1):
            f = analysis.patents_on_rd(panel, lags=lags, model=model)
            r = f[f["term"] == "sum"].iloc[0]
            rows.append(
                dict(
                    label=f"{name},{'当年' if not lags else '当年与上年合计'}",
                    estimate=r["estimate"],
                    low=r["low"],
                    high=r["high"],
                )
            )
    return pd.DataFrame(rows)


def relation_forest(month: Month) -> Figure:
    """Elasticities of patents by R&D under several specifications; real figures."""
    rows, panel = relation(month), rd_panel(month)
    title = words.fit_title(
        f"研发投入多1%,专利申请约多{words.number(rows['estimate'].min(), '', 1)}%至"
        f"{words.number(rows['estimate'].max(), '%', 1)}"
    )
    span = f"{panel['year'].min()}—{panel['year'].max()}年"
    return figures.forest(
        rows,
        month.caption(
            title,
            f"专利申请对研发经费的弹性(%);{panel['region'].nunique()}省,{span}",
            source="《中国科技统计年鉴》,经公开数据整理",
            demo=False,
            as_of=f"{panel['year'].max()}年",
            note="只有11个省,区间偏窄,是相关不是因果",
        ),
        zero=1.0,
        zero_words="1=同比例",
        show=lambda v: words.number(v, "", 2),
    )


def relation_scatter(month: Month) -> Figure:
    """Patents and R&D of provinces and years; real figures."""
    panel = rd_panel(month)
    points = pd.DataFrame(
        {"x": panel["rd"] / 10_000, "y": panel["patents"], "series": panel["region"], "label": panel["year"]}
    )
    slope = np.polyfit(np.log(points["x"]), np.log(points["y"]), 1)
    x = np.geomspace(points["x"].min(), points["x"].max(), 40)
    last = points[points["label"] == points["label"].max()].set_index("series")
    title = words.fit_title(
        f"河南{int(last['label'].iloc[0])}年研发{words.number(last.loc['河南', 'x'], '亿元', 0)},"
        f"专利申请{words.number(last.loc['河南', 'y'], '件', 0)}"
    )
    return figures.scatter(
        points,
        month.caption(
            title,
            "各省研发经费(亿元)与专利申请(件),每点一省一年,对数坐标",
            source="《中国科技统计年鉴》,经公开数据整理",
            demo=False,
            as_of=f"{panel['year'].max()}年",
        ),
        x_label="研发经费(亿元)",
        y_label="专利申请(件)",
        fit=pd.DataFrame({"x": x, "y": np.exp(np.polyval(slope, np.log(x)))}),
        highlight=["河南", "江苏", "北京", "湖北"],
    )


# --- enterprises ----------------------------------------------------------------------------------------------------


def enterprise_identity(month: Month) -> pd.DataFrame:
    """Opening, new, lapsed, moved and closing stock of the year so far, for the zone."""
    return analysis.stock_identity(month.table("SERIES"), "zone", f"{month.year}-01/{month.period}")


def enterprises(month: Month) -> Figure:
    """The stock of high-tech enterprises and what moved it."""
    s = month.table("SERIES")
    s = s[(s["region"] == "zone") & (s["end"].dt.year == month.year) & (s["end"] <= month.period)]
    levels = s[(s["indicator"] == "hightech_enterprises") & (s["months"] == 0)]
    kinds = {
        "hightech_recognised": ("新认定", 1),
        "hightech_moved_in": ("迁入", 1),
        "hightech_lapsed": ("到期失效", -1),
        "hightech_moved_out": ("迁出", -1),
    }
    moved = s[s["indicator"].isin(kinds) & (s["months"] == 1)]
    changes = pd.DataFrame(
        {
            "month": moved["end"].dt.month,
            "kind": [kinds[i][0] for i in moved["indicator"]],
            "value": moved["value"] * [kinds[i][1] for i in moved["indicator"]],
        }
    )
    order = [k for k, _ in kinds.values()]
    changes = changes.sort_values("kind", key=lambda s: s.map(order.index), kind="stable")
    b = month.catalog.batches
    b = b[(b["year"] == month.year) & b["kind"].eq("pass") & (b["known_from"] <= month.known)].drop_duplicates("batch")
    when = b["announced"].where(b["announced"].dt.to_period("M") <= month.known, b["expected"])
    events = pd.DataFrame(
        {
            "month": when.dt.month,
            "expected": when.ne(b["announced"]),
            "label": [
                f"第{n}批{'预计' if e else ''}{w.month}月"
                for n, w, e in zip(b["batch"], when, when.ne(b["announced"]), strict=True)
            ],
        }
    )
    r = row(month, "hightech_enterprises")
    chance = (
        ""
        if not r or np.isnan(r["probability"])
        else (f"{words.chance_number(r['probability'])} 达到{words.number(r['target_low'], '家')}的把握")
    )
    identity = enterprise_identity(month)
    return figures.stock(
        pd.DataFrame({"month": levels["end"].dt.month, "value": levels["value"]}),
        changes,
        month.caption(
            say.title_stock(identity),
            f"高新技术企业月末存量与当月增减(家);{ALL},{month.year}年",
            "hightech_enterprises",
            note="认定批次与通过率见参考表",
        ),
        target=r.get("target_low", float("nan")),
        target_words=f"力争目标\uff1a{words.number(r['target_low'], '家')}" if r else "",
        quantiles=quantiles(month, "hightech_enterprises"),
        chance_words=chance,
        interval=(r["low"], r["median"], r["high"]) if r else None,
        unit="家",
        events=events,
    )


def enterprise_parts(month: Month, indicator: str = "hightech_enterprises") -> pd.DataFrame:
    """Each park's part in the growth over a year."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == indicator) & (s["months"] == 0) & s["region"].isin(month.catalog.parks)]
    at = lambda m: s[s["end"] == m].set_index("region")["value"].reindex(month.catalog.parks)  # noqa: E731
    return analysis.contributions(at(month.period - 12), at(month.period))


def contribution(month: Month, indicator: str = "hightech_enterprises") -> Figure:
    """Who added how much over a year."""
    t = enterprise_parts(month, indicator)
    rows = t.assign(label=[names(month).get(r, "合计") for r in t["region"]])
    rows["net"], rows["points"] = rows["net"].round(0), rows["points"].round(1)
    top = rows.iloc[:-1].loc[rows["points"].iloc[:-1].idxmax()]
    what = month.catalog.name(indicator)
    title = words.fit_title(f"{what}一年净增{words.number(rows['net'].iloc[-1], '家')},{top['label']}拉动最大")
    return figures.effects(
        rows,
        month.caption(title, f"{what}比上年同期净增(家)与拉动(个百分点);{month.period.month}月末", indicator),
        columns=[("net", "净增(家)"), ("points", "拉动(个百分点)")],
    )


def pipeline(month: Month) -> Figure:
    """Reserve firms, registered SMEs and certified firms a year apart."""
    p = month.table("PROJECTIONS")
    ids = ["hightech_enterprises", "hightech_reserve_enterprises", "new_tech_smes_registered", "new_tech_little_giants"]
    t = month.table("TO_DATE")
    s = pd.concat([t, month.table("SERIES").query("months == 0")])
    rows = []
    for i in ids:
        at = [
            s[(s["indicator"] == i) & (s["region"] == "zone") & (s["end"] == m)]["value"]
            for m in (month.period - 12, month.period)
        ]
        if all(len(v) for v in at):
            rows.append(dict(label=month.catalog.name(i), before=float(at[0].iloc[0]), after=float(at[1].iloc[0])))
    up = sum(r["after"] > r["before"] for r in rows)
    title = words.fit_title(f"企业梯队{len(rows)}项中{up}项多于上年同期")
    demo = bool(p["demo"].any())
    return figures.slope(
        pd.DataFrame(rows),
        month.caption(title, f"月末存量或1—{month.period.month}月累计(家);{ALL}", *ids, demo=demo),
        before=f"{month.year - 1}年{month.period.month}月",
        after=f"{month.year}年{month.period.month}月",
        unit="家",
    )


# --- targets and year end -------------------------------------------------------------------------------------------


def effort(month: Month) -> pd.DataFrame:
    """What is still needed each month, as a multiple of the last twelve months' mean and of the best month ever."""
    s = month.table("SERIES")
    p = month.table("PROJECTIONS")
    p = p[
        (p["region"] == "zone")
        & (p["kind"] == "flow")
        & p["indicator"].isin(month.catalog.headline()["id"])
        & p["needed_per_month"].gt(0)
    ]
    rows = []
    for r in p.to_dict("records"):
        own = s[
            (s["indicator"] == r["indicator"])
            & (s["region"] == "zone")
            & (s["months"] == 1)
            & (s["end"] <= month.period)
        ]
        if own.empty:
            continue
        mean, best = own["value"].tail(12).mean(), own["value"].max()
        rows.append(
            dict(
                indicator=r["indicator"],
                label=month.catalog.name(r["indicator"]),
                needed=r["needed_per_month"],
                mean=mean,
                best=best,
                value=r["needed_per_month"] / mean if mean else float("nan"),
                of_best=r["needed_per_month"] / best if best else float("nan"),
                unit=r["unit"],
            )
        )
    return pd.DataFrame(rows, columns=["indicator", "label", "needed", "mean", "best", "value", "of_best", "unit"])


def needed(month: Month) -> Figure:
    """How hard the remaining months are, against the best month ever."""
    t = effort(month).sort_values("of_best", ascending=False).head(14)
    rows = t.assign(
        value=t["of_best"], note=[f"月均需{shown(np.ceil(n), u)}" for n, u in zip(t["needed"], t["unit"], strict=True)]
    )
    never = int((effort(month)["of_best"] > 1).sum())
    title = words.fit_title(f"{never}项每月所需超过历史最好单月") if never else "每月所需均未超过历史最好单月"
    return figures.bars(
        rows,
        month.caption(title, f"余下每月所需相当于历史最好单月的倍数(倍);{ALL},{month.year}年"),
        unit="倍",
        show=lambda v: words.number(v, "", 2),
        reference=1.0,
        reference_words="1=历史最好单月",
    )


def milestones(month: Month) -> Figure:
    """Stages of named items."""
    m = month.table("MILESTONES")
    m = m[m["id"].isin(month.catalog.headline()["id"])]
    rows = []
    for (id, item), part in m.groupby(["id", "item"], sort=False):
        part = part.sort_values("stage_no")
        name = month.catalog.name(id) + (f":{item}" if item else "")
        for r in part.itertuples():
            late = pd.isna(r.date) and pd.notna(r.expected) and r.expected < month.period
            rows.append(
                dict(
                    name=name,
                    stage=f"第{r.stage_no}步",
                    word="完成" if pd.notna(r.date) else "逾期" if late else "未到",
                )
            )
    t = pd.DataFrame(rows).drop_duplicates(["name", "stage"])
    cells = t.pivot(index="name", columns="stage", values="word").fillna("")
    cells = cells.reindex(list(dict.fromkeys(t["name"]))).head(20)
    done, late = int((cells == "完成").sum().sum()), int((cells == "逾期").sum().sum())
    title = words.fit_title(f"点名事项{int((cells != '').sum().sum())}个节点已完成{done}个,逾期{late}个")
    return figures.states(
        cells,
        month.caption(title, f"节点进展(个);{ALL},{month.year}年", note="按参考表节点日期"),
        looks={"完成": ("#E3E9F1", "#14284B"), "逾期": ("#B5401C", "#FFFFFF"), "未到": ("#F7F8F9", "#52606D")},
    )


def chances(month: Month) -> Figure:
    """Chances by target and park."""
    p = month.table("PROJECTIONS")
    head = month.catalog.headline()
    p = p[
        p["indicator"].isin(head["id"])
        & p["region"].isin([*month.catalog.parks, "zone"])
        & ~p["kind"].isin(["milestone", "coverage", "recurring"])
    ]
    columns = [("zone", "一区四园"), *((r, month.catalog.name(r)) for r in month.catalog.parks)]
    cells = {}
    for id in head["id"]:
        own = p[p["indicator"] == id].set_index("region")
        if own.empty:
            continue
        cells[month.catalog.name(id)] = {
            r: own.at[r, "probability"]
            if r in own.index and np.isfinite(own.at[r, "probability"])
            else ("缺数据" if r in own.index else np.nan)
            for r, _ in columns
        }
    frame = pd.DataFrame(cells).T[[c for c, _ in columns]]
    parks = frame[list(month.catalog.parks)].apply(pd.to_numeric, errors="coerce")
    order = parks.mean(axis=1).fillna(9).sort_values().index
    return figures.heatmap(
        frame.loc[order].head(20),
        month.caption(
            say.title_heatmap(p, month.catalog.name), f"完成全年目标的把握(%);{month.year}年,按园区平均由低到高,前20项"
        ),
        columns=columns,
    )


def lead(month: Month, indicator: str = "patent_applications") -> Figure:
    """Each park's lead over its seasonal pace, and where the year may end."""
    t = month.table("TO_DATE")
    rows, notes = [], {}
    for region in (*month.catalog.parks, "zone"):
        r = row(month, indicator, region)
        own = t[
            (t["indicator"] == indicator)
            & (t["region"] == region)
            & (t["end"].dt.year == month.year)
            & (t["end"] <= month.period)
        ]
        s = season(month, indicator, region, r.get("target_low", float("nan"))) if r else None
        if not r or s is None or s.empty or own.empty:
            continue
        pace_ = s.set_index("month")["value"]
        rows += [
            dict(region=region, month=m, value=v - pace_[m], low=np.nan, high=np.nan)
            for m, v in zip(own["end"].dt.month, own["value"], strict=True)
            if m in pace_.index
        ]
        rows.append(
            dict(
                region=region,
                month=12,
                value=r["median"] - r["target_low"],
                low=r["low"] - r["target_low"],
                high=r["high"] - r["target_low"],
            )
        )
        notes[region] = f"把握{words.chance_number(r['probability'])}"
    what = month.catalog.name(indicator)
    p = month.table("PROJECTIONS").query("indicator == @indicator")
    return figures.multiples(
        pd.DataFrame(rows),
        month.caption(
            say.title_multiples(p, month.catalog.name),
            f"{what}累计比季节进度多(件);{month.year}年,0线到年末即为目标",
            indicator,
        ),
        names(month),
        notes=notes,
    )


# --- ranks ----------------------------------------------------------------------------------------------------------


def places(month: Month, indicator: str = "composite") -> Figure:
    """Ranks over the months with their intervals."""
    r = month.table("RANKS")
    r = r[r["indicator"] == indicator]
    last = r[r["period"] == str(month.period)]
    return figures.bump(
        r,
        month.caption(
            say.title_ranks(last, month.catalog.name),
            f"综合得分位次(位次)与90%区间;{month.year}年各月",
            note="权重为等权演示;竖条为换用其他合理方法时的位次范围",
        ),
        names(month),
    )


def scores(month: Month) -> Figure:
    """Scores of the ten groups by park."""
    r = month.table("RANKS")
    r = r[(r["period"] == str(month.period)) & (r["indicator"] != "composite")]
    label = month.catalog.weights.query("level == 'group'").set_index("id")["name_zh"]
    wide = r.pivot(index="indicator", columns="region", values="value").reindex(columns=list(month.catalog.parks))
    wide = wide.loc[sorted(wide.index, key=int)]
    spread = (wide.max(axis=1) - wide.min(axis=1)).idxmax()
    cells = wide.rename(index=label).map(lambda v: "" if np.isnan(v) else words.number(v, "", 0))
    looks = {
        str(v): ("#E3E9F1" if v >= 85 else "#FDF6F0" if v >= 75 else "#FAE3D0" if v >= 60 else "#F3BE96", "#1F2937")
        for v in range(-200, 201)
    }
    title = words.fit_title(f"园区差距最大的是{label[spread]}", "园区差距最大的一组见表中深色")
    return figures.states(
        cells.rename(columns=month.catalog.name),
        month.caption(
            title,
            f"各组得分(分,功效系数法);{month.period.year}年{month.period.month}月",
            note="空格:没有该组的园区目标",
        ),
        looks=looks,
    )


# --- record ---------------------------------------------------------------------------------------------------------


def replay(month: Month, indicator: str = "business_applications", first: int = 2010, last: int = 2019) -> pd.DataFrame:
    """Past years of a real monthly series projected from each month with what was known: one row a call.

    `region`, `year`, `k`, `truth`, `median`, `low`, `high`, `linear` (序时进度), `probability` of five per cent more than
    the year before, `met`.
    """
    from zcqlib.projection import project_year_end

    s = published(month)
    s = s[(s["indicator"] == indicator) & (s["months"] == 1)]
    s = s.assign(year=s["end"].dt.year, month=s["end"].dt.month)
    out = []
    for k in (1, 3, 6, 9, 11):
        for year in range(first, last + 1):
            known = s[(s["year"] < year) | (s["year"] == year) & (s["month"] <= k)]
            history = pd.DataFrame(
                {"series_id": known["region"], "period": known["end"].astype("str"), "value": known["value"]}
            )
            before = s[s["year"] == year - 1].groupby("region")["value"].sum()
            truth = s[s["year"] == year].groupby("region")["value"].sum()
            ytd = s[(s["year"] == year) & (s["month"] <= k)].groupby("region")["value"].sum()
            p = project_year_end(history, year=year, levels=(0.1, 0.5, 0.9), targets=1.05 * before).set_index(
                "series_id"
            )
            out.append(
                pd.DataFrame(
                    {
                        "region": p.index,
                        "year": year,
                        "k": k,
                        "truth": truth.reindex(p.index).to_numpy(),
                        "median": p[0.5].to_numpy(),
                        "low": p[0.1].to_numpy(),
                        "high": p[0.9].to_numpy(),
                        "linear": (ytd * 12 / k).reindex(p.index).to_numpy(),
                        "probability": p["probability"].to_numpy(),
                        "met": (truth >= 1.05 * before).reindex(p.index).to_numpy(),
                    }
                )
            )
    return pd.concat(out, ignore_index=True)


def record(month: Month, calls: pd.DataFrame) -> Figure:
    """What we said and what came, on real series."""
    bins = np.clip((calls["probability"] * 10).astype(int), 0, 9)
    g = (
        calls.groupby(bins)
        .agg(p=("probability", "mean"), met=("met", "mean"), n=("met", "size"))
        .reset_index(drop=True)
    )
    half = 1.645 * np.sqrt(np.maximum(g["met"] * (1 - g["met"]), 0.01) / g["n"])
    points = g.assign(low=(g["met"] - half).clip(0, 1), high=(g["met"] + half).clip(0, 1))
    ours = (calls["median"] - calls["truth"]).abs() / calls["truth"]
    line = (calls["linear"] - calls["truth"]).abs() / calls["truth"]
    inside = float(((calls["truth"] >= calls["low"]) & (calls["truth"] <= calls["high"])).mean())
    title = say.title_record(
        float(calls["probability"].mean()), float(calls["met"].mean()), 1 - ours.mean() / line.mean()
    )
    years = f"{calls['year'].min()}—{calls['year'].max()}年"
    return figures.calibration(
        points,
        month.caption(
            title,
            f"把握(%)与实际完成比例(%);美国{calls['region'].nunique()}个地区新企业申请,{years}回放",
            source="美国人口普查局企业成立统计",
            demo=False,
            as_of=f"{calls['year'].max()}年",
        ),
        big=f"{100 * inside:.0f}%",
        big_words=f"的年末值落在80%区间内({len(calls)}次)",
    )


def record_error(month: Month, calls: pd.DataFrame) -> Figure:
    """Error by month of call, against 序时进度."""
    e = calls.assign(
        我们=100 * (calls["median"] - calls["truth"]).abs() / calls["truth"],
        序时进度=100 * (calls["linear"] - calls["truth"]).abs() / calls["truth"],
    )
    g = e.groupby("k")[["我们", "序时进度"]].mean().stack().reset_index().set_axis(["x", "series", "value"], axis=1)
    wide = g.pivot(index="x", columns="series", values="value")
    best = (wide["序时进度"] / wide["我们"]).max()
    title = words.fit_title(f"年末值的平均误差,序时进度最多是我们的{words.number(best, '倍', 1)}")
    g["x"] = [f"{k}月" for k in g["x"]]
    years = f"{calls['year'].min()}—{calls['year'].max()}年"
    order = {f"{k}月": i for i, k in enumerate((1, 3, 6, 9, 11))}
    g = g.assign(o=g["x"].map(order)).sort_values("o")
    g["x"] = [int(x[:-1]) for x in g["x"]]
    return figures.lines(
        g,
        month.caption(
            title,
            f"年末值平均绝对误差(%),按判断时已知月数;美国{calls['region'].nunique()}个地区,{years}回放",
            source="美国人口普查局企业成立统计",
            demo=False,
            as_of=f"{calls['year'].max()}年",
        ),
        highlight=["我们"],
        benchmark="序时进度",
        show=lambda v: words.number(v, "", 1),
        unit="%",
        zero=True,
    )


# --- orders ---------------------------------------------------------------------------------------------------------


def orders(month: Month) -> pd.DataFrame:
    """Gaps of missed targets as monthly asks to parks and units."""
    from zcqlib.briefing.orders import gap_orders

    p = month.table("PROJECTIONS")
    return gap_orders(p, month.table("SERIES"), month.table("TARGETS"))
