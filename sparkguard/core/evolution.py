"""What became of a schema: columns that came, went, moved, or changed their type or nullability.

Nested fields are compared by their paths: a field of a struct as `payload.user.id`, what is in an
array as `items.element.id`, in a map as `tags.value.id`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sparkguard.core.columns import Field
from sparkguard.core.sqltypes import SqlType, parse_type

Path = tuple[str, ...]

_PLAIN_NAME = re.compile(r"[^.`]+")


class Change(StrEnum):
    """What may have happened to a column, as evidence calls it; in the order in which it is told."""

    REMOVED = "removed_column"
    TYPE = "changed_type"
    NULLABILITY = "changed_nullability"
    MOVED = "moved_column"
    ADDED = "added_column"


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of one column; `hint` says what else is known of it."""

    change: Change
    column: str
    expected: str | None = None
    actual: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A column or a nested field; `nullable` is None where nobody said."""

    name: str
    type: str
    nullable: bool | None = None
    parts: tuple[Part, ...] = ()


def part_of_field(field: Field) -> Part:
    """A column as a schema has it; the names inside its structs are the schema's own."""
    children = tuple(part_of_field(child) for child in field.children)
    if not children:
        return Part(field.name, field.type, field.nullable, _inside(field.type))
    return Part(field.name, field.type, field.nullable, children)


def part_of_type(name: str, kind: SqlType, *, nullable: bool | None = None) -> Part:
    """A column as it was written."""
    inner = tuple(part_of_type(n, k) for n, k in kind.parts) if _holds_struct(str(kind)) else ()
    return Part(name, str(kind), nullable, inner)


def _inside(kind: str) -> tuple[Part, ...]:
    """What is in an array or a map of structs, as far as Spark's text of a type can be read."""
    if not _holds_struct(kind):
        return ()
    try:
        return part_of_type("", parse_type(kind)).parts
    except ValueError:
        return ()


def _holds_struct(kind: str) -> bool:
    return "struct<" in kind


def differences(expected: Sequence[Part], actual: Sequence[Part]) -> list[Difference]:
    """Every difference, removed columns first and added ones last; nothing if the schemas agree."""
    order = list(Change)
    return sorted(_compare(expected, actual, ()), key=lambda d: order.index(d.change))


def _compare(expected: Sequence[Part], actual: Sequence[Part], prefix: Path) -> Iterator[Difference]:
    wanted, found = ({p.name: p for p in parts} for parts in (expected, actual))
    removed, added = ([n for n in one if n not in other] for one, other in ((wanted, found), (found, wanted)))
    folded = {name.casefold(): name for name in added}
    for name in removed:
        twin = folded.get(name.casefold())
        hint = f"'{twin}' is there, which only differs in case" if twin else None
        yield Difference(Change.REMOVED, _written((*prefix, name)), expected=wanted[name].type, hint=hint)
    folded = {name.casefold(): name for name in removed}
    for name in added:
        twin = folded.get(name.casefold())
        hint = f"'{twin}' is missing, which only differs in case" if twin else None
        yield Difference(Change.ADDED, _written((*prefix, name)), actual=found[name].type, hint=hint)
    for name in wanted:
        if name in found:
            yield from _changes(wanted[name], found[name], (*prefix, name))
    yield from _moves([n for n in wanted if n in found], [n for n in found if n in wanted], prefix)


def _changes(expected: Part, actual: Part, path: Path) -> Iterator[Difference]:
    if expected.nullable is not None and actual.nullable is not None and expected.nullable != actual.nullable:
        words = ("NULL" if part.nullable else "NOT NULL" for part in (expected, actual))
        yield Difference(Change.NULLABILITY, _written(path), *words)
    inside = list(_compare(expected.parts, actual.parts, path)) if _alike(expected, actual) else []
    yield from inside
    # What names with commas or brackets hide from the parser is told as a whole.
    if expected.type != actual.type and all(d.change is Change.NULLABILITY for d in inside):
        yield Difference(Change.TYPE, _written(path), expected.type, actual.type)


def _moves(expected: list[str], actual: list[str], prefix: Path) -> Iterator[Difference]:
    """The fewest columns that, put elsewhere, would restore the order: all but a longest rising run."""
    place = {name: at for at, name in enumerate(expected)}
    stay = _longest_rising([place[name] for name in actual])
    for at, name in enumerate(actual):
        if place[name] not in stay:
            yield Difference(Change.MOVED, _written((*prefix, name)), _after(expected, place[name]), _after(actual, at))


def _after(names: Sequence[str], at: int) -> str:
    return f"after '{names[at - 1]}'" if at else "first"


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The members of a longest increasing subsequence of different numbers (Fredman 1975)."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    rising: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        rising.add(last)
        last = before[last]
    return rising


def _alike(one: Part, other: Part) -> bool:
    """Whether what is inside two columns can be compared part by part."""
    kinds = {part.type.partition("<")[0] for part in (one, other)}
    return kinds == {"struct"} or (len(kinds) == 1 and bool(one.parts) and bool(other.parts))


def _written(path: Path) -> str:
    """A top-level name as it is; a path with backticks around names that hold a dot or a backtick."""
    if len(path) == 1:
        return path[0]
    return ".".join(n if _PLAIN_NAME.fullmatch(n) else "`" + n.replace("`", "``") + "`" for n in path)
