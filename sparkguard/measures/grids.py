"""Grids: in which cell of a column a value counts, the same in plain Python and in Spark.

A grid belongs to a column of a dataset and is kept for ever, so that the counts of any two days, whatever
they are compared with, are counts of the same cells. Cell 0 is NULL and cell 1 is NaN in every grid.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sparkguard.core.instant import EPOCH
from sparkguard.core.measure import Answer
from sparkguard.core.types import column_scale, is_number, is_text, is_time
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.profile import ordinal

RARE = 1_000
"""A value of fewer than one in so many rows is not named."""
_GONE = 20
"""Named values of so many times fewer rows than the rarest that is named have nearly gone."""
_FAR = 20
"""One of so many values in an open bin is too many."""
_INF = sys.float_info.max
"""Edges from which on only infinities are."""
NULL, NAN, FIRST = 0, 1, 2
"""The cell of NULL, that of NaN, and the first cell of values."""
INTEGER, NUMBER, DATE, MOMENT, LOCAL, TEXT = "integer", "number", "date", "timestamp", "timestamp_ntz", "text"
"""What the values of a grid are: how they become a number, or a text, and how they are shown."""


@dataclass(frozen=True)
class Grid(Answer):
    """The cells of one column.

    Ordered (numbers, days, moments): `edges` are finite and ascend; bin j holds edges[j - 1] <= x < edges[j],
    the first and the last bin are open. A day counts as days, a moment as microseconds since 1970, and all
    as doubles. Unordered (`kind` is text; booleans as "true" and "false"): a cell for each of `hashes`, then
    `buckets` cells for the other values by their hash. `names` are the texts of `hashes`, in their order;
    there are none where the column's values are hidden. `inside`: the first of the bins in which rows of the
    sample can be, and the first after them.
    """

    kind: str
    edges: tuple[float, ...] = ()
    hashes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    buckets: int = 0
    inside: tuple[int, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether its cells of values are bins of a number line."""
        return self.kind != TEXT

    @property
    def cells(self) -> int:
        """How many cells there are, NULL and NaN among them."""
        return FIRST + (len(self.edges) + 1 if self.ordered else len(self.hashes) + self.buckets)

    @property
    def one(self) -> bool:
        """Whether all values are in one cell: its sample had none that is finite."""
        return self.ordered and not self.edges

    def hidden(self) -> Grid:
        """The same cells without the values' names."""
        return replace(self, names=())

    def cell_of(self, value: object) -> int:
        """The cell of a value as Python has it: the twin of what Spark counts."""
        if value is None:
            return NULL
        if not self.ordered:
            return self._cell_of_hash(hash_of_text(text_of(value)))
        number = float(ordinal(value)) if isinstance(value, int | float | Decimal | date) else 0.0
        return NAN if math.isnan(number) else FIRST + sum(edge <= number for edge in self.edges)

    def label(self, cell: int) -> str:
        """A cell in words, values as the column shows them."""
        if cell < FIRST:
            return "NULL" if cell == NULL else "NaN"
        at = cell - FIRST
        if self.ordered:
            return _bin_label(self.kind, *(self.edges[i] if 0 <= i < len(self.edges) else None for i in (at - 1, at)))
        if at >= len(self.hashes):
            return "other values"
        return f"'{self.names[at]}'" if self.names else f"value {at + 1}"

    def until(self, edge: int) -> str:
        """The values below an edge, given by its number, in words."""
        if self.lone(FIRST + edge):
            return f"up to {self.shown(self.edges[edge - 1])}"
        return "-inf" if self.edges[edge] == -_INF else f"below {self.shown(self.edges[edge])}"

    def lone(self, cell: int) -> bool:
        """Whether one value of the column, and no other, is in a bin."""
        at = cell - FIRST
        return self.ordered and 0 < at < len(self.edges) and _lone(self.kind, self.edges[at - 1], self.edges[at])

    def outgrown(self, counts: Sequence[int]) -> bool:
        """Whether rows by cell lie mostly where the sample had none, so that these cells tell little of them.

        Ordered: there are no bins, half of the values are in one of those outside of the sample, or a twentieth
        in one that is open. Unordered: a quarter is in one bucket of other values, or the named ones have nearly gone.
        """
        values = counts[FIRST:]
        total = sum(values)
        if not total:
            return False
        if self.ordered:
            return self.one or self._outside(values, total)
        named = len(self.hashes)
        gone = named > 0 and sum(values[:named]) * _GONE * RARE < named * total
        return gone or 4 * max(values[named:], default=0) > total

    def _outside(self, values: Sequence[int], total: int) -> bool:
        """The same for bins."""
        first, last = self.inside or (0, len(values))
        outside = (*values[:first], *values[last:])
        open_ones = (*values[: min(first, 1)], *(values[-1:] if last < len(values) else ()))
        return 2 * max(outside, default=0) > total or _FAR * max(open_ones, default=0) > total

    def shown(self, number: float) -> str:
        """A number on the line of an ordered grid, as the column shows it."""
        return _shown(self.kind, number)

    def _cell_of_hash(self, hashed: int) -> int:
        if hashed in self.hashes:
            return FIRST + self.hashes.index(hashed)
        return FIRST + len(self.hashes) + hashed % self.buckets


def kind_of(column_type: str) -> str | None:
    """What the values of a column type are in a grid; None for those that have no grid (arrays, binaries …)."""
    if is_time(column_type):
        return column_type
    if is_number(column_type):
        return INTEGER if column_scale(column_type) == 0 else NUMBER
    return TEXT if is_text(column_type) or column_type == "boolean" else None


def text_of(value: object) -> str:
    """The text by which a value is named, as Spark casts it: for texts, booleans, whole numbers and days."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fits(grid: Grid, kind: str) -> bool:
    """Whether a grid that was made for one kind of values holds those of another."""
    return alike(grid.kind, kind)


def alike(one: str | None, other: str | None) -> bool:
    """Whether two kinds of values count on one grid: whole numbers go with others, times only with their own."""
    return one == other or {one, other} == {INTEGER, NUMBER}


def _bin_label(kind: str, low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "any value"
    if low is None:
        return "-inf" if high == -_INF else f"below {_shown(kind, high or 0.0)}"
    if high is None:
        return "inf" if low == _INF else f"{_shown(kind, low)} or more"
    if _lone(kind, low, high):
        return _shown(kind, low)
    if kind in (INTEGER, DATE):
        return f"{_shown(kind, low)} to {_shown(kind, math.ceil(high) - 1)}"
    return f"{_shown(kind, low)} to below {_shown(kind, high)}"


def _lone(kind: str, low: float, high: float) -> bool:
    """Whether low <= x < high holds for one value only."""
    return math.nextafter(low, math.inf) >= high or (kind in (INTEGER, DATE) and math.ceil(low) == math.ceil(high) - 1)


def _shown(kind: str, number: float) -> str:
    """A number as the column shows it."""
    if kind == INTEGER:
        return str(math.ceil(number))
    if kind == NUMBER:
        return f"{number:.6g}"
    try:
        if kind == DATE:
            return date.fromordinal(EPOCH.toordinal() + math.ceil(number)).isoformat()
        moment = datetime(1970, 1, 1) + timedelta(microseconds=math.ceil(number))  # noqa: DTZ001 - shown in UTC
        return moment.isoformat(sep=" ", timespec="seconds") + ("Z" if kind == MOMENT else "")
    except (OverflowError, ValueError):
        return "the beginning of time" if number < 0 else "the end of time"
