"""The exit code of a recorded run."""

from __future__ import annotations

from sparkguard.core.settle import most_urgent
from sparkguard.core.suite import Results
from sparkguard.errors import DataError
from sparkguard.sinks.tables import Query


def last_exit_code(query: Query, run_id: str, results: Results) -> int:
    """The exit code of the run's last attempt, the most urgent one where suites share the run's id.

    `DataError` (exit 3) if none was recorded.
    """
    rows = query(f"SELECT suite, started_at, exit_code FROM {{runs}} WHERE run_id = '{run_id}'")  # noqa: S608 - the name's letters are checked
    if not rows:
        raise not_recorded(results, run_id)
    last = {row["suite"]: row["exit_code"] for row in sorted(rows, key=lambda r: r["started_at"])}
    return most_urgent(last.values())


def not_recorded(results: Results, run_id: str | None, suite: str | None = None) -> DataError:
    """No row of `runs` tells of it, so for a reader it has not happened."""
    what = "run" + (f" '{run_id}'" if run_id else "") + (f" of suite '{suite}'" if suite else "")
    message = f"no finished {what} is recorded in '{results}'"
    return DataError(message, "the run may still be going on, or was killed before it could commit")
