"""Which keys of a table have no row in the table that they refer to?

The keys of both tables are counted together by their true values, so that neither a key that occurs
twice on the other side nor one that many rows share can multiply or skew anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Cost, Keyed, Rows
from sparkguard.core.source import Source
from sparkguard.measures.duplicates import Key, KeyCount
from sparkguard.measures.pairing import Pair, Values


@dataclass(frozen=True)
class OrphansAnswer(Answer):
    """What the keys of a table find in another.

    `rows` are all rows of the table, `null_rows` those with a NULL in the key; `keys` are its distinct
    keys without NULL, `orphan_keys` those of them that the other table does not have, `orphan_rows`
    their rows, `top` the ones with the most. `parent_rows` and `parent_keys` count the other table.
    """

    rows: int
    null_rows: int
    keys: int
    orphan_keys: int
    orphan_rows: int
    parent_rows: int
    parent_keys: int
    top: tuple[KeyCount, ...]


@dataclass(frozen=True)
class Orphans(Keyed[OrphansAnswer]):
    """Which keys of `child` does `parent` not have?

    A row with a NULL in its key is set apart, and matches nothing on the other side. `normalize`
    (`trim`, `lower`) applies to text on both sides.
    """

    child: Source
    parent: Source
    key: tuple[Pair, ...]
    normalize: tuple[str, ...]
    limit: int

    cost = Cost(scans=2, shuffles=1)
    reason = "the key does not exist in the referenced dataset"

    @property
    def sources(self) -> tuple[Source, ...]:
        """The table that refers, and the one that it refers to."""
        return (self.child, self.parent)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The keys of both sides; one after the other where they are the same rows."""
        mine, theirs = self.columns
        return {self.child: (*mine, *theirs)} if self.child == self.parent else {self.child: mine, self.parent: theirs}

    @property
    def columns(self) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
        """The key's columns on both sides."""
        return tuple(p.one for p in self.key), tuple(p.other for p in self.key)

    def twin(self, tables: Mapping[Source, Rows]) -> OrphansAnswer:
        """Count the keys of both sides, and subtract one set from the other."""
        width = len(self.key)
        rows = [row[:width] for row in tables[self.child]]
        parents = [row[-width:] for row in tables[self.parent]]
        mine, theirs = self._count(rows), self._count(parents)
        orphans = {key: n for key, n in mine.items() if key not in theirs}
        top = [KeyCount(tuple(str(v) for v in key), n) for key, n in orphans.items()]
        top.sort(key=lambda t: (-t.count, t.values))
        return OrphansAnswer(
            rows=len(rows),
            null_rows=len(rows) - mine.total(),
            keys=len(mine),
            orphan_keys=len(orphans),
            orphan_rows=sum(orphans.values()),
            parent_rows=len(parents),
            parent_keys=len(theirs),
            top=tuple(top[: self.limit]),
        )

    def _count(self, rows: Iterable[Sequence[object]]) -> Counter[Values]:
        key = Key(self.columns[0], self.normalize)
        values = (tuple(widened(v, p.type) for v, p in zip(row, self.key, strict=True)) for row in rows)
        return Counter(k for k in map(key.value, values) if k is not None)

    def __str__(self) -> str:
        """For the plan."""
        names = (", ".join(c.name for c in columns) for columns in self.columns)
        return "keys of {} ({}) that are not in {} ({})".format(*_alternate((self.child, self.parent), names))


def _alternate(sources: Iterable[Source], names: Iterable[str]) -> Iterable[object]:
    return (part for pair in zip(sources, names, strict=True) for part in pair)


def widened(value: object, kind: str) -> object:
    """A date is the midnight of a TIMESTAMP_NTZ; Python compares all other common types by value."""
    if kind == "timestamp_ntz" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall-clock time by design
    return value
