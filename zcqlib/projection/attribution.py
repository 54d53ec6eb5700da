"""Why a projection moved since last month: its change taken apart into what was replaced, one thing at a time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zcqlib import tables
from zcqlib.tables import PROJECTIONS, WHY

# in which things are replaced, each on top of the one before
ORDER = "method", "restated", "new", "target"
VALUES = ["actual", "target_low", "median", "probability"]


def changes(states: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What each replacement did to the projection of every target that both months have.

    Parameters
    ----------
    states : five PROJECTIONS, each with one thing more replaced than the one before: as said last month; by today's
        method and reference tables; with the earlier months as they are stated now; with the new month; with today's
        targets, which is the present projection.
    Returns
    -------
    WHY, one row a target and part. The parts of a column add up to its last state minus its first. A state without a
    value (its data were withdrawn for a while, say) counts as unchanged, so that its effect falls to the next part. A
    column that lacks either end is empty for all parts; a target with neither median nor chance at both ends is left
    out.
    Raises
    ------
    ValueError : not five states.
    Source
    ------
    上月与本月的 PROJECTIONS,按固定顺序逐项替换。
    """
    if len(states) != len(ORDER) + 1:
        raise ValueError(f"states holds {len(ORDER) + 1} projections, not {len(states)}")
    key = ["region", "indicator"]
    by = [tables.shape(s, PROJECTIONS).set_index(key) for s in states]
    last = by[-1][by[-1].index.isin(by[0].index)]
    level = np.stack([s.reindex(last.index)[VALUES].to_numpy(float) for s in by])
    level[:, np.isnan(level[0]) | np.isnan(level[-1])] = np.nan
    for i in range(1, len(level)):
        level[i] = np.where(np.isnan(level[i]), level[i - 1], level[i])
    told = ~np.isnan(level[0, :, 2:]).all(axis=1)
    about = last[["year", "as_of", "unit", "demo"]].reset_index()
    rows = [
        about[told].assign(part=part, **dict(zip(VALUES, step[told].T, strict=True)))
        for part, step in zip(ORDER, np.diff(level, axis=0), strict=True)
    ]
    return tables.shape(pd.concat(rows, ignore_index=True), WHY).sort_values(
        key, kind="stable", ignore_index=True
    )
