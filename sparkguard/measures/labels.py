"""Labels: how many rows each class has, how probable a model finds it, and which labels it contradicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.measures.classes import ROUNDING, as_number, class_of, is_told
from sparkguard.measures.splits import Part, split_name
from sparkguard.stats.confident import CLOSE

MOST_CLASSES = 1_000
MOST_CHANCES = 50
"""Classes with a probability each: their squares are counts of one aggregate."""


@dataclass(frozen=True)
class Chances:
    """Probabilities of classes: a column for each of `names`, or a single one, of the one class that is named.

    Of a single column class 0 is all other labels, and class 1 the named one.
    """

    columns: tuple[Column, ...]
    names: tuple[str, ...]

    @property
    def single(self) -> bool:
        """Whether one class is set against the rest."""
        return len(self.columns) == 1

    @property
    def many(self) -> int:
        """How many classes are told apart."""
        return 2 if self.single else len(self.names)

    @property
    def rest(self) -> str:
        """What all other classes are called of which a single probability says nothing."""
        return f"not {self.names[0]}"

    def place(self, label: str) -> int | None:
        """The number of a label's class; None if it has no probability."""
        if self.single:
            return int(label == self.names[0])
        return self.names.index(label) if label in self.names else None

    def of(self, values: Sequence[object]) -> tuple[float, ...] | None:
        """The probabilities of all classes of a row; None if they are none."""
        found = [as_number(value) for value in values]
        if not all(0 <= one <= 1 for one in found):
            return None
        if self.single:
            return (1 - found[0], found[0])
        return tuple(found) if abs(math.fsum(found) - 1) <= ROUNDING else None


@dataclass(frozen=True)
class LabelCell:
    """Rows of a class (None: no label) and group of clusters; those with probabilities, and the sums of these.

    `clusters` is about how many different ones have such rows: in Spark within 5 % or so.
    """

    label: str | None
    fold: int
    rows: int
    scored: int = 0
    chances: tuple[float, ...] = ()
    clusters: int = 0


@dataclass(frozen=True)
class LabelCountsAnswer(Answer):
    """Cells that hold rows, by label and fold."""

    cells: tuple[LabelCell, ...]


@dataclass(frozen=True)
class OfLabels(RowMeasure[A_co]):
    """A question about the labels of one source."""

    source: Source
    label: Part

    cost = Cost(scans=1, shuffles=1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    def named(self, value: object) -> str | None:
        """The class of a label; None if it is none."""
        return class_of(value, self.label.type) if is_told(value, self.label.columns[0].type) else None


@dataclass(frozen=True)
class LabelCounts(OfLabels[LabelCountsAnswer]):
    """How many rows has each class, in each of `folds` hashes of the cluster, and how probable is each class there?"""

    chances: Chances | None = None
    cluster: tuple[Part, ...] = ()
    folds: int = 1

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The label, the probabilities, the cluster."""
        chances = () if self.chances is None else self.chances.columns
        return {self.source: (self.label.columns[0], *chances, *(part.columns[0] for part in self.cluster))}

    def twin(self, tables: Mapping[Source, Rows]) -> LabelCountsAnswer:
        """Count row by row; folds by another hash than Spark's, so only sums over them compare."""
        width = 0 if self.chances is None else len(self.chances.columns)
        found: dict[tuple[str | None, int], list[tuple[float, ...] | None]] = {}
        clusters: dict[tuple[str | None, int], set[int]] = {}
        for row in tables[self.source]:
            label = self.named(row[0])
            chances = None if self.chances is None else self.chances.of(row[1 : 1 + width])
            if label is None or self.chances is None or self.chances.place(label) is None:
                chances = None
            cluster = crc32("\0".join(map(str, row[1 + width :])).encode())
            key = (label, cluster % self.folds)
            found.setdefault(key, []).append(chances)
            clusters.setdefault(key, set()).add(cluster)
        cells = (self._cell(*key, found[key], len(clusters[key])) for key in sorted(found, key=_order))
        return LabelCountsAnswer(tuple(cells))

    def _cell(self, label: str | None, fold: int, rows: Sequence[tuple[float, ...] | None], clusters: int) -> LabelCell:
        told = [row for row in rows if row is not None]
        many = 0 if self.chances is None else self.chances.many
        sums = tuple(math.fsum(row[k] for row in told) for k in range(many))
        return LabelCell(label, fold, len(rows), len(told), sums, clusters if self.folds > 1 else 0)

    def __str__(self) -> str:
        """For the plan."""
        return f"classes of {self.label.name} in {self.source}"


def _order(key: tuple[str | None, int]) -> tuple[bool, str, int]:
    return (key[0] is not None, key[0] or "", key[1])


class Confidence(NamedTuple):
    """A row in plain Python: its class, the one that a model is confident of, and by how much that is more probable."""

    row: Sequence[object]
    label: int
    told: int
    chance: float
    ahead: float
    doubted: bool


@dataclass(frozen=True)
class OfChances(OfLabels[A_co]):
    """A question about labels and the classes that a model is confident of, from each one's threshold on.

    A label is in doubt if the model is confident of another class, which has at least the probability `floor`, and
    more than the label has.
    """

    chances: Chances
    thresholds: tuple[float, ...]
    floor: float

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The label and the probabilities."""
        return {self.source: (self.label.columns[0], *self.chances.columns)}

    def confident(self, tables: Mapping[Source, Rows]) -> Iterator[Confidence]:
        """The rows with a confident class."""
        width = 1 + len(self.chances.columns)
        for row in tables[self.source]:
            label = self.named(row[0])
            mine = None if label is None else self.chances.place(label)
            found = self.chances.of(row[1:width])
            if mine is None or found is None:
                continue
            sure = {k: p for k, p in enumerate(found) if p >= self.thresholds[k] - CLOSE}
            if sure:
                best = max(sure.values())
                told = mine if sure.get(mine) == best else next(k for k, p in sure.items() if p == best)
                ahead = best - found[mine]
                doubted = told != mine and ahead > 0 and best >= self.floor - CLOSE
                yield Confidence(row, mine, told, best, ahead, doubted)


@dataclass(frozen=True)
class ConfidentAnswer(Answer):
    """Rows by label and the class that the model is confident of, and those of them whose label is in doubt."""

    rows: Mapping[tuple[int, int], int]
    doubted: Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class ConfidentClasses(OfChances[ConfidentAnswer]):
    """How many rows of each label is a model confident to be of each class?"""

    def twin(self, tables: Mapping[Source, Rows]) -> ConfidentAnswer:
        """Count row by row."""
        rows: dict[tuple[int, int], int] = {}
        doubted: dict[tuple[int, int], int] = {}
        for one in self.confident(tables):
            pair = (one.label, one.told)
            rows[pair] = rows.get(pair, 0) + 1
            if one.doubted:
                doubted[pair] = doubted.get(pair, 0) + 1
        return ConfidentAnswer(dict(sorted(rows.items())), dict(sorted(doubted.items())))

    def __str__(self) -> str:
        """For the plan."""
        return f"confident classes against {self.label.name} in {self.source}"


@dataclass(frozen=True)
class Doubt:
    """A row whose label is in doubt: texts of the shown columns, the classes, and the probability of the other one."""

    shown: tuple[str | None, ...]
    label: str
    told: int
    chance: float


@dataclass(frozen=True)
class DoubtsAnswer(Answer):
    """Some rows whose label is in doubt, those first of which the model is surest."""

    rows: tuple[Doubt, ...]


@dataclass(frozen=True)
class Doubts(OfChances[DoubtsAnswer]):
    """Which labels are in doubt? `shown` columns name the rows; `limit` of them are named."""

    shown: tuple[Column, ...]
    limit: int

    reason = "a model that has not seen the row is confident of another class"

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The label, the probabilities, and what names a row."""
        return {self.source: (self.label.columns[0], *self.chances.columns, *self.shown)}

    def twin(self, tables: Mapping[Source, Rows]) -> DoubtsAnswer:
        """Look at each row."""
        width = 1 + len(self.chances.columns)
        found = []
        for one in self.confident(tables):
            if one.doubted:
                shown = tuple(split_name(value) for value in one.row[width:])
                doubt = Doubt(shown, self.named(one.row[0]) or "", one.told, one.chance)
                found.append((-one.ahead, [(v is not None, v or "") for v in shown], doubt))
        found.sort(key=lambda one: one[:2])
        return DoubtsAnswer(tuple(doubt for *_, doubt in found[: self.limit]))

    def __str__(self) -> str:
        """For the plan."""
        return f"doubted labels {self.label.name} in {self.source}"
