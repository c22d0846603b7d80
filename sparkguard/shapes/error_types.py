"""A table of error types by splits: which kind of mistake is made where, and what it adds to the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sparkguard.core.evidence import Evidence
from sparkguard.core.text import count, percent
from sparkguard.measures.scored import Scored, ScoredRows
from sparkguard.measures.scored_cells import Cell, ClassPairs, OneClass, Side, Value
from sparkguard.shapes.metrics import Wanted

MOST_TYPES = 10
_HALF = 0.5
_SIDES = {-1: "too low", 1: "too high"}
_PAIRS = {(1, 0): "false negative", (0, 1): "false positive"}


@dataclass(frozen=True, slots=True)
class ErrorType:
    """A kind of mistake in one split: its rows of all judged ones, and the weight of them all.

    `rate` is its share of the weight of the rows, `contribution` that of the loss.
    """

    split: str
    name: str
    rows: int
    judged: int
    rate: float
    contribution: float
    by: str = ""

    def told(self, elsewhere: str) -> str:
        """In words, with what it is in other splits."""
        return (
            f"{self.name}: {count(self.rows, 'row')} of {self.judged:,} ({percent(self.rate)}{self.by}), "
            f"{percent(self.contribution)} of the loss{elsewhere}"
        )


@dataclass(frozen=True)
class ErrorTypes:
    """The question: the loss of each split by the kind of mistake."""

    rows: ScoredRows
    loss: Value
    wanted: Wanted

    @property
    def asked(self) -> Scored:
        """One read for all splits."""
        return Scored(self.rows, self._cell, (self.loss,))

    def found(self, seen: Evidence) -> Iterator[tuple[ErrorType, str]]:
        """Each split's mistakes, those first that add most in all splits, and each one's rate in the other splits."""
        answer = seen.require(self.asked)
        names = self.rows.sets.names
        table: dict[tuple[str, str], ErrorType] = {}
        total: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for place, split in enumerate(names):
            cells = [cell for cell in answer.cells if cell.place == place]
            weight, loss = (sum(cell.sums[i] for cell in cells) for i in (0, 1))
            judged = sum(cell.rows for cell in cells)
            by = "" if self.rows.weight is None else " by weight"
            for cell in cells:
                name = self._name(cell.key)
                if name is not None and weight:
                    part = cell.sums[1] / loss if loss else 0.0
                    table[split, name] = ErrorType(split, name, cell.rows, judged, cell.sums[0] / weight, part, by)
                    total[name] = total.get(name, 0.0) + cell.sums[1]
            sizes |= {split: judged} if weight else {}
        for name in sorted(total, key=lambda one: (-total[one], one))[:MOST_TYPES]:
            row = [table.get((split, name), ErrorType(split, name, 0, n, 0.0, 0.0)) for split, n in sizes.items()]
            for one in row:
                others = ", ".join(f"in {other.split} {percent(other.rate)}" for other in row if other is not one)
                yield one, f"; {others}" if others else ""

    def missing(self, seen: Evidence) -> tuple[str, ...]:
        """The splits without a row that is judged and has a weight."""
        places = {cell.place for cell in seen.require(self.asked).cells if cell.sums[0]}
        return tuple(name for place, name in enumerate(self.rows.sets.names) if place not in places)

    @property
    def _cell(self) -> Cell:
        family = self.wanted.metric.family
        if family == "errors":
            return Side()
        if family == "probabilities":
            return OneClass(self.wanted.positive, _HALF)
        return ClassPairs() if self.wanted.threshold is None else OneClass(self.wanted.positive, self.wanted.threshold)

    def _name(self, key: tuple[int | str, ...]) -> str | None:
        """The kind of mistake of a cell; None for no mistake."""
        if isinstance(self._cell, Side):
            return _SIDES.get(int(key[0]))
        if isinstance(self._cell, OneClass):
            return _PAIRS.get((int(key[0]), int(key[1])))
        label, told = key
        return None if label == told else f"{label} taken for {told}"
