"""OBSERVATIONS as known at a date to SERIES: one winning figure for each fact, months out of cumulative figures, totals
of the parks that belonged to the zone, and ratios from their parts.
"""

from zcqlib.indicators.aggregates import ratios, to_date, zone_totals
from zcqlib.indicators.compilation import series
from zcqlib.indicators.conflicts import Consolidated, CorrectionError, consolidate, tally
from zcqlib.indicators.growth import growth
from zcqlib.indicators.holding import hold
from zcqlib.indicators.months import monthly_from_cumulative
from zcqlib.indicators.plausibility import check_plausibility
