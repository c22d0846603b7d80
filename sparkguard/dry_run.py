"""The plan of a suite from metadata alone: what the first round reads, and at most what later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sparkguard.core.check import Check
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.plan import selected, stages
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.engine.gather import Engine
from sparkguard.errors import DataError
from sparkguard.runner import Choice


class SizedEngine(Engine, Protocol):
    """An engine that knows how large a dataset is without reading it."""

    def size(self, source: Source) -> int | None:
        """Bytes of the whole dataset, where somebody wrote them down."""


def plan_lines(suite: Suite, engine: SizedEngine, choice: Choice) -> list[str]:
    """One block for each stage: pinned inputs, the first round's measures, later ones by check."""
    chosen = selected(suite.checks, choice.only, choice.tags)
    lines = [f"suite {suite.name} for {suite.date}: {len(chosen)} of {len(suite.checks)} checks"]
    for stage in stages([c for c in suite.checks if c.id in chosen]):
        after = f" after {', '.join(sorted(stage.needs))} passed" if stage.needs else ""
        lines.append(f"stage{after}:")
        seen = Evidence(pins=engine.pin(s for c in stage.checks for s in c.datasets))
        lines += _inputs(stage.checks, seen, engine)
        lines += _first_round(stage.checks, seen)
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


def _first_round(checks: Iterable[Check], seen: Evidence) -> Iterable[str]:
    askers: dict[Measure[Answer], list[str]] = {}
    for check in checks:
        try:
            for measure in check.ask(seen):
                askers.setdefault(measure, []).append(check.id)
        except DataError as error:
            yield f"  {check.id} cannot ask: {error}"
    for measure, ids in askers.items():
        scans, shuffles = measure.cost.scans, measure.cost.shuffles
        columns = sorted({c.name for cs in measure.reads.values() for c in cs})
        yield (
            f"  first round: {measure}: {scans} scan{'s' * (scans != 1)} of {', '.join(columns)}, "
            f"{shuffles} shuffle{'s' * (shuffles != 1)}; for {', '.join(ids)}"
        )
    total = [m.cost for m in askers]
    yield f"  first round in all: {sum(c.scans for c in total)} scans, {sum(c.shuffles for c in total)} shuffles"
