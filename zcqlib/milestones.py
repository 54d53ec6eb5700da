"""The ledger of promises: how far each coverage and milestone row has come, what is overdue, and who is missing."""

from __future__ import annotations

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog, in_force
from zcqlib.tables import ZcqError

ZONES = ("zone", "city")
COLUMNS = (
    "id",
    "region",
    "item",
    "name_zh",
    "kind",
    "stages",
    "reached",
    "stage_zh",
    "date",
    "evidence",
    "next_zh",
    "expected",
    "overdue_days",
    "colour",
    "colour_zh",
    "missing",
    "responsible",
    "demo",
)


class MilestoneError(ZcqError):
    """Milestones that contradict themselves."""


def ledger(
    milestones: pd.DataFrame,
    targets: pd.DataFrame,
    as_of: pd.Period,
    catalog: Catalog,
    *,
    projections: pd.DataFrame | None = None,
    missing: pd.DataFrame | None = None,
) -> pd.DataFrame:
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
    COLUMNS: number of stages and of those reached (parks, where the zone's row stands on the parks' stages); the last
    stage reached with date and evidence; the next stage with the month promised; `overdue_days` from the end of the
    month promised for the earliest open stage to the end of `as_of` (negative: still to go; NaN: nothing open or
    promised); `missing` names who is missing, joined with 、. A stage reached without evidence reads 「缺佐证」.
    Raises
    ------
    MilestoneError : two rows of one stage disagree, or a milestone belongs to no target.
    Source
    ------
    节点表、目标表。
    """
    rows = in_force(targets[targets["kind"].isin(["coverage", "milestone"])], as_of).sort_index()
    if lost := sorted(set(milestones["id"]) - set(targets["id"])):
        raise MilestoneError(f"节点表中的「{lost[0]}」不在目标表中,请核对编号。")
    key = ["id", "region", "item", "stage"]
    if (twice := milestones.duplicated(key)).any():
        r = milestones[twice].iloc[0]
        raise MilestoneError(
            f"节点表「{r['id']}」{catalog.name(r['region'])} {r['item']} 的阶段「{r['stage_zh']}」"
            "出现不止一次,请只留一行。"
        )
    seen = milestones.assign(date=milestones["date"].mask(milestones["date"] > as_of))
    own = dict(iter(seen.sort_values("stage_no").groupby(["id", "region"])))
    absent, out = _reported(projections, missing), []
    for t in rows.to_dict("records"):
        part, whole = (
            own.get((t["id"], t["region"]), seen.iloc[:0]),
            t["region"] in ZONES,
        )
        if part.empty and whole and (parts := [p for (id, _), p in own.items() if id == t["id"]]):
            out.append(_whole(t, pd.concat(parts), as_of, catalog, absent.get(t["id"])))
            continue
        who = absent.get(t["id"], ()) if whole and part.empty else ()
        who = "、".join(map(catalog.name, who))
        items = list(part.groupby("item", sort=False)) or [("", part)]
        out += [_row(t, item, p, as_of, catalog) | {"missing": who} for item, p in items]
    return pd.DataFrame(out, columns=list(COLUMNS)).astype(
        {"date": "period[M]", "expected": "period[M]"}
    )


def _reported(
    projections: pd.DataFrame | None, missing: pd.DataFrame | None
) -> dict[str, tuple[str, ...]]:
    """By coverage row that reports count, the parks that have not done it."""
    if projections is None or missing is None:
        return {}
    p = projections[projections["region"].isin(ZONES) & projections["unit"].eq("个园区")]
    told = p["indicator"].isin(missing["indicator"]) | (p["actual"] >= p["target_low"])
    who = missing.groupby("indicator")["region"].agg(tuple)
    return {i: who.get(i, ()) for i in p.loc[told, "indicator"]}


def disagreements(
    milestones: pd.DataFrame,
    projections: pd.DataFrame,
    missing: pd.DataFrame,
    as_of: pd.Period,
    catalog: Catalog,
) -> pd.DataFrame:
    """PROBLEMS: coverage rows whose stages say that other parks have done it than the month's reports say."""
    rows, absent = [], _reported(projections, missing)
    done = milestones["date"].le(as_of).groupby([milestones["id"], milestones["region"]]).all()
    for id, who in absent.items():
        stages = done.get(id, pd.Series(dtype=bool))
        differ = [
            r for r in catalog.members(as_of) if r in stages.index and stages[r] == (r in who)
        ]
        if differ:
            parks = "、".join(map(catalog.name, differ))
            rows.append(
                dict(
                    code="stage_disagrees",
                    severity="warning",
                    file=f"stages_{as_of.year}.csv",
                    raw=parks,
                    message=f"{catalog.name(id)}:{parks}的节点与报表所报是否完成不一致,现以报表为准。请核对节点表和报表。",
                    published=as_of,
                )
            )
    return tables.shape(rows, tables.PROBLEMS)


def _row(t: dict, item: str, p: pd.DataFrame, as_of: pd.Period, catalog: Catalog) -> dict:
    reached, still = p[p["date"].notna()], p[p["date"].isna()]
    done = len(p) > 0 and still.empty
    last = reached.iloc[-1] if len(reached) else None
    due = still[still["expected"].notna()]
    overdue = float("nan")
    if len(due):
        overdue = float(
            (as_of.end_time.normalize() - due["expected"].min().end_time.normalize()).days
        )
    state = "done" if done else "none" if p.empty or due.empty else ""
    rules = catalog.colours
    fits = (
        rules[rules["colour"].eq(state)]
        if state
        else rules[~rules["colour"].isin(["done", "none"])]
    )
    colour = next(c for c in fits.itertuples() if not overdue < c.at_least)
    return dict(
        id=t["id"],
        region=t["region"],
        item=item,
        name_zh=t["name_zh"],
        kind=t["kind"],
        stages=len(p),
        reached=len(reached),
        stage_zh=last["stage_zh"] if last is not None else "",
        date=last["date"] if last is not None else pd.NaT,
        evidence="" if last is None else last["evidence"] or "缺佐证",
        next_zh=still["stage_zh"].iloc[0] if len(still) else "",
        expected=still["expected"].iloc[0] if len(still) else pd.NaT,
        overdue_days=overdue,
        colour=colour.colour,
        colour_zh=colour.colour_zh,
        missing="",
        responsible=t["responsible"],
        demo=bool(t["demo"]) or bool(p["demo"].any()),
    )


def _whole(
    t: dict, p: pd.DataFrame, as_of: pd.Period, catalog: Catalog, absent: tuple[str, ...] | None
) -> dict:
    """The zone's row where the stages stand with the parks: the earliest open promise decides, and who is missing."""
    done = p["date"].notna().groupby(p["region"]).all()
    asked = [r for r in catalog.members(as_of) if r in done.index or t["unit"] == "个园区"]
    if absent is not None:  # what a park is reported to have done is no promise any more
        p = p.assign(date=p["date"].where(p["date"].notna() | p["region"].isin(absent), as_of))
        done = pd.Series({r: r not in absent for r in asked}, dtype="bool")
    who = [catalog.name(r) for r in asked if not done.get(r, False)]
    row = _row(t, "", p.sort_values(["expected", "stage_no"]), as_of, catalog)
    if who and row["colour"] == "done":  # a park that has no stages on file has not done it
        row |= _row(t, "", p.iloc[:0], as_of, catalog)
    return row | dict(
        stages=len(asked),
        reached=len(asked) - len(who),
        stage_zh="",
        date=pd.NaT,
        evidence="",
        next_zh="",
        expected=pd.NaT,
        missing="、".join(who),
        demo=row["demo"] or bool(p["demo"].any()),
    )
