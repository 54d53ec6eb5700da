"""Targets and the year end: pace, effort still needed, chances, what moved them, promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.findings.targets import ZONES, title_year_end
from zcqlib.month import Month
from zcqlib.views.parts import (
    names,
    place,
    quantiles,
    row,
    season,
)


def pace(month: Month, indicator: str = "patent_applications", region: str = "zone") -> Figure:
    """Cumulative figure against target, paces and the fan of the year end."""
    return pace_figure(
        month, indicator, region, row(month, indicator, region), quantiles(month, indicator, region)
    )


def pace_figure(
    month: Month, indicator: str, region: str, r: dict, q: pd.Series, without: str = ""
) -> Figure:
    """The pace chart of a row of PROJECTIONS and its quantiles, as stored or under a question; the zone may be
    `without` a park."""
    t = month.table("TO_DATE")
    t = t[
        (t["indicator"] == indicator)
        & (t["end"].dt.year == month.year)
        & (t["end"] <= month.period)
    ]
    left = (
        t[t["region"] == without].set_index("end")["value"]
        if without
        else pd.Series(dtype="float64")
    )
    t = t[t["region"] == region]
    value = t["value"] - (t["end"].map(left) if without else 0.0)
    scale = (
        quantity.row_scale(r) if r else quantity.scale(value.max(), month.catalog.unit(indicator))
    )
    unit, per = scale.unit, scale.factor
    aim = r.get("target_low", float("nan"))
    chance = (
        ""
        if not r or np.isnan(r["probability"])
        else (
            f"{quantity.chance_number(r['probability'])} 完成把握({quantity.chance_word(r['probability'])})"
        )
    )
    what = month.catalog.name(indicator)
    title = title_year_end(r, what) if r else quantity.fit_title(f"{what}:园区目标未下达")
    s = season(month, indicator, region, aim)
    s = s.assign(**{c: s[c] / per for c in ("value", "low", "high")})
    where = place(month, region) + (f"(不含{month.catalog.name(without)})" if without else "")
    return figures.pace(
        pd.DataFrame({"month": t["end"].dt.month, "value": value / per}),
        q / per,
        aim / per,
        month.caption(title, f"{what},1月至当月累计({unit});{where},{month.year}年", indicator),
        unit=unit,
        show=lambda v: quantity.number(v, "", scale.digits),
        interval=tuple(r[k] / per for k in ("low", "median", "high"))
        if r and np.isfinite(r["median"])
        else None,
        chance_words=quantity.typeset(chance),
        season=s,
        season_words="批次进度" if month.catalog.indicators[indicator].batch else "季节进度",
        target_words=quantity.target(r) if r else "",
    )


def promises(month: Month) -> Figure:
    """The coverage and milestone rows of the ten groups: stages, last and next, overdue days, who is missing."""
    f, rows, before = month.find("promises"), [], ""
    for r in f.things.to_dict("records"):
        if r["named"] not in ("", before):
            rows.append(dict(label=r["named"]))
        before = r["named"]
        shown = dict(label=" " + r["label"] if before else r["label"], stages=r["stages"])
        shown |= dict(reached=r["stages_done"], last=r["last"], next=r["next"], state=r["colour"])
        rows.append(shown | dict(word=r["promise_state"], missing=r["who_misses"]))
    return figures.promises(
        pd.DataFrame(rows, dtype=object).fillna(""),
        month.caption(
            f.title,
            f"点名事项与覆盖事项的阶段(个);{month.year}年{month.period.month}月末",
            source="计划目标与节点参考表",
            note="圆点为阶段或园区\uff0c实心已到\uff1b天数从承诺月份最后一天数起",
        ),
    )


def promises_rest(month: Month) -> pd.DataFrame:
    """Counted promises without stages or dates on file: `name`, `responsible`, `missing`."""
    t, counted = month.table("PROMISES"), set(month.catalog.counted()["id"])
    t = t[(t["stages"] == 0) & t["id"].isin(counted) & t["region"].isin(["zone", "city"])]
    return pd.DataFrame(
        {"name": t["name_zh"], "responsible": t["responsible"], "missing": t["missing"]}
    )


def chances(month: Month) -> Figure:
    """Chances by target and park, the hardest of the parks' targets first, those without park targets last."""
    f, catalog = month.find("parks"), month.catalog
    columns = [*((r, catalog.name(r)) for r in catalog.parks), ("zone", catalog.zone.parts_zh)]
    t = f.things
    t = t.assign(region=t["region"].where(~t["region"].isin(ZONES), "zone"))
    met = quantity.lights().state("met").words
    cells = t["chance"].astype(object).where(t["light"].ne(met), met)
    frame = t.assign(cell=cells).pivot(index="indicator", columns="region", values="cell")
    frame = frame.reindex(columns=[c for c, _ in columns])
    mean = t[t["region"].ne("zone")].groupby("indicator")["chance"].mean()
    order = mean.reindex(frame.index).sort_values(kind="stable", na_position="last").index
    more = f",{len(frame)}项中的前20项" if len(frame) > 20 else ""
    return figures.heatmap(
        frame.loc[order].rename(index=catalog.name).head(20),
        month.caption(
            f.title,
            f"完成全年目标的把握(%);{catalog.zone.parks_zh}及{catalog.zone.parts_zh}合计,{month.year}年,按园区平均由低到高{more}",
            note="园区目标为演示分解" if month.workspace.demo else "",
        ),
        columns=columns,
    )


def lead(month: Month, indicator: str = "patent_applications") -> Figure:
    """Each park's lead over its seasonal pace in points of its target, and where the year may end."""
    t = month.table("TO_DATE")
    t = t[
        (t["indicator"] == indicator)
        & (t["end"].dt.year == month.year)
        & (t["end"] <= month.period)
    ]
    rows, ends, facts, ruler = [], [], {}, None
    for region in (*month.catalog.parks, "zone"):
        r, own = row(month, indicator, region), t[t["region"] == region]
        aim = r.get("target_low", float("nan"))
        pace_ = season(month, indicator, region, 100.0).set_index("month")["value"]
        if not aim > 0 or pace_.empty or own.empty:
            continue
        m = own["end"].dt.month
        rows.append(
            pd.DataFrame(
                {"region": region, "month": m, "value": 100 * own["value"] / aim - m.map(pace_)}
            )
        )
        q = quantiles(month, indicator, region)
        ends.append(
            pd.DataFrame(
                {"region": region, "level": q.index, "value": 100 * q.to_numpy() / aim - 100}
            )
        )
        facts[region] = dict(
            light=r["verdict"],
            chance=quantity.chance_number(r["probability"]),
            now=f"{month.period.month}月累计{quantity.of_target(r, r['actual'])}",
            ahead=quantity.typeset(
                f"年末预计{quantity.of_target(r, r['median'])},目标{quantity.target(r)}"
            ),
        )
        if region == "zone":
            ruler = pd.DataFrame(
                {"month": pace_.index, "value": 100 * pace_.index / 12 - pace_.to_numpy()}
            )
    title = "园区目标未下达,不作判断"
    if facts.keys() - {"zone"}:
        p = month.find("parks").things.query("indicator == @indicator and region not in @ZONES")
        title = f"{len(p)}个有目标的园区中{int((p['chance'] >= 0.5).sum())}个把握过半"
    return figures.multiples(
        pd.concat(rows).dropna(),
        month.caption(
            title,
            f"{month.catalog.name(indicator)}:完成率比季节进度领先(+)或落后(\u2212)多少(占全年目标的个百分点);{month.year}年",
            indicator,
            note="0线为季节进度,到年末即目标;虚线为序时进度;灰线为其他园区;色带50%、80%、95%",
        ),
        names(month),
        quantiles=pd.concat(ends),
        ruler=ruler,
        facts=pd.DataFrame(facts).T,
    )
