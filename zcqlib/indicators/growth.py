"""Growth as reported beside growth from levels: finds a changed base."""

from __future__ import annotations

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.indicators.aggregates import bases, to_date
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.problems import joined, problems_of, trait


def growth(
    observations: pd.DataFrame | Consolidated,
    known: pd.DataFrame,
    catalog: Catalog,
    as_of: pd.Period | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Growth as reported beside growth from levels and beside growth on the restated base.

    Parameters
    ----------
    observations : OBSERVATIONS with yoy_pct and restated bases, or what `consolidate` made of them.
    known : SERIES of the same date.
    as_of : report month; later reports are not looked at.
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
    both = consolidate(observations, catalog, as_of)
    parts = [
        _growth(both, levels, catalog, basis)
        for basis, levels in (
            ("ytd", to_date(known)),
            ("month", known[known["months"].eq(1) & ~known["revision"]]),
        )
    ]
    return pd.concat([p for p, _ in parts], ignore_index=True), joined([q for _, q in parts])


def _growth(
    both: Consolidated, levels: pd.DataFrame, catalog: Catalog, basis: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    key, spans = ["region", "indicator", "end"], ["month"] if basis == "month" else ["ytd", "year"]
    at = ["file", "sheet", "cell", "value_raw", "sender"]
    current = both.current[both.current["basis"].isin([*spans, "month"])]
    said = current[current["measure"].eq("yoy_pct") & current["basis"].isin(spans)]
    said = said[[*key, "value", "decimals", "published", *at]].drop_duplicates(key, keep="last")
    said = said.rename(columns={"value": "reported", "published": "_said"})
    restated = both.base[both.base["basis"].isin(spans)]
    out = levels[[*key, "value", "published"]].merge(
        bases(levels, restated)[[*key, "base", "restated_base"]], on=key, how="left"
    )
    out = out.merge(said, on=key, how="left")
    for rate, base in (("from_levels", "base"), ("on_restated_base", "restated_base")):
        out[rate] = 100 * (out["value"] / out[base].where(out[base] > 0) - 1)
    # rounding of both levels, as shown by those who reported them, and of the rate itself
    stated = current[current["measure"].eq("value")]
    stated = stated.assign(_tol=catalog.tolerance(stated)).groupby(key[:2])["_tol"].max()
    slack = out.join(stated, on=key[:2])["_tol"].fillna(0)
    level = out["restated_base"].fillna(out["base"])
    slack = 0.5 * 10.0 ** -out["decimals"] + 100 * slack * (1 + out["value"] / level) / level + 1e-6
    out["computed"] = best = out["on_restated_base"].fillna(out["from_levels"])
    out["start"] = out["end"]
    off = (best - out["reported"]).abs() > slack
    off = out[off & (out["published"] <= out["_said"])]  # not revised since
    constant = trait(off, "constant_price", catalog).eq(True)
    parts = [
        problems_of(
            off[mask],
            catalog,
            "yoy_mismatch",
            severity,
            "{what}:所报同比 {reported:g}%,按数值计算为 {computed:.1f}%" + tail,
        )
        for mask, severity, tail in (
            (constant, "info", "(按可比价计算,二者可以不同)。"),
            (~constant, "warning", ",请核对。"),
        )
    ]
    places = restated.assign(end=restated["end"] + 12).drop_duplicates(key, keep="last")
    moved = out[(out["restated_base"] - out["base"]).abs() > 1e-6 * out["base"].abs()]
    moved = moved.drop(columns=at).merge(places[[*key, *at]], on=key)
    parts.append(
        problems_of(
            moved,
            catalog,
            "restated_base",
            "info",
            "{what}:上年同期原报 {base:g},现报 {restated_base:g},增速按现报基数计算。",
        )
    )
    rates = ["reported", "from_levels", "on_restated_base"]
    out = out[out[rates].notna().any(axis=1)]
    return out[[*key, *rates, "base", "restated_base"]].assign(basis=basis), joined(parts)
