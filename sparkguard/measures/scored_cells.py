"""In which cell a judged row counts, and which numbers of it are added up; the same in plain Python and in Spark."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal

EPSILON = 2.0**-52
"""Probabilities keep so far from 0 and 1 for a logarithm, labels from 0 for a division, as in scikit-learn."""
FLOAT_EPSILON = 2.0**-23
"""The same of a column of single floats."""

ErrorKind = Literal["squared_error", "absolute_error", "percentage_error"]
ScoreKind = Literal["log_loss", "brier_score", "gap"]
ChanceKind = Literal["log_loss", "brier_score"]


@dataclass(frozen=True)
class Cell:
    """The one cell of all rows."""

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:  # noqa: ARG002 - others need them
        """The cell of a row."""
        return ()

    def __str__(self) -> str:
        """For the plan."""
        return "sums"


@dataclass(frozen=True)
class ClassPairs(Cell):
    """By the label and the prediction, both classes."""

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:
        """Their names."""
        return (str(label), str(told))

    def __str__(self) -> str:
        """For the plan."""
        return "pairs of classes"


@dataclass(frozen=True)
class Agreement(Cell):
    """By whether the prediction is the label."""

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:
        """As a pair of classes: 1 is right."""
        return (1, int(label == told))

    def __str__(self) -> str:
        """For the plan."""
        return "right and wrong"


@dataclass(frozen=True)
class OneClass(Cell):
    """By whether the label is `positive`, and whether that was told: by its name, or a score of `threshold` or more."""

    positive: str
    threshold: float | None = None

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:
        """Both as 0 or 1."""
        said = told == self.positive if self.threshold is None else float(told) >= self.threshold
        return (int(label == self.positive), int(said))

    def __str__(self) -> str:
        """For the plan."""
        return (
            f"one class against the rest, '{self.positive}'," if self.threshold is None else "scores above a threshold"
        )


@dataclass(frozen=True)
class Side(Cell):
    """By whether a number that was told is below the label (-1), the label (0) or above it (1)."""

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:
        """The side."""
        gap = float(told) - float(label)
        return ((gap > 0) - (gap < 0),)

    def __str__(self) -> str:
        """For the plan."""
        return "too low and too high"


@dataclass(frozen=True)
class ByLabel(Cell):
    """By whether the label is `positive`."""

    positive: str

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:  # noqa: ARG002 - others need it
        """As 0 or 1."""
        return (int(label == self.positive),)


@dataclass(frozen=True)
class ScoreBins(Cell):
    """By whether the label is `positive`, and the bin of the score.

    Bin b holds edges[b - 1] <= score < edges[b]; with `right` edges[b - 1] < score <= edges[b].
    """

    positive: str
    edges: tuple[float, ...]
    right: bool = False

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1

    def key(self, label: str | float, told: str | float) -> tuple[int | str, ...]:
        """The class as 0 or 1, and the bin."""
        find = bisect_left if self.right else bisect_right
        return (int(label == self.positive), find(self.edges, float(told)))

    def __str__(self) -> str:
        """For the plan."""
        return f"{self.bins} bins"


@dataclass(frozen=True)
class Value:
    """A number of a row."""

    def of(self, label: str | float, told: str | float, place: int) -> float:
        """Of a row of the set at `place`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Error(Value):
    """An error of a predicted number."""

    kind: ErrorKind

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """The square of the difference, its size, or that as a share of the label's."""
        error = abs(float(label) - float(told))
        if self.kind == "squared_error":
            return error**2
        return error if self.kind == "absolute_error" else error / max(abs(float(label)), EPSILON)


@dataclass(frozen=True)
class Pinball(Value):
    """The loss of a predicted quantile: `alpha` for each unit that it is too low, 1 - alpha if it is too high."""

    alpha: float

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """The loss."""
        error = float(label) - float(told)
        return self.alpha * error if error >= 0 else (self.alpha - 1) * error


@dataclass(frozen=True)
class FromAnchor(Value):
    """The label less the anchor of its set, to a power."""

    anchors: tuple[float, ...]
    power: Literal[1, 2]

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """The distance, or its square."""
        return (float(label) - self.anchors[place]) ** self.power


@dataclass(frozen=True)
class ChanceLoss(Value):
    """A loss of the probabilities of all classes, from what `AllChances` makes one number of."""

    kind: ChanceKind
    epsilon: float = EPSILON

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """The loss."""
        chance = float(told)
        if self.kind == "brier_score":
            return chance
        return -math.log(min(max(chance, self.epsilon), 1 - self.epsilon))


@dataclass(frozen=True)
class Score(Value):
    """A loss of a predicted probability that the label is `positive`, or how much less it is than the truth, 0 or 1."""

    kind: ScoreKind
    positive: str
    epsilon: float = EPSILON

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """The loss, or the gap."""
        truth, score = float(label == self.positive), float(told)
        if self.kind == "log_loss":
            return -math.log(min(max(score if truth else 1 - score, self.epsilon), 1 - self.epsilon))
        return truth - score if self.kind == "gap" else (truth - score) ** 2


@dataclass(frozen=True)
class Constantly(Value):
    """A number of a row if always the same had been told."""

    value: Value
    told: float

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - that is its point
        """Of the label and the constant."""
        return self.value.of(label, self.told, place)


@dataclass(frozen=True)
class Mistake(Value):
    """1 if the predicted class is wrong, else 0; with a `threshold` a score of so much says that it is `positive`."""

    positive: str = ""
    threshold: float | None = None

    def of(self, label: str | float, told: str | float, place: int) -> float:  # noqa: ARG002 - others need it
        """Whether it is wrong."""
        if self.threshold is None:
            return float(label != told)
        return float((label == self.positive) != (float(told) >= self.threshold))
