"""The projection against simple ways and its peers: `make bench-projection`, or with a folder `python tests/bench_projection.py DIR`.

On what is shipped: the real monthly series of the record (each state's other states lend their season), small counts by
simulation, the demonstration's chances against its truth where a run is there. With a folder that holds
practice_monthly.csv.gz (and score.py, peers_practice.csv): those series by years of history and months known, the
weights fitted without the source that is projected, each way of telling the year, and with `--peers N` what
AutoETS and others say of N of them. Then series a second and how time grows.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # speeds are those of one thread

import argparse
import sys
import time
import warnings
from pathlib import Path

import fit_settings
import numpy as np
import pandas as pd
import record_peers

from zcqlib import catalog, published
from zcqlib.projection import LEVELS, joint, model, peers, project_year_end, replay, scoring
from zcqlib.workspace import Workspace

KS, HS = (1, 3, 6, 9, 11), (0, 1, 2, 3, 5)
MULTIPLES = (0.95, 1.0, 1.05, 1.1, 1.2)
COLUMNS = ["crps", "error", "cov80", "cov95", "brier", "linear", "yoy"]


def told(months: np.ndarray, years: int, k: int, how: str) -> list[tuple[int, int, float]]:
    """(last month, months, value) of a year and `years` before it, told in one way; months count from the first."""
    first = 12 * years

    def spans(cuts) -> list[tuple[int, int]]:
        return [(a, b) for a, b in zip(cuts, cuts[1:], strict=False) if b > a]

    now = {
        "cum": [0, k],
        "cum+month": sorted({0, k - 1, k}),
        "months": list(range(k + 1)),
        "halves": sorted({0, 6 * (k // 6), *range(6 * (k // 6), k + 1)}),
        "quarters": sorted({0, *range(0, k + 1, 3), k}),
        "janfeb": [0, *range(min(2, k), k + 1)],
        "gap": sorted({0, *range(k + 1)} - {max(1, k // 2)}),
    }
    past = {"T": [0, 12], "CT": [0, k, 12], "months": list(range(13)), "halves": [0, 6, 12]}
    past |= {"quarters": [0, 3, 6, 9, 12], "janfeb": [0, *range(2, 13)]}
    then, this, count = WAYS[how]
    out = []
    for year in range(years - min(years, count), years):
        out += [(12 * year + a, 12 * year + b) for a, b in spans(past[then])]
    out += [(first + a, first + b) for a, b in spans(now[this])]
    return [(b - 1, b - a, float(months[a:b].sum())) for a, b in out]


WAYS = {  # how past years are told, how this one, how many past years
    "cumulative only": ("T", "cum", 0),
    "cumulative + month": ("T", "cum+month", 0),
    "last total + cumulative": ("T", "cum", 1),
    "last total + months": ("T", "months", 1),
    "last same cumulative + total + cumulative": ("CT", "cum", 1),
    "three totals + cumulative": ("T", "cum", 3),
    "three years (cum, total) + cumulative": ("CT", "cum", 3),
    "half-years, 3 years": ("halves", "halves", 3),
    "quarters, 3 years": ("quarters", "quarters", 3),
    "January with February, 3 years": ("janfeb", "janfeb", 3),
    "one month missed, 3 years": ("months", "gap", 3),
    "months, 3 years": ("months", "months", 3),
}


def long(values: dict, years: int, k: int, how: str) -> pd.DataFrame:
    rows = [
        (name, end, many, v)
        for name, months in values.items()
        for end, many, v in told(months, years, k, how)
    ]
    frame = pd.DataFrame(rows, columns=["series_id", "end", "months", "value"])
    periods = pd.period_range("2010-01", periods=12 * (years + 1), freq="M")
    return frame.assign(period=periods[frame["end"]])


def scored(
    values: dict,
    years: int,
    k: int,
    how: str = "months",
    kind: str = "flow",
    family=None,
    lent=None,
) -> pd.DataFrame:
    """Scores of the last year of each series, from `years` before it and k months; one row a series.

    With `family`, series `lent` of the same families are told by months beside them.
    """
    values = {n: v for n, v in values.items() if len(v) >= 12 * (max(years, 1) + 1)}
    last = {n: v[-24:-12] for n, v in values.items()}
    values = {n: v[-12 * (years + 1) :] for n, v in values.items()}
    stock = kind == "stock"
    scale = pd.Series({n: v.mean() if stock else v.sum() for n, v in last.items()})
    base = pd.Series({n: v[-1] if stock else v.sum() for n, v in last.items()})
    truth = pd.Series({n: v[-1] if stock else v[-12:].sum() for n, v in values.items()})
    WAYS["plain"] = ("months", "months", years)
    frame = long(values, years, k, "plain" if how == "months" else how)
    ids = frame["series_id"].unique()
    if family is not None:  # sisters told by months lend their season
        sisters = long(lent, years, k, "plain").assign(series_id=lambda d: "m|" + d["series_id"])
        frame = pd.concat([frame, sisters])
        frame["family"] = frame["series_id"].str.removeprefix("m|").map(family)
    found = project_year_end(frame, kind)
    found = found[found["series_id"].isin(ids)].reset_index(drop=True)
    names = found["series_id"]
    q, y, s = found[list(LEVELS)].to_numpy(), truth[names].to_numpy(), scale[names].to_numpy()
    s = np.maximum(s, 1e-300)
    middle = (q[:, 49] + q[:, 50]) / 2
    done = pd.Series({n: v[-12 : len(v) - 12 + k].sum() for n, v in values.items()})[names]
    before = pd.Series({n: v[:k].sum() / v.sum() if v.sum() else np.nan for n, v in last.items()})
    before = before if years else before * np.nan
    ways = dict(linear=done * 12 / k, yoy=done / before[names].replace(0, np.nan))
    met = [y >= (base * m)[names].to_numpy() for m in MULTIPLES]
    chance = [scoring.chance_of(q, (base * m)[names].to_numpy()) for m in MULTIPLES]
    chance = [np.clip(p, 0.005, 0.995) for p in chance]
    out = pd.DataFrame(
        {
            "series_id": names,
            "crps": scoring.crps(y, q) / s,
            "error": np.abs(middle - y) / s,
            "cov80": scoring.covered(y, q, 0.8),
            "cov95": scoring.covered(y, q, 0.95),
            "brier": np.mean([(p - m) ** 2 for p, m in zip(chance, met, strict=True)], 0),
            **{n: np.nan if stock else np.abs(w.to_numpy() - y) / s for n, w in ways.items()},
        }
    )
    said = pd.DataFrame({f"p{j}": p for j, p in enumerate(chance)})
    came = pd.DataFrame({f"m{j}": m for j, m in enumerate(met)})
    return pd.concat([out, said, came], axis=1)[lambda d: scale[d["series_id"]].to_numpy() > 0]


def reliability(cases: pd.DataFrame) -> pd.DataFrame:
    p, m = (cases[[f"{c}{j}" for j in range(5)]].to_numpy(float).ravel() for c in "pm")
    cut = np.searchsorted([0.05, 0.2, 0.4, 0.6, 0.8, 0.95], p, "right")
    table = pd.DataFrame({"said": p, "came": m, "n": 1.0}).groupby(cut)
    return table.agg({"said": "mean", "came": "mean", "n": "sum"}).T


def show(title: str, table) -> None:
    print(f"\n== {title}\n{table.to_string()}", flush=True)


def by_history(title: str, cases: pd.DataFrame) -> None:
    cases = cases.assign(H=cases["H"].map("H={}".format), k=cases["k"].map("k={}".format))
    have = cases.groupby("H")[COLUMNS].mean()
    show(
        f"{title}: {cases['series_id'].nunique()} series",
        pd.concat([have, cases.groupby("k")[COLUMNS].mean()]),
    )
    show(f"{title}: coverage of 80 %", cases.pivot_table(index="H", columns="k", values="cov80"))
    show(f"{title}: CRPS", cases.pivot_table(index="H", columns="k", values="crps"))
    show(f"{title}: chances said and come", reliability(cases))


def ways(title: str, values: dict, family=None) -> None:
    places = list(dict.fromkeys(n.split("|")[0] for n in values))
    half = {n: places.index(n.split("|")[0]) % 2 for n in values}
    rows = []
    for how in [w for w in WAYS if w != "plain"]:
        for k in (3, 6, 9, 11):
            if k % 3 == 0 or "quarters" not in how:
                for side in (0, 1) if family else (None,):  # one half lends the other
                    mine = {n: v for n, v in values.items() if side in (half[n], None)}
                    rest = {n: v for n, v in values.items() if n not in mine and len(v) >= 48}
                    rest = {n: v[-48:] for n, v in rest.items()}
                    found = scored(mine, 3, k, how, family=family, lent=rest)
                    rows.append(found.assign(how=how, k=k))
    cases = pd.concat(rows)
    mean = cases.pivot_table(index="how", columns="k", values=["crps", "cov80"], sort=False)
    mean["error", ""] = cases.groupby("how")["error"].mean()
    for n in ("linear", "yoy"):
        mean[n, ""] = cases.groupby("how")[n].mean()
    show(f"{title}, each way of telling the year: {len(values)} series", mean)
    few = cases[
        cases["how"].str.contains("cumul|total") & ~cases["how"].str.contains("same|three years")
    ]
    show(f"{title}, chances from sums that do not tell the season", reliability(few))


def shipped() -> None:
    """The real monthly series of the record, every state's season lent by the others where it is not known."""
    place = Workspace.find()
    rows = published.published_observations(place.published, catalog.load(place.reference))
    series = peers.record_series(rows)
    values, family = {}, {}
    for (region, id), part in series.groupby(["region", "indicator"]):
        months = part.sort_values("end").set_index("end")["value"]
        for year in range(2014, 2020):
            name = f"{region}|{id}|{year}"
            window = months[(months.index.year <= year) & (months.index.year > year - 6)]
            if len(window) % 12 == 0 and len(window) and window.index[-1].month == 12:
                values[name], family[name] = window.to_numpy(float) + 0.25, f"{id}|{year}"
    cases = pd.concat([scored(values, h, k).assign(H=h, k=k) for h in HS for k in KS])
    by_history("real series of the record, 2014-2019", cases)
    ways("real series of the record, alone", values)
    ways("real series of the record, season lent", values, family)


def sums_of_parts() -> None:
    """The US states of the record summed by the rule for parks and zone: whether parts and sum keep their intervals."""
    place = Workspace.find()
    rows = published.published_observations(place.published, catalog.load(place.reference))
    series = peers.record_series(rows)
    series = series[series["region"].str.match("US-")]
    calls = replay.replay(series, peers.YEARS)
    names = series["region"] + "|" + series["indicator"]
    wide = series.assign(name=names).pivot(index="end", columns="name", values="value")
    totals = []
    for (year, k), part in calls.groupby(["year", "k"]):
        known = wide.loc[: pd.Period(f"{year}-{k:02d}", "M"), list(part["series_id"])]
        rho = joint.shared(known.to_numpy().T[:, -36:])
        q = joint.read(joint.draws(part[list(LEVELS)].to_numpy(float), rho).sum(1))
        sums = part[["truth", "before", "scale", "linear"]].sum()
        about = {"series_id": "sum", "year": year, "k": k}
        totals.append(about | dict(sums) | dict(zip(LEVELS, q, strict=True)))
    both = {"parts": calls, "their sum": pd.DataFrame(totals)}
    table = {n: replay.score(c)[["crps", "cov80", "cov95"]].mean() for n, c in both.items()}
    show("parts and their joint sum, US states", pd.DataFrame(table).T)


SEASONS = {
    "flat": np.ones(12),
    "quarter ends": np.tile([0.3, 0.3, 2.4], 4),
    "late year": np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.3, 1.6, 2, 2.6]),
    "December 40 %": np.r_[np.full(11, 0.6 / 11), 0.4],
    "once a year, December": np.r_[np.zeros(11), 1.0],
    "once a year, Oct-Dec": None,
}


def small_counts() -> None:
    """Five parks in thirty zones, 8 or 25 a year, by season and growth; whole-number coverage is randomised."""
    rows = []
    for name, season in SEASONS.items():
        for growth in (-0.2, 0.0, 0.25):
            for years in (0, 1, 3):
                rows += _simulated(name, season, growth, years)
    cases = pd.concat(rows)
    table = cases.pivot_table(
        index=["season", "growth"], columns=["H", "lent"], values=["crps", "cov80"]
    )
    show("small counts by simulation", table)
    low = cases[(cases["p"] < 0.05) & (cases["H"] > 0)].groupby(["season", "lent"])["met"]
    show("small counts, chances under 5 % that came true", low.agg(["mean", "size"]).unstack())


def _simulated(name: str, season, growth: float, years: int) -> list[pd.DataFrame]:
    rng, n = np.random.default_rng(0), 150
    mean = rng.choice([8.0, 25.0], n)[:, None] * (1 + growth) ** np.arange(years + 1)
    if season is None:
        values = np.zeros((n, years + 1, 12))
        month = rng.integers(9, 12, mean.shape)
        np.put_along_axis(values, month[..., None], rng.poisson(mean)[..., None], 2)
    else:
        values = rng.poisson(mean[..., None] * season / season.sum()).astype(float)
    truth, before = values[:, -1].sum(1), values[:, max(0, years - 1)].sum(1)
    aim, out = np.maximum(1, np.ceil(1.1 * before)), []
    for k in (3, 6, 9, 11):
        frame = long(dict(enumerate(values.reshape(n, -1))), years, k, "plain")
        for lent in (False, True):
            own = frame.assign(family=frame["series_id"] // 5) if lent else frame
            found = project_year_end(own, targets=pd.Series(aim, range(n)))
            q = found[list(LEVELS)].to_numpy()
            below, at = (q < truth[:, None]).mean(1), (q <= truth[:, None]).mean(1)
            place = below + (at - below) * rng.random(n)
            about = dict(season=name, growth=growth, H=years, k=k, lent=lent)
            scale = np.maximum(before, 1)
            score = dict(crps=scoring.crps(truth, q) / scale, cov80=(place > 0.1) & (place < 0.9))
            out.append(
                pd.DataFrame(score | dict(p=found["probability"], met=truth >= aim)).assign(**about)
            )
    return out


def demonstration() -> None:
    """The chances of the demonstration's months against its truth, by kind; needs a run of it."""
    truth = Path("data/raw/demo/truth_year_end.csv")
    found = sorted(
        Path("data/processed/demo").glob("*/*/TRAIL.parquet"), key=lambda p: p.stat().st_mtime
    )
    if not found or not truth.exists():
        print("\n== the demonstration: no run is there (make run)")
        return
    said = pd.read_parquet(found[-1]).dropna(subset=["probability"])
    came = pd.read_csv(truth, encoding="utf-8-sig")
    came = came.rename(columns={"value": "truth"})
    both = said.merge(came, on=["year", "region", "indicator"])
    met = np.where(
        both["comparator"] == "gt",
        both["truth"] > both["target_low"],
        both["truth"] >= both["target_low"],
    )
    both = both.assign(met=met, brier=(both["probability"] - met) ** 2)
    both["inside"] = both["truth"].between(both["low"], both["high"])
    both["k"] = both["as_of"].dt.month
    keep = ["probability", "met", "brier", "inside"]
    for cut in ("kind", "evidence", "k"):
        show(
            f"the demonstration by {cut}",
            both.groupby(cut)[keep].mean().assign(n=both.groupby(cut).size()),
        )


def practice(folder: Path, few: int) -> None:
    ids, series, source = fit_settings.read_panel(folder / "practice_monthly.csv.gz")
    values, of = dict(zip(ids, series, strict=True)), dict(zip(ids, source, strict=True))
    ours = [i for i in ids if of[i] != fit_settings.COUNTS]
    found, owner = fit_settings.evidence([values[i] for i in ours])
    where = np.array([of[ours[i]] for i in owner])
    plain, weights = model.log_weights, {}
    for left_out in np.unique(where):
        keep = where != left_out
        weights[left_out] = fit_settings.weigh(found[keep], where[keep])
    for kind in ("flow", "stock"):
        rows = []
        for left_out, w in weights.items():
            model.log_weights = lambda known, w=w: model.leant(w, known)
            mine = {i: values[i] for i in ours if of[i] == left_out}
            mine = {i: v for i, v in mine.items() if kind == "flow" or v[-13] > 0}
            rows += [
                scored(mine, h, k, kind=kind).assign(H=h, k=k, source=left_out)
                for h in HS
                for k in KS
            ]
        model.log_weights = plain
        cases = pd.concat(rows)
        by_history(f"practice, each source left out of the fit, {kind}", cases)
        show(
            f"practice by source, {kind}", cases[cases["H"] >= 2].groupby("source")[COLUMNS].mean()
        )
        stored = pd.read_csv(folder / "peers_practice.csv")
        stored = stored[(stored["target"] == kind) & stored["H"].isin([2, 3, 5])]
        mean = stored.groupby("method")[["crps", "cov80", "brier"]].mean()
        mean.loc["zcqlib"] = cases[cases["H"] >= 2][["crps", "cov80", "brier"]].mean()
        show(f"practice, {kind}: peers as stored (some on fewer series)", mean.sort_values("crps"))
    some = np.random.default_rng(0).choice(
        [i for i in ours if len(values[i]) >= 48], 400, replace=False
    )
    ways("practice", {i: values[i] for i in some})
    if few:
        rivals({i: values[i] for i in some[:few]})


def rivals(values: dict) -> None:
    """CRPS of peers with 500 paths each against ours on the same cases."""
    warnings.simplefilter("ignore")
    asked = {"statsmodels ETS": record_peers.ets, "statsmodels Theta": record_peers.theta}
    try:
        from statsforecast.models import AutoETS

        asked["AutoETS"] = lambda y, h: AutoETS(season_length=12).simulate(
            h=h, n_paths=500, y=y, seed=0
        )
    except ImportError:
        print("statsforecast is NOT installed (extra [bench]): AutoETS is left out", flush=True)
    rows = []
    for h in (2, 3):
        for k in KS:
            mine = scored(values, h, k).set_index("series_id")["crps"]
            for name, v in values.items():
                y, scale = v[-12 * (h + 1) : len(v) - 12 + k], v[-24:-12].sum()
                for peer, paths in asked.items():
                    begin = time.perf_counter()
                    p = np.maximum(np.asarray(paths(y, 12 - k)), 0)
                    spent = time.perf_counter() - begin
                    q = np.quantile(y[-k:].sum() + p.sum(1), LEVELS)[None]
                    crps = scoring.crps(np.array([v[-12:].sum()]), q)[0] / scale
                    rows.append((peer, crps, mine[name], spent))
    table = pd.DataFrame(rows, columns=["peer", "crps", "ours", "seconds"]).groupby("peer").mean()
    table = table.assign(ratio=table["ours"] / table["crps"], a_second=1 / table["seconds"])
    show(f"against peers on {len(values)} series, H = 2 and 3", table)


def made_up(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = np.exp(
        rng.normal(5, 1, (n, 1)) + 0.2 * np.sin(np.arange(42) / 2) + rng.normal(0, 0.1, (n, 42))
    )
    months = pd.period_range(end="2018-06", periods=42, freq="M")
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), 42),
            "period": months[np.tile(np.arange(42), n)],
            "value": values.ravel(),
        }
    )


def seconds(frame: pd.DataFrame, repeats: int = 1) -> float:
    """Processor seconds of one call with 100 quantiles and a chance, three years and six months of history."""
    aims, times = pd.Series(3000.0, frame["series_id"].unique()), []
    for _ in range(repeats):
        begin = time.process_time()
        project_year_end(frame, targets=aims)
        times.append(time.process_time() - begin)
    return min(times)


def speed() -> None:
    frame = made_up(4_000)
    counted = frame.assign(value=np.round(frame["value"] / 40))
    said = {"amounts": 4_000 / seconds(frame, 3), "small counts": 4_000 / seconds(counted)}
    show("series a second, one thread, three years of months", pd.Series(said).round(0))
    sizes = np.array([1_000, 4_000, 16_000])
    times = [seconds(made_up(n)) for n in sizes]
    print(
        f"seconds {dict(zip(sizes.tolist(), np.round(times, 2).tolist(), strict=True))}, exponent {np.polyfit(np.log(sizes), np.log(times), 1)[0]:.2f}"
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("folder", type=Path, nargs="?", help="folder of the practice series")
    ask.add_argument(
        "--peers", type=int, default=0, metavar="N", help="also peers on N practice series"
    )
    a = ask.parse_args()
    pd.set_option(
        "display.width", 180, "display.max_columns", 30, "display.float_format", "{:.3f}".format
    )
    pd.options.display.float_format = "{:.4g}".format
    if a.folder and not (a.folder / "practice_monthly.csv.gz").exists():
        sys.exit(f"{a.folder} holds no practice_monthly.csv.gz")
    WAYS["plain"] = ("months", "months", 9)
    speed()
    shipped()
    sums_of_parts()
    small_counts()
    demonstration()
    if a.folder:
        practice(a.folder, a.peers)


if __name__ == "__main__":
    main()
