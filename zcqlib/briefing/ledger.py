"""The Excel ledger (台账) of all targets, locked except what people fill in; `zcqlib.ledger_reader` reads it back."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from zcqlib import findings, quantity
from zcqlib import ledger_reader as back
from zcqlib.briefing import fit
from zcqlib.briefing.passport import Passport, code, freeze, of_facts
from zcqlib.findings import Found, Given
from zcqlib.findings.targets import NAN, ZONES, row_id
from zcqlib.ledger_reader import COLUMNS, FILLED, HEAD, LOCKED, SEAL, SHEET, LedgerError

ORDERS, HELP = "缺口分解", "填报说明"
FACTS = {  # column of the ledger → column of the finding `standing`
    "已完成/现值": "done",
    "序时应达": "due",
    "全年预计": "median",
    "区间下限": "low",
    "区间上限": "high",
    "缺口": "gap",
    "月均需": "needed",
}
RELATIONS = {"": "", "restates": "重申", "part_of": "属于", "stage_of": "阶段", "overlaps": "交叉"}
SCOPES = {"zone": "全区", "city": "全市", "each_park": "各园区"}
WIDTHS = {
    "编号": 10,
    "指标": 26,
    "目标": 20,
    "责任单位": 40,
    "关联": 18,
    "佐证材料": 24,
    "单位回复": 30,
    "节点状态": 24,
    "现有佐证": 14,
    "上次填报": 26,
    "节点阶段": 20,
    "灯号": 13,
    "把握用语": 11,
    "到达月份": 9,
    "应到月份": 9,
}
BASE = dict(font_name="微软雅黑", font_size=10, valign="vcenter", border=1, border_color="#D5DAE0")
WRAPPED, CENTRED, BARE = dict(text_wrap=True), dict(align="center"), dict(border=0)
SMALL = dict(font_color="#5B6775")
FORMS = {
    "text": WRAPPED,
    "centre": WRAPPED | CENTRED,
    "number": dict(num_format="#,##0.##"),
    "whole": dict(num_format="#,##0"),
    "one": dict(num_format="#,##0.0"),
    "two": dict(num_format="#,##0.00"),
    "key": SMALL | dict(font_size=8, shrink=True),
    "head": WRAPPED | CENTRED | dict(bold=True, bg_color="#14284B", font_color="white"),
    "fill": WRAPPED | dict(locked=False, bg_color="#FFFBE6", num_format="@"),
    "title": BARE | dict(bold=True, font_size=16),
    "free": BARE,
    "plain": BARE | WRAPPED,
    "right": BARE | SMALL | dict(font_size=9, align="right"),
}
STAGE = dict(
    validate="list",
    error_type="warning",
    error_title="节点阶段",
    error_message="请从下拉列表中选择;同时到达几个节点的,用顿号隔开。",
)
DATE = dict(
    validate="length",
    criteria="between",
    minimum=0,
    maximum=10,
    input_title="达到日期",
    input_message="写作 2018-09-30",
    error_message="请写作 2018-09-30。",
)
WORDS = dict(validate="length", criteria="<=", value=500, error_message="不超过 500 字。")
GUIDE = (
    "只填黄色各列:节点阶段(下拉选择)、达到日期(如 2018-09-30)、佐证材料、单位回复。填好后随下月报表一并报送。",
    "没有另报报表的单位,在「本月」「累计」两列填报送月份的数(按本行单位),即作为报表采用;已报报表的不必再填。",
    "写了节点和达到日期的,下月记入节点进展;只写回复的,下月显示在「上次填报」。",
    "可以筛选;不要改动、增删其他列和行,改动会在读回时逐格列出。",
    "完成把握是年末达到目标的概率;灯号按取整后的把握分档:80%及以上、40%至79%、40%以下,不看序时进度。",
    "(推定)表示计划原文没有写明责任单位,由其他条目推定,请确认。",
)
UNITS = 44  # width of the responsible units among the asks
ASKS = ("指标", "园区", "责任单位", "月份", "要求", "单位", "历史")


def rows(given: Given) -> pd.DataFrame:
    """The ledger's rows: every target of the plan once, in its order, with what the finding `standing` says of it.

    Returns
    -------
    COLUMNS; numbers as printed in 单位, NaN where there is none; texts "" where empty; FILLED are empty.
    Raises
    ------
    LedgerError : a target stands twice.
    """
    plan, found = _plan(given), findings.find("standing", given)
    if len(twice := plan[plan["id"].duplicated()]):
        raise LedgerError(f"目标 {twice['id'].iloc[0]} 在目标表中出现不止一次,台账每项只能一行。")
    stages, replies = given.table("MILESTONES"), given.table("ANSWERS")
    stages, none = dict(iter(stages.groupby("id"))), stages[:0]
    said = {r["id"]: _said(r) for r in back.latest(replies).to_dict("records")}
    out = []
    for t in plan.to_dict("records"):
        text = _target(t, given.catalog.name) | _stages(t, stages.get(t["id"], none), given)
        text |= _judged(t, found) | {"上次填报": said.get(t["id"], "")}
        out.append(dict.fromkeys(FILLED, "") | {k: fit.clean(v) for k, v in text.items()})
        out[-1] |= _numbers(t, found)
    return pd.DataFrame(out, columns=list(COLUMNS))


def _plan(given: Given) -> pd.DataFrame:
    """The plan's rows of TARGETS: what the zone, the city or one named park promised, without the parks' splits."""
    t = given.catalog.targets
    once = t["scope"].str.startswith("park:") & ~t["id"].duplicated()
    return t[t["region"].isin(ZONES) | once]


def _target(t: dict, name: Callable[[str], str]) -> dict[str, str]:
    return {
        "编号": t["id"],
        "组别": "工作任务" if t["group"] == "work" else f"第{t['group']}组",
        "指标": t["name_zh"],
        "范围": SCOPES.get(t["scope"]) or name(t["scope"].removeprefix("park:")),
        "责任单位": quantity.responsible(t["responsible"], t["responsible_basis"]),
        "关联": f"{RELATIONS[t['relation']]}{name(t['related_id'])}" if t["relation"] else "",
    }


def _judged(t: dict, found: Found) -> dict[str, str]:
    """Target, chance and light as `standing` has them: of what each park owes, how many parks have to."""
    row, milestone = row_id(t["region"], t["id"]), t["kind"] == "milestone"
    known = row in found.rows.index
    s, chance = quantity.scale(t["target_low"], t["unit"]), NAN
    if known:
        s, chance, low, high = found.rows.loc[row, ["scale", "chance", "target", "target_high"]]
        t = t | {"target_low": low, "target_high": high}
    return {
        "目标": "按节点完成" if milestone else quantity.target_words(t, s),
        "单位": s.unit,
        "完成把握": "不给概率" if milestone else quantity.chance_number(chance),
        "把握用语": "" if milestone else quantity.chance_word(chance),
        "灯号": found.rows.at[row, "state"] if known else "",
    }


def _numbers(t: dict, found: Found) -> dict[str, float]:
    """What is printed in the columns of numbers; a milestone has none."""
    row = row_id(t["region"], t["id"])
    if t["kind"] == "milestone" or row not in found.rows.index:
        return dict.fromkeys(FACTS, NAN)
    r = found.rows.loc[row]
    out = {h: float(r["scale"].round(r[c])) if r[c] == r[c] else NAN for h, c in FACTS.items()}
    met = r["done"] == r["done"] and r["gap"] != r["gap"]
    return out | ({"缺口": 0.0} if met else {})


def _stages(t: dict, stages: pd.DataFrame, given: Given) -> dict[str, str]:
    """How far the stages of a promise are, and when the next is due."""
    due = stages.loc[stages["date"].isna(), "expected"].min() if len(stages) else pd.NaT
    done = stages.dropna(subset=["date"]).sort_values(["date", "stage_no"], kind="stable")
    unsaid = "未报节点" if t["kind"] == "milestone" else ""
    state = f"{len(stages)}个节点已到{len(done)}个" if len(stages) else unsaid
    out = {"节点状态": state, "应到月份": "" if pd.isna(due) else str(due)}
    if done.empty:
        return out | {"到达月份": "", "现有佐证": ""}
    last = done.iloc[-1]
    out["节点状态"] += f",最近:{back.option(last, given.catalog.name)}"
    return out | {"到达月份": str(last["date"]), "现有佐证": last["evidence"] or "缺佐证"}


def _said(r: dict) -> str:
    told = ";".join(filter(None, [r["stage"], r["date"], r["evidence"], r["reply"]]))
    return f"{r['published']}:{told}"


def passports(given: Given) -> list[Passport]:
    """The passports of the two sheets: every number printed is a fact."""
    asks, standing, period = (
        findings.find("asks", given),
        findings.find("standing", given),
        given.period,
    )
    ids = [row_id(t.region, t.id) for t in _plan(given).itertuples()]
    held = {standing.key(r, c) for r in ids for c in FACTS.values()}
    asked = {k for r in asks.things.index for c in ("ask", "grade") for k in asks.behind(r, c)}
    title = f"{period.year}年{period.month}月目标台账"
    return [
        Passport(code(period, "T", 1), title, of_facts(standing.facts(), held)),
        Passport(code(period, "T", 2), "缺口分解", of_facts(asks.facts(), asked)),
    ]


def ledger(given: Given) -> bytes:
    """The ledger as an XLSX file; same tables, same bytes; no cell is a formula.

    Returns
    -------
    The file's bytes: sheets 台账 (locked except FILLED, filters, frozen panes), 缺口分解, 填报说明, and 校验 (hidden):
    the locked cells once more with their seal.
    Raises
    ------
    KeyError : a column is missing.
    """
    out, period, lines = io.BytesIO(), given.period, rows(given)
    book = fit.workbook(out, f"{period}目标台账")
    form = {k: book.add_format(BASE | v) for k, v in FORMS.items()}
    asks, demo = (findings.find(n, given) for n in ("asks", "standing"))
    mark = f"({quantity.DEMO})" if demo.demo else ""
    _targets(book, form, lines, period, mark)
    _choices(book, lines, given)
    _orders(book, form, asks, period, mark)
    guide = book.add_worksheet(HELP)
    guide.set_column(0, 0, 90)
    for i, line in enumerate((*GUIDE, *[f"本表为{quantity.DEMO}。"] * demo.demo)):
        guide.write_string(i, 0, quantity.typeset(line), form["plain"])
    book.close()
    return freeze(out.getvalue())


def _targets(book, form: dict, lines: pd.DataFrame, period: pd.Period, mark: str) -> None:
    """The sheet 台账, locked but for what people fill in."""
    sheet, month = book.add_worksheet(SHEET), f"{period.year}年{period.month}月"
    said = f"共{len(lines)}项;黄色列由责任单位填写,其余列锁定;数据截至{month}{mark}"
    sheet.write_string(0, 0, quantity.typeset(f"{month}目标台账{mark}"), form["title"])
    sheet.write_string(0, len(COLUMNS) - 1, code(period, "T", 1), form["right"])
    sheet.write_string(1, 0, quantity.typeset(said), form["free"])
    for i, height in ((0, 28), (1, 16), (HEAD - 1, 32)):
        sheet.set_row(i, height)
    for j, column in enumerate(COLUMNS):
        sheet.write_string(HEAD - 1, j, column, form["head"])
        sheet.set_column(j, j, WIDTHS.get(column, 9))
    for i, row in enumerate(lines.to_dict("records"), HEAD):
        decimals = max(len(f"{row[c]:.2f}".rstrip("0").partition(".")[2]) for c in FACTS)
        digits = form[("whole", "one", "two")[decimals]]
        for j, column in enumerate(COLUMNS):
            if column in FACTS:
                if row[column] == row[column]:
                    sheet.write_number(i, j, row[column], digits)
                else:
                    sheet.write_string(i, j, quantity.NONE, form["centre"])
            else:
                kind = "key" if column == "编号" else "text" if column in WIDTHS else "centre"
                sheet.write_string(i, j, row[column], form["fill" if column in FILLED else kind])
        height = max(-(-2 * len(str(row[c])) // w) for c, w in WIDTHS.items() if c != "编号")
        sheet.set_row(i, 15 * max(1, height) + 3)
    last, light = HEAD + max(len(lines), 1) - 1, COLUMNS.index("灯号")
    sheet.autofilter(HEAD - 1, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(HEAD, 3)
    for r in quantity.lights().rows:
        tint = dict(type="text", criteria="begins with", value=r.mark)
        if r.mark:
            tint["format"] = book.add_format({"bg_color": f"#{r.tint}"})
            sheet.conditional_format(HEAD, light, last, light, tint)
    sheet.protect("", {"autofilter": True, "format_columns": True, "select_locked_cells": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_rows(HEAD - 1)
    sheet.repeat_columns(0, 2)


def _choices(book, lines: pd.DataFrame, given: Given) -> None:
    """What people may fill in, checked as they type; the stages of each row stand on the sealed sheet."""
    sheet, at = book.get_worksheet_by_name(SHEET), COLUMNS.index
    stages = given.table("MILESTONES").groupby("id")
    choices = {id: back.options(part, given.catalog.name) for id, part in stages}
    choices = [choices.get(id, list(back.STATES)) for id in lines["编号"]]
    _seal(book, lines, choices)
    for i, offered in enumerate(choices, 1):
        first, final = (xl_col_to_name(len(LOCKED) + k, True) for k in (0, len(offered) - 1))
        source = f"={SEAL}!{first}${i + 1}:{final}${i + 1}"
        place = (HEAD + i - 1, at("节点阶段")) * 2
        sheet.data_validation(*place, STAGE | {"source": source})
    last = HEAD + max(len(lines), 1) - 1
    sheet.data_validation(HEAD, at("达到日期"), last, at("达到日期"), DATE)
    sheet.data_validation(HEAD, at("佐证材料"), last, at("单位回复"), WORDS)


def _seal(book, lines: pd.DataFrame, choices: list[list[str]]) -> None:
    """The locked cells once more on a hidden sheet, with their hash; to the right what may be chosen in each row."""
    sheet = book.add_worksheet(SEAL)
    records = lines.to_dict("records")
    sheet.write_string(0, 0, back.seal(records))
    for i, (row, offered) in enumerate(zip(records, choices, strict=True), 1):
        for j, c in enumerate(LOCKED):
            if c not in FACTS:
                sheet.write_string(i, j, row[c])
            elif row[c] == row[c]:
                sheet.write_number(i, j, row[c])
        for j, text in enumerate(offered, len(LOCKED)):
            sheet.write_string(i, j, text)
    sheet.protect("")
    sheet.very_hidden()


def _orders(book, form: dict, asks: Found, period: pd.Period, mark: str) -> None:
    sheet = book.add_worksheet(ORDERS)
    for j, (head, width) in enumerate(zip(ASKS, (30, 16, UNITS, 10, 12, 10, 24), strict=True)):
        sheet.set_column(j, j, width)
        sheet.write_string(1, j, head, form["head"])
    sheet.write_string(
        0, 0, quantity.typeset(f"缺口按园区和月份分解,历史上做到次数少的在前{mark}"), form["title"]
    )
    sheet.set_row(0, 28)
    sheet.write_string(0, len(ASKS) - 1, code(period, "T", 2), form["right"])
    for i, row in enumerate(ask_rows(asks), 2):
        sheet.set_row(i, 15 * -(-2 * len(row[2]) // UNITS) + 3)
        for j, value in enumerate(row):
            if isinstance(value, float):
                sheet.write_number(i, j, value, form["number"])
            else:
                sheet.write_string(i, j, value, form["text"])
    sheet.freeze_panes(2, 1)
    sheet.autofilter(1, 0, max(len(asks.things), 1) + 1, len(ASKS) - 1)
    sheet.protect("", {"autofilter": True, "format_columns": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(1)


def ask_rows(asks: Found) -> list[tuple[str | float, ...]]:
    """The rows of 缺口分解 as printed, ASKS."""
    out = []
    for r in asks.things.to_dict("records"):
        texts = (*(fit.clean(r[c]) for c in ("what", "where", "by")), r["basis"])
        ask = float(r["scale"].round(r["ask"]))
        out.append((*texts, ask, r["scale"].unit, fit.clean(r["grade"])))
    return out
