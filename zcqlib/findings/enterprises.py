"""Findings on high-tech enterprises: the stock and what moved it, by park, by batch, and growth targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import analysis, quantity
from zcqlib.findings import regional
from zcqlib.findings.found import Found, Given, Measure, finding
from zcqlib.findings.regional import FIRMS, NAN, PERCENT, inputs, tell
from zcqlib.projection.pace import batch_pace
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

STOCK = "企业存量"  # its role
FLOWS = {  # role → (sign, measure)
    "新认定": (1, "recognised"),
    "迁入": (1, "moved_in"),
    "到期失效": (-1, "lapsed"),
    "迁出": (-1, "moved_out"),
}
LEVEL = {
    "stock": Measure("月末存量", FIRMS),
    "by_batches": Measure("批次进度应达", FIRMS),
    "by_months": Measure("序时进度应达", FIRMS),
    **{id: Measure(head, regional.UP_FIRMS) for head, (_, id) in FLOWS.items()},
    "opening": Measure("年初", FIRMS),
    "unexplained": Measure("未说明", regional.UP_FIRMS),
    "stock_net": Measure("较年初净增", regional.UP_FIRMS),
    "stock_aim": Measure("目标", FIRMS),
    "stock_gap": Measure("距目标", FIRMS),
    "year_end": Measure("年末中位数", FIRMS),
    "year_end_low": Measure("区间下限", FIRMS),
    "year_end_high": Measure("区间上限", FIRMS),
    "batches_left": Measure("年底前待公布的认定批次", Scale("批")),
}
PARKS = {
    "firms_before": Measure("年初", FIRMS),
    "firms_now": Measure("现有", FIRMS),
    "firms_net": Measure("净增", regional.UP_FIRMS),
    "firms_points": Measure("拉动", regional.POINTS),
}
ODDS = {
    "passed": Measure("通过", FIRMS),
    "filed": Measure("共", FIRMS),
    "pass_rate": Measure("通过率", Scale("%")),
    "pass_low": Measure("80%区间下限", Scale("%")),
    "pass_high": Measure("80%区间上限", Scale("%")),
    "still_due": Measure("今年还有到期", FIRMS),
}
BASE = {
    "reported": Measure("报告的增速（%）", regional.UP_PERCENT),
    "from_levels": Measure("按原来上年数算（%）", regional.UP_PERCENT),
    "on_restated": Measure("按改后上年数算（%）", regional.UP_PERCENT),
    "base_shift": Measure("上年基数改动（%）", regional.UP_PERCENT),
    "base_effect": Measure("增速因此相差", regional.POINTS),
}
NEEDED = {
    "growth_so_far": Measure("至今增速（%）", PERCENT, "growth_aim"),
    "growth_needed": Measure("余下月份所需（%）", PERCENT, "growth_aim"),
    "growth_year": Measure("全年预计（%）", PERCENT, "growth_aim"),
    "growth_aim": Measure("目标", PERCENT),
}
STAGES = dict(zip(analysis.PIPELINE, ("申报", "评审", "公示", "认定"), strict=True))


def batches(given: Given) -> pd.DataFrame:
    """The batch calendar as known: `when` each batch was announced, or is expected where it is not `out`."""
    b = given.catalog.batches
    b = b[b["known_from"].le(given.known) & b["region"].isin(given.catalog.parks)]
    out = b["announced"].dt.to_period("M").le(given.known)
    return b.assign(out=out, when=b["announced"].where(out, b["expected"]))


def _flows(given: Given) -> dict[str, tuple[int, str]]:
    """Sign and measure of the flows that the catalog has, by indicator."""
    have = {i.role: i.id for i in given.catalog.indicators.values() if i.role}
    return {have[role]: how for role, how in FLOWS.items() if role in have}


@finding(*LEVEL)
def enterprise_stock(given: Given) -> Found:
    """The zone's stock month by month, what came and went, and what the target asks by batches and in equal steps.

    Rows: a month each (`stock` and flows with their sign, `by_batches`, `by_months` to December); `batch|n` its month; `all`: opening stock,
    flows, `unexplained` (closing less opening and flows), net change, target and gap, year end with 80 % interval, and
    how many recognitions are still to be announced this year.
    """
    s, year = given.table("SERIES"), given.period.year
    stock, moves = given.catalog.role(STOCK), _flows(given)
    s = s[s["region"].eq("zone")]
    if not s["indicator"].eq(stock).any():
        raise MissingData(f"{given.catalog.name(stock)}还没有存量数")
    t = pd.DataFrame(dict(at=range(1, 13)), [f"{m}月" for m in range(1, 13)])
    t["period"] = [pd.Period(f"{year}-{m:02d}", "M") for m in t["at"]]
    t = t.assign(
        label=t.index, indicator=stock, region="zone", inputs=inputs("zone", stock, *moves)
    ).assign(**dict.fromkeys(LEVEL, NAN))
    own = s[s["end"].dt.year.eq(year) & s["end"].le(given.period)]
    level = own[own["indicator"].eq(stock) & own["months"].eq(0)]
    t.loc[[f"{e.month}月" for e in level["end"]], "stock"] = level["value"].to_numpy()
    for i, (sign, id) in moves.items():
        flow = own[own["indicator"].eq(i) & own["months"].eq(1) & ~own["revision"]]
        t.loc[[f"{e.month}月" for e in flow["end"]], id] = sign * flow["value"].to_numpy()
    gains, losses = ([i for i, (sign, _) in moves.items() if sign == way] for way in (1, -1))
    span = f"{year}-01/{given.period}"
    identity = analysis.stock_identity(s, "zone", span, stock, gains, losses)
    opening, closing = identity["opening"], identity["closing"]
    p, b = regional.projected(given, stock), batches(given)
    coming = b[b["indicator"].isin(gains) & b["kind"].eq("pass") & b["year"].eq(year) & ~b["out"]]
    aim = p.get("target_low", NAN)
    if aim == aim and opening == opening:
        due = batch_pace(aim, opening, given.catalog.batches, "zone", given.period, given.catalog)
        at = [f"{m}月" for m in due["month"]]
        t.loc[at, ["by_batches", "by_months"]] = due[["batch", "linear"]].to_numpy()
    flows = dict.fromkeys((id for _, id in FLOWS.values()), NAN)
    flows |= {id: identity.get(i, NAN) for i, (_, id) in moves.items()}
    gap = max(aim - closing, 0.0)
    row = dict(
        label="合计", opening=opening, unexplained=identity["difference"] or NAN, stock=closing
    )
    row |= {id: v or NAN for id, v in flows.items()} | dict(
        stock_net=closing - opening, stock_aim=aim
    )
    row |= dict(stock_gap=gap or NAN, year_end=p.get("median", NAN), year_end_low=p.get("low", NAN))
    row |= dict(year_end_high=p.get("high", NAN), batches_left=coming["batch"].nunique() or NAN)
    of = ";".join(
        [
            inputs("zone", stock, *moves),
            *(inputs("zone", stock, table=n) for n in ("PROJECTIONS", "TARGETS")),
        ]
    )
    t = pd.concat([t, pd.DataFrame([row | dict(inputs=of)], ["all"])])
    calendar = b[b["indicator"].isin(gains) & b["kind"].eq("pass") & b["year"].eq(year)]
    for r in calendar.drop_duplicates("batch").itertuples():
        label = f"第{r.batch}批{'' if r.out else '预计'}{r.when.month}月"
        t.loc[f"batch|{r.batch}", ["label", "at", "inputs"]] = (
            label,
            float(r.when.month),
            "BATCHES/zone",
        )
    scope = f"{given.catalog.zone.parts_zh}合计，{year}年"
    told = _stock_told(given.catalog.name(stock), row, identity["difference"], len(coming))
    return tell(given, "enterprise_stock", t, LEVEL, scope, *told, stock, *moves)


def _stock_told(
    name: str, row: dict, gone: float, coming: int
) -> tuple[tuple[str, ...], list[str]]:
    """Title versions and sentences; `gone` is what the flows do not explain, NaN where they are not known."""
    net, gap, aim, closing = (row[c] for c in ("stock_net", "stock_gap", "stock_aim", "stock"))
    if np.isnan(net):
        words = f"{name}年初或期末存量未报"
        return (words,), [words]
    now = f"{name}{{all.stock}}，与年初持平"
    if net:
        now = f"{name}{{all.stock}}，较年初净{'增' if net > 0 else '减'}{{all.stock_net:size}}"
    far = "，已达到{all.stock_aim}目标" if aim == aim else ""
    far = "，距{all.stock_aim}目标差{all.stock_gap}" if gap > 0 else far
    depends = "，取决于年底前{all.batches_left}认定" if gap > 0 and coming else ""
    moved = [f"{head}{{all.{id}}}" for head, (_, id) in FLOWS.items() if row[id] == row[id]]
    told = f"年初{{all.opening}}，{'、'.join(moved)}" if moved else ""
    odd = "期末与流入流出相差{all.unexplained}，待报送单位说明" if gone else ""
    odd = "流入流出没有报齐，存量不能核对" if gone != gone else odd
    few = "家数少，一个批次即可改变判断" if closing < 100 else ""
    return (now + far + depends, now + far, now), [now + far + depends, told, odd, few]


@finding(*PARKS)
def enterprises_by_park(given: Given) -> Found:
    """Each park's net change since December and its part in the growth of the total; points add up as printed."""
    s, parks, last = (
        given.table("SERIES"),
        list(given.catalog.parks),
        given.period - given.period.month,
    )
    stock = given.catalog.role(STOCK)
    s = s[s["indicator"].eq(stock) & s["months"].eq(0) & s["region"].isin(parks)]
    at = lambda m: s[s["end"].eq(m)].set_index("region")["value"].reindex(parks)  # noqa: E731
    scope = f"各园区与合计，{given.period.year}年1—{given.period.month}月"
    try:
        t = analysis.contributions(at(last), at(given.period)).set_index("region", drop=False)
    except analysis.AnalysisError as e:
        raise MissingData(f"没有园区同时有年初和期末的{given.catalog.name(stock)}数") from e
    out = [given.catalog.name(r) for r in parks if r not in t.index]
    t = t.rename_axis(None).rename(
        columns=dict(before="firms_before", after="firms_now", net="firms_net")
    )
    t["firms_points"] = regional.add_up(t, "points", 1, "all")
    t["label"] = [given.catalog.name(r) if r != "all" else "合计" for r in t.index]
    t = t.assign(inputs=[inputs(r, stock) for r in t.index], indicator=stock)
    t.loc["all", "inputs"], t.loc["all", "region"] = ";".join(t["inputs"].drop("all")), "zone"
    who, rows = regional.top(t.drop("all"), "firms_net", FIRMS.round)
    first = rows.index[0]
    told = f"对增长拉动最大的是{who}，净增{{{first}.firms_net:size}}，拉动{{{first}.firms_points}}"
    told = told if rows["firms_net"].iloc[0] > 0 else f"没有园区净增{given.catalog.name(stock)}"
    told += f"（{'、'.join(out)}未报，不计）" if out else ""
    t = t.drop(columns=["growth", "points"])
    return tell(
        given, "enterprises_by_park", t, PARKS, scope, told.partition("，")[0], [told], stock
    )


@finding(*ODDS)
def enterprise_odds(given: Given) -> Found:
    """How many pass each stage from filing to certificate, and how many keep the status when it comes due (80 % Wilson).

    Rows: one a stage, `whole` from first to last, one a cohort that came due, `kept` all of these together.
    """
    b, rows, new = batches(given), {}, given.catalog.role("新认定")
    done = b[b["out"] & b["indicator"].eq(new)]
    done = done.dropna(subset=["reviewed", "publicised", "done"])
    of = inputs("zone", new, table="BATCHES")
    if len(done):
        counts = (
            done[["number", "reviewed", "publicised", "done"]]
            .sum()
            .set_axis(list(analysis.PIPELINE))
        )
        for r in analysis.pipeline_odds(counts).itertuples():
            whole = (r.stage_from, r.stage_to) == (analysis.PIPELINE[0], analysis.PIPELINE[-1])
            id = "whole" if whole else r.stage_to
            rows[id] = dict(
                label=f"{STAGES[r.stage_from]}到{STAGES[r.stage_to]}", passed=r.reached, filed=r.of
            )
            rows[id] |= dict(pass_rate=r.rate, pass_low=r.low, pass_high=r.high, basis=id)
    gone = [i for i, (_, id) in _flows(given).items() if id == "lapsed"]
    lapses = b[b["kind"].eq("lapse") & b["indicator"].isin(gone)]
    due = lapses[lapses["out"]].groupby("year")[["number", "done"]].sum()
    kept = analysis.cohort_survival(due["number"].rename(lambda y: y - 3), due["done"])
    for r in kept.itertuples():
        rows[f"{r.due}"] = dict(
            label=f"{r.due}年到期续证", passed=r.recognised - r.lapsed, filed=r.recognised
        )
        rows[f"{r.due}"] |= dict(
            pass_rate=r.kept, pass_low=r.low, pass_high=r.high, basis=f"{r.due}"
        )
    t = pd.DataFrame(rows.values(), rows).assign(indicator=new, region="zone", inputs=of)
    if t.empty:
        raise MissingData("认定批次（batches.csv）的各环节没有记录")
    t.loc["kept", ["label", "inputs"]] = "到期续证合计", of
    if len(kept):
        asked = kept["recognised"].sum()
        rate = analysis.rate_interval(asked - kept["lapsed"].sum(), asked)
        t.loc["kept", ["filed", "passed"]] = asked, asked - kept["lapsed"].sum()
        t.loc["kept", ["pass_rate", "pass_low", "pass_high"]] = rate
    coming = lapses[lapses["year"].eq(given.period.year) & ~lapses["out"]]["number"].sum()
    t.loc["kept", "still_due"] = coming or NAN
    filed = "申报企业认定{whole.pass_rate}" if "whole" in t.index else ""
    keep = "到期企业续证{kept.pass_rate}" if len(kept) else ""
    title = "，".join(filter(None, (filed, keep)))
    told = [
        "已公布各批申报{whole.filed}，认定{whole.passed}，通过率{whole.pass_rate}" if filed else "",
        "今年还有{kept.still_due}到期" if coming else "",
    ]
    years = b.loc[b["out"], "year"]
    scope = f"{given.catalog.zone.parts_zh}合计，{years.min()}—{years.max()}年已公布各批"
    source, demo = "认定批次参考表，自创办整理", bool(given.catalog.batches["demo"].any())
    return tell(
        given, "enterprise_odds", t, ODDS, scope, title, told, new, source=source, demo=demo
    )


@finding(*BASE)
def growth_base(given: Given) -> Found:
    """Growth of high-tech value added as reported, on last year's figure as first stated, and on it as restated."""
    i = given.catalog.indicators[given.catalog.role("增速")].growth_of
    g = given.table("GROWTH")
    g = g[
        g["indicator"].eq(i)
        & g["basis"].eq("ytd")
        & g["reported"].notna()
        & g["end"].le(given.period)
    ]
    g = g[g["end"].eq(g["end"].max()) & g["end"].dt.year.eq(given.period.year)].set_index("region")
    names = regional.names(given)
    g = g.loc[[r for r in names if r in g.index]]
    what = given.catalog.name(i)
    if g.empty:
        raise MissingData(f"{given.period.month}月还没有{what}的增速")
    t = pd.DataFrame(dict(label=[names[r] for r in g.index], region=g.index, indicator=i), g.index)
    t = t.rename_axis(None).assign(reported=g["reported"], from_levels=g["from_levels"])
    t["on_restated"] = g["on_restated_base"]
    shift = 100 * (g["restated_base"] / g["base"] - 1)
    t["base_shift"] = shift.where(shift.abs().gt(0.05))
    effect = t["on_restated"].round(1) - t["from_levels"].round(1)
    t["base_effect"] = effect.where(t["base_shift"].notna()).round(1)
    t["inputs"] = [inputs(r, i, table="GROWTH") for r in t.index]
    changed = t.drop(index="zone", errors="ignore").dropna(subset="base_shift")
    title = f"各园区{what}上年基数没有改动"
    if len(changed):
        worst = changed["base_shift"].abs().idxmax()
        way = "下调" if changed.at[worst, "base_shift"] < 0 else "上调"
        effect = "高" if changed.at[worst, "base_effect"] > 0 else "低"
        title = f"{names[worst]}{way}上年基数{{{worst}.base_shift:size}}"
        if changed.at[worst, "base_effect"]:
            title = f"{title}，增速因此{effect}{{{worst}.base_effect:size}}", title
    month = g["end"].iloc[0].month
    scope = f"各园区与合计，{given.period.year}年1—{month}月累计"
    return tell(given, "growth_base", t, BASE, scope, title, [], i)


@finding(*NEEDED)
def growth_needed(given: Given) -> Found:
    """Growth of high-tech value added so far, what the months left must grow by for the target, and the year ahead."""
    i, names = given.catalog.role("增速"), regional.names(given)
    p = given.table("PROJECTIONS")
    p = (
        p[p["indicator"].eq(i)]
        .set_index("region")
        .reindex(names)
        .dropna(subset=["actual", "target_low"])
    )
    what = given.catalog.name(i)
    if "zone" not in p.index:
        raise MissingData(f"{given.period.month}月还没有{what}")
    t = pd.DataFrame(dict(label=[names[r] for r in p.index], region=p.index, indicator=i), p.index)
    t = t.rename_axis(None).assign(growth_so_far=p["actual"], growth_needed=p["needed_per_month"])
    t = t.assign(growth_year=p["median"], growth_aim=p["target_low"])
    t["inputs"] = [
        inputs(r, i, table="PROJECTIONS") + ";" + inputs(r, i, table="TARGETS") for r in t.index
    ]
    z = t.loc["zone"]
    show = quantity.scale(0, "%").round
    word = "才能" if show(z["growth_needed"]) > show(z["growth_so_far"]) else "即可"
    title = f"余下月份增长{{zone.growth_needed}}，{word}完成{{zone.growth_aim}}的目标"
    title = (
        title if z["growth_needed"] == z["growth_needed"] else f"{what}至今{{zone.growth_so_far}}"
    )
    scope = f"各园区与合计，{given.period.year}年"
    of = i, given.catalog.indicators[i].growth_of
    return tell(given, "growth_needed", t, NEEDED, scope, title, [], *of)
