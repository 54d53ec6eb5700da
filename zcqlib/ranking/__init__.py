"""Results, targets and weights to RANKS: scores, places with intervals, ties, and what would flip a place."""

from zcqlib.ranking.due import attainment, calendar, owed_by
from zcqlib.ranking.parks import (
    COMPOSITE,
    FORMS,
    ParkScores,
    park_moves,
    period_months,
    period_of,
    score_parks,
)
from zcqlib.ranking.scores import RankingError, composite, ranks
from zcqlib.ranking.simulate import (
    Choices,
    Model,
    flips,
    leave_one_out,
    monte_carlo,
    moved,
    rank_statistics,
)
