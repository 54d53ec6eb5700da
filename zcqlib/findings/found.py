"""What a finding is: a checked table of floats, its title and sentences, and the facts in it; who owns which measure."""

from __future__ import annotations

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

from zcqlib import quantity, tables
from zcqlib.catalog import Catalog
from zcqlib.quantity import Scale
from zcqlib.tables import MissingData

FACTS = tables.VINTAGE["FACTS"]
ABOUT = ("label", "indicator", "region", "basis", "inputs", "scale")  # columns that are no measure
# nor are these: the place on an axis, the period where it is not the finding's
PLACED = ("at", "period")
PROSE = {"<1%": "不足1%", ">99%": "99%以上"}  # chances at the ends, in a sentence
KEY = ["column", "indicator", "region", "basis", "period", "known"]  # what two facts may be both of

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


class Change(Scale):
    """How a change is printed: with its sign."""

    def text(self, printed, unit: bool = True) -> str:
        if not printed:
            return "0" + self.unit * unit
        return ("+" if printed > 0 else "") + Scale.text(self, printed, unit)


NAN = float("nan")
CHANCE, COUNT = Chance("%"), Scale("项")
PERCENT, WHOLE, TIMES = Scale("%", digits=1), Scale("%"), Scale("倍", digits=2)


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of a finding: `head` in Chinese; `scale` (or how it follows from the row's and the value), else that of the row; `aim`, the column or value that it is
    drawn against. A column of words is printed as it stands and is no fact; `of` names the facts of its row in it."""

    head: str
    scale: Scale | Callable[[Scale, float], Scale] | None = None
    aim: str | float = float("nan")
    of: tuple[str, ...] = ()
    words: bool = False


def words(head: str, *of: str) -> Measure:
    """A column of words, and the facts of its row that they speak of."""
    return Measure(head, of=of, words=True)


def heads(scale: Scale | None = None, aim: str | float = NAN, **named: str) -> dict[str, Measure]:
    """Measures of one scale (none: that of the row) and aim, with their Chinese heads."""
    return {c: Measure(head, scale, aim) for c, head in named.items()}


def lay(rows: pd.DataFrame, measures: Mapping[str, Measure]) -> pd.DataFrame:
    """Rows, indexed by their ids, with all columns of a finding: numbers as floats, no text missing."""
    rows = pd.DataFrame(rows)
    t = rows.reindex(columns=[*ABOUT, *measures, *(c for c in PLACED if c in rows)])
    text = [c for c in t if c in ABOUT[:-1] or c in measures and measures[c].words]
    t[text] = t[text].astype(object).where(t[text].notna(), "")
    numbers = [c for c, m in measures.items() if not m.words]
    return t.astype(dict.fromkeys(numbers, float))


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

    def table(self, name: str) -> pd.DataFrame:
        self._making[-1].add(name)
        return self.tables(name)

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
        came = (seen[seen.indicator.isin(of - {""})] if indicators else seen).sender
        names = senders[senders.id.isin(came)].set_index("id").name_zh
        parks, others = (
            [n for i, n in names.items() if (i in self.catalog.parks) is own]
            for own in (True, False)
        )
        parts = [f"{len(parks)}个园区月报"] if len(parks) > 1 else [f"{n}月报" for n in parks]
        parts += [f"{len(others)}个部门月报"] if len(others) > 3 else others
        return "、".join(parts) or "公开统计资料"

    def until(self, *found: Found) -> str:
        """The last month that figures of the findings' indicators, or of all, hold, as 2018年9月; the report month
        where there is none."""
        try:
            s = self.table("SERIES")
        except MissingData:  # what is published only
            s = tables.empty(tables.SERIES)
        ids = {i for f in found for i in f.rows["indicator"]}
        ends = s.loc[s["indicator"].isin(ids) if ids else s["region"].ne(""), "end"]
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
        if odd := set(self.rows).difference((*ABOUT, *PLACED)) ^ set(self.measures):
            raise FindingError(f"{self.name} 的列与度量不一致:{'、'.join(sorted(odd))}。")
        facts = self.rows[self._own].notna()
        bare = facts[facts.any(axis=1) & self.rows["inputs"].fillna("").eq("")]
        if len(bare):
            first = bare.iloc[0]
            raise FindingError(
                f"{self.name}/{first.name}/{first.idxmax()} 没有写依据哪些表行(inputs)。"
            )
        versions = [self.title] if isinstance(self.title, str) else self.title
        told = [self.say(v) for v in versions]
        object.__setattr__(self, "title", quantity.fit_title(*told))
        self.said.setdefault(self.title, self.said[told[-1]])
        object.__setattr__(self, "sentences", tuple(map(self.say, self.sentences)))

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
        if column not in self.measures or not self.measures[column].of:
            return [self.key(row, column)]
        of = self.measures[column].of
        return [self.key(row, c) for c in of if self.rows.at[row, c] == self.rows.at[row, c]]

    @property
    def things(self) -> pd.DataFrame:
        """The rows without summaries.

        Raises
        ------
        MissingData : what the finding rests on has not come.
        """
        if self.missing:
            raise MissingData(self.sentences[0])
        return self.rows[self.rows["indicator"].fillna("").ne("")]

    @property
    def paragraph(self) -> str:
        """The sentences as a notebook shows them."""
        return quantity.block(self.sentences, self.demo)

    def shown(self, row: str, column: str) -> str:
        """A fact as every output prints it, 「—」 where there is none."""
        value = self.rows.at[row, column]
        if value != value or isinstance(value, str):
            return value if isinstance(value, str) and value else quantity.NONE
        scale = self.measures[column].scale or self.rows.at[row, "scale"]
        scale = scale if isinstance(scale, Scale) else scale(self.rows.at[row, "scale"], value)
        return scale.text(scale.round(value))

    def say(self, text: str) -> str:
        """A template filled: {row.column} a number as printed, {row.column:size} without its sign, {row.label} a name.

        Raises
        ------
        FindingError : a digit outside braces, a fact that is not there or has no value.
        """
        out, keys = "", []
        for words, place, form, _ in Formatter().parse(text):
            if typed := [c for c in words if unicodedata.category(c).startswith("N")]:
                raise FindingError(
                    f"{self.name} 的句子「{text}」手写了数字「{typed[0]}」,数字只能写作 {{行.列}}。"
                )
            out += words
            if place is not None:
                out += self._filled(place, text).lstrip("+\u2212" if form else "")
                keys += self.behind(*place.rsplit(".", 1))
        self.said[out] = tuple(keys)
        return out

    def _filled(self, place: str, text: str) -> str:
        row, _, column = place.rpartition(".")
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
        t["printed"] = [self.shown(*at) for at in zip(t["row"], t["column"], strict=True)]
        t["value"] = t["value"].map("{:.9g}".format).astype(float)  # the same on every processor
        t["finding"] = t["column"].map(lambda c: self.home.get(c, self.name))
        own = t["period"] if "period" in t else pd.Series(pd.NaT, t.index)
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
        if self.missing:
            raise MissingData(self.sentences[0])
        rows = list(self.things.index if rows is None else rows)
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
    reports; `about` overrides them. `base` is the finding whose columns are shown beside the own ones.
    """

    rows: pd.DataFrame
    scope: str
    title: str | tuple[str, ...]
    sentences: Iterable[str] = ()
    of: tuple[str, ...] = ()
    base: Found | None = None
    about: Mapping = field(default_factory=dict)

    def found(self, given: Given, name: str, own: Mapping[str, Measure]) -> Found:
        """The finding of this name with measures of its own."""
        about = dict(period=given.period, known=given.known) | self.about
        if "demo" not in about:
            seen = given.table("OBSERVATIONS")
            seen = seen[seen["indicator"].isin(self.of)] if self.of else seen
            about["demo"] = bool(seen["demo"].any())
        if "source" not in about:
            about["source"] = f"{given.source(*self.of)}，自创办测算"
        shown, home = (self.base.measures, self.base.home) if self.base else ({}, {})
        home = {c: home.get(c, self.base.name) for c in shown}
        said, measures = tuple(filter(None, self.sentences)), {**shown, **own}
        about |= dict(scope=self.scope, title=self.title, sentences=said, home=home)
        return Found(name, lay(self.rows, measures), measures, **about)


def finding(*measures: str, **own: Measure) -> Callable:
    """Make a function the home of these measures, and known by its name; what it has `told` becomes a Found.

    Raises
    ------
    TwoHomes : a measure has another home, at import.
    """
    measures = (*measures, *own)
    kinds = {m: Measure(m) for m in measures} | own

    def keep(make: Callable[..., Found | Told]) -> Callable[..., Found]:
        home, usual = f"{make.__module__}.{make.__name__}", signature(make).parameters
        for m in measures:
            if OWNER.get(m, home) != home:
                raise TwoHomes(f"度量 {m} 已由 {OWNER[m]} 给出,{home} 不能再给。")
        OWNER.update(dict.fromkeys(measures, home))

        @wraps(make)
        def made(given: Given, **choices) -> Found:
            other = tuple((k, v) for k, v in choices.items() if usual[k].default != v)

            def checked() -> Found:
                try:
                    found = make(given, **choices)
                except MissingData as e:
                    about = dict(source=quantity.NONE, demo=False, missing=True)
                    row, said = pd.DataFrame(dict(label=str(e)), ["now"]), "{now.label}"
                    found = Told(row, "", said, [said], about=about)
                if isinstance(found, Told):
                    found = found.found(given, make.__name__, kinds)
                declared = set(found.measures) - set(found.home)
                if odd := declared ^ set(measures) or {found.name} ^ {make.__name__}:
                    raise FindingError(f"{home} 给出的与它声明的不一致:{'、'.join(sorted(odd))}。")
                object.__setattr__(found, "chosen", other)
                return found

            return given.once((make.__name__, *other), checked)

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


def collect(found: Iterable[Found]) -> pd.DataFrame:
    """FACTS of all findings.

    Raises
    ------
    FindingError : one key has two values or two printed forms; names both places.
    """
    t = pd.concat([tables.empty(FACTS), *(f.facts() for f in found)], ignore_index=True)
    forms = t[t["indicator"].ne("")].drop_duplicates([*KEY, "value", "printed"])
    twice = forms[forms.duplicated(KEY, keep=False)]
    if len(twice):
        same = twice.merge(twice[:1][KEY]).head(2)
        a, b = (f"{r.finding}/{r.row}/{r.column} 印作「{r.printed}」" for r in same.itertuples())
        raise FindingError(f"{a},而 {b}:同一个数有两种写法。")
    return t
