"""Slides, brief, ledger, orders and passport: read back, reconciled, safe against what names may hold."""

import io
import zipfile
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest
from docx import Document
from pptx import Presentation

from zcqlib import catalog as catalogs
from zcqlib import findings, ledger_reader, tables
from zcqlib.analysis import recent_means
from zcqlib.briefing import brief, ledger, pages, passport, slides
from zcqlib.briefing.passport import ReconciliationError
from zcqlib.findings import Given

NAN, PERIOD = float("nan"), pd.Period("2018-09", "M")
ODD = "=1+1&<甲>😀" + "很长的名称" * 40
NAMES = {
    "a": "专利申请总量",
    "b": "引进市外资金",
    "odd": ODD,
    "m": "一站式服务大厅",
    "gaoxin": "高新区",
    "muye": "牧野区",
    "zone": "全区",
}
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def name(id):
    return NAMES.get(id, id)


def catalog():
    ids = [target("a"), target("odd"), target("b", unit="万元", target_low=2e6)]
    ids.append(target("m", kind="milestone", comparator="done", target_low=1.0, unit="个"))
    return replace(catalogs.load(), targets=tables.shape(ids, tables.TARGETS))


def projection(indicator="a", region="zone", **changes):
    return {
        "region": region,
        "indicator": indicator,
        "year": 2018,
        "as_of": PERIOD,
        "kind": "flow",
        "unit": "件",
        "actual": 1640.0,
        "target_low": 2200.0,
        "target_high": NAN,
        "comparator": "ge",
        "median": 2140.0,
        "low": 2040.0,
        "high": 2240.0,
        "level": 0.8,
        "probability": 0.3,
        "needed_per_month": 187.0,
        "verdict": "落后",
        "method": "演示",
        "demo": True,
    } | changes


def target(id, **changes):
    return {
        "id": id,
        "name_zh": name(id),
        "group": "1",
        "kind": "flow",
        "unit": "件",
        "comparator": "ge",
        "target_low": 2200.0,
        "commitment": "firm",
        "scope": "zone",
        "responsible": "市科技局",
        "responsible_basis": "inferred",
        "relation": "",
        "year": 2018,
        "region": "zone",
        "in_force_from": pd.Period("2018-01", "M"),
        "demo": False,
    } | changes


class Tabs(SimpleNamespace):
    """The tables of a month, under their names in small letters; those not given are empty."""

    @property
    def given(self):
        held = {n: getattr(self, n.lower(), tables.empty(t)) for n, t in tables.VINTAGE.items()}
        known = catalogs.load()
        like = known.indicators["patent_applications"]
        own = {i: replace(like, id=i, name_zh=name(i)) for i in self.targets["id"]}
        plan = replace(known, targets=self.targets, indicators=known.indicators | own)
        return Given(held.__getitem__, plan, PERIOD, PERIOD)

    @property
    def asks(self):
        return findings.find("asks", self.given)


@pytest.fixture
def tabs():
    rows = [
        projection(),
        projection("odd", probability=0.5, actual=NAN),
        projection(
            "b",
            unit="万元",
            actual=1.2e6,
            target_low=2e6,
            median=1.9e6,
            low=1.7e6,
            high=2.1e6,
            probability=0.41,
        ),
        projection(
            "m",
            kind="milestone",
            comparator="done",
            target_low=1.0,
            actual=NAN,
            median=NAN,
            low=NAN,
            high=NAN,
            probability=NAN,
            unit="个",
        ),
        projection(region="gaoxin", target_low=1200.0, actual=900.0),
        projection(region="muye", target_low=1000.0, actual=740.0, probability=0.2),
    ]
    p = tables.check(tables.shape(rows, tables.PROJECTIONS), tables.PROJECTIONS)
    t = tables.shape(
        [
            target("a"),
            target("odd"),
            target("b", unit="万元", target_low=2e6),
            target("m", kind="milestone", comparator="done", target_low=1.0, unit="个"),
        ],
        tables.TARGETS,
    )
    months = pd.period_range("2016-01", "2018-09", freq="M")
    s = tables.shape(
        pd.concat(
            [
                pd.DataFrame(
                    {
                        "region": r,
                        "indicator": "a",
                        "start": months,
                        "end": months,
                        "months": 1,
                        "value": float(v),
                        "unit": "件",
                        "published": months,
                        "demo": True,
                    }
                )
                for r, v in (("gaoxin", 110), ("muye", 60))
            ]
        ),
        tables.SERIES,
    )
    ranks = tables.shape(
        [
            {
                "region": r,
                "indicator": "composite",
                "period": "2018-09",
                "measure": "score",
                "value": v,
                "unit": "分",
                "rank": k,
                "low": 1.0,
                "high": 2.0,
                "demo": True,
            }
            for r, v, k in (("gaoxin", 80.24, 1.0), ("muye", 71.0, 2.0))
        ],
        tables.RANKS,
    )
    m = tables.shape(
        [
            {
                "id": "m",
                "region": "zone",
                "item": "",
                "stage": "s1",
                "stage_no": 1,
                "stage_zh": "启动实施",
                "date": "",
                "evidence": "",
                "expected": "2018-06",
                "demo": True,
            }
        ],
        tables.MILESTONES,
    )
    before = tables.shape([projection(as_of=PERIOD - 1, probability=0.5)], tables.PROJECTIONS)
    owed = pd.DataFrame(
        {
            "sender": ["gaoxin", "swj"],
            "name": ["高新区", "市商务局"],
            "month": PERIOD,
            "due": ["2018-10-05"] * 2,
            "state": ["已报", "未报"],
            "owed": [3, 2],
            "came": [3, 0],
        }
    )
    complete = tables.shape(owed, tables.VINTAGE["COMPLETENESS"])
    held = dict(
        projections=p, targets=t, ranks=ranks, milestones=m, series=s, completeness=complete
    )
    return Tabs(**held, trail=pd.concat([before, p], ignore_index=True))


def passports(made):
    return {p.code: p.passport for p in made}


# wrong input ----------------------------------------------------------------------------------------------------------


def test_an_unknown_meeting_is_refused(tabs):
    with pytest.raises(tables.ZcqError, match="不认识"):
        pages.pages(tabs.given, "daily")


@pytest.mark.parametrize("module", [slides, brief])
def test_a_broken_template_is_a_clear_error(module, tmp_path, tabs):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(b"no package")
    made = pages.pages(tabs.given)
    with pytest.raises(slides.TemplateError, match="打不开"):
        slides.slides(made, bad) if module is slides else brief.brief(made, "标题", template=bad)


def test_templates_without_placeholder_or_style_say_what_is_missing(tmp_path, tabs):
    deck = Presentation()
    layout = deck.slide_layouts[0]
    for p in list(layout.placeholders):
        p._element.getparent().remove(p._element)
    deck.save(tmp_path / "t.pptx")
    with pytest.raises(slides.TemplateError, match="没有标题占位符"):
        slides.slides(pages.pages(tabs.given), tmp_path / "t.pptx")
    Document().save(tmp_path / "t.docx")
    with pytest.raises(slides.TemplateError, match="缺少样式「公文标题"):
        brief.brief(pages.pages(tabs.given), "标题", template=tmp_path / "t.docx")
    doc = Document(brief.TEMPLATE)
    next(p for p in doc.paragraphs if brief.BODY in p.text).text = "正文"
    doc.save(tmp_path / "t.docx")
    with pytest.raises(slides.TemplateError, match="「{{正文}}」出现 0 次"):
        brief.brief(pages.pages(tabs.given), "标题", template=tmp_path / "t.docx")


def test_without_any_data_the_files_say_so(tabs):
    none = Tabs(targets=tabs.targets)
    for meeting in pages.agendas():
        made = pages.pages(none.given, meeting)
        deck, doc = slides.slides(made), brief.brief(made, "标题")
        assert (
            slides.read_slides(deck).keys()
            == brief.read_brief(doc).keys()
            == {p.code for p in made}
        )
        assert made and all(p.title for p in made)
    rows = ledger.rows(none.given)
    assert len(rows) == 4 and rows["完成把握"].tolist() == ["—", "—", "—", "不给概率"]


def test_a_number_without_origin_cannot_be_printed():
    with pytest.raises(ReconciliationError, match="7 没有来源"):
        passport.made("ZCQ-201809-P01", "", ["2018年共7项"], (), ["2018年"])


def test_a_broken_passport_and_what_is_no_code_are_clear_errors():
    with pytest.raises(ReconciliationError, match="损坏"):
        passport.read(b'{"x": 1}')
    with pytest.raises(ReconciliationError, match="不是编号.*ZCQ-201809-PF03"):
        passport.month_of("PF03")
    assert passport.month_of("ZCQ-201809-F02-moved") == "2018-09"


# one truth ------------------------------------------------------------------------------------------------------------


def test_all_outputs_print_the_tables_numbers(tabs):
    facts = everything(tabs)
    for meeting in pages.agendas():
        made = pages.pages(tabs.given, meeting)
        known = passports(made)
        printed = {
            "a.pptx": slides.read_slides(slides.slides(made)),
            "a.docx": brief.read_brief(brief.brief(made, "2018年9月目标进展情况")),
        }
        assert passport.reconcile(printed, known) > 10
        assert sum(passport.verify(p, facts) for p in known.values()) > 10


def everything(tabs):
    return passport.facts_of(findings.collect(findings.every(tabs.given)))


def change_part(content, part, old, new):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as a, zipfile.ZipFile(out, "w") as b:
        hit = 0
        for item in a.namelist():
            data = a.read(item)
            if part in item and old in data:
                data, hit = data.replace(old, new, 1), hit + 1
            b.writestr(item, data)
    assert hit
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("slides/slide", "2,140件".encode(), "2,150件".encode()),
        ("charts/chart", b"<c:v>2140", b"<c:v>2150"),
        ("slides/slide", "余下3个月".encode(), "余下4个月".encode()),
    ],
)
def test_one_number_changed_by_hand_in_the_slides_fails(tabs, part, old, new):
    made = pages.pages(tabs.given)
    deck = change_part(slides.slides(made), part, old, new)
    with pytest.raises(ReconciliationError, match="周.pptx 的 ZCQ-201809-PF.*两处不一致"):
        passport.reconcile({"周.pptx": slides.read_slides(deck)}, passports(made))


def test_one_number_changed_in_the_brief_or_in_a_table_fails_and_names_both_places(tabs):
    made = pages.pages(tabs.given)
    doc = change_part(
        brief.brief(made, "标题"), "document.xml", "1,640件".encode(), "1,460件".encode()
    )
    with pytest.raises(
        ReconciliationError, match="b.docx 的 ZCQ-201809-P.*1,460.*standing/a/done 印作"
    ):
        passport.reconcile({"b.docx": brief.read_brief(doc)}, passports(made))
    tabs.projections["median"] += 1
    facts = everything(tabs)
    with pytest.raises(ReconciliationError, match="ZCQ-201809-P.*median"):
        [passport.verify(p, facts) for p in passports(made).values()]


def test_two_numbers_that_change_places_are_found(tabs):
    made = pages.pages(tabs.given)
    deck = change_part(
        slides.slides(made), "slides/slide", "2,040–2,240件".encode(), "2,240–2,040件".encode()
    )
    with pytest.raises(ReconciliationError, match="两处不一致"):
        passport.reconcile({"a.pptx": slides.read_slides(deck)}, passports(made))


def test_a_passport_comes_back_whole_from_its_file(tabs):
    known = passports(pages.pages(tabs.given))
    assert all(passport.read(passport.write(p)) == p for p in known.values())
    page = next(p for p in known.values() if "专利申请总量" in p.title and "全年" in p.title)
    told = "PROJECTIONS/zone.a;TARGETS/zone.a;SERIES/zone.a"
    assert page.facts["standing/a/done"] == ["1,640件", 1640.0, told]


def test_the_same_input_gives_the_same_bytes(tabs):
    made = pages.pages(tabs.given)
    for make in (
        lambda: slides.slides(made),
        lambda: brief.brief(made, "标题"),
        lambda: ledger.ledger(tabs.given),
    ):
        assert make() == make()
    for info in zipfile.ZipFile(io.BytesIO(slides.slides(made))).infolist():
        assert info.date_time == (1980, 1, 1, 0, 0, 0)


# faces, charts, safety ------------------------------------------------------------------------------------------------


def test_every_run_and_chart_text_has_both_faces(tabs):
    with zipfile.ZipFile(io.BytesIO(slides.slides(pages.pages(tabs.given)))) as package:
        parts = [
            n
            for n in package.namelist()
            if n.endswith(".xml")
            and n.startswith(("ppt/slides/", "ppt/charts/", "ppt/notesSlides/"))
        ]
        assert any("charts" in n for n in parts)
        for part in parts:
            root = ElementTree.fromstring(package.read(part))
            assert all(r.find(f"{A}rPr") is not None for r in root.iter(f"{A}r"))
            for tag in ("rPr", "defRPr", "endParaRPr"):
                for e in root.iter(A + tag):
                    assert e.find(f"{A}ea").get("typeface") == slides.EAST, part
                    assert e.find(f"{A}latin").get("typeface") == slides.LATIN
    doc = Document(io.BytesIO(brief.brief(pages.pages(tabs.given), "标题")))
    w = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    styles = {p.style.name: p.style for p in doc.paragraphs if p.text}
    assert len(styles) > 4 and all(
        s.element.find(f"{w}rPr/{w}rFonts").get(f"{w}eastAsia") for s in styles.values()
    )
    assert styles.keys() | {"公文表格"} == set(brief.STYLES)


def test_chances_at_the_ends_are_labelled_as_in_the_tables(tabs):
    tabs.projections.loc[0, "probability"] = 0.004
    made = next(p for p in pages.pages(tabs.given, "quarter") if p.section == "chances")
    assert "<1%" in [r[4] for r in made.table] and made.chart.bars[0][1] == 0
    package = zipfile.ZipFile(io.BytesIO(slides.slides([made])))
    chart = next(package.read(n).decode() for n in package.namelist() if "charts/chart" in n)
    assert '[&lt;1]"&lt;1%"' in chart.replace("&quot;", '"')


def test_a_target_that_is_only_aspired_to_is_called_so_on_its_page(tabs):
    tabs.targets.loc[tabs.targets["id"] == "a", "commitment"] = "aspiration"
    made = [p for p in pages.pages(tabs.given) if p.section == "open" and "专利申请总量" in p.title]
    assert len(made) == 1 and "力争目标" in made[0].title and "力争目标" in made[0].lines[0]


def test_charts_are_native_and_leave_out_what_is_missing(tabs):
    deck = Presentation(io.BytesIO(slides.slides(pages.pages(tabs.given))))
    charts = [s.chart for slide in deck.slides for s in slide.shapes if s.has_chart]
    assert len(charts) >= 4 and not any(
        s.shape_type == 13 for slide in deck.slides for s in slide.shapes
    )
    odd = next(c for c in charts if c.plots[0].series[0].values[0] is None)
    assert list(odd.plots[0].categories)[0] == "当前"
    assert odd.plots[0].series[0].values[1:3] == (2040, 2140)  # lower end, median


def test_no_cell_anywhere_is_a_formula(tabs):
    made = pages.pages(tabs.given)
    tabs.targets.loc[0, "name_zh"] = '=HYPERLINK("http://x")'
    books = [ledger.ledger(tabs.given)]
    with zipfile.ZipFile(io.BytesIO(slides.slides(made))) as package:
        books += [package.read(n) for n in package.namelist() if n.endswith(".xlsx")]
    assert len(books) > 3
    for book in books:
        for sheet in openpyxl.load_workbook(io.BytesIO(book)):
            assert not any(c.data_type == "f" for row in sheet.iter_rows() for c in row)


def test_what_each_park_owes_is_promised_as_parks_in_the_ledger(tabs):
    whole = projection(unit="个园区", target_low=5.0, actual=2.0, median=3.0, low=2.0, high=4.0)
    tabs.projections = tables.shape([whole], tables.PROJECTIONS)
    row = ledger.rows(tabs.given).set_index("编号").loc["a"]
    assert (row["目标"], row["单位"], row["已完成/现值"]) == ("5个园区目标", "个园区", 2.0)


def test_odd_names_come_back_whole_from_the_ledger_and_short_on_slides(tabs):
    made = pages.pages(tabs.given)
    assert all(len(p.title) <= 60 for p in made)
    text = ElementTree.tostring(
        ElementTree.fromstring(
            zipfile.ZipFile(io.BytesIO(brief.brief(made, "标题"))).read("word/document.xml")
        ),
        encoding="unicode",
    )
    assert "&amp;&lt;甲&gt;😀" in text
    rows = ledger.rows(tabs.given)
    assert ODD in set(rows["指标"])


# orders ---------------------------------------------------------------------------------------------------------------


def test_asks_add_up_to_the_gap_and_know_their_history(tabs):
    orders = tabs.asks.things
    a = orders[orders["indicator"] == "a"]
    assert a["ask"].sum() == 2200 - 1640 and set(a["region"]) == {"gaoxin", "muye"}
    assert a.groupby("region")["ask"].sum().to_dict() == {"gaoxin": 300, "muye": 260}
    assert a.set_index(["region", "basis"]).loc[("gaoxin", "2018-10"), "times"] == 33
    assert (a.loc[a["region"] == "muye", "grade"] == "近33个月从未做到").all()
    assert a["times"].is_monotonic_increasing and tabs.asks.demo


def test_recent_means_need_all_twelve_months():
    months = pd.period_range("2017-10", "2018-09", freq="M")
    flow = pd.DataFrame(
        {
            "region": "zone",
            "indicator": "a",
            "start": months,
            "end": months,
            "months": 1,
            "value": [float(v) for v in range(12)],
        }
    )
    level = pd.DataFrame(
        {
            "region": "zone",
            "indicator": "s",
            "start": [PERIOD - 12, PERIOD],
            "months": 0,
            "end": [PERIOD - 12, PERIOD],
            "value": [10.0, 34.0],
        }
    )
    series = tables.shape(pd.concat([flow, level]), tables.SERIES)
    assert recent_means(series, PERIOD) == {
        ("zone", "a"): 5.5,
        ("zone", "s"): 2.0,
    }
    assert recent_means(series[1:12], PERIOD) == {}


def test_the_page_of_asks_names_what_is_asked_of_whom(tabs):
    (page,) = (p for p in pages.pages(tabs.given, "fortnight") if p.section == "orders")
    assert page.table[0] == ("指标", "园区", "责任单位", "月份", "要求", "历史")
    assert {r[0] for r in page.table[1:]} <= set(NAMES.values())


def test_nothing_is_asked_where_the_target_will_be_met(tabs):
    tabs.projections = tabs.projections.assign(probability=0.9)
    assert tabs.asks.things.empty


def test_a_brief_is_addressed_goes_from_progress_to_what_is_next_and_is_signed(tabs):
    made = pages.pages(tabs.given, "quarter")
    doc = Document(io.BytesIO(brief.brief(made, "标题", office="某办")))
    heads = [p.text for p in doc.paragraphs if p.style.name == "公文一级"]
    assert heads == ["一、主要进展", "二、存在问题", "三、下一步工作"]
    texts = [p.text for p in doc.paragraphs if p.text]
    assert texts.index(brief.TO) < texts.index(heads[0])
    assert texts.index(heads[-1]) < texts.index("某办")
    held = list(pages.SECTIONS)
    assert sorted(held) == sorted({s for m in pages.agendas().values() for s in m.sections})


# the ledger -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(tabs):
    return ledger.rows(tabs.given), ledger.ledger(tabs.given)


def edited(content, edit):
    book = openpyxl.load_workbook(io.BytesIO(content))
    edit(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(content, **cells):
    return edited(
        content, lambda b: [b[ledger_reader.SHEET].__setitem__(k, v) for k, v in cells.items()]
    )


def sheets_of(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [(s.title, [list(row) for row in s.iter_rows(values_only=True)]) for s in book]


def read(content, published=PERIOD + 1, sender="muye"):
    """As from any form: rows of plain cells."""
    sheets = sheets_of(content) if isinstance(content, bytes) else content
    sent = ledger_reader.Sent("l.xlsx", "0" * 64, sender, published)
    return ledger_reader.read_ledger(sheets, sent, catalog())


def test_what_has_no_heading_of_a_ledger_is_none(sent):
    with pytest.raises(ledger_reader.LedgerError, match="没有台账的表头"):
        read(filled(sent[1], A3="号"))
    assert (
        ledger_reader.heading([["编号", "指标"], ["1", "专利申请量"]], ledger_reader.LEDGER) is None
    )


def test_a_ledger_is_known_by_its_heading_in_any_form(sent):
    rows = dict(sheets_of(filled(sent[1], AA5="已对接")))[ledger_reader.SHEET]
    as_text = [["" if v is None else str(v) for v in row] for row in [["抬头"], *rows]]
    own = [r for r in as_text if r[:1] not in (["a"], ["b"])]
    for form in ([("我的台账", rows)], [("", as_text)], [("", own)]):
        back = read(form)
        assert back.replies[["id", "reply"]].values.tolist() == [["odd", "已对接"]]
        assert back.problems["severity"].tolist() == ["info"]  # without the sealed copy


def test_a_unit_s_own_ledger_has_its_rows_alone_and_reads_back(tabs):
    given, targets = tabs.given, tabs.given.catalog.targets
    who = targets["id"].map({"odd": "甲局;乙局", "b": "乙局"}).fillna("甲局分局")
    shared = replace(given.catalog, targets=targets.assign(responsible=who))
    own = ledger.ledger(replace(given, catalog=shared, made={}, read={}), {"甲局", "甲"})
    rows = dict(sheets_of(own))[ledger_reader.SHEET][ledger_reader.HEAD :]
    assert [r[0] for r in rows] == ["odd"] and read(own).problems.empty


def test_an_untouched_ledger_says_nothing(sent):
    back = read(sent[1])
    assert back.replies.empty and back.problems.empty and len(back.cells) > 100


def test_the_round_trip_loses_nothing(sent):
    back = read(
        filled(sent[1], X4="推进中", Y4="2018-09-30", Z4="=备案文件&<1>", AA5="已与😀企业对接")
    )
    assert back.problems.empty
    for frame, table in (
        (back.replies, tables.ANSWERS),
        (back.problems, tables.PROBLEMS),
        (back.cells, tables.CELLS),
    ):
        assert tables.check(frame, table) is frame
    told = back.replies[["id", "stage", "date", "evidence", "reply", "cell", "sender"]]
    assert told.values.tolist() == [
        ["a", "推进中", "2018-09-30", "=备案文件&<1>", "", "A4", "muye"],
        ["odd", "", "", "", "已与😀企业对接", "A5", "muye"],
    ]


@pytest.mark.parametrize(
    ("cell", "value", "code", "words"),
    [
        ("G4", 1999, "ledger_locked", "由「1640」改成了「1999」"),
        ("G4", None, "ledger_locked", "改成了「—」"),
        ("C4", "改名", "ledger_locked", "指标"),
        ("G5", 3, "ledger_locked", "由「—」改成了「3」"),
        ("X4", "差不多", "ledger_stage", "不在可选项"),
        ("Y4", "九月底", "ledger_date", "不是日期"),
        ("Y4", "2018-12-01", "ledger_date", "晚于报送月份"),
        ("X7", "启动实施", "ledger_date", "没有写达到日期"),
        ("A4", "zzz", "ledger_row", "不在下发的台账中"),
        ("A5", "a", "ledger_row", "重复"),
    ],
)
def test_what_was_changed_is_reported_with_its_cell(sent, cell, value, code, words):
    back = read(filled(sent[1], **{cell: value}))
    hit = back.problems[back.problems["code"] == code].iloc[0]
    assert words in hit["message"] and hit["file"] == "l.xlsx" and hit["cell"][1:] == cell[1:]


def test_a_changed_cell_is_found_even_if_the_sealed_copy_was_changed_with_it(sent):
    def both(book):
        book[ledger_reader.SHEET]["G4"] = book[ledger_reader.SEAL]["G2"] = 1999

    assert read(edited(sent[1], both)).problems["code"].tolist() == ["ledger_seal"]


def test_a_row_that_does_not_come_back_and_sorting_are_no_change(sent):
    less = edited(sent[1], lambda b: b[ledger_reader.SHEET].delete_rows(6))
    assert read(less).problems.empty

    def swap(book):
        for c in range(1, len(ledger_reader.COLUMNS) + 1):
            a, b = book[ledger_reader.SHEET].cell(4, c), book[ledger_reader.SHEET].cell(5, c)
            a.value, b.value = b.value, a.value

    assert read(edited(sent[1], swap)).problems.empty


class Known:
    """The part of a catalog that replies need."""

    def __init__(self, targets):
        self.targets, self.name = targets, staticmethod(name)


def test_a_reported_stage_with_a_date_reaches_the_milestones_and_nothing_else_does(tabs, sent):
    told = {
        "X7": "启动实施",
        "Y7": "2018-10-08",
        "Z7": "红头文件",
        "X4": "已完成",
        "Y4": "2018-10-09",
        "X5": "推进中",
    }
    back = read(filled(sent[1], **told))
    m = ledger_reader.reached(tabs.milestones, back.replies, Known(tabs.targets))
    assert m[["id", "stage_zh", "date", "evidence"]].astype(str).values.tolist() == [
        ["m", "启动实施", "2018-10", "红头文件"],
        ["a", "完成", "2018-10", ""],
    ]
    assert tables.check(m, tables.MILESTONES) is m
    late = read(filled(sent[1], X7="启动实施", Y7="2018-12-01"))
    assert ledger_reader.reached(tabs.milestones, late.replies, Known(tabs.targets)).equals(
        tabs.milestones
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2018.10.12", "2018-10-12"),
        ("2018年10月12日", "2018-10-12"),
        ("2018/10/12", "2018-10-12"),
        ("20181012", "2018-10-12"),
        ("２０１８－１０－１２", "2018-10-12"),
        ("2018年10月", "2018-10"),
        ("2018-9", "2018-09"),
        ("2018.1", ""),
        ("10月12日", ""),
        ("2018-13-01", ""),
        ("2018年2月30日", ""),
        ("十月中旬", ""),
    ],
)
def test_a_date_is_taken_in_any_form_that_means_one_day_or_month(sent, tabs, written, kept):
    assert ledger_reader.date_of(written) == kept
    back = read(filled(sent[1], X7="启动实施", Y7=written))
    m = ledger_reader.reached(tabs.milestones, back.replies, Known(tabs.targets))
    assert m["date"].notna().any() == bool(kept)
    assert (back.problems["code"].tolist() == []) == bool(kept)


def test_figures_filled_into_a_ledger_are_observations_of_the_senders_own_park(sent):
    back = read(filled(sent[1], AB4="1,200", AC4=2500, AB6=3.5, AC5="约30", AB7=1))
    o = tables.check(back.observations, tables.OBSERVATIONS)
    assert o[
        ["indicator", "region", "basis", "value", "unit", "unit_raw", "cell"]
    ].values.tolist() == [
        ["a", "muye", "month", 1200.0, "件", "件", "AB4"],
        ["a", "muye", "ytd", 2500.0, "件", "件", "AC4"],
        ["b", "muye", "month", 35000.0, "万元", "亿元", "AB6"],
        ["m", "muye", "eop", 1.0, "个", "个", "AB7"],
    ]
    assert o["start"].astype(str).tolist() == ["2018-10", "2018-01", "2018-10", "2018-10"]
    assert back.problems[["code", "cell"]].values.tolist() == [["not_a_number", "AC5"]]
    seen = back.cells.set_index(["sheet", "cell"])["outcome"]
    assert (seen["台账", "AB4"], seen["台账", "AC5"]) == ("observation", "problem")
    bureau = read(filled(sent[1], AB4=7), sender="kjj").observations
    assert bureau["region"].tolist() == ["zone"]


def test_a_stage_that_is_on_file_keeps_its_date(tabs, sent):
    on_file = tabs.milestones.assign(date=pd.PeriodIndex(["2018-05"], freq="M"), evidence="原件")
    back = read(filled(sent[1], X7="启动实施", Y7="2018-10-08"))
    assert ledger_reader.reached(on_file, back.replies, Known(tabs.targets)).equals(on_file)


def test_the_next_ledger_shows_what_was_said_before(tabs, sent):
    back = read(filled(sent[1], AA4="=问题已报"))
    tabs.answers = back.replies
    assert ledger.rows(tabs.given).set_index("编号").at["a", "上次填报"] == "2018-10:=问题已报"
    assert read(ledger.ledger(tabs.given)).problems.empty


def test_the_ledger_is_locked_filtered_frozen_and_checked(sent):
    rows, content = sent
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book[ledger_reader.SHEET]
    assert (
        sheet.protection.sheet and sheet.auto_filter.ref == "A3:AC7" and sheet.freeze_panes == "D4"
    )
    assert sheet["A4"].protection.locked and not sheet["X4"].protection.locked
    offered = {
        str(v.sqref): v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"
    }
    assert offered["X4"] == "校验!$X$2:$AB$2" and offered["X7"] == "校验!$X$5:$X$5"
    assert [c.value for c in book[ledger_reader.SEAL]["X2:AB2"][0]] == list(ledger_reader.STATES)
    assert (
        book[ledger_reader.SEAL]["X5"].value == "启动实施"
        and book[ledger_reader.SEAL].sheet_state == "veryHidden"
    )
    assert (
        sheet["AC1"].value == "ZCQ-201809-T01"
        and book[ledger.ORDERS]["G1"].value == "ZCQ-201809-T02"
    )
    assert sheet["Q4"].value == "市科技局(推定)" and sheet["N4"].value == "■难度较大"
    assert "演示数据" in sheet["A1"].value
    assert sheet["G6"].value == 120.0 and sheet["F6"].value == "亿元"


def test_a_target_that_stands_twice_is_refused(tabs):
    with pytest.raises(ledger_reader.LedgerError, match="不止一次"):
        ledger.rows(Tabs(targets=pd.concat([tabs.targets, tabs.targets[:1]])).given)
