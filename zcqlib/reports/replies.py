"""What was sent out to be filled in and came back: a ledger or a return sheet, known by its heading row in any form.

Its tables are never read as a report: they were read when they were first sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
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


_SAID = "这一格是公式,文件里没有它的结果,没有采用;请把公式改成结果(选择性粘贴为数值)后重新报送。"


_FORMS = (RETURN, {"单位回复"}, "return_sheet"), (LEDGER, {*FILLED}, "ledger")


def came_back(sheets: Sequence[Sheet]) -> Back | None:
    """What these sheets are if they are no report; of formulas without result nothing is taken, and they are told."""
    blank = {NO_RESULT: "", None: ""}
    rows = [(x.name, [[blank.get(v, v) for v in row] for row in x.rows]) for x in sheets]
    for wanted, filled, code in _FORMS:
        for s, (name, lines) in zip(sheets, rows, strict=True):
            if (head := heading(lines, wanted)) is None:
                continue
            columns = [j for j, v in enumerate(lines[head]) if "".join(str(v).split()) in filled]
            empty = [
                (name, "formula_without_value", "error", (r, c), "", _SAID)
                for r, row in enumerate(s.rows)
                for c in columns
                if row[c : c + 1] == [NO_RESULT]
            ]
            said, replies = "这是填回的台账,填写的内容已记录;其中的表不作为报表读取。", None
            if wanted is RETURN:
                replies = _replies(lines[head:])
                said = (
                    f"这是退回单,有 {len(replies)} 条回复,已记录;"
                    "其中的表不再作为数据读取,需要改的数请在下一期报表中更正。"
                )
            ledger = rows if wanted is LEDGER else None
            return Back(replies, ledger, [("", code, "info", None, "", said), *empty])
    return None


def _replies(rows: Sequence[Sequence]) -> list[dict[str, str]]:
    """One mapping for each line that was filled in."""
    names = {c.meaning: c.name for c in REPLIES.columns}
    heads, *texts = ([str(v).strip() for v in row] for row in rows)
    pairs = (zip_longest(heads, row, fillvalue="") for row in texts)
    lines = [{names[h]: text for h, text in line if h in names} for line in pairs]
    return [line for line in lines if line.get("reply")]
