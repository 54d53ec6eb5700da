"""What goes to a meeting, once, as pages made of findings; slides and Word brief print the same pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import findings, quantity
from zcqlib.briefing import fit
from zcqlib.briefing.passport import Passport, code, complete, of_facts
from zcqlib.findings import Found, Given
from zcqlib.findings.outlook import title_moved
from zcqlib.findings.targets import ZONES
from zcqlib.tables import MissingData

LISTED, WHOLE = 12, 16  # rows of a table that is cut, and of one that goes on over pages
# the bars of a target: done, the year end with its interval, the target
_BARS = """
done 当前 14284B
low 预计下限 C0CEE0
median 全年预计 1F78C1
high 预计上限 C0CEE0
target 目标 94A3B8
"""
BARS, HEADS, COLOURS = zip(*map(str.split, _BARS.strip().split("\n")), strict=True)
ENDS = {"<": 0.0, ">": 100.0}  # where a chart puts a chance of <1% and >99%


@dataclass(frozen=True, slots=True)
class Section:
    """What a section shows: the part of the brief it stands in, the call of the notebook's cell that it is linked to,
    its finding, head and columns of its table, a note, and how to read it, for the speaker."""

    id: str
    part: str
    cell: str
    finding: str
    head: str
    columns: str
    note: str
    reading: str


# in the order of the brief
_SECTIONS = """
state | 主要进展 | standing, reported = month.find | standing | | | 按取整后的把握分档:80%及以上、40%至79%、40%以下; | 先看难度较大和尚有悬念的目标;把握是年末达到目标的概率,不看序时进度。按节点推进的事项只报节点,不给概率。
moved | 主要进展 | outlook = month.find | outlook | 指标 | before_{0} chance moved_{0} state | 变动含新数据、修订和方法三部分; | 变动只说明判断变了多少;是新数据、修订、目标还是方法引起的,见笔记本中的分解图。
attain | 主要进展 | half = month.find | standing | 指标 | promise done chance state | 「—」为未报或不给把握; | 按计划原来的顺序逐项列出;横线表示未报或不给把握。
ranks | 主要进展 | figures.places | ranks | 园区 | placed score span end_span tied_with | 并列的园区先后分不清(位次互换的可能在三成以上); | 先看区间再看位次;「与谁分不出先后」一列有名字的,不宜据此奖惩。
groups | 主要进展 | groups = month.find | groups | 组别 | points | 功效系数法得分(分);「—」为该组没有园区目标; | 同一行内比较园区,不同行之间分数不可比。
late | 存在问题 | sent = month.find | reported | 单位 | until standing_of missing | 应报日期按报送单位表; | 先补齐未报单位,再看缺项;缺报的指标不按零处理,相应判断写明暂缺。
chances | 存在问题 | parks, name = month.find | hardest | 指标 | promise done gap chance light | 把握是年末达到目标的概率,不是完成进度; | 由低到高排列,颜色和符号对应把握的档次;排在前面的目标需要先定措施。
open | 存在问题 | standing.table | undecided | | | 区间内的每个结果都有可能; | 结果还没有定局的目标,措施在这里最有用;左边文字给出缺口分解,右边比较已完成、全年预计及区间和目标。
parks | 存在问题 | parks, name = month.find | parks | 指标 | chance | 「—」为园区目标未下达或不给把握; | 一行一项指标、一列一个园区;符号和颜色表示档次,横线表示没有可比的园区目标。
stages | 存在问题 | promises = month.find | promises | 事项 | last next promise_state who_misses | 节点只有状态,不给概率; | 只列应到未到的节点;已到而没有佐证的,请补佐证。
orders | 下一步工作 | asks.table | asks | | what where by when ask grade | 各条相加等于缺口;按历史上做到的次数由少到多; | 每条要求都与该园区过去同类月份比过;从未做到过的,需要另有措施或调整分解。
"""
_LINES = (
    Section(*(cell.strip() for cell in line.split("|"))) for line in _SECTIONS.strip().split("\n")
)
SECTIONS = {section.id: section for section in _LINES}


@dataclass(frozen=True, slots=True)
class Chart:
    """A native chart: bars of one series over categories, each of its colour, else all navy; None is a value that is
    not there, never 0."""

    name: str
    bars: tuple[tuple[str, float | None], ...]
    unit: str
    limit: float | None = None
    colours: tuple[str, ...] = ()

    def texts(self) -> list[str]:
        """One text a value, as it is read back from the file."""
        name, known = fit.cell_text(self.name), ((c, v) for c, v in self.bars if v is not None)
        return [f"{name}|{fit.cell_text(c)}|{v:g}" for c, v in known]


@dataclass(frozen=True, slots=True)
class Page:
    """One finding: title, sentences, perhaps a chart or a table, how to read it, and its passport."""

    code: str
    section: str
    title: str
    lines: tuple[str, ...]
    note: str
    passport: Passport
    chart: Chart | None = None
    table: tuple[tuple[str, ...], ...] = ()
    link: str = ""

    @property
    def reading(self) -> str:
        """How to read the page, for the speaker."""
        return SECTIONS[self.section].reading


class Draft:
    """A page before it has its code: what it says of findings, with the names of the facts, and `fixed`, words whose
    digits are no results. Its title and lines are templates, or what the finding has said already."""

    def __init__(self, section: Section, given: Given, meeting: str):
        self.section, self.given, self.meeting = section, given, meeting
        self.found = findings.find(section.finding, given)
        self.founds, self.facts, self.fixed = {}, set(), [section.note]
        self.chart, self.table, self.shows = None, [], ""

    def made(self, title: str = "", lines: Iterable[str] = (), rows: Sequence[str] = ()) -> Draft:
        """A page like this one that says and shows so much."""
        new = Draft(self.section, self.given, self.meeting)
        new.title = new.say(title or self.found.title)
        new.lines = [new.say(line) for line in lines]
        if len(rows):
            new.rows(rows, self.section.columns)
        return new

    def say(self, text: str, found: Found | None = None) -> str:
        """A sentence of the page's finding or of another one."""
        found = found or self.found
        text = text if text in found.said else found.say(text)
        self.founds[found.name] = found
        self.facts.update(found.said[text])
        return text

    def show(self, rows: Iterable[str], *columns: str) -> None:
        """The cells of some rows and columns stand on the page."""
        self.facts.update(k for r in rows for c in columns for k in self.found.behind(r, c))

    def rows(self, rows: Iterable[str], columns: str) -> None:
        """A table of some rows of the finding."""
        t = self.found.table(*columns.split(), rows=list(rows), head=self.section.head)
        self.table = [tuple(t.columns), *t.itertuples(index=False, name=None)]
        self.show(rows, *columns.split())

    def pivot(self, t: pd.DataFrame, by: str, values: Iterable[str]) -> None:
        """A table of some things with a row for each value and a column for each park that has one."""
        column, name = self.section.columns, self.given.catalog.name
        at = dict(zip(zip(t[by], t["region"], strict=True), t.index, strict=True))
        parks = [p for p in self.given.catalog.parks if p in set(t["region"])]
        self.table = [(self.section.head, *map(name, parks))]
        for value in values:
            ids = [at.get((value, park)) for park in parks]
            self.show(filter(None, ids), column)
            cells = (self._cell(i, column) if i else quantity.NONE for i in ids)
            self.table.append((name(value), *cells))

    def _cell(self, row: str, column: str) -> str:
        """A chance has the mark of its light."""
        mark = self.found.rows.at[row, "state"][:1] if column == "chance" else ""
        return mark + self.found.shown(row, column)

    def bars(self, rows: Iterable[str], column: str, name: str, colours=(), limit=None) -> None:
        """A chart of one column as printed."""
        shown = [self.found.shown(r, column) for r in rows]
        values = [ENDS.get(t[0], float(quantity.plain_number(t.lstrip("<>")))) for t in shown]
        labels = [fit.clean(w, 24) for w in self.found.rows.loc[rows, "label"]]
        unit = self.found.measures[column].scale.unit
        bars = tuple(zip(labels, values, strict=True))
        self.chart = Chart(name, bars, unit, limit, tuple(colours))
        self.show(rows, column)

    def page(self, mark: str, links: Mapping[str, str]) -> Page:
        """The page, if every number on it is a fact."""
        given, section = self.given, self.section.id
        founds, said = self.founds.values(), lambda t, most=0: quantity.typeset(fit.clean(t, most))
        source, until = given.source(), given.until(*founds)
        rows = tuple(tuple(said(cell, 60) for cell in row) for row in self.table)
        lines = tuple(said(line.rstrip("。") + "。") for line in self.lines if line)
        title, note = said(self.title, 60), said(f"{self.fixed[0]}来源:{source};数据截至{until}。")
        note += f"{quantity.DEMO}。" * any(f.demo for f in founds)
        texts = (title, *lines, note, *("|".join(r) for r in rows))
        texts += tuple(self.chart.texts() if self.chart else ())
        numbers = {n.fact: n for f in founds for n in of_facts(f.facts(all_=True), self.facts)}
        passport = Passport(mark, title, tuple(numbers.values()), texts)
        complete(passport, (*self.fixed, source, until, "12个月"), *founds)
        link = links.get(f"{section}/{self.shows}") or links.get(section, "")
        return Page(mark, section, title, lines, note, passport, self.chart, rows, link)


def agendas() -> dict[str, catalogs.Meeting]:
    """The meetings and their agendas (meetings.csv)."""
    return catalogs.load().meetings


def pages(
    given: Given, meeting: str = "fortnight", links: Mapping[str, str] | None = None
) -> tuple[Page, ...]:
    """All pages of a meeting, in order; each number on them is a fact.

    Parameters
    ----------
    given : what findings are made from. links : the place in the notebooks of each section, and of `section/indicator`
        where one has its own.
    Raises
    ------
    ValueError : unknown meeting. ReconciliationError : a number without origin.
    """
    agenda = agendas().get(meeting)
    if agenda is None:
        raise ValueError(f"会议「{meeting}」不认识,可用 {'、'.join(agendas())}。")
    out: list[Page] = []
    for id in agenda.sections:
        with suppress(MissingData):  # what has no data has no page
            for draft in _BUILD[id](Draft(SECTIONS[id], given, meeting)):
                mark = code(given.period, "P" + agenda.letter, len(out) + 1)
                out.append(draft.page(mark, links or {}))
    return tuple(out)


def _state(on: Draft) -> Iterator[Draft]:
    f = on.found
    rows = [k for k in quantity.STATES if k in f.rows.index]
    d = on.made(lines=f.sentences[: len(rows) or None])
    if rows:
        d.bars(rows, "count", "项数", [quantity.lights().state(k).colour for k in rows])
        record = findings.find("record", on.given)
        d.lines += [d.say(s, record) for s in record.sentences]
    yield d


def _late(on: Draft) -> Iterator[Draft]:
    rows = on.found.things.index
    if len(rows):
        yield on.made(lines=[s for s in on.found.sentences if s.endswith("补报")], rows=rows)


def _moved(on: Draft) -> Iterator[Draft]:
    """Targets whose printed chance is another than some months before."""
    back, now, f = agendas()[on.meeting].back, on.given.period, on.found
    if f"back_{back}" not in f.rows.index:
        return
    moved = f.things[f"moved_{back}"].abs()
    rows = moved[moved.gt(0)].sort_values(ascending=False, kind="stable").index[:LISTED]
    d = on.made(title_moved(f.rows, back))
    if len(rows):
        d.rows(rows, on.section.columns.format(back))
        heads = [f"{month.month}月的把握" for month in (now - back, now)]
        d.table[0] = (on.section.head, *heads, *d.table[0][3:])
        d.fixed += heads
    yield d


def _chances(on: Draft) -> Iterator[Draft]:
    t = on.found.things
    if len(t):
        d, lights = on.made(rows=t.index), {r.words: r.colour for r in quantity.lights().rows}
        d.bars(t.index, "chance", "完成把握", t["light"].map(lights), 100)
        d.fixed += map(str, ENDS.values())
        yield d


def _open(on: Draft) -> Iterator[Draft]:
    asked = findings.find("asks", on.given)
    for i, row in on.found.things.iterrows():
        d = on.made(f"{{{i}.headline}}", [f"{{{i}.told}}"])
        if row["gap"] == row["gap"]:
            d.lines.append(d.say(f"距目标还差{{{i}.gap}}"))
        own = asked.things[asked.things["indicator"].eq(i)].sort_values("basis", kind="stable")
        parks = [
            part["where"].iloc[0] + "、".join(f"{{{k}.when}}{{{k}.ask}}" for k in part.index)
            for _, part in own.groupby("region", sort=False)
        ]
        if parks:
            d.lines.append(d.say("分解为：" + "；".join(parks), asked))
        d.lines.append(d.say(f"责任单位：{{{i}.units}}"))
        values = (None if v != v else float(row["scale"].round(v)) for v in row[list(BARS)])
        bars, d.shows = tuple(zip(HEADS, values, strict=True)), i
        d.chart = Chart(fit.clean(row["label"], 24), bars, row["scale"].unit, None, COLOURS)
        d.show([i], *BARS)
        yield d


def _parks(on: Draft) -> Iterator[Draft]:
    """The targets that are least likely on the mean of the parks, the least chance of all among them."""
    own = on.found.things[~on.found.things["region"].isin(ZONES)]
    if len(own):
        mean = own.groupby("indicator")["chance"].mean().sort_values(kind="stable")
        worst = own.at[own["chance"].idxmin(), "indicator"]
        ids, d = sorted(dict.fromkeys([worst, *mean.index]), key=mean.get), on.made()
        d.pivot(own, "indicator", ids[:LISTED])
        yield d


def _ranks(on: Draft) -> Iterator[Draft]:
    t = on.found.rows
    rows = t.index[t["basis"].eq(str(on.given.period)) & t["place"].notna()]
    d = on.made(lines=on.found.sentences[1:-1], rows=rows)
    if len(rows):
        d.bars(rows, "score", "综合得分")
    yield d


def _groups(on: Draft) -> Iterator[Draft]:
    t, d = on.found.things, on.made()
    if len(t):
        d.pivot(t, "at", t["at"].unique())
        yield d


def _orders(on: Draft) -> Iterator[Draft]:
    """What is asked of whom; the weekly meeting looks at the next month only."""
    f, title, month = on.found, "", str(on.given.period + 1)
    rows = f.things
    if on.meeting == "weekly":
        rows = rows[rows["basis"].eq(month)]
        never = len(rows) and f.rows.at[month, "never"]
        title = f"{{{month}.label}}对园区的要求{{{month}.asked}}"
        title += f"，其中{{{month}.never}}从未做到过" if never else ""
    if len(rows):
        yield on.made(title, rows=rows.index[:LISTED])


def _stages(on: Draft) -> Iterator[Draft]:
    t = on.found.things
    if len(t):
        late = t[t["overdue_days"].gt(0)].sort_values(
            "overdue_days", ascending=False, kind="stable"
        )
        yield on.made(rows=late.index[:LISTED])


def _attain(on: Draft) -> Iterator[Draft]:
    """Every target of the ten groups in the plan's order."""
    pace, t = findings.find("pace", on.given), on.found.things
    ids = t.index[t["group"].ne("") & t["region"].isin(ZONES)]
    for at in range(0, len(ids), WHOLE):
        d = on.made(rows=ids[at : at + WHOLE])
        d.lines += [d.say(s, pace) for s in pace.sentences[:1] * (at == 0)]
        yield d


_BUILD = {
    build.__name__[1:]: build
    for build in (
        *(_state, _moved, _attain, _ranks, _groups, _late),
        *(_chances, _open, _parks, _stages, _orders),
    )
}
