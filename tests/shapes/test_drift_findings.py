"""What the drift check must not pass over in silence, and what it says where it cannot tell."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from sparkguard.core.columns import Field, Schema
from sparkguard.core.fields import Like
from sparkguard.core.finding import Finding
from sparkguard.errors import DataError
from sparkguard.shapes.shared_columns import shared
from sparkguard.testing import judge
from tests.checks.test_distribution_drift import LAST, TABLE, check, timeless, verdicts

Row = dict[str, Any]


def column(values: Sequence[object], now: Sequence[object]) -> list[Row]:
    """A column x that repeats `values`, and `now` in the window."""
    found = []
    for i, row in enumerate(TABLE):
        some = now if row["ts"] >= LAST else values
        found.append({"ts": row["ts"], "x": some[i % len(some)]})
    return found


def status(rows: Sequence[Mapping[str, object]], **fields: object) -> tuple[str, str]:
    found = verdicts(rows, **fields)
    return found["x"].status.value, found[":all"].status.value


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([100], [105]),
        ([1.0], [1.05]),
        ([date(2026, 1, 1)], [date(2030, 6, 1)]),
        ([datetime(2026, 1, 1)], [datetime(2026, 1, 1, 0, 0, 1)]),
        ([0, 50, 100], [0, 50, 80]),
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.31]),
        ([2025], [2026]),
        ([100, 101], [100.4, 101]),
    ],
)
def test_of_few_values_each_other_one_is_drift(before: Sequence[object], now: Sequence[object]) -> None:
    assert status(column(before, now)) == ("fail", "fail")
    assert status(column(before, before)) == ("pass", "pass")


def test_one_text_that_takes_the_place_of_all_rare_ones_is_drift() -> None:
    rare = [f"u{i}" for i in range(len(TABLE))]
    found = verdicts(column(rare, ["unknown"]))
    assert (found["x"].status.value, found[":all"].status.value) == ("fail", "fail")
    often = [rare[i] if i % 5 > 2 else "abc"[i % 3] for i in range(len(TABLE))]
    mixed = ["unknown" if i % 5 > 2 else "abc"[i % 3] for i in range(len(TABLE))]
    assert status(column(often, mixed)) == ("fail", "fail")
    assert "moved among those that have no name" in verdicts(column(often, mixed))["x"].message


def test_texts_that_begin_alike_keep_names_of_their_own() -> None:
    long = "x" * 200
    found = verdicts(column([f"{long}a", f"{long}b"], [f"{long}a"]))
    assert found["x"].status.value == "fail"
    assert "50 % → 100 %" in found["x"].message
    assert "50 % → 0.0 %" in found["x"].message


@pytest.mark.parametrize("filled_days", [30, 40, 50])
def test_a_window_whose_base_has_no_values_is_no_pass(filled_days: int) -> None:
    rng = np.random.default_rng(1)
    since = TABLE[0]["ts"] + timedelta(days=filled_days)
    table = [
        {"ts": r["ts"], "x": 1000.0 + i if r["ts"] >= LAST else float(rng.normal()) if r["ts"] < since else None}
        for i, r in enumerate(TABLE)
    ]
    found = verdicts(table)
    assert "pass" not in {found["x"].status.value, found[":all"].status.value}


def test_a_reference_of_infinities_is_no_pass() -> None:
    assert status(column([math.inf], [1.0, 2.0])) == ("warn", "warn")


def test_a_column_whose_type_has_no_cells_on_one_side_cannot_be_told() -> None:
    int_x, void_x, y = (Field(name, kind, True) for name, kind in (("x", "int"), ("x", "void"), ("y", "int")))  # noqa: FBT003
    for mine, theirs in (((void_x, y), (int_x, y)), ((int_x, y), (void_x, y))):
        found = shared(Schema(mine), Schema(theirs), Like(("*",)), ())
        assert [one.name for one, _ in found.pairs] == ["y"]
        assert [one.name for one in found.unlike] == ["x"]
        assert found.left_out == ()


def test_the_stretch_that_alone_sets_the_limit_is_named() -> None:
    odd = TABLE[0]["ts"] + timedelta(days=50)
    rng = np.random.default_rng(2)
    table = [
        {
            "ts": r["ts"],
            "a": float(rng.normal()) + (3 if odd.date() == r["ts"].date() else 0),
            "b": float(rng.normal()) + (0.4 if r["ts"] >= LAST else 0),
        }
        for r in TABLE
    ]
    message = verdicts(table)[":all"].message
    assert "the limit is what a showed from 2026-02-2" in message
    assert "leave those days out" in message
    assert "leave those days out" not in verdicts(TABLE)[":all"].message


def test_medians_beyond_the_last_edge_are_told_as_such() -> None:
    values = [float(v) for v in np.random.default_rng(3).normal(size=500)]
    message = verdicts(column(values, [v + 1e6 for v in values]))["x"].message
    assert "or more" in message.partition(";")[0]


def test_few_or_unequal_clusters_cannot_tell() -> None:
    for users, many in ((3, 3), (600, 1)):
        table = [{**r, "user": i % users if r["ts"] >= LAST else i % 600} for i, r in enumerate(TABLE)]
        if many == 1:  # one user has nine of ten rows
            table = [{**r, "user": r["user"] if i % 10 == 0 else 0} for i, r in enumerate(table)]
        found = timeless(table, cluster="user")
        assert found["kind"].status.value == found[":all"].status.value == "warn", found["kind"].message
        assert "26 groups of clusters" in found["kind"].message


def test_a_window_of_a_row_is_underpowered_and_not_called_too_different() -> None:
    found = timeless([r for i, r in enumerate(TABLE) if r["ts"] < LAST or i == len(TABLE) - 1], rows_independent=True)
    assert found["flag"].status.value == "warn"
    assert "too different" not in found[":all"].message
    assert "differ too much" not in found["flag"].message


def test_what_would_be_found_is_never_said_to_be_less_than_min_effect() -> None:
    found = verdicts(TABLE, min_effect=0.3)
    for name in ("amount", "kind", "flag"):
        assert (found[name].quantities["smallest_detectable_effect"].value or 0) >= 0.3


def whole(rows: Sequence[Mapping[str, object]], **fields: object) -> Finding:
    return judge(check(**fields), {"t": rows}, time_columns={"t": "ts"})[-1]


def test_bounds_also_judge_what_cannot_be_told() -> None:
    short = {"reference_window": {"start": "2026-03-14", "end": "2026-03-24"}}
    found = whole(TABLE, **short)
    assert found.status.value == "warn"
    assert found.quantities["undecided_columns"].value == 3
    assert whole(TABLE, **short, error_if={"undecided_columns": "> 0"}).status.value == "fail"


def test_a_gap_that_leaves_no_stretches_is_named() -> None:
    gap = {"reference_window": {"start": "2026-01-05", "end": "2026-02-15"}}
    found = whole(TABLE, **gap)
    assert found.status.value == "warn"
    assert "at a gap of 37 days" in found.message
    assert "snapshots: around" in str(found.remedy)


def test_blocks_lie_as_the_window_does_whatever_the_gap() -> None:
    for end in ("2026-03-21", "2026-03-22", "2026-03-23", "2026-03-24"):
        found = whole(TABLE, block="2d", reference_window={"start": "2026-01-05", "end": end})
        assert (found.quantities["snapshots"].value or 0) >= 26
        assert found.status.value == "pass"


def test_slices_are_told_apart_from_columns_and_do_not_make_a_table_underpowered() -> None:
    table = [{"ts": r["ts"], "x": i % 50, "part": f"p{i % 40}"} for i, r in enumerate(TABLE)]
    found = whole(table, columns=["x"], slices=["part"], min_rows=1)
    assert found.status.value == "pass"
    assert found.message.startswith("1 column and 40 slices of them look like")


def test_a_column_without_frequent_values_has_no_slices_and_that_is_said() -> None:
    table = [{"ts": r["ts"], "x": i % 50, "id": f"u{i}"} for i, r in enumerate(TABLE)]
    assert "no value to slice by in id" in whole(table, columns=["x"], slices=["id"]).message


def test_new_texts_are_told_as_a_share_of_values() -> None:
    before = ["a", "b", None, None, None]
    found = verdicts(column(before, ["a", "new", None, None, None]))["x"]
    assert found.status.value == "fail"
    assert "values never seen before 0.0 % → 50 %" in found.message


def test_a_column_is_not_sliced_by_itself_however_it_is_spelled() -> None:
    table = [{"ts": r["ts"], "a.b": "xy"[i % 2], "c": i % 9} for i, r in enumerate(TABLE)]
    found = judge(check(columns=["a.b", "c"], slices=["`a.b`"]), {"t": table}, time_columns={"t": "ts"})
    assert {f.subject for f in found if f.slice_key} == {"c"}


@pytest.mark.parametrize(
    ("before", "now"), [([100], [105]), (["a", "b"], ["a", "b", "c"]), ([f"u{i}" for i in range(50)], ["new"])]
)
def test_what_is_beyond_a_base_of_few_rows_is_no_pass(before: Sequence[object], now: Sequence[object]) -> None:
    outage = TABLE[0]["ts"] + timedelta(days=60)
    table = [row for i, row in enumerate(column(before, now)) if not outage <= row["ts"] < LAST or i % 3 == 0]
    assert "pass" not in status(table)
    healthy = [row for i, row in enumerate(column(before, before)) if not outage <= row["ts"] < LAST or i % 3 == 0]
    assert status(healthy) == ("pass", "pass")


def test_a_column_whose_values_have_few_clusters_is_no_pass() -> None:
    table = [
        {**r, "user": i % 600, "kite": (i % 7 + (1000 if r["ts"] >= LAST else 0)) if i % 600 < 10 else None}
        for i, r in enumerate(TABLE)
    ]
    found = timeless(table, cluster="user")
    assert found["kite"].status.value == found[":all"].status.value == "warn", found["kite"].message
    assert "26 groups of clusters" in found["kite"].message


@pytest.mark.parametrize("days", [1, 2])
def test_a_reference_of_less_than_a_block_cannot_tell(days: int) -> None:
    end = f"2026-03-{22 + days}"
    found = whole(TABLE, block="2d", reference_window={"start": "2026-03-22", "end": end})
    assert (found.status.value, found.message[:11]) == ("warn", "cannot tell")


def test_a_slice_of_values_that_are_rare_in_the_column_is_not_out_of_date() -> None:
    table = [
        {
            "ts": r["ts"],
            "x": f"lu{i // 40 % 10}" if i % 40 == 0 else f"de{i % 9}",
            "land": "LU" if i % 40 == 0 else "DE",
        }
        for i, r in enumerate(TABLE)
    ]
    found = verdicts(table, columns=["x"], slices=["land"], min_rows=5)
    assert "out of date" not in found["x[land=LU]"].message


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ([0.0, 1.0], [0.0, 0.0, 0.0, 1.0], "up to 0: 50 % → 75 %"),
        ([0.1, 0.2, 0.3], [0.1, 0.1, 0.3], "up to 0.1: 33 % → 67 %"),
        ([-math.inf, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "-inf: 25 % → 0.0 %"),
    ],
)
def test_where_values_moved_is_told_by_values_that_there_are(
    before: Sequence[object], now: Sequence[object], told: str
) -> None:
    assert told in verdicts(column(before, now))["x"].message


def test_a_column_that_is_misspelt_is_told_with_its_nearest_name() -> None:
    with pytest.raises(DataError, match="amuont") as told:
        whole(TABLE, columns=["amuont"])
    assert "'amount'" in str(told.value)
