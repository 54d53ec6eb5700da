"""What no single report shows: parks against the department's total, figures unlike their past, cells left blank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from pandas import DataFrame

from zcqlib.catalog import Catalog
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.holding import HISTORY, median, past
from zcqlib.indicators.problems import noise, remarks, trait

FACTORS = (1e8, 1e4, 1e3, 1e2, 1e1)  # what a wrong unit multiplies or divides by
DEVIATIONS, ENOUGH = 6.0, 6  # robust deviations; earlier figures needed at least
LEAST, ABOUT = 0.1, 0.35  # a deviation is never taken for less; how near a power of ten is (logs)
_FACT = "region indicator start end basis measure demo".split()
_LINE = "region indicator coverage demo".split()


def check_plausibility(
    observations: DataFrame | Consolidated, catalog: Catalog
) -> tuple[DataFrame, DataFrame]:
    """Report figures that only look doubtful beside other reports; none of them is changed.

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports, or what `consolidate` made of them.
    Returns
    -------
    (table, PROBLEMS). Table: `file`, `sheet`, `cell`, `low`, `high`, `unit` (as in the report): the range that the last
    12 figures lead to expect for each cell of the latest reports, also of a cell whose figure is missing.
    PROBLEMS: total_mismatch and total_unchecked (the parks' own figures against a department's total), unit_suspect
    (a power of ten from its own history), outlier (more than six robust deviations from
    the last 12 figures on a log scale), withdrawn (a figure that a later report of its sender leaves blank).
    Raises
    ------
    CorrectionError : a correction's source has changed.
    Source
    ------
    各月报表。
    """
    known = consolidate(observations, catalog)
    ranges = _ranges(known.history, catalog)
    told = [
        _across(known.history, catalog),
        _unlike(ranges, catalog),
        _blank(known.history, catalog),
    ]
    return _expected(known.history, ranges, catalog), pd.concat(told, ignore_index=True)


def _across(history: DataFrame, catalog: Catalog) -> DataFrame:
    """The parks' own reports against the department's table."""
    h = history[trait(history, "additive", catalog)].query(
        "value.notna() and measure == 'value' and state not in ['conflict', 'withdrawn', 'held']"
    )
    h = h.sort_values("published submission decimals obs_id".split())
    h = h.drop_duplicates([*_FACT, "sender"], keep="last")
    senders = catalog.senders.set_index("id")
    h = h.assign(_kind=h.sender.map(senders.kind), _home=h.sender.map(senders.region))
    own = h.query("_kind == 'park' and region == _home and region in @catalog.parks")
    if own.empty:
        return remarks(catalog)
    own = own.sort_values("region", key=lambda parks: parks.map(catalog.parks.index))
    own["_said"] = own.region.map(catalog.name) + " " + own.value.map("{:g}".format)
    key = [c for c in _FACT if c != "region"]
    sums = own.groupby(key, as_index=False).agg(
        _sum=("value", "sum"),
        _rounding=("_tol", "sum"),
        _said=("_said", "、".join),
        _who=("region", set),
        _latest=("published", "max"),
    )
    pairs = h.query("_kind == 'department' and region == 'zone'").merge(sums, on=key)
    pairs["_missing"] = [
        "、".join(catalog.name(p) for p in catalog.members(end) if p not in who)
        for end, who in zip(pairs.end, pairs._who, strict=True)
    ]
    pairs["_off"], whole = pairs._sum - pairs.value, pairs._missing.eq("")
    rounding = pairs._tol + pairs._rounding + noise(pairs.value)
    group = ["file", "_missing"]
    short = pairs[~whole].sort_values(group, kind="stable")
    short["_n"] = short.groupby(group).obs_id.transform("size")
    short = short.drop_duplicates(group)
    wrong = pairs[whole & pairs._off.abs().gt(rounding)]
    return remarks(catalog, (wrong, "total_mismatch"), (short, "total_unchecked"))


def _ranges(history: DataFrame, catalog: Catalog) -> DataFrame:
    """Each fact that stands or is missing, with what its last 12 figures lead to expect of it."""
    h = history.assign(_none=history.state.ne("current")).sort_values("_none", kind="stable")
    h = h.drop_duplicates([*_FACT, "coverage"])  # the figure that stands, or an empty place
    usable = (
        "measure == 'value' and not value < 0 and basis in ['month', 'ytd', 'eop'] "
        "and indicator != '' and region in @catalog.regions"
    )
    c = h.query(usable).sort_values([*_LINE, "basis", "end", "obs_id"])
    value = c.value.mask(c._none)
    months = (c.end.dt.month - c.start.dt.month + 1).where(c.basis.eq("ytd"), 1)
    half = c._tol.where(c._tol > 0, 0.5)  # what a zero may at most be
    log = np.log(value.clip(lower=half) / months)
    before = past(log.groupby([c[k] for k in [*_LINE, "basis"]]))
    middle = median(before, ENOUGH)
    spread = 1.4826 * median(np.abs(before - middle[:, None]), ENOUGH)
    usual = np.exp(middle) * months
    # of a small figure rounding is no deviation
    reach = DEVIATIONS * np.maximum(
        np.maximum(spread, LEAST), (half / usual).where(value.notna(), 0.0)
    )
    low, high = usual * np.exp(-reach), usual * np.exp(reach)
    return c.assign(
        value=value, _away=log - middle, _reach=reach, _usual=usual, _low=low, _high=high
    )


def _expected(history: DataFrame, ranges: DataFrame, catalog: Catalog) -> DataFrame:
    fact, place = [*_FACT, "coverage"], ["file", "sheet", "cell"]
    out = history.query("published == published.max()")[[*place, "unit", "unit_raw", *fact]]
    out = out.merge(ranges[[*fact, "_low", "_high"]].dropna(subset="_low"), on=fact)
    words = catalog.unit_words.drop_duplicates(["word", "normal"], keep="last")
    words = words.rename(columns={"word": "unit_raw", "normal": "unit"})
    out = out.merge(words, "left", ["unit_raw", "unit"])
    factor = out.numerator / out.denominator
    out = out.assign(
        low=out._low / factor.fillna(1),
        high=out._high / factor.fillna(1),
        unit=out.unit_raw.where(factor.notna(), out.unit),
    )
    return out[[*place, "low", "high", "unit"]].sort_values(place, ignore_index=True)


def _unlike(ranges: DataFrame, catalog: Catalog) -> DataFrame:
    """Figures unlike their own past."""
    c = ranges
    # a cumulative figure is looked at as a rate a month, and only where no month is stated
    stated = c.basis.eq("month") & c.value.notna()
    monthly = stated.groupby([c[k] for k in _LINE]).transform("any")
    far = (c._away.abs() > c._reach) & ~(monthly & c.basis.eq("ytd"))
    jump = 2 * (np.sqrt(c.value) - np.sqrt(c._usual)).abs()  # small counts jump
    # nothing this month is no doubtful amount
    counts, some = trait(c, "count", catalog), c.value.gt(0) | c.basis.eq("eop")
    c = c[far & jump.gt(DEVIATIONS).where(counts, some)]
    power = pd.Series(0.0, index=c.index)
    for factor in FACTORS:
        power = power.mask((c._away.abs() - np.log(factor)).abs() <= ABOUT, factor)
    note = c["flags"].str.extract("note:([^;]+)", expand=False)
    c = c.assign(
        _times=power.map("{:,.0f} 倍".format).where(c._away > 0, power.map("1/{:,.0f}".format)),
        _noted=("(表上注:" + note + ")").fillna(""),
        _periods=HISTORY,
        **{name: c[name].map(_plain) for name in ("_usual", "_low", "_high")},
    )
    return remarks(catalog, (c, power.gt(0).map({True: "unit_suspect", False: "outlier"})))


def _plain(value: float) -> str:
    """Three digits that count, without an exponent."""
    digits = max(0, 2 - int(np.floor(np.log10(value)))) if 0 < value < np.inf else 0
    return f"{value:.{digits}f}"


def _blank(history: DataFrame, catalog: Catalog) -> DataFrame:
    """Figures that stand, but whose place in a later report of the same sender is empty between filled neighbours."""
    o, head = history.query("indicator != ''"), "file sheet sender published".split()
    fact = "region indicator start end basis measure".split()
    columns = o[head], o.cell.str.extract(r"^([A-Z]+)(\d+)$"), o[fact]
    sheets, said = defaultdict(dict), defaultdict(set)
    for at, place, meant in zip(
        *(c.itertuples(index=False, name=None) for c in columns), strict=True
    ):
        sheets[at][place] = meant
        said[at[0]].add(meant)  # also in another table of the report
    holes = [
        (*at, cell, *meant)
        for at, filled in sheets.items()
        for cell, meant in _holes(filled)
        if meant not in said[at[0]]
    ]
    columns = [*head, "cell", *fact]
    holes = DataFrame(holes, columns=columns).astype(o.dtypes[columns])
    standing = o.query("state == 'current'")
    holes = holes.merge(standing, on=["sender", *fact], suffixes=("", "_stands"))
    holes = holes.query("published > published_stands").drop_duplicates(["file", *fact])
    return remarks(catalog, (holes.assign(value_raw=""), "withdrawn.hole"))


def _holes(filled: dict[tuple[str, str], tuple]) -> Iterator[tuple[str, tuple]]:
    """Empty places of a sheet with a filled one in their row, in their column and where those two cross, and what they
    would say: what the three say of it, where that follows."""
    columns, rows = (list(dict.fromkeys(names)) for names in zip(*filled, strict=True))
    along = {r: [c for c in columns if (c, r) in filled] for r in rows}
    down = {c: [r for r in rows if (c, r) in filled] for c in columns}
    for row, column in product(rows, columns):
        if (column, row) in filled:
            continue
        ends = [places[:1] + places[-1:] for places in (along[row], down[column])]
        for c, r in product(*ends):
            if (c, r) in filled:
                three = [*zip(filled[c, row], filled[column, r], filled[c, r], strict=True)]
                if all(z in (x, y) for x, y, z in three):
                    yield f"{column}{row}", tuple(y if x == z else x for x, y, z in three)
                    break
