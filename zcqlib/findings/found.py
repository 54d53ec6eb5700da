"""What a finding is: a checked table of floats, its title and sentences, and the facts in it; who owns which measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from unicodedata import category

import pandas as pd
from pandas.api.types import is_list_like

from zcqlib import analysis, quantity, tables
from zcqlib.catalog import Catalog
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

FACTS = tables.VINTAGE["FACTS"]
NAN = float("nan")
ABOUT = ("label", "indicator", "region", "basis", "inputs", "scale")  # columns that are no measure
# nor are these: the place on an axis, the period where it is not the finding's
PLACED = ("at", "period")
KEY = ["column", "indicator", "region", "basis", "period", "known"]  # what two facts may be both of
# names of a list before it is cut; so many that tie are named, more are counted
LISTED, NAMED = 6, 3
FIELD = re.compile(r"\{(?:([^{}:]*)\.)?([^{}:.]*):?([^{}]*)\}")  # row, column, how
_FIELD = r"\{[^{}]*\}"
CLAUSE = re.compile(rf"\[((?:[^][{{}}/]|{_FIELD})*)(?:/((?:[^][{{}}]|{_FIELD})*))?\]")
MEASURE = re.compile(
    r"^\s*(\w+) ?([^\s:]*) ?([^:\n]*?)(?: : (.*))?$", re.M
)  # name, scale, columns, head
NUMERALS = "〇一二三四五六七八九十多"

OWNER: dict[str, str] = {}  # measure → the function that may give it
MAKERS: dict[str, Callable[[Given], Found]] = {}


class FindingError(tables.ZcqError):
    """A finding that breaks a rule; names the finding and the key."""


class TwoHomes(FindingError):
    """A second finding claims a measure."""


class Chance(Scale):
    """How a chance is printed, of 1 or of the 100 that `factor` says: 73%, <1%."""

    def round(self, value: float, mode: str = "") -> float:
        return value

    def text(self, printed: float, unit: bool = True) -> str:
        return quantity.chance_number(printed / self.factor)


class Change(Scale):
    """How a change is printed: with its sign."""

    def text(self, printed, unit: bool = True) -> str:
        if not printed:
            return "0" + self.unit * unit
        return ("+" if printed > 0 else "") + Scale.text(self, printed, unit)


def _points(scale: Scale, value: float) -> Scale:
    """A distance between shares is in points."""
    return replace(scale, unit="个百分点") if scale.unit == "%" else scale


def _signed(scale: Scale, value: float) -> Scale:
    return Change("", scale.factor, scale.digits)


SCALES = {"chance": Chance("%"), "whole_chance": Chance("%", 100), "": None, "text": None}
SCALES |= {"usual": quantity.usual_scale, "signed": _signed, "points": _points}


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of a finding: `head` in Chinese; `scale` (or how it follows from the row's and the value), else that of the row; `aim`, the column or value that it is
    drawn against. A column of words is printed as it stands and is no fact; `of` names the facts of its row in it."""

    head: str
    scale: Scale | Callable[[Scale, float], Scale] | None = None
    aim: str | float = NAN
    of: tuple[str, ...] = ()
    words: bool = False


def scale_of(text: str) -> Scale | Callable[[Scale, float], Scale] | None:
    """A name in SCALES, or a unit with decimals and divisor, + before that of a change: 件, %.1, +个百分点.2, 亿元/10000."""
    if text in SCALES:
        return SCALES[text]
    sign, unit, digits, factor = re.fullmatch(r"(\+?)([^.\d/]*)\.?(\d*)/?(\d*)", text).groups()
    return (Change if sign else Scale)(unit, int(factor or 1), int(digits or 0))


def measures(text: str) -> dict[str, Measure]:
    """Read `name [scale [aim]] : head` lines, `name text [columns that the words speak of] : head` for words; without
    a scale that of the row."""
    out = {}
    for name, scale, of, head in MEASURE.findall(text):
        words = scale == "text"
        own = dict(of=tuple(of.split())) if words else dict(aim=float(of) if of == "1.0" else of)
        out[name] = Measure(head or name, scale_of(scale), words=words, **own if of else {})
    return out


def lay(rows: pd.DataFrame, measures: Mapping[str, Measure]) -> pd.DataFrame:
    """Rows, indexed by their ids, with all columns of a finding: numbers as floats, no text missing."""
    t = pd.DataFrame(rows).rename_axis(None)
    t = t.reindex(columns=[*ABOUT, *measures, *(c for c in PLACED if c in t)])
    text = [*ABOUT[:-1], *(c for c, m in measures.items() if m.words)]
    t[text] = t[text].astype(object).fillna("")
    return t.astype(dict.fromkeys(set(measures).difference(text), float))


def names(labels: Iterable[str], most: int = LISTED) -> str:
    """Names with 、, a long list cut."""
    all_ = list(labels)
    return "、".join(all_[:most]) + "等" * (len(all_) > most)


def inputs(region: str, *indicators: str, table: str = "SERIES") -> str:
    """The rows of a table, or of several joined with a space, that a figure rests on."""
    return ";".join(f"{t}/{region}.{i}" for t in table.split() for i in indicators)


def sum_up(t: pd.DataFrame, row: str, label: str, parts=None, **counts: float) -> None:
    """Add a summary row to the rows of a finding: what it counts, resting on all rows, on `parts`, or on what that says."""
    parts = parts if isinstance(parts, str) else ";".join((t if parts is None else parts)["inputs"])
    flags = list(t.columns[t.dtypes.eq(bool)])
    t[flags] = t[flags].astype(object)  # a summary has none
    t.loc[row, ["label", "inputs", *counts]] = label, parts, *counts.values()


def printed(values: pd.Series, digits: int) -> pd.Series:
    """Values as they stand on paper."""
    return values.map(lambda v: float(Scale("", digits=digits).round(v)), "ignore")


def real(t: pd.DataFrame, source: str) -> tuple[str, dict]:
    """The years of published figures in words, and their source, date and mark."""
    first, last = int(t["at"].min()), int(t["at"].max())
    when = pd.Period(f"{last}-12", "M")
    return f"{first}—{last}年", dict(source=f"{source}，经公开数据整理", demo=False, period=when)


def ties(values: pd.Series, digits: int, least: bool = False) -> pd.Index:
    """The rows that print like the highest, or the least."""
    told = printed(values.dropna(), digits)
    return told.index[told.eq(told.min() if least else told.max())]


def top(t: pd.DataFrame, column: str, digits: int, least: bool = False) -> tuple[str, pd.DataFrame]:
    """Who has the highest (or least) value as printed: all labels up to three that tie, else how many, and their rows."""
    rows = t.loc[ties(t[column], digits, least)]
    n = len(rows)
    many = f"并列的{NUMERALS[min(n, 11)]}个园区"
    return "、".join(rows.label) if n <= NAMED else many, rows


def add_up(t: pd.DataFrame, column: str, digits: int) -> pd.Series:
    """A column whose parts add up to the row `all` as printed (largest remainder)."""
    parts = t[column].drop("all")
    told = quantity.printed_parts(parts, digits, t.at["all", column])
    out = pd.Series([float(v) for v in told], parts.index)
    out["all"] = float(sum(told))
    return out.reindex(t.index)


def quarter(period: pd.Period) -> tuple[str, str]:
    """The year so far up to the last full quarter, and the same months a year before, as spans: before, after."""
    q, y = period.month - period.month % 3 or 12, period.year - (period.month < 3)
    return f"{y - 1}-01/{y - 1}-{q:02d}", f"{y}-01/{y}-{q:02d}"


def up_to(month: int) -> str:
    """The months of a year up to one, in words: 1月, 1—9月."""
    return f"1—{month}月" if month > 1 else "1月"


def so_far(span: str) -> str:
    """2018-01/2018-09 in words: 2018年1—9月."""
    return f"{span[:4]}年{up_to(int(span[-2:]))}"


@dataclass(frozen=True, slots=True)
class Given:
    """What findings are made from. `period` is the report month, `known` the last whose reports were known; `made`
    holds those made already, `read` the tables that each of them, or anything yet, was made from."""

    tables: Callable[[str], pd.DataFrame]
    catalog: Catalog
    period: pd.Period
    known: pd.Period
    made: dict = field(default_factory=dict, compare=False, repr=False)
    read: dict[tuple, set[str]] = field(default_factory=dict, compare=False, repr=False)
    _making: list[set[str]] = field(default_factory=lambda: [set()], compare=False, repr=False)

    def table(self, name: str, **where: object) -> pd.DataFrame:
        """A table, or its rows up to the report month `where` columns hold a value or one of several."""
        self._making[-1].add(name)
        t = self.tables(name)
        for column, values in where.items():
            t = t[t[column].isin(values if is_list_like(values) else [values])]
        return t[t.end.le(self.period)] if where and "end" in t else t

    @property
    def year(self) -> int:
        return self.period.year

    @property
    def place(self) -> str:
        """The zone without the city's other parts, in Chinese."""
        return self.catalog.zone.parts_zh

    def name(self, id: str) -> str:
        """The Chinese name of an indicator or region."""
        return self.catalog.name(id)

    def whole(self, region: str) -> str:
        """The name of a region, of the zone as the sum that it is."""
        return f"{self.place}合计" if region == "zone" else self.name(region)

    def role(self, role: str) -> str:
        """The indicator that plays a role."""
        return self.catalog.role(role)

    @property
    def names(self) -> dict[str, str]:
        """Chinese names of the parks and, last, of the zone."""
        return {r: self.name(r) for r in self.catalog.parks} | {"zone": self.place}

    def aims(self, indicator: str, regions) -> pd.Series:
        """The targets of some regions."""
        t = self.table("TARGETS", id=indicator).drop_duplicates("region", keep="last")
        return t.set_index("region")["target_low"].reindex(regions)

    def to_date(self, indicator: str, end: pd.Period) -> pd.Series:
        """What each region had done in the year by a month."""
        return self.table("TO_DATE", indicator=indicator, end=end).set_index("region")["value"]

    def totals(self, regions, indicator: str, span: str) -> pd.Series:
        """What each region did in a span, the zone what all of today's parks did."""
        s, parks = self.table("SERIES"), list(self.catalog.parks)
        of = {r: parks if r == "zone" else r for r in regions}
        done = {r: analysis.total(s, who, indicator, span) for r, who in of.items()}
        return pd.Series(done, dtype=float)

    def published(self, indicator: str) -> pd.DataFrame:
        """Published yearly figures as rows `region|year`: `at` the year, `value`; of two sources the first named."""
        o = self.table("PUBLISHED")
        o = o.query("measure == 'value' and basis == 'year' and indicator == @indicator")
        t = o[["region", "indicator", "value"]].assign(label=o.region, period=o.end)
        t = t.assign(at=o.end.dt.year, inputs="PUBLISHED/" + o.obs_id.astype(str))
        t = t.dropna(subset="value").drop_duplicates(["region", "at"])
        return t.set_axis(t.region + "|" + t["at"].astype(str))

    def by_region(self, indicator: str, *of: str, table: str = "SERIES") -> pd.DataFrame:
        """The rows of the parks and, last, the zone: label, indicator, region, and what they rest on."""
        t = pd.Series(self.names, name="label").to_frame().assign(indicator=indicator)
        of = [inputs(r, *(of or [indicator]), table=table) for r in t.index]
        return t.assign(region=t.index, inputs=of)

    def with_whole(self, t: pd.DataFrame, indicator: str, *of: str) -> pd.DataFrame:
        """Rows by park and of `all` together, as rows that are named."""
        t = t.join(self.by_region(indicator, *of))
        sum_up(t, "all", "合计", t.drop("all"), indicator=indicator, region="zone")
        return t

    def left_out(self, t: pd.DataFrame, told: str) -> str:
        """A sentence on the parks that have no row, if there are any."""
        out = [self.name(p) for p in self.catalog.parks if p not in t.index]
        return told.format("、".join(out)) * bool(out)

    def once(self, place: tuple, make: Callable[[], object]) -> object:
        """What is made at a place, the first time that it is asked for."""
        if place not in self.made:
            with self.reading() as self.read[place]:
                self.made[place] = make()
        self._making[-1].update(self.read[place])
        return self.made[place]

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """The tables that what is asked for meanwhile was made from, also where it was made before."""
        self._making.append(set())
        try:
            yield self._making[-1]
        finally:
            self._making.pop()

    def source(self, *indicators: str) -> str:
        """Who reported these indicators, or any; from the observations, never typed."""
        came, named, of = self.table("OBSERVATIONS"), self.catalog.indicators, set(indicators)
        for i in map(named.get, of.intersection(named)):
            of.update(filter(None, (i.growth_of, i.numerator, i.denominator)))
        came = came[came.indicator.isin(of)] if of else came
        senders = self.catalog.senders[self.catalog.senders.id.isin(came.sender)]
        own, told = senders.id.isin(self.catalog.parks), senders.name_zh
        parks, others = list(told[own] + "月报"), list(told[~own])
        parks = [f"{len(parks)}个园区月报"] if len(parks) > 1 else parks
        others = [f"{len(others)}个部门月报"] if len(others) > 3 else others
        return "、".join(parks + others) or "公开统计资料"

    def reckoned(self, *indicators: str, source: str = "") -> str:
        """The same, or another source, and who reckoned from it."""
        return f"{source or self.source(*indicators)}，{self.catalog.zone.office_zh}测算"

    def until(self, *found: Found) -> str:
        """The last month that figures of the findings' indicators, or of all, hold, as 2018年9月; the report month
        where there is none."""
        try:
            s = self.table("SERIES")
        except MissingData:  # what is published only
            s = tables.empty(tables.SERIES)
        ids = {i for f in found for i in f.rows["indicator"]}
        ends = s.loc[s.indicator.isin(ids) if ids else s.region.ne(""), "end"]
        last = ends[ends.le(self.period)].max()
        last = self.period if last is pd.NaT else last
        return f"{last.year}年{last.month}月"


@dataclass(frozen=True, slots=True)
class Found:
    """One finding. `rows` is indexed by row id, has ABOUT (label and inputs at least) and one column a measure.

    `title` (cut at a clause where it is long) and `sentences` (of none the title) are given as templates and hold the text, `said` the facts in each. `home` names the finding
    of each column that belongs to another one, whose facts keep its name. Raises FindingError: no source, a fact
    without inputs, columns and measures that differ, a template that types a digit or names what is not there.
    """

    name: str
    rows: pd.DataFrame
    measures: Mapping[str, Measure]
    source: str
    scope: str
    period: pd.Period
    known: pd.Period
    demo: bool
    title: str = ""
    sentences: Iterable[str] | None = None
    home: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False  # what it rests on has not come; its only sentence says so
    chosen: tuple = ()  # choices other than the run's
    said: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)
    _facts: dict = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self):
        if not self.source.strip():
            raise FindingError(f"{self.name} 没有来源,不能印出。")
        facts = self.rows[self._own].notna()
        bare = facts[facts.any(axis=1) & self.rows.inputs.fillna("").eq("")]
        if len(bare):
            first = bare.iloc[0]
            raise FindingError(
                f"{self.name}/{first.name}/{first.idxmax()} 没有写依据哪些表行(inputs)。"
            )
        sentences = (self.title,) if self.sentences is None else self.sentences
        full = self.say(self.title)
        clauses = re.split("(?=[，；])", full)
        versions = ("".join(clauses[:k]) for k in range(len(clauses), 0, -1))
        object.__setattr__(self, "title", quantity.fit_title(*versions))
        self.said.setdefault(self.title, self.said[full])
        object.__setattr__(self, "sentences", tuple(filter(None, map(self.say, sentences))))

    def copy(self) -> Found:
        """One whose rows may be changed without changing this one's."""
        other = copy(self)
        object.__setattr__(other, "rows", self.rows.copy())
        return other

    @property
    def numbers(self) -> list[str]:
        """The columns that are no words."""
        return [c for c, m in self.measures.items() if not m.words]

    @property
    def _own(self) -> list[str]:
        """The columns of numbers that this finding is the home of."""
        return [c for c in self.numbers if c not in self.home]

    def key(self, row: str, column: str) -> str:
        """The name of a fact: finding/row/column."""
        return f"{self.home.get(column, self.name)}/{row}/{column}"

    def behind(self, row: str, column: str) -> list[str]:
        """The facts that stand in a cell: its own, or those that its words speak of."""
        of = self.measures[column].of if column in self.measures else ()
        there = self.rows.loc[row, list(of)].dropna().index if of else [column]
        return [self.key(row, c) for c in there]

    @property
    def things(self) -> pd.DataFrame:
        """The rows without summaries.

        Raises
        ------
        MissingData : what the finding rests on has not come.
        """
        if self.missing:
            raise MissingData(self.sentences[0])
        return self.rows[self.rows.indicator.fillna("").ne("")]

    @property
    def bare(self) -> bool:
        """Whether of all its numbers only aims are known, which are no picture by themselves."""
        aims = {m.aim for m in self.measures.values()}
        rows = self.things if len(self.things) else self.rows
        return bool(rows[[c for c in self.numbers if c not in aims]].isna().all(axis=None))

    @property
    def paragraph(self) -> str:
        """The sentences as a notebook shows them."""
        return quantity.block(self.sentences, self.demo)

    def shown(self, row: str, column: str) -> str:
        """A fact as every output prints it, 「—」 where there is none."""
        value = self.rows.at[row, column]
        if isinstance(value, str):
            return value or quantity.NONE
        if value != value:
            return quantity.NONE
        scale = self.measures[column].scale or self.rows.at[row, "scale"]
        scale = scale if isinstance(scale, Scale) else scale(self.rows.at[row, "scale"], value)
        return scale.text(scale.round(value))

    def say(self, text: str) -> str:
        """A template filled: {row.column} a number as printed, {row.column:size} without its sign, {row.label} a name,
        {row.column:增/减/平} a word by its sign; [a clause/another] is left out, or the other one stands for it, where a
        fact in it is missing or none, or no fact is left in it.

        Raises
        ------
        FindingError : a digit outside braces, a fact that is not there or has no value.
        """
        while CLAUSE.search(text):
            text = CLAUSE.sub(self._clause, text, 1)
        if typed := [c for c in FIELD.sub("", text) if category(c)[0] == "N"]:
            raise FindingError(
                f"{self.name} 的句子「{text}」手写了数字「{typed[0]}」,数字只能写作 {{行.列}}。"
            )
        keys = []

        def filled(field: re.Match) -> str:
            row, column, how = field.groups("")
            known = row in self.rows.index and column in (*self.measures, "label")
            printed = self.shown(row, column) if known else quantity.NONE
            if printed == quantity.NONE:
                place = f"{self.name}/{row}/{column}"
                raise FindingError(f"{place} 没有值,不能写进句子「{text}」。")
            if "/" in how:
                value = self.rows.at[row, column]
                return (*how.split("/"), "")[2 - 2 * (value > 0) - (value < 0)]
            keys.extend(self.behind(row, column))
            return quantity.PROSE.get(printed, printed).lstrip("+\u2212" if how else "")

        said = FIELD.sub(filled, text)
        self.said[said] = tuple(keys)
        return said

    def _clause(self, found: re.Match) -> str:
        """A clause, or the other one."""
        values = [self.rows[c].get(row, "") for row, c, _ in FIELD.findall(found[1])]
        kept = values and all(v == v and v not in (0, "", quantity.NONE) for v in values)
        return found[1] if kept else found[2] or ""

    def facts(self, all_: bool = False) -> pd.DataFrame:
        """FACTS: one row a cell that has a value, of the own columns or of `all_`, each under the name of its home."""
        if all_ in self._facts:
            return self._facts[all_]
        rows = self.rows.rename_axis("row").reset_index()
        about = [c for c in rows if c in ("row", *ABOUT, *PLACED)]
        t = rows.melt(about, self.numbers if all_ else self._own, "column", "value")
        t = t.dropna(subset="value")
        t["printed"] = [self.shown(*at) for at in zip(t.row, t.column, strict=True)]
        t["value"] = t.value.map("{:.9g}".format).astype(float)  # the same on every processor
        t["finding"] = [self.home.get(c, self.name) for c in t.column]
        own = t.get("period", [NAN] * len(t))
        t["period"] = [p if p == p else self.period for p in own]
        self._facts[all_] = tables.shape(t.assign(known=self.known, demo=self.demo), FACTS)
        return self._facts[all_]

    def table(
        self, *columns: str, rows: Iterable[str] | None = None, head: str = "指标"
    ) -> pd.DataFrame:
        """The things, or some rows, as a reader sees them: Chinese heads, numbers as printed; `head` "" leaves out labels.

        Raises
        ------
        FindingError : two columns of one head. MissingData : what the finding rests on has not come.
        """
        things = self.things.index
        rows = list(things if rows is None else rows)
        cells = {head: [self.shown(r, "label") for r in rows]} if head else {}
        cells |= {self.measures[c].head: [self.shown(r, c) for r in rows] for c in columns}
        if len(cells) < len(columns) + bool(head):
            raise FindingError(f"{self.name} 的表有两列同名:{'、'.join(cells)}。")
        return pd.DataFrame(cells)


@dataclass(frozen=True, slots=True)
class Told:
    """What a function in findings/ gives: `finding` makes a Found of it.

    `scope` names place and period. Source and demo mark are those of the reports on the indicators `of`, or of all
    reports, or those of `base`, the finding whose columns are shown beside the own ones; `about` overrides them. `demo`
    is the table whose rows say whether they are made up.
    """

    rows: pd.DataFrame
    scope: str
    title: str
    sentences: Iterable[str] | None = None
    of: tuple[str, ...] = ()
    base: Found | None = None
    demo: str = "OBSERVATIONS"
    about: Mapping = field(default_factory=dict)

    def found(self, given: Given, name: str, own: Mapping[str, Measure], chosen: tuple) -> Found:
        """The finding of this name with measures of its own."""
        base, about = self.base, dict(period=given.period, measures=own) | self.about
        if base:
            about = dict(demo=base.demo) | about
            about["measures"] = {**base.measures, **about["measures"]}
            about["home"] = dict.fromkeys(base.measures, base.name) | base.home
        if "demo" not in about:
            seen = given.table(self.demo)
            seen = seen.query("indicator in @self.of") if self.of else seen
            about["demo"] = bool(seen.demo.any())
        if "source" not in about:
            about["source"] = given.reckoned(*self.of)
        about |= dict(scope=self.scope, title=self.title, sentences=self.sentences)
        rows = lay(self.rows, about["measures"])
        return Found(name, rows, known=given.known, chosen=chosen, **about)


def finding(text: str = "") -> Callable:
    """Make a function the home of the measures that `text` describes, and known by its name; what it has `told`
    becomes a Found.

    Raises
    ------
    TwoHomes : a measure has another home, at import.
    """
    own = measures(text)

    def keep(make: Callable[..., Told]) -> Callable[..., Found]:
        name, usual = make.__name__, signature(make).parameters
        home = f"{make.__module__}.{name}"
        for m in own:
            if OWNER.get(m, home) != home:
                raise TwoHomes(f"度量 {m} 已由 {OWNER[m]} 给出,{home} 不能再给。")
        OWNER.update(dict.fromkeys(own, home))

        @wraps(make)
        def made(given: Given, **choices) -> Found:
            chosen = tuple((k, v) for k, v in choices.items() if usual[k].default != v)

            def new() -> Found:
                try:
                    told = make(given, **choices)
                except MissingData as e:  # one sentence stands for it
                    row = pd.DataFrame(dict(label=str(e)), ["now"])
                    about = dict(source=quantity.NONE, demo=False, missing=True)
                    told = Told(row, "", "{now.label}", about=about)
                return told.found(given, name, own, chosen)

            return given.once((name, *chosen), new)

        made.measures = own
        MAKERS[name] = made
        return made

    return keep


def find(name: str, given: Given, **choices) -> Found:
    """Make one finding, perhaps with other choices than the run's.

    Raises
    ------
    FindingError : no such finding; names the nearest.
    """
    if name not in MAKERS:
        near = get_close_matches(name, MAKERS, 3, 0.3) or sorted(MAKERS)
        raise FindingError(f"没有叫「{name}」的结论。相近的有:{'、'.join(near)}。")
    return MAKERS[name](given, **choices)


def every(given: Given) -> list[Found]:
    """All findings."""
    return [make(given) for make in MAKERS.values()]


def listed(found: Iterable[Found]) -> pd.DataFrame:
    """FINDINGS: what each says."""
    same = "title scope source missing demo".split()
    rows = [
        dict(finding=f.name, sentences="\n".join(f.sentences)) | {c: getattr(f, c) for c in same}
        for f in found
    ]
    return tables.shape(rows, tables.VINTAGE["FINDINGS"])


def collect(found: Iterable[Found]) -> pd.DataFrame:
    """FACTS of all findings.

    Raises
    ------
    FindingError : one key has two values or two printed forms; names both places.
    """
    t = pd.concat([tables.empty(FACTS), *(f.facts() for f in found)], ignore_index=True)
    forms = t.query("indicator != ''").drop_duplicates([*KEY, "value", "printed"])
    twice = forms[forms.duplicated(KEY, keep=False)]
    if len(twice):
        same = twice.merge(twice[:1][KEY]).head(2)
        a, b = (f"{r.finding}/{r.row}/{r.column} 印作「{r.printed}」" for r in same.itertuples())
        raise FindingError(f"{a},而 {b}:同一个数有两种写法。")
    return t
