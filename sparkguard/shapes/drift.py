"""Columns of a window beside stretches of their reference: from the counts of days to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from sparkguard.core.measure import Days
from sparkguard.measures.grids import FIRST
from sparkguard.measures.histograms import Counts
from sparkguard.shapes.series import Layout, Series
from sparkguard.stats import cells
from sparkguard.stats.drift import Scores, gathered, scores
from sparkguard.stats.homogeneity import Counts as Cells
from sparkguard.stats.maximum import Unit, Verdict, decide
from sparkguard.stats.stretches import Snapshots, Timeline, choose

GROUP = 64
"""Units that are scored together: a year of their days is tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A series with the rows that were judged, and those that they were compared with."""

    series: Series
    window: tuple[int, ...]
    base: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on all series, in their order, and by which stretches it came about.

    `days` at the end of the window were judged, of `asked_days`.
    """

    compared: tuple[Compared, ...]
    verdict: Verdict
    snapshots: Snapshots
    days: int
    asked_days: int

    def units(self) -> Iterator[tuple[Compared, Unit]]:
        """Each series with what was found of it."""
        return zip(self.compared, self.verdict.units, strict=True)


def blocks(series: Series, days: Days[Counts], length: int) -> Cells:
    """Rows of shape (blocks, cells); blocks of `length` days, of which the last ends with the days."""
    found = np.stack([series.cells(state) for state in days.states])
    found = found[len(found) % length :]
    return np.asarray(found.reshape(-1, length, series.grid.cells).sum(axis=1))


def compare(series: Sequence[Series], layout: Layout, alpha: float, min_effect: float) -> Comparison | None:
    """Judge all series together; None if the reference has too few stretches."""
    rows = blocks(series[0], series[0].reference, layout.block).sum(axis=1)
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
    verdict = decide(scored, alpha, min_effect)
    days = snapshots.length * layout.block
    return Comparison(tuple(compared), verdict, snapshots, days, length * layout.block)


def _scored(group: Sequence[Series], snapshots: Snapshots, block: int) -> tuple[Scores, list[Compared]]:
    """Score some series, and keep the counts of the window and its base."""
    widest = max(s.grid.cells for s in group)
    reference, window = (
        np.stack([_wide(blocks(s, days, block), widest) for s, days in sides], axis=1)
        for sides in ([(s, s.reference) for s in group], [(s, s.window) for s in group])
    )
    items, bases = gathered(reference, window[-snapshots.length :].sum(axis=0), snapshots)
    layout = cells.Layout(
        np.array([s.grid.ordered for s in group]),
        np.array([FIRST + len(s.grid.hashes) for s in group]),
        np.array([s.grid.cells for s in group]),
    )
    sides = zip(items[-1].tolist(), bases[-1].tolist(), strict=True)
    found = [
        Compared(s, tuple(now[: s.grid.cells]), tuple(base[: s.grid.cells]))
        for s, (now, base) in zip(group, sides, strict=True)
    ]
    return scores(items, bases, layout), found


def _wide(counts: Cells, width: int) -> Cells:
    """Pad (B, K) counts with cells that no row is in."""
    return np.pad(counts, ((0, 0), (0, width - counts.shape[1])))
