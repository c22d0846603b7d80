"""From findings to rows: what the run, its checks and its evidence look like in the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sparkguard.core.check import Check
from sparkguard.core.finding import Decision, Finding, Status, Violation
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.core.text import without_secrets
from sparkguard.sinks.rows import CheckResultRow, MetricRow, ViolationRow

PreviousKey = tuple[str, str, str, str | None, str | None]
"""check_id, subject_kind, subject, slice_key, slice_value: what one row continues."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding of a check, with the versions that were read and the time it took."""

    check: Check
    finding: Finding
    transition: str
    dataset_version: int | None
    reference_version: int | None
    duration_ms: int
    created_at: datetime

    @property
    def key(self) -> PreviousKey:
        """What the next run's finding on the same subject is compared with."""
        return previous_key(self.check, self.finding)


def previous_key(check: Check, finding: Finding) -> PreviousKey:
    """Identify a finding across runs."""
    return (check.id, finding.subject_kind, finding.subject, finding.slice_key, finding.slice_value)


class Rendering:
    """Renders one attempt of one suite."""

    def __init__(self, suite: Suite, attempt: int) -> None:
        """Fix what every row of the attempt repeats."""
        self._suite = suite
        self._attempt = attempt

    def result_id(self, judged: Judged) -> str:
        """Hash the run, the check, the subject, the slice and the window."""
        start, end = _bounds(judged.finding.source)
        parts = (self._suite.name, self._suite.run_id, *judged.key, start, end)
        return hashlib.sha256(repr(tuple(str(p) for p in parts)).encode()).hexdigest()[:32]

    def result(self, judged: Judged) -> CheckResultRow:
        """The row of `check_results`."""
        check, finding, decision = judged.check, judged.finding, judged.finding.decision
        start, end = _bounds(finding.source)
        source = finding.source or (check.datasets[0] if check.datasets else None)
        return CheckResultRow(
            result_id=self.result_id(judged),
            run_id=self._suite.run_id,
            attempt=self._attempt,
            suite=self._suite.name,
            run_date=self._suite.date,
            check_id=check.id,
            check_type=check.kind(),
            rule_fingerprint=self._suite.rule_fingerprints[check.id],
            dataset=source.dataset if source else None,
            dataset_version=judged.dataset_version,
            reference=finding.reference.dataset if finding.reference else None,
            reference_version=judged.reference_version,
            columns=finding.columns,
            window_start=start,
            window_end=end,
            subject_kind=finding.subject_kind,
            subject=finding.subject,
            slice_key=finding.slice_key,
            slice_value=finding.slice_value,
            status=finding.status.value,
            severity=check.severity,
            metric_name=decision.metric_name if decision else None,
            observed=decision.observed if decision else None,
            comparison=decision.comparison if decision else None,
            warn_bound=decision.warn_bound if decision else None,
            error_bound=decision.error_bound if decision else None,
            threshold_source=finding.threshold_source or _threshold_source(check, decision),
            transition=judged.transition,
            evaluated_rows=finding.evaluated_rows,
            violation_rows=finding.violation_rows,
            violation_rate=finding.violation_rate,
            exactness=decision.exactness if decision else None,
            error_margin=decision.margin if decision else None,
            message=self._clean(finding.message),
            remedy=finding.remedy,
            owner=check.owner,
            tags=check.tags,
            duration_ms=judged.duration_ms,
            created_at=judged.created_at,
        )

    def metrics(self, judged: Judged) -> Iterable[MetricRow]:
        """A row of `metrics` for each quantity."""
        finding = judged.finding
        start, end = _bounds(finding.source)
        reference_start, reference_end = _bounds(finding.reference)
        for name, quantity in finding.quantities.items():
            yield MetricRow(
                run_id=self._suite.run_id,
                attempt=self._attempt,
                suite=self._suite.name,
                run_date=self._suite.date,
                check_id=judged.check.id,
                dataset=finding.source.dataset if finding.source else None,
                dataset_version=judged.dataset_version,
                column_name=finding.metric_column,
                metric_name=name,
                value=quantity.value,
                window_start=start,
                window_end=end,
                reference_start=reference_start,
                reference_end=reference_end,
                slice_key=finding.slice_key,
                slice_value=finding.slice_value,
                baseline_eligible=finding.status in (Status.PASS, Status.WARN),
                created_at=judged.created_at,
            )

    def violations(self, judged: Judged) -> Iterable[ViolationRow]:
        """A row of `violations` for each piece of evidence, worst first."""
        for rank, violation in enumerate(judged.finding.violations, start=1):
            yield ViolationRow(
                result_id=self.result_id(judged),
                run_id=self._suite.run_id,
                attempt=self._attempt,
                suite=self._suite.name,
                run_date=self._suite.date,
                check_id=judged.check.id,
                kind=violation.kind,
                key=violation.key,
                reason=violation.reason,
                expected=violation.expected,
                actual=violation.actual,
                count=violation.count,
                rank=rank,
            )

    def evidence_row(self, judged: Judged) -> ViolationRow:
        """What every row of a check's own evidence table repeats."""
        empty = Violation("", {})
        return next(iter(self.violations(replace(judged, finding=replace(judged.finding, violations=(empty,))))))

    def _clean(self, text: str) -> str:
        return without_secrets(text, self._suite.secrets)


def _bounds(source: Source | None) -> tuple[datetime | None, datetime | None]:
    if source is None or source.window is None:
        return None, None
    return source.window.start_utc, source.window.end_utc


def _threshold_source(check: Check, decision: Decision | None) -> str | None:
    if decision is None or decision.metric_name is None:
        return None
    by_default = decision.metric_name in check.error_if and "error_if" not in check.model_fields_set
    return "default" if by_default else "config"
