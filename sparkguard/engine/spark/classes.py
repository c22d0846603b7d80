"""Classes in Spark: which values are one, and of what a row belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sparkguard.core.types import is_float, is_number
from sparkguard.engine.spark.values import comparable, hash_of, hashes_apart, in_type, literal, text
from sparkguard.measures.classes import class_name
from sparkguard.measures.splits import Part


def untold(name: str, kind: str) -> str:
    """Whether a value is NULL, NaN or infinite."""
    # NaN is greater than all else.
    infinite = f"coalesce(abs(CAST({name} AS DOUBLE)) >= CAST('Infinity' AS DOUBLE), true)"
    return infinite if is_float(kind) else f"{name} IS NULL"


def is_class(part: Part, name: str, positive: str) -> str:
    """Whether a class is the one of this name, as 1 or 0 where it is cast."""
    if part.type == "boolean":
        return f"({name} = {positive})"
    if is_number(part.type) and not is_float(part.type):
        return f"({name} = {Decimal(positive):f}BD)"
    if is_float(part.type):
        return f"({name} = {float(positive)!r}D)"
    return f"({text(name, part.type)} = {literal(positive, 'string')})"


def class_place(part: Part, name: str, classes: Sequence[str]) -> str:
    """The number of a class among some; NULL if it is none of them."""
    return f"CASE {' '.join(f'WHEN {is_class(part, name, one)} THEN {k}' for k, one in enumerate(classes))} END"


def typed_class(name: str, kind: str, part: Part) -> str:
    """A class in the type in which classes compare, a number with one zero."""
    if is_float(part.type):
        return f"(CAST({name} AS DOUBLE) + 0D)"
    return in_type(name, kind, part.type)


def named_class(name: str, kind: str) -> str:
    """The name of a class by its text in Spark."""
    if is_float(kind):
        return class_name(float(name))
    return class_name(Decimal(name)) if kind.startswith("decimal") else name


def cluster_hash(columns: Sequence[tuple[str, str]]) -> str:
    """A hash of what a row belongs to, by names and types of columns; 0 where it belongs to nothing."""
    if not columns:
        return "0L"
    values = [f"CAST({name} AS BINARY)" if hashes_apart(kind) else comparable(name, kind) for name, kind in columns]
    return hash_of(values, [name for name, _ in columns])
