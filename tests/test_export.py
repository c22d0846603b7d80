"""A suite in the words of Great Expectations, as far as it has them."""

from datetime import UTC, datetime
from typing import Any

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


def exported() -> tuple[dict[str, Any], dict[str, str]]:
    return expectation_suites(load(SUITE, "s.yaml", Parameters(datetime(2026, 1, 1, tzinfo=UTC), {})))


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
