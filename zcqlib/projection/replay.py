"""The record: past months projected with only what was then known, and stored calls scored once the year is known."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Target
from zcqlib.projection import joint, scores
from zcqlib.projection.engine import project_year_end
from zcqlib.projection.panel import MAX_YEARS
from zcqlib.projection.scores import LEVELS

MULTIPLES = (0.95, 1.0, 1.05, 1.1, 1.2)  # made-up targets of a replay, in last year's totals
CALL = ["series_id", "year", "k"]


def replay(
    series: pd.DataFrame,
    years: Iterable[int],
    origins: Iterable[int] = range(1, 12),
    kind: str = "flow",
    levels=LEVELS,
) -> pd.DataFrame:
    """Project past years from past months, each with only what was known then.

    Parameters
    ----------
    series : SERIES, or `series_id`, `period`, `value` and optional `months` as for `project_year_end`. Where there is a
        column `published`, a figure counts from that month on, else from its own.
    years : to project; one without all twelve months in `series` gives no call. origins : months k known, 1 to 11.
    kind : flow or stock. levels : of the quantiles.
    Returns
    -------
    One row a call: `series_id` (of SERIES: region|indicator), `year`, `k`, `truth`, `before` (last year's year end,
    NaN where unknown), `scale` (of the scores: last year's total, for a stock its mean month), `linear` (序时进度: the
    year to date × 12/k, for a stock the last level) and one column a level.
    Raises
    ------
    ValueError : an origin is not a month from 1 to 11; a column is missing.
    Source
    ------
    series 自带来源;只用当时已知的数字。
    """
    origins, years = list(origins), list(years)
    if not set(origins) <= set(range(1, 12)):
        raise ValueError(f"origins are months from 1 to 11, not {origins}")
    rows = _history(series, kind)
    ends = year_ends(rows, kind).reset_index()
    before = ends.assign(year=ends["year"] + 1).rename(columns={"end": "before"})
    calls = (
        ends.drop(columns="scale")
        .rename(columns={"end": "truth"})
        .merge(before, "left", ["series_id", "year"])
    )
    calls = calls[calls["year"].isin(years)].merge(
        pd.Series(origins, name="k", dtype="int64"), "cross"
    )
    calls["call"] = np.arange(len(calls))
    parts = [_known(part, rows) for _, part in calls.groupby("year")]
    if not parts:
        return pd.DataFrame(columns=[*CALL, "truth", "before", "scale", "linear", *levels])
    known = pd.concat(parts, ignore_index=True)
    now = known[known["month"] // 12 == known["year"]].groupby("call")["value"].agg(["sum", "last"])
    calls["linear"] = calls["call"].map(now["last"] if kind == "stock" else now["sum"]) * (
        1 if kind == "stock" else 12 / calls["k"]
    )
    if "family" in known:  # sisters lend their season as it was known at the same call
        known["family"] += "|" + known["year"].astype("str") + "|" + known["k"].astype("str")
    out = project_year_end(
        known.drop(columns="series_id").rename(columns={"call": "series_id"}), kind, levels=levels
    )
    calls = calls.merge(out.rename(columns={"series_id": "call"}), on="call")
    return calls[[*CALL, "truth", "before", "scale", "linear", *levels]]


def _known(calls: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """What was known at each call of one year, in order: covered by then and, where it is told, published by then."""
    last = int(calls["year"].iloc[0]) * 12 + 11
    window = rows[(rows["month"] <= last) & (rows["month"] > last - 12 * (MAX_YEARS + 1))]
    both = calls[["call", "series_id", "year", "k"]].merge(
        window.drop(columns="year"), on="series_id"
    )
    origin = both["year"] * 12 + both["k"] - 1
    seen = both["month"] <= origin
    if "published" in both:
        seen &= _ordinal(both["published"]) <= origin
    return both[seen].sort_values(["call", "month"]).drop(columns="published", errors="ignore")


def year_ends(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """By series and year with all twelve months: `end`, the year-end value, and `scale` of the scores."""
    groups = rows.sort_values("month").groupby(["series_id", "year"])
    full = groups.agg(
        months=("months", "sum"),
        total=("value", "sum"),
        last=("value", "last"),
        month=("month", "max"),
    )
    full = full[(full["months"] == 12) & (full["month"] % 12 == 11)]
    stock = kind == "stock"
    return pd.DataFrame(
        {
            "end": full["last"] if stock else full["total"],
            "scale": full["total"] / 12 if stock else full["total"],
        }
    )


def score(calls: pd.DataFrame, levels=LEVELS, multiples=MULTIPLES) -> pd.DataFrame:
    """Scores of each call: `error` (|median − truth| / truth, %), `crps` and `wis` over the scale, `cov80`, `cov95`,
    `brier` and `log_loss` over the made-up targets, and the same of 序时进度 as a sure statement: `linear_error`,
    `linear_crps`, `linear_brier`.
    """
    q, y = calls[list(levels)].to_numpy(float), calls["truth"].to_numpy(float)
    middle, sure = scores.at_levels(q, levels, [0.5])[:, 0], calls["linear"].to_numpy(float)
    targets = [calls["before"].to_numpy(float) * m for m in multiples]
    chances = [scores.chance_of(q, t, levels) for t in targets]
    met = [y >= t for t in targets]
    return calls[CALL].assign(
        error=100 * np.abs(middle - y) / y,
        linear_error=100 * np.abs(sure - y) / y,
        crps=scores.crps(y, q, levels) / calls["scale"],
        wis=scores.wis(y, q, levels) / calls["scale"],
        linear_crps=np.abs(sure - y) / calls["scale"],
        cov80=scores.covered(y, q, 0.8, levels),
        cov95=scores.covered(y, q, 0.95, levels),
        brier=np.mean([scores.brier(p, m) for p, m in zip(chances, met, strict=True)], axis=0),
        log_loss=np.mean(
            [scores.log_loss(p, m) for p, m in zip(chances, met, strict=True)], axis=0
        ),
        linear_brier=np.mean(
            [scores.brier(sure >= t, m) for t, m in zip(targets, met, strict=True)], axis=0
        ),
    )


def chances(calls: pd.DataFrame, levels=LEVELS, multiples=MULTIPLES) -> pd.DataFrame:
    """One row a call and made-up target: `series_id`, `year`, `k`, `multiple`, `p` chance given, `met` whether it came,
    `linear` whether 序时进度 said it would."""
    q = calls[list(levels)].to_numpy(float)
    parts = []
    for m in multiples:
        target = calls["before"].to_numpy(float) * m
        parts.append(
            calls[CALL].assign(
                multiple=m,
                p=scores.chance_of(q, target, levels),
                met=calls["truth"].to_numpy() >= target,
                linear=calls["linear"].to_numpy() >= target,
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return out[np.isfinite(np.tile(calls["before"].to_numpy(float), len(multiples)))].reset_index(
        drop=True
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
    d["stays"] = d.groupby(key)["right"].cummin()
    first = d[d["stays"]].groupby(key)["k"].min().rename("month")
    return d.groupby(key)["met"].first().to_frame().join(first).reset_index()


def _history(series: pd.DataFrame, kind: str) -> pd.DataFrame:
    """`series_id`, `period`, `value`, `months`, `year`, `month` (ordinal) and, where told, `published`."""
    out = series.copy()
    if "series_id" not in out and {"region", "indicator", "end"} <= set(out.columns):
        flows = out["months"].between(1, 11) | out["revision"]
        out = out[out["months"].eq(0) if kind == "stock" else flows]
        out = out.assign(
            series_id=out["region"] + "|" + out["indicator"], period=out["end"].astype("str")
        )
        out["months"] = out["months"].clip(lower=1)
    if missing := {"series_id", "period", "value"} - set(out.columns):
        raise ValueError(f"series lacks columns {sorted(missing)}")
    if "months" not in out:
        out["months"] = 1
    if "revision" in out:  # part of the year and of no month
        out["months"] = out["months"].where(~out["revision"], 0)
    out["month"] = _ordinal(out["period"])
    keep = [
        "series_id",
        "period",
        "value",
        "months",
        "month",
        *(c for c in ("published", "family", "revision") if c in out),
    ]
    return (
        out[keep]
        .assign(year=out["month"] // 12, series_id=out["series_id"].astype("str"))
        .reset_index(drop=True)
    )


def _ordinal(period: pd.Series) -> pd.Series:
    """Months since year 0."""
    months = pd.PeriodIndex(period.astype("str"), freq="M")
    return pd.Series(months.year * 12 + months.month - 1, index=period.index)


def joint_calls(calls: pd.DataFrame, series: pd.DataFrame, levels=LEVELS) -> pd.DataFrame:
    """The calls of all series of a replay summed by the rule for parks and zone, one a year and month of call.

    Parameters
    ----------
    calls : of `replay` at LEVELS, flows. series : the same as there.
    Returns
    -------
    As `replay`, `series_id` "sum"; the common share of shocks is that of the months known at each call.
    """
    rows = _history(series, "flow")
    wide = rows.pivot_table(index="month", columns="series_id", values="value")
    out = []
    for (year, k), part in calls.groupby(["year", "k"]):
        known = wide.loc[wide.index <= year * 12 + k - 1, list(part["series_id"])]
        sums = joint.draws(
            part[list(levels)].to_numpy(float), joint.shared(known.to_numpy().T[:, -36:])
        ).sum(1)
        out.append(
            {
                "series_id": "sum",
                "year": year,
                "k": k,
                **part[["truth", "before", "scale", "linear"]].sum().to_dict(),
                **dict(zip(levels, joint.read(sums), strict=True)),
            }
        )
    return pd.DataFrame(out)


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
    `cov95`, and `crps`, `wis` over the target; `demo`.
    Source
    ------
    各月留存的 PROJECTIONS、QUANTILES;年末数取自 SERIES。
    """
    said = projections[projections["probability"].notna()].assign(k=lambda d: d["as_of"].dt.month)
    said = said[said["k"] < 12].reset_index(drop=True)
    closing = tables.covering(series)[
        series["end"].dt.year.isin({y for year in said["year"] for y in (year - 1, year)})
    ]
    ends = {name: _closed(part) for name, part in closing.groupby(["region", "indicator"])}
    levels_of, truth = growth_of or {}, []
    for r in said.itertuples():
        end = ends.get(
            (r.region, levels_of.get(r.indicator, "") if r.kind == "growth" else r.indicator), {}
        )
        now, last = (
            end.get((y, r.kind in ("stock", "ratio")), math.nan) for y in (r.year, r.year - 1)
        )
        truth.append(100 * (now / last - 1) if r.kind == "growth" else now)
    said = said.assign(truth=truth)
    said = said[said["truth"].notna()]
    key = ["region", "indicator", "year", "as_of"]
    wide = quantiles.pivot_table(index=key, columns="level", values="value")
    q = wide.reindex(pd.MultiIndex.from_frame(said[key]))
    q, levels = q.to_numpy(float), tuple(wide.columns)
    sure = said["actual"] * np.where(said["kind"] == "flow", 12 / said["k"], 1.0)
    met, linear = (
        np.array(
            [Target.of(r._asdict()).met(v) for r, v in zip(said.itertuples(), ends, strict=True)],
            bool,
        )
        for ends in (said["truth"], sure)
    )
    y, scale = said["truth"].to_numpy(float), said["target_low"].abs().to_numpy(float)
    given = said["probability"].to_numpy(float)
    out = said[["region", "indicator", "kind", "year", "k", "truth", "demo"]].assign(
        met=met,
        p=given,
        brier=scores.brier(given, met),
        linear=linear,
        linear_brier=scores.brier(linear, met),
    )
    if len(out):
        out = out.assign(
            cov80=scores.covered(y, q, 0.8, levels),
            cov95=scores.covered(y, q, 0.95, levels),
            crps=scores.crps(y, q, levels) / scale,
            wis=scores.wis(y, q, levels) / scale,
        )
    return out.reset_index(drop=True)


def _closed(part: pd.DataFrame) -> dict[tuple[int, bool], float]:
    """Year ends of one series by year and whether a level is asked for rather than a sum."""
    part = part.sort_values("end")
    year, out = part["end"].dt.year, {}
    for y, rows in part.groupby(year):
        if rows["end"].iloc[-1].month == 12:
            out[y, True] = float(rows["value"].iloc[-1])
            if (rows["months"] * ~rows["revision"]).sum() == 12:
                out[y, False] = float(rows["value"].sum())
    return out
