"""Results, targets and weights to RANKS: scores, places with intervals, ties, and what would flip a place."""

from zcqlib.ranking.parks import (
    COMPOSITE,
    FORMS,
    ParkScores,
    WhatIf,
    attainment,
    park_moves,
    period_months,
    period_of,
    score_parks,
    what_if,
)
from zcqlib.ranking.scores import RankingError, composite, ranks
from zcqlib.ranking.simulate import (
    Choices,
    Simulation,
    flips,
    leave_one_out,
    monte_carlo,
    moved,
    rank_statistics,
    sensitivity,
    sobol_indices,
)

__all__ = [
    "COMPOSITE",
    "FORMS",
    "Choices",
    "ParkScores",
    "RankingError",
    "Simulation",
    "WhatIf",
    "attainment",
    "composite",
    "flips",
    "leave_one_out",
    "monte_carlo",
    "moved",
    "park_moves",
    "period_months",
    "period_of",
    "rank_statistics",
    "ranks",
    "score_parks",
    "sensitivity",
    "sobol_indices",
    "what_if",
]
