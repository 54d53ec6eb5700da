"""Speed and memory against peers, in one run: `make bench`.

Reading, projecting and the Monte Carlo of the ranks in short (`make bench-read`, `bench-projection` and
tests/bench_ranking.py have them in full). The notebooks of a warm month: ours (two reused kernels), papermill one after
another (a fresh kernel each) and nbclient in two worker threads (fresh kernels); tables and figures were made before for
all three, and our HTML edition, check and contact sheet, which the others have not, are not counted. Then the whole run
cold, warm and after one sender's correction, peak memory, and how cost grows with the number of parks.
"""

from __future__ import annotations

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # for all alike: more threads make each of them slower

import resource
import shutil
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import bench_ranking
import bench_read
import nbformat
import numpy as np
import pandas as pd
from bench_projection import made_up, seconds
from conftest import table_of
from joblib.externals.loky import get_reusable_executor

from zcqlib import catalog as catalogs
from zcqlib import pipeline
from zcqlib import run as monthly
from zcqlib.catalog import Catalog
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
MONTH = pd.Period("2018-09", freq="M")


def copy_project(folder: Path) -> Workspace:
    for name in ("notebooks", "data/raw"):
        shutil.copytree(ROOT / name, folder / name)
    return Workspace(folder, demo=True)


def ready(workspace: Workspace) -> dict[str, nbformat.NotebookNode]:
    given = {"PERIOD": str(MONTH), "DEMO": True, "AS_OF": str(MONTH)}
    out = {}
    for path in monthly.notebooks(workspace.root):
        nb = nbformat.read(path, 4)
        known = monthly.declared_parameters(nb, path.stem)
        out[path.stem] = monthly.with_parameters(
            nb, path.stem, {k: v for k, v in given.items() if k in known}
        )
    return out


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and of the processors (all processes); on a busy machine the second is the steadier."""

    clock: float
    work: float

    def __str__(self) -> str:
        return f"{self.clock:6.1f} s (processors {self.work:6.1f} s)"

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.clock - other.clock, self.work - other.work)

    def times(self, other: Cost) -> str:
        return f"{self.clock / other.clock:.2f} times (processors {self.work / other.work:.2f})"


def spent() -> Cost:
    get_reusable_executor().shutdown(wait=True)  # the work of processes counts once they have ended
    return Cost(
        time.perf_counter(),
        sum(
            sum(resource.getrusage(who)[:2])
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ),
    )


def cost(job) -> Cost:
    before = spent()
    job()
    return spent() - before


def our_notebooks(workspace: Workspace) -> Cost:
    """Of a warm run, what comes before its HTML edition."""
    marks = [spent()]
    monthly.run_month(
        workspace,
        MONTH,
        force=True,
        tell=lambda what, *_: what == "网页版" and marks.append(spent()),
    )
    return marks[1] - marks[0]


def with_papermill(workspace: Workspace, folder: Path) -> None:
    import papermill

    for name, nb in ready(workspace).items():
        path = folder / f"{name}.ipynb"
        nbformat.write(nb, path)
        papermill.execute_notebook(
            str(path),
            str(folder / f"{name}.out.ipynb"),
            cwd=str(workspace.root / "notebooks"),
            progress_bar=False,
            log_output=False,
        )


def with_two_workers(workspace: Workspace) -> None:
    from nbclient import NotebookClient

    def one(nb):
        NotebookClient(
            nb,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(workspace.root / "notebooks")}},
        ).execute()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ready(workspace).values()))


def changed(workspace: Workspace) -> None:
    """One figure more in one sender's workbook, as a correction is."""
    import openpyxl

    book = next((workspace.raw / str(MONTH)).glob("高新区*.xlsx"))
    sheet = openpyxl.load_workbook(book)
    cell = next(
        c
        for row in sheet.worksheets[0].iter_rows()
        for c in row
        if isinstance(c.value, int | float) and c.value > 100
    )
    cell.value += 1
    sheet.save(book)


def many_parks(
    catalog: Catalog, observations: pd.DataFrame, times: int
) -> tuple[Catalog, pd.DataFrame]:
    """The zone with each park `times` over, and what they reported of a few indicators."""

    def copies(frame: pd.DataFrame, column: str = "region") -> pd.DataFrame:
        own = frame[frame[column].isin(catalog.parks)]
        more = [own.assign(**{column: own[column] + f"_{k}"}) for k in range(1, times)]
        return pd.concat([frame, *more], ignore_index=True)

    regions = {
        f"{p}_{k}": replace(catalog.regions[p], id=f"{p}_{k}")
        for p in catalog.parks
        for k in range(1, times)
    }
    few = (
        "patent_applications",
        "patent_grants",
        "technology_contract_value",
        "external_funds_attracted",
    )
    targets = catalog.targets[catalog.targets["id"].isin(few)]
    wide = replace(
        catalog,
        regions=catalog.regions | regions,
        parks=(*catalog.parks, *regions),
        membership=copies(catalog.membership),
        targets=copies(targets),
    )
    return wide, copies(observations[observations["indicator"].isin(few)])


def growth(workspace: Workspace) -> list[tuple[int, float]]:
    """Seconds of the processor from observations to projections with 5, 50 and 500 parks."""
    catalog = catalogs.load(workspace.reference, MONTH.year)
    observations = table_of(workspace, "OBSERVATIONS", MONTH)
    out = []
    for times in (1, 1, 10, 100):  # the first call imports and is left out
        wide, seen = many_parks(catalog, observations, times)
        out.append(
            (
                5 * times,
                cost(lambda c=wide, o=seen: pipeline._seen(o, MONTH, MONTH, c, c.targets)).work,
            )
        )
    return out[1:]


def peak(whose: int) -> str:
    return f"{resource.getrusage(whose).ru_maxrss / 1024:.0f} MB"


def reading_projecting_ranking() -> None:
    from record_peers import ets

    bench_read.compare("30 demo workbooks", bench_read.demo()[-30:])
    frame, few = made_up(2_000), 20
    ours = seconds(frame, 2) / 2_000
    import_module("statsmodels.tsa.api")  # on its first import it asks for its warnings to be shown
    warnings.filterwarnings("ignore", "Maximum Likelihood")
    start = time.perf_counter()
    for _, rows in frame[frame["series_id"] < few].groupby("series_id"):
        ets(rows["value"].to_numpy(), 6)
    theirs = (time.perf_counter() - start) / few
    print(
        f"projecting: {1 / ours:,.0f} series a second, ETS of statsmodels {1 / theirs:,.1f} (from {few}): "
        f"{theirs / ours:,.0f} times"
    )
    bench_ranking.main()


def main() -> int:
    print("load of the machine", os.getloadavg(), "processors", os.cpu_count(), flush=True)
    reading_projecting_ranking()
    with tempfile.TemporaryDirectory() as name:
        workspace = copy_project(Path(name))
        os.environ["ZCQ_ROOT"] = name
        cold = cost(lambda: monthly.run_month(workspace, MONTH))
        print(f"whole run, cold        {cold}: tables, notebooks, HTML edition, check", flush=True)
        warm = cost(lambda: monthly.run_month(workspace, MONTH, force=True))
        print(f"whole run, warm        {warm}: forced", flush=True)
        print(
            f"nothing changed        {cost(lambda: monthly.run_month(workspace, MONTH))}",
            flush=True,
        )
        folder = workspace.figures(MONTH)
        before = {p: p.stat().st_mtime_ns for p in folder.rglob("*.*") if p.is_file()}
        changed(workspace)
        report: list[monthly.Report] = []
        again = cost(lambda: report.append(monthly.run_month(workspace, MONTH)))
        touched = sum(p.exists() and p.stat().st_mtime_ns != t for p, t in before.items())
        print(
            f"one workbook changed   {again}: {again.times(cold)} the cold run, "
            f"{sum(o.state == 'kept' for o in report[0].outcomes)} of {len(report[0].outcomes)} notebooks kept, "
            f"{touched} of {len(before)} files touched",
            flush=True,
        )
        ours = our_notebooks(workspace)
        print(f"notebooks, ours        {ours}", flush=True)
        other = cost(lambda: with_papermill(workspace, Path(name)))
        print(f"papermill, in turn     {other}: {other.times(ours)} ours", flush=True)
        ours = our_notebooks(workspace)  # beside it again: others may have come to the machine
        print(f"notebooks, ours        {ours}", flush=True)
        other = cost(lambda: with_two_workers(workspace))
        print(f"nbclient, two workers  {other}: {other.times(ours)} ours", flush=True)
        print(
            f"peak memory: the run {peak(resource.RUSAGE_SELF)}, a kernel {peak(resource.RUSAGE_CHILDREN)}"
        )
        steps = growth(workspace)
        power = np.polyfit(*np.log(steps).T, 1)[0]
        print(
            "observations to projections, "
            + ", ".join(f"{n} parks {t:.2f} s" for n, t in steps)
            + f": grows with the power {power:.2f} of the parks; load",
            os.getloadavg(),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
