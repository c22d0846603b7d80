"""The metric of a set in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sparkguard.core.finding import Quantity
from sparkguard.core.text import count, number, short
from sparkguard.core.threshold import Bound
from sparkguard.measures.classes import ROUNDING
from sparkguard.measures.scored import Fate
from sparkguard.shapes.scoring import SetScore
from sparkguard.shapes.scoring_fields import ScoringCheck
from sparkguard.stats.intervals import FEWEST_CLUSTERS, Error, Interval, difference_interval

_CLASSES_SHOWN = 3
_NOISE = 1e-12
"""The part of a number in which the order of sums shows."""


def apart(one: float, other: float) -> float:
    """The difference of two numbers, without the noise of their last digits: 0.85 - 0.83 is 0.02."""
    difference = one - other
    if abs(difference) <= _NOISE * max(abs(one), abs(other)):
        return 0.0
    return float(f"{difference:.12g}")


def with_ends(
    name: str, value: float, interval: Interval, margin: float = 0.0, exactness: str = "exact"
) -> dict[str, Quantity]:
    """A number and the ends of its interval, as `name`, `name_lower` and `name_upper`."""
    found = {"": value, "_lower": interval.low, "_upper": interval.high}
    return {f"{name}{end}": Quantity(one, margin, exactness) for end, one in found.items()}


def limited(bound: Bound, *, broken: bool, unsure: bool = False) -> str:
    """`at least 0.8`, `below the minimum 0.8`, or that nobody can say: `close to the minimum 0.8`."""
    higher = bound.comparison == "<"
    limit = f"the {'minimum' if higher else 'maximum'} {number(bound.limit)}"
    if broken:
        return f"{'below' if higher else 'above'} {limit}"
    return f"close to {limit}" if unsure else f"{'at least' if higher else 'at most'} {number(bound.limit)}"


@dataclass(frozen=True)
class Regression:
    """What a model and a baseline do on the same rows, and how sure the difference is."""

    mine: SetScore
    baseline: SetScore
    error: Error

    @property
    def value(self) -> float:
        """By how much the metric is worse; NaN where one of both is not defined."""
        mine, baseline = self.mine.estimate, self.baseline.estimate
        higher = mine.wanted.metric.higher_is_better
        return apart(baseline.value, mine.value) if higher else apart(mine.value, baseline.value)

    @property
    def interval(self) -> Interval:
        """Where the true difference lies."""
        return difference_interval(self.value, self.error, self.mine.estimate.wanted.confidence)

    @property
    def improved(self) -> bool:
        """Whether the metric is better than the baseline's."""
        return self.value < 0

    @property
    def way(self) -> str:
        """`up: 0.8 → 0.9`."""
        mine, baseline = self.mine.estimate.value, self.baseline.estimate.value
        return f"{'up' if mine > baseline else 'down'}: {short(baseline, 4)} → {short(mine, 4)}"

    @property
    def numbers(self) -> Mapping[str, Quantity]:
        """The quantities."""
        margin = self.mine.estimate.margin + self.baseline.estimate.margin
        exactness = "sketch" if margin else "exact"
        base = Quantity(self.baseline.estimate.value, self.baseline.estimate.margin, exactness)
        return {"baseline": base, **with_ends("regression", self.value, self.interval, margin, exactness)}

    @property
    def told(self) -> str:
        """`0.06 worse than the 0.85 of the baseline (0.01 to 0.11, significant)`."""
        value, baseline = self.value, self.baseline.estimate.value
        if math.isnan(value):
            return "not comparable with the baseline"
        if value == 0:
            return f"the same as the {short(baseline)} of the baseline"
        low, high = self.interval.low, self.interval.high
        sure = "give cluster or key to know whether by chance"
        if not math.isnan(low):
            ends = (low, high) if value > 0 else (-high, -low)
            sure = f"{short(ends[0])} to {short(ends[1])}, {'' if ends[0] > 0 else 'not '}significant"
        elif self.mine.estimate.clusters is not None:
            sure = f"{count(self.mine.estimate.clusters, 'cluster')}, too few to know whether by chance"
        way = "worse" if value > 0 else "better"
        return f"{short(abs(value))} {way} than the {short(baseline)} of the baseline ({sure})"


class Refusal(NamedTuple):
    """Why the metric of a set would mean nothing, and what to do."""

    reason: str
    remedy: str


def told(score: SetScore, *, classes: bool) -> str:
    """`roc_auc of val is 0.73 (0.72 to 0.74, 31 clusters)`; with `classes` the worst ones are named."""
    found = score.estimate
    name = found.wanted.name
    if math.isnan(found.value):
        return f"{name} of {score.name} is not defined: {_undefined(score)}"
    value = number(found.value) + (f" ± {number(found.margin)}" if found.margin else "")
    named = sorted(found.classes.items(), key=lambda one: one[1])[:_CLASSES_SHOWN] if classes else []
    worst = f" for the worst class, {', '.join(f'{one} {number(share)}' for one, share in named)}" if named else ""
    if found.classes and not named:
        worst = " for the worst class"
    return f"{name} of {score.name} is {value}{worst} ({_sure(score)})"


def rows(fates: Mapping[Fate, int]) -> str:
    """`1,204 rows; 3 rows without a label set apart`."""
    apart = fates.get(Fate.UNLABELLED, 0)
    judged = count(fates.get(Fate.JUDGED, 0), "row")
    return judged + (f"; {count(apart, 'row')} without a label set apart" if apart else "")


def refused(check: ScoringCheck, fates: Mapping[Fate, int], name: str) -> Refusal | None:
    """Rows for which the metric is not made; None if there are none."""
    of = f"of {name}"
    if fates.get(Fate.FOREIGN) and check.of_all:
        return Refusal(
            f"{count(fates[Fate.FOREIGN], 'row')} {of} with a '{check.label}' that probabilities does not name",
            "name the column of each class in probabilities",
        )
    if fates.get(Fate.OUTSIDE) and check.of_all:
        rows = count(fates[Fate.OUTSIDE], "row")
        return Refusal(
            f"{rows} {of} with probabilities that are not from 0 to 1, or do not add up to 1 within {ROUNDING}",
            "name the column of each class in probabilities, once",
        )
    if fates.get(Fate.FOREIGN):
        return Refusal(
            f"{count(fates[Fate.FOREIGN], 'row')} {of} with a '{check.label}' that is none of 1, 0 and -1",
            "say which class is the positive one: positive; or how classes are averaged: average",
        )
    if fates.get(Fate.UNWEIGHTED):
        return Refusal(
            f"{count(fates[Fate.UNWEIGHTED], 'row')} {of} with a '{check.weight}' that is NULL, negative or infinite",
            "correct the weights, or leave such rows out in the dataset's where",
        )
    if fates.get(Fate.OUTSIDE):
        return Refusal(
            f"{count(fates[Fate.OUTSIDE], 'row')} {of} with a score that is no probability ('{check.told}')",
            f"{check.metric} needs a score from 0 to 1; roc_auc and average_precision take any",
        )
    return None


def _sure(score: SetScore) -> str:
    """The interval, and what it counts."""
    found = score.estimate
    low, high = found.interval.low, found.interval.high
    counted = "rows taken as independent" if found.clusters is None else count(found.clusters, "cluster")
    if not math.isnan(low):
        return f"{short(low)} to {short(high)}, {counted}"
    why = ""
    if found.clusters is not None and found.clusters < FEWEST_CLUSTERS:
        why = f"; {FEWEST_CLUSTERS} are needed"
    elif found.clusters is not None and not found.error.known:
        why = f", too few of which hold rows that decide; {FEWEST_CLUSTERS} are needed"
    return f"no interval, {counted}{why}"


def _undefined(score: SetScore) -> str:
    wanted = score.estimate.wanted
    if wanted.metric.family == "areas":
        return f"no label is {wanted.positive}, or all are"
    return "all rows weigh 0"
