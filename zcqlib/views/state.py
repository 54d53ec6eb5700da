"""State of the month: all targets at a glance, who sent what, what was found, what to ask of whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.findings.targets import names
from zcqlib.month import Month
from zcqlib.views.parts import place

STEPS = (0.0, 0.5, 0.9, 1.0)  # shares at which a cell of the completeness table changes its fill
FILLS = (
    ("#B5401C", "#FFFFFF"),
    ("#F3BE96", "#7A1F0B"),
    ("#FAE3D0", "#7A1F0B"),
    ("#FDF3E7", "#7A1F0B"),
    ("#E3E9F1", "#14284B"),
)


def trend(month: Month) -> Figure:
    """How many targets stood at each light, month by month as judged then."""
    f = month.find("trend")
    lights = {
        k: quantity.lights().state(k) for k in ("hard", "open", "good", "met", "stage", "thin")
    }
    long = f.rows[list(lights)].rename(columns={k: v.words for k, v in lights.items()})
    long = long.set_axis([int(m[-2:]) for m in long.index]).melt(
        ignore_index=False, var_name="kind"
    )
    long = long[long["value"].gt(0)].reset_index(names="month")
    looks = {v.words: (f"#{v.tint}", "#1F2937", f"#{v.text}") for v in lights.values()}
    strong = {
        lights[k].words: (f"#{lights[k].colour}", "#FFFFFF", f"#{lights[k].text}")
        for k in ("hard", "good", "met")
    }
    return figures.stacked(
        long,
        month.caption(
            f.title,
            f"各月当时的判断(项);{place(month, 'zone')},{month.year}年",
            note="把握≥80%为较大,40%—79%为尚有悬念,<40%为难度较大",
        ),
        kinds=looks | strong,
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
    kinds = count.index.map(lambda c: PROBLEM_NAMES.get(c, c))
    title = f"{who}{month.period.month}月报表需核对{int(now.sum())}处"
    most = f",最多的是{names(kinds[now.eq(now.max())], 3)}" if now.sum() else ""
    cells = _counts(count.set_axis(kinds, axis=0).set_axis([f"{m}月" for m in months], axis=1))
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
