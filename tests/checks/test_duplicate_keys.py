"""`duplicate_keys` judged on small tables in plain Python; Spark's answers are compared elsewhere."""

from collections import Counter
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.finding import Finding, Status
from sparkguard.core.window import Duration, Window
from sparkguard.errors import DataError
from sparkguard.testing import judge

WINDOW = Window(datetime(2026, 1, 8), datetime(2026, 1, 15))


def found(rows: list[dict[str, object]], **fields: Any) -> Finding:
    [finding] = judge(
        DuplicateKeys(**{"id": "pk", "dataset": "t", "key": ("k",), **fields}), {"t": rows}, time_columns={"t": "ts"}
    )
    return finding


def values(finding: Finding) -> dict[str, float | None]:
    return {name: q.value for name, q in finding.quantities.items()}


def keyed(*keys: object) -> list[dict[str, object]]:
    return [{"k": k} for k in keys]


def test_a_unique_key_passes_and_says_over_how_many_rows() -> None:
    finding = found(keyed(1, 2, 3))
    assert (finding.status, finding.message) == (Status.PASS, "(k) is unique over 3 rows")
    assert values(finding) == {
        "duplicate_keys": 0,
        "excess_rows": 0,
        "null_key_rows": 0,
        "max_multiplicity": 1,
        "evaluated_rows": 3,
        "violation_rows": 0,
        "violation_rate": 0,
    }


def test_duplicates_are_counted_by_key_and_by_row_and_named_worst_first() -> None:
    finding = found(keyed(1, 1, 2, 2, 2, 3))
    assert finding.status is Status.FAIL
    assert [values(finding)[q] for q in ("duplicate_keys", "excess_rows", "max_multiplicity")] == [2, 3, 3]
    assert [(v.kind, v.key, v.count) for v in finding.violations] == [
        ("duplicate", {"k": "2"}, 3),
        ("duplicate", {"k": "1"}, 2),
    ]
    assert finding.message == "2 keys occur more than once (3 excess rows, up to 3 rows a key): k=2"


def test_null_keys_do_not_count_as_duplicates_but_as_violations_of_their_own() -> None:
    finding = found(keyed(1, None, None, None))
    assert [values(finding)[q] for q in ("excess_rows", "null_key_rows", "violation_rows")] == [0, 3, 3]
    assert [(v.kind, v.key, v.count) for v in finding.violations] == [("null_key", {"k": None}, 3)]


def test_null_keys_may_be_distinct_as_in_sql() -> None:
    finding = found(keyed(1, None, None), nulls="distinct")
    assert (finding.status, values(finding)["null_key_rows"]) == (Status.PASS, 2)
    assert finding.message == "(k) is unique over 1 row; 2 rows with NULL set apart"


def test_null_keys_may_equal_each_other() -> None:
    finding = found(keyed(1, None, None), nulls="equal")
    assert [values(finding)[q] for q in ("duplicate_keys", "excess_rows", "null_key_rows", "violation_rows")] == [
        1,
        1,
        2,
        1,
    ]
    assert [(v.kind, v.key) for v in finding.violations] == [("duplicate", {"k": None})]


def test_text_is_normalised_only_when_asked() -> None:
    rows = keyed("A ", "a")
    assert found(rows).status is Status.PASS
    assert found(rows, normalize=("trim", "lower")).status is Status.FAIL


@pytest.mark.parametrize("pair", [(0.0, -0.0), (float("nan"), -float("nan")), (float("inf"), float("inf"))])
def test_floats_that_spark_calls_equal_are_one_key(pair: tuple[float, float]) -> None:
    assert values(found(keyed(*pair)))["duplicate_keys"] == 1


def test_a_table_of_no_columns_cannot_be_judged() -> None:
    with pytest.raises(DataError, match="has no columns"):
        found([])


@pytest.mark.parametrize(
    ("how", "status", "counted"),
    [
        ("error", Status.ERROR, True),
        ("fail", Status.FAIL, True),
        ("pass", Status.PASS, True),
        ("skip", Status.SKIPPED, False),
    ],
)
def test_an_empty_window_has_the_status_that_on_empty_says(how: str, status: Status, *, counted: bool) -> None:
    finding = found([{"k": 1, "ts": datetime(2026, 1, 1)}], window=WINDOW, on_empty=how)
    assert (finding.status, finding.counted, finding.evaluated_rows) == (status, counted, 0)
    assert "the window [2026-01-08, 2026-01-15) of 't' is empty" in finding.message


def history_rows() -> list[dict[str, object]]:
    days = [(1, 1), (5, 2), (9, 1), (9, 1), (10, 3), (11, 2), (15, 4), (16, 3)]
    return [{"ts": datetime(2026, 1, day), "k": k} for day, k in days]


def test_keys_seen_before_the_window_are_counted_once_beside_the_excess() -> None:
    finding = found(history_rows(), window=WINDOW, history="all")
    # The window has 1, 1, 3, 2; history has 1 and 2: rows 1, 1 and 2 are seen before, one of them excess.
    expected = {"duplicate_keys": 1, "excess_rows": 1, "history_rows": 3, "violation_rows": 3, "evaluated_rows": 4}
    assert {q: values(finding)[q] for q in expected} == expected
    assert {v.key["k"] for v in finding.violations if v.kind == "seen_before"} == {"1", "2"}


def test_history_ends_after_its_length() -> None:
    finding = found(history_rows(), window=WINDOW, history=Duration(days=5))
    assert values(finding)["history_rows"] == 1
    assert finding.reference is not None
    assert str(finding.reference) == "t [2026-01-03, 2026-01-08)"


def test_without_history_there_is_no_such_quantity() -> None:
    assert "history_rows" not in values(found(history_rows(), window=WINDOW))


def test_evidence_is_capped_and_every_kind_keeps_a_share() -> None:
    rows: list[dict[str, object]] = [{"k": i} for i in range(50) for _ in range(2)]
    rows += [{"k": None}] * 3
    finding = found(rows, violation_limit=10)
    kinds = Counter(v.kind for v in finding.violations)
    assert sum(kinds.values()) == 10
    assert kinds["null_key"] == 1


def test_values_can_be_kept_out_of_evidence_and_message() -> None:
    rows: list[dict[str, object]] = [{"k": "secret-person", "day": 1}] * 2
    redacted = found(rows, key=("k", "day"), redact=("k",))
    assert redacted.violations[0].key == {"k": "[redacted]", "day": "1"}
    none = found(rows, violations="none")
    assert none.violations == ()
    assert all("secret-person" not in f.message for f in (redacted, none))


def test_a_bound_of_the_users_own_replaces_the_default() -> None:
    from sparkguard.core.threshold import Bound

    lenient = found(keyed(*range(98), 1, 1), error_if={"violation_rate": Bound.parse("> 5 %")})
    assert (lenient.status, lenient.message.endswith("(within the bounds)")) == (Status.PASS, True)
    warned = found(keyed(1, 1), error_if={}, warn_if={"duplicate_keys": Bound.parse("> 0")})
    assert warned.status is Status.WARN
    shaped = found(keyed(1, 2), error_if={"evaluated_rows": Bound.parse("< 10")})
    assert shaped.status is Status.FAIL
    assert "evaluated_rows is 2" in shaped.message


def test_a_missing_column_names_the_nearest() -> None:
    with pytest.raises(DataError, match="column 'kk' does not exist; the nearest columns are 'k'"):
        found(keyed(1), key=("kk",))


keys = st.one_of(st.none(), st.integers(0, 3), st.just(-0.0))


@given(st.lists(st.tuples(keys, st.sampled_from(["a", "b", None])), min_size=1, max_size=30), st.data())
def test_the_quantities_equal_brute_force(rows: list[tuple[Any, Any]], data: st.DataObject) -> None:
    nulls = data.draw(st.sampled_from(["violation", "equal", "distinct"]))
    finding = found([{"a": a, "b": b} for a, b in rows], key=("a", "b"), nulls=nulls)
    kept = [r for r in rows if nulls == "equal" or None not in r]
    counts = Counter(kept)
    null_rows = sum(None in r for r in rows)
    excess = len(kept) - len(counts)
    assert {q: v for q, v in values(finding).items() if q not in ("violation_rate", "evaluated_rows")} == {
        "duplicate_keys": sum(n > 1 for n in counts.values()),
        "excess_rows": excess,
        "null_key_rows": null_rows,
        "max_multiplicity": max(counts.values(), default=0),
        "violation_rows": excess + (null_rows if nulls == "violation" else 0),
    }
    assert finding.status is (Status.FAIL if finding.violation_rows else Status.PASS)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 5))
def test_a_split_by_key_adds_up_to_the_whole(ids: list[int], border: int) -> None:
    def part(chosen: list[int]) -> dict[str, float]:
        if not chosen:
            return {}
        return {q: v or 0 for q, v in values(found(keyed(*chosen))).items()}

    low, high = part([i for i in ids if i < border]), part([i for i in ids if i >= border])
    whole = part(ids)
    for quantity in ("duplicate_keys", "excess_rows", "evaluated_rows", "violation_rows"):
        assert whole[quantity] == low.get(quantity, 0) + high.get(quantity, 0)


def test_dates_before_1582_and_odd_text_are_keys_like_any_other() -> None:
    assert found(keyed(date(1, 1, 1), date(1, 1, 1))).status is Status.FAIL
    assert found(keyed("ß", "ss", "Ω", "\u2126", "")).status is Status.PASS
