"""The command line: each command is a few lines over the library, and every refusal is one Chinese sentence."""

from __future__ import annotations

import logging
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, parse_month


class Refusing(TyperGroup):
    """Commands that say what is wrong with data or a request in one Chinese sentence, with exit code 1."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except ZcqError as e:
            warn(f"错误:{e}", "red")
        except OSError as e:
            warn(
                f"错误:读写 {e.filename or '文件'} 时出错({e.strerror or e})。"
                "请检查磁盘空间、权限,以及文件是否被其他程序占用。",
                "red",
            )
        raise typer.Exit(1)


app = typer.Typer(
    cls=Refusing,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="自创区月报:整理、测算、排名、出图。",
)
say = typer.echo


def warn(text: str, color: str | None = None) -> None:
    typer.secho(text, fg=color, err=True)


Month = Annotated[str, typer.Argument(help="报告月份,如 2018-09", metavar="月份")]
Demo = Annotated[bool, typer.Option("--demo", help="用随项目附带的演示数据")]
AsOf = Annotated[
    str, typer.Option("--as-of", help="按该月为止所知的数据重做,如 2018-10", metavar="月份")
]


def _log_to_screen(verbose: bool) -> None:
    lines = logging.StreamHandler()
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""  # the bar gives way
    lines.setFormatter(logging.Formatter(f"{clear}%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("zcqlib")
    log.addHandler(lines)
    log.setLevel(logging.DEBUG if verbose else logging.INFO)


def _period(month: str, as_of: str):
    period = parse_month(month)
    known = parse_month(as_of, "--as-of 月份") if as_of else None
    if known is not None and known < period:
        raise ZcqError(f"--as-of {known} 早于报告月份 {period},那时还没有该月数据。")
    return period, known


@app.command()
def run(
    month: Month,
    demo: Demo = False,
    as_of: AsOf = "",
    force: Annotated[bool, typer.Option("--force", help="即使没有变化也全部重跑")] = False,
    only: Annotated[
        str, typer.Option("--only", help="只跑名称以此开头的笔记本,如 03", metavar="编号")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="其他笔记本参数,如 --set PARK=gaoxin", metavar="名称=值"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="供开发人员:更多日志")] = False,
) -> None:
    """每月一次:整理报表、运行全部笔记本、出图、写运行清单。"""
    from zcqlib import pipeline, release
    from zcqlib import run as monthly

    _log_to_screen(verbose)
    period, known = _period(month, as_of)
    extra = dict(_assignment(s) for s in set_ or [])
    workspace = Workspace.find(demo)
    with typer.progressbar(
        length=1, file=sys.stderr, item_show_func=lambda what: what or "准备"
    ) as bar:

        def tell(what: str, done: int, of: int) -> None:
            bar.pos, bar.length, bar.current_item = done, of, what
            bar.render_progress()

        report = monthly.run_month(
            workspace, period, known, force=force, only=only, extra=extra, tell=tell
        )
    changed = release.pending(workspace, period, known)
    words = {"done": "完成", "kept": "无变化,保留", "failed": "失败"}
    for o in report.outcomes:
        say(f"{o.name}:{words[o.state]}" + (f" {o.message}" if o.message else ""))
    figures = sorted(report.folder.glob("[0-9]*.png"))
    say(
        f"{'演示数据 ' if demo else ''}{period}:笔记本 {len(report.outcomes)} 个,图 {len(figures)} 幅,"
        f"缺数据的小节 {report.manifest['sections_without_data']} 个,"
        f"数据版本 {report.vintage.name},产出在 {report.folder}"
    )
    if changed:
        warn(f"与已发布的数字不同,见 {changed};核对后用 release 再发布一次。", "yellow")
    if pipeline.published_only(report.vintage):
        warn(
            f"没有园区报表(data/raw 下没有月份文件夹):只用公开数据,其余部分写明暂缺。"
            f"收到的报表请放进 data/raw/{period};试用演示数据请加 --demo。",
            "yellow",
        )
    if report.failed:
        warn(f"{len(report.failed)} 项没有通过,见 {report.folder / 'notebooks'}。", "red")
        raise typer.Exit(1)


def _assignment(text: str) -> tuple[str, object]:
    name, eq, value = text.partition("=")
    if not eq:
        raise ZcqError(f"--set {text} 应写成 名称=值。")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, {"True": True, "False": False}.get(value, value)


@app.command()
def verify(month: Month, demo: Demo = False, as_of: AsOf = "") -> None:
    """把某月的输入、数据表、图与运行清单逐一核对。"""
    from zcqlib import manifest

    wrong = manifest.verify(Workspace.find(demo), *_period(month, as_of))
    for sentence in wrong:
        warn(sentence)
    if wrong:
        raise typer.Exit(1)
    say(f"{month}:输入、数据表、图与清单完全一致。")


@app.command()
def check() -> None:
    """检查全部参考表,并指出计划本身的矛盾。"""
    from zcqlib import catalog as catalogs
    from zcqlib.plan_check import plan_conflicts
    from zcqlib.published import missed_checkpoints, published_observations, read_published

    workspace = Workspace.find()
    faults = catalogs.check_reference(workspace.reference)
    for fault in faults:
        warn(str(fault))
    for _, told in workspace.misplaced():
        warn(told)
    if wrong := [f for f in faults if f.severity == "error"]:
        raise ZcqError(f"参考表有 {len(wrong)} 处错误。")
    years = [int(p.stem[-4:]) for p in sorted(workspace.reference.glob("targets_20??.csv"))]
    plans = {year: catalogs.load(workspace.reference, year) for year in years}
    conflicts = {year: plan_conflicts(plan) for year, plan in plans.items()}
    catalog = plans[years[-1]]
    stated = published_observations(workspace.published, catalog)
    missed = missed_checkpoints(stated, catalog)
    unused = len(read_published(workspace.published)) - len(stated)
    say("参考表没有错误。")
    for year, found in conflicts.items():
        count = f"有 {len(found)} 处需要留意:" if len(found) else "没有需要留意之处。"
        say(f"{year} 年计划本身{count}")
        for r in found.itertuples():
            say(f"  {r.message}(编号 {r.ids.replace(';', '、')})")
    if unused:
        say(
            f"公开数据有 {unused} 行的指标不在指标表中,没有采用(不影响运行);要用的请在 aliases.csv 中补充。"
        )
    for sentence in missed:
        warn(sentence)
    if missed:
        raise typer.Exit(1)
    if points := len(catalog.checkpoints):
        say(f"公开数据核对点 {points} 个,全部相符。")


@app.command()
def read(
    files: Annotated[
        list[Path] | None, typer.Argument(help="一个或多个报表文件", metavar="文件")
    ] = None,
    to: Annotated[Path, typer.Option("--out", help="写到哪里", metavar="文件夹")] = Path(
        "read-out"
    ),
    month: Annotated[
        str,
        typer.Option("--month", help="报送月份,如 2018-09;不写文件时读该月文件夹", metavar="月份"),
    ] = "",
    demo: Demo = False,
) -> None:
    """读任意报表,写出 observations.csv、problems.csv、cells.csv。"""
    from zcqlib import reports

    period = parse_month(month) if month else None
    given = [Path(f) for f in files or (Workspace.find(demo).received(period) if month else ())]
    if not given:
        raise ZcqError("没有要读的文件:请写出文件,或用 --month 指明 data/raw 下有报表的月份。")
    context = reports.Context(published=period, demo=demo)
    absent = reports.Refused("no_file", "找不到这个文件,请核对路径。")
    readings = [
        reports.read_report(f, context) if f.is_file() else reports.refused(f, context, absent)
        for f in given
    ]
    reports.write_reading(readings, to)
    for reading in readings:
        say(reports.summary(reading))
    if all(len(r.observations) == 0 for r in readings) or not all(f.is_file() for f in given):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """自检:字体、内核、内存、磁盘、编码、软件包、权限、时钟,并说明怎么办。"""
    from zcqlib.doctor import examine

    findings = examine(Workspace.find())
    for f in findings:
        state, advice = ("正常", "") if f.well else ("有问题", f"。{f.do}")
        say(f"{state} {f.name}:{f.found}{advice}")
    if not all(f.well for f in findings):
        raise typer.Exit(1)


@app.command()
def release(
    month: Month,
    demo: Demo = False,
    as_of: AsOf = "",
    status: Annotated[str, typer.Option("--status", help="初步 或 定稿", metavar="状态")] = "定稿",
) -> None:
    """把某月交出的东西冻结存档;再次发布时写更正说明。"""
    from zcqlib import release as releases

    period, known = _period(month, as_of)
    made = releases.release(Workspace.find(demo), period, status, known)
    if not made.is_new:
        say(f"{month}:与第{made.number}次发布({made.status})完全相同,没有再发布。")
        return
    say(f"{month}:第{made.number}次发布({made.status})已冻结在 {made.folder}")
    if made.number > 1:
        say(
            f"与上一次相比有 {len(made.corrections)} 个数字不同,见其中的 更正说明.md 和 更正说明.csv。"
        )


@app.command()
def export(
    month: Month,
    demo: Demo = False,
    as_of: AsOf = "",
    size: Annotated[
        str, typer.Option("--size", help="a4(半页)或 wide(16:9)", metavar="版面")
    ] = "a4",
    format_: Annotated[
        str, typer.Option("--format", help="png、svg 或 pdf,可用逗号并列", metavar="格式")
    ] = "pdf",
    only: Annotated[
        str, typer.Option("--only", help="只要名称以此开头的图,如 03_applications", metavar="图名")
    ] = "",
) -> None:
    """把某月的图另存为 A4 半页或 16:9 版面,PNG、SVG 或 PDF(内嵌字体,文字可复制)。"""
    from zcqlib.export import export as write

    period, known = _period(month, as_of)
    done = write(
        Workspace.find(demo), period, known, size=size, formats=format_.split(","), only=only
    )
    for path in done.files:
        say(str(path))
    for sentence in done.refused:
        warn(sentence)
    if done.refused:
        raise typer.Exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="放新工作区的空文件夹", metavar="文件夹")],
    year: Annotated[
        int, typer.Option("--year", help="计划年份,缺省为今年", metavar="年份")
    ] = date.today().year,
) -> None:
    """为另一个自创区建工作区:笔记本、公开数据,和行行注释着示例、等着填写的参考表。"""
    from zcqlib import begin

    for sentence in begin.init(folder, year):
        say(sentence)
    say(
        "请按 data/raw/reference/README.md 先填 zone、regions、region_aliases、membership、indicators、"
        f"targets_{year}、units、senders,再在 {folder} 中运行 python -m zcqlib check,直到没有错误。"
    )


@app.command()
def new_year(
    year: Annotated[int, typer.Argument(help="新的计划年份,如 2019", metavar="年份")],
) -> None:
    """沿用上年的计划、分解、权重、界值和节点,日期顺延一年,再检查。"""
    from zcqlib import begin

    faults = begin.new_year(Workspace.find().reference, year)
    for fault in faults:
        warn(str(fault))
    say(f"{year} 年的各表已建好,数字仍是上年的,请逐行修改。")
    if any(f.severity == "error" for f in faults):
        raise typer.Exit(1)


@app.command()
def close(
    year: Annotated[int, typer.Argument(help="已结束的年份,如 2018", metavar="年份")],
    demo: Demo = False,
    as_of: AsOf = "",
) -> None:
    """年度结账:承诺了什么、实际怎样、完成与否,写成 年度结账.csv。"""
    from zcqlib import closing
    from zcqlib.month import open_month
    from zcqlib.workspace import write_atomic

    month = open_month(f"{year}-12", demo, as_of)
    told = closing.closed(month)
    path = month.folder / "年度结账.csv"
    write_atomic(path, told.to_csv(index=False).encode("utf-8-sig"))
    n = told["结果"].value_counts()
    counts = "、".join(
        f"{what}{n.get(what, 0)}项" for what in (closing.KEPT, closing.BROKEN, closing.OPEN)
    )
    say(f"{'演示数据 ' if demo else ''}{year}年(截至{month.known}所知):{counts},见 {path}")


@app.command()
def brief(
    month: Month,
    demo: Demo = False,
    as_of: AsOf = "",
    meeting: Annotated[
        str,
        typer.Option(
            "--meeting",
            metavar="会议",
            help="weekly、fortnight、ranking、quarter、half-year、annual 之一",
        ),
    ] = "fortnight",
    check: Annotated[bool, typer.Option("--check", help="不写文件,只核对已有产出中的数字")] = False,
    units: Annotated[
        bool, typer.Option("--units", help="另为每个责任单位写一份只有本单位各行的台账")
    ] = False,
) -> None:
    """会议材料:幻灯片、公文和台账,写好后逐个核对数字。"""
    from zcqlib import meetings
    from zcqlib.month import open_month

    period, known = _period(month, as_of)
    opened = open_month(str(period), demo, str(known or ""))
    if check:
        say(f"{month}:已有产出中的 {meetings.check(opened)} 个数字与数据表一致。")
        return
    for path in meetings.unit_ledgers(opened) if units else ():
        say(str(path))
    made = meetings.export(opened, meeting)
    compared = meetings.check(opened)
    for path in made.files:
        say(f"{path}{'(有手工改动,未覆盖)' if path in made.kept else ''}")
    say(
        f"{meetings.agendas()[meeting].name_zh}:{len(made.pages)} 页;该月全部产出核对 {compared} 个数字,一致。"
    )


@app.command()
def trace(
    code: Annotated[
        str, typer.Argument(help="图、表、页上的编号,如 ZCQ-201809-PF03", metavar="编号")
    ],
    demo: Demo = False,
    as_of: AsOf = "",
) -> None:
    """一个编号上的每个数字:值、算法、来源文件的工作表和单元格。"""
    from zcqlib import meetings
    from zcqlib.briefing.passport import month_of
    from zcqlib.month import open_month

    text = meetings.trace(open_month(month_of(code), demo, as_of), code)
    say(text)


@app.command()
def project(
    parquet: Annotated[
        Path, typer.Argument(help="长表:series_id、period、value", metavar="PARQUET")
    ],
    to: Annotated[Path, typer.Option("--out", help="写到哪里", metavar="文件")] = Path(),
    kind: Annotated[str, typer.Option("--kind", help="flow 或 stock")] = "flow",
    year: Annotated[int, typer.Option("--year", help="测算哪一年,缺省为各序列最近一年")] = 0,
    targets: Annotated[Path, typer.Option("--targets", help="目标表:series_id、target")] = Path(),
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="dask 调度器地址", metavar="地址")
    ] = "",
    jobs: Annotated[int, typer.Option("--jobs", help="本机进程数")] = 1,
) -> None:
    """大批序列(如全国各县)分批测算年末,本机多进程或 dask 集群,结果与单进程相同。"""
    import pandas as pd

    from zcqlib.projection import refused_series
    from zcqlib.projection.cluster import project_batches

    try:
        history = pd.read_parquet(parquet)
        aims = pd.read_parquet(targets).set_index("series_id")["target"] if targets.name else None
        found = project_batches(
            history, kind, year or None, targets=aims, n_jobs=jobs, scheduler=scheduler or None
        )
    except (OSError, KeyError, ValueError) as e:
        raise ZcqError(
            f"{parquet} 不能测算:{e}。需要 Parquet 长表,列为 series_id、period、value。"
        ) from e
    refused = refused_series(history, kind, year or None)
    to = to if to.name else parquet.with_name(f"{parquet.stem}-projected.parquet")
    found.rename(columns=str).to_parquet(to)
    refused.to_csv(to.with_suffix(".refused.csv"), index=False, encoding="utf-8-sig")
    say(
        f"测算 {len(found)} 条序列,写入 {to};不能测算 {len(refused)} 条,原因见 {to.with_suffix('.refused.csv')}"
    )
    if found.empty:
        raise typer.Exit(1)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):  # Windows consoles may still be in GBK
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app()


if __name__ == "__main__":
    main()
