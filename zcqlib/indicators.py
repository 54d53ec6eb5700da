"""OBSERVATIONS as known at a date to SERIES: one winning figure for each fact, months out of cumulative figures, totals
of the parks that belonged to the zone, and ratios from their parts.
"""
from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.tables import OBSERVATIONS, PROBLEMS, SERIES, ZcqError

IDENTITY = ["_region", "coverage", "_indicator", "start", "end", "basis", "measure", "demo"]
_LEVELS = ("flow", "recurring", "milestone")  # kinds whose figures add up over months


class CorrectionError(ZcqError):
    """A correction whose source no longer shows the figure that it was written for."""


@dataclass(frozen=True, slots=True)
class Consolidated:
    """`current`: one row a fact; `base`: last year's figures as restated this year; `history`: every row ever read with
    `state` (current, duplicate, superseded, conflict, outvoted, withdrawn, missing); `problems`: PROBLEMS."""

    current: pd.DataFrame
    base: pd.DataFrame
    history: pd.DataFrame
    problems: pd.DataFrame


def consolidate(observations: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None) -> Consolidated:
    """Choose one figure for each fact; nothing is overwritten, and the order of files never decides.

    The later report of one sender wins (`revised`), within a month the later submission; two figures of one rank are a
    `conflict` and neither is used unless the resolution table names one; between a park's own report and a department's
    table the precedence table decides (`source_disagrees`).

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports.
    as_of : report month; later reports are not looked at.
    Returns
    -------
    Consolidated.
    Raises
    ------
    CorrectionError : a correction's source has changed.
    Source
    ------
    各月报表;corrections、resolutions、precedence 参考表。
    """
    o = observations if as_of is None else observations[observations["published"] <= as_of]
    o = _corrected(o.drop_duplicates("obs_id"), catalog).sort_values("obs_id", ignore_index=True)
    o = o.assign(_region=o["region"].where(o["region"] != "", "raw:" + o["region_raw"]),
                 _indicator=o["indicator"].where(o["indicator"] != "", "raw:" + o["indicator_raw"]))
    restated = o["flags"].str.contains("restated_base", regex=False)
    o, base = o[~restated].reset_index(drop=True), o[restated]
    problems: list[pd.DataFrame] = []
    o["_fact"] = o.groupby(IDENTITY, sort=True).ngroup()
    o["_rank"] = _source_rank(o, catalog)
    o["_tolerance"] = _tolerance(o)
    o["state"] = "missing"
    stated = o[o["value"].notna()].copy()

    # within one report: the same fact twice
    same = stated.groupby(["_fact", "sender", "published", "submission"])
    spread = same["value"].transform("max") - same["value"].transform("min")
    clash = spread > 2 * same["_tolerance"].transform("max")
    settled = _resolved(stated, clash, catalog)
    conflict = clash & ~stated["_fact"].isin(settled)
    if conflict.any():
        problems.append(_tell(stated[conflict].drop_duplicates(["_fact", "sender", "published"]), "conflict", "error",
                              lambda r: f"同一指标({r.indicator_raw},{r.start}至{r.end})在同一期报表中有不同的数,"
                                        f"都没有采用,请在 resolutions 表中指定一个。"))
    o.loc[stated.index[conflict], "state"] = "conflict"
    usable = stated[~conflict & ~(clash & stated["_fact"].isin(settled) & ~stated["obs_id"].isin(_chosen(stated, catalog)))]

    # of one sender: the latest report
    usable = usable.sort_values(["_fact", "sender", "published", "submission", "obs_id"])
    latest = usable.drop_duplicates(["_fact", "sender"], keep="last")
    before = usable[~usable.index.isin(latest.index)].merge(
        latest[["_fact", "sender", "value", "published", "cell", "file"]], on=["_fact", "sender"], suffixes=("", "_new"))
    changed = before[(before["value"] - before["value_new"]).abs() > 2 * before["_tolerance"]]
    equal = usable.index[~usable.index.isin(latest.index)]
    o.loc[equal, "state"] = "duplicate"
    o.loc[o["obs_id"].isin(changed["obs_id"]), "state"] = "superseded"
    if len(changed):
        problems.append(_tell(changed.drop_duplicates(["_fact", "sender"], keep="last"), "revised", "info",
                              lambda r: f"{r.published} 报 {r.value_raw},{r.published_new} 的报表"
                                        f"({r.file_new} {r.cell_new})改为 {r.value_new:g},已按新数。"))

    # between senders
    order = latest.sort_values(["_fact", "_rank", "published", "submission", "sender"])
    winner = order.drop_duplicates("_fact", keep="last")
    group = order.groupby("_fact")
    differ = (group["value"].transform("max") - group["value"].transform("min")
              > group["_tolerance"].transform("sum")) & group["value"].transform("size").gt(1)
    losers = order[differ & ~order.index.isin(winner.index)].merge(
        winner[["_fact", "value", "sender", "file", "cell"]], on="_fact", suffixes=("", "_win"))
    if len(losers):
        problems.append(_tell(losers, "source_disagrees", "warning",
                              lambda r: f"{catalog.name(r.region) or r.region_raw}的{r.indicator_raw}({r.start}至{r.end}):"
                                        f"此处 {r.value:g},{r.file_win} {r.cell_win} 为 {r.value_win:g};"
                                        f"按优先次序采用后者,请双方核对。"))
    o.loc[order.index, "state"] = "outvoted"
    o.loc[winner.index, "state"] = "current"

    # a figure that a later report leaves blank stays; a dash with a note takes it out of the current view
    blanks = o[o["value"].isna()].merge(winner[["_fact", "sender", "published", "obs_id"]], on=["_fact", "sender"],
                                        suffixes=("", "_old"))
    blanks = blanks[blanks["published"] > blanks["published_old"]]
    deleted = blanks[blanks["missing_reason"].eq("not_applicable") & blanks["flags"].str.contains("note:", regex=False)]
    kept = blanks[~blanks["obs_id"].isin(deleted["obs_id"]) & ~blanks["missing_reason"].eq("future")]
    if len(kept):
        problems.append(_tell(kept.drop_duplicates("_fact"), "withdrawn", "warning",
                              lambda r: f"{r.indicator_raw}({r.start}至{r.end})以前报过,这次空白;仍用原数,请确认是否撤回。"))
    o.loc[o["obs_id"].isin(deleted["obs_id_old"]), "state"] = "withdrawn"

    hidden = ["_fact", "_rank", "_tolerance", "_region", "_indicator"]
    current = o[o["state"] == "current"].drop(columns=[*hidden, "state"]).reset_index(drop=True)
    base = base.sort_values(["published", "submission"]).drop_duplicates(IDENTITY, keep="last")
    found = pd.concat(problems, ignore_index=True) if problems else tables.empty(PROBLEMS)
    return Consolidated(current, base.drop(columns=["_region", "_indicator"]).reset_index(drop=True),
                        o.drop(columns=hidden).reset_index(drop=True), tables.shape(found, PROBLEMS))


def _corrected(o: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Apply the correction table; a correction that no longer fits its source stops the run."""
    for fix in catalog.corrections.itertuples():
        here = (o["file"] == fix.file) & (o["sheet"] == fix.sheet) & (o["cell"] == fix.cell)
        if not here.any():
            continue
        found = o.loc[here, "value_raw"].iloc[0]
        if found != fix.found:
            raise CorrectionError(f"更正表针对 {fix.file} {fix.sheet} {fix.cell} 的「{fix.found}」,现在源文件是「{found}」:"
                                  f"报送单位可能已改正,请删去或更新这条更正({fix.reason})。")
        flags = o.loc[here, "flags"].map(lambda f: ";".join(filter(None, [f, f"corrected:{fix.reason}"])))  # noqa: B023
        o = o.assign(value=o["value"].mask(here, fix.value), flags=o["flags"].mask(here, flags))
    return o


def _source_rank(o: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """1 for the kind of sender that wins for the indicator (default: the department), 0 for the other."""
    kind = o["sender"].map(dict(zip(catalog.senders["id"], catalog.senders["kind"], strict=True))).fillna("")
    wins = o["indicator"].map(dict(zip(catalog.precedence["indicator"], catalog.precedence["winner"], strict=True)))
    return (kind == wins.fillna("department")).astype("int64")


def _tolerance(o: pd.DataFrame) -> pd.Series:
    """Half a unit of the last decimal shown, in the normal unit."""
    raw = pd.to_numeric(o["value_raw"], errors="coerce")
    scale = (o["value"] / raw).abs().where(raw.notna() & raw.ne(0), 1.0).fillna(1.0)
    return 0.5 * 10.0 ** -o["decimals"] * scale * (1 + 1e-9)


def _chosen(o: pd.DataFrame, catalog: Catalog) -> set[str]:
    """Observations that the resolution table names."""
    keys = {(r.region, r.indicator, r.start, r.end, r.basis, r.measure, r.file) for r in catalog.resolutions.itertuples()}
    if not keys:
        return set()
    return {r.obs_id for r in o.itertuples() if (r.region, r.indicator, r.start, r.end, r.basis, r.measure, r.file) in keys}


def _resolved(o: pd.DataFrame, clash: pd.Series, catalog: Catalog) -> set[int]:
    chosen = _chosen(o[clash], catalog)
    return set(o.loc[o["obs_id"].isin(chosen), "_fact"])


def _tell(rows: pd.DataFrame, code: str, severity: str, sentence) -> pd.DataFrame:
    return pd.DataFrame([dict(code=code, severity=severity, file=r.file, sheet=r.sheet, cell=r.cell, raw=r.value_raw,
                              message=sentence(r), sender=r.sender, published=r.published)
                         for r in _records(rows)])


def _records(frame: pd.DataFrame) -> list[SimpleNamespace]:
    """Rows as objects; unlike itertuples this keeps names that begin with an underscore."""
    return [SimpleNamespace(**d) for d in frame.to_dict("records")]


# --- months ---------------------------------------------------------------------------------------------------------

def monthly_from_cumulative(observations: pd.DataFrame, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    nothing: what does not fit together is in PROBLEMS (cum_mismatch, ytd_decrease, negative_month).
    Source
    ------
    月报“本月”“本年累计”两列;口径见指标目录。
    """
    o = observations[observations["value"].notna()].copy()
    if o.empty:
        return tables.empty(SERIES), tables.empty(PROBLEMS)
    o["_tol"] = 2 * _tolerance(o)
    o["_year"], o["_to"] = o["end"].dt.year, o["end"].dt.month
    group = ["region", "indicator", "_year"]
    cumulative = o[o["basis"].isin(["ytd", "year"]) | o["basis"].isin(["quarter", "range"]) & o["start"].dt.month.eq(1)]
    y = cumulative.sort_values([*group, "_to", "basis"]).drop_duplicates([*group, "_to"], keep="last").copy()
    shifted = y.groupby(group)
    y["_from"] = shifted["_to"].shift().fillna(0).astype("int64") + 1
    y["_gain"] = y["value"] - shifted["value"].shift().fillna(0)
    y["_gap"] = y["_tol"] + shifted["_tol"].shift().fillna(0)
    y["published"] = np.where(shifted["published"].shift().notna() & (shifted["published"].shift() > y["published"]),
                              shifted["published"].shift(), y["published"])
    y["_before"] = shifted["cell"].shift().fillna("")
    y["_segment"] = np.arange(len(y))
    m = o[o["basis"].eq("month")].drop_duplicates([*group, "_to"], keep="last").copy()
    m = m.merge(y[[*group, "_from", "_to", "_segment"]].rename(columns={"_from": "_a", "_to": "_b"}), on=group, how="left")
    m = m[m["_segment"].isna() | m["_to"].between(m["_a"], m["_b"]) | ~m["_to"].le(m.groupby(group)["_b"].transform("max"))]
    inside = m[m["_to"].between(m["_a"], m["_b"])]
    covered = inside.groupby("_segment").agg(_n=("value", "size"), _sum=("value", "sum"), _mtol=("_tol", "sum"))
    y = y.merge(covered, left_on="_segment", right_index=True, how="left").fillna({"_n": 0, "_sum": 0.0, "_mtol": 0.0})
    length = y["_to"] - y["_from"] + 1
    whole = y["_n"] == length
    problems = []
    off = y[whole & ((y["_gain"] - y["_sum"]).abs() > y["_gap"] + y["_mtol"])]
    if len(off):
        problems.append(_tell(off, "cum_mismatch", "warning",
                              lambda r: f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:按累计算{r._from}至{r._to}月应为 "
                                        f"{r._gain:g},所报当月为 {r._sum:g},相差 {r._gain - r._sum:g};当月按所报,差额视为前期修订。"))
    rest = y[~whole]
    rows = [m.drop_duplicates([*group, "_to"])[["region", "indicator", "start", "end", "value", "unit", "published", "demo"]
                                               ].assign(months=1)]
    plain = rest[rest["_n"] == 0]
    first = pd.PeriodIndex.from_fields(year=plain["_year"], month=plain["_from"], freq="M")
    rows.append(pd.DataFrame({"region": plain["region"], "indicator": plain["indicator"], "start": first,
                              "end": plain["end"], "value": plain["_gain"], "unit": plain["unit"],
                              "published": plain["published"], "demo": plain["demo"],
                              "months": plain["_to"] - plain["_from"] + 1}))
    for r in _records(rest[rest["_n"] > 0]):  # some months of a segment are stated: the others are what is left
        known = set(inside.loc[inside["_segment"] == r._segment, "_to"])
        left = [k for k in range(r._from, r._to + 1) if k not in known]
        if left and left[-1] - left[0] + 1 == len(left):
            rows.append(pd.DataFrame([dict(region=r.region, indicator=r.indicator, value=r._gain - r._sum, unit=r.unit,
                                           start=pd.Period(year=r._year, month=left[0], freq="M"),
                                           end=pd.Period(year=r._year, month=left[-1], freq="M"),
                                           published=r.published, demo=r.demo, months=len(left))]))
    apart = o[o["basis"].isin(["quarter", "range"]) & o["start"].dt.month.ne(1)]
    taken = set(zip(y["region"], y["indicator"], y["_year"], strict=True)) | set(
        zip(m["region"], m["indicator"], m["_year"], strict=True))
    free = [k not in taken for k in zip(apart["region"], apart["indicator"], apart["_year"], strict=True)]
    apart = apart[np.array(free, dtype=bool)]
    rows.append(apart[["region", "indicator", "start", "end", "value", "unit", "published", "demo"]].assign(
        months=apart["_to"] - apart["start"].dt.month + 1))
    falls = y[(y["_gain"] < 0) & (y["_from"] > 1)]
    if len(falls):
        problems += [_fall(falls, catalog)]
    series = tables.shape(pd.concat(rows, ignore_index=True), SERIES)
    series["value"] = series["value"].round(9)  # 10.3 - 10.1 is .2, not .1999999999999993
    found = pd.concat(problems, ignore_index=True) if problems else tables.empty(PROBLEMS)
    return series.sort_values(["region", "indicator", "start"], ignore_index=True), tables.shape(found, PROBLEMS)


def _fall(falls: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    can = falls["indicator"].map(lambda i: i in catalog.indicators and catalog.indicators[i].can_fall)
    rounding = falls["_gain"].abs() <= falls["_gap"]
    parts = []
    for mask, code, severity, tail in (
            (rounding, "ytd_decrease", "info", "在四舍五入范围内。"),
            (~rounding & can, "negative_month", "info", "这项指标可以减少,已照算。"),
            (~rounding & ~can, "ytd_decrease", "warning", "累计数不应减少,已照原样计算,请核对两处。")):
        if mask.any():
            parts.append(_tell(falls[mask], code, severity, lambda r, tail=tail: (
                f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:{r._to}月累计({r.cell})比上一次({r._before})少 "
                f"{-r._gain:g}{r.unit},{tail}")))
    return pd.concat(parts, ignore_index=True)


# --- series ---------------------------------------------------------------------------------------------------------

def series(observations: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None) -> tuple[
        pd.DataFrame, pd.DataFrame]:
    """Everything that was known at a date, as SERIES, with zone totals and ratios.

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports.
    as_of : report month; later reports are not looked at.
    Returns
    -------
    (SERIES, PROBLEMS). Flows by month (`months` 1, or more where they cannot be taken apart), stocks at month end
    (`months` 0), ratios of sums from January to `end` (`months` = number of months) or of stocks (`months` 0).
    Raises
    ------
    CorrectionError : a correction's source has changed.
    Source
    ------
    各月报表与指标目录。
    """
    known = consolidate(observations, catalog, as_of)
    current = known.current
    current = current[current["value"].notna() & current["region"].ne("") & current["indicator"].isin(catalog.indicators)
                      & current["measure"].eq("value") & ~current["region"].isin(["other"])]
    kind = current["indicator"].map(lambda i: catalog.indicators[i].kind)
    flows = current[kind.isin(_LEVELS) & current["basis"].ne("eop")]
    months, problems = monthly_from_cumulative(flows, catalog)
    rest = current[~current.index.isin(flows.index)]
    levels = rest[rest["basis"].isin(["eop", "month", "ytd", "quarter", "year"])].assign(
        start=lambda d: d["end"].where(d["basis"].isin(["eop"]), d["start"]))
    levels = levels.assign(months=np.where(levels["basis"].eq("eop"), 0, (
        levels["end"].dt.year - levels["start"].dt.year) * 12 + levels["end"].dt.month - levels["start"].dt.month + 1))
    stock = kind.reindex(levels.index).isin(["stock", "coverage"])
    levels = levels.assign(start=levels["end"].where(stock, levels["start"]), months=levels["months"].where(~stock, 0))
    both = pd.concat([months, tables.shape(levels, SERIES)], ignore_index=True)
    both = both.drop_duplicates(list(SERIES.key), keep="last")
    both = pd.concat([both, zone_totals(both, catalog)], ignore_index=True)
    both = pd.concat([both, ratios(both, catalog)], ignore_index=True)
    out = tables.shape(both.drop_duplicates(list(SERIES.key), keep="first"), SERIES)
    return (out.sort_values(["indicator", "region", "end", "months"], ignore_index=True),
            pd.concat([known.problems, problems], ignore_index=True))


def zone_totals(known: pd.DataFrame, catalog: Catalog, like_for_like: bool = False,
                members: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Sums over the parks, for additive indicators where every member park has a figure and the zone has none of its own.

    Parameters
    ----------
    known : SERIES.
    like_for_like : add up the parks of the latest month throughout, instead of those that belonged at the time.
    members : parks to add up instead; then zone figures are made anew even where the zone has its own.
    Returns
    -------
    SERIES of region zone.
    """
    additive = {i for i, x in catalog.indicators.items() if x.additive}
    parks = known[known["region"].isin(catalog.parks) & known["indicator"].isin(additive)]
    if parks.empty:
        return tables.empty(SERIES)
    ends = parks["end"].drop_duplicates()
    fixed = members or (catalog.members(ends.max()) if like_for_like else None)
    belongs = pd.DataFrame([(end, p) for end in ends for p in (fixed or catalog.members(end))], columns=["end", "region"])
    needed = belongs.groupby("end").size()
    inside = parks.merge(belongs, on=["end", "region"])
    key = ["indicator", "start", "end", "months"]
    total = inside.groupby(key, as_index=False).agg(value=("value", "sum"), unit=("unit", "first"), n=("region", "size"),
                                                    published=("published", "max"), demo=("demo", "any"))
    total = total[total["n"] == total["end"].map(needed)].assign(region="zone")
    total["value"] = total["value"].round(9)
    total = tables.shape(total, SERIES)
    if members is None and not like_for_like:
        own = known.loc[known["region"] == "zone", key]
        total = total.merge(own, on=key, how="left", indicator="_own")
        total = tables.shape(total[total["_own"] == "left_only"], SERIES)
    return total


def to_date(known: pd.DataFrame) -> pd.DataFrame:
    """Sums from January to each month for which no month is missing: `region`, `indicator`, `end`, `value`, `months`,
    `unit`, `published`, `demo`."""
    flows = known[known["months"] > 0].sort_values(["region", "indicator", "end"])
    year = flows["end"].dt.year
    group = [flows["region"], flows["indicator"], year]
    reached = flows["months"].groupby(group).cumsum()
    out = flows.assign(value=flows["value"].groupby(group).cumsum().round(9), months=reached)
    return out[(reached == out["end"].dt.month) & out["start"].dt.year.eq(year)]


def ratios(known: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Ratios from their parts, never from averages: flows by their sums from January, stocks by their levels.

    Parameters
    ----------
    known : SERIES with numerators and denominators.
    Returns
    -------
    SERIES; per cent for unit %, per 10,000 for units ending in /万人. A stock's denominator is its last known level.
    """
    cumulative, rows = to_date(known), []
    for id, i in catalog.indicators.items():
        if i.kind not in ("ratio", "coverage") or not i.numerator or not i.denominator:
            continue
        stock = catalog.indicators[i.numerator].kind == "stock"
        source = known[known["months"] == 0] if stock else cumulative
        top = source[source["indicator"] == i.numerator].sort_values("end")
        bottom = source[source["indicator"] == i.denominator][["region", "end", "value"]].sort_values("end")
        if top.empty or bottom.empty:
            continue
        if stock:
            top = top.assign(_o=top["end"].map(lambda p: p.ordinal))
            bottom = bottom.assign(_o=bottom["end"].map(lambda p: p.ordinal)).drop(columns="end")
            pair = pd.merge_asof(top, bottom, on="_o", by="region", suffixes=("", "_d"), tolerance=12)
        else:
            pair = top.merge(bottom, on=["region", "end"], suffixes=("", "_d"))
        pair = pair[pair["value_d"].notna() & pair["value_d"].ne(0)]
        factor = 100.0 if i.unit == "%" else 10_000.0 if i.unit.endswith("/万人") else 1.0
        first = pair["end"] if stock else pd.PeriodIndex.from_fields(year=pair["end"].dt.year, month=[1] * len(pair), freq="M")
        rows.append(pair.assign(indicator=id, unit=i.unit, value=factor * pair["value"] / pair["value_d"], start=first,
                                months=0 if stock else pair["end"].dt.month))
    return tables.shape(pd.concat(rows, ignore_index=True), SERIES) if rows else tables.empty(SERIES)


def growth(observations: pd.DataFrame, known: pd.DataFrame, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Growth as reported beside growth from levels and beside growth on the restated base.

    Parameters
    ----------
    observations : OBSERVATIONS with yoy_pct and restated bases.
    known : SERIES.
    Returns
    -------
    (table, PROBLEMS): `region`, `indicator`, `end`, `reported`, `from_levels`, `on_restated_base`, `base`,
    `restated_base`, all growths in per cent of the cumulative figure.
    """
    both = consolidate(observations, catalog)
    cumulative = to_date(known)[["region", "indicator", "end", "value"]]
    reported = both.current[both.current["measure"].eq("yoy_pct") & both.current["basis"].eq("ytd")]
    reported = reported[["region", "indicator", "end", "value", "decimals", "file", "sheet", "cell", "value_raw", "sender",
                         "published"]].rename(columns={"value": "reported"})
    now = cumulative.merge(reported, on=["region", "indicator", "end"], how="inner")
    before = cumulative.assign(end=cumulative["end"] + 12).rename(columns={"value": "base"})
    restated = both.base[both.base["basis"].eq("ytd") & both.base["measure"].eq("value")]
    restated = restated.assign(end=restated["end"] + 12)[["region", "indicator", "end", "value"]].rename(
        columns={"value": "restated_base"}).drop_duplicates(["region", "indicator", "end"], keep="last")
    out = now.merge(before, on=["region", "indicator", "end"], how="left").merge(
        restated, on=["region", "indicator", "end"], how="left")
    out["from_levels"] = 100 * (out["value"] / out["base"].where(out["base"] > 0) - 1)
    out["on_restated_base"] = 100 * (out["value"] / out["restated_base"].where(out["restated_base"] > 0) - 1)
    best = out["on_restated_base"].fillna(out["from_levels"])
    base = out["restated_base"].fillna(out["base"])
    slack = 0.5 * 10.0 ** -out["decimals"] + 100 * 0.01 * out["value"] / base.where(base > 0) / base.where(base > 0)
    off = out[(best - out["reported"]).abs() > slack + 0.06]
    moved = out[(out["restated_base"] - out["base"]).abs() > 1e-6 * out["base"].abs() + 0.5]
    parts = []
    if len(off):
        parts.append(_tell_growth(off, catalog, best))
    if len(moved):
        parts.append(_tell(moved, "restated_base", "info", lambda r: (
            f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:上年同期原报 {r.base:g},现报 {r.restated_base:g},"
            "增速按现报基数计算。")))
    columns = ["region", "indicator", "end", "reported", "from_levels", "on_restated_base", "base", "restated_base"]
    found = pd.concat(parts, ignore_index=True) if parts else tables.empty(PROBLEMS)
    return out[columns], tables.shape(found, PROBLEMS)


def _tell_growth(off: pd.DataFrame, catalog: Catalog, best: pd.Series) -> pd.DataFrame:
    constant = off["indicator"].map(lambda i: catalog.indicators[i].constant_price)
    parts = []
    for mask, severity, tail in ((constant, "info", "(按可比价计算,二者可以不同)"), (~constant, "warning", ",请核对。")):
        if mask.any():
            rows = off[mask].assign(_best=best[off.index[mask]])
            parts.append(_tell(rows.rename(columns={"_best": "computed"}), "yoy_mismatch", severity,
                               lambda r, tail=tail: f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:所报同比 {r.reported:g}%,"
                                                    f"按数值计算为 {r.computed:.1f}%{tail}"))
    return pd.concat(parts, ignore_index=True)
