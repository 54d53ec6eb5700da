"""Targets and the year end: pace, effort still needed, chances, what moved them, promises."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from zcqlib import figures, quantity
from zcqlib.findings.targets import ZONES
from zcqlib.month import Month


def promises(month: Month) -> Figure:
    """The coverage and milestone rows of the ten groups: stages, last and next, overdue days, who is missing."""
    f, rows, before = month.find("promises"), [], ""
    for r in f.things.to_dict("records"):
        if r["named"] not in ("", before):
            rows.append(dict(label=r["named"]))
        before = r["named"]
        shown = dict(label=" " + r["label"] if before else r["label"], stages=r["stages"])
        shown |= dict(reached=r["stages_done"], last=r["last"], next=r["next"], state=r["colour"])
        rows.append(shown | dict(word=r["promise_state"], missing=r["who_misses"]))
    return figures.promises(
        pd.DataFrame(rows, dtype=object).fillna(""),
        month.caption(
            f.title,
            f"点名事项与覆盖事项的阶段(个);{month.year}年{month.period.month}月末",
            source="计划目标与节点参考表",
            note="圆点为阶段或园区\uff0c实心已到\uff1b天数从承诺月份最后一天数起",
        ),
    )


def promises_rest(month: Month) -> pd.DataFrame:
    """Counted promises without stages or dates on file: `name`, `responsible`, `missing`."""
    t, counted = month.table("PROMISES"), set(month.catalog.counted()["id"])
    t = t[(t["stages"] == 0) & t["id"].isin(counted) & t["region"].isin(["zone", "city"])]
    return pd.DataFrame(
        {"name": t["name_zh"], "responsible": t["responsible"], "missing": t["missing"]}
    )


def chances(month: Month) -> Figure:
    """Chances by target and park, the hardest of the parks' targets first, those without park targets last."""
    f, catalog = month.find("parks"), month.catalog
    columns = [*((r, catalog.name(r)) for r in catalog.parks), ("zone", catalog.zone.parts_zh)]
    t = f.things
    t = t.assign(region=t["region"].where(~t["region"].isin(ZONES), "zone"))
    met = quantity.lights().state("met").words
    cells = t["chance"].astype(object).where(t["light"].ne(met), met)
    frame = t.assign(cell=cells).pivot(index="indicator", columns="region", values="cell")
    frame = frame.reindex(columns=[c for c, _ in columns])
    mean = t[t["region"].ne("zone")].groupby("indicator")["chance"].mean()
    order = mean.reindex(frame.index).sort_values(kind="stable", na_position="last").index
    more = f",{len(frame)}项中的前20项" if len(frame) > 20 else ""
    return figures.heatmap(
        frame.loc[order].rename(index=catalog.name).head(20),
        month.caption(
            f.title,
            f"完成全年目标的把握(%);{catalog.zone.parks_zh}及{catalog.zone.parts_zh}合计,{month.year}年,按园区平均由低到高{more}",
            note="园区目标为演示分解" if month.workspace.demo else "",
        ),
        columns=columns,
    )
