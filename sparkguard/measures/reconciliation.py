"""What to ask of two tables and a third, round by round, and what the answers say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.types import common_type
from sparkguard.errors import DataError
from sparkguard.measures.changes import ChangesAnswer, Group, Kind
from sparkguard.measures.joins import (
    Causes,
    ChangedAmongMany,
    ChangedCells,
    ChangedFloats,
    Difference,
    Fingerprints,
)
from sparkguard.measures.pairing import Columns, Pair, pair_columns, pair_key

COUNTED = (Kind.LOST, Kind.GAINED, Kind.MULTIPLIED)
"""The kinds that numbers of rows alone tell."""
KINDS = (*COUNTED, Kind.CHANGED)


@dataclass(frozen=True)
class Reconciliation:
    """The questions about the rows before and after, given what was `seen`; None where there is none.

    Without `after` a join of `before` and `other` is foretold. `limit` caps the keys that are named,
    `cells` says whether the columns that changed are looked up.
    """

    seen: Evidence
    before: Source
    after: Source | None
    other: Source | None
    key: tuple[str, ...]
    other_key: tuple[str, ...]
    compare: str | tuple[str, ...]
    tolerance: float | None
    limit: int
    cells: bool

    def questions(self) -> Iterable[Measure[Answer]]:
        """Fingerprints and the join that is foretold, then what differs, then causes and changed columns."""
        yield from (m for m in (self.preview, self.fingerprints) if m)
        if self.fingerprints is None or self.fingerprints not in self.seen or self.difference is None:
            return
        yield self.difference
        if self.difference in self.seen:
            yield from (m for m in (self.causes, self.among_many, self.floats, self.changed_cells) if m)

    @cached_property
    def columns(self) -> Columns | None:
        """How the columns of both sides meet."""
        if self.after is None:
            return None
        schemas = self.seen.schema(self.before), self.seen.schema(self.after)
        return pair_columns(*schemas, self.key, self.compare, self.tolerance)

    @cached_property
    def preview(self) -> Causes | None:
        """What an inner join would do; with `after` it tells the rows without a match."""
        if self.other is None:
            return None
        schema = self.seen.schema(self.before)
        key = pair_key(schema, self.key, schema, self.key)
        return Causes(self.before, None, self.other, key, self._other_pairs(self.other, key), None, self.limit)

    @cached_property
    def fingerprints(self) -> Fingerprints | None:
        """Whether and where both sides differ."""
        if self.columns is None or self.after is None:
            return None
        return Fingerprints(self.before, self.after, self.columns.pairing)

    @cached_property
    def difference(self) -> Difference | None:
        """Which keys differ."""
        if self.fingerprints is None:
            return None
        buckets = self.seen.require(self.fingerprints).differing
        sides = self.fingerprints.before, self.fingerprints.after, self.fingerprints.pairing
        return Difference(*sides, buckets, self.limit) if buckets else None

    @cached_property
    def causes(self) -> Causes | None:
        """Why rows were lost, gained or multiplied."""
        d, found = self._differs(*COUNTED)
        if d is None or self.other is None or not found:
            return None
        key = d.pairing.key
        other_key = self._other_pairs(self.other, key)
        return Causes(self.before, d.after, self.other, key, other_key, d.buckets, self.limit)

    @cached_property
    def among_many(self) -> ChangedAmongMany | None:
        """Which rows changed among several of a key."""
        d, found = self._differs(Kind.MANY)
        return ChangedAmongMany(d.before, d.after, d.pairing, d.buckets, d.limit) if d and found else None

    @cached_property
    def floats(self) -> ChangedFloats | None:
        """Which floats are further apart than the tolerance."""
        d, found = self._differs(Kind.FLOATS)
        return ChangedFloats(d.before, d.after, d.pairing, d.buckets, d.limit) if d and found else None

    @cached_property
    def changed_cells(self) -> ChangedCells | None:
        """Which columns changed, for the keys that are named."""
        d, found = self._differs(Kind.CHANGED)
        hashes = frozenset(change.hash for group in found for change in group.top)
        return ChangedCells(d.before, d.after, d.pairing, hashes) if d and hashes and self.cells else None

    def groups(self) -> tuple[Group, ...]:
        """What happened, most rows first within a kind; with the causes where they could be looked for."""
        if self.after is None:
            return self.seen.require(self.preview).of(*KINDS) if self.preview else ()
        if self.difference is None:
            return ()
        difference = self.seen.require(self.difference)
        causes = self.seen.get(self.causes) if self.causes else None
        counted = causes if isinstance(causes, ChangesAnswer) else difference
        if counted.rows(*COUNTED) != difference.rows(*COUNTED):
            raise _moved()
        more = (self.seen.require(m) for m in (self.among_many, self.floats) if m)
        changed = [g for answer in (difference, *more) for g in answer.of(Kind.CHANGED)]
        return (*counted.of(*COUNTED), *changed)

    def rows_before(self, groups: Sequence[Group]) -> int:
        """The rows before, once they add up with those after; `DataError` if an input changed meanwhile."""
        if self.fingerprints is None:
            return self.seen.require(self.preview).before if self.preview else 0
        sides = self.seen.require(self.fingerprints)
        lost, gained, multiplied = (sum(g.rows for g in groups if g.kind is kind) for kind in COUNTED)
        if sides.after != sides.before - lost + gained + multiplied:
            raise _moved()
        return sides.before

    def _differs(self, *kinds: Kind) -> tuple[Difference | None, tuple[Group, ...]]:
        difference = self.difference
        return difference, self.seen.require(difference).of(*kinds) if difference else ()

    def _other_pairs(self, other: Source, key: Sequence[Pair]) -> tuple[Pair, ...]:
        """Pair the key with that of other, in types that hold the values of all three tables."""
        pairs = pair_key(self.seen.schema(self.before), self.key, self.seen.schema(other), self.other_key or self.key)
        return tuple(replace(p, type=common_type(k.type, p.type) or p.type) for k, p in zip(key, pairs, strict=True))


def _moved() -> DataError:
    message = "the rows do not add up: an input changed while it was read"
    return DataError(message, "run again, and use Delta tables, which are read at one version")
