"""The metric of a set in words."""

from __future__ import annotations

import math
from typing import NamedTuple

from sparkguard.core.text import count, number
from sparkguard.measures.scored import Fate
from sparkguard.shapes.scoring import SetScore
from sparkguard.stats.intervals import FEWEST_CLUSTERS

_CLASSES_SHOWN = 3


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


def rows(score: SetScore) -> str:
    """`1,204 rows; 3 rows without a label set apart`."""
    apart = score.fates.get(Fate.UNLABELLED, 0)
    return count(score.judged, "row") + (f"; {count(apart, 'row')} without a label set apart" if apart else "")


def refused(score: SetScore, label: str, score_column: str, weight: str) -> Refusal | None:
    """Rows for which the metric is not made; None if there are none."""
    fates, of = score.fates, f"of {score.name} have a"
    if fates.get(Fate.FOREIGN):
        return Refusal(
            f"{count(fates[Fate.FOREIGN], 'row')} {of} '{label}' that is none of 1, 0 and -1",
            "say which class is the positive one: positive; or how classes are averaged: average",
        )
    if fates.get(Fate.UNWEIGHTED):
        return Refusal(
            f"{count(fates[Fate.UNWEIGHTED], 'row')} {of} '{weight}' that is NULL, negative or infinite",
            "correct the weights, or leave such rows out in the dataset's where",
        )
    if fates.get(Fate.OUTSIDE):
        return Refusal(
            f"{count(fates[Fate.OUTSIDE], 'row')} {of} '{score_column}' that is no probability",
            f"{score.estimate.wanted.name} needs a score from 0 to 1; roc_auc and average_precision take any",
        )
    return None


def _sure(score: SetScore) -> str:
    """The interval, and what it counts."""
    found = score.estimate
    low, high = found.interval.low, found.interval.high
    counted = "rows taken as independent" if found.clusters is None else count(found.clusters, "cluster")
    if not math.isnan(low):
        return f"{_short(low)} to {_short(high)}, {counted}"
    few = found.clusters is not None and found.clusters < FEWEST_CLUSTERS
    why = f"; {FEWEST_CLUSTERS} are needed" if few else ""
    return f"no interval, {counted}{why}"


def _short(value: float) -> str:
    """Three digits are enough for where something may lie."""
    return number(float(f"{value:.3g}"))


def _undefined(score: SetScore) -> str:
    wanted = score.estimate.wanted
    if wanted.metric.family == "areas":
        return f"no label is {wanted.positive}, or all are"
    return "all rows weigh 0"
