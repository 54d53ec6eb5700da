"""Places and scores of the parks: how sure, what moved them, what would flip them, what to look at again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity, ranking
from zcqlib.briefing import conclusions as say
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


def ranks(month: Month, form: str = "month", indicator: str = "composite") -> pd.DataFrame:
    """RANKS of one period with `told`: parks that cannot be told apart share a place."""
    r = month.table("RANKS")
    return say.placed(
        r[(r["indicator"] == indicator) & (r["period"] == ranking.period_of(month.period, form))]
    )


def _now(month: Month, form: str) -> str:
    return period_words(ranking.period_of(month.period, form), month.period)


def _scored(month: Month, form: str) -> ranking.ParkScores:
    period = ranking.period_of(month.period, form)
    return ranking.score_parks(month.table("ATTAINMENT"), month.catalog, period, runs=0)


def _labels(month: Month) -> dict[str, str]:
    return month.catalog.weights.set_index("id")["name_zh"].to_dict() | {"composite": "综合"}


def places(month: Month, form: str = "month", indicator: str = "composite") -> Figure:
    """Ranks over the periods of one form with their intervals and ties."""
    r = month.table("RANKS")
    r = r[
        (r["indicator"] == indicator)
        & r["period"].map(lambda p: ranking.period_months(p)[0] == form)
    ]
    told = pd.concat([say.placed(part) for _, part in r.groupby("period")]).sort_values("period")
    now = ranking.period_of(month.period, form)
    last, last_all = told[told["period"] == now], r[r["period"] == now]
    what = _labels(month)[indicator]
    many = {"month": "各月", "quarter": "各季度", "half": "上下半年", "year": "全年"}[form]
    over = f"{month.year}年{many}(截至{month.period.month}月)"
    return figures.bump(
        told,
        month.caption(
            say.title_ranks(last_all, month.catalog.name),
            f"{what}得分名次及目前的90%名次区间(位次);{over}",
            note=WEIGHTS,
            alt="\u3002".join(f"{month.catalog.name(r.region)}{r.told}" for r in last.itertuples()),
        ),
        names(month),
    )


def place_chances(month: Month, form: str = "month") -> Figure:
    """How often each park takes each place under other reasonable choices."""
    p, own = month.table("PLACES"), ranks(month, form)
    p = p[(p["indicator"] == "composite") & (p["period"] == ranking.period_of(month.period, form))]
    wide = p.pivot(index="region", columns="place", values="probability").reindex(
        own.dropna(subset=["rank"])["region"]
    )
    cells = wide.map(lambda v: quantity.chance_number(v) if v > 0 else "").rename(
        columns="第{}位".format
    )
    first = own.loc[own["rank"] == own["rank"].min(), "region"]
    looks = {
        quantity.chance_number(v): next((f, i) for low, f, i in DEPTHS if 100 * v >= low)
        for v in wide.stack()
    }
    name, best = month.catalog.name, wide.max(axis=1)
    told = "、".join(f"{name(p)}居首的可能{quantity.chance_number(wide.at[p, 1])}" for p in first)
    steady = [
        f"{name(p)}居第{wide.loc[p].idxmax()}位的可能{quantity.chance_number(best[p])}"
        for p in best.index[best == best.max()]
        if p not in set(first)
    ]
    title = quantity.fit_title("\uff0c".join([told, *steady]), told, f"{len(first)}个园区并列首位")
    return figures.states(
        cells.rename(index=month.catalog.name),
        month.caption(
            title,
            f"各园区居各位次的可能\uff08%\uff09\uff1b{_now(month, form)}",
            note=f"换用其他权重和方法、计入数据误差\uff0c共试1万次\uff1b{WEIGHTS}",
        ),
        looks=looks,
    )


def scores(month: Month, form: str = "month") -> Figure:
    """Scores of the ten groups by park."""
    r = month.table("RANKS")
    r = r[(r["period"] == ranking.period_of(month.period, form)) & (r["measure"] == "score")]
    r = r[r["indicator"] != "composite"]
    label = _labels(month)
    wide = r.pivot(index="indicator", columns="region", values="value").reindex(
        columns=list(month.catalog.parks)
    )
    wide = wide.loc[sorted(wide.index, key=int)]
    cells = wide.rename(index=label).map(lambda v: "" if np.isnan(v) else quantity.number(v, "", 1))
    looks = {
        quantity.number(v, "", 1): (
            "#E3E9F1" if v >= 85 else "#FDF6F0" if v >= 75 else "#FAE3D0" if v >= 60 else "#F3BE96",
            "#1F2937",
        )
        for v in wide.stack()
    }
    return figures.states(
        cells.rename(columns=month.catalog.name),
        month.caption(
            say.title_groups(r.dropna(subset=["value"]), label),
            f"各组得分(分,功效系数法:60分为不允许值,100分为满意值);{_now(month, form)}",
            note=f"空格\uff1a该组没有园区目标或本期未到期\uff1b应报未报的按下限计\uff1b{WEIGHTS}",
        ),
        looks=looks,
    )


def _steps(month: Month, form: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Points by item and park since the last period, RANKS of score by period and park, and the period before."""
    m, r = month.table("MOVES"), month.table("RANKS")
    m = m[m["period"] == ranking.period_of(month.period, form)]
    r = r[(r["indicator"] == "composite") & (r["measure"] == "score")]
    points = m.pivot(index="indicator", columns="region", values="score_change").fillna(0.0)
    before = m["before"].iloc[0] if len(m) else ""
    parks = [p for p in month.catalog.parks if p in points]
    return points[parks], r.set_index(["period", "region"]), before


def _printed(month: Month, form: str, most: int) -> pd.DataFrame:
    """Points by item and park as printed: the `most` weightiest items, the rest, and the total, the change of the score
    as printed; every column adds up."""
    points, r, before = _steps(month, form)
    order = points.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index
    table = pd.concat(
        [points.loc[order[:most]], points.loc[order[most:]].sum().to_frame("其余各项").T]
    )
    for park in table:
        ends = (r.at[(p, park), "value"] for p in (before, ranking.period_of(month.period, form)))
        old, new = (float(quantity.scale(0, "分").round(v)) for v in ends)
        table[park] = [
            float(v) for v in quantity.printed_parts(table[park], 1, round(new - old, 1))
        ]
    table.loc["合计"] = table.sum().round(1)
    return table


def moves(month: Month, form: str = "month", most: int = 8) -> pd.DataFrame:
    """What moved the scores since the last period: `label` and a column for each park, points gained, adding up."""
    if _steps(month, form)[0].empty:
        return pd.DataFrame(columns=["label"])
    printed = _printed(month, form, most)
    return printed.rename(index=_labels(month)).rename_axis("label").reset_index()


def moved(month: Month, form: str = "month") -> Figure:
    """What moved each park's score since the last period, by item, in points that sum to the change."""
    rows, before = moves(month, form), _steps(month, form)[2]
    parks = list(rows.columns[1:])
    since = f"与{period_words(before, month.period)}相比" if before else "没有上一期可比"
    title = "没有上一期可比"
    if parks:
        total = rows.iloc[-1][parks].astype(float)
        tops = total.index[total.abs() == total.abs().max()]
        told = [
            f"{month.catalog.name(p)}{'升' if total[p] > 0 else '降'}{quantity.number(abs(total[p]), '分', 1)}"
            for p in tops
        ]
        own = rows.iloc[:-2][tops[0]] * np.sign(total[tops[0]] or 1)
        cause = rows.loc[own.idxmax(), "label"].split("(")[0]
        title = quantity.fit_title(
            *([f"{told[0]}\uff0c主要因为{cause}"] if len(tops) == 1 else []),
            f"得分变动最大\uff1a{'、'.join(told)}",
            f"{len(tops)}个园区得分变动最大",
        )
    else:
        rows, parks = pd.DataFrame({"label": ["合计"], "none": [0.0]}), ["none"]
    return figures.effects(
        rows.assign(label=rows["label"].str.split("(").str[0]),
        month.caption(
            title,
            f"各项指标对得分变化的影响(分,正为加分);{_now(month, form)},{since}",
            note="逐项替换、次序取平均\uff0c各项之和等于得分变化",
        ),
        columns=[(p, names(month).get(p, "各园区")) for p in parks],
        show=lambda v: quantity.number(v, "", 1) if v else "0",
    )


def moved_sentences(month: Month, form: str = "month") -> str:
    """One sentence a park: score and place before and after, and the items behind the score, adding up as printed."""
    points, r, before = _steps(month, form)
    if points.empty:
        return quantity.block(["没有上一期可比"], bool(r["demo"].any()))
    label, out = _labels(month), []
    printed = _printed(month, form, len(points))
    for park in points:
        old, new = r.loc[(before, park)], r.loc[(ranking.period_of(month.period, form), park)]
        own = printed[park].drop("合计")
        own = own.loc[own.abs().sort_values(ascending=False, kind="stable").index]
        top, rest = own.iloc[:3], round(own.iloc[3:].sum(), 1)
        causes = [f"{label.get(i, i)}{quantity.change(v, '分', 1)}" for i, v in top.items() if v]
        causes += [f"其余各项{quantity.change(rest, '分', 1)}"] if rest else []
        places_ = "位次仍为" if old["rank"] == new["rank"] else f"位次由第{old['rank']:.0f}到"
        out.append(
            f"{month.catalog.name(park)}得分{quantity.number(old['value'], '', 1)}→"
            f"{quantity.number(new['value'], '分', 1)}"
            + (f":{'、'.join(causes)}" if causes else "")
            + f";{places_}第{new['rank']:.0f}"
        )
    return quantity.block(out, bool(r["demo"].any()))


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
        most = say.extreme(left.rename(month.catalog.name), "{:.6f}".format)
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
