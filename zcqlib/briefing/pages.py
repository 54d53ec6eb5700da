"""What goes to a meeting, once, as pages made of findings; slides and Word brief print the same pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from zcqlib import catalog as catalogs
from zcqlib import findings, quantity
from zcqlib.briefing import fit
from zcqlib.briefing.passport import Passport, code, complete, of_facts
from zcqlib.findings import Found, Given
from zcqlib.findings.outlook import title_moved
from zcqlib.findings.targets import ZONES
from zcqlib.tables import MissingData

LISTED, WHOLE = 12, 16  # rows of a table that is cut, and of one that goes on over pages
BARS = {  # the bars of a target: done, the year end with its interval, the target
    "done": ("当前", "14284B"),
    "low": ("预计下限", "C0CEE0"),
    "median": ("全年预计", "1F78C1"),
    "high": ("预计上限", "C0CEE0"),
    "target": ("目标", "94A3B8"),
}
ENDS = {"<": 0.0, ">": 100.0}  # where a chart puts a chance of <1% and >99%
CHANCE_NOTE = "把握是年末达到目标的概率,不是完成进度;"
READING = {
    "state": "先看难度较大和尚有悬念的目标;把握是年末达到目标的概率,不看序时进度。按节点推进的事项只报节点,不给概率。",
    "late": "先补齐未报单位,再看缺项;缺报的指标不按零处理,相应判断写明暂缺。",
    "moved": "变动只说明判断变了多少;是新数据、修订、目标还是方法引起的,见笔记本中的分解图。",
    "chances": "由低到高排列,颜色和符号对应把握的档次;排在前面的目标需要先定措施。",
    "open": "结果还没有定局的目标,措施在这里最有用;左边文字给出缺口分解,右边比较已完成、全年预计及区间和目标。",
    "parks": "一行一项指标、一列一个园区;符号和颜色表示档次,横线表示没有可比的园区目标。",
    "ranks": "先看区间再看位次;「与谁分不出先后」一列有名字的,不宜据此奖惩。",
    "groups": "同一行内比较园区,不同行之间分数不可比。",
    "orders": "每条要求都与该园区过去同类月份比过;从未做到过的,需要另有措施或调整分解。",
    "stages": "只列应到未到的节点;已到而没有佐证的,请补佐证。",
    "attain": "按计划原来的顺序逐项列出;横线表示未报或不给把握。",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A native chart: bars of one or more series over categories; None is a value that is not there, never 0."""

    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    unit: str
    limit: float | None = None
    colours: tuple[str, ...] = ()  # one a category, else all navy

    def texts(self) -> list[str]:
        """One text a value, as it is read back from the file."""
        return [
            f"{fit.cell_text(name)}|{fit.cell_text(c)}|{v:g}"
            for name, values in self.series
            for c, v in zip(self.categories, values, strict=True)
            if v is not None
        ]


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
        return READING[self.section]


class Draft:
    """A page before it has its code: what it says, the facts on it by finding, and names whose digits are no results."""

    def __init__(self, note: str = "", chart: Chart | None = None, shows: str = ""):
        self.title, self.note, self.chart, self.shows = "", note, chart, shows
        self.lines: list[str] = []
        self.table: list[tuple[str, ...]] = []
        self.facts: dict[str, set[str]] = {}
        self.names: set[str] = set()

    def say(self, found: Found, *templates: str) -> list[str]:
        """Sentences with their facts: templates, or what the finding has said already."""
        texts = [t if t in found.said else found.say(t) for t in templates]
        for text in texts:
            self.facts.setdefault(found.name, set()).update(found.said[text])
        self.names.update(map(str, found.rows["label"]))
        for c, m in found.measures.items():
            if m.words and not m.of:  # names and dates
                self.names.update(v for v in found.rows[c] if isinstance(v, str))
        return texts

    def show(self, found: Found, rows: Iterable[str], *columns: str) -> None:
        """The cells of some rows and columns stand on the page."""
        keys = (k for r in rows for c in columns for k in found.behind(r, c))
        self.facts.setdefault(found.name, set()).update(keys)
        self.say(found)

    def rows(self, found: Found, rows: Iterable[str], *columns: str, head: str = "指标") -> None:
        """A table of some rows of a finding."""
        t = found.table(*columns, rows=list(rows), head=head)
        self.table.extend([tuple(t.columns), *t.itertuples(index=False, name=None)])
        self.show(found, rows, *columns)
        self.names.update(t.columns)

    def pivot(
        self,
        found: Found,
        rows: Mapping[str, str],
        regions: Mapping[str, str],
        column: str,
        at: str,
        head: str,
    ) -> None:
        """A table with a column for each region; `at` is the form of the finding's rows."""
        self.table.append((head, *regions.values()))
        for id, name in rows.items():
            ids = [at.format(r, id) for r in regions]
            have = [i in found.rows.index for i in ids]
            told = [
                self._marked(found, i, column) if h else quantity.NONE
                for i, h in zip(ids, have, strict=True)
            ]
            self.table.append((name, *told))
            self.show(found, [i for i, h in zip(ids, have, strict=True) if h], column)
        self.names.update([*rows.values(), *regions.values()])

    @staticmethod
    def _marked(found: Found, row: str, column: str) -> str:
        """A cell, a chance with the mark of its light."""
        mark = found.rows.at[row, "state"][:1] if column == "chance" else ""
        return mark + found.shown(row, column)


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
    for section in agenda.sections:
        with suppress(MissingData):  # what has no data has no page
            for draft in _BUILD[section](given, meeting):
                mark = code(given.period, "P" + agenda.letter, len(out) + 1)
                out.append(_page(given, mark, section, draft, links or {}))
    return tuple(out)


def _page(given: Given, mark: str, section: str, d: Draft, links: Mapping[str, str]) -> Page:
    founds = [findings.find(name, given) for name in d.facts]
    source, until = given.source(), given.until(*founds)
    rows = tuple(tuple(quantity.typeset(fit.clean(c, 60)) for c in r) for r in d.table)
    lines = [quantity.typeset(fit.clean(x.rstrip("。") + "。")) for x in d.lines if x]
    title = quantity.typeset(fit.clean(d.title, 60))
    note = quantity.typeset(f"{d.note}来源:{source};数据截至{until}。")
    note += quantity.DEMO + "。" if any(f.demo for f in founds) else ""
    chart = d.chart.texts() if d.chart else ()
    texts = (title, *lines, note, *("|".join(r) for r in rows), *chart)
    numbers = [n for f in founds for n in of_facts(f.facts(all_=True), d.facts[f.name])]
    names = {quantity.typeset(fit.clean(n)) for n in d.names} | d.names
    fixed = (*sorted(names), source, quantity.typeset(d.note), until, "12个月")
    passport = complete(Passport(mark, title, tuple(numbers), fixed, texts))
    link = links.get(f"{section}/{d.shows}") or links.get(section, "")
    return Page(mark, section, title, tuple(lines), note, passport, d.chart, rows, link)


def _draft(
    found: Found,
    title: str = "",
    lines: Iterable[str] = (),
    rows=(),
    columns=(),
    head="指标",
    **more,
) -> Draft:
    """A page that says the finding's title, or a template, and some of its sentences, and shows some rows."""
    d = Draft(**more)
    d.lines.extend(d.say(found, *lines))
    (d.title,) = d.say(found, title or found.title)
    if len(rows):
        d.rows(found, rows, *columns, head=head)
    return d


def _chart(found: Found, rows: list[str], column: str, name: str, colours=(), limit=None) -> Chart:
    """Bars of one column as printed."""
    shown = [found.shown(r, column) for r in rows]
    values = tuple(ENDS.get(t[0], float(quantity.plain_number(t.lstrip("<>")))) for t in shown)
    unit = found.measures[column].scale.unit
    labels = tuple(fit.clean(w, 24) for w in found.rows.loc[rows, "label"])
    return Chart(labels, ((name, values),), unit, limit, tuple(colours))


def _state(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("standing", given)
    rows = [k for k in quantity.STATES if k in f.rows.index]
    if not rows:
        return [_draft(f, lines=f.sentences)]
    colours = [quantity.lights().state(k).colour for k in rows]
    chart = _chart(f, rows, "count", "项数", colours)
    note = "按取整后的把握分档:80%及以上、40%至79%、40%以下;"
    d = _draft(f, lines=f.sentences[: len(rows)], chart=chart, note=note)
    d.show(f, rows, "count")
    record = findings.find("record", given)
    d.lines.extend(d.say(record, *record.sentences))
    return [d]


def _late(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("reported", given)
    rows = list(f.things.index)
    if not rows:
        return []
    about = dict(lines=[s for s in f.sentences if s.endswith("补报")], note="应报日期按报送单位表;")
    columns = ("until", "standing_of", "missing")
    return [_draft(f, rows=rows, columns=columns, head="单位", **about)]


def _moved(given: Given, meeting: str) -> list[Draft]:
    """Targets whose printed chance is another than some months before."""
    f, back = findings.find("outlook", given), agendas()[meeting].back
    if f"back_{back}" not in f.rows.index:
        return []
    moved = f.things[f"moved_{back}"]
    rows = moved[moved.abs().gt(0)].abs().sort_values(ascending=False, kind="stable").index
    note = "变动含新数据、修订和方法三部分;"
    d = _draft(f, title_moved(f.rows, back), note=note)
    if len(rows):
        d.rows(f, rows[:LISTED], f"before_{back}", "chance", f"moved_{back}", "state")
        now = given.period
        d.table[0] = (
            "指标",
            f"{(now - back).month}月的把握",
            f"{now.month}月的把握",
            *d.table[0][3:],
        )
        d.names.update(d.table[0])
    return [d]


def _chances(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("hardest", given)
    rows = list(f.things.index)
    if not rows:
        return []
    lights = {r.words: r.colour for r in quantity.lights().rows}
    colours = [lights[w] for w in f.rows.loc[rows, "light"]]
    chart = _chart(f, rows, "chance", "完成把握", colours, 100)
    columns = ("promise", "done", "gap", "chance", "light")
    d = _draft(f, chart=chart, note=CHANCE_NOTE, rows=rows, columns=columns)
    d.names.update(map(str, ENDS.values()))
    return [d]


def _open(given: Given, meeting: str) -> list[Draft]:
    f, asked = findings.find("undecided", given), findings.find("asks", given)
    out = []
    for i in f.things.index:
        lines = [f"{{{i}.told}}"]
        own = asked.things[asked.things["indicator"].eq(i)]
        d = _draft(f, f"{{{i}.headline}}", lines, note="区间内的每个结果都有可能;", shows=i)
        if f.rows.at[i, "gap"] == f.rows.at[i, "gap"]:
            d.lines.extend(d.say(f, f"距目标还差{{{i}.gap}}"))
        parks = [
            f"{part['where'].iloc[0]}" + "、".join(f"{{{k}.when}}{{{k}.ask}}" for k in part.index)
            for _, part in own.sort_values("basis", kind="stable").groupby("region", sort=False)
        ]
        if parks:
            d.lines.extend(d.say(asked, "分解为：" + "；".join(parks)))
        d.lines.extend(d.say(f, f"责任单位：{{{i}.units}}"))
        s, values, label = f.rows.at[i, "scale"], f.rows.loc[i, list(BARS)], f.rows.at[i, "label"]
        d.show(f, [i], *BARS)
        values = tuple(None if v != v else float(s.round(v)) for v in values)
        names, colours = zip(*BARS.values(), strict=True)
        d.chart = Chart(names, ((fit.clean(label, 24), values),), s.unit, None, colours)
        out.append(d)
    return out


def _parks(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("parks", given)
    own = f.things[~f.things["region"].isin(ZONES)]
    if own.empty:
        return []
    mean = own.groupby("indicator")["chance"].mean().sort_values(kind="stable")
    worst = own["chance"].idxmin().partition("|")[2]
    ids = sorted(dict.fromkeys([worst, *mean.index]), key=mean.get)[:LISTED]
    name = given.catalog.name
    d = _draft(f, note="「—」为园区目标未下达或不给把握;")
    regions = {p: name(p) for p in given.catalog.parks if p in set(own["region"])}
    d.pivot(f, {i: name(i) for i in ids}, regions, "chance", "{}|{}", "指标")
    return [d]


def _ranks(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("ranks", given)
    last = f.rows[f.rows["basis"].eq(str(given.period)) & f.rows["place"].notna()]
    about = dict(note="并列的园区先后分不清(位次互换的可能在三成以上);", lines=f.sentences[1:-1])
    rows, columns = list(last.index), ("placed", "score", "span", "end_span", "tied_with")
    if rows:
        about |= dict(chart=_chart(f, rows, "score", "综合得分"))
    return [_draft(f, rows=rows, columns=columns, head="园区", **about)]


def _groups(given: Given, meeting: str) -> list[Draft]:
    """Scores of the groups by park."""
    f = findings.find("groups", given)
    t = f.things
    if t.empty:
        return []
    rows = {g: f.rows.at[g, "label"] for g in f.rows.index if "|" not in g}
    regions = {p: given.catalog.name(p) for p in given.catalog.parks if p in set(t["region"])}
    d = _draft(f, note="功效系数法得分(分);「—」为该组没有园区目标;")
    d.pivot(f, rows, regions, "points", "{1}|{0}", "组别")
    return [d]


def _orders(given: Given, meeting: str) -> list[Draft]:
    """What is asked of whom; the weekly meeting looks at the next month only."""
    f, title = findings.find("asks", given), ""
    rows = f.things
    if meeting == "weekly":
        month = str(given.period + 1)
        rows, never = rows[rows["basis"].eq(month)], ""
        if len(rows):
            never = f"，其中{{{month}.never}}从未做到过" if f.rows.at[month, "never"] else ""
            title = f"{{{month}.label}}对园区的要求{{{month}.asked}}{never}"
    if rows.empty:
        return []
    columns = ("what", "where", "by", "when", "ask", "grade")
    note = "各条相加等于缺口;按历史上做到的次数由少到多;"
    return [_draft(f, title, rows=rows.index[:LISTED], columns=columns, head="", note=note)]


def _stages(given: Given, meeting: str) -> list[Draft]:
    f = findings.find("promises", given)
    t = f.things
    if t.empty:
        return []
    late = t[t["overdue_days"].gt(0)].sort_values("overdue_days", ascending=False, kind="stable")
    about = dict(note="节点只有状态,不给概率;", head="事项")
    columns = ("last", "next", "promise_state", "who_misses")
    return [_draft(f, rows=late.index[:LISTED], columns=columns, **about)]


def _attain(given: Given, meeting: str) -> list[Draft]:
    """Every target of the ten groups in the plan's order."""
    f, pace, out = findings.find("standing", given), findings.find("pace", given), []
    t = f.things
    ids = list(t.index[t["group"].ne("") & t["region"].isin(ZONES)])
    for at in range(0, len(ids), WHOLE):
        rows, columns = ids[at : at + WHOLE], ("promise", "done", "chance", "state")
        out.append(_draft(f, rows=rows, columns=columns, note="「—」为未报或不给把握;"))
        if not at:
            out[0].lines.extend(out[0].say(pace, *pace.sentences[:1]))
    return out


_BUILD: dict[str, Callable[[Given, str], list[Draft]]] = {
    "state": _state,
    "late": _late,
    "moved": _moved,
    "chances": _chances,
    "open": _open,
    "parks": _parks,
    "ranks": _ranks,
    "groups": _groups,
    "orders": _orders,
    "stages": _stages,
    "attain": _attain,
}
