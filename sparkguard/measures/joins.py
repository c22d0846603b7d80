"""What became of the rows of a table in another: fingerprints first, then only what differs.

Rows are put into 4,096 buckets by the hash of their key. A bucket whose number of rows and whose two
sums of 64-bit row hashes agree on both sides holds the same rows; only the others are grouped by
their true key. Two buckets that differ agree by chance with a probability of 2^-128; a changed row
of a key that is grouped stays unseen with one of 2^-52.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, Keyed, Rows
from sparkguard.core.source import Source
from sparkguard.measures.changes import (
    Cause,
    ChangesAnswer,
    Kind,
    cause_with_other,
    cause_without_other,
    counted,
    grouped,
    key_change,
    text,
    texts,
)
from sparkguard.measures.pairing import Pair, Pairing, Values, comparable

BUCKETS = 4096


@dataclass(frozen=True)
class FingerprintsAnswer(Answer):
    """The rows of both sides, and the buckets of BUCKETS in which they differ."""

    before: int
    after: int
    differing: frozenset[int]


@dataclass(frozen=True)
class Cell:
    """A column whose text differs between the two rows of a key."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class CellsAnswer(Answer):
    """For each key (its values as texts) the columns that changed, at most CELLS of them."""

    cells: Mapping[tuple[str | None, ...], tuple[Cell, ...]] = field(hash=False)


CELLS = 10
"""How many changed columns of one row are kept."""


@dataclass(frozen=True)
class SidesMeasure(Keyed[A_co]):
    """A question about the rows before and after."""

    before: Source
    after: Source
    pairing: Pairing

    @property
    def sources(self) -> tuple[Source, ...]:
        """Both sides."""
        return (self.before, self.after)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The compared columns of each side."""
        before = tuple(p.one for p in self.pairing.pairs)
        after = tuple(p.other for p in self.pairing.pairs)
        return {self.after: after, self.before: before}

    def _sides(self, tables: Mapping[Source, Rows]) -> tuple[list[tuple[Values, Values, Values]], ...]:
        return tuple([self.pairing.split(row) for row in tables[side]] for side in self.sources)


@dataclass(frozen=True)
class Fingerprints(SidesMeasure[FingerprintsAnswer]):
    """How many rows are there on each side, and in which buckets do they differ?"""

    cost = Cost(scans=2, shuffles=0)

    def twin(self, tables: Mapping[Source, Rows]) -> FingerprintsAnswer:
        """Compare the rows of each bucket, by Python's own hash of the key."""
        sides = [defaultdict[int, Counter[object]](Counter) for _ in self.sources]
        for side, rows in zip(sides, self._sides(tables), strict=True):
            for row in rows:
                side[_bucket(row[0])][row] += 1
        differing = frozenset(b for b in {*sides[0], *sides[1]} if sides[0][b] != sides[1][b])
        before, after = (sum(c.total() for c in side.values()) for side in sides)
        return FingerprintsAnswer(before, after, differing)

    def __str__(self) -> str:
        """For the plan."""
        return f"fingerprints of {self.before} and {self.after} by ({self.pairing})"


@dataclass(frozen=True)
class BucketsMeasure(SidesMeasure[ChangesAnswer]):
    """A question about the keys of some buckets, of which the `limit` worst are named."""

    buckets: frozenset[int]
    limit: int


@dataclass(frozen=True)
class Difference(BucketsMeasure):
    """Which keys have other rows after than before, among those of the differing buckets?"""

    cost = Cost(scans=2, shuffles=1)

    def twin(self, tables: Mapping[Source, Rows]) -> ChangesAnswer:
        """Compare the multisets of rows of each key."""
        before, after = (_by_key(r for r in rows if _bucket(r[0]) in self.buckets) for rows in self._sides(tables))
        found = []
        for key in {**before, **after}:
            b, a = before.get(key, []), after.get(key, [])
            kind, rows = counted(len(b), len(a))
            if kind is None:
                kind = self._changed(b, a)
                rows = len(b)
            if kind is not None:
                cause = cause_without_other(kind, len(b), len(a), null=None in key)
                found.append((kind, cause, key_change(key, len(b), len(a), rows)))
        return ChangesAnswer(grouped(found, self.limit), sum(map(len, before.values())))

    def _changed(self, b: list[tuple[Values, Values]], a: list[tuple[Values, Values]]) -> Kind | None:
        exact = [Counter(r[0] for r in side) for side in (b, a)]
        if exact[0] != exact[1]:
            return Kind.CHANGED if len(b) == 1 else Kind.MANY
        return Kind.FLOATS if len(b) == 1 and b != a else None

    def __str__(self) -> str:
        """For the plan."""
        return f"difference of {self.before} and {self.after} by ({self.pairing})"


@dataclass(frozen=True)
class ChangedAmongMany(BucketsMeasure):
    """How many rows have no equal partner, for keys with as many rows after as before, and several?"""

    cost = Cost(scans=4, shuffles=3)

    def twin(self, tables: Mapping[Source, Rows]) -> ChangesAnswer:
        """Subtract the multisets of exact values."""
        before, after = (_by_key(rows) for rows in self._sides(tables))
        found = []
        for key, b in before.items():
            if len(b) > 1 and len(after.get(key, [])) == len(b):
                missing = Counter(r[0] for r in b) - Counter(r[0] for r in after[key])
                if missing:
                    found.append((Kind.CHANGED, Cause.UNKNOWN, key_change(key, len(b), len(b), missing.total())))
        return ChangesAnswer(grouped(found, self.limit))

    def __str__(self) -> str:
        """For the plan."""
        return f"changed rows of {self.before} and {self.after} where ({self.pairing}) has several"


@dataclass(frozen=True)
class ChangedFloats(BucketsMeasure):
    """How many keys with one row on each side have floats further apart than the tolerance?"""

    cost = Cost(scans=4, shuffles=3)

    def twin(self, tables: Mapping[Source, Rows]) -> ChangesAnswer:
        """Compare the floats pairwise."""
        before, after = (_by_key(rows) for rows in self._sides(tables))
        found = []
        for key, b in before.items():
            a = after.get(key, [])
            if len(b) == len(a) == 1 and b[0][0] == a[0][0] and not self.pairing.near(b[0][1], a[0][1]):
                found.append((Kind.CHANGED, Cause.UNKNOWN, key_change(key, 1, 1, 1)))
        return ChangesAnswer(grouped(found, self.limit))

    def __str__(self) -> str:
        """For the plan."""
        return f"floats of {self.before} and {self.after} by ({self.pairing}), tolerance {self.pairing.tolerance:g}"


@dataclass(frozen=True)
class ChangedCells(SidesMeasure[CellsAnswer]):
    """Which columns differ for a sample of changed keys, found again by their hashes?"""

    hashes: frozenset[int]

    cost = Cost(scans=2, shuffles=1)

    def twin(self, tables: Mapping[Source, Rows]) -> CellsAnswer:
        """Compare column by column."""
        before, after = (_by_key(r for r in rows if hash(r[0]) in self.hashes) for rows in self._sides(tables))
        names = [p.one.name for p in (*self.pairing.exact, *self.pairing.floats)]
        found = {}
        for key, b in before.items():
            if len(b) == len(after.get(key, [])) == 1:
                values = zip(names, sum(b[0], ()), sum(after[key][0], ()), strict=True)
                cells = [Cell(n, text(x), text(y)) for n, x, y in values if x != y]
                found[texts(key)] = tuple(cells[:CELLS])
        return CellsAnswer(found)

    def __str__(self) -> str:
        """For the plan."""
        return f"changed columns of {len(self.hashes)} keys of {self.before} and {self.after}"


@dataclass(frozen=True)
class Causes(Keyed[ChangesAnswer]):
    """Why are rows lost, gained or multiplied, by what `other` holds for their keys?

    Without `after` an inner join of `before` and `other` stands in for it. `key` pairs `before` with
    `after`, `other_key` pairs `before` with `other`.
    """

    before: Source
    after: Source | None
    other: Source
    key: tuple[Pair, ...]
    other_key: tuple[Pair, ...]
    buckets: frozenset[int] | None
    limit: int

    cost = Cost(scans=3, shuffles=2)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Two sides and what was joined in."""
        return (self.before, self.other) if self.after is None else (self.before, self.after, self.other)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """Keys only."""
        columns = {self.other: tuple(p.other for p in self.other_key)}
        if self.after is not None:
            columns[self.after] = tuple(p.other for p in self.key)
        return {**columns, self.before: tuple(p.one for p in self.key)}

    def twin(self, tables: Mapping[Source, Rows]) -> ChangesAnswer:
        """Count each key in all tables."""
        before, other = (_keys(tables[s]) for s in (self.before, self.other))
        other = Counter({k: n for k, n in other.items() if None not in k})
        after = (
            Counter({k: n * other[k] for k, n in before.items()}) if self.after is None else _keys(tables[self.after])
        )
        found = []
        for key in {**before, **after}:
            if self.buckets is None or _bucket(key) in self.buckets:
                kind, rows = counted(before[key], after[key])
                if kind is not None:
                    cause = cause_with_other(kind, before[key], after[key], other[key], null=None in key)
                    found.append((kind, cause, key_change(key, before[key], after[key], rows, other[key])))
        return ChangesAnswer(grouped(found, self.limit), before.total())

    def __str__(self) -> str:
        """For the plan."""
        after = "a join" if self.after is None else self.after
        return f"causes of the difference of {self.before} and {after} in {self.other}"


def _bucket(key: Values) -> int:
    return hash(key) % BUCKETS


def _by_key(rows: Iterable[tuple[Values, Values, Values]]) -> dict[Values, list[tuple[Values, Values]]]:
    found: dict[Values, list[tuple[Values, Values]]] = {}
    for key, exact, floats in rows:
        found.setdefault(key, []).append((exact, floats))
    return found


def _keys(rows: Rows) -> Counter[Values]:
    return Counter(tuple(comparable(v) for v in row) for row in rows)
