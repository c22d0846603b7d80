"""A baseline beside a model on the same rows, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sparkguard.core.finding import Quantity
from sparkguard.core.text import number, short
from sparkguard.shapes.scoring import SetScore
from sparkguard.shapes.scoring_words import apart, with_ends
from sparkguard.stats.intervals import Error, Interval, difference_interval


@dataclass(frozen=True)
class Rival:
    """A model's score and a baseline's metric on the same rows, and how sure their difference is."""

    name: str
    words: str
    score: SetScore
    value: float
    error: Error
    sampled: bool = False

    @property
    def advantage(self) -> float:
        """By how much the model is better."""
        found = self.score.estimate
        return apart(found.value, self.value) * (1 if found.wanted.metric.higher_is_better else -1)

    @property
    def interval(self) -> Interval:
        """Where the true advantage lies."""
        return difference_interval(self.advantage, self.error, self.score.estimate.wanted.confidence)

    @property
    def numbers(self) -> Mapping[str, Quantity]:
        """The quantities."""
        margin = self.score.estimate.margin
        exactness = "sample" if self.sampled else "sketch" if margin else "exact"
        numbers = with_ends("advantage", self.advantage, self.interval, margin, exactness)
        return {"baseline": Quantity(self.value, 0.0, exactness), **numbers}

    def told(self, margin: float, *, broken: bool) -> str:
        """`, 0.06 better than the 0.87 of always false (0.05 to 0.07)`."""
        advantage = self.advantage
        if math.isnan(advantage):
            return ""
        of = f"the {short(self.value, 4)} of {self.words}"
        if advantage == 0:
            return f", the same as {of}"
        interval = difference_interval(abs(advantage), self.error, self.score.estimate.wanted.confidence)
        sure = "" if math.isnan(interval.low) else f" ({short(interval.low)} to {short(interval.high)})"
        way = "better" if advantage > 0 else "worse"
        wanted = f", where more than {number(margin)} better is wanted" if broken and advantage > 0 else ""
        return f", {short(abs(advantage))} {way} than {of}{sure}{wanted}"
