"""The whole way without a JVM: a loaded suite, answers in plain Python, rows in memory."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sparkguard.app import Options, load_suite
from sparkguard.console import Silent
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.errors import CheckFailureError
from sparkguard.runner import Choice, Report, Runner
from sparkguard.sinks.memory import MemorySink
from sparkguard.testing import TwinEngine

GOOD = [{"k": 1}, {"k": 2}]
BAD = [{"k": 1}, {"k": 1}]


def suite(*checks: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    names = {c["dataset"] for c in checks}
    blocks = [{"type": "duplicate_keys", "key": ["k"], **c} for c in checks]
    return {"suite": "s", "datasets": {n: {"path": n} for n in names}, "checks": blocks, **top}


def run(
    raw: Mapping[str, Any],
    tables: Mapping[str, Any],
    *,
    sink: MemorySink | None = None,
    day: int = 1,
    choice: Choice | None = None,
    engine: TwinEngine | None = None,
    stop: threading.Event | None = None,
) -> tuple[Report, MemorySink]:
    sink = sink or MemorySink()
    loaded = load_suite(raw, Options(date=date(2026, 1, day)))
    moment = iter(range(1, 10_000))
    runner = Runner(
        loaded,
        engine or TwinEngine(tables),
        sink,
        Silent(),
        choice or Choice(),
        now=lambda: datetime(2026, 1, day, 0, 0, next(moment) % 60, tzinfo=UTC),
        stop=stop or threading.Event(),
    )
    return runner.run(), sink


def rows(sink: MemorySink, table: str) -> list[Any]:
    return list(sink.tables[table])


def statuses(report: Report) -> dict[str, str]:
    return {check.id: finding.status.value for check, finding in report.findings}


A, B = {"id": "a", "dataset": "t"}, {"id": "b", "dataset": "u"}
TABLES = {"t": GOOD, "u": BAD}


def test_a_run_leaves_a_row_for_every_check_and_one_for_the_run() -> None:
    report, sink = run(suite(A, B), TABLES)
    assert (statuses(report), report.exit_code, report.status) == ({"a": "pass", "b": "fail"}, 5, "failed")
    [row] = rows(sink, "runs")
    assert (row.checks_total, row.checks_passed, row.checks_failed, row.rows_scanned) == (2, 1, 1, 4)
    assert {r.check_id for r in rows(sink, "check_results")} == {"a", "b"}
    assert {r.metric_name for r in rows(sink, "metrics")} >= {"excess_rows", "violation_rate"}
    assert [r.key for r in rows(sink, "violations")] == [{"k": "1"}]


def test_a_check_whose_need_failed_is_skipped_and_says_why() -> None:
    report, _ = run(suite({**A, "needs": ["b"]}, B), TABLES)
    finding = next(f for c, f in report.findings if c.id == "a")
    assert (finding.status.value, finding.message) == ("skipped", "needs 'b', which failed")


def test_what_a_skipped_check_needed_decides_the_exit_code() -> None:
    assert run(suite({**A, "needs": ["b"]}, B), TABLES)[0].exit_code == 5
    assert run(suite({**A, "needs": ["b"]}, {**B, "dataset": "gone"}), {"t": GOOD})[0].exit_code == 3


def test_a_dataset_that_cannot_be_read_is_an_error_and_the_others_go_on() -> None:
    report, _ = run(suite(A, B), {"t": GOOD})
    assert (statuses(report), report.exit_code, report.status) == ({"a": "pass", "b": "error"}, 3, "errored")


def test_checks_not_selected_are_skipped_and_do_not_count() -> None:
    report, sink = run(suite(A, B), TABLES, choice=Choice(only=("a",)))
    assert (statuses(report), report.exit_code) == ({"a": "pass", "b": "skipped"}, 0)
    assert len(rows(sink, "check_results")) == 2


def test_fail_fast_reads_nothing_after_the_first_failure() -> None:
    engine = TwinEngine(TABLES)
    report, _ = run(suite(B, {**A, "needs": ["b"]}), TABLES, choice=Choice(fail_fast=True), engine=engine)
    assert statuses(report) == {"b": "fail", "a": "skipped"}
    before = len(engine.computed)
    report, _ = run(
        suite(B, A, {**A, "id": "c", "key": ["k"], "nulls": "equal"}), TABLES, choice=Choice(fail_fast=True)
    )
    assert before == 2
    assert statuses(report)["b"] == "fail"


def test_a_retry_replaces_rows_and_keeps_a_row_for_each_attempt() -> None:
    raw = suite(A, B)
    first, sink = run(raw, TABLES)
    second, _ = run(raw, {"t": GOOD, "u": GOOD}, sink=sink)
    assert (first.attempt, second.attempt, first.run_id == second.run_id) == (1, 2, True)
    assert [r.attempt for r in rows(sink, "runs")] == [1, 2]
    assert {(r.check_id, r.status, r.attempt) for r in rows(sink, "check_results")} == {
        ("a", "pass", 2),
        ("b", "pass", 2),
    }
    assert rows(sink, "violations") == []


def test_result_ids_stay_the_same_from_attempt_to_attempt_and_differ_by_run() -> None:
    raw = suite(A, B)
    ids = []
    for day in (1, 1, 2):
        _, sink = run(raw, TABLES, day=day)
        ids.append({r.result_id for r in rows(sink, "check_results")})
    assert ids[0] == ids[1]
    assert not ids[0] & ids[2]
    assert len(ids[0]) == 2


def test_transitions_follow_a_check_from_night_to_night() -> None:
    sink = MemorySink()
    found = []
    for day, rows in enumerate([GOOD, BAD, BAD, GOOD, GOOD], start=1):
        report, _ = run(suite(A), {"t": rows}, sink=sink, day=day)
        found.append(report.judged[0].transition)
    assert found == ["steady", "new", "ongoing", "recovered", "steady"]


def test_a_retry_is_compared_with_the_night_before_and_not_with_itself() -> None:
    sink = MemorySink()
    run(suite(A), {"t": GOOD}, sink=sink, day=1)
    run(suite(A), {"t": BAD}, sink=sink, day=2)
    again, _ = run(suite(A), {"t": BAD}, sink=sink, day=2)
    assert again.judged[0].transition == "new"


def test_failed_numbers_are_no_baseline() -> None:
    _, sink = run(suite(A, B), TABLES)
    eligible = {(m.check_id, m.baseline_eligible) for m in rows(sink, "metrics")}
    assert eligible == {("a", True), ("b", False)}


@dataclass
class Stopping(TwinEngine):
    stop: threading.Event = field(default_factory=threading.Event)
    after: int = 1

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        for i, answered in enumerate(super().compute(measures)):
            yield answered
            if i + 1 == self.after:
                self.stop.set()


def test_an_interrupted_run_writes_what_it_knows_and_says_what_it_does_not() -> None:
    engine = Stopping(TABLES)
    report, sink = run(suite(A, B), TABLES, engine=engine, stop=engine.stop)
    assert (statuses(report), report.status, report.exit_code) == ({"a": "pass", "b": "error"}, "interrupted", 3)
    assert "interrupted before" in next(f.message for c, f in report.findings if c.id == "b")
    [row] = rows(sink, "runs")
    assert (row.status, row.error) == ("interrupted", "interrupted")


def test_the_report_raises_for_a_failure_only() -> None:
    report, _ = run(suite(A, B), TABLES)
    with pytest.raises(CheckFailureError, match="suite 's' failed\nb: fail: 1 key occurs more than once"):
        report.raise_for_failure()
    good, _ = run(suite(A), TABLES)
    good.raise_for_failure()
    assert good.ok


def test_no_secret_reaches_a_message_or_a_table() -> None:
    raw = suite({**A, "dataset": "${DB_PASSWORD}"})
    raw["datasets"] = {"hunter22": {"path": "x"}}
    loaded = load_suite(raw, Options(variables={"DB_PASSWORD": "hunter22"}))
    sink = MemorySink()
    report = Runner(loaded, TwinEngine({}), sink, Silent()).run()
    assert all("hunter22" not in f.message for _, f in report.findings)
    assert "hunter22" not in str([r.message for r in rows(sink, "check_results")])
