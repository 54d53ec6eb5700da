"""SERIES to tidy frames: what moved the R&D intensity, patents and their quality, where enterprises came from and went.

Every split adds up exactly to what it splits. Spans are written `2018` (the year), `2018-09` (the month) or
`2018-01/2018-09`; a span that the figures do not cover without a gap has no value (NaN), never a smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas import DataFrame, Period, Series

from zcqlib.tables import MissingData

NATION = ("全国", "中国", "china", "nation")


class AnalysisError(MissingData, ValueError):
    """Figures that an analysis cannot use; the sentence says which and what to do."""


def span(text: str) -> tuple[Period, Period]:
    """First and last month of a span."""
    first, _, last = str(text).partition("/")
    try:
        a, b = Period(first), Period(last or first)
    except ValueError as e:
        raise ValueError(f"时间「{text}」不能识别,应写作 2018、2018-09 或 2018-01/2018-09。") from e
    start, end = a.asfreq("M", "start"), b.asfreq("M", "end")
    if end < start:
        raise ValueError(f"时间「{text}」的终点早于起点。")
    return start, end


def total(series: DataFrame, regions: str | Sequence[str], indicator: str, period: str) -> float:
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
    ids = [regions] if isinstance(regions, str) else list(regions)
    rows = series[series.indicator == indicator]
    parts = [_one(rows[rows.region == r], start, end) for r in ids]
    return float(sum(parts)) if parts else np.nan


def _one(rows: DataFrame, start: Period, end: Period) -> float:
    level = rows.value[(rows.months == 0) & (rows.end == end)]
    if len(level):
        return level.iloc[-1]
    # a revision is of the year to date, so it counts where the span holds all of what it revises
    inside = rows[(rows.months > 0) & (rows.start >= start) & (rows.end <= end)]
    out, at = inside[inside.revision].value.sum(), start
    spans = inside[~inside.revision].sort_values("months").set_index("start")
    while at <= end:
        if at not in spans.index:
            return np.nan
        longest = spans.loc[[at]].iloc[-1]
        out, at = out + longest.value, longest.end + 1
    return out


def within_between(
    series: DataFrame,
    parks: Sequence[str],
    numerator: str,
    denominator: str,
    before: str,
    after: str,
) -> DataFrame:
    """Split the change of the parks' joint ratio into their own ratios' changes and the shift of weight among them.

    Parameters
    ----------
    series : SERIES. parks : ids. before, after : spans.
    Returns
    -------
    By park and, last, `all`: `share_before`, `share_after` (%), `within`, `between`, `total` (个百分点; both columns add up to the change of the joint ratio). Parks without figures
    are in neither joint ratio and have no row.
    Raises
    ------
    AnalysisError : no park has both figures in both spans, or a denominator is not positive.
    Source
    ------
    内部效应 = 强度变动 × 两期平均份额;结构效应 = 份额变动 ×(两期平均强度 − 两期平均总强度)。
    """
    spans = [(i, s) for i in (numerator, denominator) for s in (before, after)]
    got = {p: [total(series, p, *of) for of in spans] for p in parks}
    t = DataFrame(got, ["n0", "n1", "d0", "d1"]).T.dropna()
    if t.empty or t[["d0", "d1"]].min(axis=None) <= 0:
        raise AnalysisError(
            f"没有一个园区同时有 {before} 和 {after} 的 {numerator} 与 {denominator},"
            f"或 {denominator} 不为正数,不能分解。请核对报表。"
        )
    t.loc["all"] = t.sum()
    r0, r1, w0, w1 = 100 * t.n0 / t.d0, 100 * t.n1 / t.d1, t.d0 / t.d0["all"], t.d1 / t.d1["all"]
    mean = (r0 + r1) / 2
    out = DataFrame(dict(share_before=100 * w0, share_after=100 * w1))
    out["within"], out["between"] = (r1 - r0) * (w0 + w1) / 2, (w1 - w0) * (mean - mean["all"])
    effects = ["within", "between"]
    out.loc["all", effects] = out.drop("all")[effects].sum()
    return out.assign(total=out.within + out.between).rename_axis("region")


def proxy_bridge(official: Series, proxy: Series) -> DataFrame:
    """Estimate a yearly official ratio that is not out yet from a proxy, with the error this made in past years.

    Parameters
    ----------
    official, proxy : ratios (%) by year. The proxy is what reports give in time.
    Returns
    -------
    `year`, `official`, `proxy`, `estimate` (last official × growth of the proxy since), `error` (estimate − official,
    个百分点, NaN where no official figure exists). An estimate never fills the official column.
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
            f"官方数与替代指标只有{len(common)}个共同年份，至少要2个才能检验推算误差。"
        )
    years = proxy.index[proxy.index > common[0]]
    base = [common[common < year][-1] for year in years]
    growth = proxy[years].to_numpy() / proxy[base].to_numpy()
    out = DataFrame(
        dict(year=years, official=official.reindex(years).array, proxy=proxy[years].array)
    )
    out["estimate"] = official[base].to_numpy() * growth
    return out.assign(error=out.estimate - out.official)


def patents_on_rd(panel: DataFrame, lags: int = 0, model: str = "fe_poisson") -> DataFrame:
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
    G/(G−1)·(N−1)/(N−K), K the coefficients beside the region effects, which the clusters contain; of fewer than 30
    regions they are known to be too small (Cameron and Miller 2015).
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
    if type(lags) is not int or lags < 0:
        raise ValueError(f"滞后期数 {lags!r} 须为不小于 0 的整数。")
    data = _panel(panel, lags)
    terms = [f"log_rd_lag{k}" if k else "log_rd" for k in range(lags + 1)]
    if model == "fe_poisson":  # a region with one year or no patents tells nothing of the slope
        by = data.groupby("region")["patents"]
        data = data[by.transform("size").gt(1) & by.transform("sum").gt(0)]
    if len(data) and data.patents.sum() == 0:
        raise AnalysisError("专利数全部为 0,不能估计。")
    data = data.assign(**data[terms] - data[terms].mean())  # slopes stay, the numbers are small
    whole, plain = (_fit(data, terms, model, years) for years in (" + C(year)", ""))
    return whole.merge(plain, on="term", suffixes=("", "_without_years"))


def _panel(panel: DataFrame, lags: int) -> DataFrame:
    """The rows that can be used, with lags."""
    if gone := [c for c in ("region", "year", "patents", "rd") if c not in panel]:
        raise AnalysisError(f"面板缺少列 {'、'.join(gone)};须有 region、year、patents、rd。")
    data = panel["region year patents rd".split()].copy()
    named = data.region.astype("str").str.replace(r"[((].*", "", regex=True)
    data = data[~named.str.strip().str.lower().isin(NATION)]
    if len(twice := data[data.duplicated(["region", "year"])]):
        raise AnalysisError(
            f"{twice.region.iloc[0]} {twice.year.iloc[0]} 年有不止一行,每个地区每年只能一行。"
        )
    try:
        data = data.astype({"patents": float, "rd": float, "year": int})
    except (TypeError, ValueError) as e:
        raise AnalysisError(f"面板里有不是数字的内容:{e}。") from e
    for bad, what in (
        ("rd <= 0", "rd 不大于 0"),
        ("patents < 0", "patents 为负数"),
        ("rd == inf or patents == inf", "有无穷大"),
        ("patents % 1 > 0", "patents 不是整数"),
    ):
        for row in data.query(bad).head(1).itertuples():
            raise AnalysisError(
                f"{row.region} {row.year} 年 {what}(rd={row.rd},patents={row.patents}),请更正后再算。"
            )
    if data.region.nunique() < 2:
        raise AnalysisError(
            f"面板只有 {data['region'].nunique()} 个地区,至少要 2 个才能按地区聚类。"
        )
    data["log_rd"] = np.log(data.rd)
    known = data[["region", "year", "log_rd"]]
    for k in range(1, lags + 1):
        before = known.set_axis(["region", "year", f"log_rd_lag{k}"], axis=1)
        data = data.merge(before.assign(year=before.year + k), "left")
    return data.dropna().sort_values(["region", "year"], ignore_index=True)


def _fit(data: DataFrame, terms: list[str], model: str, years: str) -> DataFrame:
    """Terms and their sum with errors by region."""
    import warnings

    import statsmodels.api as sm
    from scipy.stats import t
    from statsmodels.formula import api

    formula = "patents ~ " + " + ".join(terms) + " + C(region)" * (model == "fe_poisson") + years
    groups = data.region.nunique()
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
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(data.region)[0]}}
    with warnings.catch_warnings():  # whether it converged is read from the result, below
        warnings.simplefilter("ignore")
        fit = ask.fit(tol=1e-12, maxiter=200, **how)
        converged = fit.converged
        if model == "nb2":
            scatter = (fit.resid_response**2 - data.patents).sum()
            if scatter > 0:  # else Poisson's is the maximum, at the edge
                ask = api.negativebinomial(formula, data)
                fit = ask.fit(method="lbfgs", maxiter=5000, pgtol=1e-10, factr=10, disp=0)
                fit = ask.fit(start_params=fit.params, method="newton", disp=0, **how)
                converged = fit.mle_retvals["converged"]
    cov = fit.cov_params().loc[terms, terms].to_numpy()
    if not (converged and np.isfinite(cov).all() and (np.diag(cov) > 0).all()):
        raise AnalysisError(f"{model} 模型没有收敛:请检查面板中的极端值、集中在一年的专利数。")
    if model == "fe_poisson":
        cov = cov * (len(data) - size) / (len(data) - size + groups)
    slopes = fit.params[terms].to_numpy()
    estimate = np.append(slopes, slopes.sum())
    error = np.sqrt(np.append(np.diag(cov), cov.sum()))
    reach = float(t.ppf(0.975, groups - 1)) * error
    found = {"estimate": estimate, "std_error": error, "low": estimate - reach}
    out = DataFrame({"term": [*terms, "sum"], **found, "high": estimate + reach})
    return out.round(9)  # what lies beyond differs from processor to processor


def stock_identity(
    series: DataFrame, region: str, period: str, stock: str, signs: Mapping[str, int]
) -> Series:
    """Check that opening stock plus new minus lapsed minus moved is the closing stock.

    Parameters
    ----------
    series : SERIES. period : a span; the opening stock is that of the month before. signs : 1 or −1 of each flow. A flow that is nowhere in `series`
        for the region is not reported there and counts nothing; one with a gap makes the identity unknown (NaN).
    Returns
    -------
    `opening`, one value a flow (losses negative), their `net`, `closing`, `difference` (closing less opening and net; 0
    where the identity holds).
    Raises
    ------
    ValueError : the span cannot be read.
    Source
    ------
    期末 = 期初 + 新认定 + 迁入 − 到期未续 − 迁出。
    """
    first, last = span(period)
    opening, closing = (total(series, region, stock, str(m)) for m in (first - 1, last))
    reported = set(series[series.region == region].indicator)
    flows = {i: s * total(series, region, i, period) for i, s in signs.items() if i in reported}
    net = sum(flows.values()) if flows else np.nan
    ends = dict(opening=opening, net=net, closing=closing, difference=closing - opening - net)
    return Series(ends | flows)


def rates(done: Series, of: Series) -> DataFrame:
    """Shares of few cases with their 80 % intervals (Wilson): `rate`, `low`, `high` in %; NaN where there is no case."""
    from statsmodels.stats.proportion import proportion_confint

    of = of.where(of > 0)
    low, high = proportion_confint(done, of, alpha=0.2, method="wilson")
    return 100 * DataFrame(dict(rate=done / of, low=low, high=high))


def recent_means(series: DataFrame, as_of: Period) -> dict[tuple[str, str], float]:
    """Mean of the last 12 months by (region, indicator), of a level its mean change; only where all 12 are known."""
    last = series[(series.start > as_of - 12) & (series.end <= as_of)]
    last = last.query("months in [1, 2] and not revision")
    sums = last.groupby(["region", "indicator"])[["months", "value"]].sum()
    flows = sums.query("months == 12").value / 12
    levels = series.query("months == 0").set_index(["region", "indicator"])
    now, then = (levels[levels.end == m].value for m in (as_of, as_of - 12))
    return flows.to_dict() | ((now - then).dropna() / 12).to_dict()
