"""The same projection in batches: one process, two processes, a local cluster of two workers; the same bits."""

import numpy as np
import pandas as pd
import pytest

from zcqlib.projection import project_year_end
from zcqlib.projection.cluster import ClusterError, project_batches


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    parts = []
    for i in range(60):
        size = int(rng.choice([4, 13, 30, 42, 69]))
        months = pd.period_range(end="2018-06", periods=size, freq="M").astype(str)
        parts.append(
            pd.DataFrame(
                {
                    "series_id": f"s{i:02d}",
                    "period": months,
                    "value": np.exp(rng.normal(3, 0.2, size)) if i % 4 else rng.poisson(2, size),
                }
            )
        )
    parts.append(pd.DataFrame({"series_id": "bad", "period": ["2018-01"], "value": [-1.0]}))
    return pd.concat(parts, ignore_index=True).sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def targets(history) -> pd.Series:
    return history.groupby("series_id")["value"].mean() * 12


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_an_address_where_nobody_answers_is_refused_in_chinese(history):
    with pytest.raises(ClusterError, match="调度器"):
        project_batches(history, scheduler="nonsense://nowhere")


def test_a_batch_holds_at_least_one_series(history):
    with pytest.raises(ValueError, match="size"):
        project_batches(history, size=0)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_batches_of_any_size_give_the_single_call(history, targets, size):
    same(
        project_batches(history, targets=targets, size=size),
        project_year_end(history, targets=targets),
    )


def test_sisters_stay_in_one_batch(history, targets):
    own = history.assign(family=history["series_id"].str[-1])
    same(project_batches(own, targets=targets, size=2), project_year_end(own, targets=targets))


def test_two_processes_give_the_single_call(history, targets):
    same(
        project_batches(history, "stock", targets=targets, size=25, n_jobs=2),
        project_year_end(history, "stock", targets=targets),
    )


def test_a_local_cluster_of_two_worker_processes_gives_the_single_call(history, targets):
    distributed = pytest.importorskip("distributed", reason="the cluster extra is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        got = project_batches(
            history, targets=targets, size=10, scheduler=cluster.scheduler_address
        )
    same(got, project_year_end(history, targets=targets))


def test_a_history_without_rows_gives_no_rows():
    none = pd.DataFrame({"series_id": [], "period": [], "value": []})
    assert project_batches(none).empty


def test_the_command_writes_what_the_library_gives_and_names_what_it_refused(
    history, targets, tmp_path
):
    from typer.testing import CliRunner

    from zcqlib.__main__ import app

    history.to_parquet(tmp_path / "in.parquet")
    targets.rename("target").rename_axis("series_id").reset_index().to_parquet(
        tmp_path / "aims.parquet"
    )
    files = [str(tmp_path / name) for name in ("in.parquet", "aims.parquet")]
    done = CliRunner().invoke(app, ["project", files[0], "--targets", files[1]])
    assert done.exit_code == 0 and "不能测算 1 条" in done.output
    got = pd.read_parquet(tmp_path / "in-projected.parquet")
    want = project_year_end(history, targets=targets)
    assert (got.to_numpy() == want.to_numpy()).all() and list(got.columns) == [
        str(c) for c in want.columns
    ]
    assert "负值" in (tmp_path / "in-projected.refused.csv").read_text("utf-8-sig")


def test_a_file_that_is_no_table_is_refused_in_chinese(tmp_path):
    from typer.testing import CliRunner

    from zcqlib.__main__ import app

    (tmp_path / "in.parquet").write_text("x")
    done = CliRunner().invoke(app, ["project", str(tmp_path / "in.parquet")])
    assert done.exit_code == 1 and "不能测算" in done.output + str(done.stderr)
