"""How much of what trees know of a label they have from each feature, with trees on all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Cost, Measure
from sparkguard.core.source import Source
from sparkguard.measures.grids import Grid


@dataclass(frozen=True)
class TreeFeature:
    """A feature; of a text `ranks` orders its most frequent values, by their hashes, and all others come first."""

    column: Column
    ranks: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ForestAnswer(Answer):
    """The share of the importance that each feature has; all are 0 where no split was worth it."""

    shares: tuple[float, ...]


@dataclass(frozen=True)
class Forest(Measure[ForestAnswer]):
    """What importance has each feature for trees that may use every feature at every split?

    The label is the cell of its value in `grid`, whose classes have `weights`; without weights it is a number.
    """

    source: Source
    features: tuple[TreeFeature, ...]
    label: Column
    grid: Grid
    weights: tuple[float, ...]
    seed: int = 0

    # Spark ML reads the rows for the edges of its bins, then once for trees, which it keeps; a shuffle for each depth.
    cost = Cost(scans=2, shuffles=6)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The features and the label."""
        return {self.source: (*(f.column for f in self.features), self.label)}

    def __str__(self) -> str:
        """For the plan."""
        return f"trees of {self.label.name} on {len(self.features)} columns of all rows of {self.source}"
