"""What responsible units write into the ledger (台账) that was sent to them, read back with the next month's reports.

A ledger carries a sealed copy of its locked cells, so a changed one is found from the file alone. Nothing in it is ever
read as an observation: stages with a date and evidence go to MILESTONES, everything else to ANSWERS.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pandas as pd

from zcqlib.catalog import Catalog
from zcqlib.tables import ANSWERS, CELLS, MILESTONES, PROBLEMS, ZcqError, shape

SHEET, SEAL, HEAD = "台账", "校验", 3  # HEAD: the heading's row, counted from 1
COLUMNS = (
    "编号",
    "组别",
    "指标",
    "范围",
    "目标",
    "单位",
    "已完成/现值",
    "序时应达",
    "全年预计",
    "区间下限",
    "区间上限",
    "完成把握",
    "把握用语",
    "灯号",
    "缺口",
    "月均需",
    "责任单位",
    "关联",
    "节点状态",
    "到达月份",
    "现有佐证",
    "应到月份",
    "上次填报",
    "节点阶段",
    "达到日期",
    "佐证材料",
    "单位回复",
)
FILLED = ("节点阶段", "达到日期", "佐证材料", "单位回复")
LOCKED = tuple(c for c in COLUMNS if c not in FILLED)
STATES = ("未启动", "推进中", "已提交", "已完成", "需协调")
FIELDS = {"节点阶段": "stage", "达到日期": "date", "佐证材料": "evidence", "单位回复": "reply"}
NONE, DONE = "—", "已完成"


class LedgerError(ZcqError):
    """A ledger that cannot be written or read back."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What one returned ledger holds: ANSWERS, PROBLEMS and CELLS."""

    replies: pd.DataFrame
    problems: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)


def is_ledger(path: Path) -> bool:
    """Whether a file is one of our ledgers, by its sheets; its name says nothing."""
    try:
        with ZipFile(path) as package:
            book = package.read("xl/workbook.xml").decode("utf-8", "replace")
    except (BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError):
        return False
    return all(f'name="{s}"' in book for s in (SHEET, SEAL))


def seal(rows: Sequence[Mapping[str, object]]) -> str:
    """Hash of the locked cells of all rows, in whatever order they stand."""
    content = sorted([plain(r[c]) for c in LOCKED] for r in rows)
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def options(stages: pd.DataFrame, name: Callable[[str], str]) -> list[str]:
    """What may be chosen as 节点阶段 of one target: its open stages, and the general states where it has none."""
    return [option(r, name) for r in stages[stages["date"].isna()].to_dict("records")] or list(
        STATES
    )


def option(r: Mapping, name: Callable[[str], str]) -> str:
    """A stage as it is chosen: with its item, or its park, where there are several."""
    whose = r["item"] or (name(r["region"]) if r["region"] not in ("zone", "city") else "")
    return "·".join(filter(None, [whose, r["stage_zh"]]))


def read_ledger(
    content: bytes,
    file: str,
    sender: str,
    published: pd.Period,
    submission: int = 1,
    demo: bool = False,
) -> Returned:
    """What people filled in, and everything that is not as it was sent out.

    Parameters
    ----------
    content : the file. file, sender, published, submission, demo : what is known of it.
    Returns
    -------
    Returned. replies: one row a target that came back with something filled in. problems: a changed locked cell, a
    missing, unknown or doubled row, a stage outside the list, a date that is none or still to come, a broken seal, each
    with its cell. Rows are matched by 编号, so sorting is no change.
    Raises
    ------
    LedgerError : no XLSX file, no sheet 台账 or 校验, or a heading was changed.
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
    if gone := [s for s in (SHEET, SEAL) if s not in book.sheetnames]:
        raise LedgerError(
            f"{file} 没有「{gone[0]}」工作表,有 {'、'.join(book.sheetnames)}。请使用下发的台账。"
        )
    sheet = book[SHEET]
    heads = {str(c.value).strip(): c.column for c in sheet[HEAD] if c.value is not None}
    if gone := [c for c in COLUMNS if c not in heads]:
        raise LedgerError(
            f"{file}「{SHEET}」第 {HEAD} 行缺少列「{'、'.join(gone)}」。请恢复原来的表头。"
        )
    sent, choices, whole = _sent(book[SEAL])
    common = {"file": file, "sheet": SHEET, "sender": sender, "published": published}
    problems, replies, seen = [], [], set()

    def problem(
        row: int, column: str, code: str, raw: object, message: str, severity: str = "error"
    ) -> None:
        at = f"{get_column_letter(heads[column])}{row}" if row else ""
        problems.append(
            common
            | {
                "code": code,
                "severity": severity,
                "cell": at,
                "raw": _shown(raw),
                "message": message,
            }
        )

    if not whole:
        problem(
            0,
            "编号",
            "ledger_seal",
            "",
            f"「{SEAL}」页被改动,锁定列是否改过已不能核对。请在下发的原件上填报。",
        )
    for r in range(HEAD + 1, sheet.max_row + 1):
        values = {c: sheet.cell(r, heads[c]).value for c in COLUMNS}
        id = str(values["编号"] or "").strip()
        if not any(v not in (None, "") for v in values.values()):
            continue
        if id not in sent or id in seen:
            what = "重复" if id in seen else "不在下发的台账中"
            problem(
                r,
                "编号",
                "ledger_row",
                id,
                f"第 {r} 行编号「{id}」{what},该行填写内容未采用。请恢复原编号。",
            )
            continue
        seen.add(id)
        for c in LOCKED:
            if plain(values[c]) != plain(sent[id][c]):
                problem(
                    r,
                    c,
                    "ledger_locked",
                    values[c],
                    f"锁定的「{c}」由「{_shown(sent[id][c])}」改成了"
                    f"「{_shown(values[c])}」,未采用。如有异议请另行说明。",
                )
        filled = {FIELDS[c]: _filled(values[c]) for c in FILLED}
        chosen, day = (
            _parts(filled["stage"]),
            pd.to_datetime(filled["date"], format="%Y-%m-%d", errors="coerce"),
        )
        if chosen and not set(chosen) <= {*choices[id], *STATES}:
            problem(
                r,
                "节点阶段",
                "ledger_stage",
                filled["stage"],
                f"节点阶段「{filled['stage']}」不在可选项中,应为{'、'.join(choices[id])}之一,没有记入节点。",
                "warning",
            )
        if filled["date"] and pd.isna(day):
            problem(
                r,
                "达到日期",
                "ledger_date",
                filled["date"],
                f"达到日期「{filled['date']}」不是日期,应写作 2018-09-30,没有记入节点。",
                "warning",
            )
        elif filled["date"] and day.to_period("M") > published:
            problem(
                r,
                "达到日期",
                "ledger_date",
                filled["date"],
                f"达到日期「{filled['date']}」晚于报送月份 {published},没有记入节点。",
                "warning",
            )
        elif chosen and not filled["date"] and not set(chosen) <= set(STATES) - {DONE}:
            problem(
                r,
                "达到日期",
                "ledger_date",
                "",
                f"节点「{filled['stage']}」没有写达到日期,没有记入节点。",
                "warning",
            )
        if any(filled.values()):
            replies.append(
                common
                | filled
                | {
                    "id": id,
                    "cell": f"{get_column_letter(heads['编号'])}{r}",
                    "submission": submission,
                    "demo": demo,
                }
            )
    problems += [
        common
        | {
            "code": "ledger_missing",
            "severity": "error",
            "cell": "",
            "raw": id,
            "message": f"台账中缺少「{sent[id]['指标']}」({id})一行,请补回。",
        }
        for id in sent
        if id not in seen
    ]
    wrong = {p["cell"] for p in problems}
    cells = [
        {
            "file": file,
            "sheet": s.title,
            "cell": c.coordinate,
            "outcome": "problem"
            if s is sheet and c.coordinate in wrong
            else "label"
            if s is sheet and c.row <= HEAD
            else "context",
        }
        for s in book
        for row in s.iter_rows()
        for c in row
        if c.value not in (None, "")
    ]
    return Returned(shape(replies, ANSWERS), shape(problems, PROBLEMS), shape(cells, CELLS))


def _sent(sheet) -> tuple[dict[str, dict], dict[str, list[str]], bool]:
    """The sealed copy: rows by id, what may be chosen, and whether the seal holds."""
    rows, choices = {}, {}
    for values in sheet.iter_rows(min_row=2, values_only=True):
        row = dict(zip(LOCKED, values, strict=False))
        if id := str(row.get("编号") or "").strip():
            rows[id] = row
            choices[id] = [str(v) for v in values[len(LOCKED) :] if v not in (None, "")]
    return (
        rows,
        choices,
        len(rows) > 0
        and all(len(r) == len(LOCKED) for r in rows.values())
        and sheet["A1"].value == seal(list(rows.values())),
    )


def plain(value: object) -> str:
    """A cell's content as it is compared: empty, 「—」 and no number are the same."""
    if value is None or value != value or value in ("", NONE):
        return ""
    return (
        repr(float(value))
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
    )


def _parts(stage: str) -> list[str]:
    return [p for p in re.split(r"[、;,\uff1b\uff0c]\s*", stage) if p]


def _shown(value: object) -> str:
    return (
        NONE
        if value is None or value != value
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _filled(value: object) -> str:
    return (
        value.strftime("%Y-%m-%d")
        if isinstance(value, datetime)
        else ""
        if value is None
        else str(value).strip()
    )


def latest(replies: pd.DataFrame) -> pd.DataFrame:
    """The last reply to each target."""
    return replies.sort_values(["published", "submission", "file"], kind="stable").drop_duplicates(
        "id", keep="last"
    )


def reached(stages: pd.DataFrame, replies: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """MILESTONES with what the replies report: an open stage gets its month and evidence, a dated one stays as it is.

    A target without stages that is reported done gets one stage 「完成」. A reply counts where it names a stage and a
    date that had come by the month of its report.
    """
    out, regions = stages.copy(), catalog.targets.drop_duplicates("id").set_index("id")["region"]
    names = pd.Series(
        [option(r, catalog.name) for r in stages.to_dict("records")],
        index=stages.index,
        dtype="str",
    )
    added = []
    for r in replies.sort_values(["published", "submission", "file"], kind="stable").to_dict(
        "records"
    ):
        day = pd.to_datetime(r["date"], format="%Y-%m-%d", errors="coerce")
        if pd.isna(day) or day.to_period("M") > r["published"] or r["id"] not in regions.index:
            continue
        own = stages["id"] == r["id"]
        hit = own & stages["date"].isna() & names.isin(_parts(r["stage"]))
        out.loc[hit, "date"], out.loc[hit, "evidence"] = day.to_period("M"), r["evidence"]
        out.loc[hit, "demo"] = out.loc[hit, "demo"] | r["demo"]
        if not own.any() and DONE in _parts(r["stage"]):
            added.append(
                {
                    "id": r["id"],
                    "region": regions[r["id"]],
                    "item": "",
                    "stage": "done",
                    "stage_no": 1,
                    "stage_zh": "完成",
                    "date": day.to_period("M"),
                    "evidence": r["evidence"],
                    "demo": r["demo"],
                }
            )
    added = shape(added, MILESTONES).drop_duplicates("id", keep="last")
    return shape(pd.concat([out, added], ignore_index=True), MILESTONES) if len(added) else out
