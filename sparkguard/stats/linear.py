"""A linear model as a baseline: what numbers and frequent values tell without any care."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkguard.errors import DataError
from sparkguard.stats.homogeneity import Floats

MOST_VALUES = 30
"""Values of a text that have a term each."""
_LEAST_ROWS = 30


@dataclass(frozen=True, eq=False)
class Feature:
    """A column of two samples: numbers with NaN where there is none, or hashes of texts with what is missing."""

    train: npt.NDArray[Any]
    judged: npt.NDArray[Any]
    text: bool

    def terms(self) -> tuple[Floats, Floats]:
        """The terms (n, T) of both samples: learnt from the first alone."""
        if self.text:
            values, counts = np.unique(self.train, return_counts=True)
            kept = values[np.argsort(-counts, kind="stable")[:MOST_VALUES]]
            return tuple((side[:, None] == kept).astype(np.float64) for side in (self.train, self.judged))
        known = self.train[np.isfinite(self.train)]
        mean, spread = (known.mean(), known.std()) if len(known) else (0.0, 0.0)
        found = []
        for side in (self.train, self.judged):
            finite = np.isfinite(side)
            scaled = np.where(finite, side - mean, 0.0) / (spread or 1.0)
            found.append(np.stack([scaled, ~finite], axis=1).astype(np.float64))
        return found[0], found[1]


def tell(features: Sequence[Feature], label: npt.NDArray[Any], *, numeric: bool) -> tuple[Any, Floats]:
    """Learn from the first sample, tell of the second: the classes (None of numbers), and numbers or probabilities."""
    try:
        from sklearn.linear_model import LogisticRegression, Ridge
    except ImportError as error:
        message = f"scikit-learn, which fits the linear model, cannot be imported ({error})"
        raise DataError(message, "pip install 'sparkguard[leakage]' for the Python of the driver") from error
    if len(label) < _LEAST_ROWS:
        message = f"{len(label)} rows with a label are too few to fit a linear model; {_LEAST_ROWS} are needed"
        raise DataError(message, "find out whether train has landed, or leave out linear")
    sides = list(zip(*(feature.terms() for feature in features), strict=True))
    train, judged = (np.concatenate(side, axis=1) for side in sides)
    if numeric:
        return None, np.asarray(Ridge().fit(train, label).predict(judged))
    if len(np.unique(label)) == 1:
        return np.unique(label), np.ones((len(judged), 1))
    model = LogisticRegression(max_iter=500).fit(train, label)
    return model.classes_, np.asarray(model.predict_proba(judged))
