"""Findings on targets: where each stands against 序时进度 and what each remaining month asks."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zcqlib import quantity
from zcqlib.analysis import recent_means
from zcqlib.findings.found import Found, Given, Measure, finding
from zcqlib.quantity import Scale

PERCENT, TIMES, COUNT = Scale("%", digits=1), Scale("倍", digits=2), Scale("项")
NAN = float("nan")
NAMED = 3  # so many that tie are named, more are counted
PACE = {
    "done": Measure("已完成"),
    "due": Measure("序时应达"),
    "done_pct": Measure("完成率", PERCENT, "due_pct"),
    "due_pct": Measure("序时进度", PERCENT),
    "needed": Measure("余下每月所需"),
    "of_usual": Measure("每月所需÷近12个月均值", TIMES, 1.0),
    "of_best": Measure("每月所需÷历史最好单月", TIMES, 1.0),
    "of": Measure("累计类目标", COUNT),
    "below": Measure("低于序时进度", COUNT),
    "reached": Measure("已达到目标数", COUNT),
    "beyond": Measure("每月须超过历史最好单月", COUNT),
}


@finding(*PACE)
def pace(given: Given) -> Found:
    """The zone's flows among the ten groups against 序时进度 (a ruler and no verdict), and what is needed a month.

    Rows: by indicator `done`, `due`, `needed` in its unit (needed as printed, rounded up), `done_pct`, `due_pct` in %,
    `of_usual`, `of_best` (exact need by the last twelve months' mean and the best month ever); `all` counts; `least`
    is the lowest `done_pct`, `of` how many print alike.
    """
    p, s, period = given.table("PROJECTIONS"), given.table("SERIES"), given.period
    p = p[p["region"].eq("zone") & p["indicator"].isin(given.catalog.headline()["id"])]
    p = p[p["kind"].eq("flow") & p["target_low"].gt(0) & p["actual"].notna()]
    s = s[s["region"].eq("zone") & s["months"].eq(1) & ~s["revision"] & s["end"].le(period)]
    best = s.groupby("indicator")["value"].max()
    usual = {i: v for (_, i), v in recent_means(s, period).items()}
    rows = [_row(r, given, usual, best) for r in p.to_dict("records")]
    columns = ["label", "indicator", "region", "scale", "inputs", *PACE]
    t = pd.DataFrame(rows, [r["indicator"] for r in rows], columns)
    if rows:
        low = t[t["done_pct"].map(PERCENT.round).eq(PERCENT.round(t["done_pct"].min()))]
        t.loc["all", ["of", "due_pct"]] = len(rows), 100 * period.month / 12
        # not by `due`, a twelfth of which may not be exact
        t.loc["all", "below"] = (12 * p["actual"]).lt(period.month * p["target_low"]).sum()
        t.loc["all", ["reached", "beyond"]] = t["done_pct"].ge(100).sum(), t["of_best"].gt(1).sum()
        t.loc["least", ["of", "done_pct"]] = len(low), low["done_pct"].min()
        t.loc[["all", "least"], "label"] = "合计", "、".join(low["label"])
        t.loc[["all", "least"], "inputs"] = [";".join(f["inputs"].dropna()) for f in (t, low)]
    return Found(
        "pace",
        t,
        PACE,
        f"{given.source(*p['indicator'])}，自创办测算",
        f"{given.catalog.zone.parts_zh}合计，{period.year}年",
        period,
        given.known,
        bool(p["demo"].any()),
        *_told(t),
    )


def _row(r: Mapping, given: Given, usual: Mapping[str, float], best: Mapping[str, float]) -> dict:
    i, k, low, need = r["indicator"], given.period.month, r["target_low"], quantity.needed(r)
    scale, ask = quantity.row_scale(r), NAN if need is None else quantity.asked(r)
    over = lambda base: ask / base if base > 0 else NAN  # noqa: E731
    return dict(
        label=given.catalog.name(i),
        indicator=i,
        region="zone",
        scale=scale,
        inputs=";".join(f"{table}/zone.{i}" for table in ("PROJECTIONS", "TARGETS", "SERIES")),
        done=r["actual"],
        due=low * k / 12,
        done_pct=100 * r["actual"] / low,
        due_pct=100 * k / 12,
        needed=NAN if need is None else float(need * scale.factor),
        of_usual=over(usual.get(i, NAN)),
        of_best=over(best.get(i, NAN)),
    )


def _told(t: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """Title and sentences; what counts nothing is left out."""
    if t.empty:
        return "本期没有可比的累计数", ("本期没有可比的累计数",)
    n, ties = t.loc["all"], t.at["least", "of"]
    behind = "中，{all.below}低于" if n["below"] else "均不低于"
    never = "，{all.beyond}此后每月须超过历史最好单月" if n["beyond"] else ""
    reached = "，{all.reached}累计数已达到目标数" if n["reached"] else ""
    least = "是{least.label}，{least.done_pct}"
    if ties > NAMED:
        least = "有{least.of}，同为{least.done_pct}"
    return f"{{all.of}}{behind.replace('，', '')}序时进度{never}", (
        f"{{all.of}}累计类目标{behind}序时进度（{{all.due_pct}}）{reached}",
        f"完成率最低的{least}",
        "序时进度假定各月相同，有季节和批次的指标以年末预测为准",
    )
