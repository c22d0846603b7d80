"""Sums over rows that have a label and a prediction: by set, by fold of clusters, and by cell.

Metrics are functions of such sums, so that one read tells the metrics of all sets, and how sure they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.measures.classes import ROUNDING, as_number, class_of, is_told
from sparkguard.measures.pairing import Values, comparable
from sparkguard.measures.scenarios import Scenarios
from sparkguard.measures.scored_cells import Cell, Value
from sparkguard.measures.slices import Slices
from sparkguard.measures.splits import Part, Splits
from sparkguard.measures.times import span

Labels = dict[Values, list[tuple[int, object]]]
"""Known labels by entity, each with its time in microseconds since 1970."""
MOST_CELLS = 250_000
"""Cells of all sets and folds that the driver takes."""


class Fate(IntEnum):
    """What becomes of a row; the first that applies."""

    JUDGED = 0
    UNLABELLED = 1
    """Its label is NULL or no finite number."""
    UNSCORED = 2
    """Its prediction is, or that of the rival."""
    UNWEIGHTED = 3
    """Its weight is, or is negative."""
    OUTSIDE = 4
    """Its score should be a probability and is not between 0 and 1, or those of all classes do not add up to 1."""
    FOREIGN = 5
    """Its label is none of 1, 0 and -1, and nobody said which class is the positive one; or it has no probability."""
    NEW = 6
    """What it is about had no label before, where the last one is asked for."""


@dataclass(frozen=True)
class LastLabel:
    """The last known label of the same `entity` before a row's time, among the rows themselves and those of `past`.

    Of each part of the entity, of the label and of the time the first column is of the rows, the second of `past`.
    With `told` it is what is judged; else only rows that have one are judged.
    """

    entity: tuple[Part, ...]
    label: Part
    time: Part
    past: Source
    timezone: str
    told: bool

    @property
    def reads(self) -> tuple[Column, ...]:
        """The columns of `past`."""
        return tuple(part.columns[1] for part in (self.label, *self.entity, self.time))


@dataclass(frozen=True)
class AllChances:
    """Probabilities of all `classes`, of which `told` has the first and `others` have the rest, as one number.

    With `squared` it is the sum of their squared distances from the truth, of two classes half of it; else the
    probability of the label's class.
    """

    classes: tuple[str, ...]
    others: tuple[Part, ...]
    squared: bool

    @property
    def scale(self) -> float:
        """Two classes say the same twice."""
        return 0.5 if len(self.classes) == 2 else 1.0  # noqa: PLR2004 - two classes

    def of(self, label: str, chances: Sequence[float]) -> float:
        """Of a row with such a label."""
        at = self.classes.index(label)
        if not self.squared:
            return chances[at]
        return self.scale * math.fsum((chance - (i == at)) ** 2 for i, chance in enumerate(chances))


@dataclass(frozen=True)
class ScoredRows:
    """The rows that are judged: their sets, and in each source the label, what was told of it, weight and cluster.

    `told` is a class, or a number that says how likely a class is, or of what size the label is; with
    `probability` it is between 0 and 1. With `numeric` the label is a number, else a class; with `binary` a
    numeric class is 1, 0 or -1. Without `weight` each row weighs 1. A NULL in a cluster's columns is a value
    like any other. Rows without a `rival`, what another model told of them, are not judged.
    """

    sets: Splits | Scenarios | Slices
    label: Part
    told: Part
    weight: Part | None = None
    rival: Part | None = None
    last: LastLabel | None = None
    cluster: tuple[Part, ...] = ()
    numeric: bool = False
    told_class: bool = False
    probability: bool = False
    binary: bool = False
    chances: AllChances | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """All columns, in the order in which they are read."""
        extra = (part for part in (self.weight, self.rival) if part is not None)
        last = () if self.last is None else (*self.last.entity, self.last.time)
        others = () if self.chances is None else self.chances.others
        return (self.label, self.told, *extra, *self.cluster, *last, *others)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of each source, last what tells the set."""
        found = self.sets.reads(*(part.columns for part in self.parts))
        past = {} if self.last is None or self.last.past in found else {self.last.past: self.last.reads}
        return {**found, **past}

    def rows(self, tables: Mapping[Source, Rows]) -> Iterator[ScoredRow]:
        """Every row of a set, in plain Python."""
        labels = {} if self.last is None else self._labels(self.last, tables)
        for place, _, values in self.sets.rows(tables):
            if place is not None:
                before = None if self.last is None else self._before(self.last, labels, values)
                yield self._row(place, values, before)

    def _labels(self, last: LastLabel, tables: Mapping[Source, Rows]) -> Labels:
        """The known labels of each entity with their times."""
        found: Labels = {}
        width = len(last.entity) + 1
        rows = [(values[0], values[-width:-1], values[-1], 0) for _, _, values in self.sets.rows(tables)]
        if last.past not in self.sets.sources:
            rows += [(row[0], tuple(row[1:-1]), row[-1], 1) for row in tables[last.past]]
        for label, entity, moment, at in rows:
            when = span(moment, last.time.columns[at].type, last.timezone)
            if when is not None and None not in entity and is_told(label, self.label.type):
                found.setdefault(tuple(map(comparable, entity)), []).append((when[0], label))
        return found

    def _before(self, last: LastLabel, labels: Labels, values: Sequence[object]) -> object:
        entity, moment = values[-len(last.entity) - 1 : -1], values[-1]
        when = span(moment, last.time.columns[0].type, last.timezone)
        earlier = [(at, label) for at, label in labels.get(tuple(map(comparable, entity)), ()) if when and at < when[0]]
        # Of several at the same time the greatest.
        return max(earlier)[1] if earlier else None

    def _row(self, place: int, values: Sequence[object], before: object) -> ScoredRow:
        label, told = values[:2]
        if self.last is not None and self.last.told:
            told = before
        weight = 1.0 if self.weight is None else as_number(values[2])
        first = 2 + (self.weight is not None) + (self.rival is not None)
        cluster = tuple(map(str, values[first : first + len(self.cluster)]))
        rival = values[2 if self.weight is None else 3] if self.rival else told
        fate = Fate.JUDGED
        if not is_told(label, self.label.type):
            fate = Fate.UNLABELLED
        elif self.binary and abs(as_number(label)) not in (0, 1):
            fate = Fate.FOREIGN
        elif self.last is not None and before is None:
            fate = Fate.NEW
        elif not (is_told(told, self.told.type) and is_told(rival, self.told.type)):
            fate = Fate.UNSCORED
        elif not (math.isfinite(weight) and weight >= 0):
            fate = Fate.UNWEIGHTED
        elif self.probability and not (0 <= as_number(told) <= 1 and 0 <= as_number(rival) <= 1):
            fate = Fate.OUTSIDE
        told = class_of(told, self.told.type) if self.told_class and fate is Fate.JUDGED else as_number(told)
        name = "" if fate is Fate.UNLABELLED else class_of(label, self.label.type)
        if self.chances is not None and fate is not Fate.UNLABELLED:
            of_all, told = self._chance(self.chances, name, values)
            fate = of_all if fate is not Fate.UNWEIGHTED or of_all in (Fate.FOREIGN, Fate.UNSCORED) else fate
        judged = fate is Fate.JUDGED
        return ScoredRow(
            place,
            fate,
            (as_number(label) if self.numeric else name) if judged else "",
            told if judged else "",
            weight,
            crc32("\0".join(cluster).encode()),
        )

    def _chance(self, chances: AllChances, label: str, values: Sequence[object]) -> tuple[Fate, float]:
        """The fate of a row with probabilities of classes, and what is made of them."""
        told = [as_number(one) for one in (values[1], *values[-len(chances.others) :])]
        if label not in chances.classes:
            return Fate.FOREIGN, math.nan
        if not all(map(math.isfinite, told)):
            return Fate.UNSCORED, math.nan
        if not all(0 <= one <= 1 for one in told) or abs(math.fsum(told) - 1) > ROUNDING:
            return Fate.OUTSIDE, math.nan
        return Fate.JUDGED, chances.of(label, told)

    def __str__(self) -> str:
        """For the plan."""
        return f"'{self.label.name}' and '{self.told.name}' in {self.sets}"


@dataclass(frozen=True)
class ScoredRow:
    """A row: the place of its set, its fate, and if it is judged its label and what was told, as texts or numbers."""

    place: int
    fate: Fate
    label: str | float
    told: str | float
    weight: float
    cluster: int


@dataclass(frozen=True)
class SetCell:
    """The rows of one set, fold and cell: their number, the sums of weight × (1, v1, …), and the second moments.

    `moments` are the sums of weight² × the products of two of these terms, of the upper triangle row by row;
    there are none where rows are in folds. `clusters`: at least so many have rows here.
    """

    place: int
    fold: int
    key: tuple[int | str, ...]
    rows: int
    sums: tuple[float, ...]
    moments: tuple[float, ...] = ()
    clusters: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ScoredAnswer(Answer):
    """Cells that hold judged rows, and the rows of each set by their fate."""

    cells: tuple[SetCell, ...]
    fates: Mapping[tuple[int, Fate], int]

    def rows(self, place: int, fate: Fate) -> int:
        """How many rows of a set have a fate."""
        return self.fates.get((place, fate), 0)


@dataclass(frozen=True)
class OfScoredRows(RowMeasure[A_co]):
    """A question about rows with a label and a prediction."""

    rows: ScoredRows

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those of the sets."""
        return self.rows.sets.sources

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The label, what was told, weight and cluster, and what tells the set."""
        return self.rows.reads


@dataclass(frozen=True)
class Scored(OfScoredRows[ScoredAnswer]):
    """What are the sums of weight and of `values`, by set, by cell, and by one of `folds` hashes of the cluster?"""

    cell: Cell
    values: tuple[Value, ...] = ()
    folds: int = 1

    @property
    def cost(self) -> Cost:
        """One read of each source; each task adds up before the shuffle."""
        return Cost(scans=len(self.sources), shuffles=1)

    def twin(self, tables: Mapping[Source, Rows]) -> ScoredAnswer:
        """Add up row by row; folds by another hash than Spark's, so only sums over them compare."""
        return self.summed(self.rows.rows(tables))

    def summed(self, rows: Iterable[ScoredRow]) -> ScoredAnswer:
        """The answer for rows in plain Python."""
        fates: dict[tuple[int, Fate], int] = {}
        cells: dict[tuple[int, int, tuple[int | str, ...]], list[tuple[ScoredRow, tuple[float, ...]]]] = {}
        for row in rows:
            fates[row.place, row.fate] = fates.get((row.place, row.fate), 0) + 1
            if row.fate is Fate.JUDGED:
                terms = (1.0, *(value.of(row.label, row.told, row.place) for value in self.values))
                fold = row.cluster % self.folds
                cells.setdefault((row.place, fold, self.cell.key(row.label, row.told)), []).append((row, terms))
        return ScoredAnswer(tuple(self._cell(*key, found) for key, found in sorted(cells.items())), fates)

    def _cell(
        self, place: int, fold: int, key: tuple[int | str, ...], rows: Sequence[tuple[ScoredRow, tuple[float, ...]]]
    ) -> SetCell:
        many = range(len(self.values) + 1)
        sums = tuple(math.fsum(row.weight * terms[i] for row, terms in rows) for i in many)
        if self.folds > 1:
            hashes = [row.cluster for row, _ in rows]
            return SetCell(place, fold, key, len(rows), sums, clusters=frozenset((min(hashes), max(hashes))))
        products = ((i, j) for i in many for j in many if i <= j)
        moments = tuple(math.fsum(row.weight**2 * terms[i] * terms[j] for row, terms in rows) for i, j in products)
        return SetCell(place, fold, key, len(rows), sums, moments)

    def __str__(self) -> str:
        """For the plan."""
        return f"{self.cell} of {self.rows}"
