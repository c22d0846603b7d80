"""What is asked about labels, and when: classes and hashes first, then conflicts and doubts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, few
from sparkguard.core.types import is_number
from sparkguard.errors import DataError
from sparkguard.measures.conflicts import ConflictHashes, Conflicts
from sparkguard.measures.labels import Chances, ConfidentClasses, Doubts, LabelCounts, LabelCountsAnswer
from sparkguard.measures.splits import Part, SplitKey
from sparkguard.shapes.balance import Balance, balance_of
from sparkguard.shapes.label_findings import CONFLICTING, DOUBTED, Disputed, Doubted, LabelFindings
from sparkguard.stats import confident

FOLDS = 64
"""Groups of clusters."""
_LIKELY = 0.5
"""A model is confident of a class that has no rows if it is more probable than all others together, or more."""
_SIGNS = {"0", "1", "-1"}
_SHOWN = 3


@dataclass(frozen=True)
class LabelQuestions:
    """The questions about the labels of some rows, and of the training set's, whose label is the second one.

    With `disputes` conflicts are looked for; `chances` are None where nobody doubts. `shown` columns name the rows
    in doubt, from the probability `floor` on. `limit` is how much evidence is wanted. `named`: whether somebody said
    which class is the positive one.
    """

    sources: tuple[Source, ...]
    labels: tuple[Part, ...]
    clusters: tuple[tuple[Part, ...], ...]
    features: tuple[Column, ...]
    disputes: bool
    chances: Chances | None
    floor: float
    shown: tuple[Column, ...]
    limit: int
    named: bool = True

    def ask(self, seen: Evidence) -> Iterator[Measure[Answer]]:
        """All that can be asked by now."""
        yield from self.counts
        if self.counts[0] not in seen:
            return
        # A label that is no class has as many groups as rows: a broken count ends it here.
        seen.require(self.counts[0])
        conflicts = self.conflicts(seen) if self.hashes is not None and self.hashes in seen else None
        yield from (one for one in (self.hashes, conflicts) if one is not None)
        if self.chances is not None:
            yield from (self.confident(seen, self.chances), self.doubts(seen, self.chances))

    @property
    def folds(self) -> int:
        """Groups of clusters; 1 where rows belong to nothing."""
        return FOLDS if self.clusters[0] else 1

    @property
    def counts(self) -> tuple[LabelCounts, ...]:
        """The classes of each source; probabilities are those of the first."""
        parts = enumerate(zip(self.sources, self.labels, self.clusters, strict=True))
        return tuple(
            LabelCounts(source, label, None if at else self.chances, cluster, self.folds)
            for at, (source, label, cluster) in parts
        )

    @property
    def hashes(self) -> ConflictHashes | None:
        """Where equal features may have several labels."""
        if not self.disputes:
            return None
        key = SplitKey(tuple(Part((column,), column.type) for column in self.features), nulls_equal=True)
        return ConflictHashes(self.sources[0], self.labels[0], key)

    def conflicts(self, seen: Evidence) -> Conflicts | None:
        """Which equal features have several labels; None if none may have."""
        suspects = frozenset[int]() if self.hashes is None else seen.require(self.hashes).suspects
        if self.hashes is None or not suspects:
            return None
        return Conflicts(self.sources[0], self.labels[0], self.hashes.features, suspects, self.limit)

    def confident(self, seen: Evidence, chances: Chances) -> ConfidentClasses:
        """Who is confident of what, by the mean probabilities of each class."""
        limits = _thresholds(seen.require(self.counts[0]), chances, max(self.floor, _LIKELY))
        return ConfidentClasses(self.sources[0], self.labels[0], chances, limits, self.floor)

    def doubts(self, seen: Evidence, chances: Chances) -> Doubts:
        """The labels that are contradicted most."""
        asked = self.confident(seen, chances)
        return Doubts(asked.source, asked.label, chances, asked.thresholds, self.floor, self.shown, self.limit)

    def found(self, seen: Evidence, confidence: float, fewest: int) -> LabelFindings:
        """All answers; `DataError` if one is broken, or the training set has no labels."""
        mine, *trained = [seen.require(one) for one in self.counts]
        if trained and not any(cell.label is not None for cell in trained[0].cells):
            message = f"'{self.sources[1]}' has no row with a '{self.labels[1].name}'"
            raise DataError(message, "name the dataset that the model was trained on in training")
        balance = balance_of(mine, trained[0] if trained else None, confidence, self.folds)
        disputed = doubted = None
        if self.hashes is not None:
            wanted = self.conflicts(seen)
            names = tuple(part.name for part in self.hashes.features.parts)
            disputed = Disputed(names, seen.require(self.hashes), None if wanted is None else seen.require(wanted))
        if self.chances is not None:
            others = [one.name for one in balance.present if one.name not in self.chances.names]
            rest = others[0] if len(others) == 1 else self.chances.rest
            asked, worst = self.confident(seen, self.chances), self.doubts(seen, self.chances)
            self._require_positive(balance)
            rows = _scored(mine, self.chances)
            shown = tuple(column.name for column in self.shown)
            unscored = balance.rows - sum(rows)
            answers = (seen.require(asked), seen.require(worst).rows)
            doubted = Doubted(self.chances, rest, *answers, rows, unscored, others, shown)
        return LabelFindings(balance, disputed, doubted, fewest, len(self.features))

    def _require_positive(self, balance: Balance) -> None:
        """`DataError` if one class is set against the rest, and it has no rows, or nobody named it among others."""
        if self.chances is None or not self.chances.single or not balance.rows:
            return
        [positive], label = self.chances.names, self.labels[0]
        names = [one.name for one in balance.present]
        there = few(names, _SHOWN)
        if not self.named and is_number(label.type) and not _SIGNS.issuperset(names):
            message = f"nobody said which class of '{label.name}' is positive: there are {there}"
            raise DataError(message, "write positive: and the class")
        if positive not in names:
            rows = count(balance.rows, "row")
            message = f"no '{label.name}' of {rows} is the positive class: that is {positive}, and there are {there}"
            raise DataError(message, "name the class that score is the probability of: positive")

    def evidence(self, seen: Evidence) -> Iterator[tuple[str, Measure[Answer]]]:
        """The questions all of whose evidence can be written, by its kind."""
        conflicts = self.conflicts(seen)
        if conflicts is not None:
            yield CONFLICTING, conflicts
        if self.chances is not None:
            yield DOUBTED, self.doubts(seen, self.chances)


def _scored(answer: LabelCountsAnswer, chances: Chances) -> tuple[int, ...]:
    """The rows with probabilities, by class."""
    rows = [0] * chances.many
    for cell in answer.cells:
        place = None if cell.label is None else chances.place(cell.label)
        if place is not None:
            rows[place] += cell.scored
    return tuple(rows)


def _thresholds(answer: LabelCountsAnswer, chances: Chances, likely: float) -> tuple[float, ...]:
    """The mean probability of each class among its rows; of a class without rows it is `likely`."""
    sums = np.zeros((chances.many, chances.many))
    for cell in answer.cells:
        place = None if cell.label is None else chances.place(cell.label)
        if place is not None:
            sums[place] += cell.chances
    rows = np.array(_scored(answer, chances), np.float64)
    found = confident.thresholds(sums, rows)
    # Not NaN: a question with one would not be equal to itself.
    return tuple(np.where(np.isnan(found), likely, found).tolist())
