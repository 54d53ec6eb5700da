"""What stands around a table: the lines above it, the names of sheet and file, the report month, nearest first."""

from __future__ import annotations

import re
from functools import lru_cache

from zcqlib.reports import words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    META,
    TITLE_NOISE,
    Found,
    Place,
    Scope,
    join_spans,
    place_of,
    shift,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, squeeze

_NATION = re.compile(r"^数据库[::](?:月度|季度|年度|进度)数据$")


class Surroundings:
    """What the lines above a table, the sheet name, the file name and the report month say, nearest first."""

    def __init__(
        self, sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
    ):
        lines = [str(sheet.rows[r][c]) for r, c in block.above]
        lines = [
            x
            for x in lines
            if not re.fullmatch(r"[(]?续表?[\d一二三四五六七八九十]*[)]?", squeeze(x))
        ]
        self.lines = lines or inherited or [t for t in sheet.title.split("\n") if t.strip()]
        self.unit, self.indicator, self.indicator_unit, self.flags = "", "", "", ()
        self.span, self.place = None, None
        national = False
        for line in self.lines:
            t = squeeze(line)
            national |= bool(_NATION.match(t))
            if unit := words.stated_unit(t) or words.split_unit(without_period(t))[1]:
                self.unit = unit
            meta = META.match(t)
            if meta and meta[1] == "指标":
                self.indicator, self.indicator_unit = words.split_unit(meta[2])
            elif (
                meta
                and meta[1] in ("地区", "园区", "区域", "填报单位", "报送单位", "单位名称")
                and meta[2]
            ):
                self.place = place_of(meta[2], scope.catalog) or self.place
            elif not meta or meta[1] in ("报告期", "统计期", "填报时间"):
                if p := words.period_in(t):
                    finer = (
                        self.span is not None
                        and self.span.basis == "year" != p[0].basis
                        and (not p[0].year or p[0].end // 12 == self.span.end // 12)
                    )
                    self.span = join_spans(self.span, p[0]) if finer else self.span or p[0]
        sheet_text = squeeze(sheet.name)
        named = words.whole_period(sheet_text) or ((words.period_in(sheet_text) or (None,))[0])
        if (
            named
            and self.span
            and named.year
            and self.span.year
            and named.end // 12 != self.span.end // 12
            or named
            and self.span
            and named.basis == self.span.basis == "month"
            and named.end % 12 != self.span.end % 12
        ):
            found.problem(
                "context_conflict",
                "warning",
                None,
                sheet.name,
                f"工作表名「{sheet.name}」与表题的期间不一致,已按表题,请核对。",
            )
        self.span = with_year(self.span or named, [named, scope.file_span], scope.published)
        if (
            self.span is None
            or self.span.basis == "year"
            and scope.file_span
            and scope.file_span.basis != "year"
            and scope.file_span.end // 12 == self.span.end // 12
            and not lines
        ):
            self.span = scope.file_span or self.span
        sheet_place = place_of(sheet.name, scope.catalog)
        if self.place is None:
            inside = regions_in("".join(self.lines[:3]), scope)
            self.place = (
                Place(inside[0], scope.catalog.name(inside[0])) if len(inside) == 1 else None
            )
        if (
            self.place is None
            and sheet_place is not None
            and sheet_place.kind in ("known", "total")
        ):
            self.place = sheet_place
        in_name = regions_in(scope.file, scope)
        if self.place is None and len(in_name) == 1:
            self.place = Place(in_name[0], scope.catalog.name(in_name[0]))
        if self.place is None and national:
            self.place, self.flags = Place("", "全国", "total"), ("region_assumed",)
        if self.place is None and scope.sender_region:
            self.place = Place(
                scope.sender_region, scope.catalog.name(scope.sender_region), "total"
            )
            self.flags = ("region_assumed",)
        self.scope, self.sheet = scope, sheet

    def title_indicator(self) -> tuple[str, str]:
        """The indicator that a title names when neither rows nor columns name one, and the flag that says whence."""
        for source in (*self.lines, self.sheet.name, re.sub(r"\.\w+$", "", self.scope.file)):
            t = squeeze(source)
            if META.match(t):
                continue
            name = strip_title(t)
            if self.scope.catalog is not None:
                whole = self.scope.catalog.match_indicator(name, False).id if name else ""
                if whole:
                    return name, "indicator_from_title" if source in self.lines else (
                        "indicator_from_sheet" if source == self.sheet.name else "from_filename"
                    )
            if (
                source in self.lines
                and len(name) >= 2
                and re.search(r"[\u4e00-\u9fffA-Za-z]{2}", name)
                and re.search(r"[\u4e00-\u9fff]", name)
                and not re.search(r"数据|报表|主要|指标|表$|情况", name)
            ):
                return name, "indicator_from_title"
        return "", ""


def without_period(t: str) -> str:
    """A title without its period and the bracket that held it, so that a unit in brackets stands at its end."""
    if p := words.period_in(t):
        t = t[: p[1]] + t[p[2] :]
    return re.sub(r"\(\s*\)", "", t)


def strip_title(t: str) -> str:
    """A title without table number, period, region and the words that every title has."""
    t = re.sub(r"^截至|^截止", "", without_period(t))
    for _ in range(3):
        t = TITLE_NOISE.sub("", t)
    t = re.sub(
        r"^(?:新乡市?|自创区|全市|全省|全国|(?!地区)[\u4e00-\u9fff]{1,6}(?<!地)区)(?=[\u4e00-\u9fff]{3})",
        "",
        t,
    )
    return t.strip("()()::、,的—-")


@lru_cache(maxsize=4096)
def _regions_in(text: str, names: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name, id in names:
        if name in text:
            found[id] = None
            text = text.replace(name, "□")
    return tuple(found)


def regions_in(text: str, scope: Scope) -> tuple[str, ...]:
    """Ids of our own places whose names stand in a longer text."""
    return _regions_in(squeeze(text), scope.region_names)


def with_year(span: Span | None, others: list[Span | None], published: int) -> Span | None:
    """Give a span without year the year of the nearest that has one, at last the report month's."""
    if span is None or span.year:
        return span
    for other in others:
        if other is not None and other.year:
            return shift(span, other.end // 12)
    if published:
        return shift(
            span,
            published // 12
            - (1 if span.end % 12 > published % 12 + 1 and published % 12 == 0 else 0),
        )
    return span
