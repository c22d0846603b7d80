"""Metrics that are means of a loss of each row, from sums (..., 1, M), as scikit-learn defines them."""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio


def mean(sums: Floats) -> Floats:
    """The weighted mean of a loss over all cells: sums (..., C, 2) of (weight, weight × loss)."""
    return ratio(sums[..., 1].sum(axis=-1), sums[..., 0].sum(axis=-1))


def root_mean(sums: Floats) -> Floats:
    """The square root of the mean, of squared errors; by how much a loss may fall below 0 by a step, it is 0."""
    return np.sqrt(np.maximum(mean(sums), 0))


def r2(sums: Floats) -> Floats:
    """The share of the label's variance that predictions explain.

    Sums of (weight, and weight times the squared error, the label from an anchor, and the square of that); the
    nearer the anchor is to the mean, the more digits are right. A constant label gives 1 if all errors are 0, else 0.
    """
    weight, error, label, square = (sums[..., 0, i] for i in range(4))
    spread = square - label * ratio(label, weight)
    found = 1 - ratio(error, spread)
    constant = np.where(error == 0, 1.0, 0.0)
    return np.where(weight > 0, np.where(spread > 0, found, constant), np.nan)


def calibration_error(sums: Floats) -> Floats:
    """The expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015).

    Sums (..., 2 × B, 2) of (weight, gap): the bins of the negatives' scores, then those of the positives'. The gap
    of a row is its label, 0 or 1, less its score.
    """
    half = sums.shape[-2] // 2
    by_bin = sums[..., :half, :] + sums[..., half:, :]
    return ratio(np.abs(by_bin[..., 1]).sum(axis=-1), by_bin[..., 0].sum(axis=-1))
