"""What is compared by itself, and how its days become blocks and stretches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast

from sparkguard.measures.grids import Grid
from sparkguard.measures.histograms import CellCounts

if TYPE_CHECKING:
    from sparkguard.measures.histograms import Vector


@dataclass(frozen=True, slots=True)
class Series:
    """What is judged by itself: a column, or a column where another one has a value.

    Its rows are those of each day, or one count of all of them where there is no time. `group` is the number
    of its rows' group among `groups`, None for all rows.
    """

    column: str
    grid: Grid
    reference: tuple[CellCounts, ...]
    window: tuple[CellCounts, ...]
    slice_key: str | None = None
    slice_value: str | None = None
    group: int | None = None
    groups: int = 1

    def cells(self, state: CellCounts) -> Vector:
        """Its rows in the cells of the grid."""
        rows = self.by_group(state)
        return cast("Vector", rows.sum(axis=0) if self.group is None else rows[self.group])

    def by_group(self, state: CellCounts) -> Vector:
        """The rows of each group in the cells of the grid: (groups, cells)."""
        return cast("Vector", state.cells(self.groups * self.grid.cells).reshape(self.groups, self.grid.cells))

    @property
    def rows(self) -> int:
        """All rows of the window."""
        return sum(int(self.cells(state).sum()) for state in self.window)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How days become blocks and blocks stretches; `gap` is in days from the reference's end to the window.

    `first` is the reference's first day, `end` the window's end, by the wall clock of `timezone`.
    """

    block: int
    mode: Literal["forward", "around"]
    seasonality: Literal["none", "weekly", "yearly"]
    gap: int
    first: datetime
    end: datetime
    timezone: str
