"""High-tech enterprises: stock, contribution by park, pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import ALL, names, quantiles, row


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
