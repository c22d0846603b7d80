"""The grids of features from a sample of rows: of one night, and finer where classes of the label lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sparkguard.core.columns import Column
from sparkguard.measures.grids import FIRST, INTEGER, NUMBER, TEXT, Grid, kind_of
from sparkguard.measures.row_sample import SampledColumn
from sparkguard.measures.sampled_grids import BUCKETS, FEW, MOST_NAMED, MOST_ROWS, ordered_grid

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_MANY = 1 << 16
"""Cells at most for all values without a cell of their own, by their hash …"""
_OF_A_VALUE = 8
"""… and so many for each value of the sample, so that one in eight shares its cell with another."""
_WIDE = 1 << 13
_REPEATS = 4
"""Whole numbers that have as many rows each, on average, may be codes."""
_RARE_CLASSES, _RARE = 4, 8
"""Of so many classes, each of less than one in so many rows, values have bins of their own."""
_OF_A_CLASS = 8


def grids_of(column: Column, sampled: SampledColumn, classes: Whole) -> Iterator[Grid]:
    """The grids on which a feature is tried, given the label's cell of each row of the sample.

    One, and of whole numbers that may be codes one more, on which their order does not matter.
    """
    kind = kind_of(column.type)
    if kind is None:
        yield Grid(NUMBER)
    elif sampled.text:
        yield _texts(sampled)
    else:
        numbers = sampled.numbers
        grid = ordered_grid(kind, numbers[:MOST_ROWS])
        values = len(np.unique(sampled.known))
        yield grid if values <= FEW else _finer(grid, numbers, classes)
        if kind == INTEGER and FEW < values <= len(sampled.known) / _REPEATS:
            yield Grid(TEXT, buckets=_buckets(values))


def single_cells(grid: Grid) -> npt.NDArray[np.bool_]:
    """Which cells (C,) hold one value and no other: NULL, NaN, named texts, bins of one number."""
    found = np.zeros(grid.cells, np.bool_)
    found[:FIRST] = True
    if grid.ordered:
        found[FIRST:] = [grid.lone(cell) for cell in range(FIRST, grid.cells)]
    else:
        found[FIRST : FIRST + len(grid.hashes)] = True
    return found


def wide(grid: Grid) -> bool:
    """Whether it has so many cells that groups of rows must be few."""
    return grid.cells > _WIDE


def _buckets(values: int) -> int:
    """Cells for so many values by their hash: a power of two."""
    return min(_MANY, 1 << (_OF_A_VALUE * values - 1).bit_length())


def _texts(sampled: SampledColumn) -> Grid:
    values, counts = np.unique(sampled.known, return_counts=True)
    names = dict(sampled.names)
    few = len(values) <= FEW
    often = [int(values[i]) for i in np.argsort(-counts, kind="stable")[: FEW if few else MOST_NAMED]]
    often = [hashed for hashed in often if hashed in names]
    return Grid(TEXT, (), tuple(often), tuple(names[h] for h in often), BUCKETS if few else _buckets(len(values)))


def _finer(grid: Grid, numbers: Numbers, classes: Whole) -> Grid:
    """With more edges where the values of rare classes lie, which quantiles of all would put into one bin."""
    finite, there = np.isfinite(numbers), classes >= FIRST
    found, counts = np.unique(classes[there], return_counts=True)
    rare = [c for c, n in sorted(zip(found, counts, strict=True), key=lambda one: one[1]) if n * _RARE < there.sum()]
    edges = set(grid.edges)
    for label_class in rare[:_RARE_CLASSES]:
        mine = numbers[finite & (classes == label_class)]
        if mine.size:
            edges |= set(np.quantile(mine, np.arange(_OF_A_CLASS + 1) / _OF_A_CLASS, method="nearest").tolist())
            edges.add(float(np.nextafter(mine.max(), np.inf)))
    return Grid(grid.kind, tuple(sorted(e + 0.0 for e in edges if np.isfinite(e))))
