"""The grids of a dataset's columns, made once from a bounded sample of rows."""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Cost, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.measures.grids import RARE, TEXT, Grid, kind_of, text_of
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.profile import ordinal

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    Whole = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

MOST_ROWS = 20_000
"""Rows of a sample …"""
MOST_VALUES = 1 << 23
"""… and values in all, of which the driver gets 8 bytes each."""
MOST_NAMED = 48
"""Values of a text column that have a cell of their own."""
BUCKETS = 16
"""Cells for all other values, by their hash."""
FEW = 64
"""Of as many distinct numbers each has a bin of its own, in which nothing else is."""
LONGEST_NAME = 100
"""Characters of a named value that are kept."""
_SURELY = 4
"""Standard deviations by which a named text is more frequent in the sample than a rare one is on average."""
_EQUAL = 32
"""Bins of equal probability; a value of more than such a share of the rows has a bin of its own."""
_TAILS = (0.002, 0.005, 0.01, 0.02)
_BEYOND = (0.1, 0.5, 2.0, 10.0)
"""Where bins outside of the sample begin, in spreads of the sample."""


@dataclass(frozen=True)
class GridsAnswer(Answer):
    """A grid for each column, by its name, and one of the texts of each column of `texts`.

    `blank` are the names of columns without any value to make bins from, whose grids are not worth keeping.
    """

    grids: Mapping[str, Grid]
    texts: Mapping[str, Grid]
    blank: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grids(RowMeasure[GridsAnswer]):
    """In which cells do the values of columns count?

    The grids are those of the dataset `owner`: once made from a sample of `source`, they are the answer for
    ever, whatever source asks, until `version` is raised. `columns` have a `kind_of`; of `texts` the values
    count by their text, as the groups of rows do that are told apart.
    """

    source: Source
    columns: tuple[Column, ...]
    owner: str
    texts: tuple[Column, ...] = ()
    version: int = 1

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns, and those whose texts count."""
        return {self.source: self.all_columns}

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Every column that is read, once."""
        return tuple(dict.fromkeys((*self.columns, *self.texts)))

    @property
    def cost(self) -> Cost:
        """One read to count, one for the sample, which travels to one task."""
        return Cost(scans=2, shuffles=1)

    @property
    def rows(self) -> int:
        """Rows of the sample."""
        return max(1, min(MOST_ROWS, MOST_VALUES // max(1, len(self.columns) + len(self.texts))))

    def twin(self, tables: Mapping[Source, Rows]) -> GridsAnswer:
        """From all rows, of which there are few."""
        at = {column: i for i, column in enumerate(self.all_columns)}
        values = {column: [row[i] for row in tables[self.source] if row[i] is not None] for column, i in at.items()}
        grids = {c.name: _grid_of(kind_of(c.type) or TEXT, values[c]) for c in self.columns}
        texts = {c.name: _grid_of(TEXT, values[c]) for c in self.texts}
        blank = {column.name for column, found in values.items() if not found}
        return GridsAnswer(grids, texts, frozenset(blank | {name for name, grid in grids.items() if grid.one}))

    def __str__(self) -> str:
        """For the plan."""
        return f"grids of {len(self.columns) + len(self.texts)} columns from a sample of {self.source}, once for ever"


def ordered_grid(kind: str, sample: Numbers) -> Grid:
    """A grid for numbers from a sample of them; its infinities, if there are any, have bins of their own."""
    import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

    finite = sample[np.isfinite(sample)]
    if not finite.size:
        return Grid(kind)
    values, counts = np.unique(finite, return_counts=True)
    few = values.size <= FEW
    inner = _quantile_edges(finite, values, counts) if not few else [e for v in values.tolist() for e in around(v)]
    low, high = float(values[0]), float(values[-1])
    upper, lower = np.quantile(finite, (1 - _TAILS[0], _TAILS[0]), method="nearest").tolist()
    spread = upper - lower or high - low or max(abs(low), 1.0)
    outer = [side for far in _BEYOND for side in (low - far * spread, high + far * spread)]
    above = around(high)[1]
    endless = [bool((sample == sign * math.inf).any()) for sign in (-1, 1)]
    infinite = [sign * sys.float_info.max for sign, some in zip((-1, 1), endless, strict=True) if some]
    edges = sorted({float(e) + 0.0 for e in (*inner, low, above, *outer, *infinite) if math.isfinite(e)})
    first = 0 if endless[0] else bisect_right(edges, low)
    last = len(edges) + 1 if endless[1] else bisect_right(edges, above)
    return Grid(kind, tuple(edges), inside=(first, last))


def around(value: float) -> tuple[float, float]:
    """The bin that holds one value and no other, also of a column of whole numbers that becomes another."""
    return value, math.nextafter(value, math.inf)


def text_grid(hashes: Whole, names: Mapping[int, str], most: int = MOST_NAMED) -> Grid:
    """A grid for texts from the hashes of a sample and the texts of those that are frequent."""
    import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

    values, counts = np.unique(hashes, return_counts=True)
    least = max(2, hashes.size / RARE + _SURELY * math.sqrt(hashes.size / RARE))
    order = np.lexsort((values, -counts))
    often = [int(values[i]) for i in order[:most] if counts[i] >= least]
    return Grid(TEXT, (), tuple(often), tuple(_name(h, names[h]) for h in often), BUCKETS)


def _name(hashed: int, text: str) -> str:
    """A text, or as much of it as is kept and what tells it from others that begin alike."""
    return text if len(text) < LONGEST_NAME else f"{text}… ({hashed & 0xFFFFFFFF:08x})"


def _grid_of(kind: str, values: Sequence[object]) -> Grid:
    import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

    if kind != TEXT:
        return ordered_grid(kind, np.array([float(ordinal(v)) for v in values], np.float64))
    names = {hash_of_text(text): text[:LONGEST_NAME] for text in map(text_of, values)}
    return text_grid(np.array([hash_of_text(text_of(v)) for v in values], np.int64), names)


def _quantile_edges(finite: Numbers, values: Numbers, counts: Whole) -> Sequence[float]:
    """Equal shares, finer in the tails, and around each value that is frequent by itself."""
    import numpy as np  # noqa: PLC0415 - `validate` needs no numpy

    ranks = [i / _EQUAL for i in range(1, _EQUAL)] + [r for t in _TAILS for r in (t, 1 - t)]
    quantiles = np.quantile(finite, ranks, method="higher").tolist()
    often = np.flatnonzero(counts > finite.size / _EQUAL)
    after = often[often < values.size - 1]
    return [*quantiles, *values[often].tolist(), *_between(values[after], values[after + 1])]


def _between(lows: Numbers, highs: Numbers) -> Sequence[float]:
    """An edge between each two neighbours: the greater one belongs to the upper bin."""
    pairs = zip(lows.tolist(), highs.tolist(), strict=False)
    return [middle if low < (middle := low / 2 + high / 2) <= high else high for low, high in pairs]
