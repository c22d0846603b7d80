"""Distances between two vectors of counts, over any leading axes at once.

Arguments are counts of shape (..., K): rows of two samples in the same K cells; results have shape
(...). What is not known is NaN: the distance of a side without rows. Nothing here knows how far apart
two healthy samples are: `homogeneity` and `maximum` do.
"""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Counts, Flags, Floats

ZERO_SHARE = 0.5
"""Rows that a cell without rows counts as in the population stability index, which has no value for zero."""


def shares(counts: Counts) -> Floats:
    """The share of rows in each cell, NaN where there are no rows."""
    rows = counts.sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.asarray(np.divide(counts, rows, out=np.full(counts.shape, np.nan), where=rows > 0))


def ks_statistic(one: Counts, other: Counts) -> Floats:
    """The largest difference of two cumulative shares; the cells are in order.

    The two-sample Kolmogorov-Smirnov statistic of values that are equal within a cell: at most that of
    the values themselves.
    """
    gap = np.abs(np.cumsum(shares(one) - shares(other), axis=-1))
    return np.asarray(gap.max(axis=-1))


def tv_distance(one: Counts, other: Counts) -> Floats:
    """The total variation: the share of rows that would have to change cells, 0 to 1."""
    return np.asarray(np.abs(shares(one) - shares(other)).sum(axis=-1) / 2)


def l_infinity_distance(one: Counts, other: Counts) -> Floats:
    """The largest difference of the shares of one cell."""
    return np.asarray(np.abs(shares(one) - shares(other)).max(axis=-1))


def js_distance(one: Counts, other: Counts) -> Floats:
    """The square root of the Jensen-Shannon divergence in bits, 0 to 1 (as in `scipy.spatial.distance`)."""
    p, q = shares(one), shares(other)
    middle = (p + q) / 2
    divergence = (_information(p, middle) + _information(q, middle)) / 2
    return np.sqrt(np.maximum(divergence, 0))


def population_stability_index(one: Counts, other: Counts) -> Floats:
    """The symmetric Kullback-Leibler divergence in nats, in which a cell without rows counts as half a row.

    Only cells without rows are changed, and shares are not made to add up to one again: cells with rows
    on both sides contribute what they do in every textbook. Cells without rows on either side are left out.
    """
    used = (one > 0) | (other > 0)
    p, q = (np.where(c == 0, ZERO_SHARE, c) / _rows(c)[..., None] for c in (one, other))
    terms = np.where(used, (p - q) * np.log(p / q), 0.0)
    return np.asarray(terms.sum(axis=-1))


def wasserstein_distance(one: Counts, other: Counts, positions: Floats) -> Floats:
    """The mean distance that rows have to move, in robust standard deviations of `other`.

    Args:
        one: counts; the cells are in order.
        other: counts of the reference, whose spread is the unit.
        positions: finite, ascending, of shape (..., K): where the rows of each cell are taken to be.

    The unit is the interquartile range / 1.349, which is the standard deviation of normal values. If it
    is 0, it is the reference's mean absolute deviation from its median; infinite where all rows of the
    reference are in one cell and those of the other side are not.

    """
    gap = np.abs(np.cumsum(shares(one) - shares(other), axis=-1))[..., :-1]
    scale = robust_spread(other, positions)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        moved = np.asarray((gap * np.diff(positions, axis=-1)).sum(axis=-1))
        return np.where(moved == 0, 0.0, moved / scale)


def robust_spread(counts: Counts, positions: Floats) -> Floats:
    """The interquartile range / 1.349 of counts in cells at these positions; see `wasserstein_distance`."""
    share = shares(counts)
    reached = np.cumsum(share, axis=-1)
    at = np.broadcast_to(positions, share.shape)
    low, middle, high = (_first(reached >= level - 1e-12, at) for level in (0.25, 0.5, 0.75))
    normal = 1.3489795003921634
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = np.where(share > 0, share * np.abs(at - middle[..., None]), 0.0).sum(axis=-1)
        return np.where(high > low, (high - low) / normal, deviation)


def chi_squared_statistic(one: Counts, other: Counts) -> tuple[Floats, Floats]:
    """Pearson's two-sample statistic of homogeneity, and its degrees of freedom.

    Cells without rows on either side are left out. NaN where one side has no rows, or only one cell has any.
    """
    n, m = _rows(one)[..., None], _rows(other)[..., None]
    both = (one + other).astype(np.float64)
    expected = both * n / (n + m)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(both > 0, (one - expected) ** 2 * (n + m) / (expected * m), 0.0)
    freedom = np.maximum((both > 0).sum(axis=-1) - 1, 0).astype(np.float64)
    known = (freedom > 0) & ~np.isnan(n[..., 0] + m[..., 0])
    return np.where(known, terms.sum(axis=-1), np.nan), np.where(known, freedom, np.nan)


def chi_squared_pvalue(one: Counts, other: Counts) -> Floats:
    """How probable such a chi-square is if rows were independent, which they hardly ever are: to show, not to judge."""
    from scipy.special import chdtrc

    statistic, freedom = chi_squared_statistic(one, other)
    return np.asarray(chdtrc(freedom, statistic))


def ks_pvalue(one: Counts, other: Counts) -> Floats:
    """How probable such a KS statistic is if rows were independent, by Kolmogorov's limit: to show, not to judge."""
    from scipy.special import kolmogorov

    n, m = _rows(one), _rows(other)
    return np.asarray(kolmogorov(np.sqrt(n * m / (n + m)) * ks_statistic(one, other)))


def _rows(counts: Counts) -> Floats:
    rows = counts.sum(axis=-1, dtype=np.float64)
    return np.where(rows > 0, rows, np.nan)


def _information(p: Floats, q: Floats) -> Floats:
    """The Kullback-Leibler divergence in bits; p is 0 where q is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p == 0, 0.0, p * np.log2(p / q))
    return np.asarray(terms.sum(axis=-1))


def _first(reached: Flags, positions: Floats) -> Floats:
    """The position of the first cell that is reached."""
    return np.asarray(np.take_along_axis(positions, np.argmax(reached, axis=-1)[..., None], axis=-1)[..., 0])
