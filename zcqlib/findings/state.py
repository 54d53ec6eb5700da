"""Findings on the month: who reported what, what has to be asked for, how far the named promises are."""

import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import NAN, Given, Told, finding, inputs, names, sum_up, ties, up_to
from zcqlib.findings.targets import ZONES

STATES = {"full": "已报", "part": "部分", "late": "未报"}
KINDS = {"figures": "observation", "heads": "label", "notes": "context", "faulty": "problem"}
SIGNS = {"done": "✓", "green": "●", "yellow": "▲", "red": "■", "none": "◇"}
MOST = 12  # kinds of faults in a table
WORDS = """
    source_disagrees 园区与部门数字不一致
    stage_disagrees 节点与报表不一致
    cum_mismatch 当月与累计对不上
    cell_error 公式出错
    withdrawn 原报数字被留空
    yoy_mismatch 同比与数值不符
    total_mismatch 合计与分项不符
    conflict 同期两个数
    context_conflict 表名与表题不一致
    ytd_decrease 累计数下降
    outlier 异常值
    unit_suspect 单位可疑
    hidden_sheet 隐藏工作表
    orphan_cell 没有名称的数字
    unknown_sender 不明报送单位
    total_unchecked 合计无法核对
    not_a_number 不是数字
    park_unknown 园区名称不明
    new_indicator 新的指标名称
    unit_conflict 单位不一致
    no_indicator 没有指标名称
    corrupt 文件损坏
    encrypted 文件加密
    unsupported 文件类型不支持
    too_large 文件过大
    no_table 没有表格
    mojibake 文字乱码
    bad_bytes 文字编码混乱
    not_a_report 不是报表
    no_file 没有这个文件
    misplaced 放错位置
    held 数值可疑暂不采用
    bound 只写了范围
    formula_without_value 公式没有结果
    fraction_suspect 百分数像小数
    rate_is_amount 增减是数额
    future_period 期间晚于报告月份
    template_zeros 未填的模板
    merged_value 数字合并在几格
    context_conflict 表名与表题期间不一致
    row_too_long 一行多出几栏
    no_period 没有写期间
    no_month 没有写月份
    no_year 没有写年份
    period_ambiguous 期间看不明
    period_unsupported 期间不支持
    no_unit 没有写单位
    unit_unknown 单位不认得
    park_ambiguous 园区名称不全
    shown_differs 显示与所存不同
    sign_unclear 正负不明
    word_in_number 文字当数字
    table_unread 表没有读懂
    two_values 一项两个数
    ytd_falls 累计数小于上期
    ledger_seal 台账校验页
    ledger_row 台账编号
    ledger_locked 台账锁定列被改
    ledger_stage 台账节点阶段
    ledger_date 台账达到日期
"""
FAULT_NAMES = dict(line.split() for line in WORDS.strip().splitlines())


def _senders(c: pd.DataFrame, **more) -> pd.DataFrame:
    """Rows of COMPLETENESS as rows of a finding."""
    named = dict(name="label", sender="region", state="standing_of")
    of = dict(indicator="reports", inputs="COMPLETENESS/" + c.sender + ".")
    return c.drop(columns="files").rename(columns=named).assign(**of, **more)


@finding("""
    owed 项 : 应报
    came 项 : 收到
    lacking 项 : 还缺
    came_pct %.1 : 完整度
    senders 家 : 应报单位
    full 家 : 报齐
    part 家 : 缺项
    late 家 : 未报
    returned 家 : 退回单
    errors 处 : 错误
    warnings 处 : 提醒
    files 个文件 : 文件
    replied 条 : 回复
    observed 条 : 观测
    unclear 条 : 未能识别
    cells 个 : 非空单元格
    figures 个 : 数据
    heads 个 : 表头
    notes 个 : 说明
    faulty 个 : 有问题
    until text : 应报日期
    standing_of text : 状态
    missing text : 缺报内容
""")
def reported(given: Given) -> Told:
    """Who owes the month's report and what came; what was read and asked back. Rows: senders, those who owe first."""
    m, seen, cells = given.period, given.table("OBSERVATIONS"), given.table("CELLS")
    problems, replies = (given.table(t, published=m) for t in ("PROBLEMS", "REPLIES"))
    t, rank = given.table("COMPLETENESS", month=m), list(STATES.values())[::-1].index
    t = t.assign(rank=t.state.map(rank)).sort_values(["rank", "due", "sender"], kind="stable")
    until = [f"{d.year}年{d.month}月{d.day}日" for d in pd.to_datetime(t.due)]
    t = _senders(t, lacking=t.owed - t.came, until=until).set_index("region", drop=False)
    owed, came = t[["owed", "came"]].sum()
    asked = problems.query("severity != 'info' and sender != ''")
    counts = dict(owed=owed, came=came, came_pct=100 * came / owed if owed else NAN, senders=len(t))
    counts |= dict(returned=asked.sender.nunique(), replied=len(replies), cells=len(cells))
    counts |= dict(files=cells.file.nunique(), observed=len(seen))
    counts |= dict(unclear=(seen.region.eq("") | seen.indicator.eq("")).sum())
    severe = {"errors": "error", "warnings": "warning"}
    told = (severe, problems.severity), (STATES, t.standing_of), (KINDS, cells.outcome)
    counts |= {c: of.eq(word).sum() for words, of in told for c, word in words.items()}
    for c, w in STATES.items():
        t.loc[c, "label"] = names(t.label[t.standing_of.eq(w)])
    sum_up(t, "all", f"{m.month}月", "COMPLETENESS/;PROBLEMS/;CELLS/", **counts)
    title = "应报{all.senders}"
    title += (
        "，全部报齐" if counts["full"] == len(until) else "[，{all.late}未报][，{all.part}缺项]"
    )
    faults = "需核对[{all.errors}错误（数字没有采用）[、{all.warnings}提醒]/{all.warnings}提醒]"
    sent = "[；已向{all.returned}生成退回单，[收到回复{all.replied}/尚无回复]]"
    told = [
        "{all.label}应报{all.owed}指标，收到{all.came}[，完整度{all.came_pct}]；{all.senders}中"
        "[{all.full}报齐/没有报齐的][，缺项的有{part.label}][，未报的有{late.label}]",
        "本月报表" + (faults + sent if counts["errors"] + counts["warnings"] else "没有发现问题"),
        "全部来件共{all.files}、{all.cells}非空单元格，每格都有去处：数据{all.figures}，表头{all.heads}，"
        "说明{all.notes}，有问题{all.faulty}",
        "得到观测{all.observed}[，其中{all.unclear}的园区或指标未能识别，保留原文待确认]",
        "[请{late.label}尽快补报]",
    ]
    return Told(t, f"{m.year}年{m.month}月", title, told)


@finding("""
    sent 项 : 收到
    owing 项 : 应报
    sent_pct %.1 : 完整度
    sent_told text sent owing : 收到/应报
""")
def completeness(given: Given) -> Told:
    """What came of the indicators owed, by sender and month of the year; `at` the month. Rows: `<sender>|<month>`."""
    base, c = reported(given), given.table("COMPLETENESS")
    late, told = STATES["late"], c.came.astype(str) + "/" + c.owed.astype(str)
    at, basis = [f"{m.month}月" for m in c.month], c.month.astype(str)
    t = _senders(c, at=at, basis=basis, sent=c.came, owing=c.owed, sent_pct=100 * c.came / c.owed)
    t = t.assign(sent_told=told.where(c.state.ne(late), late)).set_axis(c.sender + "|" + basis)
    t = t.drop(columns=["owed", "came", "missing", "standing_of"])
    t = pd.concat([t, base.rows.loc[["all", "late", "part"]]])
    title = (
        "{all.label}应报{all.owed}，收到{all.came}[，未报的是{late.label}][，缺项的是{part.label}]"
    )
    return Told(t, base.scope, title, base=base)


@finding("""
    faults . : 需核对
    doubts 处 : 需核对
""")
def problems(given: Given, sender: str = "") -> Told:
    """Errors and warnings of the year's reports of all senders or one by kind and month; `at` the month.

    Rows: `<kind>|<month>`, the kinds with most faults first; `now` counts the month's, `most` names the most frequent.
    """
    p, m = given.table("PROBLEMS"), given.period
    p = p.query("published.dt.year == @m.year and published <= @m and severity != 'info'")
    p = p.query("sender == @sender") if sender else p
    label = p.code.map(FAULT_NAMES).fillna(p.code)
    p = p.assign(label=label, basis=p.published.astype(str))
    now, whole = p.query("published == @m")["label"].value_counts(), p.code.value_counts()
    t = p.groupby(["code", "label", "basis"]).size().rename("faults").reset_index()
    t = t.loc[t.code.map(whole).sort_values(ascending=False, kind="stable").index]
    t = t[t.code.isin(t.code.unique()[:MOST])]
    at = [f"{int(b[-2:])}月" for b in t.basis]
    t = t.assign(indicator=t.code, region=sender, inputs="PROBLEMS/", at=at)
    t = t.set_axis(t.code + "|" + t.basis)
    who = given.name(sender) if sender in given.catalog.regions else ""
    sum_up(t, "now", f"{who}{m.month}月报表", "PROBLEMS/", doubts=now.sum())
    t.loc["most", "label"] = names(sorted(ties(now, 0)), 3)
    title = "{now.label}需核对{now.doubts}[，最多的是{most.label}]"
    return Told(t, f"{m.year}年前{m.month}个月的报表", title)


@finding()
def reminders(given: Given) -> Told:
    """One sentence a sender that has not sent all: what is owed, by which day."""
    base = reported(given)
    t = base.things
    t = t.query("standing_of != @STATES['full']")
    told = [
        f"{{{i}.label}}：应于{{{i}.until}}前报送本月报表，"
        + ("至今没有收到" if state == STATES["late"] else f"已收到{{{i}.came}}")
        + f"，还缺{{{i}.lacking}}[：{{{i}.missing}}]"
        for i, state in t.standing_of.items()
    ]
    told = told or ["各单位都已报齐，没有需要催报的"]
    return Told(t, base.scope, "需要催报的单位", told, base=base)


@finding("""
    stages 个 : 阶段数
    stages_done 个 : 已到
    overdue_days 天 : 逾期
    promised 项 : 承诺
    kept 项 : 完成
    overdue 项 : 逾期
    last text : 最近到达
    next text : 下一步
    sign text : 灯
    promise_state text overdue_days : 状态
    who_misses text : 还缺
""")
def promises(given: Given) -> Told:
    """The ten groups' promises that are counted in stages or parks: reached, next, overdue, who is missing.

    Rows: `<target>|<item>` in the plan's order; `all` counts.
    """
    head, m = list(given.catalog.headline()["id"]), given.period
    t = given.table("PROMISES", id=head).query("stages > 0")
    # each named item has a row, the sum of them none
    named = list(t.query("item != ''")["id"])
    t = t.query(f"item != '' or region in {ZONES} and id not in {named}")
    t = t.sort_values("id", key=lambda s: s.map(head.index), kind="stable")
    scope, item, each = f"{m.year}年{m.month}月末", t["item"].ne(""), list(t.itertuples())
    t = t.assign(
        label=t["item"].where(item, t.id.map(given.name)),
        inputs="PROMISES/" + t.region + "." + t.id,
        sign=t.colour.map(SIGNS),
        next=[_when(r.next_zh, r.expected) for r in each],
        last=[
            _when(r.stage_zh, r.date, r.evidence) or f"{r.reached}个园区完成" * bool(r.missing)
            for r in each
        ],
        promise_state=[r.colour_zh + _late(r) for r in each],
        who_misses=[_missing(r.missing, given) for r in each],
    )
    if t.empty:
        return Told(t, scope, "没有节点在册")
    rows = t.set_axis(t.id + "|" + t["item"].where(item, t.region))
    rows = rows.rename(columns=dict(id="indicator", item="basis", reached="stages_done"))
    counts = dict(kept=t.colour.eq("done").sum(), overdue=t.overdue_days.gt(0).sum())
    sum_up(rows, "all", "合计", promised=len(t), **counts)
    return Told(rows, scope, "{all.promised}承诺[，{all.kept}完成][，{all.overdue}逾期]")


def _late(r) -> str:
    """How many days are gone, or left where it is due soon."""
    days = f"{abs(r.overdue_days):.0f}天"
    soon = f"，还有{days}" if r.overdue_days < 0 else "，本月到期"
    return days if r.overdue_days > 0 else soon * (r.colour == "yellow")


def _missing(missing: str, given: Given) -> str:
    """Who is missing; of four and more, who is not."""
    who = missing.split("、")
    if len(who) < 4:
        return missing
    have = [p for p in map(given.name, given.catalog.members(given.period)) if p not in who]
    return f"除{'、'.join(have)}外各园区" if have else "全部园区"


def _when(stage: str, month: pd.Period, evidence: str = "") -> str:
    """A stage with its month and the document that shows it."""
    month = "" if pd.isna(month) else f"{month.month}月"
    told = "，".join(filter(None, [month, evidence]))
    return f"{stage}（{told}）" if stage and told else stage


SAME = "自上年年初以来园区没有进出，各期口径一致"
MOVES = 3  # indicators that show what a change of members does


@finding("""
    as_published : 公布口径
    as_now : 同口径
    members 个 : 现有园区
    as_published_growth +%.1 : 公布口径同比
    as_now_growth +%.1 : 同口径同比
""")
def membership(given: Given) -> Told:
    """Which parks came or went since January of the year before, and what that does to the totals to date.

    Rows: the flows whose growth differs most, as published and of today's parks in both years; `now` counts the parks.
    """
    catalog, m = given.catalog, given.period
    inside = {x: catalog.members(x) for x in pd.period_range(f"{m.year - 1}-01", m, freq="M")}
    changed = [
        f"{given.name(p)}{x.year}年{x.month}月{'加入' if p in now else '退出'}"
        for x, now in list(inside.items())[1:]
        for p in sorted({*now} ^ {*inside[x - 1]})
    ]
    scope = f"{given.place}合计，{m.year}年{up_to(m.month)}累计"
    if not changed:
        return Told(pd.DataFrame(), scope, SAME)
    parks, ids = list(inside[m]), catalog.headline()["id"]
    ids = [i for i in ids if catalog.indicators[i].additive]
    t = given.table("TO_DATE", indicator=ids).query("months > 0")
    wide = t.pivot_table("value", ["indicator", "end"], "region").reindex(columns=["zone", *parks])
    sums = wide[["zone"]].set_axis(["as_published"], axis=1)
    sums["as_now"] = wide[parks].sum(axis=1, skipna=False)
    now, before = (sums.query("end == @x").droplevel("end") for x in (m, m - 12))
    rows = now.join((100 * (now / before - 1)).add_suffix("_growth"))
    gap = (rows.as_published_growth - rows.as_now_growth).abs()
    rows = rows.loc[gap[gap > 0].nlargest(MOVES).index]
    rows = rows.assign(label=rows.index.map(given.name), indicator=rows.index, region="zone")
    of = [";".join(inputs(r, i, table="TO_DATE") for r in wide) for i in rows.index]
    rows["inputs"] = pd.Series(of, rows.index, dtype=object)
    rows["scale"] = [quantity.scale(v, catalog.unit(i)) for i, v in rows.as_published.items()]
    told = [
        f"{{{i}.label}}累计：公布口径{{{i}.as_published}}，同比{{{i}.as_published_growth}}；"
        f"同口径（现有{{now.members}}园区）{{{i}.as_now}}，同比{{{i}.as_now_growth}}"
        for i in rows.index
    ]
    of = tuple(rows.index)
    sum_up(rows, "now", "、".join(changed), "TO_DATE/zone.", members=len(parks))
    return Told(rows, scope, "{now.label}", ["成员有变动：{now.label}", *told], of)
