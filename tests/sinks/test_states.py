"""Which stored states an update replaces, and in which parts it is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sparkguard.core.states import CHECKED, StateUpdate, StoredStates
from sparkguard.sinks import states
from sparkguard.sinks.states import chunks, replaced, state_rows

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = StoredStates("it's", 3, START, START + timedelta(days=1), ("x",), "f" * 32, b"state", 10)
DONE = StoredStates("it's", 3, None, None, (), CHECKED, b"about", 0)


def test_what_cannot_be_told_drops_all_states_of_the_dataset_but_what_is_kept_for_ever() -> None:
    update = StateUpdate("it's", None, whole=True, states=(DAY,), checked=DONE)
    assert replaced([update], "s") == (
        "suite = 's' AND ((dataset = 'it\\'s' AND measure_fingerprint NOT LIKE 'kept:%'))"
    )


def test_only_days_that_changed_are_dropped_and_only_new_ones_replaced() -> None:
    span = (START + timedelta(days=5), START + timedelta(days=6))
    text = replaced([StateUpdate("it's", (span,), whole=False, states=(DAY,), checked=DONE)], "s")
    assert "window_start IS NULL" not in text
    assert f"window_end > timestamp_micros({round(span[0].timestamp())}000000L)" in text
    assert f"measure_fingerprint IN ('{'f' * 32}') AND (window_start = timestamp_micros(" in text


def test_rows_without_a_time_change_the_whole_and_no_day() -> None:
    text = replaced([StateUpdate("t", (), whole=True, states=(), checked=DONE)], "s")
    assert "window_start IS NULL" in text
    assert "window_end" not in text


def test_what_makes_states_count_is_written_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "MOST_BYTES", 12)
    days = tuple(replace(DAY, fingerprint=str(i)) for i in range(5))
    rows = state_rows([StateUpdate("t", (), whole=False, states=days, checked=DONE)], "s", START)
    parts = list(chunks(rows))
    assert [len(p) for p in parts] == [2, 2, 2]
    assert parts[-1][-1].measure_fingerprint == CHECKED


def test_a_new_version_takes_the_place_of_the_others_that_the_run_does_not_use() -> None:
    new = StateUpdate("t@5", None, whole=True, states=(), checked=DONE, instead="t@")
    text = replaced([new, StateUpdate("t@4", (), whole=False, states=(), checked=DONE)], "s")
    assert "startswith(dataset, 't@') AND substring(dataset, 3) RLIKE '^[0-9]+$'" in text
    assert "dataset NOT IN ('t@5', 't@4') AND measure_fingerprint NOT LIKE 'kept:%'" in text
    assert "startswith" not in replaced([StateUpdate("t@eu", None, whole=True, states=(), checked=DONE)], "s")
