"""How many rows each cell of a feature holds, by the label's class and by groups of rows that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from sparkguard.core.columns import Column
from sparkguard.core.measure import Dense, Rows
from sparkguard.core.source import Source
from sparkguard.measures.grids import Grid, text_of
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.histograms import CellCounts


@dataclass(frozen=True)
class Apart:
    """Groups of rows: by the values of `columns`, hashed into `buckets`, or by the bins of one column's `bins`.

    Group 0 holds rows without a value in a single column; bin b is group b.
    """

    columns: tuple[Column, ...]
    buckets: int = 0
    bins: Grid | None = None

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self.buckets + 1 if self.bins is None else self.bins.cells

    def group_of(self, values: Sequence[object]) -> int:
        """The group of a row; of several columns by another hash than Spark's, so only sums over groups compare."""
        if self.bins is not None:
            return self.bins.cell_of(values[0])
        if len(self.columns) > 1:
            # Not Python's own hash, which is another one in each process.
            return 1 + crc32("\0".join(map(str, values)).encode()) % self.buckets
        return 0 if values[0] is None else 1 + hash_of_text(text_of(values[0])) % self.buckets


@dataclass(frozen=True)
class LabelledHistogram(Dense[CellCounts]):
    """How many rows are in each cell of a feature, in each cell of the label, in each group of rows?

    Cell c of label cell l of group g is number (g * label_grid.cells + l) * grid.cells + c.
    """

    STATE = CellCounts

    source: Source
    column: Column
    grid: Grid
    label: Column
    label_grid: Grid
    apart: Apart

    @property
    def lasts(self) -> bool:
        """Its grids are of one night."""
        return False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The feature, the label, and what tells the group."""
        return tuple(dict.fromkeys((self.column, self.label, *self.apart.columns)))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups, cells of the label, cells of the feature."""
        return self.apart.groups, self.label_grid.cells, self.grid.cells

    @property
    def cells(self) -> int:
        """Numbers in the state."""
        groups, labels, cells = self.shape
        return groups * labels * cells

    def twin(self, tables: Mapping[Source, Rows]) -> CellCounts:
        """Count row by row."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        at = {column: i for i, column in enumerate(self.columns)}
        found = np.zeros(self.shape, np.int64)
        for row in tables[self.source]:
            group = self.apart.group_of([row[at[c]] for c in self.apart.columns])
            label = self.label_grid.cell_of(row[at[self.label]])
            found[group, label, self.grid.cell_of(row[at[self.column]])] += 1
        return CellCounts.of(found.ravel())

    def __str__(self) -> str:
        """For the plan."""
        return f"histogram of {self.column.name} by {self.label.name} in {self.source}"
