"""What is known so far: the answers to the measures of a suite, read-only for its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sparkguard.core.columns import Schema
from sparkguard.core.finding import Finding
from sparkguard.core.instant import EPOCH
from sparkguard.core.measure import A_co, Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.errors import DataError


@dataclass(frozen=True, slots=True)
class Pin:
    """A dataset as this run sees it: its schema, one version (None where it has none), its time column."""

    schema: Schema
    version: int | None = None
    time_column: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Answers by measure, pinned datasets by source, and what earlier stages found, by the id of a check.

    Nothing here can start a scan: what is missing is asked for in the next round. `now` is when the run
    began, aware, in UTC.
    """

    answers: Mapping[Measure[Answer], Answer | Broken] = field(default_factory=dict)
    pins: Mapping[tuple[str, int | None], Pin | Broken] = field(default_factory=dict)
    judged: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    now: datetime = EPOCH

    def __contains__(self, measure: object) -> bool:
        """Whether the measure was answered, be it with `Broken`."""
        return measure in self.answers

    def get(self, measure: Measure[A_co]) -> A_co | Broken | None:
        """The answer, `Broken` if there could be none, None if it was not asked yet."""
        return cast("A_co | Broken | None", self.answers.get(measure))

    def require(self, measure: Measure[A_co]) -> A_co:
        """The answer; `DataError` if it is broken, so that the check becomes `error`."""
        answer = self.get(measure)
        if answer is None:
            message = f"not measured: {measure}"
            raise DataError(message)
        if isinstance(answer, Broken):
            raise DataError(answer.reason, answer.remedy)
        return answer

    def schema(self, source: Source) -> Schema:
        """The schema of the source's dataset at its pinned version."""
        return self._pin(source).schema

    def time_column(self, source: Source) -> str | None:
        """The column by which the source's dataset is cut into windows."""
        return self._pin(source).time_column

    def version(self, source: Source) -> int | None:
        """The version that was read; None where the dataset has no versions or was not read."""
        pin = self.pins.get((source.dataset, source.version))
        return None if pin is None or isinstance(pin, Broken) else pin.version

    def _pin(self, source: Source) -> Pin:
        pin = self.pins.get((source.dataset, source.version))
        if pin is None:
            message = f"dataset '{source.dataset}' was not opened"
            raise DataError(message)
        if isinstance(pin, Broken):
            raise DataError(pin.reason, pin.remedy)
        return pin
