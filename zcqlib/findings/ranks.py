"""Findings on the parks' places: how sure, by group, and what moved them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from zcqlib import quantity, ranking
from zcqlib.findings.found import (
    CHANCE,
    Change,
    FindingError,
    Found,
    Given,
    Measure,
    Scale,
    finding,
    lay,
    words,
)
from zcqlib.findings.targets import NAMED, NAN, names

PLACE, SCORE, GAIN = Scale("位"), Scale("分", digits=1), Change("分", digits=1)
TOP = 8  # items that a figure of moves lists; the others are added up
RANKS = {
    "score": Measure("得分", SCORE),
    "place": Measure("位次值", PLACE),
    "best": Measure("目前最好", PLACE),
    "worst": Measure("目前最差", PLACE),
    "end_best": Measure("年末最好", PLACE),
    "end_worst": Measure("年末最差", PLACE),
    "placed": words("位次", "place"),
    "span": words("目前90%区间", "best", "worst"),
    "end_span": words("年末90%区间", "end_best", "end_worst"),
    "tied_with": words("与谁分不出先后"),
    "place_told": words("位次及区间", "place", "best", "worst", "end_best", "end_worst"),
}
GROUPS = {"points": Measure("得分", SCORE), "spread": Measure("相差", SCORE)}
CHANCES = {"place_chance": Measure("可能", CHANCE)}
MOVED = {"gain": Measure("对得分的影响", GAIN)}
NOT_RANKED = "不排位"


def placed(ranks: pd.DataFrame) -> pd.DataFrame:
    """RANKS of one list with the place as it is told.

    Parameters
    ----------
    ranks : RANKS of one indicator and period, all measures.
    Returns
    -------
    The rows of the score by place, `provisional` (whether values that are still to come may change the place), `end_low`
    and `end_high` (90 % interval at the year's end, NaN where it was not drawn), `place` (暂定并列第2位, 不排位), `spans`
    (目前第1—4位, 年末第1—5位) and `told` with both.
    """
    by = {m: part.set_index("region") for m, part in ranks.groupby("measure")}
    out = ranks[ranks["measure"] == "score"]
    out = out.sort_values(["rank", "value", "region"], ascending=[True, False, True])
    end = by.get("year_end", by["score"].iloc[:0] if "score" in by else out.iloc[:0])
    end = (
        end.reindex(out["region"])
        if len(end)
        else pd.DataFrame(NAN, out["region"], ["low", "high"])
    )
    out["end_low"], out["end_high"] = end["low"].array, end["high"].array
    out["provisional"] = out["region"].isin(by["provisional"].index if "provisional" in by else [])
    places, spans, told = [], [], []
    for r in out.itertuples():
        ends = _span(r.low, r.high), _span(r.end_low, r.end_high)
        spans.append(ends)
        both = "，".join(w + s for w, s in zip(("目前", "年末"), ends, strict=True) if s)
        place = f"{'暂定' if r.provisional else ''}{'并列' if r.tied_with else ''}第{r.rank:.0f}位"
        places.append(NOT_RANKED if r.rank != r.rank else place)
        told.append(places[-1] + (f"（90%区间{both}）" if both and r.rank == r.rank else ""))
    return out.assign(place=places, spans=spans, told=told)


def _span(low: float, high: float) -> str:
    return f"第{low:.0f}{f'—{high:.0f}' if high > low else ''}位" if low == low else ""


def _found(given: Given, name: str, rows: pd.DataFrame, own: dict, scope: str, *told) -> Found:
    demo, source = bool(given.table("RANKS")["demo"].any()), f"{given.source()}，自创办测算"
    return Found(name, rows, own, source, scope, given.period, given.known, demo, *told)


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


@finding(*RANKS)
def ranks(given: Given, form: str = "month", indicator: str = ranking.COMPOSITE) -> Found:
    """The parks' places in all periods of one form, with intervals and ties; sentences are of the last period.

    Rows: `<period>|<park>`, in the order of the places; `at` is the period on an axis.
    """
    r, name = given.table("RANKS"), given.catalog.name
    r = r[r["indicator"].eq(indicator)]
    r = r[r["period"].map(lambda p: ranking.period_months(p)[0] == form).astype(bool)]
    now, rows = ranking.period_of(given.period, form), []
    for period, part in r.groupby("period"):
        for x in placed(part).to_dict("records"):
            tied = [name(i) for i in str(x["tied_with"]).split(";") if i]
            rows.append(
                dict(
                    id=f"{period}|{x['region']}",
                    label=name(x["region"]) + ("" if period == now else f"（{period}）"),
                    indicator=indicator,
                    region=x["region"],
                    basis=period,
                    inputs=f"RANKS/{x['region']}.{indicator}",
                    score=x["value"],
                    place=x["rank"],
                    best=x["low"],
                    worst=x["high"],
                    end_best=x["end_low"],
                    end_worst=x["end_high"],
                    placed=x["place"],
                    span=x["spans"][0] or quantity.NONE,
                    end_span=x["spans"][1] or quantity.NONE,
                    tied_with="、".join(tied) or quantity.NONE,
                    place_told=x["told"],
                )
            )
    t = lay(pd.DataFrame(rows or {"id": []}).set_index("id"), RANKS)
    t["at"] = t["basis"].map(_short_period)
    last, scope = t[t["basis"].eq(now)], f"{given.period.year}年{FORM_WORDS[form]}"
    scope += f"（截至{given.period.month}月）"
    return _found(given, "ranks", t, RANKS, scope, _title(last, name), _ranks_told(last))


def _title(t: pd.DataFrame, name) -> str | tuple[str, ...]:
    """Who leads and how surely, and who comes next; ties are said to be ties."""
    t = t.dropna(subset="place")
    if t.empty:
        return "本期没有可排位的园区"
    told = []
    for _, rows in t.groupby("place"):
        first, who = rows.index[0], "、".join(map(_short, rows["label"]))
        sure = rows["best"].iloc[0] == rows["worst"].iloc[0]
        how = "并列" if len(rows) > 1 else "稳居" if sure else "居"
        told.append(f"{who}{how}第{{{first}.place}}")
    top = t[t["place"].eq(t["place"].iloc[0])]
    if len(top) == 1 and top["worst"].iloc[0] > top["best"].iloc[0]:
        told[0] += f"（目前{{{top.index[0]}.span}}）"
    return tuple("，".join(told[:k]) for k in range(len(told), 0, -1))


def _short(label: str) -> str:
    return label.removesuffix("区").removesuffix("示范")


def _ranks_told(t: pd.DataFrame) -> tuple[str, ...]:
    ranked = t[t["place"].notna()]
    if ranked.empty:
        return ("本期没有可排位的园区",)
    out = t.loc[t["place"].isna(), "label"]
    rows = [f"{{{i}.label}}{{{i}.score}}，{{{i}.place_told}}" for i in ranked.index]
    told = ["；".join(rows)]
    told += [f"{names(out)}目标未下达，不排位"] * bool(len(out))
    if ranked["placed"].str.startswith("暂定").any():
        told.append("暂定的位次因有应报未报的数，按下限计分，补齐后可能变")
    if ranked["tied_with"].ne(quantity.NONE).any():
        told.append("并列的园区先后分不清（位次互换的可能在三成以上）")
    return (*told, "没有公开的考核办法，权重暂按等权")


@finding(*CHANCES)
def place_chances(given: Given, form: str = "month") -> Found:
    """How often each park takes each place under other reasonable choices.

    Rows: `<park>|<place>` of what may happen, parks by place; `at` is the place.
    """
    own, now = ranks(given, form=form), ranking.period_of(given.period, form)
    last = own.rows[own.rows["basis"].eq(now) & own.rows["place"].notna()]
    p = given.table("PLACES")
    p = p[p["indicator"].eq(ranking.COMPOSITE) & p["period"].eq(now) & p["probability"].gt(0)]
    order = {r: n for n, r in enumerate(last["region"])}
    p = p[p["region"].isin(order)].sort_values(["place"], kind="stable")
    p = p.sort_values("region", key=lambda v: v.map(order), kind="stable")
    name = given.catalog.name
    t = lay(
        pd.DataFrame(
            {
                "label": p["region"].map(name).to_numpy(),
                "indicator": ranking.COMPOSITE,
                "region": p["region"].to_numpy(),
                "basis": [f"{now}第{k}位" for k in p["place"]],
                "inputs": [f"PLACES/{r}.{ranking.COMPOSITE}" for r in p["region"]],
                "place_chance": p["probability"].to_numpy(float),
            },
            [f"{r.region}|{r.place}" for r in p.itertuples()],
        ),
        CHANCES,
    )
    t["at"] = [f"第{k}位" for k in p["place"]]
    told = []
    for r in last.itertuples():
        mine, leads = t[t["region"].eq(r.region)]["place_chance"], r.place == last["place"].min()
        top = f"{r.region}|1" if leads else mine.idxmax() if len(mine) else ""
        if top in t.index:
            told.append((not leads, -t.at[top, "place_chance"], top, r.label))
    told = [
        f"{label}居第{NUMERALS[int(top.partition('|')[2])]}的可能{{{top}.place_chance}}"
        for *_, top, label in sorted(told)
    ]
    titles = [("，".join(told[:k])) for k in (2, 1) if told[:k]]
    told = (*titles, "各园区居各位次的可能")
    return _found(given, "place_chances", t, CHANCES, _now(given, now), told)


NUMERALS = "〇一二三四五六七八九十"


@finding(*GROUPS)
def groups(given: Given, form: str = "month") -> Found:
    """Scores of the ten groups by park. Rows: `<group>|<park>`, with the group as `at`, and `<group>` with the spread
    as printed."""
    now, name = ranking.period_of(given.period, form), given.catalog.name
    label = given.catalog.weights.query("level == 'group'").set_index("id")["name_zh"]
    r = given.table("RANKS")
    r = r[r["period"].eq(now) & r["measure"].eq("score") & r["indicator"].ne(ranking.COMPOSITE)]
    r = r.dropna(subset="value").sort_values(
        "indicator", key=lambda s: s.astype(int), kind="stable"
    )
    t = lay(
        pd.DataFrame(
            {
                "label": r["region"].map(name).to_numpy(),
                "indicator": [f"group:{i}" for i in r["indicator"]],
                "region": r["region"].to_numpy(),
                "basis": now,
                "inputs": [f"RANKS/{x.region}.{x.indicator}" for x in r.itertuples()],
                "points": r["value"].to_numpy(float),
                "spread": NAN,
            },
            [f"{x.indicator}|{x.region}" for x in r.itertuples()],
        ),
        GROUPS,
    )
    t["at"] = [label.get(i, i) for i in r["indicator"]]
    printed = t["points"].map(lambda v: float(SCORE.round(v)))
    spread = printed.groupby(r["indicator"].to_numpy(), sort=False).agg(lambda v: max(v) - min(v))
    for g, wide in spread.items():
        own = t[t["indicator"].eq(f"group:{g}")]
        t.loc[g, ["label", "indicator"]] = label.get(g, g), ""
        t.loc[g, ["inputs", "spread"]] = ";".join(own["inputs"]), wide
    title = "各组得分暂缺"
    if len(spread):
        most = spread.index[spread.round(9).eq(spread.round(9).max())]
        who = "、".join(f"{{{g}.label}}" for g in most[:NAMED]) + "等" * (len(most) > NAMED)
        title = f"{who}园区差距最大，高低相差{{{most[0]}.spread}}"
    return _found(given, "groups", t, GROUPS, _now(given, now), title)


@finding(*MOVED)
def moves(given: Given, form: str = "month") -> Found:
    """What moved each park's score since the last period, item by item; the gains as printed add up to the change of
    the score as printed. Rows by park: `<item>|<park>`, the weightiest items first, `rest|<park>` with all beyond the
    first `TOP`, and `<park>` with the whole change."""
    now, name = ranking.period_of(given.period, form), given.catalog.name
    m = given.table("MOVES")
    m = m[m["period"].eq(now)]
    label = given.catalog.weights.set_index("id")["name_zh"].to_dict()
    scores = given.table("RANKS").query("indicator == 'composite' and measure == 'score'")
    scores = scores.set_index(["period", "region"])["value"].map(lambda v: float(SCORE.round(v)))
    wide = m.pivot(index="indicator", columns="region", values="score_change").fillna(0.0)
    wide = wide.loc[wide.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index]
    rows, told = [], []
    for park in [p for p in given.catalog.parks if p in wide]:
        total = round(scores[now, park] - scores[m["before"].iloc[0], park], 1)
        if (
            abs(total - wide[park].sum()) > 0.11
        ):  # two rounded scores may be off by half a tenth each
            raise FindingError(f"{name(park)}各项得分变化(MOVES)与总分变化(RANKS)两处不一致。")
        gains = pd.Series(map(float, quantity.printed_parts(wide[park], 1, total)), wide.index)
        rows += [
            (f"{i}|{park}", re.sub(r"\([^)]*\)$", "", label.get(i, i)), i, park, v)
            for i, v in gains.items()
        ]
        rest = round(gains.iloc[TOP:].sum(), 1)
        rows += [(f"rest|{park}", "其余各项", "", park, rest)] * (len(gains) > TOP)
        rows.append((park, "合计", "", park, total))
        told.append(_moved_told(name(park), park, gains))
    columns = ["id", "label", "indicator", "region", "gain"]
    t = pd.DataFrame(rows, columns=columns).set_index("id")
    t["inputs"] = "MOVES/" + t["region"] + f".{ranking.COMPOSITE}"
    title, scope = _moves_title(t, name), _now(given, now)
    if len(m):
        scope += f"，与{_now(given, m['before'].iloc[0])}相比"
    return _found(
        given, "moves", lay(t, MOVED), MOVED, scope, title, tuple(told) or ("没有上一期可比",)
    )


def _moved_told(who: str, park: str, gains: pd.Series) -> str:
    top = gains.abs().sort_values(ascending=False, kind="stable").index
    causes = [f"{{{i}|{park}.label}}{{{i}|{park}.gain}}" for i in top[:3] if gains[i]]
    return f"{who}得分{{{park}.gain}}" + ("：" + "、".join(causes) if causes else "")


def _moves_title(t: pd.DataFrame, name) -> str | tuple[str, ...]:
    total = t["gain"][t.index == t["region"]]
    if total.empty:
        return "没有上一期可比"
    park = total.abs().idxmax()
    ties = total.index[total.abs().eq(abs(total[park]))]
    head = f"{name(park)}得分{{{park}.gain}}"
    if len(ties) > 1:
        return "得分变动最大：" + "、".join(f"{name(p)}{{{p}.gain}}" for p in ties)
    own = t[t["region"].eq(park) & t["indicator"].ne("")]["gain"] * np.sign(total[park] or 1)
    why = "、".join(f"{{{i}.label}}" for i in own.index[own.eq(own.max())][:NAMED])
    return f"{head}，主要因为{why}", head
