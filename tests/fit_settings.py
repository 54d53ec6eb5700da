"""Weigh the settings of the one model on a panel of monthly series: `python tests/fit_settings.py PANEL.csv.gz`.

The panel has columns `series_id`, `source`, `period` (YYYY-MM), `value`; every series begins in a January and has whole
years without gaps. Each series is explained as a whole, its last two windows of up to six years; the weights are those
that explain the panel best, every source counting the same. Writes settings.csv.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from zcqlib.projection import model

STEPS, EVEN = (
    60,
    0.02,
)  # of expectation and maximisation; share spread evenly over all settings at each
COUNTS = "carparts"  # small counts have settings of their own


def read_panel(path: Path) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Ids, values and sources of the series."""
    frame = pd.read_csv(path).sort_values(["series_id", "period"])
    groups = frame.groupby("series_id", sort=True)
    return (
        np.array(list(groups.groups)),
        [g["value"].to_numpy(float) for _, g in groups],
        groups["source"].first().to_numpy(dtype="str"),
    )


def evidence(series: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Log evidence of every setting for the last two windows of each series, (windows, settings), and whose they are."""
    windows: dict[int, list] = {}
    for i, values in enumerate(series):
        for size in (len(values), len(values) - 12):
            part = values[max(0, size - model.MONTHS) : size]
            if len(part) >= 24:
                windows.setdefault(len(part), []).append((i, part))
    found, owner = [], []
    for size, own in windows.items():
        cover = np.r_[np.full(model.MONTHS - size, -1), np.arange(size)].astype("int8")
        f = model.factors(model.mask_of(cover.tobytes(), False))
        for part in (own[i : i + 64] for i in range(0, len(own), 64)):
            values = np.stack([v for _, v in part], 1)
            unit = np.maximum(values.mean(0), 1e-300)
            zeros = np.where((values > 0).all(0), 0.0, model.ZERO)
            logs = np.log(values / unit + zeros)
            rest = logs - logs.mean(0) - model.GROWTH * model.TAU[-size:, None]
            found.append(model.evidence(f, rest).reshape(-1, len(part)).T)
            owner += [i for i, _ in part]
    return np.concatenate(found), np.array(owner)


def weigh(found: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Weights of the settings: expectation and maximisation from even ones, each source counting the same."""
    likely = np.exp(found - found.max(1, keepdims=True))
    _, which, many = np.unique(source, return_inverse=True, return_counts=True)
    part = (1 / many[which] / len(many))[:, None]
    weight = np.full(found.shape[1], 1 / found.shape[1])
    for _ in range(STEPS):
        share = likely * weight
        share = (part * share / share.sum(1, keepdims=True)).sum(0)
        weight = (1 - EVEN) * share + EVEN / len(share)
    return weight


def settings(weight: np.ndarray) -> pd.DataFrame:
    """The weights beside their settings, in the order of settings.csv."""
    shape = tuple(len(s) for s in (model.LEVEL, model.SEASON, model.RISE, model.NOISE))
    ordered = weight.reshape(shape).transpose(0, 3, 1, 2).ravel()
    names = product(model.LEVEL, model.NOISE, model.SEASON, model.RISE)
    return pd.DataFrame(names, columns=["sl", "se", "ss", "sb"]).assign(weight=ordered)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("panel", type=Path)
    ask.add_argument("--out", type=Path, default=model.SETTINGS)
    a = ask.parse_args()
    _, series, source = read_panel(a.panel)
    ours = np.flatnonzero(source != COUNTS)
    found, owner = evidence([series[i] for i in ours])
    settings(weigh(found, source[ours][owner])).to_csv(a.out, index=False, float_format="%.10g")


if __name__ == "__main__":
    main()
