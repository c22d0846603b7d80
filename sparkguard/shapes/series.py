"""What is compared by itself, and how its days become blocks and stretches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast

from sparkguard.core.measure import Days
from sparkguard.measures.grids import Grid
from sparkguard.measures.histograms import Counts

if TYPE_CHECKING:
    from sparkguard.measures.histograms import Vector


@dataclass(frozen=True, slots=True)
class Series:
    """What is judged by itself: a column, or a column where another one has a value; its rows by day and cell.

    `group` is the number of its rows' group among `groups`, None for all rows.
    """

    column: str
    grid: Grid
    reference: Days[Counts]
    window: Days[Counts]
    slice_key: str | None = None
    slice_value: str | None = None
    group: int | None = None
    groups: int = 1

    def cells(self, state: Counts) -> Vector:
        """Its rows in the cells of the grid."""
        rows = state.cells(self.groups * self.grid.cells).reshape(self.groups, self.grid.cells)
        return cast("Vector", rows.sum(axis=0) if self.group is None else rows[self.group])

    def rows(self, days: Days[Counts]) -> int:
        """All rows of these days."""
        return sum(int(self.cells(state).sum()) for state in days.states)


@dataclass(frozen=True, slots=True)
class Layout:
    """How days become blocks and blocks stretches; `gap` is in days from the reference's end to the window."""

    block: int
    mode: Literal["forward", "around"]
    seasonality: Literal["none", "weekly", "yearly"]
    gap: int
    first: datetime
