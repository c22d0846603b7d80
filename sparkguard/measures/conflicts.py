"""Equal features with different labels: hashes of all rows first, then only suspects, exactly.

Equal features have equal hashes, so no two rows conflict if the least and the greatest label of no hash differ.
Hashes of which they do mark their bucket of 64 as suspect, and only rows of suspect buckets are grouped by their
true features. A collision of hashes of features costs time and never an answer; labels are compared by 64-bit hashes
at first, and two of a thousand classes share one with a chance of 3 in 10^14.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sparkguard.core.columns import Column
from sparkguard.core.measure import A_co, Answer, Cost, Keyed, Rows
from sparkguard.core.source import Source
from sparkguard.measures.classes import class_of, is_told
from sparkguard.measures.duplicates import BUCKETS
from sparkguard.measures.pairing import Values
from sparkguard.measures.splits import MOST_SHOWN, Part, SplitKey

SHOWN_LABELS = 3
"""Labels of equal rows that are shown, those with the most rows."""


@dataclass(frozen=True)
class OfConflicts(Keyed[A_co]):
    """A question about rows with a label whose features are equal."""

    source: Source
    label: Part
    features: SplitKey

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The label and the features."""
        return {self.source: (self.label.columns[0], *(part.columns[0] for part in self.features.parts))}

    def grouped(self, tables: Mapping[Source, Rows]) -> Mapping[Values, Counter[str]]:
        """The rows of each label, by features."""
        found: dict[Values, Counter[str]] = {}
        for row in tables[self.source]:
            key = self.features.value(tuple(row[1:]))
            if key is not None and is_told(row[0], self.label.columns[0].type):
                found.setdefault(key, Counter())[class_of(row[0], self.label.type)] += 1
        return found


@dataclass(frozen=True)
class ConflictHashesAnswer(Answer):
    """Rows with a label, those whose features another row has too, and buckets in which labels of a hash differ.

    `repeated` is None where values that differ may have one hash.
    """

    rows: int
    repeated: int | None
    suspects: frozenset[int]


@dataclass(frozen=True)
class ConflictHashes(OfConflicts[ConflictHashesAnswer]):
    """In which buckets may rows of equal features have different labels?"""

    cost = Cost(scans=1, shuffles=1)

    @property
    def tells_rows_apart(self) -> bool:
        """Whether features that differ have different hashes: not texts under a collation, nor what holds NULL."""
        kinds = [part.type.lower() for part in self.features.parts]
        return not any("collate" in kind or "<" in kind for kind in kinds)

    def twin(self, tables: Mapping[Source, Rows]) -> ConflictHashesAnswer:
        """Count with exact features; buckets by Python's own hash, so only their emptiness compares."""
        groups = self.grouped(tables)
        repeated = sum(n.total() for n in groups.values() if n.total() > 1)
        suspects = frozenset(hash(key) % BUCKETS for key, labels in groups.items() if len(labels) > 1)
        rows = sum(n.total() for n in groups.values())
        return ConflictHashesAnswer(rows, repeated if self.tells_rows_apart else None, suspects)

    def __str__(self) -> str:
        """For the plan."""
        return f"labels {self.label.name} by hashes of {self.features} in {self.source}"


@dataclass(frozen=True)
class Conflict:
    """Equal features, the texts of the first of them (None for NULL): their rows, and the labels with the most rows."""

    values: tuple[str | None, ...]
    rows: int
    labels: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ConflictsAnswer(Answer):
    """How many different features have several labels, their rows, and `mistakes`: those not of the commonest label.

    No function of the features is right in more rows. `top` has those with the most mistakes.
    """

    groups: int
    rows: int
    mistakes: int
    top: tuple[Conflict, ...]


@dataclass(frozen=True)
class Conflicts(OfConflicts[ConflictsAnswer]):
    """Which equal features have several labels, among the rows of the suspect buckets? `limit` of them are named."""

    suspects: frozenset[int]
    limit: int

    cost = Cost(scans=1, shuffles=2)
    reason = "rows of equal features have different labels"

    def twin(self, tables: Mapping[Source, Rows]) -> ConflictsAnswer:
        """Count exactly; `suspects` only spares work, so it is not needed here."""
        found = {key: labels for key, labels in self.grouped(tables).items() if len(labels) > 1}
        mistakes = {key: labels.total() - max(labels.values()) for key, labels in found.items()}
        top = [
            (
                -mistakes[key],
                -labels.total(),
                Conflict(
                    tuple(None if v is None else str(v) for v in key[:MOST_SHOWN]),
                    labels.total(),
                    tuple(sorted(labels.items(), key=lambda one: (-one[1], one[0])))[:SHOWN_LABELS],
                ),
            )
            for key, labels in found.items()
        ]
        top.sort(key=lambda one: (*one[:2], [(v is not None, v or "") for v in one[2].values]))
        rows = sum(labels.total() for labels in found.values())
        return ConflictsAnswer(len(found), rows, sum(mistakes.values()), tuple(t[2] for t in top[: self.limit]))

    def __str__(self) -> str:
        """For the plan."""
        return f"labels {self.label.name} that differ for equal {self.features} in {self.source}"
