"""`allowed_values` judged on small tables in plain Python."""

from typing import Any

import pytest

from sparkguard.checks.allowed_values import AllowedValues
from sparkguard.core.finding import Finding, Status
from sparkguard.testing import judge


def found(column: list[Any], **fields: Any) -> Finding:
    check = AllowedValues(**{"id": "c", "dataset": "t", "columns": "x", **fields})
    [finding] = judge(check, {"t": [{"x": v, "k": i} for i, v in enumerate(column)]})
    return finding


def test_unseen_values_are_listed_with_their_counts_most_frequent_first() -> None:
    finding = found(["a", "b", "c", "c", None, "日本"], values=["a"])
    assert [(v.kind, v.key["x"], v.count) for v in finding.violations] == [
        ("unseen_value", "c", 2),
        ("unseen_value", "b", 1),
        ("unseen_value", "日本", 1),
    ]
    assert finding.message == "4 of 5 rows are not allowed in x, for example x=c; x=b; x=日本"


def test_rows_are_shown_instead_where_a_key_names_them() -> None:
    finding = found(["a", "b"], values=["a"], key=["k"])
    assert [dict(v.key) for v in finding.violations] == [{"k": "1", "x": "b"}]


def test_values_are_read_in_the_columns_type() -> None:
    assert found([1, 2, 3], values=[1, "2", 3.0]).status is Status.PASS
    assert found([True, False], values=[True, "false"]).status is Status.PASS
    assert found(["1", "true"], values=[1, True]).status is Status.PASS
    wrong = found([1], values=["one"])
    assert (wrong.status, "'one' is no value of column 'x'" in wrong.message) == (Status.ERROR, True)


def test_text_is_compared_as_it_is() -> None:
    assert found(["a ", "A", "á", "a\u0301"], values=["a", "á"]).violation_rows == 3


def test_personal_values_stay_out_of_the_message() -> None:
    finding = found(["secret"], values=["a"], redact=["x"])
    assert "secret" not in finding.message + str(finding.violations)


@pytest.mark.parametrize("values", [[1.5], [[1.0]], [{"a": 1}]])
def test_types_that_cannot_be_written_down_are_refused(values: list[Any]) -> None:
    if isinstance(values[0], dict):
        with pytest.raises(KeyError):
            found(values, values=["a"])
        return
    assert found(values, values=["a"]).status is Status.ERROR


def test_without_values_there_is_no_check() -> None:
    with pytest.raises(ValueError, match="values"):
        found(["a"], values=[])
