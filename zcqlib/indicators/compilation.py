"""Everything that was known at a date, as SERIES."""

from __future__ import annotations

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.indicators.aggregates import nominal_growth, ratios, to_date, zone_totals
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.months import monthly_from_cumulative
from zcqlib.indicators.problems import joined, problems_of, trait
from zcqlib.tables import SERIES

ADD_UP = ("flow", "recurring", "milestone")  # kinds whose figures add up over months


def series(
    observations: pd.DataFrame | Consolidated, catalog: Catalog, as_of: pd.Period | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everything that was known at a date, as SERIES, with zone totals and ratios.

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports, or what `consolidate` made of them.
    as_of : report month; later reports are not looked at.
    Returns
    -------
    (SERIES, PROBLEMS). Flows by month (`months` 1, or more where they cannot be taken apart) and revisions, which add up
    to the year to date; stocks at month end (`months` 0), ratios of sums from January to `end` (`months` = number of months) or of stocks (`months` 0).
    Raises
    ------
    CorrectionError : a correction's source has changed.
    Source
    ------
    各月报表与指标目录。
    """
    known = consolidate(observations, catalog, as_of)
    growths = {
        x.growth_of: i for i, x in catalog.indicators.items() if x.kind == "growth" and x.growth_of
    }
    current = known.current[known.current["value"].notna() & known.current["region"].ne("other")]
    stated = current["measure"].eq("yoy_pct")
    of = current["indicator"].map(lambda i: growths.get(i, "")).astype("str")
    current["indicator"] = current["indicator"].where(~stated, of)
    kind = trait(current, "kind", catalog).fillna("")
    current = current[
        current["region"].ne("")
        & kind.ne("")
        & (current["measure"].eq("value") | stated & ~current["basis"].isin(["month", "quarter"]))
    ]
    current, apart = _one_basis(current, catalog)
    kind = kind.loc[current.index]
    flows = kind.isin(ADD_UP) & current["basis"].ne("eop")
    months, odd = monthly_from_cumulative(current[flows], catalog)
    rest, stock = (
        current[~flows & current["basis"].ne("range")],
        kind[~flows].isin(["stock", "coverage"]),
    )
    level = stock.reindex(rest.index) | rest["basis"].eq("eop")
    length = rest["end"].array.asi8 - rest["start"].array.asi8 + 1
    rest = rest.assign(
        start=rest["end"].where(level, rest["start"]),
        months=length * ~level,
        inputs=rest["obs_id"],
    )
    both = pd.concat([months, tables.shape(rest, SERIES)], ignore_index=True)
    both = both.drop_duplicates(list(SERIES.key), keep="last")
    both = pd.concat([both, zone_totals(both, catalog)], ignore_index=True)
    both = pd.concat(
        [both, ratios(both, catalog), nominal_growth(to_date(both), known.base, catalog)],
        ignore_index=True,
    )
    out = tables.shape(both.drop_duplicates(list(SERIES.key), keep="first"), SERIES)
    return (
        out.sort_values(["indicator", "region", "end", "months", "revision"], ignore_index=True),
        joined([known.problems, apart, odd]),
    )


def _one_basis(current: pd.DataFrame, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures that may stand in one series: a region's own coverage; made-up figures or published ones, not both."""
    own = current["region"].map({i: r.coverage for i, r in catalog.regions.items()}).fillna("")
    foreign = current["coverage"].ne("") & own.ne("") & current["coverage"].ne(own)
    key = ["region", "indicator"]
    last = current.assign(_end=current["end"].dt.year * 12 + current["end"].dt.month).sort_values(
        ["_end", "demo"]
    )
    kept = last[~foreign.loc[last.index]].drop_duplicates(key, keep="last").set_index(key)["demo"]
    other = current[key].join(kept.rename("_kept"), on=key)["_kept"].ne(current["demo"]) & ~foreign
    parts = []
    for mask, words in (
        (foreign, "与本系列的统计范围(全区县或其自创区部分)不同"),
        (other, "与本系列的来源(公布或演示)不同"),
    ):
        first = current[mask].drop_duplicates([*key, "file"])
        text = "{what}:" + words + ",不能接成一个序列,没有并入。"
        parts.append(problems_of(first, catalog, "basis_apart", "info", text))
    return current[~foreign & ~other], joined(parts)
