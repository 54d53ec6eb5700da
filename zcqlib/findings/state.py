"""Findings on the month: who reported what, what has to be asked for, how far the named promises are."""

from __future__ import annotations

import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import (
    COUNT,
    NAN,
    PERCENT,
    Given,
    Scale,
    Told,
    finding,
    heads,
    words,
)
from zcqlib.findings.regional import UP_PERCENT
from zcqlib.findings.targets import ZONES, names

HOMES, CELLS = Scale("家"), Scale("个")
REPORTED = heads(COUNT, owed="应报", came="收到", lacking="还缺") | heads(
    PERCENT, came_pct="完整度"
)
REPORTED |= heads(
    HOMES, senders="应报单位", full="报齐", part="缺项", late="未报", returned="退回单"
)
REPORTED |= heads(Scale("处"), errors="错误", warnings="提醒") | heads(
    Scale("个文件"), files="文件"
)
REPORTED |= heads(Scale("条"), replied="回复", observed="观测", unclear="未能识别")
REPORTED |= heads(
    CELLS, cells="非空单元格", figures="数据", heads="表头", notes="说明", faulty="有问题"
)
REPORTED |= dict(until=words("应报日期"), standing_of=words("状态"), files_of=words("文件名"))
REPORTED |= dict(missing=words("缺报内容"))
STATES = {"full": "已报", "part": "部分", "late": "未报"}
FAULTS = {"errors": "错误（数字没有采用）", "warnings": "提醒"}
KINDS = {"figures": "observation", "heads": "label", "notes": "context", "faulty": "problem"}
ARRIVED = heads(COUNT, sent="收到", owing="应报") | heads(PERCENT, sent_pct="完整度")
ARRIVED |= dict(sent_told=words("收到/应报", "sent", "owing"))
FOUND = heads(Scale(""), faults="需核对") | heads(Scale("处"), doubts="需核对")
SIGNS = {"done": "✓", "green": "●", "yellow": "▲", "red": "■", "none": "◇"}
MOST = 12  # kinds of faults in a table
PROMISES = heads(CELLS, stages="阶段数", stages_done="已到") | heads(
    Scale("天"), overdue_days="逾期"
)
PROMISES |= heads(COUNT, promised="承诺", kept="完成", overdue="逾期")
PROMISES |= {
    c: words(h)
    for c, h in dict(named="点名事项", last="最近到达", next="下一步", sign="灯").items()
}
PROMISES |= dict(promise_state=words("状态", "overdue_days"), who_misses=words("还缺"))


@finding(**REPORTED)
def reported(given: Given) -> Told:
    """Who owes the month's report and what came; what was read and asked back. Rows: senders, those who owe first."""
    m, owed, seen = given.period, given.table("COMPLETENESS"), given.table("OBSERVATIONS")
    problems, replies = (given.table(t) for t in ("PROBLEMS", "REPLIES"))
    problems, replies = (t[t["published"].eq(m)] for t in (problems, replies))
    owed = owed[owed["month"].eq(m)]
    rank = owed["state"].map({w: -n for n, w in enumerate(STATES.values())})
    t = owed.assign(rank=rank).sort_values(["rank", "due", "sender"], kind="stable")
    named = dict(name="label", sender="region", state="standing_of", files="files_of")
    t = t.rename(columns=named).set_index("region", drop=False).rename_axis(None)
    t = t.assign(indicator="reports", inputs="COMPLETENESS/" + t["region"] + ".")
    t = t.assign(lacking=t["owed"] - t["came"], until=t["due"].map(_day))
    cells, asked = given.table("CELLS"), problems[problems["severity"].ne("info")]
    states, outcome = t["standing_of"].value_counts(), cells["outcome"].value_counts()
    counts = {c: states.get(w, 0) for c, w in STATES.items()}
    counts |= {c: outcome.get(k, 0) for c, k in KINDS.items()}
    counts |= dict(owed=t["owed"].sum(), came=t["came"].sum(), senders=len(t), replied=len(replies))
    counts |= {f"{s}s": problems["severity"].eq(s).sum() for s in ("error", "warning")}
    counts |= dict(returned=asked.loc[asked["sender"].ne(""), "sender"].nunique())
    counts |= dict(files=cells["file"].nunique(), cells=len(cells), observed=len(seen))
    counts |= dict(unclear=(seen["region"].eq("") | seen["indicator"].eq("")).sum())
    counts |= dict(came_pct=100 * counts["came"] / counts["owed"] if counts["owed"] else NAN)
    for c, w in STATES.items():
        t.loc[c, "label"] = names(t.loc[t["standing_of"].eq(w), "label"])
    t.loc["all", list(counts)] = counts
    t.loc["all", ["label", "inputs"]] = f"{m.month}月", "COMPLETENESS/;PROBLEMS/;CELLS/"
    behind = [(c, w) for c, w in (("late", "未报"), ("part", "缺项")) if counts[c]]
    title = "、".join(f"{{all.{c}}}{w}" for c, w in behind) or "全部报齐"
    share = "，完整度{all.came_pct}" * bool(counts["owed"])
    full = "{all.full}报齐" if counts["full"] else "没有报齐的"
    lacking = "".join(f"，{w}的有{{{c}.label}}" for c, w in behind[::-1])
    told = [
        f"{{all.label}}应报{{all.owed}}指标，收到{{all.came}}{share}；{{all.senders}}中{full}{lacking}",
        _checked(counts),
        "全部来件共{all.files}、{all.cells}非空单元格，每格都有去处：数据{all.figures}，表头{all.heads}，"
        "说明{all.notes}，有问题{all.faulty}",
        "得到观测{all.observed}"
        + "，其中{all.unclear}的园区或指标未能识别，保留原文待确认" * bool(counts["unclear"]),
        "请{late.label}尽快补报" * bool(counts["late"]),
    ]
    return Told(t, f"{m.year}年{m.month}月", "应报{all.senders}，" + title, told)


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


@finding(**ARRIVED)
def completeness(given: Given) -> Told:
    """What came of the indicators owed, by sender and month of the year; `at` the month. Rows: `<sender>|<month>`."""
    base, c = reported(given), given.table("COMPLETENESS")
    t = c.rename(columns=dict(name="label", sender="region", came="sent", owed="owing"))
    t = t[["label", "region", "sent", "owing"]].assign(
        indicator="reports", basis=c["month"].astype(str)
    )
    t = t.assign(at=[f"{m.month}月" for m in c["month"]], sent_pct=100 * c["came"] / c["owed"])
    told = c["came"].astype(str) + "/" + c["owed"].astype(str)
    t["sent_told"] = told.where(c["state"].ne(STATES["late"]), STATES["late"])
    t["inputs"] = "COMPLETENESS/" + c["sender"] + "."
    t = pd.concat(
        [t.set_axis(c["sender"] + "|" + t["basis"]), base.rows.loc[["all", "late", "part"]]]
    )
    late = base.rows["label"]
    title = "{all.label}应报{all.owed}，收到{all.came}"
    told = [f"，{w}的是{{{c}.label}}" for c, w in (("late", "未报"), ("part", "缺项")) if late[c]]
    return Told(
        t, base.scope, (title + "".join(told), *(title + w for w in told), title), base=base
    )


@finding(**FOUND)
def problems(given: Given, sender: str = "") -> Told:
    """Errors and warnings of the year's reports of all senders or one by kind and month; `at` the month.

    Rows: `<kind>|<month>`, the kinds with most faults first; `now` counts the month's, `most` names the most frequent.
    """
    p, m = given.table("PROBLEMS"), given.period
    p = p[p["published"].dt.year.eq(m.year) & p["published"].le(m) & p["severity"].ne("info")]
    p = p[p["sender"].eq(sender)] if sender else p
    p = p.assign(
        label=p["code"].map(lambda c: FAULT_NAMES.get(c, c)), basis=p["published"].astype(str)
    )
    now, whole = p.loc[p["published"].eq(m), "label"].value_counts(), p["code"].value_counts()
    t = p.groupby(["code", "label", "basis"]).size().rename("faults").reset_index()
    t = t.loc[t["code"].map(whole).sort_values(ascending=False, kind="stable").index]
    t = t[t["code"].isin(t["code"].unique()[:MOST])]
    t = t.assign(indicator=t["code"], region=sender, inputs="PROBLEMS/")
    t["at"] = [f"{int(b[-2:])}月" for b in t["basis"]]
    t.index = t["code"] + "|" + t["basis"]
    who = given.catalog.name(sender) if sender in given.catalog.regions else ""
    t.loc["now", ["label", "inputs", "doubts"]] = f"{who}{m.month}月报表", "PROBLEMS/", now.sum()
    title = ("{now.label}需核对{now.doubts}",)
    if len(now):
        t.loc["most", "label"] = names(sorted(now.index[now.eq(now.max())]), 3)
        title = title[0] + "，最多的是{most.label}", *title
    return Told(t, f"{m.year}年前{m.month}个月的报表", title)


@finding()
def reminders(given: Given) -> Told:
    """One sentence a sender that has not sent all: what is owed, by which day."""
    base = reported(given)
    t = base.things
    t = t[t["standing_of"].ne(STATES["full"])]
    told = [
        f"{{{r.Index}.label}}：应于{{{r.Index}.until}}前报送本月报表，"
        + ("至今没有收到" if r.standing_of == STATES["late"] else f"已收到{{{r.Index}.came}}")
        + f"，还缺{{{r.Index}.lacking}}"
        + f"：{{{r.Index}.missing}}" * bool(r.missing)
        for r in t.itertuples()
    ]
    told = told or ["各单位都已报齐，没有需要催报的"]
    return Told(t, base.scope, "需要催报的单位", told, base=base)


@finding(**PROMISES)
def promises(given: Given) -> Told:
    """The ten groups' promises that are counted in stages or parks: reached, next, overdue, who is missing.

    Rows: `<target>|<item>` in the plan's order; `all` counts.
    """
    t, head, m = given.table("PROMISES"), list(given.catalog.headline()["id"]), given.period
    t = t[t["id"].isin(head) & t["stages"].gt(0)]
    # each named item has a row, the sum of them none
    named = t["id"].isin(t.loc[t["item"].ne(""), "id"])
    t = t[t["item"].ne("") | t["region"].isin(ZONES) & ~named]
    t = t.sort_values("id", key=lambda s: s.map(head.index), kind="stable")
    whole, scope = t["id"].map(given.catalog.name), f"{m.year}年{m.month}月末"
    last = [
        _when(r.stage_zh, r.date, r.evidence) or f"{r.reached}个园区完成" * bool(r.missing)
        for r in t.itertuples()
    ]
    rows = t[["region", "stages", "overdue_days"]].assign(
        label=t["item"].where(t["item"].ne(""), whole),
        indicator=t["id"],
        basis=t["item"],
        inputs="PROMISES/" + t["region"] + "." + t["id"],
        stages_done=t["reached"],
        named=whole.where(t["item"].ne(""), ""),
        last=last,
        next=[_when(r.next_zh, r.expected) for r in t.itertuples()],
        sign=t["colour"].map(SIGNS),
        promise_state=[r.colour_zh + _late(r) for r in t.itertuples()],
        who_misses=[_missing(r.missing, given) for r in t.itertuples()],
    )
    rows.index = t["id"] + "|" + t["item"].where(t["item"].ne(""), t["region"])
    if rows.empty:
        return Told(rows, scope, "没有节点在册")
    counts = dict(
        promised=len(t), kept=t["colour"].eq("done").sum(), overdue=t["overdue_days"].gt(0).sum()
    )
    inputs = ";".join(rows["inputs"])
    rows.loc["all", ["label", "inputs", *counts]] = "合计", inputs, *counts.values()
    said = [f"{{all.{c}}}{w}" for c, w in (("kept", "完成"), ("overdue", "逾期")) if counts[c]]
    title = "{all.promised}承诺" + ("中" + "，".join(said) if said else "都在推进")
    return Told(rows, scope, title, [title])


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
    told = "，".join(filter(None, ["" if pd.isna(month) else f"{month.month}月", evidence]))
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


SAME = "自上年年初以来园区没有进出，各期口径一致"
MOVES = 3  # indicators that show what a change of members does
MEMBERS = heads(None, as_published="公布口径", as_now="同口径") | heads(CELLS, members="现有园区")
MEMBERS |= heads(UP_PERCENT, as_published_growth="公布口径同比", as_now_growth="同口径同比")


@finding(**MEMBERS)
def membership(given: Given) -> Told:
    """Which parks came or went since January of the year before, and what that does to the totals to date.

    Rows: the flows whose growth differs most, as published and of today's parks in both years; `now` counts the parks.
    """
    catalog, m, t = given.catalog, given.period, given.table("TO_DATE")
    changed = _changed(given)
    scope = f"{catalog.zone.parts_zh}合计，{m.year}年1—{m.month}月累计"
    if not changed:
        return Told(pd.DataFrame(), scope, SAME, [SAME])
    parks, ids = list(catalog.members(m)), catalog.headline()["id"]
    t = t[
        t["months"].gt(0) & t["indicator"].isin([i for i in ids if catalog.indicators[i].additive])
    ]
    wide = t.pivot_table("value", ["indicator", "end"], "region").reindex(columns=["zone", *parks])
    same = wide[parks].sum(axis=1, skipna=False)
    sums = pd.DataFrame({"as_published": wide["zone"], "as_now": same}).reset_index("end")
    now, before = (sums[sums["end"].eq(x)].drop(columns="end") for x in (m, m - 12))
    rows = now.join((100 * (now / before - 1)).add_suffix("_growth"))
    gap = (rows["as_published_growth"] - rows["as_now_growth"]).abs()
    rows = rows.loc[gap[gap > 0].nlargest(MOVES).index]
    rows = rows.assign(label=rows.index.map(catalog.name), indicator=rows.index, region="zone")
    of = {i: ";".join(f"TO_DATE/{r}.{i}" for r in ("zone", *parks)) for i in rows.index}
    rows["inputs"] = pd.Series(of, dtype=object)
    rows["scale"] = [quantity.scale(v, catalog.unit(i)) for i, v in rows["as_published"].items()]
    told = [
        f"{{{i}.label}}累计：公布口径{{{i}.as_published}}，同比{{{i}.as_published_growth}}；"
        f"同口径（现有{{now.members}}园区）{{{i}.as_now}}，同比{{{i}.as_now_growth}}"
        for i in rows.index
    ]
    rows.loc["now", ["label", "inputs", "members"]] = (
        "、".join(changed),
        "TO_DATE/zone.",
        len(parks),
    )
    return Told(
        rows, scope, "{now.label}", ["成员有变动：{now.label}", *told], tuple(rows.index[:-1])
    )


def _changed(given: Given) -> list[str]:
    """牧野区2018年4月加入; one phrase for each park and month."""
    out, members, name = [], given.catalog.members, given.catalog.name
    for m in pd.period_range(f"{given.period.year - 1}-02", given.period, freq="M"):
        now, before = set(members(m)), set(members(m - 1))
        for p in (p for p in given.catalog.parks if p in now ^ before):
            out.append(f"{name(p)}{m.year}年{m.month}月{'加入' if p in now else '退出'}")
    return out
