"""Figures that ask for a second look: what is odd, how often chance alone would show it, in neutral words.

Each look has a stated test. Chances are corrected for the number of looks by Holm's rule, so that in a table where
nothing is odd a false hint appears in at most 5 % of the runs. A hint is a question, not a verdict.
"""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from zcqlib.catalog import Catalog

LEVEL = 0.05
COLUMNS = ("region", "indicator", "period", "measure", "value", "unit", "demo", "p", "p_adjusted", "looks", "sentence")
TESTS = {
    "december_spike": "12 月比同年其余各月的对数均值高出多少,按 t 分布(同年其余各月的离散程度)",
    "on_target": "年末数恰等于目标;目标上下 10% 内每个可报的数机会相同",
    "identical_increments": "连续三个月以上数字相同;相邻两月相同的机会按该系列自身的波动(不小于泊松波动)",
    "round_numbers": "不小于 100 的月度件数中末位为 0 的个数,按二项分布(机会 1/10)",
    "cumulative_fall": "本年累计数下降,按定义不会出现",
    "part_above_whole": "其中项大于总项,按定义不会出现",
}


def watch(series: pd.DataFrame, targets: pd.DataFrame, catalog: Catalog,
          as_of: pd.Period | None = None) -> pd.DataFrame:
    """Look at every series of the parks, the zone and the city for figures that ask for a second look.

    Parameters
    ----------
    series : SERIES in normal units. targets : TARGETS, for figures that rest exactly on a target at year end.
    as_of : last month looked at. For a series of n years all of its Decembers are looked at.
    Returns
    -------
    The columns of FINDINGS, and `p` (how often chance alone shows as much), `p_adjusted` (by Holm for all `looks`
    of the run), `sentence`. Only rows with `p_adjusted` below 5 %, most unlikely first; `value` is what the test counts
    in `unit`. What cannot happen by definition has p 0.
    Source
    ------
    各月报表与目标表;检验方法见 TESTS。
    """
    s = series if as_of is None else series[series["end"] <= as_of]
    s = s[s["indicator"].isin(catalog.indicators) & s["value"].notna()].sort_values("end")
    s = s.assign(year=s["end"].dt.year, month=s["end"].dt.month)
    goals = dict(iter(targets.groupby(["region", "id"])))
    found = [look for key, part in s.groupby(["region", "indicator"])
             for look in _looks(*key, part, goals.get(key, targets.iloc[:0]), catalog)]
    found += _parts(s, catalog)
    table = pd.DataFrame(found, columns=[c for c in COLUMNS if c not in ("p_adjusted", "looks")])
    table = table.sort_values(["p", "region", "indicator", "period", "measure"], ignore_index=True)
    tested = table[table["p"] > 0].index  # what cannot happen is no test of chance
    n = len(tested)
    steps = np.minimum(1.0, table["p"].loc[tested].to_numpy() * (n - np.arange(n)))
    table["p_adjusted"] = 0.0
    table.loc[tested, "p_adjusted"] = np.maximum.accumulate(steps) if n else steps
    table["looks"] = n
    kept = table[table["p_adjusted"] < LEVEL].reset_index(drop=True)
    chance = [f"若只凭偶然,出现的机会约 {p:.1e}(共看 {n} 处,校正后 {q:.1e})。" if p else
              "按定义不会出现,可能是更正或口径不一。" for p, q in zip(kept["p"], kept["p_adjusted"], strict=True)]
    kept["sentence"] = pd.Series([s + c + "请报送单位说明。" for s, c in zip(kept["sentence"], chance, strict=True)],
                                 dtype="str")
    return kept[list(COLUMNS)].astype({"demo": bool})


def _looks(region: str, indicator: str, part: pd.DataFrame, targets: pd.DataFrame, catalog: Catalog) -> Iterator[dict]:
    i, name = catalog.indicators[indicator], f"{catalog.name(region)}「{catalog.name(indicator)}」"
    demo = bool(part["demo"].any())

    def look(period, measure: str, value: float, unit: str, p: float, words: str) -> dict:
        return dict(region=region, indicator=indicator, period=str(period), measure=measure, value=float(value),
                    unit=unit, demo=demo, p=float(p), sentence=f"{name}{words}。")

    yearly = part[part["months"] > 0] if i.kind == "flow" else part[part["months"] == 0]
    if i.kind == "flow":
        single = part[part["months"] == 1]
        for year, months in yearly.groupby("year"):
            yield from _december(year, months, look)
        if not i.can_fall:
            for r in yearly[yearly["value"] < 0].itertuples():
                yield look(r.end, "cumulative_fall", r.value, r.unit, 0.0,
                           f"{r.end} 本年累计数比上月减少 {-r.value:g}{r.unit}")
        yield from _same(single, i.count, look)
        big = single.loc[single["value"] >= 100, "value"] if i.count else single["value"].iloc[:0]
        if len(big) >= 8:
            k = int((big % 10 == 0).sum())
            yield look(f"{single['end'].min()}至{single['end'].max()}", "round_numbers", k, "个", stats.binom.sf(
                k - 1, len(big), 0.1), f"{len(big)} 个不小于 100 的月度数中 {k} 个末位为 0")
    for t in targets.itertuples():
        yield from _on_target(t, yearly, i, look)


def _december(year: int, months: pd.DataFrame, look) -> Iterator[dict]:
    """December against the other months of its year; where January is reported with February, eleven figures."""
    rate = (months["value"] / months["months"])[months["value"] > 0]
    last = months["month"].loc[rate.index] == 12
    if months["months"].sum() != 12 or last.sum() != 1 or len(rate) < len(months):
        return
    logs, other = np.log(rate), np.log(rate[~last])
    spread = other.std() * np.sqrt(1 + 1 / len(other))
    if spread > 0:
        excess = float(logs[last].iloc[0] - other.mean())
        yield look(f"{year}-12", "december_spike", np.exp(excess), "倍", stats.t.sf(excess / spread, len(other) - 1),
                   f"{year} 年 12 月为其余各月(几何)平均的 {np.exp(excess):.1f} 倍,季节性也会如此")


def _same(single: pd.DataFrame, count: bool, look) -> Iterator[dict]:
    """The longest run of one and the same figure in months that follow each other."""
    if len(single) < 6 or not (single["value"] > 0).any():
        return
    value, end = single["value"].to_numpy(), (12 * single["year"] + single["month"]).to_numpy()
    best, start, at = 1, 0, 0
    for k in range(1, len(value)):
        if value[k] != value[k - 1] or value[k] == 0 or end[k] != end[k - 1] + 1:
            start = k
        if k - start + 1 > best:
            best, at = k - start + 1, start
    if best < 3:
        yield look("", "identical_increments", best, "个月", 1.0, "")
        return
    rest = np.delete(value, range(at, at + best))
    step = 1.0 if count else _step(value)
    spread = max(float(rest.std(ddof=1)) if len(rest) > 2 else 0.0, np.sqrt(value.mean()) if count else 0.0)
    if spread > 0:
        equal = min(1.0, step / (2 * np.sqrt(np.pi) * spread))  # two normal draws fall within the same step
        p = min(1.0, (len(value) - best + 1) * equal ** (best - 1))
        first, last = single["end"].iloc[[at, at + best - 1]]
        yield look(f"{first}至{last}", "identical_increments", best, "个月", p,
                   f"连续 {best} 个月都是 {value[at]:g}{single['unit'].iloc[0]}")


def _on_target(t, part: pd.DataFrame, i, look) -> Iterator[dict]:
    year = part[part["year"] == t.year]
    if i.kind not in ("flow", "stock") or not t.target_low > 0 or not (year["month"] == 12).any():
        return
    if i.kind == "flow" and year["months"].sum() != 12:
        return
    reached = float(year["value"].sum()) if i.kind != "stock" else float(year["value"].iloc[-1])
    step = 1.0 if i.count else _step(np.append(year["value"].to_numpy(), t.target_low))
    p = 1 / (2 * 0.1 * t.target_low / step + 1)
    yield look(t.year, "on_target", reached, t.unit, p if abs(reached - t.target_low) < step / 2 else 1.0,
               f"{t.year} 年末数恰为目标 {t.target_low:g}{t.unit}")


def _step(values: np.ndarray) -> float:
    """The smallest power of ten, up to the units' thousandth, in which all these figures are whole."""
    for power in range(6, -4, -1):
        scaled = values / 10.0 ** power
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            return 10.0 ** power
    return 1e-3


def _parts(s: pd.DataFrame, catalog: Catalog) -> list[dict]:
    key = ["region", "start", "end", "months"]
    out = []
    for i in catalog.indicators.values():
        if not i.part_of:
            continue
        both = s[s["indicator"] == i.id].merge(s.loc[s["indicator"] == i.part_of, [*key, "value"]], on=key,
                                               suffixes=("", "_whole"))
        out += [dict(region=r.region, indicator=i.id, period=str(r.end), measure="part_above_whole",
                     value=r.value - r.value_whole, unit=r.unit, demo=bool(r.demo), p=0.0,
                     sentence=f"{catalog.name(r.region)} {r.end}「{i.name_zh}」{r.value:g}{r.unit},大于"
                              f"「{catalog.name(i.part_of)}」{r.value_whole:g}{r.unit}。")
                for r in both[both["value"] > both["value_whole"] * (1 + 1e-9)].itertuples()]
    return out
