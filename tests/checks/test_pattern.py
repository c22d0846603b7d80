"""`pattern` judged on small tables in plain Python."""

from typing import Any

import pytest

from sparkguard.checks.pattern import Pattern
from sparkguard.core.finding import Finding, Status
from sparkguard.testing import judge


def found(values: list[Any], pattern: str, **fields: Any) -> Finding:
    check = Pattern(**{"id": "c", "dataset": "t", "columns": "x", "pattern": pattern, **fields})
    [finding] = judge(check, {"t": [{"x": v} for v in values]})
    return finding


def test_the_whole_text_must_match() -> None:
    finding = found(["N1", "xN1", "N1x", "", None], "N[0-9]")
    assert (finding.violation_rows, finding.evaluated_rows, finding.status) == (3, 4, Status.FAIL)
    assert {v.expected for v in finding.violations} == {"N[0-9]"}


def test_a_line_break_at_the_end_does_not_slip_through() -> None:
    assert found(["N1\n", "N1"], "N[0-9]").violation_rows == 1


def test_alternatives_are_anchored_as_a_whole() -> None:
    assert found(["ab", "b", "ax"], "a|b").violation_rows == 2


def test_other_types_are_refused_by_name() -> None:
    finding = found([1], "1")
    assert (finding.status, finding.message) == (Status.ERROR, "column 'x' is bigint; pattern needs text")


@pytest.mark.parametrize("wrong", ["(", "[a", "*a", ")", "a{2"])
def test_what_is_no_expression_is_refused_before_anything_runs(wrong: str) -> None:
    if wrong == "a{2":  # literal text in Python, and an error that only Java knows
        assert found(["a{2"], wrong).status is Status.PASS
        return
    with pytest.raises(ValueError, match="is not a regular expression"):
        found(["a"], wrong)


@pytest.mark.parametrize("java", [r"\p{Lu}\p{Alpha}*", r"\Qa.b\E", r"[a-z&&[^b]]", r"(?i)abc", r"a++"])
def test_what_only_java_knows_is_left_to_spark(java: str) -> None:
    Pattern(id="c", dataset="t", columns=("x",), pattern=java)
