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

from sparkguard.stats.homogeneity import Floats

Metric = Callable[[Floats], Floats]

FEWEST_CLUSTERS = 20
"""Of fewer clusters no error is told: the jackknife's own error would be a sixth and more."""
_FAR = 20.0
"""An interval from a number divided by e^20 says nothing."""
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


def error_by_rows(metric: Metric, sums: Floats, moments: Floats, rows: Floats, freedom: float, pieces: float) -> Error:
    """The error of a metric of sums (C, M) by the second moments (C, M, M) of its rows (C,), independent of each other.

    `moments` are sums of weight squared times the products of a row's terms. `pieces`: the rows that can be
    right or wrong, which matter where none is wrong.
    """
    cells, terms = sums.shape
    step = _STEP * np.sqrt(np.diagonal(moments, axis1=1, axis2=2) / np.maximum(rows, 1)[:, None]).ravel()
    used = np.flatnonzero(step)
    slopes = np.zeros(cells * terms)
    flat, chunk = sums.ravel(), max(1, _CHUNK // (2 * cells * terms))
    for at in range(0, len(used), chunk):
        some = used[at : at + chunk]
        change = np.zeros((len(some), cells * terms))
        change[np.arange(len(some)), some] = step[some]
        up, down = metric(np.stack([flat + change, flat - change]).reshape(2, -1, cells, terms))
        slopes[some] = (up - down) / (2 * step[some])
    slope = slopes.reshape(cells, terms)
    variance = float(np.einsum("cm,cmn,cn->", slope, moments, slope))
    if not math.isfinite(variance) or freedom < 1:
        return Error(math.nan, math.nan, pieces)
    return Error(math.sqrt(max(0.0, variance) * (1 + 1 / freedom)), freedom, pieces)


def error_by_groups(metric: Metric, sums: Floats, clusters: int, pieces: float) -> Error:
    """The error of a metric by the jackknife over groups of so many clusters, whose sums are (G, C, M).

    Groups of different weight count as fewer. `pieces` are the rows that can be right or wrong, of which no more
    count than there are clusters.
    """
    weight = sums[..., 0].sum(axis=1)
    groups, weight = sums[weight > 0], weight[weight > 0]
    alike = float(weight.sum() ** 2 / (weight**2).sum()) if len(groups) else 0.0
    if clusters < FEWEST_CLUSTERS or alike < 2:  # noqa: PLR2004 - one group has no spread
        return Error(math.nan, math.nan, pieces)
    total = groups.sum(axis=0)
    without = metric(total - groups)
    many = len(groups)
    variance = float(((without - metric(total)) ** 2).sum()) * (many - 1) / many
    return Error(math.sqrt(variance) if math.isfinite(variance) else math.nan, alike - 1, min(pieces, clusters))


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


def loss_interval(loss: float, error: Error, confidence: float) -> Interval:
    """The interval of a number above 0, on the scale of its logarithm; of no spread nothing is known."""
    if math.isnan(loss) or not error.known or error.value == 0 or loss <= 0:
        return UNKNOWN
    exponent = _quantile(error, confidence) * error.value / loss
    if exponent > _FAR:
        return UNKNOWN
    times = math.exp(exponent)
    return Interval(loss / times, loss * times)


def gap_interval(gap: float, error: Error, confidence: float) -> Interval:
    """The interval of a distance, which is 0 or more and may be 0."""
    if math.isnan(gap) or not error.known or error.value == 0:
        return UNKNOWN
    half = _quantile(error, confidence) * error.value
    return Interval(max(0.0, gap - half), gap + half)


def difference_interval(value: float, error: Error, confidence: float) -> Interval:
    """The interval of a difference of two metrics."""
    if math.isnan(value) or not error.known or error.value == 0:
        return UNKNOWN
    half = _quantile(error, confidence) * error.value
    return Interval(value - half, value + half)


def _quantile(error: Error, confidence: float) -> float:
    """Student's t, two-sided; normal with degrees of freedom without end."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + confidence) / 2
    return float(ndtri(tail) if math.isinf(error.freedom) else stdtrit(error.freedom, tail))
