"""The track record: what was said in past months and what came, on real series and on our own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings import Found, Measure
from zcqlib.findings.found import lay
from zcqlib.month import Month
from zcqlib.projection import peers, scores
from zcqlib.projection import replay as past
from zcqlib.published import published_series
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

SOURCE = "美国人口普查局企业成立统计、美国专利商标局授权专利(PatentsView整理)"
SMALL = 100  # a share of fewer cases has an interval of ten points either way
MONTHS = {k: f"{k}月" for k in range(1, 13)}


def replay(month: Month, years: range = peers.YEARS) -> pd.DataFrame:
    """Past years of the real monthly series, projected from every month with what was then known; a row a call."""
    series = peers.record_series(published_series(month.table("PUBLISHED")))
    if series.empty:
        raise MissingData("没有用来检验的公开月度序列（data/raw/published）")
    return past.replay(series, years, peers.ORIGINS)


def own_replay(month: Month) -> pd.DataFrame:
    """The same on our own flows: closed years that have at least one year before them."""
    s = month.table("SERIES")
    flows = set(month.catalog.targets.query("kind == 'flow'")["id"])
    s = s[s["indicator"].isin(flows) & s["months"].between(1, 11) & ~s["region"].eq("city")]
    if s.empty:
        return past.replay(s, [])
    calls = past.replay(s.drop(columns="published"), range(s["end"].min().year + 1, month.year))
    return calls[calls["before"] >= 12].reset_index(
        drop=True
    )  # a target of 5 % more means nothing below that


def own_calls(month: Month) -> pd.DataFrame:
    """What we really said in each month that was run, scored where its year is closed by now."""
    kept = [
        v
        for m in month.workspace.report_months()
        if m <= month.period and (v := month.workspace.current(m))
    ]
    tables = [
        [pd.read_parquet(v / f"{name}.parquet") for v in kept]
        for name in ("PROJECTIONS", "QUANTILES")
    ]
    growth_of = {i: x.growth_of for i, x in month.catalog.indicators.items() if x.growth_of}
    said, q = (
        pd.concat(t, ignore_index=True) if t else month.table(n)
        for t, n in zip(tables, ("PROJECTIONS", "QUANTILES"), strict=True)
    )
    key = ["region", "indicator", "year", "as_of"]
    return past.score_stored(
        said.drop_duplicates(key, keep="last"),
        q.drop_duplicates([*key, "level"], keep="last"),
        month.table("SERIES"),
        growth_of,
    )


def record_table(calls: pd.DataFrame) -> pd.DataFrame:
    """Scores by month of call, worded: how many, how often inside the intervals, how far off, against 序时进度."""
    s = past.score(calls)
    g = pd.concat(
        [s.groupby("k").mean(numeric_only=True), s.mean(numeric_only=True).to_frame("全部").T]
    )
    n = s["k"].value_counts()
    return pd.DataFrame(
        {
            "判断月份": [MONTHS.get(k, k) for k in g.index],
            "次数": [int(n.get(k, len(s))) for k in g.index],
            "80%区间实际覆盖": [quantity.percent(v, 0) for v in g["cov80"]],
            "95%区间实际覆盖": [quantity.percent(v, 0) for v in g["cov95"]],
            "平均误差": [quantity.number(v, "%") for v in g["error"]],
            "序时进度误差": [quantity.number(v, "%") for v in g["linear_error"]],
            "CRPS(占上年%)": [quantity.number(100 * v, "", 2) for v in g["crps"]],
            "布赖尔得分": [quantity.number(v, "", 3) for v in g["brier"]],
            "序时进度布赖尔": [quantity.number(v, "", 3) for v in g["linear_brier"]],
        }
    )


def joint_table(month: Month, calls: pd.DataFrame) -> pd.DataFrame:
    """Whether sums and parts agree and both stay calibrated: twelve states, their joint sum, and bounds just added."""
    states = calls[calls["series_id"].str.match(r"US-..\|business_applications$")]
    whole = past.joint_calls(
        states, peers.record_series(published_series(month.table("PUBLISHED")))
    )
    alone = (
        states.groupby(["year", "k"])[[*scores.LEVELS, "truth", "before", "scale", "linear"]]
        .sum()
        .reset_index()
    )
    rows = {
        "各州": states,
        "联合加总": whole,
        "区间直接相加(不采用)": alone.assign(series_id="sum"),
    }
    found = {name: past.score(c).mean(numeric_only=True) for name, c in rows.items()}
    return pd.DataFrame(
        {
            "测算": list(rows),
            "次数": [len(c) for c in rows.values()],
            "80%区间实际覆盖": [quantity.percent(f["cov80"], 0) for f in found.values()],
            "95%区间实际覆盖": [quantity.percent(f["cov95"], 0) for f in found.values()],
            "CRPS(占上年%)": [quantity.number(100 * f["crps"], "", 2) for f in found.values()],
        }
    )


def own_table(scored: pd.DataFrame) -> pd.DataFrame:
    """Scores of our stored calls by kind and month of call; no rows before a year is closed."""
    kinds = {"flow": "累计", "stock": "存量", "ratio": "比率", "growth": "增速"}
    g = scored.groupby(["kind", "k"])
    columns = {
        "brier": ("布赖尔得分", 3),
        "linear_brier": ("序时进度布赖尔", 3),
        "cov80": ("80%区间实际覆盖", 2),
        "crps": ("CRPS(占目标)", 3),
    }
    have = [c for c in columns if c in scored]
    table = (
        g[have]
        .mean()
        .round({c: columns[c][1] for c in have})
        .rename(columns={c: columns[c][0] for c in have})
    )
    table.insert(0, "次数", g.size())
    return (
        table.reset_index()
        .assign(kind=lambda d: d["kind"].map(kinds), k=lambda d: d["k"].map(MONTHS))
        .rename(columns={"kind": "类型", "k": "判断月份"})
    )


def own_told(said: pd.DataFrame, scored: pd.DataFrame) -> str:
    """What we said this year (TRAIL), and how the stored calls of closed years came true."""
    given, demo = said[said["probability"].notna()], bool(said["demo"].any())
    kept = "本年还没有判断"
    if len(given):
        kept = f"{int(given['year'].max())}年已留存{len(given)}次判断({given['as_of'].nunique()}个月),年度结束后打分"
    if scored.empty:
        return quantity.block([kept, "此前没有已结束年度的留存判断"], demo)
    return quantity.block(
        [
            f"已结束年度的{len(scored)}次判断,平均把握{quantity.percent(scored['p'].mean(), 0)},"
            f"实际完成{quantity.percent(scored['met'].mean(), 0)};布赖尔得分{quantity.number(scored['brier'].mean(), '', 3)},"
            f"按序时进度为{quantity.number(scored['linear_brier'].mean(), '', 3)}",
            kept,
        ],
        demo,
    )


RATES, TIMES = Scale("%"), Scale("次")
RECORD = {
    "said": Measure("当时说的把握", RATES),
    "came": Measure("实际完成的比例", RATES),
    "by_luck": Measure("抽样误差下限", RATES),
    "by_luck_high": Measure("抽样误差上限", RATES),
    "cases": Measure("次数", Scale("")),
    "calls": Measure("回放次数", TIMES),
    "share": Measure("平均误差与序时进度之比", RATES),
    "cov80": Measure("80%区间实际覆盖", RATES),
    "cov95": Measure("95%区间实际覆盖", RATES),
    "seven": Measure("说“约七成把握”", TIMES),
    "seven_came": Measure("其中做到", TIMES),
}


def record(month: Month, calls: pd.DataFrame, own: bool = False) -> Found:
    """What we said and what came, of calls as `replay` gives them.

    Rows: `said<n>` a class of chances, with the range where the share would lie by luck alone; `sure<n>` what 序时进度
    said, which is sure of itself; `all`.
    """
    s, c = past.score(calls), past.chances(calls)
    said = scores.reliability(c["p"].to_numpy(), c["met"].to_numpy())
    half = 1.645 * np.sqrt(np.maximum(said["p"] * (1 - said["p"]), 0.01) / said["n"])
    said["by_luck"], said["by_luck_high"] = (
        (said["p"] - half).clip(0, 1),
        (said["p"] + half).clip(0, 1),
    )
    sure = c.groupby(c["linear"].astype(float))["met"].agg(["mean", "size"]).reset_index()
    sure = sure.set_axis(["p", "met", "n"], axis=1)
    parts = {"said": said, "sure": sure}
    t = pd.concat([t.rename(index=lambda n, k=k: f"{k}{n}") for k, t in parts.items()])
    t = t.rename(columns={"p": "said", "met": "came", "n": "cases"})
    t[["said", "came", "by_luck", "by_luck_high"]] *= 100
    about = dict(indicator="record", inputs="SERIES/" if own else "PUBLISHED/")
    rows = lay(t.assign(label=t.index, **about), RECORD).assign(at=t["said"])
    b = c[c["p"].between(0.65, 0.75, inclusive="left")]
    whole = dict(said=100 * c["p"].mean(), came=100 * c["met"].mean(), calls=len(calls))
    whole |= dict(share=100 * error_share(calls), seven=len(b), seven_came=b["met"].sum())
    whole |= {k: 100 * s[k].mean() for k in ("cov80", "cov95")}
    rows.loc["all", list(whole)] = list(map(float, whole.values()))
    rows.loc["all", ["label", "indicator", "inputs"]] = "合计", "", about["inputs"]
    first = "平均把握{all.said}，实际完成{all.came}"
    small = ["回放次数少，只作参考"] * (len(calls) < SMALL)
    told = (f"{{all.calls}}回放中，{first}", "平均误差是序时进度的{all.share}", *small)
    title = "说“约七成把握”的{all.seven}里做到了{all.seven_came}" if len(b) >= 10 else first
    n, years = calls["series_id"].nunique(), f"{calls['year'].min()}—{calls['year'].max()}年"
    where = f"{'自有' if own else '美国'}{n}条{'' if own else '月度'}序列，{years}回放"
    source = f"{month.source()}，自创办测算" if own else SOURCE
    when = pd.Period(f"{calls['year'].max()}-12", "M")
    made = source, where, when, month.known, own and month.workspace.demo
    return Found("record", rows, RECORD, *made, (f"{title}；{told[1]}", title), told)


def error_share(calls: pd.DataFrame) -> float:
    """Our mean error by that of 序时进度, which says one number and no distribution: so the errors of the medians."""
    s = past.score(calls)
    return s["error"].mean() / s["linear_error"].mean()
