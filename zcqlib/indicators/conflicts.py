"""One figure for each fact: revisions, duplicates, conflicts, sources that disagree, corrections, withdrawals."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from pandas import DataFrame

from zcqlib.catalog import Catalog
from zcqlib.indicators.holding import held, hold, implausible
from zcqlib.indicators.months import ordinal
from zcqlib.indicators.problems import noise, remarks, span, trait
from zcqlib.tables import ZcqError

IDENTITY = "_region coverage _indicator start end basis measure demo".split()


class CorrectionError(ZcqError):
    """A correction whose source no longer shows the figure that it was written for."""


class Consolidated(NamedTuple):
    """`current`: one row a fact; `base`: last year's figures as restated this year; `history`: every row ever read with
    `state` (current, duplicate, superseded, conflict, outvoted, withdrawn, held, missing) and the tolerance `_tol`;
    `problems`: PROBLEMS."""

    current: DataFrame
    base: DataFrame
    history: DataFrame
    problems: DataFrame


def consolidate(
    observations: DataFrame | Consolidated, catalog: Catalog, as_of: pd.Period | None = None
) -> Consolidated:
    """Choose one figure for each fact; nothing is overwritten, and the order of files never decides.

    The later report of one sender wins (`revised`), within a month the later submission; two figures of one rank are a
    `conflict` and neither is used unless the resolution table names one; between a park's own report and a department's
    table the precedence table decides (`source_disagrees`). What cannot be believed is `held` and counts as not said
    until the resolution table names it.

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports; what was consolidated already is given back, so that several
        stages can share it.
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
    if isinstance(observations, Consolidated):
        return observations
    o = observations if as_of is None else observations.query("published <= @as_of")
    o = o.sort_values("obs_id published submission sender file".split())
    o = o.drop_duplicates("obs_id", ignore_index=True)  # of byte-identical files
    # a corrected figure is as fine as its source
    o = _corrected(o.assign(_tol=catalog.tolerance(o)), catalog)
    month = ordinal(o.published)
    kind = o.sender.map(catalog.senders.set_index("id")["kind"]).fillna("")
    wins = trait(o, "source_precedence", catalog, "department")
    o = o.assign(
        _region=o.region.where(o.region != "", "raw:" + o.region_raw),
        _indicator=o.indicator.where(o.indicator != "", "raw:" + o.indicator_raw),
        _sent=month * 100 + o.submission,
        _ranks=month + 10**6 * kind.eq(wins),
        _why=implausible(o, catalog),
    )
    restated = o["flags"].str.contains("restated_base", regex=False)
    o["_doubted"] = o._why.ne("") | held(o["flags"])
    o["_named"] = o.obs_id.isin(_chosen(o[~restated], catalog))
    waits = o._doubted & ~o._named
    o["state"] = waits.map({True: "held", False: "missing"})
    unsure = o[waits].query("_why != ''").drop_duplicates([*IDENTITY, "sender"], keep="last")
    o = hold(o, waits)
    base = o[restated & ~waits].sort_values(["_ranks", "_sent", "obs_id"])
    o = o[~restated].reset_index(drop=True)
    o["_fact"] = o.groupby(IDENTITY).ngroup()

    # of one sender the latest submission of the latest report; then the sender that the precedence table names, and of
    # these the later report
    own, fact = ["_fact", "sender"], ["_fact"]
    stated = o.query("value.notna() and state != 'held'")
    latest, revised, twice = _stands(o, stated, own, "_sent", "superseded")
    winner, outvoted, clash = _stands(o, latest, fact, "_ranks", "outvoted")
    o.loc[winner.index, "state"] = "current"
    revised = revised.drop_duplicates(own, keep="last")

    # a figure that a later report leaves blank stays; a dash with a note takes it out of the current view
    blanks = _beside(o[o.value.isna()], winner, own)
    gone = blanks["flags"].str.contains("note:", regex=False)
    blanks["_gone"] = gone & blanks.missing_reason.eq("not_applicable")
    blanks = blanks.query("published > published_new and missing_reason != 'future'")
    o.loc[o.obs_id.isin(blanks.query("_gone").obs_id_new), "state"] = "withdrawn"
    blanks = blanks.drop_duplicates(["_fact", "_gone"], keep="last")

    told = remarks(
        catalog,
        (unsure, "held"),
        (twice, "conflict"),
        (revised, "revised"),
        (_many(revised), "revised_many"),
        (clash, "conflict"),
        (outvoted, "source_disagrees"),
        (blanks, blanks._gone.map({True: "withdrawn.noted", False: "withdrawn"})),
    )
    return Consolidated(
        o.query("state == 'current'"),
        base.drop_duplicates(IDENTITY, keep="last"),
        o,
        told,
    )


def tally(history: DataFrame) -> DataFrame:
    """What each report added to what its sender had said before.

    Parameters
    ----------
    history : of `consolidate`.
    Returns
    -------
    `file`, `published` and numbers of figures: `new`, `equal`, `revised`, `conflict`. What a report says twice counts
    as new and equal; what it leaves without a figure is not counted.
    """
    h = history.dropna(subset="value")
    h = h.sort_values("published submission file decimals obs_id".split())
    lines = h.groupby(["sender", "region_raw", "indicator_raw", *IDENTITY])
    before = lines[["value", "_tol"]].shift()
    slack = h._tol.clip(lower=before._tol) + noise(h.value)
    fate = (h.value - before.value).abs().le(slack).map({True: "equal", False: "revised"})
    fate = fate.mask(before.value.isna(), "new").mask(h.state.eq("conflict"), "conflict")
    fates = {name: fate.eq(name) for name in ("new", "equal", "revised", "conflict")}
    return h.assign(**fates).groupby(["file", "published"], as_index=False)[[*fates]].sum()


def _stands(
    o: DataFrame, rows: DataFrame, group: list[str], order: str, lost: str
) -> tuple[DataFrame, DataFrame, DataFrame]:
    """The figure of each group that is last in the order; those that share its place must agree, or one of them be named
    by the resolution table. Then the earlier figures that differ from it, beside it, and those that contradict each
    other. What became of all of them is written into `o`.
    """
    rows = rows.sort_values([*group, order, "decimals", "obs_id"])
    last = rows[order].eq(rows.groupby(group)[order].transform("max"))
    top = rows[last]
    same = top.groupby(group)
    spread = same.value.transform("max") - same.value.transform("min")
    clash = spread > same._tol.transform("max") + noise(top.value)
    settled = clash & same._named.transform("any")
    conflict, passed = top[clash & ~settled], settled & ~top._named
    winner = top[~clash | settled & top._named].drop_duplicates(group, keep="last")
    changed = _beside(rows[~last], winner, group)
    changed = changed[_differs(changed)]
    o.loc[rows.index, "state"] = "duplicate"
    o.loc[o.obs_id.isin(changed.obs_id), "state"] = lost
    o.loc[top.index[passed], "state"] = "superseded"
    o.loc[conflict.index, "state"] = "conflict"
    said = map("{0.value_raw}({0.file} {0.sheet} {0.cell})".format, conflict.itertuples())
    conflict = conflict.assign(_said=[*said])
    conflict["_said"] = conflict.groupby("_fact")._said.transform("、".join)
    return winner, changed, conflict


def _beside(rows: DataFrame, chosen: DataFrame, on: list[str]) -> DataFrame:
    """Rows beside the figure that stands for their fact, whose columns end in _new."""
    return rows.merge(chosen, on=on, suffixes=("", "_new"))


def _differs(pairs: DataFrame) -> pd.Series:
    tolerance = pairs[["_tol", "_tol_new"]].max(axis=1)
    return (pairs.value - pairs.value_new).abs() > tolerance + noise(pairs.value)


def _many(revised: DataFrame) -> DataFrame:
    """The reports that change more than one earlier figure: how many, and by how much at most."""
    size = 100 * (revised.value_new / revised.value.where(revised.value != 0) - 1).abs()
    reports = revised.assign(_size=size).groupby(["file_new", "published_new", "sender"])["_size"]
    many = reports.agg(_n="size", _most="max").reset_index().query("_n > 1")
    return many.rename(columns={"file_new": "file", "published_new": "published"})


def _corrected(o: DataFrame, catalog: Catalog) -> DataFrame:
    """Apply the correction table; a correction that no longer fits its source stops the run."""
    for fix in catalog.corrections.itertuples():
        if fix.file not in set(o.file):
            continue
        where = f"{fix.file} {fix.sheet} {fix.cell}"
        place = o.query("file == @fix.file and sheet == @fix.sheet and cell == @fix.cell")
        here = place.query("value_raw == @fix.found").index
        if here.empty:
            now = "、".join(sorted(set(place.value_raw))) or "没有数据"
            raise CorrectionError(
                f"更正表针对 {where} 的「{fix.found}」,"
                f"现在源文件是「{now}」:报送单位可能已改正,请删去或更新这条更正({fix.reason})。"
            )
        if fix.unit and (other := [u for u in o.unit[here] if u != fix.unit]):
            raise CorrectionError(
                f"更正表中 {where} 的单位是「{fix.unit}」,应为「{other[0]}」,请换算后重填。"
            )
        mark = f"corrected:{fix.reason}({fix.who})".replace(";", "；")
        o.loc[here, "flags"] = (o["flags"] + ";" + mark).str.removeprefix(";")
        missing = "" if fix.value == fix.value else "not_reported"
        o.loc[here, ["value", "missing_reason"]] = fix.value, missing
    return o


def _chosen(o: DataFrame, catalog: Catalog) -> set[str]:
    """Observations that the resolution table names, by fact and file, and by value where one file holds several."""
    key = "region indicator start end basis measure file".split()
    if catalog.resolutions.empty:
        return set()
    hits = o.merge(catalog.resolutions[[*key, "value"]], on=key, suffixes=("", "_new"))
    hits["_same"] = hits.value_new.isna() | ~_differs(hits.assign(_tol_new=0.0))
    for r in hits[~hits.groupby(key)["_same"].transform("any")].head(1).itertuples():
        raise CorrectionError(
            f"resolutions 表为{catalog.name(r.region)}的{catalog.name(r.indicator)}"
            f"({r.start}至{r.end})指定了 {r.file} 的 {r.value_new:g},"
            f"该文件现在是 {r.value:g}:请更新或删去这一条。"
        )
    hits = hits[hits._same]
    pairs = hits.query("not _doubted").merge(o, on=[*key[:-1], "published"], suffixes=("", "_n"))
    near = pairs.groupby("obs_id")  # a doubt is no clash, and stays
    spread = near.value_n.max() - near.value_n.min()
    settled = spread <= near._tol_n.max() + 1e-9 * near.value_n.max().abs()
    for r in hits[hits.obs_id.isin(spread.index[settled])].head(1).itertuples():
        raise CorrectionError(
            f"resolutions 表为{catalog.name(r.region)}的{catalog.name(r.indicator)}({span(r.start, r.end)})指定了 "
            f"{r.file},而 {r.published} 的各处现在都是 {r.value:g},矛盾已经消除:请删去这一条。"
        )
    return set(hits.obs_id)
