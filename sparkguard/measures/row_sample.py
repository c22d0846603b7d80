"""A bounded sample of whole rows, which is the same for a seed, and in it the value of each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Cost, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.measures.grids import FIRST, NAN, NULL, TEXT, Grid, kind_of, text_of
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.profile import ordinal
from sparkguard.measures.sampled_grids import LONGEST_NAME, MOST_VALUES

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    Whole = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class SampledColumn:
    """The values of a column in the rows of a sample: 8 bytes for each, and a bit where some are NULL.

    Texts and booleans are 64-bit hashes of their texts (`names` tells the most frequent), all else doubles:
    numbers, days and microseconds since 1970, and 0 for a value of a type that has no grid.
    """

    text: bool
    values: bytes
    nulls: bytes = b""
    names: tuple[tuple[int, str], ...] = ()

    @property
    def missing(self) -> Flags:
        """Which values are NULL."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        size = len(self.values) // 8
        if not self.nulls:
            return np.zeros(size, np.bool_)
        return np.unpackbits(np.frombuffer(self.nulls, np.uint8), count=size).astype(np.bool_)

    @property
    def known(self) -> Whole | Numbers:
        """The values that are neither NULL nor NaN, in the order of their rows."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        return self.hashes[~self.missing] if self.text else self.numbers[~np.isnan(self.numbers)]

    @property
    def hashes(self) -> Whole:
        """The hashes of texts; those of NULL mean nothing."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        return np.frombuffer(self.values, "<i8")

    @property
    def numbers(self) -> Numbers:
        """The numbers, NaN where they are NULL."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        found = np.frombuffer(self.values, "<f8")
        return np.where(self.missing, np.nan, found) if self.nulls else found

    def cells(self, grid: Grid) -> Whole:
        """The cell of each value in a grid of its kind."""
        import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

        if self.text:
            order = np.argsort(np.array(grid.hashes, np.int64))
            known = np.array(grid.hashes, np.int64)[order]
            near = np.minimum(np.searchsorted(known, self.hashes), max(0, len(known) - 1))
            named = known[near] == self.hashes if len(known) else np.zeros(len(self.hashes), np.bool_)
            others = FIRST + len(known) + self.hashes % max(1, grid.buckets)
            found = np.where(named, FIRST + order[near], others) if len(known) else others
        else:
            numbers = self.numbers
            found = FIRST + np.searchsorted(np.array(grid.edges), numbers, side="right")
            found[np.isnan(numbers)] = NAN
        found[self.missing] = NULL
        return np.asarray(found, np.int64)


@dataclass(frozen=True)
class SampledRows(Answer):
    """So many of all `rows`, as columns in the order of the question."""

    rows: int
    columns: tuple[SampledColumn, ...]

    @property
    def size(self) -> int:
        """Rows of the sample."""
        return len(self.columns[0].values) // 8


@dataclass(frozen=True)
class RowSample(RowMeasure[SampledRows]):
    """What do some rows look like, chosen by a hash of their columns, so that the order of rows does not matter?

    `most` rows, of no more than MOST_VALUES values. Where many rows are equal, and a hash would take all of
    them or none, they are chosen by their place in the table.
    """

    source: Source
    columns: tuple[Column, ...]
    most: int
    seed: int = 0

    cost = Cost(scans=2, shuffles=1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns."""
        return {self.source: self.columns}

    @property
    def rows(self) -> int:
        """Rows of the sample, at most."""
        return max(1, min(self.most, MOST_VALUES // max(1, len(self.columns))))

    def twin(self, tables: Mapping[Source, Rows]) -> SampledRows:
        """The first rows, of which there are few."""
        rows = tables[self.source]
        values = [[row[i] for row in rows[: self.rows]] for i in range(len(self.columns))]
        return SampledRows(len(rows), tuple(_packed(c, v) for c, v in zip(self.columns, values, strict=True)))

    def __str__(self) -> str:
        """For the plan."""
        return f"at most {self.rows:,} rows of {len(self.columns)} columns of {self.source}, by their hash"


def _packed(column: Column, values: Sequence[object]) -> SampledColumn:
    import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

    kind = kind_of(column.type)
    nulls = [value is None for value in values]
    bits = np.packbits(nulls).tobytes() if any(nulls) else b""
    if kind == TEXT:
        texts = [None if value is None else text_of(value) for value in values]
        hashes = [0 if text is None else hash_of_text(text) for text in texts]
        names = {h: t[:LONGEST_NAME] for h, t in zip(hashes, texts, strict=True) if t is not None}
        return SampledColumn(True, np.array(hashes, "<i8").tobytes(), bits, tuple(names.items()))  # noqa: FBT003 - a field
    found = [0.0 if v is None or kind is None else float(ordinal(v)) for v in values]
    return SampledColumn(False, np.array(found, "<f8").tobytes(), bits)  # noqa: FBT003 - a field
