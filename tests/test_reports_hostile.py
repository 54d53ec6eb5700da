"""Files that would harm a careless reader: each is refused with its own code, in bounded memory, and none stops the next."""

import json
import os
import random
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from bench_read import large
from report_changes import table, write
from reports_made import (
    add_up,
    codes,
    made,
    old_workbook,
    packed,
    page,
    read,
    spreadsheet_xml,
    text,
    workbook,
)

from zcqlib import catalog as catalogs
from zcqlib.reports import (
    Context,
    _read_here,
    harmless,
    read_report,
    summary,
    worker,
    write_reading,
)

ROWS = [
    ["专利申请量（件）"],
    ["园区", "2018年5月", "2018年6月"],
    ["高新区", 10, 12],
    ["红旗区", 3, 4],
]
CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
from zcqlib.reports import read_report, worker
for path in sys.argv[1:]:
    r = read_report(path)
    print(json.dumps([path, sorted(set(r.problems["code"])), r.info["cells"]]), flush=True)
worker.stop()
both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
print(json.dumps(max(resource.getrusage(who).ru_maxrss for who in both) / 1024))
"""


def part(path, name, change):
    """The workbook with one part changed."""
    with zipfile.ZipFile(path) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    return packed(path, parts | {name: change(parts[name])})


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'


def far(path: Path) -> Path:
    return workbook(path, ROWS, change=lambda b, s: s.cell(1_048_576, 16_384, 5))


def far_in_another_hand(path: Path) -> Path:
    return part(
        workbook(path, ROWS),
        SHEET,
        lambda x: x.replace(
            b"</sheetData>",
            b"<row r='1048576'><c s='0' r='XFD1048576' ><v>5</v></c></row></sheetData>",
        ),
    )


def far_in_a_spare_part(path: Path) -> Path:
    with zipfile.ZipFile(workbook(path, ROWS)) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    return packed(
        path,
        parts
        | {
            "xl/worksheets/sheet9.xml": b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>5</v></c>'
            b"</row></sheetData></worksheet>"
        },
    )


def zip_bomb(path: Path) -> Path:
    return packed(path, {"xl/workbook.xml": b"<a/>", SHEET: b" " * 230 * 2**20})


def many_parts(path: Path) -> Path:
    return packed(path, {"xl/workbook.xml": b"<a/>"} | {f"x/{i}": b"" for i in range(2_001)})


def lying_zip(path: Path) -> Path:
    raw = packed(path, {"xl/workbook.xml": b"<a/>", SHEET: b" " * 30 * 2**20}).read_bytes()
    path.write_bytes(raw.replace((30 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    return path


def entities(path: Path) -> Path:
    return part(
        workbook(path, ROWS), SHEET, lambda x: x.replace(b"<worksheet", LAUGHS + b"<worksheet", 1)
    )


def entities_in_strings(path: Path) -> Path:
    return part(
        write(table(random.Random(1)), path.parent, "xlsx").rename(path),
        "xl/sharedStrings.xml",
        lambda x: x.replace(b"<sst", LAUGHS + b"<sst", 1),
    )


def entities_in_word(path: Path) -> Path:
    return packed(
        path, {"word/document.xml": b'<?xml version="1.0"?>' + LAUGHS + b"<document>&c;</document>"}
    )


def outside_entity(path: Path) -> Path:
    return text(
        path,
        spreadsheet_xml(ROWS).replace(
            "<?mso-application",
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><?mso-application',
        ),
    )


def repeated_cells(path: Path) -> Path:
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    return packed(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<a/>",
            "content.xml": f'<?xml version="1.0"?><office:document-content xmlns:office="{space}office:1.0" xmlns:table="{space}table:1.0" '
            f'xmlns:text="{space}text:1.0"><office:body><office:spreadsheet><table:table table:name="a"><table:table-row '
            'table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16000" '
            'office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell></table:table-row>'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        },
    )


def password_of_old(path: Path) -> Path:
    return old_workbook(path, ROWS, b"\x2f\x00\x36\x00\x01\x00\x01\x00" + bytes(50))


def cut(path: Path) -> Path:
    raw = workbook(path, ROWS).read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    return path


def cut_old(path: Path) -> Path:
    path.write_bytes(old_workbook(path, ROWS).read_bytes()[:1500])
    return path


def patched(path: Path, change) -> Path:
    """An old workbook with some of its bytes changed."""
    raw = bytearray(old_workbook(path, ROWS).read_bytes())
    change(raw)
    path.write_bytes(raw)
    return path


def own_sibling(path: Path) -> Path:
    """A folder entry that is its own neighbour: a reader that follows it never ends."""
    return patched(
        path,
        lambda raw: raw.__setitem__(slice(1024 + 128 + 68, 1024 + 128 + 72), b"\x01\x00\x00\x00"),
    )


def record_past_the_end(path: Path) -> Path:
    at = old_workbook(path, ROWS).read_bytes().index(b"\x03\x02\x0e\x00")
    return patched(path, lambda raw: raw.__setitem__(slice(at, at + 4), b"\xbd\x00\x00\x3f"))


def record_without_content(path: Path) -> Path:
    """The workbook's first record says that it is empty: an assumption of calamine's fails."""
    at = old_workbook(path, ROWS).read_bytes().index(b"\x09\x08\x10\x00")
    return patched(path, lambda raw: raw.__setitem__(at + 2, 0))


def sectors_of_two_bytes(path: Path) -> Path:
    return patched(path, lambda raw: raw.__setitem__(30, 1))


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def picture(path: Path) -> Path:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    return path


def too_many_rows(path: Path) -> Path:
    return text(path, "企业,值\n" + "甲,1\n" * 200_001)


def too_many_cells(path: Path) -> Path:
    return text(
        path,
        "企业,"
        + ",".join(f"2018年{m}月" for m in range(1, 13))
        + "\n"
        + ("甲," + ",".join(["1"] * 12) + "\n") * 90_000,
    )


def wide_html(path: Path) -> Path:
    return text(path, page(ROWS).replace("<td>", '<td colspan="999999999" rowspan="999999999">', 1))


HOSTILE = {
    "far.xlsx": (far, "too_large"),
    "hand.xlsx": (far_in_another_hand, "too_large"),
    "bomb.xlsx": (zip_bomb, "too_large"),
    "parts.xlsx": (many_parts, "too_large"),
    "lie.xlsx": (lying_zip, "corrupt"),
    "laughs.xlsx": (entities, "too_large"),
    "strings.xlsx": (entities_in_strings, "too_large"),
    "word.docx": (entities_in_word, "too_large"),
    "outside.xml": (outside_entity, "too_large"),
    "repeated.ods": (repeated_cells, "too_large"),
    "password.xls": (password_of_old, "encrypted"),
    "cut.xlsx": (cut, "corrupt"),
    "cut.xls": (cut_old, "corrupt"),
    "empty.csv": (empty, "empty_file"),
    "picture.xlsx": (picture, "unsupported"),
    "record.xls": (record_past_the_end, "corrupt"),
    "nothing.xls": (record_without_content, "corrupt"),
    "sectors.xls": (sectors_of_two_bytes, "corrupt"),
    "rows.csv": (too_many_rows, "too_large"),
    "cells.csv": (too_many_cells, "too_large"),
    "~$lock.xlsx": (cut, "not_a_report"),
}


def test_hostile_files_are_refused_each_with_its_code_and_in_bounded_memory(tmp_path):
    for name, (make, _) in HOSTILE.items():
        make(tmp_path / name)
    wide_html(tmp_path / "wide.html")
    far_in_a_spare_part(tmp_path / "spare.xlsx")  # which no sheet names, and nobody reads
    good = workbook(tmp_path / "good.xlsx", ROWS)
    names = [*HOSTILE, "wide.html", "spare.xlsx", good.name]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *(str(tmp_path / n) for n in names)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUTF8": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    *lines, peak = map(json.loads, done.stdout.splitlines())
    said = {Path(path).name: (found, cells) for path, found, cells in lines}
    assert {n: said[n] for n in HOSTILE} == {n: ([code], 0) for n, (_, code) in HOSTILE.items()}
    assert [said[n][1] for n in ("good.xlsx", "wide.html", "spare.xlsx")] == [10, 10, 10]
    assert peak < 1500


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "CON",
        "nul.xlsx",
        "甲" * 31,
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "a&b😀",
    ],
)
def test_names_of_sheets_are_text_and_never_a_path(tmp_path, name):
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")
    part(
        workbook(tmp_path / "a.xlsx", ROWS),
        "xl/workbook.xml",
        lambda x: x.replace(b'name="Sheet1"', f'name="{shown}"'.encode()),
    )
    r = read(tmp_path / "a.xlsx", Context())
    assert set(r.observations["sheet"]) == {name}
    write_reading([r], tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        "a.xlsx",
        "cells.csv",
        "observations.csv",
        "out",
        "problems.csv",
    ]


@pytest.mark.parametrize("name", ["CON.csv", "甲" * 80 + ".csv", "=1+1.csv", "a;b&c😀.csv"])
def test_odd_file_names_are_only_names(tmp_path, name):
    r = add_up(read_report(text(tmp_path / name, "园区,2018年6月\n高新区,5\n"), Context()))
    assert r.info["file"] == (tmp_path / name).as_posix() and name in summary(r)


def test_a_label_of_many_thousand_characters_does_no_harm(tmp_path):
    long = "（(" * 300 + "2018年" * 500 + "专" * 3_000
    r = made(
        tmp_path, [[long], ["园区", "2018年6月", long], ["高新区", 5, 6], [long, 7, 8]], Context()
    )
    assert len(r.problems["raw"].str.len()) == 0 or r.problems["raw"].str.len().max() <= 200


@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+1区",
        "-x",
        "@a",
        "\tx",
        "'=1",
        "''",
        "＝1",
        "'",
        "-5",
        "-5.2e3",
        "a",
        "",
        "−3",
        "\r\nx",
        "'-5",
    ],
)
def test_what_goes_to_csv_cannot_run_and_comes_back_exactly(tmp_path, value):
    out = harmless(value)
    assert out.removeprefix("'") == value
    if out[:1] in "=+-@\t\r＝＋－＠" and out:
        float(out)  # only a true number may begin so


def test_an_export_read_back_gives_the_tables_again(tmp_path):
    r = made(
        tmp_path,
        [
            ["指标：专利申请量(件)"],
            ["园区", "2018年6月"],
            ["高新区", -5],
            ["=HYPERLINK(1)", 3],
            ["'甲区", 4],
        ],
        Context(),
        change=lambda b, s: setattr(s["A4"], "data_type", "s"),
    )
    write_reading([r], tmp_path / "out")
    back = pd.read_csv(tmp_path / "out" / "observations.csv", dtype=str, keep_default_na=False)
    for column in ("region_raw", "indicator_raw", "value_raw", "file", "cell", "flags"):
        assert back[column].str.removeprefix("'").tolist() == r.observations[column].tolist()


def test_a_broken_file_among_good_ones_does_not_stop_the_others(tmp_path):
    good, bad = workbook(tmp_path / "a.xlsx", ROWS), cut(tmp_path / "b.xlsx")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "zcqlib",
            "read",
            str(bad),
            str(good),
            str(tmp_path / "none.xlsx"),
            "--out",
            str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "400"},
        cwd=Path(__file__).parents[1],
    )
    o = pd.read_csv(tmp_path / "out" / "observations.csv")
    p = pd.read_csv(tmp_path / "out" / "problems.csv")
    assert (
        set(o["file"]) == {good.as_posix()}
        and len(o) == 4
        and set(p["code"]) == {"corrupt", "no_file"}
    )
    assert (
        "相符" in done.stdout
        and "b.xlsx" in done.stdout
        and "none.xlsx" in done.stdout
        and done.returncode == 1
    )


def test_a_folder_of_files_without_any_figure_is_a_failure(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "zcqlib",
            "read",
            str(cut(tmp_path / "b.xlsx")),
            "--out",
            str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode != 0 and "corrupt" in codes(read(tmp_path / "b.xlsx"))
    assert (tmp_path / "out" / "problems.csv").exists()


def test_cells_far_apart_in_an_old_workbook_are_refused_before_all_between_are_laid_out(tmp_path):
    rows = [["园区", "1月"], ["高新区", 3], *[[]] * 59_997, [""] * 200 + [1.0]]
    reading = read(old_workbook(tmp_path / "远.xls", rows))
    assert codes(reading) == {"too_large"} and reading.observations.empty


@pytest.mark.parametrize("size", [(0, 2**31, 0, 3), (5, 4, 0, 3), (0, 4, 9, 3), (0, 4, 0, 60_000)])
def test_an_old_sheet_that_states_an_impossible_size_is_read_all_the_same(tmp_path, size):
    stated = b"\x00\x02\x0e\x00"
    at = old_workbook(tmp_path / "a.xls", ROWS).read_bytes().index(stated) + len(stated)
    whole = read(tmp_path / "a.xls").observations
    found = read(
        patched(
            tmp_path / "a.xls",
            lambda raw: raw.__setitem__(slice(at, at + 12), struct.pack("<IIHH", *size)),
        )
    )
    columns = ["cell", "region", "indicator", "value"]
    assert len(whole) == 4 and found.observations[columns].equals(whole[columns])


def test_an_old_workbook_that_states_more_strings_than_it_can_hold_does_not_end_the_program(
    tmp_path,
):
    reading = read(
        old_workbook(tmp_path / "a.xls", ROWS, struct.pack("<HHII", 0x00FC, 8, 1, 0x7FFFFFFF))
    )
    assert len(reading.observations) == 4 or codes(reading) == {"corrupt"}


def test_a_folder_entry_that_is_its_own_neighbour_ends_no_reader(tmp_path):
    reading = read(own_sibling(tmp_path / "a.xls"))
    assert codes(reading) == {"second_reader"} and reading.info["cells"] == 10
    assert len(reading.observations) == 4


def test_a_stream_longer_than_its_package_is_read_by_the_one_reader_that_can(tmp_path):
    at = (
        old_workbook(tmp_path / "a.xls", ROWS).read_bytes().index("Workbook".encode("utf-16-le"))
        + 120
    )
    reading = read(
        patched(
            tmp_path / "a.xls", lambda raw: raw.__setitem__(slice(at, at + 4), b"\x00\x10\x01\x00")
        )
    )
    assert len(reading.observations) == 4 and codes(reading) <= {"second_reader"}


def test_what_is_called_a_number_in_a_spreadsheet_of_2003_and_is_none_is_a_problem_of_its_cell(
    tmp_path,
):
    reading = read(text(tmp_path / "a.xml", spreadsheet_xml(ROWS).replace(">12<", ">1X2<")))
    assert len(add_up(reading).observations) == 3
    assert reading.problems.loc[reading.problems["severity"] == "error", "cell"].tolist() == ["C3"]
    broken = text(
        tmp_path / "b.xml", spreadsheet_xml(ROWS).replace("<Row>", '<Row ss:Index="x">', 1)
    )
    assert codes(read(broken)) == {"corrupt"}


def shared_string(path: Path, letters: int) -> Path:
    """One string that 200,000 cells refer to."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>0</v></c></row>' for i in range(1, 200_001))
    string = f'<sst xmlns="{space}"><si><t>{"x" * letters}</t></si></sst>'
    with zipfile.ZipFile(workbook(path, ROWS)) as z:
        parts = {i.filename: z.read(i) for i in z.infolist()}
    parts[SHEET] = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    return packed(path, parts | {"xl/sharedStrings.xml": string})


def repeated(path: Path, rows: int, columns: int, kind: str, shown: str) -> Path:
    value = f'office:value="{shown}"' if kind == "float" else ""
    packed_ = repeated_cells(path)
    with zipfile.ZipFile(packed_) as z:
        parts = {i.filename: z.read(i).decode() for i in z.infolist()}
    parts["content.xml"] = (
        parts["content.xml"]
        .replace("1048000", str(rows))
        .replace("16000", str(columns))
        .replace(
            'office:value-type="float" office:value="1"', f'office:value-type="{kind}" {value}'
        )
        .replace("<text:p>1<", f"<text:p>{shown}<")
    )
    return packed(path, parts)


def spans(path: Path, rows: int, wide: int) -> Path:
    row = f"<tr><td rowspan=500 colspan={wide}>x</td></tr>"
    return text(path, f"<table>{row * rows}</table>")


def wide_cells(path: Path, span: int, rows: int) -> Path:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>'
    body = f"<w:tbl>{f'<w:tr>{cell}</w:tr>' * rows}</w:tbl>"
    return packed(
        path,
        {
            "word/document.xml": f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
        },
    )


def big_merge(path: Path) -> Path:
    made_ = workbook(path, ROWS, merged=("A1:B1",))
    return part(made_, SHEET, lambda x: x.replace(b"A1:B1", b"A1:XFD1048576"))


TABLE = "<table><tr><td>园区</td><td>2018年6月</td></tr><tr><td>高新区</td><td>5</td></tr></table>"
COSTLY = {  # small files that ask for much; True: refused as a whole
    "shared.xlsx": (lambda p: shared_string(p, 100_000), True),
    "texts.ods": (lambda p: repeated(p, 2_499, 1_999, "string", "x"), True),
    "figures.ods": (lambda p: repeated(p, 2_499, 1_999, "float", "1.5"), True),
    "long.ods": (lambda p: repeated(p, 1_000, 1_000, "string", "x" * 5_000), True),
    "spans.html": (lambda p: spans(p, 400, 500), True),
    "tables.html": (lambda p: text(p, TABLE * 8_000), True),
    "some.html": (lambda p: text(p, TABLE * 900), False),
    "nested.html": (lambda p: text(p, "<table><tr><td>" * 300 + "x"), False),
    "deep.html": (lambda p: text(p, f"<table><tr><td>{'<div>' * 50_000}5</table>"), False),
    "grid.docx": (lambda p: wide_cells(p, 200_000_000, 5), False),
    "rows.docx": (lambda p: wide_cells(p, 1_900, 2_600), True),
    "letters.csv": (
        lambda p: text(p, "园区,2018年6月\n" + f"{'专利（(' * 25_000},5\n" * 40),
        False,
    ),
    "digits.csv": (lambda p: text(p, f"园区,2018年6月\n高新区,{'1' * 400}\n"), False),
    "merge.xlsx": (big_merge, False),
    "places.xml": (
        lambda p: text(
            p, spreadsheet_xml(ROWS).replace("<Cell>", '<Cell ss:MergeAcross="99999999">')
        ),
        True,
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_small_files_that_ask_for_much_cost_little(tmp_path, name):
    make, whole = COSTLY[name]
    path = make(tmp_path / name)
    context = Context(catalog=catalogs.load())
    start = time.process_time()
    r = _read_here(path, context)
    assert time.process_time() - start < 5
    assert (len(r.cells) == 0 and codes(r) == {"too_large"}) == whole
    assert "reader_failed" not in codes(r)
    resource = pytest.importorskip("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert peak < 1024 + 300  # this process holds the tests, too


def test_a_large_honest_table_is_given_time_and_memory_by_its_cells(tmp_path):
    """30,000 rows of 20 months take about 60 millionths of a second and 2 kB a cell, however well they are pressed."""
    size, cells = large(tmp_path / "large.xlsx", 1500).stat().st_size, 1500 * 20
    assert (worker._seconds(size) - worker.SECONDS) / cells > 90e-6
    assert worker.MEMORY_RATIO * size / cells > 3_000
