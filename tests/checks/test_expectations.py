"""Suites of Great Expectations: what a result says."""

from collections.abc import Mapping
from typing import Any

import pytest

from sparkguard.checks.expectations import Expectations
from sparkguard.cli.single import _option_value
from sparkguard.core.finding import Finding
from sparkguard.core.settle import exit_code
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.expectations import ExpectationsRun, Outcome, Outcomes, Sample
from sparkguard.testing import judge

FILLED: dict[str, Any] = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}}
BETWEEN: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "x", "min_value": 0, "max_value": 9},
}
MEAN: dict[str, Any] = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "x", "max_value": 9}}
ROWS: Mapping[str, Any] = {"t": [{"x": 1}, {"x": 2}, {"x": None}]}


def check(*expectations: Mapping[str, Any], **fields: Any) -> Expectations:
    return Expectations.model_validate({"id": "gx", "dataset": "t", "expectations": expectations, **fields})


def judged(one: Expectations, *outcomes: Outcome, rows: Mapping[str, Any] | None = None) -> list[Finding]:
    samples = 0 if one.violations == "none" else one.violation_limit
    run = ExpectationsRun(Source("t"), tuple(e.text for e in one.entries), samples)
    return list(judge(one, rows or ROWS, recorded={run: Outcomes(outcomes)}))


def test_a_result_says_what_was_observed() -> None:
    held, broke, mean, exists = judged(
        check(FILLED, {**BETWEEN, "id": "b"}, MEAN, {"type": "expect_column_to_exist", "kwargs": {"column": "y"}}),
        Outcome(holds=True, rows=3, unexpected=0),
        Outcome(
            holds=False, rows=3, missing=1, unexpected=2, samples=(Sample((("x", "12"),), 1), Sample((("x", "-1"),), 1))
        ),
        Outcome(holds=False, number=12.5, shown="12.5"),
        Outcome(holds=True),
    )
    assert (held.status.value, held.message) == (
        "pass",
        "expect_column_values_to_not_be_null(x): all 3 rows are as expected",
    )
    assert (held.subject_kind, held.columns) == ("expectation", ("x",))
    assert (broke.subject, broke.status.value, broke.evaluated_rows, broke.violation_rows) == ("b", "fail", 2, 2)
    assert broke.message == (
        "expect_column_values_to_be_between(x, min_value=0, max_value=9): 2 of 2 rows are unexpected, "
        "for example 12; -1"
    )
    assert [(dict(v.key), v.kind, v.count) for v in broke.violations] == [
        ({"x": "12"}, "unexpected", 1),
        ({"x": "-1"}, "unexpected", 1),
    ]
    assert {n: q.value for n, q in broke.quantities.items()} == {
        "failed": 1.0, "observed": None, "missing_rows": 1.0,
        "evaluated_rows": 2.0, "violation_rows": 2.0, "violation_rate": 1.0,
    }  # fmt: skip
    assert (mean.status.value, mean.message) == (
        "fail",
        "expect_column_mean_to_be_between(x, max_value=9): observed 12.5",
    )
    assert (mean.quantities["observed"].value, mean.evaluated_rows) == (12.5, None)
    assert (exists.status.value, exists.message) == ("pass", "expect_column_to_exist(y): holds")


def test_mostly_lets_pass_what_it_counts() -> None:
    [finding] = judged(
        check({**FILLED, "kwargs": {"column": "x", "mostly": 0.5}}), Outcome(holds=True, rows=3, unexpected=1)
    )
    assert (finding.status.value, finding.violation_rows) == ("pass", 1)
    assert finding.message.endswith("mostly=0.5): 1 of 3 rows is unexpected (within the bounds)")


@pytest.mark.parametrize(("severity", "status"), [("critical", "fail"), ("warning", "warn"), ("info", "warn")])
def test_only_a_critical_expectation_fails(severity: str, status: str) -> None:
    one = check({**FILLED, "severity": severity})
    [broke] = judged(one, Outcome(holds=False, rows=3, unexpected=1))
    [stopped] = judged(one, Outcome(error="boom"))
    assert broke.status.value == status
    assert exit_code([(one, broke)]) == (5 if severity == "critical" else 0)
    assert stopped.status.value == "error"
    assert exit_code([(one, stopped)]) == (3 if severity == "critical" else 0)


def test_one_that_stops_is_an_error_beside_the_others() -> None:
    stopped, held = judged(check(BETWEEN, MEAN), Outcome(error="no such column"), Outcome(holds=True, number=1.5))
    assert (stopped.status.value, stopped.message.rpartition("): ")[2]) == ("error", "no such column")
    assert held.status.value == "pass"


def test_of_nothing_nothing_holds() -> None:
    empty: dict[str, Any] = {"t": []}
    [filled] = judged(check(FILLED), Outcome(holds=True, rows=0, unexpected=0), rows=empty)
    [mean] = judged(check(MEAN), Outcome(holds=True), rows=empty)
    assert {filled.status.value, mean.status.value} == {"error"}
    assert mean.message == "'t' has no rows, so nothing was checked"
    [allowed] = judged(check(MEAN, on_empty="pass"), Outcome(holds=True), rows=empty)
    assert allowed.status.value == "pass"


def test_values_that_are_all_null_are_no_pass() -> None:
    [finding] = judged(check(BETWEEN), Outcome(holds=True, rows=3, missing=3, unexpected=0))
    assert (finding.status.value, finding.evaluated_rows) == ("error", 0)
    assert finding.message.endswith("a value is NULL in all 3 rows, so nothing was checked")


def test_a_row_condition_that_no_row_meets_is_no_pass() -> None:
    conditional = {**BETWEEN, "kwargs": {**BETWEEN["kwargs"], "row_condition": "y > 3", "condition_parser": "spark"}}
    [finding] = judged(check(conditional), Outcome(holds=True, rows=0, missing=0, unexpected=0))
    assert finding.status.value == "error"
    assert "no row meets its row_condition" in finding.message


def test_own_bounds_replace_the_verdict_where_there_are_rows() -> None:
    one = check(BETWEEN, MEAN, error_if={"violation_rows": "> 5"}, warn_if={"violation_rows": "> 0"})
    rows, mean = judged(
        one, Outcome(holds=False, rows=9, missing=0, unexpected=2), Outcome(holds=False, number=10.0, shown="10.0")
    )
    assert (rows.status.value, mean.status.value) == ("warn", "fail")


@pytest.mark.parametrize("severity", ["warning", "info"])
@pytest.mark.parametrize(("unexpected", "status"), [(0, "pass"), (50, "warn"), (95, "warn")])
def test_one_that_only_warns_does_so_where_either_bound_is_broken(severity: str, unexpected: int, status: str) -> None:
    one = check(
        {**BETWEEN, "severity": severity}, error_if={"violation_rows": "> 90"}, warn_if={"violation_rows": "> 0"}
    )
    [finding] = judged(one, Outcome(holds=not unexpected, rows=100, missing=0, unexpected=unexpected))
    assert finding.status.value == status


def test_a_value_of_a_set_that_no_row_has_is_named_and_is_no_row_without_a_value() -> None:
    contains = {"type": "expect_column_distinct_values_to_contain_set", "kwargs": {"column": "x", "value_set": [1, 7]}}
    equals = {"type": "expect_column_distinct_values_to_equal_set", "kwargs": {"column": "x", "value_set": [1, 7]}}
    lacks = Sample((("x", "7"),), 0)
    contained, equal = judged(
        check(contains, equals, error_if={"missing_rows": "> 100"}),
        Outcome(holds=False, lacking=1, samples=(lacks,)),
        Outcome(holds=False, unexpected=2, lacking=1, samples=(Sample((("x", "5"),), 1), lacks)),
    )
    assert (contained.status.value, contained.quantities["missing_rows"].value) == ("fail", None)
    assert contained.message.endswith("value_set=[1, 7]): 1 value of its set is missing, for example 7")
    assert equal.message.endswith(
        "2 values are unexpected, for example 5, and 1 value of its set is missing, for example 7"
    )
    assert [(v.kind, dict(v.key)) for v in equal.violations] == [("unexpected", {"x": "5"}), ("missing", {"x": "7"})]


@pytest.mark.parametrize(("bound", "status"), [("> 5", "fail"), ("> 500", "pass"), (">= 500", "fail")])
def test_what_is_observed_is_judged_before_it_is_hidden(bound: str, status: str) -> None:
    greatest = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "x", "max_value": 999}}
    outcome = Outcome(holds=True, number=500.0, shown="500")
    [open_], [hidden] = (
        judged(check(greatest, error_if={"observed": bound}, **fields), outcome) for fields in ({}, {"redact": ["X"]})
    )
    assert open_.status.value == hidden.status.value == status
    assert hidden.quantities["observed"].value is None
    assert hidden.decision is not None
    assert hidden.decision.observed is None
    assert "500" not in hidden.message.replace(bound, "")
    assert "500" not in hidden.decision.reason.replace(bound, "")


@pytest.mark.parametrize("hidden", [{"violations": "none"}, {"redact": ["x"]}])
def test_values_that_the_suite_keeps_out_reach_no_message(hidden: dict[str, Any]) -> None:
    greatest = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "x", "max_value": 9}}
    found = judged(
        check(BETWEEN, greatest, FILLED, **hidden),
        Outcome(holds=False, rows=3, missing=0, unexpected=1, samples=(Sample((("x", "4711"),), 1),)),
        Outcome(holds=False, number=4711.0, shown="4711"),
        Outcome(error="[CAST_INVALID_INPUT] The value '4711' is none"),
    )
    assert "4711" not in str(found)
    assert found[1].status.value == "fail"


def test_a_suite_is_exported_as_it_is() -> None:
    written = {**BETWEEN, "kwargs": {"column": "x", "max_value": {"$PARAMETER": "most"}}, "severity": "info"}
    named = {**MEAN, "id": "3f2a"}
    between, mean = check(written, named, parameters={"most": 9}, severity="warn").as_expectations()
    assert (between.id, mean.id) == (None, "3f2a")
    assert (between.type, between.severity) == (BETWEEN["type"], "info")
    assert between.kwargs == {"column": "x", "max_value": 9}
    assert (mean.type, mean.severity) == (MEAN["type"], "warning")
    with pytest.raises(DataError, match="cannot say window of expectations"):
        check(MEAN, window={"start": "2026-01-01", "end": "2026-01-02"}).as_expectations()


def test_on_the_command_line_a_parameter_is_a_number_where_it_looks_like_one() -> None:
    assert _option_value(Expectations, "parameters", "low=3, name=a b") == {"low": 3, "name": "a b"}
    assert _option_value(Expectations, "suite", "conf/gx/flights.json") == "conf/gx/flights.json"
