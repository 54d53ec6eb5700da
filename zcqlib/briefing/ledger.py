"""The Excel ledger (台账) of all targets, locked except what people fill in; `zcqlib.ledger_reader` reads it back."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from itertools import product

import pandas as pd
from openpyxl import load_workbook
from xlsxwriter.utility import xl_col_to_name

from zcqlib import findings, quantity
from zcqlib import ledger_reader as back
from zcqlib.briefing import fit
from zcqlib.briefing.passport import CODE, Passport, code, facts_of
from zcqlib.findings import Given
from zcqlib.findings.targets import NAN, ZONES, row_id
from zcqlib.ledger_reader import COLUMNS, FILLED, HEAD, LOCKED, SEAL, SHEET, LedgerError

ORDERS, HELP = "缺口分解", "填报说明"
RELATIONS = {"": "", "restates": "重申", "part_of": "属于", "stage_of": "阶段", "overlaps": "交叉"}
SCOPES = {"zone": "全区", "city": "全市", "each_park": "各园区"}
# width and style of each column, and the column of the finding `standing` that it prints
_COLUMNS = """
编号 10 key
组别 9 centre
指标 26 text
范围 9 centre
目标 20 text
单位 9 centre
已完成/现值 9 centre done
序时应达 9 centre due
全年预计 9 centre median
区间下限 9 centre low
区间上限 9 centre high
完成把握 9 centre
把握用语 11 text
灯号 13 text
缺口 9 centre gap
月均需 9 centre needed
责任单位 40 text
关联 18 text
节点状态 24 text
到达月份 9 text
现有佐证 14 text
应到月份 9 text
上次填报 26 text
节点阶段 20 fill
达到日期 9 fill
佐证材料 24 fill
单位回复 30 fill
本月 9 fill
累计 9 fill
"""
_LINES = [line.split() for line in _COLUMNS.strip().split("\n")]
WIDTHS = {column: int(wide) for column, wide, *_ in _LINES}
KINDS = {column: kind for column, _, kind, *_ in _LINES}
FACTS = {column: fact for column, _, _, *facts in _LINES for fact in facts}
# what may be filled in
_VALIDATIONS = """
stage : validate list; error_type warning; error_title 节点阶段; error_message 请从下拉列表中选择;同时到达几个节点的,用顿号隔开。
date : validate length; criteria between; minimum 0; maximum 10; input_title 达到日期; input_message 写作 2018-09-30; error_message 请写作 2018-09-30。
words : validate length; criteria <=; value 500; error_message 不超过 500 字。
"""
STAGE, DATE, WORDS = fit.settings(_VALIDATIONS).values()
GUIDE = """
只填黄色各列:节点阶段(下拉选择)、达到日期(如 2018-09-30)、佐证材料、单位回复。填好后随下月报表一并报送。
没有另报报表的单位,在「本月」「累计」两列填报送月份的数(按本行单位),即作为报表采用;已报报表的不必再填。
写了节点和达到日期的,下月记入节点进展;只写回复的,下月显示在「上次填报」。
可以筛选;不要改动、增删其他列和行,改动会在读回时逐格列出。
完成把握是年末达到目标的概率;灯号按取整后的把握分档:80%及以上、40%至79%、40%以下,不看序时进度。
(推定)表示计划原文没有写明责任单位,由其他条目推定,请确认。
"""
ASKS = {"指标": 30, "园区": 16, "责任单位": 44, "月份": 10, "要求": 12, "单位": 10, "历史": 24}


def rows(given: Given) -> pd.DataFrame:
    """The ledger's rows: every target of the plan once, in its order, with what the finding `standing` says of it.

    Returns
    -------
    COLUMNS; numbers as printed in 单位, NaN where there is none; texts "" where empty; FILLED are empty.
    Raises
    ------
    LedgerError : a target stands twice.
    """
    plan = _plan(given)
    if len(twice := plan[plan["id"].duplicated()]):
        raise LedgerError(f"目标 {twice['id'].iloc[0]} 在目标表中出现不止一次,台账每项只能一行。")
    judged = findings.find("standing", given).rows
    stages, name = given.table("MILESTONES"), given.catalog.name
    of, said = dict(iter(stages.groupby("id"))), {}
    for r in back.latest(given.table("ANSWERS")).to_dict("records"):
        told = filter(None, [r["stage"], r["date"], r["evidence"], r["reply"]])
        said[r["id"]] = f"{r['published']}:{';'.join(told)}"
    judged = judged.reindex(map(row_id, plan["region"], plan["id"])).fillna({"state": ""})
    out = []
    for t, r in zip(plan.to_dict("records"), judged.to_dict("records"), strict=True):
        text, numbers = _judged(t, r, name)
        text |= _stages(t, of.get(t["id"], stages[:0]), name)
        text |= {"上次填报": said.get(t["id"], "")} | dict.fromkeys(FILLED, "")
        out.append({k: fit.clean(v) for k, v in text.items()} | numbers)
    return pd.DataFrame(out, columns=list(COLUMNS))


def _plan(given: Given) -> pd.DataFrame:
    """The plan's rows of TARGETS: what the zone, the city or one named park promised, without the parks' splits."""
    t = given.catalog.targets
    once = t["scope"].str.startswith("park:") & ~t["id"].duplicated()
    return t[t["region"].isin(ZONES) | once]


def _judged(t: dict, r: dict, name: Callable) -> tuple[dict[str, str], dict[str, float]]:
    """The target, its chance and light as `standing` has them, and what is printed in the columns of numbers: of what
    each park owes, how many parks have to; a milestone has none."""
    milestone, s = t["kind"] == "milestone", quantity.scale(t["target_low"], t["unit"])
    if isinstance(r["scale"], quantity.Scale):
        s, t = r["scale"], t | {"target_low": r["target"], "target_high": r["target_high"]}
    numbers = {
        h: NAN if milestone or r[c] != r[c] else float(s.round(r[c])) for h, c in FACTS.items()
    }
    if numbers["已完成/现值"] == numbers["已完成/现值"] and r["gap"] != r["gap"]:
        numbers["缺口"] = 0.0
    return {
        "编号": t["id"],
        "组别": "工作任务" if t["group"] == "work" else f"第{t['group']}组",
        "指标": t["name_zh"],
        "范围": SCOPES.get(t["scope"]) or name(t["scope"].removeprefix("park:")),
        "责任单位": quantity.responsible(t["responsible"], t["responsible_basis"]),
        "关联": RELATIONS[t["relation"]] + name(t["related_id"]) * bool(t["relation"]),
        "目标": "按节点完成" if milestone else quantity.target_words(t, s),
        "单位": s.unit,
        "完成把握": "不给概率" if milestone else quantity.chance_number(r["chance"]),
        "把握用语": "" if milestone else quantity.chance_word(r["chance"]),
        "灯号": r["state"],
    }, numbers


def _stages(t: dict, stages: pd.DataFrame, name: Callable[[str], str]) -> dict[str, str]:
    """How far the stages of a promise are, and when the next is due."""
    due = stages.loc[stages["date"].isna(), "expected"].min()
    done = stages.dropna(subset=["date"]).sort_values(["date", "stage_no"], kind="stable")
    unsaid = "未报节点" if t["kind"] == "milestone" else ""
    out = dict(
        节点状态=f"{len(stages)}个节点已到{len(done)}个" if len(stages) else unsaid,
        应到月份="" if pd.isna(due) else due,
    )
    for last in done[-1:].to_dict("records"):
        out["节点状态"] += f",最近:{back.option(last, name)}"
        out |= dict(到达月份=last["date"], 现有佐证=last["evidence"] or "缺佐证")
    return dict(到达月份="", 现有佐证="") | out


def passports(given: Given) -> list[Passport]:
    """The passports of the two sheets: every number printed is a fact."""
    asks, standing = findings.find("asks", given), findings.find("standing", given)
    plan, out = _plan(given), []
    ids = list(map(row_id, plan["region"], plan["id"]))
    told = (standing, ids, FACTS.values()), (asks, asks.things.index, ("ask", "grade"))
    sheets = read_ledger(ledger(given)).items()
    for (mark, texts), (found, *of) in zip(sheets, told, strict=True):
        keys = {key for at in product(*of) for key in found.behind(*at)}
        out.append(Passport(mark, texts[0], facts_of(found.facts(), keys), texts))
    return out


def read_ledger(content: bytes) -> dict[str, list[str]]:
    """Every row of the two sheets, by code: what people do not fill in, cells joined with `|`."""
    out = {}
    for sheet in load_workbook(io.BytesIO(content)):
        rows = [list(map(back.plain, row)) for row in sheet.values]
        for mark in filter(CODE.fullmatch, rows[0]):
            heads = enumerate(zip(*rows[:HEAD], strict=True))
            own = [j for j, column in heads if not set(column) & set(FILLED)]
            out[mark] = ["|".join(r[j] for j in own if r[j] != mark).strip("|") for r in rows]
    return out


def ledger(given: Given, names: Collection[str] = ()) -> bytes:
    """The ledger as an XLSX file; same tables, same bytes; no cell is a formula.

    Parameters
    ----------
    names : of one responsible unit, however the plan writes them; its own rows alone are then on it.
    Returns
    -------
    The file's bytes: sheets 台账 (locked except FILLED, filters, frozen panes), 缺口分解, 填报说明, and 校验 (hidden):
    the locked cells once more with their seal.
    Raises
    ------
    LedgerError : a target stands twice.
    """
    out, period, lines = io.BytesIO(), given.period, rows(given)
    if names:
        own = [bool({*names} & {*u.split(";")}) for u in _plan(given)["responsible"]]
        lines = lines[own].reset_index(drop=True)
    book, form = fit.workbook(out, f"{period}目标台账")
    asks, demo = (findings.find(n, given) for n in ("asks", "standing"))
    month, mark = f"{period.year}年{period.month}月", f"({quantity.DEMO})" * demo.demo
    said = f"共{len(lines)}项;黄色列由责任单位填写,其余列锁定;数据截至{month}{mark}"
    titles, own = [f"{month}目标台账{mark}", said], code(period, "T", 1)
    shown = lines.itertuples(index=False)
    sheet = fit.sheet(book, form, SHEET, titles, WIDTHS, shown, KINDS, own, paper=8)
    sheet.freeze_panes(HEAD, 3)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_columns(0, 2)
    _choices(book, sheet, lines, given)
    title = f"缺口按园区和月份分解,历史上做到次数少的在前{mark}"
    asked = [
        (r.what, r.where, r.by, r.basis, float(r.scale.round(r.ask)), r.scale.unit, r.grade)
        for r in asks.things.itertuples()
        if r.indicator in set(lines["编号"])
    ]
    texts = dict.fromkeys(ASKS, "text")
    fit.sheet(book, form, ORDERS, [title], ASKS, asked, texts, code(period, "T", 2))
    guide = book.add_worksheet(HELP)
    guide.set_column(0, 0, 90)
    told = [*GUIDE.strip().split("\n"), *[f"本表为{quantity.DEMO}。"] * demo.demo]
    guide.write_column(0, 0, map(quantity.typeset, told), form("guide"))
    book.close()
    return out.getvalue()


def _choices(book, sheet, lines: pd.DataFrame, given: Given) -> None:
    """What people may fill in, checked as they type, and lights in their colours. On a hidden sheet the locked cells
    once more, with their hash, and to the right what may be chosen in each row."""
    at, seal, records = COLUMNS.index, book.add_worksheet(SEAL), lines.to_dict("records")
    stages = given.table("MILESTONES").groupby("id")
    choices = {id: back.options(part, given.catalog.name) for id, part in stages}
    seal.write(0, 0, back.seal(records))
    for i, row in enumerate(records, 1):
        offered = choices.get(row["编号"], list(back.STATES))
        locked = (row[c] for c in LOCKED)
        seal.write_row(i, 0, ["" if v != v else v for v in (*locked, *offered)])
        first, final = (xl_col_to_name(len(LOCKED) + k, True) for k in (0, len(offered) - 1))
        source = f"={SEAL}!{first}${i + 1}:{final}${i + 1}"
        place = (HEAD + i - 1, at("节点阶段")) * 2
        sheet.data_validation(*place, STAGE | {"source": source})
    seal.protect("")
    seal.very_hidden()
    last = HEAD + max(len(lines), 1) - 1
    sheet.data_validation(HEAD, at("达到日期"), last, at("达到日期"), DATE)
    sheet.data_validation(HEAD, at("佐证材料"), last, at("单位回复"), WORDS)
    for r in quantity.lights().rows:
        if r.mark:
            tint = dict(type="text", criteria="begins with", value=r.mark)
            tint["format"] = book.add_format({"bg_color": f"#{r.tint}"})
            sheet.conditional_format(HEAD, at("灯号"), last, at("灯号"), tint)
