"""The plan checker finds the published plan's own conflicts, and others that are put into a copy of it."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zcqlib.__main__ import app
from zcqlib.catalog import REFERENCE, load
from zcqlib.plan_check import COLUMNS, plan_conflicts


@pytest.fixture(scope="module")
def shipped():
    return plan_conflicts(load())


@pytest.fixture
def changed(tmp_path):
    folder = Path(shutil.copytree(REFERENCE, tmp_path / "reference"))

    def check(file, old, new):
        path = folder / file
        text = path.read_text("utf-8-sig")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8-sig")
        return plan_conflicts(load(folder))

    return check


def only(findings, code):
    return findings[findings["code"] == code]


def test_fifteen_cluster_projects_stand_against_four_and_ten(shipped):
    (row,) = only(shipped, "parts_do_not_add_up").itertuples()
    assert row.ids == "cluster_special_projects;provincial_cluster_specials;new_cluster_specials"
    assert "4 + 10 = 14,低于总目标 15" in row.message and row.severity == "warning"


def test_targets_without_any_responsible_unit_are_named_one_by_one(shipped):
    assert set(only(shipped, "no_responsible_unit")["ids"]) == {
        "hitech_value_added_growth",
        "leading_industry_share",
    }


def test_inferred_units_are_listed_by_section_and_are_only_information(shipped):
    rows = only(shipped, "responsible_unit_inferred")
    plan = load().plan
    assert set(";".join(rows["ids"]).split(";")) == set(
        plan.loc[plan["responsible_basis"] == "inferred", "id"]
    )
    assert set(rows["severity"]) == {"info"}


def test_scopes_that_differ_within_one_sentence_name_both_sides(shipped):
    rows = only(shipped, "scopes_differ").set_index("section")
    assert "三(九)3" in rows.index
    message = rows.loc["三(九)3", "message"]
    assert (
        "全区口径的有高新技术企业知识产权贯标覆盖率" in message
        and "全市口径的有知识产权运营和保护中心" in message
    )


def test_the_meeting_with_two_cadences_is_the_only_one(shipped):
    (row,) = only(shipped, "two_cadences").itertuples()
    assert row.ids == "fortnightly_meeting" and "26 次、52 次" in row.message


def test_units_that_were_merged_away_name_their_successor(shipped):
    rows = only(shipped, "unit_is_gone")
    assert len(rows) == 2 and rows["message"].str.contains("由「税务局」承接").all()


def test_the_shipped_split_adds_up_and_no_part_exceeds_its_whole(shipped):
    assert only(shipped, "split_does_not_add_up").empty and only(shipped, "part_above_whole").empty
    assert only(shipped, "repeated_differently").empty and only(shipped, "members_changed").empty


def test_warnings_come_first_and_every_finding_is_a_chinese_sentence(shipped):
    assert list(shipped.columns) == COLUMNS
    assert list(shipped["severity"]) == sorted(shipped["severity"], reverse=True)
    assert shipped["message"].str.contains("[\u4e00-\u9fff].*。$").all()


def test_a_part_above_its_whole_is_found(changed):
    (row,) = only(
        changed("targets_2018.csv", "件,ge,1800", "件,ge,5800"), "part_above_whole"
    ).itertuples()
    assert row.ids == "invention_patent_applications;patent_applications" and "5800" in row.message


def test_a_stage_above_its_whole_is_found(changed):
    rows = only(
        changed("targets_2018.csv", "work,milestone,个,ge,7,", "work,milestone,个,ge,8,"),
        "part_above_whole",
    )
    assert rows["ids"].tolist() == ["rd_institutes_registered;named_new_rd_institutes"]


def test_a_stage_without_a_month_is_named(changed):
    (row,) = only(changed("stages_2018.csv", ",,,201812,", ",,,,"), "stage_undated").itertuples()
    assert "没有写承诺月份" in row.message and row.severity == "warning"


def test_a_split_that_does_not_add_up_names_every_share(changed):
    (row,) = only(
        changed("split_2018.csv", "gaoxin,1750", "gaoxin,1760"), "split_does_not_add_up"
    ).itertuples()
    assert row.ids == "patent_applications"
    assert (
        "合计 5010" in row.message and "高新区 1760" in row.message and "牧野区 650" in row.message
    )


def test_a_later_split_replaces_the_earlier_one_before_adding_up(changed):
    row = "patent_applications,gaoxin,1750,,201801,1,分解数为演示\n"
    findings = changed(
        "split_2018.csv", row, row + "patent_applications,gaoxin,1800,,201807,1,年中调整(演示)\n"
    )
    assert "合计 5050" in only(findings, "split_does_not_add_up")["message"].item()


def test_shares_that_are_ratios_are_not_added_up(changed):
    assert only(
        changed("split_2018.csv", "rd_intensity,gaoxin,3.8", "rd_intensity,gaoxin,9"),
        "split_does_not_add_up",
    ).empty


def test_the_nine_institutes_by_park_must_make_nine(changed):
    findings = changed(
        "targets_2018.csv",
        "work,flow,个,ge,3,,firm,,park:gaoxin",
        "work,flow,个,ge,4,,firm,,park:gaoxin",
    )
    rows = only(findings, "parts_do_not_add_up").set_index("section")
    assert "4 + 2 + 1 + 2 + 1 = 10,高于总目标 9" in rows.loc["二(五)", "message"]


def test_a_target_repeated_with_another_figure_is_found(changed):
    rows = only(
        changed("targets_2018.csv", "work,flow,个,ge,20", "work,flow,个,ge,25"),
        "repeated_differently",
    )
    assert rows["ids"].tolist() == ["new_city_rd_platforms;new_city_rd_platforms_work"]


def test_all_parks_means_as_many_as_there_are(changed):
    rows = only(changed("membership.csv", "muye,201604,", "muye,201604,201806"), "members_changed")
    assert (
        "talent_apartments_started" in set(rows["ids"])
        and rows["message"].str.contains("年底园区为 4 个").all()
    )


def test_a_plan_without_conflicts_gives_an_empty_table(tmp_path):
    folder = Path(shutil.copytree(REFERENCE, tmp_path / "reference"))
    header, *rows = (folder / "targets_2018.csv").read_text("utf-8-sig").splitlines()
    hall = [r for r in rows if r.startswith("one_stop_service_hall,")]
    (folder / "targets_2018.csv").write_text("\n".join([header, *hall]), "utf-8")
    for name in ("split_2018", "weights_2018", "bounds_2018"):
        (folder / f"{name}.csv").unlink()
    assert plan_conflicts(load(folder)).to_dict("records") == []


# --- python -m zcqlib check -------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with its own copy of the reference tables."""
    raw = tmp_path / "data" / "raw"
    shutil.copytree(REFERENCE, raw / "reference")
    shutil.copytree(REFERENCE.parent / "published", raw / "published")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    monkeypatch.setenv("ZCQ_ROOT", str(tmp_path))
    return raw / "reference"


def check():
    result = CliRunner().invoke(app, ["check"])
    return result.exit_code, result.output


def test_check_says_every_conflict_of_the_plan_with_its_row_ids(project):
    code, said = check()
    assert code == 0 and "参考表没有错误" in said and "全部相符" in said
    assert (
        "编号 cluster_special_projects、provincial_cluster_specials、new_cluster_specials" in said
    )
    assert said.count("编号 ") == len(plan_conflicts(load(project)))


def test_check_names_a_folder_of_reports_that_is_no_month(project):
    (project.parent / "2018-13").mkdir()
    (project.parent / "2018-13" / "高新区.xlsx").write_bytes(b"")
    code, said = check()
    assert code == 0 and "文件夹「2018-13」不是 2018-09 这样的月份,其中 1 个文件没有读取" in said


def test_check_accepts_a_table_saved_as_gbk(project):
    text = (project / "targets_2018.csv").read_text("utf-8-sig").replace("m²", "平方米")
    (project / "targets_2018.csv").write_bytes(text.encode("gbk"))
    code, said = check()
    assert code == 0 and "targets_2018.csv:找到「GBK 编码」" in said


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "targets_2018.csv",
            "sci_fiscal_share",
            "1月2日",
            "targets_2018.csv 第 3 行「id」列:找到「1月2日」",
        ),
        ("indicators.csv", "gdp,地区生产总值", "gdp,=A1", "「name_zh」列:找到「=A1」"),
        (
            "limits.csv",
            "8249000000",
            "8.25E+09",
            "limits.csv 第 2 行「high」列:找到「8.25E+09」,应为数字",
        ),
        (
            "checkpoints.csv",
            "2022,year",
            "2022,yaer",
            "checkpoints.csv 第 2 行「basis」列:找到「yaer」",
        ),
    ],
)
def test_check_names_file_line_found_and_expected_and_fails(project, file, old, new, said):
    path = project / file
    text = path.read_text("utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8-sig")
    code, output = check()
    assert code == 1 and said in output and "处错误" in output


def test_check_looks_at_every_plan_that_is_there(project):
    text = (project / "targets_2018.csv").read_text("utf-8-sig").replace("件,ge,1800", "件,ge,5800")
    (project / "targets_2019.csv").write_text(text, "utf-8-sig")
    code, said = check()
    assert code == 0 and "2018 年计划本身有" in said
    before, after = said.split("2019 年计划本身有")
    assert "部分大于整体" in after and "部分大于整体" not in before


def test_check_fails_where_a_published_number_does_not_come_out(project):
    path = project / "checkpoints.csv"
    path.write_text(path.read_text("utf-8-sig").replace("74373,件", "74374,件"), "utf-8-sig")
    code, said = check()
    assert code == 1 and "得到 74373" in said
