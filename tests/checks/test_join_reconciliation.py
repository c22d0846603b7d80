"""`join_reconciliation` judged on small tables in plain Python; Spark's answers are compared elsewhere."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sparkguard.checks.join_reconciliation import JoinReconciliation
from sparkguard.core.finding import Finding, Status
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Window
from sparkguard.errors import DataError
from sparkguard.testing import judge

Rows = list[dict[str, Any]]


def check(**fields: Any) -> JoinReconciliation:
    return JoinReconciliation(**{"id": "j", "before": "b", "after": "a", "key": ("k",), **fields})


def found(before: Rows, after: Rows | None, other: Rows | None = None, **fields: Any) -> Finding:
    return findings(before, after, other, **fields)[0]


def findings(before: Rows, after: Rows | None, other: Rows | None = None, **fields: Any) -> tuple[Finding, ...]:
    tables = {"b": before, "a": after, "o": other}
    names = {"after": None if after is None else "a", "other": None if other is None else "o"}
    return judge(
        check(**names | fields), {n: t for n, t in tables.items() if t is not None}, time_columns={"b": "ts", "a": "ts"}
    )


def keyed(*keys: object) -> Rows:
    return [{"k": k} for k in keys]


def values(finding: Finding, *names: str) -> list[float | None]:
    names = names or ("lost_rows", "gained_rows", "multiplied_rows", "changed_rows")
    return [finding.quantities[n].value for n in names]


def reasons(finding: Finding) -> list[tuple[str, dict[str, str | None], str | None, int | None]]:
    return [(v.kind, dict(v.key), v.reason, v.count) for v in finding.violations]


def test_equal_sides_pass_and_say_over_how_many_rows() -> None:
    finding = found([{"k": 1, "v": 2}, {"k": 3, "v": None}], [{"k": 3, "v": None}, {"k": 1, "v": 2}])
    assert (finding.status, finding.message) == (Status.PASS, "all 2 rows are there")
    assert values(finding) == [0, 0, 0, 0]
    assert (finding.evaluated_rows, finding.violation_rows) == (2, 0)


def test_lost_and_gained_rows_that_leave_the_total_right_are_both_found() -> None:
    finding = found(keyed(1, 2, 3), keyed(1, 2, 9))
    assert finding.status is Status.FAIL
    assert values(finding) == [1, 1, 0, 0]
    assert finding.message == "1 of 3 rows is lost (k=3); 1 row is gained (k=9)"


def test_a_key_that_lost_some_of_its_rows_counts_those() -> None:
    assert values(found(keyed(1, 1, 1, 2), keyed(1, 2))) == [2, 0, 0, 0]


def test_null_keys_are_compared_like_any_other() -> None:
    assert found(keyed(None, None, 1), keyed(1, None, None)).status is Status.PASS
    finding = found(keyed(None, None, 1), keyed(1))
    assert reasons(finding) == [("lost", {"k": None}, "NULL key", 2)]


def test_a_swap_of_values_between_rows_is_two_changed_rows() -> None:
    finding = found([{"k": 1, "v": "x"}, {"k": 2, "v": "y"}], [{"k": 1, "v": "y"}, {"k": 2, "v": "x"}])
    assert values(finding) == [0, 0, 0, 2]
    assert finding.violations[0].reason == "changed: v"
    assert (finding.violations[0].expected, finding.violations[0].actual) == ("v=x", "v=y")


def test_rows_of_one_key_are_compared_as_multisets() -> None:
    before = [{"k": 1, "v": v} for v in (1, 1, 2, 3)]
    assert values(found(before, [{"k": 1, "v": v} for v in (3, 2, 1, 1)])) == [0, 0, 0, 0]
    assert values(found(before, [{"k": 1, "v": v} for v in (1, 2, 2, 4)])) == [0, 0, 0, 2]


def test_null_and_value_differ_and_nan_equals_nan() -> None:
    nan = float("nan")
    assert values(found([{"k": 1, "v": 1.0}, {"k": 2, "v": nan}], [{"k": 1, "v": None}, {"k": 2, "v": nan}]))[3] == 1
    assert (
        found([{"k": 1, "v": nan}, {"k": 2, "v": -0.0}], [{"k": 1, "v": -nan}, {"k": 2, "v": 0.0}]).status
        is Status.PASS
    )


def test_causes_are_told_with_other() -> None:
    before = keyed(1, 2, None, 3, 4, 5)
    finding = found(before, keyed(1, 1, 5, 7, 8), keyed(1, 1, 3, 5, 7))
    assert sorted(reasons(finding), key=str) == [
        ("gained", {"k": "7"}, "a key of other that before does not have", 1),
        ("gained", {"k": "8"}, "neither in before nor in other", 1),
        ("lost", {"k": "2"}, "no match in other", 1),
        ("lost", {"k": "3"}, "has a match in other, and is lost all the same", 1),
        ("lost", {"k": "4"}, "no match in other", 1),
        ("lost", {"k": None}, "NULL key", 1),
        ("multiplied", {"k": "1"}, "duplicate key in other (2 rows)", 1),
    ]
    assert values(finding, "unmatched_rows") == [3]


def test_duplicates_before_that_were_removed_or_squared_are_named() -> None:
    removed = found(keyed(1, 1, 2), keyed(1, 2), keyed(1, 2))
    assert reasons(removed) == [("lost", {"k": "1"}, "duplicate key in before", 1)]
    squared = found(keyed(1, 1, 2), keyed(1, 1, 1, 1, 2), keyed(1, 2))
    assert reasons(squared) == [("multiplied", {"k": "1"}, "duplicate key in before", 2)]


def test_a_left_join_loses_nothing_and_tells_what_it_filled_with_null() -> None:
    finding = found(keyed(1, 2, None), keyed(1, 2, None), keyed(1), error_if={"unmatched_rows": Bound(">", 1)})
    assert finding.status is Status.FAIL
    assert finding.message.startswith("all 3 rows are there; 2 rows without a match in other")


def test_the_preflight_foretells_an_inner_and_a_left_join() -> None:
    finding = found(keyed(1, 2, 2, None), None, keyed(1, 1, 1))
    assert values(finding, "lost_rows", "multiplied_rows", "unmatched_rows", "gained_rows") == [3, 2, 3, 0]
    assert finding.message == (
        "3 of 4 rows would be lost by an inner join (2 no match in other: k=2; 1 NULL key: k=NULL); "
        "2 rows would be multiplied by a join (2 duplicate key in other: k=1)"
    )
    assert found(keyed(1, 2), None, keyed(1, 2, 3)).message == "all 2 rows would survive a join"


def test_other_may_name_its_key_differently() -> None:
    assert found(keyed(1, 2), keyed(1), [{"id": 1}], other_key=("id",)).violations[0].reason == "no match in other"


def test_floats_may_be_apart_by_the_tolerance_relative_to_large_values() -> None:
    before: Rows = [{"k": 1, "v": 0.1}, {"k": 2, "v": 1e12}, {"k": 3, "v": float("inf")}, {"k": 4, "v": None}]
    near: Rows = [{"k": 1, "v": 0.1000001}, {"k": 2, "v": 1e12 + 1e5}, {"k": 3, "v": float("inf")}, {"k": 4, "v": None}]
    assert found(before, near).status is Status.FAIL
    assert found(before, near, float_tolerance=1e-6).status is Status.PASS
    far: Rows = [{"k": 1, "v": 0.2}, {"k": 2, "v": None}, {"k": 3, "v": -float("inf")}, {"k": 4, "v": 0.0}]
    assert values(found(before, far, float_tolerance=1e-6)) == [0, 0, 0, 4]


def test_columns_that_one_side_has_are_listed_and_not_compared() -> None:
    finding = found([{"k": 1, "x": 1}], [{"k": 1, "y": 2, "z": 3}])
    assert finding.message == "1 row is there; only before: x; only after: y, z"
    assert values(finding, "missing_columns", "added_columns") == [1, 2]


def test_types_that_no_cast_brings_together_are_one_finding_and_no_changed_rows() -> None:
    whole, schema = findings([{"k": 1, "v": 1}], [{"k": 1, "v": "1"}])
    assert (whole.status, values(whole, "changed_rows", "incomparable_columns")) == (Status.PASS, [0, 1])
    assert (schema.status, schema.subject, schema.columns) == (Status.WARN, ":schema", ("v",))
    assert schema.message == "1 column could not be compared by value: v (bigint before, string after)"


def test_compare_chooses_the_columns() -> None:
    before: Rows = [{"k": 1, "v": 1, "w": 1}]
    after: Rows = [{"k": 1, "v": 2, "w": 1}]
    assert found(before, after, compare="none").status is Status.PASS
    assert found(before, after, compare=("w",)).status is Status.PASS
    assert found(before, after, compare=("v",)).status is Status.FAIL
    with pytest.raises(DataError, match="column 'q' does not exist"):
        found(before, after, compare=("q",))


def test_nothing_before_and_nothing_after_is_an_error() -> None:
    window = Window(datetime(2026, 1, 8), datetime(2026, 1, 9))
    row = [{"k": 1, "ts": datetime(2026, 1, 1)}]
    assert found(row, row, window=window).status is Status.ERROR


def test_rows_out_of_nothing_are_gained_even_if_empty_windows_pass() -> None:
    window = Window(datetime(2026, 1, 8), datetime(2026, 1, 9))
    finding = found(
        [{"k": 1, "ts": datetime(2026, 1, 1)}], [{"k": 1, "ts": datetime(2026, 1, 8)}], window=window, on_empty="pass"
    )
    assert (finding.status, values(finding)[1]) == (Status.FAIL, 1)


def test_values_can_be_kept_out_of_evidence_and_message() -> None:
    before: Rows = [{"k": "person", "v": "home"}]
    after: Rows = [{"k": "person", "v": "work"}]
    hidden = found(before, after, redact=("v",))
    assert (hidden.violations[0].expected, hidden.violations[0].actual) == ("v=[redacted]", "v=[redacted]")
    none = found(before, after, violations="none")
    assert none.violations == ()
    assert "person" not in none.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"after": None}, "give after, to compare with, or other"),
        ({"after": "b"}, "before and after are the same rows"),
        ({"after": None, "other": "o", "compare": "none"}, "need after"),
        ({"other": "o", "other_key": ("x", "y")}, "as many columns"),
        ({"warn_if": {"unmatched_rows": "> 0"}}, "needs other"),
        ({"warn_if": {"missing_columns": "> 0"}, "compare": "none"}, "missing_columns needs after and compare: all"),
        ({"key": ("k", "k")}, "names a column twice"),
        ({"before": {"dataset": "b"}}, "expected the name of a dataset, or {dataset: flights, version: 41}"),
        ({"float_tolerance": 0}, "greater than 0"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


def test_keys_of_types_that_cannot_be_matched_are_refused() -> None:
    with pytest.raises(DataError, match="key column 'k' is bigint on one side and string on the other"):
        found(keyed(1), keyed("1"))


def test_the_count_of_a_changed_key_is_that_of_its_changed_rows() -> None:
    finding = found([{"k": 1, "v": 1}, {"k": 1, "v": 2}], [{"k": 1, "v": 1}, {"k": 1, "v": 3}])
    assert [(v.kind, v.count, v.expected, v.actual) for v in finding.violations] == [("changed", 1, "2 rows", "2 rows")]


def test_what_decided_is_told_even_where_other_rows_are_told_too() -> None:
    bounds = {"unmatched_rows": Bound(">", 1), "lost_rows": Bound(">", 5)}
    finding = found(keyed(*range(10)), keyed(*range(9)), keyed(0, 1, 2), error_if=bounds)
    assert (finding.status, values(finding)) == (Status.FAIL, [1, 0, 0, 0])
    assert finding.message.endswith("unmatched_rows is 7, and '> 1' fails")
    assert finding.remedy == "complete other: a left join fills what is missing with NULL"


def test_rows_that_a_left_join_left_without_a_match_are_evidence_where_they_are_bounded() -> None:
    finding = found(keyed(1, 2, None), keyed(1, 2, None), keyed(1), error_if={"unmatched_rows": Bound(">", 1)})
    assert sorted(reasons(finding), key=str) == [
        ("unmatched", {"k": "2"}, "no match in other", 1),
        ("unmatched", {"k": None}, "NULL key", 1),
    ]


def test_every_cause_is_among_the_evidence() -> None:
    finding = found(keyed(*range(150), None), keyed(999), keyed(999), violation_limit=20)
    assert {v.reason for v in finding.violations if v.kind == "lost"} == {"no match in other", "NULL key"}


def test_an_empty_before_never_passes_silently() -> None:
    window = Window(datetime(2026, 1, 8), datetime(2026, 1, 9))
    before, after = [{"k": 1, "ts": datetime(2026, 1, 1)}], [{"k": 1, "ts": datetime(2026, 1, 8)}]
    assert found(before, after, window=window, error_if={"lost_rows": Bound(">", 0)}).status is Status.ERROR


def test_a_hidden_field_hides_the_struct_that_holds_it() -> None:
    before: Rows = [{"k": 1, "v": "{email: x}"}]
    after: Rows = [{"k": 1, "v": "{email: y}"}]
    assert found(before, after, redact=("v.email",)).violations[0].expected == "v=[redacted]"


small = st.lists(st.tuples(st.sampled_from([1, 2, 3, None]), st.sampled_from([0, 1, None])), max_size=12)


@given(small, small, st.lists(st.sampled_from([1, 2, None]), max_size=5))
def test_the_quantities_equal_brute_force(before: Any, after: Any, other: list[int | None]) -> None:
    b, a = ([{"k": k, "v": v} for k, v in [*rows, (9, 9)]] for rows in (before, after))
    finding = found(b, a, keyed(*other, 9))
    rows = [Counter(r["k"] for r in side) for side in (b, a)]
    keys = {*rows[0], *rows[1]}
    lost = sum(max(rows[0][k] - rows[1][k], 0) for k in keys)
    gained = sum(rows[1][k] for k in keys if not rows[0][k])
    multiplied = sum(rows[1][k] - rows[0][k] for k in keys if rows[1][k] > rows[0][k] > 0)
    whole = [Counter((r["k"], r["v"]) for r in side) for side in (b, a)]
    changed = sum(n for (k, _), n in (whole[0] - whole[1]).items() if rows[0][k] == rows[1][k])
    assert values(finding) == [lost, gained, multiplied, changed]
    assert len(a) == len(b) - lost + gained + multiplied
    assert values(finding, "unmatched_rows") == [sum(r["k"] is None or r["k"] not in [*other, 9] for r in b)]
    assert finding.status is (Status.FAIL if lost + gained + multiplied + changed else Status.PASS)
