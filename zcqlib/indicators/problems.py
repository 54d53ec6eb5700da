"""What is remarked of figures, as PROBLEMS: one Chinese sentence for each row, with the place where it stands."""

from __future__ import annotations

from types import SimpleNamespace

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
    return (
        tables.shape(pd.concat(parts, ignore_index=True), PROBLEMS)
        if parts
        else tables.empty(PROBLEMS)
    )


def problems_of(rows: pd.DataFrame, code: str, severity: str, sentence) -> pd.DataFrame:
    """PROBLEMS of some observations; `sentence` words one row."""
    return pd.DataFrame(
        [
            dict(
                code=code,
                severity=severity,
                file=r.file,
                sheet=r.sheet,
                cell=r.cell,
                raw=r.value_raw,
                message=sentence(r),
                sender=r.sender,
                published=r.published,
            )
            for r in records(rows)
        ]
    )


def span(start: pd.Period, end: pd.Period) -> str:
    """2018年3月, 2018年1—3月, 2017年12月至2018年2月."""
    if start.year != end.year:
        return f"{start.year}年{start.month}月至{end.year}年{end.month}月"
    return f"{end.year}年" + (f"{end.month}月" if start == end else f"{start.month}—{end.month}月")


def records(frame: pd.DataFrame) -> list[SimpleNamespace]:
    """Rows as objects; unlike itertuples this keeps names that begin with an underscore."""
    return [SimpleNamespace(**d) for d in frame.to_dict("records")]
