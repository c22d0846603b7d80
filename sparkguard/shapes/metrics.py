"""The metrics of predictions: what each needs of a row, and which way is better.

A metric is scikit-learn's of the same name on the same rows; `rmse`, `mae`, `mape` and `calibration_error` have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from sparkguard.measures.ranked import BINS
from sparkguard.measures.scored import MOST_CELLS
from sparkguard.measures.scored_cells import (
    Agreement,
    ByLabel,
    Cell,
    ChanceKind,
    ChanceLoss,
    ClassPairs,
    Constantly,
    Error,
    ErrorKind,
    FromAnchor,
    OneClass,
    Pinball,
    Score,
    ScoreBins,
    ScoreKind,
    Value,
)

Averaging = Literal["binary", "macro", "micro", "weighted", "by_class"]
_FEWEST_FOLDS, _FEW_FOLDS, _MANY_FOLDS = 32, 64, 1_024
"""Groups of clusters: fewer where each has many cells."""
_PAIRS = 4
_MANY_SETS, _FEW_BINS = 30, 16


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: of classes, of predicted numbers, of probabilities, or an area under a curve of scores."""

    family: Literal["classes", "errors", "probabilities", "areas"]
    higher_is_better: bool
    averaged: bool = False

    @property
    def share(self) -> bool:
        """Whether it is a share of rows, of weight or of pairs."""
        return self.family in ("classes", "areas")


_CLASSES = Metric("classes", higher_is_better=True)
_BY_CLASS = Metric("classes", higher_is_better=True, averaged=True)
_AREA = Metric("areas", higher_is_better=True)
_PROBABILITY = Metric("probabilities", higher_is_better=False)
_ERROR = Metric("errors", higher_is_better=False)
METRICS: Mapping[str, Metric] = {
    "accuracy": _CLASSES,
    "balanced_accuracy": _CLASSES,
    "precision": _BY_CLASS,
    "recall": _BY_CLASS,
    "f1": _BY_CLASS,
    "roc_auc": _AREA,
    "average_precision": _AREA,
    "log_loss": _PROBABILITY,
    "brier_score": _PROBABILITY,
    "calibration_error": _PROBABILITY,
    "rmse": _ERROR,
    "mae": _ERROR,
    "mape": _ERROR,
    "r2": Metric("errors", higher_is_better=True),
    "pinball_loss": _ERROR,
}
_ERRORS: Mapping[str, ErrorKind] = {
    "rmse": "squared_error",
    "r2": "squared_error",
    "mae": "absolute_error",
    "mape": "percentage_error",
}


def bins_of(sets: int) -> int:
    """Bins of a score whose area is asked for: fewer where there are many sets."""
    return BINS if sets <= _MANY_SETS else _FEW_BINS


@dataclass(frozen=True)
class Wanted:
    """A metric and its options: which class is positive, from which score on, how classes are averaged, and so on."""

    name: str
    average: Averaging = "binary"
    positive: str = "1"
    threshold: float | None = None
    alpha: float = 0.5
    bins: int = 10
    epsilon: float = 0.0
    confidence: float = 0.95
    constants: tuple[float, ...] = ()
    """Numbers that are always told instead, whose losses are added up beside the metric's own."""
    by_pairs: bool = False
    """Whether an accuracy keeps classes apart."""
    of_all: bool = False
    """Whether all classes have a probability, not only the positive one."""

    @property
    def metric(self) -> Metric:
        """What kind of metric it is."""
        return METRICS[self.name]

    @property
    def binary(self) -> bool:
        """Whether one class is set against the rest."""
        if self.metric.family == "classes":
            return self.threshold is not None or (self.metric.averaged and self.average == "binary")
        return self.metric.family != "errors" and not self.of_all

    def folds(self, sets: int) -> int:
        """Into how many groups clusters are put: as many as the cells of so many sets leave room for."""
        cells = {"areas": 2 * bins_of(sets), "probabilities": 2 * self.bins}.get(self.metric.family, _PAIRS)
        wanted = _FEW_FOLDS if self.metric.family == "areas" or isinstance(self.cell(), ClassPairs) else _MANY_FOLDS
        room = MOST_CELLS // (sets * cells)
        return max(_FEWEST_FOLDS, min(wanted, 1 << max(0, room.bit_length() - 1)))

    def cell(self, edges: tuple[float, ...] = ()) -> Cell:
        """In which cell a row counts."""
        if self.metric.family == "areas":
            return ScoreBins(self.positive, edges)
        if self.name == "calibration_error":
            inner = tuple(float(edge) for edge in np.linspace(0, 1, self.bins + 1)[1:-1])
            return ScoreBins(self.positive, inner, right=True)
        if self.metric.family != "classes":
            return ByLabel(self.positive) if self.binary else Cell()
        if self.binary:
            return OneClass(self.positive, self.threshold)
        return Agreement() if self.name == "accuracy" and not self.by_pairs else ClassPairs()

    def values(self, anchors: tuple[float, ...] = ()) -> tuple[Value, ...]:
        """Which numbers of a row are added up; `anchors` are labels in the middle of each set."""
        own = self._values(anchors)
        return (*own, *(Constantly(own[0], constant) for constant in self.constants if own))

    def _values(self, anchors: tuple[float, ...]) -> tuple[Value, ...]:
        if self.metric.family == "probabilities":
            if self.of_all:
                return (ChanceLoss(cast("ChanceKind", self.name), self.epsilon),)
            kind = "gap" if self.name == "calibration_error" else self.name
            return (Score(cast("ScoreKind", kind), self.positive, self.epsilon),)
        if self.metric.family != "errors":
            return ()
        if self.name == "pinball_loss":
            return (Pinball(self.alpha),)
        error = Error(_ERRORS[self.name])
        return (error, FromAnchor(anchors, 1), FromAnchor(anchors, 2)) if self.name == "r2" else (error,)
