"""Findings on the parks' places: how sure, by group, and what moved them."""

from __future__ import annotations

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
MOVED = {
    "gain": Measure("对得分的影响", GAIN),
    "score_moved": Measure("得分变化", GAIN),
    "item": words("指标"),
}
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


def _found(given: Given, name: str, rows: pd.DataFrame, own: dict, period: str, *told) -> Found:
    year, demo = given.period.year, bool(given.table("RANKS")["demo"].any())
    scope = f"{year}年{FORM_WORDS[ranking.period_months(period)[0]]}（截至{given.period.month}月）"
    source = f"{given.source()}，自创办测算"
    return Found(name, rows, own, source, scope, given.period, given.known, demo, *told)


FORM_WORDS = {"month": "各月", "quarter": "各季度", "half": "上下半年", "year": "全年"}


@finding(*RANKS)
def ranks(given: Given, form: str = "month", indicator: str = ranking.COMPOSITE) -> Found:
    """The parks' places in all periods of one form, with intervals and ties; sentences are of the last period.

    Rows: `<period>|<park>`, in the order of the places.
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
    last = t[t["basis"].eq(now)]
    return _found(given, "ranks", t, RANKS, now, _title(last, name), _ranks_told(last))


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

    Rows: `<park>|<place>` of what may happen, parks by place.
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
                "label": [f"{name(r.region)}第{r.place}位" for r in p.itertuples()],
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
    return _found(given, "place_chances", t, CHANCES, now, (*titles, "各园区居各位次的可能"))


NUMERALS = "〇一二三四五六七八九十"


@finding(*GROUPS)
def groups(given: Given, form: str = "month") -> Found:
    """Scores of the ten groups by park. Rows: `<group>|<park>`, and `<group>` with the spread as printed."""
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
                "label": [
                    f"{label.get(x.indicator, x.indicator)}·{name(x.region)}"
                    for x in r.itertuples()
                ],
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
    return _found(given, "groups", t, GROUPS, now, title)


@finding(*MOVED)
def moves(given: Given, form: str = "month") -> Found:
    """What moved each park's score since the last period, item by item; the gains as printed add up to the change of
    the score as printed. Rows: `<item>|<park>` and `<park>`; the weightiest items first."""
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
        inputs = f"MOVES/{park}.{ranking.COMPOSITE}"
        rows.append(
            dict(
                id=park, label=name(park), indicator="", region=park, item="合计", score_moved=total
            )
        )
        rows += [
            dict(
                id=f"{i}|{park}",
                label=f"{label.get(i, i)}·{name(park)}",
                indicator=i,
                region=park,
                item=label.get(i, i).partition("(")[0],
                gain=v,
            )
            for i, v in gains.items()
        ]
        told.append(_moved_told(park, gains))
        for r in rows[-len(gains) - 1 :]:
            r["inputs"] = inputs
    columns = ["id", "label", "indicator", "region", "inputs", *MOVED]
    t = (
        pd.DataFrame(rows, columns=columns)
        .set_index("id")
        .astype(dict.fromkeys(("gain", "score_moved"), float))
    )
    return _found(
        given, "moves", t, MOVED, now, _moves_title(t), tuple(told) or ("没有上一期可比",)
    )


def _moved_told(park: str, gains: pd.Series) -> str:
    top = gains.abs().sort_values(ascending=False, kind="stable").index
    causes = [f"{{{i}|{park}.item}}{{{i}|{park}.gain}}" for i in top[:3] if gains[i]]
    return f"{{{park}.label}}得分{{{park}.score_moved}}" + (
        "：" + "、".join(causes) if causes else ""
    )


def _moves_title(t: pd.DataFrame) -> str | tuple[str, ...]:
    total = t["score_moved"].dropna()
    if total.empty:
        return "没有上一期可比"
    park = total.abs().idxmax()
    ties = total.index[total.abs().eq(abs(total[park]))]
    head = f"{{{park}.label}}得分{{{park}.score_moved}}"
    if len(ties) > 1:
        return "得分变动最大：" + "、".join(f"{{{p}.label}}{{{p}.score_moved}}" for p in ties)
    own = t[t["region"].eq(park)]["gain"].dropna() * np.sign(total[park] or 1)
    return f"{head}，主要因为{{{own.idxmax()}.item}}", head
