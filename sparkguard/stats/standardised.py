"""Squared distances of many units as normal scores, by what each unit's stretches show.

A healthy unit's distance has two parts: its blocks differ (between), and its rows are a sample. The
first is estimated from the stretches after the second is taken out, for each stretch from the others, so
that a stretch and the window are treated alike and their ranks mean something. The sum of both is taken
for a chi-square with the same mean, variance and skewness (Liu, Tang and Zhang, Computational Statistics
and Data Analysis 2009), its ratio to the estimated mean for an F, and that for a normal score (Paulson,
Annals of Mathematical Statistics 1942; Wilson and Hilferty for a single chi-square).

The scores need not be normal: `maximum` compares them with each other. They must be comparable between
units, since only the largest counts; so a unit whose stretches already have a heavy tail gets fewer
degrees of freedom between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkguard.stats.homogeneity import Divergence, Flags, Floats

PRIOR = 26.0
"""How many stretches the prior of the degrees of freedom between weighs."""
FEWEST = 0.1
"""The least degrees of freedom between, before they are mixed with the prior of one: a level that moves.

They are not taken to be more than one: where chance says so, a usual score would become a large one.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Between:
    """What healthy blocks differ by: the mean of the squared distance, its variance, and `spread` = 1 / freedom."""

    mean: Floats
    variance: Floats
    spread: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """What a healthy distance is like: low + scale × F(freedom, error_freedom), with the mean `mean`."""

    mean: Floats
    low: Floats
    scale: Floats
    freedom: Floats
    error_freedom: Floats

    def at(self, index: int) -> Law:
        """The law of one item."""
        return Law(self.mean[index], self.low[index], self.scale[index], self.freedom[index], self.error_freedom[index])

    def score(self, observed: Floats) -> Floats:
        """The normal score of an observed squared distance; bounded by what is known of the mean."""
        a, b = 2 / (9 * self.freedom), 2 / (9 * self.error_freedom)
        root = np.cbrt((observed - self.low) / self.scale)
        return np.asarray((root * (1 - b) - (1 - a)) / np.sqrt(a + root**2 * b))

    def observed(self, score: float) -> Floats:
        """The squared distance that has this score; infinite where none has."""
        a, b = 2 / (9 * self.freedom), 2 / (9 * self.error_freedom)
        square, linear = (1 - b) ** 2 - score**2 * b, (1 - a) * (1 - b)
        inside = np.maximum(linear**2 - square * ((1 - a) ** 2 - score**2 * a), 0)
        root = np.divide(linear + np.sqrt(inside), square, out=np.full_like(square, np.inf), where=square > 0)
        return np.asarray(self.low + self.scale * root**3)


def between(stretches: Divergence) -> Between:
    """Estimate from (S, C) stretches what differs between blocks: for each stretch from the others, and for a window.

    The result is (S + 1, C); its last row is for a window. Stretches with few rows say little and weigh little.
    """
    sampling, freedom = stretches.sampling, stretches.freedom
    told = np.where(stretches.known | ~stretches.known.any(axis=0), sampling, np.nan)
    usual = np.nanmedian(told, axis=0)
    weight = np.where(stretches.known, usual / (sampling + usual), 0.0)

    def others(values: Floats) -> Floats:
        total = values.sum(axis=0)
        return np.concatenate([total - values, total[None]])

    norm = np.maximum(others(weight), 1e-12)
    excess = stretches.observed - sampling
    mean = others(weight * excess) / norm
    positive = np.maximum(mean, 0)
    noise = 2 * others(weight * sampling**2 / freedom) + 4 * positive * others(weight * sampling / freedom)
    variance = np.maximum(others(weight * excess**2) / norm - mean**2 - noise / norm, 0)
    spread = np.divide(variance, 2 * positive**2, out=np.ones_like(mean), where=positive > 0)
    many = others(stretches.known.astype(np.float64))
    spread = (many * np.clip(spread, 1, 1 / FEWEST) + PRIOR) / (many + PRIOR)
    square = weight**2
    error = 2 * positive**2 * spread * others(square) + 4 * positive * others(square * sampling / freedom)
    error += 2 * others(square * sampling**2 / freedom)
    return Between(positive, error / norm**2, spread)


def nothing(of: Divergence) -> Between:
    """Blocks that do not differ, for distances of this shape."""
    zero = np.zeros_like(of.observed)
    return Between(zero, zero, np.ones_like(zero))


def law(of: Divergence, healthy: Between) -> Law:
    """What a distance with this sampling part is like if it is healthy; shapes alike."""
    row = of.sampling / of.freedom
    mean = healthy.mean + of.sampling
    second = healthy.mean**2 * healthy.spread + 2 * healthy.mean * row + of.freedom * row**2
    third = (
        healthy.mean**3 * healthy.spread**2
        + 3 * healthy.mean**2 * healthy.spread * row
        + 3 * healthy.mean * row**2
        + of.freedom * row**3
    )
    freedom = second**3 / third**2
    scale = third / second * freedom
    error = np.divide(2 * mean**2, healthy.variance, out=np.full_like(mean, 1e9), where=healthy.variance > 0)
    return Law(mean, mean - scale, scale, freedom, error)


def usable(stretches: Flags) -> Flags:
    """Which of C units at least half of the (S, C) stretches tell of, and no fewer than 13."""
    return np.asarray(stretches.sum(axis=0) >= max(stretches.shape[0] / 2, 13))
