"""`completeness` judged on small tables in plain Python."""

from datetime import datetime
from typing import Any

import pytest

from sparkguard.checks.completeness import Completeness
from sparkguard.core.finding import Finding, Status
from sparkguard.core.window import Window
from sparkguard.errors import DataError
from sparkguard.testing import judge

ROWS: list[dict[str, object]] = [
    {"id": 1, "a": "x", "b": None, "f_1": 1.0},
    {"id": 2, "a": " ", "b": None, "f_1": None},
    {"id": 3, "a": None, "b": None, "f_1": 2.0},
    {"id": 4, "a": "y", "b": None, "f_1": 3.0},
]


def found(columns: object, **fields: Any) -> dict[str, Finding]:
    check = Completeness(**{"id": "c", "dataset": "t", "columns": columns, **fields})
    return {f.subject: f for f in judge(check, {"t": ROWS}, time_columns={"t": "ts"})}


def test_each_column_has_a_finding_of_its_own() -> None:
    findings = found(["id", "a", "b"])
    assert {n: f.status.value for n, f in findings.items()} == {"id": "pass", "a": "fail", "b": "fail"}
    assert {n: f.violation_rows for n, f in findings.items()} == {"id": 0, "a": 1, "b": 4}
    assert {(f.subject_kind, f.columns) for f in findings.values()} == {("column", (n,)) for n in findings}


def test_a_pattern_names_columns_and_may_take_some_out() -> None:
    assert set(found({"like": "*"})) == {"id", "a", "b", "f_1"}
    assert set(found({"like": ["f_*", "?"], "except": "b"})) == {"a", "f_1"}


def test_blank_text_is_missing_only_when_asked() -> None:
    assert found("a")["a"].violation_rows == 1
    assert found("a", blank=True)["a"].violation_rows == 2


def test_a_rate_and_a_count_bound_are_judged_from_one_computation() -> None:
    mild = found("a", error_if={"violation_rate": "> 0.5"}, warn_if={"violation_rows": "> 0"})["a"]
    assert (mild.status, mild.violation_rate) == (Status.WARN, 0.25)
    assert mild.decision is not None
    assert (mild.decision.metric_name, mild.decision.warn_bound) == ("violation_rows", 0)


def test_rows_are_named_by_their_key() -> None:
    assert [dict(v.key) for v in found("f_1", key=["id"])["f_1"].violations] == [{"id": "2", "f_1": None}]
    assert found("f_1")["f_1"].violations == ()
    hidden = found("f_1", key=["id"], redact=["id"])["f_1"]
    assert [dict(v.key) for v in hidden.violations] == [{"id": "[redacted]", "f_1": None}]
    assert "id=2" not in hidden.message


def test_no_row_is_shown_where_the_suite_keeps_values_out_or_the_bounds_hold() -> None:
    assert found("f_1", key=["id"], violations="none")["f_1"].violations == ()
    assert found("f_1", key=["id"], error_if={"violation_rate": "> 0.5"})["f_1"].violations == ()


def test_a_missing_column_is_an_error_and_the_others_are_judged() -> None:
    findings = found(["id", "aa"])
    assert (findings["id"].status, findings["aa"].status) == (Status.PASS, Status.ERROR)
    assert "the nearest columns are 'a'" in findings["aa"].message


def test_a_key_that_is_missing_is_an_error_where_rows_have_to_be_shown() -> None:
    findings = found(["id", "a"], key=["idd"])
    assert {n: f.status.value for n, f in findings.items()} == {"id": "pass", "a": "error"}


def test_a_pattern_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no column of 't' is like g_\*"):
        found({"like": "g_*"})


def test_an_empty_window_is_no_pass() -> None:
    rows = [{"x": 1, "ts": datetime(2026, 1, 1)}]
    window = Window(datetime(2026, 1, 8), datetime(2026, 1, 9))
    check = Completeness(id="c", dataset="t", columns=("x",), window=window)
    [finding] = judge(check, {"t": rows}, time_columns={"t": "ts"})
    assert finding.status is Status.ERROR
    assert "is empty, so nothing was checked" in finding.message


@pytest.mark.parametrize("wrong", [[], "", {"likes": "a"}, {"like": []}, ["a", "a"], 3])
def test_columns_that_name_nothing_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="column"):
        found(wrong)
