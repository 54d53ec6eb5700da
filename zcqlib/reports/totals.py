"""Totals of one table against their parts: rows or columns of places, 合计 among names, 其中 under its parent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.reports.books import letters
from zcqlib.reports.labels import TOTALS, Fact, Found, Place

_NOT_ADDED = re.compile(
    r"率|比重|占比|比例|密度|平均|人均|万人|均价|指数|位次|排名|强度|增速|增幅|价格"
)


def reconcile(
    facts: list[Fact], places: Iterable[Place | None], catalog: Catalog | None, found: Found
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
    if not any(p is not None and p.total for p in places) and not any("/" in f.path for f in facts):
        return
    counts = set() if catalog is None else _counts(catalog)
    listed = list(dict.fromkeys(p for p in places if p is not None))
    by_place: dict[tuple, list[Fact]] = {}
    by_name: dict[tuple, dict[str, Fact]] = {}
    beside: dict[tuple[str, str], dict[str, None]] = {}
    for f in facts:
        if f.measure == "value" and _adds_up(f, catalog):
            span = (f.span.start, f.span.end, f.span.basis)
            by_place.setdefault((f.path, span, f.unit), []).append(f)
            by_name.setdefault((f.place, span, f.unit), {}).setdefault(f.path, f)
            beside.setdefault((f.path.rpartition("/")[0], f.unit), {})[f.path] = None
    unchecked: dict[str, list[Fact]] = {}
    for group in by_place.values():
        for total in (f for f in group if f.place.total and f.value == f.value):
            parts, absent = _parts(total, group, listed, catalog)
            _compare(total, parts, absent, "partial" in _flags(parts), counts, found, unchecked)
    for group in by_name.values():
        for path, total in group.items():
            head, _, last = path.rpartition("/")
            if last in TOTALS and head:
                names = [
                    p for p in beside[head, total.unit] if p != path
                ]  # also of kinds that are blank here
                parts = [group[p] for p in names if p in group]
                absent = [p for p in names if p not in group or group[p].value != group[p].value]
                _compare(total, parts, absent, len(names) < 2, counts, found, unchecked)
            elif (whole := group.get(head)) is not None and last not in TOTALS:
                _compare(whole, [total], [], True, counts, found, unchecked)
    for absent, totals in unchecked.items():
        first = totals[0]
        found.problem(
            "total_unchecked",
            "info",
            (first.row, first.column),
            first.raw,
            f"{absent}没有数字,「{first.place.raw or first.path}」等 {len(totals)} 个合计没有核对。",
        )


@lru_cache(maxsize=8)
def _counts(catalog: Catalog) -> set[str]:
    return set(catalog.unit_words.loc[catalog.unit_words["kind"] == "count", "word"])


@lru_cache(maxsize=1024)
def _members(catalog: Catalog, month: int) -> tuple[str, ...]:
    """The parks of the zone in a month, counted as in a span."""
    return catalog.members(pd.Period(ordinal=month - 1970 * 12, freq="M"))


def _adds_up(f: Fact, catalog: Catalog | None) -> bool:
    known = catalog.indicators.get(f.indicator) if catalog is not None and f.indicator else None
    if known is not None:
        return known.additive
    return f.unit not in ("%", "pp") and "/" not in f.unit and not _NOT_ADDED.search(f.path)


def _flags(facts: list[Fact]) -> set[str]:
    return {flag for f in facts for flag in f.flags}


def _parts(
    total: Fact, group: list[Fact], listed: list[Place], catalog: Catalog | None
) -> tuple[list[Fact], list[str]]:
    """The parts that a total stands for and the names of those without a figure; none where it stands for others."""
    ours = set(catalog.parks) if catalog is not None else set()
    pieces = [p for p in listed if not p.total]
    if total.place.id == "zone":
        pieces = [p for p in pieces if p.id in ours]
    elif total.place.id and not any(p.id not in ours for p in pieces):
        return [], []  # 全市 or 全省 over the five parks alone is not their total
    wanted = set(pieces)
    parts = [f for f in group if f.place in wanted]
    if len({f.place for f in parts}) < len(parts):
        return [], []  # rows that differ by more than their place
    filled = {f.place for f in parts if f.value == f.value}
    absent = [p.raw.strip() for p in pieces if p not in filled]
    if total.place.id == "zone":
        there = {p.id for p in pieces}
        absent += [catalog.name(i) for i in _members(catalog, total.span.end) if i not in there]
    between = _section(total, parts, group)
    return (between, []) if between and not absent else (parts, absent)


def _section(total: Fact, parts: list[Fact], group: list[Fact]) -> list[Fact]:
    """Of several totals in one list (小计), the parts next to this one where they agree with it."""
    totals = sorted(_at(f) for f in group if f.place.total)
    if len(totals) < 2:
        return []
    here = _at(total)
    before = max((t for t in totals if t < here), default=(-1, -1))
    after = min((t for t in totals if t > here), default=(10**9, 10**9))
    for low, high in ((before, here), (here, after)):
        near = [f for f in parts if low < _at(f) < high]
        if len(near) > 1 and abs(sum(f.value for f in near) - total.value) <= 1e-9 * abs(
            total.value
        ):
            return near
    return []


def _at(f: Fact) -> tuple[int, int]:
    return f.row, f.column


def _compare(
    total: Fact,
    parts: list[Fact],
    absent: list[str],
    at_most: bool,
    counts: set[str],
    found: Found,
    unchecked: dict[str, list[Fact]],
) -> None:
    known = [f for f in parts if f.value == f.value]
    if total.value != total.value or not known or len(parts) < 2 and not at_most:
        return
    digits = max(f.decimals for f in (total, *known))
    exact = digits == 0 and all(
        f.unit_raw in counts and f.unit_raw == f.unit for f in (total, *known)
    )
    tolerance = 0.0
    if not exact:
        scales = [
            abs(f.value) / abs(raw) for f in (total, *known) if (raw := _number(f.raw)) and f.value
        ]
        tolerance = 0.5 * 10.0**-digits * max(scales, default=1.0) * (len(known) + 1)
    summed = round(sum(f.value for f in known), 9)
    difference = round(summed - total.value, 9)
    above = difference > tolerance + 1e-9 * abs(summed)
    if absent and not (above and all(f.value >= 0 for f in known)):
        unchecked.setdefault("、".join(absent), []).append(total)
    elif above or not at_most and -difference > tolerance + 1e-9 * abs(summed):
        cells = "+".join(f"{letters(f.column)}{f.row + 1}" for f in known[:12]) + (
            "…" if len(known) > 12 else ""
        )
        name = total.place.raw if total.place.total and len(known) > 1 else total.path
        found.problem(
            "total_mismatch",
            "warning",
            _at(total),
            total.raw,
            f"「{name}」{letters(total.column)}{total.row + 1} 为 {total.value:.12g}{total.unit},"
            f"分项({cells})之和为 {summed:.12g}{total.unit},相差 {difference:+.12g};请核对合计和分项。",
        )


def _number(raw: str) -> float:
    digits = re.search(r"\d[\d,]*(?:\.\d+)?", raw)
    return float(digits[0].replace(",", "")) if digits else 0.0
