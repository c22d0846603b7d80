"""When values of two types can be compared without mistaking a change of type for a change of data."""

from __future__ import annotations

import re

_INTEGERS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
"""Decimal digits that hold every value of an integer type."""
_EXACT_IN_DOUBLE = ("tinyint", "smallint", "int", "float")
_MOST_DIGITS = 38
_DECIMAL = re.compile(r"decimal\((\d+),(-?\d+)\)")
_TEXT = re.compile(r"string|varchar\(\d+\)")
_NO_KEY = ("array", "map", "struct", "variant", "void", "geometry", "geography", "interval")
_NO_EQUALITY = re.compile(r"(?:^|[<:,])(?:geometry|geography|void|interval(?:$|[,>]))|map<.*(?:map<|variant)|.+map<")


def is_text(kind: str) -> bool:
    """Whether a type is text, of whatever collation or length."""
    return kind.lower().startswith(("string", "varchar", "char"))


def is_float(kind: str) -> bool:
    """Whether a type holds NaN and infinities."""
    return kind in ("float", "double")


def is_integer(kind: str) -> bool:
    """Whether a type holds whole numbers only."""
    return kind in _INTEGERS


def is_number(kind: str) -> bool:
    """Whether a type can be averaged."""
    return is_float(kind) or is_integer(kind) or kind.startswith("decimal")


def is_time(kind: str) -> bool:
    """Whether a type is a day or a moment."""
    return kind in ("date", "timestamp", "timestamp_ntz")


def column_scale(kind: str) -> int | None:
    """Digits after the point of a type of exact numbers; None for any other."""
    digits = _digits(kind)
    return None if digits is None else digits[1]


def element(kind: str) -> str | None:
    """The type of an array's elements; None for any other type."""
    return kind[len("array<") : -1] if kind.startswith("array<") else None


def can_be_key(kind: str) -> bool:
    """Whether values of a type can name a row: plain values only."""
    return not kind.startswith(_NO_KEY)


def can_be_compared(kind: str) -> bool:
    """Whether two values of a type can be told apart: all but maps inside other types, and shapes."""
    return _NO_EQUALITY.search(kind) is None


def can_be_grouped(kind: str) -> bool:
    """Whether equal values of a type can be brought together: all that compare but variants inside other types."""
    return can_be_compared(kind) and (kind == "variant" or "variant" not in kind)


def common_type(one: str, other: str, *, tolerant: bool = False) -> str | None:
    """The type in which two columns compare by value without loss; None where there is none.

    Types are spelled as Spark does. Integers widen, decimals take the larger part on both sides of
    the point, a date is the midnight of a TIMESTAMP_NTZ. A date and a TIMESTAMP depend on a
    timezone, a float and a double on rounding (unless `tolerant`), a bigint does not fit a double,
    and texts under different collations have no order in common.
    """
    if one == other or not (can_be_compared(one) and can_be_compared(other)):
        return one if can_be_compared(one) and one == other else None
    kinds = {one, other}
    if kinds <= set(_INTEGERS):
        return max(kinds, key=_INTEGERS.__getitem__)
    if "double" in kinds and kinds & set(_EXACT_IN_DOUBLE):
        return "double" if tolerant or "float" not in kinds else None
    if kinds == {"date", "timestamp_ntz"}:
        return "timestamp_ntz"
    if all(_TEXT.fullmatch(kind) for kind in kinds):
        return "string"
    return _common_decimal(one, other)


def _common_decimal(one: str, other: str) -> str | None:
    digits = [_digits(kind) for kind in (one, other)]
    if None in digits:
        return None
    whole, scale = (max(d[i] for d in digits if d) for i in (0, 1))
    return f"decimal({whole + scale},{scale})" if whole + scale <= _MOST_DIGITS else None


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point."""
    match = _DECIMAL.fullmatch(kind)
    if match:
        return int(match[1]) - int(match[2]), int(match[2])
    return (_INTEGERS[kind], 0) if kind in _INTEGERS else None
