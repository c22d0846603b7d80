"""A suite in the words of Great Expectations, as far as it has them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sparkguard.config.load import Parameters, load
from sparkguard.export import expectation_suites

SUITE = """
suite: s
datasets: {t: {path: data/t, time_column: ts}, u: {path: data/u}}
checks:
  - {id: pk, type: duplicate_keys, dataset: t, key: [a, b], owner: me, description: Why.}
  - {id: one, type: duplicate_keys, dataset: u, key: [a], nulls: distinct}
  - {id: windowed, type: duplicate_keys, dataset: t, key: [a], window: {end: 2026-01-01, length: 1d}}
  - {id: bounded, type: duplicate_keys, dataset: t, key: [a], error_if: {violation_rate: "> 1 %"}}
  - {id: equal, type: duplicate_keys, dataset: t, key: [a], nulls: equal}
"""


def exported(text: str = SUITE) -> tuple[dict[str, Any], dict[str, str]]:
    return expectation_suites(load(text, "s.yaml", Parameters(datetime(2026, 1, 1, tzinfo=UTC), {})))


def test_each_dataset_gets_a_suite_of_its_own() -> None:
    suites, _ = exported()
    assert {name: s["name"] for name, s in suites.items()} == {"t": "s.t", "u": "s.u"}


def test_a_key_is_unique_and_filled_unless_nulls_are_distinct() -> None:
    suites, _ = exported()
    assert [(e["type"], e["kwargs"]) for e in suites["t"]["expectations"]] == [
        (
            "expect_compound_columns_to_be_unique",
            {"column_list": ["a", "b"], "ignore_row_if": "any_value_is_missing"},
        ),
        ("expect_column_values_to_not_be_null", {"column": "a"}),
        ("expect_column_values_to_not_be_null", {"column": "b"}),
    ]
    assert [e["type"] for e in suites["u"]["expectations"]] == ["expect_column_values_to_be_unique"]
    assert suites["t"]["expectations"][0]["meta"] == {
        "sparkguard": {"check_id": "pk", "severity": "error", "owner": "me"}
    }


def test_what_it_has_no_words_for_is_named_and_never_weakened() -> None:
    assert exported()[1] == {
        "windowed": "Great Expectations cannot say window of duplicate_keys",
        "bounded": "Great Expectations cannot say error_if of duplicate_keys",
        "equal": "Great Expectations cannot say nulls: equal of duplicate_keys",
    }


def of(fields: str) -> list[tuple[str, dict[str, Any], str]]:
    """The type, arguments and severity of each expectation of one check."""
    suites, left_out = exported(f"suite: s\ndatasets: {{t: {{path: d}}}}\nchecks: [{{id: a, dataset: t, {fields}}}]")
    assert left_out == {}
    return [(e["type"], e["kwargs"], e["severity"]) for e in suites["t"]["expectations"]]


def test_a_rate_becomes_mostly_and_a_warning_a_severity() -> None:
    assert of(
        "type: completeness, columns: [x, y], error_if: {violation_rate: '> 70 %'}, warn_if: {violation_rows: '> 0'}"
    ) == [
        ("expect_column_values_to_not_be_null", {"column": "x", "mostly": 0.3}, "critical"),
        ("expect_column_values_to_not_be_null", {"column": "y", "mostly": 0.3}, "critical"),
        ("expect_column_values_to_not_be_null", {"column": "x"}, "warning"),
        ("expect_column_values_to_not_be_null", {"column": "y"}, "warning"),
    ]
    [(_, _, severity)] = of("type: completeness, columns: x, severity: warn")
    assert severity == "warning"


def test_a_pattern_gets_both_ends_since_it_is_only_looked_for() -> None:
    [(kind, arguments, _)] = of("type: pattern, columns: x, pattern: 'a|b'")
    assert (kind, arguments["regex"]) == ("expect_column_values_to_match_regex", r"\A(?:a|b)\z")


def test_what_shows_no_value_is_exported_though_values_are_hidden() -> None:
    for fields in ("type: completeness, columns: x", "type: row_count", "type: schema, columns: {x: int}"):
        assert of(f"{fields}, redact: [x]")


def test_an_expectation_keeps_its_id() -> None:
    check = f"{{id: a, dataset: t, type: expectations, expectations: [{IN_SET}]}}"
    suites, _ = exported(f"suite: s\ndatasets: {{t: {{path: d}}}}\nchecks: [{check}]")
    assert [e["id"] for e in suites["t"]["expectations"]] == ["3f2a"]


def test_two_checks_that_expect_the_same_have_ids_of_their_own_at_each_export() -> None:
    checks = "{type: duplicate_keys, id: a, dataset: t, key: [x]}, {type: completeness, id: b, dataset: t, columns: x}"
    first, second = (exported(f"suite: s\ndatasets: {{t: {{path: d}}}}\nchecks: [{checks}]")[0] for _ in range(2))
    assert first == second
    assert len({e["id"] for e in first["t"]["expectations"]}) == len(first["t"]["expectations"]) == 3


IN_SET = "{type: expect_column_values_to_be_in_set, id: 3f2a, kwargs: {column: x, value_set: [a]}}"
QUERY = "{type: unexpected_rows_expectation, kwargs: {unexpected_rows_query: 'SELECT * FROM {batch}'}}"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            "type: completeness, columns: {like: '*'}",
            "columns like * are known from the table's schema only; name them",
        ),
        ("type: completeness, columns: x, blank: true", "Great Expectations cannot say blank of completeness"),
        ("type: completeness, columns: a.b", "Great Expectations cannot say the column a.b of completeness"),
        ("type: completeness, columns: x, error_if: {violation_rate: '>= 0.1'}", "cannot say error_if"),
        ("type: completeness, columns: x, error_if: {violation_rows: '> 3'}", "cannot say error_if"),
        ("type: completeness, columns: x, warn_if: {evaluated_rows: '< 3'}", "cannot say warn_if"),
        ("type: completeness, columns: x, error_if: {}", "completeness without bounds passes whatever it finds"),
        ("type: completeness, columns: x, window: {end: 2026-01-01, length: 1d}", "cannot say window of completeness"),
        ("type: value_range, columns: x, min: 0", "cannot say min without max, which NaN would pass, of value_range"),
        ("type: value_range, columns: x, max: 2026-01-01", "cannot say the bound 2026-01-01 of value_range"),
        ("type: value_range, columns: x, max: 9007199254740993", "cannot say the bound 9007199254740993"),
        ("type: allowed_values, columns: x, values: ['2026-01-01T00:00']", "cannot say the value 2026-01-01T00:00"),
        ("type: allowed_values, columns: x, values: ['2026-01-01']", "cannot say the value 2026-01-01"),
        ("type: allowed_values, columns: x, values: [2, 1.0]", "cannot say the value 1.0"),
        ("type: allowed_values, columns: x, values: ['1e0']", "cannot say the value 1e0"),
        ("type: allowed_values, columns: x, values: [9007199254740992]", "cannot say the value 9007199254740992"),
        ("type: allowed_values, columns: x, values: [a], redact: [X]", "cannot say redact: x of allowed_values"),
        ("type: value_range, columns: x, max: 1, violations: none", "cannot say violations: none of value_range"),
        ("type: duplicate_keys, key: [x, y], redact: [y]", "cannot say redact: y of duplicate_keys"),
        ("type: duplicate_keys, key: ['`a.b`', x]", "cannot say the column `a.b` of duplicate_keys"),
        ("type: schema, columns: {a.b: bigint}", "cannot say the column a.b of schema"),
        (f"type: expectations, redact: [x], expectations: [{IN_SET}]", "cannot say redact: x of expectations"),
        (f"type: expectations, redact: [x], expectations: [{QUERY}]", "cannot say redact: x of expectations"),
        ("type: pattern, columns: x, pattern: '(?x)a # b'", "cannot say (?x)"),
        ("type: row_count, error_if: {rows: '== 3'}", "cannot say rows == 3 of row_count"),
        ("type: finite_values, columns: x", "Great Expectations has no words for finite_values"),
        ("type: array_length, columns: x, length: 3", "Great Expectations has no words for array_length"),
    ],
)
def test_what_would_give_another_verdict_is_left_out(fields: str, why: str) -> None:
    suites, left_out = exported(
        f"suite: s\ndatasets: {{t: {{path: d, time_column: ts}}}}\nchecks: [{{id: a, dataset: t, {fields}}}]"
    )
    assert suites == {}
    assert why in left_out["a"]
