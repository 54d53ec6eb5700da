"""The track record: replays of past months and how calls came true."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import published


def replay(month: Month, indicator: str = "business_applications", first: int = 2010, last: int = 2019) -> pd.DataFrame:
    """Past years of a real monthly series projected from each month with what was known: one row a call.

    `region`, `year`, `k`, `truth`, `median`, `low`, `high`, `linear` (序时进度), `probability` of five per cent more than
    the year before, `met`.
    """
    from zcqlib.projection import project_year_end

    s = published(month)
    s = s[(s["indicator"] == indicator) & (s["months"] == 1)]
    s = s.assign(year=s["end"].dt.year, month=s["end"].dt.month)
    out = []
    for k in (1, 3, 6, 9, 11):
        for year in range(first, last + 1):
            known = s[(s["year"] < year) | (s["year"] == year) & (s["month"] <= k)]
            history = pd.DataFrame(
                {"series_id": known["region"], "period": known["end"].astype("str"), "value": known["value"]}
            )
            before = s[s["year"] == year - 1].groupby("region")["value"].sum()
            truth = s[s["year"] == year].groupby("region")["value"].sum()
            ytd = s[(s["year"] == year) & (s["month"] <= k)].groupby("region")["value"].sum()
            p = project_year_end(history, year=year, levels=(0.1, 0.5, 0.9), targets=1.05 * before).set_index(
                "series_id"
            )
            out.append(
                pd.DataFrame(
                    {
                        "region": p.index,
                        "year": year,
                        "k": k,
                        "truth": truth.reindex(p.index).to_numpy(),
                        "median": p[0.5].to_numpy(),
                        "low": p[0.1].to_numpy(),
                        "high": p[0.9].to_numpy(),
                        "linear": (ytd * 12 / k).reindex(p.index).to_numpy(),
                        "probability": p["probability"].to_numpy(),
                        "met": (truth >= 1.05 * before).reindex(p.index).to_numpy(),
                    }
                )
            )
    return pd.concat(out, ignore_index=True)


def record(month: Month, calls: pd.DataFrame) -> Figure:
    """What we said and what came, on real series."""
    bins = np.clip((calls["probability"] * 10).astype(int), 0, 9)
    g = (
        calls.groupby(bins)
        .agg(p=("probability", "mean"), met=("met", "mean"), n=("met", "size"))
        .reset_index(drop=True)
    )
    half = 1.645 * np.sqrt(np.maximum(g["met"] * (1 - g["met"]), 0.01) / g["n"])
    points = g.assign(low=(g["met"] - half).clip(0, 1), high=(g["met"] + half).clip(0, 1))
    ours = (calls["median"] - calls["truth"]).abs() / calls["truth"]
    line = (calls["linear"] - calls["truth"]).abs() / calls["truth"]
    inside = float(((calls["truth"] >= calls["low"]) & (calls["truth"] <= calls["high"])).mean())
    title = say.title_record(
        float(calls["probability"].mean()), float(calls["met"].mean()), 1 - ours.mean() / line.mean()
    )
    years = f"{calls['year'].min()}—{calls['year'].max()}年"
    return figures.calibration(
        points,
        month.caption(
            title,
            f"把握(%)与实际完成比例(%);美国{calls['region'].nunique()}个地区新企业申请,{years}回放",
            source="美国人口普查局企业成立统计",
            demo=False,
            as_of=f"{calls['year'].max()}年",
        ),
        big=f"{100 * inside:.0f}%",
        big_words=f"的年末值落在80%区间内({len(calls)}次)",
    )


def record_error(month: Month, calls: pd.DataFrame) -> Figure:
    """Error by month of call, against 序时进度."""
    e = calls.assign(
        我们=100 * (calls["median"] - calls["truth"]).abs() / calls["truth"],
        序时进度=100 * (calls["linear"] - calls["truth"]).abs() / calls["truth"],
    )
    g = e.groupby("k")[["我们", "序时进度"]].mean().stack().reset_index().set_axis(["x", "series", "value"], axis=1)
    wide = g.pivot(index="x", columns="series", values="value")
    best = (wide["序时进度"] / wide["我们"]).max()
    title = words.fit_title(f"年末值的平均误差,序时进度最多是我们的{words.number(best, '倍', 1)}")
    g["x"] = [f"{k}月" for k in g["x"]]
    years = f"{calls['year'].min()}—{calls['year'].max()}年"
    order = {f"{k}月": i for i, k in enumerate((1, 3, 6, 9, 11))}
    g = g.assign(o=g["x"].map(order)).sort_values("o")
    g["x"] = [int(x[:-1]) for x in g["x"]]
    return figures.lines(
        g,
        month.caption(
            title,
            f"年末值平均绝对误差(%),按判断时已知月数;美国{calls['region'].nunique()}个地区,{years}回放",
            source="美国人口普查局企业成立统计",
            demo=False,
            as_of=f"{calls['year'].max()}年",
        ),
        highlight=["我们"],
        benchmark="序时进度",
        show=lambda v: words.number(v, "", 1),
        unit="%",
        zero=True,
    )
