"""Which results are shown where, and which in full: what bounds the size of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparkguard.core.finding import Status

Row = Mapping[str, Any]
"""A row of a result table, by column."""

FULL_RESULTS = 100
"""Results of a suite that are shown with all their facts and evidence; the others get a line."""

FULL_SUBJECTS = 10
"""The same for one check, so that a wide one leaves room for the others."""


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one check, the most urgent first."""

    status: Status
    full: tuple[Row, ...]
    listed: tuple[Row, ...]
    """Results that did not pass and get only a line."""
    passed: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All results of the check."""
        return self.full + self.listed + self.passed


def outline(results: Sequence[Row]) -> list[Group]:
    """The checks by urgency: worst status, then severity, then transition, then the order of the verdicts."""
    by_check: dict[str, list[Row]] = {}
    for row in sorted(results, key=lambda r: r["created_at"]):
        by_check.setdefault(row["check_id"], []).append(row)
    ordered = [sorted(rows, key=_urgency) for rows in by_check.values()]
    return list(_groups(sorted(ordered, key=lambda rows: _urgency(rows[0])[:3])))


def _groups(checks: Sequence[Sequence[Row]]) -> Iterator[Group]:
    left = FULL_RESULTS
    for rows in checks:
        passed = [r for r in rows if r["status"] == Status.PASS]
        # A skipped check has nothing but its reason, for which a line is enough.
        skipped = [r for r in rows if r["status"] == Status.SKIPPED]
        telling = [r for r in rows if r["status"] not in (Status.PASS, Status.SKIPPED)]
        shown = min(left, FULL_SUBJECTS, len(telling))
        left -= shown
        listed = telling[shown:] + skipped
        yield Group(Status(rows[0]["status"]), tuple(telling[:shown]), tuple(listed), tuple(passed))


def _urgency(row: Row) -> tuple[int, int, int, float]:
    return (
        Status(row["status"]).rank,
        row["severity"] != "error",
        row["transition"] != "new",
        -(row["violation_rate"] or 0.0),
    )
