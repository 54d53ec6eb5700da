"""Results, targets and weights to RANKS: scores, places with intervals, ties, and what would flip a place."""
from zcqlib.ranking.parks import COMPOSITE, ParkScores, WhatIf, park_moves, period_months, score_parks, what_if
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

__all__ = ["COMPOSITE", "Choices", "ParkScores", "RankingError", "Simulation", "WhatIf", "composite", "flips",
           "leave_one_out", "monte_carlo", "moved", "park_moves", "period_months", "rank_statistics", "ranks",
           "score_parks", "sensitivity", "sobol_indices", "what_if"]
