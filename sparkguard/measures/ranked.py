"""Exact areas under curves: bins of equal shares first, then what lies inside of each bin.

An area counts pairs of rows, so it does not add up over parts. But what lies above a bin is known from sums of
the bins, and then each bin can be ordered by itself: no sort of all scores in one task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sparkguard.core.measure import Answer, Cost, Keyed, Rows
from sparkguard.core.source import Source
from sparkguard.measures.scored import Fate, OfScoredRows, ScoredRow
from sparkguard.measures.scored_cells import ScoreBins

BINS = 64
"""Bins of about equal shares of each class: in SQL one deep condition, which is still compiled."""


@dataclass(frozen=True)
class Edges(Answer):
    """Ascending scores."""

    edges: tuple[float, ...]


@dataclass(frozen=True)
class ScoreEdges(OfScoredRows[Edges]):
    """Which scores cut the rows of all sets into bins of about equal shares, half of the edges by each class?

    Any answer is right: it only says how the work is cut.
    """

    positive: str
    bins: int = BINS

    @property
    def cost(self) -> Cost:
        """One read of each source; each task sends a sketch."""
        return Cost(scans=len(self.sources), shuffles=1)

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of a class that lie below its edges."""
        half = self.bins // 2
        return tuple(i / half for i in range(1, half))

    def twin(self, tables: Mapping[Source, Rows]) -> Edges:
        """Quantiles of each class."""
        edges: set[float] = set()
        for positive in (False, True):
            scores = sorted(
                float(row.told)
                for row in self.rows.rows(tables)
                if row.fate is Fate.JUDGED and (row.label == self.positive) is positive
            )
            edges |= {scores[math.ceil(share * len(scores)) - 1] for share in self.shares if scores}
        return Edges(tuple(sorted(edges)))

    def __str__(self) -> str:
        """For the plan."""
        return f"quantiles of {self.rows}"


@dataclass(frozen=True)
class Area(Answer):
    """Of each set: the pairs (by weight) that are lost, and the sum of weight × precision over its positives.

    A pair is lost if the negative scores higher than the positive, and half of it if both score alike.
    """

    lost: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Ranked(OfScoredRows[Area], Keyed[Area]):
    """How are the scores of each set ordered inside of the bins?

    `above` has, for each set and bin of ascending score, the weight of negatives and of positives in higher bins.
    """

    bins: ScoreBins
    above: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def cost(self) -> Cost:
        """One read of each source; a shuffle by score, and one of different scores by bin."""
        return Cost(scans=len(self.sources), shuffles=2)

    def twin(self, tables: Mapping[Source, Rows]) -> Area:
        """Score by score, from the highest."""
        sets = len(self.rows.sets.names)
        lost, precision = [0.0] * sets, [0.0] * sets
        for place in range(sets):
            for at, rows in self._by_bin(tables, place).items():
                wrong, right = self.above[place][at]
                for score in sorted({row.told for row in rows}, reverse=True):
                    no, yes = (
                        math.fsum(r.weight for r in rows if r.told == score and (r.label == self.bins.positive) is p)
                        for p in (False, True)
                    )
                    lost[place] += yes * (wrong + no / 2)
                    wrong, right = wrong + no, right + yes
                    precision[place] += yes * right / (right + wrong) if yes else 0
        return Area(tuple(lost), tuple(precision))

    def _by_bin(self, tables: Mapping[Source, Rows], place: int) -> Mapping[int, list[ScoredRow]]:
        found: dict[int, list[ScoredRow]] = {}
        for row in self.rows.rows(tables):
            if row.place == place and row.fate is Fate.JUDGED:
                found.setdefault(int(self.bins.key(row.label, row.told)[1]), []).append(row)
        return found

    def __str__(self) -> str:
        """For the plan."""
        return f"order of scores of {self.rows}"
