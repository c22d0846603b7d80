"""Metrics of classes from the weight of each pair of a label and a prediction, as scikit-learn defines them.

Where a class is never predicted its precision is 0, where it never occurs its recall is 0, and where neither
its F1 is 0 (scikit-learn's `zero_division`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.ratios import ratio

ByClass = Literal["precision", "recall", "f1"]
Average = Literal["macro", "micro", "weighted"]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Cells (C,) of one label and one prediction each, numbers of classes below `classes`.

    Its metrics are functions of sums (..., C, 1): the weight of each cell.
    """

    labels: npt.NDArray[np.int64]
    predictions: npt.NDArray[np.int64]
    classes: int

    def accuracy(self, sums: Floats) -> Floats:
        """The share of the weight whose prediction is right."""
        right, there, _ = self._by_class(sums)
        return ratio(right.sum(axis=-1), there.sum(axis=-1))

    def balanced_accuracy(self, sums: Floats) -> Floats:
        """The mean recall of the classes that occur."""
        right, there, _ = self._by_class(sums)
        occurs = there > 0
        return ratio(ratio(right, there, 0.0).sum(axis=-1), occurs.sum(axis=-1))

    def of_class(self, metric: ByClass, sums: Floats, number: int) -> Floats:
        """A metric of one class; NaN where there is no weight at all."""
        found = self._each(metric, sums)[..., number]
        return np.where(sums.sum(axis=(-1, -2)) > 0, found, np.nan)

    def average(self, metric: ByClass, sums: Floats, average: Average) -> Floats:
        """A metric over all classes that occur or are predicted: their mean, by their weight, or of all rows as one."""
        right, there, told = self._by_class(sums)
        weight = there.sum(axis=-1)
        if average == "micro":
            return ratio(right.sum(axis=-1), weight)
        each = self._each(metric, sums)
        share = there if average == "weighted" else ((there > 0) | (told > 0)).astype(np.float64)
        return ratio((each * share).sum(axis=-1), np.where(weight > 0, share.sum(axis=-1), 0))

    def _each(self, metric: ByClass, sums: Floats) -> Floats:
        right, there, told = self._by_class(sums)
        if metric == "precision":
            return ratio(right, told, 0.0)
        return ratio(right, there, 0.0) if metric == "recall" else ratio(2 * right, there + told, 0.0)

    def _by_class(self, sums: Floats) -> tuple[Floats, Floats, Floats]:
        """The weight of each class (..., K) that is right, that occurs, and that is predicted."""
        weight = sums[..., 0]
        is_label, is_told = self._members
        return weight @ (is_label * is_told), weight @ is_label, weight @ is_told

    @cached_property
    def _members(self) -> tuple[Floats, Floats]:
        """Whether each class (C, K) is the label of a cell, and its prediction."""
        classes = np.eye(self.classes)
        return classes[self.labels], classes[self.predictions]
