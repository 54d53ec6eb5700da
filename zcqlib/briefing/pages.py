"""What goes to a meeting, once, as pages; slides and Word brief print the same pages, so their numbers agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import quantity
from zcqlib.briefing import conclusions, fit
from zcqlib.briefing.passport import Number, Passport, code, complete, of_facts
from zcqlib.catalog import LINKED
from zcqlib.findings import Found

READING = {
    "state": "先看难度较大和尚有悬念的目标;把握是年末达到目标的概率,不看序时进度。按节点推进的事项只报节点,不给概率。",
    "late": "先补齐未报单位,再看缺项;缺报的指标不按零处理,相应判断写明暂缺。",
    "moved": "变动只说明判断变了多少;是新数据、修订、目标还是方法引起的,见笔记本中的分解图。",
    "chances": "由低到高排列,颜色和符号对应把握的档次;排在前面的目标需要先定措施。",
    "open": "结果还没有定局的目标,措施在这里最有用;左边文字给出缺口分解,右边比较已完成、全年预计和目标。",
    "parks": "一行一项指标、一列一个园区;符号和颜色表示档次,横线表示没有可比的园区目标。",
    "ranks": "先看区间再看位次;「与谁分不出先后」一列有名字的,不宜据此奖惩。",
    "groups": "同一行内比较园区,不同行之间分数不可比。",
    "orders": "每条要求都与该园区过去同类月份比过;从未做到过的,需要另有措施或调整分解。",
    "stages": "只列应到未到的节点;已到而没有佐证的,请补佐证。",
    "attain": "按计划原来的顺序逐项列出;横线表示未报或不给把握。",
}
ZONES = conclusions.ZONES
LISTED, NAMED = 12, 6  # rows of a table that is cut; names of a list that is cut


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


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables a brief is made of.

    `headline` names the targets of the ten groups; `recent` is the mean of the last 12 months by (region, indicator);
    `trail` holds PROJECTIONS of earlier months; `overdue` says who owes the month's report (`name`, `due`, `state`);
    `links` gives the place in the notebooks of each section, and of `section/indicator` where one has its own; `pace` is
    the finding.
    """

    projections: pd.DataFrame
    targets: pd.DataFrame
    ranks: pd.DataFrame
    milestones: pd.DataFrame
    orders: pd.DataFrame
    period: pd.Period
    name: Callable[[str], str]
    source: str
    headline: frozenset[str]
    parks: tuple[str, ...] = ()
    recent: Mapping[tuple[str, str], float] = field(default_factory=dict)
    trail: pd.DataFrame | None = None
    overdue: pd.DataFrame | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    pace: Found | None = None

    @property
    def demo(self) -> bool:
        return conclusions.demo_of(self.projections, self.ranks, self.milestones)


def agendas() -> dict[str, catalogs.Meeting]:
    """The meetings and their agendas (meetings.csv)."""
    return catalogs.load().meetings


def pages(t: Tables, meeting: str = "fortnight") -> tuple[Page, ...]:
    """All pages of a meeting, in order; each number on them has an origin.

    Raises
    ------
    ValueError : unknown meeting. ReconciliationError : a number without origin.
    """
    agenda = agendas().get(meeting)
    if agenda is None:
        raise ValueError(f"会议「{meeting}」不认识,可用 {'、'.join(agendas())}。")
    out: list[Page] = []
    for section in agenda.sections:
        for draft in _BUILD[section](t, meeting):
            out.append(
                _page(t, code(t.period, "P" + agenda.letter, len(out) + 1), section, **draft)
            )
    return tuple(out)


def _page(
    t: Tables,
    mark: str,
    section: str,
    title: str,
    lines: list[str],
    numbers: list[Number],
    note: str = "",
    chart: Chart | None = None,
    table: list[tuple[str, ...]] | None = None,
    fixed: tuple[str, ...] = (),
    shows: str = "",
) -> Page:
    rows = tuple(tuple(quantity.typeset(fit.clean(c, 60)) for c in r) for r in table or ())
    lines, title = (
        [quantity.typeset(fit.clean(x)) for x in lines if x],
        quantity.typeset(fit.clean(title, 60)),
    )
    note = quantity.typeset(f"{note}来源:{t.source};数据截至{t.period.year}年{t.period.month}月。")
    note += quantity.DEMO + "。" if t.demo else ""
    texts = (title, *lines, note, *("|".join(r) for r in rows), *(chart.texts() if chart else ()))
    names = tuple(t.name(i) for i in {*t.projections["indicator"], *t.projections["region"]})
    when = (
        f"{t.period.year}年{t.period.month}月",
        *(str(n) for n in range(1, 13) if section in ("orders", "open")),
    )
    passport = complete(
        Passport(mark, title, tuple(numbers), (*fixed, *sorted(names), *when, t.source), texts)
    )
    link = t.links.get(f"{section}/{shows}") or t.links.get(section, "")
    return Page(mark, section, title, tuple(lines), note, passport, chart, rows, link)


def _row_numbers(
    t: Tables, row: Mapping, table: str = "PROJECTIONS", only: str = ""
) -> list[Number]:
    key = (
        ("region", row["region"]),
        ("indicator", row["indicator"]),
        ("year", str(row["year"])),
        ("as_of", str(row["as_of"])),
    )
    cells, plan = (f"{row['region']}/{row['indicator']}",), (f"target/{row['indicator']}",)
    return [
        Number(
            text,
            float(value),
            formula,
            table if column else "",
            key if column else (),
            column,
            plan if column.startswith("target") else cells,
        )
        for text, value, column, formula in quantity.projection_numbers(row, _recent(t, row))
        if not only or column == only
    ]


def _recent(t: Tables, row: Mapping) -> float:
    return t.recent.get((row["region"], row["indicator"]), float("nan"))


def _count(n: float, what: str, of: str = "") -> Number:
    return Number(f"{n:g}", float(n), f"计数:{what}" + (f"({of})" if of else ""))


def _zone(t: Tables, all_rows: bool = False) -> pd.DataFrame:
    """Rows of the ten groups for the zone in the plan's order; without `all_rows` parts of other rows are left out."""
    p = t.projections[
        t.projections["region"].isin(ZONES) & t.projections["indicator"].isin(t.headline)
    ]
    if not all_rows:
        p = p[~p["indicator"].isin(t.targets.loc[t.targets["relation"].isin(LINKED), "id"])]
    place = {id: i for i, id in enumerate(dict.fromkeys(t.targets["id"]))}
    return p.sort_values("indicator", key=lambda s: s.map(place), kind="stable").reset_index(
        drop=True
    )


def _named(t: Tables, ids: list[str]) -> str:
    return "、".join(fit.clean(t.name(i), 24) for i in ids[:NAMED]) + (
        "等" if len(ids) > NAMED else ""
    )


def _state(t: Tables, meeting: str) -> list[dict]:
    z = _zone(t, all_rows=True)
    if z.empty:
        return [
            dict(
                title="本期没有可判断的目标",
                lines=["没有全区的预测结果,请先核对报表是否收到。"],
                numbers=[],
            )
        ]
    z["light"] = [quantity.light(r).light for r in z.to_dict("records")]
    held = {k: list(z.loc[z["light"] == k, "indicator"]) for k in quantity.STATES}
    held = {k: v for k, v in held.items() if v}
    chart = Chart(
        tuple(quantity.state_text(k) for k in held),
        (("项数", tuple(float(len(v)) for v in held.values())),),
        "项",
        colours=tuple(quantity.lights().state(k).colour for k in held),
    )
    lines = [
        f"{quantity.lights().state(k).words}{len(v)}项:{_named(t, v)}。" for k, v in held.items()
    ]
    numbers = [_count(len(v), quantity.state_text(k), "、".join(v)) for k, v in held.items()]
    numbers += [
        _count(len(z), "十组指标"),
        *(_count(0, quantity.state_text(k)) for k in quantity.STATES if k not in held),
    ]
    return [
        dict(
            title=conclusions.title_bullets(z),
            lines=lines,
            numbers=numbers,
            chart=chart,
            note="按印出的把握分档:80%及以上、40%至79%、40%以下;",
            fixed=("80 40 79",),
        )
    ]


def _late(t: Tables, meeting: str) -> list[dict]:
    o = t.overdue
    if o is None or o.empty:
        return []
    late, part = o[o["state"] == "未报"], o[o["state"] == "部分"]
    order = {"未报": 0, "部分": 1}
    rows = o.assign(order=o["state"].map(order).fillna(2)).sort_values(
        ["order", "due", "sender"], kind="stable"
    )
    gaps = rows["missing"] if "missing" in rows else pd.Series("", index=rows.index)
    table = [
        ("单位", "应报日期", "状态", "缺报内容"),
        *(
            (n, d, s, fit.clean(g, 40) or quantity.NONE)
            for n, d, s, g in zip(rows["name"], rows["due"], rows["state"], gaps, strict=True)
        ),
    ]
    who = "、".join(late["name"].head(4)) + ("等" if len(late) > 4 else "")
    parts = [f"{len(late)}家未报" if len(late) else "", f"{len(part)}家缺项" if len(part) else ""]
    told = "、".join(filter(None, parts)) or "全部报齐"
    brief = f"应报{len(o)}家,{told}"
    title = quantity.fit_title(f"{brief}:{who}", brief) if who else brief
    return [
        dict(
            title=title,
            lines=[f"请{who}于收到本通报后3日内补报。"] if who else [],
            numbers=[
                _count(len(o), "应报单位"),
                _count(len(late), "未报单位", "、".join(late["sender"])),
                _count(len(part), "有缺项的单位", "、".join(part["sender"])),
                Number("3", 3, "补报期限(日)"),
            ],
            table=table,
            note="应报日期按报送单位表;",
            fixed=tuple(c for r in table for c in r),
        )
    ]


def _moved(t: Tables, meeting: str) -> list[dict]:
    """Targets whose printed chance is another than some months before."""
    back = t.period - agendas()[meeting].back
    if t.trail is None or back.year != t.period.year:
        return []
    then = t.trail[(t.trail["as_of"] == back) & t.trail["probability"].notna()]
    then = {(r["region"], r["indicator"]): r for r in then.to_dict("records")}
    now = _zone(t).dropna(subset=["probability"]).to_dict("records")
    pairs = [
        (r, then[r["region"], r["indicator"]]) for r in now if (r["region"], r["indicator"]) in then
    ]
    if not pairs:
        return []
    moved = [
        (a, b, quantity.whole_chance(a["probability"]) - quantity.whole_chance(b["probability"]))
        for a, b in pairs
    ]
    up, down = sum(d > 0 for *_, d in moved), sum(d < 0 for *_, d in moved)
    moved = sorted((m for m in moved if m[2]), key=lambda m: -abs(m[2]))[:LISTED]
    table, numbers = (
        [("指标", f"{back.month}月的把握", f"{t.period.month}月的把握", "变动", "现在的判断")],
        [],
    )
    for now, before, d in moved:
        numbers += _row_numbers(t, now, only="probability") + _row_numbers(
            t, before, "TRAIL", "probability"
        )
        table.append(
            (
                t.name(now["indicator"]),
                quantity.chance_number(before["probability"]),
                quantity.chance_number(now["probability"]),
                quantity.change(d, "%", 0),
                quantity.light_text(now),
            )
        )
        numbers.append(Number(quantity.change(d, "%", 0), d, "两期把握(按所示整百分数)之差"))
    same = len(pairs) - up - down
    numbers += [
        _count(up, "把握上升"),
        _count(down, "把握下降"),
        _count(len(pairs), "两期都有把握"),
        _count(same, "把握不变"),
        _count(len(moved), "列出"),
    ]
    title = quantity.fit_title(
        f"与{back.month}月相比,{up}项把握上升、{down}项下降" + (f"、{same}项不变" if same else "")
    )
    return [
        dict(
            title=title,
            lines=[f"按变动大小列出{len(moved)}项。"] if moved else [],
            numbers=numbers,
            note="变动含新数据、修订和方法三部分;",
            table=table if moved else None,
            fixed=(f"{back.month}月", f"{t.period.month}月"),
        )
    ]


def _chances(t: Tables, meeting: str) -> list[dict]:
    z = _zone(t).dropna(subset=["probability"])
    z = z[z["kind"] != "milestone"].sort_values("probability", kind="stable").head(LISTED)
    if z.empty:
        return []
    rows = z.to_dict("records")
    values = tuple(
        0.0 if p < 0.01 else 100.0 if p > 0.99 else float(quantity.whole_chance(p))
        for p in z["probability"]
    )
    numbers = [n for r in rows for n in _row_numbers(t, r)]
    numbers += [Number(f"{v:g}%", v / 100, "把握按整百分数") for v in values]
    chart = Chart(
        tuple(fit.clean(t.name(r["indicator"]), 24) for r in rows),
        (("完成把握", values),),
        "%",
        100,
        tuple(quantity.light(r).colour for r in rows),
    )
    table = [("指标", "目标", "现值", "缺口", "把握", "用语")]
    for r in rows:
        s = quantity.row_scale(r)
        short = quantity.shortfall(r)
        table.append(
            (
                t.name(r["indicator"]),
                quantity.target(r, words=False),
                quantity.of_target(r, r["actual"]),
                s.text(short) if short is not None else quantity.NONE,
                quantity.chance_number(r["probability"]),
                quantity.chance_word(r["probability"]),
            )
        )
        numbers += _short(r)
    hard = sum(v < 40 for v in values)
    title = quantity.fit_title(f"把握最低的{len(rows)}项目标中,{hard}项不到四成")
    numbers += [_count(len(rows), "列出的目标"), _count(hard, "把握不到40%")]
    return [
        dict(
            title=title,
            lines=[],
            numbers=numbers,
            chart=chart,
            table=table,
            note="把握是年末达到目标的概率,不是完成进度;",
        )
    ]


def _short(row: Mapping) -> list[Number]:
    short, s = quantity.shortfall(row), quantity.row_scale(row)
    return (
        []
        if short is None
        else [Number(s.text(short), float(short) * s.factor, "目标 − 已完成,按所示数相减")]
    )


def _open(t: Tables, meeting: str) -> list[dict]:
    """Targets that are still to be decided, the most open one first."""
    z = _zone(t)
    z = z[z["kind"] != "milestone"].dropna(subset=["probability"])
    z = z.assign(doubt=(z["probability"] - 0.5).abs()).sort_values("doubt", kind="stable")
    duty, out = t.targets.drop_duplicates("id").set_index("id"), []
    for r in [r for r in z.to_dict("records") if quantity.light(r).light in ("hard", "open")][:4]:
        promise = duty.loc[r["indicator"]] if r["indicator"] in duty.index else None
        r |= {} if promise is None else {"commitment": promise["commitment"]}
        s, short = quantity.row_scale(r), quantity.shortfall(r)
        asks, numbers = _asks(t, r["indicator"])
        lines = [quantity.projection_sentence(r | {"demo": False}, _recent(t, r)) + "。"]
        if short is not None:
            lines.append(f"距目标还差{s.text(short)}{'' if not asks else ',分解为:' + asks}。")
        if promise is not None and not promise["responsible"]:
            lines.append("计划没有写明责任单位,请会议明确。")
        elif promise is not None:
            units = quantity.responsible(promise["responsible"], promise["responsible_basis"])
            until = (
                ";请按月落实,12月底前补齐缺口" if short is not None and t.period.month < 12 else ""
            )
            lines.append(f"责任单位:{units}{until}。")
        bars = {
            "现值" if r["kind"] in ("ratio", "growth", "stock") else "已完成": r["actual"],
            "全年预计": r["median"],
            "目标": r["target_low"],
        }
        chart = Chart(
            tuple(bars),
            (
                (
                    fit.clean(t.name(r["indicator"]), 24),
                    tuple(None if v != v else float(s.round(v)) for v in bars.values()),
                ),
            ),
            s.unit,
            colours=("14284B", "1F78C1", "94A3B8"),
        )
        out.append(
            dict(
                title=conclusions.title_pace(r, lambda i: fit.clean(t.name(i), 40)),
                lines=lines,
                chart=chart,
                numbers=_row_numbers(t, r) + _short(r) + numbers,
                note="区间内的每个结果都有可能;",
                fixed=("80%", "12月"),
                shows=r["indicator"],
            )
        )
    return out


def _asks(t: Tables, indicator: str) -> tuple[str, list[Number]]:
    """The asks of one target, park by park and month by month, as a phrase; parks as printed in the plan's order."""
    o, parts, numbers = t.orders[t.orders["indicator"] == indicator], [], []
    for region, own in o.groupby("region", sort=False):
        own = own.sort_values("month")
        parts.append(
            (
                t.parks.index(region) if region in t.parks else len(t.parks),
                t.name(region)
                + "、".join(f"{r.month.month}月{r.printed}" for r in own.itertuples()),
            )
        )
        numbers += [
            Number(r.printed, r.ask, "缺口按园区缺口和季节分摊", inputs=(f"{region}/{indicator}",))
            for r in own.itertuples()
        ]
    return ";".join(text for _, text in sorted(parts)), numbers


def _parks(t: Tables, meeting: str) -> list[dict]:
    p = t.projections[
        ~t.projections["region"].isin(ZONES) & t.projections["indicator"].isin(t.headline)
    ]
    p = p.dropna(subset=["probability", "target_low"])
    p = p[~p["kind"].isin(["milestone", "coverage", "recurring"])]
    if p.empty:
        return []
    lowest = p.loc[p["probability"].idxmin()].to_dict()
    mean = p.groupby("indicator")["probability"].mean().sort_values(kind="stable")
    worst = sorted(dict.fromkeys([lowest["indicator"], *mean.index[:8]][:8]), key=mean.get)
    regions = _order(t, p)
    cell = {(r["region"], r["indicator"]): r for r in p.to_dict("records")}
    table, numbers = [("指标", *(t.name(r) for r in regions))], []
    for i in worst:
        got = [cell.get((r, i)) for r in regions]
        table.append(
            (
                t.name(i),
                *(
                    quantity.NONE
                    if g is None
                    else quantity.light(g).mark + quantity.chance_number(g["probability"])
                    for g in got
                ),
            )
        )
        numbers += [n for g in got if g is not None for n in _row_numbers(t, g, only="probability")]
    least = quantity.chance_number(lowest["probability"])
    title = conclusions.title_heatmap(p, lambda i: fit.clean(t.name(i), 40))
    numbers += [
        _count(len(p), "有目标的格"),
        *_row_numbers(t, lowest, only="probability"),
        _count(
            sum(quantity.light(r).light == "hard" for r in p.to_dict("records")), "难度较大的格"
        ),
        _count(len(worst), "列出的指标"),
        _count(sum(p["probability"].map(quantity.chance_number) == least), "把握同为最低的格"),
    ]
    return [
        dict(
            title=title,
            lines=[f"列出{len(worst)}项指标:最低一格所在的,和园区平均把握最低的。"],
            numbers=numbers,
            table=table,
            note="「—」为园区目标未下达或不给把握;",
        )
    ]


def _order(t: Tables, rows: pd.DataFrame) -> list[str]:
    """The parks of a table in the plan's order."""
    held = set(rows["region"])
    return [r for r in t.parks if r in held] + sorted(held - set(t.parks))


def _ranks(t: Tables, meeting: str) -> list[dict]:
    now = str(t.period)
    r = t.ranks[(t.ranks["indicator"] == "composite") & (t.ranks["period"] == now)]
    r = conclusions.placed(r).dropna(subset=["rank"]) if len(r) else r
    if r.empty:
        return [dict(title="本期没有可排位的园区", lines=["目标未下达的园区不排位。"], numbers=[])]
    table, numbers = [("位次", "园区", "得分", "目前90%区间", "年末90%区间", "与谁分不出先后")], []
    for x in r.to_dict("records"):
        key = tuple((c, str(x[c])) for c in ("region", "indicator", "period", "measure"))
        span = [
            f"第{x[low]:.0f}—{x[high]:.0f}位" if x[low] == x[low] else quantity.NONE
            for low, high in (("low", "high"), ("end_low", "end_high"))
        ]
        tied = [i for i in str(x["tied_with"]).split(";") if i]
        place = f"{'暂定' if x['provisional'] else ''}{'并列' if tied else ''}{int(x['rank'])}"
        table.append(
            (
                place,
                t.name(x["region"]),
                quantity.number(x["value"], "分"),
                *span,
                "、".join(map(t.name, tied)) or quantity.NONE,
            )
        )
        numbers += [
            Number(
                quantity.number(x[c], "分") if c == "value" else f"{x[c]:g}",
                float(x[c]),
                "综合得分" if c == "value" else "位次与蒙特卡洛90%区间",
                "RANKS",
                (*key[:3], ("measure", "year_end")) if c.startswith("end_") else key,
                c.removeprefix("end_"),
            )
            for c in ("value", "rank", "low", "high", "end_low", "end_high")
            if x[c] == x[c]
        ]
    numbers += [_count(k, "区间重叠或并列的园区") for k in range(len(r) + 1)]
    out = sorted(set(t.parks) & set(t.ranks["region"]) - set(r["region"]))
    lines = [f"{'、'.join(map(t.name, out))}目标未下达,本期不排位。"] if out else []
    if r["provisional"].any():
        lines.append("暂定:有应报未报的数,按下限计分,补齐后位次可能变。")
    chart = Chart(
        tuple(t.name(x) for x in r["region"]),
        (("综合得分", tuple(float(quantity.scale(0, "分").round(v)) for v in r["value"])),),
        "分",
    )
    return [
        dict(
            title=conclusions.title_ranks(r, t.name),
            lines=lines,
            numbers=numbers,
            table=table,
            chart=chart,
            note="并列的园区先后分不清(位次互换的可能在三成以上);",
            fixed=("目前90%", "年末90%"),
        )
    ]


def _groups(t: Tables, meeting: str) -> list[dict]:
    """Scores of the groups by park."""
    r = t.ranks[
        (t.ranks["period"] == str(t.period))
        & (t.ranks["indicator"] != "composite")
        & (t.ranks["measure"] == "score")
    ].dropna(subset=["value"])
    if r.empty:
        return []
    regions = _order(t, r)
    cell = {(x["indicator"], x["region"]): x for x in r.to_dict("records")}
    ids = sorted(set(r["indicator"]), key=lambda i: (len(i), i))
    table = [("组别", *(t.name(p) for p in regions))]
    numbers = []
    for i in ids:
        got = [cell.get((i, p)) for p in regions]
        table.append(
            (
                t.groups.get(i, i),
                *(quantity.number(g["value"], "", 1) if g else quantity.NONE for g in got),
            )
        )
        numbers += [
            Number(
                quantity.number(g["value"], "", 1),
                g["value"],
                "组内各指标得分加权平均",
                "RANKS",
                tuple((c, str(g[c])) for c in ("region", "indicator", "period", "measure")),
                "value",
            )
            for g in got
            if g
        ]
    title = conclusions.title_groups(r, t.groups)
    gap = quantity.plain_number(title.rpartition("相差")[2])
    numbers.append(Number(f"{gap}分", float(gap), "该组园区最高分 − 最低分,按所示数相减"))
    return [
        dict(
            title=title,
            lines=[],
            numbers=numbers,
            table=table,
            note="功效系数法得分(分);「—」为该组没有园区目标;",
            fixed=tuple(t.groups.values()),
        )
    ]


def _orders(t: Tables, meeting: str) -> list[dict]:
    """What is asked of whom; the weekly meeting looks at the next month only."""
    o, next_ = t.orders, t.period + 1
    if o.empty:
        return []
    if meeting == "weekly":
        o = o[o["month"] == next_]
    shown, what = o.head(LISTED), f"{next_.month}月要求" if meeting == "weekly" else "月度要求"
    table, numbers = [("指标", "园区", "责任单位", "月份", "要求", "历史")], [_count(len(o), what)]
    for r in shown.to_dict("records"):
        units = r["responsible"].split(";")
        table.append(
            (
                t.name(r["indicator"]),
                t.name(r["region"]),
                quantity.responsible(";".join(units[:3]), r["responsible_basis"])
                if len(units) <= 3
                else quantity.responsible(";".join(units[:3]) + "等", r["responsible_basis"]),
                f"{r['month'].month}月",
                r["printed"],
                r["grade"],
            )
        )
        numbers += [
            Number(
                r["printed"],
                r["ask"],
                "缺口按园区缺口和季节分摊",
                inputs=(f"{r['region']}/{r['indicator']}", f"target/{r['indicator']}"),
            ),
            Number(r["grade"], float(r["of"]), "SERIES 近36个月计数"),
        ]
    told = conclusions.never_done(o)
    numbers += [
        _count(int(quantity.plain_number(told)), "从未做到的要求"),
        _count(len(shown), "列出的要求"),
        Number("36", 36, "回看月数"),
    ]
    title = quantity.fit_title(
        f"{next_.month}月对园区的要求共{len(o)}条,{told}"
        if meeting == "weekly"
        else f"缺口分解为{len(o)}条月度要求,{told}"
    )
    rest = ",其余见台账「缺口分解」" if len(o) > len(shown) else ""
    return [
        dict(
            title=title,
            lines=[f"按历史上做到的次数由少到多列出{len(shown)}条{rest}。"],
            numbers=numbers,
            note="各条相加等于缺口;",
            table=table,
        )
    ]


def _stages(t: Tables, meeting: str) -> list[dict]:
    m, now = t.milestones, t.period
    if m.empty:
        return []
    late = m[m["date"].isna() & m["expected"].notna() & (m["expected"] <= now)].sort_values(
        "expected", kind="stable"
    )
    done = int(m["date"].notna().sum())

    def item(r: Mapping) -> str:
        what = [t.name(r["region"])] if r["region"] not in ZONES else []
        return t.name(r["id"]) + (
            f"({'·'.join([*what, *filter(None, [r['item']])])})" if what or r["item"] else ""
        )

    table = [("事项", "节点", "应到月份", "逾期")] + [
        (
            item(r),
            r["stage_zh"],
            f"{r['expected'].year}年{r['expected'].month}月",
            f"{(now - r['expected']).n}个月" if r["expected"] < now else "本月到期",
        )
        for r in late.head(LISTED).to_dict("records")
    ]
    fixed = tuple(c for r in table for c in r)
    title = quantity.fit_title(f"{len(m)}个节点中{done}个已到,{len(late)}个到期未到")
    rest = [f"按应到月份先后列出{len(table) - 1}个,其余见台账。"] if len(late) > LISTED else []
    return [
        dict(
            title=title,
            lines=rest,
            numbers=[
                _count(len(m), "节点"),
                _count(done, "已到"),
                _count(len(late), "到期未到"),
                _count(len(table) - 1, "列出的节点"),
            ],
            note="节点只有状态,不给概率;",
            table=table if len(late) else None,
            fixed=fixed,
        )
    ]


def _attain(t: Tables, meeting: str) -> list[dict]:
    """Every target of the ten groups in the plan's order."""
    z, out, size = _zone(t, all_rows=True), [], 16
    if z.empty:
        return []
    keys = [quantity.light(r).light for r in z.to_dict("records")]
    told = list(t.pace.sentences[:1]) if t.pace else []
    for at in range(0, len(z), size):
        part = z.iloc[at : at + size].to_dict("records")
        table = [("指标", "目标", "现值", "把握", "判断")] + [
            (
                t.name(r["indicator"]),
                quantity.target(r, words=False),
                quantity.of_target(r, r["actual"]),
                quantity.chance_number(r["probability"]),
                quantity.light_text(r),
            )
            for r in part
        ]
        numbers = [n for r in part for n in _row_numbers(t, r)]
        numbers += [
            _count(len(z), "十组指标"),
            _count(keys.count("met"), "已完成"),
            _count(at + 1, "序号"),
            _count(at + len(part), "序号"),
        ]
        for line in [] if at else told:
            numbers += of_facts(t.pace.facts(), t.pace.said[line])
        title = f"{len(z)}项目标中{keys.count('met')}项已完成(第{at + 1}—{at + len(part)}项)"
        out.append(
            dict(
                title=title,
                lines=[] if at else told,
                numbers=numbers,
                note="「—」为未报或不给把握;",
                table=table,
            )
        )
    return out


_BUILD = {
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
