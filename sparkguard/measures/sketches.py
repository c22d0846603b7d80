"""The shape of one column in bounded memory: quantiles, distinct values, frequent values.

The sketches are those of Apache DataSketches, which Spark computes and this process merges.
They differ from run to run within their error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sparkguard.core.columns import Column
from sparkguard.core.measure import Rows, State, Wide
from sparkguard.core.source import Source
from sparkguard.measures.conditions import twin_hash
from sparkguard.measures.profile import ColumnMeasure

if TYPE_CHECKING:
    from datasketches import hll_sketch, kll_doubles_sketch

KLL_K = 400
"""Rank error 0.7 % with 99 % confidence (Karnin, Lang, Liberty 2016); 8 KiB for a column."""
HLL_LG_K = 12
"""Relative standard error 1.3 % (Heule, Nunkesser, Hall 2013); 4 KiB for a column."""
TRACKED = 1_024
"""Items that Spark is asked to track; its sketch then has twice as many slots …"""
TRACKING_ERROR = 3.5 / TRACKED
"""… so that a count is too large by half of this share of all rows at most (Anderson et al. 2017). Spark
names only items that are certainly more frequent than the error, so one that it does not name may have
twice the error: this share."""
KEPT = 64
"""The most frequent items that leave Spark."""
KEY_LG_K = 16
"""Relative standard error 0.33 %: it tells a key from what is nearly one; 64 KiB for a combination of columns."""
_TWO_SIGMA = 2


@dataclass(frozen=True)
class Ranks(State):
    """A KLL sketch of doubles, NULL and NaN left out; empty bytes without values."""

    HOLDS_VALUES = True

    sketch: bytes

    @classmethod
    def zero(cls) -> Self:
        """No values."""
        return cls(b"")

    def merge(self, other: Self) -> Self:
        """The sketch of both."""
        if not self.sketch or not other.sketch:
            return self if self.sketch else other
        merged = self._sketch()
        merged.merge(other._sketch())
        return type(self)(merged.serialize())

    def quantile(self, rank: float) -> float | None:
        """The value at a rank between 0 and 1; None without values."""
        sketch = self._sketch() if self.sketch else None
        return None if sketch is None or sketch.is_empty() else float(sketch.get_quantile(rank))

    def margin(self, rank: float) -> float:
        """How far the value of a rank may be off: to the values at the ends of its rank's error."""
        if not self.sketch or self._sketch().is_empty():
            return 0.0
        sketch = self._sketch()
        # False: the error of one rank, not of a histogram.
        error = float(sketch.normalized_rank_error(False)) if sketch.is_estimation_mode() else 0.0  # noqa: FBT003
        value = sketch.get_quantile(rank)
        low, high = (sketch.get_quantile(min(1.0, max(0.0, r))) for r in (rank - error, rank + error))
        return 0.0 if low == high else float(max(value - low, high - value))

    def _sketch(self) -> kll_doubles_sketch:
        from datasketches import kll_doubles_sketch  # noqa: PLC0415 - only where sketches are

        return kll_doubles_sketch.deserialize(self.sketch)


@dataclass(frozen=True)
class Distincts(State):
    """An HLL sketch of the hashes of the values; empty bytes without values.

    With `null` the sketch holds one hash more than there are values: that of NULL.
    """

    HOLDS_VALUES = True

    sketch: bytes
    null: bool = False

    @classmethod
    def zero(cls) -> Self:
        """No values."""
        return cls(b"")

    def merge(self, other: Self) -> Self:
        """The sketch of both."""
        if not self.sketch or not other.sketch:
            return self if self.sketch else other
        from datasketches import hll_union, tgt_hll_type  # noqa: PLC0415 - only where sketches are

        sketches = [one._sketch() for one in (self, other)]  # noqa: SLF001 - of the same class
        union = hll_union(min(sketch.lg_config_k for sketch in sketches))
        for sketch in sketches:
            union.update(sketch)
        return type(self)(union.get_result(tgt_hll_type.HLL_8).serialize_compact(), self.null or other.null)

    def estimate(self) -> tuple[float, float]:
        """How many distinct values there are, and how far that may be off in 19 cases of 20."""
        if not self.sketch:
            return 0.0, 0.0
        sketch = self._sketch()
        value = max(0.0, sketch.get_estimate() - self.null)
        low, high = sketch.get_lower_bound(_TWO_SIGMA), sketch.get_upper_bound(_TWO_SIGMA)
        return value, max(sketch.get_estimate() - low, high - sketch.get_estimate())

    def _sketch(self) -> hll_sketch:
        from datasketches import hll_sketch  # noqa: PLC0415 - only where sketches are

        return hll_sketch.deserialize(self.sketch)


@dataclass(frozen=True)
class Frequent:
    """A hash, and the least and the most rows that may have it."""

    hash: int
    low: int
    high: int


@dataclass(frozen=True)
class Frequents(State):
    """The most frequent hashes of the values; any other has `rest` rows at most.

    Values of few digits can be guessed from hashes, so they count as values.
    Merging adds the bounds, as for the mergeable summaries of Agarwal et al. (2012).
    """

    HOLDS_VALUES = True

    n: int
    items: tuple[Frequent, ...]
    rest: int

    @classmethod
    def zero(cls) -> Self:
        """No values."""
        return cls(0, (), 0)

    def merge(self, other: Self) -> Self:
        """Add the bounds; what one side does not name has its `rest` at most."""
        mine, theirs = ({i.hash: i for i in side.items} for side in (self, other))
        items = [
            Frequent(
                key,
                sum(side[key].low for side in (mine, theirs) if key in side),
                (mine[key].high if key in mine else self.rest) + (theirs[key].high if key in theirs else other.rest),
            )
            for key in dict.fromkeys([*mine, *theirs])
        ]
        return type(self).of(self.n + other.n, items, self.rest + other.rest)

    @classmethod
    def of(cls, n: int, items: Sequence[Frequent], rest: int) -> Self:
        """Keep the most frequent."""
        ordered = sorted(items, key=lambda i: (-i.high, -i.low, i.hash))
        return cls(n, tuple(ordered[:KEPT]), max([rest, *(i.high for i in ordered[KEPT:])]))


@dataclass(frozen=True)
class Quantiles(ColumnMeasure[Ranks]):
    """Which values lie at which ranks, among the numbers?"""

    STATE = Ranks

    def twin(self, tables: Mapping[Source, Rows]) -> Ranks:
        """A sketch large enough to hold every value."""
        from datasketches import kll_doubles_sketch  # noqa: PLC0415 - only where sketches are

        values = [float(v) for (v,) in tables[self.source] if v is not None]  # type: ignore[arg-type] # a number
        sketch = kll_doubles_sketch(max(KLL_K, min(65_535, len(values) + 1)))
        for value in values:
            sketch.update(value)
        return Ranks(sketch.serialize())


@dataclass(frozen=True)
class Distinct(ColumnMeasure[Distincts]):
    """How many distinct values are there, NULL left out?"""

    STATE = Distincts

    def twin(self, tables: Mapping[Source, Rows]) -> Distincts:
        """A sketch of the same precision."""
        from datasketches import hll_sketch, tgt_hll_type  # noqa: PLC0415 - only where sketches are

        sketch = hll_sketch(HLL_LG_K, tgt_hll_type.HLL_8)
        for (value,) in tables[self.source]:
            if value is not None:
                sketch.update(twin_hash(value))
        return Distincts(sketch.serialize_compact())


@dataclass(frozen=True)
class DistinctKeys(Wide[Distincts]):
    """How many distinct combinations of some columns are there, rows with a NULL among them left out?"""

    STATE = Distincts

    source: Source
    key: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of the combination."""
        return self.key

    def twin(self, tables: Mapping[Source, Rows]) -> Distincts:
        """A sketch of the same precision."""
        from datasketches import hll_sketch, tgt_hll_type  # noqa: PLC0415 - only where sketches are

        sketch = hll_sketch(KEY_LG_K, tgt_hll_type.HLL_8)
        for row in tables[self.source]:
            if None not in tuple(row):
                sketch.update(twin_hash(tuple(map(twin_hash, row))))
        return Distincts(sketch.serialize_compact())

    def __str__(self) -> str:
        """For the plan."""
        return f"distinct ({', '.join(c.name for c in self.key)}) in {self.source}"


@dataclass(frozen=True)
class FrequentValues(ColumnMeasure[Frequents]):
    """Which values, by their hash, have the most rows, NULL left out?"""

    STATE = Frequents

    def twin(self, tables: Mapping[Source, Rows]) -> Frequents:
        """Count exactly."""
        counts = Counter(twin_hash(v) for (v,) in tables[self.source] if v is not None)
        return Frequents.of(counts.total(), [Frequent(h, n, n) for h, n in counts.items()], 0)
