"""Numbers, times and bounds in words."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sparkguard.report import words


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.0 s"), (440, "0.4 s"), (27_508, "27.5 s"), (60_000, "1 min 0 s"), (192_999, "3 min 12 s"),
        (7_500_000, "2 h 5 min"), (90_000_000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_durations(milliseconds: int, text: str) -> None:
    assert words.duration(milliseconds) == text


def test_times_are_told_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    assert words.moment(datetime(2026, 1, 31, 3, tzinfo=east)) == "2026-01-30 18:00:00 UTC"


def test_windows_name_both_ends_and_that_the_last_is_excluded() -> None:
    day, hour = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 31, 5, tzinfo=UTC)
    assert words.window(day - timedelta(days=1), day) == "from 2026-01-30 until before 2026-01-31 (UTC)"
    assert words.window(day, hour) == "from 2026-01-31 00:00:00 until before 2026-01-31 05:00:00 (UTC)"
    assert words.window(None, day) == "until before 2026-01-31 (UTC)"
    assert words.window(None, None) is None


def row(**given: Any) -> dict[str, Any]:
    return {
        "status": "fail", "metric_name": "rate", "observed": 0.02, "error_margin": None, "exactness": "exact",
        "comparison": ">", "warn_bound": None, "error_bound": 0.01, "threshold_source": "config", **given,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "fails if > 0.01"),
        ({"threshold_source": "default"}, "fails if > 0.01 (default)"),
        ({"threshold_source": "history"}, "fails if > 0.01 (from history)"),
        ({"warn_bound": 0.001}, "fails if > 0.01; the bound that warns is 0.001"),
        ({"status": "warn", "warn_bound": 0.001}, "warns if > 0.001; the bound that fails is 0.01"),
        ({"status": "warn", "warn_bound": 0.001, "error_bound": None}, "warns if > 0.001"),
        # Within the margin of the bound that fails: the one that warns did not decide.
        ({"status": "warn", "observed": 5.0, "comparison": "<", "warn_bound": 1.0, "error_bound": 5.0},
         "fails if < 5; the bound that warns is 1"),
        ({"error_bound": None}, None),
    ],
)  # fmt: skip
def test_only_the_bound_that_decided_has_its_comparison(given: dict[str, Any], text: str | None) -> None:
    assert words.bounds(row(**given)) == text


def test_an_approximate_number_says_so() -> None:
    assert words.observed(row(error_margin=0.005, exactness="sketch")) == "rate is 0.02 ± 0.005 (sketch)"
    assert words.observed(row(observed=None)) == "rate has no value"


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert words.clipped("abcdef", 3) == "ab… (6 characters)"
    assert words.clipped("abc", 3) == "abc"
