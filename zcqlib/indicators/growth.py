"""Growth as reported beside growth from levels: finds a changed base."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame

from zcqlib.catalog import Catalog
from zcqlib.indicators.aggregates import bases, to_date
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.problems import remarks, trait

KEY, RATES = ["region", "indicator", "end"], ["reported", "from_levels", "on_restated_base"]
PLACE = "file sheet cell value_raw sender".split()


def growth(
    observations: DataFrame | Consolidated, known: DataFrame, catalog: Catalog
) -> tuple[DataFrame, DataFrame]:
    """Growth as reported beside growth from levels and beside growth on the restated base.

    Parameters
    ----------
    observations : OBSERVATIONS with yoy_pct and restated bases, or what `consolidate` made of them.
    known : SERIES of the same date.
    Returns
    -------
    (table, PROBLEMS): `region`, `indicator`, `end`, `reported`, `from_levels`, `on_restated_base`, `base`,
    `restated_base`, `basis` (ytd or month), all growths in per cent. A base of zero or less gives no growth.
    Raises
    ------
    CorrectionError : a correction's source has changed.
    Source
    ------
    月报“同比”“上年同期”列。
    """
    both = consolidate(observations, catalog)
    month = known[known.months.eq(1) & ~known.revision]
    found = [
        _growth(both, levels, catalog, *spans)
        for levels, spans in ((to_date(known), ("ytd", "year")), (month, ("month",)))
    ]
    table, told = (pd.concat(parts, ignore_index=True) for parts in zip(*found, strict=True))
    return table, told


def _growth(
    both: Consolidated, levels: DataFrame, catalog: Catalog, *spans: str
) -> tuple[DataFrame, DataFrame]:
    current = both.current.query("basis in @spans or basis == 'month'")
    said = current.query("measure == 'yoy_pct' and basis in @spans")
    said = said[[*KEY, *PLACE, "value", "decimals", "published"]].drop_duplicates(KEY, keep="last")
    said = said.rename(columns={"value": "reported", "published": "_since"})
    restated = both.base.query("basis in @spans")
    out = levels[[*KEY, "value", "published"]]
    out = out.merge(bases(levels, restated)[[*KEY, "base", "restated_base"]], "left", KEY)
    out = out.merge(said, "left", KEY)
    # rounding of both levels, as shown by those who reported them, and of the rate itself
    stated = current.query("measure == 'value'").groupby(KEY[:2])._tol.max()
    out = out.join(stated, on=KEY[:2]).assign(start=out.end, basis=spans[0])
    rises = [100 * (out.value / b.where(b > 0) - 1) for b in (out.base, out.restated_base)]
    out = out.assign(from_levels=rises[0], on_restated_base=rises[1])
    out["_computed"], level = rises[1].fillna(rises[0]), out.restated_base.fillna(out.base)
    shown = 100 * out._tol.fillna(0) * (1 + out.value / level) / level
    out["_slack"] = 0.5 * 10.0**-out.decimals + shown + 1e-6
    # not revised since
    off = out.query("abs(_computed - reported) > _slack and published <= _since")
    constant = trait(off, "constant_price", catalog)
    moved = out.query("abs(restated_base - base) > 1e-6 * abs(base)")
    places = restated.assign(end=restated.end + 12).drop_duplicates(KEY, keep="last")
    moved = moved.drop(columns=PLACE).merge(places[[*KEY, *PLACE]], on=KEY)
    which = constant.map({True: "yoy_mismatch.constant", False: "yoy_mismatch"})
    told = remarks(catalog, (off, which), (moved, "restated_base"))
    out = out.loc[out[RATES].notna().any(axis=1), [*KEY, *RATES, "base", "restated_base", "basis"]]
    return out, told
