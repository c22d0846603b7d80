"""How sure a metric is: its standard error from sums, and an interval from that.

A metric is a function of sums over rows, in cells: sums (C, M) of `weight` times (1, v1, v2, …). It takes any
leading shape and gives that shape, NaN where it is not defined. Its error then needs no rows:

- rows that are independent: the delta method with the second moments of a row's terms, where derivatives are
  differences by a part of one row (the infinitesimal jackknife: Jaeckel 1972, Bell Laboratories);
- rows in clusters: the jackknife over groups of clusters (Rust and Rao, Statistical Methods in Medical
  Research 1996), which asks nothing of how rows of one cluster depend on each other.

Shares of one are judged by Wilson's interval (JASA 1927) for as many independent rows as have the same error
(Korn and Graubard, Survey Methodology 1998), which stays inside of 0 and 1 and has a width at 1.
`bench/metric_intervals.py` says how often the truth is inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Metric = Callable[[Floats], Floats]

FEWEST_CLUSTERS = 20
"""Of fewer clusters no error is told: the jackknife's own error would be a sixth and more."""
_STEP = 1 / 32
"""The part of a row by which sums are changed: of 10^9 rows a slope then still has five digits."""
_CHUNK = 1 << 21
"""Numbers that are tried at a time."""


@dataclass(frozen=True, slots=True)
class Error:
    """A standard error (NaN: unknown), its degrees of freedom, and how many independent pieces are behind it."""

    value: float
    freedom: float
    pieces: float

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return not math.isnan(self.value)


UNTOLD = Error(math.nan, math.nan, 0)


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the truth lies with the confidence asked for; NaN where nobody can say."""

    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan)


def error_by_rows(metric: Metric, sums: Floats, moments: Floats, rows: Floats, *, pieces: float, share: bool) -> Error:
    """The error of a metric of sums (C, M) by the second moments (C, M, M) of its rows (C,), independent of each other.

    `moments` are sums of weight squared times the products of a row's terms. `pieces`: the rows that can be
    right or wrong, which matter where none is wrong. The spread of a share is known with the share; that of
    other metrics is estimated, of one row fewer.
    """
    cells, terms = sums.shape
    total = float(rows.sum())
    step = _STEP * np.sqrt(np.diagonal(moments, axis1=1, axis2=2) / np.maximum(rows, 1)[:, None]).ravel()
    used = np.flatnonzero(step)
    slopes = np.zeros(cells * terms)
    flat, chunk = sums.ravel(), max(1, _CHUNK // (cells * terms))
    for at in range(0, len(used), chunk):
        some = used[at : at + chunk]
        change = np.zeros((len(some), cells * terms))
        change[np.arange(len(some)), some] = step[some]
        up, down = (metric((flat + sign * change).reshape(-1, cells, terms)) for sign in (1, -1))
        slopes[some] = (up - down) / (2 * step[some])
    slope = slopes.reshape(cells, terms)
    variance = float(np.einsum("cm,cmn,cn->", slope, moments, slope))
    if not math.isfinite(variance) or (total < 2 and not share):  # noqa: PLR2004 - one row has no spread
        return Error(math.nan, math.nan, pieces)
    error = math.sqrt(max(0.0, variance))
    return Error(error, math.inf, pieces) if share else Error(error * math.sqrt(total / (total - 1)), total - 1, pieces)


def error_by_groups(metric: Metric, sums: Floats, clusters: int, pieces: float) -> Error:
    """The error of a metric by the jackknife over groups of so many clusters, whose sums are (G, C, M).

    `pieces` are the rows that can be right or wrong, of which no more count than there are clusters.
    """
    groups = sums[np.abs(sums).sum(axis=(1, 2)) > 0]
    many = len(groups)
    if clusters < FEWEST_CLUSTERS or many < 2:  # noqa: PLR2004 - one group has no spread
        return Error(math.nan, math.nan, pieces)
    total = groups.sum(axis=0)
    without = metric(total - groups)
    variance = float(((without - without.mean()) ** 2).sum()) * (many - 1) / many
    return Error(math.sqrt(variance) if math.isfinite(variance) else math.nan, many - 1, min(pieces, clusters))


def share_interval(share: float, error: Error, confidence: float) -> Interval:
    """The interval of a number between 0 and 1."""
    if math.isnan(share) or not error.known or not error.pieces:
        return UNKNOWN
    inner = share * (1 - share)
    rows = inner / error.value**2 if error.value > 0 and inner > 0 else error.pieces
    square = _quantile(error, confidence) ** 2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = math.sqrt(square * (inner / rows + square / (4 * rows**2))) / (1 + square / rows)
    return Interval(max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def mean_interval(value: float, error: Error, confidence: float, low: float, high: float) -> Interval:
    """The interval of a number between `low` and `high`, as of a mean; of no spread nothing is known."""
    if math.isnan(value) or not error.known or error.value == 0:
        return UNKNOWN
    half = _quantile(error, confidence) * error.value
    return Interval(max(low, value - half), min(high, value + half))


def _quantile(error: Error, confidence: float) -> float:
    """Student's t, two-sided; normal with degrees of freedom without end."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + confidence) / 2
    return float(ndtri(tail) if math.isinf(error.freedom) else stdtrit(error.freedom, tail))
