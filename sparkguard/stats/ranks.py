"""Correlations of ranks."""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Floats


def rank_correlations(values: Floats) -> Floats:
    """Spearman's correlations (P, P) of columns (n, P), equal values with their mean rank; 0 with a constant."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    scale = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(scale > 0, scale, 1)
    found = ranks.T @ ranks
    return np.asarray(np.clip((found + found.T) / 2, -1, 1))
