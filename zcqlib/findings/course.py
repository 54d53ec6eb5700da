"""Findings on the course of a year: a target month by month against its paces, and where the year may end."""

import re

import numpy as np
import pandas as pd

from zcqlib import quantity
from zcqlib.findings.found import NAN, Given, Told, finding, inputs, sum_up
from zcqlib.findings.targets import row_id, standing
from zcqlib.projection.pace import season_shares
from zcqlib.tables import MissingData

DOTS = 20
LEVELS = dict(low95=0.025, low80=0.1, low50=0.25, middle=0.5, high50=0.75, high80=0.9, high95=0.975)
YEAR = """
    so_far : 累计
    straight : 序时进度
    seasonal : 季节进度
    middle : 年末中位数
    least : 历年最低
    most : 历年最高
    low95 : 下限（95%区间）
    high95 : 上限（95%区间）
    low80 : 下限（80%区间）
    high80 : 上限（80%区间）
    low50 : 下限（50%区间）
    high50 : 上限（50%区间）
"""


def shares(given: Given, indicator: str, region: str) -> pd.DataFrame:
    """What past years had done of a year by each month, see `season_shares`; no rows where that is not known."""
    make = lambda: season_shares(given.table("SERIES"), given.year)  # noqa: E731
    t = given.once(("shares",), make)
    return t.query("region == @region and indicator == @indicator").droplevel([0, 1])


def _year_ends(given: Given, indicator: str, region: str, levels) -> np.ndarray:
    """The year end at some levels; none where it is not known."""
    q = given.table("QUANTILES", indicator=indicator, region=region).sort_values("level")
    return np.interp(levels, q.level, q.value.astype(float)) if len(q) else np.array([])


def _months(given: Given, indicator: str, region: str, aim: float) -> pd.DataFrame:
    """The months 1 to 12 of a target: YEAR's columns in its unit, the fan in the shape that past years had."""
    past = shares(given, indicator, region)
    t = given.table("TO_DATE", indicator=indicator, region=region).sort_values("end")
    t = t.query("end.dt.year == @given.year")
    done = t.set_index(t.end.dt.month)["value"]
    out = pd.DataFrame(NAN, range(1, 13), re.findall(r"\w+(?= : )", YEAR))
    shape = out.index.to_series() / 12
    out["so_far"], out["straight"] = done, aim * shape
    if len(past):
        past = past.reindex(out.index)
        out[["seasonal", "least", "most"]] = past[["value", "low", "high"]] * aim
        shape = past.value
    ends = _year_ends(given, indicator, region, list(LEVELS.values()))
    if len(ends) and len(done):
        rest, now = shape.loc[done.index[-1] :], done.iloc[-1]
        rest = rest if rest.iloc[-1] > rest.iloc[0] else rest.index.to_series()
        part = (rest - rest.iloc[0]) / max(rest.iloc[-1] - rest.iloc[0], 1e-9)
        for c, end in zip(LEVELS, ends, strict=True):
            out[c] = now + (end - now) * part
    return out


def _dated(t: pd.DataFrame, given: Given, indicator: str, region: str, label) -> pd.DataFrame:
    """Months as rows of a finding."""
    of = inputs(region, indicator, table="TO_DATE SERIES QUANTILES")
    basis = [f"{given.year}-{m:02d}" for m in t.index]
    t = t.assign(
        label=label, indicator=indicator, region=region, inputs=of, basis=basis, at=t.index
    )
    return t.set_axis([f"{row_id(region, indicator)}|{m}" for m in t.index])


@finding(YEAR + "ending : 年末可能")
def course(given: Given, indicator: str = "", region: str = "zone") -> Told:
    """One target's year: its months, the fan to the year end, and twenty year ends of five per cent each.

    `indicator` : of patents filed, if none. Rows: its row of `standing`; `<row>|<month>` with `at`, the month; `<row>|end<n>`, the least first.
    """
    indicator = indicator or given.role("专利申请")
    base, row = standing(given), row_id(region, indicator)
    own = base.rows[base.rows.index == row]
    aim, scale = own[["target", "scale"]].iloc[0] if len(own) else (NAN, None)
    t = _months(given, indicator, region, aim)
    scale = scale or quantity.scale(t.so_far.max(), given.catalog.unit(indicator))
    t = _dated(t, given, indicator, region, [f"{m}月" for m in t.index])
    ids = [f"{row}|end{n + 1}" for n in range(DOTS)]
    dots = _year_ends(given, indicator, region, (np.arange(DOTS) + 0.5) / DOTS)
    if t.so_far.isna().all() and not len(dots):
        raise MissingData(f"{given.whole(region)}{given.name(indicator)}今年还没有数")
    ends = pd.DataFrame({"ending": dots} if len(dots) else {}, ids)
    ends = ends.assign(indicator=indicator, region=region, basis=ids, label="年末可能")
    rows = pd.concat([t, ends.assign(inputs=t.inputs.iloc[0])]).assign(scale=scale)
    title = f"[{{{row}.headline}}/{given.name(indicator)}：园区目标未下达]"
    scope = f"{given.whole(region)}，{given.year}年"
    return Told(pd.concat([own, rows]), scope, title, of=(indicator,), base=base)


@finding(
    re.sub(r"(\w+) :", r"\1_lead +个百分点.1 :", YEAR)
    + """
    targeted 个 : 有目标的园区
    likely 个 : 把握过半
    """
)
def lead(given: Given, indicator: str = "") -> Told:
    """How far the zone and its parks are ahead of their own seasonal pace, in points of their target.

    Rows: those of `standing`; `<row>|<month>` with `at`, the month, and 100 × (each column of the course − the
    seasonal pace) ÷ target, at the year end against the target; `all` counts the parks with a target.
    """
    base, label = standing(given), given.names
    indicator = indicator or given.role("专利申请")
    ids = [row_id(r, indicator) for r in ("zone", *given.catalog.parks)]
    own = base.rows.loc[[i for i in ids if i in base.rows.index]].query("target > 0")
    parts = [own.assign(at=NAN)]
    for r in own.itertuples():
        t = _months(given, indicator, r.region, r.target)
        if t[["seasonal", "so_far"]].notna().any().all():
            t = 100 * t.sub(t.seasonal, axis=0).add_suffix("_lead") / r.target
            parts.append(_dated(t, given, indicator, r.region, label[r.region]))
    rows, title = pd.concat(parts), "园区目标未下达，不作判断"
    judged = own.query("region != 'zone'")["chance"].dropna()
    if len(judged):
        sum_up(rows, "all", "合计", own, targeted=len(judged), likely=(judged >= 0.5).sum())
        title = f"{{{own.index[0]}.label}}：" * (own.region.iloc[0] == "zone")
        title += "{all.targeted}有目标的园区中{all.likely}把握过半"
    scope = f"{label['zone']}及各园区，{given.year}年"
    return Told(rows, scope, title, of=tuple(own.indicator[:1]), base=base)
