"""Which stretches are chosen: by their laws, and on calendars that can be checked by hand."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.stats.stretches import LEAST, LEAST_BASE, Mode, Seasonality, Snapshots, Timeline, choose

MONDAY = datetime(2024, 1, 1)
MODES: tuple[Mode, ...] = ("forward", "around")


def daily(days: int, window: int = 7, gap: int = 0, first: datetime = MONDAY) -> Timeline:
    return Timeline((10,) * days, window, gap, first)


def chosen(timeline: Timeline, mode: Mode, seasonality: Seasonality = "none") -> Snapshots:
    found = choose(timeline, mode, seasonality)
    assert found is not None
    return found


def size(spans: tuple[tuple[int, int], ...]) -> int:
    return sum(b - a for a, b in spans)


@given(st.integers(60, 500), st.integers(1, 20), st.integers(-60, 40), st.sampled_from(MODES))
def test_stretches_are_disjoint_windows_of_the_reference_beside_their_bases(
    days: int, window: int, gap: int, mode: Mode
) -> None:
    timeline = daily(days, window, gap)
    found = choose(timeline, mode)
    if found is None:
        return
    assert len(found.stretches) >= LEAST
    assert 1 <= found.length <= window
    taken = set(range(*timeline.taken))
    used: set[int] = set()
    for stretch in found.stretches:
        blocks = set(range(stretch.start, stretch.stop))
        base = {b for left, right in stretch.base for b in range(left, right)}
        assert len(blocks) == found.length
        assert blocks <= set(range(days)) - taken
        assert not blocks & used
        assert base
        assert base <= set(range(days)) - taken - blocks
        used |= blocks
    assert not {b for left, right in found.base for b in range(left, right)} & taken


@given(st.integers(60, 500), st.integers(1, 10), st.integers(-30, 40))
def test_forward_every_base_is_as_long_and_as_far_before_as_the_windows(days: int, window: int, gap: int) -> None:
    timeline = daily(days, window, gap)
    found = choose(timeline, "forward")
    if found is None:
        return
    start = timeline.start + window - found.length
    for stretch in found.stretches:
        assert size(stretch.base) == size(found.base) >= LEAST_BASE * found.length
        assert stretch.start - stretch.base[-1][1] == start - found.base[-1][1]


def test_around_a_year_every_other_day_is_the_base() -> None:
    found = chosen(daily(364), "around")
    assert (found.length, len(found.stretches), found.base) == (7, 52, ((0, 364),))
    assert found.stretches[1].base == ((0, 7), (14, 364))


def test_a_window_inside_the_reference_is_in_no_base_and_no_stretch() -> None:
    found = chosen(daily(364, gap=-100), "around")
    assert found.base == ((0, 264), (271, 364))
    assert all(s.stop <= 264 or s.start >= 271 for s in found.stretches)


def test_forward_a_window_inside_the_reference_knows_only_what_was_before() -> None:
    found = chosen(daily(364, gap=-100), "forward")
    assert max(s.stop for s in found.stretches) == found.base[-1][1] == 264


def test_of_a_long_window_the_end_is_judged() -> None:
    assert chosen(daily(182, window=30), "around").length == 7
    assert chosen(daily(182, window=7), "forward").length == 6
    assert chosen(daily(182, window=30), "forward").length == 5
    assert choose(daily(25), "around") is None
    assert choose(daily(29), "forward") is None


def test_blocks_without_rows_are_no_stretches() -> None:
    rows = tuple(0 if d % 7 in {5, 6} else 10 for d in range(70))
    for mode in MODES:
        found = chosen(Timeline(rows, 1, 0, MONDAY), mode)
        assert all(rows[s.start] for s in found.stretches)
    assert choose(Timeline(tuple(10 * (d % 7 == 0) for d in range(140)), 1, 0, MONDAY), "around") is None


def test_a_base_without_rows_is_no_base() -> None:
    assert choose(Timeline((0,) * 100, 1, 0, MONDAY), "around") is None
    late = Timeline((*(0,) * 300, *(10,) * 40), 1, 0, MONDAY)
    assert all(s.start > 300 for s in chosen(late, "forward").stretches)


@pytest.mark.parametrize("mode", MODES)
def test_weekly_each_stretch_starts_on_the_windows_weekday(mode: Mode) -> None:
    found = chosen(daily(400, window=3, gap=2), mode, "weekly")
    assert found.length == 3
    assert {(402 - s.start) % 7 for s in found.stretches} == {0}


def test_weekly_hours_have_the_phase_of_hours() -> None:
    hourly = Timeline((5,) * (24 * 7 * 30), 6, 0, MONDAY, timedelta(hours=1))
    found = chosen(hourly, "around", "weekly")
    assert {(hourly.start - s.start) % 168 for s in found.stretches} == {0}
    assert len(found.stretches) == 30


@pytest.mark.parametrize("mode", MODES)
def test_yearly_the_nearest_days_of_each_year_are_taken(mode: Mode) -> None:
    days = (datetime(2027, 1, 1) - MONDAY).days
    found = chosen(daily(days, gap=181), mode, "yearly")
    assert len(found.stretches) == LEAST
    for stretch in found.stretches:
        day = (MONDAY + timedelta(days=stretch.start)).timetuple().tm_yday
        assert abs(day - 182) < 7 * LEAST // 2
    if mode == "around":
        assert {(MONDAY + timedelta(days=s.start)).year for s in found.stretches} == {2024, 2025, 2026}


def test_yearly_needs_three_years() -> None:
    assert choose(daily(1090), "around", "yearly") is None
    leap = datetime(2028, 2, 29)
    assert choose(daily(1200, gap=0, first=leap - timedelta(days=1200)), "around", "yearly") is not None
