"""Figures that ask for a second look: what is odd, how often chance alone would show it, in neutral words.

Each look has a stated test. Chances are corrected for the number of looks by Holm's rule, so that in a table where
nothing is odd a false hint appears in at most 5 % of the runs. A hint is a question, not a verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

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
Look = Iterator[
    tuple
]  # region, indicator, period, measure, value, unit, demo, p and the words of what is odd


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
    rows = [
        *_december(flows, catalog.parks),
        *_falls(flows),
        *_repeats(flows.query("months == 1")),
        *_on_target(s, targets, catalog),
        *_parts(s.query("not revision"), catalog),
    ]
    key = "region indicator period measure".split()
    table = DataFrame(rows, columns=[*key, "value", "unit", "demo", "p", "words"])
    table = table.sort_values(["p", *key], ignore_index=True)
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
        now, before = d[d.year == year].set_index("region"), d[d.year < year]
        past = before.groupby("region")["above"]
        before = before.assign(within=before.above - past.transform("mean"))
        now = now.join(past.agg(["mean", "count"]), how="inner")
        now = now.assign(change=now.above - now["mean"], by=1 + 1 / now["count"])
        for r in now.itertuples():
            others = now[now.index.isin(parks) & (now.index != r.Index) & (r.Index in parks)]
            n, usual = len(others), others.change.mean() if len(others) else 0.0
            same = before[before.region.isin([r.Index, *others.index])]
            free = len(same) - same.region.nunique() + max(n - 1, 0)
            if free < 2:
                continue  # two Decembers say nothing of how far they scatter
            spread = (same.within**2).sum()
            spread += ((others.change - usual) ** 2 / others.by).sum()
            scale = np.sqrt(spread / free * (r.by + others.by.sum() / max(n, 1) ** 2))
            if scale > 0:
                times, mean = np.exp(r.above), np.exp(r.mean)
                beside = f",扣除其他园区当年12月的变化{np.exp(usual):.1f}倍" if n else ""
                said = f"{year}年12月为其余各月(几何)平均的{times:.1f}倍,往年12月为{mean:.1f}倍{beside}"
                p = stats.t.sf((r.change - usual) / scale, free)
                when = f"{year}年12月"
                yield r.Index, indicator, when, "december_spike", times, "倍", r.demo, p, said


def _falls(flows: DataFrame) -> Look:
    for r in flows.query("value < 0 and can_fall == False").itertuples():
        said = f"{r.end} 本年累计数比上月减少 {-r.value:g}{r.unit}"
        yield (
            r.region,
            r.indicator,
            str(r.end),
            "cumulative_fall",
            r.value,
            r.unit,
            r.demo,
            0.0,
            said,
        )


def _repeats(single: DataFrame) -> Look:
    """The longest run of one and the same figure in months that follow each other, and heaping on tens."""
    for same, part in single.groupby(["region", "indicator"]):
        value, end = part.value.to_numpy(), part.end.to_numpy()
        count, unit, demo = part["count"].iloc[0], part.unit.iloc[0], part.demo.any()
        p, best, at = _run(value, (12 * part.year + part.month).to_numpy(), count)
        if best:
            when, said = (
                f"{end[at]}至{end[at + best - 1]}",
                f"连续 {best} 个月都是 {value[at]:g}{unit}",
            )
            yield *same, when, "identical_increments", best, "个月", demo, p, said
        big = value[value >= 100]
        if count and len(big) >= 8:
            k, when = (big % 10 == 0).sum(), f"{end[0]}至{end[-1]}"
            p = stats.binom.sf(k - 1, len(big), 0.1)
            said = f"{len(big)} 个不小于 100 的月度数中 {k} 个末位为 0"
            yield *same, when, "round_numbers", k, "个", demo, p, said


def _run(value: np.ndarray, month: np.ndarray, count: bool) -> tuple[float, int, int]:
    """Chance, length and start of the longest run of equal figures; length 0 where none can be looked for."""
    if len(value) < 6 or not (value > 0).any():
        return 1.0, 0, 0
    goes_on = (np.diff(value) == 0) & (value[1:] != 0) & (np.diff(month) == 1)
    starts = np.flatnonzero(np.append(True, ~goes_on))
    lengths = np.diff(np.append(starts, len(value)))
    best, at = lengths.max(), starts[lengths.argmax()]
    rest = np.delete(value, range(at, at + best))
    spread = max(
        float(rest.std(ddof=1)) if len(rest) > 2 else 0.0, np.sqrt(value.mean()) if count else 0.0
    )
    if best < 3 or spread <= 0:
        return 1.0, best, at
    equal = min(
        1.0, (1.0 if count else _step(value)) / (2 * np.sqrt(np.pi) * spread)
    )  # two normal draws in one step
    return min(1.0, (len(value) - best + 1) * equal ** (best - 1)), best, at


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
        flow = part.kind.iloc[0] == "flow"
        own = part[(part.months > 0) | part.revision if flow else part.months == 0]
        if 12 not in set(own.month) or flow and own.months.sum() != 12:
            continue
        reached = own.value.sum() if flow else own.value.iloc[-1]
        step = 1.0 if own["count"].iloc[0] else _step(np.append(own.value.to_numpy(), goal))
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


def _step(values: np.ndarray) -> float:
    """The smallest power of ten, up to the units' thousandth, in which all these figures are whole."""
    for power in range(6, -4, -1):
        scaled = values / 10.0**power
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            return 10.0**power
    return 1e-3


def _parts(s: DataFrame, catalog: Catalog) -> Look:
    key = "region start end months".split()
    whole = {i.id: i.part_of for i in catalog.indicators.values() if i.part_of}
    parts = s.assign(whole=s.indicator.map(whole)).dropna(subset="whole")
    wholes = s[[*key, "indicator", "value"]].set_axis([*key, "whole", "most"], axis=1)
    both = parts.merge(wholes, on=[*key, "whole"])
    for r in both.query("value > most * (1 + 1e-9)").itertuples():
        said = f"{r.end} 为{r.value:g}{r.unit},大于「{catalog.name(r.whole)}」{r.most:g}{r.unit}"
        over = r.value - r.most
        yield r.region, r.indicator, str(r.end), "part_above_whole", over, r.unit, r.demo, 0.0, said
