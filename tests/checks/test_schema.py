"""`schema` judged on schemas alone, since it asks for nothing else."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sparkguard.checks.schema import TableSchema
from sparkguard.core.check import Run
from sparkguard.core.columns import Field, Schema
from sparkguard.core.evidence import Evidence, Pin
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Broken
from sparkguard.core.source import Source, Versioned
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAMES = ("differences", "removed_columns", "changed_types", "changed_nullability", "moved_columns", "added_columns")


def check(**fields: Any) -> TableSchema:
    return TableSchema(**{"id": "s", "dataset": "t", **fields})


def fields_of(*columns: str) -> Schema:
    """Columns written as `name type`, NOT NULL with an exclamation mark at the end."""
    split = ((*c.rstrip("!").partition(" "), c.endswith("!")) for c in columns)
    return Schema(tuple(Field(name, kind, not required) for name, _, kind, required in split))


def found(actual: Schema, reference: Schema | None = None, **fields: Any) -> Finding:
    named = {"reference": "r"} if reference is not None else {}
    wanted = check(**named | fields)
    seen = Evidence(pins={("t", None): Pin(actual), ("r", None): Pin(reference or actual)})
    assert tuple(wanted.ask(seen)) == ()
    [finding] = wanted.judge(seen, RUN)
    return finding


def counts(finding: Finding) -> list[float | None]:
    return [finding.quantities[n].value for n in NAMES]


TWO = {"id": "bigint", "name": "string"}


def test_an_equal_schema_passes_in_either_mode_by_metadata_alone() -> None:
    for mode in ("additive", "strict"):
        finding = found(fields_of("id bigint", "name string"), columns=TWO, mode=mode)
        assert (finding.status, finding.message) == (Status.PASS, "the schema is as expected: 2 columns")
        assert counts(finding) == [0] * 6
        assert (finding.evaluated_rows, finding.violation_rows, set(finding.quantities)) == (None, None, set(NAMES))
        assert finding.decision is not None
        assert finding.decision.exactness == "metadata"


def test_additive_allows_columns_that_came_or_moved_and_tells_them() -> None:
    finding = found(fields_of("name string", "note date", "id bigint!"), columns=TWO)
    assert (finding.status, counts(finding)) == (Status.PASS, [0, 0, 0, 0, 1, 1])
    assert finding.message == (
        "the schema is as expected: 3 columns; allowed: 'name' is first instead of after 'id', 'note' is new"
    )


def test_additive_forbids_columns_that_went_or_changed_their_type() -> None:
    finding = found(fields_of("id int", "note date"), columns=TWO)
    assert (finding.status, counts(finding)) == (Status.FAIL, [2, 1, 1, 0, 0, 1])
    assert finding.message == "2 differences: 'name' is missing; 'id' is int instead of bigint; allowed: 'note' is new"
    assert [(v.kind, dict(v.key), v.expected, v.actual) for v in finding.violations] == [
        ("removed_column", {"column": "name"}, "string", None),
        ("changed_type", {"column": "id"}, "bigint", "int"),
        ("added_column", {"column": "note"}, None, "date"),
    ]


def test_strict_forbids_every_change() -> None:
    before = fields_of("a int", "b int!", "c int")
    finding = found(fields_of("c int", "a int", "b int", "d int"), before, mode="strict")
    assert (finding.status, counts(finding)) == (Status.FAIL, [3, 0, 0, 1, 1, 1])
    assert finding.message == (
        "3 differences: 'b' is nullable instead of NOT NULL; 'c' is first instead of after 'b'; 'd' is new"
    )


def test_nullability_that_is_written_down_is_demanded_and_other_is_not() -> None:
    table = fields_of("id bigint", "name string!")
    assert found(table, columns=TWO, mode="strict").status is Status.PASS
    for column in ({"type": "bigint", "nullable": False}, "BIGINT NOT  NULL"):
        finding = found(table, columns={"id": column, "name": "string"})
        assert (finding.status, counts(finding)) == (Status.FAIL, [1, 0, 0, 1, 0, 0])
        assert finding.message == "1 difference: 'id' is nullable instead of NOT NULL"
    assert found(table, columns={"id": "bigint", "name": {"type": "string", "nullable": True}}).status is Status.FAIL


def test_additive_lets_a_reference_lose_or_gain_not_null() -> None:
    finding = found(fields_of("a int", "b int!"), fields_of("a int!", "b int"))
    assert (finding.status, counts(finding)) == (Status.PASS, [0, 0, 0, 2, 0, 0])


def test_a_field_added_inside_a_struct_is_an_added_column() -> None:
    inner = Field("id", "int")
    user = Field("user", "struct<id:int>", children=(inner,))
    actual = Schema((Field("payload", "struct<user:struct<id:int>>", children=(user,)),))
    finding = found(actual, columns={"payload": "struct<user:struct<>>"})
    assert [(v.kind, dict(v.key)) for v in finding.violations] == [("added_column", {"column": "payload.user.id"})]


def test_a_warning_may_be_set_on_what_the_mode_allows() -> None:
    finding = found(
        fields_of("id bigint", "name string", "n int"), columns=TWO, warn_if={"added_columns": Bound(">", 0)}
    )
    assert finding.status is Status.WARN
    assert finding.message.endswith("allowed: 'n' is new; added_columns is 1, and '> 0' warns")


def test_differences_within_a_bound_of_the_users_own_pass_and_are_told() -> None:
    finding = found(fields_of("id bigint"), columns=TWO, error_if={"differences": Bound(">", 1)})
    assert (finding.status, finding.message) == (Status.PASS, "1 difference: 'name' is missing (within the bounds)")
    decided = found(fields_of("id int", "x int"), columns=TWO, error_if={"added_columns": Bound(">", 0)})
    assert decided.message.endswith("added_columns is 1, and '> 0' fails")


def test_many_differences_are_counted_and_the_first_are_named() -> None:
    finding = found(fields_of("x int"), columns={f"c{i}": "int" for i in range(9)}, violation_limit=5)
    assert finding.message == (
        "9 differences: 'c0' is missing; 'c1' is missing; 'c2' is missing and 6 more; allowed: 'x' is new"
    )
    assert len(finding.violations) == 5


def test_a_table_without_columns_has_lost_them_all() -> None:
    assert counts(found(Schema(()), columns=TWO))[:2] == [2, 2]


def test_both_datasets_are_pinned_and_a_missing_one_is_an_error() -> None:
    wanted = check(reference=Versioned("t", 3))
    assert wanted.datasets == (Source("t"), Source("t", None, 3))
    seen = Evidence(pins={("t", None): Pin(fields_of("a int")), ("t", 3): Broken("there is no version 3")})
    with pytest.raises(DataError, match="no version 3"):
        wanted.judge(seen, RUN)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "exactly one of columns and reference"),
        ({"columns": TWO, "reference": "r"}, "exactly one of columns and reference"),
        ({"reference": "t"}, "reference is the dataset itself"),
        ({"columns": {}}, "at least 1"),
        ({"columns": {"a": "intt"}}, "did you mean 'int'"),
        ({"columns": {"a": {"type": "int", "nullable": "no"}}}, "expected a type, or"),
        ({"columns": {"a": {"type": "int", "null": False}}}, "expected a type, or"),
        ({"columns": {"a": 3}}, "expected a type, or"),
        ({"columns": TWO, "violations_to": "a.b"}, "violations_to is for rows"),
        ({"columns": TWO, "mode": "lenient"}, "additive"),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


def test_names_and_types_are_said_in_the_words_of_great_expectations() -> None:
    ordered, *types = check(columns=TWO, mode="strict").as_expectations()
    assert (ordered.type, ordered.kwargs) == (
        "expect_table_columns_to_match_ordered_list",
        {"column_list": ["id", "name"]},
    )
    assert [(e.type, e.kwargs) for e in types] == [
        ("expect_column_values_to_be_of_type", {"column": "id", "type_": "LongType"}),
        ("expect_column_values_to_be_of_type", {"column": "name", "type_": "StringType"}),
    ]
    additive = check(columns=TWO).as_expectations()[0]
    assert (additive.type, additive.kwargs) == (
        "expect_table_columns_to_match_set",
        {"column_set": ["id", "name"], "exact_match": False},
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reference": "r"}, "cannot say reference of schema"),
        ({"columns": {"a": "decimal(15,2)"}}, r"cannot say decimal\(15,2\) of schema"),
        ({"columns": {"a": "int not null"}}, "cannot say nullable of schema"),
        ({"columns": TWO, "warn_if": {"added_columns": "> 0"}}, "cannot say warn_if of schema"),
    ],
)
def test_what_great_expectations_has_no_words_for_is_never_weakened(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check(**fields).as_expectations()
