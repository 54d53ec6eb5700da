"""Everything that was known at a date, as SERIES."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame, concat

from zcqlib.catalog import Catalog
from zcqlib.indicators.aggregates import nominal_growth, ratios, to_date, zone_totals
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.months import monthly_from_cumulative, ordinal
from zcqlib.indicators.problems import remarks, trait
from zcqlib.tables import SERIES, shape

ADD_UP = ("flow", "recurring", "milestone")  # kinds whose figures add up over months


def series(
    observations: DataFrame | Consolidated, catalog: Catalog, as_of: pd.Period | None = None
) -> tuple[DataFrame, DataFrame]:
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
    rates = {x.growth_of: i for i, x in catalog.indicators.items() if x.growth_of}
    current = known.current.query("value.notna() and region not in ['', 'other']")
    stated = current.measure.eq("yoy_pct")
    rate = current.indicator.map(lambda i: rates.get(i, "")).astype("str")
    current = current.assign(indicator=current.indicator.where(~stated, rate))
    current["_kind"] = trait(current, "kind", catalog, "")
    usable = "measure == 'value' or measure == 'yoy_pct' and basis not in ['month', 'quarter']"
    current = current.query("_kind != ''").query(usable)
    current, apart = _one_basis(current, catalog)
    flows = current._kind.isin(ADD_UP) & current.basis.ne("eop")
    months, odd = monthly_from_cumulative(current[flows], catalog)
    rest = current[~flows].query("basis != 'range'")
    level = rest._kind.isin(["stock", "coverage"]) | rest.basis.eq("eop")
    rest = rest.assign(
        start=rest.start.mask(level, rest.end),
        months=(ordinal(rest.end) - ordinal(rest.start) + 1) * ~level,
        inputs=rest.obs_id,
    )
    both = concat([months, shape(rest, SERIES)], ignore_index=True)
    both = both.drop_duplicates(list(SERIES.key), keep="last")
    both = concat([both, zone_totals(both, catalog)], ignore_index=True)
    sums = to_date(both)
    made = [ratios(both, sums, catalog), nominal_growth(sums, known.base, catalog)]
    both = concat([both, *made]).drop_duplicates(list(SERIES.key))
    return (
        both.sort_values("indicator region end months revision".split(), ignore_index=True),
        concat([known.problems, apart, odd], ignore_index=True),
    )


def _one_basis(current: DataFrame, catalog: Catalog) -> tuple[DataFrame, DataFrame]:
    """Figures that may stand in one series: a region's own coverage; made-up figures or published ones, not both."""
    own = current.region.map({i: r.coverage for i, r in catalog.regions.items()}).fillna("")
    foreign = current.coverage.ne("") & own.ne("") & current.coverage.ne(own)
    key = ["region", "indicator"]
    last = current[~foreign].sort_values(["end", "demo"]).groupby(key)["demo"].last()
    other = current[key].join(last.rename("_kept"), on=key)["_kept"].ne(current.demo)
    told = current.assign(_which=np.where(foreign, "basis_apart", "basis_apart.demo"))
    told = told[foreign | other].drop_duplicates([*key, "_which", "file"])
    return current[~foreign & ~other], remarks(catalog, (told, told._which))
