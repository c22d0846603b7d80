"""Constants as baselines: the most frequent class, the mean, the median, each learnt from a label."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.classes import class_of_text
from sparkguard.measures.profile import Moments
from sparkguard.measures.sketches import Quantiles
from sparkguard.measures.splits import SplitValues
from sparkguard.shapes.scoring import Scoring

Constant = Literal["majority", "mean", "median"]
_MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Constants:
    """The questions: what each of `names` learns from the label of `train`."""

    scoring: Scoring
    train: Source
    label: Column
    names: tuple[Constant, ...]

    def ask(self) -> Iterator[Measure[Answer]]:
        """One question for each."""
        for name in self.names:
            if name == "majority":
                yield self._classes
            else:
                yield self._spread if name == "mean" else self._quantiles

    def learnt(self, seen: Evidence) -> Mapping[str, str | float]:
        """What each always tells; `DataError` if there is no label to learn from."""
        found: dict[str, str | float] = {}
        for name in self.names:
            value = self._value(seen, name)
            if value is None or (isinstance(value, float) and not math.isfinite(value)):
                message = f"no row of '{self.train}' has a finite '{self.label.name}', so no baseline can be learnt"
                raise DataError(message, "find out whether train has landed")
            found[name] = value
        return found

    @property
    def _classes(self) -> SplitValues:
        return SplitValues(self.train, self.label, _MOST_CLASSES)

    @property
    def _spread(self) -> Moments:
        return Moments(self.train, self.label)

    @property
    def _quantiles(self) -> Quantiles:
        return Quantiles(self.train, self.label)

    def _value(self, seen: Evidence, name: Constant) -> str | float | None:
        if name == "majority":
            return self._majority(seen)
        if name == "median":
            return seen.require(self._quantiles).quantile(0.5)
        spread = seen.require(self._spread)
        return spread.mean if spread.n else None

    def _majority(self, seen: Evidence) -> str | float | None:
        """The most frequent class, or of probabilities the share of the positive one."""
        wanted, kind = self.scoring.wanted, self.scoring.rows.label.type
        counts = Counter[str]()
        for text, n in seen.require(self._classes).values:
            name = None if text is None else class_of_text(text, self.label.type, kind)
            counts[name or ""] += n
        del counts[""]
        if not counts:
            return None
        if wanted.metric.family == "classes":
            return max(counts, key=lambda name: counts[name])
        return counts[wanted.positive] / counts.total()
