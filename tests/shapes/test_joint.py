"""What the drift check says of columns that look as usual and do not go together as usual."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from sparkguard.checks.distribution_drift import DistributionDrift
from sparkguard.core.columns import Column
from sparkguard.core.finding import Finding
from sparkguard.core.source import Source
from sparkguard.core.window import Window
from sparkguard.measures.sampled_grids import MOST_VALUES
from sparkguard.shapes import joint
from sparkguard.testing import judge

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, ROWS = 70, 150
LAST = FIRST + timedelta(days=DAYS - 2)
Row = dict[str, Any]


def rows(now: float, *, was: float = 0.8, seed: int = 1) -> list[Row]:
    """Days that differ; a and b correlate by `was`, in the last two days by `now`, c goes with nothing."""
    rng = np.random.default_rng(seed)
    found: list[Row] = []
    for day in range(DAYS):
        level, correlation = rng.normal(0, 0.3), now if day >= DAYS - 2 else was
        a = rng.normal(size=ROWS)
        b = correlation * a + np.sqrt(1 - correlation**2) * rng.normal(size=ROWS)
        c, seconds = rng.normal(size=ROWS), np.sort(rng.integers(0, 86_400, ROWS))
        found += [
            {
                "ts": FIRST + timedelta(days=day, seconds=int(seconds[i])),
                "a": float(a[i] + level),
                "b": None if c[i] > 1.5 else float(b[i]),
                "c": float(c[i]),
            }
            for i in range(ROWS)
        ]
    return found


HEALTHY, BROKEN = rows(0.8), rows(0.1)


def check(**fields: object) -> DistributionDrift:
    known: dict[str, Any] = {
        "id": "drift",
        "dataset": "t",
        "window": {"start": "2026-03-14", "end": "2026-03-16"},
        "reference_window": {"start": "2026-01-05", "end": "2026-03-14"},
        "false_alarms": "1 per 30d",
        "multivariate": True,
    }
    return DistributionDrift.model_validate({**known, **fields})


def whole(table: Sequence[Mapping[str, object]], **fields: object) -> Finding:
    return judge(check(**fields), {"t": table}, time_columns={"t": "ts"})[-1]


def numbers(found: Finding) -> dict[str, float | None]:
    return {name: quantity.value for name, quantity in found.quantities.items()}


def test_a_change_of_correlation_alone_is_found_by_it_and_by_nothing_else() -> None:
    assert whole(BROKEN, multivariate=False).status.value == "pass"
    found = whole(BROKEN)
    assert found.status.value == "fail"
    assert found.message.startswith("3 columns do not go together as usual: a with b: rank correlation 0.")
    assert (numbers(found)["drifted_columns"], numbers(found)["joint_drift"]) == (0, 1)
    [first, *_] = found.violations
    assert (first.kind, first.key) == ("joint_drift", {"column": "a", "with": "b"})
    assert found.remedy is not None
    assert "joined" in found.remedy


def test_a_window_like_the_others_passes_and_says_what_was_looked_at() -> None:
    found = whole(HEALTHY)
    assert found.status.value == "pass"
    assert "3 columns go together as usual: AUC 0." in found.message
    assert numbers(found)["joint_drift"] == 0
    assert numbers(found)["joint_columns"] == 3
    assert not found.violations


def test_without_it_nothing_is_sampled_and_nothing_is_said_of_it() -> None:
    plain = whole(HEALTHY, multivariate=False)
    assert not [name for name in numbers(plain) if name.startswith("joint")]
    assert "together" not in plain.message


def test_both_tests_share_the_budget() -> None:
    alone, both = whole(HEALTHY, multivariate=False), whole(HEALTHY)
    limits = [numbers(found)["limit"] or 0 for found in (alone, both)]
    assert limits[1] > limits[0]
    assert limits[1] == numbers(whole(HEALTHY, multivariate=False, false_alarms="1 per 60d"))["limit"]


def test_bounds_that_are_written_are_the_only_ones() -> None:
    assert whole(BROKEN, error_if={"drifted_columns": "> 0"}).status.value == "pass"
    assert whole(BROKEN, error_if={}, warn_if={"joint_drift": "> 0"}).status.value == "warn"
    assert whole(BROKEN, error_if={"joint_auc": "> 0.55"}).status.value == "fail"


def test_a_column_that_drifted_by_itself_is_left_out() -> None:
    moved = [{**row, "a": row["a"] + 50} if row["ts"] >= LAST else row for row in BROKEN]
    found = whole(moved)
    assert found.status.value == "fail"
    assert (numbers(found)["joint_columns"], numbers(found)["joint_drift"]) == (2, 0)
    two = whole([{"ts": r["ts"], "a": r["a"], "b": r["b"]} for r in moved])
    assert two.status.value == "fail"
    assert "cannot be told: of those that did not drift only b can be looked at" in two.message


def test_times_identifiers_counters_and_constants_are_left_out() -> None:
    table = [
        {
            **row,
            "id": f"row {i}",
            "seen": row["ts"] + timedelta(hours=2),
            "day": row["ts"].date(),
            "counter": i // 3,
            "same": 1,
            "nothing": None if i else 1.0,
        }
        for i, row in enumerate(HEALTHY)
    ]
    found = whole(table, columns=["a", "b", "c", "id", "seen", "day", "counter", "same", "nothing"])
    assert numbers(found)["joint_columns"] in (3, 4)
    assert numbers(found)["joint_drift"] == 0


def test_text_goes_with_numbers() -> None:
    def named(table: Sequence[Row]) -> list[Row]:
        texts = ["low" if r["a"] < 0 else "high" for r in table]
        return [{"ts": r["ts"], "kind": t, "c": r["c"], "b": r["b"]} for r, t in zip(table, texts, strict=True)]

    found = whole(named(BROKEN))
    assert numbers(found)["joint_drift"] == 1
    assert found.violations[0].key == {"column": "kind", "with": "b"}
    assert "association" in str(found.violations[0].reason)
    assert numbers(whole(named(HEALTHY)))["joint_drift"] == 0


@pytest.mark.parametrize("naive", [True, False])
def test_rows_are_placed_by_wall_clock_in_the_windows_zone(naive: bool) -> None:  # noqa: FBT001 - a parameter
    table = [{**r, "ts": r["ts"].replace(tzinfo=None) if naive else r["ts"] - timedelta(hours=9)} for r in BROKEN]
    days = {"window": (LAST, LAST + timedelta(days=2)), "reference_window": (FIRST, LAST)}
    windows = {
        name: Window(start.replace(tzinfo=None), end.replace(tzinfo=None), "Asia/Tokyo")
        for name, (start, end) in days.items()
    }
    found = whole(table, **windows)
    assert numbers(found)["joint_drift"] == 1


def test_days_place_rows_too() -> None:
    table = [{**r, "ts": r["ts"].date()} for r in BROKEN]
    assert numbers(whole(table))["joint_drift"] == 1


def test_times_as_text_cannot_place_rows_and_only_warn() -> None:
    table = [{**r, "ts": r["ts"].strftime("%Y-%m-%d %H:%M:%S")} for r in BROKEN]
    found = whole(table)
    assert found.status.value == "warn"
    assert "'ts' is a text, so rows cannot be placed in time; cast it to a timestamp" in found.message


def test_few_rows_are_no_pass() -> None:
    found = whole(HEALTHY[::4])
    assert found.status.value == "warn"
    assert "less than 100 rows" in found.message
    assert numbers(found)["joint_drift"] == 0


def test_fewer_than_26_stretches_with_rows_are_no_pass() -> None:
    early = FIRST + timedelta(days=30)
    thin = [row for i, row in enumerate(HEALTHY) if row["ts"] >= early or i % 10 == 0]
    found = whole(thin)
    assert found.status.value == "warn"
    assert "fewer than 26 stretches" in found.message
    assert numbers(found)["joint_drift"] == 0


def test_a_reference_without_stretches_is_no_pass() -> None:
    found = whole(HEALTHY, reference_window={"start": "2026-03-04", "end": "2026-03-14"})
    assert found.status.value == "warn"
    assert numbers(found)["joint_drift"] == 0


@pytest.mark.parametrize("how", [{"rows_independent": True}, {"cluster": "user"}])
def test_without_time_random_splits_say_what_is_usual(how: Mapping[str, object]) -> None:
    def judged(table: Sequence[Row]) -> Finding:
        sides = {
            "t": [{"user": i % 97, **{n: r[n] for n in "abc"}} for i, r in enumerate(table) if r["ts"] >= LAST],
            "past": [{"user": i % 97, **{n: r[n] for n in "abc"}} for i, r in enumerate(table) if r["ts"] < LAST],
        }
        timeless = {"window": None, "reference_window": None, "reference": "past", **how}
        return judge(check(**timeless), sides)[-1]

    # One level for all days of the window is drift to rows that are independent.
    level = [{**r, "a": 0.8 * (r["b"] or 0) + 0.6 * r["c"]} for r in HEALTHY]
    broken = [{**r, "b": level[(i * 7) % len(level)]["b"]} if r["ts"] >= LAST else r for i, r in enumerate(level)]
    assert numbers(judged(level))["joint_drift"] == 0
    found = judged(broken)
    assert numbers(found)["joint_drift"] == 1
    assert "99 random splits" in found.message


def test_it_looks_at_no_more_columns_than_all_of_whose_pairs_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "MOST_COLUMNS", 2)
    found = whole(BROKEN)
    assert numbers(found)["joint_columns"] == 2
    assert "1 more column not looked at together" in found.message


def test_hidden_columns_show_no_values() -> None:
    found = whole(BROKEN, redact=["a"])
    assert found.violations[0].key == {"column": "a", "with": "b"}
    assert not whole(BROKEN, violations="none").violations


def test_samples_are_bounded_and_leave_out_times() -> None:
    columns = [Column(f"f{i}", (f"f{i}",), "double") for i in range(1_000)]
    moment = Column("ts", ("ts",), "timestamp")
    pairs = tuple((c, c) for c in [moment, *columns])
    question = joint.Question(Source("t"), Source("past"), pairs, (moment, moment))
    window, reference = question.samples
    assert window.columns == reference.columns == (*columns[: joint.MOST_COLUMNS], moment)
    assert window.rows == 20_000
    assert reference.rows * len(reference.columns) <= MOST_VALUES
