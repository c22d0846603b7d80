"""Conditions as SQL: which rows are judged, and which of them break the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sparkguard.core.types import element, is_float, is_text
from sparkguard.engine.spark import Names
from sparkguard.engine.spark.values import comparable, hash_of, literal, whole_value
from sparkguard.measures.conditions import (
    Condition,
    HashIs,
    Infinite,
    LaterThan,
    Missing,
    NotANumber,
    NotFinite,
    NotIn,
    NotMatching,
    Outside,
    Present,
    Untrue,
    WrongLength,
)

_BLANK = literal(r"\A[ \t\n\r]*\z", "string")


class Predicate(NamedTuple):
    """As SQL text: what is not NULL in rows that are judged (None: every row), and what is true of those that break."""

    judged: str | None
    broke: str


def predicate(condition: Condition, names: Names) -> Predicate:
    """A condition over the columns of one read."""
    return _SQL[type(condition)](condition, names)


def value_hash(name: str, kind: str) -> str:
    """A 64-bit hash that equal values share; of NULL it is no hash."""
    return hash_of(whole_value(comparable(name, kind), kind))


def _missing(condition: Missing, names: Names) -> Predicate:
    name = names[condition.column]
    blank = condition.blank and is_text(condition.column.type)
    return Predicate(None, f"({name} IS NULL OR {name} RLIKE {_BLANK})" if blank else f"{name} IS NULL")


def _present(condition: Present, names: Names) -> Predicate:
    name = names[condition.column]
    return Predicate(name, f"{name} IS NOT NULL")


def _each(condition: Any, names: Names, breaks: Callable[[str, str], str]) -> Predicate:
    """What breaks a number, or any element of an array."""
    name, column = names[condition.column], condition.column
    inner = element(column.type)
    return Predicate(name, breaks(name, column.type) if inner is None else f"exists({name}, x -> {breaks('x', inner)})")


def _not_a_number(condition: NotANumber, names: Names) -> Predicate:
    return _each(condition, names, lambda x, kind: f"coalesce(isnan({x}), false)" if is_float(kind) else "false")


def _infinite(condition: Infinite, names: Names) -> Predicate:
    return _each(
        condition,
        names,
        lambda x, kind: f"coalesce(abs({x}) = {_infinity(kind)}, false)" if is_float(kind) else "false",
    )


def _not_finite(condition: NotFinite, names: Names) -> Predicate:
    name, column = names[condition.column], condition.column
    inner = element(column.type)
    if not is_float(inner or column.type):
        return Predicate(name, "false")
    # NaN is greater than infinity, so one comparison finds both.
    if inner is None:
        return Predicate(name, f"NOT abs({name}) < {_infinity(column.type)}")
    return Predicate(name, f"exists({name}, x -> NOT coalesce(abs(x) < {_infinity(inner)}, false))")


def _infinity(kind: str) -> str:
    return f"CAST('Infinity' AS {kind})"


def _outside(condition: Outside, names: Names) -> Predicate:
    name, column = names[condition.column], condition.column
    parts = [f"isnan({name})"] if is_float(column.type) and condition.high is None else []
    parts += [] if condition.low is None else [f"{name} < {literal(condition.low, column.type)}"]
    parts += [] if condition.high is None else [f"{name} > {literal(condition.high, column.type)}"]
    return Predicate(name, f"({' OR '.join(parts)})")


def _not_in(condition: NotIn, names: Names) -> Predicate:
    name, column = names[condition.column], condition.column
    return Predicate(name, f"{name} NOT IN ({', '.join(literal(v, column.type) for v in condition.values)})")


def _not_matching(condition: NotMatching, names: Names) -> Predicate:
    name = names[condition.column]
    whole = rf"\A(?:{condition.pattern})\z"
    return Predicate(name, f"NOT {name} RLIKE {literal(whole, 'string')}")


def _wrong_length(condition: WrongLength, names: Names) -> Predicate:
    name, size = names[condition.column], f"array_size({names[condition.column]})"
    parts = [] if condition.low is None else [f"{size} < {condition.low}"]
    parts += [] if condition.high is None else [f"{size} > {condition.high}"]
    return Predicate(name, f"({' OR '.join(parts)})" if parts else f"{name} IS NOT NULL")


def _hash_is(condition: HashIs, names: Names) -> Predicate:
    name = names[condition.column]
    return Predicate(None, f"({name} IS NOT NULL AND {value_hash(name, condition.column.type)} = {condition.hash}L)")


def _later_than(condition: LaterThan, names: Names) -> Predicate:
    value, moment, other = (names[column] for column in condition.columns)
    return Predicate(
        f"IF({value} IS NULL, NULL, {moment} > {other})", f"coalesce({value} IS NOT NULL AND {moment} > {other}, false)"
    )


def _untrue(condition: Untrue, names: Names) -> Predicate:
    name = names.expression(condition.sql)
    return Predicate(None, f"NOT coalesce({name}, false)") if condition.nulls else Predicate(name, f"NOT {name}")


_SQL: Mapping[type[Condition], Callable[[Any, Names], Predicate]] = {
    Missing: _missing,
    Present: _present,
    NotANumber: _not_a_number,
    Infinite: _infinite,
    NotFinite: _not_finite,
    Outside: _outside,
    NotIn: _not_in,
    NotMatching: _not_matching,
    WrongLength: _wrong_length,
    HashIs: _hash_is,
    LaterThan: _later_than,
    Untrue: _untrue,
}
