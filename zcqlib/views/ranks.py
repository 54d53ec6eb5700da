"""Places and scores of the parks: how sure, what moved them, what would flip them, what to look at again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, ranking
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import names
from zcqlib.watch import NAMES, TESTS

FORMS = {"月": "month", "季": "quarter", "半年": "half", "年": "year"}
WEIGHTS = "没有公开的考核办法\uff0c各组等权、组内等权\uff0c供演示"
FACTORS = {
    "weights": "权重增减25%",
    "normalise": "标准化方法",
    "aggregate": "合成方法",
    "missing": "缺数的处理",
    "data": "数据误差",
}
DEPTHS = (
    (50, "#8FA7C6", figures.theme.INK),
    (20, "#C0CEE0", figures.theme.INK),
    (5, "#E3E9F1", figures.theme.INK),
    (0, "#F7F8F9", figures.theme.SECOND),
)


def period_words(period: str, known: pd.Period) -> str:
    """A month, quarter, half-year or year in words; one that is not over says how far it goes."""
    form, months = ranking.period_months(period)
    told = {
        "month": f"{months[-1].month}月",
        "quarter": f"第{period[-1]}季度",
        "year": "",
        "half": "上半年" if period[-1] == "1" else "下半年",
    }[form]
    return f"{period[:4]}年{told}" + (f"(截至{known.month}月)" if months[-1] > known else "")


def ranks(month: Month, form: str = "month", indicator: str = "composite") -> pd.DataFrame:
    """RANKS of one period with `place` and `told`: parks that cannot be told apart share a place."""
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
    last = told[told["period"] == ranking.period_of(month.period, form)]
    what = _labels(month)[indicator]
    over = (
        f"{month.year}年"
        + {"month": "各月", "quarter": "各季度", "half": "上下半年", "year": "全年"}[form]
        + (
            ""
            if ranking.period_months(last["period"].iloc[0])[1][-1] <= month.period
            else f"(截至{month.period.month}月)"
        )
    )
    return figures.bump(
        told,
        month.caption(
            say.title_ranks(last, month.catalog.name),
            f"{what}得分名次及90%名次区间(位次);{over}",
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
    cells = wide.map(lambda v: words.chance_number(v) if v > 0 else "").rename(
        columns="第{}位".format
    )
    first = wide.index[0]
    looks = {
        words.chance_number(v): next((f, i) for low, f, i in DEPTHS if 100 * v >= low)
        for v in wide.stack()
    }
    sure = wide.max(axis=1).idxmax()
    told = f"{month.catalog.name(first)}居首的可能{words.chance_number(wide.at[first, 1])}"
    steady = f"第{wide.loc[sure].idxmax()}位的可能{words.chance_number(wide.loc[sure].max())}"
    title = words.fit_title(
        f"{told}\uff0c{month.catalog.name(sure)}居{steady}" if sure != first else told
    )
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
    r = r[(r["period"] == ranking.period_of(month.period, form)) & (r["indicator"] != "composite")]
    label = _labels(month)
    wide = r.pivot(index="indicator", columns="region", values="value").reindex(
        columns=list(month.catalog.parks)
    )
    wide = wide.loc[sorted(wide.index, key=int)]
    cells = wide.rename(index=label).map(lambda v: "" if np.isnan(v) else words.number(v, "", 1))
    looks = {
        words.number(v, "", 1): (
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
            note=f"空格\uff1a没有该组的园区目标或缺数过多\uff1b{WEIGHTS}",
        ),
        looks=looks,
    )


def moves(month: Month, form: str = "month", most: int = 8) -> pd.DataFrame:
    """What moved the places since the last period: `label` and a column for each park, places gained, adding up.

    Rounded to tenths by largest remainder; the rows are the `most` weightiest items, the rest and the total. A park
    that no item moves has no column.
    """
    m = month.table("MOVES")
    m = m[m["period"] == ranking.period_of(month.period, form)]
    gained = -m.pivot(index="indicator", columns="region", values="rank_change").fillna(0.0)
    gained = gained.loc[:, gained.abs().max() >= 0.05]
    if gained.empty:
        return pd.DataFrame(columns=["label"])
    order = gained.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index
    top = gained.loc[order[:most]]
    table = pd.concat([top, gained.loc[order[most:]].sum().to_frame("其余各项").T])
    printed = table.apply(lambda c: [float(v) for v in words.printed_parts(c, 1, round(c.sum()))])
    printed.loc["合计"] = printed.sum().round(1)
    parks = [p for p in month.catalog.parks if p in printed]
    return printed[parks].rename(index=_labels(month)).rename_axis("label").reset_index()


def moved(month: Month, form: str = "month") -> Figure:
    """What moved each park's place since the last period, by item, summing to the change."""
    rows, m = moves(month, form), month.table("MOVES")
    before = m.loc[m["period"] == ranking.period_of(month.period, form), "before"]
    parks = list(rows.columns[1:])
    since = (
        f"与{period_words(before.iloc[0], month.period)}相比" if len(before) else "没有上一期可比"
    )
    if parks:
        total = rows.iloc[-1][parks].astype(float)
        top = total.abs().idxmax()
        cause = rows.loc[(rows.iloc[:-2][top] * np.sign(total[top] or 1)).idxmax(), "label"].split(
            "("
        )[0]
        title = words.fit_title(
            f"{month.catalog.name(top)}{'升' if total[top] > 0 else '降'}{abs(total[top]):.0f}位\uff0c主要因为{cause}"
            if total[top]
            else "各园区位次没有变化"
        )
    else:
        title, rows, parks = (
            "各园区位次没有变化",
            pd.DataFrame({"label": ["合计"], "none": [0.0]}),
            ["none"],
        )
    return figures.effects(
        rows.assign(label=rows["label"].str.split("(").str[0]),
        month.caption(
            title,
            f"各项使位次升降多少(位,正为上升,没有列出的园区未变);{_now(month, form)},{since}",
            note="按得分位次\uff1b逐项替换、次序取平均\uff0c各项之和等于位次变化",
        ),
        columns=[(p, names(month).get(p, "各园区")) for p in parks],
        show=lambda v: words.number(v, "", 1) if v else "0",
    )


def moved_sentences(month: Month, form: str = "month") -> str:
    """One sentence a park: places before and after by score, and the items behind it, adding up as printed."""
    m, r = (
        month.table("MOVES"),
        month.table("RANKS").query("indicator == 'composite'").set_index(["period", "region"]),
    )
    m, label = m[m["period"] == ranking.period_of(month.period, form)], _labels(month)
    out = []
    for park in [p for p in month.catalog.parks if p in set(m["region"])]:
        own = m[m["region"] == park].set_index("indicator")
        old, new = r.loc[(own["before"].iloc[0], park)], r.loc[(own["period"].iloc[0], park)]
        order = own["rank_change"].abs().sort_values(ascending=False, kind="stable").index[:3]
        parts = -pd.concat(
            [own.loc[order, "rank_change"], pd.Series({"": own["rank_change"].drop(order).sum()})]
        )
        printed = zip(parts.index, words.printed_parts(parts, 1, round(parts.sum())), strict=True)
        causes = [
            f"{label.get(i, '其余各项')}{words.change(float(v), '位', 1)}" for i, v in printed if v
        ]
        told = (
            f"按得分由第{old['rank']:.0f}到第{new['rank']:.0f}"
            if old["rank"] != new["rank"]
            else (f"按得分仍为第{new['rank']:.0f}")
        )
        out.append(
            f"{month.catalog.name(park)}{told}"
            + (f":{'、'.join(causes)}" if causes else "")
            + f";得分{words.number(old['value'], '', 1)}→{words.number(new['value'], '分', 1)}"
        )
    return words.block(out or ["没有上一期可比"], bool(r["demo"].any()))


def sensitivity(month: Month, form: str = "month") -> Figure:
    """Which kind of choice moves the places most (SALib, Sobol')."""
    s = _scored(month, form)
    found = ranking.sensitivity(**s.inputs, choices=s.choices)
    found = found.sort_values("total", ascending=False).fillna(0.0)
    rows = pd.DataFrame(
        {
            "label": [FACTORS[f] for f in found.index],
            "value": 100 * found["total"],
            "note": [f"±{100 * c:.0f}" for c in found["total_conf"]],
        }
    )
    title = words.fit_title(
        f"位次变动有{words.number(rows['value'].iloc[0], '%', 0)}与{rows['label'].iloc[0]}有关"
        if found["total"].iloc[0] > 0
        else "换用其他方法\uff0c位次都不变"
    )
    return figures.bars(
        rows,
        month.caption(
            title,
            f"位次变动中与各种选择有关的份额\uff08%\uff0c±为95%误差\uff09\uff1b{_now(month, form)}",
            note="Sobol总效应\uff0cSALib计算\uff1b含与其他选择的共同作用\uff0c合计可超过100%",
        ),
        unit="%",
        show=lambda v: words.number(v, "", 0),
    )


def flips(month: Month, form: str = "month") -> pd.DataFrame:
    """Which one choice alone would change a place: `choice`, `effect`, `parks` that change."""
    s, name = _scored(month, form), month.catalog.name
    found = ranking.flips(**s.inputs, choices=s.choices, names=_labels(month))
    rows = [
        dict(
            choice=choice,
            parks=len(part),
            effect=words.typeset(
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
    left = ranking.leave_one_out(**s.inputs)["mean_abs_change"]
    method, weight = (int(rows["choice"].str.contains(w).sum()) for w in ("改用", "权重"))
    most = say.extreme(left.rename(month.catalog.name), "{:.6f}".format)
    worst = f",影响最大的是{most}" if left.max() > 0 else ""
    return words.block(
        [
            f"逐一去掉{len(left)}项指标,{int((left > 0).sum())}项会使位次变化{worst}",
            f"换用其他方法有{method}种、单独增减一项权重25%有{weight}种会使位次变化",
        ],
        bool(s.ranks["demo"].any()),
    )


def left_out(month: Month, form: str = "month") -> pd.DataFrame:
    """Who is not ranked and why, and which items do not count for whom: `who`, `reason`."""
    u = month.table("UNRANKED")
    u = u[u["period"] == ranking.period_of(month.period, form)]
    rows = [dict(who=month.catalog.name(r.region), reason=r.message) for r in u.itertuples()]
    items = _scored(month, form).items
    for (park, reason), part in items[items["reason"] != ""].groupby(
        ["region", "reason"], sort=False
    ):
        rows.append(
            dict(
                who=month.catalog.name(park),
                reason=f"{reason},不计入得分:"
                + "、".join(map(month.catalog.name, part["indicator"])),
            )
        )
    return pd.DataFrame(rows, columns=["who", "reason"]).map(words.typeset)


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
    ).map(words.typeset)


def watched_sentence(month: Month) -> str:
    """How many figures were looked at, how many ask for a second look, by kind."""
    w = month.table("WATCH")
    kinds = [f"{NAMES[k]}{n}处" for k, n in w["measure"].value_counts().items()]
    return words.block(
        [
            f"{len(w)}处需要再看一眼" + (f":{'、'.join(kinds)}" if kinds else ""),
            "只是提示,不是结论;季节、批次和口径变化都会这样,请报送单位说明",
        ],
        bool(w["demo"].any()),
    )
