"""The ledger of promises: how far each coverage and milestone row has come, what is overdue, and who is missing."""

from __future__ import annotations

from pandas import DataFrame, Period

from zcqlib.catalog import Catalog, in_force
from zcqlib.tables import PROBLEMS, VINTAGE, ZcqError, shape

ZONES = ("zone", "city")


class MilestoneError(ZcqError):
    """Milestones that contradict themselves."""


def ledger(
    milestones: DataFrame,
    targets: DataFrame,
    as_of: Period,
    catalog: Catalog,
    *,
    projections: DataFrame | None = None,
    missing: DataFrame | None = None,
) -> DataFrame:
    """One row for each coverage and milestone target, region and named item, as known at a month.

    Parameters
    ----------
    milestones : MILESTONES; what was reached after `as_of` is not known yet.
    targets : TARGETS of the year. projections, missing : PROJECTIONS, and `indicator`, `region`, `item` of who has not
        yet done a coverage row. Where reports count the parks, they decide who is missing; the stages do elsewhere.
    catalog : its `colours` are the colour rule: `colour`, `colour_zh`, `at_least` days overdue; done and none need no
        days, of the others the first that fits counts.
    Returns
    -------
    PROMISES: number of stages and of those reached (parks, where the zone's row stands on the parks' stages); the last
    stage reached with date and evidence; the next stage with the month promised; `overdue_days` from the end of the
    month promised for the earliest open stage to the end of `as_of` (negative: still to go; NaN: nothing open or
    promised); `missing` names who is missing, joined with 、. A stage reached without evidence reads 「缺佐证」.
    Raises
    ------
    MilestoneError : a milestone belongs to no target.
    Source
    ------
    节点表、目标表。
    """
    rows = in_force(targets.query("kind in ['coverage', 'milestone']"), as_of).sort_index()
    if lost := sorted(set(milestones.id) - set(targets.id)):
        raise MilestoneError(f"节点表中的「{lost[0]}」不在目标表中,请核对编号。")
    seen = milestones.assign(date=milestones.date.mask(milestones.date > as_of))
    absent, out = _reported(projections, missing), []
    for t in rows.itertuples(index=False):
        parts = seen[seen.id == t.id].sort_values("stage_no")
        own = parts[parts.region == t.region]
        whole = t.region in ZONES and own.empty
        who = absent.get(t.id) if whole else None
        if whole and len(parts):
            out.append(_of_parks(t, parts, as_of, catalog, who))
            continue
        missing = "、".join(map(catalog.name, who or []))
        for item, p in list(own.groupby("item", sort=False)) or [("", own)]:
            reached, still = p[p.date.notna()], p[p.date.isna()]
            row = _row(t, p, as_of, catalog)
            row |= dict(item=item, missing=missing, stages=len(p), reached=len(reached))
            for last in reached.tail(1).itertuples():
                evidence = last.evidence or "缺佐证"
                row |= dict(stage_zh=last.stage_zh, date=last.date, evidence=evidence)
            for coming in still.head(1).itertuples():
                row |= dict(next_zh=coming.stage_zh, expected=coming.expected)
            out.append(row)
    return shape(out, VINTAGE["PROMISES"])


def _reported(projections: DataFrame | None, missing: DataFrame | None) -> dict[str, list[str]]:
    """By coverage row that reports or a roster count, the parks or firms that have not done it."""
    if projections is None or missing is None:
        return {}
    p = projections.query("region in @ZONES")
    told = p.query("indicator in @missing.indicator or unit == '个园区' and actual >= target_low")
    named = missing.region.where(missing.region.ne(""), missing.item)
    who = named.groupby(missing.indicator).agg(list)
    return {i: who.get(i, []) for i in told.indicator}


def disagreements(
    milestones: DataFrame,
    projections: DataFrame,
    missing: DataFrame,
    as_of: Period,
    catalog: Catalog,
) -> DataFrame:
    """PROBLEMS: coverage rows whose stages say that other parks have done it than the month's reports say."""
    rows, same = [], dict(code="stage_disagrees", severity="warning", published=as_of)
    done = milestones.date.le(as_of).groupby([milestones.id, milestones.region]).all()
    for id, who in _reported(projections, missing).items():
        differ = [r for r in catalog.members(as_of) if done.get((id, r)) == (r in who)]
        if differ:
            parks = "、".join(map(catalog.name, differ))
            said = f"{catalog.name(id)}:{parks}的节点与报表所报是否完成不一致,现以报表为准。请核对节点表和报表。"
            rows.append(same | dict(file=f"stages_{as_of.year}.csv", raw=parks, message=said))
    return shape(rows, PROBLEMS)


def _row(t, p: DataFrame, as_of: Period, catalog: Catalog, lacks: bool = False) -> dict:
    """A promise with its colour by the earliest open stage; `lacks` what has no stages on file."""
    still = p[p.date.isna()]
    due = still.expected.min()
    overdue = (as_of.end_time.normalize() - due.end_time.normalize()).days if due == due else None
    rules = catalog.colours
    if len(p) and still.empty and not lacks:
        rules = rules[rules.colour == "done"]
    elif overdue is None:
        rules = rules[rules.colour == "none"]
    else:
        rules = rules[~rules.colour.isin(["done", "none"]) & ~(rules.at_least > overdue)]
    first = rules[["colour", "colour_zh"]].iloc[0].to_dict()
    return t._asdict() | first | dict(overdue_days=overdue, demo=t.demo or p.demo.any())


def _of_parks(t, p: DataFrame, as_of: Period, catalog: Catalog, absent: list[str] | None) -> dict:
    """The zone's row where the stages stand with the parks: the earliest open promise decides, and who is missing."""
    done = p.date.notna().groupby(p.region).all()
    asked = [r for r in catalog.members(as_of) if r in done or t.unit == "个园区"]
    if absent is not None:  # what a park is reported to have done is no promise any more
        p = p.assign(date=p.date.where(p.date.notna() | p.region.isin(absent), as_of))
        done = {r: r not in absent for r in asked}
    who = [r for r in asked if not done.get(r)]
    counts = dict(stages=len(asked), reached=len(asked) - len(who))
    # a park that has no stages on file has not done it
    row = _row(t, p, as_of, catalog, lacks=len(who) > 0)
    return row | counts | {"missing": "、".join(map(catalog.name, who))}
