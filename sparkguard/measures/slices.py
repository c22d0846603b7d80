"""Slices: the rows of each cell of a column, and of each pair of cells of two, as sets that are scored together."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sparkguard.core.columns import Column
from sparkguard.core.measure import Rows
from sparkguard.core.source import Source
from sparkguard.core.text import number
from sparkguard.measures.grids import text_of
from sparkguard.measures.pairing import Values

OTHER = "other values"


@dataclass(frozen=True)
class Cells:
    """The cells of a column: cell 0 has no value; of numbers bin b holds edges[b - 2] <= x < edges[b - 1], b from 1 on.

    Of texts each of `values` has a cell, and the last holds all others; of numbers there are no `values`.
    """

    column: Column
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    text: bool = False

    @property
    def width(self) -> int:
        """How many cells there are."""
        return len(self.values) + 2 if self.text else len(self.edges) + 2

    def cell_of(self, value: object) -> int:
        """The cell of a value."""
        if value is None:
            return 0
        if self.text:
            name = text_of(value)
            return 1 + (self.values.index(name) if name in self.values else len(self.values))
        found = float(value) if isinstance(value, int | float | Decimal) else math.nan
        return 0 if math.isnan(found) else 1 + bisect_right(self.edges, found)

    def named(self, cell: int) -> str:
        """A cell in words."""
        if cell == 0:
            return "NULL"
        if self.text:
            return self.values[cell - 1] if cell <= len(self.values) else OTHER
        low = self.edges[cell - 2] if cell > 1 else None
        high = self.edges[cell - 1] if cell <= len(self.edges) else None
        if low is None:
            return "any number" if high is None else f"below {number(high)}"
        return f"{number(low)} or more" if high is None else f"{number(low)} to below {number(high)}"


@dataclass(frozen=True)
class Slices:
    """The slices of `main`: of each group of columns, given by their places, all combinations of their cells."""

    main: Source
    columns: tuple[Cells, ...]
    groups: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each slice, in the order of their places."""
        every = (self.cells_of(place) for place in range(self.offsets[-1]))
        return tuple(" & ".join(f"{one.column.name} {one.named(cell)}" for one, cell in cells) for cells in every)

    @property
    def offsets(self) -> tuple[int, ...]:
        """The place of the first slice of each group, and the number of all."""
        found = [0]
        for group in self.groups:
            found.append(found[-1] + math.prod(self.columns[at].width for at in group))
        return tuple(found)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.main,)

    def cells_of(self, place: int) -> tuple[tuple[Cells, int], ...]:
        """The columns of a slice, with the cell of each."""
        at = next(i for i, first in enumerate(self.offsets[1:]) if place < first)
        rest, found = place - self.offsets[at], []
        for column in reversed(self.groups[at]):
            rest, cell = divmod(rest, self.columns[column].width)
            found.append((self.columns[column], cell))
        return tuple(reversed(found))

    def reads(self, *parts: Sequence[Column]) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of the parts, then those that tell the slices."""
        return {self.main: (*(part[0] for part in parts), *(cells.column for cells in self.columns))}

    def rows(self, tables: Mapping[Source, Rows]) -> Iterator[tuple[int | None, int, Values]]:
        """Every row once for each group."""
        width, offsets = len(self.columns), self.offsets
        for row in tables[self.main]:
            values, telling = tuple(row[: len(row) - width]), row[len(row) - width :]
            codes = [cells.cell_of(value) for cells, value in zip(self.columns, telling, strict=True)]
            for group, first in zip(self.groups, offsets, strict=False):
                place = 0
                for at in group:
                    place = place * self.columns[at].width + codes[at]
                yield first + place, 0, values

    def __str__(self) -> str:
        """For the plan."""
        return f"{self.main}, {self.offsets[-1]:,} slices of {len(self.columns)} columns"
