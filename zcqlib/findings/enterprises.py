"""Findings on high-tech enterprises: the stock and what moved it, by park, by batch, and growth targets."""

from itertools import pairwise

import pandas as pd

from zcqlib import analysis
from zcqlib.findings.found import (
    NAN,
    Given,
    Told,
    add_up,
    finding,
    inputs,
    printed,
    sum_up,
    top,
    up_to,
)
from zcqlib.projection.pace import batch_pace
from zcqlib.tables import MissingData

STOCK, CERTIFIED, GROWS = "企业存量", "新认定", "增速"  # roles
FLOWS = dict(新认定="recognised", 迁入="moved_in", 到期失效="lapsed", 迁出="moved_out")
LOST = ("lapsed", "moved_out")
STAGES = dict(filed="申报", reviewed="评审", publicised="公示", certified="认定")


def batches(given: Given) -> pd.DataFrame:
    """The batch calendar as known: `when` each batch was announced, or is expected where it is not `out`."""
    b = given.catalog.batches
    b = b.query("known_from <= @given.known and region in @given.catalog.parks")
    out = b.announced.dt.to_period("M").le(given.known)
    return b.assign(out=out, when=b.announced.where(out, b.expected))


def _flows(given: Given) -> dict[str, str]:
    """The measures of the flows that the catalog has, by indicator."""
    roles = {i.id: i.role for i in given.catalog.indicators.values()}
    return {i: FLOWS[role] for i, role in roles.items() if role in FLOWS}


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
    signs = {i: -1 if c in LOST else 1 for i, c in moves.items()}
    t = s.query("months <= 1 and not revision").pivot_table("value", "end", "indicator")
    t = t.reindex(months, columns=[stock, *moves]).mul(pd.Series({stock: 1} | signs))
    t = t.rename(columns={stock: "stock"} | moves).assign(at=months.month, period=months)
    of = inputs("zone", stock, *moves)
    label = [f"{m.month}月" for m in months]
    t = t.assign(label=label, indicator=stock, region="zone", inputs=of).set_axis(label)
    identity = analysis.stock_identity(s, "zone", f"{year}-01/{given.period}", stock, signs)
    opening, closing, gone = identity[["opening", "closing", "difference"]]
    p = given.table("PROJECTIONS", region="zone", indicator=stock)
    p = p[["target_low", "median", "low", "high"]]
    (aim, *year_end), net = p.iloc[-1] if len(p) else [NAN] * 4, closing - opening
    if aim == aim and opening == opening:
        due = batch_pace(aim, opening, given.catalog.batches, "zone", given.period, given.catalog)
        due = due.set_index(due["month"].map("{}月".format))
        t[["by_batches", "by_months"]] = due[["batch", "linear"]]
    calendar = batches(given).query("indicator in @moves and kind == 'pass' and year == @year")
    coming, gap = calendar.query("not out")["batch"].nunique(), max(aim - closing, 0.0)
    counts = identity.rename(moves | {"difference": "unexplained"}).replace(0, NAN).to_dict()
    counts |= dict(opening=opening, stock=closing, stock_net=net, stock_aim=aim, stock_gap=gap)
    counts |= zip(("year_end", "year_end_low", "year_end_high"), year_end, strict=True)
    counts |= dict(batches_left=coming)
    of += ";" + inputs("zone", stock, table="PROJECTIONS TARGETS")
    sum_up(t, "all", "合计", of, **counts)
    for r in calendar.drop_duplicates("batch").itertuples():
        label = f"第{r.batch}批{'' if r.out else '预计'}{r.when.month}月"
        at = label, float(r.when.month), "BATCHES/zone"
        t.loc[f"batch|{r.batch}", ["label", "at", "inputs"]] = at
    scope, of = f"{given.place}合计，{year}年", (stock, *moves)
    if net != net:
        return Told(t, scope, f"{name}年初或期末存量未报", of=of)
    now = name + "{all.stock}"
    change = "[，较年初净{all.stock_net:增/减}{all.stock_net:size}/，与年初持平]"
    far = "[，距{all.stock_aim}目标差{all.stock_gap}/[，已达到{all.stock_aim}目标]]"
    far += "[，取决于年底前{all.batches_left}认定]" * bool(gap)
    flows = "".join(f"[、{head}{{all.{c}}}]" for head, c in FLOWS.items())
    told = [
        now + change + far,
        ("年初{all.opening}" + flows) * bool(identity.filter(items=moves).any()),
        "[期末与流入流出相差{all.unexplained}，待报送单位说明]",
        "流入流出没有报齐，存量不能核对" * bool(gone != gone),
        "家数少，一个批次即可改变判断" * bool(closing < 100),
    ]
    return Told(t, scope, now + far, told, of)


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
    t = s.reindex(given.catalog.parks, columns=[now - now.month, now]).dropna()
    if t.empty:
        raise MissingData(f"没有园区同时有年初和期末的{given.name(stock)}数")
    t = t.set_axis(["firms_before", "firms_now"], axis=1)
    t.loc["all"] = t.sum()
    t["firms_net"] = t.firms_now - t.firms_before
    t["firms_points"] = 100 * t.firms_net / t.firms_before["all"]
    t = given.with_whole(t, stock, stock)
    t["firms_points"] = add_up(t, "firms_points", 1)
    who, rows = top(t.drop("all"), "firms_net", 0)
    first, told, title = rows.index[0], "", f"没有园区净增{given.name(stock)}"
    if rows.firms_net.iloc[0] > 0:
        title = f"对增长拉动最大的是{who}"
        told = f"，净增{{{first}.firms_net:size}}，拉动{{{first}.firms_points}}"
    told = title + told + given.left_out(t, "（{}未报，不计）")
    return Told(t, f"各园区与合计，{now.year}年{up_to(now.month)}", title, [told], (stock,))


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
    b, certified = batches(given), given.role(CERTIFIED)
    out, lapsing = b.query("out"), [i for i, c in _flows(given).items() if c == "lapsed"]
    steps = ["number", "reviewed", "publicised", "done"]
    came = out.query("indicator == @certified")[steps].dropna().sum().set_axis(list(STAGES))
    pairs = [*pairwise(STAGES), ("filed", "certified")]
    rows = [(to, f"{STAGES[at]}到{STAGES[to]}", came[to], came[at]) for at, to in pairs]
    rows[-1] = ("whole", *rows[-1][1:])
    lapses = b.query(f"kind == 'lapse' and indicator in {lapsing}")
    due = lapses.query("out").groupby("year")[["number", "done"]].sum()
    rows += [(f"{y}", f"{y}年到期续证", n - gone, n) for y, n, gone in due.itertuples()]
    t = pd.DataFrame(rows, columns=["basis", "label", "passed", "filed"]).query("filed > 0")
    if t.empty:
        raise MissingData("认定批次的各环节没有记录")
    t = t.assign(indicator=certified, region="zone").set_index("basis", drop=False)
    coming = lapses.query("year == @given.year and not out")["number"].sum()
    asked, gone = due.sum()
    kept = "到期续证合计", asked - gone, asked, coming or NAN
    t.loc["kept", ["label", "passed", "filed", "still_due"]] = kept
    t = t.join(analysis.rates(t.passed, t.filed).add_prefix("pass_"))
    t["inputs"] = inputs("zone", certified, table="BATCHES")
    kept = "到期企业续证{kept.pass_rate}"
    title = f"[申报企业认定{{whole.pass_rate}}[，{kept}]/{kept}]"
    told = "[已公布各批申报{whole.filed}，认定{whole.passed}，通过率{whole.pass_rate}]"
    scope = f"{given.place}合计，{out.year.min()}—{out.year.max()}年已公布各批"
    demo = bool(given.catalog.batches["demo"].any())
    about = dict(source=given.reckoned(source="认定批次参考表"), demo=demo)
    return Told(t, scope, title, [told, "[今年还有{kept.still_due}到期]"], about=about)


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
    named, what = dict(on_restated_base="on_restated"), given.name(i)
    t = given.by_region(i, table="GROWTH")
    t = t.join(g[["reported", "from_levels", *named]].rename(columns=named), how="inner")
    if t.empty:
        raise MissingData(f"{given.period.month}月还没有{what}的增速")
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
        title += f"[，增速因此{{{effect}:高/低}}{{{effect}:size}}]"
    scope = f"各园区与合计，{given.year}年{up_to(g.end.iloc[0].month)}累计"
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
    t, what = given.by_region(i, table="PROJECTIONS TARGETS"), given.name(i)
    named = dict(actual="growth_so_far", needed_per_month="growth_needed", median="growth_year")
    named |= dict(target_low="growth_aim")
    p = given.table("PROJECTIONS", indicator=i).set_index("region")
    t = t.join(p[list(named)].rename(columns=named)).dropna(subset=["growth_so_far", "growth_aim"])
    if "zone" not in t.index:
        raise MissingData(f"{given.period.month}月还没有{what}")
    so_far, needed = printed(t.loc["zone", ["growth_so_far", "growth_needed"]], 1)
    done = f"{'才能' if needed > so_far else '即可'}完成{{zone.growth_aim}}的目标"
    title = f"[余下月份增长{{zone.growth_needed}}，{done}/{what}至今{{zone.growth_so_far}}]"
    of = i, given.catalog.indicators[i].growth_of
    return Told(t, f"各园区与合计，{given.year}年", title, of=of)
