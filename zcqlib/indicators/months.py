"""Months and revisions out of cumulative figures, within each calendar year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import NamedTuple

import pandas as pd
from pandas import DataFrame, Series

from zcqlib.catalog import Catalog
from zcqlib.indicators.problems import remarks, trait
from zcqlib.tables import PROBLEMS, SERIES, empty, shape


def net(inputs: Iterable[str]) -> str:
    """The observations that a sum rests on: one that is added here and taken away there is in none of it."""
    left: set[str] = set()
    for ids in inputs:
        left ^= set(ids.split(";"))
    return ";".join(sorted(left - {""}))


def ordinal(month: Series) -> Series:
    """Months since January 1970."""
    return Series(month.array.asi8, index=month.index)


def month_of(ordinals: Series) -> pd.PeriodIndex:
    """Months out of their ordinals."""
    return pd.PeriodIndex.from_ordinals(ordinals, freq="M")


class Figure(NamedTuple):
    """What is known of the months `first` to `last` since `when`; `row` says it, or is one of several that imply it."""

    first: int
    last: int
    value: float
    tolerance: float
    when: int
    inputs: frozenset[str]
    row: int
    single: bool

    def plus(self, other: Figure, sign: int = 1, **changes: int) -> Figure:
        """Both together, or one without the other (`sign` -1)."""
        return self._replace(
            value=self.value + sign * other.value,
            tolerance=self.tolerance + other.tolerance,
            when=max(self.when, other.when),
            inputs=self.inputs ^ other.inputs,
        )._replace(**changes)

    @property
    def noise(self) -> float:
        """What floating point may have made of it."""
        return 1e-9 * max(abs(self.value), 1e-3)


NOTHING = Figure(0, 0, 0.0, 0.0, -(10**6), frozenset(), 0, False)


def monthly_from_cumulative(
    observations: DataFrame, catalog: Catalog
) -> tuple[DataFrame, DataFrame]:
    """Turn year-to-date figures into those of single months, within each calendar year.

    Parameters
    ----------
    observations : OBSERVATIONS of flows, one row a fact, with basis month, ytd, quarter, year or range.
    Returns
    -------
    (SERIES, PROBLEMS); `months` is 2 where February includes January, more where months are missing between two
    cumulative figures. A stated month stands as stated; a fall of the cumulative figure stays a negative month. What
    stated months do not explain of a cumulative figure that is no older than they are is a row of `revision`, so that
    the rows up to a month add up to its cumulative figure.
    Raises
    ------
    nothing: what does not fit together is in PROBLEMS (cum_mismatch, ytd_decrease, negative_month, span_unused).
    Source
    ------
    月报“本月”“本年累计”两列;口径见指标目录。
    """
    o = observations[observations.value.notna() & observations.basis.ne("eop")]
    o = o.sort_values("basis", kind="stable")  # ytd is last, and stands where several say the same
    if o.empty:
        return empty(SERIES), empty(PROBLEMS)
    first, last, when = (ordinal(o[c]) for c in ("start", "end", "published"))
    single = o.basis.eq("month") & first.eq(last)
    ids = [frozenset([i]) for i in o.obs_id]
    given = (first, last, o.value, catalog.tolerance(o), when, ids, range(len(o)), single)
    figures = [Figure(*of) for of in zip(*given, strict=True)]
    lines = o.groupby([o.region, o.indicator, o.coverage, o.demo, last // 12]).indices
    found = [told for _, at in sorted(lines.items()) for told in _year([figures[i] for i in at])]
    which, made, beside = zip(*found, strict=True)
    made, beside = (DataFrame(f, columns=Figure._fields) for f in (made, beside))
    at = (o.file + " " + o.cell).array
    rows = o.iloc[made.row].reset_index(drop=True)
    rows = rows.assign(
        start=month_of(made["first"]),
        end=month_of(made["last"]),
        published=month_of(made.when),
        value=made.value.round(9),  # 10.3 - 10.1 is .2, not .1999999999999993
        months=made["last"] - made["first"] + 1,
        inputs=made.inputs.map(sorted).str.join(";"),
        _which=which,
        _beside=beside.value,
        _off=made.value - beside.value,
        _less=-made.value,
        _at=at[made.row],
        _before=at[beside.row],
    )
    rows["revision"] = rows._which.eq("revision")
    known = rows._which.isin(["month", "revision"])
    series = shape(rows[known], SERIES).sort_values(
        "region indicator start end revision".split(), ignore_index=True
    )
    odd = rows[~known]
    falls = odd._which.eq("ytd_decrease") & trait(odd, "can_fall", catalog)
    return series, remarks(catalog, (odd, odd._which.mask(falls, "negative_month")))


def _year(figures: list[Figure]) -> Iterator[tuple[str, Figure, Figure]]:
    """What the figures of a line say of a year: each month or span left, each revision, and what is remarked (its name
    in SENTENCES), with the figure beside which it is odd.

    A span whose other months do not follow each other is not torn: the months stated in it go. A revision is what the
    months do not explain of a cumulative figure, less what the one before had not explained either; a cumulative figure
    that is older than a month in it says nothing of that month: the next one that is not shows all.
    """
    january = figures[0].last // 12 * 12
    stated = {f.last: f for f in figures if f.single}
    wholes, spans = _wholes([f for f in figures if not f.single], january)
    parts, before = [], NOTHING._replace(last=january - 1)
    for _, whole in sorted(wholes.items()):
        part = whole.plus(before, -1, first=before.last + 1)
        parts.append((part, whole))
        if part.value < 0 and part.first > january:
            rounding = -part.value < part.tolerance - part.noise
            which = "ytd_decrease.rounding" if rounding else "ytd_decrease"
            yield which, part._replace(first=part.last), before
        before = whole
    for f in spans:
        if f.first > before.last:
            parts.append((f, None))
        else:
            yield "span_unused", f, NOTHING
    off, newest, torn = NOTHING, NOTHING.when, []
    for part, whole in parts:
        months = range(part.first, part.last + 1)
        inside = [stated[m] for m in months if m in stated]
        rest = [m for m in months if m not in stated]
        said = reduce(Figure.plus, inside, NOTHING)
        left = part.plus(said, -1, when=part.when)
        if not rest:
            off = off.plus(left)
            if abs(left.value) > left.tolerance + part.noise:
                yield "cum_mismatch.newer" if said.when > part.when else "cum_mismatch", part, said
        elif rest[-1] - rest[0] < len(rest):
            yield "month", left._replace(first=rest[0], last=rest[-1]), NOTHING
        else:
            yield "month", part, NOTHING
            torn += inside
        newest = max(newest, said.when)
        if whole and whole.when >= newest:
            if abs(off.value) > off.noise:
                yield (
                    "revision",
                    whole._replace(first=january, value=off.value, inputs=off.inputs),
                    NOTHING,
                )
            off = NOTHING
    for f in stated.values():
        yield "span_unused.inside" if f in torn else "month", f, NOTHING


def _wholes(figures: list[Figure], january: int) -> tuple[dict[int, Figure], list[Figure]]:
    """Cumulative figures by their last month, and the spans that hang on none of them: a span that begins where a
    cumulative figure ends makes the next one, a span that ends where one ends makes the one before."""
    wholes = {f.last: f for f in figures if f.first == january}
    spans = list({(f.first, f.last): f for f in figures if f.first != january}.values())
    for sign in (1, -1):
        for f in sorted(spans)[::sign]:
            at, to = (f.first - 1, f.last)[::sign]
            if at in wholes and f.first > january:
                wholes.setdefault(to, wholes[at].plus(f, sign, last=to, row=f.row))
                spans.remove(f)
    return wholes, spans
