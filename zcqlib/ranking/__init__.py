"""SERIES-side results, targets and weights to RANKS: scores, places with intervals, ties, and what would flip a place."""
from zcqlib.ranking.scores import RankingError, composite, ranks

__all__ = ["RankingError", "composite", "ranks"]
