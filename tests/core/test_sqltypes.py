"""Types of Spark, read without Spark; that Spark spells them so is claimed in `tests/engine`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.sqltypes import SqlType, parse_type


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("BIGINT", "bigint"),
        (" integer ", "int"),
        ("Long", "bigint"),
        ("short", "smallint"),
        ("byte", "tinyint"),
        ("real", "float"),
        ("numeric", "decimal(10,0)"),
        ("dec ( 15 , 2 )", "decimal(15,2)"),
        ("decimal(5)", "decimal(5,0)"),
        ("timestamp_ltz", "timestamp"),
        ("time", "time(6)"),
        ("Array < Integer >", "array<int>"),
        ("map<string,array<decimal(4,1)>>", "map<string,array<decimal(4,1)>>"),
        ("struct<a:int, b : map<string,long>>", "struct<a:int,b:map<string,bigint>>"),
        ("STRUCT<a INT, `b c` struct<d: Dec(3,1)>>", "struct<a:int,b c:struct<d:decimal(3,1)>>"),
        ("struct<`a,b``:`:int>", "struct<a,b`::int>"),
        ("struct<KeepsCase:int>", "struct<KeepsCase:int>"),
        ("struct<>", "struct<>"),
        ("string collate UTF8_LCASE", "string collate UTF8_LCASE"),
        ("string collate utf8_binary", "string"),
        ("INTERVAL  DAY TO SECOND", "interval day to second"),
        ("geometry(4326)", "geometry(4326)"),
    ],
)
def test_a_type_has_one_spelling(written: str, spelled: str) -> None:
    assert str(parse_type(written)) == spelled


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("bigin", "'bigin' is no type of Spark, did you mean 'bigint'?"),
        ("varchr(10)", "is no type of Spark"),
        ("int64", "did you mean 'bigint'?"),
        ("Text", "did you mean 'string'?"),
        ("bool", "did you mean 'boolean'?"),
        ("frobnicate", "allowed: boolean, tinyint"),
        ("", "is no type of Spark"),
        ("varchar(10)", "Spark reads such a column as string; write string"),
        ("array", "does not say of what; write for example array<double>"),
        ("array<int", "lacks a '>' at its end"),
        ("array<int,int>", "has 2 types inside, expected 1"),
        ("map<string>", "has 1 types inside, expected 2"),
        ("arry<int>", "did you mean 'array'?"),
        ("int<string>", "is no type of Spark"),
        ("struct<a>", "is not a field; write name:type"),
        ("struct<a:>", "is not a field; write name:type"),
        ("struct<a:strin>", "'strin' is no type of Spark, did you mean 'string'?"),
        ("decimal(39,2)", "scale ≤ precision ≤ 38"),
        ("decimal(5,6)", "is not a decimal"),
        ("decimal(a)", "is not a decimal"),
        ("decimal()", "is not a decimal"),
        ("time(7)", "time(0) to time(6)"),
        ("int(11)", "int takes no arguments"),
    ],
)
def test_what_is_no_type_is_answered_with_what_is_near(written: str, message: str) -> None:
    with pytest.raises(ValueError, match="'") as caught:
        parse_type(written)
    assert message in str(caught.value)


plain = st.sampled_from(["int", "bigint", "string", "double", "date", "timestamp_ntz", "decimal(15,2)", "binary"])
names = st.text("abcXYZ_09 é", min_size=1, max_size=5).map(str.strip).filter(bool)
types = st.recursive(
    plain.map(SqlType),
    lambda inner: st.one_of(
        inner.map(lambda e: SqlType("array", (("element", e),))),
        st.tuples(inner, inner).map(lambda kv: SqlType("map", (("key", kv[0]), ("value", kv[1])))),
        st.lists(st.tuples(names, inner), max_size=3, unique_by=lambda f: f[0]).map(
            lambda fs: SqlType("struct", tuple(fs))
        ),
    ),
    max_leaves=8,
)


@given(types)
def test_what_is_spelled_is_read_back(kind: SqlType) -> None:
    assert parse_type(str(kind)) == kind
