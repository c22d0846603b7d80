"""Errors are those of the formulas that books give for the simple cases, and of brute force for the others."""

import math

import numpy as np
import pytest

from sparkguard.stats import areas, losses
from sparkguard.stats.confusion import Confusion
from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.intervals import (
    UNTOLD,
    Error,
    error_by_groups,
    error_by_rows,
    gap_interval,
    loss_interval,
    share_interval,
)

RNG = np.random.default_rng(11)


def of_counts(*counts: float) -> tuple[Floats, Floats, Floats]:
    """Sums, moments and rows of cells in which every row weighs 1."""
    rows = np.array(counts, float)
    return rows[:, None], rows[:, None, None], rows


def test_the_error_of_an_accuracy_is_that_of_a_share() -> None:
    agreement = Confusion(np.array([1, 1]), np.array([0, 1]), 2)
    error = error_by_rows(agreement.accuracy, *of_counts(30, 70), math.inf, 100)
    assert error.value == pytest.approx(math.sqrt(0.3 * 0.7 / 100), rel=1e-4)
    interval = share_interval(0.7, error, 0.95)
    # Wilson's, by hand.
    z = 1.959963984540054
    middle = (0.7 + z**2 / 200) / (1 + z**2 / 100)
    half = z * math.sqrt(0.21 / 100 + z**2 / 40_000) / (1 + z**2 / 100)
    assert (interval.low, interval.high) == pytest.approx((middle - half, middle + half), rel=1e-4)


def test_the_error_of_an_area_is_that_of_delong() -> None:
    positive, negative = RNG.normal(1, 1, 60), RNG.normal(0, 1, 90)
    lower = np.unique(np.concatenate([positive, negative]))
    cells = [np.histogram(side, [*lower, np.inf])[0] for side in (negative, positive)]
    error = error_by_rows(areas.roc_auc, *of_counts(*np.concatenate(cells)), math.inf, 60)
    wins = (positive[:, None] > negative).astype(float)
    delong = math.sqrt(wins.mean(axis=1).var() / 60 + wins.mean(axis=0).var() / 90)
    assert error.value == pytest.approx(delong, rel=1e-3)


def test_the_error_of_a_mean_counts_weights() -> None:
    weight, loss = RNG.choice([1.0, 2.0, 5.0], 50), RNG.exponential(size=50)
    terms = np.stack([np.ones(50), loss])
    sums = (weight * terms).sum(axis=1)[None]
    moments = np.einsum("n,in,jn->ij", weight**2, terms, terms)[None]
    error = error_by_rows(losses.mean, sums, moments, np.array([50.0]), 49, 50)
    mean = np.average(loss, weights=weight)
    expected = math.sqrt(((weight * (loss - mean)) ** 2).sum()) / weight.sum() * math.sqrt(50 / 49)
    assert error.value == pytest.approx(expected, rel=1e-3)


def test_the_error_by_groups_is_that_of_leaving_each_out() -> None:
    groups = RNG.integers(1, 20, (25, 1, 2)).astype(float)
    groups[..., 0] = 20
    error = error_by_groups(losses.mean, groups, 25, 500)
    means = [groups[np.arange(25) != g, 0, 1].sum() / (24 * 20) for g in range(25)]
    whole = groups[:, 0, 1].sum() / 500
    assert error.value == pytest.approx(math.sqrt(24 / 25 * ((np.array(means) - whole) ** 2).sum()))
    assert error.freedom == pytest.approx(24)
    assert error.pieces == 25


def test_unequal_groups_count_as_fewer_and_empty_ones_not_at_all() -> None:
    groups = np.ones((30, 1, 2))
    groups[0] *= 10
    groups[1] = 0
    assert error_by_groups(losses.mean, groups, 30, 100).freedom == pytest.approx(38**2 / 128 - 1)
    groups[0] *= 10
    assert not error_by_groups(losses.mean, groups, 30, 100).known


def test_too_few_clusters_or_rows_have_no_error() -> None:
    assert not error_by_groups(losses.mean, np.ones((19, 1, 2)), 19, 100).known
    assert not error_by_rows(losses.mean, np.ones((1, 2)), np.ones((1, 2, 2)), np.ones(1), 0, 1).known


def test_a_metric_that_is_not_defined_without_a_group_has_no_error() -> None:
    groups = np.zeros((25, 2, 1))
    groups[:, 0] = 1
    groups[3, 1] = 1
    assert not error_by_groups(areas.roc_auc, groups, 25, 1).known


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_without_any_error_still_has_an_interval(share: float) -> None:
    interval = share_interval(share, Error(0.0, math.inf, 20), 0.95)
    assert interval.high - interval.low == pytest.approx(0.161, abs=1e-3)
    assert interval.low <= share <= interval.high


def test_intervals_stay_where_the_metric_can_be() -> None:
    assert loss_interval(0.1, Error(0.2, 10, 0), 0.95).low > 0
    assert gap_interval(0.1, Error(0.2, 10, 0), 0.95).low == 0
    assert share_interval(0.99, Error(0.2, 10, 9), 0.95).high <= 1


@pytest.mark.parametrize("interval", [share_interval, loss_interval, gap_interval])
def test_what_nobody_knows_has_no_interval(interval: object) -> None:
    for value, error in ((math.nan, Error(0.1, 9, 9)), (0.5, UNTOLD)):
        assert math.isnan(interval(value, error, 0.95).low)  # type: ignore[operator]
