"""The exit code of a recorded run, read from `runs` without Spark."""

from __future__ import annotations

from typing import Any

from sparkguard.core.settle import most_urgent
from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError, DataError

COLUMNS = ("suite", "started_at", "exit_code")


def recorded_exit_code(results: Results, run_id: str) -> int:
    """The exit code of the run's last attempt, the most urgent one where suites share the run's id.

    `DataError` (exit 3) if none was recorded.

    Needs the extra `tables`; `results` must be a path or URI.
    """
    try:
        from deltalake import DeltaTable, QueryBuilder
        from deltalake.exceptions import TableNotFoundError
    except ImportError as error:
        message = "reading result tables without Spark needs the extra: pip install 'sparkguard[tables]'"
        raise ConfigError(message) from error
    try:
        table = DeltaTable(results.table("runs"))
    except TableNotFoundError as error:
        message = f"there are no result tables in '{results}'"
        raise ConfigError(message) from error
    # Not by pyarrow: loaded beside deltalake, it aborted every second process at its exit.
    query = f"SELECT suite, started_at, exit_code FROM runs WHERE run_id = '{run_id}'"  # noqa: S608 - the name's letters are checked
    found = QueryBuilder().register("runs", table).execute(query).read_all()
    columns = {name: found.column(name).to_pylist() for name in COLUMNS}
    rows = [dict(zip(columns, pair, strict=True)) for pair in zip(*columns.values(), strict=True)]
    return last_exit_code(rows, run_id, results)


def last_exit_code(rows: list[dict[str, Any]], run_id: str, results: Results) -> int:
    """Of each suite the attempt that started last, of these the most urgent; `DataError` without rows."""
    if not rows:
        message = f"no finished run '{run_id}' is recorded in '{results}'"
        raise DataError(message, "the run may still be going on, or was killed before it could commit")
    last = {row["suite"]: row["exit_code"] for row in sorted(rows, key=lambda r: r["started_at"])}
    return most_urgent(last.values())
