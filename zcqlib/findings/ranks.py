"""Findings on the parks' places: how sure, by group, and what moved them."""

import re

import numpy as np
import pandas as pd

from zcqlib import quantity, ranking
from zcqlib.catalog import Catalog
from zcqlib.findings.found import (
    NAMED,
    NUMERALS,
    FindingError,
    Given,
    Told,
    finding,
    names,
    printed,
    sum_up,
    ties,
)

TOP = 8  # items that a figure of moves lists; the others are added up
NOT_RANKED = "不排位"
HEADS = dict(value="score", rank="place", period="basis", low="best", high="worst")
HEADS |= dict(end_low="end_best", end_high="end_worst")
WORDS = ["placed", "span", "end_span", "place_told"]


def placed(ranks: pd.DataFrame) -> pd.DataFrame:
    """RANKS of one list with the places as they are told.

    Parameters
    ----------
    ranks : RANKS of one indicator, all measures.
    Returns
    -------
    The rows of the score by `basis` (the period) and `place`, with `best` and `worst` (90 % interval now), `end_best`
    and `end_worst` (at the year's end, NaN where it was not drawn), `placed` (暂定并列第2位, 不排位; 暂定 while values are
    still to come, which the intervals then hold too), `span` (第1—4位) of now, `end_span` of the year's end and `place_told` with all.
    """
    score, wait, end = (
        ranks.query("measure == @m").set_index(["period", "region"], drop=False)
        for m in ("score", "provisional", "year_end")
    )
    t = score.join(end[["low", "high"]].add_prefix("end_"))
    for side, further in (("low", np.fmin), ("high", np.fmax)):  # what values to come may bring
        open_ = wait[side].reindex(t.index)
        for c in (side, f"end_{side}"):
            t[c] = further(t[c], open_).where(t[c].notna())
    t = t.reset_index(drop=True)
    t = t.assign(provisional=score.index.isin(wait.index)).rename(columns=HEADS)
    order = ["basis", "place", "score", "region"]
    t = t.sort_values(order, ascending=[True, True, False, True], ignore_index=True)
    told = []
    for r in t.itertuples():
        now, end = _span(r.best, r.worst), _span(r.end_best, r.end_worst)
        both = "，".join(w + s for w, s in (("目前", now), ("年末", end)) if s)
        place, both = f"第{r.place:.0f}位", f"（90%区间{both}）" * bool(both)
        place = "暂定" * r.provisional + "并列" * bool(r.tied_with) + place
        place, both = (place, both) if r.place == r.place else (NOT_RANKED, "")
        told.append((place, now, end, place + both))
    return t.join(pd.DataFrame(told, t.index, WORDS, dtype=object))


def rules(catalog: Catalog) -> str:
    """Where weights and bounds come from, in words."""
    made_up = catalog.weights.demo.any() or catalog.bounds.demo.any()
    return "没有公开的考核办法，权重和界值为演示" if made_up else "权重和界值见参考表"


def _span(low: float, high: float) -> str:
    return f"第{low:.0f}{f'—{high:.0f}' * (high > low)}位" if low == low else ""


def _now(given: Given, period: str) -> str:
    """One period in words, and how far its figures go: all count from January."""
    told = _short_period(period) * (len(period) != 7)
    last = min(ranking.period_months(period)[1][-1], given.period)
    return f"{period[:4]}年{told}（截至{last.month}月）"


def _short_period(p: str) -> str:
    """A period on an axis: 9月, 第3季度, 上半年, 全年."""
    if len(p) == 7:
        return f"{int(p[5:])}月"
    return f"第{p[-1]}季度" if "Q" in p else {"H1": "上半年", "H2": "下半年"}.get(p[4:], "全年")


FORM_WORDS = {"month": "各月", "quarter": "各季度", "half": "上下半年", "year": "全年"}


def _rows(given: Given, table: str, t: pd.DataFrame, **more) -> pd.DataFrame:
    """Rows of a table as rows of a finding: label, indicator, region and what they rest on."""
    of = f"{table}/" + t.region + "." + t.indicator
    t = t.assign(label=t.region.map(given.catalog.name), inputs=of, **more)
    return t.drop(columns="period", errors="ignore")


@finding("""
    score 分.1 : 得分
    place 位 : 位次值
    best 位 : 目前最好
    worst 位 : 目前最差
    end_best 位 : 年末最好
    end_worst 位 : 年末最差
    placed text place : 位次
    span text best worst : 目前90%区间
    end_span text end_best end_worst : 年末90%区间
    tied_with text : 与谁分不出先后
    place_told text place best worst end_best end_worst : 位次及区间
""")
def ranks(given: Given, form: str = "month", indicator: str = ranking.COMPOSITE) -> Told:
    """The parks' places in all periods of one form, with intervals and ties; sentences are of the last period.

    Rows: `<period>|<park>`, in the order of the places; `at` is the period on an axis.
    """
    r, now = given.table("RANKS", indicator=indicator), ranking.period_of(given.period, form)
    t = placed(r[r.period.map(lambda p: ranking.period_months(p)[0] == form).astype(bool)])
    tied = ["、".join(map(given.name, ids.split(";"))) for ids in t.tied_with]
    t = _rows(given, "RANKS", t, tied_with=tied, at=t.basis.map(_short_period))
    t["label"] += ("（" + t.basis + "）").where(t.basis.ne(now), "")
    t = t.set_axis(t.basis + "|" + t.region)
    last = t.query("basis == @now")
    scope = f"{given.year}年{FORM_WORDS[form]}（截至{given.period.month}月）"
    ranked, out = last.dropna(subset="place"), last.query("place != place")["label"]
    if ranked.empty:
        return Told(t, scope, "本期没有可排位的园区", demo="RANKS")
    told = [
        "；".join(f"{{{i}.label}}{{{i}.score}}，{{{i}.place_told}}" for i in ranked.index),
        f"{names(out)}目标未下达，不排位" * bool(len(out)),
        "暂定的位次因有应报未报的数，按下限计分，补齐后可能变" * bool(ranked.provisional.any()),
        "并列的园区先后分不清（位次互换的可能在三成以上）" * bool(ranked.tied_with.any()),
        rules(given.catalog),
    ]
    return Told(t, scope, _title(ranked), told, demo="RANKS")


def _title(t: pd.DataFrame) -> str:
    """Who leads and how surely, and who comes next; ties are said to be ties."""
    told = []
    for _, rows in t.groupby("place"):
        i, who = rows.index[0], rows.label.str.removesuffix("区").str.removesuffix("示范")
        wide = rows.at[i, "worst"] > rows.at[i, "best"]
        end = rows.at[i, "end_worst"] > rows.at[i, "end_best"]
        open_ = bool(rows.provisional.any())  # never sure while values are still to come
        how = "并列" if len(rows) > 1 else "居" if wide or end or open_ else "稳居"
        span = f"（目前{{{i}.span}}）" * bool(wide and len(rows) == 1 and not told)
        told.append(f"{'、'.join(who)}{'暂' * open_}{how}第{{{i}.place}}{span}")
    return "，".join(told)


@finding("place_chance chance : 可能")
def place_chances(given: Given, form: str = "month") -> Told:
    """How often each park takes each place under other reasonable choices.

    Rows: `<park>|<place>` of what may happen, parks by place; `at` is the place.
    """
    own, now = ranks(given, form=form), ranking.period_of(given.period, form)
    order = list(own.rows.query("basis == @now and place == place")["region"])
    p = given.table("PLACES", indicator=ranking.COMPOSITE, period=now, region=order)
    p = p.query("probability > 0").rename(columns=dict(probability="place_chance"))
    p = p.sort_values(["region", "place"], key=lambda v: v.replace(order, range(len(order))))
    at = [f"第{k}位" for k in p.place]
    t = _rows(given, "PLACES", p, at=at, basis=[now + k for k in at])
    t = t.set_axis(t.region + "|" + t.place.astype(str))
    likeliest = t.loc[t.groupby("region", sort=False)["place_chance"].idxmax()][:2]
    told = [
        f"{r.label}居第{NUMERALS[r.place]}的可能{{{r.Index}.place_chance}}"
        for r in likeliest.itertuples()
    ]
    placed_now = own.rows.loc[now + "|" + likeliest.region, "placed"]
    open_ = bool(placed_now.str.startswith("暂定").any())
    title = "未报的按下限计，" * open_ + "，".join(told) or "各园区居各位次的可能"
    return Told(t, _now(given, now), title, demo="RANKS")


@finding("""
    points 分.1 : 得分
    spread 分.1 : 相差
""")
def groups(given: Given, form: str = "month") -> Told:
    """Scores of the ten groups by park. Rows: `<group>|<park>`, with the group as `at`, and `<group>` with the spread
    as printed."""
    now, weights = ranking.period_of(given.period, form), given.catalog.weights
    label = weights.query("level == 'group'").set_index("id")["name_zh"]
    r = given.table("RANKS", period=now, measure="score").dropna(subset="value")
    r = r.query("indicator != @ranking.COMPOSITE").rename(columns=dict(value="points"))
    r = r.sort_values("indicator", key=lambda s: s.astype(int), kind="stable")
    t = _rows(given, "RANKS", r, at=r.indicator.replace(label), basis=now)
    t = t.assign(indicator="group:" + r.indicator).set_axis(r.indicator + "|" + r.region)
    spread = pd.Series(dtype=float)
    for g, own in t.groupby(r.indicator.array, sort=False):
        told = printed(own.points, 1)
        spread[g] = told.max() - told.min()
        sum_up(t, g, label.get(g, g), own, spread=spread[g])
    title = "各组得分暂缺"
    if len(spread):
        most = ties(spread, 1)
        who = names([f"{{{g}.label}}" for g in most], NAMED)
        title = f"{who}园区差距最大，高低相差{{{most[0]}.spread}}"
    return Told(t, _now(given, now), title, demo="RANKS")


@finding("gain +分.1 : 对得分的影响")
def moves(given: Given, form: str = "month") -> Told:
    """What moved each park's score since the last period, item by item; the gains as printed add up to the change of
    the score as printed. Rows by park: `<item>|<park>`, the weightiest items first, `rest|<park>` with all beyond the
    first `TOP`, and `<park>` with the whole change."""
    now, name = ranking.period_of(given.period, form), given.name
    m, label = given.table("MOVES", period=now), given.catalog.weights.set_index("id")["name_zh"]
    scope, what = _now(given, now), ["label", "indicator", "region", "gain"]
    if m.empty:
        return Told(pd.DataFrame(columns=what), scope, "没有上一期可比", demo="RANKS")
    before = m.before.iloc[0]
    scores = given.table("RANKS", indicator=ranking.COMPOSITE, measure="score")
    scores = printed(scores.set_index(["period", "region"])["value"], 1)
    change = (scores[now] - scores[before]).round(1)
    wide = m.pivot(index="indicator", columns="region", values="score_change").fillna(0.0)
    wide = wide.loc[wide.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index]
    rows, parks = {}, [p for p in given.catalog.parks if p in wide]
    for park in parks:
        # two rounded scores may be off by half a tenth each
        if abs(change[park] - wide[park].sum()) > 0.11:
            raise FindingError(f"{name(park)}各项得分变化(MOVES)与总分变化(RANKS)两处不一致。")
        gains = list(map(float, quantity.printed_parts(wide[park], 1, change[park])))
        for i, gain in zip(wide.index, gains, strict=True):
            rows[f"{i}|{park}"] = re.sub(r"\([^)]*\)$", "", label.get(i, i)), i, park, gain
        if len(gains) > TOP:
            rows[f"rest|{park}"] = "其余各项", "", park, round(sum(gains[TOP:]), 1)
        rows[park] = "合计", "", park, change[park]
    t = pd.DataFrame(rows.values(), rows, what)
    t["inputs"] = "MOVES/" + t.region + f".{ranking.COMPOSITE}"
    most = ties(change[parks].abs(), 1)
    said = [f"{name(p)}{{{p}.gain}}" for p in most]
    title = "得分变动最大：" + "、".join(said)
    if len(most) == 1:
        own = t.query("region == @most[0] and indicator != ''")["gain"] * np.sign(change[most[0]])
        why = "、".join(f"{{{i}.label}}" for i in ties(own, 1)[:NAMED])
        title = f"{name(most[0])}得分{{{most[0]}.gain}}，主要因为{why}"
    scope += f"，与{_now(given, before)}相比"
    return Told(t, scope, title, demo="RANKS")
