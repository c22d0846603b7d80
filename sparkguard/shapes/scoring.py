"""What is asked about a metric of sets, and when: sums first, then what lies inside of the bins of a score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import count
from sparkguard.errors import DataError
from sparkguard.measures.ranked import Area, Ranked, ScoreEdges
from sparkguard.measures.scored import Fate, Scored, ScoredAnswer, ScoredRows, SetCell
from sparkguard.measures.scored_cells import Cell, FromAnchor, ScoreBins
from sparkguard.shapes.estimates import Estimate, against_constant, difference, estimate
from sparkguard.shapes.metrics import Wanted, bins_of
from sparkguard.stats.intervals import UNTOLD, Error


@dataclass(frozen=True)
class SetScore:
    """A set: its rows by their fate, and its metric."""

    name: str
    fates: dict[Fate, int]
    estimate: Estimate

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.fates.values())

    @property
    def judged(self) -> int:
        """Those that the metric is of."""
        return self.fates.get(Fate.JUDGED, 0)


@dataclass(frozen=True)
class Scoring:
    """The questions about a metric of some rows; without `exact` an area is that of the binned score."""

    wanted: Wanted
    rows: ScoredRows
    exact: bool = True
    by_key: bool = False
    """Whether what the rows' clusters are named by are rows, taken as independent."""

    def ask(self, seen: Evidence) -> Iterator[Measure[Answer]]:
        """All that can be asked by now."""
        if self._first is not None:
            yield self._first
            if self._first not in seen:
                return
        sums = self._sums(seen)
        yield sums
        if self._ordered and sums in seen:
            yield self._ranked(sums, seen.require(sums))

    def found(self, seen: Evidence) -> tuple[SetScore, ...]:
        """The metric of each set, in their order, once all is answered."""
        sums, answer = self._answered(seen)
        area = seen.require(self._ranked(sums, answer)) if self._ordered else None
        scores = []
        for place, (name, cells) in enumerate(zip(self.rows.sets.names, self._cells(answer), strict=True)):
            found = estimate(self.wanted, sums.cell, cells, clustered=bool(self.rows.cluster))
            found = replace(found, clusters=None) if self.by_key else found
            found = found if area is None else self._exact(found, area, place, cells)
            scores.append(SetScore(name, {fate: answer.rows(place, fate) for fate in Fate}, found))
        return tuple(scores)

    def differences(self, seen: Evidence, other: Scoring) -> tuple[Error, ...]:
        """How sure the difference to what another model told of the same rows is, for each set."""
        if not self.rows.cluster:
            return (UNTOLD,) * len(self.rows.sets.names)
        (mine, answer), (theirs, others) = self._answered(seen), other._answered(seen)
        cells, both = (mine.cell, theirs.cell), zip(self._cells(answer), other._cells(others), strict=True)
        return tuple(difference(self.wanted, cells, one, another) for one, another in both)

    def against(self, seen: Evidence, told: str | float) -> tuple[float, Error]:
        """The metric of the first set if always the same had been told, and how sure the difference to it is."""
        sums, answer = self._answered(seen)
        cells = self._cells(answer)[0]
        if not cells:
            return math.nan, UNTOLD
        return against_constant(self.wanted, sums.cell, cells, told, clustered=bool(self.rows.cluster))

    def gap(self, seen: Evidence, one: int, other: int) -> Error:
        """How sure the difference of the metrics of two sets is, which share clusters or are independent."""
        sums, answer = self._answered(seen)
        mine, theirs = (self._cells(answer)[place] for place in (one, other))
        if self.rows.cluster:
            return difference(self.wanted, (sums.cell, sums.cell), mine, theirs)
        errors = [estimate(self.wanted, sums.cell, cells, clustered=False).error for cells in (mine, theirs)]
        return Error(math.hypot(*(e.value for e in errors)), min(e.freedom for e in errors), 0)

    def require_positives(self, seen: Evidence) -> None:
        """`DataError` if one class is set against the rest, and no row that is judged is of that class."""
        _, answer = self._answered(seen)
        if self.wanted.binary and answer.cells and not any(cell.key[0] == 1 for cell in answer.cells):
            label, positive = self.rows.label.name, self.wanted.positive
            rows = sum(cell.rows for cell in answer.cells)
            message = f"in none of {count(rows, 'row')} the label '{label}' is {positive}, the positive class"
            raise DataError(message, "name the positive class as the label has it: positive")

    def missing(self, seen: Evidence) -> bool:
        """Whether a set is known to have no rows."""
        if (self._first is not None and self._first not in seen) or self._sums(seen) not in seen:
            return False
        _, answer = self._answered(seen)
        return len({place for place, _ in answer.fates}) < len(self.rows.sets.names)

    @property
    def _ordered(self) -> bool:
        """Whether scores are ordered inside of the bins."""
        return self.wanted.metric.family == "areas" and self.exact

    @property
    def _first(self) -> ScoreEdges | Scored | None:
        """What must be known before the sums: where bins are, or the middle of the labels."""
        sets = len(self.rows.sets.names)
        if self.wanted.metric.family == "areas":
            return ScoreEdges(self.rows, self.wanted.positive, bins_of(sets))
        return Scored(self.rows, Cell(), (FromAnchor((0.0,) * sets, 1),)) if self.wanted.name == "r2" else None

    def _sums(self, seen: Evidence) -> Scored:
        """The sums that the metric is of, given what must be known before."""
        edges: tuple[float, ...] = ()
        anchors: tuple[float, ...] = ()
        sets = len(self.rows.sets.names)
        if isinstance(self._first, ScoreEdges):
            edges = seen.require(self._first).edges
        elif self._first is not None:
            sums = {cell.place: cell.sums for cell in seen.require(self._first).cells}
            known = (sums.get(place, (0.0, 0.0)) for place in range(sets))
            anchors = tuple(label / weight if weight else 0.0 for weight, label in known)
        folds = self.wanted.folds(sets) if self.rows.cluster else 1
        return Scored(self.rows, self.wanted.cell(edges), self.wanted.values(anchors), folds)

    def _answered(self, seen: Evidence) -> tuple[Scored, ScoredAnswer]:
        """The sums and what they are; `DataError` if they are broken."""
        sums = self._sums(seen)
        return sums, seen.require(sums)

    def _ranked(self, sums: Scored, answer: ScoredAnswer) -> Ranked:
        """The order inside of the bins, given what lies above each."""
        cell = sums.cell
        if not isinstance(cell, ScoreBins):
            raise TypeError
        above = []
        for cells in self._cells(answer):
            weight = [[0.0] * cell.bins, [0.0] * cell.bins]
            for one in cells:
                weight[int(one.key[0])][int(one.key[1])] += one.sums[0]
            higher = [[math.fsum(side[at + 1 :]) for at in range(cell.bins)] for side in weight]
            above.append(tuple(zip(*higher, strict=True)))
        return Ranked(self.rows, cell, tuple(above))

    def _cells(self, answer: ScoredAnswer) -> Sequence[Sequence[SetCell]]:
        """The cells of each set."""
        found: list[list[SetCell]] = [[] for _ in self.rows.sets.names]
        for cell in answer.cells:
            found[cell.place].append(cell)
        return found

    def _exact(self, found: Estimate, area: Area, place: int, cells: Sequence[SetCell]) -> Estimate:
        """The area of the scores themselves, with the error of that of the bins."""
        weight = [0.0, 0.0]
        for cell in cells:
            weight[int(cell.key[0])] += cell.sums[0]
        wrong, right = weight
        value = math.nan
        if right and self.wanted.name == "average_precision":
            value = area.precision[place] / right
        elif right and wrong:
            value = 1 - area.lost[place] / (right * wrong)
        return replace(found, value=value, margin=0.0)
