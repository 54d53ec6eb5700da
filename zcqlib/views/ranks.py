"""Places and scores of the parks: how sure, what moved them, what would flip them, what to look at again."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity, ranking
from zcqlib.briefing.conclusions import extreme
from zcqlib.findings.ranks import TOP
from zcqlib.month import Month
from zcqlib.views.parts import names
from zcqlib.watch import NAMES, TESTS

FORMS = {"月": "month", "季": "quarter", "半年": "half", "年": "year"}
WEIGHTS = "没有公开的考核办法\uff0c各组等权、组内等权\uff0c供演示"
DEPTHS = (
    (50, "#8FA7C6", figures.theme.INK),
    (20, "#C0CEE0", figures.theme.INK),
    (5, "#E3E9F1", figures.theme.INK),
    (0, "#F7F8F9", figures.theme.SECOND),
)


def period_words(period: str, known: pd.Period) -> str:
    """A month, quarter, half-year or year in words, and how far the figures go: all count from January."""
    form, months = ranking.period_months(period)
    told = {
        "month": "",
        "quarter": f"第{period[-1]}季度",
        "year": "",
        "half": "上半年" if period[-1] == "1" else "下半年",
    }[form]
    return f"{period[:4]}年{told}(截至{min(months[-1], known).month}月)"


def _now(month: Month, form: str) -> str:
    return period_words(ranking.period_of(month.period, form), month.period)


def _scored(month: Month, form: str) -> ranking.ParkScores:
    period = ranking.period_of(month.period, form)
    return ranking.score_parks(month.table("ATTAINMENT"), month.catalog, period, runs=0)


def _labels(month: Month) -> dict[str, str]:
    return month.catalog.weights.set_index("id")["name_zh"].to_dict() | {"composite": "综合"}


def places(month: Month, form: str = "month", indicator: str = "composite") -> Figure:
    """Ranks over the periods of one form with their intervals and ties."""
    f = month.find("ranks", form=form, indicator=indicator)
    t = f.rows.rename(columns={"basis": "period", "best": "low", "worst": "high"})
    last = t[t["period"].eq(ranking.period_of(month.period, form))]
    return figures.bump(
        t.assign(rank=t["place"], tied_with=t["tied_with"].replace(quantity.NONE, "")),
        month.caption(
            f.title,
            f"{_labels(month)[indicator]}得分名次及目前的90%名次区间(位次);{f.scope}",
            note=WEIGHTS,
            alt="\u3002".join(last["label"] + last["place_told"]),
        ),
        names(month),
    )


def place_chances(month: Month, form: str = "month") -> Figure:
    """How often each park takes each place under other reasonable choices."""
    f = month.find("place_chances", form=form)
    t = f.things.assign(
        told=[f.shown(i, "place_chance") for i in f.things.index],
        place=[int(i.partition("|")[2]) for i in f.things.index],
    )
    cells = t.pivot(index="region", columns="place", values="told").fillna("")
    cells = cells.loc[t["region"].unique()]
    looks = {
        r.told: next((fill, ink) for low, fill, ink in DEPTHS if 100 * r.place_chance >= low)
        for r in t.itertuples()
    }
    return figures.states(
        cells.rename(index=month.catalog.name, columns="第{}位".format),
        month.caption(
            f.title,
            f"各园区居各位次的可能\uff08%\uff09\uff1b{_now(month, form)}",
            note=f"换用其他权重和方法、计入数据误差\uff0c共试1万次\uff1b{WEIGHTS}",
        ),
        looks=looks,
    )


def scores(month: Month, form: str = "month") -> Figure:
    """Scores of the ten groups by park."""
    f = month.find("groups", form=form)
    t = f.things
    t = t.assign(group=[i.partition("|")[0] for i in t.index])
    t = t.assign(told=[f.shown(i, "points").removesuffix("分") for i in t.index])
    cells = t.pivot(index="group", columns="region", values="told").fillna("")
    cells = cells.reindex(
        index=t["group"].unique(), columns=list(month.catalog.parks), fill_value=""
    )
    fills = ((85, "#E3E9F1"), (75, "#FDF6F0"), (60, "#FAE3D0"), (float("-inf"), "#F3BE96"))
    looks = {
        r.told: (next(fill for low, fill in fills if r.points >= low), "#1F2937")
        for r in t.itertuples()
    }
    return figures.states(
        cells.rename(index=_labels(month), columns=month.catalog.name),
        month.caption(
            f.title,
            f"各组得分(分,功效系数法:60分为不允许值,100分为满意值);{_now(month, form)}",
            note=f"空格\uff1a该组没有园区目标或本期未到期\uff1b应报未报的按下限计\uff1b{WEIGHTS}",
        ),
        looks=looks,
    )


def moved(month: Month, form: str = "month") -> Figure:
    """What moved each park's score since the last period, by item, in points that sum to the change."""
    f = month.find("moves", form=form)
    t, total = f.things, f.rows["score_moved"].dropna()
    before = month.table("MOVES").query("period == @ranking.period_of(@month.period, @form)")[
        "before"
    ]
    since = f"与{period_words(before.iloc[0], month.period)}相比" if len(before) else f.title
    wide = t.pivot(index="item", columns="region", values="gain").reindex(t["item"].unique())
    wide = wide.reindex(columns=list(total.index)) if len(total) else pd.DataFrame({"none": []})
    rest = wide.iloc[TOP:].sum().round(1).to_frame("其余各项").T
    rows = pd.concat([wide.head(TOP), rest, total.to_frame("合计").T if len(total) else rest])
    return figures.effects(
        rows.rename_axis("label").reset_index(),
        month.caption(
            f.title,
            f"各项指标对得分变化的影响(分,正为加分);{_now(month, form)},{since}",
            note="逐项替换、次序取平均\uff0c各项之和等于得分变化",
        ),
        columns=[(p, names(month).get(p, "各园区")) for p in wide],
        show=lambda v: quantity.number(v, "", 1) if v else "0",
    )


def flips(month: Month, form: str = "month") -> pd.DataFrame:
    """Which one choice alone would change a place: `choice`, `effect`, `parks` that change."""
    s, name = _scored(month, form), month.catalog.name
    found = ranking.flips(s.model, s.choices, _labels(month))
    rows = [
        dict(
            choice=choice,
            parks=len(part),
            effect=quantity.typeset(
                ";".join(
                    f"{name(r.unit)}第{r.before:.0f}→第{r.after:.0f}"
                    for r in part.sort_values("after").itertuples()
                )
            ),
        )
        for choice, part in found.groupby("choice", sort=False)
    ]
    return pd.DataFrame(rows, columns=["choice", "effect", "parks"])


def flips_sentence(month: Month, form: str = "month") -> str:
    """How many of the methods, weights and items would change a place, each by itself."""
    s, rows = _scored(month, form), flips(month, form)
    left = ranking.leave_one_out(s.model)["mean_abs_change"]
    told = f"逐一去掉{len(left)}项指标,"
    if many := int((left > 0).sum()):
        most = extreme(left.rename(month.catalog.name), "{:.6f}".format)
        told += f"{many}项会使位次变化,影响最大的是{most}"
    else:
        told += "位次都不变"
    tried = {"换用其他方法": "改用", "单独增减一项权重25%": "权重"}
    found = {what: int(rows["choice"].str.contains(w).sum()) for what, w in tried.items()}
    moves = "、".join(f"{what}有{n}种" for what, n in found.items() if n)
    still = "、".join(what for what, n in found.items() if not n)
    others = [f"{moves}会使位次变化"] * bool(moves) + [f"{still}位次都不变"] * bool(still)
    return quantity.block([told, ",".join(others)], bool(s.ranks["demo"].any()))


def left_out(month: Month, form: str = "month") -> pd.DataFrame:
    """Who is not ranked or only provisionally and why, and which items do not count for whom: `who`, `reason`."""
    u = month.table("UNRANKED")
    u = u[u["period"] == ranking.period_of(month.period, form)]
    rows = [(month.catalog.name(r.region), r.message) for r in u.itertuples()]
    items = _scored(month, form).items
    items = items[items["value"].isna()]
    for (reason, by), part in items.groupby(["reason", "owed_by"], sort=False):
        parks = part.groupby("indicator", sort=False)["region"].agg(tuple)
        for whom, own in parks.groupby(parks):
            who = "各园区" if len(whom) > 1 and by else "、".join(map(month.catalog.name, whom))
            told = f"{reason}({by})" if by else reason
            rows.append((who, f"{told},不计入得分:{'、'.join(map(month.catalog.name, own.index))}"))
    return pd.DataFrame(rows, columns=["who", "reason"]).map(quantity.typeset)


def watched(month: Month) -> pd.DataFrame:
    """Figures that ask for a second look: `who`, `what`, `looked`, `sentence`, most unlikely first."""
    w = month.table("WATCH")
    return pd.DataFrame(
        {
            "who": w["region"].map(month.catalog.name),
            "what": w["measure"].map(NAMES),
            "sentence": w["sentence"],
            "test": w["measure"].map(TESTS),
        }
    ).map(quantity.typeset)


def watched_sentence(month: Month) -> str:
    """How many figures were looked at, how many ask for a second look, by kind."""
    w = month.table("WATCH")
    kinds = [f"{NAMES[k]}{n}处" for k, n in w["measure"].value_counts().items()]
    return quantity.block(
        [
            f"{len(w)}处需要再看一眼" + (f":{'、'.join(kinds)}" if kinds else ""),
            "只是提示,不是结论;季节、批次和口径变化都会这样,请报送单位说明",
        ],
        bool(w["demo"].any()),
    )
