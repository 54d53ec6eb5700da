"""The projection against its peers on public monthly series: `make bench-projection`.

Needs the practice series in ../shared/bench. Ours is projected out of fold: every series with coefficients that were
fitted without it (kept in build/, fitted anew when the panel or the fit has changed). The peers get the same months,
500 simulated paths each (Theta of statsmodels: its own state equation), and are kept there too, with their speed then.
A seeded sample of 200 series unless `--full`; ratios of summed scores come with 95 % intervals over series. Then series
a second, and how time grows from 1,000 to 1,000,000 series.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # speeds are those of one thread

import argparse
import hashlib
import sys
import tempfile
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from zcqlib.projection import LEVELS, engine, fit, peers, project_year_end

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench"
PANEL = BENCH / "practice_monthly.csv.gz"
KS, HS = (1, 3, 6, 9, 11), (2, 3, 5)
QUANTILES = [f"q{x}" for x in LEVELS]


def fold_files(folder: Path) -> list[Path]:
    """One coefficient file a fold, fitted without the series of that fold."""
    build = ROOT / "build"
    state = hashlib.sha256(PANEL.read_bytes())
    for module in ("fit", "features"):
        state.update((ROOT / "zcqlib" / "projection" / f"{module}.py").read_bytes())
    stored = build / f"projection_folds_{state.hexdigest()[:12]}.npz"
    if not stored.exists():
        print("fitting the folds first (some minutes) ...", flush=True)
        build.mkdir(exist_ok=True)
        sys.argv = [
            "fit",
            str(PANEL),
            "--out",
            str(build / "projection_refit.npz"),
            "--folds",
            str(stored),
        ]
        fit.main()
    files = []
    with np.load(stored) as parts:
        for f in range(fit.FOLDS):
            files.append(folder / f"fold{f}.npz")
            np.savez(files[-1], **{k[2:]: parts[k] for k in parts.files if k.startswith(f"{f}_")})
    return files


def long(values: dict[str, np.ndarray], years: int, k: int) -> pd.DataFrame:
    """Each series' last year up to month k with `years` before it."""
    rows = [v[-12 * (years + 1) : len(v) - 12 + k] for v in values.values()]
    sizes = [len(r) for r in rows]
    months = pd.period_range(end=f"2018-{k:02d}", periods=max(sizes), freq="M")
    return pd.DataFrame(
        {
            "series_id": np.repeat(list(values), sizes),
            "value": np.concatenate(rows),
            "period": months[
                np.concatenate([np.arange(max(sizes) - s, max(sizes)) for s in sizes])
            ],
        }
    )


def ours(
    values: dict[str, np.ndarray], fold: dict[str, int], truth: pd.DataFrame, multiples
) -> pd.DataFrame:
    out = []
    with tempfile.TemporaryDirectory() as folder:
        files = fold_files(Path(folder))
        for kind in ("flow", "stock"):
            base = truth[truth["target"] == kind].set_index("series_id")["base"]
            for f, file in enumerate(files):
                engine.COEFFICIENTS = file
                mine = {s: v for s, v in values.items() if fold[s] == f and s in base.index}
                for history in (*HS, 1, 0):
                    for k in KS:
                        frame = long(mine, history, k)
                        parts = [project_year_end(frame, kind, targets=base * m) for m in multiples]
                        table = (
                            parts[0]
                            .drop(columns="probability")
                            .set_axis(["series_id", *QUANTILES], axis=1)
                        )
                        table.attrs.clear()  # tables in attrs cannot be compared, so concat fails on them
                        chances = {f"p{j}": p["probability"] for j, p in enumerate(parts)}
                        out.append(table.assign(target=kind, H=history, k=k, **chances))
    engine.COEFFICIENTS = Path(engine.__file__).with_name("coefficients.npz")
    return pd.concat(out, ignore_index=True)


def rivals() -> dict:
    found = {"statsmodels ETS": peers.ets, "statsmodels Theta": peers.theta}
    try:
        from statsforecast import models
    except ImportError:
        print(
            "statsforecast is NOT installed: AutoETS, AutoTheta, AutoARIMA and their mean are left out. "
            "It is the extra [bench]; without it the bars are not checked.",
            flush=True,
        )
        return found

    def of(name):
        return lambda y, h: getattr(models, name)(season_length=12).simulate(
            h=h, n_paths=peers.PATHS, y=y, seed=0
        )

    return {name: of(name) for name in ("AutoETS", "AutoTheta", "AutoARIMA")} | found


def theirs(values: dict[str, np.ndarray], asked: dict) -> tuple[pd.DataFrame, dict[str, float]]:
    """Quantiles of every peer, and its series a second; kept in build/, as they take long and do not change."""
    versions = [
        version(name)
        for name in ("numpy", "statsmodels", "statsforecast")[: 3 if "AutoETS" in asked else 2]
    ]
    state = (
        repr((list(values), list(asked), versions)).encode()
        + PANEL.read_bytes()
        + Path(peers.__file__).read_bytes()
    )
    stored = ROOT / "build" / f"projection_peers_{hashlib.sha256(state).hexdigest()[:12]}.parquet"
    if not stored.exists():
        frame, speed = _computed(values, asked)
        frame.attrs["speed"] = speed
        frame.to_parquet(stored)
    frame = pd.read_parquet(stored)
    return frame, frame.attrs.pop("speed")


def _computed(values: dict[str, np.ndarray], asked: dict) -> tuple[pd.DataFrame, dict[str, float]]:
    rows, spent, done = [], dict.fromkeys(asked, 0.0), dict.fromkeys(asked, 0)
    for number, (name, v) in enumerate(values.items()):
        for history in HS:
            for k in KS:
                y = v[-12 * (history + 1) : len(v) - 12 + k]
                found = {
                    "序时进度": {
                        "flow": np.full(100, y[-k:].sum() * 12 / k),
                        "stock": np.full(100, y[-1]),
                    }
                }
                for peer, paths in asked.items():
                    begin = time.perf_counter()
                    try:
                        p = np.maximum(np.asarray(paths(y, 12 - k)), 0)
                    except (
                        ValueError,
                        np.linalg.LinAlgError,
                        ZeroDivisionError,
                        NotImplementedError,
                    ):
                        continue  # a peer that fails is compared on the cases it has
                    spent[peer] += time.perf_counter() - begin
                    done[peer] += 1
                    found[peer] = {
                        "flow": np.quantile(y[-k:].sum() + p.sum(1), LEVELS),
                        "stock": np.quantile(p[:, -1], LEVELS),
                    }
                three = [found[p] for p in ("AutoETS", "AutoTheta", "AutoARIMA") if p in found]
                if len(three) == 3:
                    found["mean of the three"] = {
                        t: np.mean([f[t] for f in three], 0) for t in ("flow", "stock")
                    }
                rows += [
                    (peer, name, kind, history, k, *q)
                    for peer, both in found.items()
                    for kind, q in both.items()
                ]
        if number % 20 == 19:
            print(f"  peers: {number + 1} of {len(values)} series", flush=True)
    frame = pd.DataFrame(rows, columns=["method", "series_id", "target", "H", "k", *QUANTILES])
    return frame[np.isfinite(frame[QUANTILES]).all(axis=1)], {
        p: done[p] / spent[p] for p in asked if spent[p]
    }


def made_up(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = np.exp(
        rng.normal(5, 1, (n, 1)) + 0.2 * np.sin(np.arange(30) / 2) + rng.normal(0, 0.1, (n, 30))
    )
    months = pd.period_range(end="2018-06", periods=30, freq="M")
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), 30),
            "period": months[np.tile(np.arange(30), n)],
            "value": values.ravel(),
        }
    )


def seconds(frame: pd.DataFrame, repeats: int, levels=LEVELS) -> float:
    aims = pd.Series(3000.0, frame["series_id"].unique())
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        project_year_end(frame, targets=aims, levels=levels)
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--full", action="store_true", help="all series instead of a sample")
    ask.add_argument("--series", type=int, default=200)
    ask.add_argument("--no-peers", action="store_true", help="ours and 序时进度 alone")
    a = ask.parse_args()
    if not PANEL.exists():
        sys.exit(
            "../shared/bench is not here: this bench needs its practice series and its scorer."
        )
    import_module("statsmodels.tsa.api")  # on its first import it asks for its warnings to be shown
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(BENCH))
    import score

    pd.set_option(
        "display.width", 160, "display.max_columns", 20, "display.float_format", "{:.4f}".format
    )
    ids, series, source = fit.read_panel(PANEL)
    values, fold = (
        dict(zip(ids, series, strict=True)),
        dict(zip(ids, fit.folds(len(ids)), strict=True)),
    )
    truth = score.truth(PANEL)

    def scored(frame: pd.DataFrame) -> pd.DataFrame:
        d = frame.merge(truth, on=["series_id", "target"])
        chances = d[[f"p{j}" for j in range(5)]].to_numpy() if "p0" in d else None
        s = score.case_scores(
            *(d[c].to_numpy() for c in ("y", "scale", "base")), d[QUANTILES].to_numpy(), chances
        )
        return pd.concat([d[["method", "series_id", "source", "target", "H", "k"]], s], axis=1)

    mine = scored(ours(values, fold, truth, score.MULT).assign(method="zcqlib"))
    parts = mine["source"] == "carparts"
    for words, pick in (("without car parts", ~parts), ("car parts", parts)):
        for kind in ("flow", "stock"):
            m = mine[pick & (mine["target"] == kind)]
            main_cases = m[m["H"].isin(HS)]
            print(f"\n== zcqlib out of fold, {words}, {kind}, {m['series_id'].nunique()} series")
            columns = ["crps", "brier", "cov80", "cov95", "w80"]
            print(
                pd.concat(
                    {
                        "all": main_cases[columns].mean().to_frame().T,
                        "k": main_cases.groupby("k")[columns].mean(),
                        "H": m.groupby("H")[columns].mean(),
                    }
                )
            )
            print(score.reliability(main_cases).T)

    main_ids = ids[source != "carparts"]
    sample = (
        main_ids
        if a.full
        else np.sort(np.random.default_rng(0).choice(main_ids, a.series, replace=False))
    )
    other, speed = theirs({s: values[s] for s in sample}, {} if a.no_peers else rivals())
    both = pd.concat(
        [scored(other), mine[mine["series_id"].isin(sample) & mine["H"].isin(HS)]],
        ignore_index=True,
    )
    for kind in ("flow", "stock"):
        here = both[both["target"] == kind]
        mean = here.groupby("method")[["crps", "brier", "cov80", "cov95"]].mean()
        mean["cases"] = here.groupby("method").size()
        print(f"\n== {kind}, {len(sample)} series\n{mean.sort_values('crps')}")
        for peer in here["method"].unique():
            for cut, part in (("all", here), ("H = 2", here[here["H"] == 2])):
                if peer != "zcqlib":
                    pair = part[part["method"].isin(["zcqlib", peer])]
                    r, b = (score.paired(pair, peer, m).loc["zcqlib"] for m in ("crps", "brier"))
                    print(
                        f"zcqlib / {peer}, {cut}: CRPS {r.iloc[1]:.3f} [{r.iloc[2]:.3f}, {r.iloc[3]:.3f}], "
                        f"Brier {b.iloc[1]:.3f} [{b.iloc[2]:.3f}, {b.iloc[3]:.3f}]"
                    )
    print("\n== series a second, one thread")
    frame = made_up(50_000)
    speed["zcqlib, 100 quantiles and P(met)"] = 50_000 / seconds(frame, 3)
    speed["zcqlib, 7 quantiles and P(met)"] = 50_000 / seconds(
        frame, 3, (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
    )
    print(pd.Series(speed).round(1).to_string())
    sizes = np.array([1_000, 10_000, 100_000, 1_000_000])
    times = np.array([seconds(made_up(n), 3 if n < 100_000 else 1) for n in sizes])
    print(
        "seconds:",
        dict(zip(sizes.tolist(), times.round(3).tolist(), strict=True)),
        f"exponent {np.polyfit(np.log(sizes), np.log(times), 1)[0]:.3f}",
    )


if __name__ == "__main__":
    main()
