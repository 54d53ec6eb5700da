"""Targets and the year end: pace, effort still needed, chances, what moved them, milestones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import ALL, names, place, printed_unit, quantiles, row, season, shown, target


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
    unit, per = printed_unit(month.catalog.unit(indicator), t["value"].max())
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
