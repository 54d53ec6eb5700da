"""What an engineer would take instead, ETS and Theta of statsmodels with simulated paths: `make record` replays them once
on the real monthly series and stores their scores with a hash of series, years and origins.
"""

import json
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from zcqlib import catalog, published
from zcqlib.projection import peers, replay
from zcqlib.projection.peers import ORIGINS, YEARS
from zcqlib.projection.scoring import LEVELS
from zcqlib.workspace import Workspace

PATHS, HISTORY = 500, 5  # simulated paths; full years of history, as many as ours looks at
MEASURES = ("error", "crps", "brier", "cov80", "cov95")


def ets(y: np.ndarray, h: int) -> np.ndarray:
    """Paths (PATHS, h) of the additive damped ETS of statsmodels."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(
        y, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=12
    )
    found = model.fit(disp=False, maxiter=100)
    shocks = np.random.default_rng(0).normal(0, np.sqrt(found.scale), (h, PATHS))
    return (
        found.simulate(h, anchor="end", repetitions=PATHS, random_errors=shocks).reshape(h, PATHS).T
    )


def theta(y: np.ndarray, h: int) -> np.ndarray:
    """Paths (PATHS, h) of Theta of statsmodels, by its own state equation."""
    from statsmodels.tsa.forecasting.theta import ThetaModel

    found = ThetaModel(y, period=12, method="auto").fit(disp=False)
    shocks = np.random.default_rng(0).normal(0, np.sqrt(found.sigma2), (PATHS, h))
    drift = found.params["alpha"] * (np.cumsum(shocks, 1) - shocks)
    return np.asarray(found.forecast(h)) + shocks + drift


def compute(series: pd.DataFrame, n_jobs: int = 2) -> dict:
    """Mean scores of both peers by month of call on SERIES of single months, flows.

    Returns
    -------
    `series_sha256`, `calls`, and `scores`: one entry a method and month k, with the measures of `replay.score`.
    """
    calls = replay.replay(series, YEARS, ORIGINS).drop(columns=list(LEVELS))
    months = {
        f"{r}|{i}": part.sort_values("end")["value"].to_numpy(float)
        for (r, i), part in series.groupby(["region", "indicator"])
    }
    first = series.groupby(["region", "indicator"])["end"].min()
    first = {f"{r}|{i}": end.year * 12 + end.month - 1 for (r, i), end in first.items()}

    def quantiles(call) -> list[np.ndarray]:
        warnings.simplefilter("ignore")
        now = call.year * 12 + call.k - first[call.series_id]
        y = months[call.series_id][max(0, now - 12 * HISTORY - call.k) : now]
        return [
            np.quantile(y[-call.k :].sum() + np.maximum(f(y, 12 - call.k), 0).sum(1), LEVELS)
            for f in (ets, theta)
        ]

    both = np.array(Parallel(n_jobs=n_jobs)(delayed(quantiles)(c) for c in calls.itertuples()))
    scores = []
    for i, method in enumerate(("ETS", "Theta")):
        table = pd.concat([calls, pd.DataFrame(both[:, i], columns=list(LEVELS))], axis=1)
        mean = replay.score(table).groupby("k")[list(MEASURES)].mean().round(6)
        scores += [
            {"method": method, "k": int(k), **row} for k, row in mean.to_dict("index").items()
        ]
    return {"series_sha256": peers.fingerprint(series), "calls": len(calls), "scores": scores}


def main() -> None:
    workspace = Workspace.find()
    figures = published.published_observations(
        workspace.published, catalog.load(workspace.reference)
    )
    found = compute(peers.record_series(figures))
    peers.STORED.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(pd.DataFrame(found["scores"]).to_string())


if __name__ == "__main__":
    main()
