"""What goes to a meeting, once, as pages; slides and Word brief print the same pages, so their numbers agree."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from zcqlib.briefing import conclusions, words
from zcqlib.briefing.passport import Number, Passport, code, complete
from zcqlib.catalog import LINKED

MEETINGS = {"weekly": "周协调会", "fortnight": "领导双周例会", "ranking": "月度排位会", "quarter": "季度讲评会",
            "half-year": "半年评估会", "annual": "年终考核会"}
SECTIONS = {"weekly": ("state", "open", "orders"), "fortnight": ("state", "chances", "open", "parks", "orders"),
            "ranking": ("ranks", "parks"), "quarter": ("state", "chances", "open", "parks", "orders", "stages"),
            "half-year": ("state", "chances", "open", "parks", "ranks", "orders", "stages"),
            "annual": ("state", "chances", "open", "parks", "ranks", "orders", "stages")}
ZONES = ("zone", "city")
LIGHT_COLOURS = {"met": "14284B", "good": "0B7A5E", "open": "B7791F", "hard": "B3261E", "stage": "94A3B8",
                 "none": "B4BDC7", "unknown": "B4BDC7"}


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
        return [f"{words.cell_text(name)}|{words.cell_text(c)}|{v:g}" for name, values in self.series
                for c, v in zip(self.categories, values, strict=True) if v is not None]


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


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables a brief is made of; `recent` is the mean of the last 12 months by (region, indicator)."""

    projections: pd.DataFrame
    targets: pd.DataFrame
    ranks: pd.DataFrame
    milestones: pd.DataFrame
    orders: pd.DataFrame
    period: pd.Period
    name: Callable[[str], str]
    source: str
    recent: Mapping[tuple[str, str], float]
    inputs: Callable[[str, str], tuple] = lambda region, indicator: ()

    @property
    def demo(self) -> bool:
        return conclusions.demo_of(self.projections, self.ranks, self.milestones)


def pages(t: Tables, meeting: str = "fortnight") -> tuple[Page, ...]:
    """All pages of a meeting, in order; each number on them has an origin.

    Raises
    ------
    ValueError : unknown meeting. ReconciliationError : a number without origin.
    """
    if meeting not in SECTIONS:
        raise ValueError(f"会议「{meeting}」不认识,可用 {'、'.join(SECTIONS)}。")
    out: list[Page] = []
    for section in SECTIONS[meeting]:
        out += _BUILD[section](t, len(out))
    return tuple(out)


def _page(t: Tables, at: int, section: str, title: str, lines: list[str], numbers: list[Number], note: str,
          chart: Chart | None = None, table: list[tuple[str, ...]] | None = None,
          fixed: tuple[str, ...] = ()) -> list[Page]:
    mark, rows = code(t.period, "P", at + 1), tuple(tuple(words.clean(c, 60) for c in r) for r in table or ())
    lines, title = [words.typeset(words.clean(x)) for x in lines if x], words.typeset(words.clean(title, 60))
    note = words.typeset(f"{note}来源:{t.source};数据截至{t.period.year}年{t.period.month}月。")
    note += words.DEMO + "。" if t.demo else ""
    texts = (title, *lines, note, *(c for r in rows for c in r), *(chart.texts() if chart else ()))
    names = tuple(t.name(i) for i in {*t.projections["indicator"], *t.projections["region"]})
    when = (f"{t.period.year}年{t.period.month}月", *(str(n) for n in range(1, 13) if section == "orders"))
    passport = complete(Passport(mark, title, tuple(numbers), (*fixed, *names, *when, t.source), texts))
    return [Page(mark, section, title, tuple(lines), note, passport, chart, rows)]


def _row_numbers(t: Tables, row: Mapping) -> list[Number]:
    key = (("region", row["region"]), ("indicator", row["indicator"]), ("year", str(row["year"])),
           ("as_of", str(row["as_of"])))
    cells = t.inputs(row["region"], row["indicator"])
    return [Number(text, float(value), formula, "PROJECTIONS" if column else "", key if column else (), column, cells)
            for text, value, column, formula in words.projection_numbers(row, _recent(t, row))]


def _recent(t: Tables, row: Mapping) -> float:
    return t.recent.get((row["region"], row["indicator"]), float("nan"))


def _count(n: float, what: str) -> Number:
    return Number(f"{n:g}", float(n), f"计数:{what}")


def _zone(t: Tables) -> pd.DataFrame:
    """Rows of the zone, each promise once: what restates or is part of another row is left to that row."""
    linked = t.targets.loc[t.targets["relation"].isin(LINKED), "id"]
    p = t.projections
    return p[p["region"].isin(ZONES) & ~p["indicator"].isin(linked)].reset_index(drop=True)


def _state(t: Tables, at: int) -> list[Page]:
    z = _zone(t)
    if z.empty:
        return _page(t, at, "state", "本期没有可判断的目标", ["没有全区的预测结果,请先核对报表是否收到。"], [], "")
    n = conclusions.lights(z)
    shown = {k: v for k, v in n.items() if v}
    labels = {k: words.LIGHTS[k] if k != "none" else "目标未下达" for k in shown}
    chart = Chart(tuple(labels.values()), (("项数", tuple(float(v) for v in shown.values())),), "项",
                  colours=tuple(LIGHT_COLOURS[k] for k in shown))
    lines = [f"{labels[k]}:{v}项" for k, v in shown.items()]
    return _page(t, at, "state", conclusions.title_bullets(z), [*lines, f"合计{len(z)}项。"],
                 [_count(v, words.LIGHTS[k]) for k, v in n.items()] + [_count(len(z), "全区目标")],
                 "按印出的把握分档:80%及以上、40%至79%、40%以下;", chart, fixed=("80 40 79",))


def _chances(t: Tables, at: int) -> list[Page]:
    z = _zone(t).dropna(subset=["probability"]).sort_values("probability", kind="stable").head(15)
    if z.empty:
        return []
    rows = z.to_dict("records")
    values = tuple(float(words.whole_chance(r["probability"])) for r in rows)
    numbers = [n for r in rows for n in _row_numbers(t, r) if n.column == "probability"]
    numbers += [Number(f"{v:g}%", v / 100, "把握按整百分数") for v in values]
    chart = Chart(tuple(words.clean(t.name(r["indicator"]), 24) for r in rows), (("完成把握", values),), "%", 100)
    table = [("指标", "把握", "用语")] + [(t.name(r["indicator"]), words.chance_number(r["probability"]),
                                     words.chance_word(r["probability"])) for r in rows]
    hard = sum(v < 40 for v in values)
    title = words.fit_title(f"把握最低的{len(rows)}项目标中,{hard}项不到四成")
    return _page(t, at, "chances", title, [], [*numbers, _count(len(rows), "列出的目标"), _count(hard, "把握不到40%")],
                 "把握是年末达到目标的概率,不是完成进度;", chart, table)


def _open(t: Tables, at: int) -> list[Page]:
    z = _zone(t)
    z = z[z["kind"] != "milestone"].dropna(subset=["probability"]).sort_values("probability", kind="stable")
    out: list[Page] = []
    duty = t.targets.drop_duplicates("id").set_index("id")
    for r in [r for r in z.to_dict("records") if words.light(r) in ("hard", "open")][:6]:
        promise = duty.loc[r["indicator"]] if r["indicator"] in duty.index else None
        commitment = promise["commitment"] if promise is not None else "firm"
        sentence = words.projection_sentence(r, _recent(t, r), commitment)
        who = words.responsible(promise["responsible"], promise["responsible_basis"]) if promise is not None else ""
        s = words.scale(max(abs(v) for v in (r["target_low"], r["median"]) if v == v), r["unit"],
                        2 if r["indicator"] == "rd_intensity" else None)
        bars = {"已完成" if r["kind"] == "flow" else "现值": r["actual"], "全年预计": r["median"],
                "目标": r["target_low"]}
        chart = Chart(tuple(bars), ((words.clean(t.name(r["indicator"]), 24),
                                     tuple(None if v != v else float(s.round(v)) for v in bars.values())),), s.unit,
                      colours=("14284B", "1F78C1", "94A3B8"))
        out += _page(t, at + len(out), "open", conclusions.title_pace(r, lambda i: words.clean(t.name(i), 40)),
                     [sentence + "。", f"责任单位:{who}。" if who else ""], _row_numbers(t, r),
                     "区间内的每个结果都有可能;", chart, fixed=("80%",))
    return out


def _parks(t: Tables, at: int) -> list[Page]:
    p = t.projections[~t.projections["region"].isin(ZONES)].dropna(subset=["probability", "target_low"])
    if p.empty:
        return []
    worst = p.groupby("indicator")["probability"].mean().nsmallest(8).index
    regions = [r for r in conclusions.PARKS if r in set(p["region"])]
    regions += sorted(set(p["region"]) - set(regions))
    cell = {(r["region"], r["indicator"]): r for r in p.to_dict("records")}
    table, numbers = [("指标", *(t.name(r) for r in regions))], []
    for i in worst:
        got = [cell.get((r, i)) for r in regions]
        table.append((t.name(i), *("—" if g is None else words.chance_number(g["probability"]) for g in got)))
        numbers += [n for g in got if g is not None for n in _row_numbers(t, g) if n.column == "probability"]
    title = conclusions.title_heatmap(p[p["indicator"].isin(worst)], lambda i: words.clean(t.name(i), 40))
    numbers += [_count(len(p[p["indicator"].isin(worst)]), "有目标的格"),
                _count(sum(words.light(r) == "hard" for i in worst for r in p[p["indicator"] == i].to_dict("records")),
                       "难度较大的格")]
    return _page(t, at, "parks", title, [], numbers, "「—」为园区目标未下达或不给把握;", table=table)


def _ranks(t: Tables, at: int) -> list[Page]:
    r = t.ranks[t.ranks["rank"].notna() & (t.ranks["indicator"] == "composite")] if len(t.ranks) else t.ranks
    r = r.sort_values(["rank", "region"]) if len(r) else r
    if r.empty:
        return _page(t, at, "ranks", "本期没有可排位的园区", ["缺数或目标未下达的园区不排位。"], [], "")
    table, numbers = [("位次", "园区", "得分", "90%区间")], [_count(0, "无")]
    for x in r.to_dict("records"):
        key = tuple((c, str(x[c])) for c in ("region", "indicator", "period", "measure"))
        span = f"第{int(x['low'])}—{int(x['high'])}位" if x["low"] == x["low"] else "—"
        table.append((f"{int(x['rank'])}", t.name(x["region"]), words.number(x["value"], "分"), span))
        numbers += [Number(words.number(x[c], "分") if c == "value" else f"{x[c]:g}", float(x[c]),
                           "综合得分与蒙特卡洛位次", "RANKS", key, c)
                    for c in ("value", "rank", "low", "high") if x[c] == x[c]]
    numbers += [_count(k, "区间重叠或并列的园区") for k in range(len(r) + 1)]
    return _page(t, at, "ranks", conclusions.title_ranks(r, t.name), [], numbers,
                 "位次区间重叠的园区先后尚不能分清;", table=table, fixed=("90%",))


def _orders(t: Tables, at: int) -> list[Page]:
    if t.orders.empty:
        return []
    shown, numbers = t.orders.head(8), [_count(len(t.orders), "月度要求")]
    table = [("指标", "园区", "责任单位", "月份", "要求", "历史")]
    for o in shown.to_dict("records"):
        ask = words.number(o["ask"], o["unit"])
        table.append((t.name(o["indicator"]), t.name(o["region"]),
                      words.responsible(o["responsible"], o["responsible_basis"]), f"{o['month'].month}月", ask,
                      o["grade"]))
        numbers += [Number(ask, o["ask"], "缺口按园区缺口和季节分摊"),
                    Number(o["grade"], float(o["of"]), "SERIES 近36个月计数")]
    never = int((t.orders["times"] == 0).sum())
    numbers += [_count(never, "从未做到的要求"), _count(len(shown), "列出的要求"), Number("36", 36, "回看月数")]
    title = words.fit_title(f"缺口分解为{len(t.orders)}条月度要求,{never}条从未做到过")
    return _page(t, at, "orders", title, [f"列出做到次数最少的{len(shown)}条,其余见台账。"], numbers,
                 "各条相加等于缺口;", table=table)


def _stages(t: Tables, at: int) -> list[Page]:
    if t.milestones.empty:
        return []
    m, now = t.milestones, t.period
    late = m[m["date"].isna() & m["expected"].notna() & (m["expected"] <= now)]
    done = int(m["date"].notna().sum())
    table = [("事项", "节点", "应到月份")] + [
        (t.name(r["id"]) + (f"({r['item']})" if r["item"] else ""), r["stage_zh"],
         f"{r['expected'].year}年{r['expected'].month}月") for r in late.head(12).to_dict("records")]
    fixed = tuple(c for r in table for c in r)
    title = words.fit_title(f"{len(m)}个节点中{done}个已到,{len(late)}个逾期")
    return _page(t, at, "stages", title, [], [_count(len(m), "节点"), _count(done, "已到"), _count(len(late), "逾期")],
                 "节点只有状态,不给概率;", table=table if len(late) else [], fixed=fixed)


_BUILD = {"state": _state, "chances": _chances, "open": _open, "parks": _parks, "ranks": _ranks, "orders": _orders,
          "stages": _stages}
