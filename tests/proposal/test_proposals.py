"""What is proposed for a table, and that it holds on the table that it was made from."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkguard.core.columns import Column, Field, Schema
from sparkguard.core.source import Source
from sparkguard.measures.sketches import Distinct
from sparkguard.proposal.margins import age_hours, coarse, earliest, fewest, oldest_hours, one_digit, rate, widened
from sparkguard.proposal.names import looks_like_id
from sparkguard.proposal.profile import ColumnProfile, TableProfile
from sparkguard.proposal.profiling import profile
from sparkguard.proposal.proposals import propose
from sparkguard.testing import TwinEngine
from tests.proposal.tables import NOW, known, orders, verdicts

INT, DOUBLE, MONEY = (Column("x", ("x",), kind) for kind in ("int", "double", "decimal(15,2)"))


def test_a_table_gets_checks_that_pass_on_it() -> None:
    found = known(orders())
    assert found.ids == [
        "rows", "fresh", "key", "complete", "complete_30pct", "finite", "finite_10pct", "values_status", "values_no",
        "values_lines", "range_price", "range_score", "range_ordered", "range_ts", "length_vector", "columns",
    ]  # fmt: skip
    assert set(verdicts(found.suite, orders())) == {"pass"}
    assert found.check("key").fields["key"] == ["order_id"]
    assert found.check("values_no").fields["values"] == ["DE", "NO"]
    assert found.check("values_lines").fields["values"] == [1, 2, 3, 4]
    assert found.check("length_vector").fields["length"] == 3
    assert found.proposed.time_column == "ts"
    assert "the same value in every row: country" in found.notes
    assert "no range for columns with NaN or infinity, which are outside of every range: ratio" in found.notes
    assert "no range for numbers that are handed out, which grow: order_id, customer_id" in found.notes


def changed(**values: object) -> Callable[[list[dict[str, Any]]], object]:
    return lambda rows: rows[7].update(values)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (changed(status=None), "complete"),
        (changed(status="lost"), "values_status"),
        (changed(lines=9), "values_lines"),
        (changed(price=Decimal(-1)), "range_price"),
        (changed(score=1.01), "range_score"),
        (changed(ts=datetime(1970, 1, 1, tzinfo=UTC)), "range_ts"),
        (changed(score=float("nan")), "finite"),
        (changed(vector=[1.0]), "length_vector"),
        (changed(order_id=1000), "key"),
        (lambda rows: [row.pop("status") for row in rows], "columns"),
        (lambda rows: [row.update(ts=row["ts"] - timedelta(days=9)) for row in rows], "fresh"),
        (lambda rows: rows.__delitem__(slice(9, None)), "rows"),
    ],
)
def test_each_fault_fails_its_check(fault: Callable[[list[dict[str, Any]]], object], failed: str) -> None:
    suite, rows = known(orders()).suite, orders()
    fault(rows)
    found = verdicts(suite, rows)
    assert failed in found["fail"]


cells = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "d": st.none() | st.floats(width=64),
        "m": st.none() | st.decimals(-(10**15), 10**15, places=6, allow_nan=False),
        "s": st.none() | st.text(max_size=4) | st.sampled_from(["a", "${x}", "no", "# b"]),
        "t": st.none() | st.datetimes(timezones=st.just(UTC)),
        "day": st.none() | st.dates(),
        "v": st.none() | st.lists(st.floats(), max_size=3),
        "b": st.none() | st.booleans(),
    }
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(cells, min_size=1, max_size=6), st.integers(1, 12))
def test_whatever_the_rows_are_the_suite_passes_on_them(rows: list[dict[str, Any]], times: int) -> None:
    found = known(rows * times)
    assert set(verdicts(found.suite, rows * times)) == {"pass"}


def test_a_table_without_rows_is_checked_for_its_columns_only() -> None:
    schema = Schema((Field("a", "int"), Field("a.b", "struct<x:int>", children=(Field("x", "int"),))))
    proposed = propose(TableProfile(schema, 0, (), NOW))
    assert [c.type for c in proposed.checks] == ["schema"]
    assert "the table has no rows" in proposed.notes[0]


def test_one_row_says_little() -> None:
    found = known(orders(1))
    assert found.ids == ["rows", "fresh", "complete", "finite", "length_vector", "columns"]
    assert set(verdicts(found.suite, orders(1))) == {"pass"}


def test_no_values_of_the_data_are_listed_if_none_are_wanted() -> None:
    found = known(orders(), values=False)
    assert not [i for i in found.ids if i.startswith("values_")]
    assert "paid" not in found.text


@pytest.mark.parametrize(
    ("values", "listed"),
    [
        ([f"kind {i % 30}" for i in range(600)], True),
        ([f"kind {i % 31}" for i in range(620)], False),  # too many
        ([f"kind {i % 30}" for i in range(120)], False),  # they hardly recur
        (["x" * 61, "y"] * 50, False),  # prose
        (list(range(10)) * 20, True),
        (list(range(11)) * 20, False),  # measured, so it has a range
        ([0.5, 1.5] * 50, False),  # floats are rarely equal
        ([True, False] * 50, False),
    ],
)
def test_values_are_listed_where_they_are_few_and_recur(values: list[object], listed: bool) -> None:  # noqa: FBT001
    found = known([{"x": v} for v in values])
    assert ("values_x" in found.ids) is listed


def test_a_value_seen_once_makes_the_list_a_warning() -> None:
    found = known([{"x": v} for v in ["a", "b"] * 50 + ["c"]])
    assert found.check("values_x").fields["severity"] == "warn"
    assert "others are likely to come" in found.text


def test_keys_are_of_few_columns_and_of_names_before_numbers() -> None:
    lines = [
        {"amount": 100 + i * 7 % 41, "order_id": i // 3, "line_no": i % 3, "day": date(2026, 1, 1 + i % 20)}
        for i in range(300)
    ]
    assert known(lines).check("key").fields["key"] == ["order_id", "line_no"]
    three = [{"a": i % 7, "b": i // 7 % 7, "c": i // 49} for i in range(343)]
    assert known(three).check("key").fields["key"] == ["a", "b", "c"]
    nothing = known([{"a": i % 7, "b": i % 5} for i in range(100)])
    assert "key" not in nothing.ids
    assert "no key was found" in nothing.notes


def test_three_columns_are_found_by_the_pairs_that_nearly_are_a_key() -> None:
    rows = [{"kind": f"k{i % 13}", "hour": i % 50, "carrier": "a", "flight": i // 50} for i in range(0, 4_000, 2)]
    rows += [row | {"carrier": "b"} for row in rows[:9]]
    found = known(rows).check("key").fields["key"]
    assert isinstance(found, list)
    assert "carrier" in found
    assert len(found) == 3


def test_columns_with_null_and_fractions_are_no_keys() -> None:
    rows = [{"maybe_id": None if i == 0 else i, "price": Decimal(i) / 7, "x": i / 3} for i in range(50)]
    assert "key" not in known(rows).ids


def test_a_search_for_keys_is_bounded() -> None:
    rows = [{f"c{j}": (i * (j + 3)) % 11 for j in range(40)} for i in range(200)]
    engine, source = TwinEngine({"t": rows}), Source("t")
    pin: Any = engine.pin([source])["t", None]
    rounds: list[int] = []

    def ask(measures: Any) -> Any:
        rounds.append(len(measures))
        return dict(engine.compute(measures))

    profile(source, pin.schema, ask, NOW, say=lambda _: None)
    assert len(rounds) <= 6
    assert sum(rounds[1:]) <= 40 + 2 * 24 + 4


def test_a_spark_without_sketches_still_gets_the_other_checks() -> None:
    from sparkguard.core.measure import Broken

    engine, source = TwinEngine({"t": orders()}), Source("t")
    pin: Any = engine.pin([source])["t", None]

    def ask(measures: Any) -> Any:
        lacking = Broken("this Spark has no hll_sketch_agg")
        found = dict(engine.compute([m for m in measures if not isinstance(m, Distinct)]))
        return found | {m: lacking for m in measures if isinstance(m, Distinct)}

    proposed = propose(profile(source, pin.schema, ask, NOW, say=lambda _: None))
    assert {"rows", "complete", "finite", "range_price", "columns"} <= {c.id for c in proposed.checks}
    assert not {"key", "values_status"} & {c.id for c in proposed.checks}
    assert "no key and no allowed values are proposed: this Spark has no hll_sketch_agg" in proposed.notes


def test_the_time_column_is_chosen_by_name_and_the_others_are_told() -> None:
    moment = datetime(2026, 1, 30, tzinfo=UTC)
    rows = [
        {"updated_at": moment, "birth_date": date(1990, 1, i), "event_time": moment + timedelta(hours=i)}
        for i in range(1, 5)
    ]
    found = known(rows)
    assert (found.proposed.time_column, found.proposed.time_note) == (
        "event_time",
        "chosen by its name and type; there are also updated_at, birth_date",
    )
    assert known(rows, time="updated_at").suite.datasets["t"].time_column == "updated_at"


def test_old_tables_say_so() -> None:
    old = known([{"ts": datetime(2013, 1, i, tzinfo=UTC)} for i in range(1, 9)])
    assert "an archive, or a table that nobody feeds" in old.text


def test_many_columns_share_their_checks() -> None:
    rows = [{f"f_{j}": (i * (j + 1)) % (5 + j) * 0.37 * (j + 1) for j in range(300)} for i in range(60)]
    found = known(rows)
    assert len(found.ids) < 40
    assert len(found.text.splitlines()) < 600
    assert max(map(len, found.text.splitlines())) <= 120
    assert set(verdicts(found.suite, rows)) == {"pass"}


@pytest.mark.parametrize(
    ("column", "low", "high", "bounds"),
    [
        (INT, 17, 4983, ("0", "5500")),
        (INT, 1956, 2013, ("1950", "2019")),
        (INT, -5, -1, ("-6", "0")),
        (INT, -3, 40, ("-8", "45")),
        (DOUBLE, 0.0, 0.93, ("0", "1")),
        (DOUBLE, 0.1, 7.35, ("0", "8.1")),
        (MONEY, Decimal("901.00"), Decimal("104949.50"), ("0", "120000")),
        (DOUBLE, float("-inf"), 1.0, (None, None)),
        (DOUBLE, -1.7e308, 1.0, (None, "2E+307")),
    ],
)
def test_ranges_get_a_tenth_of_their_spread(
    column: Column, low: Any, high: Any, bounds: tuple[str | None, ...]
) -> None:
    if bounds[1] == "2E+307":
        assert widened(column, low, high)[0] is None
        return
    assert widened(column, low, high) == tuple(None if b is None else Decimal(b) for b in bounds)


def test_what_the_clock_and_the_calendar_count_has_their_bounds() -> None:
    found = known([{"hour": 5 + i % 14, "minute": i % 45, "age_hours": i % 20} for i in range(300)])
    assert (found.check("range_hour").fields["max"], found.check("range_minute").fields["max"]) == (23, 59)
    assert found.check("range_age_hours").fields["max"] == Decimal(21)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_ranges_hold_what_they_were_made_of(one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    for room in (widened, one_digit, coarse):
        lower, upper = room(INT, low, high)
        assert lower is not None
        assert upper is not None
        assert lower <= low <= high <= upper
        assert (lower >= 0) or low < 0


def test_margins_are_rules_that_a_person_can_follow() -> None:
    assert [fewest(rows) for rows in (1, 3, 3_322, 336_776)] == [1, 1, 1_600, 160_000]
    assert [rate(1, 10_000), rate(70, 3_322), rate(499, 1_000), rate(1, 2)] == [0.001, 0.05, 0.75, None]
    day, moment = Column("d", ("d",), "date"), Column("t", ("t",), "timestamp")
    assert earliest(day, 0, 100) == "1969-12-22"
    assert earliest(moment, 0, 86_400_000_000 * 10) == "1969-12-31"
    assert earliest(day, -719_162, 2_932_896) is None
    assert age_hours(day, (NOW.date() - date(1970, 1, 1)).days, NOW) == 0
    assert [oldest_hours(age) for age in (0, 5, 13 * 24, 100_000)] == [36, 48, 348, 110_000]


@pytest.mark.parametrize(
    "name", ["id", "user_id", "l_orderkey", "tailnum", "countryCode", "l_linenumber", "userId", "order no"]
)
def test_names_of_ids_are_known(name: str) -> None:
    assert looks_like_id(name)


@pytest.mark.parametrize("name", ["paid", "valid", "grid", "status", "price", "keyboard"])
def test_other_names_are_not(name: str) -> None:
    assert not looks_like_id(name)


def test_a_column_that_cannot_be_read_is_told_and_left_out() -> None:
    broken = ColumnProfile(Column("x", ("x",), "int"), unread="it overflows")
    proposed = propose(TableProfile(Schema((Field("x", "int"),)), 5, (broken,), NOW))
    assert [c.id for c in proposed.checks] == ["rows", "columns"]
    assert "x could not be profiled: it overflows" in proposed.notes
