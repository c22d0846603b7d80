"""`row_count` judged on small tables in plain Python."""

from datetime import datetime
from typing import Any

import pytest

from sparkguard.checks.row_count import RowCount
from sparkguard.core.finding import Finding, Status
from sparkguard.core.window import Window
from sparkguard.testing import judge

DAYS = [1, 1, 1, 1, 8, 8, 9, 15]
ROWS: list[dict[str, object]] = [{"ts": datetime(2026, 1, day)} for day in DAYS]
WEEK = Window(datetime(2026, 1, 8), datetime(2026, 1, 15))


def found(**fields: Any) -> Finding:
    [finding] = judge(RowCount(**{"id": "c", "dataset": "t", **fields}), {"t": ROWS}, time_columns={"t": "ts"})
    return finding


def value(finding: Finding, name: str) -> float | None:
    return finding.quantities[name].value


def test_rows_of_the_table_and_of_a_window() -> None:
    assert value(found(), "rows") == 8
    finding = found(window=WEEK)
    assert (value(finding, "rows"), finding.status, finding.message) == (3, Status.PASS, "3 rows")
    assert set(finding.quantities) == {"rows", "evaluated_rows"}


def test_bounds_fail_in_words() -> None:
    finding = found(window=WEEK, error_if={"rows": "< 100"})
    assert (finding.status, finding.message) == (Status.FAIL, "3 rows; rows is 3, and '< 100' fails")


def test_the_window_before_is_read_only_where_a_bound_asks_for_it() -> None:
    finding = found(window=WEEK, error_if={"change": "< -0.2"})
    assert (value(finding, "previous_rows"), value(finding, "change"), finding.status) == (4, -0.25, Status.FAIL)
    assert str(finding.reference) == "t [2026-01-01, 2026-01-08)"


def test_the_window_before_may_be_the_same_day_of_last_week() -> None:
    day = Window(datetime(2026, 1, 15), datetime(2026, 1, 16))
    finding = found(window=day, offset="7d", error_if={"previous_rows": "< 1"})
    assert (value(finding, "previous_rows"), str(finding.reference)) == (2, "t [2026-01-08, 2026-01-09)")


def test_a_change_from_nothing_has_no_value_and_is_no_pass() -> None:
    first = Window(datetime(2026, 1, 1), datetime(2026, 1, 2))
    assert found(window=first, error_if={"change": "> 1"}).status is Status.ERROR


def test_an_empty_window_breaks_a_bound_or_is_an_error() -> None:
    gap = Window(datetime(2026, 1, 2), datetime(2026, 1, 8))
    assert found(window=gap, error_if={}).status is Status.ERROR
    assert found(window=gap).status is Status.FAIL
    assert found(window=gap, on_empty="skip").status is Status.SKIPPED


@pytest.mark.parametrize("fields", [{"error_if": {"change": "< 0"}}, {"offset": "7d"}])
def test_a_comparison_without_a_window_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a window"):
        found(**fields)
