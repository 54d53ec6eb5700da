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
    `state` (current, duplicate, superseded, conflict, outvoted, withdrawn, missing) and `won_by`, the obs_id of the
    figure that stands; `problems`: PROBLEMS."""

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
    o = o.sort_values(["obs_id", "published", "submission", "sender", "file"], ignore_index=True)
    again = o.duplicated("obs_id")
    problems = [_copies(o)] if again.any() else []
    o = _corrected(o[~again].reset_index(drop=True), catalog)
    restated = o["flags"].str.contains("restated_base", regex=False)
    o = o.assign(
        _region=o["region"].where(o["region"] != "", "raw:" + o["region_raw"]),
        _indicator=o["indicator"].where(o["indicator"] != "", "raw:" + o["indicator_raw"]),
        _rank=_source_rank(o, catalog),
        _tol=_tolerance(o, catalog),
        _when=o["published"].dt.year * 1200 + o["published"].dt.month * 100 + o["submission"],
    )
    o, base = o[~restated].reset_index(drop=True), o[restated]
    o["_fact"] = o.groupby(IDENTITY, sort=True).ngroup()
    o["state"], chosen = "missing", _chosen(o, catalog)
    stated = o[o["value"].notna()].sort_values(["_fact", "sender", "_when", "decimals", "obs_id"])

    # of one sender: the latest submission of the latest report; what it says twice must agree
    last = stated["_when"] == stated.groupby(["_fact", "sender"])["_when"].transform("max")
    top, earlier = stated[last], stated[~last]
    o.loc[top.index, "state"] = "duplicate"
    top, told = _undisputed(o, top, ["_fact", "sender"], chosen)
    problems += told
    latest = top.drop_duplicates(["_fact", "sender"], keep="last")
    before = _against(earlier, latest, ["_fact", "sender"])
    changed = before[_differs(before)]
    o.loc[earlier.index, "state"] = "duplicate"
    o.loc[o["obs_id"].isin(changed["obs_id"]), "state"] = "superseded"
    if len(changed):
        changed = changed.drop_duplicates(["_fact", "sender"], keep="last")
        problems += [
            _tell(
                changed,
                "revised",
                "info",
                lambda r: (
                    f"{r.published} 报 {r.value_raw},{r.published_new} 的报表({r.file_new} {r.cell_new})改为 {r.value_new:g}"
                    f"{r.unit},已按新数。"
                ),
            ),
            _revisions(changed),
        ]

    # between senders: the one that the precedence table names, then the later report; of equals both must agree
    first = latest.sort_values(["_fact", "_rank", "published", "decimals", "obs_id"])
    group = first.groupby("_fact")
    equal = first["_rank"].eq(group["_rank"].transform("max"))
    equal &= first["published"].eq(first["published"].where(equal).groupby(first["_fact"]).transform("max"))
    agreed, told = _undisputed(o, first[equal], ["_fact"], chosen)
    problems += told
    winner = agreed.drop_duplicates("_fact", keep="last")
    losers = _against(first[~first.index.isin(winner.index)], winner, ["_fact"])
    losers = losers[_differs(losers)]
    if len(losers):
        problems.append(
            _tell(
                losers,
                "source_disagrees",
                "warning",
                lambda r: (
                    f"{catalog.name(r.region) or r.region_raw}的{r.indicator_raw}({r.start}至{r.end}):此处 {r.value:g},"
                    f"{r.file_new} {r.cell_new} 为 {r.value_new:g};按优先次序采用后者,请双方核对。"
                ),
            )
        )
    o.loc[o["obs_id"].isin(losers["obs_id"]), "state"] = "outvoted"
    o.loc[winner.index, "state"] = "current"

    # a figure that a later report leaves blank stays; a dash with a note takes it out of the current view
    blanks = _against(o[o["value"].isna()], winner, ["_fact", "sender"])
    blanks = blanks[blanks["published"] > blanks["published_new"]]
    deletes = blanks["missing_reason"].eq("not_applicable") & blanks["flags"].str.contains("note:", regex=False)
    kept = blanks[~deletes & blanks["missing_reason"].ne("future")]
    if len(kept):
        problems.append(
            _tell(
                kept.drop_duplicates("_fact", keep="last"),
                "withdrawn",
                "warning",
                lambda r: (
                    f"{r.indicator_raw}({r.start}至{r.end})以前报过 {r.value_new:g},这次空白;仍用原数,请确认是否撤回。"
                ),
            )
        )
    o.loc[o["obs_id"].isin(blanks.loc[deletes, "obs_id_new"]), "state"] = "withdrawn"

    o["won_by"] = (
        o["_fact"].map(dict(o.loc[o["state"] == "current", ["_fact", "obs_id"]].to_numpy())).astype("str").fillna("")
    )
    hidden = [c for c in o if c.startswith("_")]
    base = base.sort_values(["_rank", "_when", "obs_id"]).drop_duplicates(IDENTITY, keep="last")
    return Consolidated(
        tables.shape(o[o["state"] == "current"], OBSERVATIONS),
        tables.shape(base, OBSERVATIONS),
        o.drop(columns=hidden),
        _problems(problems),
    )


def _undisputed(
    o: pd.DataFrame, rows: pd.DataFrame, group: list[str], chosen: set[str]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Rows whose group holds one figure only, or that the resolution table names; the others are marked in `o`."""
    value, tolerance = rows.groupby(group)["value"], rows.groupby(group)["_tol"].transform("max")
    clash = value.transform("max") - value.transform("min") > tolerance + _noise(rows["value"])
    named = rows["obs_id"].isin(chosen)
    settled = clash & named.groupby([rows[g] for g in group]).transform("any")
    o.loc[rows.index[settled & ~named], "state"] = "superseded"
    conflict = rows[clash & ~settled]
    o.loc[conflict.index, "state"] = "conflict"
    left = rows[~clash | settled & named]
    if conflict.empty:
        return left, []
    said = conflict["value_raw"] + "(" + conflict["file"] + " " + conflict["sheet"] + " " + conflict["cell"] + ")"
    said = said.groupby(conflict["_fact"]).agg("、".join)
    return left, [
        _tell(
            conflict.assign(said=conflict["_fact"].map(said)),
            "conflict",
            "error",
            lambda r: (
                f"{r.region_raw}的{r.indicator_raw}({r.start}至{r.end})有不能分先后的不同数字:{r.said};都没有采用,"
                "请核对后在 resolutions 表中指定一个。"
            ),
        )
    ]


def _against(rows: pd.DataFrame, chosen: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    """Rows beside the figure that stands for their fact, whose columns end in _new."""
    columns = [*on, *(c for c in ("obs_id", "value", "_tol", "published", "file", "cell", "sender") if c not in on)]
    return rows.merge(chosen[columns], on=on, suffixes=("", "_new"))


def _differs(pairs: pd.DataFrame) -> pd.Series:
    tolerance = pairs[["_tol", "_tol_new"]].max(axis=1)
    return (pairs["value"] - pairs["value_new"]).abs() > tolerance + _noise(pairs["value"])


def _noise(value: pd.Series) -> pd.Series:
    return 1e-9 * value.abs().clip(lower=1e-3)


def _copies(o: pd.DataFrame) -> pd.DataFrame:
    """One line for each file whose bytes came before under another name or in another month."""
    files = o[["obs_id", "file", "published", "sender"]].assign(_digest=o["obs_id"].str.split(":").str[0])
    copies = files[files.duplicated("obs_id")].drop_duplicates(["file", "published"])
    first = files.drop_duplicates("_digest").set_index("_digest")["file"]
    return pd.DataFrame(
        [
            dict(
                code="duplicate_file",
                severity="info",
                file=r.file,
                sender=r.sender,
                published=r.published,
                message=f"与 {first[r._digest]} 内容完全相同,没有重复采用。",
            )
            for r in _records(copies)
        ]
    )


def _revisions(changed: pd.DataFrame) -> pd.DataFrame:
    """One line for each report that changes more than one earlier figure: how many and by how much at most."""
    size = 100 * (changed["value_new"] / changed["value"].where(changed["value"] != 0) - 1).abs()
    many = (
        changed.assign(size=size)
        .groupby(["file_new", "published_new", "sender"], as_index=False)
        .agg(n=("size", "size"), most=("size", "max"))
    )
    return pd.DataFrame(
        [
            dict(
                code="revised_many",
                severity="info",
                file=r.file_new,
                sender=r.sender,
                published=r.published_new,
                message=f"这份报表修订了以前报过的 {r.n} 个数,最大变动 {r.most:.1f}%。",
            )
            for r in many[many["n"] > 1].itertuples()
        ]
    )


def _problems(parts: list[pd.DataFrame]) -> pd.DataFrame:
    parts = [p for p in parts if len(p)]
    return tables.shape(pd.concat(parts, ignore_index=True), PROBLEMS) if parts else tables.empty(PROBLEMS)


def _corrected(o: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Apply the correction table; a correction that no longer fits its source stops the run."""
    for fix in catalog.corrections.itertuples():
        source = o["file"] == fix.file
        place = source & (o["sheet"] == fix.sheet) & (o["cell"] == fix.cell)
        here = place & (o["value_raw"] == fix.found)
        if not source.any():
            continue
        if not here.any():
            now = "、".join(sorted(set(o.loc[place, "value_raw"]))) or "没有数据"
            raise CorrectionError(
                f"更正表针对 {fix.file} {fix.sheet} {fix.cell} 的「{fix.found}」,"
                f"现在源文件是「{now}」:报送单位可能已改正,请删去或更新这条更正({fix.reason})。"
            )
        if fix.unit and (o.loc[here, "unit"] != fix.unit).any():
            raise CorrectionError(
                f"更正表中 {fix.file} {fix.sheet} {fix.cell} 的单位是「{fix.unit}」,应为"
                f"「{o.loc[here, 'unit'].iloc[0]}」,请换算后重填。"
            )
        mark = f"corrected:{fix.reason}({fix.who})".replace(";", "；")
        flags = (o["flags"] + ";" + mark).str.removeprefix(";")
        o = o.assign(
            value=o["value"].mask(here, fix.value),
            flags=o["flags"].mask(here, flags),
            missing_reason=o["missing_reason"].mask(here, ""),
        )
    return o


def _source_rank(o: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """1 for the kind of sender that wins for the indicator, 0 for the other."""
    kind = o["sender"].map(dict(zip(catalog.senders["id"], catalog.senders["kind"], strict=True))).fillna("")
    wins = o["indicator"].map({i: x.source_precedence for i, x in catalog.indicators.items()}).fillna("department")
    return (kind == wins).astype("int64")


def _tolerance(o: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """Half a unit of the last decimal shown, in the normal unit; nothing for whole counts in their own unit."""
    raw = o["value_raw"].str.normalize("NFKC").str.replace(r"[,\s]", "", regex=True)
    raw = pd.to_numeric(raw.str.extract(r"(\d+(?:\.\d+)?)", expand=False), errors="coerce")
    scale = (o["value"] / raw).abs().where(raw.gt(0) & o["value"].ne(0) & o["unit"].ne("%"), 1.0).fillna(1.0)
    count = o["indicator"].map({i: x.count for i, x in catalog.indicators.items()}).eq(True)
    return (0.5 * 10.0 ** -o["decimals"] * scale).mask(count & (scale - 1).abs().lt(1e-9), 0.0)


def _chosen(o: pd.DataFrame, catalog: Catalog) -> set[str]:
    """Observations that the resolution table names, by fact and file, and by value where one file holds several."""
    key = ["region", "indicator", "start", "end", "basis", "measure", "file"]
    if catalog.resolutions.empty:
        return set()
    hits = o[[*key, "obs_id", "value", "_tol"]].merge(
        catalog.resolutions[[*key, "value"]].assign(_tol=0.0), on=key, suffixes=("", "_new")
    )
    same = hits["value_new"].isna() | ~_differs(hits)
    missed = hits[~same.groupby([hits[k] for k in key]).transform("any")]
    if len(missed):
        r = missed.iloc[0]
        raise CorrectionError(
            f"resolutions 表为{catalog.name(r.region)}的{catalog.name(r.indicator)}"
            f"({r.start}至{r.end})指定了 {r.file} 的 {r.value_new:g},"
            f"该文件现在是 {r.value:g}:请更新或删去这一条。"
        )
    return set(hits.loc[same, "obs_id"])


def _tell(rows: pd.DataFrame, code: str, severity: str, sentence) -> pd.DataFrame:
    return pd.DataFrame(
        [
            dict(
                code=code,
                severity=severity,
                file=r.file,
                sheet=r.sheet,
                cell=r.cell,
                raw=r.value_raw,
                message=sentence(r),
                sender=r.sender,
                published=r.published,
            )
            for r in _records(rows)
        ]
    )


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
    nothing: what does not fit together is in PROBLEMS (cum_mismatch, ytd_decrease, negative_month, span_unused).
    Source
    ------
    月报“本月”“本年累计”两列;口径见指标目录。
    """
    o = observations[observations["value"].notna() & observations["basis"].ne("eop")].copy()
    if o.empty:
        return tables.empty(SERIES), tables.empty(PROBLEMS)
    o = o.assign(
        _tol=_tolerance(o, catalog),
        _year=o["end"].dt.year,
        _from=o["start"].dt.month,
        _to=o["end"].dt.month,
        _at=o["file"] + " " + o["cell"],
    )
    within = o["start"].dt.year == o["_year"]
    group = ["region", "indicator", "coverage", "demo", "_year"]
    single = o["basis"].eq("month") & o["start"].eq(o["end"])
    points, spans = _points(o[within & ~single & o["_from"].eq(1)], o[within & ~single & o["_from"].gt(1)], group)
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
    grid = grid.assign(_to=grid["_from"] + grid.groupby("_segment").cumcount()).drop(columns="_from")
    grid = grid.merge(m[[*group, "_to", "value", "_tol", "published"]], on=[*group, "_to"], how="left")
    grid["_when"] = grid["published"].dt.year * 12 + grid["published"].dt.month
    said = (
        grid[grid["value"].notna()]
        .groupby("_segment")
        .agg(_sum=("value", "sum"), _mtol=("_tol", "sum"), _when=("_when", "max"))
    )
    open_ = grid[grid["value"].isna()].groupby("_segment")["_to"].agg(_a="min", _b="max", _n="size")
    y = y.join(said, on="_segment").join(open_, on="_segment").fillna({"_sum": 0.0, "_mtol": 0.0})
    torn = y[y["_n"].lt(y["_b"] - y["_a"] + 1)]
    inside = grid[grid["_segment"].isin(torn["_segment"])][[*group, "_to"]].merge(m, on=[*group, "_to"])
    y.loc[torn.index, ["_a", "_b", "_sum"]] = torn[["_from", "_to"]].assign(_sum=0.0).to_numpy(float)
    m = m[~m["obs_id"].isin(inside["obs_id"])]
    left = y[y["_n"].notna()]
    rows = pd.concat(
        [
            m.assign(months=1),
            left.assign(
                value=left["value"] - left["_sum"],
                months=(left["_b"] - left["_a"] + 1).astype("int64"),
                start=_month_of(left["_year"], left["_a"]),
                end=_month_of(left["_year"], left["_b"]),
            ),
        ],
        ignore_index=True,
    )
    rows["value"] = rows["value"].round(9)  # 10.3 - 10.1 is .2, not .1999999999999993
    off = y[y["_n"].isna() & ((y["value"] - y["_sum"]).abs() > y["_gap"] + y["_mtol"] + _noise(y["value"]))]
    newer = off["_when"] > off["published"].dt.year * 12 + off["published"].dt.month
    problems = [
        *(
            _tell(
                off[mask],
                "cum_mismatch",
                severity,
                lambda r, tail=tail: (
                    f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:按累计算{r._from}至{r._to}月应为 {r.value:g},"
                    f"所报当月为 {r._sum:g},相差 {r.value - r._sum:g};{tail}"
                ),
            )
            for mask, severity, tail in (
                (~newer, "warning", "当月按所报,差额视为前期修订。"),
                (newer, "info", "当月数后来修订过,累计数尚未重报。"),
            )
        ),
        *_falls(falls, catalog),
        _tell(
            pd.concat([o[~within], loose[~free]]),
            "span_unused",
            "info",
            lambda r: f"{r.start}至{r.end}的数跨年或与累计数的期间交叉,没有用来推算当月。",
        ),
        _tell(
            inside,
            "span_unused",
            "info",
            lambda r: f"{r.end}有当月数,但前后月份不全,累计数不能拆开,按一段期间合并使用。",
        ),
    ]
    series = tables.shape(rows, SERIES).sort_values(["region", "indicator", "start"], ignore_index=True)
    return series, _problems(problems)


def _points(points: pd.DataFrame, spans: pd.DataFrame, group: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cumulative figures, one a month, and the spans that hang on none of them: a span that begins where a cumulative
    figure ends makes the next one, a span that ends where one ends makes the one before."""
    points = points.sort_values([*group, "_to", "basis"]).drop_duplicates([*group, "_to"], keep="last")  # ytd is last
    spans = spans.drop_duplicates([*group, "_from", "_to"], keep="last")
    for key, sign, target in (("_from", 1, "_to"), ("_to", -1, "_from")):
        while len(spans):
            base = points[[*group, "_to", "value", "_tol", "published"]].rename(columns={"_to": "_at_month"})
            near = spans.assign(_at_month=spans[key] - (1 if sign == 1 else 0)).merge(
                base, on=[*group, "_at_month"], suffixes=("", "_base")
            )
            later = near["published"].where(near["published"] >= near["published_base"], near["published_base"])
            made = near.assign(value=near["value"] * 1.0 if sign == 1 else -near["value"], published=later)
            made = made.assign(
                value=made["value"] + made["value_base"],
                _tol=made["_tol"] + made["_tol_base"],
                _to=made[target] - (0 if sign == 1 else 1),
                _from=1,
                basis="ytd",
            )
            spans = spans[~spans["obs_id"].isin(near["obs_id"])]
            fresh = pd.concat([points, made[points.columns]], ignore_index=True).drop_duplicates([*group, "_to"])
            if len(fresh) == len(points):
                break
            points = fresh
    return points, spans


def _month_of(year: pd.Series, month: pd.Series) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_fields(year=year.astype("int64"), month=month.astype("int64"), freq="M")


def _falls(falls: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    can = falls["indicator"].map({i: x.can_fall for i, x in catalog.indicators.items()}).eq(True)
    rounding = falls["value"].abs() < falls["_gap"] - _noise(falls["value"])
    return [
        _tell(
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
            (~rounding & ~can, "ytd_decrease", "warning", "累计数不应减少,已照原样计算,请核对两处。"),
        )
    ]


# --- series ---------------------------------------------------------------------------------------------------------


def series(
    observations: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    growths = {x.growth_of: i for i, x in catalog.indicators.items() if x.kind == "growth" and x.growth_of}
    current = known.current[known.current["value"].notna() & known.current["region"].ne("other")]
    stated = current["measure"].eq("yoy_pct")
    current["indicator"] = current["indicator"].where(~stated, current["indicator"].map(growths).fillna(""))
    kind = current["indicator"].map({i: x.kind for i, x in catalog.indicators.items()}).fillna("")
    current = current[
        current["region"].ne("")
        & kind.ne("")
        & (current["measure"].eq("value") | stated & ~current["basis"].isin(["month", "quarter"]))
    ]
    current, apart = _one_basis(current, catalog)
    kind = kind.loc[current.index]
    flows = kind.isin(_LEVELS) & current["basis"].ne("eop")
    months, odd = monthly_from_cumulative(current[flows], catalog)
    rest, stock = current[~flows & current["basis"].ne("range")], kind[~flows].isin(["stock", "coverage"])
    level = stock.reindex(rest.index) | rest["basis"].eq("eop")
    length = (rest["end"].dt.year - rest["start"].dt.year) * 12 + rest["end"].dt.month - rest["start"].dt.month + 1
    rest = rest.assign(start=rest["end"].where(level, rest["start"]), months=length.where(~level, 0))
    both = pd.concat([months, tables.shape(rest, SERIES)], ignore_index=True)
    both = both.drop_duplicates(list(SERIES.key), keep="last")
    both = pd.concat([both, zone_totals(both, catalog)], ignore_index=True)
    said = _stated(current[flows], catalog)
    both = pd.concat(
        [both, ratios(both, catalog, said), _nominal_growth(to_date(both, said), known.base, catalog)],
        ignore_index=True,
    )
    out = tables.shape(both.drop_duplicates(list(SERIES.key), keep="first"), SERIES)
    return (
        out.sort_values(["indicator", "region", "end", "months"], ignore_index=True),
        _problems([known.problems, apart, odd]),
    )


def _one_basis(current: pd.DataFrame, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures that may stand in one series: a region's own coverage; made-up figures or published ones, not both."""
    own = current["region"].map({i: r.coverage for i, r in catalog.regions.items()}).fillna("")
    foreign = current["coverage"].ne("") & own.ne("") & current["coverage"].ne(own)
    key = ["region", "indicator"]
    last = current.assign(_end=current["end"].dt.year * 12 + current["end"].dt.month).sort_values(["_end", "demo"])
    kept = last[~foreign.loc[last.index]].drop_duplicates(key, keep="last").set_index(key)["demo"]
    other = current[key].join(kept.rename("_kept"), on=key)["_kept"].ne(current["demo"]) & ~foreign
    parts = []
    for mask, words in (
        (foreign, "与本系列的统计范围(全区县或其自创区部分)不同"),
        (other, "与本系列的来源(公布或演示)不同"),
    ):
        first = current[mask].drop_duplicates([*key, "file"])
        parts.append(
            _tell(
                first,
                "basis_apart",
                "info",
                lambda r, words=words: (
                    f"{catalog.name(r.region)}的{catalog.name(r.indicator)}:{words},不能接成一个序列,没有并入。"
                ),
            )
        )
    return current[~foreign & ~other], _problems(parts)


def zone_totals(
    known: pd.DataFrame, catalog: Catalog, like_for_like: bool = False, members: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Sums over the parks, for additive indicators where every member has a figure and the zone has none of its own.

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
    belongs = _belongs(parks, catalog, like_for_like, members)
    exact = _sum(parks, belongs)
    # a park with January and February in one figure: the sums to date still tell the months of the zone
    summed = _sum(to_date(parks), belongs)
    summed = summed.assign(_year=summed["end"].dt.year).sort_values(["indicator", "end"], ignore_index=True)
    year = ["indicator", "_year"]
    whole = summed.groupby(year)["_who"].transform("nunique").eq(1)
    summed = summed[whole].reset_index(drop=True)
    last = summed.groupby(year)[["value", "months", "published"]].shift()
    gone = last["months"].fillna(0).astype("int64")
    summed = summed.assign(
        value=summed["value"] - last["value"].fillna(0),
        months=summed["months"] - gone,
        start=_month_of(summed["_year"], gone + 1),
    )
    known_to = summed.groupby(year)["end"].max().rename("_last").reset_index()
    exact = exact.assign(_year=exact["end"].dt.year).merge(known_to, on=year, how="left")
    exact = exact[exact["months"].eq(0) | exact["_last"].isna() | (exact["start"] > exact["_last"])]
    total = pd.concat([exact, summed], ignore_index=True)
    if members is None and not like_for_like:
        own = _months_covered(known[known["region"] == "zone"])
        taken = _months_covered(total).isin(set(own))
        total = total[~taken.groupby(level=0).any().reindex(total.index, fill_value=False)]
    return tables.shape(total.assign(value=total["value"].round(9)), SERIES)


def _belongs(
    parks: pd.DataFrame, catalog: Catalog, like_for_like: bool = False, members: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Which parks count in each month of a frame, and how many they are."""
    ends = parks["end"].drop_duplicates()
    fixed = members or (catalog.members(ends.max()) if like_for_like else None)
    rows = [
        (end, p, ";".join(sorted(set(who))), len(set(who)))
        for end in ends
        for who in [fixed or catalog.members(end)]
        for p in set(who)
    ]
    out = pd.DataFrame(rows, columns=["end", "region", "_who", "_needed"])
    return out.astype({"end": "period[M]", "region": "str", "_who": "str", "_needed": "int64"})


def _sum(parks: pd.DataFrame, belongs: pd.DataFrame) -> pd.DataFrame:
    """Sums over the member parks where every one of them has a figure."""
    inside = parks.merge(belongs, on=["end", "region"])
    total = inside.groupby(["indicator", "start", "end", "months", "_who", "_needed"], as_index=False).agg(
        value=("value", "sum"),
        unit=("unit", "first"),
        n=("region", "nunique"),
        published=("published", "max"),
        demo=("demo", "any"),
    )
    return total[total["n"] == total["_needed"]].assign(region="zone")


def _january(end: pd.Series) -> pd.PeriodIndex:
    return _month_of(end.dt.year, end.dt.month * 0 + 1)


def _months_covered(rows: pd.DataFrame) -> pd.Series:
    """One word for each indicator and month that a row covers (levels apart), under the row's index."""
    rows = rows.loc[rows.index.repeat(rows["months"].clip(lower=1)), ["indicator", "end", "months"]]
    month = rows["end"].dt.year * 12 + rows["end"].dt.month - rows.groupby(level=0).cumcount()
    return rows["indicator"] + rows["months"].eq(0).map({True: "@", False: "/"}) + month.astype("str")


def to_date(known: pd.DataFrame, stated: pd.DataFrame | None = None) -> pd.DataFrame:
    """Figures from January to each month: as stated where a report states them, else the sum of complete months.

    Parameters
    ----------
    known : SERIES. stated : figures of `cumulative`; one that is older than a month in its sum is passed over.
    Returns
    -------
    SERIES with `start` January and `months` the number of months; `published` is the latest report in the sum.
    """
    flows = known[known["months"] > 0].sort_values(["region", "indicator", "end", "months"], ignore_index=True)
    group = [flows["region"], flows["indicator"], flows["end"].dt.year]
    reached = flows["months"].groupby(group).cumsum()
    when = (flows["published"].dt.year * 12 + flows["published"].dt.month - 1).groupby(group).cummax()
    out = flows.assign(
        value=flows["value"].groupby(group).cumsum().round(9),
        months=reached,
        start=_january(flows["end"]),
        published=_month_of(when // 12, when % 12 + 1),
        demo=flows["demo"].groupby(group).cummax(),
    )
    out = out[(reached == out["end"].dt.month) & flows["start"].dt.year.eq(out["end"].dt.year)]
    if stated is not None and len(stated):
        out = pd.concat([out, stated], ignore_index=True).sort_values("published", kind="stable")
        out = out.drop_duplicates(["region", "indicator", "end"], keep="last")  # of one report the stated figure
    return tables.shape(out.sort_values(["indicator", "region", "end"]), SERIES)


def cumulative(observations: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None) -> pd.DataFrame:
    """Cumulative figures that reports state, one for each fact, with zone totals: SERIES in the form of `to_date`.

    They need not equal the sum of the stated months: the difference is a revision of months that nobody restated.
    """
    current = consolidate(observations, catalog, as_of).current
    flows = current[
        current["indicator"].isin([i for i, x in catalog.indicators.items() if x.kind in _LEVELS])
        & current["measure"].eq("value")
        & current["value"].notna()
        & current["region"].ne("")
    ]
    return _stated(_one_basis(flows, catalog)[0], catalog)


def _stated(flows: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    rows = flows[flows["basis"].isin(["ytd", "year"]) & flows["start"].dt.month.eq(1)]
    rows = rows.sort_values("basis").assign(months=rows["end"].dt.month)  # ytd comes last
    rows = tables.shape(rows, SERIES).drop_duplicates(list(SERIES.key), keep="last")
    additive = [i for i, x in catalog.indicators.items() if x.additive]
    parks = rows[rows["region"].isin(catalog.parks) & rows["indicator"].isin(additive)]
    total = _sum(parks, _belongs(parks, catalog))
    own = set(_months_covered(rows[rows["region"] == "zone"].assign(months=1)))
    theirs = _months_covered(total.assign(months=1))
    return pd.concat([rows, tables.shape(total[~theirs.isin(own)], SERIES)], ignore_index=True)


def ratios(known: pd.DataFrame, catalog: Catalog, stated: pd.DataFrame | None = None) -> pd.DataFrame:
    """Ratios from their parts, never from averages: flows by their sums from January, stocks by their levels.

    Parameters
    ----------
    known : SERIES with numerators and denominators. stated : their cumulative figures where reports state them.
    Returns
    -------
    SERIES; per cent for unit %, per 10,000 for units ending in /万人. A stock's denominator is its last known level.
    """
    sums, rows = to_date(known, stated), []
    for id, i in catalog.indicators.items():
        if i.kind not in ("ratio", "coverage") or not i.numerator or not i.denominator:
            continue
        stock = catalog.indicators[i.numerator].kind == "stock"
        source = known[known["months"] == 0] if stock else sums
        top = source[source["indicator"] == i.numerator].sort_values("end")
        bottom = source[source["indicator"] == i.denominator][["region", "end", "value", "published", "demo"]]
        bottom = bottom.sort_values("end")
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
        later = pair["published"].where(pair["published"] >= pair["published_d"], pair["published_d"])
        rows.append(
            pair.assign(
                indicator=id,
                unit=i.unit,
                value=factor * pair["value"] / pair["value_d"],
                start=pair["end"] if stock else _january(pair["end"]),
                published=later,
                demo=pair["demo"] | pair["demo_d"],
                months=0 if stock else pair["end"].dt.month,
            )
        )
    return tables.shape(pd.concat(rows, ignore_index=True), SERIES) if rows else tables.empty(SERIES)


def _nominal_growth(sums: pd.DataFrame, base: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Growth of the sums to date on last year's, restated where restated, for indicators in current prices."""
    of = {
        x.growth_of: i
        for i, x in catalog.indicators.items()
        if x.kind == "growth"
        and x.growth_of
        and not x.constant_price
        and not catalog.indicators[x.growth_of].constant_price
    }
    sums = sums[sums["indicator"].isin(of)]
    base = base[base["basis"].isin(["ytd", "year"])]
    pairs = sums.merge(_bases(sums, base), on=["region", "indicator", "end"], suffixes=("", "_d"))
    level = pairs["restated_base"].fillna(pairs["base"])
    pairs = pairs[level > 0]
    rate = 100 * (pairs["value"] / level - 1)
    return tables.shape(
        pairs.assign(indicator=pairs["indicator"].map(of), unit="%", value=rate, demo=pairs["demo"] | pairs["demo_d"]),
        SERIES,
    )


def _bases(sums: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Last year's sums to date under this year's month: `base` as first known, `restated_base` as said this year."""
    key = ["region", "indicator", "end"]
    before = sums.assign(end=sums["end"] + 12).rename(columns={"value": "base"})[[*key, "base", "demo"]]
    restated = base[base["measure"].eq("value") & base["value"].notna()]
    restated = restated.assign(end=restated["end"] + 12).rename(columns={"value": "restated_base"})
    restated = restated[[*key, "restated_base", "demo"]].drop_duplicates(key, keep="last")
    both = before.merge(restated, on=key, how="outer", suffixes=("", "_r"))
    return both.assign(demo=both["demo"].eq(True) | both["demo_r"].eq(True)).drop(columns="demo_r")


def growth(
    observations: pd.DataFrame, known: pd.DataFrame, catalog: Catalog, as_of: pd.Period | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Growth as reported beside growth from levels and beside growth on the restated base.

    Parameters
    ----------
    observations : OBSERVATIONS with yoy_pct and restated bases.
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
    said = cumulative(observations, catalog, as_of)
    parts = [
        _growth(both, levels, catalog, basis)
        for basis, levels in (("ytd", to_date(known, said)), ("month", known[known["months"] == 1]))
    ]
    return pd.concat([p for p, _ in parts], ignore_index=True), _problems([q for _, q in parts])


def _growth(
    both: Consolidated, levels: pd.DataFrame, catalog: Catalog, basis: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    key, bases = ["region", "indicator", "end"], ["month"] if basis == "month" else ["ytd", "year"]
    said = both.current[both.current["measure"].eq("yoy_pct") & both.current["basis"].isin(bases)]
    said = (
        said[[*key, "value", "decimals", "file", "sheet", "cell", "value_raw", "sender", "published"]]
        .rename(columns={"value": "reported", "published": "_said"})
        .drop_duplicates(key, keep="last")
    )
    restated = both.base[both.base["basis"].isin(bases)]
    out = levels[[*key, "value", "published"]].merge(_bases(levels, restated), on=key, how="left")
    out = out.merge(said, on=key, how="left")
    out["from_levels"] = 100 * (out["value"] / out["base"].where(out["base"] > 0) - 1)
    out["on_restated_base"] = 100 * (out["value"] / out["restated_base"].where(out["restated_base"] > 0) - 1)
    # rounding of both levels, as shown by those who reported them, and of the rate itself
    stated = both.current[both.current["measure"].eq("value") & both.current["basis"].isin([*bases, "month"])]
    stated = stated.assign(_tol=_tolerance(stated, catalog))
    slack = (
        out[["region", "indicator"]]
        .merge(stated.groupby(["region", "indicator"], as_index=False)["_tol"].max(), how="left")["_tol"]
        .fillna(0)
    )
    best, level = out["on_restated_base"].fillna(out["from_levels"]), out["restated_base"].fillna(out["base"])
    slack = 0.5 * 10.0 ** -out["decimals"] + 100 * slack * (1 + out["value"] / level) / level + 1e-6
    out["computed"] = best
    off = out[((best - out["reported"]).abs() > slack) & (out["published"] <= out["_said"])]  # not revised since
    moved = out[
        out["restated_base"].notna()
        & out["base"].notna()
        & ((out["restated_base"] - out["base"]).abs() > 1e-6 * out["base"].abs())
    ]
    constant = off["indicator"].map({i: x.constant_price for i, x in catalog.indicators.items()}).eq(True)
    parts = [
        _tell(
            off[mask],
            "yoy_mismatch",
            severity,
            lambda r, tail=tail: (
                f"{catalog.name(r.region)}的{catalog.name(r.indicator)}({r.end}):所报同比 {r.reported:g}%,按数值计算为 "
                f"{r.computed:.1f}%{tail}"
            ),
        )
        for mask, severity, tail in (
            (constant, "info", "(按可比价计算,二者可以不同)。"),
            (~constant, "warning", ",请核对。"),
        )
    ]
    places = restated.assign(end=restated["end"] + 12).drop_duplicates(key, keep="last")
    moved = moved.drop(columns=["file", "sheet", "cell", "value_raw", "sender"]).merge(
        places[[*key, "file", "sheet", "cell", "value_raw", "sender"]], on=key
    )
    parts.append(
        _tell(
            moved,
            "restated_base",
            "info",
            lambda r: (
                f"{catalog.name(r.region)}的{catalog.name(r.indicator)}({r.end}):上年同期原报 {r.base:g},"
                f"现报 {r.restated_base:g},增速按现报基数计算。"
            ),
        )
    )
    rates = ["reported", "from_levels", "on_restated_base"]
    out = out[out[rates].notna().any(axis=1)]
    return out[[*key, *rates, "base", "restated_base"]].assign(basis=basis), _problems(parts)
