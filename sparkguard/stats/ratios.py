"""Ratios of arrays where some are not defined."""

from __future__ import annotations

import numpy as np

from sparkguard.stats.homogeneity import Counts, Floats


def ratio(above: Floats, below: Floats | Counts, otherwise: float = np.nan) -> Floats:
    """`above / below` of shapes that broadcast, and `otherwise` where nothing is below."""
    shape = np.broadcast(above, below).shape
    return np.asarray(np.divide(above, below, out=np.full(shape, otherwise), where=np.asarray(below) > 0))
