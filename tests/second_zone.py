"""A second invented zone, by data only: six parks, eleven own indicators, the plan of 2026 and its monthly workbooks.

Nothing of the shipped zone is used but the tables on language (words, units, lights, meetings, colours, places).
"""

import csv
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd

from zcqlib import tables
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = ("words", "unit_words", "lights", "meetings", "colours", "places")
PARKS = {
    "science_town": "科技城",
    "harbour": "临港园",
    "cloud": "云谷园",
    "greenstone": "青石园",
    "south_bank": "南岸园",
    "north_pool": "北塘园",
}
BUREAUS = {"tech": "海州市科技局", "stats": "海州市统计局"}
# id: name, kind, unit, group, who reports it, a usual month of a middling park, its target for all parks, role
FIGURES = {
    "apps": ("专利申请件数", "flow", "件", "2", "park", 50, 3900, "专利申请"),
    "inv_apps": ("发明专利申请件数", "flow", "件", "2", "park", 20, 1500, "发明申请"),
    "grants": ("专利授权件数", "flow", "件", "2", "park", 30, 2000, "专利授权"),
    "talents": ("引进博士人数", "flow", "人", "3", "park", 4, 330, ""),
    "contracts": ("技术交易额", "flow", "万元", "3", "park", 900, 70000, ""),
    "firms": ("高新技术企业", "stock", "家", "1", "tech", 40, 330, "企业存量"),
    "firms_new": ("新认定高新技术企业", "flow", "家", "", "tech", 3, None, "新认定"),
    "spend": ("研发经费", "flow", "万元", "", "stats", 3000, None, ""),
    "output": ("地区生产总值", "flow", "万元", "", "stats", 100000, None, ""),
    "effort": ("研发投入强度", "ratio", "%", "1", "", None, 3.2, "研发投入强度"),
    "one_window": ("一窗办理平台", "milestone", "个", "3", "", None, 1, ""),
}
BATCHES = {4: 1, 9: 2, 12: 3}  # month of the list → its number
YEAR = 2026


def truth() -> pd.DataFrame:
    """Single months of 2024 to 2026 by park, of a stock its level, quarters' sums as three equal months."""
    rng, rows = np.random.default_rng(YEAR), []
    for n, park in enumerate(PARKS):
        for id, (_, kind, _, _, _, usual, _, _) in FIGURES.items():
            if usual is None or kind == "stock":
                continue
            months = pd.period_range("2024-01", f"{YEAR}-12", freq="M")
            size = usual * (0.6 + 0.16 * n) * 1.1 ** np.linspace(0, 3, len(months))
            season = 1 + 0.25 * np.sin(months.month * np.pi / 6)
            values = np.round(size * season * rng.normal(1, 0.06, len(months)))
            if id == "firms_new":
                values = np.where(np.isin(months.month, list(BATCHES)), np.round(size), 0)
            rows += [(park, id, m, float(v)) for m, v in zip(months, values, strict=True)]
    t = pd.DataFrame(rows, columns=["region", "indicator", "month", "value"])
    stock = t[t["indicator"].eq("firms_new")].assign(indicator="firms")
    stock["value"] = 30 + stock.groupby("region")["value"].cumsum()
    return pd.concat([t, stock], ignore_index=True)


def table(folder: Path, name: str, rows: list[dict]) -> None:
    """One reference table, with the columns of its shape that are not blank everywhere or must be there."""
    shape = tables.REFERENCE[name.replace(str(YEAR), "<year>")]
    names = [c.name for c in shape.columns if not c.optional or any(c.name in r for r in rows)]
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="\n") as fh:
        writer = csv.DictWriter(fh, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def reference(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in LANGUAGE:
        shutil.copy(ROOT / "data" / "raw" / "reference" / f"{name}.csv", folder)
    zone = dict(name_zh="东海国家自主创新示范区海州片区", short_zh="海创区", office_zh="海创办")
    zone |= dict(city_zh="海州市")
    zone |= dict(province_zh="东海省", compare="", parts_zh="一区六园", parks_zh="六园区")
    table(folder, "zone", [zone])
    where = dict(parent="zone", coverage="zone_part")
    parks = [
        dict(id=i, name_zh=f"海州{n}", short_zh=n, level="park") | where for i, n in PARKS.items()
    ]
    whole = dict(id="zone", name_zh=zone["name_zh"], short_zh="海创区", level="zone", parent="city")
    city = dict(id="city", name_zh="海州市", short_zh="全市", level="city", coverage="city")
    table(folder, "regions", [*parks, whole | dict(coverage="zone_part"), city])
    names = [dict(alias=n, id=i, kind="known") for i, n in PARKS.items()]
    total = [dict(alias=n, id="zone", kind="total") for n in ("一区六园", "海创区", "合计")]
    table(folder, "region_aliases", [*names, *total])
    table(folder, "membership", [dict(region=i, start="202301") for i in PARKS])
    table(folder, "precedence", [dict(indicator="default", winner="department", reason="口径统一")])
    rows = []
    for id, (name, kind, unit, group, *_, role) in FIGURES.items():
        about = dict(id=id, name_zh=name, name_en=id, group=group, kind=kind, unit=unit, role=role)
        count = int(unit in ("件", "人", "家", "个"))
        about |= dict(additive=int(kind in ("flow", "stock")), count=count)
        about |= dict(batch=int(id.startswith("firms")), can_fall=int(kind in ("stock", "ratio")))
        rows.append(about)
    by_id = {r["id"]: r for r in rows}
    by_id["effort"] |= dict(numerator="spend", denominator="output")
    by_id["inv_apps"]["part_of"] = "apps"
    table(folder, "indicators", rows)
    table(folder, "aliases", [dict(alias="其中:发明专利", indicator="inv_apps")])
    units = [*PARKS.values(), *BUREAUS.values()]
    table(folder, "units", [dict(id=u, name_zh=u) for u in units])
    owed = {w: [i for i, f in FIGURES.items() if f[4] == w] for w in ("park", *BUREAUS)}
    rows = [
        dict(
            id=i,
            name_zh=n,
            kind="park",
            region=i,
            unit=n,
            due_day=5,
            indicators=";".join(owed["park"]),
        )
        for i, n in PARKS.items()
    ]
    for i, n in BUREAUS.items():
        due = dict(quarterly=";".join(owed[i])) if i == "stats" else {}
        due |= dict(indicators="firms" if i == "stats" else ";".join(owed[i]))
        rows.append(
            dict(id=i, name_zh=n, kind="department", region="zone", unit=n, due_day=8) | due
        )
    table(folder, "senders", rows)
    plan(folder)


def plan(folder: Path) -> None:
    """Targets, their split by size, equal weights, bounds, stages and batches of 2026."""
    aims = {i: f for i, f in FIGURES.items() if f[6]}
    rows = [
        dict(id=i, name_zh=f[0], name_en=i, group=f[3], kind=f[1], unit=f[2], target_low=f[6])
        | dict(comparator="done" if f[1] == "milestone" else "ge", commitment="firm", scope="zone")
        | dict(responsible=BUREAUS.get(f[4], BUREAUS["tech"]), responsible_basis="printed")
        for i, f in aims.items()
    ]
    table(folder, f"targets_{YEAR}", rows)
    share = {p: (0.6 + 0.16 * n) / 6 for n, p in enumerate(PARKS)}
    split = [
        dict(id=i, region=p, in_force_from=f"{YEAR}01", demo=1)
        | dict(target_low=f[6] if f[1] == "ratio" else round(f[6] * share[p]))
        for i, f in aims.items()
        if f[1] != "milestone"
        for p in PARKS
    ]
    table(folder, f"split_{YEAR}", split)
    groups = {"1": "创新水平", "2": "专利", "3": "人才与服务"}
    rows = [
        dict(id=g, level="group", name_zh=n, weight=w, demo=1)
        for (g, n), w in zip(groups.items(), (0.4, 0.3, 0.3), strict=True)
    ]
    for g in groups:
        own = [i for i, f in aims.items() if f[3] == g]
        rows += [
            dict(
                id=i,
                level="indicator",
                parent=g,
                name_zh=aims[i][0],
                weight=f"{1 / len(own):.7f}",
                demo=1,
            )
            for i in own
        ]
    table(folder, f"weights_{YEAR}", rows)
    rows = [
        dict(indicator=i, measure="attainment_pct", low=50, high=110, error_pct=2, demo=1)
        for i in aims
    ]
    table(
        folder,
        f"bounds_{YEAR}",
        [
            r
            | (
                dict(measure="share_done", low=0, high=100)
                if r["indicator"] == "one_window"
                else {}
            )
            for r in rows
        ],
    )
    stage = dict(id="one_window", region="zone", item="", demo=0)
    names = enumerate((("plan", "方案印发", "202603"), ("open", "平台开通", "202611")), 1)
    rows = [stage | dict(stage=s, stage_no=n, stage_zh=z, expected=e) for n, (s, z, e) in names]
    table(folder, f"stages_{YEAR}", [rows[0] | dict(date="202603", evidence="印发文件"), rows[1]])
    came = truth().query("indicator == 'firms_new' and value > 0")
    rows = []
    for r in came.itertuples():
        passed, month = int(r.value), r.month
        about = dict(
            year=month.year, indicator="firms_new", batch=BATCHES[month.month], kind="pass"
        )
        about |= dict(
            region=r.region, expected=f"{month.year}{month.month:02d}20", number=passed + 2
        )
        if month < pd.Period(f"{YEAR}-11"):
            about |= dict(
                announced=about["expected"], reviewed=passed + 1, publicised=passed, done=passed
            )
        rows.append(about | dict(rate=0.7, known_from=f"{month.year}01", demo=1))
    table(folder, "batches", rows)


def book(path: Path, title: str, rows: list[list]) -> None:
    work = openpyxl.Workbook()
    sheet = work.active
    sheet.title = "月报"
    for row in ([title], [], *rows):
        sheet.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    work.save(path)


def sheets(t: pd.DataFrame, months: list[pd.Period], single: bool) -> dict[str, tuple]:
    """What each sender writes of the last of `months`: its name → title and rows."""
    last, out = months[-1], {}
    t = t[t["month"].isin(months)].set_index(["region", "indicator", "month"])["value"].sort_index()
    owed = [i for i, f in FIGURES.items() if f[4] == "park"]
    for park, name in PARKS.items():
        if len(months) == 12:
            head = ["指标", "单位", *(f"{m.month}月" for m in months)]
            rows = [[FIGURES[i][0], FIGURES[i][2], *t[park, i]] for i in owed]
            out[name] = f"{name}{last.year}年主要指标分月情况", [head, *rows]
        else:
            head = ["指标", "单位", *(["本月"] if single else []), "本年累计"]
            sums = ([*([t[park, i, last]] if single else []), t[park, i].sum()] for i in owed)
            rows = [[FIGURES[i][0], FIGURES[i][2], *s] for i, s in zip(owed, sums, strict=True)]
            out[name] = f"{name}{last.year}年{last.month}月主要指标月报", [head, *rows]

    def by_park(heads: dict[str, str], take) -> list[list]:
        rows = [[name, *(take(t[park, i]) for i in heads)] for park, name in PARKS.items()]
        return [["园区", *heads.values()], *rows]

    level = {"firms": "高新技术企业月末数（家）"}
    new = {"firms_new": "新认定高新技术企业本月（家）"}
    stock, flow = (by_park(h, lambda s: s.iloc[-1]) for h in (level, new))
    joined = [[*a, b[-1]] for a, b in zip(stock, flow, strict=True)]
    out[BUREAUS["tech"]] = f"{last.year}年{last.month}月高新技术企业情况", joined
    if last.month % 3 == 0:
        heads = {i: f"{FIGURES[i][0]}本年累计（万元）" for i in ("spend", "output")}
        out[BUREAUS["stats"]] = (
            f"{last.year}年1-{last.month}月核算情况",
            by_park(heads, lambda s: s.sum()),
        )
    return out


def second_zone(
    folder: Path, months: range = range(1, 11), years=(2024, 2025), without=(), single=True
) -> Workspace:
    """The zone's workspace: workbooks of the `months` of 2026 and of whole past `years`, `without` some senders;
    `single` False: cumulative figures only."""
    reference(folder / "data" / "raw" / "reference")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    t = truth()
    ends = [pd.Period(f"{y}-{m:02d}", "M") for y in years for m in (3, 6, 9, 12)]
    for end in (*ends, *(pd.Period(f"{YEAR}-{m:02d}", "M") for m in months)):
        span = list(pd.period_range(f"{end.year}-01", end, freq="M"))
        for sender, (title, rows) in sheets(t, span, single).items():
            past = (
                end.year < YEAR and end.month < 12
            )  # of a past year's quarters only the statistics
            if sender not in without and not (past and sender != BUREAUS["stats"]):
                name = f"{sender}{end.year}年{end.month}月报表.xlsx"
                book(folder / "data" / "raw" / str(end) / name, title, rows)
    return Workspace(folder)
