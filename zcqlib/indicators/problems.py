"""What is remarked of figures, as PROBLEMS: one Chinese sentence for each row, with the place where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pandas import DataFrame, Series

from zcqlib.catalog import Catalog
from zcqlib.tables import PROBLEMS, shape

# Code (behind a dot which of its sentences), severity and sentence, whose names are columns; in the order in which they
# are told. `{what}` is place, indicator and period.
SENTENCES = """
held error {what}为 {value:g}{unit},{_why};暂不采用。请报送单位核对单位和数字;确属实情的,在 resolutions 表中指定这一条({file})后采用。
conflict error {what}有不能分先后的不同数字:{_said};都没有采用,请核对后在 resolutions 表中指定一个。
revised info {published} 报 {value_raw},{published_new} 的报表({file_new} {cell_new})改为 {value_new:g}{unit},已按新数。
revised_many info 这份报表修订了以前报过的 {_n} 个数,最大变动 {_most:.1f}%。
source_disagrees warning {what}:此处 {value:g}{unit},{file_new} {cell_new} 为 {value_new:g};按优先次序采用后者,请双方核对。
withdrawn warning {what}以前报过 {value_new:g},这次空白;仍用原数,请确认是否撤回。
withdrawn.noted info {what}以前报过 {value_new:g},现已注明撤回;当前不再采用,历史中保留。
basis_apart info {what}:与本系列的统计范围(全区县或其自创区部分)不同,不能接成一个序列,没有并入。
basis_apart.demo info {what}:与本系列的来源(公布或演示)不同,不能接成一个序列,没有并入。
cum_mismatch warning {what}:按累计算应为 {value:g},所报当月为 {_beside:g},相差 {_off:g};当月按所报,差额视为前期修订。
cum_mismatch.newer info {what}:按累计算应为 {value:g},所报当月为 {_beside:g},相差 {_off:g};当月数后来修订过,累计数尚未重报。
ytd_decrease.rounding info {what}:累计({_at})比上一次({_before})少 {_less:g}{unit},在四舍五入范围内。
negative_month info {what}:累计({_at})比上一次({_before})少 {_less:g}{unit},这项指标可以减少,已照算。
ytd_decrease warning {what}:累计({_at})比上一次({_before})少 {_less:g}{unit},累计数不应减少,已照原样计算,请核对两处。
span_unused info {start}至{end}的数跨年或与累计数的期间交叉,没有用来推算当月。
span_unused.inside info {end}有当月数,但前后月份不全,累计数不能拆开,按一段期间合并使用。
yoy_mismatch.constant info {what}:所报同比 {reported:g}%,按数值计算为 {_computed:.1f}%(按可比价计算,二者可以不同)。
yoy_mismatch warning {what}:所报同比 {reported:g}%,按数值计算为 {_computed:.1f}%,请核对。
restated_base info {what}:上年同期原报 {base:g},现报 {restated_base:g},增速按现报基数计算。
total_mismatch warning {what}:部门表的合计为 {value:g}{unit},园区自报之和为 {_sum:g}({_said};最晚报于 {_latest}),相差 {_off:+g};请与园区核对。
total_unchecked info {_missing}没有自报数,这份表中 {_n} 个合计没有与园区自报核对。
unit_suspect warning {what}为 {value:g}{unit},约为以往水平 {_usual}{unit} 的 {_times},单位可能填错,请核对;数字没有改动。{_noted}
outlier warning {what}为 {value:g}{unit},按此前 {_periods} 期应在 {_low} 至 {_high}{unit} 之间,请核实或说明原因。{_noted}
withdrawn.hole warning {what}以前报过 {value:g}{unit},这次空白;仍用原数,请确认是否撤回。
"""
_SAID = {s.split()[0]: s.split(" ", 2)[1:] for s in SENTENCES.strip().splitlines()}


def remarks(catalog: Catalog, *told: tuple[DataFrame, str | Sequence[str]]) -> DataFrame:
    """PROBLEMS of observations, each time with the name of SENTENCES for all of them or one for each."""
    out = [r for rows, which in told for r in rows.assign(_which=which).to_dict("records")]
    for r in out:
        severity, sentence = _SAID[r["_which"]]
        said = sentence.format(what=_what(r, catalog), **r)
        r |= dict(code=r["_which"].split(".")[0], severity=severity, message=said)
        r["raw"] = r.get("value_raw", "")
    return shape(sorted(out, key=lambda r: [*_SAID].index(r["_which"])), PROBLEMS)


def trait(rows: DataFrame, name: str, catalog: Catalog, default: bool | str = False) -> Series:
    """What the catalog says of each row's indicator; the default of one that it does not know."""
    known = {i: getattr(x, name) for i, x in catalog.indicators.items()}
    return rows.indicator.map(lambda i: known.get(i, default)).astype(type(default))


def noise(value: Series) -> Series:
    """What floating point may make of a difference."""
    return 1e-9 * value.abs().clip(lower=1e-3)


def _what(r: dict, catalog: Catalog) -> str:
    """Place, indicator and period of a row as a sentence names them; what the catalog does not know, as written."""
    if "start" not in r:
        return ""
    place = catalog.name(r["region"]) or r["region_raw"]
    return f"{place}的{catalog.name(r['indicator']) or r['indicator_raw']}({span(r['start'], r['end'])})"


def span(start: pd.Period, end: pd.Period) -> str:
    """2018年3月, 2018年1—3月, 2017年12月至2018年2月."""
    if start.year != end.year:
        return f"{start.year}年{start.month}月至{end.year}年{end.month}月"
    return f"{end.year}年" + (f"{end.month}月" if start == end else f"{start.month}—{end.month}月")
