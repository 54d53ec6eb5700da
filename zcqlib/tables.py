"""The table shapes that the stages hand to each other and those that analysts edit, in one language; one check; the errors.

A text cell without content is "" (never NaN), a missing number is NaN, a missing month is NaT.
Months are `Period[M]` in memory and `YYYY-MM` in CSV (in reference tables 201809: a spreadsheet makes a date of 2018-09).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow
from pandas.api.extensions import ExtensionArray
from pandas.api.types import pandas_dtype

if TYPE_CHECKING:
    import pandera.pandas as pa


class ZcqError(Exception):
    """Base of everything that is wrong with data or a request, with a Chinese sentence for the analyst."""


class MissingData(ZcqError):
    """What a section rests on has not come; the message says what, and from whom."""


class TableError(ZcqError):
    """A table that does not have the shape it must have."""


_DTYPES = {
    "text": "str",
    "code": "str",
    "number": "float64",
    "whole": "int64",
    "flag": "bool",
    "month": "period[M]",
    "day": "datetime64[ns]",
}
_TYPES = {kind: pandas_dtype(name) for kind, name in _DTYPES.items()}
_BLANK = {"number": float("nan"), "whole": 0, "flag": False, "month": pd.NaT, "day": pd.NaT}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` as in _DTYPES; `needed` forbids empty cells; `optional` columns need not be there; `allowed`
    words; `home` the reference table whose ids it holds, `many` of them joined with ;."""

    name: str
    kind: str
    meaning: str
    needed: bool = False
    optional: bool = False
    allowed: tuple[str, ...] = ()
    home: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table shape. `key` names the columns that identify a row."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def __getitem__(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


def _column(line: str) -> Column:
    """Read `name kind[!?] [a|b|c or @table[;]] : meaning`; `!` must be filled, `?` may be absent, `-` is an empty word."""
    head, meaning = line.strip().split(" : ", 1)
    name, kind, *rest = head.split()
    words = rest[0] if rest else ""
    home = words.strip("@;") if words.startswith("@") else ""
    allowed = tuple(w.strip("-") for w in words.split("|")) if words and not home else ()
    plain = kind.rstrip("!?")
    return Column(
        name, plain, meaning, "!" in kind, "?" in kind, allowed, home, words.endswith(";")
    )


def _read(text: str) -> dict[str, Table]:
    """Read `NAME: key columns` with indented column lines below it; `NAME = OTHER` has the columns of another."""
    out: dict[str, Table] = {}
    for block in text.strip().replace("\n    ", "\t").splitlines():
        head, *lines = block.split("\t")
        name, _, key = head.partition(": ")
        if " = " in head:
            name, _, same = head.partition(" = ")
            out[name] = Table(name, out[same].columns, out[same].key)
        else:
            name = name.rstrip(":")
            out[name] = Table(name, tuple(map(_column, lines)), tuple(key.split()))
    return out


# What a vintage holds, one row per value.
VINTAGE = _read("""
OBSERVATIONS: obs_id
    obs_id text! : hash of file content, sheet and cell (and place, where one cell holds several)
    region text : id in the catalog, empty where unknown
    region_raw text : as written
    coverage text -|zone_part|district|city : which part of the region is meant
    indicator text : id in the catalog, empty where unknown
    indicator_raw text : header path joined with /
    start month! : first month covered
    end month! : last month covered
    basis text! month|ytd|quarter|year|eop|range : what span the figure covers
    measure text! value|yoy_pct|mom_pct|index|share_pct|target|completion_pct|rank : what kind of figure it is
    value number : in the normal unit, NaN where missing
    unit text : normal unit
    value_raw text : the figure as a plain number, before units
    shown text : the cell's displayed text
    unit_raw text : as the file writes it, empty where it does not
    decimals whole : decimals shown in the source
    missing_reason text : not_reported, not_applicable, below_unit, future; empty where there is a value
    is_total flag : a total row, left out of sums
    flags text : words joined with ;, of which `held` = not used until confirmed
    file text : path under data/raw, or as it was given
    sheet text : sheet name, empty for text files
    cell text : A1 address; for text files by row and field
    name_cell text : where the name stands, empty where not on the sheet
    unit_cell text : where the unit stands
    period_cell text : where the period stands
    sender text : id of the sender
    published month : report month
    submission whole : which submission of that month, from 1
    demo flag : made up
PROBLEMS:
    code text! : short English word, see report-formats
    severity text! error|warning|info : error = the figure is not in the table
    file text : path under data/raw, or as it was given
    sheet text : sheet name, empty for text files
    cell text : A1 address, or a rectangle B3:F33; for text files by row and field
    count whole : cells that it is about
    raw text : what was found
    message text! : one Chinese sentence, what is wrong and what to do
    sender text : id of the sender
    published month : report month
CELLS: file sheet cell
    file text : path under data/raw, or as it was given
    sheet text : sheet name, empty for text files
    cell text : A1 address; for text files by row and field
    outcome text! observation|label|context|problem : what became of the cell
SERIES: region indicator start end months revision
    region text! : id
    indicator text! : id
    start month! : first month covered
    end month! : last month covered
    months whole! : number of months covered: 2 where February includes January; 0 for a level on a date
    revision flag : what the months do not explain of the cumulative figure that start, end and months name
    value number! : in `unit`
    unit text! : normal unit
    published month! : report month of the winning figure
    inputs text : obs_id of each observation that the value was made from, joined with ;
    demo flag : made up
TARGETS: id year region in_force_from
    id text! : target id, also the indicator's id
    name_zh text! : Chinese name
    name_en text : English name
    group text! : 1 to 10, or work
    kind text! flow|stock|ratio|growth|coverage|milestone|recurring : what kind of promise
    unit text! : unit of the target
    comparator text! ge|gt|eq|between|done : ge, gt, eq, between, done
    target_low number! : the target
    target_high number : upper end for between
    commitment text! firm|aspiration : 力争 is aspiration
    wording text : the plan's own word
    scope text! : zone, city, each_park, park:<id>
    responsible text : units joined with ;
    responsible_basis text! printed|inferred|none : where the unit is named
    relation text -|restates|part_of|stage_of|overlaps : link to another row
    related_id text : the other row
    seed_section text : section of the plan
    note text : how the row was read
    year whole! : plan year
    region text! : zone, city or a park
    in_force_from month! : first month in which the target holds
    demo flag : made up (park split)
MILESTONES: id region item stage
    id text! : target id
    region text! : region id
    item text : which of several (a named institute, a park), empty where there is one
    stage text! : stage id
    stage_no whole! : order of the stage, from 1
    stage_zh text! : stage in Chinese
    date month : reached in, empty where not yet
    evidence text : document that shows it
    expected month : promised for
    demo flag : made up
ANSWERS: id file published
    id text! : target id
    stage text : stage or state that was chosen, several joined with 、
    date text : YYYY-MM-DD as written
    evidence text : document that shows it
    reply text : what the unit says
    file text : path under data/raw, or as it was given
    sheet text : sheet name
    cell text : A1 address of the row's id
    sender text : id of the sender
    published month! : report month with which it came
    submission whole : which submission of that month, from 1
    demo flag : made up
PROJECTIONS: region indicator year as_of
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known
    kind text! flow|stock|ratio|growth|coverage|milestone|recurring : what kind of promise
    unit text! : unit of all values
    actual number : year to date, or level on the date
    target_low number : the target
    target_high number : upper end for between
    comparator text! ge|gt|eq|between|done : ge, gt, eq, between, done
    median number : projected year-end value
    low number : lower end of the interval
    high number : upper end of the interval
    level number : coverage of the interval, .8
    probability number : chance that the target is met, 0 to 1; NaN where no chance is given
    needed_per_month number : still needed in each remaining month
    verdict text! : one word of the verdict scale
    method text! : how it was projected
    actual_to month : last month that `actual` holds
    evidence text -|months|sums|last_year_only|none : what the judgement rests on: months of this and a past year; sums with a past year's same cumulative; totals that do not tell the season; no past year
    calibrated flag : the own record has moved the distribution
    inputs text : series of SERIES that it rests on, joined with ;
    demo flag : rests on made-up data
QUANTILES: region indicator year as_of level
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known
    level number! : 0 to 1
    value number! : in the indicator's unit
WHY: region indicator year as_of part
    region text! : id
    indicator text! : id
    year whole! : plan year
    as_of month! : last month known; the change is that since the month before
    part text! new|restated|target|method : what was replaced
    actual number : its effect on the year to date, or on the level
    target_low number : its effect on the target
    median number : its effect on the projected year-end value
    probability number : its effect on the chance, in shares of 1
    unit text : unit of the values
    demo flag : rests on made-up data
RECORD: whose what no
    whose text! own|real : whose series were replayed: the office's flows, the real ones beside them
    what text! all|said|sure|month : all calls; a class of chances, or what 序时进度 says for sure; a month of call
    no whole : class or month of call
    series number : series that were replayed
    first number : first year that was
    last number : last year that was
    calls number : calls, or chances of a class
    said number : mean chance given, in shares of 1, as all shares here
    came number : share of the chances that came true
    seven number : chances of about .7
    seven_came number : how many of these came true
    cov80 number : share of truths in the 80 % interval
    cov95 number : share of truths in the 95 % interval
    error number : mean error of the median, in % of the truth
    linear_error number : that of 序时进度
    crps number : mean score of the distributions, over last year's total
    brier number : mean score of the chances
    linear_brier number : that of 序时进度
    right number : share of promises on which we were right from that month on
    linear_right number : that of 序时进度
    calibrated number : chances of this month that the record has moved
    demo flag : rests on made-up data
RANKS: region indicator period measure
    region text! : park id
    indicator text! : group or composite that is ranked
    period text! : month, quarter, half-year or year
    measure text! score|year_end|provisional : score and place; the year's end; places that missing values leave open
    value number : score; under provisional, how many values of the park were due and did not come
    unit text : 分, 项
    rank number : the place, 1 is best; parks that cannot be told apart share the best; NaN where there is none
    low number : best place: of the 90 % interval now, or at the year's end; over all that is still to come
    high number : worst place likewise
    tied_with text : park ids joined with ;
    demo flag : rests on made-up data
    inputs text : rows that it rests on, TABLE/region.indicator joined with ;
REPLIES:
    file text : 文件
    sheet text : 工作表
    cell text : 单元格
    raw text : 所报
    message text : 问题
    reply text! : 单位回复
    sender text : id of the sender
    published month : report month in which the reply came
SUBMISSIONS: file published
    file text! : path under data/raw
    file_hash text : SHA-256 of its content
    sender text : id of the sender, empty where unknown
    published month! : report month
    submission whole! : which submission of that month, from 1
    cells whole! : cells that are not empty
    figures whole! : rows of OBSERVATIONS
    errors whole! : rows of PROBLEMS of this severity
    warnings whole! : rows of PROBLEMS of this severity
    reply flag : a return sheet that came back
    new whole! : figures stated for the first time
    equal whole! : figures stated before with the same value
    revised whole! : figures that replace others
    conflict whole! : figures that contradict others of the same month
COMPLETENESS: month sender
    month month! : for which it is owed
    sender text! : id of the sender
    name text! : Chinese name
    due text! : YYYY-MM-DD
    state text! 已报|部分|未报 : what came
    files text : names joined with 、
    owed whole! : indicators owed
    came whole! : of these came
    missing text : Chinese names of the others, joined with 、
EXPECTED: file sheet cell
    file text! : name of the file, without folder
    sheet text : sheet name
    cell text! : A1 address of a figure that is in doubt
    low number : from here on a figure is usual
    high number : up to here a figure is usual
    unit text : unit of both
GROWTH: region indicator end basis
    region text! : id
    indicator text! : id
    end month! : last month of the year to date
    reported number : stated growth on the same months a year before, %
    from_levels number : the same from the levels, %
    on_restated_base number : the same from this year's level and the base as restated this year, %
    base number : last year's level as stated then, in the indicator's unit
    restated_base number : last year's level as stated this year
    basis text : on what base the stated growth rests
FACTS: finding row column
    finding text! : the finding that owns the measure
    row text! : row of the finding
    column text! : measure
    value number! : in the tables' unit
    printed text! : as every output prints it
    inputs text! : rows it rests on, TABLE/region.indicator joined with ;
    indicator text : id, empty for a count or another summary
    region text : id
    basis text : what span or definition the figure has
    period month! : report month
    known month! : last month whose reports were known
    demo flag : rests on made-up data
FINDINGS: finding
    finding text! : name
    title text! : as printed
    sentences text : as printed, one a line
    scope text : place and period
    source text! : who reported what it rests on
    missing flag : what it rests on has not come
    demo flag : rests on made-up data
MISSING: indicator region item
    indicator text! : target id
    region text : where it is still open
    item text : which of several
TRAIL = PROJECTIONS
TO_DATE = SERIES
PUBLISHED = OBSERVATIONS
PROMISES: id region item
    id text! : target id
    region text! : region id
    item text : which of several
    name_zh text! : Chinese name
    kind text! : what kind of promise
    stages whole! : how many there are
    reached whole! : how many are reached
    stage_zh text : the last one reached
    date month : reached in
    evidence text : document that shows it
    next_zh text : the next one
    expected month : promised for
    overdue_days number : days since the last one of that month, negative before it
    colour text! : rule that applies
    colour_zh text! : its Chinese word
    missing text : what is not known
    responsible text : units joined with ;
    demo flag : made up
ATTAINMENT: region indicator month measure
    region text! : park id
    indicator text! : target id
    group text! : group of the plan
    month month! : known then
    through month! : last month for which any park has a figure
    measure text! attainment_pct|share_done : what is scored
    target number : target of the year
    value number : done in % of what was due by then
    reason text : why there is none, empty where there is one
    owed_by text : bureaus that owe a value that did not come, where no park does
    demo flag : rests on made-up data
PLACES: region indicator period place
    region text! : park id
    indicator text! : group or composite
    period text! : month, quarter, half-year or year
    place whole! : 1 is best
    probability number! : chance of this place, 0 to 1
    demo flag : rests on made-up data
MOVES: region indicator period
    region text! : park id
    indicator text! : what moved it
    score_change number : in points of the composite
    period text! : the later period
    before text! : the earlier one
UNRANKED: region indicator period
    region text! : park id
    indicator text! : list in which it has no place, or a provisional one
    message text! : one Chinese sentence why
    period text! : month, quarter, half-year or year
WATCH: region indicator period measure
    region text! : id
    indicator text! : id
    period text! : month
    measure text! : what was looked for
    value number : how far it is from usual
    unit text : unit of it
    demo flag : rests on made-up data
    p number! : chance of as much where nothing is wrong
    p_adjusted number! : the same for as many looks as were made
    looks whole! : how many were made
    sentence text! : one Chinese sentence
""")

# What analysts edit: data/raw/reference/<name>.csv. The files with a year hold one plan.
REFERENCE = _read("""
regions: id
    id code! : 编号
    name_zh text! : 全称
    short_zh text! : 简称，图表和句子用它
    level text! park|zone|city|district|other : 层级
    parent text @regions : 上级区域
    coverage text -|zone_part|district|city : 数字所覆盖的范围
    colour text? : 图中颜色，六位十六进制，空白取下一个未用的
    shade text? : 图中文字颜色
    marker text? : 图中符号
    note text : 备注
region_aliases: alias start
    alias text! : 报表中的写法
    id text : 所指区域，不是园区的可空
    kind text! known|total|remainder|ambiguous|other_region : 是园区、合计、其余、不能确定还是外地
    start month : 何时起这样写
    end month : 到何时为止
    note text : 备注
zone: name_zh
    name_zh text! : 全称
    short_zh text! : 简称，标题和句子用它
    office_zh text! : 编制报表的办公室，图下写「某办测算」
    city_zh text! : 所在市
    province_zh text! : 所在省
    compare text : 用来比较的省市，用分号隔开
    parts_zh text! : 各园区合起来的叫法，如一区四园
    parks_zh text! : 园区个数的叫法，如五园区
meetings: meeting
    meeting text! : 编号，命令行中用它
    name_zh text! : 会议名称
    letter text! : 页码编号中的字母
    sections text! : 议程各节，用分号隔开：state 总体、late 未报、moved 变化、chances 把握最低、open 未定、parks 园区、ranks 位次、groups 分组得分、orders 要求、stages 节点、attain 逐项
    back whole! : 与几个月前比较
    note text : 备注
lights: words
    light text! met|good|open|hard|stage|thin|none|unknown : 灯号，一个灯号可有几档
    at_least number : 把握按取整后的百分数达到多少，把握以外的状态空白
    mark text : 符号
    words text! : 用语
    colour text! : 填充颜色，六位十六进制
    text text! : 文字颜色
    tint text! : 单元格底色
    note text : 备注
places: name
    name text! : 外地地名
membership: region start
    region text! @regions : 园区
    start month! : 纳入月份
    end month : 退出月份
    note text : 备注
indicators: id
    id code! : 编号
    name_zh text! : 中文名称
    name_en text! : 英文名称
    group code : 计划中的组别
    kind text! flow|stock|ratio|growth|coverage|milestone|recurring : 流量、时点、比率、增速、覆盖、节点或例行
    unit text! : 常用单位，各表都用它
    additive flag : 园区之和等于全区
    can_fall flag : 累计可以下降
    count flag : 计数
    constant_price flag : 可比价
    batch flag : 按批次认定
    numerator text @indicators : 比率的分子
    denominator text @indicators : 比率的分母
    growth_of text @indicators : 增速所依据的指标
    part_of text @indicators : 是哪一项的其中项
    role text? -|研发投入强度|公布强度|专利申请|发明申请|专利授权|万人有效发明|企业存量|新认定|迁入|到期失效|迁出|后备企业|备案企业|增速|引进资金 : 在笔记本中充当什么，每个词只给一项指标，空白为不充当
    note text : 口径
aliases: alias
    alias text! : 报表中的写法
    indicator text! @indicators : 所指指标
    note text : 备注
units: id
    id text! : 责任单位
    name_zh text! : 名称
    aliases text : 其他写法，用分号隔开
    start day : 成立日期
    end day : 撤并日期
    successor text @units : 由谁承接
    note text : 备注
senders: id
    id code! : 编号
    name_zh text! : 名称
    aliases text : 其他写法，用分号隔开
    kind text! park|department : 园区或部门
    region text! @regions : 数字所属区域
    unit text! @units : 责任单位
    due_day whole! : 次月几日前报送
    indicators text! @indicators; : 每月应报指标，用分号隔开
    quarterly text @indicators; : 季末月份另报的指标
    start month : 从何时起报
    end month : 报到何时
    note text : 备注
unit_words: word
    word text! : 报表中的单位
    kind text! money|area|count|percent|point|multiplier|other : 类别
    normal text! : 常用单位
    numerator number! : 换算系数的分子
    denominator number! : 换算系数的分母
    family text : 可以互换的一类
words: word role
    word text! : 报表中的词
    role text! head:name|head:region|head:period|head:unit|head:frequency|head:serial|head:note|detail|about:strong|about:weak|value|amount|total|mean|heading|unit|place:total|place:remainder|relative:month|relative:month-1|relative:month-12|relative:ytd|relative:ytd-12|relative:quarter|relative:same-12|relative:eop|relative:eop-1|relative:eop-12|relative:eop_year-12|inside:month|inside:ytd|inside:quarter|inside:same-12|inside:eop|inside:current|bound:at_least|bound:at_most|equal|frequency|meta:period|meta:region|meta:indicator|meta:other|missing:not_applicable|missing:not_reported|missing:below_unit : 它的意思
    note text : 说明
limits: unit
    unit text! : 单位
    high number! : 不可能超过的数
    reason text! : 依据
precedence: indicator
    indicator text! : 指标，default 为其余各项
    winner text! department|park : 不一致时以谁为准
    reason text! : 依据
corrections: file sheet cell
    file text! : 文件
    sheet text : 工作表
    cell text! : 单元格
    found text! : 来源现在的数
    value number : 应为
    unit text : 单位
    reason text! : 依据
    who text! : 谁定的
    day day! : 哪天定的
resolutions: region indicator start end basis measure
    region text! @regions : 区域
    indicator text! @indicators : 指标
    start month! : 起始月份
    end month! : 截止月份
    basis text! month|ytd|quarter|year|eop|range : 期间
    measure text! value|yoy_pct|mom_pct|index|share_pct|target|completion_pct|rank : 何种数字
    file text! : 采用哪个文件
    value number : 采用的数
    reason text! : 依据
    who text! : 谁定的
    day day! : 哪天定的
checkpoints: region indicator period basis
    region text! : 区域
    indicator text! @indicators : 指标
    period text! : 时间
    basis text! month|ytd|quarter|year|eop|range : 期间
    value number! : 已公布的数
    unit text! : 单位
    tolerance number! : 允许的出入
    source text! : 来源
batches: year indicator batch kind region
    year whole! : 年份
    indicator text! @indicators : 认定或到期的指标
    batch whole! : 批次
    kind text! pass|lapse : 认定或到期
    region text! @regions : 园区
    expected day! : 预计公布日期
    announced day : 公布日期，空白为尚未公布
    number number! : 申报家数
    reviewed number : 通过评审家数
    publicised number : 公示家数
    done number : 认定家数
    rate number : 以往通过率
    known_from month! : 从何时起知道有这一批
    demo flag : 1 为编造
    note text : 备注
roster: indicator credit_code
    indicator text! @indicators : 覆盖类目标
    credit_code text! : 统一社会信用代码
    name_zh text! : 企业名称
    done month : 何时做到，空白为还没有
    demo flag : 1 为编造
    note text : 备注
eligibility: rule
    rule code! : 编号
    indicator text! @indicators : 指标
    comparator text! ge|gt|eq|between|done : 比较方式
    threshold number! : 门槛
    unit text! : 单位
    demo flag : 1 为编造
    note text : 备注
colours: colour
    colour text! done|none|red|yellow|green : 编号
    colour_zh text! : 用语
    at_least number : 距承诺月份最后一天的天数达到多少
    note text : 备注
notes: month region indicator
    month month! : 月份
    region text! @regions : 区域
    indicator text : 指标
    text text! : 写入简报的话
    who text! : 谁写的
    demo flag : 1 为编造
targets_<year>: id
    id text! @indicators : 指标
    name_zh text! : 名称
    name_en text : 英文名称
    group code! : 组别，work 为重点工作
    kind text! flow|stock|ratio|growth|coverage|milestone|recurring : 哪一类目标
    unit text! : 计划所用单位
    comparator text! ge|gt|eq|between|done : 不低于、超过、等于、区间或完成
    target_low number! : 目标值
    target_high number : 区间上限
    commitment text! firm|aspiration : 必达或力争
    wording text : 原文用词
    scope text! : 全区、全市、各园区或某园区
    responsible text : 责任单位，用分号隔开
    responsible_basis text! printed|inferred|none : 责任单位是原文、推定还是未写明
    relation text -|restates|part_of|stage_of|overlaps : 与另一行的关系
    related_id text @indicators : 另一行
    seed_section text : 计划章节
    note text : 备注
split_<year>: id region in_force_from
    id text! @indicators : 指标
    region text! @regions : 园区
    target_low number! : 目标值
    target_high number : 区间上限
    in_force_from month! : 从何时起执行
    demo flag : 1 为编造
    note text : 备注
weights_<year>: id
    id text! : 组别或指标
    level text! group|indicator : 组或指标
    parent text : 指标所属的组
    name_zh text! : 名称
    weight number! : 权重，同级合计 1
    demo flag : 1 为编造
    note text : 备注
bounds_<year>: indicator
    indicator text! @indicators : 指标
    measure text! attainment_pct|share_done : 按完成率还是完成份额
    low number! : 不允许值
    high number! : 满意值
    error_pct number : 数据的标准误差（%）
    demo flag : 1 为编造
    note text : 备注
stages_<year>: id region item stage
    id text! @indicators : 事项
    region text! @regions : 区域
    item text : 同一事项中的哪一个
    stage code! : 阶段
    stage_no whole! : 次序
    stage_zh text! : 阶段名称
    date month : 达到月份
    evidence text : 佐证
    expected month : 承诺月份
    demo flag : 1 为编造
    note text : 备注
""")

OBSERVATIONS, PROBLEMS, CELLS = (VINTAGE[n] for n in ("OBSERVATIONS", "PROBLEMS", "CELLS"))
SERIES, TARGETS, MILESTONES = (VINTAGE[n] for n in ("SERIES", "TARGETS", "MILESTONES"))
PROJECTIONS, QUANTILES, WHY = (VINTAGE[n] for n in ("PROJECTIONS", "QUANTILES", "WHY"))
RANKS = VINTAGE["RANKS"]
ANSWERS, REPLIES = VINTAGE["ANSWERS"], VINTAGE["REPLIES"]
SEVERITIES, OUTCOMES = PROBLEMS["severity"].allowed, CELLS["outcome"].allowed
RETURN_SHEET, RETURN_TITLE = (
    "回复表",
    "核对退回单",
)  # by these a return sheet that comes back is known


@cache
def _empty(table: Table) -> pd.DataFrame:
    return of_columns({}, table)


def empty(table: Table) -> pd.DataFrame:
    """A frame of this shape without rows."""
    return _empty(table).copy()


def of_columns(columns: dict[str, Sequence], table: Table, **same: object) -> pd.DataFrame:
    """A frame from whole columns that are of their types already, and from values that are the `same` in every row."""
    rows = len(next(iter(columns.values()), ()))
    return pd.DataFrame(
        {
            c.name: _array([same[c.name]], c).repeat(rows)
            if c.name in same
            else _array(columns.get(c.name, ()), c)
            for c in table.columns
        },
        copy=False,
    )


def _array(values: Sequence, column: Column) -> np.ndarray | ExtensionArray:
    dtype = _TYPES[column.kind]
    if dtype == "str":
        values = pyarrow.array(
            values, pyarrow.large_string()
        )  # pandas would look at each value by itself
    return np.array(values, dtype) if isinstance(dtype, np.dtype) else pd.array(values, dtype)


def shape(rows: list[dict] | pd.DataFrame, table: Table) -> pd.DataFrame:
    """Bring rows into a table's columns, order and types; what is absent is empty, other columns go.

    Raises
    ------
    TableError : a value cannot be read as its column's type; names the column.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    if frame.empty:
        return empty(table)
    out = {}
    for c in table.columns:
        source = (
            frame[c.name]
            if c.name in frame
            else pd.Series(_BLANK.get(c.kind, ""), index=frame.index)
        )
        try:
            out[c.name] = _typed(source, c)
        except (TypeError, ValueError) as e:
            raise TableError(f"{table.name} 表 {c.name} 列({c.meaning})有不能识别的值:{e}") from e
    return pd.DataFrame(out).reset_index(drop=True)


def _typed(s: pd.Series, c: Column) -> pd.Series:
    if c.kind == "month":
        if isinstance(s.dtype, pd.PeriodDtype):
            return s if s.dtype == _DTYPES["month"] else s.dt.asfreq("M")
        return pd.Series(
            pd.PeriodIndex(
                [
                    pd.NaT
                    if v is None or v is pd.NaT or v != v or v == ""
                    else pd.Period(v, freq="M")
                    for v in s
                ],
                freq="M",
            ),
            index=s.index,
        )
    if c.kind == "text":
        return (
            s
            if isinstance(s.dtype, pd.StringDtype) and not s.hasnans
            else s.fillna("").astype("str")
        )
    if s.dtype == _DTYPES[c.kind]:
        return s
    if c.kind == "flag":  # a missing one would count as true
        s = s.where(s.notna(), False)
    return s.astype(_DTYPES[c.kind])


@cache
def _schema(table: Table) -> pa.DataFrameSchema:
    import pandera.pandas as pa  # 0.6 s, and only needed at the door

    def column(c: Column) -> pa.Column:
        checks = [pa.Check.isin(list(c.allowed))] if c.allowed else []
        if c.needed and c.kind == "text":
            checks.append(pa.Check(lambda s: s != "", element_wise=False, error="filled"))
        return pa.Column(_DTYPES[c.kind], checks, nullable=not (c.needed and c.kind != "text"))

    return pa.DataFrameSchema(
        {c.name: column(c) for c in table.columns},
        strict=True,
        unique=list(table.key) or None,
        name=table.name,
    )


def covering(series: pd.DataFrame) -> pd.DataFrame:
    """SERIES whose revisions cover no month (`months` 0): values add up to the year to date, `months` to those known."""
    return series.assign(months=series["months"].where(~series["revision"], 0))


def check(frame: pd.DataFrame, table: Table, where: str = "") -> pd.DataFrame:
    """Return the frame unchanged if it has the table's shape.

    Raises
    ------
    TableError : names the table, column, row, what was found and what was expected; up to five faults.
    """
    import pandera.errors as pe

    try:
        _schema(table).validate(frame, lazy=True)
    except pe.SchemaErrors as e:
        faults = e.failure_cases.head(5)
        lines = [
            f"{r.column or '、'.join(table.key)} 列"
            + ("" if pd.isna(r["index"]) else f"第 {int(r['index']) + 1} 行")
            + f":找到「{r.failure_case}」,应满足 {r.check}"
            for _, r in faults.iterrows()
        ]
        raise TableError(f"{where or '数据'}不符合 {table.name} 表的规定:" + ";".join(lines)) from e
    return frame
