"""Make the demonstration reports: invented monthly figures of five parks and eight bureaus, 2015-01 to 2018-12.

The truth is drawn once from a fixed seed around the yearly totals of figures.csv; what senders report of it is written
as untidy workbooks, and each cell that holds a figure is noted in truth_cells.csv.gz with its meaning. The library
never reads the truth. Chance enters by uniform numbers, sums and products alone: no logarithm, which two machines may
round differently.

    python data/raw/demo/generate.py [--out FOLDER]     the same bytes on every machine
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

HERE = Path(__file__).resolve().parent
PARKS = {
    "gaoxin": "高新区",
    "jingkai": "经开区",
    "pingyuan": "平原示范区",
    "hongqi": "红旗区",
    "muye": "牧野区",
}
ORDER = list(PARKS)
WRITTEN = [  # how other offices write the parks (traits 41, 42, 46)
    list(PARKS.values()),
    ["高 新 区", "经 开 区", "平原示范区", "红 旗 区", "牧 野 区"],
    ["新乡高新区", "新乡经开区", "平原城乡一体化示范区", "　红旗区", "　牧野区"],
    [
        "新乡高新技术产业开发区管委会",
        "新乡经济技术开发区管委会",
        "平原示范区管委会",
        "红旗区",
        "牧野区",
    ],
    ["1.高新区", "2.经开区", "3.平原示范区", "4.红旗区", "5.牧野区"],
]
BUREAUS = {
    "kjj": "市科技局",
    "zscqj": "市知识产权局",
    "tjj": "市统计局",
    "czj": "市财政局",
    "swj": "市商务局",
    "rcb": "市人才办",
    "fgw": "市发改委",
    "zcb": "市自创办",
}
MONTHS, Y2018, MARCH, SEPTEMBER = 48, 36, 38, 44  # months are counted from 2015-01
SHARE = (0.35, 0.23, 0.11, 0.18, 0.13)
SEASON = {
    "patent": [0.9, 0.5, 1, 0.9, 1, 1.2, 0.8, 0.8, 1, 0.8, 1.2, 1.9],
    "econ": [0.8, 0.7, 1.1, 0.9, 0.9, 1.2, 0.9, 0.9, 1.1, 0.9, 0.9, 1.7],
    "late": [0.2, 0.2, 0.6, 0.7, 0.8, 1.3, 0.8, 0.9, 1.2, 1.1, 1.6, 2.6],
    "flat": [1, 0.7, 1] + [1] * 8 + [1.3],
}
OPENING = {
    "hightech_enterprises": (16, 9, 2, 7, 5),
    "valid_invention_patents": (424, 244, 117, 159, 116),
}
LAPSED_PATENTS = (160, 171, 184, 199)
QUARTERLY = ("gdp", "rd_expenditure")
INDUSTRY = (
    "industrial_value_added",
    "hightech_value_added",
    "leading_industry_value_added",
)  # constant prices
TOGETHER = (
    *INDUSTRY,
    "results_transferred",
    "tech_contract_value",
    "tech_contract_count",
)  # January with February
OFFICIAL = {
    2015: 1.03,
    2016: 1.015,
    2017: 1.035,
}  # the yearly survey finds more R&D than the quarterly reports
DEFLATOR = 1.018
MISSING = {"—": "not_applicable", "…": "below_unit", "暂无": "not_reported"}
KINDS = ("invention_patent_", "utility_model_", "design_")


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator: its label, the unit of the reports and the normal one, and the yearly totals of the five parks.

    `season` is a key of SEASON or the indicator whose months and parks it follows; `noise` is the spread of a month;
    `events` are the months in which something came, by park (those of batches.csv come on top).
    """

    label: str
    unit: str
    normal: str
    factor: int
    decimals: int
    kind: str
    season: str
    noise: float
    totals: tuple[float, ...]
    parks: tuple[float, ...]
    events: tuple[list[str], ...]


def read(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as fh:
        return list(csv.DictReader(fh))


FIGURES = {
    r["indicator"]: Figure(
        r["label"],
        r["unit"],
        r["normal"],
        int(r["factor"]),
        int(r["decimals"]),
        r["kind"],
        r["season"],
        float(r["noise"] or 0),
        tuple(float(r[f"y{y}"]) for y in range(2014, 2019) if r[f"y{y}"]),
        tuple(map(float, r["parks"].split(";"))) if r["parks"] else SHARE,
        tuple(months.split() for months in r["events"].split(";")),
    )
    for r in read(HERE / "figures.csv")
}
STOCKS = {i for i, f in FIGURES.items() if f.kind in ("stock", "people", "coverage")} | {*OPENING}


# --- the truth ----------------------------------------------------------------------------------------------------


def draw(reference: Path, seed: int = 20180944) -> dict[str, np.ndarray]:
    """Months × parks of every indicator in report units: flows of a month, stocks at its end."""
    rng, day = np.random.default_rng(seed), np.arange(MONTHS)[:, None]
    truth: dict[str, np.ndarray] = {}
    for name, f in FIGURES.items():
        if f.kind == "flow":
            truth[name] = _spread(f, f.totals, truth, rng)
        elif f.kind == "stock":
            first = _rounded(f.totals[0] * np.array(f.parks), f)
            first[0] += f.totals[0] - first.sum()
            steps = _spread(f, np.diff(f.totals), truth, rng)
            truth[name] = np.round(first + steps.cumsum(axis=0), f.decimals)
        elif f.kind == "people":
            path = np.interp(day[:, 0] + 1, range(0, 60, 12), f.totals)
            truth[name] = np.round(path[:, None] * f.parks, f.decimals)
        elif f.kind in ("event", "coverage"):
            counts = np.array([[days.count(str(d)) for days in f.events] for d in range(MONTHS)])
            truth[name] = (counts if f.kind == "event" else counts.cumsum(axis=0)).astype(float)
    for end in ("applications", "grants"):
        truth["patent_" + end] = sum(truth[kind + end] for kind in KINDS)
    for row in read(reference / "batches.csv"):
        if row["announced"]:
            month = (int(row["announced"][:4]) - 2015) * 12 + int(row["announced"][4:6]) - 1
            truth[row["indicator"]][month, ORDER.index(row["region"])] += float(row["done"])
    lapsed = _spread(FIGURES["invention_patent_grants"], LAPSED_PATENTS, truth, rng)
    gone = truth["hightech_lapsed"] + truth["hightech_moved_out"]
    for name, change in (
        ("hightech_enterprises", truth["hightech_recognised"] - gone),
        ("valid_invention_patents", truth["invention_patent_grants"] - lapsed),
    ):
        truth[name] = OPENING[name] + np.cumsum(change, axis=0)
    for name, counts in (
        ("quarterly_review_meeting", day % 3 == 2),
        ("fortnightly_meeting", 2 + (day % 6 == 0)),
        ("weekly_coordination_meeting", 4 + (day % 3 == 2)),
        ("monthly_ranking", day >= 0),
    ):
        truth[name] = np.where(day >= Y2018, counts, 0).astype(float)
    return truth


def _rounded(values: np.ndarray, f: Figure) -> np.ndarray:
    return np.round(values, f.decimals)


def _wobble(rng: np.random.Generator, spread: float, *shape: int) -> np.ndarray:
    """Factors around 1, nearly normal: sums of four uniform numbers."""
    return np.maximum(0.05, 1 + spread * 3**0.5 * (rng.random((*shape, 4)).sum(axis=-1) - 2))


def _spread(
    f: Figure, totals: tuple[float, ...], truth: dict[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Each year's total over months and parks, growth going on within the year; counts stay whole, money is rounded."""
    if f.season in truth:
        shape = truth[f.season] * np.array(f.parks) / truth[f.season].sum(axis=0)
    else:
        first, last = 2 * totals[0] - totals[1], 2 * totals[-1] - totals[-2]
        pace = np.interp(np.arange(MONTHS) + 0.5, range(-6, 55, 12), (first, *totals, last))
        season = np.tile(SEASON[f.season], 4) * np.maximum(0, pace)
        shape = season[:, None] * f.parks * np.repeat(_wobble(rng, 0.04, 4, 5), 12, axis=0)
    shape = shape * _wobble(rng, f.noise, MONTHS, 5) * _wobble(rng, f.noise / 2, MONTHS, 1)
    years = []
    for total, p in zip(totals, shape.reshape(4, 60), strict=True):
        if f.decimals or f.unit == "万元":
            cells = _rounded(total * p / p.sum(), f)
            cells[55] = round(cells[55] + total - cells.sum(), f.decimals)  # 高新区 in December
        else:
            where = np.searchsorted(p.cumsum(), rng.random(round(total)) * p.sum())
            cells = np.bincount(where, minlength=60)
        years.append(cells)
    return np.reshape(years, (MONTHS, 5)).astype(float)


@dataclass(frozen=True, slots=True)
class Known:
    """What senders report: the truth, first figures (with the month from which the truth stands), a restated base."""

    truth: dict[str, np.ndarray]
    first: dict[tuple[str, int, int], tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, truth: dict[str, np.ndarray], seed: int = 7) -> Known:
        rng, first = np.random.default_rng(seed), {}
        for name, size in (
            ("invention_patent_applications", 3),
            ("utility_model_applications", 5),
            ("invention_patent_grants", 2),
        ):
            for month in range(Y2018, SEPTEMBER + 1):
                for park in np.flatnonzero(rng.random(5) < 0.25):
                    lower = truth[name][month, park] - rng.integers(1, size + 1)
                    first[name, month, int(park)] = float(max(0, lower)), month + 1
        name, june = "invention_patent_applications", 29  # the yearbook of 2017, until revised
        first[name, june, 1] = float(truth[name][june, 1]) + 14, MARCH
        return cls(truth, first)

    def month(self, name: str, month: int, park: int | None, at: int) -> float:
        """The figure of one month as reported in month `at`; park None is the five together."""
        if park is None:
            return sum(self.month(name, month, p, at) for p in range(self.truth[name].shape[1]))
        if name in ("patent_applications", "patent_grants"):
            end = name.removeprefix("patent_")
            return sum(self.month(kind + end, month, park, at) for kind in KINDS)
        first, until = self.first.get((name, month, park), (0.0, 0))
        return first if at < until else float(self.truth[name][month, park])

    def ytd(self, name: str, month: int, park: int | None, at: int) -> float:
        """January to the month; from March 2018 on, 经开区 states its value added of 2017 3 % lower."""
        year = range(month // 12 * 12, month + 1)
        total = sum(self.month(name, m, park, at) for m in year)
        if name in INDUSTRY and at >= MARCH and month < Y2018 and park in (None, 1):
            total -= 0.03 * sum(self.month(name, m, 1, at) for m in year)
        return total

    def eop(self, name: str, month: int, park: int | None, at: int = MONTHS) -> float:
        return float(np.sum(self.truth[name][month, slice(None) if park is None else park]))

    def yoy(self, name: str, month: int, park: int | None, at: int) -> float | None:
        """Growth of the year to date as stated, in per cent; value added in constant prices."""
        base = self.ytd(name, month - 12, park, at)
        rate = self.ytd(name, month, park, at) / base if base else None
        return None if rate is None else 100 * (rate / (DEFLATOR if name in INDUSTRY else 1) - 1)


# --- writing ------------------------------------------------------------------------------------------------------

ERROR, HUNDRED_MILLIONS = "#DIV/0!", "0!.00,,"  # shows 235000000 as 2.35
HEADS = {"month": "本月", "ytd": "本年累计", "base": "上年同期累计", "yoy": "同比（%）"}
FULL, HAN = (
    str.maketrans("0123456789", "０１２３４５６７８９"),
    str.maketrans("0123456789", "〇一二三四五六七八九"),
)
HAN_MONTHS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


def stamp(month: int) -> str:
    return f"{2015 + month // 12}-{month % 12 + 1:02d}"


def spell(month: int, form: int = 0) -> str:
    """A month as offices write it (trait 57)."""
    y, m = 2015 + month // 12, month % 12 + 1
    return (
        f"{y}年{m}月",
        f"{y}-{m:02d}",
        f"{y}.{m:02d}",
        f"{y}年{m:02d}月",
        f"{y}年{m}月".translate(FULL),
        f"{y}年".translate(HAN) + HAN_MONTHS[m - 1] + "月",
        f"{y}/{m}",
    )[form]


def until(month: int) -> str:
    """January to this month (trait 64)."""
    m = month % 12 + 1
    return f"{2015 + month // 12}年" + {1: "1月", 6: "上半年", 9: "前三季度"}.get(m, f"1-{m}月")


def cell(row: int, col: int) -> str:
    return xl_rowcol_to_cell(row, col)


@dataclass(slots=True)
class Book:
    """One workbook of what is known in month `at`: cells by sheet, merged ranges, the truth of each cell with a figure.

    `sheet` is the one being written.
    """

    known: Known
    at: int
    name: str
    sheet: str = ""
    cells: dict[str, dict[tuple[int, int], object]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    merges: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    truth: list[dict] = field(default_factory=list)

    def row(self, row: int, *values: object) -> None:
        for col, value in enumerate(values):
            if value != "":
                self.cells[self.sheet][row, col] = value

    def rows(self, top: int, *rows: tuple) -> int:
        for r, values in enumerate(rows, top):
            self.row(r, *values)
        return top + len(rows)

    def merge(self, *box: int) -> None:
        self.merges.append((self.sheet, *box))

    def header(self, sheet: str, title: str, *lines: str, top: int = 0) -> int:
        """Title, lines below it and a blank row (trait 20); the row where the table starts."""
        self.sheet = sheet
        return self.rows(top, (title + "（演示数据）",), *((line,) for line in lines)) + 1

    def footer(self, row: int, *notes: str) -> None:
        """Notes, source and contact below a table (traits 51, 52)."""
        self.rows(
            row,
            ("注：1.本表为演示数据，不是任何单位上报的真实数据。",),
            *((f"　　{i}.{n}",) for i, n in enumerate(notes, 2)),
            ("数据来源：各单位台账（演示）",),
            ("填表人：演示　　联系电话：0373-0000000",),
        )

    def figure(
        self,
        row: int,
        col: int,
        region: str,
        name: str,
        month: int,
        what: str,
        shown: object = None,
        value: float | None = None,
    ) -> None:
        """A figure (month, ytd, base, yoy, eop or year) in report units, by default the one that is known.

        `shown` is what stands in the cell where that is not the plain number: a text, a formula with its result, or a
        number with its format. What is reported with February is 「—」 in January.
        """
        f, rate, month = FIGURES[name], what == "yoy", month - 12 * (what == "base")
        if value is None:
            park = None if region == "zone" else ORDER.index(region)
            kind = "ytd" if what == "base" else what
            value = getattr(self.known, kind)(name, month, park, self.at)
        early = name in TOGETHER and what != "eop" and month % 12 < 1 + (what == "month")
        if early or value is None and shown is None:
            shown = "—"
        value = shown if isinstance(shown, int) else round(value or 0, 1 if rate else f.decimals)
        missing = MISSING.get(shown, "") if isinstance(shown, str) else ""
        if isinstance(shown, tuple) and shown[1] == ERROR:
            missing = "cell_error"
        plain = int(value) if value == int(value) and not rate else value
        self.cells[self.sheet][row, col] = plain if shown is None else shown
        self.truth.append(
            {
                "file": self.name,
                "sheet": "" if self.name.endswith("csv") else self.sheet,
                "cell": cell(row, col),
                "region": region,
                "indicator": name,
                "start": stamp(month if what in ("month", "eop") else month // 12 * 12),
                "end": stamp(month),
                "basis": what if what in ("month", "eop", "year") else "ytd",
                "measure": "yoy_pct" if rate else "value",
                "value": "" if missing else repr(round(value * (1 if rate else f.factor), 6)),
                "unit": "%" if rate else f.normal,
                "missing_reason": missing,
            }
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.name.endswith(".csv"):
            (rows,), buffer = self.cells.values(), io.StringIO(newline="")
            width = {r: max(c for q, c in rows if q == r) for r, _ in rows}
            for r in range(max(width) + 1):
                line = [rows.get((r, c), "") for c in range(width.get(r, -1) + 1)]
                csv.writer(buffer, lineterminator="\r\n").writerow(line)
            (folder / self.name).write_bytes(buffer.getvalue().encode("gb18030"))
            return
        book = xlsxwriter.Workbook(str(folder / self.name), {"strings_to_formulas": False})
        book.set_properties({"created": dt.datetime(2018, 1, 1), "comments": "演示数据"})
        title = book.add_format({"bold": True, "font_size": 14})
        head = book.add_format({"align": "center"})
        for sheet, cells in self.cells.items():
            ws = book.add_worksheet(sheet)
            ws.set_column(0, 0, 30)
            merged = {(r1, c1): (r2, c2) for name, r1, c1, r2, c2 in self.merges if name == sheet}
            for (r, c), value in cells.items():
                if (r, c) in merged:
                    ws.merge_range(r, c, *merged[r, c], value, head)
                elif not isinstance(value, tuple):
                    ws.write(r, c, value, title if (r, c) == (0, 0) else None)
                elif isinstance(value[0], str):
                    ws.write_formula(r, c, value[0], None, value[1])
                else:
                    ws.write(r, c, value[0], book.add_format({"num_format": value[1]}))
        book.close()


# --- what parks send ----------------------------------------------------------------------------------------------

PARK_ROWS = [
    ("patent_applications", "专利申请量"),
    ("invention_patent_applications", "其中：发明专利"),
    ("patent_grants", "专利授权量"),
    ("invention_patent_grants", "其中：发明专利"),
    *(
        (i, FIGURES[i].label)
        for i in (
            "new_tech_smes_registered",
            "tech_contract_value",
            "new_rd_team_floor_area",
            "new_incubators",
            "external_funds_attracted",
            "major_projects_attracted",
            "investment_promotion_events",
            "tech_exchange_events",
            "industry_research_institutes",
            "replicable_experiences_per_park",
        )
    ),
]
PARK_STOCKS = (
    "hightech_enterprises",
    "hightech_reserve_enterprises",
    "valid_invention_patents",
    "incubation_floor_area",
)


def park_month(known: Known, park: str, month: int, suffix: str = "") -> Book:
    """A park's monthly form: flows and stocks below each other (trait 31), patents by type on a second sheet."""
    n, m, name = ORDER.index(park), month % 12 + 1, f"{PARKS[park]}{spell(month)}报表{suffix}"
    book = Book(known, month, name + (".csv" if park == "muye" else ".xlsx"))
    heads = [*HEADS][: 2 if park == "hongqi" else 4]  # 红旗区 says nothing of last year
    title = f"{PARKS[park]}{spell(month, n)}创新发展主要指标月报表"
    top = book.header("月报", title, f"填报单位：{PARKS[park]}管理委员会")
    book.row(top, "指标", "单位", *map(HEADS.get, heads))
    for r, (name, label) in enumerate(PARK_ROWS, top + 1):
        book.row(r, label, FIGURES[name].unit)
        for c, what in enumerate(heads, 2):
            book.figure(r, c, park, name, month, what, _park_cell(book, park, name, what, r))
    title = f"{PARKS[park]}{spell(month)}末时点指标"
    top = book.header("月报", title, top=top + len(PARK_ROWS) + 2)
    days = (month, month - 12)[: len(heads) // 2]
    book.row(top, "指标", "单位", *(f"{2015 + d // 12}年{m}月末"[5 * (d == month) :] for d in days))
    for r, name in enumerate(PARK_STOCKS, top + 1):
        book.row(r, FIGURES[name].label, FIGURES[name].unit)
        for c, day in enumerate(days, 2):
            book.figure(r, c, park, name, day, "eop")
    book.footer(top + len(PARK_STOCKS) + 2, "1月与2月的技术合同合并上报。")
    if park != "muye":
        patents_by_type(book, park, month)
    return book


def _park_cell(book: Book, park: str, name: str, what: str, row: int) -> object:
    """How a park's office writes a figure where it does not just type it (traits 77, 78, 82, 85)."""
    n, f, month = ORDER.index(park), FIGURES[name], book.at
    value = getattr(book.known, "ytd" if what == "base" else what)(
        name, month - 12 * (what == "base"), n, month
    )
    if what == "yoy":
        error = (park, month) == ("pingyuan", 39)  # once, a growth over nothing is left standing
        if n not in (0, 2) or name in TOGETHER and month == Y2018 or value is None and not error:
            return None
        formula = f"=ROUND((D{row + 1}/E{row + 1}-1)*100,1)"
        return formula, ERROR if value is None else round(value, 1)
    if (park, month, name, what) == ("jingkai", 40, "external_funds_attracted", "base"):
        return round(value * 10**8), HUNDRED_MILLIONS
    if what == "base":
        return None
    if (park, book.name[-7:-5], name) == ("gaoxin", "报表", "tech_contract_value") and month == 41:
        return int(value) + 180  # a contract registered twice, taken out by the second submission
    if what == "month" and f.decimals and value == 0:
        return "…"
    if (park, month, name, what) == ("hongqi", 39, "investment_promotion_events", "month"):
        return "暂无"
    if what == "ytd" and value >= 1000 and not f.decimals and n in (1, 4):
        return f"{value:,.0f}" if n == 1 else f"{value:.0f}".translate(FULL)
    return None


def patents_by_type(book: Book, park: str, month: int) -> None:
    """Months as rows, merged header groups; every month is given again, revised where it was (traits 21, 84, 88)."""
    n, gone = ORDER.index(park), park == "jingkai" and month == SEPTEMBER
    title = f"{PARKS[park]}{2015 + month // 12}年专利分月情况"
    top, kinds = (
        book.header("专利分类型", title, "单位：件"),
        ("合计", "发明", "实用新型", "外观设计"),
    )
    book.row(top, "月份", "专利申请", "", "", "", "专利授权")
    book.row(top + 1, "", *kinds, *kinds)
    for box in ((top, 0, top + 1, 0), (top, 1, top, 4), (top, 5, top, 8)):
        book.merge(*box)
    names = [kind + end for end in ("applications", "grants") for kind in ("patent_", *KINDS)]
    for row, m in enumerate(range(month // 12 * 12, month + 1), top + 2):
        book.row(row, f"{m % 12 + 1}月")
        for col, name in enumerate(names, 1):
            if (park, month, m, name) == ("hongqi", SEPTEMBER, 38, "utility_model_grants"):
                continue  # reported in March and left blank now
            shown = "—" if gone and m == 37 and name == "design_applications" else None
            if name.startswith("patent_") and n in (0, 2):
                three = f"{cell(row, col + 1)}:{cell(row, col + 3)}"
                shown = f"=SUM({three})", book.known.month(name, m, n, month)
            book.figure(row, col, park, name, m, "month", shown)
    notes = ["2月外观设计申请数核实后撤销，以“—”表示。"] if gone else []
    book.footer(top + 4 + month % 12, *notes)


def park_year(known: Known, park: str, year: int) -> Book:
    """A park's whole year: indicators as rows, twelve months and the year as columns."""
    n, last = ORDER.index(park), (year - 2014) * 12 - 1
    book = Book(known, last, f"{PARKS[park]}{year}年报表.xlsx")
    title = f"{PARKS[park]}{year}年主要指标分月情况"
    top = book.header("分月", title, f"填报单位：{PARKS[park]}")
    book.row(top, "指标", "单位", *(f"{m}月" for m in range(1, 13)), "全年")
    rows = [p for p in PARK_ROWS if p[0] not in (*TOGETHER, "replicable_experiences_per_park")]
    for r, (name, label) in enumerate(rows, top + 1):
        book.row(r, label, FIGURES[name].unit)
        for m in range(12):
            book.figure(r, 2 + m, park, name, last - 11 + m, "month")
        formula = f"=SUM(C{r + 1}:N{r + 1})", round(known.ytd(name, last, n, last), 2)
        book.figure(r, 14, park, name, last, "ytd", formula if n == 0 else None)
    book.footer(top + len(rows) + 2)
    return book


# --- what bureaus send --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """One bureau sheet (traits 22 to 24): parks as rows, `names` × `what` as columns; `title` takes {when} and such.

    `heads`: plain is one row of label and unit; groups writes a group's word over its first column, repeated over each,
    merged in a merged cell (traits 21, 22); or the header rows themselves, / between rows. `form` is how parks are
    written, by default it changes from month to month; where the total is first, parks are a list that begins with #
    (trait 50); `quarters`: only at the end of one.
    """

    sender: str
    sheet: str
    title: str
    names: tuple[str, ...]
    what: tuple[str, ...]
    heads: str
    form: str
    total: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    zero: str
    total_first: str
    quarters: str


LISTS = ("names", "what", "lines", "notes")
LAYOUTS = [
    Layout(**{k: tuple(filter(None, v.split(";"))) if k in LISTS else v for k, v in r.items()})
    for r in read(HERE / "layouts.csv")
]


def _head_rows(lay: Layout) -> tuple[tuple[str, ...], ...]:
    if ";" in lay.heads:
        return tuple(tuple(words.split(";")) for words in lay.heads.split("/"))
    labels = [FIGURES[i].label + ("" if lay.lines else f"（{FIGURES[i].unit}）") for i in lay.names]
    if lay.heads == "plain":
        return (("园区", *labels),)
    more = len(lay.what) - 1
    first = [w for x in labels for w in (x, *[x if lay.heads == "repeated" else ""] * more)]
    subs = [HEADS[w] if not lay.lines else HEADS[w].replace("（%）", "增长") for w in lay.what]
    return ("园区", *first), ("", *subs * len(labels))


def by_park(book: Book, lay: Layout) -> None:
    month, heads, wide = book.at, _head_rows(lay), len(lay.what)
    form = int(lay.form or month % 5)
    title = lay.title.format(when=spell(month, month % 7), until=until(month), end=spell(month))
    top = book.header(lay.sheet, title, *lay.lines)
    body = book.rows(top, *heads)
    if lay.heads == "merged":
        book.merge(top, 0, top + 1, 0)
        for g in range(len(lay.names)):
            book.merge(top, 1 + wide * g, top, wide * (g + 1))
    columns = [(name, what) for name in lay.names for what in lay.what]
    if month % 12 == 0 and not any("本年累计" in words for words in heads):
        # the title says no more than January
        columns = [(i, "month" if w == "ytd" else w) for i, w in columns]
    rows = [*zip(PARKS, WRITTEN[form], strict=True), ("zone", lay.total)]
    if lay.total_first:
        rows = [rows[-1], (rows[0][0], "# " + rows[0][1]), *rows[1:-1]]
    for r, (region, label) in enumerate(rows, body):
        book.row(r, label)
        for c, (name, what) in enumerate(columns, 1):
            shown = None
            if region == "zone" and what != "yoy" and not lay.total_first:
                total = getattr(book.known, what)(name, month, None, month)
                parks = f"=SUM({cell(r - 5, c)}:{cell(r - 1, c)})"
                shown = parks, round(total, FIGURES[name].decimals)
            elif lay.zero and region != "zone" and what == "month":
                count = book.known.month(name, month, ORDER.index(region), month)
                shown = None if count else lay.zero
            book.figure(r, c, region, name, month, what, shown)
    book.footer(body + len(rows) + 1, *lay.notes)


def official(book: Book, year: int) -> None:
    """The intensity that the yearly survey finds, out a year late."""
    name, last = "rd_intensity_official", (year - 2014) * 12 - 1
    spent, made = (book.known.ytd(i, last, None, last) for i in ("rd_expenditure", "gdp"))
    top = book.header("年度公布", f"{year}年自创区研发投入强度（年度公布数）")
    book.rows(top, ("地区", f"{FIGURES[name].label}（%）"), ("自创区",))
    value = 100 * spent / made * OFFICIAL[year]
    book.figure(top + 1, 1, "zone", name, last, "year", value=value)
    book.footer(top + 3)


def bureau_month(known: Known, sender: str, month: int) -> Book:
    book = Book(known, month, f"{BUREAUS[sender]}{spell(month)}报表.xlsx")
    for lay in LAYOUTS:
        if lay.sender == sender and (month % 3 == 2 or not lay.quarters):
            by_park(book, lay)
    if sender == "zscqj":
        whole_city(book, month)
        inventions_by_month(book, month)
    elif sender == "tjj" and month == SEPTEMBER:
        official(book, 2017)
    elif sender == "zcb":
        top = book.header("例会", f"自创区{spell(month, month % 7)}推进机制运行情况")
        book.row(top, "指标", "单位", "本月", "本年累计")
        meetings = [i for i, f in FIGURES.items() if f.kind == "meeting"]
        for r, name in enumerate(meetings, top + 1):
            book.row(r, FIGURES[name].label, "次")
            for c, what in ((2, "month"), (3, "ytd")):
                book.figure(r, c, "zone", name, month, what)
        book.footer(top + len(meetings) + 2)
    return book


def inventions_by_month(book: Book, month: int) -> None:
    """Every month again, with one left out by mistake in August (trait 88)."""
    title = f"{2015 + month // 12}年各园区发明专利申请量分月情况"
    top = book.header("分月", title, "指标：发明专利申请量（件）")
    book.row(top, "园区", *(f"{m - Y2018 + 1}月" for m in range(Y2018, month + 1)))
    for r, (region, label) in enumerate(PARKS.items(), top + 1):
        book.row(r, label)
        for c, m in enumerate(range(Y2018, month + 1), 1):
            if (region, month, m) != ("muye", 43, 38):
                book.figure(r, c, region, "invention_patent_applications", m, "month")
    book.footer(top + 7)


def whole_city(book: Book, month: int) -> None:
    """Each park, what belongs to none, and a total over all (traits 47, 48)."""
    name, parks = "patent_applications", range(5)
    top = book.header("市直与全市", f"{spell(month)}全市专利申请情况")
    book.row(top, "地区", "专利申请量（件）")
    counts = [book.known.month(name, month, n, month) for n in parks]
    counts.append(float(round(0.62 * book.known.eop(name, month, None))))
    counts.append(sum(counts))
    regions = {**PARKS, "other": "其他", "city": "全市"}
    for r, ((region, label), value) in enumerate(
        zip(regions.items(), counts, strict=True), top + 1
    ):
        book.row(r, label)
        shown = (f"=SUM(B{top + 2}:B{r})", value) if region == "city" else None
        book.figure(r, 1, region, name, month, "month", shown, value)
    book.footer(top + 9)


def _year_cells(name: str, last: int, dash: str) -> list[tuple[str, int, str]]:
    """What one indicator's yearly sheet has in its columns: the heading, the month and the kind of figure."""
    months, f = range(last - 11, last + 1), FIGURES[name]
    if name in QUARTERLY:
        words = ("1-3月", "上半年", "前三季度", "全年")
        return [(word, m, "ytd") for word, m in zip(words, months[2::3], strict=True)]
    if name in TOGETHER:
        return [(f"1{dash}{m % 12 + 1}月", m, "ytd") for m in months[1:]]
    if name in STOCKS:
        return [(f"{m % 12 + 1}月末", m, "eop") for m in months[11 * (f.kind == "people") :]]
    return [*((f"{m % 12 + 1}月", m, "month") for m in months), ("全年", last, "ytd")]


def bureau_year(known: Known, sender: str, year: int, at: int | None = None) -> Book:
    """One sheet for each indicator, parks as rows and the year's months as columns (traits 58, 64, 65).

    `at`: the month in which the year is sent again, revised.
    """
    last = (year - 2014) * 12 - 1
    suffix = "-修订" if at else ""
    book = Book(known, at or last, f"{BUREAUS[sender]}{year}年报表{suffix}.xlsx")
    names = [i for lay in LAYOUTS if lay.sender == sender for i in lay.names]
    names = [i for i in names if FIGURES[i].kind != "coverage" and i != "hightech_moved_out"]
    for i, name in enumerate(names + ["population"] * (sender == "tjj")):
        f, cells = FIGURES[name], _year_cells(name, last, "-—～至"[(i + year) % 4])
        top = book.header(f.label[:20], f"{year}年各园区{f.label}", f"单位：{f.unit}")
        book.row(top, "园区", *(word for word, _, _ in cells))
        rows = [*zip(PARKS, WRITTEN[(i + year) % 5], strict=True), ("zone", "合计")]
        for r, (region, label) in enumerate(rows, top + 1):
            book.row(r, label)
            for c, (_, m, what) in enumerate(cells, 1):
                book.figure(r, c, region, name, m, what)
        book.footer(top + 8)
    if sender == "tjj" and year - 1 in OFFICIAL:
        official(book, year - 1)
    if not names:
        book.header("说明", f"{year}年无推进机制台账", "2018年起建立台账。")
    return book


def books(known: Known) -> Iterator[tuple[int, Book]]:
    """Every report with the month it arrives in; 牧野区 sends nothing for July, 市商务局 each month a month late."""
    for year in (2015, 2016, 2017):
        for sender in (*PARKS, *BUREAUS):
            make = park_year if sender in PARKS else bureau_year
            yield (year - 2014) * 12 - 1, make(known, sender, year)
    for month in range(Y2018, SEPTEMBER + 1):
        for sender in (*PARKS, *BUREAUS):
            make, arrives = (
                park_month if sender in PARKS else bureau_month,
                month + (sender == "swj"),
            )
            if (sender, month) != ("muye", 42) and arrives <= SEPTEMBER:
                yield arrives, make(known, sender, month)
    yield 41, park_month(known, "gaoxin", 41, "-修订")
    yield MARCH, bureau_year(known, "zscqj", 2017, MARCH)


# --- the truth tables ---------------------------------------------------------------------------------------------

RATIOS = {
    "rd_intensity": (100, "rd_expenditure", "gdp"),
    "invention_patents_per_10k": (10000, "valid_invention_patents", "population"),
    "sci_fiscal_share": (100, "fiscal_st_expenditure", "fiscal_expenditure"),
    "leading_industry_share": (100, "leading_industry_value_added", "industrial_value_added"),
    "provincial_rd_platform_coverage": (
        100,
        "above_scale_with_platform",
        "above_scale_enterprises",
    ),
}


def year_ends(known: Known) -> Iterator[dict]:
    """What each indicator comes to in each year, in normal units: sums, stocks and the ratios of the plan."""
    for year in range(2015, 2019):
        last = (year - 2014) * 12 - 1
        for park, region in enumerate((*ORDER, "zone")):
            p = park if region != "zone" else None
            unknown = {"official"} | ({"meeting", "coverage"} if year < 2018 else set())
            unknown |= set() if p is None else {"meeting"}
            value = {
                name: f.factor
                * sum(known.month(name, m, p, MONTHS) for m in range(last - 11, last + 1))
                if name not in STOCKS
                else f.factor * known.eop(name, last, p)
                for name, f in FIGURES.items()
                if f.kind not in unknown
            }
            for name, (times, up, down) in RATIOS.items():
                value[name] = times * value[up] / value[down]
            if year > 2015:
                for name, of in (
                    ("hitech_value_added_growth", "hightech_value_added"),
                    ("tech_contract_growth", "tech_contract_value"),
                ):
                    value[name] = known.yoy(of, last, p, last)
            for name, v in value.items():
                yield {
                    "year": year,
                    "region": region,
                    "indicator": name,
                    "value": repr(round(v, 6)),
                }


def months_of(known: Known) -> Iterator[dict]:
    for name, cells in known.truth.items():
        for (month, park), v in np.ndenumerate(cells):
            yield {
                "month": stamp(month),
                "region": ORDER[park] if cells.shape[1] == 5 else "zone",
                "indicator": name,
                "value": repr(round(float(v) * FIGURES[name].factor, 6)),
            }


def write_csv(path: Path, rows: list[dict]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = buffer.getvalue().encode("utf-8-sig")
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main(out: Path) -> None:
    known, cells = Known.of(draw(HERE.parent / "reference")), []
    for month, book in books(known):
        book.save(out / stamp(month))
        cells += book.truth
    write_csv(out / "truth_cells.csv.gz", cells)
    write_csv(out / "truth_months.csv.gz", list(months_of(known)))
    write_csv(out / "truth_year_end.csv", list(year_ends(known)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="生成演示数据")
    parser.add_argument("--out", type=Path, default=HERE)
    main(parser.parse_args().out)
