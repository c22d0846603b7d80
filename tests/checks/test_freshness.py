"""`freshness` judged on small tables in plain Python."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sparkguard.checks.freshness import Freshness
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Source
from sparkguard.core.window import Window
from sparkguard.errors import DataError
from sparkguard.measures.commits import Commit, LastCommit
from sparkguard.testing import judge

NOW = datetime(2026, 1, 31, 6, tzinfo=UTC)


def found(times: list[Any], *, zone: str = "UTC", committed: datetime | None = None, **fields: Any) -> Finding:
    check = Freshness.model_validate({"id": "c", "dataset": "t", **fields}, context={"timezone": zone})
    [finding] = judge(
        check,
        {"t": [{"ts": t} for t in times]},
        time_columns={"t": "ts"},
        recorded={LastCommit(check.source): Commit(committed)},
        run=Run(NOW.date(), NOW),
    )
    return finding


def age(finding: Finding) -> float | None:
    return finding.quantities["event_age_hours"].value


def test_the_newest_event_counts_from_now() -> None:
    finding = found([datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 1, 31, 3, tzinfo=UTC)])
    assert (age(finding), finding.status, finding.evaluated_rows) == (3, Status.PASS, 3)


def test_old_data_fails_and_data_from_the_future_warns() -> None:
    assert found([NOW - timedelta(hours=37)]).status is Status.FAIL
    assert found([NOW + timedelta(hours=1)]).status is Status.WARN


def test_in_a_window_the_age_counts_from_its_end_so_that_a_backfill_is_not_old() -> None:
    window = Window(datetime(2020, 1, 1), datetime(2020, 1, 8))
    finding = found([datetime(2020, 1, 7, 12)], window=window)
    assert (age(finding), finding.status) == (12, Status.PASS)


def test_a_date_counts_from_its_end() -> None:
    assert age(found([date(2026, 1, 30)])) == 6


def test_a_date_that_still_lasts_is_neither_old_nor_of_the_future() -> None:
    finding = found([date(2026, 1, 31)])
    assert (age(finding), finding.status) == (0, Status.PASS)
    assert found([date(2026, 2, 1)]).status is Status.WARN


def test_a_time_that_stands_for_none_is_named() -> None:
    with pytest.raises(DataError, match="lies beyond the year 9999"):
        found([date(9999, 12, 31)])


def test_a_column_without_a_zone_is_read_in_the_suites() -> None:
    check = {"id": "c", "dataset": "t"}
    assert Freshness.model_validate(check, context={"timezone": "Europe/Berlin"}).timezone == "Europe/Berlin"
    assert age(found([date(2026, 1, 30)], zone="Europe/Berlin")) == 7
    assert age(found([date(2026, 1, 30)], zone="Europe/Berlin", timezone="UTC")) == 6


def test_the_commit_is_asked_for_only_where_a_bound_is() -> None:
    late = NOW - timedelta(hours=50)
    assert "commit_age_hours" not in found([NOW]).quantities
    finding = found([NOW], committed=late, error_if={"commit_age_hours": "> 24"})
    assert (finding.quantities["commit_age_hours"].value, finding.status) == (50, Status.FAIL)
    assert found([NOW], committed=None, error_if={"commit_age_hours": "> 24"}).status is Status.ERROR


def test_nothing_new_because_there_is_nothing_is_no_pass() -> None:
    assert found([None, NOW], error_if={"event_age_hours": "> 1"}).status is Status.PASS
    with pytest.raises(DataError):
        found([])


def test_a_column_of_another_type_is_refused_and_a_missing_one_asked_for() -> None:
    with pytest.raises(DataError, match="freshness needs a date or a timestamp"):
        found(["2026-01-01"])
    check = Freshness(id="c", dataset="t")
    with pytest.raises(DataError, match="has no time_column"):
        judge(check, {"t": [{"ts": NOW}]})
    assert check.source == Source("t")
