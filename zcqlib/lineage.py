"""From a printed number back to the cells it came from: FACTS.inputs → SERIES.inputs → OBSERVATIONS, by joins."""

from __future__ import annotations

import pandas as pd
from matplotlib.text import Text

from zcqlib import figures, tables
from zcqlib.briefing import passport
from zcqlib.briefing.passport import NUMBER, Passport

OWN = "zone", "city"  # whose promises stand in the plan alone; those of parks in its split, too


def of_figure(figure, month, name: str, found) -> Passport:
    """The passport of a figure: the facts of its finding that it prints; of an analyst's own its texts only.

    Its texts are those in which numbers are results: neither its axes nor its footer.

    Raises
    ------
    ReconciliationError : a number in the texts of a finding's figure that is no fact.
    """
    foot, told = ("来源", "数据截至", "ZCQ-"), figures.texts(figure, axes=False)
    texts = [t for t in told if NUMBER.search(t) and not t.startswith(foot)]
    if found is None or isinstance(found, str):
        return Passport(code(month.period, name), found or figure.caption.title, {}, texts)
    keys = {k for t in figure.findobj(Text) for k in (t.get_gid() or "").split("+") if "/" in k}
    keys = {fact for k in keys for fact in found.behind(*k.split("/")[1:])}
    keys.update(found.said[found.title])
    words = [figure.caption.subtitle]
    return passport.made(code(month.period, name), found.title, texts, keys, words, found)


def code(period: pd.Period, name: str) -> str:
    """The code of a figure: its notebook's number and its own name."""
    first, _, rest = name.partition("_")
    return passport.code(period, "F", *((int(first), rest) if first.isdecimal() else (0, name)))


def trace(month, p: Passport) -> str:
    """Each fact with its value and the rows of tables that it rests on, and of each row the cells of received files; of
    a promise the file of the plan, whose rows are known by their ids."""
    lines = [f"{p.code} {p.title}"]
    for fact, (text, value, inputs) in p.facts.items():
        lines.append(f"  {text} = {value!r} | {fact} | 依据:{inputs}")
    needed = "OBSERVATIONS", "PUBLISHED", "SUBMISSIONS", "SERIES", "RANKS", "PROJECTIONS"
    held = {n: tables.empty(tables.VINTAGE[n]) for n in needed}
    held |= month.workspace.read_all(month.vintage)
    rests = pd.concat([_named(held[n], f"{n}/") for n in ("RANKS", "PROJECTIONS")])
    rests = rests.groupby("name")["inputs"].agg(";".join)
    rows = [i for *_, inputs in p.facts.values() for i in inputs.split(";")]
    for row in rows:  # they grow meanwhile: places rest on projections, these on series
        rows += [i for i in rests.get(row, "").split(";") if i and i not in rows]
    named = [row.partition("/") for row in dict.fromkeys(rows)]
    names = [name for table, _, name in named if table != "TARGETS"]
    cells = _cells(held)
    cells = cells[cells["name"].isin(names)].groupby(["name", "file", "file_hash", "sheet"])
    for (name, file, sha, sheet), own in cells["cell"].unique().items():
        lines.append(f"{name}:data/raw/{file} {sheet} {' '.join(own)} sha256:{sha[:12]}")
    for table, _, name in named:
        region, _, id = name.partition(".")
        parts = ["targets"] + ["split"] * (region not in OWN)
        for part in parts if table == "TARGETS" else ():
            lines.append(f"{name}:data/raw/reference/{part}_{month.year}.csv {id}")
    return "\n".join(lines)


def _named(t: pd.DataFrame, table: str = "") -> pd.DataFrame:
    """What each region.indicator of a table rests on."""
    return t.assign(name=table + t["region"] + "." + t["indicator"])[["name", "inputs"]]


def _cells(held: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The cells behind each region.indicator of SERIES and each published figure."""
    seen, printed, files = (held[n] for n in ("OBSERVATIONS", "PUBLISHED", "SUBMISSIONS"))
    printed = printed.assign(file="published/" + printed["file"])
    seen = pd.concat([seen, printed])[["obs_id", "file", "sheet", "cell"]]
    seen = seen.merge(files[["file", "file_hash"]].drop_duplicates("file"), "left").fillna("")
    s = _named(held["SERIES"])
    s = s.assign(obs_id=s["inputs"].str.split(";")).explode("obs_id")
    s = s[["name", "obs_id"]].drop_duplicates()
    return pd.concat([s.merge(seen), seen.assign(name=seen["obs_id"])])
