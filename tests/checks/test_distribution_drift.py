"""The check on small tables in plain Python: what is told of a drift, and of a window like any other."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sparkguard.checks.distribution_drift import DistributionDrift
from sparkguard.core.columns import Column
from sparkguard.core.finding import Finding
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.sampled_grids import Grids
from sparkguard.testing import judge

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, ROWS = 80, 300
X, S = Column("x", ("x",), "bigint"), Column("s", ("s",), "string")
WINDOW = {"start": "2026-03-24", "end": "2026-03-26"}
PAST = {"start": "2026-01-05", "end": "2026-03-24"}
Row = dict[str, Any]


def rows(seed: int = 7) -> list[Row]:
    """Days that differ a little from each other, 78 of the past and 2 of the window."""
    rng = np.random.default_rng(seed)
    found: list[Row] = []
    for day in range(DAYS):
        level = rng.normal(0, 0.3)
        found += [
            {
                "ts": FIRST + timedelta(days=day, seconds=int(rng.integers(86_400))),
                "amount": None if rng.random() < 0.1 else float(rng.normal(100 + 10 * level, 20)),
                "kind": "aaaaaabbbc"[rng.integers(10)],
                "flag": bool(rng.random() < 0.5),
            }
            for _ in range(ROWS)
        ]
    return found


TABLE = rows()


def changed(change: Callable[[Row], Row]) -> list[Row]:
    """The table with another window."""
    last = FIRST + timedelta(days=DAYS - 2)
    return [change(dict(row)) if row["ts"] >= last else row for row in TABLE]


def check(**fields: object) -> DistributionDrift:
    known: dict[str, Any] = {"id": "drift", "dataset": "t", "window": WINDOW, "reference_window": PAST}
    return DistributionDrift.model_validate({**known, "false_alarms": "1 per 30d", **fields})


def verdicts(table: Sequence[Mapping[str, object]], **fields: object) -> dict[str, Finding]:
    found = judge(check(**fields), {"t": table}, time_columns={"t": "ts"})
    return {f.subject if f.slice_key is None else f"{f.subject}[{f.slice_key}={f.slice_value}]": f for f in found}


def test_a_window_like_any_other_passes_with_a_row_for_each_column() -> None:
    found = verdicts(TABLE)
    assert {name: f.status.value for name, f in found.items()} == {
        "amount": "pass", "kind": "pass", "flag": "pass", ":all": "pass"
    }  # fmt: skip
    whole = found[":all"]
    assert whole.quantities["drifted_columns"].value == 0
    assert whole.quantities["snapshots"].value == 29
    assert whole.evaluated_rows == 2 * ROWS
    assert found["amount"].threshold_source == "snapshots"


def test_a_level_that_moved_is_told_with_its_medians() -> None:
    found = verdicts(changed(lambda row: {**row, "amount": row["amount"] and row["amount"] + 60}))
    assert {name: f.status.value for name, f in found.items()} == {
        "amount": "fail", "kind": "pass", "flag": "pass", ":all": "fail"
    }  # fmt: skip
    assert "median about 100" in found["amount"].message
    assert found[":all"].message.startswith("1 of 3 columns drifted")
    [violation] = found[":all"].violations
    assert (violation.kind, violation.key) == ("drifted_column", {"column": "amount"})
    assert violation.reason is not None
    assert violation.reason.startswith("median about")


def test_more_nulls_are_told_as_shares() -> None:
    found = verdicts(changed(lambda row: {**row, "amount": row["amount"] if row["flag"] else None}))
    assert found["amount"].status.value == "fail"
    assert "NULL" in found["amount"].message


def test_a_category_that_takes_over_is_named() -> None:
    found = verdicts(changed(lambda row: {**row, "kind": "c"}))
    assert found["kind"].status.value == "fail"
    assert "'c'" in found["kind"].message


def test_a_value_never_seen_before_is_named_as_such() -> None:
    found = verdicts(changed(lambda row: {**row, "kind": "new" if row["kind"] == "b" else row["kind"]}))
    assert found["kind"].status.value == "fail"
    assert "values never seen before 0.0 % →" in found[":all"].message


def test_columns_of_a_check_that_only_warns_warn() -> None:
    bounds = {"error_if": {}, "warn_if": {"drifted_columns": "> 0"}}
    found = verdicts(changed(lambda row: {**row, "kind": "c"}), **bounds)
    assert (found["kind"].status.value, found[":all"].status.value) == ("warn", "warn")


def test_a_drift_in_one_slice_is_found_there() -> None:
    table = changed(lambda row: {**row, "amount": 400.0 if row["kind"] == "b" else row["amount"]})
    found = verdicts(table, slices=["kind"], min_rows=5)
    assert found["amount[kind=b]"].status.value == "fail"
    assert found["amount[kind=a]"].status.value != "fail"


def test_a_slice_with_few_rows_is_not_judged() -> None:
    found = verdicts(TABLE, slices=["kind"], min_rows=100)
    assert "amount[kind=c]" not in found
    assert "amount[kind=a]" in found


def test_too_short_a_reference_cannot_tell() -> None:
    found = verdicts(TABLE, reference_window={"start": "2026-03-10", "end": "2026-03-24"})
    assert found[":all"].status.value == "warn"
    assert found[":all"].message.startswith("cannot tell")


def test_a_reference_too_short_for_the_window_judges_its_last_days() -> None:
    found = verdicts(TABLE, reference_window={"start": "2026-02-08", "end": "2026-03-24"})
    assert found[":all"].quantities["judged_days"].value == 1
    assert "only the last 1 day of 2 were judged" in found[":all"].message


def test_an_empty_window_is_no_pass() -> None:
    found = verdicts([row for row in TABLE if row["ts"] < FIRST + timedelta(days=DAYS - 2)])
    assert found[":all"].status.value == "error"


def test_values_that_the_suite_keeps_out_reach_no_message() -> None:
    table = changed(lambda row: {**row, "kind": "c", "amount": 7.0})
    for fields in ({"redact": ["kind", "amount"]}, {"violations": "none"}):
        found = verdicts(table, **fields)
        for name in ("kind", "amount"):
            assert found[name].status.value == "fail"
            assert "'c'" not in found[name].message
            assert "median" not in found[name].message
        told = [found[":all"].message, *(str(v) for v in found[":all"].violations)]
        assert not any("'c'" in text or "median" in text for text in told)


def test_a_named_column_that_is_not_there_is_an_error_beside_the_others() -> None:
    found = verdicts(TABLE, columns=["amount", "amuont"])
    assert found["amuont"].status.value == "error"
    assert found["amount"].status.value == "pass"


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(DataError, match="no column"):
        verdicts([{"ts": row["ts"], "many": [1, 2]} for row in TABLE])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window": {"start": "2026-03-24T06:00", "end": "2026-03-26"}}, "begin and end at midnight"),
        ({"block": "6h"}, "days are counted"),
        ({"block": "7d"}, "does not consist of blocks"),
        ({"reference_window": None}, "name what the window is compared with"),
        ({"violations_to": "somewhere"}, "violations_to is not for this check"),
        ({"min_effect": 2}, "less than or equal to 1"),
        ({"snapshots": "rows"}, "needs cluster, or rows_independent"),
        ({"cluster": "user", "rows_independent": True}, "not independent"),
        ({"rows_independent": True, "snapshots": "forward"}, "is for tables with time"),
        ({"rows_independent": True, "slices": ["kind"]}, "slices are for tables with time"),
        ({"window": None}, "give window"),
        ({"slices": ["kind", "kind"]}, "names a column twice"),
        ({"slices": ["kind"], "redact": ["kind"]}, "would show values"),
        ({"slices": ["kind"], "violations": "none"}, "would show values"),
        ({"rows_independent": True, "seasonality": "weekly"}, "for tables with time"),
        ({"rows_independent": True, "reference_window": WINDOW}, "the reference is the dataset itself"),
    ],
)
def test_fields_that_contradict_each_other_are_configuration_errors(fields: Mapping[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


def test_odd_columns_are_judged_and_a_healthy_window_of_them_is_quiet() -> None:
    odd = [
        {
            "ts": row["ts"],
            "nothing": None,
            "nan": math.nan,
            "one": 7,
            "endless": (-math.inf, 1.0, math.inf, math.nan)[i % 4],
            "zero": (-0.0, 0.0)[i % 2],
            "id": i,
            "old": date(1500, 1, 1) + timedelta(days=i % 900),
            "wide": Decimal("12345678901234567890.123456789012345678") * (i % 50),
            "größe.`x`": "Zürich" if i % 3 else "東京",
            "unique": f"member {i}",
            "long": "x" * 1000 * (i % 3),
        }
        for i, row in enumerate(TABLE[::2])
    ]
    found = verdicts(odd)
    assert {name: f.status.value for name, f in found.items()} == dict.fromkeys(
        [*(name for name in odd[0] if name != "ts"), ":all"], "pass"
    )


def test_rows_that_are_all_one_value_become_another() -> None:
    table = changed(lambda row: {**row, "flag": row["flag"]})
    last = FIRST + timedelta(days=DAYS - 2)
    found = verdicts([{"ts": r["ts"], "one": 8 if r["ts"] >= last else 7} for r in table])
    assert found["one"].status.value == "fail"


def test_one_wild_value_hides_nothing_and_alarms_nobody() -> None:
    last = FIRST + timedelta(days=DAYS - 2)
    wild = [{**row, "amount": 1e6 if i in (17, len(TABLE) - 1) else row["amount"]} for i, row in enumerate(TABLE)]
    assert verdicts(wild)["amount"].status.value == "pass"
    moved = [{**r, "amount": r["amount"] and r["amount"] + 60} if r["ts"] >= last else r for r in wild]
    assert verdicts(moved)["amount"].status.value == "fail"


LAST = FIRST + timedelta(days=DAYS - 2)


def test_a_column_that_was_filled_only_lately_cannot_be_told() -> None:
    late = FIRST + timedelta(days=DAYS - 12)
    table = [
        {"ts": r["ts"], "flag": r["flag"], "x": None if r["ts"] < late else i % 100 * (1000 if r["ts"] >= LAST else 1)}
        for i, r in enumerate(TABLE)
    ]
    found = verdicts(table)
    assert (found["x"].status.value, found[":all"].status.value) == ("warn", "warn")
    assert found["x"].message.startswith("cannot tell: the window has values of it, but what it is compared with")
    assert "smallest_detectable_effect" not in found["x"].quantities


def test_a_grid_that_the_data_have_outgrown_is_no_pass() -> None:
    asked = check()
    table = [
        {"ts": r["ts"], "x": 1000 + i % 100 * (100 if r["ts"] >= LAST else 1), "s": "abc"[i % 3] + "-new"}
        for i, r in enumerate(TABLE)
    ]
    old = [{"ts": r["ts"], "x": 0, "s": f"v{i % 5}"} for i, r in enumerate(TABLE)]
    grids = Grids(Source("t", asked.reference_window), (X, S), "t")
    made = grids.twin({grids.source: [(row["x"], row["s"]) for row in old]})
    found = {f.subject: f for f in judge(asked, {"t": table}, time_columns={"t": "ts"}, recorded={grids: made})}
    for name in ("x", "s", ":all"):
        assert found[name].status.value == "warn", found[name].message
    assert "raise grid" in found["x"].message


def test_a_column_that_only_one_side_has_is_named_and_one_of_another_type_cannot_be_told() -> None:
    tables = {
        "t": [{"ts": r["ts"], "flag": r["flag"], "kind": r["kind"], "amount": "12"} for r in TABLE if r["ts"] >= LAST],
        "past": [{"ts": r["ts"], "flag": r["flag"], "amount": 12.5, "label": 1} for r in TABLE if r["ts"] < LAST],
    }
    findings = judge(check(reference="past"), tables, time_columns={"t": "ts", "past": "ts"})
    found = {f.subject: f for f in findings}
    assert (found["amount"].status.value, found["flag"].status.value) == ("warn", "pass")
    assert found[":all"].status.value == "warn"
    assert "only on one side: kind, label" in found[":all"].message
    assert found[":all"].quantities["left_out_columns"].value == 2


def test_values_that_are_rounded_have_moved_though_their_order_has_not() -> None:
    whole = [{"ts": r["ts"], "x": i % 50} for i, r in enumerate(TABLE)]
    rounded = [{**r, "x": r["x"] - r["x"] % 2} if r["ts"] >= LAST else r for r in whole]
    assert verdicts(rounded)["x"].status.value == "fail"


def test_a_few_nulls_where_there_never_were_any_are_drift_though_less_than_min_effect() -> None:
    table = [{"ts": r["ts"], "x": None if r["ts"] >= LAST and not i % 66 else 7.0 + i % 9} for i, r in enumerate(TABLE)]
    found = verdicts(table)
    assert found["x"].status.value == "fail"
    assert found["x"].message.startswith("NULL 0.0 % → 1.5 %")


def test_an_effect_below_min_effect_passes_and_shows_no_broken_bound() -> None:
    whole = [{"ts": r["ts"], "x": i % 50} for i, r in enumerate(TABLE)]
    rounded = [{**r, "x": r["x"] - r["x"] % 2} if r["ts"] >= LAST else r for r in whole]
    found = verdicts(rounded, min_effect=0.9)["x"]
    assert found.status.value == "pass"
    assert found.decision is not None
    assert (found.decision.warn_bound, found.decision.error_bound) == (None, None)


@pytest.mark.parametrize("how", [{"reference_window": PAST}, {"reference": "past"}])
def test_a_reference_without_rows_is_an_error(how: Mapping[str, object]) -> None:
    tables = {"t": [r for r in TABLE if r["ts"] >= LAST], "past": [{**TABLE[0], "ts": None}]}
    fields = {"reference": "t", "reference_window": None, **how}
    with pytest.raises(DataError, match="nothing to compare with"):
        judge(check(**fields), tables, time_columns={"t": "ts", "past": "ts"})


def test_blocks_of_a_window_inside_the_reference_must_be_those_of_the_reference() -> None:
    with pytest.raises(DataError, match="does not begin with a block"):
        verdicts(TABLE, block="2d", window={"start": "2026-03-01", "end": "2026-03-03"})


def test_a_slice_keeps_the_name_that_its_value_has() -> None:
    table = [{"ts": r["ts"], "x": 1, "kind": "'a'" if i % 2 else "a"} for i, r in enumerate(TABLE)]
    found = verdicts(table, slices=["kind"], columns=["x"])
    assert {"x[kind='a']", "x[kind=a]"} <= set(found)


def test_slices_that_are_too_small_are_counted() -> None:
    assert "1 slice with too few rows" in verdicts(TABLE, slices=["kind"], columns=["flag"])[":all"].message


def test_numbers_at_the_ends_of_the_line_are_told() -> None:
    table = [{"ts": r["ts"], "x": 1.7e308 * (1 if i % 2 or r["ts"] >= LAST else -1)} for i, r in enumerate(TABLE)]
    assert verdicts(table)["x"].status.value == "fail"


def timeless(table: Sequence[Mapping[str, object]], **fields: object) -> dict[str, Finding]:
    """The window against the past as two tables without time."""
    last = FIRST + timedelta(days=DAYS - 2)
    tables = {"t": [r for r in table if r["ts"] >= last], "past": [r for r in table if r["ts"] < last]}  # type: ignore[operator] # it holds moments
    known: dict[str, Any] = {"id": "drift", "dataset": "t", "reference": "past", "columns": {"like": "[akf]*"}}
    checked = DistributionDrift.model_validate({**known, "false_alarms": "1 per 30d", **fields})
    return {f.subject: f for f in judge(checked, tables)}


def test_rows_that_are_independent_need_no_time() -> None:
    found = timeless(changed(lambda row: {**row, "kind": "c"}), rows_independent=True)
    assert (found["kind"].status.value, found["flag"].status.value) == ("fail", "pass")
    assert "999 samples of independent rows" in found[":all"].message


def test_few_clusters_cannot_tell() -> None:
    entities = [{**row, "user": i % 5} for i, row in enumerate(TABLE)]
    found = timeless(entities, cluster="user")
    assert found[":all"].status.value == "warn"
    assert "no 26 groups of clusters" in found[":all"].message


def test_rows_of_a_cluster_are_not_counted_as_independent() -> None:
    entities = [{**row, "user": i % 600, "kind": "abc"[i % 600 % 3]} for i, row in enumerate(TABLE)]
    found = timeless(entities, cluster="user")
    assert found["kind"].status.value == "pass"
    assert "user" not in found
    last = FIRST + timedelta(days=DAYS - 2)
    moved = timeless([{**r, "kind": "c"} if r["ts"] >= last else r for r in entities], cluster="user")
    assert moved["kind"].status.value == "fail"
