"""Who owes what for a month: what came, what is late, and the lines that remind of it."""

from dataclasses import replace

import pandas as pd
import pytest
from observations_made import month, observations, ytd

from zcqlib import findings, indicators, milestones, pipeline
from zcqlib.briefing import returns
from zcqlib.catalog import load
from zcqlib.ledger_reader import COLUMNS, SHEET, Sent, reached, read_ledger
from zcqlib.projection import project_targets
from zcqlib.reports import senders
from zcqlib.tables import PROBLEMS, REFERENCE, REPLIES, VINTAGE, empty, shape

NAN, SEPTEMBER = float("nan"), pd.Period("2018-09", "M")


@pytest.fixture(scope="module")
def catalog():
    """Two senders: one owes two figures each month and one a quarter, the other owes one."""
    full = load()
    few = full.senders[full.senders["id"].isin(["tjj", "swj"])].copy()
    few["indicators"] = ["industrial_value_added;hightech_value_added", "major_projects_attracted"]
    few["quarterly"] = ["gdp", ""]
    return replace(full, senders=few.reset_index(drop=True))


def files(*names, published="2018-09"):
    return pd.DataFrame(
        {"file": [f"{n}.xlsx" for n in names], "sender": names, "published": month(published)}
    )


def came(indicator, value=1.0, end="2018-09", **more):
    return ytd(value, end, indicator=indicator, sender="tjj", region="zone", unit="万元", **more)


def owed(catalog, *rows, sent=("tjj",), period="2018-09"):
    return pipeline.owed(
        files(*sent, published=period), observations(*rows), month(period), catalog
    ).set_index("sender")


def test_a_sender_without_a_file_owes_everything_by_its_day_of_the_next_month(catalog):
    row = owed(catalog, came("gdp")).loc["swj"]
    assert (row["state"], row["owed"], row["came"], row["due"]) == ("未报", 1, 0, "2018-10-08")
    assert row["missing"] == catalog.name("major_projects_attracted") and row["files"] == ""


def test_a_unit_of_the_plan_that_owes_no_report_may_send_one_and_is_never_late():
    full = load()
    assert senders.decide("市工信委_2018年9月报表.xlsx", "", (), full) == ("市工信委", "")
    found = pipeline.owed(files("市工信委"), observations(came("gdp")), month("2018-09"), full)
    assert "市工信委" not in set(found["sender"]) and {"tjj", "gaoxin"} <= set(found["sender"])


def test_a_report_without_some_of_what_is_owed_is_partial_and_names_it(catalog):
    row = owed(catalog, came("gdp"), came("industrial_value_added")).loc["tjj"]
    assert (row["state"], row["owed"], row["came"]) == ("部分", 3, 2)
    assert row["missing"] == catalog.name("hightech_value_added")


def test_what_is_owed_by_the_quarter_is_owed_in_its_last_month_only(catalog):
    rows = [came(i, end="2018-08") for i in ("industrial_value_added", "hightech_value_added")]
    row = owed(catalog, *rows, period="2018-08").loc["tjj"]
    assert (row["state"], row["owed"]) == ("已报", 2)


def test_an_empty_cell_does_not_count_as_come_but_none_to_report_does(catalog):
    blank = came("hightech_value_added", NAN, missing_reason="not_reported")
    none = came("industrial_value_added", NAN, missing_reason="not_applicable")
    row = owed(catalog, came("gdp"), blank, none).loc["tjj"]
    assert (row["came"], row["missing"]) == (2, catalog.name("hightech_value_added"))


def test_last_months_figures_given_again_are_not_this_months(catalog):
    old = [
        came(i, end="2018-08", published="2018-09")
        for i in ("industrial_value_added", "hightech_value_added")
    ]
    assert owed(catalog, came("gdp"), *old).loc["tjj", "came"] == 1


def test_nothing_of_the_month_is_not_reported_and_a_name_that_is_not_known_is_something(catalog):
    late = came("gdp", end="2018-08", published="2018-09")
    assert owed(catalog, late).loc["tjj", "state"] == "未报"
    unknown = came("", indicator_raw="规上工业增加之")
    assert owed(catalog, unknown).loc["tjj", "state"] == "部分"


def test_a_sender_counts_only_while_it_has_to_report(catalog):
    gone = catalog.senders.copy()
    gone.loc[gone["id"] == "swj", "end"] = month("2018-08")
    rest = pipeline.owed(
        files("tjj"), observations(came("gdp")), month("2018-09"), replace(catalog, senders=gone)
    )
    assert rest["sender"].tolist() == ["tjj"]


def found(name, catalog, overdue, **held):
    all_ = {n: empty(t) for n, t in VINTAGE.items()} | held
    all_["COMPLETENESS"] = overdue.reset_index()
    period = month("2018-09")
    return findings.find(name, findings.Given(all_.__getitem__, catalog, period, period))


def test_a_reminder_says_who_what_and_by_which_day(catalog):
    told = found("reminders", catalog, owed(catalog, came("gdp"))).paragraph
    assert "市商务局：应于2018年10月8日前报送本月报表，至今没有收到，还缺1项：引进重大项目" in told
    assert "市统计局：应于2018年10月20日前报送本月报表，已收到1项，还缺2项：" in told
    rows = [came(i) for i in ("gdp", "industrial_value_added", "hightech_value_added")]
    done = owed(catalog, *rows).query("sender == 'tjj'")
    assert "没有需要催报的" in found("reminders", catalog, done).paragraph


def test_the_completeness_of_a_month_is_said_with_both_numbers(catalog):
    cells = pd.DataFrame({"file": ["a", "a", "b"], "outcome": ["observation", "label", "context"]})
    seen, late = observations(came("gdp")), owed(catalog, came("gdp"))
    told = found("reported", catalog, late, OBSERVATIONS=seen, CELLS=cells)
    assert told.title == "应报2家，1家未报，1家缺项"
    assert told.sentences[0] == (
        "9月应报4项指标，收到1项，完整度25.0%；2家中没有报齐的，缺项的有市统计局，未报的有市商务局"
    )
    assert told.sentences[1] == "本月报表没有发现问题"
    assert "2个文件、3个非空单元格，每格都有去处：数据1个，表头1个，说明1个" in told.sentences[2]


def test_what_was_done_and_what_the_sender_replied_stand_beside_each_problem():
    place = dict(file="a.xlsx", sheet="月报", cell="B2", sender="tjj", published=month("2018-09"))
    rows = [
        dict(code="outlier", severity="warning", message="很大。", **place),
        dict(code="cell_error", severity="error", message="出错。", **place | {"cell": "B3"}),
        dict(code="revised", severity="info", message="已改。", **place),
    ]
    reply = shape([dict(reply="属实", **place)], REPLIES)
    table = returns.handled(shape(rows, PROBLEMS), reply)
    assert table[["severity_zh", "done", "reply"]].to_numpy().tolist() == [
        ["错误", "这个数字没有采用", ""],
        ["请核对", "数字没有改动", "属实"],
    ]


def test_every_row_of_the_plan_has_a_value_where_its_units_fill_in_their_ledgers():
    catalog, parts = load(), []
    for sender in (*catalog.parks, "市工信委"):
        rows = [list(COLUMNS)]
        for t in catalog.plan.itertuples():
            filled = {"节点阶段": "推进中"} if t.kind == "milestone" else {"累计": 3}
            row = dict.fromkeys(COLUMNS) | {"编号": t.id, "单位": t.unit} | filled
            rows.append(list(row.values()))
        sent = Sent(f"{sender}台账.xlsx", sender, sender, SEPTEMBER)
        parts.append(read_ledger([(SHEET, rows)], sent, catalog))
    told, said = (pd.concat([getattr(p, k) for p in parts]) for k in ("observations", "replies"))
    facts = indicators.consolidate(told.reset_index(drop=True), catalog, SEPTEMBER)
    series, _ = indicators.series(facts, catalog)
    growth, _ = indicators.growth(facts, series, catalog)
    stages = reached(catalog.stages.iloc[:0], said, catalog)
    given = catalog.targets, SEPTEMBER, catalog, stages, catalog.batches, growth
    found = project_targets(series, *given).projections
    zone = found[found["region"].isin(["zone", "city"])]
    assert set(zone.loc[zone["actual"].isna(), "indicator"]) == set()
    assert set(catalog.plan["id"]) <= set(found["indicator"])
    under_way = zone[zone["kind"].eq("milestone")]
    assert under_way["actual"].eq(0).all() and under_way["method"].eq("节点 0/1").all()


def test_a_roster_of_firms_says_how_many_are_covered_and_names_the_others():
    catalog, row = load(), dict(indicator="ip_standard_coverage")
    done = {"甲公司": "2018-03", "乙公司": "2018-09", "丙公司": "2018-10", "丁公司": None}
    firms = [
        row | dict(credit_code=n, name_zh=n, done=month(d) if d else None) for n, d in done.items()
    ]
    catalog = replace(catalog, roster=shape(firms, REFERENCE["roster"]))
    stages, none = empty(VINTAGE["MILESTONES"]), empty(VINTAGE["SERIES"])
    found = project_targets(none, catalog.targets, SEPTEMBER, catalog, stages)
    said = found.projections.set_index(["indicator", "region"]).loc["ip_standard_coverage", "zone"]
    assert (said["actual"], said["actual_to"]) == (50, SEPTEMBER) and "4家中2家" in said["method"]
    lacking = found.missing[found.missing["indicator"].eq("ip_standard_coverage")]
    assert lacking["item"].tolist() == ["丙公司", "丁公司"]
    more = dict(projections=found.projections, missing=found.missing)
    told = milestones.ledger(stages, catalog.targets, SEPTEMBER, catalog, **more)
    assert told.set_index("id").at["ip_standard_coverage", "missing"] == "丙公司、丁公司"
