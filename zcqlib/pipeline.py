"""The line from received files to one vintage of tables: read, consolidate, project, rank, look back.

Nothing is decided here; each step is one call into the stage that owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from joblib import cpu_count, delayed

from zcqlib import (
    anomalies,
    findings,
    indicators,
    ledger_reader,
    milestones,
    published,
    ranking,
    reports,
    tables,
)
from zcqlib import catalog as catalogs
from zcqlib.briefing import returns
from zcqlib.catalog import Catalog, in_force
from zcqlib.pool import processes
from zcqlib.projection import Projected, changes, project_targets, replay
from zcqlib.reports import senders
from zcqlib.workspace import Workspace, digest, own_digest


class NoReportsError(tables.ZcqError):
    """The month that was asked for has no report files."""


PACKAGES = ("numpy", "pandas", "scipy", "pyarrow", "python-calamine")
RUNS = 10_000  # simulations behind the interval of a place

METHOD = """tables reference catalog published reports ledger_reader indicators projection ranking anomalies
milestones quantity analysis findings pipeline""".split()  # what a table rests on


@cache
def code_hash(*modules: str) -> str:
    """Hash of the library's own sources, of some modules or of all: another method is another vintage."""
    folder = Path(__file__).parent
    files = sorted(
        p
        for p in folder.rglob("*")
        if p.is_file()
        and "__pycache__" not in p.parts
        and (not modules or p.relative_to(folder).parts[0].removesuffix(".py") in modules)
    )
    return digest("".join(f"{p.relative_to(folder).as_posix()}{digest(p)}" for p in files).encode())


Stated = tuple[pd.DataFrame, pd.DataFrame]  # SERIES, GROWTH
PLACE = ["region", "indicator"]
COLUMNS = ["path", "file", "file_hash", "sender", "published", "submission"]


def submissions(
    paths: Iterable[Path], month: pd.Period, catalog: Catalog, raw: Path | None = None
) -> pd.DataFrame:
    """Who sent what, by the names of the files alone: COLUMNS, one row a file; submission 1 is the earliest.

    `file` is the path under `raw`; the sender is "" where the name does not tell.
    """
    rows = [
        {
            "path": p,
            "file": p.relative_to(raw).as_posix() if raw else p.name,
            "file_hash": "",
            "sender": "" if _temporary(p) else senders.decide(p.name, "", (), catalog)[0],
            "published": month,
        }
        for p in paths
    ]
    return _ordered(pd.DataFrame(rows, columns=COLUMNS[:-1]).astype({"published": "period[M]"}))


def _ordered(files: pd.DataFrame) -> pd.DataFrame:
    """Files with their number among the submissions of one sender and month."""
    order = files["path"].map(lambda p: senders.order(p.name)).rename("order")
    rank = order.groupby([files["sender"], files["published"]]).rank("dense")
    return files.assign(submission=rank.astype("int64") if len(files) else 0)[COLUMNS]


def _temporary(path: Path) -> bool:
    return path.name.startswith(("~$", ".~"))


def received(workspace: Workspace, until: pd.Period, catalog: Catalog) -> pd.DataFrame:
    """All submissions of the months up to `until`; what is in a zip counts file by file."""
    raw = workspace.root / "data" / "raw"
    frames = [
        submissions([q for p in workspace.received(m) for q in reports.members(p)], m, catalog, raw)
        for m in workspace.report_months()
        if m <= until
    ]
    files = pd.concat(frames, ignore_index=True) if frames else submissions([], until, catalog)
    return files.assign(file_hash=files["path"].map(_content_hash).astype("str"))


def _content_hash(path: Path) -> str:
    try:
        return digest(path) if path.is_file() else digest(reports.content(path))
    except reports.Refused:
        return ""  # for the reader to say


def _on_disk(path: Path) -> Path:
    """The file itself, or the zip that it is in."""
    return next((p for p in (path, *path.parents) if p.is_file()), path)


def recipe(workspace: Workspace, month: pd.Period, known: pd.Period, files: Iterable[Path]) -> dict:
    """What a vintage rests on: it is named by the hash of this."""
    folders = (workspace.reference, workspace.published)
    inputs = [
        *dict.fromkeys(map(_on_disk, files)),
        *(p for folder in folders for p in sorted(folder.rglob("*.csv*"))),
    ]
    return {
        "month": str(month),
        "as_of": str(known),
        "demo": workspace.demo,
        "code": code_hash(*METHOD),
        "versions": {p: version(p) for p in PACKAGES},
        "inputs": {p.relative_to(workspace.root).as_posix(): own_digest(p) for p in inputs},
    }


def _step(made_of: Mapping, files: pd.DataFrame, *step: object) -> str:
    """Name under which the result of a step on some files is kept: it holds all that the step depends on.

    Beside the files these are the code and the packages (first part), the reference tables and the plan's year.
    """
    method = digest(f"{made_of['code']}{made_of['versions']}".encode())[:16]
    known = {name: sha for name, sha in made_of["inputs"].items() if "/reference/" in name}
    came = [(f.file_hash, f.file, f.sender, f.published, f.submission) for f in files.itertuples()]
    basis = (step, came, known, made_of["month"][:4], made_of["demo"])
    return f"{method}/{digest(str(basis).encode())}"


def build(workspace: Workspace, month: pd.Period, as_of: pd.Period | None = None) -> Path:
    """Make a month's vintage: every table that the notebooks read.

    Parameters
    ----------
    as_of : last report month that counts as known; default the month itself.
    Returns
    -------
    folder of the vintage; an existing one where nothing changed.
    Raises
    ------
    NoReportsError : the month has no report files, or none of them could be used.
    """
    known = as_of or month
    catalog = catalogs.load(workspace.reference, month.year)
    files = received(workspace, known, catalog)
    made_of = recipe(workspace, month, known, files["path"])
    if files.empty and not workspace.misplaced():  # notebooks show what is published
        return workspace.commit(month, _without_reports(workspace, catalog, known), made_of, known)
    if files.empty or month not in workspace.report_months():
        raise _no_reports(workspace, month)
    said = said_before(workspace, month, made_of)
    made_of["said_before"] = said.name if said else ""
    if vintage := workspace.existing(month, made_of, known):
        return vintage
    files, readings = read_all(workspace, files, catalog, made_of)
    came, plain = files, catalog
    readings, filled = _filled(files, readings, workspace.demo, plain)
    catalog = _as_known(plain, filled, known)
    observations = _joined([r.observations for r in readings], tables.OBSERVATIONS)
    problems = [r.problems for r in readings] + [_misplaced(workspace, month)]
    if month in set(files["published"]) - set(observations["published"]):
        raise _unusable(month, files, problems)
    facts = indicators.consolidate(observations, catalog, known)
    stated, told = _stated(facts, catalog)
    series, growth = stated
    expected, doubted = indicators.check_plausibility(facts, catalog)
    problems += [*told, doubted]
    first = max(files["published"].min(), pd.Period(year=month.year, month=1, freq="M"))
    history = list(pd.period_range(first, month - 1))
    then = {m: _as_known(plain, filled, m) for m in history}
    keys = {m: _step(made_of, came[came["published"] <= m], "seen", m) for m in history}
    make = {keys[m]: partial(_seen, observations, m, m, then[m]) for m in history}
    done = _each(workspace, make, 3)
    now = _projected(stated, month, catalog)
    trail, why = [*(one["PROJECTIONS"] for one in done), now.projections], tables.empty(tables.WHY)
    if history:
        last = history[-1]
        before = _as_said(workspace, said, last, observations, made_of["inputs"], catalog)
        if said:
            trail[-2] = before["PROJECTIONS"]  # what was said last month is the same everywhere
        why = _changes(stated, month, last, catalog, then[last], before, trail)
    past = _joined(trail, tables.PROJECTIONS)
    sent = _submissions(files, readings, indicators.tally(facts.history))
    reports_only = sent[~sent["reply"]]
    complete = [owed(reports_only, observations, m, catalog) for m in (*history, month)]
    complete = pd.concat(complete, ignore_index=True)
    stages = catalog.stages
    problems.append(milestones.disagreements(stages, now.projections, now.missing, month, catalog))
    attained = ranking.attainment(now.projections, catalog, month, milestones=stages, series=series)
    attained = pd.concat([*(one["ATTAINMENT"] for one in done), attained], ignore_index=True)
    contents = {
        "OBSERVATIONS": indicators.hold(
            observations,
            observations["obs_id"].isin(
                facts.history.loc[facts.history["state"].eq("held"), "obs_id"]
            ),
        ),
        "PROBLEMS": _joined(problems, tables.PROBLEMS).drop_duplicates(ignore_index=True),
        "CELLS": _joined([r.cells for r in readings], tables.CELLS),
        "SERIES": series,
        "TO_DATE": indicators.to_date(series),
        "GROWTH": growth,
        "TARGETS": catalog.targets,
        "MILESTONES": stages,
        "ANSWERS": filled,
        "PROJECTIONS": now.projections,
        "QUANTILES": now.quantiles,
        "MISSING": now.missing,
        "TRAIL": past,
        "WHY": why,
        **_rankings(
            workspace,
            attained,
            now.quantiles,
            catalog,
            lambda p, m: _step(
                made_of,
                came[came["published"] <= (known if m == month else m)],
                "ranks",
                p,
                m,
                m == month,  # only this month's ranking looks ahead
            ),
        ),
        "PROMISES": milestones.ledger(
            catalog.stages,
            catalog.targets,
            known,
            catalog,
            projections=now.projections,
            missing=now.missing,
        ),
        "WATCH": anomalies.watch(series, catalog.targets, catalog, known),
        "EXPECTED": expected,
        "SUBMISSIONS": sent,
        "REPLIES": _replies(files, readings),
        "COMPLETENESS": complete,
        **_record(workspace, catalog, series, now.projections),
    }
    given = findings.Given(contents.__getitem__, catalog, month, known)
    made = findings.every(given)
    contents |= {"FINDINGS": findings.listed(made), "FACTS": findings.collect(made)}
    return workspace.commit(month, contents, made_of, known)


def _each(workspace: Workspace, make: Mapping[str, Callable], worth: int) -> list[dict]:
    """What each key stands for, as it is kept or made; in several processes where so many are new as are `worth` the
    start of others."""
    new = sum(not workspace.remembers(key) for key in make)
    work = processes(1 if new < worth else min(4, cpu_count()))
    return work(delayed(workspace.remember)(key, one) for key, one in make.items())


def _changes(
    stated: Stated,
    month: pd.Period,
    last: pd.Period,
    catalog: Catalog,
    catalog_then: Catalog,
    before: Mapping[str, pd.DataFrame],
    trail: list[pd.DataFrame],
) -> pd.DataFrame:
    """WHY: from what was said `last` month to the present, replacing one thing at a time."""
    (*_, said, now), targets = trail, before["TARGETS"]
    method = said
    if "OBSERVATIONS" in before:
        seen = _stated_at(before["OBSERVATIONS"], last, catalog_then)
        method = _projected(seen, last, catalog_then, targets).projections
    restated = _projected(_without(stated, month), last, catalog, targets).projections
    other = _replaced(targets, catalog.targets, month)
    kept = _projected(stated, month, catalog, other).projections
    place = pd.MultiIndex.from_frame(kept[PLACE])
    rest = now[~pd.MultiIndex.from_frame(now[PLACE]).isin(place)]
    held = pd.concat([rest, kept], ignore_index=True)
    return changes([said, method, restated, held, now])


def _no_reports(workspace: Workspace, month: pd.Period) -> NoReportsError:
    have = "、".join(map(str, workspace.report_months())) or "无"
    return NoReportsError(
        f"{workspace.raw.relative_to(workspace.root)}/{month} 里没有报表(已有月份:{have})。"
        + "".join(said for _, said in workspace.misplaced())
        + "请把收到的文件放进该文件夹"
        + ("。" if workspace.demo else ";试用演示数据请加 --demo。")
    )


def _unusable(
    month: pd.Period, files: pd.DataFrame, problems: list[pd.DataFrame]
) -> NoReportsError:
    told = pd.concat(problems).query("published == @month").groupby("file")["message"].first()
    count = files["published"].eq(month).sum()
    return NoReportsError(f"{month} 的 {count} 个文件都不能使用:{';'.join(told)[:300]}")


def _without_reports(
    workspace: Workspace, catalog: Catalog, known: pd.Period
) -> dict[str, pd.DataFrame]:
    """The tables that no report is needed for."""
    return {
        "TARGETS": catalog.targets,
        "MILESTONES": _as_known(catalog, tables.empty(tables.ANSWERS), known).stages,
        **_record(workspace, catalog, *map(tables.empty, (tables.SERIES, tables.PROJECTIONS))),
    }


def _record(workspace: Workspace, catalog: Catalog, series: pd.DataFrame, said: pd.DataFrame):
    """What is published, and how past years would have been judged."""
    told = published.published_observations(workspace.published, catalog)
    flows = catalog.targets.query("kind == 'flow'")["id"]
    return {"PUBLISHED": told, "RECORD": replay.record(series, said, told, flows)}


def published_only(vintage: Path) -> bool:
    """Whether a vintage was made where no reports had come."""
    return not (vintage / "OBSERVATIONS.parquet").exists()


def return_sheets(workspace: Workspace, month: pd.Period, vintage: Path) -> dict[str, bytes]:
    """The return sheet (退回单) of each sender whose reports of the month hold errors or warnings, by file name."""
    if published_only(vintage):
        return {}
    catalog = catalogs.load(workspace.reference, month.year)
    problems, expected, sent = (
        pd.read_parquet(vintage / f"{t}.parquet") for t in ("PROBLEMS", "EXPECTED", "SUBMISSIONS")
    )
    problems = problems[(problems["published"] == month) & problems["severity"].ne("info")]
    sent = sent[(sent["published"] == month) & ~sent["reply"]]
    out = {}
    for s in catalog.senders.itertuples():
        told, books = problems[problems["sender"] == s.id], {}
        for file in sent.loc[sent["sender"] == s.id, "file"] if len(told) else ():
            try:
                books[file] = reports.opened(workspace.root / "data" / "raw" / file)
            except (reports.Refused, FileNotFoundError):
                continue  # told of in 回复表 all the same
        if len(told):
            content = returns.return_sheet(s.name_zh, books, told, expected, month, workspace.demo)
            out[f"{returns.RETURN_NAME}_{s.name_zh}_{month}.xlsx"] = content
    return out


def read_all(
    workspace: Workspace, files: pd.DataFrame, catalog: Catalog, made_of: Mapping
) -> tuple[pd.DataFrame, list[reports.Reading]]:
    """Read every file with what is known of it; a byte-identical copy is read once, an unchanged file not again.

    Returns
    -------
    the files with who sent them, as name, 填报单位 and places inside agree; the reading of each. The figures of a file
    whose sender cannot be told are held back.
    """
    seen: dict[str, str] = {}
    who, out = [], []
    for i, f in enumerate(files.itertuples()):
        if f.file_hash in seen and f.file_hash and f.path.stat().st_size:
            who.append(f.sender)
            out.append(_copy(f, seen[f.file_hash]))
            continue
        seen[f.file_hash] = f.file
        one = files.iloc[[i]]
        reading = _read(workspace, one, catalog, made_of)
        inside = reading.observations["region"].unique()
        said = reading.info.get("stated_sender", "")
        sender, why = senders.decide(f.path.name, said, inside, catalog)
        if _temporary(f.path):
            sender = why = ""
        elif sender != f.sender:
            reading = _read(workspace, one.assign(sender=sender), catalog, made_of)
        who.append(sender)
        sent_back = any(reading.info.get(form) is not None for form in ("ledger", "replies"))
        out.append(_waiting(f, reading, why) if why and not sent_back else reading)
    settled = _ordered(files.assign(sender=pd.Series(who, files.index, dtype="str")))
    return settled, [
        replace(r, observations=r.observations.assign(submission=n))
        for r, n in zip(out, settled["submission"], strict=True)
    ]


def _read(
    workspace: Workspace, file: pd.DataFrame, catalog: Catalog, made_of: Mapping
) -> reports.Reading:
    f = next(file.itertuples())
    context = reports.Context(f.published, f.sender, f.submission, workspace.demo, catalog, f.file)

    def read() -> dict[str, object]:
        return vars(reports.read_report(f.path, context))

    return reports.Reading(**workspace.remember(_step(made_of, file, "read"), read))


def _told(f, code: str, severity: str, message: str, count: int = 1) -> pd.DataFrame:
    """One problem of a whole file."""
    where = dict(file=f.file, sender=f.sender, published=f.published)
    what = dict(code=code, severity=severity, message=message, count=count)
    return tables.shape([where | what], tables.PROBLEMS)


def _copy(f, first: str) -> reports.Reading:
    said = f"与 {first} 内容完全相同,没有重复读取。"
    return reports.Reading(
        tables.empty(tables.OBSERVATIONS),
        _told(f, "duplicate_file", "info", said),
        tables.empty(tables.CELLS),
        {"file": f.file, "cells": 0},
    )


def _waiting(f, reading: reports.Reading, why: str) -> reports.Reading:
    """A reading whose figures wait until somebody says who sent them."""
    o = reading.observations
    said = (
        f"不能确定是哪个单位报送的:{why};{len(o)} 个数暂不采用。"
        "请在文件名中写明单位后重新放入,或在 senders 表中补充别名。"
    )
    asked = _told(f, "unknown_sender", "error", said, len(o)).assign(sender="")
    return replace(
        reading,
        observations=o.assign(flags=o["flags"].where(o["flags"].eq(""), o["flags"] + ";") + "held"),
        problems=pd.concat([reading.problems, asked], ignore_index=True),
    )


def _misplaced(workspace: Workspace, month: pd.Period) -> pd.DataFrame:
    """What stands in the folder of reports and is no month's folder."""
    rows = [
        dict(
            code="misplaced", severity="warning", file=name, published=month, count=1, message=said
        )
        for name, said in workspace.misplaced()
    ]
    return tables.shape(rows, tables.PROBLEMS)


def _joined(frames: list[pd.DataFrame], table: tables.Table) -> pd.DataFrame:
    frames = [f for f in frames if len(f)]
    return (
        tables.shape(pd.concat(frames, ignore_index=True), table) if frames else tables.empty(table)
    )


def _seen(
    observations: pd.DataFrame,
    month: pd.Period,
    known: pd.Period,
    catalog: Catalog,
    targets: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """PROJECTIONS for a month with the reports known at `known`, and the ATTAINMENT of each park."""
    stated = _stated_at(observations, known, catalog)
    said = _projected(stated, month, catalog, targets).projections
    attained = ranking.attainment(said, catalog, month, milestones=catalog.stages, series=stated[0])
    return {"PROJECTIONS": said, "ATTAINMENT": attained}


def _stated_at(observations: pd.DataFrame, known: pd.Period, catalog: Catalog) -> Stated:
    """SERIES and GROWTH of the reports known at a date."""
    return _stated(indicators.consolidate(observations, catalog, known), catalog)[0]


def _stated(facts: indicators.Consolidated, catalog: Catalog) -> tuple[Stated, list[pd.DataFrame]]:
    """SERIES and GROWTH of the facts known at a date, and what is to be said of them."""
    series, told = indicators.series(facts, catalog)
    growth, grown = indicators.growth(facts, series, catalog)
    return (series, growth), [told, grown]


def _projected(
    stated: Stated, month: pd.Period, catalog: Catalog, targets: pd.DataFrame | None = None
) -> Projected:
    """The projections of a month, for the catalog's targets or others."""
    series, growth = stated
    targets = catalog.targets if targets is None else targets
    return project_targets(series, targets, month, catalog, catalog.stages, catalog.batches, growth)


def _without(stated: Stated, month: pd.Period) -> Stated:
    """What the reports state without a month: a revision that came with it belongs to the earlier months."""
    series, growth = stated
    came = series["revision"] & series["end"].eq(month)
    moved = series.assign(end=series["end"].where(~came, month - 1), months=series["months"] - came)
    place = ["region", "indicator", "start", "end", "months", "revision"]
    twice = moved.duplicated(place, keep=False)  # the month before had a revision of its own
    how = {c: "last" for c in ("unit", "published", "demo")}
    sums = (
        moved[twice].groupby(place, as_index=False).agg({"value": "sum", "inputs": ";".join} | how)
    )
    return _joined([moved[~twice], sums], tables.SERIES), growth


def said_before(workspace: Workspace, month: pd.Period, made_of: dict) -> Path | None:
    """The vintage of the month before in this year where it differs from what would be made of it today.

    What was handed over of that month as it was known then counts before the last run of it. None where there is
    neither, or where the same files and the same method would give it again.
    """
    last = month - 1
    if last.year != month.year:
        return None
    released = [t for r in workspace.releases(last) for t in (r / "tables").iterdir()]
    released = [t for t in released if workspace.recipe(t)["as_of"] == str(last)]
    vintage = released[-1] if released else workspace.current(last)
    if vintage is None:
        return None
    raw = workspace.raw.relative_to(workspace.root).as_posix() + "/20"
    ends = f"{raw}{str(last)[2:]}/\uffff"  # reports of later months had not come
    inputs = {
        name: sha
        for name, sha in made_of["inputs"].items()
        if not name.startswith(raw) or name < ends
    }
    today = made_of | {"month": str(last), "as_of": str(last), "inputs": inputs}
    return (
        None
        if workspace.recipe(vintage) | {"said_before": ""} == today | {"said_before": ""}
        else vintage
    )


def _as_said(
    workspace: Workspace,
    said: Path | None,
    last: pd.Period,
    observations: pd.DataFrame,
    inputs: dict[str, str],
    catalog: Catalog,
) -> dict[str, pd.DataFrame]:
    """Last month's targets, and where it was stored also its PROJECTIONS and the OBSERVATIONS of what had come then.

    A file that is still there unchanged is taken as read today, so that better reading counts as method; one that
    came late, was replaced or is gone, as it was read then.
    """
    if said is None:
        return {"TARGETS": in_force(catalog.targets, last)}
    kept = {
        t.name: tables.shape(pd.read_parquet(said / f"{t.name}.parquet"), t)
        for t in (tables.TARGETS, tables.PROJECTIONS, tables.OBSERVATIONS)
    }
    before, old = workspace.recipe(said)["inputs"], kept["OBSERVATIONS"]
    same = tuple(f"{name}/" for name, sha in inputs.items() if before.get(name) == sha)
    now_there = lambda t: ("data/raw/" + t["file"] + "/").map(lambda f: f.startswith(same))  # noqa: E731
    seen = [observations[now_there(observations)], old[~now_there(old)]]
    return kept | {
        "TARGETS": in_force(kept["TARGETS"], last),
        "OBSERVATIONS": _joined(seen, tables.OBSERVATIONS),
    }


def since(
    workspace: Workspace, said: Path, month: pd.Period, as_of: pd.Period | None = None
) -> list[pd.DataFrame]:
    """From a stored vintage of a month to the present one, replacing one thing at a time.

    Returns
    -------
    four PROJECTIONS: as said in `said`; the same data by today's method and reference tables; with today's data; with
    today's targets, as the present vintage has it.
    """
    known, catalog = as_of or month, catalogs.load(workspace.reference, month.year)
    vintage = build(workspace, month, known)
    now, inputs = workspace.read_all(vintage), workspace.recipe(vintage)["inputs"]
    then = _as_said(workspace, said, month, now["OBSERVATIONS"], inputs, catalog)
    known_then = pd.Period(workspace.recipe(said)["as_of"], freq="M")
    before, today = (_as_known(catalog, now["ANSWERS"], m) for m in (known_then, known))
    method = _seen(then["OBSERVATIONS"], month, known_then, before, then["TARGETS"])
    data = _projected((now["SERIES"], now["GROWTH"]), month, today, then["TARGETS"])
    return [then["PROJECTIONS"], method["PROJECTIONS"], data.projections, now["PROJECTIONS"]]


def _replaced(then: pd.DataFrame, targets: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """Last month's targets that are others this month."""
    place, what = ["id", "region"], ["kind", "unit", "comparator", "target_low", "target_high"]
    now = in_force(targets, month)[place + what]
    same = then.reset_index()[["index", *place, *what]].merge(now, on=place + what)["index"]
    return then[~then.index.isin(same)]


def _filled(
    files: pd.DataFrame, readings: list[reports.Reading], demo: bool, catalog: Catalog
) -> tuple[list[reports.Reading], pd.DataFrame]:
    """The readings, with what people filled into ledgers as theirs; and the ANSWERS in all of them."""
    out, said = [], []
    for f, r in zip(files.itertuples(), readings, strict=True):
        if r.info.get("ledger") is not None:
            sent = ledger_reader.Sent(
                f.file, f.file_hash, f.sender, f.published, f.submission, demo
            )
            back = ledger_reader.read_ledger(r.info["ledger"], sent, catalog)
            told = pd.concat([r.problems, back.problems], ignore_index=True)
            r = replace(r, observations=back.observations, problems=told, cells=back.cells)
            said.append(back.replies)
        out.append(r)
    return out, _joined(said, tables.ANSWERS)


def _as_known(catalog: Catalog, filled: pd.DataFrame, known: pd.Period) -> Catalog:
    """The catalog with the stages as known at a month: what was reached later is not known yet, what ledgers that had
    come report as reached is."""
    came = filled[filled["published"] <= known]
    stages = ledger_reader.reached(catalog.stages, came, catalog)
    later = stages["date"] > known
    evidence, date = stages["evidence"].mask(later, ""), stages["date"].mask(later)
    stages = tables.shape(stages.assign(date=date, evidence=evidence), tables.MILESTONES)
    return replace(catalog, stages=stages)


def _rankings(
    workspace: Workspace,
    attained: pd.DataFrame,
    quantiles: pd.DataFrame,
    catalog: Catalog,
    step: Callable[[str, pd.Period], str],
) -> dict[str, pd.DataFrame]:
    """Ranks of every month, quarter and half-year begun, and of the year; what moved each form's last one.

    `step` names the result of a period whose last month is given, so that periods that are over are not done again.
    """
    months = sorted(attained["month"].unique())
    periods = {f: {ranking.period_of(m, f): m for m in months} for f in ranking.FORMS}
    keys = {p: step(p, m) for form in periods.values() for p, m in form.items()}
    make = {key: partial(_ranked, attained, catalog, p, quantiles) for p, key in keys.items()}
    scored = _each(workspace, make, 6)
    last = [list(form)[-2:] for form in periods.values() if len(form) > 1]
    exact = partial(ranking.score_parks, attained, catalog, runs=0)
    moves = [
        ranking.park_moves(exact(old), exact(new)).assign(period=new, before=old)
        for old, new in last
    ]
    kept = {n: [s[n] for s in scored] for n in ("ranks", "notes", "chances")}
    return {
        "RANKS": _joined(kept["ranks"], tables.RANKS),
        "UNRANKED": _joined(kept["notes"], tables.VINTAGE["UNRANKED"]),
        "PLACES": _joined(kept["chances"], tables.VINTAGE["PLACES"]),
        "MOVES": _joined(moves, tables.VINTAGE["MOVES"]),
        "ATTAINMENT": attained,
    }


def _ranked(
    attained: pd.DataFrame, catalog: Catalog, period: str, quantiles: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    found = ranking.score_parks(attained, catalog, period, ahead=quantiles, runs=RUNS)
    return {"ranks": found.ranks, "notes": found.notes, "chances": found.chances}


def owed(
    files: pd.DataFrame, observations: pd.DataFrame, month: pd.Period, catalog: Catalog
) -> pd.DataFrame:
    """Who owes what for a month.

    Parameters
    ----------
    files : as `received`, without return sheets. observations : OBSERVATIONS of all of them.
    Returns
    -------
    `month`, `sender`, `name`, `due` (day of the next month), `state` (已报, 部分 or, without any figure of the month, 未报), `files`, `owed` and `came`
    (numbers of indicators), `missing` (names of those that did not come, joined with 、). What a sender owes by the
    quarter is owed in the last month of one.
    Source
    ------
    senders 参考表。
    """
    names = files[files["published"] == month].groupby("sender")["file"].agg("、".join)
    told = observations[(observations["published"] == month) & (observations["end"] == month)]
    told = told[
        told["value"].notna() | told["missing_reason"].isin(["not_applicable", "below_unit"])
    ]
    came = told.groupby("sender")["indicator"].agg(set)
    rows = []
    for s in catalog.senders.itertuples():
        due = s.indicators.split(";") + s.quarterly.split(";") * (month.month % 3 == 0)
        due = list(filter(None, due))  # a unit of the plan may send without owing
        if not due or s.start > month or s.end < month:
            continue
        missing = [i for i in due if i not in came.get(s.id, set())]
        row = dict(month=month, sender=s.id, name=s.name_zh, due=f"{month + 1}-{s.due_day:02d}")
        row |= dict(files=names.get(s.id, ""), owed=len(due), came=len(due) - len(missing))
        row["state"] = "已报" if not missing else "部分" if s.id in came else "未报"
        rows.append(row | dict(missing="、".join(map(catalog.name, missing))))
    return tables.shape(rows, tables.VINTAGE["COMPLETENESS"])


def _replies(files: pd.DataFrame, readings: list[reports.Reading]) -> pd.DataFrame:
    """What senders answered on return sheets that came back."""
    sent = zip(files["sender"], files["published"], readings, strict=True)
    rows = [
        reply | dict(sender=s, published=p)
        for s, p, r in sent
        for reply in r.info.get("replies") or ()
    ]
    return tables.shape(rows, tables.REPLIES)


def _submissions(
    files: pd.DataFrame, readings: list[reports.Reading], tally: pd.DataFrame
) -> pd.DataFrame:
    """SUBMISSIONS: what was in each file, what became of its figures (`tally`), whether it is a sheet sent back."""
    held = [
        dict(
            cells=r.info["cells"],
            figures=len(r.observations),
            errors=r.problems["severity"].eq("error").sum(),
            warnings=r.problems["severity"].eq("warning").sum(),
            reply=r.info.get("replies") is not None
            or r.info.get("ledger") is not None
            and r.observations.empty,
        )
        for r in readings
    ]
    sent = files.reset_index(drop=True).join(pd.DataFrame(held))
    sent = sent.merge(tally, "left", ["file", "published"])
    return tables.shape(sent.fillna(dict.fromkeys(tally, 0)), tables.VINTAGE["SUBMISSIONS"])
