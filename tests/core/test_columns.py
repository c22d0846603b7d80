import pytest

from sparkguard.core.columns import Field, Schema, split_path
from sparkguard.errors import DataError

SCHEMA = Schema(
    (
        Field("id", "bigint", nullable=False),
        Field("payload.user", "string"),
        Field("payload", "struct", children=(Field("user", "struct", children=(Field("id", "int"),)),)),
        Field("Größe in m", "double"),
        Field("tick`ed", "string"),
    )
)


def test_a_top_level_column_of_exactly_the_written_name_wins() -> None:
    assert SCHEMA.column("payload.user").path == ("payload.user",)


def test_a_dotted_name_is_otherwise_a_path_into_structs() -> None:
    column = SCHEMA.column("payload.user.id")
    assert (column.path, column.type, column.nullable) == (("payload", "user", "id"), "int", True)


def test_backticks_force_a_reading() -> None:
    assert SCHEMA.column("`payload`.`user`").path == ("payload", "user")
    assert SCHEMA.column("`payload.user`").path == ("payload.user",)


@pytest.mark.parametrize("name", ["Größe in m", "tick`ed", "`tick``ed`"])
def test_odd_names_are_found(name: str) -> None:
    assert SCHEMA.column(name).path[0] in ("Größe in m", "tick`ed")


def test_a_missing_column_names_the_nearest_ones() -> None:
    with pytest.raises(DataError, match=r"column 'payload.user.ID2' does not exist.*'payload.user.id'"):
        SCHEMA.column("payload.user.ID2")


def test_a_column_in_other_case_is_missing_but_named() -> None:
    with pytest.raises(DataError, match="nearest columns are 'id'"):
        SCHEMA.column("ID")


def test_a_schema_without_columns_says_so() -> None:
    with pytest.raises(DataError, match="has no columns"):
        Schema(()).column("a")


@pytest.mark.parametrize("wrong", ["", "a..b", "a.", "`a", "a`b`"])
def test_what_is_no_path_is_none(wrong: str) -> None:
    assert split_path(wrong) is None
