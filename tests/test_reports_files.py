"""Traits 1 to 19 and 90 to 93 of the catalogue of reports: bytes, packages, limits, and what goes out."""

import io
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
from reports_made import (
    JUNE,
    at,
    codes,
    made,
    old_workbook,
    open_document,
    outcome,
    packed,
    read,
    severity,
    spreadsheet_xml,
    text,
    workbook,
)

from zcqlib import catalog as catalogs
from zcqlib.reports import Context, read_report, summary, write_reading
from zcqlib.reports.grid import Sheet

SIMPLE = "表1 专利申请量（件）,,\n园区,2018年5月,2018年6月\n高新区,10,12\n红旗区,3,4\n"
ROWS = [
    ["专利申请量（件）"],
    ["园区", "2018年5月", "2018年6月"],
    ["高新区", 10, 12],
    ["红旗区", 3, 4],
]
HTML = (
    "<html><head><meta charset='gbk'><script>alert('9999')</script></head><body onload='x()'><table>"
    "<tr><td colspan=3>专利申请量（件）</td></tr><tr><td>园区</td><td>2018年5月</td><td>2018年6月</td></tr>"
    "<tr><td>高新区</td><td>10</td><td>12</td></tr><tr><td>红旗区</td><td onclick='y()'>3</td><td>4</td></tr>"
    "</table></body></html>"
)


def same(reading):
    """The four figures of the simple table, wherever they stood."""
    o = reading.observations
    got = {
        (r.region, str(r.end)): r.value
        for r in o.itertuples()
        if r.indicator == "patent_applications"
    }
    assert got == {
        ("gaoxin", "2018-05"): 10,
        ("gaoxin", "2018-06"): 12,
        ("hongqi", "2018-05"): 3,
        ("hongqi", "2018-06"): 4,
    }
    assert set(o["basis"]) == {"month"} and set(o["unit"]) == {"件"}
    return reading


@pytest.mark.parametrize(
    ("encoding", "said"), [("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-8", "utf-8")]
)
def test_t01_text_without_a_mark_is_decoded_strictly(tmp_path, encoding, said):
    r = same(read(text(tmp_path / "a.csv", SIMPLE, encoding)))
    assert r.info["encoding"] == said and r.info["kind"] == "text"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_t02_a_byte_order_mark_is_no_part_of_the_first_label(tmp_path, encoding):
    r = same(
        read(
            text(
                tmp_path / "a.csv",
                SIMPLE.split("\n", 1)[1].replace("园区", "指标：专利申请量(件)\n园区", 1),
                encoding,
            )
        )
    )
    assert "stray_mark" not in codes(r)


def test_t03_a_second_mark_inside_is_dropped_and_said(tmp_path):
    r = same(read(text(tmp_path / "a.csv", SIMPLE.replace("园区", "\ufeff园\u200b区"))))
    assert severity(r, "stray_mark") == "info"


def test_t04_a_cut_character_ends_the_reading_at_its_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(SIMPLE.encode("gbk") + "牧".encode("gbk") + b"\xd2")
    r = same(read(path))
    p = r.problems.set_index("code").loc["bad_bytes"]
    assert p["severity"] == "error" and p["cell"] == "A5" and "字节" in p["message"]


@pytest.mark.parametrize("wrong", ["锟斤拷锟斤拷,1月\n锟斤拷,3\n", "é«˜æ–°åŒº,1\nçº¢æ——åŒº,2\n"])
def test_t05_text_that_decodes_to_nonsense_is_not_used(tmp_path, wrong):
    r = read(text(tmp_path / "a.csv", wrong))
    assert severity(r, "mojibake") == "error" and r.observations.empty and r.cells.empty


def test_t06_an_old_workbook_with_garbled_strings_is_read_by_the_second_reader(
    tmp_path, monkeypatch
):
    from zcqlib import reports
    from zcqlib.reports import books

    path = old_workbook(tmp_path / "a.xls", ROWS)
    assert same(read(path)).problems.empty
    garbled = [Sheet("Sheet1", [["E\x11lm9", 5]])]
    monkeypatch.setattr(books, "_xlrd", lambda raw, budget: garbled)
    context = replace(JUNE, catalog=catalogs.load())
    r = same(reports._read_here(path, context))
    assert severity(r, "second_reader") == "warning"
    garbled = [Sheet("Sheet1", [["\x02\x03", 5]])]
    monkeypatch.setattr(books, "_calamine", lambda raw, budget: garbled)
    r = reports._read_here(path, context)
    assert severity(r, "mojibake") == "error" and r.cells.empty


@pytest.mark.parametrize("name", ["a.xls", "b.xlsx", "c.csv"])
def test_t07_html_under_another_name_is_read_as_html(tmp_path, name):
    r = same(read(text(tmp_path / name, HTML, "gbk")))
    assert severity(r, "extension_mismatch") == "info" and r.info["kind"] == "html"


def test_t07_rowspan_and_colspan_make_groups(tmp_path):
    page = (
        "<table><tr><td rowspan=2>园区</td><td colspan=2>专利申请量（件）</td></tr><tr><td>2018年5月</td>"
        "<td>2018年6月</td></tr><tr><td>高新区</td><td>10</td><td>12</td></tr><tr><td>红旗区</td><td>3</td><td>4</td>"
        "</tr></table>"
    )
    same(read(text(tmp_path / "a.html", page)))


def test_t08_a_name_that_says_xls_over_other_contents(tmp_path):
    workbook(tmp_path / "a.xlsx", ROWS).rename(tmp_path / "a.xls")
    assert same(read(tmp_path / "a.xls")).info["kind"] == "xlsx"
    assert same(read(text(tmp_path / "b.xls", spreadsheet_xml(ROWS)))).info["kind"] == "xml"
    mail = (
        'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n--x\nContent-Type: text/html; '
        f'charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{HTML.replace("gbk", "utf-8")}\n--x--\n'
    )
    assert same(read(text(tmp_path / "c.xls", mail))).info["kind"] == "mhtml"
    assert same(read(text(tmp_path / "d.xls", SIMPLE.replace(",", "\t")))).info["kind"] == "text"


def test_t09_tables_of_a_word_report_are_sheets_and_their_caption_is_the_title(tmp_path):
    docx = pytest.importorskip("docx")
    d = docx.Document()
    d.add_paragraph("上半年工作有力，联系电话 0373-1234567。")
    for caption, rows in (
        (
            "表1 2018年6月专利申请量（件）",
            [["园区", "本月"], ["高新区", "12"], ["园区", "本月"], ["红旗区", "4"]],
        ),
        (
            "表2 2018年6月技术合同成交额（万元）",
            [["园区", "本月"], ["高新区", "1,200"], ["红旗区", "80"]],
        ),
    ):
        d.add_paragraph(caption)
        t = d.add_table(len(rows), 2)
        for i, row in enumerate(rows):
            for j, v in enumerate(row):
                t.cell(i, j).text = v
    d.save(tmp_path / "月报.docx")
    r = read(tmp_path / "月报.docx")
    got = {
        (o.sheet, o.region, o.indicator, str(o.end)): o.value for o in r.observations.itertuples()
    }
    assert got == {
        ("表1", "gaoxin", "patent_applications", "2018-06"): 12,
        ("表1", "hongqi", "patent_applications", "2018-06"): 4,
        ("表2", "gaoxin", "tech_contract_value", "2018-06"): 1200,
        ("表2", "hongqi", "tech_contract_value", "2018-06"): 80,
    }
    assert set(
        r.cells.loc[(r.cells["sheet"] == "表1") & r.cells["cell"].isin(["A3", "B3"]), "outcome"]
    ) == {"label"}


def test_t10_a_password_is_not_tried_but_sheet_protection_does_not_stop(tmp_path):
    from msoffcrypto.format.ooxml import OOXMLFile

    plain = workbook(tmp_path / "a.xlsx", ROWS)
    locked = tmp_path / "b.xlsx"
    with plain.open("rb") as f, locked.open("wb") as out:
        OOXMLFile(f).encrypt("geheim", out)
    r = read(locked)
    assert severity(r, "encrypted") == "error" and r.observations.empty
    same(made(tmp_path, ROWS, name="c.xlsx", change=lambda b, s: s.protection.enable()))


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_t11_a_cut_workbook_is_refused_whole(tmp_path, cut):
    raw = workbook(tmp_path / "a.xlsx", ROWS).read_bytes()
    (tmp_path / "a.xlsx").write_bytes(raw[: int(len(raw) * cut)])
    r = read(tmp_path / "a.xlsx")
    assert severity(r, "corrupt") == "error" and r.observations.empty and r.cells.empty


def test_t11_a_cut_old_workbook_is_refused_whole(tmp_path):
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 700)
    r = read(tmp_path / "a.xls")
    assert severity(r, "corrupt") == "error" and r.observations.empty


def replaced(path, name, change):
    """The workbook with one part changed."""
    with zipfile.ZipFile(path) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    parts[name] = change(parts[name])
    return packed(path, parts)


def test_t12_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = packed(
        tmp_path / "a.xlsx",
        {"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": b" " * 230 * 2**20},
    )
    assert severity(read(path), "too_large") == "error"
    many = packed(
        tmp_path / "b.xlsx", {"xl/workbook.xml": b"<a/>"} | {f"x/{i}": b"" for i in range(2001)}
    )
    assert "too_large" in codes(read(many))


def test_t12_a_zip_that_lies_about_its_size_is_refused(tmp_path):
    path = packed(
        tmp_path / "a.xlsx",
        {"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": b" " * 30 * 2**20},
    )
    raw = path.read_bytes()
    path.write_bytes(raw.replace((30 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    r = read(path)
    assert codes(r) & {"too_large", "corrupt"} and r.observations.empty


def test_t12_entities_are_never_resolved(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ROWS)
    replaced(
        path,
        "xl/worksheets/sheet1.xml",
        lambda x: x.replace(
            b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet', 1
        ),
    )
    r = read(path)
    assert "too_large" in codes(r) and r.observations.empty
    bad = spreadsheet_xml(ROWS).replace(
        "<?mso-application",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><?mso-application',
    )
    assert "too_large" in codes(read(text(tmp_path / "b.xml", bad)))


def test_t13_formats_far_down_cost_nothing(tmp_path):
    from openpyxl.styles import PatternFill

    def fill(book, sheet):
        for r in range(900_000, 900_050):
            sheet.cell(r, 1).fill = PatternFill("solid", fgColor="FFFF00")
        sheet.cell(1_048_576, 16_384).fill = PatternFill("solid", fgColor="FFFF00")

    workbook(tmp_path / "a.xlsx", ROWS, change=fill)
    r = same(read(tmp_path / "a.xlsx"))
    assert len(r.cells) == 10


def test_t14_a_figure_far_away_is_refused_and_does_not_bring_the_process_down(tmp_path):
    r = made(tmp_path, ROWS, change=lambda b, s: s.cell(1_048_576, 16_384, 5))
    assert severity(r, "too_large") == "error" and "2000" in r.problems["message"].iloc[0]
    path = workbook(tmp_path / "b.xlsx", ROWS)
    replaced(
        path,
        "xl/worksheets/sheet1.xml",
        lambda x: x.replace(
            b"</sheetData>",
            b"<row r='1048576'><c s='0' r='XFD1048576' ><v>5</v></c></row></sheetData>",
        ),
    )
    assert "too_large" in codes(read(path))


def test_t14_too_many_real_rows_are_refused_with_the_limit(tmp_path):
    r = read(text(tmp_path / "a.csv", "企业,值\n" + "甲,1\n" * 200_001))
    assert severity(r, "too_large") == "error" and "200000" in r.problems["message"].iloc[0]
    wide = read(text(tmp_path / "b.csv", "园区," + ",".join(["1"] * 2_001)))
    assert severity(wide, "too_large") == "error"


def test_t15_external_links_are_not_followed_and_the_stored_value_says_so(tmp_path):
    path = workbook(tmp_path / "a.xlsm", ROWS)
    replaced(
        path,
        "xl/worksheets/sheet1.xml",
        lambda x: x.replace(
            b'<c r="C3" t="n"><v>12</v></c>', b'<c r="C3"><f>[1]Sheet1!B2</f><v>12</v></c>'
        ),
    )
    r = same(read(path))
    assert severity(r, "external_link") == "info"


def test_t16_temporary_and_empty_files_are_skipped(tmp_path):
    (tmp_path / "~$6月报表.xlsx").write_bytes(b"x" * 165)
    (tmp_path / "空.csv").write_bytes(b"")
    assert severity(read(tmp_path / "~$6月报表.xlsx"), "not_a_report") == "info"
    assert severity(read(tmp_path / "空.csv"), "empty_file") == "warning"
    with pytest.raises(FileNotFoundError):
        read_report(tmp_path / "没有.csv")


def test_t17_ragged_rows_keep_their_width(tmp_path):
    r = same(
        read(
            text(
                tmp_path / "a.csv",
                "数据库：月报\n指标：专利申请量(件)\n园区,2018年5月,2018年6月\n高新区,10,12\n红旗区,3,4\n"
                "注：1.口径调整,自2018年1月起,含3家\n",
            )
        )
    )
    assert outcome(r, "C6") == "context"


def test_t18_a_row_longer_than_the_header_is_kept_as_a_problem(tmp_path):
    r = read(
        text(
            tmp_path / "a.csv",
            "园区,技术合同成交额(万元)\n红旗区,80\n高新区,1,234,567\n牧野区,90\n",
        )
    )
    assert severity(r, "row_too_long") == "error"
    assert {(o.region, o.value) for o in r.observations.itertuples()} == {
        ("hongqi", 80.0),
        ("muye", 90.0),
    }
    assert {outcome(r, c) for c in ("B3", "C3", "D3")} == {"problem"}


@pytest.mark.parametrize("separator", [";", "\t", "，"])
def test_t19_other_separators_and_line_ends(tmp_path, separator):
    r = same(read(text(tmp_path / "a.txt", SIMPLE.replace(",", separator).replace("\n", "\r"))))
    assert r.info["separator"] == separator


@pytest.mark.parametrize(
    "danger", ['=HYPERLINK("http://x")', "+1区", "@x", "\tx", "＝1+1", "－x", "＋x", "＠x"]
)
def test_t90_text_that_a_spreadsheet_would_run_goes_out_with_an_apostrophe(tmp_path, danger):
    r = made(
        tmp_path,
        [["指标：专利申请量(件)"], ["园区", "2018年6月"], ["高新区", -5], [danger, 3]],
        change=lambda b, s: setattr(s["A4"], "data_type", "s"),
    )
    write_reading([r], tmp_path / "out")
    back = pd.read_csv(tmp_path / "out" / "observations.csv", dtype=str, keep_default_na=False)
    assert set(back.loc[back["cell"] == "B3", "value"]) == {"-5.0"} and set(
        back.loc[back["cell"] == "B3", "value_raw"]
    ) == {"-5"}
    raws = [
        v
        for frame in ("observations", "problems")
        for v in pd.read_csv(tmp_path / "out" / f"{frame}.csv", dtype=str, keep_default_na=False)
        .to_numpy()
        .ravel()
    ]
    assert not [v for v in raws if v.startswith(("=", "+", "@", "\t", "＝", "＋", "－", "＠"))]


def test_t90_what_is_written_can_be_read_again_and_has_the_columns_of_the_tables(tmp_path):
    from zcqlib import tables

    write_reading([made(tmp_path, ROWS)], tmp_path / "out")
    assert (tmp_path / "out" / "cells.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for name, table in (
        ("observations", tables.OBSERVATIONS),
        ("problems", tables.PROBLEMS),
        ("cells", tables.CELLS),
    ):
        assert list(pd.read_csv(tmp_path / "out" / f"{name}.csv")) == table.names
    back = pd.read_csv(tmp_path / "out" / "observations.csv")
    assert set(back["start"]) == {"2018-05", "2018-06"}


def test_t91_scripts_in_html_are_not_text(tmp_path):
    r = same(read(text(tmp_path / "a.html", HTML.replace("gbk", "utf-8"))))
    everything = " ".join(r.observations.astype(str).to_numpy().ravel())
    assert "9999" not in everything and "onclick" not in everything


def test_t92_a_sheet_name_is_text_and_never_a_path(tmp_path):
    from openpyxl.workbook.child import INVALID_TITLE_REGEX  # noqa: F401  the library refuses such names by itself

    path = workbook(tmp_path / "a.xlsx", ROWS)
    replaced(path, "xl/workbook.xml", lambda x: x.replace(b'name="Sheet1"', b'name="../../x"'))
    r = same(read(path))
    assert set(r.observations["sheet"]) == {"../../x"}
    write_reading([r], tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        "a.xlsx",
        "cells.csv",
        "observations.csv",
        "out",
        "problems.csv",
    ]


def test_t93_the_person_who_filled_in_the_form_is_context_only(tmp_path):
    r = same(made(tmp_path, [*ROWS, ["填表人：王小明", "", "联系电话：13712345678"]]))
    assert outcome(r, "A5") == outcome(r, "C5") == "context"
    write_reading([r], tmp_path / "out")
    assert not any(
        "王小明" in p.read_text("utf-8") or "13712345678" in p.read_text("utf-8")
        for p in (tmp_path / "out").iterdir()
    )
    assert "王小明" not in summary(r)


def test_the_summary_adds_up_and_names_problems_errors_first(tmp_path):
    r = made(tmp_path, [*ROWS, ["牧野区", "≥35", 5]])
    lines = summary(r).splitlines()
    assert "相符" in lines[0] and "不相符" not in lines[0] and "Sheet1 / B5" in lines[1]


def test_reading_without_a_context_takes_the_month_from_the_file(tmp_path):
    r = made(
        tmp_path, [["园区", "专利申请量（件）"], ["高新区", 12]], None, name="2018年6月报表.xlsx"
    )
    assert str(at(r, "B2")["end"]) == "2018-06" and str(r.info["published"]) == "2018-06"
    assert (
        read_report(tmp_path / "2018年6月报表.xlsx", Context(demo=True)).observations["demo"].all()
    )


def test_an_open_document_is_read(tmp_path):
    assert same(read(open_document(tmp_path / "a.ods", ROWS))).info["kind"] == "ods"


def test_a_workbook_of_another_office_is_read_by_content(tmp_path):
    assert same(read(old_workbook(tmp_path / "a.et", ROWS))).problems.empty
    assert same(read(workbook(tmp_path / "b.xlsx", ROWS).rename(tmp_path / "b.et"))).problems.empty


def test_bytes_of_no_kind_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(bytes(range(256)) * 40)
    assert "corrupt" in codes(read(tmp_path / "a.xlsx"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("readme.txt", "x")
    (tmp_path / "b.xlsx").write_bytes(buffer.getvalue())
    assert "corrupt" in codes(read(tmp_path / "b.xlsx", JUNE))
