"""What is known at a month: series as plain columns, and which figure is the sum of which others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray
from pandas import DataFrame, Period, Series

from zcqlib import tables
from zcqlib.catalog import Catalog, Indicator, Lights, Target
from zcqlib.tables import MILESTONES

LEVEL = 0.8
SUMMARY = 0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2  # levels of median, low and high
NO_DATA = "缺数据"
WINDOW = 36  # months in which parts must be known like their whole
UNEVEN = 0.02  # share of a month by which parts may exceed their whole where the year adds up (a revision spread)


class Rows(NamedTuple):
    """A series of SERIES in the order of its last months (counted from 1970), column by column."""

    end: ndarray
    months: ndarray
    value: ndarray
    revision: ndarray
    demo: ndarray

    @classmethod
    def by_place(cls, series: DataFrame) -> dict[tuple[str, str], Rows]:
        """The series of SERIES by region and indicator."""
        s = series.sort_values("end", kind="stable")
        whole = cls(s.end.array.asi8, *(s[c].to_numpy() for c in cls._fields[1:]))
        groups = s.groupby(["region", "indicator"]).indices
        return {place: whole.only(rows) for place, rows in groups.items()}

    def only(self, which: ndarray) -> Rows:
        """Some of the rows."""
        return Rows(*(column[which] for column in self))

    @property
    def year(self) -> ndarray:
        """Years of the last months."""
        return 1970 + self.end // 12

    @property
    def month(self) -> ndarray:
        """Months (1-12) of the last months."""
        return self.end % 12 + 1

    @property
    def last(self) -> Period:
        """The last month that it is known for."""
        return Period(ordinal=int(self.end.max()), freq="M")

    @property
    def by_span(self) -> dict[tuple, float]:
        """Values by last month, length and whether it is a revision."""
        spans = zip(self.end, self.months, self.revision, strict=True)
        return dict(zip(spans, self.value, strict=True))

    @property
    def covered(self) -> ndarray:
        """How many months each row tells of: none, if it is a revision."""
        return np.where(self.revision, 0, self.months)

    @property
    def told(self) -> Rows:
        """The sums of less than a year."""
        return self.only((self.covered > 0) & (self.covered < 12))

    @property
    def brought(self) -> DataFrame:
        """Years all of whose months are known, and what they had brought by each month (1-12)."""
        gains = np.zeros((self.year.max(initial=0) + 1, 12))
        np.add.at(gains, (self.year, self.month - 1), self.value)
        full = np.flatnonzero(np.bincount(self.year, self.covered) == 12)
        return DataFrame(gains[full].cumsum(1), full, range(1, 13))

    def ends(self, sums: bool) -> Series:
        """What years ended with: the totals of those whose months are all known, or the last levels of December."""
        if sums:
            return self.only(self.months > 0).brought[12]
        last = self.only(self.month == 12)
        return Series(dict(zip(last.year.tolist(), last.value, strict=True)), dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A figure to project: its series, flow or stock, and the parts it is the sum of, if it is one.

    `name` : region|indicator, of what no part has region|indicator|the parts.
    """

    name: str
    source: Rows
    kind: str
    parts: tuple[Node, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """The series of SERIES that it rests on."""
        region, indicator, *rest = self.name.split("|")
        own = [] if rest else [f"SERIES/{region}.{indicator}"]
        return own + [i for p in self.parts for i in p.inputs]

    def sum(self, year: int) -> float:
        """What a year's rows add up to."""
        return self.source.value[self.source.year == year].sum()


class Known:
    """What is known at a month, of what `project_targets` is given: series by region and indicator (`by`),
    MILESTONES, growth as reported by region, indicator and month.
    """

    def __init__(self, series, as_of, catalog: Catalog, milestones, batches, growth):
        self.as_of, self.catalog, self.batches = as_of, catalog, batches
        self.by = Rows.by_place(series[series.end <= as_of])
        self.members = catalog.members(as_of)
        self.milestones = tables.empty(MILESTONES) if milestones is None else milestones
        self.growth, place = {}, ["region", "indicator", "end"]
        if growth is not None:  # the first of a place
            self.growth = growth.drop_duplicates(place).set_index(place)["reported"].to_dict()
        self.node = cache(self._node)  # a park's stands in its zone's too

    def whole(self, region: str, id: str) -> Node | None:
        """A flow or stock that is known this year, by itself."""
        kind = getattr(self.catalog.indicators.get(id), "kind", "")
        own = self.by.get((region, id)) if kind in ("flow", "stock") else None
        own = own and own.only((own.months == 0) == (kind == "stock"))
        if own and len(own.end) and own.last.year == self.as_of.year:
            return Node(f"{region}|{id}", own, kind)
        return None

    def _node(self, region: str, id: str) -> Node | None:
        """A flow or stock as the sum of its parks, or of a part and the rest, where their months add up to it."""
        whole, of = self.whole(region, id), self.catalog.indicators
        if whole is None or not of[id].additive or whole.kind == "stock" and of[id].batch:
            return whole
        if region == "zone":
            parts = [self.node(p, id) for p in self.members]
        else:  # the largest part, as others may overlap with it
            inside = [i for i, x in of.items() if x.part_of == id and x.kind == of[id].kind]
            parts = [n for i in inside if (n := self.node(region, i))]
            parts = sorted(parts, key=lambda n: -n.source.value.sum())[:1]
        if not parts or None in parts or (rest := rest_of(whole, parts)) is None:
            return whole
        if np.abs(rest.source.value).sum() > 0.005 * np.abs(whole.source.value).sum():
            parts.append(rest)
        return replace(whole, parts=tuple(parts)) if len(parts) > 1 else whole


def rest_of(whole: Node, parts: list[Node]) -> Node | None:
    """What belongs to none of the parts; None where months are missing or the parts exceed the whole."""
    source, size = whole.source, np.abs(whole.source.value)
    beyond, year = source.revision, source.year
    told = [p.source.by_span for p in parts]
    apart = np.array([[own.get(span, np.nan) for span in source.by_span] for own in told])
    there = np.isfinite(apart).all(0) | beyond
    if not there[source.end > source.end.max() - WINDOW].all():
        return None
    rest, told = source.value - np.nan_to_num(apart).sum(0), there & ~beyond
    left, all_ = (np.bincount(year[told], v[told]) for v in (rest, size))
    if (rest < -UNEVEN * size)[told].any() or (left < -1e-6 * all_).any():
        return None
    rest = np.where(beyond, rest, np.maximum(rest, 0))
    name = f"{whole.name}|{'+'.join(p.name for p in parts)}"
    return Node(name, source._replace(value=rest).only(there), whole.kind)


class Promise(SimpleNamespace):
    """A target in force at a month: its row of TARGETS, what is `known`, `shown` its id, and `id` that whose figures it
    takes: of what it restates, or as a park's of what it is part of.
    """

    def __init__(self, row, known: Known):
        super().__init__(**row._asdict(), shown=row.id, known=known)
        part = self.relation == "part_of" and self.region in known.catalog.parks
        part = part and self.own is None and not known.milestones.id.eq(self.id).any()
        kin = known.catalog.indicators.get(self.related_id)
        if (self.relation == "restates" or part) and kin and kin.kind == self.kind:
            self.id = self.related_id

    @property
    def of_parks(self) -> bool:
        """Whether it is what each park owes: met when all have done it."""
        return (self.scope, self.region, self.kind) == ("each_park", "zone", "flow")

    @property
    def own(self) -> Rows | None:
        """Its own series."""
        return self.known.by.get((self.region, self.id))

    @property
    def indicator(self) -> Indicator:
        """What it is about."""
        return self.known.catalog.indicators[self.id]

    def met(self, value):
        """Whether a final value, or each of an array, meets it."""
        return Target.of(self.__dict__).met(value)

    def row(self, method: str, light: str = "", rests: dict | None = None, **more) -> dict:
        """A PROJECTIONS row with the verdict of a light without a chance; `rests` are the series by region that it
        rests on. What is not given is missing.
        """
        known, rests = self.known, rests or {}
        told = "region kind unit target_low target_high comparator year".split()
        about = dict(
            indicator=self.shown,
            level=LEVEL,
            as_of=known.as_of,
            verdict=known.catalog.lights.state(light).words if light else NO_DATA,
            method=method,
            demo=bool(self.demo or any(s.demo.any() for s in rests.values())),
            actual_to=min((s.last for s in rests.values()), default=pd.NaT),
            inputs=";".join(f"SERIES/{region}.{self.id}" for region in rests),
        )
        return {c: getattr(self, c) for c in told} | about | more


def verdict(probability: float, done: bool, lights: Lights) -> str:
    """The light in a word; it grades the chance rounded as printed, halves up."""
    if done or np.isnan(probability):
        return lights.state("met" if done else "stage").words
    return lights.of(np.floor(100 * probability + 0.5)).words
