"""The table shapes that the stages hand to each other, one check for all, and the errors.

A text cell without content is "" (never NaN), a missing number is NaN, a missing month is NaT.
Months are `Period[M]` in memory and `YYYY-MM` in CSV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow
from pandas.api.extensions import ExtensionArray
from pandas.api.types import pandas_dtype

if TYPE_CHECKING:
    import pandera.pandas as pa


class ZcqError(Exception):
    """Base of everything that is wrong with data or a request, with a Chinese sentence for the analyst."""


class TableError(ZcqError):
    """A table that does not have the shape it must have."""


BASES = ("month", "ytd", "quarter", "year", "eop", "range")
MEASURES = ("value", "yoy_pct", "mom_pct", "index", "share_pct", "target", "completion_pct", "rank")
KINDS = ("flow", "stock", "ratio", "growth", "coverage", "milestone", "recurring")
COMPARATORS = ("ge", "gt", "eq", "between", "done")
SEVERITIES = ("error", "warning", "info")
OUTCOMES = ("observation", "label", "context", "problem")
COVERAGES = ("", "zone_part", "district", "city")

_DTYPES = {
    "text": "str",
    "number": "float64",
    "whole": "int64",
    "flag": "bool",
    "month": "period[M]",
}
_TYPES = {kind: pandas_dtype(name) for kind, name in _DTYPES.items()}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` is text, number, whole, flag or month; `needed` forbids empty cells."""

    name: str
    kind: str
    meaning: str
    needed: bool = False
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table shape. `key` names the columns that identify a row."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]


def _columns(text: str) -> tuple[Column, ...]:
    """Read `name kind[!] [a|b|c] : meaning` lines; `!` marks a column that must be filled."""
    out = []
    for line in filter(str.strip, text.splitlines()):
        head, meaning = line.strip().split(" : ", 1)
        name, kind, *rest = head.split()
        allowed = tuple("" if w == "-" else w for w in rest[0].split("|")) if rest else ()
        out.append(Column(name, kind.rstrip("!"), meaning, kind.endswith("!"), allowed))
    return tuple(out)


_WHERE = """
    file text : name of the file, without folder
    sheet text : sheet name, empty for text files
    cell text : A1 address; for text files by row and field
"""

OBSERVATIONS = Table(
    "OBSERVATIONS",
    _columns(f"""
    obs_id text! : hash of file content, sheet and cell (and place, where one cell holds several)
    region text : id in the catalog, empty where unknown
    region_raw text : as written
    coverage text {"|".join(c or "-" for c in COVERAGES)} : which part of the region is meant
    indicator text : id in the catalog, empty where unknown
    indicator_raw text : header path joined with /
    start month! : first month covered
    end month! : last month covered
    basis text! {"|".join(BASES)} : what span the figure covers
    measure text! {"|".join(MEASURES)} : what kind of figure it is
    value number : in the normal unit, NaN where missing
    unit text : normal unit
    value_raw text : as written
    unit_raw text : as written
    decimals whole : decimals shown in the source
    missing_reason text : not_reported, not_applicable, below_unit, future; empty where there is a value
    is_total flag : a total row, left out of sums
    flags text : words joined with ;, of which `held` = not used until confirmed
    {_WHERE}
    sender text : id of the sender
    published month : report month
    submission whole : which submission of that month, from 1
    demo flag : made up
"""),
    ("obs_id",),
)

PROBLEMS = Table(
    "PROBLEMS",
    _columns(f"""
    code text! : short English word, see report-formats
    severity text! {"|".join(SEVERITIES)} : error = the figure is not in the table
    {_WHERE}
    raw text : what was found
    message text! : one Chinese sentence, what is wrong and what to do
    sender text : id of the sender
    published month : report month
"""),
)

CELLS = Table(
    "CELLS",
    _columns(f"""
    {_WHERE}
    outcome text! {"|".join(OUTCOMES)} : what became of the cell
"""),
    ("file", "sheet", "cell"),
)

SERIES = Table(
    "SERIES",
    _columns("""
    region text! : id
    indicator text! : id
    start month! : first month covered
    end month! : last month covered
    months whole! : number of months covered: 2 where February includes January; 0 for a level on a date
    revision flag : what the months do not explain of the cumulative figure that start, end and months name
    value number! : in `unit`
    unit text! : normal unit
    published month! : report month of the winning figure
    inputs text : obs_id of each observation that the value was made from, joined with ;
    demo flag : made up
"""),
    ("region", "indicator", "start", "end", "months", "revision"),
)

TARGETS = Table(
    "TARGETS",
    _columns(f"""
    id text! : target id, also the indicator's id
    name_zh text! : Chinese name
    name_en text : English name
    group text! : 1 to 10, or work
    kind text! {"|".join(KINDS)} : what kind of promise
    unit text! : unit of the target
    comparator text! {"|".join(COMPARATORS)} : ge, gt, eq, between, done
    target_low number! : the target
    target_high number : upper end for between
    commitment text! firm|aspiration : 力争 is aspiration
    wording text : the plan's own word
    scope text! : zone, city, each_park, park:<id>
    responsible text : units joined with ;
    responsible_basis text! printed|inferred|none : where the unit is named
    relation text -|restates|part_of|stage_of|overlaps : link to another row
    related_id text : the other row
    seed_section text : section of the plan
    note text : how the row was read
    year whole! : plan year
    region text! : zone, city or a park
    in_force_from month! : first month in which the target holds
    demo flag : made up (park split)
"""),
    ("id", "year", "region", "in_force_from"),
)

MILESTONES = Table(
    "MILESTONES",
    _columns("""
    id text! : target id
    region text! : region id
    item text : which of several (a named institute, a park), empty where there is one
    stage text! : stage id
    stage_no whole! : order of the stage, from 1
    stage_zh text! : stage in Chinese
    date month : reached in, empty where not yet
    evidence text : document that shows it
    expected month : promised for
    demo flag : made up
"""),
    ("id", "region", "item", "stage"),
)

ANSWERS = Table(
    "ANSWERS",
    _columns("""
    id text! : target id
    stage text : stage or state that was chosen, several joined with 、
    date text : YYYY-MM-DD as written
    evidence text : document that shows it
    reply text : what the unit says
    file text : name of the file, without folder
    sheet text : sheet name
    cell text : A1 address of the row's id
    sender text : id of the sender
    published month! : report month with which it came
    submission whole : which submission of that month, from 1
    demo flag : made up
"""),
    ("id", "file", "published"),
)

PROJECTIONS = Table(
    "PROJECTIONS",
    _columns(f"""
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known
    kind text! {"|".join(KINDS)} : what kind of promise
    unit text! : unit of all values
    actual number : year to date, or level on the date
    target_low number : the target
    target_high number : upper end for between
    comparator text! {"|".join(COMPARATORS)} : ge, gt, eq, between, done
    median number : projected year-end value
    low number : lower end of the interval
    high number : upper end of the interval
    level number : coverage of the interval, .8
    probability number : chance that the target is met, 0 to 1; NaN where no chance is given
    needed_per_month number : still needed in each remaining month
    verdict text! : one word of the verdict scale
    method text! : how it was projected
    demo flag : rests on made-up data
"""),
    ("region", "indicator", "year", "as_of"),
)

QUANTILES = Table(
    "QUANTILES",
    _columns("""
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known
    level number! : 0 to 1
    value number! : in the indicator's unit
"""),
    ("region", "indicator", "year", "as_of", "level"),
)

WHY = Table(
    "WHY",
    _columns("""
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known; the change is that since the month before
    part text! new|restated|target|method : what was replaced
    actual number : its effect on the year to date, or on the level
    target_low number : its effect on the target
    median number : its effect on the projected year-end value
    probability number : its effect on the chance, in shares of 1
    unit text : unit of the values
    demo flag : rests on made-up data
"""),
    ("region", "indicator", "year", "as_of", "part"),
)

FINDINGS = Table(
    "FINDINGS",
    _columns("""
    region text! : id or a published region's name
    indicator text! : id
    period text! : YYYY, YYYY-MM or a span
    measure text! : what was computed
    value number : in `unit`
    unit text : unit
    demo flag : rests on made-up data
"""),
    ("region", "indicator", "period", "measure"),
)

RANKS = Table(
    "RANKS",
    _columns("""
    region text! : park id
    indicator text! : group or composite that is ranked
    period text! : month, quarter, half-year or year
    measure text! : score
    value number : score
    unit text : 分
    rank number : 1 is best, NaN where not ranked
    low number : best place in the 90 % interval
    high number : worst place in the 90 % interval
    tied_with text : park ids joined with ;
    demo flag : rests on made-up data
"""),
    ("region", "indicator", "period", "measure"),
)

RETURN_SHEET, RETURN_TITLE = (
    "回复表",
    "核对退回单",
)  # by these a return sheet that comes back is known
REPLIES = Table(
    "REPLIES",
    _columns("""
    file text : 文件
    sheet text : 工作表
    cell text : 单元格
    raw text : 所报
    message text : 问题
    reply text! : 单位回复
    sender text : id of the sender
    published month : report month in which the reply came
"""),
)

LINEAGE = Table(
    "LINEAGE",
    _columns("""
    output_id text! : id of a result row
    input_id text! : id of a row it rests on, down to obs_id
"""),
    ("output_id", "input_id"),
)

ALL = (
    OBSERVATIONS,
    PROBLEMS,
    CELLS,
    SERIES,
    TARGETS,
    MILESTONES,
    ANSWERS,
    PROJECTIONS,
    QUANTILES,
    WHY,
    FINDINGS,
    RANKS,
    LINEAGE,
    REPLIES,
)


@cache
def _empty(table: Table) -> pd.DataFrame:
    return of_columns({}, table)


def empty(table: Table) -> pd.DataFrame:
    """A frame of this shape without rows."""
    return _empty(table).copy()


def of_columns(columns: dict[str, Sequence], table: Table, **same: object) -> pd.DataFrame:
    """A frame from whole columns that are of their types already, and from values that are the `same` in every row."""
    rows = len(next(iter(columns.values()), ()))
    return pd.DataFrame(
        {
            c.name: _array([same[c.name]], c).repeat(rows)
            if c.name in same
            else _array(columns.get(c.name, ()), c)
            for c in table.columns
        },
        copy=False,
    )


def _array(values: Sequence, column: Column) -> np.ndarray | ExtensionArray:
    dtype = _TYPES[column.kind]
    if column.kind == "text":
        values = pyarrow.array(
            values, pyarrow.large_string()
        )  # pandas would look at each value by itself
    return np.array(values, dtype) if isinstance(dtype, np.dtype) else pd.array(values, dtype)


def shape(rows: list[dict] | pd.DataFrame, table: Table) -> pd.DataFrame:
    """Bring rows into a table's columns, order and types; what is absent is empty, other columns go.

    Raises
    ------
    TableError : a value cannot be read as its column's type; names the column.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    if frame.empty:
        return empty(table)
    out = {}
    for c in table.columns:
        source = frame[c.name] if c.name in frame else pd.Series(_blank(c), index=frame.index)
        try:
            out[c.name] = _typed(source, c)
        except (TypeError, ValueError) as e:
            raise TableError(f"{table.name} 表 {c.name} 列({c.meaning})有不能识别的值:{e}") from e
    return pd.DataFrame(out).reset_index(drop=True)


def _blank(c: Column):
    return {"text": "", "number": float("nan"), "whole": 0, "flag": False, "month": pd.NaT}[c.kind]


def _typed(s: pd.Series, c: Column) -> pd.Series:
    if c.kind == "month":
        if isinstance(s.dtype, pd.PeriodDtype):
            return s if s.dtype == _DTYPES["month"] else s.dt.asfreq("M")
        return pd.Series(
            pd.PeriodIndex(
                [
                    pd.NaT
                    if v is None or v is pd.NaT or v != v or v == ""
                    else pd.Period(v, freq="M")
                    for v in s
                ],
                freq="M",
            ),
            index=s.index,
        )
    if c.kind == "text":
        return (
            s
            if isinstance(s.dtype, pd.StringDtype) and not s.hasnans
            else s.fillna("").astype("str")
        )
    return s if s.dtype == _DTYPES[c.kind] else s.astype(_DTYPES[c.kind])


@cache
def _schema(table: Table) -> pa.DataFrameSchema:
    import pandera.pandas as pa  # 0.6 s, and only needed at the door

    def column(c: Column) -> pa.Column:
        checks = [pa.Check.isin(list(c.allowed))] if c.allowed else []
        if c.needed and c.kind == "text":
            checks.append(pa.Check(lambda s: s != "", element_wise=False, error="filled"))
        return pa.Column(_DTYPES[c.kind], checks, nullable=not (c.needed and c.kind != "text"))

    return pa.DataFrameSchema(
        {c.name: column(c) for c in table.columns},
        strict=True,
        unique=list(table.key) or None,
        name=table.name,
    )


def covering(series: pd.DataFrame) -> pd.DataFrame:
    """SERIES whose revisions cover no month (`months` 0): values add up to the year to date, `months` to those known."""
    return series.assign(months=series["months"].where(~series["revision"], 0))


def check(frame: pd.DataFrame, table: Table, where: str = "") -> pd.DataFrame:
    """Return the frame unchanged if it has the table's shape.

    Raises
    ------
    TableError : names the table, column, row, what was found and what was expected; up to five faults.
    """
    import pandera.errors as pe

    try:
        _schema(table).validate(frame, lazy=True)
    except pe.SchemaErrors as e:
        faults = e.failure_cases.head(5)
        lines = [
            f"{r.column or '、'.join(table.key)} 列"
            + ("" if pd.isna(r["index"]) else f"第 {int(r['index']) + 1} 行")
            + f":找到「{r.failure_case}」,应满足 {r.check}"
            for _, r in faults.iterrows()
        ]
        raise TableError(f"{where or '数据'}不符合 {table.name} 表的规定:" + ";".join(lines)) from e
    return frame
