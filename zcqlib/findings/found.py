"""What a finding is: a checked table of floats, its title and sentences, and the facts in it; who owns which measure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from string import Formatter

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
PROSE = {"<1%": "不足1%", ">99%": "99%以上"}  # chances at the ends, in a sentence
KEY = ["column", "indicator", "region", "basis", "period", "known"]  # what two facts may be both of
# names of a list before it is cut; so many that tie are named, more are counted
LISTED, NAMED = 6, 3
FIELD = r"\{[^{}]*\}"
CLAUSE = re.compile(rf"\[((?:[^][{{}}/]|{FIELD})*)(?:/((?:[^][{{}}]|{FIELD})*))?\]")

OWNER: dict[str, str] = {}  # measure → the function that may give it
MAKERS: dict[str, Callable[[Given], Found]] = {}


class FindingError(tables.ZcqError):
    """A finding that breaks a rule; names the finding and the key."""


class TwoHomes(FindingError):
    """A second finding claims a measure."""


class Chance(Scale):
    """How a chance of 0 to 1 is printed: 73%, <1%."""

    def round(self, value: float, mode: str = "") -> float:
        return value

    def text(self, printed: float, unit: bool = True) -> str:
        return quantity.chance_number(printed)


class Whole(Scale):
    """A chance in whole per cent as it was printed: 0 stands for <1%, 100 for >99%."""

    def text(self, printed, unit: bool = True) -> str:
        return {0: "<1%", 100: ">99%"}.get(int(printed), f"{printed}%")


class Change(Scale):
    """How a change is printed: with its sign."""

    def text(self, printed, unit: bool = True) -> str:
        if not printed:
            return "0" + self.unit * unit
        return ("+" if printed > 0 else "") + Scale.text(self, printed, unit)


def _signed(scale: Scale, value: float) -> Scale:
    return Change("", scale.factor, scale.digits)


SCALES = {"chance": Chance("%"), "whole_chance": Whole("%"), "-": None, "text": None}
SCALES |= {"usual": quantity.usual_scale, "signed": _signed}


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
    for line in filter(None, map(str.strip, text.splitlines())):
        about, _, head = line.partition(" : ")
        name, *rest = about.split()
        scale, *of = rest or ["-"]
        words, head = scale == "text", head or name
        if of and not words:
            out[name] = Measure(head, scale_of(scale), 1.0 if of[0] == "1.0" else of[0])
        else:
            out[name] = Measure(head, scale_of(scale), of=tuple(of), words=words)
    return out


def lay(rows: pd.DataFrame, measures: Mapping[str, Measure]) -> pd.DataFrame:
    """Rows, indexed by their ids, with all columns of a finding: numbers as floats, no text missing."""
    rows = pd.DataFrame(rows)
    t = rows.reindex(columns=[*ABOUT, *measures, *(c for c in PLACED if c in rows)])
    text = [*ABOUT[:-1], *(c for c, m in measures.items() if m.words)]
    t[text] = t[text].astype(object).where(t[text].notna(), "")
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


def counted(t: pd.DataFrame, row: str, between: str = "，", **words: str) -> str:
    """What a row counts in words, {all.kept}完成，{all.overdue}逾期; what counts nothing is left out."""
    has = t.loc[row, list(words)].gt(0)
    return between.join(f"{{{row}.{c}}}{w}" for c, w in words.items() if has[c])


def printed(values: pd.Series, digits: int) -> pd.Series:
    """Values as they stand on paper."""
    return values.map(lambda v: float(Scale("", digits=digits).round(v)), "ignore")


def real(t: pd.DataFrame, source: str) -> tuple[str, dict]:
    """The years of published figures in words, and their source, date and mark."""
    first, last = int(t["at"].min()), int(t["at"].max())
    when = pd.Period(f"{last}-12", "M")
    return f"{first}—{last}年", dict(source=f"{source}，经公开数据整理", demo=False, period=when)


def top(t: pd.DataFrame, column: str, digits: int, least: bool = False) -> tuple[str, pd.DataFrame]:
    """Who has the highest (or least) value as printed: all labels up to three that tie, else how many, and their rows."""
    told = printed(t[column].dropna(), digits)
    rows = t.loc[told.index[told.eq(told.min() if least else told.max())]]
    n = len(rows)
    many = f"并列的{'零一二三四五六七八九十'[n] if n <= 10 else '十多'}个园区"
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


def so_far(span: str) -> str:
    """2018-01/2018-09 in words: 2018年1—9月."""
    return f"{span[:4]}年1—{int(span[-2:])}月"


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

    def role(self, role: str) -> str:
        """The indicator that plays a role."""
        return self.catalog.role(role)

    @property
    def names(self) -> dict[str, str]:
        """Chinese names of the parks and, last, of the zone."""
        return {r: self.name(r) for r in self.catalog.parks} | {"zone": self.place}

    def row_of(self, table: str, indicator: str, region: str = "zone") -> Mapping:
        """The last row of TARGETS or PROJECTIONS, {} without one."""
        of = {"id" if table == "TARGETS" else "indicator": indicator}
        t = self.table(table, region=region, **of)
        return t.iloc[-1].to_dict() if len(t) else {}

    def aims(self, indicator: str, regions) -> pd.Series:
        """The targets of some regions."""
        low = {r: self.row_of("TARGETS", indicator, r).get("target_low", NAN) for r in regions}
        return pd.Series(low, dtype=float)

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
        region = o.region.where(o.region.ne(""), o.region_raw)
        t = pd.DataFrame(dict(label=region, region=region, at=o.end.dt.year, value=o.value))
        t = t.assign(indicator=indicator, inputs="PUBLISHED/" + o.obs_id.astype(str))
        t = t.dropna(subset="value").drop_duplicates(["region", "at"])
        t["period"] = pd.PeriodIndex([f"{y}-12" for y in t["at"]], freq="M")
        return t.set_axis(t.region + "|" + t["at"].astype(str))

    def by_region(self, indicator: str, *of: str, table: str = "SERIES") -> pd.DataFrame:
        """The rows of the parks and, last, the zone: label, indicator, region, and what they rest on."""
        named = self.names
        t = pd.DataFrame(dict(label=named, region={r: r for r in named}, indicator=indicator))
        return t.assign(inputs=[inputs(r, *(of or [indicator]), table=table) for r in named])

    def with_whole(self, t: pd.DataFrame, indicator: str, *of: str) -> pd.DataFrame:
        """What `analysis` gives of parks and of `all`, as rows that are named."""
        t = t.assign(label=t.region.map(self.names), indicator=indicator)
        t = t.set_axis(t.region.array)
        t["inputs"] = [inputs(r, *of) for r in t.index]
        sum_up(t, "all", "合计", t.drop("all"), region="zone")
        return t

    def left_out(self, t: pd.DataFrame) -> str:
        """The parks that have no row."""
        return "、".join(self.name(p) for p in self.catalog.parks if p not in t.index)

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
        senders, pairs = self.catalog.senders, ["indicator", "sender"]
        make = lambda: self.table("OBSERVATIONS")[pairs].drop_duplicates()  # noqa: E731
        seen = self.once(("senders",), make)
        known = [self.catalog.indicators[i] for i in indicators if i in self.catalog.indicators]
        of = {*indicators, *(p for i in known for p in (i.growth_of, i.numerator, i.denominator))}
        came = seen[seen.indicator.isin(of - {""})] if indicators else seen
        senders = senders[senders.id.isin(came.sender)]
        own = senders.id.isin(self.catalog.parks)
        parks, others = (list(senders.loc[which, "name_zh"]) for which in (own, ~own))
        parts = [f"{len(parks)}个园区月报"] if len(parks) > 1 else [f"{n}月报" for n in parks]
        parts += [f"{len(others)}个部门月报"] if len(others) > 3 else others
        return "、".join(parts) or "公开统计资料"

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

    `title` (or its versions, the fullest first) and `sentences` are given as templates and hold the text, `said` the facts in each. `home` names the finding
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
    title: str | tuple[str, ...] = ""
    sentences: tuple[str, ...] = ()
    home: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False  # what it rests on has not come; its only sentence says so
    said: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)
    chosen: tuple = field(init=False, default=())  # choices other than the run's
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
        versions = [self.title] if isinstance(self.title, str) else self.title
        told = [self.say(v) for v in versions]
        object.__setattr__(self, "title", quantity.fit_title(*told))
        self.said.setdefault(self.title, self.said[told[-1]])
        told = tuple(filter(None, map(self.say, self.sentences)))
        object.__setattr__(self, "sentences", told)

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
    def paragraph(self) -> str:
        """The sentences as a notebook shows them."""
        return quantity.block(self.sentences or [self.title], self.demo)

    def shown(self, row: str, column: str) -> str:
        """A fact as every output prints it, 「—」 where there is none."""
        value = self.rows.at[row, column]
        if value != value or isinstance(value, str):
            return value if isinstance(value, str) and value else quantity.NONE
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
        while clause := CLAUSE.search(text):
            fields = [place for _, place, *_ in Formatter().parse(clause[1]) if place]
            kept = clause[1] if fields and all(map(self._holds, fields)) else clause[2] or ""
            text = text[: clause.start()] + kept + text[clause.end() :]
        out, keys = "", []
        for words, place, form, _ in Formatter().parse(text):
            if typed := [c for c in words if unicodedata.category(c).startswith("N")]:
                raise FindingError(
                    f"{self.name} 的句子「{text}」手写了数字「{typed[0]}」,数字只能写作 {{行.列}}。"
                )
            out += words
            if place is not None and "/" in form:
                value = self.rows.at[*self._at(place)]
                out += [*form.split("/"), ""][0 if value > 0 else 1 if value < 0 else 2]
            elif place is not None:
                out += self._filled(place, text).lstrip("+\u2212" if form else "")
                keys += self.behind(*self._at(place))
        self.said[out] = tuple(keys)
        return out

    @staticmethod
    def _at(place: str) -> tuple[str, str]:
        row, _, column = place.rpartition(".")
        return row, column

    def _holds(self, place: str) -> bool:
        """Whether a fact is there and not none."""
        row, column = self._at(place)
        value = self.rows[column].get(row, NAN)
        return value == value and value not in (0, "", quantity.NONE)

    def _filled(self, place: str, text: str) -> str:
        row, column = self._at(place)
        if row not in self.rows.index or column not in (*self.measures, "label"):
            raise FindingError(f"{self.name}/{row}/{column} 没有这个数(句子「{text}」)。")
        printed = self.rows.at[row, "label"] if column == "label" else self.shown(row, column)
        if printed in ("", quantity.NONE) or printed != printed:
            raise FindingError(f"{self.name}/{row}/{column} 没有值,不能写进句子「{text}」。")
        return PROSE.get(printed, printed)

    def facts(self, all_: bool = False) -> pd.DataFrame:
        """FACTS: one row a cell that has a value, of the own columns or of `all_`, each under the name of its home."""
        if all_ not in self._facts:
            self._facts[all_] = self._melted(self.numbers if all_ else self._own)
        return self._facts[all_]

    def _melted(self, numbers: list[str]) -> pd.DataFrame:
        rows = self.rows.rename_axis("row").reset_index()
        about = [c for c in rows if c in ("row", *ABOUT, *PLACED)]
        t = rows.melt(about, numbers, "column", "value").dropna(subset="value")
        t["printed"] = [self.shown(*at) for at in zip(t.row, t.column, strict=True)]
        t["value"] = t.value.map("{:.9g}".format).astype(float)  # the same on every processor
        t["finding"] = t.column.map(lambda c: self.home.get(c, self.name))
        own = t.period if "period" in t else pd.Series(pd.NaT, t.index)
        period = [p if p == p else self.period for p in own]
        same = dict(period=period, known=self.known, demo=self.demo)
        return tables.shape(t.assign(**same), FACTS)

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
        names = [head] * bool(head) + [self.measures[c].head for c in columns]
        if len(set(names)) < len(names):
            raise FindingError(f"{self.name} 的表有两列同名:{'、'.join(names)}。")
        labels = [list(self.rows.loc[rows, "label"])] * bool(head)
        cells = [*labels, *([self.shown(r, c) for r in rows] for c in columns)]
        return pd.DataFrame(dict(zip(names, cells, strict=True)))


@dataclass(frozen=True, slots=True)
class Told:
    """What a function in findings/ gives: `finding` makes a Found of it.

    `scope` names place and period. Source and demo mark are those of the reports on the indicators `of`, or of all
    reports, or those of `base`, the finding whose columns are shown beside the own ones; `about` overrides them. `demo`
    is the table whose rows say whether they are made up.
    """

    rows: pd.DataFrame
    scope: str
    title: str | tuple[str, ...]
    sentences: Iterable[str] = ()
    of: tuple[str, ...] = ()
    base: Found | None = None
    demo: str = "OBSERVATIONS"
    about: Mapping = field(default_factory=dict)

    def found(self, given: Given, name: str, own: Mapping[str, Measure]) -> Found:
        """The finding of this name with measures of its own."""
        base, about = self.base, dict(period=given.period, known=given.known, measures=own)
        about |= self.about
        if "demo" not in about and base:
            about["demo"] = base.demo
        elif "demo" not in about:
            seen = given.table(self.demo)
            seen = seen.query("indicator in @self.of") if self.of else seen
            about["demo"] = bool(seen.demo.any())
        if "source" not in about:
            about["source"] = given.reckoned(*self.of)
        shown, home = (base.measures, base.home) if base else ({}, {})
        home = {c: home.get(c, base.name) for c in shown}
        own = about["measures"] = {**shown, **about["measures"]}
        about |= dict(scope=self.scope, title=self.title, sentences=tuple(self.sentences))
        return Found(name, lay(self.rows, own), home=home, **about)


def finding(text: str = "") -> Callable:
    """Make a function the home of the measures that `text` describes, and known by its name; what it has `told`
    becomes a Found.

    Raises
    ------
    TwoHomes : a measure has another home, at import.
    """
    own = measures(text)

    def keep(make: Callable[..., Told]) -> Callable[..., Found]:
        home, usual = f"{make.__module__}.{make.__name__}", signature(make).parameters
        for m in own:
            if OWNER.get(m, home) != home:
                raise TwoHomes(f"度量 {m} 已由 {OWNER[m]} 给出,{home} 不能再给。")
        OWNER.update(dict.fromkeys(own, home))

        @wraps(make)
        def made(given: Given, **choices) -> Found:
            other = tuple((k, v) for k, v in choices.items() if usual[k].default != v)

            def checked() -> Found:
                try:
                    told = make(given, **choices)
                except MissingData as e:
                    about = dict(source=quantity.NONE, demo=False, missing=True)
                    row, said = pd.DataFrame(dict(label=str(e)), ["now"]), "{now.label}"
                    told = Told(row, "", said, [said], about=about)
                found = told.found(given, make.__name__, own)
                object.__setattr__(found, "chosen", other)
                return found

            return given.once((make.__name__, *other), checked)

        made.measures = own
        MAKERS[make.__name__] = made
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
