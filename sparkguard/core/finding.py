"""What a check found: a status, the numbers behind it, and the rows that prove it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source

WHOLE = ":all"
"""The subject of a finding on the whole of a check."""


class Status(StrEnum):
    """What happened; whether it counts is the severity's business."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def rank(self) -> int:
        """0 for the most urgent: fail, error, skipped, warn, pass."""
        return ("fail", "error", "skipped", "warn", "pass").index(self.value)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a check; `margin` is how far an approximate one may be off (absolute)."""

    value: float | None
    margin: float = 0.0
    exactness: str = "exact"

    def __post_init__(self) -> None:
        """Counts become floats, as the tables hold them; what is no number has no value."""
        if self.value is not None:
            value = float(self.value)
            object.__setattr__(self, "value", None if math.isnan(value) else value)
        if math.isnan(self.margin):
            object.__setattr__(self, "margin", math.inf)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which quantity decided, and against which bounds."""

    status: Status
    metric_name: str | None = None
    observed: float | None = None
    comparison: str | None = None
    warn_bound: float | None = None
    error_bound: float | None = None
    exactness: str = "exact"
    margin: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One piece of evidence; `key` maps column names to the values' texts (None for NULL)."""

    kind: str
    key: Mapping[str, str | None]
    reason: str | None = None
    expected: str | None = None
    actual: str | None = None
    count: int | None = None


def capped(violations: Sequence[Violation], limit: int) -> tuple[Violation, ...]:
    """At most `limit` of the violations, in their order; every kind and reason keeps a fair share."""
    groups: dict[tuple[str, str | None], list[Violation]] = {}
    for violation in violations:
        groups.setdefault((violation.kind, violation.reason), []).append(violation)
    left, kept = limit, dict[tuple[str, str | None], int]()
    for waiting, (group, members) in zip(
        range(len(groups), 0, -1), sorted(groups.items(), key=lambda item: len(item[1])), strict=True
    ):
        kept[group] = min(len(members), -(-left // waiting))
        left -= kept[group]
    return tuple(v for group, members in groups.items() for v in members[: kept[group]])


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """Names a measure all of whose evidence, not only the capped part, can be written to a table."""

    measure: Measure[Answer]
    kind: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict on one subject: a row of `check_results` with its metrics and evidence.

    `counted` is False for a check that was left out on purpose (`on_empty: skip`, `--only`,
    `--tags`); such a row never changes the exit code. `threshold_source` says where the bounds came
    from if nobody wrote them: `history` or `snapshots`. `version` is the one that was looked at, where
    that is not the one to which the dataset is pinned.
    """

    status: Status
    message: str
    remedy: str | None = None
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    decision: Decision | None = None
    evaluated_rows: int | None = None
    violation_rows: int | None = None
    subject_kind: str = "table"
    subject: str = WHOLE
    slice_key: str | None = None
    slice_value: str | None = None
    columns: tuple[str, ...] = ()
    source: Source | None = None
    reference: Source | None = None
    violations: tuple[Violation, ...] = ()
    queries: tuple[EvidenceQuery, ...] = ()
    counted: bool = True
    threshold_source: str | None = None
    version: int | None = None

    @property
    def metric_column(self) -> str:
        """What its numbers are kept under: a column, `:table`, or what else it is about, as `:set:validation`."""
        if self.subject_kind == "column":
            return self.subject
        return ":table" if self.subject == WHOLE else f":{self.subject_kind}:{self.subject}"

    @property
    def violation_rate(self) -> float | None:
        """`violation_rows / evaluated_rows`; None where either is unknown or nothing was evaluated."""
        if self.violation_rows is None or not self.evaluated_rows:
            return None
        return self.violation_rows / self.evaluated_rows
