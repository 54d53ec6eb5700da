"""SERIES to FINDINGS: what moved the R&D intensity, patents and their quality, where enterprises came from and went.

Every split adds up exactly to what it splits. Spans are written `2018` (the year), `2018-09` (the month) or
`2018-01/2018-09`; a span that the figures do not cover without a gap has no value (NaN), never a smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zcqlib.tables import FINDINGS, ZcqError, shape

NATION = ("全国", "中国", "china", "nation")
FEW_CLUSTERS = (
    30  # below this, sandwich errors by cluster are known to be too small (Cameron and Miller 2015)
)
PIPELINE = ("filed", "reviewed", "publicised", "certified")


class AnalysisError(ZcqError, ValueError):
    """Figures that an analysis cannot use; the sentence says which and what to do."""


def span(text: str) -> tuple[pd.Period, pd.Period]:
    """First and last month of a span."""
    first, _, last = str(text).partition("/")
    try:
        a, b = pd.Period(first), pd.Period(last or first)
    except ValueError as e:
        raise ValueError(f"时间「{text}」不能识别,应写作 2018、2018-09 或 2018-01/2018-09。") from e
    start, end = a.asfreq("M", "start"), b.asfreq("M", "end")
    if end < start:
        raise ValueError(f"时间「{text}」的终点早于起点。")
    return start, end


def total(series: pd.DataFrame, regions: str | Sequence[str], indicator: str, period: str) -> float:
    """Sum over a span and over regions; for a level, its value in the span's last month.

    Parameters
    ----------
    series : SERIES. regions : id or ids. indicator : id. period : a span.
    Returns
    -------
    Value in the indicator's unit; NaN where a month or a region is missing.
    Raises
    ------
    ValueError : the span cannot be read.
    Source
    ------
    各期数按月份首尾相接,累计数的修订计入整段累计;2月含1月的合并数原样使用。
    """
    start, end = span(period)
    rows = series[series["indicator"] == indicator]
    ids = [regions] if isinstance(regions, str) else list(regions)
    return (
        float(sum(_one(rows[rows["region"] == r], start, end) for r in ids))
        if ids
        else float("nan")
    )


def _one(rows: pd.DataFrame, start: pd.Period, end: pd.Period) -> float:
    level = rows[(rows["months"] == 0) & (rows["end"] == end)]
    if len(level):
        return float(level["value"].iloc[-1])
    # a revision is of the year to date, so it counts where the span holds all of what it revises
    whole = rows["revision"] & (rows["start"] >= start) & (rows["end"] <= end)
    flows = rows[rows["months"].gt(0) & ~rows["revision"]]
    out, at = float(rows.loc[whole, "value"].sum()), start
    while at <= end:
        fits = flows[(flows["start"] == at) & (flows["end"] <= end)]
        if fits.empty:
            return float("nan")
        row = fits.loc[fits["months"].idxmax()]
        out, at = out + float(row["value"]), row["end"] + 1
    return out


def _demo(series: pd.DataFrame, *indicators: str) -> bool:
    return bool(series.loc[series["indicator"].isin(indicators), "demo"].any())


def _findings(region: str, indicator: str, period: str, demo: bool, values: dict) -> pd.DataFrame:
    return shape(
        [
            {
                "region": region,
                "indicator": indicator,
                "period": period,
                "measure": m,
                "value": v,
                "unit": u,
                "demo": demo,
            }
            for m, (v, u) in values.items()
        ],
        FINDINGS,
    )


def ratio_change(
    series: pd.DataFrame,
    regions: str | Sequence[str],
    indicator: str,
    numerator: str,
    denominator: str,
    before: str,
    after: str,
    label: str = "zone",
) -> pd.DataFrame:
    """Say whether the numerator or the denominator moved a ratio.

    Parameters
    ----------
    series : SERIES. regions : id, or ids that are summed and named `label`. before, after : spans.
    Returns
    -------
    FINDINGS: both ratios (%), both growth rates (%), `log_numerator` + `log_denominator` = `log_change`, and
    `points_numerator` + `points_denominator` = `change` in 个百分点 (log-mean weights, no remainder).
    Raises
    ------
    AnalysisError : a total is zero or negative, so that no logarithm exists.
    Source
    ------
    分子、分母均取自同一套月报;贡献按对数平均分解,相加恰为总变动。
    """
    n0, n1, d0, d1 = (
        total(series, regions, i, p) for i in (numerator, denominator) for p in (before, after)
    )
    for name, value, where in (
        (numerator, n0, before),
        (numerator, n1, after),
        (denominator, d0, before),
        (denominator, d1, after),
    ):
        if value <= 0:
            raise AnalysisError(
                f"{label} 的 {name} 在 {where} 合计为 {value},不为正数,不能分解。请核对报表。"
            )
    r0, r1, dn, dd = 100 * n0 / d0, 100 * n1 / d1, np.log(n1 / n0), np.log(d1 / d0)
    weight = r0 if np.isclose(r0, r1, rtol=1e-12) else (r1 - r0) / np.log(r1 / r0)
    return _findings(
        regions if isinstance(regions, str) else label,
        indicator,
        f"{before}→{after}",
        _demo(series, numerator, denominator),
        {
            "before": (r0, "%"),
            "after": (r1, "%"),
            "change": (r1 - r0, "个百分点"),
            "numerator_growth": (100 * (n1 / n0 - 1), "%"),
            "denominator_growth": (100 * (d1 / d0 - 1), "%"),
            "log_change": (dn - dd, ""),
            "log_numerator": (dn, ""),
            "log_denominator": (-dd, ""),
            "points_numerator": (weight * dn, "个百分点"),
            "points_denominator": (-weight * dd, "个百分点"),
        },
    )


def within_between(
    series: pd.DataFrame,
    parks: Sequence[str],
    numerator: str,
    denominator: str,
    before: str,
    after: str,
) -> pd.DataFrame:
    """Split the change of the parks' joint ratio into their own ratios' changes and the shift of weight among them.

    Parameters
    ----------
    series : SERIES. parks : ids. before, after : spans.
    Returns
    -------
    One row a park and a last one `all`: `region`, `ratio_before`, `ratio_after`, `share_before`, `share_after` (%),
    `within`, `between`, `total` (个百分点; both columns add up to the change of the joint ratio), `demo`.
    `.attrs["left_out"]` names parks without figures: they are in neither joint ratio.
    Raises
    ------
    AnalysisError : no park has both figures in both spans, or a denominator is not positive.
    Source
    ------
    内部效应 = 强度变动 × 两期平均份额;结构效应 = 份额变动 ×(两期平均强度 − 两期平均总强度)。
    """
    got = {
        p: [total(series, p, i, s) for i in (numerator, denominator) for s in (before, after)]
        for p in parks
    }
    table = pd.DataFrame(got, index=["n0", "n1", "d0", "d1"]).T
    kept = table.dropna()
    if kept.empty:
        raise AnalysisError(
            f"没有一个园区同时有 {before} 和 {after} 的 {numerator} 与 {denominator},不能分解。"
        )
    if (kept[["d0", "d1"]] <= 0).any(axis=None):
        bad = "、".join(kept.index[(kept[["d0", "d1"]] <= 0).any(axis=1)])
        raise AnalysisError(f"{bad} 的 {denominator} 不为正数,不能分解。请核对报表。")
    s = kept.sum()
    r0, r1 = 100 * kept.n0 / kept.d0, 100 * kept.n1 / kept.d1
    w0, w1 = kept.d0 / s.d0, kept.d1 / s.d1
    mean = (100 * s.n0 / s.d0 + 100 * s.n1 / s.d1) / 2
    out = pd.DataFrame(
        {
            "region": kept.index,
            "ratio_before": r0.values,
            "ratio_after": r1.values,
            "share_before": 100 * w0.values,
            "share_after": 100 * w1.values,
            "within": ((r1 - r0) * (w0 + w1) / 2).values,
            "between": ((w1 - w0) * ((r0 + r1) / 2 - mean)).values,
        }
    )
    out["total"] = out["within"] + out["between"]
    last = {
        "region": "all",
        "ratio_before": 100 * s.n0 / s.d0,
        "ratio_after": 100 * s.n1 / s.d1,
        "share_before": 100.0,
        "share_after": 100.0,
    } | out[["within", "between", "total"]].sum().to_dict()
    out = pd.concat([out, pd.DataFrame([last])], ignore_index=True)
    out["demo"] = _demo(series, numerator, denominator)
    out.attrs["left_out"] = [p for p in parks if p not in kept.index]
    return out


def distance(numerator: float, denominator: float, target_pct: float) -> dict[str, float]:
    """What a ratio still lacks, in the numerator's unit, at the given denominator.

    Parameters
    ----------
    numerator, denominator : same unit. target_pct : the target, %.
    Returns
    -------
    `ratio` (%), `needed` (numerator at the target), `missing` (0 where met), `growth_needed` (%).
    Raises
    ------
    AnalysisError : a figure is not positive.
    Source
    ------
    目标比率 × 分母 − 分子。
    """
    if not (numerator > 0 and denominator > 0 and target_pct > 0):
        raise AnalysisError(f"分子 {numerator}、分母 {denominator}、目标 {target_pct} 须都是正数。")
    needed = target_pct / 100 * denominator
    missing = max(0.0, needed - numerator)
    return {
        "ratio": 100 * numerator / denominator,
        "needed": needed,
        "missing": missing,
        "growth_needed": 100 * missing / numerator,
    }


def proxy_bridge(official: pd.Series, proxy: pd.Series, demo: bool = False) -> pd.DataFrame:
    """Estimate a yearly official ratio that is not out yet from a proxy, with the error this made in past years.

    Parameters
    ----------
    official, proxy : ratios (%) by year. The proxy is what reports give in time.
    Returns
    -------
    `year`, `official`, `proxy`, `estimate` (last official × growth of the proxy since), `error` (estimate − official,
    个百分点, NaN where no official figure exists), `label`, `demo`; `.attrs`: `rms_error`, `years_checked`. An estimate
    never fills the official column.
    Raises
    ------
    AnalysisError : fewer than two official years overlap with the proxy, or a value is not positive.
    Source
    ------
    替代指标推算,不是统计部门公布数。
    """
    official, proxy = official.dropna().sort_index(), proxy.dropna().sort_index()
    if (official <= 0).any() or (proxy <= 0).any():
        raise AnalysisError("比率须为正数,不能推算。请核对官方数和替代指标。")
    common = official.index.intersection(proxy.index)
    if len(common) < 2:
        raise AnalysisError(
            f"官方数与替代指标只有 {len(common)} 个共同年份,至少要 2 个才能检验推算误差。"
        )
    rows = []
    for year in proxy.index[proxy.index > common[0]]:
        base = common[common < year][-1]
        estimate = official[base] * proxy[year] / proxy[base]
        known = official.get(year, np.nan)
        rows.append(
            {
                "year": year,
                "official": known,
                "proxy": proxy[year],
                "estimate": estimate,
                "error": estimate - known,
                "label": f"替代指标推算,以{base}年官方数为基础,非公布数",
                "demo": demo,
            }
        )
    out = pd.DataFrame(rows)
    errors = out["error"].dropna()
    out.attrs = {"rms_error": float(np.sqrt((errors**2).mean())), "years_checked": len(errors)}
    return out


def share(
    series: pd.DataFrame,
    region: str,
    part: str,
    whole: str,
    periods: Sequence[str],
    lag: int = 0,
    per: float = 100,
    unit: str = "%",
) -> pd.DataFrame:
    """One figure over another by period: invention share, grants per application, patents in force per 10,000 people.

    Parameters
    ----------
    series : SERIES. periods : spans. lag : months by which the whole lies before the part (grants follow applications).
    per, unit : 100 and % for a share, 10000 and 件/万人 per 10,000 inhabitants.
    Returns
    -------
    FINDINGS, measure `share` (with a lag `share_lag<months>`); NaN where a figure is missing or the whole is 0.
    Raises
    ------
    ValueError : lag is negative or not a whole number.
    Source
    ------
    月报;授权与申请之比按滞后月数错开,不代表同一批专利。
    """
    if not isinstance(lag, (int, np.integer)) or lag < 0:
        raise ValueError(f"滞后月数 {lag} 须为不小于 0 的整数。")
    out = []
    for period in periods:
        first, last = span(period)
        a, b = (
            total(series, region, part, period),
            total(series, region, whole, f"{first - lag}/{last - lag}"),
        )
        out.append(
            _findings(
                region,
                part,
                period,
                _demo(series, part, whole),
                {f"share_lag{lag}" if lag else "share": (per * a / b if b > 0 else np.nan, unit)},
            )
        )
    return pd.concat(out, ignore_index=True) if out else shape([], FINDINGS)


def concentration(values: pd.Series) -> pd.DataFrame:
    """Shares of a total and how concentrated it is.

    Parameters
    ----------
    values : non-negative values by region.
    Returns
    -------
    `region`, `value`, `share` (%, adds up to 100), largest first; `.attrs`: `hhi` (0 to 1, sum of squared shares),
    `effective` (1/hhi: as many equal ones), `missing` (regions without a value, left out).
    Raises
    ------
    AnalysisError : a negative value, or nothing to share.
    Source
    ------
    赫芬达尔指数 = 各份额平方和。
    """
    v = values.dropna().astype(float)
    if (v < 0).any() or v.sum() <= 0:
        raise AnalysisError("计算集中度的数须不为负且合计大于 0。")
    out = pd.DataFrame({"region": v.index, "value": v.values, "share": 100 * (v / v.sum()).values})
    out = out.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    hhi = float(((out["share"] / 100) ** 2).sum())
    out.attrs = {"hhi": hhi, "effective": 1 / hhi, "missing": list(values.index[values.isna()])}
    return out


def patents_on_rd(panel: pd.DataFrame, lags: int = 0, model: str = "fe_poisson") -> pd.DataFrame:
    """Regress patents on the logarithm of R&D spending of the same and of earlier years; errors clustered by region.

    Parameters
    ----------
    panel : `region`, `year`, `patents` (whole, ≥ 0), `rd` (level, > 0, enters as log), one row a region and year. The
        nation is never in the panel: its rows go, counted.
    lags : years of lagged R&D beside the same year's. A lag is the calendar year before, not the row before.
    model : `poisson` and `nb2` without region effects; `fe_poisson` with them.
    Returns
    -------
    `term` (log_rd, log_rd_lag1 …, and `sum`, the elasticity over all lags), `estimate`, `std_error`, `low`, `high`
    (95 %, t with regions − 1 degrees of freedom) with an effect for each year, which takes out what moves all regions
    together, and the same without them: `estimate_without_years` and so on. Errors: sandwich by region times
    G/(G−1)·(N−1)/(N−K), K the coefficients beside the region effects, which the clusters contain. `.attrs`: `model`,
    `regions`, `rows`, `dropped_nation`, `dropped_missing`, `dropped_lags`, `dropped_uninformative` (regions with
    one year or no patents tell nothing of the slope), `alpha` (nb2; 0 = Poisson), `note` (Chinese).
    Raises
    ------
    ValueError : unknown model, lags not a whole number ≥ 0.
    AnalysisError : a column is missing, rd ≤ 0, patents negative or not whole, a region and year twice, fewer than two
        regions, too few rows, or R&D that does not vary beside the effects.
    Source
    ------
    Hausman, Hall, Griliches (1984);省级面板,全国合计不入模型。
    """
    if model not in ("poisson", "nb2", "fe_poisson"):
        raise ValueError(f"模型「{model}」不认识,可用 poisson、nb2、fe_poisson。")
    if isinstance(lags, bool) or not isinstance(lags, (int, np.integer)) or lags < 0:
        raise ValueError(f"滞后期数 {lags!r} 须为不小于 0 的整数。")
    data, attrs = _panel(panel, int(lags))
    terms = [f"log_rd_lag{k}" if k else "log_rd" for k in range(lags + 1)]
    if model == "fe_poisson":
        by = data.groupby("region")["patents"]
        informative = by.transform("size").gt(1) & by.transform("sum").gt(0)
        attrs["dropped_uninformative"] = sorted(data.loc[~informative, "region"].unique())
        data = data[informative]
    if len(data) and data["patents"].sum() == 0:
        raise AnalysisError("专利数全部为 0,不能估计。")
    data = data.assign(**data[terms] - data[terms].mean())  # slopes stay, the numbers are small
    whole, attrs["alpha"] = _fit(data, terms, model, " + C(year)")
    plain, _ = _fit(data, terms, model, "")
    groups = data["region"].nunique()
    few = f"只有{groups}个地区(少于{FEW_CLUSTERS}个),按地区聚类的标准误偏小、不可靠,区间只供参考。"
    frame = whole.merge(plain, on="term", suffixes=("", "_without_years"))
    frame.attrs = attrs | {
        "model": model,
        "regions": groups,
        "rows": len(data),
        "note": few if groups < FEW_CLUSTERS else "标准误按地区聚类。",
    }
    return frame


def _panel(panel: pd.DataFrame, lags: int) -> tuple[pd.DataFrame, dict]:
    """The rows that can be used, with lags, and the count of those that cannot."""
    if gone := [c for c in ("region", "year", "patents", "rd") if c not in panel]:
        raise AnalysisError(f"面板缺少列 {'、'.join(gone)};须有 region、year、patents、rd。")
    data = panel[["region", "year", "patents", "rd"]].copy()
    nation = (
        data["region"]
        .astype("str")
        .str.replace(r"[((].*", "", regex=True)
        .str.strip()
        .str.lower()
        .isin(NATION)
    )
    data = data[~nation]
    if len(twice := data[data.duplicated(["region", "year"])]):
        raise AnalysisError(
            f"{twice.region.iloc[0]} {twice.year.iloc[0]} 年有不止一行,每个地区每年只能一行。"
        )
    try:
        data = data.astype({"patents": float, "rd": float, "year": int})
    except (TypeError, ValueError) as e:
        raise AnalysisError(f"面板里有不是数字的内容:{e}。") from e
    for bad, what in (
        (data.rd <= 0, "rd 不大于 0"),
        (data.patents < 0, "patents 为负数"),
        (np.isinf(data.rd) | np.isinf(data.patents), "有无穷大"),
        (data.patents.notna() & (data.patents % 1 != 0), "patents 不是整数"),
    ):
        if bad.any():
            row = data[bad].iloc[0]
            raise AnalysisError(
                f"{row.region} {row.year} 年 {what}(rd={row.rd},patents={row.patents}),请更正后再算。"
            )
    if data["region"].nunique() < 2:
        raise AnalysisError(
            f"面板只有 {data['region'].nunique()} 个地区,至少要 2 个才能按地区聚类。"
        )
    data["log_rd"] = np.log(data["rd"])
    known = data.set_index(["region", "year"])["log_rd"]
    for k in range(1, lags + 1):
        data[f"log_rd_lag{k}"] = known.reindex(
            pd.MultiIndex.from_arrays([data.region, data.year - k])
        ).to_numpy()
    whole = data.dropna(subset=["patents", "rd"])
    used = whole.dropna().sort_values(["region", "year"], ignore_index=True)
    return used, {
        "dropped_nation": int(nation.sum()),
        "dropped_missing": len(data) - len(whole),
        "dropped_lags": len(whole) - len(used),
        "dropped_uninformative": [],
    }


def _fit(
    data: pd.DataFrame, terms: list[str], model: str, years: str
) -> tuple[pd.DataFrame, float]:
    """Terms and their sum with errors by region, and the scatter `alpha` beyond Poisson's (nb2)."""
    import warnings

    import statsmodels.api as sm
    from scipy.stats import t
    from statsmodels.formula import api

    formula = "patents ~ " + " + ".join(terms) + " + C(region)" * (model == "fe_poisson") + years
    groups, alpha = data["region"].nunique(), np.nan
    ask = api.glm(formula, data, family=sm.families.Poisson()) if groups > 1 else None
    size = 0 if ask is None else ask.exog.shape[1]
    if groups < 2 or len(data) <= size:
        raise AnalysisError(
            f"可用的只有 {groups} 个地区、{len(data)} 行,不足以估计 {size} 个系数。"
            "至少要 2 个地区、更多年份。"
        )
    if np.linalg.matrix_rank(ask.exog) < size:
        raise AnalysisError(
            "研发投入(或其滞后项)没有足够的变动,系数不能识别。请增加年份或减少滞后期。"
        )
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(data["region"])[0]}}
    with warnings.catch_warnings():  # whether it converged is read from the result, below
        warnings.simplefilter("ignore")
        fit = ask.fit(tol=1e-12, maxiter=200, **how)
        converged = fit.converged
        if model == "nb2":
            scatter = (fit.resid_response**2 - data["patents"]).sum()
            alpha = 0.0  # no more scatter than Poisson's: that is the maximum, at the edge
            if scatter > 0:
                ask = api.negativebinomial(formula, data)
                fit = ask.fit(method="lbfgs", maxiter=5000, pgtol=1e-10, factr=10, disp=0)
                fit = ask.fit(start_params=fit.params, method="newton", disp=0, **how)
                alpha, converged = float(fit.params["alpha"]), fit.mle_retvals["converged"]
    cov = fit.cov_params().loc[terms, terms].to_numpy()
    if not (converged and np.isfinite(cov).all() and (np.diag(cov) > 0).all()):
        raise AnalysisError(f"{model} 模型没有收敛:请检查面板中的极端值、集中在一年的专利数。")
    if model == "fe_poisson":
        cov = cov * (len(data) - size) / (len(data) - size + groups)
    c = np.vstack([np.eye(len(terms)), np.ones(len(terms))])
    estimate = (c * fit.params[terms].to_numpy()).sum(1)
    error = np.sqrt((c[:, :, None] * c[:, None, :] * cov).sum((1, 2)))
    reach = float(t.ppf(0.975, groups - 1)) * error
    found = {"estimate": estimate, "std_error": error, "low": estimate - reach}
    out = pd.DataFrame({"term": [*terms, "sum"], **found, "high": estimate + reach})
    return out.round(9), alpha  # what lies beyond differs from processor to processor


def stock_identity(
    series: pd.DataFrame,
    region: str,
    period: str,
    stock: str = "hightech_enterprises",
    gains: Sequence[str] = ("hightech_recognised", "hightech_moved_in"),
    losses: Sequence[str] = ("hightech_lapsed", "hightech_moved_out"),
) -> pd.DataFrame:
    """Check that opening stock plus new minus lapsed minus moved is the closing stock.

    Parameters
    ----------
    series : SERIES. period : a span; the opening stock is that of the month before. A flow that is nowhere in `series`
        for the region is not reported there and counts nothing; one with a gap makes the identity unknown (NaN).
    Returns
    -------
    FINDINGS: `opening`, one measure a flow (losses negative), `net`, `expected`, `closing`, `difference`
    (closing − expected; 0 where the identity holds).
    Raises
    ------
    ValueError : the span cannot be read.
    Source
    ------
    期末 = 期初 + 新认定 + 迁入 − 到期未续 − 迁出。
    """
    first, last = span(period)
    opening, closing = (total(series, region, stock, str(m)) for m in (first - 1, last))
    reported = set(series.loc[series["region"] == region, "indicator"])
    flows = {
        i: 0.0 + sign * total(series, region, i, period)
        for ids, sign in ((gains, 1), (losses, -1))
        for i in ids
        if i in reported
    }
    net = sum(flows.values()) if flows else np.nan
    values = {
        "opening": opening,
        **flows,
        "net": net,
        "expected": opening + net,
        "closing": closing,
        "difference": closing - opening - net,
    }
    return _findings(
        region,
        stock,
        period,
        _demo(series, stock, *flows),
        {m: (v, "家") for m, v in values.items()},
    )


def contributions(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Each region's part in the growth of a total.

    Parameters
    ----------
    before, after : values by region, same regions.
    Returns
    -------
    `region`, `before`, `after`, `net`, `growth` (%), `points` (个百分点 of the total's growth), last row `all`, to
    which `net` and `points` add up. `.attrs["left_out"]`: regions without both values, in no total.
    Raises
    ------
    AnalysisError : no region has both values, or they begin at 0 together.
    Source
    ------
    拉动 = 本园区增量 ÷ 全区期初数。
    """
    both = pd.DataFrame({"before": before, "after": after}).astype(float)
    kept = both.dropna()
    if kept.empty or kept["before"].sum() <= 0:
        raise AnalysisError("没有园区同时有期初数和期末数,或期初合计不大于 0,不能计算拉动。")
    out = pd.concat([kept, kept.sum().to_frame("all").T]).rename_axis("region").reset_index()
    out["net"] = out["after"] - out["before"]
    out["growth"] = 100 * out["net"] / out["before"].where(out["before"] > 0)
    out["points"] = 100 * out["net"] / kept["before"].sum()
    out.attrs["left_out"] = [r for r in both.index if r not in kept.index]
    return out


def rate_interval(done: float, of: float, level: float = 0.8) -> tuple[float, float, float]:
    """A share of few cases with its interval (Wilson), in %; NaN where there is no case."""
    if not of > 0:
        return float("nan"), float("nan"), float("nan")
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(done, of, alpha=1 - level, method="wilson")
    return 100 * done / of, float(100 * low), float(100 * high)


def pipeline_odds(counts: pd.Series, stages: Sequence[str] = PIPELINE) -> pd.DataFrame:
    """From filed to certified: how many pass each stage and the odds from the first to the last.

    Parameters
    ----------
    counts : firms that reached each stage, by stage, of closed batches (a firm certified also counts as filed).
    Returns
    -------
    `stage_from`, `stage_to`, `reached`, `of`, `rate`, `low`, `high` (%, 80 % Wilson), `odds` (passes per failure,
    inf where none failed); the last row goes from the first stage to the last. `small` marks fewer than 20 cases.
    Raises
    ------
    AnalysisError : a stage is missing, negative, or above the one before.
    Source
    ------
    申报 → 评审 → 公示 → 认定,按批次台账。
    """
    if gone := [s for s in stages if s not in counts or not counts[s] >= 0]:
        raise AnalysisError(f"认定流程缺少环节 {'、'.join(gone)} 的家数(或为负数)。")
    for a, b in zip(stages, stages[1:], strict=False):
        if counts[b] > counts[a]:
            raise AnalysisError(
                f"{b} {counts[b]} 家多于前一环节 {a} {counts[a]} 家,请核对批次台账。"
            )
    rows = []
    for a, b in [*zip(stages, stages[1:], strict=False), (stages[0], stages[-1])]:
        done, of = float(counts[b]), float(counts[a])
        rate, low, high = rate_interval(done, of)
        odds = done / (of - done) if of > done else np.inf if of else np.nan
        rows.append(
            {
                "stage_from": a,
                "stage_to": b,
                "reached": done,
                "of": of,
                "rate": rate,
                "low": low,
                "high": high,
                "odds": odds,
                "small": of < 20,
            }
        )
    return pd.DataFrame(rows)


def cohort_survival(recognised: pd.Series, lapsed: pd.Series, years: int = 3) -> pd.DataFrame:
    """How many firms of a year's cohort kept a status that ends after `years` unless it is won again.

    Parameters
    ----------
    recognised, lapsed : firms by year. What lapses in a year was recognised `years` before.
    Returns
    -------
    `cohort`, `due`, `recognised`, `lapsed`, `kept` (%), `low`, `high` (80 % Wilson), `small` (fewer than 20 firms).
    Cohorts whose year has not come are left out.
    Raises
    ------
    AnalysisError : more firms lapse than were recognised.
    Source
    ------
    高新技术企业资格有效期三年;到期未续数按到期年归入认定批次。
    """
    rows = []
    for cohort, size in recognised.dropna().sort_index().items():
        due = cohort + years
        if due not in lapsed.index or pd.isna(lapsed[due]):
            continue
        if lapsed[due] > size:
            raise AnalysisError(
                f"{due}年到期未续 {lapsed[due]} 家,多于 {cohort}年认定的 {size} 家;"
                "认定数可能缺了续认定企业。"
            )
        kept, low, high = rate_interval(size - lapsed[due], size)
        rows.append(
            {
                "cohort": cohort,
                "due": due,
                "recognised": size,
                "lapsed": lapsed[due],
                "kept": kept,
                "low": low,
                "high": high,
                "small": size < 20,
            }
        )
    return pd.DataFrame(
        rows, columns=["cohort", "due", "recognised", "lapsed", "kept", "low", "high", "small"]
    )


def recent_means(series: pd.DataFrame, as_of: pd.Period) -> dict[tuple[str, str], float]:
    """Mean of the last 12 months by (region, indicator), of a level its mean change; only where all 12 are known."""
    last = series[
        (series["start"] > as_of - 12)
        & (series["end"] <= as_of)
        & series["months"].isin([1, 2])
        & ~series["revision"]
    ]
    sums = last.groupby(["region", "indicator"])[["months", "value"]].sum()
    out = (sums.loc[sums["months"] == 12, "value"] / 12).to_dict()
    levels = series[series["months"] == 0].set_index(["region", "indicator"])
    now, then = (levels.loc[levels["end"] == m, "value"] for m in (as_of, as_of - 12))
    return out | ((now - then).dropna() / 12).to_dict()
