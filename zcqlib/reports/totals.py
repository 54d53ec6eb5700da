"""Totals of one table against their parts: rows or columns of places, 合计 among names, 其中 under its parent."""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Iterable, Iterator

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.reports.labels import Fact, Found, Place, grouped, normal_unit
from zcqlib.reports.words import known

_NOT_ADDED = re.compile(
    r"率|比重|占比|比例|密度|平均|人均|万人|均价|指数|位次|排名|强度|增速|增幅|价格|系数"
    r"|pct|percent|rate|ratio|share|index|average|mean|intensity|per_|growth",
    re.I,
)
# a total, its parts, the names of parts without a figure, and whether the parts may fall short
_Sum = tuple[Fact, list[Fact], list[str], bool]


def reconcile(
    facts: Iterable[Fact], places: Iterable[Place | None], catalog: Catalog, found: Found
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
    listed = list(dict.fromkeys(filter(None, places)))
    if not any(p.total for p in listed) and not any("/" in f.path for f in facts):
        return
    unchecked = {}
    added = [f for f in facts if f.measure == "value" and _adds_up(f, catalog)]
    for total, parts, absent, at_most in (*_by_place(added, listed, catalog), *_by_name(added)):
        there = [f for f in parts if f.given]
        if not total.given or not there or len(parts) < 2 and not at_most:
            continue
        summed = round(sum(f.value for f in there), 9)
        above = round(summed - total.value, 9)
        tolerance = _tolerance([total, *there], catalog) + 1e-9 * abs(summed)
        if absent and not (above > tolerance and all(f.value >= 0 for f in there)):
            unchecked.setdefault("、".join(absent), []).append(total)
        elif above > tolerance or not at_most and -above > tolerance:
            _mismatch(total, there, summed, found)
    for absent, totals in unchecked.items():
        first = totals[0]
        name = first.place.raw or first.path
        found.tell("total_unchecked", first.at, first.raw, absent, name, len(totals))


def _mismatch(total: Fact, parts: list[Fact], summed: float, found: Found) -> None:
    cells = "+".join(f.cell for f in parts[:12]) + "…" * (len(parts) > 12)
    name = total.place.raw if total.place.total and len(parts) > 1 else total.path
    sums = f"之和为 {summed:.12g}{total.unit},相差 {round(summed - total.value, 9):+.12g}"
    said = f"{total.value:.12g}{total.unit},分项({cells}){sums}"
    found.tell("total_mismatch", total.at, total.raw, name, total.cell, said)


def _by_place(facts: list[Fact], listed: list[Place], catalog: Catalog) -> Iterator[_Sum]:
    """Rows or columns of places against their total."""
    for group in grouped(facts, lambda f: (f.path, f.when, f.unit)).values():
        for total in group:
            if total.place.total:
                parts, absent = _parts(total, group, listed, catalog)
                yield total, parts, absent, any("partial" in f.flags for f in parts)


def _by_name(facts: list[Fact]) -> Iterator[_Sum]:
    """合计 among names against the names beside it, and 其中 against its parent."""
    beside = {
        key: dict.fromkeys(f.path for f in part)
        for key, part in grouped(facts, lambda f: (f.path.rpartition("/")[0], f.unit)).items()
    }
    for part in grouped(facts, lambda f: (f.place, f.when, f.unit)).values():
        group = {}
        for f in part:
            group.setdefault(f.path, f)
        for path, f in group.items():
            head, _, last = path.rpartition("/")
            if last not in known("total"):
                if head in group:
                    yield group[head], [f], [], True
            elif head:
                names = [n for n in beside[head, f.unit] if n != path]  # also those blank here
                parts = [group[n] for n in names if n in group]
                absent = [n for n in names if n not in group or not group[n].given]
                yield f, parts, absent, len(names) < 2


def _adds_up(f: Fact, catalog: Catalog) -> bool:
    if indicator := catalog.indicators.get(f.indicator):
        return indicator.additive
    return f.unit not in ("%", "pp") and "/" not in f.unit and not _NOT_ADDED.search(f.path)


def _parts(
    total: Fact, group: list[Fact], listed: list[Place], catalog: Catalog
) -> tuple[list[Fact], list[str]]:
    """The parts that a total stands for and the names of those without a figure; none where it stands for others.

    Of several totals in one list (小计) each stands for the parts next to it, where they agree with it.
    """
    pieces = [p for p in listed if not p.total]
    ours = [p for p in pieces if p.id in catalog.parks]
    if total.place.id == "zone":
        pieces = ours
    elif total.place.id and ours == pieces:
        return [], []  # 全市 or 全省 over the five parks alone is not their total
    parts = [f for f in group if f.place in pieces]
    given = {f.place: f.given for f in parts}
    if len(given) < len(parts):
        return [], []  # rows that differ by more than their place
    absent = [p.raw.strip() for p in pieces if not given.get(p)]
    month = pd.Period(ordinal=total.span.end - 1970 * 12, freq="M")
    districts = [r.id for r in catalog.regions.values() if r.level == "district"]
    there = {p.id for p in pieces}
    whole = {"zone": catalog.members(month), "city": districts if there & {*districts} else ()}
    absent += [catalog.name(i) for i in whole.get(total.place.id, ()) if i not in there]
    near = [] if absent else _beside(total, parts, group)
    return near or parts, absent


def _beside(total: Fact, parts: list[Fact], group: list[Fact]) -> list[Fact]:
    """The parts right before or right behind a total, up to the next one, where they agree with it."""
    totals = sorted(f.at for f in group if f.place.total)
    here = totals.index(total.at)
    for section in (here, here + 1):
        near = [f for f in parts if bisect(totals, f.at) == section]
        agree = math.isclose(sum(f.value for f in near), total.value, rel_tol=1e-9)
        if len(near) > 1 and agree:
            return near
    return []


def _tolerance(facts: list[Fact], catalog: Catalog) -> float:
    """Half a unit of the last decimal for each part and the total; none for whole counts in their own unit."""
    digits = max(f.decimals for f in facts)
    counts = (normal_unit(f.unit_raw, catalog)[2] == "count" for f in facts)
    if digits == 0 and all(counts) and all(f.unit_raw == f.unit for f in facts):
        return 0.0
    scales = [abs(f.value / float(f.raw)) for f in facts if f.value]
    return 0.5 * 10.0**-digits * max(scales, default=1.0) * len(facts)
