"""`expression` judged on small tables, its predicates evaluated by SQLite."""

from typing import Any

import pytest

from sparkguard.checks.expression import Expression
from sparkguard.core.columns import Field, Schema
from sparkguard.core.finding import Finding, Status
from sparkguard.measures.conditions import mentioned
from sparkguard.testing import judge

ROWS: list[dict[str, object]] = [
    {"low": 1, "high": 2, "k": "a"},
    {"low": 3, "high": 2, "k": "b"},
    {"low": None, "high": 2, "k": "c"},
]


def found(expression: str, **fields: Any) -> Finding:
    [finding] = judge(Expression(**{"id": "c", "dataset": "t", "expression": expression, **fields}), {"t": ROWS})
    return finding


def test_a_row_for_which_the_rule_is_false_or_unknown_breaks_it() -> None:
    finding = found("low <= high", key=["k"])
    assert (finding.violation_rows, finding.evaluated_rows, finding.status) == (2, 3, Status.FAIL)
    assert sorted(v.key["k"] or "" for v in finding.violations) == ["b", "c"]
    assert (finding.subject_kind, finding.subject, finding.columns) == ("table", ":all", ("low", "high"))


def test_an_unknown_one_may_be_left_out() -> None:
    finding = found("low <= high", nulls="ignored")
    assert (finding.violation_rows, finding.evaluated_rows) == (1, 2)


def test_a_rule_that_holds_passes_and_is_quoted() -> None:
    finding = found("high = 2")
    assert (finding.status, finding.message) == (Status.PASS, "high = 2 is true in 3 rows")


def test_a_rule_that_judges_no_row_is_no_pass() -> None:
    finding = found("low + NULL > 0", nulls="ignored")
    assert (finding.status, finding.evaluated_rows) == (Status.ERROR, 0)
    assert "the rule is NULL in all 3 rows" in finding.message


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("a > 1 AND B < 2", ["a", "b"]),
        ("`odd name` IS NULL", ["odd name"]),
        ("`a``b` = 'a b'", ["a`b"]),
        ("x = 'a' OR x = \"b\"", []),
        ("s.a > 0", ["a"]),
        ("'it''s a' = c", ["c"]),
    ],
)
def test_columns_are_found_by_their_names_outside_of_texts(sql: str, names: list[str]) -> None:
    fields = tuple(Field(n, "int") for n in ("a", "b", "c", "odd name", "a`b"))
    assert [c.name for c in mentioned(sql, Schema(fields))] == names
