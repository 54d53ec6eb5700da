"""Months and revisions out of cumulative figures, within each calendar year."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.indicators.problems import joined, noise, problems_of, trait
from zcqlib.tables import PROBLEMS, SERIES

FACT = ["region", "indicator", "coverage", "demo", "_year"]


def net(inputs: Iterable[str]) -> str:
    """The observations that a sum rests on: one that is added here and taken away there is in none of it."""
    left: set[str] = set()
    for ids in inputs:
        left ^= set(ids.split(";"))
    return ";".join(sorted(left - {""}))


def net_of(*inputs: pd.Series) -> list[str]:
    """`net` row by row."""
    return [net(row) for row in zip(*inputs, strict=True)]


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
    cumulative figures. A stated month stands as stated; a fall of the cumulative figure stays a negative month. What
    stated months do not explain of a cumulative figure that is no older than they are is a row of `revision`, so that
    the rows up to a month add up to its cumulative figure.
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
        _when=ordinal(o["published"]),
        inputs=o["obs_id"],
    )
    within = o["start"].dt.year == o["_year"]
    single = o["basis"].eq("month") & o["start"].eq(o["end"])
    points, spans = _points(
        o[within & ~single & o["_from"].eq(1)], o[within & ~single & o["_from"].gt(1)]
    )
    segments, falls, crossed = _segments(points, spans)
    stated = o[within & single].drop_duplicates([*FACT, "_to"], keep="last")
    segments, stated, inside = _explained(segments, stated)
    rows = pd.concat(
        [stated.assign(months=1), _left(segments), _revisions(segments)], ignore_index=True
    )
    rows = rows.assign(
        value=rows["value"].round(9),  # 10.3 - 10.1 is .2, not .1999999999999993
        revision=rows["revision"].eq(True),
    )
    problems = [
        *_mismatches(segments, catalog),
        *_falls(falls, catalog),
        problems_of(
            pd.concat([o[~within], crossed]),
            catalog,
            "span_unused",
            "info",
            "{start}至{end}的数跨年或与累计数的期间交叉,没有用来推算当月。",
        ),
        problems_of(
            inside,
            catalog,
            "span_unused",
            "info",
            "{end}有当月数,但前后月份不全,累计数不能拆开,按一段期间合并使用。",
        ),
    ]
    series = tables.shape(rows, SERIES).sort_values(
        ["region", "indicator", "start", "end", "revision"], ignore_index=True
    )
    return series, joined(problems)


def ordinal(month: pd.Series) -> pd.Series:
    """Months since the year 0."""
    return month.dt.year * 12 + month.dt.month - 1


def month_of(year: pd.Series, month: pd.Series) -> pd.PeriodIndex:
    """Months out of numbers of years and months."""
    return pd.PeriodIndex.from_fields(
        year=year.astype("int64"), month=month.astype("int64"), freq="M"
    )


def _points(points: pd.DataFrame, spans: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cumulative figures, one a month, and the spans that hang on none of them: a span that begins where a cumulative
    figure ends makes the next one, a span that ends where one ends makes the one before."""
    points = points.sort_values([*FACT, "_to", "basis"]).drop_duplicates(
        [*FACT, "_to"], keep="last"
    )  # ytd is last
    spans = spans.drop_duplicates([*FACT, "_from", "_to"], keep="last")
    for key, sign, target in (("_from", 1, "_to"), ("_to", -1, "_from")):
        while len(spans):
            base = points[[*FACT, "_to", "value", "_tol", "published", "_when", "inputs"]].rename(
                columns={"_to": "_at_month"}
            )
            near = spans.assign(_at_month=spans[key] - (sign == 1)).merge(
                base, on=[*FACT, "_at_month"], suffixes=("", "_base")
            )
            later = near["_when"] >= near["_when_base"]
            made = near.assign(
                value=near["value_base"] + sign * near["value"],
                published=near["published"].where(later, near["published_base"]),
                _when=near["_when"].where(later, near["_when_base"]),
                _tol=near["_tol"] + near["_tol_base"],
                _to=near[target] - (sign == -1),
                _from=1,
                basis="ytd",
                inputs=net_of(near["inputs"], near["inputs_base"]),
            )
            spans = spans[~spans["obs_id"].isin(near["obs_id"])]
            fresh = pd.concat([points, made[points.columns]], ignore_index=True).drop_duplicates(
                [*FACT, "_to"]
            )
            if len(fresh) == len(points):
                break
            points = fresh
    return points, spans


def _segments(
    points: pd.DataFrame, spans: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What lies between two cumulative figures, and spans after the last one; which of them fall; spans that cross."""
    y = points.sort_values([*FACT, "_to"], ignore_index=True)
    last = y.groupby(FACT)[["_to", "value", "_tol", "_at", "published", "inputs"]].shift()
    y = y.assign(
        _from=last["_to"].fillna(0).astype("int64") + 1,
        value=y["value"] - last["value"].fillna(0),
        _gap=y["_tol"] + last["_tol"].fillna(0),
        _before=last["_at"],
        published=y["published"].where(~(last["published"] > y["published"]), last["published"]),
        _stated=y["published"],
        inputs=net_of(y["inputs"], last["inputs"].fillna("")),
    )
    falls = y[(y["value"] < 0) & (y["_from"] > 1)]
    reached = y.groupby(FACT)["_to"].max().rename("_reached").reset_index()
    loose = spans.merge(reached, on=FACT, how="left")
    free = ~(loose["_from"] <= loose["_reached"])
    y = pd.concat([y, loose.assign(_gap=loose["_tol"])[free]], ignore_index=True)
    return y.assign(_segment=np.arange(len(y))), falls, loose[~free]


def _explained(y: pd.DataFrame, m: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Segments with the sum of the months stated in them (`_sum`) and the others (`_a` to `_b`, `_n` of them).

    A segment whose other months do not follow each other is not torn: the months stated in it (third result) go.
    """
    grid = y.loc[y.index.repeat(y["_to"] - y["_from"] + 1), [*FACT, "_segment", "_from"]]
    grid["_to"] = grid.pop("_from") + grid.groupby("_segment").cumcount()
    grid = grid.merge(
        m[[*FACT, "_to", "value", "_tol", "_when", "inputs"]], on=[*FACT, "_to"], how="left"
    )
    said = grid[grid["value"].notna()].groupby("_segment")
    said = said.agg(
        _sum=("value", "sum"),
        _mtol=("_tol", "sum"),
        _latest=("_when", "max"),
        _said=("inputs", net),
    )
    open_ = grid[grid["value"].isna()].groupby("_segment")["_to"].agg(_a="min", _b="max", _n="size")
    y = y.join(said, on="_segment").join(open_, on="_segment")
    y = y.fillna({"_sum": 0.0, "_mtol": 0.0, "_said": ""})
    torn = y[y["_n"].lt(y["_b"] - y["_a"] + 1)]
    inside = grid.loc[grid["_segment"].isin(torn["_segment"]), [*FACT, "_to"]]
    inside = inside.merge(m, on=[*FACT, "_to"])
    y.loc[torn.index, ["_a", "_b", "_sum"]] = (
        torn[["_from", "_to"]].assign(_sum=0.0).to_numpy(float)
    )
    y.loc[torn.index, "_said"] = ""
    return y, m[~m["obs_id"].isin(inside["obs_id"])], inside


def _left(segments: pd.DataFrame) -> pd.DataFrame:
    """Of segments that stated months do not fill, what is left: one figure for the other months."""
    left = segments[segments["_n"].notna()]
    return left.assign(
        value=left["value"] - left["_sum"],
        months=(left["_b"] - left["_a"] + 1).astype("int64"),
        start=month_of(left["_year"], left["_a"]),
        end=month_of(left["_year"], left["_b"]),
        inputs=net_of(left["inputs"], left["_said"]),
    )


def _revisions(segments: pd.DataFrame) -> pd.DataFrame:
    """What the months do not explain of each cumulative figure, less what the one before had not explained either.

    A cumulative figure that is older than a month in it says nothing of that month: the next one that is not shows all.
    """
    y = segments[segments["_stated"].notna()].sort_values([*FACT, "_to"], ignore_index=True)
    full = y["_n"].isna()
    y = y.assign(
        _off=(y["value"] - y["_sum"]).where(full, 0.0),
        inputs=net_of(y["inputs"], y["_said"]),
    )
    fact = [y[c] for c in FACT]
    newest = y["_latest"].fillna(-1).groupby(fact).cummax()
    good = y["_when"] >= newest
    # each block ends with a cumulative figure that counts; what follows the last one waits
    y["_block"] = good.astype("int64").groupby(fact).cumsum() - good
    blocks = y[full].groupby([*FACT, "_block"], as_index=False)
    blocks = blocks.agg(_off=("_off", "sum"), inputs=("inputs", net))
    ends = y[good].drop(columns=["_off", "inputs"]).merge(blocks, on=[*FACT, "_block"])
    ends = ends[ends["_off"].abs() > noise(ends["_off"])]
    return ends.assign(
        value=ends["_off"],
        months=ends["_to"],
        start=month_of(ends["_year"], ends["_to"] * 0 + 1),
        end=month_of(ends["_year"], ends["_to"]),
        published=ends["_stated"],
        revision=True,
    )


def _mismatches(segments: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    slack = segments["_gap"] + segments["_mtol"] + noise(segments["value"])
    off = segments.assign(_off=segments["value"] - segments["_sum"])
    off = off[off["_n"].isna() & (off["_off"].abs() > slack)]
    off = off.assign(start=month_of(off["_year"], off["_from"]))
    newer = off["_latest"] > ordinal(off["published"])
    return [
        problems_of(
            off[mask],
            catalog,
            "cum_mismatch",
            severity,
            "{what}:按累计算应为 {value:g},所报当月为 {_sum:g},相差 {_off:g};" + tail,
        )
        for mask, severity, tail in (
            (~newer, "warning", "当月按所报,差额视为前期修订。"),
            (newer, "info", "当月数后来修订过,累计数尚未重报。"),
        )
    ]


def _falls(falls: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    can = trait(falls, "can_fall", catalog).eq(True)
    rounding = falls["value"].abs() < falls["_gap"] - noise(falls["value"])
    falls = falls.assign(_less=-falls["value"], start=falls["end"])
    return [
        problems_of(
            falls[mask],
            catalog,
            code,
            severity,
            "{what}:累计({_at})比上一次({_before})少 {_less:g}{unit}," + tail,
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
