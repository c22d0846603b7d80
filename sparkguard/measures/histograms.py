"""How many rows each cell of a column holds, of all rows or for each value of another column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sparkguard.core.columns import Column
from sparkguard.core.measure import Dense, Rows, State
from sparkguard.core.source import Source
from sparkguard.measures.grids import Grid, text_of
from sparkguard.measures.hashes import hash_of_text

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

MOST_SLICES = 50
"""Values of another column for which rows are counted by themselves."""
_WIDTHS = (1, 2, 4, 8)


@dataclass(frozen=True)
class CellCounts(State):
    """Rows by cell, packed: a byte for the bytes of a number, then the numbers, little end first.

    Numbers are as short as the greatest allows and end with the last that is not 0, so equal counts are
    equal bytes; no rows are no bytes. Counts of hidden columns are not kept, since their grids are not either.
    """

    HOLDS_VALUES = True

    packed: bytes

    @classmethod
    def zero(cls) -> Self:
        """No rows."""
        return cls(b"")

    @classmethod
    def of(cls, counts: Vector) -> Self:
        """Pack the rows of each cell."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        used = np.flatnonzero(counts)
        if not used.size:
            return cls.zero()
        most = int(counts.max())
        width = next(w for w in _WIDTHS if most < 1 << 8 * w)
        return cls(bytes([width]) + counts[: used[-1] + 1].astype(f"<u{width}").tobytes())

    @property
    def rows(self) -> int:
        """The rows of all cells."""
        return int(self.cells().sum())

    def cells(self, size: int = 0) -> Vector:
        """The rows of each cell, of `size` cells at least."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        if not self.packed:
            return np.zeros(size, np.int64)
        found = np.frombuffer(self.packed, f"<u{self.packed[0]}", offset=1)
        whole = np.zeros(max(size, found.size), np.int64)
        whole[: found.size] = found
        return whole

    def merge(self, other: Self) -> Self:
        """Add cell by cell."""
        if not self.packed or not other.packed:
            return self if self.packed else other
        mine, theirs = self.cells(), other.cells()
        if mine.size < theirs.size:
            mine, theirs = theirs, mine
        mine[: theirs.size] += theirs
        return type(self).of(mine)


@dataclass(frozen=True)
class Slicing:
    """Rows apart by the values of a column: group 0 holds NULL and any value without a group of its own.

    A value is known by its text's `hashes`; group i + 1 has the value with hash i. With `buckets` all values
    have a group, by their hash.
    """

    column: Column
    hashes: tuple[int, ...] = ()
    buckets: int = 0

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.hashes) + self.buckets + 1

    def group_of(self, value: object) -> int:
        """The group of a value."""
        if value is None:
            return 0
        hashed = hash_of_text(text_of(value))
        if hashed in self.hashes:
            return 1 + self.hashes.index(hashed)
        return 1 + len(self.hashes) + hashed % self.buckets if self.buckets else 0


@dataclass(frozen=True)
class Histogram(Dense[CellCounts]):
    """How many rows are in each cell of a column's grid, and with `by` in each group of rows?

    Cell c of group g is number g * grid.cells + c; all rows are the sum over the groups.
    """

    STATE = CellCounts

    source: Source
    column: Column
    grid: Grid
    by: Slicing | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The column, and that of the groups."""
        return (self.column,) if self.by is None or self.by.column == self.column else (self.column, self.by.column)

    @property
    def groups(self) -> int:
        """Groups of rows that are counted apart."""
        return 1 if self.by is None else self.by.groups

    @property
    def cells(self) -> int:
        """Numbers in the state."""
        return self.groups * self.grid.cells

    def twin(self, tables: Mapping[Source, Rows]) -> CellCounts:
        """Count row by row."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        found = np.zeros(self.cells, np.int64)
        for row in tables[self.source]:
            group = 0 if self.by is None else self.by.group_of(row[-1])
            found[group * self.grid.cells + self.grid.cell_of(row[0])] += 1
        return CellCounts.of(found)

    def __str__(self) -> str:
        """For the plan."""
        by = f" by {self.by.column.name}" if self.by else ""
        return f"histogram of {self.column.name}{by} in {self.source}"
