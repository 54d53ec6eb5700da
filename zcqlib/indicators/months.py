"""Months out of cumulative figures, within each calendar year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.indicators.told import joined, noise, tell
from zcqlib.tables import PROBLEMS, SERIES


def monthly_from_cumulative(
    observations: pd.DataFrame, catalog: Catalog
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn year-to-date figures into those of single months, within each calendar year.

    Parameters
    ----------
    observations : OBSERVATIONS of flows, one row a fact, with basis month, ytd, quarter, year or range.
    Returns
    -------
    (SERIES, PROBLEMS); `months` is 2 where February includes January, more where months are missing between two
    cumulative figures. A stated month stands as stated; a fall of the cumulative figure stays a negative month.
    Raises
    ------
    nothing: what does not fit together is in PROBLEMS (cum_mismatch, ytd_decrease, negative_month, span_unused).
    Source
    ------
    月报“本月”“本年累计”两列;口径见指标目录。
    """
    o = observations[observations["value"].notna() & observations["basis"].ne("eop")].copy()
    if o.empty:
        return tables.empty(SERIES), tables.empty(PROBLEMS)
    o = o.assign(
        _tol=catalog.tolerance(o),
        _year=o["end"].dt.year,
        _from=o["start"].dt.month,
        _to=o["end"].dt.month,
        _at=o["file"] + " " + o["cell"],
    )
    within = o["start"].dt.year == o["_year"]
    group = ["region", "indicator", "coverage", "demo", "_year"]
    single = o["basis"].eq("month") & o["start"].eq(o["end"])
    points, spans = _points(
        o[within & ~single & o["_from"].eq(1)], o[within & ~single & o["_from"].gt(1)], group
    )
    y = points.sort_values([*group, "_to"], ignore_index=True)
    last = y.groupby(group)[["_to", "value", "_tol", "_at", "published"]].shift()
    y = y.assign(
        _from=last["_to"].fillna(0).astype("int64") + 1,
        value=y["value"] - last["value"].fillna(0),
        _gap=y["_tol"] + last["_tol"].fillna(0),
        _before=last["_at"],
        published=y["published"].where(~(last["published"] > y["published"]), last["published"]),
    )
    falls = y[(y["value"] < 0) & (y["_from"] > 1)]
    reached = y.groupby(group)["_to"].max().rename("_reached").reset_index()
    loose = spans.merge(reached, on=group, how="left")
    free = ~(loose["_from"] <= loose["_reached"])
    y = pd.concat([y, loose[free].assign(_gap=loose["_tol"])], ignore_index=True)
    y["_segment"] = np.arange(len(y))

    # stated months stand; of a segment that they do not fill, what is left is one figure for the other months
    m = o[within & single].drop_duplicates([*group, "_to"], keep="last")
    grid = y.loc[y.index.repeat(y["_to"] - y["_from"] + 1), [*group, "_segment", "_from"]]
    grid = grid.assign(_to=grid["_from"] + grid.groupby("_segment").cumcount()).drop(
        columns="_from"
    )
    grid = grid.merge(
        m[[*group, "_to", "value", "_tol", "published"]], on=[*group, "_to"], how="left"
    )
    grid["_when"] = grid["published"].dt.year * 12 + grid["published"].dt.month
    said = (
        grid[grid["value"].notna()]
        .groupby("_segment")
        .agg(_sum=("value", "sum"), _mtol=("_tol", "sum"), _when=("_when", "max"))
    )
    open_ = grid[grid["value"].isna()].groupby("_segment")["_to"].agg(_a="min", _b="max", _n="size")
    y = y.join(said, on="_segment").join(open_, on="_segment").fillna({"_sum": 0.0, "_mtol": 0.0})
    torn = y[y["_n"].lt(y["_b"] - y["_a"] + 1)]
    inside = grid[grid["_segment"].isin(torn["_segment"])][[*group, "_to"]].merge(
        m, on=[*group, "_to"]
    )
    y.loc[torn.index, ["_a", "_b", "_sum"]] = (
        torn[["_from", "_to"]].assign(_sum=0.0).to_numpy(float)
    )
    m = m[~m["obs_id"].isin(inside["obs_id"])]
    left = y[y["_n"].notna()]
    rows = pd.concat(
        [
            m.assign(months=1),
            left.assign(
                value=left["value"] - left["_sum"],
                months=(left["_b"] - left["_a"] + 1).astype("int64"),
                start=month_of(left["_year"], left["_a"]),
                end=month_of(left["_year"], left["_b"]),
            ),
        ],
        ignore_index=True,
    )
    rows["value"] = rows["value"].round(9)  # 10.3 - 10.1 is .2, not .1999999999999993
    off = y[
        y["_n"].isna()
        & ((y["value"] - y["_sum"]).abs() > y["_gap"] + y["_mtol"] + noise(y["value"]))
    ]
    newer = off["_when"] > off["published"].dt.year * 12 + off["published"].dt.month
    problems = [
        *(
            tell(
                off[mask],
                "cum_mismatch",
                severity,
                lambda r, tail=tail: (
                    f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:按累计算{_span(r)}应为 "
                    f"{r.value:g},所报当月为 {r._sum:g},相差 {r.value - r._sum:g};{tail}"
                ),
            )
            for mask, severity, tail in (
                (~newer, "warning", "当月按所报,差额视为前期修订。"),
                (newer, "info", "当月数后来修订过,累计数尚未重报。"),
            )
        ),
        *_falls(falls, catalog),
        tell(
            pd.concat([o[~within], loose[~free]]),
            "span_unused",
            "info",
            lambda r: f"{r.start}至{r.end}的数跨年或与累计数的期间交叉,没有用来推算当月。",
        ),
        tell(
            inside,
            "span_unused",
            "info",
            lambda r: f"{r.end}有当月数,但前后月份不全,累计数不能拆开,按一段期间合并使用。",
        ),
    ]
    series = tables.shape(rows, SERIES).sort_values(
        ["region", "indicator", "start"], ignore_index=True
    )
    return series, joined(problems)


def _span(r) -> str:
    return f"{r._to}月" if r._from == r._to else f"{r._from}—{r._to}月"


def _points(
    points: pd.DataFrame, spans: pd.DataFrame, group: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cumulative figures, one a month, and the spans that hang on none of them: a span that begins where a cumulative
    figure ends makes the next one, a span that ends where one ends makes the one before."""
    points = points.sort_values([*group, "_to", "basis"]).drop_duplicates(
        [*group, "_to"], keep="last"
    )  # ytd is last
    spans = spans.drop_duplicates([*group, "_from", "_to"], keep="last")
    for key, sign, target in (("_from", 1, "_to"), ("_to", -1, "_from")):
        while len(spans):
            base = points[[*group, "_to", "value", "_tol", "published"]].rename(
                columns={"_to": "_at_month"}
            )
            near = spans.assign(_at_month=spans[key] - (1 if sign == 1 else 0)).merge(
                base, on=[*group, "_at_month"], suffixes=("", "_base")
            )
            later = near["published"].where(
                near["published"] >= near["published_base"], near["published_base"]
            )
            made = near.assign(
                value=near["value"] * 1.0 if sign == 1 else -near["value"], published=later
            )
            made = made.assign(
                value=made["value"] + made["value_base"],
                _tol=made["_tol"] + made["_tol_base"],
                _to=made[target] - (0 if sign == 1 else 1),
                _from=1,
                basis="ytd",
            )
            spans = spans[~spans["obs_id"].isin(near["obs_id"])]
            fresh = pd.concat([points, made[points.columns]], ignore_index=True).drop_duplicates(
                [*group, "_to"]
            )
            if len(fresh) == len(points):
                break
            points = fresh
    return points, spans


def month_of(year: pd.Series, month: pd.Series) -> pd.PeriodIndex:
    """Months out of numbers of years and months."""
    return pd.PeriodIndex.from_fields(
        year=year.astype("int64"), month=month.astype("int64"), freq="M"
    )


def _falls(falls: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    can = falls["indicator"].map({i: x.can_fall for i, x in catalog.indicators.items()}).eq(True)
    rounding = falls["value"].abs() < falls["_gap"] - noise(falls["value"])
    return [
        tell(
            falls[mask],
            code,
            severity,
            lambda r, tail=tail: (
                f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:{r._to}月累计({r._at})比上一次({r._before})少 "
                f"{-r.value:g}{r.unit},{tail}"
            ),
        )
        for mask, code, severity, tail in (
            (rounding, "ytd_decrease", "info", "在四舍五入范围内。"),
            (~rounding & can, "negative_month", "info", "这项指标可以减少,已照算。"),
            (
                ~rounding & ~can,
                "ytd_decrease",
                "warning",
                "累计数不应减少,已照原样计算,请核对两处。",
            ),
        )
    ]
