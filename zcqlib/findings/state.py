"""Findings on the month: who reported what, what has to be asked for, how far the named promises are."""

from __future__ import annotations

import pandas as pd

from zcqlib.findings.found import COUNT, PERCENT, Found, Given, Measure, Scale, finding, lay, words
from zcqlib.findings.targets import NAN, ZONES, borrowed, names

PLACES, HOMES, FILES, CELLS = Scale("处"), Scale("家"), Scale("个文件"), Scale("个")
REPORTED = {
    "owed": Measure("应报", COUNT),
    "came": Measure("收到", COUNT),
    "lacking": Measure("还缺", COUNT),
    "came_pct": Measure("完整度", PERCENT),
    "senders": Measure("应报单位", HOMES),
    "full": Measure("报齐", HOMES),
    "part": Measure("缺项", HOMES),
    "late": Measure("未报", HOMES),
    "errors": Measure("错误", PLACES),
    "warnings": Measure("提醒", PLACES),
    "returned": Measure("退回单", HOMES),
    "replied": Measure("回复", Scale("条")),
    "files": Measure("文件", FILES),
    "cells": Measure("非空单元格", CELLS),
    "figures": Measure("数据", CELLS),
    "heads": Measure("表头", CELLS),
    "notes": Measure("说明", CELLS),
    "faulty": Measure("有问题", CELLS),
    "observed": Measure("观测", Scale("条")),
    "unclear": Measure("未能识别", Scale("条")),
    "until": words("应报日期"),
    "standing_of": words("状态"),
    "files_of": words("文件名"),
    "missing": words("缺报内容"),
}
STATES = {"full": "已报", "part": "部分", "late": "未报"}
FAULTS = {"errors": "错误（数字没有采用）", "warnings": "提醒"}
KINDS = {"figures": "observation", "heads": "label", "notes": "context", "faulty": "problem"}
ARRIVED = {
    "sent": Measure("收到", COUNT),
    "owing": Measure("应报", COUNT),
    "sent_pct": Measure("完整度", PERCENT),
    "sent_told": words("收到/应报", "sent", "owing"),
}
FOUND = {"faults": Measure("需核对", Scale("")), "doubts": Measure("需核对", PLACES)}
SIGNS = {"done": "✓", "green": "●", "yellow": "▲", "red": "■", "none": "◇"}
MOST = 12  # kinds of faults in a table
PROMISES = {
    "stages": Measure("阶段数", CELLS),
    "stages_done": Measure("已到", CELLS),
    "overdue_days": Measure("逾期", Scale("天")),
    "promised": Measure("承诺", COUNT),
    "kept": Measure("完成", COUNT),
    "overdue": Measure("逾期", COUNT),
    "named": words("点名事项"),
    "last": words("最近到达"),
    "next": words("下一步"),
    "sign": words("灯"),
    "promise_state": words("状态", "overdue_days"),
    "who_misses": words("还缺"),
}


def _found(given: Given, name: str, rows: pd.DataFrame, own: dict, scope: str, *told, **more):
    demo = bool(given.table("OBSERVATIONS")["demo"].any())
    return Found(
        name, rows, own, given.source(), scope, given.period, given.known, demo, *told, **more
    )


@finding(*REPORTED)
def reported(given: Given) -> Found:
    """Who owes the month's report and what came; what was read and asked back. Rows: senders, those who owe first."""
    m, owed, seen = given.period, given.table("OVERDUE"), given.table("OBSERVATIONS")
    problems, replies = (given.table(t) for t in ("PROBLEMS", "REPLIES"))
    problems, replies = (t[t["published"].eq(m)] for t in (problems, replies))
    rank = owed["state"].map({w: -n for n, w in enumerate(STATES.values())})
    owed = owed.assign(rank=rank).sort_values(["rank", "due", "sender"], kind="stable")
    t = lay(
        pd.DataFrame(
            {
                "label": owed["name"].to_numpy(),
                "indicator": "reports",
                "region": owed["sender"].to_numpy(),
                "inputs": [f"OVERDUE/{s}." for s in owed["sender"]],
                "owed": owed["owed"].to_numpy(float),
                "came": owed["came"].to_numpy(float),
                "lacking": (owed["owed"] - owed["came"]).to_numpy(float),
                "until": [_day(d) for d in owed["due"]],
                "standing_of": owed["state"].to_numpy(),
                "files_of": owed["files"].to_numpy(),
                "missing": owed["missing"].to_numpy(),
            },
            owed["sender"].to_numpy(),
        ),
        REPORTED,
    )
    cells, asked = given.table("CELLS"), problems[problems["severity"].ne("info")]
    states = {c: float(owed["state"].eq(w).sum()) for c, w in STATES.items()}
    outcome = cells["outcome"].value_counts()
    counts = states | {c: float(outcome.get(k, 0)) for c, k in KINDS.items()}
    counts |= dict(
        owed=owed["owed"].sum(),
        came=owed["came"].sum(),
        came_pct=100 * owed["came"].sum() / owed["owed"].sum() if owed["owed"].sum() else NAN,
        senders=len(owed),
        errors=problems["severity"].eq("error").sum(),
        warnings=problems["severity"].eq("warning").sum(),
        returned=asked.loc[asked["sender"].ne(""), "sender"].nunique(),
        replied=len(replies),
        files=cells["file"].nunique(),
        cells=len(cells),
        observed=len(seen),
        unclear=(seen["region"].eq("") | seen["indicator"].eq("")).sum(),
    )
    who = {c: names(owed.loc[owed["state"].eq(w), "name"]) for c, w in STATES.items()}
    t.loc["all", list(counts)] = list(map(float, counts.values()))
    t.loc["all", ["label", "indicator", "inputs"]] = f"{m.month}月", "", "OVERDUE/;PROBLEMS/;CELLS/"
    for c in STATES:
        t.loc[c, ["label", "indicator"]] = who[c], ""
    behind = [f"{{all.{c}}}{w}" for c, w in (("late", "未报"), ("part", "缺项")) if counts[c]]
    title = "应报{all.senders}，" + ("、".join(behind) or "全部报齐")
    lacking = "".join(
        f"，{w}的有{{{c}.label}}" for c, w in (("part", "缺项"), ("late", "未报")) if counts[c]
    )
    told = [
        "{all.label}应报{all.owed}指标，收到{all.came}"
        + ("，完整度{all.came_pct}" if counts["came_pct"] == counts["came_pct"] else "")
        + f"；{{all.senders}}中{'{all.full}报齐' if counts['full'] else '没有报齐的'}{lacking}",
        _checked(counts),
        "全部来件共{all.files}、{all.cells}非空单元格，每格都有去处：数据{all.figures}，表头{all.heads}，"
        "说明{all.notes}，有问题{all.faulty}",
        "得到观测{all.observed}"
        + "，其中{all.unclear}的园区或指标未能识别，保留原文待确认" * bool(counts["unclear"]),
    ]
    ask = ["请{late.label}尽快补报"] * bool(counts["late"])
    return _found(given, "reported", t, REPORTED, f"{m.year}年{m.month}月", title, (*told, *ask))


def _checked(n: dict[str, float]) -> str:
    """What was found in the month's reports and asked back; what counts nothing is left out."""
    found = [f"{{all.{c}}}{w}" for c, w in FAULTS.items() if n[c]]
    if not found:
        return "本月报表没有发现问题"
    back = "，收到回复{all.replied}" if n["replied"] else "，尚无回复"
    sent = f"；已向{{all.returned}}生成退回单{back}" if n["returned"] else ""
    return f"本月报表需核对{'、'.join(found)}{sent}"


def _day(due: str) -> str:
    """2018-10-08 as 2018年10月8日."""
    day = pd.Timestamp(due)
    return f"{day.year}年{day.month}月{day.day}日"


@finding(*ARRIVED)
def completeness(given: Given) -> Found:
    """What came of the indicators owed, by sender and month of the year; `at` the month. Rows: `<sender>|<month>`."""
    base, c = reported(given), given.table("COMPLETENESS")
    late = c["state"].eq(STATES["late"])
    told = c["came"].astype(str) + "/" + c["owed"].astype(str)
    at = [f"{m.month}月" for m in c["month"]]
    given_ = dict(label=c["name"], indicator="reports", region=c["sender"], at=at, sent=c["came"])
    given_ |= dict(owing=c["owed"], sent_pct=100 * c["came"] / c["owed"])
    given_ |= dict(sent_told=told.where(~late, STATES["late"]), basis=c["month"].astype(str))
    rows = pd.DataFrame(given_ | dict(inputs="COMPLETENESS/" + c["sender"] + "."))
    rows.index = c["sender"] + "|" + rows["basis"]
    both = REPORTED | ARRIVED
    t = pd.concat([lay(rows, both).assign(at=rows["at"]), base.rows.loc[["all"]]])
    share = "，完整度{all.came_pct}" if t.at["all", "came_pct"] == t.at["all", "came_pct"] else ""
    title = "{all.label}应报{all.owed}，收到{all.came}" + share
    return _found(given, "completeness", t, both, base.scope, title, home=borrowed(base))


@finding(*FOUND)
def problems(given: Given, sender: str = "") -> Found:
    """Errors and warnings of the year's reports of all senders or one by kind and month; `at` the month.

    Rows: `<kind>|<month>`, the kinds with most faults first; `now` counts the month's, `most` names the most frequent.
    """
    p, m = given.table("PROBLEMS"), given.period
    p = p[p["published"].dt.year.eq(m.year) & p["published"].le(m) & p["severity"].ne("info")]
    p = p[p["sender"].eq(sender)] if sender else p
    now = p.loc[p["published"].eq(m), "code"].map(lambda c: FAULT_NAMES.get(c, c)).value_counts()
    count = p.groupby(["code", "published"]).size().rename("faults").reset_index()
    whole = count["code"].map(p["code"].value_counts())
    count = count.loc[whole.sort_values(ascending=False, kind="stable").index]
    count = count[count["code"].isin(count["code"].unique()[:MOST])]
    basis = count["published"].astype(str)
    about = dict(indicator=count["code"], basis=basis, faults=count["faults"])
    about |= dict(label=[FAULT_NAMES.get(c, c) for c in count["code"]], inputs="PROBLEMS/")
    about |= dict(region=sender, at=[f"{d.month}月" for d in count["published"]])
    rows = pd.DataFrame(about).set_axis(count["code"] + "|" + basis, axis=0)
    t = lay(rows, FOUND).assign(at=rows["at"])
    who = given.catalog.name(sender) if sender in given.catalog.regions else ""
    t.loc["now", ["label", "indicator", "inputs"]] = f"{who}{m.month}月报表", "", "PROBLEMS/"
    t.loc["now", "doubts"] = now.sum()
    title = "{now.label}需核对{now.doubts}"
    if len(now):
        t.loc["most", ["label", "indicator"]] = names(sorted(now.index[now.eq(now.max())]), 3), ""
        title = title + "，最多的是{most.label}", title
    return _found(given, "problems", t, FOUND, f"{m.year}年前{m.month}个月的报表", title)


@finding()
def reminders(given: Given) -> Found:
    """One sentence a sender that has not sent all: what is owed, by which day."""
    base = reported(given)
    t = base.things
    t = t[t["standing_of"].ne(STATES["full"])]
    told = tuple(
        f"{{{r.Index}.label}}：应于{{{r.Index}.until}}前报送本月报表，"
        + ("至今没有收到" if r.standing_of == STATES["late"] else f"已收到{{{r.Index}.came}}")
        + f"，还缺{{{r.Index}.lacking}}"
        + (f"：{{{r.Index}.missing}}" if r.missing else "")
        for r in t.itertuples()
    )
    told = told or ("各单位都已报齐，没有需要催报的",)
    scope, title = base.scope, "需要催报的单位"
    return _found(given, "reminders", t, REPORTED, scope, title, told, home=borrowed(base))


@finding(*PROMISES)
def promises(given: Given) -> Found:
    """The ten groups' promises that are counted in stages or parks: reached, next, overdue, who is missing.

    Rows: `<target>|<item>` in the plan's order; `all` counts.
    """
    t, head, m = given.table("PROMISES"), list(given.catalog.headline()["id"]), given.period
    t = t[t["id"].isin(head) & t["stages"].gt(0)]
    # each named item has a row, the sum of them none
    named = t["id"].isin(t.loc[t["item"].ne(""), "id"])
    t = t[t["item"].ne("") | t["region"].isin(ZONES) & ~named]
    t = t.sort_values("id", key=lambda s: s.map(head.index), kind="stable")
    whole = {r.id: given.catalog.name(r.id) for r in t.itertuples()}
    rows = lay(
        pd.DataFrame(
            {
                "label": [r.item or whole[r.id] for r in t.itertuples()],
                "indicator": t["id"].to_numpy(),
                "region": t["region"].to_numpy(),
                "basis": t["item"].to_numpy(),
                "inputs": [f"PROMISES/{r.region}.{r.id}" for r in t.itertuples()],
                "stages": t["stages"].to_numpy(float),
                "stages_done": t["reached"].to_numpy(float),
                "overdue_days": t["overdue_days"].to_numpy(float),
                "promised": NAN,
                "kept": NAN,
                "overdue": NAN,
                "named": [whole[r.id] if r.item else "" for r in t.itertuples()],
                "last": [
                    _when(r.stage_zh, r.date, r.evidence)
                    or (f"{r.reached}个园区完成" if r.missing else "")
                    for r in t.itertuples()
                ],
                "next": [_when(r.next_zh, r.expected) for r in t.itertuples()],
                "sign": t["colour"].map(SIGNS).to_numpy(),
                "promise_state": [r.colour_zh + _late(r) for r in t.itertuples()],
                "who_misses": [_missing(r.missing, given) for r in t.itertuples()],
            },
            [f"{r.id}|{r.item or r.region}" for r in t.itertuples()],
        ),
        PROMISES,
    )
    if rows.empty:
        return _found(given, "promises", rows, PROMISES, f"{m.year}年{m.month}月末", "没有节点在册")
    kept, late = t["colour"].eq("done").sum(), t["overdue_days"].gt(0).sum()
    inputs = ";".join(rows["inputs"])
    rows.loc["all", ["promised", "kept", "overdue"]] = len(t), kept, late
    rows.loc["all", ["label", "indicator", "inputs"]] = "合计", "", inputs
    told = [
        f"{{all.{c}}}{w}" for c, w in (("kept", "完成"), ("overdue", "逾期")) if rows.at["all", c]
    ]
    title = "{all.promised}承诺" + ("中" + "，".join(told) if told else "都在推进")
    return _found(given, "promises", rows, PROMISES, f"{m.year}年{m.month}月末", title, (title,))


def _late(r) -> str:
    if r.overdue_days > 0:
        return f"{r.overdue_days:.0f}天"
    if r.colour != "yellow":
        return ""
    return f"，还有{-r.overdue_days:.0f}天" if r.overdue_days < 0 else "，本月到期"


def _missing(missing: str, given: Given) -> str:
    """Who is missing; of four and more, who is not."""
    who = missing.split("、")
    have = [given.catalog.name(p) for p in given.catalog.members(given.period)]
    have = [p for p in have if p not in who]
    return missing if len(who) < 4 else f"除{'、'.join(have)}外各园区" if have else "全部园区"


def _when(stage: str, month: pd.Period, evidence: str = "") -> str:
    """A stage with its month and the document that shows it."""
    told = "，".join(
        [*([f"{month.month}月"] if pd.notna(month) else []), *filter(None, [evidence])]
    )
    return f"{stage}（{told}）" if stage and told else stage


FAULT_NAMES = {
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
