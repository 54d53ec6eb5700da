"""Targets and the year end: pace, effort still needed, chances, what moved them, promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.projection.pace import paces
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
    title = (
        say.title_pace(r, month.catalog.name) if r else quantity.fit_title(f"{what}:园区目标未下达")
    )
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


def _headline(month: Month) -> pd.DataFrame:
    p = month.table("PROJECTIONS")
    return p[p["region"].eq("zone") & p["indicator"].isin(month.catalog.headline()["id"])]


def outlook(month: Month) -> Figure:
    """Where the chances stand and where they came from: light and trend are two things."""
    t = month.table("TRAIL")
    ids = month.catalog.headline()["id"]
    t = t[
        (t["region"] == "zone")
        & t["indicator"].isin(ids)
        & t["probability"].notna()
        & (t["as_of"] <= month.period)
    ]
    wide = 100 * t.pivot(index="indicator", columns="as_of", values="probability").reindex(
        columns=pd.period_range(t["as_of"].min(), month.period, freq="M")
    )
    verdicts = t[t["as_of"] == month.period].set_index("indicator")["verdict"]
    now, last = wide.iloc[:, -1], wide.iloc[:, -2] if wide.shape[1] > 1 else wide.iloc[:, -1]
    open_ = wide[now.notna() & last.notna() & (verdicts.reindex(wide.index) != "已完成")].index
    change = (now - last)[open_]
    order = change.abs().sort_values(ascending=False).head(14).index
    order = now[order].sort_values(ascending=False).index
    rows = pd.DataFrame(
        {
            "label": [month.catalog.name(i) for i in order],
            "estimate": now[order],
            "actual": last[order],
            "low": wide.loc[order].min(axis=1),
            "high": wide.loc[order].max(axis=1),
            "note": [
                f"{verdicts[i]} {quantity.chance_number(now[i] / 100)}{_arrow(change[i])}"
                for i in order
            ],
        }
    )
    up, down = int((change >= 5).sum()), int((change <= -5).sum())
    return figures.forest(
        rows,
        month.caption(
            quantity.fit_title(f"与上月比,{up}项把握上升5个百分点以上,{down}项下降"),
            f"完成全年目标的把握(%);{place(month, 'zone')},{month.year}年,变动最大的{len(rows)}项",
            note="●本月 ◇上月;横线为今年以来各月的范围",
        ),
        zero=80.0,
        zero_words="80%起为把握较大",
        show=lambda v: quantity.number(v, "%", 0),
    )


def _arrow(change: float) -> str:
    return "↑" if change >= 5 else "↓" if change <= -5 else "→"


def progress(month: Month) -> pd.DataFrame:
    """Each target against the pace that fits it, and the band of the SDG progress measure beside ours, as printed."""
    p = _headline(month)
    t = paces(p, month.table("SERIES"), month.catalog, month.catalog.batches)
    rows = p.set_index("indicator", drop=False).loc[t["indicator"]].to_dict("records")
    told = lambda c: [quantity.of_target(r, v) for r, v in zip(rows, t[c], strict=True)]  # noqa: E731
    return pd.DataFrame(
        {
            "指标": [month.catalog.name(i) for i in t["indicator"]],
            "当前值": told("actual"),
            "序时应达": told("linear"),
            "合用的进度应达": told("due"),
            "对照": t["word"],
            "为什么用它": t["reason"],
            "SDG进展": t["sdg"],
            "SDG实际/所需增速": [quantity.multiple(v, 1.0) for v in t["sdg_ratio"]],
        }
    )


def promises(month: Month) -> Figure:
    """The coverage and milestone rows of the ten groups: stages, last and next, overdue days, who is missing."""
    t = month.table("PROMISES")
    t = t[t["id"].isin(month.catalog.headline()["id"]) & (t["stages"] > 0)]
    named = t["id"].isin(
        t.loc[t["item"] != "", "id"]
    )  # each named item has a row, the sum of them none
    t = t[(t["item"] != "") | t["region"].isin(["zone", "city"]) & ~named]
    order = {id: i for i, id in enumerate(month.catalog.headline()["id"])}
    t = t.sort_values("id", key=lambda s: s.map(order), kind="stable")
    rows = []
    for id, part in t.groupby("id", sort=False):
        if (part["item"] != "").any():
            rows.append(dict(label=month.catalog.name(id)))
        for r in part.itertuples():
            days = r.overdue_days
            late = (
                f"{days:.0f}天"
                if days > 0
                else ""
                if r.colour != "yellow"
                else (f"\uff0c还有{-days:.0f}天" if days < 0 else "\uff0c本月到期")
            )
            rows.append(
                dict(
                    label=f" {r.item}" if r.item else month.catalog.name(id),
                    stages=r.stages,
                    reached=r.reached,
                    last=_when(r.stage_zh, r.date, r.evidence)
                    or (f"{r.reached}个园区完成" if r.missing else ""),
                    next=_when(r.next_zh, r.expected),
                    state=r.colour,
                    word=r.colour_zh + late,
                    missing=_missing(r.missing.split("、"), month),
                )
            )
    count = t["colour_zh"].value_counts()
    title = quantity.fit_title(
        f"{len(t)}项承诺中{count.get('已完成', 0)}项完成,{count.get('逾期', 0)}项逾期"
    )
    return figures.promises(
        pd.DataFrame(rows, dtype=object).fillna(""),
        month.caption(
            title,
            f"点名事项与覆盖事项的阶段(个);{month.year}年{month.period.month}月末",
            source="计划目标与节点参考表",
            note="圆点为阶段或园区\uff0c实心已到\uff1b天数从承诺月份最后一天数起",
        ),
    )


def _missing(who: list[str], month: Month) -> str:
    """Who is missing; of four and more, who is not."""
    have = [p for p in map(month.catalog.name, month.catalog.members(month.period)) if p not in who]
    return (
        "、".join(who) if len(who) < 4 else f"除{'、'.join(have)}外各园区" if have else "全部园区"
    )


def _when(stage: str, month: pd.Period, evidence: str = "") -> str:
    """A stage with its month and the document that shows it."""
    known = [f"{month.month}月"] if pd.notna(month) else []
    told = "\uff0c".join([*known, *([evidence] if evidence else [])])
    return f"{stage}\uff08{told}\uff09" if stage and told else stage


def promises_rest(month: Month) -> pd.DataFrame:
    """Counted promises without stages or dates on file: `name`, `responsible`, `missing`."""
    t, counted = month.table("PROMISES"), set(month.catalog.counted()["id"])
    t = t[(t["stages"] == 0) & t["id"].isin(counted) & t["region"].isin(["zone", "city"])]
    return pd.DataFrame(
        {"name": t["name_zh"], "responsible": t["responsible"], "missing": t["missing"]}
    )


def chances(month: Month) -> Figure:
    """Chances by target and park, the hardest of the parks' targets first, those without park targets last."""
    p = month.table("PROJECTIONS")
    head = month.catalog.headline()
    p = p[p["indicator"].isin(head["id"]) & ~p["kind"].isin(["milestone", "coverage", "recurring"])]
    columns = [
        *((r, month.catalog.name(r)) for r in month.catalog.parks),
        ("zone", month.catalog.zone.parts_zh),
    ]
    p = p[p["region"].isin([c for c, _ in columns])]
    cells = (
        p["probability"].astype("object").where(p["verdict"] != "已完成", "已完成").fillna("未报")
    )
    frame = p.assign(cell=cells).pivot(index="indicator", columns="region", values="cell")
    frame = frame.reindex(
        index=[i for i in head["id"] if i in frame.index], columns=[c for c, _ in columns]
    )
    parks = p[p["region"] != "zone"].groupby("indicator")["probability"].mean()
    order = parks.reindex(frame.index).sort_values(kind="stable", na_position="last").index
    frame = frame.loc[order].rename(index=month.catalog.name)
    more = f",{len(frame)}项中的前20项" if len(frame) > 20 else ""
    return figures.heatmap(
        frame.head(20),
        month.caption(
            say.title_heatmap(p, month.catalog.name),
            f"完成全年目标的把握(%);{month.catalog.zone.parks_zh}及{month.catalog.zone.parts_zh}合计,{month.year}年,按园区平均由低到高{more}",
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
    p = month.table("PROJECTIONS").query("indicator == @indicator")
    return figures.multiples(
        pd.concat(rows).dropna(),
        month.caption(
            say.title_multiples(p, month.catalog.name),
            f"{month.catalog.name(indicator)}:完成率比季节进度领先(+)或落后(\u2212)多少(占全年目标的个百分点);{month.year}年",
            indicator,
            note="0线为季节进度,到年末即目标;虚线为序时进度;灰线为其他园区;色带50%、80%、95%",
        ),
        names(month),
        quantiles=pd.concat(ends),
        ruler=ruler,
        facts=pd.DataFrame(facts).T,
    )
