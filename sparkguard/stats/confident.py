"""Confident learning: labels that out-of-sample probabilities contradict (Northcutt, Jiang, Chuang, JAIR 2021).

A row is confidently of a class if its probability is at least what rows with that label have on average; of several
such classes of the most probable one, and of equally probable ones of its label.
"""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio

CLOSE = 1e-6
"""So little below its threshold a probability still reaches it, as a mean of equal numbers may be above them all."""


def thresholds(chances: Floats, rows: Floats) -> Floats:
    """The mean probability of each class among its rows (K,), from sums (K, K) by label and class; NaN without rows."""
    own = np.diagonal(chances)
    return ratio(own, rows)


def joint(confident: Floats, rows: Floats) -> Floats:
    """The joint distribution (K, K) of label and true class, from confident counts (K, K) and rows by label (K,).

    Rows of a label that are confidently of no class count as right.
    """
    counted = confident.sum(axis=1)
    whole = np.where((counted > 0)[:, None], confident, np.eye(len(rows)))
    by_label = whole / whole.sum(axis=1, keepdims=True) * rows[:, None]
    return np.asarray(by_label / max(float(rows.sum()), 1.0))


def error_rate(confident: Floats, rows: Floats) -> float:
    """The estimated share of wrong labels."""
    return float(1 - np.trace(joint(confident, rows))) if rows.sum() else float("nan")
