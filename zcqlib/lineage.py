"""From a printed number back to the cells it came from: the inputs of a value, and the passport of a figure.

A figure's numbers are taken from its text objects before it is saved; each is looked up in the month's tables, first
in the current projections and ranks. What no table holds (a sum, a difference, a count) is kept as derived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.text import Text

from zcqlib import figures, quantity
from zcqlib.briefing import passport
from zcqlib.briefing.passport import NUMBER, Number, Passport, Source
from zcqlib.missing import NoReportsError

if TYPE_CHECKING:
    from zcqlib.month import Month

# table → key columns and the columns that are printed, with the unit where the row has none; the first hit is taken
PLACES = (
    (
        "PROJECTIONS",
        ("region", "indicator", "year", "as_of"),
        {
            "actual": "",
            "median": "",
            "target_low": "",
            "low": "",
            "high": "",
            "needed_per_month": "",
            "probability": "%",
        },
    ),
    (
        "RANKS",
        ("region", "indicator", "period", "measure"),
        {"value": "", "rank": "位", "low": "位", "high": "位"},
    ),
    (
        "TRAIL",
        ("region", "indicator", "year", "as_of"),
        {"probability": "%", "median": "", "actual": ""},
    ),
    ("PLACES", ("region", "indicator", "period", "place"), {"probability": "%"}),
    ("ATTAINMENT", ("region", "indicator", "month"), {"value": "%"}),
    ("TO_DATE", ("region", "indicator", "start", "end"), {"value": ""}),
    ("SERIES", ("region", "indicator", "start", "end", "months", "revision"), {"value": ""}),
    (
        "GROWTH",
        ("region", "indicator", "end", "basis"),
        {"reported": "%", "from_levels": "%", "on_restated_base": "%"},
    ),
    ("PUBLISHED", ("obs_id",), {"value": ""}),
)
TOTAL, ROWS = "合计", "各行"
SCALES = (
    "month",
    "level",
    "year",
    "x",
    "at",
)  # columns of a figure's table that say where, not how much
LARGE = {"亿": 1e4, "万": 1e4}  # 万元 as 亿元, 平方米 as 万平方米 or 万㎡
DATES = re.compile(
    r"(?:19|20)\d\d(?:[—–-]\d{4})?年?|\d{1,2}(?:[—–-]\d{1,2})?月"
    r"|\d+%(?=区间)|[≥<>]\d+%|\d+%?—\d+%(?=\s|$)|\d+个点(?=各)|(?<=代表)\d+%|近?\d+个月(?=均值|从未)"
    r"|\d+%(?=起为|名次区间|抽样误差|误差|至\d+%)|\d+%(?=共\S档)|\d+分(?=为)|第?\d+位(?=的可能|$)"
)


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
                found += held.get((region, part)) or (
                    held.get(("", part), []) if region == "zone" else []
                )
            out[name] = passport.gather(found)
    return out


def _inputs(vintage: Path) -> dict[str, str]:
    return json.loads((vintage / "vintage.json").read_text("utf-8"))["recipe"]["inputs"]


@lru_cache(maxsize=2)
def _received(vintage: Path) -> dict[tuple[str, str], list[Source]]:
    """Cells of observed values by region and indicator, those of all parks together under region ""."""
    inputs = _inputs(vintage)

    @cache
    def sent(
        file: str,
    ) -> tuple[str, str]:  # with the hash of the file, or of the zip that it is in
        path = PurePosixPath("data/raw", file)
        whole = next((p for p in map(str, (path, *path.parents)) if p in inputs), "")
        return str(path), inputs.get(whole, "")

    if not (vintage / "OBSERVATIONS.parquet").exists():  # published data only
        return {}
    o = pd.read_parquet(vintage / "OBSERVATIONS.parquet")
    o = o[o["measure"].isin(["value", "yoy_pct"]) & (o["indicator"] != "")]
    columns = (o[c].tolist() for c in ("region", "indicator", "coverage", "file", "sheet", "cell"))
    out: dict[tuple[str, str], list[Source]] = {}
    for region, i, coverage, file, sheet, cell in zip(*columns, strict=True):
        path, sha = sent(file)
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
            for number, line in enumerate(
                (root / path).read_bytes().decode("utf-8-sig", "replace").splitlines(), 1
            ):
                id = line.partition(",")[0].strip('"')
                out[id] = (*out.get(id, ()), (path, "", f"第{number}行", sha))
    return out


def figure_passport(figure, month: Month, name: str) -> Passport:
    """The passport of a figure: every number that it prints outside its axes, and where the tables hold it."""
    caption, numbers, texts = figure.zcq_caption, {}, printed(figure)
    about, drawn = set(caption.about), _drawn(figure)
    places = list(_places(month, about))
    for text in texts:
        for shown, number in _numbers(text):
            if shown not in numbers:
                cells = [c for c in drawn if c.prints(number)]
                counts = len(text) > len(shown) + 3 and re.fullmatch(
                    r"\d\d?[\u4e00-\u9fff]+", shown
                )  # in a sentence
                cells = [c for c in cells if c.named_in(text)] if counts else cells
                near = [c.near for c in cells] or [f"{text} {caption.subtitle}"]
                held = None
                if _value(number) and (about or not counts):
                    held = _stored(month, places, shown, number, cells, near, about)
                numbers[shown] = held or _derived(month, shown, about, cells)
    return Passport(
        code(month.period, name), caption.title, tuple(numbers.values()), (), tuple(texts)
    )


def found_passport(figure, month: Month, name: str, found) -> Passport:
    """The passport of the figure of a `Found`: the facts that it prints.

    Raises
    ------
    ReconciliationError : a number in its texts that is no fact.
    """
    keys = [k.split("/") for t in figure.findobj(Text) for k in (t.get_gid() or "").split("+")]
    named = [fact for _, *at in (k for k in keys if len(k) == 3) for fact in found.behind(*at)]
    numbers = passport.of_facts(found.facts(all_=True), {*named, *found.said[found.title]})
    fixed = (
        figure.zcq_caption.subtitle,
        *found.rows["label"],
        *map(str, found.rows.get("at", pd.Series()).dropna()),
        *(m.head for m in found.measures.values()),
        *(
            w
            for c, m in found.measures.items()
            if m.words and not m.of
            for w in found.rows[c].dropna()
        ),
        *(n.text.lstrip("+\u2212") for n in numbers),  # 下降0.6 is −0.6
    )
    made = code(month.period, name), found.title, numbers, fixed, tuple(printed(figure))
    return passport.complete(Passport(*made))


class Cell(NamedTuple):
    """A cell of a table that a figure was drawn from: its row's texts, column, value (NaN for a text), a text's numbers."""

    row: str
    column: str
    value: float
    numbers: frozenset[str] = frozenset()

    @property
    def near(self) -> str:
        return f"{self.row} {self.column}"

    def named_in(self, text: str) -> bool:
        """Whether a sentence speaks of its row, or it is about all rows."""
        return self.row in (TOTAL, ROWS) or any(len(w) > 1 and w in text for w in self.row.split())

    def prints(self, number: str) -> bool:
        """Whether it is printed as this number, a share perhaps in per cent."""
        if self.value != self.value:
            return number in self.numbers
        size, half = abs(self.value), 0.5 * 10.0 ** -len(number.partition(".")[2]) + 1e-9
        return any(
            abs(size * k - abs(_value(number))) <= half
            for k in ((1, 100) if 0 < size < 1 else (1,))
        )


def _drawn(figure) -> list[Cell]:
    """What a figure was drawn from, cell by cell, but for the scales that it is drawn on; totals and counts of rows."""
    out = []
    for frame in figure.zcq_data:
        frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
        for row, values in zip(
            frame.index, frame.astype("object").itertuples(index=False), strict=True
        ):
            told = " ".join(map(str, (row, *(v for v in values if isinstance(v, str)))))
            for column, cell in zip(frame.columns, values, strict=True):
                value = float(cell) if isinstance(cell, (int, float, np.number)) else np.nan
                numbers = (
                    frozenset(n for _, n in _numbers(cell))
                    if isinstance(cell, str)
                    else frozenset()
                )
                if column not in SCALES and (numbers or value == value):
                    out.append(Cell(told, str(column), value, numbers))
        numeric = frame.select_dtypes("number")
        out += [Cell(TOTAL, str(c), float(numeric[c].sum())) for c in numeric if c not in SCALES]
        out.append(Cell(ROWS, "行数", float(len(frame))))
    return out


def _places(month: Month, about: set[str]) -> Iterator[tuple]:
    """PLACES with their rows, those of the figure's indicators where it names any."""
    for table, key, columns in PLACES:
        try:
            rows = month.table(table)
        except NoReportsError:  # published data only
            continue
        yield table, key, columns, rows[rows["indicator"].isin(about)] if about else rows


def printed(figure) -> list[str]:
    """The texts of a figure in which numbers are results: neither its axes nor its footer."""
    return [
        t
        for t in figures.texts(figure, axes=False)
        if NUMBER.search(t) and not t.startswith(("来源", "数据截至", "ZCQ-"))
    ]


def code(period: pd.Period, name: str) -> str:
    """The code of a figure: its notebook's number and its own name."""
    first, _, rest = name.partition("_")
    return (
        passport.code(period, "F", int(first), rest)
        if first.isdecimal()
        else passport.code(period, "F", 0, name)
    )


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """Number with the unit that follows, and the number; dates and limits of lights are no results."""
    text = DATES.sub(" ", text)
    for m in NUMBER.finditer(text):
        unit = re.match(r"[%㎡\u4e00-\u9fff]*", text[m.end() :]).group()[:4]
        yield m.group() + unit, m.group()


def _stored(
    month: Month,
    places: Iterable[tuple],
    shown: str,
    number: str,
    cells: list[Cell],
    near: list[str],
    about: set[str],
) -> Number | None:
    """The table's cell that is printed so, if it is that of the place and the indicator that the figure names there, or
    the very value that was drawn; of several the current month's."""
    digits, unit, name = len(number.partition(".")[2]), shown[len(number) :], month.catalog.name
    heard = [(text, about or _named(month, text)) for text in dict.fromkeys(near)]
    parks = {word for p in month.catalog.parks for word in (p, name(p))}

    def meant(region: str, indicator: str, value: float) -> bool:
        if abs(value * 1e4 - round(value * 1e4)) > 1e-6 and any(
            _same(value, c.value) for c in cells
        ):  # no chance hit
            return True
        where, whole = name(region), region in ("zone", "city")
        return any(
            indicator in ids
            and (region in text or where in text or whole and not any(p in text for p in parks))
            for text, ids in heard
        )

    for table, key, columns, rows in places:
        for column, fixed in columns.items():
            at = _match(rows, column, fixed, _value(number), digits, unit)
            regions, indicators, values = (rows[c].array for c in ("region", "indicator", column))
            at = [i for i in at if meant(regions[i], indicators[i], values[i])]
            if "as_of" in rows and column != "probability":  # to the digits that `words` prints
                at = [i for i in at if digits == quantity.row_scale(rows.iloc[i]).digits]
            if len(at):
                when = rows[
                    next((c for c in ("as_of", "end", "period") if c in rows), key[0])
                ].array
                r = rows.iloc[next((i for i in at if str(when[i]) == str(month.period)), at[0])]
                inputs = (
                    f"{'target' if column.startswith('target') else r['region']}/{r['indicator']}"
                )
                inputs = f"published/{r['obs_id']}" if table == "PUBLISHED" else inputs
                return Number(
                    shown,
                    float(r[column]),
                    "表中值四舍五入到所示位数",
                    table,
                    tuple((k, str(r[k])) for k in key),
                    column,
                    (inputs,),
                )
    return None


def _derived(month: Month, shown: str, about: set[str], cells: list[Cell]) -> Number:
    """A sum, difference, share or count, with the cell of the figure's own table that it was printed from, if any."""
    value, formula, near = (
        _value(NUMBER.match(shown).group()),
        "由图中数据推算(合计、差、占比或计数)",
        "",
    )
    name, parks = month.catalog.name, month.catalog.parks
    if cells:
        c = min(cells, key=lambda c: (c.value != c.value, abs(abs(c.value) - abs(value))))
        value, near = c.value if c.value == c.value else value, c.near
        formula = f"图中「{c.row[:40]}」的 {c.column},由数据表推算"
    region = next((p for p in parks if p in near or name(p) in near), "zone")
    about = about or _named(month, near)
    return Number(shown, value, formula, inputs=tuple(f"{region}/{i}" for i in sorted(about)))


def _named(month: Month, text: str) -> set[str]:
    """Indicators that a text names; of names inside one another the longest."""
    found = {i: n for i in month.catalog.indicators if (n := month.catalog.name(i)) in text}
    return {
        i
        for i, n in found.items()
        if not any(n in other and n != other for other in found.values())
    }


def _value(number: str) -> float:
    return float(number.replace(",", "").replace(quantity.MINUS, "-"))


def _same(a: float, b: float) -> bool:
    """One value, perhaps on another scale (万元 as 亿元, a chance in per cent)."""
    return any(abs(a * k - b) <= 1e-9 * abs(b) for k in (1, 1e-4, 100))


def _match(
    rows: pd.DataFrame, column: str, fixed: str, value: float, digits: int, unit: str
) -> Iterable[int]:
    """Places of the rows whose value is printed as this number with this unit."""
    if column == "probability" and digits:
        return ()
    factor, bare = (
        0.01 if column == "probability" else LARGE.get(unit[:1], 1.0),
        unit[1:] if unit[:1] in LARGE else unit,
    )
    with np.errstate(invalid="ignore"):
        scaled = rows[column].to_numpy(float) / factor * 10**digits
        at = np.flatnonzero(np.abs(np.floor(scaled + 0.5) / 10**digits - value) < 1e-9)
    return [i for i in at if not bare or _same_unit(bare, fixed or rows["unit"].array[i])]


def _same_unit(printed: str, unit: str) -> bool:
    """Whether a unit is meant by what follows a number: 件 by 「件目标」, 平方米 by 「㎡」, 万元 by 「元」."""
    return (
        not unit
        or printed.startswith((unit, "㎡", "元"))
        or unit.startswith(printed)
        or unit.endswith(printed[:1])
    )
