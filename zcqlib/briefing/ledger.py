"""The Excel ledger (台账) of all targets: written locked except what people fill in, and read back cell by cell."""
from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from zipfile import BadZipFile

import pandas as pd
import xlsxwriter

from zcqlib.briefing import words
from zcqlib.briefing.passport import freeze
from zcqlib.tables import PROBLEMS, ZcqError, shape

SHEET, ORDERS, HELP, HEAD = "台账", "缺口分解", "填报说明", 3  # HEAD: the heading's row, counted from 1
COLUMNS = ("编号", "组别", "指标", "范围", "目标", "单位", "已完成/现值", "序时应达", "全年预计", "区间下限",
           "区间上限", "完成把握", "把握用语", "灯号", "缺口", "月均需", "责任单位", "关联", "节点状态", "应到月份",
           "节点阶段", "达到日期", "佐证材料", "单位回复")
FILLED = ("节点阶段", "达到日期", "佐证材料", "单位回复")
NUMBERS = ("已完成/现值", "序时应达", "全年预计", "区间下限", "区间上限", "缺口", "月均需")
STAGES = ("未启动", "推进中", "已提交", "已完成", "需协调")
COLOURS = {"●": "#D8EDE6", "▲": "#F7E7C6", "■": "#F6D5D2", "✓": "#D5DCE8", "◇": "#EEF0F2"}
RELATIONS = {"": "", "restates": "重申", "part_of": "属于", "stage_of": "阶段", "overlaps": "交叉"}
SCOPES = {"zone": "全区", "city": "全市", "each_park": "各园区"}


class LedgerError(ZcqError):
    """A ledger that cannot be read back."""


def ledger_rows(targets: pd.DataFrame, projections: pd.DataFrame, milestones: pd.DataFrame, period: pd.Period,
                name: Callable[[str], str]) -> pd.DataFrame:
    """The ledger's rows as printed: every target once, in the plan's order.

    Parameters
    ----------
    targets : TARGETS rows of the plan (all 125; park split rows are left out). projections : PROJECTIONS.
    milestones : MILESTONES. name : id → Chinese name.
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
    plan = targets[targets["region"].isin(["zone", "city"]) | (targets["scope"].str.startswith("park:")
                                                               & ~targets["id"].duplicated())]
    if len(twice := plan[plan["id"].duplicated()]):
        raise LedgerError(f"目标 {twice['id'].iloc[0]} 在目标表中出现不止一次,台账每项只能一行。")
    held = {(r["region"], r["indicator"]): r for r in projections.to_dict("records")}
    rows = []
    for t in plan.to_dict("records"):
        p = held.get((t["region"], t["id"])) or {
            "indicator": t["id"], "kind": t["kind"], "unit": t["unit"], "comparator": t["comparator"], "as_of": period,
            **dict.fromkeys(("actual", "median", "low", "high", "probability"), float("nan")), "demo": False}
        p = p | {k: t[k] for k in ("target_low", "target_high", "comparator", "kind")}
        rows.append(_row(t, p, milestones[milestones["id"] == t["id"]], period, name))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(t: dict, p: dict, stages: pd.DataFrame, period: pd.Period, name: Callable[[str], str]) -> dict:
    size = max((abs(v) for v in (p["target_low"], p["actual"], p["median"]) if v == v), default=0.0)
    s = words.scale(size, p["unit"], 2 if t["id"] == "rd_intensity" else None)

    def printed(value: float) -> float:
        return float(s.round(value)) if value == value else float("nan")

    milestone, flow = t["kind"] == "milestone", t["kind"] in ("flow", "recurring")
    need = words.needed(p, s) if flow or t["kind"] == "stock" else None
    gap = s.round(p["target_low"]) - s.round(p["actual"]) if p["actual"] == p["actual"] and not milestone else None
    chance = float("nan") if milestone else p["probability"]
    light = words.light(p)
    due = stages[stages["date"].isna() & stages["expected"].notna()]["expected"].min() if len(stages) else pd.NaT
    last = stages.dropna(subset=["date"]).sort_values(["date", "stage_no"])
    state = "未到节点" if milestone else ""
    if milestone and len(last):
        state = f"{last['stage_zh'].iloc[-1]}({last['date'].iloc[-1]})"
    text = {
        "编号": t["id"], "组别": "工作任务" if t["group"] == "work" else f"第{t['group']}组", "指标": t["name_zh"],
        "范围": SCOPES.get(t["scope"]) or name(t["scope"].removeprefix("park:")),
        "目标": "按节点完成" if milestone else words.target_words(p, s, t["commitment"]), "单位": s.unit,
        "完成把握": "不给概率" if milestone else words.chance_number(chance),
        "把握用语": "" if milestone else words.chance_word(chance),
        "灯号": words.LIGHTS[light], "责任单位": words.responsible(t["responsible"], t["responsible_basis"]),
        "关联": f"{RELATIONS[t['relation']]}{name(t['related_id'])}" if t["relation"] else "", "节点状态": state,
        "应到月份": "" if pd.isna(due) else str(due), **dict.fromkeys(FILLED, "")}
    figures = {
        "已完成/现值": printed(p["actual"]), "全年预计": printed(p["median"]), "区间下限": printed(p["low"]),
        "序时应达": printed(p["target_low"] * period.month / 12) if flow else float("nan"),
        "区间上限": printed(p["high"]), "缺口": float(max(gap, 0)) if gap is not None else float("nan"),
        "月均需": float(need) if need is not None else float("nan")}
    if milestone:
        figures = dict.fromkeys(NUMBERS, float("nan"))
    return {k: words.clean(v) for k, v in text.items()} | figures


def ledger(rows: pd.DataFrame, orders: pd.DataFrame, period: pd.Period, name: Callable[[str], str],
           demo: bool = False) -> bytes:
    """The ledger as an XLSX file; same tables, same bytes; no cell is a formula.

    Parameters
    ----------
    rows : as `ledger_rows` gives them; FILLED may hold what people filled in before. orders : as `gap_orders`.
    Returns
    -------
    The file's bytes: sheets 台账 (locked except FILLED, filters, frozen panes), 缺口分解, 填报说明.
    Raises
    ------
    KeyError : a column is missing.
    Source
    ------
    数字均为印出的位数。
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                     "strings_to_numbers": False})
    book.set_properties({"created": datetime(2000, 1, 1), "title": f"{period}目标台账"})
    base = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter", "border": 1, "border_color": "#D5DAE0"}
    form = {k: book.add_format(base | v) for k, v in {
        "text": {"text_wrap": True}, "centre": {"align": "center", "text_wrap": True},
        "number": {"num_format": "#,##0.##"}, "whole": {"num_format": "#,##0"}, "one": {"num_format": "#,##0.0"},
        "two": {"num_format": "#,##0.00"}, "key": {"font_size": 8, "font_color": "#5B6775"},
        "head": {"bold": True, "bg_color": "#14284B", "font_color": "white", "text_wrap": True, "align": "center"},
        "fill": {"locked": False, "bg_color": "#FFFBE6", "text_wrap": True, "num_format": "@"},
        "title": {"bold": True, "font_size": 16, "border": 0}, "plain": {"border": 0, "text_wrap": True}}.items()}
    sheet = book.add_worksheet(SHEET)
    mark = f"({words.DEMO})" if demo else ""
    sheet.write_string(0, 0, f"{period.year}年{period.month}月目标台账{mark}", form["title"])
    sheet.write_string(1, 0, f"共{len(rows)}项;黄色列由责任单位填写,其余列锁定;"
                             f"数据截至{period.year}年{period.month}月{mark}",
                       book.add_format({"font_name": "微软雅黑", "font_size": 10}))
    for j, column in enumerate(COLUMNS):
        sheet.write_string(HEAD - 1, j, column, form["head"])
    widths = {"编号": 10, "指标": 30, "目标": 18, "责任单位": 26, "关联": 18, "佐证材料": 26, "单位回复": 30,
              "节点状态": 18}
    for j, column in enumerate(COLUMNS):
        sheet.set_column(j, j, widths.get(column, 11))
    for i, row in enumerate(rows.to_dict("records"), HEAD):
        for j, column in enumerate(COLUMNS):
            if column in NUMBERS:
                if row[column] == row[column]:
                    tenths = row["单位"] in words.SHARES or row["单位"][:1] in "万亿" and row["单位"] != "万元"
                    digits = 2 if row["编号"] == "rd_intensity" else int(tenths)
                    sheet.write_number(i, j, row[column], form[("whole", "one", "two")[digits]])
                else:
                    sheet.write_string(i, j, words.NONE, form["centre"])
            else:
                kind = "key" if column == "编号" else "text" if column in widths else "centre"
                sheet.write_string(i, j, row[column], form["fill" if column in FILLED else kind])
        lines = max(-(-2 * len(str(row[c])) // w) for c, w in widths.items() if c != "编号")
        sheet.set_row(i, 15 * max(1, lines) + 3)
    last = HEAD + max(len(rows), 1) - 1
    sheet.autofilter(HEAD - 1, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(HEAD, 3)
    at = {c: j for j, c in enumerate(COLUMNS)}
    for shape_mark, colour in COLOURS.items():
        sheet.conditional_format(HEAD, at["灯号"], last, at["灯号"], {
            "type": "text", "criteria": "begins with", "value": shape_mark,
            "format": book.add_format({"bg_color": colour})})
    sheet.data_validation(HEAD, at["节点阶段"], last, at["节点阶段"], {
        "validate": "list", "source": list(STAGES), "error_title": "节点阶段", "error_message": "请从下拉列表中选择。"})
    sheet.data_validation(HEAD, at["达到日期"], last, at["达到日期"], {
        "validate": "length", "criteria": "between", "minimum": 0, "maximum": 10, "input_title": "达到日期",
        "input_message": "写作 2018-09-30", "error_message": "请写作 2018-09-30。"})
    sheet.data_validation(HEAD, at["佐证材料"], last, at["单位回复"], {
        "validate": "length", "criteria": "<=", "value": 500, "error_message": "不超过 500 字。"})
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "select_locked_cells": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD - 1)
    _orders(book, form, orders, name, mark)
    guide = book.add_worksheet(HELP)
    guide.set_column(0, 0, 90)
    for i, line in enumerate((
            "只填黄色四列:节点阶段(下拉选择)、达到日期(如 2018-09-30)、佐证材料、单位回复。填好后随下月报表一并报送。",
            "可以筛选和排序;不要改动、增删其他列和行,改动会在读回时逐格列出。",
            "完成把握是年末达到目标的概率;灯号按印出的把握分档:80%及以上、40%至79%、40%以下,不看序时进度。",
            "(推定)表示计划原文没有写明责任单位,由其他条目推定,请确认。",
            *((f"本表为{words.DEMO}。",) if demo else ()))):
        guide.write_string(i, 0, line, form["plain"])
    book.close()
    return freeze(out.getvalue())


def _orders(book, form: dict, orders: pd.DataFrame, name: Callable[[str], str], mark: str) -> None:
    sheet = book.add_worksheet(ORDERS)
    heads = ("指标", "园区", "责任单位", "月份", "要求", "单位", "历史")
    for j, (head, width) in enumerate(zip(heads, (30, 16, 30, 10, 12, 10, 24), strict=True)):
        sheet.set_column(j, j, width)
        sheet.write_string(0, j, head + (mark if j == 0 else ""), form["head"])
    for i, o in enumerate(orders.to_dict("records"), 1):
        s = words.scale(o["ask"], o["unit"])
        texts = (name(o["indicator"]), name(o["region"]), words.responsible(o["responsible"], o["responsible_basis"]),
                 str(o["month"]), None, s.unit, o["grade"])
        for j, text in enumerate(texts):
            if text is None:
                sheet.write_number(i, j, float(s.round(o["ask"])), form["number"])
            else:
                sheet.write_string(i, j, words.clean(text), form["text"])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(orders), 1), len(heads) - 1)


def read_ledger(content: bytes, rows: pd.DataFrame, file: str, sender: str, published: pd.Period) -> tuple:
    """What people filled in, and everything that is not as it was sent out.

    Parameters
    ----------
    content : the file. rows : the rows that were sent out. file, sender, published : for the problems.
    Returns
    -------
    (replies, problems). replies: `编号` and FILLED, one row a target that came back with something filled in.
    problems: PROBLEMS; a changed locked cell, a missing, unknown or doubled row, a stage outside the list, a date that
    is none, each with its cell. Rows are matched by 编号, so sorting is no change.
    Raises
    ------
    LedgerError : no XLSX file, no sheet 台账, or a heading was changed.
    Source
    ------
    责任单位填回的台账。
    """
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content))
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as e:
        raise LedgerError(f"{file} 不能作为台账打开({e})。请用 xlsx 格式重新报送。") from e
    if SHEET not in book.sheetnames:
        raise LedgerError(f"{file} 没有「{SHEET}」工作表,有 {'、'.join(book.sheetnames)}。请使用下发的台账。")
    sheet = book[SHEET]
    heads = {str(c.value).strip(): c.column for c in sheet[HEAD] if c.value is not None}
    if gone := [c for c in COLUMNS if c not in heads]:
        raise LedgerError(f"{file}「{SHEET}」第 {HEAD} 行缺少列「{'、'.join(gone)}」。请恢复原来的表头。")
    sent, problems, replies, seen = rows.set_index("编号", drop=False), [], [], set()

    def problem(row: int, column: str, code: str, raw: object, message: str, severity: str = "error") -> None:
        problems.append({"code": code, "severity": severity, "file": file, "sheet": SHEET, "sender": sender,
                         "cell": f"{get_column_letter(heads[column])}{row}", "raw": str(raw), "message": message,
                         "published": published})

    for r in range(HEAD + 1, sheet.max_row + 1):
        values = {c: sheet.cell(r, heads[c]).value for c in COLUMNS}
        id = str(values["编号"] or "").strip()
        if not any(v not in (None, "") for v in values.values()):
            continue
        if id not in sent.index or id in seen:
            what = "重复" if id in seen else "不在下发的台账中"
            problem(r, "编号", "ledger_row", id, f"第 {r} 行编号「{id}」{what},该行填写内容未采用。请恢复原编号。")
            continue
        seen.add(id)
        for c in COLUMNS:
            if c not in FILLED and not _same(values[c], sent.at[id, c]):
                problem(r, c, "ledger_locked", values[c], f"锁定的「{c}」由「{_shown(sent.at[id, c])}」改成了"
                                                          f"「{_shown(values[c])}」,未采用。如有异议请另行说明。")
        filled = {c: _filled(values[c]) for c in FILLED}
        if filled["节点阶段"] and filled["节点阶段"] not in STAGES:
            problem(r, "节点阶段", "ledger_stage", filled["节点阶段"],
                    f"节点阶段「{filled['节点阶段']}」不在可选项中,应为{'、'.join(STAGES)}之一。", "warning")
        if filled["达到日期"] and pd.isna(pd.to_datetime(filled["达到日期"], format="%Y-%m-%d", errors="coerce")):
            problem(r, "达到日期", "ledger_date", filled["达到日期"],
                    f"达到日期「{filled['达到日期']}」不是日期,应写作 2018-09-30。", "warning")
        if any(filled.values()):
            replies.append({"编号": id} | filled)
    problems += [{"code": "ledger_missing", "severity": "error", "file": file, "sheet": SHEET, "sender": sender,
                  "cell": "", "raw": id, "published": published,
                  "message": f"台账中缺少「{sent.at[id, '指标']}」({id})一行,请补回。"}
                 for id in sent.index if id not in seen]
    return (pd.DataFrame(replies, columns=["编号", *FILLED]).astype("str"), shape(problems, PROBLEMS))


def _same(found: object, sent: object) -> bool:
    if isinstance(sent, float):
        if sent != sent:
            return found in (None, "", words.NONE)
        return isinstance(found, (int, float)) and not isinstance(found, bool) and float(found) == sent
    return ("" if found is None else str(found)) == sent


def _shown(value: object) -> str:
    return words.NONE if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)


def _filled(value: object) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, datetime) else "" if value is None else str(value).strip()
