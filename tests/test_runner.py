"""The whole way without a JVM: a loaded suite, answers in plain Python, rows in memory."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sparkguard.app import Options, load_suite
from sparkguard.console import Silent
from sparkguard.core.finding import Status
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.core.states import StateUpdate
from sparkguard.core.window import Window
from sparkguard.errors import CheckFailureError, SinkError
from sparkguard.measures.history import MetricHistory
from sparkguard.measures.upstreams import Arrival, Committed, Counted, Marked, Missing, Touch
from sparkguard.outcome import Choice, Report
from sparkguard.runner import Runner
from sparkguard.sinks.memory import MemorySink
from sparkguard.sinks.render import Judged
from sparkguard.testing import TwinEngine, history_of

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


@dataclass
class Remembering(TwinEngine):
    sink: MemorySink = field(default_factory=MemorySink)

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        for measure in measures:
            if isinstance(measure, MetricHistory):
                self.computed.append(measure)
                yield measure, history_of(self.sink.tables, "s", measure)
            else:
                yield from super().compute([measure])


WATCH = {"id": "usual", "type": "metric_anomaly", "check": "rows", "metric": "rows"}
ROWS = {"id": "rows", "type": "row_count", "dataset": "t", "window": {"end": "${date}", "length": "1d"}}


def nightly(*checks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "suite": "s",
        "timezone": "Europe/Berlin",
        "datasets": {"t": {"path": "t", "time_column": "ts"}},
        "checks": [*checks],
    }


def night(
    raw: Mapping[str, Any], sink: MemorySink, day: date, count: int, *, ran: datetime | None = None, **choice: Any
) -> Report:
    noon = datetime(day.year, day.month, day.day, 12) - timedelta(1)
    engine = Remembering({"t": [{"ts": noon}] * count or [{"ts": noon - timedelta(9)}]}, {"t": "ts"}, 7, sink=sink)
    loaded = load_suite(raw, Options(date=day))
    moment = ran or datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    return Runner(loaded, engine, sink, Silent(), Choice(**choice), now=lambda: moment).run()


def months(raw: Mapping[str, Any], nights: int = 40) -> MemorySink:
    """Nights whose rows halve on Sundays."""
    sink = MemorySink()
    for n in range(nights):
        day = date(2026, 1, 1) + timedelta(n)
        night(raw, sink, day, (50 if (day - timedelta(1)).weekday() == 6 else 100) + n % 3)
    return sink


def of(report: Report, name: str) -> Judged:
    [found] = [j for j in report.judged if j.check.id == name]
    return found


def test_a_number_is_compared_with_its_own_nights_after_its_check_was_judged() -> None:
    # In this order, so that the plan has to turn it round.
    raw = nightly(WATCH, ROWS)
    sink = months(raw)
    statuses = [r.status for r in rows(sink, "check_results") if r.check_id == "usual"]
    assert statuses == ["warn"] * 26 + ["pass"] * 14
    report = night(raw, sink, date(2026, 2, 10), 70)
    [row] = [r for r in rows(sink, "check_results") if (r.check_id, r.run_date) == ("usual", date(2026, 2, 10))]
    assert (report.exit_code, row.status, row.transition, row.threshold_source) == (5, "fail", "new", "history")
    assert (row.metric_name, row.observed, row.comparison, row.dataset, row.dataset_version) == (
        "rows",
        70,
        "<",
        "t",
        7,
    )
    metrics = {m.metric_name: m.value for m in rows(sink, "metrics") if (m.check_id, m.run_id) == ("usual", row.run_id)}
    assert metrics["lower_limit"] == row.error_bound
    assert metrics["lower_limit"] < 100 < metrics["upper_limit"]
    [watched] = [r for r in rows(sink, "check_results") if (r.check_id, r.run_id) == ("rows", row.run_id)]
    assert (row.window_start, row.window_end) == (watched.window_start, watched.window_end)
    assert row.evaluated_rows is None


def test_a_sunday_that_is_like_a_sunday_passes() -> None:
    raw = nightly(ROWS, WATCH)
    sink = months(raw, 38)
    monday = date(2026, 2, 9)
    assert of(night(raw, sink, monday, 100), "usual").finding.status is Status.FAIL
    assert of(night(raw, sink, monday, 51), "usual").finding.status is Status.PASS


def test_what_this_check_failed_is_no_baseline_until_it_is_repaired() -> None:
    raw = nightly(ROWS, WATCH)
    sink = months(raw)
    points = []
    for n, count in ((41, 10), (42, 101), (41, 100), (43, 101)):
        report = night(raw, sink, date(2026, 1, 1) + timedelta(n), count, ran=datetime(2026, 3, 1, tzinfo=UTC))
        points.append(of(report, "usual").finding.quantities["points"].value)
    assert points == [40, 40, 40, 42]


def test_a_backfill_is_compared_with_what_lies_before_it() -> None:
    raw = nightly(ROWS, WATCH)
    sink = months(raw, 60)
    # Rather than on its night, the 35th is computed again after all others.
    late = night(raw, sink, date(2026, 2, 4), 100, ran=datetime(2026, 5, 1, tzinfo=UTC))
    assert of(late, "usual").finding.quantities["points"].value == 34


def test_a_watched_check_that_cannot_be_evaluated_makes_this_one_an_error() -> None:
    raw = suite({"id": "rows", "dataset": "gone"})
    raw["checks"].append({**WATCH, "metric": "duplicate_keys"})
    report, sink = run(raw, {})
    assert (statuses(report), report.exit_code) == ({"rows": "error", "usual": "error"}, 3)
    assert "there is no such data" in of(report, "usual").finding.message
    assert [r.dataset for r in rows(sink, "check_results")] == ["gone", "gone"]


def test_a_check_brings_what_it_follows_whatever_its_verdict() -> None:
    raw = nightly(WATCH, {**ROWS, "error_if": {"rows": "> 0"}}, {**ROWS, "id": "other"})
    report = night(raw, MemorySink(), date(2026, 2, 4), 100, only=("usual",))
    assert statuses(report) == {"rows": "fail", "usual": "warn", "other": "skipped"}
    assert of(report, "usual").finding.counted


def test_a_check_that_needs_what_it_watches_is_skipped_with_it() -> None:
    raw = nightly({**WATCH, "needs": ["rows"]}, {**ROWS, "error_if": {"rows": "> 0"}})
    report = night(raw, MemorySink(), date(2026, 2, 4), 100)
    assert statuses(report) == {"rows": "fail", "usual": "skipped"}
    assert of(report, "usual").finding.source == of(report, "rows").finding.source


def test_an_empty_window_that_is_skipped_on_purpose_skips_what_watches_it() -> None:
    raw = nightly(WATCH, {**ROWS, "on_empty": "skip"})
    report = night(raw, MemorySink(), date(2026, 2, 4), 0)
    assert (statuses(report), report.exit_code) == ({"rows": "skipped", "usual": "skipped"}, 0)


def test_an_anomaly_can_be_watched_by_another() -> None:
    second = {**WATCH, "id": "stable", "check": "usual", "metric": "points"}
    raw = nightly(second, WATCH, ROWS)
    report = night(raw, months(raw, 3), date(2026, 1, 4), 100)
    assert of(report, "stable").finding.message == "cannot decide yet: 3 of 26 points"


class Forgetful(MemorySink):
    """Cannot keep states."""

    def replace_states(self, updates: Sequence[StateUpdate], suite: str, now: datetime) -> None:
        message = "no space left"
        raise SinkError(message)


def test_states_that_cannot_be_kept_cost_no_verdict() -> None:
    sink = Forgetful()
    report, _ = run(suite(A), TABLES, sink=sink)
    [row] = rows(sink, "runs")
    assert (report.exit_code, row.status) == (0, "passed")
    assert row.error == "states were not kept, so the next run reads more: no space left"


READY = {"id": "ready", "type": "upstream_ready", "upstreams": [{"marker": "in/_SUCCESS"}]}


@pytest.mark.parametrize(("missing", "status"), [((), "pass"), ((Missing(("in/_SUCCESS",)),), "skipped")])
def test_what_needs_an_upstream_waits_for_its_verdict(missing: tuple[Missing, ...], status: str) -> None:
    raw = suite(A, {**B, "needs": ["ready"], "error_if": {}})
    raw["checks"].append(READY)
    engine = TwinEngine(TABLES, recorded={Marked(("in/_SUCCESS",)): Arrival(missing=missing)})
    report, sink = run(raw, TABLES, engine=engine)
    assert statuses(report) == {"a": "pass", "ready": "fail" if missing else "pass", "b": status}
    if missing:
        [message] = [f.message for c, f in report.findings if c.id == "b"]
        assert message == "upstream not ready: needs 'ready', which failed"
    row = next(r for r in rows(sink, "check_results") if r.check_id == "ready")
    assert (row.subject_kind, row.subject, row.dataset) == ("upstream", "in/_SUCCESS", None)


def test_the_version_of_an_upstream_is_the_one_that_was_looked_at() -> None:
    raw = suite(A)
    raw["datasets"]["t"]["time_column"] = "k"
    window = {"start": "2026-01-01", "end": "2026-01-02"}
    raw["checks"].append({**READY, "window": window, "upstreams": [{"commit": "t"}, {"rows": "t", "name": "n"}]})
    source = Source("t", Window(datetime(2026, 1, 1), datetime(2026, 1, 2)))
    answers: dict[Measure[Answer], Answer] = {
        Committed(source): Arrival(newest=Touch(9)),
        Counted(source): Arrival(rows=1),
    }
    engine = TwinEngine(TABLES, version=3, recorded=answers)
    _, sink = run(raw, TABLES, engine=engine)
    versions = {(r.check_id, r.subject): r.dataset_version for r in rows(sink, "check_results")}
    assert versions == {("a", ":all"): 3, ("ready", "t"): 9, ("ready", "n"): None}
