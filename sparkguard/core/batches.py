"""Which summaries share one read: all of a source, unless they are too many for one plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Daily, Dense, Measure, State, Summary, Tall, Wide
from sparkguard.core.source import Source

MAX_MEASURES = 250
"""More aggregates than this make a plan whose generated code the JVM no longer compiles well."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Summaries of one source, all of one kind, that one read answers, as a whole or `daily`."""

    source: Source
    measures: tuple[Summary[State], ...]
    daily: bool = False

    @property
    def asked(self) -> tuple[Measure[Answer], ...]:
        """The measures as they were asked."""
        return tuple(Daily(m) for m in self.measures) if self.daily else self.measures

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column that is read, once."""
        return tuple(dict.fromkeys(c for m in self.measures for c in m.columns))

    @property
    def shuffles(self) -> int:
        """Shuffles of the batch: cells are grouped, a wide aggregate only sends its result."""
        return max(m.cost.shuffles for m in self.measures)

    def halves(self) -> tuple[Batch, Batch]:
        """The batch split in two."""
        middle = len(self.measures) // 2
        return replace(self, measures=self.measures[:middle]), replace(self, measures=self.measures[middle:])


def batches(measures: Iterable[Measure[Answer]]) -> Iterator[Batch]:
    """Group the summaries among `measures`; columns that one of them reads together stay together."""
    kinds: tuple[type[Summary[State]], ...] = (Wide, Tall, Dense)
    groups: dict[tuple[bool, type, Source], list[Summary[State]]] = {}
    for measure in measures:
        summary = measure.of if isinstance(measure, Daily) else measure
        for kind in kinds:
            if isinstance(summary, kind):
                groups.setdefault((isinstance(measure, Daily), kind, summary.source), []).append(summary)
    for (daily, of, source), members in groups.items():
        # What is dense is no aggregate of a plan: the engine bounds it by its cells.
        parts = [members] if of is Dense else _packed(_connected(members))
        yield from (Batch(source, tuple(part), daily) for part in parts)


def _packed(parts: Iterable[list[Summary[State]]]) -> Iterator[list[Summary[State]]]:
    """Fill batches with whole parts, in their order."""
    batch: list[Summary[State]] = []
    for part in parts:
        if batch and len(batch) + len(part) > MAX_MEASURES:
            yield batch
            batch = []
        batch = batch + part
    if batch:
        yield batch


def _connected(measures: Sequence[Summary[State]]) -> list[list[Summary[State]]]:
    """Parts that share no column, so that no column is read by two batches."""
    leads: dict[Column, Column] = {}

    def lead(column: Column) -> Column:
        while leads.setdefault(column, column) != column:
            leads[column] = column = leads[leads[column]]
        return column

    for measure in measures:
        for column in measure.columns[1:]:
            leads[lead(column)] = lead(measure.columns[0])
    parts: dict[Column | None, list[Summary[State]]] = {}
    for measure in measures:
        parts.setdefault(lead(measure.columns[0]) if measure.columns else None, []).append(measure)
    return list(parts.values())
