"""Which rows, keys or entities are in more than one split? Hashes of all first, then only suspects, exactly.

Equal keys have equal hashes, so no key is in two splits if no hash is. Hashes that are mark their bucket of
64 as suspect, and only rows of suspect buckets are grouped by their true key, with the rows of each split.
A collision of hashes therefore costs time and never an answer.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, Keyed, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.measures.duplicates import BUCKETS
from sparkguard.measures.grids import text_of
from sparkguard.measures.pairing import Values, comparable
from sparkguard.measures.references import widened

MOST_SPLITS = 16
"""Each split is a count of the one aggregate, and each pair of them a result."""


@dataclass(frozen=True)
class Splits:
    """Where the rows of each split are: in a source of its own, or in one, told apart by the text of `column`."""

    names: tuple[str, ...]
    sources: tuple[Source, ...]
    column: Column | None = None

    @property
    def scored(self) -> Splits:
        """The sources that hold rows: all of them."""
        return self

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The places of every two splits, the earlier one first."""
        return tuple(combinations(range(len(self.names)), 2))

    def reads(self, *parts: Sequence[Column]) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of each source, of which each part has one; last what tells the split."""
        last = () if self.column is None else (self.column,)
        return {s: (*(p[at] for p in parts), *last) for at, s in enumerate(self.sources)}

    def rows(self, tables: Mapping[Source, Rows]) -> Iterator[tuple[int | None, int, Values]]:
        """Every row: the place of its split (None: of no split), of its source, and its values."""
        for at, source in enumerate(self.sources):
            for row in tables[source]:
                values = tuple(row)
                if self.column is None:
                    yield at, at, values
                else:
                    name = split_name(values[-1])
                    yield self.names.index(name) if name in self.names else None, at, values[:-1]

    def __str__(self) -> str:
        """For the plan."""
        if self.column is not None:
            return f"{self.sources[0]} by {self.column.name}"
        return ", ".join(f"{n} ({s})" for n, s in zip(self.names, self.sources, strict=True))


def split_name(value: object) -> str | None:
    """The text of a value that names a split, as Spark writes it."""
    return None if value is None else text_of(value)


@dataclass(frozen=True)
class Part:
    """A column of a key in each source, and the type in which the splits compare it."""

    columns: tuple[Column, ...]
    type: str

    @property
    def name(self) -> str:
        """Its name as it was written."""
        return self.columns[0].name


@dataclass(frozen=True)
class SplitValuesAnswer(Answer):
    """The values that name splits, those with the most rows first (None for NULL), and their rows.

    `more` says whether there are others.
    """

    values: tuple[tuple[str | None, int], ...]
    more: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The values themselves in their order, without NULL."""
        return tuple(sorted(name for name, _ in self.values if name is not None))


@dataclass(frozen=True)
class SplitValues(RowMeasure[SplitValuesAnswer]):
    """Which values does the column have that tells the split?"""

    source: Source
    column: Column
    limit: int = MOST_SPLITS + 1

    cost = Cost(scans=1, shuffles=1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The column."""
        return {self.source: (self.column,)}

    def twin(self, tables: Mapping[Source, Rows]) -> SplitValuesAnswer:
        """Count."""
        counts = Counter(split_name(v) for (v,) in tables[self.source])
        found = sorted(counts.items(), key=lambda item: (-item[1], item[0] is not None, item[0] or ""))
        return SplitValuesAnswer(tuple(found[: self.limit]), len(found) > self.limit)

    def __str__(self) -> str:
        """For the plan."""
        return f"values of {self.column.name} in {self.source}"


@dataclass(frozen=True)
class SplitKey:
    """What must not be in two splits: a key, or whole rows, in which a NULL equals a NULL.

    Otherwise a NULL sets the row apart: it names nothing.
    """

    parts: tuple[Part, ...]
    nulls_equal: bool = False

    def value(self, row: Values) -> Values | None:
        """The comparable key of a row in plain Python; None where a NULL sets the row apart."""
        if not self.nulls_equal and any(v is None for v in row):
            return None
        return tuple(_plain(widened(v, p.type)) for v, p in zip(row, self.parts, strict=True))

    def __str__(self) -> str:
        """The names, or that it is all of the row."""
        return f"{len(self.parts)} columns" if self.nulls_equal else ", ".join(p.name for p in self.parts)


def _plain(value: object) -> object:
    """A value that Python compares as Spark groups: one NaN and one zero, also inside of others."""
    if isinstance(value, list | tuple):
        return tuple(_plain(v) for v in value)
    if isinstance(value, dict):
        return frozenset((_plain(k), _plain(v)) for k, v in value.items())
    return bytes(value) if isinstance(value, bytearray) else comparable(value)


@dataclass(frozen=True)
class SplitMeasure(Keyed[A_co]):
    """A question about a key of all splits."""

    splits: Splits
    key: SplitKey

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those of the splits."""
        return self.splits.sources

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The key's columns, and what tells the split."""
        return self.splits.reads(*(p.columns for p in self.key.parts))

    @property
    def cost(self) -> Cost:
        """One read of each source, and one shuffle of all."""
        return Cost(scans=len(self.sources), shuffles=1)

    @property
    @abstractmethod
    def what(self) -> str:
        """What is asked, for the plan."""

    def counted(self, tables: Mapping[Source, Rows]) -> Mapping[Values, tuple[int, ...]]:
        """The rows of each split, by key."""
        found: dict[Values, list[int]] = {}
        for split, _, row in self.splits.rows(tables):
            key = self.key.value(row)
            if split is not None and key is not None:
                found.setdefault(key, [0] * len(self.splits.names))[split] += 1
        return {key: tuple(counts) for key, counts in found.items()}

    def __str__(self) -> str:
        """For the plan."""
        return f"{self.what} ({self.key}) of {self.splits}"


@dataclass(frozen=True)
class SplitHashesAnswer(Answer):
    """The rows of each split, those of them with NULL in the key, and the rows of no split.

    `suspects` are the buckets, of BUCKETS, in which a hash is in two splits.
    """

    rows: tuple[int, ...]
    null_rows: tuple[int, ...]
    others: int
    suspects: frozenset[int]


@dataclass(frozen=True)
class SplitHashes(SplitMeasure[SplitHashesAnswer]):
    """How many rows has each split, and in which buckets may a key be in two?"""

    what = "hashes"

    def twin(self, tables: Mapping[Source, Rows]) -> SplitHashesAnswer:
        """Count with exact keys; buckets by Python's own hash, so only their emptiness compares."""
        rows, nulls, others = ([0] * len(self.splits.names) for _ in range(3))
        for split, _, row in self.splits.rows(tables):
            if split is None:
                others[0] += 1
            else:
                rows[split] += 1
                nulls[split] += self.key.value(row) is None
        shared = (key for key, counts in self.counted(tables).items() if sum(map(bool, counts)) > 1)
        return SplitHashesAnswer(tuple(rows), tuple(nulls), others[0], frozenset(hash(k) % BUCKETS for k in shared))


@dataclass(frozen=True)
class SharedKey:
    """A key that is in more than one split: its first values as texts (None for NULL), its rows in each split."""

    values: tuple[str | None, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SharedByPair:
    """How many keys two splits share, their rows in each, and the keys with the most."""

    keys: int
    rows: int
    other_rows: int
    top: tuple[SharedKey, ...]


@dataclass(frozen=True)
class SharedKeysAnswer(Answer):
    """How many keys are in more than one split, their rows in each split, and what each pair shares."""

    keys: int
    rows: tuple[int, ...]
    pairs: Mapping[tuple[int, int], SharedByPair]


@dataclass(frozen=True)
class SharedKeys(SplitMeasure[SharedKeysAnswer]):
    """Which keys are in more than one split, among the rows of the suspect buckets?

    Of each pair `limit` keys are named, at most MOST_NAMED, by their first MOST_SHOWN values.
    """

    suspects: frozenset[int]
    limit: int

    what = "shared keys"
    reason = "it is in more than one split"

    def twin(self, tables: Mapping[Source, Rows]) -> SharedKeysAnswer:
        """Count exactly; `suspects` only spares work, so it is not needed here."""
        shared = [(k, counts) for k, counts in self.counted(tables).items() if sum(map(bool, counts)) > 1]
        rows = reduce(_added, (counts for _, counts in shared), (0,) * len(self.splits.names))
        by_pair = {pair: self._pair(*pair, shared) for pair in self.splits.pairs}
        return SharedKeysAnswer(len(shared), rows, {pair: found for pair, found in by_pair.items() if found.keys})

    def _pair(self, one: int, other: int, shared: Sequence[tuple[Values, tuple[int, ...]]]) -> SharedByPair:
        both = [(key, counts) for key, counts in shared if counts[one] and counts[other]]
        top = [
            SharedKey(tuple(None if v is None else str(v) for v in key[:MOST_SHOWN]), counts) for key, counts in both
        ]
        top.sort(key=lambda t: (-t.counts[one] - t.counts[other], [(v is not None, v or "") for v in t.values]))
        mine, theirs = (sum(counts[at] for _, counts in both) for at in (one, other))
        return SharedByPair(len(both), mine, theirs, tuple(top[: min(self.limit, MOST_NAMED)]))


MOST_NAMED = 1_000
"""Up to this rank Spark cuts a ranking before its shuffle (spark.sql.optimizer.windowGroupLimitThreshold)."""
MOST_SHOWN = 20
"""Values of one row that are shown."""


def _added(one: Iterable[int], other: Iterable[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))
