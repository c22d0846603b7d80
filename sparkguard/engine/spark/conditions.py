"""Conditions as SQL: which rows are judged, and which of them break the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sparkguard.core.types import element, is_float
from sparkguard.engine.spark import Names
from sparkguard.engine.spark.values import comparable, hash_of, literal, whole_value
from sparkguard.measures.conditions import (
    Condition,
    HashIs,
    Infinite,
    Missing,
    NotANumber,
    NotFinite,
    NotIn,
    NotMatching,
    Outside,
    Untrue,
    WrongLength,
)

_BLANK = literal(r"\A[ \t\n\r]*\z", "string")


class Broken(NamedTuple):
    """As SQL text: what is not NULL in rows that are judged (None: every row), and what is true of those that break."""

    judged: str | None
    broke: str


def broken(condition: Condition, names: Names) -> Broken:
    """A condition over the columns of one read."""
    return _SQL[type(condition)](condition, names)


def value_hash(name: str, kind: str) -> str:
    """A 64-bit hash that equal values share; of NULL it is no hash."""
    return hash_of(whole_value(comparable(name, kind), kind))


def _missing(condition: Missing, names: Names) -> Broken:
    name = names[condition.column]
    blank = (
        rf" OR {name} RLIKE '^[ \\t\\n\\r]*$'" if condition.blank and condition.column.type.startswith("string") else ""
    )
    return Broken(None, f"({name} IS NULL{blank})")


def _each(condition: Any, names: Names, breaks: Callable[[str, str], str]) -> Broken:
    """What breaks a number, or any element of an array."""
    name, column = names[condition.column], condition.column
    inner = element(column.type)
    return Broken(name, breaks(name, column.type) if inner is None else f"exists({name}, x -> {breaks('x', inner)})")


def _not_a_number(condition: NotANumber, names: Names) -> Broken:
    return _each(condition, names, lambda x, kind: f"coalesce(isnan({x}), false)" if is_float(kind) else "false")


def _infinite(condition: Infinite, names: Names) -> Broken:
    return _each(
        condition,
        names,
        lambda x, kind: f"coalesce(abs({x}) = {_infinity(kind)}, false)" if is_float(kind) else "false",
    )


def _not_finite(condition: NotFinite, names: Names) -> Broken:
    name, column = names[condition.column], condition.column
    inner = element(column.type)
    if not is_float(inner or column.type):
        return Broken(name, "false")
    # NaN is greater than infinity, so one comparison finds both.
    if inner is None:
        return Broken(name, f"NOT abs({name}) < {_infinity(column.type)}")
    return Broken(name, f"exists({name}, x -> NOT coalesce(abs(x) < {_infinity(inner)}, false))")


def _infinity(kind: str) -> str:
    return f"CAST('Infinity' AS {kind})"


def _outside(condition: Outside, names: Names) -> Broken:
    name, column = names[condition.column], condition.column
    parts = [f"isnan({name})"] if is_float(column.type) and condition.high is None else []
    parts += [] if condition.low is None else [f"{name} < {literal(condition.low, column.type)}"]
    parts += [] if condition.high is None else [f"{name} > {literal(condition.high, column.type)}"]
    return Broken(name, f"({' OR '.join(parts)})")


def _not_in(condition: NotIn, names: Names) -> Broken:
    name, column = names[condition.column], condition.column
    return Broken(name, f"{name} NOT IN ({', '.join(literal(v, column.type) for v in condition.values)})")


def _not_matching(condition: NotMatching, names: Names) -> Broken:
    name = names[condition.column]
    whole = rf"\A(?:{condition.pattern})\z"
    return Broken(name, f"NOT {name} RLIKE {literal(whole, 'string')}")


def _wrong_length(condition: WrongLength, names: Names) -> Broken:
    name, size = names[condition.column], f"array_size({names[condition.column]})"
    parts = [] if condition.low is None else [f"{size} < {condition.low}"]
    parts += [] if condition.high is None else [f"{size} > {condition.high}"]
    return Broken(name, f"({' OR '.join(parts)})" if parts else f"{name} IS NOT NULL")


def _hash_is(condition: HashIs, names: Names) -> Broken:
    name = names[condition.column]
    return Broken(None, f"({name} IS NOT NULL AND {value_hash(name, condition.column.type)} = {condition.hash}L)")


def _untrue(condition: Untrue, names: Names) -> Broken:
    name = names.expression(condition.sql)
    return Broken(None, f"NOT coalesce({name}, false)") if condition.nulls else Broken(name, f"NOT {name}")


_SQL: Mapping[type[Condition], Callable[[Any, Names], Broken]] = {
    Missing: _missing,
    NotANumber: _not_a_number,
    Infinite: _infinite,
    NotFinite: _not_finite,
    Outside: _outside,
    NotIn: _not_in,
    NotMatching: _not_matching,
    WrongLength: _wrong_length,
    HashIs: _hash_is,
    Untrue: _untrue,
}
