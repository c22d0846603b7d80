"""The exit code of a recorded run, read from `runs` without Spark."""

from __future__ import annotations

from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError, DataError


def recorded_exit_code(results: Results, run_id: str) -> int:
    """The exit code of the run's last attempt; `DataError` (exit 3) if none was recorded.

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
    query = f"SELECT attempt, exit_code FROM runs WHERE run_id = '{run_id}'"  # noqa: S608 - the name's letters are checked
    found = QueryBuilder().register("runs", table).execute(query).read_all()
    columns = {name: found.column(name).to_pylist() for name in ("attempt", "exit_code")}
    rows = [dict(zip(columns, pair, strict=True)) for pair in zip(*columns.values(), strict=True)]
    return last_exit_code(rows, run_id, results)


def last_exit_code(rows: list[dict[str, int]], run_id: str, results: Results) -> int:
    """The exit code of the highest attempt; `DataError` without rows."""
    if not rows:
        message = f"no finished run '{run_id}' is recorded in '{results}'"
        raise DataError(message, "the run may still be going on, or was killed before it could commit")
    return max(rows, key=lambda r: r["attempt"])["exit_code"]
