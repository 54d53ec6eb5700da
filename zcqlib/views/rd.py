"""R&D intensity: parks, what moved it, provinces."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.views.parts import names, provinces, published, quarter


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
    title = quantity.fit_title(
        f"研发强度{quantity.number(latest['zone'], '%', 2)},{len(over)}个园区达到3%"
    )
    return figures.lines(
        data,
        month.caption(
            title, "研发经费占地区生产总值,1月至当季累计(%);各园区与合计", "rd_expenditure", "gdp"
        ),
        highlight=["zone"],
        names=names(month),
        show=lambda v: quantity.number(v, "", 2),
        target=3.0,
        target_words="目标3%",
        unit="%",
    )


def intensity_parts(month: Month) -> pd.DataFrame:
    """`analysis.within_between` as figure and sentence print it: rows and columns add up in two decimals."""
    before, after = quarter(month)
    t = analysis.within_between(
        month.table("SERIES"), month.catalog.parks, "rd_expenditure", "gdp", before, after
    )
    for c in ("within", "total"):
        parts = quantity.printed_parts(t[c].iloc[:-1], 2, t[c].iloc[-1])
        t[c] = [float(v) for v in (*parts, sum(parts))]
    return t.assign(between=(t["total"] - t["within"]).round(2))


def intensity_split(month: Month) -> Figure:
    """Within- and between-park parts of the change."""
    t, (_, after) = intensity_parts(month), quarter(month)
    label = {r: month.catalog.name(r) for r in month.catalog.parks} | {"all": "合计"}
    rows = t.assign(label=t["region"].map(label))
    return figures.effects(
        rows,
        month.caption(
            say.title_decomposition(t),
            f"研发强度变动(个百分点);{_so_far(after)}比上年同期",
            "rd_expenditure",
            "gdp",
            note="内部+结构=合计",
        ),
        columns=[("within", "园区自身强度变动"), ("between", "园区间份额变动"), ("total", "合计")],
        show=lambda v: quantity.number(v, "", 2) if v else "0",
    )


def _so_far(span: str) -> str:
    """2018-01/2018-09 in words: 2018年1—9月."""
    return f"{span[:4]}年1—{int(span[-2:])}月"


def intensity_moved(month: Month) -> Figure:
    """Numerator and denominator apart, by park."""
    before, after = quarter(month)
    rows = []
    for r in (*month.catalog.parks, "zone"):
        ids = list(month.catalog.parks) if r == "zone" else r
        v = analysis.ratio_change(
            month.table("SERIES"), ids, "rd_intensity", "rd_expenditure", "gdp", before, after
        )
        v = v.set_index("measure")["value"]
        rows.append(
            dict(
                region=r,
                label=names(month)[r],
                numerator=round(v["numerator_growth"], 1),
                denominator=round(v["denominator_growth"], 1),
                change=round(v["change"], 2),
            )
        )
    rows = pd.DataFrame(rows)
    z = rows.iloc[-1]
    word = "快于" if z["numerator"] > z["denominator"] else "慢于"
    title = quantity.fit_title(
        f"研发经费增长{quantity.number(z['numerator'], '%', 1)},{word}GDP的{quantity.number(z['denominator'], '%', 1)}"
    )
    return figures.effects(
        rows,
        month.caption(
            title,
            f"增长(%)与强度变动(个百分点);{_so_far(after)}比上年同期",
            "rd_expenditure",
            "gdp",
            note="各列比例尺不同",
        ),
        columns=[
            ("numerator", "研发经费增长%"),
            ("denominator", "GDP增长%"),
            ("change", "强度变动(个百分点)"),
        ],
        shows=[lambda v: quantity.number(v, "", 1)] * 2 + [lambda v: quantity.number(v, "", 2)],
    )


def intensity_provinces(month: Month, region: str = "") -> Figure:
    """A province (default: the zone's own) against the others and the nation; real figures."""
    region = region or month.catalog.zone.province_zh
    s = published(month)
    s = s[
        (s["indicator"] == "rd_intensity")
        & (s["months"] == 12)
        & ~s["region"].isin(["zone", "city"])
    ]
    wide = s[s["region"].isin(provinces(month))]
    data = pd.DataFrame(
        {"x": wide["end"].dt.year, "series": wide["region"], "value": wide["value"]}
    )
    data = data[data["series"] != "北京"]
    compared = analysis.against_others(wide, region, "rd_intensity")
    beijing = wide[(wide["region"] == "北京")].sort_values("end")["value"]
    note = f"北京{quantity.number(beijing.iloc[-1], '%', 2)}在图外" if len(beijing) else ""
    years = f"{data['x'].min()}—{data['x'].max()}年"
    return figures.lines(
        data,
        month.caption(
            say.title_intensity(compared, region),
            f"研发经费占地区生产总值(%);全国与部分省,{years}",
            source="《全国科技经费投入统计公报》等,经公开数据整理",
            note=note,
            demo=False,
            as_of=f"{data['x'].max()}年",
        ),
        highlight=[region],
        benchmark="全国",
        gap=lambda v: quantity.number(v, "", 2),
        show=lambda v: quantity.number(v, "", 2),
        unit="%",
    )


def bridge(month: Month) -> pd.DataFrame:
    """`analysis.proxy_bridge` of the zone: the survey's yearly figure from the reports' months to date."""
    s = month.table("SERIES")
    s = s[s["region"] == "zone"]
    until = int(quarter(month)[1][-2:])
    proxy = s[
        (s["indicator"] == "rd_intensity") & s["end"].dt.month.eq(until) & s["start"].dt.month.eq(1)
    ]
    official = s[(s["indicator"] == "rd_intensity_official") & s["months"].isin([0, 12])]
    by_year = (part.set_index(part["end"].dt.year)["value"] for part in (official, proxy))
    return analysis.proxy_bridge(*by_year, demo=bool(proxy["demo"].any()))
