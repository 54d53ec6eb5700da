"""The Excel ledger (台账) of all targets, locked except what people fill in; `zcqlib.answers` reads it back."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from zcqlib import answers as back
from zcqlib import quantity
from zcqlib.answers import COLUMNS, FILLED, HEAD, LOCKED, SEAL, SHEET, LedgerError
from zcqlib.briefing import fit
from zcqlib.briefing.passport import Number, Passport, code, freeze, of_facts
from zcqlib.findings import Found

ORDERS, HELP = "缺口分解", "填报说明"
NUMBERS = ("已完成/现值", "序时应达", "全年预计", "区间下限", "区间上限", "缺口", "月均需")
FROM = {"已完成/现值": "actual", "全年预计": "median", "区间下限": "low", "区间上限": "high"}
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
UNITS = 44  # width of the responsible units among the asks
ASKS = ("指标", "园区", "责任单位", "月份", "要求", "单位", "历史")


def ledger_rows(
    targets: pd.DataFrame,
    projections: pd.DataFrame,
    milestones: pd.DataFrame,
    period: pd.Period,
    name: Callable[[str], str],
    replies: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The ledger's rows as printed: every target once, in the plan's order.

    Parameters
    ----------
    targets : TARGETS rows of the plan (all 125; park split rows are left out). projections : PROJECTIONS.
    milestones : MILESTONES. name : id → Chinese name. replies : ANSWERS that came before; the last shows in 上次填报.
    Returns
    -------
    COLUMNS; numbers rounded as printed in 单位, NaN where there is none; texts "" where empty; FILLED are empty.
    Raises
    ------
    LedgerError : a target stands twice.
    Source
    ------
    目标表、预测表、节点表;推定的责任单位注明(推定)。
    """
    plan = targets[
        targets["region"].isin(["zone", "city"])
        | (targets["scope"].str.startswith("park:") & ~targets["id"].duplicated())
    ]
    if len(twice := plan[plan["id"].duplicated()]):
        raise LedgerError(f"目标 {twice['id'].iloc[0]} 在目标表中出现不止一次,台账每项只能一行。")
    held = {(r["region"], r["indicator"]): r for r in projections.to_dict("records")}
    said = {} if replies is None else {r["id"]: r for r in back.latest(replies).to_dict("records")}
    stages, none, rows = dict(iter(milestones.groupby("id"))), milestones[:0], []
    for t in plan.to_dict("records"):
        p = held.get((t["region"], t["id"])) or {
            "indicator": t["id"],
            "kind": t["kind"],
            "unit": t["unit"],
            "comparator": t["comparator"],
            "as_of": period,
            "verdict": "",
            **dict.fromkeys(("actual", "median", "low", "high", "probability"), float("nan")),
        }
        p = p | {k: t[k] for k in ("target_low", "target_high", "comparator", "kind")}
        rows.append(
            _row(t, p, stages.get(t["id"], none), period, name)
            | {"上次填报": fit.clean(_said(said.get(t["id"])))}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    t: dict, p: dict, stages: pd.DataFrame, period: pd.Period, name: Callable[[str], str]
) -> dict:
    s, milestone, flow = (
        quantity.row_scale(p),
        t["kind"] == "milestone",
        t["kind"] in ("flow", "recurring"),
    )

    def printed(value: float) -> float:
        return float(s.round(value)) if value == value else float("nan")

    need = quantity.needed(p) if flow or t["kind"] == "stock" else None
    short, known = quantity.shortfall(p), p["actual"] == p["actual"]
    chance = float("nan") if milestone else p["probability"]
    due = (
        stages[stages["date"].isna() & stages["expected"].notna()]["expected"].min()
        if len(stages)
        else pd.NaT
    )
    done = stages.dropna(subset=["date"]).sort_values(["date", "stage_no"], kind="stable")
    last = done.iloc[-1] if len(done) else None
    state = (
        f"{len(stages)}个节点已到{len(done)}个" if len(stages) else "未报节点" if milestone else ""
    )
    text = {
        "编号": t["id"],
        "组别": "工作任务" if t["group"] == "work" else f"第{t['group']}组",
        "指标": t["name_zh"],
        "范围": SCOPES.get(t["scope"]) or name(t["scope"].removeprefix("park:")),
        "目标": "按节点完成"
        if milestone
        else quantity.target_words(p | {"commitment": t["commitment"]}, s),
        "单位": s.unit,
        "完成把握": "不给概率" if milestone else quantity.chance_number(chance),
        "把握用语": "" if milestone else quantity.chance_word(chance),
        "灯号": quantity.light_text(p),
        "责任单位": quantity.responsible(t["responsible"], t["responsible_basis"]),
        "关联": f"{RELATIONS[t['relation']]}{name(t['related_id'])}" if t["relation"] else "",
        "节点状态": state + ("" if last is None else f",最近:{back.option(last, name)}"),
        "到达月份": "" if last is None else str(last["date"]),
        "现有佐证": "" if last is None else last["evidence"] or "缺佐证",
        "应到月份": "" if pd.isna(due) else str(due),
        **dict.fromkeys(FILLED, ""),
    }
    figures = {
        **{c: printed(p[of]) for c, of in FROM.items()},
        "序时应达": printed(p["target_low"] * period.month / 12) if flow else float("nan"),
        "缺口": float(short or 0) if known else float("nan"),
        "月均需": float(need) if need is not None else float("nan"),
    }
    if milestone:
        figures = dict.fromkeys(NUMBERS, float("nan"))
    return {k: fit.clean(v) for k, v in text.items()} | figures


def _said(r: dict | None) -> str:
    if r is None:
        return ""
    return f"{r['published']}:" + ";".join(
        filter(None, [r["stage"], r["date"], r["evidence"], r["reply"]])
    )


def passports(
    rows: pd.DataFrame,
    asks: Found,
    projections: pd.DataFrame,
    period: pd.Period,
    region: Callable[[str], str],
) -> list[Passport]:
    """The passports of the two sheets: every printed number with its value and place. `region` : id → zone or city."""
    held = {(r["region"], r["indicator"]): r for r in projections.to_dict("records")}
    numbers = []
    for row in rows.to_dict("records"):
        p = held.get((region(row["编号"]), row["编号"]))
        inputs = (f"{region(row['编号'])}/{row['编号']}", f"target/{row['编号']}")
        for c in NUMBERS:
            if row[c] != row[c]:
                continue
            text, of = f"{row['编号']} {c} {row[c]:g}{row['单位']}", FROM.get(c, "")
            key = (
                (
                    ("region", p["region"]),
                    ("indicator", p["indicator"]),
                    ("year", str(p["year"])),
                    ("as_of", str(p["as_of"])),
                )
                if p and of
                else ()
            )
            formula = {
                "序时应达": "目标 × 月份 ÷ 12",
                "缺口": "目标 − 已完成,按所示数相减",
                "月均需": "缺口 ÷ 余下月数,按所示位数进位",
            }.get(c, "四舍五入到所示位数")
            numbers.append(
                Number(
                    text,
                    float(p[of]) if key else row[c],
                    formula,
                    "PROJECTIONS" if key else "",
                    key,
                    of if key else "",
                    inputs,
                )
            )
    things = asks.things
    keys = {k for r in things.index for c in ("ask", "grade") for k in asks.behind(r, c)}
    return [
        Passport(code(period, "T", 1), f"{period.year}年{period.month}月目标台账", tuple(numbers)),
        Passport(code(period, "T", 2), "缺口分解", of_facts(asks.facts(), keys)),
    ]


def ledger(
    rows: pd.DataFrame,
    asks: Found,
    milestones: pd.DataFrame,
    period: pd.Period,
    name: Callable[[str], str],
    demo: bool = False,
) -> bytes:
    """The ledger as an XLSX file; same tables, same bytes; no cell is a formula.

    Parameters
    ----------
    rows : as `ledger_rows` gives them. asks : the finding. milestones : MILESTONES, for what may be chosen.
    Returns
    -------
    The file's bytes: sheets 台账 (locked except FILLED, filters, frozen panes), 缺口分解, 填报说明, and 校验 (hidden):
    the locked cells once more with their seal.
    Raises
    ------
    KeyError : a column is missing.
    Source
    ------
    数字均为印出的位数。
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": datetime(2000, 1, 1), "title": f"{period}目标台账"})
    base = {
        "font_name": "微软雅黑",
        "font_size": 10,
        "valign": "vcenter",
        "border": 1,
        "border_color": "#D5DAE0",
    }
    form = {
        k: book.add_format(base | v)
        for k, v in {
            "text": {"text_wrap": True},
            "centre": {"align": "center", "text_wrap": True},
            "number": {"num_format": "#,##0.##"},
            "whole": {"num_format": "#,##0"},
            "one": {"num_format": "#,##0.0"},
            "two": {"num_format": "#,##0.00"},
            "key": {"font_size": 8, "font_color": "#5B6775", "shrink": True},
            "head": {
                "bold": True,
                "bg_color": "#14284B",
                "font_color": "white",
                "text_wrap": True,
                "align": "center",
            },
            "fill": {"locked": False, "bg_color": "#FFFBE6", "text_wrap": True, "num_format": "@"},
            "title": {"bold": True, "font_size": 16, "border": 0},
            "plain": {"border": 0, "text_wrap": True},
            "right": {"border": 0, "font_size": 9, "font_color": "#5B6775", "align": "right"},
        }.items()
    }
    sheet = book.add_worksheet(SHEET)
    mark = f"({quantity.DEMO})" if demo else ""
    sheet.write_string(
        0, 0, quantity.typeset(f"{period.year}年{period.month}月目标台账{mark}"), form["title"]
    )
    sheet.write_string(0, len(COLUMNS) - 1, code(period, "T", 1), form["right"])
    sheet.write_string(
        1,
        0,
        quantity.typeset(
            f"共{len(rows)}项;黄色列由责任单位填写,其余列锁定;"
            f"数据截至{period.year}年{period.month}月{mark}"
        ),
        book.add_format({"font_name": "微软雅黑", "font_size": 10}),
    )
    sheet.set_row(0, 28)
    sheet.set_row(1, 16)
    sheet.set_row(HEAD - 1, 32)
    for j, column in enumerate(COLUMNS):
        sheet.write_string(HEAD - 1, j, column, form["head"])
    for j, column in enumerate(COLUMNS):
        sheet.set_column(j, j, WIDTHS.get(column, 9))
    for i, row in enumerate(rows.to_dict("records"), HEAD):
        decimals = max(len(f"{row[c]:.2f}".rstrip("0").partition(".")[2]) for c in NUMBERS)
        digits = form[("whole", "one", "two")[decimals]]
        for j, column in enumerate(COLUMNS):
            if column in NUMBERS:
                if row[column] == row[column]:
                    sheet.write_number(i, j, row[column], digits)
                else:
                    sheet.write_string(i, j, quantity.NONE, form["centre"])
            else:
                kind = "key" if column == "编号" else "text" if column in WIDTHS else "centre"
                sheet.write_string(i, j, row[column], form["fill" if column in FILLED else kind])
        lines = max(-(-2 * len(str(row[c])) // w) for c, w in WIDTHS.items() if c != "编号")
        sheet.set_row(i, 15 * max(1, lines) + 3)
    last = HEAD + max(len(rows), 1) - 1
    sheet.autofilter(HEAD - 1, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(HEAD, 3)
    at = {c: j for j, c in enumerate(COLUMNS)}
    for shape_mark, colour in {
        r.mark: f"#{r.tint}" for r in quantity.lights().rows if r.mark
    }.items():
        sheet.conditional_format(
            HEAD,
            at["灯号"],
            last,
            at["灯号"],
            {
                "type": "text",
                "criteria": "begins with",
                "value": shape_mark,
                "format": book.add_format({"bg_color": colour}),
            },
        )
    choices = {id: back.options(part, name) for id, part in milestones.groupby("id")}
    choices = [choices.get(id, list(back.STATES)) for id in rows["编号"]]
    for i, offered in enumerate(choices, 1):
        first, final = (xl_col_to_name(len(LOCKED) + k, True) for k in (0, len(offered) - 1))
        sheet.data_validation(
            HEAD + i - 1,
            at["节点阶段"],
            HEAD + i - 1,
            at["节点阶段"],
            {
                "validate": "list",
                "source": f"={SEAL}!{first}${i + 1}:{final}${i + 1}",
                "error_type": "warning",
                "error_title": "节点阶段",
                "error_message": "请从下拉列表中选择;同时到达几个节点的,用顿号隔开。",
            },
        )
    sheet.data_validation(
        HEAD,
        at["达到日期"],
        last,
        at["达到日期"],
        {
            "validate": "length",
            "criteria": "between",
            "minimum": 0,
            "maximum": 10,
            "input_title": "达到日期",
            "input_message": "写作 2018-09-30",
            "error_message": "请写作 2018-09-30。",
        },
    )
    sheet.data_validation(
        HEAD,
        at["佐证材料"],
        last,
        at["单位回复"],
        {"validate": "length", "criteria": "<=", "value": 500, "error_message": "不超过 500 字。"},
    )
    sheet.protect("", {"autofilter": True, "format_columns": True, "select_locked_cells": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_rows(HEAD - 1)
    sheet.repeat_columns(0, 2)
    _orders(book, form, asks, period, mark)
    guide = book.add_worksheet(HELP)
    guide.set_column(0, 0, 90)
    for i, line in enumerate(
        (
            "只填黄色各列:节点阶段(下拉选择)、达到日期(如 2018-09-30)、佐证材料、单位回复。填好后随下月报表一并报送。",
            "没有另报报表的单位,在「本月」「累计」两列填报送月份的数(按本行单位),即作为报表采用;已报报表的不必再填。",
            "写了节点和达到日期的,下月记入节点进展;只写回复的,下月显示在「上次填报」。",
            "可以筛选;不要改动、增删其他列和行,改动会在读回时逐格列出。",
            "完成把握是年末达到目标的概率;灯号按印出的把握分档:80%及以上、40%至79%、40%以下,不看序时进度。",
            "(推定)表示计划原文没有写明责任单位,由其他条目推定,请确认。",
            *((f"本表为{quantity.DEMO}。",) if demo else ()),
        )
    ):
        guide.write_string(i, 0, quantity.typeset(line), form["plain"])
    _seal(book, rows, choices)
    book.close()
    return freeze(out.getvalue())


def _seal(book, rows: pd.DataFrame, choices: list[list[str]]) -> None:
    """The locked cells once more on a hidden sheet, with their hash; to the right what may be chosen in each row."""
    sheet = book.add_worksheet(SEAL)
    records = rows.to_dict("records")
    sheet.write_string(0, 0, back.seal(records))
    for i, (row, offered) in enumerate(zip(records, choices, strict=True), 1):
        for j, c in enumerate(LOCKED):
            if c not in NUMBERS:
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
