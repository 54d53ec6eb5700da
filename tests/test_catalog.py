"""Reference tables: first what is wrong with them, then what they say."""

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from zcqlib import tables
from zcqlib.catalog import REFERENCE, CatalogError, check_reference, load
from zcqlib.reference import SHEETS, shape_of

SEED = Path(__file__).resolve().parents[2] / "shared" / "seed" / "targets_2018.csv"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


@pytest.fixture(scope="module")
def catalog():
    return load()


def change(path: Path, old: str, new: str, encoding: str = "utf-8-sig") -> None:
    text = path.read_text("utf-8-sig")
    assert text.count(old) >= 1, old
    path.write_bytes(text.replace(old, new, 1).encode(encoding))


def errors(folder: Path) -> list[str]:
    return [str(f) for f in check_reference(folder) if f.severity == "error"]


# --- wrong input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "lights.csv",
            "open,40,",
            "open,,",
            r"lights\.csv 第 4 行「at_least」列:找到「空白」,应为0 到 100 的数字",
        ),
        (
            "lights.csv",
            "open,40,",
            "open,80,",
            r"lights\.csv 第 4 行「at_least」列:找到「80」,应为不重复的下限",
        ),
        (
            "lights.csv",
            "hard,0,",
            "hard,1,",
            r"lights\.csv 第 5 行「at_least」列:找到「1」,应为0\(最低一档",
        ),
        (
            "lights.csv",
            "met,,",
            "met,100,",
            r"lights\.csv 第 2 行「at_least」列:找到「100」,应为空白",
        ),
        ("lights.csv", "stage,", "none,", r"lights\.csv 第 9 行「light」列:.*还缺「stage」一行"),
        ("lights.csv", ",把握较大,", ",,", r"lights\.csv 第 3 行「words」列:找到「空白」,应为文字"),
        (
            "meetings.csv",
            "state;late;",
            "state;later;",
            r"meetings\.csv 第 2 行「sections」列:.*不认识「later」",
        ),
        (
            "meetings.csv",
            "周协调会,W,",
            "周协调会,F,",
            r"meetings\.csv 第 3 行「letter」列:找到「F」,应为不重复的字母",
        ),
        (
            "meetings.csv",
            ",6,与六",
            ",,与六",
            r"meetings\.csv 第 6 行「back」列:找到「空白」,应为整数",
        ),
        ("zone.csv", ",一区四园,", ",,", r"zone\.csv 第 2 行「parts_zh」列:找到「空白」,应为文字"),
        (
            "targets_2018.csv",
            "ge,95,",
            "ge,九十五,",
            r"targets_2018\.csv 第 7 行「target_low」列:找到「九十五」,应为数字",
        ),
        ("targets_2018.csv", "ge,95,", "ge,nan,", r"第 7 行「target_low」列:找到「nan」,应为数字"),
        ("targets_2018.csv", "ge,95,", "ge,,", r"第 7 行「target_low」列:找到「空白」,应为数字"),
        (
            "targets_2018.csv",
            "ratio,%,ge,3,",
            "ratio,%,>=,3,",
            r"第 2 行「comparator」列:找到「>=」,应为ge、gt、eq、between、done之一",
        ),
        (
            "targets_2018.csv",
            "sci_fiscal_share",
            "2018/5/1",
            r"第 3 行「id」列:找到「2018/5/1」,应为小写英文编号.*不是日期",
        ),
        ("targets_2018.csv", "sci_fiscal_share", "sci_fiscal_shar", r"最接近的是 sci_fiscal_share"),
        (
            "targets_2018.csv",
            "sci_fiscal_share",
            "rd_intensity",
            r"第 3 行「id」列:找到「rd_intensity」,应为不重复的行\(第 2 行已有\)",
        ),
        (
            "targets_2018.csv",
            "between,1,2",
            "between,2,1",
            r"「target_high」列:找到「1」,应为大于 target_low\(2\)的数字",
        ),
        ("targets_2018.csv", "park:gaoxin", "park:gaoxing", r"「scope」列:找到「park:gaoxing」"),
        (
            "targets_2018.csv",
            "part_of,patent_applications",
            ",patent_applications",
            r"「related_id」列.*同时填写",
        ),
        (
            "indicators.csv",
            "gdp,地区生产总值",
            "18-Sep,地区生产总值",
            r"「id」列:找到「18-Sep」,应为小写英文编号.*不是日期",
        ),
        ("indicators.csv", "gdp,地区生产总值", "gdp,=A1", r"「name_zh」列:找到「=A1」"),
        ("indicators.csv", "rd_expenditure,gdp", "rd_expenditure,", r"「denominator」列"),
        (
            "split_2018.csv",
            "gaoxin,1750",
            "gaoxing,1750",
            r"split_2018\.csv 第 2 行「region」列:找到「gaoxing」.*最接近的是 gaoxin",
        ),
        (
            "split_2018.csv",
            "201801",
            "2018/1/1",
            r"「in_force_from」列:找到「2018/1/1」,应为六位年月,如 201809",
        ),
        ("split_2018.csv", "201801", "201813", r"「in_force_from」列:找到「201813」"),
        (
            "weights_2018.csv",
            "创新发展水平,0.1",
            "创新发展水平,0.2",
            r"weights_2018\.csv.*找到「各组权重合计 1\.1」,应为合计 1",
        ),
        (
            "bounds_2018.csv",
            "50,110",
            "110,50",
            r"bounds_2018\.csv 第 2 行「high」列:找到「50」,应为大于 low\(110\)的数字",
        ),
        (
            "batches.csv",
            "20150803",
            "20150231",
            r"「announced」列:找到「20150231」,应为八位日期,如 20180915",
        ),
        (
            "batches.csv",
            "20150803,4,4,3,3",
            "20150803,4,5,3,3",
            r"batches\.csv 第 2 行「reviewed」列:找到「5」,应为不多于 number\(4\)的家数",
        ),
        (
            "senders.csv",
            "patent_applications;",
            "patent_aplications;",
            r"「indicators」列:找到「patent_aplications」",
        ),
        ("unit_words.csv", "2000,3", "2000,0", r"unit_words\.csv.*应为正数"),
        ("units.csv", "税务局,市级", "税务总站,市级", r"「successor」列:找到「税务总站」"),
        ("aliases.csv", "R&D经费,", "专利申请,", r"aliases\.csv"),
        ("regions.csv", "zone_part", "zone part", r"「coverage」列:找到「zone part」"),
        ("stages_2018.csv", "完成注册", "锟斤拷", r"「stage_zh」列:找到「锟斤拷」"),
        ("membership.csv", "region,start", "region,begin", r"表头,还缺这些列:start"),
    ],
)
def test_a_fault_names_file_line_column_found_and_expected(folder, file, old, new, said):
    change(folder / file, old, new)
    found = errors(folder)
    assert found and any(re.search(said, f) for f in found), found
    with pytest.raises(CatalogError, match=re.escape(file.split(".")[0].split("_")[0])):
        load(folder)


def test_a_row_with_too_many_cells_is_not_shifted_in_silence(folder):
    change(folder / "notes.csv", "第一批认定名单9月公布,", "第一批认定名单9月公布,另有,")
    change(folder / "notes.csv", '"第一批', "第一批")
    assert any("含逗号的文字要加引号" in f for f in errors(folder))


def test_bytes_that_are_neither_utf8_nor_gbk_are_located(folder):
    path = folder / "notes.csv"
    path.write_bytes(path.read_bytes() + b"\xff\xff\n")
    assert errors(folder) == [
        "notes.csv 第 4 行:找到「ff ff」,应为 UTF-8 或 GBK 编码的文字;"
        "请在电子表格中另存为「CSV UTF-8」"
    ]


def test_a_missing_table_and_an_unknown_file_are_both_said(folder):
    (folder / "senders.csv").rename(folder / "sender.csv")
    assert errors(folder) == [
        "sender.csv:找到「sender.csv」,应为参考表的文件名(最接近的是 senders)",
        "senders.csv:找到「没有这个文件」,应为参考表文件",
    ]


def test_a_year_without_plan_is_refused_and_the_years_at_hand_are_named(catalog):
    with pytest.raises(CatalogError, match=r"没有 targets_2031\.csv.*已有年份:2018"):
        load(year=2031)


def test_a_split_of_something_the_plan_does_not_promise_is_refused(folder):
    change(folder / "split_2018.csv", "patent_applications,gaoxin", "gdp,gaoxin")
    with pytest.raises(CatalogError, match="「gdp」在 targets_2018.csv 中没有全区目标"):
        load(folder)


def test_a_target_in_a_unit_that_cannot_be_converted_is_refused_with_its_line(folder):
    change(folder / "targets_2018.csv", "flow,亿元,ge,250", "flow,平方米,ge,250")
    said = r"targets_2018.csv 第 \d+ 行「unit」列:找到「平方米」,应为指标单位「万元」"
    with pytest.raises(CatalogError, match=said):
        load(folder)


def test_a_table_that_is_only_there_as_a_workbook_is_an_error(folder):
    pd.read_csv(folder / "weights_2018.csv").to_excel(folder / "weights_2018.xlsx", index=False)
    assert [f for f in check_reference(folder) if f.severity == "error"] == []  # beside its CSV
    (folder / "weights_2018.csv").unlink()
    with pytest.raises(
        CatalogError, match=r"weights_2018\.xlsx:找到「电子表格文件」,应为 weights_"
    ):
        load(folder)


def test_a_park_is_known_by_its_own_names_without_an_alias(folder):
    change(folder / "regions.csv", "新乡高新技术产业开发区,高新区", "新乡未来科学城,未来区")
    renamed = load(folder)
    for name in ("未来区", "新乡未来科学城", "未来区管委会", "高新区"):
        assert (renamed.match_region(name).id, renamed.match_region(name).kind) == (
            "gaoxin",
            "known",
        )


# --- what may happen ----------------------------------------------------------------------------------------------


def test_the_shipped_tables_have_no_fault():
    assert check_reference() == []


def test_no_shipped_cell_is_one_that_a_spreadsheet_changes():
    risky = re.compile(
        r"[=+@].*|-[^\d].*|\d{1,4}[-/]\d{1,2}([-/]\d{1,4})?|\d+年\d+月(\d+日)?|\d+月\d+日|\d+E\d+|0\d+"
    )
    for path in REFERENCE.glob("*.csv"):
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf"), path.name
        for row in csv.reader(raw.decode("utf-8-sig").splitlines()):
            assert not [c for c in row if risky.fullmatch(c)], (path.name, row)


def test_a_table_saved_as_gbk_reads_the_same_and_says_so(folder):
    before = load(folder)
    change(folder / "region_aliases.csv", "高新区", "高新区", encoding="gb18030")
    change(folder / "targets_2018.csv", "达到", "达到", encoding="gb18030")
    faults = check_reference(folder)
    assert {(f.file, f.severity) for f in faults} == {
        ("region_aliases.csv", "info"),
        ("targets_2018.csv", "info"),
    }
    pd.testing.assert_frame_equal(load(folder).targets, before.targets)


def test_windows_line_ends_blank_rows_and_another_order_of_columns_change_nothing(folder):
    before = load(folder).membership
    path = folder / "membership.csv"
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    lines = [",".join(reversed(r)) for r in rows]
    path.write_bytes(("\r\n".join([lines[0], ",,,", *lines[1:], "", ""])).encode("utf-8"))
    pd.testing.assert_frame_equal(load(folder).membership, before)


def test_a_changed_file_is_read_again(folder):
    assert load(folder) is load(folder)
    change(folder / "targets_2018.csv", "ge,95,", "ge,96,")
    assert load(folder).plan.set_index("id").loc["hightech_enterprises", "target_low"] == 96


def test_a_new_plan_is_added_by_adding_files(folder):
    text = (
        (folder / "targets_2018.csv")
        .read_text("utf-8-sig")
        .replace("flow,件,gt,5000", "flow,件,gt,6000")
    )
    (folder / "targets_2019.csv").write_text(text, "utf-8-sig")
    next_year = load(folder, 2019)
    row = next_year.targets[next_year.targets["id"] == "patent_applications"].iloc[0]
    assert (row["target_low"], row["year"], str(row["in_force_from"])) == (6000, 2019, "2019-01")
    assert next_year.split.empty and next_year.weights.empty and next_year.stages.empty
    assert (
        load(folder, 2018).headline().set_index("id").loc["patent_applications", "target_low"]
        == 5000
    )


# --- what the tables say ------------------------------------------------------------------------------------------


def test_all_rows_of_the_plan_stand_as_they_were_given(catalog):
    if not SEED.exists():
        pytest.skip("the given plan table (shared/seed) is not beside this checkout")
    given = pd.read_csv(SEED, dtype=str, keep_default_na=False)
    shipped = pd.read_csv(
        REFERENCE / "targets_2018.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    pd.testing.assert_frame_equal(shipped, given)


def test_the_plan_has_125_rows_47_of_them_in_the_ten_groups_each_once(catalog):
    assert len(catalog.plan) == 125
    head = catalog.headline()
    assert (
        len(head) == 47
        and head["id"].is_unique
        and set(head["group"]) == {str(g) for g in range(1, 11)}
    )
    assert (catalog.plan["group"] == "work").sum() == 78


def test_linked_rows_are_never_counted_twice(catalog):
    counted = catalog.counted()
    linked = set(catalog.plan.loc[catalog.plan["relation"] != "", "id"])
    assert counted["id"].is_unique and not set(counted["id"]) & linked
    assert len(counted) == len(catalog.plan) - len(linked)


def test_targets_have_the_agreed_shape_and_stand_in_normal_units(catalog):
    t = tables.check(catalog.targets, tables.TARGETS).set_index(["id", "region"])
    funds, area = (
        t.loc[("external_funds_attracted", "zone")],
        t.loc[("incubation_floor_area", "zone")],
    )
    assert (funds["target_low"], funds["unit"]) == (2_500_000, "万元")
    assert (area["target_low"], area["unit"]) == (450_000, "平方米")
    for row in catalog.targets.itertuples():
        assert row.unit == catalog.unit(row.id)


def test_a_figure_per_park_is_owed_by_each_park_and_five_times_by_the_zone(catalog):
    t = catalog.targets[catalog.targets["id"] == "replicable_experiences_per_park"].set_index(
        "region"
    )["target_low"]
    assert t.to_dict() == {
        "zone": 15,
        "gaoxin": 3,
        "jingkai": 3,
        "pingyuan": 3,
        "hongqi": 3,
        "muye": 3,
    }


def test_only_what_the_plan_itself_assigns_to_parks_is_not_made_up(catalog):
    split = catalog.targets[
        (catalog.targets["scope"] == "zone") & catalog.targets["region"].isin(catalog.parks)
    ]
    real = set(split.loc[~split["demo"], "id"])
    assert "industry_research_institutes" in real and "patent_applications" not in real
    institutes = split[split["id"] == "industry_research_institutes"].set_index("region")[
        "target_low"
    ]
    assert institutes[list(catalog.parks)].tolist() == [3, 2, 1, 2, 1]
    carriers = split[split["id"] == "major_carriers_accelerated"]
    assert "pingyuan" not in set(carriers["region"])


def test_kinds_comparators_and_links_of_ratios_are_known(catalog):
    i = catalog.indicators
    assert (i["rd_intensity"].numerator, i["rd_intensity"].denominator) == ("rd_expenditure", "gdp")
    assert i["hitech_value_added_growth"].growth_of == "hightech_value_added"
    assert i["patent_applications"].additive and not i["rd_intensity"].additive
    assert i["hightech_enterprises"].can_fall and i["hightech_enterprises"].batch
    assert set(catalog.plan["id"]) <= set(i)
    strict = catalog.plan.set_index("id").loc[
        ["patent_applications", "results_transferred"], "comparator"
    ]
    assert strict.eq("gt").all()
    assert (i["tech_exchange_events"].source_precedence, i["gdp"].source_precedence) == (
        "park",
        "department",
    )


def test_the_tax_bureaus_are_followed_by_one(catalog):
    units = catalog.units.set_index("id")
    assert (units.loc[["国税局", "地税局"], "successor"] == "税务局").all()
    assert units.loc["税务局", "start"] == units.loc["国税局", "end"] + pd.Timedelta(days=1)


def test_every_responsible_unit_of_the_plan_is_a_sender_once_and_those_that_owe_have_a_day(catalog):
    s = catalog.senders
    named = set(";".join(catalog.plan["responsible"]).split(";")) - {""}
    assert set(catalog.parks) < set(s["id"]) and s["unit"].is_unique
    assert named <= {*s["name_zh"], *";".join(s["aliases"]).split(";")}
    owes = s["indicators"].ne("")
    assert s.loc[owes, "due_day"].between(1, 28).all() and s.loc[~owes, "quarterly"].eq("").all()
    assert set(s.loc[~owes, "kind"]) == {"department"}


def test_made_up_tables_say_so(catalog):
    assert (
        catalog.weights["demo"].all()
        and catalog.batches["demo"].all()
        and catalog.stages["demo"].all()
    )
    assert catalog.weights.loc[catalog.weights["level"] == "group", "weight"].eq(0.1).all()


def test_weights_sum_to_one_in_each_group_and_cover_the_headline(catalog):
    parts = catalog.weights[catalog.weights["level"] == "indicator"]
    assert parts.groupby("parent")["weight"].sum().sub(1).abs().max() < 1e-9
    assert set(parts["id"]) == set(catalog.headline()["id"]) == set(catalog.bounds["indicator"])


def test_membership_has_dates(folder):
    change(folder / "membership.csv", "muye,201604,", "muye,201604,201806")
    catalog = load(folder)
    assert catalog.members(pd.Period("2018-06", "M")) == catalog.parks
    assert catalog.members(pd.Period("2018-07", "M")) == ("gaoxin", "jingkai", "pingyuan", "hongqi")


def test_every_shape_has_a_key_among_its_columns():
    for name, sheet in SHEETS.items():
        assert sheet.key and set(sheet.key) <= set(sheet.names), name
    assert shape_of("targets_2019") is SHEETS["targets_<year>"] and shape_of("targets") is None


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "id", "kind"),
    [
        ("高 新 区", "gaoxin", "known"),
        ("　红旗区", "hongqi", "known"),
        ("牧\n野区", "muye", "known"),
        ("新乡高新区", "gaoxin", "known"),
        ("新乡高新技术产业开发区管委会", "gaoxin", "known"),
        ("新乡市平原城乡一体化示范区管理委员会", "pingyuan", "known"),
        ("新乡国家级经济技术开发区", "jingkai", "known"),
        ("1.高新区", "gaoxin", "known"),
        ("（二）经开区", "jingkai", "known"),
        ("牧野区①", "muye", "known"),
        ("红旗区*", "hongqi", "known"),
        ("# 高新区", "gaoxin", "known"),
        ("③牧野区", "muye", "known"),
        ("合计", "", "total"),
        ("小计", "", "total"),
        ("全市", "city", "total"),
        ("自创区", "zone", "total"),
        ("一区四园", "zone", "total"),
        ("全省", "河南", "total"),
        ("其他", "other", "remainder"),
        ("市直", "other", "remainder"),
        ("开发区", "", "ambiguous"),
        ("新区", "", "ambiguous"),
        ("新乡开发区", "", "ambiguous"),
        ("省级产业集聚区", "", "ambiguous"),
        ("郑州高新区", "郑州高新区", "other_region"),
        ("洛阳经济技术开发区", "洛阳经济技术开发区", "other_region"),
        ("湖北省", "湖北", "other_region"),
        ("北京", "北京", "other_region"),
        ("长垣县", "changyuan", "known"),
        ("新乡市", "city", "known"),
        ("发明", "", "unknown"),
        ("2018年", "", "unknown"),
        ("", "", "unknown"),
        ("工业园区", "", "unknown"),
    ],
)
def test_a_region_label_is_matched_exactly_or_not_at_all(catalog, raw, id, kind):
    match = catalog.match_region(raw)
    assert (match.id, match.kind) == (id, kind)


def test_a_near_miss_is_only_a_suggestion(catalog):
    assert catalog.match_region("平原示苑区").suggestion == "平原示范区"
    assert catalog.match_region("平原示苑区").id == ""


def test_an_older_name_counts_only_while_it_was_in_use(folder):
    with open(folder / "region_aliases.csv", "a", encoding="utf-8") as fh:
        fh.write("化工区,jingkai,known,201001,201612,\n")
    catalog = load(folder)
    assert catalog.match_region("化工区", pd.Period("2016-12", "M")).id == "jingkai"
    assert catalog.match_region("化工区", pd.Period("2017-01", "M")).kind == "unknown"


@pytest.mark.parametrize(
    ("raw", "id"),
    [
        ("专利申请/合计", "patent_applications"),
        ("专利申请/发明", "invention_patent_applications"),
        ("专利授权量（件）/其中：发明专利", "invention_patent_grants"),
        ("一、专利申请总量", "patent_applications"),
        ("各园区情况/专利申请量（件）", ""),  # a part of another thing is not the thing itself
        ("规上工业企业/其中：高新技术企业", ""),
        ("高企数", "hightech_enterprises"),
        ("实用新型申请数", "utility_model_applications"),  # written 实用新型申请量 in the aliases
        ("高新技术企业(家)", "hightech_enterprises"),
        ("国家高新技术企业数", "hightech_enterprises"),
        ("高新技术\n企业数", "hightech_enterprises"),
        ("R&D 经费支出（万元）", "rd_expenditure"),
        ("研发投入/GDP", "rd_intensity"),
        ("年末常住人口(万人)", "population"),
        ("技术合同/成交额", "tech_contract_value"),
        ("新增研发平台/省级", "new_provincial_rd_platforms"),
        ("科技小巨人(培育)企业", "new_tech_little_giants"),
        ("发明", ""),
        ("合计", ""),
        ("其中：发明", ""),
        ("企业", ""),
        ("申请", ""),
        ("完全没听说过的东西", ""),
        ("", ""),
    ],
)
def test_an_indicator_path_is_matched_as_a_whole(catalog, raw, id):
    assert catalog.match_indicator(raw).id == id


def test_every_indicator_is_found_by_its_own_name(catalog):
    again = dict(
        catalog.plan.loc[catalog.plan["relation"] == "restates", ["id", "related_id"]].itertuples(
            index=False
        )
    )
    for i in catalog.indicators.values():
        assert catalog.match_indicator(i.name_zh).id in (i.id, again.get(i.id)), i.id


def test_an_unknown_indicator_brings_the_nearest_names(catalog):
    match = catalog.match_indicator("高新技术企亚")
    assert match.id == "" and match.suggestions[0] == "高新技术企业"


def test_names_and_units_fall_back_to_what_is_given(catalog):
    assert (catalog.name("gaoxin"), catalog.name("rd_intensity")) == (
        "高新区",
        "全社会研发投入占GDP比重",
    )
    assert (catalog.name("吉林省/长春市"), catalog.unit("unheard_of")) == ("吉林省/长春市", "")
