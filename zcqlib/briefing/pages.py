"""What goes to a meeting, once, as pages made of findings; slides and Word brief print the same pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import NamedTuple

import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import findings, quantity
from zcqlib.briefing import fit, passport
from zcqlib.findings import Found, Given
from zcqlib.findings.outlook import title_moved
from zcqlib.findings.targets import ZONES
from zcqlib.tables import MissingData, ZcqError

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


class Section(NamedTuple):
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


class Chart(NamedTuple):
    """A native chart: bars of one series over categories, each of its colour, else all navy; None is a value that is
    not there, never 0."""

    name: str
    bars: Sequence[tuple[str, float | None]]
    unit: str
    limit: float | None = None
    colours: Sequence[str] = ()

    def texts(self) -> list[str]:
        """One text a value, as it is read back from the file."""
        name, known = fit.cell_text(self.name), ((c, v) for c, v in self.bars if v is not None)
        return [f"{name}|{fit.cell_text(c)}|{v:g}" for c, v in known]


class Page:
    """One finding: `title`, `lines`, perhaps a `chart` or a `table`, a `note`, the `code` with its `link`, a `passport`.

    Until it is `finished` it only says and shows, and knows which facts; title and lines are templates, or what the
    finding has said already. `fixed` are words whose digits are no results.
    """

    def __init__(self, section: str, given: Given, meeting: str):
        self.section, self.given, self.meeting = section, given, meeting
        self.about = SECTIONS[section]
        self.found = findings.find(self.about.finding, given)
        self.founds, self.keys, self.fixed = {}, set(), [self.about.note]
        self.chart, self.table, self.shows = None, [], ""

    def made(self, title: str = "", lines: Iterable[str] = (), rows: Sequence[str] = ()) -> Page:
        """A page like this one that says so much and shows a table of some rows of the finding."""
        new = Page(self.section, self.given, self.meeting)
        new.title = new.say(title or self.found.title)
        new.lines = [new.say(line) for line in lines]
        if len(rows):
            columns = self.about.columns.format(catalogs.load().meetings[self.meeting].back).split()
            t = self.found.table(*columns, rows=list(rows), head=self.about.head)
            new.table = [tuple(t.columns), *t.itertuples(index=False, name=None)]
            for at in product(rows, columns):
                new.cell(*at)
        return new

    def say(self, text: str, found: Found | None = None) -> str:
        """A sentence of the page's finding or of another one."""
        found = found or self.found
        text = text if text in found.said else found.say(text)
        self.founds[found.name] = found
        self.keys.update(found.said[text])
        return text

    def cell(self, row: str, column: str) -> str:
        """A fact as printed, which then stands on the page."""
        self.keys.update(self.found.behind(row, column))
        return self.found.shown(row, column)

    def pivot(self, t: pd.DataFrame, by: str, values: Iterable[str]) -> None:
        """A table of some things with a row for each value and a column for each park that has one; a chance has the mark
        of its light."""
        column, name = self.about.columns, self.given.catalog.name
        parks = [p for p in self.given.catalog.parks if p in set(t["region"])]
        self.table = [(self.about.head, *map(name, parks))]
        for value in values:
            own, cells = t[t[by].eq(value)], []
            at = dict(zip(own["region"], own.index, strict=True))
            for row in map(at.get, parks):
                mark = self.found.rows.at[row, "state"][:1] if row and column == "chance" else ""
                cells.append(mark + self.cell(row, column) if row else quantity.NONE)
            self.table.append((name(value), *cells))

    def bars(self, name, rows, columns=("chance",), labels=None, colours=(), limit=None) -> None:
        """A chart of some rows or columns as printed."""
        labels = self.found.rows.loc[list(rows), "label"] if labels is None else labels
        cells = list(product(rows, columns))
        row, column = cells[0]
        scale = self.found.measures[column].scale or self.found.rows.at[row, "scale"]
        values = [self._value(*at) for at in cells]
        bars = [(fit.clean(w, 24), v) for w, v in zip(labels, values, strict=True)]
        self.chart = Chart(name, bars, scale.unit, limit, list(colours))

    def _value(self, row: str, column: str) -> float | None:
        shown = self.cell(row, column)
        if shown == quantity.NONE:
            return None
        return ENDS.get(shown[0], float(quantity.plain_number(shown.lstrip("<>"))))

    def finished(self, mark: str, links: Mapping[str, str]) -> Page:
        """The page with its code, if every number on it is a fact."""
        given, founds = self.given, self.founds.values()
        said = lambda t, most=0: quantity.typeset(fit.clean(t, most))  # noqa: E731
        source, until = given.source(), given.until(*founds)
        self.code, self.title = mark, said(self.title, 60)
        self.table = [tuple(said(cell, 60) for cell in row) for row in self.table]
        self.lines = [said(line.rstrip("。") + "。") for line in self.lines if line]
        self.note = said(f"{self.about.note}来源:{source};数据截至{until}。")
        self.note += f"{quantity.DEMO}。" * any(f.demo for f in founds)
        texts = [self.title, *self.lines, self.note, *("|".join(r) for r in self.table)]
        texts += self.chart.texts() if self.chart else []
        fixed = (*self.fixed, source, until, "12个月")
        self.passport = passport.made(mark, self.title, texts, self.keys, fixed, *founds)
        self.link = links.get(f"{self.section}/{self.shows}") or links.get(self.section, "")
        return self


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
    ZcqError : unknown meeting. ReconciliationError : a number without origin.
    """
    agenda = agendas().get(meeting)
    if agenda is None:
        raise ZcqError(f"会议「{meeting}」不认识,可用 {'、'.join(agendas())}。")
    out: list[Page] = []
    for id in agenda.sections:
        with suppress(MissingData):  # what has no data has no page
            for page in _BUILD[id](Page(id, given, meeting)):
                mark = passport.code(given.period, "P" + agenda.letter, len(out) + 1)
                out.append(page.finished(mark, links or {}))
    return tuple(out)


def _state(on: Page) -> Iterator[Page]:
    f = on.found
    rows = [k for k in quantity.STATES if k in f.rows.index]
    d = on.made(lines=f.sentences[: len(rows) or None])
    if rows:
        d.bars("项数", rows, ["count"], colours=[quantity.lights().state(k).colour for k in rows])
        record = findings.find("record", on.given)
        d.lines += [d.say(s, record) for s in record.sentences]
    yield d


def _late(on: Page) -> Iterator[Page]:
    if len(rows := on.found.things.index):
        yield on.made(lines=[s for s in on.found.sentences if s.endswith("补报")], rows=rows)


def _moved(on: Page) -> Iterator[Page]:
    """Targets whose printed chance is another than some months before."""
    back, f = agendas()[on.meeting].back, on.found
    if f"back_{back}" in f.rows.index:
        moved = f.things[f"moved_{back}"].abs()
        moved = moved[moved.gt(0)].sort_values(ascending=False, kind="stable")
        yield on.made(title_moved(f.rows, back), rows=moved.index[:LISTED])


def _chances(on: Page) -> Iterator[Page]:
    if len(t := on.found.things):
        d, lights = on.made(rows=t.index), {r.words: r.colour for r in quantity.lights().rows}
        d.bars("完成把握", t.index, colours=t["light"].map(lights), limit=100)
        d.fixed += map(str, ENDS.values())
        yield d


def _open(on: Page) -> Iterator[Page]:
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
        d.bars(fit.clean(row["label"], 24), [i], BARS, HEADS, COLOURS)
        d.shows = i
        yield d


def _parks(on: Page) -> Iterator[Page]:
    """The targets that are least likely on the mean of the parks, the least chance of all among them."""
    own = on.found.things[~on.found.things["region"].isin(ZONES)]
    if len(own):
        mean = own.groupby("indicator")["chance"].mean().sort_values(kind="stable")
        worst = own.at[own["chance"].idxmin(), "indicator"]
        ids, d = sorted(dict.fromkeys([worst, *mean.index]), key=mean.get), on.made()
        d.pivot(own, "indicator", ids[:LISTED])
        yield d


def _ranks(on: Page) -> Iterator[Page]:
    t = on.found.rows
    rows = t.index[t["basis"].eq(str(on.given.period)) & t["place"].notna()]
    d = on.made(lines=on.found.sentences[1:-1], rows=rows)
    if len(rows):
        d.bars("综合得分", rows, ["score"])
    yield d


def _groups(on: Page) -> Iterator[Page]:
    t, d = on.found.things, on.made()
    if len(t):
        d.pivot(t, "at", t["at"].unique())
        yield d


def _orders(on: Page) -> Iterator[Page]:
    """What is asked of whom; the weekly meeting looks at the next month only."""
    f, title, month = on.found, "", str(on.given.period + 1)
    rows = f.things
    if on.meeting == "weekly":
        rows = rows[rows["basis"].eq(month)]
        title = f"{{{month}.label}}对园区的要求{{{month}.asked}}[，其中{{{month}.never}}从未做到过]"
    if len(rows):
        yield on.made(title, rows=rows.index[:LISTED])


def _stages(on: Page) -> Iterator[Page]:
    if len(t := on.found.things):
        late = t[t["overdue_days"].gt(0)]
        late = late.sort_values("overdue_days", ascending=False, kind="stable")
        yield on.made(rows=late.index[:LISTED])


def _attain(on: Page) -> Iterator[Page]:
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
