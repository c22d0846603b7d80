"""Healthy tables and nights of them, as counts by week and column, for `drift_calibration.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.stats.cells import FIRST, NULL, CellKinds
from sparkguard.stats.homogeneity import Counts, Floats

WEEK = 7
NULLS = 0.1
"""The share of NULL in a column that has any."""
_GROUP = 50
"""Columns at once."""
_LEVELS = np.unique([0.002, 0.005, 0.01, 0.02, *np.linspace(0, 1, 33)[1:-1], 0.98, 0.99, 0.995, 0.998])
NAMED, WITH_NULLS, KINDS = 2, 3, 4
"""The third and the fourth column of four."""
_CATEGORIES, _BUCKETS = 12, 16
_OTHERS = 0.1
"""The share of values in buckets, of which each week has others."""
_TURNOVER = 0.2
"""The standard deviation of the logarithm of a bucket's share from week to week."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of so many columns and rows a day, whose days differ by effects with this standard deviation.

    The effect of a day keeps `lasting` of that of the day before; half of its variance is common to all
    columns. In turn, columns are normal numbers whose level moves by the effect, or whose scale does by
    half of it; categories, one of which changes its odds, and a tenth of rare ones that come and go; and
    numbers with NULLs whose odds change.
    """

    columns: int = 200
    rows: int = 200
    spread: float = 0.2
    lasting: float = 0.7
    freedom: float = np.inf
    """Degrees of freedom of Student's t of the effects."""
    trend: float = 0.0
    """By how much levels move a week."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is wrong tonight: the level of column 0 moved by standard deviations of its stretch means, or of rows."""

    of_means: float = 0.0
    of_rows: float = 0.0
    nulls: float | None = None
    """The share of NULL of column 3."""


HEALTHY = Change()


def _edges() -> Floats:
    from scipy.special import ndtri

    inner = np.asarray(ndtri(_LEVELS))
    beyond = 2 * inner[-1] * np.array([0.1, 0.5, 2.0, 10.0])
    return np.concatenate([inner[0] - beyond[::-1], inner, inner[-1] + beyond])


EDGES = _edges()
CELLS = FIRST + len(EDGES) + 1


def effects(rng: np.random.Generator, table: Table, days: int) -> Floats:
    """(days, columns) effects."""
    heavy = np.isfinite(table.freedom)
    own = rng.standard_t(table.freedom, (days, table.columns)) if heavy else rng.normal(size=(days, table.columns))
    steps = np.sqrt(0.5) * own + np.sqrt(0.5) * rng.normal(size=(days, 1))
    for i in range(1, days):
        steps[i] = table.lasting * steps[i - 1] + np.sqrt(1 - table.lasting**2) * steps[i]
    return np.asarray(table.spread * steps + table.trend / WEEK * np.arange(days)[:, None])


def normal(level: Floats, scale: Floats) -> Floats:
    """The shares of a normal column in its bins."""
    from scipy.special import ndtr

    below = ndtr((EDGES - level[..., None]) / scale[..., None])
    return np.diff(below, axis=-1, prepend=0.0, append=1.0)


def odds(share: float, effect: Floats) -> Floats:
    """The share whose log odds are moved."""
    return np.asarray(1 / (1 + (1 - share) / share * np.exp(-effect)))


def probabilities(kinds: npt.NDArray[np.int64], effect: Floats) -> Floats:
    """(days, C, K) shares of each cell."""
    found = np.zeros((*effect.shape, CELLS))
    ordered = kinds != NAMED
    scale = np.where(kinds == 1, np.exp(effect / 2), 1.0)
    found[:, ordered, FIRST:] = normal(np.where(kinds == 1, 0.0, effect), scale)[:, ordered]
    usual = (1 - _OTHERS) / np.arange(1, _CATEGORIES + 1) / (1 / np.arange(1, _CATEGORIES + 1)).sum()
    usual = np.concatenate([usual, np.full(_BUCKETS, _OTHERS / _BUCKETS)])
    first = odds(float(usual[0]), effect)
    found[..., FIRST] = np.where(ordered, found[..., FIRST], first)
    rest = (1 - first)[..., None] * usual[1:] / usual[1:].sum()
    named = slice(FIRST + 1, FIRST + len(usual))
    found[..., named] = np.where(ordered[:, None], found[..., named], rest)
    share = np.where(kinds == WITH_NULLS, odds(NULLS, effect), 0.0)
    found *= (1 - share)[..., None]
    found[..., NULL] = share
    return found


def night(
    rng: np.random.Generator, table: Table, stretches: int, ratio: float = 1.0, change: Change = HEALTHY
) -> Iterator[tuple[Counts, Counts, CellKinds]]:
    """Groups of columns: (stretches, C, K) weeks, the (C, K) one after them of `ratio` times the rows, the kinds."""
    effect = effects(rng, table, (stretches + 1) * WEEK)
    means = effect[:, 0].reshape(stretches + 1, WEEK).mean(axis=1)[:-1]
    seen = np.sqrt(means.var(ddof=1) + 1 / (table.rows * WEEK))
    effect[-WEEK:, 0] += change.of_means * seen + change.of_rows
    for left in range(0, table.columns, _GROUP):
        part = effect[:, left : left + _GROUP]
        kinds = np.arange(left, left + part.shape[1]) % KINDS
        shares = probabilities(kinds, part)
        if change.nulls is not None and not left:
            tonight = shares[-WEEK:, WITH_NULLS]
            tonight[:, FIRST:] *= (1 - change.nulls) / (1 - tonight[:, :1])
            tonight[:, NULL] = change.nulls
        shares = shares.reshape(stretches + 1, WEEK, part.shape[1], CELLS).mean(axis=1)
        rare = slice(FIRST + _CATEGORIES, FIRST + _CATEGORIES + _BUCKETS)
        turnover = rng.normal(size=(stretches + 1, (kinds == NAMED).sum(), _BUCKETS))
        shares[:, kinds == NAMED, rare] *= np.exp(_TURNOVER * turnover)
        shares /= shares.sum(axis=-1, keepdims=True)
        rows = np.full(stretches + 1, float(table.rows * WEEK))
        rows[-1] *= ratio
        counts = rng.poisson(shares * rows[:, None, None])
        ordered = kinds != NAMED
        cells = np.where(ordered, CELLS, FIRST + _CATEGORIES + _BUCKETS)
        yield counts[:-1], counts[-1], CellKinds(ordered, cells)
