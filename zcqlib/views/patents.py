"""Patents: months, quality, stock in force, and their relation to R&D."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import names, place, printed_unit, published
from zcqlib.views.rd import PROVINCES


def months(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """Single months against last year's."""
    s = month.table("SERIES")
    s = s[(s["indicator"] == indicator) & (s["region"] == region) & (s["months"] == 1)]
    wide = s.assign(month=s["end"].dt.month, year=s["end"].dt.year).pivot(index="month", columns="year", values="value")
    wide = wide.reindex(range(1, 13))
    unit, per = printed_unit(month.catalog.unit(indicator), float(np.nanmax(wide.to_numpy())))
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
