"""How the shares of classes differ between two tables, and by how much they may do so by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of classes (K,), the variance of each (K,), and the degrees of freedom of these."""

    share: Floats
    variance: Floats
    freedom: float


def shares_by_rows(rows: Floats) -> Shares:
    """Shares of independent rows (K,); variances as if each class had one row more, and the rest one more.

    So a class without rows, or with all of them, is not certain (Agresti and Coull, American Statistician 1998).
    """
    many = float(rows.sum())
    near = (rows + 1) / (many + 2)
    return Shares(ratio(rows, np.full_like(rows, many)), near * (1 - near) / max(many, 1), np.inf)


def shares_by_groups(rows: Floats) -> Shares:
    """Shares of rows (G, K) by groups of clusters: variances by the jackknife, never below those of rows."""
    groups = rows[rows.sum(axis=1) > 0]
    plain, many = shares_by_rows(rows.sum(axis=0)), len(groups)
    if many < 2:  # noqa: PLR2004 - one group has no spread
        return Shares(plain.share, np.full_like(plain.share, np.inf), 1)
    left = groups.sum(axis=0) - groups
    apart = left / left.sum(axis=1, keepdims=True) - plain.share
    variance = (apart**2).sum(axis=0) * (many - 1) / many
    weight = groups.sum(axis=1)
    alike = float(weight.sum() ** 2 / (weight**2).sum())
    return Shares(plain.share, np.fmax(variance, plain.variance), max(1.0, alike - 1))


def margins(one: Shares, other: Shares, confidence: float) -> Floats:
    """By how much the differences of shares (K,) may be off, all at once with this confidence (Bonferroni).

    No difference is off by more than the largest margin, so neither is the largest difference.
    """
    from scipy.special import stdtrit

    tail = 1 - (1 - confidence) / (2 * max(1, len(one.share)))
    half = float(stdtrit(min(one.freedom, other.freedom), tail))
    return np.asarray(half * np.sqrt(one.variance + other.variance))
