"""What goes to a meeting, once, as pages made of findings; slides and Word brief print the same pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    its finding, head and columns of its table, or what its rows are by where parks have columns, of its chart name,
    measure, what colours go by and end of the scale, a note, and how to read it, for the speaker."""

    id: str
    part: str
    cell: str
    finding: str
    head: str
    columns: str
    by: str
    chart: str
    note: str
    reading: str


# in the order of the brief
_SECTIONS = """
state | 主要进展 | standing, reported = month.find | standing | | | | 项数 count label 0 | 按取整后的把握分档:80%及以上、40%至79%、40%以下; | 先看难度较大和尚有悬念的目标;把握是年末达到目标的概率,不看序时进度。按节点推进的事项只报节点,不给概率。
moved | 主要进展 | outlook = month.find | outlook | 指标 | before_{0} chance moved_{0} state | | | 变动含新数据、修订和方法三部分; | 变动只说明判断变了多少;是新数据、修订、目标还是方法引起的,见笔记本中的分解图。
attain | 主要进展 | half = month.find | standing | 指标 | promise done chance state | | | 「—」为未报或不给把握; | 按计划原来的顺序逐项列出;横线表示未报或不给把握。
ranks | 主要进展 | figures.places | ranks | 园区 | placed score span end_span tied_with | | 综合得分 score label 0 | 并列的园区先后分不清(位次互换的可能在三成以上); | 先看区间再看位次;「与谁分不出先后」一列有名字的,不宜据此奖惩。
groups | 主要进展 | groups = month.find | groups | 组别 | points | at | | 功效系数法得分(分);「—」为该组没有园区目标; | 同一行内比较园区,不同行之间分数不可比。
late | 存在问题 | sent = month.find | reported | 单位 | until standing_of missing | | | 应报日期按报送单位表; | 先补齐未报单位,再看缺项;缺报的指标不按零处理,相应判断写明暂缺。
chances | 存在问题 | parks, name = month.find | hardest | 指标 | promise done gap chance light | | 完成把握 chance light 100 | 把握是年末达到目标的概率,不是完成进度; | 由低到高排列,颜色和符号对应把握的档次;排在前面的目标需要先定措施。
open | 存在问题 | standing.table | undecided | | | | | 区间内的每个结果都有可能; | 结果还没有定局的目标,措施在这里最有用;左边文字给出缺口分解,右边比较已完成、全年预计及区间和目标。
parks | 存在问题 | parks, name = month.find | parks | 指标 | chance | indicator | | 「—」为园区目标未下达或不给把握; | 一行一项指标、一列一个园区;符号和颜色表示档次,横线表示没有可比的园区目标。
stages | 存在问题 | promises = month.find | promises | 事项 | last next promise_state who_misses | | | 节点只有状态,不给概率; | 只列应到未到的节点;已到而没有佐证的,请补佐证。
orders | 下一步工作 | asks.table | asks | | what where by when ask grade | | | 各条相加等于缺口;按历史上做到的次数由少到多; | 每条要求都与该园区过去同类月份比过;从未做到过的,需要另有措施或调整分解。
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
    limit: float | None
    colours: Sequence[str]

    def texts(self) -> list[str]:
        """One text a value, as it is read back from the file."""
        return [f"{self.name}|{c}|{v:g}" for c, v in self.bars if v is not None]


class Page:
    """One finding: `title`, `lines`, perhaps a `chart` or a `table`, a `note`, the `code` with its `link`, a `passport`.

    Parameters
    ----------
    about : its section. links : as `pages` takes them. title, lines : what the
    finding or one of the `others` has said; else the finding's own title. rows : of the table and the chart, or of a
    table `by` one of their columns and by park. shows : the target that the page is of.
    Raises
    ------
    ReconciliationError : a number on it is no fact.
    """

    def __init__(
        self,
        about: Section,
        found: Found,
        given: Given,
        code: str,
        agenda: catalogs.Meeting,
        links: Mapping[str, str],
        title: str = "",
        lines: Sequence[str] = (),
        others: Sequence[Found] = (),
        rows: Sequence[str] = (),
        shows: str = "",
    ):
        self.about, self.found, self.code, self.section = about, found, code, about.id
        self.chart, self.table, self.keys, fixed = None, [], set(), [about.note, "12个月"]
        title, founds = title or found.title, {}
        for text, speaker in product((title, *lines), (found, *others)):
            if text in speaker.said:
                founds[speaker.name] = speaker
                self.keys.update(speaker.said[text])
        if rows and about.by:
            self._pivot(found.rows.loc[rows], given.catalog)
        elif rows and about.columns:
            self._list(rows, about.columns.format(agenda.back).split())
        if shows:
            name, own = found.rows.at[shows, "label"], product([shows], BARS)
            self._draw(name, own, HEADS, COLOURS)
        elif rows and about.chart:
            t, lights = found.rows.loc[rows], {r.words: r.colour for r in quantity.lights().rows}
            name, column, tint, limit = about.chart.split()
            colours, limit = t[tint].map(lights).dropna(), int(limit)
            self._draw(name, product(rows, [column]), t["label"], colours, limit or None)
            fixed += map(str, ENDS.values()) if limit else ()
        said = lambda t, most=0: quantity.typeset(fit.clean(t, most))  # noqa: E731
        source, until = given.source(), given.until(*founds.values())
        self.title, self.lines = said(title, 60), [said(line.rstrip("。") + "。") for line in lines]
        self.table = [tuple(said(cell, 60) for cell in row) for row in self.table]
        self.note = said(f"{about.note}来源:{source};数据截至{until}。")
        self.note += f"{quantity.DEMO}。" * any(f.demo for f in founds.values())
        texts = [self.title, *self.lines, self.note, *("|".join(r) for r in self.table)]
        texts += self.chart.texts() if self.chart else []
        known = code, self.title, texts, self.keys, (*fixed, source, until)
        self.passport = passport.made(*known, *founds.values())
        self.link = links.get(f"{self.section}/{shows}", links.get(self.section, ""))

    def _cell(self, row: str, column: str) -> str:
        """A fact as printed, which then stands on the page."""
        self.keys.update(self.found.behind(row, column))
        return self.found.shown(row, column)

    def _list(self, rows: Sequence[str], columns: Sequence[str]) -> None:
        """A table of some rows and columns."""
        t = self.found.table(*columns, rows=rows, head=self.about.head)
        self.table = [tuple(t.columns), *t.itertuples(index=False, name=None)]
        for at in product(rows, columns):
            self._cell(*at)

    def _pivot(self, t: pd.DataFrame, catalog: catalogs.Catalog) -> None:
        """A table of things with a row for each value, in their order, and a column for each park; a chance has the mark
        of its light."""
        column, by = self.about.columns, self.about.by
        told = pd.Series([self._cell(row, column) for row in t.index], t.index)
        told = t["state"].str[:1] + told if column == "chance" else told
        wide = told.groupby([t[by], t["region"]]).first().unstack()
        wide = wide.reindex(t[by].unique()).fillna(quantity.NONE)
        wide = wide[[p for p in catalog.parks if p in wide]]
        rows = wide.itertuples(name=None)
        self.table = [(self.about.head, *map(catalog.name, wide))]
        self.table += [(catalog.name(value), *cells) for value, *cells in rows]

    def _draw(self, name, cells, labels, colours, limit=None) -> None:
        """A chart of some cells as printed."""
        cells = list(cells)
        row, column = cells[0]
        scale = self.found.measures[column].scale or self.found.rows.at[row, "scale"]
        name, *labels = (fit.cell_text(fit.clean(words, 24)) for words in (name, *labels))
        bars = list(zip(labels, [self._value(*at) for at in cells], strict=True))
        self.chart = Chart(name, bars, scale.unit, limit, list(colours))

    def _value(self, row: str, column: str) -> float | None:
        shown = self._cell(row, column)
        if shown == quantity.NONE:
            return None
        return ENDS.get(shown[0], float(quantity.plain_number(shown.lstrip("<>"))))


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
    for about in map(SECTIONS.get, agenda.sections):
        f = findings.find(about.finding, given)
        with suppress(MissingData):  # what has no data has no page
            for told in _TOLD[about.id](f, given, agenda):
                mark = passport.code(given.period, "P" + agenda.letter, len(out) + 1)
                out.append(Page(about, f, given, mark, agenda, links or {}, **told))
    return tuple(out)


# what the pages of each section say and show


def _state(f, given, agenda):
    rows = [k for k in quantity.STATES if k in f.rows.index]
    record = findings.find("record", given)
    lines = [*f.sentences[: len(rows)], *record.sentences] if rows else f.sentences
    yield dict(rows=rows, lines=lines, others=[record])


def _late(f, given, agenda):
    if len(f.things):
        lines = [s for s in f.sentences if s.endswith("补报")]
        yield dict(lines=lines, rows=list(f.things.index))


def _moved(f, given, agenda):
    """Targets whose printed chance is another than some months before."""
    if f"back_{agenda.back}" in f.rows.index:
        moved = f.things[f"moved_{agenda.back}"].abs()
        moved = moved[moved.gt(0)].sort_values(ascending=False, kind="stable")
        title = f.say(title_moved(f.rows, agenda.back))
        yield dict(title=title, rows=list(moved.index[:LISTED]))


def _chances(f, given, agenda):
    if len(f.things):
        yield dict(rows=list(f.things.index))


def _open(f, given, agenda):
    asked = findings.find("asks", given)
    for i, own in f.things.iterrows():
        lines = [f"{{{i}.told}}"] + [f"距目标还差{{{i}.gap}}"] * (own["gap"] == own["gap"])
        lines = list(map(f.say, lines))
        t = asked.things[asked.things["indicator"].eq(i)].sort_values("basis", kind="stable")
        parks = [
            part["where"].iloc[0] + "、".join(f"{{{k}.when}}{{{k}.ask}}" for k in part.index)
            for _, part in t.groupby("region", sort=False)
        ]
        if parks:
            lines.append(asked.say("分解为：" + "；".join(parks)))
        lines.append(f.say(f"责任单位：{{{i}.units}}"))
        yield dict(title=f.say(f"{{{i}.headline}}"), lines=lines, others=[asked], shows=i)


def _parks(f, given, agenda):
    """The targets that are least likely on the mean of the parks."""
    own = f.things[~f.things["region"].isin(ZONES)]
    if len(own):
        mean = own.groupby("indicator")["chance"].transform("mean")
        own = own.loc[mean.sort_values(kind="stable").index]
        shown = own["indicator"].unique()[:LISTED]
        yield dict(rows=list(own.index[own["indicator"].isin(shown)]))


def _ranks(f, given, agenda):
    now = f.rows["basis"].eq(str(given.period)) & f.rows["place"].notna()
    yield dict(lines=f.sentences[1:-1], rows=list(f.rows.index[now]))


def _groups(f, given, agenda):
    yield dict(rows=list(f.things.index))


def _orders(f, given, agenda):
    """What is asked of whom; the weekly meeting looks at the next month only."""
    rows, title, month = f.things, "", str(given.period + 1)
    if agenda == agendas().get("weekly"):
        rows = rows[rows["basis"].eq(month)]
        title = f"{{{month}.label}}对园区的要求{{{month}.asked}}[，其中{{{month}.never}}从未做到过]"
    if len(rows):
        yield dict(title=f.say(title) if title else "", rows=list(rows.index[:LISTED]))


def _stages(f, given, agenda):
    if len(f.things):
        late = f.things[f.things["overdue_days"].gt(0)]
        late = late.sort_values("overdue_days", ascending=False, kind="stable")
        yield dict(rows=list(late.index[:LISTED]))


def _attain(f, given, agenda):
    """Every target of the ten groups in the plan's order."""
    pace, t = findings.find("pace", given), f.things
    ids = list(t.index[t["group"].ne("") & t["region"].isin(ZONES)])
    for at in range(0, len(ids), WHOLE):
        lines = pace.sentences[:1] * (at == 0)
        yield dict(lines=lines, others=[pace], rows=ids[at : at + WHOLE])


_TOLD = {
    tell.__name__[1:]: tell
    for tell in (
        *(_state, _moved, _attain, _ranks, _groups, _late),
        *(_chances, _open, _parks, _stages, _orders),
    )
}
