"""What was found in a table: one profile for each column, and the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.columns import Column, Schema
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.types import element, is_float, is_integer, is_text
from sparkguard.measures.profile import Ordinal
from sparkguard.proposal.names import is_handed_out

Asked = Mapping[Measure[Answer], Answer | Broken]
Ask = Callable[[Sequence[Measure[Answer]]], Asked]
"""Answers measures, as an engine does for one round."""


@dataclass(frozen=True)
class ColumnProfile:
    """One top-level column.

    `low` and `high` are the extremes of numbers, days and moments as ordinals; `shortest` and
    `longest` lengths of arrays; `not_finite` rows with NaN or infinity; `distinct` an estimate (None:
    not asked, or this Spark cannot); `values` all values with their rows, where they are few;
    `unlisted` why values that are few are not among them; `unread` why nothing is known.
    """

    column: Column
    nulls: int = 0
    low: Ordinal | None = None
    high: Ordinal | None = None
    shortest: int | None = None
    longest: int | None = None
    not_finite: int = 0
    distinct: float | None = None
    values: tuple[tuple[str, int], ...] | None = None
    unlisted: str | None = None
    unread: str | None = None

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def type(self) -> str:
        """The column's type as Spark spells it."""
        return self.column.type

    @property
    def can_be_infinite(self) -> bool:
        """Whether values, or elements of the array, may be NaN or infinite."""
        return is_float(element(self.type) or self.type)

    def constant(self, rows: int) -> bool:
        """Whether all of several rows have the same value."""
        if rows < 2 or self.nulls or self.not_finite:  # noqa: PLR2004 - one row says nothing
            return False
        if self.low is not None:
            return self.low == self.high
        return self.distinct is not None and round(self.distinct) == 1


@dataclass(frozen=True)
class TableProfile:
    """A table at one moment: its rows, columns, and the keys that are certainly unique, the best first.

    `lacking` are functions that this Spark does not have, so that something could not be asked.
    """

    schema: Schema
    rows: int
    columns: tuple[ColumnProfile, ...]
    at: datetime
    keys: tuple[tuple[str, ...], ...] = ()
    lacking: tuple[str, ...] = ()


def is_plain_code(column: Column) -> bool:
    """Whether a column may hold a few words or small numbers that stand for kinds of things."""
    return is_text(column.type) or (is_integer(column.type) and not is_handed_out(column.name))
