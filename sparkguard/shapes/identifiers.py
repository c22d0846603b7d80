"""Columns that tell rows apart rather than what they are like: identifiers, and counters of time."""

from __future__ import annotations

import numpy as np

from sparkguard.core.columns import Column
from sparkguard.core.types import is_float
from sparkguard.measures.grids import kind_of
from sparkguard.measures.row_sample import SampledColumn
from sparkguard.stats.ranks import rank_correlations

IN_STEP = 0.99
"""A rank correlation with time from which on a counter tells the time."""
_NEARLY_UNIQUE = 0.95
_LEAST_ROWS = 100


def is_identifier(column: Column, sampled: SampledColumn) -> bool:
    """Whether nearly every row has a value of its own, of a type in which that is not usual."""
    if is_float(column.type) or kind_of(column.type) is None or column.type.startswith("decimal"):
        return False
    known = sampled.known
    return known.size >= _LEAST_ROWS and len(np.unique(known)) >= _NEARLY_UNIQUE * known.size


def in_step(time: SampledColumn | None, sampled: SampledColumn) -> float | None:
    """Spearman's correlation with time; None where there is none, for texts, and for few rows."""
    if time is None or time.text or sampled.text:
        return None
    both = ~np.isnan(time.numbers) & ~np.isnan(sampled.numbers)
    if np.count_nonzero(both) < _LEAST_ROWS:
        return None
    return float(rank_correlations(np.stack([time.numbers[both], sampled.numbers[both]], axis=1))[0, 1])
