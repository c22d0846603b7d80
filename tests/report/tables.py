"""Result tables for tests: rows with sensible values, and real Delta tables of them without Spark."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from deltalake import QueryBuilder, write_deltalake

from sparkguard.report.reading import Recorded
from sparkguard.sinks.rows import TABLES, CheckResultRow, RunRow, ViolationRow, columns

START = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)


def run_row(**given: Any) -> RunRow:
    row: dict[str, Any] = {
        "run_id": "r1", "attempt": 1, "suite": "s", "environment": "prod", "run_date": date(2026, 1, 31),
        "config_sha256": "0" * 64, "sparkguard_version": "0.1.0", "spark_version": "4.1.4", "delta_version": "4.4.0",
        "application_id": None, "master": "yarn", "user": "etl", "scheduled_for": None, "started_at": START,
        "ended_at": START + timedelta(seconds=75), "duration_ms": 75_000, "status": "passed", "exit_code": 0,
        "checks_total": 1, "checks_passed": 1, "checks_warned": 0, "checks_failed": 0, "checks_errored": 0,
        "checks_skipped": 0, "rows_scanned": 1000, "spark_jobs": None, "tags": {}, "selection": None, "error": None,
    }  # fmt: skip
    return RunRow(**{**row, **given})


def result_row(check_id: str, status: str = "fail", **given: Any) -> CheckResultRow:
    subject = given.get("subject", ":all")
    row: dict[str, Any] = {
        "result_id": f"{check_id}.{subject}", "run_id": "r1", "attempt": 1, "suite": "s",
        "run_date": date(2026, 1, 31), "check_id": check_id, "check_type": "duplicate_keys",
        "rule_fingerprint": "f", "dataset": "t", "dataset_version": 7, "reference": None, "reference_version": None,
        "columns": ("id",), "window_start": None, "window_end": None, "subject_kind": "table", "subject": subject,
        "slice_key": None, "slice_value": None, "status": status, "severity": "error",
        "metric_name": "violation_rows", "observed": 3.0, "comparison": ">", "warn_bound": None, "error_bound": 0.0,
        "threshold_source": "default", "transition": "steady" if status == "pass" else "new",
        "evaluated_rows": 2000, "violation_rows": 3, "violation_rate": 0.0015, "exactness": "exact",
        "error_margin": None, "message": f"what {check_id} found", "remedy": None, "owner": None, "tags": (),
        "duration_ms": 1200, "created_at": START,
    }  # fmt: skip
    return CheckResultRow(**{**row, **given})


def violation_row(check_id: str, rank: int = 1, **given: Any) -> ViolationRow:
    row: dict[str, Any] = {
        "result_id": f"{check_id}.:all", "run_id": "r1", "attempt": 1, "suite": "s", "run_date": date(2026, 1, 31),
        "check_id": check_id, "kind": "duplicate", "key": {"id": str(rank)}, "reason": None, "expected": None,
        "actual": None, "count": 2, "rank": rank,
    }  # fmt: skip
    return ViolationRow(**{**row, **given})


def recorded(
    run: RunRow, results: Sequence[CheckResultRow], violations: Sequence[ViolationRow] = (), **given: Any
) -> Recorded:
    """As `recorded_runs` would read it."""
    evidence: dict[str, list[Mapping[str, Any]]] = {}
    for row in violations:
        evidence.setdefault(row.result_id, []).append(as_mapping(row))
    totals = {name: len(rows) for name, rows in evidence.items()}
    return Recorded(as_mapping(run), [as_mapping(r) for r in results], **{
        "evidence": {name: rows[:20] for name, rows in evidence.items()}, "evidence_rows": totals, **given,
    })  # fmt: skip


def as_mapping(row: Any) -> Mapping[str, Any]:
    return {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}


def write_tables(folder: Path, *rows: Any) -> None:
    """Write real Delta tables of the rows; the others are left empty."""
    for name in TABLES:
        chosen = [row for row in rows if name == row.TABLE]
        kinds = columns(name)
        selects = [
            "SELECT " + ", ".join(f'{_literal(getattr(r, c), k)} AS "{c}"' for c, k in kinds.items()) for r in chosen
        ]
        nothing = "SELECT " + ", ".join(f'{_literal(None, kind)} AS "{c}"' for c, kind in kinds.items())
        sql = " UNION ALL ".join(selects or [f"{nothing} WHERE false"])
        write_deltalake(str(folder / name), QueryBuilder().execute(sql).read_all(), mode="append")


_ARROW = {
    "STRING": "Utf8", "INT": "Int32", "BIGINT": "Int64", "DOUBLE": "Float64", "BOOLEAN": "Boolean", "DATE": "Date32",
    "BINARY": "Binary", "TIMESTAMP": 'Timestamp(Microsecond, Some("UTC"))', "ARRAY<STRING>": "List(Utf8)",
}  # fmt: skip


def _literal(value: Any, kind: str) -> str:
    if kind == "MAP<STRING,STRING>":
        keys, values = (_literal(tuple(part), "ARRAY<STRING>") for part in ((value or {}), (value or {}).values()))
        return f"map({keys}, {values})"
    if value is None:
        text = "NULL"
    elif isinstance(value, tuple):
        text = f"make_array({', '.join(_literal(v, 'STRING') for v in value)})"
    elif isinstance(value, (str, date)):
        text = "'" + (value if isinstance(value, str) else value.isoformat()).replace("'", "''") + "'"
    else:
        text = str(value)
    return f"arrow_cast({text}, '{_ARROW[kind]}')"
