"""One fact, one number: what figure, slide, ledger and sentence say of the same thing, on small made tables."""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

from zcqlib import catalog as catalogs
from zcqlib import meetings, quantity, tables
from zcqlib import milestones as promises
from zcqlib.briefing import ledger as sheet
from zcqlib.briefing import pages
from zcqlib.findings import Given, find
from zcqlib.month import Month
from zcqlib.projection import replay
from zcqlib.workspace import Workspace

NAN, SEPTEMBER = float("nan"), pd.Period("2018-09", "M")
ROOT = Path(__file__).resolve().parents[1]
CATALOG = catalogs.load(Workspace(ROOT).reference, 2018)
HEAD = CATALOG.headline().set_index("id")
FLOWS = [i for i in HEAD.index if HEAD.kind[i] == "flow"]


def row(indicator, region="zone", **changes):
    """A PROJECTIONS row of one of the plan's targets, half done, 40 % likely."""
    t = HEAD.loc[indicator]
    same = ("kind", "unit", "comparator", "target_low", "target_high")
    half = t.target_low / 2
    return (
        {c: t[c] for c in same}
        | dict(region=region, indicator=indicator, year=2018, as_of=SEPTEMBER, actual=half)
        | dict(median=1.8 * half, low=1.6 * half, high=2.1 * half, level=0.8, probability=0.4)
        | dict(needed_per_month=half / 3, verdict="尚有悬念", method="m", demo=True)
        | changes
    )


def monthly(indicator, values, region="zone", until=SEPTEMBER):
    """SERIES of single months up to `until`."""
    ends = pd.period_range(end=until, periods=len(values), freq="M")
    unit = CATALOG.unit(indicator)
    frame = pd.DataFrame({"start": ends, "end": ends, "months": 1, "value": values})
    frame = frame.assign(region=region, indicator=indicator, unit=unit, published=ends, demo=True)
    return tables.shape(frame, tables.SERIES)


@pytest.fixture
def made(tmp_path):
    """Makes a month of the given tables; those not given are empty."""

    def make(**given):
        known = dict(tables.VINTAGE)
        to_date = tables.empty(tables.SERIES)
        for name, frame in (known | {"TO_DATE": to_date} | given).items():
            frame = tables.empty(frame) if isinstance(frame, tables.Table) else frame
            frame.to_parquet(tmp_path / f"{name}.parquet")
        return Month(Workspace(ROOT, demo=True), SEPTEMBER, SEPTEMBER, CATALOG, tmp_path)

    return make


def shaped(*rows):
    return tables.shape(list(rows), tables.PROJECTIONS)


def brief(projections, **more):
    """What findings are made from."""
    held = {n: tables.empty(t) for n, t in tables.VINTAGE.items()}
    held |= dict(PROJECTIONS=projections, TARGETS=CATALOG.targets) | more
    return Given(held.__getitem__, CATALOG, SEPTEMBER, SEPTEMBER)


# counts ---------------------------------------------------------------------------------------------------------------


def test_the_title_on_pace_counts_all_rows_as_its_sentence_does(made):
    shares = np.linspace(0.3, 0.9, len(FLOWS))
    rows = [row(i, actual=s * HEAD.target_low[i]) for i, s in zip(FLOWS, shares, strict=True)]
    pace = made(PROJECTIONS=shaped(*rows)).find("pace")
    behind = int((shares < 0.75).sum())
    assert pace.title == f"{len(FLOWS)}项中{behind}项低于序时进度"
    assert f"{len(FLOWS)}项累计类目标中，{behind}项低于序时进度" in pace.paragraph


def test_the_bullets_show_every_target_that_the_text_counts(made):
    rows = [row(i, actual=NAN if HEAD.kind[i] == "milestone" else 1.0) for i in HEAD.index]
    month = made(PROJECTIONS=shaped(*rows))
    titles = [month.find("glance", half=half).title for half in ("first", "second")]
    shown = sum(int(re.match(r"\d+", t)[0]) for t in titles)
    title = next(p.title for p in pages.pages(brief(shaped(*rows))) if p.section == "state")
    assert shown == len(HEAD) and title.startswith(f"{len(HEAD)}项目标")
    first = HEAD.index[HEAD.group.astype(int) <= 5]
    few = made(PROJECTIONS=shaped(*(r for r in rows if r["indicator"] in first)))
    assert few.find("glance", half="second").missing  # counts alone are no picture


# one printed form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator", "actual", "printed"),
    [
        ("new_rd_team_floor_area", 23_800.0, "2.38万㎡"),
        ("incubation_floor_area", 424_800.0, "42.48万㎡"),
        ("rd_intensity", 2.9375, "2.94%"),
        ("external_funds_attracted", 1_689_400.0, "168.9亿元"),
        ("patent_applications", 3455.0, "3,455件"),
    ],
)
def test_a_figure_now_is_printed_alike_in_figure_slide_and_ledger(made, indicator, actual, printed):
    p = shaped(row(indicator, actual=actual))
    month = made(PROJECTIONS=p, SERIES=monthly(indicator, [actual / 9] * 9))
    assert month.find("standing").shown(indicator, "done") == printed
    slide = next(x for x in pages.pages(brief(p), "annual") if x.section == "attain")
    assert slide.table[1][2] == printed
    rows = sheet.rows(brief(p))
    own = rows[rows["编号"] == indicator].iloc[0]
    assert f"{own['已完成/现值']:,g}{own['单位']}" == printed


def test_what_a_month_must_bring_is_never_rounded_down_and_the_same_everywhere(made):
    p = shaped(row("external_funds_attracted", actual=1_689_400.0))
    month = made(PROJECTIONS=p, SERIES=monthly("external_funds_attracted", [192_475.0] * 12))
    assert month.find("pace").shown("external_funds_attracted", "needed") == "27.1亿元"
    told = quantity.projection_sentence(p.iloc[0].to_dict(), 192_475.0)
    assert "月均需27.1亿元" in told


@pytest.mark.parametrize(("done", "months", "times"), [(43.0, [5] * 7 + [4] * 5, "0.87")])
def test_a_multiple_of_the_usual_month_is_not_made_of_rounded_numbers(made, done, months, times):
    p = shaped(row("urgently_needed_talents", actual=done))
    mean = sum(months) / 12
    told = quantity.projection_sentence(p.iloc[0].to_dict(), mean)
    assert f"均值4.6名的{times}倍" in told
    month = made(PROJECTIONS=p, SERIES=monthly("urgently_needed_talents", months))
    assert month.find("pace").shown("urgently_needed_talents", "of_usual") == f"{times}倍"


def test_the_usual_month_needs_all_twelve_in_figure_and_sentence_alike(made):
    p = shaped(row("urgently_needed_talents"))
    month = made(PROJECTIONS=p, SERIES=monthly("urgently_needed_talents", [5.0] * 11))
    assert month.find("pace").shown("urgently_needed_talents", "of_usual") == quantity.NONE
    assert "近12个月" not in quantity.projection_sentence(p.iloc[0].to_dict())


def test_the_widest_gap_of_a_group_is_one_number_in_figure_and_slide(made):
    scores = {"1": [91.04, 60.5, 70.0], "2": [90.0, 70.0, 80.0]}
    ranks = tables.shape(
        [
            dict(
                region=r, indicator=g, period="2018-09", measure="score", value=v, unit="分", rank=1
            )
            for g, values in scores.items()
            for r, v in zip(CATALOG.parks, values, strict=False)
        ],
        tables.RANKS,
    )
    p = brief(shaped(row("rd_intensity")), RANKS=ranks)
    slide = next(x for x in pages.pages(p, "ranking") if x.section == "groups")
    f = made(RANKS=ranks).find("groups")
    assert f.title == slide.title and slide.title.endswith("30.5分")
    assert {"91.0分", "60.5分"} <= {f.shown(r, "points") for r in f.things.index}
    assert {"91.0分", "60.5分"} <= {c for r in slide.table for c in r}


def test_two_groups_that_lie_equally_far_apart_are_both_named():
    values = {
        ("1", "gaoxin"): 90.0,
        ("1", "muye"): 60.04,
        ("2", "gaoxin"): 80.0,
        ("2", "muye"): 50.0,
    }
    rows = [
        dict(region=r, indicator=g, period="2018-09", measure="score", value=v, unit="分")
        for (g, r), v in values.items()
    ]
    f = find("groups", brief(shaped(), RANKS=tables.shape(rows, tables.RANKS)))
    one, two = (f.rows.at[g, "label"] for g in "12")
    assert f.title == f"{one}、{two}园区差距最大，高低相差30.0分"


# superlatives ---------------------------------------------------------------------------------------------------------


def test_the_heat_map_names_one_lowest_chance_and_counts_several():
    title = lambda *rows: find("parks", brief(shaped(*rows))).title  # noqa: E731
    one, two = (row("patent_grants", r, probability=0.002) for r in ("gaoxin", "muye"))
    rest = row("patent_grants", "hongqi", probability=0.5)
    assert title(one, rest).endswith("高新区专利授权量最低，为不足1%")
    both = title(one, two, rest)
    assert both.endswith("2项最低，同为不足1%") and "高新区" not in both
    equal = title(one | {"probability": 0.101}, two | {"probability": 0.099}, rest)
    assert equal.endswith("2项最低，同为10%")


def test_paragraphs_do_not_single_out_one_of_several_that_tie(made):
    p = shaped(row("patent_grants", probability=0.1), row("patent_applications", probability=0.101))
    told = made(PROJECTIONS=p).find("standing").paragraph
    assert "把握最低的是专利申请总量、专利授权量，10%" in told
    assert (
        "完成率最低的是专利申请总量、专利授权量，50.0%"
        in made(PROJECTIONS=p).find("pace").paragraph
    )


# sums and shares ------------------------------------------------------------------------------------------------------


def test_the_error_by_that_of_the_calendar_compares_one_measure_with_itself():
    calls = pd.DataFrame(
        dict(series_id=["a", "b"], year=2018, k=6, truth=[100.0, 1000.0], before=90.0, scale=90.0)
        | dict(linear=[120.0, 1200.0])
        | {v: [110.0, 1100.0] for v in replay.LEVELS}
    )
    share = lambda c: replay.summary(c).iloc[0][["error", "linear_error"]].tolist()  # noqa: E731
    assert share(calls) == pytest.approx([10, 20])  # whatever the spread
    wide = calls.copy()
    wide[replay.LEVELS[0]], wide[replay.LEVELS[-1]] = 0.0, 9000.0
    assert share(wide) == pytest.approx([10, 20])
    told = tables.shape(replay.summary(calls).assign(whose="own"), tables.VINTAGE["RECORD"])
    found = find("record_of", brief(shaped(), RECORD=told))
    assert found.title.endswith("；误差是序时进度的50%") and "只作参考" in found.paragraph
    assert found.rows.at["own|all", "calls"] == 2


@pytest.mark.parametrize(
    ("months", "told"),
    [
        ((31, 9), "其中6条从未做到过（有记录的9个月至31个月）"),
        ((12, 0), "其中3条从未做到过（有记录的12个月）"),
    ],
)
def test_what_was_never_done_says_over_which_months(months, told):
    rows = [
        row(i, actual=0.0, as_of=SEPTEMBER, probability=0.1)
        for i in ("patent_grants", "patent_applications")
    ]
    p = shaped(*(r | {"region": "zone"} for r in rows))
    past = [
        monthly(i, [0.1] * n)
        for i, n in zip(("patent_grants", "patent_applications"), months, strict=True)
        if n
    ]
    asks = find("asks", brief(p, SERIES=pd.concat(past)))
    assert told in asks.paragraph
    of = asks.things.groupby("indicator")["grade"].unique()
    grades = [f"近{n}个月从未做到" if n else "没有历史可比" for n in months]
    assert [list(g) for g in (of["patent_grants"], of["patent_applications"])] == [
        [g] for g in grades
    ]


# two sources ----------------------------------------------------------------------------------------------------------


def coverage(reached: dict[str, int], reported: set[str]):
    """人才公寓 with two stages a park by June, so many of them reached, and the parks that reports call done."""
    stages = [
        dict(id="talent_apartments_started", region=r, item="", stage=f"s{k}", stage_no=k)
        | dict(stage_zh="步", date="2018-05" if k <= n else "", evidence="", demo=True)
        | dict(expected="2018-06")
        for r, n in reached.items()
        for k in (1, 2)
    ]
    who = [r for r in CATALOG.parks if r not in reported]
    missing = pd.DataFrame(
        [dict(indicator="talent_apartments_started", region=r, item=CATALOG.name(r)) for r in who],
        columns=["indicator", "region", "item"],
    )
    p = shaped(row("talent_apartments_started", actual=float(len(reported)), probability=NAN))
    return tables.shape(stages, tables.MILESTONES), p, missing


def test_reports_decide_who_has_done_a_coverage_row_and_a_difference_is_a_problem():
    reached = dict.fromkeys(CATALOG.parks, 2) | {"pingyuan": 1, "muye": 0}
    reported = set(CATALOG.parks) - {"muye"}
    stages, p, missing = coverage(reached, reported)
    found = promises.ledger(
        stages, CATALOG.targets, SEPTEMBER, CATALOG, projections=p, missing=missing
    )
    zone = found[found["id"].eq("talent_apartments_started") & found["region"].eq("zone")].iloc[0]
    assert (zone["reached"], zone["stages"], zone["missing"]) == (4, 5, "牧野区")
    assert (
        zone["colour"] == "red" and zone["overdue_days"] == 92
    )  # 牧野区 still owes its first stage
    problems = promises.disagreements(stages, p, missing, SEPTEMBER, CATALOG)
    assert problems["raw"].tolist() == ["平原示范区"] and problems["severity"].tolist() == [
        "warning"
    ]


def test_sources_that_agree_are_no_problem_and_what_all_have_done_is_done():
    stages, p, missing = coverage(dict.fromkeys(CATALOG.parks, 2), set(CATALOG.parks))
    assert promises.disagreements(stages, p, missing, SEPTEMBER, CATALOG).empty
    stages, p, missing = coverage(dict.fromkeys(CATALOG.parks, 0), set(CATALOG.parks))
    found = promises.ledger(
        stages, CATALOG.targets, SEPTEMBER, CATALOG, projections=p, missing=missing
    )
    zone = found[found["id"].eq("talent_apartments_started") & found["region"].eq("zone")].iloc[0]
    assert (zone["reached"], zone["colour"], zone["missing"]) == (5, "done", "")
    problem = promises.disagreements(stages, p, missing, SEPTEMBER, CATALOG)
    assert problem["raw"].item().count("、") == len(CATALOG.parks) - 1


def test_a_zone_figure_without_parks_leaves_the_stages_to_say_who_is_missing():
    stages, p, _ = coverage(dict.fromkeys(CATALOG.parks, 2) | {"muye": 1}, set(CATALOG.parks[:2]))
    none = pd.DataFrame(columns=["indicator", "region", "item"], dtype=str)
    assert promises.disagreements(stages, p, none, SEPTEMBER, CATALOG).empty


# links ----------------------------------------------------------------------------------------------------------------


def test_each_page_of_one_target_links_to_a_cell_that_shows_this_target(made):
    links = meetings._links(made())
    ids = ["patent_applications", "external_funds_attracted", "urgently_needed_talents"]
    p = shaped(*(row(i, probability=0.5 - k / 100) for k, i in enumerate(ids)))
    shown = [x for x in pages.pages(brief(p), links=links) if x.section == "open"]
    sources = {
        c["id"]: "".join(c["source"])
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for c in meetings._code(path)
    }
    assert len(shown) == len(ids)
    for page, id in zip(shown, ids, strict=True):
        source = sources[page.link.partition("=")[2]]
        words = CATALOG.indicators[id].role or "standing.table("
        assert words in source, (id, page.link)
    assert len({x.link for x in shown}) == len(ids)


def test_other_members_are_summed_from_what_every_park_reported_also_without_a_target():
    """新增孵化载体 is 3: of a park without a target of its own there is no row of PROJECTIONS, but a figure."""
    book = nbformat.read(ROOT / "notebooks" / "07_park_ranking.ipynb", 4)
    cells = [c.source for c in book.cells if c.source.startswith(("additive = ", "parts = "))]
    item, june = "new_incubators", pd.Period("2018-06", "M")
    parks = list(CATALOG.parks)
    plan = pd.DataFrame({"region": parks[:2], "indicator": item, "target_low": [2.0, 1.0]})
    held = dict.fromkeys(parks, 0.0) | {parks[0]: 1.0, parks[2]: 2.0}
    held = pd.DataFrame({"region": held.keys(), "value": held.values()})
    held = held.assign(indicator=item, end=june, months=6)
    stored = {"PROJECTIONS": plan, "TO_DATE": held, "SERIES": held[:0]}
    month = SimpleNamespace(catalog=CATALOG, period=june, table=stored.__getitem__)
    space = dict(month=month, pd=pd, name=CATALOG.name, members=parks, after=parks[1:])
    exec("\n".join(cells).rpartition("\n")[0], space)
    found = space["sums"].loc[(CATALOG.name(item), "2018-06")]
    assert len(cells) == 2 and found.tolist() == [3.0, 2.0]


def test_a_table_that_there_is_not_is_told_the_nearest(made):
    with pytest.raises(tables.ZcqError, match="没有叫「SERIE」的表。相近的有：.*SERIES"):
        made().table("SERIE")
