"""The rows of the result tables; each dataclass is a table's schema, its comments included."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

SCHEMA_VERSION = 1


def _column(kind: str, comment: str) -> Any:
    return dataclasses.field(metadata={"type": kind, "comment": comment})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run and attempt; written last, it makes the rows of the other tables count."""

    TABLE: ClassVar[str] = "runs"

    run_id: str = _column("STRING", "Identifies the run across its attempts")
    attempt: int = _column("INT", "1 for the first try, one more for each retry")
    suite: str = _column("STRING", "Name of the suite")
    environment: str = _column("STRING", "Where it ran, as the suite says: dev, prod")
    run_date: date = _column("DATE", "The date the run is for (--date)")
    config_sha256: str = _column("STRING", "Hash of the configuration's text")
    sparkguard_version: str = _column("STRING", "Version of sparkguard")
    spark_version: str = _column("STRING", "Version of Spark")
    delta_version: str | None = _column("STRING", "Version of delta-spark where it is installed")
    application_id: str | None = _column("STRING", "Spark application; NULL on Spark Connect")
    master: str | None = _column("STRING", "Spark master or Connect address")
    user: str | None = _column("STRING", "Who ran it")
    scheduled_for: datetime | None = _column("TIMESTAMP", "When it was due, by SPARKGUARD_SCHEDULED_FOR")
    started_at: datetime = _column("TIMESTAMP", "Start, UTC")
    ended_at: datetime = _column("TIMESTAMP", "End of the checks, UTC")
    duration_ms: int = _column("BIGINT", "Milliseconds from start to end")
    status: str = _column("STRING", "passed | failed | errored | interrupted")
    exit_code: int = _column("INT", "Exit code of the process: 0, 3 or 5")
    checks_total: int = _column("INT", "Checks of the suite")
    checks_passed: int = _column("INT", "Checks whose worst row is pass")
    checks_warned: int = _column("INT", "Checks whose worst row is warn")
    checks_failed: int = _column("INT", "Checks whose worst row is fail")
    checks_errored: int = _column("INT", "Checks whose worst row is error")
    checks_skipped: int = _column("INT", "Checks whose worst row is skipped")
    rows_scanned: int = _column("BIGINT", "Rows that were evaluated, summed over the checks")
    spark_jobs: int | None = _column("BIGINT", "Spark jobs of the checks; NULL on Spark Connect")
    tags: Mapping[str, str] = _column("MAP<STRING,STRING>", "Tags of the suite")
    selection: str | None = _column("STRING", "What --only and --tags selected; NULL for the whole suite")
    error: str | None = _column("STRING", "Why the run ended early, or what of it could not be kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResultRow:
    """One check × window × subject × slice, whatever its status."""

    TABLE: ClassVar[str] = "check_results"

    result_id: str = _column("STRING", "Hash of what identifies the row, apart from the attempt")
    run_id: str = _column("STRING", "The run")
    attempt: int = _column("INT", "The attempt that wrote the row")
    suite: str = _column("STRING", "Name of the suite")
    run_date: date = _column("DATE", "The date the run is for")
    check_id: str = _column("STRING", "The check's stable name in its suite")
    check_type: str = _column("STRING", "Type of the check")
    rule_fingerprint: str = _column("STRING", "Hash of what the check asks and its bounds")
    dataset: str | None = _column("STRING", "Dataset that was judged")
    dataset_version: int | None = _column("BIGINT", "Delta version that was read")
    reference: str | None = _column("STRING", "Dataset it was compared with")
    reference_version: int | None = _column("BIGINT", "Delta version of the reference")
    columns: tuple[str, ...] = _column("ARRAY<STRING>", "Columns that the row is about")
    window_start: datetime | None = _column("TIMESTAMP", "First instant of the window, UTC")
    window_end: datetime | None = _column("TIMESTAMP", "First instant after the window, UTC")
    subject_kind: str = _column("STRING", "table | column | expectation | upstream | set | scenario")
    subject: str = _column("STRING", "Name of the subject, :all for the whole")
    slice_key: str | None = _column("STRING", "Column that slices")
    slice_value: str | None = _column("STRING", "Value of the slice")
    status: str = _column("STRING", "What happened: pass | warn | fail | error | skipped")
    severity: str = _column("STRING", "Whether it counts: error | warn")
    metric_name: str | None = _column("STRING", "The quantity that decided")
    observed: float | None = _column("DOUBLE", "Its value")
    comparison: str | None = _column("STRING", "How it is compared with the bounds; the bound is broken where it holds")
    warn_bound: float | None = _column("DOUBLE", "Bound that warns")
    error_bound: float | None = _column("DOUBLE", "Bound that fails")
    threshold_source: str | None = _column("STRING", "config | default | history | snapshots")
    transition: str = _column("STRING", "new | ongoing | recovered | steady against the previous run")
    evaluated_rows: int | None = _column("BIGINT", "Rows that were judged")
    violation_rows: int | None = _column("BIGINT", "Rows that violate the rule")
    violation_rate: float | None = _column("DOUBLE", "violation_rows / evaluated_rows")
    exactness: str | None = _column("STRING", "exact | sketch | sample | metadata")
    error_margin: float | None = _column("DOUBLE", "How far an approximate observed value may be off")
    message: str = _column("STRING", "What was found, in a sentence")
    remedy: str | None = _column("STRING", "What to look at")
    owner: str | None = _column("STRING", "Who is asked")
    tags: tuple[str, ...] = _column("ARRAY<STRING>", "Tags of the check")
    duration_ms: int = _column("BIGINT", "Milliseconds until the verdict, with all that the check waited for")
    created_at: datetime = _column("TIMESTAMP", "When the row was made, UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One number of a check, for trends and for anomaly detection."""

    TABLE: ClassVar[str] = "metrics"

    run_id: str = _column("STRING", "The run")
    attempt: int = _column("INT", "The attempt that wrote the row")
    suite: str = _column("STRING", "Name of the suite")
    run_date: date = _column("DATE", "The date the run is for")
    check_id: str = _column("STRING", "The check that measured")
    dataset: str | None = _column("STRING", "Dataset that was measured")
    dataset_version: int | None = _column("BIGINT", "Delta version that was read")
    column_name: str = _column("STRING", "Column; :table for the table; else as :set:validation")
    metric_name: str = _column("STRING", "Name of the quantity")
    value: float | None = _column("DOUBLE", "Its value; NULL where it is undefined")
    window_start: datetime | None = _column("TIMESTAMP", "First instant of the window, UTC")
    window_end: datetime | None = _column("TIMESTAMP", "First instant after the window, UTC")
    reference_start: datetime | None = _column("TIMESTAMP", "First instant of the reference, UTC")
    reference_end: datetime | None = _column("TIMESTAMP", "First instant after the reference, UTC")
    slice_key: str | None = _column("STRING", "Column that slices")
    slice_value: str | None = _column("STRING", "Value of the slice")
    baseline_eligible: bool = _column("BOOLEAN", "Whether the number may serve as a baseline: its check did not fail")
    created_at: datetime = _column("TIMESTAMP", "When the row was made, UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationRow:
    """One piece of evidence; capped for each result."""

    TABLE: ClassVar[str] = "violations"

    result_id: str = _column("STRING", "The row of check_results that it proves")
    run_id: str = _column("STRING", "The run")
    attempt: int = _column("INT", "The attempt that wrote the row")
    suite: str = _column("STRING", "Name of the suite")
    run_date: date = _column("DATE", "The date the run is for")
    check_id: str = _column("STRING", "The check that found it")
    kind: str = _column("STRING", "For instance duplicate, null_key, seen_before")
    key: Mapping[str, str | None] = _column("MAP<STRING,STRING>", "Key columns and their values as text")
    reason: str | None = _column("STRING", "Why it is a violation")
    expected: str | None = _column("STRING", "What was expected")
    actual: str | None = _column("STRING", "What was found")
    count: int | None = _column("BIGINT", "Rows that it stands for")
    rank: int = _column("INT", "1 for the worst of its result")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """A mergeable summary of one window; belongs to no run."""

    TABLE: ClassVar[str] = "states"

    suite: str = _column("STRING", "Name of the suite")
    dataset: str = _column("STRING", "Dataset that was summarised")
    dataset_version: int | None = _column("BIGINT", "Delta version that was read")
    window_start: datetime | None = _column("TIMESTAMP", "First instant of the window, UTC")
    window_end: datetime | None = _column("TIMESTAMP", "First instant after the window, UTC")
    columns: tuple[str, ...] = _column("ARRAY<STRING>", "Columns that are summarised")
    measure_fingerprint: str = _column("STRING", "Hash of what was measured")
    state_version: int = _column("INT", "Version of the encoding")
    state: bytes = _column("BINARY", "The encoded state")
    rows: int = _column("BIGINT", "Rows that went in")
    created_at: datetime = _column("TIMESTAMP", "When the row was made, UTC")


Row = RunRow | CheckResultRow | MetricRow | ViolationRow | StateRow

TABLES: Mapping[str, type[Row]] = {
    row.TABLE: row for row in (RunRow, CheckResultRow, MetricRow, ViolationRow, StateRow)
}


def ddl(table: str) -> str:
    """The columns of a table as Spark SQL, with their comments (which hold no double quotes)."""
    return ", ".join(
        f'`{f.name}` {f.metadata["type"]} COMMENT "{f.metadata["comment"]}"' for f in dataclasses.fields(TABLES[table])
    )


def columns(table: str) -> Mapping[str, str]:
    """The columns of a table in their order, with their Spark types."""
    return {f.name: f.metadata["type"] for f in dataclasses.fields(TABLES[table])}
