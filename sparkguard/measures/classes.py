"""The classes that labels are: their names, which equal numbers of any type share, and which values are none."""

from __future__ import annotations

import math
from decimal import Decimal

from sparkguard.core.types import is_float, is_integer, is_number
from sparkguard.errors import DataError
from sparkguard.measures.grids import text_of

ROUNDING = 0.05
"""Probabilities of all classes of a row may add up to so much more or less than 1."""


def class_of_text(text: str, kind: str, wanted: str) -> str | None:
    """The class of a value's text of one type among classes of another; None if it is no finite number.

    `DataError` if the type of the classes has none such.
    """
    value: object = text
    if kind == "boolean":
        value = text == "true"
    elif is_integer(kind):
        value = int(text)
    elif kind.startswith("decimal"):
        value = Decimal(text)
    elif is_float(kind):
        value = float(text)
        if not math.isfinite(value):
            return None
    if (wanted == "boolean") is not (kind == "boolean") and (wanted == "boolean" or not is_number(wanted)):
        message = f"a label of {kind} is no class among labels of {wanted}"
        raise DataError(message, "cast it to one type in a dataset's sql")
    return class_of(value, wanted)


def class_name(value: object) -> str:
    """The name of a class: equal numbers of any type have one, and a boolean is `true` or `false`."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return text_of(value)
    if isinstance(value, Decimal):
        whole, point, digits = f"{value:f}".partition(".")
        return (whole + point + digits.rstrip("0")).rstrip(".")
    return str(int(value)) if float(value).is_integer() else repr(value)


def class_of(value: object, kind: str) -> str:
    """The class of a value in a column of a type."""
    return class_name(int(value) if isinstance(value, bool) and kind != "boolean" else value)


def is_told(value: object, kind: str) -> bool:
    """Whether there is a value, and it is no NaN and not infinite."""
    if value is None:
        return False
    return not (is_float(kind) or isinstance(value, float)) or math.isfinite(as_number(value))


def as_number(value: object) -> float:
    """A number as a float; NaN for what is none."""
    return float(value) if isinstance(value, int | float | Decimal) else math.nan
