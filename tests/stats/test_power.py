"""The power of a feature is scikit-learn's, and its error that of repeated tables."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

from sparkguard.stats.power import NOTHING, Power, Task, missing_power, power

RNG = np.random.default_rng
GROUPS = 64


def counted(
    cells: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    labels: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    groups: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    classes: int = 2,
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    found = np.zeros((GROUPS, classes, int(cells.max()) + 1), np.int64)
    np.add.at(found, (groups, labels, cells), 1)
    return found


def scored(n: int, effect: float, seed: int) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    rng = RNG(seed)
    labels = rng.integers(0, 2, n)
    cells = 2 + np.clip(np.round(10 + 3 * (rng.normal(size=n) + effect * labels)), 0, 40).astype(np.int64)
    return cells, labels, rng.integers(0, GROUPS, n)


@pytest.mark.parametrize("effect", [0.0, 0.5, -3.0])
def test_on_an_ordered_scale_it_is_the_area_under_the_curve(effect: float) -> None:
    cells, labels, groups = scored(5_000, effect, 1)
    found = power(counted(cells, labels, groups), "binary", ordered=True)
    area = roc_auc_score(labels, cells)
    assert found.value >= max(area, 1 - area) - 1e-12
    assert found.value == pytest.approx(max(area, 1 - area), abs=0.02)


def test_classes_are_each_against_the_rest() -> None:
    rng = RNG(2)
    labels = rng.integers(0, 3, 6_000)
    cells = 2 + np.clip(np.round(8 + 2 * rng.normal(size=6_000) + 4 * (labels == 1)), 0, 30).astype(np.int64)
    found = power(counted(cells, labels, rng.integers(0, GROUPS, 6_000), 3), "multiclass", ordered=False)
    rates = np.array([[((cells == c) & (labels == k)).sum() for k in range(3)] for c in range(cells.max() + 1)])
    rates = rates / np.maximum(rates.sum(axis=1, keepdims=True), 1)
    whole = np.mean([roc_auc_score(labels == k, rates[cells, k]) for k in range(3)])
    assert found.value == pytest.approx(whole, abs=0.02)


def test_of_ordered_classes_it_is_the_concordance() -> None:
    rng = RNG(3)
    x = rng.normal(size=600)
    classes = np.clip(np.digitize(x + rng.normal(size=600), [-1.0, 0.0, 1.0]), 0, 3)
    cells = 2 + np.argsort(np.argsort(x))
    found = power(counted(cells, classes, rng.integers(0, GROUPS, 600), 4), "regression", ordered=True)
    unequal = classes[:, None] != classes[None]
    same = ((x[:, None] < x[None]) == (classes[:, None] < classes[None])) & unequal
    assert found.value == pytest.approx(same.sum() / unequal.sum())
    assert kendalltau(x, classes).statistic > 0


def test_what_is_not_monotone_is_found_by_rates() -> None:
    rng = RNG(4)
    cells = rng.integers(2, 32, 20_000)
    labels = ((cells > 10) & (cells < 20)).astype(np.int64)
    found = power(counted(cells, labels, rng.integers(0, GROUPS, 20_000)), "binary", ordered=True)
    assert found.by == "rates"
    assert found.value > 0.999


@pytest.mark.parametrize(("entities", "rows"), [(500, 40), (200, 10), (60, 50)])
def test_a_label_of_each_entity_gives_its_entities_no_power(entities: int, rows: int) -> None:
    values = []
    for seed in range(40):
        rng = RNG(seed)
        label, cell, group = (
            rng.integers(0, 2, entities),
            rng.integers(2, 70, entities),
            rng.integers(0, GROUPS, entities),
        )
        each = np.repeat(np.arange(entities), rows)
        values.append(power(counted(cell[each], label[each], group[each]), "binary", ordered=False).value)
    assert np.mean(values) < 0.52
    assert max(values) < 0.8


def test_the_error_is_the_spread_of_repeated_tables_of_entities() -> None:
    found = []
    for seed in range(200):
        rng = RNG(seed)
        label = rng.integers(0, 2, 500)
        x = rng.normal(size=500) + 1.5 * label
        each = np.repeat(np.arange(500), 20)
        cells = 2 + np.clip(np.round(x[each] * 5 + 20), 0, 50).astype(np.int64)
        group = rng.integers(0, GROUPS, 500)[each]
        found.append(power(counted(cells, label[each], group), "binary", ordered=True))
    spread = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.15)


def test_a_constant_has_no_power() -> None:
    labels = RNG(5).integers(0, 2, 1_000)
    found = power(counted(np.full(1_000, 2), labels, RNG(6).integers(0, GROUPS, 1_000)), "binary", ordered=True)
    assert found.value == 0.5


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_without_a_second_class_there_is_nothing_to_tell(task: Task) -> None:
    assert power(np.zeros((GROUPS, 3, 5), np.int64), task, ordered=True) == NOTHING
    one = counted(np.arange(2, 12), np.zeros(10, np.int64), np.arange(10))
    assert power(one, task, ordered=True).value == 0.5


def test_a_copy_of_the_label_in_few_different_rows_is_found() -> None:
    labels = np.repeat([0, 1], 500)
    found = power(counted(2 + labels, labels, 7 * labels), "binary", ordered=True)
    assert found.value == 1.0
    assert isinstance(found, Power)


def test_rates_that_cannot_be_tried_in_other_folds_have_no_error() -> None:
    labels = np.repeat([0, 1], 500)
    found = power(counted(2 + labels, labels, 63 * labels), "binary", ordered=False)
    assert found.value == 1.0
    assert math.isnan(found.error)


def test_a_value_that_is_missing_tells_the_label() -> None:
    labels = RNG(7).integers(0, 2, 2_000)
    cells = np.where(labels == 1, 0, RNG(8).integers(2, 20, 2_000))
    found = missing_power(counted(cells, labels, RNG(9).integers(0, GROUPS, 2_000)), "binary")
    assert found.value == 1.0
    none = missing_power(counted(cells + 2, labels, labels), "binary")
    assert math.isnan(none.error)
