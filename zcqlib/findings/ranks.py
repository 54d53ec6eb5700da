"""Findings on the parks' places: how sure, by group, and what moved them."""

import re

import numpy as np
import pandas as pd

from zcqlib import quantity, ranking
from zcqlib.findings.found import NAMED, FindingError, Given, Told, finding, names, printed, sum_up

TOP = 8  # items that a figure of moves lists; the others are added up
NOT_RANKED = "不排位"
NUMERALS = "〇一二三四五六七八九十"


def placed(ranks: pd.DataFrame) -> pd.DataFrame:
    """RANKS of one list with the place as it is told.

    Parameters
    ----------
    ranks : RANKS of one indicator and period, all measures.
    Returns
    -------
    The rows of the score by place, `provisional` (whether values that are still to come may change the place), `end_low`
    and `end_high` (90 % interval at the year's end, NaN where it was not drawn), `place` (暂定并列第2位, 不排位), `spans`
    (第1—4位) of now, `ends` of the year's end and `told` with all.
    """
    score, wait, end = (
        ranks.query("measure == @m").set_index("region", drop=False).rename_axis(None)
        for m in ("score", "provisional", "year_end")
    )
    out = score.sort_values(["rank", "value", "region"], ascending=[True, False, True])
    end = end.reindex(out.index)
    out = out.assign(
        end_low=end["low"], end_high=end["high"], provisional=out.index.isin(wait.index)
    )
    told = []
    for r in out.itertuples():
        place = f"{'暂定' * r.provisional}{'并列' * bool(r.tied_with)}第{r.rank:.0f}位"
        place = place if r.rank == r.rank else NOT_RANKED
        now, end = _span(r.low, r.high), _span(r.end_low, r.end_high)
        both = "，".join(w + s for w, s in (("目前", now), ("年末", end)) if s)
        both = f"（90%区间{both}）" * bool(both and r.rank == r.rank)
        told.append((place, now, end, place + both))
    columns = ["place", "spans", "ends", "told"]
    told = pd.DataFrame(told, out.index, columns, dtype=object)
    return out.join(told).reset_index(drop=True)


def _span(low: float, high: float) -> str:
    return f"第{low:.0f}{f'—{high:.0f}' * (high > low)}位" if low == low else ""


def _now(given: Given, period: str) -> str:
    """One period in words, and how far its figures go: all count from January."""
    form, months = ranking.period_months(period)
    told = "" if form == "month" else _short_period(period)
    return f"{period[:4]}年{told}（截至{min(months[-1], given.period).month}月）"


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
    r = r[r["period"].map(lambda p: ranking.period_months(p)[0] == form).astype(bool)]
    t = pd.concat([placed(part) for _, part in r.groupby("period")] or [placed(r)])
    named = dict(value="score", rank="place", place="placed", low="best", high="worst")
    named |= dict(end_low="end_best", end_high="end_worst", told="place_told", period="basis")
    t = _rows(given, "RANKS", t.rename(columns=named | dict(spans="span", ends="end_span")))
    tied = [[given.name(i) for i in str(ids).split(";") if i] for ids in t.tied_with]
    t = t.assign(tied_with=list(map("、".join, tied)), at=t.basis.map(_short_period))
    words = ["span", "end_span", "tied_with"]
    t[words] = t[words].replace("", quantity.NONE)
    t["label"] += ("（" + t.basis + "）").where(t.basis.ne(now), "")
    t = t.set_axis(t.basis + "|" + t.region)
    last = t.query("basis == @now")
    scope = f"{given.year}年{FORM_WORDS[form]}（截至{given.period.month}月）"
    ranked = last.dropna(subset="place")
    if ranked.empty:
        none = "本期没有可排位的园区"
        return Told(t, scope, none, [none], demo="RANKS")
    out = last.query("place != place")["label"]
    told = [
        "；".join(f"{{{i}.label}}{{{i}.score}}，{{{i}.place_told}}" for i in ranked.index),
        f"{names(out)}目标未下达，不排位" * bool(len(out)),
        "暂定的位次因有应报未报的数，按下限计分，补齐后可能变"
        * bool(ranked.placed.str.startswith("暂定").any()),
        "并列的园区先后分不清（位次互换的可能在三成以上）"
        * bool(ranked.tied_with.ne(quantity.NONE).any()),
        "没有公开的考核办法，权重暂按等权",
    ]
    return Told(t, scope, _title(ranked), told, demo="RANKS")


def _title(t: pd.DataFrame) -> tuple[str, ...]:
    """Who leads and how surely, and who comes next; ties are said to be ties."""
    told = []
    for _, rows in t.groupby("place"):
        i, who = rows.index[0], rows.label.str.removesuffix("区").str.removesuffix("示范")
        wide = rows.at[i, "worst"] > rows.at[i, "best"]
        how = "并列" if len(rows) > 1 else "居" if wide else "稳居"
        span = f"（目前{{{i}.span}}）" * bool(wide and len(rows) == 1 and not told)
        told.append(f"{'、'.join(who)}{how}第{{{i}.place}}{span}")
    return tuple("，".join(told[:k]) for k in range(len(told), 0, -1))


@finding("place_chance chance : 可能")
def place_chances(given: Given, form: str = "month") -> Told:
    """How often each park takes each place under other reasonable choices.

    Rows: `<park>|<place>` of what may happen, parks by place; `at` is the place.
    """
    own, now = ranks(given, form=form), ranking.period_of(given.period, form)
    last = own.rows.query("basis == @now and place == place")
    order = {r: n for n, r in enumerate(last.region)}
    p = given.table("PLACES", indicator=ranking.COMPOSITE, period=now, region=order)
    p = p.query("probability > 0").rename(columns=dict(probability="place_chance"))
    p = p.sort_values(["region", "place"], key=lambda v: v.replace(order), kind="stable")
    at = [f"第{k}位" for k in p.place]
    t = _rows(given, "PLACES", p, at=at, basis=[now + k for k in at])
    t.index = p.region + "|" + p.place.astype(str)
    # of who leads the chance to be first, of the others the likeliest place
    t["leads"] = t.region.isin(last.region[last.place.eq(last.place.min())])
    top = t.query("place == 1 or not leads")
    top = top.sort_values(["leads", "place_chance"], ascending=False, kind="stable")
    told = [
        f"{r.label}居第{NUMERALS[r.place]}的可能{{{r.Index}.place_chance}}"
        for r in top.drop_duplicates("region")[:2].itertuples()
    ]
    titles = [*filter(None, ["，".join(told), *told[:1]]), "各园区居各位次的可能"]
    return Told(t, _now(given, now), titles, demo="RANKS")


@finding("""
    points 分.1 : 得分
    spread 分.1 : 相差
""")
def groups(given: Given, form: str = "month") -> Told:
    """Scores of the ten groups by park. Rows: `<group>|<park>`, with the group as `at`, and `<group>` with the spread
    as printed."""
    now = ranking.period_of(given.period, form)
    label = given.catalog.weights.query("level == 'group'").set_index("id")["name_zh"]
    r = given.table("RANKS", period=now, measure="score").dropna(subset="value")
    r = r.query("indicator != @ranking.COMPOSITE")
    r = r.sort_values("indicator", key=lambda s: s.astype(int), kind="stable")
    group = r["indicator"]
    at = group.replace(label)
    t = _rows(given, "RANKS", r, at=at, basis=now, points=r["value"])
    t = t.assign(indicator="group:" + group).set_axis(group + "|" + r["region"])
    parts = printed(r["value"], 1).groupby(group, sort=False)
    spread = (parts.max() - parts.min()).astype(float)
    for g, wide in spread.items():
        sum_up(t, g, label.get(g, g), t.query("indicator == 'group:' + @g"), spread=wide)
    title = "各组得分暂缺"
    if len(spread):
        most = spread.index[spread.round(9).eq(spread.round(9).max())]
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
    scores = given.table("RANKS", indicator=ranking.COMPOSITE, measure="score")
    scores = printed(scores.set_index(["period", "region"])["value"], 1)
    wide = m.pivot(index="indicator", columns="region", values="score_change").fillna(0.0)
    wide = wide.loc[wide.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index]
    rows, told = {}, []
    for park in [p for p in given.catalog.parks if p in wide]:
        total = round(scores[now, park] - scores[m.before.iloc[0], park], 1)
        # two rounded scores may be off by half a tenth each
        if abs(total - wide[park].sum()) > 0.11:
            raise FindingError(f"{name(park)}各项得分变化(MOVES)与总分变化(RANKS)两处不一致。")
        gains = pd.Series(map(float, quantity.printed_parts(wide[park], 1, total)), wide.index)
        for i, gain in gains.items():
            rows[f"{i}|{park}"] = re.sub(r"\([^)]*\)$", "", label.get(i, i)), i, park, gain
        if len(gains) > TOP:
            rows[f"rest|{park}"] = "其余各项", "", park, round(gains.iloc[TOP:].sum(), 1)
        rows[park] = "合计", "", park, total
        top = gains[gains.ne(0)].abs().sort_values(ascending=False, kind="stable").index[:3]
        causes = "、".join(f"{{{i}|{park}.label}}{{{i}|{park}.gain}}" for i in top)
        told.append(f"{name(park)}得分{{{park}.gain}}" + f"：{causes}" * bool(causes))
    t = pd.DataFrame(rows.values(), rows, ["label", "indicator", "region", "gain"])
    t["inputs"] = "MOVES/" + t.region + f".{ranking.COMPOSITE}"
    scope, none = _now(given, now), "没有上一期可比"
    if m.empty:
        return Told(t, scope, none, [none], demo="RANKS")
    scope += f"，与{_now(given, m['before'].iloc[0])}相比"
    return Told(t, scope, _moves_title(t, name), told, demo="RANKS")


def _moves_title(t: pd.DataFrame, name) -> str | tuple[str, ...]:
    """Whose score moved most, all who tie, or why."""
    total = t.gain[t.index == t.region]
    most = total.index[total.abs().eq(total.abs().max())]
    said = [f"{name(p)}{{{p}.gain}}" for p in most]
    if len(most) > 1:
        return "得分变动最大：" + "、".join(said)
    own = t.query("region == @most[0] and indicator != ''")["gain"] * np.sign(total[most[0]] or 1)
    why = "、".join(f"{{{i}.label}}" for i in own.index[own.eq(own.max())][:NAMED])
    head = f"{name(most[0])}得分{{{most[0]}.gain}}"
    return f"{head}，主要因为{why}", head
