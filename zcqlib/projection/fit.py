"""Fit the pooled model on a panel of monthly series: `python -m zcqlib.projection.fit PANEL.csv.gz`.

The panel has columns `series_id`, `source`, `period` (YYYY-MM), `value`; every series begins in a January and has whole
years without gaps. Each 12-month block from the third on is a test year, for every start month, k = 1 to 11 and 2, 3
and 5 years of history. The loss is the score itself (pinball in values) plus pinball in log growth. Seeds are fixed;
folds are by series; the spread is set by out-of-fold errors. Writes coefficients.npz and coefficients.json (hash of the
panel, scores out of fold); with `--oof FILE` also the out-of-fold quantiles of each series' last year.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from zcqlib.projection import engine
from zcqlib.projection.features import INPUTS, describe

FOLDS, HISTORIES, SHIFTS = 4, (2, 3, 5), 12
LEVELS16 = (np.arange(16) + 0.5) / 16
TYPICAL = {"flow": np.array([.055, .05, .045, .04, .035, .03, .0245, .019, .0148, .0105, .0068]),
           "stock": .15 - .008 * np.arange(1, 12)}
HIDDEN, VISITS, BATCH, RATE, DECAY = (64, 48), 4_000_000, 2048, 3e-3, 1.0


def panel_arrays(path: Path) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Ids, values and sources of the series."""
    frame = pd.read_csv(path).sort_values(["series_id", "period"])
    groups = frame.groupby("series_id", sort=True)
    return (np.array(list(groups.groups)), [g["value"].to_numpy(float) for _, g in groups],
            groups["source"].first().to_numpy(dtype="str"))


def cases(series: list[np.ndarray], kind: str, shifts: int) -> dict[str, np.ndarray]:
    """All cases of all series as flat arrays; `row` names the series, `shift` the start month, `last` the last block."""
    stock, groups = kind == "stock", {}
    for i, values in enumerate(series):
        for shift in range(shifts):
            blocks = (len(values) - shift) // 12
            for b in range(2, blocks):
                for history in {min(b, h) for h in HISTORIES}:
                    wide = values[shift + 12 * (b - history):shift + 12 * (b + 1)]
                    groups.setdefault(history, []).append((i, shift, b == blocks - 1, b, wide))
    parts: dict[str, list] = {}
    for history, found in groups.items():
        wide = np.stack([f[4] for f in found])
        keep = wide[:, :12 * history].sum(1) > 0
        keep &= (wide[:, 12 * history - 1] > 0) & (wide[:, -1] > 0) if stock else wide[:, 12 * (history - 1):12 * history].sum(1) > 0
        wide, found = wide[keep], [f for f, k in zip(found, keep, strict=True) if k]
        last = wide[:, 12 * (history - 1):12 * history]
        scale = last.mean(1) if stock else last.sum(1)
        truth = wide[:, -1] if stock else wide[:, 12 * history:].sum(1)
        for k in range(1, 12):
            c = describe(wide[:, :12 * history + k], history, k, stock)
            growth = np.log(np.maximum(truth - c.known + c.offset, 1e-300) / c.base)
            for name, array in dict(
                    inputs=c.inputs.astype("float32"), experts=c.experts.astype("float32"), noise=c.noise, known=c.known,
                    base=c.base, offset=c.offset, truth=truth, scale=scale, growth=np.clip(growth, -8, 4),
                    k=np.full(len(wide), k), years=np.full(len(wide), history),
                    row=np.array([f[0] for f in found]), shift=np.array([f[1] for f in found]),
                    last=np.array([f[2] for f in found]), block=np.array([f[3] for f in found])).items():
                parts.setdefault(name, []).append(array)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def loss_and_gradient(outputs: np.ndarray, d: dict[str, np.ndarray], kind: str) -> tuple[float, np.ndarray]:
    """Mean loss of a batch and its gradient by the twenty outputs."""
    n = len(outputs)
    centre, log_scale, skew, tail = engine.parameters(outputs, d["experts"], d["noise"])
    z = ndtri(LEVELS16)[None, :]
    sign = np.where(z > 0, 1.0, -1.0)
    wide = np.exp(log_scale)[:, None] * np.exp(sign * skew[:, None])
    swing = np.sinh(tail[:, None] * z) / tail[:, None]
    q = centre[:, None] + wide * swing
    bent = np.clip(q, -8, 4)
    grown = d["base"][:, None] * np.exp(bent)
    rest = grown - d["offset"][:, None]
    value = (d["known"][:, None] + np.maximum(rest, 0)) / d["scale"][:, None]
    gap = (d["truth"] / d["scale"])[:, None] - value
    weight = (1 / TYPICAL[kind][d["k"] - 1] / 16 * 2 / 30)[:, None]
    gap_log = d["growth"].clip(-2, 2)[:, None] - np.clip(q, -2, 2)
    loss = (weight * np.maximum(LEVELS16 * gap, (LEVELS16 - 1) * gap)).sum() / n + (
        2 / 16 * np.maximum(LEVELS16 * gap_log, (LEVELS16 - 1) * gap_log)).sum() / n
    by_value = weight * ((gap < 0) - LEVELS16)
    by_q = by_value * np.where((rest > 0) & (q == bent), grown / d["scale"][:, None], 0.0)
    by_q = (by_q + 2 / 16 * ((gap_log < 0) - LEVELS16) * (np.abs(q) < 2)) / n
    by_tail = wide * (z * np.cosh(tail[:, None] * z) - swing) / tail[:, None]
    out = np.empty_like(outputs)
    total = by_q.sum(1)
    out[:, :16] = total[:, None] * d["experts"]
    out[:, 16] = total * 0.5 * d["noise"]
    out[:, 17] = (by_q * wide * swing).sum(1) * (np.abs(outputs[:, 17]) < 4)
    out[:, 18] = (by_q * sign * wide * swing).sum(1) * 0.5 * (1 - np.tanh(outputs[:, 18]) ** 2)
    inner = 0.5 * outputs[:, 19] - 0.7
    out[:, 19] = (by_q * by_tail).sum(1) * 0.5 * tail * ((inner > -2.5) & (inner < 0.3))
    return float(loss), out


def train(d: dict[str, np.ndarray], kind: str, seed: int, visits: int, hidden: tuple[int, ...] = HIDDEN) -> dict:
    """AdamW with a one-cycle rate from a start that is a plain mean of three opinions; stops early on purpose."""
    rng = np.random.default_rng(seed)
    start = np.zeros(20)
    start[[1, 2, 9]] = (0.2, 0.3, 0.2)
    p = {"A": np.zeros((INPUTS, 20)), "c": start}
    if hidden:
        a, b = hidden
        p |= {"W1": rng.normal(0, np.sqrt(2 / INPUTS), (INPUTS, a)), "b1": np.zeros(a),
              "W2": rng.normal(0, np.sqrt(2 / a), (a, b)), "b2": np.zeros(b), "O": np.zeros((b, 20))}
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
        _, g = loss_and_gradient(out.astype(float), batch, kind)
        g = g.astype("float32")
        grads = {"A": x.T @ g, "c": g.sum(0)}
        if hidden:
            g2 = (g @ p["O"].T) * (h2 > 0)
            g1 = (g2 @ p["W2"].T) * (h1 > 0)
            grads |= {"O": h2.T @ g, "W2": h1.T @ g2, "b2": g2.sum(0), "W1": x.T @ g1, "b1": g1.sum(0)}
        norm = np.sqrt(sum(float((v ** 2).sum()) for v in grads.values()))
        t = step / steps
        rate = RATE * (t / 0.3 if t < 0.3 else 0.5 * (1 + np.cos(np.pi * (t - 0.3) / 0.7)))
        for key, v in grads.items():
            v = v / max(1.0, norm)
            first[key] = 0.9 * first[key] + 0.1 * v
            second[key] = 0.999 * second[key] + 0.001 * v * v
            move = first[key] / (1 - 0.9 ** step) / (np.sqrt(second[key] / (1 - 0.999 ** step)) + 1e-8)
            decay = DECAY if key not in ("c", "b1", "b2") else 0.0
            p[key] = (p[key] - rate * (move + decay * p[key])).astype("float32")
    return p


def standard(d: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    plain = d["inputs"][:, :56].astype(float)
    return plain.mean(0), plain.std(0) + 1e-6


def z_of(d: dict[str, np.ndarray], p: dict, moments: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, tuple]:
    """Where the truth fell, as z; and the parameters."""
    outputs = engine.forward(engine.standardise(d["inputs"].astype(float), *moments),
                             {k: v.astype(float) for k, v in p.items()})
    centre, log_scale, skew, tail = found = engine.parameters(outputs, d["experts"].astype(float), d["noise"])
    side = np.where(d["growth"] > centre, 1.0, -1.0)
    return np.arcsinh(tail * (d["growth"] - centre) * np.exp(-side * skew - log_scale)) / tail, found


def tables(d: dict[str, np.ndarray], z: np.ndarray) -> np.ndarray:
    """Quantiles of z for each k and number of years, from the last four test years; 4 and 5 years share theirs."""
    out = np.zeros((11, 4, 100))
    blocks = np.zeros(int(d["row"].max()) + 1, dtype=int)
    np.maximum.at(blocks, d["row"], d["block"])
    recent = (d["shift"] == 0) & (d["block"] > blocks[d["row"]] - 4)
    for k in range(1, 12):
        for years in range(2, 6):
            same = np.isin(d["years"], [4, 5]) if years >= 4 else d["years"] == years
            pick = recent & (d["k"] == k) & same
            out[k - 1, years - 2] = np.quantile(z[pick], engine.LEVELS) if pick.sum() >= 100 else ndtri(engine.LEVELS)
    return out


def evaluate(d: dict[str, np.ndarray], found: tuple, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles at LEVELS and the score (CRPS as the bench defines it) of every case."""
    centre, log_scale, skew, tail = found
    z = table[d["k"] - 1, d["years"] - 2]
    side = np.exp(np.sign(z) * skew[:, None])
    growth = centre[:, None] + np.exp(log_scale)[:, None] * side * np.sinh(tail[:, None] * z) / tail[:, None]
    rest = d["base"][:, None] * np.exp(np.clip(growth, -8, 4)) - d["offset"][:, None]
    q = d["known"][:, None] + np.maximum(rest, 0)
    gap = d["truth"][:, None] - q
    levels = np.array(engine.LEVELS)
    return q, 2 * np.maximum(levels * gap, (levels - 1) * gap).mean(1) / d["scale"]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("panel", type=Path)
    ask.add_argument("--out", type=Path, default=engine.COEFFICIENTS)
    ask.add_argument("--oof", type=Path, help="write the out-of-fold quantiles here (Parquet, the bench's columns)")
    ask.add_argument("--visits", type=int, default=VISITS)
    ask.add_argument("--linear", action="store_true", help="no hidden layers")
    a = ask.parse_args()
    ids, series, source = panel_arrays(a.panel)
    fold = np.random.default_rng(0).permutation(len(ids)) % FOLDS
    main_set = source != "carparts"
    hidden = () if a.linear else HIDDEN
    stored, scores, oof = {}, {}, []
    for kind in ("flow", "stock"):
        every = cases(series, kind, 1 if a.linear else SHIFTS)
        plain = {k: v[every["shift"] == 0] for k, v in every.items()}
        z, found = np.zeros(len(plain["k"])), [np.zeros(len(plain["k"])) for _ in range(4)]
        for f in range(FOLDS + 1):  # the last round is the shipped fit on all series
            inside = fold[every["row"]] != f
            inside &= main_set[every["row"]]
            here = {k: v[inside] for k, v in every.items() if k not in ("row", "shift", "last", "block", "years")}
            moments = standard(here)
            here["inputs"] = engine.standardise(here["inputs"], *(m.astype("float32") for m in moments))
            p = train(here, kind, seed=f, visits=a.visits, hidden=hidden)
            if f < FOLDS:
                out = fold[plain["row"]] == f
                z[out], parts = z_of({k: v[out] for k, v in plain.items()}, p, moments)
                for whole, part in zip(found, parts, strict=True):
                    whole[out] = part
            print(kind, "fold" if f < FOLDS else "all", f, flush=True)
        ours = main_set[plain["row"]]
        table = tables({k: v[ours] for k, v in plain.items()}, z[ours])
        quantiles, crps = evaluate(plain, tuple(found), table)
        scored = plain["last"] & np.isin(plain["k"], (1, 3, 6, 9, 11)) & ours
        inside80 = (plain["truth"] >= quantiles[:, 9:11].mean(1)) & (plain["truth"] <= quantiles[:, 89:91].mean(1))
        inside95 = (plain["truth"] >= quantiles[:, 2]) & (plain["truth"] <= quantiles[:, 97])
        scores[kind] = {"crps_last_year": round(float(crps[scored].mean()), 5), "crps_all": round(float(crps[ours].mean()), 5),
                        "cov80": round(float(inside80[ours].mean()), 4), "cov95": round(float(inside95[ours].mean()), 4)}
        print(kind, scores[kind], flush=True)
        stored |= {f"{kind}_{k}": v.astype("float32") for k, v in p.items()}
        stored |= {f"{kind}_mean": moments[0].astype("float32"), f"{kind}_scale": moments[1].astype("float32"),
                   f"{kind}_table": table.astype("float32")}
        if a.oof:
            last = plain["last"] & np.isin(plain["k"], (1, 3, 6, 9, 11))
            frame = pd.DataFrame(quantiles[last], columns=[f"q{x}" for x in engine.LEVELS])
            frame.insert(0, "series_id", ids[plain["row"][last]])
            frame.insert(1, "target", kind)
            frame.insert(2, "H", plain["years"][last])
            frame.insert(3, "k", plain["k"][last])
            oof.append(frame)
    np.savez_compressed(a.out, **stored)
    digest = hashlib.sha256(a.panel.read_bytes()).hexdigest()
    a.out.with_suffix(".json").write_text(json.dumps({"panel_sha256": digest, "series": len(ids), "out_of_fold": scores,
                                                      "hidden": list(hidden), "visits": a.visits}, indent=1) + "\n", "utf-8")
    if a.oof:
        pd.concat(oof, ignore_index=True).to_parquet(a.oof)


if __name__ == "__main__":
    main()
