"""From a printed number back to the cells it came from: the inputs of a value, and the passport of a figure.

A figure's numbers are taken from its text objects before it is saved; each is looked up in the month's tables, first
in the current projections and ranks. What no table holds (a sum, a difference, a count) is kept as derived.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zcqlib import figures
from zcqlib.briefing import passport, words
from zcqlib.briefing.passport import NUMBER, Number, Passport, Source
from zcqlib.missing import NoReportsError

if TYPE_CHECKING:
    from zcqlib.month import Month

# table → key columns and the columns that are printed, with the unit where the row has none; the first hit is taken
PLACES = (("PROJECTIONS", ("region", "indicator", "year", "as_of"),
           {"actual": "", "median": "", "target_low": "", "low": "", "high": "", "needed_per_month": "",
            "probability": "%"}),
          ("RANKS", ("region", "indicator", "period", "measure"),
           {"value": "", "rank": "位", "low": "位", "high": "位"}),
          ("TRAIL", ("region", "indicator", "year", "as_of"), {"probability": "%", "median": "", "actual": ""}),
          ("PLACES", ("region", "indicator", "period", "place"), {"probability": "%"}),
          ("ATTAINMENT", ("region", "indicator", "month"), {"value": "%"}),
          ("TO_DATE", ("region", "indicator", "start", "end"), {"value": ""}),
          ("SERIES", ("region", "indicator", "start", "end", "months"), {"value": ""}),
          ("GROWTH", ("region", "indicator", "end", "basis"), {"reported": "%", "from_levels": "%",
                                                               "on_restated_base": "%"}),
          ("PUBLISHED", ("obs_id",), {"value": ""}))
LARGE = {"亿": 1e4, "万": 1e4}  # 万元 as 亿元, 平方米 as 万平方米 or 万㎡
DATES = re.compile(r"(?:19|20)\d\d(?:[—–-]\d{4})?年?|\d{1,2}(?:[—–-]\d{1,2})?月"
                   r"|\d+%(?=区间)|[≥<>]\d+%|\d+%?—\d+%(?=\s|$)")


def cells(month: Month, names: Iterable[str]) -> dict[str, tuple[Source, ...]]:
    """The cells behind each name (`region/indicator`, `target/id` or `published/obs_id`), by name.

    A zone figure that nobody reported is the sum of the parks', so their cells stand for it; a ratio or growth rests on
    the cells of what it is made of.
    """
    out, indicators = {}, month.catalog.indicators
    for name in sorted(set(names)):
        region, _, indicator = name.partition("/")
        if region == "target":
            out[name] = _plan(month.vintage, month.workspace.root).get(indicator, ())
        elif region == "published":
            table = month.table("PUBLISHED")
            rows = table[table["obs_id"] == indicator]
            out[name] = passport.gather((r.file, r.sheet, r.cell, "") for r in rows.itertuples())
        else:
            held, found, i = _received(month.vintage), [], indicators.get(indicator)
            for part in (indicator, *((i.numerator, i.denominator, i.growth_of) if i else ())):
                found += held.get((region, part)) or (held.get(("", part), []) if region == "zone" else [])
            out[name] = passport.gather(found)
    return out


def _inputs(vintage: Path) -> dict[str, str]:
    return json.loads((vintage / "vintage.json").read_text("utf-8"))["recipe"]["inputs"]


@lru_cache(maxsize=2)
def _received(vintage: Path) -> dict[tuple[str, str], list[Source]]:
    """Cells of observed values by region and indicator, those of all parks together under region ""."""
    where = {(found[2], found[1]): (path, sha) for path, sha in _inputs(vintage).items()
             if (found := re.search(r"/(\d{4}-\d{2})/(?:.*/)?([^/]+)$", path))}
    o = pd.read_parquet(vintage / "OBSERVATIONS.parquet")
    o = o[o["measure"].isin(["value", "yoy_pct"]) & (o["indicator"] != "")]
    columns = (o[c].tolist() for c in ("region", "indicator", "coverage", "file", "sheet", "cell"))
    out: dict[tuple[str, str], list[Source]] = {}
    for region, i, coverage, file, sheet, cell, month in zip(*columns, o["published"].astype(str), strict=True):
        path, sha = where.get((file, month), (file, ""))
        out.setdefault((region, i), []).append((path, sheet, cell, sha))
        if region not in ("zone", "city") and coverage in ("", "zone_part"):
            out.setdefault(("", i), []).append((path, sheet, cell, sha))
    return out


@lru_cache(maxsize=2)
def _plan(vintage: Path, root: Path) -> dict[str, tuple[Source, ...]]:
    """The lines of the plan's tables by target."""
    out = {}
    for path, sha in _inputs(vintage).items():
        if re.search(r"/(?:targets|split)_\d{4}\.csv$", path):
            for number, line in enumerate((root / path).read_bytes().decode("utf-8-sig", "replace").splitlines(), 1):
                id = line.partition(",")[0].strip('"')
                out[id] = (*out.get(id, ()), (path, "", f"第{number}行", sha))
    return out


def figure_passport(figure, month: Month, name: str) -> Passport:
    """The passport of a figure: every number that it prints outside its axes, and where the tables hold it."""
    caption, numbers, held = figure.zcq_caption, {}, {}
    about = set(caption.about)
    texts = printed(figure)
    for text in texts:
        for shown, number in _numbers(text):
            if shown not in numbers:
                counts = not about and len(text) > len(shown) + 3 and re.fullmatch(r"\d\d?", number)
                numbers[shown] = _derived(shown, about) if counts else _origin(month, shown, number, about, held)
    return Passport(code(month.period, name), caption.title, tuple(numbers.values()), (), tuple(texts))


def printed(figure) -> list[str]:
    """The texts of a figure in which numbers are results: neither its axes nor its footer."""
    return [t for t in figures.texts(figure, axes=False)
            if NUMBER.search(t) and not t.startswith(("来源", "数据截至", "ZCQ-"))]


def code(period: pd.Period, name: str) -> str:
    """The code of a figure: its notebook's number and its own name."""
    first, _, rest = name.partition("_")
    return passport.code(period, "F", int(first), rest) if first.isdecimal() else passport.code(period, "F", 0, name)


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """Number with the unit that follows, and the number; dates and limits of lights are no results."""
    text = DATES.sub(" ", text)
    for m in NUMBER.finditer(text):
        unit = re.match(r"[%㎡\u4e00-\u9fff]*", text[m.end():]).group()[:4]
        yield m.group() + unit, m.group()


def _origin(month: Month, shown: str, number: str, about: set[str], held: dict[str, pd.DataFrame]) -> Number:
    plain = number.replace(",", "").replace(words.MINUS, "-")
    value, digits, unit = float(plain), len(plain.partition(".")[2]), shown[len(number):]
    for table, key, columns in PLACES:
        if table not in held:
            held[table] = _rows(month, table, about)
        for column, fixed in columns.items() if len(held[table]) else ():
            at = _match(held[table], column, fixed, value, digits, unit)
            if len(at):
                hit = held[table].iloc[at]
                when = next((c for c in ("as_of", "end", "period") if c in hit), key[0])
                now = hit[hit[when].astype(str) == str(month.period)]
                r = (now if len(now) else hit).iloc[0]
                inputs = f"{'target' if column.startswith('target') else r['region']}/{r['indicator']}"
                inputs = f"published/{r['obs_id']}" if table == "PUBLISHED" else inputs
                return Number(shown, float(r[column]), "表中值四舍五入到所示位数", table,
                              tuple((k, str(r[k])) for k in key), column, (inputs,))
    return _derived(shown, about)


def _rows(month: Month, table: str, about: set[str]) -> pd.DataFrame:
    try:
        rows = month.table(table)
    except NoReportsError:  # published data only
        return pd.DataFrame()
    return rows[rows["indicator"].isin(about)] if about else rows


def _derived(shown: str, about: set[str]) -> Number:
    """A sum, difference, share or count: its value as printed, resting on the figure's indicators."""
    value = float(NUMBER.match(shown).group().replace(",", "").replace(words.MINUS, "-"))
    inputs = tuple(f"zone/{i}" for i in sorted(about))
    return Number(shown, value, "由图中数据推算(合计、差、占比或计数)", inputs=inputs)


def _match(rows: pd.DataFrame, column: str, fixed: str, value: float, digits: int, unit: str) -> Sequence[int]:
    """Places of the rows whose value is printed as this number with this unit; of projections, to the digits that
    `words` prints."""
    chance = column == "probability"
    if chance and digits:
        return []
    factor, bare = .01 if chance else LARGE.get(unit[:1], 1.0), unit[1:] if unit[:1] in LARGE else unit
    with np.errstate(invalid="ignore"):
        scaled = rows[column].to_numpy(float) / factor * 10**digits
        at = np.flatnonzero(np.abs(np.floor(scaled + .5) / 10**digits - value) < 1e-9)
    if bare and len(at):
        at = [i for i in at if _same_unit(bare, fixed or rows["unit"].array[i])]
    if "as_of" in rows and not chance:
        at = [i for i in at if digits == words.row_scale(rows.iloc[i]).digits]
    return at


def _same_unit(printed: str, unit: str) -> bool:
    """Whether a unit is meant by what follows a number: 件 by 「件目标」, 平方米 by 「㎡」, 万元 by 「元」."""
    return not unit or printed.startswith((unit, "㎡", "元")) or unit.startswith(printed) or unit.endswith(printed[:1])
