"""A return sheet that came back: its replies are read; its tables are not, since they were read when first sent."""

from __future__ import annotations

from collections.abc import Sequence

from zcqlib.reports.grid import Sheet
from zcqlib.tables import REPLIES, RETURN_SHEET, RETURN_TITLE


def replies(sheets: Sequence[Sheet]) -> list[dict[str, str]] | None:
    """What a sender replied, one mapping (columns of REPLIES) for each line that was filled in; None for a report."""
    forms = [
        s.rows
        for s in sheets
        if s.name == RETURN_SHEET and s.rows and RETURN_TITLE in str(s.rows[0][:1])
    ]
    if not forms:
        return None
    wanted = {c.meaning: c.name for c in REPLIES.columns}
    rows = [[str(v if v is not None else "").strip() for v in row] for row in forms[0]]
    head = next(
        (i for i, row in enumerate(rows) if {"问题", "单位回复"} <= set(row)), len(rows) - 1
    )
    at = {wanted[v]: j for j, v in enumerate(rows[head]) if v in wanted}
    lines = [
        {name: row[j] if j < len(row) else "" for name, j in at.items()} for row in rows[head + 1 :]
    ]
    return [line for line in lines if line.get("reply")]
