"""The record: past months projected with only what was then known, and stored calls scored once the year is known."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Target
from zcqlib.projection import joint, peers, scoring
from zcqlib.projection.engine import project_year_end
from zcqlib.projection.history import Rows
from zcqlib.projection.panel import MAX_YEARS, month_numbers
from zcqlib.projection.scoring import LEVELS

MULTIPLES = (0.95, 1.0, 1.05, 1.1, 1.2)  # made-up targets of a replay, in last year's totals
LEAST = 12  # a target of 5 % more than last year means nothing below such a total
STATES = r"US-..\|business_applications$"  # parts of one whole among the real series
SCORES = "error linear_error crps cov80 cov95 brier linear_brier".split()
CALL = ["series_id", "year", "k"]
COLUMNS = [*CALL, "truth", "before", "scale", "linear", *LEVELS]


def replay(
    series: pd.DataFrame,
    years: Iterable[int],
    origins: Iterable[int] = range(1, 12),
    kind: str = "flow",
) -> pd.DataFrame:
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
    ends = rows.groupby(["series_id", "year"]).agg(
        truth=("value", "last" if stock else "sum"),
        scale=("value", "sum"),
        months=("months", "sum"),
    )
    ends = ends[ends["months"] == 12]
    before = ends.rename(index=lambda year: year + 1, level="year")
    before = before.rename(columns={"truth": "before"}).drop(columns="months")
    calls = ends[["truth"]].join(before).reset_index()
    calls["scale"] /= 12 if stock else 1
    calls = calls[calls["year"].isin(list(years))].merge(pd.Series(origins, name="k"), "cross")
    if calls.empty:
        return pd.DataFrame(columns=COLUMNS)
    calls["call"] = np.arange(len(calls))
    known = calls[["call", *CALL]].merge(rows.drop(columns="year"), on="series_id")
    known["since"] = known["month"] - 12 * known["year"]  # months since the year began
    known = known[known["since"].between(-12 * MAX_YEARS, known["k"] - 1)]
    now = known[known["since"] >= 0].groupby("call")["value"]
    done = calls["call"].map(now.last() if stock else now.sum())
    calls["linear"] = done if stock else done * (12 / calls["k"])
    if "family" in known:  # sisters lend their season as it was known at the same call
        family = (
            known["family"] + "|" + known["year"].astype("str") + "|" + known["k"].astype("str")
        )
        known = known.assign(family=family)
    asked = known.drop(columns="series_id").rename(columns={"call": "series_id"})
    out = project_year_end(asked, kind).rename(columns={"series_id": "call"})
    return calls.merge(out, on="call")[COLUMNS]


def _history(series: pd.DataFrame, stock: bool) -> pd.DataFrame:
    """`series_id`, `period`, `value`, `months`, `year` and `month` (since year 0), in order, and what else is told."""
    out = series
    if "series_id" not in out and {"region", "indicator", "end"} <= set(out.columns):
        own = out["months"].eq(0) if stock else out["months"].between(1, 11) | out["revision"]
        out = out[own].assign(
            series_id=out["region"] + "|" + out["indicator"],
            period=out["end"],
            months=out["months"].clip(lower=1),
        )
    if missing := {"series_id", "period", "value"} - set(out.columns):
        raise ValueError(f"series lacks columns {sorted(missing)}")
    out = out.assign(months=out.get("months", 1), month=month_numbers(out["period"]))
    if "revision" in out:
        out = tables.covering(out)
    keep = "series_id period value months month family revision".split()
    out = out[[c for c in keep if c in out]].sort_values("month", kind="stable")
    return out.assign(year=out["month"] // 12, series_id=out["series_id"].astype("str"))


def score(calls: pd.DataFrame) -> pd.DataFrame:
    """Scores of each call: `error` (|median − truth| / truth, %), `crps` over the scale, `cov80`, `cov95`, `brier` over
    the made-up targets, and of 序时进度 as a sure statement `linear_error`, `linear_brier`.
    """
    q, truth = calls[list(LEVELS)].to_numpy(float), calls["truth"]
    said = chances(calls)
    for name, p in {"brier": "p", "linear_brier": "linear"}.items():
        said[name] = scoring.brier(said[p], said["met"])
    out = calls[CALL].assign(**_of_interval(truth.to_numpy(float), q, calls["scale"]))
    for name, end in {"error": np.median(q, 1), "linear_error": calls["linear"]}.items():
        out[name] = 100 * np.abs(end - truth) / truth
    return out.join(said.groupby(CALL)[["brier", "linear_brier"]].mean(), on=CALL)


def _of_interval(truth, quantiles, scale: pd.Series) -> dict:
    return dict(
        crps=scoring.crps(truth, quantiles) / scale,
        cov80=scoring.covered(truth, quantiles, 0.8),
        cov95=scoring.covered(truth, quantiles, 0.95),
    )


def chances(calls: pd.DataFrame) -> pd.DataFrame:
    """One row a call and made-up target: `series_id`, `year`, `k`, `multiple`, `p` chance given, `met` whether it came,
    `linear` whether 序时进度 said it would; none of a call whose last year is not known.
    """
    cases = calls[calls["before"].notna()].merge(pd.Series(MULTIPLES, name="multiple"), "cross")
    target = cases["before"] * cases["multiple"]
    return cases[[*CALL, "multiple"]].assign(
        p=scoring.chance_of(cases[list(LEVELS)].to_numpy(float), target),
        met=cases["truth"] >= target,
        linear=cases["linear"] >= target,
    )


def first_right(said: pd.DataFrame) -> pd.DataFrame:
    """The first month from which a call was right and stayed right.

    Parameters
    ----------
    said : one row a call: `k` month, `p` chance given, `met` what came, and columns that name the promise.
    Returns
    -------
    One row a promise: its columns, `met`, and `month`, NaN where the last call was still wrong. A call is right where
    the chance is on the side of what came (at least one half: it will be met).
    """
    key = [c for c in said.columns if c not in ("k", "p", "met")]
    d = said.sort_values("k", ascending=False).assign(right=(said["p"] >= 0.5) == said["met"])
    d["month"] = d["k"].where(d.groupby(key)["right"].cummin())
    return d.groupby(key, as_index=False).agg(met=("met", "first"), month=("month", "min"))


def record(
    series: pd.DataFrame, projections: pd.DataFrame, published: pd.DataFrame, flows: Iterable[str]
) -> pd.DataFrame:
    """RECORD: what replays of closed years said and what came, of our own flows and of the real series beside them.

    Parameters
    ----------
    series, projections : SERIES and PROJECTIONS of a month. published : PUBLISHED. flows : our flows with targets.
    """
    real, own = peers.record_series(published), series[series["indicator"].isin(flows)]
    own = own[own["months"].between(1, 11) & own["region"].ne("city")]
    years = range(own["end"].min().year + 1, own["end"].max().year) if len(own) else ()
    calls = {"real": replay(real, peers.YEARS), "own": replay(own, years)}
    calls["own"] = calls["own"][calls["own"]["before"] >= LEAST]
    told = [summary(c).assign(whose=w) for w, c in calls.items() if len(c)]
    moved = (projections["calibrated"] & projections["probability"].notna()).sum()
    states = calls["real"][calls["real"]["series_id"].str.match(STATES)]
    if len(states):  # whether parts and their sum keep their intervals
        for what, c in {"parts": states, "joint": joint_calls(states, real)}.items():
            about = dict(what=what, no=0, whose="real", calls=len(c))
            told.append(score(c)[SCORES].mean().to_frame().T.assign(**about))
    rows = pd.concat([pd.DataFrame(columns=["whose", "what"]), *told])
    ours = rows["whose"].eq("own")
    rows["calibrated"] = np.where(ours & rows["what"].eq("all") & (moved > 0), moved, np.nan)
    return tables.shape(rows.assign(demo=ours & own["demo"].any()), tables.VINTAGE["RECORD"])


def joint_calls(calls: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """The calls of all series of a replay summed by the rule for parks and zone, one a year and month of call.

    Parameters
    ----------
    calls : of `replay`, flows. series : the same as there.
    Returns
    -------
    As `replay`, `series_id` "sum"; the common share of shocks is that of the months known at each call.
    """
    wide = _history(series, False).pivot_table(index="month", columns="series_id", values="value")
    out = calls.groupby(["year", "k"])[["truth", "before", "scale", "linear"]].sum()
    q = []
    for (year, k), part in calls.groupby(["year", "k"]):
        known = wide.loc[: year * 12 + k - 1, list(part["series_id"])].to_numpy().T
        drawn = joint.draws(part[list(LEVELS)].to_numpy(float), joint.shared(known[:, -36:]))
        q.append(joint.read(drawn.sum(1)))
    out = out.join(pd.DataFrame(q, out.index, list(LEVELS)))
    return out.reset_index().assign(series_id="sum")


def summary(calls: pd.DataFrame) -> pd.DataFrame:
    """The rows of RECORD on the calls of a replay, of all and by month and class of chances."""
    s, c = score(calls), chances(calls)
    about = dict(series=calls["series_id"].nunique(), first=s["year"].min(), last=s["year"].max())
    seven = c[c["p"].between(0.65, 0.75, inclusive="left")]
    about |= dict(said=c["p"].mean(), came=c["met"].mean(), calls=len(calls))
    about |= dict(seven=len(seven), seven_came=seven["met"].sum())
    every, by = s[SCORES].mean().to_frame().T.assign(what="all", no=0, **about), s.groupby("k")
    months = by[SCORES].mean().assign(calls=by.size(), what="month", no=lambda d: d.index)
    key, classes = ["series_id", "year", "multiple", "k", "met"], []
    sure = c["linear"].astype(float)
    for what, right, p in (("said", "right", c["p"]), ("sure", "linear_right", sure)):
        since = first_right(c[key].assign(p=p))["month"]
        months[right] = [(since <= k).mean() for k in months.index]
        one = scoring.reliability(p, c["met"]).set_axis(["said", "came", "calls"], axis=1)
        classes.append(one.assign(what=what, no=range(len(one))))
    return pd.concat([every, months, *classes], ignore_index=True)


def score_stored(
    projections: pd.DataFrame,
    quantiles: pd.DataFrame,
    series: pd.DataFrame,
    growth_of: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Score what was really said, month by month, once the year is known.

    Parameters
    ----------
    projections, quantiles : PROJECTIONS and QUANTILES of any months as they were stored. series : SERIES as known now.
    growth_of : by indicator, the level that a growth target is about.
    Returns
    -------
    One row a call with a chance whose year is closed in `series`: `region`, `indicator`, `kind`, `year`, `k`, `truth`,
    `met`, `p` the chance given, `brier`, `linear` whether 序时进度 said it would be met, `linear_brier`, `cov80`,
    `cov95`, and `crps` over the target; `demo`.
    Source
    ------
    各月留存的 PROJECTIONS、QUANTILES;年末数取自 SERIES。
    """
    place = ["region", "indicator", "year"]
    said = projections[projections["probability"].notna()].drop_duplicates([*place, "as_of"])
    said = said.assign(k=said["as_of"].dt.month, p=said["probability"]).query("k < 12")
    by, truth = Rows.by_place(series), []
    for r in said.itertuples():
        of = (growth_of or {}).get(r.indicator) if r.kind == "growth" else r.indicator
        own = by.get((r.region, of))
        ends = pd.Series(dtype=float) if own is None else own.ends(r.kind in ("flow", "growth"))
        end, before = (ends.get(year, np.nan) for year in (r.year, r.year - 1))
        truth.append(100 * (end / before - 1) if r.kind == "growth" else end)
    sure = said["actual"] * np.where(said["kind"] == "flow", 12 / said["k"], 1.0)
    said = said.assign(truth=truth, sure=sure).dropna(subset="truth")
    met, linear = (
        np.array([Target.of(r).met(r[c]) for r in said.to_dict("records")], bool)
        for c in ("truth", "sure")
    )
    wide = quantiles.pivot_table(index=[*place, "as_of"], columns="level", values="value")
    q = wide.reindex(pd.MultiIndex.from_frame(said[[*place, "as_of"]]), columns=list(LEVELS))
    out = said["region indicator kind year k truth demo p".split()].assign(
        met=met,
        brier=scoring.brier(said["p"], met),
        linear=linear,
        linear_brier=scoring.brier(linear, met),
        **_of_interval(said["truth"].to_numpy(), q.to_numpy(), said["target_low"].abs()),
    )
    return out.reset_index(drop=True)
