"""What is asked about a metric of sets, and when: sums first, then what lies inside of the bins of a score."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.measures.ranked import Ranked, ScoreEdges
from sparkguard.measures.scored import Fate, Scored, ScoredAnswer, ScoredRows
from sparkguard.measures.scored_cells import Cell, FromAnchor, ScoreBins
from sparkguard.shapes.estimates import Estimate, estimate
from sparkguard.shapes.metrics import Wanted


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
        answer = seen.require(sums)
        scores = []
        for place, name in enumerate(self.rows.sets.names):
            cells = [cell for cell in answer.cells if cell.place == place]
            found = estimate(self.wanted, sums.cell, cells, clustered=bool(self.rows.cluster))
            fates = {fate: answer.rows(place, fate) for fate in Fate}
            scores.append(SetScore(name, fates, found))
        if self.wanted.metric.family != "areas" or not self.exact:
            return tuple(scores)
        return tuple(self._exactly(seen, sums, answer, scores))

    def missing(self, seen: Evidence) -> bool:
        """Whether a set is known to have no rows."""
        sums = self._sums(seen)
        if sums is None or sums not in seen:
            return False
        there = {place for place, _ in seen.require(sums).fates}
        return len(there) < len(self.rows.sets.names)

    @property
    def _folds(self) -> int:
        return self.wanted.folds if self.rows.cluster else 1

    @property
    def _edges(self) -> ScoreEdges:
        return ScoreEdges(self.rows, self.wanted.positive)

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
        for place in range(len(self.rows.sets.names)):
            weight = [[0.0] * cell.bins, [0.0] * cell.bins]
            for one in answer.cells:
                if one.place == place:
                    weight[int(one.key[0])][int(one.key[1])] += one.sums[0]
            higher = [[math.fsum(side[at + 1 :]) for at in range(cell.bins)] for side in weight]
            above.append(tuple(zip(*higher, strict=True)))
        return Ranked(self.rows, cell, tuple(above))

    def _exactly(
        self, seen: Evidence, sums: Scored, answer: ScoredAnswer, scores: list[SetScore]
    ) -> Iterator[SetScore]:
        """The areas of the scores themselves, with the errors of those of the bins."""
        area = seen.require(self._ranked(sums, answer))
        for place, score in enumerate(scores):
            weight = [0.0, 0.0]
            for cell in answer.cells:
                if cell.place == place:
                    weight[int(cell.key[0])] += cell.sums[0]
            wrong, right = weight
            value = math.nan
            if right and self.wanted.name == "average_precision":
                value = area.precision[place] / right
            elif right and wrong:
                value = 1 - area.lost[place] / (right * wrong)
            yield replace(score, estimate=replace(score.estimate, value=value, margin=0.0))
