"""What stands around a table: the lines above it, the names of sheet and file, the report month, nearest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import Sheet
from zcqlib.reports.labels import (
    TITLE_NOISE,
    At,
    Found,
    Place,
    Scope,
    join_spans,
    meta,
    place_of,
    shift,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, squeeze

_NATION = re.compile(r"^数据库[::](?:月度|季度|年度|进度)数据$")
_CONTINUED = re.compile(r"[(]?续表?[\d一二三四五六七八九十]*[)]?")
_OFFICE = re.compile(
    r".*(?:局|委员会|办公室|政府|厅|处|中心|公司|集团|研究院|协会|学会|党委|工委|支队|总队)(?:文件|编制|编印|印发|印制|制)?"
)
_GENERIC = re.compile(r"数据|报表|主要|指标|表$|情况|汇总|^(?:sheet|table|工作)", re.I)


class Surroundings:
    """What the lines above a table, the sheet name, the file name and the report month say, nearest first."""

    def __init__(
        self, sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
    ):
        own = [(str(sheet.rows[r][c]), (r, c)) for r, c in block.above]
        own = [x for x in own if not _CONTINUED.fullmatch(squeeze(x[0]))]
        self.lines = [x for x, _ in own] or inherited or sheet.title.split("\n")
        self.scope, self.sheet = scope, sheet
        self.at: dict[str, At] = {x: at for x, at in own}
        self.unit, self.unit_at, self.strange_unit = self._unit()
        self.indicator, self.indicator_unit, self.name_at = self._meta("indicator"), "", None
        if self.indicator:
            self.indicator, self.indicator_unit = words.split_unit(self.indicator)
        self.span, self.span_at = self._span(found)
        self.place, self.flags = self._place()

    def _nearest(self) -> list[str]:
        return [x for x in reversed(self.lines) if x.strip()]

    def _meta(self, role: str) -> str:
        """What stands behind 地区: or 指标: in a line of its own, nearest first."""
        metas = (meta(squeeze(x)) for x in self._nearest())
        return next((said for about, said in metas if about == role and said), "")

    def _unit(self) -> tuple[str, At | None, str]:
        """The unit of the nearest line that has one, its cell, and words after 单位 that are no unit."""
        for line in self._nearest():
            t = squeeze(line)
            unit, strange = words.stated_unit(t)
            if unit := unit or strange or words.split_unit(without_period(t))[1]:
                return unit, self.at.get(line), strange
        return "", None, ""

    def _span(self, found: Found) -> tuple[Span | None, At | None]:
        """The period of the nearest line that has one; a month of the same year is nearer than the year alone."""
        span, at = None, None
        for line in self._nearest():
            t = squeeze(line)
            inside = words.period_in(t)
            if not inside or meta(t)[0] not in ("", "period"):
                continue
            other = inside[0]
            better = span is None or span.basis == "year" != other.basis and _agree(span, other)
            if better or "not_month_end" in span.flags and not other.flags:
                span, at = join_spans(span, other) if better else other, self.at.get(line)
            elif not span.year and other.year:
                span = shift(span, other.end // 12)
        return self._against_sheet(span, at, found)

    def _against_sheet(
        self, span: Span | None, at: At | None, found: Found
    ) -> tuple[Span | None, At | None]:
        """The lines' period beside those of sheet and file: the title goes before the sheet, a conflict is said."""
        sheet, file = self.sheet.name, self.scope.file_span
        name = squeeze(sheet)
        named = words.whole_period(name) or (words.period_in(name) or (None,))[0]
        if named and span and not _agree(span, named):
            found.problem(
                "context_conflict",
                "warning",
                None,
                sheet,
                f"工作表名「{sheet}」与表题的期间不一致,已按表题,请核对。",
            )
        span = with_year(span or named, [named, file], self.scope.published)
        coarse = span is not None and span.basis == "year" and not self.at
        if span is None or coarse and file and file.basis != "year" and _agree(span, file):
            return file or span, None
        return span, at

    def _place(self) -> tuple[Place | None, tuple[str, ...]]:
        """The place that a line, the sheet or the file names; at last the nation or the sender's own, flagged."""
        scope, stated = self.scope, self._meta("region")
        if stated and (place := place_of(stated, scope.catalog)):
            return place, ()
        sheet = place_of(self.sheet.name, scope.catalog)
        for text in ("".join(self.lines[:3]), None, scope.file):
            inside = regions_in(text, scope.catalog) if text is not None else ()
            if len(inside) == 1:
                return Place(inside[0], scope.catalog.name(inside[0])), ()
            if text is None and sheet is not None and sheet.kind in ("known", "total"):
                return sheet, ()
        if any(_NATION.match(squeeze(x)) for x in self.lines):
            return Place("", "全国", "total"), ("region_assumed",)
        if id := scope.sender_region:
            return Place(id, scope.catalog.name(id), "total"), ("region_assumed",)
        return None, ()

    @cached_property
    def title(self) -> tuple[str, str]:
        """The indicator that a line or the title names when neither rows nor columns do, and the flag that says whence.

        A name that the catalog knows goes before one that it does not, a nearer line before one above it; letterheads
        are no titles.
        """
        if self.indicator:
            return self.indicator, ""
        lines = [x for x in self._nearest() if not meta(squeeze(x))[0]]
        sources = [(x, "indicator_from_title") for x in lines]
        sources.append((self.sheet.name, "indicator_from_sheet"))
        sources.append((re.sub(r"\.\w+$", "", self.scope.file), "from_filename"))
        named = [(strip_title(squeeze(x)), x, flag) for x, flag in sources]
        match = self.scope.catalog.match_indicator
        sure = [n for n in named if n[0] and match(n[0], False).id]
        likely = [
            (name, x, flag)
            for name, x, flag in named[:-1]
            if re.search(r"[\u4e00-\u9fff]", name)
            and re.search(r"[\u4e00-\u9fffA-Za-z]{2}", name)
            and not _GENERIC.search(name)
            and not _OFFICE.fullmatch(name)
            and not (flag == "indicator_from_sheet" and place_of(name, self.scope.catalog))
        ]
        name, line, flag = [*sure, *likely, ("", "", "")][0]
        self.name_at = self.at.get(line)
        return name, flag


def _agree(a: Span, b: Span) -> bool:
    """Whether two periods can be of one table: no two years, no two months."""
    if a.year and b.year and a.end // 12 != b.end // 12:
        return False
    return not (a.basis == b.basis == "month" and a.end % 12 != b.end % 12)


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
def regions_in(text: str, catalog: Catalog) -> tuple[str, ...]:
    """Ids of our own places whose names stand in a longer text."""
    names = {n: p.id for p in catalog.regions.values() for n in (p.name_zh, p.short_zh)}
    found: dict[str, None] = {}
    text = squeeze(text)
    for name in sorted(names, key=lambda n: (-len(n), n)):
        if len(name) >= 3 and name in text:
            found[names[name]] = None
            text = text.replace(name, "□")
    return tuple(found)


def with_year(span: Span | None, others: Iterable[Span | None], published: int) -> Span | None:
    """Give a span without year the year of the nearest that has one, at last the report month's or the one before."""
    if span is None or span.year:
        return span
    if years := [o.end // 12 for o in others if o is not None and o.year]:
        return shift(span, years[0])
    late = span.end % 12 - published % 12 > 6
    return shift(span, published // 12 - late) if published else span
