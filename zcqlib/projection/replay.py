"""The record: past months projected with only what was then known, and stored calls scored once the year is known."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from zcqlib.catalog import Target
from zcqlib.projection import peers, scoring
from zcqlib.projection.engine import needs, project_year_end
from zcqlib.projection.history import Rows
from zcqlib.projection.panel import MAX_YEARS, month_numbers
from zcqlib.projection.scoring import LEVELS
from zcqlib.tables import VINTAGE, covering, shape

MULTIPLES = (0.95, 1.0, 1.05, 1.1, 1.2)  # made-up targets of a replay, in last year's totals
LEAST = 12  # a target of 5 % more than last year means nothing below such a total
SCORES = "error linear_error crps cov80 cov95 brier linear_brier".split()
CALL = ["series_id", "year", "k"]
COLUMNS = [*CALL, "truth", "before", "scale", "linear", *LEVELS]


def replay(
    series: DataFrame,
    years: Iterable[int],
    origins: Iterable[int] = range(1, 12),
    kind: str = "flow",
) -> DataFrame:
    """Project past years from past months, each with only what was known then.

    Parameters
    ----------
    series : SERIES, or `series_id`, `period`, `value` and optional `months` as for `project_year_end`. A figure counts
        as known from its own month on.
    years : to project; one without all twelve months in `series` gives no call. origins : months k known, 1 to 11.
    kind : flow or stock.
    Returns
    -------
    One row a call: `series_id` (of SERIES: region|indicator), `year`, `k`, `truth`, `before` (last year's year end,
    NaN where unknown), `scale` (of the scores: last year's total, for a stock its mean month), `linear` (序时进度: the
    year to date × 12/k, for a stock the last level) and one column a level of LEVELS.
    Raises
    ------
    ValueError : an origin is not a month from 1 to 11; a column is missing.
    Source
    ------
    series 自带来源;只用当时已知的数字。
    """
    origins, stock = list(origins), kind == "stock"
    if not set(origins) <= set(range(1, 12)):
        raise ValueError(f"origins are months from 1 to 11, not {origins}")
    rows = _history(series, stock)
    by = rows.groupby(CALL[:2])
    ends = by.value.agg(["sum", "last"])[by.months.sum() == 12]
    ends = DataFrame(
        {"truth": ends["last" if stock else "sum"], "scale": ends["sum"] / (12 if stock else 1)}
    )
    before = ends.rename(index=lambda year: year + 1, level="year")
    calls = ends[["truth"]].join(before.rename(columns={"truth": "before"})).reset_index()
    calls = calls.query("year in @years").merge(Series(origins, name="k"), "cross")
    calls["call"] = np.arange(len(calls))
    known = calls[["call", *CALL]].merge(rows.drop(columns="year"), on="series_id")
    known["since"] = known.month - 12 * known.year  # months since the year began
    known = known[known.since.between(-12 * MAX_YEARS, known.k - 1)]
    now = known[known.since >= 0].groupby("call")["value"]
    done = calls.call.map(now.last() if stock else now.sum())
    calls["linear"] = done if stock else done * (12 / calls.k)
    if "family" in known:  # sisters lend their season as it was known at the same call
        known["family"] = known.groupby(["family", "year", "k"]).ngroup()
    asked = known.drop(columns="series_id").rename(columns={"call": "series_id"})
    out = project_year_end(asked, kind).rename(columns={"series_id": "call"})
    return calls.merge(out, on="call")[COLUMNS]


def _history(series: DataFrame, stock: bool) -> DataFrame:
    """`series_id`, `period`, `value`, `months`, `year` and `month` (since year 0), in order, and what else is told."""
    out = series
    if "indicator" in out:
        own = out.months.eq(0) if stock else out.months.between(1, 11) | out.revision
        out = out[own].assign(
            series_id=out.region + "|" + out.indicator,
            period=out.end,
            months=out.months.clip(lower=1),
        )
    needs(out)
    out = out.assign(months=out.get("months", 1), month=month_numbers(out.period))
    if "revision" in out:
        out = covering(out)
    keep = "series_id period value months month family revision".split()
    out = out[[c for c in keep if c in out]].sort_values("month", kind="stable")
    return out.assign(year=out.month // 12)


def score(calls: DataFrame) -> DataFrame:
    """Scores of each call: `error` (|median − truth| / truth, %), `crps` over the scale, `cov80`, `cov95`, `brier` over
    the made-up targets, and of 序时进度 as a sure statement `linear_error`, `linear_brier`.
    """
    q, truth = calls[list(LEVELS)].to_numpy(float), calls.truth.to_numpy(float)
    out = calls[CALL].assign(
        error=100 * np.abs(np.median(q, 1) - truth) / truth,
        linear_error=100 * np.abs(calls.linear - truth) / truth,
        crps=scoring.crps(truth, q) / calls.scale,
        cov80=scoring.covered(truth, q, 0.8),
        cov95=scoring.covered(truth, q, 0.95),
    )
    said = chances(calls)
    said["brier"] = scoring.brier(said.p, said.met)
    said["linear_brier"] = scoring.brier(said.linear, said.met)
    return out.join(said.groupby(CALL)[["brier", "linear_brier"]].mean(), on=CALL)


def chances(calls: DataFrame) -> DataFrame:
    """One row a call and made-up target: `series_id`, `year`, `k`, `multiple`, `p` chance given, `met` whether it came,
    `linear` whether 序时进度 said it would; none of a call whose last year is not known.
    """
    cases = calls[calls.before.notna()].merge(Series(MULTIPLES, name="multiple"), "cross")
    target = cases.before * cases.multiple
    return cases[[*CALL, "multiple"]].assign(
        p=scoring.chance_of(cases[list(LEVELS)].to_numpy(float), target),
        met=cases.truth >= target,
        linear=cases.linear >= target,
    )


def record(
    series: DataFrame, projections: DataFrame, published: DataFrame, flows: Iterable[str]
) -> DataFrame:
    """RECORD: what replays of closed years said and what came, of our own flows and of the real series beside them.

    Parameters
    ----------
    series, projections : SERIES and PROJECTIONS of a month. published : PUBLISHED. flows : our flows with targets.
    """
    own = series.query("indicator in @flows and region != 'city' and 1 <= months <= 11")
    years = range(own.end.min().year + 1, own.end.max().year) if len(own) else ()
    real, ours = replay(peers.record_series(published), peers.YEARS), replay(own, years)
    calls = {"real": real, "own": ours[ours.before >= LEAST]}
    told = [summary(c).assign(whose=w) for w, c in calls.items() if len(c)]
    rows = pd.concat([DataFrame(columns=["whose", "what"]), *told])
    own_rows, moved = rows.whose.eq("own"), projections.probability[projections.calibrated]
    rows["calibrated"] = np.where(own_rows & rows.what.eq("all"), moved.count() or np.nan, np.nan)
    return shape(rows.assign(demo=own_rows & own.demo.any()), VINTAGE["RECORD"])


def summary(calls: DataFrame) -> DataFrame:
    """The rows of RECORD on the calls of a replay, of all and by month and class of chances.

    `right` is the share of promises for which the chance is from that month on on the side of what came (at least one
    half: it will be met).
    """
    s, c = score(calls), chances(calls)
    seven = c.met[c.p.between(0.65, 0.75, inclusive="left")]
    every = (
        s[SCORES]
        .mean()
        .to_frame()
        .T.assign(
            what="all",
            no=0,
            series=calls.series_id.nunique(),
            first=s.year.min(),
            last=s.year.max(),
            said=c.p.mean(),
            came=c.met.mean(),
            calls=len(calls),
            seven=len(seven),
            seven_came=seven.sum(),
        )
    )
    by, classes = s.groupby("k"), []
    months = by[SCORES].mean().assign(calls=by.size(), what="month", no=lambda d: d.index)
    promise, c = [c[n] for n in ("series_id", "year", "multiple")], c.astype({"linear": float})
    for what, right, p in (("said", "right", c.p), ("sure", "linear_right", c.linear)):
        since = ((p >= 0.5) == c.met)[::-1].groupby(promise).cummin()  # the last month first
        months[right] = since.groupby(c.k).mean()
        one = scoring.reliability(p, c.met).set_axis(["said", "came", "calls"], axis=1)
        classes.append(one.assign(what=what, no=range(len(one))))
    return pd.concat([every, months, *classes], ignore_index=True)


def score_stored(
    projections: DataFrame, series: DataFrame, growth_of: dict[str, str] | None = None
) -> DataFrame:
    """Score what was really said, month by month, once the year is known.

    Parameters
    ----------
    projections : PROJECTIONS of any months as they were stored. series : SERIES as known now. growth_of : by indicator,
        the level that a growth target is about.
    Returns
    -------
    One row a call with a chance whose year is closed in `series`: `region`, `indicator`, `kind`, `year`, `k`, `truth`,
    `met`, `p` the chance given, `brier`, `linear` whether 序时进度 said it would be met, `linear_brier`; `demo`.
    Source
    ------
    各月留存的 PROJECTIONS;年末数取自 SERIES。
    """
    said = projections.drop_duplicates(["region", "indicator", "year", "as_of"])
    said = said.assign(k=said.as_of.dt.month, p=said.probability).query("p.notna() and k < 12")
    by, truth = Rows.by_place(series), []
    for r in said.itertuples():
        growth = r.kind == "growth"
        own = by.get((r.region, (growth_of or {}).get(r.indicator) if growth else r.indicator))
        ends = own.ends(growth or r.kind == "flow") if own else {}
        end, before = (ends.get(year, np.nan) for year in (r.year, r.year - 1))
        truth.append(100 * (end / before - 1) if growth else end)
    sure = said.actual * np.where(said.kind == "flow", 12 / said.k, 1.0)
    said = said.assign(truth=truth, sure=sure).dropna(subset="truth")
    for name, value in {"met": "truth", "linear": "sure"}.items():
        met = [Target.of(r).met(r[value]) for r in said.to_dict("records")]
        said[name] = np.array(met, bool)
    said["brier"] = scoring.brier(said.p, said.met)
    said["linear_brier"] = scoring.brier(said.linear, said.met)
    keep = "region indicator kind year k truth demo p met linear brier linear_brier".split()
    return said[keep].reset_index(drop=True)
