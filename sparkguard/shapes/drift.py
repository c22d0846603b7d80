"""Columns of a window beside what is usual, from counts to a verdict: by stretches, by clusters, by rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sparkguard.core.text import count
from sparkguard.measures.histograms import CellCounts
from sparkguard.shapes.series import Calendar, Series
from sparkguard.stats import cells, drift, timeless
from sparkguard.stats.homogeneity import Counts
from sparkguard.stats.maximum import Unit, Verdict, decide
from sparkguard.stats.stretches import LEAST, Snapshots, Timeline, choose

TOGETHER = 64
"""Series that are scored at once: a year of their days is tens of megabytes."""

Scored = tuple[drift.Scores, Counts, Counts]
"""Scores, and the (C, K) counts of the window and of what it was compared with."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A series with the rows that were judged, and those that they were compared with."""

    series: Series
    window: tuple[int, ...]
    base: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where stretches lie: `blocks` of `block` days from `first` on, and the window up to `end`, by wall clock."""

    snapshots: Snapshots
    first: datetime
    block: int
    blocks: int
    end: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on all series, in their order, and what said what is usual: `many` (26) `snapshots`.

    `days` at the end of the window were judged, of `asked_days`; None without time. `odd` is a series, and the
    days of a stretch whose score of it alone makes the limit what it is. `placed`: of rows by time.
    """

    compared: tuple[Compared, ...]
    verdict: Verdict
    many: int
    snapshots: str
    days: int | None = None
    asked_days: int | None = None
    odd: tuple[Series, str] | None = None
    placed: Placed | None = None

    def units(self) -> Iterator[tuple[Compared, Unit]]:
        """Each series with what was found of it."""
        return zip(self.compared, self.verdict.units, strict=True)


def by_stretches(series: Sequence[Series], calendar: Calendar, alpha: float, min_effect: float) -> Comparison | None:
    """Judge all series together by stretches of the reference; None if it has too few."""
    block = calendar.block
    # Blocks lie as the window does, so the last days of the reference may be part of none.
    used = len(series[0].reference) - (-calendar.gap % block)
    if used < block:
        return None
    rows = _blocks(series[0], series[0].reference[:used], block).sum(axis=1)
    length = len(series[0].window) // block
    first = calendar.first + timedelta(days=used % block)
    timeline = Timeline(rows.tolist(), length, -(-calendar.gap // block), first, timedelta(days=block))
    snapshots = choose(timeline, calendar.mode, calendar.seasonality)
    if snapshots is None:
        return None
    compared, verdict = _judged(series, lambda some: _by_stretches(some, snapshots, used, block), alpha, min_effect)
    days, many = snapshots.length * block, len(snapshots.stretches)
    odd = None
    if verdict.odd is not None:
        stretch, unit = verdict.odd
        start = first + timedelta(days=snapshots.stretches[stretch].start * block)
        odd = series[unit], f"{start.date()} to {(start + timedelta(days=days - 1)).date()}"
    placed = Placed(snapshots, first, block, len(rows), calendar.end, calendar.timezone)
    return Comparison(compared, verdict, many, f"stretches of {count(days, 'day')}", days, length * block, odd, placed)


def by_clusters(series: Sequence[Series], alpha: float, min_effect: float) -> Comparison | None:
    """Judge all series together by groups of clusters; None if fewer than 26 of them have rows."""
    both = series[0].by_group(series[0].window[0]).sum(axis=1) + series[0].by_group(series[0].reference[0]).sum(axis=1)
    filled = np.flatnonzero(both)
    if len(filled) < LEAST:
        return None
    compared, verdict = _judged(series, lambda some: _by_clusters(some, filled), alpha, min_effect)
    return Comparison(compared, verdict, timeless.REPLICATES, f"resamplings of {len(filled)} groups of clusters")


def by_rows(series: Sequence[Series], alpha: float, min_effect: float) -> Comparison:
    """Judge all series together, whose rows are independent of each other."""
    rng = timeless.random()
    compared, verdict = _judged(series, lambda some: _by_rows(some, rng), alpha, min_effect)
    return Comparison(compared, verdict, timeless.REPLICATES, "samples of independent rows")


def _judged(
    series: Sequence[Series], score: Callable[[Sequence[Series]], Scored], alpha: float, min_effect: float
) -> tuple[tuple[Compared, ...], Verdict]:
    scored, compared = [], list[Compared]()
    for at in range(0, len(series), TOGETHER):
        some = series[at : at + TOGETHER]
        scores, window, base = score(some)
        scored.append(scores)
        sides = zip(some, window.tolist(), base.tolist(), strict=True)
        compared += [Compared(s, tuple(a[: s.grid.cells]), tuple(b[: s.grid.cells])) for s, a, b in sides]
    return tuple(compared), decide(scored, alpha, min_effect)


def _by_stretches(some: Sequence[Series], snapshots: Snapshots, used: int, block: int) -> Scored:
    reference = _side(some, (_blocks(s, s.reference[:used], block) for s in some))
    window = _side(some, (_blocks(s, s.window, block) for s in some))
    items, bases = drift.gathered(reference, window[-snapshots.length :].sum(axis=0), snapshots)
    return drift.scores(items, bases, _kinds(some)), items[-1], bases[-1]


def _by_clusters(some: Sequence[Series], filled: Counts) -> Scored:
    window, reference = (
        _side(some, (s.by_group(state)[filled] for s, state in zip(some, states, strict=True)))
        for states in ([s.window[0] for s in some], [s.reference[0] for s in some])
    )
    return timeless.cluster_scores(window, reference, _kinds(some)), window.sum(axis=0), reference.sum(axis=0)


def _by_rows(some: Sequence[Series], rng: np.random.Generator) -> Scored:
    window = _side(some, (s.cells(s.window[0])[None] for s in some))[0]
    reference = _side(some, (s.cells(s.reference[0])[None] for s in some))[0]
    return timeless.row_scores(window, reference, _kinds(some), rng=rng), window, reference


def _side(some: Sequence[Series], counts: Iterable[Counts]) -> Counts:
    """Put (B, K) counts of each series together as (B, C, K), padded with cells that no row is in."""
    widest = max(s.grid.cells for s in some)
    return np.stack([np.pad(c, ((0, 0), (0, widest - c.shape[1]))) for c in counts], axis=1)


def _blocks(series: Series, days: Sequence[CellCounts], length: int) -> Counts:
    """Rows of shape (blocks, cells); blocks of `length` days, of which the last ends with the days."""
    found = np.stack([series.cells(state) for state in days])
    found = found[len(found) % length :]
    return np.asarray(found.reshape(-1, length, series.grid.cells).sum(axis=1))


def _kinds(some: Sequence[Series]) -> cells.CellKinds:
    return cells.CellKinds(np.array([s.grid.ordered for s in some]), np.array([s.grid.cells for s in some]))
