"""The plan of a suite from metadata alone: what the first round reads, and at most what later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from sparkguard.core.batches import Batch, batches
from sparkguard.core.check import Check
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Cost, Daily, Measure, Summary
from sparkguard.core.plan import selected, stages
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.core.text import count as _count
from sparkguard.core.text import few
from sparkguard.engine.gather import Engine
from sparkguard.errors import DataError
from sparkguard.outcome import Choice

_SHOWN = 12


class SizedEngine(Engine, Protocol):
    """An engine that knows how large a dataset is, and what is known of it, without reading it."""

    def missing(self, batch: Batch) -> tuple[int, str]:
        """Reads of a batch, and what of it they would read where that is not all."""

    def cost(self, measure: Measure[Answer]) -> Cost:
        """What a measure that is answered by itself costs tonight."""

    def size(self, source: Source) -> int | None:
        """Bytes of the whole dataset, where somebody wrote them down."""


def plan_lines(suite: Suite, engine: SizedEngine, choice: Choice, now: datetime) -> list[str]:
    """One block for each stage: pinned inputs, the first round's measures, later ones by check."""
    chosen = selected(suite.checks, choice.only, choice.tags)
    lines = [f"suite {suite.name} for {suite.date}: {len(chosen)} of {len(suite.checks)} checks"]
    for stage in stages([c for c in suite.checks if c.id in chosen]):
        before = [
            f"{', '.join(sorted(names))} {word}"
            for names, word in ((stage.needs, "passed"), (stage.follows - stage.needs, "was judged"))
            if names
        ]
        lines.append(f"stage{' after ' if before else ''}{', and '.join(before)}:")
        seen = Evidence(pins=engine.pin(s for c in stage.checks for s in c.datasets), now=now)
        lines += _inputs(stage.checks, seen, engine)
        lines += _first_round(stage.checks, seen, engine)
        lines += [f"  later, at most: {check.id}: {check.COST}" for check in stage.checks]
    return lines


def _inputs(checks: Iterable[Check], seen: Evidence, engine: SizedEngine) -> Iterable[str]:
    for source in dict.fromkeys(s for c in checks for s in c.datasets):
        try:
            seen.schema(source)
        except DataError as error:
            yield f"  cannot be read: {error}"
            continue
        version, size = seen.version(source), engine.size(source)
        at = "not versioned" if version is None else f"version {version}"
        whole = "size unknown" if size is None else f"{size:,} bytes in the whole table"
        yield f"  input {source}: {at}, {whole}"


def _first_round(checks: Iterable[Check], seen: Evidence, engine: SizedEngine) -> Iterable[str]:
    askers: dict[Measure[Answer], list[str]] = {}
    for check in checks:
        try:
            for measure in check.ask(seen):
                askers.setdefault(measure, []).append(check.id)
        except DataError as error:
            yield f"  {check.id} cannot ask: {error}"
    scans, shared = 0, list(batches(askers))
    for batch in shared:
        ids = list(dict.fromkeys(i for m in batch.asked for i in askers[m]))
        reads, told = engine.missing(batch)
        scans += reads
        spared = f"{told}; " if told else ""
        yield (
            f"  first round: {_count(len(batch.measures), 'measure')} of {batch.source}: {_count(reads, 'scan')} of "
            f"{_some([c.name for c in batch.columns])}, {_count(batch.shuffles, 'shuffle')}; {spared}for {_some(ids)}"
        )
    alone = {m: ids for m, ids in askers.items() if not isinstance(m, Summary | Daily)}
    costs = {measure: engine.cost(measure) for measure in alone}
    for measure, ids in alone.items():
        columns = sorted({c.name for cs in measure.reads.values() for c in cs})
        yield (
            f"  first round: {measure}: {_count(costs[measure].scans, 'scan')} of {_some(columns)}, "
            f"{_count(costs[measure].shuffles, 'shuffle')}; for {_some(ids)}"
        )
    scans += sum(cost.scans for cost in costs.values())
    shuffles = sum(b.shuffles for b in shared) + sum(cost.shuffles for cost in costs.values())
    yield f"  first round in all: {_count(scans, 'scan')}, {_count(shuffles, 'shuffle')}"


def _some(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    return few(names, _SHOWN) or "no column"
