from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.columns import Field
from sparkguard.core.evolution import Change, Difference, Part, differences, part_of_field, part_of_type
from sparkguard.core.sqltypes import parse_type


def parts(*columns: str) -> list[Part]:
    return [part_of_type(name, parse_type(kind)) for name, _, kind in (c.partition(" ") for c in columns)]


def found(expected: list[Part], actual: list[Part]) -> list[tuple[str, str, str | None, str | None]]:
    return [(d.change.value, d.column, d.expected, d.actual) for d in differences(expected, actual)]


def test_columns_that_came_went_and_changed_their_type_are_told_apart() -> None:
    assert found(parts("a int", "b string", "c date"), parts("a bigint", "c date", "d double")) == [
        ("removed_column", "b", "string", None),
        ("changed_type", "a", "int", "bigint"),
        ("added_column", "d", None, "double"),
    ]


def test_a_change_of_case_is_a_column_gone_and_another_come_and_says_so() -> None:
    gone, come = differences(parts("tailNum string"), parts("tailnum string"))
    assert (gone.change, gone.hint) == (Change.REMOVED, "'tailnum' is there, which only differs in case")
    assert (come.change, come.hint) == (Change.ADDED, "'tailNum' is missing, which only differs in case")


def test_one_column_put_elsewhere_is_one_move_however_many_it_passes() -> None:
    before = parts("a int", "b int", "c int", "d int")
    assert found(before, parts("d int", "a int", "b int", "c int")) == [("moved_column", "d", "after 'c'", "first")]
    assert found(before, parts("a int", "c int", "d int", "b int")) == [("moved_column", "b", "after 'a'", "after 'd'")]


def test_what_is_added_or_removed_moves_nothing() -> None:
    changes = {
        d.change for d in differences(parts("a int", "x int", "b int"), parts("y int", "a int", "b int", "z int"))
    }
    assert changes == {Change.ADDED, Change.REMOVED}


def test_nullability_counts_where_both_sides_say_it() -> None:
    said, silent, other = (Part("a", "int", n) for n in (False, None, True))
    assert found([said], [other]) == [("changed_nullability", "a", "NOT NULL", "NULL")]
    assert found([other], [said]) == [("changed_nullability", "a", "NULL", "NOT NULL")]
    assert found([silent], [other]) == found([said], [said]) == []


def test_fields_of_structs_are_compared_by_their_path() -> None:
    before = parts("payload struct<user:struct<id:int,name:string>,at:date>")
    after = parts("payload struct<at:date,user:struct<id:bigint,mail:string>>")
    assert found(before, after) == [
        ("removed_column", "payload.user.name", "string", None),
        ("changed_type", "payload.user.id", "int", "bigint"),
        ("moved_column", "payload.at", "after 'user'", "first"),
        ("added_column", "payload.user.mail", None, "string"),
    ]


def test_fields_inside_arrays_and_maps_are_compared_by_their_path() -> None:
    before = parts("items array<struct<id:int>>", "tags map<string,struct<v:int>>")
    after = parts("items array<struct<id:int,n:int>>", "tags map<int,struct<v:date>>")
    assert found(before, after) == [
        ("changed_type", "tags.key", "string", "int"),
        ("changed_type", "tags.value.v", "int", "date"),
        ("added_column", "items.element.n", None, "int"),
    ]


def test_what_cannot_be_compared_part_by_part_is_a_changed_type() -> None:
    pairs = [
        ("array<int>", "array<bigint>"),
        ("struct<a:int>", "array<struct<a:int>>"),
        ("array<struct<a:int>>", "array<int>"),
    ]
    for one, other in pairs:
        assert found(parts(f"v {one}"), parts(f"v {other}")) == [("changed_type", "v", one, other)]


def test_paths_protect_dots_and_top_level_names_stand_as_they_are() -> None:
    assert [d.column for d in differences(parts("a.b struct<x.y:int>"), parts("a.b struct<`q``r`:int>"))] == [
        "`a.b`.`x.y`",
        "`a.b`.`q``r`",
    ]
    assert [d.column for d in differences(parts("a.b int"), [])] == ["a.b"]


def test_the_names_of_a_schemas_own_structs_are_not_parsed() -> None:
    def struct(inner: str) -> Part:
        child = Field(inner, "int", nullable=False)
        return part_of_field(Field("s", f"struct<{inner}:int>", nullable=True, children=(child,)))

    assert found([struct("a,b:c<")], [struct("a,b:c>")]) == [
        ("removed_column", "s.a,b:c<", "int", None),
        ("added_column", "s.a,b:c>", None, "int"),
    ]


def test_types_that_cannot_be_read_are_compared_as_a_whole() -> None:
    strange = [part_of_field(Field("v", f"array<struct<a,b{c}:int>>")) for c in "xy"]
    assert found([strange[0]], [strange[1]]) == [("changed_type", "v", strange[0].type, strange[1].type)]
    assert found([strange[0]], [strange[0]]) == []


columns = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["int", "date", "struct<x:int>", "struct<y:int>"])),
    max_size=6,
    unique_by=lambda c: c[0],
)


@given(columns, columns)
def test_a_difference_is_found_exactly_where_there_is_one_and_mirrors(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    a, b = (parts(*(f"{n} {k}" for n, k in side)) for side in (one, other))
    assert bool(differences(a, b)) == (one != other)

    def count(found: list[Difference], change: Change) -> int:
        return sum(d.change is change for d in found)

    there, back = differences(a, b), differences(b, a)
    assert count(there, Change.ADDED) == count(back, Change.REMOVED)
    assert count(there, Change.TYPE) == count(back, Change.TYPE)
    assert count(there, Change.MOVED) == count(back, Change.MOVED)


def test_no_smaller_set_of_moves_restores_the_order() -> None:
    names = "abcd"
    before = parts(*(f"{n} int" for n in names))
    for order in permutations(names):
        moved = {d.column for d in differences(before, parts(*(f"{n} int" for n in order)))}
        assert [n for n in order if n not in moved] == [n for n in names if n not in moved]
        smaller = {
            len(names) - len(kept)
            for size in range(len(names) + 1)
            for kept in permutations(names, size)
            if list(kept) == sorted(kept) and [n for n in order if n in kept] == list(kept)
        }
        assert len(moved) == min(smaller)
