"""The same projection in batches: several processes of one machine, or the workers of a dask cluster."""

from contextlib import contextmanager

import joblib
import pandas as pd

from zcqlib.pool import processes
from zcqlib.projection.engine import project_year_end
from zcqlib.tables import ZcqError


class ClusterError(ZcqError):
    """The cluster is not installed or cannot be reached."""


def project_batches(
    history: pd.DataFrame,
    *asked,
    n_jobs: int = 1,
    scheduler: str | None = None,
    size: int = 20_000,
    **how,
) -> pd.DataFrame:
    """Project the year end batch by batch; the result is that of one call of `project_year_end`, bit for bit.

    Parameters
    ----------
    history, asked, how : the arguments of `project_year_end`.
    n_jobs : processes on this machine; with a scheduler the cluster decides.
    scheduler : address of a dask scheduler, such as tcp://10.0.0.1:8786.
    size : series in a batch.
    Returns
    -------
    as `project_year_end`.
    Raises
    ------
    ValueError : a wrong call. ClusterError : dask is not installed, or nobody answers at the address.
    Source
    ------
    同 project_year_end。
    """
    if size < 1:
        raise ValueError(f"size is at least 1, not {size}")
    if "series_id" not in history or history.empty:
        return project_year_end(history, *asked, **how)
    # sisters lend each other their season
    together = "family" if "family" in history else "series_id"
    batch = pd.factorize(history[together], sort=True, use_na_sentinel=False)[0] // size
    with _workers(scheduler):
        parts = (joblib.Parallel(-1) if scheduler else processes(n_jobs))(
            joblib.delayed(project_year_end)(rows, *asked, **how)
            for _, rows in history.groupby(batch)
        )
    out = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    return out.sort_values("series_id", ignore_index=True)


@contextmanager
def _workers(scheduler: str | None):
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as e:
        raise ClusterError(
            "没有安装集群组件:请先安装 zcqlib[cluster],或不用 --scheduler 在本机运行。"
        ) from e
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as e:
        raise ClusterError(
            f"连不上调度器「{scheduler}」:请检查地址(如 tcp://10.0.0.1:8786)和网络。"
        ) from e
    with client, joblib.parallel_config(backend="dask"):
        yield
