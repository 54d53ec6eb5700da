"""The parks' scores on the ten groups, from attainment of each park's own targets: RANKS, and who is not ranked."""

import re
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from pandas import DataFrame, Period, Series

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.ranking.due import GAPS, KEY, NO_TARGET
from zcqlib.ranking.scores import RankingError
from zcqlib.ranking.simulate import Choices, Model, monte_carlo, moved
from zcqlib.tables import RANKS

COMPOSITE = "composite"
SHORT = 1_000  # simulations behind the best and the worst case
FORMS = {"month": "M", "quarter": "Q", "half": "", "year": "Y"}
PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2])|Q[1-4]|H[12])?")


@dataclass(frozen=True, slots=True)
class ParkScores:
    """`ranks`: RANKS of the composite and the ten groups. `items`: `region`, `indicator`, `group`, `through`, `measure`,
    `value` in % as it counts (cut at the bounds, at the lower one where it was due and did not come, NaN where it does
    not count), `reason`, `owed_by`, `demo`. `notes`: `region`, `indicator`, `period`, `message`, why a park's place is
    provisional or it has none. `chances`: `region`, `indicator`, `period`, `place`, `probability`, `demo`. `model` and
    `choices` are what `leave_one_out`, `flips` and `monte_carlo` take."""

    ranks: DataFrame
    items: DataFrame
    notes: DataFrame
    chances: DataFrame
    model: Model = field(repr=False)
    choices: Choices = field(repr=False)


def period_months(period: str) -> tuple[str, list[Period]]:
    """Form and months of 2018-09, 2018Q3, 2018H1 or 2018.

    Raises
    ------
    ValueError : another form.
    """
    text = str(period)
    if not PERIOD.fullmatch(text):
        raise ValueError(f"period 应写成 2018-09、2018Q3、2018H1 或 2018,给的是「{period}」。")
    if "H" in text:
        first = Period(f"{text[:4]}-{6 * int(text[5]) - 5}", "M")
        return "half", list(pd.period_range(first, periods=6))
    span = Period(text)
    form = next(f for f, letter in FORMS.items() if letter == span.freqstr[0])
    return form, list(pd.period_range(span.start_time, span.end_time, freq="M"))


def period_of(month: Period, form: str) -> str:
    """The month, quarter, half-year or year that a month lies in, as RANKS names it.

    Raises
    ------
    ValueError : a form other than month, quarter, half, year.
    """
    if form not in FORMS:
        raise ValueError(f"form 应为 {'、'.join(FORMS)} 之一,给的是「{form}」。")
    return str(month.asfreq(FORMS[form])) if FORMS[form] else f"{month.year}H{1 + month.month // 7}"


def score_parks(
    attained: DataFrame,
    catalog: Catalog,
    period: str,
    *,
    parks: tuple[str, ...] | None = None,
    choices: Choices | None = None,
    ahead: DataFrame | None = None,
    runs: int = 10_000,
    seed: int = 2018,
) -> ParkScores:
    """Score and rank the parks for a month, quarter, half-year or year.

    Each item counts by `60 + 40·(x − low)/(high − low)` of its attainment, cut at the bounds; what was due and did not
    come counts as the lower bound, so that no park gains by leaving out. What has no target of the park, or is left out
    for all, hands its weight to the others of the group, a group without any item to the other groups. Quarter and
    half-year: each item's mean over the months of the period, so that a spurt at its end counts no more than steady
    work; month and year: the last month known.

    Parameters
    ----------
    attained : as `attainment` gives it, of one or several months. parks : who is ranked, default the members of the
        period's last month. catalog : its weights (must sum to 1 at each level) and bounds of the year.
    period : 2018-09, 2018Q3, 2018H1 or 2018.
    choices : what the simulation varies, the first of each in use; by default the data err by the `error_pct` of the
        bounds table.
    ahead : QUANTILES, for intervals of the place at the year's end; an item without stays as it is.
    runs : simulations; 0 leaves out intervals, ties and chances.
    Returns
    -------
    ParkScores. RANKS has three measures: `score`, with the place (parks that cannot be told apart share the best of
    theirs) and its 90 % interval now; `year_end`, only the 90 % interval of the place at the year's end; and, where
    anything that was due did not come, `provisional`: how many values of the park that is, its place, and the best and
    worst one over all that they and the others' could be.
    Raises
    ------
    RankingError : weights that do not sum to 1, or no figures in the period.
    Source
    ------
    权重和界值见 weights、bounds 参考表(没有公开的考核办法,默认等权、演示)。
    """
    form, months = period_months(period)
    a = attained.query("month in @months")
    if a.empty:
        raise RankingError(f"{period} 没有任何月份的完成情况,不能计分。请先运行该期的月份。")
    last = a.month.max()
    parks = list(parks or catalog.members(last))
    w, bounds = catalog.weights.set_index("id"), catalog.bounds.set_index("indicator")
    ids = w.index[w.level == "indicator"]
    grid = pd.MultiIndex.from_product([parks, ids], names=KEY)
    items = _counted(a, bounds, form in ("quarter", "half")).reindex(grid)
    items = items.fillna({"reason": NO_TARGET, "demo": False})
    bounds = bounds.reindex(ids)
    values = items.value.unstack().reindex(index=parks, columns=ids)
    gaps = items.reason.isin(GAPS).unstack().reindex(index=parks, columns=ids)
    groups = w.parent.where(w.level == "indicator", "")
    model = Model(values, w.weight, bounds[["low", "high"]], groups, None, True, "one")
    noise = (values * bounds.error_pct / 100).mask(gaps).fillna(0.0)
    choices = choices or Choices(noise=noise)

    def places(model: Model, runs: int = runs, **drawn) -> DataFrame:
        found = monte_carlo(model, choices, runs=runs, seed=seed, **drawn)
        return pd.concat(found, names=["node", "region"])

    now = places(model)
    best, worst = _cases(
        model, gaps, bounds.high, now.place, partial(places, runs=min(runs, SHORT))
    )
    below = {k: ids if k == model.top else ids[groups[ids] == k] for k in model.tree}
    missing = np.array([gaps.loc[park, below[node]].sum() for node, park in now.index])
    basis = bool(catalog.weights.demo.any() or catalog.bounds.demo.any())
    demo = items.groupby("region")["demo"].any().astype(bool) | basis
    node, region = (now.index.get_level_values(n) for n in now.index.names)
    rows = now.assign(
        indicator=node.where(node != model.top, COMPOSITE),
        period=str(period),
        measure="score",
        value=now.score.round(9),
        unit="分",
        rank=now.place,
        low=np.minimum(now.low, now.place),
        high=np.maximum(now.high, now.place),
        demo=demo.reindex(region).to_numpy(),
        inputs=[
            ";".join(
                f"PROJECTIONS/{park}.{i}" for i in values.loc[park, below[node]].dropna().index
            )
            for node, park in now.index
        ],
    )
    open_ = rows.assign(
        measure="provisional",
        value=missing,
        unit="项",
        tied_with="",
        low=np.minimum(best, now.place),
        high=np.maximum(worst, now.place),
    )
    frames = [rows, open_[(missing > 0) | (best < worst)]]
    if ahead is not None and runs and (q := ahead.query("as_of == @last")).size:
        then = places(model, drawn=_drawn(model, items, q, bounds.low, runs, seed))
        end = rows.assign(measure="year_end", value=np.nan, unit="", rank=np.nan, tied_with="")
        frames.insert(1, end.assign(low=then.low, high=then.high))
    told = ["region", "indicator", "period", "demo"]
    chances = rows.reset_index("region").melt(
        told, list(range(1, len(parks) + 1)), "place", "probability"
    )
    chances = tables.shape(chances.dropna() if runs else [], tables.VINTAGE["PLACES"])
    ranks = pd.concat(frames).loc[list(model.tree)].reset_index("region")
    ranks, items = tables.shape(ranks, RANKS), items.reset_index()
    return ParkScores(ranks, items, _notes(ranks, items, catalog), chances, model, choices)


def _counted(a: DataFrame, bounds: DataFrame, mean: bool) -> DataFrame:
    """By park and item, the value as it counts: the last month's, or the mean of the months'."""
    low, high = (a.indicator.map(bounds[end]) for end in ("low", "high"))
    a = a.assign(value=a.value.clip(low, high).mask(a.reason.isin(GAPS), low))
    last = a[a.month == a.month.max()].drop(columns="month").set_index(KEY)
    by = a.groupby(KEY)
    return last.assign(value=by.value.mean(), demo=by.demo.any()) if mean else last


def _cases(model: Model, gaps: DataFrame, high: Series, place: Series, places) -> tuple:
    """Best and worst place of each park in each list over all that the gaps could be: its own full, or the others'."""
    if not gaps.any(axis=None):
        return place, place
    full, own = model.values.where(~gaps, high, axis=1).to_numpy(), np.arange(len(gaps))[:, None]

    def case(mine: bool) -> Series:
        found = {}
        for n, park in enumerate(gaps.index):
            told = places(model.on(np.where((own == n) == mine, full, model.x)))
            found[park] = told.place.xs(park, level=1)
        return DataFrame(found).stack(future_stack=True).reindex(place.index)

    return case(True), case(False)


def _drawn(model: Model, items: DataFrame, quantiles: DataFrame, low: Series, runs: int, seed: int):
    """Year ends (runs, parks, items) in % of the target, drawn from the projection, else as now; an item that comes to
    count for one park counts for all that have a target."""
    x, rng = np.repeat(model.x[None], runs, axis=0), np.random.default_rng([seed, 1])
    asked = items.target.where(items.target > 0).to_numpy().reshape(model.x.shape)
    projected = dict(iter(quantiles.groupby(KEY)))
    for n, i in np.argwhere(~np.isnan(asked)):
        if (q := projected.get((model.units[n], model.ids[i]))) is not None:
            x[:, n, i] = 100 / asked[n, i] * np.interp(rng.random(runs), q.level, q.value)
    counts = ~np.isnan(x).all((0, 1))
    return np.where(np.isnan(x) & counts & ~np.isnan(asked), low.to_numpy(), x)


def _notes(ranks: DataFrame, items: DataFrame, catalog: Catalog) -> DataFrame:
    """`region`, `indicator` (composite or group), `period` and `message`: no place, or a provisional one."""
    names, rows = catalog.weights.set_index("id")["name_zh"], []
    lost = ranks.measure.eq("score") & ranks["rank"].isna()
    for r in ranks[lost | ranks.measure.eq("provisional") & ranks.value.gt(0)].itertuples():
        own = items[items.region.eq(r.region)]
        own = own if r.indicator == COMPOSITE else own[own.group.eq(r.indicator)]
        told = [
            catalog.name(g.indicator) + (f"({g.owed_by}{g.reason})" if g.owed_by else "")
            for g in own[own.reason.isin(GAPS)].itertuples()
        ]
        why = f"{'、'.join(own.reason.unique())},不计分、不排位。"
        if told:
            why = (
                f"{len(told)}项应报未报,按下限计分,位次暂定,"
                f"补齐后最好第{r.low:.0f}、最差第{r.high:.0f}:{'、'.join(told)}。"
            )
        who = f"{catalog.name(r.region)}「{names.get(r.indicator, '综合')}」:"
        rows.append((r.region, r.indicator, r.period, who + why))
    return DataFrame(rows, columns=["region", "indicator", "period", "message"])


def park_moves(before: ParkScores, after: ParkScores) -> DataFrame:
    """What moved the parks' scores between two periods, by indicator, in points that sum exactly to the change.

    Parameters
    ----------
    before, after : as `score_parks` gives them; parks scored in both are compared, by weights and bounds of `after`.
    Returns
    -------
    As `moved`, with `region` for the unit.
    """
    steps = moved(before.model.values, after.model, after.choices.methods[0])
    return steps.rename(columns={"unit": "region"})
