"""Totals of the parks that belonged to the zone, sums from January, and ratios and growth computed from them."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame, Series

from zcqlib.catalog import Catalog
from zcqlib.indicators.months import net, ordinal
from zcqlib.indicators.problems import trait
from zcqlib.tables import SERIES, empty, shape


def zone_totals(known: DataFrame, catalog: Catalog) -> DataFrame:
    """Sums over the parks, for additive indicators where every member has a figure and the zone has none of its own.

    Parameters
    ----------
    known : SERIES.
    Returns
    -------
    SERIES of region zone.
    """
    parks = known[trait(known, "additive", catalog)].query("region in @catalog.parks")
    if parks.empty:
        return empty(SERIES)
    belongs = DataFrame({"end": parks.end.unique()})
    belongs["_who"] = belongs.end.map(catalog.members)
    belongs = belongs.assign(region=belongs._who).explode("region")
    year = ["indicator", "_year"]
    # a park with January and February in one figure: the sums to date still tell the months of the zone
    ends = _summed(parks).merge(belongs).groupby([*year, "start", "end", "_who"])
    ends = ends.region.nunique().reset_index()
    ends = ends[ends.region == ends._who.str.len()]
    ends = ends[ends.groupby(year)._who.transform("nunique") == 1]
    ends["_from"] = (ends.groupby(year).end.shift() + 1).fillna(ends.start)
    ends["_to"] = ends.end
    last = ends.groupby(year).end.max().rename("_reached")
    parts, ends = (
        f.assign(_year=f.end.dt.year, _end=ordinal(f.end)).sort_values("_end")
        for f in (parks, ends)
    )
    ends = ends[[*year, "_end", "_from", "_to"]]
    parts = pd.merge_asof(parts, ends, on="_end", by=year, direction="forward")
    parts = parts.join(last, on=year).assign(_level=parts.months.eq(0))
    parts["_alone"] = parts._to.isna() | parts._level
    parts = parts.query(
        "not _alone or not revision and (_level or _reached.isna() or start > _reached)"
    )
    parts = parts.assign(
        start=parts.start.where(parts._alone | parts.revision, parts._from),
        end=parts.end.where(parts._alone, parts._to),
    ).merge(belongs)
    total = parts.groupby("indicator start end revision _level _alone _who".split(), as_index=False)
    total = total.agg(
        dict(value="sum", unit="first", published="max", inputs=net, demo="any", region="nunique")
    )
    total = total[~total._alone | total.region.eq(total._who.str.len())]
    total = total.assign(
        region="zone",
        value=total.value.round(9),
        months=(ordinal(total.end) - ordinal(total.start) + 1) * ~total._level,
    ).query("not revision or value != 0")
    # what the zone says itself; of a revision the last month alone
    spans, own = (
        f.assign(_from=f.start.mask(f.revision, f.end), _level=f.months.eq(0))
        for f in (total.reset_index(), known.query("region == 'zone'"))
    )
    taken = spans.merge(own, on=["indicator", "_level"], suffixes=("", "_own"))
    taken = taken.query("_from <= end_own and _from_own <= end")["index"]
    return shape(total.drop(taken.unique()), SERIES)


def _summed(known: DataFrame) -> DataFrame:
    """Sums from January to each month that is complete."""
    order = "region indicator end months revision".split()
    flows = known.query("months > 0").sort_values(order, ignore_index=True)
    flows = flows.assign(
        months=flows.months.mask(flows.revision, 0),
        _year=flows.end.dt.year,
        _january=flows.end - flows.end.dt.month + 1,
    )
    lines = flows.groupby(["region", "indicator", "_year"])
    out = flows.assign(
        **lines[["value", "months"]].cumsum().round(9),
        start=flows._january,
        published=lines.published.cummax(),
        demo=lines.demo.cummax(),
        inputs=_running(flows.inputs, lines.cumcount().eq(0)),
        revision=False,
    )
    out = out[out.months.eq(out.end.dt.month) & (flows.start >= flows._january)]
    return out.drop_duplicates(["region", "indicator", "end"], keep="last")


def _running(inputs: Series, begins: Series) -> list[str]:
    """The observations that each sum so far rests on; `begins` says where a new sum begins."""
    out: list[str] = []
    for ids, new in zip(inputs, begins, strict=True):
        out.append(ids if new else net((ids, out[-1])))
    return out


def to_date(known: DataFrame) -> DataFrame:
    """Sums of months and revisions from January to each month up to which none is missing.

    Parameters
    ----------
    known : SERIES.
    Returns
    -------
    SERIES with `start` January and `months` the number of months; `published` is the latest report in the sum.
    """
    return shape(_summed(known).sort_values(["indicator", "region", "end"]), SERIES)


def ratios(known: DataFrame, sums: DataFrame, catalog: Catalog) -> DataFrame:
    """Ratios from their parts, never from averages: flows by their sums from January, stocks by their levels.

    Parameters
    ----------
    known : SERIES with numerators and denominators. sums : `to_date` of it.
    Returns
    -------
    SERIES; per cent for unit %, per 10,000 for units ending in /万人. A stock's denominator is its last known level.
    """
    made = []
    for i in catalog.indicators.values():
        if i.kind not in ("ratio", "coverage") or not (i.numerator and i.denominator):
            continue
        level = catalog.indicators[i.numerator].kind == "stock"
        rows = known.query("months == 0") if level else sums
        rows = rows.assign(_end=ordinal(rows.end)).sort_values("_end", kind="stable")
        pair = pd.merge_asof(
            rows[rows.indicator == i.numerator],
            rows[rows.indicator == i.denominator],
            on="_end",
            by="region",
            tolerance=12 * level,
            suffixes=("", "_d"),
        )
        pair = pair.query("value_d.notna() and value_d != 0")
        per = 100.0 if i.unit == "%" else 10_000.0 if i.unit.endswith("/万人") else 1.0
        made.append(
            pair.assign(
                indicator=i.id,
                unit=i.unit,
                value=per * pair.value / pair.value_d,
                published=pair.published.where(
                    pair.published >= pair.published_d, pair.published_d
                ),
                inputs=_both(pair.inputs, pair.inputs_d),
                demo=pair.demo | pair.demo_d.eq(True),
            )
        )
    return shape(pd.concat(made) if made else [], SERIES)


def _both(one: Series, other: Series) -> list[str]:
    """The observations of two figures of which one is set against the other; they share none."""
    return [net(ids) for ids in zip(one, other.fillna(""), strict=True)]


def nominal_growth(sums: DataFrame, base: DataFrame, catalog: Catalog) -> DataFrame:
    """Growth of the sums to date on last year's, restated where restated, for indicators in current prices."""
    of = {
        x.growth_of: i
        for i, x in catalog.indicators.items()
        if x.growth_of and not x.constant_price | catalog.indicators[x.growth_of].constant_price
    }
    sums = sums[sums.indicator.isin(of)]
    base = base.query("basis in ['ytd', 'year']")
    pairs = sums.merge(bases(sums, base), on=["region", "indicator", "end"], suffixes=("", "_d"))
    level = pairs.restated_base.fillna(pairs.base)
    made = pairs.assign(
        indicator=pairs.indicator.map(of),
        unit="%",
        value=100 * (pairs.value / level - 1),
        inputs=_both(pairs.inputs, pairs.inputs_d),
        demo=pairs.demo | pairs.demo_d,
    )
    return shape(made[level > 0], SERIES)


def bases(sums: DataFrame, base: DataFrame) -> DataFrame:
    """Last year's sums to date under this year's month: `base` as first known, `restated_base` as said this year."""
    key = ["region", "indicator", "end"]
    said = base.query("measure == 'value' and value.notna()")
    said = said.assign(end=said.end + 12, inputs=said.obs_id).drop_duplicates(key, keep="last")
    both = sums.assign(end=sums.end + 12).merge(said, "outer", key, suffixes=("", "_r"))
    both = both.assign(
        base=both.value,
        restated_base=both.value_r,
        inputs=both.inputs_r.fillna(both.inputs),
        demo=both.demo.eq(True) | both.demo_r.eq(True),
    )
    return both[[*key, "base", "restated_base", "inputs", "demo"]]
