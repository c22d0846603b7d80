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
        area = self.wanted.metric.family == "areas"
        if area:
            yield self._edges
        elif self.wanted.name == "r2":
            yield self._middles
        sums = self._sums(seen)
        if sums is None:
            return
        yield sums
        if area and self.exact and sums in seen:
            yield self._ranked(sums, seen.require(sums))

    def found(self, seen: Evidence) -> tuple[SetScore, ...]:
        """The metric of each set, in their order, once all is answered."""
        sums = self._sums(seen)
        if sums is None:
            first = self._edges if self.wanted.metric.family == "areas" else self._middles
            seen.require(first)
            message = "nothing was asked"
            raise ValueError(message)
        answer, scores = seen.require(sums), []
        for place, (name, cells) in enumerate(zip(self.rows.sets.names, self._cells(answer), strict=True)):
            found = estimate(self.wanted, sums.cell, cells, clustered=bool(self.rows.cluster))
            found = replace(found, clusters=None) if self.by_key else found
            scores.append(SetScore(name, {fate: answer.rows(place, fate) for fate in Fate}, found))
        if self.wanted.metric.family != "areas" or not self.exact:
            return tuple(scores)
        area = seen.require(self._ranked(sums, answer))
        return tuple(
            self._exact(score, area, at, cells)
            for at, (score, cells) in enumerate(zip(scores, self._cells(answer), strict=True))
        )

    def differences(self, seen: Evidence, other: Scoring) -> tuple[Error, ...]:
        """How sure the difference to what another model told of the same rows is, for each set."""
        mine, theirs = self._sums(seen), other._sums(seen)
        if mine is None or theirs is None or not self.rows.cluster:
            return (UNTOLD,) * len(self.rows.sets.names)
        both = zip(self._cells(seen.require(mine)), other._cells(seen.require(theirs)), strict=True)
        cells = (mine.cell, theirs.cell)
        return tuple(difference(self.wanted, cells, one, another) for one, another in both)

    def against(self, seen: Evidence, told: str | float) -> tuple[float, Error]:
        """The metric of the first set if always the same had been told, and how sure the difference to it is."""
        sums = self._sums(seen)
        if sums is None:
            return math.nan, UNTOLD
        cells = self._cells(seen.require(sums))[0]
        if not cells:
            return math.nan, UNTOLD
        return against_constant(self.wanted, sums.cell, cells, told, clustered=bool(self.rows.cluster))

    def gap(self, seen: Evidence, one: int, other: int) -> Error:
        """How sure the difference of the metrics of two sets is, which share clusters or are independent."""
        sums = self._sums(seen)
        if sums is None:
            return UNTOLD
        mine, theirs = (self._cells(seen.require(sums))[place] for place in (one, other))
        if self.rows.cluster:
            return difference(self.wanted, (sums.cell, sums.cell), mine, theirs)
        errors = [estimate(self.wanted, sums.cell, cells, clustered=False).error for cells in (mine, theirs)]
        return Error(math.hypot(*(e.value for e in errors)), min(e.freedom for e in errors), 0)

    def require_positives(self, seen: Evidence) -> None:
        """`DataError` if one class is set against the rest, and no row that is judged is of that class."""
        sums = self._sums(seen)
        if sums is None or not self.wanted.binary:
            return
        cells = seen.require(sums).cells
        if cells and not any(cell.key[0] == 1 for cell in cells):
            label, positive = self.rows.label.name, self.wanted.positive
            rows = sum(cell.rows for cell in cells)
            message = f"in none of {count(rows, 'row')} the label '{label}' is {positive}, the positive class"
            raise DataError(message, "name the positive class as the label has it: positive")

    def missing(self, seen: Evidence) -> bool:
        """Whether a set is known to have no rows."""
        sums = self._sums(seen)
        if sums is None or sums not in seen:
            return False
        there = {place for place, _ in seen.require(sums).fates}
        return len(there) < len(self.rows.sets.names)

    @property
    def _folds(self) -> int:
        return self.wanted.folds(len(self.rows.sets.names)) if self.rows.cluster else 1

    @property
    def _edges(self) -> ScoreEdges:
        return ScoreEdges(self.rows, self.wanted.positive, bins_of(len(self.rows.sets.names)))

    @property
    def _middles(self) -> Scored:
        return Scored(self.rows, Cell(), (FromAnchor((0.0,) * len(self.rows.sets.names), 1),))

    def _sums(self, seen: Evidence) -> Scored | None:
        """The sums that the metric is of; None while it is unknown where bins or the middle are."""
        edges: tuple[float, ...] = ()
        anchors: tuple[float, ...] = ()
        if self.wanted.metric.family == "areas":
            if self._edges not in seen:
                return None
            edges = seen.require(self._edges).edges
        elif self.wanted.name == "r2":
            if self._middles not in seen:
                return None
            sums = {cell.place: cell.sums for cell in seen.require(self._middles).cells}
            known = (sums.get(place, (0.0, 0.0)) for place in range(len(self.rows.sets.names)))
            anchors = tuple(label / weight if weight else 0.0 for weight, label in known)
        return Scored(self.rows, self.wanted.cell(edges), self.wanted.values(anchors), self._folds)

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

    def _exact(self, score: SetScore, area: Area, place: int, cells: Sequence[SetCell]) -> SetScore:
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
        return replace(score, estimate=replace(score.estimate, value=value, margin=0.0))
