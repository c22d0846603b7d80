"""A sink that keeps results in memory: for tests, notebooks and plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sparkguard.core.finding import Status
from sparkguard.core.states import StateUpdate
from sparkguard.sinks.render import PreviousKey
from sparkguard.sinks.rows import TABLES, Row, ViolationRow
from sparkguard.sinks.states import state_rows


class MemorySink:
    """Keeps rows by table as `DeltaSink` would, replaced by run."""

    def __init__(self) -> None:
        """Start with empty tables."""
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLES}

    def prepare(self) -> None:
        """Nothing to prepare."""

    def highest_attempt(self, suite: str, run_id: str) -> int:
        """The highest attempt of the run in any table."""
        rows: list[Any] = [r for name in ("runs", "check_results") for r in self.tables[name]]
        return max((r.attempt for r in rows if (r.suite, r.run_id) == (suite, run_id)), default=0)

    def previous(self, suite: str, run_id: str, run_date: date) -> Mapping[PreviousKey, Status]:
        """The last status, not skipped, of each subject."""
        rows: list[Any] = sorted(self.tables["check_results"], key=lambda r: (r.run_date, r.created_at))
        return {
            (r.check_id, r.subject_kind, r.subject, r.slice_key, r.slice_value): Status(r.status)
            for r in rows
            if r.suite == suite and r.run_id != run_id and r.run_date <= run_date and r.status != "skipped"
        }

    def replace(self, table: str, rows: Sequence[Row], suite: str, run_id: str) -> None:
        """Make `rows` the only ones of the run; `runs` keeps other attempts."""
        attempts = {r.attempt for r in rows if table == "runs"}  # type: ignore[union-attr]
        kept: list[Any] = self.tables[table]
        self.tables[table] = [
            r for r in kept if (r.suite, r.run_id) != (suite, run_id) or (table == "runs" and r.attempt not in attempts)
        ] + list(rows)

    def replace_states(self, updates: Sequence[StateUpdate], suite: str, now: datetime) -> None:
        """Keep the newest rows of each block and group of measures."""
        rows = state_rows(updates, suite, now)
        kept: list[Any] = self.tables["states"]
        new = {(r.dataset, r.window_start, r.measure_fingerprint) for r in rows}
        self.tables["states"] = [
            r for r in kept if r.suite != suite or (r.dataset, r.window_start, r.measure_fingerprint) not in new
        ] + list(rows)

    def write_evidence(self, frame: Any, row: ViolationRow, target: str) -> None:
        """All evidence goes to executors' tables only; memory keeps the capped rows."""
        del frame, row, target
