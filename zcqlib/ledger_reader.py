"""What responsible units write into the ledger (台账) that was sent to them, read back with the next month's reports.

A ledger carries a sealed copy of its locked cells, so a changed one is found from the file alone. Nothing in it is ever
read as an observation: stages with a date and evidence go to MILESTONES, everything else to ANSWERS.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import NamedTuple

import pandas as pd
from xlsxwriter.utility import xl_rowcol_to_cell

from zcqlib.catalog import Catalog
from zcqlib.tables import ANSWERS, CELLS, MILESTONES, OBSERVATIONS, PROBLEMS, ZcqError, shape

SHEET, SEAL, HEAD = "台账", "校验", 3  # HEAD: the heading's row, counted from 1
_PRINTED = (
    "编号 组别 指标 范围 目标 单位 已完成/现值 序时应达 全年预计 区间下限 区间上限 完成把握 把握用语 灯号 缺口 月均需"
    " 责任单位 关联 节点状态 到达月份 现有佐证 应到月份 上次填报"
)
LOCKED, FIGURES = tuple(_PRINTED.split()), ("本月", "累计")
FIELDS = {"节点阶段": "stage", "达到日期": "date", "佐证材料": "evidence", "单位回复": "reply"}
FILLED = (*FIELDS, *FIGURES)
COLUMNS = LOCKED + FILLED
STATES = ("未启动", "推进中", "已提交", "已完成", "需协调")
NONE, DONE = "—", "已完成"
LEDGER = {"编号", "指标", "单位回复"}  # by which its heading row is known


class LedgerError(ZcqError):
    """A ledger that cannot be written or read back."""


class Returned(NamedTuple):
    """What one returned ledger holds: ANSWERS, OBSERVATIONS, PROBLEMS and CELLS."""

    replies: pd.DataFrame
    observations: pd.DataFrame
    problems: pd.DataFrame
    cells: pd.DataFrame


class Sent(NamedTuple):
    """What is known of a ledger that came back: its name in the tables, hash, sender, report month, submission."""

    file: str
    file_hash: str
    sender: str
    published: pd.Period
    submission: int = 1
    demo: bool = False


Rows = Sequence[Sequence]


def heading(rows: Rows, wanted: set[str]) -> int | None:
    """The number of the first row, among the upper ones, that holds all these heads."""
    return next((i for i, row in enumerate(rows[:20]) if wanted <= set(map(_head, row))), None)


def _head(v: object) -> str:
    return "".join(str(v).split())


def seal(rows: Sequence[Mapping[str, object]]) -> str:
    """Hash of the locked cells of all rows, in whatever order they stand."""
    content = sorted([plain(r[c]) for c in LOCKED] for r in rows)
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def options(stages: pd.DataFrame, name: Callable[[str], str]) -> list[str]:
    """What may be chosen as 节点阶段 of one target: its open stages, and the general states where it has none."""
    still = stages[stages["date"].isna()].to_dict("records")
    return [option(r, name) for r in still] or list(STATES)


def option(r: Mapping, name: Callable[[str], str]) -> str:
    """A stage as it is chosen: with its item, or its park, where there are several."""
    whose = r["item"] or (name(r["region"]) if r["region"] not in ("zone", "city") else "")
    return "·".join(filter(None, [whose, r["stage_zh"]]))


def read_ledger(sheets: Sequence[tuple[str, Rows]], sent: Sent, catalog: Catalog) -> Returned:
    """What people filled in, and everything that is not as it was sent out.

    Parameters
    ----------
    sheets : names and rows of the file's sheets, whatever form it came in. sent : what is known of the file.
    catalog : its targets are the rows that a ledger may have.
    Returns
    -------
    Returned. replies: one row a target that came back with something filled in. observations: the figures that were
    filled in, of the report month. problems: a changed locked cell, an unknown or doubled row, a stage outside the list,
    a date that is none or still to come, a figure that is none, a broken seal, each with its cell. Rows are matched by
    编号, so sorting is no change, and a unit may send back its own rows only.
    Raises
    ------
    LedgerError : no sheet has the heading of a ledger.
    Source
    ------
    责任单位填回的台账。
    """
    found = ((n, rows, head) for n, rows in sheets if (head := heading(rows, LEDGER)) is not None)
    name, rows, head = next(found, ("", (), None))
    if head is None:
        raise LedgerError(f"{sent.file} 里没有台账的表头,请使用下发的台账。")
    at = {c: j for j, c in enumerate(map(_head, rows[head])) if c in COLUMNS}
    page = _Page(name, at, sent, catalog, *_sealed(dict(sheets).get(SEAL)))
    for r, row in enumerate(rows[head + 1 :], head + 1):
        values = {c: row[j] if j < len(row) else None for c, j in at.items()}
        if any(v not in (None, "") for v in values.values()):
            page.row(r, values)
    became = {(name, o["cell"]): "observation" for o in page.figures}
    became |= {(name, p["cell"]): "problem" for p in page.problems}
    cells = []
    for n, part in sheets:
        for r, row in enumerate(part):
            other = "label" if n == name and r <= head else "context"
            places = (xl_rowcol_to_cell(r, c) for c, v in enumerate(row) if v not in (None, ""))
            told = ({"cell": x, "outcome": became.get((n, x), other)} for x in places)
            cells += [{"file": sent.file, "sheet": n, **cell} for cell in told]
    return Returned(
        shape(page.replies, ANSWERS),
        shape(page.figures, OBSERVATIONS),
        shape(page.problems, PROBLEMS),
        shape(cells, CELLS),
    )


def _sealed(rows: Rows | None) -> tuple[dict[str, tuple[dict, list[str]]], str]:
    """The sealed copy: locked cells and what may be chosen, by id; and what is wrong with its seal."""
    if rows is None:
        return {}, f"没有「{SEAL}」页,锁定列没有核对,只采用填写的各列。"
    copy = {}
    for values in rows[1:]:
        locked = dict(zip_longest(LOCKED, values[: len(LOCKED)]))
        chosen = [str(v) for v in values[len(LOCKED) :] if v not in (None, "")]
        copy[_filled(locked["编号"])] = locked, chosen
    copy.pop("", None)
    whole = copy and rows[0][:1] == [seal([locked for locked, _ in copy.values()])]
    broken = f"「{SEAL}」页被改动,锁定列是否改过已不能核对。请在下发的原件上填报。"
    return copy, "" if whole else broken


class _Page:
    """The ledger's own sheet while it is read, row by row."""

    def __init__(
        self, name: str, at: dict, sent: Sent, catalog: Catalog, copy: dict, fault: str
    ) -> None:
        self.at, self.sent, self.catalog, self.copy = at, sent, catalog, copy
        self.common = sent._asdict() | {"sheet": name, "count": 1}
        self.targets = catalog.targets.drop_duplicates("id").set_index("id")
        self.problems, self.replies, self.figures, self.seen = [], [], [], set()
        if fault:
            self.problem(0, "", "ledger_seal", "", fault, "error" if copy else "info")

    def problem(
        self, row: int, column: str, code: str, raw: object, message: str, severity: str = "error"
    ) -> None:
        told = {"code": code, "severity": severity, "raw": _alike(raw), "message": message}
        cell = xl_rowcol_to_cell(row, self.at[column]) if column in self.at else ""
        self.problems.append(self.common | told | {"cell": cell})

    def row(self, r: int, values: dict[str, object]) -> None:
        texts = {c: _filled(v) for c, v in values.items()}
        id = texts["编号"]
        if id in self.seen or id not in (self.copy or self.targets.index):
            what = "重复" if id in self.seen else "不在下发的台账中"
            said = f"第 {r + 1} 行编号「{id}」{what},该行填写内容未采用。请恢复原编号。"
            self.problem(r, "编号", "ledger_row", id, said)
            return
        self.seen.add(id)
        locked, offered = self.copy.get(id, ({}, None))
        for c, was in locked.items():
            if c in values and (now := _alike(values[c])) != (was := _alike(was)):
                said = f"锁定的「{c}」由「{was or NONE}」改成了「{now or NONE}」,未采用。如有异议请另行说明。"
                self.problem(r, c, "ledger_locked", now, said)
        filled = {name: texts.get(c, "") for c, name in FIELDS.items()}
        filled["date"] = self.stage(r, offered, **filled)
        for c in FIGURES:
            if texts.get(c):
                self.figure(r, id, c, texts)
        if any(filled.values()):
            where = {"id": id, "cell": xl_rowcol_to_cell(r, self.at["编号"])}
            self.replies.append(self.common | filled | where)

    def stage(self, r: int, offered: list[str] | None, stage: str, date: str, **_: str) -> str:
        """The date of a stage as it is kept, YYYY-MM-DD or YYYY-MM; what is wrong with stage or date is told."""
        chosen, day, said = set(_parts(stage)), date_of(date), ""
        if offered is not None and not chosen <= {*offered, *STATES}:
            said = f"节点阶段「{stage}」不在可选项中,应为{'、'.join(offered)}之一,没有记入节点。"
            self.problem(r, "节点阶段", "ledger_stage", stage, said, "warning")
            said = ""
        if date and not day:
            said = f"达到日期「{date}」不是日期,应写作 2018-09-30,"
        elif day and pd.Period(day[:7], "M") > self.sent.published:
            said = f"达到日期「{day}」晚于报送月份 {self.sent.published},"
        elif not day and not chosen <= set(STATES) - {DONE}:
            said = f"节点「{stage}」没有写达到日期,"
        if said:
            self.problem(r, "达到日期", "ledger_date", date, f"{said}没有记入节点。", "warning")
        return day or date

    def figure(self, r: int, id: str, column: str, texts: dict[str, str]) -> None:
        """A figure of the report month, of the sender's own park or of what the target is about."""
        raw, month, catalog = texts[column], self.sent.published, self.catalog
        number = _alike(raw)
        if id not in self.targets.index or not _NUMBER.fullmatch(number):
            said = f"「{column}」填的「{raw}」不是数字,没有采用,请只填数字。"
            self.problem(r, column, "not_a_number", raw, said)
            return
        t, s, words = self.targets.loc[id], catalog.senders, catalog.unit_words
        parks = s.loc[(s["id"] == self.sent.sender) & (s["kind"] == "park"), "region"]
        region = next(iter(parks), t["region"])
        value, unit = Decimal(number), texts.get("单位") or t["unit"]
        for w in words[words["word"] == unit].itertuples():
            value, unit = value * int(w.numerator) / int(w.denominator), w.normal
        basis = "month" if column == FIGURES[0] else "ytd"
        basis = "eop" if t["kind"] in ("stock", "coverage", "milestone") else basis
        cell, place = xl_rowcol_to_cell(r, self.at[column]), catalog.regions.get(region)
        fact = {
            "obs_id": f"{self.sent.file_hash[:16]}:{self.common['sheet']}:{cell}",
            "cell": cell,
            "region": region,
            "region_raw": texts.get("范围"),
            "coverage": getattr(place, "coverage", ""),
            "indicator": id,
            "indicator_raw": texts.get("指标"),
            "start": month - (month.month - 1 if basis == "ytd" else 0),
            "end": month,
            "basis": basis,
            "measure": "value",
            "value": float(value),
            "unit": unit,
            "value_raw": number,
            "shown": raw,
            "unit_raw": texts.get("单位", ""),
            "decimals": len(raw.partition(".")[2]),
        }
        self.figures.append(self.common | fact)


_DATE = re.compile(
    r"(20\d\d)(?:年|[-./]|(?=\d{4}$))(\d{1,2})(?:(?:月|[-./]|(?=\d\d$))(\d{1,2})日?|月?)"
)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?", re.I)


def date_of(text: str) -> str:
    """A date or month in any usual form as YYYY-MM-DD or YYYY-MM, "" where it is none or could be two."""
    text = unicodedata.normalize("NFKC", text).replace("。", ".").strip()
    m = _DATE.fullmatch(text)
    if not m or re.fullmatch(r"\d+\.\d", text):  # January or October
        return ""
    year, month, day = (int(v or 0) for v in m.groups())
    with suppress(ValueError):
        return datetime(year, month, day or 1).strftime("%Y-%m-%d" if day else "%Y-%m")
    return ""


def plain(value: object) -> str:
    """A cell's content as it is sealed: empty, 「—」 and no number are the same."""
    if value is None or value != value or value in ("", NONE):
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value)) if number else str(value)


def _alike(value: object) -> str:
    """A cell's content as it is compared, whatever form it came back in: 5, 5.0 and the text 5 are the same."""
    text = " ".join(unicodedata.normalize("NFKC", plain(value)).split())
    bare = text.replace(",", "")
    return f"{float(bare):.15g}" if _NUMBER.fullmatch(bare) else text


def _parts(stage: str) -> list[str]:
    return [p for p in re.split(r"[、;,\uff1b\uff0c]\s*", stage) if p]


def _filled(value: object) -> str:
    return "" if value is None else str(value).strip().removesuffix(" 00:00:00")


def _in_order(replies: pd.DataFrame) -> pd.DataFrame:
    return replies.sort_values(["published", "submission", "file"], kind="stable")


def latest(replies: pd.DataFrame) -> pd.DataFrame:
    """The last reply to each target."""
    return _in_order(replies).drop_duplicates("id", keep="last")


def reached(stages: pd.DataFrame, replies: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """MILESTONES with what the replies report: an open stage gets its month and evidence, a dated one stays as it is.

    A target without stages that is reported done gets one stage 「完成」, one that is under way the same without its
    month. A reply that names a date counts where that had come by the month of its report.
    """
    about = catalog.targets.drop_duplicates("id").set_index("id")
    names = [option(r, catalog.name) for r in stages.to_dict("records")]
    names, out, added = pd.Series(names, index=stages.index, dtype="str"), stages.copy(), []
    for r in _in_order(replies).to_dict("records"):
        known, said = date_of(r["date"]), set(_parts(r["stage"]))
        day = pd.Period(known[:7], "M") if known else pd.NaT
        if day > r["published"] or r["id"] not in about.index:
            continue
        own = stages["id"] == r["id"]
        hit = own & stages["date"].isna() & names.isin(said) & bool(known)
        out.loc[hit, "date"], out.loc[hit, "evidence"] = day, r["evidence"]
        out.loc[hit, "demo"] |= r["demo"]
        done, under_way = known and DONE in said, about.at[r["id"], "kind"] == "milestone"
        if not own.any() and (done or under_way and said & set(STATES)):
            stage = dict(stage="done", stage_no=1, stage_zh=DONE[1:], date=day if done else pd.NaT)
            added.append(r | stage | {"region": about.at[r["id"], "region"]})
    added = shape(added, MILESTONES).drop_duplicates("id", keep="last")
    return shape(pd.concat([out, added], ignore_index=True), MILESTONES) if len(added) else out
