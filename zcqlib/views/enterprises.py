"""High-tech enterprises: stock, growth by park, pass rates, growth targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zcqlib import analysis, figures, quantity
from zcqlib.briefing import conclusions as say
from zcqlib.month import Month
from zcqlib.projection.pace import batch_pace
from zcqlib.views.parts import names, place, quantiles, row


def enterprise_identity(month: Month) -> pd.DataFrame:
    """Opening, new, lapsed, moved and closing stock of the year so far, for the zone."""
    return analysis.stock_identity(month.table("SERIES"), "zone", f"{month.year}-01/{month.period}")


def enterprises(month: Month) -> Figure:
    """The stock of high-tech enterprises and what moved it."""
    s = month.table("SERIES")
    s = s[(s["region"] == "zone") & (s["end"].dt.year == month.year) & (s["end"] <= month.period)]
    levels = s[(s["indicator"] == "hightech_enterprises") & (s["months"] == 0)]
    kinds = {
        "hightech_recognised": ("新认定", 1),
        "hightech_moved_in": ("迁入", 1),
        "hightech_lapsed": ("到期失效", -1),
        "hightech_moved_out": ("迁出", -1),
    }
    moved = s[s["indicator"].isin(kinds) & s["months"].eq(1) & ~s["revision"]]
    changes = pd.DataFrame(
        {
            "month": moved["end"].dt.month,
            "kind": [kinds[i][0] for i in moved["indicator"]],
            "value": moved["value"] * [kinds[i][1] for i in moved["indicator"]],
        }
    )
    order = [k for k, _ in kinds.values()]
    changes = changes.sort_values("kind", key=lambda s: s.map(order.index), kind="stable")
    b = month.catalog.batches
    b = b[
        b["indicator"].eq("hightech_recognised")
        & b["year"].eq(month.year)
        & (b["known_from"] <= month.known)
    ]
    b = b[b["kind"].eq("pass")].drop_duplicates("batch")
    when = b["announced"].where(b["announced"].dt.to_period("M") <= month.known, b["expected"])
    events = pd.DataFrame(
        {
            "month": when.dt.month,
            "expected": when.ne(b["announced"]),
            "label": [
                f"第{n}批\n{'预计' if e else ''}{w.month}月"
                for n, w, e in zip(b["batch"], when, when.ne(b["announced"]), strict=True)
            ],
        }
    )
    r = row(month, "hightech_enterprises")
    chance = (
        ""
        if not r or np.isnan(r["probability"])
        else (
            f"{quantity.chance_number(r['probability'])} 达到{quantity.number(r['target_low'], '家')}的把握"
        )
    )
    identity = enterprise_identity(month)
    opening = identity.set_index("measure")["value"]["opening"] if len(identity) else float("nan")
    due = (
        batch_pace(
            r["target_low"], opening, month.catalog.batches, "zone", month.period, month.catalog
        )
        if r
        else None
    )
    return figures.stock(
        pd.DataFrame({"month": levels["end"].dt.month, "value": levels["value"]}),
        changes,
        month.caption(
            say.title_stock(identity),
            f"高新技术企业月末存量与当月增减(家);{place(month, 'zone')},{month.year}年",
            "hightech_enterprises",
            note="认定批次与通过率见参考表",
        ),
        opening=opening,
        target=r.get("target_low", float("nan")),
        target_words=f"力争目标\uff1a{quantity.number(r['target_low'], '家')}" if r else "",
        quantiles=quantiles(month, "hightech_enterprises"),
        chance_words=chance,
        interval=(r["low"], r["median"], r["high"]) if r else None,
        unit="家",
        events=events,
        due=due,
    )


def enterprise_parts(month: Month, indicator: str = "hightech_enterprises") -> pd.DataFrame:
    """`analysis.contributions` since last December, as printed: the points of the parks add up to the printed whole."""
    s = month.table("SERIES")
    s = s[
        (s["indicator"] == indicator) & (s["months"] == 0) & s["region"].isin(month.catalog.parks)
    ]
    at = lambda m: s[s["end"] == m].set_index("region")["value"].reindex(month.catalog.parks)  # noqa: E731
    t = analysis.contributions(at(month.period - month.period.month), at(month.period))
    points = quantity.printed_parts(t["points"].iloc[:-1], 1, t["points"].iloc[-1])
    t["points"] = [float(v) for v in (*points, sum(points))]
    return t


def _batches(month: Month) -> pd.DataFrame:
    """The calendar's batches as known: what was announced later is not announced yet."""
    b = month.catalog.batches
    b = b[(b["known_from"] <= month.known) & b["region"].isin(month.catalog.parks)]
    return b[b["announced"].dt.to_period("M") <= month.known]


def odds(month: Month) -> pd.DataFrame:
    """`analysis.pipeline_odds` of all announced batches; empty where a stage was not recorded."""
    b = _batches(month).query("indicator == 'hightech_recognised'")
    b = b.dropna(subset=["reviewed", "publicised", "done"])
    counts = b[["number", "reviewed", "publicised", "done"]].sum().set_axis(list(analysis.PIPELINE))
    return analysis.pipeline_odds(counts) if len(b) else pd.DataFrame()


def survival(month: Month) -> pd.DataFrame:
    """`analysis.cohort_survival` of the three-year status, from the certificates that came due."""
    b = (
        _batches(month)
        .query("kind == 'lapse' and indicator == 'hightech_lapsed'")
        .groupby("year")[["number", "done"]]
    )
    due = b.sum()
    return analysis.cohort_survival(due["number"].rename(lambda y: y - 3), due["done"])


STAGES = dict(zip(analysis.PIPELINE, ("申报", "评审", "公示", "认定"), strict=True))


def enterprise_odds(month: Month) -> Figure:
    """From filed to certified, and how many keep the status when it comes due."""
    t, kept = odds(month), survival(month)
    rows = [
        dict(
            label=f"{STAGES[r.stage_from]}→{STAGES[r.stage_to]} {r.reached:.0f}/{r.of:.0f}家",
            estimate=r.rate,
            low=r.low,
            high=r.high,
        )
        for r in t.itertuples()
    ]
    rows += [
        dict(
            label=f"{r.cohort}年证书{r.due}年续上 {r.recognised - r.lapsed:.0f}/{r.recognised:.0f}家",
            estimate=r.kept,
            low=r.low,
            high=r.high,
        )
        for r in kept.itertuples()
    ]
    whole = t.iloc[-1]
    together = (
        100 * (1 - kept["lapsed"].sum() / kept["recognised"].sum()) if len(kept) else float("nan")
    )
    b = month.catalog.batches
    years = sorted(set(_batches(month)["year"]))
    coming = b[
        (b["known_from"] <= month.known)
        & (b["year"] == month.year)
        & (b["kind"] == "lapse")
        & (b["indicator"] == "hightech_lapsed")
        & ~(b["announced"].dt.to_period("M") <= month.known)
    ]
    due = f";今年还有{coming['number'].sum():.0f}家到期" if len(coming) else ""
    return figures.forest(
        pd.DataFrame(rows),
        month.caption(
            quantity.fit_title(
                *(
                    [
                        f"申报每百家认定{quantity.number(whole['rate'], '家', 0)},到期每百家续上"
                        f"{quantity.number(together, '家', 0)}"
                    ]
                    if len(kept)
                    else []
                ),
                f"申报每百家认定{quantity.number(whole['rate'], '家', 0)}",
            ),
            f"通过率与续证率(%),线为80%区间;{place(month, 'zone')},{years[0]}—{years[-1]}年已公布各批",
            source="认定批次参考表,自创办整理",
            note="家数少,区间宽" + due,
            demo=month.workspace.demo or bool(b["demo"].any()),
        ),
        zero=100.0,
        zero_words="全部通过",
        show=lambda v: quantity.number(v, "", 0),
    )


def growth_sides(month: Month, indicator: str = "hightech_value_added") -> Figure:
    """Growth as reported beside growth from levels, on last year's figure as printed then and as restated now."""
    g = month.table("GROWTH")
    g = g[
        (g["indicator"] == indicator)
        & (g["basis"] == "ytd")
        & g["reported"].notna()
        & (g["end"] <= month.period)
    ]
    columns = [
        ("reported", "报告的增速"),
        ("levels", "按原来上年数算"),
        ("restated", "按改后上年数算"),
    ]
    g = g[(g["end"] == g["end"].max()) & (g["end"].dt.year == month.year)].set_index("region")
    g = g.reindex([*month.catalog.parks, "zone"]).dropna(how="all")
    if g.empty:
        return _not_yet(month, indicator, columns)
    rows = pd.DataFrame({"region": g.index, "label": [names(month)[r] for r in g.index]})
    for id, column in (
        ("reported", "reported"),
        ("levels", "from_levels"),
        ("restated", "on_restated_base"),
    ):
        rows[id] = g[column].to_numpy(float)
        rows[f"{id}_text"] = [
            quantity.number(v, "%", 1) if np.isfinite(v) else "—" for v in rows[id]
        ]
    shift = (g["restated_base"] / g["base"] - 1).drop(index="zone", errors="ignore") * 100
    changed = shift[shift.abs() > 0.5]
    what = month.catalog.name(indicator)
    at = g["end"].iloc[0]
    if len(changed):
        worst = changed.abs().idxmax()
        gap = rows.set_index("region").loc[worst]
        title = quantity.fit_title(
            f"{names(month)[worst]}下调上年基数{quantity.number(abs(changed[worst]), '%', 1)},增速因此高"
            f"{quantity.number(gap['restated'] - gap['levels'], '个百分点', 1)}"
            if changed[worst] < 0
            else f"{names(month)[worst]}上调上年基数{quantity.number(changed[worst], '%', 1)}",
            f"{names(month)[worst]}改动了上年基数",
        )
    else:
        title = quantity.fit_title(f"各园区{what}上年基数没有改动")
    price = (
        "报告增速按可比价,其余按现价"
        if month.catalog.indicators[indicator].constant_price
        else "均按现价"
    )
    return figures.measures(
        rows,
        month.caption(
            title, f"{what}同比增速(%);1—{at.month}月累计,{at.year}年", indicator, note=price
        ),
        columns=columns,
    )


def _not_yet(month: Month, indicator: str, columns: list[tuple[str, str]]) -> Figure:
    """The empty figure of a growth that this year's months have not brought yet: January comes with February."""
    rows = pd.DataFrame(
        columns=[
            "region",
            "label",
            *(id for id, _ in columns),
            *(f"{id}_text" for id, _ in columns),
        ]
    )
    what = month.catalog.name(indicator).removesuffix("增速")
    return figures.measures(
        rows,
        month.caption(
            quantity.fit_title(f"{month.period.month}月还没有{what}的增速"),
            f"{what}同比增速(%);{month.year}年",
            indicator,
        ),
        columns=columns,
    )


def growth_needed(month: Month, indicator: str = "hitech_value_added_growth") -> Figure:
    """Growth so far, and what the months left must grow by to reach the year's target."""
    p = month.table("PROJECTIONS").query("indicator == @indicator").set_index("region")
    p = p.reindex([*month.catalog.parks, "zone"]).dropna(subset=["actual", "target_low"])
    columns = [("actual", "至今增速"), ("needed", "余下月份所需"), ("median", "全年预计(中位数)")]
    if "zone" not in p.index:
        return _not_yet(month, indicator, columns)
    rows = p.reset_index()[["region", "actual", "needed_per_month", "median"]]
    rows = rows.rename(columns={"needed_per_month": "needed"}).assign(
        label=[names(month)[r] for r in p.index]
    )
    for id in ("actual", "needed", "median"):
        rows[f"{id}_text"] = [
            quantity.number(v, "%", 1) if np.isfinite(v) else "—" for v in rows[id]
        ]
        rows[f"{id}_mark"] = p["target_low"].to_numpy()
    whole = rows.iloc[-1]
    what = month.catalog.name(indicator)
    word = "才能" if whole["needed"] > whole["actual"] else "即可"
    return figures.measures(
        rows,
        month.caption(
            quantity.fit_title(
                f"余下月份增长{quantity.number(whole['needed'], '%', 1)},{word}完成"
                f"{quantity.number(p['target_low'].iloc[-1], '%', 0)}的目标"
            ),
            f"{what}(%);至今、余下月份所需、全年预计,{month.year}年",
            indicator,
            month.catalog.indicators[indicator].growth_of,
            note="竖线为各自目标;所需按上年可比基数计算",
        ),
        columns=columns,
    )
