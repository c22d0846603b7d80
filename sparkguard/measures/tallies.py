"""How many rows there are, how many break a rule, and some of those that do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from sparkguard.core.columns import Column
from sparkguard.core.measure import Rows, State, Tall, Wide
from sparkguard.core.source import Source
from sparkguard.measures.conditions import Condition

FEW = 1_024
"""As many rows that break a rule are shown exactly; of more, a sample in this many buckets."""
LONGEST_TEXT = 500
"""Characters of a value that are kept as evidence."""

Texts = tuple[str | None, ...]


@dataclass(frozen=True)
class Total(State):
    """A number of rows; `exactness` says where it is from."""

    rows: int
    exactness: str = "exact"

    @classmethod
    def zero(cls) -> Self:
        """No rows."""
        return cls(0)

    def merge(self, other: Self) -> Self:
        """Add."""
        return type(self)(self.rows + other.rows)


@dataclass(frozen=True)
class Tally(State):
    """All `rows`, those that were `judged` by a condition, and those that `broke` the rule."""

    rows: int
    judged: int
    broke: int

    @classmethod
    def zero(cls) -> Self:
        """No rows."""
        return cls(0, 0, 0)

    def merge(self, other: Self) -> Self:
        """Add."""
        return type(self)(self.rows + other.rows, self.judged + other.judged, self.broke + other.broke)


@dataclass(frozen=True)
class Cell:
    """The rows of one bucket: how many, and the first and the last of their values in the bucket's order.

    With `low` equal to `high` all of them have these values.
    """

    bucket: int
    count: int
    low: Texts
    high: Texts


@dataclass(frozen=True)
class Sample(State):
    """Rows that break a rule, in buckets of a hash of what is shown of them."""

    HOLDS_VALUES = True

    cells: tuple[Cell, ...]

    @classmethod
    def zero(cls) -> Self:
        """No rows."""
        return cls(())

    def merge(self, other: Self) -> Self:
        """Bucket by bucket."""
        cells = {cell.bucket: cell for cell in self.cells}
        for cell in other.cells:
            mine = cells.get(cell.bucket)
            if mine is None:
                cells[cell.bucket] = cell
                continue
            low, high = min(mine.low, cell.low, key=_order), max(mine.high, cell.high, key=_order)
            cells[cell.bucket] = Cell(cell.bucket, mine.count + cell.count, low, high)
        return type(self)(tuple(sorted(cells.values(), key=lambda c: c.bucket)))

    def examples(self) -> Iterable[tuple[Texts, int | None]]:
        """What is shown of rows, most frequent first; the count is None where a bucket holds different ones."""
        for cell in sorted(self.cells, key=lambda c: (-c.count, _order(c.low))):
            if cell.low == cell.high:
                yield cell.low, cell.count
            else:
                yield cell.low, None
                yield cell.high, None


@dataclass(frozen=True)
class RowCount(Wide[Total]):
    """How many rows are there?"""

    STATE = Total

    source: Source

    @property
    def columns(self) -> tuple[Column, ...]:
        """No column needs to be read."""
        return ()

    def twin(self, tables: Mapping[Source, Rows]) -> Total:
        """Count."""
        return Total(len(tables[self.source]))

    def __str__(self) -> str:
        """For the plan."""
        return f"rows of {self.source}"


@dataclass(frozen=True)
class Count(Wide[Tally]):
    """How many rows break a rule?"""

    STATE = Tally

    source: Source
    condition: Condition

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those that the condition looks at."""
        return self.condition.columns

    @property
    def lasts(self) -> bool:
        """As long as the condition does."""
        return self.condition.lasts

    def twin(self, tables: Mapping[Source, Rows]) -> Tally:
        """Judge row by row."""
        found = [self.condition.holds(row) for row in tables[self.source]]
        return Tally(len(found), sum(f is not None for f in found), sum(f is True for f in found))

    def __str__(self) -> str:
        """For the plan."""
        names = ", ".join(c.name for c in self.columns)
        return f"{type(self.condition).__name__} of ({names}) in {self.source}"


@dataclass(frozen=True)
class Examples(Tall[Sample]):
    """Which rows break a rule? `shown` are the columns whose values tell.

    `buckets` of a hash of the shown values bound the answer; None gives each value a bucket of its
    own, which `FEW` rows at most may ask for.
    """

    source: Source
    condition: Condition
    shown: tuple[Column, ...]
    buckets: int | None

    STATE = Sample
    reason = "the row breaks the rule"

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the condition looks at, and what is shown."""
        return tuple(dict.fromkeys((*self.condition.columns, *self.shown)))

    def twin(self, tables: Mapping[Source, Rows]) -> Sample:
        """Group by the shown texts; buckets by Python's own hash, so that only the counts compare."""
        at = {column: i for i, column in enumerate(self.columns)}
        groups: Counter[Texts] = Counter()
        for row in tables[self.source]:
            if self.condition.holds([row[at[c]] for c in self.condition.columns]):
                groups[tuple(None if row[at[c]] is None else str(row[at[c]]) for c in self.shown)] += 1
        whole = Sample.zero()
        for texts, count in groups.items():
            bucket = hash(texts) if self.buckets is None else hash(texts) % self.buckets
            whole = whole.merge(Sample((Cell(bucket, count, texts, texts),)))
        return whole

    def __str__(self) -> str:
        """For the plan."""
        names = ", ".join(c.name for c in self.columns)
        return f"examples of {type(self.condition).__name__} of ({names}) in {self.source}"


def examples(source: Source, condition: Condition, shown: tuple[Column, ...], broke: int, limit: int) -> Examples:
    """Ask for at least `limit` of the `broke` rows, exactly if they are few."""
    return Examples(source, condition, shown, None if broke <= FEW else max(FEW, 2 * limit))


def _order(texts: Texts) -> tuple[tuple[bool, str], ...]:
    """NULL comes first."""
    return tuple((t is not None, t or "") for t in texts)
