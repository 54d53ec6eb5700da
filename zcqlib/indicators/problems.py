"""What is remarked of figures, as PROBLEMS: one Chinese sentence for each row, with the place where it stands."""

from __future__ import annotations

import pandas as pd

from zcqlib import tables
from zcqlib.catalog import Catalog
from zcqlib.tables import PROBLEMS


def trait(rows: pd.DataFrame, name: str, catalog: Catalog) -> pd.Series:
    """What the catalog says of each row's indicator, NaN of one that it does not know."""
    return rows["indicator"].map({i: getattr(x, name) for i, x in catalog.indicators.items()})


def noise(value: pd.Series) -> pd.Series:
    """What floating point may make of a difference."""
    return 1e-9 * value.abs().clip(lower=1e-3)


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """PROBLEMS from several steps in one table."""
    parts = [p for p in parts if len(p)]
    return tables.shape(pd.concat(parts, ignore_index=True) if parts else [], PROBLEMS)


def problems_of(
    rows: pd.DataFrame, catalog: Catalog, code: str, severity: str, sentence: str
) -> pd.DataFrame:
    """PROBLEMS of some observations; `sentence` words one row from its columns and `{what}`: place, indicator, period."""
    return pd.DataFrame(
        [
            dict(
                code=code,
                severity=severity,
                raw=r["value_raw"],
                message=sentence.format(what=_what(r, catalog), **r),
                **{c: r[c] for c in ("file", "sheet", "cell", "sender", "published")},
            )
            for r in rows.to_dict("records")
        ]
    )


def _what(r: dict, catalog: Catalog) -> str:
    """Place, indicator and period of a row as a sentence names them; what the catalog does not know, as written."""
    if "start" not in r:
        return ""
    place = catalog.name(r["region"]) or r["region_raw"]
    return f"{place}的{catalog.name(r['indicator']) or r['indicator_raw']}({span(r['start'], r['end'])})"


def span(start: pd.Period, end: pd.Period) -> str:
    """2018年3月, 2018年1—3月, 2017年12月至2018年2月."""
    if start.year != end.year:
        return f"{start.year}年{start.month}月至{end.year}年{end.month}月"
    return f"{end.year}年" + (f"{end.month}月" if start == end else f"{start.month}—{end.month}月")
