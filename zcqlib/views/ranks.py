"""Places and scores of the parks."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from zcqlib import figures
from zcqlib.briefing import conclusions as say
from zcqlib.briefing import words
from zcqlib.month import Month
from zcqlib.views.parts import names


def places(month: Month, indicator: str = "composite") -> Figure:
    """Ranks over the months with their intervals."""
    r = month.table("RANKS")
    r = r[r["indicator"] == indicator]
    last = r[r["period"] == str(month.period)]
    return figures.bump(
        r,
        month.caption(
            say.title_ranks(last, month.catalog.name),
            f"综合得分位次(位次)与90%区间;{month.year}年各月",
            note="权重为等权演示;竖条为换用其他合理方法时的位次范围",
        ),
        names(month),
    )


def scores(month: Month) -> Figure:
    """Scores of the ten groups by park."""
    r = month.table("RANKS")
    r = r[(r["period"] == str(month.period)) & (r["indicator"] != "composite")]
    label = month.catalog.weights.query("level == 'group'").set_index("id")["name_zh"]
    wide = r.pivot(index="indicator", columns="region", values="value").reindex(columns=list(month.catalog.parks))
    wide = wide.loc[sorted(wide.index, key=int)]
    spread = (wide.max(axis=1) - wide.min(axis=1)).idxmax()
    cells = wide.rename(index=label).map(lambda v: "" if np.isnan(v) else words.number(v, "", 0))
    looks = {
        str(v): ("#E3E9F1" if v >= 85 else "#FDF6F0" if v >= 75 else "#FAE3D0" if v >= 60 else "#F3BE96", "#1F2937")
        for v in range(-200, 201)
    }
    title = words.fit_title(f"园区差距最大的是{label[spread]}", "园区差距最大的一组见表中深色")
    return figures.states(
        cells.rename(columns=month.catalog.name),
        month.caption(
            title,
            f"各组得分(分,功效系数法);{month.period.year}年{month.period.month}月",
            note="空格:没有该组的园区目标",
        ),
        looks=looks,
    )
