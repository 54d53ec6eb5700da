"""Titles of figures and first paragraphs of notebooks, computed from the tables; every number goes through `words`.

`name` is the catalog's: id → Chinese name. Titles are at most 34 characters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from zcqlib.quantity import (
    Scale,
    block,
    change,
    fit_title,
    number,
    percent,
    projection_sentence,
    scale,
)

Name = Callable[[str], str]
SMALL_RECORD = 100  # a share of fewer cases has an interval of ten points either way


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


# titles ---------------------------------------------------------------------------------------------------------------


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


def title_intensity(compared: pd.DataFrame, region: str) -> str:
    """河南研发强度2023年2.05%,低于全国0.60个百分点; the gap is that of the printed figures."""
    r = compared.iloc[-1]
    if r["nation"] != r["nation"]:
        return fit_title(
            f"{region}研发强度{int(r['year'])}年{number(r['value'], '%', 2)},居{r['of']}省第{r['rank']}位"
        )
    s = scale(0, "个百分点", 2)
    gap = s.round(r["value"]) - s.round(r["nation"])
    word = f"{'低于' if gap < 0 else '高于'}全国{s.text(abs(gap))}" if gap else "与全国持平"
    return fit_title(f"{region}研发强度{int(r['year'])}年{number(r['value'], '%', 2)},{word}")


def title_decomposition(table: pd.DataFrame) -> str:
    """研发强度提高0.12个百分点,主要来自园区自身强度变动."""
    r = table[table["region"] == "all"].iloc[0]
    printed = scale(0, "个百分点", 2).round(r["total"])
    if printed == 0:
        return "研发强度与上期基本持平"
    cause = (
        "园区自身强度变动" if (r["within"] - r["between"]) * r["total"] >= 0 else "园区间份额变动"
    )
    word = "提高" if printed > 0 else "下降"
    return fit_title(f"研发强度{word}{number(abs(r['total']), '个百分点', 2)},主要来自{cause}")


def title_stock(findings: pd.DataFrame) -> str:
    """高新技术企业由72家增至82家,净增10家."""
    v = findings.set_index("measure")["value"]
    a, b = v.get("opening", float("nan")), v.get("closing", float("nan"))
    if a != a or b != b:
        return "高新技术企业期初或期末未报"
    word = "增至" if b > a else "减至" if b < a else "持平于"
    return fit_title(
        f"高新技术企业由{number(a, '家')}{word}{number(b, '家')},净变动{change(b - a, '家')}"
    )


# conclusions ----------------------------------------------------------------------------------------------------------


def intensity(
    moved: pd.DataFrame, split: pd.DataFrame, missing: Mapping, bridge: pd.DataFrame, name: Name
) -> str:
    """Notebook 02: from `analysis.ratio_change`, `within_between`, `distance` (in 万元) and `proxy_bridge`."""
    v, joint = moved.set_index("measure")["value"], split[split["region"] == "all"].iloc[0]
    parks = split[split["region"] != "all"]
    top = parks.loc[parks["total"].abs().idxmax()]
    if v.isna().any():
        return block(["研发投入或GDP有月份未报,本期不能判断强度的变动"], demo_of(moved))
    last = bridge.iloc[-1]
    lead = (
        "分子(研发投入)"
        if (v["log_numerator"] - v["log_denominator"]) * v["change"] >= 0
        else "分母(GDP)"
    )
    return block(
        [
            f"月报口径的研发强度由{number(v['before'], '%', 2)}变为{number(v['after'], '%', 2)},变动主要来自{lead};"
            f"研发投入增长{number(v['numerator_growth'], '%')},GDP增长{number(v['denominator_growth'], '%')}",
            f"园区合计强度变动{change(joint['total'], '%', 2)},其中园区自身{change(joint['within'], '%', 2)},"
            f"份额变化{change(joint['between'], '%', 2)};变动最大的是{name(top['region'])},{change(top['total'], '%', 2)}",
            f"按现有GDP,月报口径达到目标还需研发投入{number(missing['missing'], '万元')}"
            if missing["missing"]
            else "月报口径已达到目标强度",
            f"年度公布口径的{int(last['year'])}年数尚未出来,按月报强度的变动推算为{number(last['estimate'], '%', 2)},"
            f"这样推算往年误差{number(bridge.attrs['rms_error'], '个百分点', 2)}"
            f"(只检验过{bridge.attrs['years_checked']}年);两种口径不能相比,推算不代替公布数",
        ],
        demo_of(moved, split, bridge),
    )


def patents(applications: Mapping, quality: pd.DataFrame, relation: pd.DataFrame) -> str:
    """Notebook 03: a PROJECTIONS row, `views.quality` and `analysis.patents_on_rd`."""
    total, z = relation[relation["term"] == "sum"].iloc[0], quality.iloc[-1]
    return block(
        [
            "专利申请" + projection_sentence(applications),
            f"发明占申请{number(z['invention'], '%')},每百件申请(错开六个月)授权{number(z['granted'], '件')},"
            f"万人有效发明专利{number(z['force'], '件/万人')};申请的集中度{number(quality.attrs['hhi'], '', 2)}"
            f"({quality.attrs['of']}个园区均分为{number(1 / quality.attrs['of'], '', 2)})",
            f"省级面板(真实数据)中,研发投入高1%的省份和年份,专利约多{number(total['estimate'], '%', 2)}"
            f"(95%区间{number(total['low'], '', 2)}至{number(total['high'], '', 2)},已扣除各年共同变化;不扣除为"
            f"{number(total['estimate_without_years'], '%', 2)}),"
            + ("区间含0,还不能断定有关系" if total["low"] <= 0 else "这是相关,不是因果"),
            relation.attrs.get("note", ""),
        ],
        bool(applications.get("demo", False)),
    )


def enterprises(identity: pd.DataFrame, parts: pd.DataFrame, odds: pd.DataFrame, name: Name) -> str:
    """Notebook 04: from `analysis.stock_identity`, `analysis.contributions` and `analysis.pipeline_odds`."""
    v = identity.set_index("measure")["value"]
    parks = parts[parts["region"] != "all"]
    top = parks.loc[parks["points"].idxmax()]
    gap = v["difference"]
    holds = (
        "流入流出未报齐,存量不能核对"
        if gap != gap
        else "期初、流入、流出与期末相符"
        if gap == 0
        else f"期末与流入流出相差{change(gap, '家')},待报送单位说明"
    )
    return block(
        [
            f"高新技术企业由{number(v['opening'], '家')}变为{number(v['closing'], '家')},{holds}",
            f"对增长拉动最大的是{name(top['region'])},净变动{change(top['net'], '家')},拉动{change(top['points'], '%')}",
            f"已公布各批申报{number(odds['of'].iloc[-1], '家')},认定{number(odds['reached'].iloc[-1], '家')},"
            f"通过率{number(odds['rate'].iloc[-1], '%', 0)}"
            if len(odds)
            else "",
            "家数少,一个批次即可改变判断" if v["closing"] < 100 else "",
        ],
        demo_of(identity),
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
