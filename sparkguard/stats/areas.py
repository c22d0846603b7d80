"""Areas under curves of a score, from the weight of each class in bins of it.

Sums (..., 2 × B, 1): the negatives' weight in the bins of ascending score, then the positives'. Rows of one bin
count as equal, so that the areas are those of the binned score, exact if each bin holds one value.
"""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio


def roc_auc(sums: Floats) -> Floats:
    """The chance that a positive scores higher than a negative, equal ones by half; NaN with one class only."""
    negatives, positives = _classes(sums)
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    return ratio((positives * below).sum(axis=-1), positives.sum(axis=-1) * negatives.sum(axis=-1))


def roc_auc_margin(sums: Floats) -> Floats:
    """By how much the area of the bins can be off that of the scores: half of the pairs inside of bins."""
    negatives, positives = _classes(sums)
    return ratio((positives * negatives).sum(axis=-1) / 2, positives.sum(axis=-1) * negatives.sum(axis=-1))


def average_precision(sums: Floats) -> Floats:
    """The mean precision at each positive, by descending score; NaN without positives."""
    negatives, positives = _classes(sums)
    right, all_above = _from_above(positives), _from_above(positives + negatives)
    precision = np.divide(right, all_above, out=np.zeros_like(right), where=all_above > 0)
    return ratio((positives * precision).sum(axis=-1), positives.sum(axis=-1))


def average_precision_range(sums: Floats) -> tuple[Floats, Floats]:
    """The least and the greatest that any scores in these bins can have.

    Least: in each bin all negatives come first, then positives of different scores, however small their weight.
    Greatest: all positives come first, with one score.
    """
    negatives, positives = _classes(sums)
    above, wrong = _from_above(positives) - positives, _from_above(negatives)
    low, high = above + wrong, above + wrong + positives
    # The integral of (above + x) / (above + x + wrong) over x from 0 to `positives`.
    logs = np.log(np.divide(high, low, out=np.ones_like(low), where=low > 0))
    least = np.where(low > 0, positives - wrong * logs, positives)
    best = high - negatives
    most = positives * np.divide(above + positives, best, out=np.zeros_like(best), where=best > 0)
    total = positives.sum(axis=-1)
    return ratio(least.sum(axis=-1), total), ratio(most.sum(axis=-1), total)


def _from_above(weight: Floats) -> Floats:
    return np.cumsum(weight[..., ::-1], axis=-1)[..., ::-1]


def _classes(sums: Floats) -> tuple[Floats, Floats]:
    """The weight of negatives and of positives by bin."""
    half = sums.shape[-2] // 2
    return sums[..., :half, 0], sums[..., half:, 0]
