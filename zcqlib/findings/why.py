"""Why a projection moved since last month: parts that add up as printed, the largest cause and a sentence."""

from decimal import Decimal

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.course import shares
from zcqlib.findings.found import NAN, Change, Given, Told, finding, inputs
from zcqlib.findings.targets import row_id

PARTS = ("new", "restated", "target", "method")
CAUSES = {"restated": "前期数据修订", "target": "目标调整", "method": "方法更新"}


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
    own = given.table("PROJECTIONS", region=region, indicator=ids).dropna(subset="probability")
    rows = [r for _, target in own.iterrows() for r in _moves(given, target)]
    t = pd.DataFrame(rows, [r["id"] for r in rows])
    what = given.name(indicator) if indicator else "各项目标"
    place = given.names.get(region) or given.name(region)
    scope = f"{place}{'合计' * (region == 'zone')}，{given.year}年"
    told = _told(t, what) if indicator else (f"{what}与上月相比", ())
    demo = bool(given.table("PROJECTIONS")["demo"].any())
    return Told(t, scope, *told, of=tuple(ids), about=dict(demo=demo))


def _moves(given: Given, r: pd.Series) -> list[dict]:
    """Last month's projection, the four parts and this month's, of one PROJECTIONS row."""
    key, m = dict(indicator=r.indicator, region=r.region), given.period.month
    row, w = row_id(*reversed(key.values())), given.table("WHY", **key).set_index("part")
    s, of = quantity.row_scale(r), inputs(r.region, r.indicator, table="PROJECTIONS WHY")
    about = key | dict(scale=s, inputs=of)

    def made(part: str, label: str, cause: str, **values) -> dict:
        return about | dict(id=f"{row}|{part}", basis=part, label=label, cause=cause) | values

    level, end = _level(r.probability), s.round(r["median"])
    now = made("now", f"{m}月报", "本次预测", said=level, ahead=float(end * s.factor))
    if w.empty or w.probability.isna().any():
        return [now | dict(cause="没有上月预测可比")]
    w = w.loc[list(PARTS)]
    chance = float(np.clip(r.probability - w.probability.sum(), 0, 1))
    first, start = _level(chance), s.round(r["median"] - w["median"].sum())
    whole = quantity.whole_chance(r.probability) - quantity.whole_chance(chance)
    points = [float(v) for v in quantity.printed_parts(100 * w.probability, 0, whole)]
    points[int(w.probability.abs().argmax())] += level - first - whole  # <1% counts as 0
    ends = quantity.printed_parts(w["median"] / s.factor, s.digits, float(end - start))
    labels = (f"{m}月新数据", "历史数据修订", "目标调整", "方法更新")
    steps = zip(PARTS, labels, _causes(given, r, w), points, ends, strict=True)
    before = made("before", f"{m - 1}月报", "上次预测", said=first, ahead=float(start * s.factor))
    parts = [made(*step, said_points=v, ahead_points=float(e * s.factor)) for *step, v, e in steps]
    return [before, *parts, now]


def _causes(given: Given, r: pd.Series, w: pd.DataFrame) -> tuple[str, str, str, str]:
    """What stands behind each part, in the order of PARTS."""
    s, m, actual = quantity.row_scale(r), given.period.month, w.actual
    moved = w[["median", "probability"]].abs().max(axis=1) > 1e-9
    back = s.round(actual.restated)
    unit = "个百分点" if s.unit == "%" else s.unit
    restated = "往年数据有修订" if moved["restated"] else "前期数据未变"
    if back:
        span = f"1—{m - 1}" if m > 2 else "1"
        restated = f"{span}月核{'增' if back > 0 else '减'}{abs(back):,f}{unit}"
    was = r.target_low - w.loc["target", "target_low"]
    aim = f"仍为{quantity.target(r)}，" + ("口径有变" if moved["target"] else "未变")
    if was != r.target_low:
        aim = f"由{s.text(s.round(was))}调整为{s.text(s.round(r.target_low))}"
    method = f"按现行方法和参考表重算{m - 1}月报" if moved["method"] else "方法和参考表未变"
    return _new(given, r, w, unit), restated, aim, method


def _new(given: Given, r: pd.Series, w: pd.DataFrame, unit: str) -> str:
    """What the month brought, of a flow against the pace of past years."""
    s, m = quantity.row_scale(r), given.period.month
    of = given.catalog.indicators[r.indicator].growth_of or r.indicator
    own = given.table("SERIES", indicator=of, region=r.region, end=given.period)
    came = s.round(w.at["new", "actual"])
    if own.empty:
        return f"{m}月未报"
    if r.kind != "flow":
        added = Change(unit, 1, s.digits).text(came)
        last = "末" if own.months.eq(0).all() else "累计"
        return f"{m}月{last}{s.text(s.round(r.actual))}，比上月{added}"
    usual = _usual(given, r, w)
    more = came - s.round(usual) if usual == usual else Decimal(0)
    pace = (
        f"，比往年节奏{'多' if more > 0 else '少'}{s.text(abs(more))}"
        if more
        else "，与往年节奏相当"
    )
    return f"{m}月{s.text(came)}" + (pace if usual == usual else "")


def _usual(given: Given, r: pd.Series, w: pd.DataFrame) -> float:
    """What the new month would have brought at the pace of past years, had the projection been right before it."""
    share, m = shares(given, r.indicator, r.region)["value"], given.period.month
    if not {m, m - 1} <= set(share.index) or share[m - 1] >= 1:
        return NAN
    later = w.loc[["new", "target"], ["actual", "median"]].sum()
    rest = (r["median"] - later["median"]) - (r.actual - later["actual"])
    return rest * (share[m] - share[m - 1]) / (1 - share[m - 1])


def _told(t: pd.DataFrame, what: str) -> tuple:
    """Title and sentence of one target."""
    if t.empty:
        return f"{what}没有把握可比", (f"{what}没有可以比较的把握",)
    a, b = t.index[0], t.index[-1]
    if a == b:
        told = f"完成把握{{{b}.said}}，没有上月预测可比"
        return (what + told, told), (what + told,)
    steps = t.iloc[1:-1]

    def course(column: str) -> str:
        rise = t.at[b, column] - t.at[a, column]
        way = f"由{{{a}.{column}}}{'升' if rise > 0 else '降'}至{{{b}.{column}}}"
        return way if rise else f"仍为{{{b}.{column}}}"

    moved = steps.index[steps.said_points.ne(0)]
    parts = [f"{{{i}.label}}{{{i}.said_points}}个百分点" for i in moved]
    parts += ["其余为零"] * (0 < len(moved) < len(steps))
    ends = [f"{{{i}.label}}{{{i}.ahead_points}}" for i in steps.index[steps.ahead_points.ne(0)]]
    brackets = lambda x: f"（{'、'.join(x)}）" if x else ""  # noqa: E731
    chance, end = course("said"), course("ahead")
    sentence = f"{what}完成把握{chance}{brackets(parts)}，年末预计{end}{brackets(ends)}"
    told, change = [f"完成把握{chance}"], t.at[b, "said"] - t.at[a, "said"]
    if change:
        steps = np.sign(change) * steps[["said_points", "ahead_points"]]
        main = steps.said_points.idxmax()
        reasons = [CAUSES.get(main.rpartition("|")[2], "")]
        if not reasons[0]:
            reasons = [f"{{{main}.label}}{'高于' if change > 0 else '低于'}预计"]
            if not steps.at[main, "ahead_points"] > 0:
                reasons = ["余下月份减少，不确定性变小", "余下月份减少"]
        told = [f"{told[0]}，主要因为{reason}" for reason in reasons]
    return (*(what + x for x in told), *told), (sentence,)
