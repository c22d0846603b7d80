"""The distances between a window and its base that dashboards know by name; none of them decides."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sparkguard.measures.grids import FIRST, NAN, NULL, Grid
from sparkguard.shapes.drift import Compared
from sparkguard.shapes.moved import Binned
from sparkguard.stats import distances as d
from sparkguard.stats.homogeneity import Floats


def distances(one: Compared) -> Mapping[str, float]:
    """Distances of the values, changes of the shares of NULL and NaN; without what is not known.

    `ks_pvalue` and `chi_squared_pvalue` take rows for independent, as snapshots of random rows do.
    """
    grid = one.series.grid
    window, base = (np.array(side[FIRST:], dtype=np.int64) for side in (one.window, one.base))
    found = {
        "tv_distance": d.tv_distance(window, base),
        "l_infinity_distance": d.l_infinity_distance(window, base),
        "js_distance": d.js_distance(window, base),
        "population_stability_index": d.population_stability_index(window, base),
        "chi_squared_statistic": d.chi_squared_statistic(window, base)[0],
        "chi_squared_pvalue": d.chi_squared_pvalue(window, base),
    }
    if grid.ordered and grid.edges:
        found["ks_statistic"] = d.ks_statistic(window, base)
        found["ks_pvalue"] = d.ks_pvalue(window, base)
        found["wasserstein_distance"] = d.wasserstein_distance(window, base, positions(grid))
    now, before = Binned(grid, one.window), Binned(grid, one.base)
    shares = {
        "null_rate": now.share(NULL),
        "null_rate_change": now.share(NULL) - before.share(NULL),
        "nan_rate_change": now.share(NAN) - before.share(NAN),
    }
    known = {**{name: float(value) for name, value in found.items()}, **shares}
    return {name: value for name, value in known.items() if math.isfinite(value)}


def positions(grid: Grid) -> Floats:
    """Where the rows of each bin are taken to be: in its middle, those of the open ends at their edge."""
    edges = np.array(grid.edges)
    return np.concatenate([edges[:1], edges[:-1] / 2 + edges[1:] / 2, edges[-1:]])
