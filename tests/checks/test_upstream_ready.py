"""`upstream_ready` judged on answers that tests record."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sparkguard.checks.upstream_ready import UpstreamReady
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.core.window import Window
from sparkguard.measures.upstreams import (
    Arrival,
    Committed,
    Counted,
    LastRun,
    Marked,
    Missing,
    Partitions,
    Recorded,
    SuitePassed,
    Touch,
)
from sparkguard.testing import judge

DAY = Window(datetime(2013, 11, 3), datetime(2013, 11, 4))
TONIGHT = date(2013, 11, 4)
AT = datetime(2013, 11, 4, 3, 12, tzinfo=UTC)
ORIGINS = ["BOS", "EWR", "JFK", "LGA"]
BY_ORIGIN = Partitions(("origin",), (tuple(ORIGINS),))
LGA = Missing(("LGA",))


def check(*upstreams: Mapping[str, Any], **fields: Any) -> UpstreamReady:
    raw = {"id": "ready", "window": DAY, "upstreams": list(upstreams), **fields}
    return UpstreamReady.model_validate(raw, context={"timezone": "UTC", "date": TONIGHT})


def found(upstream: Mapping[str, Any], question: Measure[Answer], answer: Answer, **fields: Any) -> Finding:
    [finding] = judge(check(upstream, **fields), {}, recorded={question: answer})
    assert (finding.subject_kind, finding.evaluated_rows, finding.violation_rows) == ("upstream", None, None)
    return finding


def commit(answer: Arrival, **fields: Any) -> Finding:
    return found({"commit": "weather"}, Committed(Source("weather", DAY)), answer, **fields)


def scored(answer: Arrival, **fields: Any) -> Finding:
    upstream = {"commit": "scored", "partitions": {"origin": ORIGINS}}
    return found(upstream, Committed(Source("scored", DAY), BY_ORIGIN), answer, **fields)


def numbers(finding: Finding) -> dict[str, float | None]:
    return {name: quantity.value for name, quantity in finding.quantities.items()}


def test_a_commit_that_touched_the_day_passes_and_is_named() -> None:
    finding = commit(Arrival(newest=Touch(43, "OPTIMIZE", AT), touch=Touch(41, "WRITE", AT)))
    assert (finding.status, finding.subject, finding.source) == (Status.PASS, "weather", Source("weather", DAY))
    assert finding.message == (
        "version 41 of 'weather' (WRITE, committed 2013-11-04 03:12 UTC) touched [2013-11-03, 2013-11-04)"
    )
    assert numbers(finding) == {"expected": 1, "missing": 0, "waited_seconds": 0}
    assert ({q.exactness for q in finding.quantities.values()}, finding.version) == ({"metadata"}, 43)


def test_a_missing_day_fails_and_says_what_is_newest_and_whom_to_ask() -> None:
    late = Arrival(missing=(Missing(()),), newest=Touch(40, "WRITE", AT), latest="2013-11-02 23:00:00", waited=1800)
    finding = commit(late)
    assert (finding.status, finding.decision and finding.decision.metric_name) == (Status.FAIL, "missing")
    assert finding.message == (
        "'weather' has no rows of [2013-11-03, 2013-11-04) up to version 40 (WRITE, committed 2013-11-04 03:12 UTC); "
        "its newest are of 2013-11-02 23:00:00 (waited 30 min)"
    )
    assert (finding.remedy or "").startswith("ask those who write it")
    assert [(v.kind, v.key) for v in finding.violations] == [("missing_upstream", {"upstream": "weather"})]


def test_a_half_written_set_names_what_is_missing() -> None:
    finding = scored(Arrival(missing=(LGA,), waited=1800))
    assert (finding.status, finding.columns) == (Status.FAIL, ("origin",))
    assert finding.message == (
        "3 of 4 partitions of 'scored' are there for [2013-11-03, 2013-11-04); missing: origin=LGA (waited 30 min)"
    )
    assert [(v.kind, v.key) for v in finding.violations] == [("missing_partition", {"origin": "LGA"})]
    assert numbers(finding) == {"expected": 4, "missing": 1, "waited_seconds": 1800}


def test_a_whole_set_passes() -> None:
    message = scored(Arrival(touch=Touch(41), waited=240)).message
    assert message == (
        "all 4 partitions are there; version 41 of 'scored' touched [2013-11-03, 2013-11-04) (after 4 min)"
    )


def test_rows_that_only_a_checkpoint_knows_pass_without_a_commit() -> None:
    message = commit(Arrival(newest=Touch(45, "OPTIMIZE"))).message
    assert message == "version 45 of 'weather' (OPTIMIZE) holds rows of [2013-11-03, 2013-11-04)"


def test_many_missing_partitions_are_shortened_in_the_message_and_kept_as_evidence() -> None:
    codes = [str(n) for n in range(20)]
    upstream = {"commit": "scored", "partitions": {"code": list(range(20)), "b": [True, None]}}
    by = Partitions(("code", "b"), (tuple(codes), ("true", None)))
    finding = found(upstream, Committed(Source("scored", DAY), by), Arrival(missing=tuple(map(Missing, by.parts))))
    assert "0 of 40 partitions" in finding.message
    assert finding.message.endswith("missing: code=0, b=true; code=0, b=NULL; code=1, b=true; code=1, b=NULL; "
                                    "code=2, b=true; 35 more")  # fmt: skip
    assert (len(finding.violations), finding.violations[1].key) == (40, {"code": "0", "b": None})


def test_what_the_log_cannot_tell_is_an_error_and_never_a_warning() -> None:
    for fields in ({}, {"error_if": {"missing": "> 5"}, "warn_if": {"expected": "> 0"}}):
        finding = commit(Arrival(unsure=((),), waited=1800), **fields)
        assert (finding.status, finding.remedy) == (
            Status.ERROR, "count instead: write rows: weather in place of commit: weather"
        )  # fmt: skip
        assert "cannot tell whether rows of [2013-11-03, 2013-11-04) are there" in finding.message
    both = scored(Arrival(missing=(LGA,), unsure=(("JFK",),)))
    assert both.status is Status.FAIL
    assert "2 of 4" in both.message
    assert "missing: origin=LGA; the log cannot tell of origin=JFK" in both.message
    assert scored(Arrival(missing=(LGA,), unsure=(("JFK",),)), error_if={"missing": "> 1"}).status is Status.ERROR


def test_a_table_that_does_not_exist_yet_is_missing() -> None:
    finding = scored(Arrival(missing=tuple(map(Missing, BY_ORIGIN.parts)), absent="data/scored"))
    assert (finding.status, finding.message) == (Status.FAIL, "'scored' (data/scored) does not exist yet")


def test_rows_are_judged_by_their_number_whole_or_by_partition() -> None:
    whole = {"rows": "flights", "at_least": 500}
    question = Counted(Source("flights", DAY), at_least=500)
    few = found(whole, question, Arrival(missing=(Missing((), 12),), rows=12))
    assert few.message == "'flights' has 12 rows in [2013-11-03, 2013-11-04), expected at least 500"
    assert (numbers(few)["rows"], few.quantities["rows"].exactness) == (12, "exact")
    assert found(whole, question, Arrival(rows=500)).message == "'flights' has 500 rows in [2013-11-03, 2013-11-04)"
    by = found(
        {**whole, "partitions": {"origin": ORIGINS}},
        Counted(Source("flights", DAY), BY_ORIGIN, 500),
        Arrival(missing=(Missing(("JFK",), 12), Missing(("LGA",), 0)), rows=1012),
    )
    assert by.message == (
        "2 of 4 partitions of 'flights' are there with at least 500 rows for [2013-11-03, 2013-11-04); "
        "missing: origin=JFK (12 rows), origin=LGA"
    )
    assert [(v.expected, v.actual) for v in by.violations] == [
        ("at least 500 rows", "12 rows"),
        ("at least 500 rows", "0 rows"),
    ]


def test_markers_that_do_not_exist_are_named_and_their_subject_is_the_same_every_night() -> None:
    one = found({"marker": "in/ds=2013-11-04/_SUCCESS"}, Marked(("in/ds=2013-11-04/_SUCCESS",)),
                Arrival(missing=(Missing(("in/ds=2013-11-04/_SUCCESS",)),)))  # fmt: skip
    assert (one.subject, one.message) == ("in/ds=${date}/_SUCCESS", "'in/ds=2013-11-04/_SUCCESS' does not exist")
    assert [(v.kind, v.key) for v in one.violations] == [("missing_marker", {"marker": "in/ds=2013-11-04/_SUCCESS"})]
    two = found({"marker": ["a", "b"], "name": "m"}, Marked(("a", "b")), Arrival(missing=(Missing(("b",)),)))
    assert (two.subject, two.message) == ("m", "1 of 2 markers exist; missing: b")
    assert found({"marker": ["a", "b"]}, Marked(("a", "b")), Arrival()).message == "all 2 markers exist"


def test_a_row_of_a_task_table_is_looked_for() -> None:
    upstream, question = {"row": "task_log", "where": "status = 'success'"}, Recorded("task_log", "status = 'success'")
    assert found(upstream, question, Arrival()).message == "'task_log' has a row where status = 'success'"
    missing = found(upstream, question, Arrival(missing=(Missing(()),)))
    assert (missing.status, missing.source) == (Status.FAIL, Source("task_log"))
    assert missing.message == "'task_log' has no row where status = 'success'"


def test_another_suite_passed_failed_or_has_not_run() -> None:
    upstream, question = {"suite": "features"}, SuitePassed("features", TONIGHT)
    run = LastRun("4e1a", "passed", 0, AT)
    passed = found(upstream, question, Arrival(run=run))
    assert passed.message == "suite 'features' passed for 2013-11-04 (run 4e1a, ended 2013-11-04 03:12 UTC)"
    failed = Arrival(missing=(Missing(()),), run=LastRun("4e1a", "failed", 5, AT))
    assert found(upstream, question, failed).message == (
        "the latest run of suite 'features' for 2013-11-04 failed, exit code 5 (run 4e1a, ended 2013-11-04 03:12 UTC)"
    )
    absent = found(upstream, question, Arrival(missing=(Missing(()),)))
    assert absent.message == "suite 'features' has not run for 2013-11-04 in dev"
    other = {"suite": "features", "date": "2013-11-02", "results": "elsewhere"}
    found(other, SuitePassed("features", date(2013, 11, 2), "elsewhere"), Arrival())


def test_one_broken_upstream_does_not_hide_the_others() -> None:
    ready = check({"commit": "weather"}, {"marker": "m"})
    answers: dict[Measure[Answer], Any] = {
        Committed(Source("weather", DAY)): Broken("commit of weather: no statistics", "write rows"),
        Marked(("m",)): Arrival(),
    }
    broken, fine = judge(ready, {}, recorded=answers)
    assert (broken.status, broken.message, broken.remedy) == (
        Status.ERROR,
        "commit of weather: no statistics",
        "write rows",
    )
    assert fine.status is Status.PASS


def test_values_are_kept_out_where_the_suite_says_so() -> None:
    redacted = scored(Arrival(missing=(LGA,)), redact=["origin"])
    assert ("LGA" in redacted.message, redacted.violations[0].key) == (False, {"origin": "[redacted]"})
    hidden = scored(Arrival(missing=(LGA,)), violations="none")
    assert ("LGA" in hidden.message, hidden.violations) == (False, ())


def test_a_wait_belongs_to_the_question_and_its_poll_is_a_minute() -> None:
    waiting = check({"marker": "m"}, wait={"timeout": "30m"})
    [question] = waiting.ask(None)  # type: ignore[arg-type] # it asks the same whatever was seen
    assert question == Marked(("m",), timeout=1800, poll=60)
    assert str(question) == "marker m, waiting up to 30 min"


def test_nothing_is_pinned_and_the_datasets_are_mentioned() -> None:
    ready = check({"commit": "a"}, {"marker": "m"}, {"row": "b", "where": "x"})
    assert ready.datasets == ()
    assert [(m.source, m.path, m.logged) for m in ready.mentions] == [
        (Source("a", DAY), ("upstreams", 0, "commit"), True),
        (Source("b"), ("upstreams", 2, "row"), False),
    ]


@pytest.mark.parametrize(
    ("upstreams", "message"),
    [
        ([{"commit": "a", "rows": "a"}], "has commit and rows; give exactly one of commit, rows, marker, row, suite"),
        ([{"name": "x"}], "has no kind; give exactly one of"),
        ([{"commit": "a", "at_least": 5}], "'at_least' does not go with commit"),
        ([{"marker": "a", "where": "x"}], "'where' does not go with marker"),
        ([{"row": "a"}], "row needs where"),
        ([{"rows": "a"}, {"commit": "a"}], r"upstreams\[0\] and upstreams\[1\] are both called 'a'; give one a name"),
        ([{"marker": ["a", "a"]}], "names a marker twice"),
        ([{"commit": "a", "partitions": {}}], "expected columns with their values"),
        ([{"commit": "a", "partitions": {"x": "EWR"}}], r"expected a list of values of 'x', for example \[EWR"),
        ([{"commit": "a", "partitions": {"x": [1, "1"]}}], "has a value of 'x' twice"),
        ([{"rows": "a", "partitions": {c: list(range(30)) for c in "xyz"}}], "has 27,000 combinations, 10,000 is the"),
        ([{"suite": "a", "date": "soon"}], "'soon' is not a date"),
        ([], "at least 1 item"),
    ],
)
def test_a_wrong_upstream_is_refused(upstreams: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(*upstreams)


def test_what_is_about_a_window_needs_one_and_a_suite_a_date() -> None:
    with pytest.raises(ValidationError, match="window is required but missing"):
        check({"rows": "a"}, window=None)
    check({"marker": "a"}, window=None)
    with pytest.raises(ValidationError, match="suite needs date"):
        UpstreamReady.model_validate({"id": "r", "upstreams": [{"suite": "s"}]})


def test_a_bound_on_rows_is_for_those_that_are_counted() -> None:
    bounds = {"error_if": {"rows": "< 5"}}
    marked = found({"marker": "m"}, Marked(("m",)), Arrival(), **bounds)
    assert marked.status is Status.PASS
    counted = found({"rows": "s"}, Counted(Source("s", DAY)), Arrival(rows=3), **bounds)
    assert counted.status is Status.FAIL


def test_what_is_missing_fails_unless_a_bound_says_otherwise() -> None:
    missing = Arrival(missing=(Missing(("m",)),))
    assert found({"marker": "m"}, Marked(("m",)), missing, error_if={"waited_seconds": "> 5"}).status is Status.FAIL
    assert found({"marker": "m"}, Marked(("m",)), missing, error_if={"missing": "> 1"}).status is Status.PASS


def test_the_newest_time_of_a_hidden_column_stays_hidden() -> None:
    late = Arrival(missing=(Missing(()),), latest="2013-11-02 11:12:13", time="ts")
    assert "2013-11-02 11" in commit(late).message
    assert "2013-11-02 11" not in commit(late, redact=["ts"]).message
