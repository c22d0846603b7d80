"""`value_range` judged on small tables in plain Python."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.checks.value_range import ValueRange
from sparkguard.core.columns import Column
from sparkguard.core.finding import Finding, Status
from sparkguard.core.values import Value, inward
from sparkguard.errors import DataError
from sparkguard.testing import judge


def found(values: list[Any], **fields: Any) -> Finding:
    check = ValueRange(**{"id": "c", "dataset": "t", "columns": "x", **fields})
    [finding] = judge(check, {"t": [{"x": v, "k": i} for i, v in enumerate(values)]})
    return finding


def test_bounds_are_included_and_null_is_not_judged() -> None:
    finding = found([0, 1, 2, 3, None], min=1, max=2)
    assert (finding.violation_rows, finding.evaluated_rows, finding.status) == (2, 4, Status.FAIL)
    assert sorted(v.key["x"] or "" for v in finding.violations) == ["0", "3"]
    assert {v.expected for v in finding.violations} == {"inside [1, 2]"}


def test_nan_is_outside_of_every_range() -> None:
    assert found([math.nan, 1.0], min=0).violation_rows == 1
    assert found([math.nan, 1.0], max=2).violation_rows == 1
    assert found([math.inf, -math.inf], min=0).violation_rows == 1


def test_days_and_moments_have_a_range_in_the_suites_zone() -> None:
    assert found([date(1500, 1, 1), date(2026, 1, 1)], min="1582-10-15").violation_rows == 1
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    check = {"id": "c", "dataset": "t", "columns": "x", "max": "2026-01-01T12:30:00"}
    for zone, broke in (("UTC", 0), ("Europe/Berlin", 1)):
        judged = judge(ValueRange.model_validate(check, context={"timezone": zone}), {"t": [{"x": noon}]})
        assert judged[0].violation_rows == broke


def test_a_bound_between_whole_numbers_is_compared_exactly() -> None:
    assert found([2**62, 2**62 + 1], max=2**62).violation_rows == 1
    assert found([1, 2], max=1.5).violation_rows == 1
    assert found([Decimal("1.10"), Decimal("1.11")], max=1.1).violation_rows == 1


def test_a_bound_is_read_in_the_columns_own_precision() -> None:
    assert Value(0.1).typed(Column("x", ("x",), "float")) == 0.10000000149011612
    assert Value(0.1).typed(Column("x", ("x",), "double")) == 0.1


@pytest.mark.parametrize(
    ("low", "kind"), [("a", "int"), ("2026-13-01", "date"), (True, "double"), (".", "decimal(3,1)")]
)
def test_a_bound_that_is_none_of_the_type_is_an_error(low: Any, kind: str) -> None:
    with pytest.raises(DataError, match="is no value of column 'x'"):
        Value(low).typed(Column("x", ("x",), kind))


def test_a_range_without_bounds_or_without_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="give min, max or both"):
        found([1])
    assert found([1], min=2, max=1).status is Status.ERROR


@given(st.decimals(-100, 100, places=4), st.integers(0, 3), st.lists(st.integers(-2000, 2000)))
def test_a_bound_that_was_rounded_inward_says_the_same_of_every_value(
    bound: Decimal, scale: int, numbers: list[int]
) -> None:
    column = Column("x", ("x",), f"decimal(12,{scale})")
    values = [Decimal(n).scaleb(-scale) for n in numbers]
    low, high = (inward(Value(float(bound)).typed(column), column, up=up) for up in (True, False))
    exact = Decimal(str(float(bound)))
    assert [v < low for v in values] == [v < exact for v in values]  # type: ignore[operator] # exact numbers
    assert [v > high for v in values] == [v > exact for v in values]  # type: ignore[operator] # exact numbers


def test_a_bound_beyond_every_decimal_is_the_largest() -> None:
    assert (
        inward(Value(1e40).typed(Column("x", ("x",), "bigint")), Column("x", ("x",), "bigint"), up=False) == 10**38 - 1
    )


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1), st.integers(-50, 50), st.integers(0, 50))
def test_the_quantities_equal_brute_force(values: list[int | None], low: int, width: int) -> None:
    finding = found([*values, 0], min=low, max=low + width)
    judged = [v for v in [*values, 0] if v is not None]
    broke = sum(not low <= v <= low + width for v in judged)
    assert (finding.evaluated_rows, finding.violation_rows) == (len(judged), broke)
    assert finding.status is (Status.FAIL if broke else Status.PASS)
    assert sum(v.count or 0 for v in finding.violations) == broke
