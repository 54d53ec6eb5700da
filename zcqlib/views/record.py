"""The track record: what was said in past months and what came, on real series and on our own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.projection import peers, scores
from zcqlib.projection import replay as past
from zcqlib.views.parts import published

SOURCE = "美国人口普查局企业成立统计、美国专利商标局授权专利(PatentsView整理)"
MONTHS = {k: f"{k}月" for k in range(1, 13)}


def replay(month: Month, years: range = peers.YEARS) -> pd.DataFrame:
    """Past years of the real monthly series, projected from every month with what was then known; a row a call."""
    return past.replay(peers.record_series(published(month)), years, peers.ORIGINS)


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
    whole = past.joint_calls(states, peers.record_series(published(month)))
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


def _about(month: Month, calls: pd.DataFrame, title: str, subtitle: str, own: bool):
    years = f"{calls['year'].min()}—{calls['year'].max()}年"
    where = (
        f"自有{calls['series_id'].nunique()}条序列"
        if own
        else f"美国{calls['series_id'].nunique()}条月度序列"
    )
    return month.caption(
        quantity.fit_title(title),
        f"{subtitle};{where},{years}回放",
        demo=own and month.workspace.demo,
        source="" if own else SOURCE,
        as_of=f"{calls['year'].max()}年",
    )


def record(month: Month, calls: pd.DataFrame, own: bool = False) -> Figure:
    """What we said and what came."""
    s, c = past.score(calls), past.chances(calls)
    points = scores.reliability(c["p"].to_numpy(), c["met"].to_numpy())
    half = 1.645 * np.sqrt(np.maximum(points["p"] * (1 - points["p"]), 0.01) / points["n"])
    points = points.assign(
        low=(points["p"] - half).clip(0, 1), high=(points["p"] + half).clip(0, 1)
    )
    sure = c.groupby(c["linear"].astype(float))["met"].agg(["mean", "size"]).reset_index()
    b = c[(c["p"] >= 0.65) & (c["p"] < 0.75)]
    first = (
        f"说“约七成把握”的{len(b)}次里做到了{int(b['met'].sum())}次"
        if len(b) >= 10
        else say.said_and_came(float(c["p"].mean()), float(c["met"].mean()))
    )
    share = error_share(calls)
    return figures.calibration(
        points,
        _about(
            month,
            calls,
            f"{first};{say.against_linear(share)}",
            "说的把握与实际完成比例(%),目标设为上年的95%至120%共五档",
            own,
        ),
        rival=sure.set_axis(["p", "met", "n"], axis=1),
        big=quantity.percent(share, 0),
        big_words="我们的平均误差与序时进度之比",
        more=[
            f"80%区间实际覆盖{quantity.percent(s['cov80'].mean(), 0)}({len(s)}次)",
            f"95%区间实际覆盖{quantity.percent(s['cov95'].mean(), 0)}",
        ],
    )


def error_share(calls: pd.DataFrame) -> float:
    """Our mean error by that of 序时进度, which says one number and no distribution: so the errors of the medians."""
    s = past.score(calls)
    return s["error"].mean() / s["linear_error"].mean()
