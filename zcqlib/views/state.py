"""State of the month: all targets at a glance, who sent what, what was found, what to ask of whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.projection.pace import paces
from zcqlib.views.parts import place

GROUPS = "〇一二三四五六七八九十"


STEPS = (0.0, 0.5, 0.9, 1.0)  # shares at which a cell of the completeness table changes its fill
FILLS = (
    ("#B5401C", "#FFFFFF"),
    ("#F3BE96", "#7A1F0B"),
    ("#FAE3D0", "#7A1F0B"),
    ("#FDF3E7", "#7A1F0B"),
    ("#E3E9F1", "#14284B"),
)
LIT = {  # fill, letters on it, letters on white
    "难度较大": ("#B3261E", "#FFFFFF", "#B3261E"),
    "尚有悬念": ("#F3BE96", "#1F2937", "#8A5A12"),
    "把握较大": ("#0B7A5E", "#FFFFFF", "#0B7A5E"),
    "已完成": ("#14284B", "#FFFFFF", "#14284B"),
    "按节点推进": ("#E4E8EC", "#52606D", "#52606D"),
    "依据不足": ("#F7F8F9", "#6B7785", "#6B7785"),
    "缺数据": ("#F7F8F9", "#6B7785", "#6B7785"),
}


def bullet_rows(month: Month, region: str = "zone") -> pd.DataFrame:
    """Rows of the bullet chart: the targets of the ten groups, with a figure or without."""
    head = month.catalog.headline()
    p = month.table("PROJECTIONS")
    p = p[p["region"].isin([region]) & p["indicator"].isin(head["id"])]
    due = paces(p, month.table("SERIES"), month.catalog, month.catalog.batches)
    due = due[due["region"] == region].set_index("indicator")["due"]
    order = {id: i for i, id in enumerate(head["id"])}
    group = dict(zip(head["id"], head["group"], strict=True))
    rows = []
    for r in sorted(p.to_dict("records"), key=lambda r: order[r["indicator"]]):
        aim = r["target_low"]
        per = 100 / aim if aim else float("nan")
        rows.append(
            dict(
                id=r["indicator"],
                group=GROUPS[int(group[r["indicator"]])],
                name=month.catalog.name(r["indicator"]),
                target=quantity.target(r, words=False),
                actual=quantity.of_target(r, r["actual"]),
                share=r["actual"] * per,
                pace=per * due.get(r["indicator"], np.nan),
                median=r["median"] * per,
                low=r["low"] * per,
                high=r["high"] * per,
                chance="—"
                if np.isnan(r["probability"]) or r["verdict"] == "已完成"
                else quantity.chance_number(r["probability"]),
                light=r["verdict"],
            )
        )
    return pd.DataFrame(rows)


def bullets(month: Month, groups: str = "一二三四五六七八九十", region: str = "zone") -> Figure:
    """All targets of some groups at a glance."""
    rows = bullet_rows(month, region)
    rows = rows[rows["group"].isin(list(groups))].sort_values(
        "group", key=lambda s: s.map(GROUPS.index), kind="stable"
    )
    p = month.table("PROJECTIONS")
    p = p[p["region"].eq(region) & p["indicator"].isin(rows["id"])]
    note = "此时应达按季节、批次进度,两者都没有的按序时;●把握≥80% ▲40%—79% ■<40%"
    return figures.bullets(
        rows,
        month.caption(
            say.title_bullets(p),
            f"完成率=当前值/全年目标(%);{place(month, region)},{month.year}年",
            note=note,
        ),
    )


def trend(month: Month) -> Figure:
    """How many targets stood at each light, month by month as judged then."""
    t = month.table("TRAIL")
    t = t[
        (t["region"] == "zone")
        & t["indicator"].isin(month.catalog.headline()["id"])
        & (t["as_of"] <= month.period)
    ]
    counts = t.groupby(["as_of", "verdict"]).size().rename("value").reset_index()
    wide = (
        counts.pivot(index="as_of", columns="verdict", values="value")
        .reindex(columns=list(LIT))
        .fillna(0)
    )
    good = (wide["已完成"] + wide["把握较大"]).astype(int)
    moved = int(good.iloc[-1] - good.iloc[-2]) if len(good) > 1 else 0
    word = f"比上月{'多' if moved > 0 else '少'}{abs(moved)}项" if moved else "与上月相同"
    title = quantity.fit_title(
        f"{good.iloc[-1]}项已完成或把握较大,{word};{int(wide['难度较大'].iloc[-1])}项难度较大",
        f"{good.iloc[-1]}项已完成或把握较大,{word}",
    )
    return figures.stacked(
        pd.DataFrame(
            {"month": counts["as_of"].dt.month, "kind": counts["verdict"], "value": counts["value"]}
        ),
        month.caption(
            title,
            f"各月当时的判断(项);{place(month, 'zone')},{month.year}年{int(wide.sum(axis=1).iloc[-1])}项目标",
            note="把握≥80%为较大,40%—79%为尚有悬念,<40%为难度较大",
        ),
        kinds=LIT,
        unit="项",
    )


def completeness(month: Month) -> Figure:
    """Share of the indicators owed that came, by sender and month."""
    c = month.table("COMPLETENESS")
    words_of = (c["came"].astype(str) + "/" + c["owed"].astype(str)).where(
        c["state"].ne("未报"), "未报"
    )
    share = (c["came"] / c["owed"]).where(c["state"].ne("未报"), -1.0)
    looks = {
        w: FILLS[int(np.searchsorted(STEPS, s, side="right"))]
        for w, s in zip(words_of, share, strict=True)
    }
    cells = c.assign(word=words_of, column=c["month"].dt.month).pivot(
        index="name", columns="column", values="word"
    )
    cells = cells.reindex(c["name"].unique()).fillna("")
    now = c[c["month"] == month.period]
    title = quantity.fit_title(
        f"{month.period.month}月应报{now['owed'].sum()}项,收到{now['came'].sum()}项,"
        f"完整度{quantity.percent(now['came'].sum() / now['owed'].sum())}"
    )
    subtitle = f"每格为收到的指标数/应报的指标数(项);{month.year}年1—{month.period.month}月"
    note = "季报指标只在季末月份应报;颜色越深缺得越多"
    return figures.states(
        cells.set_axis([f"{m}月" for m in cells], axis=1),
        month.caption(title, subtitle, note=note),
        looks=looks,
    )


def problems(month: Month, sender: str = "") -> Figure:
    """What was found in the reports of the year, by kind and month: of all senders or one."""
    p = month.table("PROBLEMS")
    p = p[
        (p["published"].dt.year == month.year)
        & (p["published"] <= month.period)
        & p["severity"].ne("info")
    ]
    p = p[p["sender"].eq(sender)] if sender else p
    months = range(1, month.period.month + 1)
    count = pd.crosstab(p["code"], p["published"].dt.month).reindex(columns=months, fill_value=0)
    count = count.loc[count.sum(axis=1).sort_values(ascending=False, kind="stable").index[:12]]
    now = count[month.period.month] if len(count) else pd.Series(dtype="int64")
    who = month.catalog.name(sender) if sender in month.catalog.regions else ""
    names = count.index.map(lambda c: PROBLEM_NAMES.get(c, c))
    title = f"{who}{month.period.month}月报表需核对{int(now.sum())}处"
    most = f",最多的是{say.extreme(now.set_axis(names), str, '类')}" if now.sum() else ""
    cells = _counts(count.set_axis(names, axis=0).set_axis([f"{m}月" for m in months], axis=1))
    if count.empty:
        cells = pd.DataFrame("", index=["没有发现问题"], columns=[f"{m}月" for m in months])
    subtitle = f"错误和警告(处);{month.year}年1—{month.period.month}月报表"
    return figures.states(
        cells,
        month.caption(
            quantity.fit_title(title + most, title), subtitle, note="提示类不计;颜色越深越多"
        ),
        looks=_by_count(count),
    )


def _counts(count: pd.DataFrame) -> pd.DataFrame:
    return count.astype(str).replace("0", "")


def _by_count(count: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Fills of a table of counts: the more, the darker."""
    return {
        str(n): FILLS[3 - min(n // 5, 2)]
        for n in range(1, int(count.to_numpy().max(initial=0)) + 1)
    }


PROBLEM_NAMES = {
    "source_disagrees": "园区与部门数字不一致",
    "stage_disagrees": "节点与报表不一致",
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
    "not_a_number": "不是数字",
    "park_unknown": "园区名称不明",
    "new_indicator": "新的指标名称",
    "unit_conflict": "单位不一致",
    "no_indicator": "没有指标名称",
    "corrupt": "文件损坏",
}


def orders(month: Month) -> pd.DataFrame:
    """Gaps of missed targets as monthly asks to parks and units."""
    from zcqlib.briefing.orders import gap_orders

    p, parks = month.table("PROJECTIONS"), {r: month.catalog.name(r) for r in month.catalog.parks}
    return gap_orders(p, month.table("SERIES"), month.table("TARGETS"), parks)


def asks(month: Month) -> pd.DataFrame:
    """The same asks as they are printed in the ledger."""
    from zcqlib.briefing.ledger import ASKS, ask_rows

    return pd.DataFrame(ask_rows(orders(month), month.catalog.name), columns=list(ASKS))
