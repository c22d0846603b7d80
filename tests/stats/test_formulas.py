"""Two columns that give the label away together are named, and honest pairs are not."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from sparkguard.stats.formulas import Formula, formulas
from sparkguard.stats.power import Task

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]


def found_of(values: Floats, labels: Labels, task: Task, numbers: Floats | None = None) -> list[Formula]:
    groups = np.random.default_rng(5).integers(0, 64, len(labels))
    return list(formulas(values, np.asarray(labels, np.int64), groups, task, numbers))


def noise(rows: int = 4_000, columns: int = 8) -> Floats:
    return np.random.default_rng(0).normal(size=(rows, columns)) * 100


def deciles(numbers: Labels) -> Labels:
    return np.searchsorted(np.quantile(numbers, np.arange(1, 10) / 10), numbers, side="right")


@pytest.mark.parametrize(
    ("kind", "label"),
    [("-", lambda a, b: a - b > 20), ("+", lambda a, b: a + b > 20), ("/", lambda a, b: a / b > 1.5)],
)
def test_a_class_by_two_columns_is_found(kind: str, label: object) -> None:
    values = noise()
    labels = label(values[:, 2], values[:, 6])  # type: ignore[operator]
    best = found_of(values, labels, "binary")[0]
    assert (best.one, best.other) == (2, 6)
    assert kind in best.written
    assert best.power.value > 0.995


@pytest.mark.parametrize("make", [lambda a, b: a - b, lambda a, b: b - a + 7, lambda a, b: a + b, lambda a, b: b / a])
def test_a_number_by_two_columns_is_exact(make: object) -> None:
    values = noise()
    numbers = make(values[:, 1], values[:, 3])  # type: ignore[operator]
    numbers[::25] += 3
    best = found_of(values, deciles(numbers), "regression", numbers)[0]
    assert (best.one, best.other, best.exact) == (1, 3, True)


def test_times_of_the_day_go_round_the_clock() -> None:
    rng = np.random.default_rng(1)
    planned, late = rng.integers(0, 1440, 4_000), rng.integers(-20, 200, 4_000)
    actual = (planned + late) % 1440
    values = np.stack([100 * (m // 60) + m % 60 for m in (actual, planned)], axis=1).astype(np.float64)
    values = np.hstack([values, noise(columns=2)])
    best = found_of(values, deciles(late), "regression", late.astype(np.float64))[0]
    assert best.written == "minutes({0}) - minutes({1})"
    assert best.same == 1.0
    assert found_of(values, late > 30, "binary")[0].power.value > 0.995


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_honest_tables_have_no_formula_that_gives_the_label_away(name: str) -> None:
    table = getattr(datasets, f"load_{name}")()
    task: Task = "regression" if name == "diabetes" else "binary" if table.target.max() == 1 else "multiclass"
    numbers = table.target if task == "regression" else None
    labels = deciles(table.target) if task == "regression" else table.target
    # The petals of irises: each tells the kind by itself, so that their sum is no news.
    strong = {(2, 3)} if name == "iris" else set()
    for formula in found_of(table.data, labels, task, numbers):
        assert not formula.exact
        assert formula.power.value - 2 * formula.power.error < 0.995 or (formula.one, formula.other) in strong


@pytest.mark.parametrize("rows", [1, 10, 200])
def test_strange_values_are_no_trouble(rows: int) -> None:
    values = noise(rows, 5)
    values[:, 0], values[:, 1], values[0, 2], values[:, 3] = np.nan, 0.0, np.inf, 1e308
    found_of(values, np.arange(rows) % 2, "binary")
    found_of(values, deciles(values[:, 4]), "regression", values[:, 4])


def test_nothing_is_told_of_noise() -> None:
    assert not found_of(noise(), np.arange(4_000) % 2, "binary")


def test_a_hundred_columns_take_seconds() -> None:
    began = time.monotonic()
    found_of(noise(10_000, 100), np.arange(10_000) % 2, "binary")
    assert time.monotonic() - began < 60
