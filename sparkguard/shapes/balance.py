"""The classes of labels: their shares, those of the training set, and both in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparkguard.core.text import count, few, percent
from sparkguard.measures.labels import LabelCountsAnswer
from sparkguard.stats.balance import Shares, margins, missing, shares_by_groups, shares_by_rows
from sparkguard.stats.homogeneity import Floats

Number = tuple[float] | tuple[float, float, str]
"""A number, and where it is not exact its margin and what it comes from."""
ABSENT_BY_CHANCE = 0.001
"""Of classes that are missing one is missed by chance less likely than so."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ClassShare:
    """A class: its rows, its share of the rows with a label, that of the training set, and how far both may be off.

    `learnt` are the rows that a model learns from: of the training set where there is one.
    """

    name: str
    rows: int
    share: float
    learnt: int
    trained: float | None = None
    margin: float = 0.0
    missed: bool = False
    """Whether it is in the training set, not here, and that is more than chance."""

    @property
    def shift(self) -> float | None:
        """By how much its share is larger than in the training set."""
        return None if self.trained is None else self.share - self.trained

    @property
    def new(self) -> bool:
        """Whether the training set has none of it."""
        return self.trained is not None and not self.learnt

    def rare(self, fewest: int) -> bool:
        """Whether a model learns from some of its rows, but from fewer than so many."""
        return 0 < self.learnt < fewest

    def numbers(self, fewest: int) -> Mapping[str, Number]:
        """What it adds to the quantities of the whole."""
        found: dict[str, Number] = {"rare_classes": (float(self.rare(fewest)),)}
        if self.shift is not None:
            found["new_classes"], found["missing_classes"] = (float(self.new),), (float(self.missed),)
            found["l_infinity_distance"] = (abs(self.shift), self.margin, "sample")
        return found

    def told(self, fewest: int, doubted: int | None) -> str:
        """The class in words."""
        words = [f"{count(self.rows, 'row')}, {percent(self.share)}"]
        if self.new:
            words.append("in training there is none")
        elif self.trained is not None:
            sure = (
                f"the difference ± {percent(self.margin)}"
                if math.isfinite(self.margin)
                else "too few clusters to compare"
            )
            words.append(f"in training {percent(self.trained)} ({sure})")
        where = "" if self.trained is None else f" of {count(self.learnt, 'row')} in training"
        words += [f"rare{where}: fewer than {fewest:,} rows"] if self.rare(fewest) else []
        words += [f"{count(doubted, 'label')} in doubt"] if doubted else []
        return f"class {self.name}: {'; '.join(words)}"


@dataclass(frozen=True)
class Balance:
    """The classes with the most rows first; rows without a label."""

    classes: tuple[ClassShare, ...]
    unlabelled: int

    @property
    def present(self) -> tuple[ClassShare, ...]:
        """The classes that have rows."""
        return tuple(one for one in self.classes if one.rows)

    @property
    def rows(self) -> int:
        """Rows with a label."""
        return sum(one.rows for one in self.classes)

    @property
    def learnt(self) -> int:
        """Rows with a label that a model learns from."""
        return sum(one.learnt for one in self.classes)

    @property
    def trained(self) -> bool:
        """Whether there is a training set."""
        return any(one.trained is not None for one in self.classes)

    def numbers(self, fewest: int) -> Mapping[str, Number]:
        """The quantities."""
        found: dict[str, Number] = {"classes": (len(self.present),), "unlabelled_rows": (self.unlabelled,)}
        found["rare_classes"] = (sum(one.rare(fewest) for one in self.classes),)
        if self.trained:
            found["new_classes"] = (sum(one.new for one in self.classes),)
            found["missing_classes"] = (sum(one.missed for one in self.classes),)
            shifts = [(abs(one.shift or 0.0), one.margin) for one in self.classes]
            largest = max(shift for shift, _ in shifts)
            # The true one is at least the least of one class, and at most the most of any.
            low, high = max(shift - margin for shift, margin in shifts), max(map(sum, shifts))
            found["l_infinity_distance"] = (largest, max(largest - low, high - largest), "sample")
        return found

    def told(self, fewest: int, *, named: bool) -> Iterator[str]:
        """The classes in words, with their names or only their number."""
        present = self.present
        shares = f": {few([f'{one.name} {percent(one.share)}' for one in present], _SHOWN)}" if named else ""
        apart = f"; {count(self.unlabelled, 'row')} without a label set apart" if self.unlabelled else ""
        yield f"{count(len(present), 'class', 'classes')} of {count(self.rows, 'row')}{shares}{apart}"
        of = " in training" if self.trained else ""
        kinds = {
            f"with fewer than {fewest:,} rows{of}": [one.name for one in self.classes if one.rare(fewest)],
            "that training has none of": [one.name for one in self.classes if one.new],
            "of training missing": [one.name for one in self.classes if one.missed],
        }
        for what, names in kinds.items():
            if names:
                yield f"{count(len(names), 'class', 'classes')} {what}" + (f": {few(names, _SHOWN)}" if named else "")
        if self.trained:
            most = max(self.classes, key=lambda one: abs(one.shift or 0.0))
            of = f"of {most.name} " if named else ""
            yield f"the share {of}is {percent(most.share)}, in training {percent(most.trained or 0.0)}"


def balance_of(mine: LabelCountsAnswer, trained: LabelCountsAnswer | None, confidence: float, folds: int) -> Balance:
    """The classes of some rows, against those of the training set where there is one."""
    every = (cell.label for answer in (mine, trained) if answer is not None for cell in answer.cells)
    names = sorted({label for label in every if label is not None})
    unlabelled = sum(cell.rows for cell in mine.cells if cell.label is None)
    if not names:
        return Balance((), unlabelled)
    here = _counts(mine, names, folds)
    whole = here.rows.sum(axis=0).astype(int).tolist()
    own = _shares(here)
    there = None if trained is None else _counts(trained, names, folds)
    if there is None or not there.rows.sum():
        found = [ClassShare(name, n, share, n) for name, n, share in zip(names, whole, own.share.tolist(), strict=True)]
        return Balance(_most_first(found), unlabelled)
    other = _shares(there)
    learnt = there.rows.sum(axis=0)
    having = learnt if folds == 1 else there.clusters.sum(axis=0)
    rare = missing(here.many, there.many, having) < ABSENT_BY_CHANCE / len(names)
    shifted = zip(
        names,
        whole,
        own.share.tolist(),
        learnt.astype(int).tolist(),
        other.share.tolist(),
        margins(own, other, confidence).tolist(),
        (rare & (here.rows.sum(axis=0) == 0)).tolist(),
        strict=True,
    )
    return Balance(_most_first(ClassShare(*one) for one in shifted), unlabelled)


def _most_first(classes: Iterable[ClassShare]) -> tuple[ClassShare, ...]:
    return tuple(sorted(classes, key=lambda one: (-one.rows, one.name)))


class _Counts(NamedTuple):
    """Rows and clusters (G, K) by group of clusters and class."""

    rows: Floats
    clusters: Floats

    @property
    def many(self) -> float:
        """All rows, or at least so many clusters: those of each group's class with the most."""
        return float(self.rows.sum() if len(self.rows) == 1 else self.clusters.max(axis=1).sum())


def _counts(answer: LabelCountsAnswer, names: Sequence[str], folds: int) -> _Counts:
    found = _Counts(np.zeros((folds, len(names))), np.zeros((folds, len(names))))
    place = {name: i for i, name in enumerate(names)}
    for cell in answer.cells:
        if cell.label is not None:
            found.rows[cell.fold, place[cell.label]] += cell.rows
            found.clusters[cell.fold, place[cell.label]] += cell.clusters
    return found


def _shares(counts: _Counts) -> Shares:
    return shares_by_rows(counts.rows[0]) if len(counts.rows) == 1 else shares_by_groups(counts.rows, counts.many)
