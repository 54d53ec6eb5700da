"""SERIES and targets to PROJECTIONS: the distribution of the year-end value and the chance that a target is met."""

from zcqlib.projection.attribution import changes
from zcqlib.projection.engine import LEVELS, project_year_end, refused_series
from zcqlib.projection.kinds import Projected, project_targets

__all__ = [
    "LEVELS",
    "Projected",
    "changes",
    "project_targets",
    "project_year_end",
    "refused_series",
]
