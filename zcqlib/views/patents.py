"""Patents: months, quality, stock in force, and their relation to R&D."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.views.parts import names, place, provinces, published


def months(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """Single months against last year's."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == indicator) & (s["region"] == region)]
    now, s = s[s["end"].dt.year.eq(month.year)], s[s["months"].eq(1) & ~s["revision"]]
    wide = s.assign(month=s["end"].dt.month, year=s["end"].dt.year).pivot(
        index="month", columns="year", values="value"
    )
    wide = wide.reindex(range(1, 13))
    scale = quantity.scale(float(np.nanmax(wide.to_numpy())), month.catalog.unit(indicator))
    unit, per = scale.unit, scale.factor
    data = pd.DataFrame(
        {
            "month": wide.index,
            "value": wide.get(month.year, np.nan) / per,
            "before": wide.get(month.year - 1, np.nan) / per,
        }
    )
    both = data.dropna()
    ahead = int((both["value"] > both["before"]).sum())
    title = quantity.fit_title(
        f"{month.catalog.name(indicator)}今年{len(both)}个月中{ahead}个月多于上年"
    )
    return figures.columns(
        data,
        month.caption(
            title,
            f"{month.catalog.name(indicator)},单月({unit});{place(month, region)},{month.year}年与上年",
            indicator,
            # the columns alone would add up to less than the cumulative figure that is printed elsewhere
            note=f"各月之外还有前期修订,累计{quantity.number(now['value'].sum(), month.catalog.unit(indicator))}"
            if now["revision"].any()
            else "",
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
    data = pd.DataFrame(
        {"x": share["end"].dt.year, "series": share["region"], "value": share["value"]}
    )
    z = data[data["series"] == "zone"].sort_values("x")["value"]
    word = "上升" if z.iloc[-1] > z.iloc[-2] else "下降"
    title = quantity.fit_title(
        f"发明占申请{quantity.number(z.iloc[-1], '%', 1)},比上年同期{word}"
        f"{quantity.number(abs(round(z.iloc[-1], 1) - round(z.iloc[-2], 1)), '个百分点', 1)}"
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
        show=lambda v: quantity.number(v, "", 1),
        unit="%",
    )


LAG = 6  # months by which grants are set against applications


def quality(month: Month) -> pd.DataFrame:
    """One row a park and the zone: share of applications, invention share, grants by applications, in force."""
    s, t, k = month.table("SERIES"), month.table("TO_DATE"), month.period.month
    span, parks = f"{month.year}-01/{month.period}", month.catalog.parks
    t = t[t["end"] == month.period].set_index(["indicator", "region"])[
        "value"
    ]  # as reported to date, as in the lines
    filed, inventions = (
        t.get(i, pd.Series(dtype="float64")).reindex([*parks, "zone"])
        for i in ("patent_applications", "invention_patent_applications")
    )
    parts = analysis.concentration(filed[list(parks)])
    share = parts.set_index("region")["share"]
    last = s[(s["indicator"] == "invention_patents_per_10k") & (s["end"] <= month.period)]
    force = (
        last.sort_values("end").drop_duplicates("region", keep="last").set_index("region")["value"]
    )
    rows = []
    for r in (*parks, "zone"):
        ids = list(parks) if r == "zone" else r
        granted = analysis.share(s, ids, "patent_grants", "patent_applications", [span], lag=LAG)[
            "value"
        ].iloc[0]
        rows.append(
            dict(
                region=r,
                label=names(month)[r],
                share=100.0 if r == "zone" else share.get(r, np.nan),
                invention=100 * inventions[r] / filed[r],
                granted=granted,
                force=force.get(r, np.nan),
            )
        )
    out = pd.DataFrame(rows)
    out.attrs = {"hhi": parts.attrs["hhi"], "of": len(parts), "until": k}
    return out


def patent_quality(month: Month) -> Figure:
    """How many patents each park files, and how good they are; in force against the target."""
    rows = quality(month)
    aims = (
        month.table("TARGETS")
        .query("id == 'invention_patents_per_10k'")
        .drop_duplicates("region", keep="last")
    )
    rows["force_mark"] = rows["region"].map(aims.set_index("region")["target_low"])
    for id, unit in (("share", "%"), ("invention", "%"), ("granted", "件"), ("force", "件")):
        rows[f"{id}_text"] = [
            quantity.number(v, unit, 1) if np.isfinite(v) else "未报齐" for v in rows[id]
        ]
    parks = rows[rows["region"] != "zone"].set_index("label")
    told = lambda v: quantity.number(v, "%", 1)  # noqa: E731
    top, best = (say.extreme(parks[c], told, "个园区") for c in ("share", "invention"))
    whose, share = (
        "发明占比也" if best in (top, "") else f"{best}发明占比",
        told(parks["share"].max()),
    )
    return figures.measures(
        rows,
        month.caption(
            quantity.fit_title(f"{top}占申请{share},{whose}最高", f"{top}占申请{share}"),
            f"专利份额、发明占比(%)、每百件申请授权(件)、每万人有效发明(件);1—{rows.attrs['until']}月",
            "patent_applications",
            "patent_grants",
            "valid_invention_patents",
            "population",
            note=f"授权按{LAG}个月前的申请;竖线为目标;集中度{quantity.number(rows.attrs['hhi'], '', 2)}"
            f"({rows.attrs['of']}园均分为{quantity.number(1 / rows.attrs['of'], '', 2)})",
        ),
        columns=[
            ("share", "占全区申请"),
            ("invention", "发明占申请"),
            ("granted", "每百件申请授权"),
            ("force", "每万人有效发明"),
        ],
    )


def rd_panel(month: Month) -> pd.DataFrame:
    """The provincial panel of the R&D relation: `region`, `year`, `patents`, `rd`; without the nation."""
    s = published(month)
    s = s[(s["months"] == 12) & s["region"].isin(provinces(month)) & (s["region"] != "全国")]
    a, b = (
        s[s["indicator"] == i].assign(year=s["end"].dt.year).set_index(["region", "year"])["value"]
        for i in ("patent_applications", "rd_expenditure")
    )
    return pd.DataFrame({"patents": a, "rd": b}).dropna().query("rd > 0").reset_index()


def relation(month: Month) -> pd.DataFrame:
    """Specifications with and without year effects and with a lag: `label`, `estimate`, `low`, `high`."""
    panel, rows = rd_panel(month), []
    for model, lags, name in (
        ("fe_poisson", 0, "分省泊松"),
        ("fe_poisson", 1, "分省泊松、连上年"),
        ("nb2", 0, "不分省负二项"),
    ):
        f = analysis.patents_on_rd(panel, lags, model)
        r = f[f["term"] == "sum"].iloc[0]
        for suffix, years in (("", "扣除年份效应"), ("_without_years", "不扣除")):
            found = {c: r[c + suffix] for c in ("estimate", "low", "high")}
            rows.append({"label": f"{name}\uff0c{years}"} | found)
    return pd.DataFrame(rows)


def relation_forest(month: Month) -> Figure:
    """Elasticities of patents by R&D under several specifications; real figures."""
    rows, panel = relation(month), rd_panel(month)
    first = rows.iloc[0]  # what is left once every year's common change is taken out decides
    title = quantity.fit_title(
        "扣除各年共同变化后,研发与专利的关系还不能断定"
        if first["low"] <= 0 <= first["high"]
        else f"研发投入多1%,专利申请约多{quantity.number(rows['estimate'].min(), '', 1)}%至"
        f"{quantity.number(rows['estimate'].max(), '%', 1)}"
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
            note=f"只有{panel['region'].nunique()}个省,区间偏窄,是相关不是因果",
        ),
        zero=1.0,
        zero_words="1=同比例",
        show=lambda v: quantity.number(v, "", 2),
    )


def relation_scatter(month: Month) -> Figure:
    """Patents and R&D of provinces and years; real figures."""
    panel = rd_panel(month)
    points = pd.DataFrame(
        {
            "x": panel["rd"] / 10_000,
            "y": panel["patents"],
            "series": panel["region"],
            "label": panel["year"],
        }
    )
    slope = np.polyfit(np.log(points["x"]), np.log(points["y"]), 1)
    x = np.geomspace(points["x"].min(), points["x"].max(), 40)
    home = month.catalog.zone.province_zh
    last = points[points["label"] == points["label"].max()].set_index("series")
    title = quantity.fit_title(
        f"{home}{int(last['label'].iloc[0])}年研发{quantity.number(last.loc[home, 'x'], '亿元', 0)},"
        f"专利申请{quantity.number(last.loc[home, 'y'], '件', 0)}"
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
        highlight=[home, *month.catalog.zone.compare[:3]],
    )
