from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.window import Duration, Window

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", Duration(days=30)),
        ("2w", Duration(days=14)),
        ("6h", Duration(seconds=21600)),
        ("90m", Duration(0, 5400)),
    ],
)
def test_lengths_are_read(text: str, expected: Duration) -> None:
    assert Duration.parse(text) == expected


@pytest.mark.parametrize("wrong", ["", "30", "d", "0d", "-3d", "1.5h", "3 months"])
def test_what_is_no_length_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        Duration.parse(wrong)


def test_a_day_keeps_the_hour_across_summer_time_and_24_hours_do_not() -> None:
    after_the_change = datetime(2026, 3, 30)
    assert Duration(days=1).before(after_the_change, BERLIN) == datetime(2026, 3, 29)
    assert Duration(seconds=86_400).before(after_the_change, BERLIN) == datetime(2026, 3, 28, 23)


def test_the_instants_of_a_window_are_in_utc() -> None:
    window = Window(datetime(2026, 7, 1), datetime(2026, 7, 2), "Europe/Berlin")
    assert window.start_utc == datetime(2026, 6, 30, 22, tzinfo=UTC)


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_preceding_window_ends_where_the_window_starts(days: int, back: int) -> None:
    end = datetime(2026, 1, 1)
    window = Window(end - timedelta(days=days), end)
    before = window.preceding(Duration(days=back))
    assert before.end == window.start
    assert before.start == before.end - timedelta(days=back)


def test_all_history_has_no_start() -> None:
    before = Window(datetime(2026, 1, 1), datetime(2026, 1, 2)).preceding(None)
    assert (before.start, str(before)) == (None, "[beginning, 2026-01-01)")


def test_nothing_precedes_a_window_without_start() -> None:
    with pytest.raises(ValueError, match="nothing before it"):
        Window(None, datetime(2026, 1, 1)).preceding(None)


def test_the_window_before_is_as_long_in_hours_and_in_days() -> None:
    hours = Window(datetime(2026, 3, 29, 0), datetime(2026, 3, 29, 6), "Europe/Berlin")
    assert str(hours.earlier(None)) == "[2026-03-28 19:00:00, 2026-03-29)"
    days = Window(datetime(2026, 3, 29), datetime(2026, 3, 30), "Europe/Berlin")
    assert str(days.earlier(None)) == "[2026-03-28, 2026-03-29)"
    assert str(days.earlier(Duration.parse("7d"))) == "[2026-03-22, 2026-03-23)"
