"""`referential_integrity` judged on small tables in plain Python; Spark's answers are compared elsewhere."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sparkguard.checks.referential_integrity import ReferentialIntegrity
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Source, Versioned
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Window
from sparkguard.errors import DataError
from sparkguard.testing import TwinEngine, judge

Rows = list[dict[str, Any]]
WINDOW = Window(datetime(2026, 1, 8), datetime(2026, 1, 15))


def check(**fields: Any) -> ReferentialIntegrity:
    return ReferentialIntegrity(**{"id": "fk", "dataset": "t", "references": "p", "key": ("k",), **fields})


def found(rows: Rows, parents: Rows, **fields: Any) -> Finding:
    [finding] = judge(check(**fields), {"t": rows, "p": parents}, time_columns={"t": "ts", "p": "ts"})
    return finding


def values(finding: Finding) -> dict[str, float | None]:
    return {name: q.value for name, q in finding.quantities.items()}


def keyed(*keys: object) -> Rows:
    return [{"k": k} for k in keys]


def test_a_table_whose_keys_all_exist_passes_and_says_over_how_many_rows() -> None:
    finding = found(keyed(1, 1, 2), keyed(1, 2, 3))
    assert (finding.status, finding.message) == (Status.PASS, "every key (k) of 3 rows is in 'p'")
    assert values(finding) == {
        "orphan_rows": 0,
        "orphan_keys": 0,
        "null_key_rows": 0,
        "evaluated_rows": 3,
        "violation_rows": 0,
        "violation_rate": 0,
    }


def test_orphans_are_counted_by_row_and_by_key_and_named_worst_first() -> None:
    finding = found(keyed(1, 2, 2, 3, 3, 3), keyed(1))
    assert (finding.status, finding.violation_rate) == (Status.FAIL, 5 / 6)
    assert [values(finding)[q] for q in ("orphan_rows", "orphan_keys")] == [5, 2]
    assert [(v.kind, v.key, v.count) for v in finding.violations] == [
        ("orphan", {"k": "3"}, 3),
        ("orphan", {"k": "2"}, 2),
    ]
    assert finding.message == "5 of 6 rows refer to 2 keys that are not in 'p': k=3 (3 rows)"


def test_a_thousand_rows_of_one_missing_key_are_a_thousand_orphans_and_not_one_in_a_thousand() -> None:
    finding = found(keyed(*[7] * 1_000), keyed(1))
    assert [values(finding)[q] for q in ("orphan_rows", "orphan_keys", "violation_rate")] == [1_000, 1, 1]


def test_duplicates_on_the_other_side_multiply_nothing() -> None:
    assert values(found(keyed(1, 2), keyed(1, 1, 1))) == values(found(keyed(1, 2), keyed(1)))


def test_a_null_in_any_column_of_the_key_sets_the_row_apart_as_in_sql() -> None:
    rows: Rows = [{"a": 1, "b": 1}, {"a": None, "b": 9}, {"a": 9, "b": None}, {"a": None, "b": None}]
    finding = found(rows, [{"a": 1, "b": 1}], key=("a", "b"))
    assert (finding.status, finding.message) == (
        Status.PASS,
        "every key (a, b) of 1 row is in 'p'; 3 rows with NULL set apart",
    )
    assert [values(finding)[q] for q in ("null_key_rows", "evaluated_rows", "violation_rows")] == [3, 4, 0]


def test_null_keys_may_be_violations_and_are_evidence_then() -> None:
    finding = found(keyed(1, 7, None, None), keyed(1), nulls="violation")
    assert [values(finding)[q] for q in ("orphan_rows", "null_key_rows", "violation_rows")] == [1, 2, 3]
    assert [(v.kind, v.key, v.count) for v in finding.violations] == [
        ("orphan", {"k": "7"}, 1),
        ("null_key", {"k": None}, 2),
    ]
    assert (
        finding.message == "1 of 4 rows refers to 1 key that is not in 'p': k=7 (1 row); 2 rows have NULL in their key"
    )


def test_null_keys_are_asked_for_only_where_they_are_violations_and_exist() -> None:
    from sparkguard.engine.gather import Rounds

    asked = []
    for nulls, last in (("ignored", None), ("violation", 2), ("violation", None)):
        engine = TwinEngine({"t": keyed(1, last), "p": keyed(1, 2)})
        list(Rounds(engine).gather([check(nulls=nulls)]))
        asked.append([type(m).__name__ for m in engine.computed])
    assert asked == [["Orphans"], ["Orphans"], ["Orphans", "NullKeys"]]


def test_a_null_on_the_other_side_matches_nothing() -> None:
    assert values(found(keyed(None, "x"), keyed(None), nulls="violation"))["orphan_rows"] == 1


def test_rows_without_any_key_are_no_pass() -> None:
    finding = found(keyed(None, None), keyed("x"))
    assert (finding.status, finding.message) == (
        Status.WARN,
        "all 2 rows have NULL in their key, so nothing was compared",
    )
    failed = found(keyed(None), keyed("x"), error_if={"null_key_rows": Bound(">", 0)})
    assert failed.status is Status.FAIL


def test_an_empty_other_side_makes_all_rows_orphans_and_is_told() -> None:
    parents: Rows = [{"k": 1, "ts": datetime(2026, 1, 1)}]
    finding = found(keyed(1, 2), parents, references_window=WINDOW)
    assert (finding.status, values(finding)["orphan_rows"]) == (Status.FAIL, 2)
    assert finding.message.endswith("; 'p [2026-01-08, 2026-01-15)' has no rows")
    assert finding.remedy == "find out whether 'p [2026-01-08, 2026-01-15)' has landed"


def test_a_missing_other_side_is_an_error() -> None:
    with pytest.raises(DataError, match="dataset 'p'"):
        judge(check(), {"t": keyed(1)})


@pytest.mark.parametrize(
    ("how", "status"), [("error", Status.ERROR), ("fail", Status.FAIL), ("pass", Status.PASS), ("skip", Status.SKIPPED)]
)
def test_an_empty_window_has_the_status_that_on_empty_says(how: str, status: Status) -> None:
    finding = found([{"k": 1, "ts": datetime(2026, 1, 1)}], keyed(1), window=WINDOW, on_empty=how)
    assert (finding.status, finding.evaluated_rows) == (status, 0)
    assert "the window [2026-01-08, 2026-01-15) of 't' is empty" in finding.message


def test_the_columns_may_be_called_differently_on_the_other_side() -> None:
    finding = found([{"a": 1, "b": "x"}], [{"n": "x", "m": 1}], key=("a", "b"), references_key=("m", "n"))
    assert (finding.status, finding.columns) == (Status.PASS, ("a", "b"))


def test_a_table_may_refer_to_itself() -> None:
    staff: Rows = [{"id": 1, "manager": None}, {"id": 2, "manager": 1}, {"id": 3, "manager": 9}]
    finding = found(staff, [], key=("manager",), references="t", references_key=("id",))
    assert [values(finding)[q] for q in ("orphan_rows", "null_key_rows")] == [1, 1]
    assert finding.reference == Source("t")


def test_the_other_side_may_be_a_version_or_a_window_of_its_own() -> None:
    rows: Rows = [
        {"k": 1, "ts": datetime(2026, 1, 1)},
        {"k": 1, "ts": datetime(2026, 1, 9)},
        {"k": 2, "ts": datetime(2026, 1, 9)},
    ]
    before = WINDOW.preceding(None)
    finding = found(rows, [], window=WINDOW, references="t", references_window=before)
    assert [values(finding)[q] for q in ("evaluated_rows", "orphan_rows")] == [2, 1]
    assert check(references=Versioned("t", 3)).datasets == (Source("t"), Source("t", None, 3))


def test_text_is_normalised_only_when_asked() -> None:
    assert found(keyed("A "), keyed(" a")).status is Status.FAIL
    assert found(keyed("A "), keyed(" a"), normalize=("trim", "lower")).status is Status.PASS


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [(0.0, -0.0), (float("nan"), -float("nan")), (date(1, 1, 1), date(1, 1, 1)), ("\u2126", "\u2126")],
)
def test_values_that_spark_calls_equal_are_one_key(mine: object, theirs: object) -> None:
    assert found(keyed(mine), keyed(theirs)).status is Status.PASS


def test_types_that_cannot_be_matched_are_an_error_that_names_both() -> None:
    with pytest.raises(DataError, match="key column 'k' is bigint on one side and string on the other"):
        found(keyed(1), keyed("1"))


def test_a_missing_column_names_the_nearest() -> None:
    with pytest.raises(DataError, match="column 'kk' does not exist; the nearest columns are 'k'"):
        found(keyed(1), keyed(1), references_key=("kk",))


def test_values_can_be_kept_out_of_evidence_and_message() -> None:
    redacted, none = (found(keyed("person"), keyed("x"), **how) for how in ({"redact": ("k",)}, {"violations": "none"}))
    assert (redacted.violations[0].key, none.violations) == ({"k": "[redacted]"}, ())
    assert all("person" not in f.message for f in (redacted, none))


def test_evidence_is_capped_and_the_totals_are_not() -> None:
    finding = found(keyed(*range(50)), keyed(-1), violation_limit=3)
    assert (len(finding.violations), values(finding)["orphan_keys"]) == (3, 50)


def test_all_evidence_is_queried_only_where_there_is_some() -> None:
    some, none = (found(keyed(1), keyed(k), violations_to="a.b").queries for k in (2, 1))
    assert ([q.kind for q in some], none) == (["orphan"], ())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": ("k", "k")}, "names a column twice"),
        ({"references_key": ("a", "b")}, "as many columns of references as key has"),
        ({"references": "t"}, "the key refers to itself"),
        ({"references": "t", "references_key": ("k",), "window": WINDOW}, "the key refers to itself"),
        ({"references": {"dataset": "p"}}, "expected the name of a dataset, or {dataset: flights, version: 41}"),
        ({"normalize": ("upper",)}, "trim"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


def test_great_expectations_has_no_words_for_it() -> None:
    with pytest.raises(DataError, match="no words for referential_integrity"):
        check().as_expectations()


keys = st.one_of(st.none(), st.integers(0, 4))
sides = st.lists(st.tuples(keys, st.sampled_from(["a", "b", None])), max_size=25)


@given(sides, sides, st.sampled_from(["ignored", "violation"]))
def test_the_quantities_equal_brute_force(
    rows: list[tuple[Any, Any]], parents: list[tuple[Any, Any]], nulls: str
) -> None:
    # A row on each side, since a table of no columns has no types.
    rows, parents = [*rows, (9, "x")], [*parents, (9, "x")]
    finding = found(*([{"a": a, "b": b} for a, b in side] for side in (rows, parents)), key=("a", "b"), nulls=nulls)
    apart = [r for r in rows if None in r]
    orphans = [r for r in rows if None not in r and r not in parents]
    wrong = len(orphans) + (len(apart) if nulls == "violation" else 0)
    assert values(finding) == {
        "orphan_rows": len(orphans),
        "orphan_keys": len(set(orphans)),
        "null_key_rows": len(apart),
        "evaluated_rows": len(rows),
        "violation_rows": wrong,
        "violation_rate": wrong / len(rows),
    }
    assert finding.status is (Status.FAIL if wrong else Status.PASS)
    assert sum(v.count or 0 for v in finding.violations) == wrong


@given(st.lists(keys, max_size=30), st.lists(keys, max_size=30), st.integers(0, 4))
def test_a_split_by_key_adds_up_to_the_whole(ids: list[Any], others: list[Any], border: int) -> None:
    def parts(side: list[Any]) -> tuple[Rows, Rows]:
        low = [k for k in side if k is not None and k < border]
        return keyed(*low, -1), keyed(*(k for k in side if k is None or k >= border), 9)

    names = ("orphan_rows", "orphan_keys", "null_key_rows", "evaluated_rows", "violation_rows")
    mine, theirs = parts(ids), parts(others)
    low, high, whole = (
        values(found(*pair))
        for pair in ((mine[0], theirs[0]), (mine[1], theirs[1]), ([*mine[0], *mine[1]], [*theirs[0], *theirs[1]]))
    )
    assert [whole[n] for n in names] == [(low[n] or 0) + (high[n] or 0) for n in names]
