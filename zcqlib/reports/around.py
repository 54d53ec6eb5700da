"""What stands around a table: the lines above it, the names of sheet and file, the report month, nearest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from zcqlib.catalog import Catalog
from zcqlib.reports import words
from zcqlib.reports.grid import Sheet, remember
from zcqlib.reports.labels import (
    TITLE_NOISE,
    At,
    Found,
    Place,
    Scope,
    meta,
    place_of,
    shift,
)
from zcqlib.reports.layout import Block
from zcqlib.reports.words import Span, squeeze

_NATION = re.compile(r"^数据库[::](?:月度|季度|年度|进度)数据$")
_CONTINUED = re.compile(r"[(]?续表?[\d一二三四五六七八九十]*[)]?")
_TITLE = re.compile(r"(?=.*[\u4e00-\u9fff]).*[\u4e00-\u9fffA-Za-z]{2}")
_NO_TITLE = re.compile(  # words that stand for any table, and letterheads
    r".*(?:数据|报表|主要|表$|情况|汇总)|(?:sheet|table|工作)"
    r"|.*(?:局|委员会|办公室|政府|厅|处|中心|公司|集团|研究院|协会|学会|党委|工委|支队|总队)(?:文件|编制|编印|印发|印制|制)?$",
    re.I,
)


class Surroundings:
    """What the lines above a table, the sheet name, the file name and the report month say, nearest first."""

    def __init__(
        self, sheet: Sheet, block: Block, scope: Scope, found: Found, inherited: list[str]
    ):
        own = ((str(sheet.rows[r][c]), (r, c)) for r, c in block.above)
        own = {x: at for x, at in own if not _CONTINUED.fullmatch(squeeze(x))}
        self.lines = list(own) or inherited or sheet.title.split("\n")
        self.scope, self.sheet, self.name_at = scope, sheet, None
        self.near = [(squeeze(x), own.get(x)) for x in reversed(self.lines) if x.strip()]
        self.unit, self.unit_at, self.strange_unit = self._unit()
        self.indicator, self.indicator_unit = words.split_unit(self._meta("indicator"))
        self.span, self.span_at = self._span(found, bool(own))
        self.place, self.flags = self._place()

    def _meta(self, role: str) -> str:
        """What stands behind 地区: or 指标: in a line of its own, nearest first."""
        metas = (meta(t) for t, _ in self.near)
        return next((said for about, said in metas if about == role and said), "")

    def _unit(self) -> tuple[str, At | None, str]:
        """The unit of the nearest line that has one, its cell, and words after 单位 that are no unit."""
        for t, at in self.near:
            unit, strange = words.stated_unit(t)
            if unit := unit or strange or words.split_unit(words.without_period(t))[1]:
                return unit, at, strange
        return "", None, ""

    def _span(self, found: Found, own: bool) -> tuple[Span | None, At | None]:
        """The period of the nearest line that has one; a month of the same year is nearer than the year alone.

        The title goes before the sheet, and a conflict is said; a mere year of no line of its own goes behind the file.
        """
        name, file = self.sheet.name, self.scope.file_span
        # 截止日期:2018-09-30 is an end and no month
        lines = [
            (f[0]._replace(basis="eop") if t.startswith("截") else f[0], at)
            for t, at in self.near
            if meta(t)[0] in ("", "period") and (f := words.period_in(t))
        ]

        def less(line):
            span, _ = line
            far = not _agree(lines[0][0], span)
            return far, span.basis == "year", "not_month_end" in span.flags

        span, at = min(lines, key=less, default=(None, None))
        sheet = words.stated_period(squeeze(name))
        if sheet and span and not _agree(span, sheet):
            text = f"工作表名「{name}」与表题的期间不一致,已按表题,请核对。"
            found.problem("context_conflict", "warning", None, name, text)
        nearest = [*(x for x, _ in lines), sheet, file]
        span = with_year(span or sheet, nearest, self.scope.published)
        coarse = span and span.basis == "year" and not own
        if file and (not span or coarse and file.basis != "year" and _agree(span, file)):
            return file, None
        return span, at if span else None

    def _place(self) -> tuple[Place | None, tuple[str, ...]]:
        """The place that a line, the sheet or the file names; at last the nation or the sender's own, flagged."""
        scope, catalog = self.scope, self.scope.catalog

        def only(text):
            inside = regions_in(text, catalog)
            return Place(inside[0], catalog.name(inside[0])) if len(inside) == 1 else None

        sheet = place_of(self.sheet.name, catalog)
        place = place_of(self._meta("region"), catalog) or only("".join(self.lines[:3]))
        place = place or (sheet if sheet and sheet.kind in ("known", "total") else only(scope.file))
        if place:
            return place, ()
        if any(_NATION.match(t) for t, _ in self.near):
            return Place("", "全国", "total"), ("region_assumed",)
        if id := scope.sender_region:
            return Place(id, catalog.name(id), "total"), ("region_assumed",)
        return None, ()

    @cached_property
    def title(self) -> tuple[str, str]:
        """The indicator that a line or the title names when neither rows nor columns do, and the flag that says whence.

        A name that the catalog knows goes before one that it does not, a nearer line before one above it; letterheads
        are no titles.
        """
        if self.indicator:
            return self.indicator, ""
        catalog, sheet = self.scope.catalog, squeeze(self.sheet.name)
        file = squeeze(re.sub(r"\.\w+$", "", self.scope.file))
        sources = [(t, "indicator_from_title", at) for t, at in self.near if not meta(t)[0]]
        sources += [(sheet, "indicator_from_sheet", None), (file, "from_filename", None)]
        named = [(strip_title(t, catalog), *more) for t, *more in sources]
        sure = [n for n in named if n[0] and catalog.match_indicator(n[0], False).id]
        *likely, own, _ = named
        likely += [] if place_of(own[0], catalog) else [own]
        likely = [n for n in likely if _TITLE.match(n[0]) and not _NO_TITLE.match(n[0])]
        name, flag, self.name_at = [*sure, *likely, ("", "", None)][0]
        return name, flag


def _agree(a: Span, b: Span) -> bool:
    """Whether two periods can be of one table: no two years, no two months."""
    years = a.year and b.year and a.end // 12 != b.end // 12
    return not (years or a.basis == b.basis == "month" and a.end % 12 != b.end % 12)


def strip_title(t: str, catalog: Catalog) -> str:
    """A title without table number, period, region and the words that every title has."""
    t = re.sub(r"^截[至止]", "", words.without_period(t))
    for _ in range(3):
        t = TITLE_NOISE.sub("", t)
    zone = catalog.zone
    ours = "|".join(map(re.escape, (zone.short_zh, zone.city_zh, zone.city_zh.removesuffix("市"))))
    place = (
        rf"^(?:{ours}|全[市省国]|(?!地区)[\u4e00-\u9fff]{{1,6}}(?<!地)区)(?=[\u4e00-\u9fff]{{3}})"
    )
    return re.sub(place, "", t).strip("()():、,的—-")


@remember
def regions_in(text: str, catalog: Catalog) -> tuple[str, ...]:
    """Ids of our own places whose names stand in a longer text."""
    names = {n: p.id for p in catalog.regions.values() for n in (p.name_zh, p.short_zh)}
    long = sorted((n for n in names if len(n) >= 3), key=len, reverse=True)
    found = re.findall("|".join(map(re.escape, long)), squeeze(text)) if long else ()
    return tuple(dict.fromkeys(names[n] for n in found))


def with_year(span: Span | None, others: Iterable[Span | None], published: int) -> Span | None:
    """Give a span without year the year of the nearest that has one, at last the report month's or the one before."""
    if span is None or span.year:
        return span
    if years := [o.end // 12 for o in others if o is not None and o.year]:
        return shift(span, years[0])
    late = span.end % 12 - published % 12 > 6
    return shift(span, published // 12 - late) if published else span
