"""The parks' scores on the ten groups, from attainment of each park's own targets: RANKS, and who is not ranked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.ranking.scores import RankingError, composite, normalised, ranks
from zcqlib.ranking.simulate import Choices, monte_carlo, moved
from zcqlib.tables import RANKS

COMPOSITE = "composite"
MAX_MISSING = 0.2
NO_TARGET, NO_DATA, LATE, ZERO = "园区目标未下达", "缺数", "迟报", "目标为零"
FORMS = ("month", "quarter", "half", "year")
_RULES = {"month": "last", "quarter": "mean", "half": "mean", "year": "last"}
_WHOLES = ("zone", "city", "other")


@dataclass(frozen=True, slots=True)
class ParkScores:
    """`ranks`: RANKS of the composite and the ten groups. `items`: `region`, `indicator`, `group`, `measure`, `value`
    in %, `score`, `reason` (empty where it counts), `demo`. `notes`: `region`, `indicator`, `period`, `message`, why a
    park or a group is not ranked. `chances`: `region`, `indicator`, `period`, `place`, `probability`, `demo`. `inputs`:
    arguments for `leave_one_out`, and with `choices` for `flips`, `sensitivity` and `monte_carlo`."""

    ranks: pd.DataFrame
    items: pd.DataFrame
    notes: pd.DataFrame
    chances: pd.DataFrame
    inputs: dict = field(repr=False)
    choices: Choices = field(repr=False)


def period_months(period: str) -> tuple[str, list[pd.Period]]:
    """Form and months of 2018-09, 2018Q3, 2018H1 or 2018.

    Raises
    ------
    ValueError : another form.
    """
    text = str(period)
    try:
        if len(text) == 4:
            return "year", list(pd.period_range(f"{text}-01", f"{text}-12", freq="M"))
        if text[4] in "QH" and len(text) == 6 and 1 <= int(text[5]) <= (4 if text[4] == "Q" else 2):
            n = 3 if text[4] == "Q" else 6
            return "quarter" if n == 3 else "half", list(
                pd.period_range(
                    pd.Period(year=int(text[:4]), month=n * (int(text[5]) - 1) + 1, freq="M"),
                    periods=n,
                )
            )
        if len(text) == 7 and text[4] == "-":
            return "month", [pd.Period(text, "M")]
    except (ValueError, IndexError) as e:
        raise ValueError(f"period 应写成 2018-09、2018Q3、2018H1 或 2018,给的是「{text}」。") from e
    raise ValueError(f"period 应写成 2018-09、2018Q3、2018H1 或 2018,给的是「{text}」。")


def period_of(month: pd.Period, form: str) -> str:
    """The month, quarter, half-year or year that a month lies in, as RANKS names it.

    Raises
    ------
    ValueError : a form other than month, quarter, half, year.
    """
    if form not in FORMS:
        raise ValueError(f"form 应为 {'、'.join(FORMS)} 之一,给的是「{form}」。")
    return {
        "month": str(month),
        "quarter": f"{month.year}Q{(month.month + 2) // 3}",
        "half": f"{month.year}H{(month.month + 5) // 6}",
        "year": str(month.year),
    }[form]


def attainment(
    projections: pd.DataFrame,
    catalog: Catalog,
    month: pd.Period,
    *,
    milestones: pd.DataFrame | None = None,
    series: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What each park has done of each of its own targets at a month, never a raw count.

    100·done/target, cut to 0 and the upper bound of the reference table; coverage and milestones by the share done
    (stages reached of all). An item without a target of the park's own has no value and 「园区目标未下达」.

    Parameters
    ----------
    projections : PROJECTIONS; the rows of that month (`as_of`), `actual` and targets, are used.
    catalog : its weights name the items, its bounds how each is measured.
    milestones : MILESTONES; later dates are hidden here.
    series : SERIES as known then; an item for which another park has a later month has no value (迟报), so that nobody
        is compared on an older month.
    Returns
    -------
    `region`, `indicator`, `group`, `month`, `measure` (attainment_pct, share_done), `value` in %, `reason`, `demo`: a
    row for each member of the month and each other place with targets, and each item.
    Raises
    ------
    RankingError : an item has a weight but no bounds.
    Source
    ------
    计划目标与园区分解;bounds、weights 参考表。
    """
    plan = catalog.weights[catalog.weights["level"] == "indicator"].merge(
        catalog.bounds[["indicator", "measure", "high"]],
        left_on="id",
        right_on="indicator",
        how="left",
    )
    if (lost := plan["measure"].isna()).any():
        raise RankingError(
            f"指标「{plan.loc[lost, 'id'].iloc[0]}」有权重而没有界值,请在 bounds 表中补上。"
        )
    p = projections[(projections["as_of"] == month) & ~projections["region"].isin(_WHOLES)]
    members = catalog.members(month)
    late = set() if series is None else _late(series, month, members, catalog)
    by = {(r.region, r.indicator): r for r in p.itertuples()}
    stages = {} if milestones is None else dict(iter(milestones.groupby(["id", "region"])))
    rows = []
    for park in (*members, *sorted(set(p["region"]) - set(members))):
        for i in plan.itertuples():
            r, behind = by.get((park, i.id)), (park, i.id) in late
            done = np.nan if r is None or behind else _done(r, i.measure, stages.get((i.id, park)))
            reason = (
                ""
                if done == done
                else NO_TARGET
                if r is None
                else ZERO
                if r.target_low == 0
                else (LATE if behind else NO_DATA)
            )
            rows.append(
                dict(
                    region=park,
                    indicator=i.id,
                    group=i.parent,
                    month=month,
                    measure=i.measure,
                    value=min(max(done, 0.0), i.high) if done == done else np.nan,
                    reason=reason,
                    demo=r is not None and bool(r.demo),
                )
            )
    return pd.DataFrame(rows)


def _late(
    series: pd.DataFrame, month: pd.Period, parks: tuple[str, ...], catalog: Catalog
) -> set[tuple[str, str]]:
    """Park and item where the park's last month is before another park's."""
    s = series[series["region"].isin(parks) & (series["end"] <= month) & series["value"].notna()]
    last = s.groupby(["indicator", "region"])["end"].max().unstack()
    behind = last.lt(last.max(axis=1), axis=0) & last.notna()
    items = {
        i: catalog.indicators[i].growth_of or i
        for i in catalog.bounds["indicator"]
        if i in catalog.indicators
    }
    return {
        (park, i)
        for i, source in items.items()
        if source in behind.index
        for park in behind.columns[behind.loc[source]]
    }


def _done(r, measure: str, stages: pd.DataFrame | None) -> float:
    """What one park has done of one target, in %."""
    if measure == "share_done" and stages is not None:
        return 100.0 * float((stages["date"].notna() & (stages["date"] <= r.as_of)).mean())
    if r.target_low == 0 or r.target_low != r.target_low:
        return np.nan
    if r.comparator == "between" and r.actual > r.target_low:
        return 100.0 * min(1.0, r.target_high / r.actual)
    return 100.0 * r.actual / r.target_low


def score_parks(
    attained: pd.DataFrame,
    catalog: Catalog,
    period: str,
    *,
    parks: tuple[str, ...] | None = None,
    choices: Choices | None = None,
    rule: str = "",
    runs: int = 10_000,
    seed: int = 2018,
) -> ParkScores:
    """Score and rank the parks for a month, quarter, half-year or year.

    Each item counts by `60 + 40·(x − low)/(high − low)` of its attainment. Items without a target of the park are left
    out and their weight goes to the others of the group, that of a group without any item to the other groups. Quarter
    and half-year: each item's mean over the months of the period, so that a spurt at its end counts no more than steady
    work; month and year: the last month known.

    Parameters
    ----------
    attained : as `attainment` gives it, of one or several months. parks : who is ranked, default the members of the
        period's last month. catalog : its weights (must sum to 1 at each level) and bounds of the year.
    period : 2018-09, 2018Q3, 2018H1 or 2018.
    choices : what the simulation varies, the first of each in use; by default the data err by the `error_pct` of the
        bounds table and only gaps in what was asked may be filled.
    rule : last or mean in place of the form's own. runs : simulations; 0 leaves out intervals, ties and chances.
    Returns
    -------
    ParkScores; `rank` NaN where over 20 % of a park's items with a target have no data, and `notes` says which.
    Raises
    ------
    RankingError : weights that do not sum to 1, or no figures in the period.
    Source
    ------
    权重和界值见 weights、bounds 参考表(没有公开的考核办法,默认等权、演示)。
    """
    form, months = period_months(period)
    a = attained[attained["month"].isin(months)]
    if a.empty:
        raise RankingError(f"{period} 没有任何月份的完成情况,不能计分。请先运行该期的月份。")
    parks = tuple(parks or catalog.members(a["month"].max()))
    order = catalog.weights.loc[catalog.weights["level"] == "indicator", "id"].tolist()
    items = _over(a[a["region"].isin(parks)], rule or _RULES[form])
    values = items.pivot(index="region", columns="indicator", values="value").reindex(
        index=parks, columns=order
    )
    w, bounds = catalog.weights.set_index("id"), catalog.bounds.set_index("indicator")
    b, groups = bounds[["low", "high"]], w["parent"].where(w["level"] == "indicator", "")
    reasons = items.set_index(["region", "indicator"])["reason"]
    gaps = reasons.isin([NO_DATA, LATE]).unstack().reindex(index=parks, columns=order).eq(True)
    notes = _unranked(values, gaps, groups[order], w, catalog).assign(period=str(period))
    out = set(notes[["region", "indicator"]].itertuples(index=False, name=None))
    counted = values.copy()
    counted.loc[[k for k in parks if (k, COMPOSITE) in out]] = np.nan
    inputs = dict(values=counted, weights=w["weight"], bounds=b, groups=groups)
    error = bounds["error_pct"].reindex(order).fillna(0.0) / 100
    choices = choices or Choices(noise=(counted.abs() * error).fillna(0.0), fill=gaps)
    method = choices.normalise[0], choices.aggregate[0]
    scores = composite(counted, w["weight"], b, *method, groups, weight_sum="one", levels=True)
    own = pd.DataFrame(normalised(values.to_numpy(), method[0], b, order), parks, order).stack()
    items["score"] = own.reindex(
        pd.MultiIndex.from_frame(items[["region", "indicator"]])
    ).to_numpy()
    found = counted.dropna(how="all")
    placed = (
        monte_carlo(
            found, w["weight"], b, groups, choices=_only(choices, found.index), runs=runs, seed=seed
        ).groups
        if len(found) and runs
        else {}
    )
    basis = bool(catalog.weights["demo"].any() or catalog.bounds["demo"].any())
    demo = items.groupby("region")["demo"].any() | basis
    rows, chances = [], []
    for group in scores:
        id, s = COMPOSITE if group == "score" else group, scores[group].copy()
        s[[k for k in parks if (k, id) in out]] = np.nan
        place = ranks(s, 1e-9)
        for park in parks:
            row = dict(
                region=park,
                indicator=id,
                period=str(period),
                measure="score",
                value=s[park],
                unit="分",
                rank=place[park],
                low=np.nan,
                high=np.nan,
                tied_with="",
                demo=bool(demo.get(park, basis)),
            )
            if group in placed and place[park] == place[park]:
                told = placed[group].loc[park]
                tied = [t for t in told["tied_with"].split(";") if t and s[t] == s[t]]
                row |= dict(
                    low=min(told["low"], place[park]),
                    high=max(told["high"], place[park]),
                    tied_with=";".join(tied),
                )
                chances += [
                    dict(
                        region=park,
                        indicator=id,
                        period=str(period),
                        place=k,
                        probability=told[f"p_{k}"],
                        demo=row["demo"],
                    )
                    for k in range(1, len(found) + 1)
                ]
            rows.append(row)
    return ParkScores(
        tables.shape(rows, RANKS),
        items,
        notes,
        pd.DataFrame(
            chances, columns=["region", "indicator", "period", "place", "probability", "demo"]
        ),
        inputs,
        choices,
    )


def _over(a: pd.DataFrame, rule: str) -> pd.DataFrame:
    """One row for each park and item: the last month, or the mean of the months for which anybody has a figure.

    A park that lacks one of those months lacks the item: a mean over fewer months would compare unlike things.
    """
    if rule == "last":
        return a[a["month"] == a["month"].max()].drop(columns="month").reset_index(drop=True)
    known = a.groupby(["indicator", "month"])["value"].transform("count") > 0
    rows = []
    for _, part in (
        a.assign(known=known).sort_values("month").groupby(["region", "indicator"], sort=False)
    ):
        due = part[~part["reason"].isin([NO_TARGET, ZERO])]
        due = due[due["known"]] if due["known"].any() else due
        lost = due[due["value"].isna()]
        last = (lost if len(lost) else due if len(due) else part).iloc[-1]
        rows.append(
            last.to_dict()
            | dict(
                value=np.nan if len(lost) or due.empty else float(due["value"].mean()),
                demo=bool(part["demo"].any()),
            )
        )
    return pd.DataFrame(rows).drop(columns=["month", "known"])


def _unranked(
    values: pd.DataFrame, gaps: pd.DataFrame, parents: pd.Series, w: pd.DataFrame, catalog: Catalog
) -> pd.DataFrame:
    """`region`, `indicator` (composite or group) and `message`: over 20 % without data, or nothing asked."""
    notes = []
    for park in values.index:
        for group, ids in [(COMPOSITE, list(values)), *parents.groupby(parents).groups.items()]:
            lost = [i for i in ids if gaps.at[park, i]]
            of = len(lost) + int(values.loc[park, ids].notna().sum())
            who = (
                f"{catalog.name(park)}「{w.at[group, 'name_zh'] if group in w.index else '综合'}」"
            )
            if not of:
                notes.append((park, group, f"{who}:{NO_TARGET},不计分、不排位。"))
            elif len(lost) > MAX_MISSING * of:
                notes.append(
                    (
                        park,
                        group,
                        f"{who}有目标的 {of} 项中 {len(lost)} 项缺数(超过 20%),不排位。"
                        f"缺:{'、'.join(map(catalog.name, lost))}。",
                    )
                )
    return pd.DataFrame(notes, columns=["region", "indicator", "message"])


def _only(choices: Choices, units: pd.Index) -> Choices:
    cut = {
        k: t.loc[units]
        for k in ("noise", "fill")
        if isinstance(t := getattr(choices, k), pd.DataFrame)
    }
    return replace(choices, **cut)


def park_moves(before: ParkScores, after: ParkScores) -> pd.DataFrame:
    """What moved the parks' scores and places between two periods, by indicator, summing exactly.

    Parameters
    ----------
    before, after : as `score_parks` gives them; parks ranked in both are compared, by weights and bounds of `after`.
    Returns
    -------
    As `moved`, with `region` for the unit.
    """
    old, new = (s.inputs["values"].dropna(how="all") for s in (before, after))
    both = [p for p in new.index if p in old.index]
    if not both:
        return pd.DataFrame(columns=["region", "indicator", "score_change", "rank_change"])
    return moved(
        old.reindex(index=both, columns=new.columns),
        new.loc[both],
        **{k: v for k, v in after.inputs.items() if k != "values"},
    ).rename(columns={"unit": "region"})


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`ranks` after the change; `totals` of the zone: `indicator`, `unit`, `actual`, `actual_after`, `target`,
    `target_after` (sums of the parks' targets), `plan` (the zone's own target); `past`: `indicator`, `end`, `value`,
    `value_after`, NaN where a member did not report; `eligible` by the rules of the reference table: `region`, `rule`,
    `indicator`, `value`, `threshold`, `unit`, `verdict`, `demo`."""

    ranks: pd.DataFrame
    totals: pd.DataFrame
    past: pd.DataFrame
    eligible: pd.DataFrame


def what_if(
    projections: pd.DataFrame,
    attained: pd.DataFrame,
    catalog: Catalog,
    period: str,
    *,
    drop: tuple[str, ...] = (),
    add: tuple[str, ...] = (),
    series: pd.DataFrame | None = None,
    **options,
) -> WhatIf:
    """Ranks, totals, targets and past series of the zone, were parks dropped or added.

    Parameters
    ----------
    projections : PROJECTIONS; rows of an added region must be among them, with targets of its own.
    attained : as `attainment` gives it. drop, add : region ids. series : SERIES to date and levels, for the past and
        for a park without a target, of which PROJECTIONS have no row.
    options : of `score_parks`.
    Returns
    -------
    WhatIf; only indicators that add up are summed. `actual` is the zone's own figure where there is one.
    Raises
    ------
    RankingError : the period has no figures. ValueError : a park to drop is no member, or one to add is.
    """
    _, months = period_months(period)
    p = projections[projections["as_of"].isin(months)]
    if p.empty:
        raise RankingError(f"{period} 没有任何月份的预测表,不能推演。请先运行该期的月份。")
    last = p["as_of"].max()
    now = catalog.members(last)
    if wrong := [*(r for r in drop if r not in now), *(r for r in add if r in now)]:
        raise ValueError(
            f"{catalog.name(wrong[0])} 不能这样增减:目前的园区是 {'、'.join(map(catalog.name, now))}。"
        )
    after = tuple(r for r in now if r not in drop) + tuple(add)
    sums = {i for i, d in catalog.indicators.items() if d.additive}
    latest = p[(p["as_of"] == last) & p["indicator"].isin(sums)]

    def total(members, column):
        part = latest[latest["region"].isin(members)]
        return part.groupby("indicator")[column].agg(lambda v: v.sum(skipna=False))

    place = ["indicator", "region"]
    done = latest.set_index(place)["actual"]
    if series is not None:
        known = series[series["end"].eq(last) & series["indicator"].isin(done.index.levels[0])]
        done = done.combine_first(known.set_index(place)["value"])
    done = done.unstack()
    sums_of = lambda parks: done.reindex(columns=parks).sum(axis=1, skipna=False)  # noqa: E731
    whole = done.get("zone", sums_of(now)).fillna(sums_of(now))
    totals = pd.DataFrame(
        {
            "actual": whole,
            "actual_after": (whole - sums_of(drop) + sums_of(add)).fillna(sums_of(after)),
            "target": total(now, "target_low"),
            "target_after": total(after, "target_low"),
            "plan": total(("zone",), "target_low"),
        }
    )
    totals = totals[totals["target"].notna() | totals["target_after"].notna()]
    totals.insert(0, "unit", [catalog.unit(i) for i in totals.index])
    past = pd.DataFrame(columns=["indicator", "end", "value", "value_after"])
    if series is not None:
        s = series[series["indicator"].isin(sums)]
        wide = s.pivot_table(index=["indicator", "months", "end"], columns="region", values="value")
        past = pd.DataFrame(
            {
                "value": wide.reindex(columns=now).sum(axis=1, skipna=False),
                "value_after": wide.reindex(columns=after).sum(axis=1, skipna=False),
            }
        ).reset_index()
        past = (
            past.drop(columns="months")
            .dropna(subset=["value", "value_after"], how="all")
            .reset_index(drop=True)
        )
    rows = []
    for region in (*now, *add):
        for rule in catalog.eligibility.itertuples():
            own = p[
                (p["as_of"] == last) & (p["region"] == region) & (p["indicator"] == rule.indicator)
            ]
            value = float(own["actual"].iloc[0]) if len(own) else np.nan
            good = value > rule.threshold if rule.comparator == "gt" else value >= rule.threshold
            verdict = "缺数" if value != value else "达到" if good else "截至本期未达到"
            rows.append(
                dict(
                    region=region,
                    rule=rule.rule,
                    indicator=rule.indicator,
                    value=value,
                    threshold=rule.threshold,
                    unit=rule.unit,
                    verdict=verdict,
                    demo=bool(rule.demo) or bool(own["demo"].any()),
                )
            )
    placed = score_parks(attained, catalog, period, parks=after, **options).ranks
    return WhatIf(
        placed,
        totals.rename_axis("indicator").reset_index(),
        past,
        pd.DataFrame(
            rows,
            columns=[
                "region",
                "rule",
                "indicator",
                "value",
                "threshold",
                "unit",
                "verdict",
                "demo",
            ],
        ),
    )
