"""One figure for each fact: revisions, duplicates, conflicts, sources that disagree, corrections, withdrawals."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.indicators.holding import held, hold, implausible
from zcqlib.indicators.problems import joined, noise, problems_of, span, trait
from zcqlib.tables import OBSERVATIONS, ZcqError

IDENTITY = ["_region", "coverage", "_indicator", "start", "end", "basis", "measure", "demo"]


class CorrectionError(ZcqError):
    """A correction whose source no longer shows the figure that it was written for."""


@dataclass(frozen=True, slots=True)
class Consolidated:
    """`current`: one row a fact; `base`: last year's figures as restated this year; `history`: every row ever read with
    `state` (current, duplicate, superseded, conflict, outvoted, withdrawn, held, missing) and `won_by`, the obs_id of the
    figure that stands; `problems`: PROBLEMS."""

    current: pd.DataFrame
    base: pd.DataFrame
    history: pd.DataFrame
    problems: pd.DataFrame


def consolidate(
    observations: pd.DataFrame | Consolidated, catalog: Catalog, as_of: pd.Period | None = None
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
    o = observations if as_of is None else observations[observations["published"] <= as_of]
    o = o.sort_values(["obs_id", "published", "submission", "sender", "file"], ignore_index=True)
    o = o.drop_duplicates("obs_id", ignore_index=True)  # of byte-identical files
    o = _corrected(
        o.assign(_tol=catalog.tolerance(o)), catalog
    )  # a corrected figure is as fine as its source
    restated = o["flags"].str.contains("restated_base", regex=False)
    o = o.assign(
        _region=o["region"].where(o["region"] != "", "raw:" + o["region_raw"]),
        _indicator=o["indicator"].where(o["indicator"] != "", "raw:" + o["indicator_raw"]),
        _rank=_source_rank(o, catalog),
        _when=o["published"].dt.year * 1200 + o["published"].dt.month * 100 + o["submission"],
    )
    o["_why"] = implausible(o, catalog)
    doubted = o["_why"].ne("") | held(o["flags"])
    chosen = _chosen(o[~restated], catalog, doubted)
    waits = doubted & ~o["obs_id"].isin(chosen)
    o["state"] = waits.map({True: "held", False: "missing"})
    o, base = hold(o, waits), o[restated & ~waits]
    problems = [_held(o[waits & o["_why"].ne("")], catalog)]
    o = o[~restated].reset_index(drop=True)
    o["_fact"] = o.groupby(IDENTITY, sort=True).ngroup()
    stated = o[o["value"].notna() & o["state"].ne("held")]
    stated = stated.sort_values(["_fact", "sender", "_when", "decimals", "obs_id"])

    # of one sender: the latest submission of the latest report; what it says twice must agree
    last = stated["_when"] == stated.groupby(["_fact", "sender"])["_when"].transform("max")
    top, earlier = stated[last], stated[~last]
    o.loc[top.index, "state"] = "duplicate"
    top, found = _undisputed(o, top, ["_fact", "sender"], chosen, catalog)
    problems.append(found)
    latest = top.drop_duplicates(["_fact", "sender"], keep="last")
    before = _against(earlier, latest, ["_fact", "sender"])
    changed = before[_differs(before)]
    o.loc[earlier.index, "state"] = "duplicate"
    o.loc[o["obs_id"].isin(changed["obs_id"]), "state"] = "superseded"
    changed = changed.drop_duplicates(["_fact", "sender"], keep="last")
    problems += [
        problems_of(
            changed,
            catalog,
            "revised",
            "info",
            "{published} 报 {value_raw},{published_new} 的报表({file_new} {cell_new})改为 "
            "{value_new:g}{unit},已按新数。",
        ),
        _revisions(changed),
    ]

    # between senders: the one that the precedence table names, then the later report; of equals both must agree
    first = latest.sort_values(["_fact", "_rank", "published", "decimals", "obs_id"])
    group = first.groupby("_fact")
    equal = first["_rank"].eq(group["_rank"].transform("max"))
    equal &= first["published"].eq(
        first["published"].where(equal).groupby(first["_fact"]).transform("max")
    )
    agreed, found = _undisputed(o, first[equal], ["_fact"], chosen, catalog)
    problems.append(found)
    winner = agreed.drop_duplicates("_fact", keep="last")
    losers = _against(first[~first.index.isin(winner.index)], winner, ["_fact"])
    losers = losers[_differs(losers)]
    problems.append(
        problems_of(
            losers,
            catalog,
            "source_disagrees",
            "warning",
            "{what}:此处 {value:g}{unit},{file_new} {cell_new} 为 {value_new:g};按优先次序采用后者,请双方核对。",
        )
    )
    o.loc[o["obs_id"].isin(losers["obs_id"]), "state"] = "outvoted"
    o.loc[winner.index, "state"] = "current"

    # a figure that a later report leaves blank stays; a dash with a note takes it out of the current view
    blanks = _against(o[o["value"].isna()], winner, ["_fact", "sender"])
    blanks = blanks[blanks["published"] > blanks["published_new"]]
    deletes = blanks["flags"].str.contains("note:", regex=False)
    deletes &= blanks["missing_reason"].eq("not_applicable")
    kept = ~deletes & blanks["missing_reason"].ne("future")
    o.loc[o["obs_id"].isin(blanks.loc[deletes, "obs_id_new"]), "state"] = "withdrawn"
    problems += [
        problems_of(
            blanks[some].drop_duplicates("_fact", keep="last"),
            catalog,
            "withdrawn",
            severity,
            "{what}以前报过 {value_new:g}," + said,
        )
        for some, severity, said in (
            (kept, "warning", "这次空白;仍用原数,请确认是否撤回。"),
            (deletes, "info", "现已注明撤回;当前不再采用,历史中保留。"),
        )
    ]

    winner = o[o["state"] == "current"].set_index("_fact")["obs_id"]
    o["won_by"] = o["_fact"].map(winner).astype("str").fillna("")
    hidden = [c for c in o if c.startswith("_")]
    base = base.sort_values(["_rank", "_when", "obs_id"]).drop_duplicates(IDENTITY, keep="last")
    return Consolidated(
        tables.shape(o[o["state"] == "current"], OBSERVATIONS),
        tables.shape(base, OBSERVATIONS),
        o.drop(columns=hidden),
        joined(problems),
    )


def tally(history: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """What each report added to what its sender had said before.

    Parameters
    ----------
    history : of `consolidate`.
    Returns
    -------
    `file`, `published` and numbers of figures: `new`, `equal`, `revised`, `conflict`. What a report says twice counts
    as new and equal; what it leaves without a figure is not counted.
    """
    h = history[history["value"].notna()]
    h = h.assign(_tol=catalog.tolerance(h))
    h = h.sort_values(["published", "submission", "file", "decimals", "obs_id"])
    fact = "region region_raw coverage indicator indicator_raw start end basis measure demo"
    before = h.groupby(["sender", *fact.split()])[["value", "_tol"]].shift()
    slack = h["_tol"].clip(lower=before["_tol"]) + noise(h["value"])
    conflict = h["state"].eq("conflict")
    new, same = before["value"].isna(), (h["value"] - before["value"]).abs() <= slack
    fate = dict(new=new, equal=~new & same, revised=~new & ~same)
    fate = {name: mask & ~conflict for name, mask in fate.items()} | {"conflict": conflict}
    return h.assign(**fate).groupby(["file", "published"], as_index=False)[list(fate)].sum()


def _undisputed(
    o: pd.DataFrame, rows: pd.DataFrame, group: list[str], chosen: set[str], catalog: Catalog
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows whose group holds one figure only, or that the resolution table names; the others are marked in `o`."""
    value, tolerance = rows.groupby(group)["value"], rows.groupby(group)["_tol"].transform("max")
    clash = value.transform("max") - value.transform("min") > tolerance + noise(rows["value"])
    named = rows["obs_id"].isin(chosen)
    settled = clash & named.groupby([rows[g] for g in group]).transform("any")
    o.loc[rows.index[settled & ~named], "state"] = "superseded"
    conflict = rows[clash & ~settled]
    o.loc[conflict.index, "state"] = "conflict"
    at = conflict["file"] + " " + conflict["sheet"] + " " + conflict["cell"]
    said = (conflict["value_raw"] + "(" + at + ")").groupby(conflict["_fact"]).transform("、".join)
    told = problems_of(
        conflict.assign(said=said),
        catalog,
        "conflict",
        "error",
        "{what}有不能分先后的不同数字:{said};都没有采用,请核对后在 resolutions 表中指定一个。",
    )
    return rows[~clash | settled & named], told


def _held(rows: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    return problems_of(
        rows.drop_duplicates([*IDENTITY, "sender"], keep="last"),
        catalog,
        "held",
        "error",
        "{what}为 {value:g}{unit},{_why};暂不采用。请报送单位核对单位和数字;"
        "确属实情的,在 resolutions 表中指定这一条({file})后采用。",
    )


def _against(rows: pd.DataFrame, chosen: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    """Rows beside the figure that stands for their fact, whose columns end in _new."""
    beside = ["obs_id", "value", "_tol", "published", "file", "cell", "sender"]
    return rows.merge(chosen[on + [c for c in beside if c not in on]], on=on, suffixes=("", "_new"))


def _differs(pairs: pd.DataFrame) -> pd.Series:
    tolerance = pairs[["_tol", "_tol_new"]].max(axis=1)
    return (pairs["value"] - pairs["value_new"]).abs() > tolerance + noise(pairs["value"])


def _revisions(changed: pd.DataFrame) -> pd.DataFrame:
    """One line for each report that changes more than one earlier figure: how many and by how much at most."""
    size = 100 * (changed["value_new"] / changed["value"].where(changed["value"] != 0) - 1).abs()
    by = ["file_new", "published_new", "sender"]
    many = changed.assign(size=size).groupby(by, as_index=False)
    many = many.agg(n=("size", "size"), most=("size", "max"))
    many = many[many["n"] > 1].rename(columns={"file_new": "file", "published_new": "published"})
    said = [
        f"这份报表修订了以前报过的 {n} 个数,最大变动 {most:.1f}%。"
        for n, most in zip(many["n"], many["most"], strict=True)
    ]
    return many.assign(code="revised_many", severity="info", message=said)


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
            missing_reason=o["missing_reason"].mask(
                here, "" if fix.value == fix.value else "not_reported"
            ),
        )
    return o


def _source_rank(o: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """1 for the kind of sender that wins for the indicator, 0 for the other."""
    kind = o["sender"].map(catalog.senders.set_index("id")["kind"]).fillna("")
    wins = trait(o, "source_precedence", catalog).fillna("department")
    return (kind == wins).astype("int64")


def _chosen(o: pd.DataFrame, catalog: Catalog, doubted: pd.Series) -> set[str]:
    """Observations that the resolution table names, by fact and file, and by value where one file holds several."""
    key = ["region", "indicator", "start", "end", "basis", "measure", "file"]
    if catalog.resolutions.empty:
        return set()
    hits = o[[*key, "published", "obs_id", "value", "_tol"]].merge(
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
    fact = [*key[:-1], "published"]
    hits = hits[same].merge(o[[*fact, "value", "_tol"]], on=fact, suffixes=("", "_n"))
    spread = hits.groupby("obs_id").agg(
        low=("value_n", "min"), high=("value_n", "max"), tol=("_tol_n", "max")
    )
    settled = spread.index[
        spread["high"] - spread["low"] <= spread["tol"] + 1e-9 * spread["high"].abs()
    ]
    settled = settled.difference(
        o.loc[doubted[o.index], "obs_id"]
    )  # a doubt is no clash, and stays
    for r in hits[hits["obs_id"].isin(settled)].head(1).itertuples():
        raise CorrectionError(
            f"resolutions 表为{catalog.name(r.region)}的{catalog.name(r.indicator)}({span(r.start, r.end)})指定了 "
            f"{r.file},而 {r.published} 的各处现在都是 {r.value:g},矛盾已经消除:请删去这一条。"
        )
    return set(hits["obs_id"])
