"""What is measured and promised: regions, indicators and targets, read from the tables that analysts edit.

A year's plan stands in files of its own (targets_2019.csv, split_2019.csv, weights_2019.csv ...), so that a new plan
is added by adding files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from zcqlib import tables
from zcqlib.reference import (
    GRADED,
    LINKED,
    REFERENCE,
    SHEETS,
    CatalogError,
    Fault,
    check_reference,
    label_key,
    nearest,
    read_all,
    reference_folder,
    squeeze,
)
from zcqlib.tables import MILESTONES, TARGETS, MissingData

__all__ = [
    "LINKED",
    "REFERENCE",
    "Catalog",
    "CatalogError",
    "Fault",
    "Indicator",
    "IndicatorMatch",
    "Region",
    "RegionMatch",
    "check_reference",
    "load",
]

_PREFIXES = ("国家级", "国家", "省级")
_ENDINGS = ("管理委员会", "管委会", "园区")
_COUNT_WORDS = re.compile(r"(?:总数量|总数|总量|数量|总计|合计|小计|家数|个数|数|量)$")
_TOTAL_WORDS = {"合计", "总计", "小计", "总量", "总数", "数量", "计", "全部", ""}

_PLACE_LIKE = re.compile(r"[区园城苑院]|示范|开发|高新|经开")


@dataclass(frozen=True, slots=True)
class Region:
    """A place that figures are reported for; `level` is park, zone, city, district or other."""

    id: str
    name_zh: str
    short_zh: str
    level: str
    parent: str
    coverage: str
    colour: str
    shade: str
    marker: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something measured. `unit` is the normal unit, in which every table holds it."""

    id: str
    name_zh: str
    name_en: str
    group: str
    kind: str
    unit: str
    additive: bool
    can_fall: bool
    count: bool
    constant_price: bool
    batch: bool
    numerator: str
    denominator: str
    growth_of: str
    part_of: str
    role: str
    source_precedence: str


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone itself, in words: names, its office, where it lies, with whom it is compared, what its parks are called together."""

    name_zh: str
    short_zh: str
    office_zh: str
    city_zh: str
    province_zh: str
    compare: tuple[str, ...]
    parts_zh: str
    parks_zh: str


@dataclass(frozen=True, slots=True)
class Light:
    """How a target stands: the chance from `at_least` per cent on, or a state; its mark, words and colours."""

    light: str
    at_least: float
    mark: str
    words: str
    colour: str
    text: str
    tint: str


@dataclass(frozen=True, slots=True)
class Lights:
    """The one scale of words for a chance (lights.csv), best first, and the states that have no chance."""

    rows: tuple[Light, ...]

    def of(self, percent: float) -> Light:
        """The light of a chance in per cent as printed."""
        graded = sorted((r for r in self.rows if r.light in GRADED), key=lambda r: -r.at_least)
        return next(r for r in graded if percent >= r.at_least)

    def state(self, light: str) -> Light:
        """The first row of a light: of a state the only one."""
        return next(r for r in self.rows if r.light == light)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting's agenda: its sections in order, and how many months back it compares."""

    name_zh: str
    letter: str
    sections: tuple[str, ...]
    back: int


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised, as numbers in the indicator's unit.

    `comparator` ge, gt, eq, between, done; between has a floor that must be met, `low`, and a stretch, `high`: more
    than the stretch is more than met. An eq is met from its number on.
    """

    comparator: str
    low: float
    high: float = float("nan")
    commitment: str = "firm"

    @classmethod
    def of(cls, row: Mapping) -> Target:
        """The target of a row of TARGETS or PROJECTIONS."""
        commitment = row.get("commitment") or "firm"
        return cls(row["comparator"], row["target_low"], row["target_high"], commitment)

    def met(self, value):
        """Whether a final value, or each of an array, meets the target; a value that is not known does not."""
        return value > self.low if self.comparator == "gt" else value >= self.low - 1e-9

    def gap(self, value, step: float = 0.0):
        """What is missing until the target is met, 0 from then on; `step` is the least by which > is passed."""
        missing = self.low + (step if self.comparator == "gt" else 0) - value
        return missing * (missing > 0)

    @property
    def sign(self) -> str:
        """The comparator in front of a number: >, ≥ or nothing."""
        return {"gt": ">", "ge": "≥", "eq": "≥"}.get(self.comparator, "")

    @property
    def word(self) -> str:
        """The comparator in a sentence."""
        return "超过" if self.comparator == "gt" else ""


@dataclass(frozen=True, slots=True)
class RegionMatch:
    """What a region label means; `kind` that of region_aliases or unknown, `suggestion` the nearest known name."""

    id: str
    kind: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class IndicatorMatch:
    """The indicator that a label names, or "" with the nearest known names."""

    id: str
    suggestions: tuple[str, ...] = ()


@dataclass(
    frozen=True, slots=True, eq=False
)  # compared and hashed by identity, so that answers can be remembered
class Catalog:
    """Everything that is known before a report is read.

    `plan` holds the year's targets as printed, `targets` the same in normal units with what each park owes (TARGETS);
    the other frames have the columns of their files in data/raw/reference.
    """

    year: int
    zone: Zone
    lights: Lights
    meetings: dict[str, Meeting]
    regions: dict[str, Region]
    parks: tuple[str, ...]
    indicators: dict[str, Indicator]
    targets: pd.DataFrame
    stages: pd.DataFrame
    plan: pd.DataFrame
    split: pd.DataFrame
    weights: pd.DataFrame
    bounds: pd.DataFrame
    senders: pd.DataFrame
    units: pd.DataFrame
    membership: pd.DataFrame
    unit_words: pd.DataFrame
    words: pd.DataFrame
    limits: pd.DataFrame
    precedence: pd.DataFrame
    corrections: pd.DataFrame
    resolutions: pd.DataFrame
    checkpoints: pd.DataFrame
    batches: pd.DataFrame
    eligibility: pd.DataFrame
    roster: pd.DataFrame
    colours: pd.DataFrame
    notes: pd.DataFrame
    _prefixes: tuple[str, ...] = field(repr=False)
    _region_aliases: dict[str, list[tuple[str, str, pd.Period, pd.Period]]] = field(repr=False)
    _places: frozenset[str] = field(repr=False)
    _aliases: dict[str, str] = field(repr=False)
    _units: frozenset[str] = field(repr=False)

    def name(self, id: str) -> str:
        """Chinese name of a region (short) or an indicator; a published region is its own name."""
        if id in self.regions:
            return self.regions[id].short_zh
        return self.indicators[id].name_zh if id in self.indicators else id

    def unit(self, indicator: str) -> str:
        """Normal unit of an indicator, "" where it is not in the catalog."""
        return self.indicators[indicator].unit if indicator in self.indicators else ""

    def role(self, role: str) -> str:
        """The indicator that plays a role (indicators.csv), such as 专利申请.

        Raises
        ------
        MissingData : none does.
        """
        for i in self.indicators.values():
            if i.role == role:
                return i.id
        raise MissingData(f"指标表（indicators.csv）没有指标充当「{role}」，这一项略去。")

    def tolerance(self, o: pd.DataFrame) -> pd.Series:
        """Half a unit of the last decimal that OBSERVATIONS show, in the normal unit; 0 for whole counts."""
        raw = o["value_raw"].str.normalize("NFKC").str.replace(r"[,\s]", "", regex=True)
        raw = pd.to_numeric(
            raw.str.extract(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", expand=False), errors="coerce"
        )
        scale = (
            (o["value"] / raw)
            .abs()
            .where(raw.gt(0) & o["value"].ne(0) & o["unit"].ne("%"), 1.0)
            .fillna(1.0)
        )
        words = _factors(self.unit_words)
        stated = [words.get(pair) for pair in zip(o["unit_raw"], o["unit"], strict=True)]
        scale = pd.Series(stated, index=o.index, dtype="float64").fillna(scale)  # also of a zero
        counts = set(self.unit_words.loc[self.unit_words["kind"] == "count", "normal"])
        whole = o["unit"].isin(counts) & o["decimals"].eq(0) & (scale - 1).abs().lt(1e-9)
        return (0.5 * 10.0 ** -o["decimals"] * scale).mask(whole, 0.0)

    def members(self, month: pd.Period) -> tuple[str, ...]:
        """The parks that belong to the zone in a month, in plan order."""
        inside = _inside(self.membership, month, month)
        return tuple(p for p in self.parks if p in inside)

    def headline(self) -> pd.DataFrame:
        """TARGETS rows of the ten groups for the zone: 47 in the plan of 2018, each once."""
        t = self.targets
        return t[(t["group"] != "work") & t["region"].isin(["zone", "city"])].reset_index(drop=True)

    def counted(self) -> pd.DataFrame:
        """TARGETS rows that promise something of their own, each once.

        What restates, is part or stage of, or overlaps another row is left to that other row.
        """
        t = self.targets[~self.targets["relation"].isin(LINKED)]
        rank = t["region"].map({"zone": 0, "city": 0}).fillna(1)
        return (
            t.loc[rank.sort_values(kind="stable").index]
            .drop_duplicates("id")
            .sort_index()
            .reset_index(drop=True)
        )

    def match_region(self, raw: str, month: pd.Period | None = None) -> RegionMatch:
        """Say which place a label means: only exact names count, a near miss is a suggestion.

        Prefixes and endings that offices put around a name are taken away one at a time, looking up after each. With
        `month`, only names that were in use then.
        """
        text = squeeze(raw)
        tried, queue = set(), [text]
        while queue:
            word = queue.pop(0)
            if not word or word in tried:
                continue
            tried.add(word)
            for id, kind, start, end in self._region_aliases.get(word, ()):
                if month is None or not (month < start or month > end):
                    return RegionMatch(id, kind)
            queue += [word[len(p) :] for p in self._prefixes if word.startswith(p)]
            queue += [word[: -len(e)] for e in _ENDINGS if word.endswith(e)]
        if place := next(
            (text[:n] for n in range(len(text), 0, -1) if text[:n] in self._places), ""
        ):
            rest = text[len(place) :]
            if rest in (
                "",
                "省",
                "市",
                "自治区",
                "壮族自治区",
                "回族自治区",
                "维吾尔自治区",
                "特别行政区",
            ):
                return RegionMatch(place if rest != "市" else text, "other_region")
            if re.search(r"[区市县园城州盟谷]$", rest) or any(
                rest.endswith(a) for a in self._region_aliases
            ):
                return RegionMatch(text, "other_region")
        if not _PLACE_LIKE.search(
            text
        ):  # a firm's name is not a misspelt park, and comparing costs
            return RegionMatch("", "unknown", "")
        ours = [alias for alias, uses in self._region_aliases.items() if uses[0][1] == "known"]
        return RegionMatch("", "unknown", next(iter(nearest(text, ours)), ""))

    def match_indicator(self, raw_path: str, suggest: bool = True) -> IndicatorMatch:
        """Find the indicator that a whole header path (a/b/c) names: a part of another thing is not the thing itself.

        Below its whole a part may stand under its full name (专利申请量/发明专利申请量). A tail that says no more than
        total (合计) is left off, and is never enough by itself. `suggest` looks for the nearest names where there is
        none.
        """
        parts = [label_key(p, self._units) for p in raw_path.split("/")]
        whole = label_key(raw_path, self._units) if len(parts) > 1 else parts[0]
        while len(parts) > 1 and parts[-1] in _TOTAL_WORDS:
            parts.pop()
        for key in dict.fromkeys((whole, "/".join(parts))):
            for candidate in (key, _COUNT_WORDS.sub("", key)):
                if candidate in self._aliases:
                    return IndicatorMatch(self._aliases[candidate])
        if len(parts) > 1:
            above, own = (
                self.match_indicator(p, False).id for p in ("/".join(parts[:-1]), parts[-1])
            )
            if above and own and self.indicators[own].part_of == above:
                return IndicatorMatch(own)
        if not suggest:
            return IndicatorMatch("")
        return IndicatorMatch(
            "", nearest(parts[-1], (i.name_zh for i in self.indicators.values()), 3)
        )


def load(reference: Path | None = None, year: int | None = None) -> Catalog:
    """The catalog of one plan year; read again only where a file has changed.

    Parameters
    ----------
    reference : folder of the reference tables, default data/raw/reference.
    year : plan year; its files end in that year. Default the last one that has a plan.
    Returns
    -------
    Catalog; TARGETS in it holds plan rows, figures for each park and the park split (`demo` where made up), all in
    normal units.
    Raises
    ------
    CatalogError : a table has faults (lists the first five), or the year has no plan.
    Source
    ------
    data/raw/reference 各表;目标取自公开的年度建设推进计划。
    """
    folder = Path(reference) if reference else reference_folder()
    stamp = tuple(
        (p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.glob("*.csv"))
    )
    plans = [int(name[8:12]) for name, *_ in stamp if re.fullmatch(r"targets_\d{4}\.csv", name)]
    return _load(folder, year or max(plans, default=0), stamp)


@lru_cache(maxsize=8)
def _load(folder: Path, year: int, stamp: tuple) -> Catalog:
    frames, faults = read_all(folder)
    if errors := [f for f in faults if f.severity == "error"]:
        raise CatalogError(
            f"参考表有 {len(errors)} 处错误,请改正后重试:" + ";".join(map(str, errors[:5]))
        )
    if f"targets_{year}" not in frames:
        have = "、".join(s[-4:] for s in sorted(frames) if s.startswith("targets_")) or "无"
        raise CatalogError(
            f"{folder.name} 中没有 targets_{year}.csv,{year} 年的目标未录入(已有年份:{have})。"
        )
    f = {
        name.removesuffix("_<year>"): frames.get(
            name.replace("<year>", str(year)), tables.empty(sheet)
        ).drop(columns="line", errors="ignore")
        for name, sheet in SHEETS.items()
    }
    units = frozenset(f["unit_words"]["word"])
    zone, lights = _zone(f.pop("zone")), Lights(tuple(_made(Light, f.pop("lights"))))
    regions = {r.id: r for r in _made(Region, f.pop("regions"))}
    names: dict[str, list] = {}
    for row in f.pop("region_aliases").itertuples():
        names.setdefault(squeeze(row.alias), []).append((row.id, row.kind, row.start, row.end))
    parks = tuple(i for i, r in regions.items() if r.level == "park")
    for i in parks:
        for name in (regions[i].name_zh, regions[i].short_zh):
            names.setdefault(squeeze(name), [(i, "known", pd.NaT, pd.NaT)])
    indicators = _indicators(f.pop("indicators"), f["precedence"])
    f["senders"] = _senders(f["senders"], f["units"])
    members = _inside(f["membership"], *(pd.Period(f"{year}-{m}", "M") for m in ("01", "12")))
    stages = tables.check(
        tables.shape(f.pop("stages"), MILESTONES), MILESTONES, where=f"stages_{year}.csv"
    )
    members = [p for p in parks if p in members]
    return Catalog(
        year=year,
        zone=zone,
        lights=lights,
        meetings={
            r.meeting: Meeting(r.name_zh, r.letter, tuple(r.sections.split(";")), r.back)
            for r in f.pop("meetings").itertuples()
        },
        regions=regions,
        parks=parks,
        indicators=indicators,
        targets=_targets(f["targets"], f["split"], indicators, f["unit_words"], members, year),
        plan=f.pop("targets"),
        stages=stages,
        _prefixes=(zone.city_zh, zone.city_zh.removesuffix("市"), zone.province_zh, *_PREFIXES),
        _region_aliases=names,
        _aliases=_aliases(indicators, f.pop("aliases"), units),
        _units=units,
        _places=frozenset(f.pop("places")["name"]),
        **f,
    )


def _made(kind: type, rows: pd.DataFrame) -> Iterator:
    """Rows as records of a kind, which has no other columns."""
    for row in rows.to_dict("records"):
        yield kind(**{k: row[k] for k in kind.__slots__ if k in row})


def _inside(membership: pd.DataFrame, first: pd.Period, last: pd.Period) -> set[str]:
    """The regions that belong to the zone at some time between two months."""
    m = membership
    return set(m.loc[(m["start"] <= last) & ~(m["end"] < first), "region"])


def _zone(rows: pd.DataFrame) -> Zone:
    if len(rows) != 1:
        raise CatalogError(f"zone.csv 有 {len(rows)} 行,应为 1 行:本示范区的名称和叫法。")
    (zone,) = _made(Zone, rows)
    return replace(zone, compare=tuple(filter(None, zone.compare.split(";"))))


def _senders(senders: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Who may send: those that owe a report, then every other unit of the plan, which owes none by the month."""
    others = units.loc[~units["id"].isin(senders["unit"]), ["id", "name_zh", "aliases"]]
    others = others.assign(
        kind="department",
        region="zone",
        unit=others["id"],
        aliases=others["id"] + ";" + others["aliases"],
    )
    return pd.concat([senders, tables.shape(others, SHEETS["senders"])], ignore_index=True)


def _indicators(rows: pd.DataFrame, precedence: pd.DataFrame) -> dict[str, Indicator]:
    """Indicators by id, each with who wins where park and department differ."""
    winner = dict(precedence[["indicator", "winner"]].itertuples(index=False))
    wins = rows["id"].map(winner).fillna(winner.get("default", "department"))
    return {i.id: i for i in _made(Indicator, rows.assign(source_precedence=wins))}


def _aliases(
    indicators: Mapping[str, Indicator], written: pd.DataFrame, units: frozenset[str]
) -> dict[str, str]:
    """Label keys to indicator ids: names, then what is written for them, then both without words of counting."""
    out = {label_key(i.name_zh, units): i.id for i in reversed(indicators.values())}
    out |= {label_key(row.alias, units): row.indicator for row in written.itertuples()}
    for key in [k for k in out if _COUNT_WORDS.sub("", k)]:
        out.setdefault(_COUNT_WORDS.sub("", key), out[key])
    return out


def _factors(unit_words: pd.DataFrame) -> dict[tuple[str, str], float]:
    """What a number in a unit as written is multiplied by, for each normal unit."""
    return {(w.word, w.normal): w.numerator / w.denominator for w in unit_words.itertuples()}


def _targets(
    plan: pd.DataFrame,
    split: pd.DataFrame,
    indicators: dict[str, Indicator],
    unit_words: pd.DataFrame,
    members: list[str],
    year: int,
) -> pd.DataFrame:
    """TARGETS of one year in normal units: the plan's rows, figures per park for each member, and the park split."""
    start, rows, factor_of = pd.Period(f"{year}-01", "M"), [], {}
    factors = _factors(unit_words)
    for row in plan.to_dict("records"):
        printed, unit = row["unit"].removesuffix("/园区"), indicators[row["id"]].unit
        factor = factor_of[row["id"]] = 1.0 if printed == unit else factors[printed, unit]
        base = {
            **row,
            "unit": unit,
            "year": year,
            "in_force_from": start,
            "demo": False,
            "target_low": row["target_low"] * factor,
            "target_high": row["target_high"] * factor,
        }
        if row["scope"] == "each_park":
            times = 1 if row["comparator"] == "done" else len(members)
            rows.append(
                {
                    **base,
                    "region": "zone",
                    "target_low": base["target_low"] * times,
                    "note": f"{row['note']}; zone figure derived from {len(members)} parks",
                }
            )
            rows += [{**base, "region": park} for park in members]
        else:
            rows.append({**base, "region": row["scope"].removeprefix("park:")})
    whole = {r["id"]: r for r in rows if r["region"] in ("zone", "city")}
    for part in split.to_dict("records"):
        if part["id"] not in whole:
            raise CatalogError(
                f"split_{year}.csv「{part['id']}」在 targets_{year}.csv 中没有全区目标,请核对编号。"
            )
        factor = factor_of[part["id"]]
        rows.append(
            {
                **whole[part["id"]],
                **part,
                "target_low": part["target_low"] * factor,
                "target_high": part["target_high"] * factor,
            }
        )
    return tables.check(
        tables.shape(rows, TARGETS), TARGETS, where=f"targets_{year}.csv、split_{year}.csv"
    )


def in_force(targets: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """The targets that hold in a month: of each place and indicator the latest one."""
    live = targets[(targets["year"] == month.year) & (targets["in_force_from"] <= month)]
    return live.sort_values("in_force_from", kind="stable").drop_duplicates(
        ["id", "region"], keep="last"
    )
