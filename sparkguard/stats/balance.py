"""How the shares of classes differ between two tables, and by how much they may do so by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of classes (K,) of so many rows, and what clusters do to them.

    `likeness` (K,) is the correlation of two rows of a cluster: 0 where rows are independent. `size` is the mean
    size of clusters, `freedom` the degrees of freedom of the likeness.
    """

    share: Floats
    rows: float
    likeness: Floats
    size: float = 1.0
    freedom: float = np.inf

    def effective(self, likeness: Floats) -> Floats:
        """As many independent rows (K,) tell the share as well, if rows of a cluster are so much alike."""
        return np.asarray(self.rows / (1 + (self.size - 1) * likeness))


def shares_by_rows(rows: Floats) -> Shares:
    """Shares of independent rows (K,)."""
    many = float(rows.sum())
    return Shares(ratio(rows, np.full_like(rows, many)), many, np.zeros_like(rows))


def shares_by_groups(rows: Floats, clusters: float) -> Shares:
    """Shares of rows (G, K) by groups of so many clusters: the likeness by the jackknife over groups.

    By the design effect of clusters of one size (Kish, Survey Sampling, 1965, 5.4): 1 + (size - 1) likeness.
    """
    groups = rows[rows.sum(axis=1) > 0]
    plain, many = shares_by_rows(rows.sum(axis=0)), len(groups)
    if many < 2:  # noqa: PLR2004 - one group has no spread
        return Shares(plain.share, plain.rows, np.full_like(plain.share, np.inf), freedom=1.0)
    left = groups.sum(axis=0) - groups
    apart = left / left.sum(axis=1, keepdims=True) - plain.share
    variance = (apart**2).sum(axis=0) * (many - 1) / many
    weight = groups.sum(axis=1)
    alike = float(weight.sum() ** 2 / (weight**2).sum())
    # Clusters are as unequal as groups are, or more.
    size = max(1.0, plain.rows / (max(clusters, many) * alike / many))
    design = np.nan_to_num(ratio(variance * plain.rows, plain.share * (1 - plain.share)), nan=1.0)
    likeness = np.zeros_like(design) if size == 1 else np.clip((design - 1) / (size - 1), 0, 1)
    return Shares(plain.share, plain.rows, likeness, size, max(1.0, alike - 1))


def margins(one: Shares, other: Shares, confidence: float) -> Floats:
    """By how much the differences of shares (K,) may be off, all at once with this confidence (Bonferroni).

    Of score intervals of both shares, by which a class without rows is not certain (Newcombe, Statistics in Medicine
    1998, method 10). Of both tables the larger likeness is taken, since that of few clusters may be too small. No
    difference is off by more than the largest margin, so neither is the largest difference.
    """
    from scipy.special import stdtrit

    tail = 1 - (1 - confidence) / (2 * max(1, len(one.share)))
    half = float(stdtrit(min(one.freedom, other.freedom), tail))
    likeness = np.fmax(one.likeness, other.likeness)
    if not np.isfinite(likeness).all() or not np.isfinite(half):
        return np.full_like(one.share, np.inf)
    (below, above), (under, over) = (_score(s.share, s.effective(likeness), half) for s in (one, other))
    low = np.hypot(one.share - below, over - other.share)
    return np.asarray(np.fmax(low, np.hypot(above - one.share, other.share - under)))


def missing(one: float, other: float, having: Floats) -> Floats:
    """The chance (K,) that a class is in no cluster of `one` by chance, if it is in so many of `other`.

    If both are of one kind each cluster that has the class is in `other` with the probability of its part of all.
    """
    return np.asarray((other / max(one + other, 1.0)) ** having)


def _score(share: Floats, rows: Floats, half: float) -> tuple[Floats, Floats]:
    """The score interval of shares (K,) of so many independent rows (Wilson, JASA 1927)."""
    square = half**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    wide = half / (1 + square / rows) * np.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return np.fmin(share, middle - wide), np.fmax(share, middle + wide)
