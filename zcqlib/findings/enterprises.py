"""Findings on high-tech enterprises: the stock and what moved it, by park, by batch, and growth targets."""

import pandas as pd

from zcqlib import analysis
from zcqlib.findings.found import NAN, Given, Told, add_up, finding, inputs, printed, sum_up, top
from zcqlib.projection.pace import batch_pace
from zcqlib.tables import MissingData

STOCK, CERTIFIED, GROWS = "企业存量", "新认定", "增速"  # roles
FLOWS = {  # role → measure, sign
    CERTIFIED: ("recognised", 1),
    "迁入": ("moved_in", 1),
    "到期失效": ("lapsed", -1),
    "迁出": ("moved_out", -1),
}
STAGES = dict(zip(analysis.PIPELINE, ("申报", "评审", "公示", "认定"), strict=True))


def batches(given: Given) -> pd.DataFrame:
    """The batch calendar as known: `when` each batch was announced, or is expected where it is not `out`."""
    b = given.catalog.batches
    b = b.query("known_from <= @given.known and region in @given.catalog.parks")
    out = b.announced.dt.to_period("M").le(given.known)
    return b.assign(out=out, when=b.announced.where(out, b.expected))


def _flows(given: Given) -> dict[str, tuple[str, int]]:
    """Measure and sign of the flows that the catalog has, by indicator."""
    have = {i.role: i.id for i in given.catalog.indicators.values() if i.role}
    return {have[role]: how for role, how in FLOWS.items() if role in have}


@finding("""
    stock 家 : 月末存量
    by_batches 家 : 批次进度应达
    by_months 家 : 序时进度应达
    recognised +家 : 新认定
    moved_in +家 : 迁入
    lapsed +家 : 到期失效
    moved_out +家 : 迁出
    unexplained +家 : 未说明
    stock_net +家 : 较年初净增
    opening 家 : 年初
    stock_aim 家 : 目标
    stock_gap 家 : 距目标
    year_end 家 : 年末中位数
    year_end_low 家 : 区间下限
    year_end_high 家 : 区间上限
    batches_left 批 : 年底前待公布的认定批次
""")
def enterprise_stock(given: Given) -> Told:
    """The zone's stock month by month, what came and went, and what the target asks by batches and in equal steps.

    Rows: a month each (`stock` and flows with their sign, `by_batches`, `by_months` to December); `batch|n` its month; `all`: opening stock,
    flows, `unexplained` (closing less opening and flows), net change, target and gap, year end with 80 % interval, and
    how many recognitions are still to be announced this year.
    """
    stock, moves, year = given.role(STOCK), _flows(given), given.year
    s, name = given.table("SERIES", region="zone"), given.name(stock)
    if not s.indicator.eq(stock).any():
        raise MissingData(f"{name}还没有存量数")
    months = pd.period_range(f"{year}-01", periods=12, freq="M")
    t = pd.DataFrame(dict(at=months.month, period=months), [f"{m.month}月" for m in months])
    of = inputs("zone", stock, *moves)
    t = t.assign(label=t.index, indicator=stock, region="zone", inputs=of)
    own = s.query("months <= 1 and not revision").pivot_table("value", "end", "indicator")
    own = own.reindex(months).set_axis(t.index)
    for i, (c, sign) in {stock: ("stock", 1), **moves}.items():
        t[c] = sign * own[i] if i in own else NAN
    gains, losses = ([i for i, (_, sign) in moves.items() if sign == way] for way in (1, -1))
    span = f"{year}-01/{given.period}"
    identity = analysis.stock_identity(s, "zone", span, stock, gains, losses)
    opening, closing, gone = (identity[c] for c in ("opening", "closing", "difference"))
    p = given.row_of("PROJECTIONS", stock)
    aim = p.get("target_low", NAN)
    if aim == aim and opening == opening:
        due = batch_pace(aim, opening, given.catalog.batches, "zone", given.period, given.catalog)
        due = due.set_index(due["month"].map("{}月".format))
        t[["by_batches", "by_months"]] = due[["batch", "linear"]]
    calendar = batches(given).query("indicator in @gains and kind == 'pass' and year == @year")
    coming, gap = calendar.query("not out")["batch"].nunique(), max(aim - closing, 0.0)
    net = closing - opening
    row = dict(
        opening=opening,
        stock=closing,
        stock_net=net,
        stock_aim=aim,
        stock_gap=gap or NAN,
        unexplained=gone or NAN,
        batches_left=coming or NAN,
        year_end=p.get("median"),
        year_end_low=p.get("low"),
        year_end_high=p.get("high"),
        **{c: identity.get(i) or NAN for i, (c, _) in moves.items()},
    )
    of += ";" + inputs("zone", stock, table="PROJECTIONS TARGETS")
    sum_up(t, "all", "合计", of, **row)
    for r in calendar.drop_duplicates("batch").itertuples():
        label = f"第{r.batch}批{'' if r.out else '预计'}{r.when.month}月"
        at = label, float(r.when.month), "BATCHES/zone"
        t.loc[f"batch|{r.batch}", ["label", "at", "inputs"]] = at
    scope = f"{given.place}合计，{year}年"
    if net != net:
        words = f"{name}年初或期末存量未报"
        return Told(t, scope, words, [words], (stock, *moves))
    now = name + "{all.stock}"
    change = "[，较年初净{all.stock_net:增/减}{all.stock_net:size}/，与年初持平]"
    far = "[，距{all.stock_aim}目标差{all.stock_gap}/[，已达到{all.stock_aim}目标]]"
    far += "，取决于年底前{all.batches_left}认定" * bool(gap > 0 and coming)
    flows = {head: c for head, (c, _) in FLOWS.items() if row.get(c, NAN) == row.get(c)}
    moved = "、".join(f"{head}{{all.{c}}}" for head, c in flows.items())
    odd = "[期末与流入流出相差{all.unexplained}，待报送单位说明]"
    told = [
        now + change + far,
        f"年初{{all.opening}}，{moved}" * bool(moved),
        odd if gone == gone else "流入流出没有报齐，存量不能核对",
        "家数少，一个批次即可改变判断" * bool(closing < 100),
    ]
    titles = now + change + far, now + far, now + change
    return Told(t, scope, titles, told, (stock, *moves))


@finding("""
    firms_before 家 : 年初
    firms_now 家 : 现有
    firms_net +家 : 净增
    firms_points +个百分点.1 : 拉动
""")
def enterprises_by_park(given: Given) -> Told:
    """Each park's net change since December and its part in the growth of the total; points add up as printed."""
    now, stock = given.period, given.role(STOCK)
    s = given.table("SERIES", indicator=stock, months=0).pivot_table("value", "region", "end")
    s = s.reindex(given.catalog.parks, columns=[now - now.month, now])
    try:
        t = analysis.contributions(s.iloc[:, 0], s.iloc[:, 1])
    except analysis.AnalysisError as e:
        raise MissingData(f"没有园区同时有年初和期末的{given.name(stock)}数") from e
    named = dict(before="firms_before", after="firms_now", net="firms_net", points="firms_points")
    t = given.with_whole(t.rename(columns=named), stock, stock)
    t["firms_points"] = add_up(t, "firms_points", 1)
    who, rows = top(t.drop("all"), "firms_net", 0)
    first, title, told = rows.index[0], f"没有园区净增{given.name(stock)}", ""
    if rows.firms_net.iloc[0] > 0:
        title = f"对增长拉动最大的是{who}"
        told = f"，净增{{{first}.firms_net:size}}，拉动{{{first}.firms_points}}"
    out = given.left_out(t)
    told = title + told + f"（{out}未报，不计）" * bool(out)
    return Told(t, f"各园区与合计，{now.year}年1—{now.month}月", title, [told], (stock,))


@finding("""
    passed 家 : 通过
    filed 家 : 共
    still_due 家 : 今年还有到期
    pass_rate % : 通过率
    pass_low % : 80%区间下限
    pass_high % : 80%区间上限
""")
def enterprise_odds(given: Given) -> Told:
    """How many pass each stage from filing to certificate, and how many keep the status when it comes due (80 % Wilson).

    Rows: one a stage, `whole` from first to last, one a cohort that came due, `kept` all of these together.
    """
    b, rows, first_last = batches(given), {}, (analysis.PIPELINE[0], analysis.PIPELINE[-1])
    certified = given.role(CERTIFIED)
    done = b.query("out and indicator == @certified")
    done = done[["number", "reviewed", "publicised", "done"]].dropna()
    if len(done):
        counts = done.sum().set_axis(list(analysis.PIPELINE))
        for r in analysis.pipeline_odds(counts).itertuples():
            id = "whole" if (r.stage_from, r.stage_to) == first_last else r.stage_to
            label = f"{STAGES[r.stage_from]}到{STAGES[r.stage_to]}"
            rows[id] = label, r.reached, r.of, r.rate, r.low, r.high
    gone = [i for i, (c, _) in _flows(given).items() if c == "lapsed"]
    lapses = b.query(f"kind == 'lapse' and indicator in {gone}")
    due = lapses.query("out").groupby("year")[["number", "done"]].sum()
    kept = analysis.cohort_survival(due["number"].rename(lambda y: y - 3), due["done"])
    for r in kept.itertuples():
        still = r.recognised - r.lapsed
        rows[f"{r.due}"] = f"{r.due}年到期续证", still, r.recognised, r.kept, r.low, r.high
    if not rows:
        raise MissingData("认定批次的各环节没有记录")
    columns = ["label", "passed", "filed", "pass_rate", "pass_low", "pass_high"]
    t = pd.DataFrame(rows.values(), rows, columns)
    t = t.assign(indicator=certified, region="zone", basis=t.index)
    asked, still = kept.recognised.sum(), (kept.recognised - kept.lapsed).sum()
    rate = analysis.rate_interval(still, asked) if len(kept) else (NAN,) * 3
    coming = lapses.query("year == @given.year and not out")["number"].sum()
    both = "到期续证合计", still or NAN, asked or NAN, *rate, coming or NAN
    t.loc["kept", [*columns, "still_due"]] = both
    t["inputs"] = inputs("zone", certified, table="BATCHES")
    title = "[申报企业认定{whole.pass_rate}]" + "，" * ("whole" in t.index and len(kept) > 0)
    title += "到期企业续证{kept.pass_rate}" * bool(len(kept))
    told = ["[已公布各批申报{whole.filed}，认定{whole.passed}，通过率{whole.pass_rate}]"]
    told += ["[今年还有{kept.still_due}到期]"]
    years = b.query("out")["year"]
    scope = f"{given.place}合计，{years.min()}—{years.max()}年已公布各批"
    demo = bool(given.catalog.batches["demo"].any())
    about = dict(source=given.reckoned(source="认定批次参考表"), demo=demo)
    return Told(t, scope, title, told, about=about)


@finding("""
    reported +%.1 : 报告的增速（%）
    from_levels +%.1 : 按原来上年数算（%）
    on_restated +%.1 : 按改后上年数算（%）
    base_shift +%.1 : 上年基数改动（%）
    base_effect +个百分点.1 : 增速因此相差
""")
def growth_base(given: Given) -> Told:
    """Growth of high-tech value added as reported, on last year's figure as first stated, and on it as restated."""
    i = given.catalog.indicators[given.role(GROWS)].growth_of
    g = given.table("GROWTH", indicator=i, basis="ytd").dropna(subset="reported")
    g = g.query("end == end.max() and end.dt.year == @given.year").set_index("region")
    t, what = given.by_region(i, table="GROWTH"), given.name(i)
    t = t[t.index.isin(g.index)]
    if t.empty:
        raise MissingData(f"{given.period.month}月还没有{what}的增速")
    same = dict(reported="reported", from_levels="from_levels", on_restated="on_restated_base")
    t = t.assign(**{c: g[of] for c, of in same.items()})
    shift = 100 * (g.restated_base / g.base - 1)
    t["base_shift"] = shift.where(shift.abs().gt(0.05))
    effect = t.on_restated.round(1) - t.from_levels.round(1)
    t["base_effect"] = effect.where(t.base_shift.notna()).round(1)
    changed = t.drop(index="zone", errors="ignore").dropna(subset="base_shift")
    title = f"各园区{what}上年基数没有改动"
    if len(changed):
        worst = changed.base_shift.abs().idxmax()
        shift, effect = f"{worst}.base_shift", f"{worst}.base_effect"
        title = f"{{{worst}.label}}{{{shift}:上/下}}调上年基数{{{shift}:size}}"
        title = f"{title}[，增速因此{{{effect}:高/低}}{{{effect}:size}}]", title
    scope = f"各园区与合计，{given.year}年1—{g.end.iloc[0].month}月累计"
    return Told(t, scope, title, of=(i,))


@finding("""
    growth_so_far %.1 growth_aim : 至今增速（%）
    growth_needed %.1 growth_aim : 余下月份所需（%）
    growth_year %.1 growth_aim : 全年预计（%）
    growth_aim %.1 : 目标
""")
def growth_needed(given: Given) -> Told:
    """Growth of high-tech value added so far, what the months left must grow by for the target, and the year ahead."""
    i = given.role(GROWS)
    t, what = given.by_region(i, table="PROJECTIONS"), given.name(i)
    named = dict(actual="growth_so_far", needed_per_month="growth_needed", median="growth_year")
    named |= dict(target_low="growth_aim")
    p = given.table("PROJECTIONS", indicator=i).set_index("region")
    p = p[list(named)].rename(columns=named)
    t = t.join(p).dropna(subset=["growth_so_far", "growth_aim"])
    if "zone" not in t.index:
        raise MissingData(f"{given.period.month}月还没有{what}")
    t["inputs"] += [";" + inputs(r, i, table="TARGETS") for r in t.index]
    title, z = f"{what}至今{{zone.growth_so_far}}", printed(t.loc["zone", list(p)], 1)
    if z["growth_needed"] == z["growth_needed"]:
        word = "才能" if z["growth_needed"] > z["growth_so_far"] else "即可"
        title = f"余下月份增长{{zone.growth_needed}}，{word}完成{{zone.growth_aim}}的目标"
    of = i, given.catalog.indicators[i].growth_of
    return Told(t, f"各园区与合计，{given.year}年", title, of=of)
