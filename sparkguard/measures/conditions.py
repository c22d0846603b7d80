"""What may be wrong with a row: each condition is true of rows that break a rule.

A condition judges the values of its `columns`, in this order. None means that the row is not
judged, as a NULL is by every condition that does not look for it.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.columns import Column, Schema
from sparkguard.core.values import Typed

_WORD = re.compile(r"`((?:[^`]|``)+)`|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|(\w+)")
_CHANGING = re.compile(
    r"(?i)\b(select|current_\w+|now|rand|randn|random|randstr|uuid|localtimestamp|shuffle|input_file\w*|session_user|user)\b"
)


class Condition(ABC):
    """A rule's violation; its equality is part of the key of what is measured."""

    @property
    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns that are looked at."""

    @property
    def lasts(self) -> bool:
        """Whether a row that is judged again on another night is judged alike."""
        return True

    @abstractmethod
    def holds(self, values: Sequence[object]) -> bool | None:
        """Whether the values of `columns` break the rule; None where they are not judged."""


@dataclass(frozen=True)
class ColumnCondition(Condition):
    """A condition on one column; a NULL is not judged."""

    column: Column

    @property
    def columns(self) -> tuple[Column, ...]:
        """The one column."""
        return (self.column,)

    def holds(self, values: Sequence[object]) -> bool | None:
        """Judge what is not NULL."""
        return None if values[0] is None else self.breaks(values[0])

    @abstractmethod
    def breaks(self, value: object) -> bool:
        """Whether a value that is not NULL breaks the rule."""


@dataclass(frozen=True)
class Missing(ColumnCondition):
    """The value is NULL; with `blank` also a text of nothing but white space."""

    blank: bool = False

    def holds(self, values: Sequence[object]) -> bool | None:
        """Every row is judged."""
        return values[0] is None or self.breaks(values[0])

    def breaks(self, value: object) -> bool:
        """Judge a text."""
        return self.blank and isinstance(value, str) and not value.strip(" \t\n\r")


@dataclass(frozen=True)
class Present(ColumnCondition):
    """There is a value, whatever it is: to count the values themselves."""

    def breaks(self, value: object) -> bool:
        """Every value is meant."""
        del value
        return True


@dataclass(frozen=True)
class NotANumber(ColumnCondition):
    """The value, or an element of the array, is NaN."""

    def breaks(self, value: object) -> bool:
        """Judge a number or a vector."""
        return any(isinstance(v, float) and math.isnan(v) for v in _elements(value))


@dataclass(frozen=True)
class Infinite(ColumnCondition):
    """The value, or an element of the array, is +∞ or -∞."""

    def breaks(self, value: object) -> bool:
        """Judge a number or a vector."""
        return any(isinstance(v, float) and math.isinf(v) for v in _elements(value))


@dataclass(frozen=True)
class NotFinite(ColumnCondition):
    """The value, or an element of the array, is NaN or infinite, or the element is NULL."""

    def breaks(self, value: object) -> bool:
        """Judge a number or a vector."""
        return any(v is None or (isinstance(v, float) and not math.isfinite(v)) for v in _elements(value))


@dataclass(frozen=True)
class Outside(ColumnCondition):
    """The value is below `low` or above `high`; NaN always is."""

    low: Typed | None = None
    high: Typed | None = None

    def breaks(self, value: object) -> bool:
        """Judge a number, a text, a day or a moment."""
        if isinstance(value, float) and math.isnan(value):
            return True
        low, high = (_comparable(bound, value) for bound in (self.low, self.high))
        return (low is not None and value < low) or (high is not None and value > high)  # type: ignore[operator] # of one type


@dataclass(frozen=True)
class NotIn(ColumnCondition):
    """The value is none of `values`."""

    values: tuple[Typed, ...]

    def breaks(self, value: object) -> bool:
        """Look it up."""
        return value not in self.values


@dataclass(frozen=True)
class NotMatching(ColumnCondition):
    """The whole text does not match the regular expression (Java's; the twin is Python's)."""

    pattern: str

    def breaks(self, value: object) -> bool:
        """Match the whole text."""
        return re.fullmatch(self.pattern, str(value)) is None


@dataclass(frozen=True)
class WrongLength(ColumnCondition):
    """The array has fewer than `low` or more than `high` elements; with neither, every array is meant."""

    low: int | None = None
    high: int | None = None

    def breaks(self, value: object) -> bool:
        """Count the elements."""
        length = len(value)  # type: ignore[arg-type] # an array
        if self.low is None and self.high is None:
            return True
        return (self.low is not None and length < self.low) or (self.high is not None and length > self.high)


@dataclass(frozen=True)
class HashIs(ColumnCondition):
    """The value's hash, as the engine computes it, is `hash`: a value found by a sketch of hashes."""

    hash: int

    @property
    def lasts(self) -> bool:
        """Tonight's most frequent value is not tomorrow's."""
        return False

    def holds(self, values: Sequence[object]) -> bool | None:
        """Every row is judged."""
        return values[0] is not None and self.breaks(values[0])

    def breaks(self, value: object) -> bool:
        """Compare with the hash of the twin."""
        return twin_hash(value) == self.hash


@dataclass(frozen=True)
class LaterThan(Condition):
    """Where there is a value, its moment is after another; rows without one of the three are not judged."""

    value: Column
    moment: Column
    other: Column

    @property
    def columns(self) -> tuple[Column, ...]:
        """The value, its moment, and the other one."""
        return (self.value, self.moment, self.other)

    def holds(self, values: Sequence[object]) -> bool | None:
        """Compare two moments of one type."""
        return None if None in tuple(values) else bool(values[1] > values[2])  # type: ignore[operator] # of one type


@dataclass(frozen=True)
class Untrue(Condition):
    """An SQL predicate over a row is false; NULL is not judged, or with `nulls` broken as well.

    `mentions` are the columns whose names stand in it.
    """

    sql: str
    mentions: tuple[Column, ...] = ()
    nulls: bool = True

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the text mentions."""
        return self.mentions

    @property
    def lasts(self) -> bool:
        """What depends on the day or on another table may change while the row does not."""
        return is_lasting(self.sql)

    def holds(self, values: Sequence[object]) -> bool | None:
        """Evaluate by SQLite, whose plain comparisons, arithmetic and NULLs are those of Spark."""
        found = _by_sqlite(self.sql, self.mentions, values)
        if found is None:
            return True if self.nulls else None
        return not found


def mentioned(sql: str, schema: Schema) -> tuple[Column, ...]:
    """Top-level columns whose names stand in an expression; one too many costs a little reading, no more."""
    words = {(quoted or plain).replace("``", "`").lower() for quoted, plain in _WORD.findall(sql) if quoted or plain}
    return tuple(column for column in schema.columns if column.name.lower() in words)


def is_lasting(sql: str) -> bool:
    """Whether an expression over a row gives the same on every night, to judge by its words."""
    return _CHANGING.search(sql) is None


def twin_hash(value: object) -> int:
    """What stands for the engine's hash in plain Python: equal values, equal numbers."""
    return hash("NaN" if isinstance(value, float) and math.isnan(value) else repr(value))


def _elements(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _comparable(bound: Typed | None, value: object) -> Typed | None:
    """A bound with a zone where the value has none is compared in UTC, as rows come to the driver."""
    if isinstance(bound, datetime) and isinstance(value, datetime) and value.tzinfo is None and bound.tzinfo:
        return bound.astimezone(tz=None).replace(tzinfo=None)
    return bound


def _by_sqlite(sql: str, columns: Sequence[Column], values: Sequence[object]) -> object:
    import sqlite3  # noqa: PLC0415 - only the twin needs it

    shown = [v if isinstance(v, int | float | str | bytes | None) else str(v) for v in values]
    names = ", ".join('? AS "' + c.name.replace('"', '""') + '"' for c in columns) or "1 AS one"
    with sqlite3.connect(":memory:") as connection:
        return connection.execute(f"SELECT {sql} FROM (SELECT {names})", shown).fetchone()[0]  # noqa: S608 - a test's own rule
