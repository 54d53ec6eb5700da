"""What no single report shows: parks against the department's total, figures unlike their past, cells left blank."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.holding import HISTORY, median, past
from zcqlib.indicators.problems import joined, noise, problems_of, span, trait

FACTORS = (1e8, 1e4, 1e3, 1e2, 1e1)  # what a wrong unit multiplies or divides by
DEVIATIONS, ENOUGH = 6.0, 6  # robust deviations; earlier figures needed at least
LEAST, ABOUT = 0.1, 0.35  # a deviation is never taken for less; how near a power of ten is (logs)
_FACT = ["region", "indicator", "start", "end", "basis", "measure", "demo"]
_LINE = ["region", "indicator", "coverage", "demo"]


def check_plausibility(
    observations: pd.DataFrame | Consolidated, catalog: Catalog, as_of: pd.Period | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Report figures that only look doubtful beside other reports; none of them is changed.

    Parameters
    ----------
    observations : OBSERVATIONS of any number of reports, or what `consolidate` made of them.
    as_of : report month; later reports are not looked at.
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
    known = consolidate(observations, catalog, as_of)
    ranges = _ranges(known, catalog)
    parts = [
        *_across(known.history, catalog),
        *_unlike(ranges, catalog),
        _blank(known.history, catalog),
    ]
    return _expected(known.history, ranges, catalog), joined(parts)


# --- the parks' own reports against the department's table ----------------------------------------------------------


def _across(history: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    h = history[
        history["value"].notna()
        & history["measure"].eq("value")
        & trait(history, "additive", catalog).eq(True)
        & ~history["state"].isin(["conflict", "withdrawn", "held"])
    ]
    h = h.assign(_tol=catalog.tolerance(h)).sort_values(
        ["published", "submission", "decimals", "obs_id"]
    )
    h = h.drop_duplicates([*_FACT, "sender"], keep="last")
    senders = catalog.senders.set_index("id")
    kind, home = h["sender"].map(senders["kind"]), h["sender"].map(senders["region"])
    own = h[kind.eq("park") & h["region"].eq(home) & h["region"].isin(catalog.parks)]
    key = [c for c in _FACT if c != "region"]
    if own.empty:
        return []
    own = own.sort_values(
        "region", key=lambda s: s.map({p: i for i, p in enumerate(catalog.parks)})
    )
    own["_said"] = own["region"].map(catalog.name) + " " + own["value"].map("{:g}".format)
    sums = own.groupby(key, as_index=False).agg(
        _sum=("value", "sum"),
        _rounding=("_tol", "sum"),
        _said=("_said", "、".join),
        _who=("region", tuple),
        _latest=("published", "max"),
    )
    pairs = h[kind.eq("department") & h["region"].eq("zone")].merge(sums, on=key)
    if pairs.empty:
        return []
    missing = [
        "、".join(catalog.name(p) for p in catalog.members(end) if p not in who)
        for end, who in zip(pairs["end"], pairs["_who"], strict=True)
    ]
    pairs = pairs.assign(_missing=missing)
    whole = pairs[pairs["_missing"] == ""]
    difference = (whole["value"] - whole["_sum"]).abs()
    wrong = whole[difference > whole["_tol"] + whole["_rounding"] + noise(whole["value"])]
    short = pairs[pairs["_missing"] != ""].groupby(["file", "_missing"], as_index=False)
    short = short.agg(
        _n=("obs_id", "size"),
        **{c: (c, "first") for c in ("sheet", "cell", "value_raw", "sender", "published")},
    )
    return [
        problems_of(
            wrong,
            "total_mismatch",
            "warning",
            lambda r: (
                f"{catalog.name(r.indicator)}({span(r.start, r.end)}):部门表的合计为 {r.value:g}{r.unit},"
                f"园区自报之和为 {r._sum:g}({r._said};最晚报于 {r._latest}),相差 {r._sum - r.value:+g};请与园区核对。"
            ),
        ),
        problems_of(
            short,
            "total_unchecked",
            "info",
            lambda r: f"{r._missing}没有自报数,这份表中 {r._n} 个合计没有与园区自报核对。",
        ),
    ]


# --- figures unlike their own past ----------------------------------------------------------------------------------


def _ranges(known: Consolidated, catalog: Catalog) -> pd.DataFrame:
    """Each fact that stands or is missing, with what its last 12 figures lead to expect of it."""
    h = known.history.assign(_none=known.history["state"].ne("current")).sort_values(
        "_none", kind="stable"
    )
    h = h.drop_duplicates([*_FACT, "coverage"])  # the figure that stands, or an empty place
    c = h[h["measure"].eq("value") & ~h["value"].lt(0) & h["region"].isin(list(catalog.regions))]
    c = c[c["indicator"].ne("") & c["basis"].isin(["month", "ytd", "eop"])]
    c = c.assign(value=c["value"].where(~c["_none"]), _rounding=catalog.tolerance(c))
    c = c.sort_values([*_LINE, "basis", "end", "obs_id"])
    c["_months"] = (c["end"].dt.month - c["start"].dt.month + 1).where(c["basis"].eq("ytd"), 1)
    c["_half"] = c["_rounding"].where(c["_rounding"] > 0, 0.5)  # what a zero may at most be
    c["_log"] = np.log(c["value"].clip(lower=c["_half"]) / c["_months"])
    lines = c.groupby([*_LINE, "basis"])["_log"]
    before = past(lines)
    middle = median(before, ENOUGH)
    spread = 1.4826 * median(np.abs(before - middle[:, None]), ENOUGH)
    usual = np.exp(middle) * c["_months"]
    rounding = (c["_half"] / usual).where(
        c["value"].notna(), 0.0
    )  # of a small figure is no deviation
    scale = np.maximum(spread, np.maximum(LEAST, rounding))
    low, high = usual * np.exp(-DEVIATIONS * scale), usual * np.exp(DEVIATIONS * scale)
    return c.assign(_away=c["_log"] - middle, _scale=scale, _usual=usual, _low=low, _high=high)


def _expected(history: pd.DataFrame, ranges: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    last = history[history["published"].eq(history["published"].max())]
    fact = [*_FACT, "coverage"]
    out = last[["file", "sheet", "cell", "unit", "unit_raw", *fact]].merge(
        ranges[[*fact, "_low", "_high"]], on=fact
    )
    out = out[out["_low"].notna()].sort_values(["file", "sheet", "cell"], ignore_index=True)
    factors = {
        (w.word, w.normal): w.numerator / w.denominator for w in catalog.unit_words.itertuples()
    }
    factor = pd.Series(
        [factors.get(p) for p in zip(out["unit_raw"], out["unit"], strict=True)], dtype="float64"
    )
    own = out["unit_raw"].where(factor.notna(), out["unit"])
    out = out.assign(
        low=out["_low"] / factor.fillna(1), high=out["_high"] / factor.fillna(1), unit=own
    )
    return out[["file", "sheet", "cell", "low", "high", "unit"]]


def _unlike(ranges: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    c = ranges[ranges["value"].notna()]
    # a cumulative figure is looked at as a rate a month, and only where no month is stated
    monthly = c["basis"].eq("month").groupby([c[k] for k in _LINE]).transform("any")
    counts = trait(c, "count", catalog).eq(True)
    far = (c["_away"].abs() > DEVIATIONS * c["_scale"]) & ~(monthly & c["basis"].eq("ytd"))
    far &= ~counts | (2 * (np.sqrt(c["value"]) - np.sqrt(c["_usual"]))).abs().gt(
        DEVIATIONS
    )  # small counts jump
    far &= (
        counts | c["value"].gt(0) | c["basis"].eq("eop")
    )  # nothing this month is no doubtful amount
    power = pd.Series(0.0, index=c.index)
    for factor in FACTORS:
        power = power.mask((c["_away"].abs() - np.log(factor)).abs() <= ABOUT, factor)
    c = c.assign(_times=power.where(c["_away"] > 0, -power))

    def what(r) -> str:
        return f"{catalog.name(r.region)}的{catalog.name(r.indicator)}({span(r.start, r.end)})为 {r.value:g}{r.unit},"

    def times(r) -> str:
        return f"{r._times:,.0f} 倍" if r._times > 0 else f"1/{-r._times:,.0f}"

    return [
        problems_of(
            c[far & c["_times"].ne(0)],
            "unit_suspect",
            "warning",
            lambda r: (
                f"{what(r)}约为以往水平 {_plain(r._usual)}{r.unit} 的 {times(r)},单位可能填错,请核对;数字没有改动。"
                f"{_noted(r)}"
            ),
        ),
        problems_of(
            c[far & c["_times"].eq(0)],
            "outlier",
            "warning",
            lambda r: (
                f"{what(r)}按此前 {HISTORY} 期应在 {_plain(r._low)} 至 {_plain(r._high)}{r.unit} 之间,"
                f"请核实或说明原因。{_noted(r)}"
            ),
        ),
    ]


def _plain(value: float) -> str:
    """Three digits that count, without an exponent."""
    digits = max(0, 2 - int(np.floor(np.log10(value)))) if value > 0 else 0
    return f"{value:.{digits}f}"


def _noted(r) -> str:
    note = re.search(r"note:([^;]+)", r.flags)
    return f"(表上注:{note[1]})" if note else ""


# --- cells left blank -----------------------------------------------------------------------------------------------


def _blank(history: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Figures that stand, but whose place in a later report of the same sender is empty between filled neighbours."""
    o = history[
        ~history["flags"].str.contains("restated_base", regex=False) & history["indicator"].ne("")
    ]
    place = o["cell"].str.extract(r"^([A-Z]+)(\d+)$")
    o = o.assign(
        _column=place[0],
        _row=place[1],
        _start=o["start"].astype("str"),
        _end=o["end"].astype("str"),
    )
    fact = ["region", "indicator", "_start", "_end", "basis", "measure"]
    sheets: dict[tuple, dict] = {}
    for r in o[["file", "sheet", "sender", "published", "_row", "_column", *fact]].itertuples(
        index=False, name=None
    ):
        sheets.setdefault(r[:4], {})[r[4:6]] = r[6:]
    holes = [
        (*head, cell, *meant) for head, filled in sheets.items() for cell, meant in _holes(filled)
    ]
    if not holes:
        return pd.DataFrame()
    holes = pd.DataFrame(holes, columns=["file", "sheet", "sender", "published", "cell", *fact])
    standing = o[o["state"].eq("current") & o["value"].notna()]
    standing = standing[
        ["sender", *fact, "value", "unit", "indicator_raw", "start", "end", "published"]
    ]
    holes = holes.merge(standing, on=["sender", *fact], suffixes=("", "_stands"))
    holes = holes[holes["published"] > holes["published_stands"]]
    said = (
        o[["file", "published", *fact]].drop_duplicates().assign(_elsewhere=True)
    )  # in another table of the report
    holes = holes.merge(said, on=["file", "published", *fact], how="left")
    return problems_of(
        holes[holes["_elsewhere"].isna()].drop_duplicates(["file", *fact]).assign(value_raw=""),
        "withdrawn",
        "warning",
        lambda r: (
            f"{catalog.name(r.region)}的{catalog.name(r.indicator)}({span(r.start, r.end)})以前报过 "
            f"{r.value:g}{r.unit},这次空白;仍用原数,请确认是否撤回。"
        ),
    )


def _holes(filled: dict[tuple[str, str], tuple]) -> Iterator[tuple[str, tuple]]:
    """Empty places of a sheet with a filled one in their row, in their column and where those two cross, and what they
    would say."""
    rows, columns = (list(dict.fromkeys(at[i] for at in filled)) for i in (0, 1))
    along = {r: [c for c in columns if (r, c) in filled] for r in rows}
    down = {c: [r for r in rows if (r, c) in filled] for c in columns}
    for row, column in product(rows, columns):
        if (row, column) not in filled:
            for c, r in product(_ends(along[row]), _ends(down[column])):
                if meant := _implied(filled[row, c], filled[r, column], filled.get((r, c))):
                    yield f"{column}{row}", meant
                    break


def _ends(places: list[str]) -> list[str]:
    return list(dict.fromkeys((places[0], places[-1])))


def _implied(beside: tuple, above: tuple, corner: tuple | None) -> tuple | None:
    """What a place says whose row, column and their crossing say these; None where it does not follow from them."""
    if corner is None:
        return None
    three = list(zip(beside, above, corner, strict=True))
    if any(z not in (x, y) for x, y, z in three):
        return None
    return tuple(y if x == z else x for x, y, z in three)
