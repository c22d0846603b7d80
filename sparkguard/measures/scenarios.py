"""Scenarios: sets of rows that may overlap, told by equality, a predicate or a table of keys, or in an own dataset.

They stand where splits stand in `ScoredRows`. All scenarios by equality on the same columns are one lookup of a
row's values, however many there are; each predicate costs its own evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.columns import Column
from sparkguard.core.measure import Rows
from sparkguard.core.source import Source
from sparkguard.core.text import count
from sparkguard.measures.conditions import Untrue
from sparkguard.measures.grids import text_of
from sparkguard.measures.pairing import Pair, Values, comparable
from sparkguard.measures.references import widened
from sparkguard.measures.splits import Splits

Texts = tuple[str | None, ...]


@dataclass(frozen=True)
class ByEquality:
    """Scenarios of the rows whose values of `columns` are among some; each with the places of the scenarios."""

    columns: tuple[Column, ...]
    places: tuple[tuple[Texts, tuple[int, ...]], ...]


@dataclass(frozen=True)
class ByTable:
    """A scenario of the rows whose key is in another dataset; a key with NULL in it names nothing."""

    source: Source
    pairs: tuple[Pair, ...]
    place: int


@dataclass(frozen=True)
class ByPredicate:
    """A scenario of the rows of which a predicate is true; `mentions` are the columns whose names stand in it."""

    sql: str
    mentions: tuple[Column, ...]
    place: int


@dataclass(frozen=True)
class Scenarios:
    """Scenarios of `main`, and those with a dataset of their own; with `whole` all rows of `main` are one too."""

    names: tuple[str, ...]
    main: Source
    by_equality: tuple[ByEquality, ...] = ()
    by_table: tuple[ByTable, ...] = ()
    by_predicate: tuple[ByPredicate, ...] = ()
    own: tuple[tuple[Source, int], ...] = ()
    whole: int | None = None

    @property
    def scored(self) -> Splits:
        """The sources with labels and predictions, the main one first."""
        return Splits(tuple(map(str, self._scored)), self._scored)

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources, last the tables of keys."""
        return tuple(dict.fromkeys((*self._scored, *(one.source for one in self.by_table))))

    @property
    def _scored(self) -> tuple[Source, ...]:
        return (self.main, *(source for source, _ in self.own))

    @property
    def telling(self) -> tuple[Column, ...]:
        """The columns of `main` that tell the scenario."""
        found = [column for one in self.by_equality for column in one.columns]
        found += [pair.one for table in self.by_table for pair in table.pairs]
        found += [column for one in self.by_predicate for column in one.mentions]
        return tuple(dict.fromkeys(found))

    @property
    def disjoint(self) -> bool:
        """Whether each scenario of `main` is told in one way only, so that no row is in one twice."""
        ways: list[set[int]] = [{place for _, places in one.places for place in places} for one in self.by_equality]
        ways += [{one.place} for one in self.by_table]
        ways += [{one.place} for one in self.by_predicate]
        ways += [] if self.whole is None else [{self.whole}]
        return sum(map(len, ways)) == len(set().union(*ways))

    def reads(self, *parts: Sequence[Column]) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of each source, of which each part has one; of `main` also what tells the scenario."""
        found = {source: tuple(p[at] for p in parts) for at, source in enumerate(self._scored)}
        found[self.main] += self.telling
        return {**found, **{table.source: self._keyed(table.source) for table in self.by_table}}

    def _keyed(self, source: Source) -> tuple[Column, ...]:
        """The columns of a table of keys."""
        pairs = (pair for table in self.by_table if table.source == source for pair in table.pairs)
        return tuple(dict.fromkeys(pair.other for pair in pairs))

    def rows(self, tables: Mapping[Source, Rows]) -> Iterator[tuple[int | None, int, Values]]:
        """Every row as often as there are scenarios that hold it, in plain Python."""
        telling = self.telling
        keys = [self._keys(table, tables) for table in self.by_table]
        for row in tables[self.main]:
            values, rest = tuple(row[: len(row) - len(telling)]), row[len(row) - len(telling) :]
            at = dict(zip(telling, rest, strict=True))
            for place in sorted(self._places(at, keys)):
                yield place, 0, values
        for i, (source, place) in enumerate(self.own, 1):
            for row in tables[source]:
                yield place, i, tuple(row)

    def _places(self, at: Mapping[Column, object], keys: Sequence[set[Values]]) -> set[int]:
        found = set() if self.whole is None else {self.whole}
        for equal in self.by_equality:
            mine = tuple(None if at[c] is None else text_of(at[c]) for c in equal.columns)
            found |= {place for values, places in equal.places if values == mine for place in places}
        for one in self.by_predicate:
            if Untrue(one.sql, one.mentions).holds([at[c] for c in one.mentions]) is False:
                found.add(one.place)
        for table, known in zip(self.by_table, keys, strict=True):
            if tuple(comparable(widened(at[p.one], p.type)) for p in table.pairs) in known:
                found.add(table.place)
        return found

    def _keys(self, table: ByTable, tables: Mapping[Source, Rows]) -> set[Values]:
        columns = self._keyed(table.source)
        rows = (dict(zip(columns, row, strict=True)) for row in tables[table.source])
        known = {tuple(comparable(widened(row[p.other], p.type)) for p in table.pairs) for row in rows}
        return {key for key in known if None not in key}

    def __str__(self) -> str:
        """For the plan: what it costs to tell the scenarios apart."""
        equal = len({place for one in self.by_equality for _, places in one.places for place in places})
        kinds = {
            "by equality": equal,
            "by predicate": len(self.by_predicate),
            "by a table of keys": len(self.by_table),
            "of their own": len(self.own),
        }
        told = ", ".join(f"{many:,} {kind}" for kind, many in kinds.items() if many)
        return f"{self.main}, {count(len(self.names), 'scenario')}: {told}"
