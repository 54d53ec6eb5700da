"""Findings on high-tech enterprises: the stock and what moved it, by park, by batch, and growth targets."""

from __future__ import annotations

import pandas as pd

from zcqlib import analysis, quantity
from zcqlib.findings import regional
from zcqlib.findings.found import NAN, PERCENT, WHOLE, Given, Told, finding, heads
from zcqlib.findings.regional import FIRMS, UP_FIRMS, UP_PERCENT, inputs
from zcqlib.projection.pace import batch_pace
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

STOCK, CERTIFIED, GROWS = "企业存量", "新认定", "增速"  # roles
FLOWS = {  # role → measure, sign
    CERTIFIED: ("recognised", 1),
    "迁入": ("moved_in", 1),
    "到期失效": ("lapsed", -1),
    "迁出": ("moved_out", -1),
}
LEVEL = heads(FIRMS, stock="月末存量", by_batches="批次进度应达", by_months="序时进度应达")
LEVEL |= heads(UP_FIRMS, **{c: head for head, (c, _) in FLOWS.items()}, unexplained="未说明")
LEVEL |= heads(UP_FIRMS, stock_net="较年初净增")
LEVEL |= heads(FIRMS, opening="年初", stock_aim="目标", stock_gap="距目标", year_end="年末中位数")
LEVEL |= heads(FIRMS, year_end_low="区间下限", year_end_high="区间上限")
LEVEL |= heads(Scale("批"), batches_left="年底前待公布的认定批次")
PARKS = heads(FIRMS, firms_before="年初", firms_now="现有") | heads(UP_FIRMS, firms_net="净增")
PARKS |= heads(regional.POINTS, firms_points="拉动")
ODDS = heads(FIRMS, passed="通过", filed="共", still_due="今年还有到期")
ODDS |= heads(WHOLE, pass_rate="通过率", pass_low="80%区间下限", pass_high="80%区间上限")
BASE = heads(UP_PERCENT, reported="报告的增速（%）", from_levels="按原来上年数算（%）")
BASE |= heads(UP_PERCENT, on_restated="按改后上年数算（%）", base_shift="上年基数改动（%）")
BASE |= heads(regional.POINTS, base_effect="增速因此相差")
GROWTH = dict(
    growth_so_far="至今增速（%）", growth_needed="余下月份所需（%）", growth_year="全年预计（%）"
)
GROWTH = heads(PERCENT, "growth_aim", **GROWTH) | heads(PERCENT, growth_aim="目标")
STAGES = dict(zip(analysis.PIPELINE, ("申报", "评审", "公示", "认定"), strict=True))


def batches(given: Given) -> pd.DataFrame:
    """The batch calendar as known: `when` each batch was announced, or is expected where it is not `out`."""
    b = given.catalog.batches
    b = b[b["known_from"].le(given.known) & b["region"].isin(given.catalog.parks)]
    out = b["announced"].dt.to_period("M").le(given.known)
    return b.assign(out=out, when=b["announced"].where(out, b["expected"]))


def _flows(given: Given) -> dict[str, tuple[str, int]]:
    """Measure and sign of the flows that the catalog has, by indicator."""
    have = {i.role: i.id for i in given.catalog.indicators.values() if i.role}
    return {have[role]: how for role, how in FLOWS.items() if role in have}


@finding(**LEVEL)
def enterprise_stock(given: Given) -> Told:
    """The zone's stock month by month, what came and went, and what the target asks by batches and in equal steps.

    Rows: a month each (`stock` and flows with their sign, `by_batches`, `by_months` to December); `batch|n` its month; `all`: opening stock,
    flows, `unexplained` (closing less opening and flows), net change, target and gap, year end with 80 % interval, and
    how many recognitions are still to be announced this year.
    """
    s, year, place = given.table("SERIES"), given.period.year, given.catalog.zone.parts_zh
    s, stock, moves = s[s["region"].eq("zone")], given.catalog.role(STOCK), _flows(given)
    if not s["indicator"].eq(stock).any():
        raise MissingData(f"{given.catalog.name(stock)}还没有存量数")
    months = pd.period_range(f"{year}-01", periods=12, freq="M")
    t = pd.DataFrame(dict(at=months.month, period=months), [f"{m.month}月" for m in months])
    of = inputs("zone", stock, *moves)
    t = t.assign(label=t.index, indicator=stock, region="zone", inputs=of)
    own = s[s["end"].dt.year.eq(year) & s["end"].le(given.period)]
    own = own.assign(row=[f"{e.month}月" for e in own["end"]])
    level, single = own[own["months"].eq(0)], own[own["months"].eq(1) & ~own["revision"]]
    t["stock"] = level[level["indicator"].eq(stock)].set_index("row")["value"]
    for i, (c, sign) in moves.items():
        t[c] = sign * single[single["indicator"].eq(i)].set_index("row")["value"]
    gains, losses = ([i for i, (_, sign) in moves.items() if sign == way] for way in (1, -1))
    span = f"{year}-01/{given.period}"
    identity = analysis.stock_identity(s, "zone", span, stock, gains, losses)
    opening, closing = identity["opening"], identity["closing"]
    p = regional.projected(given, stock)
    aim = p.get("target_low", NAN)
    if aim == aim and opening == opening:
        due = batch_pace(aim, opening, given.catalog.batches, "zone", given.period, given.catalog)
        t[["by_batches", "by_months"]] = due.set_index(due["month"].map("{}月".format))[
            ["batch", "linear"]
        ]
    calendar = batches(given).query("indicator in @gains and kind == 'pass' and year == @year")
    coming, gap = calendar.loc[~calendar["out"], "batch"].nunique(), max(aim - closing, 0.0)
    of += "".join(";" + inputs("zone", stock, table=n) for n in ("PROJECTIONS", "TARGETS"))
    row = dict(label="合计", inputs=of, opening=opening, stock=closing, stock_net=closing - opening)
    row |= dict.fromkeys((c for c, _ in FLOWS.values()), NAN)
    row |= {c: identity.get(i) or NAN for i, (c, _) in moves.items()}
    row |= dict(unexplained=identity["difference"] or NAN, stock_aim=aim, stock_gap=gap or NAN)
    row |= dict(batches_left=coming or NAN, year_end=p.get("median", NAN))
    row |= {f"year_end_{c}": p.get(c, NAN) for c in ("low", "high")}
    t.loc["all", list(row)] = row
    for r in calendar.drop_duplicates("batch").itertuples():
        label = f"第{r.batch}批{'' if r.out else '预计'}{r.when.month}月"
        at = label, float(r.when.month), "BATCHES/zone"
        t.loc[f"batch|{r.batch}", ["label", "at", "inputs"]] = at
    told = _stock_told(given.catalog.name(stock), row, identity["difference"])
    return Told(t, f"{place}合计，{year}年", *told, of=(stock, *moves))


def _stock_told(name: str, row: dict, gone: float) -> tuple[tuple[str, ...], list[str]]:
    """Title versions and sentences; `gone` is what the flows do not explain, NaN where they are not known."""
    net, gap, aim, closing = (row[c] for c in ("stock_net", "stock_gap", "stock_aim", "stock"))
    if net != net:
        words = f"{name}年初或期末存量未报"
        return (words,), [words]
    change = (
        f"，较年初净{'增' if net > 0 else '减'}{{all.stock_net:size}}" if net else "，与年初持平"
    )
    now = f"{name}{{all.stock}}{change}"
    far = "，距{all.stock_aim}目标差{all.stock_gap}" if gap > 0 else ""
    far = "，已达到{all.stock_aim}目标" if aim == aim and not far else far
    depends = "，取决于年底前{all.batches_left}认定" if gap > 0 and row["batches_left"] > 0 else ""
    moved = [f"{head}{{all.{c}}}" for head, (c, _) in FLOWS.items() if row[c] == row[c]]
    odd = "期末与流入流出相差{all.unexplained}，待报送单位说明" if gone else ""
    short = name + "{all.stock}" + far + depends
    return (now + far + depends, short, now), [
        now + far + depends,
        f"年初{{all.opening}}，{'、'.join(moved)}" if moved else "",
        odd if gone == gone else "流入流出没有报齐，存量不能核对",
        "家数少，一个批次即可改变判断" if closing < 100 else "",
    ]


@finding(**PARKS)
def enterprises_by_park(given: Given) -> Told:
    """Each park's net change since December and its part in the growth of the total; points add up as printed."""
    s, parks, now = given.table("SERIES"), list(given.catalog.parks), given.period
    stock = given.catalog.role(STOCK)
    s = s[s["indicator"].eq(stock) & s["months"].eq(0)].set_index("region")
    at = [s.loc[s["end"].eq(m), "value"].reindex(parks) for m in (now - now.month, now)]
    try:
        t = analysis.contributions(*at)
    except analysis.AnalysisError as e:
        raise MissingData(f"没有园区同时有年初和期末的{given.catalog.name(stock)}数") from e
    named = dict(before="firms_before", after="firms_now", net="firms_net", points="firms_points")
    t = regional.with_whole(given, t.rename(columns=named), stock, stock)
    t["firms_points"] = regional.add_up(t, "firms_points", 1, "all")
    who, rows = regional.top(t.drop("all"), "firms_net", FIRMS.round)
    first, told = rows.index[0], f"没有园区净增{given.catalog.name(stock)}"
    if rows["firms_net"].iloc[0] > 0:
        told = (
            f"对增长拉动最大的是{who}，净增{{{first}.firms_net:size}}，拉动{{{first}.firms_points}}"
        )
    title, out = told.partition("，")[0], regional.left_out(given, t)
    told += f"（{out}未报，不计）" if out else ""
    return Told(t, f"各园区与合计，{now.year}年1—{now.month}月", title, [told], (stock,))


@finding(**ODDS)
def enterprise_odds(given: Given) -> Told:
    """How many pass each stage from filing to certificate, and how many keep the status when it comes due (80 % Wilson).

    Rows: one a stage, `whole` from first to last, one a cohort that came due, `kept` all of these together.
    """
    b, rows, first_last = batches(given), {}, (analysis.PIPELINE[0], analysis.PIPELINE[-1])
    certified = given.catalog.role(CERTIFIED)
    done = b[b["out"] & b["indicator"].eq(certified)]
    steps = ["number", "reviewed", "publicised", "done"]
    done = done[steps].dropna()
    if len(done):
        counts = done.sum().set_axis(list(analysis.PIPELINE))
        for r in analysis.pipeline_odds(counts).itertuples():
            id = "whole" if (r.stage_from, r.stage_to) == first_last else r.stage_to
            label = f"{STAGES[r.stage_from]}到{STAGES[r.stage_to]}"
            rows[id] = label, r.reached, r.of, r.rate, r.low, r.high
    gone = [i for i, (c, _) in _flows(given).items() if c == "lapsed"]
    lapses = b[b["kind"].eq("lapse") & b["indicator"].isin(gone)]
    due = lapses[lapses["out"]].groupby("year")[["number", "done"]].sum()
    kept = analysis.cohort_survival(due["number"].rename(lambda y: y - 3), due["done"])
    for r in kept.itertuples():
        still = r.recognised - r.lapsed
        rows[f"{r.due}"] = f"{r.due}年到期续证", still, r.recognised, r.kept, r.low, r.high
    if not rows:
        raise MissingData("认定批次的各环节没有记录")
    columns = ["label", "passed", "filed", "pass_rate", "pass_low", "pass_high"]
    t = pd.DataFrame(rows.values(), rows, columns)
    t = t.assign(indicator=certified, region="zone", basis=t.index)
    asked, still = kept["recognised"].sum(), (kept["recognised"] - kept["lapsed"]).sum()
    rate = analysis.rate_interval(still, asked) if len(kept) else (NAN,) * 3
    t.loc["kept", columns] = "到期续证合计", still or NAN, asked or NAN, *rate
    coming = lapses[lapses["year"].eq(given.period.year) & ~lapses["out"]]["number"].sum()
    t.loc["kept", "still_due"] = coming or NAN
    t["inputs"] = inputs("zone", certified, table="BATCHES")
    filed = "whole" in t.index
    titles = ["申报企业认定{whole.pass_rate}"] * filed + ["到期企业续证{kept.pass_rate}"] * bool(
        len(kept)
    )
    told = ["已公布各批申报{whole.filed}，认定{whole.passed}，通过率{whole.pass_rate}"] * filed
    told += ["今年还有{kept.still_due}到期"] * bool(coming)
    years = b.loc[b["out"], "year"]
    scope = f"{given.catalog.zone.parts_zh}合计，{years.min()}—{years.max()}年已公布各批"
    about = dict(
        source="认定批次参考表，自创办整理", demo=bool(given.catalog.batches["demo"].any())
    )
    return Told(t, scope, "，".join(titles), told, about=about)


@finding(**BASE)
def growth_base(given: Given) -> Told:
    """Growth of high-tech value added as reported, on last year's figure as first stated, and on it as restated."""
    i = given.catalog.indicators[given.catalog.role(GROWS)].growth_of
    g, year = given.table("GROWTH"), given.period.year
    g = g[
        g["indicator"].eq(i)
        & g["basis"].eq("ytd")
        & g["reported"].notna()
        & g["end"].le(given.period)
    ]
    g = g[g["end"].eq(g["end"].max()) & g["end"].dt.year.eq(year)].set_index("region")
    t, what = regional.by_region(given, i, table="GROWTH"), given.catalog.name(i)
    t = t[t.index.isin(g.index)]
    if t.empty:
        raise MissingData(f"{given.period.month}月还没有{what}的增速")
    same = dict(reported="reported", from_levels="from_levels", on_restated="on_restated_base")
    t = t.assign(**{c: g[of] for c, of in same.items()})
    shift = 100 * (g["restated_base"] / g["base"] - 1)
    t["base_shift"] = shift.where(shift.abs().gt(0.05))
    effect = t["on_restated"].round(1) - t["from_levels"].round(1)
    t["base_effect"] = effect.where(t["base_shift"].notna()).round(1)
    changed = t.drop(index="zone", errors="ignore").dropna(subset="base_shift")
    title = f"各园区{what}上年基数没有改动"
    if len(changed):
        worst = changed["base_shift"].abs().idxmax()
        shift, effect = changed.loc[worst, ["base_shift", "base_effect"]]
        title = (
            f"{{{worst}.label}}{'下' if shift < 0 else '上'}调上年基数{{{worst}.base_shift:size}}"
        )
        more = f"，增速因此{'高' if effect > 0 else '低'}{{{worst}.base_effect:size}}"
        title = (title + more, title) if effect else title
    return Told(t, f"各园区与合计，{year}年1—{g['end'].iloc[0].month}月累计", title, of=(i,))


@finding(**GROWTH)
def growth_needed(given: Given) -> Told:
    """Growth of high-tech value added so far, what the months left must grow by for the target, and the year ahead."""
    i, p = given.catalog.role(GROWS), given.table("PROJECTIONS")
    t, what = regional.by_region(given, i, table="PROJECTIONS"), given.catalog.name(i)
    named = dict(actual="growth_so_far", needed_per_month="growth_needed", median="growth_year")
    named |= dict(target_low="growth_aim")
    p = p[p["indicator"].eq(i)].set_index("region")[list(named)].rename(columns=named)
    t = t.join(p).dropna(subset=["growth_so_far", "growth_aim"])
    if "zone" not in t.index:
        raise MissingData(f"{given.period.month}月还没有{what}")
    t["inputs"] += [";" + inputs(r, i, table="TARGETS") for r in t.index]
    z, show = t.loc["zone"], quantity.scale(0, "%").round
    title = f"{what}至今{{zone.growth_so_far}}"
    if z["growth_needed"] == z["growth_needed"]:
        word = "才能" if show(z["growth_needed"]) > show(z["growth_so_far"]) else "即可"
        title = f"余下月份增长{{zone.growth_needed}}，{word}完成{{zone.growth_aim}}的目标"
    of = i, given.catalog.indicators[i].growth_of
    return Told(t, f"各园区与合计，{given.period.year}年", title, of=of)
