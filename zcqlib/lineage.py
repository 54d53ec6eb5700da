"""From a printed number back to the cells it came from: facts on a figure, what they rest on, cells of received files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath

import pandas as pd
from matplotlib.text import Text

from zcqlib import figures
from zcqlib.briefing import passport
from zcqlib.briefing.passport import NUMBER, Passport, Source


def cells(month, names: Iterable[str]) -> dict[str, tuple[Source, ...]]:
    """The cells of a Month's files behind each name (`region/indicator`, `target/id` or `published/obs_id`), by name.

    A zone figure that nobody reported is the sum of the parks', so their cells stand for it; a ratio or growth rests on
    the cells of what it is made of.
    """
    out, indicators = {}, month.catalog.indicators
    for name in sorted(set(names)):
        region, _, indicator = name.partition("/")
        if region == "target":
            out[name] = _plan(month.vintage, month.workspace.root).get(indicator, ())
        elif region == "published":
            out[name] = _printed(month.vintage).get(indicator, ())
        else:
            held, found, i = _received(month.vintage), [], indicators.get(indicator)
            for part in (indicator, *((i.numerator, i.denominator, i.growth_of) if i else ())):
                found += held.get((region, part)) or (
                    held.get(("", part), []) if region == "zone" else []
                )
            out[name] = passport.gather(found)
    return out


def _inputs(vintage: Path) -> dict[str, str]:
    return json.loads((vintage / "vintage.json").read_text("utf-8"))["recipe"]["inputs"]


@lru_cache(maxsize=2)
def _printed(vintage: Path) -> dict[str, tuple[Source, ...]]:
    """Cells of published figures by obs_id."""
    t = pd.read_parquet(vintage / "PUBLISHED.parquet", columns=["obs_id", "file", "sheet", "cell"])
    return {r.obs_id: ((r.file, r.sheet, r.cell, ""),) for r in t.itertuples()}


@lru_cache(maxsize=2)
def _received(vintage: Path) -> dict[tuple[str, str], list[Source]]:
    """Cells of observed values by region and indicator, those of all parks together under region ""."""
    inputs = _inputs(vintage)

    @cache
    def sent(
        file: str,
    ) -> tuple[str, str]:  # with the hash of the file, or of the zip that it is in
        path = PurePosixPath("data/raw", file)
        whole = next((p for p in map(str, (path, *path.parents)) if p in inputs), "")
        return str(path), inputs.get(whole, "")

    if not (vintage / "OBSERVATIONS.parquet").exists():  # published data only
        return {}
    o = pd.read_parquet(vintage / "OBSERVATIONS.parquet")
    o = o[o["measure"].isin(["value", "yoy_pct"]) & (o["indicator"] != "")]
    columns = (o[c].tolist() for c in ("region", "indicator", "coverage", "file", "sheet", "cell"))
    out: dict[tuple[str, str], list[Source]] = {}
    for region, i, coverage, file, sheet, cell in zip(*columns, strict=True):
        path, sha = sent(file)
        out.setdefault((region, i), []).append((path, sheet, cell, sha))
        if region not in ("zone", "city") and coverage in ("", "zone_part"):
            out.setdefault(("", i), []).append((path, sheet, cell, sha))
    return out


@lru_cache(maxsize=2)
def _plan(vintage: Path, root: Path) -> dict[str, tuple[Source, ...]]:
    """The lines of the plan's tables by target."""
    out = {}
    for path, sha in _inputs(vintage).items():
        if re.search(r"/(?:targets|split)_\d{4}\.csv$", path):
            for number, line in enumerate(
                (root / path).read_bytes().decode("utf-8-sig", "replace").splitlines(), 1
            ):
                id = line.partition(",")[0].strip('"')
                out[id] = (*out.get(id, ()), (path, "", f"第{number}行", sha))
    return out


def of_figure(figure, month, name: str, found) -> Passport:
    """The passport of a figure: the facts of its finding that it prints; of an analyst's own its texts only.

    Raises
    ------
    ReconciliationError : a number in the texts of a finding's figure that is no fact.
    """
    own, texts = code(month.period, name), tuple(printed(figure))
    if found is None or isinstance(found, str):
        return Passport(own, found or figure.caption.title, texts=texts)
    keys = [k.split("/") for t in figure.findobj(Text) for k in (t.get_gid() or "").split("+")]
    named = [fact for _, *at in (k for k in keys if len(k) == 3) for fact in found.behind(*at)]
    numbers = passport.of_facts(found.facts(all_=True), {*named, *found.said[found.title]})
    made = Passport(own, found.title, numbers, texts, found.chosen == ())
    return passport.complete(made, [figure.caption.subtitle], found)


def printed(figure) -> list[str]:
    """The texts of a figure in which numbers are results: neither its axes nor its footer."""
    return [
        t
        for t in figures.texts(figure, axes=False)
        if NUMBER.search(t) and not t.startswith(("来源", "数据截至", "ZCQ-"))
    ]


def code(period: pd.Period, name: str) -> str:
    """The code of a figure: its notebook's number and its own name."""
    first, _, rest = name.partition("_")
    return (
        passport.code(period, "F", int(first), rest)
        if first.isdecimal()
        else passport.code(period, "F", 0, name)
    )
