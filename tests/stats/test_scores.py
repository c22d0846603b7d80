"""Metrics from sums are scikit-learn's on the same rows."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from sparkguard.stats import areas, losses
from sparkguard.stats.confusion import Average, ByClass, Confusion

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def weights(many: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, many, elements=st.sampled_from([0.25, 1.0, 1.0, 3.0]))


@st.composite
def classes(draw: st.DrawFn) -> Rows:
    many = draw(st.integers(1, 40))
    numbers = hnp.arrays(np.int64, many, elements=st.integers(0, 3))
    return draw(numbers), draw(numbers), draw(weights(many))


@st.composite
def scores(draw: st.DrawFn, *, both: bool = True) -> Rows:
    many = draw(st.integers(2, 40))
    label = draw(hnp.arrays(np.int64, many, elements=st.integers(0, 1)))
    if both:
        label[:2] = 0, 1
    score = draw(hnp.arrays(np.float64, many, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0])))
    return label, score, draw(weights(many))


def confusion(label: np.ndarray, told: np.ndarray, weight: np.ndarray) -> tuple[Confusion, np.ndarray]:
    cells = [(i, j) for i in range(4) for j in range(4)]
    sums = np.array([[weight[(label == i) & (told == j)].sum()] for i, j in cells])
    return Confusion(np.array([i for i, _ in cells]), np.array([j for _, j in cells]), 4), sums


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@given(classes())
def test_metrics_of_classes_are_those_of_scikit_learn(rows: Rows) -> None:
    label, told, weight = rows
    of, sums = confusion(*rows)
    assert of.accuracy(sums) == pytest.approx(metrics.accuracy_score(label, told, sample_weight=weight), abs=1e-12)
    balanced = quietly(metrics.balanced_accuracy_score, label, told, sample_weight=weight)
    assert of.balanced_accuracy(sums) == pytest.approx(balanced, abs=1e-12)
    truths: dict[ByClass, Callable[..., Any]] = {
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    averages: tuple[Average, ...] = ("macro", "micro", "weighted")
    for name, truth in truths.items():
        for average in averages:
            expected = quietly(truth, label, told, sample_weight=weight, average=average)
            assert of.average(name, sums, average) == pytest.approx(expected, abs=1e-12)
        each = quietly(truth, label, told, sample_weight=weight, average=None, labels=range(4))
        assert [float(of.of_class(name, sums, k)) for k in range(4)] == pytest.approx(list(each), abs=1e-12)


@given(scores())
def test_areas_of_bins_that_hold_one_score_each_are_those_of_scikit_learn(rows: Rows) -> None:
    label, score, weight = rows
    sums = binned(label, score, weight, np.unique(score))
    assert areas.roc_auc(sums) == pytest.approx(metrics.roc_auc_score(label, score, sample_weight=weight), abs=1e-12)
    precision = metrics.average_precision_score(label, score, sample_weight=weight)
    assert areas.average_precision(sums) == pytest.approx(precision, abs=1e-12)


@given(scores(), st.integers(1, 4))
def test_areas_of_wider_bins_are_off_by_no_more_than_they_say(rows: Rows, bins: int) -> None:
    label, score, weight = rows
    sums = binned(label, score, weight, np.linspace(0, 1, bins, endpoint=False))
    truth = metrics.roc_auc_score(label, score, sample_weight=weight)
    assert abs(areas.roc_auc(sums) - truth) <= areas.roc_auc_margin(sums) + 1e-12
    low, high = areas.average_precision_range(sums)
    assert low - 1e-12 <= metrics.average_precision_score(label, score, sample_weight=weight) <= high + 1e-12
    assert low - 1e-12 <= areas.average_precision(sums) <= high + 1e-12


def binned(label: np.ndarray, score: np.ndarray, weight: np.ndarray, lower: np.ndarray) -> np.ndarray:
    bins = np.searchsorted(lower, score, side="right") - 1
    cells = [weight[(label == k) & (bins == b)].sum() for k in (0, 1) for b in range(len(lower))]
    return np.array(cells)[:, None]


def test_one_class_has_no_area_under_the_roc_curve() -> None:
    assert np.isnan(areas.roc_auc(np.array([[2.0], [3.0], [0.0], [0.0]])))
    assert np.isnan(areas.average_precision(np.array([[2.0], [3.0], [0.0], [0.0]])))


@given(st.data())
def test_losses_are_those_of_scikit_learn(data: st.DataObject) -> None:
    many = data.draw(st.integers(2, 30))
    numbers = hnp.arrays(np.float64, many, elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 2)))
    label, told, weight = data.draw(numbers), data.draw(numbers), data.draw(weights(many))
    error = label - told

    def sums(*values: np.ndarray) -> np.ndarray:
        return np.array([[weight.sum(), *((weight * v).sum() for v in values)]])

    assert losses.mean(sums(np.abs(error))) == pytest.approx(
        metrics.mean_absolute_error(label, told, sample_weight=weight), rel=1e-12
    )
    assert losses.root_mean(sums(error**2)) == pytest.approx(
        metrics.root_mean_squared_error(label, told, sample_weight=weight), rel=1e-12
    )
    around = label - np.average(label, weights=weight)
    expected = metrics.r2_score(label, told, sample_weight=weight)
    if np.ptp(label) == 0 or np.ptp(label) > 0.1:  # so nearly constant that scikit-learn's own digits are gone
        found = (
            losses.r2(sums(error**2, around, around**2))
            if np.ptp(label)
            else losses.r2(sums(error**2, 0 * around, 0 * around))
        )
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(scores(both=False))
def test_the_calibration_error_is_the_mean_gap_of_the_calibration_curve(rows: Rows) -> None:
    label, score, weight = rows
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
    cells = [(label == k) & (bins == b) for k in (0, 1) for b in range(10)]
    sums = np.array([[weight[cell].sum(), (weight * (label - score))[cell].sum()] for cell in cells])
    gaps = [
        weight[bins == b].sum() * abs(np.average((label - score)[bins == b], weights=weight[bins == b]))
        for b in np.unique(bins)
    ]
    assert losses.calibration_error(sums) == pytest.approx(sum(gaps) / weight.sum(), abs=1e-12)
