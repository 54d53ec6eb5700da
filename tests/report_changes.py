"""Tables whose truth is known, the changes that offices do to them, and what a reader may make of the result."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import xlsxwriter
from reports_made import (
    PARKS,
    add_up,
    mail,
    old_workbook,
    open_document,
    page,
    spreadsheet_xml,
    text,
)
from reports_made import asked as cells_asked

from zcqlib.reports import Context, Reading, read_report

IDS = dict(zip(PARKS, ("gaoxin", "jingkai", "pingyuan", "hongqi", "muye"), strict=True))
MEASURED = {
    "专利申请量": ("patent_applications", "件"),
    "技术合同成交额": ("tech_contract_value", "万元"),
    "工业总产值": ("industrial_output", "万元"),
    "营业收入利润额": ("", "万元"),
}
MONTHS = [pd.Period(f"2018-{m:02d}", "M") for m in range(1, 7)]
JUNE = Context(published=pd.Period("2018-06", "M"))
Fact = tuple[str, str, str]  # region id, indicator as written, month


@dataclass
class Table:
    """Rows of cells, the fact that each figure states, and what changes did to it."""

    rows: list[list]
    head: int  # row of the header
    facts: dict[tuple[int, int], Fact]
    truth: dict[Fact, float]
    first: int  # first row of figures
    stub: int = 0
    lost: set[Fact] = field(default_factory=set)  # facts that the file no longer states
    doubtful: set[Fact] = field(default_factory=set)  # facts whose cell must come with a problem
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def shift(self, down: int = 0, right: int = 0) -> None:
        self.facts = {(r + down, c + right): f for (r, c), f in self.facts.items()}
        self.merged = [(a + down, b + right, c + down, d + right) for a, b, c, d in self.merged]
        self.head, self.first, self.stub = self.head + down, self.first + down, self.stub + right


def table(draw: random.Random) -> Table:
    """One of four ways to lay out the same kind of figures."""
    parks, months = (
        draw.sample(PARKS, draw.randint(2, 5)),
        sorted(draw.sample(MONTHS, draw.randint(2, 5))),
    )
    names = draw.sample(list(MEASURED), draw.randint(1, 3))
    kind = draw.randrange(4)
    word = {m: draw.choice([f"{m.year}年{m.month}月", f"{m.year}-{m.month:02d}"]) for m in months}
    head = {n: f"{n}({MEASURED[n][1]})" for n in names}
    if kind == 0:
        across, down, title = months, parks, head[names[0]]
        labels, corner = word, "园区"
        fact = lambda a, b: (IDS[b], names[0], str(a))  # noqa: E731
    elif kind == 1:
        across, down, title, labels, corner = names, parks, f"{word[months[0]]}情况", head, "园区"
        fact = lambda a, b: (IDS[b], a, str(months[0]))  # noqa: E731
    elif kind == 2:
        across, down, title, labels, corner = names, months, f"地区：{parks[0]}", head, "月份"
        fact = lambda a, b: (IDS[parks[0]], a, str(b))  # noqa: E731
    else:
        across, down, title, labels, corner = months, names, f"地区：{parks[0]}", word, "指标"
        fact = lambda a, b: (IDS[parks[0]], b, str(a))  # noqa: E731
    rows: list[list] = [[title], [corner, *(labels[a] for a in across)]]
    facts, truth = {}, {}
    for r, b in enumerate(down, 2):
        rows.append([word.get(b) or head.get(b) or b])
        for c, a in enumerate(across, 1):
            value = draw.choice(
                [draw.randint(0, 99_999), round(draw.uniform(-500, 9_999), draw.randint(1, 2))]
            )
            rows[r].append(value)
            facts[r, c] = fact(a, b)
            truth[fact(a, b)] = float(value)
    return Table(rows, 1, facts, truth, 2, 1)


# --- changes ------------------------------------------------------------------------------------------------------------


def blank_rows_above(t: Table, draw: random.Random) -> None:
    n = draw.randint(1, 3)
    t.rows[1:1] = [[] for _ in range(n)]
    t.shift(down=n)


def blank_column(t: Table, draw: random.Random) -> None:
    t.rows = [["", *row] for row in t.rows]
    t.shift(right=1)


def serial_column(t: Table, draw: random.Random) -> None:
    t.rows = [
        ["序号" if r == t.head else r - t.first + 1 if r >= t.first else "", *row] if row else row
        for r, row in enumerate(t.rows)
    ]
    t.shift(right=1)


def spaced_names(t: Table, draw: random.Random) -> None:
    for r in range(t.first, len(t.rows)):
        cell = t.rows[r][t.stub - 1]
        if cell in IDS:
            t.rows[r][t.stub - 1] = draw.choice([" ", "\u3000", "\n"]).join(cell)


def numbered_names(t: Table, draw: random.Random) -> None:
    form = draw.choice(["{}.{}", "（{}）{}", "{}、{}"])
    for r in range(t.first, len(t.rows)):
        if t.rows[r][t.stub - 1] in IDS:
            t.rows[r][t.stub - 1] = form.format(r - t.first + 1, t.rows[r][t.stub - 1])


def text_numbers(t: Table, draw: random.Random) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for r, c in t.facts:
        v = t.rows[r][c]
        if isinstance(v, int | float) and draw.random() < 0.5:
            t.rows[r][c] = draw.choice([f"{v:,}", str(v), str(v).translate(wide), f" {v} "])


def columns_turned(t: Table, draw: random.Random) -> None:
    width = len(t.rows[t.head])
    for row in t.rows[t.head :]:
        row[t.stub : width] = row[t.stub : width][::-1]
    t.facts = {(r, width - 1 - (c - t.stub)): f for (r, c), f in t.facts.items()}
    t.merged = [
        (a, width - 1 - (b - t.stub), c, width - 1 - (d - t.stub)) for a, b, c, d in t.merged
    ]


def empty_row_below_header(t: Table, draw: random.Random) -> None:
    t.rows.insert(t.first, [])
    head = t.head
    t.shift(down=1)
    t.head = head


def notes_below(t: Table, draw: random.Random) -> None:
    t.rows += [
        [],
        ["注：1.自2018年1月起含30家企业，下同"],
        ["　　　2.口径为100%"],
        ["数据来源：市科技局"],
        ["填表人：甲", "", "联系电话：3686000"],
    ]


def header_again(t: Table, draw: random.Random) -> None:
    """The table runs over a page: its header stands again in the middle."""
    at = draw.randint(t.first + 1, len(t.rows)) if len(t.rows) > t.first + 1 else len(t.rows)
    if any(a < at <= c for a, _, c, _ in t.merged):
        return
    t.facts = {(r + (r >= at), c): f for (r, c), f in t.facts.items()}
    t.merged = [(a + (a >= at), b, c + (c >= at), d) for a, b, c, d in t.merged]
    t.rows.insert(at, list(t.rows[t.head]))


def scratch_column(t: Table, draw: random.Random) -> None:
    width = max(map(len, t.rows))
    for r in sorted({r for r, _ in t.facts}):
        t.rows[r] += [""] * (width + 1 - len(t.rows[r])) + [draw.randint(1, 99) / 7]


def scratch_row(t: Table, draw: random.Random) -> None:
    t.rows.append([*[""] * t.stub, *(draw.randint(1, 999) for _ in t.rows[t.head][t.stub :])])


def foot_column(t: Table, draw: random.Random) -> None:
    heads = {r for r, row in enumerate(t.rows) if row == t.rows[t.head]}  # it may stand twice
    for r in sorted(heads | {r for r, _ in t.facts}):
        t.rows[r].append(
            "备注" if r in heads else draw.choice(["", "含30家", "2018年新增", "同比下降5%"])
        )


def _one(t: Table, draw: random.Random) -> tuple[int, int]:
    return draw.choice(sorted(t.facts))


def blanked(t: Table, draw: random.Random) -> None:
    at = _one(t, draw)
    t.rows[at[0]][at[1]] = draw.choice(["", "—", "…", "暂无", "N/A", None])
    t.lost.add(t.facts[at])


def spoiled(t: Table, draw: random.Random) -> None:
    at = _one(t, draw)
    t.rows[at[0]][at[1]] = draw.choice(["≥5", "3O", "l2", "▲5.2", "30-40", "35?", "#DIV/0!"])
    t.lost.add(t.facts[at])
    t.doubtful.add(t.facts[at])


def moved(t: Table, draw: random.Random) -> None:
    """A figure slipped out of the table, beside it or below."""
    r, c = _one(t, draw)
    value, t.rows[r][c] = t.rows[r][c], ""
    t.lost.add(t.facts[r, c])
    width = max(map(len, t.rows))
    t.rows.append([*[""] * (width + draw.randint(1, 3)), value])


def row_name_gone(t: Table, draw: random.Random) -> None:
    r = draw.choice(sorted({r for r, _ in t.facts}))
    t.rows[r][t.stub - 1] = ""
    t.lost |= {f for (q, _), f in t.facts.items() if q == r}


def column_name_gone(t: Table, draw: random.Random) -> None:
    c = draw.choice(sorted({c for _, c in t.facts}))
    t.rows[t.head][c] = ""
    t.lost |= {f for (_, q), f in t.facts.items() if q == c}


def park_misspelt(t: Table, draw: random.Random) -> None:
    for r in range(t.first, len(t.rows)):
        if t.rows[r] and t.rows[r][t.stub - 1] == "平原示范区":
            t.rows[r][t.stub - 1] = "平原示苑区"
            t.lost |= {f for (q, _), f in t.facts.items() if q == r}


def body_merged(t: Table, draw: random.Random) -> None:
    r, c = _one(t, draw)
    if (r + 1, c) in t.facts:
        t.rows[r + 1][c] = ""
        t.merged.append((r, c, r + 1, c))
        t.lost |= {t.facts[r, c], t.facts[r + 1, c]}


KEEPING = (
    blank_rows_above,
    blank_column,
    serial_column,
    spaced_names,
    numbered_names,
    text_numbers,
    columns_turned,
    empty_row_below_header,
    notes_below,
    header_again,
    scratch_column,
    scratch_row,
    foot_column,
)
SPOILING = (blanked, spoiled, moved, row_name_gone, column_name_gone, park_misspelt, body_merged)
_LAST = (scratch_column, scratch_row, moved, notes_below)  # after these nothing may be inserted
_APART = {serial_column, blank_column}


def changed(draw: random.Random) -> Table:
    """A table after up to four changes; each that can spoil a fact at most once."""
    t = table(draw)
    picked = draw.sample(KEEPING, draw.randint(0, 3)) + draw.sample(SPOILING, draw.randint(0, 2))
    if len(_APART & set(picked)) > 1:
        picked.remove(blank_column)
    inside = [f for f in picked if f in SPOILING and f not in _LAST]
    for change in [
        *inside,
        *(f for f in picked if f not in inside and f not in _LAST),
        *(f for f in _LAST if f in picked),
    ]:
        change(t, draw)
        t.done.append(change.__name__)
    return t


FORMS = (
    "xlsx",
    "xls",
    "ods",
    "csv",
    "csv-gbk",
    "csv-utf16",
    "tsv",
    "semicolon",
    "html",
    "xml",
    "mhtml",
)


def write(t: Table, folder: Path, form: str) -> Path:
    """The table as a file; merged cells only where the form has them."""
    rows = [[("" if v is None else v) for v in row] for row in t.rows]
    if form == "xlsx":
        path = folder / "报表.xlsx"
        with xlsxwriter.Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False}
        ) as book:
            sheet = book.add_worksheet("Sheet1")
            for r, row in enumerate(rows):
                for c, v in enumerate(row):
                    if v != "":
                        (sheet.write_string if isinstance(v, str) else sheet.write_number)(r, c, v)
            for a, b, c, d in t.merged:
                v = rows[a][b]
                sheet.merge_range(a, b, c, d, v)
        return path
    if form == "xls":
        return old_workbook(folder / "报表.xls", rows)
    if form == "ods":
        return open_document(folder / "报表.ods", rows)
    if form in ("html", "xml", "mhtml"):
        return text(
            folder / f"报表.{form}",
            {"html": page, "xml": spreadsheet_xml, "mhtml": mail}[form](rows),
        )
    separator, encoding = {
        "csv": (",", "utf-8-sig"),
        "csv-gbk": (",", "gb18030"),
        "csv-utf16": (",", "utf-16"),
        "tsv": ("\t", "utf-8"),
        "semicolon": (";", "gbk"),
    }[form]

    def quoted(v: object) -> str:
        v = str(v)
        return f'"{v}"' if any(x in v for x in f'{separator}"\n') else v

    return text(
        folder / "报表.csv",
        "\n".join(separator.join(map(quoted, row)) for row in rows) + "\n",
        encoding,
    )


def faults(t: Table, form: str, reading: Reading) -> list[str]:
    """What is wrong with a reading of a changed table: figures under a wrong name without a word, and facts not found."""
    out = []
    try:
        add_up(reading)
    except ValueError as e:
        out.append(str(e))
    asked = {cell for _, cell in cells_asked(reading.problems.query("severity != 'info'"))}
    found: dict[Fact, float] = {}
    for o in reading.observations.itertuples():
        if o.value != o.value:
            continue
        fact = (o.region, o.indicator_raw, str(o.end))
        if o.basis not in ("month", "eop"):
            out.append(f"{o.cell}: basis {o.basis}")
        elif fact not in t.truth:
            if o.cell not in asked:
                out.append(f"{o.cell}: {fact} is no fact of the table")
        elif abs(o.value - t.truth[fact]) > 1e-9 * max(1.0, abs(o.value)) and o.cell not in asked:
            out.append(f"{o.cell}: {fact} is {t.truth[fact]}, read {o.value}")
        else:
            found[fact] = o.value
    merged = {f for f in t.lost} if t.merged and form != "xlsx" else set()
    kept = set(t.truth) - t.lost - merged
    if "row_too_long" in set(reading.problems["code"]):  # the row is an error as a whole
        kept -= {f for (r, _), f in t.facts.items() if f"A{r + 1}" in asked or f"B{r + 1}" in asked}
    out += [f"{f} was not found" for f in sorted(kept - set(found))]
    if wrong := {f for f in t.doubtful if f in found}:
        out.append(f"spoiled cells were used: {wrong}")
    return out


def try_one(seed: int, folder: Path) -> list[str]:
    """Make, change, write and read one table; the faults found, each with the seed and the changes."""
    draw = random.Random(seed)
    t = changed(draw)
    form = draw.choice(FORMS)
    if t.merged and form != "xlsx":
        form = "xlsx"
    reading = read_report(write(t, folder, form), JUNE)
    return [f"seed {seed} {form} {'+'.join(t.done)}: {x}" for x in faults(t, form, reading)]
