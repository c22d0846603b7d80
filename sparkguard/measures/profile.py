"""The shape of one column in exact numbers: its extremes, its mean and its deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self

from sparkguard.core.columns import Column
from sparkguard.core.instant import EPOCH, micros_of
from sparkguard.core.measure import Rows, S_co, State, Wide
from sparkguard.core.source import Source

Ordinal = int | float | Decimal
"""A number; a day in days and a moment in microseconds since 1970, one without a zone as if in UTC."""


@dataclass(frozen=True)
class Extent(State):
    """The least and the greatest of the values that are neither NULL nor NaN; None without any.

    `exactness` says where they are from.
    """

    HOLDS_VALUES = True

    low: Ordinal | None
    high: Ordinal | None
    exactness: str = "exact"

    @classmethod
    def zero(cls) -> Self:
        """No values."""
        return cls(None, None)

    def merge(self, other: Self) -> Self:
        """The extremes of both."""
        lows = [v for v in (self.low, other.low) if v is not None]
        highs = [v for v in (self.high, other.high) if v is not None]
        return type(self)(min(lows, default=None), max(highs, default=None))


@dataclass(frozen=True)
class Spread(State):
    """Count, mean and sum of squared deviations of the finite values.

    Merged by the pairwise formula of Chan, Golub and LeVeque (1979), which loses no digits where
    the mean is large and the deviation small.
    """

    n: int
    mean: float
    squares: float

    @classmethod
    def zero(cls) -> Self:
        """No values."""
        return cls(0, 0.0, 0.0)

    def merge(self, other: Self) -> Self:
        """The moments of both."""
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.n / n)
        return type(self)(n, mean, self.squares + other.squares + apart * apart * (self.n * (other.n / n)))

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the values themselves (divided by n); None without any."""
        return math.sqrt(self.squares / self.n) if self.n else None


@dataclass(frozen=True)
class ColumnMeasure(Wide[S_co]):
    """A question about one column of one source."""

    source: Source
    column: Column

    @property
    def columns(self) -> tuple[Column, ...]:
        """The one column."""
        return (self.column,)

    def __str__(self) -> str:
        """For the plan."""
        return f"{type(self).__name__.lower()} of {self.column.name} in {self.source}"


@dataclass(frozen=True)
class Extremes(ColumnMeasure[Extent]):
    """What are the least and the greatest value, or with `lengths` the lengths of the arrays?"""

    STATE = Extent

    lengths: bool = False

    def twin(self, tables: Mapping[Source, Rows]) -> Extent:
        """Compare all values."""
        values = [v for (v,) in tables[self.source] if v is not None]
        found = [len(v) if self.lengths else ordinal(v) for v in values]  # type: ignore[arg-type] # an array
        kept = [v for v in found if not (isinstance(v, float) and math.isnan(v))]
        return Extent(min(kept, default=None), max(kept, default=None))


@dataclass(frozen=True)
class Moments(ColumnMeasure[Spread]):
    """What are the mean and the deviation of the finite values?"""

    STATE = Spread

    def twin(self, tables: Mapping[Source, Rows]) -> Spread:
        """Sum exactly."""
        values = [float(v) for (v,) in tables[self.source] if v is not None and math.isfinite(v)]  # type: ignore[arg-type] # a number
        if not values:
            return Spread.zero()
        mean = math.fsum(values) / len(values)
        return Spread(len(values), mean, math.fsum((v - mean) ** 2 for v in values))


def ordinal(value: object) -> Ordinal:
    """The number that stands for a value."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return micros_of(moment)
    if isinstance(value, date):
        return value.toordinal() - EPOCH.toordinal()
    return value  # type: ignore[return-value] # a number
