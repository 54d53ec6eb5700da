"""Write the columns of data/raw/reference/README.md from the tables' shapes: python tests/reference_readme.py."""

import csv
import io
import re

from zcqlib import tables
from zcqlib.reference import REFERENCE

README = REFERENCE / "README.md"
BEGIN = "## 各表的列\n"
KINDS = dict(text="文字", code="编号", number="数字", whole="整数", flag="0或1")
KINDS |= dict(month="年月，如201809", day="日期，如20180915")
LONG = 40  # characters of an example


def example(name: str) -> dict[str, str]:
    """The first row of a shipped file, {} of an empty one."""
    path = next(iter(sorted(REFERENCE.glob(f"{name.replace('<year>', '20??')}.csv"))))
    return next(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))), {})


def cell(text: str) -> str:
    short = text if len(text) <= LONG else text[:LONG] + "…"
    return short.replace("|", "、") or "（空白）"


def columns() -> str:
    """Every table's columns: what they mean, what they take, and the first row that is shipped."""
    out = [
        BEGIN,
        "由各表的规定生成（`python tests/reference_readme.py`）；例子是随附文件的第一行。\n",
    ]
    for name, table in tables.REFERENCE.items():
        row = example(name)
        shown = name.replace("<year>", "<年>")
        out.append(f"### {shown}.csv\n\n| 列 | 含义 | 填写 | 例 |\n|---|---|---|---|")
        for c in table.columns:
            how = f"{c.home}.csv 的编号" if c.home else KINDS[c.kind]
            how = "、".join(filter(None, c.allowed)) if c.allowed else how
            how += "，可几个，用;隔开" if c.many else ""
            how += "，必填" if c.needed else "，整列可以没有" if c.optional else ""
            out.append(
                f"| `{c.name}` | {c.meaning.replace('|', '、')} | {how} | {cell(row.get(c.name, ''))} |"
            )
        out.append(f"\n不重复的是 {'、'.join(f'`{k}`' for k in table.key)}。\n")
    return "\n".join(out)


def readme() -> str:
    """The page as it should be: what is written by hand, then the columns."""
    by_hand = README.read_text("utf-8").partition(BEGIN)[0].rstrip()
    return re.sub(r"\n{3,}", "\n\n", f"{by_hand}\n\n{columns()}").rstrip() + "\n"


if __name__ == "__main__":
    README.write_text(readme(), "utf-8", newline="\n")
