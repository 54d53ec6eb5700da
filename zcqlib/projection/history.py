"""What is known at a month: series as plain columns, and which figure is the sum of which others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd

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

    end: np.ndarray
    months: np.ndarray
    value: np.ndarray
    revision: np.ndarray
    demo: np.ndarray

    @classmethod
    def by_place(cls, series: pd.DataFrame) -> dict[tuple[str, str], Rows]:
        """The series of SERIES by region and indicator."""
        s = series.sort_values("end", kind="stable")
        whole = cls(
            s["end"].array.asi8,
            s["months"].to_numpy("int64"),
            s["value"].to_numpy(float),
            s["revision"].to_numpy(bool),
            s["demo"].to_numpy(bool),
        )
        groups = s.groupby(["region", "indicator"]).indices
        return {place: whole.only(rows) for place, rows in groups.items()}

    def only(self, which: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(*(column[which] for column in self))

    @property
    def year(self) -> np.ndarray:
        """Years of the last months."""
        return 1970 + self.end // 12

    @property
    def month(self) -> np.ndarray:
        """Months (1-12) of the last months."""
        return self.end % 12 + 1

    @property
    def last(self) -> pd.Period:
        """The last month that it is known for."""
        return pd.Period(ordinal=int(self.end.max()), freq="M")

    @property
    def covered(self) -> np.ndarray:
        """How many months each row tells of: none, if it is a revision."""
        return np.where(self.revision, 0, self.months)

    @property
    def told(self) -> Rows:
        """The sums of less than a year."""
        return self.only((self.covered > 0) & (self.covered < 12))

    def full_years(self, k: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Years all of whose months are known, what they add up to and how much of it was done by month k."""
        told = self.covered, self.value, self.value * (self.month <= k)
        months, total, done = (np.bincount(self.year, v) for v in told)
        full = np.flatnonzero(months == 12)
        return full, total[full], done[full]

    def ends(self, sums: bool) -> pd.Series:
        """What years ended with: the totals of those whose months are all known, or the last levels of December."""
        if sums:
            full, total, _ = self.only(self.months > 0).full_years()
            return pd.Series(total, full)
        last = self.only(self.month == 12)
        return pd.Series(dict(zip(last.year.tolist(), last.value, strict=True)), dtype=float)


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
        self.by = Rows.by_place(series[series["end"] <= as_of])
        self.members = catalog.members(as_of)
        self.milestones = tables.empty(MILESTONES) if milestones is None else milestones
        self.growth, place = {}, ["region", "indicator", "end"]
        if growth is not None:  # the first of a place
            self.growth = growth.drop_duplicates(place).set_index(place)["reported"].to_dict()
        self.node = cache(self._node)  # a park's stands in its zone's too

    def whole(self, region: str, id: str) -> Node | None:
        """A flow or stock that is known this year, by itself."""
        own, indicator = self.by.get((region, id)), self.catalog.indicators.get(id)
        if own is None or indicator is None or own.last.year != self.as_of.year:
            return None
        level = own.months == 0
        if indicator.kind == "flow" or indicator.kind == "stock" and level.any():
            own = own.only(level == (indicator.kind == "stock"))
        known = indicator.kind in ("flow", "stock") and len(own.end)
        return Node(f"{region}|{id}", own, indicator.kind) if known else None

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
    apart = np.stack([_at(p.source, source) for p in parts])
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


def _at(own: Rows, where: Rows) -> np.ndarray:
    """What a series has for the last months and lengths of another's rows, revisions apart; NaN where nothing."""
    spans = [list(zip(s.end, s.months, s.revision, strict=True)) for s in (own, where)]
    told = dict(zip(spans[0], own.value, strict=True))
    return np.array([told.get(s, np.nan) for s in spans[1]])


class Promise(SimpleNamespace):
    """A target in force at a month: its row of TARGETS, what is `known`, `shown` its id, and `id` that whose figures it
    takes: of what it restates, or as a park's of what it is part of.
    """

    def __init__(self, row, known: Known):
        super().__init__(**row._asdict(), shown=row.id, known=known)
        part = self.relation == "part_of" and self.region in known.catalog.parks
        part = part and self.own is None and not known.milestones["id"].eq(self.id).any()
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
