"""What the cells of a unit are, and how its values are folded onto what its base has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Counts, Divergence, Flags, Floats, share_divergence

NULL, NAN, FIRST = 0, 1, 2
"""The cells of a unit: NULL, NaN, and the first of its values."""

FLOOR = 0.005
"""A share that moved by less is no drift of NULL, NaN or what is beyond."""
FACTOR = 2.0
"""Nor is one whose odds, share / (1 - share), changed by less: of something rare, that is the share itself."""


@dataclass(frozen=True, slots=True, eq=False)
class CellKinds:
    """What the cells of C units are; counts are padded with zeros to the widest.

    Ordered units have range bins from cell 2. Others have named values there, then hash buckets of all other
    values. `cells` is how many a unit has.
    """

    ordered: Flags
    cells: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Values (..., C, V) and those of their base in the cells that are `used`; `beyond` (..., C) the base has not."""

    values: Counts
    base: Counts
    used: Flags
    beyond: Floats


def folded(counts: Counts, bases: Counts, kinds: CellKinds) -> Folded:
    """Fold (..., C, K) counts onto the cells that have rows in their base.

    Ranges below or above the base's go into its lowest or highest. What is neither a named value of the base
    nor in one of its buckets is left out: it is in no cell that could be compared.
    """
    values, base = counts[..., FIRST:], bases[..., FIRST:]
    cell = np.arange(values.shape[-1])
    exists = cell < (kinds.cells - FIRST)[:, None]
    seen = base > 0
    low = np.argmax(seen, axis=-1)[..., None]
    high = (len(cell) - 1 - np.argmax(seen[..., ::-1], axis=-1))[..., None]
    below, above = cell < low, cell > high
    ordered = kinds.ordered[:, None]
    out = np.where(ordered, below | above, ~seen)

    def fold(side: Counts) -> Counts:
        under, over = ((side * ends).sum(axis=-1, keepdims=True) for ends in (below, above))
        ends = (cell == low) * under + (cell == high) * over
        return np.asarray(np.where(out, 0, side) + np.where(ordered, ends, 0), dtype=np.int64)

    return Folded(fold(values), fold(base), exists, (values * out).sum(axis=-1).astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """`part` of so many `rows`, and of those it is compared with; arrays of one shape."""

    part: Floats
    rows: Floats
    base_part: Floats
    base_rows: Floats

    @classmethod
    def of(cls, cell: int, counts: Counts, bases: Counts) -> Share:
        """The share of one cell in all rows."""
        whole = (side.sum(axis=-1, dtype=np.float64) for side in (counts, bases))
        rows, base_rows = whole
        return cls(counts[..., cell].astype(np.float64), rows, bases[..., cell].astype(np.float64), base_rows)

    @property
    def base(self) -> Floats:
        """The share to compare with; 0 where there are no rows."""
        return self.base_part / np.maximum(self.base_rows, 1)

    @property
    def change(self) -> Floats:
        """The share less the one it is compared with."""
        return self.part / np.maximum(self.rows, 1) - self.base

    @property
    def moved(self) -> Flags:
        """Whether the change is above the floors, up or down."""
        share, base = self.part / np.maximum(self.rows, 1), self.base
        up = share * (1 - base) >= FACTOR * base * (1 - share)
        down = base * (1 - share) >= FACTOR * share * (1 - base)
        return (np.abs(share - base) > FLOOR) & (up | down)

    def divergence(self) -> Divergence:
        """The squared distance of the two."""
        return share_divergence(self.part, self.rows, self.base_part, self.base_rows)


def usual_beyond(outside: Floats, rows: Floats) -> Floats:
    """The share (...) of values beyond the base that is usual in (S + 1, ...) items of which the last is the window.

    It is the median of the stretches: a mean would let a stretch that is far out make the others look
    unusual, and so hide itself.
    """
    stretches = rows[:-1]
    blank = (stretches == 0) & (stretches > 0).any(axis=0)
    return np.asarray(np.nanmedian(np.where(blank, np.nan, outside[:-1] / np.maximum(stretches, 1)), axis=0))


def beyond(outside: Floats, rows: Floats, usual: Floats, all_rows: Floats) -> Share:
    """The share of `outside` in so many `rows` of values, beside what is usual in `all_rows` of the stretches."""
    total = np.broadcast_to(all_rows[:-1].sum(axis=0), outside.shape)
    return Share(outside, rows, usual * total, total)
