"""What the result tables hold of a run: the rows of its committed attempt, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparkguard.core.suite import Results
from sparkguard.report.outline import Row, outline
from sparkguard.sinks.tables import Query
from sparkguard.sinks.verdict import not_recorded

SHOWN_EVIDENCE = 20
"""Rows of evidence for each result; `violations` has the others."""


@dataclass(frozen=True)
class Recorded:
    """One suite's part of a run: rows of `runs`, `check_results` and `violations`."""

    run: Row
    results: Sequence[Row]
    evidence: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """By `result_id`, worst first, at most `SHOWN_EVIDENCE`; only of results that are shown in full."""
    evidence_rows: Mapping[str, int] = field(default_factory=dict)
    """By `result_id`, how many rows `violations` has."""
    replaced_by: int | None = None
    """The attempt that replaced the details and is not in `runs`."""


def recorded_runs(query: Query, results: Results, run_id: str | None, suite: str | None) -> list[Recorded]:
    """The last attempt of each suite that shares the run's id, by name; `DataError` without one.

    Without `run_id` it is that of the run, of the suite if one is given, that started last.
    """
    where = [f"suite = '{suite}'"] if suite else []
    if run_id is None:
        last = _select(query, "runs", where, "run_id", "ORDER BY started_at DESC, attempt DESC LIMIT 1")
        if not last:
            raise not_recorded(results, None, suite)
        run_id = last[0]["run_id"]
    rows = _select(query, "runs", [*where, f"run_id = '{run_id}'"])
    if not rows:
        raise not_recorded(results, run_id, suite)
    last_of = {row["suite"]: row for row in sorted(rows, key=lambda r: (r["started_at"], r["attempt"]))}
    return [_details(query, last_of[name]) for name in sorted(last_of)]


def _details(query: Query, run: Row) -> Recorded:
    of_run = [f"suite = '{run['suite']}'", f"run_id = '{run['run_id']}'"]
    committed = [*of_run, f"attempt = {run['attempt']}"]
    results = _select(query, "check_results", committed)
    if not results:
        [other] = _select(query, "check_results", of_run, "max(attempt) AS attempt")
        return Recorded(run, [], replaced_by=other["attempt"])
    counted = _select(query, "violations", committed, "result_id, count(*) AS total", "GROUP BY result_id")
    evidence_rows = {row["result_id"]: row["total"] for row in counted}
    shown = [row["result_id"] for group in outline(results) for row in group.full if row["result_id"] in evidence_rows]
    evidence: dict[str, list[Row]] = {}
    if shown:
        listed = ", ".join(f"'{result_id}'" for result_id in shown)
        wanted = [*committed, f"rank <= {SHOWN_EVIDENCE}", f"result_id IN ({listed})"]
        for row in sorted(_select(query, "violations", wanted), key=lambda r: r["rank"]):
            evidence.setdefault(row["result_id"], []).append(row)
    return Recorded(run, results, evidence, evidence_rows)


def _select(query: Query, table: str, where: Sequence[str], what: str = "*", then: str = "") -> list[Row]:
    conditions = " WHERE " + " AND ".join(where) if where else ""
    # Names of suites and runs hold no quotes, identifiers of results are hashes.
    return [*query(f"SELECT {what} FROM {{{table}}}{conditions} {then}")]  # noqa: S608
