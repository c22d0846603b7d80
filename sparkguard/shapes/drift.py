"""Columns of a window beside stretches of their reference: from the counts of days to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sparkguard.core.measure import Days
from sparkguard.measures.grids import FIRST, Grid
from sparkguard.measures.histograms import Counts

if TYPE_CHECKING:
    import numpy as np

    from sparkguard.stats.drift import Scores
    from sparkguard.stats.maximum import Unit, Verdict
    from sparkguard.stats.stretches import Mode, Seasonality, Snapshots

    Cells = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

GROUP = 64
"""Units that are scored together: a year of their days is tens of megabytes."""


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

    def blocks(self, days: Days[Counts], length: int) -> Cells:
        """Rows of shape (blocks, cells); blocks of `length` days, of which the last ends with the days."""
        import numpy as np

        found = np.stack([self._cells(state) for state in days.states])
        found = found[len(found) % length :]
        return np.asarray(found.reshape(-1, length, self.grid.cells).sum(axis=1))

    def _cells(self, state: Counts) -> Cells:
        cells = state.cells(self.groups * self.grid.cells).reshape(self.groups, self.grid.cells)
        return cells.sum(axis=0) if self.group is None else cells[self.group]


@dataclass(frozen=True, slots=True)
class Compared:
    """A series with the rows that were judged, and those that they were compared with."""

    series: Series
    window: tuple[int, ...]
    base: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on all series, in their order, and by which stretches it came about."""

    compared: tuple[Compared, ...]
    verdict: Verdict
    snapshots: Snapshots

    def units(self) -> Iterator[tuple[Compared, Unit]]:
        """Each series with what was found of it."""
        return zip(self.compared, self.verdict.units, strict=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """How days become blocks and blocks stretches; `gap` is in days from the reference's end to the window."""

    block: int
    mode: Mode
    seasonality: Seasonality
    gap: int
    first: datetime


def compare(
    series: Sequence[Series], layout: Layout, alpha: float, min_effect: float
) -> Comparison | None:
    """Judge all series together; None if the reference has too few stretches."""
    from sparkguard.stats.maximum import decide
    from sparkguard.stats.stretches import Timeline, choose

    rows = series[0].blocks(series[0].reference, layout.block).sum(axis=1)
    length = len(series[0].window.days) // layout.block
    skipped = len(series[0].reference.days) % layout.block
    first = layout.first + timedelta(days=skipped)
    timeline = Timeline(rows.tolist(), length, layout.gap // layout.block, first, timedelta(days=layout.block))
    snapshots = choose(timeline, layout.mode, layout.seasonality)
    if snapshots is None:
        return None
    compared: list[Compared] = []
    scored = []
    for at in range(0, len(series), GROUP):
        group = series[at : at + GROUP]
        scores, found = _scored(group, snapshots, layout.block)
        scored.append(scores)
        compared += found
    return Comparison(tuple(compared), decide(scored, alpha, min_effect), snapshots)


def _scored(group: Sequence[Series], snapshots: Snapshots, block: int) -> tuple[Scores, list[Compared]]:
    import numpy as np

    from sparkguard.stats.cells import Layout as Cells
    from sparkguard.stats.drift import scores

    widest = max(s.grid.cells for s in group)
    spans = [(s.start, s.stop) for s in snapshots.stretches]
    items = np.zeros((len(spans) + 1, len(group), widest), np.int64)
    bases = np.zeros_like(items)
    for i, one in enumerate(group):
        reference = one.blocks(one.reference, block)
        until = np.concatenate([np.zeros_like(reference[:1]), reference.cumsum(axis=0)])
        cells = slice(one.grid.cells)
        for s, stretch in enumerate(snapshots.stretches):
            items[s, i, cells] = until[stretch.stop] - until[stretch.start]
            bases[s, i, cells] = sum(until[stop] - until[start] for start, stop in stretch.base)
        items[-1, i, cells] = one.blocks(one.window, block)[-snapshots.length :].sum(axis=0)
        bases[-1, i, cells] = sum(until[stop] - until[start] for start, stop in snapshots.base)
    layout = Cells(
        np.array([s.grid.ordered for s in group]),
        np.array([FIRST + len(s.grid.hashes) for s in group]),
        np.array([s.grid.cells for s in group]),
    )
    found = [
        Compared(s, tuple(items[-1, i, : s.grid.cells].tolist()), tuple(bases[-1, i, : s.grid.cells].tolist()))
        for i, s in enumerate(group)
    ]
    return scores(items, bases, layout), found
