"""What a run is plugged into: an engine, a sink, and the jobs of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, Self

from sparkguard.core.finding import EvidenceQuery, Status
from sparkguard.core.states import StateUpdate
from sparkguard.engine.gather import Engine
from sparkguard.sinks.render import PreviousKey
from sparkguard.sinks.rows import Row, ViolationRow


class Sink(Protocol):
    """Where results go; `DeltaSink` and `MemorySink` are two."""

    def prepare(self) -> None:
        """Make the tables."""

    def highest_attempt(self, suite: str, run_id: str) -> int:
        """The highest attempt seen of a run, 0 without one."""

    def previous(self, suite: str, run_id: str, run_date: date) -> Mapping[PreviousKey, Status]:
        """The last status of each subject in earlier runs."""

    def replace(self, table: str, rows: Sequence[Row], suite: str, run_id: str) -> None:
        """Make `rows` the only ones of the run."""

    def replace_states(self, updates: Sequence[StateUpdate], suite: str, now: datetime) -> None:
        """Bring new states of blocks and drop those that changed data made void."""

    def write_evidence(self, frame: Any, row: ViolationRow, target: str) -> None:
        """Make `frame` (None: nothing) all evidence of one check and run in a table of the suite's own."""


class EvidenceEngine(Engine, Protocol):
    """An engine that can also hand out all evidence of a measure, and the states that it made."""

    def updates(self) -> Sequence[StateUpdate]:
        """What the run changes in the stored states."""

    def evidence(self, queries: Sequence[EvidenceQuery], redact: Sequence[str]) -> Any:
        """All evidence as a frame of `kind`, `key`, `reason` and `count`."""


class Jobs(Protocol):
    """Labels the jobs of the checks, so that they can be counted, and cancelled on `stop`."""

    def __enter__(self) -> Self:
        """Label what comes."""

    def __exit__(self, *_: object) -> None:
        """Take the label off, so that the writing is never cancelled."""

    def count(self) -> int | None:
        """The jobs so far, where they can be counted."""


class Unlabelled:
    """There are no jobs to label."""

    def __enter__(self) -> Self:
        """Label nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take off."""

    def count(self) -> int | None:
        """Nothing is counted."""
        return None
