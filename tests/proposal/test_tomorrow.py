"""What is proposed passes on what healthy tables hold tomorrow, fails on what they do not, and tells no secrets."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from sparkguard.proposal.margins import fewest
from sparkguard.proposal.names import is_event, is_of_pipeline, is_promise
from tests.proposal.tables import NOW, Known, known, verdicts


@pytest.mark.parametrize("typo", [date(2206, 1, 31), date(9999, 12, 31)])
def test_one_day_in_the_future_leaves_freshness_out_and_says_so(typo: date) -> None:
    found = known([{"event_date": date(2026, 1, i)} for i in range(1, 31)] + [{"event_date": typo}])
    assert "fresh" not in found.ids
    assert "no freshness, since one row from the future would hide that all others are old" in found.notes
    assert found.check("range_event_date").fields["min"] == "2025-12-29"


def test_a_day_of_the_next_zone_only_warns_of_what_is_further_ahead() -> None:
    rows = [{"ts": NOW + timedelta(hours=i)} for i in range(-9, 9)]
    found = known(rows)
    assert found.check("fresh").fields["warn_if"] == {"event_age_hours": "< -48"}
    assert set(verdicts(found.suite, rows)) == {"pass"}
    assert "fresh" in verdicts(found.suite, [*rows, {"ts": NOW + timedelta(days=9)}])["warn"]


@pytest.mark.parametrize("name", ["birth_date", "dueDate", "valid_until", "l_commitdate", "expires_at", "end_date"])
def test_the_days_of_lives_and_promises_say_nothing_of_freshness(name: str) -> None:
    found = known([{name: date(1990, 1, i)} for i in range(1, 20)])
    assert ("fresh" in found.ids, found.proposed.time_column) == (False, None)
    assert f"no freshness and no time_column: of lives and promises are {name}" in found.notes
    assert "fresh" in known([{name: date(2026, 1, i)} for i in range(1, 20)], time=name).ids


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("calendar_date", (True, False, False)),
        ("vendor_ts", (True, False, False)),
        ("weekend_day", (True, False, False)),
        ("attendance_date", (True, False, False)),
        ("download_time", (True, False, False)),
        ("orderDate", (True, False, False)),
        ("l_shipdate", (True, False, False)),
        ("loaded_at", (True, False, True)),
        ("l_receiptdate", (True, False, True)),
        ("birthDate", (True, True, False)),
        ("format", (False, False, False)),
        ("flat", (False, False, False)),
        ("records", (False, False, False)),
    ],
)
def test_names_of_moments_are_read_word_by_word(name: str, kind: tuple[bool, ...]) -> None:
    assert (is_event(name), is_promise(name), is_of_pipeline(name)) == kind


def listed(name: str, values: list[object]) -> Known:
    return known([{name: v} for v in values for _ in range(12)])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ds", [f"2026-01-{i:02}" for i in range(1, 21)]),
        ("batch", [f"202601{i:02}" for i in range(1, 21)]),
        ("period", ["2025-11", "2025-12", "2026-01"]),
        ("month", ["Jan", "Feb", "Mar"]),
        ("day", list(range(1, 11))),
        ("order_month", list(range(1, 11))),
        ("day_of_week", list(range(1, 6))),
        ("year", [2025, 2026]),
        ("ds", [20261120, 20261121]),
        ("batch", [20261120, 20261121]),
    ],
)
def test_days_and_months_are_never_listed_since_tomorrow_brings_others(name: str, values: list[object]) -> None:
    found = listed(name, values)
    assert not [i for i in found.ids if i.startswith("values_")]
    assert f"no allowed values for columns of days and months, which tomorrow brings new ones of: {name}" in found.notes


@pytest.mark.parametrize(
    ("name", "values", "bounds"),
    [
        ("day", range(1, 11), (1, 31)),
        ("order_month", range(1, 11), (1, 12)),
        ("day_of_week", range(1, 6), (0, 7)),
        ("day_of_year", range(1, 20), (1, 366)),
        ("year", (2025, 2026), (2024, None)),
        ("ds", (20261120, 20261121), (20261119, None)),
        ("yearmonth", range(202601, 202611), (202600, None)),
        ("event_ts", range(1_767_000_000, 1_769_600_000, 86_400), (1_766_700_000, None)),
        ("response_time", range(3, 500), (0, 550)),
    ],
)
def test_numbers_of_time_keep_to_the_calendar_or_have_no_upper_bound(
    name: str, values: Sequence[int], bounds: tuple[int, int | None]
) -> None:
    found = listed(name, list(values)).check(f"range_{name}").fields
    assert (found["min"], found.get("max")) == bounds


@pytest.mark.parametrize("name", ["seq", "order_number", "flightNumber", "offset", "account_no"])
def test_numbers_that_are_handed_out_have_no_range(name: str) -> None:
    found = known([{name: i} for i in range(500)])
    assert f"no range for numbers that are handed out, which grow: {name}" in found.notes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("db_password", ["hunter2", "s3cr3t", "x"]),
        ("apiToken", ["a", "b"]),
        ("email", ["a", "b"]),
        ("contact", ["ada@example.org", "-"]),
        ("customer_name", ["Ada", "Grace"]),
        ("first_name", ["Ada", "Grace"]),
        ("phone", ["1", "2"]),
    ],
)
def test_secrets_and_persons_are_never_listed(name: str, values: list[object]) -> None:
    found = listed(name, values)
    assert not [v for v in values if len(str(v)) > 2 and str(v) in found.text]
    assert (
        f"no allowed values for columns of secrets and of persons, to judge by names and values: {name}" in found.notes
    )


@pytest.mark.parametrize("name", ["event_type", "carrier_name", "status", "emailed", "pathname"])
def test_names_that_only_resemble_those_are_listed(name: str) -> None:
    assert f"values_{name}" in listed(name, ["a", "b"]).ids


def test_columns_beyond_the_first_forty_with_few_values_are_named() -> None:
    found = known([{f"kind_{j}": f"{i % 2}" for j in range(43)} for i in range(40)])
    assert (
        "no allowed values for columns beyond the first 40 columns that have few: kind_40, kind_41, kind_42"
        in found.notes
    )


def test_a_value_seen_once_in_one_column_leaves_the_other_columns_strict() -> None:
    rows = [{"a": v, "b": w} for v, w in zip(["x", "y"] * 20, ["x"] * 39 + ["y"], strict=True)]
    found = known(rows)
    assert "severity" not in found.check("values_a").fields
    assert found.check("values_b").fields["severity"] == "warn"


def test_what_is_too_often_null_for_its_few_rows_and_arrays_without_elements_are_named() -> None:
    found = known([{"x": None if i % 2 else i, "v": []} for i in range(4)])
    assert "NULL too often, or in too few rows, for a bound on the share: x (50%)" in found.notes
    assert "every array is empty, so that its length is not checked: v" in found.notes
    assert "length_v" not in found.ids


@pytest.mark.parametrize(
    "rows",
    [
        [{"revenue": 1000 + 7 * i * i, "month": i} for i in range(12)],
        [{"comment": f"call {i} back", "amount": 5 * i} for i in range(60)],
        [{"n": 1, "score": 0.1}, {"n": 2, "score": 0.2}],
    ],
)
def test_of_few_rows_only_ids_are_keys(rows: list[dict[str, object]]) -> None:
    assert "key" not in known(rows).ids


def test_a_key_that_may_be_one_by_chance_only_warns() -> None:
    few = known([{"user_id": i // 4, "day": date(2026, 1, 1 + i % 4)} for i in range(40)]).check("key")
    assert (few.fields["key"], few.fields["severity"]) == (["user_id", "day"], "warn")
    alone = known([{"revenue": 7 * i * i} for i in range(200)]).check("key")
    assert (alone.fields["key"], alone.fields["severity"]) == (["revenue"], "warn")
    numbers = known([{"amount": i % 20, "price": i // 20} for i in range(200)]).check("key")
    assert (numbers.fields["key"], numbers.fields["severity"]) == (["amount", "price"], "warn")
    better = known([{"amount": 7 * i * i, "order_id": i // 5, "line_no": i % 5} for i in range(200)]).check("key")
    assert (better.fields["key"], "severity" in better.fields) == (["order_id", "line_no"], False)


def test_many_ranges_keep_shares_and_clocks_and_are_as_narrow_as_can_be() -> None:
    wide = {f"f_{j}": (100.0 * (j // 4 + 1), 110.0 * (j // 4 + 1) + j % 4) for j in range(34)}
    rows = [
        {"probability": i / 99, "hour": i % 20, "near": 100 + i / 10}
        | {name: low + (high - low) * i / 99 for name, (low, high) in wide.items()}
        for i in range(100)
    ]
    found = known(rows)
    bounds = {
        str(column): (c.fields.get("min"), c.fields.get("max"))
        for c in found.proposed.checks
        if c.type == "value_range" and isinstance(columns := c.fields["columns"], list)
        for column in columns
    }
    assert (bounds["probability"], bounds["hour"], bounds["near"]) == ((0, 1), (0, 23), (90, 200))
    assert "rounded to one digit" in found.text
    assert set(verdicts(found.suite, rows)) == {"pass"}


@pytest.mark.parametrize(
    ("days", "least"),
    [
        ([date(2025, 1, 1), date(2025, 4, 11), date(9999, 12, 31)], "2024-11-22"),
        ([date(1900, 1, 1), date(2025, 4, 11), date(2025, 5, 1)], "1900-01-01"),
    ],
)
def test_a_day_that_stands_for_unknown_makes_no_range_wider(days: list[date], least: str) -> None:
    assert known([{"ship": day} for day in days]).check("range_ship").fields["min"] == least


def test_rows_may_become_half_of_what_they_are() -> None:
    assert [fewest(rows) for rows in (3_999, 100, 19, 7)] == [1_900, 50, 9, 3]
