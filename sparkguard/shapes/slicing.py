"""Which slices are looked at, and what is found in them: single columns first, then pairs of those that tell most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.measures.grids import TEXT, kind_of
from sparkguard.measures.row_sample import RowSample, SampledColumn
from sparkguard.measures.scored import Fate, Scored, ScoredRows
from sparkguard.measures.scored_cells import Cell, Value
from sparkguard.measures.slices import Cells, Slices
from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.slices import Compared, by_groups, by_rows

BINS, VALUES = 8, 15
"""Bins of about equal shares of a number, and values of a text with a slice each."""
PAIRED = 5
"""Columns of which pairs are looked at."""
_FOLDS = 32
_SAMPLE = 20_000


@dataclass(frozen=True)
class Slice:
    """A slice: its columns with their cells in words, its rows, its mean loss, that of the rest, and the chance."""

    columns: tuple[str, ...]
    cells: tuple[str, ...]
    rows: int
    weight: float
    mean: float
    rest: float
    chance: float

    @property
    def key(self) -> str:
        """The columns."""
        return " & ".join(self.columns)

    @property
    def value(self) -> str:
        """The cells."""
        return " & ".join(self.cells)

    def __str__(self) -> str:
        """Each column with its cell."""
        return " and ".join(f"{name} {cell}" for name, cell in zip(self.columns, self.cells, strict=True))

    @property
    def excess(self) -> float:
        """By which part its mean loss is larger than that of the rest; infinite where the rest has none."""
        if self.rest > 0:
            return self.mean / self.rest - 1
        return math.inf if self.mean > 0 else 0.0


@dataclass(frozen=True)
class Found:
    """All slices that have rows, the mean loss of all rows, their weight and their number."""

    slices: tuple[Slice, ...]
    mean: float
    weight: float
    rows: int

    def contribution(self, one: Slice) -> float:
        """The part of all loss that is beyond what the slice would have at the rest's mean."""
        total = self.mean * self.weight
        return one.weight * (one.mean - one.rest) / total if total > 0 else 0.0


@dataclass(frozen=True)
class Slicing:
    """The questions: a sample for cells, the loss by cell of each column, then by pairs of cells."""

    rows: ScoredRows
    main: Source
    columns: tuple[Column, ...]
    loss: Value
    pairs: bool
    min_rows: int
    min_effect: float
    seed: int = 0

    @property
    def sample(self) -> RowSample:
        """Rows whose values make the cells."""
        return RowSample(self.main, self.columns, _SAMPLE, self.seed)

    def ask(self, seen: Evidence) -> Iterator[Measure[Answer]]:
        """All that can be asked by now."""
        yield self.sample
        if self.sample not in seen:
            return
        single = self._single(seen)
        yield self._asked(single)
        if self.pairs and self._asked(single) in seen:
            double = self._double(seen, single)
            if double is not None:
                yield self._asked(double)

    def found(self, seen: Evidence) -> Found:
        """Every slice that has rows; pairs only where they are by `min_effect` worse than both of their parts."""
        single = self._single(seen)
        slices, (weight, loss, rows) = self._compared(seen, single)
        double = self._double(seen, single) if self.pairs else None
        if double is not None:
            alone = {(one.columns[0], one.cells[0]): one.mean for one in slices}
            for one in self._compared(seen, double)[0]:
                parts = zip(one.columns, one.cells, strict=True)
                if one.mean > (1 + self.min_effect) * max(alone.get(part, 0.0) for part in parts):
                    slices.append(one)
        return Found(tuple(slices), loss / weight if weight else math.nan, weight, rows)

    def fates(self, seen: Evidence) -> Mapping[Fate, int]:
        """All rows by their fate."""
        slices = self._single(seen)
        answer = seen.require(self._asked(slices))
        first = range(slices.offsets[1])
        return {fate: sum(answer.rows(place, fate) for place in first) for fate in Fate}

    @property
    def _grouped(self) -> bool:
        return bool(self.rows.cluster)

    def _asked(self, slices: Slices) -> Scored:
        return Scored(replace(self.rows, sets=slices), Cell(), (self.loss,), _FOLDS if self._grouped else 1)

    def _single(self, seen: Evidence) -> Slices:
        sampled = seen.require(self.sample).columns
        cells = tuple(_cells(column, values) for column, values in zip(self.columns, sampled, strict=True))
        return Slices(self.main, cells, tuple((i,) for i in range(len(cells))))

    def _double(self, seen: Evidence, single: Slices) -> Slices | None:
        """Pairs of the columns whose slices differ most; None if there are no two."""
        found, _ = self._compared(seen, single)
        best: dict[str, float] = {}
        for one in found:
            if one.rows >= self.min_rows:
                best[one.columns[0]] = min(best.get(one.columns[0], 1.0), one.chance)
        names = sorted(best, key=lambda name: best[name])[:PAIRED]
        cells = tuple(cell for cell in single.columns if cell.column.name in names)
        if len(cells) < 2:  # noqa: PLR2004 - a pair
            return None
        return Slices(self.main, cells, tuple(combinations(range(len(cells)), 2)))

    def _compared(self, seen: Evidence, slices: Slices) -> tuple[list[Slice], tuple[float, float, int]]:
        """The slices with rows, and weight, loss and number of all rows."""
        answer = seen.require(self._asked(slices))
        places, folds = slices.offsets[-1], _FOLDS if self._grouped else 1
        sums, moments, rows = np.zeros((folds, places, 2)), np.zeros((places, 3)), np.zeros(places)
        for cell in answer.cells:
            sums[cell.fold, cell.place] += cell.sums
            rows[cell.place] += cell.rows
            if cell.moments:
                # Of the products of 1 and the loss: 1, loss, loss².
                moments[cell.place] += cell.moments
        first = slice(0, slices.offsets[1])
        whole = sums[:, first].sum(axis=1)
        everything = (float(whole[:, 0].sum()), float(whole[:, 1].sum()), int(rows[first].sum()))
        if not everything[0]:
            return [], everything
        if self._grouped:
            compared = by_groups(sums[..., 0], sums[..., 1], whole)
        else:
            total = sums[0]
            compared = by_rows(total[:, 0], total[:, 1], moments, rows, whole[0], moments[first].sum(axis=0))
        return list(_told(slices, compared, rows, sums[..., 0].sum(axis=0))), everything


def _told(slices: Slices, compared: Compared, rows: Floats, weight: Floats) -> Iterator[Slice]:
    for place in np.flatnonzero(np.asarray(rows)).tolist():
        cells = slices.cells_of(place)
        yield Slice(
            tuple(one.column.name for one, _ in cells),
            tuple(one.named(cell) for one, cell in cells),
            int(rows[place]),
            float(weight[place]),
            float(compared.mean[place]),
            float(compared.rest[place]),
            float(compared.chance[place]),
        )


def _cells(column: Column, sampled: SampledColumn) -> Cells:
    """The cells of a column: each of few numbers, equal shares of many, the most frequent texts."""
    if sampled.text:
        names = dict(sampled.names)
        values, counts = np.unique(sampled.known, return_counts=True)
        often = [int(values[i]) for i in np.argsort(-counts, kind="stable")]
        return Cells(column, values=tuple(names[one] for one in often if one in names)[:VALUES], text=True)
    known = np.asarray(sampled.known, np.float64)
    finite = known[np.isfinite(known)]
    values = np.unique(finite)
    shares = np.arange(1, BINS) / BINS
    inner = values[1:] if len(values) <= BINS else np.unique(np.quantile(finite, shares, method="higher"))
    return Cells(column, tuple(float(edge) + 0.0 for edge in inner if len(values) and edge > values[0]))


def sliceable(column: Column) -> bool:
    """Whether a column has values by which slices can be told: numbers, texts and truth values."""
    kind = kind_of(column.type)
    return kind is not None and (kind == TEXT or column.type not in ("date", "timestamp", "timestamp_ntz"))
