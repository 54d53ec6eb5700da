"""Who sent a file, and which of several it is: what its name, its 填报单位 line and the places in it agree on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath

from zcqlib.catalog import Catalog
from zcqlib.reports.grid import Sheet
from zcqlib.reports.words import numeral

_STATED = re.compile(
    r"(?:填报|报送|编报|填表|上报|制表|报表|汇总|呈报)(?:单位|部门|机构)(?:名称|全称)?(?:\(?(?:盖章|公章|签章)\)?)?[::]*(.*)"
)
_FORMS = re.compile(r"(?:国家级?|省级)$")
_HALL = re.compile(r"(?:管委会|政府|管理委员会)$")
_OF_A_PLACE = re.compile(r"[区县镇乡园省州旗盟]$|管委会$|政府$")
# words in a file name that order the submissions of one month (report-formats, trait 85)
_EARLIER = re.compile(r"快报|初步|预报|草稿|[非未](?:最终|正式|定稿)")
_LATER = re.compile(r"修订|修正|更正|补报|(?<![非未])(?:最终|正式|定稿)|终稿")
_NUMBERED = re.compile(
    r"v(\d+)(?:\.(\d+))?|第?([\d一二三四五六七八九十]+)(?:[版稿]|次(?:修|报|更))|(?:修订|修正|更正)稿?([\d一二三四五六七八九十]+)"
)


def stated(sheets: Sequence[Sheet]) -> str:
    """What stands behind 填报单位 in the first sheet that has such a line, "" where none has."""
    for s in sheets:
        for row in (*s.rows[:40], *s.rows[40:][-20:]):
            texts = [_flat(v) for v in row if isinstance(v, str) and v.strip()]
            for text, after in pairwise([*texts, ""]):
                if len(text) <= 80 and (m := _STATED.match(text)):
                    return (m[1] or after)[:80]
    return ""


def _flat(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=8)
def _names(catalog: Catalog) -> dict[str, tuple[str, bool]]:
    """Every name of a sender, the longest first, with the sender and whether it is a park."""
    known, places = {}, catalog._region_aliases.items()
    for s in catalog.senders.itertuples():
        names, park = [s.name_zh, *s.aliases.split(";")], s.kind == "park"
        if park:
            ours = (s.region, "known")
            names += [
                alias for alias, (place, *_) in places if len(alias) > 2 and place[:2] == ours
            ]
        for name in filter(None, names):
            known.setdefault(_flat(name), (s.id, park))
    return {a: known[a] for a in sorted(known, key=len, reverse=True)}


def named(text: str, catalog: Catalog) -> set[str]:
    """The senders that a text names; "" stands for another place's office of a like name (郑州高新区)."""
    text, names = _flat(text), _names(catalog)
    every = re.finditer("|".join(map(re.escape, names)) or "(?!)", text)
    found = [(*m.span(), *names[m[0]]) for m in every]
    parks = {end for _, end, _, park in found if park}
    out = set()
    for start, _, sender, park in found:
        before = _FORMS.sub("", text[:start])
        place = _place_before(before, catalog)
        if park:
            out.add("" if place == "other" else sender)
        elif start not in parks and len(_HALL.sub("", before)) not in parks:
            # 高新区科技局 is the park's
            ours = place in ("city", "zone") or not place and not _OF_A_PLACE.search(before)
            out.add(sender if ours else "")
    return out


def _place_before(before: str, catalog: Catalog) -> str:
    """The place whose name a text ends with: its id, other where it is not ours, "" where there is none."""
    for n in range(min(len(before), 5), 1, -1):
        match = catalog.match_region(before[-n:])
        if match.kind in ("other_region", "known"):
            return "other" if match.kind == "other_region" else match.id
    return ""


def decide(name: str, said: str, inside: Iterable[str], catalog: Catalog) -> tuple[str, str]:
    """Who sent a file, and why that cannot be told ("" where it can).

    Parameters
    ----------
    name : the file's name. said : what stands behind 填报单位. inside : ids of the regions that its figures are of.
    """
    found = list(filter(None, (named(PurePath(name).stem, catalog), named(said, catalog))))
    agreed, known = set.intersection(*found or [set()]), catalog.senders.set_index("id")
    line = f"填报单位写的是「{said}」" if said else "文件里没有填报单位"
    if not found:
        return "", f"文件名里没有已知的报送单位,{line}"
    if len(agreed) != 1 and len(found) > 1:
        return "", f"文件名与填报单位不一致({line})"
    if len(agreed) > 1:
        several = "、".join(known["name_zh"].get(s, "外地单位") for s in sorted(agreed))
        return "", f"名称里有几个单位({several})"
    (sender,) = agreed
    if not sender:
        return "", f"写的是外地的同名单位({line})"
    own = known.loc[sender]
    places = set(inside) & set(catalog.parks)
    if own["kind"] == "park" and places and own["region"] not in places:
        inside = "、".join(map(catalog.name, sorted(places)))
        return "", f"文件名写的是{own['name_zh']},表里却只有{inside}的数"
    return sender, ""


def order(name: str) -> tuple[int, int, int]:
    """Order key of a file among the submissions of one sender and month; equal keys cannot be told apart."""
    # a download counter is no version
    stem = re.sub(r"\(\d+\)$", "", _flat(PurePath(name).stem)).lower()
    found = _NUMBERED.search(stem) or "0" * 5
    major, minor = numeral(found[1] or found[3] or found[4]), int(found[2] or 0)
    early = _EARLIER.search(stem) is not None
    return (not early and _LATER.search(stem) is not None) - early, major, minor
