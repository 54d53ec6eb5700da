"""Make the demonstration reports: invented monthly figures of five parks and eight bureaus, 2015-01 to 2018-12.

The truth is drawn once from a fixed seed around the yearly totals of figures.csv; what senders report of it is written
as untidy workbooks, and each cell that holds a figure is noted in truth_cells.csv.gz with its meaning. The library
never reads the truth.

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
MONTHS, Y2018, SEPTEMBER = 48, 36, 44  # months are counted from 2015-01
SHARE = (0.35, 0.23, 0.11, 0.18, 0.13)
SEASON = {
    "patent": [0.9, 0.5, 1, 0.9, 1, 1.2, 0.8, 0.8, 1, 0.8, 1.2, 1.9],
    "econ": [0.8, 0.7, 1.1, 0.9, 0.9, 1.2, 0.9, 0.9, 1.1, 0.9, 0.9, 1.7],
    "late": [0.2, 0.2, 0.6, 0.7, 0.8, 1.3, 0.8, 0.9, 1.2, 1.1, 1.6, 2.6],
    "flat": [1, 0.7, 1] + [1] * 8 + [1.3],
}
OPENING = {
    "hightech_enterprises": (16, 9, 2, 7, 5),
    "valid_invention_patents": (291, 161, 74, 98, 76),
}
FUTURE = {
    "hightech_recognised": (47, (4, 3, 1, 2, 1)),
    "hightech_lapsed": (46, (1, 1, 0, 1, 1)),
    "new_tech_little_giants": (47, (2, 1, 0, 1, 0)),
}  # of 2018, not announced by September
EXPERIENCES = (
    (38, 41, 44, 46),
    (39, 42, 45),
    (43, 46),
    (40, 42, 47),
    (41, 43, 46),
)  # months, by park
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
    """One indicator: its label, the unit of the reports and the normal one, and the yearly totals of the five parks."""

    label: str
    unit: str
    normal: str
    factor: int
    decimals: int
    kind: str
    season: str
    totals: tuple[float, ...]
    parks: tuple[float, ...]

    @property
    def stock(self) -> bool:
        return self.kind in ("stock", "people", "coverage")


def _figures() -> dict[str, Figure]:
    with open(HERE / "figures.csv", encoding="utf-8-sig", newline="") as fh:
        return {
            r["indicator"]: Figure(
                r["label"],
                r["unit"],
                r["normal"],
                int(r["factor"]),
                int(r["decimals"]),
                r["kind"],
                r["season"],
                tuple(float(r[y]) for y in ("y2014", "y2015", "y2016", "y2017", "y2018") if r[y]),
                tuple(map(float, r["parks"].split(";"))) if r["parks"] else SHARE,
            )
            for r in csv.DictReader(fh)
        }


FIGURES = _figures()


# --- the truth ----------------------------------------------------------------------------------------------------


def draw(reference: Path, seed: int = 20180930) -> dict[str, np.ndarray]:
    """Months × parks of every indicator in report units: flows of a month, stocks at its end."""
    rng, day = np.random.default_rng(seed), np.arange(MONTHS)
    truth = {name: _flow(f, rng) for name, f in FIGURES.items() if f.kind == "flow"}
    truth["replicable_experiences_per_park"][:] = 0
    for park, months in enumerate(EXPERIENCES):
        truth["replicable_experiences_per_park"][list(months), park] = 1
    for end in ("applications", "grants"):
        truth["patent_" + end] = sum(truth[kind + end] for kind in KINDS)
    for name, (month, parks) in FUTURE.items():
        truth[name] = np.zeros((MONTHS, 5))
        truth[name][month] = parks
    with open(reference / "batches.csv", encoding="utf-8-sig", newline="") as fh:
        for row in csv.DictReader(fh):
            if row["announced"]:
                month = (int(row["announced"][:4]) - 2015) * 12 + int(row["announced"][4:6]) - 1
                truth[row["indicator"]][month, ORDER.index(row["region"])] += float(row["done"])
    lapses = rng.binomial(3, 0.48, (MONTHS, 5)) * (day[:, None] % 2)
    for name, change in (
        (
            "hightech_enterprises",
            truth["hightech_recognised"] - truth["hightech_lapsed"] - truth["hightech_moved_out"],
        ),
        ("valid_invention_patents", truth["invention_patent_grants"] - lapses),
    ):
        truth[name] = np.array(OPENING[name]) + np.cumsum(change, axis=0)
    for name, f in FIGURES.items():
        if f.kind in ("stock", "people"):
            path = np.interp((day + 1) / 12, range(5), f.totals)
            truth[name] = np.round(np.outer(path, f.parks), f.decimals)
            if f.kind == "stock":
                truth[name][:, 0] = np.round(
                    np.round(path, f.decimals) - truth[name][:, 1:].sum(axis=1), f.decimals
                )
        elif f.kind == "coverage":
            truth[name] = (day[:, None] >= np.array(f.parks) - 1).astype(float)
    for name, counts in (
        ("quarterly_review_meeting", day % 3 == 2),
        ("fortnightly_meeting", 2 + (day % 6 == 0)),
        ("weekly_coordination_meeting", 4 + (day % 3 == 2)),
        ("monthly_ranking", day >= 0),
    ):
        truth[name] = np.where(day >= Y2018, counts, 0)[:, None].astype(float)
    return truth


def _flow(f: Figure, rng: np.random.Generator) -> np.ndarray:
    """Each year's total spread over months and parks; counts stay whole, money is rounded as it is reported."""
    rows = []
    for total in f.totals:
        season = np.array(SEASON[f.season]) * rng.lognormal(0, 0.08, 12)
        p = np.outer(season, f.parks) * rng.lognormal(0, 0.12, (12, 5))
        p /= p.sum()
        if f.decimals or f.unit == "万元":
            cells = np.round(total * p, f.decimals)
            cells[11, 0] = round(cells[11, 0] + total - cells.sum(), f.decimals)
        else:
            cells = rng.multinomial(int(total), p.ravel()).reshape(12, 5)
        rows.append(cells)
    return np.vstack(rows).astype(float)


@dataclass(frozen=True, slots=True)
class Known:
    """What senders report: the truth with first figures that are revised a month later, and a restated base."""

    truth: dict[str, np.ndarray]
    first: dict[tuple[str, int, int], float] = field(default_factory=dict)

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
                    first[name, month, int(park)] = float(max(0, lower))
        return cls(truth, first)

    def month(self, name: str, month: int, park: int | None, at: int) -> float:
        """The figure of one month as reported in month `at`; park None is the five together."""
        if park is None:
            return sum(self.month(name, month, p, at) for p in range(self.truth[name].shape[1]))
        if name in ("patent_applications", "patent_grants"):
            return sum(
                self.month(kind + name.removeprefix("patent_"), month, park, at) for kind in KINDS
            )
        first = self.first.get((name, month, park)) if month == at else None
        return float(self.truth[name][month, park]) if first is None else first

    def ytd(self, name: str, month: int, park: int | None, at: int) -> float:
        """January to the month; from March 2018 on, 经开区 states its value added of 2017 3 % lower."""
        total = sum(self.month(name, m, park, at) for m in range(month // 12 * 12, month + 1))
        if name in INDUSTRY and at >= 38 and month < Y2018:
            if park is None:
                return total - 0.03 * sum(
                    self.month(name, m, 1, at) for m in range(month // 12 * 12, month + 1)
                )
            return total * (0.97 if park == 1 else 1)
        return total

    def eop(self, name: str, month: int, park: int | None) -> float:
        return float(
            self.truth[name][month].sum() if park is None else self.truth[name][month, park]
        )

    def growth(self, name: str, month: int, park: int | None, at: int) -> float | None:
        """Year-on-year growth of the year to date as stated, in per cent; value added in constant prices."""
        base = self.ytd(name, month - 12, park, at)
        rate = self.ytd(name, month, park, at) / base if base else None
        return None if rate is None else 100 * (rate / (DEFLATOR if name in INDUSTRY else 1) - 1)


# --- writing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Book:
    """One workbook: cells by sheet, merged ranges, and the truth of each cell that holds a figure."""

    name: str
    cells: dict[str, dict[tuple[int, int], object]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    merges: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    truth: list[dict] = field(default_factory=list)

    def row(self, sheet: str, row: int, *values: object) -> None:
        for col, value in enumerate(values):
            if value != "":
                self.cells[sheet][row, col] = value

    def figure(
        self,
        sheet: str,
        row: int,
        col: int,
        region: str,
        name: str,
        month: int,
        basis: str,
        value: float,
        shown: object = None,
        measure: str = "value",
    ) -> None:
        """A figure in report units; `shown` is what stands in the cell where that is not the plain number."""
        f, rate = FIGURES[name], measure == "yoy_pct"
        value = shown if isinstance(shown, int) else round(value, 1 if rate else f.decimals)
        missing = MISSING.get(shown, "") if isinstance(shown, str) else ""
        if isinstance(shown, tuple) and shown[1] == ERROR:
            missing = "cell_error"
        plain = int(value) if value == int(value) and not rate else value
        self.cells[sheet][row, col] = plain if shown is None else shown
        self.truth.append(
            {
                "file": self.name,
                "sheet": "" if self.name.endswith("csv") else sheet,
                "cell": xl_rowcol_to_cell(row, col),
                "region": region,
                "indicator": name,
                "start": stamp(month // 12 * 12 if basis in ("ytd", "year") else month),
                "end": stamp(month),
                "basis": basis,
                "measure": measure,
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
        title, head = (
            book.add_format({"bold": True, "font_size": 14}),
            book.add_format({"align": "center"}),
        )
        for sheet, cells in self.cells.items():
            ws = book.add_worksheet(sheet)
            ws.set_column(0, 0, 30)
            merged = {(r1, c1): (r2, c2) for name, r1, c1, r2, c2 in self.merges if name == sheet}
            for (r, c), value in cells.items():
                if (r, c) in merged:
                    ws.merge_range(r, c, *merged[r, c], value, head)
                elif isinstance(value, tuple):
                    ws.write_formula(r, c, value[0], None, value[1])
                else:
                    ws.write(r, c, value, title if (r, c) == (0, 0) else None)
        book.close()


ERROR = "#DIV/0!"
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


def header(book: Book, sheet: str, top: int, title: str, *lines: str) -> int:
    """Title, lines below it and a blank row (trait 20); the row where the table starts."""
    for r, line in enumerate((title + "（演示数据）", *lines), top):
        book.row(sheet, r, line)
    return top + len(lines) + 2


def footer(book: Book, sheet: str, row: int, *notes: str) -> None:
    """Notes, source and contact below a table (traits 51, 52)."""
    for r, line in enumerate(
        (
            "注：1.本表为演示数据，不是任何单位上报的真实数据。",
            *(f"　　{i}.{n}" for i, n in enumerate(notes, 2)),
            "数据来源：各单位台账（演示）",
            "填表人：演示　　联系电话：0373-0000000",
        ),
        row,
    ):
        book.row(sheet, r, line)


def place(
    known: Known,
    book: Book,
    sheet: str,
    row: int,
    col: int,
    name: str,
    region: str,
    month: int,
    what: str,
    at: int,
    shown: object = None,
) -> None:
    """One figure (month, ytd, base, yoy or eop) in one cell; what is reported with February is 「—」 in January."""
    park = None if region == "zone" else ORDER.index(region)
    shift = month - 12 if what == "base" else month
    basis = {"month": "month", "eop": "eop"}.get(what, "ytd")
    value = {
        "eop": lambda: known.eop(name, month, park),
        "month": lambda: known.month(name, month, park, at),
        "yoy": lambda: known.growth(name, month, park, at),
    }.get(what, lambda: known.ytd(name, shift, park, at))()
    if (
        value is None
        and shown is None
        or name in TOGETHER
        and what != "eop"
        and month % 12 < (2 if what == "month" else 1)
    ):
        shown = "—"
    book.figure(
        sheet,
        row,
        col,
        region,
        name,
        shift,
        basis,
        value or 0,
        shown,
        "yoy_pct" if what == "yoy" else "value",
    )


HEADS = {"month": "本月", "ytd": "本年累计", "base": "上年同期累计", "yoy": "同比（%）"}
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
    n, sheet, m = ORDER.index(park), "月报", month % 12 + 1
    book = Book(f"{PARKS[park]}{spell(month)}报表{suffix}.{'csv' if park == 'muye' else 'xlsx'}")
    top = header(
        book,
        sheet,
        0,
        f"{PARKS[park]}{spell(month, n)}创新发展主要指标月报表",
        f"填报单位：{PARKS[park]}管理委员会",
    )
    book.row(sheet, top, "指标", "单位", *HEADS.values())
    for r, (name, label) in enumerate(PARK_ROWS, top + 1):
        book.row(sheet, r, label, FIGURES[name].unit)
        for c, what in enumerate(HEADS, 2):
            shown = _park_cell(known, park, month, suffix, name, what, r)
            place(known, book, sheet, r, c, name, park, month, what, month, shown)
    top = header(book, sheet, top + len(PARK_ROWS) + 2, f"{PARKS[park]}{spell(month)}末时点指标")
    book.row(sheet, top, "指标", "单位", f"{m}月末", f"{2014 + month // 12}年{m}月末")
    for r, name in enumerate(PARK_STOCKS, top + 1):
        book.row(sheet, r, FIGURES[name].label, FIGURES[name].unit)
        place(known, book, sheet, r, 2, name, park, month, "eop", month)
        place(known, book, sheet, r, 3, name, park, month - 12, "eop", month)
    footer(book, sheet, top + len(PARK_STOCKS) + 2, "1月与2月的技术合同合并上报。")
    if park != "muye":
        patents_by_type(known, book, park, month)
    return book


def _park_cell(
    known: Known, park: str, month: int, suffix: str, name: str, what: str, row: int
) -> object:
    """How a park's office writes a figure where it does not just type it (traits 77, 78, 82, 85)."""
    n, f = ORDER.index(park), FIGURES[name]
    if what in ("month", "ytd"):
        value = (
            known.month(name, month, n, month)
            if what == "month"
            else known.ytd(name, month, n, month)
        )
        if (park, month, suffix, name) == ("gaoxin", 41, "", "tech_contract_value"):
            return (
                int(value) + 180
            )  # a contract registered twice, taken out by the second submission
        if what == "month" and f.decimals and value == 0:
            return "…"
        if (park, month, name, what) == ("hongqi", 39, "investment_promotion_events", "month"):
            return "暂无"
        if what == "ytd" and value >= 1000 and not f.decimals and n in (1, 4):
            return f"{value:,.0f}" if n == 1 else f"{value:.0f}".translate(FULL)
    if what == "yoy" and n in (0, 2) and not (name in TOGETHER and month == Y2018):
        rate, formula = (
            known.growth(name, month, n, month),
            f"=ROUND((D{row + 1}/E{row + 1}-1)*100,1)",
        )
        if rate is not None or (park, month) == (
            "pingyuan",
            39,
        ):  # once, a growth over nothing is left standing
            return formula, ERROR if rate is None else round(rate, 1)
    return None


def patents_by_type(known: Known, book: Book, park: str, month: int) -> None:
    """Months as rows, merged header groups; every month is given again, revised where it was (traits 21, 84, 88)."""
    sheet, n, gone = "专利分类型", ORDER.index(park), park == "jingkai" and month == SEPTEMBER
    top = header(book, sheet, 0, f"{PARKS[park]}{2015 + month // 12}年专利分月情况", "单位：件")
    kinds = ("合计", "发明", "实用新型", "外观设计")
    book.row(sheet, top, "月份", "专利申请", "", "", "", "专利授权")
    book.row(sheet, top + 1, "", *kinds, *kinds)
    book.merges.extend(
        [(sheet, top, 0, top + 1, 0), (sheet, top, 1, top, 4), (sheet, top, 5, top, 8)]
    )
    for row, m in enumerate(range(month // 12 * 12, month + 1), top + 2):
        book.row(sheet, row, f"{m % 12 + 1}月")
        for col, (end, kind) in enumerate(
            ((e, k) for e in ("applications", "grants") for k in ("", *KINDS)), 1
        ):
            name, shown = (kind or "patent_") + end, None
            if (park, month, m, name) == ("hongqi", SEPTEMBER, 38, "utility_model_grants"):
                continue  # reported in March and left blank now
            if gone and m == 37 and name == "design_applications":
                shown = "—"
            elif not kind and n in (0, 2):
                first = xl_rowcol_to_cell(row, col + 1)
                shown = (
                    f"=SUM({first}:{xl_rowcol_to_cell(row, col + 3)})",
                    known.month(name, m, n, month),
                )
            place(known, book, sheet, row, col, name, park, m, "month", month, shown)
    footer(
        book,
        sheet,
        top + 4 + month % 12,
        *(["2月外观设计申请数核实后撤销，以“—”表示。"] if gone else []),
    )


def park_year(known: Known, park: str, year: int) -> Book:
    """A park's whole year: indicators as rows, twelve months and the year as columns."""
    book, sheet, n, last = (
        Book(f"{PARKS[park]}{year}年报表.xlsx"),
        "分月",
        ORDER.index(park),
        (year - 2014) * 12 - 1,
    )
    top = header(
        book, sheet, 0, f"{PARKS[park]}{year}年主要指标分月情况", f"填报单位：{PARKS[park]}"
    )
    book.row(sheet, top, "指标", "单位", *(f"{m}月" for m in range(1, 13)), "全年")
    rows = [p for p in PARK_ROWS if p[0] not in (*TOGETHER, "replicable_experiences_per_park")]
    for r, (name, label) in enumerate(rows, top + 1):
        book.row(sheet, r, label, FIGURES[name].unit)
        for m in range(12):
            place(known, book, sheet, r, 2 + m, name, park, last - 11 + m, "month", last)
        total = (
            (f"=SUM(C{r + 1}:N{r + 1})", round(known.ytd(name, last, n, last), 2))
            if n == 0
            else None
        )
        place(known, book, sheet, r, 14, name, park, last, "ytd", last, total)
    footer(book, sheet, top + len(rows) + 2)
    return book


@dataclass(frozen=True, slots=True)
class Layout:
    """One bureau sheet (traits 22 to 24): parks as rows, `names` × `what` as columns; `title` takes {when} and such.

    `heads`: plain is one row of label and unit; groups writes a group's word over its first column, repeated over each,
    merged in a merged cell (traits 21, 22); or the header rows themselves.
    """

    sheet: str
    title: str
    names: tuple[str, ...]
    what: tuple[str, ...] = ("ytd",)
    heads: str | tuple[tuple[str, ...], ...] = "plain"
    form: int | None = None  # how parks are written; None: changes from month to month
    total: str = "合计"
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    zero: str | None = None
    total_first: bool = False  # then the parks are a list that begins with # (trait 50)
    months: tuple[int, ...] = tuple(range(12))


END = "截至{end}底"
LAYOUTS = {
    "kjj": (
        Layout(
            "科技型企业",
            END + "科技型企业情况",
            ("hightech_enterprises", "hightech_reserve_enterprises"),
            ("eop",),
            (
                ("园区", "高新技", "高新技术"),
                ("", "术企业数", "后备企业数"),
                ("", "（家）", "（家）"),
            ),
        ),
        Layout(
            "平台与合同",
            "{until}创新平台和技术合同情况",
            (
                "new_provincial_rd_platforms",
                "new_city_rd_platforms",
                "tech_contract_count",
                "tech_contract_value",
            ),
            heads=(
                ("园区", "新增研发平台", "", "技术合同", ""),
                ("", "省级", "市级", "份数", "成交额"),
                ("", "（个）", "（个）", "（项）", "（万元）"),
            ),
        ),
        Layout(
            "认定",
            "{until}高新技术企业变动",
            ("hightech_recognised", "hightech_lapsed", "hightech_moved_out"),
            heads=(("园区", *["高新技术企业（家）"] * 3), ("", "新认定", "到期未续", "迁出")),
            form=0,
            notes=("名单分批公布，未公布的批次不计入。",),
        ),
        Layout(
            "主体与载体",
            "{until}创新主体和载体情况",
            (
                "new_tech_smes_registered",
                "new_tech_little_giants",
                "cluster_special_projects",
                "new_academician_workstations",
                "new_postdoc_workstations",
                "new_collab_innovation_centres",
                "industry_research_institutes",
                "new_incubators",
            ),
        ),
        Layout("成果", "{until}成果转化情况", ("results_transferred",), form=0),
        Layout(
            "覆盖",
            END + "全覆盖事项",
            ("tech_transfer_agencies", "tech_finance_coverage"),
            ("eop",),
            form=0,
            notes=("1为已完成，0为未完成。",),
        ),
    ),
    "zscqj": (
        Layout(
            "分园区",
            "各园区专利情况（{when}）",
            (
                "patent_applications",
                "invention_patent_applications",
                "patent_grants",
                "invention_patent_grants",
            ),
            ("month", "ytd", "yoy"),
            "merged",
            total="自创区",
        ),
        Layout("有效发明", END + "有效发明专利", ("valid_invention_patents",), ("eop",)),
    ),
    "tjj": (
        Layout(
            "工业",
            "{until}规模以上工业主要指标",
            INDUSTRY,
            ("ytd", "base", "yoy"),
            "groups",
            0,
            "自创区",
            ("单位：亿元、%",),
            ("1月与2月合并统计。", "上年同期数以统计调查核实后的口径为准。"),
            total_first=True,
        ),
        Layout("核算", "{until}地区生产总值和研发经费（快报）", QUARTERLY, months=(2, 5, 8, 11)),
    ),
    "czj": (
        Layout(
            "支出",
            "{until}一般公共预算支出情况",
            ("fiscal_expenditure", "fiscal_st_expenditure"),
            heads=(("园区", "一般公共预算支出", "其中：科学技术支出"),),
            lines=("单位：万元",),
        ),
    ),
    "swj": (
        Layout(
            "开放招商",
            "{when}开放招商情况",
            (
                "external_funds_attracted",
                "major_projects_attracted",
                "investment_promotion_events",
                "tech_exchange_events",
            ),
            ("month", "ytd"),
            "groups",
        ),
    ),
    "rcb": (
        Layout(
            "人才",
            "{when}人才引进培育情况",
            (
                "high_level_talent_teams",
                "top_talents",
                "urgently_needed_talents",
                "young_talents_attracted",
            ),
            ("month", "ytd"),
            "repeated",
            zero="无",
        ),
        Layout(
            "人才公寓", END + "人才公寓启动情况", ("talent_apartments_started",), ("eop",), form=0
        ),
    ),
    "fgw": (
        Layout(
            "规上企业",
            END + "规模以上企业研发平台",
            ("above_scale_enterprises", "above_scale_with_platform"),
            ("eop",),
        ),
    ),
    "zcb": (
        Layout("政策体系", END + "政策体系建设", ("policy_systems_complete",), ("eop",), form=0),
    ),
}


def by_park(known: Known, book: Book, lay: Layout, month: int) -> None:
    form = month % 5 if lay.form is None else lay.form
    title = lay.title.format(when=spell(month, month % 7), until=until(month), end=spell(month))
    top, sheet = header(book, lay.sheet, 0, title, *lay.lines), lay.sheet
    heads, columns = lay.heads, [(name, what) for name in lay.names for what in lay.what]
    if isinstance(heads, str):
        words = [
            f"{FIGURES[i].label}（{FIGURES[i].unit}）" if not lay.lines else FIGURES[i].label
            for i in lay.names
        ]
        if heads == "plain":
            heads = (("园区", *words),)
        else:
            rest = [""] * (len(lay.what) - 1)
            first = [
                w
                for word in words
                for w in ([word] * len(lay.what) if heads == "repeated" else [word, *rest])
            ]
            subs = [
                HEADS[w] if not lay.lines else HEADS[w].replace("（%）", "增长") for w in lay.what
            ]
            if heads == "merged":
                book.merges.append((sheet, top, 0, top + 1, 0))
                book.merges.extend(
                    (sheet, top, 1 + len(lay.what) * g, top, len(lay.what) * (g + 1))
                    for g in range(len(words))
                )
            heads = (("园区", *first), ("", *subs * len(words)))
    for r, words in enumerate(heads, top):
        book.row(sheet, r, *words)
    if month % 12 == 0 and not any("本年累计" in words for words in heads):
        columns = [
            (i, "month" if w == "ytd" else w) for i, w in columns
        ]  # the title says no more than January
    rows = [*zip(PARKS, WRITTEN[form], strict=True), ("zone", lay.total)]
    if lay.total_first:
        rows = [rows[-1], (rows[0][0], "# " + rows[0][1]), *rows[1:-1]]
    for r, (region, label) in enumerate(rows, top + len(heads)):
        book.row(sheet, r, label)
        for c, (name, what) in enumerate(columns, 1):
            shown, column = None, xl_rowcol_to_cell(0, c)[:-1]
            blank = name in TOGETHER and what != "eop" and month % 12 == 0
            if (
                region == "zone"
                and what in ("month", "ytd", "eop")
                and not lay.total_first
                and not blank
            ):
                value = (
                    known.eop(name, month, None)
                    if what == "eop"
                    else (known.ytd if what == "ytd" else known.month)(name, month, None, month)
                )
                shown = (f"=SUM({column}{r - 4}:{column}{r})", round(value, FIGURES[name].decimals))
            elif (
                lay.zero
                and region != "zone"
                and what == "month"
                and not known.month(name, month, ORDER.index(region), month)
            ):
                shown = lay.zero
            place(known, book, sheet, r, c, name, region, month, what, month, shown)
    footer(book, sheet, top + len(heads) + len(rows) + 1, *lay.notes)


def official(known: Known, book: Book, year: int) -> None:
    """The intensity that the yearly survey finds, out a year late."""
    name, sheet, last = "rd_intensity_official", "年度公布", (year - 2014) * 12 - 1
    spent, made = (known.ytd(i, last, None, last) for i in ("rd_expenditure", "gdp"))
    top = header(book, sheet, 0, f"{year}年自创区研发投入强度（年度公布数）")
    book.row(sheet, top, "地区", f"{FIGURES[name].label}（%）")
    book.row(sheet, top + 1, "自创区")
    book.figure(sheet, top + 1, 1, "zone", name, last, "year", 100 * spent / made * OFFICIAL[year])
    footer(book, sheet, top + 3)


def bureau_month(known: Known, sender: str, month: int) -> Book:
    book = Book(f"{BUREAUS[sender]}{spell(month)}报表.xlsx")
    for lay in LAYOUTS[sender]:
        if month % 12 in lay.months:
            by_park(known, book, lay, month)
    if sender == "zscqj":
        whole_city(known, book, month)
        inventions_by_month(known, book, month)
    elif sender == "tjj" and month == SEPTEMBER:
        official(known, book, 2017)
    elif sender == "zcb":
        top = header(book, "例会", 0, f"自创区{spell(month, month % 7)}推进机制运行情况")
        book.row("例会", top, "指标", "单位", "本月", "本年累计")
        meetings = [i for i, f in FIGURES.items() if f.kind == "meeting"]
        for r, name in enumerate(meetings, top + 1):
            book.row("例会", r, FIGURES[name].label, "次")
            place(known, book, "例会", r, 2, name, "zone", month, "month", month)
            place(known, book, "例会", r, 3, name, "zone", month, "ytd", month)
        footer(book, "例会", top + len(meetings) + 2)
    return book


def inventions_by_month(known: Known, book: Book, month: int) -> None:
    """Every month again, with one left out by mistake in August (trait 88)."""
    name, sheet = "invention_patent_applications", "分月"
    top = header(
        book,
        sheet,
        0,
        f"{2015 + month // 12}年各园区发明专利申请量分月情况",
        "指标：发明专利申请量（件）",
    )
    book.row(sheet, top, "园区", *(f"{m - Y2018 + 1}月" for m in range(Y2018, month + 1)))
    for r, (region, label) in enumerate(PARKS.items(), top + 1):
        book.row(sheet, r, label)
        for c, m in enumerate(range(Y2018, month + 1), 1):
            if (region, month, m) != ("muye", 43, 38):
                place(known, book, sheet, r, c, name, region, m, "month", month)
    footer(book, sheet, top + 7)


def whole_city(known: Known, book: Book, month: int) -> None:
    """Each park, what belongs to none, and a total over all (traits 47, 48)."""
    name, sheet = "patent_applications", "市直与全市"
    top = header(book, sheet, 0, f"{spell(month)}全市专利申请情况")
    book.row(sheet, top, "地区", "专利申请量（件）")
    rows = [(p, PARKS[p], known.month(name, month, n, month)) for n, p in enumerate(ORDER)]
    rows.append(("other", "其他", float(round(0.62 * sum(known.truth[name][month])))))
    rows.append(("city", "全市", sum(v for _, _, v in rows)))
    for r, (region, label, value) in enumerate(rows, top + 1):
        book.row(sheet, r, label)
        shown = (f"=SUM(B{top + 2}:B{r})", value) if region == "city" else None
        book.figure(sheet, r, 1, region, name, month, "month", value, shown)
    footer(book, sheet, top + len(rows) + 2)


def bureau_year(known: Known, sender: str, year: int) -> Book:
    """One sheet for each indicator, parks as rows and the year's months as columns (traits 58, 64, 65)."""
    book, last = Book(f"{BUREAUS[sender]}{year}年报表.xlsx"), (year - 2014) * 12 - 1
    names = [i for lay in LAYOUTS[sender] for i in lay.names if i not in ("hightech_moved_out",)]
    names = [i for i in names if FIGURES[i].kind != "coverage"] + (
        ["population"] if sender == "tjj" else []
    )
    for i, name in enumerate(names):
        f, months, sheet = FIGURES[name], range(last - 11, last + 1), FIGURES[name].label[:20]
        dash = "-—～至"[(i + year) % 4]
        if name in QUARTERLY:
            cells = list(
                zip(("1-3月", "上半年", "前三季度", "全年"), months[2::3], ["ytd"] * 4, strict=True)
            )
        elif name in TOGETHER:
            cells = [(f"1{dash}{m % 12 + 1}月", m, "ytd") for m in months[1:]]
        elif f.stock or name in OPENING:
            cells = [
                (f"{m % 12 + 1}月末", m, "eop")
                for m in (months[11:] if f.kind == "people" else months)
            ]
        else:
            cells = [*((f"{m % 12 + 1}月", m, "month") for m in months), ("全年", last, "ytd")]
        top = header(book, sheet, 0, f"{year}年各园区{f.label}", f"单位：{f.unit}")
        book.row(sheet, top, "园区", *(word for word, _, _ in cells))
        rows = [*zip(PARKS, WRITTEN[(i + year) % 5], strict=True), ("zone", "合计")]
        for r, (region, label) in enumerate(rows, top + 1):
            book.row(sheet, r, label)
            for c, (_, m, what) in enumerate(cells, 1):
                place(known, book, sheet, r, c, name, region, m, what, last)
        footer(book, sheet, top + 8)
    if sender == "tjj" and year - 1 in OFFICIAL:
        official(known, book, year - 1)
    if not names:
        header(book, "说明", 0, f"{year}年无推进机制台账", "2018年起建立台账。")
    return book


def books(known: Known) -> Iterator[tuple[str, Book]]:
    """Every report with its month folder; 牧野区 sends nothing for July, 市商务局 nothing yet for September."""
    for year in (2015, 2016, 2017):
        for sender in (*PARKS, *BUREAUS):
            yield f"{year}-12", (park_year if sender in PARKS else bureau_year)(known, sender, year)
    for month in range(Y2018, SEPTEMBER + 1):
        for sender in (*PARKS, *BUREAUS):
            if (sender, month) not in (("muye", 42), ("swj", SEPTEMBER)):
                yield (
                    stamp(month),
                    (park_month if sender in PARKS else bureau_month)(known, sender, month),
                )
    yield stamp(41), park_month(known, "gaoxin", 41, "-修订")


# --- the truth tables ---------------------------------------------------------------------------------------------


def year_ends(known: Known) -> Iterator[dict]:
    """What each indicator comes to in each year, in normal units: sums, stocks and the ratios of the plan."""
    ratios = {
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
    for year in range(2015, 2019):
        last = (year - 2014) * 12 - 1
        for park, region in enumerate((*ORDER, "zone")):
            value, p = {}, park if region != "zone" else None
            for name, f in FIGURES.items():
                if (
                    f.kind == "meeting"
                    and (year < 2018 or p is not None)
                    or f.kind == "coverage"
                    and year < 2018
                    or (f.kind == "official")
                ):
                    continue
                total = (
                    known.eop(name, last, p)
                    if f.stock or name in OPENING
                    else sum(known.month(name, m, p, -1) for m in range(last - 11, last + 1))
                )
                value[name] = total * f.factor
            value |= {
                name: times * value[up] / value[down] for name, (times, up, down) in ratios.items()
            }
            if year > 2015:
                value["hitech_value_added_growth"] = known.growth(
                    "hightech_value_added", last, p, last
                )
                value["tech_contract_growth"] = known.growth("tech_contract_value", last, p, last)
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
    for folder, book in books(known):
        book.save(out / folder)
        cells += book.truth
    write_csv(out / "truth_cells.csv.gz", cells)
    write_csv(out / "truth_months.csv.gz", list(months_of(known)))
    write_csv(out / "truth_year_end.csv", list(year_ends(known)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="生成演示数据")
    parser.add_argument("--out", type=Path, default=HERE)
    main(parser.parse_args().out)
