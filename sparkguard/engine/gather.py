"""The rounds: ask all checks of a stage, answer what is new, ask again until nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from sparkguard.core.check import Check
from sparkguard.core.evidence import Evidence, Pin
from sparkguard.core.finding import Finding
from sparkguard.core.instant import EPOCH
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.plan import MAX_ROUNDS
from sparkguard.core.source import Source
from sparkguard.errors import DataError

PinKey = tuple[str, int | None]
AnyMeasure = Measure[Answer]
Reply = Answer | Broken


class Engine(Protocol):
    """What the rounds need of an engine; tests use one without Spark."""

    def pin(self, sources: Iterable[Source]) -> Mapping[PinKey, Pin | Broken]:
        """Fix the version and schema of each dataset from now on."""

    def compute(self, measures: Sequence[AnyMeasure]) -> Iterator[tuple[AnyMeasure, Reply]]:
        """Answer the measures of one round from the pinned data, each as soon as it is known."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A check that asks no more: what it may judge, or why it could not ask."""

    check: Check
    seen: Evidence
    error: Exception | None = None


class Rounds:
    """Gathers evidence stage by stage; what was answered at the same versions is not asked again."""

    def __init__(self, engine: Engine) -> None:
        """Answer with `engine`."""
        self._engine = engine
        self._known: dict[tuple[AnyMeasure, tuple[int | None, ...]], Reply] = {}

    def gather(
        self,
        checks: Sequence[Check],
        judged: Mapping[str, Sequence[Finding]] = MappingProxyType({}),
        now: datetime = EPOCH,
    ) -> Iterator[Gathered]:
        """Yield each check of a stage as soon as nothing it asks is missing; four rounds at most.

        `judged` is what the stages before have found, `now` when the run began.
        """
        answers: dict[AnyMeasure, Reply] = {}
        pins = self._engine.pin(s for check in checks for s in check.datasets)
        seen = Evidence(MappingProxyType(answers), pins, judged, now)
        pending = list(checks)
        for turn in range(MAX_ROUNDS + 1):
            waiting: dict[str, tuple[Check, set[AnyMeasure]]] = {}
            wanted: dict[AnyMeasure, None] = {}
            for check in pending:
                asked = _missing(check, seen)
                if isinstance(asked, Gathered):
                    yield asked
                elif turn == MAX_ROUNDS:
                    yield Gathered(check, seen, _asks_on(check))
                else:
                    waiting[check.id] = (check, set(asked))
                    wanted.update(dict.fromkeys(asked))
            for measure, reply in self._answers(list(wanted), seen):
                answers[measure] = reply
                for name, (check, open_measures) in list(waiting.items()):
                    open_measures.discard(measure)
                    done = None if open_measures else _missing(check, seen)
                    if isinstance(done, Gathered):
                        del waiting[name]
                        yield done
            pending = [check for check, _ in waiting.values()]

    def _answers(self, measures: Sequence[AnyMeasure], seen: Evidence) -> Iterator[tuple[AnyMeasure, Reply]]:
        keys = {m: (m, tuple(seen.version(s) for s in m.sources)) for m in measures}
        fresh = [m for m in measures if keys[m] not in self._known]
        yield from ((m, self._known[keys[m]]) for m in measures if m not in fresh)
        for measure, reply in self._engine.compute(fresh) if fresh else ():
            if keys[measure][1] and None not in keys[measure][1]:
                self._known[keys[measure]] = reply
            yield measure, reply


def _missing(check: Check, seen: Evidence) -> list[AnyMeasure] | Gathered:
    try:
        missing = [m for m in check.ask(seen) if m not in seen]
    except Exception as error:  # noqa: BLE001 - one check's exception never stops the others
        return Gathered(check, seen, error)
    return missing or Gathered(check, seen)


def _asks_on(check: Check) -> DataError:
    message = f"still asks for data after {MAX_ROUNDS} rounds"
    return DataError(message, f"report this: the check type {check.kind()} must ask within {MAX_ROUNDS} rounds")
