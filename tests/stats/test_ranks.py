"""Correlations of ranks are SciPy's."""

import numpy as np
from scipy.stats import spearmanr

from sparkguard.stats.ranks import rank_correlations


def test_they_are_spearmans_with_ties() -> None:
    values = np.random.default_rng(0).integers(0, 9, (200, 4)).astype(np.float64)
    assert np.allclose(rank_correlations(values), spearmanr(values).statistic)


def test_a_constant_correlates_with_nothing() -> None:
    values = np.stack([np.arange(5.0), np.full(5, 3.0), -np.arange(5.0)], axis=1)
    assert rank_correlations(values)[0].tolist() == [1.0, 0.0, -1.0]
