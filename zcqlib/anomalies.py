"""Figures that ask for a second look: what is odd, how often chance alone would show it, in neutral words.

Each look has a stated test. Chances are corrected for the number of looks by Holm's rule, so that in a table where
nothing is odd a false hint appears in at most 5 % of the runs. A hint is a question, not a verdict.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats

from zcqlib import tables
from zcqlib.catalog import Catalog

LEVEL = 0.05
ALL = "all"  # a look at all indicators together
COLUMNS = "region indicator period measure value unit demo p p_adjusted looks sentence".split()
NAMES = {
    "december_spike": "12月突增",
    "on_target": "恰等于目标",
    "identical_increments": "连续数字相同",
    "round_numbers": "末位多为0",
    "cumulative_fall": "累计数下降",
    "part_above_whole": "其中项大于总项",
}
TESTS = {
    "december_spike": "12月比同年其余各月的对数均值高出多少,与该系列往年12月和其他园区当年的变化相比,按 t 分布",
    "on_target": "年末数在目标上下10%以内的各项中恰等于目标的项数,合为一次检验;其间每个可报的数机会相同",
    "identical_increments": "连续三个月以上数字相同;相邻两月相同的机会按该系列自身的波动(不小于泊松波动)",
    "round_numbers": "不小于 100 的月度件数中末位为 0 的个数,按二项分布(机会 1/10)",
    "cumulative_fall": "本年累计数下降,按定义不会出现",
    "part_above_whole": "其中项大于总项,按定义不会出现",
}


def watch(
    series: pd.DataFrame, targets: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None
) -> pd.DataFrame:
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
    s = tables.covering(series if as_of is None else series[series["end"] <= as_of])
    s = s[s["indicator"].isin(catalog.indicators) & s["value"].notna()].sort_values(
        ["region", "indicator", "end"]
    )
    known = {i: catalog.indicators[i] for i in s["indicator"].unique()}
    s = s.assign(
        year=s["end"].dt.year,
        month=s["end"].dt.month,
        **{
            k: s["indicator"].map({i: getattr(d, k) for i, d in known.items()})
            for k in ("kind", "count", "can_fall")
        },
    )
    flows, parks = s[s["kind"].eq("flow") & (s["months"] > 0)], catalog.parks
    rows = [
        *_december(flows, parks),
        *_falls(flows),
        *_repeats(flows[flows["months"] == 1]),
        *_on_target(s, targets, catalog, parks),
        *_parts(s[~s["revision"]], catalog),
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS[:8], "words"])
    table = table.sort_values(["p", "region", "indicator", "period", "measure"], ignore_index=True)
    tested = table["p"] > 0  # what cannot happen is no test of chance
    n = tested.sum()
    steps = np.minimum(1.0, table["p"][tested] * np.arange(n, 0, -1))
    table["p_adjusted"] = steps.cummax().reindex(table.index, fill_value=0.0)
    kept = table[table["p_adjusted"] < LEVEL].reset_index(drop=True)
    said = [_sentence(r, n, catalog) for r in kept.itertuples()]
    kept = kept.assign(looks=n, sentence=pd.Series(said, dtype="str"))
    return tables.shape(kept, tables.VINTAGE["WATCH"])


def _sentence(r, looks: int, catalog: Catalog) -> str:
    what = "" if r.indicator == ALL else f"{catalog.name(r.region)}「{catalog.name(r.indicator)}」"
    why = "按定义不会出现,可能是更正或口径不一。"
    if r.p:
        chance = f"概率{max(100 * r.p_adjusted, 0.1):.1f}%"
        why = f"若只凭偶然,约每{1 / r.p:,.0f}次出现1次(按共看{looks}处校正,{chance})。"
    return f"{what}{r.words}。{why}请报送单位说明。"


def _december(flows: pd.DataFrame, parks: Collection[str]) -> list[tuple]:
    """The last December against the series' own earlier ones, less what the other parks' Decembers changed.

    A December is measured by how far its logarithm lies above the mean of the other months of its year, in full years
    only; where January is reported with February, a year has eleven figures.
    """
    key = ["indicator", "region", "year"]
    f = flows.assign(log=np.log((flows["value"] / flows["months"]).where(flows["value"] > 0)))
    all_ = f.groupby(key).agg(months=("months", "sum"), demo=("demo", "any"))
    last = f["month"] == 12
    all_["above"] = f[last].set_index(key)["log"] - f[~last].groupby(key)["log"].mean()
    known = f.groupby(key)["log"].agg(lambda v: v.notna().all())
    full = all_[(all_["months"] == 12) & known].dropna(subset=["above"]).reset_index()
    rows = []
    for indicator, d in full.groupby("indicator"):
        year, before = d["year"].max(), d[d["year"] < d["year"].max()]
        past = before.groupby("region")["above"].agg(["mean", "count"])
        now = d[d["year"] == year].set_index("region").join(past, how="inner")
        change, by = now["above"] - now["mean"], 1 + 1 / now["count"]
        within = before["above"] - before.groupby("region")["above"].transform("mean")
        for region in now.index:
            others = change.index.isin(parks) & (change.index != region) & (region in parks)
            usual = change[others].mean() if others.any() else 0.0
            same = before["region"].isin([region, *change.index[others]])
            free = same.sum() - before.loc[same, "region"].nunique() + max(others.sum() - 1, 0)
            if free < 2:
                continue  # two Decembers say nothing of how far they scatter
            spread = (within[same] ** 2).sum() + ((change - usual)[others] ** 2 / by[others]).sum()
            scale = np.sqrt(
                spread / free * (by[region] + by[others].sum() / max(others.sum(), 1) ** 2)
            )
            if scale > 0:
                times, own = np.exp(now.at[region, "above"]), np.exp(now.at[region, "mean"])
                beside = f",扣除其他园区当年12月的变化{np.exp(usual):.1f}倍" if others.any() else ""
                rows.append(
                    (
                        region,
                        indicator,
                        f"{year}年12月",
                        "december_spike",
                        float(times),
                        "倍",
                        bool(now.at[region, "demo"]),
                        float(stats.t.sf((change[region] - usual) / scale, free)),
                        f"{year}年12月为其余各月(几何)平均的{times:.1f}倍,往年12月为{own:.1f}倍{beside}",
                    )
                )
    return rows


def _falls(flows: pd.DataFrame) -> list[tuple]:
    return [
        (
            r.region,
            r.indicator,
            str(r.end),
            "cumulative_fall",
            r.value,
            r.unit,
            r.demo,
            0.0,
            f"{r.end} 本年累计数比上月减少 {-r.value:g}{r.unit}",
        )
        for r in flows[(flows["value"] < 0) & ~flows["can_fall"].astype(bool)].itertuples()
    ]


def _repeats(single: pd.DataFrame) -> list[tuple]:
    """The longest run of one and the same figure in months that follow each other, and heaping on tens."""
    rows = []
    for (region, indicator), part in single.groupby(["region", "indicator"]):
        value, count, unit = (
            part["value"].to_numpy(),
            bool(part["count"].iloc[0]),
            part["unit"].iloc[0],
        )
        end, same = part["end"].to_numpy(), (region, indicator)
        demo = bool(part["demo"].any())
        p, best, at = _run(value, (12 * part["year"] + part["month"]).to_numpy(), count)
        if best:
            rows.append(
                (
                    *same,
                    f"{end[at]}至{end[at + best - 1]}",
                    "identical_increments",
                    best,
                    "个月",
                    demo,
                    p,
                    f"连续 {best} 个月都是 {value[at]:g}{unit}",
                )
            )
        big = value[value >= 100]
        if count and len(big) >= 8:
            k = int((big % 10 == 0).sum())
            rows.append(
                (
                    *same,
                    f"{end[0]}至{end[-1]}",
                    "round_numbers",
                    k,
                    "个",
                    demo,
                    float(stats.binom.sf(k - 1, len(big), 0.1)),
                    f"{len(big)} 个不小于 100 的月度数中 {k} 个末位为 0",
                )
            )
    return rows


def _run(value: np.ndarray, month: np.ndarray, count: bool) -> tuple[float, int, int]:
    """Chance, length and start of the longest run of equal figures; length 0 where none can be looked for."""
    if len(value) < 6 or not (value > 0).any():
        return 1.0, 0, 0
    best, start, at = 1, 0, 0
    for k in range(1, len(value)):
        if value[k] != value[k - 1] or value[k] == 0 or month[k] != month[k - 1] + 1:
            start = k
        if k - start + 1 > best:
            best, at = k - start + 1, start
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


def _on_target(
    s: pd.DataFrame, targets: pd.DataFrame, catalog: Catalog, parks: Collection[str]
) -> list[tuple]:
    """How many year-end figures rest exactly on their target, among those within a tenth of it, in one look.

    A sum over the parks is left to the parks.
    """
    goals = targets[targets["target_low"] > 0].rename(columns={"id": "indicator"})
    key = ["region", "indicator", "year"]
    both = s[s["kind"].isin(["flow", "stock"])].merge(goals[[*key, "target_low"]], on=key)
    split = set(both.loc[both["region"].isin(parks), "indicator"])
    both = both[both["region"].isin(parks) | ~both["indicator"].isin(split)]
    chances, exact, demo = [], [], False
    for (region, indicator, year, goal), part in both.groupby([*key, "target_low"]):
        flow = part["kind"].iloc[0] == "flow"
        own = part[part["months"].gt(0) | part["revision"]] if flow else part[part["months"] == 0]
        if not (own["month"] == 12).any() or flow and own["months"].sum() != 12:
            continue
        reached = float(own["value"].sum() if flow else own["value"].iloc[-1])
        step = 1.0 if own["count"].iloc[0] else _step(np.append(own["value"].to_numpy(), goal))
        near = np.floor(0.1 * goal / step + 1e-9)  # figures on either side that could be reported
        if near < 1 or abs(reached - goal) > near * step + step / 2:
            continue
        chances.append(1 / (2 * near + 1))
        demo |= bool(own["demo"].any())
        if abs(reached - goal) < step / 2:
            exact.append(f"{catalog.name(region)}「{catalog.name(indicator)}」{year}年{goal:g}")
    if not chances:
        return []
    p = float(stats.poisson_binom(chances).sf(len(exact) - 1))
    told = (
        f"年末数在目标上下10%以内的{len(chances)}项中,{len(exact)}项恰等于目标:{'、'.join(exact)}"
    )
    period = f"{both['year'].min()}—{both['year'].max()}"
    return [("zone", ALL, period, "on_target", len(exact), "项", demo, p, told)]


def _step(values: np.ndarray) -> float:
    """The smallest power of ten, up to the units' thousandth, in which all these figures are whole."""
    for power in range(6, -4, -1):
        scaled = values / 10.0**power
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            return 10.0**power
    return 1e-3


def _parts(s: pd.DataFrame, catalog: Catalog) -> list[tuple]:
    key = ["region", "start", "end", "months"]
    whole = {i.id: i.part_of for i in catalog.indicators.values() if i.part_of}
    parts = s[s["indicator"].isin(whole)].assign(whole=lambda d: d["indicator"].map(whole))
    both = parts.merge(
        s[[*key, "indicator", "value"]].rename(columns={"indicator": "whole"}),
        on=[*key, "whole"],
        suffixes=("", "_whole"),
    )
    return [
        (
            r.region,
            r.indicator,
            str(r.end),
            "part_above_whole",
            r.value - r.value_whole,
            r.unit,
            r.demo,
            0.0,
            f"{r.end} 为{r.value:g}{r.unit},大于「{catalog.name(r.whole)}」{r.value_whole:g}{r.unit}",
        )
        for r in both[both["value"] > both["value_whole"] * (1 + 1e-9)].itertuples()
    ]
