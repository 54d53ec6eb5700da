"""Figures that ask for a second look: what is odd, how often chance alone would show it, in neutral words.

Each look has a stated test. Chances are corrected for the number of looks by Holm's rule, so that in a table where
nothing is odd a false hint appears in at most 5 % of the runs. A hint is a question, not a verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy import stats

from zcqlib.catalog import Catalog
from zcqlib.tables import VINTAGE, covering, shape

LEVEL = 0.05
ALL = "all"  # a look at all indicators together
LOOKS = """
december_spike 12月突增 12月比同年其余各月的对数均值高出多少,与该系列往年12月和其他园区当年的变化相比,按 t 分布
on_target 恰等于目标 年末数在目标上下10%以内的各项中恰等于目标的项数,合为一次检验;其间每个可报的数机会相同
identical_increments 连续数字相同 连续三个月以上数字相同;相邻两月相同的机会按该系列自身的波动(不小于泊松波动)
round_numbers 末位多为0 不小于 100 的月度件数中末位为 0 的个数,按二项分布(机会 1/10)
cumulative_fall 累计数下降 本年累计数下降,按定义不会出现
part_above_whole 其中项大于总项 其中项大于总项,按定义不会出现
"""
_LOOKS = [line.split(" ", 2) for line in LOOKS.strip().splitlines()]
NAMES, TESTS = ({look[0]: look[k] for look in _LOOKS} for k in (1, 2))
# region, indicator, period, measure, value, unit, demo, p and the words of what is odd
Look = Iterator[tuple]
COLUMNS = "region indicator period measure value unit demo p words".split()


def watch(
    series: DataFrame, targets: DataFrame, catalog: Catalog, as_of: pd.Period | None = None
) -> DataFrame:
    """Look at every series of the parks, the zone and the city for figures that ask for a second look.

    Parameters
    ----------
    series : SERIES in normal units. targets : TARGETS, for figures that rest exactly on a target at year end.
    as_of : last month looked at.
    Returns
    -------
    `region`, `indicator`, `period`, `measure`, `value`, `unit`, `demo`, and `p` (how often chance alone shows as much), `p_adjusted` (by Holm for all `looks`
    of the run), `sentence`. Only rows with `p_adjusted` below 5 %, most unlikely first; `value` is what the test counts
    in `unit`. What cannot happen by definition has p 0.
    Source
    ------
    各月报表与目标表;检验方法见 TESTS。
    """
    s = covering(series if as_of is None else series[series.end <= as_of])
    s = s.query("indicator in @catalog.indicators and value.notna()")
    s = s.sort_values(["region", "indicator", "end"])
    s = s.assign(year=s.end.dt.year, month=s.end.dt.month)
    for name in ("kind", "count", "can_fall"):
        s[name] = s.indicator.map({i: getattr(x, name) for i, x in catalog.indicators.items()})
    flows = s.query("kind == 'flow' and months > 0")
    looks = _december(flows, catalog.parks), _repeats(flows), _on_target(s, targets, catalog)
    table = DataFrame(chain(*looks), columns=COLUMNS)
    table = pd.concat([table, _impossible(flows, s, catalog)])
    table = table.sort_values(["p", *COLUMNS[:4]], ignore_index=True)
    tested = table.p > 0  # what cannot happen is no test of chance
    n = tested.sum()
    steps = np.minimum(1.0, table.p[tested] * np.arange(n, 0, -1))
    table["p_adjusted"] = steps.cummax().reindex(table.index, fill_value=0.0)
    kept = table[table.p_adjusted < LEVEL]
    said = [_sentence(r, n, catalog) for r in kept.itertuples()]
    return shape(kept.assign(looks=n, sentence=said), VINTAGE["WATCH"])


def _sentence(r, looks: int, catalog: Catalog) -> str:
    what = "" if r.indicator == ALL else f"{catalog.name(r.region)}「{catalog.name(r.indicator)}」"
    why = "按定义不会出现,可能是更正或口径不一。"
    if r.p:
        chance = f"概率{max(100 * r.p_adjusted, 0.1):.1f}%"
        why = f"若只凭偶然,约每{1 / r.p:,.0f}次出现1次(按共看{looks}处校正,{chance})。"
    return f"{what}{r.words}。{why}请报送单位说明。"


def _december(flows: DataFrame, parks: Collection[str]) -> Look:
    """The last December against the series' own earlier ones, less what the other parks' Decembers changed.

    A December is measured by how far its logarithm lies above the mean of the other months of its year, in full years
    only; where January is reported with February, a year has eleven figures.
    """
    key = ["indicator", "region", "year"]
    f = flows.assign(log=np.log((flows.value / flows.months).where(flows.value > 0)))
    last, years = f.month == 12, f.groupby(key)
    own = f[last].groupby(key)["log"].last() - f[~last].groupby(key)["log"].mean()
    whole = years.months.sum().eq(12) & years.log.count().eq(years.size())
    full = DataFrame({"above": own[whole], "demo": years.demo.any()}).dropna().reset_index()
    for indicator, d in full.groupby("indicator"):
        year = d.year.max()
        past = d[d.year < year].groupby("region")["above"].agg(["mean", "count", "var"])
        past = past.assign(squares=past["var"].fillna(0) * (past["count"] - 1))
        now = d[d.year == year].set_index("region").join(past, how="inner")
        now = now.assign(change=now.above - now["mean"], by=1 + 1 / now["count"])
        for r in now.itertuples():
            others = now[now.index.isin(parks) & (now.index != r.Index) & (r.Index in parks)]
            n = len(others)
            usual = others.change.sum() / max(n, 1)
            free = r.count - 1 + (others["count"] - 1).sum() + max(n - 1, 0)
            spread = r.squares + others.squares.sum()
            spread += ((others.change - usual) ** 2 / others.by).sum()
            scale = np.sqrt(spread / max(free, 1) * (r.by + others.by.sum() / max(n, 1) ** 2))
            if free > 1 and scale > 0:  # two Decembers say nothing of how far they scatter
                times, mean = np.exp(r.above), np.exp(r.mean)
                beside = f",扣除其他园区当年12月的变化{np.exp(usual):.1f}倍" if n else ""
                said = f"{year}年12月为其余各月(几何)平均的{times:.1f}倍,往年12月为{mean:.1f}倍{beside}"
                p = stats.t.sf((r.change - usual) / scale, free)
                when = f"{year}年12月"
                yield r.Index, indicator, when, "december_spike", times, "倍", r.demo, p, said


def _repeats(flows: DataFrame) -> Look:
    """The longest run of one and the same figure in months that follow each other, and heaping on tens."""
    for same, part in flows.query("months == 1").groupby(["region", "indicator"]):
        value, end, demo = part.value, part.end, part.demo.any()
        first, n, count = part.iloc[0], len(part), part["count"].iloc[0]
        if n >= 6 and (value > 0).any():
            month = 12 * part.year + part.month
            run = (value.diff().ne(0) | value.eq(0) | month.diff().ne(1)).cumsum()
            own = run.eq(run.mode()[0])
            best, rest, when = own.sum(), value[~own], end[own]
            noise = np.sqrt(value.mean()) if count else 0.0
            spread = max(rest.std() if len(rest) > 2 else 0.0, noise)
            p = 1.0
            if best > 2 and spread > 0:  # two normal draws in one step
                equal = (1.0 if count else _step(value)) / (2 * np.sqrt(np.pi) * spread)
                p = min(1.0, (n - best + 1) * min(1.0, equal) ** (best - 1))
            said = f"连续 {best} 个月都是 {value[own].iloc[0]:g}{first.unit}"
            when = f"{when.iloc[0]}至{when.iloc[-1]}"
            yield *same, when, "identical_increments", best, "个月", demo, p, said
        big = value[value >= 100]
        if count and len(big) >= 8:
            k, when = (big % 10 == 0).sum(), f"{first.end}至{end.iloc[-1]}"
            p = stats.binom.sf(k - 1, len(big), 0.1)
            said = f"{len(big)} 个不小于 100 的月度数中 {k} 个末位为 0"
            yield *same, when, "round_numbers", k, "个", demo, p, said


def _on_target(s: DataFrame, targets: DataFrame, catalog: Catalog) -> Look:
    """How many year-end figures rest exactly on their target, among those within a tenth of it, in one look.

    A sum over the parks is left to the parks.
    """
    goals = targets.query("target_low > 0").rename(columns={"id": "indicator"})
    key = ["region", "indicator", "year"]
    both = s.query("kind in ['flow', 'stock']").merge(goals[[*key, "target_low"]], on=key)
    of_parks = both.region.isin(catalog.parks)
    both = both[of_parks | ~both.indicator.isin(both[of_parks].indicator)]
    chances, exact, demo = [], [], False
    for (region, indicator, year, goal), part in both.groupby([*key, "target_low"]):
        flow, count = part.kind.iloc[0] == "flow", part["count"].iloc[0]
        own = part[(part.months > 0) | part.revision] if flow else part[part.months == 0]
        if 12 not in set(own.month) or flow and own.months[~own.revision].sum() != 12:
            continue
        reached = own.value.sum() if flow else own.value.iloc[-1]
        step = 1.0 if count else _step([*own.value, goal])
        near = np.floor(0.1 * goal / step + 1e-9)  # figures on either side that could be reported
        off = abs(reached - goal)
        if near >= 1 and off <= near * step + step / 2:
            chances.append(1 / (2 * near + 1))
            demo |= own.demo.any()
            if off < step / 2:
                exact.append(f"{catalog.name(region)}「{catalog.name(indicator)}」{year}年{goal:g}")
    if chances:
        n, p = len(exact), stats.poisson_binom(chances).sf(len(exact) - 1)
        said = f"年末数在目标上下10%以内的{len(chances)}项中,{n}项恰等于目标:{'、'.join(exact)}"
        period = f"{both['year'].min()}—{both['year'].max()}"
        yield "zone", ALL, period, "on_target", n, "项", demo, p, said


def _step(values: Iterable[float]) -> float:
    """The smallest power of ten, up to the units' thousandth, in which all these figures are whole."""
    values = np.asarray(values)
    for power in range(6, -4, -1):
        scaled = values / 10.0**power
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            break
    return 10.0**power


def _impossible(flows: DataFrame, s: DataFrame, catalog: Catalog) -> DataFrame:
    """What cannot happen: a cumulative figure that fell, a part above its whole."""
    falls = flows.query("value < 0 and can_fall == False")
    told = [f"{r.end} 本年累计数比上月减少 {-r.value:g}{r.unit}" for r in falls.itertuples()]
    falls = falls.assign(measure="cumulative_fall", words=told)
    key, s = "region start end months".split(), s.query("not revision")
    parts = s.assign(whole=s.indicator.map({i.id: i.part_of for i in catalog.indicators.values()}))
    wholes = s[[*key, "indicator", "value"]].set_axis([*key, "whole", "most"], axis=1)
    both = parts.merge(wholes, on=[*key, "whole"]).query("value > most * (1 + 1e-9)")
    told = [
        f"{r.end} 为{r.value:g}{r.unit},大于「{catalog.name(r.whole)}」{r.most:g}{r.unit}"
        for r in both.itertuples()
    ]
    both = both.assign(measure="part_above_whole", words=told, value=both.value - both.most)
    t = pd.concat([falls, both])
    return t.assign(period=t.end.astype(str), p=0.0)[COLUMNS]
