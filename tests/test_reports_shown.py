"""What a person sees in a cell is what is read, in every format, or the figure is held back with a problem."""

import zipfile
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from reports_made import JUNE, add_up, packed, spreadsheet_xml, text

from zcqlib import catalog as catalogs
from zcqlib.reports import _read_here
from zcqlib.reports.files import open_file
from zcqlib.reports.shown import seen, told

HEAD = ["指标", "计量单位", "2018年6月"]


def read(path):
    """In this process: the reading process has tests of its own."""
    return add_up(_read_here(path, replace(JUNE, catalog=catalogs.load())))


def figures(reading) -> list:
    return reading.observations["value"].tolist()


# worked out by hand from what a spreadsheet displays
TAKEN = [
    (12345678, "0!.0,", 1234.6, "1234.6"),
    (12345678, r"0\.0,", 1234.6, "1234.6"),
    (12345678, '0"."0,', 1234.6, "1234.6"),
    (150000000, "0.00,,", 150.0, "150.00"),
    (1234567, "#,##0,", 1235.0, "1,235"),
    (-1234567, "#,##0,;-#,##0,", -1235.0, "-1,235"),
    (12345678, "[>=10000]0!.0,;0", 1234.6, "1234.6"),
    (999, "[>=10000]0!.0,;0", 999, "999"),
    (12.5, '0.00"亿元"', "12.5亿元", "12.50亿元"),
    (12.5, '_ 0.00" 亿元 "_ ', "12.5亿元", "12.50 亿元"),
    (2.35, r"0.00\%", "2.35%", "2.35%"),
    (2.35, '0.00"%"', "2.35%", "2.35%"),
    (2.35, "0.00!%", "2.35%", "2.35%"),
    (0.0235, "0.00%", 0.0235, "2.35%"),
    (12345678, '0!.0,"万元"', "1234.6万元", "1234.6万元"),
    (12345678, '0!.0,"万"', 12345678, "1234.6万"),  # but another writing of the same number
    (9, '0"月"', "9月", "9月"),
    (1234.5, "#,##0.00", 1234.5, "1,234.50"),
    (1.005, "0.00", 1.005, "1.01"),
    (0.125, "0.00", 0.125, "0.13"),
    (-1234.5, "#,##0.0;[Red]#,##0.0", -1234.5, "1,234.5"),
    (-5, "0_);(0)", -5, "(5)"),
    (0, '_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ', 0, "-"),
    (5.5, "￥#,##0.00", 5.5, "￥5.50"),
    (3, "000", 3, "003"),
    (120, 'General"家"', "120家", "120家"),
    (120, "General", 120, "120"),
    (1234, "0.00E+00", 1234, "1234"),
    (0.5, "#.00", 0.5, ".50"),
    (0.0000001, "General", 0.0000001, "1e-07"),
    (6340.5, r"###\ ##0.00", 6340.5, "6 340.50"),
    (5, "[<=5]0;[Red]0", 5, "5"),
]


@pytest.mark.parametrize(("value", "code", "row", "shown"), TAKEN)
def test_a_number_is_read_as_its_format_shows_it(value, code, row, shown):
    found = seen(float(value), code)
    assert (found.row, found.text, found.held) == (row, shown, "")
    assert found.other == (found.row != value)


@pytest.mark.parametrize(
    ("value", "code"),
    [(5, ";;;"), (0, "0;-0;;@"), (0, "#,###"), (-5, "0;0"), (5, "-0"), (5, '"—"')]
    + [(12, '"1"0'), (12, '0"0000"'), (150000000, '0"亿"0000"万"'), (7, '"保密"'), (5, '"No."0')]
    + [(1234567, "000-0000"), (201806, '0"年"00"月"')],
)
def test_a_number_that_its_format_hides_or_makes_another_is_held(value, code):
    found = seen(float(value), code)
    assert found.held and found.row == value


@pytest.mark.parametrize(
    ("value", "text", "percent", "row"),
    [
        (990000000, "9.90", False, 9.9),
        (0.0235, "2.35%", True, 0.0235),
        (12.345, "12.35", False, 12.345),
        (1234.5, "1,234.5", False, 1234.5),
        (12.5, "12.50亿元", False, "12.5亿元"),
        (-3, "-3", False, -3),
        (0, "-", False, 0),
        (6340.5, "6 340.50", False, 6340.5),
        (150000000, "1.50E+08", False, 150000000),
    ],
)
def test_a_number_beside_its_displayed_text_is_read_as_displayed(value, text, percent, row):
    assert told(float(value), text, percent)[::3] == (row, "")


@pytest.mark.parametrize(("value", "text"), [(120, "135"), (5, ""), (-5, "5"), (120, "壹佰贰拾")])
def test_a_displayed_text_of_another_number_is_held(value, text):
    assert told(float(value), text, False).held


def book(path, *rows, look=None):
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (HEAD, *rows):
        sheet.append(row)
    if look:
        look(sheet)
    made.save(path)
    return path


def test_scaled_cells_of_a_workbook_are_read_as_shown_and_said_once(tmp_path):
    def look(sheet):
        sheet["C2"].number_format, sheet["C3"].number_format = "0!.0,", "0.00,,"

    r = read(
        book(
            tmp_path / "a.xlsx",
            ["R&D经费支出", "万元", 12345678],
            ["引进市外资金", "亿元", 1.5e8],
            look=look,
        )
    )
    assert figures(r) == [1234.6, 1_500_000.0] and r.observations["shown"].tolist() == [
        "1234.6",
        "150.00",
    ]
    told = r.problems[["code", "severity", "cell", "count"]].values.tolist()
    assert told == [["shown_scaled", "info", "C2:C3", 2]]


def test_a_hidden_figure_is_held_with_its_cell(tmp_path):
    r = read(
        book(
            tmp_path / "a.xlsx",
            ["专利申请量", "件", 120],
            ["专利授权量", "件", 50],
            look=lambda s: setattr(s["C2"], "number_format", ";;;"),
        )
    )
    assert r.observations["flags"].tolist() == ["held", ""]
    assert r.problems[["code", "severity", "cell"]].values.tolist() == [
        ["shown_differs", "error", "C2"]
    ]


def test_zeros_that_a_sheet_does_not_show_are_held(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        ["专利申请量", "件", 0],
        ["专利授权量", "件", 50],
        look=lambda s: setattr(s.sheet_view, "showZeros", False),
    )
    assert read(path).observations["flags"].tolist() == ["held", ""]


STRUCK, RAISED = InlineFont(strike=True), InlineFont(vertAlign="superscript")


@pytest.mark.parametrize("shared", [True, False])
def test_struck_and_raised_runs_of_a_workbook_are_no_part_of_the_figure(tmp_path, shared):
    path = book(
        tmp_path / "a.xlsx",
        ["专利申请量", "件", CellRichText(TextBlock(STRUCK, "120"), "135")],
        ["专利授权量", "件", CellRichText("50", TextBlock(RAISED, "1"))],
        [CellRichText("孵化面积(万m", TextBlock(RAISED, "2"), ")"), "", 3.5],
    )
    if shared:  # the same strings in the part that sheets share
        with zipfile.ZipFile(path) as z:
            parts = {i.filename: z.read(i) for i in z.infolist()}
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        strings = []
        while "<is>" in sheet:
            head, _, rest = sheet.partition("<is>")
            item, _, tail = rest.partition("</is>")
            sheet = head + f"<v>{len(strings)}</v>" + tail
            strings.append(item)
        parts["xl/worksheets/sheet1.xml"] = sheet.replace('t="inlineStr"', 't="s"').encode()
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        items = "".join(f"<si>{s}</si>" for s in strings)
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{space}">{items}</sst>'.encode()
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
            b"</Types>",
            b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
            b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
        )
        rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
            b"</Relationships>",
            f'<Relationship Id="rId99" Type="{rels}" Target="sharedStrings.xml"/></Relationships>'.encode(),
        )
        packed(path, parts)
    r = read(path)
    assert figures(r)[:2] == [135.0, 50.0]
    flags = r.observations["flags"].tolist()
    assert "struck" in flags[0] and "note:1" in flags[1]
    assert open_file(path).sheets[0].rows[3][0] == "孵化面积(万m²)"


def test_a_figure_struck_out_as_a_whole_waits(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        ["专利申请量", "件", 120],
        ["专利授权量", "件", 50],
        look=lambda s: setattr(s["C2"], "font", openpyxl.styles.Font(strike=True)),
    )
    flags = read(path).observations["flags"].tolist()
    assert {"struck", "held"} <= set(flags[0].split(";")) and flags[1] == ""


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def run(text, look=""):
    return f"<w:r><w:rPr>{look}</w:rPr><w:t>{text}</w:t></w:r>"


def cell(content, look=""):
    inside = content if content.startswith("<w:") else run(content)
    return f"<w:tc><w:tcPr>{look}</w:tcPr><w:p>{inside}</w:p></w:tc>"


def document(path, *rows, styles="", before="2018年6月主要指标"):
    body = "".join(
        "<w:tr>"
        + "".join(c if c.startswith(("<w:tc>", "<w:sdt>")) else cell(c) for c in row)
        + "</w:tr>"
        for row in (("指标", "计量单位", "2018年6月", "2018年5月"), *rows)
    )
    return packed(
        path,
        {
            "word/document.xml": f"<w:document {W}><w:body><w:p>{run(before)}</w:p><w:tbl>{body}</w:tbl>"
            "</w:body></w:document>",
            "word/styles.xml": f"<w:styles {W}>{styles}</w:styles>",
        },
    )


def control(inside, look=""):
    return f"<w:sdt><w:sdtPr>{look}</w:sdtPr><w:sdtContent>{inside}</w:sdtContent></w:sdt>"


STYLES = (
    '<w:style w:styleId="old"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:styleId="older"><w:basedOn w:val="old"/></w:style>'
    '<w:style w:styleId="secret"><w:rPr><w:vanish/></w:rPr></w:style>'
)


@pytest.mark.parametrize(
    "content",
    [
        run("900", "<w:strike/>") + run("915"),
        run("900", "<w:dstrike/>") + run("915"),
        run("900", '<w:rStyle w:val="older"/>') + run("915"),
        run("900", '<w:rStyle w:val="secret"/>') + run("915"),
        run("900", "<w:vanish/>") + run("915"),
        f"<w:moveFrom>{run('900')}</w:moveFrom><w:moveTo>{run('915')}</w:moveTo>",
        "<w:del><w:r><w:delText>900</w:delText></w:r></w:del><w:ins>" + run("915") + "</w:ins>",
        run("915") + run("1", '<w:vertAlign w:val="superscript"/>'),
        run("915", '<w:strike w:val="0"/>'),
        control(run("915")),
        control(run("请填写", ""), "<w:showingPlcHdr/>") + run("915"),
    ],
)
def test_word_text_that_is_not_displayed_is_not_read(tmp_path, content):
    row = ("专利申请量", "件", cell(content), "800")
    r = read(document(tmp_path / "a.docx", row, styles=STYLES))
    assert figures(r) == [915.0, 800.0]


@pytest.mark.parametrize("which", [(2,), (3,), (0, 1, 2, 3)])
def test_content_controls_around_cells_move_nothing(tmp_path, which):
    row = [cell(c) for c in ("专利申请量", "件", "120", "90")]
    for i in which:
        row[i] = control(row[i])
    assert figures(read(document(tmp_path / "a.docx", row))) == [120.0, 90.0]


def test_an_empty_form_is_an_empty_cell(tmp_path):
    row = ("专利申请量", "件", control(cell("单击此处输入"), "<w:showingPlcHdr/>"), "90")
    r = read(document(tmp_path / "a.docx", row))
    assert r.observations[["value", "cell"]].values.tolist() == [[90.0, "D2"]]


def test_two_lines_in_a_cell_are_never_one_number(tmp_path):
    two = run("120") + "<w:r><w:br/></w:r>" + run("135")
    word = read(document(tmp_path / "a.docx", ("专利申请量", "件", two, "90")))
    excel = read(
        book(tmp_path / "a.xlsx", ["专利申请量", "件", "120\n135"], ["专利授权量", "件", 90])
    )
    assert figures(word) == figures(excel) == [90.0]


@pytest.mark.parametrize(
    "content",
    [
        "<s>900</s>915",
        "<del>900</del><ins>915</ins>",
        "<span style='text-decoration: line-through'>900</span>915",
        "<span class='old'>900</span>915",
        "915<sup>1</sup>",
        "915<span style='vertical-align:super;font-size:70%'>1</span>",
        "<span style='display:none'>900</span>915",
        "<span hidden>900</span>915",
        "<font class='gone'>900</font>915",
        "915<!-- 900 -->",
    ],
)
def test_web_text_that_is_not_displayed_is_not_read(tmp_path, content):
    style = "<style>.old {text-decoration:line-through} .gone,.x {visibility:hidden}</style>"
    page = (
        f"<html><head><meta charset='utf-8'>{style}</head><body><h2>2018年6月</h2><table><tr><td>指标</td>"
        f"<td>计量单位</td><td>本月</td></tr><tr><td>专利<br>申请量</td><td>件</td><td>{content}</td></tr>"
        "<tr style='display:none'><td>旧指标</td><td>件</td><td>7</td></tr></table></body></html>"
    )
    r = read(text(tmp_path / "a.html", page))
    assert r.observations[["indicator", "value"]].values.tolist() == [
        ["patent_applications", 915.0]
    ]


def test_a_table_in_a_cell_of_another_is_a_table_of_its_own(tmp_path):
    inner = "<table><tr><td>园区</td><td>本月</td></tr><tr><td>高新区</td><td>12</td></tr></table>"
    page = f"<table><tr><td>2018年6月专利申请量（件）</td></tr><tr><td>{inner}</td></tr></table>"
    r = read(text(tmp_path / "a.html", page))
    assert r.observations[["region", "value", "sheet"]].values.tolist() == [["gaoxin", 12.0, "表2"]]


def ods(path, cells, styles=""):
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(
        f'xmlns:{p}="{space}{n}:1.0"'
        for p, n in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"))
    )
    rows = "".join(
        f"<table:table-row><table:table-cell office:value-type='string'><text:p>{name}</text:p></table:table-cell>"
        f"<table:table-cell office:value-type='string'><text:p>{unit}</text:p></table:table-cell>{c}</table:table-row>"
        for name, unit, c in [
            (
                "指标",
                "计量单位",
                "<table:table-cell office:value-type='string'><text:p>2018年6月</text:p></table:table-cell>",
            ),
            *cells,
        ]
    )
    return packed(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f"<office:document-content {names}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body><office:spreadsheet><table:table table:name='报表'>{rows}"
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        },
    )


def ods_value(kind, value, shown):
    return (
        f"<table:table-cell office:value-type='{kind}' office:value='{value}'><text:p>{shown}</text:p>"
        "</table:table-cell>"
    )


def test_an_open_document_is_read_as_it_is_shown(tmp_path):
    struck = "<style:style style:name='T1'><style:text-properties style:text-line-through-style='solid'/></style:style>"
    up = "<style:style style:name='T2'><style:text-properties style:text-position='super 58%'/></style:style>"
    span = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    r = read(
        ods(
            tmp_path / "a.ods",
            [
                ("研发经费占比", "%", ods_value("percentage", 0.0235, "2.35%")),
                ("引进市外资金", "亿元", ods_value("float", 990000000, "9.90")),
                (
                    "专利申请量",
                    "件",
                    span.format("<text:span text:style-name='T1'>900</text:span>915"),
                ),
                (
                    "专利授权量",
                    "件",
                    span.format("50<text:span text:style-name='T2'>1</text:span>"),
                ),
                ("有效发明专利", "件", ods_value("float", 7, "8")),
            ],
            struck + up,
        )
    )
    assert figures(r) == [2.35, 99000.0, 915.0, 50.0, 7.0]
    assert [("held" in f) for f in r.observations["flags"]] == [False] * 4 + [True]


def test_an_xml_spreadsheet_has_formats_struck_text_and_merged_cells(tmp_path):
    made = spreadsheet_xml(
        [
            ["指标", "计量单位", "x", "2018年6月"],
            ["引进市外资金", "亿元", "y", 1.5e8],
            ["专利申请量", "件", "z", "900"],
        ]
    )
    styles = '<Styles><Style ss:ID="s1"><NumberFormat ss:Format="0.00,,"/></Style></Styles><Worksheet ss:Name="Sheet1">'
    made = made.replace('<Worksheet ss:Name="Sheet1">', styles, 1)
    made = made.replace(
        '<Cell><Data ss:Type="Number">', '<Cell ss:StyleID="s1"><Data ss:Type="Number">'
    )
    for column in "xyz":  # the unit takes two columns
        made = made.replace(f'<Cell><Data ss:Type="String">{column}</Data></Cell>', "")
    for unit in ("计量单位", "亿元", "件"):
        made = made.replace(
            f'<Cell><Data ss:Type="String">{unit}<',
            f'<Cell ss:MergeAcross="1"><Data ss:Type="String">{unit}<',
        )
    made = made.replace(
        ">900<", ' xmlns:h="http://www.w3.org/TR/REC-html40"><h:S>900</h:S>915<h:Sup>2</h:Sup><'
    )
    r = read(text(tmp_path / "a.xml", made))
    assert r.observations[["value", "cell"]].values.tolist() == [[1_500_000.0, "D2"], [915.0, "D3"]]


def test_numbers_beyond_all_bounds_are_errors_of_their_cells(tmp_path):
    path = book(tmp_path / "a.xlsx", ["专利申请量", "件", 120], ["专利授权量", "件", 50])
    with zipfile.ZipFile(path) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v>120<", b"<v>1e999<")
    r = read(packed(path, parts))
    assert pd.notna(r.observations["value"]).sum() == 1
    assert r.problems.loc[r.problems["cell"] == "C2", "severity"].tolist() == ["error"]
