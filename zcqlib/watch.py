"""Figures that ask for a second look: what is odd, how often chance alone would show it, in neutral words.

Each look has a stated test. Chances are corrected for the number of looks by Holm's rule, so that in a table where
nothing is odd a false hint appears in at most 5 % of the runs. A hint is a question, not a verdict.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from zcqlib import tables
from zcqlib.catalog import Catalog

LEVEL = 0.05
COLUMNS = (
    "region",
    "indicator",
    "period",
    "measure",
    "value",
    "unit",
    "demo",
    "p",
    "p_adjusted",
    "looks",
    "sentence",
)
NAMES = {
    "december_spike": "12月突增",
    "on_target": "恰等于目标",
    "identical_increments": "连续数字相同",
    "round_numbers": "末位多为0",
    "cumulative_fall": "累计数下降",
    "part_above_whole": "其中项大于总项",
}
TESTS = {
    "december_spike": "各年 12 月比同年其余各月的对数均值高出多少,按 t 分布(同年其余各月的离散程度,各年合并)",
    "on_target": "年末数恰等于目标;目标上下 10% 内每个可报的数机会相同",
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
    The columns of FINDINGS, and `p` (how often chance alone shows as much), `p_adjusted` (by Holm for all `looks`
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
    flows = s[s["kind"].eq("flow") & (s["months"] > 0)]
    rows = [
        *_december(flows),
        *_falls(flows),
        *_repeats(flows[flows["months"] == 1]),
        *_on_target(s, targets, catalog),
        *_parts(s[~s["revision"]], catalog),
    ]
    table = pd.DataFrame(
        rows,
        columns=["region", "indicator", "period", "measure", "value", "unit", "demo", "p", "words"],
    )
    table = table.sort_values(["p", "region", "indicator", "period", "measure"], ignore_index=True)
    tested = table[table["p"] > 0].index  # what cannot happen is no test of chance
    n = len(tested)
    steps = np.minimum(1.0, table["p"].loc[tested].to_numpy() * (n - np.arange(n)))
    table["p_adjusted"] = 0.0
    table.loc[tested, "p_adjusted"] = np.maximum.accumulate(steps) if n else steps
    table["looks"] = n
    kept = table[table["p_adjusted"] < LEVEL].reset_index(drop=True)
    kept["sentence"] = pd.Series(
        [
            f"{catalog.name(r.region)}「{catalog.name(r.indicator)}」{r.words}。"
            + (
                f"若只凭偶然,约每{1 / r.p:,.0f}次出现1次(按共看{n}处校正,概率{max(100 * r.p_adjusted, 0.1):.1f}%)。"
                if r.p
                else "按定义不会出现,可能是更正或口径不一。"
            )
            + "请报送单位说明。"
            for r in kept.itertuples()
        ],
        dtype="str",
    )
    return kept[list(COLUMNS)].astype({"demo": bool, "value": float, "p": float, "period": "str"})


def _december(flows: pd.DataFrame) -> list[tuple]:
    """December against the other months of its year, over all full years of a series in one look.

    Where January is reported with February, a year has eleven figures.
    """
    key = ["region", "indicator", "year"]
    f = flows.assign(
        log=np.log((flows["value"] / flows["months"]).where(flows["value"] > 0)),
        last=flows["month"] == 12,
    )
    other = f[~f["last"]].groupby(key)["log"].agg(["mean", "var", "count"])
    year = f.groupby(key).agg(
        months=("months", "sum"), some=("log", "count"), all=("log", "size"), demo=("demo", "any")
    )
    year = year.join(other).join(f[f["last"]].set_index(key)["log"].rename("december"), how="inner")
    year = year[(year["months"] == 12) & (year["some"] == year["all"])].reset_index()
    year = year.assign(
        excess=year["december"] - year["mean"], free=year["count"] - 1, by=1 + 1 / year["count"]
    )
    rows = []
    for (region, indicator), y in year.groupby(["region", "indicator"]):
        spread = np.sqrt((y["var"] * y["free"]).sum() / y["free"].sum())
        if spread > 0:
            times = float(np.exp(y["excess"].mean()))
            t = y["excess"].sum() / (spread * np.sqrt(y["by"].sum()))
            span = f"{y['year'].min()}" + (f"至{y['year'].max()}" if len(y) > 1 else "")
            rows.append(
                (
                    region,
                    indicator,
                    f"{span}年12月",
                    "december_spike",
                    times,
                    "倍",
                    bool(y["demo"].any()),
                    float(stats.t.sf(t, y["free"].sum())),
                    f"{span} 年 12 月为其余各月(几何)平均的 {times:.1f} 倍,季节性也会如此",
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


def _on_target(s: pd.DataFrame, targets: pd.DataFrame, catalog: Catalog) -> list[tuple]:
    """Year-end figures of flows and stocks against the targets of their year."""
    goals = targets[targets["target_low"] > 0].rename(columns={"id": "indicator"})
    both = s.merge(
        goals[["region", "indicator", "year", "target_low"]], on=["region", "indicator", "year"]
    )
    rows = []
    for (region, indicator, year, goal), part in both.groupby(
        ["region", "indicator", "year", "target_low"]
    ):
        flow = part["kind"].iloc[0] == "flow"
        own = part[part["months"].gt(0) | part["revision"]] if flow else part[part["months"] == 0]
        if (
            part["kind"].iloc[0] not in ("flow", "stock")
            or not (own["month"] == 12).any()
            or (flow and own["months"].sum() != 12)
        ):
            continue
        reached = float(own["value"].sum() if flow else own["value"].iloc[-1])
        step = 1.0 if own["count"].iloc[0] else _step(np.append(own["value"].to_numpy(), goal))
        rests = abs(reached - goal) < step / 2
        rows.append(
            (
                region,
                indicator,
                str(year),
                "on_target",
                reached,
                own["unit"].iloc[0],
                bool(own["demo"].any()),
                1 / (0.2 * goal / step + 1) if rests else 1.0,
                f"{year} 年末数恰为目标 {goal:g}{catalog.unit(indicator)}",
            )
        )
    return rows


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
