"""What no single report shows: parks against the department's total, figures unlike their past, cells left blank."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.indicators.conflicts import Consolidated, consolidate
from zcqlib.indicators.holding import HISTORY, median, past
from zcqlib.indicators.problems import joined, noise, problems_of, trait

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
    order = dict(zip(catalog.parks, range(len(catalog.parks)), strict=True))
    own = own.sort_values("region", key=lambda s: s.map(order))
    own["_said"] = own["region"].map(catalog.name) + " " + own["value"].map("{:g}".format)
    sums = own.groupby(key, as_index=False).agg(
        _sum=("value", "sum"),
        _rounding=("_tol", "sum"),
        _said=("_said", "、".join),
        _who=("region", tuple),
        _latest=("published", "max"),
    )
    pairs = h[kind.eq("department") & h["region"].eq("zone")].merge(sums, on=key)
    pairs["_missing"] = [
        "、".join(catalog.name(p) for p in catalog.members(end) if p not in who)
        for end, who in zip(pairs["end"], pairs["_who"], strict=True)
    ]
    pairs["_off"], whole = pairs["_sum"] - pairs["value"], pairs["_missing"] == ""
    rounding = pairs["_tol"] + pairs["_rounding"] + noise(pairs["value"])
    short = pairs[~whole].groupby(["file", "_missing"], as_index=False)
    first = {c: (c, "first") for c in ("sheet", "cell", "value_raw", "sender", "published")}
    return [
        problems_of(
            pairs[whole & (pairs["_off"].abs() > rounding)],
            catalog,
            "total_mismatch",
            "warning",
            "{what}:部门表的合计为 {value:g}{unit},园区自报之和为 {_sum:g}({_said};最晚报于 {_latest}),"
            "相差 {_off:+g};请与园区核对。",
        ),
        problems_of(
            short.agg(_n=("obs_id", "size"), **first),
            catalog,
            "total_unchecked",
            "info",
            "{_missing}没有自报数,这份表中 {_n} 个合计没有与园区自报核对。",
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
    out = last[["file", "sheet", "cell", "unit", "unit_raw", *fact]]
    out = out.merge(ranges[[*fact, "_low", "_high"]].dropna(subset="_low"), on=fact)
    words = catalog.unit_words.set_index(["word", "normal"])
    factor = (words["numerator"] / words["denominator"]).groupby(level=[0, 1]).last()
    factor = factor.reindex(pd.MultiIndex.from_frame(out[["unit_raw", "unit"]])).to_numpy()
    out["unit"] = out["unit_raw"].where(np.isfinite(factor), out["unit"])
    out["low"], out["high"] = (out[end] / np.nan_to_num(factor, nan=1) for end in ("_low", "_high"))
    out = out[["file", "sheet", "cell", "low", "high", "unit"]]
    return out.sort_values(["file", "sheet", "cell"], ignore_index=True)


def _unlike(ranges: pd.DataFrame, catalog: Catalog) -> list[pd.DataFrame]:
    c = ranges[ranges["value"].notna()]
    # a cumulative figure is looked at as a rate a month, and only where no month is stated
    monthly = c["basis"].eq("month").groupby([c[k] for k in _LINE]).transform("any")
    counts = trait(c, "count", catalog).eq(True)
    far = (c["_away"].abs() > DEVIATIONS * c["_scale"]) & ~(monthly & c["basis"].eq("ytd"))
    jump = 2 * (np.sqrt(c["value"]) - np.sqrt(c["_usual"])).abs()  # small counts jump
    # nothing this month is no doubtful amount
    far &= jump.gt(DEVIATIONS).where(counts, c["value"].gt(0) | c["basis"].eq("eop"))
    power = pd.Series(0.0, index=c.index)
    for factor in FACTORS:
        power = power.mask((c["_away"].abs() - np.log(factor)).abs() <= ABOUT, factor)
    note = c["flags"].str.extract("note:([^;]+)", expand=False)
    c = c.assign(
        _times=power.map("{:,.0f} 倍".format).where(c["_away"] > 0, power.map("1/{:,.0f}".format)),
        _noted=("(表上注:" + note + ")").fillna(""),
        **{name: c[name].map(_plain) for name in ("_usual", "_low", "_high")},
    )
    return [
        problems_of(
            c[far & power.ne(0)],
            catalog,
            "unit_suspect",
            "warning",
            "{what}为 {value:g}{unit},约为以往水平 {_usual}{unit} 的 {_times},单位可能填错,请核对;"
            "数字没有改动。{_noted}",
        ),
        problems_of(
            c[far & power.eq(0)],
            catalog,
            "outlier",
            "warning",
            f"{{what}}为 {{value:g}}{{unit}},按此前 {HISTORY} 期应在 {{_low}} 至 {{_high}}{{unit}} 之间,"
            "请核实或说明原因。{_noted}",
        ),
    ]


def _plain(value: float) -> str:
    """Three digits that count, without an exponent."""
    digits = max(0, 2 - int(np.floor(np.log10(value)))) if value > 0 else 0
    return f"{value:.{digits}f}"


# --- cells left blank -----------------------------------------------------------------------------------------------


def _blank(history: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Figures that stand, but whose place in a later report of the same sender is empty between filled neighbours."""
    named = history["indicator"].ne("")
    o = history[named & ~history["flags"].str.contains("restated_base", regex=False)]
    place = o["cell"].str.extract(r"^([A-Z]+)(\d+)$")
    ends = {f"_{end}": o[end].astype("str") for end in ("start", "end")}
    o = o.assign(_column=place[0], _row=place[1], **ends)
    fact = ["region", "indicator", "_start", "_end", "basis", "measure"]
    head = ["file", "sheet", "sender", "published"]
    sheets: dict[tuple, dict] = {}
    for r in o[[*head, "_row", "_column", *fact]].itertuples(index=False, name=None):
        sheets.setdefault(r[:4], {})[r[4:6]] = r[6:]
    holes = [(*at, cell, *meant) for at, filled in sheets.items() for cell, meant in _holes(filled)]
    holes = pd.DataFrame(holes, columns=[*head, "cell", *fact]).astype({"published": "period[M]"})
    standing = o[o["state"].eq("current") & o["value"].notna()]
    beside = ["value", "unit", "indicator_raw", "start", "end", "published"]
    holes = holes.merge(
        standing[["sender", *fact, *beside]], on=["sender", *fact], suffixes=("", "_stands")
    )
    holes = holes[holes["published"] > holes["published_stands"]]
    said = o[["file", "published", *fact]].drop_duplicates()  # in another table of the report
    holes = holes.merge(said, "left", ["file", "published", *fact], indicator="_elsewhere")
    holes = holes[holes["_elsewhere"] == "left_only"].drop_duplicates(["file", *fact])
    return problems_of(
        holes.assign(value_raw=""),
        catalog,
        "withdrawn",
        "warning",
        "{what}以前报过 {value:g}{unit},这次空白;仍用原数,请确认是否撤回。",
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
