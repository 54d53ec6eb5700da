"""Titles of figures and first paragraphs of notebooks, computed from the tables; every number goes through `words`.

`name` is the catalog's: id → Chinese name. Titles are at most 34 characters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from zcqlib.quantity import (
    STATES,
    Scale,
    block,
    chance_number,
    chance_prose,
    chance_word,
    fit_title,
    light,
    number,
    percent,
    projection_sentence,
    row_scale,
    scale,
    target_words,
    verb,
)

Name = Callable[[str], str]
SMALL_RECORD = 100  # a share of fewer cases has an interval of ten points either way
ZONES = ("zone", "city")  # everything else that has a target is a park


def lights(projections: pd.DataFrame) -> dict[str, int]:
    """How many rows show each light; the counts add up to the number of rows."""
    keys = [light(r).light for r in projections.to_dict("records")]
    return {k: keys.count(k) for k in STATES}


def extreme(
    values: pd.Series, text: Callable[[float], str], unit: str = "项", least: bool = False
) -> str:
    """Who has the highest (or least) value as printed: the label, up to three that tie, or how many there are.

    Parameters
    ----------
    values : by label. text : how a value is printed; what prints alike ties.
    """
    told = values.dropna().map(text)
    ties = told.index[told == text(values.min() if least else values.max())]
    return "、".join(ties) if len(ties) <= 3 else f"并列的{len(ties)}{unit}"


def demo_of(*frames: pd.DataFrame) -> bool:
    return any(bool(f["demo"].any()) for f in frames if "demo" in f and len(f))


def _severe(problems: pd.DataFrame, severity: str) -> int:
    return int((problems["severity"] == severity).sum())


# titles ---------------------------------------------------------------------------------------------------------------


def title_pace(row: Mapping, name: Name) -> str:
    """专利申请总量全年预计4879件,完成5000件目标约七成把握."""
    what, s = name(row["indicator"]), row_scale(row)
    ahead = (
        f"{what}全年预计{s.text(s.round(row['median']))}"
        if row["median"] == row["median"]
        else what
    )
    if row["probability"] != row["probability"]:
        return fit_title(f"{ahead},不给概率", f"{what},不给概率")
    tail = f"{target_words(row, s)}的把握{chance_prose(row['probability'])}"
    return fit_title(f"{ahead},{verb(row)}{tail}", f"{ahead},{tail}", f"{what},{tail}")


def title_bullets(projections: pd.DataFrame) -> str:
    """20项目标:已完成1项,把握较大12项,难度较大3项."""
    n = lights(projections)
    return fit_title(
        f"{len(projections)}项目标:已完成{n['met']}项,把握较大{n['good']}项,难度较大{n['hard']}项"
    )


def title_heatmap(projections: pd.DataFrame, name: Name) -> str:
    """The lowest chance of a park; ties are counted."""
    p = projections[~projections["region"].isin(ZONES)].dropna(subset=["probability", "target_low"])
    if p.empty:
        return "各园区目标未下达或未报,暂无把握可比"
    worst = chance_number(p["probability"].min())
    ties = p[p["probability"].map(chance_number) == worst]
    hard, told = (
        sum(light(r).light == "hard" for r in p.to_dict("records")),
        chance_prose(p["probability"].min()),
    )
    tail = f"{len(ties)}个{'' if told != worst else '最低,同为'}{told}"
    if len(ties) == 1:
        tail = f"{name(ties.iloc[0].region)}{name(ties.iloc[0].indicator)}最低,为{worst}"
    return fit_title(
        f"{len(p)}个园区目标中{hard}个难度较大,{tail}", f"{hard}个园区目标难度较大,{tail}", tail
    )


def placed(ranks: pd.DataFrame) -> pd.DataFrame:
    """RANKS of one list with the place as it is told.

    Parameters
    ----------
    ranks : RANKS of one indicator and period, all measures.
    Returns
    -------
    The rows of the score by place, `provisional` (whether values that are still to come may change the place), `end_low`
    and `end_high` (90 % interval at the year's end, NaN where it was not drawn) and `told`: 第1位, 暂定并列第2位
    (90%区间目前第1—4位,年末第1—5位), 不排位.
    """
    by = {m: part.set_index("region") for m, part in ranks.groupby("measure")}
    out = ranks[ranks["measure"] == "score"]
    out = out.sort_values(["rank", "value", "region"], ascending=[True, False, True])
    end = by.get("year_end", by["score"].iloc[:0]).reindex(out["region"])
    out["end_low"], out["end_high"] = end["low"].array, end["high"].array
    out["provisional"] = out["region"].isin(by["provisional"].index if "provisional" in by else [])

    def span(when: str, low: float, high: float) -> str:
        return f"{when}第{low:.0f}{f'—{high:.0f}' if high > low else ''}位" if low == low else ""

    told = []
    for r in out.itertuples():
        ends = [span("目前", r.low, r.high), span("年末", r.end_low, r.end_high)]
        ends = ",".join(filter(None, ends))
        place = f"{'暂定' if r.provisional else ''}{'并列' if r.tied_with else ''}第{r.rank:.0f}位"
        told.append("不排位" if r.rank != r.rank else place + (f"(90%区间{ends})" if ends else ""))
    return out.assign(told=told)


def title_ranks(ranks: pd.DataFrame, name: Name) -> str:
    """Who leads and how surely, and who comes next; ties are said to be ties."""
    p = placed(ranks).dropna(subset=["rank"])
    if p.empty:
        return "本期没有可排位的园区"

    def short(rows):
        return "、".join(name(r).removesuffix("示范区").removesuffix("区") for r in rows["region"])

    told = []
    for place, rows in p.groupby("rank"):
        how = (
            "并列"
            if len(rows) > 1
            else "稳居"
            if rows["low"].iloc[0] == rows["high"].iloc[0]
            else "居"
        )
        told.append(f"{short(rows)}{how}第{int(place)}")
    first = p[p["rank"] == p["rank"].iloc[0]]
    if len(first) == 1 and first["high"].iloc[0] > first["low"].iloc[0]:
        told[0] += f"(目前区间{first['low'].iloc[0]:.0f}—{first['high'].iloc[0]:.0f})"
    return fit_title(
        *(",".join(told[:k]) for k in range(len(told), 0, -1)), f"{len(first)}个园区并列第1"
    )


def title_groups(scores: pd.DataFrame, label: Mapping[str, str]) -> str:
    """The group whose parks lie furthest apart, by the printed scores; `scores` : RANKS of the groups."""
    printed = scores["value"].map(scale(0, "分").round)
    spread = printed.groupby(scores["indicator"]).agg(lambda v: max(v) - min(v))
    widest = extreme(spread.rename(lambda g: label.get(g, g)), str, "组")
    told = f"高低相差{number(max(spread), '分')}"
    return fit_title(f"{widest}园区差距最大,{told}", f"差距最大的一组{told}")


def title_why(rows: pd.DataFrame, what: str) -> str:
    """专利申请总量完成把握由59%升至73%,主要因为9月数据高于预计; `rows` as `views.why.moves` gives them."""
    if len(rows) < 2:
        told = (
            f"{what}完成把握{rows['told'].iloc[0]},没有上月预测可比"
            if len(rows)
            else f"{what}没有把握可比"
        )
        return fit_title(told, told.removeprefix(what))
    a, b = rows.iloc[0], rows.iloc[-1]
    if a["told"] == b["told"]:
        return fit_title(f"{what}完成把握仍为{b['told']}", f"完成把握仍为{b['told']}")
    up = b["value"] >= a["value"]
    steps = rows[~rows["is_level"]]
    main = steps.loc[(steps["value"] * (1 if up else -1)).idxmax()]
    head = f"完成把握由{a['told']}{'升' if up else '降'}至{b['told']}"
    reasons = [f"{head},主要因为{r}" for r in _reasons(main, up)]
    return fit_title(*(what + t for t in reasons), *reasons)


def _reasons(step: pd.Series, up: bool) -> list[str]:
    """What a step of the waterfall means, the fullest wording first."""
    if step["part"] != "new":
        return [
            {"restated": "前期数据修订", "target": "目标调整", "method": "方法更新"}[step["part"]]
        ]
    if step["median"] == 0 or (step["median"] > 0) != up:
        return ["余下月份减少,不确定性变小", "余下月份减少"]
    return [step["label"].removesuffix("新数据") + f"数据{'高于' if up else '低于'}预计"]


def why(rows: pd.DataFrame, what: str, s: Scale | None) -> str:
    """专利申请总量完成把握由59%升至73%:9月新数据+16个百分点,…;年末预计由5037件升至5123件; figures add up as printed.

    Parameters
    ----------
    rows : as `views.why.moves` gives them. s : scale of `median`, None where there are no rows.
    """
    if len(rows) < 2:
        return (
            f"{what}完成把握{rows['told'].iloc[0]},没有上月预测可比"
            if len(rows)
            else f"{what}没有可以比较的把握"
        )
    a, b = rows.iloc[0], rows.iloc[-1]
    move = lambda x, y, words: f"由{x}{'升' if words > 0 else '降'}至{y}" if words else f"仍为{y}"  # noqa: E731
    steps = rows[~rows["is_level"]]
    parts = [f"{r.label}{r.told}个百分点" for r in steps[steps["value"] != 0].itertuples()]
    if parts and len(parts) < len(steps):
        parts.append("其余为0")
    chances = f"{what}完成把握" + move(a["told"], b["told"], b["value"] - a["value"])
    median = "年末预计" + move(s.text(a["median"]), s.text(b["median"]), b["median"] - a["median"])
    medians = [f"{r.label}{r.also}" for r in steps[steps["median"] != 0].itertuples()]
    return (
        f"{chances}"
        + (f"({'、'.join(parts)})" if parts else "")
        + f",{median}"
        + (f"({'、'.join(medians)})" if medians else "")
    )


def title_multiples(projections: pd.DataFrame, name: Name) -> str:
    """5个园区中3个预计完成专利申请总量目标."""
    p = projections[~projections["region"].isin(ZONES)]
    given = p.dropna(subset=["probability"])
    if given.empty:
        return "园区目标未下达,不作判断"
    ahead, what = int((given["probability"] >= 0.5).sum()), name(given["indicator"].iloc[0])
    return fit_title(
        f"{len(given)}个有目标的园区中{ahead}个完成{what}的把握过半",
        f"{len(given)}个园区中{ahead}个把握过半",
    )


# conclusions ----------------------------------------------------------------------------------------------------------


def state_of_month(
    projections: pd.DataFrame, problems: pd.DataFrame, late: pd.DataFrame, name: Name
) -> str:
    """Notebook 00: how many targets stand where, what came, who is late. `late` has a column `name_zh`."""
    n = lights(projections)
    given = projections.dropna(subset=["probability"])
    given, worst = (
        given.set_index("indicator")["probability"].rename(name),
        given["probability"].min(),
    )
    return block(
        [
            f"纳入判断的{len(projections)}项中,已完成{n['met']}项,把握较大{n['good']}项,尚有悬念{n['open']}项,难度较大{n['hard']}项,"
            f"按节点推进{n['stage']}项,依据不足{n['thin']}项,目标未下达{n['none']}项,未报{n['unknown']}项",
            f"把握最低的是{extreme(given, chance_number, least=True)},{chance_number(worst)}({chance_word(worst)})"
            if len(given)
            else "",
            f"报表中发现错误{_severe(problems, 'error')}处、提醒{_severe(problems, 'warning')}处",
            f"尚未报送:{'、'.join(late['name_zh'])}" if len(late) else "各单位报表均已收到",
        ],
        demo_of(projections),
    )


def reading(
    observations: pd.DataFrame,
    problems: pd.DataFrame,
    cells: pd.DataFrame,
    owed: pd.DataFrame,
    replies: pd.DataFrame,
) -> str:
    """Notebook 01: how complete the month is, what was read, and that every cell is accounted for.

    `owed` is OVERDUE (`month`, `name`, `state`, `owed`, `came`); `problems` and `replies` are those of the month.
    """
    files, outcome = cells["file"].nunique(), cells["outcome"].value_counts()
    unknown = int(((observations["region"] == "") | (observations["indicator"] == "")).sum())
    month, all_, came = (
        owed["month"].iloc[0].month,
        int(owed["owed"].sum()),
        int(owed["came"].sum()),
    )
    full = int((owed["state"] == "已报").sum())
    asked = problems[problems["severity"].ne("info") & problems["sender"].ne("")]
    lacking = [
        f"{word}的有{'、'.join(part)}"
        for state, word in (("部分", "缺项"), ("未报", "未报"))
        if len(part := owed.loc[owed["state"] == state, "name"])
    ]
    return block(
        [
            f"{month}月应报{all_}项指标,收到{came}项,完整度{percent(came / all_)};{len(owed)}家单位中{full}家报齐"
            + "".join(f",{x}" for x in lacking),
            f"本月报表需核对{len(problems) - _severe(problems, 'info')}处,其中{_severe(problems, 'error')}处数字没有采用;"
            f"已向{asked['sender'].nunique()}家单位生成退回单"
            + (f",收到回复{len(replies)}条" if len(replies) else ",尚无回复"),
            f"全部来件共{files}个文件、{len(cells)}个非空单元格,每格都有去处:数据{outcome.get('observation', 0)}个,"
            f"表头{outcome.get('label', 0)}个,说明{outcome.get('context', 0)}个,有问题{outcome.get('problem', 0)}个",
            f"得到观测{len(observations)}条,其中{unknown}条的园区或指标未能识别,保留原文待确认",
        ],
        demo_of(observations),
    )


def reminders(owed: pd.DataFrame, demo: bool) -> str:
    """Notebook 01: one line for each sender to be reminded (催报): what is owed, by which day."""
    late = owed[owed["state"] != "已报"].sort_values(["due", "sender"], kind="stable")
    return block(
        [
            f"{r.name}:应于{r.due}前报送{r.month.year}年{r.month.month}月报表,"
            + ("至今没有收到" if r.state == "未报" else f"已收到{r.came}项")
            + f",还缺{r.owed - r.came}项:{r.missing}"
            for r in late.itertuples()
        ]
        or ["各单位都已报齐,没有需要催报的"],
        demo,
    )


def projection(
    projections: pd.DataFrame, name: Name, recent: Mapping[str, float] | None = None
) -> str:
    """Notebook 06: the three zone targets with the lowest chance that are still open, each in the fixed sentence."""
    p = projections.dropna(subset=["probability"]).nsmallest(3, "probability")
    rows = p.to_dict("records")
    demo = demo_of(projections)
    return block(
        [
            f"{name(r['indicator'])}:"
            + projection_sentence(
                r | {"demo": False}, (recent or {}).get(r["indicator"], float("nan"))
            )
            for r in rows
        ],
        demo,
    )


def ranking(p: pd.DataFrame, name: Name) -> str:
    """Notebook 07: places with intervals, ties, and who is not ranked; `p` as `placed` gives it."""
    rows = [
        f"{name(r.region)}{number(r.value, '分')},{r.told}"
        for r in p.itertuples()
        if r.rank == r.rank
    ]
    out = [name(r) for r in p.loc[p["rank"].isna(), "region"]]
    return block(
        [
            ";".join(rows),
            f"{'、'.join(out)}目标未下达,不排位" if out else "",
            "暂定的位次因有应报未报的数,按下限计分,补齐后可能变" if p["provisional"].any() else "",
            "并列的园区先后分不清(位次互换的可能在三成以上)" if p["tied_with"].ne("").any() else "",
            "没有公开的考核办法,权重暂按等权",
        ],
        demo_of(p),
    )


def said_and_came(said: float, came: float) -> str:
    return f"平均把握{percent(said, 0)},实际完成{percent(came, 0)}"


def against_linear(share: float) -> str:
    """`share` : our mean error by that of 序时进度, the same measure of both."""
    return f"平均误差是序时进度的{percent(share, 0)}"


def record(said: float, came: float, cases: int, share: float = float("nan")) -> str:
    """Notebook 08: mean chance said, share that came true, over how many past cases, and the error by 序时进度's."""
    small = "回放次数少,只作参考" if cases < SMALL_RECORD else ""
    gain = against_linear(share) if share == share else ""
    return block([f"{cases}次回放中,{said_and_came(said, came)}", gain, small], False)


def own_record(said: pd.DataFrame, scored: pd.DataFrame) -> str:
    """Notebook 08: what we said this year (TRAIL), and how the stored calls of closed years came true."""
    given = said[said["probability"].notna()]
    kept = "本年还没有判断"
    if len(given):
        kept = f"{int(given['year'].max())}年已留存{len(given)}次判断({given['as_of'].nunique()}个月),年度结束后打分"
    if scored.empty:
        return block([kept, "此前没有已结束年度的留存判断"], demo_of(said))
    return block(
        [
            f"已结束年度的{len(scored)}次判断,平均把握{percent(scored['p'].mean(), 0)},"
            f"实际完成{percent(scored['met'].mean(), 0)};布赖尔得分{number(scored['brier'].mean(), '', 3)},"
            f"按序时进度为{number(scored['linear_brier'].mean(), '', 3)}",
            kept,
        ],
        demo_of(said, scored),
    )


def agenda(projections: pd.DataFrame, orders: pd.DataFrame) -> str:
    """Notebook 09: what goes to the meeting. `orders` as `ledger.gap_orders` gives them."""
    n = lights(projections)
    asked = f"缺口分解为{len(orders)}条月度要求,其中{never_done(orders)}(有记录的{months_known(orders)}个月)"
    return block(
        [
            f"提请会议研究难度较大的{n['hard']}项、尚有悬念的{n['open']}项",
            asked if len(orders) else "没有需要分解的缺口",
        ],
        demo_of(projections, orders),
    )


def never_done(orders: pd.DataFrame) -> str:
    """42条从未做到过, of asks as `orders.gap_orders` gives them."""
    return f"{int((orders['times'] == 0).sum())}条从未做到过"


def months_known(orders: pd.DataFrame) -> str:
    """Over how many past months the asks were compared, of those with any: 9—36."""
    of = orders.loc[orders["of"] > 0, "of"]
    return "—".join(dict.fromkeys(map(str, (of.min(), of.max())))) if len(of) else "0"
