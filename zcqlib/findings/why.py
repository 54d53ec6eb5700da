"""Why a projection moved since last month: parts that add up as printed, the largest cause and a sentence."""

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import NAN, Change, Given, Told, finding, inputs, up_to
from zcqlib.findings.targets import row_id

PARTS = dict(new="新数据", restated="历史数据修订", target="目标调整", method="方法更新")
COLUMNS = ["basis", "label", "cause", "said", "said_points", "ahead", "ahead_points"]


def _level(p: float) -> float:
    return {"<1%": 0.0, ">99%": 100.0}.get(quantity.chance_number(p), quantity.whole_chance(p))


@finding("""
    said whole_chance : 把握
    said_points + : 影响
    ahead : 年末中位数
    ahead_points signed : 影响
    cause text : 原因
""")
def why(given: Given, indicator: str = "", region: str = "zone") -> Told:
    """What moved one target since last month, or all those of the zone among the ten groups.

    Rows: `<row>|before`, what new data, revisions, targets and method brought, `<row>|now`: chances in whole per cent
    and points, year ends in the target's unit, so rounded that the printed figures add up. Only the last where there
    is no month before; none where the target has no chance.
    """
    ids = [indicator] if indicator else list(given.catalog.headline()["id"])
    p = given.table("PROJECTIONS")
    own = p.query("region == @region and indicator in @ids and probability == probability")
    none = pd.DataFrame(columns=COLUMNS)
    t = pd.concat([_moves(given, r) for _, r in own.iterrows()] or [none])
    scope = f"{given.whole(region)}，{given.year}年"
    told = _told(t, given.name(indicator)) if indicator else ("各项目标与上月相比",)
    return Told(t, scope, *told, of=tuple(ids), about=dict(demo=bool(p.demo.any())))


def _moves(given: Given, r: pd.Series) -> pd.DataFrame:
    """Last month's projection, the four parts and this month's, of one PROJECTIONS row."""
    s, m, row = quantity.row_scale(r), given.period.month, row_id(r.region, r.indicator)
    w = given.table("WHY", indicator=r.indicator, region=r.region).set_index("part")
    level, end = _level(r.probability), s.round(r["median"])
    rows = [("now", f"{m}月报", "没有上月预测可比", level, NAN, end, NAN)]
    if len(w) and w.probability.notna().all():
        w = w.loc[list(PARTS)]
        chance = float(np.clip(r.probability - w.probability.sum(), 0, 1))
        first, start = _level(chance), s.round(r["median"] - w["median"].sum())
        whole = quantity.whole_chance(r.probability) - quantity.whole_chance(chance)
        points = [float(v) for v in quantity.printed_parts(100 * w.probability, 0, whole)]
        points[int(w.probability.abs().argmax())] += level - first - whole  # <1% counts as 0
        ends, none = (
            quantity.printed_parts(w["median"] / s.factor, s.digits, end - start),
            [NAN] * 4,
        )
        labels = [f"{m}月" * (part == "new") + label for part, label in PARTS.items()]
        steps = zip(PARTS, labels, _causes(given, r, w), none, points, none, ends, strict=True)
        before = "before", f"{m - 1}月报", "上次预测", first, NAN, start, NAN
        rows = [before, *steps, (*rows[0][:2], "本次预测", *rows[0][3:])]
    t = pd.DataFrame(rows, columns=COLUMNS)
    ahead = t[["ahead", "ahead_points"]].astype(float) * s.factor
    of = inputs(r.region, r.indicator, table="PROJECTIONS WHY")
    t = t.assign(**ahead, indicator=r.indicator, region=r.region, scale=s, inputs=of)
    return t.set_axis(f"{row}|" + t.basis)


def _causes(given: Given, r: pd.Series, w: pd.DataFrame) -> tuple[str, str, str, str]:
    """What stands behind each part, in the order of PARTS."""
    s, m = quantity.row_scale(r), given.period.month
    moved = w[["median", "probability"]].abs().max(axis=1) > 1e-9
    came, back = map(s.round, w.actual[["new", "restated"]])
    unit = "个百分点" if s.unit == "%" else s.unit
    of = given.catalog.indicators[r.indicator].growth_of or r.indicator
    own = given.table("SERIES", indicator=of, region=r.region, end=given.period)
    new = f"{m}月未报"
    if len(own):
        new = f"{m}月" + (s if r.kind == "flow" else Change(unit, 1, s.digits)).text(came)
    restated = "往年数据有修订" if moved["restated"] else "前期数据未变"
    if back:
        restated = f"{up_to(m - 1)}核{'增' if back > 0 else '减'}{abs(back):,f}{unit}"
    was = r.target_low - w.target_low["target"]
    aim = f"仍为{quantity.target(r)}，" + ("口径有变" if moved["target"] else "未变")
    if was != r.target_low:
        aim = f"由{s.text(s.round(was))}调整为{s.text(s.round(r.target_low))}"
    method = f"按现行方法和参考表重算{m - 1}月报" if moved["method"] else "方法和参考表未变"
    return new, restated, aim, method


def _told(t: pd.DataFrame, what: str) -> tuple:
    """Title and sentence of one target."""
    if t.empty:
        return (f"{what}没有把握可比",)
    a, b, steps = t.index[0], t.index[-1], t.iloc[1:-1]
    if a == b:
        told = f"完成把握{{{b}.said}}，没有上月预测可比"
        return what + told, (what + told,)
    said, change = {}, t.loc[b, ["said", "ahead"]] - t.loc[a, ["said", "ahead"]]
    for c, unit in (("said", "个百分点"), ("ahead", "")):
        way = f"由{{{a}.{c}}}{'升' if change[c] > 0 else '降'}至" if change[c] else "仍为"
        moved = steps.index[steps[f"{c}_points"].ne(0)]
        parts = [f"{{{i}.label}}{{{i}.{c}_points}}{unit}" for i in moved]
        parts += ["其余为零"] * (0 < len(moved) < len(steps))
        said[c] = way + f"{{{b}.{c}}}", f"（{'、'.join(parts)}）" * bool(parts)
    chance, end = said["said"], said["ahead"]
    title = f"{what}完成把握{chance[0]}"
    if change["said"]:
        steps = np.sign(change["said"]) * steps[["said_points", "ahead_points"]]
        main = steps.said_points.idxmax()
        reason = f"{{{main}.label}}"
        if main.endswith("new"):
            reason += "高于预计" if change["said"] > 0 else "低于预计"
            if not steps.at[main, "ahead_points"] > 0:
                reason = "余下月份减少，不确定性变小"
        title += f"，主要因为{reason}"
    sentence = f"{what}完成把握{''.join(chance)}，年末预计{''.join(end)}"
    return title, (sentence,)
