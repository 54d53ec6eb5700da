"""Why a projection moved since last month: its change taken apart into what was replaced, one thing at a time."""

from collections.abc import Sequence

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
    if last.empty:
        return tables.empty(WHY)
    level = pd.concat([s[VALUES].reindex(last.index) for s in by], keys=["said", *ORDER])
    lost = level.loc["said"].isna() | level.loc[ORDER[-1]].isna()
    steps = level.groupby(level=key).ffill().groupby(level=key).diff()
    about = last[["year", "as_of", "unit", "demo"]][~lost[VALUES[2:]].all(axis=1)]
    rows = [about.join(steps.loc[part].mask(lost)).assign(part=part) for part in ORDER]
    return tables.shape(pd.concat(rows).reset_index(), WHY).sort_values(
        key, kind="stable", ignore_index=True
    )
