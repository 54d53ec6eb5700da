"""What was sent out to be filled in and came back: a ledger or a return sheet, known by its heading row in any form.

Its tables are never read as a report: they were read when they were first sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from zcqlib.ledger_reader import FILLED, LEDGER, heading
from zcqlib.reports.grid import NO_RESULT, Sheet
from zcqlib.tables import REPLIES

RETURN = {"序号", "问题", "单位回复"}


class Back(NamedTuple):
    """What came back: the replies of a return sheet (columns of REPLIES), or the rows of a ledger by sheet; and problems
    (sheet, code, severity, place, raw, message)."""

    replies: list[dict[str, str]] | None
    ledger: list[tuple[str, list[list]]] | None
    problems: list[tuple]


def came_back(sheets: Sequence[Sheet]) -> Back | None:
    """What these sheets are if they are no report."""
    for s in sheets:
        if (head := heading(s.rows, RETURN)) is not None:
            lines = _replies(s.rows, head)
            said = (
                f"这是退回单,有 {len(lines)} 条回复,已记录;"
                "其中的表不再作为数据读取,需要改的数请在下一期报表中更正。"
            )
            return Back(lines, None, _told(s, head, ["单位回复"], "return_sheet", said))
    for s in sheets:
        if (head := heading(s.rows, LEDGER)) is not None:
            said = "这是填回的台账,填写的内容已记录;其中的表不作为报表读取。"
            blank = {NO_RESULT: ""}
            rows = [(x.name, [[blank.get(v, v) for v in row] for row in x.rows]) for x in sheets]
            return Back(None, rows, _told(s, head, FILLED, "ledger", said))
    return None


def _told(s: Sheet, head: int, columns: Sequence[str], code: str, message: str) -> list[tuple]:
    """What the file is, and the filled cells that hold a formula without its result."""
    filled = {j for j, v in enumerate(s.rows[head]) if "".join(str(v).split()) in columns}
    said = "这一格是公式,文件里没有它的结果,没有采用;请把公式改成结果(选择性粘贴为数值)后重新报送。"
    empty = [
        (s.name, "formula_without_value", "error", (r, c), "", said)
        for r, row in enumerate(s.rows)
        for c, v in enumerate(row)
        if v == NO_RESULT and r > head and c in filled
    ]
    return [("", code, "info", None, "", message), *empty]


def _replies(rows: Sequence[Sequence], head: int) -> list[dict[str, str]]:
    """One mapping for each line that was filled in."""
    wanted = {c.meaning: c.name for c in REPLIES.columns}
    texts = [["" if v in (None, NO_RESULT) else str(v).strip() for v in row] for row in rows[head:]]
    at = {wanted[v]: j for j, v in enumerate(texts[0]) if v in wanted}
    lines = [{n: row[j] if j < len(row) else "" for n, j in at.items()} for row in texts[1:]]
    return [line for line in lines if line.get("reply")]
