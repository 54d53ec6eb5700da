"""What each missed target still asks of each park in each remaining month, graded by history."""

from collections.abc import Mapping

import pandas as pd

from zcqlib.catalog import LINKED
from zcqlib.findings.found import NAMED, NAN, Given, Told, finding, inputs, names, sum_up
from zcqlib.findings.targets import ZONES
from zcqlib.quantity import printed_parts, reached_in, responsible, row_scale, shortfall

HISTORY = 36


@finding("""
    ask : 要求
    times 次 : 做到过
    known 个月 : 有记录
    known_from 个月 : 有记录至少
    known_to 个月 : 有记录至多
    asked 条 : 要求
    never 条 : 从未做到过
    what text : 指标
    where text : 园区
    by text : 责任单位
    when text : 月份
    grade text times known : 历史
""")
def asks(given: Given) -> Told:
    """The gap of each zone target that will probably be missed, split into month-by-month asks of the parks.

    Rows: `<indicator>|<park>|<month>`, least often done first; `<month>` and `all` count the asks and those that were
    never done. `ask` in the unit of the target; those of an indicator add up, as printed, to its printed gap; `times`
    of the last `known` months (36 at most) that brought as much, NaN without history; region zone where no park has a
    target of its own. Missed: a flow or stock whose chance is below one half; of a stock the ask is a net increase.
    Linked rows are left to the row they point to. The gap goes to the parks by their own gaps, over the months by the
    season of past years (evenly without any). Source: 缺口 = 目标 − 已完成;季节按近三年同月份额。
    """
    p, plan = given.table("PROJECTIONS"), given.table("TARGETS")
    linked = list(plan.query(f"relation in {LINKED}")["id"])
    plan = plan.drop_duplicates("id").set_index("id")
    missed = p.query(f"region in {ZONES} and indicator not in {linked} and probability < .5")
    missed = missed.query("kind in ['flow', 'stock']")
    gaps = p.query(f"region not in {ZONES}").set_index(["indicator", "region"])
    gaps = (gaps["target_low"] - gaps["actual"]).dropna().clip(lower=0)
    done, rows = dict(iter(_steps(given).groupby(["region", "indicator"])["value"])), []
    for z in missed.to_dict("records"):
        i, gap = z["indicator"], shortfall(z)
        own = gaps[i] if i in gaps.index else gaps[:0]
        own = own if own.sum() > 0 else pd.Series({z["region"]: 1.0})
        for region, share in _split(gap, own, z).items() if gap else ():
            past = done.get((region, i), pd.Series([], pd.PeriodIndex([], freq="M"), float))
            by = _by(given, region, *plan.loc[i, ["responsible", "responsible_basis"]])
            rows += [dict(ask, by=by) for ask in _asks(given, z, region, share, past)]
    t = pd.DataFrame(rows, [r["id"] for r in rows])
    scope = f"{given.place}及各园区，{given.year}年余下各月"
    if t.empty:
        return Told(t, scope, "没有需要分解的缺口", demo="PROJECTIONS")
    t = t.sort_values(["times", "indicator", "region", "basis"], kind="stable")
    for row, own in [("all", t.copy()), *t.groupby("basis")]:
        known = own.query("known > 0")["known"]
        counts = dict(asked=len(own), never=own.times.eq(0).sum())
        counts |= dict(known_from=known.min(), known_to=known.max())
        sum_up(t, row, own.when.iloc[0], own, **counts)
    never, first, last = t.loc["all", ["never", "known_from", "known_to"]]
    title = "缺口分解为{all.asked}月度要求[，其中{all.never}从未做到过]"
    span = "（有记录的{all.known_from}" + "至{all.known_to}" * bool(first < last) + "）"
    return Told(t, scope, title, [title + span * bool(never)], demo="PROJECTIONS")


def _by(given: Given, region: str, units: str, basis: str) -> str:
    """The responsible units, a long list cut: a park first and no other park."""
    if region not in ZONES:
        parks = list(map(given.name, given.catalog.parks))
        others = [u for u in units.split(";") if u and u not in parks]
        units = ";".join([given.name(region), *others])
    return responsible(names(units.split(";"), NAMED), basis)


def _asks(given: Given, z: Mapping, region: str, share: float, past: pd.Series) -> list[dict]:
    """The share of one region over the months that are left, each against what its past months brought."""
    left = pd.period_range(reached_in(z) + 1, f"{given.year}-12", freq="M")
    season = past.groupby(past.index.month).sum().reindex(left.month, fill_value=0.0)
    season = season.set_axis(left)
    season = season if season.min() >= 0 and season.sum() > 0 else season * 0 + 1
    i, s, of, out = z["indicator"], row_scale(z), len(past), []
    what, where = given.name(i), given.name(region)
    for month, part in _split(share, season, z).items():
        ask, when = part * s.factor, f"{month.month}月"
        times = float(past.ge(ask).sum()) if of else NAN
        grade = f"近{of}个月中做到过{times:.0f}次" if times else f"近{of}个月从未做到"
        row = dict(id=f"{i}|{region}|{month}", label=where + what + when, basis=str(month))
        row |= dict(indicator=i, region=region, what=what, where=where, when=when, scale=s)
        row |= dict(ask=ask, times=times, known=of, grade=grade if of else "没有历史可比")
        row |= dict(inputs=inputs(region, i, table="PROJECTIONS TARGETS"))
        out += [row] * bool(part)
    return out


def _steps(given: Given) -> pd.DataFrame:
    """What was done in the last single months: flows as they are, of levels the change since the month before."""
    levels = given.table("SERIES", months=0).sort_values(["region", "indicator", "end"])
    by = levels.groupby(["region", "indicator"], sort=False)
    steps = levels.assign(value=by["value"].diff())[(levels.end - 1).eq(by["end"].shift())]
    flows = given.table("SERIES", months=1, revision=False)
    both = pd.concat([flows, steps.dropna(subset="value")]).set_index("end")
    return both[both.index > given.period - HISTORY]


def _split(total: float, weights: pd.Series, z: Mapping) -> pd.Series:
    """A total by weights, so that the parts add up as a target's quantities are printed."""
    parts = printed_parts(float(total) * weights / weights.sum(), row_scale(z).digits, total)
    return pd.Series([float(v) for v in parts], weights.index)
