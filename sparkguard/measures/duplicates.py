"""Is a key unique? Fingerprints of all keys first, then only the part that may repeat, exactly.

Equal keys have equal 63-bit hashes, so a key is unique if no hash occurs twice; that costs one
shuffle of eight bytes a row. Hashes that do occur twice mark their bucket of 64 as suspect, and
only rows of suspect buckets are grouped by their true key. A collision of hashes therefore costs
time and never an answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, Keyed, Rows
from sparkguard.core.source import Source

BUCKETS = 64
"""How many buckets of hashes are told apart: the bits of one word."""

Values = tuple[object, ...]


@dataclass(frozen=True)
class Key:
    """The columns of a key and how their values are compared.

    `normalize` (`trim`, `lower`) applies to text columns before comparing. With `nulls_equal` a
    NULL equals a NULL; otherwise rows with a NULL in the key are set apart and counted.
    """

    columns: tuple[Column, ...]
    normalize: tuple[str, ...] = ()
    nulls_equal: bool = False

    def value(self, row: Sequence[object]) -> Values | None:
        """The comparable key of a row in plain Python; None where a NULL sets the row apart."""
        if not self.nulls_equal and any(v is None for v in row):
            return None
        return tuple(self._comparable(v) for v in row)

    def _comparable(self, value: object) -> object:
        if isinstance(value, float):
            return "NaN" if math.isnan(value) else value + 0.0
        if isinstance(value, str):
            value = value.strip(" ") if "trim" in self.normalize else value
            value = value.lower() if "lower" in self.normalize else value
        return value

    def __str__(self) -> str:
        """The column names as written."""
        return ", ".join(c.name for c in self.columns)


@dataclass(frozen=True)
class KeyCount:
    """A key's values as texts (None for NULL) and the number of rows that carry it."""

    values: tuple[str | None, ...]
    count: int


@dataclass(frozen=True)
class KeyHashesAnswer(Answer):
    """All `rows`, those with NULL in the key, the rows `hashed`, and their distinct `hashes`.

    `suspects` are the buckets, of BUCKETS, in which a hash occurs twice.
    """

    rows: int
    null_rows: int
    hashed: int
    hashes: int
    suspects: frozenset[int]

    @property
    def unique(self) -> bool:
        """Whether every key is certainly unique."""
        return self.hashes == self.hashed


@dataclass(frozen=True)
class KeyCountsAnswer(Answer):
    """How many distinct `keys`, their `rows`, the most rows of one key, and the worst keys first."""

    keys: int
    rows: int
    max_multiplicity: int
    top: tuple[KeyCount, ...]


@dataclass(frozen=True)
class KeyMeasure(Keyed[A_co]):
    """A question about the key of one source."""

    source: Source
    key: Key

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The key's columns of every source."""
        return dict.fromkeys(self.sources, self.key.columns)


@dataclass(frozen=True)
class KeyHashes(KeyMeasure[KeyHashesAnswer]):
    """How many rows, distinct key hashes and NULL keys are there, and which buckets repeat?"""

    cost = Cost(scans=1, shuffles=1)

    def twin(self, tables: Mapping[Source, Rows]) -> KeyHashesAnswer:
        """Count with exact keys; buckets by Python's own hash, so only their emptiness compares."""
        counts = _count(self.key, tables[self.source])
        suspects = frozenset(hash(key) % BUCKETS for key, count in counts.items() if count > 1)
        rows = tables[self.source]
        null_rows = sum(None in tuple(row) for row in rows)
        return KeyHashesAnswer(len(rows), null_rows, counts.total(), len(counts), suspects)

    def __str__(self) -> str:
        """For the plan."""
        return f"hashes of {self.source} by ({self.key})"


@dataclass(frozen=True)
class RepeatedKeys(KeyMeasure[KeyCountsAnswer]):
    """Which keys occur more than once, among the rows of the suspect buckets?"""

    suspects: frozenset[int]
    limit: int

    cost = Cost(scans=1, shuffles=1)
    reason = "the key occurs more than once"

    def twin(self, tables: Mapping[Source, Rows]) -> KeyCountsAnswer:
        """Count exactly; `suspects` only spares work, so it is not needed here."""
        counts = _count(self.key, tables[self.source])
        return _answer(((k, n) for k, n in counts.items() if n > 1), self.limit)

    def __str__(self) -> str:
        """For the plan."""
        return f"repeated keys of {self.source} by ({self.key})"


@dataclass(frozen=True)
class NullKeys(KeyMeasure[KeyCountsAnswer]):
    """Which keys with a NULL in them occur, and how often?"""

    limit: int

    cost = Cost(scans=1, shuffles=1)
    reason = "NULL in the key"

    def twin(self, tables: Mapping[Source, Rows]) -> KeyCountsAnswer:
        """Count the keys that have a NULL."""
        key = Key(self.key.columns, self.key.normalize, nulls_equal=True)
        counts = _count(key, (r for r in tables[self.source] if None in tuple(r)))
        return _answer(counts.items(), self.limit)

    def __str__(self) -> str:
        """For the plan."""
        return f"keys with NULL of {self.source} by ({self.key})"


@dataclass(frozen=True)
class SeenBefore(KeyMeasure[KeyCountsAnswer]):
    """Which keys of the source occur in the history before it?

    `rows` is the number of rows of the source that have a key, by which the engine sizes its filter.
    Two scans look whether any hash of the window occurs in the history; only then three more name
    the keys.
    """

    history: Source
    rows: int
    limit: int

    cost = Cost(scans=5, shuffles=2)
    reason = "the key occurs before the window"

    @property
    def sources(self) -> tuple[Source, ...]:
        """The window, and the history before it."""
        return (self.source, self.history)

    def twin(self, tables: Mapping[Source, Rows]) -> KeyCountsAnswer:
        """Intersect the two sets of keys."""
        before = _count(self.key, tables[self.history])
        counts = _count(self.key, tables[self.source])
        return _answer(((k, n) for k, n in counts.items() if k in before), self.limit)

    def __str__(self) -> str:
        """For the plan."""
        return f"keys of {self.source} already in {self.history} by ({self.key})"


def _count(key: Key, rows: Iterable[Sequence[object]]) -> Counter[Values]:
    return Counter(k for k in map(key.value, rows) if k is not None)


def _answer(counts: Iterable[tuple[Values, int]], limit: int) -> KeyCountsAnswer:
    top = [KeyCount(tuple(None if v is None else str(v) for v in k), n) for k, n in counts]
    top.sort(key=lambda t: (-t.count, [(v is not None, v or "") for v in t.values]))
    rows = [t.count for t in top]
    return KeyCountsAnswer(len(rows), sum(rows), max(rows, default=0), tuple(top[:limit]))
