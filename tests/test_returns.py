"""The return sheet: the sender's own tables, doubtful cells marked, one line to reply for each; and its way back."""

import io
import shutil
import subprocess
import zipfile

import openpyxl
import pandas as pd
import pytest
from reports_made import add_up, packed

from zcqlib.briefing.returns import COLUMNS, return_sheet
from zcqlib.reports import Context, open_file, read_report
from zcqlib.tables import PROBLEMS, RETURN_SHEET, shape

MONTH = pd.Period("2018-06", "M")
FILE = "高新区2018年6月报表.xlsx"


def report(path):
    """A sender's workbook: title, merged header, figures, a percent, text that a spreadsheet would run."""
    book = openpyxl.Workbook()
    ws = book.active
    ws.title = "月报"
    for row in (
        ["高新区2018年6月月报（演示数据）"],
        ["指标", "本月", None],
        [None, "件数", "占比"],
        ["专利申请量", 2270, 0.125],
        ["=1+1", "'-3", "@x"],
    ):
        ws.append(row)
    ws["A5"].value, ws["A5"].data_type = "=1+1", "s"
    ws["C4"].number_format = "0.0%"
    ws.merge_cells("B2:C2")
    book.create_sheet("附表").append(["备注"])
    book.save(path / FILE)
    return path / FILE


def problem(code, severity, cell, message, **more):
    return (
        dict(
            code=code,
            severity=severity,
            file=FILE,
            sheet="月报",
            cell=cell,
            raw="2270",
            message=message,
            sender="gaoxin",
            published=MONTH,
        )
        | more
    )


PROBLEM_ROWS = [
    problem("outlier", "warning", "B4", "专利申请量为 2270件,请核实。"),
    problem("conflict", "error", "B4", "有两个数。"),
    problem("cell_error", "error", "C5", "公式出错。", raw="=HYPERLINK(1)"),
    problem("unknown_sender", "warning", "", "看不出报送单位。", sheet="", raw=""),
    problem("revised", "info", "B4", "已按新数。"),
]
EXPECTED = pd.DataFrame(
    [dict(file=FILE, sheet="月报", cell="B4", low=120.4, high=410.0, unit="件")]
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = report(tmp_path_factory.mktemp("sent"))
    books = {FILE: open_file(path).sheets}
    return return_sheet("高新区", books, shape(PROBLEM_ROWS, PROBLEMS), EXPECTED, MONTH, demo=True)


@pytest.fixture(scope="module")
def book(made):
    return openpyxl.load_workbook(io.BytesIO(made))


def lines(book):
    rows = list(book[RETURN_SHEET].iter_rows(min_row=4, values_only=True))
    return [dict(zip(rows[0], r, strict=True)) for r in rows[1:]]


def test_errors_come_first_each_with_its_place_reason_range_and_what_was_done(book):
    told = lines(book)
    assert tuple(told[0]) == COLUMNS and [r["序号"] for r in told] == [1, 2, 3, 4]
    assert [r["单元格"] or "" for r in told] == ["B4", "C5", "", "B4"]
    assert [r["问题"].split("】")[0] for r in told] == ["【错误", "【错误", "【请核对", "【请核对"]
    assert told[0]["参考范围"] == "120至410件" and told[1]["参考范围"] == "—"
    assert told[0]["目前怎样处理"] == "两个数都没有采用,等裁定"
    assert all(r["单位回复"] is None for r in told)


def test_only_the_reply_can_be_filled_in(book):
    sheet = book[RETURN_SHEET]
    assert sheet.protection.sheet
    free = {
        c.column_letter
        for row in sheet.iter_rows(min_row=5)
        for c in row
        if not c.protection.locked
    }
    assert free == {"I"}


def test_the_senders_own_table_stands_as_it_was_sent(book, tmp_path):
    own, sent = book["月报"], openpyxl.load_workbook(report(tmp_path))["月报"]
    assert book.sheetnames == [RETURN_SHEET, "月报", "附表"]
    assert [[c.value for c in row] for row in own.iter_rows()] == [
        [c.value for c in row] for row in sent.iter_rows()
    ]
    assert [str(m) for m in own.merged_cells.ranges] == ["B2:C2"]
    assert "%" in own["C4"].number_format and own["B4"].value == 2270


def test_each_doubtful_cell_is_coloured_and_commented_with_reason_and_range(book):
    own = book["月报"]
    comment = own["B4"].comment.text
    assert "第1条【错误】有两个数。" in comment and "第4条【请核对】专利申请量为 2270件" in comment
    assert "参考范围:120至410件" in comment and "请在「回复表」回复" in comment
    assert own["B4"].fill.fgColor.rgb == own["C5"].fill.fgColor.rgb == "FFF3B8A8"
    assert own["A4"].comment is None and own["A4"].fill.fill_type is None
    assert own["C5"].comment is not None


def test_no_cell_is_or_can_become_a_formula(made, book):
    assert all(c.data_type != "f" for ws in book for row in ws.iter_rows() for c in row)
    assert book["月报"]["A5"].value == "=1+1" and book["月报"]["A5"].quotePrefix
    assert lines(book)[1]["所报"] == "=HYPERLINK(1)" and book[RETURN_SHEET]["E6"].quotePrefix
    with zipfile.ZipFile(io.BytesIO(made)) as z:
        assert not [n for n in z.namelist() if b"<f>" in z.read(n)]


def test_made_up_data_says_so_and_real_data_does_not(book, tmp_path):
    assert (
        "演示数据" in book[RETURN_SHEET]["A1"].value
        and "演示数据" in book["月报"].oddHeader.center.text
    )
    plain = return_sheet("高新区", {}, shape(PROBLEM_ROWS, PROBLEMS), EXPECTED, MONTH)
    assert "演示数据" not in openpyxl.load_workbook(io.BytesIO(plain))[RETURN_SHEET]["A1"].value


def test_same_input_same_bytes(made, tmp_path):
    books = {FILE: open_file(report(tmp_path)).sheets}
    assert (
        return_sheet(
            "高新区", books, shape(PROBLEM_ROWS[::-1], PROBLEMS), EXPECTED, MONTH, demo=True
        )
        == made
    )


def test_strange_names_give_a_right_file(tmp_path):
    sheets = open_file(report(tmp_path)).sheets
    many = {f"{n}.xlsx": sheets for n in ("甲", "乙", "<&>" + "长" * 200)}
    rows = [
        problem("conflict", "error", "B4", "<&>\U0001f600\x01" + "长" * 3000, file=f) for f in many
    ]
    out = openpyxl.load_workbook(
        io.BytesIO(return_sheet("<&>" * 60, many, shape(rows, PROBLEMS), EXPECTED, MONTH))
    )
    assert out.sheetnames == [
        RETURN_SHEET,
        "月报",
        "附表",
        "月报(2)",
        "附表(2)",
        "月报(3)",
        "附表(3)",
    ]
    assert all(out[n]["B4"].comment for n in ("月报", "月报(2)", "月报(3)"))


def test_a_reply_that_comes_back_is_read_as_replies_and_never_as_figures(made, tmp_path):
    filled = openpyxl.load_workbook(io.BytesIO(made))
    filled[RETURN_SHEET]["I5"] = "以修订版为准,2270 件无误"
    filled[RETURN_SHEET]["I8"] = "  "
    path = tmp_path / "退回单_高新区_2018-06(回复).xlsx"
    filled.save(path)
    reading = add_up(read_report(path, Context(published=MONTH + 1, sender="gaoxin")))
    assert reading.observations.empty and set(reading.cells["outcome"]) == {"context"}
    assert list(zip(reading.problems["code"], reading.problems["severity"], strict=True)) == [
        ("return_sheet", "info")
    ]
    (reply,) = reading.info["replies"]
    assert reply["reply"] == "以修订版为准,2270 件无误" and (
        reply["file"],
        reply["sheet"],
        reply["cell"],
    ) == (FILE, "月报", "B4")


LEDGER = ["编号", "指标", "达到日期", "单位回复", "本月"]


@pytest.mark.parametrize(
    ("head", "column"),
    [(["序号", "问题", "单位回复"], 2), (LEDGER, 2), (LEDGER, 3), (LEDGER, 4)],
)
@pytest.mark.parametrize("result", ["", "<v>7</v>"])
def test_a_formula_without_its_result_where_something_was_filled_in_is_said(
    tmp_path, head, column, result
):
    book = openpyxl.Workbook()
    book.active.append(head)
    book.active.append(["1", "甲"])
    book.active.cell(2, column + 1, "=1+6")
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert sheet.count(b"</f><v></v>") + sheet.count(b"</f><v />") + sheet.count(b"</f><v/>") == 1
    for blank in (b"<v></v>", b"<v />", b"<v/>"):
        sheet = sheet.replace(b"</f>" + blank, b"</f>" + result.encode())
    packed(tmp_path / "a.xlsx", parts | {"xl/worksheets/sheet1.xml": sheet})
    reading = read_report(tmp_path / "a.xlsx")
    told = reading.problems.set_index("code")
    assert ("formula_without_value" in told.index) == (not result)
    if not result:
        filled = reading.info["replies"], reading.info["ledger"]
        assert "无结果" not in str(filled), "what has no result was not filled in"
        cell = told.loc["formula_without_value"]
        assert (cell["severity"], cell["cell"]) == ("error", f"{'ABCDE'[column]}2")


def test_a_report_is_not_taken_for_a_return_sheet(tmp_path):
    assert (
        read_report(report(tmp_path), Context(published=MONTH, sender="gaoxin")).info["replies"]
        is None
    )


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_it(made, tmp_path):
    (tmp_path / "r.xlsx").write_bytes(made)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    utf8 = "csv:Text - txt - csv (StarCalc):44,34,76"
    subprocess.run(
        [
            "soffice",
            "--headless",
            profile,
            "--convert-to",
            utf8,
            "--outdir",
            str(tmp_path),
            str(tmp_path / "r.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    assert "两个数都没有采用" in (tmp_path / "r.csv").read_text("utf-8")
