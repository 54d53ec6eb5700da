"""One month as a notebook sees it: its tables, the catalog, the source line of a figure, and where figures go."""

from __future__ import annotations

import ast
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import version
from linecache import getlines
from pathlib import Path
from symtable import symtable
from traceback import walk_tb

import pandas as pd
from IPython import get_ipython
from IPython.display import HTML, Markdown, display
from matplotlib import rc_context

from zcqlib import attached, figures, findings, lineage, pipeline, tables
from zcqlib import catalog as catalogs
from zcqlib.briefing import passport
from zcqlib.catalog import Catalog
from zcqlib.figures import Canvas, Caption, FigureError
from zcqlib.findings import Found, Given
from zcqlib.projection import project_targets
from zcqlib.quantity import NONE, block, typeset
from zcqlib.tables import MissingData, ZcqError
from zcqlib.workspace import Workspace, digest, parse_month, write_atomic
from zcqlib.workspace import note as note_

DRAWN_BY = ("matplotlib", "numpy", "pillow")
NO_REPORTS = (
    "没有园区报表，这一项暂缺；收到报表放进 data/raw 下该月的文件夹后重新运行，即自动补上。"
)


@dataclass(frozen=True, slots=True)
class Month:
    """A month's current vintage. `period` is the report month, `known` the last month whose reports were known."""

    workspace: Workspace
    period: pd.Period
    known: pd.Period
    catalog: Catalog
    vintage: Path

    def table(self, name: str) -> pd.DataFrame:
        """One table of the vintage, such as SERIES or PROJECTIONS, the latter with the plan's `commitment`.

        Raises
        ------
        ZcqError : no such table; names the nearest. MissingData : the table comes from reports, and there are none.
        """
        _named(dict.fromkeys(tables.VINTAGE, ""), name, "表")
        note_(f"read {self.vintage.parent.name}/{name}")
        path = self.vintage / f"{name}.parquet"
        frame = _parquet(path, path.stat().st_mtime_ns if path.exists() else 0).copy(deep=False)
        if name == "PROJECTIONS":
            promised = self.catalog.targets.drop_duplicates("id").set_index("id")["commitment"]
            frame["commitment"] = frame["indicator"].map(promised).fillna("firm")
        return frame

    def kept(self, name: str) -> pd.DataFrame:
        """One table as each month up to this one that was run has stored it, one below the other."""
        months = [m for m in self.workspace.report_months() if m <= self.period]
        stored = [v / f"{name}.parquet" for m in months if (v := self.workspace.current(m))]
        return pd.concat([pd.read_parquet(p) for p in stored] or [self.table(name)])

    @property
    def folder(self) -> Path:
        return self.workspace.figures(self.period, self.known)

    @property
    def year(self) -> int:
        return self.period.year

    @property
    def given(self) -> Given:
        """What the month's findings are made from, and those made already, also for notebooks before in this kernel."""
        given = _given(self)
        self._rests_on(set().union(*given.read.values()))
        return given

    def find(self, name: str, **choices) -> Found:
        """A finding of the month by its name, such as pace, the caller's own; an unknown name is told the nearest."""
        return self._asked(lambda given: findings.find(name, given, **choices)).copy()

    def _asked(self, ask: Callable[[Given], object]) -> object:
        """What is asked of what was made, which rests on the same tables in whichever notebook it was made first."""
        given, read = _given(self), set()
        try:
            with given.reading() as read:
                return ask(given)
        finally:
            self._rests_on(read)

    def _rests_on(self, names: Iterable[str]) -> None:
        for table in sorted(names):
            note_(f"read {self.vintage.parent.name}/{table}")

    def tell(self, *names: str) -> str:
        """The sentences of findings as one paragraph."""
        found = [self.find(n) for n in names]
        told = dict.fromkeys(s for f in found for s in f.sentences)
        return block(list(told), any(f.demo for f in found))

    def tidy(self, *indicators: str, region: str = "", since: str = "") -> pd.DataFrame:
        """What the months brought: 园区, 指标, 月份, 月数 (0 a level), 值, 单位, one row a figure, without revisions.

        Parameters
        ----------
        indicators, region : by Chinese or English name, all if none. since : first month, YYYY-MM.
        Raises
        ------
        ZcqError : a name that there is not; names the nearest. MissingData : nothing of it has come.
        """
        own, items = self._regions, self._indicators
        t = self.table("SERIES")
        t = t[t["region"].isin(own) & t["end"].le(self.period) & ~t["revision"]]
        if indicators:
            t = t[t["indicator"].isin([_named(items, i, "指标") for i in indicators])]
        if region:
            t = t[t["region"].eq(_named(own, region, "园区"))]
        if since:
            t = t[t["end"].ge(parse_month(since))]
        heads = dict(园区=t["region"].map(own), 指标=t["indicator"].map(items))
        heads |= dict(
            月份=t["end"].dt.to_timestamp(), 月数=t["months"], 值=t["value"], 单位=t["unit"]
        )
        return self.need(pd.DataFrame(heads).reset_index(drop=True), *indicators)

    def need(self, frame: pd.DataFrame, *what: str, least: int = 1) -> pd.DataFrame:
        """The frame, where it has rows enough to draw or to fit.

        Raises
        ------
        MissingData : it has not; names `what` (indicators, or words) and the senders that owe it.
        """
        if len(frame) >= least:
            return frame
        items = {i.name_zh: i.id for i in self.catalog.indicators.values()}
        ids = {items.get(w, w) for w in what}
        owe = [
            s.name_zh
            for s in self.catalog.senders.itertuples()
            if ids & {*s.indicators.split(";"), *s.quarterly.split(";")}
        ]
        names = "、".join(map(self.catalog.name, what)) or "这一部分的数"
        few = f"只有{len(frame)}期，至少要{least}期" if len(frame) else "还没有收到"
        ask = f"，由{'、'.join(owe)}报送" if owe else ""
        raise MissingData(f"{names}{few}，这一项暂缺{ask}。")

    def project(
        self, indicator: str, region: str = "zone", since: str = "", target: float | None = None
    ) -> pd.DataFrame:
        """The year end of one target as 06 prints it, or as it would be from another window or for another target.

        Parameters
        ----------
        indicator, region : by Chinese or English name. since : first month that is used, YYYY-MM. target : in place of
            the plan's, in the unit of the indicator.
        Returns
        -------
        one row: 园区, 指标, 当前值, 目标, 年末预计, 下限, 上限 (80 %), 把握（%）, 单位.
        Raises
        ------
        ZcqError : a name that there is not, names the nearest; no target of that region.
        """
        i, r = _named(self._indicators, indicator, "指标"), _named(self._regions, region, "园区")
        p = self.table("PROJECTIONS")
        if since or target is not None:
            s, t = self.table("SERIES"), self.table("TARGETS")
            if since:
                s = s[s["indicator"].ne(i) | s["end"].ge(parse_month(since))]
            if target is not None:
                own = t["id"].eq(i) & t["region"].eq(r)
                t = t.assign(target_low=t["target_low"].where(~own, float(target)))
            held = self.table("MILESTONES"), self.catalog.batches, self.table("GROWTH")
            p = project_targets(s, t, self.period, self.catalog, *held).projections
        p = p[p["indicator"].eq(i) & p["region"].eq(r)]
        if p.empty:
            raise ZcqError(f"{self._regions[r]}没有「{self._indicators[i]}」的目标，不能推算。")
        heads = dict(actual="当前值", target_low="目标", median="年末预计", low="下限", high="上限")
        p = p.assign(园区=self._regions[r], 指标=self._indicators[i], 单位=self.catalog.unit(i))
        p["把握（%）"] = 100 * p["probability"]
        columns = ["园区", "指标", *heads.values(), "把握（%）", "单位"]
        return p.rename(columns=heads)[columns].round(1).reset_index(drop=True)

    @property
    def _regions(self) -> dict[str, str]:
        own = {r: self.catalog.name(r) for r in self.catalog.parks}
        return own | {"zone": self.catalog.zone.parts_zh}

    @property
    def _indicators(self) -> dict[str, str]:
        return {i: x.name_zh for i, x in self.catalog.indicators.items()}

    @contextmanager
    def chart(
        self, found: Found | str, name: str, what: str, note: str = "", panels=None, **grid
    ) -> Iterator:
        """Axes to draw on, under a finding's title or one of one's own. On leaving, what was drawn is read back and
        compared with the finding, then saved as PNG, SVG and a CSV of its facts, and shown.

        Parameters
        ----------
        name : of the files; "" neither saves nor shows. what : is measured, with its unit. panels : a mosaic such as "AAB" for a dict of
            axes; `grid` goes to `subplots` or `subplot_mosaic`.
        Raises
        ------
        FigureError : a difference, which names finding, row and both values; nothing is saved. MissingData : the
            finding is of nothing.
        """
        own = isinstance(found, str)
        if own:
            title, source, demo = found, self._asked(Given.reckoned), self.workspace.demo
            as_of = self._asked(Given.until)
        elif found.bare:
            raise MissingData(found.title)
        else:
            title, source, demo = found.title, found.source, found.demo
            what += f"；{found.scope}"
            past, until = found.period != self.period, lambda given: given.until(found)
            as_of = f"{found.period.year}年" if past else self._asked(until)
        words = map(typeset, (title, what, source))
        page = Canvas(Caption(*words, as_of, demo, typeset(note)))
        with rc_context():
            yield page.grid(panels, **grid)
            if not own:
                figures.compare(page, found)
            facts = (
                figures.seen(page)
                if own
                else found.facts(all_=set(found.home) == set(found.measures))
            )
            figures.finish(page, None if own else found)
        if not name:
            return
        self.save(page, name, found)
        if not attached.now.formats:
            data = facts.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
            write_atomic(self.folder / f"{name}.csv", data)
            note_(f"saved {name}.csv")
            link = f'download="{name}.csv" href="data:text/csv;base64,{b64encode(data).decode()}"'
            display(HTML(f"<a {link}>下载本图数据（CSV）</a>"))

    def save(self, figure, name: str, found: Found | str | None = None):
        """Save a figure as PNG and SVG beside the month's other ones, with its code and passport, and give it back for
        display; an export of the month saves what it asks for, under `export/`, and is told what cannot be printed in
        its size."""
        wanted = attached.now.formats
        stem, formats = self.folder / name, ("png", "svg")
        if wanted:
            stem, formats = self.folder / "export" / f"{name}_{figure.size}", wanted
        figures.stamp(figure, lineage.code(self.period, name))
        try:
            for path in (
                figures.save(figure, stem, formats, self._drawn_before)
                if name.startswith(attached.now.only)
                else ()
            ):
                note_(f"saved {path.relative_to(self.folder).as_posix()}")
        except FigureError as e:
            if not wanted:
                raise
            note_(f"refused {name}:{e}")
        if not wanted:
            made = passport.write(lineage.of_figure(figure, self, name, found))
            write_atomic(self.folder / "passports" / f"{name}.json", made)
            note_(f"saved passports/{name}.json")
        if found is not None:
            figures.show(figure)
        return figure

    def _drawn_before(self, key: str, make):
        method = digest(
            f"{pipeline.code_hash('figures')}{[version(p) for p in DRAWN_BY]}".encode()
        )[:16]
        return self.workspace.remember(f"{method}/{key}", make, shelf=".pictures")


def _named(names: dict[str, str], wanted: str, what: str) -> str:
    found = [id for id, name in names.items() if wanted in (id, name)]
    if not found:
        near = get_close_matches(wanted, [*names.values(), *names], 3, 0.3)
        raise ZcqError(f"没有叫「{wanted}」的{what}。相近的有：{'、'.join(near) or '无'}。")
    return found[0]


def table_html(frame: pd.DataFrame, most: int = 500) -> str:
    """A table as a page shows it: whole up to `most` rows, one row of heads, months in Chinese, no running numbers."""
    t = frame.head(most)
    t = t.rename_axis(columns=None) if t.columns.nlevels == 1 else t.copy()
    if not isinstance(t.index, pd.RangeIndex) or t.index.name:
        t = t.rename_axis([n or "" for n in t.index.names]).reset_index(allow_duplicates=True)
    for i, kind in enumerate(t.dtypes):
        if isinstance(kind, pd.PeriodDtype) or kind.kind == "M":
            told = t.iloc[:, i].map(lambda d: f"{d.year}年{d.month}月", "ignore")
            t.isetitem(i, told.astype(object).where(told.notna(), NONE))
    with pd.option_context("display.max_colwidth", None):
        html = t.to_html(index=False, border=0, na_rep=NONE, justify="left")
    return html + f"<p>共{len(frame)}行，此处为前{most}行。</p>" * (len(frame) > most)


def open_month(period: str, demo: bool = False, as_of: str = "") -> Month:
    """Open a month's tables; they are built first where the inputs or the method have changed.

    Raises
    ------
    ZcqError : the month has no reports, or is written wrongly.
    """
    figures.use_theme()
    if shell := get_ipython():
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, table_html)
    workspace, month = Workspace.find(demo), parse_month(period)
    known = parse_month(as_of, "AS_OF 月份") if as_of else month
    home = workspace.processed / workspace.figures(month, known).name
    given = Path(attached.now.vintage)  # a run's notebooks all see the vintage that the run made
    vintage = given if given.parent == home else pipeline.build(workspace, month, known)
    _say_what_is_missing()
    return Month(workspace, month, known, catalogs.load(workspace.reference, month.year), vintage)


_GIVEN: dict[tuple, Given] = {}  # of the vintage as it is now


def _given(month: Month) -> Given:
    stamps = tuple(sorted((p.name, p.stat().st_mtime_ns) for p in month.vintage.glob("*.parquet")))
    key = month.vintage, stamps, month.period, month.known, id(month.catalog)
    if key not in _GIVEN:
        _GIVEN.clear()
        _GIVEN[key] = Given(month.table, month.catalog, month.period, month.known)
    return _GIVEN[key]


@lru_cache(maxsize=64)
def _parquet(path: Path, stamp: int) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except FileNotFoundError as e:
        raise MissingData(NO_REPORTS) from e


def _say_what_is_missing() -> None:
    """In a notebook, let MissingData be told in one sentence and the cells go on; so it is with what needs a name that
    the cell would have given."""
    if (shell := get_ipython()) is None:
        return
    gone: dict[str, str] = {}  # name → why there is none
    told: set[int] = set()

    def tell(shell, kind, error, trace, tb_offset=None):
        why = gone.get(error.name) if isinstance(error, NameError) else str(error)
        if why is None:
            return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        for frame, at in walk_tb(trace):
            if frame.f_globals is shell.user_ns:
                for name in _named_from("".join(getlines(frame.f_code.co_filename)), at):
                    shell.user_ns.pop(name, None)  # what an earlier cell called so is not meant
                    gone[name] = why
                break
        told.add(id(error))
        display(Markdown(f"*{why}*"), metadata={"missing": True})

    def go_on(result) -> None:
        if id(result.error_in_exec) in told:
            result.error_in_exec = None

    shell.set_custom_exc((MissingData, NameError), tell)
    for old in [f for f in shell.events.callbacks["post_run_cell"] if f.__name__ == "go_on"]:
        shell.events.unregister("post_run_cell", old)
    shell.events.register("post_run_cell", go_on)


def _named_from(source: str, line: int) -> list[str]:
    """The names that a cell gives from the statement on which it stopped."""
    first = [s.lineno for s in ast.parse(source).body if s.end_lineno >= line]
    rest = "\n".join(source.splitlines()[min(first, default=1) - 1 :])
    return [s.get_name() for s in symtable(rest, "cell", "exec").get_symbols() if s.is_assigned()]
