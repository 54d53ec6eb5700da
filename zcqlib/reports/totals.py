"""Totals of one table against their parts: rows or columns of places, 合计 among names, 其中 under its parent."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.reports.grid import remember
from zcqlib.reports.labels import Fact, Found, Place
from zcqlib.reports.words import known

_NOT_ADDED = re.compile(
    r"率|比重|占比|比例|密度|平均|人均|万人|均价|指数|位次|排名|强度|增速|增幅|价格|系数"
    r"|pct|percent|rate|ratio|share|index|average|mean|intensity|per_|growth",
    re.I,
)


def reconcile(
    facts: list[Fact], places: Iterable[Place | None], catalog: Catalog, found: Found
) -> None:
    """Report totals that differ from the sum of their parts, and parts above their whole.

    Only what adds up is looked at: no rates, shares, densities, averages, indices, ranks. Whole counts must agree
    exactly; n parts with d decimals may differ by 0.5 * 10^-d * (n + 1). A list marked # may fall short. Where a part
    has no figure, the total is `total_unchecked`.

    Parameters
    ----------
    facts : of one table. places : of its rows and columns, also of those without any figure.
    found : takes the problems.
    """
    listed = list(dict.fromkeys(p for p in places if p is not None))
    if not any(p.total for p in listed) and not any("/" in f.path for f in facts):
        return
    check = _Check(found, _counts(catalog), {})
    added = [f for f in facts if f.measure == "value" and _adds_up(f, catalog)]
    _by_place(added, listed, catalog, check)
    _by_name(added, check)
    for absent, totals in check.unchecked.items():
        first = totals[0]
        name = first.place.raw or first.path
        text = f"{absent}没有数字,「{name}」等 {len(totals)} 个合计没有核对。"
        found.problem("total_unchecked", "info", first.at, first.raw, text)


def _by_place(facts: list[Fact], listed: list[Place], catalog: Catalog, check: _Check) -> None:
    """Rows or columns of places against their total."""
    groups = {}
    for f in facts:
        groups.setdefault((f.path, f.when, f.unit), []).append(f)
    for group in groups.values():
        for total in (f for f in group if f.place.total):
            parts, absent = _parts(total, group, listed, catalog)
            check.compare(total, parts, absent, any("partial" in f.flags for f in parts))


def _by_name(facts: list[Fact], check: _Check) -> None:
    """合计 among names against the names beside it, and 其中 against its parent."""
    groups = {}
    beside = {}
    for f in facts:
        groups.setdefault((f.place, f.when, f.unit), {}).setdefault(f.path, f)
        beside.setdefault((f.path.rpartition("/")[0], f.unit), {})[f.path] = None
    for group in groups.values():
        for path, f in group.items():
            head, _, last = path.rpartition("/")
            if last not in known("total"):
                if head in group:
                    check.compare(group[head], [f], [], True)
            elif head:
                names = [p for p in beside[head, f.unit] if p != path]  # also those blank here
                parts = [group[p] for p in names if p in group]
                absent = [p for p in names if p not in group or not group[p].given]
                check.compare(f, parts, absent, len(names) < 2)


@lru_cache(maxsize=8)
def _counts(catalog: Catalog) -> set[str]:
    return set(catalog.unit_words.loc[catalog.unit_words["kind"] == "count", "word"])


@remember
def _members(catalog: Catalog, month: int) -> tuple[str, ...]:
    """The parks of the zone in a month, counted as in a span."""
    return catalog.members(pd.Period(ordinal=month - 1970 * 12, freq="M"))


def _adds_up(f: Fact, catalog: Catalog) -> bool:
    indicator = catalog.indicators.get(f.indicator)
    if indicator is not None:
        return indicator.additive
    return f.unit not in ("%", "pp") and "/" not in f.unit and not _NOT_ADDED.search(f.path)


def _parts(
    total: Fact, group: list[Fact], listed: list[Place], catalog: Catalog
) -> tuple[list[Fact], list[str]]:
    """The parts that a total stands for and the names of those without a figure; none where it stands for others."""
    ours = set(catalog.parks)
    pieces = [p for p in listed if not p.total]
    if total.place.id == "zone":
        pieces = [p for p in pieces if p.id in ours]
    elif total.place.id and not any(p.id not in ours for p in pieces):
        return [], []  # 全市 or 全省 over the five parks alone is not their total
    parts = [f for f in group if f.place in pieces]
    if len({f.place for f in parts}) < len(parts):
        return [], []  # rows that differ by more than their place
    there = {f.place for f in parts if f.given}
    absent = [p.raw.strip() for p in pieces if p not in there]
    if total.place.id == "zone":
        ids = {p.id for p in pieces}
        absent += [catalog.name(i) for i in _members(catalog, total.span.end) if i not in ids]
    between = _section(total, parts, group)
    return (between, []) if between and not absent else (parts, absent)


def _section(total: Fact, parts: list[Fact], group: list[Fact]) -> list[Fact]:
    """Of several totals in one list (小计), the parts next to this one where they agree with it."""
    bounds = [(-1, -1), *sorted(f.at for f in group if f.place.total), (1 << 30, 0)]
    here = bounds.index(total.at)
    for low, high in pairwise(bounds[here - 1 : here + 2]):
        near = [f for f in parts if low < f.at < high]
        agree = math.isclose(sum(f.value for f in near), total.value, rel_tol=1e-9)
        if len(near) > 1 and agree:
            return near
    return []


class _Check(NamedTuple):
    """Where faults go, the units of whole counts, and totals that could not be checked by what is absent."""

    found: Found
    counts: set[str]
    unchecked: dict[str, list[Fact]]

    def compare(self, total: Fact, parts: list[Fact], absent: list[str], at_most: bool) -> None:
        there = [f for f in parts if f.given]
        if not total.given or not there or len(parts) < 2 and not at_most:
            return
        summed = round(sum(f.value for f in there), 9)
        difference = round(summed - total.value, 9)
        tolerance = self.tolerance([total, *there]) + 1e-9 * abs(summed)
        above = difference > tolerance
        if absent and not (above and all(f.value >= 0 for f in there)):
            self.unchecked.setdefault("、".join(absent), []).append(total)
        elif above or not at_most and -difference > tolerance:
            cells = "+".join(f.cell for f in there[:12]) + "…" * (len(there) > 12)
            name = total.place.raw if total.place.total and len(there) > 1 else total.path
            text = (
                f"「{name}」{total.cell} 为 {total.value:.12g}{total.unit},"
                f"分项({cells})之和为 {summed:.12g}{total.unit},相差 {difference:+.12g};请核对合计和分项。"
            )
            self.found.problem("total_mismatch", "warning", total.at, total.raw, text)

    def tolerance(self, facts: list[Fact]) -> float:
        """Half a unit of the last decimal for each part and the total; none for whole counts in their own unit."""
        digits = max(f.decimals for f in facts)
        if digits == 0 and all(f.unit_raw in self.counts and f.unit_raw == f.unit for f in facts):
            return 0.0
        scales = [abs(f.value / float(f.raw)) for f in facts if f.value]
        return 0.5 * 10.0**-digits * max(scales, default=1.0) * len(facts)
