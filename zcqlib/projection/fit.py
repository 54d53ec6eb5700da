"""Fit the pooled model on a panel of monthly series: `python -m zcqlib.projection.fit PANEL.csv.gz`.

The panel has columns `series_id`, `source`, `period` (YYYY-MM), `value`; every series begins in a January and has whole
years without gaps. With two years of history and more, each 12-month block from the third on is a test year, for every
start month, k = 1 to 11 and 2, 3 and 5 years; with one year or none, each calendar year that has that many before it.
The loss is the score itself (pinball in values) plus pinball in log growth. Seeds are fixed; folds are by series; the
spread is set by out-of-fold errors. Writes coefficients.npz and coefficients.json (hash of the panel, scores out of
fold); with `--folds FILE` also the coefficients of each fold, so that a bench can project every series out of fold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.special import ndtri

from zcqlib.projection import engine
from zcqlib.projection.features import describe

FOLDS = 4
HISTORIES = {"none": (0,), "one": (1,), "more": (2, 3, 5)}
LEVELS16 = ((np.arange(16) + 0.5) / 16)[:, None]
TYPICAL = {
    "flow": np.array(
        [0.055, 0.05, 0.045, 0.04, 0.035, 0.03, 0.0245, 0.019, 0.0148, 0.0105, 0.0068]
    ),
    "stock": 0.15 - 0.008 * np.arange(1, 12),
}  # usual CRPS at k, so that every month weighs alike
HIDDEN, BATCH, RATE, DECAY = (64, 48), 2048, 3e-3, 1.0
MEMBERS = (
    2  # networks that begin at other seeds; the mean of their raw outputs is one wider network
)
VISITS = {
    "none": 2_000_000,
    "one": 2_000_000,
    "more": 4_000_000,
}  # stopping early is what keeps the network sober
START = {
    "none": {0: 0.3},
    "one": {0: 0.5, 1: 0.2},
    "more": {1: 0.2, 2: 0.3, 9: 0.2},
}  # a plain mean of opinions
RECENT, FADE = 4, 0.5  # test years that set the spread, and how fast the older ones count less
WIDEST = {
    ("flow", "more"): 0.3
}  # in these a case counts by its width over the scale, up to this, as in the score
SMOOTH = {
    "none": 1,
    "one": 2,
    "more": 3,
}  # months over which the spread is smoothed; without history k = 1 is apart


def read_panel(path: Path) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Ids, values and sources of the series."""
    frame = pd.read_csv(path).sort_values(["series_id", "period"])
    groups = frame.groupby("series_id", sort=True)
    return (
        np.array(list(groups.groups)),
        [g["value"].to_numpy(float) for _, g in groups],
        groups["source"].first().to_numpy(dtype="str"),
    )


def folds(n: int) -> np.ndarray:
    """The fold of each of n series in the order of their ids."""
    return np.random.default_rng(0).permutation(n) % FOLDS


def cases(series: list[np.ndarray], kind: str, family: str, shifts: int) -> dict[str, np.ndarray]:
    """All cases as flat arrays: `row` names the series, `shift` the start month, `age` counts test years back."""
    stock, groups = kind == "stock", {}
    first = min(HISTORIES[family])
    for i, values in enumerate(series):
        for shift in range(shifts):
            blocks = (len(values) - shift) // 12
            for b in range(first, blocks):
                for history in {min(b, h) for h in HISTORIES[family]}:
                    wide = values[shift + 12 * (b - history) : shift + 12 * (b + 1)]
                    groups.setdefault(history, []).append((i, shift, blocks - 1 - b, wide))
    parts: dict[str, list] = {}
    for history, found in groups.items():
        wide = np.stack([f[3] for f in found], 1)
        last = wide[-24:-12] if history else wide
        fair = (last[-1] > 0) & (wide[-1] > 0) if stock else last.sum(0) > 0
        for k in range(1, 12):
            keep = np.flatnonzero(fair & (wide[: 12 * history + k].sum(0) > 0))
            w, before = wide[:, keep], last[:, keep]
            c = describe(w[: 12 * history + k], history, k, stock)
            truth = w[-1] if stock else w[12 * history :].sum(0)
            row = dict(
                zip(("row", "shift", "age"), np.array([f[:3] for f in found])[keep].T, strict=True)
            )
            row |= dict(
                k=np.full(len(keep), k),
                years=np.full(len(keep), history),
                truth=truth,
                noise=c.noise,
                known=c.known,
                base=c.base,
                offset=c.offset,
                scale=before.mean(0) if stock else before.sum(0),
                growth=np.clip(
                    np.log(np.maximum(truth - c.known + c.offset, 1e-300) / c.base), -8, 4
                ),
            )
            for name, array in row.items():
                parts.setdefault(name, []).append(array)
            parts.setdefault("inputs", []).append(c.inputs.astype("float32").T)
            parts.setdefault("experts", []).append(c.experts.astype("float32").T)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def loss_and_gradient(
    outputs: np.ndarray, d: dict[str, np.ndarray], kind: str
) -> tuple[float, np.ndarray]:
    """Mean loss of a batch and its gradient by the raw outputs, (outputs, cases); in the precision of the outputs."""
    n, e = outputs.shape[1], len(d["experts"].T)
    centre, log_scale, skew, tail = engine.parameters(outputs, d["experts"].T, d["noise"])
    level, z = LEVELS16.astype(outputs.dtype), ndtri(LEVELS16).astype(outputs.dtype)
    sign = np.where(z > 0, 1, -1).astype(outputs.dtype)
    wide = np.exp(log_scale + sign * skew)
    far = np.exp(tail * z)
    swing = (far - 1 / far) / (2 * tail)
    q = centre + wide * swing
    grown = (d["base"] / d["scale"]).astype(outputs.dtype) * np.exp(np.clip(q, -8, 4))
    rest = grown - (d["offset"] / d["scale"]).astype(outputs.dtype)
    gap = ((d["truth"] - d["known"]) / d["scale"]).astype(outputs.dtype) - np.maximum(rest, 0)
    weight = (1 / (240 * TYPICAL[kind][d["k"] - 1])).astype(outputs.dtype)
    gap_log = d["growth"].clip(-2, 2).astype(outputs.dtype) - np.clip(q, -2, 2)
    loss = (weight * np.maximum(level * gap, (level - 1) * gap)).sum(dtype=float) + (
        np.maximum(level * gap_log, (level - 1) * gap_log)
    ).sum(dtype=float) / 8
    by_q = weight * ((gap < 0) - level) * np.where((rest > 0) & (q > -8) & (q < 4), grown, 0)
    by_q = (by_q + ((gap_log < 0) - level) * (np.abs(q) < 2) / 8) / n
    by_tail = wide * (z * (far + 1 / far) / 2 - swing) / tail
    out = np.empty_like(outputs)
    total = by_q.sum(0)
    out[:e] = total * d["experts"].T
    out[e] = total * 0.5 * d["noise"]
    out[e + 1] = (by_q * wide * swing).sum(0) * (np.abs(outputs[e + 1]) < 4)
    out[e + 2] = (by_q * sign * wide * swing).sum(0) * 0.5 * (1 - np.tanh(outputs[e + 2]) ** 2)
    inner = 0.5 * outputs[e + 3] - 0.7
    out[e + 3] = (by_q * by_tail).sum(0) * 0.5 * tail * ((inner > -2.5) & (inner < 0.3))
    return float(loss / n), out


def train(
    d: dict[str, np.ndarray],
    kind: str,
    family: str,
    seed: int,
    visits: int,
    hidden: tuple[int, ...],
) -> dict:
    """AdamW with a one-cycle rate; the linear part starts at a plain mean of opinions, the hidden layers at no say."""
    rng = np.random.default_rng(seed)
    width, e = d["inputs"].shape[1], d["experts"].shape[1]
    start = np.zeros(e + 4)
    start[list(START[family])] = list(START[family].values())
    p = {"A": np.zeros((width, e + 4)), "c": start}
    if hidden:
        a, b = hidden
        p |= {
            "W1": rng.normal(0, np.sqrt(2 / width), (width, a)),
            "b1": np.zeros(a),
            "W2": rng.normal(0, np.sqrt(2 / a), (a, b)),
            "b2": np.zeros(b),
            "O": np.zeros((b, e + 4)),
        }
    p = {k: v.astype("float32") for k, v in p.items()}
    first, second = ({k: np.zeros_like(v) for k, v in p.items()} for _ in range(2))
    n, steps = len(d["k"]), max(1, visits // BATCH)
    for step in range(1, steps + 1):
        rows = rng.integers(0, n, BATCH)
        batch = {k: v[rows] for k, v in d.items()}
        x = batch["inputs"]
        out = x @ p["A"] + p["c"]
        if hidden:
            h1 = np.maximum(x @ p["W1"] + p["b1"], 0)
            h2 = np.maximum(h1 @ p["W2"] + p["b2"], 0)
            out = out + h2 @ p["O"]
        g = loss_and_gradient(out.T, batch, kind)[1].T
        grads = {"A": x.T @ g, "c": g.sum(0)}
        if hidden:
            g2 = (g @ p["O"].T) * (h2 > 0)
            g1 = (g2 @ p["W2"].T) * (h1 > 0)
            grads |= {
                "O": h2.T @ g,
                "W2": h1.T @ g2,
                "b2": g2.sum(0),
                "W1": x.T @ g1,
                "b1": g1.sum(0),
            }
        norm = np.sqrt(sum(float((v**2).sum()) for v in grads.values()))
        t = step / steps
        rate = RATE * (t / 0.3 if t < 0.3 else 0.5 * (1 + np.cos(np.pi * (t - 0.3) / 0.7)))
        for key, v in grads.items():
            v = v / max(1.0, norm)
            first[key] = 0.9 * first[key] + 0.1 * v
            second[key] = 0.999 * second[key] + 0.001 * v * v
            move = first[key] / (1 - 0.9**step) / (np.sqrt(second[key] / (1 - 0.999**step)) + 1e-8)
            decay = DECAY if key not in ("c", "b1", "b2") else 0.0
            p[key] = (p[key] - rate * (move + decay * p[key])).astype("float32")
    return p


def joined(members: list[dict]) -> dict:
    """The mean of several networks' raw outputs as one network; a linear one is alone."""
    if len(members) == 1:
        return members[0]
    out = {k: np.mean([m[k] for m in members], 0) for k in ("A", "c")}
    out |= {k: np.concatenate([m[k] for m in members], -1) for k in ("W1", "b1", "b2")}
    return out | {
        "W2": block_diag(*(m["W2"] for m in members)),
        "O": np.concatenate([m["O"] for m in members]) / len(members),
    }


def errors(d: dict[str, np.ndarray], p: dict, moments: tuple[np.ndarray, ...]) -> np.ndarray:
    """Where the truth fell, as z, and the parameters of the distribution: (5, cases)."""
    layers = {k: v.astype(float) for k, v in p.items()}
    outputs = engine.forward(engine.standardise(d["inputs"].T.astype(float), *moments), layers)
    centre, log_scale, skew, tail = engine.parameters(
        outputs, d["experts"].T.astype(float), d["noise"]
    )
    gap = d["growth"] - centre
    z = np.arcsinh(tail * gap * np.exp(-np.sign(gap) * skew - log_scale)) / tail
    return np.stack([z, centre, log_scale, skew, tail])


def tables(d: dict[str, np.ndarray], found: np.ndarray, kind: str, family: str) -> np.ndarray:
    """Quantiles of z by k and years, from the last test years, the latest counting most; 4 and 5 years share theirs.

    Where cases count by their width, chances near one half, which wide cases give, come true as often as they say.
    Smoothed over neighbouring k, so that chance in the tables does not make a later month's interval the wider one.
    """
    years_of, z = engine.FAMILIES[family], found[0]
    wide = np.ones(len(z))
    if (kind, family) in WIDEST:
        wide = np.minimum(np.exp(found[2]) * d["base"] / d["scale"], WIDEST[kind, family])
    out = np.zeros((11, len(years_of), len(engine.LEVELS)))
    recent = (d["shift"] == 0) & (d["age"] < RECENT)
    for k in range(1, 12):
        for i, years in enumerate(years_of):
            pick = (
                recent
                & (d["k"] == k)
                & (np.isin(d["years"], (4, 5)) if years >= 4 else d["years"] == years)
            )
            order = np.argsort(z[pick], kind="stable")
            weight = (FADE ** d["age"][pick] * wide[pick])[order]
            at = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
            out[k - 1, i] = np.interp(engine.LEVELS, at, z[pick][order])
    near = np.maximum(0, SMOOTH[family] - np.abs(np.arange(11)[:, None] - np.arange(11)))
    return np.einsum("kj,jyl->kyl", near / near.sum(1, keepdims=True), out)


def score(
    d: dict[str, np.ndarray], found: np.ndarray, table: np.ndarray, family: str
) -> dict[str, float]:
    """CRPS and coverage of the last test year, and CRPS of all."""
    _, centre, log_scale, skew, tail = found
    z = table[d["k"] - 1, d["years"] - min(engine.FAMILIES[family])].T
    growth = centre + np.exp(log_scale + np.sign(z) * skew) * np.sinh(tail * z) / tail
    q = d["known"] + np.maximum(d["base"] * np.exp(np.clip(growth, -8, 4)) - d["offset"], 0)
    levels, truth = np.array(engine.LEVELS)[:, None], d["truth"]
    crps = 2 * np.maximum(levels * (truth - q), (levels - 1) * (truth - q)).mean(0) / d["scale"]
    last = (d["age"] == 0) & np.isin(d["k"], (1, 3, 6, 9, 11))
    inside = [
        (truth >= low) & (truth <= high)
        for low, high in ((q[9:11].mean(0), q[89:91].mean(0)), (q[2], q[97]))
    ]
    out = {
        "crps_last_year": crps[last].mean(),
        "crps_all": crps.mean(),
        "cov80_last_year": inside[0][last].mean(),
        "cov95_last_year": inside[1][last].mean(),
        "cov80_all": inside[0].mean(),
        "cov95_all": inside[1].mean(),
    }
    return {k: round(float(v), 5) for k, v in out.items()}


def fit(
    series: list[np.ndarray], fold: np.ndarray, kind: str, family: str, hidden: tuple[int, ...]
) -> tuple:
    """Coefficients of each fold and, last, of all series, with one table of out-of-fold errors; and the scores."""
    every = cases(series, kind, family, 12 if hidden else 1)
    plain = {k: v[every["shift"] == 0] for k, v in every.items()}
    found, rounds = np.zeros((5, len(plain["k"]))), []
    learn = (
        "inputs",
        "experts",
        "noise",
        "known",
        "base",
        "offset",
        "truth",
        "scale",
        "growth",
        "k",
    )
    for f in range(FOLDS + 1):
        inside = fold[every["row"]] != f
        here = {k: every[k][inside] for k in learn}
        many = {"none": 3, "one": 6, "more": 56}[family]
        moments = (
            here["inputs"][:, :many].mean(0, dtype=float),
            here["inputs"][:, :many].std(0, dtype=float) + 1e-6,
        )
        here["inputs"] = engine.standardise(
            here["inputs"].T, *(m.astype("float32") for m in moments)
        ).T.copy()
        p = joined(
            [
                train(here, kind, family, f + 100 * member, VISITS[family], hidden)
                for member in range(MEMBERS if hidden else 1)
            ]
        )
        rounds.append(p | {"mean": moments[0], "scale": moments[1]})
        out = fold[plain["row"]] == f
        if out.any():
            found[:, out] = errors({k: v[out] for k, v in plain.items()}, p, moments)
        print(kind, family, f"without fold {f}" if f < FOLDS else "all series", flush=True)
    table = tables(plain, found, kind, family)
    scores = score(plain, found, table, family)
    print(kind, family, scores, flush=True)
    return [r | {"table": table} for r in rounds], scores


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("panel", type=Path)
    ask.add_argument("--out", type=Path, default=engine.COEFFICIENTS)
    ask.add_argument("--folds", type=Path, help="also write every fold's coefficients here")
    ask.add_argument("--linear", action="store_true", help="no hidden layers")
    a = ask.parse_args()
    ids, series, source = read_panel(a.panel)
    fold = folds(len(ids))
    ours = np.flatnonzero(source != "carparts")  # small counts have a model of their own
    kept, kept_folds, scores = {}, {}, {}
    for kind in ("flow", "stock"):
        for family in HISTORIES:
            hidden = HIDDEN if family == "more" and not a.linear else ()
            rounds, scores[f"{kind} {family}"] = fit(
                [series[i] for i in ours], fold[ours], kind, family, hidden
            )
            kept |= {f"{kind}_{family}_{k}": v.astype("float32") for k, v in rounds[-1].items()}
            for f, part in enumerate(rounds[:-1]):
                kept_folds |= {
                    f"{f}_{kind}_{family}_{k}": v.astype("float16" if v.ndim == 2 else "float32")
                    for k, v in part.items()
                }
    np.savez_compressed(a.out, **kept)
    digest = hashlib.sha256(a.panel.read_bytes()).hexdigest()
    about = {
        "panel_sha256": digest,
        "series": len(ours),
        "hidden": [] if a.linear else list(HIDDEN),
        "members": MEMBERS,
        "visits": VISITS,
        "out_of_fold": scores,
    }
    a.out.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    if a.folds:
        np.savez_compressed(a.folds, **kept_folds)


if __name__ == "__main__":
    main()
