"""Make the demonstration reports: invented monthly figures of five parks and eight bureaus, 2015-01 to 2018-12.

The truth is drawn once from a fixed seed; what senders report of it is written as untidy workbooks, and each cell
that holds a figure is noted in truth_cells.csv.gz with its meaning. The library never reads the truth.

    python data/raw/demo/generate.py [--out FOLDER]     the same bytes on every machine
"""
from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import io
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

HERE = Path(__file__).resolve().parent
PARKS = {"gaoxin": "高新区", "jingkai": "经开区", "pingyuan": "平原示范区", "hongqi": "红旗区", "muye": "牧野区"}
# how other offices write the parks (traits 41, 42, 46)
WRITTEN = [
    list(PARKS.values()),
    ["高 新 区", "经 开 区", "平原示范区", "红 旗 区", "牧 野 区"],
    ["新乡高新区", "新乡经开区", "平原城乡一体化示范区", "　红旗区", "　牧野区"],
    ["新乡高新技术产业开发区管委会", "新乡经济技术开发区管委会", "平原示范区管委会", "红旗区", "牧野区"],
    ["1.高新区", "2.经开区", "3.平原示范区", "4.红旗区", "5.牧野区"],
]
SENDERS = {**PARKS, "kjj": "市科技局", "zscqj": "市知识产权局", "tjj": "市统计局", "czj": "市财政局", "swj": "市商务局",
           "rcb": "市人才办", "fgw": "市发改委", "zcb": "市自创办"}
YEARS, MONTHS = range(2015, 2019), 48
SHARE = np.array([.35, .23, .11, .18, .13])
SEASON = {"patent": [.9, .5, 1, .9, 1, 1.2, .8, .8, 1, .8, 1.2, 1.9], "econ": [.8, .7, 1.1, .9, .9, 1.2, .9, .9, 1.1, .9, .9, 1.7],
          "late": [.2, .2, .6, .7, .8, 1.3, .8, .9, 1.2, 1.1, 1.6, 2.6], "flat": [1, .7, 1] + [1] * 8 + [1.3]}


@dataclass(frozen=True, slots=True)
class Flow:
    """Yearly totals of the five parks, in the unit of the reports (`factor` of them make one normal unit)."""

    totals: tuple[float, ...]
    season: str = "late"
    unit: str = "个"
    normal: str = "个"
    factor: float = 1
    decimals: int = 0
    share: tuple[float, ...] = tuple(SHARE)


def _money(*totals: float, season: str = "econ", share: tuple[float, ...] = tuple(SHARE), unit: str = "亿元") -> Flow:
    return Flow(totals, season, unit, "万元", 10000 if unit == "亿元" else 1, 2 if unit == "亿元" else 0, share)


FLOWS = {
    "invention_patent_applications": Flow((1010, 1190, 1420, 1762), "patent", "件", "件", share=(.4, .23, .11, .15, .11)),
    "utility_model_applications": Flow((1650, 1900, 2180, 2690), "patent", "件", "件"),
    "design_applications": Flow((480, 520, 560, 640), "patent", "件", "件"),
    "invention_patent_grants": Flow((270, 310, 360, 428), "flat", "件", "件", share=(.4, .23, .11, .15, .11)),
    "utility_model_grants": Flow((1050, 1180, 1330, 1490), "flat", "件", "件"),
    "design_grants": Flow((330, 360, 390, 420), "flat", "件", "件"),
    "new_tech_smes_registered": Flow((35, 48, 63, 91), "late", "家", "家"),
    "high_level_talent_teams": Flow((4, 5, 6, 9)),
    "top_talents": Flow((14, 17, 21, 22), "late", "名", "名"),
    "urgently_needed_talents": Flow((30, 38, 47, 61), "econ", "名", "名"),
    "young_talents_attracted": Flow((520, 640, 760, 880), "flat", "人", "名"),
    "cluster_special_projects": Flow((6, 8, 10, 14)),
    "new_provincial_rd_platforms": Flow((6, 7, 8, 11)),
    "new_city_rd_platforms": Flow((11, 14, 16, 18)),
    "new_academician_workstations": Flow((2, 3, 3, 3), unit="家", normal="家"),
    "new_postdoc_workstations": Flow((2, 2, 3, 5), unit="家", normal="家"),
    "new_collab_innovation_centres": Flow((1, 2, 3, 4), unit="家", normal="家"),
    "industry_research_institutes": Flow((0, 0, 2, 7)),
    "new_incubators": Flow((2, 3, 3, 6), unit="家", normal="家"),
    "results_transferred": Flow((26, 33, 41, 50), "econ", "项", "项"),
    "tech_contract_count": Flow((210, 246, 281, 330), "late", "项", "项"),
    "investment_promotion_events": Flow((3, 4, 4, 6), "flat", "次", "次"),
    "tech_exchange_events": Flow((6, 7, 8, 13), "flat", "次", "次"),
    "major_projects_attracted": Flow((6, 7, 8, 11), "econ", "项", "项"),
    "replicable_experiences_per_park": Flow((0, 0, 6, 15), "late", "条", "条"),
    "hightech_moved_out": Flow((0, 0, 0, 1), "flat", "家", "家", share=(1, 0, 0, 0, 0)),
    "new_rd_team_floor_area": Flow((1.9, 2.4, 3.1, 4.3), "late", "万㎡", "平方米", 10000, 2),
    "tech_contract_value": _money(48000, 60500, 74000, 91500, season="late", unit="万元"),
    "external_funds_attracted": _money(158, 183, 212, 236),
    "gdp": _money(560, 602, 650, 700, share=(.33, .24, .1, .19, .14)),
    "rd_expenditure": _money(14.7, 16.3, 18.2, 20.5, share=(.42, .25, .08, .15, .1)),
    "industrial_value_added": _money(236, 252, 271, 296, share=(.36, .26, .1, .15, .13)),
    "hightech_value_added": _money(78, 87.5, 98.6, 113, share=(.46, .26, .06, .13, .09)),
    "leading_industry_value_added": _money(151, 166.3, 183.7, 204, share=(.37, .26, .09, .15, .13)),
    "fiscal_expenditure": _money(612000, 655000, 702000, 748000, season="late", unit="万元"),
    "fiscal_st_expenditure": _money(23900, 27500, 32300, 38100, season="late", unit="万元"),
}
MEETINGS = {"quarterly_review_meeting": "季度点评会", "fortnightly_meeting": "分管市领导工作例会",
            "weekly_coordination_meeting": "周协调会", "monthly_ranking": "月排名"}
STOCKS = {  # end of 2014 to end of 2018, five parks together
    "hightech_reserve_enterprises": ((30, 38, 49, 62, 76), "家", "家", 1, 0),
    "incubation_floor_area": ((20.5, 25, 31, 37.6, 44.1), "万㎡", "平方米", 10000, 2),
    "above_scale_enterprises": ((402, 415, 428, 436, 441), "家", "家", 1, 0),
    "above_scale_with_platform": ((96, 121, 158, 214, 300), "家", "家", 1, 0),
}
POPULATION = (140.2, 141.8, 143.4, 145.0, 146.5)  # 10,000 people, ends of 2014 to 2018
OPENING = {"hightech_enterprises": (16, 9, 2, 7, 5), "valid_invention_patents": (291, 161, 74, 98, 76)}
# passes of 2018 that nobody knows before they are announced: month index, new by park
FUTURE = {"hightech_recognised": (47, (4, 3, 1, 2, 1)), "hightech_lapsed": (46, (1, 1, 0, 1, 1)),
          "new_tech_little_giants": (47, (2, 1, 0, 1, 0))}
COVERAGE = {"tech_transfer_agencies": (39, 41, 46, 42, 49), "tech_finance_coverage": (40, 43, 49, 46, 47),
            "talent_apartments_started": (40, 41, 45, 43, 49), "policy_systems_complete": (40, 41, 44, 42, 46)}
WORDS = {  # label, unit, normal unit, factor, decimals
    "patent_applications": ("专利申请量", "件", "件", 1, 0), "patent_grants": ("专利授权量", "件", "件", 1, 0),
    "invention_patent_applications": ("发明专利申请量", "件", "件", 1, 0),
    "invention_patent_grants": ("发明专利授权量", "件", "件", 1, 0),
    "hightech_enterprises": ("高新技术企业", "家", "家", 1, 0), "valid_invention_patents": ("有效发明专利拥有量", "件", "件", 1, 0),
    "hightech_recognised": ("新认定高新技术企业", "家", "家", 1, 0), "hightech_lapsed": ("到期未续高新技术企业", "家", "家", 1, 0),
    "new_tech_little_giants": ("新增科技小巨人(培育)企业", "家", "家", 1, 0), "population": ("常住人口", "万人", "人", 10000, 2),
    "hightech_reserve_enterprises": ("高新技术后备企业", "家", "家", 1, 0), "incubation_floor_area": ("孵化面积", "万㎡", "平方米", 10000, 2),
    "above_scale_enterprises": ("规模以上工业企业", "家", "家", 1, 0),
    "above_scale_with_platform": ("建有省级研发平台的规模以上企业", "家", "家", 1, 0),
}
LABELS = {
    "utility_model_applications": "实用新型专利申请量", "design_applications": "外观设计专利申请量",
    "utility_model_grants": "实用新型专利授权量", "design_grants": "外观设计专利授权量",
    "new_tech_smes_registered": "新备案科技型中小企业", "high_level_talent_teams": "高层次科技创新创业人才(团队)",
    "top_talents": "拔尖及以上高层次人才", "urgently_needed_talents": "急需紧缺人才", "young_talents_attracted": "青年英才",
    "cluster_special_projects": "产业集群专项项目", "new_provincial_rd_platforms": "新增省级研发平台",
    "new_city_rd_platforms": "培育市级研发平台", "new_academician_workstations": "院士工作站",
    "new_postdoc_workstations": "博士后科研工作站", "new_collab_innovation_centres": "科技协同创新创业中心",
    "industry_research_institutes": "产业技术研究院", "new_incubators": "新增孵化载体", "results_transferred": "转化科技成果",
    "tech_contract_count": "技术合同登记数", "investment_promotion_events": "专题招商推介活动",
    "tech_exchange_events": "科技交流活动", "major_projects_attracted": "引进重大项目",
    "replicable_experiences_per_park": "可复制可推广经验", "hightech_moved_out": "迁出高新技术企业",
    "new_rd_team_floor_area": "新增高端研发团队场地面积", "tech_contract_value": "技术合同成交额",
    "external_funds_attracted": "引进市外资金", "gdp": "地区生产总值", "rd_expenditure": "研发经费",
    "industrial_value_added": "规模以上工业增加值", "hightech_value_added": "高新技术产业增加值",
    "leading_industry_value_added": "主导产业增加值", "fiscal_expenditure": "一般公共预算支出", "fiscal_st_expenditure": "财政科技支出",
    "tech_transfer_agencies": "科技成果转移转化服务机构", "tech_finance_coverage": "科技金融机构覆盖",
    "talent_apartments_started": "人才公寓建设启动", "policy_systems_complete": "建立完善政策体系", **MEETINGS,
}
WORDS |= {i: (LABELS[i], f.unit, f.normal, f.factor, f.decimals) for i, f in FLOWS.items() if i in LABELS}
WORDS |= {i: (LABELS[i], "个园区", "个园区", 1, 0) for i in COVERAGE} | {i: (w, "次", "次", 1, 0) for i, w in MEETINGS.items()}
QUARTERLY = ("gdp", "rd_expenditure")
TOGETHER = ("industrial_value_added", "hightech_value_added", "leading_industry_value_added", "results_transferred",
            "tech_contract_value", "tech_contract_count")  # January is reported with February


# --- the truth ----------------------------------------------------------------------------------------------------

def draw(reference: Path, seed: int = 20180930) -> dict[str, np.ndarray]:
    """Months × parks of every indicator in report units: flows of a month, stocks at its end."""
    rng, truth = np.random.default_rng(seed), {}
    for name, f in FLOWS.items():
        rows = []
        for total in f.totals:
            p = np.outer(f_season(f, rng), f.share) * rng.lognormal(0, .12, (12, 5))
            p /= p.sum()
            if f.decimals or f.unit == "万元":
                cells = np.round(total * p, f.decimals)
                cells[11, 0] = round(cells[11, 0] + total - cells.sum(), f.decimals)
            else:
                cells = rng.multinomial(int(total), p.ravel()).reshape(12, 5)
            rows.append(cells)
        truth[name] = np.vstack(rows).astype(float)
    _adjust(truth)
    for name, kinds in (("patent_applications", ("invention_patent_applications", "utility_model_applications", "design_applications")),
                        ("patent_grants", ("invention_patent_grants", "utility_model_grants", "design_grants"))):
        truth[name] = sum(truth[k] for k in kinds)
    for name in FUTURE:
        truth[name] = np.zeros((MONTHS, 5))
        truth[name][FUTURE[name][0]] = FUTURE[name][1]
    with open(reference / "batches.csv", encoding="utf-8-sig", newline="") as fh:
        for row in csv.DictReader(fh):
            if row["announced"]:
                month = (int(row["announced"][:4]) - 2015) * 12 + int(row["announced"][4:6]) - 1
                truth[row["indicator"]][month, list(PARKS).index(row["region"])] += float(row["done"])
    truth["hightech_enterprises"] = np.array(OPENING["hightech_enterprises"]) + np.cumsum(
        truth["hightech_recognised"] - truth["hightech_lapsed"] - truth["hightech_moved_out"], axis=0)
    lapses = rng.binomial(3, .48, (MONTHS, 5)) * (np.arange(MONTHS)[:, None] % 2)
    truth["valid_invention_patents"] = np.array(OPENING["valid_invention_patents"]) + np.cumsum(
        truth["invention_patent_grants"] - lapses, axis=0)
    for name, (ends, *_, decimals) in STOCKS.items():
        path = np.interp(np.arange(1, MONTHS + 1) / 12, range(5), ends)
        parks = np.round(np.outer(path, SHARE), decimals)
        parks[:, 0] = np.round(np.round(path, decimals) - parks[:, 1:].sum(axis=1), decimals)
        truth[name] = parks
    people = np.interp(np.arange(1, MONTHS + 1) / 12, range(5), POPULATION)
    truth["population"] = np.round(np.outer(people, (.24, .22, .2, .19, .15)), 2)
    for name, starts in COVERAGE.items():
        truth[name] = (np.arange(MONTHS)[:, None] >= np.array(starts) - 1).astype(float)
    day = np.arange(MONTHS)
    for name, counts in (("quarterly_review_meeting", day % 3 == 2), ("fortnightly_meeting", 2 + (day % 6 == 0)),
                         ("weekly_coordination_meeting", 4 + (day % 3 == 2)), ("monthly_ranking", day >= 0)):
        truth[name] = np.where(day >= 36, counts, 0)[:, None].astype(float)
    return truth


def f_season(f: Flow, rng: np.random.Generator) -> np.ndarray:
    """Weights of the twelve months, with a little of the year's own."""
    return np.array(SEASON[f.season]) * rng.lognormal(0, .08, 12)


def _adjust(truth: dict[str, np.ndarray]) -> None:
    """Science spending is part of all spending, and each park has its experiences in 2018 (4, 3, 2, 3, 3)."""
    shares = truth["replicable_experiences_per_park"]
    shares[36:] = 0
    for park, months in enumerate(((38, 41, 44, 46), (39, 42, 45), (43, 46), (40, 42, 47), (41, 43, 46))):
        for month in months:
            shares[month, park] += 1
    for part, whole, low in (("fiscal_st_expenditure", "fiscal_expenditure", .01), ("hightech_value_added", "industrial_value_added", .05)):
        if not (truth[part] < truth[whole]).all() or not (truth[part] > low * truth[whole]).all():
            raise SystemExit(f"{part} is not a plausible part of {whole}: change the totals")


@dataclass(slots=True)
class Known:
    """What senders report: the truth with first figures that are revised a month later, and a changed base."""

    truth: dict[str, np.ndarray]
    first: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def draw_first_figures(self, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        for name, size in (("invention_patent_applications", 3), ("utility_model_applications", 5), ("invention_patent_grants", 2)):
            for month in range(36, 45):
                for park in np.flatnonzero(rng.random(5) < .25):
                    self.first[name, month, int(park)] = float(max(0, self.truth[name][month, park] - rng.integers(1, size + 1)))

    def month(self, name: str, month: int, park: int | None, at: int) -> float:
        """The figure of one month as reported in month `at`; park None is the five together."""
        if park is None:
            return sum(self.month(name, month, p, at) for p in range(len(self.truth[name][0])))
        if name in ("patent_applications", "patent_grants"):
            kinds = ("invention_patent_", "utility_model_", "design_")
            return sum(self.month(k + name.removeprefix("patent_"), month, park, at) for k in kinds)
        value = self.first.get((name, month, park)) if month == at else None
        return float(self.truth[name][month, park]) if value is None else value

    def ytd(self, name: str, month: int, park: int | None, at: int) -> float:
        total = sum(self.month(name, m, park, at) for m in range(month // 12 * 12, month + 1))
        restated = name in TOGETHER[:3] and at >= 38 and month < 36 and park in (1, None)
        part = self.ytd(name, month, 1, 0) if restated and park is None else total
        return total - .03 * part if restated else total


# --- writing ------------------------------------------------------------------------------------------------------

@dataclass(slots=True)
class Book:
    """One workbook: cells by sheet, merged ranges, and the truth of each cell that holds a figure."""

    name: str
    cells: dict[str, dict[tuple[int, int], object]] = field(default_factory=lambda: defaultdict(dict))
    merges: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    truth: list[dict] = field(default_factory=list)

    def put(self, sheet: str, row: int, col: int, value: object) -> None:
        if value != "":
            self.cells[sheet][row, col] = value

    def figure(self, sheet: str, row: int, col: int, value: float, fact: dict, shown: object = None) -> None:
        """A figure in report units; `shown` is what stands in the cell where that is not the plain number."""
        _, _, normal, factor, decimals = WORDS[fact["indicator"]]
        missing = MISSING.get(shown, "") if isinstance(shown, str) else ""
        rate = fact["measure"] == "yoy_pct"
        value = round(value, 1 if rate else decimals)
        self.put(sheet, row, col, shown if shown is not None else int(value) if value == int(value) and not rate else value)
        self.truth.append({"file": self.name, "sheet": "" if self.name.endswith("csv") else sheet, "cell": xl_rowcol_to_cell(row, col), **fact,
                           "value": "" if missing else repr(round(value * (1 if rate else factor), 6)),
                           "unit": "%" if rate else normal, "missing_reason": missing})

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.name.endswith(".csv"):
            (rows,) = self.cells.values()
            buffer = io.StringIO(newline="")
            writer = csv.writer(buffer, lineterminator="\r\n")
            for r in range(max(r for r, _ in rows) + 1):
                writer.writerow([rows.get((r, c), "") for c in range(max([c for q, c in rows if q == r], default=0) + 1)])
            (folder / self.name).write_bytes(buffer.getvalue().encode("gb18030"))
            return
        book = xlsxwriter.Workbook(str(folder / self.name), {"strings_to_numbers": False, "strings_to_formulas": False})
        book.set_properties({"created": dt.datetime(2018, 1, 1), "comments": "演示数据"})
        title, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"border": 1, "align": "center"})
        for sheet, cells in self.cells.items():
            ws = book.add_worksheet(sheet)
            ws.set_column(0, 0, 30)
            for name, r1, c1, r2, c2 in self.merges:
                if name == sheet:
                    ws.merge_range(r1, c1, r2, c2, cells.get((r1, c1), ""), head)
            merged = {(r1, c1) for name, r1, c1, _, _ in self.merges if name == sheet}
            for (r, c), value in cells.items():
                if isinstance(value, tuple):
                    ws.write_formula(r, c, value[0], None, value[1])
                elif (r, c) not in merged:
                    ws.write(r, c, value, title if (r, c) == (0, 0) else None)
        book.close()


MISSING = {"—": "not_applicable", "-": "not_applicable", "…": "below_unit", "暂无": "not_reported", "/": "not_applicable"}
SPELLINGS = ("{y}年{m}月", "{y}-{m:02d}", "{y}.{m:02d}", "{y}年{m:02d}月", "{Y}年{M}月", "{c}年{k}月", "{y}/{m}")
FULL = str.maketrans("0123456789", "０１２３４５６７８９")
HAN = str.maketrans("0123456789", "〇一二三四五六七八九")
HAN_MONTH = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


def spell(month: int, form: int = 0) -> str:
    """A month as offices write it (trait 57)."""
    y, m = 2015 + month // 12, month % 12 + 1
    return SPELLINGS[form].format(y=y, m=m, Y=str(y).translate(FULL), M=str(m).translate(FULL), c=str(y).translate(HAN), k=HAN_MONTH[m])


def span(month: int) -> str:
    """January to this month (trait 64)."""
    y, m = 2015 + month // 12, month % 12 + 1
    return f"{y}年" + {1: "1月", 6: "上半年", 9: "前三季度"}.get(m, f"1-{m}月")


def stamp(month: int) -> str:
    return f"{2015 + month // 12}-{month % 12 + 1:02d}"


def fact(region: str, indicator: str, month: int, basis: str, measure: str = "value") -> dict:
    start = month // 12 * 12 if basis == "ytd" else month
    return {"region": region, "indicator": indicator, "start": stamp(start), "end": stamp(month), "basis": basis, "measure": measure}


def header(book: Book, sheet: str, top: int, title: str, lines: tuple[str, ...] = ()) -> int:
    """Title, lines below it and a blank row (trait 20); the row where the table starts."""
    book.put(sheet, top, 0, title + "（演示数据）")
    for i, line in enumerate(lines, 1):
        book.put(sheet, top + i, 0, line)
    return top + len(lines) + 2


def footer(book: Book, sheet: str, row: int, *notes: str) -> int:
    """Notes, source and contact below a table (traits 51, 52)."""
    lines = ["注：1.本表为演示数据，不是任何单位上报的真实数据。", *(f"　　{i}.{n}" for i, n in enumerate(notes, 2)),
             "数据来源：各单位台账（演示）", "填表人：演示　　联系电话：0373-0000000"]
    for i, line in enumerate(lines):
        book.put(sheet, row + i, 0, line)
    return row + len(lines) + 1


def growth(known: Known, name: str, month: int, park: int | None, at: int) -> float | None:
    """Year-on-year growth of the year to date as stated; value added in constant prices (1.8 % deflator)."""
    base = known.ytd(name, month - 12, park, at)
    if base == 0:
        return None
    rate = known.ytd(name, month, park, at) / base
    return 100 * (rate / (1.018 if name in TOGETHER[:3] else 1) - 1)


def place(known: Known, book: Book, sheet: str, row: int, col: int, name: str, region: str, month: int, what: str,
          at: int, shown: object = None) -> None:
    """One figure of one kind (month, ytd, base, yoy, eop) in one cell."""
    park = None if region in ("zone",) else list(PARKS).index(region)
    together = name in TOGETHER and what == "month" and month % 12 < 2
    if what == "eop":
        values = known.truth[name][month]
        book.figure(sheet, row, col, float(values.sum() if park is None else values[park]), fact(region, name, month, "eop"), shown)
    elif together:
        book.figure(sheet, row, col, 0, fact(region, name, month, "month"), "—")
    elif what == "month":
        book.figure(sheet, row, col, known.month(name, month, park, at), fact(region, name, month, "month"), shown)
    elif name in TOGETHER and month % 12 == 0:
        other = month - 12 if what == "base" else month
        book.figure(sheet, row, col, 0, fact(region, name, other, "ytd", "yoy_pct" if what == "yoy" else "value"), "—")
    elif what == "ytd":
        book.figure(sheet, row, col, known.ytd(name, month, park, at), fact(region, name, month, "ytd"), shown)
    elif what == "base":
        book.figure(sheet, row, col, known.ytd(name, month - 12, park, at), fact(region, name, month - 12, "ytd"), shown)
    else:
        rate = growth(known, name, month, park, at)
        book.figure(sheet, row, col, rate or 0, fact(region, name, month, "ytd", "yoy_pct"), "—" if rate is None else shown)


HEADS = {"month": "本月", "ytd": "本年累计", "base": "上年同期累计", "yoy": "同比（%）"}
PARK_ROWS = [("patent_applications", "专利申请量"), ("invention_patent_applications", "其中：发明专利"),
             ("patent_grants", "专利授权量"), ("invention_patent_grants", "其中：发明专利"),
             *((i, LABELS[i]) for i in (
                 "new_tech_smes_registered", "tech_contract_value", "new_rd_team_floor_area", "new_incubators",
                 "external_funds_attracted", "major_projects_attracted", "investment_promotion_events",
                 "tech_exchange_events", "industry_research_institutes", "replicable_experiences_per_park"))]
PARK_STOCKS = ("hightech_enterprises", "hightech_reserve_enterprises", "valid_invention_patents", "incubation_floor_area")


def park_month(known: Known, park: str, month: int, suffix: str = "") -> Book:
    """A park's monthly form: flows, stocks and coverage below each other, patents by type on a second sheet."""
    n = list(PARKS).index(park)
    book = Book(f"{PARKS[park]}{spell(month)}报表{suffix}.{'csv' if park == 'muye' else 'xlsx'}")
    top = header(book, "月报", 0, f"{PARKS[park]}{spell(month, n)}创新发展主要指标月报表", (f"填报单位：{PARKS[park]}管理委员会",))
    for c, word in enumerate(("指标", "单位", *HEADS.values())):
        book.put("月报", top, c, word)
    for r, (name, label) in enumerate(PARK_ROWS, top + 1):
        _, unit, _, _, decimals = WORDS[name]
        book.put("月报", r, 0, label)
        book.put("月报", r, 1, unit)
        for c, what in enumerate(HEADS, 2):
            shown = None
            value = known.month(name, month, n, month) if what == "month" else known.ytd(name, month, n, month)
            if what == "month" and decimals and value == 0:
                shown = "…"
            elif what == "month" and park == "hongqi" and month == 39 and name == "investment_promotion_events":
                shown = "暂无"
            elif what == "ytd" and value >= 1000 and not decimals and n in (1, 4):
                shown = f"{value:,.0f}" if n == 1 else f"{value:.0f}".translate(FULL)
            elif what == "yoy" and n % 2 == 0 and park != "muye" and not (name in TOGETHER and month == 36):
                rate = growth(known, name, month, n, month)
                shown = ("=D%d/E%d-1" % (r + 1, r + 1), "#DIV/0!") if rate is None else (f"=ROUND((D{r + 1}/E{r + 1}-1)*100,1)", round(rate, 1))
            if park == "gaoxin" and month == 41 and not suffix and name == "tech_contract_value" and what in ("month", "ytd"):
                shown = int(value) + 180  # a contract that was registered twice, taken out by the second submission
            place(known, book, "月报", r, c, name, park, month, what, month, shown)
    top = header(book, "月报", top + len(PARK_ROWS) + 2, f"{PARKS[park]}{spell(month)}末时点指标")
    m = month % 12 + 1
    for c, word in enumerate(("指标", "单位", f"{m}月末", f"{2014 + month // 12}年{m}月末")):
        book.put("月报", top, c, word)
    for r, name in enumerate(PARK_STOCKS, top + 1):
        book.put("月报", r, 0, WORDS[name][0])
        book.put("月报", r, 1, WORDS[name][1])
        place(known, book, "月报", r, 2, name, park, month, "eop", month)
        place(known, book, "月报", r, 3, name, park, month - 12, "eop", month)
    footer(book, "月报", top + len(PARK_STOCKS) + 2, "1月与2月的技术合同合并上报。")
    if park != "muye":
        patents_by_type(known, book, park, month)
    return book


def patents_by_type(known: Known, book: Book, park: str, month: int) -> None:
    """Months as rows, merged header groups; every month of the year is given again, revised where it was (84, 88)."""
    sheet, n = "专利分类型", list(PARKS).index(park)
    top = header(book, sheet, 0, f"{PARKS[park]}{2015 + month // 12}年专利分月情况", ("单位：件",))
    kinds = ("", "invention_patent_", "utility_model_", "design_")
    book.put(sheet, top, 0, "月份")
    book.merges.append((sheet, top, 0, top + 1, 0))
    for g, (end, word) in enumerate((("applications", "专利申请"), ("grants", "专利授权"))):
        book.put(sheet, top, 1 + 4 * g, word)
        book.merges.append((sheet, top, 1 + 4 * g, top, 4 + 4 * g))
        for k, (kind, label) in enumerate(zip(kinds, ("合计", "发明", "实用新型", "外观设计"), strict=True)):
            book.put(sheet, top + 1, 1 + 4 * g + k, label)
            for m in range(month // 12 * 12, month + 1):
                row = top + 2 + m % 12
                book.put(sheet, row, 0, f"{m % 12 + 1}月")
                gone = park == "jingkai" and month == 44 and m == 37 and kind == "design_" and g == 0
                col = 1 + 4 * g + k
                shown = "—" if gone else None
                if k == 0 and n % 2 == 0:
                    cells = "%s%d:%s%d" % ("CG"[g], row + 1, "EI"[g], row + 1)
                    shown = (f"=SUM({cells})", known.month(f"patent_{end}", m, n, month))
                place(known, book, sheet, row, col, (kind or "patent_") + end, park, m, "month", month, shown)
    notes = ("2月外观设计申请数核实后撤销，以“—”表示。",) if park == "jingkai" and month == 44 else ()
    footer(book, sheet, top + 4 + month % 12, *notes)


def park_year(known: Known, park: str, year: int) -> Book:
    book = Book(f"{PARKS[park]}{year}年报表.xlsx")
    sheet, n, last = "分月", list(PARKS).index(park), (year - 2014) * 12 - 1
    top = header(book, sheet, 0, f"{PARKS[park]}{year}年主要指标分月情况", (f"填报单位：{PARKS[park]}",))
    for c, word in enumerate(("指标", "单位", *(f"{m}月" for m in range(1, 13)), "全年")):
        book.put(sheet, top, c, word)
    rows = [p for p in PARK_ROWS if p[0] not in (*TOGETHER, "replicable_experiences_per_park")]
    for r, (name, label) in enumerate(rows, top + 1):
        book.put(sheet, r, 0, label)
        book.put(sheet, r, 1, WORDS[name][1])
        for m in range(12):
            place(known, book, sheet, r, 2 + m, name, park, last - 11 + m, "month", last)
        total = (f"=SUM(C{r + 1}:N{r + 1})", round(known.ytd(name, last, n, last), 2)) if n == 0 else None
        place(known, book, sheet, r, 14, name, park, last, "ytd", last, total)
    footer(book, sheet, top + len(rows) + 2)
    return book


def region_rows(form: int, total: str) -> list[tuple[str, str]]:
    return [*zip(PARKS, WRITTEN[form], strict=True), *([("zone", total)] if total else [])]


def by_park(known: Known, book: Book, sheet: str, title: str, month: int, columns: list[tuple[str, str]], form: int = 0,
            total: str = "合计", top: int = 0, heads: list[tuple[str, ...]] | None = None, notes: tuple[str, ...] = (),
            lines: tuple[str, ...] = (), first: bool = False, zero: object = None, at: int | None = None) -> int:
    """Parks as rows. `heads` are the header rows; without them one row of label and unit."""
    at = month if at is None else at
    top = header(book, sheet, top, title, lines)
    heads = heads or [("园区", *(f"{WORDS[i][0]}（{WORDS[i][1]}）" for i, _ in columns))]
    for r, words in enumerate(heads):
        for c, word in enumerate(words):
            book.put(sheet, top + r, c, word)
    rows = region_rows(form, total)
    rows = [(rows[-1][0], rows[-1][1]), (rows[0][0], "# " + rows[0][1]), *rows[1:-1]] if first else rows
    if month % 12 == 0 and not any("本年累计" in words for words in heads):
        columns = [(i, "month" if w == "ytd" else w) for i, w in columns]  # the title says no more than January
    for r, (region, label) in enumerate(rows, top + len(heads)):
        book.put(sheet, r, 0, label)
        for c, (name, what) in enumerate(columns, 1):
            shown = None
            if region == "zone" and what in ("month", "ytd", "eop") and not first and not (name in TOGETHER and (month % 12 == 0 or what == "month" and month % 12 < 2)):
                letter = xl_rowcol_to_cell(0, c)[:-1]
                value = float(known.truth[name][month].sum()) if what == "eop" else (known.ytd if what == "ytd" else known.month)(name, month, None, at)
                shown = (f"=SUM({letter}{r - 4}:{letter}{r})", round(value, WORDS[name][4]))
            elif zero is not None and region != "zone" and what == "month" and known.month(name, month, list(PARKS).index(region), at) == 0:
                shown = zero
            place(known, book, sheet, r, c, name, region, month, what, at, shown)
    return footer(book, sheet, top + len(heads) + len(rows) + 1, *notes)


def groups(words: list[str], subs: tuple[str, ...], repeat: bool = False) -> list[tuple[str, ...]]:
    """Two header rows: a group word over its first column only, or repeated over each (trait 22)."""
    first = ["园区"]
    for word in words:
        first += [word] * len(subs) if repeat else [word] + [""] * (len(subs) - 1)
    return [tuple(first), ("", *subs * len(words))]


def bureau_month(known: Known, sender: str, month: int) -> Book:
    book, form = Book(f"{SENDERS[sender]}{spell(month)}报表.xlsx"), month % 5
    when, until = spell(month, month % 7), span(month)
    cells = [("month", "ytd"), ("month", "ytd", "yoy")]
    if sender == "zscqj":
        names = ["patent_applications", "invention_patent_applications", "patent_grants", "invention_patent_grants"]
        columns = [(i, w) for i in names for w in cells[1]]
        heads = groups([f"{WORDS[i][0]}（件）" for i in names], ("本月", "本年累计", "同比（%）"))
        for g in range(4):
            book.merges.append(("分园区", 2, 1 + 3 * g, 2, 3 + 3 * g))
        book.merges.append(("分园区", 2, 0, 3, 0))
        by_park(known, book, "分园区", f"各园区专利情况（{when}）", month, columns, form, "自创区", heads=heads)
        elsewhere(known, book, "市直与全市", month)
        top = header(book, "分月", 0, f"{2015 + month // 12}年各园区发明专利申请量分月情况", ("指标：发明专利申请量（件）",))
        for c, m in enumerate(range(36, month + 1), 1):
            book.put("分月", top, c, f"{m - 35}月")
        book.put("分月", top, 0, "园区")
        for r, (region, label) in enumerate(region_rows(0, ""), top + 1):
            book.put("分月", r, 0, label)
            for c, m in enumerate(range(36, month + 1), 1):
                if not (region == "muye" and month == 43 and m == 38):  # left out by mistake in August (trait 88)
                    place(known, book, "分月", r, c, "invention_patent_applications", region, m, "month", month)
        footer(book, "分月", top + 7)
        by_park(known, book, "有效发明", f"截至{2015 + month // 12}年{month % 12 + 1}月底有效发明专利", month, [("valid_invention_patents", "eop")], form)
    elif sender == "kjj":
        stocks = [("hightech_enterprises", "eop"), ("hightech_reserve_enterprises", "eop")]
        heads = [("园区", "高新技", "高新技术"), ("", "术企业数", "后备企业数"), ("", "（家）", "（家）")]
        by_park(known, book, "科技型企业", f"截至{2015 + month // 12}年{month % 12 + 1}月底科技型企业情况", month, stocks, form, heads=heads)
        names = ["new_provincial_rd_platforms", "new_city_rd_platforms", "tech_contract_count", "tech_contract_value"]
        heads = [("园区", "新增研发平台", "", "技术合同", ""), ("", "省级", "市级", "份数", "成交额"), ("", "（个）", "（个）", "（项）", "（万元）")]
        by_park(known, book, "平台与合同", f"{until}创新平台和技术合同情况", month, [(i, "ytd") for i in names], form, heads=heads)
        names = ["hightech_recognised", "hightech_lapsed", "hightech_moved_out"]
        heads = groups(["高新技术企业（家）"], ("新认定", "到期未续", "迁出"), repeat=True)
        by_park(known, book, "认定", f"{until}高新技术企业变动", month, [(i, "ytd") for i in names], 0, heads=heads,
                notes=("名单分批公布，未公布的批次不计入。",))
        names = ["new_tech_smes_registered", "new_tech_little_giants", "cluster_special_projects", "new_academician_workstations",
                 "new_postdoc_workstations", "new_collab_innovation_centres", "industry_research_institutes", "new_incubators"]
        by_park(known, book, "主体与载体", f"{until}创新主体和载体情况", month, [(i, "ytd") for i in names], form)
        by_park(known, book, "成果", f"{until}成果转化情况", month, [("results_transferred", "ytd")], 0)
        by_park(known, book, "覆盖", f"截至{2015 + month // 12}年{month % 12 + 1}月底全覆盖事项", month,
                [(i, "eop") for i in ("tech_transfer_agencies", "tech_finance_coverage")], 0, notes=("1为已完成，0为未完成。",))
    elif sender == "tjj":
        names = list(TOGETHER[:3])
        columns = [(i, w) for i in names for w in ("ytd", "base", "yoy")]
        heads = groups([WORDS[i][0] for i in names], ("本年累计", "上年同期累计", "同比增长"))
        by_park(known, book, "工业", f"{until}规模以上工业主要指标", month, columns, 0, "自创区", heads=heads, first=True,
                lines=("单位：亿元、%",), notes=("1月与2月合并统计。", "上年同期数按统计调查核实后的口径调整。")[:1 + (month >= 38)])
        if month % 3 == 2:
            by_park(known, book, "核算", f"{until}地区生产总值和研发经费（快报）", month, [(i, "ytd") for i in QUARTERLY], form)
    elif sender == "czj":
        heads = [("园区", "一般公共预算支出", "其中：科学技术支出")]
        by_park(known, book, "支出", f"{until}一般公共预算支出情况", month, [("fiscal_expenditure", "ytd"), ("fiscal_st_expenditure", "ytd")],
                form, heads=heads, lines=("单位：万元",))
    elif sender == "swj":
        names = ["external_funds_attracted", "major_projects_attracted", "investment_promotion_events", "tech_exchange_events"]
        heads = groups([f"{WORDS[i][0]}（{WORDS[i][1]}）" for i in names], ("本月", "本年累计"))
        by_park(known, book, "开放招商", f"{when}开放招商情况", month, [(i, w) for i in names for w in cells[0]], form, heads=heads)
    elif sender == "rcb":
        names = ["high_level_talent_teams", "top_talents", "urgently_needed_talents", "young_talents_attracted"]
        heads = groups([f"{WORDS[i][0]}（{WORDS[i][1]}）" for i in names], ("本月", "本年累计"))
        by_park(known, book, "人才", f"{when}人才引进培育情况", month, [(i, w) for i in names for w in cells[0]], form, heads=heads, zero="无")
        by_park(known, book, "人才公寓", f"截至{2015 + month // 12}年{month % 12 + 1}月底人才公寓启动情况", month, [("talent_apartments_started", "eop")], 0)
    elif sender == "fgw":
        by_park(known, book, "规上企业", f"截至{2015 + month // 12}年{month % 12 + 1}月底规模以上企业研发平台", month,
                [(i, "eop") for i in ("above_scale_enterprises", "above_scale_with_platform")], form)
    else:
        top = header(book, "例会", 0, f"自创区{when}推进机制运行情况")
        for c, word in enumerate(("指标", "单位", "本月", "本年累计")):
            book.put("例会", top, c, word)
        for r, (name, label) in enumerate(MEETINGS.items(), top + 1):
            book.put("例会", r, 0, label)
            book.put("例会", r, 1, "次")
            place(known, book, "例会", r, 2, name, "zone", month, "month", month)
            place(known, book, "例会", r, 3, name, "zone", month, "ytd", month)
        footer(book, "例会", top + 6)
        by_park(known, book, "政策体系", f"截至{2015 + month // 12}年{month % 12 + 1}月底政策体系建设", month, [("policy_systems_complete", "eop")], 0)
    return book


def elsewhere(known: Known, book: Book, sheet: str, month: int) -> None:
    """The whole city: each park, what belongs to none, and a total over all (traits 47, 48)."""
    top = header(book, sheet, 0, f"{spell(month)}全市专利申请情况")
    book.put(sheet, top, 0, "地区")
    book.put(sheet, top, 1, "专利申请量（件）")
    values = [known.month("patent_applications", month, p, month) for p in range(5)]
    rows = [*zip(PARKS, PARKS.values(), values, strict=True), ("other", "其他", float(round(.62 * sum(known.truth["patent_applications"][month]))))]
    rows.append(("city", "全市", sum(v for _, _, v in rows)))
    for r, (region, label, value) in enumerate(rows, top + 1):
        book.put(sheet, r, 0, label)
        shown = (f"=SUM(B{top + 2}:B{r})", value) if region == "city" else None
        book.figure(sheet, r, 1, value, fact(region, "patent_applications", month, "month"), shown)
    footer(book, sheet, top + len(rows) + 2)


YEARLY = {
    "kjj": ("hightech_enterprises", "hightech_reserve_enterprises", "new_tech_smes_registered", "hightech_recognised", "hightech_lapsed",
            "new_tech_little_giants", "cluster_special_projects", "new_provincial_rd_platforms", "new_city_rd_platforms",
            "new_academician_workstations", "new_postdoc_workstations", "new_collab_innovation_centres", "industry_research_institutes",
            "new_incubators", "results_transferred", "tech_contract_value", "tech_contract_count"),
    "zscqj": ("patent_applications", "invention_patent_applications", "patent_grants", "invention_patent_grants", "valid_invention_patents"),
    "tjj": (*QUARTERLY, *TOGETHER[:3], "population"), "czj": ("fiscal_expenditure", "fiscal_st_expenditure"),
    "swj": ("external_funds_attracted", "major_projects_attracted", "investment_promotion_events", "tech_exchange_events"),
    "rcb": ("high_level_talent_teams", "top_talents", "urgently_needed_talents", "young_talents_attracted"),
    "fgw": ("above_scale_enterprises", "above_scale_with_platform"), "zcb": (),
}


def bureau_year(known: Known, sender: str, year: int) -> Book:
    """One sheet for each indicator, parks as rows and the year's months as columns."""
    book, last = Book(f"{SENDERS[sender]}{year}年报表.xlsx"), (year - 2014) * 12 - 1
    for i, name in enumerate(YEARLY[sender]):
        label, unit, *_ = WORDS[name]
        months = range(last - 11, last + 1)
        if name in QUARTERLY:
            columns = [(f"{m % 12 + 1}", m, "ytd") for m in months if m % 3 == 2]
            words = ["1-3月", "上半年", "前三季度", "全年"]
        elif name in TOGETHER:
            columns, words = [("", m, "ytd") for m in months][1:], [f"{('1-', '1—', '1～', '1至')[i % 4]}{m}月" for m in range(2, 13)]
        elif name in STOCKS or name in OPENING:
            columns, words = [("", m, "eop") for m in months], [f"{m}月末" for m in range(1, 13)]
        elif name == "population":
            columns, words = [("", last, "eop")], ["12月末"]
        else:
            columns, words = [*(("", m, "month") for m in months), ("", last, "ytd")], [*(f"{m}月" for m in range(1, 13)), "全年"]
        top = header(book, label[:20], 0, f"{year}年各园区{label}", (f"单位：{unit}",))
        for c, word in enumerate(("园区", *words)):
            book.put(label[:20], top, c, word)
        for r, (region, shown) in enumerate(region_rows((i + year) % 5, "合计"), top + 1):
            book.put(label[:20], r, 0, shown)
            for c, (_, m, what) in enumerate(columns, 1):
                place(known, book, label[:20], r, c, name, region, m, what, last)
        footer(book, label[:20], top + 8)
    if not YEARLY[sender]:
        header(book, "说明", 0, f"{year}年无推进机制台账", ("2018年起建立台账。",))
    return book


def books(known: Known):
    """Every report with its month folder; 牧野区 sends nothing for July, 市商务局 nothing yet for September."""
    for year in (2015, 2016, 2017):
        for sender in SENDERS:
            yield f"{year}-12", (park_year if sender in PARKS else bureau_year)(known, sender, year)
    for month in range(36, 45):
        for sender in SENDERS:
            if (sender, month) in (("muye", 42), ("swj", 44)):
                continue
            if sender in PARKS and (sender, month) == ("gaoxin", 41):
                yield stamp(month), park_month(known, sender, month, "-修订")
            yield stamp(month), park_month(known, sender, month) if sender in PARKS else bureau_month(known, sender, month)


def year_ends(known: Known) -> list[dict]:
    """What each indicator comes to in each year, in normal units: sums, stocks and the ratios of the plan."""
    out = []
    for year in YEARS:
        last = (year - 2014) * 12 - 1
        for region in (*PARKS, "zone"):
            p = None if region == "zone" else list(PARKS).index(region)
            value = {}
            for name in WORDS:
                cells = known.truth[name]
                if name in MEETINGS and (year < 2018 or p is not None) or name in COVERAGE and year < 2018:
                    continue
                stock = name in (*STOCKS, *OPENING, *COVERAGE, "population")
                rows = cells[last] if stock else cells[last - 11:last + 1].sum(axis=0)
                value[name] = float(rows.sum() if p is None else rows[p]) * WORDS[name][3]
            value["rd_intensity"] = 100 * value["rd_expenditure"] / value["gdp"]
            value["sci_fiscal_share"] = 100 * value["fiscal_st_expenditure"] / value["fiscal_expenditure"]
            value["leading_industry_share"] = 100 * value["leading_industry_value_added"] / value["industrial_value_added"]
            value["invention_patents_per_10k"] = 10000 * value["valid_invention_patents"] / value["population"]
            value["provincial_rd_platform_coverage"] = 100 * value["above_scale_with_platform"] / value["above_scale_enterprises"]
            if year > 2015:
                value["hitech_value_added_growth"] = growth(known, "hightech_value_added", last, p, last)
                value["tech_contract_growth"] = growth(known, "tech_contract_value", last, p, last)
            out += [{"year": year, "region": region, "indicator": k, "value": repr(round(v, 6))} for k, v in value.items()]
    return out


def write_csv(path: Path, rows: list[dict]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = buffer.getvalue().encode("utf-8-sig")
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main(out: Path) -> None:
    known = Known(draw(HERE.parent / "reference"))
    known.draw_first_figures()
    cells = []
    for folder, book in books(known):
        book.save(out / folder)
        cells += book.truth
    write_csv(out / "truth_cells.csv.gz", cells)
    write_csv(out / "truth_year_end.csv", year_ends(known))
    months = [{"month": stamp(m), "region": r, "indicator": i, "value": repr(round(float(v[m, k]) * WORDS[i][3], 6))}
              for i, v in known.truth.items() if i in WORDS for m in range(MONTHS)
              for k, r in enumerate(PARKS if v.shape[1] == 5 else ["zone"])]
    write_csv(out / "truth_months.csv.gz", months)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="生成演示数据")
    parser.add_argument("--out", type=Path, default=HERE)
    main(parser.parse_args().out)
