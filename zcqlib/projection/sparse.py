"""Year ends where there are no months: yearly figures alone, or only cumulative growth rates."""

import numpy as np
from numpy import ndarray
from scipy import stats

from zcqlib.projection.history import Rows
from zcqlib.projection.scoring import LEVELS

FEWEST = 5  # yearly points below which no distribution is given
USUAL = {
    "tech_contract_value": 0.18,
    "rd_expenditure": 0.05,
    "gdp": 0.05,
    "rd_intensity": 0.05,
}  # usual yearly error
ELSE = 0.12


def yearly(values: ndarray, indicator: str, share: bool) -> ndarray | None:
    """Quantiles at LEVELS of the next year's figure from 5 to 10 yearly ones, oldest first; None where too few.

    `share` : a share in %, handled as odds. Growth is drawn towards a usual one and the spread towards the usual error
    of one year ahead.
    """
    v = np.asarray(values, float)[-10:]
    if len(v) < FEWEST or not (v > 0).all() or share and not (v < 100).all():
        return None
    x = np.log(v / (100 - v)) if share else np.log(v)
    usual = 0.0 if share else 0.05
    q = np.exp(x[-1] + 0.3 * usual + apart(np.diff(x), indicator, 0.7))
    return 100 * q / (1 + q) if share else q


def apart(past: ndarray, indicator: str, trust: float = 1.0) -> ndarray:
    """Quantiles at LEVELS of the next of some yearly logs (growth, or the distance between two bases), two or more,
    oldest first, around their mean so far as it is trusted.
    """
    weight, n, s0 = 0.7 ** np.arange(len(past))[::-1], len(past), USUAL.get(indicator, ELSE)
    mean = (weight * past).sum() / weight.sum()
    variance = (((past - mean) ** 2).sum() + 4 * s0**2) / (n + 3)
    return trust * mean + np.sqrt(0.6 * variance * (1 + 0.5 / n)) * stats.t.ppf(LEVELS, 5)


def from_rates(own: Rows, year: int) -> Rows | None:
    """A history for the engine made of cumulative growth rates alone; None where they do not suffice.

    Parameters
    ----------
    own : growth to date on the same months a year before, %. Two past years are needed. The year before the first counts
        as twelve equal months; from then on a cumulative figure is last year's times its growth.
    Returns
    -------
    The series without the made-up flat year; the level is arbitrary.
    """
    years = [own.only(own.year == y) for y in range(own.year.min(), year + 1)]
    whole = all(12 in s.month for s in years[:-1])
    if len(years) < 3 or not whole or not len(years[-1].end):
        return None
    before, out = np.arange(13.0), []
    for s in years:
        total = before[s.month] * (1 + s.value / 100)
        gain = np.maximum(np.diff(total, prepend=0.0), 0.005 * before[-1] / 12)
        out.append(s._replace(value=gain, months=np.diff(s.month, prepend=0)))
        before = np.interp(np.arange(13), np.r_[0, s.month], np.r_[0.0, np.cumsum(gain)])
    return Rows(*map(np.concatenate, zip(*out, strict=True)))
