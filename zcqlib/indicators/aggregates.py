"""Totals of the parks that belonged to the zone, sums from January, and ratios and growth computed from them."""

from __future__ import annotations

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, Indicator
from zcqlib.indicators.months import month_of, net, ordinal
from zcqlib.indicators.problems import trait
from zcqlib.tables import SERIES


def zone_totals(
    known: pd.DataFrame, catalog: Catalog, members: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Sums over the parks, for additive indicators where every member has a figure and the zone has none of its own.

    Parameters
    ----------
    known : SERIES.
    members : parks to add up throughout, instead of those that belonged at the time; then zone figures are made anew
        even where the zone has its own.
    Returns
    -------
    SERIES of region zone.
    """
    parks = known[known["region"].isin(catalog.parks) & trait(known, "additive", catalog).eq(True)]
    if parks.empty:
        return tables.empty(SERIES)
    belongs = _belongs(parks, catalog, members)
    exact = _sum(parks[~parks["revision"]], belongs)
    # a park with January and February in one figure: the sums to date still tell the months of the zone
    summed = _sum(_summed(parks), belongs)
    summed = summed.assign(_year=summed["end"].dt.year).sort_values(
        ["indicator", "end"], ignore_index=True
    )
    year = ["indicator", "_year"]
    whole = summed.groupby(year)["_who"].transform("nunique").eq(1)
    summed = summed[whole].reset_index(drop=True)
    last = summed.groupby(year)[["value", "_revised", "months"]].shift().fillna(0)
    revised = (summed["_revised"] - last["_revised"]).round(9)
    months = summed.assign(
        value=summed["value"] - summed["_revised"] - last["value"] + last["_revised"],
        months=summed["months"] - last["months"].astype("int64"),
        start=month_of(summed["_year"], last["months"] + 1),
    )
    known_to = summed.groupby(year)["end"].max().rename("_last").reset_index()
    exact = exact.assign(_year=exact["end"].dt.year).merge(known_to, on=year, how="left")
    exact = exact[exact["months"].eq(0) | exact["_last"].isna() | (exact["start"] > exact["_last"])]
    total = pd.concat([exact, months], ignore_index=True).assign(revision=False)
    revisions = summed.assign(value=revised, revision=True)[revised.ne(0)]
    total = pd.concat([total, revisions], ignore_index=True)
    if members is None:
        own = _months_covered(known[known["region"] == "zone"])
        taken = _months_covered(total).isin(set(own))
        total = total[~taken.groupby(level=0).any().reindex(total.index, fill_value=False)]
    total = _traced(total, parks.merge(belongs[["end", "region"]], on=["end", "region"]))
    return tables.shape(total.assign(value=total["value"].round(9)), SERIES)


def _traced(total: pd.DataFrame, parks: pd.DataFrame) -> pd.DataFrame:
    """Totals with the observations behind the parks' figures in them, and the latest of their report months."""
    on = ["indicator", "revision", "_level"]
    total = total.reset_index(drop=True)
    parts, where = (
        f.assign(_level=f["months"].eq(0), _end=ordinal(f["end"]), _row=f.index).sort_values("_end")
        for f in (parks, total)
    )
    where = where[[*on, "_end", "_row", "start"]].rename(columns={"start": "_start"})
    parts = pd.merge_asof(
        parts.drop(columns="_row"), where, on="_end", by=on, direction="forward"
    ).dropna(subset="_row")
    parts = parts[parts["start"] >= parts["_start"]].groupby("_row")
    return total.drop(columns=["inputs", "published"], errors="ignore").join(
        parts.agg(inputs=("inputs", net), published=("published", "max"))
    )


def _belongs(
    parks: pd.DataFrame, catalog: Catalog, members: tuple[str, ...] | None
) -> pd.DataFrame:
    """Which parks count in each month of a frame, and how many they are."""
    rows = [
        (end, p, ";".join(who), len(who))
        for end in parks["end"].drop_duplicates()
        for who in [sorted(set(members or catalog.members(end)))]
        for p in who
    ]
    out = pd.DataFrame(rows, columns=["end", "region", "_who", "_needed"])
    return out.astype({"end": "period[M]", "_needed": "int64"})


def _sum(parks: pd.DataFrame, belongs: pd.DataFrame) -> pd.DataFrame:
    """Sums over the member parks where every one of them has a figure."""
    parks = parks.assign(_revised=parks.get("_revised", 0.0))
    inside = parks.merge(belongs, on=["end", "region"])
    total = inside.groupby(
        ["indicator", "start", "end", "months", "_who", "_needed"], as_index=False
    ).agg(
        value=("value", "sum"),
        _revised=("_revised", "sum"),
        unit=("unit", "first"),
        n=("region", "nunique"),
        demo=("demo", "any"),
    )
    return total[total["n"] == total["_needed"]].assign(region="zone")


def _january(end: pd.Series) -> pd.PeriodIndex:
    return month_of(end.dt.year, end.dt.month * 0 + 1)


def _months_covered(rows: pd.DataFrame) -> pd.Series:
    """One word for each indicator and month that a row covers (levels apart; of a revision its last one), under the
    row's index."""
    covered = rows["months"].clip(lower=1).where(~rows["revision"], 1)
    rows = rows.loc[rows.index.repeat(covered), ["indicator", "end", "months"]]
    month = rows["end"].dt.year * 12 + rows["end"].dt.month - rows.groupby(level=0).cumcount()
    return (
        rows["indicator"] + rows["months"].eq(0).map({True: "@", False: "/"}) + month.astype("str")
    )


def _summed(known: pd.DataFrame) -> pd.DataFrame:
    """Sums from January to each month that is complete, with the part of revisions in them, `_revised`."""
    flows = known[known["months"] > 0].sort_values(
        ["region", "indicator", "end", "months", "revision"], ignore_index=True
    )
    flows = flows.assign(_year=flows["end"].dt.year)
    group = [flows["region"], flows["indicator"], flows["_year"]]
    reached = flows["months"].where(~flows["revision"], 0).groupby(group).cumsum()
    when = ordinal(flows["published"]).groupby(group).cummax()
    out = flows.assign(
        value=flows["value"].groupby(group).cumsum().round(9),
        _revised=flows["value"].where(flows["revision"], 0.0).groupby(group).cumsum().round(9),
        months=reached,
        start=_january(flows["end"]),
        published=month_of(when // 12, when % 12 + 1),
        demo=flows["demo"].groupby(group).cummax(),
        inputs=_running(flows["inputs"], ~flows.duplicated(["region", "indicator", "_year"])),
        revision=False,
    )
    out = out[(reached == out["end"].dt.month) & flows["start"].dt.year.eq(out["end"].dt.year)]
    return out.drop_duplicates(["region", "indicator", "end"], keep="last")


def _running(inputs: pd.Series, begins: pd.Series) -> list[str]:
    """The observations that each sum so far rests on; `begins` says where a new sum begins."""
    out: list[str] = []
    for ids, new in zip(inputs, begins, strict=True):
        out.append(ids if new else net((out[-1], ids)))
    return out


def to_date(known: pd.DataFrame) -> pd.DataFrame:
    """Sums of months and revisions from January to each month up to which none is missing.

    Parameters
    ----------
    known : SERIES.
    Returns
    -------
    SERIES with `start` January and `months` the number of months; `published` is the latest report in the sum.
    """
    return tables.shape(_summed(known).sort_values(["indicator", "region", "end"]), SERIES)


def ratios(known: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Ratios from their parts, never from averages: flows by their sums from January, stocks by their levels.

    Parameters
    ----------
    known : SERIES with numerators and denominators.
    Returns
    -------
    SERIES; per cent for unit %, per 10,000 for units ending in /万人. A stock's denominator is its last known level.
    """
    sums, rows = to_date(known), [tables.empty(SERIES)]
    for i in catalog.indicators.values():
        if i.kind in ("ratio", "coverage") and i.numerator and i.denominator:
            stock = catalog.indicators[i.numerator].kind == "stock"
            source = known[known["months"] == 0] if stock else sums
            top, bottom = (
                source[source["indicator"] == part].assign(_end=lambda f: ordinal(f["end"]))
                for part in (i.numerator, i.denominator)
            )
            if len(top) and len(bottom):
                rows.append(_ratio(i, top.sort_values("_end"), bottom.sort_values("_end"), stock))
    return pd.concat(rows, ignore_index=True)


def _ratio(i: Indicator, top: pd.DataFrame, bottom: pd.DataFrame, stock: bool) -> pd.DataFrame:
    bottom = bottom[["region", "_end", "value", "published", "inputs", "demo"]]
    pair = pd.merge_asof(
        top, bottom, on="_end", by="region", suffixes=("", "_d"), tolerance=12 if stock else 0
    )
    pair = pair[pair["value_d"].notna() & pair["value_d"].ne(0)]
    factor = 100.0 if i.unit == "%" else 10_000.0 if i.unit.endswith("/万人") else 1.0
    later = pair["published"] >= pair["published_d"]
    made = pair.assign(
        indicator=i.id,
        unit=i.unit,
        value=factor * pair["value"] / pair["value_d"],
        start=pair["end"] if stock else _january(pair["end"]),
        published=pair["published"].where(later, pair["published_d"]),
        inputs=_both(pair["inputs"], pair["inputs_d"]),
        demo=pair["demo"] | pair["demo_d"].eq(True),
        months=0 if stock else pair["end"].dt.month,
    )
    return tables.shape(made, SERIES)


def _both(one: pd.Series, other: pd.Series) -> list[str]:
    """The observations of two figures of which one is set against the other."""
    return [
        ";".join(sorted({*a.split(";"), *b.split(";")} - {""}))
        for a, b in zip(one, other.fillna(""), strict=True)
    ]


def nominal_growth(sums: pd.DataFrame, base: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Growth of the sums to date on last year's, restated where restated, for indicators in current prices."""
    rates = {i: x for i, x in catalog.indicators.items() if x.kind == "growth" and x.growth_of}
    of = {
        x.growth_of: i
        for i, x in rates.items()
        if not x.constant_price and not catalog.indicators[x.growth_of].constant_price
    }
    sums = sums[sums["indicator"].isin(of)]
    base = base[base["basis"].isin(["ytd", "year"])]
    pairs = sums.merge(bases(sums, base), on=["region", "indicator", "end"], suffixes=("", "_d"))
    level = pairs["restated_base"].fillna(pairs["base"])
    made = pairs.assign(
        indicator=pairs["indicator"].map(of),
        unit="%",
        value=100 * (pairs["value"] / level - 1),
        inputs=_both(pairs["inputs"], pairs["inputs_d"]),
        demo=pairs["demo"] | pairs["demo_d"],
    )
    return tables.shape(made[level > 0], SERIES)


def bases(sums: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Last year's sums to date under this year's month: `base` as first known, `restated_base` as said this year."""
    key = ["region", "indicator", "end"]
    before = sums.assign(end=sums["end"] + 12, base=sums["value"])
    said = base[base["measure"].eq("value") & base["value"].notna()]
    said = said.assign(end=said["end"] + 12, inputs=said["obs_id"], restated_base=said["value"])
    both = before[[*key, "base", "inputs", "demo"]].merge(
        said[[*key, "restated_base", "inputs", "demo"]].drop_duplicates(key, keep="last"),
        "outer",
        key,
        suffixes=("", "_r"),
    )
    return both.assign(
        inputs=both["inputs_r"].fillna(both["inputs"]),
        demo=both["demo"].eq(True) | both["demo_r"].eq(True),
    )
